//! What is off, what is limited, and what the author is told.

use std::time::{Duration, Instant};

use autoscaler::function::{Argument, Budget, CallError, IN_PLACE, Permit, This};
use serde_json::json;

use super::bench::{Bench, call, failure, moment, permit, script};

fn decide(text: &str) -> Bench {
    script(&format!("pipeline(\"p\", #{{ decide: {text} }});"))
}

#[test]
fn a_load_that_does_not_end_is_stopped() {
    let started = Instant::now();
    let said = script("pipeline(\"a\", #{}); loop { let x = 1; }").report();
    assert!(said.contains("error: the script used up its") && said.contains("is there a loop"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn budgets_are_per_call_and_told_apart_from_errors() {
    let bench = decide("|m| { let n = 0; while n < 2_000 { n += 1; } n }");
    let function = bench.function("p", "decide");
    let small = Permit { budget: IN_PLACE, ..permit() };
    let argument = Argument::Moment(moment(Some(1.0)));
    let result = function.call(argument.clone(), &mut This::default(), &small);
    assert!(matches!(result, Err(CallError::Budget { place: Some(_), .. })), "{result:?}");
    assert!(call(&function, argument.clone(), &mut json!({})).is_ok());
    // Time, with operations to spare.
    let endless = decide("|m| { loop {} }").function("p", "decide");
    let budget = Budget { operations: u64::MAX, time: Duration::from_millis(50) };
    let started = Instant::now();
    let result = endless.call(argument, &mut This::default(), &Permit { budget, ..permit() });
    assert!(matches!(&result, Err(CallError::Budget { message, .. }) if message.contains("0.05 s")), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_off_says_so() {
    for (text, part) in [
        ("eval(\"1\");", "test.rhai:1:1: error: `eval` is off in scripts (scripts are loaded as files"),
        ("timestamp();", "test.rhai:1:1: error: `timestamp` is off in scripts (use `m.now`"),
        ("fn up(n) { 1 }", "test.rhai:1:10: error: `up` with 1 parameter is a function of autoscaler"),
        ("fn sleep(n) { 1 }", "`sleep` with 1 parameter is a function of autoscaler"),
        ("fn pipeline(a, b) { 1 }", "`pipeline` with 2 parameters is a function of autoscaler"),
    ] {
        let said = script(text).report();
        assert!(said.contains(part), "{text}: {said}");
    }
    // Called in place of `m.history.average(n)`.
    let said = script("fn average(n) { 1 }").report();
    assert!(said.contains("`average` with 1 parameter is a function of autoscaler"), "{said}");
    let fine = "fn up(a, b) { 1 } fn average(values, n) { 1 } fn max(a, b, c) { 1 } fn map(a, b) { 1 }";
    assert!(!script(fine).loaded.report.has_errors());
}

#[test]
fn mistakes_and_what_is_said_of_them() {
    for (text, whole) in [
        ("let x = undefined_name;", "test.rhai:1:9: error: unknown variable or function `undefined_name`"),
        ("pipelin(\"p\", #{});", "test.rhai:1:1: error: unknown function `pipelin` (did you mean `pipeline`?)"),
        ("pipeline(\"p\");", "test.rhai:1:1: error: `pipeline` takes 2 parameters, and is called with 1"),
        ("fn f(a) { a } f(1, 2);", "test.rhai:1:15: error: `f` takes 1 parameter, and is called with 2"),
        (
            "measure::custm(#{}, || 1);",
            "test.rhai:1:1: error: unknown function `measure::custm` (did you mean `custom`?)",
        ),
        ("mesure::custom(#{}, || 1);", "test.rhai:1:1: error: unknown module `mesure` (did you mean `measure`?)"),
        ("pipeline(5, #{});", "test.rhai:1:1: error: the first argument of `pipeline`, its name, takes a text, not 5"),
        ("let a = \"x\" - 1;", "test.rhai:1:13: error: `-` does not work on a text and a whole number"),
        (
            "let f = |x| x; f.call(1, 2);",
            "test.rhai:1:18: error: the closure takes 1 parameter, and is called with 2 arguments",
        ),
        (
            "scale::custom(#{}, || 1, |n| ()).map(|x| x);",
            "test.rhai:1:34: error: `scale::custom` has no `map`: only measurements can be reworked",
        ),
        (
            "pipeline(\"p\", #{ decide: Fn(\"polcy\") }); fn policy(m) { 1 }",
            "test.rhai:1:18: error: there is no function `polcy` in test.rhai (did you mean `policy`?)",
        ),
        ("let x = 1", ""),
        ("let x = (1;", "test.rhai:1:11: error: expecting `)` for a matching ( in this expression"),
    ] {
        let said = script(text).report().replace("in /tmp", "in tmp");
        let said = match (said.find(" in tmp"), said.find("/test.rhai (")) {
            (Some(a), Some(b)) => format!("{} in {}", &said[..a], &said[b + 1..]),
            _ => said,
        };
        assert_eq!(said, whole, "{text}");
    }
}

#[test]
fn no_made_up_name_or_rust_type_is_ever_shown() {
    for text in [
        "|m| [1].map(|a, b, c| 1)",
        "|m| { let f = |x| x; f.call() }",
        "|m| m + 1",
        "|m| m.history + 1",
        "|m| m()",
        "|m| m.history.map(|x| x)",
        "|m| up(1) + 1",
        "|m| m[0]",
        "|m| \"a\".foo(1.5, 'c', [], #{}, m, || 1)",
        "|m| for x in 5 { }",
        "|m| if m { 1 }",
        "|m| m.now.hour()",
        "|m| { const X = 1; X = 2; }",
        "|m| [].pop().x.y",
        "|m| #{}.a.b",
        "|m| l::x",
        "|m| Fn(\"anon\").call(1)",
        "|m| Fn(\"a b\")",
        "|m| env::secret(5)",
        "|m| env::secret(\"X\") + 5",
        "|m| 1 / 0",
        "|m| [1, 2, 3][0..9][7]",
        "|m| parse_int(\"x\")",
        "|m| \"abc\"[10]",
        "|m| { let x = m; x.foo = 1; }",
        "|m| this.a.b.c",
        "|m| throw",
        "|m| throw m",
        "|m| -m",
        "|m| !m",
        "|m| m.history.average()",
        "|m| m.history.average(\"x\")",
    ] {
        let bench = decide(text);
        let said = if bench.loaded.report.has_errors() { bench.report() } else { failure(bench.decide("p", 1.0)) };
        println!("{text}\n    {said}");
        for bad in [
            "anon$",
            "::types",
            "rhai::",
            "Dynamic",
            "i64",
            "f64",
            "core::",
            "alloc::",
            "ImmutableString",
            "Value",
            "Closure",
        ] {
            assert!(!said.contains(bad), "{text}: {said}");
        }
        assert!(said.contains("test.rhai:1:"), "{text}: {said}");
    }
}

#[test]
fn what_is_stopped_is_placed_at_its_loop_also_in_imported_files() {
    let bench = super::bench::files(
        &[
            ("test.rhai", "import \"lib\" as lib;\npipeline(\"p\", #{ decide: |m|\n lib::outer(m) });"),
            (
                "lib.rhai",
                "fn outer(m) {\n inner(m.value)\n}\nfn inner(n) {\n for i in [1, 2] { n += i; }\n loop { n += 1; }\n}",
            ),
        ],
        &[],
        autoscaler::script::MissingSecrets::Error,
    );
    let function = bench.function("p", "decide");
    let argument = || Argument::Moment(moment(Some(1.0)));
    for budget in [IN_PLACE, Budget { operations: u64::MAX, time: Duration::from_millis(20) }] {
        let result = function.call(argument(), &mut This::default(), &Permit { budget, ..permit() });
        let Err(CallError::Budget { place: Some(place), .. }) = result else { panic!("{result:?}") };
        assert!(place.file.ends_with("lib.rhai") && (place.line, place.column) == (6, 2), "{place}");
    }
    let closure = decide("|m| {\n [1].map(|n|\n while n < 2 { }\n) }");
    let said = failure(closure.decide("p", 1.0));
    assert!(said.contains("test.rhai:3:2"), "{said}");
}
