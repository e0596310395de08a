//! Owns Redis as a capability: a server as a value and the few questions that are put to it. The live
//! connections are `crate::net::RedisConnections`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::reach::Host;
use crate::secret::Secret;

/// A Redis server and how to enter it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedisServer {
    /// Where it is.
    pub address: RedisAddress,
    /// The user, where it is not the default one.
    pub username: Option<Arc<str>>,
    /// The password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: i64,
    /// TLS, where the URL asks for it.
    pub tls: Option<RedisTls>,
}

/// Where a Redis server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RedisAddress {
    /// Host and port.
    Tcp(Arc<str>, u16),
    /// A Unix socket.
    Socket(PathBuf),
    /// The master that sentinels name: asked in order, the first that knows it counts.
    Sentinel {
        /// Host and port of each.
        sentinels: Vec<(Arc<str>, u16)>,
        /// The name of the master.
        master: Arc<str>,
    },
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedisTls {
    /// Whether the server's certificate and name are checked (`ssl_cert_reqs`).
    pub verify: bool,
    /// A file of root certificates to trust in place of the machine's own (`ssl_ca_certs`).
    pub roots: Option<PathBuf>,
    /// Our own certificate and its key (`ssl_certfile`, `ssl_keyfile`).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl RedisServer {
    /// The hosts that are spoken to; for a Unix socket this machine, `localhost`.
    #[must_use]
    pub fn hosts(&self) -> Vec<Host> {
        match &self.address {
            RedisAddress::Tcp(host, port) => vec![Host::new(host, Some(*port))],
            // What listens on a socket is on this machine.
            RedisAddress::Socket(_) => vec![Host::new("localhost", None)],
            RedisAddress::Sentinel { sentinels, .. } => {
                sentinels.iter().map(|(host, port)| Host::new(host, Some(*port))).collect()
            }
        }
    }
}

impl fmt::Display for RedisServer {
    /// "redis at host:port", without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            RedisAddress::Tcp(host, port) => write!(f, "redis at {host}:{port}"),
            RedisAddress::Socket(path) => write!(f, "redis at {}", path.display()),
            RedisAddress::Sentinel { master, .. } => write!(f, "redis master `{master}`"),
        }
    }
}

/// The commands that may be asked: each reads one key, in constant time or bounded by what it names.
/// `KEYS` and `SCAN` are left out: they walk the whole database, and stall everybody else on it.
pub const READS: &[&str] =
    &["GET", "LLEN", "HLEN", "SCARD", "ZCARD", "XLEN", "EXISTS", "TTL", "HGET", "ZSCORE", "LINDEX", "LRANGE"];

/// One question about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisQuestion {
    /// One of [`READS`].
    pub command: &'static str,
    /// The key.
    pub key: Vec<u8>,
    /// What follows it.
    pub arguments: Vec<Vec<u8>>,
}

/// What Redis answered.
#[derive(Clone, Debug, PartialEq)]
pub enum RedisValue {
    /// There is no such key, field or element.
    Nothing,
    /// A count, or seconds.
    Int(i64),
    /// A score.
    Float(f64),
    /// A text, at most 1 MiB; what is no UTF-8 in it is replaced.
    Text(String),
    /// Elements, at most 1 MiB in all.
    List(Vec<String>),
}

/// Why Redis gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RedisError {
    /// What sort of failure it is.
    pub kind: RedisErrorKind,
    /// What happened, lower case, with the mend where there is one, without secrets.
    pub message: String,
}

/// What a failed question says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisErrorKind {
    /// The server is there and does not cope, or is not there now: time-out, refused, reset, loading.
    Busy,
    /// The settings do not fit the server: name, TLS, password, database, wrong type of key.
    Wrong,
}

/// Asks Redis servers.
#[async_trait]
pub trait Redis: Send + Sync {
    /// The length of the list at each of `keys`, 0 for a key that does not exist, in one exchange.
    ///
    /// # Errors
    /// When any of the lengths is not known.
    async fn list_lengths(&self, server: &RedisServer, keys: &[Vec<u8>]) -> Result<Vec<u64>, RedisError>;

    /// The answer to one question that changes nothing.
    ///
    /// # Errors
    /// When there is none that can be used, or where this world has no Redis.
    async fn read(&self, _server: &RedisServer, _question: &RedisQuestion) -> Result<RedisValue, RedisError> {
        Err(RedisError { kind: RedisErrorKind::Wrong, message: "this world has no redis to be asked".into() })
    }
}
