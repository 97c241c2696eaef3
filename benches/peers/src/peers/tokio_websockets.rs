//! A stream and sink of shared bytes; what is fed is flushed at the end of a batch.

use std::hint::black_box;
use std::pin::Pin;

use futures_util::{SinkExt, StreamExt};
use tokio_websockets::{
    ClientBuilder, Config, Limits, Message as Theirs, ServerBuilder, WebSocketStream,
};

use super::{Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{Transport, now};

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    // The default cuts messages at 4 MiB, which the others do not.
    let config = Config::default().frame_size(usize::MAX);
    Box::new(match role {
        Role::Client => ClientBuilder::new()
            .config(config)
            .limits(Limits::unlimited())
            .take_over(transport),
        Role::Server => ServerBuilder::new()
            .config(config)
            .limits(Limits::unlimited())
            .serve(transport),
    })
}

pub(super) fn accept(transport: Transport) {
    let accepted = now(ServerBuilder::new().accept(transport));
    black_box(accepted.is_ok());
}

impl Socket for WebSocketStream<Transport> {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                let message = self.next().await.expect("no end").expect("valid frames");
                if message.is_text() {
                    tally.take(true, message.as_payload());
                } else if message.is_binary() {
                    tally.take(false, message.as_payload());
                }
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        let mut socket = Pin::new(self);
        now(async {
            for i in 1..=count {
                let message = Theirs::binary(message.bytes.clone());
                socket.feed(message).await.expect("memory");
                if i % batch == 0 {
                    SinkExt::flush(&mut socket).await.expect("memory");
                }
            }
            SinkExt::flush(&mut socket).await.expect("memory");
        });
    }
}
