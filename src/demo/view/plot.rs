//! Owns a small plot: a column per sample, the newest at the right, in eighths of a cell, with dashed
//! lines through it and their labels at the left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;

/// The columns at the left that labels take.
pub const GUTTER: u16 = 7;

/// Blocks from one eighth of a cell to a full one.
const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// One column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// How high; `None`: there is no value, which is marked.
    pub value: Option<f64>,
    /// Its colour.
    pub color: Color,
    /// Dashed lines at these heights.
    pub lines: Vec<(f64, Color)>,
}

/// A plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The newest last.
    pub columns: Vec<Column>,
    /// The value at the upper edge; above 0.
    pub top: f64,
    /// Labels at these heights; of two in one row the first is shown.
    pub labels: Vec<(f64, Color)>,
}

impl Plot {
    /// The row (0 at the bottom) that holds `value`, where it is on the plot.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn row(&self, value: f64, height: u16) -> Option<u16> {
        let row = (value / self.top * f64::from(height)).floor();
        (row >= 0.0 && row <= f64::from(height)).then(|| (row as u16).min(height - 1))
    }

    /// How many eighths of a cell `value` fills: at least one, at most all.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn eighths(&self, value: f64, height: u16) -> u16 {
        let all = f64::from(height) * 8.0;
        (value / self.top * all).round().clamp(1.0, all) as u16
    }

    fn column(&self, column: &Column, area: Rect, x: u16, buffer: &mut Buffer) {
        let filled = column.value.map_or(0, |value| self.eighths(value, area.height));
        for row in 0..area.height {
            let y = area.bottom() - 1 - row;
            let line = column.lines.iter().find(|(at, _)| self.row(*at, area.height) == Some(row));
            let cell = &mut buffer[(x, y)];
            match (filled.saturating_sub(row * 8).min(8), line) {
                (0, None) => {}
                (0, Some((_, color))) => {
                    cell.set_symbol("╌").set_style(Style::new().fg(*color));
                }
                (8, Some(_)) => {
                    cell.set_symbol("╌").set_style(Style::new().fg(Color::Black).bg(column.color));
                }
                (part, _) => {
                    cell.set_symbol(BLOCKS[usize::from(part) - 1]).set_style(Style::new().fg(column.color));
                }
            }
        }
        if column.value.is_none() {
            buffer[(x, area.y)].set_symbol("×").set_style(Style::new().fg(column.color).add_modifier(Modifier::BOLD));
        }
    }
}

impl Widget for Plot {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.width <= GUTTER || area.height == 0 {
            return;
        }
        let inner = Rect { x: area.x + GUTTER, width: area.width - GUTTER, ..area };
        for y in area.top()..area.bottom() {
            buffer.set_string(inner.x - 1, y, "│", Style::new().fg(Color::DarkGray));
        }
        for (value, color) in self.labels.iter().rev() {
            if let Some(row) = self.row(*value, area.height) {
                let text = format!("{value:>width$.0}┤", width = usize::from(GUTTER) - 1);
                buffer.set_stringn(area.x, area.bottom() - 1 - row, text, usize::from(GUTTER), Style::new().fg(*color));
            }
        }
        let newest = self.columns.iter().rev();
        for (column, x) in newest.zip((inner.left()..inner.right()).rev()) {
            self.column(column, inner, x, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(plot: Plot, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        plot.render(buffer.area, &mut buffer);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(row).collect()
    }

    fn column(value: Option<f64>) -> Column {
        Column { value, color: Color::Green, lines: vec![(300.0, Color::Red)] }
    }

    #[test]
    fn bars_grow_from_the_bottom_and_the_threshold_goes_through_all_of_them() {
        let values = [Some(50.0), Some(200.0), Some(400.0), None, Some(9999.0)];
        let labels = vec![(300.0, Color::Red), (0.0, Color::Reset)];
        let plot = Plot { columns: values.map(column).to_vec(), top: 400.0, labels };
        assert_eq!(lines(plot, 13, 4), ["   300┤ ╌╌╌×╌", "      │   █ █", "      │  ██ █", "     0┤ ▄██ █"]);
    }

    #[test]
    fn only_the_newest_columns_that_fit_are_drawn_and_a_tiny_area_is_left_alone() {
        let plot = Plot { columns: (1..=9).map(|n| column(Some(f64::from(n)))).collect(), top: 8.0, labels: vec![] };
        assert_eq!(lines(plot.clone(), 10, 1), ["      │▇██"]);
        assert_eq!(lines(plot, 3, 1), ["   "]);
    }
}
