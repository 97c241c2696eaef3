//! A sans-IO WebSocket protocol codec: bytes in, events out; messages in, bytes out.
//!
//! RFC 6455 in both roles, without I/O, clock, threads or async: a state machine to put into an event loop, a server, a
//! proxy or a binding for another language. Two thin adapters, [`blocking`] and `tokio`, drive it for those who
//! want just a WebSocket.
//!
//! ```text
//!         network                                    application
//!         =======            +--------------+        ===========
//!         receive(&mut input)|              | Event
//!             ──────────────►│  Connection  ├──────────────►
//!             ◄──────────────┤              │◄──────────────
//!                outgoing()  |              | send_*(), ping(), close()
//!                            +--------------+
//! ```
//!
//! # The loop
//!
//! The caller owns the buffers. Events borrow the bytes that were read, not the connection, so a message can be answered
//! while it is held, and one buffer may serve all connections of a thread:
//!
//! ```
//! use bytes::Buf;
//! use sansocket::{Connection, Event, TransportAction};
//!
//! /// Reads once from a transport that is ready, answers, and returns what to do with it.
//! fn on_readable<S: std::io::Read + std::io::Write>(
//!     stream: &mut S,
//!     connection: &mut Connection,
//!     shared: &mut [u8],
//! ) -> std::io::Result<TransportAction> {
//!     let count = stream.read(shared)?;
//!     if count == 0 {
//!         // An error, unless the peer's Close frame has come.
//!         connection
//!             .receive_eof()
//!             .map_err(|cut| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, cut))?;
//!     }
//!     let mut input = &mut shared[..count];
//!     // An error has queued the Close frame that says why; `transport_action` says how to go on.
//!     while let Ok(Some(event)) = connection.receive(&mut input) {
//!         let sent = match event {
//!             Event::Text(text) => connection.send_text(&text),
//!             Event::Binary(data) => connection.send_binary(&data),
//!             _ => Ok(()), // Pings and Close frames are answered already
//!         };
//!         // Refused while too much waits to be written, or once we close: an echo may be dropped then.
//!         let _ = sent;
//!     }
//!     while connection.outgoing().has_remaining() {
//!         match stream.write(connection.outgoing().chunk()) {
//!             Ok(count) => connection.outgoing().advance(count),
//!             Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break, // go on when it is writable
//!             Err(error) => return Err(error),
//!         }
//!     }
//!     Ok(connection.transport_action())
//! }
//! ```
//!
//! # The layers
//!
//! * [`FrameHeader`], [`mask`], [`Utf8Validator`], [`CloseFrame`]: the parts of a frame, for proxies and tools.
//! * [`ReceiveHalf`] and [`SendHalf`]: the two halves, each usable on its own task.
//! * [`Connection`]: both, with the closing handshake between them.
//! * [`handshake`]: the opening handshake, as functions over bytes.
//! * `deflate`: compressed messages, if both ends agree on them.
//! * [`blocking`] and `tokio`: connections over a stream.
//!
//! # Memory
//!
//! An idle connection holds no memory on the heap. A message that lies whole in the input is delivered without a copy; one
//! that does not is gathered in memory from a pool, which keeps up to 64 KiB for each thread and 64 MiB for the process
//! (`pool::set_limit`). [`Limits`] bounds the memory and work that a peer can cause.
//!
//! # Features
//!
//! | feature | default | for |
//! |---|---|---|
//! | `std` | yes | pooled buffers, wider registers chosen at run time and, with the next two, [`blocking`]; without it `alloc` is enough |
//! | `handshake` | yes | [`handshake`] |
//! | `getrandom` | yes | [`random`]: masking keys and nonces, by the operating system |
//! | `deflate` | yes | `deflate`: permessage-deflate (RFC 7692) |
//! | `tokio` | no | `tokio`, the adapter over `AsyncRead + AsyncWrite` |
#![no_std]
#![warn(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]
#![cfg_attr(
    not(all(feature = "deflate", feature = "tokio")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "docs link to what other features bring; with all of them, each link has to lead somewhere"
    )
)]
// No panic that a peer can reach: each place that could panic or overflow says why it does not.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
mod adapter;
mod assemble;
mod buffer;
mod close;
mod compression;
mod config;
mod connection;
#[cfg(feature = "deflate")]
pub mod deflate;
mod error;
mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
pub mod mask;
mod message;
#[cfg(feature = "handshake")]
mod opened;
mod payload;
#[cfg(feature = "std")]
pub mod pool;
#[cfg(feature = "getrandom")]
pub mod random;
mod role;
mod setters;
mod spare;
mod text;
mod utf8;

#[cfg(feature = "tokio")]
pub use adapter::tokio;
#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
pub use adapter::{Error, Rejection, blocking};
pub use bytes;
pub use close::{CloseCode, CloseFrame};
pub use compression::{Compress, CompressionMemory};
pub use config::{Config, Delivery, Limits};
#[cfg(feature = "std")]
pub use connection::Replies;
pub use connection::{
    Chunk, Connection, EndedBy, Event, Fin, MaskKeySource, Outcome, Outgoing, ReceiveHalf,
    Received, Reply, SendError, SendHalf, TransportAction, Unsent,
};
pub use error::{ProtocolError, UnexpectedEof};
pub use frame::{FrameHeader, Opcode};
pub use message::{Message, MessageKind, Outbound, OutboundKind};
pub use payload::Payload;
pub use role::Role;
pub use text::{Text, Utf8Bytes};
pub use utf8::{InvalidUtf8, Utf8Validator};

#[doc = include_str!("../README.md")]
#[cfg(all(doctest, feature = "std", feature = "handshake", feature = "getrandom"))]
struct Readme;
