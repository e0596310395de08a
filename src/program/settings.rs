//! Owns the settings that name a program: its arguments, its variables and its time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use crate::rules;
use crate::secret::{MASK, Secret};
use crate::settings::{Fields, Kind, Node, Preset, Setting, Value};
use crate::world::Program;

/// The setting `command`.
pub(crate) const COMMAND: Setting = Setting {
    name: "command",
    kind: Kind::Command,
    preset: Preset::Required,
    doc: "The program and its arguments, one text each; no shell looks at them.",
};

/// The setting `timeout_seconds`.
pub(crate) const TIMEOUT: Setting = Setting {
    name: "timeout_seconds",
    kind: Kind::Seconds,
    preset: Preset::Number(10.0),
    doc: "Seconds until the program is killed, with everything it started.",
};

/// The setting `environment`.
pub(crate) const ENVIRONMENT: Setting = Setting {
    name: "environment",
    kind: Kind::Map,
    preset: Preset::None("`#{}`"),
    doc: "Variables for the program, names to texts or secrets; of ours it sees `PATH`, `HOME` and `LANG` only.",
};

/// The most arguments of a program.
const MOST_ARGUMENTS: usize = 256;

/// A program as settings name it.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    words: Vec<Arc<str>>,
    environment: Vec<(Arc<str>, Variable)>,
    pub timeout: Duration,
}

#[derive(Clone, Debug)]
enum Variable {
    Plain(Arc<str>),
    Secret(Secret),
    /// Not set here: `check` goes on without it.
    Missing,
}

impl Command {
    /// Reads the program in the setting `name`, with [`ENVIRONMENT`] and [`TIMEOUT`].
    pub fn read(fields: &mut Fields<'_>, name: &str) -> Option<Self> {
        let words = words(fields, name);
        let environment = environment(fields);
        let timeout = fields.seconds(TIMEOUT.name);
        Some(Self { words: words?, environment: environment?, timeout: timeout? })
    }

    /// Its arguments, the program first.
    pub fn words(&self) -> &[Arc<str>] {
        &self.words
    }

    /// As `check` names what it reaches.
    pub fn reaches(&self) -> String {
        format!("the program `{}`", self.words[0])
    }

    /// The settings [`ENVIRONMENT`] and [`TIMEOUT`] as resolved.
    pub fn settings(&self) -> Map<String, Json> {
        let mut settings = Map::new();
        let variables = self.environment.iter().map(|(name, variable)| match variable {
            Variable::Plain(text) => (name.to_string(), json!(text)),
            Variable::Secret(_) | Variable::Missing => (name.to_string(), json!(MASK)),
        });
        settings.insert(ENVIRONMENT.name.into(), Json::Object(variables.collect()));
        settings.insert(TIMEOUT.name.into(), json!(self.timeout.as_secs_f64()));
        settings
    }

    /// Ready to run, `{dynos}` in its arguments replaced by `dynos`.
    pub fn program(&self, dynos: Option<u32>, input: Bytes) -> Program {
        let word = |word: &Arc<str>| match dynos {
            Some(dynos) if word.contains(DYNOS) => word.replace(DYNOS, &dynos.to_string()).into(),
            _ => Arc::clone(word),
        };
        let environment = self.environment.iter().filter_map(|(name, variable)| match variable {
            // Plain ones are no secrets: they are not to be masked in every log.
            Variable::Plain(text) => Some((Arc::clone(name), Secret::new("").extended(Arc::clone(text)))),
            Variable::Secret(secret) => Some((Arc::clone(name), secret.clone())),
            Variable::Missing => None,
        });
        let environment = environment.collect();
        Program { command: self.words.iter().map(word).collect(), environment, input, timeout: self.timeout }
    }

    /// Whether one of its arguments names the number of dynos.
    pub fn names_dynos(&self) -> bool {
        self.words.iter().any(|word| word.contains(DYNOS))
    }
}

/// What stands for the number of dynos.
const DYNOS: &str = "{dynos}";

fn words(fields: &mut Fields<'_>, name: &str) -> Option<Vec<Arc<str>>> {
    let node = fields.node(name)?;
    let wrong = |fields: &mut Fields<'_>, node: &Node, help: Option<String>| {
        let message = format!("`{name}` takes {}, not {}", Kind::Command.expected(), node.describe());
        fields.error(name, message, help);
        None
    };
    let items = match &node.value {
        Value::Array(items) if !items.is_empty() => items,
        Value::Text(text) => {
            let words: Vec<String> = text.split_whitespace().map(|word| format!("\"{word}\"")).collect();
            return wrong(fields, node, Some(format!("no shell takes it apart: write `[{}]`", words.join(", "))));
        }
        _ => return wrong(fields, node, None),
    };
    let mut words: Vec<Arc<str>> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let word: Arc<str> = match &item.value {
            Value::Text(text) => Arc::clone(text),
            Value::Int(number) => number.to_string().into(),
            Value::Float(number) => number.to_string().into(),
            Value::Secret(_) | Value::MissingSecret(_) => {
                let message =
                    format!("`{name}` holds a secret, and everybody on the machine sees a program's arguments");
                let help = "give it in `environment: #{ NAME: env::secret(\"NAME\") }`";
                fields.report().say(&rules::WRONG_TYPE, item.place.as_ref(), message, help.to_owned());
                return None;
            }
            _ => {
                let message = format!("`{name}` takes texts, not {}", item.describe());
                fields.report().say(&rules::WRONG_TYPE, item.place.as_ref(), message, None);
                return None;
            }
        };
        if word.contains('\0') || (at == 0 && word.is_empty()) {
            fields.error(name, format!("`{name}` holds a text that cannot be an argument"), None);
            return None;
        }
        words.push(word);
    }
    if words.len() > MOST_ARGUMENTS {
        fields.error(name, format!("`{name}` has more than {MOST_ARGUMENTS} arguments"), None);
        return None;
    }
    Some(words)
}

fn environment(fields: &mut Fields<'_>) -> Option<Vec<(Arc<str>, Variable)>> {
    let name = ENVIRONMENT.name;
    let Some(node) = fields.node(name) else { return Some(Vec::new()) };
    let Value::Map(entries) = &node.value else {
        fields.error(name, format!("`{name}` takes a map `#{{ … }}`, not {}", node.describe()), None);
        return None;
    };
    let mut variables = Vec::with_capacity(entries.len());
    let mut good = true;
    for (key, node) in entries {
        let variable = match &node.value {
            Value::Text(text) if !text.contains('\0') => Variable::Plain(Arc::clone(text)),
            Value::Secret(secret) if !secret.expose().contains('\0') => Variable::Secret(secret.clone()),
            Value::MissingSecret(_) => Variable::Missing,
            _ => {
                let message = format!("the variable `{key}` takes a text or a secret, not {}", node.describe());
                fields.report().say(&rules::WRONG_TYPE, node.place.as_ref(), message, None);
                good = false;
                continue;
            }
        };
        if key.is_empty() || key.contains(['=', '\0']) {
            fields.report().say(
                &rules::WRONG_VALUE,
                node.place.as_ref(),
                format!("`{key}` is no name of a variable"),
                None,
            );
            good = false;
        }
        variables.push((Arc::clone(key), variable));
    }
    good.then_some(variables)
}
