//! The negotiation of permessage-deflate over the list of extensions (RFC 7692 §5).

use super::error::HandshakeError;
use super::extensions::Extension;
use super::extensions::Extensions;
use super::name;
use crate::deflate::Element;
use crate::deflate::NAME;
use crate::deflate::NegotiationError;
use crate::deflate::Offer;
use crate::deflate::Params;

impl Extensions {
    /// Answers the list that a client offers, as a server that wants `wanted`: the answer to the
    /// first offer of permessage-deflate that is valid and that `wanted` does not decline, or none
    /// (RFC 7692 §7).
    ///
    /// Without an answer the header must not name the extension, and messages are not compressed.
    ///
    /// ```
    /// use sansocket::deflate::Offer;
    /// use sansocket::handshake::Extensions;
    ///
    /// let offered = Extensions::parse(
    ///     b"permessage-deflate; server_max_window_bits=7, permessage-deflate; client_max_window_bits",
    /// )?;
    /// let answer = offered.answer_deflate(Offer::default()).expect("the second offer will do");
    /// assert_eq!(answer.to_string(), "permessage-deflate");
    /// let params = answer.params();
    /// # assert_eq!(params, Default::default());
    /// # Ok::<(), sansocket::handshake::HandshakeError>(())
    /// ```
    #[must_use]
    pub fn answer_deflate(&self, wanted: Offer) -> Option<Element> {
        // §7 "A server MUST decline an extension negotiation offer [...] if any of the following
        //     conditions are met": the other offers stand.
        let mut valid = self.deflate_elements().filter_map(Result::ok);
        valid.find_map(|offered| wanted.answer(offered))
    }

    /// Checks the list that a server answers to the list `offered`, as the client, and returns what
    /// is agreed on; `None` if messages are not compressed (RFC 7692 §7).
    ///
    /// ```
    /// use sansocket::deflate::{NegotiationError, Offer};
    /// use sansocket::handshake::{Extensions, HandshakeError};
    ///
    /// let mut offered = Extensions::new();
    /// offered.push(&Offer::default().element().into());
    /// // Write `offered.as_str()` into the request, and read the response.
    /// let answer = Extensions::parse(b"permessage-deflate; client_max_window_bits=12")?;
    /// let params = answer.verify_deflate(&offered)?.expect("it is accepted");
    /// assert_eq!(params.client_max_window_bits, 12);
    ///
    /// let answer = Extensions::parse(b"permessage-deflate; client_max_window_bits")?;
    /// let error = HandshakeError::Deflate(NegotiationError::InvalidValue);
    /// assert_eq!(answer.verify_deflate(&offered), Err(error));
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The answer is not valid, stands there twice, belongs to no offer, or comes together with
    /// another extension that needs the bit RSV1.
    pub fn verify_deflate(&self, offered: &Self) -> Result<Option<Params>, HandshakeError> {
        let mut answers = self.deflate_elements();
        let Some(answer) = answers.next() else {
            return Ok(None);
        };
        if answers.next().is_some() {
            return Err(HandshakeError::Repeated(name::SEC_WEBSOCKET_EXTENSIONS));
        }
        // Offers that are not valid, which only the caller can have written, accept no answer.
        let params = answer
            .and_then(|answer| answer.verify(offered.deflate_elements().filter_map(Result::ok)))
            .map_err(HandshakeError::Deflate)?;
        if self
            .iter()
            .any(|other| other.name() != NAME && uses_rsv1(&other))
        {
            return Err(HandshakeError::Deflate(NegotiationError::Conflict));
        }
        Ok(Some(params))
    }

    /// Returns the elements that name permessage-deflate, each parsed on its own (RFC 7692 §7).
    fn deflate_elements(&self) -> impl Iterator<Item = Result<Element, NegotiationError>> {
        self.iter()
            .filter(|extension| extension.name() == NAME)
            .map(|extension| Element::parse(extension.params()))
    }
}

/// Tells whether an extension is known to use the bit RSV1: all that compress messages do, and are
/// named alike (RFC 7692 §6), and so did their predecessors, which compressed frames.
pub(super) fn uses_rsv1(extension: &Extension<'_>) -> bool {
    let name = extension.name();
    name.starts_with("permessage-") || name.ends_with("deflate-frame")
}
