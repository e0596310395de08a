//! Owns what a failure of Redis is called: the answers that a settings mistake causes get their mend,
//! all others are told as the server worded them.

use std::error::Error;

use redis::{ErrorKind, RedisError as Fault, ServerErrorKind};

use super::errors::cause_of;
use crate::world::{HttpErrorKind, RedisAddress, RedisError, RedisErrorKind, RedisServer};

fn error(kind: RedisErrorKind, message: impl Into<String>) -> RedisError {
    RedisError { kind, message: message.into() }
}

/// What went wrong with a question for `keys` to `server`.
pub fn describe(fault: &Fault, server: &RedisServer, keys: &[Vec<u8>]) -> RedisError {
    let host = match &server.address {
        RedisAddress::Tcp(host, port) => format!("{host}:{port}"),
        _ => server.to_string(),
    };
    if let Some((key, code)) = wrong_key(fault, keys)
        && code == "WRONGTYPE"
    {
        let message = format!("{key} in {server} is no list (WRONGTYPE); is `queue_name` right, and the database?");
        return error(RedisErrorKind::Wrong, message);
    }
    unusable(fault, &server.to_string(), &host)
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

/// What a fault that concerns no single key says of `server`, whose address is `host`.
pub fn unusable(fault: &Fault, server: &str, host: &str) -> RedisError {
    if let Some(cause) = cause(fault, host) {
        return cause;
    }
    if fault.is_timeout() {
        return error(RedisErrorKind::Busy, format!("no answer from {server} in time"));
    }
    if fault.is_connection_refusal() {
        return error(RedisErrorKind::Busy, format!("connection refused by {server}"));
    }
    if fault.is_connection_dropped() {
        return error(RedisErrorKind::Busy, format!("{server} closed the connection"));
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
        _ if fault.kind() == ErrorKind::AuthenticationFailed => {
            (RedisErrorKind::Wrong, format!("{server} does not accept the user or the password of the URL: {text}"))
        }
        _ if matches!(fault.kind(), ErrorKind::Parse | ErrorKind::UnexpectedReturnType) => {
            (RedisErrorKind::Wrong, format!("{server} does not answer as redis does; is the port right?"))
        }
        _ => (RedisErrorKind::Busy, format!("{server} answered: {text}")),
    };
    error(kind, message)
}

/// A cause below redis: the network, the name, TLS.
fn cause(fault: &Fault, host: &str) -> Option<RedisError> {
    let found = cause_of(fault as &(dyn Error + 'static), host)?;
    let kind = match found.kind {
        HttpErrorKind::Timeout | HttpErrorKind::Refused | HttpErrorKind::Broken => RedisErrorKind::Busy,
        _ => RedisErrorKind::Wrong,
    };
    let message = match found.kind {
        HttpErrorKind::Tls if found.message.contains("certificate") => format!(
            "{}; where the server signs its own certificate, as Heroku's does, add `?ssl_cert_reqs=none` to the URL",
            found.message
        ),
        _ => found.message,
    };
    Some(error(kind, message))
}

/// The server's words, on one line: "NOAUTH Authentication required.".
fn answer(fault: &Fault) -> String {
    let text = match (fault.code(), fault.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, Some(detail)) => detail.to_owned(),
        (None, None) => fault.to_string(),
    };
    let text = match fault.kind() {
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "LOADING".to_owned(),
        _ => text,
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
