//! Owns values in the script's own language: a value of the settings as the text that stands for it here. A text
//! that is a credential is never among them: it becomes the name of a variable.

use std::fmt::Write as _;

use super::said::Said;
use super::value::{At, Node, Value, Variable};
use crate::secret::{SHORTEST_SCRUBBED, Secret};
use crate::settings::{Kind, Preset, Setting};

/// Credentials that were met, and the variables that stand for them: one text has one name.
#[derive(Debug, Default)]
pub struct Secrets {
    known: Vec<(String, String)>,
}

impl Secrets {
    /// The variable for `text`: `base`, or the first of `base_2`, `base_3` … that stands for no other text.
    pub fn variable(&mut self, base: &str, text: &str) -> String {
        if let Some((_, name)) = self.known.iter().find(|(known, name)| known == text && name.starts_with(base)) {
            return name.clone();
        }
        // From now on it is masked, whoever shows a line of the file.
        drop(Secret::new(text));
        // One name more than there are credentials: one of the candidates is free.
        let taken = |name: &str| self.known.iter().any(|(_, known)| known == name);
        let numbered = (2..=self.known.len() + 1).map(|count| format!("{base}_{count}"));
        let mut names = std::iter::once(base.to_owned()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or_else(|| base.to_owned());
        self.known.push((text.to_owned(), name.clone()));
        name
    }

    /// Whether `text` holds a credential that was met.
    pub fn are_in(&self, text: &str) -> bool {
        self.known.iter().any(|(secret, _)| secret.chars().count() >= SHORTEST_SCRUBBED && text.contains(&**secret))
    }
}

/// The variable that a secret setting is read from where it was written in clear.
fn variable_of(setting: &str) -> &'static str {
    match setting {
        "redis_url" => "REDIS_URL",
        "smtp_url" => "SMTP_URL",
        _ => "HEROKU_API_KEY",
    }
}

/// `node` as the value of `setting`; what cannot be one is said. `None` with nothing said: it is as if not
/// written. `path` names it in messages.
pub fn setting(setting: &Setting, node: &Node, path: &str, secrets: &mut Secrets, said: &mut Said) -> Option<String> {
    match &node.value {
        Value::Nothing => return None,
        Value::Code(why) => {
            let help = "write the value itself, a constant set above, or `os.environ[\"NAME\"]`";
            said.error(node.at, format!("{path} cannot be told: {why}"), help);
            return None;
        }
        _ => {}
    }
    let text = match (setting.kind, &node.value) {
        (Kind::Secret, _) => return secret(setting, node, path, secrets, said),
        (Kind::Flag, Value::Flag(flag)) => Some(flag.to_string()),
        // As Python takes them.
        (Kind::Flag, Value::Whole(number @ (0 | 1))) => Some((*number == 1).to_string()),
        (Kind::DynosByTime, Value::Map(entries)) => {
            let mut parts = Vec::new();
            for entry in entries {
                let path = format!("{path} at \"{}\"", entry.key);
                let count = whole(&entry.value, setting, said).or_else(|| {
                    refuse(&entry.value, &path, "a whole number", said);
                    None
                })?;
                parts.push(format!("{}: {count}", quoted(&entry.key)));
            }
            Some(format!("#{{ {} }}", parts.join(", ")))
        }
        (Kind::Whole | Kind::DynosByTime, _) => whole(node, setting, said),
        (Kind::Number | Kind::Seconds | Kind::Minutes, _) => number(node, setting, said),
        (Kind::Text | Kind::Path, Value::Text(text)) => return plain(node.at, text, path, secrets, said),
        (Kind::Text | Kind::Path, Value::Variable(variable)) => Some(text_of(variable)),
        // A variable in a header is a credential more often than not.
        (Kind::Map, Value::Map(entries)) if setting.name == "headers" => {
            let parts = entries.iter().map(|entry| {
                let text = match &entry.value.value {
                    Value::Variable(variable) => format!("env::secret({})", quoted(&variable.name)),
                    _ => literal(&entry.value, path, secrets, said)?,
                };
                Some(format!("{}: {text}", quoted(&entry.key)))
            });
            let parts: Option<Vec<String>> = parts.collect();
            parts.map(|parts| format!("#{{ {} }}", parts.join(", ")))
        }
        (Kind::Texts, Value::Text(_) | Value::List(_) | Value::Variable(_)) | (Kind::Map, Value::Map(_)) => {
            literal(node, path, secrets, said)
        }
        (Kind::OneOf(words), Value::Text(text)) if words.contains(&&**text) => Some(quoted(text)),
        _ => None,
    };
    if text.is_none() {
        refuse(node, path, &expected(setting.kind), said);
    }
    text
}

fn refuse(node: &Node, path: &str, expected: &str, said: &mut Said) {
    // A text is not repeated: it may be a credential in the wrong place.
    said.error(node.at, format!("{path} is {}, and must be {expected}", node.is()), "");
}

/// What is expected, in the words of the file that is read.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Flag => "True or False".into(),
        Kind::DynosByTime => "a whole number, or a dictionary by time of day such as {\"0:00\": 1, \"9:00\": 5}".into(),
        Kind::Secret | Kind::Text => "a text".into(),
        kind => kind.expected(),
    }
}

fn secret(setting: &Setting, node: &Node, path: &str, secrets: &mut Secrets, said: &mut Said) -> Option<String> {
    match &node.value {
        Value::Variable(variable) => {
            if let Some(Node { at, value: Value::Text(text) }) = variable.default.as_deref()
                && !text.is_empty()
            {
                drop(Secret::new(&**text));
                let help = format!("set {} where the worker runs", variable.name);
                said.warning(*at, format!("the default of {path} is a credential: it is left out"), help);
            }
            Some(format!("env::secret({})", quoted(&variable.name)))
        }
        Value::Text(text) => {
            let name = secrets.variable(variable_of(setting.name), text);
            let message = format!("{path} is written in clear: the script reads the variable {name} instead");
            said.warning(node.at, message, format!("set {name} where the worker runs, and take it out of this file"));
            Some(format!("env::secret({})", quoted(&name)))
        }
        _ => {
            refuse(node, path, "a text", said);
            None
        }
    }
}

/// A text that is copied: a URL with a password is none.
fn plain(at: At, text: &str, path: &str, secrets: &Secrets, said: &mut Said) -> Option<String> {
    let credential = url::Url::parse(text).ok().filter(|url| url.password().is_some() || !url.username().is_empty());
    if let Some(url) = credential {
        drop(Secret::new(url.password().unwrap_or(url.username())));
        said.error(at, format!("{path} holds a user and a password, which no script should"), "write it without them");
        return None;
    }
    if secrets.are_in(text) {
        said.error(at, format!("{path} holds a credential that stands elsewhere in the file"), "take it out");
        return None;
    }
    Some(quoted(text))
}

/// A whole number; a number whose fraction is 0 is one.
fn whole(node: &Node, setting: &Setting, said: &mut Said) -> Option<String> {
    match &node.value {
        Value::Whole(whole) => Some(whole.to_string()),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(format!("{number:.0}")),
        Value::Variable(variable) => converted("parse_int", node, variable, setting, said),
        _ => None,
    }
}

fn number(node: &Node, setting: &Setting, said: &mut Said) -> Option<String> {
    match &node.value {
        Value::Whole(whole) => Some(whole.to_string()),
        Value::Number(number) => Some(format!("{number:?}")),
        Value::Variable(variable) => converted("parse_float", node, variable, setting, said),
        _ => None,
    }
}

/// A number out of a variable. One that is not set must not keep the script from loading.
fn converted(function: &str, node: &Node, variable: &Variable, setting: &Setting, said: &mut Said) -> Option<String> {
    let default = match variable.default.as_deref().map(|default| &default.value) {
        Some(Value::Whole(whole)) => whole.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Text(text)) if text.trim().parse::<f64>().is_ok() => text.trim().to_owned(),
        Some(_) => return None,
        None => {
            let default = match setting.preset {
                Preset::Whole(whole) => whole.to_string(),
                Preset::Number(number) => number.to_string(),
                _ => "1".into(),
            };
            let message = format!("{} has no default: where it is not set, {default} counts", variable.name);
            said.warning(node.at, message, "");
            default
        }
    };
    Some(format!("{function}(env::get({}, {}))", quoted(&variable.name), quoted(&default)))
}

fn text_of(variable: &Variable) -> String {
    match variable.default.as_deref().map(|default| &default.value) {
        Some(Value::Text(default)) => format!("env::get({}, {})", quoted(&variable.name), quoted(default)),
        _ => format!("env::get({})", quoted(&variable.name)),
    }
}

/// Any value as it is.
fn literal(node: &Node, path: &str, secrets: &Secrets, said: &mut Said) -> Option<String> {
    match &node.value {
        Value::Nothing => Some("()".into()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Whole(whole) => Some(whole.to_string()),
        Value::Number(number) => Some(format!("{number:?}")),
        Value::Text(text) => plain(node.at, text, path, secrets, said),
        Value::List(nodes) => {
            let parts: Option<Vec<String>> = nodes.iter().map(|node| literal(node, path, secrets, said)).collect();
            Some(format!("[{}]", parts?.join(", ")))
        }
        Value::Map(entries) => {
            let part = |entry: &super::value::Entry, said: &mut Said| {
                Some(format!("{}: {}", quoted(&entry.key), literal(&entry.value, path, secrets, said)?))
            };
            let parts: Option<Vec<String>> = entries.iter().map(|entry| part(entry, said)).collect();
            Some(format!("#{{ {} }}", parts?.join(", ")))
        }
        Value::Variable(variable) => Some(text_of(variable)),
        Value::Code(_) => None,
    }
}

/// `text` in quotes, as the script's language reads it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Writing into a text cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_one_name() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.variable("HEROKU_API_KEY", "first-of-all"), "HEROKU_API_KEY");
        assert_eq!(secrets.variable("HEROKU_API_KEY", "second-of-all"), "HEROKU_API_KEY_2");
        assert_eq!(secrets.variable("HEROKU_API_KEY", "first-of-all"), "HEROKU_API_KEY");
        assert_eq!(secrets.variable("REDIS_URL", "redis://:pass@host"), "REDIS_URL");
        assert!(secrets.are_in("x second-of-all y"));
    }

    #[test]
    fn texts_are_quoted_as_the_language_reads_them() {
        assert_eq!(quoted("a \"b\" \\ c\n\u{1}é"), "\"a \\\"b\\\" \\\\ c\\n\\u0001é\"");
    }
}
