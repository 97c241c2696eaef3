//! The message in progress (RFC 6455 §5.4): what it may still cost, and its bytes as they come in.
//!
//! A message that lies whole in one input never gets here, unless it is fragmented. Of any other, each piece of each frame is
//! unmasked as it arrives, and text is checked before the call that brought it returns, so that bad text fails in the call
//! that brings its first bad byte. Either the pieces are gathered here, or they are handed on where they lie and only the
//! counts are kept.

use core::mem;

use crate::buffer::Buffer;
use crate::config::Limits;
#[cfg(feature = "deflate")]
use crate::deflate::Inflater;
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Opcode};
use crate::mask;
use crate::message::MessageKind;
use crate::utf8::Utf8Validator;

/// The message in progress, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    kind: Option<MessageKind>,
    utf8: Utf8Validator,
    fragments: u32,
    empty_fragments: u32,
    control_frames: u32,
    /// The length of all frames whose header has come.
    len: u64,
    gathered: Buffer,
    /// How many of the last bytes of text have not been checked, within a call.
    unchecked: u16,
    /// Whether the payload is compressed.
    #[cfg(feature = "deflate")]
    compressed: bool,
}

/// How long a message will be.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// Its last frame says so.
    Announced(usize),
    /// It may have that many bytes, in all of its frames.
    Within(usize),
}

impl Assembly {
    /// Tells whether a message has begun and not ended.
    #[inline]
    pub(crate) fn is_in_progress(&self) -> bool {
        self.kind.is_some()
    }

    /// Takes in the header of a data frame that [`FrameHeader::check`] has passed.
    pub(crate) fn begin_frame(
        &mut self,
        header: FrameHeader,
        limits: &Limits,
    ) -> Result<(), ProtocolError> {
        match header.opcode {
            Opcode::Text => self.kind = Some(MessageKind::Text),
            Opcode::Binary => self.kind = Some(MessageKind::Binary),
            _ => {}
        }
        #[cfg(feature = "deflate")]
        if header.rsv & FrameHeader::RSV1 != 0 {
            self.compressed = true;
        }
        if header.len > limits.frame {
            return Err(ProtocolError::FrameTooLarge);
        }
        self.len = self.len.saturating_add(header.len);
        // Of a compressed message, what comes out is counted.
        if self.len > limits.message && !self.is_compressed() {
            return Err(ProtocolError::MessageTooLarge);
        }
        if header.fin && header.opcode != Opcode::Continuation {
            return Ok(()); // a message in one frame has no fragments
        }
        self.fragments = self.fragments.saturating_add(1);
        if self.fragments > limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        self.empty_fragments = self
            .empty_fragments
            .saturating_add((header.len == 0).into());
        if self.empty_fragments > limits.empty_fragments {
            return Err(ProtocolError::TooManyEmptyFragments);
        }
        self.control_frames = 0;
        Ok(())
    }

    /// Takes note of a control frame.
    pub(crate) fn interrupt(&mut self, limits: &Limits) -> Result<(), ProtocolError> {
        let more = u32::from(self.is_in_progress());
        self.control_frames = self.control_frames.saturating_add(more);
        if self.control_frames > limits.control_frames {
            return Err(ProtocolError::TooManyControlFrames);
        }
        Ok(())
    }

    /// Returns room for the next `len` bytes of a message that comes to `end`.
    #[inline]
    pub(crate) fn space(&mut self, len: usize, end: End) -> &mut [u8] {
        match end {
            End::Announced(total) => self.gathered.space_towards(len, total),
            End::Within(most) => self.gathered.space_within(len, most),
        }
    }

    /// Unmasks and checks the `len` bytes that have come into [`Assembly::space`], `offset` bytes into their frame.
    #[expect(clippy::indexing_slicing, reason = "the buffer has grown since")]
    pub(crate) fn gather(
        &mut self,
        len: usize,
        key: Option<[u8; 4]>,
        offset: usize,
    ) -> Result<(), ProtocolError> {
        let start = self.gathered.len();
        self.gathered.advance(len);
        let piece = &mut self.gathered[start..];
        unmask(piece, key, offset, self.kind, &mut self.utf8)
    }

    /// Does what [`Assembly::space`] and [`Assembly::gather`] do together with a copy of `piece`, in one pass. Short pieces are
    /// checked later, by [`Assembly::check`].
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "what is not checked is short, and lies together with the piece"
    )]
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        end: End,
        key: Option<[u8; 4]>,
        offset: usize,
    ) -> Result<(), ProtocolError> {
        let text = self.kind == Some(MessageKind::Text);
        let room = self.space(piece.len(), end);
        let ascii = if let Some(key) = key {
            mask::copy_asked(room, piece, key, offset, text)
        } else {
            room.copy_from_slice(piece);
            false
        };
        self.gathered.advance(piece.len());
        if !text || (ascii && self.unchecked == 0 && self.utf8.is_whole()) {
            return Ok(());
        }
        let unchecked = usize::from(self.unchecked) + piece.len();
        self.unchecked = 0;
        if unchecked >= LONG {
            return self.check_last(unchecked);
        }
        self.unchecked = unchecked as u16;
        Ok(())
    }

    /// Checks the text that was not checked when it came: all of a call's together, as one by one its pieces take longer.
    #[inline]
    pub(crate) fn check(&mut self) -> Result<(), ProtocolError> {
        match mem::take(&mut self.unchecked) {
            0 => Ok(()),
            unchecked => self.check_last(unchecked.into()),
        }
    }

    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "they have been gathered"
    )]
    fn check_last(&mut self, len: usize) -> Result<(), ProtocolError> {
        Ok(self
            .utf8
            .push(&self.gathered[self.gathered.len() - len..])?)
    }

    /// Unmasks and checks a piece of the message where it lies, `offset` bytes into its frame.
    pub(crate) fn pass(
        &mut self,
        piece: &mut [u8],
        key: Option<[u8; 4]>,
        offset: usize,
    ) -> Result<(), ProtocolError> {
        unmask(piece, key, offset, self.kind, &mut self.utf8)
    }

    /// Holds a piece of a control frame behind what has been gathered and checked, until [`Assembly::take_held`].
    pub(crate) fn hold(&mut self, piece: &[u8], limits: &Limits) {
        let most = limits.message.saturating_add(FrameHeader::MAX_CONTROL_LEN);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let room = self.gathered.space_within(piece.len(), most);
        room.copy_from_slice(piece);
        self.gathered.advance(piece.len());
    }

    /// Returns the last `len` bytes that are held.
    pub(crate) fn held(&self, len: usize) -> &[u8] {
        let start = self.gathered.len().saturating_sub(len);
        self.gathered.get(start..).unwrap_or_default()
    }

    /// Takes the last `len` bytes that are held.
    pub(crate) fn take_held(&mut self, len: usize) -> Buffer {
        self.gathered.split_last(len)
    }

    /// Tells whether the message in progress is compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn is_compressed(&self) -> bool {
        self.compressed
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "no message is")]
    pub(crate) fn is_compressed(&self) -> bool {
        false
    }

    /// Decompresses and checks a piece of the message, unmasked, until it is used up, `most` bytes are gathered, or `budget`
    /// bytes have come out; returns how much of the piece was used and takes from the budget. A message of more than `limit`
    /// bytes fails as soon as that many have come out.
    #[cfg(feature = "deflate")]
    #[expect(clippy::indexing_slicing, reason = "the buffer has grown since")]
    pub(crate) fn inflate(
        &mut self,
        inflater: &mut Inflater,
        piece: &[u8],
        most: usize,
        limit: u64,
        budget: &mut usize,
    ) -> Result<usize, ProtocolError> {
        let start = self.gathered.len();
        let used = inflater.inflate(piece, &mut self.gathered, most, limit, *budget);
        *budget = budget.saturating_sub(self.gathered.len().saturating_sub(start));
        if self.kind == Some(MessageKind::Text) {
            self.utf8.push(&self.gathered[start..])?;
        }
        used
    }

    /// Returns what has been gathered and begins to gather anew.
    #[cfg(feature = "deflate")]
    pub(crate) fn take_gathered(&mut self) -> Buffer {
        mem::take(&mut self.gathered)
    }

    /// Returns how many bytes have been gathered.
    pub(crate) fn gathered(&self) -> usize {
        self.gathered.len()
    }

    /// Returns for how many bytes more there is memory.
    pub(crate) fn spare(&self) -> usize {
        self.gathered.capacity().saturating_sub(self.gathered.len())
    }

    /// Returns the kind of the message in progress; binary if there is none.
    pub(crate) fn kind(&self) -> MessageKind {
        self.kind.unwrap_or(MessageKind::Binary)
    }

    /// Ends the message: checks that text ends with a whole character and returns what was gathered.
    pub(crate) fn finish(&mut self) -> Result<Buffer, ProtocolError> {
        self.check()?;
        let Self { utf8, gathered, .. } = mem::take(self);
        utf8.finish()?;
        Ok(gathered)
    }

    /// Drops the message.
    pub(crate) fn abandon(&mut self) {
        *self = Self::default();
    }
}

/// From how many bytes on text is checked at once, while it is in the CPU's nearest cache.
const LONG: usize = 16 << 10;

/// Unmasks and checks a piece of the message, `offset` bytes into its frame.
#[inline]
fn unmask(
    piece: &mut [u8],
    key: Option<[u8; 4]>,
    offset: usize,
    kind: Option<MessageKind>,
    utf8: &mut Utf8Validator,
) -> Result<(), ProtocolError> {
    let text = kind == Some(MessageKind::Text);
    let ascii = key.is_some_and(|key| mask::apply_asked(piece, key, offset, text));
    check(piece, ascii, kind, utf8)
}

/// Checks a piece of text, unless it is ASCII behind a whole character.
#[inline]
fn check(
    piece: &[u8],
    ascii: bool,
    kind: Option<MessageKind>,
    utf8: &mut Utf8Validator,
) -> Result<(), ProtocolError> {
    if kind != Some(MessageKind::Text) || (ascii && utf8.is_whole()) {
        return Ok(());
    }
    Ok(utf8.push(piece)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(opcode: Opcode, len: u64) -> FrameHeader {
        FrameHeader {
            fin: false,
            rsv: 0,
            opcode,
            mask: None,
            len,
        }
    }

    /// S-03: where a limit is the highest of all numbers, counting stops there and does not overflow.
    #[test]
    fn no_count_overflows() {
        let limits = Limits {
            frame: u64::MAX,
            message: u64::MAX,
            fragments: u32::MAX,
            empty_fragments: u32::MAX,
            control_frames: u32::MAX,
        };
        let mut message = Assembly {
            kind: Some(MessageKind::Binary),
            fragments: u32::MAX,
            empty_fragments: u32::MAX,
            control_frames: u32::MAX,
            len: u64::MAX,
            ..Assembly::default()
        };
        assert_eq!(message.interrupt(&limits), Ok(()));
        for len in [0, u64::MAX >> 1] {
            let header = header(Opcode::Continuation, len);
            assert_eq!(message.begin_frame(header, &limits), Ok(()));
        }
    }

    /// S-03: frames whose lengths add up to more than any number make a message that is too large.
    #[test]
    fn a_sum_beyond_all_numbers_is_too_large() {
        let limits = Limits {
            frame: u64::MAX,
            message: u64::MAX - 1,
            ..Limits::default()
        };
        let mut message = Assembly::default();
        for opcode in [Opcode::Binary, Opcode::Continuation] {
            let header = header(opcode, u64::MAX >> 1);
            assert_eq!(message.begin_frame(header, &limits), Ok(()));
        }
        let third = message.begin_frame(header(Opcode::Continuation, 2), &limits);
        assert_eq!(third, Err(ProtocolError::MessageTooLarge));
    }
}
