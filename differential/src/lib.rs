//! `sansocket` against other implementations: what the programs in `bin/` share.
//!
//! A program makes inputs from a seed, gives each to `sansocket` and to the other one, and compares what they make of it.

mod arguments;
pub mod deflate;
pub mod handshakes;
pub mod peers;
pub mod random;
pub mod run;
pub mod wire;
pub mod zlib;
