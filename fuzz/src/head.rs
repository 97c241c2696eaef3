//! The head of an HTTP message, read once more and naively.

use std::fmt::Debug;

use sansocket::handshake::{HandshakeError, HeadLimits, Headers};

use crate::choices::Choices;

/// Returns limits, most of the time those that nothing in a short input reaches.
pub fn limits(choices: &mut Choices<'_>) -> HeadLimits {
    let default = HeadLimits::default();
    let (bytes, start_line, headers) =
        choices.pick(&[(0, 0, 0), (0, 0, 0), (100, 0, 0), (0, 30, 0), (0, 0, 3)]);
    let or = |limit, default| if limit == 0 { default } else { limit };
    HeadLimits {
        bytes: or(bytes, default.bytes),
        start_line: or(start_line, default.start_line),
        headers: or(headers, default.headers),
    }
}

/// Tells whether a head that has a syntax may be refused for this: it is over a limit, or a line ends in a single LF.
#[must_use]
pub fn is_stricter(error: HandshakeError) -> bool {
    matches!(
        error,
        HandshakeError::HeadTooLong
            | HandshakeError::StartLineTooLong
            | HandshakeError::TooManyHeaders
            | HandshakeError::LineEnding
    )
}

/// Returns what was read in a form that can be compared.
pub fn show(read: &impl Debug) -> String {
    format!("{read:?}")
}

/// Tells whether these are the header fields that the parser has found.
#[must_use]
pub fn same(headers: &Headers, parsed: &[httparse::Header<'_>]) -> bool {
    let parsed = parsed.iter().map(|field| (field.name, field.value));
    headers.iter().eq(parsed)
}

/// A head in lines.
#[derive(Debug)]
pub struct Lines {
    pub start: String,
    fields: Vec<(String, String)>,
}

/// Takes a complete head apart; names come in lower case.
#[must_use]
pub fn lines(head: &[u8]) -> Lines {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_start().split("\r\n");
    Lines {
        start: lines.next().unwrap_or_default().into(),
        fields: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| {
                let value = value.trim_matches([' ', '\t']);
                (name.to_ascii_lowercase(), value.into())
            })
            .collect(),
    }
}

impl Lines {
    /// Returns the values of all fields of this name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        let fields = self.fields.iter().filter(|field| field.0 == name);
        fields.map(|field| field.1.clone()).collect()
    }

    /// Tells whether an element stands in a list, whatever its case.
    #[must_use]
    pub fn has_element(&self, name: &str, element: &str) -> bool {
        self.values(name).iter().any(|value| {
            let mut elements = value.split(',').map(|one| one.trim_matches([' ', '\t']));
            elements.any(|one| one.eq_ignore_ascii_case(element))
        })
    }
}
