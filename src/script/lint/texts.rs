//! Owns texts in quotes that look as if a value were put into them: only texts in backticks do that.

use crate::rules;
use crate::script::files::Script;
use crate::settings::Report;

/// Looks at every text of `script`.
pub(in crate::script) fn plain_texts(script: &Script, report: &mut Report) {
    for (text, position) in script.index.plain_texts() {
        let place = script.place(*position);
        let quoted = script.starts_with_quote(*position);
        let Some(part) = parts(text).find(|part| script.knows(name(part))).filter(|_| quoted) else { continue };
        let message = format!("`${{{part}}}` stands in a text in quotes: the value is not put there");
        report.say(&rules::PLAIN_INTERPOLATION, Some(&place), message, "put the text in backticks".to_owned());
    }
}

/// What stands in every `${…}` of `text`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(part, _)| part)
}

/// The name that `part` begins with.
fn name(part: &str) -> &str {
    let part = part.trim_start();
    let end = part.find(|other: char| !other.is_alphanumeric() && other != '_').unwrap_or(part.len());
    &part[..end]
}

impl Script {
    /// Whether a variable, a parameter or a function of the file is called `name`: `${HOME}` is for others.
    fn knows(&self, name: &str) -> bool {
        name == "this" || self.index.has_variable(name) || self.functions.contains_key(name) || {
            let mut all = self.functions.values().flatten();
            all.any(|defined| defined.definition.params.iter().any(|parameter| parameter == name))
        }
    }
}
