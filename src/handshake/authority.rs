//! The host and port of a URI or of the header `Host` (RFC 3986 §3.2).

use core::net::Ipv6Addr;

use memchr::memrchr;

use super::set::Set;

/// Splits an authority into its host and what stands behind its last colon.
pub(super) fn split(authority: &str) -> (&str, Option<&str>) {
    let colon = memrchr(b':', authority.as_bytes());
    match colon.and_then(|colon| authority.split_at_checked(colon)) {
        // A colon inside brackets belongs to an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, port.get(1..)),
        _ => (authority, None),
    }
}

/// Tells whether `authority` is a host, with a port or without (RFC 9112 §3.2).
pub(super) fn is_valid(authority: &str) -> bool {
    // Most have no port, and need not be split.
    if is_host(authority) {
        return true;
    }
    let (host, port) = split(authority);
    is_host(host) && port.is_none_or(|port| port.is_empty() || parse_port(port).is_some())
}

/// Tells whether `host` is a name, an IPv4 address or an IPv6 address in brackets, in ASCII
/// (RFC 3986 §3.2.2).
pub(super) fn is_host(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    !host.is_empty() && NAME.has_all(host.as_bytes())
}

/// The characters of a name or an IPv4 address.
static NAME: Set = Set::alphanumeric_and(b"-._~%!$&'()*+,;=");

/// Returns the port if it is a decimal number of 16 bits.
pub(super) fn parse_port(port: &str) -> Option<u16> {
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    port.parse().ok()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    /// RFC 3986 §3.2.2: a name is made of unreserved characters, escapes and "sub-delims".
    #[test]
    fn a_name_is_made_of_these_characters() {
        for byte in 0..=127 {
            let text = char::from(byte).to_string();
            let expected = byte.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=".contains(&text);
            assert_eq!(is_host(&text), expected, "{text:?}");
        }
        assert!(!is_host("\u{e9}"));
    }
}
