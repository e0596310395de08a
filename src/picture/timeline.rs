//! Owns the chart of one simulation: load, dynos against demand, waiting against the objective, what was
//! measured against its thresholds, and every scale, one below the other on one time axis.

use std::fmt::Write as _;

use super::Shown;
use super::axis::{Times, duration_ms, number, round_values};
use super::markup::{at, text};
use crate::counted::dynos;
use crate::simulate::{Point, Scaling, Span, Spans};

/// The width of a chart; what is drawn lies between its margins.
pub(super) const WIDTH: f64 = 900.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 10.0;
const INNER: f64 = WIDTH - LEFT - RIGHT;

/// Above each panel stands its name.
const HEAD: f64 = 30.0;
/// The strip of the marks of scales.
const MARKS: f64 = 24.0;
/// The times below the last panel.
const FOOT: f64 = 20.0;

/// Waits are drawn by their logarithm from here on, in milliseconds: they span five powers of ten.
const LEAST_WAIT: f64 = 1.0;

/// The highest values of all charts that stand side by side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tops {
    load: f64,
    dynos: f64,
    wait_ms: f64,
}

impl Tops {
    pub fn of(shown: &[Shown<'_>]) -> Self {
        shown.iter().fold(Self::default(), |tops, one| {
            let points = &one.run.series;
            let dynos = highest(points, |spans| spans.all).max(highest(points, |spans| spans.demand));
            Self {
                load: tops.load.max(highest(points, |spans| spans.load)),
                dynos: tops.dynos.max(dynos),
                wait_ms: tops
                    .wait_ms
                    .max(highest(points, |spans| spans.wait_ms))
                    .max(1000.0 * one.candidate.model.objective),
            }
        })
    }
}

fn highest(points: &[Point], of: impl Fn(&Spans) -> Option<Span>) -> f64 {
    points.iter().filter_map(|point| of(&point.spans)).map(|span| span.high).fold(0.0, f64::max)
}

/// A chart: how high it is, and its elements.
pub(super) struct Chart {
    pub height: f64,
    pub elements: String,
}

/// The chart of `shown` with its upper edge at `top`.
pub(super) fn chart(shown: &Shown<'_>, tops: Tops, top: f64) -> Chart {
    let mut drawing = Drawing { shown, times: Times::of(&shown.setting.trace), out: String::new(), y: top };
    drawing.panels(tops);
    Chart { height: drawing.y - top, elements: drawing.out }
}

/// What a chart shows, in words.
pub(super) fn described(shown: &Shown<'_>) -> String {
    let run = shown.run;
    format!(
        "Load, dynos and demand, and waiting over time for {} on {}: {:.2} % late, cost {:.3}, {} scales",
        run.policy,
        run.trace,
        run.scores.late_percent,
        run.scores.cost_ratio,
        run.scalings.len()
    )
}

struct Drawing<'a> {
    shown: &'a Shown<'a>,
    times: Times,
    out: String,
    /// Where the next panel begins.
    y: f64,
}

/// Where values lie in a panel.
#[derive(Clone, Copy)]
struct Panel {
    top: f64,
    height: f64,
    /// The value at its upper edge.
    most: f64,
    /// Whether the logarithm is drawn.
    logarithmic: bool,
}

impl Panel {
    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(LEAST_WAIT) / LEAST_WAIT).ln() / (self.most / LEAST_WAIT).ln()
        } else {
            value / self.most
        };
        // Nothing is drawn outside, whatever was measured.
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
        self.bottom() - share * self.height
    }
}

impl Drawing<'_> {
    #[allow(clippy::cast_precision_loss)]
    fn x(&self, second: u64) -> f64 {
        LEFT + INNER * second as f64 / self.shown.run.seconds.max(1) as f64
    }

    fn panels(&mut self, tops: Tops) {
        let from = self.y + HEAD;
        let before = std::mem::take(&mut self.out);
        let model = &self.shown.candidate.model;
        let load = self.panel("Load, requests/s", 80.0, tops.load, false);
        self.line(load, "load", |spans| spans.load);

        let dynos = self.panel("Dynos", 150.0, tops.dynos, false);
        self.legend(dynos);
        self.area(dynos, "paid-area", |spans| spans.all);
        self.area(dynos, "ready-area", |spans| spans.ready);
        self.line(dynos, "ready", |spans| spans.ready);
        self.line(dynos, "demand", |spans| spans.demand);
        self.marks();

        let most = (1.25 * tops.wait_ms).max(10.0 * LEAST_WAIT);
        let wait = self.panel("Waiting, on average over a second (logarithmic)", 100.0, most, true);
        self.line(wait, "wait", |spans| spans.wait_ms);
        let objective = 1000.0 * model.objective;
        self.limit(wait, &[objective], &format!("objective {}", duration_ms(objective)));
        self.measured();

        let below = self.y;
        let panels = std::mem::replace(&mut self.out, before);
        self.behind(from, below);
        self.out.push_str(&panels);
        self.y += FOOT;
    }

    /// What was measured, where it was one number, with the thresholds of policies that have them.
    fn measured(&mut self) {
        let top = highest(&self.shown.run.series, |spans| spans.measured);
        if self.shown.run.series.iter().all(|point| point.spans.measured.is_none()) {
            return;
        }
        let spec = &self.shown.candidate.spec;
        let thresholds = spec.decide.policies.iter().find_map(|policy| policy.kind.thresholds());
        let top = top.max(thresholds.map_or(0.0, |(_, max)| 1.1 * max));
        let head = spec.unit().map_or_else(|| "Measured".to_owned(), |unit| format!("Measured, {unit}"));
        let panel = self.panel(&head, 90.0, top, false);
        self.line(panel, "measured", |spans| spans.measured);
        if let Some((min, max)) = thresholds {
            self.limit(panel, &[min, max], &format!("thresholds {} and {}", number(min), number(max)));
        }
    }

    /// A panel with its name and its values, below what there is.
    fn panel(&mut self, head: &str, height: f64, most: f64, logarithmic: bool) -> Panel {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let panel = Panel { top: self.y + HEAD, height, most, logarithmic };
        self.put(&format!(r#"<text class="head" x="{}" y="{}">{}</text>"#, at(LEFT), at(panel.top - 9.0), text(head)));
        let values = if logarithmic {
            (0..9).map(|power| LEAST_WAIT * 10f64.powi(power)).take_while(|value| *value <= most).collect()
        } else {
            round_values(most)
        };
        for value in values {
            let y = panel.y(value);
            self.put(&format!(r#"<path class="grid" d="M{} {}H{}"/>"#, at(LEFT), at(y), at(WIDTH - RIGHT)));
            let name = if logarithmic { duration_ms(value) } else { number(value) };
            self.put(&format!(r#"<text class="end" x="{}" y="{}">{name}</text>"#, at(LEFT - 6.0), at(y + 4.0)));
        }
        self.y = panel.bottom();
        panel
    }

    fn put(&mut self, element: &str) {
        self.out.push_str(element);
        self.out.push('\n');
    }

    /// The warm-up and the times, which go through all panels.
    fn behind(&mut self, from: f64, to: f64) {
        let (left, warmup) = (at(LEFT), self.shown.setting.warmup);
        if warmup > 0 {
            let width = at(self.x(warmup) - LEFT);
            let (y, height) = (at(from), at(to - from));
            self.put(&format!(
                r#"<rect class="warm-up" x="{left}" y="{y}" width="{width}" height="{height}"><title>warm-up: not scored</title></rect>"#
            ));
        }
        for (second, name) in self.times.ticks(self.shown.run.seconds) {
            let x = self.x(second);
            self.put(&format!(r#"<path class="grid" d="M{} {}V{}"/>"#, at(x), at(from), at(to)));
            let side = if x > WIDTH - RIGHT - 20.0 { "end" } else { "middle" };
            let x = if side == "end" { WIDTH - RIGHT } else { x };
            self.put(&format!(r#"<text class="{side}" x="{}" y="{}">{}</text>"#, at(x), at(to + 16.0), text(&name)));
        }
    }

    /// What the colours of the dynos mean.
    fn legend(&mut self, panel: Panel) {
        let y = panel.top - 9.0;
        let mut x = LEFT + 60.0;
        for (class, name, area) in
            [("ready-area", "ready", true), ("paid-area", "booting", true), ("demand", "demand", false)]
        {
            let sign = if area {
                // What is ready is paid for too, and drawn over it.
                let paid = if class == "ready-area" { "paid-area" } else { "paper" };
                [paid, class]
                    .map(|class| format!(r#"<path class="{class}" d="M{} {}h14v10h-14z"/>"#, at(x), at(y - 9.0)))
                    .concat()
            } else {
                format!(r#"<path class="line {class}" d="M{} {}h14"/>"#, at(x), at(y - 4.0))
            };
            self.put(&sign);
            self.put(&format!(r#"<text x="{}" y="{}">{name}</text>"#, at(x + 19.0), at(y)));
            x += 88.0;
        }
        self.put(&format!(r#"<text x="{}" y="{}">▲ more, ▼ fewer dynos</text>"#, at(x), at(y)));
    }

    /// A limit, named in the head of its panel, where it hides nothing.
    fn limit(&mut self, panel: Panel, values: &[f64], name: &str) {
        let right = at(WIDTH - RIGHT);
        for value in values {
            let y = at(panel.y(*value));
            self.put(&format!(r#"<path class="limit" d="M{} {y}H{right}"/>"#, at(LEFT)));
        }
        let y = at(panel.top - 9.0);
        self.put(&format!(r#"<text class="end limit-name" x="{right}" y="{y}">╌╌ {}</text>"#, text(name)));
    }

    fn line(&mut self, panel: Panel, class: &str, of: impl Fn(&Spans) -> Option<Span>) {
        let d = self.path(panel, of, ends);
        if !d.is_empty() {
            self.put(&format!(r#"<path class="line {class}" d="{d}"/>"#));
        }
    }

    /// The area below a line, at the last value of each point.
    fn area(&mut self, panel: Panel, class: &str, of: impl Fn(&Spans) -> Option<Span>) {
        let d = self.path(panel, of, |span| vec![span.last]);
        if d.is_empty() {
            return;
        }
        let (left, bottom) = (at(LEFT), at(panel.bottom()));
        self.put(&format!(r#"<path class="{class}" d="{d}V{bottom}H{left}Z"/>"#));
    }

    /// The way through the values that `pick` takes of each point, from its left to its right edge; broken
    /// where there is none.
    fn path(&self, panel: Panel, of: impl Fn(&Spans) -> Option<Span>, pick: impl Fn(Span) -> Vec<f64>) -> String {
        let step = self.shown.step();
        let mut path = Path::default();
        for (second, point) in (0..).step_by(usize::try_from(step).unwrap_or(1)).zip(&self.shown.run.series) {
            let Some(span) = of(&point.spans) else {
                path.lift();
                continue;
            };
            let (from, to) = (self.x(second), self.x((second + step).min(self.shown.run.seconds)));
            let values = pick(span);
            let last = values.len().saturating_sub(1);
            for (index, value) in values.into_iter().enumerate() {
                let y = panel.y(value);
                path.to(if index == last && last > 0 { f64::midpoint(from, to) } else { from }, y);
            }
            path.to(to, panel.y(span.last));
        }
        path.end()
    }

    /// A mark for every scale, those of one column and direction in one; its reasons are its tooltip.
    fn marks(&mut self) {
        let step = self.shown.step();
        let (up, down) = (self.y + 4.0, self.y + 15.0);
        let grows = |scaling: &Scaling| scaling.to > scaling.from;
        for (more, class) in [(true, "up"), (false, "down")] {
            let of_kind: Vec<&Scaling> = self.shown.run.scalings.iter().filter(|one| grows(one) == more).collect();
            for together in of_kind.chunk_by(|a, b| a.second / step == b.second / step) {
                let x = together.first().map_or(LEFT, |first| self.x(first.second));
                let told: Vec<String> = together.iter().map(|one| told(one, self.times)).collect();
                let shape = if more {
                    format!("M{} {}l4 7h-8z", at(x), at(up))
                } else {
                    format!("M{} {}l4 -7h-8z", at(x), at(down + 7.0))
                };
                let title = text(&told.join("\n"));
                self.put(&format!(r#"<path class="{class}" d="{shape}"><title>{title}</title></path>"#));
            }
        }
        self.y += MARKS;
    }
}

/// A scale in one line.
fn told(scaling: &Scaling, times: Times) -> String {
    let Scaling { second, from, to, reason } = scaling;
    format!("{}: {from} → {}: {reason}", times.moment(*second), dynos(*to))
}

/// The values that a line goes through.
fn ends(span: Span) -> Vec<f64> {
    #[allow(clippy::float_cmp)] // The same value, not one near it.
    let flat = span.low == span.high;
    if flat { vec![span.first] } else { vec![span.first, span.low, span.high] }
}

/// A path that is being drawn: points on the way of a straight line along the axis are left out.
#[derive(Default)]
struct Path {
    d: String,
    /// The last two points, as written.
    last: Vec<(String, String)>,
}

impl Path {
    fn to(&mut self, x: f64, y: f64) {
        let next = (at(x), at(y));
        match &self.last[..] {
            [.., last] if *last == next => return,
            [a, b] if (a.1 == b.1 && b.1 == next.1) || (a.0 == b.0 && b.0 == next.0 && between(a, b, &next)) => {
                self.last[1] = next;
                return;
            }
            [_, _] => self.write_first(),
            _ => {}
        }
        self.last.push(next);
    }

    fn write_first(&mut self) {
        if self.last.is_empty() {
            return;
        }
        let (x, y) = self.last.remove(0);
        let sign = if self.d.is_empty() || self.d.ends_with(' ') { 'M' } else { 'L' };
        let _ = write!(self.d, "{sign}{x} {y}");
    }

    /// The line is broken here.
    fn lift(&mut self) {
        while !self.last.is_empty() {
            self.write_first();
        }
        if !self.d.is_empty() && !self.d.ends_with(' ') {
            self.d.push(' ');
        }
    }

    fn end(mut self) -> String {
        self.lift();
        self.d.trim_end().to_owned()
    }
}

/// Whether the way from `a` over `b` to `next`, all above each other, does not turn back.
fn between(a: &(String, String), b: &(String, String), next: &(String, String)) -> bool {
    let y = |point: &(String, String)| point.1.parse::<f64>().unwrap_or(f64::NAN);
    (y(a) <= y(b) && y(b) <= y(next)) || (y(a) >= y(b) && y(b) >= y(next))
}
