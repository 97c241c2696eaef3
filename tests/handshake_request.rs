//! What the server makes of a request as HTTP (RFC 9112), before it looks for a WebSocket handshake.
#![cfg(feature = "handshake")]

mod handshake_support;

use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::RequestReader;
use sansocket::handshake::Server;

use handshake_support::HANDSHAKE;
use handshake_support::accept_by;
use handshake_support::error;
use handshake_support::head;
use handshake_support::lines_of;
use handshake_support::read;
use handshake_support::text;
use handshake_support::with;
use handshake_support::with_first_line;
use handshake_support::with_instead;
use handshake_support::without;

/// HS-02: GET only, written just so; the answer names it.
#[test]
fn another_method_than_get_is_answered_with_405() {
    for method in ["POST", "HEAD", "CONNECT", "OPTIONS", "get", "GETX"] {
        let error = error(with_first_line(&format!("{method} /chat HTTP/1.1")));
        assert_eq!((&error, error.status()), (&E::Method, 405), "{method}");
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
        read(b"GET /chat\r\n\r\n")
            .map_err(|error| error.status())
            .map(|_| ()),
        Err(400)
    );
}

/// HS-04: the target is a path or an absolute http, https, ws or wss URI; the resource name is taken
/// from either.
#[test]
fn the_resource_name_is_taken_from_the_target() {
    for (target, resource_name, authority) in [
        ("/", "/", "server.example.com"),
        ("/chat?a=b&c=%20", "/chat?a=b&c=%20", "server.example.com"),
        ("//double", "//double", "server.example.com"),
        ("http://a.example/chat", "/chat", "a.example"),
        ("HTTPS://a.example:8443/x?y", "/x?y", "a.example:8443"),
        ("http://a.example", "/", "a.example"),
        ("ws://a.example/x", "/x", "a.example"),
        (
            "wss://a.example:8443/chat?a=b",
            "/chat?a=b",
            "a.example:8443",
        ),
        ("WSS://a.example", "/", "a.example"),
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
        "ftp://a.example/",
        "wsss://a.example/",
        "ws:/a.example/",
        "ws:///chat",
        "wss://user@a.example/",
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
            (&error, error.status()),
            (&E::Invalid("Host"), 400),
            "{host:?}"
        );
    }
    let beside_an_absolute_target = [&["Host: a b"], &HANDSHAKE[1..]].concat();
    let head = head("GET http://a/ HTTP/1.1", &beside_an_absolute_target);
    assert_eq!(error(accept_by(&Server::new(), &head)), E::Invalid("Host"));
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

/// HS-05: a field is known by its whole name, in any case.
#[test]
fn a_name_that_is_nearly_host_is_another() {
    for name in ["Hose", "Hist", "Hos", "Hosts"] {
        let line = format!("{name}: server.example.com");
        let instead = head("GET /chat HTTP/1.1", &[&[&*line], &HANDSHAKE[1..]].concat());
        let instead = accept_by(&Server::new(), &instead);
        assert_eq!(error(instead), E::Missing("Host"), "{name}");
        assert!(with(&[&line]).is_ok(), "{name}");
    }
    assert_eq!(
        error(with(&["hOST: server.example.com"])),
        E::Repeated("Host")
    );
}

/// HS-01, HS-24: what is no handshake at all is told from a broken one, so that it can be answered
/// as ordinary HTTP; by default the answer is 426.
#[test]
fn a_plain_request_is_told_from_a_broken_handshake() {
    let plain = read(b"GET /index.html HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    let error = Server::new()
        .accept(&plain.expect("well-formed"))
        .expect_err("no handshake");
    assert_eq!((&error, error.status()), (&E::NotUpgrade, 426));
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
        assert_eq!(error.status(), 400);
        assert_eq!(result.map(|_| ()), Err(error), "{head:?}");
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
        assert_eq!((&error, error.status()), (&expected, 400), "{line}");
    }
    assert!(with(&["Content-Length: 0"]).is_ok());
}

/// HS-21: without a body nobody waits for a 100, so the server may leave it out; it cannot do what
/// else is expected.
#[test]
fn only_the_expectation_of_100_is_met() {
    for value in [
        "100-continue",
        "100-Continue",
        "100-CONTINUE , ",
        "100-continue\r\nexpect: 100-continue",
        "100-continue\r\nContent-Length: 0",
    ] {
        let accepted = with(&[&format!("Expect: {value}")]);
        assert!(accepted.is_ok(), "{value}: {accepted:?}");
    }
    for value in [
        "200-ok",
        "100",
        "100-continues",
        "100-continue; q=1",
        "100-continue=1",
        "100-continue, gzip",
        "100-continue\r\nExpect: x",
        "\"100-continue\"",
        "\u{e9}",
    ] {
        let error = error(with(&[&format!("Expect: {value}")]));
        assert_eq!((&error, error.status()), (&E::Expectation, 417), "{value}");
    }
    let body = with(&["Expect: 100-continue", "Content-Length: 5"]);
    assert_eq!(error(body), E::Body);
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
    let limits = HeadLimits::default()
        .with_bytes(100)
        .with_start_line(40)
        .with_headers(3);
    for (endless, allowed, error, status) in [
        (
            "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            40,
            E::StartLineTooLong,
            414,
        ),
        (
            "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n",
            34,
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
        let bytewise = reader.receive(next).map(|_| ());
        assert_eq!(bytewise.as_ref(), Err(&error), "{endless}");
        let whole = RequestReader::new(limits).receive(endless.as_bytes());
        assert_eq!(whole.map(|_| ()), Err(error), "{endless}");
    }
}

/// HS-23: a head that just keeps every limit is accepted, and so are the sizes that RFC 9112 §3
/// and deployed peers ask for.
#[test]
fn a_head_within_the_limits_is_accepted() {
    let exact = b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
    let limits = HeadLimits::default()
        .with_bytes(exact.len())
        .with_start_line(16)
        .with_headers(2);
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
