//! Owns the results of `autoscaler test`: what counts as success, and how they look to people and as
//! JSON.

use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::{Value as Json, json};

use super::draw;
use crate::script::SourceFile;
use crate::secret::scrub;
use crate::settings::{Report, Severity};
use crate::testing::Verdict;

/// All results.
#[derive(Default)]
pub(super) struct Verdicts {
    /// By file, in the order named.
    pub(super) files: Vec<FileVerdicts>,
    /// What is wrong with the command line.
    pub(super) report: Report,
    /// Whether files were named: then no test at all is a failure.
    pub(super) named: bool,
    /// Loading and running.
    pub(super) took: Duration,
}

/// The results of one file.
pub(super) struct FileVerdicts {
    /// As messages name it.
    pub(super) name: String,
    /// Tests in it, run or not.
    pub(super) tests: Vec<std::sync::Arc<str>>,
    /// In the order written.
    pub(super) verdicts: Vec<Verdict>,
    /// What was said while loading.
    pub(super) report: Report,
    /// It, and what it imports.
    pub(super) sources: Vec<SourceFile>,
}

impl Verdicts {
    fn all(&self) -> impl Iterator<Item = &Verdict> {
        self.files.iter().flat_map(|file| &file.verdicts)
    }

    /// Tests that passed.
    pub(super) fn passed(&self) -> usize {
        self.all().filter(|verdict| verdict.fault.is_none()).count()
    }

    /// Tests that failed.
    pub(super) fn failed(&self) -> usize {
        self.all().filter(|verdict| verdict.fault.is_some()).count()
    }

    /// Files that did not load.
    pub(super) fn unloaded(&self) -> usize {
        self.files.iter().filter(|file| file.report.has_errors()).count()
    }

    /// Whether nothing is wrong.
    pub(super) fn succeeded(&self) -> bool {
        let nothing = self.named && self.all().next().is_none();
        self.failed() == 0 && self.unloaded() == 0 && !self.report.has_errors() && !nothing
    }
}

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Prints everything for people.
pub(super) fn show(out: &mut impl Write, verdicts: &Verdicts) -> std::io::Result<()> {
    draw::print(&verdicts.report, &[]);
    if verdicts.report.has_errors() && verdicts.files.is_empty() {
        return Ok(());
    }
    for file in &verdicts.files {
        writeln!(out, "{BOLD}{}{BOLD:#}", file.name)?;
        for said in file.report.diagnostics().iter().filter(|said| said.severity != Severity::Note) {
            writeln!(out, "{}\n", draw::draw(said, &file.sources, true))?;
        }
        if file.verdicts.is_empty() && !file.report.has_errors() {
            let none = if file.tests.is_empty() {
                "no tests".to_owned()
            } else {
                format!("no test of that name: there are {}", file.tests.join(", "))
            };
            writeln!(out, "  {DIM}{none}{DIM:#}")?;
        }
        let widest = file.verdicts.iter().map(|verdict| verdict.name.chars().count()).max().unwrap_or(0);
        for verdict in &file.verdicts {
            let (sign, style) = if verdict.fault.is_none() { ("✓", GREEN) } else { ("✗", RED) };
            let took = time(verdict.took);
            writeln!(out, "  {style}{sign}{style:#} {:<widest$} {DIM}{took:>7}{DIM:#}", verdict.name)?;
        }
        for verdict in file.verdicts.iter().filter(|verdict| verdict.fault.is_some()) {
            writeln!(out)?;
            failure(out, verdict, &file.sources)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(verdicts))
}

/// Where and why a test failed, what its pipelines were, and what it printed.
fn failure(out: &mut impl Write, verdict: &Verdict, sources: &[SourceFile]) -> std::io::Result<()> {
    if let Some(diagnostic) = verdict.diagnostic() {
        writeln!(out, "{}", draw::draw(&diagnostic, sources, true))?;
    }
    for state in verdict.fault.iter().flat_map(|fault| &fault.states) {
        writeln!(out, "  {DIM}state{DIM:#}   {state}")?;
    }
    for line in &verdict.said {
        writeln!(out, "  {DIM}printed{DIM:#} {}", scrub(line))?;
    }
    Ok(())
}

/// "3 passed, 1 failed, in 12 ms".
fn summary(verdicts: &Verdicts) -> String {
    let (passed, failed, unloaded) = (verdicts.passed(), verdicts.failed(), verdicts.unloaded());
    if passed + failed + unloaded == 0 {
        if verdicts.files.iter().any(|file| !file.tests.is_empty()) {
            return "no test was chosen".into();
        }
        return "no tests: write `fn test_…() { … }` in a script".into();
    }
    let style = if verdicts.succeeded() { GREEN } else { RED };
    let files = if unloaded == 1 { "1 file does not load".to_owned() } else { format!("{unloaded} files do not load") };
    let more = if unloaded == 0 { String::new() } else { format!(", {files}") };
    format!("{style}{passed} passed, {failed} failed{style:#}{more} {DIM}in {}{DIM:#}", time(verdicts.took))
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 0.9995 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// Everything for machines.
pub(super) fn json(verdicts: &Verdicts) -> Json {
    let files: Vec<Json> = verdicts.files.iter().map(file_json).collect();
    let diagnostics = diagnostics(&verdicts.report);
    json!({ "passed": verdicts.passed(), "failed": verdicts.failed(), "files": files, "diagnostics": diagnostics })
}

fn file_json(file: &FileVerdicts) -> Json {
    let tests: Vec<Json> = file.verdicts.iter().map(verdict_json).collect();
    json!({ "file": file.name, "tests": tests, "diagnostics": diagnostics(&file.report) })
}

fn diagnostics(report: &Report) -> Vec<Json> {
    report.diagnostics().iter().map(super::check::diagnostic).collect()
}

fn verdict_json(verdict: &Verdict) -> Json {
    let failure = verdict.fault.as_ref().map(|fault| {
        let place = fault.place.as_ref().unwrap_or(&verdict.place);
        json!({
            "message": fault.message,
            "file": &*place.file,
            "line": place.line,
            "column": place.column,
            "states": fault.states,
        })
    });
    json!({
        "name": &*verdict.name,
        "line": verdict.place.line,
        "passed": verdict.fault.is_none(),
        "seconds": verdict.took.as_secs_f64(),
        "printed": verdict.said.iter().map(|line| scrub(line)).collect::<Vec<_>>(),
        "failure": failure,
    })
}
