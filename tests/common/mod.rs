//! What the tests share: bytes written as transcripts, events and frames written as text, connections with fixed keys.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod naive;
#[cfg(feature = "deflate")]
pub(crate) mod rfc1951;
pub(crate) mod vectors;

#[cfg(feature = "std")]
use std::io::Read;

use bytes::{Buf, BytesMut};
#[cfg(feature = "deflate")]
use sansocket::deflate::Params;
use sansocket::{
    CloseCode, CloseFrame, Config, Connection, Delivery, Event, MessageKind, ProtocolError,
    Received, Role,
};

/// A masking key under which a payload can be read as it stands.
pub(crate) const ZERO_KEY: fn() -> [u8; 4] = || [0; 4];

/// The masking key of the examples in RFC 6455 §5.7.
pub(crate) const EXAMPLE_KEY: fn() -> [u8; 4] = || [0x37, 0xfa, 0x21, 0x3d];

/// All that a peer may do wrong.
pub(crate) const PROTOCOL_ERRORS: [ProtocolError; 21] = [
    ProtocolError::UnmaskedFrame,
    ProtocolError::MaskedFrame,
    ProtocolError::ReservedBits,
    ProtocolError::ReservedOpcode,
    ProtocolError::LengthNotMinimal,
    ProtocolError::LengthOutOfRange,
    ProtocolError::UnexpectedContinuation,
    ProtocolError::ExpectedContinuation,
    ProtocolError::OversizedControlFrame,
    ProtocolError::FragmentedControlFrame,
    ProtocolError::TruncatedCloseCode,
    ProtocolError::InvalidCloseCode,
    ProtocolError::InvalidCloseReason,
    ProtocolError::InvalidUtf8,
    ProtocolError::InvalidCompression,
    ProtocolError::CompressionOverhead,
    ProtocolError::FrameTooLarge,
    ProtocolError::MessageTooLarge,
    ProtocolError::TooManyFragments,
    ProtocolError::TooManyEmptyFragments,
    ProtocolError::TooManyControlFrames,
];

/// Returns the bytes of a transcript: pairs of hexadecimal digits, `'text'`, and either of them repeated, as `00*256`.
pub(crate) fn hex(transcript: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = transcript.trim_start();
    while !rest.is_empty() {
        let (token, behind) = if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, behind) = quoted.split_once('\'').expect("a closing quote");
            (text.as_bytes().to_vec(), behind)
        } else {
            let end = rest
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(rest.len());
            let pairs = rest.as_bytes()[..end].chunks(2).map(|pair| {
                let pair = str::from_utf8(pair).expect("ASCII");
                assert_eq!(pair.len(), 2, "half a byte in {transcript:?}");
                u8::from_str_radix(pair, 16).expect("hexadecimal digits")
            });
            (pairs.collect(), &rest[end..])
        };
        let (times, behind) = match behind.strip_prefix('*') {
            Some(count) => {
                let end = count
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(count.len());
                (count[..end].parse().expect("a count"), &count[end..])
            }
            None => (1, behind),
        };
        assert!(
            !token.is_empty() || behind.len() < rest.len(),
            "no transcript: {rest:?}"
        );
        bytes.extend(token.repeat(times));
        rest = behind.trim_start();
    }
    bytes
}

/// Returns a payload as a test would write it: `"Hello"`, `00 ff`, or shortened where it is long.
pub(crate) fn show(payload: &[u8]) -> String {
    match (payload, str::from_utf8(payload)) {
        ([first, rest @ ..], _) if rest.len() > 40 && rest.iter().all(|byte| byte == first) => {
            format!("{first:02x}*{}", payload.len())
        }
        (_, Ok(text)) if payload.len() <= 200 && !text.contains(|c: char| c.is_control()) => {
            format!("{text:?}")
        }
        _ if payload.len() <= 40 => {
            let pairs: Vec<_> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
            pairs.join(" ")
        }
        _ => {
            let sum = payload.iter().fold(0_u64, |sum, &byte| {
                sum.wrapping_mul(1_099_511_628_211)
                    .wrapping_add(byte.into())
            });
            format!("{} bytes #{sum:016x}", payload.len())
        }
    }
}

/// Returns an event as a test would write it: `text "Hello"`, `ping`, `close 1000 "bye"`.
pub(crate) fn describe(event: &Event<'_>) -> String {
    let with = |name: &str, payload: &[u8]| format!("{name} {}", show(payload));
    match event {
        Event::Text(text) => with("text", text.as_bytes()),
        Event::Binary(data) => with("binary", data),
        Event::Chunk(chunk) => {
            let last = if chunk.last { "last chunk" } else { "chunk" };
            with(&format!("{last} of {}", name(chunk.kind)), &chunk.data)
        }
        Event::Ping(payload) => with("ping", payload),
        Event::Pong(payload) => with("pong", payload),
        Event::Close(frame) => describe_close(frame.as_ref()),
        _ => "another event".into(),
    }
}

/// Returns what a Close frame says as a test would write it.
pub(crate) fn describe_close(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "close".into(),
        Some(frame) if frame.reason.is_empty() => format!("close {}", frame.code),
        Some(frame) => format!("close {} {:?}", frame.code, &*frame.reason),
    }
}

/// Returns an error as a test would write it, with the code that it is answered with.
pub(crate) fn describe_error(error: ProtocolError) -> String {
    format!("fails {error:?} {}", error.close_code())
}

/// Returns the frames that answer what was heard, given without the reason of a Close frame: the text of the failure.
pub(crate) fn explained<A: AsRef<str>>(heard: &[A], answers: &[&str]) -> Vec<String> {
    let mut answers: Vec<_> = answers.iter().map(|&answer| answer.to_owned()).collect();
    let failed =
        |error: &&ProtocolError| heard.last().map(AsRef::as_ref) == Some(&describe_error(**error));
    if let Some(error) = PROTOCOL_ERRORS.iter().find(failed)
        && let Some(close) = answers.last_mut().filter(|last| last.starts_with("close"))
    {
        *close = format!("{close} {:?}", error.to_string());
    }
    answers
}

pub(crate) const fn name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Binary => "binary",
    }
}

/// Returns a connection whose own frames can be read, whichever end it is.
pub(crate) fn connection(role: Role, config: &Config) -> Connection {
    match role {
        Role::Client => Connection::client_with_keys(config, ZERO_KEY),
        Role::Server => Connection::server(config),
    }
}

/// Returns a connection that compresses, whose own frames can be read, whichever end it is.
#[cfg(feature = "deflate")]
pub(crate) fn deflating(role: Role, params: Params, config: &Config) -> Connection {
    connection(role, &config.with_deflate(params))
}

/// Returns what was agreed on of what `sender` compresses, the other end being free.
#[cfg(feature = "deflate")]
pub(crate) fn sent_with(sender: Role, no_context_takeover: bool, window_bits: u8) -> Params {
    match sender {
        Role::Client => Params::default()
            .with_client_no_context_takeover(no_context_takeover)
            .with_client_max_window_bits(window_bits),
        Role::Server => Params::default()
            .with_server_no_context_takeover(no_context_takeover)
            .with_server_max_window_bits(window_bits),
    }
}

/// Returns a connection with the defaults.
pub(crate) fn fresh(role: Role) -> Connection {
    connection(role, &Config::default())
}

/// Returns the end that `role` talks to.
pub(crate) const fn peer_of(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];

/// Returns frames that stand without masks as they come to `role`: masked, each with another key, if it is a server.
pub(crate) fn towards(role: Role, frames: &[u8]) -> Vec<u8> {
    match role {
        Role::Client => frames.to_vec(),
        Role::Server => naive::mask_all(frames),
    }
}

/// Gives `bytes` to `conn` in one read and returns all that is heard, a failure being the last of it.
pub(crate) fn hear(conn: &mut Connection, bytes: &[u8]) -> Vec<String> {
    let mut read = bytes.to_vec();
    let mut input = &mut read[..];
    let mut heard = Vec::new();
    loop {
        match conn.receive(&mut input) {
            Ok(Some(event)) => heard.push(describe(&event)),
            Ok(None) => {
                assert!(input.is_empty(), "`None` says that all input is used");
                return heard;
            }
            Err(error) => {
                heard.push(describe_error(error));
                return heard;
            }
        }
    }
}

/// Does what [`hear`] does with frames given without masks.
pub(crate) fn hear_frames(conn: &mut Connection, role: Role, transcript: &str) -> Vec<String> {
    hear(conn, &towards(role, &hex(transcript)))
}

/// Returns and writes off all that waits to be written.
pub(crate) fn take(conn: &mut Connection) -> Vec<u8> {
    let waiting = conn.buffered();
    let bytes = conn.outgoing().copy_to_bytes(waiting).to_vec();
    assert_eq!(conn.buffered(), 0, "all was taken");
    bytes
}

/// Returns the bytes of a vectored write.
#[cfg(feature = "std")]
pub(crate) fn join(slices: &[std::io::IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.to_vec()).collect()
}

/// Does what [`take`] does and describes the frames, which must be masked as `role` has to.
pub(crate) fn take_frames(conn: &mut Connection, role: Role) -> Vec<String> {
    naive::describe(&take(conn), role)
}

/// How bytes are handed to a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Feed {
    /// [`Connection::receive`].
    Slice,
    /// [`Connection::receive_bytes`], with one `BytesMut` for all.
    Bytes,
    /// [`Connection::receive`] with [`Delivery::Chunks`]; the chunks of each message are joined again.
    Chunks,
    /// [`Connection::receive_bytes`] with [`Delivery::Chunks`].
    ByteChunks,
    /// [`Connection::receive_within`], with budgets that differ.
    Within,
    /// [`Connection::receive_bytes_within`] with [`Delivery::Chunks`], and budgets that differ.
    ByteChunksWithin,
    /// [`Connection::space`] wherever there is any, else [`Connection::receive`].
    Space,
    /// [`Connection::read`] into a buffer that pieces may not fit in.
    #[cfg(feature = "std")]
    Read,
}

impl Feed {
    pub(crate) const ALL: [Self; 7 + cfg!(feature = "std") as usize] = [
        Self::Slice,
        Self::Bytes,
        Self::Chunks,
        Self::ByteChunks,
        Self::Within,
        Self::ByteChunksWithin,
        Self::Space,
        #[cfg(feature = "std")]
        Self::Read,
    ];
}

/// What a connection made of its input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Heard {
    pub(crate) events: Vec<String>,
    pub(crate) wrote: Vec<u8>,
}

/// Runs a fresh connection over `pieces`, each being one read.
pub(crate) fn run<'a>(
    role: Role,
    config: Config,
    feed: Feed,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Heard {
    run_on(|config| connection(role, config), config, feed, pieces)
}

/// Runs the connection that `fresh` returns over `pieces`, each being one read.
pub(crate) fn run_on<'a>(
    fresh: impl FnOnce(&Config) -> Connection,
    config: Config,
    feed: Feed,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Heard {
    let delivery = match feed {
        Feed::Chunks | Feed::ByteChunks | Feed::ByteChunksWithin => Delivery::Chunks,
        _ => config.delivery,
    };
    let mut ear = Ear {
        conn: fresh(&config.with_delivery(delivery)),
        events: Vec::new(),
        message: Vec::new(),
        failed: false,
    };
    let mut shared = BytesMut::new();
    let mut budgets = [0, 1, 0, 3, 50, 1_000, 70_000].into_iter().cycle();
    for piece in pieces {
        if matches!(
            feed,
            Feed::Bytes | Feed::ByteChunks | Feed::ByteChunksWithin
        ) {
            shared.extend_from_slice(piece);
            while ear.listens() {
                let event = if feed == Feed::ByteChunksWithin {
                    within(&mut budgets, |budget| {
                        ear.conn.receive_bytes_within(&mut shared, budget)
                    })
                } else {
                    ear.conn.receive_bytes(&mut shared)
                };
                if !ear.note(event) {
                    break;
                }
            }
            continue;
        }
        #[cfg(feature = "std")]
        if feed == Feed::Read {
            ear.read(piece);
            continue;
        }
        let mut read = piece.to_vec();
        let mut input = &mut read[..];
        while ear.listens() {
            if feed == Feed::Space {
                ear.fill_space(&mut input);
            }
            let event = if feed == Feed::Within {
                within(&mut budgets, |budget| {
                    ear.conn.receive_within(&mut input, budget)
                })
            } else {
                ear.conn.receive(&mut input)
            };
            if !ear.note(event) {
                break;
            }
        }
    }
    Heard {
        events: ear.events,
        wrote: take(&mut ear.conn),
    }
}

/// Calls `receive` with one budget after the other until there is no need to call again.
fn within<'a>(
    budgets: &mut impl Iterator<Item = usize>,
    mut receive: impl FnMut(&mut usize) -> Result<Received<'a>, ProtocolError>,
) -> Result<Option<Event<'a>>, ProtocolError> {
    loop {
        let mut budget = budgets.next().expect("there are more");
        match receive(&mut budget)? {
            Received::Event(event) => return Ok(Some(event)),
            Received::Again => {}
            Received::Wanting => return Ok(None),
        }
    }
}

/// One that listens to a connection and writes down what it hears.
struct Ear {
    conn: Connection,
    events: Vec<String>,
    message: Vec<u8>,
    failed: bool,
}

impl Ear {
    fn listens(&self) -> bool {
        !self.failed
    }

    /// Reads the start of `input` straight into a message, as a transport would.
    fn fill_space(&mut self, input: &mut &mut [u8]) {
        while let Some(space) = self.conn.unfilled().filter(|_| !input.is_empty()) {
            let len = space.len().min(input.len());
            let (now, rest) = core::mem::take(input).split_at_mut(len);
            space[..len].copy_from_slice(now);
            *input = rest;
            self.conn.filled(len);
        }
    }

    /// Reads `piece` by [`Connection::read`], in as many steps as it takes.
    #[cfg(feature = "std")]
    fn read(&mut self, mut piece: &[u8]) {
        let mut buffer = [0; 20 << 10];
        loop {
            let read = self
                .conn
                .read(&mut buffer, |slices| piece.read_vectored(slices));
            let (_, mut input) = read.expect("memory");
            while self.listens() {
                let event = self.conn.receive(&mut input);
                if !self.note(event) {
                    break;
                }
            }
            if piece.is_empty() || !self.listens() {
                return;
            }
        }
    }

    /// Writes the event down and tells whether to ask for the next one.
    fn note(&mut self, event: Result<Option<Event<'_>>, ProtocolError>) -> bool {
        match event {
            Ok(Some(Event::Chunk(chunk))) => {
                self.message.extend_from_slice(&chunk.data);
                if chunk.last {
                    let message = core::mem::take(&mut self.message);
                    self.events
                        .push(format!("{} {}", name(chunk.kind), show(&message)));
                }
            }
            Ok(Some(event)) => self.events.push(describe(&event)),
            Ok(None) => return false,
            Err(error) => {
                self.events.push(describe_error(error));
                self.failed = true;
            }
        }
        true
    }
}

/// Numbers that look like chance and are the same each time.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

/// A client and a server, joined by a network that loses nothing.
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
    pub(crate) heard_by_client: Vec<String>,
    pub(crate) heard_by_server: Vec<String>,
}

impl Pair {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            client: Connection::client_with_keys(config, EXAMPLE_KEY),
            server: Connection::server(config),
            heard_by_client: Vec::new(),
            heard_by_server: Vec::new(),
        }
    }

    /// Moves bytes both ways until neither end has any.
    pub(crate) fn drive(&mut self) {
        while self.client.buffered() + self.server.buffered() > 0 {
            let bytes = take(&mut self.client);
            self.heard_by_server.extend(hear(&mut self.server, &bytes));
            let bytes = take(&mut self.server);
            self.heard_by_client.extend(hear(&mut self.client, &bytes));
        }
    }
}

/// Returns the content of a Close frame.
pub(crate) fn closing(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::new(CloseCode(code), reason)
}
