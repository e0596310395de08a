//! Owns how the demo looks: title, table, three plots on one time axis, the last lines, and how to
//! take part. It changes nothing.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line as Text, Span};
use ratatui::widgets::{Cell, Paragraph, Row as TableRow, Table, Wrap};

use super::plot::{Column, GUTTER, Plot};
use super::state::{DemoState, Row, Sample};
use crate::demo::PROCESS_TYPE;
use crate::demo::load::time_of_day;
use crate::demo::story::{Line, Tone, clock};

/// Above the maximum threshold, or in trouble.
const HIGH: Color = Color::Red;
/// Below the minimum threshold.
const LOW: Color = Color::Blue;
/// Between the thresholds.
const FINE: Color = Color::Green;
/// What is not to catch the eye.
const DIM: Color = Color::DarkGray;
/// Dynos.
const DYNOS: Color = Color::Cyan;

/// The plot of the measurement reaches so far above the maximum threshold, whatever was measured: one
/// very slow request must not flatten all others.
const REACH: f64 = 2.0;

/// Draws `state` as of `now`.
pub fn draw(frame: &mut Frame<'_>, state: &DemoState, now: DateTime<Utc>) {
    let area = frame.area();
    let tall = |at: u16, rows: u16| if area.height >= at { rows } else { 0 };
    let pipelines = u16::try_from(state.rows.len().clamp(1, 3)).unwrap_or(1);
    let [title, table, measured, dynos, load, lines, hint] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1 + pipelines + tall(28, 1)),
        Constraint::Fill(1),
        Constraint::Length(3 + tall(20, 1) + tall(34, 2)),
        Constraint::Length(tall(24, 3) + tall(34, 1)),
        Constraint::Length(3 + tall(18, 1) + tall(26, 1) + tall(30, 3)),
        Constraint::Length(1 + tall(18, 1)),
    ])
    .areas(area);
    draw_title(frame, title, state, now);
    draw_table(frame, table, state);
    draw_measured(frame, measured, state);
    draw_dynos(frame, dynos, state);
    draw_load(frame, load, state);
    draw_lines(frame, lines, state);
    draw_hint(frame, hint, state);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, state: &DemoState, now: DateTime<Utc>) {
    let time = clock(state.scene.started, now);
    let time = match state.scene.length {
        Some(length) => format!("  {time} of {}:{:02}", length.as_secs() / 60, length.as_secs() % 60),
        None => format!("  {time}"),
    };
    let right = Text::from("q quits ".fg(DIM));
    let mut left = Text::from(" autoscaler demo ".bold());
    let width = |text: &Text<'_>| u16::try_from(text.width()).unwrap_or(u16::MAX);
    for part in [Span::from(format!("  {} in the demo's day", time_of_day(state.gauge.hour))), time.fg(DIM)] {
        let mut longer = left.clone();
        longer.push_span(part);
        // What does not fit whole is left out, not cut.
        if width(&longer) + width(&right) > area.width {
            break;
        }
        left = longer;
    }
    if width(&left) + width(&right) <= area.width {
        frame.render_widget(right.right_aligned(), area);
    }
    frame.render_widget(left, area);
}

/// Below this width the table has three columns.
const NARROW: u16 = 56;

fn draw_table(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    let mut columns = vec![(" pipeline", 12), ("load", 10), ("response", 13), ("dynos", 16), ("bounds", 8)];
    let narrow = area.width < NARROW;
    if narrow {
        columns = vec![(" pipeline", 10), ("response", 9), ("dynos", 16)];
    }
    let header = TableRow::new(columns.iter().map(|(name, _)| *name)).fg(DIM);
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    let rows = state.rows.iter().map(|row| {
        let [name, load, response, dynos, bounds] = table_row(row, state);
        if narrow {
            TableRow::new([name, response, dynos])
        } else {
            TableRow::new([name, load, response, dynos, bounds])
        }
    });
    frame.render_widget(Table::new(rows, widths).header(header).column_spacing(1), area);
}

fn table_row<'a>(row: &Row, state: &DemoState) -> [Cell<'a>; 5] {
    let plotted = state.rows.first().is_some_and(|first| first.pipeline == row.pipeline);
    let thresholds = if plotted { state.samples.back().and_then(|sample| sample.thresholds) } else { None };
    let load = if &*row.pipeline == PROCESS_TYPE { format!("{:.0} req/s", state.gauge.load) } else { "–".to_owned() };
    let response = row.value.map_or_else(|| "failed".to_owned(), |value| format!("{value:.0} ms"));
    let dynos = match (row.dynos.current, row.dynos.booting) {
        (None, _) => "unknown".to_owned(),
        (Some(dynos), 0) => dynos.to_string(),
        (Some(dynos), booting) => format!("{dynos} ({booting} booting)"),
    };
    [
        Cell::from(format!(" {}", row.pipeline)).bold(),
        Cell::from(load),
        Cell::from(response).fg(color(row.value, thresholds)),
        Cell::from(dynos).fg(DYNOS).bold(),
        Cell::from(format!("{} to {}", row.dynos.min, row.dynos.max)),
    ]
}

/// The colour of a measurement.
fn color(value: Option<f64>, thresholds: Option<(f64, f64)>) -> Color {
    match (value, thresholds) {
        (None, _) => HIGH,
        (Some(value), Some((_, high))) if value > high => HIGH,
        (Some(value), Some((low, _))) if value < low => LOW,
        _ => FINE,
    }
}

/// A heading with a rule; what lies beneath it.
fn section(frame: &mut Frame<'_>, area: Rect, name: &'static str, legend: Vec<Span<'_>>) -> Rect {
    let [heading, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let rule = "─".repeat(usize::from(area.width)).fg(DIM);
    frame.render_widget(rule, heading);
    let mut spans = vec![Span::from("─ ").fg(DIM), name.bold(), " ".into()];
    spans.extend(legend);
    frame.render_widget(Text::from(spans), heading);
    body
}

/// The samples that fit into `area`, the newest last.
fn visible(state: &DemoState, area: Rect) -> impl Iterator<Item = &Sample> + Clone {
    let columns = usize::from(area.width.saturating_sub(GUTTER));
    state.samples.iter().skip(state.samples.len().saturating_sub(columns))
}

fn draw_measured(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    let thresholds = state.samples.back().and_then(|sample| sample.thresholds);
    let legend = thresholds.map_or_else(Vec::new, |(low, high)| {
        vec![
            "ms  ".fg(DIM),
            format!("above {high:.0}: too slow").fg(HIGH),
            "  ".into(),
            format!("below {low:.0}: dynos to spare ").fg(LOW),
        ]
    });
    let body = section(frame, area, "response time", legend);
    let samples = visible(state, body);
    let highest = samples.clone().filter_map(|sample| sample.value).fold(0.0, f64::max);
    let ceiling = samples.clone().filter_map(|sample| sample.thresholds).map(|(_, high)| high).fold(0.0, f64::max);
    let top = if ceiling > 0.0 { highest.clamp(1.3 * ceiling, REACH * ceiling) } else { highest.max(1.0) };
    let columns = samples.map(|sample| Column {
        value: sample.value,
        color: color(sample.value, sample.thresholds),
        lines: sample.thresholds.map_or_else(Vec::new, |(low, high)| vec![(high, HIGH), (low, LOW)]),
    });
    let mut labels = thresholds.map_or_else(Vec::new, |(low, high)| vec![(high, HIGH), (low, LOW)]);
    labels.extend([(0.0, DIM), (top, DIM)]);
    frame.render_widget(Plot { columns: columns.collect(), top, labels }, body);
}

fn draw_dynos(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    let max = state.rows.first().map_or(1, |row| row.dynos.max.max(1));
    let gauge = state.gauge;
    let running = format!("{} running, {} of {} workers busy ", gauge.dynos, gauge.busy, gauge.workers);
    let body = section(frame, area, "dynos", vec![running.fg(DIM)]);
    let columns = visible(state, body).map(|sample| Column {
        value: Some(sample.dynos.map_or(0.0, f64::from)),
        color: DYNOS,
        lines: Vec::new(),
    });
    let columns: Vec<Column> = columns.collect();
    let most = columns.iter().filter_map(|column| column.value).fold(f64::from(max), f64::max);
    frame.render_widget(Plot { columns, top: most, labels: vec![(most, DIM), (0.0, DIM)] }, body);
}

fn draw_load(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    if area.height == 0 {
        return;
    }
    let waiting = format!("requests a second, {} waiting ", state.gauge.waiting);
    let body = section(frame, area, "load", vec![waiting.fg(DIM)]);
    let columns: Vec<Column> = visible(state, body)
        .map(|sample| Column { value: Some(sample.load), color: Color::Gray, lines: Vec::new() })
        .collect();
    let top = columns.iter().filter_map(|column| column.value).fold(1.0, f64::max);
    frame.render_widget(Plot { columns, top, labels: vec![(top, DIM), (0.0, DIM)] }, body);
}

fn draw_lines(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    let body = section(frame, area, "what happened", Vec::new());
    if state.lines.is_empty() {
        frame.render_widget("  nothing yet: the morning rush will come soon".fg(DIM), body);
    }
    let newest = state.lines.iter().rev().take(usize::from(body.height));
    let texts: Vec<Text<'_>> = newest.flat_map(|line| line_texts(line, state, usize::from(body.width))).collect();
    frame.render_widget(Paragraph::new(texts), body);
}

/// What happened and why: on one row where that fits, else the reason on as many rows of its own as it needs.
fn line_texts<'a>(line: &'a Line, state: &DemoState, width: usize) -> Vec<Text<'a>> {
    let (mark, style) = match line.tone {
        Tone::Up => ("▲", Style::new().fg(HIGH)),
        Tone::Down => ("▼", Style::new().fg(LOW)),
        Tone::Info => ("•", Style::new().fg(DYNOS)),
        Tone::Warning => ("!", Style::new().fg(Color::Yellow)),
    };
    let indent = usize::from(GUTTER) + 2;
    let room = width.saturating_sub(indent).max(8);
    let mut told = wrapped(&line.text, room).into_iter();
    let mut first = Text::from(vec![
        format!("{:>6} ", clock(state.scene.started, line.at)).fg(DIM),
        Span::styled(mark, style),
        " ".into(),
        told.next().unwrap_or_default().bold(),
    ]);
    let below = |row: String| Text::from(vec![" ".repeat(indent).into(), Span::from(row)]);
    let rest: Vec<Text<'_>> = told.map(|row| below(row).bold()).collect();
    if line.reason.is_empty() {
        return std::iter::once(first).chain(rest).collect();
    }
    let reason = Span::from(line.reason.as_str());
    if rest.is_empty() && first.width() + 1 + reason.width() <= width {
        first.extend([" ".into(), reason]);
        return vec![first];
    }
    std::iter::once(first).chain(rest).chain(wrapped(&line.reason, room).into_iter().map(below)).collect()
}

/// `text` in rows of at most `width` columns, broken between words where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in text.split(' ') {
        let last = rows
            .last_mut()
            .filter(|row| row.is_empty() || Span::from(row.as_str()).width() + 1 + Span::from(word).width() <= width);
        match last {
            Some(row) => {
                if !row.is_empty() {
                    row.push(' ');
                }
                row.push_str(word);
            }
            None => rows.push(word.to_owned()),
        }
        while let Some(row) = rows.last_mut().filter(|row| row.chars().count() > width) {
            let at = row.char_indices().nth(width).map_or(row.len(), |(at, _)| at);
            let rest = row.split_off(at);
            rows.push(rest);
        }
    }
    rows
}

fn draw_hint(frame: &mut Frame<'_>, area: Rect, state: &DemoState) {
    let script = state.scene.script.as_str();
    let hint = if area.height > 1 {
        Text::from(vec![
            " Edit ".into(),
            script.bold(),
            " and save: the new thresholds take effect at the next tick.".into(),
            format!(" The app: {}", state.scene.app_url).fg(DIM),
        ])
    } else {
        Text::from(vec![" Edit and save ".into(), script.bold(), ": in force at the next tick".into()])
    };
    frame.render_widget(Paragraph::new(hint).wrap(Wrap { trim: false }), area);
}
