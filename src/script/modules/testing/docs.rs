//! Owns the descriptions of what tests of scripts are written with.

use crate::script::entry::{Entry, Example, Form, Frame, Stands, may_take, script, takes};

/// The body of a test.
const fn testing(text: &'static str) -> Example {
    Example { frame: Frame::Testing, text }
}

/// What `testing` registers.
pub(in crate::script::modules) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Function,
        name: "under_test",
        parameters: &[takes("name", "String")],
        gives: "UnderTest",
        doc: "The pipeline of this name in a world of its own: a clock, measurements and dynos that the test sets.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.feed([1300, 1300, 1300]);
assert_eq(p.dynos(), 3);"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "assert",
        parameters: &[takes("holds", "bool"), may_take("why", "String")],
        gives: "()",
        doc: "Fails the test where it is not `true`, with `why` as its message.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.feed([1300]);
assert(p.last().measurements[0].success, "it is measured");"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "assert_eq",
        parameters: &[takes("left", "?"), takes("right", "?"), may_take("why", "String")],
        gives: "()",
        doc: "Fails the test where the two are not equal; 2 and 2.0 are.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(4);
assert_eq(p.dynos(), 4);"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "assert_ne",
        parameters: &[takes("left", "?"), takes("right", "?"), may_take("why", "String")],
        gives: "()",
        doc: "Fails the test where the two are equal.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.feed([1300, 1300, 1300]);
assert_ne(p.dynos(), 2);"#,
        ),
    },
    Entry {
        form: Form::Function,
        name: "assert_near",
        parameters: &[takes("left", "int | float"), takes("right", "int | float"), takes("tolerance", "int | float")],
        gives: "()",
        doc: "Fails the test where the two are further apart than the tolerance.",
        stands: Stands::Tests,
        example: testing("assert_near(stats::mean([1, 2, 2]), 1.67, 0.01);"),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "tick",
        parameters: &[],
        gives: "()",
        doc: "One tick, one interval after the last: the stage itself measures, with requests answered by stubs.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.tick();
assert_eq(p.last().measurements[0].value, 250);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "feed",
        parameters: &[takes("values", "Array | Map | int | float")],
        gives: "()",
        doc: "One tick for each value, an interval apart, that measures it; `()` and `measure::failed(\"why\")` are failed measurements. A pipeline with several measurements is fed by name, `#{ latency: [300, 400], queue: 5 }`, and ticks until each value was measured; the last value of each name stays.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.feed([1300, 1300, 1300]);
assert_eq(p.dynos(), 3);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "fail",
        parameters: &[takes("times", "int")],
        gives: "()",
        doc: "So many ticks whose measurement fails.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.fail(3);
assert_eq(p.dynos(), 2);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "replay",
        parameters: &[takes("ticks", "Array")],
        gives: "()",
        doc: "Recorded ticks again, each at its own time: `value`, or `data`, or `failed` (with `load: false` where that is no sign of load); `dynos`, `booting`, `unknown` and `refused` for the platform; `scaled` for when it had scaled last. `autoscaler pin` writes it.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.replay([
    #{ at: "2026-11-24 03:10:30", dynos: 2, failed: "no answer within 10 s" },
    #{ at: "2026-11-24 03:11:00", value: 1210 },
    #{ at: "2026-11-24 03:11:30", value: 1290 },
    #{ at: "2026-11-24 03:12:00", value: 1340 },
]);
assert_eq(p.dynos(), 3);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "wait_seconds",
        parameters: &[takes("seconds", "int | float")],
        gives: "()",
        doc: "Moves the clock on, without a tick.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
let before = p.now().timestamp;
p.wait_seconds(60);
assert_eq(p.now().timestamp - before, 60);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "at",
        parameters: &[takes("time", "String")],
        gives: "()",
        doc: "Sets the clock on to a time in the pipeline's zone, without a tick.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.at("2027-01-01 18:00");
assert_eq(p.now().hour, 18);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "now",
        parameters: &[],
        gives: "Time",
        doc: "The time by its clock.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
assert(p.now().year >= 2020);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "dynos",
        parameters: &[may_take("count", "int")],
        gives: "int | ()",
        doc: "The number of dynos; with a count, sets it.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(4);
assert_eq(p.dynos(), 4);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "others",
        parameters: &[takes("dynos", "Map")],
        gives: "()",
        doc: "What other pipelines under the same limit of `settings` have; without it they have their minimum.",
        stands: Stands::Tests,
        example: script(
            r#"settings(#{ limits: [#{ pipelines: ["web", "celery"], max_dynos: 6 }] });

for name in ["web", "celery"] {
    pipeline(name, #{
        measure: || 250,
        decide: |m| if m.value > 1000 { up(2) },
        scale: #{ current: || 2, scale_to: |n| () },
        max_dynos: 5,
    });
}

fn test_example() {
    let p = under_test("celery");
    p.others(#{ web: 3 });
    p.dynos(2);
    p.feed(1500);
    assert_eq(p.dynos(), 3);
}"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "booting",
        parameters: &[takes("count", "int")],
        gives: "()",
        doc: "So many of the dynos are still starting.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(3);
p.booting(1);
p.feed([500]);
assert_eq(p.last().dynos.booting, 1);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "fail_scale",
        parameters: &[takes("why", "String")],
        gives: "()",
        doc: "The next scale fails.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.fail_scale("no more dynos on this plan");
p.feed([1300, 1300, 1300]);
assert_eq(p.dynos(), 2);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "events",
        parameters: &[],
        gives: "Array",
        doc: "Every event so far, oldest first.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.dynos(2);
p.feed([1300, 1300, 1300]);
assert(p.events().some(|event| event.kind == "scaled"));"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "records",
        parameters: &[],
        gives: "Array",
        doc: "The newest records of its ticks, oldest first, as maps: at most 100.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.feed([500, 500]);
assert_eq(p.records().len(), 2);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "last",
        parameters: &[],
        gives: "Map | ()",
        doc: "The record of the last tick.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.feed([500]);
assert_eq(p.last().decision, "hold");"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "notified",
        parameters: &[],
        gives: "Array",
        doc: "What its backends were told so far, as texts.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.feed([500]);
assert_eq(p.notified().len(), 0);"#,
        ),
    },
    Entry {
        form: Form::Method("UnderTest"),
        name: "memory",
        parameters: &[],
        gives: "Map",
        doc: "The `this` of every stage, by its name.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.feed([500]);
assert_eq(p.memory().len(), 0);"#,
        ),
    },
    Entry {
        form: Form::Member("http"),
        name: "stub",
        parameters: &[takes("method", "String"), takes("url", "String"), takes("answer", "Map")],
        gives: "()",
        doc: "Answers requests of the test to this URL: `status`, `json` or `text`, `headers`, or an `error`.",
        stands: Stands::Tests,
        example: testing(
            r#"http::stub("GET", "https://www.example.com/queue", #{ status: 200, json: #{ waiting: 12 } });
assert_eq(http::sent().len(), 0);"#,
        ),
    },
    Entry {
        form: Form::Member("http"),
        name: "sent",
        parameters: &[],
        gives: "Array",
        doc: "The requests of the test so far, as maps with `method`, `url`, `headers`, `text` and `json`; secrets are masked.",
        stands: Stands::Tests,
        example: testing(
            r#"let p = under_test("web");
p.tick();
assert_eq(http::sent().len(), 0);"#,
        ),
    },
];
