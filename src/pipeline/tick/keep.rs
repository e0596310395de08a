//! Owns what a pipeline keeps between ticks and over a change of its script: what fits the new one is taken up,
//! what comes from elsewhere now starts anew. It decides nothing.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::super::{PipelineSpec, Record};
use super::Pipeline;
use super::panel::Panel;
use crate::decide::NamedPolicy;
use crate::function::This;
use crate::measure::MeasureStage;
use crate::state::{Batch, Intent, Measured, StateError};

impl Pipeline {
    /// Fits what was measured to `spec`: what comes from another source now starts anew.
    fn take_up_measurements(&mut self, spec: &PipelineSpec) {
        let mut changed = false;
        if spec.names_measurements() {
            (self.kept.history, self.kept.source) = (Arc::default(), None);
            self.kept.named.retain(|name, _| spec.measure.iter().any(|stage| *stage.name == **name));
        } else {
            self.kept.named.clear();
        }
        let mut readings = Vec::new();
        for stage in &spec.measure {
            let source = source(stage);
            let before = self.spec.measure.iter().position(|before| before.name == stage.name);
            let reading = before.and_then(|before| self.readings.get_mut(before)?.take());
            if !spec.names_measurements() {
                if self.kept.source.as_ref() != Some(&source) {
                    (self.kept.history, self.kept.source) = (Arc::default(), Some(source));
                    changed = true;
                }
                continue;
            }
            let measured = self.kept.named.entry(stage.name.to_string()).or_default();
            let same = measured.source.as_ref() == Some(&source);
            if !same {
                *measured = Measured { history: Arc::default(), source: Some(source) };
                changed = true;
            }
            readings.push(reading.filter(|_| same));
        }
        self.readings = readings;
        if changed {
            self.kept.control.new_source();
        }
    }

    /// Fits what is kept to `spec`.
    pub(super) fn take_up(&mut self, spec: &PipelineSpec) {
        self.take_up_measurements(spec);
        let target = spec.scale.target();
        if self.kept.target != target {
            self.kept.control.new_target();
            self.kept.scales.clear();
            self.kept.target = target;
        }
        let memory = |key: &str, initial: &Json| {
            let kept = self.kept.memory.get(key).filter(|memory| memory.is_map());
            let initial = || if initial.is_object() { initial.into() } else { This::default() };
            Mutex::new(kept.cloned().unwrap_or_else(initial))
        };
        let stages = spec.measure.iter();
        self.measure_memory = stages.map(|stage| memory(&measure_key(spec, &stage.name), &stage.memory)).collect();
        let panel = |key: &'static str, policies: &[NamedPolicy], before: (&[NamedPolicy], &Panel)| {
            let memory = policies.iter().map(|policy| memory(&policy_key(key, policies, &policy.name), &policy.memory));
            Panel::new(policies, memory.collect(), before)
        };
        let (old, new) = (&self.spec.decide, &spec.decide);
        let deciding = panel(DECIDE_KEY, &new.policies, (&old.policies, &self.panel));
        let shadow = panel(SHADOW_KEY, &new.shadow, (&old.shadow, &self.shadow));
        (self.panel, self.shadow) = (deciding, shadow);
        let none = Json::Null;
        self.busy_memory = memory(BUSY_KEY, spec.guards.busy.as_ref().map_or(&none, |work| &work.stage.memory));
        if let (Some(this), Some(kept)) = (self.platform.memory(), self.kept.memory.get(SCALE_KEY)) {
            *this.lock().unwrap_or_else(PoisonError::into_inner) = kept.clone();
        }
    }

    /// Brings `kept.memory` up to date.
    pub(super) fn keep_memory(&mut self) {
        let kept = &mut self.kept.memory;
        let mut keep = |key: &str, memory: &Mutex<This>| {
            let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            // An empty map is what a stage without memory has: nearly all of them, at every tick.
            if memory.holds_something() || kept.contains_key(key) {
                match kept.get_mut(key) {
                    Some(before) => before.clone_from(&memory),
                    None => drop(kept.insert(key.to_owned(), memory.clone())),
                }
            }
        };
        keep(BUSY_KEY, &self.busy_memory);
        let decide = &self.spec.decide;
        for (key, policies, panel) in
            [(DECIDE_KEY, &decide.policies, &self.panel), (SHADOW_KEY, &decide.shadow, &self.shadow)]
        {
            for (policy, memory) in policies.iter().zip(panel.memory()) {
                keep(&policy_key(key, policies, &policy.name), memory);
            }
        }
        for (stage, memory) in self.spec.measure.iter().zip(&self.measure_memory) {
            keep(&measure_key(&self.spec, &stage.name), memory);
        }
        if let Some(memory) = self.platform.memory() {
            keep(SCALE_KEY, memory);
        }
        kept.extend(self.world.audience.memories(&self.spec.name));
    }

    /// Hands over what is kept, and what is to be safe or recorded.
    pub(super) async fn commit(
        &mut self,
        intent: Option<Intent>,
        record: Option<&Arc<Record>>,
    ) -> Result<(), StateError> {
        self.keep_memory();
        let batch = Batch { kept: self.kept.clone(), intent, record: record.cloned() };
        self.world.state.commit(&self.spec.name, self.fence, batch).await
    }
}

/// The key of the deciding stage's memory.
const DECIDE_KEY: &str = "decide";

/// The key of the memory of the function that counts work, and its name as a stage.
pub(crate) const BUSY_KEY: &str = "busy";

/// The key of the shadow's memory.
const SHADOW_KEY: &str = "shadow";

/// The key of a policy's memory.
fn policy_key(key: &'static str, policies: &[NamedPolicy], name: &str) -> Cow<'static, str> {
    if policies.len() == 1 { key.into() } else { format!("{key}.{name}").into() }
}

/// The key of the scaling stage's memory.
const SCALE_KEY: &str = "scale";

/// The key of a measuring stage's memory.
fn measure_key(spec: &PipelineSpec, name: &str) -> Cow<'static, str> {
    if spec.measure.len() == 1 { "measure".into() } else { format!("measure.{name}").into() }
}

/// Source and unit of what `stage` measures, `.map` included: histories of different ones do not mix.
pub(super) fn source(stage: &MeasureStage) -> String {
    let mut source = stage.backend.source();
    for function in &stage.map {
        source.push('\n');
        source.push_str(function.fingerprint());
    }
    source.push('\n');
    source
}
