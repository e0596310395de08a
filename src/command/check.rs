//! `autoscaler check SCRIPT`: load, validate, show. It reaches nothing but the script's own files.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::Style;
use serde_json::{Value as Json, json};

use super::{draw, github, loading, sarif};
use crate::cli::{CheckArgs, CheckFormat};
use crate::heroku::{self, App, Estimate, Load};
use crate::pipeline::{Backend, PipelineSpec, Resolved, Stages};
use crate::script::{self, MissingSecrets, SourceFile};
use crate::settings::{Diagnostic, Report, Severity};
use crate::worker::{Generation, Options, shared_targets};

/// What was found out about a script.
#[derive(Default)]
struct Findings {
    specs: Vec<Arc<PipelineSpec>>,
    needs: Vec<(Arc<str>, bool)>,
    tests: usize,
    report: Report,
    files: Vec<SourceFile>,
}

/// Runs the command.
#[must_use]
pub fn run(args: &CheckArgs) -> ExitCode {
    let findings = find(args);
    let failed = findings.report.has_errors();
    let mut out = anstream::stdout();
    let written = match args.form() {
        CheckFormat::Json => writeln!(out, "{}", json_of(&findings)),
        CheckFormat::Github => write!(out, "{}", github::commands(&findings.report)),
        CheckFormat::Sarif => writeln!(out, "{:#}", sarif::log(&findings.report)),
        CheckFormat::Pretty => {
            draw::print(&findings.report, &findings.files);
            if failed {
                anstream::eprintln!("\n{}", counts(&findings.report, &args.script.script));
                Ok(())
            } else {
                show(&mut out, &findings)
            }
        }
    };
    if failed { ExitCode::from(super::FAILED) } else { super::written(written) }
}

fn find(args: &CheckArgs) -> Findings {
    let mut findings = Findings::default();
    let sources = match script::sources(&args.script.script) {
        Ok(sources) => sources,
        Err(diagnostic) => {
            findings.report.push(*diagnostic);
            return findings;
        }
    };
    let loading = loading(
        Options {
            script: args.script.script.clone(),
            dry_run: false,
            only: Vec::new(),
            secrets: if args.require_env { MissingSecrets::Error } else { MissingSecrets::Placeholder },
        },
        &args.reach,
    );
    for source in &sources {
        match Generation::load(source, 1, &loading) {
            Ok(generation) => {
                findings.specs.extend(generation.specs);
                findings.tests += generation.suite.tests.len();
                findings.report.extend(generation.report);
                findings.files.extend(generation.files);
                findings.needs.extend(generation.needs);
            }
            Err(refused) => {
                findings.report.extend(refused.report);
                findings.files.extend(refused.files);
                findings.needs.extend(refused.needs);
            }
        }
    }
    shared_targets(&findings.specs, &mut findings.report);
    crate::pipeline::rehearse(&findings.specs, &mut findings.report);
    findings.needs.sort();
    findings.needs.dedup();
    findings
}

fn json_of(findings: &Findings) -> Json {
    let pipelines: Vec<Resolved> = findings.specs.iter().map(|spec| Resolved::of(spec)).collect();
    let needs: Vec<&str> = findings.needs.iter().map(|(name, _)| &**name).collect();
    let diagnostics: Vec<Json> = findings.report.diagnostics().iter().map(diagnostic).collect();
    json!({ "pipelines": pipelines, "needs": needs, "diagnostics": diagnostics })
}

/// One diagnostic for machines.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> Json {
    let place = diagnostic.place.as_ref();
    json!({
        "id": diagnostic.rule.map(|rule| rule.id),
        "severity": diagnostic.severity,
        "file": place.map(|place| &*place.file),
        "line": place.map(|place| place.line).filter(|&line| line > 0),
        "column": place.map(|place| place.column).filter(|&column| column > 0),
        "message": crate::secret::scrub(&diagnostic.message),
        "help": diagnostic.help.as_deref().map(crate::secret::scrub),
    })
}

fn show(out: &mut impl Write, findings: &Findings) -> std::io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    for spec in &findings.specs {
        let resolved = Resolved::of(spec);
        writeln!(out, "{bold}{}{bold:#} {dim}{}{dim:#}", resolved.name, spec.mode.name())?;
        stages(out, "measure", &resolved.measure)?;
        stages(out, "decide", &resolved.decide)?;
        if let Some(shadow) = &resolved.shadow {
            stages(out, "shadow", shadow)?;
        }
        stage(out, "scale", None, &resolved.scale)?;
        for backend in &resolved.notify {
            stage(out, "notify", None, backend)?;
        }
        for limit in &resolved.limits {
            writeln!(out, "  {dim}limit{dim:#}    {limit}")?;
        }
        if let Some(simulate) = &resolved.simulate {
            writeln!(out, "  {dim}simulate{dim:#}")?;
            settings(out, simulate)?;
        }
        if !resolved.reaches.is_empty() {
            writeln!(out, "  {dim}reaches{dim:#}  {}", resolved.reaches.join(", "))?;
        }
        writeln!(out)?;
    }
    for estimate in api_budgets(&findings.specs) {
        writeln!(out, "{}\n", estimate.text)?;
    }
    let needs: Vec<String> = findings
        .needs
        .iter()
        .map(|(name, set)| format!("{name}{}", if *set { "" } else { " (not set here)" }))
        .collect();
    if !needs.is_empty() {
        writeln!(out, "needs {}", needs.join(", "))?;
    }
    if findings.tests > 0 {
        writeln!(out, "{}, run by `autoscaler test`", counted(findings.tests, "test"))?;
    }
    let warnings = count(&findings.report, Severity::Warning);
    writeln!(out, "{}, {}", counted(findings.specs.len(), "pipeline"), counted(warnings, "warning"))
}

/// "2 errors, 1 warning in scripts/autoscale.rhai".
fn counts(report: &Report, script: &std::path::Path) -> String {
    let mut said = counted(count(report, Severity::Error), "error");
    let warnings = count(report, Severity::Warning);
    if warnings > 0 {
        said = format!("{said}, {}", counted(warnings, "warning"));
    }
    let script =
        if script == std::path::Path::new("-") { "standard input".into() } else { script.display().to_string() };
    format!("{said} in {script}")
}

fn count(report: &Report, severity: Severity) -> usize {
    report.diagnostics().iter().filter(|said| said.severity == severity).count()
}

fn stages(out: &mut impl Write, name: &str, stages: &Stages) -> std::io::Result<()> {
    stages.iter().try_for_each(|(own, backend)| stage(out, name, own, backend))
}

fn stage(out: &mut impl Write, name: &str, own: Option<&str>, backend: &Backend) -> std::io::Result<()> {
    let dim = Style::new().dimmed();
    let own = own.map_or_else(String::new, |own| format!("{own}: "));
    writeln!(out, "  {dim}{name:<7}{dim:#}  {own}{}", backend.backend)?;
    settings(out, &backend.settings)
}

/// Each setting with its value; those that are not set have none.
fn settings(out: &mut impl Write, settings: &Json) -> std::io::Result<()> {
    let dim = Style::new().dimmed();
    let Json::Object(settings) = settings else { return Ok(()) };
    for (key, value) in settings.iter().filter(|(_, value)| !value.is_null()) {
        writeln!(out, "           {dim}{key}{dim:#} = {value}")?;
    }
    Ok(())
}

/// What each key to Heroku's API will be used for.
fn api_budgets(specs: &[Arc<PipelineSpec>]) -> Vec<Estimate> {
    let mut keys: Vec<(&App, Vec<Load>)> = Vec::new();
    for spec in specs {
        let Some(app) = spec.scale.heroku() else { continue };
        let load = Load { app: Arc::clone(&app.name), interval: spec.interval() };
        match keys.iter_mut().find(|(known, _)| known.key == app.key && known.api_url == app.api_url) {
            Some((_, loads)) => loads.push(load),
            None => keys.push((app, vec![load])),
        }
    }
    keys.iter().map(|(_, loads)| heroku::estimate(loads)).collect()
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
