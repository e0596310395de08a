//! Owns how a Redis for state is named on the command line, and the names of its keys. A password in it is never
//! shown.

use std::fmt;

use crate::measure::redis_url;
use crate::secret::Secret;
use crate::world::RedisServer;

/// The variable that `--state redis` means.
const VARIABLE: &str = "REDIS_URL";

/// What the URL calls the state of one worker, in place of the name of its script.
const NAME: &str = "name";

/// What the URL calls the master that sentinels know.
const MASTER: &str = "master_name";

/// A Redis that keeps state, as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisPlace {
    url: Secret,
    /// Whether the URL comes from [`VARIABLE`].
    from_variable: bool,
    missing: bool,
}

impl RedisPlace {
    /// Reads `text` if it names a Redis: a URL, or `redis` for the one in `REDIS_URL`, each with options after a
    /// `?`. Whether it is a good one [`RedisPlace::server`] says: a URL is never quoted, since it holds a password.
    #[must_use]
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let (scheme, _) = text.split_once(':').unwrap_or((text, ""));
        if ["redis", "rediss", "redis+socket", "unix", "sentinel"].contains(&scheme) && text.contains("://") {
            return Some(Self { url: Secret::new(text), from_variable: false, missing: false });
        }
        let (word, options) = text.split_once('?').map_or((text, None), |(word, options)| (word, Some(options)));
        if word != "redis" {
            return None;
        }
        let url = variable(VARIABLE).filter(|url| !url.trim().is_empty());
        let missing = url.is_none();
        let mut url = url.unwrap_or_default();
        if let Some(options) = options {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(options);
        }
        Some(Self { url: Secret::new(url), from_variable: true, missing })
    }

    /// The server.
    ///
    /// # Errors
    /// What is wrong with the URL, without quoting it.
    pub fn server(&self) -> Result<RedisServer, String> {
        if self.missing {
            return Err(format!("`--state redis` takes the URL from the variable `{VARIABLE}`, which is not set"));
        }
        let what = if self.from_variable { "the variable `REDIS_URL`" } else { "the URL of --state" };
        let server = redis_url::parse(self.url.expose(), self.option(MASTER).as_deref());
        let server = server.map_err(|why| {
            let why = why.replace("for which the setting `master_name` is needed", "which needs `?master_name=…`");
            format!("{what} {why}; {}", redis_url::EXAMPLE)
        })?;
        match self.name() {
            Some(name) if !is_good(&name) => {
                Err(format!("`name` in {what} may hold letters, digits, `.`, `_` and `-`, at most 100 of them"))
            }
            _ => Ok(server),
        }
    }

    /// The name of one worker's state that the URL asks for.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.option(NAME)
    }

    fn option(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.url.expose().split(';').next_back()?).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

fn is_good(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&name.len()) && name.bytes().all(good)
}

impl fmt::Display for RedisPlace {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server() {
            Ok(server) => write!(f, "{server}"),
            Err(_) => f.write_str("redis"),
        }
    }
}

/// The names of all states in one Redis.
pub(super) const STATES: &str = "autoscaler:states";

/// The keys of one worker's state.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// Those of the state that is called `name`. The braces keep them together in a cluster.
    pub(super) fn new(name: &str) -> Self {
        Self { prefix: format!("autoscaler:{{{name}}}:") }
    }

    /// One of the keys there is one of: fence, lease, rival, version, kept, sizes, levers, pushed.
    pub(super) fn one(&self, what: &str) -> String {
        format!("{}{what}", self.prefix)
    }

    /// The newest records of `pipeline`, by time.
    pub(super) fn records(&self, pipeline: &str) -> String {
        format!("{}records:{pipeline}", self.prefix)
    }

    /// The older ones, packed, by the time of the newest in each.
    pub(super) fn packed(&self, pipeline: &str) -> String {
        format!("{}packed:{pipeline}", self.prefix)
    }

    /// The accepted versions of `unit`.
    pub(super) fn generations(&self, unit: &str) -> String {
        format!("{}generations:{unit}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<RedisPlace> {
        RedisPlace::parse(text, &|name| (name == "REDIS_URL").then(|| "redis://:very-secret@a.test:7000/1".into()))
    }

    #[test]
    fn a_url_or_the_word_for_the_one_in_the_environment() {
        for text in ["redis", "redis?name=shop", "redis://:very-secret@a.test:7000/1", "rediss://a.test:7000"] {
            let place = place(text).unwrap();
            assert_eq!(place.to_string(), "redis at a.test:7000", "{text}");
            assert!(!format!("{place:?}").contains("very-secret"));
        }
        assert_eq!(place("redis?name=shop").unwrap().name().as_deref(), Some("shop"));
        assert_eq!(place("./redis"), None);
        assert_eq!(place("memory"), None);
    }

    #[test]
    fn what_is_wrong_is_told_without_the_url() {
        let wrong = |text| place(text).unwrap().server().unwrap_err();
        let port = wrong("redis://:very-secret@a:port/0");
        assert!(port.contains("invalid port") && !port.contains("very-secret"), "{port}");
        assert!(wrong("redis?name=a/b").contains("`name`"));
        let missing = RedisPlace::parse("redis", &|_| None).unwrap().server().unwrap_err();
        assert!(missing.contains("`REDIS_URL`, which is not set"), "{missing}");
    }
}
