//! What can be wrong with the peer's handshake, and with a head that we are asked to write.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

use super::origin::RejectedOrigin;
#[cfg(feature = "deflate")]
use crate::deflate::NegotiationError;

/// The rule or limit that the peer's opening handshake broke.
///
/// There is no WebSocket connection then, so there is no Close frame to send: a server answers with
/// [`response`](Self::response) and closes the transport, a client closes the transport
/// (RFC 6455 §7.1.7). Variants that name a header carry its name as the RFC spells it.
///
/// ```
/// use sansocket::handshake::HandshakeError;
///
/// let error = HandshakeError::Missing("Sec-WebSocket-Key");
/// assert_eq!(error.to_string(), "the header Sec-WebSocket-Key is missing");
/// assert_eq!(error.status(), 400);
/// assert!(error.response().starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The peer speaks TLS where plain HTTP is expected: its first byte is that of a TLS handshake
    /// or alert (RFC 8446 §5.1), which no head has there.
    Tls,
    /// The head is longer than [`HeadLimits::bytes`](super::HeadLimits::bytes).
    HeadTooLong,
    /// The request or status line is longer than
    /// [`HeadLimits::start_line`](super::HeadLimits::start_line).
    StartLineTooLong,
    /// The head has more header lines than [`HeadLimits::headers`](super::HeadLimits::headers).
    TooManyHeaders,
    /// A line ends in something else than CRLF (RFC 9112 §2.2).
    LineEnding,
    /// The request or status line is malformed (RFC 9112 §3, §4).
    StartLine,
    /// A header line is malformed: folded, a space before the colon, a name that is no token or a
    /// control character in the value (RFC 9112 §5).
    HeaderLine,
    /// The protocol is neither HTTP/1.1 nor HTTP/1.0: a request names another version, or the first
    /// bytes of the server are no HTTP.
    HttpVersion,
    /// The protocol is HTTP/1.0, which knows no upgrade (RFC 9110 §7.8).
    Http10,
    /// The method is not GET (RFC 6455 §4.2.1).
    Method,
    /// The request target is neither a path nor an absolute http, https, ws or wss URI
    /// (RFC 6455 §4.2.1).
    Target,
    /// The request announces a body, which would be taken for frames (RFC 9110 §7.8).
    Body,
    /// The request expects something else than `100-continue`, which asks nothing of a server if
    /// there is no body (RFC 9110 §10.1.1).
    Expectation,
    /// The request has nothing to do with WebSocket, neither `Upgrade: websocket` nor a header
    /// `Sec-WebSocket-…`: an ordinary HTTP request, which the server may answer with a page.
    NotUpgrade,
    /// `Sec-WebSocket-Version` is missing or anything but one 13 (RFC 6455 §4.4).
    UnsupportedVersion,
    /// The server's [`OriginPolicy`](super::OriginPolicy) refuses pages of this origin at this host
    /// (RFC 6455 §10.2). If the host is none that browsers know, a proxy rewrites the header `Host`.
    OriginRejected(Box<RejectedOrigin>),
    /// A header that the handshake needs is missing.
    Missing(&'static str),
    /// A header that may appear once appears again.
    Repeated(&'static str),
    /// The value of a header is not what its grammar, or the handshake, wants.
    Invalid(&'static str),
    /// The server's header names a subprotocol or an extension that the client did not offer
    /// (RFC 6455 §4.1).
    NotOffered(&'static str),
    /// The server's answer to our offers of permessage-deflate is not valid (RFC 7692 §7).
    #[cfg(feature = "deflate")]
    Deflate(NegotiationError),
    /// The server answered with this status instead of 101 (RFC 6455 §4.1).
    Rejected(u16),
    /// The server sent more than 8 interim responses before its final one.
    TooManyInterim,
}

impl HandshakeError {
    /// Returns the HTTP status a server answers with.
    ///
    /// What only a server can do wrong gives 502, the answer of a gateway that stands between the
    /// two.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Tls
            | Self::LineEnding
            | Self::StartLine
            | Self::HeaderLine
            | Self::Target
            | Self::Body
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::Invalid(_) => 400,
            // RFC 6455 §4.2.2 "an appropriate HTTP error code (e.g., 403 Forbidden)"
            Self::OriginRejected(_) => 403,
            Self::Method => 405,
            Self::StartLineTooLong => 414,
            Self::Expectation => 417,
            // RFC 6455 §4.2.2 "an appropriate HTTP error code (such as 426 Upgrade Required)".
            // HTTP/1.0 is mostly a reverse proxy that is not set up for upgrades: 426 says so.
            Self::Http10 | Self::NotUpgrade | Self::UnsupportedVersion => 426,
            Self::HeadTooLong | Self::TooManyHeaders => 431,
            Self::NotOffered(_) | Self::Rejected(_) | Self::TooManyInterim => 502,
            #[cfg(feature = "deflate")]
            Self::Deflate(_) => 502,
            Self::HttpVersion => 505,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Tls => "the peer speaks TLS where plain HTTP is expected",
            Self::HeadTooLong => "the head is too long",
            Self::StartLineTooLong => "the first line of the head is too long",
            Self::TooManyHeaders => "the head has too many header lines",
            Self::LineEnding => "a line of the head does not end in CRLF",
            Self::StartLine => "the first line of the head is malformed",
            Self::HeaderLine => "a header line is malformed",
            Self::HttpVersion => "the protocol is not HTTP/1.1",
            Self::Http10 => {
                "HTTP/1.0 knows no upgrade; a proxy may have to be told to speak HTTP/1.1"
            }
            Self::Method => "the method is not GET",
            Self::Target => "the request target is malformed",
            Self::Body => "the request announces a body",
            Self::Expectation => "the request has an expectation that is not met",
            Self::NotUpgrade => "the request does not ask for an upgrade to websocket",
            Self::UnsupportedVersion => "the version of the WebSocket protocol is not 13",
            Self::TooManyInterim => "too many interim responses",
            Self::OriginRejected(refused) => return refused.fmt(f),
            Self::Missing(name) => return write!(f, "the header {name} is missing"),
            Self::Repeated(name) => return write!(f, "the header {name} is repeated"),
            Self::Invalid(name) => return write!(f, "the header {name} is invalid"),
            Self::NotOffered(name) => {
                return write!(f, "the header {name} names what was not offered");
            }
            #[cfg(feature = "deflate")]
            Self::Deflate(error) => return error.fmt(f),
            Self::Rejected(status) => {
                return write!(f, "the server refused the upgrade with status {status}");
            }
        };
        f.write_str(text)
    }
}

impl Error for HandshakeError {}

/// What is wrong with a head that we are asked to write: the caller's fault, nothing changed.
///
/// ```
/// use sansocket::handshake::{HeadError, reject};
///
/// let injected = reject(404, &[("X-Page", "a\r\nSet-Cookie: b")], b"");
/// assert_eq!(injected, Err(HeadError::Value));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HeadError {
    /// A header name is not a token (RFC 9110 §5.1).
    Name,
    /// A header value has a control character in it, such as a line end (RFC 9110 §5.5).
    Value,
    /// The header is one that the handshake itself writes.
    Controlled,
    /// A subprotocol is not a token (RFC 6455 §4.1).
    Subprotocol,
    /// A subprotocol is offered twice (RFC 6455 §4.1).
    SubprotocolRepeated,
    /// The name of an extension, or of one of its parameters, or a value is not a token
    /// (RFC 6455 §9.1).
    Extension,
    /// The extension accepted was not offered by the client (RFC 6455 §9.1).
    ExtensionNotOffered,
    /// The extension is accepted already.
    ExtensionRepeated,
    /// The extension needs a reserved bit that one accepted already uses (RFC 7692 §5).
    ExtensionConflict,
    /// The status is not one of a final response that refuses: 200 to 599.
    Status,
    /// A response of this status has no body (RFC 9110 §6.4.1).
    Body,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the header name is not a token",
            Self::Value => "the header value has a control character in it",
            Self::Controlled => "the header is written by the handshake itself",
            Self::Subprotocol => "the subprotocol is not a token",
            Self::SubprotocolRepeated => "the subprotocol is offered already",
            Self::Extension => "a part of the extension is not a token",
            Self::ExtensionNotOffered => "the extension was not offered",
            Self::ExtensionRepeated => "the extension is accepted already",
            Self::ExtensionConflict => "the extension is in conflict with one accepted already",
            Self::Status => "the status is not between 200 and 599",
            Self::Body => "a response of this status has no body",
        })
    }
}

impl Error for HeadError {}
