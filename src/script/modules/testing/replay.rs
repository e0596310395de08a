//! Owns the reading of recorded ticks as tests write them: `p.replay([#{ at: "…", value: 1210 }, …])`.

use rhai::{Array, Dynamic, Map};
use serde_json::Value as Json;

use super::super::{Answered, text};
use super::{dynos, fail};
use crate::pipeline::{Failure, Measurement};
use crate::script::convert;
use crate::script::diagnose::complaint;
use crate::settings::did_you_mean;
use crate::testing::Recorded;

/// What one measurement may say.
const MEASURED: [&str; 4] = ["value", "data", "failed", "load"];

/// What a tick may say besides.
const TICK: [&str; 7] = ["at", "measured", "dynos", "booting", "unknown", "refused", "scaled"];

/// What a measurement that failed says that no reason is given for.
const FAILED: &str = "failed, as it was recorded";

/// The ticks in the argument of `replay`.
pub(super) fn ticks(given: Dynamic) -> Answered<Vec<Recorded>> {
    let given = if given.is_array() { given.cast::<Array>() } else { vec![given] };
    given.iter().map(tick).collect()
}

fn tick(given: &Dynamic) -> Answered<Recorded> {
    let map = map(given, "`replay` takes ticks such as `#{ at: \"2026-11-24 03:12:00\", value: 1210 }`")?;
    known(&map, TICK.into_iter().chain(MEASURED))?;
    let said = |name: &str| map.get(name).map(|value| text(&format!("`{name}` of `replay`"), value)).transpose();
    let count = |name: &str| map.get(name).map(|value| dynos(&format!("`{name}` of `replay`"), value)).transpose();
    let Some(at) = said("at")? else { return fail("a tick of `replay` needs `at`, such as \"2026-11-24 03:12:00\"") };
    let own = MEASURED.iter().any(|name| map.contains_key(*name));
    let measured = match map.get("measured") {
        Some(_) if own => return fail("a tick of `replay` has `measured`, or `value`, `data` and `failed`, not both"),
        Some(several) => match several.read_lock::<Array>() {
            Some(several) => several.iter().map(measured).collect::<Answered<_>>()?,
            None => return fail("`measured` of `replay` is an array of maps, one for each measurement"),
        },
        None if own => vec![measurement(&map)?],
        None => Vec::new(),
    };
    Ok(Recorded {
        at,
        measured,
        dynos: count("dynos")?,
        booting: count("booting")?,
        unknown: said("unknown")?,
        refused: said("refused")?,
        scaled: said("scaled")?,
    })
}

fn measured(given: &Dynamic) -> Answered<Measurement> {
    let map = map(given, "`measured` of `replay` is an array of maps such as `#{ value: 1210 }`")?;
    known(&map, MEASURED)?;
    measurement(&map)
}

fn measurement(map: &Map) -> Answered<Measurement> {
    let time = chrono::DateTime::UNIX_EPOCH;
    if let Some(why) = map.get("failed") {
        let why = if why.is_unit() { FAILED.into() } else { text("`failed` of `replay`", why)? };
        let of_load = map.get("load").is_none_or(|load| load.as_bool().unwrap_or(true));
        let failure = if of_load { Failure::overload(why) } else { Failure::not_load(why) };
        return Ok(Measurement::failed("recorded", failure, time));
    }
    let json = |name: &str| match map.get(name) {
        Some(value) => convert::to_json(value).map(Some).or_else(|what| fail(format!("{what} cannot be measured"))),
        None => Ok(None),
    };
    let (value, data) = (json("value")?, json("data")?);
    if value.as_ref().is_some_and(|value| !value.is_number()) {
        return fail("`value` of `replay` is a number; other data is `data`");
    }
    let number = value.as_ref().and_then(Json::as_f64).or_else(|| data.as_ref().and_then(Json::as_f64));
    let taken = Measurement::good("recorded", data.or(value).unwrap_or_default(), time);
    Ok(Measurement { value: number, ..taken })
}

fn map(given: &Dynamic, else_say: &str) -> Answered<Map> {
    let map = given.read_lock::<Map>().map(|map| map.clone());
    map.map_or_else(|| fail(else_say), Ok)
}

fn known<'a>(map: &Map, names: impl IntoIterator<Item = &'a str>) -> Answered<()> {
    let names: Vec<&str> = names.into_iter().collect();
    let Some(unknown) = map.keys().find(|key| !names.contains(&key.as_str())) else { return Ok(()) };
    let help = did_you_mean(unknown, names.iter().copied());
    let help = help.unwrap_or_else(|| format!("there are {}", names.join(", ")));
    Err(complaint(format!("`replay` knows no `{unknown}`"), Some(help), rhai::Position::NONE))
}
