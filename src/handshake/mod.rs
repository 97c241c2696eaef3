//! The opening handshake over HTTP/1.1, both roles (RFC 6455 §4).
//!
//! A head is read from bytes, then checked. Both are pure functions: the caller moves the bytes, and
//! brings the client's nonce.
//!
//! ```text
//!  client                                                    server
//!  ======                                                    ======
//!  Uri::parse, Client::new
//!  Client::request         ───────── request ────────►  RequestReader::receive
//!                                                       Server::accept
//!  ResponseReader::receive ◄──────── response ────────  Accepted::response, or
//!  Client::verify                                       HandshakeError::response, or reject
//!  Established             ◄───────── frames ─────────► Accepted
//! ```
//!
//! The readers say how many bytes of the input belong to the head; frames that came with it stay
//! with the caller, who gives them to the connection next.
//!
//! ```
//! use sansocket::handshake::{Client, HeadLimits, RequestReader, ResponseReader, Server, Uri};
//!
//! let client = Client::new(&Uri::parse("ws://example.com/chat")?, *b"sixteen random b");
//!
//! let mut reader = RequestReader::new(HeadLimits::default());
//! let (request, _) = reader.receive(&client.request())?.expect("the request came whole");
//! let response = match Server::new().accept(&request) {
//!     Ok(accepted) => accepted.response(),
//!     Err(error) => error.response(),
//! };
//!
//! let mut reader = ResponseReader::new(HeadLimits::default());
//! let (response, _) = reader.receive(&response)?.expect("the response came whole");
//! client.verify(&response)?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod authority;
mod client;
#[cfg(feature = "deflate")]
mod deflate;
mod error;
mod extensions;
mod field;
mod head;
mod headers;
mod key;
mod name;
mod origin;
mod place;
mod reject;
mod request;
mod response;
mod server;
mod set;
mod token;
mod uri;

pub use client::Client;
pub use client::Established;
pub use error::HandshakeError;
pub use error::HeadError;
pub use extensions::Extension;
pub use extensions::Extensions;
pub use head::HeadLimits;
pub use headers::Headers;
pub use key::accept_key;
pub use origin::OriginError;
pub use origin::OriginPolicy;
pub use origin::RejectedOrigin;
pub use reject::reject;
pub use request::HttpVersion;
pub use request::Request;
pub use request::RequestReader;
pub use response::Response;
pub use response::ResponseReader;
pub use server::Accepted;
pub use server::Server;
pub use uri::Uri;
pub use uri::UriError;
