//! Owns what a failure of Redis is called: the answers that a settings mistake causes get their mend,
//! all others are told as the server worded them.

use std::error::Error;
use std::sync::Arc;

use redis::{ErrorKind, RedisError as Fault, ServerErrorKind};

use super::errors::cause_of;
use crate::world::{HttpErrorKind, RedisAddress, RedisError, RedisErrorKind, RedisServer};

fn error(kind: RedisErrorKind, message: impl Into<String>) -> RedisError {
    RedisError { kind, message: message.into() }
}

/// What went wrong with a question for `keys` to `server`.
pub fn describe(fault: &Fault, server: &RedisServer, keys: &[Vec<u8>]) -> RedisError {
    let name = match &server.address {
        RedisAddress::Tcp(host, _) => host.to_string(),
        _ => server.to_string(),
    };
    if let Some((key, code)) = wrong_key(fault, keys)
        && code == "WRONGTYPE"
    {
        let message = format!("{key} in {server} is no list (WRONGTYPE); is `queue_name` right, and the database?");
        return error(RedisErrorKind::Wrong, message);
    }
    let mut said = unusable(fault, &server.to_string(), &name);
    // A server that hangs up on the handshake.
    if server.tls.is_some() && said.message.contains("broke off the connection") {
        said.message = format!("{}; {NO_TLS}", said.message);
    }
    said
}

/// What is said where TLS does not come about.
const NO_TLS: &str = "if the server does not speak TLS, the URL begins with `redis://`";

/// Whether a server knows no users, and so no AUTH with two arguments.
pub fn is_old_auth(fault: &Fault) -> bool {
    answer(fault).contains("wrong number of arguments")
}

/// What went wrong with the password.
pub fn refused_entry(fault: &Fault, server: &RedisServer) -> RedisError {
    if answer(fault).contains("without any password configured") {
        return error(RedisErrorKind::Wrong, format!("{server} has no password, and the URL gives one"));
    }
    describe(fault, server, &[])
}

/// What went wrong with the choice of the database.
pub fn no_database(fault: &Fault, server: &RedisServer) -> RedisError {
    let text = answer(fault);
    if text.contains("out of range") || text.contains("invalid DB index") {
        return error(RedisErrorKind::Wrong, format!("{server} has no database {}", server.database));
    }
    describe(fault, server, &[])
}

/// Whether a connection that was open before turned out to be dead.
pub fn is_stale(fault: &Fault) -> bool {
    fault.is_connection_dropped() || fault.is_unrecoverable_error() && fault.is_io_error() && !fault.is_timeout()
}

/// The first key whose answer was an error, and the code of that error.
fn wrong_key(fault: &Fault, keys: &[Vec<u8>]) -> Option<(String, String)> {
    let errors = fault.clone().into_server_errors()?;
    let (index, first) = errors.first()?;
    let code = first.code().to_owned();
    Some((keys.get(*index).map_or_else(|| "a key".to_owned(), |key| shown(key)), code))
}

/// A key as the user knows it: kombu's separator and step stand for a priority.
fn shown(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    match text.split_once("\u{6}\u{16}") {
        Some((name, step)) => format!("`{name}` (priority {step})"),
        None => format!("`{}`", text.escape_debug()),
    }
}

/// What a fault that concerns no single key says of `server`, whose host name is `name`.
pub fn unusable(fault: &Fault, server: &str, name: &str) -> RedisError {
    if let Some(cause) = cause(fault, server, name) {
        return cause;
    }
    if fault.is_connection_refusal() {
        // A socket file that does not exist (yet).
        return error(RedisErrorKind::Busy, format!("connection refused by {server}"));
    }
    let text = answer(fault);
    let (kind, message) = match text.split(' ').next().unwrap_or_default() {
        "NOAUTH" => (
            RedisErrorKind::Wrong,
            format!("{server} asks for a password (NOAUTH); write it into the URL: `redis://:password@host:6379/0`"),
        ),
        "WRONGPASS" => {
            (RedisErrorKind::Wrong, format!("{server} does not accept the user or the password of the URL (WRONGPASS)"))
        }
        "NOPERM" => (RedisErrorKind::Wrong, format!("the user of the URL may not do this in {server} ({text})")),
        "LOADING" => (RedisErrorKind::Busy, format!("{server} is still loading its data (LOADING)")),
        _ if matches!(fault.kind(), ErrorKind::Parse | ErrorKind::UnexpectedReturnType) => {
            (RedisErrorKind::Wrong, format!("{server} does not answer as redis does; is the port right?"))
        }
        _ => (RedisErrorKind::Busy, format!("{server} answered: {text}")),
    };
    error(kind, message)
}

/// A cause below redis: the network, the name, TLS.
fn cause(fault: &Fault, server: &str, name: &str) -> Option<RedisError> {
    // The fault keeps its cause in an `Arc`, which hides the type of what is in it.
    let source = fault.source()?;
    let found = match source.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => cause_of(&**shared, server, name)?,
        None => cause_of(source, server, name)?,
    };
    let kind = match found.kind {
        HttpErrorKind::Timeout | HttpErrorKind::Refused | HttpErrorKind::Broken => RedisErrorKind::Busy,
        _ => RedisErrorKind::Wrong,
    };
    let message = match found.kind {
        HttpErrorKind::Tls if found.message.contains("certificate") => format!(
            "{}; where the server signs its own certificate, as Heroku's does, add `?ssl_cert_reqs=none` to the URL",
            found.message
        ),
        HttpErrorKind::Tls => format!("{}; {NO_TLS}", found.message),
        // What does not speak the protocol looks like a connection that was closed.
        HttpErrorKind::Broken => format!("{server} broke off the connection, or does not speak as redis does"),
        _ => found.message,
    };
    Some(error(kind, message))
}

/// The server's words, on one line: "NOAUTH Authentication required.".
fn answer(fault: &Fault) -> String {
    let errors = fault.clone().into_server_errors();
    let text = match errors.as_ref().and_then(|errors| errors.first()) {
        Some((_, error)) => {
            // The library's own names of the codes that it knows are not the server's.
            let code = match error.kind() {
                Some(ServerErrorKind::ResponseError) => "ERR",
                _ => error.code(),
            };
            format!("{code} {}", error.details().unwrap_or_default())
        }
        None => fault.detail().map_or_else(|| fault.to_string(), str::to_owned),
    };
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
