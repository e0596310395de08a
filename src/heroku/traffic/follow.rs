//! Owns how the lines of a log session come into a window: in order, none twice, with a gap where lines are missing
//! between two sessions.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::Traffic;

/// Where the reading of a log has got to.
#[derive(Debug, Default)]
pub struct Follow {
    /// When the newest line was written.
    newest: Option<DateTime<Utc>>,
    /// Lines up to here were read in an earlier session.
    read_until: Option<DateTime<Utc>>,
    /// Whether no line of this session has come yet.
    first: bool,
}

impl Follow {
    /// A session begins; it repeats lines from before.
    pub fn opened(&mut self, traffic: &Traffic, now: Instant) {
        if self.newest.is_none() {
            traffic.covered_from(now);
        }
        self.read_until = self.newest;
        self.first = true;
    }

    /// Takes a line, at `now`, which the wall clock calls `wall`.
    pub fn line(&mut self, line: &str, traffic: &Traffic, now: Instant, wall: DateTime<Utc>) {
        let line = line.strip_prefix("data:").map_or(line, str::trim_start);
        let Some((head, text)) = line.split_once(": ") else { return };
        let Some((time, from)) = head.split_once(' ') else { return };
        let Some((source, process)) = from.strip_suffix(']').and_then(|from| from.split_once('[')) else { return };
        let written = DateTime::parse_from_rfc3339(time).ok().map(|time| time.to_utc());
        // Clocks that differ do not put a line into the future.
        let age = written.and_then(|written| (wall - written).to_std().ok()).unwrap_or_default();
        let at = now.checked_sub(age).unwrap_or(now);
        if std::mem::take(&mut self.first) && self.newest.is_none_or(|newest| written.is_some_and(|new| new > newest)) {
            traffic.covered_from(at);
        }
        if let (Some(until), Some(written)) = (self.read_until, written) {
            if written <= until {
                return;
            }
            self.read_until = None;
        }
        self.newest = self.newest.max(written);
        traffic.hear(source, process, text, at);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn line(second: u32) -> String {
        format!(
            "2026-11-24T03:00:{second:02}.5+00:00 heroku[router]: at=info connect=0ms service={second}ms status=200"
        )
    }

    fn wall(second: u32) -> DateTime<Utc> {
        line(second)[..27].parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn lines_from_before_count_at_their_time_and_never_twice() {
        let (traffic, mut follow, now) = (Traffic::default(), Follow::default(), Instant::now() + 10 * MINUTE);
        traffic.look(MINUTE, now);
        follow.opened(&traffic, now);
        for second in [10, 20, 30] {
            follow.line(&line(second), &traffic, now, wall(40));
        }
        let sum = traffic.look(MINUTE, now);
        assert_eq!((sum.requests, sum.covered), (3, Duration::from_secs(30)));
        // The next session repeats two of them.
        follow.opened(&traffic, now);
        for second in [20, 30, 35] {
            follow.line(&line(second), &traffic, now, wall(40));
        }
        let sum = traffic.look(MINUTE, now);
        assert_eq!((sum.requests, sum.covered), (4, Duration::from_secs(30)));
        // This one repeats none: what was between is missing.
        follow.opened(&traffic, now);
        follow.line(&line(38), &traffic, now, wall(40));
        assert_eq!(traffic.look(MINUTE, now).covered, Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_of_tomorrow_counts_now_and_a_broken_one_not_at_all() {
        let (traffic, mut follow, now) = (Traffic::default(), Follow::default(), Instant::now());
        traffic.look(MINUTE, now);
        follow.opened(&traffic, now);
        follow.line(&line(59), &traffic, now, wall(0));
        for broken in ["", ":", "x: y", "t heroku[router: at=info status=200", "heroku[router]: at=info status=200"] {
            follow.line(broken, &traffic, now, wall(0));
        }
        assert_eq!(traffic.look(MINUTE, now).lines, 1);
    }
}
