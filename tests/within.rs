//! Receiving within a budget: the events are those of `receive`, and no call inflates more than it may.
#![cfg(feature = "deflate")]

mod common;
mod memory;

use Symbol::{Literal, Match};
use bytes::BytesMut;
use common::rfc1951::{Symbol, Writer};
use common::{
    BOTH, Feed, Random, deflating, describe, describe_error, hex, naive, peer_of, run_on,
    sent_with, show, towards,
};
use memory::{held, held_since};
use proptest::prelude::*;
use sansocket::deflate::Params;
use sansocket::{Config, Connection, Delivery, Event, Limits, Received, Role};

const MIB: usize = 1 << 20;

/// What a budget takes in, beside the machine itself.
struct Turns {
    budgets: Vec<usize>,
    at: usize,
}

impl Turns {
    /// Returns the next budget: one byte at the least now and then, so that all ends.
    fn next(&mut self) -> usize {
        self.at += 1;
        match self.budgets.get(self.at % (self.budgets.len() + 1)) {
            Some(&budget) => budget,
            None => 1 + self.at,
        }
    }
}

/// Returns what `conn` says of `pieces` within budgets, the chunks of a message being joined.
fn hear_within(
    mut conn: Connection,
    shared: bool,
    turns: &mut Turns,
    pieces: &[&[u8]],
) -> (Vec<String>, Vec<u8>) {
    let mut heard = Vec::new();
    let mut message = Vec::new();
    let mut bytes = BytesMut::new();
    'pieces: for piece in pieces {
        let mut read = piece.to_vec();
        let mut input = &mut read[..];
        bytes.extend_from_slice(piece);
        loop {
            let before = turns.next();
            let mut budget = before;
            let received = if shared {
                conn.receive_bytes_within(&mut bytes, &mut budget)
            } else {
                conn.receive_within(&mut input, &mut budget)
            };
            match received {
                Ok(Received::Event(Event::Chunk(chunk))) => {
                    assert!(budget <= before);
                    message.extend_from_slice(&chunk.data);
                    if chunk.last {
                        let name = common::name(chunk.kind);
                        heard.push(format!("{name} {}", show(&message)));
                        message.clear();
                    }
                }
                Ok(Received::Event(event)) => heard.push(describe(&event)),
                Ok(Received::Again) => assert_eq!(budget, 0, "of {before} bytes"),
                Ok(Received::Wanting) => {
                    assert!(shared && bytes.is_empty() || input.is_empty() && !shared);
                    break;
                }
                Err(error) => {
                    heard.push(describe_error(error));
                    break 'pieces;
                }
            }
        }
    }
    (heard, common::take(&mut conn))
}

/// Returns the payload of a compressed message that means something more often than not.
fn compressed(random: &mut Random) -> Vec<u8> {
    let mut writer = Writer::default();
    for _ in 0..=random.below(3) {
        let text = &b"abc\xC3\xA9defgh\xE2\x82\xAC"[..];
        let mut symbols: Vec<_> = text.iter().copied().map(Literal).collect();
        symbols.truncate([symbols.len(), 3, 5][random.below(3)]);
        for _ in 0..random.below(40) {
            symbols.push(Match {
                len: 3 + random.below(256),
                distance: 1 + random.below(3),
            });
        }
        let last = random.below(4) == 0;
        writer = match random.below(3) {
            0 => writer.stored(last, text),
            1 => writer.fixed(last, &symbols),
            _ => writer.dynamic(last, &symbols),
        };
    }
    writer.message()
}

/// Returns frames without masks: compressed messages in one frame or in several, and others between.
fn frames(random: &mut Random, count: usize) -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..count {
        let opcode = 0x41 + u8::from(random.below(3) > 0);
        let payload = compressed(random);
        match random.below(5) {
            0 => frames.extend(hex("81 02 'hi' 82 03 00 01 02")),
            1 => frames.extend(hex("89 04 'ping' c1 01 00")),
            2 => {
                let size = 1 + random.below(payload.len());
                let mut first = opcode;
                for fragment in payload.chunks(size) {
                    frames.extend(naive::frame(first, fragment));
                    frames.extend(hex(["", "8a 01 'p'"][random.below(2)]));
                    first = 0;
                }
                frames.extend(hex("80 00"));
            }
            _ => frames.extend(naive::frame(0x80 | opcode, &payload)),
        }
    }
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    /// DD-09, F-14, S-09: whatever comes, legal or not, neither budgets nor cuts change what is heard and answered.
    #[test]
    fn no_budget_changes_what_is_heard(
        seed: u64,
        server: bool,
        takeover: bool,
        count in 0_usize..5,
        flip in prop_oneof![3 => Just(0_u8), 1 => any::<u8>()],
        at in any::<prop::sample::Index>(),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        budgets in prop::collection::vec(prop_oneof![0_usize..3, 0_usize..600], 0..6),
        limit in prop::sample::select(vec![100, 2_000, 1 << 20]),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let mut bytes = towards(role, &frames(&mut Random::new(seed), count));
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        let params = sent_with(peer_of(role), !takeover, 15);
        let limits = Limits::default().with_message(limit);
        let config = Config::default().with_limits(limits);
        let fresh = |config: &Config| deflating(role, params, config);
        let expected = run_on(fresh, config, Feed::Slice, [&bytes[..]]);

        let mut at: Vec<_> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<_> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            for shared in [false, true] {
                let conn = fresh(&config.with_delivery(delivery));
                let mut turns = Turns { budgets: budgets.clone(), at: 0 };
                let (events, wrote) = hear_within(conn, shared, &mut turns, &pieces);
                prop_assert_eq!(&events, &expected.events, "{:?} {} {:?}", delivery, shared, at);
                prop_assert_eq!(&wrote, &expected.wrote);
            }
        }
    }
}

/// Returns the frame of a compressed message of `len` zeros, or a few more.
fn bomb(len: usize) -> Vec<u8> {
    let zeros = Match {
        len: 258,
        distance: 1,
    };
    let mut symbols = vec![Literal(0)];
    symbols.resize(1 + len.div_ceil(258), zeros);
    naive::frame(0xC2, &Writer::default().dynamic(false, &symbols).message())
}

/// S-09, DD-08: a message of 63 MiB in 94 KiB comes out as the budget says, no more in one call, and takes memory as it comes.
#[test]
fn a_bomb_costs_its_budget_each_call() {
    let frame = bomb(63 * MIB);
    assert!(frame.len() < 100 << 10, "{} bytes", frame.len());
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for budget in [100_000, MIB] {
            let config = Config::default().with_delivery(delivery);
            let mut read = frame.clone();
            let mut input = &mut read[..];
            let mut conn = deflating(Role::Client, Params::default(), &config);
            let before = held();
            let mut calls = 0;
            let mut out = 0;
            let mut len = 0;
            let ended = loop {
                let mut left = budget;
                let received = conn.receive_within(&mut input, &mut left);
                calls += 1;
                out += budget - left;
                let most = if delivery == Delivery::Chunks {
                    MIB
                } else {
                    2 * out + MIB
                };
                assert!(
                    held_since(before) < most.cast_signed(),
                    "behind {out} bytes"
                );
                match received {
                    Ok(Received::Event(Event::Chunk(chunk))) => {
                        len += chunk.data.len();
                        if chunk.last {
                            break Ok(());
                        }
                    }
                    Ok(Received::Event(Event::Binary(data))) => {
                        len = data.len();
                        break Ok(());
                    }
                    Ok(Received::Again) => assert_eq!(left, 0),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break Err(error),
                }
            };
            assert_eq!(ended, Ok(()));
            assert!(len > 63 * MIB, "{len} bytes");
            assert_eq!(out, len, "each byte counts once");
            assert!(calls >= len / budget, "{calls} calls");
        }
    }
}

/// S-09: a budget of nothing is enough for all that is not compressed, and for compressed messages of nothing.
#[test]
fn only_inflated_bytes_cost_a_budget() {
    let frames =
        hex("81 02 'hi' 01 01 'a' 89 01 'b' 80 01 'c' c1 00 82 7e 01 00 07*256 c1 03 f2 00 00");
    for role in BOTH {
        let mut read = towards(role, &frames);
        let mut input = &mut read[..];
        let mut conn = deflating(role, Params::default(), &Config::default());
        let mut heard = Vec::new();
        let mut budget = 0;
        loop {
            match conn.receive_within(&mut input, &mut budget) {
                Ok(Received::Event(event)) => heard.push(describe(&event)),
                other => {
                    assert_eq!(other, Ok(Received::Again));
                    break;
                }
            }
        }
        let expected = [
            "text \"hi\"",
            "ping \"b\"",
            "text \"ac\"",
            "text \"\"",
            "binary 07*256",
        ];
        assert_eq!(heard, expected);
        assert!(!input.is_empty(), "it is left to the caller");
        budget = 2;
        let received = conn.receive_within(&mut input, &mut budget);
        let Ok(Received::Event(event)) = received else {
            panic!("{received:?}");
        };
        assert_eq!(describe(&event), "text \"H\"");
        assert_eq!((budget, input.len()), (1, 0));
    }
}

/// F-14: `receive` goes on where a budget was used up, and a half alone keeps to budgets, too.
#[test]
fn ways_to_receive_may_be_mixed() {
    let frame = bomb(10_000);
    let config = Config::default();
    let conn = deflating(Role::Client, Params::default(), &config);
    let (mut half, _) = conn.split();
    let mut read = frame.clone();
    let mut input = &mut read[..];
    let mut budget = 9_000;
    let received = half.receive_within(&mut input, &mut budget);
    assert_eq!(received, Ok(Received::Again));
    let event = half.receive(&mut input).expect("it is valid");
    let Some(Event::Binary(data)) = event else {
        panic!("{event:?}");
    };
    assert!(data.len() > 10_000);
    let mut shared = BytesMut::from(&frame[..]);
    for mut budget in [0, 1] {
        let received = half.receive_bytes_within(&mut shared, &mut budget);
        assert_eq!(received, Ok(Received::Again));
    }
    let event = half
        .receive_bytes(&mut shared)
        .expect("it is valid")
        .expect("all has come");
    assert_eq!(event, Event::Binary(data));
    let received = half.receive_bytes_within(&mut shared, &mut 0);
    assert_eq!(received, Ok(Received::Wanting));
}

/// DD-06, DC-03: a message that ends with a block is complete where its budget ends with it, too.
#[test]
fn a_budget_may_end_with_the_last_block() {
    let mut conn = deflating(Role::Client, Params::default(), &Config::default());
    let mut read = hex("c1 07 f3 48 cd c9 c9 07 00");
    let mut input = &mut read[..];
    let received = conn.receive_within(&mut input, &mut 5);
    assert_eq!(received, Ok(Received::Again));
    let received = conn.receive_within(&mut input, &mut 0);
    assert_eq!(received, Ok(Received::Again), "more could come out");
    let Ok(Received::Event(event)) = conn.receive_within(&mut input, &mut 1) else {
        panic!("it is complete");
    };
    assert_eq!(describe(&event), "text \"Hello\"");
}

/// S-09: whether a message costs too much is told from all that came out of its first 16 KiB, however little that the budget lets
/// out at a time.
#[test]
fn no_budget_makes_a_message_cost_more() {
    // Behind 80 KiB of which 1,024 bytes have to come out, and a few more than that do with the last match.
    let empty = Writer::default().stored(false, &[]).cut();
    let few: Vec<_> = core::iter::once(Literal(b'x'))
        .chain(
            [Match {
                len: 258,
                distance: 1,
            }; 4],
        )
        .collect();
    let start = empty.repeat((80 << 10) / empty.len() - 2);
    let rest = Writer::default().fixed(false, &[]).fixed(false, &few);
    let frame = [start, rest.message()].concat();
    let frame = naive::frame(0xC2, &frame);
    let config = Config::default().with_delivery(Delivery::Chunks);
    for budget in [1, 7, 100, 258, 1_000, 10_000] {
        let conn = deflating(Role::Client, Params::default(), &config);
        let mut turns = Turns {
            budgets: vec![budget; 1_000],
            at: 0,
        };
        let (heard, _) = hear_within(conn, false, &mut turns, &[&frame]);
        let expected = format!("binary {}", show(&[b'x'; 1_033]));
        assert_eq!(heard, [expected], "by {budget}");
    }
}
