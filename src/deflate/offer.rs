//! What the application wants of permessage-deflate (RFC 7692 §7.1).

use super::params::ClientBits;
use super::params::Element;
use super::params::LARGEST_WINDOW;
use super::params::SMALLEST_WINDOW;
use crate::setters::setters;

/// What an end wants of permessage-deflate: a client offers it, a server accepts by it
/// (RFC 7692 §5).
///
/// The default is what compresses best: context takeover and the largest window, both ways. Each
/// setting takes memory away from both ends of one direction, and makes messages larger. Whoever
/// compresses needs far more memory for it than whoever decompresses.
///
/// Windows are base-2 logarithms of bytes. A number over 15 counts as 15, one that is too small as
/// the smallest that is possible; RFC 7692 §7.3 advises 10 at the least.
///
/// ```
/// use sansocket::deflate::Offer;
///
/// let offer = Offer::default().with_server_max_window_bits(10);
/// assert_eq!(
///     offer.element().to_string(),
///     "permessage-deflate; server_max_window_bits=10; client_max_window_bits"
/// );
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two are parameters of the extension, and two are about these parameters"
)]
#[non_exhaustive]
pub struct Offer {
    /// The server compresses every message with an empty window (RFC 7692 §7.1.1.1). Default: no.
    ///
    /// Between two messages neither the server's compressor nor the client's decompressor has to
    /// keep any memory. Short messages that resemble each other compress much worse.
    ///
    /// A client that wants this accepts nothing else. A server does it also where it is not asked.
    pub server_no_context_takeover: bool,
    /// The client compresses every message with an empty window (RFC 7692 §7.1.1.2). Default: no.
    ///
    /// It has the same consequences for the client's compressor and the server's decompressor. A
    /// client that wants this does it whatever the server answers; a server's word binds the client.
    pub client_no_context_takeover: bool,
    /// The largest window that the server compresses with, 8 to 15 (RFC 7692 §7.1.2.1). Default: 15.
    ///
    /// A smaller window takes less of the server's memory, and less of the client's if that makes
    /// use of it; ours does not. A client that wants less than 15 accepts no more than it said, and
    /// a server that is not ours may decline to be limited: if compression matters more to the
    /// client than memory, it makes a second offer without the limit.
    pub server_max_window_bits: u8,
    /// The largest window that the client compresses with, 8 to 15 (RFC 7692 §7.1.2.2). Default: 15.
    ///
    /// A smaller window takes less of the client's memory, and less of the server's if that makes
    /// use of it; ours does not. A client offers to be limited further, and a server limits each
    /// client that offers it, unless [`client_limit`](Self::client_limit) says otherwise: to 8 only
    /// where the client asks for it by itself, as few compressors are able to. A client that does
    /// not offer it is accepted with the largest window.
    pub client_max_window_bits: u8,
    /// Whether the server may limit the client's window. Default: [`ClientLimit::Optional`].
    pub client_limit: ClientLimit,
    /// The server declines an offer that requests `server_no_context_takeover`, and looks at the
    /// client's next one (RFC 7692 §5). Default: no. A client ignores this field.
    ///
    /// Without takeover the server's short messages compress much worse, which costs bandwidth.
    pub declines_server_no_context_takeover: bool,
    /// The server declines an offer that has `server_max_window_bits`, and looks at the client's
    /// next one (RFC 7692 §5). Default: no. A client ignores this field.
    ///
    /// With a smaller window the server's long messages compress worse.
    pub declines_server_max_window_bits: bool,
}

/// Whether the server may limit the window that the client compresses with, as the parameter
/// `client_max_window_bits` of an offer allows (RFC 7692 §7.1.2.2).
///
/// ```
/// use sansocket::deflate::{ClientLimit, Element, Offer};
///
/// let offer = Offer::default().with_client_limit(ClientLimit::Never);
/// assert_eq!(offer.element().to_string(), "permessage-deflate");
///
/// let wanted = Offer::default().with_client_limit(ClientLimit::Required);
/// assert_eq!(wanted.answer(offer.element()), None);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientLimit {
    /// A client does not offer the parameter, so an answer with it fails the handshake, and
    /// [`Offer::client_max_window_bits`] counts as 15. A server does as with
    /// [`Optional`](Self::Optional).
    Never,
    /// A client offers the parameter. A server answers with it only where it was offered.
    #[default]
    Optional,
    /// A server declines an offer without the parameter, and looks at the client's next one. A
    /// client does as with [`Optional`](Self::Optional).
    Required,
}

impl Offer {
    setters! {
        with_server_no_context_takeover server_no_context_takeover: bool,
        with_client_no_context_takeover client_no_context_takeover: bool,
        with_server_max_window_bits server_max_window_bits: u8,
        with_client_max_window_bits client_max_window_bits: u8,
        with_client_limit client_limit: ClientLimit,
        with_declines_server_no_context_takeover declines_server_no_context_takeover: bool,
        with_declines_server_max_window_bits declines_server_max_window_bits: bool,
    }

    /// Returns the element with which a client offers this (RFC 7692 §7.1).
    #[must_use]
    pub fn element(self) -> Element {
        let server_bits = self.server_max_window_bits.max(SMALLEST_WINDOW);
        let client_bits = self.client_max_window_bits.max(SMALLEST_WINDOW);
        Element {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: (server_bits < LARGEST_WINDOW).then_some(server_bits),
            client_max_window_bits: match self.client_limit {
                ClientLimit::Never => ClientBits::Absent,
                _ if client_bits < LARGEST_WINDOW => ClientBits::Limit(client_bits),
                _ => ClientBits::Bare,
            },
        }
    }

    /// Answers an offer of a client, as a server that wants this; `None` if the server declines the
    /// offer (RFC 7692 §7.1).
    ///
    /// By default the server declines no valid offer. Of several offers a server answers the first
    /// that is valid and not declined, and no other. The answer takes up the client's hints, and
    /// says nothing that is understood without it.
    ///
    /// ```
    /// use sansocket::deflate::{Element, Offer};
    ///
    /// let wanted = Offer::default().with_server_max_window_bits(12);
    /// let offered = Element::parse([("client_max_window_bits", Some("10"))])?;
    /// let answer = wanted.answer(offered).expect("it is not declined");
    /// assert_eq!(
    ///     answer.to_string(),
    ///     "permessage-deflate; server_max_window_bits=12; client_max_window_bits=10"
    /// );
    /// assert_eq!(answer.params().client_max_window_bits, 10);
    /// # Ok::<(), sansocket::deflate::NegotiationError>(())
    /// ```
    #[must_use]
    pub fn answer(self, offered: Element) -> Option<Element> {
        if self.declines(offered) {
            return None;
        }
        let own_bits = self
            .server_max_window_bits
            .clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let server_max_window_bits = match offered.server_max_window_bits {
            Some(most) => Some(own_bits.min(most)),
            None => (own_bits < LARGEST_WINDOW).then_some(own_bits),
        };
        // The hint of a client is one that it can keep to, be it 8.
        let client_bits = self
            .client_max_window_bits
            .max(SMALLEST_ASKED)
            .min(offered.client_max_window_bits.limit());
        // §7.1.2.2: what was not offered must not be answered.
        let limits_client =
            offered.client_max_window_bits != ClientBits::Absent && client_bits < LARGEST_WINDOW;
        Some(Element {
            server_no_context_takeover: self.server_no_context_takeover
                || offered.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || offered.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits: if limits_client {
                ClientBits::Limit(client_bits)
            } else {
                ClientBits::Absent
            },
        })
    }

    /// Tells whether the server takes no offer that has, or lacks, a parameter of this one.
    fn declines(self, offered: Element) -> bool {
        let takeover =
            self.declines_server_no_context_takeover && offered.server_no_context_takeover;
        let server_bits =
            self.declines_server_max_window_bits && offered.server_max_window_bits.is_some();
        let client_bits = self.client_limit == ClientLimit::Required
            && offered.client_max_window_bits == ClientBits::Absent;
        takeover || server_bits || client_bits
    }
}

/// The smallest window that a server asks of a client which does not name it: few compressors are able to 8 bits, and their
/// clients fail the handshake.
const SMALLEST_ASKED: u8 = 9;

impl Default for Offer {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: LARGEST_WINDOW,
            client_max_window_bits: LARGEST_WINDOW,
            client_limit: ClientLimit::Optional,
            declines_server_no_context_takeover: false,
            declines_server_max_window_bits: false,
        }
    }
}
