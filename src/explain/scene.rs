//! Owns a tick that is tried again: what the pipeline remembered before it, told from its records, and the
//! very tick of the worker in a world that reaches nothing, with whatever is to be different.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use crate::decide::{PolicyInput, PolicyKind};
use crate::pipeline::{Decided, Measurement, Mode, Pipeline, PipelineSpec, Record};
use crate::state::{Batch, Fence, Kept, State};
use crate::world::pretend::Pretend;
use crate::world::{ScaleError, ScaleErrorKind};

/// So many ticks before are run again, for the memory of a scripted decision.
const MOST_WARMING: usize = 240;

/// A tick, and what was remembered before it.
pub struct Scene {
    /// The pipeline as its script is now, in the tick's mode.
    pub(super) spec: Arc<PipelineSpec>,
    /// The tick.
    pub(super) record: Arc<Record>,
    before: Kept,
}

/// What is to be different.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    /// The measurement of this index has this value, and succeeded.
    pub value: Option<(usize, f64)>,
    /// The one that was taken at this time before had this value.
    pub earlier: Option<(DateTime<Utc>, f64)>,
    /// So many dynos.
    pub dynos: Option<u32>,
    /// The tick comes so much later.
    pub later: TimeDelta,
    /// As if there were no wait after a scale.
    pub without_wait: bool,
}

impl Change {
    pub fn value(index: usize, value: f64) -> Self {
        Self { value: Some((index, value)), ..Self::default() }
    }
}

impl Scene {
    /// The last of `records` (oldest first, of one pipeline) under `spec`; `None` where there are none.
    pub async fn set(spec: &Arc<PipelineSpec>, records: &[Arc<Record>]) -> Option<Self> {
        let (record, earlier) = records.split_last()?;
        let mode = match &*record.mode {
            "paused" => Mode::Paused,
            "dry_run" => Mode::DryRun,
            _ => Mode::Live,
        };
        let spec = Arc::new(PipelineSpec { mode, ..(**spec).clone() });
        let mut scene = Self { before: remembered(&spec, earlier), spec, record: Arc::clone(record) };
        if scene.spec.decide.policies.iter().any(|policy| matches!(policy.kind, PolicyKind::Scripted(_))) {
            scene.warm(earlier).await;
        }
        Some(scene)
    }

    /// Runs the ticks before it again, for what a scripted decision keeps in `this`.
    async fn warm(&mut self, earlier: &[Arc<Record>]) {
        let from = earlier.len().saturating_sub(MOST_WARMING);
        let Some(first) = earlier.get(from) else { return };
        let (pretend, mut pipeline) = self.stage(remembered(&self.spec, &earlier[..from]), first.at).await;
        for record in &earlier[from..] {
            self.arrange(&pretend, record, &Change::default());
            pipeline.tick(record.at).await;
        }
        self.before.memory = pipeline.kept().memory.clone();
    }

    /// The same tick of another version of the pipeline.
    pub(super) fn under(&self, spec: PipelineSpec) -> Self {
        Self { spec: Arc::new(spec), record: Arc::clone(&self.record), before: self.before.clone() }
    }

    /// When the wait after the last scale ends, where the tick lies in it.
    pub(super) fn waits_until(&self) -> Option<DateTime<Utc>> {
        self.before.control.wait_until.filter(|until| self.record.at < *until)
    }

    /// Whether the script as it is decides this tick as it was decided.
    pub(super) async fn reproduces(&self) -> bool {
        let again = self.play(&Change::default()).await;
        (again.decision, again.dynos.desired) == (self.record.decision, self.record.dynos.desired)
    }

    /// The tick with `change`.
    pub(super) async fn play(&self, change: &Change) -> Record {
        self.play_on(change, None, 0, |_| false).await
    }

    /// The tick with `change`, and then up to `count` further ones, until one is as is `wanted`; the last of them.
    /// Each measures what the tick did, but for the first measurement `value` where one is given.
    pub(super) async fn play_on(
        &self,
        change: &Change,
        value: Option<f64>,
        count: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> Record {
        let mut kept = self.before.clone();
        if change.without_wait {
            kept.control.wait_until = None;
            kept.control.mark =
                kept.control.mark.and(kept.control.last_scale).map(|last| last + TimeDelta::nanoseconds(1));
        }
        if let Some((at, value)) = change.earlier {
            Arc::make_mut(&mut kept.history).replace(at, value);
        }
        let mut at = self.record.at + change.later;
        let (pretend, mut pipeline) = self.stage(kept, at).await;
        self.arrange(&pretend, &self.record, change);
        let mut record = pipeline.tick(at).await;
        let interval = self.interval();
        for _ in 0..count {
            if wanted(&record) {
                break;
            }
            at += interval;
            // In a wait nothing is judged: the measurements that count come after it.
            if let Some(until) = pipeline.kept().control.wait_until {
                while at < until {
                    at += interval;
                }
            }
            pretend.clock.set(at);
            let measurements = self.measurements(value).map(|taken| Measurement { at, ..taken });
            measurements.for_each(|taken| pretend.sources.feed_taken(&self.spec.name, taken));
            record = pipeline.tick(at).await;
        }
        (*record).clone()
    }

    /// What a native policy looked at in the tick.
    pub(super) fn input<T>(&self, look: impl FnOnce(&PolicyInput<'_>) -> T) -> Option<T> {
        let mut history = (*self.before.history).clone();
        let first = self.record.measurements.first()?.measurement();
        history.push(first, self.spec.decide.history_length);
        Some(look(&PolicyInput {
            history: history.judged(self.before.control.mark),
            on_failure: self.spec.measure.first()?.on_failure,
            dynos: self.record.dynos.current?,
            increment: self.spec.decide.increment,
            unit: self.spec.unit(),
        }))
    }

    /// The number that was measured at `at`, before the tick.
    pub(super) fn value_at(&self, at: DateTime<Utc>) -> Option<f64> {
        self.before.history.iter().find(|measurement| measurement.at == at)?.value
    }

    /// The newest number of measurement `index`, this tick's where it has one.
    pub(super) fn newest_value(&self, index: usize) -> Option<f64> {
        let measured = self.record.measurements.get(index)?;
        let named = self.spec.names_measurements().then_some(&*measured.name);
        let before = || self.before.history(named).iter().rev().find_map(|measurement| measurement.value);
        measured.value.or_else(before)
    }

    pub(super) fn interval(&self) -> TimeDelta {
        TimeDelta::from_std(self.spec.interval()).unwrap_or(TimeDelta::seconds(30)).max(TimeDelta::milliseconds(1))
    }

    async fn stage(&self, kept: Kept, at: DateTime<Utc>) -> (Pretend, Pipeline) {
        let pretend = Pretend::starting_at(at);
        // Memory takes whatever it is given.
        let _ = pretend.state.commit(&self.spec.name, Fence(0), Batch { kept, intent: None, record: None }).await;
        let pipeline = Pipeline::open(Arc::clone(&self.spec), Arc::clone(&pretend.world), Fence(0)).await;
        (pretend, pipeline)
    }

    /// The world as it was in the tick of `record`, but for `change`.
    fn arrange(&self, pretend: &Pretend, record: &Record, change: &Change) {
        let at = record.at + change.later;
        pretend.clock.set(at);
        let platform = pretend.platforms.of(&self.spec.name);
        let mut platform = platform.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        platform.booting = record.dynos.booting;
        platform.reads.clear();
        if let Some(dynos) = change.dynos.or(record.dynos.current) {
            platform.dynos = dynos;
        } else {
            let message = record.error.clone().unwrap_or_else(|| "it was unknown".into());
            platform.reads.push_back(Some(ScaleError { kind: ScaleErrorKind::Refused, message }));
        }
        drop(platform);
        for (index, measured) in record.measurements.iter().enumerate() {
            let value = change.value.filter(|(changed, _)| *changed == index).map(|(_, value)| value);
            let taken = with_value(measured.measurement(), value);
            pretend.sources.feed_taken(&self.spec.name, Measurement { at, ..taken });
        }
    }

    fn measurements(&self, value: Option<f64>) -> impl Iterator<Item = Measurement> + '_ {
        let recorded = self.record.measurements.iter().enumerate();
        recorded.map(move |(index, measured)| with_value(measured.measurement(), value.filter(|_| index == 0)))
    }
}

fn with_value(taken: Measurement, value: Option<f64>) -> Measurement {
    match value {
        // Data that holds its value somewhere within stays as it is.
        Some(value) => {
            let data = if taken.data.is_object() { taken.data } else { Json::from(value) };
            Measurement { data, value: Some(value), success: true, failure: None, ..taken }
        }
        None => taken,
    }
}

/// What the pipeline remembers after the ticks of `records`, as far as they tell.
#[must_use]
pub fn remembered(spec: &PipelineSpec, records: &[Arc<Record>]) -> Kept {
    let mut kept = Pipeline::unused(spec);
    let from = records.len().saturating_sub(spec.decide.history_length);
    for stage in &spec.measure {
        let named = spec.names_measurements().then_some(&stage.name);
        let history = Arc::make_mut(kept.history_mut(named));
        let own = |record: &&Arc<Record>| match named {
            None => record.measurements.first().cloned(),
            Some(name) => record.measurements.iter().find(|one| *one.name == **name).cloned(),
        };
        let measured = records[from..].iter().filter_map(|record| own(&record));
        measured.for_each(|measured| history.push(measured.measurement(), spec.decide.history_length));
    }
    let Some(last) = records.last() else { return kept };
    kept.control.tick = last.tick;
    // One that was interrupted counted as done until the platform told otherwise: so did its wait.
    let counted = |record: &Record| {
        let interrupted = record.interrupted().and_then(|_| record.dynos.current.zip(record.dynos.desired));
        record.scaled().or(interrupted)
    };
    if let Some((scale, (_, to))) = records.iter().rev().find_map(|record| Some((record, counted(record)?))) {
        kept.control.scaled(scale.at, to, spec.decide.wait, spec.decide.keep_history);
    }
    kept
}

/// What the policy wished in `record`, before any guard; where it was not asked, what was decided.
pub(super) fn wish(record: &Record) -> Decided {
    let Some(current) = record.dynos.current.filter(|_| !record.proposals.is_empty()) else { return record.decision };
    match record.dynos.proposed.map(|proposed| proposed.cmp(&current)) {
        Some(std::cmp::Ordering::Greater) => Decided::Up,
        Some(std::cmp::Ordering::Less) => Decided::Down,
        Some(std::cmp::Ordering::Equal) | None => Decided::Hold,
    }
}

/// Whether a record wishes `to`.
pub(super) fn wishes(to: Decided) -> impl Fn(&Record) -> bool {
    move |record| wish(record) == to
}
