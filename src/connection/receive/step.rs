//! The one machine that receives, whatever has come before and wherever the input is cut.

use core::mem;

use crate::assemble::End;
use crate::buffer::Buffer;
use crate::close::CloseFrame;
use crate::config::Delivery;
use crate::connection::event::{Chunk, Event};
use crate::connection::partial::{Frame, PartialHeader, Route};
use crate::connection::receive::{ReceiveHalf, State};
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::message::MessageKind;
use crate::payload::Payload;
use crate::text::Text;

/// How much of the input is used, and the event that its last bytes have completed.
pub(super) struct Step {
    pub(super) used: usize,
    pub(super) found: Option<Found>,
}

/// An event, and where its payload lies, which is not yet borrowed from there.
pub(super) type Found = (EventKind, Unborrowed);

pub(super) enum EventKind {
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

pub(super) enum Unborrowed {
    /// In the input, from here up to the last byte used.
    Input(usize),
    /// In memory where the pieces were gathered.
    Gathered(Buffer),
}

impl Step {
    fn nothing(used: usize) -> Self {
        Self { used, found: None }
    }

    /// A Ping or Pong whose payload lies in the input.
    fn ping_pong(opcode: Opcode, start: usize, end: usize) -> Self {
        let kind = match opcode {
            Opcode::Ping => EventKind::Ping,
            _ => EventKind::Pong,
        };
        Self {
            used: end,
            found: Some((kind, Unborrowed::Input(start))),
        }
    }
}

impl EventKind {
    /// Returns the event with its payload, which has been checked if it is text.
    pub(super) fn event(self, payload: Payload<'_>) -> Event<'_> {
        match self {
            Self::Message(MessageKind::Text) => Event::Text(Text::assume_checked(payload)),
            Self::Message(MessageKind::Binary) => Event::Binary(payload),
            Self::Chunk {
                kind,
                frame_end,
                last,
            } => Event::Chunk(Chunk {
                kind,
                data: payload,
                frame_end,
                last,
            }),
            Self::Ping => Event::Ping(payload),
            Self::Pong => Event::Pong(payload),
            Self::Close(close) => Event::Close(close),
        }
    }
}

impl ReceiveHalf {
    /// Goes forward in `input` up to the end of the next event, if it has one. Where `budget` bytes were inflated and more could
    /// be, the rest of the input is not used.
    pub(super) fn step(
        &mut self,
        input: &mut [u8],
        budget: &mut usize,
    ) -> Result<Step, ProtocolError> {
        let step = self.run(input, budget);
        if let Err(error) = step {
            // Bad text comes before any other error.
            let error = self.message.check().err().unwrap_or(error);
            self.stop(State::Failed(error));
            return Err(error);
        }
        step
    }

    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`used` never passes the end of `input`"
    )]
    fn run(&mut self, input: &mut [u8], budget: &mut usize) -> Result<Step, ProtocolError> {
        let (mut frame, mut used) = match self.state {
            State::Failed(error) => return Err(error),
            State::Over => return Ok(Step::nothing(input.len())),
            State::Payload(frame) => (frame, 0),
            State::Header(head) => match self.begin_frame(head, input)? {
                Some(begun) => begun,
                None => return Ok(Step::nothing(input.len())),
            },
        };
        // The frame is kept in registers; it is put away where the input ends inside of it, or an event comes before its end.
        self.state = State::HEADER;
        loop {
            let start = used;
            let end = start + frame.share(input.len() - start);
            let piece = &mut input[start..end];
            if frame.route == Route::Gather {
                // Nothing comes of a piece before the message ends.
                self.gather(frame, piece)?;
                used = end;
                frame = frame.behind(end - start);
                if frame.remaining > 0 {
                    self.state = State::Payload(frame);
                    return self.wait(used);
                }
                if frame.fin {
                    return self.end_message(used);
                }
            } else {
                let Some(taken) = self.take(frame, piece, budget)? else {
                    self.state = State::Payload(frame);
                    return Ok(Step::nothing(start));
                };
                used += taken;
                frame = frame.behind(taken);
                let ended = frame.remaining == 0 && !self.has_more();
                let piece = &input[start..used];
                let found = self.find(frame, ended, start, piece)?;
                if found.is_some() {
                    if !ended {
                        self.state = State::Payload(frame);
                    }
                    return Ok(Step { used, found });
                }
                if !ended {
                    continue;
                }
            }
            // A short cut: without it, a Ping behind each fragment costs 1.4 times as much (`make bench-peers`, `pieces`).
            if let Some(control) = self.look_for_control(&mut input[used..]) {
                let (opcode, start, end) = control?;
                self.message.check()?;
                return Ok(Step::ping_pong(opcode, used + start, used + end));
            }
            match self.begin_frame(PartialHeader::EMPTY, &input[used..])? {
                Some((next, len)) => (frame, used) = (next, used + len),
                None => return self.wait(input.len()),
            }
        }
    }

    /// Returns without an event, once the text that has come is checked.
    fn wait(&mut self, used: usize) -> Result<Step, ProtocolError> {
        self.message.check()?;
        Ok(Step::nothing(used))
    }

    /// Returns the message that was gathered.
    fn end_message(&mut self, used: usize) -> Result<Step, ProtocolError> {
        let kind = EventKind::Message(self.message.kind());
        let message = self.message.finish()?;
        let found = Some((kind, Unborrowed::Gathered(message)));
        Ok(Step { used, found })
    }

    /// Takes a piece of a frame; returns how much of it was taken. `None` if nothing can be made of it now: it is empty and the
    /// frame goes on, or the budget is used up.
    #[inline(always)]
    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "nothing is inflated")
    )]
    fn take(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
        budget: &mut usize,
    ) -> Result<Option<usize>, ProtocolError> {
        let len = piece.len();
        match frame.route {
            #[cfg(feature = "deflate")]
            Route::Inflate if self.has_more() || len > 0 => {
                if *budget == 0 {
                    return Ok(None);
                }
                return self.inflate(frame, piece, budget).map(Some);
            }
            _ if len == 0 => return Ok((frame.remaining == 0).then_some(0)),
            Route::Control(opcode) => self.hold(opcode, frame, piece)?,
            _ => self.message.pass(piece, frame.key, frame.offset.into())?,
        }
        Ok(Some(len))
    }

    /// Returns the event that the last piece has completed, if it has; `frame` is what follows that piece.
    #[inline(always)]
    fn find(
        &mut self,
        frame: Frame,
        ended: bool,
        start: usize,
        piece: &[u8],
    ) -> Result<Option<Found>, ProtocolError> {
        let last = ended && frame.fin;
        let kind = self.message.kind();
        match frame.route {
            Route::Control(opcode) if ended => self.end_control(opcode, start, piece).map(Some),
            #[cfg(feature = "deflate")]
            Route::Inflate => self.find_inflated(ended, last),
            Route::Pass => {
                if last {
                    self.message.finish()?;
                }
                let chunk = EventKind::Chunk {
                    kind,
                    frame_end: ended,
                    last,
                };
                Ok(Some((chunk, Unborrowed::Input(start))))
            }
            _ => Ok(None),
        }
    }

    /// Gathers a piece of a frame, to be [checked](crate::assemble::Assembly::check) before the call returns.
    #[inline(always)]
    pub(super) fn gather(&mut self, frame: Frame, piece: &[u8]) -> Result<(), ProtocolError> {
        // These bytes are not those that the transport was lent room for.
        self.lent = 0;
        if piece.is_empty() {
            return Ok(());
        }
        let end = self.end(frame);
        self.message
            .push(piece, end, frame.key, frame.offset.into())
    }

    /// Returns how long the message in progress will be.
    pub(super) fn end(&self, frame: Frame) -> End {
        let in_memory = |len| usize::try_from(len).unwrap_or(usize::MAX);
        if frame.fin {
            let gathered = self.message.gathered();
            End::Announced(in_memory(frame.remaining).saturating_add(gathered))
        } else {
            End::Within(in_memory(self.limits.message))
        }
    }

    /// Holds a piece of a control frame, unless it is the whole of it.
    #[inline(never)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "a control frame has 125 bytes at most"
    )]
    fn hold(
        &mut self,
        opcode: Opcode,
        frame: Frame,
        piece: &mut [u8],
    ) -> Result<(), ProtocolError> {
        if let Some(key) = frame.key {
            mask::apply(piece, key, frame.offset.into());
        }
        let goes_on = frame.remaining > piece.len() as u64;
        if goes_on || self.control > 0 {
            self.message.hold(piece, &self.limits);
            self.control += piece.len() as u8;
        }
        if goes_on && opcode == Opcode::Close {
            CloseFrame::check_start(self.message.held(self.control.into()))?;
        }
        Ok(())
    }

    /// Returns the event of a control frame that has ended with `piece`.
    #[inline(never)]
    fn end_control(
        &mut self,
        opcode: Opcode,
        start: usize,
        piece: &[u8],
    ) -> Result<Found, ProtocolError> {
        let payload = match mem::take(&mut self.control) {
            0 => Unborrowed::Input(start),
            held => Unborrowed::Gathered(self.message.take_held(held.into())),
        };
        let kind = match opcode {
            Opcode::Ping => EventKind::Ping,
            Opcode::Pong => EventKind::Pong,
            _ => {
                let close = CloseFrame::parse(match &payload {
                    Unborrowed::Input(_) => piece,
                    Unborrowed::Gathered(held) => held,
                })?;
                self.stop(State::Over);
                EventKind::Close(close)
            }
        };
        Ok((kind, payload))
    }

    /// Begins the frame whose header goes on, behind `head`, at the start of `input`; returns the length of that, too. `None` if
    /// the header does not end there.
    #[inline(always)]
    fn begin_frame(
        &mut self,
        head: PartialHeader,
        input: &[u8],
    ) -> Result<Option<(Frame, usize)>, ProtocolError> {
        let in_message = self.message.is_in_progress();
        let whole = if head.len == 0 {
            FrameHeader::parse_data(input, self.role, in_message)
        } else {
            None
        };
        let (header, len) = match whole {
            Some(header) => header,
            None => match self.header(head, input)? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        Ok(Some((self.accept(header)?, len)))
    }

    /// Returns the next header and how much of `input` it takes; `None` if it does not end there.
    #[inline(never)]
    #[expect(clippy::arithmetic_side_effects, reason = "a place in `input`")]
    fn header(
        &mut self,
        mut head: PartialHeader,
        input: &[u8],
    ) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
        let in_message = self.message.is_in_progress();
        if head.len == 0
            && let Ok(Some((header, len))) = FrameHeader::parse(input)
            && header
                .check(self.role, self.rsv_in_use(), in_message)
                .is_ok()
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
    pub(super) fn header_byte(
        &self,
        head: &mut PartialHeader,
        byte: u8,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
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

    /// Accepts a header, and decides what becomes of the payload.
    #[inline(always)]
    fn accept(&mut self, header: FrameHeader) -> Result<Frame, ProtocolError> {
        if header.opcode.is_control() {
            self.message.check()?; // what is held of the frame comes behind it
            self.message.interrupt(&self.limits)?;
            return Ok(Frame::new(header, Route::Control(header.opcode)));
        }
        self.message.begin_frame(header, &self.limits)?;
        #[cfg(feature = "deflate")]
        if self.message.is_compressed() {
            return Ok(Frame::new(header, Route::Inflate));
        }
        let route = match self.delivery {
            Delivery::Messages => Route::Gather,
            Delivery::Chunks => Route::Pass,
        };
        Ok(Frame::new(header, route))
    }
}
