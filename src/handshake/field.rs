//! Header fields as we write them.

use alloc::vec::Vec;

use super::error::HeadError;
use super::name;
use super::token::is_text;
use super::token::token;

/// Appends a header line of our own.
pub(super) fn push(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// Appends a header line of the caller's, unless it could end the line or change the handshake.
pub(super) fn push_checked(head: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), HeadError> {
    token(name.as_bytes()).ok_or(HeadError::Name)?;
    if is_controlled(name) {
        return Err(HeadError::Controlled);
    }
    check_value(value)?;
    push(head, name, value);
    Ok(())
}

/// Refuses what cannot be a field value: a control character other than the tab (RFC 9110 §5.5).
pub(super) fn check_value(value: &[u8]) -> Result<(), HeadError> {
    if value.iter().all(|&byte| is_text(byte)) {
        Ok(())
    } else {
        Err(HeadError::Value)
    }
}

/// Tells whether only the handshake itself writes headers of this name: they switch protocols, say
/// where the head's message ends, or have a method of their own.
fn is_controlled(name: &str) -> bool {
    let controlled = [
        name::CONNECTION,
        name::CONTENT_LENGTH,
        name::EXPECT,
        name::HOST,
        name::ORIGIN,
        name::TRANSFER_ENCODING,
        name::UPGRADE,
    ];
    controlled
        .iter()
        .any(|controlled| controlled.eq_ignore_ascii_case(name))
        || name::is_sec_websocket(name)
}
