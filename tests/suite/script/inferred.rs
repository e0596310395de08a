//! What is told of a function by the types of its values: no alarm where something may be meant, and all of
//! what people tried and found silent.

use autoscaler::script::MissingSecrets;

use super::bench::{failure, files, script};

/// What is said of `decide`, on a pipeline whose stages are functions.
fn said(decide: &str) -> String {
    script(&format!("pipeline(\"p\", #{{ decide: {decide} }});")).loaded.report.to_string()
}

/// What is said of a decision with a `memory`.
fn remembering(memory: &str, decide: &str) -> String {
    said(&format!("decide::custom(#{{ memory: {memory} }}, {decide})"))
}

#[test]
fn what_may_be_meant_raises_no_alarm() {
    for decide in [
        // One variable, values of two types.
        "|m| { let x = 1; if m.value > 3 { x = \"many\"; } if x == \"many\" { up(1) } }",
        "|m| { let x = (); if m.value > 3 { x = 5; } if x == () { up(1) } else if x > 3 { up(2) } }",
        "|m| { let high = 0; [1, 2].for_each(|v| high = \"x\"); if high == \"x\" { up(1) } }",
        // Data are of any type.
        "|m| if m.data == \"busy\" { up(1) } else if m.data in [1, 2] { down(1) }",
        "|m| if type_of(m.data) == \"map\" && m.data.queue == \"mail\" { up(1) }",
        "|m| if m.data.kind.name == 3 { up(1) }",
        // A missing value is asked for, of members that always are too.
        "|m| if m.dynos != () && m.error == () { up(1) }",
        "|m| if m.error != () && m.error.contains(\"timeout\") { hold(m.error) }",
        "|m| if (m.error ?? \"\") == \"x\" { up(1) }",
        // The ends of ranges.
        "|m| if m.now.hour >= 0 && m.now.hour < 24 && m.now.minute <= 59 { up(1) }",
        "|m| if m.now.weekday == 7 || m.now.weekday == 1 || m.now.hour > 22 || m.now.hour < 1 { up(1) }",
        "|m| if m.now.weekday in [6, 7] || m.now.weekday in 1..=5 { up(1) }",
        "|m| switch m.now.weekday { 6 | 7 => down(1), 1..=5 => up(1), _ => hold(\"\") }",
        "|m| switch m.now.weekday_name { \"monday\" | \"friday\" => up(1), _ => hold(\"\") }",
        "|m| if m.now.weekday_name in [\"saturday\", \"sunday\"] { to(1) }",
        // Whole and fractional numbers compare.
        "|m| if m.value == 3 || m.dynos == 2.0 || m.dynos > 1.5 { up(1) }",
        "|m| switch m.dynos { 1 => up(1), _ => hold(\"\") }",
        // Truths may differ exclusively.
        "|m| if (m.value > 3) ^ (m.dynos > 2) { up(1) }",
        "|m| up(m.history.average(3) ?? 0.0)",
        "|m| up((m.value / 100).ceiling())",
        "|m| up(m.history.percentile(99.9, 10) ?? 1)",
        "|m| up(m.history.percentile(1, 3.0) ?? 1)",
        "|m| if m.history.to_array().len() > 3 { to(m.max_dynos) }",
        "|m| { let n = m.history[-1]; if n == () { hold(\"\") } else if n > 3 { up(1) } }",
        "|m| { let sum = 0.0; for v in m.history { sum += v ?? 0.0; } if sum > 3 { up(1) } }",
        "|m| { for (v, i) in [1, 2, 3] { if v == i { return up(1); } } hold(\"\") }",
        "|m| { let answer = hold(\"\"); if m.value > 3 { answer = up(1); } answer }",
        "|m| { let answer = up(1); if m.value > 3 { return answer; } answer.because(\"calm\") }",
        "|m| hold(\"it is \" + m.now + \", \" + m.success + \" \" + m.history)",
        "|m| { let day = m.now.weekday_name; day.make_upper(); if day == \"MONDAY\" { up(1) } }",
        "|m| { let days = [\"x\"]; days.push(m.now.weekday); if m.now.weekday in days { up(1) } }",
        "|m| { let days = [\"x\"]; days[0] = 3; if m.now.weekday in days { up(1) } }",
        "|m| { let days = [\"x\"]; push(days, 4); if m.now.weekday in days { up(1) } }",
        "|m| { let _unused = m.value; up(1) }",
        "|m| { let limit = 3; [1, 2].filter(|v| v > limit); up(1) }",
        "|m| { let n = 0; while n < 3 { n += 1; if n == 2 { break; } } up(n) }",
        "|m| { if m.value > 3 { return up(1); } down(1) }",
        "|m| { let text = \"n\"; text += 1; if text == \"n1\" { up(1) } }",
        "|m| { let shown = `${m.value}`; if shown == \"3\" { up(1).because(shown) } }",
        "|m| { let n = parse_int(\"3\"); if n == 3 { up(n) } }",
        "|m| { let m = \"x\"; if m == \"x\" { up(1) } }",
        "|m| { let now = m.now; if now.hour < 6 { to(1) } else { hold(now.to_string()) } }",
        "|m| { try { up(m.value / 2) } catch (error) { hold(`${error}`) } }",
        "|m| { let best = #{ n: 1 }; best.n = 5; best.name = \"x\"; if best.n == 5 && best.name == \"x\" { up(1) } }",
        "|m| { log::info(\"a price of ${5} and a ${HOME}\"); up(1) }",
        "|m| { let n = m.dynos / 2.0; up(n.floor()) }",
    ] {
        assert_eq!(said(decide), "", "{decide}");
    }
}

#[test]
fn memories_that_may_be_meant_raise_no_alarm() {
    for (memory, decide) in [
        ("#{ n: 0 }", "|m| { this.n += 1; if this.n > 3 { up(1) } }"),
        ("#{ last: () }", "|m| { if this.last != () && m.value > this.last { return up(1); } this.last = m.value; }"),
        ("#{}", "|m| { this.n = (this.n ?? 0) + 1; if this.n == 5 { up(1) } }"),
        ("#{}", "|m| { let memory = this; if memory.n == 3 { up(1) } else if this.k == 4 { down(1) } }"),
        ("#{}", "|m| if this.is_empty() { hold(\"\") } else if this.n == 1 { up(1) }"),
        ("#{}", "|m| { this[\"n\"] = 4; up(this.n) }"),
        (
            "#{ mode: \"calm\" }",
            "|m| { if this.mode == \"calm\" { this.mode = 5; } else if this.mode == 5 { return up(1); } }",
        ),
        ("#{ list: [] }", "|m| { this.list.push(m.value); if this.list.len() > 3 { this.list.remove(0); } }"),
        ("#{ by: #{ day: 1 } }", "|m| { this.by.day += 1; if this.by.day == \"x\" { up(1) } }"),
        ("#{}", "|m| if this.least == () { hold(\"\") }"),
    ] {
        assert_eq!(remembering(memory, decide), "", "{memory} {decide}");
    }
}

#[test]
fn scale_functions_share_their_memory() {
    let text = "pipeline(\"p\", #{ scale: #{ memory: #{ dynos: 1 }, current: || this.dynos, scale_to: |n| { this.dynos = n; } } });
        pipeline(\"q\", #{ scale: #{ current: || this.dynos ?? 1, scale_to: |n| { this.dynos = `${n}`; } } });
        pipeline(\"r\", #{ measure: measure::custom(#{}, || { this.n = \"x\"; 5 }).map(|data| this.n) });";
    assert_eq!(script(text).loaded.report.to_string(), "");
}

#[test]
fn mistakes_are_found_through_variables_captures_and_branches() {
    for (decide, rule) in [
        (
            "|m| { let now = m.now; let day = now.weekday; if m.value > 9e9 && day == \"Monday\" { up(1) } }",
            "never-equal",
        ),
        ("|m| { let n = 0; n += m.dynos; if n == \"3\" { up(1) } }", "never-equal"),
        ("|m| { let days = [\"Sat\", \"Sun\"]; if m.now.weekday in days { up(1) } }", "never-equal"),
        ("|m| if [\"Sat\"].contains(m.now.weekday) { up(1) }", "never-equal"),
        ("|m| if !(m.now.weekday in [\"Sat\"]) { up(1) }", "never-equal"),
        ("|m| switch m.dynos { \"1\" => up(1), _ => hold(\"\") }", "never-equal"),
        ("|m| if (m.value ?? 0.0) == \"3\" { up(1) }", "never-equal"),
        ("|m| if m.success == \"true\" { up(1) }", "never-equal"),
        ("|m| if m.history == 3 { up(1) }", "never-equal"),
        ("|m| if m.now == 9 { up(1) }", "never-equal"),
        ("|m| if m.history > 100 { up(1) }", "unordered"),
        ("|m| if m.now >= 9 { up(1) }", "unordered"),
        ("|m| if \"9\" < m.now.hour { up(1) }", "unordered"),
        ("|m| if 24 <= m.now.hour { up(1) }", "impossible-value"),
        ("|m| { let h = m.now.hour; if h == 24 { up(1) } }", "impossible-value"),
        ("|m| if m.now.weekday != 0 { up(1) }", "impossible-value"),
        ("|m| if m.now.month == 13 { up(1) }", "impossible-value"),
        ("|m| if m.value > 9e9 { up(1).because(\"x\").becuase(\"y\") }", "unknown-property"),
        ("|m| { let a = up(1); if m.value > 9e9 { a.reason(\"y\") } else { a } }", "unknown-property"),
        ("|m| if m.value > 9e9 { m.now.to_hour() }", "unknown-property"),
        ("|m| if m.value > 9e9 { m.history.filter(|v| v > 3) }", "unknown-property"),
        ("|m| { let n = \"3\"; if m.value > 9e9 { up(n) } }", "argument-type"),
        ("|m| if m.value > 9e9 { up([1]) }", "argument-type"),
        ("|m| if m.value > 9e9 { stats::mean(\"3\") }", "argument-type"),
        ("|m| if m.value > 9e9 { down(-2) }", "argument-range"),
        ("|m| if m.value > 9e9 { m.history.percentile(950, 3) }", "argument-range"),
        ("|m| if m.value > 9e9 { m.history.len(3) }", "wrong-arguments"),
        ("|m| if m.value > 9e9 { m.history.average(3, 4) }", "wrong-arguments"),
        ("|m| { let h = m.history; if m.value > 9e9 { h[0] = 3; } }", "read-only"),
        ("|m| { if m.value > 9e9 { m.data.x = 3; } up(1) }", "read-only"),
        ("|m| { let n = -1; if m.value > 9e9 { up(n) } }", "argument-range"),
        ("|m| if m.value > 9e9 { up(1) + 2 }", "argument-type"),
        ("|m| if m.value > 9e9 { (m.now - 3600).hour }", "argument-type"),
        ("|m| if m.value > 9e9 { up(m.history * 2) }", "argument-type"),
        ("|m| if m.value > 9e9 { up(m.success + 1) }", "argument-type"),
        ("|m| { let n = 2; n ^= 3; up(n) }", "exclusive-or"),
        ("|m| { let n = m.dynos; n /= 2; up(n) }", "integer-division"),
        ("|m| { let a = hold(\"\"); a = up(1); () }", "dropped-answer"),
        ("|m| { for i in 0..3 { continue; up(i); } }", "unreachable"),
        ("|m| { loop { break; m.value; } }", "unreachable"),
    ] {
        let said = script(&format!("pipeline(\"p\", #{{ decide: {decide} }});"));
        let rules: Vec<&str> = said.loaded.report.diagnostics().iter().filter_map(|said| Some(said.rule?.id)).collect();
        assert!(rules.contains(&rule), "{decide}: {rules:?}");
    }
}

#[test]
fn other_functions_of_stages_are_looked_at_too() {
    for (stages, said) in [
        (
            "measure: || { let at = time::now(); if at.weekday == \"Monday\" { 1 } else { 2 } }",
            "`at.weekday` is a number",
        ),
        (
            "measure: || { let reply = http::get(\"https://a.example/\").send(); if reply.status == \"200\" { reply.jsn() } }",
            "a reply has no `jsn`",
        ),
        (
            "measure: measure::http(#{ request: http::get(\"https://a.example/\"), value: |reply| if reply.status == \"200\" { 1 } })",
            "`reply.status` is a number",
        ),
        (
            "scale: #{ current: || 1, scale_to: |n| if n == \"3\" { print(\"three\") } }",
            "`n` is a number, and never equals",
        ),
        ("notify: |event| if event.dynos == \"3\" { print(event.message) }", "`event.dynos` is a number"),
        ("notify: |event| if event.severity == \"critical\" { print(event.message) }", "`event.severity` is never"),
        ("notify: |event| if event.phase == \"end\" { event.subject = \"over\"; }", "`event.subject` cannot be set"),
    ] {
        let report = script(&format!("pipeline(\"p\", #{{ {stages} }});")).loaded.report.to_string();
        assert!(report.contains(said), "{stages}: {report}");
    }
}

#[test]
fn what_a_function_captured_has_a_type() {
    let said = script("let limit = \"3\"; pipeline(\"p\", #{ decide: |m| if m.dynos == limit { up(1) } });");
    let said = said.loaded.report.to_string();
    assert!(said.contains("`m.dynos` is a number, and never equals `limit`, which is a text"), "{said}");
}

#[test]
fn in_a_function_that_is_only_called_errors_are_warnings() {
    let text = "fn late(m, other) { if other { up(\"2\") } else { m.dynos > \"3\" } }
        pipeline(\"p\", #{ decide: |m| late(m, m.value > 9e9) });";
    let bench = script(text);
    assert!(!bench.loaded.report.has_errors(), "{}", bench.loaded.report);
    let said = bench.loaded.report.to_string();
    assert!(said.contains("warning: `up` takes a number") && said.contains("warning: `m.dynos` is a number"), "{said}");
}

#[test]
fn functions_of_the_script_are_theirs() {
    let text = "fn average(n) { \"mine\" }
        fn doubled(n) { this * n }
        fn contains(a, b) { 5 }
        pipeline(\"p\", #{ decide: |m| {
            if m.history.average(\"3\") == \"mine\" && (m.dynos in [\"x\"]) == 5 { up(1) } else { up(m.dynos.doubled(2)) }
        } });";
    let said = script(text).loaded.report.to_string();
    assert!(!said.contains("takes") && !said.contains("has no"), "{said}");
}

#[test]
fn ordering_a_number_with_what_is_none_is_an_error_with_its_place() {
    for (condition, said) in [
        ("[m.dynos][0] > [\"3\"][0]", "`>` compares a number with a text"),
        ("[\"3\"][0] <= [m.value][0]", "`<=` compares a text with a number"),
        ("[m.history][0] > [100][0]", "`>` compares a history with a number"),
        ("[m.now][0] >= [9][0]", "`>=` compares a time with a number"),
        ("[2][0] < [[1]][0]", "`<` compares a number with an array"),
        ("[#{}][0] < [2.5][0]", "`<` compares a map with a number"),
        ("[true][0] > [0][0]", "`>` compares `true` or `false` with a number"),
    ] {
        let bench = script(&format!("pipeline(\"p\", #{{ decide: |m| if {condition} {{ up(1) }} }});"));
        let error = failure(bench.decide("p", 5.0));
        assert!(error.contains(said) && error.contains("test.rhai:1:"), "{condition}: {error}");
    }
    let right = script("pipeline(\"p\", #{ decide: |m| if \"a\" < \"b\" && 1 < 2.5 && 'a' < 'b' { up(1) } });");
    assert!(right.decide("p", 5.0).is_ok());
}

#[test]
fn texts_in_quotes_are_looked_at_in_every_file() {
    let bench = files(
        &[
            ("a.rhai", "import \"lib\" as lib; let n = 3; print(\"n is ${n}\"); print(`in backticks: ${n} \"${n}\"`);"),
            ("lib.rhai", "fn shown(n) { \"${n} and ${m}\" }\nfn raw(n) { #\"${n}\"# }\nfn other() { \"${HOME}\" }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    let said = bench.loaded.report.to_string();
    assert_eq!(said.matches("stands in a text in quotes").count(), 2, "{said}");
    assert!(said.contains("a.rhai:1:") && said.contains("lib.rhai:1:"), "{said}");
}

#[test]
fn as_much_history_is_kept_as_a_decision_looks_back_on() {
    for (decide, kept) in [
        ("|m| if m.value > 3 { up(1) }", 10),
        ("|m| if (m.history.average(5) ?? 0.0) > 3 { up(1) }", 10),
        ("|m| if (m.history.average(20) ?? 0.0) > 3 { up(1) }", 20),
        ("|m| if m.history.consecutive_above(100) >= 15 { up(1) }", 15),
        ("|m| if m.past.len() > 30 { up(1) }", 31),
        ("|m| { let h = m.history; if (h.percentile(95, 60) ?? 0.0) > 3 { up(1) } }", 60),
        ("|m| if (of(m.history, 25) ?? 0.0) > 3 { up(1) }", 25),
        ("|m| if (m.history.max(n) ?? 0.0) > 3 { up(1) }", 12),
    ] {
        let text = format!(
            "fn of(history, n) {{ history.average(n) }} let n = 12; \
             pipeline(\"web\", #{{ measure: || 1, decide: {decide}, scale: #{{ current: || 1, scale_to: |n| () }} }});"
        );
        let spec = super::reaching::spec_of(&text, &super::reaching::Around::default());
        assert_eq!(spec.decide.history_length, kept, "{decide}");
    }
}
