//! Owns what a simulation costs: 21 days in steps of a second, with a native policy and with one that is a
//! script, on one core. `AUTOSCALER_TRACES` names a folder of traces; without it a load is made up.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use autoscaler::pipeline::declare;
use autoscaler::script::{Environment, MissingSecrets, Source, load};
use autoscaler::simulate::{Candidate, Faults, Preset, Setting, Trace, make, policy, read, run};
use rustix::time::{ClockId, clock_gettime};

use crate::Form;
use crate::table::{self, row, spread};
use crate::worker::NoVariables;

/// The trace that is used where there is a folder of them.
const RECORDED: &str = "wc98_may04_jun09_1m.csv";

/// Prints the table.
pub fn measure(form: Form) {
    let rounds = form.pick(3, 9);
    let trace = trace();
    println!("{}, 21 days", trace.name);
    let setting = Setting {
        trace: Arc::new(trace),
        seed: 1,
        warmup: 2 * 86_400,
        faults: Faults::default(),
        exact: false,
        series_step: None,
    };
    let mut rows = vec![row(["CPU time, s", "21 days", "ticks", "late %", "cost"])];
    for name in ["threshold-consec", "threshold-avg5m", "hpa"] {
        let candidate = candidate(name);
        let mut seconds = Vec::new();
        let mut cells = Vec::new();
        for _ in 0..rounds {
            let begun = cpu();
            let run = run(&setting, &candidate, &AtomicU64::new(0)).expect("a load that can be simulated");
            seconds.push(cpu() - begun);
            let scores = run.scores;
            cells =
                vec![run.ticks.to_string(), format!("{:.2}", scores.late_percent), format!("{:.3}", scores.cost_ratio)];
        }
        rows.push([vec![name.to_owned(), spread(&seconds, 2)], cells].concat());
    }
    table::print(&rows);
}

fn trace() -> Trace {
    let folder = std::env::var_os("AUTOSCALER_TRACES");
    let recorded = folder.and_then(|folder| read(&Path::new(&folder).join(RECORDED), false).ok());
    let mut trace = recorded.map_or_else(|| make("diurnal,days=21").expect("a known shape"), |(trace, _)| trace);
    trace.smooth(300.0);
    let bar = Preset::bar();
    trace.scale(bar.quantile, bar.dynos * bar.described.rate_per_dyno.unwrap_or(1.0)).expect("a load");
    trace.cut(21.0);
    trace
}

fn candidate(name: &str) -> Candidate {
    let text = policy(name, 60).expect("a known policy");
    let source = Source { path: format!("{name}.rhai").into(), text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(NoVariables);
    let declared = declare(&load(&source, &environment, MissingSecrets::Placeholder), None, 1, chrono_tz::UTC);
    let spec = Arc::clone(declared.specs.first().expect("a policy is a script with one pipeline"));
    let described = Preset::bar().described.or(spec.simulate.as_deref().expect("it says what it measures"));
    let model = described.model(&spec.name, "custom").expect("the preset says all of it");
    Candidate { name: name.into(), spec, model }
}

/// Seconds of CPU time of this thread: what else the machine does counts nowhere.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
