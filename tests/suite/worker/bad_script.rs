//! Bad scripts, and what each gets: one clear message with its place and its mend, exit code 1, and a running
//! worker that keeps its old script.

use serde_json::Value as Json;

use super::{NOWHERE, run, ticking};
use crate::harness::{Autoscaler, Script, Signal};

/// A script and what is said of it.
struct Bad {
    what: &'static str,
    text: String,
    /// Line and column; (0, 0): the file as a whole.
    place: (u32, u32),
    message: &'static str,
    help: &'static str,
}

/// A pipeline whose second line is `line`, beside good stages for all keys that it does not write.
fn pipeline(line: &str) -> String {
    let or = |key: &str, stage: &str| if line.contains(key) { String::new() } else { format!("  {stage},\n") };
    format!(
        "pipeline(\"web\", #{{\n  {line},\n{}{}{}}});\n",
        or("measure:", "measure: || 1"),
        or("decide:", "decide: |m| up(1)"),
        or("scale:", NOWHERE)
    )
}

fn bad(what: &'static str, text: String, place: (u32, u32), message: &'static str, help: &'static str) -> Bad {
    Bad { what, text, place, message, help }
}

/// Everything that can be told of one file alone.
fn table() -> Vec<Bad> {
    [settings(), bounds_and_times(), stages(), code(), files()].into_iter().flatten().collect()
}

fn settings() -> Vec<Bad> {
    vec![
        bad(
            "an unknown setting of a pipeline",
            pipeline("color: \"red\""),
            (2, 3),
            "unknown setting `color` of pipeline `web`",
            "it knows ",
        ),
        bad(
            "a misspelt setting",
            pipeline("measure: measure::response_time(#{ base_url: \"http://127.0.0.1:9\", mesurement_url: \"/\" })"),
            (2, 70),
            "unknown setting `mesurement_url` of `measure::response_time`",
            "did you mean `measurement_url`?",
        ),
        bad(
            "a missing stage",
            format!("pipeline(\"web\", #{{ measure: || 1, {NOWHERE} }});"),
            (1, 17),
            "pipeline `web` needs the setting `decide`",
            "a stage: `decide::consecutive_threshold(#{ … })`",
        ),
        bad(
            "a missing setting",
            pipeline("scale: scale::heroku(#{ app_name: \"shop\" })"),
            (2, 24),
            "`scale::heroku` needs the setting `api_key`",
            "env::secret(\"NAME\")",
        ),
        bad(
            "a text where a number is due",
            pipeline("decide: decide::consecutive_threshold(#{ min_dynos: \"two\" })"),
            (2, 44),
            "`min_dynos` takes a whole number, or a table by time of day such as `#{ \"0:00\": 1, \"9:00\": 5 }`, with days as in \"mon-fri 9:00\", not the text \"two\"",
            "",
        ),
        bad(
            "a fraction where a whole number is due",
            pipeline("increment: 1.5"),
            (2, 3),
            "`increment` takes a whole number, not the number 1.5",
            "",
        ),
        bad(
            "a negative interval",
            pipeline("measure: measure::custom(#{ measurement_interval_in_seconds: -3 }, || 1)"),
            (2, 31),
            "`measurement_interval_in_seconds` is -3, and must be above 0",
            "",
        ),
        bad(
            "an interval of zero",
            pipeline("measure: measure::custom(#{ measurement_interval_in_seconds: 0 }, || 1)"),
            (2, 31),
            "`measurement_interval_in_seconds` is 0, and must be above 0",
            "",
        ),
    ]
}

fn bounds_and_times() -> Vec<Bad> {
    vec![
        bad(
            "a minimum above the maximum",
            pipeline("min_dynos: 5, max_dynos: 2"),
            (2, 3),
            "`min_dynos` is 5, above `max_dynos`, 2",
            "",
        ),
        bad(
            "a time that is none",
            pipeline("max_dynos: #{ \"25:00\": 2 }"),
            (2, 17),
            "`25:00` in `max_dynos` is no time of day",
            "\"H:MM\", from \"0:00\" to \"23:59\", such as \"9:30\"",
        ),
        bad(
            "an unknown time zone",
            pipeline("time_zone: \"America/Vancuver\""),
            (2, 3),
            "`America/Vancuver` is no time zone",
            "did you mean `America/Vancouver`?",
        ),
    ]
}

fn stages() -> Vec<Bad> {
    let twice = format!("{}{}", pipeline("increment: 1"), pipeline("increment: 1"));
    vec![
        bad("two pipelines of one name", twice, (7, 1), "two pipelines are named `web`; the first is at ", ""),
        bad(
            "an unknown backend",
            pipeline("measure: measure::reponse_time(#{})"),
            (2, 12),
            "unknown function `measure::reponse_time`",
            "did you mean `response_time`?",
        ),
        bad("a number where a stage is due", pipeline("decide: 7"), (2, 3), "`decide` takes ", ""),
        bad(
            "too many parameters",
            pipeline("decide: |m, n| up(1)"),
            (2, 11),
            "the function for `decide` takes 2 parameters, and is called with 1",
            "write `|m| …`",
        ),
        bad(
            "too few parameters",
            pipeline("notify: || print(1)"),
            (2, 11),
            "the function for `notify` takes 0 parameters, and is called with 1",
            "write `|event| …`",
        ),
    ]
}

fn code() -> Vec<Bad> {
    vec![
        bad(
            "an unknown module",
            pipeline("measure: || stat::mean(1)"),
            (2, 15),
            "unknown module `stat`",
            "did you mean `stats`?",
        ),
        bad(
            "an unknown function, deep in a closure",
            pipeline("decide: |m| { if m.value > 1 { upp(1) } }"),
            (2, 34),
            "unknown function `upp`",
            "did you mean `up`?",
        ),
        bad(
            "eval",
            format!("eval(\"1\");\n{}", pipeline("increment: 1")),
            (1, 1),
            "`eval` is off in scripts",
            "`import` what you need",
        ),
        bad(
            "sleep",
            pipeline("measure: || { sleep(1); 1 }"),
            (2, 17),
            "`sleep` is off in scripts",
            "the engine owns time",
        ),
        bad(
            "an import that climbs out",
            format!("import \"../other\" as o;\n{}", pipeline("increment: 1")),
            (1, 8),
            "the import `../other` leaves the script's folder",
            "a path is relative to the script's folder, without `..`",
        ),
        bad(
            "an import by an absolute path",
            format!("import \"/etc/other\" as o;\n{}", pipeline("increment: 1")),
            (1, 8),
            "the import `/etc/other` leaves the script's folder",
            "a path is relative to the script's folder, without `..`",
        ),
        bad("a syntax error", "let a = ;".into(), (1, 9), "unexpected `;`", ""),
    ]
}

fn files() -> Vec<Bad> {
    vec![
        bad("no pipeline", "let a = 1;".into(), (0, 0), "the script declares no pipeline", "declare one: `pipeline("),
        bad(
            "an empty file",
            String::new(),
            (0, 0),
            "`SCRIPT` is empty",
            "declare a pipeline with `pipeline(\"web\", #{ … })`",
        ),
        bad(
            "an endless script",
            "loop {}".into(),
            (1, 6),
            "the script used up its ",
            "is there a loop that does not end?",
        ),
        bad(
            "an enormous script",
            format!("{}// {}", pipeline("increment: 1"), "x".repeat(1024 * 1024)),
            (0, 0),
            "`SCRIPT` is larger than 1 MiB",
            "declare pipelines in a loop, or `import` parts of it",
        ),
        bad(
            "too many functions",
            "let a = || 1;\n".repeat(2001),
            (2001, 0),
            "the file has more than 2000 closures and functions",
            "declare pipelines in a loop",
        ),
    ]
}

/// Fails unless `diagnostic` says what `bad` expects.
fn assert_says(diagnostic: &Json, bad: &Bad, script: &Script) {
    let path = script.path().display().to_string();
    let what = bad.what;
    assert_eq!(diagnostic["severity"], "error", "{what}: {diagnostic}");
    assert_eq!(diagnostic["file"], path, "{what}");
    let number = |key: &str| diagnostic[key].as_u64().unwrap_or(0);
    assert_eq!(number("line"), u64::from(bad.place.0), "{what}: {diagnostic}");
    if bad.place.1 > 0 {
        assert_eq!(number("column"), u64::from(bad.place.1), "{what}: {diagnostic}");
    }
    let message = diagnostic["message"].as_str().unwrap();
    assert!(message.starts_with(&bad.message.replace("SCRIPT", &path)), "{what}: {message}");
    let help = diagnostic["help"].as_str().unwrap_or_default();
    assert!(help.contains(bad.help) && (bad.help.is_empty() == help.is_empty()), "{what}: {help}");
}

#[test]
fn each_gets_one_message_with_its_place_and_its_mend() {
    let mut wrong = Vec::new();
    for bad in table() {
        let script = Script::new(&bad.text);
        let said = Autoscaler::on("check", &script.path()).arg("--json").run();
        let checked = std::panic::catch_unwind(|| {
            assert_eq!(said.code, Some(1), "{}: {said:?}", bad.what);
            let json = said.json();
            let diagnostics = json["diagnostics"].as_array().unwrap();
            assert_eq!(diagnostics.len(), 1, "{}: {json}", bad.what);
            assert_says(&diagnostics[0], &bad, &script);
        });
        if checked.is_err() {
            wrong.push(format!("{}: {}", bad.what, said.stdout));
        }
    }
    assert!(wrong.is_empty(), "{} of the table:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn run_and_once_refuse_what_check_refuses() {
    for bad in table().into_iter().filter(|bad| !bad.what.contains("endless")).step_by(4) {
        let script = Script::new(&bad.text);
        for command in ["run", "once"] {
            let said = Autoscaler::on(command, &script.path()).run().expect(1);
            let message = bad.message.replace("SCRIPT", &script.path().display().to_string());
            assert!(said.stderr.contains(&message), "{command}, {}: {}", bad.what, said.stderr);
            assert_eq!(said.stdout, "", "{command}, {}", bad.what);
        }
    }
}

#[test]
fn a_running_worker_keeps_its_old_script_through_all_of_them() {
    let script = Script::new(&ticking("web", "old"));
    let mut worker = run(&script);
    worker.line("web: old");
    for bad in table().into_iter().filter(|bad| !bad.what.contains("endless")) {
        let mark = worker.mark();
        script.save(&bad.text);
        let told = worker.line_after(mark, "script.rhai was saved with an error, the old one runs on. ");
        let message = bad.message.replace("SCRIPT", &script.path().display().to_string());
        assert!(told.text.contains(&message), "{}: {}", bad.what, told.text);
        worker.line_after(worker.mark(), "web: old");
    }
    let mark = worker.mark();
    script.save(&ticking("web", "new"));
    worker.line_after(mark, "web: new");
    worker.stop(Signal::Terminate);
}

#[test]
fn an_endless_save_is_told_in_the_end() {
    let script = Script::new(&ticking("web", "old"));
    let mut worker = run(&script);
    worker.line("web: old");
    script.save("loop {}");
    worker.line("script.rhai was saved with an error, the old one runs on. ");
    worker.line("the script used up its ");
    worker.line_after(worker.mark(), "web: old");
    worker.stop(Signal::Terminate);
}

#[test]
fn what_is_no_script_at_all() {
    let script = Script::new("");
    let missing = script.root().join("nope.rhai");
    let said = Autoscaler::on("check", &missing).run().expect(1);
    let path = missing.display();
    assert_eq!(said.stderr, format!("error: there is no `{path}`\n--> {path}\n\n1 error in {path}\n"));
    let folder = script.root().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let said = Autoscaler::on("check", &folder).run().expect(1);
    assert!(said.stderr.contains(&format!("the folder `{}` has no scripts", folder.display())), "{}", said.stderr);
    assert!(said.stderr.contains("put one `*.rhai` file per unit at its top"), "{}", said.stderr);
    std::fs::write(script.path(), b"let a = 1;\nlet b = \"\xff\xfe\";").unwrap();
    let said = Autoscaler::on("check", &script.path()).run().expect(1);
    assert!(said.stderr.contains("is not UTF-8 text: see line 2"), "{}", said.stderr);
    assert!(said.stderr.contains("save it as UTF-8"), "{}", said.stderr);
    for command in ["run", "once"] {
        Autoscaler::on(command, &missing).run().expect(1);
        Autoscaler::on(command, &folder).run().expect(1);
        Autoscaler::on(command, &script.path()).run().expect(1);
    }
}

#[test]
fn an_import_that_leaves_by_a_link_or_is_missing() {
    let outside = Script::named("outside.rhai", "fn f() { 1 }");
    let script = Script::new(&format!("import \"link\" as l;\n{}", pipeline("increment: 1")));
    std::os::unix::fs::symlink(outside.path(), script.root().join("link.rhai")).unwrap();
    let said = Autoscaler::on("check", &script.path()).run().expect(1);
    assert!(said.stderr.contains("the import `link` leaves the script's folder"), "{}", said.stderr);
    script.save(&format!("import \"lib/nope\" as l;\n{}", pipeline("increment: 1")));
    let said = Autoscaler::on("check", &script.path()).run().expect(1);
    assert!(said.stderr.contains(":1:8"), "{}", said.stderr);
    assert!(said.stderr.contains("`lib/nope`"), "{}", said.stderr);
}

#[test]
fn a_missing_variable_is_a_need_to_check_and_an_error_to_run() {
    let script =
        Script::new(&pipeline("scale: scale::heroku(#{ app_name: \"shop\", api_key: env::secret(\"SHOP_KEY\") })"));
    let said = Autoscaler::on("check", &script.path()).run().expect(0);
    assert!(said.stdout.contains("needs SHOP_KEY (not set here)"), "{}", said.stdout);
    for value in [None, Some("")] {
        let mut run = Autoscaler::on("run", &script.path());
        if let Some(value) = value {
            run = run.env("SHOP_KEY", value);
        }
        let said = run.run().expect(1);
        assert!(
            said.stderr.contains("error[variable-not-set]: the environment variable `SHOP_KEY` is not set"),
            "{}",
            said.stderr
        );
        assert!(said.stderr.contains("script.rhai:2:54"), "{}", said.stderr);
        assert!(said.stderr.contains("set it where the worker runs"), "{}", said.stderr);
    }
}
