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
    app.feed(values).await;
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
