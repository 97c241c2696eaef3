//! What the tests of the adapters share: a stream in memory that does as it is told, and sockets that never hang.
#![allow(dead_code, reason = "no test file uses all of it")]

#[cfg(feature = "tokio")]
pub(crate) mod polled;
pub(crate) mod wire;

use core::time::Duration;
use std::io::Read;
use std::net::{TcpListener, TcpStream};

use bytes::Bytes;
use sansocket::handshake::{Client, Uri};
use sansocket::{EndedBy, Message, Outcome, Role};

use crate::common::{hex, naive, towards};

/// The opening handshake of RFC 6455 §1.3, the client's side.
pub(crate) const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The server's side.
pub(crate) const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(crate) const URI: &str = "ws://server.example.com/chat";

/// Longer than anything here takes, so that a test fails rather than hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Lengths of payloads around each form of the length field (RFC 6455 §5.2), and beyond what one read brings.
pub(crate) const LENGTHS: [usize; 9] = [0, 1, 125, 126, 4_096, 65_535, 65_536, 70_000, 1_000_000];

/// The client whose key is that of [`REQUEST`].
pub(crate) fn client() -> Client {
    Client::new(&Uri::parse(URI).expect("a valid URI"), *b"the sample nonce")
}

/// Returns both ends of a TCP connection, of which none blocks for ever.
pub(crate) fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let near = TcpStream::connect(address).expect("a listener");
    let (far, _) = listener.accept().expect("a connection");
    for socket in [&near, &far] {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
    }
    (near, far)
}

/// Reads a head, byte by byte, so that what comes behind it stays in the stream.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a whole head");
        head.extend(byte);
    }
    String::from_utf8(head).expect("the head is ASCII")
}

/// Reads what is left in the stream.
pub(crate) fn read_to_end(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the end comes");
    bytes
}

/// Returns the bytes of a transcript as they come to `role`.
pub(crate) fn frames(role: Role, transcript: &str) -> Vec<u8> {
    towards(role, &hex(transcript))
}

pub(crate) fn binary(len: usize) -> Message {
    Message::Binary(Bytes::from(pattern(len)))
}

pub(crate) fn text(len: usize) -> Message {
    let text: String = ('a'..='z').cycle().take(len).collect();
    Message::from(text.as_str())
}

/// Bytes of which no two parts of the same length that begin at different places look alike.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Returns a message as a test would write it.
pub(crate) fn describe(message: &Message) -> String {
    let name = crate::common::name(message.kind());
    let payload = message.clone().into_bytes();
    format!("{name} {}", crate::common::show(&payload))
}

/// Returns an outcome as a test would write it: who, the code and reason, the code that was sent.
pub(crate) fn describe_outcome(outcome: Option<Outcome>) -> String {
    let Some(outcome) = outcome else {
        return "goes on".into();
    };
    let by = match outcome.by {
        EndedBy::Us => "us",
        EndedBy::Peer => "the peer",
        EndedBy::StreamEnd => "the stream",
        other => panic!("{other:?}"),
    };
    let how = if outcome.clean { "clean" } else { "not clean" };
    let reason = if outcome.reason.is_empty() {
        String::new()
    } else {
        format!(" {:?}", &*outcome.reason)
    };
    let sent = outcome
        .sent
        .map_or_else(|| "nothing".into(), |code| code.to_string());
    format!("by {by}, {how}, {}{reason}, sent {sent}", outcome.code)
}

/// A conversation, as it comes to `role`: every kind of frame, a message read straight into its memory, and the end.
pub(crate) fn conversation(role: Role) -> Vec<u8> {
    let frames = [
        hex("81 05 'Hello' 89 04 'ping' 82 00 01 02 'He' 89 00 00 00 80 03 'llo' 8a 04 'pong'"),
        naive::frame(0x82, &pattern(300)),
        naive::frame(0x82, &pattern(70_000)),
        hex("81 04 'last' 88 05 03e8 'bye'"),
    ];
    towards(role, &frames.concat())
}

/// What is heard of [`conversation`].
pub(crate) fn heard() -> Vec<String> {
    let long = [300, 70_000].map(|len| describe(&binary(len)));
    [
        "text \"Hello\"",
        "ping \"ping\"",
        "binary \"\"",
        "ping \"\"",
        "text \"Hello\"",
        "pong \"pong\"",
        &long[0],
        &long[1],
        "text \"last\"",
        "close 1000 \"bye\"",
    ]
    .map(String::from)
    .to_vec()
}

/// What an end that echoes each message as soon as it hears it writes in answer to [`conversation`].
pub(crate) fn echoed() -> Vec<String> {
    heard()
        .into_iter()
        .filter(|event| !event.starts_with("pong"))
        .map(|event| event.replace("ping ", "pong ").replace(" \"bye\"", ""))
        .collect()
}
