//! Collecting the head of an HTTP message as its bytes arrive, within limits.

use alloc::vec::Vec;
use core::fmt;
use core::mem::MaybeUninit;

use super::error::HandshakeError;
use super::place::Place;
use crate::setters::setters;

/// What the head of a peer's handshake may cost us, enforced as its bytes arrive
/// (RFC 6455 §10.4, RFC 9112 §3).
///
/// ```
/// use sansocket::handshake::{HandshakeError, HeadLimits, RequestReader};
///
/// let limits = HeadLimits::default().with_bytes(64);
/// let endless = RequestReader::new(limits).receive(&[b'a'; 65]);
/// assert_eq!(endless.unwrap_err(), HandshakeError::HeadTooLong);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HeadLimits {
    /// The longest head, from its first byte to the empty line at its end. By default 16 KiB:
    /// browsers send 1 KiB and cookies, of which few servers take more than 8 KiB.
    pub bytes: usize,
    /// The longest request or status line, its CRLF included. By default 8 KiB: RFC 9112 §3 asks
    /// for 8000 bytes at least, which leaves room for a token in the query.
    pub start_line: usize,
    /// The most header lines. By default 128: browsers behind several proxies stay below 50.
    pub headers: usize,
}

impl HeadLimits {
    setters! {
        with_bytes bytes: usize,
        with_start_line start_line: usize,
        with_headers headers: usize,
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024,
            start_line: 8 * 1024,
            headers: 128,
        }
    }
}

/// A complete head, not parsed yet.
#[derive(Clone, Default)]
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    /// How many header lines it has, or how many it may have if they were not counted.
    pub(super) headers: usize,
}

/// Shows the length alone: a head may hold secrets.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Looks for the end of a head, at no byte more than a few times, however the input is cut.
#[derive(Clone, Debug)]
pub(super) struct HeadReader {
    limits: HeadLimits,
    head: Head,
    place: Place,
    /// The length of the request or status line so far.
    start_line: usize,
}

impl HeadReader {
    /// Creates a reader of the head that begins at `place`.
    pub(super) fn new(limits: HeadLimits, place: Place) -> Self {
        Self {
            limits,
            head: Head::default(),
            place,
            start_line: 0,
        }
    }

    /// Takes in the next bytes; returns the result of `parse` once the head is complete, and how
    /// many bytes of `input` belong to it.
    pub(super) fn receive<T>(
        &mut self,
        input: &[u8],
        parse: fn(Head) -> Option<T>,
    ) -> Result<Option<(T, usize)>, HandshakeError> {
        if let Some(parsed) = self.whole(input).and_then(parse) {
            return Ok(Some((parsed, input.len())));
        }
        let Some((head, used)) = self.collect(input)? else {
            return Ok(None);
        };
        // The parser takes each head of which every byte stands at its place.
        let parsed = parse(head).ok_or(HandshakeError::StartLine)?;
        Ok(Some((parsed, used)))
    }

    /// Returns the head that `input` is, unless it came in pieces or something comes before or
    /// behind it, or it is very long: to look at each byte first would cost more than to parse
    /// them. It may turn out to be no head, or to break a limit on its lines; then the first wrong
    /// byte is looked for.
    fn whole(&self, input: &[u8]) -> Option<Head> {
        // No empty line comes before a letter.
        let begins = self.head.bytes.is_empty() && input.first()?.is_ascii_alphabetic();
        let most = self.limits.bytes.min(self.limits.start_line).min(WHOLE_MAX);
        let fits = input.len() <= most;
        (begins && fits && input.ends_with(b"\r\n\r\n")).then(|| Head {
            bytes: input.into(),
            headers: self.limits.headers.min(FEW),
        })
    }

    /// Takes in the next bytes, up to the first wrong one; returns the head once it is complete,
    /// and how many bytes of `input` belong to it.
    ///
    /// An error depends on the bytes before it and no others, so it does not depend on how the
    /// input is cut either.
    fn collect(&mut self, input: &[u8]) -> Result<Option<(Head, usize)>, HandshakeError> {
        let room = self.limits.bytes.saturating_sub(self.head.bytes.len());
        for (before, &byte) in input.iter().enumerate() {
            if before == room {
                return Err(HandshakeError::HeadTooLong);
            }
            self.step(byte)?;
            if self.place == Place::End {
                let (head, _) = input.split_at(before.saturating_add(1));
                self.head.bytes.extend_from_slice(head);
                return Ok(Some((core::mem::take(&mut self.head), head.len())));
            }
        }
        self.head.bytes.extend_from_slice(input);
        Ok(None)
    }

    /// Moves on behind a byte, within the limits on lines.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "there are no more lines than bytes, and the bytes are counted up to a limit"
    )]
    fn step(&mut self, byte: u8) -> Result<(), HandshakeError> {
        if self.place.is_in_start_line() {
            self.start_line += 1;
            if self.start_line > self.limits.start_line {
                return Err(HandshakeError::StartLineTooLong);
            }
        }
        let before = self.place;
        self.place = before.next(byte)?;
        match (before, self.place) {
            (Place::BeforeLf(_), _) => self.start_line = 0,
            (Place::Line, Place::Name) => {
                self.head.headers += 1;
                if self.head.headers > self.limits.headers {
                    return Err(HandshakeError::TooManyHeaders);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The longest input that is tried as a head by itself: what that costs in vain does not grow with the limits.
const WHOLE_MAX: usize = 8 * 1024;

/// Where the parser notes the fields of a head.
pub(super) struct Table<'head> {
    few: [Entry<'head>; FEW],
    many: Vec<Entry<'head>>,
}

type Entry<'head> = MaybeUninit<httparse::Header<'head>>;

/// How many fields are parsed without an allocation: more than browsers send.
const FEW: usize = 32;

impl<'head> Table<'head> {
    pub(super) const fn new() -> Self {
        Self {
            few: [MaybeUninit::uninit(); FEW],
            many: Vec::new(),
        }
    }

    /// Returns room for so many fields.
    pub(super) fn of(&mut self, fields: usize) -> &mut [Entry<'head>] {
        if let Some(few) = self.few.get_mut(..fields) {
            return few;
        }
        self.many.resize(fields, MaybeUninit::uninit());
        &mut self.many
    }
}
