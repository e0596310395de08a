//! Owns a unit of the script (a file with its imports) and its generations: loading one, and telling by
//! content whether the files have changed since. An error keeps the old generation.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Actor, Options, needs};
use crate::control::{Refusal, TrialStatus, UnitStatus};
use crate::pipeline::{self, Mode, PipelineSpec, Watchdog};
use crate::script::{self, Environment, Source, SourceFile};
use crate::settings::{Report, Severity};
use crate::testing::Suite;

/// One accepted version of a unit.
#[derive(Debug)]
pub struct Generation {
    /// Counts the generations of this worker, from 1.
    pub id: u64,
    /// Its pipelines, in the order of the script.
    pub specs: Vec<Arc<PipelineSpec>>,
    /// What it was read from.
    pub files: Vec<SourceFile>,
    /// Warnings and notes.
    pub report: Report,
    /// The environment variables it asked for, and whether each is set.
    pub needs: Vec<(Arc<str>, bool)>,
    /// Its own tests.
    pub suite: Suite,
    /// Whether they decide if it goes live.
    pub test_on_reload: bool,
    /// After so many ticks in a row in which a function of it fails the version before comes back; 0: never.
    pub rollback_on_failure: u32,
    /// Who is told that the worker lives.
    pub watchdog: Option<Watchdog>,
    /// Names of pipelines that `--only` leaves out.
    pub left_out: Vec<Arc<str>>,
}

/// A version that was not accepted.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub report: Report,
    /// What was read, as far as it got.
    pub files: Vec<SourceFile>,
    /// The environment variables it asked for, and whether each is set.
    pub needs: Vec<(Arc<str>, bool)>,
}

/// What loading needs to know besides the source.
#[derive(Clone)]
pub struct Loading {
    /// The command line.
    pub options: Arc<Options>,
    /// The variables that scripts may read.
    pub environment: Arc<dyn Environment>,
    /// The dyno we run in.
    pub actor: Actor,
    /// The machine's own zone.
    pub zone: Tz,
}

impl Generation {
    /// What stands for a unit that has never loaded: it runs nothing.
    #[must_use]
    pub fn empty() -> Self {
        let report = Report::default();
        Self {
            id: 0,
            specs: Vec::new(),
            files: Vec::new(),
            report,
            needs: Vec::new(),
            suite: Suite::default(),
            test_on_reload: true,
            rollback_on_failure: 0,
            watchdog: None,
            left_out: Vec::new(),
        }
    }

    /// Loads `source`. Blocks: reading, compiling and running the script's top level.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(source: &Source, id: u64, loading: &Loading) -> Result<Self, Refused> {
        let loaded = script::load(source, &loading.environment, loading.options.secrets);
        let declared = pipeline::declare(&loaded, source.unit.as_deref(), id, loading.zone);
        let mut report = loaded.report;
        report.extend(declared.report);
        let (tests, specs) = (loaded.tests, declared.specs.clone());
        let suite = Suite { tests, specs, unit: source.unit.clone() };
        let settings = declared.settings;
        let (test_on_reload, rollback_on_failure) = (settings.test_on_reload, settings.rollback_on_failure);
        let watchdog = declared.watchdog;
        let (specs, rest): (Vec<_>, Vec<_>) =
            declared.specs.into_iter().partition(|spec| loading.options.selects(&spec.name, source.unit.as_deref()));
        let left_out = rest.iter().map(|spec| Arc::clone(&spec.name)).collect();
        let specs: Vec<Arc<PipelineSpec>> =
            specs.into_iter().map(|spec| if loading.options.dry_run { dry(&spec) } else { spec }).collect();
        loading.actor.refuse_own(&specs, &mut report);
        let mut needs = loaded.needs;
        needs::add(&specs, loading.options.secrets, &mut needs, &mut report);
        if report.has_errors() {
            return Err(Refused { report, files: loaded.files, needs });
        }
        let files = loaded.files;
        Ok(Self { id, specs, files, report, needs, suite, test_on_reload, rollback_on_failure, watchdog, left_out })
    }

    /// The same, if its own tests let it go live. Blocks: it runs them, until `given_up`.
    ///
    /// # Errors
    /// The tests that fail.
    pub fn tested(self, given_up: &CancellationToken) -> Result<Self, Refused> {
        if !self.test_on_reload {
            return Ok(self);
        }
        let objections = self.suite.objections(given_up);
        if !objections.has_errors() {
            return Ok(self);
        }
        Err(Refused { report: objections, files: self.files, needs: self.needs })
    }
}

/// `--dry-run` wins over the script's mode, but for a pipeline that is paused.
fn dry(spec: &PipelineSpec) -> Arc<PipelineSpec> {
    let mode = if spec.mode == Mode::Live { Mode::DryRun } else { spec.mode };
    Arc::new(PipelineSpec { mode, ..spec.clone() })
}

/// Reports live pipelines that scale one target.
pub fn shared_targets(specs: &[Arc<PipelineSpec>], report: &mut Report) {
    for (index, spec) in specs.iter().enumerate() {
        let Some(target) = spec.live_target() else { continue };
        if let Some(other) = specs[..index].iter().find(|other| other.live_target().as_ref() == Some(&target)) {
            let message = format!("`{}` scales what `{}` scales already", spec.name, other.name);
            report.error(spec.place.as_ref(), message, Some("leave it to one of them".into()));
        }
    }
}

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
    /// A unit whose version `generation` was taken up at `now`.
    #[must_use]
    pub fn new(source: Source, generation: Arc<Generation>, now: DateTime<Utc>) -> Self {
        Self { source, generation, since: now, refused: None, refused_at: now, previous: None, aside: None }
    }

    /// Whether the files on disk are those that an operator, or a failure, put aside.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| self.unchanged(&aside.disk))
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
        let files = self.generation.files.iter().chain(refused).chain(aside);
        files.map(|file| file.path.as_path()).chain(std::iter::once(self.source.path.as_path()))
    }
}

/// Without the byte order mark that the reader of scripts leaves out.
fn text_of(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
