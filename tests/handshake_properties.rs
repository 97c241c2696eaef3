//! What holds for any handshake: whatever is written is read as the same, and the accept value is what the RFCs compute.
#![cfg(feature = "handshake")]

mod handshake_support;

use handshake_support::{EXTENSIONS, KEY, PROTOCOL};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sansocket::handshake::{
    Accepted, Client, Extension, Extensions, HeadLimits, Headers, OriginPolicy, Request,
    RequestReader, Response, ResponseReader, Server, Uri, accept_key,
};

/// Returns how many inputs are tried.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        cases,
        ..ProptestConfig::default()
    }
}

/// SHA-1 as RFC 3174 §6.1 computes it.
#[expect(clippy::many_single_char_names, reason = "they are those of the RFC")]
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = [message, &[0x80]].concat();
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut h: [u32; 5] = [
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    for block in padded.chunks(64) {
        let words = block.as_chunks().0;
        let mut w: Vec<_> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
        for t in 16..80 {
            w.push((w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = h;
        for (t, word) in w.into_iter().enumerate() {
            // §5 of the same RFC has these functions and constants.
            let (f, k) = match t {
                0..20 => (b & c | !b & d, 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => (b & c | b & d | c & d, 0x8F1B_BCDC_u32),
                _ => (b ^ c ^ d, 0xCA62_C1D6),
            };
            let sum = [a.rotate_left(5), f, e, word, k];
            let temp = sum.into_iter().fold(0, u32::wrapping_add);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, temp);
        }
        for (sum, word) in h.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(word);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_mut(4).zip(h) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Base64 as RFC 4648 §4 has it: 24 bits are four characters, `=` stands where none are left.
fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = (0..3).fold(0, |bits, i| {
            bits << 8 | usize::from(*bytes.get(i).unwrap_or(&0))
        });
        let used = (0..=bytes.len()).map(|i| alphabet[bits >> (18 - 6 * i) & 63]);
        let padded = used.chain([b'='; 2]).take(4);
        padded.map(char::from).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// RFC 6455 §4.2.2: the hash of the key and the identifier, in base64.
fn answer_to(key: &[u8]) -> String {
    base64(&sha1(
        &[key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat(),
    ))
}

proptest! {
    #![proptest_config(cases(300))]

    /// HA-04, HC-07, G-09: the accept value of any key, and the key of any nonce.
    #[test]
    fn keys_are_answered_as_the_rfcs_compute(key in vec(any::<u8>(), 0..150), nonce: [u8; 16]) {
        prop_assert_eq!(accept_key(&key).to_vec(), answer_to(&key).into_bytes());
        let uri = Uri::parse("ws://a").expect("valid");
        let request = request_of(&Client::new(&uri, nonce), &[])?;
        let key = base64(&nonce);
        prop_assert_eq!(request.headers().first(KEY), Some(key.as_bytes()));
    }

    /// HS-08: a key is accepted if it is the base64 of 16 bytes, whatever the bits say that belong to none of them.
    #[test]
    fn only_base64_of_16_bytes_is_a_key(nonce in vec(any::<u8>(), 14..19), change in any::<Option<(Index, char)>>()) {
        let mut key = base64(&nonce);
        if let Some((at, c)) = change.filter(|(_, c)| c.is_ascii_graphic()) {
            let at = at.index(key.len());
            key.replace_range(at..=at, c.encode_utf8(&mut [0; 4]));
        }
        let nonce = decode(&key);
        let canonical = base64(&nonce);
        let is_key = nonce.len() == 16 && key.len() == 24 && key[..21] == canonical[..21] && key.ends_with("==");
        let accepted = handshake_support::with_instead(&format!("{KEY}: {key}"));
        prop_assert_eq!(accepted.is_ok(), is_key, "{}", key);
    }
}

/// Returns the bytes that a text may be the base64 of, whatever stands behind them.
fn decode(text: &str) -> Vec<u8> {
    let value = |c: u8| (0..64).find(|&value| base64(&[value << 2]).as_bytes()[0] == c);
    let bits = text.bytes().map_while(value);
    let bits: Vec<_> = bits
        .flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1))
        .collect();
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    bits.chunks_exact(8).map(byte).collect()
}

/// A URI in its parts: whether it is secure, the host, the port if it stands there, and the rest.
fn uri() -> impl Strategy<Value = (bool, String, Option<u16>, String)> {
    let host = prop_oneof![
        "[a-zA-Z0-9][-a-zA-Z0-9.]{0,20}",
        any::<[u8; 4]>().prop_map(|ip| core::net::Ipv4Addr::from(ip).to_string()),
        any::<[u8; 16]>().prop_map(|ip| format!("[{}]", core::net::Ipv6Addr::from(ip))),
    ];
    let port = prop_oneof![
        Just(None),
        Just(Some(80)),
        Just(Some(443)),
        (1..=u16::MAX).prop_map(Some)
    ];
    let rest = "(/[!$%-;=@-~]{0,20}){0,3}(\\?[!$%-~]{1,20})?";
    (any::<bool>(), host, port, rest)
}

proptest! {
    #![proptest_config(cases(300))]

    /// U-01, U-02, U-03, U-04, U-11: a URI has the parts that it was written of, and is written as it was read.
    #[test]
    fn a_uri_is_read_as_it_was_written((secure, host, port, rest) in uri(), case: [bool; 3]) {
        let scheme = if secure { "wss" } else { "ws" };
        let scheme: String = scheme
            .chars()
            .zip(case)
            .map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c })
            .collect();
        let written = port.map(|port| format!(":{port}")).unwrap_or_default();
        let uri = Uri::parse(&format!("{scheme}://{host}{written}{rest}")).expect("valid");
        let default = if secure { 443 } else { 80 };
        prop_assert_eq!(uri.is_secure(), secure);
        prop_assert_eq!(uri.host(), host.trim_matches(['[', ']']));
        prop_assert_eq!(uri.port(), port.unwrap_or(default));
        let slash = if rest.starts_with('/') { "" } else { "/" };
        prop_assert_eq!(uri.resource_name(), format!("{slash}{rest}"));
        let shown = port.filter(|port| *port != default).map(|port| format!(":{port}"));
        prop_assert_eq!(uri.host_header(), format!("{host}{}", shown.unwrap_or_default()));
        prop_assert_eq!(Uri::parse(&uri.to_string()), Ok(uri));
    }

    /// U-06, U-08, U-09, S-11: whatever is taken for a URI, nothing in it ends a line, and it is read as it is written.
    #[test]
    fn no_uri_has_a_line_in_it(text in "(wss?://)?([a:0-9\\[\\]]{0,6}|\\PC{0,5})[/?#@]?[\\s\\S]{0,9}") {
        if let Ok(uri) = Uri::parse(&text) {
            prop_assert!(uri.resource_name().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(uri.host_header().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(Uri::parse(&uri.to_string()), Ok(uri));
        }
    }
}

const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}";

/// An element of a list: its name and its parameters.
type Element = (String, Vec<(String, Option<String>)>);

fn elements() -> impl Strategy<Value = Vec<Element>> {
    let param = (TOKEN, proptest::option::of(TOKEN));
    vec((TOKEN, vec(param, 0..4)), 1..5)
}

/// Returns the elements as one who writes them may: the next of `forms` says how each part stands.
fn write_elements(elements: &[Element], forms: &mut impl Iterator<Item = u8>) -> String {
    let mut form = || forms.next().unwrap_or(0);
    let mut text = String::new();
    for (name, params) in elements {
        let empty = ["", ", ,", "\t"][usize::from(form() % 3)];
        text.push_str(empty);
        text.push_str(name);
        for (name, value) in params {
            text.push_str([";", "; ", " ;\t"][usize::from(form() % 3)]);
            text.push_str(name);
            let Some(value) = value else { continue };
            text.push_str(["=", " = "][usize::from(form() % 2)]);
            let value = match form() % 3 {
                0 => value.clone(),
                1 => format!("\"{value}\""),
                _ => {
                    let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect();
                    format!("\"{escaped}\"")
                }
            };
            text.push_str(&value);
        }
        text.push_str([",", " , "][usize::from(form() % 2)]);
    }
    text
}

fn build(element: &Element) -> Extension<'_> {
    let (name, params) = element;
    let extension = Extension::new(name).expect("a token");
    params.iter().fold(extension, |extension, (name, value)| {
        extension
            .with_param(name, value.as_deref())
            .expect("tokens")
    })
}

fn read_elements(list: &Extensions) -> Vec<Element> {
    let params = |extension: &Extension<'_>| {
        let params = extension.params();
        params
            .map(|(name, value)| (name.into(), value.map(String::from)))
            .collect()
    };
    list.iter()
        .map(|extension| (extension.name().into(), params(&extension)))
        .collect()
}

proptest! {
    #![proptest_config(cases(300))]

    /// G-02, G-03, G-04, G-05, G-12: extensions are read as they were written, in any form that the grammar has, and
    /// written in one.
    #[test]
    fn extensions_are_read_as_they_were_written(elements in elements(), forms in vec(any::<u8>(), 60)) {
        let mut built = Extensions::new();
        for element in &elements {
            built.push(&build(element));
        }
        prop_assert_eq!(read_elements(&built), elements.clone());
        let written = write_elements(&elements, &mut forms.into_iter());
        let parsed = Extensions::parse(written.as_bytes()).expect("it follows the grammar");
        prop_assert_eq!(&parsed, &built, "{}", written);
        prop_assert_eq!(Extensions::parse(parsed.as_str().as_bytes()), Ok(built));
    }

    /// G-04, S-11: whatever is taken for a list, it is written as one that is read as the same.
    #[test]
    fn no_list_is_read_as_another(value in "[a-b ,;=\"\\\\\t]{0,24}") {
        if let Ok(list) = Extensions::parse(value.as_bytes()) {
            prop_assert!(!list.is_empty());
            let parsed = Extensions::parse(list.as_str().as_bytes());
            prop_assert_eq!(parsed, Ok(list.clone()));
            let rebuilt = read_elements(&list);
            let mut again = Extensions::new();
            for element in &rebuilt {
                again.push(&build(element));
            }
            prop_assert_eq!(again, list);
        }
    }
}

/// Reads a head in pieces that end at `cuts`, and checks that all of it is read, and nothing behind it.
fn read_pieces<T>(
    head: &[u8],
    cuts: &[Index],
    mut receive: impl FnMut(&[u8]) -> Option<(T, usize)>,
) -> Result<T, TestCaseError> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(head.len())).collect();
    at.sort_unstable();
    let mut start = 0;
    for end in at {
        prop_assert!(receive(&head[start..end]).is_none(), "it is not whole");
        start = end;
    }
    let last = [&head[start..], b"behind"].concat();
    let (read, used) = receive(&last).expect("it is whole");
    prop_assert_eq!(used, head.len() - start);
    Ok(read)
}

fn request_of(client: &Client, cuts: &[Index]) -> Result<Request, TestCaseError> {
    let mut reader = RequestReader::new(HeadLimits::default());
    let receive = |piece: &[u8]| reader.receive(piece).expect("legal");
    read_pieces(&client.request(), cuts, receive)
}

fn response_of(accepted: &Accepted, cuts: &[Index]) -> Result<Response, TestCaseError> {
    let mut reader = ResponseReader::new(HeadLimits::default());
    let receive = |piece: &[u8]| reader.receive(piece).expect("legal");
    read_pieces(&accepted.response(), cuts, receive)
}

/// Fields that an application adds.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("[xX]-[a-z]{1,5}", "([!-~]([ \t!-~]{0,20}[!-~])?)?"), 0..4)
}

/// Checks that the last fields of a head are those that were added.
fn check_fields(headers: &Headers, added: &[(String, String)]) -> Result<(), TestCaseError> {
    let all: Vec<_> = headers.iter().collect();
    let added = added
        .iter()
        .map(|(name, value)| (&**name, value.as_bytes()));
    prop_assert_eq!(&all[all.len() - added.len()..], added.collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(cases(100))]

    /// HC-02, HC-03, HC-04, HC-12, HC-15, HA-06, HA-09, HR-19: what one end writes the other reads, in whatever pieces it
    /// comes, and both know the same of what was agreed on.
    #[test]
    fn both_ends_read_what_the_other_wrote(
        (secure, host, port, rest) in uri(),
        nonce: [u8; 16],
        subprotocols in proptest::collection::hash_set(TOKEN, 0..4),
        chosen: Option<Index>,
        offered in elements(),
        origin in proptest::option::of("https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?"),
        fields in [fields(), fields()],
        cuts in vec(any::<Index>(), 0..5),
    ) {
        let scheme = if secure { "wss" } else { "ws" };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let uri = Uri::parse(&format!("{scheme}://{host}{port}{rest}")).expect("valid");
        let mut client = Client::new(&uri, nonce);
        for subprotocol in &subprotocols {
            client = client.with_subprotocol(subprotocol).expect("a token of its own");
        }
        for element in &offered {
            client = client.with_extension(&build(element));
        }
        if let Some(origin) = &origin {
            client = client.with_origin(origin).expect("no control character");
        }
        for (name, value) in &fields[0] {
            client = client.with_header(name, value).expect("legal");
        }
        let request = request_of(&client, &cuts)?;
        prop_assert_eq!(request.method(), "GET");
        prop_assert_eq!(request.resource_name(), Some(uri.resource_name()));
        prop_assert_eq!(request.authority(), Some(&*uri.host_header()));
        let of_client: Vec<_> = request.headers().elements(PROTOCOL).collect();
        prop_assert_eq!(of_client, subprotocols.iter().map(String::as_bytes).collect::<Vec<_>>());
        check_fields(request.headers(), &fields[0])?;

        let known: Vec<_> = chosen.iter().filter(|_| !subprotocols.is_empty())
            .map(|at| subprotocols.iter().nth(at.index(subprotocols.len())).expect("in range").clone())
            .collect();
        let server = Server::new().with_subprotocols(known.clone()).with_origins(OriginPolicy::custom({
            let origin = origin.clone();
            move |found, host| found == origin.as_deref() && host == uri.host_header()
        }));
        let mut accepted = server.accept(&request).expect("valid");
        prop_assert_eq!(read_elements(accepted.offered_extensions()), offered.clone());
        prop_assert_eq!(accepted.subprotocol(), known.first().map(|name| &**name));
        accepted.accept_extension(&build(&offered[0])).expect("it is offered");
        for (name, value) in &fields[1] {
            accepted.add_header(name, value).expect("legal");
        }

        let response = response_of(&accepted, &cuts)?;
        prop_assert_eq!(response.status(), 101);
        check_fields(response.headers(), &fields[1])?;
        prop_assert_eq!(response.headers().all(EXTENSIONS).count(), 1);
        let established = client.verify(&response).expect("valid");
        prop_assert_eq!(established.subprotocol(), accepted.subprotocol());
        prop_assert_eq!(established.extensions(), accepted.extensions());
    }

    /// HC-16, S-11: a field that an application adds, with whatever name and value, is refused or is one field, as it
    /// stands; the rest of the head is as it was.
    #[test]
    fn no_field_injects_another(
        name in select(vec!["x", "Cookie", "hOST", "Upgrade", "sec-websocket-x", "a b", "a:", "", "a\r\nb"]),
        value in "[ -~\r\n\0\t:]{0,12}",
    ) {
        let plain = handshake_support::client().request();
        let Ok(client) = handshake_support::client().with_header(name, &value) else {
            return Ok(());
        };
        let request = client.request();
        let before = handshake_support::read(&plain).expect("legal");
        let after = handshake_support::read(&request).expect("legal");
        let mut fields: Vec<_> = before.headers().iter().collect();
        let value = value.trim_matches([' ', '\t']);
        fields.push((name, value.as_bytes()));
        prop_assert_eq!(after.headers().iter().collect::<Vec<_>>(), fields);
    }
}
