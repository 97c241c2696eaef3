//! What has to be fast: frames that lie whole in the input, and input that lies inside of a frame.

use core::mem;

use crate::config::Delivery;
use crate::connection::event::Event;
use crate::connection::partial::{Frame, Head};
use crate::connection::receive::{Receiver, State};
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::message::MessageKind;
use crate::payload::Payload;
use crate::text::Text;
use crate::utf8::Utf8;

impl Receiver {
    /// Returns the next event if it is an unfragmented message that lies whole in `input`, the case that has to be fast.
    ///
    /// What is behind the call returns a slice, which fits in registers: so the event is made where the caller uses it, and
    /// no memory is needed for it, whatever the form of the caller's loop (bench `receive/forms`).
    #[inline(always)]
    pub(in crate::connection) fn receive_whole<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Option<Event<'i>> {
        let is_text = input
            .first()
            .is_some_and(|first| first & 0x0F == Opcode::Text as u8);
        let payload = Payload::input(self.take_whole(input)?);
        Some(if is_text {
            Event::Text(Text::assume_checked(payload))
        } else {
            Event::Binary(payload)
        })
    }

    /// Returns the payload of such a message, which is text if its first byte says so.
    #[inline(never)]
    #[expect(
        clippy::indexing_slicing,
        reason = "a header ends where the payload begins, within what was used"
    )]
    fn take_whole<'i>(&mut self, input: &mut &'i mut [u8]) -> Option<&'i mut [u8]> {
        let (_, start, end) = self.look_for_whole(input)?;
        let (used, rest) = mem::take(input).split_at_mut(end);
        *input = rest;
        Some(&mut used[start..])
    }

    /// Returns the next frame if it is a Ping or Pong that lies whole in `input`, be a message in progress or not: which of
    /// them, and the payload.
    #[inline(always)]
    pub(in crate::connection) fn receive_control<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Option<(Opcode, &'i mut [u8])> {
        if !self.begins_frame() {
            return None;
        }
        let (header, start) = FrameHeader::parse_ping_pong(input, self.role)?;
        let len = usize::try_from(header.len).ok()?;
        if input.get(start..)?.len() < len || self.message.interrupt(&self.limits).is_err() {
            return None;
        }
        let (_, rest) = mem::take(input).split_at_mut(start);
        let (payload, rest) = rest.split_at_mut(len);
        *input = rest;
        if let Some(key) = header.mask {
            mask::apply(payload, key, 0);
        }
        Some((header.opcode, payload))
    }

    /// Takes `input` if no event can come of it: it is nothing, or a byte of a header that goes on, or lies inside of a data
    /// frame that goes on behind it. Tells whether it was taken; `false` leaves it to the others, also to report what is wrong.
    #[inline]
    pub(in crate::connection) fn takes(&mut self, input: &[u8]) -> bool {
        match (&self.state, input) {
            (State::Header(_), []) => true,
            (&State::Header(head), &[byte]) => self.takes_header_byte(head, byte),
            (&State::Payload(frame), _) if (input.len() as u64) < frame.remaining => {
                self.takes_inner(frame, input)
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn takes_header_byte(&mut self, mut head: Head, byte: u8) -> bool {
        let goes_on = matches!(self.header_byte(&mut head, byte), Ok(None));
        if goes_on {
            self.state = State::Header(head);
        }
        goes_on
    }

    #[inline(never)]
    fn takes_inner(&mut self, frame: Frame, input: &[u8]) -> bool {
        if !self.gathers(frame) {
            return false;
        }
        let taken = self.take_piece(frame, input);
        if let Err(error) = taken {
            self.stop(State::Failed(error));
        }
        taken.is_ok()
    }

    /// Tells whether the next byte begins a frame.
    #[inline]
    fn begins_frame(&self) -> bool {
        matches!(self.state, State::Header(head) if head.len == 0)
    }

    /// Finds and unmasks an unfragmented message that lies whole at the start of `input`, and returns where its payload
    /// begins and ends. `None` leaves it to [`look_for_pieces`](Self::look_for_pieces), also to report what is wrong.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a payload ends within the input"
    )]
    pub(super) fn look_for_whole(
        &mut self,
        input: &mut [u8],
    ) -> Option<(MessageKind, usize, usize)> {
        if !self.begins_frame()
            || self.delivery == Delivery::Chunks
            || self.message.is_in_progress()
        {
            return None;
        }
        let (header, start) = FrameHeader::parse_data(input, self.role, false)?;
        if !header.fin || header.len > self.limits.frame.min(self.limits.message) {
            return None;
        }
        let kind = match header.opcode {
            Opcode::Text => MessageKind::Text,
            _ => MessageKind::Binary,
        };
        let len = usize::try_from(header.len).ok()?;
        let payload = input.get_mut(start..)?.get_mut(..len)?;
        let ascii = header
            .mask
            .is_some_and(|key| mask::apply_asked(payload, key, 0, kind == MessageKind::Text));
        if kind == MessageKind::Text
            && !ascii
            && let Err(error) = Utf8::check(payload)
        {
            self.stop(State::Failed(error));
            return None;
        }
        Some((kind, start, start + len))
    }
}
