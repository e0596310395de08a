//! Every version of the store that was ever released can be opened: a dump of each lies here.

use std::path::Path;

use autoscaler::pipeline::Decided;
use autoscaler::state::{Batch, Intent, Query, StateArg, newest_version};
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
        // A scale that was interrupted, and what was gone back from, are known from version 2 on.
        assert_eq!(kept.unfinished.as_ref().map(|record| record.tick), (version >= 2).then_some(130));
        assert_eq!(kept.history(Some("queue")).len(), usize::from(version >= 2), "version {version}");
        let gone_back = state.generations("web").await.unwrap()[0].instead_of.as_ref().map(|from| from.id);
        assert_eq!(gone_back, (version >= 2).then_some(4));
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

#[tokio::test]
async fn histories_with_names_move_out_of_the_text_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch(&std::fs::read_to_string(dump(1)).unwrap()).unwrap();
    let named = "UPDATE pipelines SET kept = json_set(kept, '$.named', json_object('queue', json_object(\
                 'source', 'q', 'history', json_object('measurements', \
                 json((SELECT json_group_array(json(body)) FROM history WHERE pipeline = 1))))))";
    connection.execute(named, []).unwrap();
    let kept = || async { open(folder.path()).await.state.load("web").await.unwrap().unwrap() };
    // Whoever only reads leaves the file as it is.
    let read = autoscaler::state::look(&StateArg::Folder(folder.path().to_owned()), None).await.unwrap().state;
    assert_eq!(read.load("web").await.unwrap().unwrap().history(Some("queue")).len(), 2);
    drop(read);
    assert_eq!(kept().await.history(Some("queue")).len(), 2);
    let state = open(folder.path()).await.state;
    let kept = state.load("web").await.unwrap().unwrap();
    state.commit(&"web".into(), state.fence(), Batch { kept, intent: None, record: None }).await.unwrap();
    state.flush().await.unwrap();
    drop(state);
    let text: String = connection.query_row("SELECT kept FROM pipelines", [], |row| row.get(0)).unwrap();
    assert!(text.contains("\"queue\"") && !text.contains("took_ms"), "{text}");
    assert_eq!(open(folder.path()).await.state.load("web").await.unwrap().unwrap().history(Some("queue")).len(), 2);
}
