//! What a peer that means harm can make us do, `n` times: `bounds CASE N`.
//!
//! `bounds/run` counts the instructions of [`work`], with all that it calls.

use std::env;
use std::process::ExitCode;

use sansocket::deflate::Params;
use sansocket::handshake::{HeadLimits, RequestReader};
use sansocket::{Config, Connection, Delivery, Limits};

/// No limit that would end a case before its time.
const CONFIG: fn() -> Config =
    || Config::default().with_limits(Limits::default().with_fragments(u32::MAX));

/// How many bytes a read brings.
const READ: usize = 16 << 10;

/// Returns a masked frame, whose key is zero.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(len @ 0..=125) => frame.push(0x80 | len.to_be_bytes()[1]),
        Ok(len) => {
            frame.push(0x80 | 126);
            frame.extend(len.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Receives `bytes` in reads of `size`, and drops what is heard.
fn receive(mut connection: Connection, bytes: &mut [u8], size: usize) {
    for read in bytes.chunks_mut(size) {
        let mut input = read;
        while connection.receive(&mut input).expect("legal").is_some() {}
    }
}

/// Reads a head in pieces of `size`.
fn read_head(head: &[u8], size: usize) {
    let limits = HeadLimits::default()
        .with_bytes(usize::MAX)
        .with_headers(usize::MAX);
    let mut reader = RequestReader::new(limits);
    let ends = head
        .chunks(size)
        .filter(|piece| reader.receive(piece).expect("legal").is_some());
    assert_eq!(ends.count(), 1, "the head ends");
}

/// Returns a head with `fields` behind its first line.
fn head(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

/// What is counted.
#[inline(never)]
fn work(run: &mut dyn FnMut()) {
    run();
}

/// Prepares a case, and has it counted.
fn count(case: &str, n: usize) -> Result<(), String> {
    let server = Connection::server(&CONFIG());
    match case {
        "fragments" => {
            let next = frame(0x00, b"a").repeat(n);
            let mut bytes = [frame(0x01, b"a"), next, frame(0x80, b"a")].concat();
            receive_counted(server, &mut bytes, READ);
        }
        "frames" => receive_counted(server, &mut frame(0x82, b"a").repeat(n), READ),
        "pings" => receive_counted(server, &mut frame(0x89, b"a").repeat(n), READ),
        "empty blocks" => {
            // Stored blocks without content, and one byte in each message, which has a limit of its own.
            let blocks = [
                &[0, 0, 0, 0xFF, 0xFF].repeat(10_000)[..],
                &[0x4A, 0x04, 0x00],
            ]
            .concat();
            let mut bytes = frame(0xC2, &blocks).repeat(n / 10_000);
            let server = Connection::server(&CONFIG().with_deflate(Params::default()));
            receive_counted(server, &mut bytes, READ);
        }
        "chunks" => {
            // A long message in stored blocks, of which each chunk takes a little, all in one read.
            let block = [&[0, 0xE8, 0x03, 0x17, 0xFC][..], &[b'a'; 1_000]].concat();
            let mut bytes = frame(0xC2, &[block.repeat(n), vec![0]].concat());
            let config = CONFIG().with_delivery(Delivery::Chunks);
            let server = Connection::server(&config.with_deflate(Params::default()));
            receive_counted(server, &mut bytes, usize::MAX);
        }
        "head bytes" => {
            let head = head(&format!("a: {}\r\n", "b".repeat(n)));
            work(&mut || read_head(&head, 1));
        }
        "head fields" => {
            let head = head(&"a:\r\n".repeat(n));
            work(&mut || read_head(&head, 1));
        }
        "head in bulk" => {
            let head = head(&format!("a: {}\r\n", "b".repeat(n)));
            work(&mut || read_head(&head, READ));
        }
        "message by bytes" | "message in bulk" => {
            let size = if case.ends_with("bytes") { 1 } else { READ };
            receive_counted(server, &mut frame(0x82, &vec![b'a'; n]), size);
        }
        "text by bytes" | "text in bulk" => {
            let size = if case.ends_with("bytes") { 1 } else { READ };
            receive_counted(server, &mut frame(0x81, "é".repeat(n / 2).as_bytes()), size);
        }
        "frames by bytes" => receive_counted(server, &mut frame(0x82, b"a").repeat(n), 1),
        _ => return Err(format!("no case: {case}")),
    }
    Ok(())
}

fn receive_counted(connection: Connection, bytes: &mut [u8], size: usize) {
    let mut connection = Some(connection);
    work(&mut || {
        if let Some(connection) = connection.take() {
            receive(connection, bytes, size);
        }
    });
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let counted = match &*arguments {
        [case, n] => n
            .parse()
            .map_err(|error| format!("{n}: {error}"))
            .and_then(|n| count(case, n)),
        _ => Err("bounds CASE N".into()),
    };
    match counted {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
