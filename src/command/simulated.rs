//! Owns what `simulate` prints: the table for people, the array for machines, and how far it is.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anstyle::Style;
use serde_json::{Value as Json, json};

use crate::notify::one_line;
use crate::picture::{self, SCORES, Score, Shown};
use crate::simulate::{Progress, Run};

/// How often the progress is written.
const REFRESH: Duration = Duration::from_millis(200);

/// The runs as the documented array.
pub fn json(runs: &[Run]) -> Json {
    let one = |run: &Run| {
        let scores = &run.scores;
        let [p50, p95, p99] = scores.wait_ms;
        let mut object = json!({
            "trace": run.trace,
            "policy": run.policy,
            "theta_u": scores.theta_u,
            "theta_o": scores.theta_o,
            "tau_u": scores.tau_u,
            "tau_o": scores.tau_o,
            "instability": scores.instability,
            "late_percent": scores.late_percent,
            "dropped_percent": scores.dropped_percent,
            "wait_ms": { "p50": p50, "p95": p95, "p99": p99 },
            "cost_ratio": scores.cost_ratio,
            "dyno_hours": scores.dyno_hours,
            "scalings_per_day": scores.scalings_per_day,
            "reversals": scores.reversals,
            "seconds_simulated": run.seconds,
            "ticks": run.ticks,
            "wall_seconds": run.wall.as_secs_f64(),
        });
        if let Some(money) = scores.money {
            object["money"] = json!(money);
        }
        object
    };
    runs.iter().map(one).collect()
}

/// The runs as tables, one for each trace.
pub fn table(out: &mut impl Write, runs: &[Run]) -> std::io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    for runs in runs.chunk_by(|a, b| a.trace == b.trace) {
        let Some(first) = runs.first() else { continue };
        #[allow(clippy::cast_precision_loss)]
        let days = first.seconds as f64 / 86_400.0;
        writeln!(out, "{bold}{}{bold:#} {dim}{days:.1} days{dim:#}", first.trace)?;
        let shown = |score: &&Score| runs.iter().any(|run| !(score.value)(&run.scores).is_empty());
        let scores: Vec<&Score> = SCORES.iter().filter(shown).collect();
        let mut rows: Vec<Vec<String>> = vec![vec!["policy".into()]];
        rows[0].extend(scores.iter().map(|score| score.name.to_owned()));
        rows.extend(runs.iter().map(|run| {
            let values = scores.iter().map(|score| (score.value)(&run.scores));
            std::iter::once(run.policy.clone()).chain(values).collect()
        }));
        print(out, &rows)?;
        let wall: f64 = runs.iter().map(|run| run.wall.as_secs_f64()).sum();
        let ticks: u64 = runs.iter().map(|run| run.ticks).sum();
        writeln!(out, "{dim}{ticks} ticks in {wall:.2} s{dim:#}\n")?;
    }
    Ok(())
}

/// The runs as charts in `width` columns.
pub fn charts(out: &mut impl Write, shown: &[Shown<'_>], width: usize) -> std::io::Result<()> {
    let bold = Style::new().bold();
    for one in shown {
        writeln!(out, "{bold}{}{bold:#} on {}", one_line(&one.run.policy), one_line(&one.run.trace))?;
        for line in picture::lines(one, width) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The first column to the left, numbers to the right.
fn print(out: &mut impl Write, rows: &[Vec<String>]) -> std::io::Result<()> {
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(wide).collect();
    for row in rows {
        write!(out, "  {:<width$}", row[0], width = widths[0])?;
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            write!(out, "  {cell:>width$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes how far simulations are to the terminal, until it is dropped.
pub struct Watched {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    pub fn start(progress: &Arc<Progress>) -> Self {
        let (end, ended) = channel();
        let progress = Arc::clone(progress);
        let thread = std::thread::spawn(move || {
            let mut told = false;
            while ended.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                let percent = progress.percent();
                let full = usize::try_from(percent / 4).unwrap_or(0).min(25);
                anstream::eprint!("\r  {}{} {percent:>3} %", "█".repeat(full), "░".repeat(25 - full));
                told = true;
            }
            if told {
                anstream::eprint!("\r{:40}\r", "");
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It draws, and nothing hangs on it.
            let _ = thread.join();
        }
    }
}
