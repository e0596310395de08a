//! Owns how the import says something of a place: a report of the file that is read.

use std::sync::Arc;

use super::value::At;
use crate::settings::{Place, Report};

/// What is said of one file.
pub struct Said {
    file: Arc<str>,
    /// Everything said so far.
    pub report: Report,
}

impl Said {
    /// Nothing yet, of `file`.
    #[must_use]
    pub fn of(file: Arc<str>) -> Self {
        Self { file, report: Report::default() }
    }

    /// An error at `at`.
    pub fn error(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.report.error(Some(&self.place(at)), message, help);
    }

    /// A warning at `at`.
    pub fn warning(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.report.warning(Some(&self.place(at)), message, help);
    }

    /// `at` in the file.
    #[must_use]
    pub fn place(&self, at: At) -> Place {
        Place { file: Arc::clone(&self.file), line: at.line, column: at.column }
    }
}
