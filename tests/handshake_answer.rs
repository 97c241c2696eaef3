//! What the server answers (RFC 6455 §4.2.2).
#![cfg(feature = "handshake")]

mod handshake_support;

use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::HeadError;
use sansocket::handshake::OriginPolicy;
use sansocket::handshake::Server;
use sansocket::handshake::reject;

use handshake_support::EXTENSIONS;
use handshake_support::HANDSHAKE;
use handshake_support::PROTOCOL;
use handshake_support::VERSION;
use handshake_support::accept_by;
use handshake_support::error;
use handshake_support::extension;
use handshake_support::head;
use handshake_support::lines_of;
use handshake_support::read;
use handshake_support::text;
use handshake_support::with;
use handshake_support::with_instead;
use handshake_support::without;

/// HS-01, HS-15, HA-01, HA-02, HA-03, HA-04, HA-05, HA-11, HA-17, K-01: the example of RFC 6455
/// §1.3, with the response a server gives to the byte; it ends with the empty line, so that frames
/// may follow at once.
#[test]
fn the_example_of_the_rfc_is_accepted() {
    let request = "GET /chat HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://example.com\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let server = Server::new()
        .with_origins(OriginPolicy::list(["http://example.com"]).expect("an origin"))
        .with_subprotocols(["chat"]);
    let response = accept_by(&server, request)
        .expect("the request is valid")
        .response();
    assert_eq!(
        text(response),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\r\n"
    );
}

/// HS-25, G-11, K-02: the key is hashed as it was received, without the whitespace around it.
#[test]
fn the_key_is_used_as_received() {
    for line in [
        "Sec-WebSocket-Key:AQIDBAUGBwgJCgsMDQ4PEA==",
        "Sec-WebSocket-Key: \tAQIDBAUGBwgJCgsMDQ4PEA== \t",
    ] {
        let response = text(with_instead(line).expect("valid").response());
        let accept = lines_of(&response, "Sec-WebSocket-Accept");
        assert_eq!(
            accept,
            ["Sec-WebSocket-Accept: C/0nmHhBztSRGR1CwL6Tf4ZjwpY="]
        );
    }
}

/// HS-10, HA-12, HA-13, K-04, K-05, I-18, I-19: version 13 only; the 426 names it and how to ask.
#[test]
fn another_version_is_answered_with_the_one_we_speak() {
    for version in ["0", "7", "8", "9", "10", "11", "12", "14", "25", "255"] {
        let error = error(with_instead(&format!("{VERSION}: {version}")));
        assert_eq!(error, E::UnsupportedVersion, "{version}");
    }
    assert_eq!(error(without(VERSION)), E::UnsupportedVersion);
    for error in [E::UnsupportedVersion, E::NotUpgrade, E::Http10] {
        let response = text(error.response());
        assert!(
            response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
            "{response}"
        );
        assert_eq!(lines_of(&response, VERSION), ["Sec-WebSocket-Version: 13"]);
        assert_eq!(lines_of(&response, "Upgrade"), ["Upgrade: websocket"]);
        assert_eq!(
            lines_of(&response, "Connection"),
            ["Connection: close, Upgrade"]
        );
    }
}

/// HA-06, HA-07, HA-08, HC-13, P-01, P-02, P-03, P-04: the server's first choice among the client's
/// values, in the client's spelling, or no header at all.
#[test]
fn the_server_chooses_among_the_offered_subprotocols() {
    for (preferred, offered, chosen) in [
        (
            &["a", "b"][..],
            &["Sec-WebSocket-Protocol: b, a"][..],
            Some("a"),
        ),
        (&["a", "b"], &["Sec-WebSocket-Protocol: c,b"], Some("b")),
        (
            &["b"],
            &["Sec-WebSocket-Protocol: a,", "sec-websocket-protocol: , b"],
            Some("b"),
        ),
        (&["a"], &["Sec-WebSocket-Protocol: A"], None),
        (&["a"], &["Sec-WebSocket-Protocol: aa, b"], None),
        (&["a"], &[], None),
        (&[""], &["Sec-WebSocket-Protocol: a"], None),
        (&[], &["Sec-WebSocket-Protocol: a"], None),
    ] {
        let server = Server::new().with_subprotocols(preferred.iter().copied());
        let head = head("GET / HTTP/1.1", &[&HANDSHAKE[..], offered].concat());
        let accepted = accept_by(&server, &head).expect("valid");
        assert_eq!(accepted.subprotocol(), chosen, "{preferred:?} {offered:?}");
        let response = text(accepted.response());
        let expected: Vec<_> = chosen
            .iter()
            .map(|name| format!("{PROTOCOL}: {name}"))
            .collect();
        assert_eq!(lines_of(&response, PROTOCOL), expected);
    }
}

/// P-05: a subprotocol offered twice is answered once.
#[test]
fn a_subprotocol_offered_twice_is_answered_once() {
    let server = Server::new().with_subprotocols(["a"]);
    let lines = [&HANDSHAKE[..], &["Sec-WebSocket-Protocol: a, a"]].concat();
    let response = accept_by(&server, &head("GET / HTTP/1.1", &lines))
        .expect("valid")
        .response();
    assert_eq!(
        lines_of(&text(response), PROTOCOL),
        ["Sec-WebSocket-Protocol: a"]
    );
}

/// HA-06, P-01, P-02: a function may choose, but only what the client offered.
#[test]
fn a_function_can_choose_the_subprotocol() {
    let lines = [&HANDSHAKE[..], &["Sec-WebSocket-Protocol: v1, v3, v2"]].concat();
    let request = head("GET / HTTP/1.1", &lines);
    let latest = Server::new().with_subprotocol_chooser(|offered| offered.iter().copied().max());
    assert_eq!(
        accept_by(&latest, &request).expect("valid").subprotocol(),
        Some("v3")
    );
    let stubborn = Server::new().with_subprotocol_chooser(|_| Some("v4"));
    assert_eq!(
        accept_by(&stubborn, &request).expect("valid").subprotocol(),
        None
    );
    let none_offered = head("GET / HTTP/1.1", &HANDSHAKE);
    let uncalled = Server::new().with_subprotocol_chooser(|_| unreachable!("none was offered"));
    assert_eq!(
        accept_by(&uncalled, &none_offered)
            .expect("valid")
            .subprotocol(),
        None
    );
}

/// P-01, S-13: a list that fills the head is searched to its end, but not handed to a function whole.
#[test]
fn a_long_list_of_subprotocols_costs_little() {
    let list = format!("Sec-WebSocket-Protocol: {}last", "a,".repeat(2_000));
    let lines = [&HANDSHAKE[..], &[&list]].concat();
    let request = head("GET / HTTP/1.1", &lines);
    let listed = Server::new().with_subprotocols(["first", "last", "a"]);
    let accepted = accept_by(&listed, &request).expect("valid");
    assert_eq!(accepted.subprotocol(), Some("last"));
    let counting = Server::new().with_subprotocol_chooser(|offered| {
        assert_eq!(offered, ["a"; 1_024]);
        offered.last().copied()
    });
    let accepted = accept_by(&counting, &request).expect("valid");
    assert_eq!(accepted.subprotocol(), Some("a"));
}

/// X-06, X-12, HA-09: extensions are declined by leaving them out.
#[test]
fn offered_extensions_are_declined_by_default() {
    let accepted =
        with(&["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-unknown"])
            .expect("valid");
    assert!(accepted.extensions().is_empty());
    assert!(lines_of(&text(accepted.response()), EXTENSIONS).is_empty());
}

/// HA-09, HA-10, X-01, X-03, X-08: only offered extensions are accepted, each once, in one line
/// and in the order in which the server accepts them.
#[test]
fn only_offered_extensions_are_accepted() {
    let mut accepted = with(&["Sec-WebSocket-Extensions: foo; a=1, bar"]).expect("valid");
    accepted
        .accept_extension(&extension("bar"))
        .expect("it was offered");
    let foo = extension("foo").with_param("a", Some("1")).expect("tokens");
    accepted.accept_extension(&foo).expect("it was offered");
    let unoffered = accepted.accept_extension(&extension("baz")).map(|_| ());
    assert_eq!(unoffered, Err(HeadError::ExtensionNotOffered));
    let other_case = accepted.accept_extension(&extension("Foo")).map(|_| ());
    assert_eq!(other_case, Err(HeadError::ExtensionNotOffered));
    let twice = accepted.accept_extension(&foo).map(|_| ());
    assert_eq!(twice, Err(HeadError::ExtensionRepeated));

    let response = text(accepted.response());
    assert_eq!(
        lines_of(&response, EXTENSIONS),
        ["Sec-WebSocket-Extensions: bar, foo; a=1"]
    );
    assert_eq!(accepted.extensions().to_string(), "bar, foo; a=1");
}

/// HS-24, S-04: every error has an answer, a whole HTTP response that closes the connection.
#[test]
fn every_error_is_answered_with_its_status() {
    for (error, status) in [
        (E::HeadTooLong, 431),
        (E::TooManyHeaders, 431),
        (E::StartLineTooLong, 414),
        (E::Tls, 400),
        (E::LineEnding, 400),
        (E::StartLine, 400),
        (E::HeaderLine, 400),
        (E::HttpVersion, 505),
        (E::Http10, 426),
        (E::Method, 405),
        (E::Target, 400),
        (E::Body, 400),
        (E::Expectation, 417),
        (E::NotUpgrade, 426),
        (E::UnsupportedVersion, 426),
        (error(with(&["Origin: https://evil.example"])), 403),
        (E::Missing("Host"), 400),
        (E::Repeated("Host"), 400),
        (E::Invalid("Host"), 400),
        (E::NotOffered("X"), 502),
        (E::Rejected(404), 502),
        (E::TooManyInterim, 502),
    ] {
        assert_eq!(error.status(), status, "{error:?}");
        let response = text(error.response());
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
        assert_eq!(
            lines_of(head, "Content-Length"),
            [format!("Content-Length: {}", body.len())]
        );
        assert!(lines_of(head, "Connection")[0].starts_with("Connection: close"));
        assert!(error == E::Method || body == format!("{error}\n"));
        let message = error.to_string();
        assert!(
            !message.ends_with('.') && !message.contains('\n'),
            "{message}"
        );
    }
}

/// HA-15, HA-16, S-06: the request is at hand before it is answered, and any answer can be given.
#[test]
fn the_caller_can_give_any_answer() {
    let lines = [&HANDSHAKE[..], &["Authorization: Basic abc", "Cookie: a=b"]].concat();
    let request = read(head("GET /nowhere HTTP/1.1", &lines).as_bytes()).expect("well-formed");
    assert_eq!(request.resource_name(), Some("/nowhere"));
    assert_eq!(
        request.headers().first("authorization"),
        Some(&b"Basic abc"[..])
    );
    assert_eq!(request.headers().first("cookie"), Some(&b"a=b"[..]));

    let challenge = reject(401, &[("WWW-Authenticate", "Basic realm=\"a\"")], b"who?");
    assert_eq!(
        text(challenge.expect("valid")),
        "HTTP/1.1 401 Unauthorized\r\n\
         Content-Length: 4\r\n\
         Connection: close\r\n\
         WWW-Authenticate: Basic realm=\"a\"\r\n\r\nwho?"
    );
}

/// HA-16: a status comes with the words of RFC 9110 §15 and the registry, or with none.
#[test]
fn a_status_has_its_usual_reason() {
    for line in [
        "200 OK",
        "204 No Content",
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "304 Not Modified",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "408 Request Timeout",
        "410 Gone",
        "414 URI Too Long",
        "417 Expectation Failed",
        "418 ",
        "421 Misdirected Request",
        "426 Upgrade Required",
        "429 Too Many Requests",
        "431 Request Header Fields Too Large",
        "500 Internal Server Error",
        "501 Not Implemented",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "505 HTTP Version Not Supported",
        "599 ",
    ] {
        let status = line[..3].parse().expect("a number");
        let response = text(reject(status, &[], b"").expect("valid"));
        let expected = format!("HTTP/1.1 {line}\r\n");
        assert!(response.starts_with(&expected), "{response}");
    }
}

/// HA-16, HA-19: what is no refusal, or would be misread, is not written.
#[test]
fn an_answer_that_would_be_misread_is_not_written() {
    for status in [0, 100, 101, 199, 600, 1000] {
        assert_eq!(reject(status, &[], b""), Err(HeadError::Status));
    }
    for status in [204, 304] {
        assert_eq!(reject(status, &[], b"x"), Err(HeadError::Body));
        let response = text(reject(status, &[], b"").expect("valid"));
        assert!(lines_of(&response, "Content-Length").is_empty());
    }
    assert_eq!(
        reject(404, &[("Content-Length", "7")], b""),
        Err(HeadError::Controlled)
    );
    assert_eq!(
        reject(404, &[("A", "b\r\n\r\nHTTP/1.1 101")], b""),
        Err(HeadError::Value)
    );
}

/// HA-19, S-11: the caller's headers can neither end a line nor change the handshake.
#[test]
fn extra_response_headers_are_checked() {
    let mut accepted = with(&[]).expect("valid");
    for name in [
        "Upgrade",
        "CONNECTION",
        "Content-Length",
        "transfer-encoding",
        "Sec-WebSocket-Accept",
        "sec-websocket-protocol",
        "Sec-WebSocket-Extensions",
        "SEC-WEBSOCKET-ANYTHING",
    ] {
        let result = accepted.add_header(name, "x").map(|_| ());
        assert_eq!(result, Err(HeadError::Controlled), "{name}");
    }
    for name in ["", "a b", "a:", "a\r\n", "\u{e9}", "a\0"] {
        assert_eq!(
            accepted.add_header(name, "x").map(|_| ()),
            Err(HeadError::Name),
            "{name:?}"
        );
    }
    for value in ["a\r\nb: c", "a\n", "a\r", "a\0", "a\u{7f}", "a\u{1b}"] {
        assert_eq!(
            accepted.add_header("a", value).map(|_| ()),
            Err(HeadError::Value),
            "{value:?}"
        );
    }
    let unchanged = with(&[]).expect("valid").response();
    assert_eq!(
        accepted.response(),
        unchanged,
        "what was refused left no trace"
    );

    accepted
        .add_header("Set-Cookie", "a=b")
        .expect("valid")
        .add_header("X-Sec", b"\xe9\t1")
        .expect("valid");
    assert!(
        accepted
            .response()
            .ends_with(b"\r\nSet-Cookie: a=b\r\nX-Sec: \xe9\t1\r\n\r\n")
    );
}
