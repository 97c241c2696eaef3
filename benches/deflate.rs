//! Compressing and inflating JSON: messages of a server with permessage-deflate, beside `flate2` on the same data.
//!
//! All that `flate2` has to do is done for it: its buffers are there, and nothing is framed. Both run the same code at level 6
//! with a window of 15 bits, check that what comes out is UTF-8, and forget each message or not. Only the memory for symbols is
//! a choice that `flate2` does not give: it takes zlib's.
//!
//! Then many connections in turn, each with an engine or with but a history: where engines no longer fit the caches.

#[path = "shared/json.rs"]
mod json;

use std::hint::black_box;

use bytes::Buf;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use sansocket::deflate::Params;
use sansocket::{CompressionMemory, Config, Event, ReceiveHalf, SendHalf};

const SIZES: [usize; 3] = [200, 2 << 10, 64 << 10];
/// What is removed from the end of a message (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

fn compressing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compress");
    for size in SIZES {
        let messages = json::messages(size);
        group.throughput(Throughput::Elements(messages.len() as u64));
        for takeover in [true, false] {
            print_ratio(&messages, takeover);
            let mut sender = sender(takeover);
            group.bench_function(id("sansocket", takeover, size), |bencher| {
                bencher.iter(|| send(&mut sender, black_box(&messages)));
            });
            let mut plain = PlainSender::new(takeover);
            group.bench_function(id("flate2", takeover, size), |bencher| {
                bencher.iter(|| plain.send(black_box(&messages)));
            });
        }
    }
    group.finish();
}

fn inflating(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inflate");
    for size in SIZES {
        let messages = json::messages(size);
        group.throughput(Throughput::Elements(messages.len() as u64));
        for takeover in [true, false] {
            // A stream refers to nothing before its begin, so it can follow itself.
            let mut frames = frames(&messages, takeover);
            let mut receiver =
                ReceiveHalf::client(&Config::default().with_deflate(params(takeover)));
            group.bench_function(id("sansocket", takeover, size), |bencher| {
                bencher.iter(|| receive(&mut receiver, black_box(&mut frames)));
            });
            let payloads: Vec<_> = frames.iter().map(|frame| payload(frame)).collect();
            let mut plain = PlainReceiver::new(takeover);
            group.bench_function(id("flate2", takeover, size), |bencher| {
                bencher.iter(|| plain.receive(black_box(&payloads)));
            });
        }
    }
    group.finish();
}

/// What stays of a compressor between two messages.
const MEMORIES: [CompressionMemory; 3] = [
    CompressionMemory::Engine,
    CompressionMemory::History(15),
    CompressionMemory::History(14),
];

fn compressing_in_turn(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compress in turn");
    for size in &SIZES[..2] {
        let messages = json::messages(*size);
        group.throughput(Throughput::Elements(TURNS as u64));
        for connections in [1, 256] {
            for memory in MEMORIES {
                let mut turns = Turns::new(connections, memory);
                let name = format!("{memory:?}, {connections} connections");
                group.bench_function(BenchmarkId::new(name, size), |bencher| {
                    bencher.iter(|| turns.send(black_box(&messages)));
                });
            }
        }
    }
    group.finish();
}

/// So many messages are sent at a time.
const TURNS: usize = 256;

/// Connections that send a message each, one after the other.
struct Turns {
    senders: Vec<SendHalf>,
    sent: usize,
}

impl Turns {
    fn new(connections: usize, memory: CompressionMemory) -> Self {
        let config = Config::default().with_compression_memory(memory);
        let sender = || SendHalf::server(&config.with_deflate(params(true)));
        Self {
            senders: (0..connections).map(|_| sender()).collect(),
            sent: 0,
        }
    }

    fn send(&mut self, messages: &[String]) -> usize {
        let mut bytes = 0;
        for _ in 0..TURNS {
            let (turn, at) = (
                self.sent / self.senders.len(),
                self.sent % self.senders.len(),
            );
            // Each connection goes through all messages, so that none finds in its window what it sends.
            let message = &messages[(turn + at) % messages.len()];
            bytes += send(&mut self.senders[at], std::slice::from_ref(message));
            self.sent += 1;
        }
        bytes
    }
}

fn id(name: &str, takeover: bool, size: usize) -> BenchmarkId {
    let context = if takeover { "takeover" } else { "no takeover" };
    BenchmarkId::new(format!("{name}, {context}"), size)
}

fn print_ratio(messages: &[String], takeover: bool) {
    let plain: usize = messages.iter().map(String::len).sum();
    let compressed: usize = frames(messages, takeover).iter().map(Vec::len).sum();
    let hundredths = plain * 100 / compressed;
    println!(
        "{} messages of {} bytes, {}: {}.{:02} times shorter with their frames",
        messages.len(),
        plain / messages.len(),
        if takeover { "takeover" } else { "no takeover" },
        hundredths / 100,
        hundredths % 100,
    );
}

fn params(takeover: bool) -> Params {
    Params::default().with_server_no_context_takeover(!takeover)
}

fn sender(takeover: bool) -> SendHalf {
    let config = Config::default();
    SendHalf::server(&config.with_deflate(params(takeover)))
}

/// Sends all messages; returns how many bytes that took.
fn send(sender: &mut SendHalf, messages: &[String]) -> usize {
    let mut bytes = 0;
    for message in messages {
        sender.send_text(message).expect("an open connection");
        let len = sender.outgoing().remaining();
        black_box(sender.outgoing().chunk());
        sender.outgoing().advance(len);
        bytes += len;
    }
    bytes
}

/// Receives all messages; returns how many bytes they have.
fn receive(receiver: &mut ReceiveHalf, frames: &mut [Vec<u8>]) -> usize {
    let mut bytes = 0;
    for frame in frames {
        let mut input = &mut frame[..];
        while let Some(event) = receiver.receive(&mut input).expect("valid frames") {
            match black_box(event) {
                Event::Text(text) => bytes += text.len(),
                _ => unreachable!("only text was sent"),
            }
        }
    }
    bytes
}

fn frames(messages: &[String], takeover: bool) -> Vec<Vec<u8>> {
    let mut sender = sender(takeover);
    let frames = messages.iter().map(|message| {
        sender.send_text(message).expect("an open connection");
        let len = sender.outgoing().remaining();
        sender.outgoing().copy_to_bytes(len).to_vec()
    });
    frames.collect()
}

fn payload(frame: &[u8]) -> &[u8] {
    let header = sansocket::FrameHeader::parse(frame).expect("a valid frame");
    &frame[header.expect("a whole header").1..]
}

struct PlainSender {
    engine: Compress,
    takeover: bool,
    output: Vec<u8>,
}

impl PlainSender {
    fn new(takeover: bool) -> Self {
        Self {
            engine: Compress::new(Compression::new(6), false),
            takeover,
            output: vec![0; 64 << 10],
        }
    }

    fn send(&mut self, messages: &[String]) -> usize {
        let mut bytes = 0;
        for message in messages {
            if !self.takeover {
                self.engine.reset();
            }
            let before = self.engine.total_out();
            self.engine
                .compress(message.as_bytes(), &mut self.output, FlushCompress::Sync)
                .expect("a working engine");
            let len = usize::try_from(self.engine.total_out() - before).expect("a short message");
            let body = self.output[..len].strip_suffix(&TAIL);
            bytes += black_box(body.expect("a flush")).len();
        }
        bytes
    }
}

struct PlainReceiver {
    engine: Decompress,
    takeover: bool,
    output: Vec<u8>,
}

impl PlainReceiver {
    fn new(takeover: bool) -> Self {
        Self {
            engine: Decompress::new(false),
            takeover,
            output: vec![0; 128 << 10],
        }
    }

    fn receive(&mut self, payloads: &[&[u8]]) -> usize {
        let mut bytes = 0;
        for payload in payloads {
            if !self.takeover {
                self.engine.reset(false);
            }
            let mut len = 0;
            for input in [payload, &TAIL[..]] {
                let before = self.engine.total_out();
                self.engine
                    .decompress(input, &mut self.output[len..], FlushDecompress::None)
                    .expect("valid data");
                len += usize::try_from(self.engine.total_out() - before).expect("a short message");
            }
            let text = simdutf8::basic::from_utf8(&self.output[..len]).expect("text");
            bytes += black_box(text).len();
        }
        bytes
    }
}

criterion_group!(benches, compressing, compressing_in_turn, inflating);
criterion_main!(benches);
