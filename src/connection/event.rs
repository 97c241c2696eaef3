//! What the application hears.

use crate::close::CloseFrame;
use crate::message::{Message, MessageKind};
use crate::payload::Payload;
use crate::text::Text;

/// What has been received. It borrows the caller's input at most, never the connection.
#[derive(Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A text message.
    Text(Text<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A part of a message, with [`Delivery::Chunks`](crate::Delivery::Chunks) only.
    Chunk(Chunk<'a>),
    /// A Ping. The Pong is queued already.
    Ping(Payload<'a>),
    /// A Pong, asked for or not.
    Pong(Payload<'a>),
    /// The peer's Close frame, with what it says. Our own is queued already, unless it was sent before. No event
    /// follows.
    Close(Option<CloseFrame>),
}

impl Event<'_> {
    /// Returns the message to keep, if this is a message; see [`Payload::into_bytes`] for when this copies.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.into_utf8_bytes())),
            Self::Binary(data) => Some(Message::Binary(data.into_bytes())),
            _ => None,
        }
    }
}

/// A part of a message as it has arrived (RFC 6455 §5.4 allows to process a message before it has ended).
#[derive(Debug, Eq, PartialEq)]
pub struct Chunk<'a> {
    /// Whether the message is text or binary.
    pub kind: MessageKind,
    /// The next bytes of the message, perhaps none in the last chunk. Text is checked as far as it goes: a chunk may end
    /// inside a character, but only the last byte of a whole message ends the last one.
    pub data: Payload<'a>,
    /// Whether this is the last chunk of its message.
    pub last: bool,
}
