//! UTF-8 checked as it arrives (RFC 6455 §8.1, RFC 3629).

use core::error::Error;
use core::fmt;

use crate::error::ProtocolError;

/// Bytes are not UTF-8 (RFC 3629).
///
/// Nobody's fault is told by it: where a peer sent them, it becomes [`ProtocolError::InvalidUtf8`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidUtf8;

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes are not UTF-8")
    }
}

impl Error for InvalidUtf8 {}

impl From<InvalidUtf8> for ProtocolError {
    fn from(_: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

/// A check of text that comes in pieces; it fails at the first byte that cannot be part of valid UTF-8, however the
/// text is cut.
///
/// ```
/// use sansocket::Utf8Validator;
///
/// let mut text = Utf8Validator::new();
/// text.push(&[0xE2, 0x82])?; // the first two bytes of '€'
/// assert!(text.finish().is_err());
/// text.push(&[0xAC])?;
/// text.finish()?;
/// assert!(text.push(&[0xF4, 0x90]).is_err()); // above U+10FFFF, whatever follows
/// # Ok::<(), sansocket::InvalidUtf8>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// The bytes of a character that has not ended, at most three of them.
    tail: [u8; 3],
    len: u8,
}

impl Utf8Validator {
    /// Returns the check of an empty text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tail: [0; 3],
            len: 0,
        }
    }

    /// Checks the next piece of the text.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] if no continuation can make the text valid. The state is unspecified then.
    #[inline]
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), InvalidUtf8> {
        if self.len > 0 {
            if piece.len() <= SHORT {
                return self.push_short(piece);
            }
            piece = self.join(piece)?;
            if piece.is_empty() {
                return Ok(());
            }
        }
        let (body, tail) = split_unfinished(piece);
        Self::check(body)?;
        self.keep(tail)
    }

    /// Checks a text that lies whole in `text`.
    #[inline(never)]
    pub(crate) fn check(text: &[u8]) -> Result<(), InvalidUtf8> {
        let mut block;
        let text = if (PADDED_MIN..BLOCK).contains(&text.len()) {
            block = [0; BLOCK];
            let (room, _) = block.split_at_mut(text.len());
            room.copy_from_slice(text);
            &block
        } else {
            text
        };
        simdutf8::basic::from_utf8(text)
            .map(drop)
            .map_err(|_| InvalidUtf8)
    }

    /// Checks that the text ends with a whole character.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] if it does not.
    #[inline]
    pub fn finish(self) -> Result<(), InvalidUtf8> {
        if self.is_whole() {
            Ok(())
        } else {
            Err(InvalidUtf8)
        }
    }

    /// Tells whether the text so far ends with a whole character, so that an ASCII piece may follow.
    #[inline]
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.len == 0
    }

    /// Checks the unfinished character together with the few bytes of `piece`.
    #[inline(never)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "there is room for three bytes and the longest short piece"
    )]
    fn push_short(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        let begun = usize::from(self.len);
        let len = begun + piece.len();
        let mut text = [0; 3 + SHORT];
        text[..3].copy_from_slice(&self.tail);
        // One by one: a call to copy a few bytes takes longer.
        for (to, &byte) in text[begun..].iter_mut().zip(piece) {
            *to = byte;
        }
        self.keep(&text[..len])
    }

    /// Checks the unfinished character together with as many bytes of `piece` as a block has, and returns the rest.
    #[inline(never)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a block has room for three bytes and more; where the body is valid, the tail is of the piece"
    )]
    fn join<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        let begun = usize::from(self.len);
        let taken = piece.len().min(BLOCK - begun);
        let mut block = [0; BLOCK];
        block[..begun].copy_from_slice(&self.tail[..begun]);
        block[begun..begun + taken].copy_from_slice(&piece[..taken]);
        let (body, tail) = split_unfinished(&block[..begun + taken]);
        Self::check(body)?;
        self.len = 0;
        Ok(&piece[taken - tail.len()..])
    }

    /// Checks a few bytes, and keeps those of a character that has not ended.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::indexing_slicing,
        reason = "a character that has not ended has three bytes at most"
    )]
    fn keep(&mut self, text: &[u8]) -> Result<(), InvalidUtf8> {
        let valid = match core::str::from_utf8(text) {
            Ok(_) => text.len(),
            // What is behind may still become valid.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(InvalidUtf8),
        };
        let tail = &text[valid..];
        for (to, &byte) in self.tail.iter_mut().zip(tail) {
            *to = byte;
        }
        self.len = tail.len() as u8;
        Ok(())
    }
}

/// How many bytes `simdutf8` checks at once; it leaves shorter text to the standard library.
const BLOCK: usize = 64;

/// How many bytes behind an unfinished character are checked by the standard library: for one, a block costs twice as much.
const SHORT: usize = 5;

/// From how many bytes on a short text is checked as a block that ends with zeros: 60 bytes of emoji take 17 ns then, where the
/// standard library takes 38 (bench `utf8`).
const PADDED_MIN: usize = 24;

/// Splits off a character at the end that wants more bytes than there are.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "no more is unfinished than there is"
)]
fn split_unfinished(bytes: &[u8]) -> (&[u8], &[u8]) {
    let unfinished = match bytes {
        [.., 0xC0..=0xFF] => 1,
        [.., 0xE0..=0xFF, _] => 2,
        [.., 0xF0..=0xFF, _, _] => 3,
        _ => 0,
    };
    bytes.split_at(bytes.len() - unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The byte at which `bytes`, given one at a time, fail; their length if they do not.
    fn fails_at(bytes: &[u8]) -> usize {
        let mut text = Utf8Validator::new();
        bytes
            .iter()
            .position(|&byte| text.push(&[byte]).is_err())
            .unwrap_or(bytes.len())
    }

    /// Oracle: the shortest prefix that no continuation makes valid, as `core::str` sees it.
    fn oracle(bytes: &[u8]) -> usize {
        (1..=bytes.len())
            .find(|&n| core::str::from_utf8(&bytes[..n]).is_err_and(|e| e.error_len().is_some()))
            .map_or(bytes.len(), |n| n - 1)
    }

    /// UT-02, UT-04, UT-06: all sequences of three bytes behind each lead byte, split everywhere.
    #[test]
    fn every_short_sequence_fails_where_the_standard_library_says() {
        let continuations = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xED, 0xF5, 0xFF,
        ];
        for lead in 0..=255 {
            for a in continuations {
                for b in continuations {
                    for c in continuations {
                        let bytes = [b'x', lead, a, b, c];
                        let expected = oracle(&bytes);
                        assert_eq!(fails_at(&bytes), expected, "{bytes:02x?}");
                        for cut in 0..bytes.len() {
                            let (left, right) = bytes.split_at(cut);
                            let mut text = Utf8Validator::new();
                            let left = text.push(left);
                            assert_eq!(left.is_err(), expected < cut, "{bytes:02x?} at {cut}");
                            if left.is_ok() {
                                assert_eq!(text.push(right).is_err(), expected < bytes.len());
                            }
                        }
                    }
                }
            }
        }
    }

    /// UT-02, UT-04: a text in pieces fails in the piece with its first bad byte, however long the pieces are.
    #[test]
    fn a_text_in_pieces_fails_where_the_standard_library_says() {
        let text = "aé€𝄞Ω😀".repeat(12).into_bytes();
        let lens = [1, 2, 3, 5, 7, 23, 24, 25, 60, 61, 62, 63, 64, 65, 100];
        for (at, bad) in (0..text.len()).flat_map(|at| [(at, 0xFF), (at, 0x80), (at, b'a')]) {
            let mut text = text.clone();
            text[at] = bad;
            let expected = oracle(&text);
            for len in lens {
                let mut utf8 = Utf8Validator::new();
                let failed = text.chunks(len).position(|piece| utf8.push(piece).is_err());
                let expected = (expected < text.len()).then_some(expected / len);
                assert_eq!(failed, expected, "{bad:#x} at {at}, by {len}");
            }
        }
    }

    /// UT-05: a text that ends inside a character is not valid, and one that ends behind it is.
    #[test]
    fn a_text_ends_with_a_whole_character() {
        let bytes = "é€𝄞".as_bytes();
        for end in 0..=bytes.len() {
            let mut text = Utf8Validator::new();
            text.push(&bytes[..end]).expect("a prefix of valid text");
            assert_eq!(
                text.finish().is_ok(),
                core::str::from_utf8(&bytes[..end]).is_ok(),
                "{end}"
            );
        }
    }
}
