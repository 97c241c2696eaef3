//! The parameters of permessage-deflate: as agreed, and as they stand in the header (RFC 7692 §7.1).

use core::error::Error;
use core::fmt;
use core::mem;

use crate::role::Role;
use crate::setters::setters;

/// The largest window there is, and the one that is meant where nothing else is said
/// (RFC 7692 §7.1.2).
pub(super) const LARGEST_WINDOW: u8 = 15;
/// The smallest window that can be asked for (RFC 7692 §7.1.2).
pub(super) const SMALLEST_WINDOW: u8 = 8;

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// What both ends agreed on: how each of them compresses (RFC 7692 §5 "agreed parameters").
///
/// What is said of one end's compressor tells the other end what it needs to decompress. If the
/// opening handshake happened elsewhere, write down here what it agreed on.
///
/// ```
/// use sansocket::Role;
/// use sansocket::deflate::Params;
///
/// let params = Params::default()
///     .with_server_no_context_takeover(true)
///     .with_client_max_window_bits(10);
/// assert!(params.no_context_takeover(Role::Server));
/// assert_eq!(params.window_bits(Role::Client), 10);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Params {
    /// The server compresses every message with an empty window (RFC 7692 §7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client compresses every message with an empty window (RFC 7692 §7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the largest window that the server compresses with, 8 to 15
    /// (RFC 7692 §7.1.2.1).
    pub server_max_window_bits: u8,
    /// The base-2 logarithm of the largest window that the client compresses with, 8 to 15
    /// (RFC 7692 §7.1.2.2).
    pub client_max_window_bits: u8,
}

impl Params {
    setters! {
        with_server_no_context_takeover server_no_context_takeover: bool,
        with_client_no_context_takeover client_no_context_takeover: bool,
        with_server_max_window_bits server_max_window_bits: u8,
        with_client_max_window_bits client_max_window_bits: u8,
    }

    /// Tells whether `sender` compresses every message with an empty window (RFC 7692 §7.1.1).
    #[must_use]
    pub const fn no_context_takeover(self, sender: Role) -> bool {
        match sender {
            Role::Client => self.client_no_context_takeover,
            Role::Server => self.server_no_context_takeover,
        }
    }

    /// Returns the base-2 logarithm of the largest window that `sender` compresses with
    /// (RFC 7692 §7.1.2).
    #[must_use]
    pub const fn window_bits(self, sender: Role) -> u8 {
        match sender {
            Role::Client => self.client_max_window_bits,
            Role::Server => self.server_max_window_bits,
        }
    }
}

impl Default for Params {
    /// What an answer without parameters means: context takeover and the largest window, both ways.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: LARGEST_WINDOW,
            client_max_window_bits: LARGEST_WINDOW,
        }
    }
}

/// One element of `Sec-WebSocket-Extensions` that names permessage-deflate: an offer of the client
/// or the answer of the server (RFC 7692 §5).
///
/// ```
/// use sansocket::deflate::{Element, NegotiationError};
///
/// let offer = Element::parse([("client_max_window_bits", None)])?;
/// assert_eq!(offer.to_string(), "permessage-deflate; client_max_window_bits");
///
/// let answer = Element::parse([("client_max_window_bits", Some("10"))])?;
/// assert_eq!(answer.verify([offer])?.client_max_window_bits, 10);
/// # Ok::<(), NegotiationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Element {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: ClientBits,
}

/// How `client_max_window_bits` stands in an element.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ClientBits {
    #[default]
    Absent,
    /// Without a value: the client can be limited (RFC 7692 §7.1.2.2).
    Bare,
    /// In an offer a hint, in an answer the limit.
    Limit(u8),
}

impl Element {
    /// Parses the parameters of an element; those of an offer and of an answer have one syntax
    /// (RFC 7692 §7.1). Quoted values come without their quotes.
    ///
    /// # Errors
    ///
    /// A parameter is unknown, repeated or has an invalid value: a server declines the offer and
    /// looks at the next, a client fails the handshake (RFC 7692 §7).
    pub fn parse<'a, I>(params: I) -> Result<Self, NegotiationError>
    where
        I: IntoIterator<Item = (&'a str, Option<&'a str>)>,
    {
        let mut element = Self::default();
        for (name, value) in params {
            let repeated = match name {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    mem::replace(&mut element.server_no_context_takeover, parse_flag(value)?)
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    mem::replace(&mut element.client_no_context_takeover, parse_flag(value)?)
                }
                SERVER_MAX_WINDOW_BITS => {
                    let bits = parse_bits(value.ok_or(NegotiationError::InvalidValue)?)?;
                    element.server_max_window_bits.replace(bits).is_some()
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let bits = match value {
                        Some(value) => ClientBits::Limit(parse_bits(value)?),
                        None => ClientBits::Bare,
                    };
                    let before = mem::replace(&mut element.client_max_window_bits, bits);
                    before != ClientBits::Absent
                }
                _ => return Err(NegotiationError::UnknownParameter),
            };
            if repeated {
                return Err(NegotiationError::RepeatedParameter);
            }
        }
        Ok(element)
    }

    /// Returns what this element agrees on, as the answer of a server (RFC 7692 §5).
    ///
    /// A client checks the answer first: see [`verify`](Self::verify).
    #[must_use]
    pub fn params(self) -> Params {
        Params {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or(LARGEST_WINDOW),
            client_max_window_bits: self.client_max_window_bits.limit(),
        }
    }

    /// Checks this answer of a server against what the client offered, and returns what is agreed
    /// on (RFC 7692 §7).
    ///
    /// The answer need not repeat an offer, but must grant what it requests; what an offer hints at
    /// the client does by itself, whether the server says so or not (RFC 7692 §5). If the answer
    /// belongs to several offers, the hints of the first hold.
    ///
    /// # Errors
    ///
    /// The answer belongs to no offer, or has `client_max_window_bits` without a value: the client
    /// fails the handshake (RFC 7692 §7).
    pub fn verify(
        self,
        offered: impl IntoIterator<Item = Self>,
    ) -> Result<Params, NegotiationError> {
        // §7.1.2.2 "The "client_max_window_bits" extension parameter in an extension negotiation
        //           response has a decimal integer value"
        if self.client_max_window_bits == ClientBits::Bare {
            return Err(NegotiationError::InvalidValue);
        }
        let offer = offered.into_iter().find(|&offer| self.belongs_to(offer));
        let offer = offer.ok_or(NegotiationError::NotOffered)?;
        let mut params = self.params();
        // §7.1.1.2 "even if the server doesn't include the "client_no_context_takeover" extension
        //           parameter [...], the client is not going to use context takeover"
        params.client_no_context_takeover |= offer.client_no_context_takeover;
        // §7.1.2.2 says the same of the window.
        params.client_max_window_bits = params
            .client_max_window_bits
            .min(offer.client_max_window_bits.limit());
        Ok(params)
    }

    /// Tells whether a server can mean this answer for `offer`: it has all that the offer requests,
    /// and nothing that it had to offer first.
    fn belongs_to(self, offer: Self) -> bool {
        // §7.1.1.1 "A server accepts an extension negotiation offer that includes the
        //           "server_no_context_takeover" extension parameter by including" it
        let takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        // §7.1.2.1 "with the same or smaller value as the offer"
        let server_bits = offer
            .server_max_window_bits
            .is_none_or(|most| self.server_max_window_bits.is_some_and(|bits| bits <= most));
        // §7.1.2.2 "If a received extension negotiation offer doesn't have the
        //           "client_max_window_bits" extension parameter, the [...] response [...] MUST NOT
        //           include" it
        let client_bits = self.client_max_window_bits == ClientBits::Absent
            || offer.client_max_window_bits != ClientBits::Absent;
        takeover && server_bits && client_bits
    }
}

impl ClientBits {
    /// Returns the largest window that this leaves to the client.
    pub(super) fn limit(self) -> u8 {
        match self {
            Self::Absent | Self::Bare => LARGEST_WINDOW,
            Self::Limit(bits) => bits,
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            ClientBits::Absent => Ok(()),
            ClientBits::Bare => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            ClientBits::Limit(bits) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}

/// §7.1.1: these parameters have no value.
fn parse_flag(value: Option<&str>) -> Result<bool, NegotiationError> {
    match value {
        None => Ok(true),
        Some(_) => Err(NegotiationError::InvalidValue),
    }
}

/// §7.1.2 "a decimal integer value without leading zeroes between 8 to 15, inclusive"
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the patterns bound the digits"
)]
fn parse_bits(value: &str) -> Result<u8, NegotiationError> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] => Ok(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Ok(10 + digit - b'0'),
        _ => Err(NegotiationError::InvalidValue),
    }
}

/// What is wrong with an element: a client fails the handshake, a server declines the offer
/// (RFC 7692 §7).
///
/// ```
/// use sansocket::deflate::{Element, NegotiationError};
///
/// let parsed = Element::parse([("server_max_window_bits", Some("09"))]);
/// assert_eq!(parsed, Err(NegotiationError::InvalidValue));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NegotiationError {
    /// The extension has no parameter of this name.
    UnknownParameter,
    /// A value is not one that the parameter can have, is missing, or is there and must not be.
    InvalidValue,
    /// A parameter is there twice.
    RepeatedParameter,
    /// The answer belongs to nothing that the client offered: it does not grant what every offer
    /// requests, or has what none allows.
    NotOffered,
    /// Another extension in use needs the reserved bit RSV1, too (RFC 7692 §5).
    Conflict,
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownParameter => "permessage-deflate has an unknown parameter",
            Self::InvalidValue => "permessage-deflate has a parameter with an invalid value",
            Self::RepeatedParameter => "permessage-deflate has a parameter twice",
            Self::NotOffered => "permessage-deflate is not accepted as it was offered",
            Self::Conflict => "permessage-deflate is accepted with an extension in conflict",
        })
    }
}

impl Error for NegotiationError {}
