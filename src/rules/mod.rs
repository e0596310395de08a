//! Owns the registry of what can be said of a script: one [`Rule`] each, by its id. It finds nothing
//! itself; docs/diagnostics.md is written from it, and every rule has a wrong script under tests/.

mod functions;
mod habits;
mod language;
mod reach;
mod sense;
mod settings;
mod values;

pub use functions::*;
pub use habits::*;
pub use language::*;
pub use reach::*;
pub use sense::*;
pub use settings::*;
pub use values::*;

use crate::settings::Severity;

/// One thing that can be said of a script.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in words joined by `-`: never changes, since tools filter by it.
    pub id: &'static str,
    /// How bad it is, unless the finding itself is in doubt.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is wrong and what to write instead.
    pub doc: &'static str,
}

/// Every rule, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [SETTINGS, REACH, LANGUAGE, FUNCTIONS, SENSE, VALUES, HABITS].into_iter().flatten().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_words_joined_by_dashes_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for rule in all() {
            assert!(seen.insert(rule.id), "`{}` is there twice", rule.id);
            assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "`{}`", rule.id);
            assert!(rule.doc.ends_with('.') && !rule.title.ends_with('.'), "`{}`", rule.id);
        }
    }
}
