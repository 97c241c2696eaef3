//! The head of a client's HTTP request.

use core::fmt;
use core::ops::Range;

use memchr::memchr;

use super::authority;
use super::error::HandshakeError;
use super::head::Head;
use super::head::HeadLimits;
use super::head::HeadReader;
use super::head::Table;
use super::headers::Field;
use super::headers::Headers;
use super::headers::locate;
use super::name;
use super::place::Place;

/// The head of an HTTP request: well-formed, but not yet known to be an opening handshake
/// (RFC 9112 §3).
///
/// [`Server::accept`](super::Server::accept) checks that it is one; before that, the caller can
/// route by the target, authenticate by the headers (RFC 6455 §10.5), or answer a plain request
/// with [`reject`](super::reject).
///
/// ```
/// use sansocket::handshake::{HeadLimits, RequestReader};
///
/// let input = b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n\r\nwhat follows";
/// let (request, used) = RequestReader::new(HeadLimits::default()).receive(input)?.unwrap();
/// assert_eq!(request.method(), "GET");
/// assert_eq!(request.target(), "/chat?room=1");
/// assert_eq!(request.headers().first("host"), Some(&b"example.com"[..]));
/// assert_eq!(&input[used..], b"what follows");
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone)]
pub struct Request {
    method: Range<usize>,
    target: Range<usize>,
    version: HttpVersion,
    headers: Headers,
}

/// Shows the method, the path and the names of the headers. A query is `?…`, because browsers put tokens there, and no value is
/// shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("target", &WithoutQuery(self.target()))
            .field("version", &self.version)
            .field("headers", &self.headers)
            .finish()
    }
}

/// A request target, to be printed with `…` for its query.
pub(super) struct WithoutQuery<'a>(pub(super) &'a str);

impl fmt::Debug for WithoutQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('?') {
            None => fmt::Debug::fmt(self.0, f),
            Some((path, _)) => write!(f, "\"{}?…\"", path.escape_debug()),
        }
    }
}

/// The versions of HTTP that have this form of head (RFC 9112 §2.3).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.0, over which there is no WebSocket (RFC 9110 §7.8).
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl HttpVersion {
    /// Names the version by the digit behind the point, as the parser gives it.
    pub(super) const fn from_minor(minor: u8) -> Option<Self> {
        match minor {
            0 => Some(Self::Http10),
            1 => Some(Self::Http11),
            _ => None,
        }
    }
}

impl Request {
    /// Returns the method, `GET` for an opening handshake.
    #[must_use]
    pub fn method(&self) -> &str {
        self.headers.text(&self.method)
    }

    /// Returns the request target as it was sent (RFC 9112 §3.2).
    #[must_use]
    pub fn target(&self) -> &str {
        self.headers.text(&self.target)
    }

    /// Returns the path and query that the client asks for (RFC 6455 §3), or `None` if the target
    /// is malformed.
    ///
    /// That is the target itself or, if the target is an absolute http, https, ws or wss URI, the
    /// part behind the authority: `/` if there is none. A query must have a path before it.
    #[must_use]
    pub fn resource_name(&self) -> Option<&str> {
        core::str::from_utf8(self.split_target()?.1).ok()
    }

    /// Returns the host and port that the client asks for, as it wrote them: those of an absolute
    /// target, else those of the header `Host` (RFC 9112 §3.2.2). `None` if they are malformed.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        if let Some((Some(authority), _)) = self.split_target() {
            return Some(authority);
        }
        let host = core::str::from_utf8(self.headers.first(name::HOST)?).ok()?;
        authority::is_valid(host).then_some(host)
    }

    /// Returns the version of HTTP.
    #[must_use]
    pub const fn version(&self) -> HttpVersion {
        self.version
    }

    /// Returns the header fields.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Splits the target into the authority, if it has one, and the resource name.
    pub(super) fn split_target(&self) -> Option<(Option<&str>, &[u8])> {
        let target = self.headers.bytes(&self.target);
        // A fragment is no part of a request target, and RFC 6455 §3 has none.
        if memchr(b'#', target).is_some() {
            return None;
        }
        if target.starts_with(b"/") {
            return Some((None, target));
        }
        let (scheme, rest) = self.target().split_once("://")?;
        // Clients behind a proxy name what they ask for as they were given it.
        let schemes = ["http", "https", "ws", "wss"];
        if !(schemes.iter()).any(|known| known.eq_ignore_ascii_case(scheme)) {
            return None;
        }
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        authority::is_valid(authority).then_some((Some(authority), path.as_bytes()))
    }

    fn parse(head: Head) -> Option<Self> {
        let Head { bytes, headers } = head;
        let mut table = Table::new();
        let mut parsed = httparse::Request::new(&mut []);
        let status = parsed.parse_with_uninit_headers(&bytes, table.of(headers));
        if status != Ok(httparse::Status::Complete(bytes.len())) {
            return None;
        }
        // The parser takes any UTF-8 for a target.
        let target = parsed.path.filter(|target| target.is_ascii())?;
        let method = locate(&bytes, parsed.method?.as_bytes());
        let target = locate(&bytes, target.as_bytes());
        let version = HttpVersion::from_minor(parsed.version?)?;
        let fields = Field::locate_all(&bytes, parsed.headers)?;
        Some(Self {
            method,
            target,
            version,
            headers: Headers::new(bytes, fields),
        })
    }
}

/// Reads the head of a request from bytes as they arrive.
///
/// No byte is looked at more than a few times, however the input is cut.
///
/// ```
/// use sansocket::handshake::{HeadLimits, RequestReader};
///
/// let mut reader = RequestReader::new(HeadLimits::default());
/// assert!(reader.receive(b"GET / HTTP/1.1\r\nHost: exam")?.is_none());
/// let (request, used) = reader.receive(b"ple.com\r\n\r\nframes")?.unwrap();
/// assert_eq!(request.target(), "/");
/// assert_eq!(used, b"ple.com\r\n\r\n".len());
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequestReader {
    reader: HeadReader,
}

impl RequestReader {
    /// Creates a reader that has read nothing yet.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            reader: HeadReader::new(limits, Place::REQUEST),
        }
    }

    /// Takes in the next bytes from the client.
    ///
    /// `None`: all of `input` was taken in, and more is wanted. `Some((request, used))`: the head
    /// is complete with the first `used` bytes of `input`; the rest are frames and stay with the
    /// caller.
    ///
    /// # Errors
    ///
    /// The head is longer than a limit allows, or malformed (RFC 9112 §2, §3, §5). The first byte
    /// that no head has at its place gives the error, however the input is cut: bytes of another
    /// protocol are refused without waiting for the end of a head, and TLS is named
    /// ([`HandshakeError::Tls`]). The reader is of no further use then.
    pub fn receive(&mut self, input: &[u8]) -> Result<Option<(Request, usize)>, HandshakeError> {
        self.reader.receive(input, Request::parse)
    }
}
