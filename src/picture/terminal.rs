//! Owns the chart that `simulate` draws in a terminal: the load, and dynos against demand, over time in a
//! few lines of blocks. Colours are the printer's to drop; without them it reads as well.

use anstyle::{AnsiColor, Style};

use super::Shown;
use super::axis::{Times, number};
use crate::simulate::{Point, Span};

/// Columns at the left that values take.
const GUTTER: usize = 7;

/// Lines of the load, and of the dynos.
const LOAD_LINES: u32 = 2;
/// See [`LOAD_LINES`].
const DYNO_LINES: u32 = 6;

/// Blocks from one eighth of a cell to a full one.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const LOAD: Style = AnsiColor::Green.on_default();
const NEEDED: Style = AnsiColor::Blue.on_default();
const SURPLUS: Style = AnsiColor::Blue.on_default().dimmed();
const MISSING: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Column {
    load: f64,
    /// The most dynos that were needed in it.
    demand: f64,
    /// The most that were ready.
    ready: f64,
    /// The most that were missing at one time.
    missing: f64,
}

/// The chart of `shown` in `width` columns, line by line.
#[must_use]
pub fn lines(shown: &Shown<'_>, width: usize) -> Vec<String> {
    let columns = columns(&shown.run.series, width.saturating_sub(GUTTER + 1).max(8));
    let highest = |of: fn(&Column) -> f64| columns.iter().map(of).fold(0.0, f64::max);
    let load = highest(|column| column.load);
    let dynos = highest(|column| column.demand.max(column.ready)).max(1.0);
    let mut lines = vec![format!(
        "  {DIM}load, requests/s; dynos:{DIM:#} {NEEDED}█{NEEDED:#} needed {SURPLUS}░{SURPLUS:#} beyond need \
         {MISSING}×{MISSING:#} missing"
    )];
    for row in (0..LOAD_LINES).rev() {
        let cells =
            columns.iter().map(|column| (LOAD, block(column.load / load.max(f64::MIN_POSITIVE), LOAD_LINES, row)));
        lines.push(line(row, LOAD_LINES, load, cells));
    }
    for row in (0..DYNO_LINES).rev() {
        lines.push(line(row, DYNO_LINES, dynos, columns.iter().map(|column| dyno(column, dynos, row))));
    }
    lines.push(times(shown, columns.len()));
    lines
}

/// The points in at most `most` columns; no peak is lost.
fn columns(points: &[Point], most: usize) -> Vec<Column> {
    let each = points.len().div_ceil(most).max(1);
    let high = |span: Option<Span>| span.map_or(0.0, |span| span.high);
    let of = |points: &[Point]| {
        let highest = |of: &dyn Fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
        Column {
            load: highest(&|point| high(point.spans.load)),
            demand: highest(&|point| point.demand.into()),
            ready: highest(&|point| high(point.spans.ready)),
            missing: highest(&|point| point.missing.into()),
        }
    };
    points.chunks(each).map(of).collect()
}

/// The part of row `row` (0 is the lowest of `rows`) that `share` of the height fills.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn block(share: f64, rows: u32, row: u32) -> char {
    let eighths = (share * f64::from(8 * rows)).ceil().clamp(0.0, f64::from(8 * rows)) as usize;
    let here = eighths.saturating_sub(8 * row as usize).min(8);
    here.checked_sub(1).map_or(' ', |index| BLOCKS[index])
}

/// One cell of the dynos: what is missing at the worst time is shown, else what is there.
fn dyno(column: &Column, top: f64, row: u32) -> (Style, char) {
    let from = f64::from(row) / f64::from(DYNO_LINES) * top;
    let there = if column.missing > 0.0 { column.demand - column.missing } else { column.ready };
    let needed = column.demand.min(there);
    // A cell is of what reaches into it: one dyno is always seen.
    if from < needed {
        // What is above is drawn whole; the upper end of what is needed in eighths.
        let above = if column.missing > 0.0 { column.demand } else { column.ready };
        let cell = if above > needed { '█' } else { block(needed / top, DYNO_LINES, row) };
        (NEEDED, cell)
    } else if column.missing > 0.0 && from < column.demand {
        (MISSING, '×')
    } else if from < column.ready {
        (SURPLUS, '░')
    } else {
        (DIM, ' ')
    }
}

/// A line of cells, with the highest value beside the first and 0 beside the last.
fn line(row: u32, rows: u32, top: f64, cells: impl Iterator<Item = (Style, char)>) -> String {
    let value = if row + 1 == rows {
        number(top)
    } else if row == 0 {
        "0".to_owned()
    } else {
        String::new()
    };
    let edge = if value.is_empty() { '│' } else { '┤' };
    let mut line = format!("{DIM}{value:>GUTTER$}{edge}{DIM:#}");
    let mut style: Option<Style> = None;
    for (own, cell) in cells {
        if style != Some(own) {
            if let Some(before) = style {
                line.push_str(&before.render_reset().to_string());
            }
            line.push_str(&own.render().to_string());
            style = Some(own);
        }
        line.push(cell);
    }
    if let Some(before) = style {
        line.push_str(&before.render_reset().to_string());
    }
    line
}

/// The times below, those that fit.
fn times(shown: &Shown<'_>, columns: usize) -> String {
    let all = shown.run.seconds.max(1);
    let mut cells = vec![' '; GUTTER + 1 + columns];
    let mut free = 0;
    for (second, name) in Times::of(&shown.setting.trace).ticks(all) {
        let column = usize::try_from(second * columns as u64 / all).unwrap_or(0);
        let from = GUTTER + 1 + column;
        let name: Vec<char> = name.chars().collect();
        if from >= free && from + name.len() <= cells.len() {
            cells[from..from + name.len()].copy_from_slice(&name);
            free = from + name.len() + 2;
        }
    }
    format!("{DIM}{}{DIM:#}", cells.into_iter().collect::<String>().trim_end())
}

#[allow(clippy::float_cmp)] // Extremes are values that went in.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulate::{Dynos, Second, Series};

    fn points(seconds: &[(u32, u32)]) -> Vec<Point> {
        let mut series = Series::every(1);
        for (demand, ready) in seconds.iter().copied() {
            let second = Second { arrived: demand.into(), ..Second::default() };
            series.second(&second, Dynos { demand, ready, all: ready }, None);
        }
        series.points()
    }

    fn drawn(seconds: &[(u32, u32)]) -> Vec<String> {
        let columns = columns(&points(seconds), 100);
        (0..DYNO_LINES).rev().map(|row| columns.iter().map(|column| dyno(column, 6.0, row).1).collect()).collect()
    }

    #[test]
    fn what_is_needed_beyond_need_and_missing_is_told_by_shape() {
        let rows = drawn(&[(3, 3), (3, 5), (5, 3), (1, 0), (6, 6), (0, 0)]);
        assert_eq!(rows, ["    █ ", " ░× █ ", " ░× █ ", "███ █ ", "███ █ ", "███×█ "]);
    }

    #[test]
    fn blocks_are_eighths_and_never_more_than_all() {
        let row = |share| (block(share, 2, 1), block(share, 2, 0));
        assert_eq!(
            [0.0, 0.01, 0.5, 0.75, 1.0, 7.0].map(row).map(|(a, b)| [a, b].iter().collect::<String>()),
            ["  ", " ▁", " █", "▄█", "██", "██"]
        );
        assert_eq!(block(f64::NAN, 2, 0), ' ');
    }

    proptest! {
        #[test]
        fn no_peak_is_lost(seconds in prop::collection::vec((0u32..90, 0u32..90), 1..300), most in 1usize..60) {
            let columns = columns(&points(&seconds), most);
            prop_assert!(columns.len() <= most);
            let highest = |of: fn(&Column) -> f64| columns.iter().map(of).fold(0.0, f64::max);
            let of = |of: fn(&(u32, u32)) -> u32| f64::from(seconds.iter().map(of).max().unwrap());
            prop_assert_eq!(highest(|column| column.demand), of(|second| second.0));
            prop_assert_eq!(highest(|column| column.ready), of(|second| second.1));
            prop_assert_eq!(highest(|column| column.missing), of(|second| second.0.saturating_sub(second.1)));
        }
    }
}
