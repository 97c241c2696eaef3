//! What a connection costs in memory: nothing while idle, and no allocation for a message in steady state.
#![cfg(feature = "std")] // without it there is no thread to keep memory for the next message

mod common;
mod memory;

use std::io::Write as _;

use bytes::{Buf, Bytes, BytesMut};
use common::{BOTH, fresh, hex, naive, towards};
use memory::{allocations, alone, empty_the_pool, held, held_since};
use sansocket::{Config, Connection, Delivery, Event, Fin, MessageKind, Role, UnexpectedEof};

/// Gives `read` to the connection and drops the events; returns how many there were.
fn receive(conn: &mut Connection, read: &mut [u8]) -> usize {
    let mut input = read;
    let mut events = 0;
    while conn.receive(&mut input).expect("legal frames").is_some() {
        events += 1;
    }
    events
}

/// Writes all that waits, as a transport that takes everything.
fn write_all(conn: &mut Connection) {
    let waiting = conn.buffered();
    conn.outgoing().advance(waiting);
}

/// Has the connection receive and send messages, whole, fragmented and cut by reads, with Pings between.
fn exchange(conn: &mut Connection, role: Role) {
    let frames = [
        hex("81 05 'Hello' 01 02 'He' 89 04 'ping' 00 00 80 03 'llo' 8a 00"),
        naive::frame(0x82, &[7; 10_000]),
        naive::frame(0x89, &[7; 125]),
    ];
    let mut bytes = towards(role, &frames.concat());
    for read in bytes.chunks_mut(1_000) {
        receive(conn, read);
    }
    conn.send_text("Hello").expect("open");
    conn.send_binary(&[7; 10_000]).expect("open");
    conn.send(Bytes::from_static(&[7; 5_000])).expect("open");
    conn.send_fragment(MessageKind::Text, b"Hel", Fin::More)
        .expect("open");
    conn.send_fragment(MessageKind::Text, b"lo", Fin::Last)
        .expect("open");
    conn.ping(b"ping").expect("open");
    while conn.buffered() > 0 {
        let some = conn.buffered().min(3_000);
        conn.outgoing().advance(some);
    }
}

/// S-13: ten thousand connections that have just begun hold no memory but their own size.
#[test]
fn fresh_connections_hold_no_memory() {
    let _alone = alone();
    for role in BOTH {
        let asked = allocations(|| drop(fresh(role)));
        assert_eq!(asked, 0, "{role:?}");
        let mut all = Vec::with_capacity(10_000);
        let before = held();
        all.extend((0..10_000).map(|_| fresh(role)));
        assert_eq!(held_since(before), 0, "{role:?}");
    }
}

/// S-13: ten thousand connections that have exchanged messages, and are idle now, hold no memory either. What the thread
/// keeps for the next message is that of one connection at work, whatever their number.
#[test]
fn idle_connections_hold_no_memory() {
    let _alone = alone();
    for role in BOTH {
        let mut all: Vec<_> = (0..1_000).map(|_| fresh(role)).collect();
        // Twice, as what is short may take the piece that what is long will ask for.
        exchange(&mut all[0], role);
        exchange(&mut all[0], role);
        let before = held();
        for conn in &mut all {
            exchange(conn, role);
        }
        assert_eq!(held_since(before), 0, "all of them, {role:?}");
        let spare = held();
        drop(all.split_off(1));
        assert_eq!(
            held_since(spare),
            0,
            "freeing them frees nothing else, {role:?}"
        );
    }
}

/// A message that lies whole in one read is received without an allocation, the first one of a connection, too.
#[test]
fn a_whole_message_is_received_without_an_allocation() {
    let _alone = alone();
    for role in BOTH {
        for payload in [&b"Hello"[..], &[b'a'; 10_000], "é".repeat(5_000).as_bytes()] {
            let frames = [
                naive::frame(0x81, payload),
                naive::frame(0x82, payload),
                naive::frame(0x8A, b"pong"),
            ];
            let mut bytes = towards(role, &frames.concat());
            let mut conn = fresh(role);
            let asked = allocations(|| assert_eq!(receive(&mut conn, &mut bytes), 3));
            assert_eq!(asked, 0, "{} bytes to a {role:?}", payload.len());
        }
    }
}

/// What is noted of each large message that waits is not kept for the next ones, where very many did.
#[test]
fn a_long_queue_leaves_little() {
    let _alone = alone();
    let shared = Bytes::from_static(&[7; 5_000]);
    let queue = |count: usize| {
        let mut server = fresh(Role::Server);
        for _ in 0..count {
            server.send(shared.clone()).expect("open");
        }
        write_all(&mut server);
    };
    queue(1);
    let before = held();
    queue(5_000);
    let kept = held_since(before);
    assert!(kept < 64 << 10, "{kept} bytes");
}

/// One that spans reads, or is fragmented, allocates nothing in steady state.
#[test]
fn messages_in_pieces_allocate_nothing_in_steady_state() {
    let _alone = alone();
    for role in BOTH {
        for len in [100, 5_000, 200_000] {
            let payload = vec![b'a'; len];
            let (first, second) = payload.split_at(len / 3);
            let frames = [
                naive::frame(0x81, &payload),
                naive::frame(0x02, first),
                naive::frame(0x89, b"ping"),
                naive::frame(0x80, second),
            ];
            let bytes = towards(role, &frames.concat());
            let mut read = bytes.clone();
            let mut conn = fresh(role);
            let mut round = || {
                read.copy_from_slice(&bytes);
                let events: usize = read
                    .chunks_mut(len / 7)
                    .map(|read| receive(&mut conn, read))
                    .sum();
                assert_eq!(events, 3);
                write_all(&mut conn);
            };
            round();
            round();
            assert_eq!(
                allocations(|| (0..10).for_each(|_| round())),
                0,
                "{len} to a {role:?}"
            );
        }
    }
}

/// One that is read straight into its memory allocates nothing in steady state.
#[test]
fn lent_memory_is_used_again() {
    let _alone = alone();
    let frame = naive::frame(0x82, &vec![7; 500_000]);
    let mut client = fresh(Role::Client);
    let mut round = || {
        let (mut read, mut rest) = frame.split_at(10_000);
        let mut first = [0; 10_000];
        first.copy_from_slice(read);
        assert_eq!(receive(&mut client, &mut first), 0);
        while let Some(space) = client.unfilled() {
            let len = space.len().min(30_000);
            (read, rest) = rest.split_at(len);
            space[..len].copy_from_slice(read);
            client.filled(len);
        }
        assert!(rest.is_empty());
        assert_eq!(receive(&mut client, &mut []), 1);
    };
    // The first one makes its memory grow, the second leaves what it began in, too.
    (0..2).for_each(|_| round());
    assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0);
}

/// S-02: a message that drips in byte by byte, where an announced length begins to be believed, makes its memory grow no
/// more often for that, whichever way it is read.
#[test]
fn memory_does_not_grow_byte_by_byte() {
    let _alone = alone();
    let half = 1 << 19;
    for by_space in [false, true] {
        let drip = move || {
            let mut client = fresh(Role::Client);
            let mut frame = naive::frame(0x82, &vec![7; 2 * half]);
            assert_eq!(receive(&mut client, &mut frame[..half - 40_000]), 0);
            allocations(|| {
                for _ in 0..50_000 {
                    if by_space {
                        client.unfilled().expect("more is missing")[0] = 7;
                        client.filled(1);
                    } else {
                        let read = client.read(&mut [], |slices| (&mut *slices[0]).write(&[7]));
                        assert_eq!(read.expect("memory").0, 1);
                    }
                    assert_eq!(receive(&mut client, &mut []), 0);
                }
            })
        };
        // A thread of its own has no memory to spare.
        empty_the_pool();
        let grown = std::thread::spawn(drip).join().expect("no panic");
        assert!((1..=2).contains(&grown), "{grown} times");
    }
}

/// Shared input costs no allocation for a message either, as long as the memory that was read into is used again.
#[test]
fn shared_input_allocates_nothing_in_steady_state() {
    let _alone = alone();
    let frames = [hex("81 05 'Hello' 82 7d 00*125"), hex("89 00 01 00 80 00")].concat();
    let mut client = fresh(Role::Client);
    let mut input = BytesMut::with_capacity(4_096);
    let mut round = || {
        input.reserve(1_024);
        input.extend_from_slice(&frames);
        let mut events = 0;
        while client.receive_bytes(&mut input).expect("legal").is_some() {
            events += 1;
        }
        assert_eq!(events, 4);
        write_all(&mut client);
    };
    for _ in 0..10 {
        round();
    }
    assert_eq!(allocations(|| (0..100).for_each(|_| round())), 0);
}

/// Sending and echoing allocates nothing in steady state.
#[test]
fn echoing_allocates_nothing_in_steady_state() {
    let _alone = alone();
    for role in BOTH {
        for len in [0, 5, 125, 126, 4_000] {
            check_echo(role, len);
        }
    }
}

/// Nor does a short reply to a long message in pieces, whichever of the two gives its memory back first.
#[test]
fn short_replies_to_long_messages_allocate_nothing_in_steady_state() {
    let _alone = alone();
    for drop_first in [true, false] {
        let frame = naive::frame(0x82, &vec![7; 3_000_000]);
        let mut read = frame.clone();
        let mut client = fresh(Role::Client);
        let mut round = || {
            read.copy_from_slice(&frame);
            let mut message = None;
            for piece in read.chunks_mut(64 << 10) {
                let mut input = piece;
                message = client.receive(&mut input).expect("legal").or(message);
            }
            client.send_binary(&[7; 20]).expect("open");
            if drop_first {
                message = None;
            }
            write_all(&mut client);
            drop(message);
        };
        (0..4).for_each(|_| round());
        assert_eq!(
            allocations(|| (0..10).for_each(|_| round())),
            0,
            "{drop_first}"
        );
    }
}

/// Nor does it with messages of 4 KiB and more.
#[test]
fn echoing_large_messages_allocates_nothing_in_steady_state() {
    let _alone = alone();
    for role in BOTH {
        for len in [4_096, 100_000] {
            check_echo(role, len);
        }
    }
}

fn check_echo(role: Role, len: usize) {
    let bytes = towards(role, &naive::frame(0x81, &vec![b'a'; len]));
    let mut read = bytes.clone();
    let mut conn = fresh(role);
    let mut round = || {
        read.copy_from_slice(&bytes);
        let mut input = &mut read[..];
        while let Some(event) = conn.receive(&mut input).expect("legal") {
            if let Event::Text(text) = event {
                conn.send_text(&text).expect("open");
            }
        }
        write_all(&mut conn);
    };
    round();
    let asked = allocations(|| (0..10).for_each(|_| round()));
    assert_eq!(asked, 0, "ten echoes of {len} bytes by a {role:?}");
}

/// CT-05: answering Pings allocates nothing in steady state.
#[test]
fn answering_pings_allocates_nothing_in_steady_state() {
    let _alone = alone();
    for role in BOTH {
        let bytes = towards(role, &hex("89 04 'ping' 89 7d 00*125"));
        let mut read = bytes.clone();
        let mut conn = fresh(role);
        let mut round = || {
            read.copy_from_slice(&bytes);
            assert_eq!(receive(&mut conn, &mut read), 2);
            write_all(&mut conn);
        };
        round();
        assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0, "{role:?}");
    }
}

/// A connection that is dropped with what waits leaves its memory to the next one.
#[test]
fn a_dropped_queue_is_used_again() {
    let _alone = alone();
    let shared = Bytes::from_static(&[7; 5_000]);
    let round = || {
        let mut server = fresh(Role::Server);
        server.send(shared.clone()).expect("open");
        server.ping(b"ping").expect("open");
        assert!(server.buffered() > shared.len());
    };
    round();
    assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0);
}

/// F-16, S-03: however long a frame says it is, memory grows with what has come of it.
#[test]
fn a_declared_length_allocates_nothing() {
    let _alone = alone();
    for role in BOTH {
        for header in ["82 7f 00000000 04000000", "02 7f 00000000 03ffffff"] {
            let mut bytes = towards(role, &hex(header));
            let mut conn = fresh(role);
            let before = held();
            let asked = allocations(|| assert_eq!(receive(&mut conn, &mut bytes), 0));
            assert_eq!(asked, 0, "{header} to a {role:?}");
            for _ in 0..100 {
                receive(&mut conn, &mut [0; 10]);
            }
            let held = held_since(before);
            assert!(held <= 4_096, "{held} bytes for 1,000 that have come");
        }
    }
}

/// S-03: what a failure, a Close frame or the end of the stream leaves unfinished is given back at once.
#[test]
fn an_unfinished_message_is_given_back_at_the_end() {
    let _alone = alone();
    let ends: [fn(&mut Connection); 4] = [
        |conn| {
            let mut input = &mut [0xFF_u8; 2][..];
            conn.receive(&mut input).expect_err("no frame");
        },
        |conn| assert_eq!(receive(conn, &mut hex("88 00")), 1),
        |conn| {
            conn.receive_eof().expect_err("no Close frame has come");
        },
        |conn| conn.fail(common::closing(1011, "")).expect("open"),
    ];
    for end in ends {
        let mut conn = fresh(Role::Client);
        let before = held();
        receive(&mut conn, &mut naive::frame(0x02, &vec![0; 17 << 20]));
        let held = held_since(before);
        assert!(held >= 17 << 20, "{held} bytes");
        end(&mut conn);
        empty_the_pool();
        assert!(held_since(before) < 1 << 10, "{} bytes", held_since(before));
    }
}

/// S-03: what has come of an unfinished Ping is given back, too.
#[test]
fn an_unfinished_ping_is_given_back_at_the_end() {
    let _alone = alone();
    let mut all: Vec<_> = (0..1_000).map(|_| fresh(Role::Client)).collect();
    let before = held();
    for conn in &mut all {
        receive(conn, &mut hex("89 7d 00*124"));
    }
    assert!(held_since(before) >= 1_000 * 124);
    for conn in &mut all {
        assert_eq!(conn.receive_eof(), Err(UnexpectedEof::InFrame));
    }
    empty_the_pool();
    let held = held_since(before);
    assert!(
        held <= 64 << 10,
        "{held} bytes are more than a thread keeps"
    );
}

/// S-03: a message whose length is known takes no more memory than that.
#[test]
fn memory_does_not_grow_beyond_the_message() {
    let _alone = alone();
    let mut client = fresh(Role::Client);
    let mut frame = naive::frame(0x82, &vec![7; 100_000]);
    let before = held();
    for read in frame.chunks_mut(9_000) {
        receive(&mut client, read);
        let held = held_since(before);
        // The list of a thread's spare memory is a few bytes itself.
        assert!(held <= 100_000 + 100, "{held} bytes");
    }
}

/// A short message that is kept does not keep the memory of a long one, which it was gathered in.
#[test]
fn a_short_message_is_kept_in_little_memory() {
    let _alone = alone();
    let mut client = fresh(Role::Client);
    for read in naive::frame(0x82, &vec![7; 1 << 20]).chunks_mut(65_536) {
        receive(&mut client, read);
    }
    receive(&mut client, &mut hex("01 03 'Hel'"));
    let mut read = hex("80 02 'lo'");
    let mut input = &mut read[..];
    let event = client.receive(&mut input).expect("legal").expect("text");
    let message = event.into_message().expect("a message");
    assert_eq!(message, "Hello".into());
    let with = held();
    drop(message);
    let freed = -held_since(with);
    assert!((5..100).contains(&freed), "{freed} bytes");
}

/// S-03: a compact copy holds the length of its message, however long the read is that the message lay in.
#[test]
fn a_compact_message_is_kept_in_its_length() {
    let _alone = alone();
    for len in [0, 1, 22, 125, 4_000] {
        let mut client = fresh(Role::Client);
        let frame = naive::frame(0x82, &vec![7; len]);
        let before = held();
        let mut kept = Vec::with_capacity(100);
        let mut input = BytesMut::with_capacity(64 << 10);
        for _ in 0..100 {
            input.reserve(8 << 10);
            input.extend_from_slice(&frame);
            let event = client.receive_bytes(&mut input).expect("legal");
            let message = event.and_then(|event| event.to_compact_message());
            kept.push(message.expect("a message").into_bytes());
        }
        drop(input);
        let list = kept.capacity() * size_of::<Bytes>();
        let held = held_since(before) - list.cast_signed();
        let most = 100 * len + 128; // and the box of the thread, which says where a payload lies
        assert!(held <= most.cast_signed(), "{held} bytes for 100 of {len}");
    }
}

/// FR-09, S-03: a message in chunks goes through without any memory, however long it is.
#[test]
fn chunks_need_no_memory() {
    let _alone = alone();
    let config = Config::default().with_delivery(Delivery::Chunks);
    for role in BOTH {
        let mut bytes = towards(role, &naive::frame(0x81, &vec![b'a'; 1 << 20]));
        let mut conn = common::connection(role, &config);
        let asked = allocations(|| {
            for read in bytes.chunks_mut(65_536) {
                assert_eq!(receive(&mut conn, read), 1);
            }
        });
        assert_eq!(asked, 0, "{role:?}");
    }
}

/// CT-08, S-10: a peer that reads slowly, so that a Pong is always half written, cannot make Pongs pile up.
#[test]
fn pongs_that_are_never_all_written_do_not_pile_up() {
    let _alone = alone();
    for role in BOTH {
        let ping = towards(role, &naive::frame(0x89, &[7; 50]));
        let mut conn = fresh(role);
        let before = held();
        let mut most = 0;
        for _ in 0..10_000 {
            receive(&mut conn, &mut ping.clone());
            if conn.buffered() > 70 {
                conn.outgoing()
                    .advance(if role == Role::Client { 56 } else { 52 });
            }
            most = most.max(held_since(before));
        }
        assert!(most <= 2_048, "{most} bytes for a {role:?}");
    }
}

/// S-03: nor do small messages that are never all written: memory is bounded by what waits.
#[test]
fn messages_that_are_never_all_written_do_not_pile_up() {
    let _alone = alone();
    for role in BOTH {
        for len in [50, 5_000] {
            let mut conn = fresh(role);
            let before = held();
            let mut most = 0;
            conn.send_binary(&[1]).expect("open");
            for _ in 0..10_000 {
                conn.send_binary(&vec![7; len]).expect("open");
                let written = conn.buffered() - 1;
                conn.outgoing().advance(written);
                most = most.max(held_since(before));
            }
            assert!(most <= 64 << 10, "{most} bytes for a {role:?}");
        }
    }
}
