//! Writes inputs for each target to begin with, into the folder that is named: what chance would take long to find.

use std::path::Path;
use std::{env, fs, io};

use sansocket::Role;
use sansocket_fuzz::stream::frame;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).expect("the folder of the corpora");
    let folder = Path::new(&folder);
    write(folder, "extensions", &extensions())?;
    write(folder, "frame_header", &headers())?;
    write(folder, "inflate", &compressed())?;
    write(folder, "receive", &streams())?;
    write(folder, "request", &requests())?;
    write(folder, "response", &responses())?;
    write(folder, "round_trip", &round_trips())?;
    write(folder, "utf8", &texts())?;
    write(folder, "workload", &workloads())
}

fn write(folder: &Path, target: &str, seeds: &[Vec<u8>]) -> io::Result<()> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}

/// Returns a head behind as many choices as its target makes before.
fn head(choices: &[u8], start: &str, fields: &[&str]) -> Vec<u8> {
    let mut head = choices.to_vec();
    head.extend_from_slice(start.as_bytes());
    for field in fields {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(field.as_bytes());
    }
    head.extend_from_slice(b"\r\n\r\n");
    head
}

fn requests() -> Vec<Vec<u8>> {
    let fields = [
        "Host: example.com",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    ];
    let starts = [
        "GET /chat?room=1 HTTP/1.1",
        "GET http://example.com/chat HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "\r\n\r\nGET / HTTP/1.0",
        "GET / HTTP/2.0",
        "GET /a b HTTP/1.1",
    ];
    let heads = starts.map(|start| head(&[0, 6, 1], start, &fields));
    heads.into()
}

fn responses() -> Vec<Vec<u8>> {
    let start = "HTTP/1.1 101 Switching Protocols";
    let fields = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Protocol: chat",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ];
    let interim = format!("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n{start}");
    vec![
        head(&[0, 6, 1], start, &fields),
        head(&[0, 6, 0], &interim, &fields[..4]),
        head(&[0, 6, 0], "HTTP/1.1 503 Busy", &["Retry-After: 1"]),
    ]
}

/// Returns streams of good frames, as arbitrary bytes, to either role, compressed or not, in every way.
fn streams() -> Vec<Vec<u8>> {
    // What expands beyond any limit.
    let mut seeds = vec![vec![2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x71]];
    for flags in 0..4 {
        let frames = frames(flags);
        for (delivery, feed) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            for cuts in [[0; 4], [1; 4], [4, 1, 2, 3]] {
                let mut seed = vec![flags, 0, 0, 0, 0, 0, delivery, feed];
                seed.extend(cuts);
                seed.push(7);
                seed.extend(&frames);
                // A message of more than 64 KiB, plain or compressed, and a Close frame.
                seed.extend([if flags & 2 == 0 { 0x01 } else { 0x51 }, 0xFF, 31]);
                seed.extend([b'x'; 31]);
                seed.extend([0x06, 0, 5]);
                seed.extend(b"\x03\xE8bye");
                seeds.push(seed);
            }
        }
    }
    seeds
}

fn frames(flags: u8) -> Vec<u8> {
    let frames: [(u8, &[u8]); 8] = [
        (0x81, "aé€𝄞".as_bytes()),
        (0x82, &[7; 126]),
        (0x01, b"be"),
        (0x89, b"between"),
        (0x00, b""),
        (0x8A, b""),
        (0x80, b"gun"),
        (0xC1, HELLO),
    ];
    let role = if flags & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let mut seed = Vec::new();
    for (first, payload) in frames {
        if first & 0x40 != 0 && flags & 2 == 0 {
            continue;
        }
        let mut bytes = Vec::new();
        frame(&mut bytes, first, role, payload);
        seed.extend([0xF0, u8::try_from(bytes.len()).expect("short")]);
        seed.extend(bytes);
    }
    seed
}

/// "Hello" in one block (RFC 7692 §7.2.3.1).
const HELLO: &[u8] = b"\xF2\x48\xCD\xC9\xC9\x07\x00";

/// Returns the messages of RFC 7692 §7.2.3, and what shows where a block may end.
fn compressed() -> Vec<Vec<u8>> {
    let again = [&[7][..], HELLO, b"\x05\xF2\x00\x11\x00\x00"].concat();
    let bodies: [&[u8]; 9] = [
        b"\x07\xF2\x48\xCD\xC9\xC9\x07\x00",
        &again,
        b"\x0B\x00\x05\x00\xFA\xFFHello\x00",
        b"\x08\xF3\x48\xCD\xC9\xC9\x07\x00\x00",
        b"\x0D\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00",
        b"\x01\x00",
        b"\x00",
        b"\x05\x00\x00\x00\xFF\xFF",
        b"\x0A\xEC\xC0\x81\x00\x00\x00\x00\x80\x20\x7F",
    ];
    let mut seeds = Vec::new();
    for body in bodies {
        for setup in [[0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 2, 0]] {
            seeds.push([&setup, body, body].concat());
        }
    }
    seeds
}

/// Returns a header of each opcode in each form of length, masked and not, between messages and within one.
fn headers() -> Vec<Vec<u8>> {
    let lens: [&[u8]; 5] = [
        &[125],
        &[126, 0, 126],
        &[126, 0, 125],
        &[127, 0, 0, 0, 0, 0, 1, 0, 0],
        &[127, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ];
    let mut seeds = Vec::new();
    for opcode in 0..16 {
        for len in lens {
            for masked in [0, 0x80] {
                let mut seed = vec![masked >> 7, 1, opcode >> 1 & 1, 0x80 | opcode];
                seed.extend_from_slice(len);
                seed[4] |= masked;
                seed.extend_from_slice(&[1, 2, 3, 4]);
                seeds.push(seed);
            }
        }
    }
    seeds
}

/// Returns text with characters of every length, and what only looks like it (Unicode, table 3-7).
fn texts() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 12] = [
        "κόσμε aé€𝄞\u{10FFFF}\u{FFFF}\u{800}\u{7FF}\u{80}".as_bytes(),
        b"only ASCII, and more of it than a vector has",
        b"a\xC0\x80",
        b"a\xC1\xBF",
        b"a\xE0\x9F\xBF",
        b"a\xED\x9F\xBF\xED\xA0\x80",
        b"a\xF0\x8F\xBF\xBF",
        b"a\xF4\x8F\xBF\xBF\xF4\x90\x80\x80",
        b"a\xF5\x80\x80\x80",
        b"a\x80",
        b"a\xE2\x82",
        b"a\xF0\x9D\x84a",
    ];
    let mut seeds = Vec::new();
    for text in texts {
        for setup in [[39, 0], [0, 1], [3, 2]] {
            seeds.push([&setup, text].concat());
        }
    }
    seeds
}

/// Returns messages of all lengths in all ways, with and without compression, from either end.
fn round_trips() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for deflate in [&[0][..], &[1, 0, 0, 0], &[1, 3, 1, 1]] {
        for memory in [0, 8, 15] {
            for fragments in 0..5 {
                let mut seed = vec![memory & 1, fragments & 1, fragments, 0, memory];
                seed.extend_from_slice(deflate);
                seed.extend([memory << 4, fragments % 4]);
                for (kind, times) in [(0, 0), (1, 0x80), (0, 0xC0), (1, 0xF0), (0, 0xFF)] {
                    seed.extend([kind, 0, times, 13]);
                    seed.extend("sansIO 𝄞: ".as_bytes());
                }
                seeds.push(seed);
            }
        }
    }
    seeds
}

/// Returns two ends that talk in every way, with compression and without, until one of them ends it.
fn workloads() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for deflate in [&[0][..], &[1, 0, 0, 0], &[1, 3, 1, 1]] {
        for end in 0..5 {
            let mut seed = deflate.to_vec();
            seed.extend([0; 14]);
            for who in [0, 0x80] {
                for flags in [0, 1, 2, 3, 4, 12] {
                    // A message of eight bytes, forty times.
                    seed.extend([who | 8, flags, 2, 0xC0, 8]);
                    seed.extend(b"sansIO: ");
                }
                seed.extend([who | 0x0D, 2, b'h', b'i', who, 5, 0, (0x80 ^ who) | 4, 0]);
            }
            seed.extend([0x0F, 0, end, 0, 0, 0, 0x84, 0]);
            seeds.push(seed);
        }
    }
    seeds
}

fn extensions() -> Vec<Vec<u8>> {
    let offers: [&[u8]; 3] = [
        b"permessage-deflate; client_max_window_bits; server_max_window_bits=10",
        b"permessage-deflate; server_no_context_takeover, permessage-deflate",
        b"foo; a=\"b\", permessage-deflate; client_no_context_takeover",
    ];
    offers
        .iter()
        .map(|offer| [&[0, 0xFF, 0, 0, 0xFF], *offer].concat())
        .collect()
}
