//! How both ends agree on permessage-deflate (RFC 7692 §5, §7.1).
#![cfg(all(feature = "deflate", feature = "handshake"))]

mod handshake_support;

use proptest::prelude::*;

use sansocket::Role;
use sansocket::deflate::ClientLimit;
use sansocket::deflate::Element;
use sansocket::deflate::NegotiationError as N;
use sansocket::deflate::Offer;
use sansocket::deflate::Params;
use sansocket::handshake::Accepted;
use sansocket::handshake::Client;
use sansocket::handshake::Established;
use sansocket::handshake::Extension;
use sansocket::handshake::Extensions;
use sansocket::handshake::HandshakeError as E;
use sansocket::handshake::HeadError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::ResponseReader;
use sansocket::handshake::Server;

use handshake_support::EXTENSIONS;
use handshake_support::HANDSHAKE;
use handshake_support::accept_by;
use handshake_support::client;
use handshake_support::extension;
use handshake_support::head;
use handshake_support::lines_of;
use handshake_support::read;
use handshake_support::text;

const INVALID: E = E::Invalid(EXTENSIONS);

/// Values that no window has.
const NO_WINDOWS: [&str; 19] = [
    "0",
    "1",
    "7",
    "16",
    "08",
    "09",
    "010",
    "015",
    "+9",
    "-9",
    "9a",
    "a",
    "0x9",
    "1e1",
    "9.0",
    "256",
    "265",
    "18446744073709551625",
    "*",
];

/// What a server makes of a handshake with these lines of offers.
fn accept_lines(wanted: Offer, offers: &[&str]) -> Result<Accepted, E> {
    let lines: Vec<_> = offers
        .iter()
        .map(|line| format!("{EXTENSIONS}: {line}"))
        .collect();
    let mut all = HANDSHAKE.to_vec();
    all.extend(lines.iter().map(String::as_str));
    let server = Server::new().with_deflate(wanted);
    accept_by(&server, &head("GET /chat HTTP/1.1", &all))
}

/// What a server answers to the offers, as it stands in the response.
fn answer(wanted: Offer, offers: &str) -> Option<String> {
    let accepted = accept_lines(wanted, &[offers]).expect(offers);
    let response = text(accepted.response());
    let lines = lines_of(&response, EXTENSIONS);
    assert!(lines.len() <= 1, "{response}");
    assert_eq!(accepted.deflate().is_some(), !lines.is_empty(), "{offers}");
    let value = lines.first()?.strip_prefix("Sec-WebSocket-Extensions: ");
    Some(value.expect("the header as we spell it").into())
}

/// What a client makes of a response with these lines.
fn establish(client: &Client, answers: &[&str]) -> Result<Established, E> {
    let mut lines: Vec<_> = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ]
    .map(String::from)
    .into();
    lines.extend(answers.iter().map(|line| format!("{EXTENSIONS}: {line}")));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let head = head("HTTP/1.1 101 Switching Protocols", &lines);
    let read = ResponseReader::new(HeadLimits::default()).receive(head.as_bytes());
    let (response, _) = read.expect("well-formed").expect("complete");
    client.verify(&response)
}

/// What a client that made these offers agrees on.
fn verify(offers: &[Offer], answer: &str) -> Result<Option<Params>, E> {
    establish(&offering(offers), &[answer]).map(|established| established.deflate())
}

fn offering(offers: &[Offer]) -> Client {
    let mut client = client();
    for &offer in offers {
        client = client.with_deflate(offer);
    }
    client
}

fn list(value: &str) -> Extensions {
    Extensions::parse(value.as_bytes()).expect(value)
}

/// What is agreed on if it is read off the numbers: takeover not by the server, not by the client,
/// bits of the server, of the client.
fn params(server_no: bool, client_no: bool, server_bits: u8, client_bits: u8) -> Params {
    Params::default()
        .with_server_no_context_takeover(server_no)
        .with_client_no_context_takeover(client_no)
        .with_server_max_window_bits(server_bits)
        .with_client_max_window_bits(client_bits)
}

/// Every wish there is: both bools, and the windows of both ends from `windows`.
fn wishes(windows: &[u8]) -> Vec<Offer> {
    let mut wishes = Vec::new();
    for bools in 0..4 {
        for &server_max_window_bits in windows {
            for &client_max_window_bits in windows {
                wishes.push(
                    Offer::default()
                        .with_server_no_context_takeover(bools & 1 == 1)
                        .with_client_no_context_takeover(bools & 2 == 2)
                        .with_server_max_window_bits(server_max_window_bits)
                        .with_client_max_window_bits(client_max_window_bits),
                );
            }
        }
    }
    wishes
}

/// DN-01, DN-02, DP-01, DP-07, DP-11, DP-16: a client offers in one line, in the order of its
/// preference, and always that it can be limited.
#[test]
fn a_client_writes_its_offers() {
    for (offers, value) in [
        (
            vec![Offer::default()],
            "permessage-deflate; client_max_window_bits",
        ),
        (
            vec![
                Offer::default()
                    .with_server_no_context_takeover(true)
                    .with_client_no_context_takeover(true)
                    .with_server_max_window_bits(9)
                    .with_client_max_window_bits(10),
            ],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=9; client_max_window_bits=10",
        ),
        (
            vec![
                Offer::default().with_server_max_window_bits(10),
                Offer::default(),
            ],
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits, \
             permessage-deflate; client_max_window_bits",
        ),
    ] {
        let client = offering(&offers).with_extension(&extension("foo"));
        let request = text(client.request());
        assert_eq!(
            lines_of(&request, EXTENSIONS),
            [format!("{EXTENSIONS}: {value}, foo")]
        );
    }
}

/// DP-11, DP-16, I-11: a number that is no window is taken for the nearest one that is possible; of a client that names no
/// window, a server asks 9 bits at the least.
#[test]
fn windows_out_of_range_are_clamped() {
    for bits in 0..=u8::MAX {
        let offer = Offer::default()
            .with_server_max_window_bits(bits)
            .with_client_max_window_bits(bits);
        let window = bits.clamp(8, 15);
        let text = match window {
            15 => "permessage-deflate; client_max_window_bits".into(),
            _ => format!(
                "permessage-deflate; server_max_window_bits={window}; client_max_window_bits={window}"
            ),
        };
        assert_eq!(offer.element().to_string(), text);
        let answered = answer(offer, "permessage-deflate; client_max_window_bits");
        let asked = bits.clamp(9, 15);
        let text = match window {
            15 => "permessage-deflate".into(),
            _ => format!(
                "permessage-deflate; server_max_window_bits={window}; client_max_window_bits={asked}"
            ),
        };
        assert_eq!(answered, Some(text));
    }
}

/// DN-03, DN-04, DN-13, DP-02, DP-05, DP-08, DP-12, DP-14, DP-17, DP-20, I-05, I-07, I-08, I-09: the
/// server's answer says what is agreed on and nothing that goes without saying; it takes up the
/// hints of the client, and limits the client only where that is offered.
#[test]
fn a_server_answers_with_what_must_be_said() {
    let small = Offer::default()
        .with_server_max_window_bits(11)
        .with_client_max_window_bits(10);
    let forgetful = Offer::default()
        .with_server_no_context_takeover(true)
        .with_client_no_context_takeover(true);
    for (wanted, offer, answered) in [
        (Offer::default(), "", ""),
        (Offer::default(), "; client_max_window_bits", ""),
        (Offer::default(), "; client_max_window_bits=15", ""),
        (
            Offer::default(),
            "; client_max_window_bits=12",
            "; client_max_window_bits=12",
        ),
        (
            Offer::default(),
            "; client_max_window_bits=\"12\"",
            "; client_max_window_bits=12",
        ),
        (
            Offer::default(),
            "; server_max_window_bits=15",
            "; server_max_window_bits=15",
        ),
        (
            Offer::default(),
            "; server_max_window_bits=9",
            "; server_max_window_bits=9",
        ),
        (
            Offer::default(),
            " ;\tserver_max_window_bits = \"10\"",
            "; server_max_window_bits=10",
        ),
        (
            Offer::default(),
            "; server_no_context_takeover",
            "; server_no_context_takeover",
        ),
        (
            Offer::default(),
            "; client_no_context_takeover",
            "; client_no_context_takeover",
        ),
        (
            Offer::default(),
            "; client_max_window_bits; client_no_context_takeover; server_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            forgetful,
            "",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        (small, "", "; server_max_window_bits=11"),
        (
            small,
            "; client_max_window_bits",
            "; server_max_window_bits=11; client_max_window_bits=10",
        ),
        (
            small,
            "; client_max_window_bits=12; server_max_window_bits=12",
            "; server_max_window_bits=11; client_max_window_bits=10",
        ),
        (
            small,
            "; client_max_window_bits=9; server_max_window_bits=10",
            "; server_max_window_bits=10; client_max_window_bits=9",
        ),
    ] {
        let offer = format!("permessage-deflate{offer}");
        let answered = format!("permessage-deflate{answered}");
        assert_eq!(answer(wanted, &offer), Some(answered), "{offer}");
    }
}

/// DN-06, DN-10, DP-01, DP-11, DP-12, DP-16, X-04, I-08, I-10: what has an unknown parameter, an
/// invalid value, a parameter twice, or asks for what we cannot do is declined, and nothing else:
/// the handshake goes on, and the next offer counts.
#[test]
fn a_server_declines_only_the_offer_that_is_wrong() {
    let mut declined: Vec<String> = [
        "; unknown",
        "; unknown=1",
        "; Server_no_context_takeover",
        "; client_max_window_bits; unknown",
        "; server_no_context_takeover=1",
        "; server_no_context_takeover=\"true\"",
        "; client_no_context_takeover=0",
        "; server_max_window_bits",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits=10; server_max_window_bits=10",
        "; server_max_window_bits=10; server_max_window_bits=11",
        "; client_max_window_bits; client_max_window_bits",
        "; client_max_window_bits=10; client_max_window_bits",
        "; client_max_window_bits; client_max_window_bits=10",
    ]
    .map(String::from)
    .into();
    for value in NO_WINDOWS {
        declined.push(format!("; server_max_window_bits={value}"));
        declined.push(format!("; client_max_window_bits={value}"));
    }
    let declined = declined
        .iter()
        .map(|params| format!("permessage-deflate{params}"));
    let others = [
        "x-webkit-deflate-frame",
        "Permessage-Deflate",
        "foo; permessage-deflate",
    ];
    for offer in declined.chain(others.map(String::from)) {
        assert_eq!(answer(Offer::default(), &offer), None, "{offer}");
        let accepted = accept_lines(Offer::default(), &[&offer]).expect("declining is no error");
        assert_eq!(accepted.deflate(), None);
        assert!(accepted.extensions().is_empty());

        let next = "permessage-deflate; server_max_window_bits=9";
        let both = format!("{offer}, {next}");
        assert_eq!(
            answer(Offer::default(), &both).as_deref(),
            Some(next),
            "{both}"
        );
        let accepted =
            accept_lines(Offer::default(), &[&offer, next]).expect("two lines are one list");
        assert_eq!(accepted.extensions().to_string(), next);
        // What comes behind an acceptable offer does not count.
        let both = format!("{next}, {offer}");
        assert_eq!(
            answer(Offer::default(), &both).as_deref(),
            Some(next),
            "{both}"
        );
    }
}

/// DN-02, DN-03, DN-10, X-07: of several offers, in one line or in several, the first that is
/// acceptable is answered; so are the three of the conformance suite.
#[test]
fn a_server_takes_the_first_acceptable_offer() {
    let three = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, \
                 permessage-deflate; server_no_context_takeover, permessage-deflate";
    for (offers, answered) in [
        (
            vec![three],
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
        ),
        (three.rsplit(", ").collect(), "permessage-deflate"),
        (
            vec![
                "foo",
                "permessage-deflate; a, bar",
                "permessage-deflate; server_max_window_bits=12",
            ],
            "permessage-deflate; server_max_window_bits=12",
        ),
    ] {
        let accepted = accept_lines(Offer::default(), &offers).expect("valid");
        assert_eq!(accepted.extensions().to_string(), answered);
        assert_eq!(
            lines_of(&text(accepted.response()), EXTENSIONS),
            [format!("{EXTENSIONS}: {answered}")]
        );
    }
}

/// DN-06, I-05: without an offer, or without the server's will, there is no answer and no header.
#[test]
fn nothing_is_answered_where_nothing_is_agreed() {
    let accepted = accept_lines(Offer::default(), &[]).expect("valid");
    assert_eq!(accepted.deflate(), None);
    assert!(lines_of(&text(accepted.response()), EXTENSIONS).is_empty());

    let line = format!("{EXTENSIONS}: permessage-deflate");
    let lines = [&HANDSHAKE[..], &[&line]].concat();
    let accepted = accept_by(&Server::new(), &head("GET / HTTP/1.1", &lines)).expect("valid");
    assert_eq!(accepted.deflate(), None);
    assert!(lines_of(&text(accepted.response()), EXTENSIONS).is_empty());

    assert_eq!(
        establish(&offering(&[Offer::default()]), &[])
            .expect("declined")
            .deflate(),
        None
    );
}

/// DN-14, HS-14: where the list itself is malformed there is no offer to decline: the handshake
/// fails with 400, though an acceptable offer stands before or behind.
#[test]
fn a_malformed_list_fails_the_handshake() {
    for malformed in [
        "",
        "permessage-deflate;",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate; server_max_window_bits=\"10",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
        "permessage-deflate; =10",
        "permessage-deflate=10",
    ] {
        let good = "permessage-deflate";
        for lines in [
            vec![malformed],
            vec![good, malformed],
            vec![malformed, good],
        ] {
            if malformed.is_empty() && lines.len() > 1 {
                continue; // an empty element of a list counts for nothing
            }
            let error = accept_lines(Offer::default(), &lines).expect_err(malformed);
            assert_eq!((&error, error.status()), (&INVALID, 400), "{malformed}");
        }
        let refused = establish(&offering(&[Offer::default()]), &[malformed]).map(|_| ());
        assert_eq!(refused, Err(INVALID), "{malformed}");
    }
}

/// DN-05, DN-13, DP-03, DP-09, DP-13, DP-15, DP-20, DP-23: the
/// answer alone says what is agreed on, but that a client keeps to its own hints.
#[test]
fn a_client_takes_the_answer_for_what_is_agreed() {
    let all = Offer::default()
        .with_server_no_context_takeover(true)
        .with_client_no_context_takeover(true)
        .with_server_max_window_bits(12)
        .with_client_max_window_bits(11);
    let hints = all
        .with_server_no_context_takeover(false)
        .with_server_max_window_bits(15);
    for (offers, answer, agreed) in [
        (vec![Offer::default()], "", Params::default()),
        (
            vec![Offer::default()],
            "; client_no_context_takeover",
            params(false, true, 15, 15),
        ),
        (
            vec![Offer::default()],
            "; client_max_window_bits=9",
            params(false, false, 15, 9),
        ),
        (
            vec![Offer::default()],
            "; client_max_window_bits=\"10\"",
            params(false, false, 15, 10),
        ),
        (
            vec![Offer::default()],
            "; client_max_window_bits=15",
            Params::default(),
        ),
        (vec![hints], "", params(false, true, 15, 11)),
        (
            vec![hints],
            "; client_max_window_bits=14",
            params(false, true, 15, 11),
        ),
        (
            vec![hints],
            "; client_max_window_bits=10",
            params(false, true, 15, 10),
        ),
        (
            vec![all],
            "; server_max_window_bits=12; server_no_context_takeover",
            params(true, true, 12, 11),
        ),
        (
            vec![all],
            "; server_max_window_bits=8; server_no_context_takeover",
            params(true, true, 8, 11),
        ),
        // The fallback needs nothing; hints hold of the first offer to which the answer belongs.
        (vec![all, Offer::default()], "", Params::default()),
        (
            vec![all, Offer::default()],
            "; server_max_window_bits=13",
            params(false, false, 13, 15),
        ),
        (
            vec![Offer::default(), hints],
            "; server_max_window_bits=13",
            params(false, false, 13, 15),
        ),
    ] {
        let answer = format!("permessage-deflate{answer}");
        let agreed = Ok(Some(agreed));
        assert_eq!(verify(&offers, &answer), agreed, "{offers:?} {answer}");
    }
}

/// E-14, DP-05, DP-14, I-11: what a server does with its own compressor need not be asked for; a
/// window of 8 bits is no trouble to who receives.
#[test]
fn a_client_accepts_limits_of_the_server_unasked() {
    assert_eq!(
        verify(
            &[Offer::default()],
            "permessage-deflate; server_no_context_takeover"
        ),
        Ok(Some(params(true, false, 15, 15)))
    );
    for bits in 8..=15 {
        let answer = format!("permessage-deflate; server_max_window_bits={bits}");
        assert_eq!(
            verify(&[Offer::default()], &answer),
            Ok(Some(params(false, false, bits, 15)))
        );
    }
}

/// HR-08, X-04, DN-11, DN-12, DP-06, DP-19, I-06, I-10: an answer with a parameter that is unknown,
/// repeated, or has an invalid value fails the handshake, whatever else it has.
#[test]
fn a_client_fails_on_an_answer_that_is_invalid() {
    let mut answers: Vec<_> = [
        ("; unknown", N::UnknownParameter),
        ("; unknown=1", N::UnknownParameter),
        ("; Client_no_context_takeover", N::UnknownParameter),
        ("; server_no_context_takeover=1", N::InvalidValue),
        ("; client_no_context_takeover=\"1\"", N::InvalidValue),
        ("; server_max_window_bits", N::InvalidValue),
        ("; client_max_window_bits", N::InvalidValue),
        (
            "; server_no_context_takeover; server_no_context_takeover",
            N::RepeatedParameter,
        ),
        (
            "; client_no_context_takeover; client_no_context_takeover",
            N::RepeatedParameter,
        ),
        (
            "; server_max_window_bits=10; server_max_window_bits=10",
            N::RepeatedParameter,
        ),
        (
            "; client_max_window_bits=10; client_max_window_bits=\"10\"",
            N::RepeatedParameter,
        ),
        (
            "; client_max_window_bits; client_max_window_bits=10",
            N::RepeatedParameter,
        ),
        (
            "; client_max_window_bits=10; client_max_window_bits",
            N::RepeatedParameter,
        ),
    ]
    .map(|(params, error)| (String::from(params), error))
    .into();
    for value in NO_WINDOWS {
        for side in ["server", "client"] {
            answers.push((format!("; {side}_max_window_bits={value}"), N::InvalidValue));
        }
    }
    for (params, error) in answers {
        let answer = format!("permessage-deflate{params}");
        assert_eq!(
            verify(&[Offer::default()], &answer),
            Err(E::Deflate(error)),
            "{answer}"
        );
        // No other offer makes it valid.
        let small = Offer::default().with_server_max_window_bits(10);
        assert_eq!(
            verify(&[small, Offer::default()], &answer),
            Err(E::Deflate(error))
        );
    }
}

/// DN-07, DN-11, DP-03, DP-13: an answer that does not grant what each of our offers requests
/// belongs to none of them.
#[test]
fn a_client_fails_on_an_answer_to_no_offer() {
    let forgetful = Offer::default().with_server_no_context_takeover(true);
    let small = Offer::default().with_server_max_window_bits(10);
    let both = forgetful.with_server_max_window_bits(9);
    for (offers, answer) in [
        (vec![forgetful], ""),
        (vec![forgetful], "; client_no_context_takeover"),
        (vec![small], ""),
        (vec![small], "; server_max_window_bits=11"),
        (
            vec![small],
            "; server_no_context_takeover; client_max_window_bits=10",
        ),
        (vec![both], "; server_max_window_bits=9"),
        (vec![both], "; server_no_context_takeover"),
        (vec![small, forgetful], ""),
        (vec![small, forgetful], "; server_max_window_bits=15"),
    ] {
        let answer = format!("permessage-deflate{answer}");
        assert_eq!(
            verify(&offers, &answer),
            Err(E::Deflate(N::NotOffered)),
            "{offers:?} {answer}"
        );
        // With a fallback it belongs to that.
        let fallback = [offers, vec![Offer::default()]].concat();
        assert!(verify(&fallback, &answer).is_ok(), "{answer}");
    }
    let unoffered = verify(&[], "permessage-deflate");
    assert_eq!(unoffered, Err(E::NotOffered(EXTENSIONS)));
}

/// DP-17, DP-18, DN-11, I-09: a server that limits a client which did not offer it is wrong. Our
/// client always offers it; who writes the offers otherwise has the answer checked the same way.
#[test]
fn a_limit_of_the_client_must_be_offered() {
    let answer = list("permessage-deflate; client_max_window_bits=12");
    for (offered, result) in [
        ("permessage-deflate", Err(E::Deflate(N::NotOffered))),
        (
            "permessage-deflate; server_no_context_takeover",
            Err(E::Deflate(N::NotOffered)),
        ),
        (
            "permessage-deflate, permessage-deflate; client_max_window_bits",
            Ok(Some(params(false, false, 15, 12))),
        ),
        // It takes an offer that is valid.
        (
            "permessage-deflate, permessage-deflate; client_max_window_bits=16",
            Err(E::Deflate(N::NotOffered)),
        ),
        ("foo", Err(E::Deflate(N::NotOffered))),
    ] {
        assert_eq!(answer.verify_deflate(&list(offered)), result, "{offered}");
    }
}

/// DN-12, DP-12, DP-19, I-11: either end agrees to a window of 8 bits for its own compressor; a server limits a client so that
/// asks for it.
#[test]
fn a_window_of_8_bits_is_agreed_on() {
    let smallest = Offer::default()
        .with_server_max_window_bits(8)
        .with_client_max_window_bits(8);
    let hinting = Offer::default().with_client_max_window_bits(8);
    for offer in [Offer::default(), hinting] {
        assert_eq!(
            verify(&[offer], "permessage-deflate; client_max_window_bits=8"),
            Ok(Some(params(false, false, 15, 8)))
        );
    }
    let limiting = "permessage-deflate; server_max_window_bits=8";
    for wanted in [Offer::default(), smallest] {
        assert_eq!(answer(wanted, limiting).as_deref(), Some(limiting));
    }
    let hinted = answer(
        Offer::default(),
        "permessage-deflate; client_max_window_bits=8",
    );
    assert_eq!(
        hinted.as_deref(),
        Some("permessage-deflate; client_max_window_bits=8")
    );
}

/// HR-08, X-08, DN-07, DN-08, I-06: permessage-deflate accepted twice would claim its bit twice.
#[test]
fn a_client_fails_on_two_answers() {
    let client = offering(&[
        Offer::default(),
        Offer::default().with_server_max_window_bits(10),
    ]);
    let twice = "permessage-deflate, permessage-deflate; server_max_window_bits=10";
    let lines: Vec<_> = twice.split(", ").collect();
    for answers in [&[twice][..], &lines] {
        let refused = establish(&client, answers).map(|_| ());
        assert_eq!(refused, Err(E::Repeated(EXTENSIONS)));
    }
    let offered = list("permessage-deflate");
    let refused = list(twice).verify_deflate(&offered);
    assert_eq!(refused, Err(E::Repeated(EXTENSIONS)));
}

/// X-08, DN-08, DN-09: together with another extension that is known to use RSV1 a client fails; a
/// server does not accept one, and puts permessage-deflate first, where it is not applied to what
/// another has made.
#[test]
fn extensions_do_not_share_the_bit() {
    for other in [
        "permessage-bzip2",
        "x-webkit-deflate-frame",
        "deflate-frame",
    ] {
        let client = offering(&[Offer::default()])
            .with_extension(&extension(other))
            .with_extension(&extension("foo"));
        for answer in [
            format!("permessage-deflate, {other}"),
            format!("{other}, foo, permessage-deflate"),
        ] {
            let refused = establish(&client, &[&answer]).map(|_| ());
            assert_eq!(refused, Err(E::Deflate(N::Conflict)), "{answer}");
        }
        let alone = establish(&client, &[other]).expect("no conflict");
        assert_eq!(alone.deflate(), None);
        let harmless = establish(&client, &["permessage-deflate, foo"]).expect("no conflict");
        assert_eq!(harmless.deflate(), Some(Params::default()));

        let offers = format!("foo, {other}, permessage-deflate");
        let mut accepted = accept_lines(Offer::default(), &[&offers]).expect("valid");
        let conflict = accepted.accept_extension(&extension(other)).map(|_| ());
        assert_eq!(conflict, Err(HeadError::ExtensionConflict));
        let twice = accepted.accept_extension(&extension("permessage-deflate"));
        assert_eq!(twice.map(|_| ()), Err(HeadError::ExtensionRepeated));
        accepted
            .accept_extension(&extension("foo"))
            .expect("no conflict");
        assert_eq!(accepted.extensions().to_string(), "permessage-deflate, foo");

        let mut without = accept_lines(Offer::default(), &["foo", other]).expect("valid");
        without
            .accept_extension(&extension(other))
            .expect("no conflict");
    }
}

/// I-12: one connection can be left out, for a client that is known to do it wrong.
#[test]
fn a_server_can_decline_for_one_connection() {
    let mut accepted = accept_lines(Offer::default(), &["permessage-deflate, foo"]).expect("valid");
    accepted
        .accept_extension(&extension("foo"))
        .expect("offered");
    assert_eq!(accepted.deflate(), Some(Params::default()));
    accepted.decline_deflate();
    assert_eq!(accepted.deflate(), None);
    assert_eq!(accepted.extensions().to_string(), "foo");
    accepted.decline_deflate();
    assert_eq!(accepted.extensions().to_string(), "foo");

    let mut accepted = accept_lines(Offer::default(), &["permessage-deflate"]).expect("valid");
    accepted.decline_deflate();
    assert!(lines_of(&text(accepted.response()), EXTENSIONS).is_empty());
    // What the caller accepts by itself is the caller's.
    let own = extension("permessage-deflate");
    accepted.accept_extension(&own).expect("offered");
    accepted.decline_deflate();
    assert_eq!(
        (accepted.extensions().to_string(), accepted.deflate()),
        ("permessage-deflate".into(), None)
    );
}

/// who offers the extension without our help judges its parameters alone, too.
#[test]
fn offers_of_the_callers_own_are_the_callers() {
    let client = client().with_extension(&extension("permessage-deflate"));
    let answer = "permessage-deflate; server_max_window_bits=7";
    let established = establish(&client, &[answer]).expect("not ours to judge");
    assert_eq!(established.deflate(), None);
    assert_eq!(established.extensions().to_string(), answer);
}

/// DP-22, DP-02, DP-12: the offers of RFC 7692 §7.1.3, and the answers to them.
#[test]
fn the_examples_of_the_rfc() {
    assert_eq!(
        answer(Offer::default(), "permessage-deflate").as_deref(),
        Some("permessage-deflate")
    );
    let first = "permessage-deflate; client_max_window_bits; server_max_window_bits=10";
    let limited = "permessage-deflate; server_max_window_bits=10";
    assert_eq!(answer(Offer::default(), first).as_deref(), Some(limited));
    let both = format!("{first}, permessage-deflate; client_max_window_bits");
    assert_eq!(answer(Offer::default(), &both).as_deref(), Some(limited));

    let small = params(false, false, 10, 15);
    assert_eq!(list(limited).verify_deflate(&list(&both)), Ok(Some(small)));
    let plain = list("permessage-deflate");
    assert_eq!(
        plain.verify_deflate(&list(&both)),
        Ok(Some(Params::default()))
    );
    // "the server must not accept the offer with an extension negotiation response that includes
    // the "client_max_window_bits" extension parameter"
    assert_eq!(plain.verify_deflate(&plain), Ok(Some(Params::default())));
    let limiting = list("permessage-deflate; client_max_window_bits=10");
    assert_eq!(
        limiting.verify_deflate(&plain),
        Err(E::Deflate(N::NotOffered))
    );
    let refused = plain.verify_deflate(&list(first));
    assert_eq!(refused, Err(E::Deflate(N::NotOffered)));
}

/// DP-16, DP-18: a client that does not offer to be limited fails on an answer that limits it.
#[test]
fn a_client_need_not_offer_to_be_limited() {
    for client_max_window_bits in [8, 10, 15] {
        let offer = Offer::default()
            .with_client_max_window_bits(client_max_window_bits)
            .with_client_limit(ClientLimit::Never);
        let request = text(offering(&[offer]).request());
        let offered = format!("{EXTENSIONS}: permessage-deflate");
        assert_eq!(lines_of(&request, EXTENSIONS), [offered]);
        let answered = verify(&[offer], "permessage-deflate");
        assert_eq!(answered, Ok(Some(Params::default())));
        for bits in 8..=15 {
            let answer = format!("permessage-deflate; client_max_window_bits={bits}");
            assert_eq!(verify(&[offer], &answer), Err(E::Deflate(N::NotOffered)));
            assert!(
                verify(&[offer, Offer::default()], &answer).is_ok(),
                "of the second offer"
            );
        }
    }
    for client_limit in [ClientLimit::Optional, ClientLimit::Required] {
        let offer = Offer::default().with_client_limit(client_limit);
        assert_eq!(offer.element(), Offer::default().element());
    }
}

/// DN-04, DN-10, DP-17: a server takes the first offer that has none of the parameters it declines and the one that it
/// requires; that it declines others changes nothing of the answer.
#[test]
fn a_server_declines_what_it_does_not_want() {
    let bools = [false, true];
    let mut offers = Vec::new();
    for (takeover, bits) in bools.into_iter().flat_map(|a| bools.map(|b| (a, b))) {
        for client_limit in [ClientLimit::Never, ClientLimit::Optional] {
            offers.push(
                Offer::default()
                    .with_server_no_context_takeover(takeover)
                    .with_server_max_window_bits(if bits { 10 } else { 15 })
                    .with_client_limit(client_limit),
            );
        }
    }
    let all = offers
        .iter()
        .flat_map(|first| offers.iter().map(move |second| [first, second]));
    for offered in all {
        let list = offered.map(|offer| offer.element().to_string()).join(", ");
        for (takeover, bits) in bools.into_iter().flat_map(|a| bools.map(|b| (a, b))) {
            for client_limit in [
                ClientLimit::Never,
                ClientLimit::Optional,
                ClientLimit::Required,
            ] {
                let own = Offer::default().with_client_max_window_bits(12);
                let wanted = own
                    .with_client_limit(client_limit)
                    .with_declines_server_no_context_takeover(takeover)
                    .with_declines_server_max_window_bits(bits);
                let taken = offered.into_iter().find(|offer| {
                    let takeover = takeover && offer.server_no_context_takeover;
                    let bits = bits && offer.server_max_window_bits < 15;
                    let limit = client_limit == ClientLimit::Required
                        && offer.client_limit == ClientLimit::Never;
                    !takeover && !bits && !limit
                });
                let expected = taken.and_then(|offer| answer(own, &offer.element().to_string()));
                assert_eq!(answer(wanted, &list), expected, "{list} to {wanted:?}");
            }
        }
    }
    // A limit of 15 bits is one that the client has asked for.
    let wanted = Offer::default().with_declines_server_max_window_bits(true);
    assert_eq!(
        answer(wanted, "permessage-deflate; server_max_window_bits=15"),
        None
    );
}

/// I-08: browsers, and a client that fails unless both its parameters come back.
#[test]
fn the_offers_of_the_field_are_answered() {
    let limiting = Offer::default().with_client_max_window_bits(12);
    for (offer, answered) in [
        (
            "permessage-deflate; client_max_window_bits",
            Some("permessage-deflate; client_max_window_bits=12"),
        ),
        ("permessage-deflate", Some("permessage-deflate")),
        ("x-webkit-deflate-frame", None),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
    ] {
        assert_eq!(answer(limiting, offer).as_deref(), answered, "{offer}");
    }
}

/// DN-04, DN-05, DP-02, DP-04, DP-09, DP-10, DP-12, DP-14, DP-20, DP-21, DP-23, I-11: whatever
/// both ends want, they agree on the same: what either wants, and never on more than either.
#[test]
fn both_ends_agree_on_the_same_for_all_wishes() {
    let wishes = wishes(&[8, 9, 10, 11, 12, 13, 14, 15]);
    for &client in &wishes {
        let offered = client.element().to_string();
        let offered = Extensions::parse(offered.as_bytes()).expect("the grammar holds");
        for &server in &wishes {
            let answered = offered.answer_deflate(server);
            let agreed = Params::default()
                .with_server_no_context_takeover(
                    client.server_no_context_takeover || server.server_no_context_takeover,
                )
                .with_client_no_context_takeover(
                    client.client_no_context_takeover || server.client_no_context_takeover,
                )
                .with_server_max_window_bits(
                    server
                        .server_max_window_bits
                        .min(client.server_max_window_bits),
                )
                .with_client_max_window_bits(
                    server
                        .client_max_window_bits
                        .max(9)
                        .min(client.client_max_window_bits),
                );
            let answered = answered.expect("a valid offer");
            assert_eq!(answered.params(), agreed, "{client:?} {server:?}");
            let answered = list(&answered.to_string());
            assert_eq!(
                answered.verify_deflate(&offered),
                Ok(Some(agreed)),
                "{client:?} {server:?}"
            );
        }
    }
}

/// DN-02, DN-03, DN-05, DP-23: the same over whole handshakes, with a fallback behind the offer.
#[test]
fn both_ends_agree_over_whole_handshakes() {
    let wishes = wishes(&[8, 9, 15]);
    for &wanted in &wishes {
        let server = Server::new().with_deflate(wanted);
        for &offer in &wishes {
            let client = offering(&[offer, Offer::default()]);
            let request = read(&client.request()).expect("well-formed");
            let accepted = server.accept(&request).expect("valid");
            let read = ResponseReader::new(HeadLimits::default()).receive(&accepted.response());
            let (response, _) = read.expect("well-formed").expect("complete");
            let established = client.verify(&response).expect("valid");
            assert!(accepted.deflate().is_some());
            assert_eq!(
                accepted.deflate(),
                established.deflate(),
                "{offer:?} {wanted:?}"
            );
            assert_eq!(accepted.extensions(), established.extensions());
        }
    }
}

/// DP-23: what is said of a role is what its compressor does.
#[test]
fn the_parameters_of_a_role_are_those_of_its_compressor() {
    let params = params(true, false, 9, 12);
    assert!(params.no_context_takeover(Role::Server));
    assert!(!params.no_context_takeover(Role::Client));
    assert_eq!(params.window_bits(Role::Server), 9);
    assert_eq!(params.window_bits(Role::Client), 12);
    let default = Params::default();
    for role in [Role::Client, Role::Server] {
        assert!(!default.no_context_takeover(role));
        assert_eq!(default.window_bits(role), 15);
    }
}

/// DN-13, DP-01, DP-06, DP-07, DP-11, DP-16, DP-19: every element that there is, parsed in any order of
/// its parameters, is written so that it parses to the same.
#[test]
fn every_element_is_parsed_and_written_again() {
    let numbers = ["8", "9", "10", "11", "12", "13", "14", "15"];
    let flag = |name| [vec![], vec![(name, None)]];
    let values = |name| numbers.iter().map(move |&value| vec![(name, Some(value))]);
    let server_bits: Vec<_> = [vec![]]
        .into_iter()
        .chain(values("server_max_window_bits"))
        .collect();
    let client_bits: Vec<_> = flag("client_max_window_bits")
        .into_iter()
        .chain(values("client_max_window_bits"))
        .collect();
    let mut count = 0;
    for server_no in flag("server_no_context_takeover") {
        for client_no in flag("client_no_context_takeover") {
            for server in &server_bits {
                for client in &client_bits {
                    let mut params = [&server_no[..], &client_no, server, client].concat();
                    let element = Element::parse(params.iter().copied()).expect("valid");
                    let written = Extension::from(element);
                    assert_eq!(written.to_string(), element.to_string());
                    assert_eq!(written.params().collect::<Vec<_>>(), params);
                    params.reverse();
                    assert_eq!(Element::parse(params), Ok(element));
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 2 * 2 * 9 * 10);
}

/// DN-11: what is wrong is said in one line, as in all our errors; only a gateway answers with it.
#[test]
fn errors_say_what_is_wrong() {
    for error in [
        N::UnknownParameter,
        N::InvalidValue,
        N::RepeatedParameter,
        N::NotOffered,
        N::Conflict,
    ] {
        let message = error.to_string();
        assert!(message.starts_with("permessage-deflate ") && !message.ends_with('.'));
        assert_eq!(E::Deflate(error).to_string(), message);
        assert_eq!(E::Deflate(error).status(), 502);
        assert!(E::Deflate(error).response().starts_with(b"HTTP/1.1 502 "));
    }
}

/// Something like an element, mostly one that is almost valid.
fn element() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        9 => "(server|client)_(max_window_bits|no_context_takeover)",
        1 => "[a-z]{1,3}",
    ];
    let value = prop_oneof![
        5 => Just(String::new()),
        5 => "=([89]|1[0-5])",
        1 => "=\"(8|1[0-5])\"",
        1 => "=[0-9+a]{1,3}",
    ];
    let extension = prop_oneof![9 => Just("permessage-deflate"), 1 => Just("foo")];
    let params = prop::collection::vec((name, value), 0..4);
    (extension, params).prop_map(|(extension, params)| {
        params
            .iter()
            .fold(extension.into(), |text: String, (name, value)| {
                format!("{text}; {name}{value}")
            })
    })
}

fn any_offer() -> impl Strategy<Value = Offer> {
    const LIMITS: [ClientLimit; 3] = [
        ClientLimit::Never,
        ClientLimit::Optional,
        ClientLimit::Required,
    ];
    let choices = (
        any::<[bool; 4]>(),
        any::<[u8; 2]>(),
        prop::sample::select(&LIMITS[..]),
    );
    choices.prop_map(|(bools, bits, client_limit)| {
        Offer::default()
            .with_server_no_context_takeover(bools[0])
            .with_client_no_context_takeover(bools[1])
            .with_server_max_window_bits(bits[0] % 20)
            .with_client_max_window_bits(bits[1] % 20)
            .with_client_limit(client_limit)
            .with_declines_server_no_context_takeover(bools[2])
            .with_declines_server_max_window_bits(bools[3])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// DN-03, DN-04, DN-05, DN-10, DP-17: whatever is offered, our answer is one that a client
    /// which offered it takes to mean the same; or less of its own compressor, where the server declined an offer that
    /// hints at this and that the answer fits as well.
    #[test]
    fn every_answer_belongs_to_an_offer(
        wanted in any_offer(),
        offers in prop::collection::vec(element(), 1..5),
    ) {
        let offered = list(&offers.join(", "));
        if let Some(answered) = offered.answer_deflate(wanted) {
            let verified = list(&answered.to_string()).verify_deflate(&offered);
            let (verified, said) = (verified.expect("valid").expect("there"), answered.params());
            prop_assert!(verified.client_max_window_bits <= said.client_max_window_bits);
            prop_assert!(verified.client_no_context_takeover >= said.client_no_context_takeover);
            let of_server = verified.with_client_max_window_bits(said.client_max_window_bits).with_client_no_context_takeover(said.client_no_context_takeover);
            prop_assert_eq!(of_server, said);
            let declines = wanted.declines_server_no_context_takeover
                || wanted.declines_server_max_window_bits
                || wanted.client_limit == ClientLimit::Required;
            prop_assert!(declines || verified == said);
        }
    }

    /// DN-11, DP-03, DP-13, DP-18: whatever is answered, it is refused, or grants what some offer requests.
    #[test]
    fn no_answer_goes_beyond_the_offers(
        offers in prop::collection::vec(any_offer(), 1..4),
        answer in prop::collection::vec(element(), 1..3),
    ) {
        if let Ok(Some(agreed)) = verify(&offers, &answer.join(", ")) {
            let granted = offers.iter().any(|offer| {
                agreed.server_max_window_bits <= offer.server_max_window_bits.max(8)
                    && (agreed.server_no_context_takeover || !offer.server_no_context_takeover)
            });
            prop_assert!(granted);
        }
    }
}
