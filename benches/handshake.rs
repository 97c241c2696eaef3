//! The opening handshake: heads read whole and byte by byte, checked, and written, as both roles.

#[path = "shared/requests.rs"]
mod requests;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sansocket::deflate::Offer;
use sansocket::handshake::{
    Client, HandshakeError, HeadLimits, Request, RequestReader, Response, ResponseReader, Server,
    Uri,
};

/// Reads a request of which each read brings so many bytes.
fn read(head: &str, read: usize) -> Result<Request, HandshakeError> {
    let mut reader = RequestReader::new(HeadLimits::default());
    for piece in head.as_bytes().chunks(read) {
        if let Some((request, _)) = reader.receive(piece)? {
            return Ok(request);
        }
    }
    unreachable!("the head ends")
}

fn read_response(head: &[u8]) -> Result<Response, HandshakeError> {
    let mut reader = ResponseReader::new(HeadLimits::default());
    let response = reader.receive(head)?;
    Ok(response.expect("the head ends").0)
}

fn serving(criterion: &mut Criterion) {
    let plain = Server::new().with_subprotocols(["superchat"]);
    let compressing = plain.clone().with_deflate(Offer::default());
    for (name, head) in [
        ("minimal", requests::MINIMAL),
        ("of a browser", requests::BROWSER),
    ] {
        let mut group = criterion.benchmark_group(format!("handshake, request {name}"));
        group.throughput(Throughput::ElementsAndBytes {
            elements: 1,
            bytes: head.len() as u64,
        });
        group.bench_function("read", |bencher| {
            bencher.iter(|| read(black_box(head), head.len()));
        });
        group.bench_function("read by bytes", |bencher| {
            bencher.iter(|| read(black_box(head), 1));
        });
        let request = read(head, head.len()).expect("a request");
        group.bench_function("accept", |bencher| {
            bencher.iter(|| plain.accept(black_box(&request)));
        });
        for (name, server) in [
            ("read, accept, answer", &plain),
            ("read, accept, answer with deflate", &compressing),
        ] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let request = read(black_box(head), head.len())?;
                    Ok::<_, HandshakeError>(server.accept(&request)?.response())
                });
            });
        }
        group.finish();
    }
}

fn connecting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake, client");
    group.throughput(Throughput::Elements(1));
    let uri = "ws://server.example.com/chat?room=42";
    let ask = |uri: &str| {
        let uri = Uri::parse(uri).expect("a URI");
        Client::new(&uri, *b"the sample nonce").with_deflate(Offer::default())
    };
    let client = ask(uri);
    let request = String::from_utf8(client.request()).expect("a head is ASCII");
    let request = read(&request, request.len()).expect("a request");
    let server = Server::new().with_deflate(Offer::default());
    let answer = server.accept(&request).expect("a handshake").response();
    group.bench_function("ask", |bencher| {
        bencher.iter(|| ask(black_box(uri)).request());
    });
    group.bench_function("read the answer", |bencher| {
        bencher.iter(|| read_response(black_box(&answer)));
    });
    group.bench_function("read the answer, verify", |bencher| {
        bencher.iter(|| client.verify(&read_response(black_box(&answer))?));
    });
    group.finish();
}

criterion_group!(benches, serving, connecting);
criterion_main!(benches);
