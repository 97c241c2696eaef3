//! What both roles share: heads cut anywhere, header lists, the accept value.
#![cfg(feature = "handshake")]

use sansocket::handshake::HandshakeError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::Headers;
use sansocket::handshake::RequestReader;
use sansocket::handshake::ResponseReader;
use sansocket::handshake::accept_key;

/// What a reader makes of some input: the head as `Debug` prints it and where it ends, or `None` if
/// the head is not complete.
type Outcome = Result<Option<(String, usize)>, HandshakeError>;

fn read_request(limits: HeadLimits, pieces: &[&[u8]]) -> Outcome {
    let mut reader = RequestReader::new(limits);
    let mut before = 0;
    for piece in pieces {
        if let Some((request, used)) = reader.receive(piece)? {
            let line = (request.method(), request.target(), request.version());
            return Ok(Some((
                format!("{line:?} {:?}", request.headers()),
                before + used,
            )));
        }
        before += piece.len();
    }
    Ok(None)
}

fn read_response(limits: HeadLimits, pieces: &[&[u8]]) -> Outcome {
    let mut reader = ResponseReader::new(limits);
    let mut before = 0;
    for piece in pieces {
        if let Some((response, used)) = reader.receive(piece)? {
            let line = (response.status(), response.reason(), response.version());
            return Ok(Some((
                format!("{line:?} {:?}", response.headers()),
                before + used,
            )));
        }
        before += piece.len();
    }
    Ok(None)
}

/// Tells whether a reader finds a head in `input`, which it must take in the same way whole, byte by
/// byte and cut in two at every place.
fn is_head_in_every_way(
    read: fn(HeadLimits, &[&[u8]]) -> Outcome,
    limits: HeadLimits,
    input: &[u8],
) -> bool {
    let whole = read(limits, &[input]);
    let bytes: Vec<_> = input.chunks(1).collect();
    assert_eq!(
        read(limits, &bytes),
        whole,
        "byte by byte: {}",
        input.escape_ascii()
    );
    for cut in 0..=input.len() {
        let (first, second) = input.split_at(cut);
        let outcome = read(limits, &[first, second]);
        assert_eq!(outcome, whole, "cut at {cut}: {}", input.escape_ascii());
    }
    assert_ne!(
        whole,
        Ok(None),
        "the input is complete: {}",
        input.escape_ascii()
    );
    whole.is_ok()
}

/// HS-22, HR-16, S-13: requests and responses, good and bad, however they are cut.
#[test]
fn where_the_input_is_cut_changes_nothing() {
    let tight = HeadLimits {
        bytes: 90,
        start_line: 40,
        headers: 3,
    };
    let good: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET /chat?x HTTP/1.1\r\nHost: a\r\nCookie:  b = \xff \r\nEmpty:\r\n\r\n\x81\x85frames\r\n\r\n",
        b"POST * HTTP/1.0\r\n\r\n\r\n",
        b"GET /012345678901234567890123 HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 0123456789012345678901234567890123456789012345678901234567890123456\r\n\r\n!",
    ];
    for input in good {
        assert!(
            is_head_in_every_way(read_request, tight, input),
            "{}",
            input.escape_ascii()
        );
    }
    let bad: [&[u8]; 15] = [
        b"GET / HTTP/1.1\r\nHost: a\n\r\nmore",
        b"GET / HTTP/1.1\r\nHost: a\r\n\nmore",
        b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\nmore",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\nmore",
        b"GET / HTTP/1.1\r\nHost: a\r\n fold\r\n\r\nmore",
        b"GET / HTTP/1.1\rHost: a\r\n\r\nmore",
        b"GET / HTTP/4.0\r\nHost: a\r\n\r\nmore",
        b"GET /\r\n\r\nmore",
        b"\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET /0123456789012345678901234 HTTP/1.1\r\n\r\n",
        b"GET /0123456789012345678901234567890123456789\n",
        b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 01234567890123456789012345678901234567890123456789012345678901234567\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 01234567890123456789012345678901234567890123456789012345678901234567890\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    ];
    for input in bad {
        assert!(
            !is_head_in_every_way(read_request, tight, input),
            "{}",
            input.escape_ascii()
        );
    }
    let responses: [&[u8]; 3] = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05Hello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody\r\n\r\n",
        b"HTTP/1.1 404 \xff\r\n\r\n",
    ];
    for input in responses {
        assert!(
            is_head_in_every_way(read_response, tight, input),
            "{}",
            input.escape_ascii()
        );
    }
    let bad: [&[u8]; 4] = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 0123456789012345678901234567890123456789\r\n\r\n",
        &b"HTTP/1.1 100 C\r\n\r\n".repeat(9),
    ];
    for input in bad {
        assert!(
            !is_head_in_every_way(read_response, tight, input),
            "{}",
            input.escape_ascii()
        );
    }
}

/// HS-22, S-13: heads of few and of many lines, at and beyond the limits on them.
#[test]
fn where_a_head_of_many_lines_is_cut_changes_nothing() {
    for count in [1, 31, 32, 33, 40] {
        for limit in [count - 1, count, count + 1] {
            let limits = HeadLimits {
                headers: limit,
                ..HeadLimits::default()
            };
            let lines = "A: b\r\n".repeat(count);
            let request = format!("GET / HTTP/1.1\r\n{lines}\r\n");
            let response = format!("HTTP/1.1 101 \r\n{lines}\r\n");
            let allowed = count <= limit;
            let read = is_head_in_every_way(read_request, limits, request.as_bytes());
            assert_eq!(read, allowed, "{count} lines, {limit} allowed");
            let read = is_head_in_every_way(read_response, limits, response.as_bytes());
            assert_eq!(read, allowed, "{count} lines, {limit} allowed");
        }
    }
}

/// HS-23, S-13: every start of a head wants more, and takes in all it is given.
#[test]
fn every_start_of_a_head_wants_more() {
    let head = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for end in 0..head.len() {
        assert_eq!(
            read_request(HeadLimits::default(), &[&head[..end]]),
            Ok(None)
        );
    }
}

/// S-04: a single byte that is changed to any other never panics a reader.
#[test]
fn no_byte_makes_a_reader_panic() {
    fn check<const N: usize>(read: fn(HeadLimits, &[&[u8]]) -> Outcome, head: &[u8; N]) {
        for place in 0..N {
            for byte in 0..=255 {
                let mut head = *head;
                head[place] = byte;
                let outcome = read(HeadLimits::default(), &[&head]);
                let bytewise: Vec<_> = head.chunks(1).collect();
                assert_eq!(read(HeadLimits::default(), &bytewise), outcome);
            }
        }
    }
    check(
        read_request,
        b"GET /chat HTTP/1.1\r\nHost: a\r\nCookie: b\r\n\r\n",
    );
    check(
        read_response,
        b"HTTP/1.1 101 OK\r\nUpgrade: a\r\nB:\r\n\r\n",
    );
}

fn with_headers(lines: &str, check: impl FnOnce(&Headers)) {
    let head = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
    let mut reader = RequestReader::new(HeadLimits::default());
    let (request, _) = reader
        .receive(head.as_bytes())
        .expect("well-formed")
        .expect("complete");
    check(request.headers());
}

/// G-08, G-11: fields keep their order; names have no case, values no whitespace around them.
#[test]
fn fields_are_found_without_regard_to_case() {
    with_headers(
        "Host: a\r\nX-One:\t 1 \t\r\nx-one:2\r\nEmpty: ",
        |headers| {
            let all: Vec<_> = headers.iter().collect();
            let expected = [
                ("Host", &b"a"[..]),
                ("X-One", b"1"),
                ("x-one", b"2"),
                ("Empty", b""),
            ];
            assert_eq!(all, expected);
            assert_eq!(headers.first("X-ONE"), Some(&b"1"[..]));
            assert_eq!(headers.all("X-oNe").collect::<Vec<_>>(), [b"1", b"2"]);
            assert_eq!(headers.first("empty"), Some(&b""[..]));
            assert_eq!(headers.first("x-on"), None);
            assert_eq!(headers.all("").count(), 0);
            let debug = format!("{headers:?}");
            assert_eq!(
                debug,
                r#"{"Host": "a", "X-One": "1", "x-one": "2", "Empty": ""}"#
            );
        },
    );
}

/// G-02, G-03, G-07: the elements of a list, over all its lines; empty ones count for nothing.
#[test]
fn lists_are_joined_over_lines() {
    with_headers("L: a,b ,\t c\r\nOther: x\r\nl:\r\nL: , d e,,", |headers| {
        let elements: Vec<_> = headers.elements("L").collect();
        assert_eq!(elements, [&b"a"[..], b"b", b"c", b"d e"]);
        assert_eq!(headers.elements("M").count(), 0);
    });
}

/// K-01, K-02, K-06, HA-04: the accept value is a plain SHA-1 over the text of the key.
#[test]
fn the_accept_value_answers_the_text_of_the_key() {
    assert_eq!(
        &accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
        b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    assert_ne!(
        accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
        accept_key(b"the sample nonce")
    );
}
