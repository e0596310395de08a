//! Owns the lines for people at the worker's terminal as a capability: tests capture them, and a
//! command whose standard output is JSON sends them elsewhere. It formats nothing but the colour.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// Where `notify::console` prints.
pub trait Console: Send + Sync {
    /// Prints one line; `severity` ("info", "warning", "error") may colour it. May block.
    ///
    /// # Errors
    /// When nobody reads any more.
    fn say(&self, severity: &str, line: &str) -> io::Result<()>;
}

/// The standard streams of the process: coloured on a terminal only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Standard output: the worker.
    Output,
    /// Standard error: commands that print JSON.
    Error,
}

impl Console for Standard {
    fn say(&self, severity: &str, line: &str) -> io::Result<()> {
        let style = match severity {
            "error" => AnsiColor::Red.on_default(),
            "warning" => AnsiColor::Yellow.on_default(),
            _ => Style::new(),
        };
        // Both streams drop the colour where they are no terminal. One write, so that lines stay whole.
        // On a terminal the lines stand among those of the log, and have its clock.
        let terminal = match self {
            Self::Output => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
        };
        let clock = if terminal { chrono::Utc::now().format("%H:%M:%S ").to_string() } else { String::new() };
        let text = format!("{clock}{style}{line}{style:#}\n");
        match self {
            Self::Output => anstream::stdout().lock().write_all(text.as_bytes()),
            Self::Error => anstream::stderr().lock().write_all(text.as_bytes()),
        }
    }
}
