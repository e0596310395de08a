//! Owns the pipeline that is searched: what can be measured of it, which values are worth a try, and a run of it.
//! A run is what a test of the script does, so that what is found fails as a test, too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Map, Value as Json, json};

use crate::decide::PolicyKind;
use crate::explain::literals;
use crate::pipeline::{Decided, Failure, PipelineSpec};
use crate::simulate::{Answer, Chance, Signal};
use crate::testing::{Bench, Trial};

/// Values that are drawn for each measurement.
const DRAWN: usize = 8;

/// More values of one measurement than these are thinned out.
const MOST_VALUES: usize = 48;

/// Dynos at which runs begin are at most so many.
const MOST_DYNOS: u32 = 50;

/// Something that is measured.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// Its name, where it has one.
    pub name: Option<Arc<str>>,
    /// Whether it is a measurement of that name; else an entry in what the only one measures.
    stage: bool,
    /// Whether the load is shared by the dynos: twice as many, and it is half of it.
    pub shared: bool,
    /// Values worth a try, ascending.
    pub values: Vec<f64>,
}

/// The pipeline that is searched.
pub(super) struct Subject<'a> {
    spec: Arc<PipelineSpec>,
    pub channels: Vec<Channel>,
    pub runs: u64,
    until: Instant,
    count: &'a AtomicU64,
    ticks: u64,
    errors: u64,
    unsignalled: bool,
    broken: Option<String>,
}

/// What one tick came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    /// Dynos after it.
    pub dynos: u32,
    /// What was decided.
    pub decided: Decided,
    /// Whether the script used up its operations.
    pub used_up: bool,
    /// Whether something else went wrong.
    pub error: bool,
}

/// A run under way.
pub(super) struct Run {
    trial: Trial,
    bench: Arc<Bench>,
}

impl<'a> Subject<'a> {
    pub fn new(spec: &PipelineSpec, seed: u64, until: Instant, count: &'a AtomicU64) -> Self {
        // Nobody is told: what a notification needs is another matter.
        let spec = PipelineSpec { notify: Vec::new(), ..spec.clone() };
        let (channels, unsignalled) = channels(&spec, seed);
        let spec = Arc::new(spec);
        Self { spec, channels, runs: 0, until, count, ticks: 0, errors: 0, unsignalled, broken: None }
    }

    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether there is no time left.
    pub fn over(&self) -> bool {
        self.broken.is_some() || Instant::now() >= self.until
    }

    /// Counts of dynos to begin at.
    pub fn starts(&self) -> Vec<u32> {
        let most = self.bound(&self.spec.decide.max_dynos).min(MOST_DYNOS);
        let least = self.bound(&self.spec.decide.min_dynos).max(1).min(most);
        let all = [least, least.midpoint(most), most].into_iter().filter(|dynos| *dynos > 0);
        all.collect::<BTreeSet<u32>>().into_iter().collect()
    }

    fn bound(&self, by_time: &crate::decide::DynosByTime) -> u32 {
        // The clock of every run begins there.
        let start = chrono::NaiveDateTime::parse_from_str(crate::testing::START, "%Y-%m-%d %H:%M");
        start.map_or(1, |start| by_time.at(start))
    }

    /// Ticks in which the history is filled, and what lies in it is forgotten again.
    pub fn long(&self) -> usize {
        self.spec.decide.history_length.clamp(12, 40)
    }

    /// Ticks in which a scale that is due has come, the wait after the last one included.
    pub fn patience(&self) -> usize {
        let interval = self.spec.interval().as_secs_f64().max(0.001);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wait = (self.spec.decide.wait.as_secs_f64() / interval).ceil().min(200.0) as usize;
        self.long() + 12 + wait
    }

    /// A new run, from `dynos` dynos on.
    pub fn open(&mut self, dynos: u32) -> Option<Run> {
        if self.over() {
            return None;
        }
        let opened = Trial::new(vec![Arc::clone(&self.spec)], None).map_err(|error| error.to_string());
        let opened = opened.and_then(|trial| {
            let bench = trial.under_test(&self.spec.name).map_err(|(message, _)| message)?;
            bench.platform(|platform| platform.dynos = dynos);
            Ok(Run { trial, bench })
        });
        self.runs += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        opened.map_err(|why| self.broken = Some(why)).ok()
    }

    /// One more tick of `run`, or several until everything was measured; `None` is a value that is missing.
    pub fn feed(&mut self, run: &Run, values: &[Option<f64>]) -> Tick {
        let mut data = Map::new();
        for (channel, value) in self.channels.iter().zip(values) {
            let read = value.map(Json::from).ok_or_else(|| Failure::overload("it is missing"));
            match &channel.name {
                None => run.bench.feed(read),
                Some(name) if channel.stage => run.bench.feed_named(name, vec![read]),
                Some(name) => {
                    data.insert(name.to_string(), read.unwrap_or(Json::Null));
                }
            }
        }
        if !data.is_empty() {
            run.bench.feed(Ok(json!(data)));
        }
        let mut tick = self.tick(run);
        while run.bench.waits() {
            let next = self.tick(run);
            let decided = if next.decided == Decided::Hold { tick.decided } else { next.decided };
            tick = Tick { decided, used_up: tick.used_up || next.used_up, ..next };
        }
        tick
    }

    fn tick(&mut self, run: &Run) -> Tick {
        // Whatever goes wrong in it stands in its record.
        let _ = run.trial.tick(&run.bench);
        let dynos = run.bench.platform(|platform| platform.dynos);
        let records = run.bench.records(1);
        let record = records.last();
        let error = record.and_then(|record| record.error.as_deref());
        let used_up = error.is_some_and(|error| error.contains("used up its") && error.contains("operations"));
        let failed = record.is_some_and(|record| record.measurements.iter().any(|one| !one.success));
        let error = error.is_some() && !used_up && !failed;
        self.ticks += 1;
        self.errors += u64::from(error);
        Tick { dynos, decided: record.map_or(Decided::Hold, |record| record.decision), used_up, error }
    }

    /// What the reader of the results must know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.broken.iter().cloned().collect();
        if self.errors * 2 > self.ticks {
            notes.push(format!(
                "in {} of {} ticks the decision went wrong, and little was tried: what it reads is not what was fed; \
                 `simulate: #{{ signals: #{{ … }} }}` names the entries of what is measured",
                self.errors, self.ticks
            ));
        }
        if self.unsignalled {
            notes.push(
                "what is measured is not said, so a constant load is a constant value: `simulate: #{ signal: \
                 \"utilization\" }` lets more dynos share it"
                    .into(),
            );
        }
        notes
    }

    /// A value for each channel: the one at a share (0 to 1) of its values.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn quiet(&self, share: f64) -> Vec<Option<f64>> {
        let of = |channel: &Channel| {
            let at = (share * channel.values.len().saturating_sub(1) as f64).round() as usize;
            channel.values.get(at).copied()
        };
        self.channels.iter().map(of).collect()
    }
}

/// What is measured of `spec`, with values worth a try; whether a signal is not known.
fn channels(spec: &PipelineSpec, seed: u64) -> (Vec<Channel>, bool) {
    let said = spec.simulate.as_ref().and_then(|described| described.answer.clone());
    let mut unsignalled = false;
    let mut known: Vec<(Option<Arc<str>>, bool, Option<Signal>)> = Vec::new();
    let signals = match &said {
        Some(Answer::Several(signals)) => signals.clone(),
        _ => Vec::new(),
    };
    if spec.names_measurements() {
        for stage in &spec.measure {
            let own = signals.iter().find(|(name, _)| *name == stage.name).map(|(_, signal)| *signal);
            known.push((Some(Arc::clone(&stage.name)), true, own.or(Signal::of_backend(stage.backend.backend()))));
        }
    } else if signals.is_empty() {
        let one = match said {
            Some(Answer::One(signal)) => Some(signal),
            _ => spec.measure.first().and_then(|stage| Signal::of_backend(stage.backend.backend())),
        };
        known.push((None, false, one));
    } else {
        known.extend(signals.into_iter().map(|(name, signal)| (Some(name), false, Some(signal))));
    }
    let mut chance = Chance::seeded(seed, 0);
    let channels = known.into_iter().enumerate().map(|(at, (name, stage, signal))| {
        unsignalled |= signal.is_none();
        let shared = signal == Some(Signal::Utilization);
        Channel { name, stage, shared, values: values(spec, stage.then_some(at), shared, &mut chance) }
    });
    (channels.collect(), unsignalled)
}

/// Values around every number that the policies name, round ones, and drawn ones.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn values(spec: &PipelineSpec, stage: Option<usize>, shared: bool, chance: &mut Chance) -> Vec<f64> {
    let mut numbers = vec![0.0, 1.0, 10.0, 100.0, 1_000.0];
    for policy in spec
        .decide
        .policies
        .iter()
        .filter(|policy| stage.is_none() || policy.judges.is_none_or(|own| Some(own) == stage))
    {
        if let Some((min, max)) = policy.kind.thresholds() {
            numbers.extend([min, max, f64::midpoint(min, max)]);
        }
        if let PolicyKind::Scripted(function) = &policy.kind {
            numbers.extend(literals(function.fingerprint()).into_iter().take(12));
        }
    }
    let mut tried = Vec::new();
    for number in &numbers {
        tried.extend([0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 3.0].map(|factor| number * factor));
        if shared {
            // So many dynos' worth of it.
            tried.extend((2..=6).flat_map(|dynos| [0.95, 1.05].map(|factor| number * factor * f64::from(dynos))));
        }
    }
    let high = numbers.iter().copied().fold(1.0, f64::max) * 10.0;
    tried.extend((0..DRAWN).map(|_| high * 10f64.powf(-4.0 * chance.uniform())));
    tried.retain(|value| value.is_finite() && *value >= 0.0);
    let mut tried: Vec<f64> = tried.into_iter().map(|value| rounded(value, 6)).collect();
    tried.sort_by(f64::total_cmp);
    tried.dedup();
    if tried.len() > MOST_VALUES {
        let step = tried.len() as f64 / MOST_VALUES as f64;
        tried = (0..MOST_VALUES).map(|at| tried[(at as f64 * step) as usize]).collect();
    }
    tried
}

/// `value` with so many digits that count.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let places = digits - 1 - value.abs().log10().floor().clamp(-300.0, 300.0) as i32;
    let text = if places >= 0 {
        format!("{value:.*}", places.unsigned_abs() as usize)
    } else {
        let factor = 10f64.powi(-places);
        format!("{}", (value / factor).round() * factor)
    };
    text.parse().unwrap_or(value)
}
