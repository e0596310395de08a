//! Owns the polynomial through equally spaced values by least squares. It forecasts nothing else.

/// A polynomial of a higher degree through noise says nothing of what comes.
pub const MOST_DEGREE: usize = 3;

/// Coefficients of a polynomial of [`MOST_DEGREE`].
const TERMS: usize = MOST_DEGREE + 1;

/// Where the polynomial of `degree` (at most [`MOST_DEGREE`]) that fits `values` best (least squares; equally
/// spaced, oldest first) is `ahead` steps after the newest of them. Fewer values than the degree needs are fitted
/// by what they determine; `None` where there is none.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn extrapolate(values: &[f64], degree: usize, ahead: f64) -> Option<f64> {
    let terms = (degree.min(MOST_DEGREE) + 1).min(values.len());
    if terms == 0 {
        return None;
    }
    // From -1 to 0, so that no power is large.
    let span = (values.len() - 1).max(1) as f64;
    let place = |step: f64| (step - (values.len() - 1) as f64) / span;
    let mut rows = [[0.0; TERMS + 1]; TERMS];
    for (step, value) in values.iter().enumerate() {
        let powers = powers(place(step as f64));
        for (row, power) in rows.iter_mut().zip(powers).take(terms) {
            for (cell, other) in row.iter_mut().zip(powers).take(terms) {
                *cell += power * other;
            }
            row[TERMS] += power * value;
        }
    }
    let solved = solve(&mut rows, terms)?;
    let at = powers(ahead / span);
    Some(solved.iter().zip(at).map(|(coefficient, power)| coefficient * power).sum())
}

fn powers(x: f64) -> [f64; TERMS] {
    [1.0, x, x * x, x * x * x]
}

/// The solution of the first `terms` equations, whose right sides are in the last column; 0 for the others.
fn solve(rows: &mut [[f64; TERMS + 1]; TERMS], terms: usize) -> Option<[f64; TERMS]> {
    for column in 0..terms {
        let pivot = (column..terms).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let lead = rows[column];
        if lead[column].abs() < 1e-12 {
            return None;
        }
        for row in &mut rows[column + 1..terms] {
            let factor = row[column] / lead[column];
            for (cell, above) in row.iter_mut().zip(lead) {
                *cell -= factor * above;
            }
        }
    }
    let mut solved = [0.0; TERMS];
    for column in (0..terms).rev() {
        let known: f64 = (column + 1..terms).map(|other| rows[column][other] * solved[other]).sum();
        solved[column] = (rows[column][TERMS] - known) / rows[column][column];
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, due: f64) {
        let found = found.unwrap();
        assert!((found - due).abs() < 1e-6, "{found}, not {due}");
    }

    #[test]
    fn a_polynomial_goes_on_as_it_is() {
        let squares: Vec<f64> = (0..60).map(|x| f64::from(x * x)).collect();
        near(extrapolate(&squares, 2, 1.0), 3_600.0);
        near(extrapolate(&squares, 2, 0.0), 3_481.0);
        near(extrapolate(&[1.0, 2.0, 3.0], 1, 2.0), 5.0);
        near(extrapolate(&[7.0], 3, 9.0), 7.0);
        near(extrapolate(&[1.0, 3.0], 2, 1.0), 5.0);
        assert_eq!(extrapolate(&[], 1, 1.0), None);
    }

    #[test]
    fn what_it_cannot_follow_it_meets_on_average() {
        // The line through 0, 0, 3 by hand: mean 1, slope 1.5.
        near(extrapolate(&[0.0, 0.0, 3.0], 1, 1.0), 4.0);
        near(extrapolate(&[2.0, 4.0, 9.0], 0, 5.0), 5.0);
    }
}
