//! Short cuts beside the machine ([`step`](super::step)), for frames that lie whole in the input and input that lies inside of
//! a frame. Where one returns `None`, nothing has changed, and the machine finds what there is.

use core::mem;

use crate::config::Delivery;
use crate::connection::event::Event;
use crate::connection::partial::Route;
use crate::connection::receive::{ReceiveHalf, State};
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::message::MessageKind;
use crate::payload::Payload;
use crate::text::Text;
use crate::utf8::Utf8Validator;

impl ReceiveHalf {
    /// Between two frames, returns the next event if it is an unfragmented message that lies whole in `input`, the case that has
    /// to be fast.
    ///
    /// What is behind the call returns a slice, which fits in registers: so the event is made where the caller uses it, and
    /// no memory is needed for it, whatever the form of the caller's loop (bench `receive/forms`). Without this short cut, a
    /// message of 16 or 125 bytes takes 6 times as long, and one of 1 KiB 2.2 times (`make bench-shortcuts`).
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

    /// Between two frames, unmasks an unfragmented message that lies whole at the start of `input`, and returns where its payload
    /// begins and ends.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a payload ends within the input"
    )]
    pub(super) fn look_for_whole(
        &mut self,
        input: &mut [u8],
    ) -> Option<(MessageKind, usize, usize)> {
        if self.delivery == Delivery::Chunks || self.message.is_in_progress() {
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
        if kind == MessageKind::Text && !ascii && Utf8Validator::check(payload).is_err() {
            if let Some(key) = header.mask {
                mask::apply(payload, key, 0); // as it was
            }
            return None;
        }
        Some((kind, start, start + len))
    }

    /// Between two frames, returns the next event if it is a Ping or Pong that lies whole in `input`, be a message in progress or
    /// not. Without this short cut, a Ping of 32 bytes and its answer take twice as long (`make bench-shortcuts`).
    #[inline(always)]
    pub(super) fn receive_control<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Option<Result<Event<'i>, ProtocolError>> {
        let found = self.look_for_control(input);
        Some(match found? {
            Ok((opcode, start, end)) => {
                let (used, rest) = mem::take(input).split_at_mut(end);
                *input = rest;
                let (_, payload) = used.split_at_mut(start);
                let payload = Payload::input(payload);
                Ok(match opcode {
                    Opcode::Ping => Event::Ping(payload),
                    _ => Event::Pong(payload),
                })
            }
            Err(error) => {
                self.stop(State::Failed(error));
                Err(error)
            }
        })
    }

    /// Between two frames, unmasks a Ping or Pong that lies whole at the start of `input`, and returns where its payload begins
    /// and ends.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a payload ends within the input"
    )]
    pub(super) fn look_for_control(
        &mut self,
        input: &mut [u8],
    ) -> Option<Result<(Opcode, usize, usize), ProtocolError>> {
        let (header, start) = FrameHeader::parse_ping_pong(input, self.role)?;
        let len = usize::try_from(header.len).ok()?;
        let payload = input.get_mut(start..)?.get_mut(..len)?;
        if let Err(error) = self.message.interrupt(&self.limits) {
            return Some(Err(error));
        }
        if let Some(key) = header.mask {
            mask::apply(payload, key, 0);
        }
        Some(Ok((header.opcode, start, start + len)))
    }

    /// Gathers all of `input` if it lies inside of a data frame that goes on behind it. Without this short cut, reads of 1
    /// and of 64 bytes take 1.8 and 1.6 times as long (`make bench-shortcuts`).
    #[inline]
    pub(super) fn receive_inside(&mut self, input: &[u8]) -> Option<Result<(), ProtocolError>> {
        let State::Payload(frame) = self.state else {
            return None;
        };
        if frame.route != Route::Gather || input.len() as u64 >= frame.remaining {
            return None;
        }
        let gathered = self.gather(frame, input);
        let gathered = gathered.and_then(|()| self.message.check());
        match gathered {
            Ok(()) => self.state = State::Payload(frame.behind(input.len())),
            Err(error) => self.stop(State::Failed(error)),
        }
        Some(gathered)
    }
}
