//! Owns the reading of measurements and policies that have names: `measure: #{ latency: …, queue: … }` with
//! `decide: #{ latency: …, queue: … }`, or with one function that is shown all.

use std::sync::Arc;

use super::stages::{self, Decided, Measured};
use super::wide::{Common, WIDE};
use crate::decide::{COMMON, NamedPolicy, ONLY};
use crate::measure::{self, MeasureStage};
use crate::pipeline::MOST_NAMES;
use crate::rules;
use crate::settings::{Node, Report, Value, did_you_mean};

/// A measurement as read.
pub(super) struct Measuring<'a> {
    pub name: Arc<str>,
    pub node: &'a Node,
    pub read: Measured,
}

impl Measuring<'_> {
    /// The stage as it runs.
    pub fn resolved(self) -> MeasureStage {
        let backend = self.read.backend;
        MeasureStage {
            name: self.name,
            on_failure: self.read.on_failure.unwrap_or_else(|| backend.on_failure()),
            backend: Arc::from(backend),
            interval: self.read.interval,
            map: self.read.map,
            memory: self.read.memory,
        }
    }
}

/// A policy as read.
pub(super) struct Deciding<'a> {
    pub name: Arc<str>,
    pub node: &'a Node,
    pub read: Decided,
    /// The measurement that it judges, by its position; `None` for all of several.
    pub judges: Option<usize>,
}

/// The names of the measurements of a pipeline.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub all: &'a [Arc<str>],
    /// Whether the script wrote them.
    pub written: bool,
}

/// The names that are written in `measure`, whether or not what they name is right.
pub(super) fn names(node: &Node) -> Vec<Arc<str>> {
    let written = node.entries().map(|entries| entries.iter().map(|(name, _)| Arc::clone(name)).collect());
    written.unwrap_or_else(|| vec![measure::ONLY.into()])
}

/// Whether names are written in `node`.
pub(super) fn has_names(node: &Node) -> bool {
    node.entries().is_some()
}

/// Reads what stands at `measure`. `None` only after an error.
pub(super) fn measurements<'a>(node: &'a Node, report: &mut Report) -> Option<Vec<Measuring<'a>>> {
    let Some(entries) = node.entries() else {
        let read = stages::measure(node, report)?;
        return Some(vec![Measuring { name: measure::ONLY.into(), node, read }]);
    };
    let sound = check_names("measure", node, entries, report);
    let read = entries.iter().map(|(name, node)| {
        let read = stages::measure(node, report)?;
        Some(Measuring { name: Arc::clone(name), node, read })
    });
    // All of them, for all errors at once.
    let read: Vec<Option<Measuring<'_>>> = read.collect();
    read.into_iter().collect::<Option<Vec<_>>>().filter(|_| sound)
}

/// Reads what stands at `what` (`decide` or `shadow`). `None` only after an error.
pub(super) fn policies<'a>(
    what: &str,
    node: &'a Node,
    measured: Names<'_>,
    report: &mut Report,
) -> Option<Vec<Deciding<'a>>> {
    let Some(entries) = node.entries() else {
        let read = stages::decide(what, node, report)?;
        let several = measured.all.len() > 1;
        if several && !read.is_scripted() {
            let message = format!("{} judges one measurement, and there are {}", node.describe(), list(measured.all));
            let names: Vec<String> = measured.all.iter().map(|name| format!("{name}: …")).collect();
            let help = format!(
                "give each its policy, `{what}: #{{ {} }}`, or write a function that looks at `m.values.{}`",
                names.join(", "),
                measured.all[0]
            );
            report.say(&rules::POLICY_FOR_SEVERAL, node.place.as_ref(), message, help);
            return None;
        }
        let judges = (!several).then_some(0);
        return Some(vec![Deciding { name: ONLY.into(), node, read, judges }]);
    };
    let mut sound = check_names(what, node, entries, report);
    let read = entries.iter().map(|(name, node)| {
        let judges = if measured.written {
            let found = measured.all.iter().position(|known| known == name);
            if found.is_none() {
                let message = format!("`{what}` has a policy `{name}`, and no measurement is named so");
                let help = did_you_mean(name, measured.all.iter().map(|known| &**known));
                let help = help.unwrap_or_else(|| format!("`measure` names {}", list(measured.all)));
                report.say(&rules::UNKNOWN_MEASUREMENT, node.place.as_ref(), message, help);
            }
            found
        } else {
            Some(0)
        };
        let read = stages::decide(what, node, report)?;
        own_settings_only(what, node, report);
        Some(Deciding { name: Arc::clone(name), node, read, judges: Some(judges?) })
    });
    let read: Vec<Option<Deciding<'_>>> = read.collect();
    if measured.written {
        let unjudged = measured.all.iter().filter(|name| !entries.iter().any(|(known, _)| known == *name));
        for name in unjudged {
            let message = format!("the measurement `{name}` has no policy in `{what}`");
            let help = format!("write `{name}: …` there, or one function that looks at `m.values.{name}`");
            report.say(&rules::MEASUREMENT_WITHOUT_POLICY, node.place.as_ref(), message, help);
            sound = false;
        }
    }
    read.into_iter().collect::<Option<Vec<_>>>().filter(|_| sound)
}

/// Names become parts of `m.values.NAME`, of records and of keys.
fn check_names(what: &str, node: &Node, entries: &[(Arc<str>, Node)], report: &mut Report) -> bool {
    let mut sound = true;
    let mut wrong = |node: &Node, message: String, help: Option<&str>| {
        sound = false;
        report.error(node.place.as_ref(), message, help.map(str::to_owned));
    };
    if entries.is_empty() {
        wrong(node, format!("`{what}` is an empty map"), Some("write a name before each: `latency: …, queue: …`"));
    }
    if entries.len() > MOST_NAMES {
        let message = format!("`{what}` has {} names, at most {MOST_NAMES} are allowed", entries.len());
        wrong(node, message, None);
    }
    for (name, node) in entries {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().all(plain) || name.starts_with(|first: char| !first.is_ascii_alphabetic()) || name.len() > 32 {
            let help = "a letter, then letters, digits and `_`, at most 32 in all";
            wrong(node, format!("`{name}` in `{what}` is no name"), Some(help));
        }
    }
    sound
}

/// Refuses what concerns the whole pipeline in the settings of one of several policies, or of a shadow.
pub(super) fn own_settings_only(what: &str, node: &Node, report: &mut Report) {
    let Value::Stage(stage) = &node.value else { return };
    let Value::Map(entries) = &stage.settings.value else { return };
    let wide = |name: &str| COMMON.iter().chain(WIDE).any(|setting| setting.name == name);
    for (key, entry) in
        entries.iter().filter(|(key, entry)| wide(key) && !matches!(entry.value, Value::Unit | Value::Unset { .. }))
    {
        let message = format!("`{key}` concerns the whole pipeline, not one policy of `{what}`");
        let place = entry.place.as_ref().or(stage.place.as_ref());
        report.say(&rules::SETTING_OF_THE_PIPELINE, place, message, "write it in the pipeline's map".to_owned());
    }
}

/// Takes over thresholds from the measuring side, and checks what depends on several settings.
pub(super) fn settle(policies: &mut [Deciding<'_>], measured: &[Measuring<'_>], common: &Common, report: &mut Report) {
    for policy in policies {
        if let Some(measured) = policy.judges.and_then(|judged| measured.get(judged)) {
            policy.read.take_thresholds(&measured.read, report);
        }
        policy.read.check(Some(policy.node), common, report);
    }
}

/// Policies as they run.
pub(super) fn resolved(policies: Vec<Deciding<'_>>) -> Vec<NamedPolicy> {
    let named = policies.into_iter().map(|Deciding { name, mut read, judges, .. }| {
        let memory = std::mem::take(&mut read.memory);
        NamedPolicy { name, memory, judges, kind: read.kind() }
    });
    named.collect()
}

fn list(names: &[Arc<str>]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
