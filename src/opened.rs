//! From the opening handshake to the connection: what was agreed on is what the connection does.

use crate::config::Config;
use crate::connection::{Connection, MaskKeySource};
use crate::handshake::{Accepted, Established};

impl Accepted {
    /// Returns the server's end of the connection, as it was agreed on: it compresses if the answer says so.
    ///
    /// Write [`response`](Self::response) first, and give bytes that came behind the request to
    /// [`Connection::receive`].
    ///
    /// ```
    /// use sansocket::Config;
    /// use sansocket::handshake::{HeadLimits, RequestReader, Server};
    ///
    /// let mut reader = RequestReader::new(HeadLimits::default());
    /// let head = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    ///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    /// let (request, _) = reader.receive(head)?.expect("a whole head");
    ///
    /// let accepted = Server::new().accept(&request)?;
    /// let response = accepted.response(); // to be written
    /// let mut connection = accepted.connection(&Config::default());
    /// connection.send_text("Hello")?;
    /// # assert!(response.starts_with(b"HTTP/1.1 101"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn connection(&self, config: &Config) -> Connection {
        #[cfg(feature = "deflate")]
        let config = &config.agreed(self.deflate());
        Connection::server(config)
    }
}

impl Established {
    /// Returns the client's end of the connection, as it was agreed on: it compresses if the answer says so.
    ///
    /// Bytes that came behind the response go to [`Connection::receive`]. Masking keys come from
    /// [`random::mask_key`](crate::random::mask_key).
    #[cfg(feature = "getrandom")]
    #[must_use]
    pub fn connection(&self, config: &Config) -> Connection {
        self.connection_with_keys(config, crate::random::mask_key)
    }

    /// Returns that end, which masks with keys from `keys`.
    #[must_use]
    pub fn connection_with_keys(&self, config: &Config, keys: MaskKeySource) -> Connection {
        #[cfg(feature = "deflate")]
        let config = &config.agreed(self.deflate());
        Connection::client_with_keys(config, keys)
    }
}
