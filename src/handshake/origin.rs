//! Which origins a server serves (RFC 6455 §10.2).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::authority;

/// Tells a server which web pages may open connections to it (RFC 6455 §10.2).
///
/// A browser lets every page connect to every server, with the cookies that it has for that server,
/// and names the page's origin in the header `Origin`: the server must look at it. Programs that
/// are not browsers can send what they like; a request without `Origin` comes from one of them, and
/// every policy but a [`custom`](Self::custom) one allows it (RFC 6455 §4.2.1). Native clients that
/// send an origin of their own write the scheme `ws` or `wss`, which counts as `http` or `https`.
///
/// ```
/// use sansocket::handshake::OriginPolicy;
///
/// let policy = OriginPolicy::list(["https://app.example.com"])?;
/// assert!(policy.allows(Some("https://app.example.com"), "api.example.com"));
/// assert!(!policy.allows(Some("https://evil.example"), "api.example.com"));
/// assert!(policy.allows(None, "api.example.com"));
/// # Ok::<(), sansocket::handshake::OriginError>(())
/// ```
///
/// # Limits of the default
///
/// The default, [`same`](Self::same), compares the headers `Origin` and `Host`.
///
/// - **Behind a proxy that rewrites `Host`** every browser gets 403; nginx does so by default. Have
///   the proxy pass the header on, or name the public host with [`same_as`](Self::same_as):
///
///   ```text
///   proxy_http_version 1.1;
///   proxy_set_header Host $http_host;
///   proxy_set_header Upgrade $http_upgrade;
///   proxy_set_header Connection "upgrade";
///   ```
///
/// - **A page of a development server**, `http://localhost:5173` for instance, gets 403 from a
///   server at `localhost:9001`, because another port is another origin. [`list`](Self::list) the
///   page's origin, or let the development server pass its requests on.
/// - **A server on `localhost` or in a private network** is not safe from pages of other sites
///   (DNS rebinding): the owner of `evil.example` lets this name lead to 127.0.0.1 once the page
///   is loaded. The browser then sends `evil.example` in both headers. A [`list`](Self::list)
///   refuses it.
#[derive(Clone, Default)]
pub struct OriginPolicy {
    rule: Rule,
}

#[derive(Clone, Default)]
enum Rule {
    #[default]
    Same,
    SameAs(String),
    /// Normal forms.
    List(Vec<String>),
    Any,
    #[expect(
        clippy::type_complexity,
        reason = "it stands here only, and a name would hide it"
    )]
    Custom(Arc<dyn Fn(Option<&str>, &str) -> bool + Send + Sync>),
}

impl OriginPolicy {
    /// Allows only pages of the host that the request goes to; the default.
    ///
    /// The host and the port of an http or https origin must be those of the header `Host`; case
    /// does not matter, and a port that is the default of the origin's scheme may be left out on
    /// either side. The schemes are not compared, because behind a proxy the server does not know
    /// its own. The origin `null` and other schemes are refused.
    ///
    /// [`OriginPolicy`] says where this refuses too much, and where too little.
    #[must_use]
    pub const fn same() -> Self {
        Self { rule: Rule::Same }
    }

    /// Allows only pages of this host, whatever the header `Host` says: for a server behind a proxy
    /// that rewrites the header.
    ///
    /// The host is a name or an address, with the port if browsers see one that is not the default.
    /// It is compared with the origin as by [`same`](Self::same).
    ///
    /// ```
    /// use sansocket::handshake::OriginPolicy;
    ///
    /// let policy = OriginPolicy::same_as("app.example.com")?;
    /// assert!(policy.allows(Some("https://app.example.com"), "127.0.0.1:9001"));
    /// assert!(!policy.allows(Some("https://evil.example"), "127.0.0.1:9001"));
    /// # Ok::<(), sansocket::handshake::OriginError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No origin has this host: the part that is wrong.
    pub fn same_as(host: &str) -> Result<Self, OriginError> {
        if host.contains("://") {
            return Err(OriginError::Scheme);
        }
        let (name, _) = parse_authority(host)?;
        check_web_host(&name)?;
        let rule = Rule::SameAs(host.into());
        Ok(Self { rule })
    }

    /// Allows the origins listed: each a scheme, a host, and the port if it is not the default.
    ///
    /// The scheme may be any, as in `capacitor://localhost`, and the origin may be `null`, which
    /// sandboxed pages have. Case does not matter, nor does the default port or one `/` at the end,
    /// because browsers write neither.
    ///
    /// # Errors
    ///
    /// A page can have no such origin: the part that is wrong. There are no wildcards; a
    /// [`custom`](Self::custom) policy can compare the end of a host.
    pub fn list<I>(origins: I) -> Result<Self, OriginError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let normal = |origin: I::Item| {
            let origin = origin.as_ref();
            let stripped = origin.strip_suffix('/');
            // One `/` is the end; another is a path, or belongs to a scheme without a host.
            let is_origin = |it: &&str| it.ends_with("://") || !it.ends_with('/');
            normalise(stripped.filter(is_origin).unwrap_or(origin))
        };
        let list = origins.into_iter().map(normal);
        Ok(Self {
            rule: Rule::List(list.collect::<Result<_, _>>()?),
        })
    }

    /// Allows every page. Only for servers that give a page nothing which anybody else could not
    /// have, or which check the origin elsewhere.
    #[must_use]
    pub const fn any() -> Self {
        Self { rule: Rule::Any }
    }

    /// Asks `allows`, which is given the origin, if there is one, and the host and port that the
    /// request goes to.
    #[must_use]
    pub fn custom(allows: impl Fn(Option<&str>, &str) -> bool + Send + Sync + 'static) -> Self {
        Self {
            rule: Rule::Custom(Arc::new(allows)),
        }
    }

    /// Tells whether a request with this `Origin` may connect to this `Host`.
    #[must_use]
    pub fn allows(&self, origin: Option<&str>, host: &str) -> bool {
        match (&self.rule, origin) {
            (Rule::Custom(allows), _) => allows(origin, host),
            // RFC 6455 §4.2.1 "A connection attempt lacking this header field SHOULD NOT be
            // interpreted as coming from a browser client."
            (Rule::Any, _) | (_, None) => true,
            (Rule::List(list), Some(origin)) => {
                // A browser writes the normal form.
                let is_listed = |origin: &str| list.iter().any(|allowed| allowed == origin);
                is_listed(origin) || normalise(origin).is_ok_and(|origin| is_listed(&origin))
            }
            (Rule::Same, Some(origin)) => is_same(origin, host),
            (Rule::SameAs(own), Some(origin)) => is_same(origin, own),
        }
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Same => f.write_str("Same"),
            Rule::SameAs(host) => f.debug_tuple("SameAs").field(host).finish(),
            Rule::List(list) => f.debug_tuple("List").field(list).finish(),
            Rule::Any => f.write_str("Any"),
            Rule::Custom(_) => f.write_str("Custom(..)"),
        }
    }
}

/// Compares an origin with a host as [`OriginPolicy::same`] says.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, own)) = origin.split_once("://") else {
        return false;
    };
    if web_scheme(scheme).is_none() {
        return false;
    }
    // A browser writes both alike.
    own == host
        || normalise(origin).is_ok_and(|origin| {
            normalise(&format!("{scheme}://{host}")).is_ok_and(|host| origin == host)
        })
}

/// Returns an origin as a browser writes it (RFC 6454 §6.2), but `ws` and `wss` as `http` and
/// `https`.
fn normalise(origin: &str) -> Result<String, OriginError> {
    if origin.eq_ignore_ascii_case("null") {
        return Ok("null".into());
    }
    let (scheme, authority) = (origin.split_once("://"))
        .filter(|(scheme, _)| is_scheme(scheme))
        .ok_or(OriginError::Scheme)?;
    let (host, port) = parse_authority(authority)?;
    let (scheme, default_port) = match web_scheme(scheme) {
        Some((scheme, port)) => {
            check_web_host(&host)?;
            (scheme.into(), Some(port))
        }
        None => (scheme.to_ascii_lowercase(), None),
    };
    Ok(match port.filter(|_| port != default_port) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// Returns the scheme and the default port of pages from the web.
fn web_scheme(scheme: &str) -> Option<(&'static str, u16)> {
    let is = |name| scheme.eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some(("https", 443))
    } else if is("http") || is("ws") {
        Some(("http", 80))
    } else {
        None
    }
}

/// RFC 3986 §3.1 "ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )"
fn is_scheme(scheme: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_part)
}

/// Returns the host in lower case, and the port. The host may be empty, as of `file://`.
fn parse_authority(authority: &str) -> Result<(String, Option<u16>), OriginError> {
    if !authority.is_ascii() {
        return Err(OriginError::NotAscii);
    }
    for (mark, error) in [
        ('#', OriginError::Fragment),
        ('?', OriginError::Query),
        ('/', OriginError::Path),
        ('@', OriginError::Userinfo),
        ('*', OriginError::Wildcard),
    ] {
        if authority.contains(mark) {
            return Err(error);
        }
    }
    let (host, port) = authority::split(authority);
    if !host.is_empty() && !authority::is_host(host) {
        return Err(OriginError::Host);
    }
    let port = match port {
        None | Some("") => None,
        Some(port) => {
            Some((authority::parse_port(port).filter(|&port| port != 0)).ok_or(OriginError::Port)?)
        }
    };
    let address = host.trim_matches(['[', ']']).parse::<Ipv6Addr>();
    let host = address.map_or_else(
        |_| host.to_ascii_lowercase(),
        |address| format!("[{address}]"),
    );
    Ok((host, port))
}

/// Checks that a browser can have a page of this host: browsers resolve escapes, and write addresses
/// in one way.
fn check_web_host(host: &str) -> Result<(), OriginError> {
    let last = host.trim_end_matches('.').rsplit('.').next();
    let is_number = |label: &str| {
        let digits = label.strip_prefix("0x");
        !label.is_empty()
            && (label.bytes().all(|byte| byte.is_ascii_digit())
                || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())))
    };
    let is_other_address = last.is_some_and(is_number) && host.parse::<Ipv4Addr>().is_err();
    if host.is_empty() || host.contains('%') || is_other_address {
        return Err(OriginError::Host);
    }
    Ok(())
}

/// The part of an origin, or of a host, that no page can have.
///
/// ```
/// use sansocket::handshake::{OriginError, OriginPolicy};
///
/// let policy = OriginPolicy::list(["https://app.example.com/chat"]);
/// assert_eq!(policy.unwrap_err(), OriginError::Path);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OriginError {
    /// An origin has no scheme and is not `null`, or a host has one.
    Scheme,
    /// There is a user name or a password.
    Userinfo,
    /// The host is missing, malformed, or an address in a form that browsers do not write.
    Host,
    /// The host is not ASCII: browsers write it in Punycode, `xn--…` (RFC 3492).
    NotAscii,
    /// There is a wildcard.
    Wildcard,
    /// The port is no number from 1 to 65535.
    Port,
    /// There is a path.
    Path,
    /// There is a query.
    Query,
    /// There is a fragment.
    Fragment,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an origin begins with a scheme and ://, and a host does not",
            Self::Userinfo => "an origin has no user name and no password",
            Self::Host => "the host of the origin is missing or is none that a browser writes",
            Self::NotAscii => "the host of the origin is not ASCII; write it in punycode (xn--)",
            Self::Wildcard => "an origin has no wildcards",
            Self::Port => "the port of the origin is not between 1 and 65535",
            Self::Path => "an origin has no path",
            Self::Query => "an origin has no query",
            Self::Fragment => "an origin has no fragment",
        })
    }
}

impl Error for OriginError {}

/// The origin and the host of a request that the server's [`OriginPolicy`] refused.
///
/// Both are texts of the peer, shortened to 100 characters, and escaped where they are not visible
/// ASCII.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RejectedOrigin {
    origin: Option<Box<str>>,
    host: Box<str>,
}

impl RejectedOrigin {
    pub(super) fn new(origin: Option<&str>, host: &str) -> Self {
        Self {
            origin: origin.map(shorten),
            host: shorten(host),
        }
    }

    /// Returns the origin of the page, or `None` if the request named none.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns the host and port that the request went to: of an absolute target, else of the
    /// header `Host`.
    #[must_use]
    pub const fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for RejectedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "the Origin {origin}")?,
            None => f.write_str("a request without Origin")?,
        }
        write!(f, " is not served at the Host {}", self.host)
    }
}

/// Escapes what is not visible ASCII, so that no log and no page is changed by it.
fn shorten(text: &str) -> Box<str> {
    let escaped = text.chars().flat_map(char::escape_default);
    escaped.take(100).collect::<String>().into()
}
