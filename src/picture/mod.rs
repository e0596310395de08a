//! Owns how simulations look: a page, a picture of its own, and a few lines in a terminal. It reads what
//! came of them and reckons nothing anew.

mod axis;
mod families;
mod file;
mod markup;
mod page;
mod scatter;
mod scores;
mod terminal;
mod timeline;

use crate::simulate::{Candidate, Run, Setting, Trace};

pub use families::families;
pub use file::{Destination, Form};
pub use page::{page, picture};
pub use scores::{SCORES, Score};
pub use terminal::lines;

/// Columns of a chart, and so points of the series that it needs: at a pixel a point a line through each
/// point's extremes looks like one through every second.
pub const COLUMNS: u64 = 840;

/// A simulation to be shown, with what it was of.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The load.
    pub setting: &'a Setting,
    /// The policy and the app.
    pub candidate: &'a Candidate,
    /// What came of it.
    pub run: &'a Run,
}

impl<'a> Shown<'a> {
    /// The runs of every candidate in every setting, in the order in which `run_all` gives them.
    #[must_use]
    pub fn all(settings: &'a [Setting], candidates: &'a [Candidate], runs: &'a [Run]) -> Vec<Self> {
        let pairs = settings.iter().flat_map(|setting| candidates.iter().map(move |candidate| (setting, candidate)));
        pairs.zip(runs).map(|((setting, candidate), run)| Self { setting, candidate, run }).collect()
    }

    /// Seconds between the points of its series.
    fn step(&self) -> u64 {
        self.setting.series_step.unwrap_or_else(|| step(&self.setting.trace)).max(1)
    }
}

/// Seconds between the points of the series that a picture of `trace` needs.
#[must_use]
pub fn step(trace: &Trace) -> u64 {
    trace.seconds().div_ceil(COLUMNS).max(1)
}

/// The runs of one trace.
fn by_trace<'a, 'b>(shown: &'b [Shown<'a>]) -> impl Iterator<Item = &'b [Shown<'a>]> {
    shown.chunk_by(|a, b| std::ptr::eq(a.setting, b.setting))
}
