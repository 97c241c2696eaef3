//! What one role sends the other receives: the same messages, in the same order. Compressed, it keeps to what was agreed on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Params;
use sansocket::{Config, Delivery, Limits, MessageKind, Role};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::ear::{Ear, Feed, Heard, connection, drain};
use sansocket_fuzz::inflate::Inflated;
use sansocket_fuzz::stream;
use sansocket_fuzz::talk;

/// Into how many pieces a message is cut at most.
const PIECES: usize = 500;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let (from, to) = choices.pick(&[(Role::Client, Role::Server), (Role::Server, Role::Client)]);
    // Fragments of one byte are allowed here.
    let limits = Limits::default().with_fragments(u32::MAX);
    let mut config = Config::default()
        .with_delivery(choices.pick(&[Delivery::Messages, Delivery::Chunks]))
        .with_fragment_size(talk::fragment_size(&mut choices))
        .with_compression_level(talk::level(&mut choices))
        .with_compression_memory(talk::memory(&mut choices))
        .with_limits(limits);
    let mut agreed = None;
    if choices.flag() {
        let params = talk::params(&mut choices);
        agreed = Some(Agreed::new(params, from));
        config = config.with_deflate(params);
    }
    let mut sender = connection(from, &config);
    let receiver = connection(to, &config);
    let mut ear = Ear::new(receiver, Feed::choose(&mut choices));
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
            .send(talk::message(kind, &payload).compress(compress))
            .expect("nothing forbids it");
        let mut bytes = Vec::new();
        drain(&mut sender, &mut bytes);
        check(&bytes, &payload, agreed.as_mut());
        sent.push(Heard::Message(kind, payload));
        for piece in bytes.chunks(step.max(bytes.len() / PIECES)) {
            ear.read(piece, |_| {});
        }
    }
    assert!(ear.heard == sent, "what is heard is what was sent");
    assert_eq!(ear.connection.buffered(), 0, "there is nothing to answer");
});

/// What was agreed on for what the sender compresses, and what came of it so far.
struct Agreed {
    takeover: bool,
    window: usize,
    inflated: Inflated,
}

impl Agreed {
    fn new(params: Params, from: Role) -> Self {
        Self {
            takeover: !params.no_context_takeover(from),
            window: 1 << params.window_bits(from),
            inflated: Inflated::default(),
        }
    }
}

/// The frames of a message come to its payload, read naively (RFC 7692 §7.2.2).
fn check(frames: &[u8], payload: &[u8], agreed: Option<&mut Agreed>) {
    let (compressed, mut body) = stream::open(frames);
    if !compressed {
        assert!(body == payload);
        return;
    }
    let agreed = agreed.expect("compression was agreed on");
    if !agreed.takeover {
        agreed.inflated = Inflated::default();
    }
    let before = agreed.inflated.out.len();
    body.extend([0, 0, 0xFF, 0xFF]);
    agreed.inflated.extend(&body).expect("blocks");
    assert!(agreed.inflated.out[before..] == *payload);
    assert!(agreed.inflated.farthest <= agreed.window);
}
