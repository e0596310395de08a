//! `autoscaler import FILE`: the settings of heroku-web-autoscale as a script. It reads one file, executes nothing
//! of it, and checks what it made before it hands it over.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::{draw, fail, loading};
use crate::cli::{ImportArgs, ImportForm, ReachArgs};
use crate::import::{self, Form, Imported, Options, Script};
use crate::rules;
use crate::script::{MissingSecrets, Source, SourceFile};
use crate::settings::{Diagnostic, Place, Report, Severity};
use crate::worker::{self, Generation};

/// More bytes than any file that is read; the room of the import says so of one that has them.
const MOST_READ: u64 = 8 * 1024 * 1024;

/// Runs the command.
#[must_use]
pub fn run(args: &ImportArgs) -> ExitCode {
    let input = args.file == Path::new("-");
    let name: Arc<str> = if input { "standard input".into() } else { args.file.display().to_string().into() };
    let bytes = match read(&args.file, input) {
        Ok(bytes) => bytes,
        Err(error) => return fail(format!("`{name}` cannot be read: {error}")),
    };
    let options = Options { live: args.live, mend: args.mend, django: args.django };
    let Imported { script, mut report, text } = import::import(&bytes, &name, form(args), options);
    if let Some(script) = &script {
        report.extend(checked(script, &name, &args.reach));
    }
    let files = [SourceFile { path: args.file.clone(), name: Arc::clone(&name), text }];
    draw::print(&report, &files);
    let Some(script) = script.filter(|_| !report.has_errors()) else {
        return fail(format!("nothing is written: `{name}` has to be mended first"));
    };
    match &args.output {
        None => super::written(io::stdout().write_all(script.text.as_bytes())),
        Some(file) => save(file, &script.text, args.force),
    }
}

/// What the file is written in: what was said, else what its name ends in.
fn form(args: &ImportArgs) -> Form {
    match args.format {
        Some(ImportForm::Python) => Form::Python,
        Some(ImportForm::Yaml) => Form::Yaml,
        Some(ImportForm::Json) => Form::Json,
        None => match args.file.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Form::Yaml,
            Some("json") => Form::Json,
            _ => Form::Python,
        },
    }
}

fn read(file: &Path, input: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if input {
        io::stdin().lock().take(MOST_READ).read_to_end(&mut bytes)?;
    } else {
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        File::open(file)?.take(MOST_READ).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What `check` says of the script, told of the lines that it was made from.
fn checked(script: &Script, name: &Arc<str>, reach: &ReachArgs) -> Report {
    let options =
        worker::Options { script: "-".into(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Placeholder };
    let path = std::env::current_dir().unwrap_or_default().join("imported.rhai");
    let source = Source { path, text: Some(script.text.as_str().into()), unit: None };
    let mut report = Report::default();
    let said = match Generation::load(&source, 1, &loading(options, reach)) {
        Ok(generation) => {
            let mut said = generation.report;
            crate::pipeline::rehearse(&generation.specs, &mut said);
            said
        }
        Err(refused) => refused.report,
    };
    for said in said.diagnostics() {
        // What is not set here need not be: the worker runs elsewhere. The script names what it needs.
        let unset = said.rule.is_some_and(|rule| rule.id == rules::VARIABLE_NOT_SET.id);
        if unset || said.severity == Severity::Note {
            continue;
        }
        let line = said.place.as_ref().and_then(|place| usize::try_from(place.line).ok()?.checked_sub(1));
        let origin = line.and_then(|line| script.origins.get(line)).copied().unwrap_or_default();
        let place = Place { file: Arc::clone(name), line: origin.line, column: origin.column };
        report.push(Diagnostic { rule: said.rule, place: Some(place), ..said.clone() });
    }
    report
}

fn save(file: &Path, text: &str, force: bool) -> ExitCode {
    let shown = file.display();
    let mut options = OpenOptions::new();
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    match options.write(true).open(file).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => {
            let said = writeln!(
                anstream::stdout(),
                "wrote {shown}\n\nnext\n  \
                 1. autoscaler check {shown}   every setting with its default filled in\n  \
                 2. autoscaler once {shown}    one measurement and what would be done, without doing it\n  \
                 3. autoscaler {shown}         run"
            );
            if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fail(format!("`{shown}` is there already: name another file, or write over it with `--force`"))
        }
        Err(error) => fail(format!("`{shown}` cannot be written: {error}")),
    }
}
