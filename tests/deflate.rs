//! Compressed messages: RFC 7692 §6, §7.2.
#![cfg(feature = "deflate")]

mod common;

use bytes::{Buf, Bytes};
use common::rfc1951;
use sansocket::deflate::Params;
use sansocket::{
    Compress, CompressionMemory, Config, Connection, Delivery, Event, Fin, Limits, Message,
    MessageKind, ProtocolError,
};

fn server(params: Params, config: &Config) -> Connection {
    Connection::server(&config.with_deflate(params))
}

fn client(params: Params, config: &Config) -> Connection {
    Connection::client_with_keys(&config.with_deflate(params), || [1, 2, 3, 4])
}

fn take(connection: &mut Connection) -> Bytes {
    let len = connection.buffered();
    connection.outgoing().copy_to_bytes(len)
}

/// Frames as a server sends them, to a client.
fn hear(
    connection: &mut Connection,
    bytes: &[u8],
    step: usize,
) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut messages = Vec::new();
    let mut chunks = Vec::new();
    let mut longest = 0;
    for piece in bytes.chunks(step) {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(event) = connection.receive(&mut input)? {
            match event {
                Event::Text(text) => messages.push(text.as_bytes().to_vec()),
                Event::Binary(data) => messages.push(data.to_vec()),
                Event::Chunk(chunk) => {
                    longest = longest.max(chunk.data.len());
                    chunks.extend_from_slice(&chunk.data);
                    if chunk.last {
                        messages.push(core::mem::take(&mut chunks));
                    }
                }
                _ => {}
            }
        }
    }
    if longest > 64 << 10 {
        messages.push(b"a chunk is too long".to_vec());
    }
    Ok(messages)
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, u8::try_from(payload.len()).expect("a short payload")];
    frame.extend_from_slice(payload);
    frame
}

fn check(bytes: &[u8], expected: &[&str]) {
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for step in 1..=bytes.len() {
            let config = Config::default().with_delivery(delivery);
            let heard = hear(&mut client(Params::default(), &config), bytes, step).expect("valid");
            assert_eq!(
                heard,
                expected
                    .iter()
                    .map(|text| text.as_bytes())
                    .collect::<Vec<_>>(),
                "{step}"
            );
        }
    }
}

/// DC-11, DD-01, DD-09, DF-01, DF-06: the examples of RFC 7692 §7.2.3, cut everywhere.
#[test]
fn the_examples_of_the_rfc() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    check(&frame(0xc1, &hello), &["Hello"]);
    let (a, b) = hello.split_at(3);
    check(&[frame(0x41, a), frame(0x80, b)].concat(), &["Hello"]);
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    check(
        &[frame(0xc1, &hello), frame(0xc1, &again)].concat(),
        &["Hello", "Hello"],
    );
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    check(&frame(0xc1, &stored), &["Hello"]);
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    check(&frame(0xc1, &last), &["Hello"]);
    // The window outlives a block with BFINAL.
    check(
        &[frame(0xc1, &last), frame(0xc1, &again)].concat(),
        &["Hello", "Hello"],
    );
    let two = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    check(&frame(0xc1, &two), &["Hello"]);
    check(
        &[
            frame(0xc1, &hello),
            frame(0x81, b"plain"),
            frame(0xc1, &again),
        ]
        .concat(),
        &["Hello", "plain", "Hello"],
    );
    check(&frame(0xc1, &[0x00]), &[""]);
    check(
        &[frame(0xc1, &hello), frame(0xc1, &[]), frame(0xc1, &again)].concat(),
        &["Hello", "", "Hello"],
    );
}

/// DD-06, SC-07: every way to cut a stream inside of a block fails, and leaves no half a message.
#[test]
fn a_stream_cut_short_fails() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for len in 1..hello.len() {
        let mut client = client(Params::default(), &Config::default());
        let heard = hear(&mut client, &frame(0xc1, &hello[..len]), 100);
        assert_eq!(heard, Err(ProtocolError::InvalidCompression), "{len}");
    }
    let config = Config::default().with_compression_level(9);
    let mut sender = server(Params::default(), &config);
    let text: String = (0..2_000).map(|i| (i * i).to_string() + ",").collect();
    sender.send_text(&text).expect("open");
    let all = take(&mut sender);
    let payload = &all[4..];
    for len in 1..payload.len() {
        let mut receiver = client(Params::default(), &Config::default());
        let mut cut = vec![0xc1, 126];
        cut.extend_from_slice(&u16::try_from(len).expect("short").to_be_bytes());
        let mut cut = if len < 126 {
            vec![0xc1, u8::try_from(len).expect("short")]
        } else {
            cut
        };
        cut.extend_from_slice(&payload[..len]);
        let heard = hear(&mut receiver, &cut, 1_000_000);
        // The last block may end in the byte before the last one: then nothing is missing.
        let ends = len + 1 == payload.len() && rfc1951::inflate(&payload[..len], &[]).is_ok();
        let expected = if ends {
            Ok(vec![text.clone().into_bytes()])
        } else {
            Err(ProtocolError::InvalidCompression)
        };
        assert!(heard == expected, "{len} of {}", payload.len());
    }
}

/// DF-02, DF-03, DF-04, CT-12, SC-06: RSV1 stands on the first frame of a message only, the other bits nowhere.
#[test]
fn reserved_bits_are_checked() {
    for first in [0xa1, 0x91, 0xe1, 0xc8, 0xc9, 0xca] {
        let mut client = client(Params::default(), &Config::default());
        assert_eq!(
            hear(&mut client, &frame(first, &[]), 9),
            Err(ProtocolError::ReservedBits),
            "{first:x}"
        );
    }
    let mut client = client(Params::default(), &Config::default());
    let bytes = [frame(0x41, &[0x00]), frame(0xc0, &[])].concat();
    assert_eq!(
        hear(&mut client, &bytes, 9),
        Err(ProtocolError::ReservedBits)
    );
}

/// T-04, S-08, DC-01, DC-06, DC-07, DC-09, DD-02, DD-03, DD-04: what one end sends the other receives, for all parameters.
#[test]
fn what_one_end_compresses_the_other_decompresses() {
    for compression_memory in [
        CompressionMemory::Engine,
        CompressionMemory::History(8),
        CompressionMemory::History(13),
        CompressionMemory::History(15),
    ] {
        round_trips(compression_memory);
    }
}

fn round_trips(compression_memory: CompressionMemory) {
    let json: String = (0..300)
        .map(|i| i.to_string() + ",\"name\":\"user\",")
        .collect();
    for takeover in [true, false] {
        for bits in 8..=15 {
            for fragment_size in [u32::MAX, 100] {
                for delivery in [Delivery::Messages, Delivery::Chunks] {
                    let params = Params::default()
                        .with_server_no_context_takeover(!takeover)
                        .with_client_no_context_takeover(!takeover)
                        .with_server_max_window_bits(bits)
                        .with_client_max_window_bits(bits);
                    let config = Config::default()
                        .with_fragment_size(fragment_size)
                        .with_delivery(delivery)
                        .with_compression_threshold(0)
                        .with_compression_memory(compression_memory);
                    let (mut server, mut client) =
                        (server(params, &config), client(params, &config));
                    let messages = ["", "Hello", &json, "", "é", &json];
                    for message in messages {
                        server.send_text(message).expect("open");
                        client.send(Message::from(message)).expect("open");
                        client
                            .send(Message::from(message).compress(Compress::Never))
                            .expect("open");
                    }
                    let to_client = take(&mut server);
                    let to_server = take(&mut client);
                    let expected: Vec<_> = messages
                        .iter()
                        .map(|text| text.as_bytes().to_vec())
                        .collect();
                    assert_eq!(hear(&mut client, &to_client, 1_000).as_ref(), Ok(&expected));
                    let twice: Vec<_> = expected
                        .iter()
                        .flat_map(|m| [m.clone(), m.clone()])
                        .collect();
                    assert_eq!(hear(&mut server, &to_server, 77), Ok(twice));
                }
            }
        }
    }
}

/// DD-08, SC-08, S-09: a bomb fails at the limit, and as chunks goes through little memory.
#[test]
fn a_bomb_fails_at_the_limit() {
    let config = Config::default();
    let mut sender = server(Params::default(), &config);
    sender.send_binary(&vec![0; 8 << 20]).expect("open");
    let bomb = take(&mut sender);
    let limits = Limits::default().with_message(1 << 20);
    let small = config.with_limits(limits);
    assert_eq!(
        hear(&mut client(Params::default(), &small), &bomb, 4_096),
        Err(ProtocolError::MessageTooLarge)
    );
    let chunks = config.with_delivery(Delivery::Chunks);
    for step in [1, 100, 1_000_000] {
        let heard = hear(&mut client(Params::default(), &chunks), &bomb, step).expect("valid");
        assert_eq!(heard, [vec![0; 8 << 20]]);
    }
}

/// DD-09: what can come out of what has come is handed on before more is asked for, and no chunk is empty but at the end of a
/// frame.
#[test]
fn no_chunk_waits_or_is_empty() {
    let config = Config::default().with_delivery(Delivery::Chunks);
    let take_in = |receiver: &mut Connection, mut bytes: Vec<u8>| {
        let mut input = &mut bytes[..];
        let mut len = 0;
        while let Some(event) = receiver.receive(&mut input).expect("valid") {
            let Event::Chunk(chunk) = event else {
                panic!("nothing else was sent: {event:?}");
            };
            assert!(chunk.frame_end || !chunk.data.is_empty(), "an empty chunk");
            len += chunk.data.len();
        }
        len
    };
    let mut sender = server(Params::default(), &Config::default());
    sender.send_binary(&vec![0; 256 << 10]).expect("open");
    let bytes = take(&mut sender);
    let mut by_bytes = client(Params::default(), &config);
    let mut expected = 0;
    for come in 1..=bytes.len() {
        expected += take_in(&mut by_bytes, vec![bytes[come - 1]]);
        let mut at_once = client(Params::default(), &config);
        let len = take_in(&mut at_once, bytes[..come].to_vec());
        assert_eq!(len, expected, "{come} bytes have come");
    }
}

/// UT-10, DF-05: the compressed bytes of a text need not be UTF-8, but what comes out of them must.
#[test]
fn text_is_checked_when_it_is_decompressed() {
    let config = Config::default();
    let mut sender = server(Params::default(), &config);
    let sent = |sender: &mut Connection, data: &[u8]| {
        let message = Message::from(data);
        sender
            .send(message.compress(Compress::Always))
            .expect("open");
        let mut bytes = take(sender).to_vec();
        bytes[0] = 0xc1; // text instead of binary
        bytes
    };
    let euro = sent(&mut sender, "€".as_bytes());
    let half = sent(&mut sender, &[0xe2, 0x82]);
    let mut receiver = client(Params::default(), &config);
    assert_eq!(hear(&mut receiver, &euro, 1), Ok(vec!["€".into()]));
    assert_eq!(
        hear(&mut receiver, &half, 1),
        Err(ProtocolError::InvalidUtf8)
    );
}

/// DC-04, DF-06: a message in fragments is one stream, and an empty fragment changes nothing.
#[test]
fn fragments_are_compressed_as_one_message() {
    let config = Config::default();
    for data in [["Hel", "lo"], ["", "Hello"], ["Hello", ""], ["", ""]] {
        let mut sender = server(Params::default(), &config);
        let mut receiver = client(Params::default(), &config);
        for _ in 0..2 {
            sender
                .send_fragment(MessageKind::Text, data[0].as_bytes(), Fin::More)
                .expect("open");
            sender
                .send_fragment(MessageKind::Text, data[1].as_bytes(), Fin::Last)
                .expect("open");
            let bytes = take(&mut sender);
            assert_eq!(
                hear(&mut receiver, &bytes, 3),
                Ok(vec![data.concat().into_bytes()])
            );
        }
    }
}

/// DD-08, S-09: of a compressed message the limit counts what comes out, though it be shorter than what goes in.
#[test]
fn the_limit_counts_what_comes_out() {
    let limits = Limits::default().with_message(100);
    let config = Config::default().with_limits(limits);
    for (len, expected) in [
        (100, Ok(vec![vec![b'x'; 100]])),
        (101, Err(ProtocolError::MessageTooLarge)),
    ] {
        // One stored block for the header and each ten bytes.
        let mut stored = Vec::new();
        for block in vec![b'x'; len].chunks(10) {
            let size = u8::try_from(block.len()).expect("ten at the most");
            stored.extend_from_slice(&[0, size, 0, !size, 0xFF]);
            stored.extend_from_slice(block);
        }
        stored.push(0);
        let mut bytes = vec![0xC2, 126, 0, u8::try_from(stored.len()).expect("short")];
        bytes.extend_from_slice(&stored);
        for step in [1, 7, bytes.len()] {
            let heard = hear(&mut client(Params::default(), &config), &bytes, step);
            assert_eq!(heard, expected, "{len} bytes by {step}");
        }
    }
}

/// DD-08, S-09: a message that goes on without anything coming out fails in one place, however it is cut; one of single bytes
/// that are flushed does not.
#[test]
fn a_message_of_nothing_fails() {
    let empty_block = [0x00, 0x00, 0x00, 0xFF, 0xFF];
    let flushed_byte = [
        0x00, 0x01, 0x00, 0xFE, 0xFF, b'x', 0x00, 0x00, 0x00, 0xFF, 0xFF,
    ];
    for (block, fails) in [(&empty_block[..], true), (&flushed_byte, false)] {
        let payload = block.repeat(100_000 / block.len());
        let mut bytes = vec![0xC2, 127];
        bytes.extend_from_slice(&(payload.len() as u64 + 1).to_be_bytes());
        bytes.extend_from_slice(&payload);
        bytes.push(0);
        for step in [1, 1000, 16_385, bytes.len()] {
            let mut connection = client(Params::default(), &Config::default());
            let heard = hear(&mut connection, &bytes, step);
            if fails {
                assert_eq!(heard, Err(ProtocolError::CompressionOverhead), "by {step}");
                let close = take(&mut connection);
                assert_eq!(close[6] ^ 1, 0x03, "1008");
                assert_eq!(close[7] ^ 2, 0xF0, "1008");
                // The first multiple of 16 KiB above 64 KiB, behind a header of ten bytes.
                let (place, config) = (10 + 5 * (16 << 10), Config::default());
                let heard = [place - 1, place]
                    .map(|len| hear(&mut client(Params::default(), &config), &bytes[..len], step));
                let failed = Err(ProtocolError::CompressionOverhead);
                assert_eq!(heard, [Ok(Vec::new()), failed], "by {step}");
            } else {
                let x = vec![b'x'; payload.len() / block.len()];
                assert_eq!(heard, Ok(vec![x]), "by {step}");
            }
        }
    }
}

/// DD-05, DD-08, S-09: each block with BFINAL costs work. Some are taken, thousands with nothing in them are not.
#[test]
fn final_blocks_are_limited() {
    let empty_final = [0x03, 0x00];
    for (count, fails) in [(63, false), (70, true), (20_000, true)] {
        let mut bytes = vec![0x42, 126];
        let payload = empty_final.repeat(count);
        bytes.extend_from_slice(&u16::try_from(payload.len()).expect("short").to_be_bytes());
        bytes.extend_from_slice(&payload);
        bytes.extend_from_slice(&frame(0x80, &[0; 1]));
        for step in [1, 1000, bytes.len()] {
            let mut connection = client(Params::default(), &Config::default());
            let expected = if fails {
                Err(ProtocolError::CompressionOverhead)
            } else {
                Ok(vec![Vec::new()])
            };
            assert_eq!(
                hear(&mut connection, &bytes, step),
                expected,
                "{count} by {step}"
            );
        }
    }
}

/// DF-01, DC-07: what is said with the first fragment holds for the message.
#[test]
fn fragments_are_compressed_or_not() {
    for (compress, fin, rsv1) in [
        (Compress::Auto, Fin::More, true),
        (Compress::Auto, Fin::Last, false), // too short
        (Compress::Never, Fin::More, false),
        (Compress::Always, Fin::Last, true),
    ] {
        let config = Config::default();
        let mut server = server(Params::default(), &config);
        server
            .send_fragment(MessageKind::Text.compress(compress), b"Hello", fin)
            .expect("it is open");
        if fin == Fin::More {
            server
                .send_fragment(MessageKind::Text, b"!", Fin::Last)
                .expect("it is open");
        }
        let bytes = take(&mut server);
        assert_eq!(bytes[0] & 0x40 != 0, rsv1, "{compress:?} {fin:?}");
        let expected = if fin == Fin::More { "Hello!" } else { "Hello" };
        check(&bytes, &[expected]);
    }
}

/// DC-07: where the engine is not kept, the next message is compressed with as much of those before as is.
#[test]
fn the_history_is_used() {
    let params = Params::default();
    let text: String = (0..400)
        .map(|i: u32| (i * i * 7919).to_string() + " ")
        .collect();
    assert!((2_000..4_000).contains(&text.len()));
    let again = |compression_memory| {
        let config = Config::default().with_compression_memory(compression_memory);
        let mut server = server(params, &config);
        let lens = [(); 3].map(|()| {
            server.send_text(&text).expect("it is open");
            take(&mut server).len()
        });
        assert!(lens[0] > text.len() / 4, "digits do not compress well");
        (lens[1], lens[2])
    };
    let (engine, _) = again(CompressionMemory::Engine);
    let (all, once_more) = again(CompressionMemory::History(12));
    let (half, _) = again(CompressionMemory::History(11));
    assert!(
        engine < 100 && all < 100 && once_more < 100,
        "{engine} {all} {once_more}"
    );
    assert!(half > text.len() / 10, "{half}");
}

/// UT-06, DD-09: of several faults the first one is told, however the message is cut.
#[test]
fn the_first_fault_is_told() {
    let config = Config::default().with_limits(Limits::default().with_message(4));
    // A stored block, text that is not UTF-8 or is too long, and a block of a kind that there is not.
    for (text, end, expected) in [
        (&b"ab\xFFcde"[..], 0x00, ProtocolError::InvalidUtf8),
        (b"abcde\xFF", 0x00, ProtocolError::MessageTooLarge),
        (b"a\xFF", 0x06, ProtocolError::InvalidUtf8),
        (b"ab", 0x06, ProtocolError::InvalidCompression),
    ] {
        let len = u8::try_from(text.len()).expect("a few bytes");
        let payload = [&[0x00, len, 0x00, !len, 0xFF], text, &[end, 0x00]].concat();
        let bytes = frame(0xC1, &payload);
        for step in 1..=bytes.len() {
            let heard = hear(&mut client(Params::default(), &config), &bytes, step);
            assert_eq!(heard, Err(expected), "{text:?} by {step}");
        }
    }
}

/// The level decides how much is sent; levels beyond 1 to 9 are the nearest of those.
#[test]
fn the_level_decides_how_much_is_sent() {
    let text: String = (0..20_000)
        .map(|i| (i * 7_919 % 4_093).to_string() + ",")
        .collect();
    let sent = |compression_level| {
        let config = Config::default().with_compression_level(compression_level);
        let mut sender = server(Params::default(), &config);
        sender.send_text(&text).expect("open");
        take(&mut sender).len()
    };
    let sent = [0, 1, 6, 9, 200].map(sent);
    assert!(sent[1] > sent[2] && sent[1] > sent[3], "{sent:?} bytes");
    assert_ne!(sent[2], sent[3]);
    assert_eq!((sent[0], sent[4]), (sent[1], sent[3]));
}
