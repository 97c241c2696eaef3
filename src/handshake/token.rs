//! The building blocks of every header: the token, optional whitespace (RFC 9110 §5.6), and text.

use super::set::Set;

/// Returns `bytes` as text if they are a token: one or more of the characters that separate
/// nothing (RFC 9110 §5.6.2, the same set as in RFC 2616 §2.2).
pub(super) fn token(bytes: &[u8]) -> Option<&str> {
    is_token(bytes).then(|| core::str::from_utf8(bytes).ok())?
}

/// Tells whether `bytes` are a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && TOKEN.has_all(bytes)
}

/// The characters of a token.
pub(super) static TOKEN: Set = Set::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// Tells whether a field value or a reason phrase may have this byte: all but the control characters
/// may stand there, and the tab (RFC 9110 §5.5, RFC 9112 §4).
pub(super) const fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// Returns `bytes` without the spaces and tabs around them.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
