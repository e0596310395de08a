//! Owns what scripts cost: a decision of four branches, a tick of a scripted pipeline beside a native one,
//! pipelines declared in a loop, and the ticks of others while a function blocks.

use std::fmt;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use autoscaler::decide::{PolicyInput, PolicyKind};
use autoscaler::function::{Argument, CallError, Callable, Calls, Function, IN_PLACE, Permit, Reach, Returned, This};
use autoscaler::measure::{MeasureContext, MeasureStage, OnFailure};
use autoscaler::pipeline::{History, Measurement, Moment, PipelineSpec, declare};
use autoscaler::script::{Environment, Loaded, MissingSecrets, Source, load};
use autoscaler::settings::Place;
use autoscaler::world::{LiveSources, Sources, World};
use chrono::{DateTime, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::Form;
use crate::cost;
use crate::server::Server;
use crate::table::{self, percentile, row, spread};
use crate::worker::{Apps, NATIVE, NoVariables, Worker, script};

/// Four branches on `m`: thresholds, a statistic, the hour.
const FOUR_BRANCHES: &str = "|m| {
            if m.value > 1200 && m.history.average(3) > 1000 { up(2) }
            else if m.value > 900 { up(1) }
            else if m.now.hour < 6 && m.dynos > m.min_dynos { down(1) }
            else if m.value < 100 { down(1).because(\"quiet\") }
        }";

/// Pipelines declared in a loop.
const MANY: usize = 10_000;

/// Prints the tables.
pub async fn measure(form: Form) {
    decisions(form);
    ticks(form).await;
    declared(form);
    blocked(form).await;
}

fn loaded(text: &str) -> Loaded {
    let environment: Arc<dyn Environment> = Arc::new(NoVariables);
    let source = Source { path: "bench.rhai".into(), text: Some(text.into()), unit: None };
    load(&source, &environment, MissingSecrets::Placeholder)
}

fn spec(decide: &str) -> Arc<PipelineSpec> {
    let text = format!(
        "pipeline(\"web\", #{{ measure: || 1, decide: {decide}, scale: #{{ current: || 1, scale_to: |n| () }} }});"
    );
    let declared = declare(&loaded(&text), None, 1, chrono_tz::UTC);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    Arc::clone(&declared.specs[0])
}

fn history(now: DateTime<Utc>) -> History {
    let mut history = History::default();
    for step in 0_i32..10 {
        let at = now - TimeDelta::seconds(i64::from(10 - step));
        history.push(Measurement::good("custom", json!(300.0 + f64::from(step)), at), 10);
    }
    history
}

/// The function alone, then with what the engine does around it, beside the native policy.
fn decisions(form: Form) {
    let calls_per_round = form.pick(100_000_u32, 300_000);
    let now = Utc::now();
    let PolicyKind::Scripted(function) = spec(FOUR_BRANCHES).decide.policies[0].kind.clone() else {
        panic!("it is a function")
    };
    let PolicyKind::Native(policy) = spec(NATIVE).decide.policies[0].kind.clone() else { panic!("it is native") };
    let history = Arc::new(history(now));
    let moment = Arc::new(Moment {
        pipeline: "web".into(),
        measurement: Arc::new(Measurement::good("custom", json!(300.0), now)),
        history: Arc::clone(&history),
        past: Arc::clone(&history),
        named: Vec::new(),
        judges_all: false,
        mark: None,
        dynos: 2,
        booting: 0,
        min_dynos: 1,
        max_dynos: 5,
        now: now.with_timezone(&chrono_tz::UTC),
        seconds_since_scale: None,
    });
    let pipeline: Arc<str> = "web".into();
    let permit = Permit { pipeline: Arc::clone(&pipeline), budget: IN_PLACE, reach: Reach::Pure };
    let memory = Mutex::new(This::default());
    let calls = Calls::default();
    let mut memory_alone = This::default();
    let mut alone = || {
        let answer = function.call(Argument::Moment(Arc::clone(&moment)), &mut memory_alone, &permit);
        black_box(answer.expect("the function works"));
    };
    let called = || {
        let call = calls.pure(&function, Argument::Moment(Arc::clone(&moment)), &memory, &pipeline);
        let answer = futures_util::FutureExt::now_or_never(call).expect("a common decision is made in place");
        black_box(answer.expect("the function works"));
    };
    let native = || {
        let input = PolicyInput {
            history: history.judged(None),
            on_failure: OnFailure::Hold,
            dynos: 2,
            increment: 1,
            unit: Some("ms"),
        };
        black_box(policy.propose(black_box(&input)));
    };
    let rounds = form.pick(5, 11);
    let micros = |step: &mut dyn FnMut()| -> Vec<f64> {
        let round = |_| {
            // Of this thread alone: others may be at work on the machine.
            let begun = cpu_of_thread();
            (0..calls_per_round).for_each(|_| step());
            (cpu_of_thread() - begun) / f64::from(calls_per_round)
        };
        (0..rounds).map(round).collect()
    };
    let (alone, called, native) = (micros(&mut alone), micros(&mut { called }), micros(&mut { native }));
    table::print(&[
        row(["one decision, µs", "four branches (goal ≤ 3)", "as the tick calls it", "native policy"]),
        row(["", &spread(&alone, 2), &spread(&called, 2), &spread(&native, 2)]),
    ]);
}

/// The CPU time that this thread has used, in microseconds.
fn cpu_of_thread() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// CPU time per tick, scripted and native in turns, 100 pipelines at 100 ms.
async fn ticks(form: Form) {
    let (rounds, time) = form.pick((5, Duration::from_secs(3)), (11, Duration::from_secs(5)));
    let mut server = Server::start();
    let interval = Duration::from_millis(100);
    let texts = [NATIVE, FOUR_BRANCHES].map(|decide| script(&server, 100, interval, Apps::One, decide, "/m"));
    let (mut native, mut scripted) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        native.push(cost::worker(&mut server, &texts[0], time).await.0);
        scripted.push(cost::worker(&mut server, &texts[1], time).await.0);
    }
    let ratios: Vec<f64> = native.iter().zip(&scripted).map(|(native, scripted)| scripted / native).collect();
    println!();
    table::print(&[
        row(["CPU time per tick, 1,000 ticks a second, µs", "scripted", "native", "ratio (goal ≤ 1.2)"]),
        row(["100 pipelines", &spread(&scripted, 1), &spread(&native, 1), &spread(&ratios, 3)]),
    ]);
}

/// From the text to specs.
fn declared(form: Form) {
    let text = format!(
        "for i in 0..{MANY} {{
    pipeline(`web${{i}}`, #{{
        measure: || i,
        min_dynos: 1, max_dynos: 10,
        decide: |m| if m.value > i {{ up(1) }} else {{ down(1) }},
        scale: scale::heroku(#{{ app_name: `app${{i}}`, api_key: \"bench-key-0123456789\" }}),
        notify: |event| print(event.message),
    }});
}}"
    );
    let (mut run, mut all) = (Vec::new(), Vec::new());
    for _ in 0..form.pick(5, 11) {
        let begun = Instant::now();
        let loaded = loaded(&text);
        run.push(begun.elapsed().as_secs_f64() * 1e3);
        let declared = declare(&loaded, None, 1, chrono_tz::UTC);
        all.push(begun.elapsed().as_secs_f64() * 1e3);
        assert_eq!(declared.specs.len(), MANY, "{}", declared.report);
    }
    println!();
    table::print(&[
        row(["10,000 pipelines declared in a loop, ms", "run", "run, read and checked (goal ≤ 500)"]),
        row(["", &spread(&run, 0), &spread(&all, 0)]),
    ]);
}

/// A function that blocks its thread, as one does that waits for a slow server.
struct Blocks(Place);

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("blocks for 5 s")
    }
}

impl Callable for Blocks {
    fn arity(&self) -> usize {
        0
    }

    fn place(&self) -> &Place {
        &self.0
    }

    fn fingerprint(&self) -> &'static str {
        ""
    }

    fn call(&self, _: Argument, _: &mut This, _: &Permit) -> Result<Returned, CallError> {
        std::thread::sleep(Duration::from_secs(5));
        Ok(Returned::Int(1))
    }
}

/// Measures live, notes how late it is asked to, and lets one pipeline's function block.
struct Watched {
    late: Mutex<Vec<f64>>,
    block: bool,
}

#[async_trait]
impl Sources for Watched {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        if &**context.pipeline == "web0" {
            if self.block {
                let function: Function = Arc::new(Blocks(Place::file("bench.rhai")));
                let call = world.calls.reaching(&function, Argument::Nothing, context.memory, context.pipeline, world);
                drop(call.await);
            }
            return Measurement::good("custom", json!(1), context.at);
        }
        let late = (world.clock.now() - context.at).num_microseconds().unwrap_or(i64::MAX) as f64 / 1000.0;
        self.late.lock().expect("nobody panics").push(late);
        LiveSources.measure(stage, context, world).await
    }
}

/// The lateness of the ticks of 100 pipelines, alone and while another blocks for 5 s at every tick.
async fn blocked(form: Form) {
    let time = form.pick(Duration::from_secs(11), Duration::from_secs(31));
    let server = Server::start();
    let text = script(&server, 101, Duration::from_millis(100), Apps::Own, FOUR_BRANCHES, "/m");
    let mut rows = vec![row(["lateness of 100 others, ms", "p50", "p99", "worst"])];
    let mut p99 = Vec::new();
    for (name, block) in [("nothing blocks", false), ("one blocks for 5 s, again and again", true)] {
        let watched = Arc::new(Watched { late: Mutex::default(), block });
        let sources: Arc<dyn Sources> = Arc::clone(&watched) as _;
        let worker = Worker::start(&text, |live| Arc::new(World { sources, ..World::clone(&live) }));
        tokio::time::sleep(Duration::from_secs(2)).await;
        watched.late.lock().expect("nobody panics").clear();
        tokio::time::sleep(time).await;
        let late = std::mem::take(&mut *watched.late.lock().expect("nobody panics"));
        worker.stop().await;
        let [middle, ninety_nine, worst] = [50.0, 99.0, 100.0].map(|p| percentile(&late, p));
        p99.push(ninety_nine);
        rows.push(row([name, &format!("{middle:.1}"), &format!("{ninety_nine:.1}"), &format!("{worst:.1}")]));
    }
    println!();
    table::print(&rows);
    println!("the 99th percentile moved by {:.1} ms (goal ≤ 10)", p99[1] - p99[0]);
}
