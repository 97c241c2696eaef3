//! Decompressing messages (RFC 7692 §7.2.2): the inputs, what has to come of them, what `sansocket` makes of them.

pub mod bits;
pub mod compressed;
pub mod content;
pub mod crafted;
pub mod mutation;
pub mod oracle;
pub mod socket;
pub mod stream;
