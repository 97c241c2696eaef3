//! Transports: each a thin driver of a [`Connection`](crate::Connection).

pub mod blocking;
mod error;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use error::{Error, Rejection};
