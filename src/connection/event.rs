//! Events: messages and control frames, as the application receives them.

use crate::close::CloseFrame;
use crate::message::{Message, MessageKind};
use crate::payload::Payload;
use crate::text::Text;

/// A received message or control frame. It borrows the caller's input at most, never the connection.
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
    /// The peer's Close frame, with its code and reason. Our own is queued already, unless it was sent before. No event
    /// follows.
    Close(Option<CloseFrame>),
}

impl Event<'_> {
    /// Returns the message to keep, if this is a message; see [`Payload::into_bytes`] for when this copies, and
    /// [`Event::to_compact_message`] for a message that keeps no more memory alive than its own.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.into_utf8_bytes())),
            Self::Binary(data) => Some(Message::Binary(data.into_bytes())),
            _ => None,
        }
    }

    /// Returns a copy of the message, if this is a message, in memory of exactly its length; see [`Payload::to_compact`].
    #[must_use]
    pub fn to_compact_message(&self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.to_compact())),
            Self::Binary(data) => Some(Message::Binary(data.to_compact())),
            _ => None,
        }
    }
}

#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
impl Event<'static> {
    /// Returns the event with a payload in memory of at most twice its length and 256 bytes; `read` is the length of the memory
    /// that the input lies in. See [`Payload::compact`].
    pub(crate) fn compact(self, read: usize) -> Self {
        match self {
            Self::Text(text) => Self::Text(Text::assume_checked(text.into_payload().compact(read))),
            Self::Binary(data) => Self::Binary(data.compact(read)),
            Self::Chunk(chunk) => Self::Chunk(Chunk {
                data: chunk.data.compact(read),
                ..chunk
            }),
            Self::Ping(data) => Self::Ping(data.compact(read)),
            Self::Pong(data) => Self::Pong(data.compact(read)),
            Self::Close(close) => Self::Close(close),
        }
    }
}

/// The result of a call of [`receive_within`](crate::Connection::receive_within): an event, or the reason why there is none.
#[derive(Debug, Eq, PartialEq)]
pub enum Received<'a> {
    /// The next event. There may be more.
    Event(Event<'a>),
    /// The budget is used up, and bytes that have come are not yet inflated: call again, with a new budget.
    Again,
    /// All of the input is used: read more.
    Wanting,
}

/// A part of a message as it has arrived (RFC 6455 §5.4 allows to process a message before it has ended).
#[derive(Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Chunk<'a> {
    /// Whether the message is text or binary.
    pub kind: MessageKind,
    /// The next bytes of the message, perhaps none at the end of a frame. Text is checked as far as it goes: a chunk may end
    /// inside a character, but only the last byte of a whole message ends the last one.
    pub data: Payload<'a>,
    /// Whether the frame in which these bytes came ends with them (RFC 6455 §5.4): a proxy that sends a fragment at each
    /// such chunk keeps the fragmentation. All bytes of a compressed message that can be inflated from its frames so far have
    /// come out then. A frame without payload is an empty chunk.
    pub frame_end: bool,
    /// Whether this is the last chunk of its message, and so the end of a frame.
    pub last: bool,
}

#[cfg(all(test, feature = "std", feature = "handshake", feature = "getrandom"))]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::buffer::Buffer;

    /// Returns events of each kind with the payloads that `payload` makes.
    fn events(payload: impl Fn() -> Payload<'static>) -> [Event<'static>; 5] {
        [
            Event::Text(Text::assume_checked(payload())),
            Event::Binary(payload()),
            Event::Ping(payload()),
            Event::Pong(payload()),
            Event::Chunk(Chunk {
                kind: MessageKind::Binary,
                data: payload(),
                frame_end: true,
                last: true,
            }),
        ]
    }

    fn place(event: &Event<'_>) -> *const u8 {
        match event {
            Event::Text(text) => text.as_ptr(),
            Event::Binary(data) | Event::Ping(data) | Event::Pong(data) => data.as_ptr(),
            Event::Chunk(chunk) => chunk.data.as_ptr(),
            Event::Close(_) => core::ptr::null(),
        }
    }

    /// Makes each event compact, its memory being of `read` bytes, and checks that it is the same and whether it `stays`.
    fn check(events: [Event<'static>; 5], read: usize, stays: bool) {
        for event in events {
            let (before, said) = (place(&event), std::format!("{event:?}"));
            let compact = event.compact(read);
            assert_eq!(std::format!("{compact:?}"), said);
            assert_eq!(place(&compact) == before, stays, "{said} of {read}");
        }
    }

    /// S-03: a payload stays in the memory of its read if that is at most twice as long and a little more, else it moves.
    #[test]
    fn a_payload_moves_out_of_a_long_read() {
        for (len, stays, moves) in [(1, 130, 131), (22, 172, 4_096), (2_000, 4_128, 4_129)] {
            let shared = || Payload::shared(BytesMut::from(&*alloc::vec![b'a'; len]));
            check(events(shared), stays, true);
            check(events(shared), moves, false);
        }
    }

    /// S-03: the memory where a payload was gathered counts in the same way, whatever was read.
    #[test]
    fn a_payload_moves_out_of_a_long_buffer() {
        for (len, stays) in [(22, false), (1_900, false), (2_000, true), (4_096, true)] {
            let gathered = || {
                let mut buffer = Buffer::default();
                buffer.space_within(4_096, 4_096);
                buffer.push(&alloc::vec![b'a'; len]);
                Payload::gathered(buffer)
            };
            check(events(gathered), usize::MAX, stays);
        }
    }
}
