//! What lies whole in the input: the frames that have to be fast.

use core::mem;

use crate::config::Delivery;
use crate::connection::event::Event;
use crate::connection::receive::{Receiver, State};
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::message::MessageKind;
use crate::payload::Payload;
use crate::text::Text;
use crate::utf8::Utf8;

impl Receiver {
    /// Returns the next event if it is an unfragmented message that lies whole in `input`, the case that has to be fast.
    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a header ends where the payload begins, within what was used"
    )]
    pub(in crate::connection) fn receive_whole<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Option<Event<'i>> {
        let (kind, start, end) = self.look_for_whole(input)?;
        let (used, rest) = mem::take(input).split_at_mut(end);
        *input = rest;
        let payload = Payload::input(&mut used[start..]);
        Some(match kind {
            MessageKind::Text => Event::Text(Text::assume_checked(payload)),
            MessageKind::Binary => Event::Binary(payload),
        })
    }

    /// Returns the next event if it is a Ping or Pong that lies whole in `input`, be a message in progress or not.
    pub(in crate::connection) fn receive_control<'i>(
        &mut self,
        input: &mut &'i mut [u8],
    ) -> Option<Event<'i>> {
        if !self.begins_frame() {
            return None;
        }
        let (header, start) = FrameHeader::parse_alone::<true>(input, self.role)?;
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
        let payload = Payload::input(payload);
        Some(match header.opcode {
            Opcode::Ping => Event::Ping(payload),
            _ => Event::Pong(payload),
        })
    }

    /// Tells whether no byte of a payload is awaited, so that nothing comes of no input.
    #[inline]
    pub(in crate::connection) fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Header(_))
    }

    /// Tells whether the next byte begins a frame.
    #[inline]
    fn begins_frame(&self) -> bool {
        matches!(self.state, State::Header(head) if head.len == 0)
    }

    /// Finds and unmasks an unfragmented message that lies whole at the start of `input`, and returns where its payload
    /// begins and ends. `None` leaves it to [`look_for_pieces`](Self::look_for_pieces), also to report what is wrong.
    #[inline]
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
        let (header, start) = FrameHeader::parse_alone::<false>(input, self.role)?;
        if header.len > self.limits.frame.min(self.limits.message) {
            return None;
        }
        let kind = match header.opcode {
            Opcode::Text => MessageKind::Text,
            Opcode::Binary => MessageKind::Binary,
            _ => return None,
        };
        let len = usize::try_from(header.len).ok()?;
        let payload = input.get_mut(start..)?.get_mut(..len)?;
        let ascii = header
            .mask
            .is_some_and(|key| mask::apply_ascii(payload, key, 0));
        if kind == MessageKind::Text && !ascii {
            let mut utf8 = Utf8::new();
            if let Err(error) = utf8.push(payload).and_then(|()| utf8.finish()) {
                self.stop(State::Failed(error));
                return None;
            }
        }
        Some((kind, start, start + len))
    }
}
