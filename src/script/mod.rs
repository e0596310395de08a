//! Owns the script language: the only place that names Rhai. It turns source files into declarations
//! ([`Loaded`]) and functions ([`crate::function::Callable`]); it validates no setting and does no I/O
//! but reading the script's own files.

// Errors travel boxed, as the engine's own signatures have them.
#![allow(clippy::unnecessary_box_returns)]

mod check;
mod context;
mod convert;
mod diagnose;
mod engine;
mod entry;
mod files;
mod function;
mod habits;
mod limits;
mod lint;
mod load;
mod modules;
mod node;
mod parse;
mod places;
mod reaches;
mod requires;
mod resolver;
mod session;
mod slips;
mod sources;
mod stopped;
mod text;
mod unset;

use std::path::PathBuf;
use std::sync::Arc;

pub use entry::{Entry, Example, Form, Frame, Parameter, Stands, Type};
pub use load::{load, load_kept};
pub use sources::sources;

use crate::reach::Bounds;
use crate::settings::{Diagnostic, Node, Place, Report, Stage};
use crate::testing::Test;

/// Everything that scripts can call or read, but for the constructors in the tables of the four stages.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    modules::entries()
}

/// The modules that a script finds without importing them, and what they are for.
#[must_use]
pub fn modules() -> &'static [(&'static str, &'static str)] {
    modules::MODULES
}

/// The types of ours that a script meets.
#[must_use]
pub fn types() -> &'static [Type] {
    modules::KINDS
}

/// The standard modules: the name behind `std/`, and the text.
#[must_use]
pub fn standard_modules() -> &'static [(&'static str, &'static str)] {
    resolver::STANDARD
}

/// Why there is no script to load.
pub type SourceError = Box<Diagnostic>;

/// One script: a file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file; for standard input `<working directory>/stdin.rhai`, which need not exist.
    pub path: PathBuf,
    /// The text where it does not come from the file (standard input).
    pub text: Option<Arc<str>>,
    /// The name of the unit in a script folder (the file's stem): prefix of its pipelines' names.
    pub unit: Option<Arc<str>>,
}

/// What surrounds a script: the variables it may read, and the bounds of what it may reach.
pub trait Environment: Send + Sync {
    /// The value of `name`.
    fn variable(&self, name: &str) -> Option<String>;

    /// What scripts may reach.
    fn bounds(&self) -> &Bounds {
        static OPEN: Bounds = Bounds { hosts: None, variables: None, programs: false };
        &OPEN
    }
}

/// What a secret that is not set means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingSecrets {
    /// A masked placeholder and one note (`check`, `test`, `simulate`).
    Placeholder,
    /// An error (`run`, `once`).
    Error,
}

/// A script as loaded: what it declared, and everything said about it. With errors in the report the
/// declarations are those made before the first script error.
#[derive(Debug, Default)]
pub struct Loaded {
    /// In the order of their `pipeline(…)` calls.
    pub declarations: Vec<Declaration>,
    /// The map given to `settings(…)`.
    pub settings: Option<Node>,
    /// What was said while loading.
    pub report: Report,
    /// The script and everything it imported, the script first.
    pub files: Vec<SourceFile>,
    /// Environment variables that the script asked for, in order, and whether each is set.
    pub needs: Vec<(Arc<str>, bool)>,
    /// Stages that were made and stand in no pipeline: they are validated all the same.
    pub unused_stages: Vec<Arc<Stage>>,
    /// The functions `test_…` of the script itself, in the order written.
    pub tests: Vec<Test>,
}

/// One call of `pipeline(name, #{ … })`.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The name as written, without the unit.
    pub name: Arc<str>,
    /// Where it was called.
    pub place: Option<Place>,
    /// Its settings, with the place of every key.
    pub settings: Node,
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is on disk.
    pub path: PathBuf,
    /// As messages name it.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}
