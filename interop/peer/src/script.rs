//! What is said on a connection, and how short each message must be on the wire.

use sansocket::Message;
use sansocket::deflate::Params;

/// A message to send and to get back.
pub struct Step {
    pub name: &'static str,
    pub message: Message,
    pub way: Way,
    /// What of it the compressor may have seen before.
    pub repeats: Repeats,
}

/// How we send a message.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Way {
    Whole,
    Fragments,
    Uncompressed,
}

/// How far behind a byte lies the one that it repeats; most bytes of a message do.
#[derive(Clone, Copy)]
pub enum Repeats {
    /// Nothing is said about it.
    Unknown,
    /// In the message before.
    Across(usize),
    /// In the same message.
    Within(usize),
    /// In the message before, that we have not compressed.
    Uncompressed,
}

/// How the compressor of one end was told to work.
#[derive(Clone, Copy)]
pub struct Window {
    pub bits: u8,
    pub takeover: bool,
}

/// How short a message is on the wire.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Size {
    /// Any: compressed or not.
    Any,
    /// Less than half.
    Small,
    /// More than half.
    Large,
    /// The whole message and its headers.
    Whole,
}

impl Size {
    pub const fn fits(self, len: usize, wire: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Small => 2 * wire < len,
            Self::Large => 2 * wire > len,
            Self::Whole => wire > len,
        }
    }
}

impl Step {
    /// Returns how short the message must be when we have sent it.
    pub fn sent(&self, window: Option<Window>) -> Size {
        match (self.way, self.repeats) {
            (Way::Uncompressed, _) => Size::Whole,
            (_, Repeats::Uncompressed) => self.received(window).max(Size::Large),
            _ => self.received(window),
        }
    }

    /// Returns how short the message must be when it comes back from who compresses all that it sends with this window,
    /// or has none.
    pub fn received(&self, window: Option<Window>) -> Size {
        let Some(Window { bits, takeover }) = window else {
            return Size::Whole;
        };
        let (distance, kept) = match self.repeats {
            Repeats::Unknown | Repeats::Uncompressed => return Size::Any,
            Repeats::Across(distance) => (distance, takeover),
            Repeats::Within(distance) => (distance, true),
        };
        if !kept || distance > 1 << bits {
            Size::Large
        } else if distance <= inside(bits) {
            Size::Small
        } else {
            Size::Any
        }
    }
}

/// Returns the steps that try both windows of a connection.
pub fn script(params: Option<Params>) -> Vec<Step> {
    let params = params.unwrap_or_default();
    let mut windows = vec![params.server_max_window_bits, params.client_max_window_bits];
    windows.dedup();
    let mut random = Random(0x5EED);
    let mut steps = readings();
    for bits in windows {
        let long = LONG.div_ceil(inside(bits));
        for (distance, count, copies) in [(inside(bits), 3, long), (outside(bits), 2, 3)] {
            let text = random.text(distance);
            steps.push(step("a text", text.as_str(), Repeats::Unknown));
            for _ in 1..count {
                steps.push(step(
                    "a text again",
                    text.as_str(),
                    Repeats::Across(distance),
                ));
            }
            let text = text.repeat(copies);
            steps.push(step("a long text", text, Repeats::Within(distance)));
        }
        let text = random.text(inside(bits)).repeat(long);
        steps.push(Step {
            way: Way::Fragments,
            ..step("fragments", text, Repeats::Within(inside(bits)))
        });
        steps.extend(oddities(&mut random, inside(bits)));
    }
    steps.extend(readings());
    steps
}

/// Returns short messages that resemble each other.
fn readings() -> Vec<Step> {
    let mut before = None;
    (100..112)
        .map(|number| {
            let text = format!(
                r#"{{"id":{number},"kind":"reading","sensor":"kitchen window","unit":"celsius"}}"#
            );
            let repeats = before
                .replace(text.len())
                .map_or(Repeats::Unknown, Repeats::Across);
            step("a reading", text, repeats)
        })
        .collect()
}

/// Returns messages that leave a context as it was or have little for it, and one that must not find what it never had.
fn oddities(random: &mut Random, len: usize) -> Vec<Step> {
    let secret = random.text(len);
    vec![
        step("random bytes", random.bytes(5000), Repeats::Unknown),
        step("an empty text", "", Repeats::Unknown),
        step("an empty binary", Vec::new(), Repeats::Unknown),
        Step {
            way: Way::Uncompressed,
            ..step("an uncompressed text", secret.as_str(), Repeats::Unknown)
        },
        step("a compressed text", secret.as_str(), Repeats::Uncompressed),
        Step {
            way: Way::Uncompressed,
            ..step("uncompressed bytes", secret.as_bytes(), Repeats::Unknown)
        },
        step("the text again", secret, Repeats::Across(len)),
    ]
}

fn step(name: &'static str, message: impl Into<Message>, repeats: Repeats) -> Step {
    Step {
        name,
        message: message.into(),
        way: Way::Whole,
        repeats,
    }
}

/// At least how long a long text is, in bytes: some windows of 15 bits.
const LONG: usize = 100_000;

/// Returns a distance that a compressor with this window reaches. Those that derive from zlib keep 262 bytes of it for
/// themselves, and take 9 bits where they are told 8.
const fn inside(bits: u8) -> usize {
    match bits {
        8 => 200,
        _ => (1 << bits) - 300,
    }
}

/// Returns a distance just too far.
const fn outside(bits: u8) -> usize {
    (1 << bits) + 1
}

/// The generator of Marsaglia, "Xorshift RNGs": the same messages in every run.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[0]
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next()).collect()
    }

    /// Returns text of 64 characters, of which none can be foreseen: alone it shrinks by a quarter.
    fn text(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(b'0' + self.next() % 64))
            .collect()
    }
}
