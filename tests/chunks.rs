//! Messages in chunks: a proxy that passes them on as they come keeps their frames.

mod common;

use bytes::BytesMut;
use common::{Random, connection, naive, peer_of, take, towards};
use proptest::prelude::*;
use sansocket::{Chunk, Config, Connection, Delivery, Event, Fin, MessageKind, Received, Role};

fn config() -> Config {
    Config::default().with_delivery(Delivery::Chunks)
}

/// A proxy between two connections: each frame of a message goes out as a fragment when the last of its chunks has come.
struct Proxy {
    receiving: Connection,
    sending: Connection,
    fragment: Vec<u8>,
}

impl Proxy {
    fn pass_on(&mut self, chunk: &Chunk<'_>) {
        assert!(chunk.frame_end || !chunk.data.is_empty(), "it says nothing");
        assert!(
            chunk.frame_end || !chunk.last,
            "a message ends with a frame"
        );
        self.fragment.extend_from_slice(&chunk.data);
        if chunk.frame_end {
            let fin = if chunk.last { Fin::Last } else { Fin::More };
            let sent = self.sending.send_fragment(chunk.kind, &self.fragment, fin);
            sent.expect("it is open");
            self.fragment.clear();
        }
    }

    /// Takes one read, all at once or within budgets.
    fn read(&mut self, bytes: &[u8], random: &mut Random) {
        let mut read = bytes.to_vec();
        let mut input = &mut read[..];
        let mut shared = BytesMut::from(bytes);
        let (by_slice, within) = (random.below(2) == 0, random.below(2) == 0);
        loop {
            let mut budget = if within { random.below(40) } else { usize::MAX };
            let received = if by_slice {
                self.receiving.receive_within(&mut input, &mut budget)
            } else {
                self.receiving
                    .receive_bytes_within(&mut shared, &mut budget)
            };
            match received.expect("it is valid") {
                Received::Event(Event::Chunk(chunk)) => self.pass_on(&chunk),
                Received::Event(Event::Ping(payload)) => {
                    self.sending.ping(&payload).expect("it is open");
                }
                Received::Event(other) => panic!("nobody sent {other:?}"),
                Received::Again => {}
                Received::Wanting => return,
            }
        }
    }
}

/// Returns frames as they say what they are: the first byte and the payload.
fn frames(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let first = |frame: &naive::Frame| u8::from(frame.fin) << 7 | frame.rsv << 4 | frame.opcode;
    let mut frames = Vec::new();
    for mut frame in naive::parse(bytes) {
        if let Some(key) = frame.key {
            let keys = key.into_iter().cycle();
            frame
                .payload
                .iter_mut()
                .zip(keys)
                .for_each(|(byte, key)| *byte ^= key);
        }
        frames.push((first(&frame), frame.payload));
    }
    frames
}

/// Returns the fragments of a few messages: whether of text, the payloads.
fn messages(random: &mut Random) -> Vec<(MessageKind, Vec<Vec<u8>>)> {
    (0..random.below(5))
        .map(|_| {
            let kind = [MessageKind::Text, MessageKind::Binary][random.below(2)];
            let fragments = (0..=random.below(4))
                .map(|_| {
                    let len = [0, 1, 60, 3_000][random.below(4)];
                    vec![b'a' + random.byte() % 4; random.below(len + 1)]
                })
                .collect();
            (kind, fragments)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    /// FR-05, FR-09, F-14: however messages are fragmented and read, a proxy over chunks sends the frames that came.
    #[test]
    fn a_proxy_keeps_the_frames(seed: u64, server: bool) {
        let mut random = Random::new(seed);
        let role = if server { Role::Server } else { Role::Client };
        let mut sent = Vec::new();
        for (kind, fragments) in messages(&mut random) {
            let last = fragments.len() - 1;
            for (at, fragment) in fragments.iter().enumerate() {
                let opcode = match (at, kind) {
                    (0, MessageKind::Text) => 1,
                    (0, MessageKind::Binary) => 2,
                    _ => 0,
                };
                sent.extend(naive::frame(u8::from(at == last) << 7 | opcode, fragment));
            }
        }
        let bytes = towards(role, &sent);
        let mut proxy = Proxy {
            receiving: connection(role, &config()),
            sending: connection(peer_of(role), &config()),
            fragment: Vec::new(),
        };
        let most = [1, 10, 100, 5_000][random.below(4)];
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (read, behind) = rest.split_at(1 + random.below(rest.len().min(most)));
            proxy.read(read, &mut random);
            rest = behind;
        }
        prop_assert_eq!(frames(&take(&mut proxy.sending)), frames(&sent));
    }

    /// FR-05, DF-06: so it does with compressed messages, whose fragments were flushed.
    #[test]
    #[cfg(feature = "deflate")]
    fn a_proxy_keeps_the_frames_of_compressed_messages(seed: u64, takeover: bool) {
        use sansocket::Compress;

        let mut random = Random::new(seed);
        for role in common::BOTH {
            let params = common::sent_with(peer_of(role), !takeover, 15);
            let mut sender = common::deflating(peer_of(role), params, &Config::default());
            let mut expected = Vec::new();
            for (kind, fragments) in messages(&mut random) {
                let last = fragments.len() - 1;
                for (at, fragment) in fragments.iter().enumerate() {
                    let opcode = match (at, kind) {
                        (0, MessageKind::Text) => 1,
                        (0, MessageKind::Binary) => 2,
                        _ => 0,
                    };
                    let fin = if at == last { Fin::Last } else { Fin::More };
                    sender.send_fragment(kind.compress(Compress::Always), fragment, fin).expect("it is open");
                    expected.push((u8::from(at == last) << 7 | opcode, fragment.clone()));
                }
            }
            let bytes = take(&mut sender);
            let mut proxy = Proxy {
                receiving: common::deflating(role, params, &config()),
                sending: connection(peer_of(role), &config()),
                fragment: Vec::new(),
            };
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (read, behind) = rest.split_at(1 + random.below(rest.len().min(50)));
                proxy.read(read, &mut random);
                rest = behind;
            }
            prop_assert_eq!(frames(&take(&mut proxy.sending)), expected);
        }
    }
}
