//! Owns the typed reading of one settings map: every getter gives a Rust value or the default of the
//! table, and reports what is wrong with file, line and column of the key. It stops at nothing: all
//! errors of a map are found in one pass.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::node::in_short;
use super::{Kind, Node, Place, Preset, Report, Setting, Value, did_you_mean, foreign};
use crate::function::Function;
use crate::rules::{self, Rule};
use crate::secret::Secret;

/// The longest duration a setting may have (a year): longer ones are slips of a unit.
const LONGEST_SECONDS: f64 = 366.0 * 86_400.0;

/// A text that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Private {
    /// It may be shown.
    Plain(Arc<str>),
    /// It is never shown.
    Secret(Secret),
    /// A secret that is not set here: `check` goes on without it.
    Missing,
}

impl Private {
    /// The text itself, for the one place that needs it; empty where it is missing.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
            Self::Missing => "",
        }
    }
}

/// The reader of one settings map.
pub struct Fields<'a> {
    /// What the map belongs to, for messages: "`measure::response_time`".
    owner: String,
    /// Where the owner stands, for what concerns no key.
    place: Option<Place>,
    entries: &'a [(Arc<str>, Node)],
    tables: Vec<&'static [Setting]>,
    report: &'a mut Report,
}

/// Round thousands of seconds from here on are more likely meant as milliseconds.
const LIKE_MILLISECONDS: f64 = 5_000.0;

/// What the keys of common services begin with.
const KEYS: &[&str] = &["HRKU-", "xoxb-", "xoxp-", "SG.", "rnd_", "sk_live_", "ghp_"];

/// Whether `text` is a key as services make them: by its beginning, or a UUID.
fn is_like_a_key(text: &str) -> bool {
    let begins = KEYS.iter().any(|begin| text.len() > begin.len() + 8 && text.starts_with(begin));
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    begins || parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

impl<'a> Fields<'a> {
    /// Opens `node`, which belongs to `owner` and may hold the settings of `tables`. Reports a node
    /// that is no map, unknown keys (with the nearest known one) and missing required ones.
    pub fn open(
        owner: impl Into<String>,
        node: &'a Node,
        tables: Vec<&'static [Setting]>,
        report: &'a mut Report,
    ) -> Self {
        let owner = owner.into();
        let entries: &[(Arc<str>, Node)] = if let Value::Map(entries) = &node.value {
            entries
        } else {
            let message = format!("{owner} takes a map of settings `#{{ … }}`, not {}", node.describe());
            report.say(&rules::WRONG_TYPE, node.place.as_ref(), message, None);
            &[]
        };
        let fields = Self { owner, place: node.place.clone(), entries, tables, report };
        fields.check_keys()
    }

    fn check_keys(mut self) -> Self {
        for (key, node) in self.entries {
            if self.setting(key).is_none() {
                let names = self.tables.iter().copied().flatten().map(|setting| setting.name);
                let elsewhere = foreign::setting(key, |name| self.setting(name).is_some());
                let help = elsewhere.or_else(|| did_you_mean(key, names.clone())).unwrap_or_else(|| {
                    let names: Vec<&str> = names.collect();
                    if names.is_empty() {
                        "it has no settings".into()
                    } else {
                        format!("it knows {}", names.join(", "))
                    }
                });
                let message = format!("unknown setting `{key}` of {}", self.owner);
                self.report.say(&rules::UNKNOWN_SETTING, node.place.as_ref(), message, help);
            }
        }
        let required = self.tables.iter().copied().flatten().filter(|setting| setting.preset == Preset::Required);
        for setting in required.collect::<Vec<_>>() {
            if self.node(setting.name).is_none() {
                if self.unset(setting) {
                    continue;
                }
                let message = format!("{} needs the setting `{}`", self.owner, setting.name);
                let help = format!("{}: {}", setting.kind.expected(), setting.doc);
                self.report.say(&rules::MISSING_SETTING, self.place.as_ref(), message, help);
            }
        }
        self
    }

    /// Whether the setting, which must be written, is missing for want of an environment variable; then that is said.
    fn unset(&mut self, setting: &'static Setting) -> bool {
        let written = self.entries.iter().find(|(key, _)| &**key == setting.name);
        let Some((_, Node { value: Value::Unset { name, .. }, place })) = written else { return false };
        let message = format!("`{}` needs the environment variable `{name}`, which is not set", setting.name);
        let help = format!("set it where the worker runs, or give a default: `env::get(\"{name}\", \"…\")`");
        self.report.say(&rules::VARIABLE_NOT_SET, place.as_ref(), message, help);
        true
    }

    fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.tables.iter().copied().flatten().find(|setting| setting.name == name)
    }

    /// The table's entry; a getter for a name that no table has is a bug of ours.
    fn known(&self, name: &str) -> &'static Setting {
        self.setting(name).unwrap_or_else(|| panic!("no table of {} has the setting `{name}`", self.owner))
    }

    /// The node written for `name`; `()` counts as not written.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        let (_, node) = self.entries.iter().find(|(key, _)| &**key == name)?;
        let written = match node.value {
            Value::Unit => false,
            // A text that must be there is pretended; what may be left out is left out.
            Value::Unset { pretended, .. } => {
                let setting = self.setting(name);
                pretended
                    && setting
                        .is_some_and(|s| s.preset == Preset::Required && matches!(s.kind, Kind::Text | Kind::Secret))
            }
            _ => true,
        };
        written.then_some(node)
    }

    /// Whether `name` is written.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.node(name).is_some()
    }

    /// Where `name` is written, else where its owner stands.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<Place> {
        self.node(name).and_then(|node| node.place.clone()).or_else(|| self.place.clone())
    }

    /// What the map belongs to, as messages name it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Reports at the key `name` a value that it cannot have.
    pub fn error(&mut self, name: &str, message: impl Into<String>, help: Option<String>) {
        self.say(&rules::WRONG_VALUE, name, message, help);
    }

    /// Reports at the key `name` a value that it hardly should have.
    pub fn warning(&mut self, name: &str, message: impl Into<String>, help: Option<String>) {
        self.say(&rules::DOUBTFUL_VALUE, name, message, help);
    }

    /// Reports at the key `name` what `rule` found.
    pub fn say(&mut self, rule: &'static Rule, name: &str, message: impl Into<String>, help: Option<String>) {
        let place = self.place(name);
        self.report.say(rule, place.as_ref(), message, help);
    }

    /// The report, for readers of nested maps.
    pub fn report(&mut self) -> &mut Report {
        self.report
    }

    fn wrong_type(&mut self, name: &str, node: &Node) {
        let expected = self.known(name).kind.expected();
        let message = format!("`{name}` takes {expected}, not {}", node.describe());
        let help = match &node.value {
            Value::Text(text) => foreign::length(self.known(name).kind, text),
            _ => None,
        };
        self.report.say(&rules::WRONG_TYPE, node.place.as_ref().or(self.place.as_ref()), message, help);
    }

    /// A flag.
    pub fn flag(&mut self, name: &str) -> bool {
        let preset = matches!(self.known(name).preset, Preset::Flag(true));
        match self.node(name) {
            Some(Node { value: Value::Bool(value), .. }) => *value,
            Some(node) => {
                self.wrong_type(name, node);
                preset
            }
            None => preset,
        }
    }

    /// A whole number within `range`, if written or preset.
    pub fn whole(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let preset = match self.known(name).preset {
            Preset::Whole(value) => Some(value),
            _ => None,
        };
        let Some(node) = self.node(name) else { return preset };
        let value = match node.value {
            Value::Int(value) => value,
            #[allow(clippy::cast_possible_truncation)]
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => value as i64,
            _ => {
                self.wrong_type(name, node);
                return preset;
            }
        };
        if range.contains(&value) {
            return Some(value);
        }
        let (low, high) = range.into_inner();
        let message = if high == i64::MAX {
            format!("`{name}` is {value}, and must be at least {low}")
        } else {
            format!("`{name}` is {value}, and must be between {low} and {high}")
        };
        self.error(name, message, None);
        preset
    }

    /// A finite number, if written or preset. A whole number is accepted.
    pub fn number(&mut self, name: &str) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)]
        let preset = match self.known(name).preset {
            Preset::Number(value) => Some(value),
            Preset::Whole(value) => Some(value as f64),
            _ => None,
        };
        let Some(node) = self.node(name) else { return preset };
        #[allow(clippy::cast_precision_loss)]
        let value = match node.value {
            Value::Int(value) => value as f64,
            Value::Float(value) => value,
            _ => {
                self.wrong_type(name, node);
                return preset;
            }
        };
        if value.is_finite() {
            return Some(value);
        }
        self.error(name, format!("`{name}` is {value}, and must be a finite number"), None);
        preset
    }

    /// A duration above zero, written in seconds.
    pub fn seconds(&mut self, name: &str) -> Option<Duration> {
        self.duration(name, 1.0, false)
    }

    /// A duration of zero or more, written in seconds.
    pub fn seconds_or_zero(&mut self, name: &str) -> Option<Duration> {
        self.duration(name, 1.0, true)
    }

    /// A duration above zero, written in minutes.
    pub fn minutes(&mut self, name: &str) -> Option<Duration> {
        self.duration(name, 60.0, false)
    }

    fn duration(&mut self, name: &str, unit: f64, zero: bool) -> Option<Duration> {
        let preset = match self.known(name).preset {
            Preset::Number(value) => Some(Duration::from_secs_f64(value * unit)),
            #[allow(clippy::cast_precision_loss)]
            Preset::Whole(value) => Some(Duration::from_secs_f64(value as f64 * unit)),
            _ => None,
        };
        if !self.has(name) {
            return preset;
        }
        let value = self.number(name)?;
        let seconds = value * unit;
        if unit < 2.0 && value >= LIKE_MILLISECONDS && value % 1_000.0 == 0.0 {
            let (hours, meant) = (seconds / 3_600.0, value / 1_000.0);
            let message = format!("`{name}` is {value} seconds, which is {hours:.1} hours");
            self.warning(name, message, Some(format!("it is in seconds: did you mean {meant}?")));
        }
        let least = if zero { "must not be negative" } else { "must be above 0" };
        if seconds < 0.0 || (seconds == 0.0 && !zero) {
            self.error(name, format!("`{name}` is {}, and {least}", in_short(value)), None);
            return preset;
        }
        if seconds > LONGEST_SECONDS {
            self.error(name, format!("`{name}` is {}, which is more than a year", in_short(value)), None);
            return preset;
        }
        Some(Duration::from_secs_f64(seconds))
    }

    /// A text, if written or preset. A secret is refused: it would be shown.
    pub fn text(&mut self, name: &str) -> Option<Arc<str>> {
        let preset = match self.known(name).preset {
            Preset::Text(text) => Some(Arc::from(text)),
            _ => None,
        };
        match self.node(name) {
            Some(Node { value: Value::Text(text), .. }) => Some(Arc::clone(text)),
            Some(Node { value: Value::Unset { name, .. }, .. }) => Some(placeholder(name)),
            Some(node) => {
                self.wrong_type(name, node);
                preset
            }
            None => preset,
        }
    }

    /// A text, if written or preset, that may be a secret, or one that is missing here: what is shown of it is
    /// its own affair.
    pub fn private_text(&mut self, name: &str) -> Option<Private> {
        let preset = match self.known(name).preset {
            Preset::Text(text) => Some(Private::Plain(Arc::from(text))),
            _ => None,
        };
        match self.node(name) {
            Some(Node { value: Value::Text(text), .. }) => Some(Private::Plain(Arc::clone(text))),
            Some(Node { value: Value::Secret(secret), .. }) => Some(Private::Secret(secret.clone())),
            Some(Node { value: Value::MissingSecret(_) | Value::Unset { .. }, .. }) => Some(Private::Missing),
            Some(node) => {
                self.wrong_type(name, node);
                preset
            }
            None => preset,
        }
    }

    /// One of the words of a [`Kind::OneOf`].
    pub fn word(&mut self, name: &str) -> Option<&'static str> {
        let setting = self.known(name);
        let Kind::OneOf(words) = setting.kind else { panic!("`{name}` of {} is no choice of words", self.owner) };
        let preset = match setting.preset {
            Preset::Text(text) => Some(text),
            _ => None,
        };
        let Some(node) = self.node(name) else { return preset };
        let Value::Text(text) = &node.value else {
            self.wrong_type(name, node);
            return preset;
        };
        let found = words.iter().copied().find(|word| *word == &**text);
        if found.is_none() {
            let message = format!("`{name}` is \"{text}\", and must be {}", setting.kind.expected());
            self.error(name, message, did_you_mean(text, words.iter().copied()));
        }
        found.or(preset)
    }

    /// A credential: a secret, a plain text (which becomes a secret), or a secret that is missing
    /// here and stands as a masked placeholder.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        match self.node(name)? {
            Node { value: Value::Secret(secret), .. } => Some(secret.clone()),
            Node { value: Value::Text(text), .. } => {
                let text = Arc::clone(text);
                self.plain_secret(name, &text);
                Some(Secret::new(text))
            }
            Node { value: Value::MissingSecret(_) | Value::Unset { .. }, .. } => Some(Secret::new("")),
            node => {
                self.wrong_type(name, node);
                None
            }
        }
    }

    /// Warns where the text of a secret names a variable, or is a key that is written out.
    fn plain_secret(&mut self, name: &str, text: &str) {
        let inner = text.trim_start_matches('$').trim_matches(['{', '}']);
        let named = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let variable = !inner.is_empty() && inner.chars().all(named) && (text.starts_with('$') || inner.contains('_'));
        if variable {
            let message = format!("`{name}` is the name of a variable as a text, and not what that variable holds");
            let help = format!("write `env::secret(\"{inner}\")`");
            self.say(&rules::PLAIN_SECRET, name, message, Some(help));
        } else if is_like_a_key(text) {
            let message = format!("`{name}` looks like a key that is written in the script");
            let help = "keep it in the environment, and write `env::secret(\"NAME\")`".to_owned();
            self.say(&rules::PLAIN_SECRET, name, message, Some(help));
        }
    }

    /// A text or an array of texts.
    pub fn texts(&mut self, name: &str) -> Option<Vec<Arc<str>>> {
        let preset = match self.known(name).preset {
            Preset::Text(text) => Some(vec![Arc::from(text)]),
            _ => None,
        };
        let Some(node) = self.node(name) else { return preset };
        let texts = match &node.value {
            Value::Text(text) => Some(vec![Arc::clone(text)]),
            Value::Array(items) if !items.is_empty() => items
                .iter()
                .map(|item| match &item.value {
                    Value::Text(text) => Some(Arc::clone(text)),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        if texts.is_none() {
            self.wrong_type(name, node);
        }
        texts.or(preset)
    }

    /// A function of `arity` parameters.
    pub fn function(&mut self, name: &str, arity: usize) -> Option<Function> {
        let node = self.node(name)?;
        let Value::Function(function) = &node.value else {
            self.wrong_type(name, node);
            return None;
        };
        expect_arity(name, function, arity, self.report).then(|| Arc::clone(function))
    }
}

/// What stands for the text of the environment variable `name` where it is not set: an app's name by its form.
fn placeholder(name: &str) -> Arc<str> {
    format!("value-of-{}", name.to_lowercase().replace('_', "-")).into()
}

/// Reports a function handed to `what` that does not take `arity` parameters.
pub(crate) fn expect_arity(what: &str, function: &Function, arity: usize, report: &mut Report) -> bool {
    if function.arity() == arity {
        return true;
    }
    let parameters = |n: usize| crate::counted::counted(n, "parameter");
    let message =
        format!("the function for `{what}` takes {}, and is called with {}", parameters(function.arity()), arity);
    let help = match (arity, what) {
        (0, _) => "write `|| …`",
        (1, "decide") => "write `|m| …`",
        (1, "notify") => "write `|event| …`",
        (1, "scale_to") => "write `|n| …`",
        (1, _) => "write `|data| …`",
        _ => "write `|x, y| …`",
    };
    report.say(&rules::CLOSURE_PARAMETERS, Some(function.place()), message, help.to_owned());
    false
}
