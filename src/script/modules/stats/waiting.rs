//! Owns the functions of `stats::` about waiting: Erlang's C formula and staffing by it. What they mean is
//! `crate::stats`'s.

use rhai::{Dynamic, Module, Position};

use super::super::{Answered, number};
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, deciding, takes};
use crate::stats::{Capacity, MOST_SERVERS, delayed};

/// What is registered here.
pub(in crate::script::modules) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("stats"),
        name: "erlang_c",
        parameters: &[takes("servers", "int"), takes("load", "int | float")],
        gives: "float",
        doc: "The probability (0 to 1) that a request must wait at so many servers, by Erlang's C formula (M/M/c); the load is arrivals per second times seconds of work. 1 from full load on.",
        stands: Stands::Anywhere,
        example: deciding("if stats::erlang_c(m.dynos, m.value / 10.0) > 0.2 { up(1) }"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "staffing",
        parameters: &[
            takes("rate", "int | float"),
            takes("rate_per_dyno", "int | float"),
            takes("workers", "int"),
            takes("wait_seconds", "int | float"),
            takes("late_percent", "int | float"),
        ],
        gives: "int",
        doc: "The fewest dynos, from 1, at which at most `late_percent` of `rate` requests per second wait longer than `wait_seconds`, by Erlang's C formula; a dyno completes `rate_per_dyno` per second and works on `workers` at once.",
        stands: Stands::Anywhere,
        example: deciding("to(stats::staffing(m.value, 100, 1, 0.4, 5))"),
    },
];

/// Adds the functions.
pub(super) fn add(module: &mut Module) {
    module.set_native_fn("erlang_c", |servers: Dynamic, load: Dynamic| -> Answered<f64> {
        let what = "`stats::erlang_c`";
        let servers = count(what, "servers", &servers, 0)?;
        Ok(delayed(servers, number(what, &load)?))
    });
    module.set_native_fn(
        "staffing",
        |rate: Dynamic, per_dyno: Dynamic, workers: Dynamic, seconds: Dynamic, percent: Dynamic| -> Answered<i64> {
            let what = "`stats::staffing`";
            let positive = |name: &str, value: f64| {
                if value > 0.0 {
                    Ok(value)
                } else {
                    Err(refused(format!("`{name}` of {what} must be above 0, not {value}")))
                }
            };
            let rate_per_dyno = positive("rate_per_dyno", number(what, &per_dyno)?)?;
            let percent = positive("late_percent", number(what, &percent)?)?;
            let capacity = Capacity { rate_per_dyno, workers: count(what, "workers", &workers, 1)? };
            let rate = number(what, &rate)?;
            let staffed = capacity.staffing(rate, number(what, &seconds)?, percent / 100.0);
            staffed.map(i64::from).ok_or_else(|| {
                refused(format!(
                    "{what}: {rate} requests per second take more than {MOST_SERVERS} workers, the most that are tried"
                ))
            })
        },
    );
}

fn refused(message: String) -> Box<rhai::EvalAltResult> {
    complaint(message, None, Position::NONE)
}

/// A whole number of servers or workers.
pub(super) fn count(what: &str, name: &str, value: &Dynamic, least: u32) -> Answered<u32> {
    let given = number(what, value)?;
    if given.fract() == 0.0 && (f64::from(least)..=f64::from(MOST_SERVERS)).contains(&given) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        return Ok(given as u32);
    }
    Err(refused(format!("`{name}` of {what} takes a whole number of {least} to {MOST_SERVERS}, not {given}")))
}
