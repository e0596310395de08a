//! Owns what is measured against what is made of it: a scripted measurement whose answers are no numbers, under a
//! decision that reads a number.

use crate::decide::PolicyKind;
use crate::function::Answers;
use crate::measure::MeasureStage;
use crate::pipeline::PipelineSpec;
use crate::rules;
use crate::settings::{Report, did_you_mean};

/// Reports measurements of `spec` that its decisions can do nothing with.
pub(super) fn look(spec: &PipelineSpec, report: &mut Report) {
    for policy in &spec.decide.policies {
        let judged = policy.judges.and_then(|judged| spec.measure.get(judged));
        let Some(answers) = judged.and_then(answered) else { continue };
        let Answers { words, keys, place } = answers;
        let wrong = |who: &str| format!("`measure` answers {words}, and {who} a number");
        match &policy.kind {
            PolicyKind::Native(native) => {
                let name = native.backend();
                let help = "answer a number, or decide with a function that reads `m.data`".to_owned();
                report.say(&rules::WRONG_ANSWER, Some(&place), wrong(&format!("`{name}` judges")), help);
            }
            PolicyKind::Scripted(function) => {
                let outline = function.outline();
                if let Some(read) = &outline.reads_value {
                    let who = format!("`m.value` in line {} is", read.line);
                    let help = "answer a number, or read what is measured as `m.data`".to_owned();
                    report.say(&rules::WRONG_ANSWER, Some(&place), wrong(&who), help);
                }
                let Some(keys) = keys else { continue };
                for (key, place) in outline.keys.iter().filter(|(key, _)| !keys.contains(key)) {
                    let message = format!("`m.data` has no `{key}`");
                    let near = did_you_mean(key, keys.iter().map(String::as_str));
                    let all = || format!("`measure` answers a map with {}", list(&keys));
                    report.say(&rules::UNKNOWN_KEY, Some(place), message, near.unwrap_or_else(all));
                }
            }
        }
    }
    if let Some((answers, work)) = spec.guards.busy.as_ref().and_then(|work| Some((answered(&work.stage)?, work))) {
        let message = format!("`{}` answers {}, and must answer a number", work.stage.name, answers.words);
        report.say(&rules::WRONG_ANSWER, Some(&answers.place), message, "0 says that nothing is under way".to_owned());
    }
}

/// What the function of `stage` answers, where that is what is judged and is no number.
fn answered(stage: &MeasureStage) -> Option<Answers> {
    stage.backend.function().filter(|_| stage.map.is_empty())?.outline().answers
}

fn list(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    if keys.is_empty() { "no keys".to_owned() } else { keys.join(", ") }
}
