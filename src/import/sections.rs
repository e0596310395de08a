//! Owns what the documented dictionary means: sections, backends and settings as the stages of pipelines. What
//! cannot be translated is said, and stands in the script as a function that is still to be written.

use super::express::{self, Secrets};
use super::mail::Mail;
use super::names::{self, Backend, Meaning, STAGES, section};
use super::notify_on;
use super::plan::{Call, Pipeline, Setting, Stage};
use super::said::Said;
use super::value::{At, Entry, Node, Value, find};
use crate::settings::StageKind;

/// Translates the pipelines of one file.
pub struct Translator<'a> {
    /// What is said of them.
    pub said: &'a mut Said,
    /// The credentials that were met.
    pub secrets: Secrets,
    /// The module's own TIME_ZONE, in the script's language.
    pub zone: Option<(String, At)>,
    /// What the module says of mail; `None`: Django mails itself.
    pub mail: Option<Mail>,
}

/// Settings that stand in one section and belong into another.
type Moved<'a> = Vec<&'a Entry>;

impl Translator<'_> {
    /// The pipeline that `entry` declares.
    pub fn pipeline(&mut self, entry: &Entry) -> Option<Pipeline> {
        let name = &entry.key;
        let sections = self.entries(&entry.value, &format!("`{name}`"))?;
        self.strangers(name, sections);
        let mut moved = Vec::new();
        let measure = self.section(StageKind::Measure, entry, sections, &mut moved);
        let mut decide = self.section(StageKind::Decide, entry, sections, &mut Vec::new());
        let scale = self.section(StageKind::Scale, entry, sections, &mut Vec::new());
        let notify = self.notification(entry, sections);
        if let Some(decide) = &mut decide {
            self.take_moved(name, decide, &moved);
            self.zone(decide);
        }
        let mut scale = scale?;
        scale.settings.retain(|setting| setting.name != "process_type" || setting.text != express::quoted(name));
        let pipeline = Pipeline { name: name.clone(), at: entry.at, measure: measure?, decide: decide?, scale, notify };
        self.shadowed_thresholds(&pipeline);
        Some(pipeline)
    }

    /// The entries of a dictionary; anything else is said.
    fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    if entries[..index].iter().any(|other| other.key == entry.key) {
                        self.said.warning(entry.at, format!("`{}` is written twice: this one counts", entry.key), "");
                    }
                }
                Some(entries)
            }
            Value::Code(why) => {
                let help = "write the dictionary itself, or a constant set above";
                self.said.error(node.at, format!("{what} cannot be told: {why}"), help);
                None
            }
            _ => {
                self.said.error(node.at, format!("{what} is {}, and must be a dictionary", node.is()), "");
                None
            }
        }
    }

    /// Keys that are no section.
    fn strangers(&mut self, name: &str, sections: &[Entry]) {
        for entry in sections {
            if !STAGES.into_iter().any(|kind| section(kind).eq_ignore_ascii_case(&entry.key)) {
                let help = names::did_you_mean(&entry.key, STAGES.map(section))
                    .unwrap_or_else(|| "a process type has MEASUREMENT, DECISION, SCALING and NOTIFICATION".into());
                self.said.warning(
                    entry.at,
                    format!("`{name}` has an unknown section `{}`: it is left out", entry.key),
                    help,
                );
            }
        }
    }

    fn section<'n>(
        &mut self,
        kind: StageKind,
        pipeline: &Entry,
        sections: &'n [Entry],
        moved: &mut Moved<'n>,
    ) -> Option<Stage> {
        let title = section(kind);
        let Some(entry) = find(sections, title) else {
            if kind == StageKind::Decide {
                let message =
                    format!("`{}` has no {title}: ConsecutiveThresholdBackend with its defaults counts", pipeline.key);
                self.said.warning(pipeline.at, message, "");
                return self.stage(kind, &pipeline.key, "ConsecutiveThresholdBackend", pipeline.at, &[], moved);
            }
            let help = format!("add `'{title}': {{'BACKEND': '…', 'SETTINGS': {{…}}}}`");
            self.said.error(pipeline.at, format!("`{}` has no {title}", pipeline.key), help);
            return None;
        };
        let entries = self.entries(&entry.value, &format!("{title} of `{}`", pipeline.key))?;
        let Some(backend) = find(entries, "BACKEND") else {
            let help = format!("add its class, such as 'heroku_web_autoscale.backends.{}'", example(kind));
            self.said.error(entry.at, format!("{title} of `{}` has no BACKEND", pipeline.key), help);
            return None;
        };
        let backend_at = backend.value.at;
        let class = self.class(&backend.value, &format!("BACKEND in {title} of `{}`", pipeline.key))?;
        let settings = self.settings(entries, &["BACKEND"], &format!("{title} of `{}`", pipeline.key));
        self.stage(kind, &pipeline.key, &class, backend_at, &settings, moved)
    }

    /// The settings of a section: its SETTINGS, or what stands beside its BACKEND, as in version 3.
    fn settings<'n>(&mut self, entries: &'n [Entry], but: &[&str], what: &str) -> Vec<&'n Entry> {
        let Some(settings) = find(entries, "SETTINGS") else {
            return entries.iter().filter(|entry| !but.iter().any(|key| entry.key.eq_ignore_ascii_case(key))).collect();
        };
        for entry in entries {
            let known =
                entry.key.eq_ignore_ascii_case("SETTINGS") || but.iter().any(|key| entry.key.eq_ignore_ascii_case(key));
            if !known {
                let message = format!("`{}` stands beside SETTINGS in {what}: it is left out", entry.key);
                self.said.warning(entry.at, message, "put it into SETTINGS");
            }
        }
        if settings.value.value == Value::Nothing {
            return Vec::new();
        }
        self.entries(&settings.value, &format!("SETTINGS in {what}")).unwrap_or_default().iter().collect()
    }

    fn class(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(class) => Some(class.trim().to_owned()),
            Value::Code(why) => {
                self.said.error(node.at, format!("{what} cannot be told: {why}"), "write the class as a text");
                None
            }
            _ => {
                self.said.error(node.at, format!("{what} is {}, and must be the name of a class", node.is()), "");
                None
            }
        }
    }

    /// The stage that `class` with `settings` is.
    fn stage<'n>(
        &mut self,
        kind: StageKind,
        pipeline: &str,
        class: &str,
        at: At,
        settings: &[&'n Entry],
        moved: &mut Moved<'n>,
    ) -> Option<Stage> {
        match names::meaning(kind, class) {
            Meaning::Known(backend) => {
                let written = self.native(backend, pipeline, settings, moved);
                let mut stage = Stage {
                    kind,
                    backend: class.to_owned(),
                    call: Call::Native(backend.function),
                    at,
                    settings: written,
                };
                self.complete(&mut stage, backend, pipeline);
                Some(stage)
            }
            Meaning::Own => Some(self.stub(kind, pipeline, class, at, settings)),
            Meaning::Unknown => {
                self.unknown(kind, pipeline, class, at);
                None
            }
        }
    }

    fn unknown(&mut self, kind: StageKind, pipeline: &str, class: &str, at: At) {
        let (title, last) = (section(kind), class.rsplit('.').next().unwrap_or(class));
        if let Some(other) = names::stage_of(class) {
            let message = format!("`{last}` is a backend of {}, not of {title} (in `{pipeline}`)", section(other));
            self.said.error(at, message, "");
            return;
        }
        let all: Vec<&str> = names::backends(kind).iter().map(|backend| backend.documented).collect();
        let near = all.iter().map(|name| (strsim::jaro_winkler(&last.to_lowercase(), &name.to_lowercase()), *name));
        let near = near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
        let help = match near {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None => format!("{title} has {}; a class of your own is named by its whole path", all.join(", ")),
        };
        self.said.error(at, format!("`{pipeline}` names an unknown backend `{class}`"), help);
    }

    /// The settings of one of our backends.
    fn native<'n>(
        &mut self,
        backend: Backend,
        pipeline: &str,
        settings: &[&'n Entry],
        moved: &mut Moved<'n>,
    ) -> Vec<Setting> {
        let mut written: Vec<Setting> = Vec::new();
        for entry in settings {
            if backend.kind == StageKind::Notify && entry.key.eq_ignore_ascii_case("NOTIFY_ON") {
                notify_on::flags(&entry.value, self.said, &mut written);
                continue;
            }
            let Some(known) = backend.setting(&entry.key) else {
                let of_decision = names::common_setting(StageKind::Decide, &entry.key).is_some()
                    || names::documented(StageKind::Decide, "ConsecutiveThresholdBackend")
                        .is_some_and(|decide| decide.setting(&entry.key).is_some());
                if backend.kind == StageKind::Measure && of_decision {
                    moved.push(entry);
                } else {
                    self.leftover(backend, pipeline, entry);
                }
                continue;
            };
            let path = format!("`{}` of `{pipeline}`", entry.key);
            if let Some(text) = express::setting(known, &entry.value, &path, &mut self.secrets, self.said) {
                set(&mut written, Setting { name: known.name, text, at: entry.at });
            }
        }
        written
    }

    fn leftover(&mut self, backend: Backend, pipeline: &str, entry: &Entry) {
        let message =
            format!("`{}` of `{pipeline}` is no setting of {}: it is left out", entry.key, backend.documented);
        let near = names::did_you_mean(&entry.key, backend.settings().map(|setting| setting.name));
        self.said.warning(entry.at, message, near.unwrap_or_default());
    }

    /// Puts in what a backend needs and the dictionary leaves out.
    fn complete(&mut self, stage: &mut Stage, backend: Backend, pipeline: &str) {
        match backend.documented {
            "HerokuBackend" => {
                if stage.setting("app_name").is_none() {
                    let message = format!("SCALING of `{pipeline}` has no APP_NAME");
                    self.said.error(stage.at, message, "add `'APP_NAME': '…'`, the name as in `heroku apps`");
                }
                if stage.setting("api_key").is_none() {
                    let message =
                        format!("SCALING of `{pipeline}` has no API_KEY: the variable HEROKU_API_KEY is read");
                    self.said.warning(stage.at, message, "set HEROKU_API_KEY where the worker runs");
                    let text = "env::secret(\"HEROKU_API_KEY\")".into();
                    stage.settings.push(Setting { name: "api_key", text, at: stage.at });
                }
            }
            "DjangoEmailBackend" => match &mut self.mail {
                None => stage.call = Call::Native(names::DJANGO_EMAIL),
                Some(mail) => {
                    for setting in mail.settings(stage.at, self.said).into_iter().rev() {
                        if stage.setting(setting.name).is_none() {
                            stage.settings.insert(0, setting);
                        }
                    }
                }
            },
            _ => {}
        }
    }

    /// A class of the user's own.
    fn stub(&mut self, kind: StageKind, pipeline: &str, class: &str, at: At, settings: &[&Entry]) -> Stage {
        let (mut written, mut own) = (Vec::new(), Vec::new());
        for entry in settings {
            if kind == StageKind::Notify && entry.key.eq_ignore_ascii_case("NOTIFY_ON") {
                notify_on::flags(&entry.value, self.said, &mut written);
                continue;
            }
            let path = format!("`{}` of `{pipeline}`", entry.key);
            match names::common_setting(kind, &entry.key) {
                Some(known) => {
                    if let Some(text) = express::setting(known, &entry.value, &path, &mut self.secrets, self.said) {
                        set(&mut written, Setting { name: known.name, text, at: entry.at });
                    }
                }
                None => own.push(entry.key.clone()),
            }
        }
        let message = format!(
            "`{class}` is a class of your own, which is not translated: the script has a function to be written in its place"
        );
        let help = format!(
            "write `{}` in the script; until then {}",
            super::write::function_of(pipeline, kind),
            meanwhile(kind)
        );
        self.said.warning(at, message, help);
        Stage { kind, backend: class.to_owned(), call: Call::Stub { settings: own }, at, settings: written }
    }

    fn notification(&mut self, pipeline: &Entry, sections: &[Entry]) -> Vec<Stage> {
        let title = section(StageKind::Notify);
        let Some(entry) = find(sections, title) else { return Vec::new() };
        let what = format!("{title} of `{}`", pipeline.key);
        // Version 3: a list of backends, each with its own settings.
        if let Value::List(backends) = &entry.value.value {
            return backends.iter().filter_map(|backend| self.one_notified(pipeline, backend, &what)).collect();
        }
        let Some(entries) = self.entries(&entry.value, &what) else { return Vec::new() };
        if find(entries, "BACKENDS").is_none() && find(entries, "BACKEND").is_some() {
            return self.one_notified(pipeline, &entry.value, &what).into_iter().collect();
        }
        let Some(backends) = find(entries, "BACKENDS") else {
            self.said.error(
                entry.at,
                format!("{what} has no BACKENDS"),
                "add `'BACKENDS': ['…']`, or take the section out",
            );
            return Vec::new();
        };
        // One SETTINGS for all of them.
        let settings = self.settings(entries, &["BACKENDS"], &what);
        let one = std::slice::from_ref(&backends.value);
        let classes = match &backends.value.value {
            Value::List(classes) => &classes[..],
            Value::Text(_) => one,
            Value::Code(why) => {
                let help = "write the list itself, or a constant set above";
                self.said.error(backends.value.at, format!("BACKENDS in {what} cannot be told: {why}"), help);
                return Vec::new();
            }
            _ => {
                let message = format!("BACKENDS in {what} is {}, and must be a list of classes", backends.value.is());
                self.said.error(backends.value.at, message, "");
                return Vec::new();
            }
        };
        let mut stages = Vec::new();
        for node in classes {
            let Some(class) = self.class(node, &format!("a backend in {what}")) else { continue };
            stages.extend(self.stage(StageKind::Notify, &pipeline.key, &class, node.at, &settings, &mut Vec::new()));
        }
        stages
    }

    fn one_notified(&mut self, pipeline: &Entry, node: &Node, what: &str) -> Option<Stage> {
        if let Value::Text(class) = &node.value {
            return self.stage(StageKind::Notify, &pipeline.key, class, node.at, &[], &mut Vec::new());
        }
        let entries = self.entries(node, &format!("a backend in {what}"))?;
        let Some(backend) = find(entries, "BACKEND") else {
            self.said.error(node.at, format!("a backend in {what} has no BACKEND"), "");
            return None;
        };
        let class = self.class(&backend.value, &format!("BACKEND in {what}"))?;
        let settings = self.settings(entries, &["BACKEND"], what);
        self.stage(StageKind::Notify, &pipeline.key, &class, backend.value.at, &settings, &mut Vec::new())
    }

    /// Settings of the decision that stood among those of the measurement.
    fn take_moved(&mut self, pipeline: &str, decide: &mut Stage, moved: &[&Entry]) {
        let own = match decide.call {
            Call::Native(_) => match names::meaning(StageKind::Decide, &decide.backend) {
                Meaning::Known(backend) => Some(backend),
                _ => None,
            },
            Call::Stub { .. } => None,
        };
        for entry in moved {
            let known = match own {
                Some(backend) => backend.setting(&entry.key),
                None => names::common_setting(StageKind::Decide, &entry.key),
            };
            let Some(known) = known else {
                let message =
                    format!("`{}` of `{pipeline}` is no setting of its measurement: it is left out", entry.key);
                self.said.warning(entry.at, message, "");
                continue;
            };
            if decide.setting(known.name).is_some() {
                let message = format!(
                    "`{}` of `{pipeline}` stands in MEASUREMENT and in DECISION: that of DECISION counts",
                    entry.key
                );
                self.said.warning(entry.at, message, "");
                continue;
            }
            let path = format!("`{}` of `{pipeline}`", entry.key);
            if let Some(text) = express::setting(known, &entry.value, &path, &mut self.secrets, self.said) {
                set(&mut decide.settings, Setting { name: known.name, text, at: entry.at });
            }
        }
    }

    fn zone(&self, decide: &mut Stage) {
        if let Some((text, at)) = &self.zone
            && decide.setting("time_zone").is_none()
        {
            decide.settings.push(Setting { name: "time_zone", text: text.clone(), at: *at });
        }
    }

    /// Thresholds on both sides: the decision's count, here as there.
    fn shadowed_thresholds(&mut self, pipeline: &Pipeline) {
        for (there, here) in [("min_time_ms", "min_measurement_value"), ("max_time_ms", "max_measurement_value")] {
            if let (Some(setting), Some(_)) = (pipeline.measure.setting(there), pipeline.decide.setting(here)) {
                let message = format!(
                    "`{}` of `{}` does not count: its DECISION has {}",
                    there.to_uppercase(),
                    pipeline.name,
                    here.to_uppercase()
                );
                self.said.warning(setting.at, message, "");
            }
        }
    }
}

/// Writes `setting`, over one of the same name.
pub fn set(written: &mut Vec<Setting>, setting: Setting) {
    written.retain(|other| other.name != setting.name);
    written.push(setting);
}

fn example(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Measure => "measurement.ResponseTimeBackend",
        StageKind::Decide => "decision.ConsecutiveThresholdBackend",
        StageKind::Scale => "scaling.HerokuBackend",
        StageKind::Notify => "notification.ConsoleBackend",
    }
}

/// What happens as long as a function is not written.
fn meanwhile(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Measure => "every measurement fails, and nothing is scaled",
        StageKind::Decide => "every decision is to hold",
        StageKind::Scale => "the dynos cannot be counted, and nothing is scaled",
        StageKind::Notify => "it writes to the log",
    }
}
