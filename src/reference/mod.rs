//! Owns the reference: everything that a script can call, read or set, gathered from the tables that the
//! engine itself works with, as a page ([`markdown`]), as files for editors ([`definitions`]) and as the
//! answer to a name ([`find`]). It describes nothing itself but how constructors are used.

mod definitions;
mod examples;
mod lookup;
mod markdown;

pub use definitions::definitions;
pub use examples::Shown;
pub use lookup::{Found, find, names};
pub use markdown::markdown;

use crate::pipeline::declare::{GATE, SCALE_FUNCTIONS, SCRIPT, STAGES, WATCHDOG, WIDE};
use crate::script::{Entry, Example, entries};
use crate::settings::{Constructor, Preset, Setting, StageKind};
use crate::simulate::{self, SIMULATE};
use crate::{decide, measure, notify, scale};

/// One constructor of one of the four modules.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The module.
    pub kind: StageKind,
    /// Its name in the module.
    pub name: &'static str,
    /// The name in the documentation of heroku-web-autoscale, or ours in the same form.
    pub backend: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its own settings.
    pub settings: &'static [Setting],
    /// The setting that may stand behind the others, or in place of them, as a function.
    pub function: Option<&'static str>,
    /// How it is used.
    pub example: Option<Example>,
}

impl Made {
    fn of<T>(constructor: &Constructor<T>) -> Self {
        let Constructor { kind, name, backend, doc, settings, .. } = *constructor;
        let last = notify::LAST_ARGUMENT.iter().find(|(known, _)| kind == StageKind::Notify && *known == name);
        let function = last.map(|(_, setting)| *setting);
        Self { kind, name, backend, doc, settings, function, example: examples::of(kind, name) }
    }

    /// `measure::response_time`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}::{}", self.kind, self.name)
    }

    /// As it is written.
    #[must_use]
    pub fn signature(&self) -> String {
        let function = self.function.map_or_else(String::new, |name| format!(", {name}?: FnPtr"));
        format!("{}(settings?: Map{function}) -> Stage", self.title())
    }
}

/// Every constructor in the tables of the four modules.
#[must_use]
pub fn constructors() -> Vec<Made> {
    let measuring = measure::CONSTRUCTORS.iter().map(Made::of);
    let deciding = decide::CONSTRUCTORS.iter().map(Made::of);
    let scaling = scale::CONSTRUCTORS.iter().map(Made::of);
    measuring.chain(deciding).chain(scaling).chain(notify::CONSTRUCTORS.iter().map(Made::of)).collect()
}

/// Settings that stand together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Where they stand.
    pub title: &'static str,
    /// The settings.
    pub settings: &'static [Setting],
}

/// The settings that belong to no single constructor.
pub const GROUPS: &[Group] = &[
    Group { title: "every pipeline", settings: STAGES },
    Group { title: "every pipeline, in its map or in its `decide::`", settings: decide::COMMON },
    Group { title: "every pipeline, in its map or in its `decide::`", settings: WIDE },
    Group { title: "every pipeline, for `autoscaler simulate`", settings: SIMULATE },
    Group { title: "`simulate: #{ … }` of a pipeline", settings: simulate::SETTINGS },
    Group { title: "`settings(#{ … })`, for the whole script", settings: SCRIPT },
    Group { title: "`gate: #{ … }` of `settings`", settings: GATE },
    Group { title: "`watchdog: #{ … }` of `settings`", settings: WATCHDOG },
    Group { title: "every `measure::`", settings: measure::COMMON },
    Group { title: "`scale: #{ … }`", settings: SCALE_FUNCTIONS },
    Group { title: "every `notify::`", settings: notify::COMMON },
];

/// Every example: of entries and of constructors, by what it shows.
#[must_use]
pub fn shown() -> Vec<Shown> {
    let of_entry = |entry: &Entry| Shown { title: entry.title(), example: entry.example };
    let made = constructors().into_iter();
    let of_made = made.filter_map(|made| Some(Shown { title: made.title(), example: made.example? }));
    entries().map(of_entry).chain(of_made).collect()
}

/// What a setting is when it is not written.
fn preset(setting: &Setting) -> String {
    match setting.preset {
        Preset::Required => "required".into(),
        Preset::None(words) => words.into(),
        Preset::Flag(value) => format!("`{value}`"),
        Preset::Whole(value) => format!("`{value}`"),
        Preset::Number(value) => format!("`{value}`"),
        Preset::Text(text) => format!("`\"{text}\"`"),
    }
}
