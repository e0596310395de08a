//! Owns what a script finds without importing it: one file per module or type, registered here. It
//! reaches nothing outside by itself.

pub(super) mod change;
pub(super) mod env;
pub(super) mod event;
pub(super) mod hash;
pub(super) mod history;
pub(super) mod http;
pub(super) mod log;
pub(super) mod missing;
pub(super) mod moment;
pub(super) mod named;
pub(super) mod options;
mod range;
pub(super) mod reaching;
pub(super) mod redis;
pub(super) mod secret;
pub(super) mod stages;
pub(super) mod stats;
pub(super) mod testing;
pub(super) mod time;
pub(super) mod unlike;

use std::sync::LazyLock;

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use super::convert;
use super::diagnose::{REFUSED, complaint};
use super::entry::{Entry, Form, Type};

/// What a native function gives.
type Answered<T> = Result<T, Box<EvalAltResult>>;

/// Everything that scripts can call or read, by the file that registers it; the constructors of the four
/// stages are in tables of their own.
static DOCS: &[&[Entry]] = &[
    stages::DOCS,
    change::DOCS,
    moment::DOCS,
    named::DOCS,
    history::DOCS,
    event::DOCS,
    env::DOCS,
    log::DOCS,
    stats::DOCS,
    stats::forecast::DOCS,
    stats::outlook::DOCS,
    stats::steady::DOCS,
    stats::waiting::DOCS,
    time::DOCS,
    hash::DOCS,
    options::DOCS,
    http::DOCS,
    reaching::DOCS,
    redis::DOCS,
    testing::DOCS,
];

/// Our modules and what they are for.
pub(super) const MODULES: &[(&str, &str)] = &[
    ("measure", "What is measured. Its functions are constructors: the engine measures, at every tick."),
    ("decide", "How many dynos are wanted. Its functions are constructors: the engine decides, at every tick."),
    ("scale", "What is scaled. Its functions are constructors: the engine counts and scales."),
    ("notify", "Who is told. Its functions are constructors: the engine tells, and never waits for it."),
    (
        "http",
        "Requests as values: a function sends one and waits, or describes it to the engine. In tests, the answers.",
    ),
    ("env", "The environment variables of the worker."),
    ("redis", "Questions to Redis servers that change nothing."),
    ("log", "The log, at a level."),
    ("stats", "Statistics of arrays and histories, forecasts, and dynos by how long requests wait."),
    ("time", "The wall clock, for functions that may reach the world."),
    ("hash", "Digests, and what signs messages with a key."),
    ("options", "For modules written as scripts: their settings, read as strictly as those of native stages."),
];

/// Our types.
pub(super) const KINDS: &[Type] = &[
    Type { name: "Moment", words: moment::NAME, doc: "`m`: what a decision is given.", native: "MomentValue" },
    Type {
        name: "History",
        words: "a history",
        doc: "`m.history` and `m.past`: measurements, newest last.",
        native: "HistoryValue",
    },
    Type {
        name: "Values",
        words: named::VALUES,
        doc: "`m.values`: the numbers of several measurements, by name.",
        native: "ValuesValue",
    },
    Type {
        name: "Measurements",
        words: named::MEASUREMENTS,
        doc: "`m.measurements`: several measurements, by name.",
        native: "MeasurementsValue",
    },
    Type {
        name: "Measurement",
        words: named::MEASUREMENT,
        doc: "One of several measurements.",
        native: "MeasurementValue",
    },
    Type {
        name: "Time",
        words: moment::NOW,
        doc: "`m.now` and `time::now()`: a point in time, in a zone.",
        native: "NowValue",
    },
    Type {
        name: "Event",
        words: event::NAME,
        doc: "`event`: what a notifying function is given.",
        native: "EventValue",
    },
    Type {
        name: "Answer",
        words: "an answer such as `up(1)`",
        doc: "What a decision answers: `up(n)`, `down(n)`, `to(n)`, `hold(\"why\")`.",
        native: "Answer",
    },
    Type {
        name: "Failed",
        words: "a failed measurement",
        doc: "What `measure::failed(\"why\")` gives.",
        native: "Failed",
    },
    Type {
        name: "Stage",
        words: "a stage",
        doc: "What the constructors of `measure::`, `decide::`, `scale::` and `notify::` give.",
        native: "StageNumber",
    },
    Type {
        name: "Secret",
        words: "a secret",
        doc: "What `env::secret` gives. It can be joined with texts (`secret + text` is a secret) and given to settings; \
              it prints as `***`.",
        native: "ScriptSecret",
    },
    Type {
        name: "Request",
        words: http::NAME,
        doc: "What `http::get(url)` and the others give: a request that is not yet sent.",
        native: "RequestValue",
    },
    Type { name: "Reply", words: reaching::NAME, doc: "What a request or a program answered.", native: "ReplyValue" },
    Type {
        name: "RedisServer",
        words: redis::NAME,
        doc: "What `redis::server(url)` gives.",
        native: "RedisServerValue",
    },
    Type {
        name: "UnderTest",
        words: testing::NAME,
        doc: "What `under_test(\"web\")` gives: a pipeline in a world of its own.",
        native: "BenchValue",
    },
    Type {
        name: "Error",
        words: "an error",
        doc: "What `catch (error)` gives for an error of the engine; in a text it is its message.",
        native: "Complaint",
    },
];

/// The common functions of the language, for suggestions next to ours.
const LANGUAGE: &[&str] = &[
    "abs",
    "ceiling",
    "floor",
    "round",
    "min",
    "max",
    "sqrt",
    "type_of",
    "range",
    "parse_int",
    "parse_float",
    "to_json",
    "len",
    "filter",
    "reduce",
    "keys",
    "values",
    "contains",
    "push",
    "to_int",
    "to_float",
    "to_string",
];

/// Every entry of every table.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    DOCS.iter().flat_map(|docs| docs.iter())
}

/// Our modules, for suggestions.
pub(super) static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| MODULES.iter().map(|(name, _)| *name).collect());

/// Our functions outside of modules and the common ones of the language, for suggestions.
pub(super) static FUNCTIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| fitting(None));

/// Our functions that are called as `name(…)`; all others are methods of our types.
pub(super) fn is_plain(name: &str) -> bool {
    let ours = || entries().any(|entry| entry.form == Form::Function && entry.name == name);
    ours() || REFUSED.iter().any(|(refused, _)| *refused == name)
}

/// Our types as the engine and as the author know them.
pub(super) static TYPES: LazyLock<Vec<(&'static str, &'static str)>> =
    LazyLock::new(|| KINDS.iter().map(|kind| (kind.native, kind.words)).collect());

/// The properties of our types, for suggestions.
pub(super) static PROPERTIES: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    let properties = |of| entries().filter(move |entry| entry.form == Form::Property(of)).map(|entry| entry.name);
    KINDS.iter().map(|kind| (kind.words, properties(kind.name).collect())).collect()
});

/// The methods of our types, as messages call the types.
static METHODS: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    let methods = |of| entries().filter(move |entry| entry.form == Form::Method(of)).map(|entry| entry.name);
    KINDS.iter().map(|kind| (kind.words, methods(kind.name).collect())).collect()
});

/// The methods of the type that messages call `words`.
pub(super) fn methods(words: &str) -> &'static [&'static str] {
    METHODS.iter().find(|(known, _)| *known == words).map_or(&[], |(_, methods)| &methods[..])
}

/// What may be meant where something unknown is called on a value that messages call `words`, or with it:
/// methods of other types of ours are not.
pub(super) fn fitting(words: Option<&str>) -> Vec<&'static str> {
    let of = words.map(|words| KINDS.iter().find(|kind| kind.words == words).map(|kind| kind.name));
    let fits = |entry: &&Entry| match (entry.form, of) {
        (Form::Function, _) => true,
        // Only tests have one, and they call its methods on it.
        (Form::Method(its), None) => its != "UnderTest",
        (Form::Method(its), Some(of)) => of == Some(its),
        (Form::Member(_) | Form::Property(_) | Form::Index(_), _) => false,
    };
    entries().filter(fits).map(|entry| entry.name).chain(LANGUAGE.iter().copied()).collect()
}

/// Registers everything.
pub(super) fn register(engine: &mut Engine) {
    missing::register(engine);
    unlike::register(engine);
    range::register(engine);
    stages::register(engine);
    change::register(engine);
    moment::register(engine);
    named::register(engine);
    history::register(engine);
    event::register(engine);
    secret::register(engine);
    env::register(engine);
    log::register(engine);
    stats::register(engine);
    hash::register(engine);
    options::register(engine);
    time::register(engine);
    http::register(engine);
    reaching::register(engine);
    redis::register(engine);
    testing::register(engine);
}

/// `answer`, its error at the place of the call: the language gives none to functions of modules.
fn placed<T>(native: &NativeCallContext, answer: Answered<T>) -> Answered<T> {
    answer.map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(native.call_position());
        }
        error
    })
}

/// A finite number, given as a whole one or with a fraction.
fn number(what: &str, value: &Dynamic) -> Answered<f64> {
    convert::number(value).filter(|value| value.is_finite()).ok_or_else(|| expected(what, "a number", value))
}

/// A whole number of at least `least`; 3.0 will do.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(what: &str, least: f64, value: &Dynamic) -> Answered<usize> {
    let given = convert::number(value).filter(|value| value.fract() == 0.0 && *value >= least && *value < 1e9);
    given
        .map(|value| value as usize)
        .ok_or_else(|| expected(what, &format!("a whole number of at least {least}"), value))
}

/// A text.
fn text(what: &str, value: &Dynamic) -> Answered<String> {
    value.clone().into_string().map_err(|_| expected(what, "a text", value))
}

fn expected(what: &str, expected: &str, value: &Dynamic) -> Box<EvalAltResult> {
    let shown = if value.is_int() || value.is_float() { value.to_string() } else { convert::describe(value) };
    complaint(format!("{what} takes {expected}, not {shown}"), None, Position::NONE)
}

/// `None` as nothing.
fn optional<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::collections::BTreeMap;

    use super::super::diagnose::Complaint;
    use super::super::session::StageNumber;
    use super::*;
    use crate::reference::constructors;

    /// What the language itself calls: on every type, and for `in`.
    const OF_EVERY_TYPE: &[&str] = &["to_string", "to_debug", "print", "debug", "contains"];

    fn kinds() -> BTreeMap<TypeId, &'static str> {
        BTreeMap::from([
            (TypeId::of::<moment::MomentValue>(), "Moment"),
            (TypeId::of::<history::HistoryValue>(), "History"),
            (TypeId::of::<named::ValuesValue>(), "Values"),
            (TypeId::of::<named::MeasurementsValue>(), "Measurements"),
            (TypeId::of::<named::MeasurementValue>(), "Measurement"),
            (TypeId::of::<moment::NowValue>(), "Time"),
            (TypeId::of::<event::EventValue>(), "Event"),
            (TypeId::of::<change::Answer>(), "Answer"),
            (TypeId::of::<change::Failed>(), "Failed"),
            (TypeId::of::<StageNumber>(), "Stage"),
            (TypeId::of::<secret::ScriptSecret>(), "Secret"),
            (TypeId::of::<http::RequestValue>(), "Request"),
            (TypeId::of::<reaching::ReplyValue>(), "Reply"),
            (TypeId::of::<redis::RedisServerValue>(), "RedisServer"),
            (TypeId::of::<testing::BenchValue>(), "UnderTest"),
            (TypeId::of::<Complaint>(), "Error"),
        ])
    }

    /// Everything of ours that `engine` knows, as "form name(count)".
    fn registered(engine: &Engine) -> Vec<String> {
        let kinds = &kinds();
        let name = |namespace: &str, name: &str, count: usize, first: Option<&TypeId>| {
            let of = first.and_then(|id| kinds.get(id)).copied();
            if !namespace.is_empty() {
                return Some(format!("{namespace}::{name}({count})"));
            }
            if name == "index$get$" {
                return Some(format!("{}[]({})", of?, count - 1));
            }
            if let Some(property) = name.strip_prefix("get$") {
                return Some(format!("{}.{property}", of?));
            }
            let plain = name.starts_with(|first: char| first.is_ascii_alphabetic());
            if !plain || OF_EVERY_TYPE.contains(&name) {
                return None;
            }
            // `1.because("…")` is registered to say what is wrong with it.
            let of = of.or_else(|| (name == "because").then_some("Answer"));
            Some(of.map_or_else(|| format!("{name}({count})"), |of| format!("{of}.{name}({})", count - 1)))
        };
        let mut found = engine.collect_fn_metadata(
            None,
            |info| {
                let function = info.metadata;
                name(&info.namespace, &function.name, function.num_params, function.param_types.first())
            },
            false,
        );
        found.sort();
        found.dedup();
        found
    }

    /// The same of the tables.
    fn described() -> Vec<String> {
        // Of the language, not registered by us.
        let language = |entry: &&Entry| entry.form != Form::Function || !OF_EVERY_TYPE.contains(&entry.name);
        let mut described = Vec::new();
        for entry in entries().filter(language) {
            match entry.form {
                Form::Property(_) => described.push(entry.title()),
                Form::Index(of) => described.push(format!("{of}[]({})", entry.parameters.len())),
                _ => described.extend(entry.counts().map(|count| format!("{}({count})", entry.title()))),
            }
        }
        for made in constructors() {
            let most = 1 + usize::from(made.function.is_some());
            described.extend((0..=most).map(|count| format!("{}({count})", made.title())));
        }
        described.sort();
        described
    }

    #[test]
    fn everything_that_is_registered_is_described_once_and_everything_described_is_registered() {
        let mut engine = Engine::new();
        register(&mut engine);
        assert_eq!(described(), registered(&engine).into_iter().filter(|name| !off(name)).collect::<Vec<_>>());
        let modules: std::collections::BTreeSet<String> =
            registered(&engine).iter().filter_map(|name| Some(name.split_once("::")?.0.to_owned())).collect();
        assert_eq!(NAMES.iter().map(|name| (*name).to_owned()).collect::<std::collections::BTreeSet<_>>(), modules);
    }

    /// What is registered only to be refused.
    fn off(name: &str) -> bool {
        REFUSED.iter().any(|(refused, _)| name.starts_with(&format!("{refused}(")))
    }

    #[test]
    fn descriptions_are_complete_and_name_known_types() {
        let known = ["int", "float", "bool", "String", "Array", "Map", "FnPtr", "()", "?"];
        let is_known = |kind: &str| known.contains(&kind) || KINDS.iter().any(|own| own.name == kind);
        for entry in entries() {
            let title = entry.title();
            assert!(entry.doc.ends_with('.') && !entry.example.text.is_empty(), "{title}");
            let kinds = entry.parameters.iter().map(|parameter| parameter.kind).chain([entry.gives]);
            for kind in kinds.flat_map(|kinds| kinds.split(" | ")) {
                assert!(is_known(kind), "{title} names the type `{kind}`");
            }
            let mut optional = entry.parameters.iter().map(|parameter| parameter.optional);
            assert!(optional.clone().skip_while(|optional| !optional).all(|optional| optional), "{title}");
            let _ = optional.next();
            let named = entry.example.text.contains(entry.name);
            assert!(named, "the example of {title} does not show it");
        }
    }
}
