//! Heads of opening handshakes, judged by `sansocket` and by `tungstenite`.
//!
//! `handshake [HEADS] [--seed SEED] [--only INDEX]`
//!
//! The same seed and index give the same head. `DIVERGENCES.md` says what the names in the table mean.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;

use differential::handshakes::{Outcome, head, sansocket, tungstenite};
use differential::random::Random;
use differential::run::{Looked, Tally, run};

use ::sansocket::handshake::HandshakeError as Ours;
use ::tungstenite::Error as Theirs;
use ::tungstenite::error::ProtocolError;
use ::tungstenite::http::Uri;

fn main() -> ExitCode {
    run("handshake", "heads", look).exit_code()
}

fn look(random: &mut Random, tally: &mut Tally) -> Looked<Judged> {
    let is_request = random.one_in(2);
    let story = if is_request {
        let head = head::request(random);
        Judged {
            ours: sansocket::accept(random, &head),
            theirs: tungstenite::accept(&head),
            head,
        }
    } else {
        let head = head::response(random);
        Judged {
            ours: sansocket::verify(random, &head),
            theirs: tungstenite::verify(&head),
            head,
        }
    };
    let class = classify(is_request, &story.head, &story.ours, &story.theirs);
    let kind = if is_request { "request" } else { "response" };
    tally.add(kind, class.as_deref().unwrap_or("unexplained"));
    Looked {
        passes: class.is_some(),
        story,
    }
}

/// A head and what both make of it.
struct Judged {
    head: Vec<u8>,
    ours: Outcome<Ours>,
    theirs: Outcome<Theirs>,
}

impl Display for Judged {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { head, ours, theirs } = self;
        let head = String::from_utf8_lossy(head);
        write!(
            f,
            "{head:?}\n  sansocket: {ours:?}\n  tungstenite: {theirs:?}"
        )
    }
}

/// Names how the two agree, or in which known way they do not.
fn classify(
    is_request: bool,
    head: &[u8],
    ours: &Outcome<Ours>,
    theirs: &Outcome<Theirs>,
) -> Option<String> {
    match (ours, theirs) {
        (Outcome::Accepted(ours), Outcome::Accepted(theirs)) => {
            (ours == theirs).then(|| "both accept".into())
        }
        (Outcome::Rejected(_), Outcome::Rejected(_)) => Some("both reject".into()),
        (Outcome::Partial, Outcome::Partial) => Some("both want more".into()),
        (Outcome::Partial, Outcome::Rejected(_)) => {
            (!is_request && is_interim(head)).then(|| "later: an interim response".into())
        }
        (Outcome::Rejected(error), Outcome::Accepted(_)) => stricter(is_request, head, error),
        (Outcome::Rejected(error), Outcome::Partial) => {
            stricter(is_request, head, error).or_else(|| earlier(is_request, head))
        }
        (Outcome::Accepted(_), Outcome::Rejected(error)) => more_lenient(is_request, head, error),
        _ => None,
    }
}

/// Tells whether a response begins with an interim one, for which any HTTP/1 will do.
fn is_interim(head: &[u8]) -> bool {
    head.starts_with(b"HTTP/1.1 1") || head.starts_with(b"HTTP/1.0 1")
}

/// Tells why we have rejected where they wait: the end changes nothing.
fn earlier(is_request: bool, head: &[u8]) -> Option<String> {
    let ended = [head, b"\r\n\r\n"].concat();
    let is_accepted = if is_request {
        matches!(tungstenite::accept(&ended), Outcome::Accepted(_))
    } else {
        matches!(tungstenite::verify(&ended), Outcome::Accepted(_))
    };
    (!is_accepted).then(|| "earlier: no end helps".into())
}

/// Names why we are known to reject this where they do not.
fn stricter(is_request: bool, head: &[u8], error: &Ours) -> Option<String> {
    is_stricter(is_request, head, error).then(|| format!("stricter: {error:?}"))
}

fn is_stricter(is_request: bool, head: &[u8], error: &Ours) -> bool {
    match *error {
        Ours::LineEnding => has_bare_lf(head),
        // More empty lines before the request than we take, or any before a response.
        Ours::StartLine => head.starts_with(if is_request {
            b"\r\n\r\n\r\n\r\n\r\n"
        } else {
            b"\r\n"
        }),
        Ours::Target | Ours::Body | Ours::Expectation => is_request,
        Ours::Missing(name) | Ours::Invalid(name) | Ours::Repeated(name) => match name {
            "Host" | "Content-Length" | "Origin" => is_request,
            "Sec-WebSocket-Protocol" | "Sec-WebSocket-Extensions" => true,
            "Upgrade" | "Sec-WebSocket-Accept" => !is_request && *error == Ours::Repeated(name),
            "Sec-WebSocket-Key" => is_request && *error == Ours::Repeated(name),
            // They take a space for the end of an element.
            "Connection" => {
                is_request
                    && !list_has(head, "connection", b",")
                    && list_has(head, "connection", b", ")
            }
            _ => false,
        },
        // They look at the first version only.
        Ours::UnsupportedVersion => is_request && count(head, "sec-websocket-version") > 1,
        Ours::NotOffered(name) => !is_request && name == "Sec-WebSocket-Extensions",
        _ => false,
    }
}

/// Tells why we accept what they do not.
fn more_lenient(is_request: bool, head: &[u8], error: &Theirs) -> Option<String> {
    let explained = match error {
        Theirs::Protocol(ProtocolError::MissingUpgradeWebSocketHeader) => {
            is_request && list_has(head, "upgrade", b",")
        }
        Theirs::Protocol(ProtocolError::MissingConnectionUpgradeHeader) => {
            list_has(head, "connection", b",")
        }
        Theirs::HttpFormat(_) => {
            is_request && target(head).is_some_and(|it| it.parse::<Uri>().is_err())
        }
        Theirs::Http(response) => {
            !is_request && response.status().as_u16() != 101 && is_interim(head)
        }
        // The bits of the last digit that belong to no byte.
        Theirs::Protocol(ProtocolError::InvalidSecWebSocketKey) => is_request,
        Theirs::Protocol(ProtocolError::WrongHttpVersion) => !is_request && is_interim(head),
        _ => false,
    };
    let error = error.to_string();
    explained.then(|| format!("more lenient: {}", error.lines().next().unwrap_or_default()))
}

fn has_bare_lf(head: &[u8]) -> bool {
    head.first() == Some(&b'\n')
        || head
            .windows(2)
            .any(|two| two[1] == b'\n' && two[0] != b'\r')
}

/// Tells whether the lines of a header have the element that asks for the upgrade, cut at any of the separators.
fn list_has(head: &[u8], name: &str, separators: &[u8]) -> bool {
    let element = if name == "upgrade" {
        "websocket"
    } else {
        "upgrade"
    };
    head.split(|&byte| byte == b'\n').any(|line| {
        let colon = line.iter().position(|&byte| byte == b':');
        let (line, value) = line.split_at(colon.unwrap_or(0));
        line.eq_ignore_ascii_case(name.as_bytes())
            && value[1..]
                .split(|byte| separators.contains(byte))
                .any(|part| part.trim_ascii().eq_ignore_ascii_case(element.as_bytes()))
    })
}

/// Counts the lines of a header.
fn count(head: &[u8], name: &str) -> usize {
    let lines = head.split(|&byte| byte == b'\n');
    let name = [name.as_bytes(), b":"].concat();
    lines
        .filter(|line| {
            let start = line.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(&name))
        })
        .count()
}

fn target(head: &[u8]) -> Option<&str> {
    let head = head.trim_ascii_start();
    str::from_utf8(head.split(|&byte| byte == b' ').nth(1)?).ok()
}
