//! A worker that is killed at any instant: the next one neither scales twice for one decision nor forgets a
//! cooldown, whatever keeps its state.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::harness::{Autoscaler, FakeHeroku, SOON, Script, Signal, Worker, eventually};
use crate::measure::processes;

/// Workers are killed so often, each time at a random instant.
const KILLS: usize = 200;

/// So many workers side by side, each with an app and a state of its own.
const LANES: usize = 4;

const INTERVAL: Duration = Duration::from_millis(50);

const WAIT: Duration = Duration::from_millis(300);

/// Measurements that are too slow in a row before a scale.
const IN_A_ROW: usize = 2;

#[test]
fn killed_at_any_instant_with_state_in_a_file() {
    let states = tempfile::tempdir().unwrap();
    crashes(&|lane| states.path().join(lane.to_string()).display().to_string());
}

#[test]
fn killed_at_any_instant_with_state_in_redis() {
    let folder = tempfile::tempdir().unwrap();
    let server = processes::redis(folder.path(), &[]);
    crashes(&|lane| format!("redis://127.0.0.1:{}/{lane}", server.port));
}

/// Kills workers whose lane keeps its state in `state(lane)`, and looks at what they did to their apps.
fn crashes(state: &(dyn Fn(usize) -> String + Sync)) {
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            scope.spawn(move || Lane::new(state(lane)).run(KILLS / LANES));
        }
    });
}

/// What is measured: slow whenever somebody asks, and remembered.
struct Probe {
    url: String,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Probe {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let log = Arc::clone(&asked);
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|read| read > 0) {
                    log.lock().unwrap().push(Instant::now());
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n900");
                }
            }
        });
        Self { url, asked }
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

struct Lane {
    heroku: FakeHeroku,
    probe: Probe,
    script: Script,
    state: String,
}

impl Lane {
    fn new(state: String) -> Self {
        let (heroku, probe) = (FakeHeroku::start(), Probe::start());
        heroku.fake.set_dyno_limit("shop", 1000);
        let script = Script::new(&format!(
            "pipeline(\"web\", #{{
                measure: measure::custom(#{{ measurement_interval_in_seconds: {} }}, || {{ http::get(\"{}\").send(); 900 }}),
                decide: decide::consecutive_threshold(#{{
                    number_of_fails_to_scale_up_after: {IN_A_ROW}, number_of_passes_to_scale_down_after: 3,
                    min_measurement_value: 400, max_measurement_value: 600,
                    max_dynos: 1000, post_scale_wait_time_seconds: {},
                }}),
                scale: {},
                notify: [],
            }});",
            INTERVAL.as_secs_f64(),
            probe.url,
            WAIT.as_secs_f64(),
            heroku.scale(),
        ));
        Self { heroku, probe, script, state }
    }

    fn run(&self, kills: usize) {
        for _ in 0..kills {
            self.kill_once();
        }
        // One that lives goes on scaling.
        let before = self.patches().len();
        let mut worker = self.worker();
        let goes_on = eventually(SOON, || self.patches().len() >= before + 2);
        assert!(goes_on, "it scales no more:\n{}", worker.text());
        worker.stop(Signal::Terminate);
        self.judge();
    }

    fn worker(&self) -> Worker {
        let run = Autoscaler::on("run", &self.script.path()).arg("--state").arg(&self.state);
        run.env("HEROKU_API_KEY", "key-of-the-shop").spawn()
    }

    /// A worker from its start to its end, which comes just when it scales, or some time after its first tick.
    fn kill_once(&self) {
        let (patches, measured) = (self.patches().len(), self.probe.count());
        let started = Instant::now();
        let worker = self.worker();
        let random = |most| Duration::from_micros(fastrand::u64(0..most));
        match fastrand::u32(0..4) {
            0 => {
                poll(|| self.patches().len() > patches);
            }
            1 => {
                poll(|| self.patches().len() > patches);
                pause(random(5_000));
            }
            2 => {
                let ticks = fastrand::usize(1..8);
                poll(|| self.probe.count() >= measured + ticks);
                pause(random(20_000));
            }
            _ => {
                let after = random(400_000);
                poll(|| started.elapsed() >= after);
            }
        }
        // SIGKILL.
        drop(worker);
    }

    /// When the app was scaled to what.
    fn patches(&self) -> Vec<(Instant, u64)> {
        let requests = self.heroku.fake.requests();
        let patches = requests.iter().filter(|request| request.route.starts_with("PATCH "));
        let target = |body: &str| {
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            let quantity = json["quantity"].as_u64().or_else(|| json["updates"][0]["quantity"].as_u64());
            quantity.unwrap_or_else(|| panic!("{body}"))
        };
        patches.map(|request| (request.at, target(&request.body))).collect()
    }

    fn judge(&self) {
        let (patches, measured) = (self.patches(), self.probe.asked.lock().unwrap().clone());
        let before = |at: Instant| measured.iter().take_while(|measured| **measured < at).count();
        let mut different = 0;
        for pair in patches.windows(2) {
            let [(first, from), (second, to)] = *pair else { unreachable!() };
            // The same once more: the first call may not have come through.
            if from == to {
                continue;
            }
            different += 1;
            assert_eq!(to, from + 1, "two decisions from one count: {patches:?}");
            let (until_first, until_second) = (before(first), before(second));
            let judged = until_second - until_first;
            assert!(judged >= IN_A_ROW, "{from} → {to} on {judged} measurements since the last scale");
            // The tick of the first scale started after the measurement before its own; that of the second one
            // ended with its own.
            if until_first >= 2 {
                let (started, decided) = (measured[until_first - 2], measured[until_second - 1]);
                let waited = decided - started + INTERVAL / 10;
                assert!(waited >= WAIT, "{from} → {to} after {waited:?}: the cooldown was forgotten");
            }
        }
        assert!(different >= 5, "too few scales to tell anything: {patches:?}");
        assert_eq!(u64::from(self.heroku.web()), patches.last().unwrap().1);
    }
}

/// Waits for `condition`, closely, and not for ever.
fn poll(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(3);
    while !condition() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(Duration::from_micros(300));
    }
    true
}

fn pause(time: Duration) {
    let end = Instant::now() + time;
    poll(|| Instant::now() >= end);
}
