//! A stream and sink of shared bytes; what is fed is flushed at the end of a batch.

use futures_util::SinkExt;
use yawc::{Frame, OpCode, Options, Role as TheirRole, WebSocket};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    Box::new(WebSocket::from_stream(transport, role, options()).expect("no extensions"))
}

pub(super) fn open_deflate(takeover: bool, transport: Transport) -> Box<dyn Socket> {
    let agreed = if takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    };
    let options = options().with_balanced_compression();
    let opened =
        WebSocket::from_stream_with_extensions(transport, TheirRole::Server, Some(agreed), options);
    Box::new(opened.expect("an extension that it has"))
}

fn options() -> Options {
    Options::default().with_limits(LIMIT, 2 * LIMIT).with_utf8()
}

impl Socket for WebSocket<Transport> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                let frame = self.next_frame().await.expect("valid frames");
                match frame.opcode() {
                    OpCode::Text => tally.take(true, frame.payload()),
                    OpCode::Binary => tally.take(false, frame.payload()),
                    _ => {}
                }
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        now(async {
            for i in 1..=count {
                let frame = Frame::binary(message.bytes.clone());
                self.feed(frame).await.expect("memory");
                if i % batch == 0 || i == count {
                    SinkExt::<Frame>::flush(self).await.expect("memory");
                }
            }
        });
    }
}
