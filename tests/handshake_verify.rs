//! Which responses a client takes for an accepted handshake (RFC 6455 §4.1).
#![cfg(feature = "handshake")]

mod handshake_support;

use sansocket::handshake::Client;
use sansocket::handshake::Established;
use sansocket::handshake::HandshakeError;
use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::HttpVersion;
use sansocket::handshake::Response;
use sansocket::handshake::ResponseReader;

use handshake_support::client;
use handshake_support::extension;
use handshake_support::head;

const ACCEPT: &str = "Sec-WebSocket-Accept";
const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols";
const ANSWER: [&str; 3] = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

fn read(head: &str) -> Result<Response, HandshakeError> {
    let (response, _) = ResponseReader::new(HeadLimits::default())
        .receive(head.as_bytes())?
        .expect("the head is complete");
    Ok(response)
}

/// What the client makes of the answer with more header lines.
fn verify_with(client: &Client, lines: &[&str]) -> Result<Established, HandshakeError> {
    client.verify(&read(&head(SWITCHING, &[&ANSWER, lines].concat()))?)
}

/// What the client makes of the answer with the header lines of one name replaced, or removed.
fn verify_instead(name: &str, lines: &[&str]) -> Result<Established, HandshakeError> {
    let prefix = format!("{name}:");
    let mut answer = ANSWER.to_vec();
    answer.retain(|line| !line.starts_with(&prefix));
    answer.extend(lines);
    client().verify(&read(&head(SWITCHING, &answer))?)
}

/// HR-02, HR-03, HR-04, HR-13, HR-19, I-26: the answer of RFC 6455 §1.3, with all that HTTP leaves
/// open; the client is told what is in use, and nothing is by default.
#[test]
fn a_response_that_completes_the_handshake_is_accepted() {
    let established = verify_with(&client(), &[]).expect("valid");
    assert_eq!(established.subprotocol(), None);
    assert!(established.extensions().is_empty());

    let lines = [
        "server: x",
        "SEC-WEBSOCKET-ACCEPT:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t",
        "connection: keep-alive, upgrade",
        "UPGRADE: WebSocket",
        "Date:",
        "X: 1",
        "X: 2",
        "Sec-WebSocket-Version: 13",
        "Set-Cookie: a=b",
        "Set-Cookie: c=d",
    ];
    for first in [
        SWITCHING,
        "HTTP/1.1 101 OK",
        "HTTP/1.1 101 ",
        "HTTP/1.1 101",
        "HTTP/1.1 101 \u{e9}",
    ] {
        let response = read(&head(first, &lines)).expect("well-formed");
        assert_eq!(
            client().verify(&response),
            Ok(established.clone()),
            "{first}"
        );
        let cookies: Vec<_> = response.headers().all("set-cookie").collect();
        assert_eq!(cookies, [b"a=b", b"c=d"]);
    }
}

/// HR-01, HC-19, HC-20, HA-12: another status is told, and the response says the rest; the body
/// stays with the caller.
#[test]
fn another_status_refuses_the_handshake() {
    for status in [200, 204, 301, 302, 400, 401, 403, 404, 426, 500, 503, 599] {
        let response = read(&head(&format!("HTTP/1.1 {status} X"), &ANSWER)).expect("well-formed");
        assert_eq!(client().verify(&response), Err(E::Rejected(status)));
    }
    let input = b"HTTP/1.0 426 Upgrade Required\r\n\
        Sec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Version: 7\r\nContent-Length: 4\r\n\r\nbody";
    let mut reader = ResponseReader::new(HeadLimits::default());
    let (response, used) = reader
        .receive(input)
        .expect("well-formed")
        .expect("complete");
    assert_eq!(client().verify(&response), Err(E::Rejected(426)));
    assert_eq!(
        (response.status(), response.reason()),
        (426, &b"Upgrade Required"[..])
    );
    assert_eq!(response.version(), HttpVersion::Http10);
    let versions: Vec<_> = response
        .headers()
        .elements("Sec-WebSocket-Version")
        .collect();
    assert_eq!(versions, [&b"13"[..], b"8", b"7"]);
    assert_eq!(&input[used..], b"body");
}

/// HR-02, I-04: exactly one Upgrade, exactly websocket, in any case.
#[test]
fn a_response_without_upgrade_to_websocket_fails() {
    assert_eq!(verify_instead("Upgrade", &[]), Err(E::Missing("Upgrade")));
    for value in [
        "",
        "h2c",
        "websocket, h2c",
        "websocket/13",
        "websocke",
        "web socket",
    ] {
        let line = format!("Upgrade: {value}");
        assert_eq!(
            verify_instead("Upgrade", &[&line]),
            Err(E::Invalid("Upgrade")),
            "{value}"
        );
    }
    let twice = verify_with(&client(), &["Upgrade: websocket"]);
    assert_eq!(twice, Err(E::Repeated("Upgrade")));
    assert!(verify_instead("Upgrade", &["Upgrade: WEBSOCKET"]).is_ok());
}

/// HR-03, I-01: Connection lists upgrade, in any case, over all its lines.
#[test]
fn a_response_without_connection_upgrade_fails() {
    assert_eq!(
        verify_instead("Connection", &[]),
        Err(E::Missing("Connection"))
    );
    for value in [
        "",
        "close",
        "keep-alive",
        "upgrades",
        "upgrade keep-alive",
        "x-upgrade",
    ] {
        let line = format!("Connection: {value}");
        let result = verify_instead("Connection", &[&line]);
        assert_eq!(result, Err(E::Invalid("Connection")), "{value}");
    }
    for lines in [
        &["Connection: keep-alive,\tUPGRADE"][..],
        &["Connection: x", "connection: upgrade"],
    ] {
        assert!(verify_instead("Connection", lines).is_ok(), "{lines:?}");
    }
}

/// HR-04, K-02: the accept value is compared to the byte, case included.
#[test]
fn a_response_with_another_accept_fails() {
    assert_eq!(verify_instead(ACCEPT, &[]), Err(E::Missing(ACCEPT)));
    for value in [
        "",
        "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo==",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=",
        "s3pPLMBiTxaQ9kYGzzhZRbK-xOo=",
        "\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ] {
        let line = format!("{ACCEPT}: {value}");
        assert_eq!(
            verify_instead(ACCEPT, &[&line]),
            Err(E::Invalid(ACCEPT)),
            "{value}"
        );
    }
}

/// HR-05: a second accept fails, be it the same.
#[test]
fn a_response_with_two_accepts_fails() {
    for value in ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "x"] {
        let line = format!("{ACCEPT}: {value}");
        assert_eq!(verify_with(&client(), &[&line]), Err(E::Repeated(ACCEPT)));
    }
}

/// HR-06, X-02, G-13: only offered extensions are in use, and only those that the server names.
#[test]
fn an_extension_that_was_not_offered_fails() {
    let unoffered = verify_with(&client(), &["Sec-WebSocket-Extensions: foo"]);
    assert_eq!(unoffered, Err(E::NotOffered(EXTENSIONS)));
    let mut client = client();
    client = client.with_extension(&extension("foo"));
    for value in ["bar", "foo, bar", "Foo", "foo2", "fo"] {
        let line = format!("{EXTENSIONS}: {value}");
        assert_eq!(
            verify_with(&client, &[&line]),
            Err(E::NotOffered(EXTENSIONS)),
            "{value}"
        );
    }
    assert!(
        verify_with(&client, &[])
            .expect("valid")
            .extensions()
            .is_empty()
    );
}

/// HR-07: malformed extensions fail, also an empty header.
#[test]
fn malformed_extensions_fail() {
    let mut client = client();
    client = client.with_extension(&extension("foo"));
    for value in [
        "",
        ",",
        "foo;",
        "foo; a=",
        "foo bar",
        "foo; a=\"b c\"",
        "foo; a=\"b",
    ] {
        let line = format!("{EXTENSIONS}: {value}");
        assert_eq!(
            verify_with(&client, &[&line]),
            Err(E::Invalid(EXTENSIONS)),
            "{value}"
        );
    }
}

/// HR-14, HR-19, X-03, G-07: the extensions of all lines, in the order in which they apply.
#[test]
fn the_order_of_the_extensions_is_kept() {
    let mut client = client();
    client = client
        .with_extension(&extension("foo"))
        .with_extension(&extension("bar"));
    let lines = [
        "Sec-WebSocket-Extensions: bar; a=\"1\"",
        "Server: x",
        "sec-websocket-extensions: foo",
    ];
    let established = verify_with(&client, &lines).expect("valid");
    assert_eq!(established.extensions().to_string(), "bar; a=1, foo");
}

/// X-08, I-06: an extension that is accepted twice would claim its bits twice.
#[test]
fn an_extension_accepted_twice_fails() {
    let mut client = client();
    client = client.with_extension(&extension("foo"));
    client = client.with_extension(&extension("foo").with_param("a", None).expect("tokens"));
    for lines in [
        &["Sec-WebSocket-Extensions: foo, foo; a"][..],
        &["Sec-WebSocket-Extensions: foo"; 2],
    ] {
        assert_eq!(verify_with(&client, lines), Err(E::Repeated(EXTENSIONS)));
    }
}

/// HR-09, HR-10, P-03: the subprotocol in use is one of those offered, to the byte.
#[test]
fn a_subprotocol_that_was_not_offered_fails() {
    let unoffered = verify_with(&client(), &["Sec-WebSocket-Protocol: chat"]);
    assert_eq!(unoffered, Err(E::NotOffered(PROTOCOL)));
    let mut client = client();
    client = client
        .with_subprotocol("chat")
        .and_then(|client| client.with_subprotocol("v2"))
        .expect("valid");
    for name in ["Chat", "CHAT", "cha", "chat2", "v1"] {
        let line = format!("{PROTOCOL}: {name}");
        assert_eq!(
            verify_with(&client, &[&line]),
            Err(E::NotOffered(PROTOCOL)),
            "{name}"
        );
    }
    let established = verify_with(&client, &["Sec-WebSocket-Protocol:  v2 "]).expect("valid");
    assert_eq!(established.subprotocol(), Some("v2"));
}

/// HR-11, P-04, HR-21, UT-07, I-03: a single token, once; an empty header is not the same as none.
#[test]
fn a_malformed_subprotocol_fails() {
    let mut client = client();
    client = client
        .with_subprotocol("chat")
        .and_then(|client| client.with_subprotocol("v2"))
        .expect("valid");
    for value in [
        "",
        "chat, v2",
        "chat,",
        ",chat",
        "chat v2",
        "\"chat\"",
        "ch\u{e9}t",
    ] {
        let line = format!("{PROTOCOL}: {value}");
        assert_eq!(
            verify_with(&client, &[&line]),
            Err(E::Invalid(PROTOCOL)),
            "{value}"
        );
    }
    for second in ["chat", "v2", ""] {
        let lines = [
            "Sec-WebSocket-Protocol: chat",
            &format!("{PROTOCOL}: {second}"),
        ];
        assert_eq!(
            verify_with(&client, &lines),
            Err(E::Repeated(PROTOCOL)),
            "{second}"
        );
    }
    let mut head = head(SWITCHING, &ANSWER).into_bytes();
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Sec-WebSocket-Protocol: ch\xff\r\n\r\n");
    let response = ResponseReader::new(HeadLimits::default()).receive(&head);
    let (response, _) = response.expect("well-formed HTTP").expect("complete");
    assert_eq!(client.verify(&response), Err(E::Invalid(PROTOCOL)));
}

/// HR-12, I-02: no subprotocol, though some were offered, is an error only if the caller says so.
#[test]
fn a_missing_subprotocol_fails_if_one_is_required() {
    let mut client = client();
    client = client.with_subprotocol("chat").expect("valid");
    assert_eq!(
        verify_with(&client, &[]).expect("allowed").subprotocol(),
        None
    );
    client = client.with_required_subprotocol();
    assert_eq!(verify_with(&client, &[]), Err(E::Missing(PROTOCOL)));
    assert!(verify_with(&client, &["Sec-WebSocket-Protocol: chat"]).is_ok());
    let mut none_offered = handshake_support::client();
    none_offered = none_offered.with_required_subprotocol();
    assert!(verify_with(&none_offered, &[]).is_ok());
}

/// HR-15, HR-16, I-23: a 101 has no body, whatever it says; the next byte is a frame's, and stays
/// with the caller.
#[test]
fn frames_behind_the_response_are_not_taken() {
    for line in [
        "Content-Length: 5",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
    ] {
        let head = head(SWITCHING, &[&ANSWER[..], &[line]].concat());
        let input = [head.as_bytes(), b"\x81\x05Hello"].concat();
        let mut reader = ResponseReader::new(HeadLimits::default());
        let (response, used) = reader
            .receive(&input)
            .expect("well-formed")
            .expect("complete");
        assert!(client().verify(&response).is_ok(), "{line}");
        assert_eq!(&input[used..], b"\x81\x05Hello");
    }
}

/// HR-17: up to 8 interim responses are skipped, however they arrive.
#[test]
fn interim_responses_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let head = head(SWITCHING, &ANSWER);
    let response = read(&format!("{interim}HTTP/1.1 102 \r\n\r\n{head}")).expect("well-formed");
    assert!(client().verify(&response).is_ok());
    assert!(read(&format!("{}{head}", interim.repeat(4))).is_ok());
    assert_eq!(
        read(&format!("{}{head}", interim.repeat(5))).map(|_| ()),
        Err(E::TooManyInterim)
    );
}

/// HR-18: HTTP/1.0 has no upgrade; other versions are not spoken.
#[test]
fn a_101_in_another_http_version_fails() {
    let response = read(&head("HTTP/1.0 101 Switching Protocols", &ANSWER)).expect("well-formed");
    assert_eq!(client().verify(&response), Err(E::Http10));
    assert_eq!(
        read(&head("HTTP/2 101 X", &ANSWER)).map(|_| ()),
        Err(E::HttpVersion)
    );
}

/// HR-13, HC-01: a response that is no valid HTTP fails.
#[test]
fn a_malformed_response_fails() {
    for (head, error) in [
        ("HTTP/1.1 1o1 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1 99 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1 099 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1 1010 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1 600 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1  101 X\r\n\r\n", E::StartLine),
        ("HTTP/1.1 101 X\0\r\n\r\n", E::StartLine),
        ("\r\nHTTP/1.1 101 X\r\n\r\n", E::StartLine),
        ("SSH-2.0-OpenSSH_9.6\r\nx\r\n\r\n", E::HttpVersion),
        ("HTTP/1.1 101 X\nA: b\r\n\r\n", E::LineEnding),
        ("HTTP/1.1 101 X\r\nA: b\n\r\n", E::LineEnding),
        ("HTTP/1.1 101 X\r\nA : b\r\n\r\n", E::HeaderLine),
        ("HTTP/1.1 101 X\r\nA: b\r\n c\r\n\r\n", E::HeaderLine),
        ("HTTP/1.1 101 X\r\nA: b\rc\r\n\r\n", E::HeaderLine),
        ("HTTP/1.1 101 X\r\nA\r\n\r\n", E::HeaderLine),
    ] {
        let result = ResponseReader::new(HeadLimits::default()).receive(head.as_bytes());
        assert_eq!(result.map(|_| ()), Err(error), "{head:?}");
    }
}

/// HR-22, S-13: the head is bounded as it arrives, and each interim one by itself.
#[test]
fn a_response_beyond_a_limit_fails() {
    let limits = HeadLimits::default()
        .with_bytes(60)
        .with_start_line(40)
        .with_headers(2);
    for (head, error) in [
        (
            format!("HTTP/1.1 101 {}", "x".repeat(40)),
            E::StartLineTooLong,
        ),
        (
            format!("HTTP/1.1 101 X\r\nA: {}", "a".repeat(60)),
            E::HeadTooLong,
        ),
        (
            "HTTP/1.1 101 X\r\nA: 1\r\nB: 2\r\nC: 3\r\n".to_owned(),
            E::TooManyHeaders,
        ),
    ] {
        let result = ResponseReader::new(limits).receive(head.as_bytes());
        assert_eq!(result.map(|_| ()), Err(error), "{head:?}");
    }
    let interim = "HTTP/1.1 100 Continue\r\nA: 1\r\nB: 2\r\n\r\n".repeat(3);
    let input = format!("{interim}HTTP/1.1 503 X\r\n\r\n");
    let response = ResponseReader::new(limits).receive(input.as_bytes());
    assert!(response.expect("each is within the limits").is_some());
}

/// An error fits into a few registers.
#[test]
fn an_error_is_small() {
    assert!(size_of::<HandshakeError>() <= 24);
    assert!(size_of::<Result<(), HandshakeError>>() <= 24);
}
