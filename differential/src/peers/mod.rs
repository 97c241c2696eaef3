//! Receiving frames: the streams, what RFC 6455 makes of them, what `sansocket` and others do.

pub mod fastwebsockets;
pub mod mutation;
pub mod pipe;
pub mod reference;
pub mod sansocket;
pub mod stream;
pub mod tokio_websockets;
pub mod tungstenite;
pub mod verdict;
