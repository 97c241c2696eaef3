//! Split halves whose replies come late, over a transport that takes and brings any number of bytes in any way, and that
//! may break: what was accepted arrives once and in order, and both ends agree on how it ended.
#![cfg(feature = "std")] // as vectored writes are

mod common;

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Buf;
use common::{Random, closing, connection, describe, show};
use sansocket::{
    CloseCode, Config, Fin, MessageKind, ReceiveHalf, Reply, Role, SendHalf, TransportAction,
    UnexpectedEof,
};

/// One end: two halves, what one has yet to hear of the other, and what is on its way to the peer.
struct End {
    receiver: ReceiveHalf,
    sender: SendHalf,
    replies: VecDeque<Reply>,
    pipe: VecDeque<u8>,
    /// The messages that were accepted, and those that were heard.
    said: Vec<String>,
    heard: Vec<String>,
    pinged: Vec<String>,
    ponged: Vec<String>,
    /// The first part of a message of which the rest was not said yet.
    begun: Option<Vec<u8>>,
    /// The transport takes no more.
    broken: bool,
    /// What the end of the stream was to the receiving half.
    eof: Option<Result<(), UnexpectedEof>>,
}

impl End {
    fn new(role: Role, random: &mut Random, agreed: bool) -> Self {
        let level = u8::try_from(1 + random.below(9)).expect("a level");
        let config = config(random, level);
        #[cfg(feature = "deflate")]
        let config = if agreed {
            config.with_deflate(sansocket::deflate::Params::default())
        } else {
            config
        };
        #[cfg(not(feature = "deflate"))]
        let _ = agreed;
        let (receiver, sender) = connection(role, &config).split();
        Self {
            receiver,
            sender,
            replies: VecDeque::new(),
            pipe: VecDeque::new(),
            said: Vec::new(),
            heard: Vec::new(),
            pinged: Vec::new(),
            ponged: Vec::new(),
            begun: None,
            broken: false,
            eof: None,
        }
    }

    /// Says something, by any of the ways to do so, if the state allows it.
    fn say(&mut self, random: &mut Random) {
        let len = [0, 5, 125, 300, 5_000, 20_000][random.below(6)];
        let data: Vec<_> = (0..len).map(|i| b"sansIO "[i % 7]).collect();
        let text = String::from_utf8(data.clone()).expect("ASCII");
        let sevenths = if self.broken { 0 } else { random.below(8) };
        let pipe = &mut self.pipe;
        let mut some = |slices: &[IoSlice<'_>]| {
            let bytes = common::join(slices);
            let taken = bytes.len() * sevenths / 7;
            pipe.extend(&bytes[..taken]);
            taken
        };
        let (kind, sent) = match random.below(6) {
            0 => ("binary", self.sender.send_binary(&data)),
            1 => ("text", self.sender.send_text(&text)),
            2 => ("binary", self.sender.write_binary(&data, &mut some)),
            3 => ("text", self.sender.write_text(&text, &mut some)),
            4 => {
                let sent = self.sender.send(text);
                ("text", sent.map_err(|refused| refused.error))
            }
            _ => return self.say_fragment(&data, random.below(2) == 0),
        };
        if sent.is_ok() {
            self.said.push(format!("{kind} {}", show(&data)));
        }
    }

    fn say_fragment(&mut self, data: &[u8], last: bool) {
        let fin = if last { Fin::Last } else { Fin::More };
        let sent = self.sender.send_fragment(MessageKind::Binary, data, fin);
        if sent.is_err() {
            return;
        }
        self.begun.get_or_insert_default().extend(data);
        if last && let Some(whole) = self.begun.take() {
            self.said.push(format!("binary {}", show(&whole)));
        }
    }

    fn ping(&mut self, payload: u8) {
        if self.sender.ping(&[payload]).is_ok() {
            self.pinged.push(show(&[payload]));
        }
    }

    /// Writes a part of what waits, in 1 to 64 slices, or in one chunk.
    fn write(&mut self, random: &mut Random) {
        if self.broken {
            return self.sender.drop_outgoing();
        }
        let outgoing = self.sender.outgoing();
        let mut slices = [IoSlice::new(&[]); 64];
        let count = outgoing.chunks_vectored(&mut slices[..=random.below(64)]);
        let bytes = if random.below(4) == 0 {
            outgoing.chunk().to_vec()
        } else {
            common::join(&slices[..count])
        };
        let len = [bytes.len(), bytes.len() / 2, bytes.len().min(1)][random.below(3)];
        self.pipe.extend(&bytes[..len]);
        outgoing.advance(len);
    }

    /// Reads a part of what the peer has written.
    fn read(&mut self, peer: &mut Self, random: &mut Random) {
        let all = peer.pipe.len();
        let len = [all, all / 2, all.min(1)][random.below(3)];
        let mut read: Vec<u8> = peer.pipe.drain(..len).collect();
        let mut input = &mut read[..];
        while let Some(event) = self.receiver.receive(&mut input).expect("legal") {
            let reply = Reply::for_event(&event);
            match &reply {
                Some(Reply::Close(_)) | None => self.note(&describe(&event)),
                Some(_) => {}
            }
            self.replies.extend(reply);
        }
        if peer.is_over() && peer.pipe.is_empty() && self.eof.is_none() {
            self.eof = Some(self.receiver.receive_eof());
            self.replies.push_back(Reply::Eof);
        }
    }

    fn note(&mut self, event: &str) {
        match event.split_once(' ') {
            Some(("pong", payload)) => self.ponged.push(payload.into()),
            _ => self.heard.push(event.into()),
        }
    }

    /// Tells the sending half of the next thing that the other one has asked for.
    fn reply(&mut self) {
        if let Some(reply) = self.replies.pop_front() {
            self.sender.reply(reply);
        }
    }

    /// Tells whether this end writes no more.
    fn is_over(&self) -> bool {
        let done = matches!(
            self.sender.transport_action(),
            TransportAction::Close | TransportAction::AwaitEof
        );
        self.broken || done && self.sender.buffered() == 0
    }

    fn is_closed(&self) -> bool {
        self.heard
            .last()
            .is_some_and(|last| last.starts_with("close"))
    }
}

fn config(random: &mut Random, level: u8) -> Config {
    let config = Config::default().with_fragment_size([u32::MAX, 7, 1_000][random.below(3)]);
    #[cfg(feature = "deflate")]
    let config = config
        .with_compression_level(level)
        .with_compression_threshold(0);
    #[cfg(not(feature = "deflate"))]
    let _ = level;
    config
}

/// Has two ends do anything at any time, and one of them end it: by a Close frame, or by a break of its transport.
fn talk(seed: u64, breaks: bool) -> [End; 2] {
    let mut random = Random::new(seed);
    let agreed = random.below(2) == 0;
    let mut ends = [Role::Client, Role::Server].map(|role| End::new(role, &mut random, agreed));
    let steps = 20 + random.below(60);
    for step in 0..steps + 600 {
        let who = random.below(2);
        if step == steps && breaks {
            ends[who].broken = true;
            ends[who].sender.drop_outgoing();
        } else if step == steps {
            let closed = ends[who].sender.close(Some(closing(1000, "")));
            assert!(closed.is_ok() || ends[who].is_closed());
        }
        let [client, server] = &mut ends;
        let (us, peer) = if who == 0 {
            (client, server)
        } else {
            (server, client)
        };
        match random.below(if step < steps { 8 } else { 6 }) {
            0..=1 => us.write(&mut random),
            2..=3 => us.read(peer, &mut random),
            4..=5 => us.reply(),
            6 => us.say(&mut random),
            _ => us.ping(u8::try_from(step).expect("a short talk")),
        }
    }
    ends
}

/// Checks that no Pong answers what was not asked, or comes twice or out of order.
fn check_pongs(end: &End) {
    let mut pinged = end.pinged.iter();
    for pong in &end.ponged {
        assert!(
            pinged.any(|ping| ping == pong),
            "{pong} of {:?}",
            end.pinged
        );
    }
}

/// CL-06, CL-08, CL-10, CL-13, CT-05, CT-07, T-05: however late the sending half hears of what the other one has received, all
/// that was accepted arrives, also what was said while a Close frame was on its way, and the end is clean.
#[test]
fn late_replies_lose_nothing() {
    for seed in 0..150 {
        let [client, server] = talk(seed, false);
        for (us, peer) in [(&client, &server), (&server, &client)] {
            let (close, messages) = us.heard.split_last().expect("a Close frame");
            assert_eq!(messages, peer.said, "{seed}");
            assert_eq!(close, "close 1000", "{seed}");
            let outcome = us.sender.outcome().expect("an end");
            assert!(outcome.clean, "{seed}: {outcome:?}");
            assert_eq!(outcome.code, CloseCode::NORMAL_CLOSURE);
            assert!(us.eof.is_none_or(|eof| eof.is_ok()), "{seed}");
            check_pongs(us);
        }
    }
}

/// CL-32, FA-06: where the transport of one end breaks and what waits is dropped, the other end hears what was written before,
/// in order, and that the stream was torn off.
#[test]
fn a_break_loses_only_what_was_not_written() {
    for seed in 0..150 {
        let [client, server] = talk(seed, true);
        let (us, peer) = if client.broken {
            (server, client)
        } else {
            (client, server)
        };
        assert!(!us.is_closed(), "{seed}");
        assert!(peer.said.starts_with(&us.heard), "{seed}: {:?}", us.heard);
        assert!(us.eof.expect("the end of the stream").is_err(), "{seed}");
        assert_eq!(peer.sender.buffered(), 0, "{seed}");
        check_pongs(&us);
    }
}
