//! Bytes known to be UTF-8.

use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use core::str;

use bytes::Bytes;

use crate::payload::Payload;
use crate::utf8::{InvalidUtf8, Utf8Validator};

/// Shared text: [`Bytes`] that are UTF-8, as cheap to clone.
///
/// ```
/// use sansocket::Utf8Bytes;
///
/// let text = Utf8Bytes::from("Hello");
/// assert_eq!(&*text.clone(), "Hello");
/// ```
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// Returns static text, without a copy.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Returns the text as a string slice.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        assume_utf8(&self.0)
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(Bytes::from(text.into_bytes()))
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = InvalidUtf8;

    /// Checks the bytes and keeps them, without a copy.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] if they are not UTF-8.
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        Utf8Validator::check(&bytes)?;
        Ok(Self(bytes))
    }
}

/// The payload of a text message: a [`Payload`] that is UTF-8.
pub struct Text<'a>(Payload<'a>);

impl<'a> Text<'a> {
    /// Wraps a payload that has passed [`Utf8Validator`](crate::Utf8Validator), or of which every byte is ASCII.
    #[inline]
    pub(crate) fn assume_checked(payload: Payload<'a>) -> Self {
        Self(payload)
    }

    /// Returns the text as a string slice.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        assume_utf8(&self.0)
    }

    /// Returns the bytes of the text.
    #[inline]
    #[must_use]
    pub fn into_payload(self) -> Payload<'a> {
        self.0
    }

    /// Returns text to keep: see [`Payload::into_bytes`] for when this copies.
    #[must_use]
    pub fn into_utf8_bytes(self) -> Utf8Bytes {
        Utf8Bytes(self.0.into_bytes())
    }

    /// Returns a copy in memory of exactly its length, which keeps no other memory alive; see [`Payload::to_compact`].
    #[must_use]
    pub fn to_compact(&self) -> Utf8Bytes {
        Utf8Bytes(self.0.to_compact())
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// Returns the content of one of the types above, which hold nothing but checked text.
#[inline]
fn assume_utf8(checked: &[u8]) -> &str {
    debug_assert!(str::from_utf8(checked).is_ok(), "unchecked text");
    #[expect(
        unsafe_code,
        reason = "checking again would cost as much as receiving the message"
    )]
    // SAFETY: every constructor of both types has checked the bytes, and neither lends them mutably.
    unsafe {
        str::from_utf8_unchecked(checked)
    }
}
