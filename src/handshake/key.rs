//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that answers it (RFC 6455 §1.3, §4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest as _;
use sha1::Sha1;

use super::set::Set;

/// Returns the `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`, in ASCII
/// (RFC 6455 §4.2.2).
///
/// The key is hashed as it was received, not decoded. SHA-1 protects nothing here: the answer only
/// shows that the server understood the handshake (RFC 6455 §10.8).
///
/// ```
/// use sansocket::handshake::accept_key;
///
/// assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    // §1.3 "the Globally Unique Identifier (GUID, [RFC4122]) "258EAFA5-E914-47DA-
    //       95CA-C5AB0DC85B11" in string form"
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    base64(&digest)
}

/// Returns the `Sec-WebSocket-Key` of a nonce, in ASCII.
pub(super) fn encode(nonce: [u8; 16]) -> [u8; 24] {
    // §4.1 "a nonce consisting of a randomly selected 16-byte value that has been
    //       base64-encoded"
    base64(&nonce)
}

/// Tells whether `key` is the base64 of 16 bytes: 22 digits and `==`.
///
/// The last digit has four bits that belong to no byte. They may have any value, because keys that
/// are written by hand have (RFC 6455 §4.1 prints one), and the key is never decoded.
pub(super) fn is_valid(key: &[u8]) -> bool {
    matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && DIGITS.has_all(digits))
}

/// The digits of base64 (RFC 4648 §4).
static DIGITS: Set = Set::alphanumeric_and(b"+/");

fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    let written = STANDARD.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(N), "N is the length of the text");
    text
}

#[cfg(test)]
mod tests {
    use base64::alphabet;
    use base64::engine::GeneralPurpose;
    use base64::engine::general_purpose::PAD;

    use super::*;

    /// Decodes a key whose unused bits do not matter.
    fn decodes(key: &[u8]) -> bool {
        let lenient = PAD.with_decode_allow_trailing_bits(true);
        let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
        let mut nonce = [0; 64];
        engine.decode_slice(key, &mut nonce) == Ok(16)
    }

    /// HS-08: whatever byte stands anywhere, and however long the key is, the decoder of the library agrees.
    #[test]
    fn a_key_is_valid_if_it_decodes_to_16_bytes() {
        for nonce in [*b"the sample nonce", [0x3f; 16], [0xc0; 16], [0xff; 16]] {
            let valid = encode(nonce);
            for place in 0..valid.len() {
                for byte in 0..=255 {
                    let mut key = valid;
                    key[place] = byte;
                    assert_eq!(is_valid(&key), decodes(&key), "{}", key.escape_ascii());
                }
            }
        }
        for len in 0..=40 {
            for padding in 0..=3 {
                let key = [&b"A".repeat(len)[..], &b"=".repeat(padding)].concat();
                assert_eq!(is_valid(&key), decodes(&key), "{len} digits, {padding}");
            }
        }
    }
}
