//! What a watcher of the demo sees: the view at several sizes, plain lines, the summary.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use autoscaler::demo::audience::Listening;
use autoscaler::demo::feed::{Feed, Scene};
use autoscaler::demo::plain;
use autoscaler::demo::queue::Gauge;
use autoscaler::demo::summary::Summary;
use autoscaler::demo::view::{DemoState, draw};
use autoscaler::notify::Audience;
use autoscaler::pipeline::EventKind;
use chrono::TimeDelta;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::{event, record, started};

fn scene() -> Scene {
    Scene {
        script: "scripts/demo.rhai".into(),
        app_url: "http://127.0.0.1:5000/".into(),
        started: started(),
        length: Some(Duration::from_secs(60)),
    }
}

/// A demo that went from one dyno to two, and whose script was edited.
fn story() -> DemoState {
    let mut state = DemoState::new(scene());
    let gauge = Gauge { load: 17.0, waiting: 5, busy: 8, workers: 8, dynos: 1, hour: 9.5, ..Gauge::default() };
    for (second, value) in [(1, 200.0), (2, 500.0), (3, 1000.0), (4, 1200.0)] {
        state.push(&record(second, Some(value), 1, 1), gauge, Some((280.0, 800.0)));
    }
    state.push(&record(5, None, 1, 2), gauge, Some((280.0, 800.0)));
    state.note(&event(6, EventKind::Reloaded, "info", "Reloaded.", None));
    state.push(&record(7, Some(900.0), 2, 2), gauge, Some((280.0, 600.0)));
    state
}

fn terminal(state: &DemoState, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a buffer");
    terminal.draw(|frame| draw(frame, state, started() + TimeDelta::seconds(8))).expect("it draws");
    terminal
}

fn rows(terminal: &Terminal<TestBackend>) -> Vec<String> {
    let buffer = terminal.backend().buffer();
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn the_view_shows_the_whole_story_on_an_ordinary_terminal() {
    let shown = rows(&terminal(&story(), 80, 24)).join("\n");
    let expected = "
 autoscaler demo   9:30 in the demo's day  0:08 of 1:00                 q quits
 pipeline    load       response      dynos            bounds
 web         17 req/s   900 ms        2                1 to 6
─ response time ms  above 600: too slow  below 280: dynos to spare ─────────────
";
    assert!(shown.starts_with(expected.trim_start_matches('\n').trim_end()), "{shown}");
    for part in
        ["   600┤", "   280┤", "▲ Scaled to (2) dynos. 3 in a row above 800", "• Reloaded.", "0:05", "8 of 8 workers"]
    {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
    assert!(shown.contains("Edit scripts/demo.rhai and save: the new thresholds take effect at the next"), "{shown}");
}

#[test]
fn a_threshold_that_was_edited_steps_in_the_plot_and_colours_follow_it() {
    let terminal = terminal(&story(), 80, 24);
    let (buffer, rows) = (terminal.backend().buffer(), rows(&terminal));
    let label =
        |text: &str| u16::try_from(rows.iter().position(|row| row.contains(text)).expect("a label")).expect("small");
    let (newest, oldest) = (79, 74);
    let marked = |x, y| buffer[(x, y)].symbol() == "╌";
    assert!(marked(newest, label("   600┤")), "the new threshold is drawn where it holds");
    assert!(!marked(oldest, label("   600┤")), "and not where it did not");
    let bottom = label("─ dynos") - 1;
    let color = |x| buffer[(x, bottom)].fg;
    assert_eq!(
        [color(oldest), color(75), color(76), color(newest)],
        [Color::Blue, Color::Green, Color::Red, Color::Red]
    );
    assert_eq!(buffer[(78, label("─ response") + 1)].symbol(), "×", "a failed measurement is marked");
}

#[test]
fn a_narrow_terminal_shows_what_matters() {
    let rows = rows(&terminal(&story(), 60, 16));
    let shown = rows.join("\n");
    for part in
        ["autoscaler demo", "900 ms", "1 to 6", "   600┤", "Scaled to (2) dynos.", "save scripts/demo.rhai", "q quits"]
    {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
}

#[test]
fn a_refused_save_is_told_once_and_whole() {
    let mut state = DemoState::new(scene());
    let reason = "/tmp/autoscaler-demo-1/demo.rhai:33:9: unknown setting `min_measurment_value` of \
                  `decide::consecutive_threshold` (did you mean `min_measurement_value`?)";
    let message = format!("demo.rhai was saved with an error, the old one runs on. {reason}");
    state.note(&event(6, EventKind::ReloadFailed, "error", &message, Some(reason)));
    for width in [60, 80, 200] {
        let shown = rows(&terminal(&state, width, 30)).join("\n");
        let joined = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "demo.rhai was saved with an error, the old one runs on. demo.rhai:33:9: unknown setting \
                    `min_measurment_value` of `decide::consecutive_threshold` (did you mean `min_measurement_value`?)";
        assert!(joined.contains(told), "{shown}");
        assert_eq!(shown.matches("min_measurment_value").count(), 1, "{shown}");
    }
}

#[test]
fn a_tiny_terminal_has_a_header_that_can_be_read() {
    let rows = rows(&terminal(&story(), 30, 6));
    assert_eq!(rows[0], " autoscaler demo      q quits");
    assert_eq!(rows[1], " pipeline response  dynos");
}

#[test]
fn every_size_can_be_drawn_before_and_after_the_first_tick() {
    let (empty, full) = (DemoState::new(scene()), story());
    for (width, height) in [(1, 1), (7, 3), (20, 8), (60, 16), (80, 24), (300, 100)] {
        terminal(&empty, width, height);
        terminal(&full, width, height);
    }
    assert!(rows(&terminal(&empty, 80, 24)).join("\n").contains("nothing yet"));
}

#[test]
fn more_ticks_than_columns_show_the_newest() {
    let mut state = story();
    for second in 8..2000 {
        state.push(&record(second, Some(300.0), 2, 2), Gauge::default(), Some((280.0, 600.0)));
    }
    let terminal = terminal(&state, 80, 24);
    let rows = rows(&terminal);
    assert!(rows[2].contains("300 ms"));
    assert!(!rows.join("\n").contains('×'), "the failed tick has moved out");
}

/// A reader that keeps what it read.
#[derive(Default)]
struct Page(Vec<u8>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that has gone.
struct Gone;

impl io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn plain_lines_tell_scales_reloads_and_trouble_and_nothing_else() {
    let (records, audience) = (broadcast::Sender::new(16), Listening::new(None));
    let (_gauge, gauge) = watch::channel(Gauge::default());
    let feed = Feed::new(records.subscribe(), audience.announced(), gauge, Arc::new(|_| None));
    let stop = CancellationToken::new();
    let watching = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut page = Page::default();
            let summary = plain::run(scene(), feed, &mut page, stop).await.expect("it writes");
            (String::from_utf8(page.0).expect("text"), summary)
        }
    });
    let mut trouble = record(20, Some(900.0), 3, 3);
    let mut above = event(20, EventKind::NeedsAboveMax, "warning", "We are at the max (3) dynos,\nbut", None);
    above.pipeline = "web".into();
    trouble.events = vec![event(20, EventKind::Measured, "info", "900", None), above];
    // Records and announcements come by two ways: each is awaited before the next is sent.
    let settled = async || tokio::time::advance(Duration::from_millis(1)).await;
    records.send(Arc::new(record(1, Some(200.0), 1, 1))).expect("it listens");
    records.send(Arc::new(record(12, Some(900.0), 1, 2))).expect("it listens");
    settled().await;
    let refused =
        event(15, EventKind::ReloadFailed, "error", "The old script runs on.", Some("demo.rhai:7:3: no such setting"));
    audience.announce(&[], refused);
    settled().await;
    records.send(Arc::new(trouble)).expect("it listens");
    records.send(Arc::new(record(71, Some(200.0), 2, 1))).expect("it listens");
    settled().await;
    stop.cancel();
    let (page, summary) = watching.await.expect("it ends");
    let expected = "\
The demo's app is at http://127.0.0.1:5000/, scaled by scripts/demo.rhai: edit it and save, it takes effect at the next tick.
0:12 web: Scaled to (2) dynos. (3 in a row above 800)
0:15 The old script runs on. (demo.rhai:7:3: no such setting)
0:20 web: We are at the max (3) dynos, but
1:11 web: Scaled to (1) dynos. (3 in a row above 800)
";
    assert_eq!(page, expected);
    assert!(summary.report(started() + TimeDelta::seconds(71)).contains("scaled up once and down once"));
}

#[tokio::test]
async fn a_reader_of_plain_lines_that_has_gone_is_an_ordinary_end() {
    let records = broadcast::Sender::new(1);
    let audience = Listening::new(None);
    let (_gauge, gauge) = watch::channel(Gauge::default());
    let feed = Feed::new(records.subscribe(), audience.announced(), gauge, Arc::new(|_| None));
    assert!(plain::run(scene(), feed, &mut Gone, CancellationToken::new()).await.is_ok());
}

#[test]
fn the_summary_counts_scales_times_and_dynos() {
    let mut summary = Summary::new(started());
    let ticks = [(0, Some(200.0), 1, 1), (10, Some(900.0), 1, 2), (20, None, 2, 2), (30, Some(300.0), 2, 1)];
    for (second, value, from, to) in ticks {
        summary.push(&record(second, value, from, to));
    }
    let mut other = record(35, Some(1.0), 9, 10);
    other.pipeline = "worker".into();
    summary.push(&other);
    // 1 dyno for 10 s, 2 for 20 s, 1 for 30 s, against 6 for a minute.
    assert_eq!(
        summary.report(started() + TimeDelta::seconds(60)),
        "The demo ran for 1:00 min: 4 ticks, scaled up once and down once, between 1 and 2 dynos.\n\
         Response time: median 300 ms, slowest 900 ms; 1 measurement failed.\n\
         It used 80 dyno-seconds; running the maximum all the time is 360 (78 % saved).\n"
    );
    let nothing = Summary::new(started()).report(started());
    assert_eq!(nothing, "The demo ran for 0:00 min without a single tick.\n");
    let mut quiet = Summary::new(started());
    quiet.push(&record(1, Some(200.0), 1, 1));
    let report = quiet.report(started() + TimeDelta::seconds(2));
    assert!(report.starts_with("The demo ran for 0:02 min: 1 tick, never scaled, always at 1 dyno.\n"), "{report}");
}
