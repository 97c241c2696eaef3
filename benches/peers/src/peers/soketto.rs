//! Sender and receiver behind a buffered reader and writer, as its examples have it. It leaves UTF-8 to the caller.

use std::hint::black_box;

use futures_util::io::{BufReader, BufWriter};
use soketto::connection::{Builder, Mode};
use soketto::handshake::Server;
use soketto::handshake::server::Response;
use soketto::{Data, Receiver, Sender};

use super::{LIMIT, Role, Socket};
use crate::message::{Message, Tally};
use crate::transport::{READ, Transport, now};

type Stream = BufReader<BufWriter<Transport>>;

struct Soketto {
    sender: Sender<Stream>,
    receiver: Receiver<Stream>,
    message: Vec<u8>,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let mode = match role {
        Role::Client => Mode::Client,
        Role::Server => Mode::Server,
    };
    let room = transport.room();
    let stream = BufReader::with_capacity(room, BufWriter::with_capacity(READ, transport));
    let mut builder = Builder::new(stream, mode);
    builder.set_max_message_size(LIMIT);
    builder.set_max_frame_size(LIMIT);
    let (sender, receiver) = builder.finish();
    Box::new(Soketto {
        sender,
        receiver,
        message: Vec::new(),
    })
}

pub(super) fn accept(transport: Transport) {
    let mut server = Server::new(transport);
    now(async {
        let key = server.receive_request().await.expect("a handshake").key();
        let response = Response::Accept {
            key,
            protocol: None,
        };
        server.send_response(&response).await.expect("memory");
    });
    black_box(server.into_builder().finish());
}

impl Socket for Soketto {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        now(async {
            while tally.count < until {
                self.message.clear();
                let data = self.receiver.receive_data(&mut self.message).await;
                let is_text = matches!(data.expect("valid frames"), Data::Text(_));
                if is_text {
                    simdutf8::basic::from_utf8(&self.message).expect("text");
                }
                tally.take(is_text, &self.message);
            }
        });
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        now(async {
            for i in 1..=count {
                let sent = self.sender.send_binary(&message.bytes).await;
                sent.expect("memory");
                if i % batch == 0 || i == count {
                    self.sender.flush().await.expect("memory");
                }
            }
        });
    }
}
