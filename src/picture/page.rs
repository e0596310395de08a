//! Owns the page that `simulate --report` writes, and the picture of the charts alone: whole in itself,
//! valid as HTML and as XML, and the same bytes for the same simulation.

use std::fmt::Write as _;

use super::axis::{Times, duration_ms, number};
use super::markup::{at, text};
use super::scatter;
use super::timeline::{self, Tops, WIDTH};
use super::{SCORES, Shown, by_trace};
use crate::simulate::{AppKind, Faults};

const CHART_CSS: &str = include_str!("chart.css");
const PAGE_CSS: &str = include_str!("page.css");

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Beside the charts of a picture, and between them.
const GAP: f64 = 12.0;

/// The page about `shown`.
#[must_use]
pub fn page(shown: &[Shown<'_>]) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n\
         <style>\n{CHART_CSS}{PAGE_CSS}</style>\n</head>\n<body>\n<main>\n<h1>What the policies would have done</h1>\n",
        text(&title(shown))
    );
    out.push_str(
        "<p class=\"muted\">Simulated by autoscaler: the same script, tick and guards as in production, against a \
         pretended app. Hover over a mark to read why it scaled.</p>\n",
    );
    for runs in by_trace(shown) {
        section(&mut out, runs);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn title(shown: &[Shown<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for one in shown {
        if !names.contains(&one.run.policy.as_str()) {
            names.push(&one.run.policy);
        }
    }
    format!("Simulation: {}", names.join(", "))
}

/// All runs of one trace.
fn section(out: &mut String, runs: &[Shown<'_>]) {
    let Some(first) = runs.first() else { return };
    put(out, &format!("<section>\n<h2>{}</h2>\n<p>{}</p>", text(&first.run.trace), text(&facts(first))));
    table(out, runs);
    if runs.len() > 1 {
        let (width, height) = scatter::SIZE;
        put(out, "<figure class=\"comparison\">");
        put(out, &open_svg(width, height, &scatter::described(runs)));
        put(out, &scatter::scatter(runs));
        put(out, "</svg>\n<figcaption><p>The nearer to the lower left, the better.</p></figcaption>\n</figure>");
    }
    put(out, "<div class=\"runs\">");
    let tops = Tops::of(runs);
    for one in runs {
        figure(out, one, tops);
    }
    put(out, "</div>\n</section>");
}

fn put(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// What holds for all runs of a trace.
#[allow(clippy::cast_precision_loss)]
fn facts(shown: &Shown<'_>) -> String {
    let setting = shown.setting;
    let mut facts = vec![format!("{:.1} days", shown.run.seconds as f64 / DAY)];
    let times = Times::of(&setting.trace);
    if times.are_dates() {
        facts.push(format!("from {} on, times in UTC", times.moment(0)));
    }
    if setting.warmup > 0 {
        facts.push(format!("of which the first {:.1} are not scored (shaded)", setting.warmup as f64 / DAY));
    }
    facts.push(format!("seed {}", setting.seed));
    if setting.exact {
        facts.push("single requests".into());
    }
    if setting.faults != Faults::default() {
        facts.push(format!("faults: {}", setting.faults));
    }
    format!("{}.", facts.join(", "))
}

/// What is pretended of an app.
fn app(shown: &Shown<'_>) -> String {
    let model = &shown.candidate.model;
    let what = match model.app {
        AppKind::Web => "requests",
        AppKind::Queue => "jobs",
    };
    format!(
        "A dyno completes {} {what}/s, {} at once, and boots {} s. Objective: at most {} % wait longer than {}.",
        number(model.capacity.rate_per_dyno),
        model.capacity.workers,
        model.boot,
        number(100.0 * model.share),
        duration_ms(1000.0 * model.objective)
    )
}

fn table(out: &mut String, runs: &[Shown<'_>]) {
    put(out, "<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">score</th>");
    for one in runs {
        put(out, &format!("<th scope=\"col\" class=\"number\">{}</th>", text(&one.run.policy)));
    }
    put(out, "<th scope=\"col\">what it means</th></tr></thead>\n<tbody>");
    for score in SCORES {
        let values: Vec<String> = runs.iter().map(|one| (score.value)(&one.run.scores)).collect();
        if values.iter().all(String::is_empty) {
            continue;
        }
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", score.name);
        for value in values {
            let _ = write!(out, "<td class=\"number\">{value}</td>");
        }
        put(out, &format!("<td class=\"means\">{}</td></tr>", text(score.means)));
    }
    put(out, "</tbody>\n</table>\n</div>");
}

fn figure(out: &mut String, shown: &Shown<'_>, tops: Tops) {
    let chart = timeline::chart(shown, tops, 0.0);
    put(out, &format!("<figure>\n<figcaption><h3>{}</h3>", text(&shown.run.policy)));
    put(out, &format!("<p>{}</p>", text(&app(shown))));
    if let Some((ticks, said)) = &shown.run.wrong {
        let all = shown.run.ticks;
        let said = text(&format!("{ticks} of {all} decisions went wrong; the first: {said}"));
        put(out, &format!("<p class=\"warning\">{said}</p>"));
    }
    put(out, "</figcaption>");
    put(out, &open_svg(WIDTH, chart.height, &timeline::described(shown)));
    out.push_str(&chart.elements);
    put(out, "</svg>");
    scalings(out, shown);
    put(out, "</figure>");
}

/// Every scale as a row: for those who cannot hover.
fn scalings(out: &mut String, shown: &Shown<'_>) {
    let all = &shown.run.scalings;
    if all.is_empty() {
        put(out, "<p class=\"muted\">Not scaled once.</p>");
        return;
    }
    let times = Times::of(&shown.setting.trace);
    put(out, &format!("<details>\n<summary>All scales: {}</summary>\n<div class=\"wide\">\n<table>", all.len()));
    put(
        out,
        "<thead><tr><th scope=\"col\">when</th><th scope=\"col\">dynos</th><th scope=\"col\">why</th></tr></thead>\n<tbody>",
    );
    for scaling in all {
        let (when, reason) = (times.moment(scaling.second), text(&scaling.reason));
        put(out, &format!("<tr><td>{when}</td><td>{} → {}</td><td>{reason}</td></tr>", scaling.from, scaling.to));
    }
    put(out, "</tbody>\n</table>\n</div>\n</details>");
}

fn open_svg(width: f64, height: f64, described: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">"#,
        at(width),
        at(height),
        text(described)
    )
}

/// The charts of `shown`, one below the other, as a picture of its own.
#[must_use]
pub fn picture(shown: &[Shown<'_>]) -> String {
    let mut elements = String::new();
    let mut y = GAP;
    for runs in by_trace(shown) {
        let tops = Tops::of(runs);
        for one in runs {
            let name = format!("{} on {}", one.run.policy, one.run.trace);
            let scores = &one.run.scores;
            let scored = format!(
                "{:.2} % late, cost {:.3}, {:.1} scales per day",
                scores.late_percent, scores.cost_ratio, scores.scalings_per_day
            );
            for (class, line, down) in [("name", name, 16.0), ("scored", scored, 34.0)] {
                let (x, y) = (at(GAP), at(y + down));
                put(&mut elements, &format!(r#"<text class="{class}" x="{x}" y="{y}">{}</text>"#, text(&line)));
            }
            let chart = timeline::chart(one, tops, y + 38.0);
            elements.push_str(&chart.elements);
            y += 38.0 + chart.height + 2.0 * GAP;
        }
    }
    let described = shown.iter().map(timeline::described).collect::<Vec<_>>().join(". ");
    let mut out = open_svg(WIDTH, y, &described);
    put(&mut out, &format!("\n<style>\n{CHART_CSS}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>"));
    out.push_str(&elements);
    out.push_str("</svg>\n");
    out
}
