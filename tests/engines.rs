//! The engines of a thread, which many connections use in turn: none leaves anything to the next, and few are kept.
#![cfg(feature = "deflate")]

mod common;
mod memory;

use std::thread;

use Symbol::{Literal, Match};
use common::rfc1951::{self, Symbol, Writer};
use common::{BOTH, Random, deflating, hear, naive, peer_of, sent_with, show, take, towards};
use memory::{held, held_since};
use sansocket::deflate::Params;
use sansocket::{CompressionMemory, Config, Connection, Role};

const INVALID: &str = "fails InvalidCompression 1007";

/// Returns a connection whose peer sends without context takeover.
fn forgetful(role: Role) -> Connection {
    deflating(role, sent_with(peer_of(role), true, 15), &Config::default())
}

/// Returns a frame of a message of literals.
fn literals(data: &[u8]) -> Vec<u8> {
    let symbols: Vec<_> = data.iter().copied().map(Literal).collect();
    naive::frame(0xC2, &Writer::default().fixed(false, &symbols).message())
}

/// DD-03, DD-06, S-02: a message without context takeover cannot refer to what the thread's engines were given before, by whatever
/// connection, and however its blocks begin.
#[test]
fn a_message_refers_to_nothing_of_another_connection() {
    let secret = b"the secret of another connection";
    let starts: [fn() -> Writer; 6] = [
        Writer::default,
        || Writer::default().fixed(true, &[]),
        || Writer::default().stored(true, &[]),
        || Writer::default().dynamic(true, &[]),
        || Writer::default().fixed(false, &[]),
        || Writer::default().stored(true, &[]).fixed(true, &[]),
    ];
    let ends: [fn() -> Writer; 3] = [
        Writer::default,
        || Writer::default().fixed(true, &[]),
        || Writer::default().fixed(true, &[Literal(b'x')]),
    ];
    for role in BOTH {
        for (start, before) in starts.iter().flat_map(|s| ends.iter().map(move |e| (s, e))) {
            for distance in [1, 3, secret.len(), secret.len() + 1, 1 << 15] {
                // Another connection was given a message that ends in several ways, and its engine goes to the thread.
                let symbols = secret.map(Literal);
                let message = naive::frame(
                    0xC2,
                    &before().stored(true, &[]).fixed(false, &symbols).message(),
                );
                let mut other = forgetful(role);
                let heard = hear(&mut other, &towards(role, &message));
                assert_eq!(heard.len(), 1, "it is valid: {heard:?}");
                assert!(!heard[0].starts_with("fails"), "{heard:?}");

                let symbols = [Match { len: 3, distance }];
                let message = naive::frame(0xC2, &start().fixed(false, &symbols).message());
                let heard = hear(&mut forgetful(role), &towards(role, &message));
                assert_eq!(heard, [INVALID], "{distance} bytes back, to a {role:?}");
            }
        }
    }
}

/// S-02, DD-02: nor can one of a connection that keeps its window, in its first message, whatever became of the engine's last user:
/// it failed, was dropped within a message, or its message ended with a block.
#[test]
fn a_first_message_refers_to_nothing() {
    let back = |start: Writer| {
        let symbols = [Match {
            len: 3,
            distance: 3,
        }];
        naive::frame(0xC2, &start.fixed(false, &symbols).message())
    };
    let secret = literals(b"the secret of another connection");
    let payload = &secret[2..];
    let mut unfinished = naive::frame(0x42, payload);
    unfinished.truncate(30);
    let broken = [naive::frame(0x42, payload), naive::frame(0x80, &[0x06])].concat();
    let ended = [
        naive::frame(0x42, payload),
        naive::frame(0x80, &[0, 0, 0xFF, 0xFF]),
    ]
    .concat();
    for role in BOTH {
        for frames in [&secret, &unfinished, &broken, &ended] {
            for start in [Writer::default(), Writer::default().fixed(true, &[])] {
                hear(&mut forgetful(role), &towards(role, frames));
                let mut conn = deflating(role, Params::default(), &Config::default());
                let heard = hear(&mut conn, &towards(role, &back(start)));
                assert_eq!(heard, [INVALID]);
            }
        }
    }
}

/// Returns what is held by the engines of a thread, after `count` connections used one at the same time.
fn kept(count: usize, run: impl Fn(usize) -> Vec<Connection> + Send + Sync) -> isize {
    thread::scope(|scope| {
        let measure = || {
            drop(run(1)); // the thread's buffers
            let before = held();
            drop(run(count));
            held_since(before)
        };
        scope.spawn(measure).join().expect("no failure")
    })
}

/// S-13: however many messages are decompressed at the same time, a thread keeps four engines, 78 KiB each.
#[test]
fn a_thread_keeps_four_engines_that_decompress() {
    let message = literals(&[7; 100]);
    let (first, rest) = message[2..].split_at(10);
    let (first, rest) = (naive::frame(0x42, first), naive::frame(0x80, rest));
    let run = |count| {
        let mut all: Vec<_> = (0..count).map(|_| forgetful(Role::Client)).collect();
        for frame in [&first, &rest] {
            for conn in &mut all {
                hear(conn, frame);
            }
        }
        all
    };
    let one = 79 << 10;
    for count in [2, 4, 5, 30] {
        let kept = kept(count, run);
        // One was kept before.
        let engines = isize::try_from(count.min(4) - 1).expect("few");
        // Beside the engines, a thread keeps blocks of its buffers.
        let (least, most) = (engines * (77 << 10), engines * one + (64 << 10));
        assert!(
            (least..=most).contains(&kept),
            "{kept} bytes, {count} engines"
        );
    }
}

/// S-13: the same holds for those that compress, also if no two are alike.
#[test]
fn a_thread_keeps_four_engines_that_compress() {
    let run = |count| {
        (0..count)
            .map(|at| {
                let config = Config::default()
                    .with_compression_level(1 + u8::try_from(at % 9).expect("few"));
                let params = sent_with(
                    Role::Server,
                    true,
                    9 + u8::try_from(at / 9 % 7).expect("few"),
                );
                let mut conn = deflating(Role::Server, params, &config);
                conn.send_binary(&[7; 1_000]).expect("it is open");
                take(&mut conn);
                conn
            })
            .collect()
    };
    let four = kept(4, run);
    for count in [5, 30] {
        let kept = kept(count, run);
        let (least, most) = (3 * (160 << 10), four + (64 << 10));
        assert!(
            (least..=most).contains(&kept),
            "{kept} bytes, {count} engines"
        );
    }
}

/// A way to compress.
#[derive(Clone, Copy, Debug)]
struct Way {
    level: u8,
    window_bits: u8,
    forgets: bool,
    history: Option<u8>,
}

impl Way {
    fn any(random: &mut Random) -> Self {
        Self {
            level: [1, 6, 9][random.below(3)],
            window_bits: [9, 10, 15][random.below(3)],
            forgets: random.below(2) == 0,
            history: [None, Some(8), Some(12)][random.below(3)],
        }
    }

    fn sender(self) -> Connection {
        let params = sent_with(Role::Server, self.forgets, self.window_bits);
        let config = Config::default()
            .with_compression_level(self.level)
            .with_compression_memory(
                self.history
                    .map_or(CompressionMemory::Engine, CompressionMemory::History),
            );
        deflating(Role::Server, params, &config)
    }
}

/// DC-01, DC-02, S-08: what a connection sends does not depend on what others of the thread compressed before: it refers to nothing
/// of theirs, and keeps to its own window.
#[test]
fn what_is_compressed_tells_nothing_of_other_connections() {
    let mut random = Random::new(1);
    let words: Vec<_> = (0..20).map(|_| random.bytes(40)).collect();
    let mut senders: Vec<(Way, Connection, Vec<Vec<u8>>)> = Vec::new();
    for _ in 0..150 {
        let at = random.below(12);
        if at >= senders.len() {
            let way = Way::any(&mut random);
            senders.push((way, way.sender(), Vec::new()));
        }
        let at = at.min(senders.len() - 1);
        let (way, sender, sent) = &mut senders[at];
        let message: Vec<u8> = (0..40)
            .flat_map(|_| words[random.below(20)].clone())
            .collect();
        sender.send_binary(&message).expect("it is open");
        let frame = take(sender);
        sent.push(message);

        // A thread of its own has no engines that were used.
        let (way, sent) = (*way, &*sent);
        let alone = || {
            let mut sender = way.sender();
            let frames = sent.iter().map(|message| {
                sender.send_binary(message).expect("it is open");
                take(&mut sender)
            });
            frames.last().expect("one was sent")
        };
        let expected = thread::scope(|scope| scope.spawn(alone).join().expect("no failure"));
        assert!(frame == expected, "{way:?}");

        let frames = naive::parse(&frame);
        let history = if way.forgets {
            Vec::new()
        } else {
            sent[..sent.len() - 1].concat()
        };
        let (data, blocks) = rfc1951::inflate(&frames[0].payload, &history).expect("valid");
        assert_eq!(show(&data), show(sent.last().expect("one was sent")));
        let farthest = blocks.iter().map(|block| block.distance).max();
        assert!(farthest <= Some(1 << way.window_bits), "{way:?}");
    }
}
