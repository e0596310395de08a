//! `autoscaler test [PATH…]`: run the tests of scripts, all files at once, and again when one is saved.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::loading;
use super::verdicts::{self, FileVerdicts, Verdicts};
use crate::cli::{ReachArgs, TestArgs, TestFormat};
use crate::script::{self, MissingSecrets, Source};
use crate::settings::{Report, Severity};
use crate::testing::Suite;
use crate::worker::{Loading, Options, Watch};
use crate::{command::junit, pipeline};

/// Where scripts are looked for when none is named.
pub(super) const FOLDER: &str = "scripts";

/// Editors save in several steps: a file is read this long after the first of them.
const SETTLE: Duration = Duration::from_millis(50);

/// Files are looked at this often even where no event tells of a change.
const LOOK: Duration = Duration::from_secs(5);

/// Runs the command.
pub async fn run(args: TestArgs) -> ExitCode {
    if args.properties {
        let searched = tokio::task::spawn_blocking(move || super::properties::run(&args)).await;
        return searched.unwrap_or_else(|error| {
            super::fail(format!("the search broke down: {error}; this is a bug of autoscaler"))
        });
    }
    if !args.watch {
        let verdicts = tokio::task::spawn_blocking(move || (once(&args), args)).await;
        return match verdicts {
            Ok((verdicts, args)) => print(&verdicts, &args),
            Err(error) => super::fail(format!("the tests broke down: {error}; this is a bug of autoscaler")),
        };
    }
    let mut watch = Watch::new();
    let mut before = None;
    loop {
        let work = args.clone();
        let Ok((verdicts, texts)) = tokio::task::spawn_blocking(move || {
            let verdicts = once(&work);
            let texts = texts(&work, &verdicts);
            (verdicts, texts)
        })
        .await
        else {
            return super::fail("the tests broke down; this is a bug of autoscaler");
        };
        if before.as_ref() != Some(&texts) {
            print(&verdicts, &args);
        }
        let folders = paths(&args).into_iter().map(|path| if path.is_dir() { path.join("*") } else { path });
        let files: Vec<PathBuf> = texts.iter().map(|(file, _)| file.clone()).chain(folders).collect();
        watch.follow(files.iter().map(PathBuf::as_path));
        before = Some(texts);
        tokio::select! {
            () = watch.changed() => tokio::time::sleep(SETTLE).await,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

pub(super) fn paths(args: &TestArgs) -> Vec<PathBuf> {
    if args.paths.is_empty() { vec![FOLDER.into()] } else { args.paths.clone() }
}

/// What every file that matters holds: the same texts give the same results.
fn texts(args: &TestArgs, verdicts: &Verdicts) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let read = verdicts.files.iter().flat_map(|file| file.sources.iter().map(|source| source.path.clone()));
    let mut files: Vec<PathBuf> = read.filter(|path| path.exists()).chain(paths(args)).collect();
    files.sort();
    files.dedup();
    files.into_iter().map(|file| (std::fs::read(&file).ok(), file)).map(|(text, file)| (file, text)).collect()
}

/// Runs every test once. Blocks.
fn once(args: &TestArgs) -> Verdicts {
    let started = Instant::now();
    let mut verdicts = Verdicts { named: !args.paths.is_empty(), ..Verdicts::default() };
    let mut sources = Vec::new();
    for path in paths(args) {
        if args.paths.is_empty() && !path.exists() {
            let help = "name scripts or folders: `autoscaler test PATH…`".to_owned();
            verdicts.report.error(None, format!("there is no folder `{FOLDER}` here"), Some(help));
            continue;
        }
        match script::sources(&path) {
            Ok(found) => sources.extend(found),
            Err(diagnostic) => verdicts.report.push(*diagnostic),
        }
    }
    let options = Options {
        script: Path::new(FOLDER).to_owned(),
        dry_run: false,
        only: args.only.clone(),
        secrets: MissingSecrets::Placeholder,
    };
    // Nothing is run: a test's world only pretends.
    let pretending = ReachArgs { allow_run: true, ..ReachArgs::default() };
    verdicts.files = all_at_once(&sources, &loading(options, &pretending));
    verdicts.took = started.elapsed();
    verdicts
}

/// The results of `sources` in their order, several at once.
fn all_at_once(sources: &[Source], loading: &Loading) -> Vec<FileVerdicts> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, FileVerdicts)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(sources.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(source) = sources.get(index)
                {
                    let verdicts = file(source, loading);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, verdicts));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, verdicts)| verdicts).collect()
}

/// Loads one file and runs its tests.
fn file(source: &Source, loading: &Loading) -> FileVerdicts {
    // Its pipelines go by their own names, in a folder too.
    let source = Source { unit: None, ..source.clone() };
    let loaded = script::load(&source, &loading.environment, loading.options.secrets);
    let mut report = Report::default();
    let mut suite = Suite::default();
    // What only others import declares no pipeline, and may have tests all the same.
    if loaded.declarations.is_empty() && !loaded.tests.is_empty() {
        report.extend(loaded.report.clone());
    } else {
        let declared = pipeline::declare(&loaded, None, 1, loading.zone);
        // What `check` warns of is not said again; what was said of the tests is.
        for said in declared.report.diagnostics() {
            if said.severity == Severity::Error || loaded.report.diagnostics().contains(said) {
                report.push(said.clone());
            }
        }
        suite.specs = declared.specs;
    }
    suite.tests = loaded.tests;
    let runs = !report.has_errors();
    let verdicts = if runs { suite.run(|name| loading.options.selects(name, None), None) } else { Vec::new() };
    let name = source.path.display().to_string();
    FileVerdicts { name, tests: suite.tests.len(), verdicts, report, sources: loaded.files }
}

fn print(verdicts: &Verdicts, args: &TestArgs) -> ExitCode {
    let mut out = anstream::stdout();
    let written = match if args.json { TestFormat::Json } else { args.format } {
        TestFormat::Pretty => verdicts::show(&mut out, verdicts),
        TestFormat::Json => writeln!(out, "{}", verdicts::json(verdicts)),
        TestFormat::Junit => junit::write(&mut out, verdicts),
    };
    match written {
        Ok(()) if verdicts.succeeded() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(super::FAILED),
        Err(error) => super::fail(error),
    }
}
