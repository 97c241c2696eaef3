//! In which order a server looks at a request, so that the error names the part that is wrong (RFC 6455 §4.2.1).
#![cfg(feature = "handshake")]

mod handshake_support;

use handshake_support::{
    HANDSHAKE, VERSION, accept_by, error, head, lines_of, text, with, with_instead, without,
};
use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::Server;

/// How a part of a request stands in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Missing,
    Wrong,
    Right,
}

use State::{Missing, Right, Wrong};

const STATES: [State; 3] = [Missing, Wrong, Right];

/// The parts of a request whose states are tried in every combination: each with its wrong and its right line.
const PARTS: [(&str, &str); 9] = [
    ("Host: a b", "Host: server.example.com"),
    ("Content-Length: 5", "Content-Length: 0"),
    ("Upgrade: h2c", "Upgrade: websocket"),
    ("Connection: keep-alive", "Connection: Upgrade"),
    ("Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 13"),
    (
        "Sec-WebSocket-Key: short",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    (
        "Sec-WebSocket-Protocol: a b",
        "Sec-WebSocket-Protocol: chat",
    ),
    (
        "Sec-WebSocket-Extensions: ;",
        "Sec-WebSocket-Extensions: foo",
    ),
    (
        "Origin: https://evil.example",
        "Origin: https://server.example.com",
    ),
];

/// Names the first wrong part: the rules, once more, one below the other.
fn first_wrong(first_line: &str, states: [State; 9]) -> Option<String> {
    let [
        host,
        body,
        upgrade,
        connection,
        version,
        key,
        protocol,
        extensions,
        origin,
    ] = states;
    let speaks_of_websocket = upgrade == Right
        || [version, key, protocol, extensions]
            .iter()
            .any(|state| *state != Missing);
    let name = |what: &str, name: &str| format!("{what}({name:?})");
    let needed = |state, header: &str| match state {
        Missing => Some(name("Missing", header)),
        Wrong => Some(name("Invalid", header)),
        Right => None,
    };
    let allowed = |state, header: &str| (state == Wrong).then(|| name("Invalid", header));
    let rules = [
        (!speaks_of_websocket).then(|| "NotUpgrade".into()),
        first_line.starts_with("POST").then(|| "Method".into()),
        first_line.ends_with("1.0").then(|| "Http10".into()),
        needed(host, "Host"),
        (body == Wrong).then(|| "Body".into()),
        needed(upgrade, "Upgrade"),
        needed(connection, "Connection"),
        (version != Right).then(|| "UnsupportedVersion".into()),
        needed(key, "Sec-WebSocket-Key"),
        allowed(protocol, "Sec-WebSocket-Protocol"),
        allowed(extensions, "Sec-WebSocket-Extensions"),
        (origin == Wrong).then(|| "OriginRejected".into()),
    ];
    rules.into_iter().flatten().next()
}

/// HS-01, HS-24: whatever is missing or wrong at the same time, one order says which of it is named.
#[test]
fn the_first_wrong_part_is_named() {
    let server = Server::new();
    for first_line in ["GET / HTTP/1.1", "POST / HTTP/1.1", "GET / HTTP/1.0"] {
        for index in 0..STATES.len().pow(9) {
            let mut rest = index;
            let states = core::array::from_fn(|_| {
                let state = STATES[rest % 3];
                rest /= 3;
                state
            });
            let lines =
                PARTS
                    .iter()
                    .zip(states)
                    .filter_map(|((wrong, right), state)| match state {
                        Missing => None,
                        Wrong => Some(*wrong),
                        Right => Some(*right),
                    });
            let head = head(first_line, &lines.collect::<Vec<_>>());
            let found = accept_by(&server, &head).err();
            let found = found.map(|error| match error {
                E::OriginRejected(_) => "OriginRejected".into(),
                error => format!("{error:?}"),
            });
            assert_eq!(found, first_wrong(first_line, states), "{head}");
        }
    }
}

/// HS-01: a request that speaks of WebSocket at all is no plain one.
#[test]
fn any_header_of_websocket_makes_a_request_no_plain_one() {
    for line in [
        "Upgrade: websocket",
        "upgrade: h2c, WebSocket",
        "Sec-WebSocket-Key: x",
        "sec-websocket-version: 13",
        "SEC-WEBSOCKET-ANYTHING:",
        "Sec-WebSocket-: x",
    ] {
        let head = head("GET / HTTP/1.1", &["Host: a", line]);
        let error = error(accept_by(&Server::new(), &head));
        assert!(matches!(error, E::Missing(_)), "{line}: {error:?}");
        assert_eq!(error.status(), 400, "{line}");
    }
    for line in [
        "Accept: text/html",
        "Upgrade: h2c",
        "Upgrade: websocket/13",
        "Connection: Upgrade",
        "Origin: https://evil.example",
        "Sec-WebSocke: x",
        "X-Sec-WebSocket-Key: x",
        "Content-Length: 5",
    ] {
        let head = head("POST * HTTP/1.0", &[line]);
        assert_eq!(
            error(accept_by(&Server::new(), &head)),
            E::NotUpgrade,
            "{line}"
        );
    }
}

/// HS-10, HS-11, HA-13, G-10: any version but one 13 is answered with the one there is, and with how to ask for it.
#[test]
fn any_other_version_is_answered_with_13() {
    let versions = [
        "",
        "8",
        "12",
        "14",
        "0",
        "013",
        "+13",
        "-1",
        "13 x",
        "1 3",
        "256",
        "300",
        "1000",
        "13.0",
        "0x0d",
        "00",
        "13, 8",
        "13,",
        "8, 13",
        "13;",
        "\"13\"",
        "not-a-digit",
        "\u{661}",
    ];
    let mut refused = versions
        .map(|version| with_instead(&format!("{VERSION}: {version}")))
        .to_vec();
    refused.push(without(VERSION));
    refused.extend(["13", "8", ""].map(|version| with(&[&format!("{VERSION}: {version}")])));
    refused.push(with_instead(&format!(
        "{VERSION}: 8\r\nSec-WebSocket-Key: x"
    )));
    for refused in refused {
        let error = error(refused);
        assert_eq!((&error, error.status()), (&E::UnsupportedVersion, 426));
        let response = text(error.response());
        assert_eq!(lines_of(&response, VERSION), ["Sec-WebSocket-Version: 13"]);
        assert_eq!(lines_of(&response, "Upgrade"), ["Upgrade: websocket"]);
    }
    assert!(accept_by(&Server::new(), &head("GET / HTTP/1.1", &HANDSHAKE)).is_ok());
}
