//! The header fields of one head.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::error::HandshakeError;
use super::token::trim;

/// The header fields of one head, in their order on the wire.
///
/// Names compare without regard to case (RFC 6455 §4.1). Values come without the whitespace around
/// them; they are bytes, because HTTP does not promise UTF-8 (RFC 9110 §5.5).
///
/// ```
/// use sansocket::handshake::{HeadLimits, RequestReader};
///
/// let head = b"GET / HTTP/1.1\r\nHost: example.com\r\nCookie: a=b\r\nAccept: x\r\nACCEPT: y, z\r\n\r\n";
/// let (request, _) = RequestReader::new(HeadLimits::default()).receive(head)?.unwrap();
/// let headers = request.headers();
/// assert_eq!(headers.first("cookie"), Some(&b"a=b"[..]));
/// assert_eq!(headers.elements("accept").collect::<Vec<_>>(), [b"x", b"y", b"z"]);
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone)]
pub struct Headers {
    /// The whole head, its first line included.
    head: Vec<u8>,
    fields: Vec<Field>,
}

/// Where the name and the value of a field lie in the head.
#[derive(Clone)]
pub(super) struct Field {
    name: Range<usize>,
    /// What tells most names apart without a look at the head.
    digest: usize,
    value: Range<usize>,
}

impl Headers {
    /// Takes over a head that was parsed into `fields`.
    pub(super) fn new(head: Vec<u8>, fields: Vec<Field>) -> Self {
        Self { head, fields }
    }

    /// Returns every field as its name and value, in the order of the head.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|field| (self.text(&field.name), self.bytes(&field.value)))
    }

    /// Returns the values of every field of this name, in the order of the head.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |field| self.is_named(field, name))
            .map(|field| self.bytes(&field.value))
    }

    /// Returns the value of the first field of this name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        let field = self
            .fields
            .iter()
            .find(|field| self.is_named(field, name))?;
        Some(self.bytes(&field.value))
    }

    /// Returns the elements of a list header, joined over all its lines (RFC 9110 §5.6.1).
    ///
    /// Empty elements count for nothing. A comma always separates: quoted strings are not known
    /// here (they occur in [`Extensions`](super::Extensions)).
    pub fn elements(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.all(name).flat_map(elements)
    }

    /// Tells whether a list header has this element, without regard to case.
    pub(super) fn list_has(&self, name: &str, element: &str) -> bool {
        let is_element = |other: &[u8]| is_same(other, element.as_bytes());
        // Most lists have one element, and need not be split.
        self.all(name)
            .any(|value| is_element(value) || elements(value).any(is_element))
    }

    /// Checks that a list header is there and has this element, without regard to case.
    pub(super) fn check_lists(
        &self,
        name: &'static str,
        element: &str,
    ) -> Result<(), HandshakeError> {
        if self.list_has(name, element) {
            Ok(())
        } else if self.first(name).is_none() {
            Err(HandshakeError::Missing(name))
        } else {
            Err(HandshakeError::Invalid(name))
        }
    }

    /// Returns the value of a header that may appear only once.
    pub(super) fn only(&self, name: &'static str) -> Result<Option<&[u8]>, HandshakeError> {
        let mut fields = self.fields.iter();
        let Some(first) = fields.find(|field| self.is_named(field, name)) else {
            return Ok(None);
        };
        if fields.any(|field| self.is_named(field, name)) {
            return Err(HandshakeError::Repeated(name));
        }
        Ok(Some(self.bytes(&first.value)))
    }

    /// Returns the value of a header that must appear exactly once.
    pub(super) fn required(&self, name: &'static str) -> Result<&[u8], HandshakeError> {
        self.only(name)?.ok_or(HandshakeError::Missing(name))
    }

    /// Returns a part of the head that the parser found to be UTF-8.
    pub(super) fn text(&self, range: &Range<usize>) -> &str {
        core::str::from_utf8(self.bytes(range)).unwrap_or_default()
    }

    fn is_named(&self, field: &Field, name: &str) -> bool {
        field.digest == digest(name.as_bytes()) && is_same(self.bytes(&field.name), name.as_bytes())
    }

    pub(super) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.head.get(range.clone()).unwrap_or_default()
    }
}

/// Shows the names alone: values may be secrets, and what is printed goes to logs.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Field {
    /// Notes where parsed fields lie in the head they were parsed from; `None` if a line does not
    /// end in CRLF.
    pub(super) fn locate_all(head: &[u8], fields: &[httparse::Header<'_>]) -> Option<Vec<Self>> {
        let located = fields.iter().map(|field| Self {
            name: locate(head, field.name.as_bytes()),
            digest: digest(field.name.as_bytes()),
            value: locate(head, field.value),
        });
        let located: Vec<_> = located.collect();
        // The parser takes a single LF for a line end, too.
        let follows_crlf = |field: &Self| {
            let before = head.get(..field.name.start).unwrap_or_default();
            before.ends_with(b"\r\n")
        };
        located.iter().all(follows_crlf).then_some(located)
    }
}

/// Compares without regard to case. Most peers spell what they mean as the RFCs do.
fn is_same(bytes: &[u8], other: &[u8]) -> bool {
    bytes == other || bytes.eq_ignore_ascii_case(other)
}

/// Returns the elements of one line of a list.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    (value.split(|&byte| byte == b','))
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Returns where `part` lies in `head`, so that it can be found again once `head` has an owner.
#[expect(clippy::arithmetic_side_effects, reason = "the part lies in the head")]
pub(super) fn locate(head: &[u8], part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return 0..0; // the parser may give an empty part an address of its own
    }
    let start = part.as_ptr().addr() - head.as_ptr().addr();
    start..start + part.len()
}

/// Returns the length of a name and its first letter, whose case does not matter.
fn digest(name: &[u8]) -> usize {
    let first = name.first().map_or(0, |byte| byte | 0x20);
    name.len() << 8 | usize::from(first)
}
