//! Owns programs of this machine as a capability: what is run as a value, what it wrote and how it ended.
//! The live runner is `crate::program::Runner`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::request::Response;
use crate::secret::Secret;

/// A program to run: no shell looks at it.
#[derive(Clone)]
pub struct Program {
    /// The program, by path or looked for in `PATH`, and its arguments.
    pub command: Vec<Arc<str>>,
    /// Variables next to `PATH`, `HOME` and `LANG`, which are all it inherits.
    pub environment: Vec<(Arc<str>, Secret)>,
    /// What it reads from its standard input.
    pub input: Bytes,
    /// Time until it is killed, with everything it started.
    pub timeout: Duration,
}

impl Program {
    /// The program itself, as messages name it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.command.first().map_or("", |name| name)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("command", &self.command).finish_non_exhaustive()
    }
}

/// Why a program did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProgramError {
    /// What happened, lower case, without secrets.
    pub message: String,
    /// Whether it ran at all: what it does may have happened.
    pub started: bool,
}

/// Runs programs.
#[async_trait]
pub trait Programs: Send + Sync {
    /// Runs one to its end: any exit status is a reply, with at most 1 MiB of what it wrote.
    ///
    /// # Errors
    /// When it could not be started, took too long or wrote too much.
    async fn run(&self, program: Program) -> Result<Response, ProgramError>;
}
