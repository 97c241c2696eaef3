//! What comes out of compressed messages is what zlib makes of them, and no more than the limit.
#![no_main]

use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Params;
use sansocket::{Config, Delivery, Event, Limits, ProtocolError, ReceiveHalf};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::inflate::ends_with_block;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let takeover = choices.flag();
    let chunks = choices.flag();
    let step = choices.pick(&[1000, 1, 7]);
    let limit = choices.pick(&[1 << 16, 300, 70_000]);
    let limits = Limits::default().with_message(limit as u64);
    let delivery = if chunks {
        Delivery::Chunks
    } else {
        Delivery::Messages
    };
    let config = Config::default()
        .with_limits(limits)
        .with_delivery(delivery);
    let params = Params::default().with_server_no_context_takeover(!takeover);
    let mut receiver = ReceiveHalf::client(&config.with_deflate(params));

    let mut history = Vec::new();
    let mut messages = 0;
    while messages == 0 || !choices.is_empty() {
        messages += 1;
        let body = choices.bytes();
        let heard = receive(&mut receiver, body, step);
        let expected = inflate(body, &history, limit);
        match (&heard, expected) {
            (Ok(heard), Ok(expected)) => {
                assert!(*heard == expected, "zlib makes something else of it");
                if takeover {
                    history.extend(expected);
                }
            }
            (Err(error), Err(fault)) => {
                assert!(matches!(
                    error,
                    ProtocolError::InvalidCompression | ProtocolError::MessageTooLarge
                ));
                if fault == Fault::TooLong {
                    assert_eq!(*error, ProtocolError::MessageTooLarge);
                }
                return;
            }
            (heard, expected) => panic!(
                "{:?}, but zlib says {:?}",
                heard.as_ref().map(Vec::len),
                expected.map(|out| out.len())
            ),
        }
    }
});

/// Sends `body` as a compressed message in two frames and returns what is heard.
fn receive(receiver: &mut ReceiveHalf, body: &[u8], step: usize) -> Result<Vec<u8>, ProtocolError> {
    let (left, right) = body.split_at(body.len() / 3);
    let mut bytes = Vec::new();
    for (first, part) in [(0x42, left), (0x80, right)] {
        bytes.push(first);
        if let Ok(len @ 0..126) = u8::try_from(part.len()) {
            bytes.push(len);
        } else {
            bytes.extend_from_slice(&[126, 0, u8::try_from(part.len()).expect("a byte")]);
        }
        bytes.extend_from_slice(part);
    }
    let mut heard = Vec::new();
    let mut ended = false;
    for piece in bytes.chunks_mut(step) {
        let mut input = piece;
        while let Some(event) = receiver.receive(&mut input)? {
            assert!(!ended, "one message only");
            match event {
                Event::Binary(data) => {
                    heard = data.to_vec();
                    ended = true;
                }
                Event::Chunk(chunk) => {
                    assert!(chunk.data.len() <= 64 << 10);
                    heard.extend_from_slice(&chunk.data);
                    ended = chunk.last;
                }
                event => panic!("{event:?}"),
            }
        }
    }
    assert!(ended, "the message has come whole");
    Ok(heard)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Invalid,
    TooLong,
}

/// Inflates a message in one go, with C's zlib.
fn inflate(body: &[u8], history: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let mut naive = Naive {
        zlib: Decompress::new(false),
        out: history.to_vec(),
        ended: false,
    };
    let most = history.len() + limit;
    naive.teach();
    naive.feed(body, most)?;
    if ends_with_block(body, history) {
        return Ok(naive.out.split_off(history.len()));
    }
    let len = naive.out.len();
    // A last empty block shows whether the tail was taken for what it is. Whatever it makes is an error, of any length.
    for behind in [
        &[0x00, 0x00, 0xFF, 0xFF][..],
        &[0x01, 0x00, 0x00, 0xFF, 0xFF],
    ] {
        naive.feed(behind, usize::MAX)?;
    }
    if naive.out.len() != len || !naive.ended {
        return Err(Fault::Invalid);
    }
    Ok(naive.out.split_off(history.len()))
}

struct Naive {
    zlib: Decompress,
    out: Vec<u8>,
    /// A last block has ended with the last byte of the input.
    ended: bool,
}

impl Naive {
    fn teach(&mut self) {
        let window = &self.out[self.out.len().saturating_sub(1 << 15)..];
        if !window.is_empty() {
            self.zlib
                .set_dictionary(window)
                .expect("a raw stream takes one");
        }
    }

    fn feed(&mut self, mut input: &[u8], most: usize) -> Result<(), Fault> {
        let mut room = vec![0; 1 << 14];
        loop {
            let (used, made) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self
                .zlib
                .decompress(input, &mut room, FlushDecompress::Sync);
            let used = usize::try_from(self.zlib.total_in() - used).expect("short");
            let made = usize::try_from(self.zlib.total_out() - made).expect("short");
            self.out.extend_from_slice(&room[..made]);
            input = &input[used..];
            if self.out.len() > most {
                return Err(Fault::TooLong);
            }
            match status {
                Err(_) => return Err(Fault::Invalid),
                Ok(Status::StreamEnd) => {
                    self.zlib = Decompress::new(false);
                    self.teach();
                    self.ended = input.is_empty();
                }
                Ok(_) => {
                    self.ended &= used == 0;
                    if made < room.len() {
                        return Ok(());
                    }
                }
            }
            if input.is_empty() && made < room.len() {
                return Ok(());
            }
        }
    }
}
