//! Owns how the signs of a change are weighed: least squares that forget, drawn to weights that are sensible before
//! anything was learned.

use crate::stats::text::{Reader, Writer};

/// Signs of a change.
pub(super) const SIGNS: usize = 5;

/// Products of two signs, each once.
const PRODUCTS: usize = SIGNS * (SIGNS + 1) / 2;

/// What the signs weigh before anything was learned: part of the newest measurement's distance from the level, half
/// of the trend, half of what the time of day promises.
const BEFORE: [f64; SIGNS] = [0.3, 0.5, 0.0, 0.5, 0.0];

/// What was known before counts as much as so many measurements.
const BEFORE_COUNTS: f64 = 100.0;

/// Learned weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Weights {
    products: [f64; PRODUCTS],
    changes: [f64; SIGNS],
}

impl Weights {
    pub fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { products: reader.numbers()?, changes: reader.numbers()? })
    }

    pub fn write(&self, writer: &mut Writer) {
        writer.numbers(&self.products);
        writer.numbers(&self.changes);
    }

    /// Learns that `change` followed `signs`. `certainty` is the reciprocal of its variance, `kept` the part of all
    /// earlier knowledge that is not forgotten.
    pub fn learn(&mut self, signs: &[f64; SIGNS], change: f64, certainty: f64, kept: f64) {
        let mut at = 0;
        for row in 0..SIGNS {
            for column in row..SIGNS {
                self.products[at] = self.products[at] * kept + certainty * signs[row] * signs[column];
                at += 1;
            }
            self.changes[row] = self.changes[row] * kept + certainty * signs[row] * change;
        }
    }

    /// The change that follows `signs`.
    pub fn change(&self, signs: &[f64; SIGNS]) -> f64 {
        self.solved().iter().zip(signs).map(|(weight, sign)| weight * sign).sum()
    }

    /// The weights: elimination without pivots, since the matrix is symmetric and made positive by what was known.
    #[allow(clippy::needless_range_loop)] // Both triangles of a matrix are written.
    fn solved(&self) -> [f64; SIGNS] {
        let mut matrix = [[0.0; SIGNS]; SIGNS];
        let mut right = self.changes;
        let mut at = 0;
        for row in 0..SIGNS {
            for column in row..SIGNS {
                matrix[row][column] = self.products[at];
                matrix[column][row] = self.products[at];
                at += 1;
            }
            matrix[row][row] += BEFORE_COUNTS;
            right[row] += BEFORE_COUNTS * BEFORE[row];
        }
        for column in 0..SIGNS {
            let lead = matrix[column];
            for row in column + 1..SIGNS {
                let factor = matrix[row][column] / lead[column];
                for (cell, above) in matrix[row].iter_mut().zip(lead).skip(column) {
                    *cell -= factor * above;
                }
                right[row] -= factor * right[column];
            }
        }
        let mut solved = [0.0; SIGNS];
        for row in (0..SIGNS).rev() {
            let known: f64 = (row + 1..SIGNS).map(|column| matrix[row][column] * solved[column]).sum();
            solved[row] = (right[row] - known) / matrix[row][row];
        }
        solved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_signs_is_learned_and_until_then_what_was_known_holds() {
        let mut weights = Weights::default();
        assert!((weights.change(&[1.0, 1.0, 0.0, 0.0, 0.0]) - 0.8).abs() < 1e-12);
        for step in 0..20_000 {
            let sign = |every: i32| f64::from(step % every - every / 2);
            let signs = [sign(3), sign(5), sign(7), sign(11), sign(13)];
            let change = 2.0 * signs[0] - signs[2] + 0.25 * signs[4];
            weights.learn(&signs, change, 1.0, 1.0);
        }
        let found = weights.solved();
        for (found, due) in found.iter().zip([2.0, 0.0, -1.0, 0.0, 0.25]) {
            assert!((found - due).abs() < 0.02, "{found}, not {due}");
        }
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut weights = Weights::default();
        let signs = [0.0, 1.0, 0.0, 0.0, 0.0];
        for weight in [5.0, -1.0] {
            (0..5_000).for_each(|_| weights.learn(&signs, weight, 1.0, 0.999));
        }
        assert!((weights.change(&signs) + 1.0).abs() < 0.2);
    }
}
