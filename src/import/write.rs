//! Owns the script that settings become: its text, with comments, and for each line where it came from.

use std::fmt::Write as _;

use super::express::quoted;
use super::plan::{Call, Pipeline, Plan, Stage};
use super::value::At;
use crate::settings::StageKind;

/// A script and the places that its lines came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// For each line the place in the file that it was made from.
    pub origins: Vec<At>,
}

impl Script {
    fn line(&mut self, at: At, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.origins.push(at);
    }

    fn plain(&mut self, text: &str) {
        for line in text.lines() {
            self.line(At::default(), line);
        }
    }
}

/// The function of the script that stands for a class of the user's own.
#[must_use]
pub fn function_of(pipeline: &str, kind: StageKind) -> String {
    let word: String = pipeline.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let stage = kind.module();
    // A name begins with a letter.
    format!(
        "{}{}_{stage}",
        if word.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "p_" },
        word.to_lowercase()
    )
}

/// The script for `plan`, made from a file called `name`.
#[must_use]
pub fn write(plan: &Plan, name: &str, live: bool) -> Script {
    let mut script = Script::default();
    script.plain(&format!(
        "// Made from {} by `autoscaler import`. It is yours now: change it as you like.",
        shown(name)
    ));
    script.plain(
        "//\n\
         //     autoscaler check FILE    every setting with its default filled in\n\
         //     autoscaler once FILE     one measurement and what would be done, without doing it\n\
         //     autoscaler FILE          run; save this file, and it follows at once",
    );
    let needs = needs(plan);
    if !needs.is_empty() {
        script.plain(&format!("//\n// Set in the environment of the worker: {}.", needs.join(", ")));
    }
    if !live {
        script.plain(
            "\n// A dry run: it measures, decides and tells, and scales nothing. To go live, take this line out.\n\
             settings(#{ mode: \"dry_run\" });",
        );
    }
    let apps = apps(plan);
    if !apps.is_empty() {
        script.line(At::default(), "");
    }
    for (name, key, text) in &apps {
        script.line(*key, &format!("let {name} = {text};"));
    }
    let mut stubs = Vec::new();
    for pipeline in &plan.pipelines {
        script.line(At::default(), "");
        write_pipeline(&mut script, pipeline, &apps, &mut stubs);
    }
    if !stubs.is_empty() {
        script.plain("\n// --- To be written: classes of your own, which are not translated ---");
    }
    for stub in stubs {
        script.plain(&format!("\n{stub}"));
    }
    script
}

/// The file's name without its folders: what a reader of the script knows it by.
fn shown(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.chars().filter(|c| !c.is_control()).collect()
}

/// The variables that the script reads.
fn needs(plan: &Plan) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    for pipeline in &plan.pipelines {
        let stages = [&pipeline.measure, &pipeline.decide, &pipeline.scale].into_iter().chain(&pipeline.notify);
        for stage in stages {
            let settings = stage.settings.iter().map(|setting| &*setting.text);
            let implied =
                matches!(stage.call, Call::Native("celery_redis_queue_size")) && stage.setting("redis_url").is_none();
            for text in settings.chain(implied.then_some("env::secret(\"REDIS_URL\")")) {
                for call in ["env::secret(\"", "env::get(\""] {
                    needs.extend(text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
                }
            }
        }
    }
    needs.sort();
    needs.dedup();
    needs
}

/// The apps that are scaled, each once: its variable, where it stands, its map.
fn apps(plan: &Plan) -> Vec<(String, At, String)> {
    let mut apps: Vec<(String, At, String)> = Vec::new();
    for pipeline in &plan.pipelines {
        if pipeline.scale.call != Call::Native("heroku") {
            continue;
        }
        let text = app_of(&pipeline.scale);
        if !apps.iter().any(|(_, _, known)| *known == text) {
            let name = if apps.is_empty() { "app".into() } else { format!("app_{}", apps.len() + 1) };
            apps.push((name, pipeline.scale.at, text));
        }
    }
    apps
}

fn app_of(scale: &Stage) -> String {
    let pairs = scale.settings.iter().filter(|setting| setting.name != "process_type");
    let pairs: Vec<String> = pairs.map(|setting| format!("{}: {}", setting.name, setting.text)).collect();
    format!("#{{ {} }}", pairs.join(", "))
}

fn write_pipeline(script: &mut Script, pipeline: &Pipeline, apps: &[(String, At, String)], stubs: &mut Vec<String>) {
    let name = &pipeline.name;
    script.plain(&format!("// The name of a pipeline is the process type that it scales: {}.", shown(name)));
    script.line(pipeline.at, &format!("pipeline({}, #{{", quoted(name)));
    script.plain(&format!("    // {}", of_class(&pipeline.measure)));
    stage(script, "measure: ", &pipeline.measure, name, 4, stubs);
    script.plain(&format!("\n    // {}", of_class(&pipeline.decide)));
    stage(script, "decide: ", &pipeline.decide, name, 4, stubs);
    script.line(At::default(), "");
    let scale = &pipeline.scale;
    match &scale.call {
        Call::Native(_) => {
            let text = app_of(scale);
            let app = apps.iter().find(|(_, _, known)| *known == text).map_or("app", |(name, ..)| name);
            let own = scale.setting("process_type").map(|setting| format!(" + #{{ process_type: {} }}", setting.text));
            script.line(scale.at, &format!("    scale: scale::heroku({app}{}),", own.unwrap_or_default()));
        }
        Call::Stub { settings } => {
            let function = function_of(name, StageKind::Scale);
            script.line(scale.at, &format!("    scale: #{{ current: {function}_current, scale_to: {function}_to }},"));
            push(stubs, stub(scale, name, settings));
        }
    }
    if !pipeline.notify.is_empty() {
        script.plain("\n    notify: [");
        for told in &pipeline.notify {
            stage(script, "", told, name, 8, stubs);
        }
        script.plain("    ],");
    }
    script.plain("});");
}

/// What a reader of the old settings knows a stage by.
fn of_class(stage: &Stage) -> String {
    let class = shown(stage.backend.rsplit('.').next().unwrap_or(&stage.backend));
    match stage.call {
        Call::Native(_) => format!("There: {class}."),
        Call::Stub { .. } => format!("There: {class}, a class of your own; see its function below."),
    }
}

/// One stage that is a call with settings.
fn stage(script: &mut Script, head: &str, stage: &Stage, pipeline: &str, indent: usize, stubs: &mut Vec<String>) {
    let pad = " ".repeat(indent);
    let module = stage.kind.module();
    let (function, behind) = match &stage.call {
        Call::Native(function) => ((*function).to_owned(), String::new()),
        Call::Stub { settings } => {
            push(stubs, stub(stage, pipeline, settings));
            ("custom".to_owned(), format!(", {}", function_of(pipeline, stage.kind)))
        }
    };
    if stage.settings.is_empty() {
        let none = if behind.is_empty() { "" } else { "#{}" };
        script.line(stage.at, &format!("{pad}{head}{module}::{function}({none}{behind}),"));
        return;
    }
    script.line(stage.at, &format!("{pad}{head}{module}::{function}(#{{"));
    for setting in &stage.settings {
        script.line(setting.at, &format!("{pad}    {}: {},", setting.name, setting.text));
    }
    script.line(stage.at, &format!("{pad}}}{behind}),"));
}

/// Each function once: several notifications of a pipeline may be classes of the user's own.
fn push(stubs: &mut Vec<String>, stub: String) {
    if !stubs.contains(&stub) {
        stubs.push(stub);
    }
}

/// The function that is to be written in place of a class.
fn stub(stage: &Stage, pipeline: &str, settings: &[String]) -> String {
    let (function, class) = (function_of(pipeline, stage.kind), shown(&stage.backend));
    let said = quoted(&format!("not translated yet: {class}"));
    let mut text = format!("// NOT TRANSLATED: {class}");
    if !settings.is_empty() {
        let names: Vec<String> = settings.iter().map(|name| shown(name)).collect();
        let _ = write!(text, ", whose settings were {}", names.join(", "));
    }
    text.push_str(".\n");
    let function = match stage.kind {
        StageKind::Measure => format!(
            "// Answers a number; as long as it fails, nothing is scaled.\n\
             fn {function}() {{\n    measure::failed({said})\n}}"
        ),
        StageKind::Decide => format!(
            "// Answers up(n), down(n), to(n) or hold(\"why\"), by m.value, m.history, m.dynos …\n\
             fn {function}(m) {{\n    hold({said})\n}}"
        ),
        StageKind::Scale => format!(
            "// Answers how many run; as long as it throws, nothing is scaled.\n\
             fn {function}_current() {{\n    throw {said}\n}}\n\n\
             // Makes it n.\n\
             fn {function}_to(n) {{\n    throw {said}\n}}"
        ),
        StageKind::Notify => format!(
            "// Tells of event.kind, event.message …\n\
             fn {function}(event) {{\n    log::warn({said} + \": \" + event.message)\n}}"
        ),
    };
    text.push_str(&function);
    text
}
