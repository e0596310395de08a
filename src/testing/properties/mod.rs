//! Owns the search for what no policy should do: a load that stays and dynos that do not, more load that gives fewer
//! dynos, a missing value that takes some away, an operation limit in reach. What is found is the smallest case that
//! was found, as a test that fails. It proves nothing: it tries.

mod paste;
mod search;
mod subject;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use serde::Serialize;

use crate::pipeline::PipelineSpec;
use subject::Subject;

/// What a policy should never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Under a constant load the dynos come to rest.
    ConstantLoad,
    /// More load never gives fewer dynos.
    MoreLoad,
    /// A missing value never takes dynos away.
    MissingValue,
    /// The limit of operations is out of reach.
    OperationLimit,
}

impl Property {
    /// All of them, in the order in which they are searched.
    pub const ALL: [Self; 4] = [Self::ConstantLoad, Self::MoreLoad, Self::MissingValue, Self::OperationLimit];

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConstantLoad => "constant-load",
            Self::MoreLoad => "more-load",
            Self::MissingValue => "missing-value",
            Self::OperationLimit => "operation-limit",
        }
    }

    /// The property of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.name() == name)
    }
}

/// A case that should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What does not hold.
    pub property: Property,
    /// What happens, in one sentence.
    pub said: String,
    /// The test that shows it: it fails where it is pasted into the script.
    pub test: String,
}

/// What a search of one pipeline came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// The pipeline.
    pub pipeline: Arc<str>,
    /// What was found, at most one case for each property.
    pub findings: Vec<Finding>,
    /// How often the pipeline was run.
    pub runs: u64,
    /// Whether everything was tried; not so where the time was over before.
    pub complete: bool,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// Searches `spec` for what does not hold of `properties`, until it is through or `until` is over; `seed` decides
/// the values that are drawn, and `runs` counts. Blocks.
#[must_use]
pub fn search(spec: &PipelineSpec, properties: &[Property], seed: u64, until: Instant, runs: &AtomicU64) -> Searched {
    let mut subject = Subject::new(spec, seed, until, runs);
    let mut findings = Vec::new();
    for property in properties {
        let found = match property {
            Property::ConstantLoad => search::constant_load(&mut subject),
            Property::MoreLoad => search::more_load(&mut subject),
            Property::MissingValue => search::missing_value(&mut subject),
            Property::OperationLimit => search::operation_limit(&mut subject),
        };
        findings.extend(found);
    }
    let (complete, notes) = (!subject.over(), subject.notes());
    Searched { pipeline: Arc::clone(&spec.name), findings, runs: subject.runs, complete, notes }
}
