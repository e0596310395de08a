//! Owns the series of a simulation: seconds gathered into points of equal length, with the means that
//! people reckon with and the extremes that no picture may lose.

use super::app::Second;
use super::scores::Dynos;

/// How a value ran through the seconds of a point: the first, the last, the lowest and the highest. A line
/// through these four looks, at a point a pixel, like one through all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// In the first second.
    pub first: f64,
    /// In the last one.
    pub last: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Span {
    /// Of one second.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self { first: value, last: value, low: value, high: value }
    }

    /// With one second more, or from a begin with it.
    fn grow(span: &mut Option<Self>, value: f64) {
        let span = span.get_or_insert(Self::of(value));
        span.last = value;
        span.low = span.low.min(value);
        span.high = span.high.max(value);
    }

    /// Of this and the seconds after it.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        Self { first: self.first, last: next.last, low: self.low.min(next.low), high: self.high.max(next.high) }
    }
}

/// How the values of a point ran; `None` before its first second, and where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spans {
    /// Requests per second.
    pub load: Option<Span>,
    /// Dynos that the objective needs.
    pub demand: Option<Span>,
    /// Dynos that take load.
    pub ready: Option<Span>,
    /// Dynos that are paid for.
    pub all: Option<Span>,
    /// Milliseconds of waiting, on average over a second.
    pub wait_ms: Option<Span>,
    /// Measurements that have a value.
    pub measured: Option<Span>,
}

/// One point of a series: means over its seconds, counts at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Requests per second.
    pub load: f64,
    /// Dynos that the objective needs, the most of its seconds.
    pub demand: u32,
    /// Dynos that take load.
    pub ready: u32,
    /// Dynos that are paid for.
    pub all: u32,
    /// Dynos that are missing, the most of its seconds.
    pub missing: u32,
    /// Milliseconds of waiting, on average over the seconds.
    pub wait_ms: f64,
    /// Late requests, 0 to 1.
    pub late: f64,
    /// The last measurement.
    pub measured: Option<f64>,
    /// How they ran.
    pub spans: Spans,
}

/// A series that is being gathered.
#[derive(Clone, Debug)]
pub struct Series {
    step: u64,
    points: Vec<Point>,
    /// The sums of the point under way, and its seconds.
    sums: Point,
    seconds: u32,
}

impl Series {
    /// With a point for every `step` seconds.
    #[must_use]
    pub fn every(step: u64) -> Self {
        Self { step: step.max(1), points: Vec::new(), sums: Point::default(), seconds: 0 }
    }

    /// One more second.
    pub fn second(&mut self, passed: &Second, dynos: Dynos, measured: Option<f64>) {
        let sums = &mut self.sums;
        sums.load += passed.arrived;
        sums.wait_ms += 1000.0 * passed.wait;
        sums.late += passed.late;
        sums.demand = sums.demand.max(dynos.demand);
        sums.missing = sums.missing.max(dynos.demand.saturating_sub(dynos.ready));
        (sums.ready, sums.all, sums.measured) = (dynos.ready, dynos.all, measured);
        let spans = &mut sums.spans;
        Span::grow(&mut spans.load, passed.arrived);
        Span::grow(&mut spans.demand, dynos.demand.into());
        Span::grow(&mut spans.ready, dynos.ready.into());
        Span::grow(&mut spans.all, dynos.all.into());
        Span::grow(&mut spans.wait_ms, 1000.0 * passed.wait);
        if let Some(value) = measured {
            Span::grow(&mut spans.measured, value);
        }
        self.seconds += 1;
        if u64::from(self.seconds) == self.step {
            self.end_point();
        }
    }

    /// All points; the last may be shorter.
    #[must_use]
    pub fn points(mut self) -> Vec<Point> {
        if self.seconds > 0 {
            self.end_point();
        }
        self.points
    }

    fn end_point(&mut self) {
        let sums = std::mem::take(&mut self.sums);
        let seconds = f64::from(std::mem::take(&mut self.seconds));
        let late = if sums.load > 0.0 { (sums.late / sums.load).min(1.0) } else { 0.0 };
        self.points.push(Point { load: sums.load / seconds, wait_ms: sums.wait_ms / seconds, late, ..sums });
    }
}

#[allow(clippy::float_cmp)] // Extremes are values that went in, bit by bit.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gathered(step: u64, waits: &[f64]) -> Vec<Point> {
        let mut series = Series::every(step);
        for wait in waits.iter().copied() {
            let passed = Second { arrived: 2.0, late: 1.0, wait, ..Second::default() };
            series.second(&passed, Dynos { demand: 3, ready: 2, all: 4 }, (wait > 0.5).then_some(wait));
        }
        series.points()
    }

    #[test]
    fn means_counts_and_a_shorter_last_point() {
        let points = gathered(2, &[0.0, 1.0, 0.25]);
        let [first, last] = points[..] else { panic!("{points:?}") };
        assert_eq!((first.load, first.wait_ms, first.late, first.missing), (2.0, 500.0, 0.5, 1));
        assert_eq!((first.demand, first.ready, first.all, first.measured), (3, 2, 4, Some(1.0)));
        assert_eq!(first.spans.wait_ms, Some(Span { first: 0.0, last: 1000.0, low: 0.0, high: 1000.0 }));
        assert_eq!(first.spans.measured, Some(Span::of(1.0)));
        assert_eq!((last.load, last.wait_ms, last.measured, last.spans.measured), (2.0, 250.0, None, None));
        assert!(gathered(60, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_peak_is_lost(waits in prop::collection::vec(0.0..10.0f64, 1..200), step in 1u64..50) {
            let points = gathered(step, &waits);
            prop_assert_eq!(points.len(), waits.len().div_ceil(usize::try_from(step).unwrap()));
            for (point, waits) in points.iter().zip(waits.chunks(usize::try_from(step).unwrap())) {
                let waits: Vec<f64> = waits.iter().map(|wait| 1000.0 * wait).collect();
                let span = point.spans.wait_ms.unwrap();
                prop_assert_eq!(span.low, waits.iter().copied().fold(f64::MAX, f64::min));
                prop_assert_eq!(span.high, waits.iter().copied().fold(0.0, f64::max));
                prop_assert_eq!((Some(&span.first), Some(&span.last)), (waits.first(), waits.last()));
            }
        }
    }
}
