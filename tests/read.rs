//! Reading straight into long messages: what a transport is asked to read, and where to.
#![cfg(feature = "std")] // as vectored reads are

mod common;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{fresh, hear, hex, naive, show};
#[cfg(feature = "deflate")]
use sansocket::deflate::Params;
use sansocket::{Config, Connection, Delivery, Event, Role};

/// Begins a frame of `len` bytes, of which `come` are there.
fn begun(len: usize, come: usize) -> Connection {
    let mut client = fresh(Role::Client);
    let frame = naive::frame(0x82, &vec![7; len]);
    let behind_header = frame.len() - len + come;
    assert!(hear(&mut client, &frame[..behind_header]).is_empty());
    client
}

/// Reads nothing into a buffer of 20 KiB; returns how long the slices are.
fn slices(connection: &mut Connection) -> Vec<usize> {
    slices_with(connection, 20 << 10)
}

fn slices_with(connection: &mut Connection, buffer: usize) -> Vec<usize> {
    let mut lens = Vec::new();
    let mut buffer = vec![0; buffer];
    let read = connection.read(&mut buffer, |slices| {
        lens = slices.iter().map(|slice| slice.len()).collect();
        Ok(0)
    });
    assert_eq!(read.expect("nothing fails"), (0, &mut [][..]));
    lens
}

/// F-16: what is missing of a message of 8 KiB or more is read straight into it, however little, and 4 KiB behind it.
#[test]
fn what_follows_a_long_message_is_read_with_it() {
    assert_eq!(slices(&mut begun(8_192, 4_000)), [4_192, 4_096]);
    assert_eq!(slices(&mut begun(8_192, 8_191)), [1, 4_096]);
    assert_eq!(slices(&mut begun(30_000, 10_000)), [20_000, 4_096]);
    assert_eq!(slices_with(&mut begun(30_000, 10_000), 100), [20_000, 100]);
    assert_eq!(slices_with(&mut begun(30_000, 10_000), 0), [20_000, 0]);
}

/// What is short or has not begun is read into the buffer, all of which is used.
#[test]
fn all_else_is_read_into_the_buffer() {
    let all = [20 << 10];
    assert_eq!(slices(&mut fresh(Role::Client)), all);
    assert_eq!(slices(&mut begun(8_191, 4_000)), all);
    assert_eq!(slices(&mut begun(30_000, 0)), all, "nothing has come");
}

/// A message that is handed on in chunks has no memory to read into.
#[test]
fn chunks_are_read_into_the_buffer() {
    let config = Config::default().with_delivery(Delivery::Chunks);
    let mut client = common::connection(Role::Client, &config);
    let frame = naive::frame(0x82, &vec![7; 30_000]);
    assert_eq!(hear(&mut client, &frame[..10_000]).len(), 1);
    assert_eq!(slices(&mut client), [20 << 10]);
}

/// Nor has one that is compressed: what is read of it has another length than what comes out.
#[cfg(feature = "deflate")]
#[test]
fn compressed_messages_are_read_into_the_buffer() {
    let mut client = common::deflating(Role::Client, Params::default(), &Config::default());
    // A stored block of 20,000 bytes, of which 10,000 have come.
    let mut frame = naive::frame(0xC2, &vec![7; 20_005]);
    frame[4..9].copy_from_slice(&hex("00 20 4e df b1"));
    assert!(hear(&mut client, &frame[..10_000]).is_empty());
    assert_eq!(slices(&mut client), [20 << 10]);
}

/// A frame that goes on behind the room is read alone: what follows would have to be copied.
#[test]
fn nothing_is_read_behind_a_frame_that_goes_on() {
    assert_eq!(slices(&mut begun(100_000, 10_000)), [32_768]);
    assert_eq!(slices(&mut begun(10_000 + 32_768, 10_000)), [32_768, 4_096]);
}

/// S-02: room is at most eight times as long as what has come, unless there is memory for more.
#[test]
fn little_that_has_come_is_lent_little() {
    // A thread of its own has no memory to spare.
    let lens = std::thread::spawn(|| slices(&mut begun(1 << 20, 100)));
    assert_eq!(lens.join().expect("no panic"), [800]);
    assert_eq!(hear(&mut begun(30_000, 29_999), &[7]).len(), 1); // leaves memory
    assert_eq!(slices(&mut begun(30_000, 100)), [29_900, 4_096]);
}

/// Frames of a fragmented message, but the last one, are read into the buffer unless they are long themselves.
#[test]
fn short_fragments_are_read_many_at_a_time() {
    let mut client = fresh(Role::Client);
    let first = naive::frame(0x02, &vec![7; 30_000]);
    assert!(hear(&mut client, &first).is_empty());
    for (start, expected) in [
        ("00 7e 20 00 00", vec![20 << 10]),
        ("00*8191 00 7e 20 01 00", vec![8_192, 4_096]),
        ("00*8192 80 02 00", vec![1, 4_096]),
    ] {
        assert!(hear(&mut client, &hex(start)).is_empty());
        assert_eq!(slices(&mut client), expected, "behind {start}");
    }
}

/// F-14: whatever a read brings, the message is the same, and what follows it is the input.
#[test]
fn what_is_read_is_the_message_and_what_follows_it() {
    let message: Vec<u8> = (0..=250).cycle().take(20_000).collect();
    let mut wire = naive::frame(0x82, &message);
    wire.extend(hex("81 02 'hi'"));
    for most in [1, 100, 9_999, 15_000, 15_001, 15_003, 15_004, 30_000] {
        let mut client = fresh(Role::Client);
        let mut rest = &wire[..];
        let mut events = Vec::new();
        let mut buffer = [0; 5_004];
        while !rest.is_empty() {
            let mut next = &rest[..most.min(rest.len())];
            let before = next.len();
            let read = client.read(&mut buffer, |slices| next.read_vectored(slices));
            let (count, mut input) = read.expect("memory");
            assert_eq!(count, before - next.len());
            rest = &rest[count..];
            while let Some(event) = client.receive(&mut input).expect("valid frames") {
                events.push(match event {
                    Event::Binary(data) => show(&data),
                    Event::Text(text) => text.to_string(),
                    other => panic!("{other:?}"),
                });
            }
        }
        assert_eq!(events, [show(&message), "hi".into()], "by {most}");
    }
}

/// A read that fails changes nothing.
#[test]
fn a_read_that_fails_changes_nothing() {
    let mut client = begun(10_000, 5_000);
    for _ in 0..2 {
        let mut buffer = [0; 4];
        let read = client.read(&mut buffer, |_| Err(io::ErrorKind::WouldBlock.into()));
        let error = read.expect_err("it failed");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
    client.filled(1); // nothing is
    assert_eq!(slices(&mut client), [5_000, 4_096]);
}

/// Saying that more was read than the slices hold is a mistake of the caller; nothing comes of it.
#[test]
fn more_than_the_slices_hold_cannot_be_read() {
    for (mut client, len) in [(begun(10_000, 5_000), 5_005), (fresh(Role::Client), 5)] {
        let before = slices(&mut client);
        let read = || {
            client
                .read(&mut [0; 4], |_| Ok(len))
                .map(|(count, _)| count)
        };
        let panic = catch_unwind(AssertUnwindSafe(read)).expect_err("a mistake");
        let words = panic.downcast_ref::<&str>();
        assert_eq!(words, Some(&"more bytes read than there was room for"));
        assert_eq!(slices(&mut client), before);
        assert!(hear(&mut client, &[]).is_empty());
    }
}

/// Room that was lent shrinks with each part of it that is filled: what lies behind it was never read, and is not delivered.
#[test]
fn room_that_was_filled_is_not_filled_again() {
    for first in [1, 2_000, 14_999] {
        let mut client = begun(20_000, 5_000);
        let room = client.unfilled().expect("a long message");
        let lent = room.len();
        room.fill(7);
        client.filled(first);
        let again = || client.filled(lent - first + 1);
        let panic = catch_unwind(AssertUnwindSafe(again)).expect_err("a mistake");
        let words = panic.downcast_ref::<&str>();
        assert_eq!(words, Some(&"more bytes read than there was room for"));
        client.filled(lent - first);
        let message = show(&[7; 20_000]);
        assert_eq!(hear(&mut client, &[]), [format!("binary {message}")]);
    }
}

/// Room that was lent is forgotten when bytes of the message come another way.
#[test]
fn room_that_was_lent_is_forgotten() {
    let rest = vec![7; 5_000];
    for by_read in [false, true] {
        let mut client = begun(10_000, 5_000);
        assert!(client.unfilled().is_some());
        if by_read {
            let mut rest = &rest[..];
            let mut buffer = [0; 4];
            let read = client.read(&mut buffer, |slices| rest.read_vectored(slices));
            assert_eq!(read.expect("memory").0, 5_000);
            client.filled(1);
            assert_eq!(hear(&mut client, &[]).len(), 1);
        } else {
            assert!(hear(&mut client, &rest[..1]).is_empty());
            client.filled(1);
            assert_eq!(hear(&mut client, &rest[1..]).len(), 1);
        }
        assert!(hear(&mut client, &hex("89 02 'a'")).is_empty());
        client.filled(1);
        assert_eq!(hear(&mut client, b"b"), [r#"ping "ab""#]);
    }
}
