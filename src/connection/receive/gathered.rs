//! Messages that do not lie whole in the input: what comes of them is gathered.

use crate::assemble::End;
use crate::buffer::Buffer;
use crate::config::Delivery;
use crate::connection::found::Found;
use crate::connection::partial::Frame;
use crate::connection::receive::{Receiver, State};
use crate::error::ProtocolError;
use crate::frame::FrameHeader;
use crate::message::MessageKind;

impl Receiver {
    /// Tells whether the payload of the frame is gathered as it is.
    pub(super) fn gathers(&self, frame: Frame) -> bool {
        #[cfg(feature = "deflate")]
        if self.message.is_compressed() {
            return false;
        }
        !frame.opcode.is_control() && self.delivery == Delivery::Messages
    }

    /// Finds the next message in `input` if all up to its end is gathered, and takes what is there of it. `Err` leaves what
    /// follows so many bytes to [`look_for_pieces`](Self::look_for_pieces), also to report what is wrong.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "`used` never passes the end of `input`"
    )]
    pub(super) fn look_for_gathered(&mut self, input: &[u8]) -> Result<Found, usize> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            let frame = match self.state {
                State::Payload(frame) if self.gathers(frame) => frame,
                State::Header(head) if head.len == 0 => match self.begin_gathered(rest) {
                    Some((frame, len)) => {
                        used += len;
                        frame
                    }
                    None if rest.is_empty() => return Ok(Found::nothing(used)),
                    None => return Err(used),
                },
                _ => return Err(used),
            };
            let rest = &input[used..];
            let piece = &rest[..frame.share(rest.len())];
            used += piece.len();
            match self.take_piece(frame, piece) {
                Ok(Some(message)) => return Ok(Found::gathered(used, message)),
                Ok(None) if (piece.len() as u64) < frame.remaining => {
                    return Ok(Found::nothing(used));
                }
                Ok(None) => {}
                Err(error) => {
                    self.stop(State::Failed(error));
                    return Err(used);
                }
            }
        }
    }

    /// Begins the data frame whose header lies at the start of `input`, if it is to be gathered; returns the length of the
    /// header, too.
    #[inline]
    fn begin_gathered(&mut self, input: &[u8]) -> Option<(Frame, usize)> {
        let in_message = self.message.is_in_progress();
        let (header, len) = FrameHeader::parse_data(input, self.role, in_message)?;
        let frame = Frame::new(header);
        if !self.gathers(frame) {
            return None;
        }
        if let Err(error) = self.message.begin_frame(header, &self.limits) {
            self.stop(State::Failed(error));
            return None;
        }
        Some((frame, len))
    }

    /// Gathers a piece of a frame; returns the message if that ends with it.
    #[inline(always)]
    pub(super) fn take_piece(
        &mut self,
        frame: Frame,
        piece: &[u8],
    ) -> Result<Option<(MessageKind, Buffer)>, ProtocolError> {
        if !piece.is_empty() {
            self.lent = 0;
            let end = self.end(frame);
            self.message
                .push(piece, end, frame.key, frame.offset.into())?;
        }
        let frame = frame.behind(piece.len());
        if frame.remaining > 0 {
            self.state = State::Payload(frame);
            return Ok(None);
        }
        self.state = State::HEADER;
        if !frame.fin {
            return Ok(None);
        }
        let kind = self.message.kind();
        Ok(Some((kind, self.message.finish()?)))
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
}
