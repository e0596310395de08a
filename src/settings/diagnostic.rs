//! Owns what is said of a script that is wrong or doubtful: a [`Diagnostic`] with its place and its
//! mend, and the [`Report`] that collects them. It draws nothing: `command::diagnostics` does.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::rules::Rule;

/// Where something stands in a script. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user would name it (relative to the script's folder, or as given).
    pub file: Arc<str>,
    /// 1-based line; 0 when only the file is known.
    pub line: u32,
    /// 1-based column in characters; 0 when only the line is known.
    pub column: u32,
}

impl Place {
    /// The file as a whole.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// How bad it is: an error keeps a script from running, a warning and a note do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The script cannot run as written.
    Error,
    /// It runs, and will hardly do what was meant.
    Warning,
    /// Something the author wants to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing said about a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule of the registry it is of, where it has one.
    pub rule: Option<&'static Rule>,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands; `None` when it concerns no single place.
    pub place: Option<Place>,
    /// What is wrong: lower case, the user's words in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.severity, self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// It in one line, without its severity: a line of the log has a level of its own.
    #[must_use]
    pub fn told(&self) -> String {
        self.to_string().replacen(&format!("{}: ", self.severity), "", 1)
    }
}

/// Everything said about a script, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Adds `diagnostic`, once: a setting shared by several pipelines is reported a single time.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Adds what `rule` found.
    pub fn say(
        &mut self,
        rule: &'static Rule,
        place: Option<&Place>,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let (severity, message, help) = (rule.severity, message.into(), help.into());
        self.push(Diagnostic { rule: Some(rule), severity, place: place.cloned(), message, help });
    }

    /// Adds an error that no rule is for.
    pub fn error(&mut self, place: Option<&Place>, message: impl Into<String>, help: Option<String>) {
        self.push(Diagnostic {
            rule: None,
            severity: Severity::Error,
            place: place.cloned(),
            message: message.into(),
            help,
        });
    }

    /// Adds a warning that no rule is for.
    pub fn warning(&mut self, place: Option<&Place>, message: impl Into<String>, help: Option<String>) {
        self.push(Diagnostic {
            rule: None,
            severity: Severity::Warning,
            place: place.cloned(),
            message: message.into(),
            help,
        });
    }

    /// Adds a note.
    pub fn note(&mut self, message: impl Into<String>) {
        self.push(Diagnostic {
            rule: None,
            severity: Severity::Note,
            place: None,
            message: message.into(),
            help: None,
        });
    }

    /// Takes over everything that `other` says.
    pub fn extend(&mut self, other: Report) {
        for diagnostic in other.diagnostics {
            self.push(diagnostic);
        }
    }

    /// Whether anything in it keeps the script from running.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything said so far.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

/// How alike two names must be (Jaro-Winkler, 0..1) for one to be suggested for the other.
const ALIKE: f64 = 0.8;

/// Whether `name` may be a slip for `candidate`: one letter in three is wrong at most, or its end is missing.
fn is_slip(name: &str, candidate: &str) -> bool {
    let wrong = strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase());
    wrong <= (name.chars().count() / 3).max(1) || candidate.starts_with(name)
}

/// "did you mean `x`?" for the known name nearest to `name`, if one is near enough.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
        .filter(|(score, candidate)| *score >= ALIKE && is_slip(name, candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
