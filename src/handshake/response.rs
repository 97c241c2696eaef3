//! The head of a server's HTTP response.

use core::fmt;
use core::ops::Range;

use memchr::memchr;

use super::error::HandshakeError;
use super::head::Head;
use super::head::HeadLimits;
use super::head::HeadReader;
use super::head::Table;
use super::headers::Field;
use super::headers::Headers;
use super::place::Place;
use super::request::HttpVersion;

/// The head of a final HTTP response: well-formed, but not yet known to complete the handshake
/// (RFC 9112 §4).
///
/// [`Client::verify`](super::Client::verify) checks that it does. If the server refused, the status
/// and the headers say why, for instance where to authenticate (RFC 6455 §4.1).
///
/// ```
/// use sansocket::handshake::{HeadLimits, ResponseReader};
///
/// let input = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n:-(";
/// let (response, used) = ResponseReader::new(HeadLimits::default()).receive(input)?.unwrap();
/// assert_eq!((response.status(), response.reason()), (404, &b"Not Found"[..]));
/// assert_eq!(response.headers().first("content-length"), Some(&b"3"[..]));
/// assert_eq!(&input[used..], b":-(");
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone)]
pub struct Response {
    status: u16,
    reason: Range<usize>,
    version: HttpVersion,
    headers: Headers,
}

/// Shows the status and the names of the headers, and no value.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("version", &self.version)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the status, 101 if the server agrees to the upgrade.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the reason phrase, empty if there is none.
    ///
    /// It is bytes because a server may write it in any encoding (RFC 9112 §4 "obs-text").
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.headers.bytes(&self.reason)
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

    fn parse(head: Head) -> Option<Self> {
        let Head { bytes, headers } = head;
        let mut table = Table::new();
        let mut parsed = httparse::Response::new(&mut []);
        let status = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            &bytes,
            table.of(headers),
        );
        if status != Ok(httparse::Status::Complete(bytes.len())) {
            return None;
        }
        // Other numbers are no status at all (RFC 9110 §15).
        let status = parsed.code.filter(|code| (100..600).contains(code))?;
        let version = HttpVersion::from_minor(parsed.version?)?;
        let fields = Field::locate_all(&bytes, parsed.headers)?;
        // The parser gives no reason phrase that has obs-text in it.
        let end = memchr(b'\r', &bytes)?;
        let reason = REASON.min(end)..end;
        Some(Self {
            status,
            reason,
            version,
            headers: Headers::new(bytes, fields),
        })
    }

    /// Tells whether another response follows this one. 101 is final to us: what follows it are
    /// frames.
    fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }
}

/// Reads the head of the final response from bytes as they arrive; skips interim ones
/// (RFC 9110 §15.2).
///
/// No byte is looked at more than a few times, however the input is cut.
///
/// ```
/// use sansocket::handshake::{HeadLimits, ResponseReader};
///
/// let mut reader = ResponseReader::new(HeadLimits::default());
/// assert!(reader.receive(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 ")?.is_none());
/// let (response, used) = reader.receive(b"Busy\r\n\r\nbody")?.unwrap();
/// assert_eq!(response.status(), 503);
/// assert_eq!(used, b"Busy\r\n\r\n".len());
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResponseReader {
    limits: HeadLimits,
    reader: HeadReader,
    interim: usize,
}

impl ResponseReader {
    /// Creates a reader that has read nothing yet. The limits are those of a single head, of which
    /// at most 8 interim ones are taken before the final one.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            reader: HeadReader::new(limits, Place::RESPONSE),
            interim: 0,
        }
    }

    /// Takes in the next bytes from the server.
    ///
    /// `None`: all of `input` was taken in, and more is wanted. `Some((response, used))`: the head
    /// is complete with the first `used` bytes of `input`; the rest are frames, or the body of a
    /// refusal, and stay with the caller.
    ///
    /// # Errors
    ///
    /// The head is longer than a limit allows, or malformed (RFC 9112 §2, §4, §5), or too many
    /// interim responses came before it. The first byte that no head has at its place gives the
    /// error, however the input is cut: bytes of another protocol are refused without waiting for
    /// the end of a head, and TLS is named ([`HandshakeError::Tls`]). The reader is of no further
    /// use then.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory, and few interim responses are read"
    )]
    pub fn receive(&mut self, input: &[u8]) -> Result<Option<(Response, usize)>, HandshakeError> {
        let mut used = 0;
        while let Some(rest) = input.get(used..)
            && let Some((response, end)) = self.reader.receive(rest, Response::parse)?
        {
            used += end;
            if !response.is_interim() {
                return Ok(Some((response, used)));
            }
            self.interim += 1;
            if self.interim > MAX_INTERIM {
                return Err(HandshakeError::TooManyInterim);
            }
            self.reader = HeadReader::new(self.limits, Place::RESPONSE);
        }
        Ok(None)
    }
}

/// Where the reason phrase begins, if there is one.
const REASON: usize = "HTTP/1.1 101 ".len();

/// More than any server sends: one 100, one 102 now and then, a 103 or two.
const MAX_INTERIM: usize = 8;
