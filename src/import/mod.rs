//! Owns moving over from heroku-web-autoscale and autoscalebot: their settings, as Python, YAML or JSON, become a
//! script. Nothing of a file is executed, no credential of it is copied, and what cannot be translated is said.

mod encoding;
mod express;
mod flat;
mod json;
mod mail;
mod names;
mod notify_on;
mod plan;
mod python;
mod said;
mod sections;
mod value;
mod write;
mod yaml;

use std::sync::Arc;

use crate::settings::{Report, did_you_mean};

use express::{Secrets, quoted};
use mail::Mail;
use plan::Plan;
use said::Said;
use sections::Translator;
pub use value::At as Origin;
use value::{At, Entry, Node, Value, find};
pub use write::Script;

/// What a file of settings is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Python: a module with `AUTOSCALE_SETTINGS`, or the flat names.
    Python,
    /// YAML, as version 3 of autoscalebot had it.
    Yaml,
    /// The dictionary as JSON, or an object of the module's names.
    Json,
}

/// How it is to be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The script scales from the start; otherwise it is a dry run.
    pub live: bool,
    /// Mistakes that have one sure mend are mended.
    pub mend: bool,
    /// The worker runs under `manage.py autoscaler`, and mail goes out as Django sends it.
    pub django: bool,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// The script; none where there was an error.
    pub script: Option<Script>,
    /// What is said of the file.
    pub report: Report,
    /// The file as text, for showing lines of it.
    pub text: Arc<str>,
}

/// Imports the settings in `bytes`, a file that messages call `name`.
#[must_use]
pub fn import(bytes: &[u8], name: &Arc<str>, form: Form, options: Options) -> Imported {
    let mut said = Said::of(Arc::clone(name));
    let text = match encoding::decode(bytes) {
        Ok(decoded) => {
            if let Some(warning) = decoded.warning {
                said.warning(At { line: 1, column: 1 }, warning, "");
            }
            decoded.text
        }
        Err(error) => {
            said.error(At { line: error.line, column: error.column }, error.message, error.help);
            return Imported { script: None, report: said.report, text: "".into() };
        }
    };
    let names = match form {
        Form::Python => python::read(&text, options.mend, &mut said),
        Form::Yaml => yaml::read(&text, &mut said),
        Form::Json => json::read(&text, &mut said),
    };
    let text: Arc<str> = text.into();
    // Where the file could not be read that has been said.
    let readable = !said.report.has_errors() || !names.is_empty();
    let plan = readable.then(|| translate(&names, form, options, &mut said));
    let script =
        plan.flatten().filter(|_| !said.report.has_errors()).map(|plan| write::write(&plan, name, options.live));
    Imported { script, report: said.report, text }
}

fn translate(names: &[Entry], form: Form, options: Options, said: &mut Said) -> Option<Plan> {
    let pipelines = pipelines(names, form, said)?;
    let zone = zone(names, said);
    let mail = (!options.django).then(|| Mail::of(names));
    let mut translator = Translator { said, secrets: Secrets::default(), zone, mail };
    let mut plan = Plan::default();
    for entry in &pipelines {
        if plan.pipelines.iter().any(|known| known.name == entry.key) {
            // The last one counts, as in Python; that it is there twice has been said.
            plan.pipelines.retain(|known| known.name != entry.key);
        }
        plan.pipelines.extend(translator.pipeline(entry));
    }
    let leaks = plan.pipelines.iter().flat_map(|pipeline| {
        [&pipeline.measure, &pipeline.decide, &pipeline.scale].into_iter().chain(&pipeline.notify)
    });
    let leak = leaks.flat_map(|stage| &stage.settings).find(|setting| translator.secrets.are_in(&setting.text));
    if let Some(setting) = leak {
        let message = format!("`{}` holds a credential that stands elsewhere in the file", setting.name.to_uppercase());
        translator.said.error(setting.at, message, "take it out");
    }
    Some(plan)
}

/// The process types and their sections, in whichever form they are written.
fn pipelines(names: &[Entry], form: Form, said: &mut Said) -> Option<Vec<Entry>> {
    if let Some(settings) = find(names, "AUTOSCALE_SETTINGS") {
        return match &settings.value.value {
            Value::Map(entries) if entries.is_empty() => {
                said.error(
                    settings.at,
                    "`AUTOSCALE_SETTINGS` is empty",
                    "it has one entry per process type, such as 'web'",
                );
                None
            }
            Value::Map(entries) => {
                twice(entries, said);
                Some(entries.clone())
            }
            Value::Code(why) => {
                let help = "write the dictionary itself; nothing of the file is executed";
                said.error(settings.value.at, format!("`AUTOSCALE_SETTINGS` cannot be told: {why}"), help);
                None
            }
            _ => {
                let message = format!("`AUTOSCALE_SETTINGS` is {}, and must be a dictionary", settings.value.is());
                said.error(settings.value.at, message, "");
                None
            }
        };
    }
    if let Some(web) = flat::read(names, said) {
        return Some(vec![web]);
    }
    // YAML and JSON may be the dictionary itself.
    let is_pipeline = |entry: &&Entry| entry.value.entries().is_some();
    let found: Vec<Entry> = names.iter().filter(is_pipeline).cloned().collect();
    if form != Form::Python && !found.is_empty() {
        twice(&found, said);
        return Some(found);
    }
    if !said.report.has_errors() {
        let near = names.iter().find(|entry| did_you_mean(&entry.key, ["autoscale_settings"]).is_some());
        let help = match near {
            Some(entry) => format!("there is a `{}`: should that be it?", entry.key),
            None => "the file sets a dictionary of that name, or the names HEROKU_APP_NAME, HEROKU_API_KEY …".into(),
        };
        said.error(
            near.map_or(At { line: 1, column: 1 }, |entry| entry.at),
            "there is no `AUTOSCALE_SETTINGS` here",
            help,
        );
    }
    None
}

fn twice(entries: &[Entry], said: &mut Said) {
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|other| other.key == entry.key) {
            said.warning(entry.at, format!("`{}` is written twice: this one counts", entry.key), "");
        }
    }
}

/// The module's own TIME_ZONE, in the script's language.
fn zone(names: &[Entry], said: &mut Said) -> Option<(String, At)> {
    let entry = find(names, "TIME_ZONE")?;
    match &entry.value {
        Node { value: Value::Text(zone), .. } => Some((quoted(zone), entry.at)),
        Node { value: Value::Nothing, .. } => None,
        node => {
            let help = "write the zone as a text, such as 'America/Vancouver'; without it the worker's own counts";
            said.warning(node.at, format!("`TIME_ZONE` is {}: it is left out", node.is()), help);
            None
        }
    }
}
