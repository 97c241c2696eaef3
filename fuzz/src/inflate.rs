//! DEFLATE (RFC 1951), read naively: bit by bit, in one go, with all that ever came out at hand.

/// What has come out of a stream.
#[derive(Debug, Default)]
pub struct Inflated {
    pub out: Vec<u8>,
    /// The longest way back that anything was copied from.
    pub farthest: usize,
}

impl Inflated {
    /// Inflates blocks that end with a byte, none of them the last of the stream; `None` if they are anything else.
    #[must_use]
    pub fn extend(&mut self, bytes: &[u8]) -> Option<()> {
        let mut bits = Bits { bytes, at: 0 };
        while bits.at < bytes.len() * 8 {
            if bits.number(1)? == 1 {
                return None;
            }
            self.behind_header(&mut bits)?;
        }
        Some(())
    }

    /// Inflates a block of which the first bit has been read.
    fn behind_header(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        match bits.number(2)? {
            0 => self.stored(bits),
            1 => self.block(bits, &fixed(), &Code::new(&[5; 30])),
            2 => {
                let (literals, distances) = dynamic(bits)?;
                self.block(bits, &literals, &distances)
            }
            _ => None,
        }
    }

    /// RFC 1951 §3.2.4.
    fn stored(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        bits.at = bits.at.next_multiple_of(8);
        let len = bits.number(16)?;
        if bits.number(16)? != len ^ 0xFFFF {
            return None;
        }
        let from = bits.at / 8;
        self.out.extend(bits.bytes.get(from..from + len)?);
        bits.at += len * 8;
        Some(())
    }

    /// RFC 1951 §3.2.3, §3.2.5.
    fn block(&mut self, bits: &mut Bits<'_>, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            let symbol = literals.next(bits)?;
            if let Ok(literal) = u8::try_from(symbol) {
                self.out.push(literal);
            } else if symbol == 256 {
                return Some(());
            } else {
                let len = match symbol - 257 {
                    28 => 258,
                    of @ 0..28 => 3 + stepped(of, 4, bits)?,
                    _ => return None,
                };
                let distance = 1 + stepped(distances.next(bits)?, 2, bits)?;
                self.copy(len, distance)?;
            }
        }
    }

    fn copy(&mut self, mut len: usize, distance: usize) -> Option<()> {
        self.farthest = self.farthest.max(distance);
        let from = self.out.len().checked_sub(distance)?;
        while len > 0 {
            // What has been copied may be copied again.
            let piece = len.min(self.out.len() - from);
            self.out.extend_from_within(from..from + piece);
            len -= piece;
        }
        Some(())
    }
}

/// Tells whether a message behind `history` ends with a block, but for zero bits that fill its last byte.
#[must_use]
pub fn ends_with_block(bytes: &[u8], history: &[u8]) -> bool {
    let mut inflated = Inflated {
        out: history.to_vec(),
        farthest: 0,
    };
    let mut bits = Bits { bytes, at: 0 };
    let mut next = || {
        let is_last = bits.number(1)? == 1;
        inflated.behind_header(&mut bits)?;
        if is_last {
            bits.at = bits.at.next_multiple_of(8);
        }
        let left = bytes.len() * 8 - bits.at;
        Some(left < 8 && u32::from(*bytes.last()?) >> (8 - left) == 0)
    };
    loop {
        match next() {
            Some(false) => {}
            ended => return ended.is_some(),
        }
    }
}

/// The tables of lengths and distances: after two rounds of `steps`, each round doubles the step (RFC 1951 §3.2.5).
fn stepped(symbol: usize, steps: usize, bits: &mut Bits<'_>) -> Option<usize> {
    if symbol < 2 * steps {
        return Some(symbol);
    }
    let extra = symbol / steps - 1;
    Some(((steps + symbol % steps) << extra) + bits.number(extra)?)
}

/// RFC 1951 §3.2.6.
fn fixed() -> Code {
    let lens = [[8; 144].as_slice(), &[9; 112], &[7; 24], &[8; 8]];
    Code::new(&lens.concat())
}

/// RFC 1951 §3.2.7.
fn dynamic(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let literals = bits.number(5)? + 257;
    let all = literals + bits.number(5)? + 1;
    let mut lens = [0; 19];
    for &at in &ORDER[..bits.number(4)? + 4] {
        lens[at] = bits.number(3)?;
    }
    let code = Code::new(&lens);
    let mut lens = Vec::new();
    while lens.len() < all {
        let (len, times) = match code.next(bits)? {
            16 => (*lens.last()?, 3 + bits.number(2)?),
            17 => (0, 3 + bits.number(3)?),
            18 => (0, 11 + bits.number(7)?),
            len => (len, 1),
        };
        lens.resize(lens.len() + times, len);
    }
    (lens.len() == all).then(|| (Code::new(&lens[..literals]), Code::new(&lens[literals..])))
}

/// A Huffman code (RFC 1951 §3.2.2): how many symbols have each length, and the symbols in the order of their codes.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lens: &[usize]) -> Self {
        let mut counts = [0; 16];
        for &len in lens {
            counts[len] += 1;
        }
        let mut symbols: Vec<_> = (0..lens.len()).filter(|&symbol| lens[symbol] > 0).collect();
        symbols.sort_by_key(|&symbol| lens[symbol]);
        Self { counts, symbols }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut before) = (0, 0, 0);
        for count in &self.counts[1..] {
            code += bits.number(1)?;
            if code < first + count {
                return self.symbols.get(before + code - first).copied();
            }
            before += count;
            (first, code) = ((first + count) * 2, code * 2);
        }
        None
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Returns the next bits as a number, the lowest bit first.
    fn number(&mut self, bits: usize) -> Option<usize> {
        let mut number = 0;
        for place in 0..bits {
            let byte = usize::from(*self.bytes.get(self.at / 8)?);
            number |= (byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(number)
    }
}
