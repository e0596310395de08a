//! What a declaration may say, and what is said of one that is wrong: all of it, each at its key.

use super::bench::{declared, specs};

/// The report of a script, one line each.
fn report(text: &str) -> Vec<String> {
    declared(text).report.to_string().lines().map(str::to_owned).collect()
}

/// A script of one pipeline with `decide` and further entries.
fn pipeline(decide: &str, wide: &str) -> String {
    format!(
        "pipeline(\"web\", #{{\n    measure: || 0,\n    decide: {decide},\n    \
         scale: #{{ current: || 0, scale_to: |n| () }},\n    {wide}\n}});\n"
    )
}

fn one(decide: &str, wide: &str) -> String {
    let said = report(&pipeline(decide, wide));
    assert_eq!(said.len(), 1, "{said:#?}");
    said.into_iter().next().unwrap()
}

#[test]
fn every_error_of_every_pipeline_is_said_at_once_and_at_its_key() {
    let text = r#"pipeline("web", #{
    measure: measure::response_time(#{ measurement_url: "https://a.test/", measurement_interval: 10 }),
    decide: decide::consecutive_threshold(#{
        min_dynos: "two",
        max_dynos: #{ "0:00": 2, "25:00": 3 },
        time_zone: "America/Vancuver",
        increment: 0,
    }),
    scale: scale::heroku(#{ app_name: "a" }),
    notify: [notify::console(#{ notify_on_every_scal: true })],
});
pipeline("web", #{
    measure: || 0,
    decide: |m| (),
    scale: 3,
});
"#;
    let said = report(text);
    let begins = [
        "test.rhai:2:76: error: unknown setting `measurement_interval` of `measure::response_time` (did you mean",
        "test.rhai:9:26: error: `scale::heroku` needs the setting `api_key`",
        "test.rhai:10:33: error: unknown setting `notify_on_every_scal` of `notify::console` (did you mean `notify_on_every_scale`?)",
        "test.rhai:4:9: error: `min_dynos` takes a whole number, or a table",
        "test.rhai:5:34: error: `25:00` in `max_dynos` is no time of day",
        "test.rhai:7:9: error: `increment` is 0, and must be between 1 and 1000",
        "test.rhai:6:9: error: `America/Vancuver` is no time zone (did you mean `America/Vancouver`?)",
        "test.rhai:12:1: error: two pipelines are named `web`; the first is at test.rhai:1:1",
        "test.rhai:15:5: error: `scale` takes a backend of `scale::` or a map",
    ];
    for begin in begins {
        assert!(said.iter().any(|line| line.starts_with(begin)), "missing: {begin}\nin: {said:#?}");
    }
    assert_eq!(said.len(), begins.len(), "{said:#?}");
}

#[test]
fn missing_stages_are_named_with_their_choices() {
    let said = report("pipeline(\"web\", #{});");
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(
        said[1].starts_with(
            "test.rhai:1:17: error: pipeline `web` needs the setting `decide` (a stage: `decide::consecutive_threshold"
        ),
        "{said:#?}"
    );
}

#[test]
fn a_setting_in_both_places_is_an_error_at_the_second() {
    let said = one("decide::consecutive_threshold(#{ max_dynos: 5 })", "max_dynos: 6, min_dynos: 1");
    assert!(
        said.starts_with(
            "test.rhai:5:5: error: `max_dynos` stands both in the pipeline and in its `decide` (also at test.rhai:3:"
        ),
        "{said}"
    );
    let in_pipeline = specs(&pipeline("|m| ()", "max_dynos: 6, increment: 2"));
    assert!(in_pipeline[0].decide.max_written && in_pipeline[0].decide.increment == 2);
    let in_decide =
        specs(&pipeline("decide::consecutive_threshold(#{ mode: \"dry_run\", start_from_zero: true })", ""));
    assert!(in_decide[0].mode == autoscaler::pipeline::Mode::DryRun && in_decide[0].start_from_zero);
}

#[test]
fn bounds_that_cross_are_an_error_at_any_minute() {
    let said = one("|m| ()", "min_dynos: 4, max_dynos: #{ \"0:00\": 5, \"9:30\": 3 }");
    assert!(said.contains("error: `min_dynos` is 4, above `max_dynos`, 3 at 9:30"), "{said}");
    let said = one("|m| ()", "min_dynos: 4");
    assert!(
        said.starts_with(
            "test.rhai:5:5: error: `min_dynos` is 4, above `max_dynos` (its default), 3 (write `max_dynos` too)"
        ),
        "{said}"
    );
    let said = one("|m| ()", "max_dynos: 0");
    assert!(said.contains("`min_dynos` (its default) is 1, above `max_dynos`, 0"), "{said}");
}

#[test]
fn bad_tables() {
    for (table, begin) in [
        ("#{}", "error: the table of `max_dynos` is empty"),
        ("#{ \"9:00\": 2, \"09:00\": 3 }", "error: `09:00` and `9:00` in `max_dynos` are the same time"),
        (
            "#{ \"9:00\": 2.5 }",
            "error: `max_dynos` at \"9:00\" takes a whole number from 0 to 100000, not the number 2.5",
        ),
        ("-1", "error: `max_dynos` is -1, and must be between 0 and 100000"),
        ("2.5", "error: `max_dynos` takes"),
        ("true", "error: `max_dynos` takes a whole number, or a table"),
    ] {
        let said = one("|m| ()", &format!("max_dynos: {table}"));
        assert!(said.contains(begin), "{table}: {said}");
    }
}

#[test]
fn time_zones_are_suggested() {
    for (name, meant) in [
        ("america/new york", "America/New_York"),
        ("Berlin", "Europe/Berlin"),
        ("Europe/Londn", "Europe/London"),
        ("utc", "UTC"),
    ] {
        let said = one("|m| ()", &format!("time_zone: \"{name}\""));
        assert!(said.ends_with(&format!("(did you mean `{meant}`?)")), "{said}");
    }
}

#[test]
fn a_history_that_is_too_short_and_thresholds_that_cross() {
    let said = one("decide::average_threshold(#{ number_of_measurements_to_average: 20, history_length: 10 })", "");
    assert!(said.contains("error: `history_length` is 10, and the policy needs 20 measurements"), "{said}");
    let said = one("decide::consecutive_threshold(#{ max_measurement_value: 300 })", "");
    assert!(said.contains("error: `min_measurement_value` 400 is above `max_measurement_value` 300"), "{said}");
}

#[test]
fn names_of_pipelines() {
    let named = |name: &str| report(&pipeline("|m| ()", "").replace("\"web\"", &format!("\"{name}\"")));
    for good in ["web", "celery-1", "site/web", "a.b_c"] {
        assert_eq!(named(good), [""; 0], "{good}");
    }
    for bad in ["", "a b", "ü", "/web", "web/", "a//b", "..", "../web", &"x".repeat(65)] {
        let said = named(bad);
        assert!(said.len() == 1 && said[0].starts_with("test.rhai:1:1: error: "), "{bad}: {said:?}");
    }
}

#[test]
fn an_empty_script_says_what_to_write() {
    let said = report("let x = 1;");
    assert!(
        said[0].starts_with("test.rhai: error: the script declares no pipeline (declare one: `pipeline("),
        "{said:?}"
    );
}

#[test]
fn settings_are_the_defaults_of_all_pipelines() {
    let text = format!(
        "settings(#{{ mode: \"dry_run\", time_zone: \"Asia/Tokyo\", notify_repeat_minutes: 5 }});\n{}{}",
        pipeline("|m| ()", ""),
        pipeline("|m| ()", "mode: \"live\", time_zone: \"UTC\", notify_repeat_minutes: 0.5").replace("web", "two"),
    );
    let specs = specs(&text);
    let of = |index: usize| {
        let spec = &specs[index];
        (spec.mode.name(), spec.decide.zone.name(), spec.notify_repeat.as_secs())
    };
    assert_eq!((of(0), of(1)), (("dry_run", "Asia/Tokyo", 300), ("live", "UTC", 30)));
    let said = report(&format!("settings(#{{ modus: \"live\" }});\n{}", pipeline("|m| ()", "")));
    assert!(said[0].starts_with("test.rhai:1:13: error: unknown setting `modus` of `settings`"), "{said:?}");
}

#[test]
fn two_live_pipelines_for_one_target_are_refused() {
    let heroku = "scale::heroku(#{ app_name: \"a\", api_key: \"0123456789\", process_type: \"web\" })";
    let of = |name: &str, mode: &str| {
        format!("pipeline(\"{name}\", #{{ measure: || 0, decide: |m| (), scale: {heroku}, mode: \"{mode}\" }});\n")
    };
    let said = report(&[of("one", "live"), of("two", "live")].concat());
    assert!(
        said.len() == 1 && said[0].starts_with("test.rhai:2:") && said[0].contains("`one` and `two` both scale"),
        "{said:?}"
    );
    assert_eq!(report(&[of("one", "live"), of("two", "dry_run")].concat()), [""; 0]);
}

#[test]
fn thresholds_may_stand_on_the_measuring_side() {
    let of = |decide: &str| {
        format!(
            "pipeline(\"web\", #{{ measure: measure::response_time(#{{ measurement_url: \"https://a.test/\", \
             min_time_ms: 500, max_time_ms: 1000 }}), decide: {decide}, scale: #{{ current: || 0, scale_to: |n| () }} }});"
        )
    };
    let taken = specs(&of("decide::consecutive_threshold(#{})"));
    let autoscaler::decide::PolicyKind::Native(policy) = &taken[0].decide.policies[0].kind else {
        panic!("a native policy")
    };
    assert_eq!(policy.thresholds(), Some((500.0, 1000.0)));
    let said = report(&of("decide::consecutive_threshold(#{ max_measurement_value: 900 })"));
    assert!(
        said.len() == 1 && said[0].contains("warning: thresholds are given both in `measure` and in `decide`"),
        "{said:?}"
    );
    assert_eq!(report(&of("decide::consecutive_threshold(#{ max_measurement_value: 1000 })")), [""; 0]);
}

#[test]
fn what_cannot_work_is_warned_of() {
    let of = |measure: &str, decide: &str, notify: &str| {
        report(&format!(
            "pipeline(\"web\", #{{ measure: {measure}, decide: {decide}, scale: #{{ current: || 0, scale_to: |n| () }}, \
             notify: {notify} }});"
        ))
    };
    let probe = "measure::response_time(#{ measurement_url: \"https://a.test/\" })";
    let queue = "measure::celery_redis_queue_size(#{ redis_url: \"redis://localhost\" })";
    let warned = |said: Vec<String>, text: &str| {
        assert!(said.len() == 1 && said[0].contains("warning: ") && said[0].contains(text), "{said:?}");
    };
    warned(of(probe, "decide::average_threshold(#{})", "()"), "the default thresholds 0 and 20 are not meant for ms");
    warned(
        of(queue, "decide::consecutive_threshold(#{})", "()"),
        "the default thresholds 400 and 1200 are not meant for",
    );
    assert_eq!(of(queue, "decide::average_threshold(#{})", "()"), [""; 0]);
    assert_eq!(of(probe, "decide::consecutive_threshold(#{})", "()"), [""; 0]);
    let never = "decide::consecutive_threshold(#{ min_measurement_value: 0, max_measurement_value: 900 })";
    warned(of(probe, never, "()"), "never scales down");
    assert_eq!(of(queue, never, "()"), [""; 0]);
    let rapid = "notify::console(#{ notify_if_scaling_is_too_rapid: true })";
    warned(
        of(probe, "decide::consecutive_threshold(#{})", rapid),
        "scaling is never too rapid: 1 min have room for 3 scales every 30 s",
    );
    warned(of(probe, "decide::consecutive_threshold(#{ min_dynos: 0 })", "()"), "0 dynos count as switched off");
}

#[test]
fn what_stands_in_the_wrong_place() {
    let of = |key: &str, value: &str| {
        let mut stages = [
            ("measure", "|| 0"),
            ("decide", "|m| ()"),
            ("scale", "#{ current: || 0, scale_to: |n| () }"),
            ("notify", "()"),
        ];
        stages.iter_mut().find(|(name, _)| *name == key).unwrap().1 = value;
        let entries: Vec<String> = stages.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let said = report(&format!("pipeline(\"web\", #{{ {} }});", entries.join(", ")));
        assert_eq!(said.len(), 1, "{said:#?}");
        said.into_iter().next().unwrap()
    };
    assert!(
        of("measure", "decide::average_threshold(#{})").contains(
            "`measure` takes a backend of `measure::` or a function `|| …`, not `decide::average_threshold(…)`"
        )
    );
    assert!(of("decide", "|a, b| ()").contains("takes 2 parameters, and is called with 1"));
    assert!(of("measure", "|x| 0").contains("takes 1 parameter, and is called with 0"));
    assert!(of("scale", "#{ current: || 0 }").contains("`scale` needs the setting `scale_to`"));
    assert!(of("notify", "[notify::console(), 3]").contains(
        "`notify` takes a backend of `notify::`, a function `|event| …`, or an array of these, not the number 3"
    ));
    assert!(of("decide", "decide::custom(#{ memory: 3 }, |m| ())").contains("`memory` takes a map"));
}

#[test]
fn notify_all_gives_its_settings_to_each() {
    let notify = "notify::all(#{ notify_on_every_scale: true, notify_if_needs_exceed_max: false }, \
                  [notify::console(), notify::logger(#{ notify_on_every_scale: false }), |event| ()])";
    let specs = specs(&pipeline("|m| ()", &format!("notify: {notify}")));
    let flags: Vec<_> = specs[0].notify.iter().map(|stage| stage.flags.unwrap()).collect();
    let scale: Vec<bool> = flags.iter().map(|flags| flags.every_scale).collect();
    assert_eq!(scale, [true, false, true]);
    assert!(flags.iter().all(|flags| !flags.needs_exceed_max && !flags.every_measurement));
    let said = one("|m| ()", "notify: notify::all(#{ notify_on_scale: true }, [notify::console()])");
    assert!(said.contains("unknown setting `notify_on_scale` of `notify::all`"), "{said}");
}

#[test]
fn a_stage_that_no_pipeline_uses_is_looked_at_too() {
    let said = report(&format!("let a = decide::average_threshold(#{{ max_dynoss: 3 }});\n{}", pipeline("|m| ()", "")));
    assert!(said.len() == 1 && said[0].contains("unknown setting `max_dynoss`"), "{said:?}");
}

#[test]
fn a_stage_that_two_pipelines_share_is_reported_once() {
    let shared = "let d = decide::average_threshold(#{ increment: -1 });\n".to_owned();
    let text = [shared, pipeline("d", ""), pipeline("d", "").replace("web", "two")].concat();
    assert_eq!(report(&text).len(), 1, "{:#?}", report(&text));
}

#[test]
fn a_unit_prefixes_the_names_and_process_types() {
    let text = "pipeline(\"web\", #{ measure: || 0, decide: |m| (), \
                scale: scale::heroku(#{ app_name: \"a\", api_key: \"0123456789\" }) });";
    let loaded = super::bench::loaded(text);
    let declared = autoscaler::pipeline::declare(&loaded, Some("shop"), 7, chrono_tz::Tz::UTC);
    let spec = &declared.specs[0];
    assert_eq!((&*spec.name, spec.generation), ("shop/web", 7));
    assert_eq!(&*spec.scale.heroku().unwrap().process_type, "web");
}

#[test]
fn two_pipelines_of_one_name_are_one_error() {
    let one = "pipeline(\"web\", #{ measure: || 0, decide: |m| (), scale: scale::heroku(#{ app_name: \"a\", api_key: \"k\" }) });";
    let said = report(&format!("{one}\n{one}"));
    assert_eq!(said, ["test.rhai:2:1: error: two pipelines are named `web`; the first is at test.rhai:1:1"]);
}

#[test]
fn an_interval_has_a_floor_and_large_numbers_are_short() {
    let with = |interval: &str| {
        report(&format!(
            "pipeline(\"web\", #{{ measure: measure::custom(#{{ measurement_interval_in_seconds: {interval} }}, || 0), \
             decide: |m| (), scale: #{{ current: || 0, scale_to: |n| () }} }});"
        ))
    };
    assert!(with("0.001")[0].contains("is 0.001, and must be at least 0.01"), "{:?}", with("0.001"));
    assert_eq!(with("0.01"), [""; 0]);
    assert!(with("1e300")[0].contains("is 1e300, which is more than a year"), "{:?}", with("1e300"));
}
