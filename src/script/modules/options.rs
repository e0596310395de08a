//! Owns `options::`: how a module that is written as a script reads its settings, as strictly as the
//! native stages do. What is wrong is told at the key that the module's user wrote.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, Module};

use super::http::part;
use super::secret::ScriptSecret;
use super::{Answered, expected, number, text};
use crate::pipeline::declare::WIDE;
use crate::request::Part;
use crate::rules;
use crate::script::convert;
use crate::script::diagnose::misset;
use crate::script::entry::{Entry, Form, Stands, script, takes};
use crate::secret::Secret;
use crate::settings::{Setting, did_you_mean};
use crate::{decide, measure, notify};

/// The module's name for what its user gave that belongs to the native stage below.
const COMMON: &str = "common";

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("options"),
        name: "measure",
        parameters: &[
            takes("what", "String"),
            takes("given", "Map"),
            takes("required", "Array | Map"),
            takes("optional", "Map"),
        ],
        gives: "Map",
        doc: "Settings of a `measure` function that a module offers, read strictly: the required ones (texts or secrets; or a map with a value of the kind of each), the optional ones with their defaults (`()`: a text or a secret), and in `.common` those of every `measure::`.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) { options::measure("mine::make", settings, ["url"], #{ channel: "ops" }) }
let own = make(#{ url: "https://www.example.com" });
print(own.channel);
pipeline("web", #{ measure: || 1, decide: |m| (), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "decide",
        parameters: &[
            takes("what", "String"),
            takes("given", "Map"),
            takes("required", "Array | Map"),
            takes("optional", "Map"),
        ],
        gives: "Map",
        doc: "Settings of a `decide` function that a module offers, read strictly: the required ones (texts or secrets; or a map with a value of the kind of each), the optional ones with their defaults (`()`: a text or a secret), and in `.common` those of every `decide::`.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) {
    let own = options::decide("mine::make", settings, [], #{ most: 100 });
    let most = own.most;
    decide::custom(own.common, |m| if m.value > most { up(1) })
}
pipeline("web", #{
    measure: || 1,
    decide: make(#{ most: 50, max_dynos: 5 }),
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "scale",
        parameters: &[
            takes("what", "String"),
            takes("given", "Map"),
            takes("required", "Array | Map"),
            takes("optional", "Map"),
        ],
        gives: "Map",
        doc: "Settings of a `scale` function that a module offers, read strictly: the required ones (texts or secrets; or a map with a value of the kind of each), the optional ones with their defaults (`()`: a text or a secret), and in `.common` those of every `scale::`.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) { options::scale("mine::make", settings, ["url"], #{ channel: "ops" }) }
let own = make(#{ url: "https://www.example.com" });
print(own.channel);
pipeline("web", #{ measure: || 1, decide: |m| (), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "notify",
        parameters: &[
            takes("what", "String"),
            takes("given", "Map"),
            takes("required", "Array | Map"),
            takes("optional", "Map"),
        ],
        gives: "Map",
        doc: "Settings of a `notify` function that a module offers, read strictly: the required ones (texts or secrets; or a map with a value of the kind of each), the optional ones with their defaults (`()`: a text or a secret), and in `.common` those of every `notify::`.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) { options::notify("mine::make", settings, ["url"], #{ channel: "ops" }) }
let own = make(#{ url: "https://www.example.com" });
print(own.channel);
pipeline("web", #{ measure: || 1, decide: |m| (), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "positive",
        parameters: &[takes("what", "String"), takes("own", "Map"), takes("names", "Array")],
        gives: "()",
        doc: "Refuses those of the settings of this name that are not above 0, at the place where the module's user wrote them.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) {
    let own = options::decide("mine::make", settings, #{ most: 0 }, #{});
    options::positive("mine::make", own, ["most"]);
    let most = own.most;
    decide::custom(own.common, |m| if m.value > most { up(1) })
}
pipeline("web", #{ measure: || 1, decide: make(#{ most: 50 }), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "refuse",
        parameters: &[takes("what", "String"), takes("name", "String"), takes("why", "String")],
        gives: "()",
        doc: "Refuses a setting for a reason (\"must be above 0\"), at the place where the module's user wrote it: it throws.",
        stands: Stands::Anywhere,
        example: script(
            r#"fn make(settings) {
    let own = options::decide("mine::make", settings, [], #{ percent: 50 });
    if own.percent > 100 { options::refuse("mine::make", "percent", "must not be above 100"); }
    let percent = own.percent;
    decide::custom(own.common, |m| if m.value > percent { up(1) })
}
pipeline("web", #{ measure: || 1, decide: make(#{ percent: 90 }), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
    Entry {
        form: Form::Member("options"),
        name: "secret",
        parameters: &[takes("value", "String | Secret")],
        gives: "Secret",
        doc: "A plain text as a secret; a secret as it is.",
        stands: Stands::Anywhere,
        example: script(
            r#"let key = options::secret("written here");
print(key);
pipeline("web", #{ measure: || 1, decide: |m| (), scale: #{ current: || 2, scale_to: |n| () } });"#,
        ),
    },
];

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    let deciding = [names(decide::COMMON), names(WIDE)].concat();
    for (kind, common) in [
        ("measure", names(measure::COMMON)),
        ("decide", deciding),
        ("notify", names(notify::COMMON)),
        ("scale", vec![]),
    ] {
        module.set_native_fn(kind, move |what: Dynamic, given: Dynamic, required: Dynamic, optional: Dynamic| {
            read(&what, &given, &required, &optional, &common)
        });
    }
    module.set_native_fn("secret", |value: Dynamic| -> Answered<Dynamic> {
        match part("`options::secret`", &value)? {
            Part::Plain(text) => Ok(Dynamic::from(ScriptSecret::Set(Secret::new(text)))),
            Part::Secret(_) | Part::Missing(_) => Ok(value),
        }
    });
    module.set_native_fn("positive", |what: Dynamic, own: Dynamic, names: Dynamic| -> Answered<()> {
        let what = text("`options::positive`", &what)?;
        let (Some(own), Some(names)) = (own.read_lock::<Map>(), names.read_lock::<Array>()) else {
            return Err(expected("`options::positive`", "settings and an array of their names", &own));
        };
        for name in names.iter() {
            let name = text("`options::positive`", name)?;
            let value = own.get(name.as_str()).cloned().unwrap_or_default();
            if number("`options::positive`", &value)? <= 0.0 {
                return Err(refused(&what, &name, "must be above 0"));
            }
        }
        Ok(())
    });
    module.set_native_fn("refuse", |what: Dynamic, name: Dynamic, why: Dynamic| -> Answered<()> {
        let [what, name, why] = [what, name, why].map(|given| text("`options::refuse`", &given));
        Err(refused(&what?, &name?, &why?))
    });
    engine.register_static_module("options", module.into());
}

fn refused(what: &str, name: &str, why: &str) -> Box<EvalAltResult> {
    misset(&rules::WRONG_VALUE, format!("`{name}` of `{what}` {why}"), None, what, name)
}

fn names(settings: &'static [Setting]) -> Vec<&'static str> {
    settings.iter().map(|setting| setting.name).collect()
}

/// `options::notify("slack::notify", settings, ["url"], #{ channel: (), timeout_seconds: 10 })`: the
/// required ones are texts or secrets, as are those without a default; the others are of their
/// default's kind.
fn read(
    what: &Dynamic,
    given: &Dynamic,
    required: &Dynamic,
    optional: &Dynamic,
    common: &[&'static str],
) -> Answered<Map> {
    let what = text("`options`", what)?;
    let Some(given) = given.read_lock::<Map>() else {
        return Err(expected(&format!("`{what}`"), "a map of settings `#{ … }`", given));
    };
    // Of a map the values tell the kinds; the names of an array are of texts or secrets.
    let kinds = required.read_lock::<Map>().map(|kinds| kinds.clone()).unwrap_or_default();
    let required = required.read_lock::<Array>().map(|names| names.clone()).unwrap_or_default();
    let mut required: Vec<String> = required.iter().map(|name| text("`options`", name)).collect::<Answered<_>>()?;
    required.extend(kinds.keys().map(ToString::to_string));
    let mut own = optional.read_lock::<Map>().map(|defaults| defaults.clone()).unwrap_or_default();
    let known = || {
        let own = optional.read_lock::<Map>().map(|own| own.keys().map(ToString::to_string).collect::<Vec<_>>());
        required.iter().cloned().chain(own.unwrap_or_default()).chain(common.iter().map(ToString::to_string))
    };
    let mut rest = Map::new();
    for (name, value) in given.iter() {
        let default = own.get(name).cloned();
        if common.contains(&name.as_str()) {
            rest.insert(name.clone(), value.clone());
        } else if default.is_none() && !required.iter().any(|known| known == name.as_str()) {
            let names: Vec<String> = known().collect();
            let help = did_you_mean(name, names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("it knows {}", names.join(", ")));
            let message = format!("unknown setting `{name}` of `{what}`");
            return Err(misset(&rules::UNKNOWN_SETTING, message, Some(help), &what, name));
        } else {
            let default = default.or_else(|| kinds.get(name).cloned()).unwrap_or_default();
            let (due, fits) = due(&default);
            if !fits(value) {
                let message = format!("`{name}` of `{what}` takes {due}, not {}", convert::describe(value));
                return Err(misset(&rules::WRONG_TYPE, message, None, &what, name));
            }
            own.insert(name.clone(), value.clone());
        }
    }
    if let Some(missing) = required.iter().find(|name| !given.contains_key(name.as_str())) {
        let message = format!("`{what}` needs the setting `{missing}`");
        return Err(misset(&rules::MISSING_SETTING, message, None, &what, missing));
    }
    own.insert(COMMON.into(), rest.into());
    Ok(own)
}

type Fits = fn(&Dynamic) -> bool;

/// What a setting with this default takes, in words and as a test.
fn due(default: &Dynamic) -> (&'static str, Fits) {
    if default.is_bool() {
        return ("`true` or `false`", Dynamic::is_bool);
    }
    if default.is_int() || default.is_float() {
        return ("a number", |value| value.is_int() || value.is_float());
    }
    if default.is_map() {
        return ("a map", Dynamic::is_map);
    }
    if default.is_array() {
        return ("an array", Dynamic::is_array);
    }
    ("a text or a secret", |value| value.is_string() || value.is::<ScriptSecret>())
}
