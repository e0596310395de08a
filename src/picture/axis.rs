//! Owns axes: which values are written beside them, and how times are told.

use chrono::{DateTime, TimeDelta, Utc};

use crate::simulate::Trace;

/// Seconds between the times on an axis.
const STEPS: [u64; 17] = [
    10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 1_209_600,
    2_592_000,
];

/// At most so many times stand on an axis.
const MOST_TIMES: u64 = 9;

const DAY: u64 = 86_400;

/// Round values from 0 to `top`, three to seven of them.
pub(super) fn round_values(top: f64) -> Vec<f64> {
    if !(top.is_finite() && top > 0.0) {
        return vec![0.0];
    }
    let ten = 10f64.powf((top / 3.0).log10().floor());
    let step = [10.0, 5.0, 2.0, 1.0].map(|by| by * ten).into_iter().find(|step| 3.0 * step <= top).unwrap_or(ten);
    (0u32..12).map(|n| f64::from(n) * step).take_while(|value| *value <= top * 1.000_001).collect()
}

/// A value beside an axis, without digits that say nothing.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 10.0 => 0,
        size if size >= 1.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Milliseconds as people say them.
pub(super) fn duration_ms(ms: f64) -> String {
    if ms >= 1000.0 { format!("{} s", number(ms / 1000.0)) } else { format!("{} ms", number(ms)) }
}

/// How the seconds of a trace are told: as dates where it has them, else from its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    begins: Option<DateTime<Utc>>,
}

impl Times {
    pub fn of(trace: &Trace) -> Self {
        Self { begins: trace.begins() }
    }

    /// Whether they are dates, in UTC.
    pub fn are_dates(self) -> bool {
        self.begins.is_some()
    }

    fn date(self, second: u64) -> Option<DateTime<Utc>> {
        self.begins?.checked_add_signed(TimeDelta::try_seconds(i64::try_from(second).ok()?)?)
    }

    /// One second of the trace, to the second.
    pub fn moment(self, second: u64) -> String {
        if let Some(date) = self.date(second) {
            return date.format("%Y-%m-%d %H:%M:%S").to_string();
        }
        let (days, rest) = (second / DAY, second % DAY);
        let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        if days > 0 { format!("{days} d {clock}") } else { clock }
    }

    /// The seconds of `all` that an axis names, and how.
    pub fn ticks(self, all: u64) -> Vec<(u64, String)> {
        let step = STEPS.into_iter().find(|step| all / step <= MOST_TIMES);
        let step = step.unwrap_or_else(|| all.div_ceil(MOST_TIMES * DAY) * DAY);
        let begun = self.begins.map_or(0, |begins| u64::try_from(begins.timestamp()).unwrap_or(0));
        let first = (step - begun % step) % step;
        let mut ticks: Vec<u64> = Vec::new();
        let mut second = first;
        while second <= all {
            ticks.push(second);
            second += step;
        }
        ticks.into_iter().map(|second| (second, self.short(second, step))).collect()
    }

    fn short(self, second: u64, step: u64) -> String {
        if let Some(date) = self.date(second) {
            let midnight = date.timestamp().rem_euclid(86_400) == 0;
            return date.format(if midnight || step >= DAY { "%-d %b" } else { "%H:%M" }).to_string();
        }
        let (days, rest) = (second / DAY, second % DAY);
        let clock = if step < 60 {
            format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
        } else {
            format!("{:02}:{:02}", rest / 3600, rest / 60 % 60)
        };
        match (days, rest) {
            (0, 0) => "0".into(),
            (0, _) => clock,
            (_, 0) => format!("{days} d"),
            _ => format!("{days} d {clock}"),
        }
    }
}

#[allow(clippy::float_cmp)] // Small whole numbers.
#[cfg(test)]
mod tests {
    use super::*;

    fn times(begins: Option<i64>) -> Times {
        Times { begins: begins.and_then(|at| DateTime::from_timestamp(at, 0)) }
    }

    fn labels(times: Times, all: u64) -> Vec<String> {
        times.ticks(all).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn values_are_round() {
        assert_eq!(round_values(25.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(round_values(3.0), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(round_values(0.75).len(), 4);
        for top in [0.0, f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(round_values(top), [0.0]);
        }
        for top in [0.0003, 0.9, 1.0, 7.0, 99.0, 1234.0, 1e9] {
            assert!((4..=7).contains(&round_values(top).len()), "{top}: {:?}", round_values(top));
        }
        assert_eq!([0.0, 0.25, 1.5, 20.0, 1234.4].map(number), ["0", "0.25", "1.5", "20", "1234"]);
        assert_eq!([0.5, 400.0, 1500.0].map(duration_ms), ["0.5 ms", "400 ms", "1.5 s"]);
    }

    #[test]
    fn times_from_the_start_and_dates() {
        let from_start = times(None);
        assert_eq!(labels(from_start, 3 * 86_400), ["0", "12:00", "1 d", "1 d 12:00", "2 d", "2 d 12:00", "3 d"]);
        assert_eq!(labels(from_start, 40)[..2], ["0", "00:00:10"]);
        assert_eq!((from_start.moment(3_661), from_start.moment(90_000)), ("01:01:01".into(), "1 d 01:00:00".into()));
        let dates = times(Some(1_767_600_000)); // 2026-01-05 08:00 UTC
        assert_eq!(dates.ticks(86_400)[..2], [(3_600, "09:00".into()), (14_400, "12:00".into())]);
        assert_eq!(labels(dates, 6 * 86_400)[0], "6 Jan");
        assert_eq!(dates.moment(61), "2026-01-05 08:01:01");
        for all in [0, 1, 59, 3_600, 86_400, 604_800, 31_536_000, 3_153_600_000] {
            assert!((1..=10).contains(&labels(from_start, all).len()), "{all}");
        }
    }
}
