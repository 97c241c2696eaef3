//! The grammar of extension lists (RFC 6455 §9.1).
#![cfg(feature = "handshake")]

use sansocket::handshake::Extension;
use sansocket::handshake::Extensions;
use sansocket::handshake::HandshakeError;
use sansocket::handshake::HeadError;
use sansocket::handshake::HeadLimits;
use sansocket::handshake::Headers;
use sansocket::handshake::RequestReader;

const INVALID: HandshakeError = HandshakeError::Invalid("Sec-WebSocket-Extensions");

fn with_headers(lines: &str, check: impl FnOnce(&Headers)) {
    let head = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
    let mut reader = RequestReader::new(HeadLimits::default());
    let (request, _) = reader
        .receive(head.as_bytes())
        .expect("well-formed")
        .expect("complete");
    check(request.headers());
}

/// G-01: a token is made of these characters and no other.
#[test]
fn tokens_are_made_of_the_characters_of_the_rfc() {
    let token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for byte in 0..=127_u8 {
        let text = char::from(byte).to_string();
        assert_eq!(
            Extension::new(&text).is_ok(),
            token.contains(&text),
            "{text:?}"
        );
        assert_eq!(
            Extensions::parse(&[b'a', b'"', byte]).is_ok()
                || Extensions::parse(&[b'a', byte, b'a']).is_ok(),
            token.contains(&text) || text == "," || text == ";",
            "{text:?}"
        );
    }
    assert!(Extension::new(token).is_ok());
    for byte in 128..=255 {
        assert_eq!(Extensions::parse(&[byte]), Err(INVALID));
    }
}

/// G-02, G-03, G-04, G-05, G-06, G-07, I-07, X-03: what matches the grammar of RFC 6455 §9.1, and
/// how it is written again.
#[test]
fn extensions_are_parsed_and_written_again() {
    for (value, written) in [
        ("foo", "foo"),
        ("deflate-stream", "deflate-stream"),
        (
            "mux; max-channels=4; flow-control, deflate-stream",
            "mux; max-channels=4; flow-control, deflate-stream",
        ),
        ("foo;a;b=1,bar;c=\"2\"", "foo; a; b=1, bar; c=2"),
        (" \tfoo \t;\ta\t=\t1 ,\tbar ", "foo; a=1, bar"),
        (",foo,, ,bar,", "foo, bar"),
        (r#"foo; a="x\y\z""#, "foo; a=xyz"),
        (r#"foo; a="x" , bar"#, "foo; a=x, bar"),
        ("foo; a=1; a=2; a", "foo; a=1; a=2; a"),
        ("foo, foo", "foo, foo"),
        ("Foo; A=B", "Foo; A=B"),
    ] {
        let list = Extensions::parse(value.as_bytes()).expect(value);
        assert_eq!(list.to_string(), written, "{value}");
        assert_eq!(Extensions::parse(written.as_bytes()), Ok(list), "{value}");
    }
}

/// G-02, G-04, G-05, G-06: what does not match it.
#[test]
fn malformed_extension_lists_are_refused() {
    for value in [
        "",
        " ",
        ",",
        ", \t,",
        ";",
        "=",
        "foo;",
        "foo; ,bar",
        "foo;;a",
        "foo; =1",
        "foo; a=",
        "foo; a=,bar",
        "foo; a=;b",
        "foo; a==1",
        "foo=1",
        "foo; a=1 2",
        "foo bar",
        "foo a=1",
        "\"foo\"",
        "foo; \"a\"",
        "foo; \"a\"=1",
        "foo; a=\"\"",
        "foo; a=\"x y\"",
        "foo; a=\"x,y\"",
        "foo; a=\"x;y\"",
        "foo; a=\"x=y\"",
        "foo; a=\"x",
        "foo; a=\"x\\",
        "foo; a=\"x\\\"",
        "foo; a=\"\\\"\"",
        "foo; a=\"\\\\\"",
        "foo; a=\"x\"y",
        "foo; a=\"x\"\"y\"",
        "foo; a=x\"y\"",
        "foo; a='x y'",
        "foo/1",
        "(foo)",
        "foo; a=\u{e9}",
        "foo; a=\"\u{e9}\"",
        "f\u{e9}",
        "foo\0",
        "foo; a=\"\\\u{e9}\"",
    ] {
        assert_eq!(
            Extensions::parse(value.as_bytes()),
            Err(INVALID),
            "{value:?}"
        );
    }
}

/// G-07, HR-14, HS-14: lines are joined as if by a comma; an element does not go on in the next.
#[test]
fn extensions_are_joined_over_lines() {
    let from = |lines: &str| {
        let mut list = Ok(Extensions::new());
        with_headers(lines, |headers| list = Extensions::from_headers(headers));
        list.map(|list| list.to_string())
    };
    let line = "Sec-WebSocket-Extensions";
    assert_eq!(from("Host: a"), Ok(String::new()));
    // The example of RFC 6455 §9.1.
    assert_eq!(
        from(&format!("{line}: foo\r\n{line}: bar; baz=2")),
        Ok("foo, bar; baz=2".into())
    );
    assert_eq!(from(&format!("{line}: ,\r\n{line}: foo")), Ok("foo".into()));
    assert_eq!(from(&format!("{line}:\r\n{line}: ,")), Err(INVALID));
    assert_eq!(
        from(&format!("{line}: foo; a=\"x\r\n{line}: y\"")),
        Err(INVALID)
    );
    assert_eq!(from(&format!("{line}: foo;\r\n{line}: a")), Err(INVALID));
}

/// G-12, G-13: the extension's code sees names, and parameters with a value and without, as sent.
#[test]
fn parameters_come_with_their_values() {
    let list = Extensions::parse(b"foo; a; b=1; a=\"x\", Bar").expect("valid");
    let extensions: Vec<_> = list.iter().collect();
    assert_eq!(extensions.len(), 2);
    assert_eq!(extensions[0].name(), "foo");
    let params: Vec<_> = extensions[0].params().collect();
    assert_eq!(params, [("a", None), ("b", Some("1")), ("a", Some("x"))]);
    assert_eq!(extensions[1].name(), "Bar");
    assert_eq!(extensions[1].params().count(), 0);
    assert!(list.contains("Bar") && !list.contains("bar") && !list.contains("a"));
    assert_eq!(Extensions::new().iter().count(), 0);
}

/// G-04, G-05, S-11: what is no token is not written either.
#[test]
fn extensions_are_built_of_tokens() {
    let foo = Extension::new("foo").expect("a token");
    let built = foo
        .clone()
        .with_param("a", Some("1"))
        .and_then(|foo| foo.with_param("b", None));
    let built = built.expect("tokens");
    assert_eq!(built.to_string(), "foo; a=1; b");
    let mut list = Extensions::new();
    list.push(&built);
    list.push(&foo);
    assert_eq!(Extensions::parse(b"foo;a=1;b,foo"), Ok(list));
    for text in ["", "a b", "a,b", "a;b", "a=b", "\"a\"", "a\r\n", "\u{e9}"] {
        assert_eq!(Extension::new(text), Err(HeadError::Extension), "{text:?}");
        assert_eq!(
            foo.clone().with_param(text, None),
            Err(HeadError::Extension),
            "{text:?}"
        );
        assert_eq!(
            foo.clone().with_param("a", Some(text)),
            Err(HeadError::Extension),
            "{text:?}"
        );
    }
}
