//! The simulated app as a flow and request by request: they agree, and jobs in a queue are as jobs are.

use super::bench::{close, minutes, simulated, steady, web};
use autoscaler::simulate::Setting;

/// Dynos that stay as they are at first: as many as the objective needs.
fn still(simulate: &str) -> String {
    web(&format!("decide: |m| (), simulate: #{{ signal: \"utilization\", {simulate} }},"))
}

#[test]
fn the_flow_and_single_requests_agree_on_a_steady_load() {
    // Dynos of one worker, of four, and two alone: late by 0.1 s already, so that there is something to count.
    for (rate, simulate) in [
        (70.0, "rate_per_dyno: 10, slo_wait_seconds: 0.1"),
        (105.0, "rate_per_dyno: 40, service_ms: 100, slo_wait_seconds: 0.1, slo_percent: 20"),
        (8.0, "rate_per_dyno: 10, slo_wait_seconds: 0.1, slo_percent: 10"),
    ] {
        let script = still(simulate);
        let flow = steady(rate, 120);
        let single = Setting { exact: true, ..flow.clone() };
        let (flow, single) = (simulated(&script, &flow), simulated(&script, &single));
        assert!(flow.scalings.is_empty() && flow.scores.late_percent > 0.5, "{:?}", flow.scores);
        close("late", single.scores.late_percent, flow.scores.late_percent, 0.1);
        close("p95", single.scores.wait_ms[1], flow.scores.wait_ms[1], 0.1);
        close("p99", single.scores.wait_ms[2], flow.scores.wait_ms[2], 0.1);
        assert_eq!(single.scores.cost_ratio, flow.scores.cost_ratio);
        let utilization = |run: &autoscaler::simulate::Run| {
            let values: Vec<f64> = run.series.iter().filter_map(|point| point.measured).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        close("utilization", utilization(&single), utilization(&flow), 0.1);
    }
}

#[test]
fn the_flow_and_single_requests_agree_on_an_overload_that_is_shed() {
    // 30 requests/s at 20/s, since `max_dynos` is 2: the backlog reaches 10 s, and a third is turned away.
    let script = web("decide: |m| (), simulate: #{ signal: \"utilization\", rate_per_dyno: 10 },")
        .replace("max_dynos: 40", "max_dynos: 2");
    let flow = steady(30.0, 60);
    let single = Setting { exact: true, ..flow.clone() };
    let (flow, single) = (simulated(&script, &flow), simulated(&script, &single));
    close("dropped", single.scores.dropped_percent, flow.scores.dropped_percent, 0.1);
    close("a third", flow.scores.dropped_percent, 33.3, 0.1);
    close("late", single.scores.late_percent, flow.scores.late_percent, 0.02);
    close("p50", single.scores.wait_ms[0], flow.scores.wait_ms[0], 0.1);
}

#[test]
fn a_queue_keeps_every_job_and_its_oldest_ages() {
    // Ten minutes of twice as many jobs as two workers do, and none after.
    let mut rates = vec![4.0; 10];
    rates.extend(vec![0.0; 20]);
    let script = web(
        "decide: |m| (), simulate: #{ app: \"queue\", rate_per_dyno: 1, signal: \"queue_age\", slo_wait_seconds: 60 },",
    )
    .replace("max_dynos: 40", "max_dynos: 2");
    let run = simulated(&script, &minutes(&rates));
    assert_eq!(run.scores.dropped_percent, 0.0);
    // Some 2,300 jobs at 2/s: the last one is begun after 1,150 s, and has waited for about 600.
    let oldest = run.series.iter().filter_map(|point| point.measured).fold(0.0, f64::max);
    close("the oldest", oldest, 590.0, 0.15);
    assert_eq!(run.series.last().unwrap().measured, Some(0.0));
    assert!(run.scores.late_percent > 80.0, "{:?}", run.scores);
}

#[test]
fn even_durations_wait_about_half_as_long_as_exponential_ones() {
    let waited = |law: &str| {
        let script = still(&format!(
            "app: \"queue\", rate_per_dyno: 10, durations: \"{law}\", slo_wait_seconds: 0.1, slo_percent: 60"
        ));
        let run = simulated(&script, &steady(8.0, 300));
        run.series.iter().map(|point| point.wait_ms).sum::<f64>() / run.series.len() as f64
    };
    let (constant, exponential, lognormal) = (waited("constant"), waited("exponential"), waited("lognormal"));
    // M/D/1 waits half as long as M/M/1; a lognormal of the exponential's deviation waits as long.
    close("constant", constant, exponential / 2.0, 0.15);
    close("lognormal", lognormal, exponential, 0.25);
}
