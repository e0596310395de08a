//! Owns what is said over the socket: questions and answers, one line of JSON each. It asks and answers nothing.

use serde::{Deserialize, Serialize};

use super::Status;
use crate::levers::Pulled;

/// What a command asks of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Whether it answers at all, and what is wrong with its state: answered at once, whatever else it does.
    Health,
    /// How it stands.
    Status,
    /// To pull a lever.
    Pull(Pulled),
    /// To go back to the generation before.
    Rollback {
        /// The unit, where there are several.
        unit: Option<String>,
        /// Who asks.
        by: String,
    },
    /// To run another script in place of its own for a while.
    Try(Script),
    /// To keep the script that is being tried, for good.
    Confirm {
        /// The unit, where there are several.
        unit: Option<String>,
        /// Who asks.
        by: String,
    },
    /// To end the trial now.
    Revert {
        /// The unit, where there are several.
        unit: Option<String>,
        /// Who asks.
        by: String,
    },
}

/// That a worker answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Its process.
    pub pid: u32,
    /// What is wrong with its state, where something is: then what others read there is not all of it.
    pub trouble: Option<String>,
}

/// A script to be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The unit whose script it stands in for, where there are several.
    pub unit: Option<String>,
    /// Its text.
    pub text: String,
    /// The file it was read from, as the user wrote it.
    pub name: String,
    /// For so long, in whole seconds.
    pub seconds: u64,
    /// Who asks.
    pub by: String,
}

/// What a worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It answers.
    Health(Health),
    /// How it stands.
    Status(Box<Status>),
    /// It is done: what there is to say of it, line by line.
    Done(Vec<String>),
    /// It cannot be done: why, and what to do.
    Refused(String),
}
