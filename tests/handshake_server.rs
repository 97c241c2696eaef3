//! The server's side of the opening handshake (RFC 6455 §4.2): what it accepts, what it refuses and
//! how it answers.
#![cfg(feature = "handshake")]

use sansocket::handshake::Accepted;
use sansocket::handshake::Extension;
use sansocket::handshake::HandshakeError;
use sansocket::handshake::HeadError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::OriginPolicy;
use sansocket::handshake::Request;
use sansocket::handshake::RequestReader;
use sansocket::handshake::Server;
use sansocket::handshake::reject;

use HandshakeError as E;

const HANDSHAKE: [&str; 5] = [
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

const KEY: &str = "Sec-WebSocket-Key";
const VERSION: &str = "Sec-WebSocket-Version";
const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Builds a head from its first line and its header lines.
fn head(first: &str, lines: &[&str]) -> String {
    format!("{first}\r\n{}\r\n\r\n", lines.join("\r\n"))
}

fn read(head: &[u8]) -> Result<Request, HandshakeError> {
    let (request, used) = RequestReader::new(HeadLimits::default())
        .receive(head)?
        .expect("the head is complete");
    assert_eq!(used, head.len());
    Ok(request)
}

fn accept_by(server: &Server, head: &str) -> Result<Accepted, HandshakeError> {
    server.accept(&read(head.as_bytes())?)
}

/// The handshake with another first line.
fn with_first_line(first: &str) -> Result<Accepted, HandshakeError> {
    accept_by(&Server::new(), &head(first, &HANDSHAKE))
}

/// The handshake with more header lines.
fn with(lines: &[&str]) -> Result<Accepted, HandshakeError> {
    let lines = [&HANDSHAKE, lines].concat();
    accept_by(&Server::new(), &head("GET /chat HTTP/1.1", &lines))
}

/// The handshake with the header lines of the same name replaced.
fn with_instead(line: &str) -> Result<Accepted, HandshakeError> {
    let (name, _) = line.split_once(':').expect("a header line");
    let mut lines = without_lines(name);
    lines.push(line);
    accept_by(&Server::new(), &head("GET /chat HTTP/1.1", &lines))
}

/// The handshake without a header.
fn without(name: &str) -> Result<Accepted, HandshakeError> {
    accept_by(
        &Server::new(),
        &head("GET /chat HTTP/1.1", &without_lines(name)),
    )
}

fn without_lines(name: &str) -> Vec<&'static str> {
    let prefix = format!("{name}:");
    HANDSHAKE
        .into_iter()
        .filter(|line| !line.starts_with(&prefix))
        .collect()
}

fn error(result: Result<Accepted, HandshakeError>) -> HandshakeError {
    result.expect_err("the handshake is refused")
}

fn text(response: Vec<u8>) -> String {
    String::from_utf8(response).expect("the response is ASCII")
}

/// The lines of a response that begin with the header's name.
fn lines_of<'a>(response: &'a str, name: &str) -> Vec<&'a str> {
    let prefix = format!("{}:", name.to_ascii_lowercase());
    let is_line = |line: &&str| line.to_ascii_lowercase().starts_with(&prefix);
    response.split("\r\n").filter(is_line).collect()
}

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
        .with_origins(OriginPolicy::list(["http://example.com"]))
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

/// HS-15: unknown headers and the order of the headers change nothing.
#[test]
fn order_and_unknown_headers_do_not_matter() {
    let expected = with(&[]).expect("valid").response();
    let mut lines = HANDSHAKE;
    lines.reverse();
    let lines = [&["X-Unknown: 1", "x-unknown:", "DNT: 1"], &lines[..]].concat();
    let reversed = accept_by(&Server::new(), &head("GET /chat HTTP/1.1", &lines));
    assert_eq!(reversed.expect("valid").response(), expected);
}

/// HS-02: GET only, written just so; the answer names it.
#[test]
fn another_method_than_get_is_answered_with_405() {
    for method in ["POST", "HEAD", "CONNECT", "OPTIONS", "get", "GETX"] {
        let error = error(with_first_line(&format!("{method} /chat HTTP/1.1")));
        assert_eq!((error, error.status()), (E::Method, 405), "{method}");
    }
    let response = text(E::Method.response());
    assert_eq!(lines_of(&response, "Allow"), ["Allow: GET"]);
    assert!(
        response.ends_with("\r\n\r\n"),
        "it has no body, HEAD may not have one"
    );
}

/// HS-03: HTTP/1.0 knows no upgrade, and its 426 shows what is missing; other versions are not
/// spoken.
#[test]
fn another_http_version_than_1_1_is_refused() {
    assert_eq!(error(with_first_line("GET /chat HTTP/1.0")).status(), 426);
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/3"] {
        let error = error(with_first_line(&format!("GET /chat {version}")));
        assert_eq!(error.status(), 505, "{version}");
    }
    for version in ["http/1.1", "HTTX/1.1", "1.1", ""] {
        let error = error(with_first_line(&format!("GET /chat {version}")));
        assert_eq!(error.status(), 400, "{version}");
    }
    assert_eq!(
        read(b"PRI * HTTP/2.0\r\n\r\n").map(|_| ()),
        Err(E::HttpVersion)
    );
    assert_eq!(
        read(b"GET /chat\r\n\r\n").map_err(E::status).map(|_| ()),
        Err(400)
    );
}

/// HS-04: the target is a path or an absolute http or https URI; the resource name is taken from
/// either.
#[test]
fn the_resource_name_is_taken_from_the_target() {
    for (target, resource_name, authority) in [
        ("/", "/", "server.example.com"),
        ("/chat?a=b&c=%20", "/chat?a=b&c=%20", "server.example.com"),
        ("//double", "//double", "server.example.com"),
        ("http://a.example/chat", "/chat", "a.example"),
        ("HTTPS://a.example:8443/x?y", "/x?y", "a.example:8443"),
        ("http://a.example", "/", "a.example"),
    ] {
        let head = head(&format!("GET {target} HTTP/1.1"), &HANDSHAKE);
        let request = read(head.as_bytes()).expect("well-formed");
        assert_eq!(request.resource_name(), Some(resource_name), "{target}");
        assert_eq!(request.authority(), Some(authority), "{target}");
        assert!(Server::new().accept(&request).is_ok(), "{target}");
    }
}

/// HS-04: authority form, asterisk form, other schemes, whitespace, control characters and
/// fragments.
#[test]
fn a_target_of_another_form_is_refused() {
    for target in [
        "*",
        "a.example:80",
        "chat",
        "ws://a.example/",
        "ftp://a.example/",
        "http:///chat",
        "http://user@a.example/",
        "http://a.example:99999/",
        "/chat#top",
        "/\u{e9}",
        "http://a b/",
        "/a b",
        "/a\tb",
        "/a\u{1}b",
        "/a\0",
        "/a\u{7f}",
        "",
        " /a",
    ] {
        let error = error(with_first_line(&format!("GET {target} HTTP/1.1")));
        assert_eq!(error.status(), 400, "{target:?} gives {error:?}");
    }
}

/// HS-05: exactly one Host, and a valid one.
#[test]
fn a_host_that_is_missing_repeated_or_invalid_is_refused() {
    assert_eq!(error(without("Host")), E::Missing("Host"));
    assert_eq!(
        error(with(&["host: server.example.com"])),
        E::Repeated("Host")
    );
    for host in [
        "", "a b", "a/b", "user@a", "a:port", "a:65536", "a:80:80", "::1", "[::1", "[x]", "[::1]x",
        "a\u{e9}", "http://a", "a?b", "a#b", "a\\b",
    ] {
        let error = error(with_instead(&format!("Host: {host}")));
        assert_eq!(
            (error, error.status()),
            (E::Invalid("Host"), 400),
            "{host:?}"
        );
    }
    for host in [
        "a",
        "a:",
        "a:8080",
        "127.0.0.1:1",
        "[::1]",
        "[2001:db8::1]:443",
        "xn--e1a",
        "A_b~",
    ] {
        assert!(with_instead(&format!("Host: {host}")).is_ok(), "{host:?}");
    }
}

/// HS-06, G-08: `websocket` in any case, in a list, over several lines.
#[test]
fn upgrade_is_a_list_that_names_websocket() {
    for value in [
        "websocket",
        "WebSocket",
        "WEBSOCKET",
        "h2c, websocket",
        "foo\r\nUPGRADE: websocket",
    ] {
        assert!(
            with_instead(&format!("Upgrade: {value}")).is_ok(),
            "{value}"
        );
    }
    for value in [
        "",
        "h2c",
        "websocket/13",
        "web socket",
        "websockets",
        "\"websocket\"",
    ] {
        assert_eq!(
            error(with_instead(&format!("Upgrade: {value}"))),
            E::NotUpgrade,
            "{value}"
        );
    }
    assert_eq!(error(without("Upgrade")), E::NotUpgrade);
}

/// HS-07, G-02, G-07: `upgrade` in any case, among other tokens.
#[test]
fn connection_is_a_list_that_names_upgrade() {
    for value in [
        "Upgrade",
        "upgrade",
        "keep-alive, Upgrade",
        "keep-alive,UPGRADE,",
        ", ,\tupgrade\t, x",
        "keep-alive\r\nConnection: Upgrade",
    ] {
        assert!(
            with_instead(&format!("Connection: {value}")).is_ok(),
            "{value}"
        );
    }
    for value in [
        "",
        "keep-alive",
        "close",
        "Upgrades",
        "keep-alive Upgrade",
        "keep-alive; Upgrade",
    ] {
        assert_eq!(
            error(with_instead(&format!("Connection: {value}"))),
            E::NotUpgrade,
            "{value}"
        );
    }
    assert_eq!(error(without("Connection")), E::NotUpgrade);
}

/// HS-01, HS-24: what is no handshake at all is told from a broken one, so that it can be answered
/// as ordinary HTTP; by default the answer is 426.
#[test]
fn a_plain_request_is_told_from_a_broken_handshake() {
    let plain = read(b"GET /index.html HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    let error = Server::new()
        .accept(&plain.expect("well-formed"))
        .expect_err("no handshake");
    assert_eq!((error, error.status()), (E::NotUpgrade, 426));
}

/// HS-08, G-09: the key is the base64 of 16 bytes, in the standard alphabet and its one spelling.
#[test]
fn a_key_that_is_not_16_bytes_in_base64_is_refused() {
    assert_eq!(error(without(KEY)), E::Missing(KEY));
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",        // no padding
        "dGhlIHNhbXBsZSBub25jZQ=",       // half of it
        "dGhlIHNhbXBsZSBub25jZQ===",     // too much
        "dGhlIHNhbXBsZSBub25jZR==",      // unused bits that are not zero
        "dGhlIHNhbXBsZSBub25jZ===",      // 15.75 bytes
        "dGhlIHNhbXBsZSBub25jZQ==,",     // a list
        "dGhlIHNhbXBsZSBub25j",          // 15 bytes
        "dGhlIHNhbXBsZSBub25jZQA=",      // 17 bytes
        "dGhlIHNhbXBsZSBub25jZQAA",      // 18 bytes
        "_-_-IHNhbXBsZSBub25jZQ==",      // the alphabet for URLs
        "dGhlIHNh bXBsZSBub25jZQ==",     // a space
        "dGhlIHNhbX\u{e9}sZSBub25jZQ==", // not ASCII
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let error = error(with_instead(&format!("{KEY}: {key}")));
        assert_eq!((error, error.status()), (E::Invalid(KEY), 400), "{key}");
    }
}

/// HS-09: a second key, the same one or another.
#[test]
fn a_repeated_key_is_refused() {
    for key in ["dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA=="] {
        assert_eq!(
            error(with(&[&format!("sec-websocket-key: {key}")])),
            E::Repeated(KEY)
        );
    }
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

/// HS-11, G-10: the version is a number from 0 to 255 without leading zeros, once.
#[test]
fn a_malformed_version_is_refused() {
    for version in [
        "", "013", "+13", "-1", "13 x", "1 3", "256", "1000", "13.0", "0x0d", "00", "13, 8", "13,",
        "\u{661}",
    ] {
        let error = error(with_instead(&format!("{VERSION}: {version}")));
        assert_eq!(
            (error, error.status()),
            (E::Invalid(VERSION), 400),
            "{version}"
        );
    }
    for version in ["13", "8"] {
        let error = error(with(&[&format!("{VERSION}: {version}")]));
        assert_eq!((error, error.status()), (E::Repeated(VERSION), 400));
    }
}

/// HS-12, S-01, S-02: a request without Origin is no browser's, and fine under every policy but one
/// of the caller's.
#[test]
fn a_request_without_origin_is_accepted() {
    let request = read(head("GET / HTTP/1.1", &HANDSHAKE).as_bytes()).expect("well-formed");
    for policy in [
        OriginPolicy::same(),
        OriginPolicy::list(["https://a"]),
        OriginPolicy::any(),
    ] {
        assert!(Server::new().with_origins(policy).accept(&request).is_ok());
    }
    let browsers_only = OriginPolicy::custom(|origin, _| origin.is_some());
    let refused = Server::new().with_origins(browsers_only).accept(&request);
    assert_eq!(error(refused), E::OriginRefused);
}

/// HA-14, S-01: an origin that is not served gets 403 and no upgrade.
#[test]
fn another_origin_is_answered_with_403() {
    let error = error(with(&["Origin: https://evil.example"]));
    assert_eq!((error, error.status()), (E::OriginRefused, 403));
    assert!(error.response().starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
    assert!(with(&["Origin: https://server.example.com"]).is_ok());
}

/// HA-14, S-01: the origin is compared with the host that the request goes to.
#[test]
fn the_same_origin_is_that_of_the_host() {
    for (origin, host, same) in [
        ("http://a.example", "a.example", true),
        ("https://a.example", "A.EXAMPLE", true),
        ("https://a.example", "a.example:443", true),
        ("http://a.example", "a.example:80", true),
        ("http://a.example:80", "a.example", true),
        ("http://a.example:8080", "a.example:8080", true),
        ("http://[::1]:3000", "[::1]:3000", true),
        ("http://a.example", "a.example:443", false),
        ("https://a.example:8443", "a.example", false),
        ("http://a.example", "b.a.example", false),
        ("http://a.example.evil", "a.example", false),
        ("http://evil/a.example", "a.example", false),
        ("http://a.example:0x50", "a.example", false),
        ("http://a.example:99999", "a.example:99998", false),
        ("chrome-extension://a.example", "a.example", false),
        ("a.example", "a.example", false),
        ("null", "null", false),
        ("", "a.example", false),
    ] {
        assert_eq!(
            OriginPolicy::same().allows(Some(origin), host),
            same,
            "{origin} and {host}"
        );
    }
    // RFC 9112 §3.2.2: the host of an absolute target counts, not the header.
    let absolute = |origin| {
        let lines = [&HANDSHAKE[..], &[origin]].concat();
        accept_by(
            &Server::new(),
            &head("GET http://a.example/ HTTP/1.1", &lines),
        )
    };
    assert!(absolute("Origin: http://a.example").is_ok());
    assert_eq!(
        error(absolute("Origin: http://server.example.com")),
        E::OriginRefused
    );
}

/// HA-14: the other policies.
#[test]
fn origins_can_be_listed_or_judged_by_the_caller() {
    let list = OriginPolicy::list(["https://a.example", "https://b.example:8443"]);
    assert!(list.allows(Some("https://A.example"), "x"));
    assert!(list.allows(Some("https://b.example:8443"), "x"));
    assert!(!list.allows(Some("http://a.example"), "x"));
    assert!(!list.allows(Some("https://a.example:8443"), "x"));
    assert!(!list.allows(Some("null"), "x"));
    assert!(OriginPolicy::any().allows(Some("null"), "x"));

    let custom = OriginPolicy::custom(|origin, host| {
        origin.is_some_and(|origin| origin.ends_with(".example") && host == "x")
    });
    assert!(custom.allows(Some("https://c.example"), "x"));
    assert!(!custom.allows(Some("https://c.example"), "y"));
}

/// HR-21, UT-07, S-04: an Origin that is repeated or no text is malformed, whatever the policy.
#[test]
fn a_malformed_origin_is_refused() {
    let server = Server::new().with_origins(OriginPolicy::any());
    let twice = [&HANDSHAKE[..], &["Origin: http://a", "Origin: http://a"]].concat();
    assert_eq!(
        error(accept_by(&server, &head("GET / HTTP/1.1", &twice))),
        E::Repeated("Origin")
    );

    let mut head = head("GET / HTTP/1.1", &HANDSHAKE).into_bytes();
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Origin: http://\xff\xfe\r\n\r\n");
    let request = read(&head).expect("well-formed HTTP");
    assert_eq!(error(server.accept(&request)), E::Invalid("Origin"));
}

/// HS-13, G-01, G-02: the subprotocols are one token at least, over all lines.
#[test]
fn malformed_subprotocols_are_refused() {
    for value in [
        "", ",", " , ", "a b", "a, b c", "\"a\"", "a/b", "a;b", "a=b", "(a)", "a@b", "\u{e9}",
    ] {
        let error = error(with(&[&format!("{PROTOCOL}: {value}")]));
        assert_eq!(
            (error, error.status()),
            (E::Invalid(PROTOCOL), 400),
            "{value:?}"
        );
    }
    assert_eq!(
        error(with(&[
            "Sec-WebSocket-Protocol: a",
            "Sec-WebSocket-Protocol: b c"
        ])),
        E::Invalid(PROTOCOL)
    );
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
    let head_ = head("GET / HTTP/1.1", &lines);
    let latest = Server::new().with_subprotocol_chooser(|offered| offered.iter().copied().max());
    assert_eq!(
        accept_by(&latest, &head_).expect("valid").subprotocol(),
        Some("v3")
    );
    let stubborn = Server::new().with_subprotocol_chooser(|_| Some("v4"));
    assert_eq!(
        accept_by(&stubborn, &head_).expect("valid").subprotocol(),
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

/// HS-14: malformed extensions are refused though the server knows none.
#[test]
fn malformed_extensions_are_refused() {
    for value in [
        "",
        ",",
        "foo;",
        "foo; a=",
        "a b",
        "foo; a=\"b c\"",
        "\"foo\"",
    ] {
        let error = error(with(&[&format!("{EXTENSIONS}: {value}")]));
        assert_eq!(
            (error, error.status()),
            (E::Invalid(EXTENSIONS), 400),
            "{value:?}"
        );
    }
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

/// X-07, G-07: every element of every line is an offer of its own.
#[test]
fn the_offers_of_an_extension_are_all_at_hand() {
    let accepted = with(&[
        "Sec-WebSocket-Extensions: deflate; level=9, deflate",
        "Sec-WebSocket-Extensions: foo; a",
    ])
    .expect("valid");
    let offered: Vec<_> = accepted
        .offered_extensions()
        .iter()
        .map(|e| e.to_string())
        .collect();
    assert_eq!(offered, ["deflate; level=9", "deflate", "foo; a"]);
}

/// HA-09, HA-10, X-01, X-03, X-08: only offered extensions are accepted, each once, in one line
/// and in the order in which the server accepts them.
#[test]
fn only_offered_extensions_are_accepted() {
    let mut accepted = with(&["Sec-WebSocket-Extensions: foo; a=1, bar"]).expect("valid");
    let extension = |name| Extension::new(name).expect("a token");
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

/// HS-16, HS-17, HS-18, G-11: a head whose lines could be read in two ways is refused.
#[test]
fn a_head_that_could_be_misread_is_refused() {
    for (head, error) in [
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\u{b}\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\u{7f}\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nH(st: a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nH\u{e9}st: a\r\n\r\n", E::HeaderLine),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", E::LineEnding),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", E::LineEnding),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", E::LineEnding),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", E::LineEnding),
        ("GET / HTTP/1.1\rHost: a\r\n\r\n", E::LineEnding),
        ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", E::LineEnding),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", E::StartLine),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", E::StartLine),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", E::StartLine),
        ("G\u{e9}T / HTTP/1.1\r\nHost: a\r\n\r\n", E::StartLine),
    ] {
        let result = RequestReader::new(HeadLimits::default()).receive(head.as_bytes());
        assert_eq!(result.map(|_| ()), Err(error), "{head:?}");
        assert_eq!(error.status(), 400);
    }
    for head in [
        "GET /  HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET / HTTP/1.1\r\r\n\r\n",
    ] {
        assert!(read(head.as_bytes()).is_err(), "{head:?}");
    }
}

/// HS-19: a few empty lines before the request are skipped.
#[test]
fn a_few_empty_lines_before_the_request_are_skipped() {
    let request = head("GET /chat HTTP/1.1", &HANDSHAKE);
    for lines in 1..=4 {
        assert!(
            accept_by(
                &Server::new(),
                &format!("{}{request}", "\r\n".repeat(lines))
            )
            .is_ok()
        );
    }
    let many = read(format!("{}{request}", "\r\n".repeat(5)).as_bytes());
    assert_eq!(many.map(|_| ()), Err(E::StartLine));
}

/// HS-20: the bytes behind the head are frames, so a request that announces a body is refused.
#[test]
fn a_request_with_a_body_is_refused() {
    const LENGTH: &str = "Content-Length";
    for (line, expected) in [
        ("Content-Length: 1", E::Body),
        ("Content-Length: 010", E::Body),
        ("Content-Length: 99999999999999999999999999", E::Body),
        ("Transfer-Encoding: chunked", E::Body),
        ("Transfer-Encoding: identity", E::Body),
        ("Transfer-Encoding:", E::Body),
        ("Content-Length:", E::Invalid(LENGTH)),
        ("Content-Length: -1", E::Invalid(LENGTH)),
        ("Content-Length: +0", E::Invalid(LENGTH)),
        ("Content-Length: 0x0", E::Invalid(LENGTH)),
        ("Content-Length: 0, 0", E::Invalid(LENGTH)),
        (
            "Content-Length: 0\r\nContent-Length: 0",
            E::Repeated(LENGTH),
        ),
    ] {
        let error = error(with(&[line]));
        assert_eq!((error, error.status()), (expected, 400), "{line}");
    }
    assert!(with(&["Content-Length: 0"]).is_ok());
}

/// HS-21: nobody waits for a 100 before a request without a body.
#[test]
fn a_request_that_expects_100_is_answered_with_417() {
    assert_eq!(error(with(&["Expect: 100-continue"])).status(), 417);
}

/// HS-22, I-23: bytes behind the head stay with the caller.
#[test]
fn bytes_behind_the_head_are_not_taken() {
    let head = head("GET /chat HTTP/1.1", &HANDSHAKE);
    let early = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let input = [head.as_bytes(), early].concat();
    let (request, used) = RequestReader::new(HeadLimits::default())
        .receive(&input)
        .expect("well-formed")
        .expect("complete");
    assert_eq!(&input[used..], early);
    assert!(Server::new().accept(&request).is_ok());
}

/// HS-23, S-13, I-22: every limit is enforced as the bytes arrive, whatever is still to come.
#[test]
fn a_head_beyond_a_limit_is_refused_at_the_byte_that_exceeds_it() {
    let limits = HeadLimits {
        bytes: 100,
        start_line: 40,
        headers: 3,
    };
    for (endless, allowed, error, status) in [
        (
            "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            40,
            E::StartLineTooLong,
            414,
        ),
        (
            "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n",
            39,
            E::TooManyHeaders,
            431,
        ),
        (
            &format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(200)),
            100,
            E::HeadTooLong,
            431,
        ),
    ] {
        assert_eq!(error.status(), status);
        let mut reader = RequestReader::new(limits);
        for byte in &endless.as_bytes()[..allowed] {
            assert!(matches!(reader.receive(&[*byte]), Ok(None)), "{endless}");
        }
        let next = &endless.as_bytes()[allowed..=allowed];
        assert_eq!(reader.receive(next).map(|_| ()), Err(error), "{endless}");
        let whole = RequestReader::new(limits).receive(endless.as_bytes());
        assert_eq!(whole.map(|_| ()), Err(error), "{endless}");
    }
}

/// HS-23: a head that just keeps every limit is accepted, and so are the sizes that RFC 9112 §3
/// and deployed peers ask for.
#[test]
fn a_head_within_the_limits_is_accepted() {
    let exact = b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
    let limits = HeadLimits {
        bytes: exact.len(),
        start_line: 16,
        headers: 2,
    };
    assert!(
        RequestReader::new(limits)
            .receive(exact)
            .expect("within the limits")
            .is_some()
    );

    let target = format!("GET /{} HTTP/1.1", "a".repeat(8000 - 15));
    assert!(with_first_line(&target).is_ok());
    let cookie = format!("Cookie: {}", "a".repeat(8000));
    assert!(with(&[&cookie]).is_ok());
    assert!(with(&vec!["X-Header: a"; 123]).is_ok());
    assert_eq!(error(with(&vec!["X-Header: a"; 124])), E::TooManyHeaders);
}

/// HS-24, S-04: every error has an answer, a whole HTTP response that closes the connection.
#[test]
fn every_error_is_answered_with_its_status() {
    for (error, status) in [
        (E::HeadTooLong, 431),
        (E::TooManyHeaders, 431),
        (E::StartLineTooLong, 414),
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
        (E::OriginRefused, 403),
        (E::Missing("Host"), 400),
        (E::Repeated("Host"), 400),
        (E::Invalid("Host"), 400),
        (E::NotOffered("X"), 502),
        (E::Refused(404), 502),
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
    for status in [
        200, 204, 301, 302, 303, 304, 307, 308, 400, 401, 404, 418, 429, 500, 503, 599,
    ] {
        let response = text(reject(status, &[], b"").expect("valid"));
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
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
