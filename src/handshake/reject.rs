//! Refusing an opening handshake with an HTTP response (RFC 6455 §4.2.2).

use alloc::format;
use alloc::vec::Vec;

use super::error::HandshakeError;
use super::error::HeadError;
use super::field;
use super::name;

/// Writes a response other than 101, after which the server closes the transport (RFC 6455 §4.2.2).
///
/// For whatever the server answers instead of an upgrade: 401 with `WWW-Authenticate`, a redirect,
/// 404, or a page for a browser that sent a plain GET. `Content-Length` and `Connection: close` are
/// written, and with status 426 the `Upgrade` and `Sec-WebSocket-Version` that belong to it
/// (RFC 9110 §15.5.22, RFC 6455 §4.4).
///
/// ```
/// use sansocket::handshake::reject;
///
/// let response = reject(302, &[("Location", "https://example.com/login")], b"")?;
/// assert_eq!(
///     response,
///     b"HTTP/1.1 302 Found\r\n\
///       Content-Length: 0\r\n\
///       Connection: close\r\n\
///       Location: https://example.com/login\r\n\
///       \r\n"
/// );
/// # Ok::<(), sansocket::handshake::HeadError>(())
/// ```
///
/// # Errors
///
/// The status is not one of a final response, a header is not one that the caller may write, or the
/// status is 204 or 304 and there is a body.
pub fn reject(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<u8>, HeadError> {
    if !(200..600).contains(&status) {
        return Err(HeadError::Status);
    }
    let has_no_body = matches!(status, 204 | 304);
    if has_no_body && !body.is_empty() {
        return Err(HeadError::Body);
    }
    let mut response = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
    if !has_no_body {
        field::push(
            &mut response,
            name::CONTENT_LENGTH,
            format!("{}", body.len()).as_bytes(),
        );
    }
    if status == 426 {
        field::push(&mut response, name::CONNECTION, b"close, Upgrade");
        field::push(&mut response, name::UPGRADE, b"websocket");
        field::push(&mut response, name::SEC_WEBSOCKET_VERSION, b"13");
    } else {
        field::push(&mut response, name::CONNECTION, b"close");
    }
    for (name, value) in headers {
        field::push_checked(&mut response, name, value.as_bytes())?;
    }
    response.extend_from_slice(b"\r\n");
    response.extend_from_slice(body);
    Ok(response)
}

impl HandshakeError {
    /// Writes the response that tells the client what is wrong; the server sends it and closes the
    /// transport (RFC 6455 §4.2.1).
    #[must_use]
    pub fn response(&self) -> Vec<u8> {
        let text = format!("{self}\n");
        // RFC 9110 §15.5.6: 405 says which methods are allowed. The one used may have been HEAD,
        // whose response has no body.
        let response = match self {
            Self::Method => reject(self.status(), &[("Allow", "GET")], b""),
            _ => reject(
                self.status(),
                &[("Content-Type", "text/plain")],
                text.as_bytes(),
            ),
        };
        response.unwrap_or_default() // every status above is one that `reject` takes
    }
}

/// Returns the usual reason phrase, or none (RFC 9110 §15).
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
