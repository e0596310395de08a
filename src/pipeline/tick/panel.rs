//! Owns the asking of policies: who is asked in a tick, what each is shown, and what the last word of one
//! counts for whose measurement is not new. Whatever breaks down in a policy ends here, as a hold.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::super::{ControlState, Measurement, Mode, Moment, NamedMeasurement, Proposed};
use super::Pipeline;
use super::look::BUG;
use crate::decide::{NamedPolicy, PolicyInput, PolicyKind, Proposal, custom};
use crate::function::This;
use crate::function::{Argument, Function};
use crate::world::{ScaleError, Supply};

/// Policies at work: what each remembers.
#[derive(Debug, Default)]
pub(super) struct Panel {
    /// `this` of each, in their order.
    memory: Vec<Mutex<This>>,
    /// The last word of each, where there are several.
    words: Vec<Option<Word>>,
}

/// What a policy said last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    /// The count it wanted; where it held, the one at which it did.
    dynos: i64,
    /// When the measurement was taken that it judged.
    at: DateTime<Utc>,
}

/// What came of asking.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// What is wanted, empty where nobody was asked.
    pub proposals: Vec<Proposed>,
    /// What went wrong with decisions of the script.
    pub wrong: Option<String>,
    /// The last words from now on.
    words: Vec<Option<Word>>,
}

impl Panel {
    /// `policies` at work, with what those of the same names said as `before`: nobody is asked about one
    /// measurement twice.
    pub fn new(policies: &[NamedPolicy], memory: Vec<Mutex<This>>, before: (&[NamedPolicy], &Self)) -> Self {
        let said = |policy: &NamedPolicy| {
            let at = before.0.iter().position(|known| known.name == policy.name)?;
            before.1.words.get(at).copied().flatten()
        };
        Self { words: policies.iter().map(said).collect(), memory }
    }

    /// `this` of each, to be kept.
    pub fn memory(&self) -> &[Mutex<This>] {
        &self.memory
    }

    /// `this` of each as it is now.
    pub fn recall(&self) -> Vec<This> {
        self.memory.iter().map(|memory| memory.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// `this` of each as it was.
    pub fn restore(&self, before: Vec<This>) {
        for (memory, before) in self.memory.iter().zip(before) {
            *memory.lock().unwrap_or_else(PoisonError::into_inner) = before;
        }
    }

    /// Takes note of what was said in a tick that ends.
    pub fn heard(&mut self, answers: &mut Answers) {
        if !answers.words.is_empty() {
            self.words = std::mem::take(&mut answers.words);
        }
    }
}

impl Pipeline {
    /// What `policies` want. Nobody is asked while the pipeline is paused or waits, or without a count.
    pub(super) async fn ask(
        &self,
        due: DateTime<Utc>,
        (policies, panel): (&[NamedPolicy], &Panel),
        control: &ControlState,
        measurements: &[Measurement],
        supply: &Result<Supply, ScaleError>,
    ) -> Answers {
        let mut answers = Answers::default();
        let Ok(supply) = supply else { return answers };
        let paused = self.world.levers.levers().active(&self.spec.name, due).pause.is_some();
        if paused || self.spec.mode == Mode::Paused || control.waits(due) {
            return answers;
        }
        let several = policies.len() > 1;
        let current = i64::from(supply.dynos);
        let mut wrongs = Vec::new();
        if several {
            answers.words.clone_from(&panel.words);
        }
        for (index, policy) in policies.iter().enumerate() {
            let judged = match policy.judges {
                Some(judged) => measurements.get(judged),
                None => measurements.iter().find(|measurement| !measurement.success).or(measurements.first()),
            };
            let Some(judged) = judged else { continue };
            let last = if several { panel.words.get(index).copied().flatten() } else { None };
            let known =
                last.is_some_and(|last| last.at == judged.at) || control.mark.is_some_and(|mark| judged.at < mark);
            let scripted = matches!(policy.kind, PolicyKind::Scripted(_));
            let proposal = if several && known && judged.at != due {
                carried(last, current, due)
            } else if scripted && !judged.success && !self.spec.decide.call_on_failure {
                if !several {
                    return answers;
                }
                let failure = judged.failure.as_ref().map_or("it has no number", |failure| &failure.message);
                hold(format!("the measurement failed: {failure}"))
            } else {
                let memory = panel.memory.get(index);
                let proposal = match self.propose(due, policy, memory, control, measurements, *supply).await {
                    Ok(proposal) => proposal,
                    Err(wrong) => {
                        wrongs.push(if several { format!("{}: {wrong}", policy.name) } else { wrong.clone() });
                        hold(wrong)
                    }
                };
                if let Some(word) = answers.words.get_mut(index) {
                    *word = Some(Word { dynos: proposal.dynos.unwrap_or(current), at: judged.at });
                }
                proposal
            };
            answers.proposals.push(Proposed { name: Arc::clone(&policy.name), proposal });
        }
        answers.wrong = (!wrongs.is_empty()).then(|| wrongs.join("; "));
        answers
    }

    async fn propose(
        &self,
        due: DateTime<Utc>,
        policy: &NamedPolicy,
        memory: Option<&Mutex<This>>,
        control: &ControlState,
        measurements: &[Measurement],
        supply: Supply,
    ) -> Result<Proposal, String> {
        match &policy.kind {
            PolicyKind::Native(native) => {
                let stage = &self.spec.measure[policy.judges.unwrap_or(0)];
                let input = PolicyInput {
                    history: self.history(&stage.name).judged(control.mark),
                    on_failure: stage.on_failure,
                    dynos: supply.dynos,
                    increment: self.spec.decide.increment,
                    unit: stage.unit(),
                };
                let proposed = std::panic::catch_unwind(AssertUnwindSafe(|| native.propose(&input)));
                proposed.map_err(|_| format!("the policy {BUG}"))
            }
            PolicyKind::Scripted(function) => {
                let moment = Arc::new(self.moment(due, policy, control, measurements, supply));
                let Some(memory) = memory else { return Err(format!("the decision {BUG}")) };
                self.call(function, moment, memory).await
            }
        }
    }

    async fn call(&self, function: &Function, moment: Arc<Moment>, memory: &Mutex<This>) -> Result<Proposal, String> {
        let dynos = moment.dynos;
        let call = self.world.calls.pure(function, Argument::Moment(moment), memory, &self.spec.name);
        let Ok(answer) = AssertUnwindSafe(call).catch_unwind().await else {
            return Err(format!("the decision {BUG}"));
        };
        // What a script threw names its place itself.
        let place = |wrong| if answer.is_ok() { format!("{wrong} ({})", function.place()) } else { wrong };
        custom::proposal(&answer, dynos).map_err(place)
    }

    /// What a scripted decision sees.
    fn moment(
        &self,
        due: DateTime<Utc>,
        policy: &NamedPolicy,
        control: &ControlState,
        measurements: &[Measurement],
        supply: Supply,
    ) -> Moment {
        let spec = &self.spec;
        let bounds = spec.decide.bounds(due);
        let judged = policy.judges.unwrap_or(0);
        let past = self.history(&spec.measure[judged].name);
        let history = match control.mark {
            Some(mark) => Arc::new(past.since(Some(mark))),
            None => Arc::clone(past),
        };
        let named = |(stage, measurement): (&crate::measure::MeasureStage, &Measurement)| NamedMeasurement {
            name: Arc::clone(&stage.name),
            measurement: Arc::new(measurement.clone()),
            past: Arc::clone(self.history(&stage.name)),
        };
        let named = if spec.names_measurements() {
            spec.measure.iter().zip(measurements).map(named).collect()
        } else {
            Vec::new()
        };
        #[allow(clippy::cast_precision_loss)]
        let since = |last: DateTime<Utc>| (due - last).num_milliseconds() as f64 / 1000.0;
        Moment {
            pipeline: Arc::clone(&spec.name),
            measurement: Arc::new(measurements[judged].clone()),
            named,
            judges_all: policy.judges.is_none(),
            mark: control.mark,
            history,
            past: Arc::clone(past),
            dynos: supply.dynos,
            booting: supply.booting,
            min_dynos: bounds.min,
            max_dynos: bounds.max,
            now: due.with_timezone(&spec.decide.zone),
            seconds_since_scale: control.last_scale.map(since),
        }
    }
}

/// What a policy counts for whose measurement is not new: it holds, and what it said last remains the least
/// that it agrees to.
fn carried(last: Option<Word>, current: i64, due: DateTime<Utc>) -> Proposal {
    let Some(last) = last else { return hold("no measurement of its own to judge yet".into()) };
    let ago = (due - last.at).num_seconds().max(0);
    let enough = if last.dynos == 1 { "1 dyno is".into() } else { format!("{} dynos are", last.dynos.max(0)) };
    let text = format!("no new measurement; by the last one, {ago} s ago, {enough} enough");
    Proposal { dynos: (last.dynos < current).then_some(last.dynos), text }
}

fn hold(text: String) -> Proposal {
    Proposal { dynos: None, text }
}
