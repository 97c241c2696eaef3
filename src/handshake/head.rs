//! Collecting the head of an HTTP message as its bytes arrive, within limits.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use memchr::memchr_iter;

use super::error::HandshakeError;

/// What the head of a peer's handshake may cost us, enforced as its bytes arrive
/// (RFC 6455 §10.4, RFC 9112 §3).
///
/// ```
/// use sansocket::handshake::{HandshakeError, HeadLimits, RequestReader};
///
/// let limits = HeadLimits { bytes: 64, ..HeadLimits::default() };
/// let endless = RequestReader::new(limits).receive(&[b'a'; 65]);
/// assert_eq!(endless.unwrap_err(), HandshakeError::HeadTooLong);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    /// How many lines it has that are not empty, the first line included, or how many header lines
    /// it may have if they were not counted.
    pub(super) lines: usize,
}

/// Looks for the end of a head, at no byte more than a few times, however the input is cut.
#[derive(Clone, Debug)]
pub(super) struct HeadReader {
    limits: HeadLimits,
    /// How many empty lines may come before the head.
    empty_lines: usize,
    head: Head,
    /// The length of the unfinished line at the end of the head so far.
    line: usize,
    /// Whether that line ends in a CR so far.
    after_cr: bool,
}

impl HeadReader {
    pub(super) fn new(limits: HeadLimits, empty_lines: usize) -> Self {
        Self {
            limits,
            empty_lines,
            head: Head::default(),
            line: 0,
            after_cr: false,
        }
    }

    /// Takes in the next bytes; returns what `parse` makes of the head once it is complete, and how
    /// many bytes of `input` belong to it.
    pub(super) fn receive<T>(
        &mut self,
        input: &[u8],
        parse: fn(Head) -> Result<T, HandshakeError>,
    ) -> Result<Option<(T, usize)>, HandshakeError> {
        if let Some(head) = self.whole(input)
            && let Ok(parsed) = parse(head)
        {
            return Ok(Some((parsed, input.len())));
        }
        let Some((head, used)) = self.collect(input)? else {
            return Ok(None);
        };
        Ok(Some((parse(head)?, used)))
    }

    /// Returns the head that `input` is, unless it came in pieces or something comes before or
    /// behind it, or it is very long: to look for the lines first would cost about as much as to
    /// parse them. It may turn out to be no head, or to break a limit on its lines; then what is
    /// wrong is looked for in order.
    fn whole(&self, input: &[u8]) -> Option<Head> {
        // No empty line comes before a letter.
        let begins = self.head.bytes.is_empty() && input.first()?.is_ascii_alphabetic();
        let most = self.limits.bytes.min(self.limits.start_line).min(WHOLE_MAX);
        let fits = input.len() <= most;
        (begins && fits && input.ends_with(b"\r\n\r\n")).then(|| Head {
            bytes: input.into(),
            lines: self.limits.headers.min(FEW),
        })
    }

    /// Takes in the next bytes; returns the head once it is complete, and how many bytes of `input`
    /// belong to it.
    fn collect(&mut self, input: &[u8]) -> Result<Option<(Head, usize)>, HandshakeError> {
        // What comes byte by byte is not worth a search, but where a line may end.
        if let &[byte] = input
            && byte != b'\n'
            && self.head.bytes.len() < self.limits.bytes
        {
            self.extend_line(input, 0)?;
            self.head.bytes.push(byte);
            return Ok(None);
        }
        let end = self.find_end(input)?;
        let used = end.and_then(|end| input.get(..end)).unwrap_or(input);
        self.head.bytes.extend_from_slice(used);
        Ok(end.map(|end| (core::mem::take(&mut self.head), end)))
    }

    /// Returns where in `input` the head ends, if it does. Only the line ends are looked at here.
    ///
    /// What is wrong is found in the order of the bytes, so that an error does not depend on how
    /// the input is cut either.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory"
    )]
    fn find_end(&mut self, input: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let room = self.limits.bytes.saturating_sub(self.head.bytes.len());
        let window = input.get(..room).unwrap_or(input);
        let mut end = 0;
        for newline in memchr_iter(b'\n', window) {
            self.extend_line(window.get(end..newline).unwrap_or_default(), 1)?;
            // RFC 9112 §2.2 allows a recipient to take a single LF for a line end; we do not,
            // because peers that disagree on where a line ends can be played off.
            if !self.after_cr {
                return Err(HandshakeError::LineEnding);
            }
            end = newline + 1;
            if self.end_line()? {
                return Ok(Some(end));
            }
        }
        self.extend_line(window.get(end..).unwrap_or_default(), 0)?;
        if window.len() < input.len() {
            return Err(HandshakeError::HeadTooLong);
        }
        Ok(None)
    }

    /// Takes note of bytes of the line, and of how many come behind them.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory"
    )]
    fn extend_line(&mut self, bytes: &[u8], more: usize) -> Result<(), HandshakeError> {
        self.line += bytes.len() + more;
        if self.head.lines == 0 && self.line > self.limits.start_line {
            return Err(HandshakeError::StartLineTooLong);
        }
        if let Some(&last) = bytes.last() {
            self.after_cr = last == b'\r';
        }
        Ok(())
    }

    /// Counts a line that is complete; tells whether it is the empty line that ends the head.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "there are no more lines than bytes"
    )]
    fn end_line(&mut self) -> Result<bool, HandshakeError> {
        let empty = core::mem::take(&mut self.line) == 2;
        self.after_cr = false;
        if !empty {
            self.head.lines += 1;
            if self.head.lines > self.limits.headers.saturating_add(1) {
                return Err(HandshakeError::TooManyHeaders);
            }
        } else if self.head.lines == 0 {
            self.empty_lines =
                (self.empty_lines.checked_sub(1)).ok_or(HandshakeError::StartLine)?;
        }
        Ok(empty && self.head.lines > 0)
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

    /// Returns room for a field in each of so many lines.
    pub(super) fn of(&mut self, lines: usize) -> &mut [Entry<'head>] {
        if let Some(few) = self.few.get_mut(..lines) {
            return few;
        }
        self.many.resize(lines, MaybeUninit::uninit());
        &mut self.many
    }
}

/// Names what the parser of a complete head found.
pub(super) fn fault(error: httparse::Error) -> HandshakeError {
    match error {
        httparse::Error::HeaderName | httparse::Error::HeaderValue => HandshakeError::HeaderLine,
        httparse::Error::NewLine => HandshakeError::LineEnding,
        httparse::Error::Status | httparse::Error::Token => HandshakeError::StartLine,
        httparse::Error::TooManyHeaders => HandshakeError::TooManyHeaders,
        httparse::Error::Version => HandshakeError::HttpVersion,
    }
}
