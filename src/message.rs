//! Messages to keep and to send.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::text::Utf8Bytes;

/// A message (RFC 6455 §5.6) that owns its data, which is cheap to clone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Message {
    /// Text.
    Text(Utf8Bytes),
    /// Bytes whose meaning is up to the application.
    Binary(Bytes),
}

/// Whether a message is text or binary (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Bytes whose meaning is up to the application.
    Binary,
}

impl Message {
    /// Tells whether this is text or binary.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Returns the payload, as it would be sent.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(data) => data,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(data))
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::Binary(data.into())
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::Binary(data)
    }
}
