//! The policy `steady` under load and with bad input: it needs no more than its objective, and what it cannot see it
//! does not guess.

use autoscaler::simulate::{Faults, Run, Setting, policy};

use super::bench::{candidate, minutes, simulated_as};

/// A day after the other, from 20 to 180 requests per second, in minutes; the last of them as `last` makes it of the
/// minute of the day.
fn days(count: usize, last: impl Fn(usize, f64) -> f64) -> Setting {
    let day = |minute: usize| 100.0 - 80.0 * (minute as f64 / 1440.0 * std::f64::consts::TAU).cos();
    let rate = |minute: usize| {
        let usual = day(minute % 1440);
        if minute / 1440 + 1 == count { last(minute % 1440, usual) } else { usual }
    };
    let setting = minutes(&(0..=count * 1440).map(rate).collect::<Vec<_>>());
    Setting { warmup: (count as u64 - 1) * 86_400, ..setting }
}

/// Of dynos of ten requests per second that boot for so long.
#[track_caller]
fn run(setting: &Setting, boot: u32) -> Run {
    run_as(&policy("steady", 60).unwrap(), setting, boot)
}

#[track_caller]
fn run_as(script: &str, setting: &Setting, boot: u32) -> Run {
    let app = format!("simulate: #{{ rate_per_dyno: 10, boot_seconds: {boot},");
    let run = simulated_as(&candidate(&script.replace("simulate: #{", &app), "steady"), setting);
    assert_eq!(run.wrong, None);
    run
}

fn faults(text: &str, setting: Setting) -> Setting {
    Setting { faults: text.parse::<Faults>().unwrap(), ..setting }
}

fn reasons(run: &Run) -> String {
    run.scalings.iter().map(|scaling| scaling.reason.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_usual_day_is_served_for_little_more_than_an_oracle_pays_at_long_boots_too() {
    for (boot, late, cost) in [(60, 0.4, 1.15), (300, 0.5, 1.17)] {
        let run = run(&days(3, |_, usual| usual), boot);
        let scores = run.scores;
        assert!(scores.late_percent < late && scores.cost_ratio < cost, "{boot} s: {scores:?}");
        assert!(scores.scalings_per_day < 80.0, "{boot} s: {scores:?}");
    }
}

#[test]
fn nothing_happens_where_nothing_changes() {
    let run = run(&Setting { warmup: 86_400, ..super::bench::steady(95.0, 2 * 1440) }, 60);
    assert!(run.scores.scalings_per_day <= 30.0 && run.scores.late_percent < 0.6, "{:?}", run.scores);
}

#[test]
fn what_boots_is_supply_and_does_not_wind_up() {
    // Five times the load within a minute, dynos that boot for five.
    let run = run(&days(2, |minute, _| if minute < 600 { 30.0 } else { 150.0 }), 300);
    let most = run.series.iter().map(|point| point.all).max().unwrap();
    assert!((17..=40).contains(&most), "{most} dynos for 150/s");
}

#[test]
fn a_level_above_all_that_was_probable_is_followed_and_said() {
    let run = run(&days(3, |minute, usual| if minute < 300 { usual } else { 3.0 * usual }), 60);
    assert!(reasons(&run).contains("outside of the forecast's band"), "{}", reasons(&run));
    let after: Vec<f64> = run.series[2 * 1440 + 320..].iter().map(|point| point.late).collect();
    assert!(after.iter().sum::<f64>() / (after.len() as f64) < 0.01);
}

#[test]
fn a_signal_that_is_gone_for_minutes_holds_and_comes_back_to_what_is_measured() {
    let run = run(&faults("outage:10%", days(3, |_, usual| usual)), 60);
    assert!(reasons(&run).contains("s without a measurement"), "{}", reasons(&run));
    assert!(run.scores.late_percent < 2.0 && run.scores.cost_ratio < 1.25, "{:?}", run.scores);
}

#[test]
fn a_signal_that_is_stuck_takes_no_dyno_away_and_what_the_dynos_do_counts() {
    let run = run(&faults("stuck:20%", days(3, |_, usual| usual)), 60);
    assert!(reasons(&run).contains("exactly the same for"), "{}", reasons(&run));
    assert!(run.scores.late_percent < 2.0 && run.scores.cost_ratio < 1.3, "{:?}", run.scores);
}

#[test]
fn a_signal_that_is_doubled_never_makes_dynos_go() {
    let run = run(&faults("doubled:10%", days(3, |_, usual| usual)), 60);
    assert!(run.scores.late_percent < 0.6, "{:?}", run.scores);
    assert!(run.scores.cost_ratio < 1.6, "{:?}", run.scores);
}

#[test]
fn a_day_that_is_shifted_by_an_hour_is_followed() {
    let shifted = |minute: usize, _| 100.0 - 80.0 * ((minute as f64 + 60.0) / 1440.0 * std::f64::consts::TAU).cos();
    for boot in [60, 300] {
        let run = run(&days(4, shifted), boot);
        assert!(run.scores.late_percent < 1.0 && run.scores.cost_ratio < 1.2, "{boot} s: {:?}", run.scores);
    }
}

#[test]
fn a_deploy_that_halves_what_a_dyno_does_is_noticed_and_learned() {
    let run = run(&faults("slow-work:40%", days(3, |_, usual| usual)), 60);
    assert!(reasons(&run).contains("% busy"), "{}", reasons(&run));
    // As if it were told: twice the dynos for 40 % of the time.
    assert!(run.scores.late_percent < 4.0 && run.scores.cost_ratio < 1.9, "{:?}", run.scores);
}

#[test]
fn dynos_that_boot_three_times_as_long_are_waited_for() {
    let usual = run(&days(3, |_, usual| usual), 60).scores;
    let slow = run(&faults("slow-boot:50%", days(3, |_, usual| usual)), 60).scores;
    assert!(slow.late_percent < 1.0 && slow.cost_ratio < usual.cost_ratio + 0.05, "{slow:?}");
}

#[test]
fn a_count_that_does_not_move_is_asked_for_again_and_no_more_than_before() {
    let run = run(&faults("scale-fails:100%", days(2, |_, usual| usual)), 60);
    assert_eq!(run.scalings, []);
    let run = self::run(&faults("scale-fails:50%", days(3, |_, usual| usual)), 60);
    assert!(run.scores.late_percent < 0.8, "{:?}", run.scores);
}
