//! The handshake of RFC 6455 §1.3, varied: what the tests of the handshake share.
#![allow(dead_code, reason = "no test file uses all of it")]

use sansocket::handshake::Accepted;
use sansocket::handshake::Client;
use sansocket::handshake::Extension;
use sansocket::handshake::HandshakeError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::RejectedOrigin;
use sansocket::handshake::Request;
use sansocket::handshake::RequestReader;
use sansocket::handshake::Server;
use sansocket::handshake::Uri;

pub(crate) const HANDSHAKE: [&str; 5] = [
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

pub(crate) const KEY: &str = "Sec-WebSocket-Key";
pub(crate) const VERSION: &str = "Sec-WebSocket-Version";
pub(crate) const PROTOCOL: &str = "Sec-WebSocket-Protocol";
pub(crate) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Builds a head from its first line and its header lines.
pub(crate) fn head(first: &str, lines: &[&str]) -> String {
    [&[first], lines, &["", ""]].concat().join("\r\n")
}

pub(crate) fn read(head: &[u8]) -> Result<Request, HandshakeError> {
    let (request, _) = RequestReader::new(HeadLimits::default())
        .receive(head)?
        .expect("the head is complete");
    Ok(request)
}

pub(crate) fn accept_by(server: &Server, head: &str) -> Result<Accepted, HandshakeError> {
    server.accept(&read(head.as_bytes())?)
}

/// The handshake with another first line.
pub(crate) fn with_first_line(first: &str) -> Result<Accepted, HandshakeError> {
    accept_by(&Server::new(), &head(first, &HANDSHAKE))
}

/// The handshake with more header lines.
pub(crate) fn with(lines: &[&str]) -> Result<Accepted, HandshakeError> {
    let lines = [&HANDSHAKE, lines].concat();
    accept_by(&Server::new(), &head("GET /chat HTTP/1.1", &lines))
}

/// The handshake with the header lines of the same name replaced.
pub(crate) fn with_instead(line: &str) -> Result<Accepted, HandshakeError> {
    let (name, _) = line.split_once(':').expect("a header line");
    let mut lines = without_lines(name);
    lines.push(line);
    accept_by(&Server::new(), &head("GET /chat HTTP/1.1", &lines))
}

/// The handshake without a header.
pub(crate) fn without(name: &str) -> Result<Accepted, HandshakeError> {
    accept_by(
        &Server::new(),
        &head("GET /chat HTTP/1.1", &without_lines(name)),
    )
}

pub(crate) fn without_lines(name: &str) -> Vec<&'static str> {
    let prefix = format!("{name}:");
    HANDSHAKE
        .into_iter()
        .filter(|line| !line.starts_with(&prefix))
        .collect()
}

pub(crate) fn error(result: Result<Accepted, HandshakeError>) -> HandshakeError {
    result.expect_err("the handshake is refused")
}

/// What the origin policy refused.
pub(crate) fn refused_origin(result: Result<Accepted, HandshakeError>) -> RejectedOrigin {
    match result {
        Err(HandshakeError::OriginRejected(refused)) => *refused,
        other => panic!("the origin is not refused: {other:?}"),
    }
}

pub(crate) fn text(response: Vec<u8>) -> String {
    String::from_utf8(response).expect("the response is ASCII")
}

/// The lines of a response that begin with the header's name.
pub(crate) fn lines_of<'a>(response: &'a str, name: &str) -> Vec<&'a str> {
    let prefix = format!("{}:", name.to_ascii_lowercase());
    let is_line = |line: &&str| line.to_ascii_lowercase().starts_with(&prefix);
    response.split("\r\n").filter(is_line).collect()
}

/// The client of the example.
pub(crate) fn client() -> Client {
    client_of("ws://server.example.com/chat")
}

pub(crate) fn client_of(uri: &str) -> Client {
    Client::new(&Uri::parse(uri).expect("a valid URI"), *b"the sample nonce")
}

pub(crate) fn extension(name: &str) -> Extension<'_> {
    Extension::new(name).expect("a token")
}
