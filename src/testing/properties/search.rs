//! Owns the four searches. Each tries values in a fixed order, and makes the first case that it finds smaller: rounder
//! values, fewer dynos, fewer ticks.

use super::paste::{self, Load};
use super::subject::{Subject, rounded};
use super::{Finding, Property};
use crate::pipeline::Decided;

/// Scales against the one before, under a constant load, that are too many to be coming to rest.
pub(super) const TURNS: usize = 3;

/// Ticks under a constant load.
const MOST_TICKS: usize = 400;

/// Values that are missing in a row, at most.
const MOST_MISSING: usize = 3;

/// Values as large as anything that is measured.
const LARGE: [f64; 3] = [10_000.0, 100_000.0, 1_000_000.0];

/// The other measurements stay at the value at this share of theirs.
const OTHERS: [f64; 2] = [0.0, 0.5];

/// Shares for the other measurements, where there are others.
fn others(subject: &Subject<'_>) -> &'static [f64] {
    if subject.channels.len() > 1 { &OTHERS[1..] } else { &OTHERS[..1] }
}

/// Rounder values first, then `value` itself: the first that still `fails`.
fn simplest(value: f64, mut fails: impl FnMut(f64) -> bool) -> f64 {
    (1..6).map(|digits| rounded(value, digits)).find(|round| fails(*round)).unwrap_or(value)
}

/// Values with that of `channel` replaced.
fn with(values: &[Option<f64>], channel: usize, value: Option<f64>) -> Vec<Option<f64>> {
    let mut values = values.to_vec();
    values[channel] = value;
    values
}

/// A constant load under which the dynos go up and down and up again.
pub(super) fn constant_load(subject: &mut Subject<'_>) -> Option<Finding> {
    for share in others(subject) {
        let quiet = subject.quiet(*share);
        for channel in 0..subject.channels.len() {
            for value in subject.channels[channel].values.clone() {
                for dynos in subject.starts() {
                    if turns(subject, &quiet, channel, value, dynos).is_none() {
                        continue;
                    }
                    let value = simplest(value, |round| turns(subject, &quiet, channel, round, dynos).is_some());
                    let first = subject.starts().first().copied().unwrap_or(dynos);
                    let again = turns(subject, &quiet, channel, value, first).map(|ticks| (first, ticks));
                    let (dynos, ticks) = match again {
                        Some(again) => again,
                        None => (dynos, turns(subject, &quiet, channel, value, dynos)?),
                    };
                    let load = load(subject, &quiet, channel, value);
                    let shared = subject.channels[channel].shared;
                    let what = if shared { "shared by the dynos" } else { "that stays" };
                    return Some(Finding {
                        property: Property::ConstantLoad,
                        said: format!(
                            "under a load of {value} {what} it scales up and down and does not come to rest: {TURNS} turns \
                             within {ticks} ticks"
                        ),
                        test: paste::constant_load(subject, &load, dynos, ticks),
                    });
                }
            }
        }
    }
    None
}

/// What `channel` measures of a constant `value`, in words of the script.
fn load(subject: &Subject<'_>, quiet: &[Option<f64>], channel: usize, value: f64) -> Vec<Load> {
    let all = subject.channels.iter().zip(quiet).enumerate();
    let of = |(at, (own, quiet)): (usize, (&super::subject::Channel, &Option<f64>))| match quiet {
        _ if at == channel && own.shared => Load::Shared(value),
        _ if at == channel => Load::Value(value),
        Some(quiet) if own.shared => Load::Shared(*quiet),
        Some(quiet) => Load::Value(*quiet),
        None => Load::Missing,
    };
    all.map(of).collect()
}

/// Ticks after which the dynos have turned too often.
fn turns(subject: &mut Subject<'_>, quiet: &[Option<f64>], channel: usize, value: f64, start: u32) -> Option<usize> {
    let run = subject.open(start)?;
    let loads = load(subject, quiet, channel, value);
    let (mut dynos, mut way, mut turns, mut still) = (start, None, 0, 0);
    let patience = subject.patience();
    for tick in 1..=MOST_TICKS {
        if dynos == 0 {
            return None;
        }
        let values: Vec<Option<f64>> = loads.iter().map(|load| load.at(dynos)).collect();
        let after = subject.feed(&run, &values).dynos;
        if after == dynos {
            still += 1;
            if still > patience {
                return None;
            }
            continue;
        }
        let up = after > dynos;
        turns += usize::from(way.replace(up).is_some_and(|before| before != up));
        (dynos, still) = (after, 0);
        if turns >= TURNS {
            return Some(tick);
        }
    }
    None
}

/// Two loads of which the larger one gives fewer dynos.
pub(super) fn more_load(subject: &mut Subject<'_>) -> Option<Finding> {
    for share in others(subject) {
        let quiet = subject.quiet(*share);
        for channel in 0..subject.channels.len() {
            for dynos in subject.starts() {
                let values = subject.channels[channel].values.clone();
                let ticks = subject.long();
                // The value that gave the most dynos so far.
                let mut best: Option<(f64, u32)> = None;
                for value in values {
                    let given = ends_at(subject, &with(&quiet, channel, Some(value)), dynos, ticks)?;
                    let Some((less, _)) = best.filter(|(_, most)| given < *most) else {
                        if best.is_none_or(|(_, most)| given > most) {
                            best = Some((value, given));
                        }
                        continue;
                    };
                    return Some(fewer(subject, &quiet, channel, (less, value), dynos, ticks));
                }
            }
        }
    }
    None
}

/// The dynos after `ticks` ticks that all measure `values`.
fn ends_at(subject: &mut Subject<'_>, values: &[Option<f64>], dynos: u32, ticks: usize) -> Option<u32> {
    let run = subject.open(dynos)?;
    let mut last = dynos;
    for _ in 0..ticks {
        last = subject.feed(&run, values).dynos;
    }
    Some(last)
}

fn fewer(
    subject: &mut Subject<'_>,
    quiet: &[Option<f64>],
    channel: usize,
    (mut less, mut more): (f64, f64),
    dynos: u32,
    mut ticks: usize,
) -> Finding {
    let mut fails = |less: f64, more: f64, ticks: usize| {
        let mut given = |value| ends_at(subject, &with(quiet, channel, Some(value)), dynos, ticks);
        let (low, high) = (given(less), given(more));
        less < more && low.zip(high).is_some_and(|(low, high)| high < low)
    };
    less = simplest(less, |round| fails(round, more, ticks));
    more = simplest(more, |round| fails(less, round, ticks));
    ticks = (1..ticks).find(|fewer| fails(less, more, *fewer)).unwrap_or(ticks);
    let mut given = |value| ends_at(subject, &with(quiet, channel, Some(value)), dynos, ticks).unwrap_or(0);
    let (low, high) = (given(less), given(more));
    let loads = |value| -> Vec<Load> {
        let values = with(quiet, channel, Some(value)).into_iter();
        values.map(|value| value.map_or(Load::Missing, Load::Value)).collect()
    };
    let plural = if ticks == 1 { "tick" } else { "ticks" };
    Finding {
        property: Property::MoreLoad,
        said: format!("after {ticks} {plural} of {more} there are {high} dynos, and after as many of {less} {low}"),
        test: paste::more_load(subject, &loads(less), &loads(more), dynos, ticks),
    }
}

/// A missing value with which dynos are taken away that stay without.
pub(super) fn missing_value(subject: &mut Subject<'_>) -> Option<Finding> {
    for share in others(subject) {
        let quiet = subject.quiet(*share);
        for channel in 0..subject.channels.len() {
            for value in subject.channels[channel].values.clone() {
                for dynos in subject.starts() {
                    let missing = |at: usize, count: usize| (at, count);
                    let ticks = subject.long();
                    // Nothing may be said of a value that takes dynos away by itself.
                    if shrinks(subject, &with(&quiet, channel, Some(value)), channel, dynos, ticks, missing(0, 0))
                        .is_some()
                    {
                        continue;
                    }
                    for count in [1, MOST_MISSING] {
                        for at in [0, ticks / 2] {
                            let values = with(&quiet, channel, Some(value));
                            let Some(end) = shrinks(subject, &values, channel, dynos, ticks, missing(at, count)) else {
                                continue;
                            };
                            return Some(missed(subject, &quiet, channel, value, dynos, end, (at, count)));
                        }
                    }
                }
            }
        }
    }
    None
}

/// Ticks after which dynos are taken away, where `count` values of `channel` are missing from tick `at` on.
fn shrinks(
    subject: &mut Subject<'_>,
    values: &[Option<f64>],
    channel: usize,
    dynos: u32,
    ticks: usize,
    (at, count): (usize, usize),
) -> Option<usize> {
    let run = subject.open(dynos)?;
    let without = with(values, channel, None);
    for tick in 0..ticks {
        let missing = (at..at + count).contains(&tick);
        let after = subject.feed(&run, if missing { &without } else { values });
        if after.decided == Decided::Down && after.dynos < dynos {
            return Some(tick + 1);
        }
    }
    None
}

fn missed(
    subject: &mut Subject<'_>,
    quiet: &[Option<f64>],
    channel: usize,
    value: f64,
    dynos: u32,
    end: usize,
    (at, count): (usize, usize),
) -> Finding {
    let mut fails = |value: f64, at: usize| {
        let values = with(quiet, channel, Some(value));
        let long = end + at;
        let by_itself = shrinks(subject, &values, channel, dynos, long, (0, 0)).is_some();
        if by_itself { None } else { shrinks(subject, &values, channel, dynos, long, (at, count)) }
    };
    let value = simplest(value, |round| fails(round, at).is_some());
    let first = (0..=at).find_map(|earlier| Some((earlier, fails(value, earlier)?)));
    let (at, ticks) = first.unwrap_or((at, end));
    let plural = if count == 1 { "one value is" } else { "values are" };
    let name = subject.channels[channel].name.as_ref().map_or_else(String::new, |name| format!(" of `{name}`"));
    let values: Vec<Load> =
        with(quiet, channel, Some(value)).into_iter().map(|one| one.map_or(Load::Missing, Load::Value)).collect();
    Finding {
        property: Property::MissingValue,
        said: format!("at a steady {value}{name} it stays at {dynos} dynos, and where {plural} missing it scales down"),
        test: paste::missing_value(subject, &values, channel, dynos, ticks, (at, count)),
    }
}

/// A value, and a count of dynos, at which the script uses up its operations.
pub(super) fn operation_limit(subject: &mut Subject<'_>) -> Option<Finding> {
    let ticks = subject.long();
    for share in others(subject) {
        let quiet = subject.quiet(*share);
        for channel in 0..subject.channels.len() {
            let mut values = subject.channels[channel].values.clone();
            values.extend(LARGE);
            for dynos in subject.starts() {
                for value in values.clone() {
                    let mut ends = |value: f64| uses_up(subject, &with(&quiet, channel, Some(value)), dynos, ticks);
                    if ends(value).is_none() {
                        continue;
                    }
                    // The values ascend: the limit lies between the one before and this one.
                    let before = values.iter().rev().copied().find(|before| *before < value && ends(*before).is_none());
                    let value = smallest(before.unwrap_or(0.0), value, |value| ends(value).is_some());
                    let ticks = ends(value)?;
                    let loads = with(&quiet, channel, Some(value)).into_iter();
                    let loads: Vec<Load> = loads.map(|one| one.map_or(Load::Missing, Load::Value)).collect();
                    let plural = if ticks == 1 { "tick" } else { "ticks" };
                    return Some(Finding {
                        property: Property::OperationLimit,
                        said: format!(
                            "at {value} with {dynos} dynos the script uses up its operations after {ticks} {plural}, and \
                             nothing is decided"
                        ),
                        test: paste::operation_limit(subject, &loads, dynos, ticks),
                    });
                }
            }
        }
    }
    None
}

/// A round value near the smallest between `low`, which does not fail, and `high`, which does.
fn smallest(mut low: f64, mut high: f64, mut fails: impl FnMut(f64) -> bool) -> f64 {
    for _ in 0..12 {
        let middle = rounded(f64::midpoint(low, high), 3);
        if middle <= low || middle >= high {
            break;
        }
        if fails(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    simplest(high, fails)
}

/// Ticks after which the script has used up its operations.
fn uses_up(subject: &mut Subject<'_>, values: &[Option<f64>], dynos: u32, ticks: usize) -> Option<usize> {
    let run = subject.open(dynos)?;
    (1..=ticks).find(|_| subject.feed(&run, values).used_up)
}
