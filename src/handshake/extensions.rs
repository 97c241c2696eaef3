//! The list of extensions that a client offers or a server accepts (RFC 6455 §9.1).

use alloc::borrow::Cow;
use alloc::string::String;
#[cfg(feature = "deflate")]
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use memchr::memchr;

use super::error::HandshakeError;
use super::error::HeadError;
use super::field;
use super::headers::Headers;
use super::name;
use super::token::TOKEN;
use super::token::token;
#[cfg(feature = "deflate")]
use crate::deflate::Element;

/// A list of extensions: the value of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
///
/// In an offer the client's preference comes first; the same extension may stand there several
/// times, with other parameters. In an acceptance the order is the one in which a sender applies
/// them.
///
/// ```
/// use sansocket::handshake::Extensions;
///
/// let offer = Extensions::parse(br#"permessage-deflate; client_max_window_bits="10" , ,foo"#)?;
/// assert_eq!(offer.to_string(), "permessage-deflate; client_max_window_bits=10, foo");
/// let names: Vec<_> = offer.iter().map(|extension| extension.name().to_owned()).collect();
/// assert_eq!(names, ["permessage-deflate", "foo"]);
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Extensions {
    /// The list as we write it: nothing is quoted, since every value is a token.
    text: String,
}

impl Extensions {
    /// Creates an empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            text: String::new(),
        }
    }

    /// Parses the value of one header line (RFC 6455 §9.1).
    ///
    /// # Errors
    ///
    /// The value does not match the grammar, or has no element.
    pub fn parse(value: &[u8]) -> Result<Self, HandshakeError> {
        Self::parse_lines(core::iter::once(value))
    }

    /// Parses the headers of a request or a response; the list is empty if they name no extension.
    ///
    /// # Errors
    ///
    /// The header is there, but does not match the grammar, or has no element.
    pub fn from_headers(headers: &Headers) -> Result<Self, HandshakeError> {
        let mut lines = headers.all(name::SEC_WEBSOCKET_EXTENSIONS).peekable();
        if lines.peek().is_none() {
            return Ok(Self::new());
        }
        Self::parse_lines(lines)
    }

    /// Adds an extension at the end.
    pub fn push(&mut self, extension: &Extension<'_>) {
        self.separate();
        self.text.push_str(&extension.text);
    }

    /// Returns the extensions in their order.
    pub fn iter(&self) -> impl Iterator<Item = Extension<'_>> {
        let mut rest = (!self.is_empty()).then_some(self.as_str());
        core::iter::from_fn(move || {
            let (text, next) = cut(rest?, b',');
            rest = next;
            let text = text.trim_start_matches(' ').into();
            Some(Extension { text })
        })
    }

    /// Tells whether an extension of this name is in the list. Case matters.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|extension| extension.name() == name)
    }

    /// Returns the list as the value of one header line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether the list has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes every extension of this name out of the list.
    #[cfg(feature = "deflate")]
    pub(super) fn remove(&mut self, name: &str) {
        let mut rest = Self::new();
        for extension in self.iter().filter(|extension| extension.name() != name) {
            rest.push(&extension);
        }
        *self = rest;
    }

    /// Appends the header to a head of our own, unless the list is empty.
    pub(super) fn push_to(&self, head: &mut Vec<u8>) {
        if !self.is_empty() {
            field::push(
                head,
                name::SEC_WEBSOCKET_EXTENSIONS,
                self.as_str().as_bytes(),
            );
        }
    }

    fn parse_lines<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, HandshakeError> {
        let mut list = Self::new();
        // §9.1 "MAY be split or combined across multiple lines"; an element never is, because no
        // value has a comma in it.
        for line in lines {
            list.parse_line(Scanner { rest: line }).ok_or(INVALID)?;
        }
        // RFC 2616 §2.1: "1#element" asks for one at least.
        if list.is_empty() {
            Err(INVALID)
        } else {
            Ok(list)
        }
    }

    /// Adds the elements of one line; `None` if they do not match the grammar:
    ///
    /// ```text
    /// extension-list  = 1#extension
    /// extension       = extension-token *( ";" extension-param )
    /// extension-param = token [ "=" (token | quoted-string) ]
    /// ```
    fn parse_line(&mut self, mut line: Scanner<'_>) -> Option<()> {
        self.text.reserve(line.rest.len());
        loop {
            while line.skip(b',') {}
            if line.is_at_end() {
                return Some(());
            }
            self.separate();
            self.text.push_str(line.token()?);
            while line.skip(b';') {
                self.text.push_str("; ");
                self.text.push_str(line.token()?);
                if line.skip(b'=') {
                    self.text.push('=');
                    line.value(&mut self.text)?;
                }
            }
            if !line.is_at_end() && !line.skip(b',') {
                return None;
            }
        }
    }

    fn separate(&mut self) {
        if !self.is_empty() {
            self.text.push_str(", ");
        }
    }
}

impl fmt::Display for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One extension with its parameters, as offered or accepted (RFC 6455 §9.1).
///
/// ```
/// use sansocket::handshake::Extension;
///
/// let extension = Extension::new("permessage-deflate")?
///     .with_param("server_no_context_takeover", None)?
///     .with_param("client_max_window_bits", Some("10"))?;
/// let params: Vec<_> = extension.params().collect();
/// assert_eq!(params[0], ("server_no_context_takeover", None));
/// assert_eq!(params[1], ("client_max_window_bits", Some("10")));
/// # Ok::<(), sansocket::handshake::HeadError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Extension<'a> {
    /// As we write it: `name; param; param=value`, all of them tokens.
    text: Cow<'a, str>,
}

impl<'a> Extension<'a> {
    /// Creates an extension without parameters.
    ///
    /// # Errors
    ///
    /// The name is not a token.
    pub fn new(name: &'a str) -> Result<Self, HeadError> {
        token(name.as_bytes()).ok_or(HeadError::Extension)?;
        Ok(Self { text: name.into() })
    }

    /// Adds a parameter, with a value or without.
    ///
    /// # Errors
    ///
    /// The name or the value is not a token.
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Result<Self, HeadError> {
        let text = self.text.to_mut();
        text.push_str("; ");
        text.push_str(token(name.as_bytes()).ok_or(HeadError::Extension)?);
        if let Some(value) = value {
            text.push('=');
            text.push_str(token(value.as_bytes()).ok_or(HeadError::Extension)?);
        }
        Ok(self)
    }

    /// Returns the name. Case matters.
    #[must_use]
    pub fn name(&self) -> &str {
        cut(&self.text, b';').0
    }

    /// Returns the parameters in their order, each with its value if it has one.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let (_, mut rest) = cut(&self.text, b';');
        core::iter::from_fn(move || {
            let (param, next) = cut(rest?, b';');
            rest = next;
            Some(cut(param.trim_start_matches(' '), b'='))
        })
    }
}

/// Returns what comes before a separator and, if there is one, what comes behind it.
fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    let at = memchr(separator, text.as_bytes());
    match at.and_then(|at| text.split_at_checked(at)) {
        Some((before, rest)) => (before, rest.get(1..)),
        None => (text, None),
    }
}

#[cfg(feature = "deflate")]
impl From<Element> for Extension<'_> {
    fn from(element: Element) -> Self {
        Self {
            text: element.to_string().into(),
        }
    }
}

impl fmt::Display for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Walks over a header value. Whitespace may stand before and behind every part of it
/// (RFC 2616 §2.1 "implied *LWS").
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn skip_whitespace(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_whitespace();
        self.rest.is_empty()
    }

    /// Steps over `byte` if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn token(&mut self) -> Option<&'a str> {
        self.skip_whitespace();
        let end = self.rest.iter().position(|&byte| !TOKEN.has(byte));
        let (bytes, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let token = core::str::from_utf8(bytes).ok()?;
        (!token.is_empty()).then_some(token)
    }

    /// Appends a value, without its quotes if it has some.
    fn value(&mut self, text: &mut String) -> Option<()> {
        if !self.skip(b'"') {
            text.push_str(self.token()?);
            return Some(());
        }
        let before = text.len();
        loop {
            let (byte, rest) = match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return (text.len() > before).then_some(());
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
                [] => return None,
            };
            // §9.1 "the value after quoted-string unescaping MUST conform to the 'token' ABNF"
            if !TOKEN.has(byte) {
                return None;
            }
            text.push(char::from(byte));
            self.rest = rest;
        }
    }
}

const INVALID: HandshakeError = HandshakeError::Invalid(name::SEC_WEBSOCKET_EXTENSIONS);
