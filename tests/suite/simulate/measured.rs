//! What a simulated pipeline measures: every documented backend is answered by the app, others name their
//! signal; faults are those that were asked for.

use autoscaler::simulate::{Faults, Setting};

use super::bench::{close, simulated, steady, web};

/// The mean of what was measured.
#[track_caller]
fn mean(script: &str, setting: &Setting) -> f64 {
    let values: Vec<f64> = simulated(script, setting).series.iter().filter_map(|point| point.measured).collect();
    assert!(values.len() > 100, "measured {} times", values.len());
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn documented_measurements_are_answered_by_the_app() {
    let heroku = r#"scale::heroku(#{ app_name: "shop", api_key: "not-a-key-at-all" })"#;
    let script = |measure: &str| {
        format!(
            r#"pipeline("web", #{{
    measure: {measure},
    decide: |m| (),
    scale: {heroku},
    min_dynos: 1,
    max_dynos: 40,
    simulate: #{{ rate_per_dyno: 10 }},
}});"#
        )
    };
    // 80/s need 9 dynos: 100 ms of work, and 65 % of the requests wait for 100 ms; 5.2 of them wait at a time.
    for measure in [
        r#"measure::response_time(#{ base_url: "https://shop.example.com" })"#,
        r#"measure::heroku_service_time(#{ base_url: "https://shop.example.com" })"#,
    ] {
        close(measure, mean(&script(measure), &steady(80.0, 600)), 165.0, 0.15);
    }
    let queue = r#"measure::celery_redis_queue_size(#{ redis_url: "redis://redis.example.com/0" })"#;
    close(queue, mean(&script(queue), &steady(80.0, 600)), 5.2, 0.25);
    // `.map` reworks them as ever.
    let mapped = r#"measure::response_time(#{ base_url: "https://shop.example.com" }).map(|data| data / 0)"#;
    assert!(simulated(&script(mapped), &steady(80.0, 10)).scalings.is_empty());
}

#[test]
fn several_signals_are_a_map() {
    let script = web(r#"decide: |m| to(m.data.rate / 10 + m.data.busy),
    simulate: #{ rate_per_dyno: 10, signals: #{ rate: "arrival_rate", busy: "utilization" } },"#);
    let run = simulated(&script, &steady(80.0, 30));
    assert!(run.wrong.is_none(), "{:?}", run.wrong);
    assert!(run.scalings.iter().any(|scaling| scaling.to >= 9), "{:?}", run.scalings);
}

#[test]
fn what_is_measured_may_lag_and_look_back() {
    // From 20 to 80 requests/s within the sixth minute; measured every 30 s.
    let mut rates = vec![20.0; 6];
    rates.extend(vec![80.0; 10]);
    let first = |simulate: &str| {
        let script = web(&format!(
            "decide: |m| if m.value > 75 {{ to(30) }}, simulate: #{{ rate_per_dyno: 10, signal: \"arrival_rate\", {simulate} }},"
        ));
        simulated(&script, &super::bench::minutes(&rates)).scalings[0].second
    };
    assert_eq!(first(""), 390);
    assert_eq!(first("signal_delay_seconds: 60"), 450);
    assert!(first("signal_window_seconds: 240") >= 480);
}

#[test]
fn faults_happen_as_often_as_they_were_asked_for_and_never_scale_down() {
    let script =
        web(r#"decide: decide::consecutive_threshold(#{ min_measurement_value: 0.5, max_measurement_value: 0.75 }),
    simulate: #{ rate_per_dyno: 10, signal: "utilization" },"#);
    let mut rates = vec![20.0; 10];
    rates.extend(vec![80.0; 60]);
    let fine = super::bench::minutes(&rates);
    let with = |faults: &str| {
        let faults: Faults = faults.parse().unwrap();
        simulated(&script, &Setting { faults, ..fine.clone() })
    };
    assert!(simulated(&script, &fine).scalings.len() > 5);
    assert!(with("missing:100%").scalings.is_empty());
    assert!(with("scale-fails:100%").scalings.is_empty());
    let (quick, slow) = (simulated(&script, &fine), with("slow-boot:100%"));
    assert!(slow.scores.late_percent > quick.scores.late_percent, "{:?} {:?}", slow.scores, quick.scores);
    let missing = with("missing:30%");
    let measured = missing.series.iter().filter(|point| point.measured.is_some()).count();
    close("measured", measured as f64, 0.7 * missing.series.len() as f64, 0.25);
}
