//! What receiving finds in the input, before it is known where the payload may be borrowed from.

use super::event::{Chunk, Event};
use crate::buffer::Buffer;
use crate::close::CloseFrame;
use crate::error::ProtocolError;
use crate::frame::Opcode;
use crate::message::MessageKind;
use crate::payload::Payload;
use crate::text::Text;

/// No event: what a function overwrites that is not inlined and finds one.
///
/// Such a function does not return the event, because the compiler would then let it write straight to the place of the
/// caller's result, and so have that in memory for all events: stored by words, loaded by pairs of them, which takes as long
/// as receiving a short message. A place that has a value before is kept apart.
pub(super) const NOTHING: Result<Option<Event<'_>>, ProtocolError> = Ok(None);

/// What has come of a piece, and its payload unless that lies in the piece.
pub(super) type Outcome = (What, Option<Buffer>);

/// How much of a piece was taken, and what has come of it.
pub(super) type Taken = (usize, Option<Outcome>);

/// What a look at the input has found, and how many of its bytes are done with.
pub(super) struct Found {
    pub(super) used: usize,
    pub(super) what: What,
    pub(super) place: Place,
}

pub(super) enum What {
    Nothing,
    Message(MessageKind),
    Chunk {
        kind: MessageKind,
        frame_end: bool,
        last: bool,
    },
    Ping,
    Pong,
    Close(Option<CloseFrame>),
}

/// Where the payload of an event lies.
pub(super) enum Place {
    /// From here up to the last byte used.
    Input(usize),
    Gathered(Buffer),
}

impl Found {
    pub(super) fn gathered(used: usize, (kind, buffer): (MessageKind, Buffer)) -> Self {
        Self {
            used,
            what: What::Message(kind),
            place: Place::Gathered(buffer),
        }
    }

    pub(super) fn nothing(used: usize) -> Self {
        Self {
            used,
            what: What::Nothing,
            place: Place::Input(used),
        }
    }
}

/// Returns the event that was found, if any was.
#[inline]
pub(super) fn event(what: What, payload: Payload<'_>) -> Option<Event<'_>> {
    Some(match what {
        What::Nothing => return None,
        What::Message(kind) => message(kind, payload),
        What::Chunk {
            kind,
            frame_end,
            last,
        } => Event::Chunk(Chunk {
            kind,
            data: payload,
            frame_end,
            last,
        }),
        What::Ping => Event::Ping(payload),
        What::Pong => Event::Pong(payload),
        What::Close(close) => Event::Close(close),
    })
}

/// Returns the event of a message whose text has been checked.
#[inline(always)]
pub(super) fn message(kind: MessageKind, payload: Payload<'_>) -> Event<'_> {
    match kind {
        MessageKind::Text => Event::Text(Text::assume_checked(payload)),
        MessageKind::Binary => Event::Binary(payload),
    }
}

/// Returns the event of a Ping or Pong whose payload lies in the input.
#[inline(always)]
pub(super) fn control(opcode: Opcode, payload: &mut [u8]) -> Event<'_> {
    let payload = Payload::input(payload);
    match opcode {
        Opcode::Ping => Event::Ping(payload),
        _ => Event::Pong(payload),
    }
}
