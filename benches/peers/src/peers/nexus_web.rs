//! Reader and writer without its client: one flat buffer, messages lent out of it.

use std::hint::black_box;
use std::io::Write;

use nexus_web::ws::{
    ClientBuilder, FrameReader, FrameWriter, Message as Event, ProtocolError, Role as TheirRole,
};

use super::{LIMIT, Role, Socket, WRITE};
use crate::forms::{forms, sites};
use crate::message::{Message, Tally};
use crate::transport::{READ, Transport};

/// How much room it writes to.
const ROOM: usize = 2 * READ;

struct Nexus {
    transport: Transport,
    reader: FrameReader,
    writer: FrameWriter,
    out: Vec<u8>,
    filled: usize,
}

pub(super) fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    Box::new(Nexus::new(role, transport))
}

forms! {
    in_forms, nexus: Nexus, ProtocolError, nexus.reader.next(),
    text(text) echo(nexus.writer.encode_text(text.as_bytes(), &mut nexus.out[nexus.filled..]), &mut nexus.filled),
    binary(data) echo(nexus.writer.encode_binary(data, &mut nexus.out[nexus.filled..]), &mut nexus.filled)
}

#[expect(clippy::unnecessary_wraps, reason = "other libraries fail here")]
#[inline]
fn echo(len: usize, filled: &mut usize) -> Result<(), ProtocolError> {
    *filled += len;
    Ok(())
}

struct InForm {
    inner: Nexus,
    sites: &'static [in_forms::Form],
    at: usize,
}

pub(super) fn open_in_form(form: usize, places: usize, transport: Transport) -> Box<dyn Socket> {
    let mut inner = Nexus::new(TheirRole::Server, transport);
    inner.out.resize(ROOM, 0);
    Box::new(InForm {
        inner,
        sites: &in_forms::FORMS[form][..places],
        at: 0,
    })
}

impl Socket for InForm {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            self.inner.read();
            self.at = (self.at + 1) % self.sites.len();
            self.sites[self.at](&mut self.inner, tally);
            if self.inner.filled > 0 {
                self.inner.write();
            }
        }
    }

    fn send(&mut self, _: &Message, _: u64, _: u64) {
        unreachable!("a form only receives");
    }
}

/// With buffers of 4 KiB, as it would allocate a mebibyte by default.
pub(super) fn accept(transport: Transport) {
    let builder = ClientBuilder::new().buffer_capacity(4 << 10);
    let accepted = builder.write_buffer_capacity(4 << 10).accept(transport);
    black_box(accepted.is_ok());
}

impl Nexus {
    fn new(role: TheirRole, transport: Transport) -> Self {
        Self {
            transport,
            reader: FrameReader::builder()
                .role(role)
                .max_frame_size(LIMIT as u64)
                .max_message_size(LIMIT)
                .build(),
            writer: FrameWriter::new(role),
            out: Vec::new(),
            filled: 0,
        }
    }

    fn read(&mut self) {
        if self.reader.should_compact() {
            self.reader.compact();
        }
        let read = self.reader.read_from(&mut self.transport);
        read.expect("there is room");
    }

    fn write(&mut self) {
        let written = self.transport.write_all(&self.out[..self.filled]);
        written.expect("memory");
        self.filled = 0;
    }
}

impl Socket for Nexus {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        while tally.count < until {
            self.read();
            while let Some(message) = self.reader.next().expect("valid frames") {
                match message {
                    Event::Text(text) => tally.take(true, text.as_bytes()),
                    Event::Binary(data) => tally.take(false, data),
                    Event::Ping(payload) => {
                        self.out.resize(ROOM, 0);
                        let room = &mut self.out[self.filled..];
                        let encoded = self.writer.encode_pong(payload, room);
                        self.filled += encoded.expect("a short payload");
                        if self.filled > READ {
                            let written = self.transport.write_all(&self.out[..self.filled]);
                            written.expect("memory");
                            self.filled = 0;
                        }
                    }
                    _ => {}
                }
            }
            if self.filled > 0 {
                self.write();
            }
        }
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        let most = self.writer.max_encoded_len(message.bytes.len());
        for i in 1..=count {
            if self.out.len() - self.filled < most {
                self.write();
                self.out.resize(most.max(ROOM), 0);
            }
            let room = &mut self.out[self.filled..];
            self.filled += self.writer.encode_binary(&message.bytes, room);
            if batch == 1 || self.filled >= WRITE || i == count {
                self.write();
            }
        }
    }
}
