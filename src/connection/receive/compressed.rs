//! Compressed messages: their pieces are inflated as they come.

use crate::config::Delivery;
use crate::connection::found::{Taken, What};
use crate::connection::partial::Frame;
use crate::connection::receive::{Receiver, State};
use crate::error::ProtocolError;
use crate::mask;

impl Receiver {
    /// Takes a piece of a compressed message: less than all of it where `budget` is used up, or a chunk is full.
    #[expect(clippy::indexing_slicing, reason = "no more is taken than there is")]
    pub(super) fn compressed_piece(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
        budget: &mut usize,
    ) -> Result<Taken, ProtocolError> {
        let most = if self.delivery == Delivery::Chunks {
            CHUNK
        } else {
            usize::MAX
        };
        // Where little of a piece is taken at a time, all of it must not be unmasked each time.
        let len = piece.len().min(most).min(*budget);
        let taken = self.inflate(frame, &mut piece[..len], most, budget)?;
        let frame = frame.behind(taken);
        let ended = frame.remaining == 0 && !self.inflater.is_full();
        self.state = if ended {
            State::HEADER
        } else {
            State::Payload(frame)
        };
        let kind = self.message.kind();
        let last = ended && frame.fin;
        let gathered = if last {
            self.inflater.finish(self.takeover == Some(true))?;
            self.message.finish()?
        } else if self.delivery == Delivery::Chunks && (ended || self.message.gathered() > 0) {
            self.message.take_gathered()
        } else {
            return Ok((taken, None));
        };
        let what = match self.delivery {
            Delivery::Messages => What::Message(kind),
            Delivery::Chunks => What::Chunk {
                kind,
                frame_end: ended,
                last,
            },
        };
        Ok((taken, Some((what, Some(gathered)))))
    }

    /// Unmasks a piece and decompresses what it can of it, until `most` bytes are gathered or `budget` is used up; returns how much
    /// that was.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "no more is taken than there is"
    )]
    fn inflate(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
        most: usize,
        budget: &mut usize,
    ) -> Result<usize, ProtocolError> {
        let offset = usize::from(frame.offset);
        if let Some(key) = frame.key {
            mask::apply(piece, key, offset);
        }
        let limit = self.limits.message;
        let taken = self
            .message
            .inflate(&mut self.inflater, piece, most, limit, budget)?;
        if let Some(key) = frame.key {
            // What was not taken comes again.
            mask::apply(&mut piece[taken..], key, offset + taken);
        }
        Ok(taken)
    }
}

/// The most that comes out of a compressed message for one chunk, in bytes.
const CHUNK: usize = 64 << 10;
