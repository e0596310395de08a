//! Owns the reading of single values of the command line: switches and durations.

use std::time::Duration;

/// Reads what switches a flag on or off in the environment; an empty variable is one that was forgotten.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write true or false, 1 or 0".into()),
    }
}

/// The longest duration that can be given: a leap year.
const LONGEST_SECONDS: f64 = 366.0 * 86_400.0;

/// Reads "90", "60s", "5m", "2h", "1d".
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("unknown unit `{unit}`: write 60s, 5m, 2h or 1d")),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` is no duration: write 60s, 5m, 2h or 1d"))?;
    let seconds = number * seconds;
    if seconds > LONGEST_SECONDS {
        return Err(format!("`{text}` is too long: at most 366d"));
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("`{text}` must be above zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert!(duration("5 parsecs").is_err_and(|error| error.contains("60s, 5m")));
        assert!(duration("0s").is_err_and(|error| error.contains("above zero")));
        assert!(duration("99999999999999999999h").is_err_and(|error| error.contains("too long: at most 366d")));
    }
}
