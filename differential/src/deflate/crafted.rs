//! Messages put together block by block, most of them right, some of them wrong in one place (RFC 1951 §3.2).

use super::bits::{Bits, Code, codes, complete_lens, fixed_codes};
use super::compressed::WINDOW;
use crate::random::Random;

/// Returns `count` messages of one sender.
pub fn messages(random: &mut Random, count: usize, takeover: bool) -> Vec<Vec<u8>> {
    let mut history = 0;
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        if !takeover {
            history = 0;
        }
        let mut message = Message {
            bits: Bits::default(),
            history,
            random,
        };
        message.write();
        history = message.history;
        messages.push(message.bits.into_bytes());
    }
    messages
}

/// A message in the making.
struct Message<'r> {
    bits: Bits,
    /// How many bytes have come out of this sender's messages.
    history: usize,
    random: &'r mut Random,
}

/// One choice out of so many is wrong.
const WRONG: usize = 60;

const STORED: usize = 0;
const FIXED: usize = 1;
const DYNAMIC: usize = 2;
const RESERVED: usize = 3;

const END_OF_BLOCK: usize = 256;

/// The order in which the lengths of the codes for code lengths stand (RFC 1951 §3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

impl Message<'_> {
    fn write(&mut self) {
        for _ in 0..self.random.len(5) {
            let is_final = self.random.one_in(5);
            self.block(is_final);
            if is_final && !self.wrong() {
                self.bits.align(self.random);
            }
        }
        match self.random.below(24) {
            0 => self.end_with_data(),
            1 => self.end_in_header(),
            2 => {} // right behind a block
            3 => {
                self.bits.number(0, 3);
                self.bits.align(self.random);
                self.bits.number(0, 8); // a byte too many
            }
            _ => {
                let is_final = self.random.one_in(8);
                self.header(STORED, is_final);
                self.bits.align(self.random);
            }
        }
    }

    fn wrong(&mut self) -> bool {
        self.random.one_in(WRONG)
    }

    fn header(&mut self, kind: usize, is_final: bool) {
        self.bits.number(is_final.into(), 1);
        self.bits.number(kind, 2);
    }

    fn block(&mut self, is_final: bool) {
        match self.random.below(WRONG) {
            0 => self.header(RESERVED, is_final),
            1..15 => self.stored(is_final),
            15..35 => {
                self.header(FIXED, is_final);
                // Of the codes for distances, each 5 bits long, the last two mean nothing.
                self.symbols(&fixed_codes(), &codes(&[5; 32]));
            }
            _ => {
                self.header(DYNAMIC, is_final);
                self.dynamic();
            }
        }
    }

    fn stored(&mut self, is_final: bool) {
        self.header(STORED, is_final);
        self.bits.align(self.random);
        let len = self.random.len(300);
        let check = if self.wrong() {
            self.random.below(1 << 16)
        } else {
            !len & 0xFFFF
        };
        self.bits.number(len, 16);
        self.bits.number(check, 16);
        for _ in 0..len {
            self.bits.number(self.random.byte().into(), 8);
        }
        self.history += len;
    }

    /// Writes literals and matches, and most of the time the end of the block.
    fn symbols(&mut self, literals: &[Code], distances: &[Code]) {
        let usable = |codes: &[Code]| -> Vec<usize> {
            let symbols = codes.iter().enumerate();
            symbols
                .filter(|(_, code)| code.len > 0)
                .map(|(symbol, _)| symbol)
                .collect()
        };
        let (bytes, lengths): (Vec<_>, Vec<_>) = usable(literals)
            .into_iter()
            .filter(|symbol| *symbol != END_OF_BLOCK)
            .partition(|symbol| *symbol < END_OF_BLOCK);
        let distance_symbols = usable(distances);
        for _ in 0..self.random.len(200) {
            let matches = !lengths.is_empty() && self.random.one_in(2);
            if matches && !distance_symbols.is_empty() {
                let length = self.random.pick(&lengths);
                let distance = self.random.pick(&distance_symbols);
                self.a_match(length, literals[length], distance, distances[distance]);
            } else if !bytes.is_empty() {
                let byte = self.random.pick(&bytes);
                self.bits.code(literals[byte]);
                self.history += 1;
            }
        }
        if !self.wrong() {
            self.bits.code(literals[END_OF_BLOCK]);
        }
    }

    /// Writes a match, unless it would be wrong and should not be.
    fn a_match(&mut self, length: usize, length_code: Code, distance: usize, code: Code) {
        let wrong = self.wrong();
        let (Some((len, len_extra)), Some((far, far_extra))) =
            (length_of(length), distance_of(distance))
        else {
            if wrong {
                self.bits.code(length_code);
                self.bits.code(code);
            }
            return;
        };
        let most = (1 << far_extra) - 1;
        let reach = self.history.min(WINDOW);
        let extra = if wrong {
            // Just beyond what there is, where that can be said.
            (reach + 1).saturating_sub(far).min(most)
        } else if far > reach {
            return;
        } else if self.random.one_in(8) {
            most.min(reach - far)
        } else {
            self.random.below(most.min(reach - far) + 1)
        };
        let more = self.random.below(1 << len_extra);
        self.bits.code(length_code);
        self.bits.number(more, len_extra);
        self.bits.code(code);
        self.bits.number(extra, far_extra);
        self.history += len + more;
    }

    /// Writes a block with codes of its own.
    fn dynamic(&mut self) {
        let literals = self.lens(257, 286, true);
        let distances = self.lens(1, 30, false);
        let (literal_codes, distance_codes) = (codes(&literals), codes(&distances));
        let (mut literals, mut distances) = (literals, distances);
        if self.wrong() {
            let at = self.random.below(literals.len());
            literals[at] = self.random.below(16);
        }
        if self.wrong() {
            let at = self.random.below(distances.len());
            distances[at] = self.random.below(16);
        }
        if self.wrong() {
            literals[END_OF_BLOCK] = 0;
        }
        if self.wrong() {
            let many = self.random.within(287, 288);
            literals.resize(many, 0);
        }
        if self.wrong() {
            let many = self.random.within(31, 32);
            distances.resize(many, 0);
        }
        self.codes(&literals, &distances);
        self.symbols(&literal_codes, &distance_codes);
    }

    /// Returns lengths of codes for `least` to `most` symbols, of which some are in use.
    fn lens(&mut self, least: usize, most: usize, ends_block: bool) -> Vec<usize> {
        let symbols = self.random.within(least, most);
        let mut lens = vec![0; symbols];
        let used = self.random.len(symbols);
        if used < 2 {
            // One code of one bit is right, and so is none at all for distances.
            if ends_block {
                lens[END_OF_BLOCK] = 1;
            } else if used == 1 {
                lens[self.random.below(symbols)] = 1;
            }
            return lens;
        }
        let some = complete_lens(self.random, used, 15);
        let mut free: Vec<_> = (0..symbols).collect();
        for (at, len) in some.into_iter().enumerate() {
            let place = if at == 0 && ends_block {
                END_OF_BLOCK
            } else {
                self.random.below(free.len())
            };
            lens[free.swap_remove(place)] = len;
        }
        lens
    }

    /// Writes the lengths of the codes (RFC 1951 §3.2.7).
    fn codes(&mut self, literals: &[usize], distances: &[usize]) {
        let items = self.items(&[literals, distances].concat());
        let mut used: Vec<_> = items.iter().map(|item| item.symbol).collect();
        used.extend([0, 8]); // two at least
        used.sort_unstable();
        used.dedup();
        let mut lens = [0; 19];
        for (symbol, len) in used.iter().zip(complete_lens(self.random, used.len(), 7)) {
            lens[*symbol] = len;
        }
        let codes = codes(&lens);
        if self.wrong() {
            lens[self.random.below(19)] = self.random.below(8);
        }
        self.counts(literals.len(), distances.len(), &lens);
        for item in items {
            self.bits.code(codes[item.symbol]);
            self.bits.number(item.extra, item.extra_len);
        }
    }

    fn counts(&mut self, literals: usize, distances: usize, lens: &[usize; 19]) {
        let last = ORDER.iter().rposition(|symbol| lens[*symbol] > 0);
        let count = (last.unwrap_or(0) + 1).max(4);
        self.bits.number(literals - 257, 5);
        self.bits.number(distances - 1, 5);
        self.bits.number(count - 4, 4);
        for symbol in &ORDER[..count] {
            self.bits.number(lens[*symbol], 3);
        }
    }

    /// Says lengths one by one, or some of them as repetitions.
    fn items(&mut self, lens: &[usize]) -> Vec<Item> {
        let mut items = Vec::new();
        let repeats = self.random.below(4) > 0;
        let mut at = 0;
        while at < lens.len() {
            let len = lens[at];
            let run = lens[at..].iter().take_while(|other| **other == len).count();
            let same = at > 0 && lens[at - 1] == len;
            let too_far = self.wrong();
            let (item, count) = match run {
                _ if at == 0 && self.wrong() => (Item::repeat(16, 0, 2), 3),
                11.. if repeats && len == 0 => {
                    let count = self.random.within(11, run.min(138));
                    (Item::repeat(18, count - 11, 7), count)
                }
                3.. if repeats && len == 0 && self.random.one_in(2) => {
                    let count = self.random.within(3, run.min(10));
                    (Item::repeat(17, count - 3, 3), count)
                }
                3.. if repeats && same => {
                    let count = self.random.within(3, run.min(6));
                    (Item::repeat(16, count - 3, 2), count)
                }
                _ if too_far && at + 138 > lens.len() => (Item::repeat(18, 127, 7), 1),
                _ => (Item::repeat(len, 0, 0), 1),
            };
            items.push(item);
            at += count;
        }
        items
    }

    /// Ends in a stored block that lacks a few bytes: what is added to the message becomes its data.
    fn end_with_data(&mut self) {
        let len = self.random.within(1, 6);
        let missing = self.random.within(1, len.min(4));
        let is_final = self.random.one_in(4);
        self.header(STORED, is_final);
        self.bits.align(self.random);
        self.bits.number(len, 16);
        self.bits.number(!len & 0xFFFF, 16);
        for _ in missing..len {
            self.bits.number(self.random.byte().into(), 8);
        }
    }

    /// Ends in the header of a dynamic block, so that what is added to the message becomes the rest of the header and the
    /// end of the block: 16 lengths of 0, the repetition of ten more by a code of ones, and an end of block of ones.
    fn end_in_header(&mut self) {
        let longest = self.random.within(1, 8);
        let mut literals = vec![0; 257];
        for (literal, len) in literals.iter_mut().zip(1..=longest) {
            *literal = len;
        }
        literals[END_OF_BLOCK] = longest;

        let mut lens = [0; 19];
        let mut some = complete_lens(self.random, longest + 1, 6);
        some.sort_unstable();
        lens[0] = 1;
        for (symbol, len) in (1..=longest).chain([17]).zip(some) {
            lens[symbol] = len + 1;
        }
        let codes = codes(&lens);
        let is_final = self.random.one_in(3);

        // Literals of nine bits, so that the message ends with a byte.
        let before = literals.iter().map(|len| codes[*len].len).sum::<usize>();
        let last = ORDER.iter().rposition(|symbol| lens[*symbol] > 0);
        let counts = 14 + 3 * (last.unwrap_or(0) + 1).max(4);
        let end = self.bits.count() + 3 + 7 + 3 + counts + before;
        self.header(FIXED, false);
        let fixed = fixed_codes();
        for _ in 0..(8 - end % 8) % 8 {
            self.bits.code(fixed[200]);
        }
        self.bits.code(fixed[END_OF_BLOCK]);
        self.header(DYNAMIC, is_final);
        self.counts(257, 26, &lens);
        for len in literals {
            self.bits.code(codes[len]);
        }
        debug_assert!(self.bits.count().is_multiple_of(8), "the end of a byte");
    }
}

/// A code length, or the repetition of some.
struct Item {
    symbol: usize,
    extra: usize,
    extra_len: usize,
}

impl Item {
    fn repeat(symbol: usize, extra: usize, extra_len: usize) -> Self {
        Self {
            symbol,
            extra,
            extra_len,
        }
    }
}

/// Returns the shortest length that a symbol stands for, and its extra bits (RFC 1951 §3.2.5).
fn length_of(symbol: usize) -> Option<(usize, usize)> {
    match symbol {
        257..265 => Some((symbol - 254, 0)),
        265..285 => {
            let extra = (symbol - 261) / 4;
            Some((((4 + (symbol - 265) % 4) << extra) + 3, extra))
        }
        285 => Some((258, 0)),
        _ => None,
    }
}

/// Returns the shortest distance that a symbol stands for, and its extra bits (RFC 1951 §3.2.5).
fn distance_of(symbol: usize) -> Option<(usize, usize)> {
    match symbol {
        0..4 => Some((symbol + 1, 0)),
        4..30 => {
            let extra = symbol / 2 - 1;
            Some((((2 + symbol % 2) << extra) + 1, extra))
        }
        _ => None,
    }
}
