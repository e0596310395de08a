//! What `simulate` draws: a page that is whole in itself and well-formed, whose numbers are the scores, in
//! which nothing written becomes markup; the charts alone; the chart in a terminal.

use std::path::Path;

use autoscaler::picture::{SCORES, Shown, lines, page, picture, step};
use autoscaler::simulate::{Candidate, Run, Scaling, Setting};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value as Json;

use super::bench::{candidate, minutes, simulated_as, web};
use crate::harness::{Autoscaler, Said};

/// Parsed as XML: what is not well-formed fails.
fn parsed(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}"))
}

fn named<'a>(root: Node<'a, 'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    root.descendants().filter(move |node| node.tag_name().name() == name)
}

fn words(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

/// A few hours of a wave.
fn wave() -> Setting {
    let rates: Vec<f64> = (0..300).map(|minute| 60.0 + 45.0 * (f64::from(minute) / 40.0).sin()).collect();
    let setting = minutes(&rates);
    Setting { warmup: 3_600, series_step: Some(step(&setting.trace)), ..setting }
}

const THRESHOLDS: &str = r#"decide: decide::consecutive_threshold(#{ min_measurement_value: 0.5, max_measurement_value: 0.75 }),
    simulate: #{ rate_per_dyno: 10, signal: "utilization" },"#;

/// Two policies in a wave.
fn compared() -> (Vec<Setting>, Vec<Candidate>, Vec<Run>) {
    let setting = wave();
    let scripted = r#"decide: |m| { if m.value > 0.8 { up(1).because("it is > 0.8 & rises") } else if m.value < 0.3 { down(1) } },
        simulate: #{ rate_per_dyno: 10, signal: "utilization", boot_seconds: 5 },"#;
    let candidates = vec![candidate(&web(THRESHOLDS), "native"), candidate(&web(scripted), "scripted")];
    let runs = candidates.iter().map(|candidate| simulated_as(candidate, &setting)).collect();
    (vec![setting], candidates, runs)
}

#[test]
fn a_page_is_whole_and_its_numbers_are_the_scores() {
    let (settings, candidates, runs) = compared();
    let text = page(&Shown::all(&settings, &candidates, &runs));
    let page = parsed(&text);
    let root = page.root_element();
    assert!(text.starts_with("<!DOCTYPE html>") && root.tag_name().name() == "html");
    assert_eq!(root.attribute("lang"), Some("en"));
    // Nothing of it comes from elsewhere, and nothing of it runs.
    for forbidden in ["script", "link", "img", "iframe", "object", "image", "use", "foreignObject", "a"] {
        assert_eq!(named(root, forbidden).count(), 0, "{forbidden}");
    }
    for node in root.descendants() {
        for attribute in node.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !["src", "href", "style"].contains(&name), "{name}");
        }
    }
    let style = words(named(root, "style").next().unwrap());
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(style.contains("prefers-color-scheme: dark") && style.contains("@media print"));
    // The scores, row by row, one column for each run, and what each means.
    let table = named(root, "table").next().unwrap();
    for score in SCORES.iter().filter(|score| score.name != "money") {
        let row = named(table, "tr").find(|row| words(*row).starts_with(score.name)).unwrap();
        let cells: Vec<String> = row.children().filter(Node::is_element).map(words).collect();
        let due =
            [&[score.name.to_owned()][..], &[&runs[0], &runs[1]].map(|run| (score.value)(&run.scores))[..]].concat();
        assert_eq!(cells[..3], due[..]);
        assert_eq!(cells[3], score.means);
    }
    assert!(!words(table).contains("money"), "no price was told");
    // Every drawing says what it is; the first compares.
    let drawings: Vec<Node<'_, '_>> = named(root, "svg").collect();
    let labels: Vec<&str> = drawings.iter().map(|svg| svg.attribute("aria-label").unwrap()).collect();
    assert!(labels.len() == 3 && drawings.iter().all(|svg| svg.attribute("role") == Some("img")), "{labels:?}");
    for (run, drawn) in runs.iter().zip(&drawings[1..]) {
        let scores = &run.scores;
        let point = format!("{}: cost {:.3}, {:.2} % late", run.policy, scores.cost_ratio, scores.late_percent);
        assert!(named(drawings[0], "title").any(|title| words(title) == point), "{point}");
        // Every scale is marked with its reason, and stands in the list.
        let titles: String = named(*drawn, "title").map(|title| words(title) + "\n").collect();
        assert!(run.scalings.len() > 3);
        for Scaling { from, to, reason, .. } in &run.scalings {
            assert!(titles.contains(&format!("{from} → {to} dynos: {reason}\n")), "{reason}");
        }
        let list = drawn.parent_element().unwrap();
        let rows = named(list, "tbody").flat_map(|body| named(body, "tr")).count();
        assert_eq!(rows, run.scalings.len());
        assert!(words(*drawn).contains("objective 400 ms") && words(*drawn).contains("warm-up"));
    }
    assert!(words(drawings[1]).contains("thresholds 0.5 and 0.75"));
    assert!(!words(drawings[2]).contains("thresholds"), "a function has none");
}

/// The heights that a line of the chart reaches.
fn heights(svg: Node<'_, '_>, class: &str) -> Vec<f64> {
    let line = named(svg, "path").find(|path| path.attribute("class") == Some(class)).unwrap();
    let way = line.attribute("d").unwrap().replace(['M', 'L'], ",");
    way.split(',').filter_map(|point| point.split_whitespace().nth(1)?.parse().ok()).collect()
}

#[test]
fn a_peak_of_a_second_is_drawn_however_long_the_run() {
    // Ten days, in which one minute has ten times the load: a column is a quarter of an hour.
    let mut rates = vec![20.0; 10 * 1440];
    rates[7_777] = 200.0;
    let setting = minutes(&rates);
    let setting = Setting { series_step: Some(step(&setting.trace)), ..setting };
    assert!(setting.series_step.unwrap() > 900);
    let candidate = candidate(&web(THRESHOLDS), "web");
    let run = simulated_as(&candidate, &setting);
    assert!(run.series.len() <= 840);
    let (settings, candidates, runs) = ([setting], [candidate], [run]);
    let shown = Shown::all(&settings, &candidates, &runs);
    let text = picture(&shown);
    let page = parsed(&text);
    let load = heights(page.root_element(), "line load");
    let (top, bottom) = load.iter().fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(*y), high.max(*y)));
    // The panel is 80 high: 20 of 200 lie at 8 of it.
    assert!((bottom - top - 72.0).abs() < 0.2, "{top} {bottom}");
    // Thinned: a line along which nothing happens is a line.
    assert!(load.len() < 20 && text.len() < 100_000, "{} {}", load.len(), text.len());
    let chart = lines(&shown[0], 60);
    let row = |index: usize| chart[index].matches(['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']).count();
    assert_eq!(row(1), 1, "the peak alone: {chart:#?}");
}

#[test]
fn what_was_written_is_no_markup() {
    let evil = "<script>alert('\"&')</script>\u{1b}[31m\u{0}";
    let (mut settings, mut candidates, mut runs) = compared();
    let mut trace = autoscaler::simulate::Trace::clone(&settings[0].trace);
    trace.name = format!("{evil}.csv");
    settings[0].trace = trace.into();
    candidates[0].name = evil.into();
    runs[0].policy = evil.into();
    runs[0].trace = format!("{evil}.csv");
    runs[0].scalings[0].reason = format!("]]> --> {evil}");
    runs[0].wrong = Some((3, evil.into()));
    let shown = Shown::all(&settings, &candidates, &runs);
    let shows = evil.replace(['\u{1b}', '\u{0}'], "\u{fffd}");
    for text in [page(&shown), picture(&shown)] {
        let page = parsed(&text);
        assert_eq!(named(page.root_element(), "script").count(), 0);
        assert!(words(page.root_element()).contains(&format!("]]> --> {shows}")));
    }
    assert!(
        words(parsed(&page(&shown)).root_element()).contains(&format!("3 of {} decisions went wrong", runs[0].ticks))
    );
}

#[test]
fn an_empty_load_and_a_second_are_drawn() {
    for rates in [vec![0.0, 0.0], vec![0.0; 61], vec![5.0, 5.0]] {
        let setting = Setting { series_step: Some(1), ..minutes(&rates) };
        let candidate = candidate(&web(THRESHOLDS), "web");
        let run = simulated_as(&candidate, &setting);
        let (settings, candidates, runs) = ([setting], [candidate], [run]);
        let shown = Shown::all(&settings, &candidates, &runs);
        for text in [page(&shown), picture(&shown)] {
            assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
            parsed(&text);
        }
        assert_eq!(lines(&shown[0], 3).len(), 10);
    }
}

fn simulate(folder: &Path, arguments: &[&str]) -> Said {
    Autoscaler::new(std::iter::once("simulate").chain(arguments.iter().copied())).folder(folder).run()
}

/// The picture of the documentation, by the command that stands there.
const EXAMPLE: &str = "--policy threshold-consec --rate-per-dyno 10 --trace synthetic:flash-crowd,seed=1,days=1";

#[test]
fn the_picture_of_the_documentation_is_what_its_command_draws() {
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<&str> = EXAMPLE.split(' ').chain(["--report", "simulation.svg", "--json"]).collect();
    simulate(folder.path(), &arguments).expect(0);
    let drawn = std::fs::read_to_string(folder.path().join("simulation.svg")).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    if std::env::var_os("AUTOSCALER_BLESS").is_some() {
        std::fs::write(docs.join("simulation.svg"), &drawn).unwrap();
    }
    let due = std::fs::read_to_string(docs.join("simulation.svg")).unwrap_or_default();
    let differs = drawn.lines().zip(due.lines()).find(|(drawn, due)| drawn != due);
    assert_eq!(differs, None, "docs/simulation.svg is not current: run the test with AUTOSCALER_BLESS=1");
    assert_eq!(drawn.len(), due.len());
    assert_eq!(parsed(&drawn).root_element().tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
    let told = std::fs::read_to_string(docs.join("simulating.md")).unwrap();
    assert!(told.contains(EXAMPLE) && told.contains("(simulation.svg)"));
}

#[test]
fn a_report_is_the_same_for_a_seed_and_replaces_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.html");
    let run = |seed: &str| {
        let arguments = "--policy threshold-consec,hpa --rate-per-dyno 10 --trace synthetic:spike,seed=1,days=1 --json";
        let all: Vec<&str> = arguments.split(' ').chain(["--report", "out.html", "--seed", seed]).collect();
        let said = simulate(folder.path(), &all).expect(0);
        (said.json(), std::fs::read_to_string(&path).unwrap())
    };
    std::fs::write(&path, "x".repeat(1_000_000)).unwrap();
    let (scores, first) = run("7");
    let page = parsed(&first);
    let late = named(page.root_element(), "tr").find(|row| words(*row).starts_with("late %")).unwrap();
    let cells: Vec<String> = named(late, "td").map(words).collect();
    let due = |run: &Json| format!("{:.2}", run["late_percent"].as_f64().unwrap());
    assert_eq!(cells[..2], [due(&scores[0]), due(&scores[1])]);
    assert_eq!(run("7").1, first);
    assert_ne!(run("8").1, first);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["out.html"], "nothing is left beside it");
}

#[test]
fn a_path_that_cannot_be_written_is_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dir.html")).unwrap();
    for (path, due) in [("none/out.html", "cannot be written"), ("dir.html", "no file"), ("out.png", ".html")] {
        // The trace is not there: that would be told, if it came first.
        let arguments = ["--policy", "hpa", "--preset", "bar", "--trace", "missing.csv", "--report", path];
        let said = simulate(folder.path(), &arguments).expect(1);
        assert!(said.stderr.contains(due) && !said.stderr.contains("missing.csv"), "{}", said.stderr);
    }
}

#[test]
fn a_chart_is_drawn_where_it_is_asked_for_and_has_no_colours_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let base = ["--policy", "threshold-consec", "--rate-per-dyno", "10", "--trace", "synthetic:spike,seed=2,days=1"];
    let plain = simulate(folder.path(), &base).expect(0).stdout;
    assert!(!plain.contains('█'), "{plain}");
    let charted = simulate(folder.path(), &[&base[..], &["--chart"]].concat()).expect(0).stdout;
    let chart = charted.split("threshold-consec on synthetic:spike,seed=2,days=1\n").nth(1).unwrap();
    assert!(chart.contains("█ needed ░ beyond need × missing") && !charted.contains('\u{1b}'), "{charted}");
    assert!(chart.lines().skip(1).any(|line| line.contains('×')), "the spike is steeper than the policy: {chart}");
    assert!(chart.lines().all(|line| line.chars().count() <= 80), "{chart}");
    let said = simulate(folder.path(), &[&base[..], &["--chart", "--json"]].concat()).expect(2);
    assert!(said.stderr.contains("--chart"), "{}", said.stderr);
}
