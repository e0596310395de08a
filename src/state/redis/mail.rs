//! Owns the way from a command to the worker of a state in Redis, and back: a question is a text in a list, its
//! answer one under a key of its own. Neither is looked into here, and neither stays for long.

use std::time::Duration;

use tokio::time::Instant;

use super::place::Keys;
use crate::net::RedisLink;
use crate::world::RedisServer;

/// A question that no worker takes is gone after this time, in seconds.
const QUESTION: u64 = 10;

/// An answer that nobody fetches is gone after this time, in seconds.
const ANSWER: u64 = 60;

/// So often whoever asked looks for the answer.
const GLANCE: Duration = Duration::from_millis(100);

/// The texts that go to and fro of one worker.
pub struct Mailbox {
    link: RedisLink,
    keys: Keys,
    name: String,
}

impl std::fmt::Display for Mailbox {
    /// "`web.rhai-0123abcd` in redis at host:port".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` in {}", self.name, self.link.server())
    }
}

impl Mailbox {
    pub(in crate::state) fn new(server: RedisServer, name: &str) -> Self {
        Self { link: RedisLink::new(server), keys: Keys::new(name), name: name.to_owned() }
    }

    /// Whether a worker has the state, as far as the server knows.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn has_worker(&self) -> Result<bool, String> {
        let command = redis::cmd("EXISTS").arg(self.keys.one("lease")).to_owned();
        self.link.ask(command).await.map_err(|error| error.message)
    }

    /// What the worker answers to `question` within `patience`; none where it answers nothing.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn ask(&self, question: &str, patience: Duration) -> Result<Option<String>, String> {
        let id = format!("{:016x}", fastrand::u64(..));
        let (asked, answered) = (self.keys.one("asked"), self.answer_key(&id));
        let mut pipe = redis::pipe();
        pipe.cmd("RPUSH").arg(&asked).arg(format!("{id} {question}")).ignore();
        pipe.cmd("EXPIRE").arg(&asked).arg(QUESTION).ignore();
        self.link.ask_all::<()>(&pipe).await.map_err(|error| error.message)?;
        let end = Instant::now() + patience;
        while Instant::now() < end {
            tokio::time::sleep(GLANCE).await;
            let command = redis::cmd("GET").arg(&answered).to_owned();
            if let Some(answer) = self.link.ask(command).await.map_err(|error| error.message)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// The next question and its number, for the worker.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn next(&self) -> Result<Option<(String, String)>, String> {
        let command = redis::cmd("LPOP").arg(self.keys.one("asked")).to_owned();
        let text: Option<String> = self.link.ask(command).await.map_err(|error| error.message)?;
        Ok(text.and_then(|text| text.split_once(' ').map(|(id, ask)| (id.to_owned(), ask.to_owned()))))
    }

    /// Answers the question `id`.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn answer(&self, id: &str, text: &str) -> Result<(), String> {
        let mut command = redis::cmd("SET");
        command.arg(self.answer_key(id)).arg(text).arg("EX").arg(ANSWER);
        self.link.ask(command).await.map_err(|error| error.message)
    }

    fn answer_key(&self, id: &str) -> String {
        self.keys.one(&format!("answer:{id}"))
    }
}
