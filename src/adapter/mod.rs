//! Transports: each a thin driver of a [`Connection`](crate::Connection).

use core::time::Duration;

pub mod blocking;
mod error;
mod link;
mod opening;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tokio")]
mod wakers;

pub use error::{Error, Rejection};

/// How many bytes a read asks for: a frame of 16 KiB, or a TLS record, is there at once.
const READ: usize = 20 << 10;

/// How many slices a write offers.
const SLICES: usize = 16;

/// How long a transport that has no more use is kept for the peer to take our last bytes and to close it.
const LINGER: Duration = Duration::from_secs(1);
