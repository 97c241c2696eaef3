//! What an event holds: where it lies, and what keeping it costs.

mod common;

use bytes::{Bytes, BytesMut};
use common::{fresh, hex, naive};
use sansocket::{Connection, Event, Message, MessageKind, ProtocolError, Role, Utf8Bytes};

fn next<'i>(conn: &mut Connection, input: &mut &'i mut [u8]) -> Event<'i> {
    conn.receive(input).expect("legal").expect("an event")
}

/// A message that lies whole in the input is delivered where it lies, unmasked, and the next one behind it.
#[test]
fn a_whole_message_is_delivered_in_place() {
    let mut server = fresh(Role::Server);
    let mut read = naive::mask_all(&hex("81 05 'Hello' 82 03 'abc' 89 01 'p'"));
    let start = read.as_ptr();
    let mut input = &mut read[..];
    let Event::Text(text) = next(&mut server, &mut input) else {
        panic!("another event");
    };
    let Event::Binary(data) = next(&mut server, &mut input) else {
        panic!("another event");
    };
    let Event::Ping(ping) = next(&mut server, &mut input) else {
        panic!("another event");
    };
    // All three are held at once, and neither the connection nor the rest of the input is borrowed.
    server.send_text(&text).expect("open");
    assert!(server.receive(&mut input).expect("legal").is_none());
    assert_eq!(text.as_ptr(), start.wrapping_add(6));
    assert_eq!(data.as_ptr(), start.wrapping_add(6 + 5 + 6));
    assert_eq!(ping.as_ptr(), start.wrapping_add(6 + 5 + 6 + 3 + 6));
}

/// A binary payload may be changed where it lies.
#[test]
fn a_binary_payload_may_be_changed_in_place() {
    let mut client = fresh(Role::Client);
    let mut read = hex("82 03 'abc'");
    let mut input = &mut read[..];
    let Event::Binary(mut data) = next(&mut client, &mut input) else {
        panic!("another event");
    };
    data.reverse();
    assert_eq!(data.into_bytes(), &b"cba"[..]);
    assert_eq!(read, hex("82 03 'cba'"));
}

/// So may one in shared input, and one that was gathered from pieces.
#[test]
fn a_payload_may_be_changed_wherever_it_lies() {
    let mut client = fresh(Role::Client);
    for pieces in [&["82 03 'abc'"][..], &["02 02 'ab'", "80 01 'c'"]] {
        let mut input = BytesMut::new();
        let mut found = None;
        for piece in pieces {
            input.extend_from_slice(&hex(piece));
            found = client.receive_bytes(&mut input).expect("legal");
        }
        let Some(Event::Binary(mut data)) = found else {
            panic!("no binary message: {found:?}");
        };
        data.reverse();
        assert_eq!(data.into_bytes(), &b"cba"[..]);
    }
}

/// Text gives away its bytes, which need no longer be text then.
#[test]
fn text_gives_its_bytes_away() {
    let mut client = fresh(Role::Client);
    let mut read = hex("81 02 'ab'");
    let mut input = &mut read[..];
    let Event::Text(text) = next(&mut client, &mut input) else {
        panic!("another event");
    };
    let mut data = text.into_payload();
    data[0] = 0xFF;
    assert_eq!(*data, *b"\xffb");
}

/// Shared input: what lies whole in it is kept without a copy, and outlives all else.
#[test]
fn shared_input_is_kept_without_a_copy() {
    let mut server = fresh(Role::Server);
    let bytes = naive::mask_all(&hex("81 05 'Hello' 82 03 'abc'"));
    let mut input = BytesMut::from(&bytes[..]);
    let start = input.as_ptr();
    let mut kept = Vec::new();
    while let Some(event) = server.receive_bytes(&mut input).expect("legal") {
        kept.push(event.into_message().expect("a message").into_bytes());
    }
    drop((server, input));
    assert_eq!(kept, ["Hello", "abc"]);
    assert_eq!(kept[0].as_ptr(), start.wrapping_add(6));
    assert_eq!(kept[1].as_ptr(), start.wrapping_add(6 + 5 + 6));
}

/// Shared input that is not used up stays as it is, and takes more bytes behind it.
#[test]
fn shared_input_is_advanced_event_by_event() {
    let mut client = fresh(Role::Client);
    let mut input = BytesMut::from(&hex("81 01 'a' 82 02 'b'")[..]);
    let text = client.receive_bytes(&mut input).expect("legal");
    assert_eq!(
        text.map(|event| common::describe(&event)),
        Some("text \"a\"".into())
    );
    assert_eq!(input, hex("82 02 'b'"));
    assert!(client.receive_bytes(&mut input).expect("legal").is_none());
    assert!(input.is_empty());
    input.extend_from_slice(b"c");
    let data = client.receive_bytes(&mut input).expect("legal");
    assert_eq!(
        data.map(|event| common::describe(&event)),
        Some("binary \"bc\"".into())
    );
    input.extend_from_slice(&hex("ff ff"));
    client.receive_bytes(&mut input).expect_err("no frame");
    assert!(input.is_empty(), "nothing behind a failure is wanted");
}

/// A message that was gathered from pieces is kept in the memory that it was gathered in.
#[test]
fn a_gathered_message_is_kept_without_a_copy() {
    let mut client = fresh(Role::Client);
    let mut read = naive::frame(0x82, &[7; 5_000]);
    let (mut first, mut second) = read.split_at_mut(4_000);
    assert!(client.receive(&mut first).expect("legal").is_none());
    let Event::Binary(data) = next(&mut client, &mut second) else {
        panic!("another event");
    };
    let place = data.as_ptr();
    let kept = data.into_bytes();
    assert_eq!(kept.as_ptr(), place);
    assert_eq!(kept, vec![7; 5_000]);
}

/// A compact copy is the same wherever the payload lies, and shares nothing: the read that it lay in can be written to again.
#[test]
fn a_compact_copy_shares_nothing() {
    let mut client = fresh(Role::Client);
    let (mut whole, mut cut) = (hex("81 02 'hi'"), hex("01 01 'h' 80 01 'i'"));
    let mut shared = BytesMut::from(&whole[..]);
    let place = shared.as_ptr_range();
    let lying = next(&mut client, &mut &mut whole[..]);
    let gathered = next(&mut client, &mut &mut cut[..]);
    let split = client.receive_bytes(&mut shared).expect("legal");
    for event in [lying, gathered, split.expect("text")] {
        let message = event.to_compact_message();
        let Event::Text(text) = event else {
            panic!("another event");
        };
        let copy = text.to_compact();
        assert_eq!((&copy, message), (&"hi".into(), Some("hi".into())));
        assert!(!place.contains(&copy.as_ptr()));
        assert_ne!(text.as_ptr(), copy.as_ptr());
        assert_eq!(text.into_payload().to_compact(), &b"hi"[..]);
    }
    let ping = next(&mut client, &mut &mut hex("89 00")[..]).to_compact_message();
    assert_eq!(ping, None);
}

/// UT-08: shared text is checked when it is made of bytes, and never again.
#[test]
fn shared_text_is_utf8() {
    let text = Utf8Bytes::try_from(Bytes::from_static("h€llo".as_bytes())).expect("UTF-8");
    assert_eq!(text, "h€llo");
    assert_eq!(text, *"h€llo");
    assert_eq!(format!("{text} {text:?}"), "h€llo \"h€llo\"");
    assert_eq!(Utf8Bytes::from(String::from("h€llo")), text);
    assert_eq!(Utf8Bytes::from_static("h€llo").as_ref(), "h€llo");
    for invalid in [&b"\xff"[..], b"a\xe2\x82", b"\xed\xa0\x80"] {
        let error = Utf8Bytes::try_from(Bytes::from_static(invalid)).expect_err("not UTF-8");
        assert_eq!(error.to_string(), "bytes are not UTF-8");
        assert_eq!(ProtocolError::from(error), ProtocolError::InvalidUtf8);
    }
}

/// T-02: a message knows its kind, and events that are no messages are none.
#[test]
fn events_become_messages() {
    let mut client = fresh(Role::Client);
    let mut read = hex("81 01 'a' 82 01 'b' 89 00 8a 00 88 00");
    let mut input = &mut read[..];
    let mut kinds = Vec::new();
    while let Some(event) = client.receive(&mut input).expect("legal") {
        kinds.push(event.into_message().map(|message| message.kind()));
    }
    let expected = [
        Some(MessageKind::Text),
        Some(MessageKind::Binary),
        None,
        None,
        None,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(Message::from("a"), Message::from(Utf8Bytes::from("a")));
    assert_ne!(Message::from("a"), Message::from(Bytes::from("a")));
}
