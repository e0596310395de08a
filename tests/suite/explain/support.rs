//! What the tests of this group share: a pipeline that has run, and its records.

use std::sync::Arc;

use autoscaler::explain::{Explanation, Question, Way, explain};
use autoscaler::pipeline::{Decided, PipelineSpec, Record};
use autoscaler::world::pretend::Pretend;

use crate::pipeline::bench::{App, noon, specs};

/// A pipeline that has run.
pub struct Past {
    pub spec: Arc<PipelineSpec>,
    pub app: App,
}

/// The first pipeline of `script` after one tick a value, an interval apart, from noon (UTC) on.
pub async fn past(script: &str, dynos: u32, values: impl IntoIterator<Item = f64>) -> Past {
    let spec = Arc::clone(&specs(script)[0]);
    let mut app = App::open(Arc::clone(&spec), &Pretend::starting_at(noon())).await;
    app.set(dynos);
    for value in values {
        app.feed([value]).await;
    }
    Past { spec, app }
}

impl Past {
    pub fn records(&self) -> &[Arc<Record>] {
        &self.app.records
    }

    /// The explanation of its last tick.
    pub async fn told(&self) -> Explanation {
        self.told_of(self.records(), None).await
    }

    pub async fn told_of(&self, records: &[Arc<Record>], why_not: Option<Decided>) -> Explanation {
        let zone = self.spec.decide.zone;
        let question = Question { spec: Some(&self.spec), zone, records, at: None, why_not, last_scale: None };
        explain(&question).await.expect("there is a tick")
    }
}

/// "up to 3: 1 more measurement above 1000 …" for every way.
pub fn ways(told: &Explanation) -> Vec<String> {
    let way = |way: &Way| {
        let decision = way.decision.map_or("?", Decided::name);
        let dynos = way.dynos.map_or_else(|| "?".into(), |dynos| dynos.to_string());
        format!("{decision} {dynos}: {}", way.text)
    };
    told.would_have.iter().map(way).collect()
}

/// The script of the page, and of the incident.
pub const SCRIPT: &str = r#"pipeline("web", #{
    measure: measure::response_time(#{ base_url: "https://www.example.com" }),
    decide:  decide::consecutive_threshold(#{ min_measurement_value: 500, max_measurement_value: 1000 }),
    scale:   scale::heroku(#{ app_name: "dancing-forest-1234", api_key: env::secret("HEROKU_API_KEY") }),
    max_dynos: 5,
    post_scale_wait_time_seconds: 60,
    time_zone: "America/Vancouver",
});
"#;

/// What the app of [`SCRIPT`] went through from 03:02:00 on, at 2 dynos: one scale at 03:05:30, and at 03:12:00
/// none.
pub const INCIDENT: [f64; 22] = [
    612.0, 598.0, 640.0, 655.0, 630.0, 1105.0, 1210.0, 1302.0, 1180.0, 890.0, 905.0, 940.0, 870.0, 910.0, 930.0,
    1015.0, 990.0, 960.0, 985.0, 1210.0, 1340.0, 990.0,
];

/// The records of [`INCIDENT`].
pub async fn incident() -> Vec<Arc<Record>> {
    let spec = Arc::clone(&specs(SCRIPT)[0]);
    let mut app = App::open(Arc::clone(&spec), &Pretend::starting_at(noon())).await;
    app.now = "2026-11-24T11:02:00Z".parse().unwrap();
    app.set(2);
    app.feed(INCIDENT).await;
    app.records
}

/// A log of `records`, as `--log debug` writes it on Heroku.
pub fn log(records: &[Arc<Record>]) -> String {
    let line = |record: &Arc<Record>| {
        let text = record.compact().unwrap().replace('\\', "\\\\").replace('"', "\\\"");
        let at = record.at.to_rfc3339();
        format!("{at} app[autoscaler.1]: level=debug pipeline={} msg=\"a tick\" record=\"{text}\"\n", record.pipeline)
    };
    records.iter().map(line).collect()
}

/// A folder with `autoscale.rhai` and `incident.log`.
pub async fn folder() -> crate::harness::Script {
    let script = crate::harness::Script::named("autoscale.rhai", SCRIPT);
    script.write("incident.log", &log(&incident().await));
    script
}
