//! One thread, one `epoll`, and one buffer that all connections read into.

use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net;

use bytes::Buf;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use sansocket::handshake::{HeadLimits, RequestReader, Server};
use sansocket::{Config, Connection, Event};

const LISTENER: Token = Token(0);
const READ: usize = 64 << 10;

struct Client {
    stream: TcpStream,
    state: State,
}

enum State {
    Opening(RequestReader),
    Open(Box<Connection>),
}

pub fn serve(listener: net::TcpListener) {
    listener.set_nonblocking(true).expect("a socket");
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new().expect("an epoll");
    let registry = poll.registry();
    let registered = registry.register(&mut listener, LISTENER, Interest::READABLE);
    registered.expect("room in the epoll");

    let mut clients = HashMap::new();
    let mut next = LISTENER.0;
    let mut shared = vec![0; READ];
    let mut events = Events::with_capacity(1_024);
    loop {
        poll.poll(&mut events, None).expect("an epoll");
        for event in &events {
            let token = event.token();
            if token == LISTENER {
                accept(&listener, &poll, &mut clients, &mut next);
            } else if let Some(client) = clients.get_mut(&token)
                && client.go_on(&mut shared).is_err()
            {
                clients.remove(&token);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    poll: &Poll,
    clients: &mut HashMap<Token, Client>,
    next: &mut usize,
) {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("no more clients: {error}"),
        };
        stream.set_nodelay(true).expect("a socket");
        *next += 1;
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = poll.registry().register(&mut stream, Token(*next), both);
        registered.expect("room in the epoll");
        let reader = RequestReader::new(HeadLimits::default());
        let state = State::Opening(reader);
        clients.insert(Token(*next), Client { stream, state });
    }
}

impl Client {
    /// Reads and writes as much as there is and fits. Fails when the client is gone.
    fn go_on(&mut self, shared: &mut [u8]) -> io::Result<()> {
        match &mut self.state {
            State::Opening(reader) => {
                let count = some(self.stream.read(shared))?;
                let head = reader.receive(&shared[..count]).map_err(io::Error::other)?;
                if let Some((request, _)) = head {
                    let accepted = Server::new().accept(&request).map_err(io::Error::other)?;
                    self.stream.write_all(&accepted.response())?;
                    self.state = State::Open(Connection::server(&Config::default()).into());
                }
                Ok(())
            }
            State::Open(connection) => echo(&mut self.stream, connection, shared),
        }
    }
}

/// Returns how many bytes a read has brought, 0 if there are none now.
fn some(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        read => read,
    }
}

fn echo(stream: &mut TcpStream, connection: &mut Connection, shared: &mut [u8]) -> io::Result<()> {
    write(stream, connection)?;
    loop {
        let mut room = 0;
        let (count, mut input) = connection.read(shared, |slices| {
            room = slices.iter().map(|slice| slice.len()).sum();
            some(stream.read_vectored(slices))
        })?;
        while let Some(event) = connection.receive(&mut input).map_err(io::Error::other)? {
            send_back(connection, event)?;
        }
        write(stream, connection)?;
        // What there was has been read if it did not fill the room; an event tells of more.
        if count < room {
            return Ok(());
        }
    }
}

fn send_back(connection: &mut Connection, event: Event<'_>) -> io::Result<()> {
    let sent = match event {
        // What is longer than a read has been gathered, and need not be copied.
        Event::Text(text) if text.len() > READ => {
            let sent = connection.send(text.into_utf8_bytes());
            return sent.map_err(io::Error::other);
        }
        Event::Binary(data) if data.len() > READ => {
            let sent = connection.send(data.into_bytes());
            return sent.map_err(io::Error::other);
        }
        Event::Text(text) => connection.send_text(&text),
        Event::Binary(data) => connection.send_binary(&data),
        _ => Ok(()),
    };
    sent.map_err(io::Error::other)
}

fn write(stream: &mut TcpStream, connection: &mut Connection) -> io::Result<()> {
    while connection.outgoing().has_remaining() {
        let outgoing = connection.outgoing();
        let mut slices = [IoSlice::new(&[]); 16];
        let count = outgoing.chunks_vectored(&mut slices);
        match stream.write_vectored(&slices[..count]) {
            Ok(count) => outgoing.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
