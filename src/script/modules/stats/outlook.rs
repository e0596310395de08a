//! Owns the functions of `stats::` about a rate that is not known for certain: what it will be, what dynos that is
//! worth, and when dynos may go. What they mean is `crate::stats`'s.

use rhai::{Array, Dynamic, ImmutableString, Module, Position};

use super::super::moment::{NowValue, of_week};
use super::super::{Answered, expected, number};
use crate::script::convert;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, deciding, takes};
use crate::stats::{Capacity, MOST_SERVERS, Measured, Outlook, Settled, Worth};

/// What is registered here.
pub(in crate::script::modules) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("stats"),
        name: "outlook",
        parameters: &[
            takes("kept", "Array"),
            takes("now", "Time"),
            takes("rate", "int | float"),
            takes("window_seconds", "int | float"),
            takes("ahead_seconds", "int | float"),
        ],
        gives: "Array",
        doc: "Notes a rate that was counted over a window, and tells what it will be so many seconds ahead, from its level, its trend and what is usual at the time of the day and of the week; how well that did is learned. `[0]` is to be kept in `this` (begin with `[]`), `[1]` is the rate now without part of its noise, `[2]` what it will be, `[3]` what it may be: rates, ascending, each followed by its probability. `[4]` are seconds for which exactly the same was measured time and again, `[5]` seconds since the measurement before, and `[6]` whether a jump above everything that was probable is under way.",
        stands: Stands::Anywhere,
        example: deciding(
            r"let outlook = stats::outlook(this.rate ?? [], m.now, m.value, 30, 90);
this.rate = outlook[0];
to(stats::staffing(outlook[2], 100, 1, 0.4, 5))",
        ),
    },
    Entry {
        form: Form::Member("stats"),
        name: "worth",
        parameters: &[
            takes("rate", "int | float"),
            takes("spread", "Array"),
            takes("rate_per_dyno", "int | float"),
            takes("workers", "int"),
            takes("wait_seconds", "int | float"),
            takes("late_percent", "int | float"),
            takes("price", "int | float"),
        ],
        gives: "int",
        doc: "As `stats::staffing` for the rate, and more where they are worth it: rates that may come are given as in `stats::outlook`, and a dyno is worth having while it saves at least `price` times `late_percent` of what it could serve from being late.",
        stands: Stands::Anywhere,
        example: deciding(
            r"let outlook = stats::outlook(this.rate ?? [], m.now, m.value, 30, 90);
this.rate = outlook[0];
to(stats::worth(outlook[2], outlook[3], 100, 1, 0.4, 5, 1))",
        ),
    },
    Entry {
        form: Form::Member("stats"),
        name: "settled",
        parameters: &[
            takes("kept", "Array"),
            takes("at", "int"),
            takes("needed", "int"),
            takes("dynos", "int"),
            takes("seconds", "int | float"),
            takes("dyno_seconds", "int | float"),
        ],
        gives: "Array",
        doc: "Notes that so many dynos are needed, and tells in `[0]` to how many they may fall: what goes was idle for `seconds`, and so long that all of it together was idle for `dyno_seconds`. To be kept in `this`; begin with `[]`.",
        stands: Stands::Anywhere,
        example: deciding(
            r"let needed = stats::staffing(m.value, 100, 1, 0.4, 5);
this.needed = stats::settled(this.needed ?? [], m.now.timestamp, needed, m.dynos, 60, 600);
to(if needed > m.dynos { needed } else { this.needed[0] })",
        ),
    },
];

/// Adds the functions.
pub(super) fn add(module: &mut Module) {
    module.set_native_fn("outlook", |kept: Dynamic, now: Dynamic, rate: Dynamic, window: Dynamic, ahead: Dynamic| {
        outlook(&kept, &now, &rate, &window, &ahead)
    });
    module.set_native_fn(
        "worth",
        |rate: Dynamic,
         spread: Dynamic,
         per_dyno: Dynamic,
         workers: Dynamic,
         seconds: Dynamic,
         percent: Dynamic,
         price: Dynamic| { worth(&rate, &spread, [&per_dyno, &workers, &seconds, &percent, &price]) },
    );
    module.set_native_fn(
        "settled",
        |kept: Dynamic, at: Dynamic, needed: Dynamic, dynos: Dynamic, seconds: Dynamic, idle: Dynamic| {
            settled(&kept, [&at, &needed, &dynos], &seconds, &idle)
        },
    );
}

fn outlook(kept: &Dynamic, now: &Dynamic, rate: &Dynamic, window: &Dynamic, ahead: &Dynamic) -> Answered<Array> {
    let what = "`stats::outlook`";
    let Some(kept) = kept.read_lock::<Array>() else { return Err(expected(what, "an array that it gave", kept)) };
    let text = |at: usize| kept.get(at).and_then(Dynamic::read_lock::<ImmutableString>).as_deref().cloned();
    let [lately, day, week] = [0, 1, 2].map(|at| text(at).unwrap_or_default());
    let Some(now) = now.read_lock::<NowValue>() else { return Err(expected(what, "a time such as `m.now`", now)) };
    let now = &now.0;
    let measured = Measured {
        at: now.timestamp(),
        of_week: of_week(now),
        rate: number(what, rate)?.max(0.0),
        window: positive(what, "window_seconds", window)?,
    };
    let mut outlook = Outlook::of(&lately, &day, &week);
    outlook.note(&measured, positive(what, "ahead_seconds", ahead)?);
    let spread = outlook.spread().flat_map(|(rate, probability)| [rate.into(), probability.into()]);
    let told: [Dynamic; 6] = [
        outlook.now().into(),
        outlook.then().into(),
        Dynamic::from_array(spread.collect()),
        outlook.unmoved().into(),
        outlook.silent().into(),
        outlook.is_jumping().into(),
    ];
    let [lately, newer_day, newer_week] = outlook.texts();
    // A profile that stayed the same is not copied once more.
    let same = |newer: String, old: &ImmutableString| if *newer == **old { old.clone().into() } else { newer.into() };
    let kept: Array = vec![lately.into(), same(newer_day, &day), same(newer_week, &week)];
    Ok(std::iter::once(Dynamic::from_array(kept)).chain(told).collect())
}

fn worth(rate: &Dynamic, spread: &Dynamic, of: [&Dynamic; 5]) -> Answered<i64> {
    let what = "`stats::worth`";
    let [per_dyno, workers, seconds, percent, price] = of;
    let Some(spread) = spread.read_lock::<Array>().filter(|spread| spread.len() % 2 == 0) else {
        return Err(expected(what, "an array of rates, each followed by its probability", spread));
    };
    let pairs = spread.chunks_exact(2).map(|pair| Ok((number(what, &pair[0])?, number(what, &pair[1])?)));
    let pairs = pairs.collect::<Answered<Vec<(f64, f64)>>>()?;
    let rate = number(what, rate)?;
    let worth = Worth {
        capacity: Capacity {
            rate_per_dyno: positive(what, "rate_per_dyno", per_dyno)?,
            workers: super::waiting::count(what, "workers", workers, 1)?,
        },
        seconds: number(what, seconds)?,
        share: positive(what, "late_percent", percent)? / 100.0,
        price: positive(what, "price", price)?,
    };
    worth.dynos(rate, &pairs).map(i64::from).ok_or_else(|| {
        let message = format!(
            "{what}: {rate} requests per second take more than {MOST_SERVERS} workers, the most that are tried"
        );
        complaint(message, None, Position::NONE)
    })
}

fn settled(kept: &Dynamic, whole: [&Dynamic; 3], seconds: &Dynamic, idle: &Dynamic) -> Answered<Array> {
    let what = "`stats::settled`";
    let Some(kept) = kept.read_lock::<Array>() else { return Err(expected(what, "an array that it gave", kept)) };
    let kept: Vec<i64> = kept.iter().skip(1).filter_map(|number| number.as_int().ok()).collect();
    let mut numbers = [0; 3];
    for (found, given) in numbers.iter_mut().zip(whole) {
        *found = given.as_int().map_err(|_| expected(what, "whole numbers", given))?;
    }
    let [at, needed, dynos] = numbers;
    let mut settled = Settled::of(&kept);
    settled.note(at, needed);
    let fall = settled.fall(dynos, number(what, seconds)?, number(what, idle)?);
    Ok(std::iter::once(fall).chain(settled.numbers()).map(Dynamic::from_int).collect())
}

fn positive(what: &str, name: &str, value: &Dynamic) -> Answered<f64> {
    let given = convert::number(value).filter(|value| *value > 0.0 && value.is_finite());
    given.ok_or_else(|| expected(&format!("`{name}` of {what}"), "a number above 0", value))
}
