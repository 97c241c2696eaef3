//! The clients of all connections: one thread, one `epoll`, and messages that are masked once and for all.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream as Blocking;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use sansocket::{FrameHeader, Opcode, mask};

use crate::Load;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// A server that is silent for so long has lost a message.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Clients {
    poll: Poll,
    load: Load,
    /// What a client sends before it awaits the echo, and the echo.
    sent: Vec<u8>,
    expected: Vec<u8>,
    all: Vec<Client>,
    buffer: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    written: usize,
    received: usize,
}

/// Opens all connections, each with its opening handshake.
pub fn connect(port: u16, load: Load) -> Clients {
    let payload: Vec<u8> = (0..load.bytes)
        .map(|i| (i * 7 + i / 251).to_le_bytes()[0])
        .collect();
    let poll = Poll::new().expect("an epoll");
    let all = (0..load.connections).map(|i| {
        let stream = shake_hands(port);
        stream.set_nonblocking(true).expect("a socket");
        let mut stream = TcpStream::from_std(stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = poll.registry().register(&mut stream, Token(i), both);
        registered.expect("room in the epoll");
        Client {
            stream,
            written: 0,
            received: 0,
        }
    });
    Clients {
        all: all.collect(),
        sent: frame(Some(KEY), &payload).repeat(load.depth),
        expected: frame(None, &payload).repeat(load.depth),
        buffer: vec![0; 256 << 10],
        poll,
        load,
    }
}

fn frame(mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        fin: true,
        rsv: 0,
        opcode: Opcode::Binary,
        mask,
        len: payload.len() as u64,
    };
    let (head, len) = header.encode();
    let mut frame = head[..len].to_vec();
    frame.extend_from_slice(payload);
    mask::apply(&mut frame[len..], mask.unwrap_or_default(), 0);
    frame
}

fn shake_hands(port: u16) -> Blocking {
    let mut stream = Blocking::connect(("127.0.0.1", port)).expect("a server");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(REQUEST).expect("a server");
    let mut head = Vec::new();
    let mut byte = [0];
    // Nothing follows the head before we send something, so it could be read at once; this is not what is measured.
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    assert!(
        head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT),
        "{head}"
    );
    stream
}

impl Clients {
    /// Goes on for so long; returns how many messages came back in how many seconds.
    pub fn run(&mut self, time: Duration) -> (f64, f64) {
        let begin = Instant::now();
        let batches = self.turn(|_| begin.elapsed() < time);
        (
            crate::number(batches * self.load.depth),
            begin.elapsed().as_secs_f64(),
        )
    }

    /// Has each connection echo once.
    pub fn run_once(&mut self) {
        self.turn(|_| false);
    }

    /// Sends and receives until `goes_on` is false for each connection, when the echo of its last batch has come.
    fn turn(&mut self, goes_on: impl Fn(usize) -> bool) -> usize {
        let mut batches = 0;
        let mut events = Events::with_capacity(1_024);
        let mut at_work = self.all.len();
        for client in &mut self.all {
            (client.written, client.received) = (0, 0);
            client.write(&self.sent);
        }
        while at_work > 0 {
            self.poll
                .poll(&mut events, Some(PATIENCE))
                .expect("an epoll");
            assert!(!events.is_empty(), "a server has lost a message");
            for event in &events {
                let client = &mut self.all[event.token().0];
                client.write(&self.sent);
                while client.read(&self.expected, &mut self.buffer) {
                    batches += 1;
                    if !goes_on(batches) {
                        at_work -= 1;
                        break;
                    }
                    (client.written, client.received) = (0, 0);
                    client.write(&self.sent);
                }
            }
        }
        batches
    }
}

impl Client {
    fn write(&mut self, sent: &[u8]) {
        while self.written < sent.len() {
            match self.stream.write(&sent[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("a server has closed: {error}"),
            }
        }
    }

    /// Reads what there is; tells whether the echo is whole now.
    fn read(&mut self, expected: &[u8], buffer: &mut [u8]) -> bool {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => panic!("a server has closed"),
                Ok(count) => {
                    let awaited = expected.get(self.received..self.received + count);
                    assert!(
                        awaited == Some(&buffer[..count]),
                        "an echo is another message"
                    );
                    self.received += count;
                    if self.received == expected.len() {
                        return true;
                    }
                    // What there is has been read if it did not fill the buffer; an event tells of more.
                    if count < buffer.len() {
                        return false;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("a server has closed: {error}"),
            }
        }
    }
}
