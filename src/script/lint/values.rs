//! Owns the values that members can have, where that is documented: ranges of numbers, words.

use super::inference::Inference;
use super::types::Types;
use crate::script::modules::{event, moment};
use crate::settings::did_you_mean;
use rhai::Expr;

/// What a member can be.
pub(super) enum Values {
    /// From the first to the second.
    Range(i64, i64),
    /// One of these texts.
    Words(Vec<&'static str>),
}

impl Values {
    /// What `expression` can be, where it is a member of ours or a variable that is set to one.
    pub(super) fn of(inference: &Inference<'_>, expression: &Expr) -> Option<Self> {
        let (base, name) = member(inference, expression)?;
        match base {
            "Time" if name == "weekday_name" => Some(Self::Words(moment::WEEKDAYS.to_vec())),
            "Time" => {
                let (_, (least, most)) = moment::RANGES.iter().find(|(known, _)| *known == name)?;
                Some(Self::Range(*least, *most))
            }
            "Event" => event::words(&name).map(Self::Words),
            _ => None,
        }
    }

    /// "1 to 7", "`once`, `begin`, `repeat` or `end`".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Range(least, most) => format!("{least} to {most}"),
            Self::Words(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        }
    }

    /// What may have been meant by the text `written`.
    pub(super) fn meant(&self, written: &str) -> Option<String> {
        let Self::Words(words) = self else { return None };
        let lower = written.to_lowercase();
        // `Mon`, `sat.`
        let short = lower.trim_end_matches('.');
        let begun = |word: &&&str| short.len() >= 3 && word.starts_with(short);
        let begins = words.iter().find(begun).map(|word| format!("did you mean `{word}`?"));
        begins.or_else(|| did_you_mean(&lower, words.iter().copied()))
    }
}

/// The type and the name of the member that `expression` ends with.
pub(super) fn member(inference: &Inference<'_>, expression: &Expr) -> Option<(&'static str, String)> {
    let links = inference.links(inference.traced(expression));
    let last = links.last()?;
    let Expr::Property(property, _) = last.node else { return None };
    last.base.own().map(|own| (own.name, property.2.to_string()))
}

/// The number that `expression` is, where it is written out.
#[allow(clippy::cast_precision_loss)] // Numbers of dynos and hours are small.
pub(super) fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::IntegerConstant(value, _) => Some(*value as f64),
        Expr::FloatConstant(value, _) => Some(**value),
        Expr::FnCall(call, _) if call.is_operator_call() && call.name == "-" => match call.args.as_slice() {
            [only] => number(only).map(|value| -value),
            _ => None,
        },
        _ => None,
    }
}

/// The day of the week that `text` names: 1 for Monday.
pub(super) fn weekday(text: &str) -> Option<(usize, &'static str)> {
    let lower = text.to_lowercase();
    let lower = lower.trim_end_matches('.');
    let at = moment::WEEKDAYS.iter().position(|day| lower.len() >= 3 && day.starts_with(lower))?;
    Some((at + 1, moment::WEEKDAYS[at]))
}

/// The help where the text `written` stands for a number, which `types` are.
pub(super) fn unquoted(types: Types, written: &str) -> Option<String> {
    let is_number = types.without(Types::UNIT).is_within(Types::NUMBER) && written.trim().parse::<f64>().is_ok();
    is_number.then(|| format!("write `{}` without quotes", written.trim()))
}
