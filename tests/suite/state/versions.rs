//! Every version of the store that was ever released can be opened: a dump of each lies here.

use std::path::Path;

use autoscaler::pipeline::Decided;
use autoscaler::state::{Intent, Query, newest_version};
use rusqlite::Connection;

use super::{batch, open};

fn dump(version: i32) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/suite/state/versions/{version}.sql"))
}

#[tokio::test]
async fn every_version_has_a_dump_and_is_brought_up_to_date() {
    for version in 1..=newest_version() {
        let text = std::fs::read_to_string(dump(version)).unwrap_or_else(|error| {
            panic!("{}: {error}: `sqlite3 state.db .dump` of that version belongs there", dump(version).display())
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        Connection::open(&file).unwrap().execute_batch(&text).unwrap();
        let state = open(folder.path()).await.state;
        assert!(!state.is_degraded(), "version {version}");
        let kept = state.load("web").await.unwrap().unwrap();
        assert_eq!((kept.control.tick, kept.control.open), (130, Some(Intent { from: 2, to: 3 })), "version {version}");
        assert_eq!(kept.history.len(), 2, "version {version}");
        assert_eq!(kept.memory["decide"]["seen"], 130, "version {version}");
        // Two of them loose, two packed.
        let records = state.records(&Query::newest("web", 9)).await.unwrap();
        let ticks: Vec<u64> = records.iter().map(|record| record.tick).collect();
        assert_eq!(ticks, [127, 128, 129, 130], "version {version}");
        assert_eq!(records[3].decision, Decided::Up, "version {version}");
        let generations = state.generations("web").await.unwrap();
        assert_eq!(generations[0].files, [("web.rhai".to_owned(), "// the script\n".to_owned())], "version {version}");
        // It is one of today now.
        state.commit(&"web".into(), state.fence(), batch("web", 1)).await.unwrap();
        state.flush().await.unwrap();
        drop(state);
        let connection = Connection::open(&file).unwrap();
        let now: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(now, newest_version());
    }
}
