//! Owns the description of settings: one [`Setting`] each, one [`Constructor`] per backend. The
//! tables are the single source of defaults, of suggestions for misspelt names and of the reference.

use super::{Fields, StageKind};

/// What a setting holds, in the words used to its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A duration in seconds, fractions allowed.
    Seconds,
    /// A duration in minutes, fractions allowed.
    Minutes,
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// A text, or an array of texts.
    Texts,
    /// A whole number, or a table `#{ "H:MM": number }` by time of day.
    DynosByTime,
    /// A map.
    Map,
    /// A function.
    Function,
    /// A value of a stage: a constructor of that module, or a function.
    Stage,
    /// A dotted path into JSON.
    Path,
    /// A request, or a function that returns one.
    Request,
    /// A function of the reply, or a dotted path into its JSON.
    Answer,
    /// A program and its arguments.
    Command,
    /// The largest step of a guard.
    Step,
    /// What is done after failures.
    Fallback,
    /// How many jobs run: a measurement.
    Work,
    /// A boot time.
    Boot,
    /// `true`, or a map of what it is made of.
    Switch,
    /// An array of limits.
    Limits,
    /// One of the words named.
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// What is expected, for an error: "a number of seconds".
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Flag => "`true` or `false`".into(),
            Self::Whole => "a whole number".into(),
            Self::Number => "a number".into(),
            Self::Seconds => "a number of seconds".into(),
            Self::Minutes => "a number of minutes".into(),
            Self::Text => "a text".into(),
            Self::Secret => "a secret, such as `env::secret(\"NAME\")`, or a text".into(),
            Self::Texts => "a text or an array of texts".into(),
            Self::DynosByTime => {
                "a whole number, or a table by time of day such as `#{ \"0:00\": 1, \"9:00\": 5 }`, with days as in \"mon-fri 9:00\"".into()
            }
            Self::Map => "a map `#{ … }`".into(),
            Self::Function => "a function".into(),
            Self::Stage => "a stage".into(),
            Self::Path => "a dotted path such as \"queue.size\"".into(),
            Self::Request => "a request such as `http::get(url)`, or a function that returns one".into(),
            Self::Answer => "a function `|reply| …`, or a dotted path such as \"queue.size\"".into(),
            Self::Command => "an array of texts such as `[\"./bin/queue\", \"--json\"]`".into(),
            Self::Step => {
                "a whole number of dynos, a text such as \"50%\", or `#{ dynos: 4, percent: 100, per_seconds: 60 }`".into()
            }
            Self::Fallback => "a map such as `#{ after: 3, dynos: 4, behavior: \"at_least\" }`".into(),
            Self::Work => "a function `|| …` that answers how many jobs run, or a backend of `measure::`".into(),
            Self::Boot => "a number of seconds, or \"learned\"".into(),
            Self::Switch => "`true`, `false`, or a map of its settings `#{ … }`".into(),
            Self::Limits => "an array of limits such as `#{ pipelines: [\"web\", \"celery\"], max_dynos: 12 }`".into(),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
        }
    }
}

/// The value of a setting that is not written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preset {
    /// It must be written.
    Required,
    /// Nothing: the setting is off, or its default depends on others, as the text says.
    None(&'static str),
    /// A flag.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number, seconds or minutes.
    Number(f64),
    /// A text.
    Text(&'static str),
}

/// One setting of one backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Its name in the script.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value when it is not written.
    pub preset: Preset,
    /// One sentence for the reference.
    pub doc: &'static str,
}

/// One constructor of one of the four modules: what the script calls and how its settings are read.
pub struct Constructor<T> {
    /// The module.
    pub kind: StageKind,
    /// The function's name in the script.
    pub name: &'static str,
    /// The name of the documentation of heroku-web-autoscale, or ours in the same form.
    pub backend: &'static str,
    /// What it does, for the reference.
    pub doc: &'static str,
    /// Its own settings; those common to the module are in the module's `COMMON`.
    pub settings: &'static [Setting],
    /// Turns settings into the backend. Problems go to the reader's report; `None` only if there
    /// was at least one error.
    pub read: fn(&mut Fields<'_>) -> Option<T>,
}
