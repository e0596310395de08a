//! Owns the CPU time of a tick: the engine against the bare loop, in turns.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Form;
use crate::bare::Bare;
use crate::server::Server;
use crate::table::{self, median, row, spread};
use crate::worker::{Apps, NATIVE, Worker, script};

/// Connections are opened and code is loaded in this time, which is not counted.
const WARM_UP: Duration = Duration::from_millis(1500);

/// What is measured: how many pipelines, how often, of which apps.
const CASES: &[(&str, usize, Duration, Apps)] = &[
    ("1 pipeline", 1, Duration::from_millis(10), Apps::Own),
    ("100 pipelines of one app", 100, Duration::from_millis(200), Apps::One),
    ("100 pipelines of 100 apps", 100, Duration::from_millis(200), Apps::Own),
];

/// The CPU time that this process has used, in microseconds: all threads, user and system.
pub fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Prints the table.
pub async fn measure(form: Form) {
    let (rounds, time) = form.pick((5, Duration::from_secs(2)), (11, Duration::from_secs(4)));
    let mut rows = vec![row(["CPU time per tick", "engine µs", "bare µs", "ratio (goal ≤ 1.3)", "reads per tick"])];
    let mut server = Server::start();
    for (name, count, interval, apps) in CASES {
        let (mut engine, mut bare, mut ratios, mut reads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let text = script(&server, *count, *interval, *apps, NATIVE, "/m");
            let (cost, read) = worker(&mut server, &text, time).await;
            let bare_cost = bare_loop(&server, (*count, *interval, *apps), 1.0 / read, time).await;
            engine.push(cost);
            bare.push(bare_cost);
            ratios.push(cost / bare_cost);
            reads.push(read);
        }
        let reads = format!("{:.3}", median(&reads));
        rows.push(row([name, &spread(&engine, 0), &spread(&bare, 0), &spread(&ratios, 2), &reads]));
    }
    table::print(&rows);
}

/// Microseconds of CPU per tick of a worker that runs `text`, and formations read per tick.
pub async fn worker(server: &mut Server, text: &str, time: Duration) -> (f64, f64) {
    let worker = Worker::start(text, |world| world);
    tokio::time::sleep(WARM_UP).await;
    let before = (server.reads(), worker.ticks().await);
    let cpu_before = cpu();
    tokio::time::sleep(time).await;
    let used = cpu() - cpu_before;
    let ticks = (worker.ticks().await - before.1) as f64;
    let reads = (server.reads() - before.0) as f64;
    assert_eq!(worker.fault().await, None);
    worker.stop().await;
    (used / ticks, reads / ticks)
}

async fn bare_loop(
    server: &Server,
    (count, interval, apps): (usize, Duration, Apps),
    read_every: f64,
    time: Duration,
) -> f64 {
    let bare = Bare::start(server, count, interval, apps, read_every);
    tokio::time::sleep(WARM_UP).await;
    let (ticks, before) = (bare.ticks(), cpu());
    tokio::time::sleep(time).await;
    (cpu() - before) / (bare.ticks() - ticks) as f64
}
