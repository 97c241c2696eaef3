//! Text to check and to receive.

use std::iter;

/// Texts whose characters take one byte, two and three, and four.
pub(crate) const ALPHABETS: [(&str, &str); 3] = [
    ("ASCII", "The quick brown fox jumps over the lazy dog. "),
    ("mixed", "Привет, мир и 世界! "),
    ("emoji", "🦀🚀🌍"),
];

/// Returns `size` bytes of text made of `alphabet`, spaces where no character of it fits.
pub(crate) fn repeat(alphabet: &str, size: usize) -> String {
    let mut text = String::with_capacity(size);
    for letter in alphabet.chars().cycle() {
        if text.len() + letter.len_utf8() > size {
            break;
        }
        text.push(letter);
    }
    text.extend(iter::repeat_n(' ', size - text.len()));
    text
}
