//! From the handshake to the messages: what was agreed on is what both ends do (RFC 7692 §5, §6, §7).
#![cfg(all(feature = "deflate", feature = "handshake"))]

mod common;
mod handshake_support;

use common::rfc1951;
use common::{EXAMPLE_KEY, deflating, fresh, hear, naive, show, take};
use sansocket::deflate::{Offer, Params};
use sansocket::handshake::{Accepted, Established, HeadLimits, ResponseReader, Server};
use sansocket::{Compress, Config, Connection, Message, Role};

/// Runs a handshake and returns how either end ended it, first the client.
fn agree(offer: Option<Offer>, wanted: Option<Offer>) -> (Established, Accepted) {
    let mut client = handshake_support::client();
    if let Some(offer) = offer {
        client = client.with_deflate(offer);
    }
    let mut server = Server::new();
    if let Some(wanted) = wanted {
        server = server.with_deflate(wanted);
    }
    let request = handshake_support::read(&client.request()).expect("well-formed");
    let accepted = server.accept(&request).expect("valid");
    let read = ResponseReader::new(HeadLimits::default()).receive(&accepted.response());
    let (response, _) = read.expect("well-formed").expect("complete");
    let established = client.verify(&response).expect("valid");
    (established, accepted)
}

/// Returns the connections of both ends.
fn open((established, accepted): &(Established, Accepted), config: &Config) -> [Connection; 2] {
    let client = established.connection_with_keys(config, EXAMPLE_KEY);
    [client, accepted.connection(config)]
}

/// Returns the frame in which `conn` sends a message compressed, if it can, having checked that `peer` understands it.
fn send(conn: &mut Connection, peer: &mut Connection, text: &str) -> naive::Frame {
    conn.send(Message::from(text).compress(Compress::Always))
        .expect("open");
    let bytes = take(conn);
    assert_eq!(
        hear(peer, &bytes),
        [format!("text {}", show(text.as_bytes()))]
    );
    naive::parse(&bytes).remove(0)
}

/// DN-04, DN-05, DN-15, DP-02, DP-05, DP-08, DP-09, DP-14, DP-23, DC-06, DC-07, DC-08: whatever either end wants, both
/// agree on the same, and then all messages of both are compressed as that says: each with its own window, and
/// forgotten or not.
#[test]
fn both_ends_do_what_was_agreed_on() {
    let numbers: String = (0..900).map(|i| (i * i * 7).to_string()).collect();
    let wishes = [9, 12, 15].into_iter().flat_map(|bits| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(server, client)| {
            Offer::default()
                .with_server_no_context_takeover(server)
                .with_client_no_context_takeover(client)
                .with_server_max_window_bits(bits)
                .with_client_max_window_bits(24 - bits)
        })
    });
    let wishes: Vec<_> = wishes.collect();
    for &offer in &wishes {
        for &wanted in &wishes {
            let agreed = agree(Some(offer), Some(wanted));
            let params = agreed.0.deflate().expect("agreed");
            assert_eq!(agreed.1.deflate(), Some(params));
            let [mut client, mut server] = open(&agreed, &Config::default());
            for (sender, forgets) in [
                (
                    Role::Client,
                    offer.client_no_context_takeover || wanted.client_no_context_takeover,
                ),
                (
                    Role::Server,
                    offer.server_no_context_takeover || wanted.server_no_context_takeover,
                ),
            ] {
                let (conn, peer) = match sender {
                    Role::Client => (&mut client, &mut server),
                    Role::Server => (&mut server, &mut client),
                };
                let first = send(conn, peer, &numbers);
                let second = send(conn, peer, "0");
                let third = send(conn, peer, &numbers);
                assert_eq!([first.rsv, second.rsv, third.rsv], [4; 3]);
                assert_eq!(
                    first.payload == third.payload,
                    forgets,
                    "{sender:?} {params:?}"
                );
                let (_, blocks) = rfc1951::inflate(&first.payload, &[]).expect("valid");
                let bits = params.window_bits(sender);
                assert!(blocks.iter().all(|block| block.distance <= 1 << bits));
            }
        }
    }
}

/// DN-06, DN-15, DF-04: without an agreement no end sends a compressed message or takes one.
#[test]
fn nothing_is_compressed_without_an_agreement() {
    for (offer, wanted) in [
        (None, Some(Offer::default())),
        (Some(Offer::default()), None),
        (None, None),
    ] {
        let agreed = agree(offer, wanted);
        assert_eq!((agreed.0.deflate(), agreed.1.deflate()), (None, None));
        // Also where the settings come from a connection that compresses.
        let config = Config::default().with_deflate(Params::default());
        let [mut client, mut server] = open(&agreed, &config);
        assert_eq!(send(&mut client, &mut server, "Hello").rsv, 0);
        assert_eq!(send(&mut server, &mut client, "Hello").rsv, 0);
    }
    let mut server = fresh(Role::Server);
    let mut compressing = deflating(Role::Client, Params::default(), &Config::default());
    compressing
        .send(Message::from("Hello").compress(Compress::Always))
        .expect("open");
    let bytes = take(&mut compressing);
    assert_eq!(hear(&mut server, &bytes), ["fails ReservedBits 1002"]);
}

/// DP-24, DP-15, DP-21: unless less is asked for, windows are the largest ones, and those of 10 bits show what they are
/// for: text that comes again within 1,024 bytes is not sent again.
#[test]
fn windows_are_large_enough_to_be_useful() {
    let params = Params::default();
    let (established, _) = agree(Some(Offer::default()), Some(Offer::default()));
    assert_eq!(established.deflate(), Some(params));
    assert!(
        params
            .client_max_window_bits
            .min(params.server_max_window_bits)
            >= 10
    );
    let small = Offer::default().with_server_max_window_bits(10);
    let (established, _) = agree(Some(small), Some(Offer::default()));
    let params = established.deflate().expect("agreed");
    let line: String = (0..50).map(|i| (i * 7919).to_string() + " ").collect();
    let config = Config::default();
    let mut server = deflating(Role::Server, params, &config);
    let mut client = deflating(Role::Client, params, &config);
    let first = send(&mut server, &mut client, &line).payload.len();
    let again = send(&mut server, &mut client, &line).payload.len();
    assert!(line.len() < 700 && again < first / 5, "{first} {again}");
}
