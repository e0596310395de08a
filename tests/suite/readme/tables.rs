//! Owns the tables of the README and of docs/settings.md: they name every setting of the engine's own tables with its default,
//! every documented name, and no command or flag that does not exist.

use autoscaler::settings::{Constructor, Preset, Setting};
use autoscaler::{decide, measure, notify, scale};

use super::markdown::Page;
use super::sandbox::Sandbox;
use super::{readme, root};

/// Every setting that the documentation of heroku-web-autoscale names.
const DOCUMENTED_SETTINGS: &[&str] = &[
    "MEASUREMENT_URL",
    "MEASUREMENT_INTERVAL_IN_SECONDS",
    "MIN_TIME_MS",
    "MAX_TIME_MS",
    "QUEUE_NAME",
    "NUMBER_OF_FAILS_TO_SCALE_UP_AFTER",
    "NUMBER_OF_PASSES_TO_SCALE_DOWN_AFTER",
    "NUMBER_OF_MEASUREMENTS_TO_AVERAGE",
    "MIN_MEASUREMENT_VALUE",
    "MAX_MEASUREMENT_VALUE",
    "MIN_DYNOS",
    "MAX_DYNOS",
    "TIME_ZONE",
    "INCREMENT",
    "POST_SCALE_WAIT_TIME_SECONDS",
    "HISTORY_LENGTH",
    "APP_NAME",
    "API_KEY",
    "NOTIFY_ON_EVERY_MEASUREMENT",
    "NOTIFY_ON_EVERY_SCALE",
    "NOTIFY_IF_NEEDS_BELOW_MIN",
    "NOTIFY_IF_NEEDS_EXCEED_MAX",
    "NOTIFY_IF_SCALING_IS_TOO_RAPID",
    "NOTIFY_IF_SCALING_IS_TOO_RAPID_NUM_SCALES",
    "NOTIFY_IF_SCALING_IS_TOO_RAPID_TIME_PERIOD_MINUTES",
];

/// Every backend that it names.
const DOCUMENTED_BACKENDS: &[&str] = &[
    "ResponseTimeBackend",
    "HerokuServiceTimeBackend",
    "CeleryRedisQueueSizeBackend",
    "AppDecisionBackend",
    "ConsecutiveThresholdBackend",
    "AverageThresholdBackend",
    "HerokuBackend",
    "HerokuScaleBackend",
    "ConsoleBackend",
    "LoggerBackend",
    "DjangoEmailBackend",
    "TestBackend",
];

/// A setting as the engine has it, under the function that takes it (`measure::*` for all of them).
struct Known {
    function: String,
    setting: &'static Setting,
}

/// A setting as the tables have it.
#[derive(Debug)]
struct Shown {
    function: String,
    setting: String,
    documented: String,
    default: String,
}

/// The functions of one module, with their documented names.
fn functions<T>(module: &str, constructors: &[Constructor<T>]) -> Vec<(String, &'static str, &'static [Setting])> {
    constructors
        .iter()
        // They take functions and other stages, and the settings common to their module.
        .filter(|constructor| !["custom", "all"].contains(&constructor.name))
        .map(|constructor| (format!("{module}::{}", constructor.name), constructor.backend, constructor.settings))
        .collect()
}

fn all_functions() -> Vec<(String, &'static str, &'static [Setting])> {
    let mut all = functions("measure", measure::CONSTRUCTORS);
    all.extend(functions("decide", decide::CONSTRUCTORS));
    all.extend(functions("scale", scale::CONSTRUCTORS));
    all.extend(functions("notify", notify::CONSTRUCTORS));
    all
}

fn known() -> Vec<Known> {
    let common = [("measure::*", measure::COMMON), ("decide::*", decide::COMMON), ("notify::*", notify::COMMON)];
    let mut known = Vec::new();
    for (function, settings) in common {
        known.extend(settings.iter().map(|setting| Known { function: function.to_owned(), setting }));
    }
    for (function, _, settings) in all_functions() {
        known.extend(settings.iter().map(|setting| Known { function: function.clone(), setting }));
    }
    known
}

/// The rows of the tables of settings, in docs/settings.md and, for what scripts describe, in
/// docs/script.md: four cells, of which an empty first one means "as above".
fn shown() -> Vec<Shown> {
    let pages = ["docs/settings.md", "docs/script.md"].map(|page| Page::read(&root().join(page)));
    let mut function = String::new();
    let mut shown = Vec::new();
    for row in pages.iter().flat_map(Page::rows) {
        let [first, setting, documented, default] = row[..] else { continue };
        if setting == "setting" || setting.starts_with("---") {
            continue;
        }
        if let Some(code) = first.split('`').nth(1) {
            function = if code.ends_with("::") { format!("{code}*") } else { code.to_owned() };
        }
        let setting = setting.trim_matches('`').to_owned();
        let (documented, default) = (documented.to_owned(), default.to_owned());
        shown.push(Shown { function: function.clone(), setting, documented, default });
    }
    assert!(shown.len() > 40, "the tables of settings are not found: {shown:?}");
    shown
}

/// How the tables write a default; `None` where it may use words.
fn default(preset: Preset) -> Option<String> {
    match preset {
        Preset::Required => Some("required".into()),
        Preset::None(_) => None,
        Preset::Flag(flag) => Some(format!("`{flag}`")),
        Preset::Whole(number) => Some(format!("`{number}`")),
        Preset::Number(number) => Some(format!("`{number}`")),
        Preset::Text(text) => Some(format!("`\"{text}\"`")),
    }
}

#[test]
fn every_setting_is_in_a_table_with_its_default() {
    let shown = shown();
    let mut wrong = Vec::new();
    for Known { function, setting } in known() {
        let expected = default(setting.preset);
        let row = shown.iter().find(|row| row.function == function && row.setting == setting.name);
        let right = row.is_some_and(|row| expected.as_ref().is_none_or(|text| row.default.starts_with(&**text)));
        if !right {
            let text = expected.unwrap_or_else(|| format!("(in words) {:?}", setting.preset));
            wrong.push(format!("`{function}` `{}`: the default is {text}; the table has {row:?}", setting.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_setting_in_a_table_exists() {
    let known = known();
    let exists = |row: &&Shown| known.iter().any(|k| k.function == row.function && k.setting.name == row.setting);
    let wrong: Vec<String> = shown().iter().filter(|row| !exists(row)).map(|row| format!("{row:?}")).collect();
    assert!(wrong.is_empty(), "no such setting:\n{}", wrong.join("\n"));
}

#[test]
fn every_documented_setting_has_its_name_here() {
    let shown = shown();
    for name in DOCUMENTED_SETTINGS {
        let rows: Vec<_> = shown.iter().filter(|row| row.documented == *name).collect();
        assert!(!rows.is_empty(), "{name} is in no table");
        for row in rows {
            assert_eq!(row.setting, name.to_lowercase());
        }
    }
}

#[test]
fn every_documented_backend_has_its_function() {
    let page = readme();
    let rows = page.rows();
    let function_of = |backend: &str| {
        let row = rows.iter().find(|row| row[0].split(", ").any(|name| name == backend));
        row.and_then(|row| row[1].split('`').nth(1)).unwrap_or_else(|| panic!("{backend} is not in the README"))
    };
    // One documented backend may be several functions here; the README names one of them.
    for backend in DOCUMENTED_BACKENDS {
        let named = function_of(backend);
        let functions: Vec<String> = all_functions()
            .into_iter()
            .filter(|(_, known, _)| known == backend)
            .map(|(function, ..)| function)
            .collect();
        assert!(functions.is_empty() || functions.iter().any(|known| known == named), "{backend}: {functions:?}");
    }
}

#[test]
fn every_command_and_flag_in_the_readme_exists() {
    let page = readme();
    let sandbox = Sandbox::new();
    let help = |command: &[&str]| sandbox.autoscaler([command, &["--help"]].concat()).expect_success("--help").stdout;
    let commands = help(&[]);
    let with_flags = [
        "run",
        "check",
        "once",
        "test",
        "init",
        "demo",
        "status",
        "pause",
        "resume",
        "set",
        "scale-in",
        "scale-out",
        "rollback",
        "try",
        "explain",
        "history",
        "pin",
        "simulate",
        "replay",
        "push",
        "import",
        "doctor",
        "heartbeat",
    ];
    let flags: String = with_flags.iter().map(|command| help(&[command])).collect();
    let word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').any(|candidate| candidate == word)
    };
    for span in page.spans() {
        let words: Vec<&str> = span.split_whitespace().collect();
        if !matches!(words.first(), Some(first) if *first == "autoscaler" || first.starts_with("--")) {
            continue;
        }
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(word(&flags, flag), "`{span}`: no command has {flag}");
        }
        if let ["autoscaler", command, ..] = words[..]
            && command.chars().all(|c| c.is_ascii_lowercase())
        {
            assert!(word(&commands, command), "`{span}`: there is no command {command}");
        }
    }
}
