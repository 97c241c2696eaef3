//! Writes inputs for each target to begin with, into the folder that is named: what chance would take long to find.

use std::path::Path;
use std::{env, fs, io};

use sansocket::Role;
use sansocket_fuzz::stream::frame;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).expect("the folder of the corpora");
    let folder = Path::new(&folder);
    write(folder, "request", &requests())?;
    write(folder, "response", &responses())?;
    write(folder, "receive", &streams())?;
    write(folder, "workload", &workloads())?;
    write(folder, "extensions", &extensions())
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
    ["/chat?room=1", "http://example.com/chat", "*"]
        .iter()
        .map(|target| head(&[0, 6], &format!("GET {target} HTTP/1.1"), &fields))
        .collect()
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

/// Returns streams of good frames, as arbitrary bytes, to either role, compressed or not.
fn streams() -> Vec<Vec<u8>> {
    let frames: [(u8, &[u8]); 9] = [
        (0x81, "aé€𝄞".as_bytes()),
        (0x82, &[7; 126]),
        (0x01, b"be"),
        (0x89, b"between"),
        (0x00, b""),
        (0x8A, b""),
        (0x80, b"gun"),
        (0xC1, b"\xF2\x48\xCD\xC9\xC9\x07\x00"),
        (0x88, b"\x03\xE8bye"),
    ];
    let mut seeds = Vec::new();
    for flags in 0..4 {
        let role = if flags & 1 == 0 {
            Role::Server
        } else {
            Role::Client
        };
        let mut seed = vec![flags, 0, 0, 0, 0, 0, 1, 2, 3, 4];
        for (first, payload) in frames {
            if first & 0x40 != 0 && flags & 2 == 0 {
                continue;
            }
            let mut bytes = Vec::new();
            frame(&mut bytes, first, role, payload);
            seed.extend([0xF0, u8::try_from(bytes.len()).expect("short")]);
            seed.extend(bytes);
        }
        seeds.push(seed);
    }
    seeds
}

/// Returns two ends that talk in every way, with compression and without, until one of them ends it.
fn workloads() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for deflate in [&[0][..], &[1, 0, 0, 0], &[1, 3, 1, 1]] {
        for end in 0..4 {
            let mut seed = deflate.to_vec();
            seed.extend([0; 16]);
            for who in [0, 0x80] {
                for flags in [0, 1, 2, 3, 4, 12] {
                    // A message of eight bytes, forty times.
                    seed.extend([who | 8, flags, 2, 6, 8]);
                    seed.extend(b"sansIO: ");
                }
                seed.extend([who | 0x0D, 2, b'h', b'i', who, 0, (0x80 ^ who) | 4, 0]);
            }
            seed.extend([0x0F, 0, end, 0, 0, 0x84, 0]);
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
