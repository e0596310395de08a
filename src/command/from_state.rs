//! Owns the load that a worker recorded, for `simulate --trace from-state`: which records, and which of their
//! measurements is a rate.

use std::sync::Arc;

use chrono::TimeDelta;

use super::records::{self, Scripts};
use crate::cli::{RecordsArgs, SimulateArgs};
use crate::explain::time;
use crate::pipeline::PipelineSpec;
use crate::simulate::{Answer, RateIn, Repairs, Trace, recorded};
use crate::state::Query;

/// The name of such a trace; `from-state:PIPELINE` where there are several.
pub const FROM_STATE: &str = "from-state";

/// Records are read in stretches of this length.
const STRETCH: TimeDelta = TimeDelta::hours(6);

/// The pipeline that `trace` names, where it is a load from records: `Some(None)` names none.
pub fn named(trace: &str) -> Option<Option<&str>> {
    match trace.strip_prefix(FROM_STATE)? {
        "" => Some(None),
        rest => rest.strip_prefix(':').map(Some),
    }
}

/// The recorded load of `pipeline`. Blocks; to be called off the threads of the runtime.
///
/// # Errors
/// When there are no records, or none of a rate.
pub fn read(trace: &str, pipeline: Option<&str>, args: &SimulateArgs) -> Result<(Trace, Repairs), String> {
    tokio::runtime::Handle::current().block_on(async {
        let script = args.scripts.first();
        let asked = RecordsArgs { script: script.cloned(), state: args.state.clone() };
        // The script that measured is kept with its records; the one that is simulated may be a newer one.
        let kept = records::open_kept(&asked).await?;
        let given = script.map(|script| Scripts::load(script)).transpose()?;
        let pipeline = pipeline.or(args.pipeline.as_deref());
        let name = kept.pipeline(pipeline).await?;
        let spec = |scripts: &Scripts| scripts.spec(&name).cloned();
        let specs: Vec<Arc<PipelineSpec>> =
            [Some(&kept.scripts), given.as_ref()].into_iter().flatten().filter_map(spec).collect();
        let declared = specs.iter().filter_map(|spec| spec.simulate.as_ref()?.answer.clone());
        let flag = args.signal.map(Answer::One);
        let Some(rate) = declared.chain(flag).find_map(|answer| RateIn::of(&answer)) else {
            return Err(format!(
                "no load is recorded of `{name}`: none of its measurements is said to be a rate; where one is, in \
                 requests per second, write `simulate: #{{ signal: \"arrival_rate\" }}` into the pipeline, or name the \
                 one of several in `signals`"
            ));
        };
        let zone = specs.first().map_or(chrono_tz::UTC, |spec| spec.decide.zone);
        let since = time::moment(&args.since, zone, kept.now)?;
        let until = kept.now + TimeDelta::milliseconds(1);
        let (mut rates, mut from) = (Vec::new(), since);
        while from < until {
            let to = (from + STRETCH).min(until);
            let query = Query { pipeline: Some(Arc::clone(&name)), since: Some(from), until: Some(to), newest: None };
            rates.extend(kept.records(&query).await?.iter().map(|record| (record.at, rate.find(record))));
            from = to;
        }
        let interval = specs.first().map_or(std::time::Duration::from_secs(30), |spec| spec.interval());
        recorded(trace, interval, &rates)
    })
}
