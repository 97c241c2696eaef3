//! Which opening handshakes the server accepts (RFC 6455 §4.2.1).
#![cfg(feature = "handshake")]

mod handshake_support;

use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::OriginPolicy;
use sansocket::handshake::Server;
use sansocket::handshake::accept_key;

use handshake_support::EXTENSIONS;
use handshake_support::HANDSHAKE;
use handshake_support::KEY;
use handshake_support::PROTOCOL;
use handshake_support::accept_by;
use handshake_support::error;
use handshake_support::head;
use handshake_support::lines_of;
use handshake_support::read;
use handshake_support::refused_origin;
use handshake_support::text;
use handshake_support::with;
use handshake_support::with_instead;
use handshake_support::without;

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
            E::Invalid("Upgrade"),
            "{value}"
        );
    }
    assert_eq!(error(without("Upgrade")), E::Missing("Upgrade"));
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
            E::Invalid("Connection"),
            "{value}"
        );
    }
    assert_eq!(error(without("Connection")), E::Missing("Connection"));
}

/// HS-08, G-09: the key is the base64 of 16 bytes, in the standard alphabet and with its padding.
#[test]
fn a_key_that_is_not_16_bytes_in_base64_is_refused() {
    assert_eq!(error(without(KEY)), E::Missing(KEY));
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",        // no padding
        "dGhlIHNhbXBsZSBub25jZQ=",       // half of it
        "dGhlIHNhbXBsZSBub25jZQ===",     // too much
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
        assert_eq!((&error, error.status()), (&E::Invalid(KEY), 400), "{key}");
    }
}

/// HS-08, HS-25: the bits of the last digit that belong to no byte may have any value, as in the key
/// that RFC 6455 §4.1 prints; the key is answered as it came.
#[test]
fn a_key_may_have_any_unused_bits() {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for last in digits.chars() {
        for start in ["AQIDBAUGBwgJCgsMDQ4PE", "+/+/+/+/+/+/+/+/+/+/+"] {
            let key = format!("{start}{last}==");
            let accepted = with_instead(&format!("{KEY}: {key}")).expect(&key);
            let response = text(accepted.response());
            let answer = accept_key(key.as_bytes());
            let answer = answer.map(char::from).iter().collect::<String>();
            assert_eq!(
                lines_of(&response, "Sec-WebSocket-Accept"),
                [format!("Sec-WebSocket-Accept: {answer}")]
            );
        }
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

/// HS-12, S-01, S-02: a request without Origin is no browser's, and fine under every policy but one
/// of the caller's.
#[test]
fn a_request_without_origin_is_accepted() {
    let request = read(head("GET / HTTP/1.1", &HANDSHAKE).as_bytes()).expect("well-formed");
    for policy in [
        OriginPolicy::same(),
        OriginPolicy::list(["https://a"]).expect("an origin"),
        OriginPolicy::same_as("a").expect("a host"),
        OriginPolicy::any(),
    ] {
        assert!(Server::new().with_origins(policy).accept(&request).is_ok());
    }
    let browsers_only = OriginPolicy::custom(|origin, _| origin.is_some());
    let refused = Server::new().with_origins(browsers_only).accept(&request);
    let refused = refused_origin(refused);
    assert_eq!(
        (refused.origin(), refused.host()),
        (None, "server.example.com")
    );
}

/// HA-14, S-01: an origin that is not served gets 403 and no upgrade.
#[test]
fn another_origin_is_answered_with_403() {
    let error = error(with(&["Origin: https://evil.example"]));
    assert!(matches!(error, E::OriginRejected(_)), "{error:?}");
    assert_eq!(error.status(), 403);
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
    let refused = refused_origin(absolute("Origin: http://server.example.com"));
    assert_eq!(refused.host(), "a.example");
}

/// HA-14: the other policies.
#[test]
fn origins_can_be_listed_or_judged_by_the_caller() {
    let list = OriginPolicy::list(["https://a.example", "https://b.example:8443"]);
    let list = list.expect("origins");
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
            (&error, error.status()),
            (&E::Invalid(PROTOCOL), 400),
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
            (&error, error.status()),
            (&E::Invalid(EXTENSIONS), 400),
            "{value:?}"
        );
    }
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
