//! Owns what a settings file comes to, before it is written as a script: pipelines of four stages, each a call
//! with its settings. It reads nothing and writes nothing.

use super::value::At;
use crate::settings::StageKind;

/// Everything that becomes a script.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order of the file.
    pub pipelines: Vec<Pipeline>,
}

/// One process type.
#[derive(Debug)]
pub struct Pipeline {
    /// Its name: the process type.
    pub name: String,
    /// Where it begins.
    pub at: At,
    /// How it measures.
    pub measure: Stage,
    /// How it decides.
    pub decide: Stage,
    /// What it scales.
    pub scale: Stage,
    /// Whom it tells.
    pub notify: Vec<Stage>,
}

/// One stage: a backend with its settings.
#[derive(Debug)]
pub struct Stage {
    /// Which of the four.
    pub kind: StageKind,
    /// The backend as it was written there.
    pub backend: String,
    /// What is called here.
    pub call: Call,
    /// Where the backend stands.
    pub at: At,
    /// Its settings as written.
    pub settings: Vec<Setting>,
}

/// What stands for a backend in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A function of ours.
    Native(&'static str),
    /// A class of the user's own: a function that is still to be written, with the names of the settings that
    /// it had.
    Stub {
        /// The names of its own settings.
        settings: Vec<String>,
    },
}

/// One setting, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the script.
    pub name: &'static str,
    /// Its value in the script's language.
    pub text: String,
    /// Where it stands there.
    pub at: At,
}

impl Stage {
    /// The setting `name`, where it is written.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}
