//! RFC 6455 §5 as a naive reader: the whole stream at once, byte by byte, in the order of the text.
//!
//! A rule may be waived, to say in which way an implementation is known to differ.

use std::collections::BTreeSet;
use std::str;

use ::sansocket::Role;

use super::verdict::{End, Message, Verdict};

/// The longest payload of a frame that is taken (§10.4).
pub const FRAME_LIMIT: u64 = 100_000;

/// What a peer may break, with the section that says so.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// §5.2 RSV1, RSV2, RSV3: "MUST be 0 unless an extension is negotiated".
    ReservedBits,
    /// §5.2 "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
    Opcode,
    /// §5.5 control frames "MUST NOT be fragmented".
    FragmentedControl,
    /// §5.4 a continuation frame follows a frame without FIN.
    NothingToContinue,
    /// §5.4 "The fragments of one message MUST NOT be interleaved between the fragments of another message".
    /// Here a message in one frame comes between fragments.
    WholeBetweenFragments,
    /// The same; here it has fragments of its own.
    FragmentBetweenFragments,
    /// §5.1 "a client MUST mask all frames", "A server MUST NOT mask any frames".
    Mask,
    /// §5.5 a control frame's length is 125 at most, and so stands in the second byte.
    ControlLengthForm,
    /// §5.5 "All control frames MUST have a payload length of 125 bytes or less", for a Ping.
    LongPing,
    /// The same for a Close or Pong.
    LongCloseOrPong,
    /// §5.2 "the minimal number of bytes MUST be used to encode the length".
    MinimalLength,
    /// §5.2 "the most significant bit MUST be 0".
    LengthBit,
    /// §10.4 a limit.
    TooLarge,
    /// §8.1 "that byte stream is not, in fact, a valid UTF-8 stream".
    Utf8,
    /// The same, found at the end of a message that stops inside of a character, behind an empty last fragment.
    Utf8AtEmptyEnd,
    /// The same, behind a last fragment that has bytes.
    Utf8AtEnd,
    /// The same, in a message of one frame.
    Utf8AtOnlyEnd,
    /// §5.5.1 "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
    CloseLength,
    /// §7.4.2 1014, which is registered.
    Code1014,
    /// §7.4 a code that must not be sent.
    Code,
    /// §5.5.1 the reason is "UTF-8-encoded data".
    Reason,
}

/// How an implementation is known to treat what breaks a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Instead {
    /// It goes on.
    Accepts,
    /// It goes on, and leaves the end of the character out.
    AcceptsWithout,
    /// It goes on, and takes the end of the character for the beginning of the next text.
    AcceptsAndKeeps,
    /// It fails with this code.
    FailsWith(u16),
    /// It closes with this code, as if the peer had begun to close in good order.
    ClosesWith(u16),
}

/// What has come of a stream, and how.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub verdict: Verdict,
    /// The rule that ended it.
    pub broken: Option<Rule>,
    /// The rules that were waived.
    pub waived: BTreeSet<Rule>,
    /// Where the last frame begins that was looked at.
    pub frame: usize,
}

struct Reader<'a> {
    role: Role,
    waivers: &'a [(Rule, Instead)],
    reading: Reading,
    /// The message in progress.
    message: Option<Message>,
    /// The end of what has come of a text: the beginning of a character.
    character: Vec<u8>,
}

/// Why reading has stopped.
struct Stop;

/// Reads a stream as an end in this role.
#[must_use]
pub fn read(stream: &[u8], role: Role, waivers: &[(Rule, Instead)]) -> Reading {
    let mut reader = Reader {
        role,
        waivers,
        reading: Reading::default(),
        message: None,
        character: Vec::new(),
    };
    let mut at = 0;
    while let Some(rest) = stream.get(at..).filter(|rest| !rest.is_empty()) {
        reader.reading.frame = at;
        match reader.frame(rest) {
            Ok(Some(len)) => at += len,
            Ok(None) | Err(Stop) => break,
        }
    }
    reader.reading
}

impl Reader<'_> {
    /// Reads a frame; returns its length, or `None` if it does not end in the stream.
    fn frame(&mut self, bytes: &[u8]) -> Result<Option<usize>, Stop> {
        let (fin, opcode) = (bytes[0] & 0x80 != 0, bytes[0] & 0xF);
        let control = opcode >= 8;
        self.must(bytes[0] & 0x70 == 0, Rule::ReservedBits)?;
        self.must(matches!(opcode, 0..=2 | 8..=10), Rule::Opcode)?;
        self.must(fin || !control, Rule::FragmentedControl)?;
        self.must(
            opcode != 0 || self.message.is_some(),
            Rule::NothingToContinue,
        )?;
        if matches!(opcode, 1 | 2) && self.message.is_some() {
            let rule = if fin {
                Rule::WholeBetweenFragments
            } else {
                Rule::FragmentBetweenFragments
            };
            self.must(false, rule)?;
        }

        let Some(second) = bytes.get(1) else {
            return Ok(None);
        };
        let masked = second & 0x80 != 0;
        self.must(masked == (self.role == Role::Server), Rule::Mask)?;
        let short = second & 0x7F;
        self.must(!control || short <= 125, Rule::ControlLengthForm)?;
        self.must(opcode != 8 || short != 1, Rule::CloseLength)?;

        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let digits = &bytes[2..bytes.len().min(2 + extended)];
        let bit = extended == 8 && digits.first().is_some_and(|first| first & 0x80 != 0);
        self.must(!bit, Rule::LengthBit)?;
        // The first bytes show already that fewer would have done.
        let minimal = match extended {
            2 => digits.len() < 2 || u16::from_be_bytes([digits[0], digits[1]]) > 125,
            8 => digits.len() < 6 || digits[..6] != [0; 6],
            _ => true,
        };
        self.must(minimal, Rule::MinimalLength)?;
        if digits.len() < extended {
            return Ok(None);
        }
        let len = if extended == 0 {
            short.into()
        } else {
            (digits.iter()).fold(0, |len, &digit| len << 8 | u64::from(digit))
        };
        if control {
            let long = if opcode == 9 {
                Rule::LongPing
            } else {
                Rule::LongCloseOrPong
            };
            self.must(len <= 125, long)?;
        }

        let begin = 2 + extended + if masked { 4 } else { 0 };
        let Some(payload) = bytes.get(begin..) else {
            return Ok(None);
        };
        self.must(len <= FRAME_LIMIT, Rule::TooLarge)?;
        let len = usize::try_from(len).expect("it is below the limit");
        let whole = payload.len() >= len;
        let mut payload = payload[..len.min(payload.len())].to_vec();
        if masked && self.role == Role::Server {
            for (i, byte) in payload.iter_mut().enumerate() {
                *byte ^= bytes[begin - 4 + i % 4];
            }
        }
        if control {
            if opcode == 8 {
                self.close(&payload, whole)?;
            }
            if !whole {
                return Ok(None);
            }
        } else {
            self.data(fin, opcode, &payload, whole)?;
        }
        Ok(whole.then_some(begin + len))
    }

    /// Takes what has come of a data frame (§5.4, §5.6).
    fn data(&mut self, fin: bool, opcode: u8, payload: &[u8], whole: bool) -> Result<(), Stop> {
        if opcode != 0 {
            self.message = Some(Message {
                text: opcode == 1,
                data: Vec::new(),
            });
            let kept = (self.waivers).contains(&(Rule::Utf8AtEmptyEnd, Instead::AcceptsAndKeeps));
            if !kept {
                self.character.clear();
            }
        }
        let message = self.message.as_mut().expect("a message is in progress");
        message.data.extend_from_slice(payload);
        let last = fin && whole;
        if message.text {
            self.character.extend_from_slice(payload);
            let utf8 = match str::from_utf8(&self.character) {
                Ok(_) => {
                    self.character.clear();
                    true
                }
                Err(error) => {
                    self.character.drain(..error.valid_up_to());
                    error.error_len().is_none()
                }
            };
            self.must(utf8, Rule::Utf8)?;
            if last {
                let rule = match opcode {
                    _ if payload.is_empty() => Rule::Utf8AtEmptyEnd,
                    0 => Rule::Utf8AtEnd,
                    _ => Rule::Utf8AtOnlyEnd,
                };
                self.must(self.character.is_empty(), rule)?;
            }
        }
        if last && let Some(mut message) = self.message.take() {
            let without = [Rule::Utf8AtEmptyEnd, Rule::Utf8AtEnd]
                .map(|rule| self.waivers.contains(&(rule, Instead::AcceptsWithout)));
            if message.text && without == [true; 2] {
                let left = message.data.len() - self.character.len();
                message.data.truncate(left);
            }
            self.reading.verdict.messages.push(message);
        }
        Ok(())
    }

    /// Takes what has come of a Close frame (§5.5.1), behind which nothing is read.
    fn close(&mut self, payload: &[u8], whole: bool) -> Result<(), Stop> {
        let mut code = None;
        if !whole && matches!(self.instead(Rule::Code), Some(Instead::ClosesWith(_))) {
            return Ok(()); // it looks at whole frames only
        }
        if let [high] = payload {
            // The codes from 1000 to 4999 begin with these, but for those that must not be sent (§7.4).
            let good = matches!(high, 0x03 | 0x0B..=0x13);
            self.must(good || whole, Rule::Code)?;
        }
        if let [high, low, reason @ ..] = payload {
            let sent = u16::from_be_bytes([*high, *low]);
            let utf8 = match str::from_utf8(reason) {
                Ok(_) => true,
                Err(error) => !whole && error.error_len().is_none(),
            };
            let (rule, legal) = match sent {
                1014 => (Rule::Code1014, self.instead(Rule::Code1014).is_none()),
                1000..=1003 | 1007..=1013 | 3000..=4999 => (Rule::Code, true),
                _ => (Rule::Code, false),
            };
            // Who answers a bad code like a good one has looked at the reason before.
            if utf8 || !matches!(self.instead(rule), Some(Instead::ClosesWith(_))) {
                self.must(legal, rule)?;
            }
            self.must(utf8, Rule::Reason)?;
            code = Some(sent);
        } else if whole {
            self.must(payload.is_empty(), Rule::CloseLength)?;
        }
        if whole {
            self.stop(End::Closed, code)
        } else {
            Ok(())
        }
    }

    fn must(&mut self, holds: bool, rule: Rule) -> Result<(), Stop> {
        if holds {
            return Ok(());
        }
        let instead = self.instead(rule);
        if instead.is_some() {
            self.reading.waived.insert(rule);
        }
        match instead {
            Some(Instead::Accepts | Instead::AcceptsWithout | Instead::AcceptsAndKeeps) => Ok(()),
            Some(Instead::ClosesWith(code)) => self.stop(End::Closed, Some(code)),
            Some(Instead::FailsWith(code)) => self.stop(End::Failed, Some(code)),
            None => {
                self.reading.broken = Some(rule);
                self.stop(End::Failed, Some(rule.code()))
            }
        }
    }

    fn instead(&self, rule: Rule) -> Option<Instead> {
        let waiver = self.waivers.iter().find(|(waived, _)| *waived == rule);
        waiver.map(|(_, instead)| *instead)
    }

    fn stop(&mut self, end: End, code: Option<u16>) -> Result<(), Stop> {
        self.reading.verdict.end = end;
        self.reading.verdict.code = code;
        Err(Stop)
    }
}

impl Rule {
    /// Returns the code that says that this rule was broken (§7.4.1).
    fn code(self) -> u16 {
        match self {
            Self::Utf8
            | Self::Utf8AtEmptyEnd
            | Self::Utf8AtEnd
            | Self::Utf8AtOnlyEnd
            | Self::Reason => 1007,
            Self::TooLarge => 1009,
            _ => 1002,
        }
    }
}

/// Tells whether the frame at the start of `bytes` ends in them, by its length alone.
#[must_use]
pub fn is_whole(bytes: &[u8]) -> bool {
    let [_, second, rest @ ..] = bytes else {
        return false;
    };
    let extended = match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((digits, rest)) = rest.split_at_checked(extended) else {
        return false;
    };
    let len = if extended == 0 {
        u64::from(second & 0x7F)
    } else {
        (digits.iter()).fold(0, |len, &digit| len << 8 | u64::from(digit))
    };
    let key = if second & 0x80 == 0 { 0 } else { 4 };
    rest.len() as u64 >= len.saturating_add(key)
}
