//! Owns what is looked at once a pipeline is read: targets that two pipelines share, and warnings of
//! what cannot work as written.

use std::collections::HashMap;
use std::sync::Arc;

use super::stages::{place_of, written};
use crate::decide::{DynosByTime, Policy, PolicyKind};
use crate::measure::MeasureStage;
use crate::pipeline::PipelineSpec;
use crate::rules;
use crate::script::Declaration;
use crate::settings::{Node, Place, Report, Value};

/// The nodes that warnings point to.
pub(super) struct Written<'a> {
    pub decide: Option<&'a Node>,
    /// The policies, in their order.
    pub policies: &'a [&'a Node],
    pub notify: Option<&'a Node>,
    pub place: Option<&'a Place>,
}

/// Refuses a second live pipeline with the `target` of an earlier one; `earlier` are their names by target.
pub(super) fn same_target(
    spec: &PipelineSpec,
    target: Option<&str>,
    declaration: &Declaration,
    earlier: &HashMap<String, Arc<str>>,
    report: &mut Report,
) {
    let Some((target, first)) = target.and_then(|target| earlier.get_key_value(target)) else { return };
    // Two of one name are told already.
    if *first == spec.name {
        return;
    }
    let node = declaration.settings.entry("scale");
    let place = node.and_then(|node| node.place.as_ref()).or(declaration.place.as_ref());
    let message = format!("pipelines `{first}` and `{}` both scale {target}", spec.name);
    let help = "two would undo each other's work: give one another `process_type`, or write `mode: \"dry_run\"`";
    report.say(&rules::SHARED_TARGET, place, message, help.to_owned());
}

/// Warns of what cannot work.
pub(super) fn warn(spec: &PipelineSpec, at: &Written<'_>, report: &mut Report) {
    for (policy, node) in spec.decide.policies.iter().zip(at.policies) {
        let judged = policy.judges.and_then(|judged| spec.measure.get(judged));
        if let Some((PolicyKind::Native(native), stage)) = judged.map(|stage| (&policy.kind, stage)) {
            thresholds(&**native, stage, node, at.place, report);
        }
    }
    zero(spec, at, report);
    too_rapid(spec, at, report);
}

/// A time in milliseconds below this is more likely meant in seconds.
const SECONDS: f64 = 5.0;

fn thresholds(policy: &dyn Policy, stage: &MeasureStage, node: &Node, pipeline: Option<&Place>, report: &mut Report) {
    let (Some((min, max)), Some(unit)) = (policy.thresholds(), stage.unit()) else { return };
    let given = stage.backend.thresholds() != (None, None);
    let node = Some(node);
    let own = written(node, "min_measurement_value") || written(node, "max_measurement_value");
    let milliseconds = unit == "ms";
    let place = |key| place_of(node, key).or_else(|| pipeline.cloned());
    let default_place = place_of(node, "").or_else(|| pipeline.cloned());
    // The defaults of the average are meant for queues, those of the consecutive for milliseconds.
    let for_queues = policy.backend() == "AverageThresholdBackend";
    if !own && !given && for_queues == milliseconds {
        let message = format!("the default thresholds {min} and {max} are not meant for {unit}");
        let help = "write `min_measurement_value` and `max_measurement_value`";
        report.say(&rules::IDLE_THRESHOLD, default_place.as_ref(), message, help.to_owned());
        return;
    }
    if milliseconds && own && max > 0.0 && max < SECONDS {
        let message = format!("a maximum of {max} ms is shorter than any answer of an app takes");
        let help = format!("thresholds are in milliseconds: did you mean {}?", max * 1_000.0);
        report.say(&rules::DOUBTFUL_VALUE, place("max_measurement_value").as_ref(), message, help);
        return;
    }
    // Neither a time nor a number of tasks is ever negative, and no time is 0.
    if min < 0.0 || (milliseconds && min <= 0.0) {
        let message = format!("nothing is ever below {min} {unit}: this pipeline never scales down");
        report.say(&rules::IDLE_THRESHOLD, place("min_measurement_value").as_ref(), message, None);
    }
    if max < 0.0 {
        let message = format!("everything is above {max} {unit}: this pipeline always scales up");
        report.say(&rules::IDLE_THRESHOLD, place("max_measurement_value").as_ref(), message, None);
    }
}

fn zero(spec: &PipelineSpec, at: &Written<'_>, report: &mut Report) {
    let zero = |by_time: &DynosByTime| match by_time {
        DynosByTime::Always(dynos) => *dynos == 0,
        DynosByTime::Table(entries) => entries.iter().any(|entry| entry.dynos == 0),
    };
    // After an error the bound is a stand-in that nobody wrote.
    if zero(&spec.decide.min_dynos) && !spec.start_from_zero && !report.has_errors() {
        let message = "0 dynos count as switched off by a person: once there, this pipeline stays there";
        let place = place_of(at.decide, "min_dynos").or_else(|| at.place.cloned());
        let help = "write `start_from_zero: true` to let it leave 0".to_owned();
        report.say(&rules::ZERO_DYNOS, place.as_ref(), message, help);
    }
}

/// A count of scales that the interval and the wait leave no room for is never exceeded.
fn too_rapid(spec: &PipelineSpec, at: &Written<'_>, report: &mut Report) {
    let interval = spec.measure.iter().map(|stage| stage.interval).min().unwrap_or_default();
    let step = interval.max(spec.decide.wait).as_secs_f64();
    for flags in spec.notify.iter().filter_map(|stage| stage.flags).filter(|flags| flags.too_rapid) {
        let possible = (flags.too_rapid_period.as_secs_f64() / step).floor() + 1.0;
        if possible <= f64::from(flags.too_rapid_scales) {
            let minutes = flags.too_rapid_period.as_secs_f64() / 60.0;
            let message = format!(
                "scaling is never too rapid: {minutes} min have room for {possible} scales every {step} s, and more than {} are counted",
                flags.too_rapid_scales
            );
            let place = notify_place(at.notify).or(at.place);
            let help = "lower `notify_if_scaling_is_too_rapid_num_scales` or lengthen its period";
            report.say(&rules::NEVER_TOO_RAPID, place, message, help.to_owned());
        }
    }
}

/// The first place that says something of "too rapid", else that of the stage.
fn notify_place(node: Option<&Node>) -> Option<&Place> {
    fn rapid(node: &Node) -> Option<&Place> {
        match &node.value {
            Value::Array(items) => items.iter().find_map(rapid),
            Value::Stage(stage) => {
                let own = stage.settings.entry("notify_if_scaling_is_too_rapid").and_then(|entry| entry.place.as_ref());
                own.or_else(|| stage.arguments.iter().find_map(rapid))
            }
            _ => None,
        }
    }
    let node = node?;
    rapid(node).or(node.place.as_ref())
}
