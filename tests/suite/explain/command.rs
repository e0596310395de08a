//! `explain` and `history` as commands: what they read, what they print, and what they say of what is not there.

use serde_json::Value as Json;

use super::support::{INCIDENT, folder, incident, log};
use crate::harness::{Autoscaler, Script};

fn on(folder: &Script, arguments: &[&str]) -> Autoscaler {
    Autoscaler::new(arguments.iter().copied()).folder(folder.root())
}

#[tokio::test]
async fn a_log_is_read_from_a_file_and_from_standard_input_and_the_pipeline_may_be_left_out() {
    let folder = folder().await;
    let file = on(&folder, &["explain", "web", "incident.log", "--script", "autoscale.rhai"]).run().expect(0).stdout;
    let text = std::fs::read_to_string(folder.root().join("incident.log")).unwrap();
    let piped = on(&folder, &["explain", "web", "-"]).env("AUTOSCALER_SCRIPT", "autoscale.rhai").input(text.as_str());
    assert_eq!(piped.run().expect(0).stdout, file);
    assert!(file.starts_with("web at 2026-11-24 03:12:30 (America/Vancouver): held at 3 dynos\n"), "{file}");
    assert!(!file.contains('\u{1b}'), "no colour where nobody sees it: {file}");
}

#[tokio::test]
async fn without_the_script_it_tells_what_the_record_has_and_what_is_missing() {
    let folder = folder().await;
    let said = on(&folder, &["explain", "web", "incident.log", "--at", "11:12"]).run().expect(0).stdout;
    assert!(said.starts_with("web at 2026-11-24 11:12:00 (UTC): held at 3 dynos\n"), "{said}");
    assert!(said.contains("wanted    to hold: the last 2 of 3 above 1000 ms: 1210, 1340\n"), "{said}");
    assert!(said.contains("note: name the script with --script FILE") && !said.contains("would have been"), "{said}");
}

#[tokio::test]
async fn json_has_the_record_and_every_way() {
    let folder = folder().await;
    let arguments = ["explain", "web", "incident.log", "--script", "autoscale.rhai", "--at", "03:12", "--json"];
    let told = on(&folder, &arguments).run().expect(0).json();
    assert_eq!(told["record"]["measurements"][0]["data"], 1340.0);
    assert_eq!((&told["unit"], &told["zone"]), (&"ms".into(), &"America/Vancouver".into()));
    let way = &told["would_have"][0];
    assert_eq!((&way["decision"], &way["dynos"], &way["exact"]), (&"up".into(), &4.into(), &true.into()));
    assert_eq!((&way["further"][0], &way["further"][1]["above"]), (&1.into(), &1000.0.into()));
    assert_eq!((&told["held"]["ticks"], &told["last_scale"]["tick"]), (&13.into(), &8.into()));
    let down = on(&folder, &[&arguments[..], &["--why-not", "down"]].concat()).run().expect(0).json();
    let ways: Vec<&Json> = down["would_have"].as_array().unwrap().iter().map(|way| &way["decision"]).collect();
    assert_eq!((ways, &down["why_not"]), (vec![&"down".into(), &"down".into()], &"down".into()));
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_there_is() {
    let folder = folder().await;
    let refused = |arguments: &[&str]| on(&folder, arguments).run().expect(1).stderr;
    let error = refused(&["explain", "queue", "incident.log"]);
    assert!(error.contains("there is no pipeline `queue`; there are `web`"), "{error}");
    let error = refused(&["explain", "webb", "incident.log"]);
    assert!(error.contains("no pipeline `webb`; did you mean `web`?"), "{error}");
    let error = refused(&["explain", "web", "incident.log", "--script", "autoscale.rhai", "--at", "03:01"]);
    let range = "its records are of 2026-11-24 03:02:00 to 2026-11-24 03:12:30 (America/Vancouver)";
    assert!(
        error.contains("nothing is recorded of `web` at 2026-11-24 03:01:00 or before") && error.contains(range),
        "{error}"
    );
    let error = refused(&["explain", "web", "nothing.log"]);
    assert!(error.contains("`nothing.log` cannot be read"), "{error}");
    // What is typed wrong is another exit code.
    let wrong = |arguments: &[&str]| on(&folder, arguments).run().expect(2).stderr;
    let error = wrong(&["explain", "web", "incident.log", "--at", "soon"]);
    assert!(error.contains("`soon` is no time: write 03:12"), "{error}");
    let error = wrong(&["explain", "web", "incident.log", "--at", "25:00"]);
    assert!(error.contains("`25:00` is no time: write 03:12"), "{error}");
    let error = wrong(&["history", "web", "incident.log", "--since", "03:10", "--until", "03:05"]);
    assert!(error.contains("`--until 03:05` does not lie after `--since 03:10`"), "{error}");
    let pin = ["pin", "web", "incident.log", "--script", "autoscale.rhai", "--expect", "hold", "--print", "--at"];
    let error = wrong(&[&pin[..], &["2999-01-01T03:12"]].concat());
    assert!(error.contains("`--at` is 2999-01-01 03:12:00, which is still to come"), "{error}");
    // A time of day as a log has it.
    let said = on(&folder, &["explain", "web", "incident.log", "--at", "11:12:00Z"]).run().expect(0).stdout;
    assert!(said.starts_with("web at 2026-11-24 11:12:00 (UTC): held at 3 dynos\n"), "{said}");
}

#[tokio::test]
async fn a_log_without_records_lists_its_scales_and_says_how_to_have_more() {
    let folder = folder().await;
    folder.write(
        "info.log",
        "2026-11-24T11:05:30+00:00 app[autoscaler.1]: level=info pipeline=web msg=\"scaled from 2 to 3 dynos: slow\"\n",
    );
    let said = on(&folder, &["explain", "web", "info.log", "--script", "autoscale.rhai"]).run().expect(1);
    assert_eq!(said.stdout, "2026-11-24 03:05:30  web: scaled from 2 to 3 dynos: slow\n");
    assert!(said.stderr.contains("no record in these 1 lines: run the worker with `--log debug`"), "{}", said.stderr);
}

#[tokio::test]
async fn a_gap_in_the_records_is_said() {
    let folder = folder().await;
    let mut records = incident().await;
    let mut later = (**records.last().unwrap()).clone();
    (later.at, later.tick) = (later.at + chrono::TimeDelta::hours(3), 99);
    records.push(later.into());
    folder.write("gap.log", &log(&records));
    let arguments = ["explain", "web", "gap.log", "--script", "autoscale.rhai", "--at", "05:00"];
    let said = on(&folder, &arguments).run().expect(0).stdout;
    assert!(
        said.starts_with("web at 2026-11-24 03:12:30") && said.contains("no tick nearer to 2026-11-24 05:00:00"),
        "{said}"
    );
}

#[tokio::test]
async fn history_as_json_is_the_records_and_as_csv_has_its_columns() {
    let folder = folder().await;
    let json = on(&folder, &["history", "web", "incident.log", "--json"]).run().expect(0).json();
    let records = incident().await;
    let values: Vec<f64> =
        json.as_array().unwrap().iter().map(|record| record["measurements"][0]["value"].as_f64().unwrap()).collect();
    assert_eq!(values, INCIDENT);
    let read: autoscaler::pipeline::Record = serde_json::from_value(json[7].clone()).unwrap();
    let recorded = autoscaler::pipeline::Record { events: Vec::new(), ..(*records[7]).clone() };
    assert_eq!(read, recorded, "the shape of a record, and all of it but for the events");
    // What it prints is read again.
    let again = on(&folder, &["explain", "web", "-"]).input(json.to_string()).run().expect(0).stdout;
    assert!(again.contains("11:12:30"), "{again}");
    let csv = on(&folder, &["history", "web", "incident.log", "--csv", "--since", "11:05:30", "--until", "11:06:30"]);
    assert_eq!(
        csv.run().expect(0).stdout,
        "at,pipeline,tick,generation,mode,value,success,took_ms,measurement_error,dynos,booting,proposed,desired,min,max,\
         decision,outcome,reasons,reloaded\n\
         2026-11-24T11:05:30.000Z,web,8,1,live,1302,true,0.000,,2,0,3,3,1,5,up,scaled,\"policy: the last 3 of 3 above 1000 \
         ms: 1105, 1210, 1302\",\n\
         2026-11-24T11:06:00.000Z,web,9,1,live,1180,true,0.000,,3,0,,3,1,5,hold,none,cooldown: scaled 30 s ago; the next \
         decision is in 30 s,\n"
    );
}

#[test]
fn the_log_of_a_worker_at_debug_is_enough() {
    let script = Script::new(
        "pipeline(\"web\", #{ measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || 7), \
         decide: |m| if m.value > 10 { up(1) }, scale: #{ current: || 2, scale_to: |n| () } });",
    );
    for format in ["json", "logfmt"] {
        let mut worker =
            Autoscaler::on("run", &script.path()).arg("--log=debug").arg(&format!("--log-format={format}")).spawn();
        worker.line_where(0, "three ticks", |line| {
            line.text.contains("tick\\\":3") || line.text.contains("\"record\":{") && line.text.contains("\"tick\":3")
        });
        worker.stop(crate::harness::Signal::Terminate);
        let lines: Vec<String> = worker.lines().into_iter().map(|line| line.text).collect();
        let text = lines.join("\n");
        let command = Autoscaler::new(["explain", "web", "-", "--script"]).arg(script.path().to_str().unwrap());
        let said = command.input(text).run().expect(0).stdout;
        assert!(
            said.contains("held at 2 dynos") && said.contains("a measurement above 10 instead of 7 (3 more)"),
            "{said}"
        );
    }
}
