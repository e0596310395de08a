//! Owns the cost of deciding: a scripted decision beside a native policy, and the controller alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use autoscaler::decide::Proposal;
use autoscaler::levers::ActiveLevers;
use autoscaler::pipeline::controller::decide;
use autoscaler::pipeline::{
    Behavior, Boot, CircuitBreaker, Circumstances, ControlState, Fallback, GuardSettings, Measurement, Observation,
    PipelineSpec, Proposed, Step,
};
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
    let spec = PipelineSpec::clone(&worker.specs()[0]);
    worker.stop().await;
    let guarded = PipelineSpec { guards: every_guard(), ..spec.clone() };
    let median_of = |spec: &PipelineSpec| median(&(0..rounds).map(|_| rate(spec)).collect::<Vec<_>>()) / 1e6;
    println!(
        "\nthe controller alone: {:.1} million decisions per second on one core, {:.1} with every guard",
        median_of(&spec),
        median_of(&guarded)
    );
}

/// Every guard that a decision can be asked for, none of which stops it.
fn every_guard() -> GuardSettings {
    let minute = Duration::from_secs(60);
    let step = Some(Step { dynos: Some(4), percent: Some(100.0), per: minute, larger: true });
    GuardSettings {
        tolerance: 0.1,
        stabilization_up: minute,
        stabilization_down: 5 * minute,
        max_step_up: step,
        max_step_down: step,
        cooldown_up: minute,
        cooldown_down: minute,
        fallback: Some(Fallback { after: 3, behavior: Behavior::AtLeast(4) }),
        max_steps_up_on_failure: Some(2),
        boot: Boot::Seconds(minute),
        circuit_breaker: Some(CircuitBreaker { failures: 5, up_within: 10 * minute, retry: 15 * minute }),
        max_reversals_per_hour: Some(4),
        ..GuardSettings::default()
    }
}

/// Decisions of the controller in a second, each with what the one before remembers.
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
        room: None,
        levers: ActiveLevers::default(),
        circumstances: Circumstances::default(),
    };
    let mut state = ControlState::default();
    let begun = Instant::now();
    for step in 0..DECISIONS {
        let now = start + TimeDelta::seconds(i64::from(step));
        state = black_box(decide(spec, &state, black_box(&observation), now)).1;
    }
    f64::from(DECISIONS) / begun.elapsed().as_secs_f64()
}
