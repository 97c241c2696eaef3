//! What `tokio-websockets` makes of a stream.

use std::future::poll_fn;
use std::pin::Pin;

use ::sansocket::Role;
use ::tokio_websockets::{ClientBuilder, Limits, ServerBuilder};
use futures_core::Stream;

use super::pipe::{Pipe, now};
use super::reference::{FRAME_LIMIT, Instead, Rule};
use super::verdict::{End, Message, Verdict, close_code};

/// Where it is known to differ.
pub const WAIVERS: &[(Rule, Instead)] = &[
    (Rule::LengthBit, Instead::FailsWith(1009)),
    (Rule::Utf8AtEmptyEnd, Instead::AcceptsAndKeeps),
];

#[must_use]
pub fn hear(stream: &[u8], most: usize, role: Role) -> Verdict {
    let pipe = Pipe::new(stream, most);
    let limits = Limits::default().max_payload_len(usize::try_from(FRAME_LIMIT).ok());
    let mut socket = match role {
        Role::Client => ClientBuilder::new().limits(limits).take_over(pipe),
        Role::Server => ServerBuilder::new().limits(limits).serve(pipe),
    };
    let mut verdict = Verdict::default();
    verdict.end = loop {
        match now(poll_fn(|context| Pin::new(&mut socket).poll_next(context))) {
            Some(Some(Ok(message))) if message.is_close() => break End::Closed,
            Some(Some(Ok(message))) if message.is_text() || message.is_binary() => {
                verdict.messages.push(Message {
                    text: message.is_text(),
                    // Not `as_text`: it takes the bytes for text unseen, though they may not be.
                    data: message.as_payload().to_vec(),
                });
            }
            Some(Some(Ok(_))) => {}
            Some(Some(Err(_))) => break End::Failed,
            Some(None) | None => break End::Open,
        }
    };
    // Writes what is queued.
    let _ = now(poll_fn(|context| Pin::new(&mut socket).poll_next(context)));
    verdict.code = close_code(&socket.get_ref().written);
    verdict
}
