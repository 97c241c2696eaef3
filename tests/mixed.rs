//! Ways to receive that change within a message, and reads that bring nothing: the same is heard as of one read.
#![cfg(feature = "std")] // as vectored reads are

mod common;

use std::io::{ErrorKind, IoSliceMut, Read};

use bytes::BytesMut;
use common::{BOTH, Random, connection, describe, describe_error, peer_of, take};
use sansocket::{Config, Connection, Delivery, Event, Fin, MessageKind, ProtocolError, Role};

/// One of several numbers.
fn pick(random: &mut Random, from: &[usize]) -> usize {
    from[random.below(from.len())]
}

/// Returns an end that compresses, if so agreed on, with any parameters.
#[cfg(feature = "deflate")]
fn end(role: Role, agreed: Option<u64>, config: &Config) -> Connection {
    let Some(seed) = agreed else {
        return connection(role, config);
    };
    let mut random = Random::new(seed);
    let mut bits = || u8::try_from(8 + random.below(8)).expect("8 to 15");
    let params = sansocket::deflate::Params::default()
        .with_server_max_window_bits(bits())
        .with_client_max_window_bits(bits())
        .with_server_no_context_takeover(bits() < 12)
        .with_client_no_context_takeover(bits() < 12);
    common::deflating(role, params, config)
}

#[cfg(not(feature = "deflate"))]
fn end(role: Role, _: Option<u64>, config: &Config) -> Connection {
    connection(role, config)
}

/// Returns what a peer sends to `role`: messages and fragments of all lengths, control frames between, now and then a byte
/// that is wrong.
fn sent(random: &mut Random, role: Role, agreed: Option<u64>) -> Vec<u8> {
    let config = Config::default().with_fragment_size([u32::MAX, 40_000, 5_000][random.below(3)]);
    let mut peer = end(peer_of(role), agreed, &config);
    for _ in 0..=random.below(6) {
        let len = pick(random, &[0, 1, 125, 4_096, 9_000, 40_000, 70_000]);
        // Half of it says the same again and again, for the sake of those that compress.
        let noise = random.bytes(len.min(20_000));
        let data: Vec<_> = (noise.into_iter())
            .chain(b"sansIO ".iter().copied().cycle())
            .take(len)
            .collect();
        let text = "\u{e4}".repeat(len / 2);
        let done = match random.below(5) {
            0 => peer.send_binary(&data),
            1 => peer.send_text(&text),
            2 => {
                let (first, rest) = text.as_bytes().split_at(text.len() / 3);
                peer.send_fragment(MessageKind::Text, first, Fin::More)
                    .and_then(|()| peer.ping(b"between"))
                    .and_then(|()| peer.send_fragment(MessageKind::Text, rest, Fin::Last))
            }
            3 => peer.ping(&data[..len.min(125)]),
            _ => peer.pong(b"nobody asked"),
        };
        done.expect("it is open");
    }
    if random.below(2) == 0 {
        peer.close(None).expect("it is open");
    }
    let mut bytes = take(&mut peer);
    if random.below(3) == 0 {
        let at = random.below(bytes.len());
        bytes[at] ^= random.byte();
    }
    bytes
}

/// One that listens by any way, and by another one each time.
struct Ear {
    conn: Connection,
    random: Random,
    shared: BytesMut,
    message: Vec<u8>,
    heard: Vec<String>,
    failed: bool,
}

impl Ear {
    fn new(conn: Connection, seed: u64) -> Self {
        Self {
            conn,
            random: Random::new(seed),
            shared: BytesMut::new(),
            message: Vec::new(),
            heard: Vec::new(),
            failed: false,
        }
    }

    fn hear_mixed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.failed {
            let len = pick(&mut self.random, &[1, 7, 200, 5_000, 30_000]).min(bytes.len());
            let (mut piece, rest) = bytes.split_at(len);
            bytes = rest;
            self.read_in_vain();
            match self.random.below(4) {
                0 => self.hear_slice(&mut piece.to_vec()),
                1 => {
                    self.shared.extend_from_slice(piece);
                    while !self.failed {
                        let event = self.conn.receive_bytes(&mut self.shared);
                        if !note(&mut self.heard, &mut self.message, &mut self.failed, event) {
                            break;
                        }
                    }
                }
                2 => {
                    let behind = self.fill(piece);
                    self.hear_slice(&mut piece[behind..].to_vec());
                }
                _ => {
                    let mut buffer = vec![0; pick(&mut self.random, &[1, 100, 20_000])];
                    while !piece.is_empty() && !self.failed {
                        let read = |slices: &mut [IoSliceMut<'_>]| piece.read_vectored(slices);
                        let (_, input) = self.conn.read(&mut buffer, read).expect("memory");
                        let mut input = input.to_vec();
                        self.hear_slice(&mut input);
                    }
                }
            }
        }
    }

    /// Asks for room, or reads, and gets nothing.
    fn read_in_vain(&mut self) {
        match self.random.below(4) {
            0 => {
                let mut buffer = [0; 100];
                let fails = |_: &mut [IoSliceMut<'_>]| Err(ErrorKind::WouldBlock.into());
                let read = self.conn.read(&mut buffer, fails);
                let error = read.expect_err("what the read said");
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
            }
            1 => _ = self.conn.unfilled(),
            2 => self.conn.filled(0),
            _ => {}
        }
    }

    /// Reads a part of `piece` into the room that there is for it, told in two parts; returns how much that is.
    fn fill(&mut self, piece: &[u8]) -> usize {
        let Some(room) = self.conn.unfilled() else {
            return 0;
        };
        let most = room.len().min(piece.len());
        let len = self.random.below(most + 1);
        room[..len].copy_from_slice(&piece[..len]);
        let first = self.random.below(len + 1);
        self.conn.filled(first);
        self.conn.filled(len - first);
        len
    }

    fn hear_slice(&mut self, read: &mut [u8]) {
        let mut input = read;
        while !self.failed {
            let event = self.conn.receive(&mut input);
            if !note(&mut self.heard, &mut self.message, &mut self.failed, event) {
                break;
            }
        }
    }

    /// Ends the stream; returns all that has come of it.
    fn end(mut self) -> (Vec<String>, Vec<u8>, bool) {
        let torn = self.conn.receive_eof().is_err();
        let wrote = take(&mut self.conn);
        (self.heard, wrote, torn)
    }
}

/// Writes an event down, the chunks of a message as one; tells whether to ask for the next one.
fn note(
    heard: &mut Vec<String>,
    message: &mut Vec<u8>,
    failed: &mut bool,
    event: Result<Option<Event<'_>>, ProtocolError>,
) -> bool {
    match event {
        Ok(None) => return false,
        Ok(Some(Event::Chunk(chunk))) => {
            message.extend_from_slice(&chunk.data);
            if chunk.last {
                let whole = common::show(&core::mem::take(message));
                heard.push(format!("{} {whole}", common::name(chunk.kind)));
            }
        }
        Ok(Some(event)) => heard.push(describe(&event)),
        Err(error) => {
            heard.push(describe_error(error));
            *failed = true;
        }
    }
    true
}

/// F-14, M-07, S-02, UT-02: no change of the way to receive, and no read that fails or brings little, changes what is heard,
/// answered and said at the end, whatever comes.
#[test]
fn the_way_to_receive_may_change_within_a_message() {
    for seed in 0..60 {
        for role in BOTH {
            let mut random = Random::new(seed);
            let agreed = (random.below(2) == 0).then_some(seed);
            let bytes = sent(&mut random, role, agreed);

            let mut whole = Ear::new(end(role, agreed, &Config::default()), seed);
            whole.hear_slice(&mut bytes.clone());
            let expected = whole.end();
            for delivery in [Delivery::Messages, Delivery::Chunks] {
                let config = Config::default().with_delivery(delivery);
                let mut ear = Ear::new(end(role, agreed, &config), seed);
                ear.hear_mixed(&bytes);
                assert_eq!(ear.end(), expected, "{seed}, {role:?}, {delivery:?}");
            }
        }
    }
}
