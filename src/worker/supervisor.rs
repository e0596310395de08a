//! Owns the running worker: it starts the pipelines of every unit, follows the script on disk, and stops
//! everything in time. It never touches a platform or a measurement itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::changes::{Change, changes};
use super::generation::{Generation, Loading, Refused, shared_targets};
use super::lookout::Lookout;
use super::probation::Failing;
use super::spread::first_delay;
use super::task::{Hearing, Task};
use super::unit::Unit;
use super::watch::Watch;
use super::watchdog::{self, Pulses};
use crate::control::{Desk, Order, UnitStatus};
use crate::pipeline::{PipelineSpec, Watchdog};
use crate::script::{self, Source, SourceFile};
use crate::settings::{Diagnostic, Report};
use crate::world::World;
use check::Checked;
use retreat::trial_ends;

pub(super) mod announce;
mod check;
mod orders;
mod reload;
mod retreat;
mod start;
mod troubled;

/// Tasks are gone within this time when the worker stops, or they are left behind.
const STOP: Duration = Duration::from_millis(6500);

/// Orders that wait: one is obeyed at a time.
const MOST_ORDERS: usize = 16;

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
    /// How the units stand, for views.
    standing: watch::Sender<Vec<UnitStatus>>,
    /// Who is told that this worker lives.
    pings: watch::Sender<Vec<Watchdog>>,
    pulses: Arc<Pulses>,
    lookout: Arc<Lookout>,
    /// What commands ask for.
    orders: mpsc::Receiver<Order>,
    ordering: mpsc::Sender<Order>,
    /// Gates that were tried: the check's number, and what came of it.
    checked: mpsc::UnboundedReceiver<Checked>,
    checks: mpsc::UnboundedSender<Checked>,
    /// The number of the newest check.
    newest_check: u64,
    /// Pipelines whose functions fail.
    failing: mpsc::UnboundedReceiver<Failing>,
    fails: mpsc::UnboundedSender<Failing>,
    /// Why pushed scripts are not taken.
    refusals: mpsc::UnboundedReceiver<String>,
    refusing: mpsc::UnboundedSender<String>,
    /// Whether people were told that the state is in trouble.
    in_trouble: bool,
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
                Ok(generation) => {
                    let now = worker.world.clock.now();
                    worker.units.push(Unit::new(source, generation, now));
                }
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
        worker.show_units();
        Ok(worker)
    }

    fn empty(loading: Loading, world: Arc<World>) -> Self {
        let (halt, watch) = (CancellationToken::new(), Watch::new());
        let (ordering, orders) = mpsc::channel(MOST_ORDERS);
        let (fails, failing) = mpsc::unbounded_channel();
        let (refusing, refusals) = mpsc::unbounded_channel();
        let (checks, checked) = mpsc::unbounded_channel();
        let lookout = Arc::new(Lookout::new(loading.zone));
        Self {
            world,
            loading,
            units: Vec::new(),
            tasks: BTreeMap::new(),
            leaving: BTreeMap::new(),
            loads: Arc::default(),
            newest: 0,
            halt,
            watch,
            in_force: watch::Sender::default(),
            standing: watch::Sender::default(),
            pings: watch::Sender::default(),
            pulses: Arc::default(),
            lookout,
            orders,
            ordering,
            checked,
            checks,
            newest_check: 0,
            failing,
            fails,
            refusals,
            refusing,
            in_trouble: false,
        }
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

    /// Where it is told why a script that was pushed is not taken.
    #[must_use]
    pub fn refusals(&self) -> mpsc::UnboundedSender<String> {
        self.refusing.clone()
    }

    /// Where commands ask this worker, whose state is in `place`.
    #[must_use]
    pub fn desk(&self, place: Option<String>) -> Desk {
        let (specs, units) = (self.follow_specs(), self.standing.subscribe());
        Desk::new(Arc::clone(&self.world), specs, units, self.ordering.clone(), place, self.loading.zone)
    }

    /// Takes up the levers that are kept.
    async fn take_up_levers(&self) {
        match self.world.state.levers().await {
            Ok(mut levers) => {
                levers.let_go(self.world.clock.now());
                self.lookout.tell(&levers);
                self.world.levers.set(levers);
            }
            Err(error) => tracing::error!("pauses and counts set by hand are not known: {error}"),
        }
    }

    /// Runs until `stop`, following the script whenever it is saved or `reload` is notified. Returns
    /// when every pipeline has come to rest.
    pub async fn run(mut self, stop: CancellationToken, reload: Arc<Notify>) {
        self.take_up_levers().await;
        let watchdog = tokio::spawn(watchdog::run(
            Arc::clone(&self.world),
            self.follow_specs(),
            self.pings.subscribe(),
            Arc::clone(&self.pulses),
        ));
        self.apply();
        self.announce_start();
        self.keep_generations().await;
        self.follow_files();
        let mut look = tokio::time::interval(reload::LOOK);
        let mut state = tokio::time::interval(troubled::LOOK);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = reload.notified() => self.look(true, &stop).await,
                () = self.watch.changed() => self.look(false, &stop).await,
                _ = look.tick() => self.look(false, &stop).await,
                _ = state.tick() => self.tell_of_state(),
                Some(order) = self.orders.recv() => self.obey(order).await,
                Some(checked) = self.checked.recv() => self.take_verdict(checked).await,
                Some(failing) = self.failing.recv() => self.judge_failing(&failing).await,
                Some(why) = self.refusals.recv() => self.announce_not_taken(why),
                () = trial_ends(&self.units) => self.end_trials(),
            }
        }
        watchdog.abort();
        // It may be the reason for the stop.
        self.tell_of_state();
        self.stop().await;
    }

    /// Looks at what is on disk; `forced` loads it whatever it is.
    async fn look(&mut self, forced: bool, stop: &CancellationToken) {
        self.remind_of_last_good();
        self.reload(forced, stop).await;
    }

    /// Turns what runs into the specs of the units.
    fn apply(&mut self) {
        let specs = self.specs();
        let running = self.tasks.iter().map(|(name, task)| (Arc::clone(name), task.spec())).collect();
        let changes = changes(&running, &specs);
        self.in_force.send_replace(specs);
        let watchdogs = self.units.iter().filter_map(|unit| unit.generation.watchdog.clone());
        let watchdogs: Vec<Watchdog> = watchdogs.collect();
        self.pings.send_if_modified(|told| {
            let changed = *told != watchdogs;
            *told = watchdogs;
            changed
        });
        self.show_units();
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
                    let hearing = Hearing {
                        fails: self.fails.clone(),
                        pulses: Arc::clone(&self.pulses),
                        lookout: Arc::clone(&self.lookout),
                    };
                    self.pulses.beat(&name);
                    self.tasks.insert(name, Task::start(spec, world, delay, self.halt.clone(), earlier, hearing));
                }
            }
        }
    }

    /// Shows how the units stand.
    fn show_units(&self) {
        self.standing.send_replace(self.units.iter().map(Unit::status).collect());
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
