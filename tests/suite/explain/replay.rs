//! A new script over the records of a running one, and the load that is in records.

use std::sync::Arc;

use autoscaler::pipeline::{Decided, PipelineSpec, Record};
use autoscaler::replay::{CAVEAT, Replay, Replayer};
use serde_json::json;

use super::state::{kept, lately};
use super::support::{SCRIPT, incident, past};
use crate::harness::{Autoscaler, Script};
use crate::pipeline::bench::specs;

async fn replayed(script: &str, records: &[Arc<Record>]) -> Replay {
    on(&specs(script)[0], &[], records).await
}

async fn on(spec: &PipelineSpec, earlier: &[Arc<Record>], records: &[Arc<Record>]) -> Replay {
    let mut replayer = Replayer::open(spec, earlier, &records[0]).await.unwrap();
    for record in records {
        replayer.tick(record).await;
    }
    replayer.end()
}

/// The script of the incident, deciding sooner.
fn sooner() -> String {
    SCRIPT.replace("max_measurement_value: 1000", "max_measurement_value: 1000, number_of_fails_to_scale_up_after: 2")
}

#[tokio::test]
async fn the_very_same_script_decides_alike_from_wherever_the_records_begin() {
    let records = incident().await;
    for from in 0..records.len() {
        let replay = on(&specs(SCRIPT)[0], &records[..from], &records[from..]).await;
        assert_eq!(replay.differences, [], "from tick {from}");
        assert_eq!(replay.new, replay.recorded);
    }
    let replay = replayed(SCRIPT, &records).await;
    assert_eq!((replay.ticks, replay.recorded.scalings, replay.recorded.up), (22, 1, 1));
    // 2 dynos for the 7 intervals before the scale at the eighth tick, 3 for the 14 after it.
    assert!((replay.recorded.dyno_hours - (7.0 * 2.0 + 14.0 * 3.0) * 30.0 / 3600.0).abs() < 1e-9);
    assert_eq!(replay.notes, [CAVEAT]);
}

#[tokio::test]
async fn another_one_differs_first_where_it_decides_first_and_goes_on_from_its_own_dynos() {
    let replay = replayed(&sooner(), &incident().await).await;
    let first = &replay.differences[0];
    assert_eq!((first.tick, first.ticks, first.measured[0].1), (7, 1, Some(1210.0)));
    assert_eq!((first.recorded.decision, first.new.decision), (Decided::Hold, Decided::Up));
    assert_eq!((first.new.from, first.new.to), (Some(2), Some(3)));
    assert!(first.recorded.reason.contains("the last 2 of 3 above 1000 ms: 1105, 1210"), "{}", first.recorded.reason);
    assert!(first.new.reason.contains("the last 2 of 2 above 1000 ms: 1105, 1210"), "{}", first.new.reason);
    // The running one scales in the next tick, in which the new one waits; and late the new one goes to 4.
    let second = &replay.differences[1];
    assert_eq!((second.tick, second.recorded.decision, second.new.decision), (8, Decided::Up, Decided::Hold));
    let third = &replay.differences[2];
    assert_eq!((third.new.from, third.new.to, third.recorded.from), (Some(3), Some(4), Some(3)));
    assert_eq!((replay.new.scalings, replay.recorded.scalings, replay.new.most_dynos), (2, 1, 4));
}

#[tokio::test]
async fn what_others_did_to_the_dynos_is_done_again_and_failed_measurements_stay_failed() {
    let mut past = past(SCRIPT, 2, [600.0; 3]).await;
    past.app.set(4);
    past.app.feed([600.0]).await;
    past.app.fail(autoscaler::pipeline::Failure::overload("no answer")).await;
    past.app.hide();
    past.app.feed([600.0; 2]).await;
    let replay = replayed(&SCRIPT.replace("max_dynos: 5", "max_dynos: 3"), past.records()).await;
    assert_eq!((replay.differences[0].tick, replay.differences[0].new.to), (4, Some(3)));
    assert!(replay.notes.iter().any(|note| note.starts_with("1 time the dynos changed")), "{:?}", replay.notes);
    let same = replayed(SCRIPT, past.records()).await;
    assert_eq!((same.differences.len(), same.new), (0, same.recorded));
    assert!(same.recorded.errors >= 1);
}

const SEVERAL: &str = r#"pipeline("web", #{
    measure: #{ rate: || 5, latency: || 100 },
    decide: |m| if m.values.latency > LIMIT { up(1) },
    scale: #{ current: || 1, scale_to: |n| () },
    max_dynos: 5,
    simulate: #{ rate_per_dyno: 10, signals: #{ rate: "arrival_rate", latency: "response_time" } },
});"#;

/// Six ticks of [`SEVERAL`], the latency rising.
async fn several() -> Vec<Arc<Record>> {
    let mut past = past(&SEVERAL.replace("LIMIT", "1000"), 1, []).await;
    for tick in 0..6 {
        let sources = &past.app.pretend.sources;
        sources.feed_named("web", "rate", [Ok(json!(10 + tick))]);
        sources.feed_named("web", "latency", [Ok(json!(100 * tick))]);
        past.app.tick(Ok(json!(0))).await;
    }
    past.app.records
}

#[tokio::test]
async fn several_measurements_are_found_by_their_names() {
    let records = several().await;
    let replay = replayed(&SEVERAL.replace("LIMIT", "400"), &records).await;
    let first = &replay.differences[0];
    assert_eq!((first.tick, first.new.decision), (6, Decided::Up));
    let latency = first.measured.iter().find(|(name, _)| name == "latency").unwrap();
    assert_eq!(latency.1, Some(500.0));
    let other = SEVERAL.replace("LIMIT", "400").replace("latency", "backlog");
    let refused = Replayer::open(&specs(&other)[0], &[], &records[0]).await.err().unwrap();
    assert!(refused.contains("judges `backlog`") && refused.contains("rate, latency"), "{refused}");
}

/// The command `arguments` on the records of a worker in `folder`.
fn command(script: &Script, state: &std::path::Path, arguments: &[&str]) -> Autoscaler {
    let command = Autoscaler::new(arguments.iter().copied()).folder(script.root());
    command.env("AUTOSCALER_STATE", state.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_command_it_tells_totals_reasons_and_what_it_cannot_know() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    script.write("new.rhai", &sooner());
    let state = kept(&script, lately().await).await;
    let said = command(&script, &state, &["replay", "new.rhai"]).run().expect(0).stdout;
    assert!(said.contains("2 scalings instead of 1"), "{said}");
    let up = said.find("up from 2 to 3: the last 2 of 2 above 1000 ms").expect(&said);
    assert!(said.find("hold at 2: the last 2 of 3 above 1000 ms").is_some_and(|hold| hold < up), "{said}");
    assert!(said.contains("not how the app would have been with other dynos"), "{said}");
    let json = command(&script, &state, &["replay", "new.rhai", "--json"]).run().expect(0).json();
    assert_eq!((&json[0]["new"]["scalings"], &json[0]["recorded"]["scalings"]), (&json!(2), &json!(1)));
    assert_eq!(json[0]["differences"][0]["tick"], 7);
    // Since then only, with what was remembered before.
    let late = command(&script, &state, &["replay", "new.rhai", "--json", "--since", "100s"]).run().expect(0).json();
    assert_eq!((&late[0]["ticks"], &late[0]["new"]["scalings"]), (&json!(2), &json!(1)));
    let same = command(&script, &state, &["replay", "autoscale.rhai"]).run().expect(0).stdout;
    assert!(same.contains("They decide alike at every tick.") && same.contains("1 scaling as well"), "{same}");
    script.write("other.rhai", &SCRIPT.replace("\"web\"", "\"celery\""));
    let refused = command(&script, &state, &["replay", "other.rhai"]).run().expect(1).stderr;
    assert!(refused.contains("has `celery`, and there are records of `web`"), "{refused}");
    let refused = command(&script, &state, &["replay", "new.rhai", "--pipeline", "webb"]).run().expect(1).stderr;
    assert!(refused.contains("no pipeline `webb`") && refused.contains("did you mean `web`?"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_takes_its_load_from_records_of_a_rate_and_of_nothing_else() {
    let text = SEVERAL.replace("LIMIT", "400");
    let script = Script::named("autoscale.rhai", &text);
    let by = chrono::Utc::now() - chrono::TimeDelta::minutes(5) - several().await[0].at;
    let moved = |record: &Arc<Record>| {
        let mut record = (**record).clone();
        record.at += by;
        Arc::new(record)
    };
    // A tick is missing, as when the worker was restarted.
    let records: Vec<Arc<Record>> = several().await.iter().map(moved).collect();
    let state = kept(&script, records.into_iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, one)| one)).await;
    let run = ["simulate", "autoscale.rhai", "--trace", "from-state", "--json"];
    let said = command(&script, &state, &run).run().expect(0);
    let json = said.json();
    assert_eq!((&json[0]["trace"], &json[0]["seconds_simulated"]), (&json!("from-state"), &json!(150)));
    assert!(said.stderr.contains("repaired from-state: 1 "), "{}", said.stderr);
    let refused = command(&script, &state, &["simulate", "autoscale.rhai", "--trace", "from-state:webb"]);
    assert!(refused.run().expect(1).stderr.contains("did you mean `web`?"));
    script.save(&text.replace("arrival_rate", "utilization"));
    let refused = command(&script, &state, &run).run().expect(1).stderr;
    assert!(refused.contains("no load is recorded of `web`") && refused.contains("arrival_rate"), "{refused}");
}
