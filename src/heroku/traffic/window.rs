//! Owns the requests of the last seconds: a ring of slices, each with a histogram of fixed size per time, so that
//! neither the number of requests nor the length of the window costs memory.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::answered::{Answered, Code, LONGEST_MS};

/// A window is moved on in twelfths.
const SLICES: usize = 12;

/// Two digits: a percentile is off by less than 1 %.
const DIGITS: u8 = 2;

/// Codes that are told apart; Heroku has about forty.
const MOST_CODES: usize = 64;

/// The requests of the last `length`, to a twelfth.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    /// Slice 0 begins here; what came before it is in slices below 0.
    origin: Instant,
    slices: Vec<Slice>,
    covered_from: Instant,
}

/// One of the three times of a request.
pub type Times = Option<Histogram<u32>>;

/// What a window holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// For how long lines are complete, at most the length of the window and one twelfth.
    pub covered: Duration,
    /// Lines of any sort.
    pub lines: u64,
    /// Requests, also those that no dyno answered.
    pub requests: u64,
    /// Lines that are known to be lost.
    pub lost: u64,
    /// Milliseconds of service, to connect, and together.
    pub service: Times,
    /// To connect.
    pub connect: Times,
    /// Together.
    pub total: Times,
    /// Errors by code, in the order of the codes.
    pub codes: Vec<(Code, u64)>,
}

/// What came in one twelfth.
#[derive(Debug, Default)]
pub struct Slice {
    number: i128,
    summary: Summary,
}

impl Window {
    pub fn new(length: Duration, now: Instant) -> Self {
        let slices = (0..=SLICES).map(|_| Slice { number: i128::MIN, ..Slice::default() }).collect();
        Self { length, origin: now, slices, covered_from: now }
    }

    pub fn length(&self) -> Duration {
        self.length
    }

    pub fn covered_from(&mut self, at: Instant) {
        self.covered_from = at;
    }

    /// The slice of `at`; `None` where it has been overtaken.
    pub fn slice(&mut self, at: Instant) -> Option<&mut Slice> {
        let number = self.number(at);
        let index = usize::try_from(number.rem_euclid(self.slices.len() as i128)).ok()?;
        let slice = &mut self.slices[index];
        if slice.number < number {
            *slice = Slice { number, ..Slice::default() };
        }
        (slice.number == number).then_some(slice)
    }

    /// What came until `now`.
    pub fn summary(&self, now: Instant) -> Summary {
        let newest = self.number(now);
        let oldest = newest - SLICES as i128;
        let into = now.saturating_duration_since(self.origin).as_nanos() % self.slice_length();
        let reach = self.length + Duration::from_nanos(u64::try_from(into).unwrap_or(0));
        let covered = now.saturating_duration_since(self.covered_from).min(reach);
        let mut sum = Summary { covered, ..Summary::default() };
        for slice in self.slices.iter().filter(|slice| (oldest..=newest).contains(&slice.number)) {
            sum.add(&slice.summary);
        }
        sum.codes.sort_unstable();
        sum
    }

    fn slice_length(&self) -> u128 {
        (self.length.as_nanos() / SLICES as u128).max(1)
    }

    fn number(&self, at: Instant) -> i128 {
        let nanos = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        let since = match at.checked_duration_since(self.origin) {
            Some(after) => nanos(after),
            None => -nanos(self.origin.duration_since(at)),
        };
        since.div_euclid(i128::try_from(self.slice_length()).unwrap_or(i128::MAX))
    }
}

impl Slice {
    pub fn line(&mut self) {
        self.summary.lines += 1;
    }

    pub fn lose(&mut self, lines: u64) {
        self.summary.lost = self.summary.lost.saturating_add(lines);
    }

    pub fn error(&mut self, code: Code) {
        self.summary.error(code, 1);
    }

    pub fn answered(&mut self, answered: &Answered) {
        let sum = &mut self.summary;
        sum.requests += 1;
        if answered.is_timed() {
            record(&mut sum.service, answered.service_ms);
            record(&mut sum.connect, answered.connect_ms);
            record(&mut sum.total, answered.total_ms());
        }
        if let Some(code) = answered.code {
            sum.error(code, 1);
        }
    }
}

impl Summary {
    fn error(&mut self, code: Code, times: u64) {
        if let Some((_, count)) = self.codes.iter_mut().find(|(known, _)| *known == code) {
            *count += times;
        } else if self.codes.len() < MOST_CODES {
            self.codes.push((code, times));
        }
    }

    fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.requests += other.requests;
        self.lost = self.lost.saturating_add(other.lost);
        for (mine, theirs) in
            [(&mut self.service, &other.service), (&mut self.connect, &other.connect), (&mut self.total, &other.total)]
        {
            match (mine, theirs) {
                // Bounds and digits are the same.
                (Some(mine), Some(theirs)) => drop(mine.add(theirs)),
                (mine @ None, theirs) => mine.clone_from(theirs),
                (Some(_), None) => {}
            }
        }
        for (code, times) in &other.codes {
            self.error(*code, *times);
        }
    }
}

fn record(times: &mut Times, milliseconds: Option<u32>) {
    let Some(milliseconds) = milliseconds else { return };
    if times.is_none() {
        *times = Histogram::new_with_bounds(1, u64::from(LONGEST_MS), DIGITS).ok();
    }
    if let Some(times) = times {
        times.saturating_record(u64::from(milliseconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(service: u32) -> Answered {
        Answered { service_ms: Some(service), connect_ms: Some(1), status: 200, code: None }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_the_window_as_they_grow_old() {
        let start = Instant::now();
        let mut window = Window::new(Duration::from_secs(60), start);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for second in 0..120 {
            window.slice(at(second)).unwrap().answered(&answered(u32::try_from(second).unwrap()));
        }
        let sum = window.summary(at(119));
        // Twelve whole slices of 5 s, and all of the newest.
        assert_eq!((sum.requests, sum.service.as_ref().unwrap().min()), (65, 55));
        assert_eq!(window.summary(at(240)).requests, 0);
        // Too old by a round: it does not count as new.
        window.slice(at(400)).unwrap().answered(&answered(1));
        assert!(window.slice(at(400 - 65)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_before_the_beginning_counts_too() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut window = Window::new(Duration::from_secs(60), start);
        window.slice(start - Duration::from_secs(59)).unwrap().answered(&answered(7));
        window.slice(start).unwrap().answered(&answered(9));
        assert_eq!((window.summary(start).requests, window.summary(start).covered), (2, Duration::ZERO));
        window.covered_from(start - Duration::from_secs(59));
        assert_eq!(window.summary(start).covered, Duration::from_secs(59));
    }

    #[tokio::test(start_paused = true)]
    async fn percentiles_are_right_to_one_percent() {
        let start = Instant::now();
        let mut window = Window::new(Duration::from_secs(60), start);
        for service in 1..=10_000 {
            window.slice(start).unwrap().answered(&answered(service));
        }
        let sum = window.summary(start);
        let percentile = |p: f64| sum.service.as_ref().unwrap().value_at_quantile(p / 100.0);
        for (p, exact) in [(50.0, 5_000.0), (95.0, 9_500.0), (99.0, 9_900.0)] {
            let found = f64::from(u32::try_from(percentile(p)).unwrap());
            assert!((found / exact - 1.0).abs() < 0.01, "p{p}: {found}");
        }
    }
}
