//! Damage to a stream.

use crate::random::Random;

/// Changes a stream a little, somewhere.
pub fn mutate(random: &mut Random, stream: &mut Vec<u8>) {
    if stream.is_empty() {
        return;
    }
    let at = random.below(stream.len());
    let len = random.within(1, 12).min(stream.len() - at);
    match random.below(7) {
        0 | 1 => stream[at] ^= 1 << random.below(8),
        2 => stream[at] = random.byte(),
        3 => stream.truncate(at),
        4 => drop(stream.drain(at..at + len)),
        5 => {
            let inserted = random.bytes(len);
            stream.splice(at..at, inserted);
        }
        _ => {
            let piece = stream[at..at + len].to_vec();
            let to = random.below(stream.len() + 1);
            let over = if random.one_in(2) { 0 } else { len };
            let end = stream.len().min(to + over);
            stream.splice(to..end, piece);
        }
    }
}
