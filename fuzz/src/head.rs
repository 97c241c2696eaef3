//! The head of an HTTP message, read once more and naively.

use sansocket::handshake::{HandshakeError, HeadLimits, Headers};

use crate::choices::Choices;

/// Returns limits, most of the time those that nothing in a short input reaches.
pub fn limits(choices: &mut Choices<'_>) -> HeadLimits {
    let default = HeadLimits::default();
    let (bytes, start_line, headers) =
        choices.pick(&[(0, 0, 0), (0, 0, 0), (100, 0, 0), (0, 30, 0), (0, 0, 3)]);
    let or = |limit, default| if limit == 0 { default } else { limit };
    HeadLimits::default()
        .with_bytes(or(bytes, default.bytes))
        .with_start_line(or(start_line, default.start_line))
        .with_headers(or(headers, default.headers))
}

/// Tells whether a head that has a syntax may be refused for this: it is over a limit, or a line ends in a single LF.
#[must_use]
pub fn is_stricter(error: &HandshakeError) -> bool {
    matches!(
        error,
        HandshakeError::HeadTooLong
            | HandshakeError::StartLineTooLong
            | HandshakeError::TooManyHeaders
            | HandshakeError::LineEnding
    )
}

/// Writes a head, to be read once more.
#[must_use]
pub fn print(start: &[u8], headers: &Headers) -> Vec<u8> {
    let mut head = start.to_vec();
    for (name, value) in headers.iter() {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
    }
    head.extend_from_slice(b"\r\n\r\n");
    head
}

/// The limits of a head that has been read and is written otherwise.
#[must_use]
pub fn no_limits() -> HeadLimits {
    HeadLimits::default()
        .with_bytes(usize::MAX)
        .with_start_line(usize::MAX)
        .with_headers(usize::MAX)
}

/// Tells whether these are the header fields that the parser has found.
#[must_use]
pub fn same(headers: &Headers, parsed: &[httparse::Header<'_>]) -> bool {
    let parsed = parsed.iter().map(|field| (field.name, field.value));
    headers.iter().eq(parsed)
}

/// Counts the empty lines that `input` begins with; returns what is behind them, too.
#[must_use]
pub fn skip_empty_lines(mut input: &[u8]) -> (usize, &[u8]) {
    let mut skipped = 0;
    while let Some(rest) = input.strip_prefix(b"\r\n") {
        input = rest;
        skipped += 1;
    }
    (skipped, input)
}

/// Tells whether a line ends in a single LF, or a CR ends none.
#[must_use]
pub fn has_odd_line_end(input: &[u8]) -> bool {
    let mut before = 0;
    let is_odd = input.iter().any(|&byte| {
        let odd = (before == b'\r') != (byte == b'\n');
        before = byte;
        odd
    });
    is_odd || before == b'\r'
}

/// What RFC 9112 §3 says of the first line of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestLine<'a> {
    Good {
        method: &'a [u8],
        target: &'a [u8],
        minor: u8,
    },
    /// Something follows the version.
    Longer,
    OtherVersion,
    Malformed,
}

/// Takes `method SP request-target SP HTTP-version` apart. Of a target it is said only that it is visible ASCII.
#[must_use]
pub fn request_line(line: &[u8]) -> RequestLine<'_> {
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next())
    else {
        return RequestLine::Malformed;
    };
    let is_method = !method.is_empty() && method.iter().all(|&byte| is_token_byte(byte));
    let is_target = !target.is_empty() && target.iter().all(u8::is_ascii_graphic);
    if !is_method || !is_target {
        return RequestLine::Malformed;
    }
    match version {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            minor @ (b'0' | b'1'),
        ] => RequestLine::Good {
            method,
            target,
            minor: minor - b'0',
        },
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', ..] => RequestLine::Longer,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9', ..]
        | [b'H', b'T', b'T', b'P', b'/', b'0' | b'2'..=b'9', ..] => RequestLine::OtherVersion,
        _ => RequestLine::Malformed,
    }
}

/// RFC 9110 §5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A head in lines.
#[derive(Debug)]
pub struct Lines {
    pub start: String,
    fields: Vec<(String, String)>,
}

/// Takes a complete head apart; names come in lower case.
#[must_use]
pub fn lines(head: &[u8]) -> Lines {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_start().split("\r\n");
    Lines {
        start: lines.next().unwrap_or_default().into(),
        fields: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| {
                let value = value.trim_matches([' ', '\t']);
                (name.to_ascii_lowercase(), value.into())
            })
            .collect(),
    }
}

impl Lines {
    /// Returns the values of all fields of this name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        let fields = self.fields.iter().filter(|field| field.0 == name);
        fields.map(|field| field.1.clone()).collect()
    }

    /// Tells whether an element stands in a list, whatever its case.
    #[must_use]
    pub fn has_element(&self, name: &str, element: &str) -> bool {
        self.values(name).iter().any(|value| {
            let mut elements = value.split(',').map(|one| one.trim_matches([' ', '\t']));
            elements.any(|one| one.eq_ignore_ascii_case(element))
        })
    }
}
