//! A sans-IO WebSocket protocol codec: bytes in, events out; messages in, bytes out.
#![no_std]
#![warn(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
mod adapter;
mod assemble;
mod buffer;
mod close;
mod config;
mod connection;
mod error;
mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
pub mod mask;
mod message;
mod payload;
#[cfg(feature = "getrandom")]
pub mod random;
mod role;
mod text;
mod utf8;

#[cfg(feature = "tokio")]
pub use adapter::tokio;
#[cfg(all(feature = "std", feature = "handshake", feature = "getrandom"))]
pub use adapter::{Error, Rejection, blocking};
pub use close::{CloseCode, CloseFrame};
pub use config::{Config, Delivery, Limits};
pub use connection::{
    Chunk, Connection, EndedBy, Event, Fin, MaskKeys, Outcome, Outgoing, Receiver, Refused, Reply,
    SendError, Sender, Transport,
};
pub use error::ProtocolError;
pub use frame::{FrameHeader, Opcode};
pub use message::{Message, MessageKind};
pub use payload::Payload;
pub use role::Role;
pub use text::{Text, Utf8Bytes};
pub use utf8::Utf8;
