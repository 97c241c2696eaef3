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

/// Returns the header fields as a map would be printed.
fn fields(headers: &Headers) -> String {
    let value = |value| String::from_utf8_lossy(value);
    let fields: Vec<_> = headers
        .iter()
        .map(|(name, v)| format!("{name:?}: {:?}", value(v)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn read_request(limits: HeadLimits, pieces: &[&[u8]]) -> Outcome {
    let mut reader = RequestReader::new(limits);
    let mut before = 0;
    for piece in pieces {
        if let Some((request, used)) = reader.receive(piece)? {
            let line = (request.method(), request.target(), request.version());
            return Ok(Some((
                format!("{line:?} {}", fields(request.headers())),
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
                format!("{line:?} {}", fields(response.headers())),
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
    let tight = HeadLimits::default()
        .with_bytes(90)
        .with_start_line(40)
        .with_headers(3);
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
            let limits = HeadLimits::default().with_headers(limit);
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

/// A way to read a head: that of a request or that of a response.
type Read = fn(HeadLimits, &[&[u8]]) -> Outcome;

/// Returns where a reader fails that gets single bytes, and how.
fn failure(read: Read, input: &[u8]) -> Option<(usize, HandshakeError)> {
    let limits = HeadLimits::default();
    let end = (1..=input.len()).find(|&end| {
        let bytes: Vec<_> = input[..end].chunks(1).collect();
        read(limits, &bytes).is_err()
    })?;
    let bytes: Vec<_> = input[..end].chunks(1).collect();
    Some((end - 1, read(limits, &bytes).expect_err("it fails here")))
}

/// Checks that a reader fails at the byte with this index, whatever follows it and however the input
/// is cut.
fn check_failure(read: Read, input: &[u8], at: usize, error: &HandshakeError) {
    let found = failure(read, input);
    assert_eq!(
        found.as_ref(),
        Some(&(at, error.clone())),
        "{}",
        input.escape_ascii()
    );
    let behind: [&[u8]; 4] = [
        b"",
        b"\r\n\r\n",
        b"x: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"\n",
    ];
    for behind in behind {
        let input = [&input[..=at], behind].concat();
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            let outcome = read(HeadLimits::default(), &[first, second]);
            assert_eq!(
                outcome.as_ref(),
                Err(error),
                "cut at {cut}: {}",
                input.escape_ascii()
            );
        }
    }
}

/// S-02, HS-01: a server refuses the greeting of another protocol at the first byte that shows it,
/// and names TLS.
#[test]
fn a_request_of_another_protocol_fails_at_the_byte_that_shows_it() {
    use HandshakeError as E;
    let greetings: [(&[u8], usize, E); 26] = [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0, E::Tls),
        (b"\x15\x03\x01\x00\x02\x02\x46", 0, E::Tls),
        (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f", 0, E::StartLine),
        (b"\x04\x01\x00\x50", 0, E::StartLine),
        (b"\x00\x00\x00\x10", 0, E::StartLine),
        (b"{\"jsonrpc\":\"2.0\"}\r\n", 0, E::StartLine),
        (b" GET / HTTP/1.1\r\n", 0, E::StartLine),
        (b"\xef\xbb\xbfGET / HTTP/1.1\r\n", 0, E::StartLine),
        (b"SSH-2.0-x\r\n", 9, E::StartLine),
        (b"SSH-2.0-OpenSSH_9.6 Debian-3\r\n", 28, E::StartLine),
        (b"Oops\r\n", 4, E::StartLine),
        (b"Oops\n", 4, E::LineEnding),
        (b"HELO x\r\n", 6, E::StartLine),
        (b"EHLO \r\n", 5, E::StartLine),
        (b"GET /\r\n", 5, E::StartLine),
        (b"GET / \r\n", 6, E::StartLine),
        (b"GET  / HTTP/1.1\r\n", 4, E::StartLine),
        (b"GET / XTTP/1.1\r\n", 6, E::StartLine),
        (b"GET / HTTPS/1.1\r\n", 10, E::StartLine),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 11, E::HttpVersion),
        (b"GET / HTTP/1.2\r\n", 13, E::HttpVersion),
        (b"GET / HTTP/1.11\r\n", 14, E::StartLine),
        (b"GET / HTTP/1.1 \r\n", 14, E::StartLine),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n", 5, E::StartLine),
        (b"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", 8, E::StartLine),
        (b"\r\n\x16\x03\x01", 2, E::StartLine),
    ];
    for (input, at, error) in greetings {
        check_failure(read_request, input, at, &error);
    }
    assert!(E::Tls.to_string().contains("TLS"));
    assert_eq!(E::Tls.status(), 400);
}

/// S-02, HC-01, HR-13: a client refuses the greeting of another protocol at the first byte that
/// shows it, and names TLS.
#[test]
fn a_response_of_another_protocol_fails_at_the_byte_that_shows_it() {
    use HandshakeError as E;
    let greetings: [(&[u8], usize, E); 16] = [
        (b"\x15\x03\x01\x00\x02\x02\x46", 0, E::Tls),
        (b"\x16\x03\x03\x00\x7a\x02", 0, E::Tls),
        (b"220 mail.example ESMTP\r\n", 0, E::HttpVersion),
        (b"+OK ready\r\n", 0, E::HttpVersion),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 0, E::HttpVersion),
        (b"<html>", 0, E::HttpVersion),
        (b"\x81\x05Hello", 0, E::HttpVersion),
        (b"\r\nHTTP/1.1 101 X\r\n", 0, E::StartLine),
        (b"\nHTTP/1.1 101 X\r\n", 0, E::LineEnding),
        (b"HTTPS/1.1 101 X\r\n", 4, E::HttpVersion),
        (b"HTTP/2 101 X\r\n", 5, E::HttpVersion),
        (b"HTTP/1.1\r\n", 8, E::StartLine),
        (b"HTTP/1.1 OK\r\n", 9, E::StartLine),
        (b"HTTP/1.1 600 X\r\n", 9, E::StartLine),
        (b"HTTP/1.1 1010 X\r\n", 12, E::StartLine),
        (b"HTTP/1.1 100 C\r\n\r\n220 x\r\n", 18, E::HttpVersion),
    ];
    for (input, at, error) in greetings {
        check_failure(read_response, input, at, &error);
    }
}

/// HS-16, HS-17, HS-18, G-11: in header lines, too, the first bad byte decides.
#[test]
fn a_header_line_fails_at_its_first_bad_byte() {
    use HandshakeError as E;
    for (line, at, error) in [
        ("Host : a", 4, E::HeaderLine),
        (" Host: a", 0, E::HeaderLine),
        ("\tHost: a", 0, E::HeaderLine),
        (": a", 0, E::HeaderLine),
        ("Host\r\n", 4, E::HeaderLine),
        ("H(st: a", 1, E::HeaderLine),
        ("H\u{e9}st: a", 1, E::HeaderLine),
        ("Host: a\0b", 7, E::HeaderLine),
        ("Host: a\u{7f}", 7, E::HeaderLine),
        ("Host: a\rb", 8, E::HeaderLine),
        ("Host: a\r\r\n", 8, E::HeaderLine),
        ("Host: a\r\n b", 9, E::HeaderLine),
        ("Host: a\nA: b", 7, E::LineEnding),
        ("Host\nA: b", 4, E::LineEnding),
        ("\n", 0, E::LineEnding),
        ("\r\r\n", 1, E::LineEnding),
    ] {
        for (read, start) in [
            (read_request as Read, "GET / HTTP/1.1\r\n"),
            (read_request, "GET / HTTP/1.1\r\nA: b\r\n"),
            (read_response, "HTTP/1.1 101 \r\n"),
            (
                read_response,
                "HTTP/1.1 100\r\n\r\nHTTP/1.1 200 X\r\nA: b\r\n",
            ),
        ] {
            let input = format!("{start}{line}");
            check_failure(read, input.as_bytes(), start.len() + at, &error);
        }
    }
}

/// HS-01, HR-13, S-13: a start is refused as soon as no bytes make a head of it, and no earlier: of
/// whatever is taken, some end makes a head that the reader takes as a whole.
#[test]
fn a_start_is_taken_if_some_end_makes_a_head_of_it() {
    const BYTES: &[u8] = b"\0\t\n\r !/:.019AHPTx~\x7f\x80\xe9\x16";
    let requests: (Read, &[&[u8]], &[&[u8]]) = (
        read_request,
        &[
            b"\r\nGET /a HTTP/1.1\r\nA: b\r\n\r\n",
            b"POST * HTTP/1.0\r\n\r\n",
        ],
        &[
            b"\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
        ],
    );
    let responses: (Read, &[&[u8]], &[&[u8]]) = (
        read_response,
        &[
            b"HTTP/1.1 101 X\r\nA: b\r\n\r\n",
            b"HTTP/1.0 200\r\nA:\r\n\r\n",
        ],
        &[b"HTTP/1.1 200 X\r\nA: b\r\n\r\n", b"HTTP/1.0 500\r\n\r\n"],
    );
    for (read, heads, models) in [requests, responses] {
        let ends = || {
            models
                .iter()
                .flat_map(|head| (0..=head.len()).map(|at| &head[at..]))
        };
        let can_become_head = |start: &[u8]| {
            // An interim response is followed by another.
            let is_head = |end| {
                let pieces = [&[start, end].concat(), models[0]];
                matches!(read(HeadLimits::default(), &pieces), Ok(Some(_)))
            };
            ends().any(is_head)
        };
        for head in heads {
            for (place, byte) in (0..head.len()).flat_map(|at| BYTES.iter().map(move |b| (at, *b)))
            {
                let mut changed = head.to_vec();
                changed[place] = byte;
                let fails = failure(read, &changed).map(|(at, _)| at);
                let shows = (0..changed.len()).find(|&at| !can_become_head(&changed[..=at]));
                assert_eq!(fails, shows, "{}", changed.escape_ascii());
            }
        }
    }
}

/// HR-01: the reason phrase is given as it came, in whatever encoding.
#[test]
fn a_reason_is_given_in_its_bytes() {
    let reasons: [(&[u8], &[u8]); 7] = [
        (b" Switching Protocols", b"Switching Protocols"),
        (b" Nicht gefunden: \xdcbung", b"Nicht gefunden: \xdcbung"),
        (
            b" \xe4\xb8\x8d\xe8\xa6\x8b\t!",
            b"\xe4\xb8\x8d\xe8\xa6\x8b\t!",
        ),
        (b" \x80\xff", b"\x80\xff"),
        (b"  X ", b" X "),
        (b" ", b""),
        (b"", b""),
    ];
    for (written, expected) in reasons {
        let head = [b"HTTP/1.1 404", written, b"\r\nA: b\r\n\r\n"].concat();
        for size in [1, 7, head.len()] {
            let mut reader = ResponseReader::new(HeadLimits::default());
            let read = head
                .chunks(size)
                .find_map(|piece| reader.receive(piece).expect("legal"));
            let (response, _) = read.expect("whole");
            assert_eq!(response.reason(), expected, "{}", head.escape_ascii());
        }
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
            assert_eq!(debug, r#"{"Host", "X-One", "x-one", "Empty"}"#);
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
