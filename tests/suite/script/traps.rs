//! The traps of the language, each by its number in the notes on Rhai: T1 to T15, R1 to R9.

use std::sync::Arc;

use autoscaler::function::{Argument, Movement, Returned};
use autoscaler::pipeline::Measurement;
use autoscaler::script::MissingSecrets;
use serde_json::json;

use super::bench::{call, change, data, failure, files, moment, script};

/// The pipeline `p` whose `decide` is `text`.
fn decide(text: &str) -> super::bench::Bench {
    script(&format!("pipeline(\"p\", #{{ decide: {text} }});"))
}

#[test]
fn t1_too_many_closures_are_refused_at_once() {
    let text = "pipeline(\"p\", #{ decide: |m| to(1) });\n".repeat(2_100);
    let started = std::time::Instant::now();
    let bench = script(&text);
    assert!(bench.report().contains("more than 2000 closures and functions"), "{}", bench.report());
    assert!(started.elapsed().as_secs() < 5);
    let text = "pipeline(\"p\", #{ decide: |m| to(1) });\n".repeat(1_990);
    assert_eq!(script(&text).loaded.declarations.len(), 1_990);
}

#[test]
fn t2_each_turn_of_a_loop_has_its_own_values() {
    let bench = script("for i in 0..3 { pipeline(`p${i}`, #{ decide: |m| to(i) }); }");
    for n in 0..3_u8 {
        let answer = change(bench.decide(&format!("p{n}"), 1.0));
        assert_eq!(answer.movement, Movement::To(f64::from(n)));
    }
}

#[test]
fn t3_captured_values_are_not_shared_between_pipelines() {
    let bench = script(
        "let seen = #{ n: 0 };
         pipeline(\"a\", #{ decide: |m| { seen.n += 1; seen.n } });
         pipeline(\"b\", #{ decide: |m| { seen.n += 10; seen.n } });",
    );
    for _ in 0..3 {
        assert_eq!(bench.decide("a", 1.0), Ok(Returned::Int(1)));
        assert_eq!(bench.decide("b", 1.0), Ok(Returned::Int(10)));
    }
}

#[test]
fn t4_imports_are_there_when_a_closure_is_called_later() {
    let bench = files(
        &[
            ("a.rhai", "import \"lib\" as l; pipeline(\"p\", #{ decide: |m| l::helper(m.value) });"),
            ("lib.rhai", "fn helper(x) { x * 2 }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("p", 4.0), Ok(Returned::Float(8.0)));
}

#[test]
fn t4_imports_after_the_pipeline_and_within_the_closure_work_too() {
    let bench = files(
        &[
            (
                "a.rhai",
                "pipeline(\"p\", #{ decide: |m| l::helper(m.value) });
                 pipeline(\"q\", #{ decide: |m| { import \"lib\" as own; own::helper(m.value) } });
                 import \"lib\" as l;",
            ),
            ("lib.rhai", "fn helper(x) { x * 2 }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("p", 4.0), Ok(Returned::Float(8.0)));
    // Nothing is read later.
    std::fs::remove_file(bench.folder.path().join("lib.rhai")).unwrap();
    assert_eq!(bench.decide("q", 4.0), Ok(Returned::Float(8.0)));
}

#[test]
fn t5_closures_keep_the_functions_of_their_own_file() {
    let module = |factor: u32| format!("fn helper(x) {{ x * {factor} }}\nfn make() {{ |m| helper(2) }}");
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"one\" as one; import \"two\" as two; fn helper(x) { x * 1000 }
                 pipeline(\"one\", #{ decide: one::make() }); pipeline(\"two\", #{ decide: two::make() });",
            ),
            ("one.rhai", &module(10)),
            ("two.rhai", &module(20)),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("one", 1.0), Ok(Returned::Int(20)));
    assert_eq!(bench.decide("two", 1.0), Ok(Returned::Int(40)));
}

#[test]
fn t5b_captures_are_copied_all_the_way_down() {
    let bench = script(
        "let n = 1;
         let inner = || n;
         let list = [#{ f: inner }];
         pipeline(\"p\", #{ decide: |m| list[0].f.call() });
         n = 2;
         pipeline(\"q\", #{ decide: |m| list[0].f.call() });",
    );
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Int(1)));
    assert_eq!(bench.decide("q", 1.0), Ok(Returned::Int(2)));
}

#[test]
fn t5c_this_in_a_nested_closure_says_what_to_write() {
    let bench = decide("|m| [1, 2].filter(|v| v > this.k)");
    let said = failure(bench.decide("p", 1.0));
    // `this` is the element there: it has no `k`.
    assert!(said.contains("test.rhai:1:"), "{said}");
    let bench = decide("|m| { this.n += 1; this.n }");
    let said = failure(bench.decide("p", 1.0));
    assert!(said.contains("missing, `()`") && said.contains("(this.n ?? 0) + 1"), "{said}");
}

#[test]
fn t5d_ordering_and_calculating_with_a_missing_value_are_errors_with_their_place() {
    for (expression, operator) in [
        ("m.value > 10", ">"),
        ("m.value < 10.0", "<"),
        ("10 >= m.value", ">="),
        ("m.value + 1", "+"),
        ("2.0 * m.value", "*"),
        ("m.value == 0", "=="),
        ("m.value < m.history.average(50)", "<"),
    ] {
        let bench = decide(&format!("|m| if {expression} {{ up(1) }} else {{ down(1) }}"));
        let function = bench.function("p", "decide");
        let said = failure(call(&function, Argument::Moment(moment(None)), &mut json!({})));
        assert!(said.contains("missing, `()`"), "{expression}: {said}");
        let column = 33 + expression.find(operator).unwrap();
        assert!(said.ends_with(&format!("test.rhai:1:{column})")), "{expression}: {said}");
    }
    let bench = decide("|m| if m.value == () { hold(\"gone\") } else { (m.value ?? 0.0) + 1 }");
    let function = bench.function("p", "decide");
    let answer = change(call(&function, Argument::Moment(moment(None)), &mut json!({})));
    assert_eq!(answer.reason.as_deref(), Some("gone"));
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Float(2.0)));
}

#[test]
fn t5e_what_was_measured_and_is_no_number_is_named() {
    let bench = decide("|m| if m.value > 3 { up(1) }");
    let mut moment = (*moment(None)).clone();
    moment.measurement = Arc::new(Measurement::good("custom", json!({ "queue": 3 }), moment.measurement.at));
    let said = failure(call(&bench.function("p", "decide"), Argument::Moment(Arc::new(moment)), &mut json!({})));
    assert!(said.contains("a map was measured (answer a number in `measure`, or read `m.data`)"), "{said}");
    assert!(!said.contains("??"), "{said}");
    // Nor does a stand-in make a zero of it.
    let bench = decide("|m| to(m.value ?? 0.0)");
    let mut moment = (*self::moment(None)).clone();
    moment.measurement = Arc::new(Measurement::good("custom", json!("60"), moment.measurement.at));
    let said = failure(call(&bench.function("p", "decide"), Argument::Moment(Arc::new(moment)), &mut json!({})));
    assert!(said.contains("`m.value` is no number: a text was measured"), "{said}");
}

#[test]
fn t6_a_function_of_an_old_generation_runs_the_old_text() {
    let old = script("fn policy(m) { to(1) } pipeline(\"p\", #{ decide: policy });");
    let function = old.function("p", "decide");
    let new = script("fn policy(m) { to(2) } pipeline(\"p\", #{ decide: policy });");
    drop(old);
    let answer = change(call(&function, Argument::Moment(moment(Some(1.0))), &mut json!({})));
    assert_eq!(answer.movement, Movement::To(1.0));
    assert_eq!(change(new.decide("p", 1.0)).movement, Movement::To(2.0));
    assert_ne!(function.fingerprint(), new.function("p", "decide").fingerprint());
}

#[test]
fn t7_a_native_call_cannot_build_something_enormous() {
    for text in
        ["|m| { let a = []; a.pad(20_000_000, 1); a.len() }", "|m| { let s = \"\"; s.pad(500_000_000, 'b'); s.len() }"]
    {
        let started = std::time::Instant::now();
        let said = failure(decide(text).decide("p", 1.0));
        assert!(said.contains("too large"), "{said}");
        assert!(started.elapsed().as_secs() < 2, "{text}");
    }
}

#[test]
fn t8_sleep_is_off_in_both_forms() {
    for text in ["sleep(1)", "sleep(0.5)"] {
        let bench = decide(&format!("|m| {{ {text}; 1 }}"));
        assert!(bench.report().contains("test.rhai:1:32: error: `sleep` is off in scripts"), "{}", bench.report());
    }
    // By name too, where looking does not find it.
    let said = failure(decide("|m| Fn(\"sleep\").call(1)").decide("p", 1.0));
    assert!(said.contains("`sleep` is off"), "{said}");
    let said = failure(decide("|m| Fn(\"sleep\").call(0.5)").decide("p", 1.0));
    assert!(said.contains("`sleep` is off"), "{said}");
}

#[test]
fn t9_imports_stay_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("secret.rhai"), "fn secret() { 1 }").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.rhai", folder.path().join("in/link.rhai")).unwrap();
    let absolute = folder.path().join("secret").display().to_string();
    for path in ["../secret", &absolute, "link", "a/../../secret"] {
        let script = folder.path().join("in/test.rhai");
        std::fs::write(&script, format!("import \"{path}\" as s;")).unwrap();
        let loaded = super::bench::load_path(script, &[], MissingSecrets::Error);
        let said = loaded.report.to_string();
        assert!(said.contains("leaves the script's folder") && said.contains("test.rhai:1:8"), "{path}: {said}");
        assert_eq!(loaded.report.diagnostics().len(), 1, "{said}");
    }
}

#[test]
fn t10_keys_of_constant_maps_keep_their_places() {
    let bench = script("pipeline(\"p\", #{\n  a: 1,\n  nested: #{\n    b: 2 },\n});");
    let settings = bench.settings("p");
    let place = |node: Option<&autoscaler::settings::Node>| {
        let place = node.unwrap().place.clone().unwrap();
        (place.line, place.column)
    };
    assert_eq!(place(settings.entry("a")), (2, 3));
    assert_eq!(place(settings.entry("nested")), (3, 3));
    assert_eq!(place(settings.entry("nested").unwrap().entry("b")), (4, 5));
}

#[test]
fn t11_whole_numbers_are_taken_where_fractions_are() {
    let bench = decide("|m| [m.history.average(2.0), m.history.percentile(50, 3), m.history.consecutive_above(150)]");
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Data(json!([250.0, 200.0, 2]))));
    assert_eq!(change(decide("|m| to(m.value / 2)").decide("p", 5.0)).movement, Movement::To(2.5));
    assert_eq!(change(decide("|m| up(1.5)").decide("p", 5.0)).movement, Movement::Up(1.5));
}

#[test]
fn t12_unknown_properties_of_ours_are_errors_and_missing_keys_are_not() {
    // In an array, so that it is not found by looking.
    let said = failure(decide("|m| { let k = [m][0]; k.valeu }").decide("p", 1.0));
    assert!(said.contains("the moment `m` has no `valeu`") && said.contains("did you mean `value`?"), "{said}");
    let said = failure(decide("|m| { let k = [m][0]; k.now.hours }").decide("p", 1.0));
    assert!(said.contains("a time has no `hours`"), "{said}");
    assert_eq!(decide("|m| this.n ?? 7").decide("p", 1.0), Ok(Returned::Int(7)));
}

#[test]
fn t13_limits_cannot_be_caught() {
    let said = failure(decide("|m| { try { loop {} } catch { 1 } }").decide("p", 1.0));
    assert!(said.contains("used up its 200000 operations"), "{said}");
    let said = failure(decide("|m| 9223372036854775807 + 1").decide("p", 1.0));
    assert!(said.contains("is too large for a whole number"), "{said}");
}

#[test]
fn t14_whole_and_broken_numbers_stay_apart_in_settings() {
    use autoscaler::settings::Value;
    let bench = script("pipeline(\"p\", #{ a: 1, b: 1.5, c: \"t\", d: 'c', e: [1], f: (), g: true });");
    let settings = bench.settings("p");
    assert!(matches!(settings.entry("a").unwrap().value, Value::Int(1)));
    assert!(matches!(settings.entry("b").unwrap().value, Value::Float(value) if (value - 1.5).abs() < 1e-12));
    assert!(matches!(&settings.entry("d").unwrap().value, Value::Text(text) if &**text == "c"));
    assert!(matches!(settings.entry("f").unwrap().value, Value::Unit));
}

#[test]
fn t15_constants_reach_functions_called_later() {
    let bench = script(
        "const LIMIT = 100; fn policy(m) { if m.value > global::LIMIT { up(1) } else { hold() } }
         pipeline(\"named\", #{ decide: policy });
         pipeline(\"closure\", #{ decide: |m| policy(m) });
         pipeline(\"captured\", #{ decide: |m| if m.value > LIMIT { up(1) } else { hold() } });",
    );
    for name in ["named", "closure", "captured"] {
        assert_eq!(change(bench.decide(name, 101.0)).movement, Movement::Up(1.0), "{name}");
        assert_eq!(change(bench.decide(name, 99.0)).movement, Movement::Hold, "{name}");
    }
}

#[test]
fn r1_imports_of_imports_constants_and_pipelines_declared_by_a_module() {
    let bench = files(
        &[
            ("a.rhai", "import \"lib\" as l; fn base() { 1 } l::declare(\"p\", 5);"),
            (
                "lib.rhai",
                "import \"deep\" as l; const FACTOR = 10; fn base() { 2 }
                 private fn hidden(x) { x + base() }
                 fn declare(name, n) { pipeline(name, #{ decide: |m| l::deep(hidden(n)) * global::FACTOR }); }",
            ),
            ("deep.rhai", "fn deep(x) { x * 100 }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Int(7000)));
}

#[test]
fn r2_unknown_modules_in_closures_are_found_at_load() {
    let bench = decide("|m| dcide::x(1)");
    assert_eq!(bench.report(), "test.rhai:1:30: error: unknown module `dcide` (did you mean `decide`?)");
    let bench = decide("|m| stats::maen([1])");
    assert!(bench.report().contains("unknown function `stats::maen` (did you mean `mean`?)"), "{}", bench.report());
    let bench = decide("|m| stats::mean(1, 2)");
    assert!(bench.report().contains("`stats::mean` takes 1 parameter, and is called with 2"), "{}", bench.report());
}

#[test]
fn r3_captured_closures_keep_their_home() {
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"lib\" as l; fn helper(x) { x * 1000 }
                 fn both(f, g) { |m| f.call(m.value) + g.call(m.value) }
                 pipeline(\"p\", #{ decide: both(l::times(), |x| helper(x)) });
                 let f = l::times();
                 pipeline(\"q\", #{ decide: |m| [1.0, 2.0].map(f) });",
            ),
            ("lib.rhai", "fn helper(x) { x * 2 } fn times() { |x| helper(x) }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Float(1002.0)));
    assert_eq!(bench.decide("q", 1.0), Ok(Returned::Data(json!([2.0, 4.0]))));
}

#[test]
fn r4_files_with_the_same_closure_at_the_same_place_stay_apart() {
    let region = |dynos: u32| format!("fn policy() {{\n  |m| to(dynos())\n}}\nfn dynos() {{ {dynos} }}\n");
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"eu\" as eu; import \"us\" as us;
                 pipeline(\"eu\", #{ decide: eu::policy() }); pipeline(\"us\", #{ decide: us::policy() });",
            ),
            ("eu.rhai", &region(1)),
            ("us.rhai", &region(2)),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(change(bench.decide("eu", 1.0)).movement, Movement::To(1.0));
    assert_eq!(change(bench.decide("us", 1.0)).movement, Movement::To(2.0));
    // The second was laid out anew: its place is the one that was written.
    let place = bench.function("us", "decide").place().clone();
    assert!(place.file.ends_with("us.rhai") && (place.line, place.column) == (2, 3), "{place}");
}

#[test]
fn r5_switch_and_fast_operators() {
    let bench =
        decide("|m| { let a = 1; a += 1; a -= 1; a *= 3; if a == 3 && m.value != 2.0 && 1 < 1.5 { a } else { 0 } }");
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Int(3)));
    assert_eq!(bench.decide("p", 2.0), Ok(Returned::Int(0)));
}

#[test]
fn r6_deep_recursion_is_an_error_on_a_small_stack_too() {
    let text = "fn deep(n) { 1 + (1 + (1 + (1 + deep(n + 1)))) } pipeline(\"p\", #{ decide: |m| deep(0) });";
    let said = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || failure(script(text).decide("p", 1.0)))
        .unwrap()
        .join()
        .unwrap();
    assert!(said.contains("too deeply"), "{said}");
}

#[test]
fn r7_exit_does_not_end_a_script_without_a_word() {
    for text in ["exit();", "exit(1);", "let f = Fn(\"exit\"); f.call();"] {
        let bench = script(&format!("{text} pipeline(\"p\", #{{}});"));
        assert!(bench.report().contains("`exit` is off in scripts"), "{text}: {}", bench.report());
    }
}

#[test]
fn r9_reserved_words_as_keys_say_what_to_write() {
    let bench = script("pipeline(\"p\", #{ default: 1 });");
    let said = bench.report();
    assert!(said.contains("test.rhai:1:18") && said.contains("`default` is a word of the language"), "{said}");
    assert!(said.contains("\"default\": …"), "{said}");
}

#[test]
fn r9_in_for_each_this_is_the_element() {
    let bench = decide("|m| { let list = [1, 2]; list.for_each(|| this *= 2); list }");
    assert_eq!(bench.decide("p", 1.0), Ok(Returned::Data(json!([2, 4]))));
}

#[test]
fn closures_called_with_data() {
    let bench = script("pipeline(\"p\", #{ measure: |data| data.queue.size * 2 });");
    let function = bench.function("p", "measure");
    assert_eq!(data(&function, json!({"queue": {"size": 4}})), Ok(Returned::Int(8)));
}
