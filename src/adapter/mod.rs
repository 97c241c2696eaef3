//! Transports: each a thin driver of a [`Connection`](crate::Connection).

use core::time::Duration;

pub mod blocking;
mod bounded;
mod closer;
mod error;
mod link;
mod opening;
mod stream;
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

/// How many bytes are read and ignored in that time: more than most bodies of a request that is refused.
const LINGER_BYTES: usize = 4 << 20;

/// How long an opening handshake may take where nothing else is said: three times as long as TCP waits for a lost first
/// packet of each side.
const HANDSHAKE: Duration = Duration::from_secs(10);
