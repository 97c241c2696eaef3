//! The request that a client sends (RFC 6455 §4.1), and both roles together.
#![cfg(feature = "handshake")]

mod handshake_support;

use sansocket::handshake::Client;
use sansocket::handshake::Extensions;
use sansocket::handshake::HeadError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::OriginPolicy;
use sansocket::handshake::RequestReader;
use sansocket::handshake::ResponseReader;
use sansocket::handshake::Server;
use sansocket::handshake::Uri;

use handshake_support::client;
use handshake_support::client_of;
use handshake_support::extension;

fn request_of(client: &Client) -> String {
    String::from_utf8(client.request()).expect("the request is ASCII")
}

/// HC-01, HC-02, HC-03, HC-04, HC-05, HC-06, HC-07, HC-09, HC-11, HC-18, K-01: the whole request,
/// to the byte; nothing follows it.
#[test]
fn the_request_is_that_of_the_rfc() {
    assert_eq!(
        request_of(&client()),
        "GET /chat HTTP/1.1\r\n\
         Host: server.example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
}

/// HC-07, HC-08, K-03: the key is the caller's nonce in base64; another nonce, another key.
#[test]
fn the_key_is_the_nonce_in_base64() {
    let uri = Uri::parse("ws://a").expect("valid");
    for (nonce, key) in [
        (
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
            "AQIDBAUGBwgJCgsMDQ4PEA==",
        ),
        ([0; 16], "AAAAAAAAAAAAAAAAAAAAAA=="),
        ([255; 16], "/////////////////////w=="),
    ] {
        let request = request_of(&Client::new(&uri, nonce));
        assert!(
            request.contains(&format!("\r\nSec-WebSocket-Key: {key}\r\n")),
            "{request}"
        );
    }
}

/// HC-03, HC-04, U-04, U-11: the target and the Host follow the URI.
#[test]
fn the_target_and_the_host_follow_the_uri() {
    for (uri, target, host) in [
        ("ws://a.example", "/", "a.example"),
        ("ws://a.example:80/", "/", "a.example"),
        ("wss://a.example:443/x", "/x", "a.example"),
        ("ws://a.example:443/x?y=z", "/x?y=z", "a.example:443"),
        ("wss://a.example:80", "/", "a.example:80"),
        ("ws://[::1]/", "/", "[::1]"),
        (
            "wss://[2001:db8::1]:8443/%7Ea/../B",
            "/%7Ea/../B",
            "[2001:db8::1]:8443",
        ),
    ] {
        let request = request_of(&client_of(uri));
        let expected = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n");
        assert!(request.starts_with(&expected), "{request}");
        assert_eq!(request.matches("Host:").count(), 1);
    }
}

/// HC-10, HC-12, HC-13, HC-14, HC-15, X-03, X-07: everything that is optional, in the order of the
/// caller's preference, each list in one line.
#[test]
fn the_request_offers_what_the_caller_asks_for() {
    let client = client()
        .with_extension(&extension("foo").with_param("a", Some("1")).expect("tokens"))
        .with_extension(&extension("foo"))
        .with_extension(&extension("bar"))
        .with_subprotocol("v2.example")
        .and_then(|client| client.with_subprotocol("v1.example"))
        .and_then(|client| client.with_origin("https://www.example.com"))
        .and_then(|client| client.with_header("Authorization", "Basic abc"))
        .and_then(|client| client.with_header("Cookie", "a=b; c=d"))
        .expect("all valid");
    assert_eq!(
        request_of(&client)
            .split_once("Sec-WebSocket-Version: 13\r\n")
            .expect("a version")
            .1,
        "Origin: https://www.example.com\r\n\
         Sec-WebSocket-Protocol: v2.example, v1.example\r\n\
         Sec-WebSocket-Extensions: foo; a=1, foo, bar\r\n\
         Authorization: Basic abc\r\n\
         Cookie: a=b; c=d\r\n\r\n"
    );
}

/// HC-12, HC-17, S-11: subprotocols are distinct tokens; case tells them apart.
#[test]
fn a_subprotocol_that_is_no_token_or_repeated_is_not_offered() {
    for name in [
        "", " ", "a b", "a,b", "a\r\n", "\u{e9}", "a/b", "a\"", "(a)", "<a>", "a@b", "a;b", "a:b",
        "a\\", "[a]", "a?", "a=b", "{a}", "a\t", "a\u{7f}",
    ] {
        let result = client().with_subprotocol(name).map(|_| ());
        assert_eq!(result, Err(HeadError::Subprotocol), "{name:?}");
    }
    let client = client()
        .with_subprotocol("chat")
        .and_then(|client| client.with_subprotocol("Chat"))
        .expect("two names");
    let again = client.clone().with_subprotocol("chat").map(|_| ());
    assert_eq!(again, Err(HeadError::SubprotocolRepeated));
    assert!(request_of(&client).contains("\r\nSec-WebSocket-Protocol: chat, Chat\r\n"));
}

/// HC-16, S-11: the caller's headers can neither end a line nor change the handshake.
#[test]
fn extra_request_headers_are_checked() {
    for name in [
        "host",
        "Upgrade",
        "CONNECTION",
        "Origin",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-X",
    ] {
        assert_eq!(
            client().with_header(name, "x").map(|_| ()),
            Err(HeadError::Controlled),
            "{name}"
        );
    }
    for name in ["", "a b", "a:", "a\r\nb", "\u{e9}"] {
        assert_eq!(
            client().with_header(name, "x").map(|_| ()),
            Err(HeadError::Name),
            "{name:?}"
        );
    }
    for value in ["a\r\nb: c", "a\n", "a\r", "a\0"] {
        assert_eq!(
            client().with_header("a", value).map(|_| ()),
            Err(HeadError::Value),
            "{value:?}"
        );
        assert_eq!(
            client().with_origin(value).map(|_| ()),
            Err(HeadError::Value),
            "{value:?}"
        );
    }
}

/// HC-03, HS-22, HR-16, HA-17: whatever one role writes the other accepts, and both agree on what
/// is in use.
#[test]
fn both_roles_understand_each_other() {
    for uri in [
        "ws://a.example",
        "wss://[::1]:8443/chat?x=y",
        "ws://a.example:1/~",
    ] {
        let client = client_of(uri)
            .with_extension(&extension("foo").with_param("a", Some("1")).expect("tokens"))
            .with_extension(&extension("bar"))
            .with_subprotocol("v1")
            .and_then(|client| client.with_subprotocol("v2"))
            .and_then(|client| client.with_origin("https://page.example"))
            .and_then(|client| client.with_header("Cookie", "a=b"))
            .expect("all valid");

        let mut reader = RequestReader::new(HeadLimits::default());
        let (request, _) = reader
            .receive(&client.request())
            .expect("valid")
            .expect("complete");
        let uri = Uri::parse(uri).expect("valid");
        assert_eq!(request.resource_name(), Some(uri.resource_name()));
        assert_eq!(request.authority(), Some(&*uri.host_header()));

        let server = Server::new()
            .with_origins(OriginPolicy::list(["https://page.example"]).expect("an origin"))
            .with_subprotocols(["v2", "v1"]);
        let mut accepted = server.accept(&request).expect("valid");
        accepted
            .accept_extension(&extension("bar"))
            .expect("it was offered");
        let input = [accepted.response(), b"\x89\x00".to_vec()].concat();

        let mut reader = ResponseReader::new(HeadLimits::default());
        let (response, used) = reader.receive(&input).expect("valid").expect("complete");
        let established = client.verify(&response).expect("valid");
        assert_eq!(established.subprotocol(), Some("v2"));
        assert_eq!(established.subprotocol(), accepted.subprotocol());
        assert_eq!(
            established.extensions(),
            &Extensions::parse(b"bar").expect("valid")
        );
        assert_eq!(established.extensions(), accepted.extensions());
        assert_eq!(&input[used..], b"\x89\x00");
    }
}
