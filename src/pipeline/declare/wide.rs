//! Owns the settings that concern a whole pipeline (in its own map or in its `decide::`) or the whole
//! script.

use std::sync::Arc;
use std::time::Duration;

use chrono::Timelike;
use chrono_tz::Tz;

use super::guards::{self, GUARDS};
use super::{ScriptSettings, Watchdog, dynos};
use crate::decide::{COMMON, DynosByTime};
use crate::pipeline::bounds::{crossing, when};
use crate::pipeline::{GuardSettings, Mode, When};
use crate::rules;
use crate::settings::{Fields, Kind, Node, Place, Preset, Report, Setting, Value, did_you_mean};

/// `history_length` where the policy needs no more: the documented default.
pub(super) const HISTORY_LENGTH: usize = 10;

/// The longest history: it is kept in memory, and copied for scripted decisions.
pub(super) const LONGEST_HISTORY: usize = 10_000;

const MODE: Setting = Setting {
    name: "mode",
    kind: Kind::OneOf(&["live", "dry_run", "paused"]),
    preset: Preset::Text("live"),
    doc: "\"live\" scales, \"dry_run\" does everything but the scale, \"paused\" measures and holds.",
};

const NOTIFY_REPEAT: Setting = Setting {
    name: "notify_repeat_minutes",
    kind: Kind::Minutes,
    preset: Preset::Number(60.0),
    doc: "Minutes after which a lasting condition is told again.",
};

const CALL_ON_FAILURE: Setting = Setting {
    name: "call_on_failure",
    kind: Kind::Flag,
    preset: Preset::Flag(false),
    doc: "Call a `decide` function for failed measurements too, with `m.value` missing.",
};

/// Pipeline-wide settings, next to those common to all policies.
pub static WIDE: &[Setting] = &[
    MODE,
    NOTIFY_REPEAT,
    CALL_ON_FAILURE,
    Setting {
        name: "start_from_zero",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "0 dynos are the engine's to leave; else they mean that a person switched the process type off.",
    },
    Setting {
        name: "respect_manual_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(0.0),
        doc: "A count that a person changed on the platform is left alone for so long, inside the bounds.",
    },
    GUARDS[0],
    GUARDS[1],
    GUARDS[2],
    GUARDS[3],
    GUARDS[4],
    GUARDS[5],
    GUARDS[6],
    GUARDS[7],
    GUARDS[8],
    GUARDS[9],
    GUARDS[10],
    GUARDS[11],
    GUARDS[12],
    GUARDS[13],
    GUARDS[14],
];

/// The settings of the whole script: defaults of its pipelines.
pub static SCRIPT: &[Setting] = &[
    MODE,
    NOTIFY_REPEAT,
    Setting {
        name: "time_zone",
        kind: Kind::Text,
        preset: Preset::None("the machine's own"),
        doc: "The zone of pipelines that name none, an IANA name such as \"America/Vancouver\".",
    },
    Setting {
        name: "limits",
        kind: Kind::Limits,
        preset: Preset::None("`[]`"),
        doc: "Limits that pipelines share: `#{ pipelines: [\"web\", \"celery\"], max_dynos: 12, order: [\"web\", \"celery\"] }`.",
    },
    Setting {
        name: "test_on_reload",
        kind: Kind::Flag,
        preset: Preset::Flag(true),
        doc: "A saved script whose own tests fail does not go live.",
    },
    Setting {
        name: "rollback_on_failure",
        kind: Kind::Whole,
        preset: Preset::Whole(0),
        doc: "After so many ticks in a row in which a function of a saved script fails that did not fail before, the \
              version before comes back; 0: never.",
    },
    Setting {
        name: "gate",
        kind: Kind::Map,
        preset: Preset::None("nothing is simulated"),
        doc: "What a saved script must pass before it goes live: \
              `#{ trace: \"last-week.csv\", max_late_percent: 1.0, max_cost_ratio: 1.3 }`.",
    },
    Setting {
        name: "watchdog",
        kind: Kind::Map,
        preset: Preset::None("nobody is told"),
        doc: "Who is told that the worker lives: `#{ url: env::secret(\"SNITCH_URL\"), every_seconds: 60 }`.",
    },
];

/// The settings of `watchdog`.
pub static WATCHDOG: &[Setting] = &[
    Setting {
        name: "url",
        kind: Kind::Secret,
        preset: Preset::Required,
        doc: "The address that is asked for while every live pipeline ticks.",
    },
    Setting {
        name: "every_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(60.0),
        doc: "Seconds from one ping to the next.",
    },
];

/// Pipeline-wide settings as read.
pub(super) struct Common {
    pub mode: Mode,
    pub min_dynos: DynosByTime,
    pub max_dynos: DynosByTime,
    pub min_written: bool,
    pub max_written: bool,
    pub zone: Tz,
    pub increment: u32,
    pub wait: Duration,
    pub history_length: Option<usize>,
    pub history_place: Option<Place>,
    pub keep_history: bool,
    pub start_from_zero: bool,
    pub call_on_failure: bool,
    pub notify_repeat: Duration,
    pub respect_manual: Duration,
    pub guards: GuardSettings,
    pub work: Option<guards::Work>,
}

/// Reads `settings(#{ … })`.
pub(super) fn script_settings(node: Option<&Node>, local_zone: Tz, report: &mut Report) -> ScriptSettings {
    let empty = Node::bare(Value::Map(Vec::new()));
    let mut fields = Fields::open("`settings`", node.unwrap_or(&empty), vec![SCRIPT], report);
    ScriptSettings {
        mode: mode(&mut fields),
        zone: zone(&mut fields).unwrap_or(local_zone),
        notify_repeat: fields.minutes(NOTIFY_REPEAT.name).unwrap_or(Duration::from_secs(3600)),
        test_on_reload: fields.flag("test_on_reload"),
        rollback_on_failure: fields
            .whole("rollback_on_failure", 0..=i64::from(u16::MAX))
            .and_then(|ticks| u32::try_from(ticks).ok())
            .unwrap_or(0),
    }
}

/// Reads `watchdog` of `settings(#{ … })`.
pub(super) fn watchdog(node: Option<&Node>, report: &mut Report) -> Option<Watchdog> {
    let node = node?.entry("watchdog").filter(|node| !matches!(node.value, Value::Unit))?;
    let mut fields = Fields::open("`watchdog`", node, vec![WATCHDOG], report);
    let (url, every) = (fields.secret("url"), fields.seconds("every_seconds"));
    let url = url?;
    // A missing secret stands as an empty placeholder where nothing is reached.
    if !url.expose().is_empty() && !is_address(url.expose()) {
        fields.error("url", "`url` of `watchdog` is no http or https address", None);
    }
    Some(Watchdog { url, every: every? })
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Reads what a pipeline's map and its `decide::` say of the whole pipeline; `scripted`: it decides by a
/// function.
pub(super) fn common(
    owner: &str,
    map: &Node,
    decide: Option<&Node>,
    settings: ScriptSettings,
    scripted: bool,
    report: &mut Report,
) -> Common {
    let merged = merge(map, decide, report);
    let mut fields = Fields::open(owner, &merged, vec![COMMON, WIDE], report);
    let (min, max) = (dynos::read(&mut fields, "min_dynos"), dynos::read(&mut fields, "max_dynos"));
    check_bounds(&mut fields, min.as_ref(), max.as_ref());
    let whole = |fields: &mut Fields<'_>, name, most| fields.whole(name, 1..=most);
    let increment = whole(&mut fields, "increment", 1000);
    let history_length = whole(&mut fields, "history_length", i64::try_from(LONGEST_HISTORY).unwrap_or(i64::MAX));
    Common {
        mode: if fields.has(MODE.name) { mode(&mut fields) } else { settings.mode },
        // Where one of them is wrong the pipeline does not come to run.
        min_dynos: min.unwrap_or(DynosByTime::Always(0)),
        max_dynos: max.unwrap_or(DynosByTime::Always(u32::MAX)),
        min_written: fields.has("min_dynos"),
        max_written: fields.has("max_dynos"),
        zone: zone(&mut fields).unwrap_or(settings.zone),
        increment: increment.and_then(|value| u32::try_from(value).ok()).unwrap_or(1),
        wait: fields.seconds_or_zero("post_scale_wait_time_seconds").unwrap_or_default(),
        history_length: history_length.and_then(|value| usize::try_from(value).ok()),
        history_place: fields.node("history_length").and_then(|node| node.place.clone()),
        keep_history: fields.flag("keep_history"),
        start_from_zero: fields.flag("start_from_zero"),
        call_on_failure: call_on_failure(&mut fields, scripted),
        notify_repeat: if fields.has(NOTIFY_REPEAT.name) {
            fields.minutes(NOTIFY_REPEAT.name).unwrap_or(settings.notify_repeat)
        } else {
            settings.notify_repeat
        },
        respect_manual: fields.seconds_or_zero("respect_manual_seconds").unwrap_or_default(),
        guards: guards::read(&mut fields),
        work: guards::work(&mut fields),
    }
}

/// Only a function can be called.
fn call_on_failure(fields: &mut Fields<'_>, scripted: bool) -> bool {
    let called = fields.flag(CALL_ON_FAILURE.name);
    if called && !scripted {
        let help = "a native policy treats failures as `on_measurement_failure` says".to_owned();
        fields.error(CALL_ON_FAILURE.name, "`call_on_failure` concerns a `decide` that is a function", Some(help));
    }
    called
}

/// The pipeline-wide entries of both maps; one that stands in both is an error at the second.
fn merge(map: &Node, decide: Option<&Node>, report: &mut Report) -> Node {
    let known = |(key, node): &&(Arc<str>, Node)| {
        !matches!(node.value, Value::Unit) && COMMON.iter().chain(WIDE).any(|setting| setting.name == &**key)
    };
    let of = |node: &Node| -> Vec<(Arc<str>, Node)> {
        match &node.value {
            Value::Map(entries) => entries.iter().filter(known).cloned().collect(),
            _ => Vec::new(),
        }
    };
    let mut entries = of(map);
    if let Some(Node { value: Value::Stage(stage), .. }) = decide {
        for (key, inner) in of(&stage.settings) {
            let Some((_, outer)) = entries.iter().find(|(other, _)| *other == key) else {
                entries.push((key, inner));
                continue;
            };
            let (first, second) = if outer.place <= inner.place { (outer, &inner) } else { (&inner, outer) };
            let first = first.place.as_ref().map_or_else(String::new, |place| format!(" (also at {place})"));
            let message = format!("`{key}` stands both in the pipeline and in its `decide`{first}");
            let place = second.place.as_ref().or(map.place.as_ref());
            report.say(&rules::SETTING_ON_TWO_SIDES, place, message, "write it in one place".to_owned());
        }
    }
    Node { value: Value::Map(entries), place: map.place.clone() }
}

fn mode(fields: &mut Fields<'_>) -> Mode {
    match fields.word(MODE.name) {
        Some("dry_run") => Mode::DryRun,
        Some("paused") => Mode::Paused,
        _ => Mode::Live,
    }
}

fn zone(fields: &mut Fields<'_>) -> Option<Tz> {
    let name = fields.text("time_zone")?;
    let zone = name.parse().ok();
    if zone.is_none() {
        fields.say(&rules::TIME_ZONE, "time_zone", format!("`{name}` is no time zone"), Some(nearest_zone(&name)));
    }
    zone
}

/// The known zone that was probably meant: case, blanks and a missing region are forgiven.
fn nearest_zone(name: &str) -> String {
    let plain = |name: &str| name.trim().to_lowercase().replace([' ', '-'], "_");
    let wanted = plain(name);
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let same = names().find(|known| plain(known) == wanted);
    let city = || names().find(|known| plain(known).rsplit('/').next() == wanted.rsplit('/').next());
    let near = || {
        let alike = |known: &str| strsim::jaro_winkler(&wanted, &plain(known));
        names().map(|known| (alike(known), known)).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8)
    };
    match same.or_else(city).or_else(|| near().map(|(_, known)| known)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => did_you_mean(name, names())
            .unwrap_or_else(|| "an IANA name such as \"America/Vancouver\" or \"UTC\"".into()),
    }
}

fn check_bounds(fields: &mut Fields<'_>, min: Option<&DynosByTime>, max: Option<&DynosByTime>) {
    let (Some(min), Some(max)) = (min, max) else { return };
    let Some(time) = crossing(min, max) else { return };
    let table = |by_time: &DynosByTime| matches!(by_time, DynosByTime::Table(_));
    let at = if table(min) || table(max) { format!(" {}", when(time, min, max)) } else { String::new() };
    let default = |name| if fields.has(name) { "" } else { " (its default)" };
    let message = format!(
        "`min_dynos`{} is {}, above `max_dynos`{}, {}{at}",
        default("min_dynos"),
        min.at(time),
        default("max_dynos"),
        max.at(time),
    );
    let help = match (fields.has("min_dynos"), fields.has("max_dynos")) {
        (true, false) => Some("write `max_dynos` too".to_owned()),
        (false, true) => Some("write `min_dynos` too; 0 is allowed".to_owned()),
        _ => None,
    };
    // At the entry that begins it, where it is one of a table.
    let name =
        if fields.has("max_dynos") && (table(max) || !fields.has("min_dynos")) { "max_dynos" } else { "min_dynos" };
    let entry = match fields.node(name).map(|node| &node.value) {
        Some(Value::Map(entries)) => {
            let minute = u16::try_from(time.hour() * 60 + time.minute()).unwrap_or(0);
            let begins = |(key, _): &&(Arc<str>, Node)| {
                let when = When::parse(key).ok();
                when.is_some_and(|when| when.minute == minute && (when.days.on(time.date())))
            };
            entries.iter().find(begins).and_then(|(_, node)| node.place.clone())
        }
        _ => None,
    };
    let place = entry.or_else(|| fields.place(name));
    fields.report().say(&rules::DYNO_BOUNDS, place.as_ref(), message, help);
}
