//! Owns the load in what a worker recorded: the measurement that is a rate, tick by tick, as a trace. Reading
//! records is the state's; a pipeline that measures no rate has no load to give.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::app::Signal;
use super::model::Answer;
use super::trace::Trace;
use super::trace_file::MOST_SAMPLES;
use super::trace_repair::Repairs;
use crate::pipeline::{MeasurementRecord, Record};

/// Which measurement of a record is the rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateIn {
    /// The only one.
    Only,
    /// The one of this name, or the entry of that name in what the only one measured.
    Named(Arc<str>),
}

impl RateIn {
    /// Where `answer` says that a rate is measured.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::One(Signal::ArrivalRate) => Some(Self::Only),
            Answer::One(_) => None,
            Answer::Several(signals) => {
                let rate = signals.iter().find(|(_, signal)| *signal == Signal::ArrivalRate)?;
                Some(Self::Named(Arc::clone(&rate.0)))
            }
        }
    }

    /// The rate in `record`; none where it was not measured, or is none.
    #[must_use]
    pub fn find(&self, record: &Record) -> Option<f64> {
        let good = |one: &&MeasurementRecord| one.success;
        let rate = match self {
            Self::Only => record.measurements.first().filter(good)?.value,
            Self::Named(name) => match record.measurements.iter().find(|one| *one.name == **name) {
                Some(own) => Some(own).filter(good)?.value,
                None => record.measurements.first().filter(good)?.data.get(&**name)?.as_f64(),
            },
        };
        rate.filter(|rate| rate.is_finite() && *rate >= 0.0)
    }
}

/// Rates at their times as a trace with a step of `interval`: each at the nearest step, and what is missing on
/// the straight line between its neighbours.
///
/// # Errors
/// When there are too few of them, or more than can be held.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub fn trace(
    name: &str,
    interval: Duration,
    rates: &[(DateTime<Utc>, Option<f64>)],
) -> Result<(Trace, Repairs), String> {
    let known: Vec<(DateTime<Utc>, f64)> = rates.iter().filter_map(|(at, rate)| Some((*at, (*rate)?))).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return Err(format!("`{name}`: no rate is recorded in that time"));
    };
    let step = interval.as_secs_f64().max(1.0);
    let place = |at: DateTime<Utc>| ((at - first.0).as_seconds_f64() / step).round() as usize;
    let length = place(last.0) + 1;
    if length < 2 {
        return Err(format!("`{name}`: a single rate is recorded in that time, and a load has two at least"));
    }
    if length > MOST_SAMPLES {
        return Err(format!(
            "`{name}`: {length} steps of {step} s are more than {MOST_SAMPLES}: name a later `--since`"
        ));
    }
    let mut repairs = Repairs::default();
    let mut samples: Vec<f64> = Vec::with_capacity(length);
    for (at, rate) in &known {
        let place = place(*at);
        // Two at one step: the later one counts.
        samples.truncate(place);
        let from = samples.len();
        if let Some(before) = samples.last().copied() {
            let steps = (place + 1 - from) as f64;
            samples.extend((from..place).map(|between| before + (rate - before) * (between + 1 - from) as f64 / steps));
            repairs.filled += place - from;
        }
        samples.push(*rate);
    }
    let first = first.0.timestamp_millis() as f64 / 1000.0;
    Ok((Trace { name: name.into(), first, step, rates: samples }, repairs))
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_600_000 + seconds, 0).unwrap()
    }

    #[test]
    fn what_was_not_measured_lies_on_the_line_between() {
        let rates = [(at(0), Some(4.0)), (at(31), None), (at(60), None), (at(91), Some(10.0)), (at(120), Some(8.0))];
        let (trace, repairs) = trace("web", Duration::from_secs(30), &rates).unwrap();
        assert_eq!((trace.rates, trace.step, repairs.filled), (vec![4.0, 6.0, 8.0, 10.0, 8.0], 30.0, 2));
        assert_eq!(trace.first, 1_767_600_000.0);
    }

    #[test]
    fn too_few_or_too_many_are_no_load() {
        let second = Duration::from_secs(1);
        assert!(trace("web", second, &[(at(0), None)]).unwrap_err().contains("no rate"));
        assert!(trace("web", second, &[(at(0), Some(1.0))]).unwrap_err().contains("single rate"));
        let years = [(at(0), Some(1.0)), (at(3_000_000_000), Some(1.0))];
        assert!(trace("web", second, &years).unwrap_err().contains("--since"));
    }

    #[test]
    fn the_rate_is_found_by_its_signal() {
        assert_eq!(RateIn::of(&Answer::One(Signal::Utilization)), None);
        assert_eq!(RateIn::of(&Answer::One(Signal::ArrivalRate)), Some(RateIn::Only));
        let several = Answer::Several(vec![("busy".into(), Signal::Utilization), ("rate".into(), Signal::ArrivalRate)]);
        assert_eq!(RateIn::of(&several), Some(RateIn::Named("rate".into())));
    }
}
