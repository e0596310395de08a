//! Owns what can be told of a file without running it: unknown modules and functions (the language
//! looks inside closures only when they are called), wrong numbers of arguments, what is off, script
//! functions that would take the place of ours.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rhai::{Dynamic, Engine};

use super::context;
use super::diagnose::{self, REFUSED, parameters};
use super::files::Script;
use super::habits::foreign;
use super::lint;
use super::modules::{self, testing::BenchValue};
use super::places::{Call, Shape};
use super::text;
use crate::measure::redis_url;
use crate::request::{Part, RequestPlan};
use crate::rules;
use crate::settings::{Report, did_you_mean};

/// What the language treats as calls without having functions for it.
const BUILT_IN: &[&str] =
    &["Fn", "call", "curry", "is_def_var", "is_def_fn", "is_shared", "type_of", "print", "debug", "this", "eval"];

/// Numbers of parameters by function name.
type Arities = BTreeMap<String, BTreeSet<usize>>;

/// Every native function.
struct Known {
    /// Without a module: the language's and ours.
    plain: Arities,
    /// Of our modules, by module.
    modules: BTreeMap<String, Arities>,
    /// Ours without a module: a script function of the same name and number would be called instead.
    ours: Arities,
    /// Those of a pipeline under test: taken only in a script with tests.
    testing: Arities,
    /// What can be called on a value of any type.
    of_all: BTreeSet<String>,
}

/// The same for every generation: registered functions do not depend on the script.
fn known(engine: &Engine) -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let all = engine.collect_fn_metadata(
            None,
            |info| Some((info.namespace.to_string(), info.metadata.name.to_string(), info.metadata.num_params)),
            true,
        );
        let ours = engine.collect_fn_metadata(
            None,
            |info| {
                let of_test = info.metadata.param_types.first() == Some(&TypeId::of::<BenchValue>());
                let known = (info.metadata.name.to_string(), info.metadata.num_params, of_test);
                info.namespace.is_empty().then_some(known)
            },
            false,
        );
        let of_all = engine.collect_fn_metadata(
            None,
            |info| {
                let any = info.metadata.param_types.first() == Some(&TypeId::of::<Dynamic>());
                (info.namespace.is_empty() && any).then(|| info.metadata.name.to_string())
            },
            true,
        );
        let (plain, ours_of, testing) = (Arities::new(), Arities::new(), Arities::new());
        let of_all = of_all.into_iter().collect();
        let mut known = Known { plain, modules: BTreeMap::new(), ours: ours_of, testing, of_all };
        for (module, name, parameters) in all {
            let arities = if module.is_empty() { &mut known.plain } else { known.modules.entry(module).or_default() };
            arities.entry(name).or_default().insert(parameters);
        }
        for (name, parameters, of_test) in ours {
            // `h.max(3)` calls a script function with one parameter before ours with two.
            let parameters = if modules::is_plain(&name) { parameters } else { parameters.saturating_sub(1) };
            let taken = if of_test { &mut known.testing } else { &mut known.ours };
            taken.entry(name).or_default().insert(parameters);
        }
        known
    })
}

/// Takes note of what `engine` has: it may be given more, so that a load comes to its end.
pub(super) fn learn(engine: &Engine) {
    known(engine);
}

/// The properties of one of our types, for suggestions.
pub(super) fn properties(type_name: &str) -> &'static [&'static str] {
    modules::PROPERTIES.iter().find(|(name, _)| *name == type_name).map_or(&[], |(_, properties)| &properties[..])
}

/// Whether there is a native function `name` outside of modules.
#[cfg(test)]
pub(super) fn is_function(engine: &Engine, name: &str) -> bool {
    known(engine).plain.contains_key(name)
}

/// Whether there is a native function `name` outside of modules that can be called on any value.
pub(super) fn takes_all(engine: &Engine, name: &str) -> bool {
    let written = ["to_string", "to_debug"].contains(&name);
    written || BUILT_IN.contains(&name) || known(engine).of_all.contains(name)
}

/// Reports what is wrong in `script`.
pub(super) fn script(engine: &Engine, script: &Script, report: &mut Report) {
    let known = known(engine);
    functions(known, script, report);
    for import in script.index.imports().iter().filter(|import| import.path.is_none()) {
        let help = "write the path as a plain text: `import \"lib/policies\" as policies;`".to_owned();
        let place = script.place(import.position);
        report.say(&rules::COMPUTED_IMPORT, Some(&place), "the path of an import is computed", help);
    }
    reaching(script, report);
    for position in script.index.shown_secrets(|name| script.is_parameter(name)) {
        let message = "a secret cannot be put into a text with `${…}`";
        let help = "write `\"text\" + secret`, which is a secret too".to_owned();
        report.say(&rules::SECRET_IN_TEXT, Some(&script.place(position)), message, help);
    }
    lint::plain_texts(script, report);
    let mut calls: Vec<&Call> = script.index.calls().collect();
    calls.sort_by_key(|call| (call.position.line(), call.position.position()));
    for found in calls {
        call(known, script, found, report);
    }
}

/// Variables and addresses that are named in the text: better refused now than when they are needed.
fn reaching(script: &Script, report: &mut Report) {
    let Some(surroundings) = context::surroundings() else { return };
    let bounds = surroundings.environment.bounds();
    for call in script.index.reaching() {
        let (module, function) = (call.function.0.as_str(), call.function.1.as_str());
        let sends = modules::http::METHODS.contains(&function) || function == "request";
        let hosts = match module {
            // `http::stub` is given a method and a pattern.
            "http" if !sends => continue,
            "env" => {
                if let Err((message, help)) = bounds.variable(&call.text) {
                    report.say(&rules::VARIABLE_NOT_ALLOWED, Some(&script.place(call.position)), message, help);
                }
                continue;
            }
            "http" => match RequestPlan::new("GET", Part::Plain(call.text.as_str().into())) {
                Ok(plan) => plan.host().cloned().into_iter().collect(),
                Err(wrong) => {
                    let message = format!("`http::{function}`: {}", wrong.message);
                    report.say(wrong.rule, Some(&script.place(call.position)), message, wrong.help);
                    continue;
                }
            },
            // One that is wrong is told when it is called: a second argument may be missing for it.
            _ => redis_url::parse(&call.text, Some("")).map(|server| server.hosts()).unwrap_or_default(),
        };
        for (message, help) in hosts.iter().filter_map(|host| bounds.host(host).err()) {
            report.say(&rules::HOST_NOT_ALLOWED, Some(&script.place(call.position)), message, help);
        }
    }
}

/// Script functions that would be called in place of ours.
fn functions(known: &Known, script: &Script, report: &mut Report) {
    let tested = script.tests().next().is_some();
    let mut named: Vec<_> =
        script.functions.iter().flat_map(|(name, all)| all.iter().map(move |f| (name, f))).collect();
    named.sort_by_key(|(_, defined)| defined.position);
    for (name, defined) in named.into_iter().filter(|(_, defined)| !defined.anonymous) {
        let count = defined.definition.params.len();
        let with_count = |arities: &Arities| arities.get(name).is_some_and(|counts| counts.contains(&count));
        let taken = with_count(&known.ours) || tested && with_count(&known.testing);
        if taken || REFUSED.iter().any(|(refused, _)| refused == name) {
            let message = format!("`{name}` with {} is a function of autoscaler", parameters(count));
            let place = script.place(defined.position);
            report.say(&rules::SHADOWED_FUNCTION, Some(&place), message, "choose another name".to_owned());
        }
    }
}

fn call(known: &Known, script: &Script, call: &Call, report: &mut Report) {
    let place = script.place(call.start);
    let name = call.name.as_str();
    let given = call.arguments.len();
    if let Some(module) = call.module.first() {
        if module == "global" || script.index.imports().iter().any(|import| import.alias == *module) {
            return;
        }
        let Some(members) = known.modules.get(module) else {
            let aliases = script.index.imports().iter().map(|import| import.alias.as_str());
            let near = || did_you_mean(module, known.modules.keys().map(String::as_str).chain(aliases));
            let help = diagnose::imported(module).or_else(near);
            report.say(&rules::UNKNOWN_MODULE, Some(&place), format!("unknown module `{module}`"), help);
            return;
        };
        match members.get(name) {
            Some(arities) if arities.contains(&given) => {}
            Some(arities) => {
                let message = format!("`{module}::{name}` takes {}, and is called with {given}", counts(arities));
                report.say(
                    &rules::WRONG_ARGUMENTS,
                    Some(&place),
                    message,
                    diagnose::by_hand(&format!("{module}::{name}")),
                );
            }
            None => {
                let nearest = || did_you_mean(name, members.keys().map(String::as_str));
                let help = elsewhere(module, name).or_else(nearest).unwrap_or_else(|| {
                    format!("`{module}` has {}", members.keys().cloned().collect::<Vec<_>>().join(", "))
                });
                report.say(
                    &rules::UNKNOWN_MODULE_MEMBER,
                    Some(&place),
                    format!("unknown function `{module}::{name}`"),
                    help,
                );
            }
        }
        return;
    }
    if call.method || BUILT_IN.contains(&name) {
        return;
    }
    if REFUSED.iter().any(|(refused, _)| *refused == name) {
        let (message, help) = diagnose::refused(name);
        report.say(&rules::SWITCHED_OFF, Some(&place), message, help);
        return;
    }
    let mut arities: BTreeSet<usize> =
        script.functions.get(name).into_iter().flatten().map(|defined| defined.definition.params.len()).collect();
    arities.extend(known.plain.get(name).into_iter().flatten());
    if arities.contains(&given) {
        return;
    }
    if script.holds(name) {
        let message = format!("`{name}` is a variable, and is called like a function");
        let dots = if given == 0 { "" } else { "…" };
        let help = format!("a function in a variable is called with `{name}.call({dots})`");
        report.say(&rules::UNKNOWN_FUNCTION, Some(&place), message, help);
        return;
    }
    if arities.is_empty() {
        let own = script.functions.keys().map(String::as_str).filter(|own| !own.starts_with("anon$"));
        let nearest = || did_you_mean(name, own.chain(modules::FUNCTIONS.iter().copied()));
        let help = foreign::instead(name).or_else(nearest);
        report.say(&rules::UNKNOWN_FUNCTION, Some(&place), format!("unknown function `{name}`"), help);
    } else {
        let message = format!("`{name}` takes {}, and is called with {given}", counts(&arities));
        let help = match (name, given) {
            ("range", 1) => Some("write `0..n`, as in `for i in 0..3 { … }`"),
            ("pipeline", 1) if matches!(call.arguments.first(), Some(Shape::Map(..))) => {
                Some("its name stands before its settings: `pipeline(\"web\", #{ … })`")
            }
            _ => None,
        };
        let help = help.map(str::to_owned);
        report.say(&rules::WRONG_ARGUMENTS, Some(&place), message, help);
    }
}

/// Where that which is looked for under `module::name` really is.
fn elsewhere(module: &str, name: &str) -> Option<String> {
    if module == "scale" && ["dry_run", "none", "noop", "nothing", "test", "console"].contains(&name) {
        return Some(
            "write `mode: \"dry_run\"` in the settings of the pipeline, next to the `scale` that it would use".into(),
        );
    }
    let (standard, text) = super::resolver::STANDARD.iter().find(|(path, _)| *path == name)?;
    // What a module offers stands first in it, its own helpers behind.
    let function = text::functions(text).into_iter().next()?;
    Some(format!("write `import \"std/{standard}\" as {standard};` and call `{standard}::{function}(…)`"))
}

/// "1 parameter", "0 or 1 parameters".
fn counts(arities: &BTreeSet<usize>) -> String {
    let list: Vec<String> = arities.iter().map(usize::to_string).collect();
    match arities.first() {
        Some(only) if arities.len() == 1 => parameters(*only),
        _ => format!("{} parameters", list.join(" or ")),
    }
}

impl Script {
    /// Whether a function of the file has a parameter of its own called `name`.
    fn is_parameter(&self, name: &str) -> bool {
        self.functions.iter().any(|(function, all)| {
            let captured = self.index.captured(function);
            all.iter().any(|defined| defined.definition.params.iter().skip(captured).any(|own| own == name))
        })
    }

    /// Whether a variable or a parameter of the file is called `name`: it may hold a function.
    fn holds(&self, name: &str) -> bool {
        let mut functions = self.functions.values().flatten();
        self.index.has_variable(name)
            || functions.any(|f| f.definition.params.iter().any(|parameter| parameter == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_that_exist_are_suggested() {
        let mut engine = Engine::new();
        modules::register(&mut engine);
        let known = known(&engine);
        for name in modules::FUNCTIONS.iter() {
            let built_in = BUILT_IN.contains(name);
            assert!(built_in || known.plain.contains_key(*name), "there is no `{name}`");
        }
        for module in modules::NAMES.iter() {
            assert!(known.modules.contains_key(*module), "there is no module `{module}`");
        }
    }
}
