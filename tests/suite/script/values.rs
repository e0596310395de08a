//! What scripts see and answer: `m`, `event`, answers, `this`, secrets, the environment.

use std::sync::Arc;

use autoscaler::function::{Argument, Movement, Returned, This};
use autoscaler::pipeline::{Event, EventKind, Phase};
use autoscaler::script::MissingSecrets;
use autoscaler::settings::Value;
use serde_json::{Value as Json, json};

use super::bench::{Bench, call, change, failure, files, moment, permit, script, start};

fn decide(text: &str) -> Bench {
    script(&format!("pipeline(\"p\", #{{ decide: {text} }});"))
}

fn answer(text: &str) -> Json {
    match decide(text).decide("p", 300.0) {
        Ok(Returned::Data(data)) => data,
        Ok(Returned::Int(value)) => json!(value),
        Ok(Returned::Float(value)) => json!(value),
        Ok(Returned::Nothing) => Json::Null,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_moment() {
    assert_eq!(
        answer(
            "|m| [m.value, m.data, m.success, m.error, m.dynos, m.min_dynos, m.max_dynos, m.seconds_since_scale, m.pipeline]"
        ),
        json!([300.0, 300.0, true, null, 2, 1, 5, null, "web"])
    );
    assert_eq!(
        answer("|m| [m.now.year, m.now.month, m.now.day, m.now.hour, m.now.minute, m.now.weekday, m.now.weekday_name]"),
        json!([2026, 11, 24, 1, 30, 2, "tuesday"])
    );
    let failed = decide("|m| [m.success, m.error, m.data]");
    let returned = call(&failed.function("p", "decide"), Argument::Moment(moment(None)), &mut json!({}));
    assert_eq!(returned, Ok(Returned::Data(json!([false, "gone", null]))));
    let said = failure(decide("|m| { let k = [m][0]; k.value = 3; k.value }").decide("p", 1.0));
    assert!(!said.contains("::"), "{said}");
}

#[test]
fn histories() {
    assert_eq!(
        answer(
            "|m| [m.history.average(3), m.history.max(2), m.history.min(2), m.history.slope(3), m.history.average(4)]"
        ),
        json!([200.0, 300.0, 200.0, 100.0, null])
    );
    assert_eq!(
        answer("|m| [m.past.average(2), m.past.len(), m.past[0], m.past[-1], m.past[2], m.past.to_array()]"),
        json!([null, 4, 50.0, 300.0, null, [50.0, 100.0, null, 300.0]])
    );
    assert_eq!(answer("|m| { let sum = 0.0; for v in m.history { sum += v; } sum }"), json!(600.0));
    assert_eq!(answer("|m| [m.history.consecutive_above(150), m.history.consecutive_below(1000.0)]"), json!([2, 3]));
    assert_eq!(answer("|m| stats::median(m.history) + stats::percentile([1, 2, 3], 50)"), json!(202.0));
    let said = failure(decide("|m| m.history[3]").decide("p", 1.0));
    assert!(said.contains("the history has 3 values, and none at 3"), "{said}");
    let said = failure(decide("|m| m.history.average([0][0])").decide("p", 1.0));
    assert!(said.contains("`average` takes a whole number of at least 1, not 0"), "{said}");
    let said = failure(decide("|m| { let h = [m.history][0]; h.avrage(1) }").decide("p", 1.0));
    assert!(
        said.contains("unknown function `avrage` for a history") && said.contains("did you mean `average`?"),
        "{said}"
    );
}

#[test]
fn answers_and_those_that_are_lost() {
    let returned = change(decide("|m| up(2).because(\"busy\")").decide("p", 1.0));
    assert_eq!((returned.movement, returned.reason.as_deref()), (Movement::Up(2.0), Some("busy")));
    assert!(returned.dropped.is_empty());
    let returned = change(decide("|m| { if true { up(1) } if true { up(2) } }").decide("p", 1.0));
    assert_eq!((returned.movement, returned.dropped), (Movement::Up(2.0), vec!["up(1)".to_owned()]));
    let returned = change(decide("|m| { if true { up(1) } if false { up(2) } }").decide("p", 1.0));
    assert_eq!((returned.movement, returned.dropped), (Movement::Hold, vec!["up(1)".to_owned()]));
    let returned = change(decide("|m| { down(1); 4 }").decide("p", 1.0));
    assert_eq!((returned.movement, returned.dropped), (Movement::To(4.0), vec!["down(1)".to_owned()]));
    assert!(decide("|m| { up(1); throw \"no\" }").decide("p", 1.0).is_err());
    assert_eq!(decide("|m| ()").decide("p", 1.0), Ok(Returned::Nothing));
    assert_eq!(decide("|m| measure::failed(\"why\")").decide("p", 1.0), Ok(Returned::Failed("why".into())));
    for (text, part) in [
        ("|m| up([\"1\"][0])", "`up` takes a number, not a text"),
        ("|m| up(0.0 / 0.0)", "`up` takes a number, not NaN"),
        ("|m| |x| x", "the function returned a function, which no stage can use"),
        ("|m| 5.because(\"x\")", "`because` belongs to an answer"),
        ("|m| throw #{ code: 5 }", "{\"code\":5}"),
        ("|m| throw \"mine\"", "mine (test.rhai:1:30)"),
    ] {
        let said = failure(decide(text).decide("p", 1.0));
        let said = said.replace(said.split("test.rhai").next().unwrap().rsplit("(/").next().unwrap(), "");
        assert!(said.replace("(/test", "(test").contains(part), "{text}: {said}");
    }
}

#[test]
fn this_is_kept_only_if_the_call_succeeds() {
    let bench = decide("|m| { this.n = (this.n ?? 0) + 1; if m.value > 5 { throw \"no\" } this.n }");
    let function = bench.function("p", "decide");
    let mut memory = json!({ "n": 4 });
    assert_eq!(call(&function, Argument::Moment(moment(Some(1.0))), &mut memory), Ok(Returned::Int(5)));
    assert_eq!(memory, json!({ "n": 5 }));
    assert!(call(&function, Argument::Moment(moment(Some(9.0))), &mut memory).is_err());
    assert_eq!(memory, json!({ "n": 5 }));
}

#[test]
fn this_is_the_same_from_call_to_call_and_shares_nothing_with_what_it_was_made_of() {
    let function = decide(
        "|m| {
            let list = this.list ?? [];
            let add = |x| list.push(x);
            add.call(m.value);
            this.list = list;
            this.first = this.first ?? list;
            list.push(0.5);
            this.text = \"ä\";
            `${this.list} ${this.first}`
        }",
    )
    .function("p", "decide");
    let mut this = This::default();
    for said in ["[1.0] [1.0]", "[1.0, 1.0] [1.0]", "[1.0, 1.0, 1.0] [1.0]"] {
        let answer = function.call(Argument::Moment(moment(Some(1.0))), &mut this, &permit());
        assert_eq!(answer, Ok(Returned::Data(said.into())));
    }
    assert_eq!(this, json!({ "first": [1.0], "list": [1.0, 1.0, 1.0], "text": "ä" }));
}

#[test]
fn this_refuses_what_cannot_be_kept() {
    for (text, part) in [
        ("|m| { this = 5; 1 }", "`this` is a map, and cannot be replaced"),
        ("|m| { this.f = |x| x; 1 }", "not a function in `f`"),
        ("|m| { this.x = 0.0 / 0.0; 1 }", "not the number NaN in `x`"),
        ("|m| { let s = \"\"; s.pad(70_000, 'x'); this.s = s; 1 }", "and may have 64 KiB"),
    ] {
        let function = decide(text).function("p", "decide");
        let mut memory = json!({ "kept": 1 });
        let said = failure(call(&function, Argument::Moment(moment(Some(1.0))), &mut memory));
        assert!(said.contains(part) && said.contains("test.rhai:1:26"), "{text}: {said}");
        assert_eq!(memory, json!({ "kept": 1 }), "{text}");
    }
}

#[test]
fn events() {
    let event = Arc::new(Event {
        kind: EventKind::Scaled,
        phase: Phase::Once,
        key: "web/scaled".into(),
        severity: "info".into(),
        pipeline: "web".into(),
        message: "Scaled to (3) dynos.".into(),
        subject: "Scaled".into(),
        dynos: Some(3),
        from: Some(2),
        to: Some(3),
        measurement: Some(1300.0),
        unit: None,
        target: None,
        reason: None,
        at: start(),
    });
    let bench = script(
        "pipeline(\"p\", #{ notify: |e| [e.kind, e.phase, e.key, e.severity, e.pipeline, e.message, e.subject, e.dynos,
            e.from, e.to, e.measurement, e.reason, e.at, e.to_json().len() > 100, `${e}`] });
         pipeline(\"q\", #{ notify: |e| { let k = [e][0]; k.knd } });",
    );
    let returned = call(&bench.function("p", "notify"), Argument::Event(Arc::clone(&event)), &mut json!({}));
    assert_eq!(
        returned,
        Ok(Returned::Data(json!([
            "scaled",
            "once",
            "web/scaled",
            "info",
            "web",
            "Scaled to (3) dynos.",
            "Scaled",
            3,
            2,
            3,
            1300.0,
            null,
            "2026-11-24T09:30:00Z",
            true,
            "Scaled to (3) dynos."
        ])))
    );
    let said = failure(call(&bench.function("q", "notify"), Argument::Event(event), &mut json!({})));
    assert!(said.contains("the event has no `knd`") && said.contains("did you mean `kind`?"), "{said}");
}

const WITH_SECRET: &[(&str, &str)] = &[("API_KEY", "correct-horse-battery"), ("EMPTY", ""), ("NAME", "web")];

fn with_secret(text: &str, missing: MissingSecrets) -> Bench {
    files(&[("test.rhai", text)], WITH_SECRET, missing)
}

#[test]
fn secrets_stay_secret() {
    let bench = with_secret(
        "let s = env::secret(\"API_KEY\");
         print(s); debug(s); log::info(s); print([s]);
         let t = \"text\"; t += s;
         pipeline(\"p\", #{ a: s, b: \"redis://:\" + s + \"@host\", c: s + s, d: t });",
        MissingSecrets::Error,
    );
    let settings = bench.settings("p");
    for (key, text) in [
        ("a", "correct-horse-battery"),
        ("b", "redis://:correct-horse-battery@host"),
        ("c", "correct-horse-batterycorrect-horse-battery"),
        ("d", "textcorrect-horse-battery"),
    ] {
        let Value::Secret(secret) = &settings.entry(key).unwrap().value else { panic!("{key}: {settings:?}") };
        assert_eq!(secret.expose(), text);
    }
    assert!(!format!("{settings:?}").contains("horse"), "{settings:?}");
}

#[test]
fn a_secret_in_a_text_is_an_error_with_its_place() {
    for text in
        ["let a = `key=${env::secret(\"API_KEY\")}`;", "let s = env::secret(\"API_KEY\"); let a = s.to_string();"]
    {
        let bench = with_secret(&format!("{text}\npipeline(\"p\", #{{}});"), MissingSecrets::Error);
        let said = bench.report();
        assert!(said.contains("a secret cannot be put into a text") && said.starts_with("test.rhai:"), "{said}");
        assert_eq!(bench.loaded.declarations.len(), 0, "the run stops there");
    }
    let text = "pipeline(\"p\", #{ decide: |m| `${env::secret(\"API_KEY\")}` });";
    assert!(with_secret(text, MissingSecrets::Error).report().contains("a secret cannot be put into a text"));
    let text = "pipeline(\"p\", #{ decide: |m| env::secret(\"API_KEY\").to_string() });";
    let bench = with_secret(text, MissingSecrets::Error);
    let said = failure(bench.decide("p", 1.0));
    assert!(said.contains("a secret cannot be put into a text") && !said.contains("horse"), "{said}");
    let bench = with_secret("pipeline(\"p\", #{ decide: |m| env::secret(\"API_KEY\") });", MissingSecrets::Error);
    let said = failure(bench.decide("p", 1.0));
    assert!(said.contains("returned a secret"), "{said}");
    let bench = with_secret("pipeline(\"p\", #{ decide: |m| throw env::secret(\"API_KEY\") });", MissingSecrets::Error);
    let said = failure(bench.decide("p", 1.0));
    assert!(!said.contains("horse"), "{said}");
}

#[test]
fn missing_secrets() {
    let text = "let a = env::secret(\"GONE\");\nlet b = \"x\" + env::secret(\"EMPTY\") + \"y\";\nlet c = env::secret(\"API_KEY\");
        pipeline(\"p\", #{ a: a, b: b });";
    let bench = with_secret(text, MissingSecrets::Placeholder);
    let Value::MissingSecret(name) = &bench.settings("p").entry("b").unwrap().value else { panic!() };
    assert_eq!(&**name, "EMPTY");
    let needs: Vec<(&str, bool)> = bench.loaded.needs.iter().map(|(name, set)| (&**name, *set)).collect();
    assert_eq!(needs, [("GONE", false), ("EMPTY", false), ("API_KEY", true)]);
    assert_eq!(bench.report(), "");
    let bench = with_secret(text, MissingSecrets::Error);
    assert_eq!(
        bench.report(),
        "test.rhai:1:9: error: the environment variable `GONE` is not set (set it where the worker runs)\n\
         test.rhai:2:15: error: the environment variable `EMPTY` is not set (set it where the worker runs)"
    );
    assert_eq!(bench.loaded.declarations.len(), 1);
}

#[test]
fn plain_variables() {
    let bench = with_secret(
        "pipeline(env::get(\"NAME\"), #{ a: env::get(\"GONE\"), b: env::get(\"GONE\", 5), c: env::get(\"NAME\", 5) });",
        MissingSecrets::Error,
    );
    let settings = bench.settings("web");
    assert!(matches!(settings.entry("a").unwrap().value, Value::Unset { .. }));
    assert!(matches!(settings.entry("b").unwrap().value, Value::Int(5)));
    assert!(matches!(&settings.entry("c").unwrap().value, Value::Text(text) if &**text == "web"));
}

#[test]
fn fingerprints_change_with_text_and_captured_values_and_nothing_else() {
    let print = |text: &str| script(text).function("p", "decide").fingerprint().to_owned();
    let base = print("let n = 1; pipeline(\"p\", #{ decide: |m| m.value > n });");
    assert_eq!(base, print("// moved\n\nlet n = 1;  pipeline(\"p\", #{ max: 1, decide: |m| m.value > n });"));
    assert_ne!(base, print("let n = 2; pipeline(\"p\", #{ decide: |m| m.value > n });"));
    assert_ne!(base, print("let n = 1; pipeline(\"p\", #{ decide: |m| m.value < n });"));
    let inner = |n: u8| print(&format!("let f = |x| x + {n}; pipeline(\"p\", #{{ decide: |m| f.call(m) }});"));
    assert_eq!(inner(1), inner(1));
    assert_ne!(inner(1), inner(2));
}

#[test]
fn arity_counts_what_is_left_to_give() {
    let bench = script(
        "let n = 1; fn three(a, b, c) { a } fn named() { 1 }
         pipeline(\"p\", #{ a: || n, b: |m| n, c: |x, y| n, d: named, e: Fn(\"three\").curry(1) });",
    );
    let arity = |key: &str| bench.function("p", key).arity();
    assert_eq!(["a", "b", "c", "d", "e"].map(arity), [0, 1, 2, 0, 2]);
}

#[test]
fn stages_that_stand_in_no_pipeline_are_kept() {
    let bench = script(
        "let a = measure::custom(#{ a: 1 }, || 1); let b = a.map(|x| x); let c = notify::custom(#{}, |e| ());
         pipeline(\"p\", #{ notify: notify::all(#{ x: 1 }, [c, |e| ()]) });",
    );
    let unused: Vec<(String, usize)> =
        bench.loaded.unused_stages.iter().map(|stage| (stage.name.to_string(), stage.map.len())).collect();
    assert_eq!(unused, [("custom".to_owned(), 1)]);
    let Value::Stage(all) = &bench.settings("p").entry("notify").unwrap().value else { panic!() };
    assert_eq!(&*all.name, "all");
    let Value::Array(items) = &all.arguments[0].value else { panic!() };
    assert!(matches!(&items[0].value, Value::Stage(_)) && matches!(&items[1].value, Value::Function(_)));
}

#[test]
fn the_whole_script_has_settings_once() {
    let bench = script("settings(#{\n  notify_repeat_minutes: 5 });\nsettings(#{});");
    assert!(bench.loaded.settings.is_some());
    assert!(
        bench.report().starts_with("test.rhai:3:1: error: `settings` is called a second time"),
        "{}",
        bench.report()
    );
}

#[test]
fn declaring_works_only_while_the_script_loads() {
    for (text, name) in [
        ("|m| pipeline(\"late\", #{})", "pipeline"),
        ("|m| settings(#{})", "settings"),
        ("|m| measure::custom(#{}, || 1)", "measure::custom"),
    ] {
        let said = failure(decide(text).decide("p", 1.0));
        assert!(said.contains(&format!("`{name}` works only while the script loads")), "{said}");
    }
}

#[test]
fn a_decision_has_no_clock_and_loading_neither() {
    let said = decide("|m| time::now().hour").report();
    assert!(said.contains("`decide` reaches nothing outside, and `time::now` does"), "{said}");
    let text = "fn late() { time::now().hour } pipeline(\"p\", #{ decide: |m| Fn(\"late\").call() });";
    let said = failure(script(text).decide("p", 1.0));
    assert!(said.contains("a decision has no clock of its own (use `m.now`"), "{said}");
    assert!(script("let t = time::now();").report().contains("loading a script reads no clock"));
}

#[test]
fn secrets_that_only_functions_ask_for_are_looked_for_at_load() {
    let text = "pipeline(\"p\", #{ notify: |e| { env::secret(\"GONE\"); env::secret(\"API_KEY\"); } });";
    let bench = with_secret(text, MissingSecrets::Placeholder);
    let needs: Vec<(&str, bool)> = bench.loaded.needs.iter().map(|(name, set)| (&**name, *set)).collect();
    assert_eq!(needs, [("GONE", false), ("API_KEY", true)]);
    let said = with_secret(text, MissingSecrets::Error).report();
    assert_eq!(
        said,
        "test.rhai:1:32: error: the environment variable `GONE` is not set (set it where the worker runs)"
    );
}

#[test]
fn functions_of_the_language_are_known() {
    let text = "|m| { let a = [3, 1, 2]; a.sort(); a.reverse(); let t = \"a,b\"; let n = 0;
        n += abs(-1) + max(1, 2) + min(1.5, 2) + 2.5.round().to_int() + floor(1.5).to_int() + ceiling(1.2).to_int();
        n += len(a) + a.len + t.split(\",\").len() + t.index_of(\"b\") + parse_int(\"3\") + sqrt(4.0).to_int();
        n += #{ a: 1 }.keys().len() + #{ a: 1 }.values()[0];
        let f = |x| x * 2; n += f.call(2) + call(f, 1) + a.filter(|v| v > 1).map(|v| v + 1).reduce(|s, v| s + v, 0);
        if a.contains(3) && 3 in a && a.some(|v| v == 2) && a.all(|v| v > 0) && \"x\" in #{ x: 1 } { n += 1; }
        if type_of(n) == \"f64\" && is_def_fn(\"g\", 1) && is_def_var(\"n\") { n += g(1); }
        for (v, i) in a { n += v * i; } n += switch 3 { 1 => 1, 3 => 2, _ => 3 };
        do { n -= 1; } until n < 10; while n > 5 { n -= 1; } loop { break; }
        `${n}`.len() > 0 }";
    let bench = script(&format!("fn g(x) {{ x }} pipeline(\"p\", #{{ decide: {text} }});"));
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Data(json!(true))));
}

#[test]
fn errors_of_ours_can_be_caught_and_thrown_on() {
    assert_eq!(
        answer("|m| { try { m.history[9] } catch (e) { return `caught: ${e}`; } }"),
        json!("caught: the history has 3 values, and none at 9")
    );
    let said = failure(decide("|m| try { m.history[9] } catch (e) { throw e; }").decide("p", 1.0));
    assert!(said.contains("the history has 3 values, and none at 9"), "{said}");
}

#[test]
fn modules_may_export_values_and_functions() {
    let bench = files(
        &[
            ("a.rhai", "import \"lib\" as l; pipeline(\"p\", #{ decide: l::F, a: l::LIMIT });"),
            ("lib.rhai", "export const LIMIT = 5; export let F = |m| helper(m.value); fn helper(x) { x + 1 }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Float(2.0)));
    assert!(matches!(bench.settings("p").entry("a").unwrap().value, Value::Int(5)));
}

#[test]
fn a_generation_is_freed_with_its_last_function() {
    let environment: Arc<dyn autoscaler::script::Environment> = Arc::new(super::bench::Variables::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.rhai");
    std::fs::write(folder.path().join("lib.rhai"), "const S = notify::custom(#{}, |e| ()); fn f() { |x| x }").unwrap();
    let text = "import \"lib\" as l; const STAGE = measure::custom(#{}, || 1); const F = |x| x; let f = l::f();
        pipeline(\"p\", #{ measure: STAGE, decide: |m| f.call(F.call(m.value)) });";
    std::fs::write(&path, text).unwrap();
    let source = autoscaler::script::Source { path, text: None, unit: None };
    let loaded = autoscaler::script::load(&source, &environment, MissingSecrets::Error);
    assert!(!loaded.report.has_errors(), "{}", loaded.report);
    assert!(Arc::strong_count(&environment) > 1);
    drop(loaded);
    assert_eq!(Arc::strong_count(&environment), 1);
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_script_prints_goes_to_the_log_with_its_pipeline() {
    let kept = Kept::default();
    let writer = kept.clone();
    let log = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .finish();
    tracing::subscriber::with_default(log, || {
        let bench = with_secret(
            "print(\"loading \" + 1); let k = env::secret(\"API_KEY\");
             pipeline(\"p\", #{ decide: |m| { print(m.history); log::warn(k); log::error(#{ a: 1 }); debug(\"d\"); } });",
            MissingSecrets::Error,
        );
        bench.decide("p", 1.0).unwrap();
    });
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    for part in [
        "INFO autoscaler::script: loading 1\n",
        "INFO autoscaler::script: [100, 200, 300] pipeline=\"web\"",
        "WARN autoscaler::script: *** pipeline=\"web\"",
        "ERROR autoscaler::script: #{\"a\": 1} pipeline=\"web\"",
        "DEBUG autoscaler::script: \"d\" pipeline=\"web\"",
    ] {
        assert!(log.contains(part), "no {part} in\n{log}");
    }
    assert!(!log.contains("horse"), "{log}");
}
