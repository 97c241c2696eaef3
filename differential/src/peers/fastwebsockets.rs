//! What `fastwebsockets` makes of a stream.

use ::fastwebsockets::{FragmentCollector, OpCode, WebSocket, WebSocketError};
use ::sansocket::Role;

use super::pipe::{Pipe, now};
use super::reference::{FRAME_LIMIT, Instead, Rule};
use super::verdict::{End, Message, Verdict};

/// Where it is known to differ.
pub const WAIVERS: &[(Rule, Instead)] = &[
    (Rule::Mask, Instead::Accepts),
    (Rule::MinimalLength, Instead::Accepts),
    (Rule::ControlLengthForm, Instead::Accepts),
    (Rule::LongCloseOrPong, Instead::Accepts),
    (Rule::FragmentBetweenFragments, Instead::Accepts),
    (Rule::Utf8AtEmptyEnd, Instead::AcceptsWithout),
    (Rule::Utf8AtEnd, Instead::AcceptsWithout),
    (Rule::Code1014, Instead::FailsWith(1002)),
];

/// # Panics
///
/// If something else fails than the peer.
#[must_use]
pub fn hear(stream: &[u8], most: usize, role: Role) -> Verdict {
    let role = match role {
        Role::Client => ::fastwebsockets::Role::Client,
        Role::Server => ::fastwebsockets::Role::Server,
    };
    let mut socket = WebSocket::after_handshake(Pipe::new(stream, most), role);
    // It takes what is shorter than its limit.
    socket.set_max_message_size(usize::try_from(FRAME_LIMIT).expect("it is small") + 1);
    let mut socket = FragmentCollector::new(socket);
    let mut verdict = Verdict::default();
    verdict.end = loop {
        match now(socket.read_frame()) {
            Some(Ok(frame)) => match frame.opcode {
                OpCode::Close => {
                    if let [high, low, ..] = frame.payload[..] {
                        verdict.code = Some(u16::from_be_bytes([high, low])); // it has sent the same
                    }
                    break End::Closed;
                }
                opcode @ (OpCode::Text | OpCode::Binary) => verdict.messages.push(Message {
                    text: opcode == OpCode::Text,
                    data: frame.payload.to_vec(),
                }),
                _ => {}
            },
            Some(Err(WebSocketError::IoError(error))) => panic!("{error}"),
            Some(Err(_)) => break End::Failed,
            None => break End::Open,
        }
    };
    verdict
}
