//! The `ws` and `wss` URIs (RFC 6455 §3).

use alloc::format;
use alloc::string::String;
use core::error::Error;
use core::fmt;

use super::authority;

/// Where a WebSocket connection leads: a `ws` or `wss` URI in its parts (RFC 6455 §3).
///
/// Nothing is normalised: the host, the path and the query are sent as they were given.
///
/// ```
/// use sansocket::handshake::Uri;
///
/// let uri = Uri::parse("wss://example.com/chat?room=1")?;
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("example.com", 443));
/// assert_eq!(uri.resource_name(), "/chat?room=1");
/// # Ok::<(), sansocket::handshake::UriError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Uri {
    secure: bool,
    /// With the brackets of an IPv6 address.
    host: String,
    port: u16,
    resource_name: String,
}

impl Uri {
    /// Parses a URI (RFC 6455 §3).
    ///
    /// The text must be ASCII: the caller turns an international host name into its ASCII form
    /// (IDNA) and escapes the rest as `%xx` of its UTF-8 (RFC 6455 §11.1). The path and the query
    /// may hold any visible ASCII character, also some that RFC 3986 wants escaped but browsers
    /// send, such as `|` and `[`. A query that is empty is dropped, with its `?`.
    ///
    /// # Errors
    ///
    /// Tells which part of the URI is invalid. RFC 6455 §3 has no fragment and no userinfo.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UriError::Character);
        }
        let (scheme, rest) = uri.split_once("://").ok_or(UriError::Scheme)?;
        let secure = if scheme.eq_ignore_ascii_case("wss") {
            true
        } else if scheme.eq_ignore_ascii_case("ws") {
            false
        } else {
            return Err(UriError::Scheme);
        };
        // §3 "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT
        //     be used on these URIs."
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let path = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path);
        if authority.contains('@') {
            return Err(UriError::Userinfo);
        }
        let (host, port) = authority::split(authority);
        if !authority::is_host(host) {
            return Err(UriError::Host);
        }
        let port = match port {
            None | Some("") => default_port(secure),
            // Port 0 asks for any port, which no peer can be reached at.
            Some(port) => {
                (authority::parse_port(port).filter(|&port| port != 0)).ok_or(UriError::Port)?
            }
        };
        // §3 ""/" if the path component is empty", ""?" if the query component is non-empty"
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = match path.split_once('?') {
            Some((path, "")) => path,
            _ => path,
        };
        Ok(Self {
            secure,
            host: host.into(),
            port,
            resource_name: format!("{slash}{path}"),
        })
    }

    /// Tells whether the scheme is `wss`: the connection runs over TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host to connect to, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the port to connect to; if the URI has none, 80 for `ws` and 443 for `wss`.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path and the query, which the request asks for (RFC 6455 §3).
    #[must_use]
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// Returns the value of the header `Host`: the port only if it is not the default of the scheme
    /// (RFC 6455 §4.1).
    #[must_use]
    pub fn host_header(&self) -> String {
        if self.port == default_port(self.secure) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.host_header(), self.resource_name)
    }
}

/// The part of a URI that is not as RFC 6455 §3 has it.
///
/// ```
/// use sansocket::handshake::{Uri, UriError};
///
/// assert_eq!(Uri::parse("ws://example.com/#top"), Err(UriError::Fragment));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UriError {
    /// A character is not ASCII, or is a space or a control character.
    Character,
    /// The scheme is neither `ws` nor `wss`.
    Scheme,
    /// There is a fragment.
    Fragment,
    /// There is a user name or a password.
    Userinfo,
    /// The host is missing or malformed.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "the URI has a character that must be escaped",
            Self::Scheme => "the scheme of the URI is neither ws nor wss",
            Self::Fragment => "the URI has a fragment",
            Self::Userinfo => "the URI has a user name or a password",
            Self::Host => "the host of the URI is missing or malformed",
            Self::Port => "the port of the URI is not between 1 and 65535",
        })
    }
}

impl Error for UriError {}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}
