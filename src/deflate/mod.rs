//! The extension permessage-deflate (RFC 7692 §7): how both peers agree on it.

mod params;

pub use params::Params;
