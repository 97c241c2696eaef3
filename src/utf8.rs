//! UTF-8 checked as it arrives (RFC 6455 §8.1, RFC 3629).

use crate::error::ProtocolError;

/// A check of text that comes in pieces; it fails at the first byte that cannot be part of valid UTF-8, however the
/// text is cut.
///
/// ```
/// use sansocket::Utf8;
///
/// let mut text = Utf8::new();
/// text.push(&[0xE2, 0x82])?; // the first two bytes of '€'
/// assert!(text.finish().is_err());
/// text.push(&[0xAC])?;
/// text.finish()?;
/// assert!(text.push(&[0xF4, 0x90]).is_err()); // above U+10FFFF, whatever follows
/// # Ok::<(), sansocket::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8 {
    /// The bytes of a character that has not ended, at most three of them.
    tail: [u8; 3],
    len: u8,
}

impl Utf8 {
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
    /// [`ProtocolError::InvalidUtf8`] if no continuation can make the text valid. The state is unspecified then.
    #[inline]
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), ProtocolError> {
        if self.len > 0 {
            piece = self.complete(piece)?;
        }
        let (body, tail) = split_unfinished(piece);
        if simdutf8::basic::from_utf8(body).is_err() {
            return Err(ProtocolError::InvalidUtf8);
        }
        tail.iter().try_for_each(|&byte| self.begin(byte))
    }

    /// Checks a text that lies whole in `text`.
    #[inline(never)]
    pub(crate) fn check(text: &[u8]) -> Result<(), ProtocolError> {
        simdutf8::basic::from_utf8(text)
            .map(drop)
            .map_err(|_| ProtocolError::InvalidUtf8)
    }

    /// Checks that the text ends with a whole character.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::InvalidUtf8`] if it does not.
    #[inline]
    pub fn finish(self) -> Result<(), ProtocolError> {
        if self.is_whole() {
            Ok(())
        } else {
            Err(ProtocolError::InvalidUtf8)
        }
    }

    /// Tells whether the text so far ends with a whole character, so that an ASCII piece may follow.
    #[inline]
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.len == 0
    }

    /// Ends the unfinished character with bytes from `piece` and returns what is left of it.
    #[cold]
    fn complete<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], ProtocolError> {
        while let Some((&byte, rest)) = piece.split_first().filter(|_| self.len > 0) {
            self.begin(byte)?;
            piece = rest;
        }
        Ok(piece)
    }

    /// Adds `byte` to the unfinished character.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a character that has begun and not ended has three bytes at most"
    )]
    fn begin(&mut self, byte: u8) -> Result<(), ProtocolError> {
        let len = usize::from(self.len);
        let mut character = [self.tail[0], self.tail[1], self.tail[2], 0];
        character[len] = byte;
        match core::str::from_utf8(&character[..=len]) {
            Ok(_) => self.len = 0,
            // The character may still become valid, so this is at most its third byte.
            Err(error) if error.error_len().is_none() => {
                self.tail[len] = byte;
                self.len += 1;
            }
            Err(_) => return Err(ProtocolError::InvalidUtf8),
        }
        Ok(())
    }
}

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
        let mut text = Utf8::new();
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
                            let mut text = Utf8::new();
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

    /// UT-05: a text that ends inside a character is not valid, and one that ends behind it is.
    #[test]
    fn a_text_ends_with_a_whole_character() {
        let bytes = "é€𝄞".as_bytes();
        for end in 0..=bytes.len() {
            let mut text = Utf8::new();
            text.push(&bytes[..end]).expect("a prefix of valid text");
            assert_eq!(
                text.finish().is_ok(),
                core::str::from_utf8(&bytes[..end]).is_ok(),
                "{end}"
            );
        }
    }
}
