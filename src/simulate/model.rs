//! Owns what is told of an app for its simulation: by its pipeline (`simulate: #{ … }`), by flags and by
//! presets; which of them wins, and what comes of it. It simulates nothing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::app::Signal;
use crate::settings::{Fields, Kind, Node, Preset, Report, Setting, Value, did_you_mean};
use crate::stats::Capacity;

/// The pipeline's setting.
pub static SIMULATE: &[Setting] = &[Setting {
    name: "simulate",
    kind: Kind::Map,
    preset: Preset::None("flags of `autoscaler simulate` say it"),
    doc: "The app as `autoscaler simulate` pretends it; nothing else reads it.",
}];

/// What can be told of an app, by the names that flags have too.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "rate_per_dyno",
        kind: Kind::Number,
        preset: Preset::None("a simulation needs it"),
        doc: "Requests (or jobs) that one dyno completes per second when it never waits.",
    },
    Setting {
        name: "service_ms",
        kind: Kind::Number,
        preset: Preset::None("1000 / `rate_per_dyno`: one request at a time"),
        doc: "Milliseconds of work of one request, on average; with `rate_per_dyno` it tells how many a dyno works on at once.",
    },
    Setting {
        name: "boot_seconds",
        kind: Kind::Number,
        preset: Preset::Number(60.0),
        doc: "Seconds from the scale until a new dyno takes load.",
    },
    Setting {
        name: "signal",
        kind: Kind::OneOf(Signal::NAMES),
        preset: Preset::None("what the backend measures; custom, HTTP and command measurements need it"),
        doc: "What of the app the measurement is.",
    },
    Setting {
        name: "signals",
        kind: Kind::Map,
        preset: Preset::None("none"),
        doc: "Several signals by name, `#{ rate: \"arrival_rate\", busy: \"utilization\" }`: what is measured is such a map.",
    },
    Setting {
        name: "signal_window_seconds",
        kind: Kind::Number,
        preset: Preset::None("the measurement's interval"),
        doc: "Seconds over which a rate, a utilization or a concurrency is taken.",
    },
    Setting {
        name: "signal_delay_seconds",
        kind: Kind::Number,
        preset: Preset::Number(0.0),
        doc: "Seconds by which a measurement lags behind.",
    },
    Setting {
        name: "slo_wait_seconds",
        kind: Kind::Number,
        preset: Preset::Number(0.4),
        doc: "The objective: a request that waits longer is late.",
    },
    Setting {
        name: "slo_percent",
        kind: Kind::Number,
        preset: Preset::Number(5.0),
        doc: "The objective: demand is the fewest dynos at which so many percent of the requests are late.",
    },
    Setting {
        name: "app",
        kind: Kind::OneOf(&["web", "queue"]),
        preset: Preset::Text("web"),
        doc: "\"web\" turns requests away behind 10 s of backlog; \"queue\" keeps every job.",
    },
    Setting {
        name: "durations",
        kind: Kind::OneOf(&["constant", "exponential", "lognormal"]),
        preset: Preset::Text("exponential"),
        doc: "How the work of single requests or jobs varies, where they are simulated one by one.",
    },
    Setting {
        name: "dyno_price_per_month",
        kind: Kind::Number,
        preset: Preset::None("no money is reckoned"),
        doc: "The price of one dyno for a month of 730 hours.",
    },
];

/// What the app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// Requests that are turned away behind 10 s of backlog.
    Web,
    /// Jobs that wait as long as it takes.
    Queue,
}

/// How the work of single requests varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// All alike.
    Constant,
    /// Exponentially distributed.
    Exponential,
    /// Lognormally, with the deviation of the exponential one.
    Lognormal,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One number.
    One(Signal),
    /// A map of numbers.
    Several(Vec<(Arc<str>, Signal)>),
}

/// What was told of an app; `None` for what was not.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // Named as the settings, whose texts are in the table above.
pub struct Described {
    pub rate_per_dyno: Option<f64>,
    pub service_ms: Option<f64>,
    pub boot_seconds: Option<f64>,
    pub answer: Option<Answer>,
    pub signal_window_seconds: Option<f64>,
    pub signal_delay_seconds: Option<f64>,
    pub slo_wait_seconds: Option<f64>,
    pub slo_percent: Option<f64>,
    pub app: Option<AppKind>,
    pub durations: Option<Durations>,
    pub dyno_price_per_month: Option<f64>,
}

/// An app as it is simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What it is.
    pub app: AppKind,
    /// What one dyno can do.
    pub capacity: Capacity,
    /// Seconds of work of one request, on average.
    pub service: f64,
    /// How that varies.
    pub durations: Durations,
    /// Seconds that a dyno boots.
    pub boot: u64,
    /// The objective: seconds of waiting …
    pub objective: f64,
    /// … that at most this share of the requests (0 to 1) may exceed.
    pub share: f64,
    /// What is measured.
    pub answer: Answer,
    /// Seconds that a measurement looks at; the interval where it is not said.
    pub window: Option<u64>,
    /// Seconds by which it lags behind.
    pub delay: u64,
    /// The price of a dyno for a month.
    pub price: Option<f64>,
}

/// A number of seconds that was checked to be none below 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(seconds: f64) -> u64 {
    seconds.round() as u64
}

/// The longest window of a measurement and the longest lag, in seconds.
const LONGEST_WINDOW: f64 = 3_600.0;

/// The longest boot, in seconds.
const LONGEST_BOOT: f64 = 86_400.0;

/// The range of a number of the table.
fn range(name: &str) -> (f64, f64) {
    match name {
        "boot_seconds" => (0.0, LONGEST_BOOT),
        "signal_delay_seconds" => (0.0, LONGEST_WINDOW),
        "signal_window_seconds" => (1.0, LONGEST_WINDOW),
        "slo_percent" => (0.001, 99.0),
        "slo_wait_seconds" => (0.0, 86_400.0 * 7.0),
        "dyno_price_per_month" => (0.0, 1e6),
        // A rate or a duration: anything that can be reckoned with.
        _ => (1e-6, 1e6),
    }
}

/// Why `value` is none for the setting `name`, if it is not.
///
/// # Errors
/// The range it must lie in.
pub fn check(name: &str, value: f64) -> Result<f64, String> {
    let (least, most) = range(name);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(format!("`{name}` is {value}, and must be between {least} and {most}"))
}

impl Described {
    /// Reads `simulate: #{ … }`.
    #[must_use]
    pub fn read(node: &Node, report: &mut Report) -> Self {
        let mut fields = Fields::open("`simulate`", node, vec![SETTINGS], report);
        let mut number = |name: &str| {
            let written = fields.has(name);
            let value = fields.number(name).filter(|_| written)?;
            check(name, value).map_err(|said| fields.error(name, said, None)).ok()
        };
        let mut described = Self {
            rate_per_dyno: number("rate_per_dyno"),
            service_ms: number("service_ms"),
            boot_seconds: number("boot_seconds"),
            signal_window_seconds: number("signal_window_seconds"),
            signal_delay_seconds: number("signal_delay_seconds"),
            slo_wait_seconds: number("slo_wait_seconds"),
            slo_percent: number("slo_percent"),
            dyno_price_per_month: number("dyno_price_per_month"),
            ..Self::default()
        };
        if fields.has("app") {
            described.app = fields.word("app").and_then(AppKind::named);
        }
        if fields.has("durations") {
            described.durations = fields.word("durations").and_then(Durations::named);
        }
        let one = fields.word("signal").and_then(Signal::named).map(Answer::One);
        let several = several(&mut fields);
        if one.is_some() && several.is_some() {
            fields.error("signals", "`signal` and `signals` are both written", Some("write one of them".into()));
        }
        described.answer = several.or(one);
        described
    }

    /// As it is shown: with its defaults, `null` for what has none.
    #[must_use]
    pub fn shown(&self) -> Json {
        let mut shown = Map::new();
        let workers = self.rate_per_dyno.map(|rate| 1000.0 / rate);
        shown.insert("rate_per_dyno".into(), json!(self.rate_per_dyno));
        shown.insert("service_ms".into(), json!(self.service_ms.or(workers)));
        shown.insert("boot_seconds".into(), json!(self.boot_seconds.unwrap_or(60.0)));
        match &self.answer {
            None => {}
            Some(Answer::One(signal)) => drop(shown.insert("signal".into(), signal.name().into())),
            Some(Answer::Several(all)) => {
                let named = all.iter().map(|(name, signal)| (name.to_string(), Json::from(signal.name())));
                shown.insert("signals".into(), named.collect::<Map<_, _>>().into());
            }
        }
        shown.insert("signal_window_seconds".into(), json!(self.signal_window_seconds));
        shown.insert("signal_delay_seconds".into(), json!(self.signal_delay_seconds.unwrap_or(0.0)));
        shown.insert("slo_wait_seconds".into(), json!(self.slo_wait_seconds.unwrap_or(0.4)));
        shown.insert("slo_percent".into(), json!(self.slo_percent.unwrap_or(5.0)));
        shown.insert("app".into(), self.app.unwrap_or(AppKind::Web).name().into());
        shown.insert("durations".into(), self.durations.unwrap_or(Durations::Exponential).name().into());
        shown.insert("dyno_price_per_month".into(), json!(self.dyno_price_per_month));
        shown.into()
    }

    /// Seconds that a dyno boots, 60 where it is not said.
    #[must_use]
    pub fn boot(&self) -> u64 {
        whole(self.boot_seconds.unwrap_or(60.0))
    }

    /// What this says, and where it says nothing what `other` says.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            rate_per_dyno: self.rate_per_dyno.or(other.rate_per_dyno),
            service_ms: self.service_ms.or(other.service_ms),
            boot_seconds: self.boot_seconds.or(other.boot_seconds),
            answer: self.answer.or_else(|| other.answer.clone()),
            signal_window_seconds: self.signal_window_seconds.or(other.signal_window_seconds),
            signal_delay_seconds: self.signal_delay_seconds.or(other.signal_delay_seconds),
            slo_wait_seconds: self.slo_wait_seconds.or(other.slo_wait_seconds),
            slo_percent: self.slo_percent.or(other.slo_percent),
            app: self.app.or(other.app),
            durations: self.durations.or(other.durations),
            dyno_price_per_month: self.dyno_price_per_month.or(other.dyno_price_per_month),
        }
    }

    /// The app of `pipeline`, which is measured by `backend`.
    ///
    /// # Errors
    /// What is missing or cannot be.
    pub fn model(&self, pipeline: &str, backend: &str) -> Result<Model, String> {
        let rate_per_dyno = self.rate_per_dyno.ok_or_else(|| {
            format!(
                "how many requests per second one dyno of `{pipeline}` completes is not known: write \
                 `simulate: #{{ rate_per_dyno: … }}` into the pipeline, or `--rate-per-dyno`"
            )
        })?;
        let answer = self.answer.clone().or_else(|| Signal::of_backend(backend).map(Answer::One)).ok_or_else(|| {
            format!(
                "what `{pipeline}` measures is not known to a simulation: write `simulate: #{{ signal: \"…\" }}` into the \
                 pipeline, or `--signal`; there are {}",
                Signal::NAMES.join(", ")
            )
        })?;
        let service = self.service_ms.map_or(1.0 / rate_per_dyno, |ms| ms / 1000.0);
        let workers = (rate_per_dyno * service).round();
        if workers < 1.0 || (rate_per_dyno * service - workers).abs() > 0.01 * workers {
            return Err(format!(
                "`{pipeline}`: {rate_per_dyno} requests per second of {} ms each are {:.3} at once, and a dyno works on a \
                 whole number of them",
                service * 1000.0,
                rate_per_dyno * service
            ));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let workers = workers as u32;
        Ok(Model {
            app: self.app.unwrap_or(AppKind::Web),
            capacity: Capacity { rate_per_dyno, workers },
            service: f64::from(workers) / rate_per_dyno,
            durations: self.durations.unwrap_or(Durations::Exponential),
            boot: self.boot(),
            objective: self.slo_wait_seconds.unwrap_or(0.4),
            share: self.slo_percent.unwrap_or(5.0) / 100.0,
            answer,
            window: self.signal_window_seconds.map(whole),
            delay: whole(self.signal_delay_seconds.unwrap_or(0.0)),
            price: self.dyno_price_per_month,
        })
    }
}

impl AppKind {
    /// By the name that scripts give it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "web" => Some(Self::Web),
            "queue" => Some(Self::Queue),
            _ => None,
        }
    }

    /// As scripts name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Queue => "queue",
        }
    }
}

impl Durations {
    /// By the name that scripts give it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "constant" => Some(Self::Constant),
            "exponential" => Some(Self::Exponential),
            "lognormal" => Some(Self::Lognormal),
            _ => None,
        }
    }

    /// As scripts name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Lognormal => "lognormal",
        }
    }
}

/// The map of signals.
fn several(fields: &mut Fields<'_>) -> Option<Answer> {
    let node = fields.node("signals")?;
    let Value::Map(entries) = &node.value else {
        let message = format!("`signals` takes a map, not {}", node.describe());
        fields.error("signals", message, None);
        return None;
    };
    let mut signals = Vec::new();
    for (name, node) in entries {
        let known = match &node.value {
            Value::Text(text) => Signal::named(text),
            _ => None,
        };
        let Some(signal) = known else {
            let message = format!("`{name}` in `signals` is no signal: {}", node.describe());
            let near = match &node.value {
                Value::Text(text) => did_you_mean(text, Signal::NAMES.iter().copied()),
                _ => None,
            };
            let help = near.unwrap_or_else(|| format!("there are {}", Signal::NAMES.join(", ")));
            fields.report().error(node.place.as_ref(), message, Some(help));
            return None;
        };
        signals.push((Arc::clone(name), signal));
    }
    Some(Answer::Several(signals))
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::*;

    fn bar() -> Described {
        Described { rate_per_dyno: Some(10.0), answer: Some(Answer::One(Signal::Utilization)), ..Described::default() }
    }

    #[test]
    fn what_is_said_first_wins_and_the_rest_is_filled_in() {
        let flags = Described { boot_seconds: Some(300.0), ..Described::default() };
        let model = flags.or(&Described { boot_seconds: Some(5.0), ..bar() }).model("web", "custom").unwrap();
        assert_eq!((model.boot, model.capacity.workers, model.objective, model.share), (300, 1, 0.4, 0.05));
        assert_eq!(model.answer, Answer::One(Signal::Utilization));
        let eight = Described { service_ms: Some(800.0), ..bar() }.model("web", "custom").unwrap();
        assert_eq!((eight.capacity.workers, eight.service), (8, 0.8));
    }

    #[test]
    fn what_is_missing_or_impossible_is_said() {
        let said = |described: Described, backend| described.model("web", backend).unwrap_err();
        assert!(said(Described::default(), "custom").contains("rate_per_dyno"));
        assert!(said(Described { answer: None, ..bar() }, "custom").contains("signal"));
        assert!(Described { answer: None, ..bar() }.model("web", "ResponseTimeBackend").is_ok());
        assert!(said(Described { service_ms: Some(150.0), ..bar() }, "custom").contains("whole number"));
        assert!(check("slo_percent", 0.0).is_err() && check("rate_per_dyno", f64::NAN).is_err());
        assert!(check("boot_seconds", 0.0).is_ok() && check("boot_seconds", -1.0).is_err());
    }

    #[test]
    fn every_signal_has_its_name_in_the_table() {
        let names: Vec<&str> = Signal::NAMED.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Signal::NAMES);
    }
}
