//! The bytes of a message or control frame, wherever they lie.

use alloc::boxed::Box;
use core::fmt;
use core::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};

use crate::buffer::Buffer;

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
            own: Own(Some(spare::wrap(memory))),
        }
    }

    /// Returns bytes to keep or to send to another task.
    ///
    /// This copies a payload that lies in the caller's slice. One that was gathered from pieces, or that came through
    /// [`Connection::receive_bytes`](crate::Connection::receive_bytes), keeps its memory; the latter shares, and keeps
    /// alive, the whole memory that it was read into.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        match self.own.0.take().map(spare::unwrap) {
            None => Bytes::copy_from_slice(self.input),
            Some(Memory::Shared(bytes)) => bytes.freeze(),
            Some(Memory::Gathered(bytes)) => Bytes::from(bytes),
        }
    }
}

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
    drop(spare::unwrap(memory));
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

#[cfg(feature = "std")]
mod spare {
    //! The box that the thread has used last, so that a payload costs no allocation in steady state.
    #![expect(clippy::unnecessary_box_returns, reason = "the box is kept, too")]

    use alloc::boxed::Box;
    use core::cell::Cell;
    use core::mem;

    use crate::payload::Memory;

    std::thread_local! {
        static SPARE: Cell<Option<Box<Memory>>> = const { Cell::new(None) };
    }

    pub(super) fn wrap(memory: Memory) -> Box<Memory> {
        match SPARE.try_with(Cell::take).ok().flatten() {
            Some(mut spare) => {
                *spare = memory;
                spare
            }
            None => Box::new(memory),
        }
    }

    pub(super) fn unwrap(mut wrapped: Box<Memory>) -> Memory {
        let memory = mem::take(&mut *wrapped);
        // An error means that the thread ends; dropping the box is right then.
        let _ = SPARE.try_with(|spare| spare.set(Some(wrapped)));
        memory
    }
}

#[cfg(not(feature = "std"))]
mod spare {
    //! Stands for the spare box where there are no threads to keep it.
    #![expect(clippy::unnecessary_box_returns, reason = "as with the feature `std`")]

    use alloc::boxed::Box;

    use crate::payload::Memory;

    pub(super) fn wrap(memory: Memory) -> Box<Memory> {
        Box::new(memory)
    }

    #[expect(clippy::boxed_local, reason = "as with the feature `std`")]
    pub(super) fn unwrap(wrapped: Box<Memory>) -> Memory {
        *wrapped
    }
}
