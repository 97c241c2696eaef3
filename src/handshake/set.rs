//! Sets of bytes.

/// A set of bytes, as a table: what has many ranges is looked up faster than compared.
pub(super) struct Set {
    has: [bool; 256],
}

impl Set {
    /// Creates a set of the letters and the digits, and of these `marks`.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "the compiler calls it, and would tell"
    )]
    pub(super) const fn alphanumeric_and(marks: &[u8]) -> Self {
        let mut has = [false; 256];
        let mut byte = 0u8;
        while byte < 128 {
            has[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < marks.len() {
            has[marks[at] as usize] = true;
            at += 1;
        }
        Self { has }
    }

    /// Tells whether `byte` is in the set.
    #[expect(clippy::indexing_slicing, reason = "there are 256 bytes")]
    pub(super) const fn has(&self, byte: u8) -> bool {
        self.has[byte as usize]
    }

    /// Tells whether all of `bytes` are in the set. It does not stop at the first that is not: to
    /// ask at each byte takes longer where few are wrong.
    pub(super) fn has_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().fold(true, |all, &byte| all & self.has(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_letters_digits_and_marks() {
        let set = Set::alphanumeric_and(b"-\xFF");
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || byte == b'-' || byte == 0xFF;
            assert_eq!(set.has(byte), expected, "{byte:#04x}");
            assert_eq!(set.has_all(&[b'a', byte, b'z']), expected, "{byte:#04x}");
        }
        assert!(set.has_all(b""));
    }
}
