//! Owns asking whether a number with a fraction lies in a range of whole ones: `m.value in 0..10`.

use std::ops::{Range, RangeInclusive};

use rhai::Engine;

/// Registers what `in` asks.
#[allow(clippy::cast_precision_loss)]
pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("contains", |range: &mut Range<i64>, value: f64| {
        (range.start as f64..range.end as f64).contains(&value)
    });
    engine.register_fn("contains", |range: &mut RangeInclusive<i64>, value: f64| {
        (*range.start() as f64..=*range.end() as f64).contains(&value)
    });
}
