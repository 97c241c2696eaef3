//! Errors of a connection and its transport.

use alloc::boxed::Box;
use core::fmt;
use std::io;

use bytes::Bytes;

use crate::connection::{SendError, Unsent};
use crate::error::{ProtocolError, UnexpectedEof};
use crate::handshake::{HandshakeError, Response, UriError};

/// An error of a connection or its transport.
///
/// A connection that the peer has closed is no error; see [`Outcome`](crate::Outcome) for how it ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    Io(io::Error),
    /// The URI is not one of a WebSocket.
    Uri(UriError),
    /// The peer's opening handshake is not valid; a client has been told so.
    Handshake(HandshakeError),
    /// The server's response does not complete the opening handshake.
    Rejected(Box<Rejection>),
    /// The peer broke the protocol and has been told so.
    Protocol(ProtocolError),
    /// The stream has ended without the peer's Close frame, or inside the opening handshake.
    UnexpectedEof(UnexpectedEof),
    /// A message was not sent; here it is.
    Unsent(Box<Unsent>),
    /// A Close frame was not sent.
    Send(SendError),
}

/// A response that does not complete the opening handshake (RFC 6455 §4.1).
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejection {
    /// The rule that it breaks: [`HandshakeError::Rejected`] if its status is not 101.
    pub error: HandshakeError,
    /// The response, with status and headers.
    pub response: Response,
    /// The bytes read behind the head of the response: the start of its body, unless its status is 101.
    pub body: Bytes,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => fmt::Display::fmt(error, f),
            Self::Uri(error) => fmt::Display::fmt(error, f),
            Self::Handshake(error) => fmt::Display::fmt(error, f),
            Self::Rejected(rejection) => fmt::Display::fmt(&rejection.error, f),
            Self::Protocol(error) => fmt::Display::fmt(error, f),
            Self::UnexpectedEof(error) => fmt::Display::fmt(error, f),
            Self::Unsent(unsent) => fmt::Display::fmt(&unsent.error, f),
            Self::Send(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for Error {
    /// Returns the source of the error below, whose words are those of this one.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<UnexpectedEof> for Error {
    fn from(error: UnexpectedEof) -> Self {
        Self::UnexpectedEof(error)
    }
}

impl From<Unsent> for Error {
    fn from(unsent: Unsent) -> Self {
        Self::Unsent(Box::new(unsent))
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}
