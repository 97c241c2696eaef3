//! Two ends that do anything at any time, over a transport that takes and brings any number of bytes: what was accepted
//! arrives once and in order, and both agree on how it ended.
#![no_main]

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use sansocket::{
    CloseCode, CloseFrame, Config, Connection, Delivery, EndedBy, Fin, Limits, MessageKind,
    Outcome, Role, TransportAction,
};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::ear::{Ear, Feed, Heard, connection};
use sansocket_fuzz::talk;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let params = choices.flag().then(|| talk::params(&mut choices));
    let mut ends = [Role::Client, Role::Server].map(|role| {
        let mut config = config(&mut choices);
        if let Some(params) = params {
            config = config.with_deflate(params);
        }
        End::new(connection(role, &config), Feed::choose(&mut choices))
    });

    while !choices.is_empty() {
        let what = choices.byte();
        let who = usize::from(what >> 7);
        let [client, server] = &mut ends;
        let (us, peer) = if who == 0 {
            (client, server)
        } else {
            (server, client)
        };
        match what & 0x0F {
            0..=3 => {
                let slices = choices.pick(&[0, 1, 2, 3, 8, 64]);
                us.write(slices, choices.pick(&[usize::MAX, 1, 10, 5_000]));
            }
            4..=7 => us.read(peer, choices.pick(&[usize::MAX, 1, 10, 5_000])),
            8..=12 => us.say(&mut choices),
            13 => us.ping(choices.bytes()),
            14 => us.pong(choices.bytes()),
            _ => us.end(&mut choices),
        }
    }
    // Whoever did not say goodbye does now; then all that is under way arrives.
    let _ = ends[0].ear.connection.close(None);
    let [client, server] = &mut ends;
    for _ in 0..6 {
        for _ in 0..2 {
            client.write(64, usize::MAX);
            server.read(client, usize::MAX);
            server.write(0, usize::MAX);
            client.read(server, usize::MAX);
        }
        client.hang_up();
        server.hang_up();
    }
    client.has_ended();
    server.has_ended();
    agree(client, server);
    agree(server, client);
});

fn config(choices: &mut Choices<'_>) -> Config {
    // Fragments of one byte are allowed here.
    let limits = Limits::default().with_fragments(u32::MAX);
    Config::default()
        .with_delivery(choices.pick(&[Delivery::Messages, Delivery::Chunks]))
        .with_fragment_size(talk::fragment_size(choices))
        .with_outgoing_limit(choices.pick(&[64 << 20, 0, 300, 10_000]))
        .with_compression_level(talk::level(choices))
        .with_compression_threshold(choices.pick(&[128, 0]))
        .with_compression_memory(talk::memory(choices))
        .with_limits(limits)
}

struct End {
    ear: Ear,
    /// The messages that were accepted, whole ones and those whose last fragment was.
    said: Vec<Heard>,
    /// The Pings that were accepted.
    pinged: Vec<Heard>,
    /// The Pongs that were accepted, of which not all need arrive.
    ponged: Vec<Heard>,
    /// The fragments of a message in progress.
    begun: Option<(MessageKind, Vec<u8>)>,
    /// What is on its way to the peer.
    pipe: VecDeque<u8>,
    /// Nothing more will be written.
    hung_up: bool,
    /// The application has failed the connection.
    failed: bool,
    /// The transport takes no more: what waits is dropped.
    broken: bool,
}

impl End {
    fn new(connection: Connection, feed: Feed) -> Self {
        Self {
            ear: Ear::new(connection, feed),
            said: Vec::new(),
            pinged: Vec::new(),
            ponged: Vec::new(),
            begun: None,
            pipe: VecDeque::new(),
            hung_up: false,
            failed: false,
            broken: false,
        }
    }

    /// Writes some of what waits, unless that is in vain: in so many slices at a time, none for plain chunks.
    fn write(&mut self, slices: usize, most: usize) {
        self.hang_up();
        let mut left = most;
        while !self.hung_up && left > 0 && self.ear.connection.outgoing().has_remaining() {
            let outgoing = self.ear.connection.outgoing();
            let mut shown = [IoSlice::new(&[]); 64];
            let count = outgoing.chunks_vectored(&mut shown[..slices]);
            assert_eq!(count == 0, slices == 0, "something waits");
            let bytes = if slices == 0 {
                outgoing.chunk().to_vec()
            } else {
                shown[..count]
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect()
            };
            assert!(bytes.starts_with(outgoing.chunk()) && bytes.len() <= outgoing.remaining());
            let len = bytes.len().min(left);
            self.pipe.extend(&bytes[..len]);
            outgoing.advance(len);
            left -= len;
        }
        if self.broken {
            self.ear.connection.drop_outgoing();
        }
    }

    /// Reads some of what the peer has written.
    fn read(&mut self, peer: &mut Self, most: usize) {
        let len = peer.pipe.len().min(most);
        let piece: Vec<u8> = peer.pipe.drain(..len).collect();
        self.ear.read(&piece, |_| {});
        assert!(!self.ear.failed(), "the peer does nothing wrong");
        if peer.hung_up && peer.pipe.is_empty() {
            let torn = self.ear.connection.receive_eof().is_err();
            assert!(!torn || !matches!(self.ear.heard.last(), Some(Heard::Close(_))));
        }
    }

    fn say(&mut self, choices: &mut Choices<'_>) {
        let flags = choices.byte();
        let compress = talk::compress(choices);
        let (kind, payload) = if flags & 1 == 0 {
            (MessageKind::Binary, choices.payload())
        } else {
            (MessageKind::Text, choices.text().into_bytes())
        };
        let connection = &mut self.ear.connection;
        match flags >> 1 & 3 {
            0 => {
                let sent = connection.send(talk::message(kind, &payload).compress(compress));
                if sent.is_ok() {
                    self.said.push(Heard::Message(kind, payload));
                }
            }
            1 => {
                let text = std::str::from_utf8(&payload).ok();
                let text = text.filter(|_| kind == MessageKind::Text);
                let sevenths = usize::from(flags >> 5);
                let mut some = |slices: &[IoSlice<'_>]| {
                    let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
                    let taken = bytes.len() * if self.hung_up { 0 } else { sevenths } / 7;
                    self.pipe.extend(&bytes[..taken]);
                    taken
                };
                let sent = match (text, flags & 0x10 != 0) {
                    (Some(text), true) => connection.write_text(text, &mut some),
                    (None, true) => connection.write_binary(&payload, &mut some),
                    (Some(text), false) => connection.send_text(text),
                    (None, false) => connection.send_binary(&payload),
                };
                if sent.is_ok() {
                    self.said.push(Heard::Message(kind, payload));
                }
            }
            _ => {
                let fin = if flags & 8 == 0 { Fin::More } else { Fin::Last };
                let sent = connection.send_fragment(kind.compress(compress), &payload, fin);
                if sent.is_ok() {
                    let (_, whole) = self.begun.get_or_insert((kind, Vec::new()));
                    whole.extend(payload);
                    if fin == Fin::Last
                        && let Some((kind, whole)) = self.begun.take()
                    {
                        self.said.push(Heard::Message(kind, whole));
                    }
                }
            }
        }
    }

    fn ping(&mut self, payload: &[u8]) {
        if self.ear.connection.ping(payload).is_ok() {
            self.pinged.push(Heard::Ping(payload.to_vec()));
        }
    }

    fn pong(&mut self, payload: &[u8]) {
        if self.ear.connection.pong(payload).is_ok() {
            self.ponged.push(Heard::Pong(payload.to_vec()));
        }
    }

    /// Closes, fails or loses the connection, now and then.
    fn end(&mut self, choices: &mut Choices<'_>) {
        let code = CloseCode::from(choices.pick(&[1000, 1001, 1010, 1005, 3000]));
        let frame = CloseFrame::new(code, "enough");
        match choices.byte() % 8 {
            0 => _ = self.ear.connection.close(None),
            1 => _ = self.ear.connection.close(Some(frame)),
            2 => self.failed |= self.ear.connection.fail(frame).is_ok(),
            3 => self.hung_up = true,
            4 => {
                self.hung_up = true;
                self.broken = true;
                self.ear.connection.drop_outgoing();
                assert_eq!(self.ear.connection.buffered(), 0);
            }
            _ => {}
        }
    }

    /// Does what the connection says is to be done with the transport.
    fn hang_up(&mut self) {
        let drained = self.ear.connection.buffered() == 0;
        match self.ear.connection.transport_action() {
            TransportAction::HalfClose => self.hung_up |= drained,
            TransportAction::Close => self.hung_up = true,
            _ => {}
        }
    }

    fn outcome(&self) -> Outcome {
        self.ear.connection.outcome().expect("it has ended")
    }

    fn heard(&self, which: fn(&Heard) -> bool) -> Vec<&Heard> {
        let heard = self.ear.heard.iter();
        heard.filter(|heard| which(heard)).collect()
    }

    /// Nothing is left to do and nothing to write.
    fn has_ended(&self) {
        assert!(!self.ear.connection.is_open());
        let outcome = self.outcome();
        assert_eq!(outcome.error, None);
        assert!(self.hung_up || self.ear.connection.buffered() == 0);
        let transport = self.ear.connection.transport_action();
        assert!(!transport.is_in_use(), "{transport:?}");
    }
}

/// Tells whether what was said begins with what was heard: in order, unchanged, and nothing twice.
fn begins(said: &[Heard], heard: &[&Heard]) -> bool {
    heard.len() <= said.len() && said.iter().zip(heard).all(|(said, heard)| said == *heard)
}

/// What one end says of the connection fits what the other one says and was told.
fn agree(us: &End, peer: &End) {
    let (ours, theirs) = (us.outcome(), peer.outcome());
    let heard = us.heard(|heard| matches!(heard, Heard::Message(..)));
    let pings = us.heard(|heard| matches!(heard, Heard::Ping(_)));
    assert!(begins(&peer.said, &heard) && begins(&peer.pinged, &pings));
    for pong in us.heard(|heard| matches!(heard, Heard::Pong(_))) {
        let Heard::Pong(payload) = pong else { continue };
        let answers = us.pinged.contains(&Heard::Ping(payload.clone()));
        assert!(answers || peer.ponged.contains(pong));
    }
    if let Some(Heard::Close(frame)) = us.ear.heard.last() {
        let said = frame.as_ref().map(|frame| frame.code);
        assert_eq!(said, theirs.sent, "what was sent is heard");
        let all = [peer.said.len(), peer.pinged.len()];
        assert_eq!([heard.len(), pings.len()], all, "before a Close frame");
    }
    if ours.clean {
        assert!(theirs.clean || peer.failed, "all that we wrote has arrived");
        if ours.by == EndedBy::Peer {
            let echoed = ours.sent.unwrap_or(CloseCode::NO_STATUS_RECEIVED);
            assert_eq!(echoed, ours.code);
        }
    }
    if ours.clean && theirs.clean {
        let ends = [ours.by, theirs.by];
        assert!(ends.contains(&EndedBy::Us), "someone began to close");
        assert!(!ends.contains(&EndedBy::StreamEnd));
        for (own, other) in [(&ours, &theirs), (&theirs, &ours)] {
            let told = own.sent.unwrap_or(CloseCode::NO_STATUS_RECEIVED);
            assert_eq!(other.code, told);
        }
    }
}
