//! The server's side of the opening handshake (RFC 6455 §4.2).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::authority;
#[cfg(feature = "deflate")]
use super::deflate::uses_rsv1;
use super::error::HandshakeError;
use super::error::HeadError;
use super::extensions::Extension;
use super::extensions::Extensions;
use super::field;
use super::headers::Headers;
use super::headers::elements;
use super::key;
use super::name;
use super::origin::OriginPolicy;
use super::origin::RejectedOrigin;
use super::request::HttpVersion;
use super::request::Request;
use super::token::is_token;
use super::token::token;
#[cfg(feature = "deflate")]
use crate::deflate::{NAME, Offer, Params};

/// What a server accepts: one value serves every connection (RFC 6455 §4.2).
///
/// By default it serves pages of its own origin, which [`OriginPolicy`] tells the limits of, and no
/// subprotocol.
///
/// ```
/// use sansocket::handshake::{HeadLimits, RequestReader, Server};
///
/// let input = b"GET /chat HTTP/1.1\r\n\
///     Host: server.example.com\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
///     Sec-WebSocket-Protocol: chat, superchat\r\n\
///     Sec-WebSocket-Version: 13\r\n\
///     \r\n";
/// let (request, _) = RequestReader::new(HeadLimits::default()).receive(input)?.unwrap();
///
/// let server = Server::new().with_subprotocols(["superchat", "chat"]);
/// let accepted = server.accept(&request)?;
/// assert_eq!(accepted.subprotocol(), Some("superchat"));
/// assert_eq!(
///     accepted.response(),
///     b"HTTP/1.1 101 Switching Protocols\r\n\
///       Upgrade: websocket\r\n\
///       Connection: Upgrade\r\n\
///       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///       Sec-WebSocket-Protocol: superchat\r\n\
///       \r\n"
/// );
/// # Ok::<(), sansocket::handshake::HandshakeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Server {
    origins: OriginPolicy,
    subprotocols: Subprotocols,
    #[cfg(feature = "deflate")]
    deflate: Option<Offer>,
}

/// How a subprotocol is chosen from those that a client offers.
#[derive(Clone)]
enum Subprotocols {
    Preferred(Vec<String>),
    #[expect(
        clippy::type_complexity,
        reason = "it stands here only, and a name would hide it"
    )]
    Choose(Arc<dyn for<'a> Fn(&[&'a str]) -> Option<&'a str> + Send + Sync>),
}

impl Server {
    /// Creates the default policy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which origins are served.
    #[must_use]
    pub fn with_origins(mut self, policy: OriginPolicy) -> Self {
        self.origins = policy;
        self
    }

    /// Sets the subprotocols that the server speaks, the best one first. The first that the client
    /// offers is chosen, or none.
    #[must_use]
    pub fn with_subprotocols<I>(mut self, preferred: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.subprotocols =
            Subprotocols::Preferred(preferred.into_iter().map(Into::into).collect());
        self
    }

    /// Sets a function that chooses the subprotocol from those that the client offers, the client's
    /// best one first, and at most 1024 of them. It is not called if there are none; what the client
    /// did not offer is not chosen.
    #[must_use]
    pub fn with_subprotocol_chooser(
        mut self,
        choose: impl for<'a> Fn(&[&'a str]) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.subprotocols = Subprotocols::Choose(Arc::new(choose));
        self
    }

    /// Lets the server accept permessage-deflate where a client offers it (RFC 7692 §5):
    /// [`Accepted::deflate`] has what is agreed on. Without this the server declines it.
    ///
    /// ```
    /// use sansocket::deflate::Offer;
    /// # use sansocket::handshake::{HeadLimits, RequestReader, Server};
    /// # let input = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    /// #     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    /// # let (request, _) = RequestReader::new(HeadLimits::default()).receive(input)?.unwrap();
    ///
    /// let wanted = Offer::default().with_client_max_window_bits(12);
    /// let accepted = Server::new().with_deflate(wanted).accept(&request)?;
    /// let params = accepted.deflate().expect("the client offers it");
    /// assert_eq!(params.client_max_window_bits, 12);
    /// # Ok::<(), sansocket::handshake::HandshakeError>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, wanted: Offer) -> Self {
        self.deflate = Some(wanted);
        self
    }

    /// Checks that a request is an opening handshake which this server accepts (RFC 6455 §4.2.1).
    ///
    /// The headers are read only by name: unknown ones and their order do not matter.
    ///
    /// # Errors
    ///
    /// The first rule that the request breaks; [`HandshakeError::response`] answers it. The rules
    /// have this order:
    ///
    /// | rule | error | status |
    /// |---|---|---|
    /// | there is `Upgrade: websocket` or a header `Sec-WebSocket-…`: it is no plain request | [`NotUpgrade`](HandshakeError::NotUpgrade) | 426 |
    /// | method, HTTP version, target, `Host`, no body, `Expect` | named | 400, 405, 417, 426 |
    /// | `Upgrade: websocket`, `Connection: Upgrade` | [`Missing`](HandshakeError::Missing), [`Invalid`](HandshakeError::Invalid) | 400 |
    /// | `Sec-WebSocket-Version: 13`, once | [`UnsupportedVersion`](HandshakeError::UnsupportedVersion) | 426 |
    /// | key, subprotocols, extensions | named | 400 |
    /// | `Origin` | [`OriginRejected`](HandshakeError::OriginRejected) | 403 |
    pub fn accept(&self, request: &Request) -> Result<Accepted, HandshakeError> {
        let headers = request.headers();
        if is_plain(headers) {
            return Err(HandshakeError::NotUpgrade);
        }
        let host = check_request(request)?;
        headers.check_lists(name::UPGRADE, "websocket")?;
        headers.check_lists(name::CONNECTION, "Upgrade")?;
        check_version(headers)?;
        let key = headers.required(name::SEC_WEBSOCKET_KEY)?;
        if !key::is_valid(key) {
            return Err(HandshakeError::Invalid(name::SEC_WEBSOCKET_KEY));
        }
        check_subprotocols(headers)?;
        let offered = Extensions::from_headers(headers)?;
        // §4.2.2 "If the server does not wish to accept this connection, it MUST return an
        //         appropriate HTTP error code (e.g., 403 Forbidden)"
        let origin = origin(headers)?;
        if !self.origins.allows(origin, host) {
            let refused = RejectedOrigin::new(origin, host);
            return Err(HandshakeError::OriginRejected(Box::new(refused)));
        }
        let accepted = Accepted {
            accept: key::accept_key(key),
            subprotocol: self.subprotocols.choose(headers).map(Into::into),
            offered,
            extensions: Extensions::new(),
            #[cfg(feature = "deflate")]
            deflate: None,
            extra: Vec::new(),
        };
        #[cfg(feature = "deflate")]
        let accepted = accepted.with_deflate(self.deflate);
        Ok(accepted)
    }
}

impl Subprotocols {
    /// Chooses among those that the client offers: §4.2.2 "The value chosen MUST be derived from
    /// the client's handshake".
    fn choose<'a>(&self, headers: &'a Headers) -> Option<&'a str> {
        match self {
            Self::Preferred(preferred) => preferred
                .iter()
                .find_map(|name| offered_subprotocols(headers).find(|offered| offered == name)),
            Self::Choose(choose) => {
                let offered: Vec<_> = offered_subprotocols(headers)
                    .take(MOST_SUBPROTOCOLS)
                    .collect();
                let choice = (!offered.is_empty()).then(|| choose(&offered))??;
                offered.into_iter().find(|&name| name == choice)
            }
        }
    }
}

/// How many subprotocols a function that chooses is shown: far more than anyone speaks, and a list
/// of them takes no more memory than the head that offers them.
const MOST_SUBPROTOCOLS: usize = 1024;

impl Default for Subprotocols {
    fn default() -> Self {
        Self::Preferred(Vec::new())
    }
}

impl fmt::Debug for Subprotocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preferred(preferred) => f.debug_tuple("Preferred").field(preferred).finish(),
            Self::Choose(_) => f.write_str("Choose(..)"),
        }
    }
}

/// An opening handshake that the server accepts: what was agreed, and the response that says so
/// (RFC 6455 §4.2.2).
///
/// It can still be refused with [`reject`](super::reject). Once the response is written the
/// connection is open, and frames may follow in the same write.
///
/// ```
/// use sansocket::handshake::{Extension, HeadLimits, RequestReader, Server};
///
/// # let input = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
/// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
/// #     Sec-WebSocket-Extensions: foo; a=1\r\n\r\n";
/// # let (request, _) = RequestReader::new(HeadLimits::default()).receive(input)?.unwrap();
/// let mut accepted = Server::new().accept(&request)?;
/// if accepted.offered_extensions().contains("foo") {
///     accepted.accept_extension(&Extension::new("foo")?)?;
/// }
/// accepted.add_header("Set-Cookie", "session=1")?;
/// let response = accepted.response();
/// # assert!(response.ends_with(
/// #     b"Sec-WebSocket-Extensions: foo\r\nSet-Cookie: session=1\r\n\r\n"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Accepted {
    accept: [u8; 28],
    subprotocol: Option<String>,
    offered: Extensions,
    extensions: Extensions,
    #[cfg(feature = "deflate")]
    deflate: Option<Params>,
    /// The caller's header lines.
    extra: Vec<u8>,
}

/// Shows what is answered, but no header of the caller's, which may be a secret.
impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("subprotocol", &self.subprotocol)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

impl Accepted {
    /// Accepts an extension that the client offered. None is accepted otherwise, but for what the
    /// server negotiates by itself, and the offer of one that it does not know is no error
    /// (RFC 6455 §9.1).
    ///
    /// # Errors
    ///
    /// The client did not offer it, one of this name is accepted already, or it needs the same
    /// reserved bit as permessage-deflate, which is (RFC 7692 §5).
    pub fn accept_extension(&mut self, extension: &Extension<'_>) -> Result<&mut Self, HeadError> {
        if !self.offered.contains(extension.name()) {
            return Err(HeadError::ExtensionNotOffered);
        }
        if self.extensions.contains(extension.name()) {
            return Err(HeadError::ExtensionRepeated);
        }
        #[cfg(feature = "deflate")]
        if self.deflate.is_some() && uses_rsv1(extension) {
            return Err(HeadError::ExtensionConflict);
        }
        self.extensions.push(extension);
        Ok(self)
    }

    /// Declines permessage-deflate for this connection, though [`Server::with_deflate`] allows it:
    /// for a client that is known to do it wrong, or where [`deflate`](Self::deflate) would cost
    /// more memory than the server has to give.
    #[cfg(feature = "deflate")]
    pub fn decline_deflate(&mut self) -> &mut Self {
        if self.deflate.take().is_some() {
            self.extensions.remove(NAME);
        }
        self
    }

    /// Adds a header to the response.
    ///
    /// # Errors
    ///
    /// The name or the value is not valid, or the header is one that the handshake writes.
    pub fn add_header(
        &mut self,
        name: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<&mut Self, HeadError> {
        field::push_checked(&mut self.extra, name, value.as_ref())?;
        Ok(self)
    }

    /// Returns the subprotocol in use, if there is one.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the extensions that the client offers, the one it prefers first.
    #[must_use]
    pub const fn offered_extensions(&self) -> &Extensions {
        &self.offered
    }

    /// Returns the extensions in use.
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

    /// Writes the response that completes the handshake (RFC 6455 §4.2.2).
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a sum of lengths that lie in memory"
    )]
    pub fn response(&self) -> Vec<u8> {
        let mut response = Vec::with_capacity(256 + self.extra.len());
        response.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\n\
              Upgrade: websocket\r\n\
              Connection: Upgrade\r\n",
        );
        field::push(&mut response, name::SEC_WEBSOCKET_ACCEPT, &self.accept);
        if let Some(subprotocol) = &self.subprotocol {
            field::push(
                &mut response,
                name::SEC_WEBSOCKET_PROTOCOL,
                subprotocol.as_bytes(),
            );
        }
        self.extensions.push_to(&mut response);
        response.extend_from_slice(&self.extra);
        response.extend_from_slice(b"\r\n");
        response
    }

    /// Accepts permessage-deflate if the client offers it as the server wants it. It comes first in
    /// the list, so that it is never applied to what another extension has made (RFC 7692 §5).
    #[cfg(feature = "deflate")]
    fn with_deflate(mut self, wanted: Option<Offer>) -> Self {
        if let Some(answer) = wanted.and_then(|wanted| self.offered.answer_deflate(wanted)) {
            self.extensions.push(&answer.into());
            self.deflate = Some(answer.params());
        }
        self
    }
}

/// Checks what HTTP asks of the request, whatever it is for; returns the host it goes to.
fn check_request(request: &Request) -> Result<&str, HandshakeError> {
    // §4.2.1 "An HTTP/1.1 or higher GET request, including a "Request-URI""
    if request.method() != "GET" {
        return Err(HandshakeError::Method);
    }
    if request.version() < HttpVersion::Http11 {
        return Err(HandshakeError::Http10);
    }
    let (authority, _) = request.split_target().ok_or(HandshakeError::Target)?;
    let headers = request.headers();
    // RFC 9112 §3.2 refuses a Host "with an invalid field value", also where the target of the
    // request says in its stead where it goes.
    let host = core::str::from_utf8(headers.required(name::HOST)?)
        .ok()
        .filter(|host| authority::is_valid(host))
        .ok_or(HandshakeError::Invalid(name::HOST))?;
    let host = authority.unwrap_or(host);

    // A body would follow the head where we look for the first frame.
    if headers.first(name::TRANSFER_ENCODING).is_some() {
        return Err(HandshakeError::Body);
    }
    if let Some(length) = headers.only(name::CONTENT_LENGTH)? {
        if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(HandshakeError::Invalid(name::CONTENT_LENGTH));
        }
        if length.iter().any(|&digit| digit != b'0') {
            return Err(HandshakeError::Body);
        }
    }
    // RFC 9110 §10.1.1 lets a server leave the 100 out if there is no body to wait for.
    let mut expected = headers.elements(name::EXPECT);
    if expected.any(|element| !element.eq_ignore_ascii_case(b"100-continue")) {
        return Err(HandshakeError::Expectation);
    }
    Ok(host)
}

/// Tells whether nothing in a request speaks of WebSocket. One that does asks for an upgrade, however
/// wrong it is.
fn is_plain(headers: &Headers) -> bool {
    let is_own = |(name, _): (&str, _)| name::is_sec_websocket(name);
    !headers.list_has(name::UPGRADE, "websocket") && !headers.iter().any(is_own)
}

/// Checks that the client speaks the one version that there is, and says so once.
fn check_version(headers: &Headers) -> Result<(), HandshakeError> {
    match headers.only(name::SEC_WEBSOCKET_VERSION) {
        Ok(Some(b"13")) => Ok(()),
        _ => Err(HandshakeError::UnsupportedVersion),
    }
}

/// Checks that the subprotocols that the client offers, if it does, are names.
fn check_subprotocols(headers: &Headers) -> Result<(), HandshakeError> {
    const NAME: &str = name::SEC_WEBSOCKET_PROTOCOL;
    let mut lines = headers.all(NAME).peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    // §4.3 "Sec-WebSocket-Protocol-Client = 1#token"
    let mut offered = lines.flat_map(elements).peekable();
    if offered.peek().is_none() || !offered.all(is_token) {
        return Err(HandshakeError::Invalid(NAME));
    }
    Ok(())
}

/// Returns the subprotocols that the client offers, the one it prefers first.
fn offered_subprotocols(headers: &Headers) -> impl Iterator<Item = &str> {
    headers
        .elements(name::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(token)
}

/// Returns the origin of the page that the request comes from, if it comes from one.
fn origin(headers: &Headers) -> Result<Option<&str>, HandshakeError> {
    let Some(origin) = headers.only(name::ORIGIN)? else {
        return Ok(None);
    };
    match core::str::from_utf8(origin) {
        Ok(origin) => Ok(Some(origin)),
        Err(_) => Err(HandshakeError::Invalid(name::ORIGIN)),
    }
}
