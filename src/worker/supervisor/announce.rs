//! Owns what is said of a reload, in the log and to people.

use std::path::Path;
use std::sync::Arc;

use super::Supervisor;
use crate::pipeline::{Event, EventKind, Phase};
use crate::script::Source;
use crate::settings::{Diagnostic, Report, Severity};
use crate::worker::difference::difference;
use crate::worker::generation::Generation;

/// Diagnostics told in a notification; the log has them all.
const MOST_TOLD: usize = 3;

/// What is told of the worker itself, of no pipeline.
pub(super) struct Word {
    pub kind: EventKind,
    pub phase: Phase,
    pub key: String,
    pub severity: &'static str,
    pub subject: &'static str,
    pub message: String,
    pub reason: Option<String>,
}

impl Supervisor {
    /// A new generation is in force. After a refusal that is its end, and said once.
    pub(super) fn announce_reloaded(&self, index: usize, before: &Generation, mended: bool) {
        let unit = &self.units[index];
        let generation = &unit.generation;
        let change = difference(before, generation);
        let script = name(&unit.source);
        tracing::info!(script, generation = generation.id, "reloaded: {change}");
        log(&generation.report);
        if mended {
            let message = format!("{script} loads again. Reloaded: {change}.");
            self.announce(&unit.source, EventKind::ReloadFailed, Phase::End, message, None);
        } else {
            let message = format!("Reloaded {script}: {change}.");
            self.announce(&unit.source, EventKind::Reloaded, Phase::Once, message, None);
        }
    }

    /// An earlier generation is in force again.
    pub(super) fn announce_back(&self, index: usize, before: &Generation, why: &str, by_itself: bool) {
        let unit = &self.units[index];
        let (script, id, change) = (name(&unit.source), unit.generation.id, difference(before, &unit.generation));
        // Nobody sits there when it goes back by itself: that is an error, and sent to everybody.
        let kind = if by_itself {
            tracing::error!(script, generation = id, "generation {id} is in force again: {why}; {change}");
            EventKind::ReloadFailed
        } else {
            tracing::warn!(script, generation = id, "generation {id} is in force again: {why}; {change}");
            EventKind::Reloaded
        };
        let message = format!("{script}: generation {id} is in force again: {why}. {}", sentence(&change));
        self.announce(&unit.source, kind, Phase::Once, message, Some(why.to_owned()));
    }

    pub(super) fn announce_refused(&self, index: usize, again: bool) {
        let unit = &self.units[index];
        let Some(refused) = &unit.refused else { return };
        let script = name(&unit.source);
        let gone = !unit.source.path.exists();
        // An import may be at fault, and is what was saved then.
        let culprit = if gone {
            script.clone()
        } else {
            culprit(&unit.source, &refused.report).unwrap_or_else(|| script.clone())
        };
        log(&refused.report);
        let (what, meanwhile) = match (gone, unit.generation.id) {
            (false, 0) => ("has an error", "it runs nothing until it loads"),
            (false, _) => ("was saved with an error", "the old one runs on"),
            (true, _) => ("is gone", "the old one runs on"),
        };
        tracing::error!(script, generation = unit.generation.id, "{culprit} {what}; {meanwhile}");
        let reason = told(&refused.report);
        let message = format!("{culprit} {what}, {meanwhile}. {reason}");
        let phase = if again { Phase::Repeat } else { Phase::Begin };
        self.announce(&unit.source, EventKind::ReloadFailed, phase, message, Some(reason));
    }

    /// A script that was pushed is not taken.
    pub(super) fn announce_not_taken(&self, why: String) {
        tracing::error!("{why}; the old one runs on");
        let Some(unit) = self.units.first() else { return };
        let message = format!("A pushed script is not taken, the old one runs on: {why}.");
        self.announce(&unit.source, EventKind::ReloadFailed, Phase::Once, message, Some(why));
    }

    /// The end of a refusal.
    pub(super) fn announce_mended(&self, source: &Source) {
        let message = format!("{} loads again.", name(source));
        self.announce(source, EventKind::ReloadFailed, Phase::End, message, None);
    }

    /// A file of the folder is no longer there.
    pub(super) fn announce_gone(&self, source: &Source) {
        let script = name(source);
        tracing::info!(script, "the script is gone, its pipelines stop");
        let message = format!("{script} is gone, its pipelines stop.");
        self.announce(source, EventKind::Reloaded, Phase::Once, message, None);
    }

    pub(super) fn announce(
        &self,
        source: &Source,
        kind: EventKind,
        phase: Phase,
        message: String,
        reason: Option<String>,
    ) {
        let severity = if kind == EventKind::ReloadFailed && phase != Phase::End { "error" } else { "info" };
        let subject = match (kind, phase) {
            (EventKind::ReloadFailed, Phase::Once) => "Script rolled back",
            (EventKind::ReloadFailed, Phase::End) => "Script loads again",
            (EventKind::ReloadFailed, _) => "Script refused",
            _ => "Script reloaded",
        };
        let key = source.unit.as_ref().map_or_else(|| kind.to_string(), |unit| format!("{unit}/{kind}"));
        self.say(Word { kind, phase, key, severity, subject, message, reason });
    }

    /// Tells everybody once, whichever pipelines they listen to.
    pub(super) fn say(&self, word: Word) {
        let event = Event {
            kind: word.kind,
            phase: word.phase,
            key: word.key,
            severity: word.severity.into(),
            pipeline: Arc::from(""),
            message: word.message,
            subject: word.subject.into(),
            dynos: None,
            from: None,
            to: None,
            measurement: None,
            unit: None,
            target: None,
            reason: word.reason,
            at: self.world.clock.now(),
        };
        self.world.audience.announce(&self.specs(), event);
    }
}

/// The file of the first error, as seen from the script's folder.
fn culprit(source: &Source, report: &Report) -> Option<String> {
    let mut errors = report.diagnostics().iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let file = Path::new(&*errors.find_map(|error| error.place.as_ref())?.file);
    let folder = source.path.parent().unwrap_or(Path::new(""));
    Some(file.strip_prefix(folder).unwrap_or(file).display().to_string())
}

/// The script as messages name it.
pub(super) fn name(source: &Source) -> String {
    source.path.file_name().map_or_else(|| source.path.display().to_string(), |name| name.to_string_lossy().into())
}

/// Writes what is said of a script to the log, a line each.
pub(crate) fn log(report: &Report) {
    for diagnostic in report.diagnostics() {
        let text = diagnostic.told();
        match diagnostic.severity {
            Severity::Error => tracing::error!("{text}"),
            Severity::Warning => tracing::warn!("{text}"),
            Severity::Note => tracing::info!("{text}"),
        }
    }
}

/// `text` with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).chain(std::iter::once('.')).collect()
}

/// The first errors, in one line each.
pub(super) fn told(report: &Report) -> String {
    let errors: Vec<String> = report
        .diagnostics()
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(Diagnostic::told)
        .collect();
    let more = errors.len().saturating_sub(MOST_TOLD);
    let mut text = errors.into_iter().take(MOST_TOLD).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text = format!("{text}; and {more} more");
    }
    text
}
