//! Owns several simulations at once: every candidate in every setting, on all cores. Their results come
//! in the order in which they were asked for.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::run::{Candidate, Run, Setting, run};

/// How far simulations are.
#[derive(Debug, Default)]
pub struct Progress {
    /// Seconds to simulate in all.
    pub seconds: u64,
    /// Seconds that are done.
    pub done: AtomicU64,
}

impl Progress {
    /// For `candidates` candidates in `settings`.
    #[must_use]
    pub fn of(settings: &[Setting], candidates: usize) -> Self {
        let seconds: u64 = settings.iter().map(|setting| setting.trace.seconds()).sum();
        Self { seconds: seconds * u64::try_from(candidates).unwrap_or(u64::MAX), done: AtomicU64::new(0) }
    }

    /// 0 to 100.
    #[must_use]
    pub fn percent(&self) -> u64 {
        100 * self.done.load(Ordering::Relaxed) / self.seconds.max(1)
    }
}

/// Runs every candidate in every setting.
///
/// # Errors
/// The first thing that cannot be simulated.
pub fn run_all(settings: &[Setting], candidates: &[Candidate], progress: &Progress) -> Result<Vec<Run>, String> {
    run_each(settings, candidates, progress, |run| run)
}

/// Runs every candidate in every setting, and keeps what `keep` makes of each run.
///
/// # Errors
/// The first thing that cannot be simulated.
pub fn run_each<T: Send>(
    settings: &[Setting],
    candidates: &[Candidate],
    progress: &Progress,
    keep: impl Fn(Run) -> T + Sync,
) -> Result<Vec<T>, String> {
    let jobs: Vec<(&Setting, &Candidate)> =
        settings.iter().flat_map(|setting| candidates.iter().map(move |candidate| (setting, candidate))).collect();
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<T, String>)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some((setting, candidate)) = jobs.get(index)
                {
                    let result = run(setting, candidate, &progress.done).map(&keep);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
