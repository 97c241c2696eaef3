//! What a thread keeps serves many connections: in turn, from thread to thread, and when the thread ends.
#![cfg(all(feature = "std", feature = "deflate"))]

mod common;

use std::cell::RefCell;
use std::sync::mpsc;
use std::thread;

use common::{BOTH, Random, deflating, hear, peer_of, show, take};
use sansocket::{CompressionMemory, Config, Connection, Role};

/// A sender, and the receiver of what it sends: a conversation of its own, whose words no other has.
struct Talk {
    name: usize,
    sender: Connection,
    receiver: Connection,
    random: Random,
    /// The end of a message that was sent and not received yet, and the message.
    late: (Vec<u8>, String),
}

impl Talk {
    fn new(name: usize) -> Self {
        let mut random = Random::new(name as u64);
        let role = BOTH[name % 2];
        let params = common::sent_with(role, false, 15)
            .with_server_no_context_takeover(random.below(2) == 0)
            .with_client_no_context_takeover(random.below(2) == 0);
        let config = Config::default()
            .with_compression_threshold(0)
            .with_compression_memory(match random.below(2) {
                0 => CompressionMemory::Engine,
                _ => CompressionMemory::History(12),
            });
        Self {
            name,
            sender: deflating(role, params, &config),
            receiver: deflating(peer_of(role), params, &config),
            random,
            late: (Vec::new(), String::new()),
        }
    }

    /// Receives the rest of the last message, then sends the next one and receives a part of it.
    fn step(&mut self) {
        self.finish();
        let name = self.name;
        let most = [400, 400, 400, 40_000][self.random.below(4)];
        let len = self.random.below(most);
        let words = (0..len).map(|i| format!("{name}.{} ", i % 7));
        let text: String = words.collect();
        self.sender.send_text(&text).expect("it is open");
        let mut bytes = take(&mut self.sender);
        let late = bytes.split_off(self.random.below(bytes.len()));
        assert!(hear(&mut self.receiver, &bytes).is_empty(), "{name}");
        self.late = (late, format!("text {}", show(text.as_bytes())));
    }

    fn finish(&mut self) {
        let (late, message) = core::mem::take(&mut self.late);
        if !late.is_empty() {
            assert_eq!(hear(&mut self.receiver, &late), [message], "{}", self.name);
        }
    }
}

/// DC-06, DD-02, DD-03, S-13: connections that use the engines of a thread in turn, each within its messages, keep their words apart.
#[test]
fn connections_share_the_engines_of_a_thread() {
    let mut talks: Vec<_> = (0..12).map(Talk::new).collect();
    let mut random = Random::new(1);
    for _ in 0..400 {
        let next = random.below(talks.len());
        talks[next].step();
    }
    talks.iter_mut().for_each(Talk::finish);
}

/// DC-06, DD-02, DD-03, S-13: a connection may go from thread to thread, also within a message.
#[test]
fn a_connection_moves_from_thread_to_thread() {
    let (sender, receiver) = mpsc::channel::<Talk>();
    let mut talks: Vec<_> = (0..8).map(Talk::new).collect();
    for _ in 0..10 {
        for half in [talks.split_off(4), core::mem::take(&mut talks)] {
            let sender = sender.clone();
            thread::spawn(move || {
                for mut talk in half {
                    talk.step();
                    sender.send(talk).expect("somebody waits");
                }
            });
        }
        talks = receiver.iter().take(8).collect();
    }
    talks.iter_mut().for_each(Talk::finish);
}

/// Talks once more when its thread ends.
struct Last(RefCell<Option<Talk>>, mpsc::Sender<Role>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(mut talk) = self.0.take() {
            talk.step();
            talk.step();
            talk.finish();
            let told = self.1.send(BOTH[talk.name % 2]);
            told.expect("somebody waits");
        }
    }
}

/// M-02, S-13: a connection lives in a destructor of a thread, whose memory, engines and keys are gone or going by then.
#[test]
fn a_connection_lives_in_a_destructor_of_its_thread() {
    std::thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    for name in 0..16 {
        let sender = sender.clone();
        thread::spawn(move || {
            // What is used first is dropped last: before all that the connection keeps, or behind it.
            let mut talk = Talk::new(name);
            if name % 4 < 2 {
                talk.step();
            }
            LAST.set(Some(Last(RefCell::new(None), sender)));
            talk.step();
            LAST.with_borrow(|last| {
                let Last(talks, _) = last.as_ref().expect("it was set");
                talks.replace(Some(talk));
            });
        })
        .join()
        .expect("the thread ends");
    }
    drop(sender);
    assert_eq!(receiver.iter().count(), 16);
}
