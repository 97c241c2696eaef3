//! Text fails at the first byte that cannot be part of UTF-8, however it is cut, and nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::{Config, ProtocolError, ReceiveHalf, Utf8Validator};
use sansocket_fuzz::choices::Choices;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let step = usize::from(choices.byte() % 40) + 1;
    let key = choices.pick(&[[0; 4], [1, 2, 3, 4], [0x80, 0xFF, 0x7F, 0]]);
    let text = choices.take(64);
    let bad = first_bad(text);
    let whole = std::str::from_utf8(text).is_ok();

    for cut in 0..=text.len() {
        let (left, right) = text.split_at(cut);
        let mut utf8 = Utf8Validator::new();
        let result = utf8.push(left);
        assert_eq!(result.is_err(), bad.is_some_and(|bad| bad < cut));
        if result.is_ok() {
            let result = utf8.push(right);
            assert_eq!(result.is_err(), bad.is_some());
            assert_eq!(result.and_then(|()| utf8.finish()).is_ok(), whole);
        }
    }

    // As a message in fragments, byte by byte.
    let mut receiver = ReceiveHalf::server(&Config::default());
    let mut at = 0;
    let mut pieces = text.chunks(step).peekable();
    let mut opcode = 1;
    loop {
        let piece = pieces.next().unwrap_or_default();
        let fin = if pieces.peek().is_none() { 0x80 } else { 0 };
        let len = u8::try_from(piece.len()).expect("at most 40");
        let head = [fin | opcode, 0x80 | len, key[0], key[1], key[2], key[3]];
        let last = fin != 0;
        // A message that ends inside a character fails with its last byte.
        let end_fails = last && bad.is_none() && !whole;
        if !feed(&mut receiver, &head, end_fails && piece.is_empty()) {
            return;
        }
        for (i, &byte) in piece.iter().enumerate() {
            let ends = end_fails && i + 1 == piece.len();
            if !feed(&mut receiver, &[byte ^ key[i % 4]], bad == Some(at) || ends) {
                return;
            }
            at += 1;
        }
        if last {
            break;
        }
        opcode = 0;
    }
    assert!(whole, "bad text got through");
});

/// Hands over bytes, which must fail or not; returns whether they did not.
fn feed(receiver: &mut ReceiveHalf, bytes: &[u8], fails: bool) -> bool {
    let mut read = bytes.to_vec();
    let mut input = &mut read[..];
    loop {
        match receiver.receive(&mut input) {
            Ok(Some(_)) => {}
            Ok(None) => {
                assert!(!fails, "the error comes late or never");
                return true;
            }
            Err(error) => {
                assert_eq!(error, ProtocolError::InvalidUtf8);
                assert!(fails, "the error comes early or without reason");
                return false;
            }
        }
    }
}

/// Returns where the byte is that no continuation makes valid, as the standard library sees it.
fn first_bad(text: &[u8]) -> Option<usize> {
    let error = std::str::from_utf8(text).err()?;
    let behind = error.valid_up_to() + error.error_len()?;
    // The length counts the bytes that were right so far, or the first one if that is wrong already.
    match std::str::from_utf8(&text[..behind]) {
        Err(error) if error.error_len().is_some() => Some(behind - 1),
        _ => Some(behind),
    }
}
