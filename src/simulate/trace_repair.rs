//! Owns the mending of a trace: what was put right, and how often, by name. Whatever is filled in lies
//! on the straight line between its neighbours.

use std::fmt;

use super::trace::Trace;
use super::trace_file::{MOST_SAMPLES, Row};

/// What was mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Another separator than the comma.
    pub separator: Option<&'static str>,
    /// Lines left out: no time, or a rate that is missing, no number, negative or infinite.
    pub unusable: usize,
    /// Lines that stood before an earlier one.
    pub unsorted: usize,
    /// Lines of a time that another one has: the last one counts.
    pub repeated: usize,
    /// Samples moved to the nearest step.
    pub moved: usize,
    /// Samples filled in.
    pub filled: usize,
}

impl Repairs {
    /// Whether nothing had to be mended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = self.separator.iter().map(|words| format!("{words} for commas")).collect();
        for (count, words) in [
            (self.unusable, "unusable lines left out"),
            (self.unsorted, "lines put in order"),
            (self.repeated, "repeated times merged"),
            (self.moved, "samples moved to their step"),
            (self.filled, "samples filled in"),
        ] {
            if count > 0 {
                said.push(format!("{count} {words}"));
            }
        }
        f.write_str(&said.join(", "))
    }
}

/// `rows` at a fixed step: the most usual one between them.
///
/// # Errors
/// When nothing can be made of them.
pub(super) fn mend(name: &str, mut rows: Vec<Row>, repairs: &mut Repairs) -> Result<Trace, String> {
    let mut latest = f64::NEG_INFINITY;
    for row in &rows {
        repairs.unsorted += usize::from(row.seconds < latest);
        latest = latest.max(row.seconds);
    }
    // Stable: of one time the last line stays last.
    rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let before = rows.len();
    rows.reverse();
    rows.dedup_by(|a, b| a.seconds.to_bits() == b.seconds.to_bits());
    rows.reverse();
    repairs.repeated += before - rows.len();
    let mut steps: Vec<f64> = rows.windows(2).map(|pair| pair[1].seconds - pair[0].seconds).collect();
    steps.sort_by(f64::total_cmp);
    let Some(&step) = steps.get(steps.len().saturating_sub(1) / 2) else {
        return Err(format!("{name}: all samples have one time"));
    };
    let (first, last) = (rows[0].seconds, rows[rows.len() - 1].seconds);
    let length = (last - first) / step;
    #[allow(clippy::cast_precision_loss)]
    if length > MOST_SAMPLES as f64 {
        return Err(format!("{name}: {length:.0} samples of {step} s are too many to fill in; at most {MOST_SAMPLES}"));
    }
    let mut rates: Vec<f64> = Vec::new();
    let mut sample = None;
    for row in &rows {
        let place = (row.seconds - first) / step;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = place.round() as usize;
        repairs.moved += usize::from((place - place.round()).abs() > 1e-6);
        match sample {
            Some(known) if known == at => {
                repairs.repeated += 1;
                rates[at] = row.rate;
            }
            _ => {
                repairs.filled += fill(&mut rates, at, row.rate);
                sample = Some(at);
            }
        }
    }
    if rates.len() < 2 {
        return Err(format!("{name}: there is one sample, and a load takes at least two"));
    }
    Ok(Trace { name: name.into(), first, step, rates })
}

/// Adds `rate` as sample `at`, and those between it and the last one; how many these were.
#[allow(clippy::cast_precision_loss)]
fn fill(rates: &mut Vec<f64>, at: usize, rate: f64) -> usize {
    let Some(&last) = rates.last() else {
        rates.push(rate);
        return 0;
    };
    let missing = at.saturating_sub(rates.len());
    for between in 1..=missing {
        rates.push(last + (rate - last) * between as f64 / (missing + 1) as f64);
    }
    rates.push(rate);
    missing
}

#[cfg(test)]
mod tests {
    use super::super::trace_file::parse;

    #[test]
    fn what_is_mended_is_named_and_counted() {
        let text = "seconds;rate_per_s\n0;1\n120;3\n60;9\n60;2\nx;1\n180;-1\n240;5\n301;6\n";
        let (trace, repairs) = parse("t.csv", text.as_bytes(), true).unwrap();
        assert_eq!((trace.step, trace.rates), (60.0, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(
            repairs.to_string(),
            "semicolons for commas, 2 unusable lines left out, 2 lines put in order, 1 repeated times merged, \
             1 samples moved to their step, 1 samples filled in"
        );
    }

    #[test]
    fn a_good_trace_is_left_alone_and_nothing_is_made_of_nothing() {
        let good = "seconds,rate_per_s\n0,1\n60,2\n";
        assert!(parse("t.csv", good.as_bytes(), true).unwrap().1.is_empty());
        for bad in [
            "seconds,rate_per_s\n5,1\n5,2\n",
            "seconds,rate_per_s\n5,x\n6,y\n",
            "seconds,rate_per_s\n0,1\n1,1\n2,1\n1e12,1\n",
        ] {
            assert!(parse("t.csv", bad.as_bytes(), true).is_err(), "{bad}");
        }
    }
}
