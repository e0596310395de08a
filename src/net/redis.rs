//! Owns the live connections to Redis: one per server, shared by all who ask it, opened when it is
//! first needed and again after it broke. It keeps no connection that nobody uses.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::io::AsyncDNSResolver;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, FromRedisValue, IntoConnectionInfo,
    RedisConnectionInfo, RedisFuture, TlsCertificates, Value,
};
use tokio::time::{Instant, timeout};

use super::address::lookup;
use super::errors::seconds;
use super::redis_errors::{describe, is_old_auth, is_stale, no_database, refused_entry, unusable};
use super::redis_read;
use crate::world::{Redis, RedisAddress, RedisError, RedisErrorKind, RedisQuestion, RedisServer, RedisTls, RedisValue};

/// Time for one question, connecting included: as for an HTTP measurement.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that nobody used for so long is closed: its server was edited out of the script.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// The connections of the worker.
#[derive(Clone, Default)]
pub struct RedisConnections {
    /// By server; the inner lock makes pipelines that ask at once share one attempt to connect.
    open: Arc<Mutex<HashMap<RedisServer, Arc<Slot>>>>,
}

struct Slot {
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    used: Mutex<Instant>,
}

impl RedisConnections {
    fn slot(&self, server: &RedisServer) -> Arc<Slot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|_, slot| now - *slot.used.lock().unwrap_or_else(PoisonError::into_inner) < IDLE);
        let fresh = || Slot { connection: tokio::sync::Mutex::new(None), used: Mutex::new(now) };
        let slot = Arc::clone(open.entry(server.clone()).or_insert_with(|| Arc::new(fresh())));
        *slot.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        slot
    }
}

impl Slot {
    /// A connection, and whether it was open before.
    async fn connect(&self, server: &RedisServer) -> Result<(MultiplexedConnection, bool), RedisError> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = &*connection {
            return Ok((open.clone(), true));
        }
        let opened = connect(server).await?;
        *connection = Some(opened.clone());
        Ok((opened, false))
    }
}

#[async_trait]
impl Redis for RedisConnections {
    async fn list_lengths(&self, server: &RedisServer, keys: &[Vec<u8>]) -> Result<Vec<u64>, RedisError> {
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("LLEN").arg(key);
        }
        self.within_time(server, |slot| async move { ask(&slot, server, &pipe, keys).await }).await
    }

    async fn read(&self, server: &RedisServer, question: &RedisQuestion) -> Result<RedisValue, RedisError> {
        let keys = std::slice::from_ref(&question.key);
        let named = |error: RedisError| {
            // The words of a measurement name its setting.
            let mend = "; is `queue_name` right, and the database?";
            let message = error
                .message
                .replace(mend, "")
                .replace("is no list (WRONGTYPE)", "holds another type of value (WRONGTYPE)");
            RedisError { message, ..error }
        };
        self.within_time(server, |slot| async move {
            let first: Vec<Value> = ask(&slot, server, &redis_read::pipe(question), keys).await.map_err(named)?;
            let Some(second) = redis_read::second(question, &first, server)? else {
                return redis_read::value(question, &first, server);
            };
            let answers: Vec<Value> = ask(&slot, server, &second, keys).await.map_err(named)?;
            redis_read::value(question, &answers, server)
        })
        .await
    }
}

impl RedisConnections {
    /// What `ask` gets from `server` within [`TIMEOUT`].
    async fn within_time<T, F>(&self, server: &RedisServer, ask: impl FnOnce(Arc<Slot>) -> F) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let slot = self.slot(server);
        if let Ok(answer) = timeout(TIMEOUT, ask(Arc::clone(&slot))).await {
            return answer;
        }
        // Whoever does not answer any more is met anew next time; a locked slot is about to be.
        if let Ok(mut connection) = slot.connection.try_lock() {
            connection.take();
        }
        let message = format!("no answer from {server} within {}", seconds(TIMEOUT));
        Err(RedisError { kind: RedisErrorKind::Busy, message })
    }
}

async fn ask<T: FromRedisValue>(
    slot: &Slot,
    server: &RedisServer,
    pipe: &redis::Pipeline,
    keys: &[Vec<u8>],
) -> Result<Vec<T>, RedisError> {
    loop {
        let (mut connection, kept) = slot.connect(server).await?;
        match pipe.query_async::<Vec<T>>(&mut connection).await {
            Ok(lengths) => return Ok(lengths),
            Err(fault) => {
                // An error that the server answered leaves the connection as it was.
                if fault.is_unrecoverable_error() {
                    slot.connection.lock().await.take();
                }
                // A kept connection may have been closed long ago: that says nothing about now.
                if !(kept && is_stale(&fault)) {
                    return Err(describe(&fault, server, keys));
                }
                slot.connection.lock().await.take();
            }
        }
    }
}

pub(super) async fn connect(server: &RedisServer) -> Result<MultiplexedConnection, RedisError> {
    let address = match &server.address {
        RedisAddress::Sentinel { sentinels, master } => {
            let (host, port) = ask_sentinels(sentinels, master).await?;
            tcp(host, port, server.tls.as_ref())
        }
        RedisAddress::Tcp(host, port) => tcp(host.to_string(), *port, server.tls.as_ref()),
        RedisAddress::Socket(path) => ConnectionAddr::Unix(path.clone()),
    };
    let failed = |fault: redis::RedisError| describe(&fault, server, &[]);
    let info = address.into_connection_info().map_err(failed)?;
    let info = info.set_redis_settings(RedisConnectionInfo::default().set_skip_set_lib_name());
    let client = match server.tls.as_ref().filter(|tls| tls.verify) {
        Some(tls) => Client::build_with_tls(info, certificates(tls).await?),
        None => Client::open(info),
    };
    let client = client.map_err(failed)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config()).await.map_err(failed)?;
    enter(&mut connection, server).await?;
    Ok(connection)
}

/// Gives the password and chooses the database. The library could do it while it connects, but keeps
/// to itself what the server says of it.
async fn enter(connection: &mut MultiplexedConnection, server: &RedisServer) -> Result<(), RedisError> {
    if let Some(password) = &server.password {
        let alone = || redis::cmd("AUTH").arg(password.expose()).to_owned();
        let answer: Result<(), _> = match &server.username {
            None => alone().query_async(connection).await,
            Some(name) => match redis::cmd("AUTH").arg(&**name).arg(password.expose()).query_async(connection).await {
                // Before version 6 there were no users; Heroku's URLs named one all the same.
                Err(fault) if is_old_auth(&fault) => alone().query_async(connection).await,
                answer => answer,
            },
        };
        answer.map_err(|fault| refused_entry(&fault, server))?;
    }
    if server.database != 0 {
        let select: Result<(), _> = redis::cmd("SELECT").arg(server.database).query_async(connection).await;
        select.map_err(|fault| no_database(&fault, server))?;
    }
    Ok(())
}

/// Every question has a limit of time of its own, connecting included.
fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_dns_resolver(CheckedResolver)
}

fn tcp(host: String, port: u16, tls: Option<&RedisTls>) -> ConnectionAddr {
    match tls {
        None => ConnectionAddr::Tcp(host, port),
        Some(tls) => ConnectionAddr::TcpTls { host, port, insecure: !tls.verify, tls_params: None },
    }
}

/// The files that the URL names, read anew for each connection, so that renewed ones are found.
async fn certificates(tls: &RedisTls) -> Result<TlsCertificates, RedisError> {
    let root_cert = match &tls.roots {
        Some(path) => Some(read(path).await?),
        None => None,
    };
    let client_tls = match &tls.identity {
        Some((certificate, key)) => {
            Some(ClientTlsConfig { client_cert: read(certificate).await?, client_key: read(key).await? })
        }
        None => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

async fn read(path: &Path) -> Result<Vec<u8>, RedisError> {
    let owned: PathBuf = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(owned)).await;
    let problem = match read {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(fault)) => fault.to_string(),
        Err(fault) => fault.to_string(),
    };
    Err(RedisError {
        kind: RedisErrorKind::Wrong,
        message: format!("`{}` of the redis URL cannot be read: {problem}", path.display()),
    })
}

/// Asks the sentinels in order for the address of `master`, as
/// <https://redis.io/docs/latest/develop/reference/sentinel-clients/> describes.
async fn ask_sentinels(sentinels: &[(Arc<str>, u16)], master: &str) -> Result<(String, u16), RedisError> {
    let mut problems = Vec::new();
    let mut wrong = false;
    // So that one sentinel that hangs leaves time for the others.
    let share = TIMEOUT / u32::try_from(sentinels.len() + 1).unwrap_or(u32::MAX);
    for (host, port) in sentinels {
        let problem = match timeout(share, ask_sentinel(host, *port, master)).await {
            Ok(Ok(Some(found))) => return Ok(found),
            Ok(Ok(None)) => {
                wrong = true;
                format!("the sentinel at {host}:{port} knows no master `{master}`; is `master_name` right?")
            }
            Ok(Err(problem)) => problem.message,
            Err(_) => format!("no answer from the sentinel at {host}:{port} within {}", seconds(share)),
        };
        problems.push(problem);
    }
    let kind = if wrong { RedisErrorKind::Wrong } else { RedisErrorKind::Busy };
    Err(RedisError { kind, message: problems.join("; ") })
}

async fn ask_sentinel(host: &str, port: u16, master: &str) -> Result<Option<(String, u16)>, RedisError> {
    let failed = |fault| unusable(&fault, &format!("the sentinel at {host}:{port}"), host);
    let client = Client::open(ConnectionAddr::Tcp(host.to_owned(), port)).map_err(failed)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config()).await.map_err(failed)?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("get-master-addr-by-name").arg(master);
    let answer: Option<(String, u16)> = question.query_async(&mut connection).await.map_err(failed)?;
    Ok(answer)
}

/// The system's resolver without link-local answers, for redis.
struct CheckedResolver;

impl AsyncDNSResolver for CheckedResolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let found = lookup(host, port).await.map_err(std::io::Error::other)?;
            let found: Box<dyn Iterator<Item = SocketAddr> + Send> = found;
            Ok(found)
        })
    }
}
