//! Messages that are written at once: the same bytes as through the queue, and what is not taken waits there.
#![cfg(feature = "std")] // as vectored writes are

mod common;
mod memory;

use std::io::IoSlice;

use common::{BOTH, closing, fresh, hear_frames, take, take_frames};
use memory::{allocations, held, held_since};
use sansocket::{Config, Connection, Fin, MessageKind, Role, SendError};

/// The longest payload that is put together with its header.
const JOINED_MAX: usize = 240;

/// Writes a message of which the transport takes up to `most` bytes; returns those, `None` if it was not offered any.
#[expect(
    clippy::panic_in_result_fn,
    reason = "an assertion of the test, not an error"
)]
fn write(conn: &mut Connection, payload: &[u8], most: usize) -> Result<Option<Vec<u8>>, SendError> {
    let mut written = None;
    let mut is_full = false;
    let write = |slices: &[IoSlice<'_>]| {
        let offered = common::join(slices);
        let written = written.get_or_insert_with(Vec::new);
        assert!(!is_full, "offered more than was taken");
        let taken = offered.len().min(most - written.len());
        written.extend(&offered[..taken]);
        is_full = taken < offered.len();
        taken
    };
    match str::from_utf8(payload) {
        Ok(text) => conn.write_text(text, write)?,
        Err(_) => conn.write_binary(payload, write)?,
    }
    Ok(written)
}

/// Returns what the queue makes of the same message.
fn queued(role: Role, payload: &[u8]) -> Vec<u8> {
    let mut conn = fresh(role);
    let sent = match str::from_utf8(payload) {
        Ok(text) => conn.send_text(text),
        Err(_) => conn.send_binary(payload),
    };
    sent.expect("open");
    take(&mut conn)
}

/// T-06, T-02, T-03, S-07: what was taken and what waits are the frame, wherever the one ends.
#[test]
fn the_rest_of_a_frame_waits() {
    for role in BOTH {
        for len in [
            0,
            1,
            16,
            125,
            126,
            JOINED_MAX,
            JOINED_MAX + 1,
            5_000,
            70_000,
        ] {
            for byte in [b'a', 0xFF] {
                let payload = vec![byte; len];
                let expected = queued(role, &payload);
                for most in (0..20).chain([130, len, len + 3, len + 4, 16_384, 40_000, usize::MAX])
                {
                    let mut conn = fresh(role);
                    let written = write(&mut conn, &payload, most).expect("open");
                    let written = written.expect("nothing waits");
                    assert_eq!(written.len(), most.min(expected.len()));
                    assert_eq!(conn.buffered(), expected.len() - written.len());
                    let all = [written, take(&mut conn)].concat();
                    assert_eq!(all, expected, "{most} of {len} bytes from a {role:?}");
                }
            }
        }
    }
}

/// T-06: a message keeps its place behind what waits, be it but a Pong.
#[test]
fn nothing_overtakes_what_waits() {
    for role in BOTH {
        let mut conn = fresh(role);
        hear_frames(&mut conn, role, "89 01 'x'");
        assert_eq!(write(&mut conn, b"first", usize::MAX), Ok(None));
        assert_eq!(write(&mut conn, b"second", usize::MAX), Ok(None));
        let frames = [r#"pong "x""#, r#"text "first""#, r#"text "second""#];
        assert_eq!(take_frames(&mut conn, role), frames, "{role:?}");
    }
}

/// CT-07: a Pong goes out behind a frame that has begun, also where that was offered and nothing of it taken.
#[test]
fn no_pong_tears_a_frame_that_was_offered() {
    for role in BOTH {
        for most in [0, 1, 5] {
            let mut conn = fresh(role);
            let written = write(&mut conn, b"Hello", most).expect("open");
            let mut bytes = written.expect("nothing waits");
            hear_frames(&mut conn, role, "89 01 'x'");
            bytes.extend(take(&mut conn));
            let frames = [queued(role, b"Hello"), {
                let mut other = fresh(role);
                hear_frames(&mut other, role, "89 01 'x'");
                take(&mut other)
            }];
            assert_eq!(bytes, frames.concat(), "{most} bytes from a {role:?}");
        }
    }
}

/// T-01, T-07: what cannot be sent is not written either, and nothing has changed.
#[test]
fn what_is_refused_is_not_written() {
    for role in BOTH {
        let mut conn = fresh(role);
        conn.send_fragment(MessageKind::Text, b"a", Fin::More)
            .expect("open");
        take(&mut conn);
        let refused = write(&mut conn, b"Hello", usize::MAX);
        assert_eq!(refused, Err(SendError::MessageInProgress));
        conn.send_fragment(MessageKind::Text, b"b", Fin::Last)
            .expect("open");
        conn.close(Some(closing(1000, ""))).expect("open");
        take(&mut conn);
        let refused = write(&mut conn, b"Hello", usize::MAX);
        assert_eq!(refused, Err(SendError::Closed), "{role:?}");
        assert_eq!(conn.buffered(), 0);

        let config = Config::default().with_outgoing_limit(0);
        let mut conn = common::connection(role, &config);
        let refused = write(&mut conn, b"Hello", usize::MAX);
        assert_eq!(refused, Err(SendError::QueueFull), "{role:?}");
    }
}

/// T-03: a message of several frames goes through the queue.
#[test]
fn fragments_are_queued() {
    for role in BOTH {
        let config = Config::default().with_fragment_size(4);
        let mut conn = common::connection(role, &config);
        assert_eq!(write(&mut conn, b"Hello", usize::MAX), Ok(None));
        let frames = [r#"text "Hell"..."#, r#"continuation "o""#];
        assert_eq!(take_frames(&mut conn, role), frames, "{role:?}");
    }
}

/// T-04: so does a compressed one.
#[test]
#[cfg(feature = "deflate")]
fn compressed_messages_are_queued() {
    use sansocket::deflate::Params;

    for role in BOTH {
        let mut conn = common::deflating(role, Params::default(), &Config::default());
        let payload = [b'a'; 2_000];
        assert_eq!(write(&mut conn, &payload, usize::MAX), Ok(None));
        assert!((1..100).contains(&conn.buffered()), "{role:?}");
    }
}

/// S-13: a message that the transport takes needs no memory, be it the first of its thread, unless it is long and has to be
/// masked.
#[test]
fn no_memory_is_needed() {
    for role in BOTH {
        let mut conn = fresh(role);
        let long = vec![1; 1 << 20];
        let payload = match role {
            Role::Server => &long[..],
            Role::Client => &long[..JOINED_MAX],
        };
        let asked = allocations(|| {
            let write = |slices: &[IoSlice<'_>]| slices.iter().map(|slice| slice.len()).sum();
            conn.write_text("Hello", write).expect("open");
            conn.write_binary(payload, write).expect("open");
        });
        assert_eq!((asked, conn.buffered()), (0, 0), "{role:?}");
    }
}

#[test]
#[should_panic(expected = "more bytes written than there were")]
fn no_more_is_taken_than_was_offered() {
    let taken = fresh(Role::Server).write_text("Hello", |_| 8);
    taken.expect("open");
}

/// S-13: one of a client takes little memory, however long it is.
#[test]
fn what_is_masked_needs_little_memory() {
    let mut conn = fresh(Role::Client);
    let long = vec![1; 1 << 20];
    let before = held();
    let mut most = 0;
    let write = |slices: &[IoSlice<'_>]| {
        most = most.max(held_since(before));
        slices.iter().map(|slice| slice.len()).sum()
    };
    conn.write_binary(&long, write).expect("open");
    // Nothing, where the process has a block to spare.
    assert!(most <= 32 << 10, "{most} bytes");
    let again = allocations(|| {
        let write = |slices: &[IoSlice<'_>]| slices.iter().map(|slice| slice.len()).sum();
        conn.write_binary(&long, write).expect("open");
    });
    assert_eq!((again, conn.buffered()), (0, 0));
}
