//! Owns the reading of the four stages: a constructor's call is looked up in the table of its module,
//! functions and maps of functions become scripted stages.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::wide::{Common, WIDE};
use super::{at_place_of, memory, wide};
use crate::decide::{self, Policy, PolicyKind};
use crate::function::{Function, Window};
use crate::measure::{self, Measure, OnFailure};
use crate::rules;
use crate::scale::{self, Scale};
use crate::settings::{
    Constructor, Fields, Kind, Node, Place, Preset, Report, Setting, Stage, StageKind, Value, expect_arity,
};

/// `scale: #{ current: …, scale_to: … }`.
pub static SCALE_FUNCTIONS: &[Setting] = &[
    Setting { name: "current", kind: Kind::Function, preset: Preset::Required, doc: "`|| …`, the number of dynos" },
    Setting { name: "scale_to", kind: Kind::Function, preset: Preset::Required, doc: "`|n| …`, asks for n dynos" },
];

const INTERVAL: &str = "measurement_interval_in_seconds";

/// A worker would do nothing but tick.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// A measuring stage as read, before it has seen the rest of its pipeline.
pub(super) struct Measured {
    pub backend: Box<dyn Measure>,
    pub interval: Duration,
    pub on_failure: Option<OnFailure>,
    pub map: Vec<Function>,
    pub memory: Json,
    pub settings: Node,
}

/// A scaling stage as read.
pub(super) struct Scaled {
    pub backend: Box<dyn Scale>,
    pub memory: Json,
}

/// A deciding stage as read.
pub(super) struct Decided {
    pub policy: Chosen,
    pub memory: Json,
}

/// Native or scripted, not yet shared.
pub(super) enum Chosen {
    Native(Box<dyn Policy>),
    Scripted(Function),
}

pub(super) fn empty() -> Node {
    Node::bare(Value::Map(Vec::new()))
}

/// The constructor of `stage` in its module's table. One that is unknown was told of when the script was looked at.
pub(super) fn constructor<T>(stage: &Stage, table: &'static [Constructor<T>]) -> Option<&'static Constructor<T>> {
    table.iter().find(|constructor| constructor.name == &*stage.name)
}

pub(super) fn title(stage: &Stage) -> String {
    format!("`{}::{}`", stage.kind, stage.name)
}

/// The settings of a constructor's call, with the place of the call where they have none.
pub(super) fn settings(stage: &Stage) -> Node {
    let place = stage.settings.place.clone().or_else(|| stage.place.clone());
    Node { value: stage.settings.value.clone(), place }
}

/// The stage in `node` if it is one of `kind`; anything else is an error that names `expected`.
pub(super) fn stage_of<'a>(
    kind: StageKind,
    node: &'a Node,
    expected: &str,
    report: &mut Report,
) -> Option<&'a Arc<Stage>> {
    stage_at(kind.module(), kind, node, expected, report)
}

/// As [`stage_of`], for what stands at the key `what`.
fn stage_at<'a>(
    what: &str,
    kind: StageKind,
    node: &'a Node,
    expected: &str,
    report: &mut Report,
) -> Option<&'a Arc<Stage>> {
    match &node.value {
        Value::Stage(stage) if stage.kind == kind => Some(stage),
        _ => {
            let message = format!("`{what}` takes {expected}, not {}", node.describe());
            report.say(&rules::WRONG_TYPE, node.place.as_ref(), message, None);
            None
        }
    }
}

/// The function of `arity` parameters among the arguments of a `custom`.
pub(super) fn argument(stage: &Stage, index: usize, what: &str, arity: usize, report: &mut Report) -> Option<Function> {
    match stage.arguments.get(index).map(|node| &node.value) {
        Some(Value::Function(function)) => function_of(what, function, arity, report),
        found => {
            let found = found.map_or("nothing".into(), |value| Node::bare(value.clone()).describe());
            report.say(
                &rules::WRONG_TYPE,
                stage.place.as_ref(),
                format!("{} takes a function for `{what}`, not {found}", title(stage)),
                None,
            );
            None
        }
    }
}

pub(super) fn function_of(what: &str, function: &Function, arity: usize, report: &mut Report) -> Option<Function> {
    expect_arity(what, function, arity, report).then(|| Arc::clone(function))
}

pub(super) fn measure(node: &Node, report: &mut Report) -> Option<Measured> {
    let (settings, function, map, title, native) = if let Value::Function(function) = &node.value {
        (empty(), Some(function_of("measure", function, 0, report)?), &[][..], "`measure`".to_owned(), None)
    } else {
        let stage = stage_of(StageKind::Measure, node, "a backend of `measure::` or a function `|| …`", report)?;
        let (function, native) = if &*stage.name == "custom" {
            (argument(stage, 0, "measure", 0, report), None)
        } else {
            (None, Some(constructor(stage, measure::CONSTRUCTORS)?))
        };
        (settings(stage), function, &stage.map[..], title(stage), native)
    };
    let own = native.map_or(&[][..], |constructor| constructor.settings);
    let mut fields = Fields::open(title, &settings, vec![own, measure::COMMON], report);
    let backend = match (native, function) {
        (Some(constructor), _) => (constructor.read)(&mut fields),
        (None, Some(function)) => Some(Box::new(measure::Custom::new(function)) as Box<dyn Measure>),
        (None, None) => None,
    };
    let interval = fields.seconds(INTERVAL);
    if let Some(short) = interval.filter(|interval| *interval < SHORTEST_INTERVAL) {
        let (short, least) = (short.as_secs_f64(), SHORTEST_INTERVAL.as_secs_f64());
        let message = format!("`{INTERVAL}` is {short}, and must be at least {least}");
        let help = "no measurement that reaches anything is done sooner, and dynos take seconds to start";
        fields.error(INTERVAL, message, Some(help.into()));
    }
    let on_failure = fields.word("on_measurement_failure").map(|word| match word {
        "too_high" => OnFailure::TooHigh,
        "ignore" => OnFailure::Ignore,
        _ => OnFailure::Hold,
    });
    let memory = memory::read(&mut fields);
    let mapped = map.iter().map(|function| function_of("map", function, 1, report)).collect::<Vec<_>>();
    let map = mapped.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Measured { backend: backend?, interval: interval?, on_failure, map, memory, settings })
}

pub(super) fn scale(node: &Node, report: &mut Report) -> Option<Scaled> {
    let scripted = |current, scale_to, memory: Json| Scaled {
        backend: Box::new(scale::Custom::new(current, scale_to, memory.clone())),
        memory,
    };
    if let Value::Map(_) = &node.value {
        let mut fields = Fields::open("`scale`", node, vec![SCALE_FUNCTIONS, memory::MEMORY], report);
        let (current, scale_to) = (fields.function("current", 0), fields.function("scale_to", 1));
        let memory = memory::read(&mut fields);
        return Some(scripted(current?, scale_to?, memory));
    }
    let expected = "a backend of `scale::` or a map `#{ current: || …, scale_to: |n| … }`";
    let stage = stage_of(StageKind::Scale, node, expected, report)?;
    if &*stage.name == "observe" {
        return observe(stage, report);
    }
    let settings = settings(stage);
    if &*stage.name == "custom" {
        let memory = memory::read(&mut Fields::open(title(stage), &settings, vec![memory::MEMORY], report));
        let (current, scale_to) = (argument(stage, 0, "current", 0, report), argument(stage, 1, "scale_to", 1, report));
        return Some(scripted(current?, scale_to?, memory));
    }
    let constructor = constructor(stage, scale::CONSTRUCTORS)?;
    let mut fields = Fields::open(title(stage), &settings, vec![constructor.settings], report);
    let backend = (constructor.read)(&mut fields)?;
    Some(Scaled { backend, memory: Json::Object(serde_json::Map::new()) })
}

/// `scale::observe(target)`: its one argument stands where others have their settings.
fn observe(stage: &Stage, report: &mut Report) -> Option<Scaled> {
    let target = settings(stage);
    if let Value::Stage(inner) = &target.value
        && inner.kind == StageKind::Scale
        && &*inner.name == "observe"
    {
        report.error(stage.place.as_ref(), "`scale::observe` stands in another one", None);
        return None;
    }
    let Scaled { backend, memory } = scale(&target, report)?;
    Some(Scaled { backend: Box::new(scale::Observe::new(backend)), memory })
}

pub(super) fn decide(what: &str, node: &Node, report: &mut Report) -> Option<Decided> {
    let no_memory = || Json::Object(serde_json::Map::new());
    if let Value::Function(function) = &node.value {
        let policy = Chosen::Scripted(function_of(what, function, 1, report)?);
        return Some(Decided { policy, memory: no_memory() });
    }
    let expected = "a backend of `decide::` or a function `|m| …`";
    let stage = stage_at(what, StageKind::Decide, node, expected, report)?;
    let settings = settings(stage);
    if &*stage.name == "custom" {
        let tables = vec![memory::MEMORY, decide::COMMON, WIDE];
        let memory = memory::read(&mut Fields::open(title(stage), &settings, tables, report));
        let policy = Chosen::Scripted(argument(stage, 0, "decide", 1, report)?);
        return Some(Decided { policy, memory });
    }
    let constructor = constructor(stage, decide::CONSTRUCTORS)?;
    let tables = vec![constructor.settings, decide::COMMON, WIDE];
    let policy = (constructor.read)(&mut Fields::open(title(stage), &settings, tables, report))?;
    Some(Decided { policy: Chosen::Native(policy), memory: no_memory() })
}

impl Decided {
    fn native(&self) -> Option<&dyn Policy> {
        match &self.policy {
            Chosen::Native(policy) => Some(&**policy),
            Chosen::Scripted(_) => None,
        }
    }

    pub fn is_scripted(&self) -> bool {
        self.native().is_none()
    }

    pub fn thresholds(&self) -> Option<(f64, f64)> {
        self.native()?.thresholds()
    }

    pub fn history_needed(&self) -> usize {
        match &self.policy {
            Chosen::Native(policy) => policy.history_needed(),
            Chosen::Scripted(function) => {
                let windows = function.outline().windows;
                windows.iter().map(|window| window.needed).max().unwrap_or(0).min(wide::LONGEST_HISTORY)
            }
        }
    }

    pub fn kind(self) -> PolicyKind {
        match self.policy {
            Chosen::Native(policy) => PolicyKind::Native(policy.into()),
            Chosen::Scripted(function) => PolicyKind::Scripted(function),
        }
    }

    /// Takes over the thresholds that stand on the measuring side.
    pub fn take_thresholds(&mut self, measured: &Measured, report: &mut Report) {
        let given = measured.backend.thresholds();
        if given == (None, None) {
            return;
        }
        let place = ["max_time_ms", "min_time_ms"].iter().find_map(|key| measured.settings.entry(key)?.place.as_ref());
        let place = place.or(measured.settings.place.as_ref());
        match &mut self.policy {
            Chosen::Native(policy) => {
                if policy.take_thresholds(given) {
                    let message = "thresholds are given both in `measure` and in `decide`; those of `decide` win";
                    report.say(&rules::THRESHOLDS_ON_TWO_SIDES, place, message, "write them in one place".to_owned());
                }
            }
            Chosen::Scripted(_) => {
                let message = "thresholds in `measure` have no effect on a decision that is a function";
                report.say(&rules::IDLE_THRESHOLD, place, message, None);
            }
        }
    }

    /// What depends on several settings: thresholds against each other, the history's length.
    pub fn check(&self, decide: Option<&Node>, common: &Common, report: &mut Report) {
        let place = |key: &str| place_of(decide, key);
        if let Some((min, max)) = self.thresholds()
            && min > max
        {
            let message = format!("`min_measurement_value` {min} is above `max_measurement_value` {max}");
            let key = if written(decide, "min_measurement_value") {
                "min_measurement_value"
            } else {
                "max_measurement_value"
            };
            report.say(&rules::THRESHOLD_ORDER, place(key).as_ref(), message, None);
        }
        if let Chosen::Scripted(function) = &self.policy {
            looked_back(function, decide, common, report);
            return;
        }
        let needed = self.history_needed();
        if let Some(length) = common.history_length
            && length < needed
        {
            let message = format!("`history_length` is {length}, and the policy needs {needed} measurements");
            let place = common.history_place.clone().or_else(|| place("history_length"));
            let help = format!("write at least {needed}, or leave it out");
            report.say(&rules::WRONG_VALUE, place.as_ref(), message, help);
        }
    }
}

/// Reports where `function` looks back on more measurements than are kept.
fn looked_back(function: &Function, decide: Option<&Node>, common: &Common, report: &mut Report) {
    let Some(window) = function.outline().windows.into_iter().max_by_key(|window| window.needed) else { return };
    let Window { needed, text, place } = window;
    if needed > wide::LONGEST_HISTORY {
        let message = format!("`{text}` needs {needed} measurements, and at most {} are kept", wide::LONGEST_HISTORY);
        let help = "measure an average, or sum up in `this`".to_owned();
        report.say(&rules::WRONG_VALUE, Some(&place), message, help);
        return;
    }
    if let Some(length) = common.history_length.filter(|length| *length < needed) {
        let message = format!("`history_length` is {length}, and `{text}` in line {} needs {needed}", place.line);
        let place = common.history_place.clone().or_else(|| place_of(decide, "history_length"));
        let help = format!("write at least {needed}, or leave it out");
        report.say(&rules::WRONG_VALUE, place.as_ref(), message, help);
    }
}

/// Whether `key` is written in the settings of the stage in `node`.
pub(super) fn written(node: Option<&Node>, key: &str) -> bool {
    let Some(Node { value: Value::Stage(stage), .. }) = node else { return false };
    stage.settings.entry(key).is_some_and(|entry| !matches!(entry.value, Value::Unit))
}

/// Where `key` is written in the settings of the stage in `node`, else where the stage stands.
pub(super) fn place_of(node: Option<&Node>, key: &str) -> Option<Place> {
    let node = node?;
    let Value::Stage(stage) = &node.value else { return node.place.clone() };
    let entry = stage.settings.entry(key).and_then(|entry| entry.place.clone());
    entry.or_else(|| stage.place.clone()).or_else(|| node.place.clone())
}

/// Reads a stage that no pipeline uses, for what is wrong in it.
pub(super) fn check_unused(stage: &Arc<Stage>, report: &mut Report) {
    let node = Node { value: Value::Stage(Arc::clone(stage)), place: stage.place.clone() };
    at_place_of(&node, report, |report| match stage.kind {
        StageKind::Measure => drop(measure(&node, report)),
        StageKind::Decide => {
            let scripted = decide("decide", &node, report).is_none_or(|decided| decided.is_scripted());
            let settings = super::ScriptSettings::default();
            drop(wide::common("`decide`", &empty(), Some(&node), settings, scripted, report));
        }
        StageKind::Scale => drop(scale(&node, report)),
        StageKind::Notify => drop(super::notifying::notify(&node, report)),
    });
}
