//! The host and port of a URI or of the header `Host` (RFC 3986 §3.2).

use core::net::Ipv6Addr;

/// Splits an authority into its host and what stands behind its last colon.
pub(super) fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Tells whether `authority` is a host, with a port or without (RFC 9112 §3.2).
pub(super) fn is_valid(authority: &str) -> bool {
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
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || is_host_mark(byte))
}

const fn is_host_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\''..=b',' | b';' | b'='
    )
}

/// Returns the port if it is a decimal number of 16 bits.
pub(super) fn parse_port(port: &str) -> Option<u16> {
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    port.parse().ok()
}
