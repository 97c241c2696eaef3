//! Compressed messages: their pieces are inflated as they come.

use crate::config::Delivery;
use crate::connection::partial::Frame;
use crate::connection::receive::ReceiveHalf;
use crate::connection::receive::step::{EventKind, Found, Unborrowed};
use crate::error::ProtocolError;
use crate::mask;

impl ReceiveHalf {
    /// Takes a piece of a compressed message: less than all of it where `budget` is used up, or a chunk is full.
    #[inline(never)] // inlined, it gives the machine 8 KiB of stack, and 100 instructions to each of its calls
    #[expect(clippy::indexing_slicing, reason = "no more is taken than there is")]
    pub(super) fn inflate(
        &mut self,
        frame: Frame,
        piece: &mut [u8],
        budget: &mut usize,
    ) -> Result<usize, ProtocolError> {
        let most = match self.delivery {
            Delivery::Messages => usize::MAX,
            Delivery::Chunks => CHUNK,
        };
        // Where little of a piece is taken at a time, all of it must not be unmasked each time.
        let len = piece.len().min(most).min(*budget);
        self.inflate_some(frame, &mut piece[..len], most, budget)
    }

    /// Returns the message or chunk that the last piece has completed, if it has.
    #[inline(never)] // like `inflate`
    pub(super) fn find_inflated(
        &mut self,
        frame_end: bool,
        last: bool,
    ) -> Result<Option<Found>, ProtocolError> {
        let kind = self.message.kind();
        let in_chunks = self.delivery == Delivery::Chunks;
        let gathered = if last {
            self.inflater.finish(self.takeover == Some(true))?;
            self.message.finish()?
        } else if in_chunks && (frame_end || self.message.gathered() > 0) {
            self.message.take_gathered()
        } else {
            return Ok(None);
        };
        let kind = if in_chunks {
            EventKind::Chunk {
                kind,
                frame_end,
                last,
            }
        } else {
            EventKind::Message(kind)
        };
        Ok(Some((kind, Unborrowed::Gathered(gathered))))
    }

    /// Unmasks a piece and decompresses what it can of it, until `most` bytes are gathered or `budget` is used up; returns how much
    /// that was.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "no more is taken than there is"
    )]
    fn inflate_some(
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
