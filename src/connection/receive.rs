//! Receiving (RFC 6455 §6.2): bytes to frames, frames to events.

#[cfg(feature = "deflate")]
mod compressed;
mod gathered;
mod space;
mod whole;
mod within;

use core::mem;

use bytes::{Buf, BytesMut};

use super::event::Event;
use super::found::{Found, NOTHING, Outcome, Place, Taken, What, control, event};
use super::partial::{Frame, Head};
use crate::assemble::Assembly;
use crate::close::CloseFrame;
use crate::config::{Config, Delivery, Limits};
#[cfg(feature = "deflate")]
use crate::deflate::{Inflater, Params};
use crate::error::{ProtocolError, UnexpectedEof};
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::payload::Payload;
use crate::role::Role;

/// The receiving half of a connection: it makes events of bytes and answers nothing.
///
/// What it keeps between calls is the head of an unfinished frame and what has come of an unfinished message.
#[derive(Debug)]
pub struct Receiver {
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
    Header(Head),
    /// The next byte belongs to the payload of a frame, or there is none left and the frame is to be ended.
    Payload(Frame),
    /// A Close frame or the end of the stream has come; whatever follows is ignored.
    Over,
    /// The peer broke a rule; nothing is parsed any more.
    Failed(ProtocolError),
}

impl State {
    /// The next byte begins a frame.
    const HEADER: Self = Self::Header(Head::EMPTY);
}

impl Receiver {
    /// Returns the receiving half for `role`, right behind the opening handshake.
    #[must_use]
    pub fn new(role: Role, config: &Config) -> Self {
        Self {
            role,
            delivery: config.delivery,
            state: State::HEADER,
            limits: config.limits,
            message: Assembly::default(),
            control: 0,
            lent: 0,
            #[cfg(feature = "deflate")]
            takeover: None,
            #[cfg(feature = "deflate")]
            inflater: Inflater::default(),
        }
    }

    /// Receives compressed messages, too, as agreed on in the opening handshake (RFC 7692).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, params: Params) -> Self {
        let sender = match self.role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        self.takeover = Some(!params.no_context_takeover(sender));
        self
    }

    /// Returns the next event and advances `input` behind it; `None` when all of `input` is used and more is wanted.
    ///
    /// # Errors
    ///
    /// What the peer did wrong, once all that came before it has been returned. From then on every call fails.
    #[inline(always)] // with `receive_whole`
    pub fn receive<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        if let Some(event) = self.receive_whole(input) {
            return Ok(Some(event));
        }
        let mut event = NOTHING; // see there
        self.receive_other(input, &mut event);
        event
    }

    /// Puts the next event, whatever it is, in the place of [`NOTHING`].
    #[inline(never)]
    fn receive_other<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        event: &mut Result<Option<Event<'i>>, ProtocolError>,
    ) {
        if self.takes(input) {
            *input = &mut [];
        } else if let Some((opcode, payload)) = self.receive_control(input) {
            *event = Ok(Some(control(opcode, payload)));
        } else {
            *event = self.receive_any(input);
        }
    }

    /// Returns the next event, whatever it is; one that has to be fast has been looked for.
    #[inline(never)]
    pub(super) fn receive_any<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        let bytes = mem::take(input);
        match self.look_for_gathered(bytes) {
            Ok(found) => Ok(deliver(found, bytes, input)),
            Err(used) => self.receive_piece(used, bytes, input),
        }
    }

    /// Returns the next event that lies behind the first `used` of `bytes`; `input` is what follows.
    #[inline(never)]
    fn receive_piece<'i>(
        &mut self,
        used: usize,
        bytes: &'i mut [u8],
        input: &mut &'i mut [u8],
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        let found = self.look_for_piece(used, bytes, &mut { UNLIMITED })?;
        Ok(deliver(found, bytes, input))
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
        if self.takes(input) {
            input.clear();
            return Ok(None);
        }
        let found = match self.look(input, budget) {
            Ok(found) => found,
            Err(error) => {
                input.clear();
                return Err(error);
            }
        };
        Ok(event(
            found.what,
            match found.place {
                Place::Input(start) => {
                    let mut used = input.split_to(found.used);
                    used.advance(start);
                    Payload::shared(used)
                }
                Place::Gathered(buffer) => {
                    input.advance(found.used);
                    Payload::gathered(buffer)
                }
            },
        ))
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

    /// Finds the next event in `input` and unmasks its payload; stops where `budget` bytes were inflated.
    fn look(&mut self, input: &mut [u8], budget: &mut usize) -> Result<Found, ProtocolError> {
        match self.look_for_whole(input) {
            Some((kind, start, used)) => Ok(Found {
                used,
                what: What::Message(kind),
                place: Place::Input(start),
            }),
            None => match self.look_for_gathered(input) {
                Ok(found) => Ok(found),
                Err(used) => self.look_for_piece(used, input, budget),
            },
        }
    }

    /// Does what [`look_for_pieces`](Self::look_for_pieces) does, and takes note of an error.
    fn look_for_piece(
        &mut self,
        used: usize,
        input: &mut [u8],
        budget: &mut usize,
    ) -> Result<Found, ProtocolError> {
        let found = self.look_for_pieces(used, input, budget);
        if let Err(error) = found {
            self.stop(State::Failed(error));
        }
        found
    }

    /// Finds the next event in `input`, whatever has come before and wherever the input is cut. Where `budget` bytes were
    /// inflated and more could be, it finds nothing and leaves the rest of the input.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`used` never passes the end of `input`"
    )]
    fn look_for_pieces(
        &mut self,
        mut used: usize,
        input: &mut [u8],
        budget: &mut usize,
    ) -> Result<Found, ProtocolError> {
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Over => return Ok(Found::nothing(input.len())),
                State::Header(head) => match self.header(head, &input[used..])? {
                    Some((header, len)) => {
                        used += len;
                        self.begin_frame(header)?;
                    }
                    None => return Ok(Found::nothing(input.len())),
                },
                // One whose header came in pieces: the others have been looked for.
                State::Payload(frame) if self.gathers(frame) => {
                    let rest = &input[used..];
                    let piece = &rest[..frame.share(rest.len())];
                    used += piece.len();
                    match self.take_piece(frame, piece)? {
                        Some(gathered) => return Ok(Found::gathered(used, gathered)),
                        None if used == input.len() => return Ok(Found::nothing(used)),
                        None => {}
                    }
                }
                State::Payload(frame) => {
                    let start = used;
                    let end = start + frame.share(input.len() - start);
                    let piece = &mut input[start..end];
                    if self.stops(frame, piece, *budget) {
                        return Ok(Found::nothing(start));
                    }
                    let (taken, found) = self.piece(frame, piece, budget)?;
                    used += taken;
                    if let Some((what, gathered)) = found {
                        let place = gathered.map_or(Place::Input(start), Place::Gathered);
                        return Ok(Found { used, what, place });
                    }
                }
            }
        }
    }

    /// Returns the next header and how much of `input` it takes; `None` if it does not end there.
    #[expect(clippy::arithmetic_side_effects, reason = "a place in `input`")]
    fn header(
        &mut self,
        mut head: Head,
        input: &[u8],
    ) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
        if head.len == 0
            && let Ok(Some((header, len))) = FrameHeader::parse(input)
            && self.check(header).is_ok()
        {
            return Ok(Some((header, len)));
        }
        // Byte by byte, so that the first bad byte decides, wherever the input is cut.
        for (i, &byte) in input.iter().enumerate() {
            if let Some(header) = self.header_byte(&mut head, byte)? {
                return Ok(Some((header, i + 1)));
            }
        }
        self.state = State::Header(head);
        Ok(None)
    }

    /// Takes the next byte of a header; returns the header if it ends there.
    #[inline(never)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a header is complete, or wrong, at its greatest length"
    )]
    fn header_byte(&self, head: &mut Head, byte: u8) -> Result<Option<FrameHeader>, ProtocolError> {
        let len = usize::from(head.len);
        head.bytes[len] = byte;
        head.len += 1;
        let bytes = &head.bytes[..=len];
        if len < 2 {
            let in_message = self.message.is_in_progress();
            FrameHeader::check_start(bytes, self.role, self.rsv_in_use(), in_message)?;
        }
        let header = FrameHeader::parse(bytes)?;
        Ok(header.map(|(header, _)| header))
    }

    #[inline]
    fn check(&self, header: FrameHeader) -> Result<(), ProtocolError> {
        header.check(self.role, self.rsv_in_use(), self.message.is_in_progress())
    }

    /// Returns the reserved bits that a negotiated extension gives a meaning.
    #[cfg(feature = "deflate")]
    #[inline]
    fn rsv_in_use(&self) -> u8 {
        if self.takeover.is_some() {
            FrameHeader::RSV1
        } else {
            0
        }
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "there is no extension")]
    fn rsv_in_use(&self) -> u8 {
        0
    }

    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), ProtocolError> {
        if header.opcode.is_control() {
            self.message.interrupt(&self.limits)?;
        } else {
            self.message.begin_frame(header, &self.limits)?;
        }
        self.state = State::Payload(Frame::new(header));
        Ok(())
    }

    /// Takes a piece of a frame; returns how much of it was taken, and what has come of it.
    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "nothing is inflated")
    )]
    fn piece(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
        budget: &mut usize,
    ) -> Result<Taken, ProtocolError> {
        let len = piece.len();
        if frame.opcode.is_control() {
            return Ok((len, self.control_piece(frame, piece)?));
        }
        #[cfg(feature = "deflate")]
        if self.message.is_compressed() {
            return self.compressed_piece(frame, piece, budget);
        }
        Ok((len, self.chunk_piece(frame, piece)?))
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

    /// Tells whether nothing can be made of a piece now: it is empty and the frame goes on, or the budget is used up.
    fn stops(&self, frame: Frame, piece: &[u8], budget: usize) -> bool {
        if piece.is_empty() && !self.has_more() {
            return frame.remaining > 0;
        }
        budget == 0 && self.message.is_compressed() && !frame.opcode.is_control()
    }

    /// Takes a piece of a control frame, which is the whole of it most of the time.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "a control frame has 125 bytes at most"
    )]
    fn control_piece(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
    ) -> Result<Option<Outcome>, ProtocolError> {
        if let Some(key) = frame.key {
            mask::apply(piece, key, frame.offset.into());
        }
        let frame = frame.behind(piece.len());
        let whole = frame.remaining == 0 && self.control == 0;
        if !whole {
            self.message.hold(piece, &self.limits);
            self.control += piece.len() as u8;
        }
        if frame.remaining > 0 {
            if frame.opcode == Opcode::Close {
                CloseFrame::check_start(self.message.held(self.control.into()))?;
            }
            self.state = State::Payload(frame);
            return Ok(None);
        }
        self.state = State::HEADER;
        let held = mem::take(&mut self.control).into();
        let gathered = (!whole).then(|| self.message.take_held(held));
        let what = match frame.opcode {
            Opcode::Ping => What::Ping,
            Opcode::Pong => What::Pong,
            _ => {
                let close = CloseFrame::parse(gathered.as_deref().unwrap_or(piece))?;
                self.stop(State::Over);
                What::Close(close)
            }
        };
        Ok(Some((what, gathered)))
    }

    /// Takes a piece of a data frame that is handed on where it lies.
    fn chunk_piece(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
    ) -> Result<Option<Outcome>, ProtocolError> {
        self.message.pass(piece, frame.key, frame.offset.into())?;
        let kind = self.message.kind();
        let frame = frame.behind(piece.len());
        let ended = frame.remaining == 0;
        self.state = if ended {
            State::HEADER
        } else {
            State::Payload(frame)
        };
        let last = ended && frame.fin;
        if last {
            self.message.finish()?;
        }
        let nothing = piece.is_empty() && !ended;
        let chunk = What::Chunk {
            kind,
            frame_end: ended,
            last,
        };
        Ok((!nothing).then_some((chunk, None)))
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
fn deliver<'i>(found: Found, bytes: &'i mut [u8], input: &mut &'i mut [u8]) -> Option<Event<'i>> {
    let (used, rest) = bytes.split_at_mut(found.used);
    *input = rest;
    let payload = match found.place {
        Place::Input(start) => Payload::input(&mut used[start..]),
        Place::Gathered(buffer) => Payload::gathered(buffer),
    };
    event(found.what, payload)
}

/// How many bytes may be inflated in a call that receives all that it can.
const UNLIMITED: usize = usize::MAX;
