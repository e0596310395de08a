//! Owns the members of `m` and `event`: which exist, and which may be missing.

use super::chain::{Chain, Link};
use crate::function::{Role, Standing};
use crate::script::check;
use crate::script::modules::{self, event, moment, named};
use crate::settings::did_you_mean;

/// What a chain goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Moment,
    Event,
    History,
    Now,
    Values,
    Measurements,
    Measurement,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Self::Moment => moment::NAME,
            Self::Event => event::NAME,
            Self::History => "a history",
            Self::Now => moment::NOW,
            Self::Values => named::VALUES,
            Self::Measurements => named::MEASUREMENTS,
            Self::Measurement => named::MEASUREMENT,
        }
    }

    fn properties(self) -> &'static [&'static str] {
        check::properties(self.name())
    }

    fn methods(self) -> &'static [&'static str] {
        modules::methods(self.name())
    }
}

/// What the parameter of a function in `role` is.
fn subject(role: Role) -> Option<Of> {
    match role {
        Role::Decide => Some(Of::Moment),
        Role::Notify => Some(Of::Event),
        _ => None,
    }
}

/// The first member of `chain` that does not exist, what is said of it, and the mend. `is_function` tells
/// whether some function has that name.
pub(super) fn unknown<'a>(
    standing: &Standing,
    chain: &'a Chain<'a>,
    is_function: impl Fn(&str) -> bool,
) -> Option<(&'a Link<'a>, String, Option<String>)> {
    let mut of = subject(standing.role)?;
    for link in &chain.links {
        if let (Of::Values | Of::Measurements, false) = (of, link.call) {
            let names = standing.names.as_ref()?;
            if !names.iter().any(|name| **name == *link.name) {
                let (message, help) = named::unknown(of.name(), link.name, names.iter().map(|name| &**name));
                return Some((link, message, Some(help)));
            }
            if of == Of::Values {
                return None;
            }
            of = Of::Measurement;
            continue;
        }
        if of == Of::Moment && standing.judges_all && moment::OF_ONE.contains(&link.name) {
            let (message, help) = named::several(link.name, standing.names.iter().flatten().map(|name| &**name));
            return Some((link, message, Some(help)));
        }
        let (properties, methods) = (of.properties(), of.methods());
        let known = if link.call { methods } else { properties };
        if !known.contains(&link.name) {
            let help = match (link.call, properties.contains(&link.name), methods.contains(&link.name)) {
                (true, true, _) => Some(format!("it is a property: write `.{}` without brackets", link.name)),
                (false, _, true) => Some(format!("it is a function: write `.{}(…)`", link.name)),
                // Functions of the language and of the script can be called on anything.
                (true, ..) if is_function(link.name) => return None,
                _ => did_you_mean(link.name, properties.iter().chain(methods).copied()),
            };
            return Some((link, format!("{} has no `{}`", of.name(), link.name), help));
        }
        of = match (of, link.name) {
            (Of::Moment | Of::Measurement, "history" | "past") => Of::History,
            (Of::Moment, "now") => Of::Now,
            (Of::Moment, "values") => Of::Values,
            (Of::Moment, "measurements") => Of::Measurements,
            _ => return None,
        };
    }
    None
}

/// Whether what `chain` gives may be missing.
pub(super) fn may_be_missing(role: Role, chain: &Chain<'_>) -> bool {
    let names: Vec<&str> = chain.links.iter().map(|link| link.name).collect();
    match (role, names.as_slice()) {
        (Role::Decide, ["history" | "past", statistic] | ["measurements", _, "history" | "past", statistic]) => {
            ["average", "max", "min", "percentile", "slope"].contains(statistic)
        }
        (
            Role::Decide,
            ["value" | "error" | "seconds_since_scale"] | ["values", _] | ["measurements", _, "value" | "error"],
        )
        | (Role::Notify, ["dynos" | "from" | "to" | "measurement" | "reason"]) => true,
        _ => false,
    }
}

/// Whether `chain` gives a whole number.
pub(super) fn is_whole(role: Role, chain: &Chain<'_>) -> bool {
    let names: Vec<&str> = chain.links.iter().map(|link| link.name).collect();
    match (role, names.as_slice()) {
        (Role::Decide, ["dynos" | "min_dynos" | "max_dynos"] | ["now", _]) => !names.contains(&"weekday_name"),
        (Role::Decide, ["history" | "past", count] | ["measurements", _, "history" | "past", count]) => {
            ["len", "consecutive_above", "consecutive_below"].contains(count)
        }
        _ => false,
    }
}
