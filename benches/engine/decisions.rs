//! Owns the cost of deciding: a scripted decision beside a native policy, and the controller alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use autoscaler::decide::Proposal;
use autoscaler::levers::ActiveLevers;
use autoscaler::pipeline::controller::decide;
use autoscaler::pipeline::{ControlState, Measurement, Observation, PipelineSpec, Proposed};
use autoscaler::world::Supply;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::Form;
use crate::cost;
use crate::server::Server;
use crate::table::{self, median, row, spread};
use crate::worker::{Apps, NATIVE, Worker, script};

/// A decision as people write it: a mean, two thresholds, a reason.
const SCRIPTED: &str = "|m| {
            let mean = m.history.average(3);
            if mean == () { hold(\"too few\") }
            else if mean > 1200 { up(1).because(`mean ${mean} ms`) }
            else if mean < 400 { down(1) }
        }";

/// Prints both tables.
pub async fn measure(form: Form) {
    let (rounds, time) = form.pick((5, Duration::from_secs(2)), (11, Duration::from_secs(4)));
    let mut server = Server::start();
    let interval = Duration::from_millis(10);
    let texts = [NATIVE, SCRIPTED].map(|decide| script(&server, 1, interval, Apps::Own, decide, "/m"));
    let (mut native, mut scripted) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        native.push(cost::worker(&mut server, &texts[0], time).await.0);
        scripted.push(cost::worker(&mut server, &texts[1], time).await.0);
    }
    let ratios: Vec<f64> = native.iter().zip(&scripted).map(|(native, scripted)| scripted / native).collect();
    table::print(&[
        row(["CPU time per tick, µs", "scripted", "native", "ratio"]),
        row(["1 pipeline", &spread(&scripted, 0), &spread(&native, 0), &spread(&ratios, 2)]),
    ]);
    let worker = Worker::start(&texts[0], |world| world);
    let rates: Vec<f64> = (0..rounds).map(|_| rate(&worker.specs()[0])).collect();
    worker.stop().await;
    println!("\nthe controller alone: {:.1} million decisions per second on one core", median(&rates) / 1e6);
}

/// Decisions of the controller in a second.
fn rate(spec: &PipelineSpec) -> f64 {
    const DECISIONS: u32 = 500_000;
    let start = Utc::now();
    let measurements = [Measurement::good("ResponseTimeBackend", json!(812.5), start)];
    let text = "the last 3 values are above 1200 ms".to_owned();
    let proposals = [Proposed { name: "decision".into(), proposal: Proposal { dynos: Some(3), text } }];
    let supply = Supply { dynos: 2, booting: 0, limit: None, read_at: start };
    let observation = Observation {
        measurements: &measurements,
        dynos: Ok(supply),
        proposals: &proposals,
        levers: ActiveLevers::default(),
    };
    let state = ControlState::default();
    let begun = Instant::now();
    for step in 0..DECISIONS {
        let now = start + TimeDelta::seconds(i64::from(step));
        black_box(decide(spec, &state, black_box(&observation), now));
    }
    f64::from(DECISIONS) / begun.elapsed().as_secs_f64()
}
