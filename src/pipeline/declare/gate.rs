//! Owns the reading of `gate` in `settings(#{ … })`: the simulation that a saved script must pass. Whether the trace
//! is there is for whoever knows the script's folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::PipelineSpec;
use crate::settings::{Fields, Kind, Node, Place, Preset, Report, Setting, Value, did_you_mean};
use crate::simulate::PREFIX;

/// A gate takes no longer: whoever saves waits for it.
const MOST_SECONDS: f64 = 30.0;

/// The settings of `gate`.
pub static GATE: &[Setting] = &[
    Setting {
        name: "trace",
        kind: Kind::Text,
        preset: Preset::Required,
        doc: "The load: a file as `autoscaler simulate` takes it, relative to the script's folder, or \"synthetic:…\".",
    },
    Setting {
        name: "max_late_percent",
        kind: Kind::Number,
        preset: Preset::None("not looked at; one of the two must be written"),
        doc: "At most so many percent of the requests may be late.",
    },
    Setting {
        name: "max_cost_ratio",
        kind: Kind::Number,
        preset: Preset::None("not looked at; one of the two must be written"),
        doc: "The dynos may cost at most so many times what an oracle would have needed.",
    },
    Setting {
        name: "pipeline",
        kind: Kind::Text,
        preset: Preset::None("every pipeline with `simulate`"),
        doc: "The pipeline that must pass.",
    },
    Setting {
        name: "max_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(MOST_SECONDS),
        doc: "A script that is not through within this time, 30 s at most, does not go live.",
    },
];

/// What a saved script must pass before it goes live.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The load, as written.
    pub trace: Arc<str>,
    /// Where that is written.
    pub place: Option<Place>,
    /// Percent of the requests that may be late.
    pub max_late_percent: Option<f64>,
    /// Times the cost of an oracle.
    pub max_cost_ratio: Option<f64>,
    /// The pipelines that must pass, by their full names.
    pub pipelines: Vec<Arc<str>>,
    /// How long it may take.
    pub limit: Duration,
}

impl Gate {
    /// The file of the trace, for a script in `folder`; none where the load is made up.
    #[must_use]
    pub fn file(&self, folder: &Path) -> Option<PathBuf> {
        (!self.trace.starts_with(PREFIX)).then(|| folder.join(&*self.trace))
    }
}

/// Reads `gate` in the settings of the whole script, which has `specs`.
pub(super) fn read(
    settings: Option<&Node>,
    specs: &[Arc<PipelineSpec>],
    unit: Option<&str>,
    report: &mut Report,
) -> Option<Gate> {
    let node = settings?.entry("gate").filter(|node| !matches!(node.value, Value::Unit))?;
    let mut fields = Fields::open("`gate`", node, vec![GATE], report);
    let mut most = |name: &str| {
        let value = fields.number(name)?;
        if value < 0.0 {
            fields.error(name, format!("`{name}` is {value}, and must not be negative"), None);
        }
        Some(value)
    };
    let (max_late_percent, max_cost_ratio) = (most("max_late_percent"), most("max_cost_ratio"));
    if !fields.has("max_late_percent") && !fields.has("max_cost_ratio") {
        let help = "write `max_late_percent: 1.0`, `max_cost_ratio: 1.3` or both".to_owned();
        fields.error("trace", "`gate` asks for nothing", Some(help));
    }
    let own = |spec: &PipelineSpec| match unit {
        Some(unit) => spec.name.strip_prefix(&format!("{unit}/")).unwrap_or(&spec.name).to_owned(),
        None => spec.name.to_string(),
    };
    let named = fields.text("pipeline");
    let meant: Vec<&Arc<PipelineSpec>> = match &named {
        Some(name) => specs.iter().filter(|spec| own(spec) == **name).collect(),
        None => specs.iter().filter(|spec| spec.simulate.is_some()).collect(),
    };
    match &named {
        // One with an error of its own is no spec: that is told already.
        _ if specs.is_empty() => {}
        Some(name) if meant.is_empty() => {
            let names: Vec<String> = specs.iter().map(|spec| own(spec)).collect();
            let help = did_you_mean(name, names.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| format!("there are {}", names.join(", ")));
            fields.error("pipeline", format!("`gate` names the pipeline `{name}`, and there is none"), Some(help));
        }
        _ if meant.is_empty() => {
            let help = "write `simulate: #{ rate_per_dyno: 10, signal: \"…\" }` into the pipeline".to_owned();
            fields.error("trace", "`gate` simulates, and no pipeline says what its app is", Some(help));
        }
        _ => {}
    }
    for spec in &meant {
        let described = spec.simulate.as_deref().cloned().unwrap_or_default();
        let backend = spec.measure.first().map_or("custom", |stage| stage.backend.backend());
        if let Err(said) = described.model(&own(spec), backend) {
            fields.error("trace", format!("`gate` cannot be simulated: {said}"), None);
        }
    }
    let most = Duration::from_secs_f64(MOST_SECONDS);
    let limit = fields.seconds("max_seconds").unwrap_or(most);
    if limit > most {
        fields.error("max_seconds", format!("`max_seconds` must not be more than {MOST_SECONDS}"), None);
    }
    let (place, pipelines) = (fields.place("trace"), meant.iter().map(|spec| Arc::clone(&spec.name)).collect());
    Some(Gate { trace: fields.text("trace")?, place, max_late_percent, max_cost_ratio, pipelines, limit })
}
