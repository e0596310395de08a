//! `autoscaler pin PIPELINE --at TIME --expect EXPECTATION`: an incident becomes a test of the script.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use super::Fault;
use super::draw;
use super::records::{self, Found};
use crate::cli::PinArgs;
use crate::counted::counted;
use crate::explain::fixture::{self, LEAD, MOST_TICKS, PinnedTest};
use crate::explain::time;
use crate::script::Source;
use crate::state::Query;
use crate::testing::Verdict;
use crate::worker::Generation;

/// Runs the command.
pub async fn run(args: PinArgs) -> ExitCode {
    let found = match records::open(&args.records, args.log.as_deref()).await {
        Ok(found) => found,
        Err(error) => return super::fail(error),
    };
    match pin(&args, &found).await {
        Ok(code) => code,
        Err(fault) => fault.end(),
    }
}

async fn pin(args: &PinArgs, found: &Found) -> Result<ExitCode, Fault> {
    let pipeline = found.pipeline(Some(&args.pipeline)).await?;
    let Some((source, generation)) = found.scripts.unit(&pipeline) else {
        return Err(if found.scripts.units.is_empty() {
            NO_SCRIPT.into()
        } else {
            format!("the script declares no pipeline `{pipeline}`")
        }
        .into());
    };
    let Some(spec) = generation.specs.iter().find(|spec| spec.name == pipeline) else {
        return Err(format!("the script declares no pipeline `{pipeline}`").into());
    };
    let zone = spec.decide.zone;
    let at = time::moment_through(&args.at, zone, found.now).map_err(Fault::Usage)?;
    if at > found.now.max(Utc::now()) + TimeDelta::seconds(1) {
        let (at, now) = (time::dated(at, zone), time::dated(found.now, zone));
        return Err(Fault::Usage(format!(
            "`--at` is {at}, which is still to come (it is {now} in {zone}): a test is made of a tick that was"
        )));
    }
    let tick = found.tick(&pipeline, Some(at)).await?;
    let interval = TimeDelta::from_std(spec.interval()).unwrap_or_default();
    let history = i32::try_from(spec.decide.history_length + 2).unwrap_or(i32::MAX);
    let query = Query {
        pipeline: Some(Arc::clone(&pipeline)),
        since: Some(tick.at - (interval * history).max(LEAD * 2)),
        until: Some(tick.at + TimeDelta::nanoseconds(1)),
        newest: Some(MOST_TICKS.max(spec.decide.history_length + 2) * 2),
    };
    let mut records = found.records(&query).await?;
    if !records.iter().any(|record| record.scaled().is_some())
        && let Some(first) = records.first()
        && let Some(scale) = found.last_scale(&pipeline, first.at).await?
    {
        records.insert(0, scale);
    }
    if let Some(limited) = fixture::limited(spec, &records) {
        let at = time::dated(limited.at, spec.decide.zone);
        return Err(format!(
            "a limit that `{pipeline}` shares with other pipelines held it back at {at}; a test knows one pipeline \
             alone and would go on without the limit, so this cannot be pinned"
        )
        .into());
    }
    let name = source.unit.as_ref().and_then(|unit| pipeline.strip_prefix(&format!("{unit}/"))).unwrap_or(&pipeline);
    let taken: Vec<String> = generation.suite.tests.iter().map(|test| test.name.to_string()).collect();
    let test = fixture::test(spec, name, &records, args.expect, &taken).ok_or_else(|| found.nothing())?;
    if !args.print && !found.scripts.on_disk {
        return Err(Fault::Failed(NO_SCRIPT.into()));
    }
    if args.print {
        return Ok(super::written(write!(anstream::stdout(), "{}", test.text)));
    }
    Ok(add(source, &test)?)
}

const NO_SCRIPT: &str = "a test belongs to a script: name it with --script FILE";

/// Adds `test` to the script and says what it comes to.
fn add(source: &Source, test: &PinnedTest) -> Result<ExitCode, String> {
    let shown = source.path.display();
    // What is written over is the file, never the link to it.
    let path = source.path.canonicalize().map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let before = fs::read(&path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let text = String::from_utf8(before.clone()).map_err(|_| format!("`{shown}` is not UTF-8 text"))?;
    let with_test = appended(&text, &test.text);
    let verdict = match tried(source, &with_test, &test.name) {
        Ok(verdict) => verdict,
        Err(refused) => {
            draw::print(&refused.report, &refused.files);
            return Err(format!("`{shown}` would not load with the test, and is left as it was:\n{}", test.text));
        }
    };
    replace(&path, &before, with_test.as_bytes())
        .map_err(|error| format!("`{shown}` is left as it was ({error}); the test is\n{}", test.text))?;
    let mut out = anstream::stdout();
    let ticks = counted(test.ticks, "tick");
    let written = writeln!(out, "added `{}` to {shown}: {ticks} as they were recorded", test.name).and_then(|()| {
        match verdict.as_ref().and_then(|verdict| verdict.fault.as_ref()) {
            Some(fault) => writeln!(
                out,
                "it fails now: {}\nwhile it does, a running worker stays at the version that it has; \
                 run `autoscaler test {shown}`",
                fault.message
            ),
            None => writeln!(out, "it passes already: the script as it is does what is expected, and must go on to"),
        }
    });
    Ok(super::written(written))
}

/// The script with the test at its end, its line ends kept.
fn appended(text: &str, test: &str) -> String {
    let ends = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut whole = text.to_owned();
    if !text.ends_with('\n') {
        whole.push_str(ends);
    }
    whole.push_str(ends);
    whole.push_str(&test.replace('\n', ends));
    whole
}

/// What the test comes to in the script as it would be; its text is loaded in the place of the file's.
fn tried(source: &Source, text: &str, name: &str) -> Result<Option<Verdict>, crate::worker::Refused> {
    let source = Source { text: Some(text.trim_start_matches('\u{feff}').into()), ..source.clone() };
    let loading = records::pretending(&source.path);
    let generation = Generation::load(&source, 1, &loading)?;
    Ok(generation.suite.run(|test| test == name, None).pop())
}

/// Puts `after` in the place of the file's text, at once and whole, unless it is no longer `before`.
fn replace(path: &Path, before: &[u8], after: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A worker takes what ends with `.rhai` for a script.
    let new = folder.join(format!(".{name}.{}.pin", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(after)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        if fs::read(path)? != before {
            return Err(io::Error::other("it was saved by somebody else meanwhile"));
        }
        fs::rename(&new, path)
    })();
    if written.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_comes_after_a_blank_line_with_the_line_ends_of_the_script() {
        assert_eq!(appended("a();", "fn t() {\n}\n"), "a();\n\nfn t() {\n}\n");
        assert_eq!(appended("a();\r\n", "fn t() {\n}\n"), "a();\r\n\r\nfn t() {\r\n}\r\n");
    }

    #[test]
    fn a_script_that_was_saved_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rhai");
        fs::write(&path, "new").unwrap();
        assert!(replace(&path, b"old", b"after").is_err_and(|error| error.to_string().contains("meanwhile")));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
        replace(&path, b"new", b"after").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"after");
    }
}
