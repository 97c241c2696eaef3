//! What both ends of an opening handshake do between two reads or writes.

use alloc::boxed::Box;

use bytes::{Buf, BytesMut};

use super::error::{Error, Rejection};
use crate::config::Config;
use crate::connection::Connection;
use crate::error::UnexpectedEof;
use crate::handshake::{Client, Established, HandshakeError, Response};

/// How many bytes a read of a head asks for; few heads have more.
pub(super) const HEAD: usize = 2 << 10;

/// Opens the client's end if `response`, behind which `rest` has come, completes the handshake.
pub(super) fn open(
    client: &Client,
    response: Response,
    rest: &BytesMut,
    config: &Config,
) -> Result<(Connection, Established), Error> {
    match client.verify(&response) {
        Ok(established) => {
            let connection = established.connection(config);
            Ok((connection, established))
        }
        Err(error) => {
            let body = rest.clone().freeze();
            Err(Error::Rejected(Box::new(Rejection {
                error,
                response,
                body,
            })))
        }
    }
}

/// Returns where the stream of an opening handshake was cut, of which something has come or not.
pub(super) const fn cut(begun: bool) -> UnexpectedEof {
    if begun {
        UnexpectedEof::InHead
    } else {
        UnexpectedEof::BeforeHead
    }
}

/// Looks for a head at the front of `bytes` with `receive`, and leaves the bytes behind it.
pub(super) fn split_head<H>(
    bytes: &mut BytesMut,
    receive: impl FnOnce(&[u8]) -> Result<Option<(H, usize)>, HandshakeError>,
) -> Result<Option<H>, HandshakeError> {
    let found = receive(bytes)?;
    bytes.advance(found.as_ref().map_or(bytes.len(), |(_, used)| *used));
    Ok(found.map(|(head, _)| head))
}
