//! Owns the times that people type: a time of day, a date, how long ago, in the zone of the pipeline.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::cli::values::duration;

const FORMS: &str = "write 03:12, yesterday 03:12, 2026-12-24T03:12 or -2h";

/// The moment that `text` names, on a clock in `zone` that shows `now`: the newest that is not after it.
///
/// # Errors
/// When it is no time, or one that the zone skips.
pub fn moment(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    // As a log writes it.
    if let Some(time) = text.strip_suffix(['Z', 'z']).filter(|time| clock(time.trim()).is_some()) {
        return time_of_day(time.trim(), Tz::UTC, now);
    }
    let lower = text.to_lowercase();
    let ago = lower.strip_suffix("ago").unwrap_or(&lower).trim();
    let ago = ago.strip_prefix(['-', '−']).unwrap_or(ago);
    if lower == "now" {
        return Ok(now);
    }
    if ago.ends_with(|c: char| c.is_ascii_alphabetic()) && ago.starts_with(|c: char| c.is_ascii_digit()) {
        let span = duration(ago)?;
        let span = TimeDelta::from_std(span).map_err(|error| error.to_string())?;
        return now.checked_sub_signed(span).ok_or_else(|| format!("`{text}` lies before all time"));
    }
    let today = now.with_timezone(&zone).date_naive();
    let yesterday = today.checked_sub_days(Days::new(1));
    let (day, rest) = match lower.split_once(' ').or_else(|| lower.split_once('t').filter(|(day, _)| !day.is_empty())) {
        _ if lower == "yesterday" => (yesterday, "0:00"),
        _ if lower == "today" => (Some(today), "0:00"),
        Some(("yesterday", rest)) => (yesterday, rest.trim()),
        Some(("today", rest)) => (Some(today), rest.trim()),
        Some((date, rest)) => (date.parse::<NaiveDate>().ok(), rest.trim()),
        None => match lower.parse::<NaiveDate>() {
            Ok(date) => (Some(date), "0:00"),
            Err(_) => return time_of_day(text, zone, now),
        },
    };
    let no_time = || format!("`{text}` is no time: {FORMS}");
    let (day, time) = (day.ok_or_else(no_time)?, clock(rest).ok_or_else(no_time)?);
    local(day.and_time(time), zone, now).ok_or_else(|| format!("`{text}` does not exist in {zone}"))
}

/// The end of the second that `text` names: what happened within it is not after it. People copy the times that a
/// table shows, and it shows no fractions.
///
/// # Errors
/// The same as of [`moment`].
pub fn moment_through(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let at = moment(text, zone, now)?;
    let clock = text.trim().trim_end_matches(['Z', 'z']);
    // "…T03:12:30+01:00": what follows the sign belongs to the zone.
    let clock = clock.rsplit_once(['t', 'T', ' ']).map_or(clock, |(_, clock)| clock);
    let clock = clock.split(['+', '-']).next().unwrap_or_default();
    let is_whole = clock.contains(':') && !clock.contains('.');
    let end = at.checked_add_signed(TimeDelta::milliseconds(999)).filter(|_| is_whole);
    Ok(end.unwrap_or(at))
}

fn time_of_day(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let time = clock(text).ok_or_else(|| format!("`{text}` is no time: {FORMS}"))?;
    let today = now.with_timezone(&zone).date_naive();
    // Three days: today's may be to come, and the zone may skip yesterday's.
    let days = (0..3).filter_map(|back| today.checked_sub_days(Days::new(back)));
    let mut times = days.filter_map(|day| local(day.and_time(time), zone, now)).filter(|then| *then <= now);
    times.next().ok_or_else(|| format!("`{text}` did not come in {zone}"))
}

fn clock(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// Of a time that comes twice, when clocks are put back, the later one that is not after `now`.
fn local(time: NaiveDateTime, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let times = time.and_local_timezone(zone);
    let latest = times.latest().map(|time| time.to_utc()).filter(|time| *time <= now);
    latest.or_else(|| times.earliest().map(|time| time.to_utc()))
}

/// `time` as a clock in `zone` shows it: "03:12:30".
#[must_use]
pub fn of_day(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// The same with its date where that is not the one of `other`.
#[must_use]
pub fn beside(time: DateTime<Utc>, other: DateTime<Utc>, zone: Tz) -> String {
    let (time, other) = (time.with_timezone(&zone), other.with_timezone(&zone));
    let form = if time.date_naive() == other.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    time.format(form).to_string()
}

/// `time` with its date: "2026-11-24 03:12:30".
#[must_use]
pub fn dated(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_taken_whole() {
        let now: DateTime<Utc> = "2026-11-24T18:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("12:42:12", "2026-11-24T12:42:12.999Z"),
            ("12:42", "2026-11-24T12:42:00.999Z"),
            ("2026-11-24 12:42:12", "2026-11-24T12:42:12.999Z"),
            ("yesterday 12:42", "2026-11-23T12:42:00.999Z"),
            ("2026-11-24T12:42:12Z", "2026-11-24T12:42:12.999Z"),
            ("2026-11-24T12:42:12-08:00", "2026-11-24T20:42:12.999Z"),
            ("12:42:12.250", "2026-11-24T12:42:12.250Z"),
            ("12:42:12Z", "2026-11-24T12:42:12.999Z"),
            ("2026-11-24T12:42:12.250+00:00", "2026-11-24T12:42:12.250Z"),
            ("-2h", "2026-11-24T16:00:00.000Z"),
            ("now", "2026-11-24T18:00:00.000Z"),
            ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        ] {
            let at = moment_through(text, Tz::UTC, now).unwrap();
            assert_eq!(at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true), expected, "{text}");
        }
    }

    #[test]
    fn times_are_those_of_the_zone_and_never_to_come() {
        let now: DateTime<Utc> = "2026-11-24T18:00:00Z".parse().unwrap(); // 10:00 there
        let at = |text: &str| {
            moment(text, chrono_tz::America::Vancouver, now)
                .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        };
        for (text, expected) in [
            ("03:12", "2026-11-24T11:12:00Z"),
            ("3:12:30", "2026-11-24T11:12:30Z"),
            ("11:00", "2026-11-23T19:00:00Z"), // today's is to come
            ("yesterday 03:12", "2026-11-23T11:12:00Z"),
            ("today 03:12", "2026-11-24T11:12:00Z"),
            ("2026-12-24T03:12", "2026-12-24T11:12:00Z"),
            ("2026-06-24 03:12", "2026-06-24T10:12:00Z"),
            ("2026-11-20", "2026-11-20T08:00:00Z"),
            ("2026-11-24T03:12:00Z", "2026-11-24T03:12:00Z"),
            ("-2h", "2026-11-24T16:00:00Z"),
            ("2h", "2026-11-24T16:00:00Z"),
            ("90m ago", "2026-11-24T16:30:00Z"),
            ("now", "2026-11-24T18:00:00Z"),
            ("12:40:30Z", "2026-11-24T12:40:30Z"),
            ("18:30z", "2026-11-23T18:30:00Z"), // today's is to come
            // It came twice that night; the second time is the later one.
            ("2026-11-01 01:30", "2026-11-01T09:30:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in ["soon", "25:00", "yesterday soon", "2026-13-01", "", "-2 parsecs"] {
            assert!(at(wrong).is_err_and(|error| error.contains("03:12") || error.contains("2h")), "{wrong}");
        }
        assert!(at("2026-03-08 02:30").is_err_and(|error| error.contains("does not exist")));
    }
}
