//! What a peer that means harm can make us hold: the limit, a tenth of it, and 64 KiB.
//!
//! Each case runs in a thread of its own, so that spare memory of another one neither helps nor counts. What `realloc`
//! may hold twice while it moves memory is not counted. How much work a peer can cause is counted by `make bounds`.
#![cfg(all(feature = "deflate", feature = "handshake"))]

mod common;

mod memory;

use std::thread;

use bytes::Buf;
use common::{BOTH, connection, fresh, hex, naive, towards};
use memory::{allocations, alone, empty_the_pool, held, held_since, peak};
use sansocket::deflate::Params;
use sansocket::handshake::{HandshakeError, HeadLimits, RequestReader, ResponseReader, Server};
use sansocket::{Config, Connection, Delivery, Event, Limits, ProtocolError, Role, SendError};

/// What a case may hold beyond its limit and a tenth of that.
const SLACK: usize = 64 << 10;

/// The limit of the cases.
const LIMIT: usize = 1 << 20;

/// The longest chunk of a compressed message, and what its engine takes beyond the slack.
const CHUNK: usize = 80 << 10;

/// What a thread keeps at most for the next message of any of its connections: short blocks, and boxes that say where they are.
const SPARE: isize = (64 << 10) + (1 << 10);

/// Checks that what `prepare` returns never holds more than `limit` allows, in a thread of its own.
fn check_peak<R: FnOnce()>(case: &str, limit: usize, prepare: impl FnOnce() -> R + Send + 'static) {
    let thread = thread::spawn(|| {
        let run = prepare();
        peak(run)
    });
    let peak = thread.join().expect("no panic");
    assert!(
        peak <= limit + limit / 10 + SLACK,
        "{case}: {peak} bytes, the limit is {limit}"
    );
}

fn limited() -> Config {
    limited_to(LIMIT)
}

fn limited_to(limit: usize) -> Config {
    Config::default()
        .with_limits(
            Limits::default()
                .with_frame(limit as u64)
                .with_message(limit as u64),
        )
        .with_outgoing_limit(limit)
}

/// Gives `read` to the connection and drops the events; returns how many there were.
fn receive(conn: &mut Connection, read: &mut [u8]) -> Result<usize, ProtocolError> {
    let mut input = read;
    let mut events = 0;
    while conn.receive(&mut input)?.is_some() {
        events += 1;
    }
    Ok(events)
}

/// Gives `frames` to the connection again and again, through `read` in pieces of `size`, until it fails or `bytes` have come.
fn pour(
    conn: &mut Connection,
    frames: &[u8],
    read: &mut [u8],
    size: usize,
    bytes: usize,
) -> Result<(), ProtocolError> {
    for _ in 0..bytes.div_ceil(frames.len()) {
        read.copy_from_slice(frames);
        for piece in read.chunks_mut(size) {
            receive(conn, piece)?;
        }
    }
    Ok(())
}

/// Does what one does with a connection, and leaves nothing to write.
fn exchange(conn: &mut Connection, frames: &mut [u8]) {
    for read in frames.chunks_mut(1_000) {
        let mut input = read;
        while let Some(event) = conn.receive(&mut input).expect("legal") {
            if let Some(message) = event.into_message() {
                conn.send(message).expect("open");
            }
        }
    }
    let waiting = conn.buffered();
    conn.outgoing().advance(waiting);
}

/// F-16, S-03: a length that is only announced, however the header is cut, allocates nothing.
#[test]
fn announced_lengths_allocate_nothing() {
    let _alone = alone();
    for role in BOTH {
        let mut asked = 0;
        for exponent in 0..=26 {
            for len in [(1_u64 << exponent) - 1, 1 << exponent] {
                for first in [0x82, 0x02] {
                    let mut header = vec![first];
                    match len {
                        0..=125 => header.push(u8::try_from(len).expect("short")),
                        126..=0xFFFF => {
                            header.push(126);
                            header.extend(u16::try_from(len).expect("middle").to_be_bytes());
                        }
                        _ => {
                            header.push(127);
                            header.extend(len.to_be_bytes());
                        }
                    }
                    let header = towards(role, &header);
                    for size in [1, header.len()] {
                        let mut header = header.clone();
                        let mut conn = fresh(role);
                        asked += allocations(|| {
                            for read in header.chunks_mut(size) {
                                receive(&mut conn, read).expect("legal");
                            }
                        });
                    }
                }
            }
        }
        assert_eq!(asked, 0, "{role:?}");
    }
}

/// S-03: a byte of a message holds a few bytes, whatever length was announced.
#[test]
fn a_byte_of_a_long_message_holds_little() {
    let _alone = alone();
    for role in BOTH {
        for header in ["82 7f 00000000 04000000", "02 7f 00000000 03ffffff"] {
            let mut bytes = towards(role, &hex(&format!("{header} 00")));
            let mut conn = fresh(role);
            let before = held();
            receive(&mut conn, &mut bytes).expect("legal");
            let held = held_since(before);
            assert!(held <= 1_024, "{held} bytes");
        }
    }
}

/// CT-08, S-10: ten million bytes of Pings that nobody takes the answers of leave 262 bytes: two frames of the longest.
#[test]
fn a_flood_of_pings_leaves_little() {
    let _alone = alone();
    for role in BOTH {
        for (len, bytes) in [(125, 10_000_000), (4, 300_000), (0, 100_000)] {
            check_peak("pings", 262, move || {
                let ping = towards(role, &naive::frame(0x89, &vec![7; len]));
                let mut conn = fresh(role);
                let pings = ping.repeat((64 << 10) / ping.len());
                let mut read = pings.clone();
                move || {
                    for _ in 0..=bytes / pings.len() {
                        pour(&mut conn, &pings, &mut read, usize::MAX, 1).expect("legal");
                        assert!(conn.buffered() <= 262, "{} bytes", conn.buffered());
                    }
                }
            });
        }
    }
}

/// S-03: a message that grows up to its limit, in fragments of any length.
#[test]
fn fragments_hold_what_their_limit_allows() {
    let _alone = alone();
    for role in BOTH {
        for len in [0, 1, 1_000, 70_000] {
            check_peak(&format!("fragments of {len}"), LIMIT, move || {
                let mut first = towards(role, &naive::frame(0x02, b""));
                let next = towards(role, &naive::frame(0x00, &vec![7; len]));
                let mut read = next.clone();
                let mut conn = connection(role, &limited());
                move || {
                    receive(&mut conn, &mut first).expect("legal");
                    let poured = pour(&mut conn, &next, &mut read, 10_000, 8 * LIMIT);
                    poured.expect_err("too much");
                }
            });
        }
    }
}

/// S-03: a message up to its limit, in reads of any length.
#[test]
fn a_long_message_holds_its_length() {
    let _alone = alone();
    for role in BOTH {
        for (size, len) in [
            (1, LIMIT / 10),
            (100, LIMIT),
            (16 << 10, LIMIT),
            (LIMIT / 2, LIMIT),
        ] {
            check_peak(&format!("a message by {size}"), len, move || {
                let mut frame = towards(role, &naive::frame(0x82, &vec![7; len]));
                let mut conn = connection(role, &limited());
                move || {
                    for read in frame.chunks_mut(size) {
                        receive(&mut conn, read).expect("legal");
                    }
                }
            });
        }
    }
}

/// Returns frames of at most `size` bytes with a compressed message of `len` zeros.
fn bomb(len: usize, size: usize) -> Vec<u8> {
    let config = Config::default()
        .with_fragment_size(u32::try_from(size).expect("a short frame"))
        .with_deflate(Params::default());
    let mut server = connection(Role::Server, &config);
    server.send_binary(&vec![0; len]).expect("open");
    common::take(&mut server)
}

/// DD-08, S-03, S-09: a message that decompresses to more than its limit, in frames and reads of any length; its engine is
/// within what is allowed beside the limit.
#[test]
fn bombs_hold_what_their_limit_allows() {
    let _alone = alone();
    for role in BOTH {
        for (frame, read) in [(65_535, 65_535), (100, 1), (5_000, 1_000)] {
            for (delivery, limit) in [(Delivery::Messages, LIMIT), (Delivery::Chunks, CHUNK)] {
                check_peak(&format!("a bomb by {read}"), limit, move || {
                    let config = limited().with_delivery(delivery);
                    let mut bomb = towards(role, &bomb(16 * LIMIT, frame));
                    let mut conn = connection(role, &config.with_deflate(Params::default()));
                    move || {
                        let mut reads = bomb.chunks_mut(read);
                        let failed = reads.find_map(|read| receive(&mut conn, read).err());
                        assert_eq!(failed, Some(ProtocolError::MessageTooLarge));
                    }
                });
            }
        }
    }
}

/// S-03: frames that begin again and again, byte by byte, each with a longer header than it needs bytes.
#[test]
fn trickled_headers_hold_nothing() {
    let _alone = alone();
    for role in BOTH {
        check_peak("headers", 0, move || {
            let frames = towards(role, &hex("82 7e 007e 07*126 82 01 07 89 00 8a 00"));
            let mut read = frames.clone();
            let mut conn = fresh(role);
            move || pour(&mut conn, &frames, &mut read, 1, 200_000).expect("legal")
        });
    }
}

/// Feeds a head to both readers, in pieces of `size`; returns what they make of it.
fn read_head(head: &[u8], size: usize, request: bool) -> Result<bool, HandshakeError> {
    let limits = HeadLimits::default();
    let mut requests = RequestReader::new(limits);
    let mut responses = ResponseReader::new(limits);
    for piece in head.chunks(size) {
        if !request {
            if let Some((response, _)) = responses.receive(piece)? {
                return Ok(response.status() == 101);
            }
        } else if let Some((request, _)) = requests.receive(piece)? {
            let listed = Server::new().with_subprotocols(["chat", "a", "b"]);
            let chosen = Server::new().with_subprotocol_chooser(|offered| offered.last().copied());
            listed.accept(&request)?;
            return chosen.accept(&request).map(|_| true);
        }
    }
    Ok(false)
}

/// S-03, S-13: heads that are too long, have too many lines, or as many of each as they may.
#[test]
fn heads_hold_what_their_limits_allow() {
    let _alone = alone();
    let limits = HeadLimits::default();
    let needed = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let list = |name: &str, item: &str| {
        let items = item.repeat(15_900 / item.len());
        format!("{needed}{name}: {}\r\n\r\n", items.trim_end_matches(','))
    };
    let heads = [
        ("no end of a line", "a".repeat(1_000_000)),
        ("a long field", format!("a: {}", "b".repeat(1_000_000))),
        ("short fields", "a:\r\n".repeat(200_000)),
        (
            "all fields",
            format!("{needed}{}\r\n", "a:\r\n".repeat(limits.headers - 5)),
        ),
        (
            "long fields",
            format!(
                "{needed}{}\r\n",
                format!("a: {}\r\n", "b".repeat(120)).repeat(120)
            ),
        ),
        ("extensions", list("Sec-WebSocket-Extensions", "a,")),
        ("parameters", list("Sec-WebSocket-Extensions", "a;a;a=1,")),
        (
            "offers",
            list("Sec-WebSocket-Extensions", "permessage-deflate,"),
        ),
        ("subprotocols", list("Sec-WebSocket-Protocol", "a,")),
        ("upgrades", list("Upgrade", "a,")),
    ];
    for (case, rest) in heads {
        for (request, first) in [
            (true, "GET / HTTP/1.1\r\n"),
            (false, "HTTP/1.1 101 Switching Protocols\r\n"),
        ] {
            for size in [1, usize::MAX] {
                let head = format!("{first}{rest}");
                check_peak(case, limits.bytes, move || {
                    move || {
                        let read = read_head(head.as_bytes(), size, request);
                        assert_ne!(read, Ok(false), "it ends one way or the other");
                    }
                });
            }
        }
    }
}

/// S-03: a peer that does not read, and closes while all that may wait does.
#[test]
fn a_full_queue_holds_its_limit() {
    let _alone = alone();
    for role in BOTH {
        for len in [10, 5_000, 100_000] {
            check_peak(&format!("a queue of {len}"), LIMIT + len, move || {
                let message = vec![7; len];
                let mut conn = connection(role, &limited());
                let mut close = towards(role, &hex("89 04 'ping' 88 02 03e8"));
                move || {
                    while conn.buffered() < LIMIT {
                        conn.send_binary(&message).expect("open");
                    }
                    let refused = conn.send_binary(&message);
                    assert_eq!(refused, Err(SendError::QueueFull));
                    receive(&mut conn, &mut close).expect("legal");
                    while conn.buffered() > 0 {
                        let some = conn.buffered().min(1_000);
                        conn.outgoing().advance(some);
                    }
                }
            });
        }
    }
}

/// F-16, S-03: a long block of the pool goes to no connection that needs little of it, whatever is announced and however high
/// the limits are, and never is more than twice the limit.
#[test]
fn long_spare_memory_is_not_given_away_for_little() {
    type Fill = fn(&mut Connection);
    let _alone = alone();
    let cases: [(usize, usize, Fill); 6] = [
        (64 << 20, 0, |conn| {
            let mut announced = [hex("82 7f 00000000 01000000"), vec![7; 300]].concat();
            receive(conn, &mut announced).expect("legal");
        }),
        (LIMIT, 0, |conn| {
            receive(conn, &mut naive::frame(0x02, b"a")).expect("legal");
        }),
        (LIMIT, 0, |conn| {
            receive(conn, &mut hex("89 7d 00*124")).expect("legal");
        }),
        (LIMIT, 2 * LIMIT, |conn| {
            receive(conn, &mut naive::frame(0x02, &vec![7; 400_000])).expect("legal");
        }),
        (LIMIT, 2 * LIMIT, |conn| {
            while conn.send_binary(&[7; 100]).is_ok() {}
        }),
        // The queue and the list of Pings have a short block each.
        (LIMIT, 0, |conn| {
            conn.send_text("Hello").expect("open");
            while conn.ping(&[7; 100]).is_ok() {}
        }),
    ];
    for (limit, most, fill) in cases {
        for spare in [LIMIT / 4, LIMIT, 4 * LIMIT, 16 * LIMIT] {
            let fill_ten = move || {
                let before = held();
                let all: Vec<_> = (0..10)
                    .map(|_| {
                        let mut long = naive::frame(0x82, &vec![7; spare]);
                        let mut other = fresh(Role::Client);
                        for read in long.chunks_mut(spare / 2) {
                            receive(&mut other, read).expect("legal");
                        }
                        let mut conn = connection(Role::Client, &limited_to(limit));
                        fill(&mut conn);
                        conn
                    })
                    .collect();
                let now = held_since(before);
                drop(all);
                now
            };
            // A thread of its own has no other spare memory.
            empty_the_pool();
            let held = thread::spawn(fill_ten).join().expect("no panic");
            let each = (held - spare.cast_signed()) / 10;
            let most = (most + SLACK).cast_signed();
            assert!(each <= most, "{each} bytes where {spare} are to spare");
        }
    }
}

/// S-13: ten thousand connections hold nothing, before and after they have worked; their thread keeps no more than its
/// spare memory, however many they are.
#[test]
fn idle_connections_hold_nothing() {
    let _alone = alone();
    for role in BOTH {
        let frames = towards(
            role,
            &[
                hex("81 05 'Hello' 89 00 01 02 'He' 80 03 'llo'"),
                naive::frame(0x82, &[7; 300]),
            ]
            .concat(),
        );
        let mut read = frames.clone();
        let mut all = Vec::with_capacity(10_000);
        let before = held();
        all.extend((0..10_000).map(|_| fresh(role)));
        assert_eq!(held_since(before), 0, "{role:?}");
        for conn in &mut all {
            read.copy_from_slice(&frames);
            exchange(conn, &mut read);
        }
        let spare = held_since(before);
        assert!(spare <= SPARE, "{spare} bytes in spare, {role:?}");
        all.clear();
        assert_eq!(held_since(before), spare, "all of it is the thread's");
    }
}

/// S-13: nor do a thousand that have exchanged compressed messages without context takeover; their thread keeps the engines
/// of one.
#[test]
fn idle_connections_without_context_hold_nothing() {
    let _alone = alone();
    let params = Params::default()
        .with_server_no_context_takeover(true)
        .with_client_no_context_takeover(true);
    let config = Config::default();
    let message = vec![7; 2_000];
    let open = |role| connection(role, &config.with_deflate(params));
    let mut all: Vec<_> = (0..1_000)
        .map(|_| (open(Role::Client), open(Role::Server)))
        .collect();
    let mut spare = None;
    let before = held();
    for (client, server) in &mut all {
        client.send_binary(&message).expect("open");
        let mut read = common::take(client);
        let mut input = &mut read[..];
        let event = server
            .receive(&mut input)
            .expect("legal")
            .expect("a message");
        assert!(matches!(event, Event::Binary(data) if *data == message));
        drop(read);
        let held = held_since(before);
        assert_eq!(held, *spare.get_or_insert(held));
    }
    let spare = spare.unwrap_or_default();
    let engines = 1 << 19;
    assert!(spare <= SPARE + engines, "{spare} bytes in spare");
}
