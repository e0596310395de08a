//! The fault matrix: every backend that reaches a server meets every way in which one fails. What came
//! of each is docs/faults.md; what must hold in all of them is asserted here.

mod course;
mod fault;
mod gate;
mod page;
mod rows;

use std::path::Path;
use std::sync::Mutex;

use autoscaler::pipeline::{Decided, Outcome};

use course::{Came, run};
use fault::Fault;
use page::{HEAD, Line, table};
use rows::{ROWS, Row, Stage};

/// Cells that run at once: most of their time is waiting.
const AT_ONCE: usize = 8;

#[test]
fn every_backend_meets_every_fault_and_docs_faults_md_says_what_comes_of_it() {
    let cells: Vec<(usize, usize)> =
        (0..ROWS.len()).flat_map(|row| (0..Fault::ALL.len()).map(move |fault| (row, fault))).collect();
    let (next, lines) = (Mutex::new(cells.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(&(row, fault)) = next.lock().unwrap().next() else { return };
                    if let Some(line) = line(&ROWS[row], Fault::ALL[fault]) {
                        lines.lock().unwrap().push(((row, fault), line));
                    }
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort_by_key(|(cell, _)| *cell);
    let mut text = HEAD.to_owned();
    for (row, kind) in ROWS.iter().enumerate() {
        let of_row: Vec<Line> = lines.extract_if(.., |((of, _), _)| *of == row).map(|(_, line)| line).collect();
        assert!(of_row.len() >= 9, "{} meets few faults", kind.title);
        text.push_str(&table(kind.title, &of_row));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    if std::env::var_os("AUTOSCALER_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = text.lines().zip(expected.lines()).find(|(now, page)| now != page);
    assert_eq!(differs, None, "docs/faults.md is not current: run the test with AUTOSCALER_BLESS=1");
    assert_eq!(text.len(), expected.len(), "docs/faults.md ends too early or too late");
}

/// Runs one cell, and insists on what holds in all of them.
fn line(row: &Row, fault: Fault) -> Option<Line> {
    let cell = row.cell(fault)?;
    let came = run(&cell.spec, cell.live, || cell.shut(), || cell.open());
    let name = format!("{}, {}", row.title, fault.name());
    for record in &came.under {
        let failed = record.measurements.iter().any(|measurement| !measurement.success);
        assert!(!(failed && record.decision == Decided::Down), "{name}: scaled in on a failure: {record:?}");
        if record.dynos.current.is_none() {
            assert_eq!((record.decision, record.outcome), (Decided::Hold, Outcome::None), "{name}: {record:?}");
        }
        if row.stage == Stage::Notify {
            assert!(record.error.is_none(), "{name}: telling people fails no tick: {record:?}");
        }
    }
    once_each(&name, &came);
    let last = came.after.last().expect("a tick");
    assert_eq!(last.outcome, Outcome::Scaled, "{name}: it did not come back: {last:?}");
    assert!(came.delivered, "{name}: nobody is told any more");
    Some(Line::of(fault.name(), row.stage, &cell, &came))
}

/// From one tick to the next the count moves by no more than the one step that a tick decides.
fn once_each(name: &str, came: &Came) {
    let counts: Vec<u32> = came.under.iter().chain(&came.after).filter_map(|record| record.dynos.current).collect();
    for pair in counts.windows(2) {
        assert!(pair[0].abs_diff(pair[1]) <= 1, "{name}: more than one step: {counts:?}");
    }
}
