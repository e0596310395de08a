//! Owns what is known of one unit of the script: the version in force, what is on disk where that is another one,
//! and why. What a version is, and how it is loaded, is `generation`'s.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::generation::{Generation, Refused};
use crate::control::{Refusal, TrialStatus, UnitStatus};
use crate::script::{Source, SourceFile};
use crate::settings::Severity;

/// A unit and what is known of its files.
#[derive(Debug)]
pub struct Unit {
    /// The file.
    pub source: Source,
    /// The version in force.
    pub generation: Arc<Generation>,
    /// When it was taken up.
    pub since: DateTime<Utc>,
    /// The version refused last, while it is the one on disk.
    pub refused: Option<Refused>,
    /// When it was refused.
    pub refused_at: DateTime<Utc>,
    /// The version before the one in force: what `rollback` goes back to.
    pub previous: Option<Arc<Generation>>,
    /// Why the version in force is not the one on disk, where an operator or a failure made it so.
    pub aside: Option<Aside>,
    /// Set while the version in force is an earlier one, as what was on disk at the start did not load.
    pub last_good: Option<LastGood>,
    /// What is on disk, while its gate is being tried.
    pub checking: Option<Checking>,
}

/// A saved version that is simulated before it goes live.
#[derive(Debug)]
pub struct Checking {
    /// The version.
    pub generation: Generation,
    /// Tells this check from others.
    pub number: u64,
    /// When it began.
    pub since: DateTime<Utc>,
    /// Ends it when dropped.
    pub task: AbortOnDropHandle<()>,
}

/// The version that runs in place of a script that did not load at the start.
#[derive(Clone, Copy, Debug)]
pub struct LastGood {
    /// When it was accepted.
    pub accepted: DateTime<Utc>,
    /// When people were told of it last.
    pub told: Instant,
}

/// Why a version is in force that is not the one on disk. It stays so until the files change.
#[derive(Clone, Debug)]
pub struct Aside {
    /// The files on disk, as they were.
    pub disk: Vec<SourceFile>,
    /// What it is.
    pub kind: AsideKind,
}

/// The reasons for a version that is not the one on disk.
#[derive(Clone, Debug)]
pub enum AsideKind {
    /// The worker went back: why.
    RolledBack(String),
    /// Another script is being tried.
    Trial {
        /// The file it was read from, as the user wrote it.
        name: String,
        /// Its text.
        text: Arc<str>,
        /// Who tries it.
        by: String,
        /// When it ends by itself, on the wall clock.
        until: DateTime<Utc>,
        /// The same for a timer.
        end: Instant,
        /// What comes back then.
        base: Arc<Generation>,
        /// Why `base` is not what is on disk, where it is not.
        rolled_back: Option<String>,
    },
}

impl Aside {
    /// What is over once a newer version is in force.
    #[must_use]
    pub fn over(&self) -> String {
        match &self.kind {
            AsideKind::RolledBack(_) => "the rollback is over".into(),
            AsideKind::Trial { name, .. } => format!("the trial of {name} is over"),
        }
    }
}

impl Unit {
    /// A unit that runs `generation` from `now` on.
    #[must_use]
    pub fn new(source: Source, generation: Generation, now: DateTime<Utc>) -> Self {
        Self {
            source,
            generation: Arc::new(generation),
            since: now,
            refused: None,
            refused_at: now,
            previous: None,
            aside: None,
            last_good: None,
            checking: None,
        }
    }

    /// Whether the files on disk are those that an operator, or a failure, put aside.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| self.unchanged(&aside.disk))
    }

    /// Whether the files on disk are those whose gate is being tried.
    #[must_use]
    pub fn is_checking(&self) -> bool {
        self.checking.as_ref().is_some_and(|checking| self.unchanged(&checking.generation.files))
    }

    /// When the trial ends, if there is one.
    #[must_use]
    pub fn trial_end(&self) -> Option<Instant> {
        match self.aside.as_ref()?.kind {
            AsideKind::Trial { end, .. } => Some(end),
            AsideKind::RolledBack(_) => None,
        }
    }

    /// How it stands, for views.
    #[must_use]
    pub fn status(&self) -> UnitStatus {
        let refused = self.refused.as_ref().map(|refused| {
            let diagnostics = refused.report.diagnostics().iter();
            let mut errors = diagnostics.filter(|diagnostic| diagnostic.severity == Severity::Error);
            let error = errors.next().map_or_else(String::new, |error| crate::secret::scrub(&error.told()).into());
            Refusal { error, errors: errors.count() + 1, at: self.refused_at }
        });
        let (rolled_back, trial) = match self.aside.as_ref().map(|aside| &aside.kind) {
            Some(AsideKind::RolledBack(why)) => (Some(why.clone()), None),
            Some(AsideKind::Trial { name, by, until, .. }) => {
                (None, Some(TrialStatus { file: name.clone(), by: by.clone(), until: *until }))
            }
            None => (None, None),
        };
        UnitStatus {
            file: self.source.path.display().to_string(),
            unit: self.source.unit.as_ref().map(ToString::to_string),
            generation: self.generation.id,
            since: self.since,
            refused,
            rolled_back,
            trial,
            checking: self.checking.as_ref().map(|checking| checking.since),
        }
    }

    /// Whether the files on disk are those of the generation in force.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        // Without files it has never loaded.
        !self.generation.files.is_empty() && self.unchanged(&self.generation.files)
    }

    /// Whether the files on disk are those that were refused last.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused.as_ref().is_some_and(|refused| !refused.files.is_empty() && self.unchanged(&refused.files))
    }

    /// Whether every file still holds the text that was read. What came from standard input never changes.
    fn unchanged(&self, files: &[SourceFile]) -> bool {
        let from_input = |file: &SourceFile| self.source.text.is_some() && file.path == self.source.path;
        files
            .iter()
            .filter(|file| !from_input(file))
            .all(|file| std::fs::read(&file.path).is_ok_and(|bytes| text_of(&bytes) == file.text.as_bytes()))
    }

    /// Every file that matters to it.
    pub fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        let refused = self.refused.iter().flat_map(|refused| &refused.files);
        let aside = self.aside.iter().flat_map(|aside| &aside.disk);
        let checking = self.checking.iter().flat_map(|checking| &checking.generation.files);
        let files = self.generation.files.iter().chain(refused).chain(aside).chain(checking);
        files.map(|file| file.path.as_path()).chain(std::iter::once(self.source.path.as_path()))
    }
}

/// Without the byte order mark that the reader of scripts leaves out.
fn text_of(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
