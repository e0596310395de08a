//! Owns trying scripted decisions and notifications on samples, for `check`: what would fail at the first
//! tick or incident is better told now. It reaches nothing; only what fails at every sample is an error.

mod answers;
mod samples;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{EventKind, PipelineSpec};
use crate::decide::{NamedPolicy, PolicyKind, custom};
use crate::function::{Argument, CallError, Function, Returned};
use crate::rules;
use crate::settings::{Diagnostic, Place, Report};
use samples::{Past, Sample};

/// All trials of one script together: functions that use up their budget must not add up.
const PATIENCE: Duration = Duration::from_secs(3);

/// A bare number up to this is more likely meant as a step than as a count.
const SMALL: i64 = 3;

/// What went wrong in the trials of one function.
#[derive(Default)]
struct Trials {
    /// How many trials there were.
    made: usize,
    /// When, what and where.
    failures: Vec<(String, String, Option<Place>)>,
    /// Whether every trial that is due was made.
    complete: bool,
}

impl Trials {
    fn fails(&mut self, when: String, error: CallError) {
        let (CallError::Script { message, place } | CallError::Budget { message, place }) = error;
        self.failures.push((when, message, place));
    }

    /// Reports what `role` does wrong: `every` says when, if it is at all times.
    fn tell(self, role: &str, every: &str, report: &mut Report) {
        let always = self.complete && self.failures.len() == self.made;
        let mut told = HashSet::new();
        for (when, message, place) in self.failures {
            let known = |said: &Diagnostic| said.rule.is_some() && said.place.is_some() && said.place == place;
            // What was found by looking at it needs no second telling.
            if !told.insert(place.clone()) || report.diagnostics().iter().any(known) {
                continue;
            }
            if always {
                let message = format!("`{role}` fails {every}: {message}");
                return report.say(&rules::ALWAYS_FAILS, place.as_ref(), message, None);
            }
            report.say(&rules::TRIAL_FAILED, place.as_ref(), format!("`{role}` fails {when}: {message}"), None);
        }
    }
}

/// Tries every scripted `decide` and `notify` of `specs`.
pub fn rehearse(specs: &[Arc<PipelineSpec>], report: &mut Report) {
    let until = Instant::now() + PATIENCE;
    let mut tried = HashSet::new();
    for spec in specs {
        if Instant::now() > until {
            return;
        }
        for policy in spec.decide.policies.iter().chain(&spec.decide.shadow) {
            // What it is shown depends on the names of the measurements.
            let names = || spec.measure.iter().map(|stage| &*stage.name).collect::<Vec<_>>().join(" ");
            if let PolicyKind::Scripted(function) = &policy.kind
                && tried.insert((names(), identity(function)))
            {
                decision(spec, policy, function, until, report);
            }
        }
        answers::look(spec, report);
        for stage in &spec.notify {
            let Some(function) =
                stage.backend.function().filter(|function| tried.insert((String::new(), identity(function))))
            else {
                continue;
            };
            let mut trials = Trials { complete: true, ..Trials::default() };
            for event in
                EventKind::ALL.map(|kind| samples::event(spec, kind)).into_iter().filter(|event| stage.hears(event))
            {
                if Instant::now() > until {
                    trials.complete = false;
                    break;
                }
                let when = format!("at the event `{}`", event.kind);
                trials.made += 1;
                if let Err(error) = function.rehearse(Argument::Event(Arc::new(event)), &stage.memory) {
                    trials.fails(when, error);
                }
            }
            trials.tell("notify", "at every event", report);
        }
    }
}

/// What tells one function from another.
fn identity(function: &Function) -> (Place, String) {
    (function.place().clone(), function.fingerprint().to_owned())
}

fn decision(spec: &PipelineSpec, policy: &NamedPolicy, function: &Function, until: Instant, report: &mut Report) {
    let mut trials = Trials { complete: true, ..Trials::default() };
    let mut bare = Vec::new();
    for sample in samples::moments(spec, &function.outline()) {
        if Instant::now() > until {
            trials.complete = false;
            break;
        }
        trials.made += 1;
        let answer =
            function.rehearse(Argument::Moment(Arc::new(samples::moment(spec, policy, &sample))), &policy.memory);
        match answer {
            Err(error) => trials.fails(sample.to_string(), error),
            Ok(Some(answer)) => {
                if let (Returned::Int(n), Past::Full) = (&answer, sample.past) {
                    bare.push((sample.clone(), *n));
                }
                if let Err(message) = custom::proposal(&Ok(answer), sample.dynos) {
                    let place = Some(function.place().clone());
                    trials.fails(sample.to_string(), CallError::Script { message, place });
                }
            }
            Ok(None) => {}
        }
    }
    if trials.failures.is_empty() {
        bare_number(function, &bare, report);
    }
    trials.tell("decide", "on every tick", report);
}

/// Tells of a small number that is answered at few dynos as at many.
fn bare_number(function: &Function, answers: &[(Sample, i64)], report: &mut Report) {
    for (at, (few, n)) in answers.iter().enumerate() {
        let alike = |(many, same): &&(Sample, i64)| {
            many.value.to_bits() == few.value.to_bits() && many.dynos > few.dynos && same == n
        };
        let Some((many, _)) = answers[at..].iter().find(alike).filter(|_| (1..=SMALL).contains(n)) else { continue };
        if let Some(place) = function.plain_answer(*n) {
            let plural = if *n == 1 { "" } else { "s" };
            let message = format!("`{n}` sets {n} dyno{plural} in all, at {} dynos as at {}", few.dynos, many.dynos);
            let help = format!("did you mean `up({n})`? write `to({n})` if not");
            report.say(&rules::BARE_NUMBER, Some(&place), message, help);
        }
    }
}
