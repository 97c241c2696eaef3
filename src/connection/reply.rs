//! What one half of a split connection asks of the other.

use bytes::Bytes;

use super::event::Event;
use crate::close::CloseFrame;
use crate::error::ProtocolError;

/// What the receiving half of a split connection asks the sending half to do, small enough to be sent to another task.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// Answer a Ping.
    Pong(Bytes),
    /// Answer the peer's Close frame.
    Close(Option<CloseFrame>),
    /// Fail the connection, for what [`Receiver::receive`](crate::Receiver::receive) returned.
    Fail(ProtocolError),
    /// Take note that the stream has ended.
    Eof,
}

impl Reply {
    /// Returns what `event` asks for, if anything.
    #[must_use]
    pub fn to(event: &Event<'_>) -> Option<Self> {
        match event {
            Event::Ping(payload) => Some(Self::Pong(Bytes::copy_from_slice(payload))),
            Event::Close(frame) => Some(Self::Close(frame.clone())),
            _ => None,
        }
    }
}
