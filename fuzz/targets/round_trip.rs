//! What one role sends the other receives: the same messages, in the same order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Params;
use sansocket::{CompressionMemory, Config, Delivery, Limits, MessageKind, Role};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::ear::{Ear, Feed, Heard, connection, drain};
use sansocket_fuzz::talk;

/// Into how many pieces a message is cut at most.
const PIECES: usize = 500;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let (from, to) = choices.pick(&[(Role::Client, Role::Server), (Role::Server, Role::Client)]);
    // Fragments of one byte are allowed here.
    let limits = Limits {
        fragments: u32::MAX,
        ..Limits::default()
    };
    let config = Config {
        delivery: choices.pick(&[Delivery::Messages, Delivery::Chunks]),
        fragment_size: talk::fragment_size(&mut choices),
        compression_level: choices.pick(&[6, 1, 9]),
        compression_memory: choices.pick(&[
            CompressionMemory::Engine,
            CompressionMemory::History(8),
            CompressionMemory::History(15),
        ]),
        limits,
        ..Config::default()
    };
    let mut sender = connection(from, &config);
    let mut receiver = connection(to, &config);
    if choices.flag() {
        let params: Params = talk::params(&mut choices);
        sender = sender.with_deflate(params, &config);
        receiver = receiver.with_deflate(params, &config);
    }
    let mut ear = Ear::new(receiver, choices.pick(&Feed::ALL));
    let step = choices.pick(&[100_000, 1, 50, 3_000]);

    let mut sent = Vec::new();
    while !choices.is_empty() {
        let text = choices.flag();
        let compress = talk::compress(&mut choices);
        let (kind, payload) = if text {
            (MessageKind::Text, choices.text().into_bytes())
        } else {
            (MessageKind::Binary, choices.payload())
        };
        sender
            .send_with(talk::message(kind, &payload), compress)
            .expect("nothing forbids it");
        sent.push(Heard::Message(kind, payload));
        let mut bytes = Vec::new();
        drain(&mut sender, &mut bytes);
        for piece in bytes.chunks(step.max(bytes.len() / PIECES)) {
            ear.read(piece, |_| {});
        }
    }
    assert!(ear.heard == sent, "what is heard is what was sent");
    assert_eq!(ear.connection.buffered(), 0, "there is nothing to answer");
});
