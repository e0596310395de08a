//! Owns a unit of the script (a file with its imports) and its generations: loading one, and telling by
//! content whether the files have changed since. An error keeps the old generation.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use super::{Actor, Options, needs, version};
use crate::pipeline::{self, Gate, Mode, PipelineSpec, ScriptVersion, Watchdog};
use crate::rules;
use crate::script::{self, Environment, Loaded, Source, SourceFile};
use crate::settings::Report;
use crate::state::KeptGeneration;
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
    /// Tells it from other versions.
    pub version: Arc<ScriptVersion>,
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
    /// What it must pass before it goes live in place of another.
    pub gate: Option<Arc<Gate>>,
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
            version: Arc::new(ScriptVersion { hash: String::new(), revision: None }),
            report,
            needs: Vec::new(),
            suite: Suite::default(),
            test_on_reload: true,
            rollback_on_failure: 0,
            watchdog: None,
            gate: None,
            left_out: Vec::new(),
        }
    }

    /// Loads `source`. Blocks: reading, compiling and running the script's top level.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(source: &Source, id: u64, loading: &Loading) -> Result<Self, Refused> {
        let loaded = script::load(source, &loading.environment, loading.options.secrets);
        let version = version::version(source, &version::files(source, &loaded.files));
        let generation = Self::of(source, id, loading, loaded, version)?;
        let Some(gate) = generation.gate.clone() else { return Ok(generation) };
        match gate.check_trace(source.path.parent().unwrap_or(Path::new(""))) {
            Ok(()) => Ok(generation),
            Err(said) => Err(gate.refusal(generation, vec![said])),
        }
    }

    /// Loads the version of `source` that was kept as `kept`. Blocks as [`Generation::load`] does.
    ///
    /// # Errors
    /// Everything that is wrong with it today.
    pub fn load_kept(source: &Source, kept: &KeptGeneration, loading: &Loading) -> Result<Self, Refused> {
        let loaded = script::load_kept(source, &kept.files, &loading.environment, loading.options.secrets);
        let version = ScriptVersion { hash: kept.hash.clone(), revision: kept.revision.clone() };
        Self::of(source, kept.id, loading, loaded, version)
    }

    fn of(
        source: &Source,
        id: u64,
        loading: &Loading,
        loaded: Loaded,
        version: ScriptVersion,
    ) -> Result<Self, Refused> {
        let version = Arc::new(version);
        let mut declared = pipeline::declare(&loaded, source.unit.as_deref(), id, loading.zone);
        for spec in &mut declared.specs {
            Arc::make_mut(spec).script = Some(Arc::clone(&version));
        }
        let mut report = loaded.report;
        report.extend(declared.report);
        let (tests, specs) = (loaded.tests, declared.specs.clone());
        let suite = Suite { tests, specs, unit: source.unit.clone() };
        let settings = declared.settings;
        let (test_on_reload, rollback_on_failure) = (settings.test_on_reload, settings.rollback_on_failure);
        let (watchdog, gate) = (declared.watchdog, declared.gate.map(Arc::new));
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
        Ok(Self {
            id,
            specs,
            files,
            version,
            report,
            needs,
            suite,
            test_on_reload,
            rollback_on_failure,
            watchdog,
            gate,
            left_out,
        })
    }

    /// The files of `source` as they are kept: path below the script's folder, and text; the script itself first.
    #[must_use]
    pub fn texts(&self, source: &Source) -> Vec<(String, String)> {
        version::files(source, &self.files)
    }

    /// Makes it the generation `id`: it is one that had a number already.
    pub fn renumber(&mut self, id: u64) {
        self.id = id;
        for spec in &mut self.specs {
            Arc::make_mut(spec).generation = id;
        }
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
            let help = "leave it to one of them".to_owned();
            report.say(&rules::SHARED_TARGET, spec.place.as_ref(), message, help);
        }
    }
}
