//! Which origins a server serves (RFC 6455 §10.2).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::authority;

/// Tells a server which web pages may open connections to it (RFC 6455 §10.2).
///
/// A browser lets every page connect to every server, with the cookies that it has for that server,
/// and names the page's origin in the header `Origin`: the server must look at it. Programs that
/// are not browsers can send what they like; a request without `Origin` comes from one of them, and
/// every policy but a [`custom`](Self::custom) one allows it (RFC 6455 §4.2.1).
///
/// ```
/// use sansocket::handshake::OriginPolicy;
///
/// let policy = OriginPolicy::list(["https://app.example.com"]);
/// assert!(policy.allows(Some("https://app.example.com"), "api.example.com"));
/// assert!(!policy.allows(Some("https://evil.example"), "api.example.com"));
/// assert!(policy.allows(None, "api.example.com"));
/// ```
#[derive(Clone, Default)]
pub struct OriginPolicy {
    rule: Rule,
}

#[derive(Clone, Default)]
enum Rule {
    #[default]
    Same,
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
    #[must_use]
    pub const fn same() -> Self {
        Self { rule: Rule::Same }
    }

    /// Allows the origins listed, each written as a browser does: `https://example.com`, with the
    /// port if it is not the default.
    #[must_use]
    pub fn list<I>(origins: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self {
            rule: Rule::List(origins.into_iter().map(Into::into).collect()),
        }
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
            (Rule::List(list), Some(origin)) => list
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(origin)),
            (Rule::Same, Some(origin)) => is_same(origin, host),
        }
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Same => f.write_str("Same"),
            Rule::List(list) => f.debug_tuple("List").field(list).finish(),
            Rule::Any => f.write_str("Any"),
            Rule::Custom(_) => f.write_str("Custom(..)"),
        }
    }
}

/// Compares an origin with a host as [`OriginPolicy::same`] says.
fn is_same(origin: &str, host: &str) -> bool {
    let (origin, default_port) = if let Some(rest) = origin.strip_prefix("http://") {
        (rest, 80)
    } else if let Some(rest) = origin.strip_prefix("https://") {
        (rest, 443)
    } else {
        return false;
    };
    let parse_port = |port: Option<&str>| match port {
        None | Some("") => Some(default_port),
        Some(port) => authority::parse_port(port),
    };
    let (origin_host, origin_port) = authority::split(origin);
    let (host, port) = authority::split(host);
    let (Some(origin_port), Some(port)) = (parse_port(origin_port), parse_port(port)) else {
        return false;
    };
    origin_host.eq_ignore_ascii_case(host) && origin_port == port
}
