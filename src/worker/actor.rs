//! Owns the rule of the one actor: on Heroku only the first dyno of the worker's own process type acts,
//! and no pipeline scales the process type that the worker itself runs in.

use crate::pipeline::PipelineSpec;
use crate::rules;
use crate::settings::Report;

/// What the platform names dynos after that no `Procfile` declares: `heroku run`, the release phase, and the
/// scheduler.
const ONE_OFF: &[&str] = &["run", "release", "scheduler"];

/// What the worker knows of the dyno it runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The environment variable `DYNO` ("autoscaler.1").
    pub dyno: Option<String>,
    /// `HEROKU_APP_NAME`, set where the app has dyno metadata.
    pub app: Option<String>,
}

impl Actor {
    /// As the environment says.
    #[must_use]
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self { dyno: variable("DYNO"), app: variable("HEROKU_APP_NAME") }
    }

    /// Why this process stands by, if it does: another dyno of its type is the one that acts, or it is a
    /// one-off dyno (`run.1234`) beside the worker. Names without a number (`web-12a34b56d-e78f9`, on Fir) do
    /// not tell, and act.
    #[must_use]
    pub fn stands_by(&self) -> Option<String> {
        let (own, number) = self.dyno.as_deref()?.rsplit_once('.')?;
        let number: u32 = number.parse().ok()?;
        if ONE_OFF.contains(&own) {
            return Some(format!(
                "the one-off dyno `{own}.{number}` stands by, as a worker may act already: \
                 `autoscaler once SCRIPT` looks, and `heroku ps:scale autoscaler=1` starts a worker"
            ));
        }
        (number != 1).then(|| format!("`{own}.1` acts, this dyno `{own}.{number}` stands by: scale `{own}` to 1"))
    }

    /// Reports pipelines that would scale the process type this worker runs in.
    pub fn refuse_own(&self, specs: &[impl AsRef<PipelineSpec>], report: &mut Report) {
        let Some((own, _)) = self.dyno.as_deref().and_then(|dyno| dyno.rsplit_once('.')) else { return };
        for spec in specs.iter().map(AsRef::as_ref) {
            // Looking is no harm.
            let Some(app) = spec.scale.heroku().filter(|_| !spec.scale.observes()) else { continue };
            let same_app = self.app.as_deref().is_none_or(|name| name == &*app.name);
            if same_app && &*app.process_type == own {
                let message = format!("`{}` would scale `{own}`, the process type this worker runs in", spec.name);
                let help = "run the worker as a process type of its own, such as `autoscaler`; where it runs in \
                            another app, `heroku labs:enable runtime-dyno-metadata` lets it know";
                report.say(&rules::SHARED_TARGET, spec.place.as_ref(), message, help.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dyno(name: &str) -> Actor {
        Actor { dyno: Some(name.into()), app: None }
    }

    #[test]
    fn only_the_first_dyno_acts() {
        assert_eq!(dyno("autoscaler.1").stands_by(), None);
        assert_eq!(dyno("autoscaler-12a34b56d-e78f9").stands_by(), None);
        assert_eq!(Actor::default().stands_by(), None);
        let why = dyno("autoscaler.2").stands_by().expect("stands by");
        assert!(why.contains("`autoscaler.1` acts"), "{why}");
        for one_off in ["run.4711", "run.1", "scheduler.4711"] {
            let why = dyno(one_off).stands_by().expect("stands by");
            assert!(why.contains("`autoscaler once SCRIPT` looks"), "{why}");
        }
    }
}
