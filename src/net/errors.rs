//! Owns what a failed exchange is called: it walks the causes under an error of the client to the one
//! that matters and says it in a sentence with the host, never with a path, a header or a secret.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::address::Unresolved;
use crate::world::{HttpError, HttpErrorKind};

/// A duration as messages write it: "10 s", "0.5 s".
#[must_use]
pub fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// An error of `kind` with its message.
pub fn error(kind: HttpErrorKind, message: impl Into<String>) -> HttpError {
    HttpError { kind, message: message.into() }
}

/// What went wrong in an exchange with `host` (a name or address with its port).
pub fn classify(failure: &reqwest::Error, host: &str) -> HttpError {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if let Some(known) = cause_of(failure, host, name) {
        return known;
    }
    if failure.is_builder() {
        return error(HttpErrorKind::Invalid, format!("the request to {host} is not valid: {}", innermost(failure)));
    }
    if failure.is_decode() {
        return error(HttpErrorKind::Broken, format!("the reply of {host} is not encoded as it says"));
    }
    error(HttpErrorKind::Broken, format!("the exchange with {host} broke off: {}", innermost(failure)))
}

/// The first cause under `failure` that has a name of its own. `host` is the peer as messages call it,
/// `name` its host name alone.
pub fn cause_of(failure: &(dyn Error + 'static), host: &str, name: &str) -> Option<HttpError> {
    let mut cause = Some(failure);
    while let Some(current) = cause {
        if let Some(known) = known(current, host, name) {
            return Some(known);
        }
        cause = current.source();
    }
    None
}

fn known(cause: &(dyn Error + 'static), host: &str, name: &str) -> Option<HttpError> {
    if let Some(unresolved) = cause.downcast_ref::<Unresolved>() {
        return Some(match unresolved {
            Unresolved::Unknown => error(HttpErrorKind::Dns, format!("the name `{name}` does not resolve")),
            Unresolved::LinkLocal => link_local(name),
        });
    }
    if let Some(fault) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls(fault, host));
    }
    if let Some(fault) = cause.downcast_ref::<io::Error>() {
        return from_io(fault, host, name);
    }
    cause.downcast_ref::<hyper::Error>().and_then(|fault| from_hyper(fault, host))
}

/// The refusal of a link-local address.
pub fn link_local(name: &str) -> HttpError {
    let message = format!("`{name}` is a link-local address, which is refused; name the app by its public host");
    error(HttpErrorKind::Invalid, message)
}

fn tls(fault: &rustls::Error, host: &str) -> HttpError {
    let message = match fault {
        rustls::Error::InvalidCertificate(_) => format!("the certificate of {host} is not accepted: {fault}"),
        _ => format!("no TLS connection to {host}: {fault}"),
    };
    error(HttpErrorKind::Tls, message)
}

fn from_io(fault: &io::Error, host: &str, name: &str) -> Option<HttpError> {
    // The source of a custom io error is the source of what it holds, so that must be looked at here.
    if let Some(inner) = fault.get_ref()
        && let Some(known) = known(inner, host, name)
    {
        return Some(known);
    }
    Some(match fault.kind() {
        io::ErrorKind::ConnectionRefused => error(HttpErrorKind::Refused, format!("connection refused by {host}")),
        io::ErrorKind::ConnectionReset => error(HttpErrorKind::Broken, format!("connection reset by {host}")),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => closed(host),
        io::ErrorKind::TimedOut => error(HttpErrorKind::Timeout, format!("{host} cannot be reached: {fault}")),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            error(HttpErrorKind::Unreachable, format!("there is no way to {host}: {fault}"))
        }
        _ => return None,
    })
}

fn closed(host: &str) -> HttpError {
    error(HttpErrorKind::Broken, format!("{host} closed the connection before its reply was complete"))
}

fn from_hyper(fault: &hyper::Error, host: &str) -> Option<HttpError> {
    if fault.is_incomplete_message() {
        return Some(closed(host));
    }
    if fault.is_parse_too_large() {
        return Some(error(HttpErrorKind::TooLarge, format!("the headers of the reply of {host} are too large")));
    }
    // The detail may quote the reply; the kind of fault is enough.
    fault.is_parse().then(|| error(HttpErrorKind::Broken, format!("{host} does not answer in HTTP: {fault}")))
}

fn innermost(failure: &(dyn Error + 'static)) -> String {
    let mut current = failure;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
