//! A worker follows its script: every way of saving, what stays over a reload, and what a broken save does.

use std::time::{Duration, Instant};

use super::{NOWHERE, run, ticking, web};
use crate::harness::{AppServer, FakeHeroku, Manner, Script, Signal, Worker, wait_for};

/// Waits for `needle`, and prints how long after `saved` it came.
fn in_force(worker: &Worker, mark: usize, needle: &str, saved: Instant, how: &str) {
    let line = worker.line_after(mark, needle);
    println!("{how}: in force {:?} after the save", line.at - saved);
}

/// A pipeline that measures 500 and scales where that is above `max`.
fn threshold(max: u32) -> String {
    format!(
        "pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || 500),
            decide: decide::consecutive_threshold(#{{
                number_of_fails_to_scale_up_after: 1, min_measurement_value: 100, max_measurement_value: {max}, max_dynos: 2,
            }}),
            scale: scale::custom(#{{ memory: #{{ n: 1 }} }}, || this.n, |n| {{ this.n = n; print(`scaled to ${{n}}`) }}),
            notify: notify::console(),
        }});"
    )
}

/// A way of saving a script.
type Save = fn(&Script, &str);

#[test]
fn every_way_of_saving_puts_new_thresholds_in_force() {
    let ways: [(&str, Save); 3] = [
        ("saved in place", |script, text| script.save(text)),
        ("saved by rename", |script, text| script.save_by_rename(text)),
        ("swapped as a ConfigMap", |script, text| script.swap_config_map("..second", text)),
    ];
    for (how, save) in ways {
        let first = threshold(600);
        let script = if how.contains("ConfigMap") { Script::config_map(&first) } else { Script::new(&first) };
        let mut worker = run(&script);
        worker.line("runs web");
        let (mark, saved) = (worker.mark(), Instant::now());
        save(&script, &threshold(450));
        in_force(&worker, mark, "web: scaled to 2", saved, how);
        worker.line_after(mark, "INFO  reloaded: in force for `web`");
        worker.line_after(mark, "Reloaded script.rhai: in force for `web` (`max_measurement_value` 600 → 450).");
        worker.stop(Signal::Terminate);
        assert_eq!(worker.count(0, "scaled to"), 1, "{how}: {}", worker.text());
    }
}

#[test]
fn a_second_swap_of_a_config_map_is_followed_too() {
    let script = Script::config_map(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    script.swap_config_map("..second", &ticking("web", "two"));
    worker.line("web: two");
    script.swap_config_map("..third", &ticking("web", "three"));
    worker.line("web: three");
    worker.stop(Signal::Terminate);
}

#[test]
fn an_edited_import_and_an_edited_function_count_as_edits() {
    let main = |word: &str| {
        format!(
            "import \"lib/words\" as words;
             fn own() {{ \"{word}\" }}
             pipeline(\"web\", #{{
                 measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(own() + \" \" + words::theirs()); 1 }}),
                 decide: |m| hold(\"\"), {NOWHERE},
             }});"
        )
    };
    let script = Script::new(&main("own-1"));
    script.write("lib/words.rhai", "fn theirs() { \"theirs-1\" }");
    let mut worker = run(&script);
    worker.line("own-1 theirs-1");
    let (mark, saved) = (worker.mark(), Instant::now());
    script.write("lib/words.rhai", "fn theirs() { \"theirs-2\" }");
    in_force(&worker, mark, "own-1 theirs-2", saved, "an import");
    let (mark, saved) = (worker.mark(), Instant::now());
    script.save(&main("own-2"));
    in_force(&worker, mark, "own-2 theirs-2", saved, "a function");
    // A broken import is told with its own place, and does not stop what runs.
    let mark = worker.mark();
    script.write("lib/words.rhai", "fn theirs() { \"theirs-3\" ");
    let line = worker.line_after(mark, "ERROR ");
    assert!(line.text.contains("lib/words.rhai:1:"), "{}", line.text);
    worker.line_after(worker.mark(), "own-2 theirs-2");
    let mark = worker.mark();
    script.write("lib/words.rhai", "fn theirs() { \"theirs-4\" }");
    worker.line_after(mark, "own-2 theirs-4");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_hangup_reloads_even_what_did_not_change() {
    let script = Script::new(&ticking("web", "tick"));
    let mut worker = run(&script);
    worker.line("web: tick");
    worker.signal(Signal::Hangup);
    worker.line("reloaded: in force for `web`");
    worker.line_after(worker.mark(), "web: tick");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_broken_save_keeps_the_old_script_and_says_so_until_it_is_mended() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    let mark = worker.mark();
    script.save(&ticking("web", "two").replacen("measure:", "mesure:", 1));
    let logged = worker.line_after(mark, "ERROR script.rhai was saved with an error; the old one runs on");
    let told = worker.line_after(mark, "script.rhai was saved with an error, the old one runs on. ");
    assert!(told.text.contains("script.rhai:2:"), "{}", told.text);
    assert!(told.text.contains("unknown setting `mesure`") && told.text.contains("did you mean `measure`?"));
    // Every error is a line of the log, and stands before the summing up.
    let error = worker.line_where(mark, "an error of the log about `mesure`", |line| {
        line.text.starts_with(|c: char| c.is_ascii_digit())
            && line.text.contains(" ERROR ")
            && line.text.contains("unknown setting `mesure`")
    });
    assert!(error.at <= logged.at);
    worker.line_after(worker.mark(), "web: one");
    // The same error again is no news, another one is.
    let mark = worker.mark();
    script.save(&ticking("web", "two").replace("decide:", "decidee:"));
    worker.line_after(mark, "unknown setting `decidee`");
    let mark = worker.mark();
    script.save(&ticking("web", "three"));
    worker.line_after(mark, "web: three");
    worker.line_after(mark, "script.rhai loads again.");
    // Only what was accepted counts.
    worker.line_after(
        mark,
        "reloaded: in force for `web` (the function of `measure` was edited) script=script.rhai generation=2",
    );
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "web: two"), 0);
}

#[test]
fn taking_a_broken_edit_back_is_announced_too() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    script.save("let a = ;");
    worker.line("was saved with an error");
    let mark = worker.mark();
    script.save(&ticking("web", "one"));
    worker.line_after(mark, "script.rhai loads again.");
    worker.line_after(worker.mark(), "web: one");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "Reloaded"), 0, "{}", worker.text());
}

#[test]
fn a_save_in_two_steps_raises_no_alarm() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    let whole = ticking("web", "two");
    for part in ["", &whole[..whole.len() / 2]] {
        script.save(part);
        let later = Instant::now() + Duration::from_millis(60);
        wait_for("some time between the steps", || Instant::now() >= later);
    }
    script.save(&whole);
    worker.line("web: two");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "ERROR"), 0, "{}", worker.text());
}

#[test]
fn a_deleted_script_runs_on() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    script.remove("script.rhai");
    worker.line("script.rhai is gone, the old one runs on.");
    worker.line_after(worker.mark(), "web: one");
    script.save(&ticking("web", "two"));
    worker.line("web: two");
    worker.line("script.rhai loads again.");
    worker.stop(Signal::Terminate);
}

#[test]
fn history_cooldown_and_memory_stay() {
    let text = |word: &str| {
        format!(
            "pipeline(\"web\", #{{
                measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || 7),
                history_length: 1000, post_scale_wait_time_seconds: 0, max_dynos: 9,
                decide: |m| {{ this.n = (this.n ?? 0) + 1; print(`{word} call ${{this.n}} history ${{m.history.len()}}`); hold(\"\") }},
                {NOWHERE},
            }});
            pipeline(\"hot\", #{{
                measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(\"{word} tick\"); 7 }}),
                post_scale_wait_time_seconds: 3600, max_dynos: 9,
                decide: |m| up(1),
                scale: scale::custom(#{{ memory: #{{ n: 1 }} }}, || this.n, |n| {{ this.n = n; print(`scaled to ${{n}}`) }}),
            }});"
        )
    };
    let script = Script::new(&text("old"));
    let mut worker = run(&script);
    worker.line("hot: scaled to 2");
    let numbers = |line: &str| -> (u64, u64) {
        let mut words = line.split(' ').rev();
        let history = words.next().unwrap().parse().unwrap();
        (words.nth(1).unwrap().parse().unwrap(), history)
    };
    wait_for("some calls", || worker.count(0, "old call") >= 5);
    script.save(&text("new"));
    worker.line("new call");
    worker.line("hot: new tick");
    let lines = worker.lines();
    let last = |word: &str| numbers(&lines.iter().rfind(|line| line.text.contains(word)).unwrap().text);
    let first = numbers(&worker.line("new call").text);
    let before = last("old call");
    // The next call of the next generation: no call is lost, no measurement is forgotten.
    assert_eq!(first, (before.0 + 1, before.1 + 1), "{}", worker.text());
    // The cooldown of an hour holds over the reload.
    let mark = worker.mark();
    wait_for("ticks of the new script", || worker.count(mark, "hot: new tick") >= 5);
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "hot: scaled to"), 1, "{}", worker.text());
}

#[test]
fn pipelines_come_go_and_are_renamed() {
    let script = Script::new(&ticking("web", "w"));
    let mut worker = run(&script);
    worker.line("web: w");
    script.save(&format!("{}{}", ticking("web", "w"), ticking("celery", "c")));
    worker.line("Reloaded script.rhai: added `celery`; in force for `web`.");
    worker.line("celery: c");
    script.save(&ticking("celery", "c"));
    worker.line("Reloaded script.rhai: removed `web`; in force for `celery`.");
    let mark = worker.mark();
    wait_for("ticks of the one that stays", || worker.count(mark, "celery: c") >= 5);
    assert!(worker.count(mark, "web: w") <= 1, "{}", worker.text());
    script.save(&ticking("jobs", "j"));
    worker.line("Reloaded script.rhai: added `jobs`; removed `celery`.");
    worker.line("jobs: j");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_newer_save_overtakes_one_that_does_not_end() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    script.save("loop {}");
    let loading = Instant::now() + Duration::from_secs(1);
    wait_for("the endless script to be loading", || Instant::now() >= loading);
    let (mark, saved) = (worker.mark(), Instant::now());
    script.save(&ticking("web", "two"));
    in_force(&worker, mark, "web: two", saved, "after an endless one");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "used up"), 0, "{}", worker.text());
}

#[test]
fn an_unchanged_save_is_no_reload() {
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run(&script);
    worker.line("web: one");
    script.save(&ticking("web", "one"));
    script.write("notes.txt", "beside it");
    let mark = worker.mark();
    // Longer than the look at the files that comes without any event.
    wait_for("ticks", || worker.count(mark, "web: one") >= 110);
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "eloaded"), 0, "{}", worker.text());
}

#[test]
fn a_script_from_standard_input_is_never_reloaded() {
    let script = Script::new("");
    let mut worker =
        crate::harness::Autoscaler::new(["run", "-"]).folder(script.root()).input(ticking("web", "one")).spawn();
    worker.line("web: one");
    script.write("other.rhai", "1");
    let mark = worker.mark();
    wait_for("ticks", || worker.count(mark, "web: one") >= 110);
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "eloaded") + worker.count(0, "ERROR"), 0, "{}", worker.text());
}

#[test]
fn a_pipeline_that_goes_and_comes_back_within_a_tick_does_not_overlap_itself() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    app.set(Manner::slow(Duration::from_secs(2)));
    let (with, without) = (web(&app, &heroku, 1), ticking("other", "tick"));
    let script = Script::new(&format!("{with}{without}"));
    let mut worker =
        super::Autoscaler::on("run", &script.path()).arg("--dry-run").env(super::KEY.0, super::KEY.1).spawn();
    wait_for("a request", || app.hits() == 1);
    script.save(&without);
    worker.line("removed `web`");
    script.save(&format!("{without}{with}"));
    worker.line("added `web`");
    wait_for("a request of the new one", || app.hits() >= 2);
    worker.stop(Signal::Terminate);
    assert_eq!(app.most_at_once(), 1);
}

#[test]
fn a_broken_import_is_named_and_its_mend_is_said_once() {
    let script = Script::new(&format!("import \"lib\" as lib;\n{}", ticking("web", "one")));
    script.write("lib.rhai", "fn one() { 1 }");
    let mut worker = run(&script);
    worker.line("web: one");
    script.write("lib.rhai", "fn one( { 1 }");
    worker.line("ERROR lib.rhai was saved with an error; the old one runs on");
    worker.line("lib.rhai was saved with an error, the old one runs on. ");
    let mark = worker.mark();
    script.write("lib.rhai", "fn one() { 2 }");
    worker.line_after(mark, "script.rhai loads again. Reloaded: in force for `web`.");
    worker.line_after(worker.mark(), "web: one");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "Reloaded script.rhai"), 0, "{}", worker.text());
    assert_eq!(worker.count(0, "the one that runs again"), 0, "{}", worker.text());
}
