//! Heads of requests and responses: valid ones, and such as are not quite.

use crate::peers::mutation;
use crate::random::Random;

/// The nonce of the client, `the sample nonce`, and what a server makes of it (RFC 6455 §1.3).
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const REQUEST: &[&str] = &[
    "GET /chat HTTP/1.1",
    "Host: example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
];

const REQUEST_OTHERS: &[&str] = &[
    "GET / HTTP/1.1",
    "GET /a?b=c HTTP/1.1",
    "GET http://example.com/ HTTP/1.1",
    "GET * HTTP/1.1",
    "GET /#a HTTP/1.1",
    "POST / HTTP/1.1",
    "GET / HTTP/1.0",
    "GET / HTTP/2.0",
    "GET /a b HTTP/1.1",
    "GET /{a}|\"b HTTP/1.1",
    "Host: example.com:80",
    "Host: ",
    "Host: a b",
    "Host: [::1]:8080",
    "Host: é",
    "host: x",
    "Upgrade: WebSocket",
    "Upgrade: websocket, h2c",
    "Upgrade: h2c",
    "Upgrade: websocket/13",
    "upgrade:websocket",
    "Connection: keep-alive, Upgrade",
    "Connection: upgrade",
    "Connection: close",
    "Connection: keep-alive Upgrade",
    "Connection: keep-alive,\tupgrade",
    "Connection:",
    "Connection: Upgrade\u{e9}",
    "Connection: Upgrade, \u{e9}",
    "Sec-WebSocket-Version: 8",
    "Sec-WebSocket-Version: 013",
    "Sec-WebSocket-Version: 13, 8",
    "Sec-WebSocket-Version: x",
    "Sec-WebSocket-Key: short",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA",
    "Sec-WebSocket-Key:",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ= ",
    "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Protocol: a b",
    "Sec-WebSocket-Protocol: ,",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Extensions: ;",
    "Sec-WebSocket-Extensions: foo; a=\"b\", bar",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: x",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Origin: http://example.com",
    "Origin: null",
    "X: y",
    " folded",
    "Bad Name: x",
    "X : y",
    "X: \u{1}",
    "",
];

const RESPONSE: &[&str] = &[
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
];

const RESPONSE_OTHERS: &[&str] = &[
    "HTTP/1.1 101",
    "HTTP/1.1 101 ",
    "HTTP/1.0 101 Old",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 404 Not Found",
    "HTTP/1.1 1010 X",
    "HTTP/1.1 099 X",
    "HTTP/1.1 600 X",
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 100 Continue",
    "HTTP/2 101 X",
    "Upgrade: WebSocket",
    "Upgrade: websocket, h2c",
    "Upgrade: h2c",
    "Connection: upgrade",
    "Connection: keep-alive, Upgrade",
    "Connection: keep-alive Upgrade",
    "Connection: close",
    "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Accept:",
    "Sec-WebSocket-Accept: x",
    "Sec-WebSocket-Protocol: chat",
    "Sec-WebSocket-Protocol:",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Extensions: ;",
    "Sec-WebSocket-Extensions:",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "X: y",
    " folded",
    "Bad Name: x",
    "X : y",
    "X: \u{1}",
    "",
];

/// Returns the head of a request.
pub fn request(random: &mut Random) -> Vec<u8> {
    let nonce = random.bytes(16);
    let key = format!("Sec-WebSocket-Key: {}", base64(&nonce));
    let lines = [REQUEST, &[&key]].concat();
    head(random, lines, REQUEST_OTHERS)
}

/// Returns the head of a response to the request with [`KEY`].
pub fn response(random: &mut Random) -> Vec<u8> {
    let accept = format!("Sec-WebSocket-Accept: {ACCEPT}");
    let lines = [RESPONSE, &[&accept]].concat();
    head(random, lines, RESPONSE_OTHERS)
}

/// Puts lines into the order of a head, some of them changed.
fn head<'a>(random: &mut Random, mut lines: Vec<&'a str>, others: &[&'a str]) -> Vec<u8> {
    // The order of headers is free.
    for i in 1..lines.len() {
        let other = random.within(1, i);
        lines.swap(i, other);
    }
    let is_start = |line: &str| line.contains("HTTP/");
    for _ in 0..random.below(4) {
        let other = random.pick(others);
        if is_start(other) {
            lines[0] = other;
            continue;
        }
        let at = random.within(1, lines.len() - 1);
        let name = other.split(':').next();
        let same = lines.iter().position(|line| line.split(':').next() == name);
        match same {
            Some(same) if random.below(3) > 0 => lines[same] = other,
            _ if random.one_in(2) => lines.insert(at, other),
            _ => lines.push(other),
        }
    }
    if random.one_in(12) && lines.len() > 2 {
        let at = random.within(1, lines.len() - 1);
        lines.remove(at);
    }
    let mut head = Vec::new();
    if random.one_in(20) {
        head.extend(b"\r\n".repeat(random.within(1, 6)));
    }
    for line in &lines {
        head.extend_from_slice(line.as_bytes());
        head.extend_from_slice(if random.one_in(100) { b"\n" } else { b"\r\n" });
    }
    head.extend_from_slice(b"\r\n");
    if random.one_in(3) {
        for _ in 0..random.within(1, 2) {
            mutation::mutate(random, &mut head);
        }
    }
    head
}

/// Returns bytes as base64 (RFC 4648 §4), written here so that no implementation checks itself.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 4];
        three[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(three);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 63;
            let digit = if digit <= chunk.len() {
                DIGITS[value]
            } else {
                b'='
            };
            text.push(digit.into());
        }
    }
    text
}
