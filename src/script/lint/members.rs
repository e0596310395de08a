//! Owns the members of `m` and `event`: which exist, and which may be missing.

use super::chain::{Chain, Link};
use crate::function::Role;
use crate::script::check;
use crate::script::habits::foreign;
use crate::script::modules::{self, event, moment};
use crate::settings::did_you_mean;

/// What a chain goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Moment,
    Event,
    History,
    Now,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Self::Moment => moment::NAME,
            Self::Event => event::NAME,
            Self::History => "a history",
            Self::Now => moment::NOW,
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
    role: Role,
    chain: &'a Chain<'a>,
    is_function: impl Fn(&str) -> bool,
) -> Option<(&'a Link<'a>, String, Option<String>)> {
    let mut of = subject(role)?;
    for link in &chain.links {
        let (properties, methods) = (of.properties(), of.methods());
        let known = if link.call { methods } else { properties };
        if !known.contains(&link.name) {
            let help = match (link.call, properties.contains(&link.name), methods.contains(&link.name)) {
                (true, true, _) => Some(format!("it is a property: write `.{}` without brackets", link.name)),
                (false, _, true) => Some(format!("it is a function: write `.{}(…)`", link.name)),
                // Functions of the language and of the script can be called on anything.
                (true, ..) if is_function(link.name) => return None,
                _ => foreign::instead(link.name)
                    .or_else(|| did_you_mean(link.name, properties.iter().chain(methods).copied())),
            };
            return Some((link, format!("{} has no `{}`", of.name(), link.name), help));
        }
        of = match (of, link.name) {
            (Of::Moment, "history" | "past") => Of::History,
            (Of::Moment, "now") => Of::Now,
            _ => return None,
        };
    }
    None
}

/// Whether what `chain` gives may be missing.
pub(super) fn may_be_missing(role: Role, chain: &Chain<'_>) -> bool {
    let names: Vec<&str> = chain.links.iter().map(|link| link.name).collect();
    match (role, names.as_slice()) {
        (Role::Decide, ["history" | "past", statistic]) => {
            ["average", "max", "min", "percentile", "slope"].contains(statistic)
        }
        (Role::Decide, ["value" | "error" | "seconds_since_scale"])
        | (Role::Notify, ["dynos" | "from" | "to" | "measurement" | "reason"]) => true,
        _ => false,
    }
}

/// Whether `chain` gives a whole number.
pub(super) fn is_whole(role: Role, chain: &Chain<'_>) -> bool {
    let names: Vec<&str> = chain.links.iter().map(|link| link.name).collect();
    match (role, names.as_slice()) {
        (Role::Decide, ["dynos" | "min_dynos" | "max_dynos"] | ["now", _]) => !names.contains(&"weekday_name"),
        (Role::Decide, ["history" | "past", count]) => {
            ["len", "consecutive_above", "consecutive_below"].contains(count)
        }
        _ => false,
    }
}
