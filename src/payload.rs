//! The bytes of a message or control frame, wherever they lie.

use core::fmt;
use core::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};

use crate::buffer::Buffer;

/// The payload of a message or a control frame, unmasked.
///
/// It lies in the caller's input if it came whole, else in memory that has left the connection. It never borrows the
/// connection, so a message may be answered while it is held. Dropping it gives its memory back for the next message.
pub struct Payload<'a>(Place<'a>);

enum Place<'a> {
    /// In the slice that the caller gave.
    Input(&'a mut [u8]),
    /// In the [`BytesMut`] that the caller gave, of which this is a part.
    Shared(BytesMut),
    /// In memory where the pieces were gathered.
    Gathered(Buffer),
}

impl<'a> Payload<'a> {
    #[inline]
    pub(crate) fn input(bytes: &'a mut [u8]) -> Self {
        Self(Place::Input(bytes))
    }

    #[inline]
    pub(crate) fn shared(bytes: BytesMut) -> Self {
        Self(Place::Shared(bytes))
    }

    #[inline]
    pub(crate) fn gathered(bytes: Buffer) -> Self {
        Self(Place::Gathered(bytes))
    }

    /// Returns bytes to keep or to send to another task.
    ///
    /// This copies a payload that lies in the caller's slice. One that was gathered from pieces, or that came through
    /// [`Connection::receive_bytes`](crate::Connection::receive_bytes), keeps its memory; the latter shares, and keeps
    /// alive, the whole memory that it was read into.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Place::Input(bytes) => Bytes::copy_from_slice(bytes),
            Place::Shared(bytes) => bytes.freeze(),
            Place::Gathered(bytes) => Bytes::from(bytes),
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Input(bytes) => bytes,
            Place::Shared(bytes) => bytes,
            Place::Gathered(bytes) => bytes,
        }
    }
}

impl DerefMut for Payload<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Place::Input(bytes) => bytes,
            Place::Shared(bytes) => bytes,
            Place::Gathered(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload<'_> {}
