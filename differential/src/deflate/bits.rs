//! DEFLATE bit by bit (RFC 1951 §3.1.1, §3.2).

use crate::random::Random;

/// Bits that become bytes.
#[derive(Debug, Default)]
pub struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    /// Appends the lowest `len` bits of a number, the lowest first.
    pub fn number(&mut self, number: usize, len: usize) {
        for at in 0..len {
            self.bit(number >> at & 1 == 1);
        }
    }

    /// Appends a code, the highest bit first.
    pub fn code(&mut self, code: Code) {
        for at in (0..code.len).rev() {
            self.bit(code.bits >> at & 1 == 1);
        }
    }

    fn bit(&mut self, bit: bool) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.len % 8);
        }
        self.len += 1;
    }

    /// Goes to the next byte; what is skipped should not matter.
    pub fn align(&mut self, random: &mut Random) {
        let noise = random.one_in(4);
        while !self.len.is_multiple_of(8) {
            self.bit(noise && random.one_in(2));
        }
    }

    /// Returns how many bits have been appended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What stands for a symbol: so many bits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Code {
    pub bits: usize,
    pub len: usize,
}

/// Returns the codes of all symbols from their lengths (RFC 1951 §3.2.2). Lengths that do not fit give codes that collide.
#[must_use]
pub fn codes(lens: &[usize]) -> Vec<Code> {
    let mut next = 0;
    let mut codes = vec![Code::default(); lens.len()];
    for len in 1..16 {
        next <<= 1;
        for (symbol, _) in lens.iter().enumerate().filter(|(_, other)| **other == len) {
            codes[symbol] = Code { bits: next, len };
            next += 1;
        }
    }
    codes
}

/// Returns the fixed codes of literals and lengths (RFC 1951 §3.2.6).
#[must_use]
pub fn fixed_codes() -> Vec<Code> {
    let lens = [(144, 8), (112, 9), (24, 7), (8, 8)];
    codes(&lens.map(|(count, len)| vec![len; count]).concat())
}

/// Returns the lengths of a complete code, of at most `longest` bits, for `count` symbols, of which there are at least two.
pub fn complete_lens(random: &mut Random, count: usize, longest: usize) -> Vec<usize> {
    let mut lens = vec![1, 1];
    let skewed = random.one_in(2);
    while lens.len() < count {
        // Splitting the last leaf again and again gives the longest codes.
        let at = if skewed && random.below(4) > 0 {
            lens.len() - 1
        } else {
            random.below(lens.len())
        };
        let splits = |len: usize| len < longest;
        let Some(at) = (at..lens.len()).chain(0..at).find(|at| splits(lens[*at])) else {
            break;
        };
        lens[at] += 1;
        lens.push(lens[at]);
    }
    lens
}
