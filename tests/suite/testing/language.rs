//! What the tests of scripts are written with.

use std::time::{Duration, Instant};

use super::bench::{WEB, fails, loaded, passes, suite, verdicts};

#[test]
fn assertions_say_both_values() {
    for (body, said) in [
        ("assert(1 > 2)", "`1 > 2` is false: left is 1, right is 2"),
        ("assert(false)", "this is false"),
        ("assert_eq(2, 3, \"why\")", "why: left is 2, right is 3"),
        ("assert_ne(2, 2, \"why\")", "why: both are 2"),
        ("assert(1 > 2, \"more\")", "more"),
        ("assert(1)", "`assert` takes `true` or `false`, not 1"),
        ("assert(())", "`assert` takes `true` or `false`, not ()"),
        ("assert_eq(2, 3)", "left is 2, right is 3"),
        ("assert_eq(2, \"2\")", "left is 2, right is \"2\""),
        ("assert_eq(#{ a: [1] }, #{ a: [2] })", "left is {\"a\":[1]}, right is {\"a\":[2]}"),
        ("assert_eq(#{ a: 1 }, #{ a: 1, b: 2 })", "left is {\"a\":1}, right is {\"a\":1,\"b\":2}"),
        ("assert_eq((), 0)", "left is (), right is 0"),
        ("assert_eq(env::secret(\"KEY\"), 0)", "`assert_eq` cannot compare a secret"),
        ("assert_ne(2, 2.0)", "both are 2"),
        ("assert_near(1.0, 1.5, 0.1)", "left is 1.0, right is 1.5, 0.5 apart, more than 0.1"),
        ("assert_near((), 1.5, 0.1)", "left is (), right is 1.5, and both must be numbers"),
    ] {
        assert_eq!(fails(WEB, body), said, "{body}");
    }
    passes(
        WEB,
        "assert(true); assert_eq(2, 2.0); assert_eq([1, #{ a: 2.0 }], [1.0, #{ a: 2 }]); assert_ne(1, ());
         assert_near(1, 1.05, 0.1); assert_eq('a', \"a\"); assert_eq(1.0 / 0.0, 1.0 / 0.0)",
    );
}

#[test]
fn one_tick_a_value_and_an_interval_apart() {
    passes(
        WEB,
        r#"let p = under_test("web");
           assert_eq(p.dynos(), 1);
           p.dynos(2);
           p.feed([150, 50, 150, 5]);
           assert_eq(p.dynos(), 3);
           let counts = p.records().map(|record| record.dynos.desired);
           assert_eq(counts, [3, 3, 4, 3]);
           let times = p.records().map(|record| record.at);
           assert_eq(times[0], "2026-01-05T12:00:00Z");
           assert_eq(times[3], "2026-01-05T12:01:30Z");
           assert_eq(p.now().minute, 1);
           assert_eq(p.last().tick, 4);"#,
    );
}

#[test]
fn time_passes_without_a_tick_and_a_tick_that_is_late_comes_at_once() {
    passes(
        WEB,
        r#"let p = under_test("web");
           assert_eq(p.last(), ());
           p.feed(50);
           p.wait_seconds(10);
           p.feed(50);
           assert_eq(p.last().at, "2026-01-05T12:00:30Z");
           p.wait_seconds(90.5);
           assert_eq(p.records().len(), 2);
           p.feed(50);
           assert_eq(p.last().at, "2026-01-05T12:02:00.500Z");
           p.at("9:05");
           p.tick();
           assert_eq(p.last().at, "2026-01-06T09:05:00Z");"#,
    );
    assert!(fails(WEB, "under_test(\"web\").at(\"noon\")").contains("`noon` is no time"));
    assert!(fails(WEB, "under_test(\"web\").wait_seconds(-1)").contains("no time to wait for"));
}

#[test]
fn every_test_begins_at_noon_in_the_zone_of_its_pipeline() {
    let script = WEB.replace("max_dynos: 9", "time_zone: \"America/Vancouver\", max_dynos: 9");
    passes(
        &script,
        r#"let p = under_test("web");
           assert_eq([p.now().hour, p.now().weekday], [12, 1]);
           p.tick();
           assert_eq(p.last().at, "2026-01-05T20:00:00Z");
           p.at("2026-11-24 09:05");
           assert_eq([p.now().hour, p.now().minute], [9, 5]);"#,
    );
}

#[test]
fn failures_are_fed_in_three_ways() {
    passes(
        WEB,
        r#"let p = under_test("web");
           p.feed([50, (), measure::failed("no route")]);
           assert_eq(p.records().map(|record| record.measurements[0].success), [true, false, false]);
           assert_eq(p.last().measurements[0].error, "no route");
           p.fail(2);
           let kinds = p.events().map(|event| event.kind);
           assert_eq(kinds, ["measurement_failed"]);
           assert_eq(p.records().len(), 5);"#,
    );
}

#[test]
fn a_measurement_that_is_not_fed_is_taken_for_real_and_map_works_on_both() {
    let script = WEB.replace(
        "measure: || 50",
        "measure: measure::custom(#{}, || { this.n = (this.n ?? 0) + 1; this.n }).map(|x| x * 100)",
    );
    passes(
        &script,
        r#"let p = under_test("web");
           p.tick();
           p.tick();
           assert_eq(p.records().map(|record| record.measurements[0].value), [100, 200]);
           assert_eq(p.dynos(), 2);
           p.feed([3]);
           assert_eq(p.last().measurements[0].value, 300);
           assert_eq(p.memory().measure.n, 2);"#,
    );
}

#[test]
fn the_platform_pretends() {
    passes(
        WEB,
        r#"let p = under_test("web");
           p.booting(1);
           p.fail_scale("the app is gone");
           p.feed([150]);
           assert_eq(p.dynos(), 1);
           assert_eq(p.last().dynos.booting, 1);
           assert_eq(p.last().outcome, "failed");
           assert(p.events()[0].reason.contains("the app is gone"), p.events()[0].reason);
           p.feed([150]);
           assert_eq(p.dynos(), 2);
           p.dynos(0);
           p.feed([150]);
           assert_eq(p.dynos(), 0);
           assert(p.events().some(|event| event.kind == "switched_off"));"#,
    );
}

#[test]
fn those_who_are_told_are_told_and_the_world_outside_is_not() {
    let script = WEB.replace(
        "notify: |event| ()",
        "notify: [notify::console(), notify::test(#{ notify_on_every_scale: true }),
                  |event| { this.heard = (this.heard ?? 0) + 1; print(`heard ${event.kind}`) }]",
    );
    let verdicts = verdicts(&format!(
        "{script}
         fn test_it() {{
             let p = under_test(\"web\");
             p.feed([150]);
             assert_eq(p.notified().len(), 2);
             assert_eq(p.memory(), #{{ \"notify.2\": #{{ heard: 1 }} }});
         }}"
    ));
    assert_eq!(verdicts[0].fault, None);
    assert_eq!(verdicts[0].said, ["heard scaled"]);
}

#[test]
fn a_notification_that_throws_fails_the_test() {
    let script = WEB.replace("notify: |event| ()", "notify: |event| throw \"no pager\"");
    let said = fails(&script, "under_test(\"web\").feed([150])");
    assert!(said.contains("a notification went wrong: no pager") && said.contains("test.rhai:8:"), "{said}");
}

#[test]
fn every_test_and_every_pipeline_in_it_begins_afresh() {
    let script =
        WEB.replace("|m| if", "|m| { this.calls = (this.calls ?? 0) + 1; if").replace("down(1) }", "down(1) } }");
    let body = r#"
        let p = under_test("web");
        p.feed([150, 150]);
        assert_eq([p.memory().decide.calls, p.dynos(), p.records().len()], [2, 3, 2]);
        let fresh = under_test("web");
        assert_eq([fresh.dynos(), fresh.records().len(), fresh.events().len()], [1, 0, 0]);
        fresh.feed([150]);
        assert_eq([fresh.memory().decide.calls, p.memory().decide.calls, p.dynos()], [1, 2, 3]);
        http::stub("GET", "https://a/", #{});
        this.n = (this.n ?? 0) + 1;
        assert_eq(this.n, 1);"#;
    for verdict in verdicts(&format!("{script} fn test_a() {{ {body} }} fn test_b() {{ {body} }}")) {
        assert_eq!(verdict.fault, None, "{}", verdict.name);
    }
}

#[test]
fn a_dry_run_acts_in_a_test_and_a_paused_pipeline_does_not() {
    let body = "let p = under_test(\"web\"); p.feed([150]);";
    let mode = |mode: &str| format!("settings(#{{ mode: \"{mode}\" }});{WEB}");
    passes(&mode("dry_run"), &format!("{body} assert_eq(p.dynos(), 2)"));
    passes(&mode("paused"), &format!("{body} assert_eq(p.dynos(), 1)"));
}

/// An app that answers how many requests wait.
const ASKING: &str = r#"
pipeline("web", #{
    measure: measure::app_decision(#{
        measurement_url: "https://app.example.com/load?of=web",
        value: "waiting",
        headers: #{ "X-Plain": "yes" },
    }),
    decide: |m| to(m.value),
    max_dynos: 9,
    scale: #{ current: || 1, scale_to: |n| () },
});
"#;

#[test]
fn requests_are_answered_by_the_newest_stub_that_fits() {
    passes(
        ASKING,
        r#"http::stub("get", "https://app.example.com/*", #{ json: #{ waiting: 4 } });
           let p = under_test("web");
           p.tick();
           assert_eq(p.dynos(), 4);
           let sent = http::sent();
           assert_eq(sent.len(), 1);
           assert_eq([sent[0].method, sent[0].url], ["GET", "https://app.example.com/load?of=web"]);
           assert_eq(sent[0].headers["x-plain"], "yes");
           http::stub("*", "*", #{ status: 503, text: "no", headers: #{ "Retry-After": "1" } });
           p.tick();
           assert(p.last().measurements[0].error.contains("503"), p.last().measurements[0].error);
           http::stub("*", "*", #{ error: "the line is cut" });
           p.tick();
           assert(p.last().measurements[0].error.contains("the line is cut"), p.last().measurements[0].error);"#,
    );
}

#[test]
fn a_key_that_a_reply_does_not_have_is_named_with_the_nearest() {
    for (measure, said) in [
        (
            "measure::http(#{ request: http::get(\"https://a.example.com/\"), value: |r| r.json().valeu })",
            "the function answered nothing, `()`: there is no `valeu` in what was measured: did you mean `value`?",
        ),
        (
            "|| http::get(\"https://a.example.com/\").send().json().queues.waitng + 1",
            "there is no `waitng` in what was measured: did you mean `waiting`?",
        ),
        (
            "|| { let reply = http::get(\"https://a.example.com/\").send().json(); reply[\"jobs\"].waiting }",
            "there is no `jobs` in what was measured: it has `queues`, `value`",
        ),
        (
            "measure::app_decision(#{ base_url: \"https://a.example.com\" }).map(|data| { this.n = 1; data.vlaue })",
            "there is no `vlaue` in what was measured: did you mean `value`?",
        ),
    ] {
        let script = format!(
            "pipeline(\"web\", #{{ measure: {measure}, decide: |m| (), scale: #{{ current: || 1, scale_to: |n| () }} }});"
        );
        let body = format!(
            "http::stub(\"GET\", \"*\", #{{ json: #{{ value: 3, queues: #{{ waiting: 4 }} }} }}); let p = under_test(\"web\"); \
             p.tick(); let error = p.last().measurements[0].error; assert(error.contains(`{said}`), error);",
        );
        let body = body.replace(&format!("`{said}`"), &format!("\"{said}\""));
        passes(&script, &body);
    }
}

#[test]
fn a_request_that_no_stub_answers_is_named() {
    let body = "http::stub(\"POST\", \"*\", #{}); under_test(\"web\").tick();";
    let said = "no `http::stub` answers `GET https://app.example.com/load?of=web` (write before: \
                `http::stub(\"GET\", \"https://app.example.com/load?of=web\", #{ json: #{ … } });`)";
    assert_eq!(fails(ASKING, body), said);
    for (stub, said) in [
        ("#{ statsu: 1 }", "`http::stub` knows no `statsu` (did you mean `status`?)"),
        ("#{ status: 7 }", "`status` of `http::stub` takes a whole number of at least 100, not 7"),
        ("#{ json: 1, text: \"\" }", "`http::stub` answers `json` or `text`, not both"),
        ("200", "`http::stub` answers a map, such as `#{ status: 200, json: #{ n: 1 } }`"),
    ] {
        assert_eq!(fails(ASKING, &format!("http::stub(\"GET\", \"*\", {stub})")), said);
    }
}

#[test]
fn what_a_test_does_wrong_has_its_place_and_its_mend() {
    let verdicts = verdicts(&format!(
        "{WEB}fn test_a() {{
             under_test(\"wev\");
         }}
         fn test_b() {{
             http::stub(\"GET\", \"*\", #{{ statsu: 1 }});
         }}
         fn help_with(p) {{
             assert_eq(p.dynos(), 7);
         }}
         fn test_c() {{ help_with(under_test(\"web\")); }}"
    ));
    let found: Vec<String> = verdicts
        .iter()
        .map(|verdict| {
            let fault = verdict.fault.as_ref().unwrap();
            let place = fault.place.as_ref().unwrap();
            format!("{}:{} {}", place.line, place.column, fault.message)
        })
        .collect();
    assert_eq!(
        found,
        [
            "11:14 there is no pipeline `wev` (did you mean `web`?)",
            "14:14 `http::stub` knows no `statsu` (did you mean `status`?)",
            "17:14 left is 1, right is 7",
        ]
    );
}

#[test]
fn a_failed_test_says_what_its_pipelines_were_at_last() {
    let script = WEB.replace("m.value > 100", "m.data.load > 100");
    let verdicts = verdicts(&format!("{script} fn test_it() {{ under_test(\"web\").feed([1]); assert(false); }}"));
    let states = &verdicts[0].fault.as_ref().unwrap().states;
    assert_eq!(states.len(), 1);
    assert!(states[0].starts_with("`web` after tick 1 (Mon 12:00:00), 1 dyno: hold: "), "{}", states[0]);
    assert!(states[0].contains("has no `load`"), "{}", states[0]);
}

#[test]
fn nothing_in_a_test_lasts_for_ever() {
    for body in ["loop { }", "let n = 0; while true { n += 1; try { loop { } } catch { } }"] {
        assert!(fails(WEB, body).contains("used up its 20000000 operations"));
    }
    assert!(
        fails(WEB, "fn_that_calls_itself(1)}\nfn fn_that_calls_itself(n) { fn_that_calls_itself(n)")
            .contains("too deeply")
    );
    let all =
        suite(&format!("{WEB} fn test_a() {{}}\nfn test_b() {{ loop {{ under_test(\"web\").feed([1]) }} }}"), None);
    // Even where every operation takes long.
    let started = Instant::now();
    let verdicts = all.run(|name| name == "test_b", Some(Instant::now() + Duration::from_millis(300)));
    assert!(verdicts[0].fault.as_ref().is_some_and(|fault| fault.message.contains("used up its time")), "{verdicts:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let late = all.run(|_| true, Some(Instant::now()));
    assert!(late.iter().all(|verdict| verdict.fault.is_some()), "{late:?}");
}

#[test]
fn a_test_reaches_nothing_by_itself() {
    assert!(fails(WEB, "time::now()").contains("no clock of its own"));
    assert!(fails(WEB, "pipeline(\"b\", #{})").contains("only while the script loads"));
}

#[test]
fn what_belongs_to_tests_works_only_in_them() {
    for (call, name) in [
        ("under_test(\"web\")", "under_test"),
        ("assert(true)", "assert"),
        ("assert_eq(1, 1)", "assert_eq"),
        ("assert_near(1, 1, 1)", "assert_near"),
        ("http::stub(\"GET\", \"*\", #{})", "http::stub"),
        ("http::sent()", "http::sent"),
    ] {
        let report = loaded(&format!("{WEB}\n{call};")).report.to_string();
        assert!(report.contains(&format!("test.rhai:11:1: error: `{name}` works only in a test")), "{report}");
        assert!(report.contains("fn test_…()"), "{report}");
        if name.starts_with("http") {
            // Seen at load: a decision reaches nothing, made up or not.
            continue;
        }
        let script = WEB.replace("m.value > 100", &format!("{call} == 1"));
        let said = verdicts(&format!("{script} fn test_it() {{ under_test(\"web\").feed([1]); assert(false); }}"));
        let states = said[0].fault.as_ref().unwrap().states.concat();
        assert!(states.contains(&format!("`{name}` works only in a test")), "{states}");
    }
}

#[test]
fn tests_are_functions_without_parameters_of_the_script_itself() {
    let loaded = loaded(&format!(
        "{WEB} fn test_b() {{}} fn test_a() {{}} private fn test_c() {{}} fn test_d(x) {{}} fn testing() {{}}"
    ));
    let names: Vec<&str> = loaded.tests.iter().map(|test| &*test.name).collect();
    assert_eq!(names, ["test_b", "test_a"]);
    let report = loaded.report.to_string();
    for name in ["test_c", "test_d"] {
        assert!(report.contains(&format!("warning: `{name}` is not run")), "{report}");
    }
}

#[test]
fn functions_may_have_the_names_of_a_bench_where_there_are_no_tests() {
    let script = format!("{WEB} fn last() {{ 1 }}");
    assert!(!loaded(&script).report.has_errors());
    let report = loaded(&format!("{script} fn test_it() {{}}")).report.to_string();
    assert!(report.contains("`last` with 0 parameters is a function of autoscaler"), "{report}");
}

#[test]
fn a_pipeline_goes_by_its_own_name_in_a_folder_too() {
    let suite = suite(
        &format!("{WEB} fn test_it() {{ under_test(\"web\").tick(); under_test(\"eu/web\").feed([150]); }}"),
        Some("eu"),
    );
    assert_eq!(suite.run(|_| true, None)[0].fault, None);
}

/// A message to a chat, sent by the script itself and described for the engine.
const CHAT: &str = r#"
pipeline("web", #{
    measure: || http::get("https://app.example.com/load").bearer(env::secret("TOKEN")).send().json().waiting,
    decide: |m| to(m.value),
    max_dynos: 9,
    scale: #{ current: || 1, scale_to: |n| () },
    notify: [
        |event| { http::post(env::secret("CHAT_URL")).json(#{ text: event.message }).send(); },
        notify::http(#{ notify_on_every_scale: true, request: |event| http::post("https://hooks.example.com/described").json(#{ text: event.kind }) }),
    ],
});
"#;

#[test]
fn what_functions_send_is_answered_and_seen_and_needs_no_secret() {
    passes(
        CHAT,
        r#"http::stub("GET", "https://app.example.com/*", #{ json: #{ waiting: 4 } });
           http::stub("POST", "https://secret.invalid/CHAT_URL", #{});
           http::stub("POST", "https://hooks.example.com/*", #{});
           let p = under_test("web");
           p.tick();
           assert_eq(p.dynos(), 4);
           let posted = http::sent().filter(|request| request.method == "POST");
           assert_eq(posted.map(|request| request.url), ["https://secret.invalid/CHAT_URL", "https://hooks.example.com/described"]);
           assert_eq(posted.map(|request| request.json.text), ["Scaled to (4) dynos.", "scaled"]);"#,
    );
    let body = "http::stub(\"GET\", \"*\", #{ json: #{ waiting: 4 } }); under_test(\"web\").tick();";
    let said = "no `http::stub` answers `POST https://secret.invalid/CHAT_URL` (write before: \
                `http::stub(\"POST\", \"https://secret.invalid/CHAT_URL\", #{ status: 200 });`)";
    assert_eq!(fails(CHAT, body), said);
    assert!(fails(CHAT, "http::get(\"https://a/\").send()").contains("in a test, which reaches nothing itself"));
}

#[test]
fn a_failed_assertion_says_what_it_compared_and_which_key_no_record_has() {
    let of = |body: &str| fails(WEB, &format!("let p = under_test(\"web\"); p.feed([50]); {body}"));
    assert_eq!(of("assert(p.dynos() == 3);"), "`p.dynos() == 3` is false: left is 1, right is 3");
    // Asking again must change nothing.
    assert_eq!(of("assert([p.tick()].len() == 3);"), "`[p.tick()].len() == 3` is false");
    let said = of("assert_eq(p.last().outcom, 3);");
    assert_eq!(said, "left is (), right is 3 (a record has no `outcom`: did you mean `outcome`?)");
    let said = of("assert(p.last().decisio == \"up\");");
    assert!(said.ends_with("(a record has no `decisio`: did you mean `decision`?)"), "{said}");
    let long = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, #{ a: 5 }]";
    let said = of(&format!("assert_eq({long}, {});", long.replace("a: 5", "a: 6")));
    assert!(said.ends_with("; they differ at `[24].a`: 5 and 6"), "{said}");
}

#[test]
fn what_is_wrong_with_a_call_on_a_pipeline_is_told_with_how_it_is_written() {
    let of = |body: &str| fails(WEB, &format!("let p = under_test(\"web\"); {body}"));
    let said = of("assert_eq(p.dynos, 3);");
    assert!(said.contains("is a function, and is written with brackets (write `.dynos(…)`)"), "{said}");
    let said = of("p.feed();");
    assert!(said.contains("is not called with 0 arguments (write `.feed(values)`"), "{said}");
    let said = of("p.feed([\"lots\"]);");
    assert!(said.contains("not the text \"lots\" (feed numbers"), "{said}");
    let said = of("redis::server(\"redis://a.test\").llen(\"q\");");
    assert!(said.contains("`under_test(\"web\").feed([12])`"), "{said}");
    let said = of("while p.dynos() < 9 { }");
    assert!(said.contains("what stands here does not end"), "{said}");
}

#[test]
fn a_map_is_no_measurement_for_thresholds() {
    let thresholds = WEB.replace(
        "|m| if m.value > 100 { up(1) } else if m.value < 10 { down(1) }",
        "decide::average_threshold(#{ max_measurement_value: 100 })",
    );
    let said = fails(&thresholds, "under_test(\"web\").feed(#{ latency: 9 });");
    assert_eq!(
        said,
        "`feed` takes a number here, not the map {\"latency\":9} (this pipeline has one measurement: write `feed([9])`)"
    );
    passes(WEB.replace("m.value > 100", "m.data.latency > 3").as_str(), "under_test(\"web\").feed(#{ latency: 9 });");
}
