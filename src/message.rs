//! Messages to keep and to send.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::compression::Compress;
use crate::payload::Payload;
use crate::text::{Text, Utf8Bytes};

/// A message (RFC 6455 §5.6) that owns its data, which is cheap to clone.
///
/// ```
/// use sansocket::Message;
///
/// let message = Message::from("Hello");
/// assert_eq!((message.as_str(), message.len()), (Some("Hello"), 5));
/// assert_eq!(Message::from(b"\x01\x02").as_bytes(), [1, 2]);
/// ```
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

/// A message to send, and whether it is to be compressed.
///
/// Anything that becomes a [`Message`] becomes one, with [`Compress::Auto`].
///
/// ```
/// use sansocket::{Compress, Config, Connection, Message};
///
/// let mut connection = Connection::server(&Config::default());
/// connection.send("Hello")?;
/// connection.send(Message::from("a secret").compress(Compress::Never))?;
/// # Ok::<(), sansocket::Unsent>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outbound {
    /// The message.
    pub message: Message,
    /// Whether it is to be compressed, where that was agreed on.
    pub compress: Compress,
}

impl<T: Into<Message>> From<T> for Outbound {
    fn from(message: T) -> Self {
        message.into().compress(Compress::Auto)
    }
}

/// The kind of a message that is sent in fragments, and whether it is to be compressed: with [`Compress::Auto`] if nothing is
/// said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct OutboundKind {
    /// The kind, which all fragments of a message have.
    pub kind: MessageKind,
    /// Whether the message is to be compressed, where that was agreed on. The first fragment decides.
    pub compress: Compress,
}

impl From<MessageKind> for OutboundKind {
    fn from(kind: MessageKind) -> Self {
        kind.compress(Compress::Auto)
    }
}

impl MessageKind {
    /// Returns the kind of a message that is to be compressed or not.
    #[must_use]
    pub const fn compress(self, compress: Compress) -> OutboundKind {
        OutboundKind {
            kind: self,
            compress,
        }
    }
}

impl Message {
    /// Returns the message to send, compressed or not.
    #[must_use]
    pub const fn compress(self, compress: Compress) -> Outbound {
        Outbound {
            message: self,
            compress,
        }
    }

    /// Tells whether this is text or binary.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Tells whether this is text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Returns the text, or `None` if this is binary.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Returns the payload: the bytes of the text, or the binary data.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(data) => data,
        }
    }

    /// Returns the length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Tells whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Returns the text without a copy.
    ///
    /// # Errors
    ///
    /// The message itself, if it is binary.
    pub fn into_text(self) -> Result<Utf8Bytes, Self> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Binary(_) => Err(self),
        }
    }

    /// Returns the payload without a copy: the bytes of the text, or the binary data.
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

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(data: &[u8; N]) -> Self {
        data.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for Message {
    fn from(data: [u8; N]) -> Self {
        data.as_slice().into()
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

impl From<BytesMut> for Message {
    fn from(data: BytesMut) -> Self {
        Self::Binary(data.freeze())
    }
}

/// Keeps the text; see [`Payload::into_bytes`] for when this copies.
impl From<Text<'_>> for Message {
    fn from(text: Text<'_>) -> Self {
        Self::Text(text.into_utf8_bytes())
    }
}

/// Keeps the payload; see [`Payload::into_bytes`] for when this copies.
impl From<Payload<'_>> for Message {
    fn from(data: Payload<'_>) -> Self {
        Self::Binary(data.into_bytes())
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::Binary(data)
    }
}
