//! The parameters that both peers agreed on (RFC 7692 §7.1).

use crate::role::Role;

/// The agreed parameters of permessage-deflate: how each peer compresses (RFC 7692 §5, §7.1).
///
/// The parameters of a role say what its compressor keeps, and so what the other peer needs to
/// decompress. Use [`Params`] as it stands if the opening handshake happens elsewhere.
///
/// ```
/// use sansocket::{Role, deflate::Params};
///
/// let params = Params { server_no_context_takeover: true, client_max_window_bits: 10, ..Params::default() };
/// assert!(params.no_context_takeover(Role::Server));
/// assert_eq!(params.window_bits(Role::Client), 10);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Params {
    /// The server compresses every message with an empty window (RFC 7692 §7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client compresses every message with an empty window (RFC 7692 §7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the largest window that the server uses to compress, 8 to 15
    /// (RFC 7692 §7.1.2.1).
    pub server_max_window_bits: u8,
    /// The base-2 logarithm of the largest window that the client uses to compress, 8 to 15
    /// (RFC 7692 §7.1.2.2).
    pub client_max_window_bits: u8,
}

impl Params {
    /// Tells whether `sender` compresses every message with an empty window (RFC 7692 §7.1.1).
    #[must_use]
    pub const fn no_context_takeover(self, sender: Role) -> bool {
        match sender {
            Role::Server => self.server_no_context_takeover,
            Role::Client => self.client_no_context_takeover,
        }
    }

    /// Returns the base-2 logarithm of the largest window that `sender` uses to compress
    /// (RFC 7692 §7.1.2).
    #[must_use]
    pub const fn window_bits(self, sender: Role) -> u8 {
        match sender {
            Role::Server => self.server_max_window_bits,
            Role::Client => self.client_max_window_bits,
        }
    }
}

impl Default for Params {
    /// What an element without parameters means: context takeover and windows of 15 bits, both ways.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}
