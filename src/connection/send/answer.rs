//! How a Ping, a Close frame and a fault of the peer are answered: from the event to the frame that is queued.

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::connection::event::Event;
use crate::connection::send::{MAX_CONTROL_LEN, SendHalf};
use crate::error::ProtocolError;
use crate::frame::Opcode;

/// What the receiving half of a split connection asks the sending half to do, small enough to be sent to another task.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// Answer a Ping.
    Pong(Bytes),
    /// Answer the peer's Close frame.
    Close(Option<CloseFrame>),
    /// Fail the connection, for what [`ReceiveHalf::receive`](crate::ReceiveHalf::receive) returned.
    Fail(ProtocolError),
    /// Take note that the stream has ended.
    Eof,
}

impl Reply {
    /// Returns what `event` asks for, if anything.
    #[must_use]
    pub fn for_event(event: &Event<'_>) -> Option<Self> {
        match event {
            Event::Ping(payload) => Some(Self::Pong(Bytes::copy_from_slice(payload))),
            Event::Close(frame) => Some(Self::Close(frame.clone())),
            _ => None,
        }
    }
}

impl SendHalf {
    /// Does what the receiving half asks for.
    pub fn reply(&mut self, reply: Reply) {
        match reply {
            Reply::Pong(payload) => self.answer_ping(&payload),
            Reply::Close(frame) => self.answer_close(frame.as_ref()),
            Reply::Fail(error) => self.answer_error(error),
            Reply::Eof => self.receive_eof(),
        }
    }

    /// Does what an event or an error of the same connection asks for: as [`reply`](Self::reply), without a copy.
    #[inline]
    pub(in crate::connection) fn answer(
        &mut self,
        event: &Result<Option<Event<'_>>, ProtocolError>,
    ) {
        match event {
            Ok(Some(Event::Ping(payload))) => self.answer_ping(payload),
            Ok(Some(Event::Close(frame))) => self.answer_close(frame.as_ref()),
            Ok(_) => {}
            Err(error) => self.answer_error(*error),
        }
    }

    /// Answers a Ping (RFC 6455 §5.5.2): also after our Close frame, as long as the peer's has not come.
    fn answer_ping(&mut self, payload: &[u8]) {
        if self.is_listening() && payload.len() <= MAX_CONTROL_LEN {
            self.push_control(Opcode::Pong, payload);
        }
    }

    /// Answers a Close frame (RFC 6455 §5.5.1).
    fn answer_close(&mut self, frame: Option<&CloseFrame>) {
        if !self.is_listening() {
            return;
        }
        if let Some(answer) = self.closing.receive(frame) {
            self.push_close(answer.as_ref());
        }
    }

    /// Fails the connection for what the peer did (RFC 6455 §7.1.7).
    fn answer_error(&mut self, error: ProtocolError) {
        self.end(Some(error), self.closing.answer(error));
    }

    /// Takes note that the stream has ended.
    pub(in crate::connection) fn receive_eof(&mut self) {
        let told = self.outgoing.is_empty_but_for_control();
        self.closing.receive_eof(told);
        self.release_deflater();
    }
}
