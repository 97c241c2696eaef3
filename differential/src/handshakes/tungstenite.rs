//! What `tungstenite` makes of a head, which it parses with `httparse`.

use ::tungstenite::handshake::machine::TryParse;
use ::tungstenite::handshake::server::{Request, create_response};
use ::tungstenite::http;
use ::tungstenite::{Error, HandshakeError, client};

use super::{Outcome, head::KEY};
use crate::peers::pipe::Pipe;

#[must_use]
pub fn accept(head: &[u8]) -> Outcome<Error> {
    let request = match Request::try_parse(head) {
        Ok(Some((_, request))) => request,
        Ok(None) => return Outcome::Partial,
        Err(error) => return Outcome::Rejected(error),
    };
    match create_response(&request) {
        Ok(response) => {
            let value = response.headers().get("Sec-WebSocket-Accept");
            Outcome::Accepted(
                value
                    .map(|value| value.as_bytes().to_vec())
                    .unwrap_or_default(),
            )
        }
        Err(error) => Outcome::Rejected(error),
    }
}

/// # Panics
///
/// Never: the request is valid.
#[must_use]
pub fn verify(head: &[u8]) -> Outcome<Error> {
    let request = http::Request::get("ws://example.com/")
        .header("Host", "example.com")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", KEY)
        .body(())
        .expect("it is valid");
    match client(request, Pipe::new(head, usize::MAX)) {
        Ok(_) => Outcome::Accepted(Vec::new()),
        Err(HandshakeError::Interrupted(_)) => Outcome::Partial,
        Err(HandshakeError::Failure(error)) => Outcome::Rejected(error),
    }
}
