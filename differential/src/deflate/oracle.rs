//! What RFC 7692 §7.2.2 says of messages, by zlib.

use super::compressed::{TAIL, WINDOW};
use crate::zlib::{Inflate, Step};

/// A receiver of compressed messages.
pub struct Oracle {
    inflate: Inflate,
    takeover: bool,
    /// The last bytes that have come out.
    history: Vec<u8>,
}

/// What becomes of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    Accepted(Vec<u8>),
    /// Taken by a rule beyond the RFC.
    AcceptedBy(Rule, Vec<u8>),
    /// What is wrong, and what came out before that was seen.
    Rejected(&'static str, Vec<u8>),
}

/// What `sansocket` does where the RFC says nothing, or something else.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// A message without any byte is an empty one, and leaves everything as it is. With the tail it would not be DEFLATE:
    /// the first byte of the tail would be the header of a block, and the others half a length.
    NothingIsEmpty,
    /// A message that ends with a block, but for zero bits of its last byte, is complete without the tail, and with it. The next one
    /// begins with a byte.
    EndsWithBlock,
}

/// How a message ends.
enum End {
    /// Within an empty block that the tail completes.
    Tail,
    Block,
}

impl Oracle {
    #[must_use]
    pub fn new(takeover: bool) -> Self {
        Self {
            inflate: Inflate::new(),
            takeover,
            history: Vec::new(),
        }
    }

    /// Decompresses a message. After a rejected one there is none.
    pub fn message(&mut self, payload: &[u8]) -> Verdict {
        if payload.is_empty() {
            return Verdict::AcceptedBy(Rule::NothingIsEmpty, Vec::new());
        }
        if !self.takeover {
            self.history.clear();
            self.inflate.restart(&[]);
        }
        let mut output = Vec::new();
        match self.whole(payload, &mut output) {
            Ok(End::Tail) => Verdict::Accepted(output),
            Ok(End::Block) => Verdict::AcceptedBy(Rule::EndsWithBlock, output),
            Err(wrong) => Verdict::Rejected(wrong, output),
        }
    }

    fn whole(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<End, &'static str> {
        let last = payload.last().map_or(0, |&last| u32::from(last));
        let mut used = 0;
        loop {
            let step = self.step(&payload[used..], output)?;
            used += step.used;
            if step.block_ended && used == payload.len() {
                if step.is_final {
                    return Ok(End::Block); // and the stream is another one
                }
                // With three bits or more, an empty block begins in them, which comes to the same.
                if step.unused < 3 && last >> (8 - step.unused) == 0 {
                    self.inflate.restart(&self.history);
                    return Ok(End::Block);
                }
            }
            if step.used == 0 && step.len == 0 && !step.block_ended {
                break;
            }
        }
        // One byte more shows whether anything begins in the tail.
        let [a, b, c, d] = TAIL;
        let tail = self.step(&[a, b, c, d, 0], output)?;
        match (tail.block_ended, tail.used, tail.len) {
            (true, 4, 0) => Ok(End::Tail),
            (_, _, 1..) => Err("the tail is data"),
            (true, ..) => Err("a block begins in the tail"),
            (false, ..) => Err("ends inside a block"),
        }
    }

    /// Decompresses up to the end of a block, or as far as it goes.
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Step, &'static str> {
        let mut room = [0; 16 << 10];
        let step = self.inflate.step(input, &mut room);
        let len = match &step {
            Ok(step) => step.len,
            Err((_, len)) => *len,
        };
        self.push(&room[..len], output);
        let step = step.map_err(|(wrong, _)| wrong)?;
        if step.block_ended && step.is_final {
            // Another stream follows, with the same history (RFC 7692 §7.2.3.4).
            self.inflate.restart(&self.history);
        }
        Ok(step)
    }

    fn push(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(bytes);
        self.history.extend_from_slice(bytes);
        let old = self.history.len().saturating_sub(WINDOW);
        self.history.drain(..old);
    }
}
