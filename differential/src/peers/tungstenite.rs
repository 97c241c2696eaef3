//! What `tungstenite` makes of a stream.

use ::sansocket::Role;
use ::tungstenite::protocol::{self, WebSocketConfig};
use ::tungstenite::{Error, WebSocket};

use super::pipe::Pipe;
use super::reference::{FRAME_LIMIT, Instead, Rule};
use super::verdict::{End, Message, Verdict, close_code};

/// Where it is known to differ.
pub const WAIVERS: &[(Rule, Instead)] = &[
    (Rule::MinimalLength, Instead::Accepts),
    (Rule::ControlLengthForm, Instead::Accepts),
    (Rule::Code, Instead::ClosesWith(1002)),
    (Rule::Code1014, Instead::ClosesWith(1002)),
];

#[must_use]
pub fn hear(stream: &[u8], most: usize, role: Role) -> Verdict {
    let role = match role {
        Role::Client => protocol::Role::Client,
        Role::Server => protocol::Role::Server,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(usize::try_from(FRAME_LIMIT).ok());
    let mut socket = WebSocket::from_raw_socket(Pipe::new(stream, most), role, Some(config));
    let mut verdict = Verdict::default();
    verdict.end = loop {
        let (text, data) = match socket.read() {
            Ok(protocol::Message::Text(text)) => (true, text.as_bytes().to_vec()),
            Ok(protocol::Message::Binary(data)) => (false, data.to_vec()),
            Ok(protocol::Message::Close(_)) => {
                let _ = socket.flush(); // tells a server that the connection is over
                break End::Closed;
            }
            Ok(_) => continue,
            Err(Error::Io(_)) => break End::Open,
            Err(_) => break End::Failed,
        };
        verdict.messages.push(Message { text, data });
    };
    verdict.code = close_code(&socket.get_ref().written);
    verdict
}
