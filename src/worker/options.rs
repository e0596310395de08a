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
    /// Whether `--only` lets the pipeline `name` run.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        let mut patterns = self.only.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty());
        // An empty `AUTOSCALER_ONLY` was forgotten, and selects nothing less than all.
        patterns.clone().next().is_none() || patterns.any(|pattern| matches_glob(pattern, name))
    }

    /// Names and globs of `--only` that match none of `names`.
    #[must_use]
    pub fn unmatched(&self, names: &[&str]) -> Vec<&str> {
        let patterns = self.only.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty());
        patterns.filter(|pattern| !names.iter().any(|name| matches_glob(pattern, name))).collect()
    }
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
