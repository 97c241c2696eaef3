//! A header is read and written alike, and an error stays where the bytes show it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sansocket::{FrameHeader, Opcode, ProtocolError, Role};
use sansocket_fuzz::choices::Choices;

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let role = choices.pick(&[Role::Client, Role::Server]);
    let in_use = choices.pick(&[0, FrameHeader::RSV1]);
    let in_message = choices.flag();
    let bytes = choices.take(FrameHeader::MAX_LEN + 2);

    let mut parsed = Ok(None);
    let mut checked = Ok(());
    for end in 0..=bytes.len() {
        let prefix = &bytes[..end];
        let now = FrameHeader::parse(prefix);
        if parsed != Ok(None) {
            assert_eq!(now, parsed, "more bytes change nothing");
        }
        let check = FrameHeader::check_prefix(prefix, role, in_use, in_message);
        if checked.is_err() {
            assert_eq!(check, checked, "the first bad byte decides");
        }
        if now.is_err() {
            assert!(check.is_err(), "what has no syntax breaks a rule");
        }
        if let Ok(Some((header, len))) = now {
            assert!(len <= end && len == header.encoded_len());
            assert!(header.len >> 63 == 0);
            let (encoded, encoded_len) = header.encode();
            assert_eq!(&encoded[..encoded_len], &bytes[..len]);
            let result = header.check(role, in_use, in_message);
            assert_eq!(result.is_ok(), is_legal(header, role, in_use, in_message));
            assert_eq!(check.is_ok(), result.is_ok(), "both know the same rules");
            assert!(result != Err(ProtocolError::ReservedOpcode));
        }
        (parsed, checked) = (now, check);
    }
    if bytes.len() >= FrameHeader::MAX_LEN {
        assert_ne!(parsed, Ok(None), "no header is longer");
    }
});

/// The rules of RFC 6455 §5, once more.
fn is_legal(header: FrameHeader, role: Role, in_use: u8, in_message: bool) -> bool {
    let FrameHeader {
        fin,
        rsv,
        opcode,
        mask,
        len,
    } = header;
    let of_kind = match opcode {
        Opcode::Close if len == 1 => false,
        Opcode::Close | Opcode::Ping | Opcode::Pong => rsv == 0 && fin && len < 126,
        Opcode::Continuation => rsv == 0 && in_message,
        Opcode::Text | Opcode::Binary => rsv | in_use == in_use && !in_message,
    };
    of_kind && mask.is_some() == (role == Role::Server)
}
