//! Owns what bounds a script's reach: hosts that secrets are bound to, and the hosts, variables and
//! programs that the command line allows. It bounds scripts, not the native backends, whose hosts are
//! settings of the author.

use std::fmt;
use std::sync::Arc;

/// A host, or all below one: "hooks.slack.com", "127.0.0.1:8080", "*.example.com".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// In lower case, without the brackets of IPv6; begins with `*.` for all hosts below.
    name: Arc<str>,
    /// Every port where it names none.
    port: Option<u16>,
}

impl HostPattern {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is none, to follow it in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains("://") || text.contains('/') {
            return Err("is a URL, and must be a host such as \"hooks.slack.com\"".into());
        }
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, rest)) => (name, rest.strip_prefix(':')),
            // More colons than one: IPv6 without brackets.
            None => match text.split_once(':') {
                Some((name, port)) if !port.contains(':') => (name, Some(port)),
                _ => (text, None),
            },
        };
        let port = match port.map(str::parse) {
            None => None,
            Some(Ok(port)) => Some(port),
            Some(Err(_)) => return Err("has a port that is no number".into()),
        };
        let plain = name.strip_prefix("*.").unwrap_or(name);
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if plain.is_empty() || !plain.chars().all(fits) {
            return Err("is no host such as \"hooks.slack.com\" or \"*.example.com\"".into());
        }
        Ok(Self { name: name.to_lowercase().into(), port })
    }

    /// Whether `host` is meant.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        let name = match self.name.strip_prefix('*') {
            Some(below) => host.name.len() > below.len() && host.name.ends_with(below),
            None => host.name == self.name,
        };
        name && self.port.is_none_or(|port| host.port == Some(port))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A host that is about to be spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    name: Arc<str>,
    port: Option<u16>,
}

impl Host {
    /// Host and port.
    #[must_use]
    pub fn new(name: &str, port: Option<u16>) -> Self {
        let name = name.trim_start_matches('[').trim_end_matches(']');
        Self { name: name.to_lowercase().into(), port }
    }

    /// That of a web address.
    #[must_use]
    pub fn of(url: &url::Url) -> Option<Self> {
        url.host_str().map(|name| Self::new(name, url.port_or_known_default()))
    }
}

impl fmt::Display for Host {
    /// Without a port that goes without saying.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if !matches!(port, 80 | 443) => write!(f, "{}:{port}", self.name),
            _ => f.write_str(&self.name),
        }
    }
}

/// What scripts may reach; the default is every host and variable, and no program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// `--allow-net`; `None` where it is not given: every host.
    pub hosts: Option<Arc<[HostPattern]>>,
    /// `--allow-env`: names, or beginnings of names that end with `*`; `None`: every variable.
    pub variables: Option<Arc<[Arc<str>]>>,
    /// `--allow-run`.
    pub programs: bool,
}

/// What is wrong, and what to do about it.
pub type Refusal = (String, String);

impl Bounds {
    /// Whether scripts may speak to `host`.
    ///
    /// # Errors
    /// That they may not.
    pub fn host(&self, host: &Host) -> Result<(), Refusal> {
        let Some(allowed) = &self.hosts else { return Ok(()) };
        if allowed.iter().any(|pattern| pattern.matches(host)) {
            return Ok(());
        }
        let help = format!("`--allow-net` names {}; add `{host}` to it", listed(allowed));
        Err((format!("scripts may not reach `{host}` here"), help))
    }

    /// Whether scripts may read the variable `name`.
    ///
    /// # Errors
    /// That they may not.
    pub fn variable(&self, name: &str) -> Result<(), Refusal> {
        let Some(allowed) = &self.variables else { return Ok(()) };
        let fits = |pattern: &Arc<str>| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => **pattern == *name,
        };
        if allowed.iter().any(fits) {
            return Ok(());
        }
        let help = format!("`--allow-env` names {}; add `{name}` to it", listed(allowed));
        Err((format!("scripts may not read the environment variable `{name}` here"), help))
    }

    /// Whether scripts may run programs with `what`.
    ///
    /// # Errors
    /// That they may not.
    pub fn program(&self, what: &str) -> Result<(), Refusal> {
        if self.programs {
            return Ok(());
        }
        let help = "start with `--allow-run`, or set AUTOSCALER_ALLOW_RUN=true";
        Err((format!("`{what}` runs a program, which scripts may not do here"), help.into()))
    }
}

/// "a, b", or "nothing".
pub(crate) fn listed<T: fmt::Display>(patterns: &[T]) -> String {
    if patterns.is_empty() {
        return "nothing".into();
    }
    patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_a_host_all_below_one_or_a_port() {
        for (pattern, host, port, expected) in [
            ("hooks.slack.com", "HOOKS.slack.com", 443, true),
            ("hooks.slack.com", "evil-hooks.slack.com", 443, false),
            ("*.slack.com", "hooks.slack.com", 443, true),
            ("*.slack.com", "slack.com", 443, false),
            ("*.slack.com", "evilslack.com", 443, false),
            ("127.0.0.1:8080", "127.0.0.1", 8080, true),
            ("127.0.0.1:8080", "127.0.0.1", 8081, false),
            ("::1", "[::1]", 80, true),
            ("[::1]:81", "::1", 80, false),
        ] {
            let matches = HostPattern::parse(pattern).unwrap().matches(&Host::new(host, Some(port)));
            assert_eq!(matches, expected, "{pattern} {host} {port}");
        }
        for text in ["", "https://a.test", "a.test/x", "a.test:x", "*", "a b"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_hold_only_where_they_are_set() {
        let open = Bounds::default();
        assert!(open.host(&Host::new("a.test", None)).is_ok() && open.variable("A").is_ok());
        assert!(open.program("measure::command").is_err());
        let bounds = Bounds {
            hosts: Some([HostPattern::parse("a.test").unwrap()].into()),
            variables: Some(["APP_*".into(), "PORT".into()].into()),
            programs: true,
        };
        assert!(bounds.variable("APP_KEY").is_ok() && bounds.variable("PORT").is_ok());
        let (message, help) = bounds.variable("HOME").unwrap_err();
        assert_eq!(message, "scripts may not read the environment variable `HOME` here");
        assert_eq!(help, "`--allow-env` names `APP_*`, `PORT`; add `HOME` to it");
        let (message, help) = bounds.host(&Host::new("b.test", Some(8080))).unwrap_err();
        assert_eq!(message, "scripts may not reach `b.test:8080` here");
        assert_eq!(help, "`--allow-net` names `a.test`; add `b.test:8080` to it");
    }
}
