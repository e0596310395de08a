//! Owns the reading of `limits` in `settings(#{ … })`: limits that several pipelines share.

use std::sync::Arc;

use crate::pipeline::limits::most_of_minima;
use crate::pipeline::{Limit, Member, PipelineSpec};
use crate::rules::{self, Rule};
use crate::settings::{Fields, Kind, Node, Preset, Report, Setting, Value, did_you_mean};

/// One limit.
pub static LIMIT: &[Setting] = &[
    Setting {
        name: "pipelines",
        kind: Kind::Texts,
        preset: Preset::Required,
        doc: "The names of the pipelines that share the limit.",
    },
    Setting { name: "max_dynos", kind: Kind::Whole, preset: Preset::Required, doc: "Dynos of all of them together." },
    Setting {
        name: "order",
        kind: Kind::Texts,
        preset: Preset::None("the order of `pipelines`"),
        doc: "Who is granted first: what the first ones want and do not have is left to them.",
    },
];

/// The pipelines of the script.
pub(super) struct Known<'a> {
    /// Their names as declared.
    pub names: &'a [Arc<str>],
    /// What precedes the names of a script folder's unit.
    pub unit: Option<&'a str>,
}

/// Reads `limits` in the settings of the whole script, and gives each of `specs` those it shares.
pub(super) fn limits(settings: Option<&Node>, known: &Known<'_>, specs: &mut [Arc<PipelineSpec>], report: &mut Report) {
    let Some(node) = settings.and_then(|settings| settings.entry("limits")) else { return };
    let items = match &node.value {
        Value::Unit | Value::Unset { .. } => return,
        Value::Array(items) => items,
        _ => {
            let message = format!("`limits` takes {}, not {}", Kind::Limits.expected(), node.describe());
            report.error(node.place.as_ref(), message, None);
            return;
        }
    };
    for item in items {
        let Some(limit) = limit(item, known, specs, report) else { continue };
        let limit = Arc::new(limit);
        for spec in &mut *specs {
            if limit.members.iter().any(|member| member.name == spec.name)
                && let Some(spec) = Arc::get_mut(spec)
            {
                spec.limits.push(Arc::clone(&limit));
            }
        }
    }
}

fn limit(node: &Node, known: &Known<'_>, specs: &[Arc<PipelineSpec>], report: &mut Report) -> Option<Limit> {
    let mut fields = Fields::open("a limit", node, vec![LIMIT], report);
    let max_dynos = fields.whole("max_dynos", 1..=100_000);
    let pipelines = fields.texts("pipelines")?;
    let order = fields.texts("order").unwrap_or_default();
    let mut sound = true;
    for (at, name) in pipelines.iter().enumerate() {
        if !known.names.contains(name) {
            sound = false;
            let help = did_you_mean(name, known.names.iter().map(|known| &**known));
            let message = format!("a limit names the pipeline `{name}`, which is not declared");
            say(&mut fields, &rules::LIMIT_OF_UNKNOWN_PIPELINE, "pipelines", message, help);
        } else if pipelines[..at].contains(name) {
            sound = false;
            fields.error("pipelines", format!("a limit names the pipeline `{name}` twice"), None);
        }
    }
    for name in order.iter().filter(|name| !pipelines.contains(name)) {
        sound = false;
        let help = did_you_mean(name, pipelines.iter().map(|known| &**known));
        let message = format!("`order` names `{name}`, which is not among the `pipelines` of the limit");
        say(&mut fields, &rules::LIMIT_OF_UNKNOWN_PIPELINE, "order", message, help);
    }
    let position = |name: &Arc<str>| order.iter().position(|known| known == name).unwrap_or(order.len());
    let mut sorted: Vec<&Arc<str>> = pipelines.iter().collect();
    // Those that `order` does not name come after it, as `pipelines` has them.
    sorted.sort_by_key(|name| position(name));
    let members = sorted.into_iter().map(|name| {
        let full = known.unit.map_or_else(|| name.to_string(), |unit| format!("{unit}/{name}"));
        let spec = specs.iter().find(|spec| *spec.name == *full)?;
        let decide = &spec.decide;
        let (min_dynos, max_dynos) = (decide.min_dynos.clone(), decide.max_dynos.clone());
        Some(Member { name: Arc::clone(&spec.name), min_dynos, max_dynos, zone: decide.zone })
    });
    // One with an error of its own has no bounds; the error is told.
    let members = members.collect::<Option<Vec<_>>>().filter(|_| sound)?;
    let limit = Limit { members, max_dynos: u32::try_from(max_dynos?).ok()? };
    let minima = most_of_minima(&limit.members);
    if minima > limit.max_dynos {
        let message = format!("a limit is {} dynos, and its pipelines need at least {minima}", limit.max_dynos);
        let help = Some("raise it, or lower `min_dynos` of a pipeline".into());
        say(&mut fields, &rules::LIMIT_BELOW_MINIMA, "max_dynos", message, help);
        return None;
    }
    Some(limit)
}

fn say(fields: &mut Fields<'_>, rule: &'static Rule, key: &str, message: String, help: Option<String>) {
    let place = fields.place(key);
    fields.report().say(rule, place.as_ref(), message, help);
}
