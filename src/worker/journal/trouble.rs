//! Owns one thing that may go wrong from tick to tick, as the log tells it: when it begins, when it was
//! tried again and works, and never in a flood.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// The same words are said at most once in this time …
const QUIET: TimeDelta = TimeDelta::seconds(60);

/// … and so many different ones.
const MOST: usize = 3;

/// What a tick says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It failed, so.
    Failed(String),
    /// It was tried and went well.
    Fine,
    /// It was not tried.
    Untold,
    /// Nobody wants it any more.
    Dropped,
}

/// One thing that may go wrong.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What is said when it is over.
    over: &'static str,
    /// What the log holds to be the case.
    shown: Option<String>,
    /// What was the case at the last tick that could tell.
    last: Option<String>,
    /// What was said within the last [`QUIET`].
    said: VecDeque<(DateTime<Utc>, String)>,
    /// Times it began since, that were not said.
    unsaid: u32,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Fails(String),
    Over,
}

impl Trouble {
    pub(super) fn new(over: &'static str) -> Self {
        Self { over, shown: None, last: None, said: VecDeque::new(), unsaid: 0 }
    }

    /// Takes note of the tick of `at`, and logs what is news.
    pub(super) fn observe(&mut self, pipeline: &str, at: DateTime<Utc>, state: State) {
        match self.news(at, state) {
            Some(Line::Fails(text)) => tracing::warn!(pipeline, "{text}"),
            Some(Line::Over) => tracing::info!(pipeline, "{}", self.over),
            None => {}
        }
    }

    fn news(&mut self, at: DateTime<Utc>, state: State) -> Option<Line> {
        match state {
            State::Untold => None,
            State::Dropped => {
                (self.shown, self.last) = (None, None);
                None
            }
            State::Fine => {
                self.last = None;
                self.shown.take().map(|_| Line::Over)
            }
            State::Failed(text) => {
                let began = self.last.as_ref() != Some(&text);
                self.last = Some(text.clone());
                if self.shown.as_ref() == Some(&text) {
                    return None;
                }
                // A clock set back must not silence it.
                self.said.retain(|(then, _)| *then <= at && at - *then < QUIET);
                if self.said.len() >= MOST || self.said.iter().any(|(_, said)| *said == text) {
                    self.unsaid += u32::from(began);
                    return None;
                }
                let before = std::mem::take(&mut self.unsaid).saturating_sub(u32::from(!began));
                let times = if before == 1 { "once".into() } else { format!("{before} times") };
                let more = if before > 0 { format!(" ({times} more since it was told last)") } else { String::new() };
                self.said.push_back((at, text.clone()));
                self.shown = Some(text.clone());
                Some(Line::Fails(format!("{text}{more}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> State {
        State::Failed(text.into())
    }

    fn told(states: impl IntoIterator<Item = (i64, State)>) -> Vec<(i64, String)> {
        let mut trouble = Trouble::new("over");
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let tell = |line| match line {
            Line::Fails(text) => text,
            Line::Over => "over".to_owned(),
        };
        let told = states.into_iter().filter_map(|(second, state)| {
            let line = trouble.news(start + TimeDelta::seconds(second), state)?;
            Some((second, tell(line)))
        });
        told.collect()
    }

    fn lines(expected: &[(i64, &str)]) -> Vec<(i64, String)> {
        expected.iter().map(|(second, text)| (*second, (*text).to_owned())).collect()
    }

    #[test]
    fn only_what_was_tried_again_is_over() {
        let states =
            [(0, failed("422")), (5, State::Untold), (10, failed("422")), (15, State::Untold), (20, State::Fine)];
        assert_eq!(told(states), lines(&[(0, "422"), (20, "over")]));
        let states = [(0, failed("422")), (5, State::Dropped), (10, State::Fine)];
        assert_eq!(told(states), lines(&[(0, "422")]));
    }

    #[test]
    fn a_flapping_fault_is_told_once_a_minute_and_counted() {
        let states = (0..14).map(|n| (n * 5, if n % 2 == 0 { failed("down") } else { State::Fine }));
        let expected = [(0, "down"), (5, "over"), (60, "down (5 times more since it was told last)"), (65, "over")];
        assert_eq!(told(states), lines(&expected));
    }

    #[test]
    fn a_fault_that_begins_in_the_quiet_time_and_stays_is_told_after_it() {
        let stays = (2..20).map(|n| (n * 5, failed("down")));
        let states = [(0, failed("down")), (5, State::Fine)].into_iter().chain(stays);
        assert_eq!(told(states), lines(&[(0, "down"), (5, "over"), (60, "down")]));
    }

    #[test]
    fn words_that_differ_every_time_are_no_flood() {
        let states = (0..60).map(|second| (second, State::Failed(format!("took {second} ms"))));
        assert_eq!(told(states).len(), MOST);
    }
}
