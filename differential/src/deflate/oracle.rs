//! What RFC 7692 §7.2.2 says of messages, by zlib.

use super::compressed::{TAIL, WINDOW};
use crate::zlib::Inflate;

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
        match self.blocks(&[payload, &TAIL].concat(), payload.len(), &mut output) {
            Ok(()) => Verdict::Accepted(output),
            Err(wrong) => Verdict::Rejected(wrong, output),
        }
    }

    /// Decompresses block by block, and sees where each begins and ends.
    fn blocks(
        &mut self,
        input: &[u8],
        payload: usize,
        output: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let mut room = [0; 16 << 10];
        let (mut used, mut block) = (0, 0);
        loop {
            let (step, len) = match self.inflate.step(&input[used..], &mut room) {
                Ok(step) => (Ok(step), step.len),
                Err((wrong, len)) => (Err(wrong), len),
            };
            self.push(&room[..len], output);
            let step = step?;
            used += step.used;
            if step.block_ended {
                let mut end = 8 * used - step.unused_bits;
                if step.is_final {
                    // The bits up to the end of the byte belong to no block (RFC 7692 §7.2.3.4).
                    end = 8 * used;
                    self.inflate.restart(&self.history);
                }
                if end == 8 * input.len() {
                    return ends_with_empty_block(input, payload, block);
                }
                block = end;
            } else if step.used == 0 && step.len == 0 {
                let wrong = if block <= 8 * payload {
                    "ends inside a block"
                } else {
                    "a block begins in the tail"
                };
                return Err(wrong);
            }
        }
    }

    fn push(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(bytes);
        self.history.extend_from_slice(bytes);
        let old = self.history.len().saturating_sub(WINDOW);
        self.history.drain(..old);
    }
}

/// Checks that the last block, whose first bit is the one at `block`, is stored, and what was added to the payload is its
/// length: the payload has been cut where RFC 7692 §7.2.1 says.
fn ends_with_empty_block(input: &[u8], payload: usize, block: usize) -> Result<(), &'static str> {
    let bit = |at: usize| input[at / 8] >> (at % 8) & 1;
    if bit(block + 1) != 0 || bit(block + 2) != 0 {
        return Err("the tail ends a block that is not stored");
    }
    if (block + 3).div_ceil(8) != payload {
        return Err("the tail is data of a stored block");
    }
    Ok(())
}
