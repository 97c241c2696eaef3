//! What compressed messages can cost: memory and output have limits, and work does not grow faster than the input.
#![cfg(feature = "deflate")]

mod common;
mod memory;

use std::thread;

use bytes::Buf;
use common::{ZERO_KEY, naive, towards};
use memory::{allocations, held, held_since, peak};
use sansocket::deflate::Params;
use sansocket::{
    CompressionMemory, Config, Connection, Delivery, Event, Limits, ProtocolError, Role,
};

const MIB: usize = 1 << 20;

/// Bits that become bytes, the lowest first (RFC 1951 §3.1.1).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    /// Appends numbers, each with its length. A code stands with its highest bit first, so here it is turned around.
    fn push(&mut self, numbers: &[(usize, usize)]) {
        for (number, len) in numbers {
            for at in 0..*len {
                if self.len.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                if number >> at & 1 == 1 {
                    self.bytes[self.len / 8] |= 1 << (self.len % 8);
                }
                self.len += 1;
            }
        }
    }

    /// Appends the header of a dynamic block, in which two bits of 0 are a match of 258 bytes, one byte back; 10 is the byte 0
    /// and 11 the end of the block.
    fn dynamic_header(&mut self) {
        let (block, counts) = ([(0, 1), (2, 2)], [(29, 5), (0, 5), (14, 4)]);
        // The lengths of the codes for 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14 and 1.
        let lens = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2].map(|len| (len, 3));
        let zeros = |count: usize| [(0, 1), (count - 11, 7)];
        let (one, two) = ([(0b01, 2)], [(0b11, 2)]);
        self.push(&[&block[..], &counts, &lens].concat());
        self.push(&[&two[..], &zeros(138), &zeros(117), &two].concat()); // 0 and 256
        self.push(&[&zeros(28)[..], &one, &one].concat()); // 285, and the distance of 1
    }

    /// Returns the message: ends it with the header of an empty stored block, without its length (RFC 7692 §7.2.1).
    fn finish(mut self) -> Vec<u8> {
        self.push(&[(0, 3)]);
        self.bytes
    }
}

const ZERO: (usize, usize) = (0b01, 2);
const END_OF_BLOCK: (usize, usize) = (0b11, 2);

/// Returns a compressed message of `len` zeros, or a few more: each byte of it gives a thousand.
fn zeros(len: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.dynamic_header();
    bits.push(&[ZERO]);
    // Four matches are a byte of 0, wherever it begins.
    let more = (len - 1).div_ceil(4 * 258);
    bits.bytes.resize(bits.bytes.len() + more, 0);
    bits.len += 8 * more;
    bits.push(&[END_OF_BLOCK]);
    bits.finish()
}

/// Returns a message in stored blocks of at most `size` bytes, which makes it longer.
fn stored(payload: &[u8], size: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for block in payload.chunks(size) {
        let len = u16::try_from(block.len()).expect("a block is short");
        message.push(0);
        message.extend(len.to_le_bytes());
        message.extend((!len).to_le_bytes());
        message.extend_from_slice(block);
    }
    message.push(0);
    message
}

fn config(delivery: Delivery, message: u64) -> Config {
    let limits = Limits::default().with_message(message);
    Config::default()
        .with_limits(limits)
        .with_delivery(delivery)
}

fn client(config: &Config) -> Connection {
    Connection::client_with_keys(&config.with_deflate(Params::default()), ZERO_KEY)
}

/// Gives a frame to the connection, in reads of some length, and returns how many bytes came out of it, all messages taken
/// together.
fn hear(conn: &mut Connection, frame: &mut [u8]) -> Result<usize, ProtocolError> {
    let mut len = 0;
    for mut read in frame.chunks_mut(10_000) {
        while let Some(event) = conn.receive(&mut read)? {
            len += match event {
                Event::Binary(data) => data.len(),
                Event::Chunk(chunk) => chunk.data.len(),
                _ => 0,
            };
        }
    }
    Ok(len)
}

/// Writes all that waits, and returns the code of the Close frame if that is it.
fn take_code(conn: &mut Connection) -> Option<u16> {
    let frame = common::take(conn);
    // Behind a header of two bytes there is a key of zeros.
    (frame.first() == Some(&0x88)).then(|| (&frame[6..]).get_u16())
}

/// DD-08, S-09, SC-08: half a MiB that decompresses to 512 MiB fails at a limit of 64 MiB, and takes no more memory than the
/// limit and what an engine needs; in chunks far less, also if all of it is let through.
#[test]
fn a_bomb_takes_no_more_memory_than_the_limit() {
    let limit = 64 * MIB;
    let bomb = zeros(512 * MIB);
    assert!((508..510).contains(&(bomb.len() >> 10)), "{}", bomb.len());
    let frame = naive::frame(0xC2, &bomb);
    for (delivery, limit, fails, most) in [
        (Delivery::Messages, limit, true, limit + MIB),
        (Delivery::Chunks, limit, true, MIB),
        (Delivery::Chunks, 513 * MIB, false, MIB),
    ] {
        let mut frame = frame.clone();
        let mut conn = client(&config(delivery, limit as u64));
        let mut heard = Ok(0);
        let peak = peak(|| heard = hear(&mut conn, &mut frame));
        assert!(peak < most, "{peak} bytes, {delivery:?}");
        println!(
            "{delivery:?} with a limit of {limit} bytes: {heard:?}, at most {peak} bytes held"
        );
        if fails {
            assert_eq!(heard, Err(ProtocolError::MessageTooLarge));
            assert_eq!(take_code(&mut conn), Some(1009));
        } else {
            assert!(heard.expect("it is let through") >= 512 * MIB);
        }
    }
}

/// S-03: chunks that come out one after the other do so in the same memory, which gets larger a few times.
#[test]
fn chunks_take_turns_in_one_memory() {
    let cost = || {
        let mut frame = naive::frame(0xC2, &stored(&vec![7; 200_000], 50_000));
        let mut conn = client(&config(Delivery::Chunks, 200_000));
        peak(|| {
            for read in frame.chunks_mut(500) {
                hear(&mut conn, read).expect("it is valid");
            }
        })
    };
    // A thread of its own has no memory to spare.
    let peak = thread::spawn(cost).join().expect("no panic");
    assert!(peak < (80 + 128) << 10, "{peak} bytes");
}

/// S-03: a message that is up to four times as long as its compressed form, or has a KiB, takes its memory at once.
#[test]
fn a_message_takes_its_memory_at_once() {
    // One byte, and three matches of 258.
    let mut bits = Bits::default();
    bits.dynamic_header();
    bits.push(&[ZERO, (0, 2), (0, 2), (0, 2), END_OF_BLOCK]);
    for (message, len, most) in [
        (bits.finish(), 775, 1),
        (stored(&[7; 9_000], 1_000), 9_000, 3),
    ] {
        let cost = || {
            let mut conn = client(&config(Delivery::Messages, 1 << 20));
            let mut bits = Bits::default();
            bits.dynamic_header();
            bits.push(&[END_OF_BLOCK]);
            let mut short = naive::frame(0xC2, &bits.finish());
            hear(&mut conn, &mut short).expect("it brings the engine");
            let mut long = naive::frame(0xC2, &message);
            allocations(|| assert_eq!(hear(&mut conn, &mut long), Ok(len)))
        };
        // A thread of its own has no memory to spare.
        let asked = thread::scope(|scope| scope.spawn(cost).join().expect("no panic"));
        assert!(asked <= most, "{asked} times for {len} bytes");
    }
}

/// DD-08, S-03: blocks without content cost no memory, however many there are.
#[test]
fn empty_blocks_cost_no_memory() {
    let push: [fn(&mut Bits); 4] = [
        |bits| {
            let align = (8 - (bits.len + 3) % 8) % 8;
            bits.push(&[(0, 3), (0, align), (0, 16), (0xFFFF, 16)]);
        },
        |bits| bits.push(&[(0, 1), (1, 2), (0, 7)]),
        |bits| {
            bits.dynamic_header();
            bits.push(&[END_OF_BLOCK]);
        },
        // One that ends the stream.
        |bits| {
            let align = (8 - (bits.len + 10) % 8) % 8;
            bits.push(&[(1, 1), (1, 2), (0, 7), (0, align)]);
        },
    ];
    for (kind, push) in push.into_iter().enumerate() {
        let cost = |count: usize, delivery| {
            let mut bits = Bits::default();
            (0..count).for_each(|_| push(&mut bits));
            let mut frame = naive::frame(0xC2, &bits.finish());
            let mut conn = client(&config(delivery, 1));
            let mut peak_bytes = 0;
            let count = allocations(|| {
                peak_bytes = peak(|| assert_eq!(hear(&mut conn, &mut frame), Ok(0)));
            });
            (count, peak_bytes)
        };
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            cost(1, delivery); // what the thread keeps
            let few = cost(10, delivery);
            // Those that end the stream are limited.
            let many = if kind == 3 { 60 } else { 2_000 };
            assert_eq!(cost(many, delivery), few, "kind {kind}, {delivery:?}");
        }
    }
}

/// DD-08, S-09, SC-08: a message of as many bytes as are allowed passes, and one of a byte more fails, however long the
/// compressed form is.
#[test]
fn the_limit_holds_for_what_comes_out() {
    let limit = 100_000;
    let noise: Vec<u8> = (0..=limit)
        .map(|at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0])
        .collect();
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        for size in [10, 1_000, 65_535] {
            let config = config(delivery, limit);
            let all = stored(&noise, size);
            assert!(all.len() > noise.len(), "it is longer than what it holds");
            for (content, expected) in [
                (&noise[..noise.len() - 1], Ok(100_000)),
                (&noise, Err(ProtocolError::MessageTooLarge)),
            ] {
                let message = stored(content, size);
                let mut conn = client(&config);
                let heard = hear(&mut conn, &mut naive::frame(0xC2, &message));
                assert_eq!(heard, expected, "blocks of {size}, {delivery:?}");
                let code = heard.is_err().then_some(1009);
                assert_eq!(take_code(&mut conn), code);

                let (first, second) = message.split_at(50_000);
                let mut frames = [naive::frame(0x42, first), naive::frame(0x80, second)].concat();
                let mut conn = client(&config);
                assert_eq!(hear(&mut conn, &mut frames), expected, "in two frames");
            }
        }
    }
}

/// S-13: nothing is held for compression before a message is compressed.
#[test]
fn what_was_agreed_on_takes_no_memory() {
    let config = Config::default().with_deflate(Params::default());
    for role in common::BOTH {
        let mut conn = None;
        let asked = allocations(|| conn = Some(common::connection(role, &config)));
        assert_eq!(asked, 0, "{role:?}");
    }
}

/// S-13: once nothing more is sent, nothing is held to compress with, and once nothing more is received, nothing to inflate.
#[test]
fn engines_are_given_back_at_the_end() {
    type End = fn(&mut Connection);
    let ends: [(usize, End); 3] = [
        // The peer may send until it closes, too.
        (80 << 10, |conn| conn.close(None).expect("it is open")),
        (0, |conn| {
            conn.fail(common::closing(1011, "")).expect("it is open");
        }),
        (0, |conn| {
            conn.receive_eof().expect_err("no Close frame has come");
        }),
    ];
    let config = Config::default();
    let message = stored(&[7; 1_000], 1_000);
    for (kept, end) in ends {
        let mut frame = towards(Role::Server, &naive::frame(0xC2, &message));
        let mut server = Connection::server(&config.with_deflate(Params::default()));
        let before = held();
        assert_eq!(hear(&mut server, &mut frame), Ok(1_000));
        server.send_binary(&[7; 1_000]).expect("it is open");
        common::take(&mut server);
        let held = held_since(before);
        assert!(held > 330 << 10, "{held} bytes");
        end(&mut server);
        common::take(&mut server);
        let held = held_since(before);
        // What the thread keeps for others is little.
        assert!(held < (kept + (8 << 10)).cast_signed(), "{held} bytes");
    }
}

/// What a direction holds between two messages, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Held {
    compressing: usize,
    decompressing: usize,
}

/// Returns what a connection holds behind its first compressed message, beyond what its thread keeps for all of them.
fn held_behind_a_message(
    window_bits: u8,
    takeover: bool,
    level: u8,
    memory: CompressionMemory,
) -> Held {
    let params = Params::default()
        .with_server_no_context_takeover(!takeover)
        .with_server_max_window_bits(window_bits);
    let config = Config::default()
        .with_compression_level(level)
        .with_compression_memory(memory);
    let exchange = || {
        let mut server = Connection::server(&config.with_deflate(params));
        let mut client = common::connection(Role::Client, &config.with_deflate(params));
        let before = held();
        server
            .send_text(&"Hello".repeat(1_000))
            .expect("it is open");
        let mut frame = common::take(&mut server);
        assert!(frame.len() < 1_000, "it is compressed");
        let written = frame.capacity();
        let compressing = held_since(before) - written.cast_signed();
        let before = held();
        let mut read = &mut frame[..];
        assert!(client.receive(&mut read).expect("it is valid").is_some());
        let decompressing = held_since(before);
        let held = [compressing, decompressing].map(|held| usize::try_from(held).unwrap_or(0));
        (server, client, held)
    };
    // A thread of its own keeps nothing yet. What the first exchange makes it keep does not count for the second.
    thread::scope(|scope| {
        let measure = || {
            let _first = exchange();
            let (_, _, [compressing, decompressing]) = exchange();
            Held {
                compressing,
                decompressing,
            }
        };
        scope.spawn(measure).join().expect("no failure")
    })
}

/// S-13: what is held between messages depends on what was agreed on, and not on the level. The figures are those in the
/// documentation; `cargo test --test deflate_bounds memory_table -- --nocapture` prints them.
#[test]
#[cfg(target_pointer_width = "64")]
fn memory_table() {
    println!("window  compressing  decompressing, in bytes");
    for (window_bits, kib) in (9..=15).zip([161, 163, 167, 175, 191, 223, 287]) {
        for level in [1, 6, 9] {
            let memory = CompressionMemory::Engine;
            let held = held_behind_a_message(window_bits, false, level, memory);
            assert_eq!((held.compressing, held.decompressing), (0, 0), "{level}");
            let held = held_behind_a_message(window_bits, true, level, memory);
            if level == 6 {
                let (compressing, decompressing) = (held.compressing, held.decompressing);
                println!("{window_bits:6}  {compressing:11}  {decompressing:13}");
            }
            assert_eq!(held.compressing >> 10, kib, "{window_bits} bits, {level}");
            assert_eq!(held.decompressing >> 10, 78, "{window_bits} bits, {level}");
        }
    }
    println!("history  compressing, in bytes");
    for history_bits in 8..=15 {
        let memory = CompressionMemory::History(history_bits);
        let held = held_behind_a_message(15, true, 6, memory).compressing;
        println!("{history_bits:7}  {held:11}");
        let ring = 1 << history_bits;
        assert!((ring..ring + 64).contains(&held), "{held} bytes");
    }
}
