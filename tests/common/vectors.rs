//! What may come from a peer, as transcripts: used once by rule in `rfc6455.rs`, and cut everywhere in `splits.rs`.
//!
//! The frames stand without masks. For a client they come like that, for a server a mask is put on each; only the
//! cases that name a role come to that role alone, byte for byte as they stand.

use sansocket::Role;

/// A transcript and what it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) role: Option<Role>,
    pub(crate) bytes: &'static str,
    /// The events, and the failure if it comes to that.
    pub(crate) heard: &'static [&'static str],
    /// The frames that are sent.
    pub(crate) answers: &'static [&'static str],
}

/// A case for both roles.
const fn case(
    name: &'static str,
    bytes: &'static str,
    heard: &'static [&'static str],
    answers: &'static [&'static str],
) -> Case {
    Case {
        name,
        role: None,
        bytes,
        heard,
        answers,
    }
}

/// A case for one role, byte for byte.
const fn only(
    role: Role,
    name: &'static str,
    bytes: &'static str,
    heard: &'static [&'static str],
    answers: &'static [&'static str],
) -> Case {
    Case {
        role: Some(role),
        ..case(name, bytes, heard, answers)
    }
}

const CLIENT: Role = Role::Client;
const SERVER: Role = Role::Server;

/// Every table below.
pub(crate) const ALL: &[&[Case]] = &[
    EXAMPLES,
    WRONG_MASK,
    ANY_KEY,
    RESERVED_BITS,
    RESERVED_OPCODES,
    LENGTH_FORMS,
    LENGTHS_NOT_MINIMAL,
    LENGTHS_OUT_OF_RANGE,
    EMPTY_PAYLOADS,
    FIRST_BROKEN_RULE,
    UNFINISHED,
    FRAGMENTS,
    LONE_CONTINUATIONS,
    INTERLEAVED,
    CONTROL_IN_MESSAGES,
    LONG_CONTROL_FRAMES,
    CUT_CONTROL_FRAMES,
    PINGS,
    PONGS,
    CLOSES,
    CLOSE_CODES,
    BAD_CLOSE_CODES,
    HALF_CODES,
    BAD_REASONS,
    CLOSE_IN_MESSAGE,
    AFTER_CLOSE,
    BEFORE_FAILURE,
    GOOD_TEXT,
    BAD_TEXT,
    CUT_TEXT,
    STRADDLING_TEXT,
    MANY_FRAMES,
];

/// RFC 6455 §5.7, with erratum 3432 (the masked example is a Pong).
pub(crate) const EXAMPLES: &[Case] = &[
    only(
        CLIENT,
        "a single-frame unmasked text message",
        "81 05 48 65 6c 6c 6f",
        &[r#"text "Hello""#],
        &[],
    ),
    only(
        SERVER,
        "a single-frame masked text message",
        "81 85 37 fa 21 3d 7f 9f 4d 51 58",
        &[r#"text "Hello""#],
        &[],
    ),
    only(
        CLIENT,
        "a fragmented unmasked text message",
        "01 03 48 65 6c  80 02 6c 6f",
        &[r#"text "Hello""#],
        &[],
    ),
    only(
        CLIENT,
        "an unmasked Ping request",
        "89 05 48 65 6c 6c 6f",
        &[r#"ping "Hello""#],
        &[r#"pong "Hello""#],
    ),
    only(
        SERVER,
        "a masked Pong",
        "8a 85 37 fa 21 3d 7f 9f 4d 51 58",
        &[r#"pong "Hello""#],
        &[],
    ),
    case(
        "256 bytes binary message",
        "82 7e 01 00 fe*256",
        &["binary fe*256"],
        &[],
    ),
    case(
        "64KiB binary message",
        "82 7f 00 00 00 00 00 01 00 00 fe*65536",
        &["binary fe*65536"],
        &[],
    ),
];

pub(crate) const WRONG_MASK: &[Case] = &[
    only(
        SERVER,
        "text without a mask",
        "81 05 'Hello'",
        &["fails UnmaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        SERVER,
        "an empty message without a mask",
        "82 00",
        &["fails UnmaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        SERVER,
        "a ping without a mask",
        "89 00",
        &["fails UnmaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        SERVER,
        "a Close without a mask",
        "88 02 03 e8",
        &["fails UnmaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        CLIENT,
        "masked text",
        "81 85 37 fa 21 3d 7f 9f 4d 51 58",
        &["fails MaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        CLIENT,
        "an empty message with a mask",
        "82 80 00 00 00 00",
        &["fails MaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        CLIENT,
        "a Close with a mask",
        "88 82 00 00 00 00 03 e8",
        &["fails MaskedFrame 1002"],
        &["close 1002"],
    ),
];

pub(crate) const ANY_KEY: &[Case] = &[
    only(
        SERVER,
        "the key is zero",
        "81 85 00000000 'Hello'",
        &[r#"text "Hello""#],
        &[],
    ),
    only(
        SERVER,
        "the key is all ones",
        "82 84 ffffffff ff fe fd 00",
        &["binary 00 01 02 ff"],
        &[],
    ),
    only(
        SERVER,
        "the key is the payload",
        "82 88 01020304 01020304 01020304",
        &[r"binary 00 00 00 00 00 00 00 00"],
        &[],
    ),
    only(
        SERVER,
        "each frame has its own key",
        "01 83 37fa213d 7f9f4d  80 82 00000001 6c6f",
        &[r#"text "Hello""#],
        &[],
    ),
];

pub(crate) const RESERVED_BITS: &[Case] = &[
    case(
        "RSV1 on text",
        "c1 05 'Hello'",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV2 on text",
        "a1 05 'Hello'",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV3 on text",
        "91 05 'Hello'",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "all of them on an empty binary message",
        "f2 00",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV1 on a continuation",
        "01 01 'a' c0 01 'b'",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV1 on a ping",
        "c9 00",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV2 on a pong",
        "aa 00",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "RSV3 on a Close",
        "98 00",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
];

pub(crate) const RESERVED_OPCODES: &[Case] = &[
    case(
        "opcode 3",
        "83 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 4",
        "84 01 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 5, not final",
        "05 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 6",
        "86 7e 01 00 00*256",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 7",
        "87 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 11",
        "8b 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 12",
        "8c 05 'Hello'",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 13",
        "8d 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 14",
        "8e 00",
        &["fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
    case(
        "opcode 15 behind a message",
        "81 02 'ok' 8f 00",
        &[r#"text "ok""#, "fails ReservedOpcode 1002"],
        &["close 1002"],
    ),
];

pub(crate) const LENGTH_FORMS: &[Case] = &[
    case("one byte", "82 01 61", &[r#"binary "a""#], &[]),
    case(
        "the longest short form",
        "82 7d 61*125",
        &["binary 61*125"],
        &[],
    ),
    case(
        "the shortest middle form",
        "82 7e 00 7e 61*126",
        &["binary 61*126"],
        &[],
    ),
    case("127 bytes", "82 7e 00 7f 61*127", &["binary 61*127"], &[]),
    case("255 bytes", "82 7e 00 ff 61*255", &["binary 61*255"], &[]),
    case(
        "the longest middle form",
        "81 7e ff ff 61*65535",
        &["text 61*65535"],
        &[],
    ),
    case(
        "the shortest long form",
        "81 7f 00 00 00 00 00 01 00 00 61*65536",
        &["text 61*65536"],
        &[],
    ),
];

pub(crate) const LENGTHS_NOT_MINIMAL: &[Case] = &[
    case(
        "nothing in 16 bits",
        "81 7e 00 00",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "5 in 16 bits",
        "81 7e 00 05 'Hello'",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "125 in 16 bits",
        "82 7e 00 7d 00*125",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "nothing in 64 bits",
        "82 7f 00*8",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "125 in 64 bits",
        "82 7f 00*7 7d 00*125",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "126 in 64 bits",
        "82 7f 00*7 7e 00*126",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "65,535 in 64 bits",
        "82 7f 00*6 ffff 00*16",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
    case(
        "of a continuation",
        "01 01 'a' 80 7e 00 01 'b'",
        &["fails LengthNotMinimal 1002"],
        &["close 1002"],
    ),
];

pub(crate) const LENGTHS_OUT_OF_RANGE: &[Case] = &[
    case(
        "the top bit alone",
        "82 7f 80 00*7",
        &["fails LengthOutOfRange 1002"],
        &["close 1002"],
    ),
    case(
        "all bits",
        "82 7f ff*8",
        &["fails LengthOutOfRange 1002"],
        &["close 1002"],
    ),
    case(
        "the top bit of a short length",
        "82 7f 80 00*6 05 'Hello'",
        &["fails LengthOutOfRange 1002"],
        &["close 1002"],
    ),
    case(
        "all bits but the top one are a length, if too much",
        "82 7f 7f ff*7",
        &["fails FrameTooLarge 1009"],
        &["close 1009"],
    ),
];

pub(crate) const EMPTY_PAYLOADS: &[Case] = &[
    case("text", "81 00", &[r#"text """#], &[]),
    case("binary", "82 00", &[r#"binary """#], &[]),
    case("ping", "89 00", &[r#"ping """#], &[r#"pong """#]),
    case("pong", "8a 00", &[r#"pong """#], &[]),
    case("close", "88 00", &["close"], &["close"]),
    case(
        "each fragment of a message",
        "01 00 00 00 80 00",
        &[r#"text """#],
        &[],
    ),
    case(
        "the last fragment",
        "02 01 61 80 00",
        &[r#"binary "a""#],
        &[],
    ),
    case(
        "the first fragment",
        "02 00 80 01 61",
        &[r#"binary "a""#],
        &[],
    ),
];

/// Where a header breaks several rules, the first byte that breaks one decides.
pub(crate) const FIRST_BROKEN_RULE: &[Case] = &[
    case(
        "a reserved bit and an oversized control frame",
        "c9 7e 00 80",
        &["fails ReservedBits 1002"],
        &["close 1002"],
    ),
    case(
        "a fragmented control frame that is too long",
        "09 7e 01 00",
        &["fails FragmentedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "an oversized control frame in a form that is too long",
        "89 7e 00 05 'Hello'",
        &["fails OversizedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a lone continuation with a length out of range",
        "80 7f ff*8",
        &["fails UnexpectedContinuation 1002"],
        &["close 1002"],
    ),
    only(
        SERVER,
        "no mask and a length that is not minimal",
        "81 7e 00 05 'Hello'",
        &["fails UnmaskedFrame 1002"],
        &["close 1002"],
    ),
    only(
        CLIENT,
        "a mask and a length out of range",
        "81 ff ff*8 00000000",
        &["fails MaskedFrame 1002"],
        &["close 1002"],
    ),
];

pub(crate) const UNFINISHED: &[Case] = &[
    case("nothing at all", "", &[], &[]),
    case("a first byte", "81", &[], &[]),
    case("a header without its payload", "81 05", &[], &[]),
    case("half of a middle length", "82 7e 01", &[], &[]),
    case(
        "most of a long length",
        "82 7f 00 00 00 00 00 01 00",
        &[],
        &[],
    ),
    case("a payload but for its last byte", "81 05 'Hell'", &[], &[]),
    case(
        "a message but for its last fragment",
        "01 02 'He' 00 02 'll'",
        &[],
        &[],
    ),
    case("a ping but for its last byte", "89 02 'a'", &[], &[]),
    case(
        "a message, then half of the next",
        "82 01 'a' 82 03 'bc'",
        &[r#"binary "a""#],
        &[],
    ),
];

pub(crate) const FRAGMENTS: &[Case] = &[
    case(
        "two of text",
        "01 03 'Hel' 80 02 'lo'",
        &[r#"text "Hello""#],
        &[],
    ),
    case(
        "one byte each",
        "02 01 'a' 00 01 'b' 00 01 'c' 80 01 'd'",
        &[r#"binary "abcd""#],
        &[],
    ),
    case(
        "the kind is that of the first",
        "02 02 ff fe 80 01 fd",
        &["binary ff fe fd"],
        &[],
    ),
    case(
        "empty ones between",
        "01 01 'a' 00 00 00 01 'b' 00 00 80 00",
        &[r#"text "ab""#],
        &[],
    ),
    case(
        "after the last one a new message begins",
        "01 01 'a' 80 01 'b' 82 01 'c' 02 01 'd' 80 00",
        &[r#"text "ab""#, r#"binary "c""#, r#"binary "d""#],
        &[],
    ),
    case(
        "long ones",
        "02 7e 01 00 61*256 00 7e 10 00 61*4096 80 7f 00*5 01 00 00 61*65536",
        &["binary 61*69888"],
        &[],
    ),
];

pub(crate) const LONE_CONTINUATIONS: &[Case] = &[
    case(
        "final",
        "80 05 'Hello'",
        &["fails UnexpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "not final",
        "00 05 'Hello'",
        &["fails UnexpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "behind a whole message",
        "81 05 'Hello' 80 00",
        &[r#"text "Hello""#, "fails UnexpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "behind a fragmented message",
        "01 01 'a' 80 01 'b' 80 01 'c'",
        &[r#"text "ab""#, "fails UnexpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "behind a ping",
        "89 00 00 01 'a'",
        &[r#"ping """#, "fails UnexpectedContinuation 1002"],
        &[r#"pong """#, "close 1002"],
    ),
];

pub(crate) const INTERLEAVED: &[Case] = &[
    case(
        "text in text",
        "01 01 'a' 81 01 'b'",
        &["fails ExpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "binary in text, not final",
        "01 01 'a' 02 01 'b'",
        &["fails ExpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "text in binary, behind some fragments",
        "02 01 'a' 00 01 'b' 81 00",
        &["fails ExpectedContinuation 1002"],
        &["close 1002"],
    ),
    case(
        "behind an empty first fragment",
        "02 00 82 00",
        &["fails ExpectedContinuation 1002"],
        &["close 1002"],
    ),
];

pub(crate) const CONTROL_IN_MESSAGES: &[Case] = &[
    case(
        "a ping between two fragments",
        "01 03 'Hel' 89 01 'p' 80 02 'lo'",
        &[r#"ping "p""#, r#"text "Hello""#],
        &[r#"pong "p""#],
    ),
    case(
        "several, empty and not",
        "02 01 'a' 89 00 8a 01 'x' 00 01 'b' 89 01 'y' 80 01 'c'",
        &[
            r#"ping """#,
            r#"pong "x""#,
            r#"ping "y""#,
            r#"binary "abc""#,
        ],
        &[r#"pong """#, r#"pong "y""#],
    ),
    case(
        "inside a character",
        "01 02 e2 82 89 02 82 ac 80 01 ac",
        &["ping 82 ac", "text \"\u{20ac}\""],
        &["pong 82 ac"],
    ),
];

pub(crate) const LONG_CONTROL_FRAMES: &[Case] = &[
    case(
        "a ping of 125 bytes",
        "89 7d 61*125",
        &["ping 61*125"],
        &["pong 61*125"],
    ),
    case(
        "a ping of 126 bytes",
        "89 7e 00 7e 61*126",
        &["fails OversizedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a pong of 126 bytes",
        "8a 7e 00 7e 61*126",
        &["fails OversizedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a Close of 126 bytes",
        "88 7e 00 7e 03 e8 61*124",
        &["fails OversizedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a ping of 65,536 bytes",
        "89 7f 00*5 01 00 00",
        &["fails OversizedControlFrame 1002"],
        &["close 1002"],
    ),
];

pub(crate) const CUT_CONTROL_FRAMES: &[Case] = &[
    case(
        "a ping",
        "09 01 'a' 80 01 'b'",
        &["fails FragmentedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a pong",
        "0a 00",
        &["fails FragmentedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a Close",
        "08 02 03 e8",
        &["fails FragmentedControlFrame 1002"],
        &["close 1002"],
    ),
    case(
        "a ping in a message",
        "01 01 'a' 09 00 80 00",
        &["fails FragmentedControlFrame 1002"],
        &["close 1002"],
    ),
];

pub(crate) const PINGS: &[Case] = &[
    case(
        "any bytes",
        "89 04 00 ff c3 28",
        &["ping 00 ff c3 28"],
        &["pong 00 ff c3 28"],
    ),
    case(
        "ten in one read",
        "89 01'0' 89 01'1' 89 01'2' 89 01'3' 89 01'4' 89 01'5' 89 01'6' 89 01'7' 89 01'8' 89 01'9'",
        &[
            r#"ping "0""#,
            r#"ping "1""#,
            r#"ping "2""#,
            r#"ping "3""#,
            r#"ping "4""#,
            r#"ping "5""#,
            r#"ping "6""#,
            r#"ping "7""#,
            r#"ping "8""#,
            r#"ping "9""#,
        ],
        &[
            r#"pong "0""#,
            r#"pong "1""#,
            r#"pong "2""#,
            r#"pong "3""#,
            r#"pong "4""#,
            r#"pong "5""#,
            r#"pong "6""#,
            r#"pong "7""#,
            r#"pong "8""#,
            r#"pong "9""#,
        ],
    ),
];

pub(crate) const PONGS: &[Case] = &[
    case("empty", "8a 00", &[r#"pong """#], &[]),
    case(
        "any bytes, several times",
        "8a 02 ff fe 8a 7d 00*125",
        &["pong ff fe", "pong 00*125"],
        &[],
    ),
];

pub(crate) const CLOSES: &[Case] = &[
    case("without a code", "88 00", &["close"], &["close"]),
    case(
        "with a code",
        "88 02 03 e8",
        &["close 1000"],
        &["close 1000"],
    ),
    case(
        "with a reason",
        "88 05 03 e9 'bye'",
        &[r#"close 1001 "bye""#],
        &["close 1001"],
    ),
    case(
        "with the longest reason",
        "88 7d 0f a0 61*123",
        &[concat!(
            r#"close 4000 ""#,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            r#"""#
        )],
        &["close 4000"],
    ),
    case(
        "with a reason beyond ASCII",
        "88 05 03 e8 e2 82 ac",
        &["close 1000 \"\u{20ac}\""],
        &["close 1000"],
    ),
];

/// The ends of every range that is allowed.
pub(crate) const CLOSE_CODES: &[Case] = &[
    case("1000", "88 02 03e8", &["close 1000"], &["close 1000"]),
    case("1001", "88 02 03e9", &["close 1001"], &["close 1001"]),
    case("1002", "88 02 03ea", &["close 1002"], &["close 1002"]),
    case("1003", "88 02 03eb", &["close 1003"], &["close 1003"]),
    case("1007", "88 02 03ef", &["close 1007"], &["close 1007"]),
    case("1008", "88 02 03f0", &["close 1008"], &["close 1008"]),
    case("1009", "88 02 03f1", &["close 1009"], &["close 1009"]),
    case("1010", "88 02 03f2", &["close 1010"], &["close 1010"]),
    case("1011", "88 02 03f3", &["close 1011"], &["close 1011"]),
    case("1012", "88 02 03f4", &["close 1012"], &["close 1012"]),
    case("1013", "88 02 03f5", &["close 1013"], &["close 1013"]),
    case("1014", "88 02 03f6", &["close 1014"], &["close 1014"]),
    case("3000", "88 02 0bb8", &["close 3000"], &["close 3000"]),
    case("3999", "88 02 0f9f", &["close 3999"], &["close 3999"]),
    case("4000", "88 02 0fa0", &["close 4000"], &["close 4000"]),
    case("4999", "88 02 1387", &["close 4999"], &["close 4999"]),
];

/// The ends of every range that is not allowed.
pub(crate) const BAD_CLOSE_CODES: &[Case] = &[
    case("0", "88 02 0000", BAD_CODE, &["close 1002"]),
    case("999", "88 02 03e7", BAD_CODE, &["close 1002"]),
    case("1004", "88 02 03ec", BAD_CODE, &["close 1002"]),
    case("1005", "88 02 03ed", BAD_CODE, &["close 1002"]),
    case("1006", "88 02 03ee", BAD_CODE, &["close 1002"]),
    case("1015", "88 02 03f7", BAD_CODE, &["close 1002"]),
    case("1016", "88 02 03f8", BAD_CODE, &["close 1002"]),
    case("1100", "88 02 044c", BAD_CODE, &["close 1002"]),
    case("2000", "88 02 07d0", BAD_CODE, &["close 1002"]),
    case("2999", "88 02 0bb7", BAD_CODE, &["close 1002"]),
    case("5000", "88 02 1388", BAD_CODE, &["close 1002"]),
    case("65535", "88 02 ffff", BAD_CODE, &["close 1002"]),
    case(
        "1005 with a reason that is not UTF-8 either",
        "88 03 03ed ff",
        BAD_CODE,
        &["close 1002"],
    ),
];

const BAD_CODE: &[&str] = &["fails InvalidCloseCode 1002"];

pub(crate) const HALF_CODES: &[Case] = &[
    case(
        "one byte",
        "88 01 03",
        &["fails TruncatedCloseCode 1002"],
        &["close 1002"],
    ),
    case(
        "one byte that has not come",
        "88 01",
        &["fails TruncatedCloseCode 1002"],
        &["close 1002"],
    ),
    only(
        Role::Server,
        "nor its key",
        "88 81",
        &["fails TruncatedCloseCode 1002"],
        &["close 1002"],
    ),
    case(
        "one byte within a message",
        "01 01 'a' 88 01",
        &["fails TruncatedCloseCode 1002"],
        &["close 1002"],
    ),
];

pub(crate) const BAD_REASONS: &[Case] = &[
    case(
        "a byte that never occurs",
        "88 03 03e8 ff",
        &["fails InvalidCloseReason 1007"],
        &["close 1007"],
    ),
    case(
        "a character cut short",
        "88 04 03e8 e282",
        &["fails InvalidCloseReason 1007"],
        &["close 1007"],
    ),
    case(
        "a surrogate",
        "88 06 03e8 61 eda080",
        &["fails InvalidCloseReason 1007"],
        &["close 1007"],
    ),
];

pub(crate) const CLOSE_IN_MESSAGE: &[Case] = &[
    case(
        "between two fragments",
        "01 03 'Hel' 88 02 03e8 80 02 'lo'",
        &["close 1000"],
        &["close 1000"],
    ),
    case(
        "inside a character",
        "01 01 e2 88 00",
        &["close"],
        &["close"],
    ),
];

/// What follows the peer's Close frame is neither heard nor answered, whatever it is.
pub(crate) const AFTER_CLOSE: &[Case] = &[
    case(
        "a message",
        "88 02 03e8 81 01 'a'",
        &["close 1000"],
        &["close 1000"],
    ),
    case(
        "a ping",
        "88 02 03e8 89 01 'a'",
        &["close 1000"],
        &["close 1000"],
    ),
    case(
        "another Close",
        "88 02 03e8 88 02 03e9",
        &["close 1000"],
        &["close 1000"],
    ),
    case(
        "no frame at all",
        "88 00 ff ff ff ff",
        &["close"],
        &["close"],
    ),
];

/// What came whole before the first bad byte is delivered; nothing behind it is.
pub(crate) const BEFORE_FAILURE: &[Case] = &[
    case(
        "two messages and a ping, then a reserved bit, then more",
        "81 01 'a' 89 01 'p' 82 01 'b' c1 01 'c' 81 01 'd' 88 00",
        &[
            r#"text "a""#,
            r#"ping "p""#,
            r#"binary "b""#,
            "fails ReservedBits 1002",
        ],
        &[r#"pong "p""#, "close 1002"],
    ),
    case(
        "a failure in a message, then a Close",
        "01 01 'a' 00 01 ff 80 00 88 02 03e8",
        &["fails InvalidUtf8 1007"],
        &["close 1007"],
    ),
];

pub(crate) const GOOD_TEXT: &[Case] = &[
    case(
        "two bytes a character",
        "81 04 c3a9 c3bf",
        &["text \"éÿ\""],
        &[],
    ),
    case(
        "the ends of the ranges",
        "81 13 7f c280 dfbf e0a080 efbfbf f0908080 f48fbfbf",
        &["text 7f c2 80 df bf e0 a0 80 ef bf bf f0 90 80 80 f4 8f bf bf"],
        &[],
    ),
    case(
        "around the surrogates",
        "81 06 ed9fbf ee8080",
        &[r#"text "\u{d7ff}\u{e000}""#],
        &[],
    ),
    case(
        "zero, a byte order mark and noncharacters",
        "81 0e 00 efbbbf efbfbe efbfbf f09fbfbe",
        &["text 00 ef bb bf ef bf be ef bf bf f0 9f bf be"],
        &[],
    ),
    case(
        "ASCII with one other character at its end",
        "81 7e 00 82 61*128 c3a9",
        &[concat!(
            r#"text ""#,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "é\""
        )],
        &[],
    ),
];

pub(crate) const BAD_TEXT: &[Case] = &[
    case("C0 never occurs", "81 02 c080", BAD, &["close 1007"]),
    case("C1 never occurs", "81 02 c1bf", BAD, &["close 1007"]),
    case("three bytes for two", "81 03 e09fbf", BAD, &["close 1007"]),
    case(
        "four bytes for three",
        "81 04 f08fbfbf",
        BAD,
        &["close 1007"],
    ),
    case("the first surrogate", "81 03 eda080", BAD, &["close 1007"]),
    case("the last surrogate", "81 03 edbfbf", BAD, &["close 1007"]),
    case("above U+10FFFF", "81 04 f4908080", BAD, &["close 1007"]),
    case("F5 never occurs", "81 04 f5808080", BAD, &["close 1007"]),
    case("FE never occurs", "81 01 fe", BAD, &["close 1007"]),
    case("FF never occurs", "81 01 ff", BAD, &["close 1007"]),
    case("a continuation alone", "81 01 80", BAD, &["close 1007"]),
    case(
        "one continuation too many",
        "81 03 c3a9 a9",
        BAD,
        &["close 1007"],
    ),
    case(
        "a continuation is missing",
        "81 03 e282 61",
        BAD,
        &["close 1007"],
    ),
    case(
        "behind much ASCII",
        "81 7e 01 00 61*255 ff",
        BAD,
        &["close 1007"],
    ),
    case(
        "before much ASCII",
        "81 7e 01 00 ff 61*255",
        BAD,
        &["close 1007"],
    ),
    case(
        "in a later fragment",
        "01 02 'ok' 00 02 'ok' 80 01 ff",
        BAD,
        &["close 1007"],
    ),
    case(
        "in a frame that has not come whole",
        "81 0a 'abc' ff",
        BAD,
        &["close 1007"],
    ),
    case(
        "in a message that has not come whole",
        "01 04 'abc' ff",
        BAD,
        &["close 1007"],
    ),
];

const BAD: &[&str] = &["fails InvalidUtf8 1007"];

pub(crate) const CUT_TEXT: &[Case] = &[
    case("one byte of two", "81 01 c3", BAD, &["close 1007"]),
    case("two bytes of three", "81 03 61 e282", BAD, &["close 1007"]),
    case("three bytes of four", "81 03 f09f98", BAD, &["close 1007"]),
    case("in fragments", "01 01 e2 80 01 82", BAD, &["close 1007"]),
    case(
        "before an empty last fragment",
        "01 02 e282 80 00",
        BAD,
        &["close 1007"],
    ),
    case(
        "the next message does not complete it",
        "81 01 c3 81 01 a9",
        BAD,
        &["close 1007"],
    ),
];

pub(crate) const STRADDLING_TEXT: &[Case] = &[
    case(
        "a character in three fragments",
        "01 01 e2 00 01 82 80 01 ac",
        &["text \"\u{20ac}\""],
        &[],
    ),
    case(
        "with empty ones between",
        "01 01 e2 00 00 00 01 82 00 00 80 01 ac",
        &["text \"\u{20ac}\""],
        &[],
    ),
    case(
        "four bytes, then ASCII",
        "01 03 f09f98 80 03 80 'ok'",
        &["text \"\u{1f600}ok\""],
        &[],
    ),
    case(
        "what no continuation saves",
        "01 01 ed 80 02 a080",
        BAD,
        &["close 1007"],
    ),
    case(
        "ASCII where a continuation should be",
        "01 02 e282 80 01 'a'",
        BAD,
        &["close 1007"],
    ),
];

pub(crate) const MANY_FRAMES: &[Case] = &[case(
    "all kinds in one read",
    "81 01 'a' 82 00 01 00 89 00 00 01 'b' 8a 01 'x' 80 00 82 7e 00 80 00*128 89 01 'z' 88 03 03e8 '.'",
    &[
        r#"text "a""#,
        r#"binary """#,
        r#"ping """#,
        r#"pong "x""#,
        r#"text "b""#,
        "binary 00*128",
        r#"ping "z""#,
        r#"close 1000 ".""#,
    ],
    &[r#"pong """#, r#"pong "z""#, "close 1000"],
)];
