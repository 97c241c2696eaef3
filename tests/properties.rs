//! What holds for any input: whatever has an inverse is undone by it, whatever the RFCs spell out comes to what they say.
//!
//! Headers of frames have their own file, `frame.rs`, and so has masking, `mask.rs`.

mod common;

use common::{Feed, Heard, naive, show};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sansocket::{
    CloseFrame, Config, Connection, Fin, Message, MessageKind, ProtocolError, Role, Utf8Validator,
};

/// Returns how many inputs are tried.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        cases,
        ..ProptestConfig::default()
    }
}

/// A range of bytes.
type Bytes = (u8, u8);

/// Any byte that continues a character (RFC 3629 §4 "UTF8-tail = %x80-BF").
const TAIL: Bytes = (0x80, 0xBF);

/// What a character is made of (RFC 3629 §4).
const CHARACTERS: [&[Bytes]; 9] = [
    &[(0x00, 0x7F)],
    &[(0xC2, 0xDF), TAIL],
    &[(0xE0, 0xE0), (0xA0, 0xBF), TAIL],
    &[(0xE1, 0xEC), TAIL, TAIL],
    &[(0xED, 0xED), (0x80, 0x9F), TAIL],
    &[(0xEE, 0xEF), TAIL, TAIL],
    &[(0xF0, 0xF0), (0x90, 0xBF), TAIL, TAIL],
    &[(0xF1, 0xF3), TAIL, TAIL, TAIL],
    &[(0xF4, 0xF4), (0x80, 0x8F), TAIL, TAIL],
];

/// Returns where the first byte stands that is no part of any text, as the grammar of RFC 3629 §4 has it, or else whether
/// the text ends with a whole character.
fn read_utf8(text: &[u8]) -> Result<bool, usize> {
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let fits = |form: &[Bytes]| {
            let pairs = rest.iter().zip(form);
            pairs
                .take_while(|(byte, range)| (range.0..=range.1).contains(byte))
                .count()
        };
        if let Some(form) = CHARACTERS.into_iter().find(|form| fits(form) == form.len()) {
            start += form.len();
            continue;
        }
        let longest = CHARACTERS.into_iter().map(fits).max().unwrap_or_default();
        return if longest == rest.len() {
            Ok(false)
        } else {
            Err(start + longest)
        };
    }
    Ok(true)
}

/// Text, mostly, with a few bytes that are none.
fn almost_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z]{0,70}".prop_map(String::into_bytes),
        4 => "\\PC{0,9}".prop_map(String::into_bytes),
        1 => (any::<char>(), 1_usize..4).prop_map(|(c, len)| {
            let bytes = String::from(c).into_bytes();
            bytes[..len.min(bytes.len())].to_vec()
        }),
        1 => vec(prop_oneof![0x80_u8..=0xFF, any::<u8>()], 0..3),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Cuts `bytes` at every one of `cuts`.
fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

/// Checks `pieces` one after the other; tells what [`read_utf8`] does, up to the piece in which an error stands.
fn check_pieces(pieces: &[&[u8]]) -> Result<bool, usize> {
    let mut check = Utf8Validator::new();
    for (nth, piece) in pieces.iter().enumerate() {
        check.push(piece).map_err(|_| nth)?;
    }
    Ok(check.finish().is_ok())
}

proptest! {
    #![proptest_config(cases(300))]

    /// UT-01, UT-02, UT-04, UT-05, UT-06: text is valid, unfinished or invalid as the grammar has it, in whatever pieces it comes, and
    /// an error is found in the piece that it stands in.
    #[test]
    fn text_is_checked_as_the_grammar_says(text in almost_text(), cuts in vec(any::<Index>(), 0..6)) {
        let expected = read_utf8(&text);
        prop_assert_eq!(expected == Ok(true), str::from_utf8(&text).is_ok(), "the oracle is one");
        let mut all = vec![cut(&text, &cuts), text.chunks(1).collect()];
        all.extend((0..=text.len()).map(|at| vec![&text[..at], &text[at..]]));
        for pieces in all {
            let piece_of = |bad: usize| {
                let mut end = 0;
                pieces.iter().position(|piece| {
                    end += piece.len();
                    bad < end
                })
            };
            let expected = expected.map_err(|bad| piece_of(bad).expect("it is in one of them"));
            prop_assert_eq!(check_pieces(&pieces), expected, "{:02x?}", pieces);
        }
    }
}

/// The codes that may stand in a Close frame, as RFC 6455 §7.4 and the registry that it opens have them; 1010 is the
/// client's.
fn may_be_sent(code: u16, by: Role) -> bool {
    let assigned = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014,
    ];
    assigned.contains(&code)
        || (code == 1010 && by == Role::Client)
        || (3000..=4999).contains(&code)
}

/// Codes, mostly such as may be sent.
fn code() -> impl Strategy<Value = u16> {
    prop_oneof![3 => 1000_u16..1016, 1 => 2990_u16..3010, 1 => 4990_u16..5010, 1 => any::<u16>()]
}

fn role() -> impl Strategy<Value = Role> {
    select(&[Role::Client, Role::Server][..])
}

proptest! {
    #![proptest_config(cases(300))]

    /// CL-02, CL-03, UT-07: what a Close frame says is what its bytes say, or the rule that they break.
    #[test]
    fn a_close_frame_says_what_its_bytes_say(code in code(), reason in almost_text(), len in 0_usize..8) {
        let payload = [&code.to_be_bytes()[..], &reason].concat();
        let payload = if len < 2 { &payload[..len] } else { &payload[..] };
        let expected = match payload {
            [] => Ok(None),
            [_] => Err(ProtocolError::TruncatedCloseCode),
            _ if !may_be_sent(code, Role::Client) => Err(ProtocolError::InvalidCloseCode),
            _ => match read_utf8(&reason) {
                Ok(true) => Ok(Some((code, reason))),
                _ => Err(ProtocolError::InvalidCloseReason),
            },
        };
        let parsed = CloseFrame::parse(payload);
        let said = parsed.map(|frame| frame.map(|CloseFrame { code, reason }| (code.0, reason.as_bytes().to_vec())));
        prop_assert_eq!(said, expected);
    }

    /// CL-02, CL-03, CL-05, F-15: a bad Close frame fails at its first bad byte: the second one for half a code, the first
    /// byte of a code that no byte behind it makes good, the byte that is no part of any text.
    #[test]
    fn a_close_frame_fails_at_its_first_bad_byte(
        role in role(),
        code in code(),
        reason in almost_text().prop_filter("short", |reason| reason.len() <= 123),
        len in 1_usize..8,
        message in select(&["", "01 01 'a'", "81 01 'a'"][..]),
    ) {
        let [high, low] = code.to_be_bytes();
        let payload = [&[high, low][..], &reason].concat();
        let payload = if len < 2 { &payload[..len] } else { &payload[..] };
        let none_is_good = (0..=u8::MAX).all(|low| !may_be_sent(u16::from_be_bytes([high, low]), Role::Client));
        let bad = match read_utf8(&reason) {
            _ if len < 2 => Some(0),
            _ if none_is_good => Some(0),
            _ if !may_be_sent(code, Role::Client) => Some(1),
            Ok(true) => None,
            Ok(false) => Some(payload.len() - 1),
            Err(bad) => Some(2 + bad),
        };
        let bytes = common::towards(role, &naive::frame(0x88, payload));
        let header = bytes.len() - payload.len();
        let expected = bad.map(|bad| if len < 2 { 1 } else { header + bad });

        let mut conn = common::fresh(role);
        common::hear_frames(&mut conn, role, message);
        let heard = bytes.iter().map(|&byte| common::hear(&mut conn, &[byte]));
        let failed = heard.into_iter().position(|heard| heard.iter().any(|heard| heard.starts_with("fails")));
        prop_assert_eq!(failed, expected, "{:02x?}", payload);
    }

    /// CL-02, CL-04, CL-05: a Close frame that may be sent has the code and the reason on the wire, and the peer reads
    /// them; one that may not is refused, and the connection goes on.
    #[test]
    fn a_close_frame_is_read_as_it_was_sent(role in role(), code in code(), reason in "\\PC{0,80}") {
        let mut conn = common::fresh(role);
        let closed = conn.close(Some(common::closing(code, &reason)));
        let legal = may_be_sent(code, role) && reason.len() <= 123;
        prop_assert_eq!(closed.is_ok(), legal);
        let bytes = common::take(&mut conn);
        if !legal {
            prop_assert!(bytes.is_empty());
            conn.send_text("open").expect("nothing has changed");
            return Ok(());
        }
        let frames = naive::parse(&bytes);
        prop_assert_eq!(frames.len(), 1);
        prop_assert_eq!(&frames[0].payload, &[&code.to_be_bytes()[..], reason.as_bytes()].concat());
        let heard = common::hear(&mut common::fresh(common::peer_of(role)), &bytes);
        prop_assert_eq!(heard, [common::describe_close(Some(&common::closing(code, &reason)))]);
    }
}

/// What an application sends.
#[derive(Clone, Debug)]
enum Step {
    /// A message, owned or copied.
    Message(MessageKind, Vec<u8>, bool),
    /// A message in fragments.
    Fragments(MessageKind, Vec<u8>, Vec<Index>),
    Ping(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop_oneof![
        6 => "[ab]{0,300}",
        3 => "[a-zé€𝄞]{0,90}",
        1 => (3_000_usize..9_000).prop_map(|len| "abc€".repeat(len / 6)),
    ];
    let data = prop_oneof![
        3 => vec(any::<u8>(), 0..200),
        1 => (1_000_usize..70_000).prop_map(|len| vec![7; len]),
    ];
    let message = prop_oneof![
        text.prop_map(|text| (MessageKind::Text, text.into_bytes())),
        data.prop_map(|data| (MessageKind::Binary, data)),
    ];
    let cuts = vec(any::<Index>(), 0..5);
    prop_oneof![
        (message, cuts, 0..3).prop_map(|((kind, payload), cuts, form)| match form {
            0 => Step::Fragments(kind, payload, cuts),
            form => Step::Message(kind, payload, form == 1),
        }),
        vec(any::<u8>(), 0..=125).prop_map(Step::Ping),
    ]
}

/// Has `conn` send what the steps say, and returns what its peer is to hear of it: the messages, and the Pings.
fn send(conn: &mut Connection, steps: &[Step]) -> [Vec<String>; 2] {
    let [mut messages, mut pings] = [vec![], vec![]];
    for step in steps {
        match step {
            Step::Message(kind, payload, owned) => {
                messages.push(format!("{} {}", common::name(*kind), show(payload)));
                let text = str::from_utf8(payload).unwrap_or_default();
                let sent = match (kind, owned) {
                    (MessageKind::Text, true) => conn.send(text).map_err(Into::into),
                    (MessageKind::Text, false) => conn.send_text(text),
                    (MessageKind::Binary, true) => {
                        conn.send(Message::from(&payload[..])).map_err(Into::into)
                    }
                    (MessageKind::Binary, false) => conn.send_binary(payload),
                };
                sent.expect("open");
            }
            Step::Fragments(kind, payload, cuts) => {
                messages.push(format!("{} {}", common::name(*kind), show(payload)));
                let pieces = cut(payload, cuts);
                for (nth, piece) in pieces.iter().enumerate() {
                    let last = nth + 1 == pieces.len();
                    let fin = if last { Fin::Last } else { Fin::More };
                    conn.send_fragment(*kind, piece, fin).expect("open");
                }
            }
            Step::Ping(payload) => {
                pings.push(format!("ping {}", show(payload)));
                conn.ping(payload).expect("few wait");
            }
        }
    }
    [messages, pings]
}

/// Checks that a peer hears what `steps` send, both being made by `open`, in whatever pieces it comes.
fn check_round_trip(
    open: impl Fn(Role, &Config) -> Connection,
    role: Role,
    config: Config,
    steps: &[Step],
    cuts: &[Index],
) -> Result<(), TestCaseError> {
    let mut conn = open(role, &config);
    let [messages, pings] = send(&mut conn, steps);
    let bytes = common::take(&mut conn);
    for feed in Feed::ALL {
        let open = |config: &Config| open(common::peer_of(role), config);
        let heard = common::run_on(open, config, feed, cut(&bytes, cuts));
        let Heard { events, .. } = heard;
        let (heard_pings, heard_messages): (Vec<_>, _) = events
            .into_iter()
            .partition(|event| event.starts_with("ping"));
        prop_assert_eq!(&heard_messages, &messages, "{:?}", feed);
        prop_assert_eq!(&heard_pings, &pings, "{:?}", feed);
    }
    Ok(())
}

fn config() -> impl Strategy<Value = Config> {
    let sizes = select(&[1_u32, 2, 125, 126, 5_000, u32::MAX][..]);
    sizes.prop_map(|fragment_size| Config::default().with_fragment_size(fragment_size))
}

proptest! {
    #![proptest_config(cases(60))]

    /// FR-01, FR-04, FR-05, FR-06: whatever one end sends the other hears, each message whole and in its place.
    #[test]
    fn what_is_sent_is_heard(
        role in role(),
        config in config(),
        steps in vec(step(), 0..6),
        cuts in vec(any::<Index>(), 0..9),
    ) {
        // A frame for each byte of a long message says no more than one for each of a short one.
        let longest = config.fragment_size.saturating_mul(500);
        let steps: Vec<_> = steps.into_iter().filter(|step| match step {
            Step::Message(_, payload, _) | Step::Fragments(_, payload, _) => payload.len() <= longest as usize,
            Step::Ping(_) => true,
        }).collect();
        check_round_trip(common::connection, role, config, &steps, &cuts)?;
    }
}

#[cfg(feature = "deflate")]
mod compressed {
    use sansocket::CompressionMemory;
    use sansocket::deflate::Params;

    use super::*;

    fn params() -> impl Strategy<Value = Params> {
        (any::<[bool; 2]>(), [9_u8..=15, 9_u8..=15]).prop_map(|(forgets, bits)| {
            Params::default()
                .with_server_no_context_takeover(forgets[0])
                .with_client_no_context_takeover(forgets[1])
                .with_server_max_window_bits(bits[0])
                .with_client_max_window_bits(bits[1])
        })
    }

    proptest! {
        #![proptest_config(cases(40))]

        /// DF-06, DC-01, DC-07, DD-01, DD-02: so it is where messages are compressed, whatever was agreed on.
        #[test]
        fn what_is_sent_compressed_is_heard(
            role in role(),
            params in params(),
            memory in select(&[CompressionMemory::Engine, CompressionMemory::History(10)][..]),
            compression_threshold in select(&[0_u32, 50][..]),
            fragment_size in select(&[10_u32, 200, u32::MAX][..]),
            steps in vec(step(), 0..6),
            cuts in vec(any::<Index>(), 0..9),
        ) {
            let config = Config::default().with_fragment_size(fragment_size).with_compression_level(1).with_compression_threshold(compression_threshold).with_compression_memory(memory);
            let open = |role, config: &Config| common::deflating(role, params, config);
            check_round_trip(open, role, config, &steps, &cuts)?;
        }
    }
}
