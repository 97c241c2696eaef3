//! Opening handshakes: the heads, and what becomes of them.

pub mod head;
pub mod sansocket;
pub mod tungstenite;

/// What becomes of a head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome<E> {
    /// More bytes are wanted.
    Partial,
    /// It is accepted; a server answers with this `Sec-WebSocket-Accept`.
    Accepted(Vec<u8>),
    Rejected(E),
}
