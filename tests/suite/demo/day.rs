//! The demo's promise, on virtual time: with its load, its app and the thresholds of its script, a
//! newcomer soon sees a scale up and a scale down.

use std::time::Duration;

use autoscaler::demo::load::Load;
use autoscaler::demo::queue::{Answer, Queue, Shape};
use autoscaler::demo::{BOOT, DAY, SCRIPT, START_DYNOS};

/// The number that `scripts/demo.rhai` gives `setting`.
fn written(setting: &str) -> f64 {
    let (_, rest) = SCRIPT.split_once(&format!("        {setting}: ")).expect("the script has the setting");
    rest.split([',', '\n']).next().and_then(|number| number.parse().ok()).expect("it is a number")
}

/// A scale: when, and to how many dynos.
#[derive(Clone, Copy, Debug)]
struct Scale {
    second: f64,
    from: u32,
    to: u32,
}

/// A consecutive-threshold policy written anew, in front of the demo's app, for `seconds`.
fn watch(seed: u64, seconds: f64) -> Vec<Scale> {
    let [low, high] = ["min_measurement_value", "max_measurement_value"].map(written);
    let [fails, passes] = ["number_of_fails_to_scale_up_after", "number_of_passes_to_scale_down_after"].map(written);
    let [floor, cap, wait] = ["min_dynos", "max_dynos", "post_scale_wait_time_seconds"].map(written);
    let load = Load::new(DAY, seed);
    let mut queue = Queue::new(Shape::default(), seed);
    let (mut dynos, mut running, mut booted) = (START_DYNOS, START_DYNOS, Duration::ZERO);
    let (mut above, mut below, mut quiet_until) = (0.0, 0.0, 0.0);
    let mut scales = Vec::new();
    let mut now = Duration::ZERO;
    while now.as_secs_f64() < seconds {
        let start = now;
        let mut step = |now: Duration, queue: &mut Queue| {
            running = if now >= booted { dynos } else { running.min(dynos) };
            queue.advance(now, running, |at| load.rate(at))
        };
        step(now, &mut queue);
        queue.join();
        let answer = loop {
            if let Some((_, answer)) = step(now, &mut queue).pop() {
                break answer;
            }
            now += Duration::from_millis(20);
        };
        let value = match answer {
            Answer::Served { done } => done.saturating_sub(start).as_secs_f64() * 1000.0,
            Answer::Refused => f64::INFINITY,
        };
        now = if let Answer::Served { done } = answer { now.max(done) } else { now };
        if start.as_secs_f64() >= quiet_until {
            (above, below) =
                (if value > high { above + 1.0 } else { 0.0 }, if value < low { below + 1.0 } else { 0.0 });
            let to = if above >= fails && f64::from(dynos) < cap {
                dynos + 1
            } else if below >= passes && f64::from(dynos) > floor {
                dynos - 1
            } else {
                dynos
            };
            if to != dynos {
                scales.push(Scale { second: now.as_secs_f64(), from: dynos, to });
                (dynos, booted, quiet_until) = (to, now + BOOT, start.as_secs_f64() + wait);
                (above, below) = (0.0, 0.0);
            }
        }
        now = now.max(start + Duration::from_secs(1));
    }
    scales
}

#[test]
fn a_newcomer_sees_a_scale_up_within_half_a_minute_and_a_scale_down_within_one() {
    for seed in 0..50 {
        let scales = watch(seed, 120.0);
        let up = scales.iter().find(|scale| scale.to > scale.from).expect("a scale up");
        let down = scales.iter().find(|scale| scale.to < scale.from).expect("a scale down");
        // The promise is 30 and 120 seconds; a busy machine is slower than virtual time.
        assert!(up.second < 20.0 && down.second < 60.0, "seed {seed}: {scales:?}");
    }
}

#[test]
fn the_demo_neither_flaps_nor_sits_at_its_maximum() {
    for seed in 0..50 {
        let scales = watch(seed, DAY.as_secs_f64());
        assert!((6..=12).contains(&scales.len()), "seed {seed}: {scales:?}");
        assert!(scales.iter().all(|scale| f64::from(scale.to) < written("max_dynos")), "seed {seed}: {scales:?}");
    }
}
