//! The list of extensions is read and written alike, and both ends agree on what was negotiated.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::deflate::{ClientLimit, Element, Offer};
use sansocket::handshake::{Extension, Extensions};
use sansocket_fuzz::choices::Choices;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let wanted = offer(&mut choices);
    let mut offered = Extensions::new();
    for _ in 0..choices.pick(&[1, 2, 3]) {
        let element = offer(&mut choices).element();
        offered.push(&element.into());
    }
    agree(&offered, wanted);

    let Ok(list) = Extensions::parse(choices.rest()) else {
        return;
    };
    assert!(!list.is_empty());
    let again = Extensions::parse(list.to_string().as_bytes());
    assert_eq!(again.as_ref(), Ok(&list), "printed and parsed");
    let mut built = Extensions::new();
    for extension in list.iter() {
        let mut copy = Extension::new(extension.name()).expect("a token");
        for (name, value) in extension.params() {
            copy = copy.with_param(name, value).expect("tokens");
        }
        assert_eq!(copy, extension, "taken apart and put together");
        built.push(&copy);
        if let Ok(element) = Element::parse(extension.params()) {
            same(element);
        }
    }
    assert_eq!(built, list);
    agree(&list, wanted);
});

fn offer(choices: &mut Choices<'_>) -> Offer {
    let flags = choices.byte();
    let bits = choices.byte();
    Offer::default()
        .with_server_no_context_takeover(flags & 1 != 0)
        .with_client_no_context_takeover(flags & 2 != 0)
        .with_server_max_window_bits(bits & 15)
        .with_client_max_window_bits(bits >> 4)
        .with_client_limit(match flags >> 2 & 3 {
            0 => ClientLimit::Never,
            1 => ClientLimit::Required,
            _ => ClientLimit::Optional,
        })
        .with_declines_server_no_context_takeover(flags & 16 != 0)
        .with_declines_server_max_window_bits(flags & 32 != 0)
}

/// An element is printed and parsed alike.
fn same(element: Element) {
    let text = element.to_string();
    let list = Extensions::parse(text.as_bytes()).expect("a list of one");
    let one = list.iter().next().expect("one");
    assert_eq!(Element::parse(one.params()), Ok(element));
}

/// What a server answers the client accepts, and both take it for the same; but where the server declined an offer that
/// its answer fits as well, the client keeps to the hints of that offer, too.
fn agree(offered: &Extensions, wanted: Offer) {
    let Some(answer) = offered.answer_deflate(wanted) else {
        return;
    };
    same(answer);
    let mut answered = Extensions::new();
    answered.push(&answer.into());
    let params = answer.params();
    let verified = answered.verify_deflate(offered);
    let verified = verified.expect("it is valid").expect("it is there");
    assert!(verified.client_max_window_bits <= params.client_max_window_bits);
    assert!(verified.client_no_context_takeover || !params.client_no_context_takeover);
    let of_server = verified
        .with_client_max_window_bits(params.client_max_window_bits)
        .with_client_no_context_takeover(params.client_no_context_takeover);
    assert_eq!(of_server, params);
    assert!((8..=15).contains(&params.server_max_window_bits));
    assert!((8..=15).contains(&params.client_max_window_bits));
    assert!(params.server_no_context_takeover || !wanted.server_no_context_takeover);
    assert!(params.client_no_context_takeover || !wanted.client_no_context_takeover);
    assert!(params.server_max_window_bits <= wanted.server_max_window_bits.max(8));
}
