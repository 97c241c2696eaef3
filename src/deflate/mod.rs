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
//! The opening handshake of this crate does it by itself: see `handshake::Client::with_deflate` and
//! `handshake::Server::with_deflate`, and `connection` of `handshake::Accepted` and `handshake::Established`. Where the handshake happens elsewhere, there are three ways in:
//!
//! * `handshake::Extensions::answer_deflate` and `verify_deflate` work on the value of the header;
//! * [`Offer`] and [`Element`] work on parameters that something else has parsed;
//! * [`Params`] says what was agreed, whoever did it, and [`Config::with_deflate`](crate::Config::with_deflate) takes it.
//!
//! # Memory
//!
//! Nothing is allocated for a direction before its first compressed message. What is held from then on, until the
//! connection closes:
//!
//! | direction | agreed on | between messages | within one |
//! |---|---|---|---|
//! | compressing | no context takeover | nothing | an engine of the thread |
//! | compressing | takeover, [`CompressionMemory::Engine`](crate::CompressionMemory::Engine) | an engine | the same |
//! | compressing | takeover, [`CompressionMemory::History`](crate::CompressionMemory::History) of *n* bits | 2<sup>*n*</sup> bytes | an engine of the thread, too |
//! | decompressing | no context takeover | nothing | an engine of the thread |
//! | decompressing | takeover | an engine | the same |
//!
//! An engine that compresses takes 287 KiB with a window of 15 bits, 223 KiB with 14, 191 KiB with 13, 175 KiB with 12 and
//! 161 KiB with 9, at any level; one that decompresses takes 78 KiB with any window: `cargo test --test deflate_bounds
//! memory_table -- --nocapture`. A thread keeps up to four spare ones of
//! either kind.
//!
//! # Work
//!
//! A peer that compresses makes us work more than its bytes show: DEFLATE makes up to 1,032 bytes of one.
//! [`Limits::message`](crate::Limits::message) bounds what comes out of a message. Lower it on a server that anyone can reach,
//! or do not agree on compression there.
//!
//! Where C's `unsigned long` has 32 bits, as on Windows, a message whose compressed form is longer than 3 GiB may fail as
//! [too large](crate::ProtocolError::MessageTooLarge), because `zlib-rs` counts its bytes in that type.
//!
//! # Secrets
//!
//! How well a message compresses tells who watches the wire what it has in common with other text of the same message or, with
//! context takeover, of the messages before. Where an attacker may choose a part of that text, secrets leak byte by byte
//! (CRIME, BREACH). Send those with [`Compress::Never`](crate::Compress::Never), or do not agree on compression.

mod compress;
mod history;
mod inflate;
mod offer;
mod params;

pub(crate) use compress::Deflater;
pub(crate) use inflate::Inflater;
pub use offer::ClientLimit;
pub use offer::Offer;
pub use params::Element;
pub use params::NegotiationError;
pub use params::Params;

/// The name under which the extension is registered (RFC 7692 §7).
pub const NAME: &str = "permessage-deflate";

/// What the sender of a message removes from its end, and the receiver puts back (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
