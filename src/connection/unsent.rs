//! What a connection says to the application when it cannot do what it was asked to.

use core::fmt;

use crate::close::CloseFrame;
use crate::message::Message;
use crate::role::Role;

/// What the application asked for cannot be done now; the connection is as it was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// A Close frame has been sent, or the connection has ended.
    Closed,
    /// A message sent in fragments has not ended yet.
    MessageInProgress,
    /// [`Config::outgoing_limit`](crate::Config::outgoing_limit) bytes wait to be written.
    QueueFull,
    /// Text is not UTF-8.
    InvalidUtf8,
    /// The payload of a control frame is longer than 125 bytes.
    ControlTooLong,
    /// This end must not send the close code; see [`CloseCode::is_sendable`](crate::CloseCode::is_sendable).
    InvalidCloseCode,
    /// The reason of a Close frame is longer than 123 bytes.
    ReasonTooLong,
}

impl CloseFrame {
    /// Checks that `role` may send this frame (RFC 6455 §5.5, §7.4).
    pub(crate) fn check(&self, role: Role) -> Result<(), SendError> {
        if !self.code.is_sendable(role) {
            return Err(SendError::InvalidCloseCode);
        }
        if self.reason.len() > Self::MAX_REASON_LEN {
            return Err(SendError::ReasonTooLong);
        }
        Ok(())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closing or closed",
            Self::MessageInProgress => "another message has not ended yet",
            Self::QueueFull => "too many bytes wait to be written",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::ControlTooLong => "the payload of a control frame is longer than 125 bytes",
            Self::InvalidCloseCode => "the close code must not be sent by this end",
            Self::ReasonTooLong => "the close reason is longer than 123 bytes",
        })
    }
}

impl core::error::Error for SendError {}

/// A message that was not queued, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsent {
    /// Why it was not queued.
    pub error: SendError,
    /// The message, unchanged.
    pub message: Message,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl core::error::Error for Unsent {}

impl From<Unsent> for SendError {
    fn from(unsent: Unsent) -> Self {
        unsent.error
    }
}
