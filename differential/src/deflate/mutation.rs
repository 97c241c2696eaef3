//! Messages with something changed.

use crate::random::Random;

/// Changes something in one message.
pub fn mutate(random: &mut Random, messages: &mut [Vec<u8>]) {
    let from = random.below(messages.len());
    let other = messages[from].clone();
    let at = random.below(messages.len());
    let message = &mut messages[at];
    let len = message.len();
    // Much of what makes a difference stands at the front.
    let near = if random.one_in(2) { len.min(20) } else { len };
    let place = random.below(near + 1);
    match (random.below(9), message.get_mut(place)) {
        (0..3, Some(byte)) => *byte ^= 1 << random.below(8),
        (3, Some(byte)) => *byte = random.byte(),
        (4, _) => message.truncate(place),
        (5, Some(_)) => drop(message.remove(place)),
        (6, Some(_)) => {
            let end = random.within(place, len);
            let again = message[place..end].to_vec();
            message.splice(place..place, again);
        }
        (7, _) => {
            let start = random.below(other.len() + 1);
            message.truncate(place);
            message.extend_from_slice(&other[start..]);
        }
        _ => {
            let count = random.within(1, 5);
            let noise = random.bytes(count);
            message.splice(place..place, noise);
        }
    }
}
