//! Which messages are compressed, and the memory kept for that between two of them.

/// Whether a message is to be compressed, where permessage-deflate was agreed on; anywhere else none is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Compress {
    /// Compress it if it is long enough and, where that can still be decided, gets shorter by it.
    Auto,
    /// Do not compress it: for data that does not get shorter, and for secrets together with text that an attacker chose.
    Never,
    /// Compress it.
    Always,
}

/// The memory that a connection keeps between two messages to compress the next one, if it may refer to those before
/// (RFC 7692 §7.1.1).
///
/// The engine is fastest while few connections are at work. The engines of many connections drive each other out of the CPU's
/// caches; a history is both smaller and faster then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CompressionMemory {
    /// The engine: 287 KiB with a window of 15 bits, 161 KiB with one of 9.
    Engine,
    /// The last bytes that were compressed, at most the window that was agreed on. The number is the base-2 logarithm of
    /// bytes, 8 to 15: [`History(13)`](Self::History) keeps 8 KiB. A number out of that range counts as the nearest in it. Each message borrows an engine of the thread and teaches it
    /// these bytes, which costs the more the more there are.
    History(u8),
}
