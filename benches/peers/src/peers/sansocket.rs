//! One read buffer, messages lent out of it; long ones are read straight into their memory.
//!
//! `library` is this build of sansocket or another one: only calls that both have belong here.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{IoSlice, Read, Write};
use std::rc::Rc;

use bytes::Buf;

use super::library::deflate::Params;
use super::library::handshake::{HeadLimits, RequestReader, Server};
use super::library::{Config, Connection, Event, ProtocolError};
use crate::forms::{forms, sites};
use crate::message::{Message, Tally};
use crate::peers::{Role, Socket, WRITE};
use crate::transport::Transport;

struct Sansocket {
    transport: Transport,
    connection: Connection,
    buffer: Rc<RefCell<Box<[u8]>>>,
    /// From this length on, a message is written by itself.
    alone: usize,
}

pub fn open(role: Role, transport: Transport) -> Box<dyn Socket> {
    let config = Config::default();
    let (connection, alone) = match role {
        Role::Client => (Connection::client(&config), WRITE),
        Role::Server => (Connection::server(&config), ALONE),
    };
    Box::new(Sansocket::new(transport, connection, alone))
}

pub fn open_deflate(takeover: bool, transport: Transport) -> Box<dyn Socket> {
    let config = Config::default();
    let params = Params::default()
        .with_server_no_context_takeover(!takeover)
        .with_client_no_context_takeover(!takeover);
    let connection = Connection::server(&config.with_deflate(params));
    Box::new(Sansocket::new(transport, connection, ALONE))
}

/// What a form of the loop works on.
struct Reader<'a> {
    connection: &'a mut Connection,
    input: &'a mut [u8],
}

forms! {
    in_forms, reader: Reader<'_>, ProtocolError, reader.connection.receive(&mut reader.input),
    text(text) reader.connection.send_text(&text), binary(data) reader.connection.send_binary(&data)
}

struct InForm {
    inner: Sansocket,
    sites: &'static [in_forms::Form],
    at: usize,
}

pub fn open_in_form(form: usize, places: usize, transport: Transport) -> Box<dyn Socket> {
    let connection = Connection::server(&Config::default());
    Box::new(InForm {
        inner: Sansocket::new(transport, connection, ALONE),
        sites: &in_forms::FORMS[form][..places],
        at: 0,
    })
}

impl Socket for InForm {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        let buffer = Rc::clone(&self.inner.buffer);
        let mut buffer = buffer.borrow_mut();
        while tally.count < until {
            let count = self.inner.transport.read(&mut buffer[..ROOM]);
            let count = count.expect("memory");
            let mut reader = Reader {
                connection: &mut self.inner.connection,
                input: &mut buffer[..count],
            };
            self.at = (self.at + 1) % self.sites.len();
            self.sites[self.at](&mut reader, tally);
            if self.inner.connection.buffered() > 0 {
                write(&mut self.inner.transport, &mut self.inner.connection);
            }
        }
    }

    fn send(&mut self, _: &Message, _: u64, _: u64) {
        unreachable!("a form only receives");
    }
}

pub fn accept(mut transport: Transport) {
    let buffer = Transport::buffer();
    let mut buffer = buffer.borrow_mut();
    let mut reader = RequestReader::new(HeadLimits::default());
    let request = loop {
        let count = transport.read(&mut buffer).expect("memory");
        let read = reader.receive(&buffer[..count]).expect("a head");
        if let Some((request, _)) = read {
            break request;
        }
    };
    let accepted = Server::new().accept(&request).expect("a handshake");
    transport.write_all(&accepted.response()).expect("memory");
    black_box(Connection::server(&Config::default()));
}

/// How much is read at once, as the documentation of `Connection` says.
const ROOM: usize = 20 << 10;

/// From this length on, a server writes a message by itself: to copy it into a batch takes longer than a write does here.
const ALONE: usize = 1 << 10;

impl Sansocket {
    fn new(transport: Transport, connection: Connection, alone: usize) -> Self {
        Self {
            transport,
            connection,
            buffer: Transport::buffer(),
            alone,
        }
    }
}

/// Takes all that has been read, by the form of the loop that README shows.
fn take_all(
    connection: &mut Connection,
    input: &mut &mut [u8],
    tally: &mut Tally,
) -> Result<(), ProtocolError> {
    while let Some(event) = connection.receive(input)? {
        match event {
            Event::Text(text) => tally.take(true, text.as_bytes()),
            Event::Binary(data) => tally.take(false, &data),
            _ => {}
        }
    }
    Ok(())
}

/// Writes all that waits: by one slice where it lies together, by many where payloads lie elsewhere.
fn write(transport: &mut Transport, connection: &mut Connection) {
    let outgoing = connection.outgoing();
    while !outgoing.is_empty() {
        let chunk = outgoing.chunk();
        let written = if chunk.len() == outgoing.len() {
            write_slices(transport, &[IoSlice::new(chunk)])
        } else {
            let mut slices = [IoSlice::new(&[]); 16];
            let count = outgoing.chunks_vectored(&mut slices);
            write_slices(transport, &slices[..count])
        };
        outgoing.advance(written);
    }
}

fn write_slices(transport: &mut Transport, slices: &[IoSlice<'_>]) -> usize {
    let written = match slices {
        [slice] => transport.write(slice),
        _ => transport.write_vectored(slices),
    };
    written.expect("memory")
}

impl Socket for Sansocket {
    fn receive(&mut self, until: u64, tally: &mut Tally) {
        let buffer = Rc::clone(&self.buffer);
        let mut buffer = buffer.borrow_mut();
        while tally.count < until {
            let transport = &mut self.transport;
            let read = self.connection.read(&mut buffer[..ROOM], |slices| {
                transport.read_vectored(slices)
            });
            let (_, mut input) = read.expect("memory");
            take_all(&mut self.connection, &mut input, tally).expect("valid frames");
            if self.connection.buffered() > 0 {
                write(&mut self.transport, &mut self.connection);
            }
        }
    }

    fn send(&mut self, message: &Message, count: u64, batch: u64) {
        let Self {
            transport,
            connection,
            alone,
            ..
        } = self;
        if batch == 1 || message.bytes.len() >= *alone {
            for _ in 0..count {
                let sent = connection
                    .write_binary(&message.bytes, |slices| write_slices(transport, slices));
                sent.expect("there is room");
                if connection.buffered() > 0 {
                    write(transport, connection);
                }
            }
            return;
        }
        for _ in 0..count {
            let sent = connection.send_binary(&message.bytes);
            sent.expect("there is room");
            if connection.buffered() >= WRITE {
                write(transport, connection);
            }
        }
        write(transport, connection);
    }
}
