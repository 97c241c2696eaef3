//! Small cases of all that a platform may do in its own way: words, registers, memory and threads. `.ci/platforms` has Miri
//! run them, which is some hundred times slower than the machine.
#![cfg(feature = "std")] // as threads are

mod common;

use bytes::{Buf, Bytes, BytesMut};
use common::{BOTH, closing, fresh, hear, naive, take, towards};
use sansocket::mask::{self, Kernel};
use sansocket::{Connection, Event, Fin, FrameHeader, Message, MessageKind, Opcode, Role};

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

fn payload(len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i * 7 + i / 31).to_le_bytes()[0])
        .collect()
}

/// M-01, M-07: each way to mask gives the bytes of RFC 6455 §5.3, whatever the length and wherever the payload lies.
#[test]
fn masks() {
    let kernels = [Kernel::Portable, Kernel::Avx2, Kernel::Avx512];
    for len in (0..40).chain([63, 64, 65, 127, 128, 129, 200, 260, 1_023, 1_024, 1_100]) {
        let memory = payload(len + 3);
        for begin in [0, 3] {
            let source = &memory[begin..][..len];
            let offset = begin + len;
            let expected: Vec<_> = (offset..)
                .zip(source)
                .map(|(i, byte)| byte ^ KEY[i % 4])
                .collect();
            for kernel in kernels {
                let mut target = memory.clone();
                kernel.apply(&mut target[begin..][..len], KEY, offset);
                assert_eq!(target[begin..][..len], expected, "{kernel:?} of {len}");
                assert_eq!(target[..begin], memory[..begin], "{kernel:?} of {len}");
                assert_eq!(target[begin + len..], memory[begin + len..]);
            }
            let mut target = vec![0; len];
            mask::copy(&mut target, source, KEY, offset);
            assert_eq!(target, expected, "a copy of {len}");
            let is_ascii = mask::apply_ascii(&mut target, KEY, offset);
            assert_eq!((&*target, is_ascii), (source, source.is_ascii()));
        }
    }
}

/// F-09: the bytes of a header are the same everywhere, and mean the same.
#[test]
fn headers() {
    let encoded = |len, mask| {
        let header = FrameHeader {
            fin: true,
            rsv: 0,
            opcode: Opcode::Binary,
            mask,
            len,
        };
        let (bytes, count) = header.encode();
        let parsed = FrameHeader::parse(&bytes[..count]);
        assert_eq!(parsed, Ok(Some((header, count))));
        for cut in 0..count {
            assert_eq!(
                FrameHeader::parse(&bytes[..cut]),
                Ok(None),
                "{len} at {cut}"
            );
        }
        bytes[..count].to_vec()
    };
    assert_eq!(encoded(0, None), [0x82, 0]);
    assert_eq!(
        encoded(125, Some(KEY)),
        [0x82, 0xFD, 0x37, 0xFA, 0x21, 0x3D]
    );
    assert_eq!(encoded(126, None), [0x82, 126, 0, 126]);
    assert_eq!(encoded(0x1234, None), [0x82, 126, 0x12, 0x34]);
    assert_eq!(encoded(65_535, Some(KEY))[..4], [0x82, 254, 255, 255]);
    let long = encoded(0x0102_0304_0506_0708, None);
    assert_eq!(long, [0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8]);
    let longest = encoded(u64::MAX >> 1, Some(KEY));
    assert_eq!(
        longest[..10],
        [0x82, 255, 127, 255, 255, 255, 255, 255, 255, 255]
    );
}

/// Queues data and control frames of each kind, and returns the payloads of the messages.
fn queue(conn: &mut Connection, role: Role) -> Vec<Vec<u8>> {
    conn.send_text("Hello").expect("open");
    conn.send_binary(&payload(300)).expect("open");
    conn.send(Message::from(Bytes::from(payload(4_200))))
        .expect("open");
    conn.ping(b"ours").expect("open");
    hear(conn, &towards(role, &naive::frame(0x89, b"theirs")));
    conn.send_fragment(MessageKind::Binary, &payload(70), Fin::More)
        .expect("open");
    conn.send_fragment(MessageKind::Binary, &payload(5), Fin::Last)
        .expect("open");
    let fragments = [payload(70), payload(5)].concat();
    vec![b"Hello".to_vec(), payload(300), payload(4_200), fragments]
}

/// T-06: what is queued is written whole, however much the transport takes at a time.
#[test]
fn queues() {
    for role in BOTH {
        let mut conn = fresh(role);
        queue(&mut conn, role);
        let whole = take(&mut conn);
        let kinds = naive::parse(&whole).into_iter().map(|frame| frame.opcode);
        let kinds: Vec<_> = kinds.collect();
        assert_eq!(kinds, [1, 2, 9, 10, 2, 2, 0], "{role:?}");
        for most in [97, 4_099] {
            queue(&mut conn, role);
            let mut written = Vec::new();
            while conn.buffered() > 0 {
                let out = conn.outgoing();
                let count = out.chunk().len().min(most);
                written.extend_from_slice(&out.chunk()[..count]);
                out.advance(count);
            }
            assert_eq!(written, whole, "{most} at a time from a {role:?}");
        }
        queue(&mut conn, role);
        conn.outgoing().advance(400);
        conn.drop_outgoing();
        conn.close(Some(closing(1000, "bye"))).expect("open");
        assert_eq!(take(&mut conn)[0], 0x88, "{role:?}");
    }
}

/// Receives `wire`, so many bytes a read, and returns the messages.
fn receive(conn: &mut Connection, wire: &[u8], step: usize) -> Vec<Bytes> {
    let mut messages = Vec::new();
    for read in wire.to_vec().chunks_mut(step) {
        let mut input = read;
        while let Some(event) = conn.receive(&mut input).expect("valid frames") {
            match event {
                Event::Text(text) => messages.push(text.into_payload().into_bytes()),
                Event::Binary(data) => messages.push(data.into_bytes()),
                _ => {}
            }
        }
    }
    messages
}

/// Exchanges messages with new clients, which are dropped in the middle of others, and returns the last that came.
fn exchange(server: &mut Connection) -> Vec<Bytes> {
    let mut got = Vec::new();
    for step in [50, 1_000] {
        let mut client = fresh(Role::Client);
        let sent = queue(&mut client, Role::Client);
        assert_eq!(receive(server, &take(&mut client), step), sent);
        let sent = queue(server, Role::Server);
        got = receive(&mut client, &take(server), step);
        assert_eq!(got, sent, "{step} bytes a read");
        receive(&mut client, &naive::frame(0x02, &payload(60)), 40);
        client.send_text("left behind").expect("open");
    }
    got
}

/// S-13: memory goes from one connection to another, and with messages and connections from one thread to another.
#[test]
fn pools() {
    let mut server = fresh(Role::Server);
    let here = exchange(&mut server);
    let there = std::thread::spawn(move || (exchange(&mut server), server));
    let (there, mut server) = there.join().expect("no panic");
    assert_eq!(here, there);
    assert_eq!(exchange(&mut server), here);

    let mut input = BytesMut::from(&*towards(Role::Server, &naive::frame(0x82, &payload(500))));
    let mut conn = fresh(Role::Server);
    let event = conn.receive_bytes(&mut input).expect("a valid frame");
    let Some(Event::Binary(data)) = event else {
        panic!("another event");
    };
    let kept = std::thread::spawn(move || data.to_vec());
    assert_eq!(kept.join().expect("no panic"), payload(500));
}
