//! Owns what is known of an app's requests from its log: the lines of the last seconds, counted and summed up
//! in windows of bounded size, one for each length that is asked for. It keeps no line, and judges nothing.

mod answered;
mod follow;
mod window;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use answered::{Answered, Code};
pub use follow::Follow;
pub use window::{Summary, Times};

use window::Window;

/// A window that nobody has looked at for this long is forgotten: the longest interval of any sense.
const FORGOTTEN: Duration = Duration::from_secs(2 * 3600);

/// Windows of one app: pipelines with one length share one.
const MOST_WINDOWS: usize = 16;

/// The requests of one app. Every call takes a lock for as long as it counts.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<Vec<Asked>>);

#[derive(Debug)]
struct Asked {
    window: Window,
    at: Instant,
}

impl Traffic {
    /// What is known of the last `length`. A length that is new is counted from now on.
    pub fn look(&self, length: Duration, now: Instant) -> Summary {
        let mut windows = self.windows();
        windows.retain(|asked| now.saturating_duration_since(asked.at) < FORGOTTEN);
        let at = windows.iter().position(|asked| asked.window.length() == length).unwrap_or_else(|| {
            if windows.len() == MOST_WINDOWS {
                windows.remove(0);
            }
            windows.push(Asked { window: Window::new(length, now), at: now });
            windows.len() - 1
        });
        windows[at].at = now;
        windows[at].window.summary(now)
    }

    /// Whether nobody has looked for a long time.
    #[must_use]
    pub fn is_forgotten(&self, now: Instant) -> bool {
        self.windows().iter().all(|asked| now.saturating_duration_since(asked.at) >= FORGOTTEN)
    }

    /// Takes a line of the app's log: from `source` ("heroku", "app") and `process` ("router", "web.1").
    pub fn hear(&self, source: &str, process: &str, text: &str, at: Instant) {
        self.hear_all(std::iter::once((source, process, text)), at);
    }

    /// Takes several.
    pub fn hear_all<'a>(&self, lines: impl Iterator<Item = (&'a str, &'a str, &'a str)>, at: Instant) {
        let mut windows = self.windows();
        for (source, process, text) in lines {
            let answered = match (source, process) {
                ("heroku", "router") => Answered::read(text),
                _ => None,
            };
            let lost = if source == "heroku" && process == "logplex" { lost(text) } else { 0 };
            let error = (source == "heroku" && answered.is_none()).then(|| dyno_error(text)).flatten();
            for asked in &mut *windows {
                let slice = asked.window.slice(at);
                let Some(slice) = slice else { continue };
                slice.line();
                slice.lose(lost);
                match (&answered, error) {
                    (Some(answered), _) => slice.answered(answered),
                    (None, Some(code)) => slice.error(code),
                    (None, None) => {}
                }
            }
        }
    }

    /// Counts lines that are known to be lost.
    pub fn lose(&self, lines: u64, at: Instant) {
        self.windows().iter_mut().filter_map(|asked| asked.window.slice(at)).for_each(|slice| slice.lose(lines));
    }

    /// Lines are complete from `at` on, and not before.
    pub fn covered_from(&self, at: Instant) {
        self.windows().iter_mut().for_each(|asked| asked.window.covered_from(at));
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many lines Logplex says that it dropped: `Error L10 (output buffer overflow): 12 messages dropped since …`.
fn lost(text: &str) -> u64 {
    let Some((_, rest)) = text.trim_start().strip_prefix("Error L1").and_then(|rest| rest.split_once(')')) else {
        return 0;
    };
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    // A line that says so and names no number has lost at least one.
    digits[..end].parse().unwrap_or(1)
}

/// The code of an error of a dyno: `Error R14 (Memory quota exceeded)`.
fn dyno_error(text: &str) -> Option<Code> {
    Code::read(text.trim_start().strip_prefix("Error ")?.split([' ', '(']).next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn lost_lines_are_counted_as_logplex_says() {
        assert_eq!(
            lost("Error L10 (output buffer overflow): 12 messages dropped since 2026-11-24T00:00:00+00:00."),
            12
        );
        assert_eq!(lost("Error L11 (Tail buffer overflow) -> 7 messages dropped"), 7);
        assert_eq!(lost("Error L10 (output buffer overflow): messages dropped"), 1);
        assert_eq!(lost("Error R14 (Memory quota exceeded)"), 0);
        assert_eq!(lost("12 messages dropped"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn each_length_has_its_own_window_and_is_forgotten_when_nobody_looks() {
        let (traffic, now) = (Traffic::default(), Instant::now());
        assert!(traffic.is_forgotten(now));
        assert_eq!((traffic.look(MINUTE, now).requests, traffic.look(2 * MINUTE, now).requests), (0, 0));
        traffic.hear("heroku", "router", "at=info connect=1ms service=18ms status=200", now);
        traffic.hear("app", "web.1", "at=info service=99ms status=200", now);
        traffic.hear("heroku", "web.1", "Error R14 (Memory quota exceeded)", now);
        let later = now + MINUTE + MINUTE / 2;
        let (short, long) = (traffic.look(MINUTE, later), traffic.look(2 * MINUTE, later));
        assert_eq!((short.requests, long.requests, long.lines), (0, 1, 3));
        assert_eq!(long.codes, [(Code::read("R14").unwrap(), 1)]);
        assert!(!traffic.is_forgotten(later) && traffic.is_forgotten(later + FORGOTTEN));
    }
}
