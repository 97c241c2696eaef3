//! The grammar of a head, byte by byte (RFC 9112 §2 to §5).

use super::error::HandshakeError;
use super::token::TOKEN;
use super::token::is_text;

/// The place in a head where the next byte stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// Before the request: this many empty lines may still come.
    Before(u8),
    /// Behind the CR of an empty line before the request.
    BeforeLf(u8),
    Method,
    TargetStart,
    Target,
    /// In the version of a request, behind this many of its bytes.
    RequestVersion(usize),
    /// The same in a response, which begins with it.
    ResponseVersion(usize),
    /// In the status, behind this many of its digits.
    Status(u8),
    Reason,
    /// Behind the CR of the request or status line.
    StartLf,
    /// At the start of a header line, or of the empty line.
    Line,
    Name,
    Value,
    /// Behind the CR of a header line.
    ValueLf,
    /// Behind the CR of the empty line.
    EndLf,
    /// Behind the head.
    End,
}

impl Place {
    /// The first place of a request. RFC 9112 §2.2 asks for "at least one" empty line before it.
    pub(super) const REQUEST: Self = Self::Before(4);
    /// The first place of a response. A server has no leave to send empty lines before it
    /// (RFC 9112 §2.1).
    pub(super) const RESPONSE: Self = Self::ResponseVersion(0);

    /// Returns the place behind `byte`.
    ///
    /// # Errors
    ///
    /// No head has this byte at this place.
    pub(super) fn next(self, byte: u8) -> Result<Self, HandshakeError> {
        self.follow(byte).ok_or_else(|| self.fault(byte))
    }

    /// Tells whether the next byte belongs to the request or status line, or to an empty line
    /// before it.
    pub(super) const fn is_in_start_line(self) -> bool {
        !matches!(
            self,
            Self::Line | Self::Name | Self::Value | Self::ValueLf | Self::EndLf | Self::End
        )
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the patterns bound the counts"
    )]
    fn follow(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            // RFC 9112 §3 "request-line = method SP request-target SP HTTP-version"
            (Self::Before(left @ 1..), b'\r') => Self::BeforeLf(left - 1),
            (Self::BeforeLf(left), b'\n') => Self::Before(left),
            (Self::Before(_) | Self::Method, _) if TOKEN.has(byte) => Self::Method,
            (Self::Method, b' ') => Self::TargetStart,
            (Self::TargetStart | Self::Target, b'!'..=b'~') => Self::Target,
            (Self::Target, b' ') => Self::RequestVersion(0),
            (Self::RequestVersion(at), _) if is_version(at, byte) => Self::RequestVersion(at + 1),
            // §4 "status-line = HTTP-version SP status-code SP [ reason-phrase ]"; many servers
            // leave out the second space. Other numbers are no status (RFC 9110 §15).
            (Self::ResponseVersion(at), _) if is_version(at, byte) => Self::ResponseVersion(at + 1),
            (Self::ResponseVersion(VERSION_LEN), b' ') => Self::Status(0),
            (Self::Status(0), b'1'..=b'5') => Self::Status(1),
            (Self::Status(at @ 1..=2), b'0'..=b'9') => Self::Status(at + 1),
            (Self::Status(3), b' ') => Self::Reason,
            (Self::Reason, _) if is_text(byte) => Self::Reason,
            // The end of either line.
            (Self::RequestVersion(VERSION_LEN) | Self::Status(3) | Self::Reason, b'\r') => {
                Self::StartLf
            }
            // §5 "field-line = field-name ":" OWS field-value OWS"
            (Self::StartLf | Self::ValueLf, b'\n') => Self::Line,
            (Self::Line | Self::Name, _) if TOKEN.has(byte) => Self::Name,
            (Self::Name, b':') => Self::Value,
            (Self::Value, _) if is_text(byte) => Self::Value,
            (Self::Value, b'\r') => Self::ValueLf,
            (Self::Line, b'\r') => Self::EndLf,
            (Self::EndLf, b'\n') => Self::End,
            _ => return None,
        })
    }

    /// Names what is wrong with a byte that cannot stand here.
    #[cold]
    fn fault(self, byte: u8) -> HandshakeError {
        match (self, byte) {
            (Self::REQUEST | Self::RESPONSE, TLS_ALERT | TLS_HANDSHAKE) => HandshakeError::Tls,
            // RFC 9112 §2.2 allows a recipient to take a single LF for a line end; we do not,
            // because peers that disagree on where a line ends can be played off.
            (_, b'\n') | (Self::BeforeLf(_) | Self::StartLf | Self::EndLf, _) => {
                HandshakeError::LineEnding
            }
            (Self::RequestVersion(5 | 7), b'0'..=b'9') => HandshakeError::HttpVersion,
            (Self::ResponseVersion(_), _) if byte != b'\r' => HandshakeError::HttpVersion,
            (Self::Line | Self::Name | Self::Value | Self::ValueLf, _) => {
                HandshakeError::HeaderLine
            }
            _ => HandshakeError::StartLine,
        }
    }
}

/// Tells whether `byte` stands behind `at` bytes of a version that has this form of head.
fn is_version(at: usize, byte: u8) -> bool {
    match b"HTTP/1.".get(at) {
        Some(&expected) => byte == expected,
        None => at < VERSION_LEN && matches!(byte, b'0' | b'1'),
    }
}

const VERSION_LEN: usize = "HTTP/1.1".len();

/// The content types with which a TLS connection begins, or ends at once (RFC 8446 §5.1).
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;
