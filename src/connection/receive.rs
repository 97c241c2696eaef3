//! Receiving (RFC 6455 §6.2): bytes to frames, frames to events.

#[cfg(feature = "deflate")]
mod compressed;
mod shortcuts;
mod space;
mod step;
mod within;

use core::mem;

use bytes::{Buf, BytesMut};

use super::event::Event;
use super::partial::{Frame, PartialHeader};
use crate::assemble::Assembly;
use crate::config::{Config, Delivery, Limits};
#[cfg(feature = "deflate")]
use crate::deflate::Inflater;
use crate::error::{ProtocolError, UnexpectedEof};
use crate::payload::Payload;
use crate::role::Role;
use step::{EventKind, Step, Unborrowed};

/// The receiving half of a connection: it makes events of bytes and answers nothing.
///
/// Between calls it keeps the header of an unfinished frame and the received part of an unfinished message.
#[derive(Debug)]
pub struct ReceiveHalf {
    role: Role,
    delivery: Delivery,
    state: State,
    limits: Limits,
    message: Assembly,
    /// How many bytes of an unfinished control frame's payload are held by `message`.
    control: u8,
    /// For how many bytes the transport has been lent room in `message`, and not said that they have come.
    lent: u16,
    /// Whether the peer compresses with context takeover; `None` unless permessage-deflate was agreed on.
    #[cfg(feature = "deflate")]
    takeover: Option<bool>,
    #[cfg(feature = "deflate")]
    inflater: Inflater,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next byte belongs to a header, of which so much has come.
    Header(PartialHeader),
    /// The next byte belongs to the payload of a frame, or there is none left and the frame is to be ended.
    Payload(Frame),
    /// A Close frame or the end of the stream has come; whatever follows is ignored.
    Over,
    /// The peer broke a rule; nothing is parsed any more.
    Failed(ProtocolError),
}

impl State {
    /// The next byte begins a frame.
    const HEADER: Self = Self::Header(PartialHeader::EMPTY);
}

impl ReceiveHalf {
    /// Returns the receiving half of a server, right behind the opening handshake.
    #[must_use]
    pub fn server(config: &Config) -> Self {
        Self::new(Role::Server, config)
    }

    /// Returns the receiving half of a client, right behind the opening handshake.
    #[must_use]
    pub fn client(config: &Config) -> Self {
        Self::new(Role::Client, config)
    }

    fn new(role: Role, config: &Config) -> Self {
        Self {
            role,
            delivery: config.delivery,
            state: State::HEADER,
            limits: config.limits,
            message: Assembly::default(),
            control: 0,
            lent: 0,
            #[cfg(feature = "deflate")]
            takeover: config
                .deflate
                .map(|params| !params.no_context_takeover(role.peer())),
            #[cfg(feature = "deflate")]
            inflater: Inflater::default(),
        }
    }

    /// Returns the next event and advances `input` behind it; `None` when all of `input` is used and more is wanted.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke, once all events before it have been returned. From then on every call fails.
    #[inline(always)] // with `receive_whole`
    pub fn receive<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        if self.is_between_frames() {
            if let Some(event) = self.receive_whole(input) {
                return Ok(Some(event));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        let mut event = NOTHING; // see there
        self.receive_other(input, &mut event);
        event
    }

    #[inline(never)]
    fn receive_other<'i>(&mut self, input: &mut &'i mut [u8], event: &mut Next<'i>) {
        self.receive_any(input, event);
    }

    /// Puts the next event, whatever it is, in the place of [`NOTHING`]; whole messages have been looked for.
    #[inline(always)]
    pub(super) fn receive_any<'i>(&mut self, input: &mut &'i mut [u8], event: &mut Next<'i>) {
        if let Some(gathered) = self.receive_inside(input) {
            *input = &mut [];
            if let Err(error) = gathered {
                *event = Err(error);
            }
        } else if self.is_between_frames()
            && let Some(control) = self.receive_control(input)
        {
            *event = control.map(Some);
        } else {
            let bytes = mem::take(input);
            match self.step(bytes, &mut { UNLIMITED }) {
                Ok(step) => {
                    if let Some(found) = deliver(step, bytes, input) {
                        *event = Ok(Some(found));
                    }
                }
                Err(error) => *event = Err(error),
            }
        }
    }

    /// Does what [`receive`](Self::receive) does with bytes in a [`BytesMut`], and returns events that can be kept.
    ///
    /// A payload that lies whole in `input` is split off it, without a copy.
    ///
    /// # Errors
    ///
    /// Those of [`receive`](Self::receive).
    pub fn receive_bytes(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        self.next_bytes_within(input, &mut { UNLIMITED })
    }

    /// Does what [`next_within`](Self::next_within) does with bytes in a [`BytesMut`].
    pub(super) fn next_bytes_within(
        &mut self,
        input: &mut BytesMut,
        budget: &mut usize,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        let step = match self.next_step(input, budget) {
            Ok(step) => step,
            Err(error) => {
                input.clear();
                return Err(error);
            }
        };
        let mut used = input.split_to(step.used);
        Ok(step.found.map(|(kind, payload)| {
            kind.event(match payload {
                Unborrowed::Input(start) => {
                    used.advance(start);
                    Payload::shared(used)
                }
                Unborrowed::Gathered(buffer) => Payload::gathered(buffer),
            })
        }))
    }

    /// Takes note that the stream has ended: nothing more will come from the peer. Call it when
    /// [`receive`](Self::receive) has returned `None` for the last bytes that were read.
    ///
    /// # Errors
    ///
    /// The place where the stream was cut, if it ended before the peer's Close frame. Only the first call fails, and no
    /// call does once the connection has failed.
    pub fn receive_eof(&mut self) -> Result<(), UnexpectedEof> {
        let cut = match self.state {
            State::Over | State::Failed(_) => return Ok(()),
            State::Header(head) if head.len == 0 => {
                if self.message.is_in_progress() {
                    UnexpectedEof::InMessage
                } else {
                    UnexpectedEof::BetweenMessages
                }
            }
            State::Header(_) | State::Payload(_) => UnexpectedEof::InFrame,
        };
        self.stop(State::Over);
        Err(cut)
    }

    /// Ignores all input from now on.
    pub(super) fn close(&mut self) {
        if !matches!(self.state, State::Failed(_)) {
            self.stop(State::Over);
        }
    }

    /// Tells whether nothing has come of the next frame, so that without input there is nothing to do.
    #[inline]
    pub(super) fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header(head) if head.len == 0)
    }

    /// Goes forward to the end of the next event, by the short cut for whole messages or by the machine.
    fn next_step(&mut self, input: &mut [u8], budget: &mut usize) -> Result<Step, ProtocolError> {
        let whole = if self.is_between_frames() {
            self.look_for_whole(input)
        } else {
            None
        };
        match whole {
            Some((kind, start, used)) => Ok(Step {
                used,
                found: Some((EventKind::Message(kind), Unborrowed::Input(start))),
            }),
            None => self.step(input, budget),
        }
    }

    /// Tells whether a piece that was taken has more to give.
    #[cfg(feature = "deflate")]
    fn has_more(&self) -> bool {
        self.message.is_compressed() && self.inflater.is_full()
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "only a compressed piece has")]
    fn has_more(&self) -> bool {
        false
    }

    /// Enters a state in which nothing is received, and gives all memory back.
    #[cold]
    fn stop(&mut self, state: State) {
        self.state = state;
        self.message.abandon();
        self.control = 0;
        #[cfg(feature = "deflate")]
        self.inflater.release();
    }
}

/// Returns the event that was found in `bytes`, and the rest of them in `input`.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    reason = "a payload begins within what was used"
)]
fn deliver<'i>(step: Step, bytes: &'i mut [u8], input: &mut &'i mut [u8]) -> Option<Event<'i>> {
    let (used, rest) = bytes.split_at_mut(step.used);
    *input = rest;
    let (kind, payload) = step.found?;
    Some(kind.event(match payload {
        Unborrowed::Input(start) => Payload::input(&mut used[start..]),
        Unborrowed::Gathered(buffer) => Payload::gathered(buffer),
    }))
}

/// The result of a call: an event, or none if all of the input is used.
pub(super) type Next<'i> = Result<Option<Event<'i>>, ProtocolError>;

/// No event: what a function overwrites that is not inlined and finds one.
///
/// Such a function does not return the event, because the compiler would then let it write straight to the place of the
/// caller's result, and so have that in memory for all events: stored by words, loaded by pairs of them, which takes as long
/// as receiving a short message. A place that has a value before is kept apart.
pub(super) const NOTHING: Next<'_> = Ok(None);

/// How many bytes may be inflated in a call that receives all that it can.
const UNLIMITED: usize = usize::MAX;
