//! Owns what the program that started this one gave it: its time zone, a way to mail its administrators and
//! to write to its log. It asks for nothing else, and a worker that nobody started so goes without.
//!
//! The host listens on a Unix socket of its own, whose path stands in [`VARIABLE`], and speaks first: one
//! line of JSON, the [`Greeting`]. After it each side sends lines: a request has an `id` and what is to be
//! done, its answer that `id` and, where it was not done, an `error`; `stop` of a host needs no answer. Nothing of it is on a command line or
//! in the environment.

mod link;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use link::Link;

/// The variable with the path of the host's socket.
pub const VARIABLE: &str = "AUTOSCALER_HOST";

/// A host that has started us speaks at once.
const GREETS_WITHIN: Duration = Duration::from_secs(10);

/// What a host says first.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Greeting {
    /// The program, for people: "Django 5.2.1".
    pub program: String,
    /// Its time zone, by name.
    pub time_zone: Option<String>,
    /// How it mails its administrators, where it can.
    pub mail: Option<Mail>,
    /// Whether it takes what a pipeline's logger says.
    pub logging: bool,
    /// Variables for the script, beside those of the environment: keys that stand in the host's own settings.
    pub variables: BTreeMap<String, String>,
}

impl fmt::Debug for Greeting {
    /// Without the variables, whose values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting").field("program", &self.program).field("mail", &self.mail).finish_non_exhaustive()
    }
}

/// How a host mails its administrators.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// Their addresses.
    pub to: Vec<String>,
    /// What the mail goes through, for people: "smtp.example.com:587".
    pub through: String,
}

/// Why a host did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What happened, lower case, without secrets.
    pub message: String,
    /// Whether it is worth trying again.
    pub transient: bool,
}

/// The program that started this one.
#[derive(Debug)]
pub struct Host {
    greeting: Greeting,
    zone: Option<Tz>,
    link: Link,
}

impl Host {
    /// The host that [`VARIABLE`] names; `None` where nobody started this program so.
    ///
    /// # Errors
    /// There is one, and it does not answer as hosts do.
    pub async fn of_environment() -> Result<Option<Arc<Self>>, String> {
        let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else { return Ok(None) };
        let why = |error: io::Error| format!("the program that `{VARIABLE}` names does not answer: {error}");
        let stream = UnixStream::connect(Path::new(&path)).await.map_err(why)?;
        Self::greeted(stream).await.map(|host| Some(Arc::new(host)))
    }

    /// The host at the other end of `stream`, once it has spoken. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What it says is no greeting, or too long in coming.
    pub async fn greeted(stream: UnixStream) -> Result<Self, String> {
        let (read, write) = stream.into_split();
        let mut read = BufReader::new(read);
        let line = timeout(GREETS_WITHIN, link::line(&mut read)).await;
        let line = line.ok().flatten().ok_or("the program that started the worker said nothing")?;
        let greeting: Greeting = serde_json::from_slice(&line)
            .map_err(|error| format!("what the program that started the worker says is no greeting: {error}"))?;
        let zone = match &greeting.time_zone {
            Some(name) => Some(name.parse().map_err(|_| format!("{} has no known zone: `{name}`", greeting.program))?),
            None => None,
        };
        Ok(Self { greeting, zone, link: Link::start(read, write) })
    }

    /// Its name, for people.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.greeting.program
    }

    /// Its time zone.
    #[must_use]
    pub fn zone(&self) -> Option<Tz> {
        self.zone
    }

    /// The variable `name`, where it gives that.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.greeting.variables.get(name).map(|value| &**value)
    }

    /// How it mails its administrators, where it can.
    #[must_use]
    pub fn mail(&self) -> Option<&Mail> {
        self.greeting.mail.as_ref()
    }

    /// Whether it takes what a pipeline's logger says.
    #[must_use]
    pub fn logs(&self) -> bool {
        self.greeting.logging
    }

    /// Cancelled when it has gone.
    #[must_use]
    pub fn gone(&self) -> CancellationToken {
        self.link.gone()
    }

    /// Cancelled when it wants the worker to stop.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.link.stop()
    }

    /// Mails its administrators.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn send_mail(&self, subject: &str, body: &str) -> Result<(), Refused> {
        self.link.ask("mail", json!({ "subject": subject, "body": body })).await
    }

    /// Writes `record` to its log.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn log(&self, record: Json) -> Result<(), Refused> {
        self.link.ask("log", record).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;

    /// A host that says `first`, and its end of the line.
    async fn greeted(first: &str) -> (Result<Host, String>, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(first.as_bytes()).await.unwrap();
        (Host::greeted(ours).await, theirs)
    }

    #[tokio::test]
    async fn what_a_host_gives_is_known() {
        let text = r#"{"program":"Django 9","time_zone":"America/Vancouver","mail":{"to":["a@e.com"]},"logging":true,
            "variables":{"KEY":"of-the-shop"},"later":1}"#;
        let (host, _theirs) = greeted(&format!("{}\n", text.replace('\n', ""))).await;
        let host = host.unwrap();
        assert_eq!((host.program(), host.zone()), ("Django 9", Some(chrono_tz::America::Vancouver)));
        assert_eq!((host.variable("KEY"), host.variable("OTHER")), (Some("of-the-shop"), None));
        assert_eq!(host.mail().map(|mail| mail.to.clone()), Some(vec!["a@e.com".to_owned()]));
        assert!(!format!("{host:?}").contains("of-the-shop"), "a key is never shown");
    }

    #[tokio::test]
    async fn what_is_no_greeting_is_told() {
        let (host, _theirs) = greeted("hello\n").await;
        assert!(host.unwrap_err().contains("is no greeting"));
        let (host, _theirs) = greeted("{\"program\":\"P\",\"time_zone\":\"Atlantis\"}\n").await;
        assert_eq!(host.unwrap_err(), "P has no known zone: `Atlantis`");
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(Host::greeted(ours).await.unwrap_err(), "the program that started the worker said nothing");
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let flood = tokio::spawn(async move { while theirs.write_all(&[b'x'; 4096]).await.is_ok() {} });
        assert_eq!(Host::greeted(ours).await.unwrap_err(), "the program that started the worker said nothing");
        flood.await.unwrap();
    }

    #[tokio::test]
    async fn each_request_gets_its_own_answer_in_whatever_order() {
        let (host, theirs) = greeted("{\"program\":\"P\"}\n").await;
        let host = Arc::new(host.unwrap());
        let (read, mut write) = theirs.into_split();
        let mut lines = BufReader::new(read).lines();
        let ask = |subject: &'static str| {
            let host = Arc::clone(&host);
            tokio::spawn(async move { host.send_mail(subject, "body").await })
        };
        let (one, two) = (ask("one"), ask("two"));
        let mut ids = std::collections::HashMap::new();
        for _ in 0..2 {
            let asked: Json = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            ids.insert(asked["mail"]["subject"].as_str().unwrap().to_owned(), asked["id"].clone());
        }
        let noise = format!("noise\n{{\"id\":99}}\n{{\"id\":{},\"error\":\"full\",\"again\":true}}\n", ids["two"]);
        write.write_all(noise.as_bytes()).await.unwrap();
        assert_eq!(two.await.unwrap(), Err(Refused { message: "full".into(), transient: true }));
        write.write_all(format!("{{\"id\":{}}}\n", ids["one"]).as_bytes()).await.unwrap();
        assert_eq!(one.await.unwrap(), Ok(()));
        write.write_all(b"{\"stop\":\"SIGTERM\"}\n").await.unwrap();
        host.stop().cancelled().await;
        let third = ask("three");
        lines.next_line().await.unwrap();
        drop((lines, write));
        let gone = third.await.unwrap().unwrap_err();
        assert_eq!((&*gone.message, gone.transient), ("the program that started the worker has gone", false));
        host.gone().cancelled().await;
        assert!(ask("four").await.unwrap().is_err());
    }
}
