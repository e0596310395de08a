//! Owns what the command line says about a run.

use std::path::PathBuf;

use crate::script::MissingSecrets;

/// How a worker runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The script as given: a file, a folder, or `-`.
    pub script: PathBuf,
    /// Scale nothing, whatever the script says.
    pub dry_run: bool,
    /// Only pipelines that one of these names or globs matches; all where there is none.
    pub only: Vec<String>,
    /// What a secret that is not set means.
    pub secrets: MissingSecrets,
}

impl Options {
    /// Whether `--only` lets the pipeline `name` of `unit` run.
    #[must_use]
    pub fn selects(&self, name: &str, unit: Option<&str>) -> bool {
        let mut patterns = self.patterns();
        // An empty `AUTOSCALER_ONLY` was forgotten, and selects nothing less than all.
        patterns.clone().next().is_none() || patterns.any(|pattern| matches_pipeline(pattern, name, unit))
    }

    /// Names and globs of `--only` that match none of `names` (each with its unit).
    #[must_use]
    pub fn unmatched(&self, names: &[(&str, Option<&str>)]) -> Vec<&str> {
        let matches = |pattern: &str| names.iter().any(|(name, unit)| matches_pipeline(pattern, name, *unit));
        self.patterns().filter(|pattern| !matches(pattern)).collect()
    }

    fn patterns(&self) -> impl Iterator<Item = &str> + Clone {
        self.only.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty())
    }
}

/// Whether `pattern` matches `name`, with or without the `unit/` before the name that the script gives.
fn matches_pipeline(pattern: &str, name: &str, unit: Option<&str>) -> bool {
    let own = unit.and_then(|unit| name.strip_prefix(unit)?.strip_prefix('/'));
    matches_glob(pattern, name) || own.is_some_and(|own| matches_glob(pattern, own))
}

/// Whether `name` matches `pattern`, in which `*` stands for any text and `?` for one character.
fn matches_glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to take up again after a `*`: the position behind it, and how much of the name it has eaten.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match retry {
                Some((after, eaten)) => {
                    retry = Some((after, eaten + 1));
                    (p, n) = (after, eaten + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_folder_the_name_of_the_file_may_be_left_out() {
        for (pattern, expected) in [("web", true), ("shop/web", true), ("w*", true), ("shop", false), ("eb", false)] {
            assert_eq!(matches_pipeline(pattern, "shop/web", Some("shop")), expected, "{pattern}");
        }
        assert!(!matches_pipeline("web", "eu/web", None));
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("web", "web", true),
            ("web", "web2", false),
            ("web*", "web2", true),
            ("*/web", "eu/web", true),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("we?", "web", true),
            ("we?", "we", false),
        ] {
            assert_eq!(matches_glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
