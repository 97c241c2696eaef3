//! A sans-IO WebSocket protocol codec: bytes in, events out; messages in, bytes out.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "handshake")]
pub mod handshake;
mod role;

pub use role::Role;
