//! The client's side of the opening handshake (RFC 6455 §4.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::error::HandshakeError;
use super::error::HeadError;
use super::extensions::Extension;
use super::extensions::Extensions;
use super::field;
use super::key;
use super::name;
use super::request::{HttpVersion, WithoutQuery};
use super::response::Response;
use super::token::token;
use super::uri::Uri;
#[cfg(feature = "deflate")]
use crate::deflate::{Offer, Params};

/// A client's opening handshake: writes the request, then checks the response (RFC 6455 §4.1).
///
/// The client sends nothing more until the response is verified.
///
/// ```
/// use sansocket::handshake::{Client, HeadLimits, ResponseReader, Uri};
///
/// let uri = Uri::parse("ws://server.example.com/chat")?;
/// let client = Client::new(&uri, *b"the sample nonce")
///     .with_subprotocol("chat")?
///     .with_header("Cookie", "session=1")?;
/// assert_eq!(
///     client.request(),
///     b"GET /chat HTTP/1.1\r\n\
///       Host: server.example.com\r\n\
///       Upgrade: websocket\r\n\
///       Connection: Upgrade\r\n\
///       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
///       Sec-WebSocket-Version: 13\r\n\
///       Sec-WebSocket-Protocol: chat\r\n\
///       Cookie: session=1\r\n\
///       \r\n"
/// );
///
/// let input = b"HTTP/1.1 101 Switching Protocols\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///     Sec-WebSocket-Protocol: chat\r\n\
///     \r\n";
/// let (response, _) = ResponseReader::new(HeadLimits::default()).receive(input)?.unwrap();
/// let established = client.verify(&response)?;
/// assert_eq!(established.subprotocol(), Some("chat"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    resource_name: String,
    host: String,
    key: [u8; 24],
    origin: Option<String>,
    subprotocols: Vec<String>,
    subprotocol_required: bool,
    extensions: Extensions,
    #[cfg(feature = "deflate")]
    offers_deflate: bool,
    /// The caller's header lines.
    extra: Vec<u8>,
}

/// Shows what is asked for, but neither the query nor headers of the caller's, which may be secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.host)
            .field("target", &WithoutQuery(&self.resource_name))
            .field("origin", &self.origin)
            .field("subprotocols", &self.subprotocols)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Creates the handshake for one connection attempt.
    ///
    /// The nonce must be random, and another one for every attempt, a second one after a refusal
    /// too (RFC 6455 §4.1).
    #[must_use]
    pub fn new(uri: &Uri, nonce: [u8; 16]) -> Self {
        Self {
            resource_name: uri.resource_name().into(),
            host: uri.host_header(),
            key: key::encode(nonce),
            origin: None,
            subprotocols: Vec::new(),
            subprotocol_required: false,
            extensions: Extensions::new(),
            #[cfg(feature = "deflate")]
            offers_deflate: false,
            extra: Vec::new(),
        }
    }

    /// Sends the header `Origin`, as browsers do (RFC 6455 §10.2).
    ///
    /// # Errors
    ///
    /// The origin has a control character in it.
    pub fn with_origin(mut self, origin: &str) -> Result<Self, HeadError> {
        field::check_value(origin.as_bytes())?;
        self.origin = Some(origin.into());
        Ok(self)
    }

    /// Offers one more subprotocol; those offered first are preferred (RFC 6455 §4.1).
    ///
    /// # Errors
    ///
    /// The name is not a token, or is offered already.
    pub fn with_subprotocol(mut self, name: &str) -> Result<Self, HeadError> {
        // §4.1 "non-empty strings with characters in the range U+0021 to U+007E not including
        //       separator characters [...] and MUST all be unique strings"
        token(name.as_bytes()).ok_or(HeadError::Subprotocol)?;
        if self.offers_subprotocol(name) {
            return Err(HeadError::SubprotocolRepeated);
        }
        self.subprotocols.push(name.into());
        Ok(self)
    }

    /// Makes it an error if the server chooses none of the subprotocols offered, as browsers do.
    ///
    /// RFC 6455 §4.1 leaves the server free to choose none, and we allow it by default.
    #[must_use]
    pub const fn with_required_subprotocol(mut self) -> Self {
        self.subprotocol_required = true;
        self
    }

    /// Offers one more extension; those offered first are preferred (RFC 6455 §9.1).
    #[must_use]
    pub fn with_extension(mut self, extension: &Extension<'_>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Offers permessage-deflate (RFC 7692 §5).
    ///
    /// Another call makes another offer, for a server that declines those before it. So one offer
    /// with a limit asks for the limit or no compression at all; one more without it behind that
    /// says that the limit is only preferred (RFC 7692 §7.1.3).
    ///
    /// [`verify`](Self::verify) checks the answer, and [`Established::deflate`] has what is agreed
    /// on. Offers made by [`with_extension`](Self::with_extension) alone, and the answer to them,
    /// are the caller's to judge.
    ///
    /// ```
    /// use sansocket::deflate::Offer;
    /// # use sansocket::handshake::{Client, Uri};
    /// # let client = Client::new(&Uri::parse("ws://example.com")?, *b"the sample nonce");
    ///
    /// let small = Offer::default().with_server_max_window_bits(10);
    /// let client = client.with_deflate(small).with_deflate(Offer::default());
    /// # let request = String::from_utf8(client.request())?;
    /// # assert!(request.ends_with("\r\nSec-WebSocket-Extensions: \
    /// #     permessage-deflate; server_max_window_bits=10; client_max_window_bits, \
    /// #     permessage-deflate; client_max_window_bits\r\n\r\n"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, offer: Offer) -> Self {
        self.offers_deflate = true;
        self.with_extension(&offer.element().into())
    }

    /// Adds a header of the caller's to the request, such as `Cookie` or `Authorization` (RFC 6455 §4.1).
    ///
    /// # Errors
    ///
    /// The name or the value is not valid, or the header is one that the handshake writes.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, HeadError> {
        field::push_checked(&mut self.extra, name, value.as_ref())?;
        Ok(self)
    }

    /// Writes the request (RFC 6455 §4.1).
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory"
    )]
    pub fn request(&self) -> Vec<u8> {
        let mut request = Vec::with_capacity(512 + self.extra.len());
        request.extend_from_slice(b"GET ");
        request.extend_from_slice(self.resource_name.as_bytes());
        request.extend_from_slice(b" HTTP/1.1\r\n");
        field::push(&mut request, name::HOST, self.host.as_bytes());
        field::push(&mut request, name::UPGRADE, b"websocket");
        field::push(&mut request, name::CONNECTION, b"Upgrade");
        field::push(&mut request, name::SEC_WEBSOCKET_KEY, &self.key);
        field::push(&mut request, name::SEC_WEBSOCKET_VERSION, b"13");
        if let Some(origin) = &self.origin {
            field::push(&mut request, name::ORIGIN, origin.as_bytes());
        }
        if !self.subprotocols.is_empty() {
            let subprotocols = self.subprotocols.join(", ");
            field::push(
                &mut request,
                name::SEC_WEBSOCKET_PROTOCOL,
                subprotocols.as_bytes(),
            );
        }
        self.extensions.push_to(&mut request);
        request.extend_from_slice(&self.extra);
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Checks that a response completes this handshake (RFC 6455 §4.1).
    ///
    /// A 101 has no body: a `Content-Length` or `Transfer-Encoding` in it means nothing, and frames
    /// follow the head at once (RFC 9112 §6.3).
    ///
    /// # Errors
    ///
    /// The first rule that the response breaks; the client closes the transport. If the status is
    /// not 101 that is [`HandshakeError::Rejected`]: the response says more, and what follows it is
    /// an HTTP body, never frames.
    pub fn verify(&self, response: &Response) -> Result<Established, HandshakeError> {
        if response.status() != 101 {
            return Err(HandshakeError::Rejected(response.status()));
        }
        if response.version() < HttpVersion::Http11 {
            return Err(HandshakeError::Http10);
        }
        let headers = response.headers();
        // §4.1 "a value that is not an ASCII case-insensitive match for the value "websocket""
        if !headers
            .required(name::UPGRADE)?
            .eq_ignore_ascii_case(b"websocket")
        {
            return Err(HandshakeError::Invalid(name::UPGRADE));
        }
        // §4.1 "doesn't contain a token that is an ASCII case-insensitive match for the value
        //       "Upgrade""
        headers.check_lists(name::CONNECTION, "Upgrade")?;
        if headers.required(name::SEC_WEBSOCKET_ACCEPT)? != key::accept_key(&self.key) {
            return Err(HandshakeError::Invalid(name::SEC_WEBSOCKET_ACCEPT));
        }
        let subprotocol = self.verify_subprotocol(response)?.map(Into::into);
        let extensions = self.verify_extensions(response)?;
        Ok(Established {
            subprotocol,
            #[cfg(feature = "deflate")]
            deflate: if self.offers_deflate {
                extensions.verify_deflate(&self.extensions)?
            } else {
                None
            },
            extensions,
        })
    }

    fn verify_subprotocol<'a>(
        &self,
        response: &'a Response,
    ) -> Result<Option<&'a str>, HandshakeError> {
        const NAME: &str = name::SEC_WEBSOCKET_PROTOCOL;
        let Some(subprotocol) = response.headers().only(NAME)? else {
            if self.subprotocol_required && !self.subprotocols.is_empty() {
                return Err(HandshakeError::Missing(NAME));
            }
            return Ok(None);
        };
        // §4.3 "Sec-WebSocket-Protocol-Server = token"
        let subprotocol = token(subprotocol).ok_or(HandshakeError::Invalid(NAME))?;
        // §4.1 "the use of a subprotocol that was not present in the client's handshake"
        if !self.offers_subprotocol(subprotocol) {
            return Err(HandshakeError::NotOffered(NAME));
        }
        Ok(Some(subprotocol))
    }

    fn verify_extensions(&self, response: &Response) -> Result<Extensions, HandshakeError> {
        const NAME: &str = name::SEC_WEBSOCKET_EXTENSIONS;
        let extensions = Extensions::from_headers(response.headers())?;
        for (index, extension) in extensions.iter().enumerate() {
            // §4.1 "the use of an extension that was not present in the client's handshake"
            if !self.extensions.contains(extension.name()) {
                return Err(HandshakeError::NotOffered(NAME));
            }
            // An extension in use twice would give the same reserved bits two meanings (§9).
            if extensions
                .iter()
                .take(index)
                .any(|other| other.name() == extension.name())
            {
                return Err(HandshakeError::Repeated(NAME));
            }
        }
        Ok(extensions)
    }

    fn offers_subprotocol(&self, name: &str) -> bool {
        self.subprotocols.iter().any(|offered| offered == name)
    }
}

/// What the client and the server agreed on: the connection is open (RFC 6455 §4.1).
///
/// ```
/// # use sansocket::handshake::{Client, HeadLimits, ResponseReader, Uri};
/// # let client = Client::new(&Uri::parse("ws://example.com")?, *b"the sample nonce");
/// # let input = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
/// #     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// # let (response, _) = ResponseReader::new(HeadLimits::default()).receive(input)?.unwrap();
/// let established = client.verify(&response)?;
/// assert_eq!(established.subprotocol(), None);
/// assert!(established.extensions().is_empty());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Established {
    subprotocol: Option<String>,
    extensions: Extensions,
    #[cfg(feature = "deflate")]
    deflate: Option<Params>,
}

impl Established {
    /// Returns the subprotocol in use, if there is one.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the extensions in use, in the order in which a sender applies them.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Returns what was agreed on permessage-deflate, or `None` if messages are not compressed
    /// (RFC 7692 §5).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(&self) -> Option<Params> {
        self.deflate
    }
}
