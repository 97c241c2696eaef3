//! The bytes of a message or control frame, wherever they lie.

use alloc::boxed::Box;
#[cfg(feature = "std")]
use core::cell::Cell;
use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};

use crate::buffer::Buffer;
use crate::spare::{self, Spare};

/// The payload of a message or a control frame, unmasked.
///
/// It lies in the caller's input if it came whole, else in memory that has left the connection. It never borrows the
/// connection, so a message may be answered while it is held. Dropping it gives its memory back for the next message.
pub struct Payload<'a> {
    /// The bytes, unless they have memory of their own.
    input: &'a mut [u8],
    own: Own,
}

/// A payload's own memory, if it has any.
///
/// It is dropped by value, in a register. Were its address taken for that, each event would have to lie in memory, where
/// being moved costs as much as being received (bench `receive`).
struct Own(Option<Box<Memory>>);

enum Memory {
    /// In the [`BytesMut`] that the caller gave, of which this is a part.
    Shared(BytesMut),
    /// In memory where the pieces were gathered.
    Gathered(Buffer),
}

impl<'a> Payload<'a> {
    #[inline]
    pub(crate) fn input(bytes: &'a mut [u8]) -> Self {
        Self {
            input: bytes,
            own: Own(None),
        }
    }

    #[inline]
    pub(crate) fn shared(bytes: BytesMut) -> Self {
        Self::own(Memory::Shared(bytes))
    }

    #[inline]
    pub(crate) fn gathered(bytes: Buffer) -> Self {
        if bytes.is_empty() {
            return Self::input(&mut []);
        }
        Self::own(Memory::Gathered(bytes))
    }

    #[inline]
    fn own(memory: Memory) -> Self {
        Self {
            input: &mut [],
            own: Own(Some(wrap(memory))),
        }
    }

    /// Returns bytes to keep or to send to another task.
    ///
    /// This copies a payload that lies in the caller's slice. One that was gathered from pieces, or that came through
    /// [`Connection::receive_bytes`](crate::Connection::receive_bytes), keeps its memory; the latter shares, and keeps
    /// alive, the whole memory that it was read into. For bytes that are kept for long, see [`Payload::to_compact`].
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        match self.own.0.take().map(unwrap) {
            None => Bytes::copy_from_slice(self.input),
            Some(Memory::Shared(bytes)) => bytes.freeze(),
            Some(Memory::Gathered(bytes)) => Bytes::from(bytes),
        }
    }

    /// Returns a copy in memory of exactly its length, which keeps no other memory alive.
    ///
    /// Use it for a short payload that is kept for long: [`Payload::into_bytes`] of a message of 20 bytes may keep a read of
    /// 64 KiB alive.
    #[must_use]
    pub fn to_compact(&self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
impl Payload<'static> {
    /// Returns the payload in memory of at most twice its length and 256 bytes; `read` is the length of the memory that it
    /// was read into, if it shares that.
    ///
    /// A payload that keeps more memory alive is copied into memory of its length.
    pub(crate) fn compact(self, read: usize) -> Self {
        let held = match self.own.0.as_deref() {
            None => 0,
            Some(Memory::Shared(_)) => read,
            Some(Memory::Gathered(buffer)) => buffer.capacity(),
        };
        if held <= self.len().saturating_mul(2).saturating_add(BESIDE) {
            return self;
        }
        Self::shared(BytesMut::from(&*self))
    }
}

/// The memory that a payload may hold beyond twice its length, in bytes: 256 together with the boxes that say where it lies.
#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
const BESIDE: usize = 128;

impl Drop for Own {
    #[inline]
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            give_back(memory);
        }
    }
}

#[inline(never)]
fn give_back(memory: Box<Memory>) {
    drop(unwrap(memory));
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "a spare box of the thread's"
)]
fn wrap(memory: Memory) -> Box<Memory> {
    let mut wrapped = spare::take();
    *wrapped = memory;
    wrapped
}

fn unwrap(mut wrapped: Box<Memory>) -> Memory {
    let memory = mem::take(&mut *wrapped);
    spare::put(wrapped);
    memory
}

impl Spare for Memory {
    #[cfg(feature = "std")]
    fn place() -> &'static spare::Place<Self> {
        std::thread_local! {
            static SPARE: Cell<Option<Box<Memory>>> = const { Cell::new(None) };
        }
        &SPARE
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::Gathered(Buffer::default())
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Gathered(bytes) => bytes,
        }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Gathered(bytes) => bytes,
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.own.0 {
            None => self.input,
            Some(memory) => memory,
        }
    }
}

impl DerefMut for Payload<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.own.0 {
            None => self.input,
            Some(memory) => memory,
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

impl PartialEq<[u8]> for Payload<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl PartialEq<&[u8]> for Payload<'_> {
    fn eq(&self, other: &&[u8]) -> bool {
        **self == **other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Payload<'_> {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Payload<'_> {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == **other
    }
}
