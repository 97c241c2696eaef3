//! Which end of the connection we are.

/// The end of a connection (RFC 6455 §1.2): what it must mask, what it may receive.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// The end that opened the connection. It masks every frame it sends (RFC 6455 §5.3).
    Client,
    /// The end that accepted the connection. It never masks a frame (RFC 6455 §5.1).
    Server,
}

impl Role {
    /// Returns the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
