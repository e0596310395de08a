//! `autoscaler doctor SCRIPT`: what will go wrong, and what to do about it. It reads only.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};

use super::{draw, fail, loading};
use crate::cli::DoctorArgs;
use crate::doctor::{self, Row, Subject, Verdict};
use crate::pipeline::PipelineSpec;
use crate::script::{self, MissingSecrets};
use crate::secret::scrub;
use crate::settings::Report;
use crate::state::MemoryState;
use crate::worker::{Generation, Options, Services};

/// The pipelines of a script, and the variables that it reads.
type Loaded = (Vec<Arc<PipelineSpec>>, Vec<(Arc<str>, bool)>);

/// Runs the command.
pub async fn run(args: DoctorArgs) -> ExitCode {
    let services = match Services::start_silent(Arc::new(MemoryState::default())) {
        Ok(services) => services,
        Err(error) => return fail(error),
    };
    let loaded = match load(&args) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let (specs, needs) = loaded;
    let subject = Subject {
        notify: args.notify,
        state: args.state.clone().unwrap_or_default(),
        dyno: std::env::var("DYNO").ok().filter(|name| !name.is_empty()),
        needs,
    };
    let world = services.world();
    let rows = doctor::examine(&specs, &world, &subject).await;
    services.close().await;
    let mut out = anstream::stdout();
    let written = if args.json {
        let text = serde_json::to_string(&rows).map(|text| scrub(&text).into_owned());
        text.map_err(std::io::Error::from).and_then(|text| writeln!(out, "{text}"))
    } else {
        show(&mut out, &rows)
    };
    let failed = rows.iter().any(|row| row.verdict == Verdict::Fail);
    if failed { ExitCode::from(super::FAILED) } else { super::written(written) }
}

fn load(args: &DoctorArgs) -> Result<Loaded, ExitCode> {
    let refused = |report: &Report, files: &[script::SourceFile]| {
        draw::print(report, files);
        fail("the script does not load: nothing else is looked at")
    };
    let sources = script::sources(&args.script.script).map_err(|said| {
        let mut report = Report::default();
        report.push(*said);
        refused(&report, &[])
    })?;
    let options = Options {
        script: args.script.script.clone(),
        dry_run: false,
        only: args.only.only.clone(),
        secrets: MissingSecrets::Placeholder,
    };
    let loading = loading(options, &args.reach);
    let (mut specs, mut needs) = (Vec::new(), Vec::new());
    for source in &sources {
        match Generation::load(source, 1, &loading) {
            Ok(generation) => {
                draw::print(&generation.report, &generation.files);
                specs.extend(generation.specs);
                needs.extend(generation.needs);
            }
            Err(problems) => return Err(refused(&problems.report, &problems.files)),
        }
    }
    needs.sort();
    needs.dedup();
    if specs.is_empty() {
        return Err(fail("no pipeline is selected"));
    }
    Ok((specs, needs))
}

fn show(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    let bold = |color: AnsiColor| Style::new().bold().fg_color(Some(color.into()));
    let dim = Style::new().dimmed();
    let width = rows.iter().map(|row| row.check.len()).max().unwrap_or_default();
    for row in rows {
        let (word, style) = match row.verdict {
            Verdict::Ok => ("ok", bold(AnsiColor::Green)),
            Verdict::Warn => ("warn", bold(AnsiColor::Yellow)),
            Verdict::Fail => ("FAIL", bold(AnsiColor::Red)),
        };
        let (check, subject) = (row.check, scrub(&row.subject));
        let about = if subject.is_empty() { String::new() } else { format!("{subject}: ") };
        writeln!(out, "{style}{word:<4}{style:#}  {check:<width$}  {about}{}", scrub(&row.found))?;
        if let Some(advice) = &row.advice {
            writeln!(out, "      {:<width$}  {dim}→ {}{dim:#}", "", scrub(advice))?;
        }
    }
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (warnings, failures) = (count(Verdict::Warn), count(Verdict::Fail));
    writeln!(
        out,
        "\n{}: {} fine, {}, {}",
        plural(rows.len(), "check"),
        count(Verdict::Ok),
        plural(warnings, "warning"),
        plural(failures, "failure")
    )
}
