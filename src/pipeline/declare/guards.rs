//! Owns how the optional guards of a pipeline are written: their settings, and what each may say. What
//! they do is in `pipeline::guards`.

use std::sync::Arc;
use std::time::Duration;

use super::{at_place_of, stages};
use crate::measure::{MeasureStage, OnFailure, Surroundings};
use crate::pipeline::{BUSY_KEY, Behavior, Boot, BusyWork, CircuitBreaker, Fallback, GuardSettings, Step};
use crate::scale::Scale;
use crate::settings::{Fields, Kind, Node, Preset, Report, Setting, Value};

/// More than a guard may count to is a slip of the keyboard.
const MOST: i64 = 100_000;

/// More reversals than are remembered could never be exceeded.
const MOST_REVERSALS: i64 = 12;

/// The windows and periods whose changes are remembered: longer ones would be guessed.
const LONGEST_WINDOW: Duration = Duration::from_secs(86_400);

/// The settings of the optional guards; each is off by default.
pub const GUARDS: [Setting; 15] = [
    Setting {
        name: "tolerance",
        kind: Kind::Number,
        preset: Preset::Number(0.0),
        doc: "A change smaller than this part of the current count is held: with 0.1, less than a tenth.",
    },
    Setting {
        name: "stabilization_up_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(0.0),
        doc: "Of the counts wanted within so many seconds the smallest raise is made.",
    },
    Setting {
        name: "stabilization_down_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(0.0),
        doc: "Of the counts wanted within so many seconds the smallest fall is made.",
    },
    Setting {
        name: "max_step_up",
        kind: Kind::Step,
        preset: Preset::None("no limit"),
        doc: "The largest step up, by one decision or `per_seconds`; with both `dynos` and `percent` the larger, or with `select: \"min\"` the smaller.",
    },
    Setting {
        name: "max_step_down",
        kind: Kind::Step,
        preset: Preset::None("no limit"),
        doc: "The largest step down; 0 lowers nothing but to a bound.",
    },
    Setting {
        name: "cooldown_up_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(0.0),
        doc: "Seconds after a scale, in whatever direction, in which the count is not raised.",
    },
    Setting {
        name: "cooldown_down_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(0.0),
        doc: "Seconds after a scale, in whatever direction, in which the count is not lowered.",
    },
    Setting {
        name: "fallback",
        kind: Kind::Fallback,
        preset: Preset::None("none"),
        doc: "What is done from the failure `after` (3) in a row on. `behavior`: \"at_least\" (the default), \"at_most\", \"static\" or \"current\"; it never lowers the count.",
    },
    Setting {
        name: "max_steps_up_on_failure",
        kind: Kind::Whole,
        preset: Preset::None("no limit"),
        doc: "So many steps up may follow from failed measurements alone, until one succeeds.",
    },
    Setting {
        name: "busy",
        kind: Kind::Work,
        preset: Preset::None("nothing is asked"),
        doc: "How many jobs run; asked before a fall. On Heroku, which chooses the dyno it stops, the fall waits until there is none, elsewhere as many dynos stay.",
    },
    Setting {
        name: "busy_deadline_seconds",
        kind: Kind::Seconds,
        preset: Preset::None("none"),
        doc: "A fall waits for `busy` no longer than this.",
    },
    Setting {
        name: "boot_seconds",
        kind: Kind::Boot,
        preset: Preset::None("booting dynos are not told apart"),
        doc: "So long after a raise nothing is judged; \"learned\": as long as the platform says that dynos are booting, at most 10 minutes.",
    },
    Setting {
        name: "hold_during_release",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "Nothing is decided while the platform releases a new version; asks it at every tick.",
    },
    Setting {
        name: "circuit_breaker",
        kind: Kind::Switch,
        preset: Preset::Flag(false),
        doc: "No more is asked for after `failures` (5) failed scales in a row, or when no new dyno is up within `up_within_seconds` (600); after `retry_seconds` (900) one more is tried.",
    },
    Setting {
        name: "max_reversals_per_hour",
        kind: Kind::Whole,
        preset: Preset::None("no limit"),
        doc: "Once the direction has changed so often within an hour nothing is lowered until it is less.",
    },
];

static STEP: &[Setting] = &[
    Setting { name: "dynos", kind: Kind::Whole, preset: Preset::None("no limit"), doc: "So many dynos." },
    Setting {
        name: "percent",
        kind: Kind::Number,
        preset: Preset::None("no limit"),
        doc: "So many percent of the dynos at the begin of the period, rounded up.",
    },
    Setting {
        name: "per_seconds",
        kind: Kind::Seconds,
        preset: Preset::None("one decision"),
        doc: "The period; without it the limit is for one decision.",
    },
    Setting {
        name: "select",
        kind: Kind::OneOf(&["max", "min"]),
        preset: Preset::Text("max"),
        doc: "Which of `dynos` and `percent` counts: the one that allows more, or less.",
    },
];

static FALLBACK: &[Setting] = &[
    Setting { name: "after", kind: Kind::Whole, preset: Preset::Whole(3), doc: "From this failure in a row on." },
    Setting {
        name: "dynos",
        kind: Kind::Whole,
        preset: Preset::None("needed but for \"current\""),
        doc: "So many dynos, or \"current\" for those that there are.",
    },
    Setting {
        name: "behavior",
        kind: Kind::OneOf(&["at_least", "at_most", "static", "current"]),
        preset: Preset::Text("at_least"),
        doc: "What the number means.",
    },
];

static CIRCUIT_BREAKER: &[Setting] = &[
    Setting { name: "failures", kind: Kind::Whole, preset: Preset::Whole(5), doc: "Failed scales in a row." },
    Setting {
        name: "up_within_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(600.0),
        doc: "Of new dynos one must be up by then.",
    },
    Setting {
        name: "retry_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(900.0),
        doc: "After so long one more is tried.",
    },
];

/// Reads the guards but for `busy`, which needs the rest of the pipeline.
pub(super) fn read(fields: &mut Fields<'_>) -> GuardSettings {
    GuardSettings {
        tolerance: tolerance(fields),
        stabilization_up: window(fields, "stabilization_up_seconds"),
        stabilization_down: window(fields, "stabilization_down_seconds"),
        max_step_up: step(fields, "max_step_up"),
        max_step_down: step(fields, "max_step_down"),
        cooldown_up: fields.seconds_or_zero("cooldown_up_seconds").unwrap_or_default(),
        cooldown_down: fields.seconds_or_zero("cooldown_down_seconds").unwrap_or_default(),
        fallback: fallback(fields),
        max_steps_up_on_failure: count(fields, "max_steps_up_on_failure", MOST),
        busy: None,
        boot: boot(fields),
        hold_during_release: fields.flag("hold_during_release"),
        circuit_breaker: circuit_breaker(fields),
        max_reversals_per_hour: count(fields, "max_reversals_per_hour", MOST_REVERSALS),
    }
}

fn count(fields: &mut Fields<'_>, name: &str, most: i64) -> Option<u32> {
    fields.whole(name, 0..=most).and_then(|count| u32::try_from(count).ok())
}

fn tolerance(fields: &mut Fields<'_>) -> f64 {
    let tolerance = fields.number("tolerance").unwrap_or(0.0);
    if (0.0..1.0).contains(&tolerance) {
        return tolerance;
    }
    let message = format!("`tolerance` is {tolerance}, and must be at least 0 and below 1");
    fields.error("tolerance", message, Some("a part of the current count: 0.1 is a tenth".into()));
    0.0
}

/// A time within which changes or wishes are remembered.
fn window(fields: &mut Fields<'_>, name: &str) -> Duration {
    let window = fields.seconds_or_zero(name).unwrap_or_default();
    if window > LONGEST_WINDOW {
        fields.error(name, format!("`{name}` is {}, which is more than a day", window.as_secs_f64()), None);
    }
    window
}

fn step(fields: &mut Fields<'_>, name: &str) -> Option<Step> {
    let node = fields.node(name)?;
    let one = |dynos, percent| Step { dynos, percent, per: Duration::ZERO, larger: true };
    match &node.value {
        Value::Int(_) | Value::Float(_) => Some(one(count(fields, name, MOST), None)),
        Value::Text(text) => {
            let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
            let percent = percent.filter(|percent| percent.is_finite() && *percent >= 0.0);
            if percent.is_none() {
                let message = format!("`{name}` is \"{text}\", and must be {}", Kind::Step.expected());
                fields.error(name, message, None);
            }
            percent.map(|percent| one(None, Some(percent)))
        }
        Value::Map(_) => {
            let mut inner = Fields::open(format!("`{name}`"), node, vec![STEP], fields.report());
            let (dynos, percent) = (count(&mut inner, "dynos", MOST), inner.number("percent"));
            let per = if inner.has("per_seconds") { window(&mut inner, "per_seconds") } else { Duration::ZERO };
            let larger = inner.word("select") != Some("min");
            if percent.is_some_and(|percent| percent < 0.0) {
                inner.error("percent", "`percent` must not be negative", None);
            }
            if !inner.has("dynos") && !inner.has("percent") {
                let message = format!("`{name}` needs `dynos` or `percent`");
                let place = node.place.clone();
                inner.report().error(place.as_ref(), message, Some(Kind::Step.expected()));
            }
            Some(Step { dynos, percent, per, larger })
        }
        _ => {
            wrong(fields, name, node);
            None
        }
    }
}

fn fallback(fields: &mut Fields<'_>) -> Option<Fallback> {
    let node = fields.node("fallback")?;
    if !matches!(node.value, Value::Map(_)) {
        wrong(fields, "fallback", node);
        return None;
    }
    let mut inner = Fields::open("`fallback`", node, vec![FALLBACK], fields.report());
    let after = inner.whole("after", 1..=MOST).and_then(|after| u32::try_from(after).ok())?;
    let current = matches!(inner.node("dynos"), Some(Node { value: Value::Text(text), .. }) if &**text == "current");
    let written = inner.has("behavior");
    let word = inner.word("behavior")?;
    if current || word == "current" {
        let contradicts = if current { written && word != "current" } else { inner.has("dynos") };
        if contradicts {
            let help = "the fallback keeps the dynos there are: leave out `behavior`, or give a number";
            inner.error("dynos", "`dynos` and `behavior` of `fallback` contradict each other", Some(help.into()));
        }
        return Some(Fallback { after, behavior: Behavior::Current });
    }
    if !inner.has("dynos") {
        let place = node.place.clone();
        inner.report().error(place.as_ref(), "`fallback` needs `dynos`", Some(Kind::Fallback.expected()));
        return None;
    }
    let dynos = count(&mut inner, "dynos", MOST)?;
    let behavior = match word {
        "static" => Behavior::Static(dynos),
        "at_most" => Behavior::AtMost(dynos),
        _ => Behavior::AtLeast(dynos),
    };
    Some(Fallback { after, behavior })
}

fn boot(fields: &mut Fields<'_>) -> Boot {
    match fields.node("boot_seconds") {
        None => Boot::Unknown,
        Some(Node { value: Value::Text(text), .. }) if &**text == "learned" => Boot::Learned,
        Some(Node { value: Value::Int(_) | Value::Float(_), .. }) => {
            fields.seconds_or_zero("boot_seconds").filter(|boot| !boot.is_zero()).map_or(Boot::Unknown, Boot::Seconds)
        }
        Some(node) => {
            wrong(fields, "boot_seconds", node);
            Boot::Unknown
        }
    }
}

fn circuit_breaker(fields: &mut Fields<'_>) -> Option<CircuitBreaker> {
    const NAME: &str = "circuit_breaker";
    let empty = stages::empty();
    let node = match fields.node(NAME) {
        None | Some(Node { value: Value::Bool(false), .. }) => return None,
        Some(Node { value: Value::Bool(true), .. }) => &empty,
        Some(node @ Node { value: Value::Map(_), .. }) => node,
        Some(node) => {
            wrong(fields, NAME, node);
            return None;
        }
    };
    let mut inner = Fields::open(format!("`{NAME}`"), node, vec![CIRCUIT_BREAKER], fields.report());
    let failures = inner.whole("failures", 1..=1000).and_then(|failures| u32::try_from(failures).ok())?;
    Some(CircuitBreaker {
        failures,
        up_within: inner.seconds("up_within_seconds")?,
        retry: inner.seconds("retry_seconds")?,
    })
}

fn wrong(fields: &mut Fields<'_>, name: &str, node: &Node) {
    let kind = GUARDS.iter().find(|setting| setting.name == name).map_or(Kind::Map, |setting| setting.kind);
    fields.error(name, format!("`{name}` takes {}, not {}", kind.expected(), node.describe()), None);
}

/// `busy` as written in the pipeline's map or in its `decide::`.
pub(super) struct Work {
    node: Node,
    pub deadline: Option<Duration>,
}

/// Reads what there is of `busy` before the rest of the pipeline is known.
pub(super) fn work(fields: &mut Fields<'_>) -> Option<Work> {
    let deadline = fields.seconds("busy_deadline_seconds");
    let node = fields.node(BUSY_KEY).cloned();
    if node.is_none() && fields.has("busy_deadline_seconds") {
        let help = "write `busy`, such as `busy: || …` with the number of jobs that run";
        fields.error("busy_deadline_seconds", "`busy_deadline_seconds` is of no use without `busy`", Some(help.into()));
    }
    node.map(|node| Work { node, deadline })
}

/// Reads `busy`, which may be any measurement; app and key of `scale` are its own.
pub(super) fn busy(work: &Work, name: &str, scale: &Arc<dyn Scale>, report: &mut Report) -> Option<BusyWork> {
    if !matches!(work.node.value, Value::Function(_) | Value::Stage(_)) {
        let message =
            format!("`busy` takes a backend of `measure::` or a function `|| …`, not {}", work.node.describe());
        report.say(&crate::rules::WRONG_TYPE, work.node.place.as_ref(), message, None);
        return None;
    }
    let measured = stages::measure(&work.node, report)?;
    let mut backend = measured.backend;
    let around = Surroundings { pipeline: name, scale, max_threshold: None };
    at_place_of(&work.node, report, |report| backend.settle(&around, report));
    let stage = MeasureStage {
        name: BUSY_KEY.into(),
        on_failure: OnFailure::Hold,
        backend: Arc::from(backend),
        interval: measured.interval,
        map: measured.map,
        memory: measured.memory,
    };
    Some(BusyWork { stage, deadline: work.deadline })
}

/// Says which guards the platform cannot serve.
pub(super) fn check(guards: &GuardSettings, scale: &dyn Scale, map: &Node, decide: Option<&Node>, report: &mut Report) {
    if scale.tells_condition() {
        return;
    }
    let mut say = |name: &str, what: &str| {
        let place = map.entry(name).and_then(|node| node.place.clone());
        let place = place.or_else(|| stages::place_of(decide, name)).or_else(|| map.place.clone());
        let message = format!("{what} needs a platform that tells, such as `scale::heroku`");
        let help = "`boot_seconds` may be a number of seconds on every platform";
        report.error(place.as_ref(), message, (name == "boot_seconds").then(|| help.to_owned()));
    };
    if guards.boot == Boot::Learned {
        say("boot_seconds", "`boot_seconds: \"learned\"`");
    }
    if guards.hold_during_release {
        say("hold_during_release", "`hold_during_release`");
    }
}
