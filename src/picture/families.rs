//! Owns the picture of a comparison: for each group of loads and each boot the cost of every policy against
//! its lateness, over the values of its parameter.

use std::fmt::Write as _;

use super::axis::number;
use super::markup::{at, text};
use crate::compare::{Cell, Grid, Group, LATE_PERCENT};

const CHART_CSS: &str = include_str!("chart.css");

/// A panel, and what is around its plot.
const PANEL: (f64, f64) = (440.0, 320.0);
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;

/// The names beside the panels.
const LEGEND: f64 = 190.0;
const LINE: f64 = 20.0;

/// What lies beyond is not drawn.
const COSTS: (f64, f64) = (0.95, 2.25);
/// See [`COSTS`]; in percent, on a logarithmic axis.
const LATE: (f64, f64) = (0.01, 50.0);

/// Hues of the lines, one after the other, far from each other.
const HUES: [u32; 7] = [212, 24, 140, 285, 350, 180, 48];
/// Lines of the second turn of hues are broken, and those of the third dotted.
const DASHES: [&str; 3] = ["none", "6 3", "2 3"];

/// The picture of `grid`.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn families(grid: &Grid) -> String {
    let mut columns: Vec<(String, Vec<usize>)> = [Group::Smooth, Group::Hard]
        .into_iter()
        .map(|group| (format!("{} loads", group.name()), grid.corpus.of(group)))
        .filter(|(_, loads)| !loads.is_empty())
        .collect();
    if columns.is_empty() {
        columns.push(("made-up loads".into(), grid.corpus.of(Group::Synthetic)));
    }
    let wide = columns.len() as f64 * PANEL.0;
    let high = (grid.boots.len() as f64 * PANEL.1).max(LINE * (grid.families.len() + 2) as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n<style>\n{CHART_CSS}",
        at(wide + LEGEND),
        at(high),
        text(&described(grid))
    );
    out.push_str("svg .tried { fill: none; stroke-width: 1.5; stroke-linejoin: round; }\n</style>\n");
    out.push_str("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    for (row, seconds) in grid.boots.iter().enumerate() {
        for (column, (name, loads)) in columns.iter().enumerate() {
            let corner = (column as f64 * PANEL.0, row as f64 * PANEL.1);
            panel(&mut out, grid, corner, &format!("{name}, boot {seconds} s"), |family, member| {
                let cell = Cell { family, member, load: 0, boot: row };
                let cost = grid.mean(cell, loads, |scores| scores.cost_ratio);
                (cost, grid.mean(cell, loads, |scores| scores.late_percent))
            });
        }
    }
    for (family, policy) in grid.families.iter().enumerate() {
        let y = TOP + LINE * family as f64;
        let x = wide + 8.0;
        let _ = writeln!(out, "<path class=\"tried\" {} d=\"M{} {}h26\"/>", stroke(family), at(x), at(y));
        let _ = writeln!(
            out,
            "<text class=\"head\" x=\"{}\" y=\"{}\">{}</text>",
            at(x + 34.0),
            at(y + 4.0),
            text(&policy.name)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// One group of loads at one boot; `of` gives cost and lateness.
fn panel(out: &mut String, grid: &Grid, corner: (f64, f64), head: &str, of: impl Fn(usize, usize) -> (f64, f64)) {
    let (left, right) = (corner.0 + LEFT, corner.0 + PANEL.0 - RIGHT);
    let (top, bottom) = (corner.1 + TOP, corner.1 + PANEL.1 - BOTTOM);
    let x = |cost: f64| left + (cost - COSTS.0) / (COSTS.1 - COSTS.0) * (right - left);
    let share = |late: f64| (late / LATE.0).ln() / (LATE.1 / LATE.0).ln();
    let y = |late: f64| bottom - share(late.max(LATE.0)) * (bottom - top);
    let mut put = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    put(format!(r#"<text class="head" x="{}" y="{}">late, %: {}</text>"#, at(left), at(corner.1 + 18.0), text(head)));
    for late in [0.01, 0.1, 1.0, 10.0, 50.0] {
        let class = if (late - LATE_PERCENT).abs() < 1e-9 { "limit" } else { "grid" };
        put(format!(r#"<path class="{class}" d="M{} {}H{}"/>"#, at(left), at(y(late)), at(right)));
        let (label_x, label_y) = (at(left - 6.0), at(y(late) + 4.0));
        put(format!(r#"<text class="end" x="{label_x}" y="{label_y}">{}</text>"#, number(late)));
    }
    for cost in [1.0, 1.25, 1.5, 1.75, 2.0, 2.25] {
        put(format!(r#"<path class="grid" d="M{} {}V{}"/>"#, at(x(cost)), at(top), at(bottom)));
        put(format!(r#"<text class="middle" x="{}" y="{}">{cost}</text>"#, at(x(cost)), at(bottom + 16.0)));
    }
    put(format!(
        r#"<text class="head middle" x="{}" y="{}">cost</text>"#,
        at(f64::midpoint(left, right)),
        at(bottom + 34.0)
    ));
    for (family, policy) in grid.families.iter().enumerate() {
        let points: Vec<(f64, f64)> = (0..policy.members.len()).map(|member| of(family, member)).collect();
        let fits = |(cost, late): &(f64, f64)| (COSTS.0..=COSTS.1).contains(cost) && *late <= LATE.1;
        let mut path = String::new();
        for pair in points.windows(2).filter(|pair| pair.iter().all(fits)) {
            let _ =
                write!(path, "M{} {}L{} {}", at(x(pair[0].0)), at(y(pair[0].1)), at(x(pair[1].0)), at(y(pair[1].1)));
        }
        if !path.is_empty() {
            put(format!(r#"<path class="tried" {} d="{path}"/>"#, stroke(family)));
        }
        for (member, point) in policy.members.iter().zip(&points).filter(|(_, point)| fits(point)) {
            let said = format!(
                "{}, {} {}: cost {:.3}, {:.2} % late",
                policy.name, policy.parameter, member.value, point.0, point.1
            );
            let (radius, at_x, at_y) = (if member.default { "5" } else { "2.5" }, at(x(point.0)), at(y(point.1)));
            put(format!(
                r#"<circle {} cx="{at_x}" cy="{at_y}" r="{radius}"><title>{}</title></circle>"#,
                fill(family),
                text(&said)
            ));
        }
    }
}

fn colour(family: usize) -> String {
    format!("hsl({},70%,{}%)", HUES[family % HUES.len()], if (family / HUES.len()).is_multiple_of(2) { 45 } else { 58 })
}

fn stroke(family: usize) -> String {
    let dash = DASHES[family / HUES.len() % DASHES.len()];
    format!(r#"stroke="{}" stroke-dasharray="{dash}""#, colour(family))
}

fn fill(family: usize) -> String {
    format!(r#"fill="{}""#, colour(family))
}

fn described(grid: &Grid) -> String {
    let names: Vec<&str> = grid.families.iter().map(|family| family.name.as_str()).collect();
    format!("Cost against late requests, over the values of each policy's parameter: {}", names.join(", "))
}
