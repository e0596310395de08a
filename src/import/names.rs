//! Owns the names of heroku-web-autoscale and autoscalebot, and ours in their place: backends and settings. The
//! names themselves come from the tables of our backends; here stand only those that differ.

use crate::settings::{Setting, StageKind};
use crate::{decide, measure, notify, scale};

/// A backend of ours and everything that may be set of it.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    /// Its stage.
    pub kind: StageKind,
    /// The function's name in the script.
    pub function: &'static str,
    /// The documented name.
    pub documented: &'static str,
    own: &'static [Setting],
    common: &'static [Setting],
}

/// Documented backends: what the predecessor had, and nothing that is ours alone.
const DOCUMENTED: &[&str] = &[
    "ResponseTimeBackend",
    "HerokuServiceTimeBackend",
    "CeleryRedisQueueSizeBackend",
    "AppDecisionBackend",
    "ConsecutiveThresholdBackend",
    "AverageThresholdBackend",
    "HerokuBackend",
    "ConsoleBackend",
    "LoggerBackend",
    "DjangoEmailBackend",
    "TestBackend",
];

/// Other names of the same.
const ALSO: &[(&str, &str)] = &[
    ("HerokuScaleBackend", "HerokuBackend"),
    ("ConsecutiveBackend", "ConsecutiveThresholdBackend"),
    ("AverageBackend", "AverageThresholdBackend"),
];

/// The packages whose classes are known: a class of another one is the user's own.
const PACKAGES: &[&str] = &["heroku_web_autoscale", "autoscalebot", "autoscaler_django"];

/// The function that mails as Django does, which only `manage.py autoscaler` can.
pub const DJANGO_EMAIL: &str = "django_email";

/// Settings that were renamed between versions of the predecessor.
const RENAMED: &[(StageKind, &str, &str)] = &[
    (StageKind::Measure, "url", "measurement_url"),
    (StageKind::Measure, "heartbeat_url", "measurement_url"),
    (StageKind::Measure, "heartbeat_interval_in_seconds", "measurement_interval_in_seconds"),
    (StageKind::Measure, "seconds_between_measurement", "measurement_interval_in_seconds"),
    (StageKind::Measure, "timeout_in_seconds", "timeout_seconds"),
    (StageKind::Decide, "min_processes", "min_dynos"),
    (StageKind::Decide, "max_processes", "max_dynos"),
    (StageKind::Decide, "post_scale_delay_seconds", "post_scale_wait_time_seconds"),
    (StageKind::Decide, "scale_down_value", "min_measurement_value"),
    (StageKind::Decide, "scale_up_value", "max_measurement_value"),
    (StageKind::Decide, "scale_up_sample_size", "number_of_fails_to_scale_up_after"),
    (StageKind::Decide, "scale_down_sample_size", "number_of_passes_to_scale_down_after"),
    (StageKind::Decide, "max_response_time_in_ms", "max_measurement_value"),
    (StageKind::Decide, "min_response_time_in_ms", "min_measurement_value"),
    (StageKind::Scale, "worker_name", "process_type"),
    (StageKind::Scale, "heroku_app_name", "app_name"),
    (StageKind::Scale, "heroku_api_key", "api_key"),
    (StageKind::Notify, "notify_on_every_ping", "notify_on_every_measurement"),
    (StageKind::Notify, "too_rapid_num_scales", "notify_if_scaling_is_too_rapid_num_scales"),
    (StageKind::Notify, "too_rapid_period_minutes", "notify_if_scaling_is_too_rapid_time_period_minutes"),
];

/// What a backend's name there means here.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// One of ours.
    Known(Backend),
    /// A class of the user's own.
    Own,
    /// A name that should be one of the predecessor's, and is not.
    Unknown,
}

/// What `written` (a dotted path of a class, or its last part, with or without "Backend") means at `kind`.
#[must_use]
pub fn meaning(kind: StageKind, written: &str) -> Meaning {
    let (path, class) = written.rsplit_once('.').unwrap_or(("", written));
    let package = path.split('.').next().unwrap_or_default();
    if !package.is_empty() && !PACKAGES.contains(&package) {
        return Meaning::Own;
    }
    let of = |name: &str| backends(kind).into_iter().find(|backend| backend.documented == name);
    let longer = format!("{class}Backend");
    let also = |name: &str| ALSO.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
    let found = of(class).or_else(|| of(&longer)).or_else(|| of(also(class).or_else(|| also(&longer))?));
    found.map_or(Meaning::Unknown, Meaning::Known)
}

/// The stage whose backend `written` is, where it is one of another stage's.
#[must_use]
pub fn stage_of(written: &str) -> Option<StageKind> {
    STAGES.into_iter().find(|kind| matches!(meaning(*kind, written), Meaning::Known(_)))
}

/// The documented backend of this name.
#[must_use]
pub fn documented(kind: StageKind, name: &str) -> Option<Backend> {
    backends(kind).into_iter().find(|backend| backend.documented == name)
}

/// The four, in their order.
pub const STAGES: [StageKind; 4] = [StageKind::Measure, StageKind::Decide, StageKind::Scale, StageKind::Notify];

/// The documented backends of a stage.
#[must_use]
pub fn backends(kind: StageKind) -> Vec<Backend> {
    fn of<T>(
        all: &'static [crate::settings::Constructor<T>],
        common: &'static [Setting],
    ) -> impl Iterator<Item = Backend> {
        all.iter().map(move |known| Backend {
            kind: known.kind,
            function: known.name,
            documented: known.backend,
            own: known.settings,
            common,
        })
    }
    let all: Vec<Backend> = match kind {
        StageKind::Measure => of(measure::CONSTRUCTORS, measure::COMMON).collect(),
        StageKind::Decide => of(decide::CONSTRUCTORS, decide::COMMON).collect(),
        StageKind::Scale => of(scale::CONSTRUCTORS, &[]).collect(),
        StageKind::Notify => of(notify::CONSTRUCTORS, notify::COMMON).collect(),
    };
    // One documented backend has two functions here: under `manage.py` the other one is taken.
    let is_one = |backend: &Backend| DOCUMENTED.contains(&backend.documented) && backend.function != DJANGO_EMAIL;
    all.into_iter().filter(is_one).collect()
}

/// What every backend of a stage may be set.
#[must_use]
pub fn common(kind: StageKind) -> &'static [Setting] {
    match kind {
        StageKind::Measure => measure::COMMON,
        StageKind::Decide => decide::COMMON,
        StageKind::Scale => &[],
        StageKind::Notify => notify::COMMON,
    }
}

impl Backend {
    /// Everything that may be set of it.
    pub fn settings(self) -> impl Iterator<Item = &'static Setting> {
        self.own.iter().chain(self.common)
    }

    /// The setting that `key` names, in any case and under any name that it has had.
    #[must_use]
    pub fn setting(self, key: &str) -> Option<&'static Setting> {
        let key = key.to_ascii_lowercase();
        let ours = renamed(self.kind, &key).unwrap_or(&key);
        // Samples of an average are what the average is of.
        let samples = self.documented == "AverageThresholdBackend" && key.ends_with("_sample_size");
        let ours = if samples { "number_of_measurements_to_average" } else { ours };
        self.settings().find(|setting| setting.name == ours)
    }
}

/// The setting common to a stage that `key` names.
#[must_use]
pub fn common_setting(kind: StageKind, key: &str) -> Option<&'static Setting> {
    let key = key.to_ascii_lowercase();
    let ours = renamed(kind, &key).unwrap_or(&key);
    common(kind).iter().find(|setting| setting.name == ours)
}

fn renamed(kind: StageKind, key: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(of, old, _)| *of == kind && *old == key).map(|(_, _, ours)| *ours)
}

/// "did you mean `MAX_DYNOS`?" for the one of `known`, in any case, that is nearest to `name`.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<String> = known.into_iter().map(str::to_lowercase).collect();
    let near = crate::settings::did_you_mean(&name.to_lowercase(), known.iter().map(|name| &**name))?;
    Some(near.to_uppercase().replace("DID YOU MEAN", "did you mean"))
}

/// The key that a section has in the dictionary.
#[must_use]
pub fn section(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Measure => "MEASUREMENT",
        StageKind::Decide => "DECISION",
        StageKind::Scale => "SCALING",
        StageKind::Notify => "NOTIFICATION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(kind: StageKind, written: &str) -> Option<&'static str> {
        match meaning(kind, written) {
            Meaning::Known(backend) => Some(backend.function),
            _ => None,
        }
    }

    #[test]
    fn every_documented_backend_is_found_by_every_name_it_had() {
        let found: Vec<&str> = STAGES.into_iter().flat_map(backends).map(|backend| backend.documented).collect();
        for name in DOCUMENTED {
            assert!(found.contains(name), "{name}");
        }
        let path = "heroku_web_autoscale.backends.measurement.ResponseTimeBackend";
        assert_eq!(function(StageKind::Measure, path), Some("response_time"));
        assert_eq!(function(StageKind::Measure, "ResponseTime"), Some("response_time"));
        assert_eq!(function(StageKind::Decide, "Consecutive"), Some("consecutive_threshold"));
        assert_eq!(function(StageKind::Scale, "HerokuScaleBackend"), Some("heroku"));
        assert_eq!(function(StageKind::Scale, "Heroku"), Some("heroku"));
        assert!(matches!(meaning(StageKind::Scale, "shop.backends.HerokuBackend"), Meaning::Own));
        assert!(matches!(meaning(StageKind::Measure, "autoscalebot.backends.measurement.Respons"), Meaning::Unknown));
        assert_eq!(stage_of("autoscalebot.backends.decision.AverageThresholdBackend"), Some(StageKind::Decide));
    }

    #[test]
    fn every_renamed_setting_is_one_that_we_have() {
        for (kind, old, ours) in RENAMED {
            let known =
                backends(*kind).into_iter().any(|backend| backend.setting(old).is_some_and(|s| s.name == *ours));
            assert!(known, "{old}");
        }
    }
}
