//! What the targets share.

pub mod choices;
pub mod ear;
pub mod head;
pub mod heap;
pub mod inflate;
pub mod stream;
pub mod talk;
