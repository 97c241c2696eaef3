//! How origins are listed, compared and refused (RFC 6455 §10.2, RFC 6454 §6.2).
#![cfg(feature = "handshake")]

mod handshake_support;

use handshake_support::{HANDSHAKE, accept_by, head, lines_of, refused_origin, text, with};
use sansocket::handshake::{Accepted, HandshakeError, OriginError as O, OriginPolicy, Server};

fn list(origin: &str) -> OriginPolicy {
    OriginPolicy::list([origin]).unwrap_or_else(|error| panic!("{origin}: {error}"))
}

/// What a server of this policy makes of the handshake with another Host and Origin.
fn ask(policy: OriginPolicy, host: &str, origin: &str) -> Result<Accepted, HandshakeError> {
    let (host, origin) = (format!("Host: {host}"), format!("Origin: {origin}"));
    let lines = [&[&*host], &HANDSHAKE[1..], &[&*origin]].concat();
    accept_by(
        &Server::new().with_origins(policy),
        &head("GET / HTTP/1.1", &lines),
    )
}

/// S-01, HA-14: an origin may be listed in any spelling; a browser writes the last one of each row.
#[test]
fn a_listed_origin_is_the_one_that_browsers_write() {
    for spellings in [
        &[
            "HTTPS://A.Example:443/",
            "https://a.example:443",
            "https://a.example/",
            "https://a.example:",
            "wss://a.example",
            "wss://a.example:443/",
            "https://A.EXAMPLE",
            "https://a.example:00443",
            "https://a.example",
        ][..],
        &[
            "http://a.example:80",
            "ws://a.example:80/",
            "http://a.example",
        ],
        &["https://a.example:80/", "https://a.example:80"],
        &["http://a.example:443"],
        &[
            "http://LOCALHOST:5173/",
            "ws://localhost:5173",
            "http://localhost:5173",
        ],
        &[
            "https://xn--bcher-kva.example/",
            "https://xn--bcher-kva.example",
        ],
        &[
            "https://[2001:0DB8::0:1]:443/",
            "https://[2001:db8:0:0:0:0:0:1]",
            "https://[2001:db8::1]",
        ],
        &["http://[::FFFF:1.2.3.4]", "http://[::ffff:102:304]"],
        &["http://127.0.0.1:80", "http://127.0.0.1"],
        &["https://1.example"],
        &["https://a.example."],
        &["NULL", "null"],
        &[
            "capacitor://localhost/",
            "Capacitor://localhost",
            "capacitor://localhost",
        ],
        &["chrome-extension://abcdefghijklmnopabcdefghijklmnop"],
        &["moz-extension://1f0c4cf5-2a1b-4b6d-9b0e-0123456789ab/"],
        &["app://."],
        &["tauri://localhost:1420"],
        &["file:///", "file://"],
    ] {
        for spelling in spellings {
            for origin in spellings {
                let without_end = origin.strip_suffix('/').filter(|it| !it.ends_with('/'));
                let origin = without_end.unwrap_or(origin);
                let allowed = list(spelling).allows(Some(origin), "b");
                // No browser writes a path, be it empty.
                assert_eq!(allowed, origin != "file:///", "{origin} by {spelling}");
            }
            for other in [
                "https://b.example",
                "http://a.example:8080",
                "https://a.example:8443",
                "null/",
                "https://a.example.evil.example",
                "https://evil-a.example",
                "http://localhost",
                "ionic://localhost",
                "chrome-extension://b",
                "https://a.example/x",
                "",
                "a.example",
                "https://user@a.example",
                "file",
                "://",
                "*",
                "https://*",
            ] {
                assert!(
                    !list(spelling).allows(Some(other), other),
                    "{other} by {spelling}"
                );
            }
        }
    }
    let both = OriginPolicy::list(vec!["https://a.example".to_owned(), "null".to_owned()]);
    let both = both.expect("origins");
    assert!(both.allows(Some("null"), "x") && both.allows(Some("https://a.example"), "x"));
    let none = OriginPolicy::list::<[&str; 0]>([]).expect("nothing is wrong");
    assert!(!none.allows(Some("null"), "x") && none.allows(None, "x"));
}

/// S-01: an origin that no page has would match nothing, so it is refused when it is listed.
#[test]
fn an_origin_that_no_page_has_is_not_listed() {
    for (origin, error) in [
        ("a.example", O::Scheme),
        ("", O::Scheme),
        ("/", O::Scheme),
        ("*", O::Scheme),
        ("https:a.example", O::Scheme),
        ("https:/a.example", O::Scheme),
        ("://a.example", O::Scheme),
        (" https://a.example", O::Scheme),
        ("1a://b", O::Scheme),
        ("h\u{e9}://b", O::Scheme),
        ("https://", O::Host),
        ("https:///", O::Host),
        ("wss://:443", O::Host),
        ("https://a b", O::Host),
        ("https://a.example ", O::Host),
        ("https://a\\b", O::Host),
        ("https://a\tb", O::Host),
        ("https://a\r\nX: y", O::Host),
        ("https://::1", O::Host),
        ("https://[::1", O::Host),
        ("https://[x]", O::Host),
        ("https://%61.example", O::Host),
        ("http://127.1", O::Host),
        ("http://0x7f.0.0.1", O::Host),
        ("http://0x7F000001", O::Host),
        ("http://2130706433", O::Host),
        ("http://127.0.0.01", O::Host),
        ("http://127.0.0.1.", O::Host),
        ("http://1.2.3.4.5", O::Host),
        ("https://b\u{fc}cher.example", O::NotAscii),
        ("https://\u{4f8b}\u{3048}.jp:8443/", O::NotAscii),
        ("https://*.a.example", O::Wildcard),
        ("https://*", O::Wildcard),
        ("https://a.example:*", O::Wildcard),
        ("https://a.example:0", O::Port),
        ("https://a.example:65536", O::Port),
        ("https://a.example:+443", O::Port),
        ("https://a.example:https", O::Port),
        ("https://a.example//", O::Path),
        ("https://a.example/chat", O::Path),
        ("https://a.example/chat/", O::Path),
        ("capacitor://localhost/x", O::Path),
        ("https://a.example, https://b.example", O::Path),
        ("https://a.example?", O::Query),
        ("https://a.example/?a=b", O::Query),
        ("https://a.example#", O::Fragment),
        ("https://a.example/#top", O::Fragment),
        ("https://user@a.example", O::Userinfo),
        ("https://user:password@a.example:443", O::Userinfo),
    ] {
        let refused = OriginPolicy::list(["https://b.example", origin]).expect_err(origin);
        assert_eq!(refused, error, "{origin:?}");
    }
    let words = O::NotAscii.to_string().to_lowercase();
    assert!(words.contains("punycode"), "{words}");
}

/// S-01, HA-14: native clients name the scheme that they connect by.
#[test]
fn the_schemes_of_websockets_count_as_those_of_pages() {
    for (origin, host, same) in [
        ("wss://example.com", "example.com", true),
        ("ws://example.com", "example.com", true),
        ("WSS://EXAMPLE.com", "example.com", true),
        ("wss://example.com:443", "example.com", true),
        ("wss://example.com", "example.com:443", true),
        ("ws://example.com:80", "example.com", true),
        ("ws://localhost:9001", "localhost:9001", true),
        ("ws://[::1]:9001", "[::1]:9001", true),
        ("HTTP://example.com", "example.com", true),
        ("wss://example.com", "example.com:80", false),
        ("ws://example.com", "example.com:443", false),
        ("wss://evil.example", "example.com", false),
        ("wsss://example.com", "example.com", false),
        ("capacitor://example.com", "example.com", false),
        ("wss://example.com/", "example.com", false),
        ("wss://user@example.com", "example.com", false),
        ("ws", "ws", false),
    ] {
        let allowed = OriginPolicy::same().allows(Some(origin), host);
        assert_eq!(allowed, same, "{origin} at {host}");
        let accepted = ask(OriginPolicy::same(), host, origin);
        assert_eq!(accepted.is_ok(), same, "{origin} at {host}");
    }
}

/// S-01, HA-14: behind a proxy that rewrites Host, the server names the host that browsers know.
#[test]
fn a_server_may_name_the_host_of_its_pages() {
    let same_as = |host| OriginPolicy::same_as(host).expect("a host");
    for (own, origin, allowed) in [
        ("app.example.com", "https://app.example.com", true),
        ("APP.example.com", "http://app.example.com", true),
        ("app.example.com:443", "https://app.example.com", true),
        ("app.example.com", "wss://app.example.com:443", true),
        ("app.example.com:8443", "https://app.example.com:8443", true),
        ("[2001:DB8:0::1]", "https://[2001:db8::1]", true),
        ("app.example.com", "https://app.example.com:8443", false),
        ("app.example.com:8443", "https://app.example.com", false),
        ("app.example.com", "https://evil.example", false),
        ("app.example.com", "http://127.0.0.1:9001", false),
        ("app.example.com", "null", false),
    ] {
        let accepted = ask(same_as(own), "127.0.0.1:9001", origin);
        assert_eq!(accepted.is_ok(), allowed, "{origin} at {own}");
    }
    for (host, error) in [
        ("https://app.example.com", O::Scheme),
        ("", O::Host),
        (":8443", O::Host),
        ("a b", O::Host),
        ("127.1", O::Host),
        ("b\u{fc}cher.example", O::NotAscii),
        ("*.example.com", O::Wildcard),
        ("a:0", O::Port),
        ("a:b", O::Port),
        ("a/", O::Path),
        ("a?b", O::Query),
        ("a#b", O::Fragment),
        ("user@a", O::Userinfo),
    ] {
        assert_eq!(
            OriginPolicy::same_as(host).expect_err(host),
            error,
            "{host:?}"
        );
    }
}

/// HA-14, HS-24: an operator who finds every browser refused sees both headers that were compared.
#[test]
fn a_refusal_names_the_origin_and_the_host() {
    let policies = [
        OriginPolicy::same(),
        OriginPolicy::same_as("app.example.com").expect("a host"),
        list("https://app.example.com"),
        OriginPolicy::custom(|_, _| false),
    ];
    for policy in policies {
        let error = ask(policy, "127.0.0.1:9001", "https://b.example").expect_err("another origin");
        for said in [error.to_string(), text(error.response())] {
            assert!(said.contains("https://b.example"), "{said}");
            assert!(said.contains("127.0.0.1:9001"), "{said}");
        }
        assert_eq!(error.status(), 403);
        let refused = refused_origin(Err(error));
        let names = (refused.origin(), refused.host());
        assert_eq!(names, (Some("https://b.example"), "127.0.0.1:9001"));
    }
    let none = Server::new().with_origins(OriginPolicy::custom(|origin, _| origin.is_some()));
    let error = accept_by(&none, &head("GET / HTTP/1.1", &HANDSHAKE)).expect_err("no origin");
    assert!(error.to_string().contains("server.example.com"), "{error}");
}

/// S-02, S-11: a refusal quotes little, and in visible ASCII, so that it changes no log and no page.
#[test]
fn a_refusal_quotes_little_and_escapes_it() {
    let long = "a".repeat(5000);
    for origin in [
        &*long,
        "a\tb",
        "\u{e9}\u{202e}",
        "<script>\u{7ff}",
        "\"'\\",
        &"\u{1f600}".repeat(99),
    ] {
        let error = with(&[&format!("Origin: {origin}")]).expect_err("no origin of ours");
        let said = error.to_string();
        assert!(said.len() < 300, "{said}");
        let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        assert!(said.bytes().all(is_visible), "{said}");
        let response = text(error.response());
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        assert_eq!(body, format!("{said}\n"));
        assert_eq!(lines_of(head, "Content-Type"), ["Content-Type: text/plain"]);
    }
}

/// S-01: a name that leads to our address (DNS rebinding) passes as its own origin, and not where origins are listed.
#[test]
fn a_list_refuses_a_name_that_was_rebound() {
    let rebound = |policy| ask(policy, "evil.example:9001", "http://evil.example:9001");
    assert!(rebound(OriginPolicy::same()).is_ok());
    let refused = refused_origin(rebound(list("http://localhost:9001")));
    assert_eq!(refused.host(), "evil.example:9001");
    let own = OriginPolicy::same_as("localhost:9001").expect("a host");
    assert!(rebound(own).is_err());
}
