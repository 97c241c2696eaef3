//! The head of a response is the same however it comes, and what completes a handshake says so as it must.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::deflate::Offer;
use sansocket::handshake::{
    Client, HandshakeError, HeadLimits, HttpVersion, Response, ResponseReader, Uri, accept_key,
};
use sansocket_fuzz::choices::Choices;
use sansocket_fuzz::head;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let limits = head::limits(&mut choices);
    let step = usize::from(choices.byte() % 20) + 1;
    let offers = choices.flag();
    let input = choices.rest();

    let whole = read(limits, input, input.len().max(1));
    for step in [1, step] {
        assert_eq!(show(&read(limits, input, step)), show(&whole));
    }
    let (response, used) = match whole {
        Ok(Some(read)) => read,
        Ok(None) => return,
        Err(error) => {
            let mut table = [httparse::EMPTY_HEADER; 600];
            let mut parsed = httparse::Response::new(&mut table);
            let complete = matches!(parsed.parse(input), Ok(httparse::Status::Complete(_)));
            // Stricter than the parser in what is documented. Behind an interim response comes another.
            let code = parsed.code.unwrap_or_default();
            let is_final = code == 101 || (200..600).contains(&code);
            assert!(
                !complete || !is_final || head::is_stricter(&error) || starts_empty(input),
                "{error:?}"
            );
            return;
        }
    };
    let from = last_head(&input[..used]);
    let mut table = [httparse::EMPTY_HEADER; 600];
    let mut parsed = httparse::Response::new(&mut table);
    let status = parsed.parse(&input[from..]);
    assert_eq!(status, Ok(httparse::Status::Complete(used - from)));
    assert_eq!(Some(response.status()), parsed.code);
    assert!(head::same(response.headers(), parsed.headers));
    assert!(used - from <= limits.bytes && parsed.headers.len() <= limits.headers);
    is_read_again(&response);

    let client = client(offers);
    if let Ok(established) = client.verify(&response) {
        let lines = head::lines(&input[from..used]);
        completes(&lines);
        let extensions = lines.values("sec-websocket-extensions");
        assert!(offers || extensions.is_empty());
        assert_eq!(established.deflate().is_some(), !extensions.is_empty());
        let chosen = lines.values("sec-websocket-protocol");
        assert!(chosen.len() <= 1);
        assert_eq!(
            established.subprotocol(),
            chosen.first().map(String::as_str)
        );
        assert!(established.subprotocol().is_none_or(|name| name == "chat"));
    }
});

type Read = Result<Option<(Response, usize)>, HandshakeError>;

/// Reads heads that come in pieces.
fn read(limits: HeadLimits, input: &[u8], step: usize) -> Read {
    let mut reader = ResponseReader::new(limits);
    let mut before = 0;
    for piece in input.chunks(step) {
        if let Some((response, used)) = reader.receive(piece)? {
            assert!(used <= piece.len());
            return Ok(Some((response, before + used)));
        }
        before += piece.len();
    }
    Ok(None)
}

/// Returns what was read in a form that can be compared.
fn show(read: &Read) -> Result<Option<(Vec<u8>, usize)>, HandshakeError> {
    let found = read.as_ref().map_err(Clone::clone)?;
    let show = |(response, used): &(Response, usize)| (write(response), *used);
    Ok(found.as_ref().map(show))
}

fn write(response: &Response) -> Vec<u8> {
    let minor = u8::from(response.version() == HttpVersion::Http11);
    let start = format!("HTTP/1.{minor} {:03} ", response.status());
    let start = [start.as_bytes(), response.reason()].concat();
    head::print(&start, response.headers())
}

/// A response that is written as it was read is read alike.
fn is_read_again(response: &Response) {
    let (status, reason) = (response.status(), response.reason());
    let head = write(response);
    let (again, used) = (read(head::no_limits(), &head, head.len()).expect("good")).expect("whole");
    assert_eq!(used, head.len());
    assert_eq!((again.status(), again.reason()), (status, reason));
    assert_eq!(again.version(), response.version());
    assert!(again.headers().iter().eq(response.headers().iter()));
}

fn client(offers: bool) -> Client {
    let uri = Uri::parse("ws://example.com/chat").expect("a URI");
    let mut client = Client::new(&uri, *b"the sample nonce");
    client = client.with_subprotocol("chat").expect("a token");
    if offers {
        client = client.with_deflate(Offer::default());
    }
    client
}

fn starts_empty(input: &[u8]) -> bool {
    input.starts_with(b"\r\n") || input.starts_with(b"\n")
}

/// Returns where the last of several heads begins.
fn last_head(heads: &[u8]) -> usize {
    let behind = heads.len() - 4;
    let before = heads[..behind]
        .windows(4)
        .rposition(|four| four == b"\r\n\r\n");
    before.map_or(0, |at| at + 4)
}

/// The rules of RFC 6455 §4.1 for a server's response, once more.
fn completes(lines: &head::Lines) {
    assert!(lines.start.starts_with("HTTP/1.1 101"));
    let upgrade = lines.values("upgrade");
    assert!(upgrade.len() == 1 && upgrade[0].eq_ignore_ascii_case("websocket"));
    assert!(lines.has_element("connection", "upgrade"));
    let key = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
    let accept = lines.values("sec-websocket-accept");
    assert!(accept.len() == 1 && accept[0].as_bytes() == key);
}
