//! `autoscaler test --properties`: searches the pipelines of scripts for what no policy should do.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{draw, loading, test};
use crate::cli::{ReachArgs, TestArgs, TestFormat};
use crate::pipeline::{self, PipelineSpec};
use crate::script::{self, MissingSecrets, Source};
use crate::settings::Report;
use crate::testing::properties::{Property, Searched, search};
use crate::worker::Options;

/// One pipeline is searched for so long at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is said how far it is.
const REFRESH: Duration = Duration::from_millis(200);

/// Runs the command. Blocks.
pub fn run(args: &TestArgs) -> ExitCode {
    let specs = match specs(args) {
        Ok(specs) => specs,
        Err(code) => return code,
    };
    let properties: Vec<Property> = Property::ALL.into_iter().filter(|one| !args.except.contains(one)).collect();
    let mut found: Vec<(String, Searched)> = Vec::new();
    for (file, spec) in &specs {
        let searched =
            watched(&spec.name, |runs| search(spec, &properties, args.seed, Instant::now() + PATIENCE, runs));
        found.push((file.clone(), searched));
    }
    let mut out = anstream::stdout();
    let written = if args.json || args.format == TestFormat::Json {
        let one = |(file, searched): &(String, Searched)| json!({ "file": file, "searched": searched });
        writeln!(out, "{}", json!({ "seed": args.seed, "pipelines": found.iter().map(one).collect::<Vec<_>>() }))
    } else {
        show(&mut out, &found, &properties)
    };
    let failed = found.iter().any(|(_, searched)| !searched.findings.is_empty() || !searched.complete);
    match written {
        Ok(()) if failed => ExitCode::from(super::FAILED),
        written => super::written(written),
    }
}

/// The pipelines that are meant, with their files.
fn specs(args: &TestArgs) -> Result<Vec<(String, Arc<PipelineSpec>)>, ExitCode> {
    let (mut report, mut files, mut specs) = (Report::default(), Vec::new(), Vec::new());
    let options = Options {
        script: Path::new(test::FOLDER).to_owned(),
        dry_run: false,
        only: args.only.clone(),
        secrets: MissingSecrets::Placeholder,
    };
    // Nothing is run: the world of a search only pretends.
    let loading = loading(options, &ReachArgs { allow_run: true, ..ReachArgs::default() });
    for path in test::paths(args) {
        let sources = match script::sources(&path) {
            Ok(sources) => sources,
            Err(said) => {
                report.push(*said);
                continue;
            }
        };
        for source in sources {
            let source = Source { unit: None, ..source };
            let loaded = script::load(&source, &loading.environment, loading.options.secrets);
            // What is only imported declares nothing.
            if loaded.declarations.is_empty() && !loaded.report.has_errors() && args.paths.is_empty() {
                continue;
            }
            let declared = pipeline::declare(&loaded, None, 1, loading.zone);
            let selected = declared.specs.into_iter().filter(|spec| loading.options.selects(&spec.name, None));
            let file = source.path.display().to_string();
            specs.extend(selected.map(|spec| (file.clone(), spec)));
            for said in
                declared.report.diagnostics().iter().filter(|said| said.severity == crate::settings::Severity::Error)
            {
                report.push(said.clone());
            }
            files.extend(loaded.files);
        }
    }
    if report.has_errors() {
        draw::print(&report, &files);
        return Err(ExitCode::from(super::FAILED));
    }
    if specs.is_empty() {
        return Err(super::fail("there is no pipeline to search: name scripts, or other pipelines by `--only`"));
    }
    Ok(specs)
}

/// Does `work`, and says on a terminal how far it is.
fn watched<T>(pipeline: &str, work: impl FnOnce(&AtomicU64) -> T) -> T {
    let runs = AtomicU64::new(0);
    if !std::io::stderr().is_terminal() {
        return work(&runs);
    }
    let (end, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let ended = ended;
            while ended.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                anstream::eprint!("\r  {pipeline}: {} runs", runs.load(Ordering::Relaxed));
            }
            anstream::eprint!("\r{:60}\r", "");
        });
        let done = work(&runs);
        drop(end);
        done
    })
}

fn show(out: &mut impl Write, found: &[(String, Searched)], properties: &[Property]) -> std::io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let (good, bad) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default());
    for (file, searched) in found {
        writeln!(out, "{bold}{}{bold:#} {dim}{file}, {} runs{dim:#}", searched.pipeline, searched.runs)?;
        for property in properties {
            let name = property.name();
            match searched.findings.iter().find(|finding| finding.property == *property) {
                None => writeln!(out, "  {good}nothing found{good:#}  {name}")?,
                Some(finding) => {
                    writeln!(out, "  {bad}found{bad:#}          {name}: {}; as a test:\n", finding.said)?;
                    writeln!(out, "{}", finding.test)?;
                }
            }
        }
        if !searched.complete {
            let seconds = PATIENCE.as_secs();
            writeln!(out, "  {bad}not everything was tried{bad:#}: the search took more than {seconds} s")?;
        }
        for note in &searched.notes {
            writeln!(out, "  {dim}note: {note}{dim:#}")?;
        }
    }
    Ok(())
}
