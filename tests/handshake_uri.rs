//! The URIs of WebSocket (RFC 6455 §3).
#![cfg(feature = "handshake")]

use sansocket::handshake::Uri;
use sansocket::handshake::UriError;

/// U-01, U-02, U-03, U-04, U-10, U-11: the parts of a URI.
#[test]
fn a_uri_is_taken_apart() {
    for (uri, secure, host, port, resource_name, host_header) in [
        ("ws://a.example", false, "a.example", 80, "/", "a.example"),
        ("wss://a.example", true, "a.example", 443, "/", "a.example"),
        ("WSS://a.example/", true, "a.example", 443, "/", "a.example"),
        (
            "Ws://A.Example/B",
            false,
            "A.Example",
            80,
            "/B",
            "A.Example",
        ),
        ("ws://a:/x", false, "a", 80, "/x", "a"),
        ("wss://a:?x", true, "a", 443, "/?x", "a"),
        ("ws://a:80/", false, "a", 80, "/", "a"),
        ("ws://a:443/", false, "a", 443, "/", "a:443"),
        ("wss://a:080/", true, "a", 80, "/", "a:80"),
        ("ws://a:65535/", false, "a", 65535, "/", "a:65535"),
        ("ws://a?", false, "a", 80, "/", "a"),
        ("ws://a/?", false, "a", 80, "/", "a"),
        ("ws://a/b?", false, "a", 80, "/b", "a"),
        ("ws://a?b=c", false, "a", 80, "/?b=c", "a"),
        ("ws://a/b?c?d/e", false, "a", 80, "/b?c?d/e", "a"),
        ("ws://a/b??", false, "a", 80, "/b??", "a"),
        (
            "ws://a//b/../%7e%7E/;p@:x",
            false,
            "a",
            80,
            "//b/../%7e%7E/;p@:x",
            "a",
        ),
        (
            "ws://a/?q=[1]|{2}&u=ws://b",
            false,
            "a",
            80,
            "/?q=[1]|{2}&u=ws://b",
            "a",
        ),
        (
            "ws://a/.well-known/x",
            false,
            "a",
            80,
            "/.well-known/x",
            "a",
        ),
        (
            "ws://127.0.0.1:8080",
            false,
            "127.0.0.1",
            8080,
            "/",
            "127.0.0.1:8080",
        ),
        ("ws://[::1]", false, "::1", 80, "/", "[::1]"),
        (
            "wss://[2001:DB8::1]:8443/x",
            true,
            "2001:DB8::1",
            8443,
            "/x",
            "[2001:DB8::1]:8443",
        ),
        (
            "ws://xn--bcher-kva.example/",
            false,
            "xn--bcher-kva.example",
            80,
            "/",
            "xn--bcher-kva.example",
        ),
        (
            "ws://a%20b_c~!$&'()*+,;=d/",
            false,
            "a%20b_c~!$&'()*+,;=d",
            80,
            "/",
            "a%20b_c~!$&'()*+,;=d",
        ),
    ] {
        let parsed = Uri::parse(uri).expect(uri);
        assert_eq!(
            (parsed.is_secure(), parsed.host(), parsed.port()),
            (secure, host, port),
            "{uri}"
        );
        assert_eq!(
            (parsed.resource_name(), &*parsed.host_header()),
            (resource_name, host_header),
            "{uri}"
        );
        assert_eq!(Uri::parse(&parsed.to_string()), Ok(parsed), "{uri}");
    }
}

/// U-01, U-02, U-05, U-06, U-07, U-08, U-09, S-11: what is no URI of a WebSocket.
#[test]
fn an_invalid_uri_is_refused() {
    for (uri, error) in [
        ("", UriError::Scheme),
        ("a.example/chat", UriError::Scheme),
        ("/chat", UriError::Scheme),
        ("ws:a", UriError::Scheme),
        ("ws:/a", UriError::Scheme),
        ("://a", UriError::Scheme),
        ("http://a/", UriError::Scheme),
        ("https://a/", UriError::Scheme),
        ("wsss://a/", UriError::Scheme),
        ("ws://", UriError::Host),
        ("ws:///x", UriError::Host),
        ("ws://:80/", UriError::Host),
        ("ws://?x", UriError::Host),
        ("ws://a:b:80/", UriError::Host),
        ("ws://::1/", UriError::Host),
        ("ws://[::1/", UriError::Host),
        ("ws://[]/", UriError::Host),
        ("ws://[1.2.3.4]/", UriError::Host),
        ("ws://[::1]x/", UriError::Host),
        ("ws://[[::1]]/", UriError::Host),
        ("ws://[fe80::1%25eth0]/", UriError::Host),
        ("ws://a\\b/", UriError::Host),
        ("ws://a\"b/", UriError::Host),
        ("ws://a:0/", UriError::Port),
        ("ws://a:65536/", UriError::Port),
        ("ws://a:+80/", UriError::Port),
        ("ws://a:8o/", UriError::Port),
        ("ws://a:99999999999999999999/", UriError::Port),
        ("ws://a/#", UriError::Fragment),
        ("ws://a/b?c#d", UriError::Fragment),
        ("ws://a#b", UriError::Fragment),
        ("ws://user@a/", UriError::Userinfo),
        ("ws://user:secret@a:80/", UriError::Userinfo),
        ("ws://@a/", UriError::Userinfo),
        ("ws://b\u{fc}cher.example/", UriError::Character),
        ("ws://a/\u{e9}", UriError::Character),
        ("ws://a/b c", UriError::Character),
        (" ws://a/", UriError::Character),
        ("ws://a/\r\nHost:b", UriError::Character),
        ("ws://a/?\n", UriError::Character),
        ("ws://a/\0", UriError::Character),
        ("ws://a/\t", UriError::Character),
        ("ws://a/\u{7f}", UriError::Character),
    ] {
        assert_eq!(Uri::parse(uri), Err(error), "{uri:?}");
    }
}
