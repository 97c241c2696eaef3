//! What the targets share.

pub mod choices;
