//! Owns the way from declarations as written to pipelines as they run: every setting of every stage is
//! read, defaults are filled in, and everything that is wrong is said at once, at the place of its key.

mod checks;
mod dynos;
mod gate;
mod guards;
mod memory;
mod named;
mod notifying;
mod shared;
mod stages;
mod wide;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::{Mode, PipelineSpec};
use crate::decide::{COMMON, DecideStage};
use crate::measure::{MeasureStage, Surroundings};
use crate::rules;
use crate::scale::Scale;
use crate::script::{Declaration, Loaded};
use crate::secret::Secret;
use crate::settings::{Fields, Kind, Node, Place, Preset, Report, Setting, Severity, Value};
use crate::simulate::{Described, SIMULATE};
pub use gate::{GATE, Gate};
pub use guards::GUARDS;
pub use shared::LIMIT;
pub use stages::SCALE_FUNCTIONS;
pub use wide::{SCRIPT, WATCHDOG, WIDE};

/// The stages of a pipeline.
pub static STAGES: &[Setting] = &[
    Setting {
        name: "measure",
        kind: Kind::Stage,
        preset: Preset::Required,
        doc: "`measure::response_time(#{ … })`, another backend of `measure::`, a function `|| …`, or a map of several \
              of these by name",
    },
    Setting {
        name: "decide",
        kind: Kind::Stage,
        preset: Preset::Required,
        doc: "`decide::consecutive_threshold(#{ … })`, `decide::average_threshold(#{ … })`, a function `|m| …`, or a map \
              of several of these by name",
    },
    Setting {
        name: "scale",
        kind: Kind::Stage,
        preset: Preset::Required,
        doc: "`scale::heroku(#{ … })`, or `#{ current: || …, scale_to: |n| … }`",
    },
    Setting {
        name: "notify",
        kind: Kind::Stage,
        preset: Preset::None("nobody is told"),
        doc: "a backend of `notify::`, a function `|event| …`, or an array of these",
    },
    Setting {
        name: "shadow",
        kind: Kind::Stage,
        preset: Preset::None("none"),
        doc: "what `decide` takes: judges the same, acts on nothing, and is recorded",
    },
];

/// The longest name of a pipeline: it becomes part of keys, file names and log lines.
const LONGEST_NAME: usize = 64;

/// A script as declared.
#[derive(Debug)]
pub struct Declared {
    /// The pipelines without an error of their own, in the order of their declarations.
    pub specs: Vec<Arc<PipelineSpec>>,
    /// What concerns the whole script.
    pub settings: ScriptSettings,
    /// Who is told that the worker lives, if anybody is.
    pub watchdog: Option<Watchdog>,
    /// What a saved version must pass before it goes live, if anything.
    pub gate: Option<Gate>,
    /// Everything said of the script, its loading included.
    pub report: Report,
}

/// What `settings(#{ … })` says, and defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScriptSettings {
    /// Whether pipelines act that do not say themselves.
    pub mode: Mode,
    /// The zone of pipelines that do not name one.
    pub zone: Tz,
    /// Every so often a lasting condition is told again.
    pub notify_repeat: Duration,
    /// Whether a saved script whose tests fail is refused.
    pub test_on_reload: bool,
    /// So many failing ticks in a row after a reload bring the version before back; 0: none do.
    pub rollback_on_failure: u32,
}

/// A service that is told that the worker lives, and raises the alarm when it hears nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// What is asked for: it names the account, and is a secret.
    pub url: Secret,
    /// From one ping to the next.
    pub every: Duration,
}

impl Default for ScriptSettings {
    /// As without a call of `settings`, on a machine in UTC.
    fn default() -> Self {
        wide::script_settings(None, Tz::UTC, &mut Report::default())
    }
}

/// Reads what `loaded` declares. `unit` prefixes the pipelines' names in a script folder;
/// `local_zone` is the machine's own.
#[must_use]
pub fn declare(loaded: &Loaded, unit: Option<&str>, generation: u64, local_zone: Tz) -> Declared {
    let mut report = loaded.report.clone();
    let settings = wide::script_settings(loaded.settings.as_ref(), local_zone, &mut report);
    let watchdog = wide::watchdog(loaded.settings.as_ref(), &mut report);
    let mut specs: Vec<Arc<PipelineSpec>> = Vec::new();
    // By name and by target: ten thousand pipelines must not be compared with each other.
    let mut names: HashMap<&str, Option<&Place>> = HashMap::new();
    let mut targets: HashMap<String, Arc<str>> = HashMap::new();
    for declaration in &loaded.declarations {
        let mut own = Report::default();
        check_name(declaration, &names, &mut own);
        names.entry(&declaration.name).or_insert(declaration.place.as_ref());
        let name: Arc<str> = match unit {
            Some(unit) => format!("{unit}/{}", declaration.name).into(),
            None => Arc::clone(&declaration.name),
        };
        let spec = pipeline(name, declaration, settings, generation, &mut own);
        if let Some(spec) = spec {
            let target = spec.live_target();
            checks::same_target(&spec, target.as_deref(), declaration, &targets, &mut own);
            if !own.has_errors() {
                targets.extend(target.map(|target| (target, Arc::clone(&spec.name))));
                specs.push(Arc::new(spec));
            }
        }
        report.extend(own);
    }
    let known: Vec<Arc<str>> = loaded.declarations.iter().map(|declaration| Arc::clone(&declaration.name)).collect();
    let known = shared::Known { names: &known, unit };
    shared::limits(loaded.settings.as_ref(), &known, &mut specs, &mut report);
    let gate = gate::read(loaded.settings.as_ref(), &specs, unit, &mut report);
    for stage in &loaded.unused_stages {
        stages::check_unused(stage, &mut report);
    }
    if loaded.declarations.is_empty() && !report.has_errors() {
        let place = loaded.files.first().map(|file| Place::file(Arc::clone(&file.name)));
        let help = "declare one: `pipeline(\"web\", #{ measure: …, decide: …, scale: … })`";
        report.say(&rules::NO_PIPELINE, place.as_ref(), "the script declares no pipeline", help.to_owned());
    }
    Declared { specs, settings, watchdog, gate, report }
}

fn check_name(declaration: &Declaration, names: &HashMap<&str, Option<&Place>>, report: &mut Report) {
    let name = &*declaration.name;
    let place = declaration.place.as_ref();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let help = Some("letters, digits, `-`, `_` and `.`, with `/` between parts, such as \"web\"".to_owned());
    if name.is_empty() {
        report.say(&rules::PIPELINE_NAME, place, "the name of a pipeline is empty", help);
    } else if name.len() > LONGEST_NAME {
        let length = name.chars().count();
        report.say(
            &rules::PIPELINE_NAME,
            place,
            format!("the name of a pipeline has {length} characters, at most {LONGEST_NAME} are allowed"),
            None,
        );
    } else if !name.bytes().all(allowed) || name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        report.say(&rules::PIPELINE_NAME, place, format!("`{name}` is no name for a pipeline"), help);
    }
    if let Some(first) = names.get(name) {
        let first = first.map_or_else(String::new, |place| format!("; the first is at {place}"));
        report.say(&rules::PIPELINE_NAME, place, format!("two pipelines are named `{name}`{first}"), None);
    }
}

fn pipeline(
    name: Arc<str>,
    declaration: &Declaration,
    settings: ScriptSettings,
    generation: u64,
    report: &mut Report,
) -> Option<PipelineSpec> {
    let owner = format!("pipeline `{}`", declaration.name);
    let node = &declaration.settings;
    let map = Node { value: node.value.clone(), place: node.place.clone().or_else(|| declaration.place.clone()) };
    drop(Fields::open(&owner, &map, vec![STAGES, COMMON, WIDE, SIMULATE], report));
    let stage = |name| map.entry(name).filter(|node| !matches!(node.value, Value::Unit));
    let (measure, decide, scale, notify) = (stage("measure"), stage("decide"), stage("scale"), stage("notify"));
    let measured = measure.and_then(|node| named::measurements(node, report));
    let mut scaled = scale.and_then(|node| stages::scale(node, report));
    let names = measure.map(named::names).unwrap_or_default();
    let names = named::Names { all: &names, written: measure.is_some_and(named::has_names) };
    let policies = decide.and_then(|node| named::policies("decide", node, names, report));
    let shadow = match stage("shadow") {
        Some(node) => {
            let shadow = named::policies("shadow", node, names, report);
            named::own_settings_only("shadow", node, report);
            shadow
        }
        None => Some(Vec::new()),
    };
    let notified = notify.map_or_else(|| Some(Vec::new()), |node| notifying::notify(node, report));
    let simulate = stage("simulate").map(|node| Box::new(Described::read(node, report)));
    let scripted = policies.as_ref().is_none_or(|all| all.iter().any(|policy| policy.read.is_scripted()));
    let common = wide::common(&owner, &map, decide, settings, scripted, report);

    if let Some((scale, node)) = scaled.as_mut().zip(scale) {
        at_place_of(node, report, |report| scale.backend.settle(&name, report));
    }
    let (mut policies, mut shadow) = (policies, shadow);
    for policies in policies.iter_mut().chain(&mut shadow) {
        named::settle(policies, measured.as_deref().unwrap_or_default(), &common, report);
    }
    let (measured, scaled) = (measured?, scaled?);
    let scale: Arc<dyn Scale> = Arc::from(scaled.backend);
    let mut common = common;
    guards::check(&common.guards, &*scale, &map, decide, report);
    common.guards.busy = common.work.as_ref().and_then(|work| guards::busy(work, &name, &scale, report));
    let mode = if scale.observes() && common.mode == Mode::Live { Mode::DryRun } else { common.mode };
    let measuring = measured.into_iter().enumerate().map(|(index, mut measuring)| {
        let judging = policies.iter().flatten().filter(|policy| policy.judges == Some(index));
        let maxima = judging.filter_map(|policy| policy.read.thresholds()).map(|(_, max)| max);
        let around = Surroundings { pipeline: &name, scale: &scale, max_threshold: maxima.reduce(f64::max) };
        at_place_of(measuring.node, report, |report| measuring.read.backend.settle(&around, report));
        measuring.resolved()
    });
    let measuring: Vec<MeasureStage> = measuring.collect();
    let (policies, shadow) = (policies?, shadow?);
    let history_needed = policies.iter().chain(&shadow).map(|policy| policy.read.history_needed()).max().unwrap_or(0);
    let nodes: Vec<&Node> = policies.iter().map(|policy| policy.node).collect();
    let decide_stage = DecideStage {
        call_on_failure: common.call_on_failure,
        policies: named::resolved(policies),
        shadow: named::resolved(shadow),
        min_dynos: common.min_dynos,
        max_dynos: common.max_dynos,
        max_written: common.max_written,
        min_written: common.min_written,
        zone: common.zone,
        increment: common.increment,
        wait: common.wait,
        history_length: common.history_length.unwrap_or_else(|| history_needed.max(wide::HISTORY_LENGTH)),
        keep_history: common.keep_history,
    };
    let spec = PipelineSpec {
        name,
        generation,
        script: None,
        place: declaration.place.clone(),
        mode,
        measure: measuring,
        decide: decide_stage,
        scale,
        scale_memory: scaled.memory,
        notify: notified?,
        start_from_zero: common.start_from_zero,
        notify_repeat: common.notify_repeat,
        simulate,
        respect_manual: common.respect_manual,
        guards: common.guards,
        limits: Vec::new(),
    };
    checks::warn(
        &spec,
        &checks::Written { decide, policies: &nodes, notify, place: declaration.place.as_ref() },
        report,
    );
    Some(spec)
}

/// Runs `say`, and gives what it says without a place that of `node`.
fn at_place_of(node: &Node, report: &mut Report, say: impl FnOnce(&mut Report)) {
    let mut said = Report::default();
    say(&mut said);
    let place = match &node.value {
        Value::Stage(stage) => stage.place.clone().or_else(|| node.place.clone()),
        _ => node.place.clone(),
    };
    for diagnostic in said.diagnostics() {
        let mut diagnostic = diagnostic.clone();
        // A note concerns the script as a whole.
        if diagnostic.severity != Severity::Note {
            diagnostic.place = diagnostic.place.or_else(|| place.clone());
        }
        report.push(diagnostic);
    }
}
