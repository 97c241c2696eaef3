//! The two building blocks of every header: the token, and optional whitespace (RFC 9110 §5.6).

/// Returns `bytes` as text if they are a token: one or more of the characters that separate
/// nothing (RFC 9110 §5.6.2, the same set as in RFC 2616 §2.2).
pub(super) fn token(bytes: &[u8]) -> Option<&str> {
    if bytes.is_empty() || !bytes.iter().copied().all(is_token_byte) {
        return None;
    }
    core::str::from_utf8(bytes).ok()
}

pub(super) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

/// Returns `bytes` without the spaces and tabs around them.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
