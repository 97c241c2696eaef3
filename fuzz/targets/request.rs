//! The head of a request is the same however it comes; what is accepted is an opening handshake, and answered as one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Offer;
use sansocket::handshake::{
    Accepted, HandshakeError, HeadLimits, HttpVersion, Request, RequestReader, Response,
    ResponseReader, Server, accept_key,
};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::head::{self, RequestLine};

/// How many empty lines may come before a request.
const EMPTY_LINES: usize = 4;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let limits = head::limits(&mut choices);
    let step = usize::from(choices.byte() % 20) + 1;
    let server = server(choices.flag());
    let input = choices.rest();

    let whole = read(limits, input, input.len().max(1));
    for step in [1, step] {
        assert_eq!(show(&read(limits, input, step)), show(&whole));
    }
    judge(&whole, input);
    let mut table = [httparse::EMPTY_HEADER; 600];
    let mut parsed = httparse::Request::new(&mut table);
    let status = parsed.parse(input);
    let Ok(Some((request, used))) = whole else {
        // Stricter than the parser in what is documented: limits, line ends, empty lines before the head, targets.
        if let (Err(error), Ok(httparse::Status::Complete(_))) = (whole, status) {
            assert!(
                head::is_stricter(&error)
                    || head::skip_empty_lines(input).0 > EMPTY_LINES
                    || parsed.path.is_some_and(|path| !path.is_ascii()),
                "{error:?}"
            );
        }
        return;
    };
    assert_eq!(status, Ok(httparse::Status::Complete(used)));
    assert_eq!(Some(request.method()), parsed.method);
    assert_eq!(Some(request.target()), parsed.path);
    assert!(head::same(request.headers(), parsed.headers));
    assert!(used <= limits.bytes && parsed.headers.len() <= limits.headers);

    is_read_again(&request);
    match server.accept(&request) {
        Ok(accepted) => {
            let lines = head::lines(&input[..used]);
            is_handshake(&lines);
            answers(&accepted, &lines);
        }
        Err(error) => assert_eq!(parse(&error.response()).status(), error.status()),
    }
});

fn server(offers: bool) -> Server {
    let server = Server::new();
    if !offers {
        return server;
    }
    let chatting = server.with_subprotocols(["chat"]);
    chatting.with_deflate(Offer::default())
}

type Read = Result<Option<(Request, usize)>, HandshakeError>;

/// Reads a head that comes in pieces.
fn read(limits: HeadLimits, input: &[u8], step: usize) -> Read {
    let mut reader = RequestReader::new(limits);
    let mut before = 0;
    for piece in input.chunks(step) {
        if let Some((request, used)) = reader.receive(piece)? {
            assert!(used <= piece.len());
            return Ok(Some((request, before + used)));
        }
        before += piece.len();
    }
    Ok(None)
}

/// Returns what was read in a form that can be compared.
fn show(read: &Read) -> Result<Option<(Vec<u8>, usize)>, HandshakeError> {
    let found = read.as_ref().map_err(Clone::clone)?;
    let show = |(request, used): &(Request, usize)| (write(request), *used);
    Ok(found.as_ref().map(show))
}

fn write(request: &Request) -> Vec<u8> {
    let (method, target) = (request.method(), request.target());
    let minor = u8::from(request.version() == HttpVersion::Http11);
    let start = format!("{method} {target} HTTP/1.{minor}");
    head::print(start.as_bytes(), request.headers())
}

/// A request that is written as it was read is read alike.
fn is_read_again(request: &Request) {
    let (method, target) = (request.method(), request.target());
    let head = write(request);
    let (again, used) = (read(head::no_limits(), &head, head.len()).expect("good")).expect("whole");
    assert_eq!(used, head.len());
    assert_eq!((again.method(), again.target()), (method, target));
    assert_eq!(again.version(), request.version());
    assert!(again.headers().iter().eq(request.headers().iter()));
}

fn parse(head: &[u8]) -> Response {
    let mut reader = ResponseReader::new(HeadLimits::default());
    let read = reader.receive(head).expect("good");
    read.expect("whole").0
}

/// The rules of RFC 6455 §4.2.2 for a server's response, once more.
fn answers(accepted: &Accepted, lines: &head::Lines) {
    let response = parse(&accepted.response());
    assert_eq!(response.status(), 101);
    let key = lines.values("sec-websocket-key").remove(0);
    let header = |name| response.headers().first(name);
    assert_eq!(
        header("sec-websocket-accept"),
        Some(&accept_key(key.as_bytes())[..])
    );
    assert_eq!(header("upgrade"), Some(&b"websocket"[..]));
    let chosen = accepted.subprotocol();
    assert_eq!(header("sec-websocket-protocol"), chosen.map(str::as_bytes));
    assert!(chosen.is_none_or(|name| lines.has_element("sec-websocket-protocol", name)));
    let extensions = header("sec-websocket-extensions");
    assert_eq!(extensions.is_some(), accepted.deflate().is_some());
}

/// The rules of RFC 9112 §3 for the first line, once more.
fn judge(read: &Read, input: &[u8]) {
    let (skipped, head) = head::skip_empty_lines(input);
    let end = head.windows(4).position(|four| four == b"\r\n\r\n");
    let head = &head[..end.map_or(head.len(), |end| end + 4)];
    let line = head.split(|&byte| byte == b'\r').next();
    let line = head::request_line(line.unwrap_or_default());
    match read {
        Ok(Some((request, _))) => {
            let good = RequestLine::Good {
                method: request.method().as_bytes(),
                target: request.target().as_bytes(),
                minor: u8::from(request.version() == HttpVersion::Http11),
            };
            assert_eq!(line, good);
            assert!(end.is_some() && skipped <= EMPTY_LINES);
        }
        Ok(None) => assert!(end.is_none() && skipped <= EMPTY_LINES),
        Err(HandshakeError::Tls) => assert!(matches!(input[0], 21 | 22)),
        Err(HandshakeError::StartLine) => assert!(
            skipped > EMPTY_LINES || matches!(line, RequestLine::Malformed | RequestLine::Longer)
        ),
        Err(HandshakeError::HttpVersion) => assert_eq!(line, RequestLine::OtherVersion),
        Err(HandshakeError::HeaderLine) => assert!(matches!(line, RequestLine::Good { .. })),
        Err(HandshakeError::LineEnding) => assert!(head::has_odd_line_end(head)),
        Err(error) => assert!(head::is_stricter(error), "{error:?}"),
    }
}

/// The rules of RFC 6455 §4.2.1 for a client's handshake, once more.
fn is_handshake(lines: &head::Lines) {
    let mut start = lines.start.split(' ');
    assert_eq!(start.next(), Some("GET"));
    let target = start.next().expect("a target");
    assert!(target.starts_with('/') || target.to_ascii_lowercase().starts_with("http"));
    assert_eq!(start.next(), Some("HTTP/1.1"));
    assert_eq!(lines.values("host").len(), 1);
    assert!(lines.has_element("upgrade", "websocket"));
    assert!(lines.has_element("connection", "upgrade"));
    let keys = lines.values("sec-websocket-key");
    assert_eq!(keys.len(), 1);
    assert!(keys[0].len() == 24 && keys[0].ends_with("=="));
    assert_eq!(lines.values("sec-websocket-version"), ["13"]);
    // No page of another origin is served unless the server says so.
    let origins = lines.values("origin");
    assert!(origins.len() <= 1);
    if let (Some(origin), true) = (origins.first(), target.starts_with('/')) {
        let (_, authority) = origin.split_once("://").expect("a scheme");
        let host = lines.values("host").remove(0).to_ascii_lowercase();
        let (origin, _) = authority.split_once(':').unwrap_or((authority, ""));
        assert!(authority.starts_with('[') || host.starts_with(&origin.to_ascii_lowercase()));
    }
    assert!(lines.values("transfer-encoding").is_empty());
}
