//! The extension permessage-deflate: how both ends agree on it (RFC 7692 §5, §7.1).
//!
//! ```text
//!  client                                                          server
//!  ======                                                          ======
//!  Offer::element ──── permessage-deflate; client_max_window_bits ───►  Offer::answer
//!  Element::verify ◄─────────────── permessage-deflate ───────────────  Element::params
//!  Params                                                          Params
//! ```
//!
//! The opening handshake of this crate does it by itself: see `handshake::Client::offer_deflate` and
//! `handshake::Server::with_deflate`. Where the handshake happens elsewhere, there are three ways in:
//!
//! * `handshake::Extensions::answer_deflate` and `verify_deflate` work on the value of the header;
//! * [`Offer`] and [`Element`] work on parameters that something else has parsed;
//! * [`Params`] says what was agreed, whoever did it.

mod compress;
mod history;
mod inflate;
mod offer;
mod params;

pub(crate) use compress::Deflater;
pub(crate) use inflate::Inflater;
pub use offer::Offer;
pub use params::Element;
pub use params::NegotiationError;
pub use params::Params;

/// The name under which the extension is registered (RFC 7692 §7).
pub const NAME: &str = "permessage-deflate";

/// What the sender of a message removes from its end, and the receiver puts back (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
