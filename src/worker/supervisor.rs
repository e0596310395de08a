//! Owns the running worker: it starts the pipelines of every unit, follows the script on disk, and stops
//! everything in time. It never touches a platform or a measurement itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::changes::{Change, changes};
use super::generation::{Generation, Loading, Refused, Unit, shared_targets};
use super::spread::first_delay;
use super::task::Task;
use super::watch::Watch;
use crate::pipeline::PipelineSpec;
use crate::script::{self, Source, SourceFile};
use crate::settings::{Diagnostic, Report};
use crate::world::World;

pub(super) mod announce;
mod reload;
mod start;

/// Tasks are gone within this time when the worker stops, or they are left behind.
const STOP: Duration = Duration::from_millis(6500);

/// The worker.
pub struct Supervisor {
    world: Arc<World>,
    loading: Loading,
    units: Vec<Unit>,
    tasks: BTreeMap<Arc<str>, Task>,
    /// Tasks of removed pipelines that may still be in their last tick.
    leaving: BTreeMap<Arc<str>, JoinHandle<()>>,
    /// One is held by every load that runs.
    loads: Arc<()>,
    /// The number of the newest generation that was accepted.
    newest: u64,
    halt: CancellationToken,
    watch: Watch,
    /// The specs in force, for views.
    in_force: watch::Sender<Vec<Arc<PipelineSpec>>>,
}

/// A worker that cannot start.
#[derive(Debug)]
pub struct Unstartable {
    /// Why.
    pub report: Report,
    /// What was read.
    pub files: Vec<SourceFile>,
}

impl Unstartable {
    fn unreadable(diagnostic: Diagnostic) -> Self {
        let mut report = Report::default();
        report.push(diagnostic);
        Self { report, files: Vec::new() }
    }
}

impl Supervisor {
    /// Loads every unit of the script. Nothing runs yet.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(loading: Loading, world: Arc<World>) -> Result<Self, Unstartable> {
        let sources = script::sources(&loading.options.script).map_err(|said| Unstartable::unreadable(*said))?;
        let mut worker = Self::empty(loading, world);
        let mut problems = Unstartable { report: Report::default(), files: Vec::new() };
        for source in sources {
            match worker.next_generation(&source) {
                Ok(generation) => worker.units.push(Unit::new(source, generation)),
                Err(refused) => {
                    problems.report.extend(refused.report);
                    problems.files.extend(refused.files);
                }
            }
        }
        if problems.report.has_errors() {
            return Err(problems);
        }
        worker.in_force.send_replace(worker.specs());
        Ok(worker)
    }

    fn empty(loading: Loading, world: Arc<World>) -> Self {
        let (halt, watch) = (CancellationToken::new(), Watch::new());
        let in_force = watch::Sender::default();
        let (units, tasks, leaving) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (loads, newest) = (Arc::default(), 0);
        Self { world, loading, units, tasks, leaving, loads, newest, halt, watch, in_force }
    }

    /// Loads the next generation of `source`, and holds it against the other units.
    fn next_generation(&mut self, source: &Source) -> Result<Generation, Refused> {
        let generation = Generation::load(source, self.newest + 1, &self.loading)?;
        let generation = self.unshared(source, generation)?;
        self.newest = generation.id;
        Ok(generation)
    }

    /// Two live pipelines of different units may not scale one target.
    fn unshared(&self, source: &Source, mut generation: Generation) -> Result<Generation, Refused> {
        let others = self.units.iter().filter(|unit| unit.source != *source);
        let mut specs: Vec<Arc<PipelineSpec>> = others.flat_map(|unit| unit.generation.specs.clone()).collect();
        specs.extend(generation.specs.iter().cloned());
        shared_targets(&specs, &mut generation.report);
        if generation.report.has_errors() {
            return Err(Refused { report: generation.report, files: generation.files, needs: generation.needs });
        }
        Ok(generation)
    }

    /// The command line.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.loading.options
    }

    /// The units as loaded.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The specs of all units.
    #[must_use]
    pub fn specs(&self) -> Vec<Arc<PipelineSpec>> {
        self.units.iter().flat_map(|unit| unit.generation.specs.clone()).collect()
    }

    /// Follows the specs in force.
    #[must_use]
    pub fn follow_specs(&self) -> watch::Receiver<Vec<Arc<PipelineSpec>>> {
        self.in_force.subscribe()
    }

    /// Runs until `stop`, following the script whenever it is saved or `reload` is notified. Returns
    /// when every pipeline has come to rest.
    pub async fn run(mut self, stop: CancellationToken, reload: Arc<Notify>) {
        self.apply();
        self.announce_start();
        self.keep_generations().await;
        self.follow_files();
        let mut look = tokio::time::interval(reload::LOOK);
        loop {
            let forced = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = reload.notified() => true,
                () = self.watch.changed() => false,
                _ = look.tick() => false,
            };
            self.remind_of_last_good();
            self.reload(forced, &stop).await;
        }
        self.stop().await;
    }

    /// Turns what runs into the specs of the units.
    fn apply(&mut self) {
        let specs = self.specs();
        let running = self.tasks.iter().map(|(name, task)| (Arc::clone(name), task.spec())).collect();
        let changes = changes(&running, &specs);
        self.in_force.send_replace(specs);
        self.leaving.retain(|_, task| !task.is_finished());
        let starting = changes.iter().filter(|change| matches!(change, Change::Start(_))).count();
        let mut started = 0;
        for change in changes {
            match change {
                Change::Stop(name) => {
                    if let Some(task) = self.tasks.remove(&name) {
                        self.leaving.insert(name, task.finish());
                    }
                }
                Change::Adopt(spec) => {
                    if let Some(task) = self.tasks.get(&spec.name) {
                        task.adopt(spec);
                    }
                }
                Change::Start(spec) => {
                    let delay = first_delay(started, starting, spec.interval());
                    started += 1;
                    let (name, world) = (Arc::clone(&spec.name), Arc::clone(&self.world));
                    let earlier = self.leaving.remove(&name);
                    self.tasks.insert(name, Task::start(spec, world, delay, self.halt.clone(), earlier));
                }
            }
        }
    }

    async fn stop(self) {
        self.halt.cancel();
        let tasks = self.tasks.into_values().map(Task::finish).chain(self.leaving.into_values());
        let all = futures_util::future::join_all(tasks);
        if tokio::time::timeout(STOP, all).await.is_err() {
            tracing::warn!("some pipelines did not come to rest in time");
        }
    }
}
