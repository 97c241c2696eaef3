//! The frame header by itself: syntax, legality, and how little of it is enough to tell.

use proptest::prelude::*;
use sansocket::{FrameHeader, Opcode, ProtocolError, Role};

const OPCODES: [Opcode; 6] = [
    Opcode::Continuation,
    Opcode::Text,
    Opcode::Binary,
    Opcode::Close,
    Opcode::Ping,
    Opcode::Pong,
];

fn header() -> impl Strategy<Value = FrameHeader> {
    let len = prop_oneof![
        0_u64..300,
        65_530_u64..65_540,
        0..=u64::MAX >> 1,
        Just(u64::MAX >> 1),
    ];
    let opcode = prop::sample::select(&OPCODES[..]);
    (
        any::<bool>(),
        0_u8..8,
        opcode,
        any::<Option<[u8; 4]>>(),
        len,
    )
        .prop_map(|(fin, rsv, opcode, mask, len)| FrameHeader {
            fin,
            rsv,
            opcode,
            mask,
            len,
        })
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(&[Role::Client, Role::Server][..])
}

/// Oracle: the first rule of RFC 6455 §5 that the bytes of a header are sure to break, one byte after the other.
fn oracle(bytes: &[u8], role: Role, in_message: bool) -> Option<ProtocolError> {
    use ProtocolError as E;

    let &first = bytes.first()?;
    let opcode = first & 0x0F;
    let control = opcode >= 8;
    if (3..8).contains(&opcode) || opcode > 10 {
        return Some(E::ReservedOpcode);
    }
    if first & 0x70 != 0 {
        return Some(E::ReservedBits);
    }
    if control && first & 0x80 == 0 {
        return Some(E::FragmentedControlFrame);
    }
    if opcode == 0 && !in_message {
        return Some(E::UnexpectedContinuation);
    }
    if !control && opcode != 0 && in_message {
        return Some(E::ExpectedContinuation);
    }
    let &second = bytes.get(1)?;
    match role {
        Role::Server if second & 0x80 == 0 => return Some(E::UnmaskedFrame),
        Role::Client if second & 0x80 != 0 => return Some(E::MaskedFrame),
        _ => {}
    }
    let short = second & 0x7F;
    if control && short > 125 {
        return Some(E::OversizedControlFrame);
    }
    if opcode == 8 && short == 1 {
        return Some(E::TruncatedCloseCode);
    }
    let extended = &bytes[2..];
    match short {
        126 if extended.len() >= 2 && extended[0] == 0 && extended[1] < 126 => {
            Some(E::LengthNotMinimal)
        }
        127 if extended.first()? & 0x80 != 0 => Some(E::LengthOutOfRange),
        127 if extended.len() >= 6 && extended[..6] == [0; 6] => Some(E::LengthNotMinimal),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    /// F-01, F-09, F-12: what is encoded is parsed as the same, with its length, and any part of it asks for more.
    #[test]
    fn a_header_is_parsed_as_it_was_encoded(header in header(), behind: [u8; 3]) {
        let (bytes, len) = header.encode();
        prop_assert_eq!(len, header.encoded_len());
        prop_assert!(bytes[len..].iter().all(|&byte| byte == 0));
        for cut in 0..len {
            prop_assert_eq!(FrameHeader::parse(&bytes[..cut]), Ok(None));
        }
        let bytes = [&bytes[..len], &behind].concat();
        prop_assert_eq!(FrameHeader::parse(&bytes), Ok(Some((header, len))));
    }

    /// F-09, F-10: there is no other form, so what is parsed is encoded as the same bytes.
    #[test]
    fn a_header_is_encoded_as_it_was_parsed(mut bytes: [u8; 14], short in 120_u8..=127) {
        bytes[1] = bytes[1] & 0x80 | short;
        if let Ok(Some((header, len))) = FrameHeader::parse(&bytes) {
            let (encoded, encoded_len) = header.encode();
            prop_assert_eq!(&encoded[..encoded_len], &bytes[..len]);
        }
    }

    /// F-02, F-04, F-07, F-08, F-10, F-11, F-15, CT-01, CT-02, FR-02, FR-03: each part of a header fails with the rule
    /// that an auditor with the RFC would name, and no sooner; a whole one by either way to check it.
    #[test]
    fn each_part_of_a_header_fails_where_the_rfc_says(
        first: u8,
        plain: bool,
        second: u8,
        form in 0_u8..4,
        mut rest: [u8; 12],
        zeros in 0_usize..=8,
        role in role(),
        in_message: bool,
    ) {
        let first = if plain { first & 0x8F } else { first };
        let second = match form {
            0 => second,
            1 => second & 0x80 | 0x7E,
            _ => second & 0x80 | 0x7F,
        };
        rest[..zeros].fill(0);
        let bytes = [&[first, second], &rest[..]].concat();
        for cut in 0..=bytes.len() {
            let part = &bytes[..cut];
            let expected = oracle(part, role, in_message).map_or(Ok(()), Err);
            let found = FrameHeader::check_prefix(part, role, 0, in_message);
            prop_assert_eq!(found, expected, "{:02x?}", part);
        }
        let whole = FrameHeader::parse(&bytes).and_then(|parsed| {
            let (header, _) = parsed.expect("14 bytes hold any header");
            header.check(role, 0, in_message)
        });
        prop_assert_eq!(whole.is_err(), oracle(&bytes, role, in_message).is_some());
    }

    /// F-02, X-10: a reserved bit is legal exactly where an extension uses it, which is on the first frame of a message.
    #[test]
    fn a_reserved_bit_in_use_is_legal(
        rsv in 0_u8..8,
        in_use in 0_u8..8,
        opcode in prop::sample::select(&OPCODES[..]),
    ) {
        let header = FrameHeader { fin: true, rsv, opcode, mask: None, len: 0 };
        let first = matches!(opcode, Opcode::Text | Opcode::Binary);
        let legal = rsv == 0 || first && (0..3).all(|bit| rsv >> bit & 1 <= in_use >> bit & 1);
        let expected = if legal { Ok(()) } else { Err(ProtocolError::ReservedBits) };
        let in_message = opcode == Opcode::Continuation;
        prop_assert_eq!(header.check(Role::Client, in_use, in_message), expected);
    }

    /// S-02: no bytes panic, and a header is never longer than what there was.
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        if let Ok(Some((header, len))) = FrameHeader::parse(&bytes) {
            prop_assert!(len <= bytes.len() && len <= FrameHeader::MAX_LEN);
            prop_assert!(header.len >> 63 == 0);
        }
    }
}

/// F-01, F-04: the opcodes, and which of them are those of control frames.
#[test]
fn opcodes_have_their_numbers() {
    for bits in 0..=255_u8 {
        let known = OPCODES
            .into_iter()
            .find(|opcode| *opcode as u8 == bits & 0x0F);
        assert_eq!(Opcode::parse(bits).ok(), known);
        assert_eq!(
            FrameHeader::parse(&[bits]),
            Opcode::parse(bits).map(|_| None),
            "the first byte tells"
        );
        if let Some(opcode) = known {
            assert_eq!(opcode.is_control(), bits & 0x08 != 0);
            assert_eq!(opcode.begins_message(), matches!(bits & 0x0F, 1 | 2));
        }
    }
}
