//! Owns what the author is told when a script goes wrong: place, message in the author's words, mend.
//! Neither made-up closure names nor Rust types are ever shown.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, Position};

use super::files::{Script, Surroundings};
use super::limits::{self, Halt};
use super::stopped::{self, Stop};
use super::{context, habits::foreign, parse, unset};
use crate::function::CallError;
use crate::rules::{self, Rule};
use crate::secret::scrub;
use crate::settings::{Diagnostic, Place, Severity, did_you_mean};

/// A setting that a module written as a script refuses.
#[derive(Clone, Debug)]
struct Misset {
    /// "notify" of `slack::notify`.
    function: String,
    key: String,
}

/// An error raised by one of our own functions.
#[derive(Clone, Debug)]
pub(super) struct Complaint {
    /// What is wrong.
    pub(super) message: String,
    /// What to do about it.
    pub(super) help: Option<String>,
    /// What it is a case of, where that is known.
    rule: Option<&'static Rule>,
    /// What is wrong with a setting of a function that a module offers.
    setting: Option<Misset>,
    /// Whether a missing value, `()`, was in the way.
    missing: bool,
}

/// Raises an error at `position`; without a position it gets that of the call.
pub(super) fn complaint(message: impl Into<String>, help: Option<String>, position: Position) -> Box<EvalAltResult> {
    let complaint = Complaint { message: message.into(), help, rule: None, setting: None, missing: false };
    EvalAltResult::ErrorRuntime(Dynamic::from(complaint), position).into()
}

/// The same of what is a case of `rule`.
pub(super) fn ruled(
    rule: &'static Rule,
    message: impl Into<String>,
    help: Option<String>,
    position: Position,
) -> Box<EvalAltResult> {
    let complaint = Complaint { message: message.into(), help, rule: Some(rule), setting: None, missing: false };
    EvalAltResult::ErrorRuntime(Dynamic::from(complaint), position).into()
}

/// Raises an error about a missing value, `()`, that was compared or calculated with.
pub(super) fn missing_value(message: String, help: String) -> Box<EvalAltResult> {
    let complaint = Complaint { message, help: Some(help), rule: None, setting: None, missing: true };
    EvalAltResult::ErrorRuntime(Dynamic::from(complaint), Position::NONE).into()
}

/// Raises an error at the setting `key` that was given to the module's function `what` ("slack::notify"),
/// or at the call where it was not given.
pub(super) fn misset(
    rule: &'static Rule,
    message: String,
    help: Option<String>,
    what: &str,
    key: &str,
) -> Box<EvalAltResult> {
    let function = what.rsplit("::").next().unwrap_or(what).to_owned();
    let setting = Some(Misset { function, key: key.to_owned() });
    let complaint = Complaint { message, help, rule: Some(rule), setting, missing: false };
    EvalAltResult::ErrorRuntime(Dynamic::from(complaint), Position::NONE).into()
}

/// "1 parameter", "2 parameters".
pub(super) fn parameters(count: usize) -> String {
    crate::counted::counted(count, "parameter")
}

/// What a script threw, as text.
pub(super) fn thrown(value: &Dynamic) -> String {
    if let Some(complaint) = value.read_lock::<Complaint>() {
        return complaint.message.clone();
    }
    if value.is_unit() {
        return "the script threw an error".into();
    }
    super::convert::to_json(value).map_or_else(
        |what| format!("the script threw {what}"),
        |json| json.as_str().map_or_else(|| json.to_string(), str::to_owned),
    )
}

/// An error as a diagnostic. `script` is the file that was run.
pub(super) fn diagnostic(error: &EvalAltResult, surroundings: &Surroundings, script: &Arc<Script>) -> Diagnostic {
    let (error, script, position) = innermost(error, surroundings, script);
    let severity = Severity::Error;
    if let EvalAltResult::ErrorParsing(error, _) = error {
        let Place { file, line, column } = script.place(position);
        let said = parse::refusal(error, &script.text, (line, column));
        let place = Some(Place { file, line: said.at.0, column: said.at.1 });
        return Diagnostic { rule: Some(said.rule), severity, place, message: said.message, help: said.help };
    }
    let unset = unset::variable(error, surroundings, &script, position);
    let (rule, (message, help)) = match &unset {
        Some(name) => (&rules::VARIABLE_NOT_SET, unset::words(name)),
        None => (rule(error), words(error, &script)),
    };
    let help = help.or_else(|| mapped(error, &script, position));
    let place = Some(context::shown_at().unwrap_or_else(|| match key_position(error, &script, position) {
        Some(key) => script.place(key),
        None => script.call_place(position),
    }));
    Diagnostic { rule: Some(rule), severity, place, message: scrub(&message).into_owned(), help }
}

/// What is said of `#{ … }.map(|d| …)`, which goes over the keys of the map.
fn mapped(error: &EvalAltResult, script: &Script, position: Position) -> Option<String> {
    let line = position.line().filter(|_| matches!(error, EvalAltResult::ErrorDotExpr(..)))?;
    let written = script.text.lines().nth(line.checked_sub(script.shift + 1)?)?;
    let help = "`.map` of a map goes over its keys; that of a measurement stands behind the backend's bracket, as in \
                `measure::http(#{ … }).map(|data| …)`";
    written.contains("}.map(").then(|| help.to_owned())
}

/// The setting of a module's function that the error is about.
fn missetting(error: &EvalAltResult) -> Option<Misset> {
    let EvalAltResult::ErrorRuntime(value, _) = error else { return None };
    value.read_lock::<Complaint>()?.setting.clone()
}

/// Whether a missing value was compared or calculated with.
pub(super) fn is_missing_value(error: &EvalAltResult) -> bool {
    let EvalAltResult::ErrorRuntime(value, _) = error else { return false };
    value.read_lock::<Complaint>().is_some_and(|complaint| complaint.missing)
}

/// Where its key stands, in the call at `position`.
fn key_position(error: &EvalAltResult, script: &Script, position: Position) -> Option<Position> {
    let Misset { function, key } = missetting(error)?;
    let settings = script.index.call_at(position, &function)?.arguments.first()?;
    script.index.entry(settings, &key).map(|(position, _)| position)
}

/// The rule that an error at load is of.
fn rule(error: &EvalAltResult) -> &'static Rule {
    use EvalAltResult as E;
    match error {
        E::ErrorTerminated(..) if limits::halted() == Some(Halt::SecretShown) => &rules::SECRET_IN_TEXT,
        E::ErrorFunctionNotFound(..) => &rules::UNKNOWN_FUNCTION,
        E::ErrorVariableNotFound(..) => &rules::UNKNOWN_VARIABLE,
        E::ErrorModuleNotFound(..) => &rules::UNKNOWN_MODULE,
        E::ErrorRuntime(value, _) => {
            let known = value.read_lock::<Complaint>().and_then(|complaint| complaint.rule);
            known.unwrap_or(&rules::SCRIPT_FAILED)
        }
        _ => &rules::SCRIPT_FAILED,
    }
}

/// The error of a call, or the limit it ran into.
pub(super) fn call_error(
    error: Option<&EvalAltResult>,
    surroundings: &Surroundings,
    script: &Arc<Script>,
    (name, place): (&str, &Place),
) -> CallError {
    let said = error.map(|error| diagnostic(error, surroundings, script));
    let shown = matches!(limits::halted(), Some(Halt::SecretShown));
    let stop = error.and_then(|error| Stop::of(innermost(error, surroundings, script).0)).filter(|_| !shown);
    let place = stop
        .and_then(|stop| stopped::place(surroundings, script, name, stop))
        .or_else(|| said.as_ref().and_then(|said| said.place.clone()).filter(|place| place.line > 0))
        .or(Some(place.clone()));
    match (limits::halted(), said) {
        (Some(Halt::SecretShown), _) => CallError::Script { message: halt_words(Halt::SecretShown).0, place },
        (Some(halt), _) => CallError::Budget { message: halt_words(halt).0, place },
        (None, Some(Diagnostic { message, help: Some(help), .. })) => {
            CallError::Script { message: format!("{message} ({help})"), place }
        }
        (None, Some(Diagnostic { message, .. })) => CallError::Script { message, place },
        (None, None) => CallError::Script { message: "the function failed".into(), place },
    }
}

/// The error at the bottom, its file, and the deepest position that is known.
fn innermost<'a>(
    error: &'a EvalAltResult,
    surroundings: &Surroundings,
    script: &Arc<Script>,
) -> (&'a EvalAltResult, Arc<Script>, Position) {
    let (mut error, mut script, mut known) = (error, Arc::clone(script), (Arc::clone(script), Position::NONE));
    loop {
        // What goes wrong in a standard module is the doing of the call that the author wrote.
        let deeper = !is_standard(&script) || known.1.is_none() || is_standard(&known.0);
        if !error.position().is_none() && deeper {
            known = (Arc::clone(&script), error.position());
        }
        let (named, inner) = match error {
            EvalAltResult::ErrorInFunctionCall(name, file, inner, _) => {
                (surroundings.files.owner(name, inner.position(), &script, file), inner)
            }
            EvalAltResult::ErrorInModule(file, inner, _) => (surroundings.files.named(file), inner),
            _ => return (error, known.0, known.1),
        };
        script = named.unwrap_or(script);
        error = inner;
    }
}

fn is_standard(script: &Script) -> bool {
    script.name.starts_with("std/")
}

/// What is said of a run that was stopped.
pub(super) fn halted_words() -> (String, Option<String>) {
    limits::halted().map_or_else(|| ("the script was stopped".into(), None), halt_words)
}

fn halt_words(halt: Halt) -> (String, Option<String>) {
    match halt {
        Halt::Operations(limit) => {
            (format!("the script used up its {limit} operations"), Some("is there a loop that does not end?".into()))
        }
        Halt::Time(limit) => (
            format!("the script used up its time of {} s", limit.as_secs_f64()),
            Some("is there a loop that does not end?".into()),
        ),
        Halt::SecretShown => (
            "a secret cannot be put into a text with `${…}` or `to_string()`".into(),
            Some("write `\"text\" + secret`, which is a secret too".into()),
        ),
        Halt::Trial => ("the trial ended".into(), None),
    }
}

fn words(error: &EvalAltResult, script: &Script) -> (String, Option<String>) {
    use EvalAltResult as E;
    match error {
        E::ErrorTerminated(..) | E::ErrorTooManyOperations(_) => halted_words(),
        E::ErrorRuntime(value, _) => {
            let help = value.read_lock::<Complaint>().and_then(|complaint| complaint.help.clone());
            (thrown(value), help)
        }
        E::ErrorFunctionNotFound(signature, _) => function_words(signature, script),
        E::ErrorVariableNotFound(name, _) => {
            let module = name.split_once("::").map(|(module, _)| module);
            if let Some(help) = by_hand(name).or_else(|| built_in(name, module)) {
                return (format!("`{name}` is a function, and is written with brackets"), Some(help));
            }
            // A function of an import is no value.
            let help = name.contains("::").then(|| format!("a function of an import is called: write `|m| {name}(m)`"));
            (format!("unknown variable `{name}`"), help)
        }
        E::ErrorModuleNotFound(name, _) => unknown_module(name),
        E::ErrorPropertyNotFound(name, _) => (format!("unknown property `{name}`"), None),
        E::ErrorDotExpr(text, _) => property_words(text),
        E::ErrorUnboundThis(_) => (
            "`this` is not known here".into(),
            Some("copy it before: `let memory = this;` or `let n = this.n;`".into()),
        ),
        E::ErrorStackOverflow(_) => ("functions call each other too deeply".into(), None),
        E::ErrorDataTooLarge(what, _) => {
            let what = match what.as_str() {
                "Length of string" => "a text",
                "Size of object map" => "a map",
                _ => "an array",
            };
            (format!("{what} grew too large"), None)
        }
        E::ErrorMismatchDataType(expected, found, _) | E::ErrorMismatchOutputType(expected, found, _) => {
            (format!("{} is expected, not {}", type_name(expected), type_name(found)), None)
        }
        E::ErrorIndexingType(name, _) => {
            let name = name.split(" [").next().unwrap_or(name);
            let moment = type_name(name).contains("`m`").then(|| "write `m.value`".to_owned());
            (format!("{} has no elements to take with `[…]`", type_name(name)), moment)
        }
        E::ErrorArrayBounds(length, at, _) => (format!("element {at} of an array of {length} does not exist"), None),
        E::ErrorFor(_) => ("`for` needs an array, a range, a history or a text".into(), None),
        E::ErrorArithmetic(text, _) => arithmetic(text),
        E::ErrorAssignmentToConstant(name, _) => (format!("`{name}` is constant and cannot be changed"), None),
        E::ErrorTooManyModules(_) => (format!("more than {} imports", limits::FILES), None),
        other => (lower(&without_position(&other.to_string())), None),
    }
}

/// How the method `name` of what messages call `of` is called, where it has one.
fn method(of: &str, name: &str) -> Option<String> {
    let kind = super::modules::KINDS.iter().find(|kind| kind.words == of)?;
    let own = |entry: &&super::Entry| entry.form == super::Form::Method(kind.name) && entry.name == name;
    let entry = super::modules::entries().find(own)?;
    let names: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name).collect();
    let doc = entry.doc.split(['.', ';']).next().unwrap_or(entry.doc);
    Some(format!("write `.{name}({})`: {}", names.join(", "), lower(doc)))
}

/// How the constructor `name` of a module of ours is called.
fn built_in(name: &str, module: Option<&str>) -> Option<String> {
    let known = module.is_some_and(|module| super::modules::NAMES.contains(&module));
    known.then(|| format!("write `{name}(#{{ … }})`"))
}

/// "Error parsing integer number 'ten': …" and "Addition overflow: a + b" in the author's words.
fn arithmetic(text: &str) -> (String, Option<String>) {
    if let Some(rest) = text.strip_prefix("Error parsing ") {
        let written = rest.split('\'').nth(1).unwrap_or_default();
        let kind = if rest.starts_with("integer") { "whole number" } else { "number" };
        let help = format!("write it in digits, such as `{}`", if kind == "number" { "1.5" } else { "10" });
        return (format!("the text \"{written}\" is no {kind}"), Some(help));
    }
    if let Some((_, term)) = text.split_once(" overflow: ") {
        let help = "calculate with fractions, which have more room: `1.0 * n`".to_owned();
        return (format!("the result of `{term}` is too large for a whole number"), Some(help));
    }
    (format!("cannot calculate: {}", lower(text)), None)
}

/// Functions of the language that scripts may not use, and what to do instead.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("eval", "scripts are loaded as files: `import` what you need"),
    ("sleep", "the engine owns time: it calls a function once per tick"),
    ("timestamp", "use `m.now` in a decision, `time::now()` in the other stages"),
    ("exit", "`return` ends a function; a script always runs to its end"),
];

/// What is said of a refused function.
pub(super) fn refused(name: &str) -> (String, Option<String>) {
    let help = REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, help)| (*help).to_owned());
    (format!("`{name}` is off in scripts"), help)
}

/// What is said of an unknown module.
pub(super) fn unknown_module(name: &str) -> (String, Option<String>) {
    let help = imported(name).or_else(|| did_you_mean(name, super::modules::NAMES.iter().copied()));
    (format!("unknown module `{name}`"), help)
}

/// How the standard module `name` is imported, if it is one.
pub(super) fn imported(name: &str) -> Option<String> {
    let mut standard = super::resolver::STANDARD.iter().map(|(standard, _)| *standard);
    let path = standard.find(|standard| standard.rsplit('/').next() == Some(name))?;
    Some(format!("import it at the top, with its name: `import \"std/{path}\" as {name};`"))
}

/// "name (types)" as the language reports it, in the author's words.
fn function_words(signature: &str, script: &Script) -> (String, Option<String>) {
    let (name, types) = signature.split_once(" (").map_or((signature, ""), |(name, types)| (name, types));
    let types = types.strip_suffix(')').unwrap_or(types);
    let types: Vec<String> = types.split(", ").filter(|name| !name.is_empty()).map(type_name).collect();
    if name.contains("anon$") || name.contains("captured_function") {
        let takes = script.function(name).map(|defined| {
            let captured = script.index.captured(name);
            (defined.definition.params.len().saturating_sub(captured), types.len().saturating_sub(captured))
        });
        return match takes {
            Some((takes, count)) => {
                (format!("the closure takes {}, and is called with {}", parameters(takes), given(count)), None)
            }
            None => (format!("a closure is called with {}, and takes another number", given(types.len())), None),
        };
    }
    let operator = name.chars().all(|character| !character.is_alphanumeric() && character != '_' && character != '$');
    if let (true, [a, b]) = (operator, types.as_slice()) {
        let power = (name == "^").then(|| "`**` is the power: `2 ** 3` is 8".into());
        return (format!("`{name}` does not work on {a} and {b}"), power);
    }
    if let Some(help) = by_hand(name) {
        return (format!("`{name}` does not take {}", given(types.len())), Some(help));
    }
    let bare = name.rsplit("::").next().unwrap_or(name);
    let known: Vec<usize> =
        script.functions.get(bare).into_iter().flatten().map(|defined| defined.definition.params.len()).collect();
    if let [takes] = known.as_slice() {
        return (format!("`{bare}` takes {}, and is called with {}", parameters(*takes), given(types.len())), None);
    }
    if let Some((of, help)) = types.first().and_then(|of| Some((of, method(of, bare)?))) {
        return (format!("`{bare}` of {of} is not called with {}", given(types.len().saturating_sub(1))), Some(help));
    }
    let property = types.first().is_some_and(|of| super::check::properties(of).contains(&bare));
    let known = script.functions.keys().map(String::as_str).filter(|name| !name.starts_with("anon$"));
    let known = known.chain(super::modules::fitting(types.first().map(String::as_str))).filter(|name| *name != bare);
    let help = if property {
        Some(format!("it is a property: write `.{bare}` without brackets"))
    } else {
        foreign::instead(bare).or_else(|| did_you_mean(bare, known))
    };
    let of = if types.is_empty() { String::new() } else { format!(" for {}", types.join(", ")) };
    (format!("unknown function `{name}`{of}"), help)
}

/// Constructors that take more than settings.
const BY_HAND: &[(&str, &str)] = &[
    ("measure::custom", "measure::custom(#{ … }, || …)"),
    ("decide::custom", "decide::custom(#{ … }, |m| …)"),
    ("scale::custom", "scale::custom(#{ … }, || …, |n| …)"),
    ("notify::custom", "notify::custom(#{ … }, |event| …)"),
    ("notify::all", "notify::all(#{ … }, [ … ])"),
];

/// How the constructor `name` is called, where it takes more than settings.
pub(super) fn by_hand(name: &str) -> Option<String> {
    BY_HAND.iter().find(|(known, _)| *known == name).map(|(_, written)| format!("write `{written}`"))
}

fn given(count: usize) -> String {
    crate::counted::counted(count, "argument")
}

/// "Unknown property 'x' - a getter is not registered for type 'Moment'" in the author's words.
fn property_words(text: &str) -> (String, Option<String>) {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    match (quoted.next(), quoted.next()) {
        (Some(property), Some(of)) if super::check::properties(of).contains(&property) => (
            format!("`{property}` of {} is read-only", type_name(of)),
            Some(format!("copy it: `let {property} = ….{property};`")),
        ),
        (Some(property), Some(of)) => {
            let known = super::check::properties(of).iter().copied();
            if super::modules::methods(of).contains(&property) {
                let help = format!("write `.{property}(…)`");
                return (
                    format!("`{property}` of {} is a function, and is written with brackets", type_name(of)),
                    Some(help),
                );
            }
            let help = foreign::instead(property).or_else(|| did_you_mean(property, known));
            (format!("{} has no `{property}`", type_name(of)), help)
        }
        _ => (lower(text), None),
    }
}

/// A type's name as the author knows it.
pub(super) fn type_name(name: &str) -> String {
    let name = name.trim().trim_start_matches('&').trim_start_matches("mut ");
    if let Some((_, known)) = super::modules::TYPES.iter().find(|(rust, _)| name.ends_with(rust)) {
        return (*known).into();
    }
    match name {
        "()" => "nothing, `()`".into(),
        "i64" | "int" => "a whole number".into(),
        "f64" | "float" => "a number".into(),
        "bool" => "`true` or `false`".into(),
        "char" => "a character".into(),
        "map" | "Map" => "a map".into(),
        "array" | "Array" => "an array".into(),
        "blob" | "Blob" => "a blob".into(),
        "Fn" | "FnPtr" => "a function".into(),
        _ if name.contains("String") || name.contains("str") && name.len() < 40 => "a text".into(),
        _ if name.contains("FnPtr") => "a function".into(),
        _ if name.contains("range") || name.contains("Range") => "a range".into(),
        _ if name.contains("Dynamic") || name.contains("::") => "a value".into(),
        _ => name.into(),
    }
}

pub(super) fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// Without the "(line 1, position 2)" that the language puts behind its messages.
fn without_position(text: &str) -> String {
    text.split(" (line ").next().unwrap_or(text).to_owned()
}
