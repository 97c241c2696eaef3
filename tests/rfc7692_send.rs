//! What our ends compress, read by a decoder of its own: RFC 7692 §6.1, §7.2.1.
#![cfg(feature = "deflate")]

mod common;

use common::naive::{self, Frame};
use common::rfc1951::{self, Block, TAIL};
use common::{BOTH, Random, deflating, hear, hex, peer_of, sent_with, show, take};
use sansocket::deflate::Params;
use sansocket::{
    Compress, CompressionMemory, Config, Connection, Fin, Message, MessageKind, Role, SendError,
};

/// All that can be agreed on in one direction, and all that can be kept between two messages.
fn setups(role: Role, level: u8) -> Vec<(Params, Config)> {
    let config = |compression_memory| {
        Config::default()
            .with_compression_level(level)
            .with_compression_memory(compression_memory)
    };
    let mut setups = Vec::new();
    for bits in 8..=15 {
        setups.push((
            sent_with(role, true, bits),
            config(CompressionMemory::Engine),
        ));
        for memory in [
            CompressionMemory::Engine,
            CompressionMemory::History(8),
            CompressionMemory::History(15),
        ] {
            setups.push((sent_with(role, false, bits), config(memory)));
        }
    }
    setups
}

fn always(conn: &mut Connection, data: &[u8]) {
    conn.send(Message::from(data).compress(Compress::Always))
        .expect("open");
}

/// A message as it was sent.
#[derive(Debug)]
struct Sent {
    compressed: bool,
    payload: Vec<u8>,
    fragments: Vec<Vec<u8>>,
}

/// Returns the messages that were sent, in which only the first frames of messages have a reserved bit, and that is
/// RSV1.
fn sent(conn: &mut Connection) -> Vec<Sent> {
    sent_of(&take(conn))
}

fn sent_of(bytes: &[u8]) -> Vec<Sent> {
    let mut messages: Vec<Sent> = Vec::new();
    let mut ended = true;
    for Frame {
        fin,
        rsv,
        opcode,
        payload,
        ..
    } in naive::parse(bytes)
    {
        if opcode >= 8 {
            assert_eq!(rsv, 0, "a control frame");
            continue;
        }
        assert_eq!(opcode == 0, !ended, "a message begins behind another");
        if ended {
            assert!(rsv == 0 || rsv == 4);
            messages.push(Sent {
                compressed: rsv == 4,
                payload: Vec::new(),
                fragments: Vec::new(),
            });
        } else {
            assert_eq!(rsv, 0, "a fragment that is not the first");
        }
        let message = messages.last_mut().expect("a message");
        message.payload.extend(&payload);
        message.fragments.push(payload);
        ended = fin;
    }
    assert!(ended);
    messages
}

/// Reads what one end sends, as the other would, with the window that its compressor may refer to.
struct Reader {
    history: Vec<u8>,
    takeover: bool,
    window: usize,
}

impl Reader {
    fn new(params: Params, sender: Role) -> Self {
        Self {
            history: Vec::new(),
            takeover: !params.no_context_takeover(sender),
            window: 1 << params.window_bits(sender),
        }
    }

    /// Returns the message and the blocks that it was made of; no distance may pass the window.
    fn read(&mut self, message: &Sent) -> (Vec<u8>, Vec<Block>) {
        if !message.compressed {
            return (message.payload.clone(), Vec::new());
        }
        let (data, blocks) =
            rfc1951::inflate(&message.payload, &self.history).expect("valid DEFLATE");
        for block in &blocks {
            assert!(block.distance <= self.window, "{block:?}");
        }
        if self.takeover {
            self.history.extend(&data);
            let over = self.history.len().saturating_sub(1 << 15);
            self.history.drain(..over);
        }
        (data, blocks)
    }

    fn read_all(&mut self, messages: &[Sent]) -> Vec<Vec<u8>> {
        messages
            .iter()
            .map(|message| self.read(message).0)
            .collect()
    }
}

/// Data of a kind: chance, text, long runs, and repeats at distances around `window`.
fn data(random: &mut Random, len: usize, window: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(len + 600);
    let kind = random.below(6);
    while data.len() < len {
        match kind {
            0 => data.extend(random.bytes(64)),
            1 => data.extend(random.below(1_000).to_string().bytes()),
            2 => {
                let byte = random.byte();
                data.extend(vec![byte; random.below(600)]);
            }
            3 => data.push(b"ab"[random.below(2)]),
            _ => {
                // Something new, and then something that lies just inside or just outside of the window.
                let new = random.below(if kind == 4 { 40 } else { window / 2 });
                data.extend(random.bytes(new));
                let distance = (window + 40).saturating_sub(random.below(320)).max(1);
                if distance <= data.len() {
                    let start = data.len() - distance;
                    for at in start..start + 3 + random.below(300) {
                        data.push(data[at]);
                    }
                }
            }
        }
    }
    data.truncate(len);
    data
}

/// Sends `data` as a message in fragments of up to `longest` bytes, the last of them empty.
fn send_in_fragments(conn: &mut Connection, mut data: &[u8], longest: usize, random: &mut Random) {
    while !data.is_empty() {
        let (fragment, behind) = data.split_at(data.len().min(1 + random.below(longest)));
        conn.send_fragment(MessageKind::Binary, fragment, Fin::More)
            .expect("open");
        data = behind;
    }
    conn.send_fragment(MessageKind::Binary, &[], Fin::Last)
        .expect("open");
}

/// Sends messages of all kinds, whole and in fragments, and reads them again; returns the farthest distance.
fn farthest_of(
    role: Role,
    params: Params,
    config: &Config,
    rounds: usize,
    longest: usize,
) -> usize {
    let level = config.compression_level;
    let bits = params.window_bits(role);
    let mut random = Random::new(u64::from(level) << 8 | u64::from(bits));
    let mut conn = deflating(role, params, config);
    let mut reader = Reader::new(params, role);
    let mut farthest = 0;
    for round in 0..rounds {
        let len = random.below(longest);
        // Every other one for half of the window: what a compressor keeps is not what it may refer to.
        let data = data(&mut random, len, 1 << (usize::from(bits) - round % 2));
        if random.below(2) == 0 {
            always(&mut conn, &data);
        } else {
            send_in_fragments(&mut conn, &data, 5_000, &mut random);
        }
        for message in sent(&mut conn) {
            let (read, blocks) = reader.read(&message);
            assert!(read == data, "level {level}, {bits} bits, round {round}");
            farthest = blocks.iter().map(|b| b.distance).fold(farthest, usize::max);
        }
    }
    farthest
}

/// DC-05, DC-08, I-11: no match reaches farther than what was agreed on, be it 8 bits, at any level, over messages
/// whole and in fragments, with repeats just inside and outside of the window. Much of the window is in use, which
/// shows that the test sees distances.
#[test]
fn no_match_passes_the_window() {
    for role in BOTH {
        let mut farthest = [0; 16];
        for level in 1..=9 {
            for (params, config) in setups(role, level) {
                let bits = params.window_bits(role);
                let longest = 500 + (1 << bits);
                let of_setup = farthest_of(role, params, &config, 2, longest);
                let farthest = &mut farthest[usize::from(bits)];
                *farthest = of_setup.max(*farthest);
            }
        }
        for bits in 8..=15 {
            let (farthest, window) = (farthest[bits], 1 << bits);
            assert!(farthest <= window, "{bits} bits: {farthest}");
            assert!(farthest > window / 3, "{bits} bits: {farthest}");
        }
    }
}

/// DC-08, I-11: the same for long messages, with the smallest windows and the largest one.
#[test]
fn no_match_of_a_long_message_passes_the_window() {
    for role in BOTH {
        for bits in [8, 9, 15] {
            for level in [1, 4, 9] {
                let config = Config::default().with_compression_level(level);
                let farthest = farthest_of(role, sent_with(role, false, bits), &config, 2, 200_000);
                assert!(farthest <= 1 << bits, "{farthest}");
            }
        }
    }
}

/// DC-01, DC-02, DC-09, DC-11, DF-01, DF-02, DF-06, DF-07: the examples of RFC 7692 §7.2.3 that a compressor like ours
/// makes, byte for byte: one block, the window shared or not, an uncompressed message in between, two fragments,
/// nothing.
#[test]
fn the_examples_of_the_rfc() {
    const HELLO: &str = "f2 48 cd c9 c9 07 00";
    const AGAIN: &str = "f2 00 11 00 00";
    for role in BOTH {
        for (no_takeover, second) in [(false, AGAIN), (true, HELLO)] {
            let mut conn = deflating(role, sent_with(role, no_takeover, 15), &Config::default());
            always(&mut conn, b"Hello");
            conn.send_text("Hello").expect("open"); // too short to be compressed
            always(&mut conn, b"Hello");
            always(&mut conn, b"");
            let messages = sent(&mut conn);
            let payloads: Vec<_> = messages
                .iter()
                .map(|sent| (sent.compressed, show(&sent.payload)))
                .collect();
            let expected = [
                (true, show(&hex(HELLO))),
                (false, show(b"Hello")),
                (true, show(&hex(second))),
                (true, show(&hex("00"))),
            ];
            assert_eq!(payloads, expected);
        }
        let config = Config::default().with_fragment_size(4);
        let mut conn = deflating(role, Params::default(), &config);
        conn.send(Message::from("Hello").compress(Compress::Always))
            .expect("open");
        let frames: Vec<_> = naive::parse(&take(&mut conn))
            .into_iter()
            .map(|frame| (frame.fin, frame.rsv, frame.opcode, frame.payload))
            .collect();
        let expected = [
            (false, 4, 1, hex("f2 48 cd c9")),
            (true, 0, 0, hex("c9 07 00")),
        ];
        assert_eq!(frames, expected);
    }
}

/// DC-01, DC-02, DC-03, DC-09: every message is DEFLATE data that ends behind the tail. None of its blocks has BFINAL,
/// so there is none to fill up with zero bits.
#[test]
fn a_message_is_a_sequence_of_blocks() {
    let mut random = Random::new(1);
    for role in BOTH {
        for level in [1, 6, 9] {
            for (params, config) in setups(role, level) {
                let mut conn = deflating(role, params, &config);
                let mut reader = Reader::new(params, role);
                for len in [0, 1, 2, 3, 5, 258, 259, 3_000, 0, 0, 1] {
                    let data = data(&mut random, len, 512);
                    always(&mut conn, &data);
                    let messages = sent(&mut conn);
                    let (read, blocks) = reader.read(&messages[0]);
                    assert!(messages[0].compressed && read == data, "{len}");
                    let last = blocks.last().expect("a block");
                    assert!(last.kind == 0 && blocks.iter().all(|block| !block.last));
                    assert!(!messages[0].payload.ends_with(&TAIL));
                    if len == 0 {
                        assert_eq!(messages[0].payload, [0]);
                    }
                }
            }
        }
    }
}

/// DC-04, DF-06: the tail is removed where the message ends and nowhere else: the fragments together are the message,
/// and each that the application made ends with a tail of its own, so that it can be read at once.
#[test]
fn the_tail_is_removed_at_the_end_only() {
    for role in BOTH {
        for (params, config) in setups(role, 6) {
            let mut conn = deflating(role, params, &config);
            let mut reader = Reader::new(params, role);
            for parts in [
                &["He", "llo"][..],
                &["Hello", "Hello", "Hello"],
                &["", "Hello", "", "", "Hello"],
                &["Hello", ""],
                &["", ""],
                &["Hello"],
            ] {
                for (i, part) in parts.iter().enumerate() {
                    let fin = if i + 1 < parts.len() {
                        Fin::More
                    } else {
                        Fin::Last
                    };
                    conn.send_fragment(MessageKind::Text, part.as_bytes(), fin)
                        .expect("open");
                }
                let messages = sent(&mut conn);
                let (last, others) = messages[0].fragments.split_last().expect("a fragment");
                for (part, fragment) in parts.iter().zip(others) {
                    assert!(
                        part.is_empty() || fragment.ends_with(&TAIL),
                        "{fragment:x?}"
                    );
                }
                assert!(!last.ends_with(&TAIL) && messages.len() == 1);
                assert_eq!(reader.read(&messages[0]).0, parts.concat().as_bytes());
            }
        }
        // Frames that the application does not see.
        for size in 1..=9 {
            let config = Config::default().with_fragment_size(size);
            let mut conn = deflating(role, Params::default(), &config);
            let mut whole = deflating(role, Params::default(), &Config::default());
            for data in [&[0; 300][..], b"Hello", b""] {
                always(&mut conn, data);
                always(&mut whole, data);
                let (parts, whole) = (sent(&mut conn), sent(&mut whole));
                assert_eq!(parts[0].payload, whole[0].payload);
                let most = usize::try_from(size).expect("small");
                assert!(
                    parts[0]
                        .fragments
                        .iter()
                        .all(|fragment| fragment.len() <= most)
                );
            }
        }
    }
}

/// DC-06, DP-02, DP-09, DP-23: an end that agreed to forget begins each message with an empty window, whatever came
/// before; what the other end agreed to does not matter.
#[test]
fn an_end_without_takeover_forgets() {
    let data = data(&mut Random::new(2), 3_000, 1 << 15);
    for role in BOTH {
        for bits in 8..=15 {
            let params = sent_with(role, true, bits);
            let mut conn = deflating(role, params, &Config::default());
            always(&mut conn, &data);
            let first = sent(&mut conn).remove(0).payload;
            for before in [&b"Hello"[..], b"", &data] {
                always(&mut conn, before);
                send_in_fragments(&mut conn, before, 100, &mut Random::new(3));
                sent(&mut conn);
                always(&mut conn, &data);
                let message = sent(&mut conn).remove(0);
                assert_eq!(message.payload, first);
                assert_eq!(rfc1951::inflate(&first, &[]).expect("valid").0, data);
            }
        }
        let mut conn = deflating(role, sent_with(peer_of(role), true, 8), &Config::default());
        always(&mut conn, &data);
        always(&mut conn, &data);
        let [first, second] = &sent(&mut conn)[..] else {
            panic!("two messages");
        };
        assert!(second.payload.len() < first.payload.len() / 4);
        assert!(rfc1951::inflate(&second.payload, &[]).is_err());
    }
}

/// DC-07, DP-10, DD-02: an end that may take its window over can leave it, message by message: what it sends as it is,
/// is not part of it. A client that forgets, as it hinted, is understood by a server that did not agree to it.
#[test]
fn takeover_is_no_duty() {
    for role in BOTH {
        let mut conn = deflating(role, Params::default(), &Config::default());
        let mut reader = Reader::new(Params::default(), role);
        let messages = [
            ("first", true),
            ("other", false),
            ("other", true),
            ("first", true),
        ];
        for (text, compressed) in messages {
            let compress = if compressed {
                Compress::Always
            } else {
                Compress::Never
            };
            conn.send(Message::from(text).compress(compress))
                .expect("open");
            let message = sent(&mut conn).remove(0);
            assert_eq!(message.compressed, compressed);
            assert_eq!(reader.read(&message).0, text.as_bytes());
        }
        let mut forgetful = deflating(role, sent_with(role, true, 9), &Config::default());
        let mut peer = deflating(peer_of(role), Params::default(), &Config::default());
        for text in ["Hello", "Hello", "", "Hello"] {
            forgetful
                .send(Message::from(text).compress(Compress::Always))
                .expect("open");
            let bytes = take(&mut forgetful);
            assert_eq!(hear(&mut peer, &bytes), [format!("text {text:?}")]);
        }
    }
}

/// DC-10, T-07: what was compressed in vain, or was refused, leaves nothing behind in the window.
#[test]
fn what_is_not_sent_compressed_leaves_no_trace() {
    let mut random = Random::new(4);
    for role in BOTH {
        for (params, config) in setups(role, 6) {
            let config = config.with_outgoing_limit(1);
            let mut conn = deflating(role, params, &config);
            let mut reader = Reader::new(params, role);
            for _ in 0..5 {
                // Chance gets no shorter.
                let chance = random.bytes(1_000);
                conn.send_binary(&chance).expect("open");
                // The queue is full.
                let refused = conn.send(Message::from(&chance[..500]).compress(Compress::Always));
                assert_eq!(refused.expect_err("full").error, SendError::QueueFull);
                let refused = conn.send_fragment(MessageKind::Binary, &chance, Fin::More);
                assert_eq!(refused, Err(SendError::QueueFull));
                let messages = sent(&mut conn);
                assert_eq!(reader.read_all(&messages), std::slice::from_ref(&chance));
                // With takeover there is no way back.
                let takeover = !params.no_context_takeover(role);
                assert_eq!(messages[0].compressed, takeover);

                let refused = conn.send_fragment(MessageKind::Text, &[b'a', 0xFF], Fin::More);
                assert_eq!(refused, Err(SendError::InvalidUtf8));
                let refused = conn.send_fragment(
                    MessageKind::Text,
                    "\u{e9}".as_bytes().split_at(1).0,
                    Fin::Last,
                );
                assert_eq!(refused, Err(SendError::InvalidUtf8));
                conn.send_fragment(MessageKind::Binary, &chance[..9], Fin::More)
                    .expect("open");
                let mut messages = take(&mut conn);
                let refused = conn.send(Message::from(&chance[..]).compress(Compress::Always));
                assert_eq!(
                    refused.expect_err("begun").error,
                    SendError::MessageInProgress
                );
                let refused = conn.send_fragment(MessageKind::Text, b"text", Fin::Last);
                assert_eq!(refused, Err(SendError::MessageInProgress));
                conn.send_fragment(MessageKind::Binary, &chance[..], Fin::Last)
                    .expect("open");
                messages.extend(take(&mut conn));
                let data = [&chance[..9], &chance].concat();
                assert_eq!(reader.read_all(&sent_of(&messages)), [data]);
            }
        }
    }
}

/// DF-01, DF-02, DF-05, DF-09: RSV1 stands on the first frame of a compressed message, which has the opcode of the
/// message, and nowhere else: control frames between the fragments are as they always are.
#[test]
fn only_the_first_frame_of_a_message_is_marked() {
    for role in BOTH {
        for kind in [MessageKind::Text, MessageKind::Binary] {
            let opcode = if kind == MessageKind::Text { 1 } else { 2 };
            let mut conn = deflating(role, Params::default(), &Config::default());
            let mut bytes = Vec::new();
            for fin in [Fin::More, Fin::More, Fin::Last] {
                conn.send_fragment(kind, b"Hello", fin).expect("open");
                bytes.extend(take(&mut conn));
                conn.ping(b"Hello").expect("open");
                bytes.extend(take(&mut conn));
                conn.pong(b"Hello").expect("open");
                bytes.extend(take(&mut conn));
            }
            conn.close(None).expect("open");
            bytes.extend(take(&mut conn));
            let frames = naive::parse(&bytes);
            let heads: Vec<_> = frames
                .iter()
                .map(|frame| (frame.fin, frame.rsv, frame.opcode))
                .collect();
            let control = [(true, 0, 9), (true, 0, 10)];
            let mut expected = vec![(false, 4, opcode)];
            expected.extend(control);
            expected.push((false, 0, 0));
            expected.extend(control);
            expected.push((true, 0, 0));
            expected.extend(control);
            expected.push((true, 0, 8));
            assert_eq!(heads, expected);
            for frame in frames.iter().filter(|frame| frame.opcode > 8) {
                assert_eq!(frame.payload, b"Hello");
            }
        }
    }
}
