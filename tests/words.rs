//! What errors and values say of themselves to people, and that nothing secret is said by the way.
#![cfg(all(feature = "deflate", feature = "handshake"))]

mod common;

use core::error::Error;
use std::collections::BTreeSet;
#[cfg(all(feature = "std", feature = "getrandom"))]
use std::io::Write;
#[cfg(all(feature = "std", feature = "getrandom"))]
use std::net::{TcpListener, TcpStream};
#[cfg(all(feature = "std", feature = "getrandom"))]
use std::thread;

use bytes::{Bytes, BytesMut};
use common::{BOTH, EXAMPLE_KEY, PROTOCOL_ERRORS, hex, towards};
use sansocket::deflate::{NegotiationError, Params};
use sansocket::handshake::{
    HandshakeError, HeadError, OriginError, OriginPolicy, Server, UriError,
};
use sansocket::{
    CloseCode, CloseFrame, Compress, CompressionMemory, Config, Connection, Event, Message,
    Payload, Role, SendError, Text, Unsent, Utf8Bytes,
};

const SEND_ERRORS: [SendError; 7] = [
    SendError::Closed,
    SendError::MessageInProgress,
    SendError::QueueFull,
    SendError::InvalidUtf8,
    SendError::ControlTooLong,
    SendError::InvalidCloseCode,
    SendError::ReasonTooLong,
];

fn handshake_errors() -> [HandshakeError; 23] {
    [
        HandshakeError::Tls,
        HandshakeError::HeadTooLong,
        HandshakeError::StartLineTooLong,
        HandshakeError::TooManyHeaders,
        HandshakeError::LineEnding,
        HandshakeError::StartLine,
        HandshakeError::HeaderLine,
        HandshakeError::HttpVersion,
        HandshakeError::Http10,
        HandshakeError::Method,
        HandshakeError::Target,
        HandshakeError::Body,
        HandshakeError::Expectation,
        HandshakeError::NotUpgrade,
        HandshakeError::UnsupportedVersion,
        refused_origin(),
        HandshakeError::Missing("Upgrade"),
        HandshakeError::Repeated("Upgrade"),
        HandshakeError::Invalid("Upgrade"),
        HandshakeError::NotOffered("Upgrade"),
        HandshakeError::Deflate(NegotiationError::NotOffered),
        HandshakeError::Rejected(404),
        HandshakeError::TooManyInterim,
    ]
}

/// The refusal of a page of another site.
fn refused_origin() -> HandshakeError {
    use sansocket::handshake::{HeadLimits, RequestReader};

    let head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://b\r\n\r\n";
    let read = RequestReader::new(HeadLimits::default()).receive(head);
    let (request, _) = read.expect("legal").expect("whole");
    Server::new().accept(&request).expect_err("another origin")
}

const ORIGIN_ERRORS: [OriginError; 9] = [
    OriginError::Scheme,
    OriginError::Userinfo,
    OriginError::Host,
    OriginError::NotAscii,
    OriginError::Wildcard,
    OriginError::Port,
    OriginError::Path,
    OriginError::Query,
    OriginError::Fragment,
];

const HEAD_ERRORS: [HeadError; 11] = [
    HeadError::Name,
    HeadError::Value,
    HeadError::Controlled,
    HeadError::Subprotocol,
    HeadError::SubprotocolRepeated,
    HeadError::Extension,
    HeadError::ExtensionNotOffered,
    HeadError::ExtensionRepeated,
    HeadError::ExtensionConflict,
    HeadError::Status,
    HeadError::Body,
];

const URI_ERRORS: [UriError; 6] = [
    UriError::Character,
    UriError::Scheme,
    UriError::Fragment,
    UriError::Userinfo,
    UriError::Host,
    UriError::Port,
];

/// Checks that each error has words of its own, in one line that can stand within a sentence.
fn check_words(errors: &[impl Error]) {
    let mut all = BTreeSet::new();
    for error in errors {
        let words = error.to_string();
        assert!(words.len() > 10, "{error:?} says {words:?}");
        assert!(!words.ends_with('.') && !words.contains('\n'), "{words}");
        assert!(error.source().is_none(), "{error:?} is where it began");
        assert!(all.insert(words), "{error:?} says what another says");
    }
}

#[test]
fn each_error_has_its_own_words() {
    check_words(&PROTOCOL_ERRORS);
    check_words(&SEND_ERRORS);
    check_words(&handshake_errors());
    check_words(&ORIGIN_ERRORS);
    check_words(&HEAD_ERRORS);
    check_words(&URI_ERRORS);
}

/// A variant with a value shows it.
#[test]
fn errors_name_the_header_and_the_status() {
    for error in handshake_errors() {
        let words = error.to_string();
        let named = format!("{error:?}").contains("Upgrade\"");
        assert_eq!(words.contains("header Upgrade"), named, "{words}");
        assert_eq!(
            words.contains("404"),
            error == HandshakeError::Rejected(404),
            "{words}"
        );
    }
}

/// What an application is told when a message does not go out, and that it has it back.
#[test]
fn a_refused_message_says_why() {
    for error in SEND_ERRORS {
        let refused = Unsent {
            error,
            message: Message::from(&b"payload"[..]),
        };
        assert_eq!(refused.to_string(), error.to_string());
        assert!(refused.source().is_none(), "it would say the same");
        assert_eq!(SendError::from(refused), error);
    }
}

/// What an adapter reports is what went wrong below it, said once: whoever prints all sources hears nothing twice.
#[test]
#[cfg(all(feature = "std", feature = "getrandom"))]
fn an_error_of_an_adapter_says_what_went_wrong_below() {
    let message = Message::from(vec![7]);
    let refused = Unsent {
        error: SendError::QueueFull,
        message,
    };
    let rejected = rejection();
    let below = std::io::Error::other("why it broke");
    let broken = std::io::Error::other(Broken(below));
    let errors: [(sansocket::Error, String); 8] = [
        (broken.into(), "it broke".into()),
        (UriError::Scheme.into(), UriError::Scheme.to_string()),
        (
            HandshakeError::Body.into(),
            HandshakeError::Body.to_string(),
        ),
        (rejected, HandshakeError::Rejected(404).to_string()),
        (
            sansocket::ProtocolError::MaskedFrame.into(),
            sansocket::ProtocolError::MaskedFrame.to_string(),
        ),
        (
            sansocket::UnexpectedEof::InHead.into(),
            sansocket::UnexpectedEof::InHead.to_string(),
        ),
        (refused.into(), SendError::QueueFull.to_string()),
        (SendError::Closed.into(), SendError::Closed.to_string()),
    ];
    for (error, words) in errors {
        assert_eq!(error.to_string(), words, "{error:?}");
        let source = error.source().map(ToString::to_string);
        let expected = matches!(error, sansocket::Error::Io(_)).then(|| "why it broke".into());
        assert_eq!(source, expected, "{error:?}");
    }
}

/// An error of a stream that has a reason of its own.
#[cfg(all(feature = "std", feature = "getrandom"))]
#[derive(Debug)]
struct Broken(std::io::Error);

#[cfg(all(feature = "std", feature = "getrandom"))]
impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it broke")
    }
}

#[cfg(all(feature = "std", feature = "getrandom"))]
impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What a client gets from a server that has no such page.
#[cfg(all(feature = "std", feature = "getrandom"))]
fn rejection() -> sansocket::Error {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    let answering = thread::spawn(move || {
        let (mut stream, _) = server.accept()?;
        stream.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n")?;
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    let stream = TcpStream::connect(address).expect("a server");
    let rejected = sansocket::blocking::connect(stream, "ws://localhost/");
    let rejected = rejected.expect_err("there is no such page");
    answering.join().expect("no panic").expect("it was read");
    rejected
}

/// What is printed of an end fits in one line of a log, whatever the peer says.
#[test]
fn ends_are_told_in_one_line() {
    let frame = |code, reason| CloseFrame::new(CloseCode(code), reason);
    assert_eq!(frame(1000, "").to_string(), "1000");
    assert_eq!(frame(4001, "be\nquiet é").to_string(), "4001 be\\nquiet é");
    let ended = |input: &str| {
        let mut conn = Connection::server(&Config::default());
        common::hear(&mut conn, &towards(Role::Server, &hex(input)));
        common::take(&mut conn);
        let _ = conn.receive_eof();
        conn.outcome().expect("an end").to_string()
    };
    assert_eq!(ended("88 05 03e9 'bye'"), "closed by the peer: 1001 bye");
    assert_eq!(ended("88 00"), "closed by the peer: 1005");
    assert_eq!(ended("81 00"), "ended with the stream, not cleanly: 1006");
    let fault = sansocket::ProtocolError::ReservedBits;
    let expected = format!("closed by the peer, not cleanly: 1006 ({fault})");
    assert_eq!(ended("91 00"), expected);
}

/// Messages are made of what holds text or bytes, and asked for it.
#[test]
fn messages_are_made_of_text_and_bytes() {
    let text = Message::from("aé");
    assert!(text.is_text() && !text.is_empty());
    assert_eq!((text.as_str(), text.len()), (Some("aé"), 3));
    assert_eq!(text.as_bytes(), "aé".as_bytes());
    assert_eq!(text.into_text(), Ok(Utf8Bytes::from("aé")));
    let binary = Message::from(b"\x01");
    assert!(!binary.is_text() && !binary.is_empty());
    assert_eq!((binary.as_str(), binary.as_bytes()), (None, &b"\x01"[..]));
    assert_eq!(binary.clone().into_text(), Err(binary.clone()));
    for same in [[1].into(), vec![1].into(), BytesMut::from(&[1][..]).into()] {
        assert_eq!(binary, same);
    }
    assert!(Message::from("").is_empty() && Message::from([]).is_empty());

    let mut conn = Connection::server(&Config::default());
    let mut read = towards(Role::Server, &hex("81 02 'hi' 82 02 01 02"));
    let mut input = &mut read[..];
    let Ok(Some(Event::Text(text))) = conn.receive(&mut input) else {
        panic!("text");
    };
    assert!(text == "hi" && text == *"hi" && text != "ho");
    assert_eq!(Message::from(text), Message::from("hi"));
    let Ok(Some(Event::Binary(data))) = conn.receive(&mut input) else {
        panic!("binary");
    };
    assert!(data == [1, 2] && data == b"\x01\x02" && data == [1, 2][..]);
    let shorter: &[u8] = &[1];
    assert!(data != shorter);
    assert_eq!(Message::from(data), Message::from([1, 2]));
}

/// What is printed of heads goes to logs: neither a query nor the value of any header is in it.
#[test]
fn printed_heads_show_no_secrets() {
    use sansocket::handshake::{Client, HeadLimits, RequestReader, ResponseReader, Uri};

    let uri = Uri::parse("ws://a.example/chat?token=hunter2").expect("a URI");
    let mut client = Client::new(&uri, [7; 16]);
    client = client
        .with_header("Authorization", "Bearer hunter2")
        .expect("a header");
    let head = client.request();
    let mut reader = RequestReader::new(HeadLimits::default());
    assert_eq!(
        reader.receive(&head[..60]).expect("legal").map(|_| ()),
        None
    );
    let begun = format!("{reader:?}");
    let (request, _) = reader.receive(&head[60..]).expect("legal").expect("whole");
    let mut accepted = Server::new().accept(&request).expect("valid");
    accepted
        .add_header("Set-Cookie", "id=hunter2")
        .expect("a header");
    let mut reader = ResponseReader::new(HeadLimits::default());
    let read = reader.receive(&accepted.response()).expect("legal");
    let (response, _) = read.expect("whole");
    let printed = format!("{begun} {client:?} {request:?} {accepted:?} {response:?}");
    for secret in ["hunter2", "Bearer", "a.example:", "104, 117, 110"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    for told in [
        r#"Client { host: "a.example", target: "/chat?…""#,
        r#"Request { method: "GET", target: "/chat?…", version: Http11, headers: {"Host", "#,
        r#""Authorization"}"#,
        "Response { status: 101",
        r#""Set-Cookie""#,
    ] {
        assert!(printed.contains(told), "{told} in {printed}");
    }
}

/// Policies can be printed, the functions in them by name only.
#[test]
fn policies_are_printed() {
    let printed = |policy: OriginPolicy| format!("{policy:?}");
    assert_eq!(printed(OriginPolicy::same()), "Same");
    assert_eq!(printed(OriginPolicy::any()), "Any");
    assert_eq!(
        printed(OriginPolicy::list(["https://a"]).expect("an origin")),
        r#"List(["https://a"])"#
    );
    assert_eq!(
        printed(OriginPolicy::same_as("a:8443").expect("a host")),
        r#"SameAs("a:8443")"#
    );
    assert_eq!(printed(OriginPolicy::custom(|_, _| true)), "Custom(..)");

    let server = format!("{:?}", Server::new().with_subprotocols(["chat"]));
    assert!(server.contains(r#"Preferred(["chat"])"#), "{server}");
    let server = Server::new().with_subprotocol_chooser(|_| None);
    let server = format!("{server:?}");
    assert!(server.contains("Choose(..)"), "{server}");
}

/// A code is printed and converted as its number, in any width that is asked for.
#[test]
fn close_codes_are_numbers() {
    let code = CloseCode::from(1000);
    assert_eq!(code, CloseCode::NORMAL_CLOSURE);
    assert_eq!(u16::from(CloseCode::GOING_AWAY), 1001);
    assert_eq!(
        format!("{code} {code:>6} {code:?}"),
        "1000   1000 CloseCode(1000)"
    );
}

/// Receives a message of each kind and hands it to `check`.
fn receive(frames: &str, mut check: impl FnMut(Event<'_>)) {
    let mut client = common::fresh(Role::Client);
    let mut read = hex(frames);
    let mut input = &mut read[..];
    while let Some(event) = client.receive(&mut input).expect("legal") {
        check(event);
    }
}

/// What is received is used like the text and the bytes that it is.
#[test]
fn payloads_are_used_like_what_they_hold() {
    let check_text = |text: Text<'_>| {
        assert_eq!(format!("{text} {text:?}"), "h\u{e9} \"h\u{e9}\"");
        assert_eq!((text.as_ref(), &*text), ("h\u{e9}", "h\u{e9}"));
        let kept = text.into_utf8_bytes();
        assert_eq!(kept, Utf8Bytes::from("h\u{e9}"));
        assert_eq!(Message::from(kept.clone()).into_bytes(), Bytes::from(kept));
    };
    let check_data = |data: Payload<'_>| {
        assert_eq!(format!("{data:?}"), "[1, 2]");
        assert_eq!(data.as_ref(), [1, 2]);
        let message = Message::from(data.as_ref());
        assert_eq!(message, Message::from(vec![1, 2]));
        assert_eq!(message, Message::from(data.into_bytes()));
    };
    let mut kinds = 0;
    receive("81 03 'h\u{e9}' 82 02 0102", |event| match event {
        Event::Text(text) => {
            kinds += 1;
            check_text(text);
        }
        Event::Binary(data) => {
            kinds += 2;
            check_data(data);
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(kinds, 3, "both came");
    assert_eq!(Message::from(String::from("a")), Message::from("a"));
}

/// Two events are equal if they say the same, wherever it lies.
#[test]
fn events_are_compared_by_what_they_say() {
    let frames = "81 01 'a' 82 01 'a' 89 01 'a'";
    let again = |nth: usize, expected: &Event<'_>| {
        let mut at = 0;
        receive(frames, |event| {
            assert_eq!(event == *expected, at == nth, "{event:?}");
            at += 1;
        });
        assert_eq!(at, 3);
    };
    let mut nth = 0;
    receive(frames, |event| {
        again(nth, &event);
        nth += 1;
    });
    let mut text = hex("81 01 'b'");
    let mut other = common::fresh(Role::Client);
    let mut input = &mut text[..];
    let event = other.receive(&mut input).expect("legal").expect("text");
    receive("81 01 'a'", |a| assert_ne!(a, event));
}

/// A connection can be printed, for a log, without what it sends and receives: neither what waits to be written,
/// nor a message in progress, nor what a compressor remembers, nor a masking key.
#[test]
fn a_printed_connection_shows_no_payload() {
    let secret = "correct horse battery staple ".repeat(200); // long enough not to be copied
    // As bytes are printed by `Debug`, and as text.
    let bytes = format!("{:?}", &secret.as_bytes()[..8]);
    let traces = [bytes.trim_matches(['[', ']']), "correct", "55, 250, 33, 61"];
    for memory in [CompressionMemory::Engine, CompressionMemory::History(12)] {
        let config = Config::default()
            .with_compression_memory(memory)
            .with_deflate(Params::default());
        for role in BOTH {
            let mut conn = match role {
                Role::Client => Connection::client_with_keys(&config, EXAMPLE_KEY),
                Role::Server => Connection::server(&config),
            };
            let mut peer = common::connection(common::peer_of(role), &config);
            peer.send_text(&secret).expect("open");
            let heard = common::hear(&mut conn, &common::take(&mut peer));
            assert_eq!(heard.len(), 1, "the decompressor has its engine");
            conn.send_text(&secret).expect("open");
            conn.send(Message::from(&*secret).compress(Compress::Never))
                .expect("open");
            conn.send(Message::from(&*secret)).expect("open");
            conn.ping(&secret.as_bytes()[..100]).expect("open");
            let begun = [&[0x01, 100][..], &secret.as_bytes()[..100], &[0x89, 50]].concat();
            let mut read = towards(role, &[&begun, &secret.as_bytes()[..10]].concat());
            let mut input = &mut read[..];
            assert!(conn.receive(&mut input).expect("legal").is_none());
            let printed = format!("{conn:?}");
            assert!(printed.starts_with("Connection"), "{printed}");
            for trace in traces {
                assert!(!printed.contains(trace), "{trace} in {printed}");
            }
        }
    }
}
