//! Owns the kinds of values as far as they can be told from the text: a set of types, read from the tables
//! of what scripts can call. It infers nothing (see `inference`).

use rhai::{Array, Dynamic, FnPtr, Map};

use crate::script::modules::KINDS;
use crate::settings::Value;

/// A set of types; a value is of one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Types(u32);

/// The names that the tables use for the language's own types, in the order of their bits.
const LANGUAGE: &[&str] = &["int", "float", "bool", "String", "char", "()", "Array", "Map", "FnPtr"];

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const INT: Self = Self(1);
    pub(super) const FLOAT: Self = Self(1 << 1);
    pub(super) const BOOL: Self = Self(1 << 2);
    pub(super) const TEXT: Self = Self(1 << 3);
    pub(super) const CHAR: Self = Self(1 << 4);
    pub(super) const UNIT: Self = Self(1 << 5);
    pub(super) const ARRAY: Self = Self(1 << 6);
    pub(super) const MAP: Self = Self(1 << 7);
    pub(super) const FUNCTION: Self = Self(1 << 8);
    pub(super) const NUMBER: Self = Self(0b11);
    /// A value of which nothing is known.
    pub(super) const ANY: Self = Self(u32::MAX);

    /// The set that a table writes as `float | ()`; `?` is any.
    pub(super) fn written(text: &str) -> Self {
        text.split(" | ").map(Self::named).fold(Self::NONE, Self::or)
    }

    /// The type that a table calls `name`.
    pub(super) fn named(name: &str) -> Self {
        let own = || KINDS.iter().position(|kind| kind.name == name).map(|at| at + LANGUAGE.len());
        LANGUAGE.iter().position(|known| *known == name).or_else(own).map_or(Self::ANY, |at| Self(1 << at))
    }

    /// The type of a value that a function captured.
    pub(super) fn of_value(value: &Dynamic) -> Self {
        let value = value.flatten_clone();
        let is = [
            (value.is_int(), Self::INT),
            (value.is_float(), Self::FLOAT),
            (value.is_bool(), Self::BOOL),
            (value.is_string(), Self::TEXT),
            (value.is_char(), Self::CHAR),
            (value.is_unit(), Self::UNIT),
            (value.is::<Array>(), Self::ARRAY),
            (value.is::<Map>(), Self::MAP),
            (value.is::<FnPtr>(), Self::FUNCTION),
        ];
        is.into_iter().find(|(is, _)| *is).map_or(Self::ANY, |(_, types)| types)
    }

    /// The type of a value of a setting.
    pub(super) fn of_setting(value: &Value) -> Self {
        match value {
            Value::Unit => Self::UNIT,
            Value::Bool(_) => Self::BOOL,
            Value::Int(_) => Self::INT,
            Value::Float(_) => Self::FLOAT,
            Value::Text(_) => Self::TEXT,
            Value::Array(_) => Self::ARRAY,
            Value::Map(_) => Self::MAP,
            _ => Self::ANY,
        }
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        if self == Self::ANY { self } else { Self(self.0 & !other.0) }
    }

    /// Whether something is known of it.
    pub(super) fn is_known(self) -> bool {
        self != Self::ANY && self != Self::NONE
    }

    /// Whether it is known to be of `other` only.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.is_known() && self.0 & !other.0 == 0
    }

    /// Whether it may be of `other`.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The name of our own type that it is, as the tables have it.
    pub(super) fn own(self) -> Option<&'static crate::script::Type> {
        let at = self.0.trailing_zeros() as usize;
        let own = at.checked_sub(LANGUAGE.len()).and_then(|at| KINDS.get(at));
        own.filter(|_| self.0.is_power_of_two())
    }

    /// The same, where types that compare and convert with each other are one: numbers, texts with
    /// characters.
    pub(super) fn widened(self) -> Self {
        let mut wide = self;
        for alike in [Self::NUMBER, Self::TEXT.or(Self::CHAR)] {
            if self.meets(alike) {
                wide = wide.or(alike);
            }
        }
        wide
    }

    /// As messages name it: "a number", "a text".
    pub(super) fn words(self) -> String {
        let names = [
            (Self::NUMBER, "a number"),
            (Self::BOOL, "`true` or `false`"),
            (Self::TEXT.or(Self::CHAR), "a text"),
            (Self::ARRAY, "an array"),
            (Self::MAP, "a map"),
            (Self::FUNCTION, "a function"),
            (Self::UNIT, "nothing, `()`"),
        ];
        let mut words: Vec<&str> =
            names.into_iter().filter(|(types, _)| self.meets(*types)).map(|(_, name)| name).collect();
        let own = KINDS.iter().filter(|kind| self.meets(Self::named(kind.name))).map(|kind| kind.words);
        words.extend(own);
        words.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::modules::entries;

    #[test]
    fn every_type_of_the_tables_is_known() {
        for entry in entries() {
            for kind in entry.parameters.iter().map(|parameter| parameter.kind).chain([entry.gives]) {
                assert!(kind.ends_with('?') || Types::written(kind).is_known(), "{}: {kind}", entry.title());
            }
        }
        assert_eq!(Types::written("float | ()"), Types::FLOAT.or(Types::UNIT));
        assert_eq!(Types::named("History").own().map(|kind| kind.name), Some("History"));
        assert_eq!(Types::NUMBER.own().map(|kind| kind.name), None);
    }

    #[test]
    fn sets_are_told_in_words() {
        assert_eq!(Types::INT.words(), "a number");
        assert_eq!(Types::TEXT.or(Types::UNIT).words(), "a text or nothing, `()`");
        assert_eq!(Types::named("Time").words(), "a time");
    }
}
