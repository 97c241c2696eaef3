//! DEFLATE read and written word for word from RFC 1951, as an oracle for the engines.

/// A symbol of a compressed block (RFC 1951 §3.2.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Symbol {
    Literal(u8),
    Match { len: usize, distance: usize },
}

/// What the sender of a message removes from its end, and the receiver appends (RFC 7692 §7.2).
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The base and the extra bits of the length codes from 257 on.
const LENGTHS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The base and the extra bits of the distance codes.
const DISTANCES: [(usize, u32); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// The order in which the lengths of the code length codes stand (RFC 1951 §3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The code that ends a block.
const END: usize = 256;

/// Returns the code lengths of the fixed alphabets (RFC 1951 §3.2.6).
fn fixed_lengths() -> (Vec<u8>, Vec<u8>) {
    let mut literals = vec![8; 144];
    literals.extend([9; 112]);
    literals.extend([7; 24]);
    literals.extend([8; 8]);
    (literals, vec![5; 32])
}

/// Returns what symbols stand for behind `history`.
pub(crate) fn expand(history: &[u8], symbols: &[Symbol]) -> Vec<u8> {
    let mut all = history.to_vec();
    for symbol in symbols {
        match *symbol {
            Symbol::Literal(byte) => all.push(byte),
            Symbol::Match { len, distance } => {
                for _ in 0..len {
                    all.push(all[all.len() - distance]);
                }
            }
        }
    }
    all.split_off(history.len())
}

/// A block that was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    /// The bit BFINAL.
    pub(crate) last: bool,
    /// The bits BTYPE.
    pub(crate) kind: u32,
    /// How many bytes came out of it.
    pub(crate) len: usize,
    /// The farthest distance; 0 if there is none.
    pub(crate) distance: usize,
}

/// Reads the payload of a message behind `history`, with the tail (RFC 7692 §7.2.2), which must be what is missing of an empty
/// block. If it is not, the payload must end with a block, but for zero bits that fill the last byte. A block with BFINAL must be
/// filled up with zero bits.
pub(crate) fn inflate(
    payload: &[u8],
    history: &[u8],
) -> Result<(Vec<u8>, Vec<Block>), &'static str> {
    match read(&[payload, &TAIL].concat(), history) {
        Ok(read) if read.1.last().is_some_and(|b| (b.kind, b.len) == (0, 0)) => Ok(read),
        _ => read(payload, history),
    }
}

/// Reads blocks until the bytes end.
fn read(bytes: &[u8], history: &[u8]) -> Result<(Vec<u8>, Vec<Block>), &'static str> {
    let mut reader = Reader { bytes, bit: 0 };
    let mut all = history.to_vec();
    let mut blocks = Vec::new();
    while !reader.is_at_end() {
        let start = all.len();
        let last = reader.bits(1)? == 1;
        let kind = reader.bits(2)?;
        let distance = match kind {
            0 => reader.stored(&mut all)?,
            1 => {
                let (literals, distances) = fixed_lengths();
                reader.symbols(&Tree::new(&literals)?, &Tree::new(&distances)?, &mut all)?
            }
            2 => {
                let (literals, distances) = reader.trees()?;
                reader.symbols(&literals, &distances, &mut all)?
            }
            _ => return Err("reserved type of block"),
        };
        if last && reader.align()? != 0 {
            return Err("padding that is not zero");
        }
        blocks.push(Block {
            last,
            kind,
            len: all.len() - start,
            distance,
        });
    }
    Ok((all.split_off(history.len()), blocks))
}

struct Reader<'a> {
    bytes: &'a [u8],
    bit: usize,
}

impl Reader<'_> {
    /// Tells whether nothing is left but zero bits of the last byte.
    fn is_at_end(&self) -> bool {
        let left = 8 * self.bytes.len() - self.bit;
        let last = self.bytes.last().copied().unwrap_or(0);
        left < 8 && u32::from(last) >> (8 - left) == 0
    }

    fn bit(&mut self) -> Result<u32, &'static str> {
        let byte = self.bytes.get(self.bit / 8).ok_or("cut short")?;
        let bit = byte >> (self.bit % 8) & 1;
        self.bit += 1;
        Ok(bit.into())
    }

    /// Reads a number, which begins with its least significant bit.
    fn bits(&mut self, count: u32) -> Result<u32, &'static str> {
        (0..count).try_fold(0, |number, at| Ok(number | self.bit()? << at))
    }

    /// Goes on to the next byte; returns the bits that are skipped.
    fn align(&mut self) -> Result<u32, &'static str> {
        let count = self.bit.next_multiple_of(8) - self.bit;
        self.bits(u32::try_from(count).expect("less than 8"))
    }

    fn stored(&mut self, all: &mut Vec<u8>) -> Result<usize, &'static str> {
        self.align()?;
        let (len, complement) = (self.bits(16)?, self.bits(16)?);
        if len ^ complement != 0xFFFF {
            return Err("lengths that do not match");
        }
        for _ in 0..len {
            all.push(u8::try_from(self.bits(8)?).expect("8 bits"));
        }
        Ok(0)
    }

    fn trees(&mut self) -> Result<(Tree, Tree), &'static str> {
        let literals = self.bits(5)? as usize + 257;
        let distances = self.bits(5)? as usize + 1;
        let count = self.bits(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return Err("too many codes");
        }
        let mut lengths = [0; 19];
        for &at in &ORDER[..count] {
            lengths[at] = u8::try_from(self.bits(3)?).expect("3 bits");
        }
        let tree = Tree::new(&lengths)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&tree)? {
                16 => {
                    let before = *lengths.last().ok_or("nothing to repeat")?;
                    (before, 3 + self.bits(2)?)
                }
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (u8::try_from(length).expect("less than 16"), 1),
            };
            lengths.extend(vec![length; times as usize]);
        }
        if lengths.len() > literals + distances {
            return Err("too many repetitions");
        }
        if lengths[END] == 0 {
            return Err("a block without an end");
        }
        let distances = lengths.split_off(literals);
        Ok((Tree::new(&lengths)?, Tree::new(&distances)?))
    }

    /// Reads the symbols of a block; returns the farthest distance.
    fn symbols(
        &mut self,
        literals: &Tree,
        distances: &Tree,
        all: &mut Vec<u8>,
    ) -> Result<usize, &'static str> {
        let mut farthest = 0;
        loop {
            let symbol = self.symbol(literals)?;
            if symbol == END {
                return Ok(farthest);
            }
            if let Ok(literal) = u8::try_from(symbol) {
                all.push(literal);
                continue;
            }
            let (base, extra) = *LENGTHS.get(symbol - 257).ok_or("no such length")?;
            let len = base + self.bits(extra)? as usize;
            let symbol = self.symbol(distances)?;
            let (base, extra) = *DISTANCES.get(symbol).ok_or("no such distance")?;
            let distance = base + self.bits(extra)? as usize;
            if distance > all.len() {
                return Err("a distance too far");
            }
            for _ in 0..len {
                all.push(all[all.len() - distance]);
            }
            farthest = farthest.max(distance);
        }
    }

    fn symbol(&mut self, tree: &Tree) -> Result<usize, &'static str> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for &count in &tree.counts[1..] {
            code |= self.bit()? as usize;
            if code < first + count {
                return Ok(tree.symbols[index + code - first]);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err("no such code")
    }
}

/// A prefix code, given by the lengths of its codes (RFC 1951 §3.2.2).
struct Tree {
    /// How many codes there are of each length.
    counts: [usize; 16],
    /// The symbols, in the order of their codes.
    symbols: Vec<usize>,
}

impl Tree {
    fn new(lengths: &[u8]) -> Result<Self, &'static str> {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for length in 1..16 {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == length) {
                counts[usize::from(length)] += 1;
                symbols.push(symbol);
            }
        }
        // How much of all codes is used, in those of 15 bits.
        let used: usize = (1..16).map(|length| counts[length] << (15 - length)).sum();
        match used {
            0x8000 => {}
            _ if used > 0x8000 => return Err("too many codes of a length"),
            // §3.2.7: one code of one bit, or none, is how a single distance or no distance is written.
            0 | 0x4000 if symbols.len() < 2 => {}
            _ => return Err("too few codes"),
        }
        Ok(Self { counts, symbols })
    }
}

/// Writes blocks, valid or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// How many bits of the last byte are written; 0 if all are.
    used: u32,
}

impl Writer {
    /// Writes a number, beginning with its least significant bit.
    pub(crate) fn bits(mut self, number: u32, count: u32) -> Self {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = u8::from(number >> at & 1 == 1);
            *self.bytes.last_mut().expect("a byte") |= bit << self.used;
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// Writes a code, beginning with its most significant bit.
    pub(crate) fn code(self, code: u32, count: u32) -> Self {
        (0..count)
            .rev()
            .fold(self, |writer, at| writer.bits(code >> at & 1, 1))
    }

    /// Fills the last byte up.
    pub(crate) fn align(mut self) -> Self {
        self.used = 0;
        self
    }

    /// Writes the header of a block.
    pub(crate) fn header(self, last: bool, kind: u32) -> Self {
        self.bits(last.into(), 1).bits(kind, 2)
    }

    /// Writes a block that is not compressed.
    pub(crate) fn stored(self, last: bool, data: &[u8]) -> Self {
        let len = u16::try_from(data.len()).expect("up to 65,535 bytes");
        let mut writer = self.header(last, 0).align();
        writer.bytes.extend(len.to_le_bytes());
        writer.bytes.extend((!len).to_le_bytes());
        writer.bytes.extend(data);
        writer
    }

    /// Writes a block with the fixed codes.
    pub(crate) fn fixed(self, last: bool, symbols: &[Symbol]) -> Self {
        let (literals, distances) = fixed_lengths();
        self.header(last, 1)
            .symbols(symbols, &literals, &distances)
            .end(last)
    }

    /// Writes a block with codes of its own: for those symbols that it has, and as even as can be.
    pub(crate) fn dynamic(self, last: bool, symbols: &[Symbol]) -> Self {
        let mut literals = vec![0; 257];
        let mut distances = vec![0; 1];
        literals[0] = 1;
        literals[END] = 1;
        for symbol in symbols {
            match *symbol {
                Symbol::Literal(byte) => literals[usize::from(byte)] = 1,
                Symbol::Match { len, distance } => {
                    let (len, _, _) = entry(&LENGTHS, len);
                    literals.resize(literals.len().max(END + 2 + len), 0);
                    literals[END + 1 + len] = 1;
                    let (distance, _, _) = entry(&DISTANCES, distance);
                    distances.resize(distances.len().max(distance + 1), 0);
                    distances[distance] = 1;
                }
            }
        }
        even(&mut literals);
        even(&mut distances);
        self.codes(last, &literals, &distances)
            .symbols(symbols, &literals, &distances)
            .end(last)
    }

    /// Writes the header of a block with these lengths of codes, be they valid or not.
    pub(crate) fn codes(self, last: bool, literals: &[u8], distances: &[u8]) -> Self {
        let mut lengths = [1; 19];
        even(&mut lengths);
        let mut writer = self.code_lengths(last, literals.len(), distances.len(), &lengths);
        let all = [literals, distances].concat();
        let mut at = 0;
        while at < all.len() {
            let run = all[at..].iter().take_while(|l| **l == all[at]).count();
            let repeats = at > 0 && all[at] == all[at - 1];
            at += match (all[at], run) {
                (0, 11..) => {
                    let run = run.min(138);
                    let extra = u32::try_from(run - 11).expect("7 bits");
                    writer = writer.symbol(18, &lengths).bits(extra, 7);
                    run
                }
                (0, 3..) => {
                    let extra = u32::try_from(run - 3).expect("3 bits");
                    writer = writer.symbol(17, &lengths).bits(extra, 3);
                    run
                }
                (_, 3..) if repeats => {
                    let run = run.min(6);
                    let extra = u32::try_from(run - 3).expect("2 bits");
                    writer = writer.symbol(16, &lengths).bits(extra, 2);
                    run
                }
                (length, _) => {
                    writer = writer.symbol(length.into(), &lengths);
                    1
                }
            };
        }
        writer
    }

    /// Writes the start of such a header: how many codes there are, and the lengths of the codes for their lengths.
    pub(crate) fn code_lengths(
        self,
        last: bool,
        literals: usize,
        distances: usize,
        lengths: &[u8; 19],
    ) -> Self {
        let literals = u32::try_from(literals - 257).expect("5 bits");
        let distances = u32::try_from(distances - 1).expect("5 bits");
        let writer = self
            .header(last, 2)
            .bits(literals, 5)
            .bits(distances, 5)
            .bits(15, 4);
        ORDER
            .iter()
            .fold(writer, |writer, &at| writer.bits(lengths[at].into(), 3))
    }

    /// Writes a symbol by its number.
    pub(crate) fn symbol(self, symbol: usize, lengths: &[u8]) -> Self {
        // §3.2.2: shorter codes come first, and those of one length in the order of their symbols.
        let len = lengths[symbol];
        assert!(len > 0, "{symbol} has no code");
        let before = lengths
            .iter()
            .enumerate()
            .filter(|(other, other_len)| **other_len > 0 && (**other_len, *other) < (len, symbol));
        let code: u32 = before.map(|(_, other_len)| 1 << (15 - other_len)).sum();
        self.code(code >> (15 - len), len.into())
    }

    fn symbols(self, symbols: &[Symbol], literals: &[u8], distances: &[u8]) -> Self {
        let mut writer = self;
        for symbol in symbols {
            writer = match *symbol {
                Symbol::Literal(byte) => writer.symbol(byte.into(), literals),
                Symbol::Match { len, distance } => {
                    let (code, extra, count) = entry(&LENGTHS, len);
                    writer = writer.symbol(END + 1 + code, literals).bits(extra, count);
                    let (code, extra, count) = entry(&DISTANCES, distance);
                    writer.symbol(code, distances).bits(extra, count)
                }
            };
        }
        writer.symbol(END, literals)
    }

    /// Goes on to the next byte behind a block with BFINAL (RFC 7692 §7.2.1).
    fn end(self, last: bool) -> Self {
        if last { self.align() } else { self }
    }

    /// Returns the payload of a message: with the header of an empty block at its end, and without the tail.
    pub(crate) fn message(self) -> Vec<u8> {
        self.header(false, 0).bytes
    }

    /// Returns what was written as it is.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.bytes
    }
}

/// Finds the entry of a table for `number`: its index, and the extra bits with their count.
fn entry(table: &[(usize, u32)], number: usize) -> (usize, u32, u32) {
    let at = table.iter().rposition(|(base, _)| *base <= number);
    let at = at.expect("numbers begin with the first base");
    let (base, count) = table[at];
    let extra = u32::try_from(number - base).expect("up to 15 bits");
    assert!(extra < 1 << count, "{number} is out of range");
    (at, extra, count)
}

/// Gives codes to all symbols whose length is not 0, such that none is left over; a single one gets one bit.
fn even(lengths: &mut [u8]) {
    let count = lengths.iter().filter(|length| **length > 0).count();
    let long = u8::try_from(count.max(1).ilog2()).expect("few bits");
    let mut short = (2 << long) - count; // the rest is one bit longer
    for length in lengths.iter_mut().filter(|length| **length > 0) {
        *length = (long + u8::from(short == 0)).max(1);
        short = short.saturating_sub(1);
    }
}
