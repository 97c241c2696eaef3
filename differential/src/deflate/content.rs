//! What messages say before they are compressed.

use crate::random::Random;

const WORDS: [&str; 12] = [
    "the", "socket", "closes", "when", "a", "frame", "of", "naïve", "text", "comes", "late", "—",
];

/// Returns the content of a message: text, something like JSON, noise, runs, or nothing.
pub fn content(random: &mut Random) -> Vec<u8> {
    let most = if random.one_in(8) { 100_000 } else { 3_000 };
    let len = random.len(most);
    let mut content = Vec::with_capacity(len + 40);
    match random.below(8) {
        0 => {}
        1 | 2 => {
            while content.len() < len {
                content.extend(random.pick(&WORDS).bytes());
                content.push(b' ');
            }
        }
        3 | 4 => {
            while content.len() < len {
                let (id, word) = (random.below(1_000), random.pick(&WORDS));
                content.extend(format!("{{\"id\":{id},\"name\":\"{word}\"}},").bytes());
            }
        }
        5 => content = random.bytes(len),
        6 => {
            let few = random.bytes(3);
            content.extend((0..len).map(|_| random.pick(&few)));
        }
        _ => {
            while content.len() < len {
                let run = random.within(1, 1 + len / 2);
                let byte = random.byte();
                content.extend((0..run).map(|_| byte));
            }
        }
    }
    content
}
