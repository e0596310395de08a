//! Owns the comparison of several runs: a point for each, its cost against its lateness. The lower left
//! is where one would like to be.

use super::Shown;
use super::axis::{number, round_values};
use super::markup::{at, text};

/// Size and margins of the drawing.
pub(super) const SIZE: (f64, f64) = (620.0, 340.0);
const LEFT: f64 = 56.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 44.0;

/// Names are written so far above each other at least.
const LINE: f64 = 15.0;

/// The elements of the drawing.
pub(super) fn scatter(shown: &[Shown<'_>]) -> String {
    let costs: Vec<f64> = shown.iter().map(|one| one.run.scores.cost_ratio).collect();
    let least = costs.iter().copied().fold(1.0, f64::min);
    let most = costs.iter().copied().fold(1.0, f64::max).max(least + 0.05);
    let wide = round_values(1.05 * (most - least));
    let step = wide.get(1).copied().unwrap_or(1.0);
    let from = (least / step).floor() * step;
    let late = shown.iter().map(|one| one.run.scores.late_percent).fold(0.0, f64::max).max(0.1) * 1.05;

    let x = |cost: f64| LEFT + (cost - from) / (1.05 * most - 0.05 * least - from) * (SIZE.0 - LEFT - RIGHT);
    let y = |percent: f64| SIZE.1 - BOTTOM - percent / late * (SIZE.1 - TOP - BOTTOM);
    let mut out = Vec::new();
    out.push(format!(r#"<text class="head" x="{}" y="16">late, % of the requests</text>"#, at(LEFT)));
    for value in round_values(late) {
        let at_y = y(value);
        out.push(format!(r#"<path class="grid" d="M{} {}H{}"/>"#, at(LEFT), at(at_y), at(SIZE.0 - RIGHT)));
        out.push(format!(
            r#"<text class="end" x="{}" y="{}">{}</text>"#,
            at(LEFT - 6.0),
            at(at_y + 4.0),
            number(value)
        ));
    }
    let mut cost = from;
    while x(cost) <= SIZE.0 - RIGHT + 0.5 {
        let at_x = at(x(cost));
        out.push(format!(r#"<path class="grid" d="M{at_x} {}V{}"/>"#, at(TOP), at(SIZE.1 - BOTTOM)));
        out.push(format!(
            r#"<text class="middle" x="{at_x}" y="{}">{}</text>"#,
            at(SIZE.1 - BOTTOM + 16.0),
            fine(cost)
        ));
        cost += step;
    }
    let head = "cost, dynos paid for by dynos of the oracle";
    let middle = f64::midpoint(LEFT, SIZE.0 - RIGHT);
    out.push(format!(r#"<text class="head middle" x="{}" y="{}">{head}</text>"#, at(middle), at(SIZE.1 - 8.0)));

    let mut points: Vec<(f64, f64, &Shown<'_>)> =
        shown.iter().map(|one| (x(one.run.scores.cost_ratio), y(one.run.scores.late_percent), one)).collect();
    points.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.total_cmp(&b.0)));
    let mut free = f64::MAX;
    for (at_x, at_y, one) in points {
        let scores = &one.run.scores;
        let title = format!("{}: cost {:.3}, {:.2} % late", one.run.policy, scores.cost_ratio, scores.late_percent);
        out.push(format!(
            r#"<circle class="point" cx="{}" cy="{}" r="6"><title>{}</title></circle>"#,
            at(at_x),
            at(at_y),
            text(&title)
        ));
        // Names of points that lie near each other go above each other: most lie at the bottom.
        let name_y = (at_y + 4.0).min(free - LINE);
        free = name_y;
        out.push(format!(
            r#"<text x="{}" y="{}">{}</text>"#,
            at(at_x + 10.0),
            at(name_y),
            text(&short(&one.run.policy))
        ));
    }
    out.join("\n")
}

/// What it shows, in words.
pub(super) fn described(shown: &[Shown<'_>]) -> String {
    let each = |one: &Shown<'_>| {
        let scores = &one.run.scores;
        format!("{} costs {:.3} and is late for {:.2} %", one.run.policy, scores.cost_ratio, scores.late_percent)
    };
    format!("Cost against lateness: {}", shown.iter().map(each).collect::<Vec<_>>().join("; "))
}

/// A tick of the costs, which differ by hundredths.
fn fine(cost: f64) -> String {
    let text = format!("{cost:.2}");
    text.strip_suffix('0').map_or_else(|| text.clone(), str::to_owned)
}

/// As much of a name as there is room for: its end, which tells scripts from each other.
fn short(name: &str) -> String {
    let all = name.chars().count();
    if all <= 24 { name.to_owned() } else { format!("…{}", name.chars().skip(all - 23).collect::<String>()) }
}
