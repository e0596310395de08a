//! Files that are wrong, each with one clear answer and its place.

use std::fmt::Write as _;

use autoscaler::import::{Form, Options};

use super::support::{DECIDES, MEASURES, SCALES, module, python, take};

/// A module whose measurement, decision and scaling are these.
fn with(measures: &str, decides: &str, scales: &str) -> String {
    module(&format!("{measures}\n{decides}\n{scales}"))
}

#[test]
#[allow(clippy::too_many_lines)] // A table: one row per mistake.
fn what_is_no_literal_missing_or_unknown_is_told_where_it_stands() {
    let decide = |settings: &str| DECIDES.replace("'}", &format!("', 'SETTINGS': {settings}}}"));
    for (text, place, part) in [
        // No literal.
        (
            "AUTOSCALE_SETTINGS = load('x.json')\n".into(),
            "settings.py:1:22: error: ",
            "`load('x.json')` is no value but code",
        ),
        ("if X:\n    AUTOSCALE_SETTINGS = {}\n".into(), "settings.py:2:5: error: ", "is set in a branch"),
        (with(MEASURES, &decide("{'MAX_DYNOS': MOST}"), SCALES), "settings.py:4:", "`MOST` is not set above"),
        (
            with(MEASURES, &decide("{'MAX_DYNOS': max(1, 2)}"), SCALES),
            "settings.py:4:",
            "`max(1, 2)` is no value but code",
        ),
        (
            with(MEASURES, &decide("SETTINGS_ELSEWHERE"), SCALES),
            "settings.py:4:",
            "`SETTINGS_ELSEWHERE` is not set above",
        ),
        (
            "X = {'a': 1 for a in b}\nAUTOSCALE_SETTINGS = X\n".into(),
            "settings.py:1:5: error: ",
            "is no value but code",
        ),
        // Missing.
        ("DEBUG = True\n".into(), "settings.py:1:1: error: ", "there is no `AUTOSCALE_SETTINGS` here"),
        ("AUTOSCALER_SETTINGS = {}\n".into(), "settings.py:1:1: error: ", "should that be it?"),
        (String::new(), "settings.py:1:1: error: ", "there is no `AUTOSCALE_SETTINGS` here"),
        ("AUTOSCALE_SETTINGS = {}\n".into(), "settings.py:1:1: error: ", "is empty"),
        ("AUTOSCALE_SETTINGS = []\n".into(), "settings.py:1:22: error: ", "is a list, and must be a dictionary"),
        (with("", DECIDES, SCALES), "settings.py:2:1: error: ", "`web` has no MEASUREMENT"),
        (with(MEASURES, DECIDES, ""), "settings.py:2:1: error: ", "`web` has no SCALING"),
        (
            with(MEASURES, "", SCALES),
            "settings.py:2:1: warning: ",
            "`web` has no DECISION: ConsecutiveThresholdBackend",
        ),
        (with("'MEASUREMENT': {},", DECIDES, SCALES), "settings.py:3:1: error: ", "has no BACKEND"),
        (
            with("'MEASUREMENT': 'x',", DECIDES, SCALES),
            "settings.py:3:16: error: ",
            "is a text, and must be a dictionary",
        ),
        (
            with(MEASURES, DECIDES, "'SCALING': {'BACKEND': 'HerokuBackend'},"),
            "settings.py:5:24: error: ",
            "has no APP_NAME",
        ),
        (
            with(MEASURES, DECIDES, "'SCALING': {'BACKEND': 'HerokuBackend'},"),
            "settings.py:5:24: warning: ",
            "has no API_KEY: the variable HEROKU_API_KEY",
        ),
        (
            with(MEASURES, DECIDES, &format!("{SCALES}\n'NOTIFICATION': {{'SETTINGS': {{}}}},")),
            "settings.py:6:1: error: ",
            "has no BACKENDS",
        ),
        // Unknown.
        (
            with(&MEASURES.replace("ResponseTimeBackend", "ResponseTimesBackend"), DECIDES, SCALES),
            "settings.py:3:28: error: ",
            "did you mean `ResponseTimeBackend`?",
        ),
        (
            with(
                &MEASURES.replace("measurement.ResponseTimeBackend", "decision.AverageThresholdBackend"),
                DECIDES,
                SCALES,
            ),
            "settings.py:3:28: error: ",
            "is a backend of DECISION, not of MEASUREMENT",
        ),
        (
            with("'MEASUREMENT': {'BACKEND': 'NewRelic'},", DECIDES, SCALES),
            "settings.py:3:28: error: ",
            "names an unknown backend `NewRelic`",
        ),
        (with(MEASURES, &decide("{'MAX_DYNO': 4}"), SCALES), "settings.py:4:", "did you mean `MAX_DYNOS`?"),
        (
            with(MEASURES, DECIDES, &format!("{SCALES}\n'NOTIFICATIONS': {{}},")),
            "settings.py:6:1: warning: ",
            "did you mean `NOTIFICATION`?",
        ),
        // Of a wrong kind.
        (
            with(MEASURES, &decide("{'MAX_DYNOS': '4'}"), SCALES),
            "settings.py:4:",
            "is a text, and must be a whole number, or a dictionary by time of day",
        ),
        (with(MEASURES, &decide("{'MAX_DYNOS': 2.5}"), SCALES), "settings.py:4:", "is a number with a fraction"),
        (
            with(MEASURES, &decide("{'MAX_DYNOS': {'9:00': 'five'}}"), SCALES),
            "settings.py:4:",
            "at \"9:00\" is a text, and must be a whole number",
        ),
        (with(MEASURES, &decide("{1.5: 2}"), SCALES), "settings.py:4:", "a key of a dictionary is a text"),
        (
            with(
                MEASURES,
                DECIDES,
                &format!(
                    "{SCALES}\n'NOTIFICATION': {{'BACKENDS': ['ConsoleBackend'], 'SETTINGS': {{'NOTIFY_ON_EVERY_SCALE': 'yes'}}}},"
                ),
            ),
            "settings.py:6:",
            "is a text, and must be True or False",
        ),
        // What running would have done.
        (
            format!("{}AUTOSCALE_SETTINGS['web']['x'] = 1\n", with(MEASURES, DECIDES, SCALES)),
            "settings.py:7:1: warning: ",
            "is changed here",
        ),
        (
            format!("{}AUTOSCALE_SETTINGS.update(a=1)\n", with(MEASURES, DECIDES, SCALES)),
            "settings.py:7:1: warning: ",
            "is changed here",
        ),
        (
            with(MEASURES, &decide("{'INCREMENT': 1, 'INCREMENT': 2}"), SCALES),
            "settings.py:4:",
            "`INCREMENT` is written twice",
        ),
        (
            format!("TIME_ZONE = zone()\n{}", with(MEASURES, DECIDES, SCALES)),
            "settings.py:1:13: warning: ",
            "`TIME_ZONE` is code",
        ),
    ] {
        let came = python(&text);
        came.says(place, part);
        let error = place.ends_with("error: ") || came.said.iter().any(|line| line.contains(": error: "));
        assert_eq!(came.script.is_none(), error, "{text}\n{}", came.said.join("\n"));
    }
}

#[test]
fn syntax_is_told_where_it_breaks() {
    for (text, place, part) in [
        ("AUTOSCALE_SETTINGS = {\n    'web': {\n", "settings.py:3:1: error: ", "this is not Python: "),
        ("AUTOSCALE_SETTINGS = {'web': 'x}\n", "settings.py:1:30: error: ", "this is not Python: "),
        ("AUTOSCALE_SETTINGS = {\n\t'web': {]\n}\n", "settings.py:2:", "this is not Python: "),
        ("AUTOSCALE_SETTINGS = \n", "settings.py:1:", "this is not Python: "),
    ] {
        let came = python(text);
        came.says(place, part);
        assert_eq!(came.script, None, "{text}");
    }
}

#[test]
fn slips_with_a_sure_mend_are_told_and_mended_and_nothing_else_is_touched() {
    let classes = "'NOTIFICATION': {'BACKENDS': [\n'heroku_web_autoscale.backends.notification.ConsoleBackend'\n'heroku_web_autoscale.backends.notification.LoggerBackend'\n]},";
    let scales = SCALES.replace("'APP_NAME': 'forest',", "'APP_NAME': 'forest',  // the app's name\n");
    let text = with(MEASURES, DECIDES, &format!("{scales}\n{classes}"));
    let came = python(&text);
    came.says("settings.py:5:", "`//` begins no comment in Python");
    came.says("settings.py:8:60: error: ", "a comma is missing here");
    assert_eq!(came.script, None);
    let came = take(text.as_bytes(), Form::Python, Options { mend: true, ..Options::default() });
    came.has(&[
        "app_name: \"forest\", api_key: env::secret(\"KEY\") };".replace("app_name", "let app = #{ app_name").as_str(),
        "notify::console(),",
        "notify::logger(),",
    ]);
    // A division is one, an assignment is one, texts side by side are one text.
    let fine = format!("HALF = 60 // 2\nA = B = ('x'\n  'y')\n{}", with(MEASURES, DECIDES, SCALES));
    let came = python(&fine);
    assert!(came.script.is_some() && !came.said.iter().any(|line| line.contains("mend")), "{}", came.said.join("\n"));
}

#[test]
fn strange_encodings_are_read_or_told() {
    let text = with(MEASURES, DECIDES, SCALES);
    let bytes = |bytes: &[u8]| take(bytes, Form::Python, Options::default());
    bytes(&[b"\xEF\xBB\xBF", text.as_bytes()].concat()).has(&["pipeline(\"web\", #{"]);
    bytes(text.replace('\n', "\r\n").as_bytes()).has(&["pipeline(\"web\", #{"]);
    bytes(&[&b"# -*- coding: latin-1 -*-\n# caf\xE9\n"[..], text.as_bytes()].concat()).has(&["pipeline(\"web\", #{"]);
    let wide: Vec<u8> = std::iter::once(0xFEFF_u16).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let came = bytes(&wide);
    came.has(&["pipeline(\"web\", #{"]);
    came.says("settings.py:1:1: warning: ", "UTF-16, which Python does not read");
    bytes(&wide[2..]).says("settings.py:1", "error: ");
    bytes(b"A = 1\nB = 'caf\xE9'\n").says("settings.py:2:9: error: ", "the byte 0xe9 begins no character");
    bytes(b"# coding: cp1252\n").says("settings.py: error: ", "`cp1252`, which is not read here");
    bytes(b"\x7fELF\x02\x01\x01\0\0\0").says("settings.py:1", "zero byte");
}

#[test]
fn files_that_are_too_much_are_refused_and_break_nothing() {
    let many = 100_000;
    for (text, part) in [
        (format!("X = {}{}\n", "[".repeat(many), "]".repeat(many)), "more than 64 deep"),
        (format!("X = {}\n", "{1:".repeat(many)), "more than 64 deep"),
        (format!("X = {}1\n", "-".repeat(many)), "longer than 1000 words"),
        (format!("X = {}1\n", "1+".repeat(many)), "longer than 1000 words"),
        (format!("X = a{}\n", ".b".repeat(many)), "longer than 1000 words"),
        (format!("X = a{}\n", "(1)".repeat(many)), "longer than 1000 words"),
        (format!("X = {}1\n", "lambda:".repeat(many)), "longer than 1000 words"),
        (format!("X = {}\n", "f'{".repeat(many)), "more than 64 deep"),
        ("#".repeat(2 * 1024 * 1024), "larger than 1 MiB"),
    ] {
        let came = python(&text);
        assert_eq!(came.script, None);
        came.says("settings.py", part);
    }
    let came = python(&format!("A = 1\nX = (\n{}{})\n", "[".repeat(80), "]".repeat(80)));
    came.says("settings.py:3:63: error: ", "more than 64 deep");
    // Constants that name each other come to more than any settings.
    let mut bomb = String::from("A0 = ['x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x']\n");
    for level in 1..12 {
        writeln!(bomb, "A{level} = [{}]", vec![format!("A{}", level - 1); 9].join(", ")).unwrap();
    }
    python(&bomb).says("settings.py:", "more than 100,000 values");
}
