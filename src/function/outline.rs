//! Owns what can be told of a function by reading it that others go by: how much history it looks back on,
//! at what times and values it may do something else, what it answers. It finds nothing itself.

use std::collections::BTreeSet;

use crate::settings::Place;

/// What a function does, as far as it is written out.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// How far it looks back.
    pub windows: Vec<Window>,
    /// Hours of the day at which it may do something else.
    pub hours: BTreeSet<u32>,
    /// Days of the week, 1 for Monday.
    pub weekdays: BTreeSet<u32>,
    /// Numbers that it compares with what is measured, in the order written.
    pub values: Vec<f64>,
    /// Numbers that it compares with the dynos.
    pub dynos: BTreeSet<u32>,
    /// Where it reads the measured number.
    pub reads_value: Option<Place>,
    /// The keys of what was measured that it reads.
    pub keys: Vec<(String, Place)>,
    /// What it answers, where every answer is known and none of them is a number.
    pub answers: Option<Answers>,
}

/// A number of measurements that a function looks back on.
#[derive(Clone, Debug)]
pub struct Window {
    /// How many must be kept.
    pub needed: usize,
    /// As written: `m.history.average(20)`.
    pub text: String,
    /// Where the number stands.
    pub place: Place,
}

/// The answers of a function that are no numbers.
#[derive(Clone, Debug)]
pub struct Answers {
    /// In words: "a text".
    pub words: String,
    /// The keys that every answer has, where all are maps that are written out.
    pub keys: Option<Vec<String>>,
    /// Where the first is written.
    pub place: Place,
}
