//! Owns settings as other autoscalers and other notations write them, and ours in their place.

use super::Kind;

/// Names of others, one of ours that must be known for the mend to be right, and the mend.
const NAMES: &[(&[&str], &str, &str)] = &[
    (&["dry_run", "dryRun", "dryrun"], "mode", "write `mode: \"dry_run\"`"),
    (&["enabled", "disabled"], "mode", "write `mode: \"dry_run\"` for a pipeline that does not act, or leave it out"),
    (
        &["minReplicas", "min_replicas", "min_instances", "min_size", "min_workers", "minimum", "min", "MIN_DYNOS"],
        "min_dynos",
        "write `min_dynos`",
    ),
    (
        &["maxReplicas", "max_replicas", "max_instances", "max_size", "max_workers", "maximum", "max", "MAX_DYNOS"],
        "max_dynos",
        "write `max_dynos`",
    ),
    (
        &["cooldown", "cooldown_seconds", "cool_down", "cooldown_period", "coolDown"],
        "cooldown_up_seconds",
        "write `post_scale_wait_time_seconds` for both directions, or `cooldown_up_seconds` and `cooldown_down_seconds`",
    ),
    (&["timezone", "tz", "timeZone"], "time_zone", "write `time_zone`"),
    (&["url"], "measurement_url", "write `measurement_url`"),
    (
        &["interval", "interval_seconds", "measurement_interval_in_seconds", "every"],
        "increment",
        "the interval is one of the stage's settings: `measure::…(#{ measurement_interval_in_seconds: 30 })`",
    ),
];

/// What to write in place of the setting `key`, where `known` tells which settings there are.
pub(super) fn setting(key: &str, known: impl Fn(&str) -> bool) -> Option<String> {
    NAMES.iter().find(|(names, ours, _)| names.contains(&key) && known(ours)).map(|(.., help)| (*help).to_owned())
}

/// The number to write for a length of time that is written as a text: `300` for "5m".
pub(super) fn length(kind: Kind, text: &str) -> Option<String> {
    let unit = match kind {
        Kind::Seconds => 1.0,
        Kind::Minutes => 60.0,
        Kind::Whole | Kind::Number => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
            return Some(format!("write it without quotes: `{number}`"));
        }
        _ => return None,
    };
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let seconds = match text[digits..].trim() {
        "" => number * unit,
        "s" | "sec" | "secs" | "second" | "seconds" => number,
        "m" | "min" | "mins" | "minute" | "minutes" => number * 60.0,
        "h" | "hour" | "hours" => number * 3600.0,
        _ => return None,
    };
    Some(format!("write `{}`", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_length_is_told_in_the_units_of_the_setting() {
        assert_eq!(length(Kind::Seconds, "5m").as_deref(), Some("write `300`"));
        assert_eq!(length(Kind::Seconds, "30 s").as_deref(), Some("write `30`"));
        assert_eq!(length(Kind::Seconds, "2.5").as_deref(), Some("write `2.5`"));
        assert_eq!(length(Kind::Minutes, "1h").as_deref(), Some("write `60`"));
        assert_eq!(length(Kind::Whole, "3").as_deref(), Some("write it without quotes: `3`"));
        assert_eq!(length(Kind::Seconds, "soon"), None);
        assert_eq!(length(Kind::Text, "5m"), None);
    }
}
