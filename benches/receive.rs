//! Receiving as a server: many messages a read and one a read, messages over many reads, fragments and Pings.
//!
//! A copy stands for each read; by `read`, it goes where the message is gathered.

#[path = "shared/forms.rs"]
mod forms;
#[path = "shared/text.rs"]
mod text;

use std::hint::black_box;
use std::io::Read;

use bytes::{Buf, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forms::{forms, sites};
use sansocket::{Config, Connection, Event, FrameHeader, Opcode, ProtocolError, mask};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SHORT: [usize; 5] = [16, 125, 1 << 10, 16 << 10, 64 << 10];
const LONG: [usize; 4] = [16 << 10, 256 << 10, 1 << 20, 16 << 20];
/// The most that a read brings: the longest of the short messages with its header.
const READ: usize = (64 << 10) + FrameHeader::MAX_LEN;
const FRAGMENT: usize = 4 << 10;

/// Appends a frame as a client sends it.
fn push_frame(wire: &mut Vec<u8>, fin: bool, opcode: Opcode, payload: &[u8]) {
    let header = FrameHeader {
        fin,
        rsv: 0,
        opcode,
        mask: Some(KEY),
        len: payload.len() as u64,
    };
    let (head, len) = header.encode();
    wire.extend_from_slice(&head[..len]);
    let begin = wire.len();
    wire.extend_from_slice(payload);
    mask::apply(&mut wire[begin..], KEY, 0);
}

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    push_frame(&mut wire, true, opcode, payload);
    wire
}

/// One message in frames of 4 KiB.
fn fragments(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let count = payload.len().div_ceil(FRAGMENT);
    for (i, part) in payload.chunks(FRAGMENT).enumerate() {
        let opcode = if i == 0 {
            Opcode::Text
        } else {
            Opcode::Continuation
        };
        push_frame(&mut wire, i + 1 == count, opcode, part);
    }
    wire
}

/// A server, what it reads, and where it reads to.
struct Peer {
    connection: Connection,
    wire: Vec<u8>,
    buffer: Vec<u8>,
}

impl Peer {
    fn new(wire: Vec<u8>) -> Self {
        Self {
            connection: Connection::server(&Config::default()),
            buffer: vec![0; wire.len().min(READ)],
            wire,
        }
    }

    /// Receives all that there is, so much a read; returns the length of all payloads.
    fn receive(&mut self, read: usize) -> usize {
        let mut bytes = 0;
        for piece in black_box(&self.wire).chunks(read) {
            let mut input = &mut self.buffer[..piece.len()];
            input.copy_from_slice(piece);
            bytes += take_all(&mut self.connection, &mut input);
        }
        bytes
    }

    /// Receives all that there is in one read, by a form of the loop, and drops what was sent.
    fn receive_in(&mut self, form: in_forms::Form) -> usize {
        self.buffer.copy_from_slice(black_box(&self.wire));
        let mut tally = Tally::default();
        let mut reader = Reader {
            connection: &mut self.connection,
            input: &mut self.buffer,
        };
        form(&mut reader, &mut tally);
        let outgoing = self.connection.outgoing();
        outgoing.advance(outgoing.remaining());
        tally.0
    }

    /// As [`receive`](Self::receive), but what is missing of a long message is read straight into it.
    fn read(&mut self) -> usize {
        let mut bytes = 0;
        let mut wire = black_box(&self.wire[..]);
        while !wire.is_empty() {
            let buffer = &mut self.buffer[..20 << 10];
            let read = self
                .connection
                .read(buffer, |slices| wire.read_vectored(slices));
            let (_, mut input) = read.expect("memory");
            bytes += take_all(&mut self.connection, &mut input);
        }
        bytes
    }

    /// As [`receive`](Self::receive), into memory that the messages share.
    fn receive_bytes(&mut self, input: &mut BytesMut) -> usize {
        let mut bytes = 0;
        for piece in black_box(&self.wire).chunks(READ) {
            input.extend_from_slice(piece);
            while let Some(event) = self.connection.receive_bytes(input).expect("valid frames") {
                bytes += payload_len(&event);
            }
        }
        bytes
    }
}

fn take_all(connection: &mut Connection, input: &mut &mut [u8]) -> usize {
    let mut bytes = 0;
    while let Some(event) = connection.receive(input).expect("valid frames") {
        bytes += payload_len(&black_box(event));
    }
    bytes
}

fn payload_len(event: &Event<'_>) -> usize {
    match event {
        Event::Text(text) => text.len(),
        Event::Binary(data) | Event::Ping(data) => data.len(),
        _ => unreachable!("neither Pongs nor Close frames were sent"),
    }
}

fn throughput(count: usize, size: usize) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: count as u64,
        bytes: (count * size) as u64,
    }
}

/// What a message carries, and its name.
fn messages(size: usize) -> [(&'static str, Opcode, Vec<u8>); 3] {
    let [(_, ascii), (_, mixed), _] = text::ALPHABETS;
    let [ascii, mixed] = [ascii, mixed].map(|alphabet| text::repeat(alphabet, size).into_bytes());
    [
        ("binary", Opcode::Binary, ascii.clone()),
        ("ASCII text", Opcode::Text, ascii),
        ("mixed text", Opcode::Text, mixed),
    ]
}

fn receiving_short(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    for size in SHORT {
        for (name, opcode, payload) in messages(size) {
            let frame = frame(opcode, &payload);
            let count = (READ / frame.len()).max(1);
            group.throughput(throughput(count, size));
            let mut many = Peer::new(frame.repeat(count));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                let read = many.buffer.len();
                bencher.iter(|| many.receive(read));
            });
            let mut one = Peer::new(frame.repeat(count));
            group.bench_function(
                BenchmarkId::new(format!("{name}, one a read"), size),
                |bencher| bencher.iter(|| one.receive(frame.len())),
            );
        }
        let mut kept = Peer::new(frame(Opcode::Binary, &vec![0x5a; size]));
        let mut input = BytesMut::new();
        group.throughput(throughput(1, size));
        group.bench_function(
            BenchmarkId::new("binary, one a read, to keep", size),
            |bencher| bencher.iter(|| kept.receive_bytes(&mut input)),
        );
    }
    group.finish();
}

fn receiving_long(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive over reads");
    group.sample_size(30);
    for size in LONG {
        // Of messages that fit in a read, many: no read ends where a message does.
        let count = (LONG[1] / size).max(1);
        group.throughput(Throughput::Bytes((count * size) as u64));
        for (name, opcode, payload) in messages(size) {
            let mut peer = Peer::new(frame(opcode, &payload).repeat(count));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| peer.receive(READ));
            });
            group.bench_function(BenchmarkId::new(format!("{name}, read"), size), |bencher| {
                bencher.iter(|| peer.read());
            });
            let mut peer = Peer::new(fragments(&payload).repeat(count));
            group.bench_function(
                BenchmarkId::new(format!("{name}, fragments"), size),
                |bencher| bencher.iter(|| peer.receive(READ)),
            );
        }
    }
    group.finish();
}

fn answering_pings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive Pings");
    for size in [0, 32, 125] {
        let mut peer = Peer::new(frame(Opcode::Ping, &vec![b'a'; size]));
        let read = peer.buffer.len();
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                let bytes = peer.receive(read);
                let outgoing = peer.connection.outgoing();
                black_box(outgoing.chunk());
                outgoing.advance(outgoing.remaining());
                bytes
            });
        });
    }
    group.finish();
}

/// What a form of the loop works on.
struct Reader<'a> {
    connection: &'a mut Connection,
    input: &'a mut [u8],
}

#[derive(Default)]
struct Tally(usize);

impl Tally {
    #[inline]
    fn take(&mut self, is_text: bool, payload: &[u8]) {
        self.0 += black_box((is_text, payload)).1.len();
    }
}

forms! {
    in_forms, reader: Reader<'_>, ProtocolError, reader.connection.receive(&mut reader.input),
    text(text) reader.connection.send_text(&text), binary(data) reader.connection.send_binary(&data)
}

/// The loop in each form, from one place of the program and from eight in turn.
fn receiving_in_forms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive/forms");
    for size in [16, 125] {
        for (kind, opcode, payload) in messages(size) {
            let frame = frame(opcode, &payload);
            let count = (16 << 10) / frame.len();
            group.throughput(throughput(count, size));
            for (name, sites) in forms::NAMES.into_iter().zip(&in_forms::FORMS) {
                for places in [1, sites.len()] {
                    let mut peer = Peer::new(frame.repeat(count));
                    let mut sites = sites[..places].iter().cycle();
                    let id = BenchmarkId::new(format!("{kind}, {name}, {places}"), size);
                    group.bench_function(id, |bencher| {
                        bencher.iter(|| peer.receive_in(*sites.next().expect("a place")));
                    });
                }
            }
        }
    }
    group.finish();
}

criterion_group!(
    benches,
    receiving_short,
    receiving_long,
    receiving_in_forms,
    answering_pings
);
criterion_main!(benches);
