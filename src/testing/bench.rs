//! Owns one pipeline under test: a fresh pretended world, its clock, and everything that came of its
//! ticks. Time passes only when the test says so.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};

use crate::decide::PolicyKind;
use crate::function::This;
use crate::pipeline::{Event, Failure, Mode, Pipeline, PipelineSpec, Record};
use crate::state::Fence;
use crate::world::pretend::{Pretend, PretendDynos};
use crate::world::{Http, ScaleError, ScaleErrorKind};

/// When every test begins, on the clock of the pipeline's zone: a Monday at noon.
pub const START: &str = "2026-01-05 12:00";

/// A pipeline under test.
pub struct Bench {
    pub(super) zone: Tz,
    pub(super) name: Arc<str>,
    pub(super) pretend: Pretend,
    course: Mutex<Course>,
}

/// Nobody else works on what a test keeps.
pub(super) const FENCE: Fence = Fence(1);

/// Where a test stands with its pipeline.
pub(super) struct Course {
    pub(super) pipeline: Pipeline,
    /// The clock.
    pub(super) now: DateTime<Utc>,
    /// When the last tick was, unless the clock was set since.
    last: Option<DateTime<Utc>>,
    events: Vec<Arc<Event>>,
    pub(super) records: Vec<Arc<Record>>,
    notified: Vec<String>,
    /// `this` of the notifying stages, in their order.
    notify_memory: Vec<Mutex<This>>,
}

impl Bench {
    /// Opens `spec` in a world of its own, with 1 dyno. A dry run acts: what its policy would do is what
    /// a test wants to know.
    pub(super) async fn open(spec: &PipelineSpec, http: Arc<dyn Http>) -> Self {
        let mode = if spec.mode == Mode::DryRun { Mode::Live } else { spec.mode };
        let spec = Arc::new(PipelineSpec { mode, ..spec.clone() });
        let zone = spec.decide.zone;
        let now = local(START, zone, DateTime::UNIX_EPOCH).expect("the start is a time in every zone");
        let pretend = Pretend::with_http(now, http);
        let pipeline = Pipeline::open(Arc::clone(&spec), Arc::clone(&pretend.world), FENCE).await;
        let memory = |stage: &crate::notify::NotifyStage| Mutex::new((&stage.memory).into());
        let course = Course {
            pipeline,
            now,
            last: None,
            events: Vec::new(),
            records: Vec::new(),
            notified: Vec::new(),
            notify_memory: spec.notify.iter().map(memory).collect(),
        };
        Self { zone, name: Arc::clone(&spec.name), pretend, course: Mutex::new(course) }
    }

    pub(super) fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the platform pretends.
    pub fn platform<T>(&self, change: impl FnOnce(&mut PretendDynos) -> T) -> T {
        change(&mut self.pretend.platforms.of(&self.name).lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the next scale fail.
    pub fn fail_scale(&self, message: String) {
        let error = ScaleError { kind: ScaleErrorKind::Refused, message };
        self.platform(|platform| platform.scales.push_back(Some(error)));
    }

    /// The next tick measures this.
    pub fn feed(&self, measured: Result<Json, Failure>) {
        self.pretend.sources.feed(&self.name, measured);
    }

    /// The next ticks measure these under `name`; the last of them stays.
    pub fn feed_named(&self, name: &str, measured: Vec<Result<Json, Failure>>) {
        self.pretend.sources.feed_named(&self.name, name, measured);
    }

    /// Whether something that was fed by name was not measured yet.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.pretend.sources.waits(&self.name)
    }

    /// Lets every measurement fail, until it is told otherwise.
    pub fn fail(&self, failure: Option<Failure>) {
        self.pretend.sources.fail(&self.name, failure);
    }

    /// The names of its measurements, where they have some.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let course = self.course();
        let spec = course.pipeline.spec();
        if spec.names_measurements() {
            spec.measure.iter().map(|stage| Arc::clone(&stage.name)).collect()
        } else {
            Vec::new()
        }
    }

    /// Whether its policy compares what was measured with thresholds: data is of no use to it.
    #[must_use]
    pub fn judges_numbers(&self) -> bool {
        let course = self.course();
        let spec = course.pipeline.spec();
        let compares = |kind: &PolicyKind| matches!(kind, PolicyKind::Native(policy) if policy.thresholds().is_some());
        spec.measure.iter().all(|stage| stage.map.is_empty())
            && spec.decide.policies.iter().all(|policy| compares(&policy.kind))
    }

    /// The names of the pipelines that it shares a limit with.
    #[must_use]
    pub fn others(&self) -> Vec<Arc<str>> {
        let course = self.course();
        let members = course.pipeline.spec().limits.iter().flat_map(|limit| &limit.members);
        members.map(|member| Arc::clone(&member.name)).filter(|name| *name != self.name).collect()
    }

    /// What another pipeline of its limits has.
    pub fn other(&self, name: &Arc<str>, dynos: u32) {
        self.pretend.world.ledger.note(name, dynos);
    }

    /// One tick, an interval after the last one, or at once where more time has passed; `drive` runs
    /// what it is given to its end.
    ///
    /// # Errors
    /// What a function that is notified threw.
    pub fn tick(&self, drive: impl Fn(Ticking<'_>)) -> Result<(), String> {
        let mut course = self.course();
        let mut failures = Vec::new();
        drive(Box::pin(self.run(&mut course, &mut failures)));
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }

    async fn run(&self, course: &mut Course, failures: &mut Vec<String>) {
        let interval = TimeDelta::from_std(course.pipeline.interval()).unwrap_or(TimeDelta::MAX);
        let due = course.last.and_then(|last| last.checked_add_signed(interval));
        course.now = due.map_or(course.now, |due| due.max(course.now));
        self.pretend.clock.set(course.now);
        course.last = Some(course.now);
        let record = course.pipeline.tick(course.now).await;
        course.records.push(record);
        let events: Vec<Arc<Event>> = self.pretend.audience.take().into_iter().map(Arc::new).collect();
        let spec = Arc::clone(course.pipeline.spec());
        for event in events {
            for (stage, memory) in spec.notify.iter().zip(&course.notify_memory) {
                if !stage.hears(&event) {
                    continue;
                }
                course.notified.push(event.message.clone());
                if stage.backend.rehearses()
                    && let Err(error) = stage.backend.deliver(&event, memory, &self.pretend.world).await
                {
                    failures.push(error.message);
                }
            }
            course.events.push(event);
        }
    }

    /// Lets time pass, without a tick.
    ///
    /// # Errors
    /// When that is no time to wait for.
    pub fn wait(&self, seconds: f64) -> Result<(), String> {
        let mut course = self.course();
        let milliseconds = (seconds * 1000.0).round();
        #[allow(clippy::cast_possible_truncation)]
        let passed = (0.0..1e15).contains(&milliseconds).then(|| TimeDelta::milliseconds(milliseconds as i64));
        let then = passed.and_then(|passed| course.now.checked_add_signed(passed));
        course.now = then.ok_or_else(|| format!("{seconds} seconds is no time to wait for"))?;
        self.pretend.clock.set(course.now);
        Ok(())
    }

    /// Sets the clock to a time of the pipeline's zone: "2026-11-24 09:05", or "9:05" for the next time
    /// that it is so late. The next tick comes at once.
    ///
    /// # Errors
    /// When the text is no time, or one that the zone skips.
    pub fn at(&self, text: &str) -> Result<(), String> {
        let mut course = self.course();
        course.now = local(text, self.zone, course.now)?;
        course.last = None;
        self.pretend.clock.set(course.now);
        Ok(())
    }

    /// The clock, in the pipeline's zone.
    #[must_use]
    pub fn now(&self) -> DateTime<Tz> {
        self.course().now.with_timezone(&self.zone)
    }

    /// Every event so far, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.course().events.clone()
    }

    /// The newest `most` records, oldest first.
    #[must_use]
    pub fn records(&self, most: usize) -> Vec<Arc<Record>> {
        let course = self.course();
        course.records[course.records.len().saturating_sub(most)..].to_vec()
    }

    /// Every text that a notifying stage heard, oldest first.
    #[must_use]
    pub fn notified(&self) -> Vec<String> {
        self.course().notified.clone()
    }

    /// `this` of every stage that has one, by the stage's name.
    #[must_use]
    pub fn memory(&self) -> Json {
        let course = self.course();
        let mut memory: Map<String, Json> = Map::new();
        memory.extend(course.pipeline.kept().memory.iter().map(|(name, this)| (name.clone(), this.json().clone())));
        for (index, this) in course.notify_memory.iter().enumerate() {
            let this = this.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if this.holds_something() {
                memory.insert(format!("notify.{index}"), this.json().clone());
            }
        }
        json!(memory)
    }

    /// The last tick in a line, for a test that failed.
    pub(super) fn state(&self) -> Option<String> {
        let course = self.course();
        let record = course.records.last()?;
        let decided = record.decision.name();
        let dynos = self.platform(|platform| platform.dynos);
        let at = record.at.with_timezone(&self.zone).format("%a %H:%M:%S");
        let why: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
        let (name, tick, why) = (&self.name, record.tick, why.join("; "));
        let error = record.error.as_ref().filter(|error| !why.contains(error.as_str()));
        let error = error.map_or_else(String::new, |error| format!("; {error}"));
        let dynos = crate::counted::dynos(dynos);
        Some(format!("`{name}` after tick {tick} ({at}), {dynos}: {decided}: {why}{error}"))
    }
}

/// A tick under way.
pub type Ticking<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The moment that a clock in `zone` shows `text`.
pub(super) fn local(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let no_time = || format!("`{text}` is no time: write \"2026-11-24 09:05\" or \"9:05\"");
    let of_day = |text: &str| -> Option<NaiveTime> {
        ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
    };
    let in_zone = |local: NaiveDateTime| local.and_local_timezone(zone).earliest().map(|time| time.to_utc());
    let text = text.trim();
    // With its distance from UTC: of a time that comes twice there is no other way to say which.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Some((date, time)) = text.split_once([' ', 'T']) {
        let date: NaiveDate = date.parse().map_err(|_| no_time())?;
        let time = of_day(time.trim()).ok_or_else(no_time)?;
        return in_zone(date.and_time(time)).ok_or_else(|| format!("`{text}` does not exist in {zone}"));
    }
    let time = of_day(text).ok_or_else(no_time)?;
    let mut days = now.with_timezone(&zone).date_naive().iter_days();
    // Two days: today's may have passed, and the zone may skip tomorrow's.
    let found = days.by_ref().take(3).find_map(|day| in_zone(day.and_time(time)).filter(|then| *then > now));
    found.ok_or_else(|| format!("`{text}` does not come in {zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_the_next_one_and_a_date_is_that_of_the_zone() {
        let zone = chrono_tz::America::Vancouver;
        let at = |text: &str| {
            let now = "2026-03-07T20:00:00Z".parse().unwrap();
            local(text, zone, now).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        };
        assert_eq!(at("2026-11-24 09:05").as_deref(), Ok("2026-11-24T17:05:00Z"));
        assert_eq!(at("12:30").as_deref(), Ok("2026-03-07T20:30:00Z"));
        // It is noon: the next noon is tomorrow's, an hour earlier for the world.
        assert_eq!(at("12:00").as_deref(), Ok("2026-03-08T19:00:00Z"));
        // 2:30 does not exist on the 8th.
        assert_eq!(at("2:30").as_deref(), Ok("2026-03-09T09:30:00Z"));
        assert!(at("2026-03-08 2:30").is_err_and(|error| error.contains("does not exist")));
        assert!(at("soon").is_err_and(|error| error.contains("is no time")));
    }
}
