//! Owns the `smtp_url` of `notify::email`: what it may say, how the connection is secured, and what
//! went wrong in words without the password.

use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::Url;

use super::{Undelivered, text};
use crate::secret::Secret;
use crate::settings::did_you_mean;

/// The longest a connection and the sending of one message may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// The shape of a right one, for errors.
const SHAPE: &str = "it looks like `smtp://user:password@mail.example.com:587` (STARTTLS) or \
                     `smtps://user:password@mail.example.com:465`";

/// What passwords do to URLs.
const ENCODE: &str = "special characters of user and password must be percent-encoded: `@` is `%40`, `#` is `%23`, `/` is `%2F`, `%` is `%25`";

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// None.
    Plain,
}

/// A mail server and how to log in.
#[derive(Clone, Debug)]
pub(super) struct MailServer {
    host: String,
    port: u16,
    pub(super) security: Security,
    login: Option<(String, Secret)>,
}

/// What is wrong with a URL, and the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: String,
}

fn problem<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { message: message.into(), help: help.into() })
}

impl MailServer {
    /// Reads the URL. No message shows more of it than scheme and host.
    pub(super) fn parse(written: &str) -> Result<Self, Problem> {
        if written.trim().is_empty() {
            return problem("`smtp_url` is empty", SHAPE);
        }
        let Ok(url) = Url::parse(written.trim()) else {
            return problem("`smtp_url` is no URL", format!("{SHAPE}; {ENCODE}"));
        };
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return problem("`smtp_url` is no URL of a mail server", SHAPE);
        }
        if url.fragment().is_some() || !matches!(url.path(), "" | "/") {
            return problem("`smtp_url` has something after the host and port", ENCODE);
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return problem("`smtp_url` names no host", SHAPE);
        }
        let login = login(&url)?;
        let security = security(&url, &host, login.is_some())?;
        let port = url.port().unwrap_or(match security {
            Security::Implicit => SUBMISSIONS_PORT,
            Security::Plain if login.is_none() => SMTP_PORT,
            _ => SUBMISSION_PORT,
        });
        Ok(Self { host, port, security, login })
    }

    /// The user name, where it is a mail address.
    pub(super) fn user_address(&self) -> Option<&str> {
        self.login.as_ref().map(|(user, _)| &**user).filter(|user| user.contains('@'))
    }

    /// Whether a listener on the way may read a password.
    pub(super) fn may_leak(&self) -> bool {
        self.security == Security::Opportunistic && self.login.is_some() && !is_local(&self.host)
    }

    /// A transport, with the certificates the machine trusts now (`SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// honoured): read for each message, so that a renewed authority needs no restart.
    pub(super) async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        let server = self.clone();
        let built = tokio::task::spawn_blocking(move || server.build()).await;
        match built {
            Ok(transport) => transport.map_err(|error| self.undelivered(&error)),
            Err(error) => Err(Undelivered::for_good(format!("the mail transport broke down: {error}"))),
        }
    }

    fn build(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
        let certificates = || TlsParameters::new(self.host.clone());
        let tls = match self.security {
            Security::Implicit => Tls::Wrapper(certificates()?),
            Security::Required => Tls::Required(certificates()?),
            Security::Opportunistic => Tls::Opportunistic(certificates()?),
            Security::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }

    /// What went wrong, in our words.
    pub(super) fn undelivered(&self, error: &Error) -> Undelivered {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let cause = text::one_line(&cause);
        if let Some(code) = error.status() {
            let message = format!("the mail server {self} answered {code}: {cause}");
            return if error.is_transient() { Undelivered::for_now(message) } else { Undelivered::for_good(message) };
        }
        let lower = cause.to_lowercase();
        if error.is_client() && lower.contains("starttls") {
            return Undelivered::for_good(format!(
                "the mail server {self} offers no STARTTLS (`?tls=none` at the end of `smtp_url` does without)"
            ));
        }
        if error.is_tls() || lower.contains("certificate") {
            return Undelivered::for_good(format!(
                "TLS with the mail server {self}: {cause} (a private certificate authority goes into the file that \
                 the environment variable SSL_CERT_FILE names)"
            ));
        }
        // What the parser of answers says of one that is none is about the parser.
        let cause = if lower.starts_with("error ") { "does not answer as mail servers do" } else { plain(&cause) };
        let message = format!("the mail server {self}: {cause}");
        if error.is_client() { Undelivered::for_good(message) } else { Undelivered::for_now(message) }
    }

    /// What a server that is silent gets.
    pub(super) fn silent(&self) -> Undelivered {
        Undelivered::for_now(format!("the mail server {self} did not take the message within {} s", TIMEOUT.as_secs()))
    }
}

/// Without the number that the operating system gives.
fn plain(cause: &str) -> &str {
    cause.split(" (os error").next().unwrap_or(cause)
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn login(url: &Url) -> Result<Option<(String, Secret)>, Problem> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => problem("`smtp_url` has a password and no user name", SHAPE),
        (_, None) => problem("`smtp_url` has a user name and no password", SHAPE),
        (user, Some(password)) => Ok(Some((decoded(user), Secret::new(decoded(password))))),
    }
}

/// Percent-decoding is part of form decoding, which takes `+` for a space besides.
fn decoded(text: &str) -> String {
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}

fn security(url: &Url, host: &str, login: bool) -> Result<Security, Problem> {
    let mut written = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return problem(format!("`smtp_url` knows only the option `tls`, not `{name}`"), ENCODE);
        }
        written = Some(value.into_owned());
    }
    let implicit = url.scheme() == "smtps";
    match written.as_deref() {
        None | Some("required") if implicit => Ok(Security::Implicit),
        Some(word) if implicit => problem(
            format!("`tls={word}` in `smtp_url` contradicts `smtps://`"),
            "`smtps://` is TLS from the first byte; write `smtp://` for STARTTLS or plain text",
        ),
        Some("opportunistic") => Ok(Security::Opportunistic),
        Some("none") if login && !is_local(host) => problem(
            "`tls=none` in `smtp_url` would send the password in plain text over the network",
            "leave it out: STARTTLS is required then",
        ),
        Some("none") => Ok(Security::Plain),
        // A mail daemon of the machine itself offers STARTTLS with a certificate that nobody trusts.
        None if !login && is_local(host) => Ok(Security::Plain),
        None | Some("required") => Ok(Security::Required),
        Some(word) => {
            let words = ["required", "opportunistic", "none"];
            let help = did_you_mean(word, words).unwrap_or_else(|| format!("it is one of {}", words.join(", ")));
            problem(format!("`tls={word}` in `smtp_url` is unknown"), help)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (Security, String, Option<(String, String)>) {
        let server = MailServer::parse(url).expect(url);
        let login = server.login.as_ref().map(|(user, password)| (user.clone(), password.expose().to_owned()));
        (server.security, server.to_string(), login)
    }

    #[test]
    fn the_url_says_how_the_connection_is_secured() {
        let none = || None;
        let login = || Some(("u".to_owned(), "p".to_owned()));
        let table = [
            ("smtp://u:p@mail.example.com", Security::Required, "mail.example.com:587", login()),
            ("smtp://mail.example.com:2525", Security::Required, "mail.example.com:2525", none()),
            ("smtps://u:p@mail.example.com/", Security::Implicit, "mail.example.com:465", login()),
            ("smtps://mail.example.com?tls=required", Security::Implicit, "mail.example.com:465", none()),
            ("smtp://localhost", Security::Plain, "localhost:25", none()),
            ("smtp://127.0.0.1:1025", Security::Plain, "127.0.0.1:1025", none()),
            ("smtp://[::1]:1025", Security::Plain, "[::1]:1025", none()),
            ("smtp://u:p@localhost", Security::Required, "localhost:587", login()),
            ("smtp://localhost?tls=required", Security::Required, "localhost:587", none()),
            ("smtp://u:p@127.0.0.1:25?tls=none", Security::Plain, "127.0.0.1:25", login()),
            ("smtp://mailhog:1025?tls=none", Security::Plain, "mailhog:1025", none()),
            ("smtp://mail.example.com?tls=opportunistic", Security::Opportunistic, "mail.example.com:587", none()),
        ];
        for (url, security, at, login) in table {
            assert_eq!(read(url), (security, at.to_owned(), login), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded_and_nothing_else() {
        let (_, _, login) = read("smtp://ops%40example.com:a%23b+c%25d&e=f@mail.example.com");
        assert_eq!(login, Some(("ops@example.com".into(), "a#b+c%d&e=f".into())));
    }

    #[test]
    fn a_bad_url_is_named_without_its_password() {
        let table = [
            ("", "`smtp_url` is empty"),
            ("mail.example.com", "`smtp_url` is no URL"),
            ("smtp://u:hunter2hunter2@mail.example.com:port", "`smtp_url` is no URL"),
            ("https://u:hunter2hunter2@mail.example.com", "`smtp_url` is no URL of a mail server"),
            ("smtp://u:hunter2hunter2@", "`smtp_url` is no URL"),
            ("smtp://u:hunter2hunter2#x@mail.example.com", "`smtp_url` is no URL"),
            ("smtp://u:hunter2hunter2/x@mail.example.com", "`smtp_url` is no URL"),
            ("smtp://mail.example.com/hunter2hunter2", "`smtp_url` has something after the host and port"),
            ("smtp://ops@mail.example.com", "`smtp_url` has a user name and no password"),
            ("smtp://:hunter2hunter2@mail.example.com", "`smtp_url` has a password and no user name"),
            ("smtp://mail.example.com?tls=requird", "`tls=requird` in `smtp_url` is unknown"),
            ("smtp://mail.example.com?tsl=none", "`smtp_url` knows only the option `tls`, not `tsl`"),
            ("smtps://mail.example.com?tls=none", "`tls=none` in `smtp_url` contradicts `smtps://`"),
            (
                "smtp://u:hunter2hunter2@mail.example.com?tls=none",
                "`tls=none` in `smtp_url` would send the password in plain text over the network",
            ),
        ];
        for (url, message) in table {
            let problem = MailServer::parse(url).expect_err(url);
            assert_eq!(problem.message, message, "{url}");
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
            assert!(!problem.help.is_empty(), "{url}");
        }
    }
}
