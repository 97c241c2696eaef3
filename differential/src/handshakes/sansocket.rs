//! What `sansocket` makes of a head.

use ::sansocket::handshake::{
    Client, HandshakeError, HeadLimits, OriginPolicy, RequestReader, ResponseReader, Server, Uri,
};

use super::Outcome;
use crate::random::Random;

pub fn accept(random: &mut Random, head: &[u8]) -> Outcome<HandshakeError> {
    let mut reader = RequestReader::new(HeadLimits::default());
    // tungstenite asks nobody where a request comes from.
    let server = Server::new().with_origins(OriginPolicy::any());
    for piece in pieces(random, head) {
        match reader.receive(piece) {
            Ok(None) => {}
            Ok(Some((request, _))) => {
                return match server.accept(&request) {
                    Ok(accepted) => Outcome::Accepted(accept_value(&accepted.response())),
                    Err(error) => Outcome::Rejected(error),
                };
            }
            Err(error) => return Outcome::Rejected(error),
        }
    }
    Outcome::Partial
}

/// # Panics
///
/// Never: the URI is valid.
pub fn verify(random: &mut Random, head: &[u8]) -> Outcome<HandshakeError> {
    let mut reader = ResponseReader::new(HeadLimits::default());
    let uri = Uri::parse("ws://example.com/").expect("it is valid");
    let client = Client::new(&uri, *b"the sample nonce");
    for piece in pieces(random, head) {
        match reader.receive(piece) {
            Ok(None) => {}
            Ok(Some((response, _))) => {
                return match client.verify(&response) {
                    Ok(_) => Outcome::Accepted(Vec::new()),
                    Err(error) => Outcome::Rejected(error),
                };
            }
            Err(error) => return Outcome::Rejected(error),
        }
    }
    Outcome::Partial
}

fn pieces<'a>(random: &mut Random, head: &'a [u8]) -> std::slice::Chunks<'a, u8> {
    let len = random.pick(&[1, 7, 64, usize::MAX]);
    head.chunks(len)
}

/// Returns the value of `Sec-WebSocket-Accept` in a response as it is written.
fn accept_value(response: &[u8]) -> Vec<u8> {
    let response = String::from_utf8_lossy(response);
    let value = (response.lines()).find_map(|line| line.strip_prefix("Sec-WebSocket-Accept: "));
    value.unwrap_or_default().into()
}
