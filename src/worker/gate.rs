//! Owns the gate of a saved script: the simulation that it must pass, in a process of its own, which is killed with
//! everything it started when nobody waits for it any more. What is simulated is the command `gate`'s.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::generation::{Generation, Loading, Refused};
use crate::pipeline::Gate;
use crate::program::Runner;
use crate::rules;
use crate::script::Source;
use crate::secret::Secret;
use crate::world::{Program, Programs};

/// What the process answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateVerdict {
    /// Why the script does not pass: one text for each pipeline that fails.
    pub objections: Vec<String>,
}

/// This very program, whatever has become of its file since.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps)] // Elsewhere it can be missing.
fn own_program() -> Result<Arc<str>, String> {
    Ok("/proc/self/exe".into())
}

#[cfg(not(target_os = "linux"))]
fn own_program() -> Result<Arc<str>, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
    own.to_str().map(Arc::from).ok_or_else(|| format!("the path of this program is no text: {}", own.display()))
}

/// What the process is started as, and how long it may take: it sees the variables that the script asks for, and no
/// others.
pub(super) fn program(
    source: &Source,
    needs: &[(Arc<str>, bool)],
    loading: &Loading,
    timeout: Duration,
) -> Result<Program, String> {
    let script = source.path.to_str().ok_or_else(|| format!("the path {} is no text", source.path.display()))?;
    let variable = |name: &Arc<str>| {
        let value = loading.environment.variable(name)?;
        // Whether it is a secret is known already, and nothing else is to be masked.
        Some((Arc::clone(name), Secret::new("").extended(value)))
    };
    let mut environment: Vec<(Arc<str>, Secret)> = needs.iter().filter_map(|(name, _)| variable(name)).collect();
    environment.push(("TZ".into(), Secret::new("").extended(loading.zone.name())));
    let command = vec![own_program()?, "gate".into(), script.into()];
    Ok(Program { command, environment, input: Bytes::new(), timeout })
}

/// Runs it to its end.
///
/// # Errors
/// Why it cannot be said whether the script passes.
pub(super) async fn judge(program: Program) -> Result<GateVerdict, String> {
    let plain = |said: &str| {
        let name = own_program().unwrap_or_default();
        said.replace(&format!("`{name}`"), "its simulation").replace(&*name, "its simulation")
    };
    let reply = Runner.run(program).await.map_err(|error| plain(&error.message))?;
    if reply.status() != 0 {
        return Err(plain(&reply.failure()));
    }
    serde_json::from_str(&reply.text()).map_err(|error| format!("its simulation answered nothing to read: {error}"))
}

impl Gate {
    /// The refusal of `generation` for `reasons`.
    pub(super) fn refusal(&self, generation: Generation, reasons: Vec<String>) -> Refused {
        let mut report = generation.report;
        for reason in reasons {
            report.say(&rules::GATE, self.place.as_ref(), reason, None);
        }
        Refused { report, files: generation.files, needs: generation.needs }
    }

    /// Says what is wrong with the trace of a script in `folder`.
    pub(super) fn check_trace(&self, folder: &Path) -> Result<(), String> {
        let Some(file) = self.file(folder) else { return Ok(()) };
        match std::fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => Ok(()),
            Ok(_) => Err(format!("the trace of `gate` is no file: {}", file.display())),
            Err(error) => {
                let why = error.to_string();
                let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
                Err(format!("the trace of `gate` cannot be read: {}: {why}", file.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Environment, MissingSecrets};
    use crate::worker::{Actor, Options};

    /// Every variable is set to its own name.
    struct All;

    impl Environment for All {
        fn variable(&self, name: &str) -> Option<String> {
            Some(format!("of {name}"))
        }
    }

    #[test]
    fn the_process_sees_what_the_script_asks_for() {
        let options =
            Options { script: "a.rhai".into(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Placeholder };
        let (actor, zone) = (Actor::from_environment(), chrono_tz::America::Vancouver);
        let loading = Loading { options: Arc::new(options), environment: Arc::new(All), actor, zone };
        let source = Source { path: "a.rhai".into(), text: None, unit: None };
        let program = program(&source, &[("API_KEY".into(), true)], &loading, Duration::from_secs(7)).unwrap();
        let seen: Vec<_> = program.environment.iter().map(|(name, value)| (&**name, value.expose())).collect();
        assert_eq!(seen, [("API_KEY", "of API_KEY"), ("TZ", "America/Vancouver")]);
        assert_eq!(program.timeout, Duration::from_secs(7));
        assert_eq!(program.command.last().map(|word| &**word), Some("a.rhai"));
    }
}
