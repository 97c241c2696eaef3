//! Compressed messages as they may come from a peer, written by an encoder of its own: RFC 7692 §6.2, §7.2.2.
#![cfg(feature = "deflate")]

mod common;

use Symbol::{Literal, Match};
use common::naive::frame;
use common::rfc1951::{self, Symbol, Writer, expand};
use common::{BOTH, Feed, Random, deflating, hex, peer_of, run, run_on, sent_with, show, towards};
use sansocket::deflate::Params;
use sansocket::{Config, Delivery, Limits, Role};

/// A compressed text and binary message in one frame, and in the first of several.
const TEXT: u8 = 0xC1;
const BINARY: u8 = 0xC2;
const FIRST: u8 = 0x42;
/// A fragment, and the last one.
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

const INVALID: &str = "fails InvalidCompression 1007";
const RESERVED: &str = "fails ReservedBits 1002";

/// The farthest that a match can reach.
const WINDOW: usize = 1 << 15;

/// Returns what `role` hears of frames that come `step` bytes at a time, whichever way it is handed them.
fn hear_in(role: Role, params: Params, config: Config, frames: &[u8], step: usize) -> Vec<String> {
    let bytes = towards(role, frames);
    let mut heard = Feed::ALL.map(|feed| {
        run_on(
            |config| deflating(role, params, config),
            config,
            feed,
            bytes.chunks(step),
        )
        .events
    });
    for other in &heard[1..] {
        assert_eq!(heard[0], *other, "by {step}");
    }
    core::mem::take(&mut heard[0])
}

/// Returns what `role` hears of frames, however they are handed over and cut.
fn hear_with(role: Role, params: Params, config: Config, frames: &[u8]) -> Vec<String> {
    let heard = hear_in(role, params, config, frames, usize::MAX);
    for step in [1, 7, 1_000] {
        if frames.len() < 2_000 * step {
            assert_eq!(hear_in(role, params, config, frames, step), heard);
        }
    }
    heard
}

fn hear(role: Role, frames: &[u8]) -> Vec<String> {
    hear_with(role, Params::default(), Config::default(), frames)
}

fn binary(data: &[u8]) -> String {
    format!("binary {}", show(data))
}

fn literals(text: &[u8]) -> Vec<Symbol> {
    text.iter().copied().map(Literal).collect()
}

/// Returns a message of `len` bytes that do not resemble each other, and these bytes.
fn chance(random: &mut Random, len: usize) -> (Writer, Vec<u8>) {
    let data = random.bytes(len);
    let blocks = data.chunks(60_000);
    let writer = blocks.fold(Writer::default(), |writer, block| {
        writer.stored(false, block)
    });
    (writer, data)
}

/// Returns any blocks, of any type and with or without BFINAL, that refer to `history`, and what they stand for.
fn any_blocks(random: &mut Random, history: &[u8], count: usize) -> (Writer, Vec<u8>) {
    let mut all = history.to_vec();
    let mut writer = Writer::default();
    for _ in 0..count {
        let mut symbols = Vec::new();
        let mut len = all.len();
        for _ in 0..random.below(40) {
            let reach = len.min(WINDOW);
            if reach > 0 && random.below(3) == 0 {
                let distance = match random.below(3) {
                    0 => reach,
                    1 => 1 + random.below(reach.min(9)),
                    _ => 1 + random.below(reach),
                };
                let size = 3 + random.below(256);
                symbols.push(Match {
                    len: size,
                    distance,
                });
                len += size;
            } else {
                symbols.push(Literal(random.byte()));
                len += 1;
            }
        }
        let last = random.below(3) == 0;
        let data = expand(&all, &symbols);
        writer = match random.below(3) {
            0 => writer.stored(last, &data),
            1 => writer.fixed(last, &symbols),
            _ => writer.dynamic(last, &symbols),
        };
        all.extend(data);
    }
    (writer, all.split_off(history.len()))
}

/// DC-11, DD-01, DF-01, DF-05, DF-06, DF-07, DF-08, E-15: the examples of RFC 7692 §7.2.3, byte for byte, in both
/// roles.
#[test]
fn the_examples_of_the_rfc() {
    for (frames, heard) in [
        ("c1 07 f2 48 cd c9 c9 07 00", &["Hello"][..]),
        ("41 03 f2 48 cd 80 04 c9 c9 07 00", &["Hello"]),
        (
            "c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00",
            &["Hello"; 2],
        ),
        (
            "c1 07 f2 48 cd c9 c9 07 00 c1 07 f2 48 cd c9 c9 07 00",
            &["Hello"; 2],
        ),
        (
            "c1 07 f2 48 cd c9 c9 07 00 81 05 'plain' c1 05 f2 00 11 00 00",
            &["Hello", "plain", "Hello"],
        ),
        ("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", &["Hello"]),
        ("c1 08 f3 48 cd c9 c9 07 00 00", &["Hello"]),
        (
            "c1 08 f3 48 cd c9 c9 07 00 00 c1 05 f2 00 11 00 00",
            &["Hello"; 2],
        ),
        ("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", &["Hello"]),
        ("c1 01 00", &[""]),
        (
            "41 0b f2 48 cd c9 c9 07 00 00 00 ff ff 80 01 00",
            &["Hello"],
        ),
    ] {
        let expected: Vec<_> = heard.iter().map(|text| format!("text {text:?}")).collect();
        for role in BOTH {
            assert_eq!(hear(role, &hex(frames)), expected, "{frames}");
        }
    }
}

/// DF-02, DF-03, DF-04, DF-09, X-10: RSV1 fails a connection on a fragment that is not the first, on a control frame,
/// and everywhere if compression was not agreed on; RSV2 and RSV3 always.
#[test]
fn a_misplaced_bit_fails() {
    for role in BOTH {
        for opcode in [0x81, 0x82, 0x01, 0x02] {
            let frames = frame(opcode | 0x40, &[0]);
            let plain = run(
                role,
                Config::default(),
                Feed::Slice,
                [&*towards(role, &frames)],
            );
            assert_eq!(plain.events, [RESERVED]);
            for bits in [0x10, 0x20, 0x30, 0x50, 0x60, 0x70] {
                assert_eq!(hear(role, &frame(opcode | bits, &[0])), [RESERVED]);
            }
        }
        for first in [0xC8, 0xC9, 0xCA] {
            assert_eq!(hear(role, &frame(first, &[])), [RESERVED]);
            for begun in [FIRST, 0x02] {
                let frames = [frame(begun, &[0]), frame(first, &[])].concat();
                assert_eq!(hear(role, &frames), [RESERVED]);
            }
        }
        for begun in [FIRST, 0x02] {
            for continued in [MORE | 0x40, LAST | 0x40] {
                let frames = [frame(begun, &[0]), frame(continued, &[0])].concat();
                assert_eq!(hear(role, &frames), [RESERVED]);
            }
        }
    }
}

/// DF-06, DF-08, DF-09: a compressed message is cut anywhere, into frames of nothing, too; control frames between the
/// fragments are not compressed and change nothing.
#[test]
fn a_compressed_message_is_cut_anywhere() {
    let (writer, data) = any_blocks(&mut Random::new(1), &[], 6);
    let payload = writer.message();
    let hello = hex("f2 48 cd c9 c9 07 00");
    for role in BOTH {
        for at in 0..=hello.len() {
            for and in at..=hello.len() {
                let frames = [
                    frame(0x41, &hello[..at]),
                    frame(0x89, b"ping"),
                    frame(MORE, &[]),
                    frame(MORE, &hello[at..and]),
                    frame(0x8A, &hello),
                    frame(LAST, &hello[and..]),
                    frame(TEXT, &hex("f2 00 11 00 00")),
                ];
                let pong = format!("pong {}", show(&hello));
                let expected = ["ping \"ping\"", &pong, "text \"Hello\"", "text \"Hello\""];
                assert_eq!(hear(role, &frames.concat()), expected, "{at} {and}");
            }
        }
        for size in [1, 2, 3, 50] {
            let mut frames = frame(FIRST, &[]);
            for fragment in payload.chunks(size) {
                frames.extend(frame(MORE, fragment));
            }
            frames.extend(frame(LAST, &[]));
            assert_eq!(hear(role, &frames), [binary(&data)]);
        }
    }
}

/// DD-09, DC-02, DD-01, DD-05: messages of blocks of any kind, one after the other, mean the same wherever they are
/// cut: once at each byte, and into pieces of each size.
#[test]
fn cuts_mean_nothing() {
    for (seed, role) in (0..4).zip(BOTH.into_iter().cycle()) {
        let mut random = Random::new(seed);
        let mut history = Vec::new();
        let mut frames = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..3 {
            let (writer, data) = any_blocks(&mut random, &history, 2);
            frames.extend(frame(BINARY, &writer.message()));
            expected.push(binary(&data));
            history.extend(data);
        }
        for step in (1..40).chain([usize::MAX]) {
            let heard = hear_in(role, Params::default(), Config::default(), &frames, step);
            assert_eq!(heard, expected, "{seed} by {step}");
        }
        let bytes = towards(role, &frames);
        for at in 0..bytes.len() {
            for feed in Feed::ALL {
                let (start, end) = bytes.split_at(at);
                let heard = run_on(
                    |config| deflating(role, Params::default(), config),
                    Config::default(),
                    feed,
                    [start, end],
                );
                assert_eq!(heard.events, expected, "{seed} at {at}, {feed:?}");
            }
        }
    }
}

/// DD-02, DD-04, DP-10, DP-15, DP-21: a message may refer to those before, as far as a window of 32 KiB reaches,
/// uncompressed ones not counted, if the peer did not agree to forget; that the other end did does not matter.
#[test]
fn a_message_refers_to_those_before() {
    for role in BOTH {
        let agreed = [
            Params::default(),
            // Our own compressor.
            sent_with(role, true, 9),
        ];
        for params in agreed {
            let mut random = Random::new(2);
            let (first, data) = chance(&mut random, WINDOW - 300);
            let (second, more) = chance(&mut random, 300);
            let reach = |distance| {
                Writer::default()
                    .fixed(false, &[Match { len: 258, distance }])
                    .message()
            };
            for distance in [1, 3, 300, 301, WINDOW - 1, WINDOW] {
                let frames = [
                    frame(BINARY, &first.clone().message()),
                    frame(0x82, b"between"),
                    frame(BINARY, &second.clone().message()),
                    frame(BINARY, &reach(distance)),
                ];
                let all = [&data[..], &more].concat();
                let third = expand(&all, &[Match { len: 258, distance }]);
                let expected = [&data[..], b"between", &more, &third].map(binary);
                let heard = hear_with(role, params, Config::default(), &frames.concat());
                assert_eq!(heard, expected, "{distance}");
            }
        }
    }
}

/// DD-03, DD-06, DC-06, DP-23: if the peer agreed to forget, a message that refers to the one before fails.
#[test]
fn a_message_without_takeover_refers_to_nothing() {
    let hello = frame(TEXT, &hex("f2 48 cd c9 c9 07 00"));
    let again = frame(TEXT, &hex("f2 00 11 00 00"));
    let text = "text \"Hello\"";
    for role in BOTH {
        let params = sent_with(peer_of(role), true, 15);
        let hear = |frames: &[&[u8]]| hear_with(role, params, Config::default(), &frames.concat());
        assert_eq!(hear(&[&hello, &hello]), [text, text]);
        assert_eq!(hear(&[&hello, &again]), [text, INVALID]);
        let last = frame(TEXT, &hex("f3 48 cd c9 c9 07 00 00"));
        assert_eq!(hear(&[&last, &again]), [text, INVALID]);
        let empty = frame(TEXT, &[]);
        assert_eq!(
            hear(&[&hello, &empty, &again]),
            [text, "text \"\"", INVALID]
        );
        // Within a message it may.
        let symbols = [
            literals(b"Hello"),
            vec![Match {
                len: 5,
                distance: 5,
            }],
        ]
        .concat();
        let twice = Writer::default().fixed(false, &symbols).message();
        assert_eq!(hear(&[&frame(TEXT, &twice)]), ["text \"HelloHello\""]);
    }
}

/// DD-04, DD-10, DP-14, I-11: whatever window was agreed on, all distances up to 32 KiB are understood: there are peers
/// that agree to 8 bits and use 9.
#[test]
fn a_smaller_window_is_not_enforced() {
    let (writer, data) = chance(&mut Random::new(3), WINDOW);
    for role in BOTH {
        for bits in 8..=15 {
            for distance in [1 << bits, (1_usize << bits) + 1, 512, WINDOW] {
                let distance = distance.min(WINDOW);
                let symbols = [Match { len: 3, distance }];
                let payload = writer.clone().fixed(false, &symbols).message();
                let heard = hear_in(
                    role,
                    sent_with(peer_of(role), false, bits),
                    Config::default(),
                    &frame(BINARY, &payload),
                    usize::MAX,
                );
                let expected = [&data[..], &expand(&data, &symbols)].concat();
                assert_eq!(heard, [binary(&expected)]);
            }
        }
    }
}

/// DC-03, DD-05, DC-02: a block with BFINAL, of any type, ends neither the message nor the window: the next block
/// begins at the next byte, whatever the bits before it are.
#[test]
fn a_last_block_is_not_the_last() {
    let hello = literals(b"Hello");
    let again = [Match {
        len: 5,
        distance: 5,
    }];
    let blocks: [fn(Writer, &[Symbol]) -> Writer; 3] = [
        |writer, symbols| writer.stored(true, &expand(&[], symbols)),
        |writer, symbols| writer.fixed(true, symbols),
        |writer, symbols| writer.dynamic(true, symbols),
    ];
    for role in BOTH {
        for block in blocks {
            let one = block(Writer::default(), &hello);
            let alone = frame(TEXT, &one.clone().message());
            assert_eq!(hear(role, &alone), ["text \"Hello\""]);
            let twice = one.clone().fixed(true, &again).dynamic(true, &again);
            let twice = frame(TEXT, &twice.message());
            let next = frame(TEXT, &Writer::default().fixed(true, &again).message());
            assert_eq!(
                hear(role, &[twice, next].concat()),
                ["text \"HelloHelloHello\"", "text \"Hello\""]
            );
            // An empty one may be all that ends with the tail.
            let mut payload = one.cut();
            payload.push(0x01);
            assert_eq!(hear(role, &frame(TEXT, &payload)), ["text \"Hello\""]);
        }
        // A receiver skips the padding, whatever it is.
        let fixed = Writer::default().header(true, 1);
        let fixed = fixed.code(0x30 + 0x61, 8).code(0, 7).bits(0x3F, 6);
        let payload = fixed
            .fixed(
                true,
                &[Match {
                    len: 3,
                    distance: 1,
                }],
            )
            .message();
        assert_eq!(hear(role, &frame(TEXT, &payload)), ["text \"aaaa\""]);
    }
    // The window, full and not, at all places of a ring.
    for role in BOTH {
        let mut random = Random::new(4);
        for len in [
            1,
            2,
            WINDOW - 1,
            WINDOW,
            WINDOW + 1,
            WINDOW + 5_000,
            3 * WINDOW,
        ] {
            let (writer, data) = chance(&mut random, len);
            let distance = len.min(WINDOW);
            let symbols = [Literal(7), Match { len: 9, distance }];
            let payload = writer
                .fixed(true, &symbols[..1])
                .fixed(true, &symbols[1..])
                .message();
            let expected = [&data[..], &expand(&data, &symbols)].concat();
            let heard = hear(role, &frame(BINARY, &payload));
            assert_eq!(heard, [binary(&expected)], "{len}");
        }
    }
}

/// Checks that a message behind another fails, with anything behind it, for an engine that decides late.
fn check_invalid(what: &str, writer: Writer) {
    let payload = writer.message();
    assert!(rfc1951::inflate(&payload, b"Hello").is_err(), "{what}");
    let hello = frame(TEXT, &hex("f2 48 cd c9 c9 07 00"));
    for role in BOTH {
        for behind in [&[][..], &[0; 12], &[0xFF; 12], &[0x55; 300]] {
            let payload = [&payload, behind].concat();
            let frames = [&hello[..], &frame(TEXT, &payload)].concat();
            assert_eq!(hear(role, &frames), ["text \"Hello\"", INVALID], "{what}");
        }
    }
}

/// DD-06, SC-07: blocks of no type, lengths that do not match, symbols that stand for nothing, distances before the
/// start fail the connection with the code for it; what was heard before stays heard.
#[test]
fn invalid_blocks_fail() {
    let start = Writer::default;
    let far = |distance| Match { len: 3, distance };
    for (what, writer) in [
        ("no type", start().header(false, 3)),
        ("no type, last", start().header(true, 3)),
        (
            "no type behind a block",
            start().fixed(false, &[]).header(false, 3),
        ),
        (
            "no type behind a last one",
            start().fixed(true, &[]).header(false, 3),
        ),
        (
            "other lengths",
            start().header(false, 0).align().bits(5, 16).bits(5, 16),
        ),
        (
            "a bit off",
            start()
                .header(false, 0)
                .align()
                .bits(5, 16)
                .bits(0xFFFB, 16),
        ),
        ("length 286", start().header(false, 1).code(0xC6, 8)),
        ("length 287", start().header(false, 1).code(0xC7, 8)),
        (
            "distance 30",
            start()
                .header(false, 1)
                .code(0x30, 8)
                .code(1, 7)
                .code(30, 5),
        ),
        (
            "distance 31",
            start()
                .header(false, 1)
                .code(0x30, 8)
                .code(1, 7)
                .code(31, 5),
        ),
        ("too far", start().fixed(false, &[far(6)])),
        (
            "too far, dynamic",
            start().dynamic(false, &[Literal(1), far(7)]),
        ),
        (
            "too far behind a last one",
            start()
                .fixed(true, &literals(b"abc"))
                .fixed(false, &[far(9)]),
        ),
    ] {
        check_invalid(what, writer);
    }
}

/// DD-06, SC-07, E-17: so do codes that are not complete, or more than complete, for code lengths, literals and
/// distances; lengths of codes that are too many or repeat nothing; a block that cannot end.
#[test]
fn invalid_codes_fail() {
    let start = Writer::default;
    let full = |len| {
        let mut lengths = vec![0; 257];
        lengths[0] = len;
        lengths[256] = len;
        lengths
    };
    let lengths = |pairs: &[(usize, u8)]| {
        let mut lengths = [0; 19];
        for &(symbol, len) in pairs {
            lengths[symbol] = len;
        }
        lengths
    };
    let code_lengths = |lengths: &[u8; 19]| start().code_lengths(false, 257, 1, lengths);
    let repeat = lengths(&[(0, 1), (16, 1)]);
    let zeros = lengths(&[(1, 1), (18, 1)]);
    let too_long = code_lengths(&zeros).symbol(1, &zeros);
    let too_long = too_long.symbol(18, &zeros).bits(127, 7);
    let endless = [&[1, 1][..], &[0; 255]].concat();
    for (what, writer) in [
        (
            "287 lengths",
            start().header(false, 2).bits(30, 5).bits(0, 5).bits(15, 4),
        ),
        (
            "31 distances",
            start().header(false, 2).bits(0, 5).bits(30, 5).bits(15, 4),
        ),
        ("too many code lengths", code_lengths(&[1; 19])),
        (
            "too few code lengths",
            code_lengths(&lengths(&[(0, 2), (1, 2)])),
        ),
        ("no code lengths", code_lengths(&[0; 19])),
        (
            "nothing to repeat",
            code_lengths(&repeat).symbol(16, &repeat),
        ),
        (
            "too many repetitions",
            too_long.symbol(18, &zeros).bits(127, 7),
        ),
        ("no end", start().codes(false, &endless, &[1])),
        ("too many literals", start().codes(false, &[1; 257], &[1])),
        ("too few literals", start().codes(false, &full(2), &[1])),
        (
            "too many distances",
            start().codes(false, &full(1), &[1, 1, 1]),
        ),
        (
            "too few distances",
            start().codes(false, &full(1), &[2, 2, 2]),
        ),
        (
            "one distance of two bits",
            start().codes(false, &full(1), &[2]),
        ),
    ] {
        check_invalid(what, writer);
    }
}

/// DD-06, E-17: what comes close to invalid data and is valid: one distance of one bit, no distances, as many codes and
/// as long ones as there can be, the farthest distance.
#[test]
fn odd_data_is_valid() {
    // 15 bits at the most: 1, 2, 3, ... 14, 15, 15.
    let mut longest: Vec<u8> = (1..=15).collect();
    longest.resize(256, 0);
    longest.push(15);
    let all = [[9; 60].as_slice(), &[8; 226]].concat();
    let distances = [[4; 2].as_slice(), &[5; 28]].concat();
    let start = Writer::default;
    for (writer, data) in [
        (
            start().dynamic(
                false,
                &[
                    Literal(1),
                    Match {
                        len: 3,
                        distance: 1,
                    },
                ],
            ),
            vec![1; 4],
        ),
        (
            start()
                .codes(false, &longest, &[0])
                .symbol(14, &longest)
                .symbol(256, &longest),
            vec![14],
        ),
        (
            start()
                .codes(true, &longest, &[1])
                .symbol(9, &longest)
                .symbol(256, &longest)
                .align(),
            vec![9],
        ),
        (
            start()
                .codes(false, &all, &distances)
                .symbol(255, &all)
                .symbol(256, &all),
            vec![255],
        ),
        (
            start()
                .stored(false, &[])
                .fixed(false, &[])
                .dynamic(true, &[])
                .stored(true, &[]),
            vec![],
        ),
    ] {
        let payload = writer.message();
        let read = rfc1951::inflate(&payload, &[]).expect("valid").0;
        assert_eq!(read, data);
        for role in BOTH {
            assert_eq!(hear(role, &frame(BINARY, &payload)), [binary(&data)]);
        }
    }
}

/// DD-06, DF-06: a message that is cut short anywhere fails unless the cut is one that a sender could make: at the end of a
/// block, or where a block ends with the tail. A message is never heard in part.
#[test]
fn a_message_cut_short_fails() {
    for (seed, role) in (0..8).zip(BOTH.into_iter().cycle()) {
        let (writer, _) = any_blocks(&mut Random::new(seed), &[], 3);
        let payload = writer.message();
        for len in 1..payload.len() {
            let cut = &payload[..len];
            let heard = hear_in(
                role,
                Params::default(),
                Config::default(),
                &frame(BINARY, cut),
                300,
            );
            let expected = match rfc1951::inflate(cut, &[]) {
                Ok((data, _)) => binary(&data),
                Err(_) => INVALID.into(),
            };
            assert_eq!(heard, [expected], "{seed} {len}");
        }
    }
}

/// Returns the frames of a message, cut before `at`, the last fragment being empty if that is its end.
fn fragments(payload: &[u8], at: usize) -> Vec<u8> {
    let (start, end) = payload.split_at(at);
    [frame(FIRST, start), frame(LAST, end)].concat()
}

/// DD-06, DD-02, DC-03, DF-06: a message that ends with a block is complete, whether that has BFINAL, and with the tail, too;
/// what comes behind it begins at a byte, and may refer to it.
#[test]
fn a_message_that_ends_with_a_block_is_complete() {
    let again = frame(TEXT, &hex("f2 00 11 00 00"));
    let hello = frame(TEXT, &hex("f2 48 cd c9 c9 07 00"));
    let text = "text \"Hello\"";
    for payload in [
        "f3 48 cd c9 c9 07 00",
        "f2 48 cd c9 c9 07 00 00 00 ff ff",
        "00 05 00 fa ff 'Hello'",
        "01 05 00 fa ff 'Hello'",
        "f2 48 cd c9 c9 07 00 00 00 ff ff 00 00 00 ff ff 01 00 00 ff ff",
    ] {
        let message = frame(TEXT, &hex(payload));
        for role in BOTH {
            let heard = hear(role, &[&*message, &again, &message, &hello].concat());
            assert_eq!(heard, [text; 4], "{payload}");
            let forgets = sent_with(peer_of(role), true, 15);
            let heard =
                |frames: &[&[u8]]| hear_with(role, forgets, Config::default(), &frames.concat());
            assert_eq!(heard(&[&message, &message, &hello]), [text; 3]);
            assert_eq!(heard(&[&message, &again]), [text, INVALID]);
        }
    }
    for (seed, role) in (0..12).zip(BOTH.into_iter().cycle()) {
        let mut random = Random::new(seed);
        let mut history = Vec::new();
        let mut frames = Vec::new();
        let mut expected = Vec::new();
        for round in 0..6 {
            let (writer, data) = any_blocks(&mut random, &history, 1 + round % 2);
            let payload = match random.below(3) {
                0 => writer.message(),
                1 => writer.stored(random.below(2) == 0, &[]).cut(),
                _ => writer.cut(),
            };
            let at = random.below(payload.len() + 1);
            frames.extend(match random.below(3) {
                0 => frame(BINARY, &payload),
                1 => fragments(&payload, payload.len()),
                _ => fragments(&payload, at),
            });
            expected.push(binary(&data));
            history.extend(data);
        }
        for step in (1..20).chain([usize::MAX]) {
            let heard = hear_in(role, Params::default(), Config::default(), &frames, step);
            assert_eq!(heard, expected, "{seed} by {step}");
        }
    }
}

/// DD-06: wherever in the last byte a block ends, and whatever the bits behind it are: they are the zeros that fill the byte, or
/// begin another block.
#[test]
fn bits_behind_the_last_block_begin_another() {
    for (count, bits) in (0..8).flat_map(|count| (0..1 << count).map(move |bits| (count, bits))) {
        let literals = vec![Literal(200); 8 - (10 + usize::try_from(count).expect("few")) % 8];
        for history in [&b""[..], b"Hello"] {
            let writer = Writer::default()
                .stored(false, history)
                .fixed(false, &literals);
            let (start, payload) = (writer.clone().cut(), writer.bits(bits, count).cut());
            assert_eq!(start.len(), payload.len(), "they are bits of the last byte");
            let again = Writer::default().fixed(
                false,
                &[Match {
                    len: 3,
                    distance: 1,
                }],
            );
            let frames = [frame(BINARY, &payload), frame(BINARY, &again.message())].concat();
            let expected = match rfc1951::inflate(&payload, &[]) {
                Ok((data, _)) => vec![binary(&data), binary(&[200; 3])],
                Err(_) => vec![INVALID.into()],
            };
            for role in BOTH {
                assert_eq!(hear(role, &frames), expected, "{count} bits {bits:b}");
            }
        }
    }
}

/// DD-07, DC-09, DF-06: compressed messages of no bytes at all are empty and change nothing, in one frame or in
/// several; a message of an empty block is empty, too.
#[test]
fn a_message_of_nothing_is_empty() {
    let hello = frame(TEXT, &hex("f2 48 cd c9 c9 07 00"));
    let again = frame(TEXT, &hex("f2 00 11 00 00"));
    let fragments = [frame(0x41, &[]), frame(MORE, &[]), frame(LAST, &[])].concat();
    let empties = [
        frame(TEXT, &[]),
        fragments,
        frame(TEXT, &[0x00]),
        frame(TEXT, &[0x01]),
        frame(TEXT, &[0x02, 0x00]),
        frame(TEXT, &[0x03, 0x00, 0x00]),
        frame(TEXT, &[0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00]),
    ];
    let (text, nothing) = ("text \"Hello\"", "text \"\"");
    for role in BOTH {
        for one in &empties {
            for other in &empties {
                let frames = [one, other, &hello, one, other, &again].map(Clone::clone);
                assert_eq!(
                    hear(role, &frames.concat()),
                    [nothing, nothing, text, nothing, nothing, text]
                );
            }
        }
    }
}

/// DD-08, SC-08, S-09: what comes out of a message is counted against the limit, at the byte, for each kind of block;
/// what was below it in one message counts for nothing in the next.
#[test]
fn a_message_is_limited_by_what_comes_out() {
    let limits = Limits::default().with_message(1_000);
    let config = Config::default().with_limits(limits);
    let start = Writer::default;
    for role in BOTH {
        for len in [999, 1_000, 1_001, 1_258, 60_000] {
            let mut symbols = vec![Literal(b'x'); len - (len - 1) / 258 * 258];
            symbols.resize(
                symbols.len() + (len - symbols.len()) / 258,
                Match {
                    len: 258,
                    distance: 1,
                },
            );
            let data = vec![b'x'; len];
            for writer in [
                start().stored(false, &data),
                start().stored(true, &data),
                start().fixed(false, &symbols),
                start().dynamic(true, &symbols),
            ] {
                let frames = frame(BINARY, &writer.message());
                let heard = hear_with(role, Params::default(), config, &frames.repeat(2));
                if len <= 1_000 {
                    assert_eq!(heard, [binary(&data), binary(&data)]);
                } else {
                    assert_eq!(heard, ["fails MessageTooLarge 1009"], "{len}");
                }
            }
        }
    }
}

/// DF-05, UT-10: of a compressed text the bytes that come out are checked, and as they come out, not those that come
/// in.
#[test]
fn text_is_checked_as_it_comes_out() {
    let text = "h\u{e9}llo \u{1F600}";
    for role in BOTH {
        for at in 0..=text.len() {
            let (start, end) = text.as_bytes().split_at(at);
            let writer = Writer::default().fixed(true, &literals(start));
            let payload = writer.stored(false, end).message();
            assert_eq!(
                hear(role, &frame(TEXT, &payload)),
                [format!("text {text:?}")]
            );
        }
        for bad in [&b"\xFF"[..], b"\xC3", b"\xC3\xC3\xA9", b"\xED\xA0\x80"] {
            let payload = Writer::default().fixed(false, &literals(bad)).message();
            assert_eq!(
                hear(role, &frame(TEXT, &payload)),
                ["fails InvalidUtf8 1007"]
            );
            assert_eq!(hear(role, &frame(BINARY, &payload)), [binary(bad)]);
        }
    }
}

/// DD-08, DD-09: a message that is far larger than what it comes in is handed on in chunks; the sum is the same.
#[test]
fn chunks_add_up() {
    let mut random = Random::new(5);
    let (writer, data) = chance(&mut random, 1_000);
    let symbols = vec![
        Match {
            len: 258,
            distance: 999
        };
        2_000
    ];
    let expected = [&data[..], &expand(&data, &symbols)].concat();
    let payload = writer.dynamic(false, &symbols).message();
    let config = Config::default().with_delivery(Delivery::Chunks);
    for role in BOTH {
        let bytes = towards(role, &frame(BINARY, &payload));
        for step in [1, 100, 1_001, usize::MAX] {
            for feed in [Feed::Chunks, Feed::ByteChunks] {
                let fresh = |config: &Config| deflating(role, Params::default(), config);
                let heard = run_on(fresh, config, feed, bytes.chunks(step));
                assert_eq!(heard.events, [binary(&expected)]);
            }
        }
    }
}
