//! Owns how each constructor of the four modules is used, one example each. A test runs them.

use crate::script::{Example, Frame};
use crate::settings::StageKind;

/// An example and what it is an example of.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it shows, as it is looked up.
    pub title: String,
    /// The example.
    pub example: Example,
}

/// Constructor by constructor: the value of a stage.
const EXAMPLES: &[(StageKind, &str, &str)] = &[
    (
        StageKind::Measure,
        "response_time",
        "measure::response_time(#{
    base_url: \"https://www.example.com\",
    measurement_url: \"/heroku-autoscale/measurement/\",
    measurement_interval_in_seconds: 30,
})",
    ),
    (
        StageKind::Measure,
        "heroku_service_time",
        "measure::heroku_service_time(#{
    base_url: \"https://www.example.com\",
    app_name: \"dancing-forest-1234\",
    api_key: env::secret(\"HEROKU_API_KEY\"),
})",
    ),
    (
        StageKind::Measure,
        "heroku_router_log",
        "measure::heroku_router_log(#{
    of: \"service\",
    percentile: 95,
    window_seconds: 60,
    drain_token: env::secret(\"DRAIN_TOKEN\"),
})",
    ),
    (
        StageKind::Measure,
        "celery_redis_queue_size",
        "measure::celery_redis_queue_size(#{
    redis_url: env::secret(\"REDIS_URL\"),
    queue_name: [\"celery\", \"mail\"],
})",
    ),
    (
        StageKind::Measure,
        "celery_redis_queue_latency",
        "measure::celery_redis_queue_latency(#{ redis_url: env::secret(\"REDIS_URL\"), queue_name: \"celery\" })",
    ),
    (
        StageKind::Measure,
        "request_queue_time",
        "measure::request_queue_time(#{ redis_url: env::secret(\"REDIS_URL\"), percentile: 95, window_seconds: 60 })",
    ),
    (
        StageKind::Measure,
        "app_decision",
        "measure::app_decision(#{ base_url: \"https://www.example.com\", value: \"queues.0.size\" })",
    ),
    (
        StageKind::Measure,
        "http",
        "measure::http(#{
    request: http::get(\"https://www.example.com/queue\").timeout_seconds(5),
    value: |reply| reply.json().waiting,
})",
    ),
    (
        StageKind::Measure,
        "command",
        "measure::command(#{ command: [\"wc\", \"-l\", \"jobs.txt\"], value: |output| parse_int(output.text().split()[0]) })",
    ),
    (
        StageKind::Decide,
        "consecutive_threshold",
        "decide::consecutive_threshold(#{
    min_measurement_value: 500,
    max_measurement_value: 1000,
    number_of_fails_to_scale_up_after: 3,
    number_of_passes_to_scale_down_after: 5,
})",
    ),
    (
        StageKind::Decide,
        "average_threshold",
        "decide::average_threshold(#{ number_of_measurements_to_average: 3, max_measurement_value: 200 })",
    ),
    (
        StageKind::Scale,
        "heroku",
        "scale::heroku(#{
    app_name: \"dancing-forest-1234\",
    api_key: env::secret(\"HEROKU_API_KEY\"),
    process_type: \"web\",
})",
    ),
    (
        StageKind::Scale,
        "http",
        "scale::http(#{
    current: #{ request: http::get(\"https://www.example.com/workers\"), value: \"count\" },
    scale_to: |n| http::put(\"https://www.example.com/workers\").json(#{ count: n }),
})",
    ),
    (
        StageKind::Scale,
        "command",
        "scale::command(#{ current: [\"workers\", \"count\"], scale_to: [\"workers\", \"set\", \"{dynos}\"] })",
    ),
    (StageKind::Notify, "console", "notify::console(#{ notify_on_every_scale: true })"),
    (
        StageKind::Notify,
        "email",
        "notify::email(#{ to: [\"ops@example.com\"], from: \"autoscaler@example.com\", smtp_url: env::secret(\"SMTP_URL\") })",
    ),
    (StageKind::Notify, "django_email", "notify::django_email(#{ notify_on_every_scale: true })"),
    (StageKind::Notify, "logger", "notify::logger(#{ notify_on_every_measurement: true })"),
    (
        StageKind::Notify,
        "http",
        "notify::http(#{ notify_on_every_scale: true }, |event| {
    http::post(\"https://www.example.com/hooks\").json(#{ text: event.message })
})",
    ),
    (StageKind::Notify, "command", "notify::command(#{ command: [\"logger\", \"-t\", \"autoscaler\"] })"),
    (StageKind::Notify, "test", "notify::test()"),
];

/// The example of the constructor `name` of the module `kind`.
pub(super) fn of(kind: StageKind, name: &str) -> Option<Example> {
    let (_, _, text) = EXAMPLES.iter().find(|(of, known, _)| *of == kind && *known == name)?;
    let frame = match kind {
        StageKind::Measure => Frame::Measure,
        StageKind::Decide => Frame::Decide,
        StageKind::Scale => Frame::Scale,
        StageKind::Notify => Frame::Notify,
    };
    Some(Example { frame, text })
}

#[cfg(test)]
mod tests {
    use super::super::constructors;
    use super::*;

    #[test]
    fn every_constructor_has_one_example_and_every_example_its_constructor() {
        let mut made: Vec<_> = constructors().iter().map(|made| (made.kind.module(), made.name)).collect();
        let mut shown: Vec<_> = EXAMPLES.iter().map(|(kind, name, _)| (kind.module(), *name)).collect();
        made.sort_unstable();
        shown.sort_unstable();
        assert_eq!(made, shown);
    }
}
