//! Owns what the tests of a script are written with: `assert…`, `under_test`, the pipeline it gives, and
//! `http::stub`. All of it works only in a test that is being run.

mod docs;
mod expressions;
mod replay;

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, Map, Module, NativeCallContext, Position};
use serde_json::Value as Json;

use super::change::Failed;
use super::event::EventValue;
use super::moment::NowValue;
use super::{Answered, number, placed, text, whole};
use crate::function::Reach;
use crate::pipeline::Failure;
use crate::script::diagnose::complaint;
use crate::script::{context, convert, limits};
use crate::settings::did_you_mean;
use crate::testing::{Bench, Trial};
use crate::world::{HttpError, HttpErrorKind, Request, Stub, StubReply};

pub(super) use docs::DOCS;

/// The type's name in messages.
pub(in crate::script) const NAME: &str = "a pipeline under test";

/// Records that `records()` gives: a script's values have a largest size.
const MOST_RECORDS: usize = 100;

/// The most characters of a value in a message.
const LONGEST: usize = 300;

/// From so many bytes on it is said where two values differ.
const LONG: usize = 60;

/// What a failed measurement says that the test gave no reason for.
const FED: &str = "failed, as the test says";

/// `let p = under_test("web");`
#[derive(Clone)]
pub(in crate::script) struct BenchValue(Arc<Bench>);

/// Registers everything but the functions of `http`.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<BenchValue>(NAME);
    engine.register_fn("under_test", |name: Dynamic| -> Answered<BenchValue> {
        let trial = trial("under_test")?;
        let bench = trial.under_test(&text("`under_test`", &name)?);
        bench.map(BenchValue).map_err(|(message, help)| complaint(message, help, Position::NONE))
    });
    engine.register_fn("to_string", |_: &mut BenchValue| NAME);
    engine.register_fn("to_debug", |_: &mut BenchValue| NAME);
    asserts(engine);
    driving(engine);
    platform(engine);
    looking(engine);
}

/// The test that is being run.
fn trial(what: &str) -> Answered<Arc<Trial>> {
    if let Some(Reach::Test(trial)) = context::reach() {
        return Ok(trial);
    }
    let help = "write it in a function `fn test_…() { … }`, which `autoscaler test` runs";
    Err(complaint(format!("`{what}` works only in a test"), Some(help.into()), Position::NONE))
}

fn fail<T>(message: impl Into<String>) -> Answered<T> {
    Err(complaint(message, None, Position::NONE))
}

fn asserts(engine: &mut Engine) {
    engine.register_fn("assert", |native: NativeCallContext, holds: Dynamic| assert(&native, &holds, None));
    engine.register_fn("assert", |native: NativeCallContext, holds: Dynamic, text: Dynamic| {
        assert(&native, &holds, Some(&text))
    });
    engine.register_fn("assert_eq", |native: NativeCallContext, left: Dynamic, right: Dynamic| {
        same("assert_eq", true, (&left, &right), None).map_err(|error| expressions::explained(&native, error))
    });
    engine.register_fn("assert_eq", |native: NativeCallContext, left: Dynamic, right: Dynamic, why: Dynamic| {
        same("assert_eq", true, (&left, &right), Some(&why)).map_err(|error| expressions::explained(&native, error))
    });
    engine.register_fn("assert_ne", |left: Dynamic, right: Dynamic| same("assert_ne", false, (&left, &right), None));
    engine.register_fn("assert_ne", |left: Dynamic, right: Dynamic, why: Dynamic| {
        same("assert_ne", false, (&left, &right), Some(&why))
    });
    engine.register_fn("assert_near", |left: Dynamic, right: Dynamic, tolerance: Dynamic| -> Answered<()> {
        trial("assert_near")?;
        let most = number("the tolerance of `assert_near`", &tolerance)?;
        let (Some(a), Some(b)) = (convert::number(&left), convert::number(&right)) else {
            return fail(format!("left is {}, right is {}, and both must be numbers", shown(&left), shown(&right)));
        };
        if (a - b).abs() <= most {
            return Ok(());
        }
        fail(format!("left is {}, right is {}, {} apart, more than {most}", shown(&left), shown(&right), (a - b).abs()))
    });
}

fn assert(native: &NativeCallContext, holds: &Dynamic, why: Option<&Dynamic>) -> Answered<()> {
    trial("assert")?;
    match holds.as_bool() {
        Ok(true) => Ok(()),
        Ok(false) => match why {
            Some(why) => fail(text("the second argument of `assert`", why)?),
            None => expressions::falsehood(native),
        },
        Err(_) => fail(format!("`assert` takes `true` or `false`, not {}", shown(holds))),
    }
}

/// Fails unless the two are equal, or unless they differ.
fn same(what: &str, equal: bool, (left, right): (&Dynamic, &Dynamic), why: Option<&Dynamic>) -> Answered<()> {
    trial(what)?;
    let (a, b) = (comparable(what, left)?, comparable(what, right)?);
    if alike(&a, &b) == equal {
        return Ok(());
    }
    let why = why.map(|why| text(&format!("the third argument of `{what}`"), why)).transpose()?;
    let why = why.map_or_else(String::new, |why| format!("{why}: "));
    if !equal {
        return fail(format!("{why}both are {}", shown(left)));
    }
    // Of short ones it is seen.
    let long = shown(left).len().max(shown(right).len()) > LONG;
    let at = long.then(|| expressions::difference(&a, &b)).flatten();
    let at = at.map_or_else(String::new, |at| format!("; they differ {at}"));
    fail(format!("{why}left is {}, right is {}{at}", shown(left), shown(right)))
}

fn comparable(what: &str, value: &Dynamic) -> Answered<Json> {
    if value.is_float() {
        // Infinite ones are no JSON, and are compared as texts.
        let value = value.as_float().unwrap_or(f64::NAN);
        return Ok(serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Json::Number));
    }
    convert::to_json(value).or_else(|what_it_is| fail(format!("`{what}` cannot compare {what_it_is}")))
}

/// Equal, where 2 and 2.0 are.
fn alike(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        _ => left == right,
    }
}

fn shown(value: &Dynamic) -> String {
    let text = match convert::to_json(value) {
        Ok(Json::Null) => "()".into(),
        Ok(json) => json.to_string(),
        Err(_) if value.is_float() => value.to_string(),
        Err(what) => what,
    };
    text.char_indices().nth(LONGEST).map_or_else(|| text.clone(), |(end, _)| format!("{}…", &text[..end]))
}

/// Ticks, and the clock.
fn driving(engine: &mut Engine) {
    engine.register_fn("tick", |p: &mut BenchValue| tick(p));
    engine.register_fn("feed", |p: &mut BenchValue, values: Dynamic| -> Answered<()> {
        let names = p.0.names();
        for value in all(values) {
            if names.is_empty() {
                if value.is_map() && p.0.judges_numbers() {
                    let help = "this pipeline has one measurement: write `feed([9])`";
                    let message = format!("`feed` takes a number here, not the map {}", shown(&value));
                    return Err(complaint(message, Some(help.into()), Position::NONE));
                }
                p.0.feed(measured(&value)?);
                tick(p)?;
            } else {
                feed_named(p, &names, &value)?;
            }
        }
        Ok(())
    });
    engine.register_fn("fail", |p: &mut BenchValue, times: Dynamic| -> Answered<()> {
        let times = whole("`fail`", 1.0, &times)?;
        p.0.fail(Some(Failure::overload(FED)));
        let ticked = (0..times).try_for_each(|_| tick(p));
        p.0.fail(None);
        ticked
    });
    engine.register_fn("replay", |p: &mut BenchValue, ticks: Dynamic| -> Answered<()> {
        for tick in replay::ticks(ticks)? {
            if limits::overdue() {
                return fail("the test takes too long: is there a loop that does not end?");
            }
            trial("replay")?.replay(&p.0, &tick).or_else(fail)?;
        }
        Ok(())
    });
    engine.register_fn("wait_seconds", |p: &mut BenchValue, seconds: Dynamic| -> Answered<()> {
        p.0.wait(number("`wait_seconds`", &seconds)?).or_else(fail)
    });
    engine.register_fn("at", |p: &mut BenchValue, time: Dynamic| -> Answered<()> {
        p.0.at(&text("`at`", &time)?).or_else(fail)
    });
    engine.register_fn("now", |p: &mut BenchValue| NowValue(p.0.now()));
}

/// An array's items, or the one value.
fn all(values: Dynamic) -> Array {
    if values.is_array() { values.cast::<Array>() } else { vec![values] }
}

/// Feeds several measurements by name, and ticks until every value was measured.
fn feed_named(p: &BenchValue, names: &[Arc<str>], value: &Dynamic) -> Answered<()> {
    let Some(given) = value.read_lock::<Map>().map(|given| given.clone()) else {
        let written: Vec<String> = names.iter().map(|name| format!("{name}: [1, 2]")).collect();
        let help = format!("write `feed(#{{ {} }})`", written.join(", "));
        let message = format!("`feed` takes a map of measurements by name here, not {}", shown(value));
        return Err(complaint(message, Some(help), Position::NONE));
    };
    for (name, values) in given {
        named("feed", "measurement", &name, names)?;
        let measured: Vec<_> = all(values).iter().map(measured).collect::<Answered<_>>()?;
        p.0.feed_named(&name, measured);
    }
    tick(p)?;
    while p.0.waits() {
        tick(p)?;
    }
    Ok(())
}

/// Refuses a name that is not among `known`.
fn named(function: &str, what: &str, name: &str, known: &[Arc<str>]) -> Answered<()> {
    if known.iter().any(|known| **known == *name) {
        return Ok(());
    }
    let names = || known.iter().map(|known| &**known);
    let help = did_you_mean(name, names());
    let help = help.unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
    Err(complaint(format!("`{function}` names the {what} `{name}`, which there is not"), Some(help), Position::NONE))
}

/// What a value of `feed` measures.
fn measured(value: &Dynamic) -> Answered<Result<Json, Failure>> {
    if value.is_unit() {
        return Ok(Err(Failure::overload(FED)));
    }
    if let Some(failed) = value.read_lock::<Failed>() {
        return Ok(Err(Failure::overload(failed.0.clone())));
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        let help = "feed numbers, `[120, 80]`, or data such as `#{ size: 3 }`; `()` is a measurement that failed";
        return Err(complaint(
            format!("`feed` takes what is measured, not the text \"{}\"", *text),
            Some(help.into()),
            Position::NONE,
        ));
    }
    convert::to_json(value).map(Ok).or_else(|what| fail(format!("{what} cannot be measured")))
}

fn tick(p: &BenchValue) -> Answered<()> {
    // A tick is one operation to the language, and may take long.
    if limits::overdue() {
        return fail("the test takes too long: is there a loop that does not end?");
    }
    let ticked = trial("tick")?.tick(&p.0);
    ticked.map_err(|(message, help)| complaint(message, help, Position::NONE))
}

/// The platform.
fn platform(engine: &mut Engine) {
    engine.register_fn("dynos", |p: &mut BenchValue| p.0.platform(|platform| i64::from(platform.dynos)));
    engine.register_fn("dynos", |p: &mut BenchValue, count: Dynamic| -> Answered<()> {
        let count = dynos("`dynos`", &count)?;
        p.0.platform(|platform| platform.dynos = count);
        Ok(())
    });
    engine.register_fn("others", |p: &mut BenchValue, others: Dynamic| -> Answered<()> {
        let Some(given) = others.read_lock::<Map>().map(|given| given.clone()) else {
            return fail("`others` takes a map of dynos by pipeline, such as `#{ web: 3 }`");
        };
        let known = p.0.others();
        if known.is_empty() {
            return fail("`others` tells what pipelines under the same limit have, and this one shares none");
        }
        for (name, count) in given {
            named("others", "pipeline", &name, &known)?;
            p.0.other(&name.as_str().into(), dynos("`others`", &count)?);
        }
        Ok(())
    });
    engine.register_fn("booting", |p: &mut BenchValue, count: Dynamic| -> Answered<()> {
        let count = dynos("`booting`", &count)?;
        p.0.platform(|platform| platform.booting = count);
        Ok(())
    });
    engine.register_fn("fail_scale", |p: &mut BenchValue, why: Dynamic| -> Answered<()> {
        p.0.fail_scale(text("`fail_scale`", &why)?);
        Ok(())
    });
}

fn dynos(what: &str, count: &Dynamic) -> Answered<u32> {
    whole(what, 0.0, count).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// What came of the ticks.
fn looking(engine: &mut Engine) {
    engine.register_fn("events", |p: &mut BenchValue| -> Array {
        p.0.events().into_iter().map(|event| Dynamic::from(EventValue(event))).collect()
    });
    engine.register_fn("records", |p: &mut BenchValue| -> Array {
        p.0.records(MOST_RECORDS).iter().map(|record| json(&**record)).collect()
    });
    engine.register_fn("last", |p: &mut BenchValue| {
        p.0.records(1).first().map_or(Dynamic::UNIT, |record| json(&**record))
    });
    engine.register_fn("notified", |p: &mut BenchValue| -> Array {
        p.0.notified().into_iter().map(Dynamic::from).collect()
    });
    engine.register_fn("memory", |p: &mut BenchValue| convert::from_json(&p.0.memory()));
}

fn json(value: &impl serde::Serialize) -> Dynamic {
    serde_json::to_value(value).map_or(Dynamic::UNIT, |json| convert::from_json(&json))
}

/// Adds `stub` and `sent` to the module `http`.
pub(super) fn stubs(module: &mut Module) {
    module.set_native_fn("stub", |native: NativeCallContext, method: Dynamic, url: Dynamic, answer: Dynamic| {
        placed(&native, stub(&method, &url, &answer))
    });
    module.set_native_fn("sent", |native: NativeCallContext| -> Answered<Array> {
        let trial = placed(&native, trial("http::sent"))?;
        Ok(trial.http().sent().iter().map(sent).collect())
    });
}

fn stub(method: &Dynamic, url: &Dynamic, answer: &Dynamic) -> Answered<()> {
    let trial = trial("http::stub")?;
    let (method, url) = (text("the method of `http::stub`", method)?, text("the URL of `http::stub`", url)?);
    let Some(answer) = answer.read_lock::<Map>().map(|answer| answer.clone()) else {
        return fail("`http::stub` answers a map, such as `#{ status: 200, json: #{ n: 1 } }`");
    };
    trial.http().stub(Stub { method: method.to_uppercase(), url, answer: reply(&answer)? });
    Ok(())
}

/// What a stub may say.
const ANSWERS: &[&str] = &["status", "json", "text", "headers", "error"];

fn reply(answer: &Map) -> Answered<Result<StubReply, HttpError>> {
    if let Some(unknown) = answer.keys().find(|key| !ANSWERS.contains(&key.as_str())) {
        let help = did_you_mean(unknown, ANSWERS.iter().copied());
        let help = help.unwrap_or_else(|| format!("there are {}", ANSWERS.join(", ")));
        return Err(complaint(format!("`http::stub` knows no `{unknown}`"), Some(help), Position::NONE));
    }
    if let Some(error) = answer.get("error") {
        let message = text("`error` of `http::stub`", error)?;
        return Ok(Err(HttpError { kind: HttpErrorKind::Broken, message }));
    }
    let status = match answer.get("status") {
        Some(status) => u16::try_from(whole("`status` of `http::stub`", 100.0, status)?).unwrap_or(0),
        None => 200,
    };
    if !(100..=599).contains(&status) {
        return fail(format!("`status` of `http::stub` is 100 to 599, not {status}"));
    }
    let mut headers = Vec::new();
    if let Some(given) = answer.get("headers") {
        let Some(given) = given.read_lock::<Map>().map(|given| given.clone()) else {
            return fail("`headers` of `http::stub` are a map of texts");
        };
        for (name, value) in &given {
            headers.push((name.to_lowercase(), text("a header of `http::stub`", value)?));
        }
    }
    let body = match (answer.get("json"), answer.get("text")) {
        (Some(_), Some(_)) => return fail("`http::stub` answers `json` or `text`, not both"),
        (Some(json), None) => {
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".into(), "application/json".into()));
            }
            convert::to_json(json).or_else(|what| fail(format!("{what} is no JSON")))?.to_string()
        }
        (None, Some(given)) => text("`text` of `http::stub`", given)?,
        (None, None) => String::new(),
    };
    Ok(Ok(StubReply { status, headers, body: body.into() }))
}

/// A request as a test sees it; secrets are masked.
fn sent(request: &Request) -> Dynamic {
    let text = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
    let text = crate::secret::scrub(&text).into_owned();
    let mut headers: Map = request.headers.iter().map(|(name, value)| (header(name), value.clone().into())).collect();
    headers.extend(request.secret_headers.iter().map(|(name, _)| (header(name), crate::secret::MASK.into())));
    let json = serde_json::from_str(&text).map_or(Dynamic::UNIT, |json| convert::from_json(&json));
    Dynamic::from_map(Map::from_iter([
        ("method".into(), request.method.clone().into()),
        ("url".into(), crate::secret::scrub(&request.url).into_owned().into()),
        ("headers".into(), headers.into()),
        ("text".into(), text.into()),
        ("json".into(), json),
    ]))
}

fn header(name: &str) -> rhai::Identifier {
    name.to_lowercase().into()
}
