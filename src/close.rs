//! Close codes and the payload of a Close frame (RFC 6455 §5.5.1, §7.4).

use core::fmt;

use bytes::Bytes;

use crate::error::ProtocolError;
use crate::role::Role;
use crate::text::Utf8Bytes;
use crate::utf8::Utf8Validator;

/// Why a connection was closed (RFC 6455 §7.4).
///
/// Any value may stand here; [`is_sendable`](Self::is_sendable) tells which may stand in a Close frame.
///
/// ```
/// use sansocket::{CloseCode, Role};
///
/// assert!(CloseCode::GOING_AWAY.is_sendable(Role::Server));
/// assert!(CloseCode(4000).is_sendable(Role::Client)); // private use
/// assert!(!CloseCode::ABNORMAL_CLOSURE.is_sendable(Role::Client));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL_CLOSURE: Self = Self(1000);
    /// 1001: a server goes down, or a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data came that this endpoint does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the Close frame had no code. Never sent.
    pub const NO_STATUS_RECEIVED: Self = Self(1005);
    /// 1006: the connection ended without a Close frame. Never sent.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// 1007: data came that its type forbids, such as text that is not UTF-8.
    pub const INVALID_FRAME_PAYLOAD_DATA: Self = Self(1007);
    /// 1008: a policy was violated, with nothing more specific to say.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not negotiate an extension that the client needs. Sent by clients only.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: something unexpected happened here.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded; try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never sent.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// Tells whether `role` may send a Close frame with this code (RFC 6455 §7.4.1, §7.4.2).
    ///
    /// These are 1000–1003, 1007–1009, 1011–1014, 3000–4999 and, for clients, 1010. The answer to the peer's Close frame
    /// repeats its code whatever that is.
    #[must_use]
    pub const fn is_sendable(self, role: Role) -> bool {
        match self.0 {
            // "This status code is not used by the server"
            1010 => matches!(role, Role::Client),
            1000..=1003 | 1007..=1014 | 3000..=4999 => true,
            _ => false,
        }
    }

    /// Tells whether a Close frame with this code may be received (RFC 6455 §7.4.1, §7.4.2).
    ///
    /// The text does not say what to do with codes that are unassigned or out of range; they are refused like the
    /// reserved ones. 1010 is taken from either end, for it does no harm.
    #[must_use]
    pub const fn is_receivable(self) -> bool {
        self.is_sendable(Role::Client)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl ProtocolError {
    /// Returns the code that tells the peer what it did wrong (RFC 6455 §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidCloseReason | Self::InvalidCompression => {
                CloseCode::INVALID_FRAME_PAYLOAD_DATA
            }

            Self::FrameTooLarge | Self::MessageTooLarge => CloseCode::MESSAGE_TOO_BIG,
            Self::CompressionOverhead
            | Self::TooManyFragments
            | Self::TooManyEmptyFragments
            | Self::TooManyControlFrames => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// What a Close frame says, if it says anything (RFC 6455 §5.5.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CloseFrame {
    /// Why the connection is closed.
    pub code: CloseCode,
    /// More about it, for a log: at most 123 bytes, not meant for the eyes of a user (RFC 6455 §5.5.1).
    pub reason: Utf8Bytes,
}

/// Shows the code, and behind it the reason if there is one: `1001`, `1001 restart`.
impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.code, &self.reason, f)
    }
}

/// Writes a code and its reason for a log: the reason is the peer's, so control characters are escaped.
pub(crate) fn show(code: CloseCode, reason: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&code, f)?;
    if !reason.is_empty() {
        write!(f, " {}", reason.escape_debug())?;
    }
    Ok(())
}

impl CloseFrame {
    /// The length of the longest reason, in bytes.
    pub const MAX_REASON_LEN: usize = 123;

    /// Returns a frame with the code and a reason, which may be empty.
    #[must_use]
    pub fn new(code: CloseCode, reason: impl Into<Utf8Bytes>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// Checks what the first bytes of a payload of two or more show already: an error is reported at the byte that makes it
    /// certain.
    pub(crate) fn check_start(payload: &[u8]) -> Result<(), ProtocolError> {
        let (codes, reason) = match payload {
            [] => return Ok(()),
            [high] => (
                u16::from_be_bytes([*high, 0])..=u16::from_be_bytes([*high, 0xFF]),
                &[][..],
            ),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                (code..=code, reason)
            }
        };
        if !codes.map(CloseCode).any(CloseCode::is_receivable) {
            return Err(ProtocolError::InvalidCloseCode);
        }
        Utf8Validator::new()
            .push(reason)
            .map_err(|_| ProtocolError::InvalidCloseReason)
    }

    /// Reads the payload of a Close frame, which may be empty (RFC 6455 §5.5.1).
    ///
    /// # Errors
    ///
    /// [`TruncatedCloseCode`](ProtocolError::TruncatedCloseCode) for a single byte,
    /// [`InvalidCloseCode`](ProtocolError::InvalidCloseCode) for a code that must not be sent, and
    /// [`InvalidCloseReason`](ProtocolError::InvalidCloseReason) for a reason that is not UTF-8.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            // §5.5.1 "the first two bytes of the body MUST be a 2-byte unsigned integer"
            [_] => return Err(ProtocolError::TruncatedCloseCode),
            [a, b, reason @ ..] => (CloseCode(u16::from_be_bytes([*a, *b])), reason),
        };
        if !code.is_receivable() {
            return Err(ProtocolError::InvalidCloseCode);
        }
        let reason = Utf8Bytes::try_from(Bytes::copy_from_slice(reason))
            .map_err(|_| ProtocolError::InvalidCloseReason)?;
        Ok(Some(Self { code, reason }))
    }
}
