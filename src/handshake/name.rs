//! The names of the header fields that the handshake reads and writes, spelt as the RFCs spell them.

pub(super) const CONNECTION: &str = "Connection";
pub(super) const CONTENT_LENGTH: &str = "Content-Length";
pub(super) const EXPECT: &str = "Expect";
pub(super) const HOST: &str = "Host";
pub(super) const ORIGIN: &str = "Origin";
pub(super) const TRANSFER_ENCODING: &str = "Transfer-Encoding";
pub(super) const UPGRADE: &str = "Upgrade";

pub(super) const SEC_WEBSOCKET_ACCEPT: &str = "Sec-WebSocket-Accept";
pub(super) const SEC_WEBSOCKET_EXTENSIONS: &str = "Sec-WebSocket-Extensions";
pub(super) const SEC_WEBSOCKET_KEY: &str = "Sec-WebSocket-Key";
pub(super) const SEC_WEBSOCKET_PROTOCOL: &str = "Sec-WebSocket-Protocol";
pub(super) const SEC_WEBSOCKET_VERSION: &str = "Sec-WebSocket-Version";

/// Tells whether a header field belongs to the WebSocket protocol.
pub(super) fn is_sec_websocket(name: &str) -> bool {
    const PREFIX: &str = "Sec-WebSocket-";
    (name.get(..PREFIX.len())).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}
