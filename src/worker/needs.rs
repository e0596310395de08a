//! Owns the variables that native backends take in place of settings that are not written: they are
//! said like those that a script asks for with `env::secret`.

use std::sync::Arc;

use crate::pipeline::PipelineSpec;
use crate::rules;
use crate::script::MissingSecrets;
use crate::settings::Report;

/// Adds what the measuring stages of `specs` need to `needs`; one that is not set is an error where
/// `missing` says so.
pub fn add(
    specs: &[Arc<PipelineSpec>],
    missing: MissingSecrets,
    needs: &mut Vec<(Arc<str>, bool)>,
    report: &mut Report,
) {
    for spec in specs {
        for (name, set) in spec.sources().flat_map(|stage| stage.backend.needs()) {
            if !set && missing == MissingSecrets::Error {
                let message = format!("the environment variable `{name}` is not set");
                let help = format!("set it where the worker runs, or write the setting of `{}` out", spec.name);
                report.say(&rules::VARIABLE_NOT_SET, spec.place.as_ref(), message, help);
            }
            if !needs.iter().any(|(known, _)| *known == name) {
                needs.push((name, set));
            }
        }
    }
}
