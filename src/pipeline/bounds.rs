//! Owns the bounds at a moment: tables by time of day and by days, looked up in the pipeline's zone. It
//! has no clock of its own, and leaves daylight saving to the zone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::OnDays;
use crate::decide::{DecideStage, DynosByTime, TableEntry};

/// The bounds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The lower bound.
    pub min: u32,
    /// The upper bound.
    pub max: u32,
}

/// A Monday of a year that nobody writes a date of.
const SOME_MONDAY: (i32, u32, u32) = (1970, 1, 5);

/// The first day of the four years in which cron lines are looked at.
const FOUR_YEARS: (i32, u32, u32) = (2026, 1, 1);

impl DynosByTime {
    /// The count at the `local` time. Of what began today the most particular holds, and of equals the
    /// later: an open window, a date, days of the week, every day. Before anything began today it is what
    /// held at the end of the day before, dates excepted: they end with their day.
    #[must_use]
    pub fn at(&self, local: NaiveDateTime) -> u32 {
        let entries = match self {
            Self::Always(dynos) => return *dynos,
            Self::Table(entries) => entries,
        };
        let windows = entries.iter().filter_map(|entry| match &entry.when.days {
            OnDays::Window(window) => Some((window.open_since(local)?, entry.dynos)),
            _ => None,
        });
        // Of two that opened at one time the larger.
        if let Some((_, dynos)) = windows.max() {
            return dynos;
        }
        let minute = minute_of_day(local);
        (0..=7)
            .find_map(|back| {
                let day = local.date().checked_sub_days(Days::new(back))?;
                let began = entries.iter().filter(|entry| match back {
                    0 => entry.when.minute <= minute,
                    _ => entry.when.days.goes_on(),
                });
                let held = began.filter(|entry| entry.when.days.on(day));
                held.max_by_key(|entry| (entry.when.days.rank(), entry.when.minute)).map(|entry| entry.dynos)
            })
            .unwrap_or(0)
    }

    /// The count at `now` in `zone`.
    #[must_use]
    pub fn at_time(&self, now: DateTime<Utc>, zone: Tz) -> u32 {
        match self {
            Self::Always(dynos) => *dynos,
            Self::Table(_) => self.at(now.with_timezone(&zone).naive_local()),
        }
    }

    fn entries(&self) -> &[TableEntry] {
        match self {
            Self::Always(_) => &[],
            Self::Table(entries) => entries,
        }
    }
}

impl DecideStage {
    /// The bounds at `now`.
    #[must_use]
    pub fn bounds(&self, now: DateTime<Utc>) -> Bounds {
        let max = self.max_dynos.at_time(now, self.zone);
        // What `check` looks at ends after four years of cron lines.
        Bounds { min: self.min_dynos.at_time(now, self.zone).min(max), max }
    }
}

/// The first time, of all that can be told apart, at which `min` is above `max`.
pub(super) fn crossing(min: &DynosByTime, max: &DynosByTime) -> Option<NaiveDateTime> {
    let entries = || min.entries().iter().chain(max.entries());
    let mut minutes = BTreeSet::from([0]);
    let date = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    let following = |day: NaiveDate, days: u64| (0..days).filter_map(move |n| day.checked_add_days(Days::new(n)));
    let mut days: BTreeSet<NaiveDate> = date(SOME_MONDAY).into_iter().flat_map(|day| following(day, 7)).collect();
    for entry in entries() {
        minutes.insert(entry.when.minute);
        match &entry.when.days {
            OnDays::Every | OnDays::Week(_) => {}
            // And the day after, which begins with what held before.
            OnDays::Dates(from, to) => {
                days.extend(following(*from, u64::try_from((*to - *from).num_days() + 2).unwrap_or(1)));
            }
            OnDays::Window(window) => {
                minutes.extend(window.changes());
                days.extend(date(FOUR_YEARS).into_iter().flat_map(|day| following(day, 1461)));
            }
        }
    }
    let times = days.into_iter().flat_map(|day| {
        let midnight = day.and_time(NaiveTime::MIN);
        minutes.iter().map(move |minute| midnight + TimeDelta::minutes(i64::from(*minute)))
    });
    times.into_iter().find(|time| min.at(*time) > max.at(*time))
}

/// The time of a [`crossing`] in words: what is the same every day needs no date.
pub(super) fn when(time: NaiveDateTime, min: &DynosByTime, max: &DynosByTime) -> String {
    let daily = |entry: &TableEntry| entry.when.days == OnDays::Every;
    let at = format!("at {}:{:02}", time.hour(), time.minute());
    if min.entries().iter().chain(max.entries()).all(daily) {
        at
    } else if date_is_typical(time) {
        format!("on {}s {at}", time.format("%A"))
    } else {
        format!("on {} {at}", time.format("%Y-%m-%d"))
    }
}

fn date_is_typical(time: NaiveDateTime) -> bool {
    time.year() == SOME_MONDAY.0
}

fn minute_of_day(local: NaiveDateTime) -> u16 {
    u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes")
}

/// The minutes since midnight of a text "H:MM" (or "HH:MM"), 0:00 to 23:59.
#[must_use]
pub fn time_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::When;

    fn table(entries: &[(&str, u32)]) -> DynosByTime {
        let entry = |(written, dynos): &(&str, u32)| TableEntry {
            written: (*written).into(),
            when: When::parse(written).unwrap(),
            dynos: *dynos,
        };
        DynosByTime::Table(entries.iter().map(entry).collect())
    }

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    /// On a Tuesday.
    fn at(table: &DynosByTime, time: &str) -> u32 {
        table.at(local(&format!("2026-11-24 {time}")))
    }

    /// Rows 13 and 14 of the predecessor's table.
    #[test]
    fn an_entry_holds_from_its_own_minute_on() {
        let table = table(&[("0:00", 2), ("9:00", 5), ("17:00", 3)]);
        let found = ["1:00", "12:00", "18:00", "09:05", "09:00", "8:59"].map(|time| at(&table, time));
        assert_eq!(found, [2, 5, 3, 5, 5, 2]);
    }

    #[test]
    fn before_the_first_entry_the_last_of_yesterday_holds_and_minutes_and_zero_count() {
        let table = table(&[("9:00", 5), ("9:30", 0), ("17:00", 3)]);
        assert_eq!(["0:00", "8:59", "9:29", "9:30", "16:59"].map(|time| at(&table, time)), [3, 3, 5, 0, 0]);
    }

    /// The one assertion of the predecessor's unreleased branch.
    #[test]
    fn times_compare_by_hour_and_minute() {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let compared = [
            ("1:00", "2:00", Less),
            ("2:00", "1:00", Greater),
            ("2:00", "1:50", Greater),
            ("2:00", "15:50", Less),
            ("2:00", "15:00", Less),
            ("23:59", "0:00", Greater),
            ("12:00", "12:00", Equal),
        ];
        for (left, right, expected) in compared {
            assert_eq!(time_of_day(left).cmp(&time_of_day(right)), expected, "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for text in ["24:00", "9", "9:0", "9:60", "a:00", "", ":", "-1:00", "+1:00", "009:00", "9:000", "9:00:00"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn the_zone_handles_daylight_saving() {
        let table = table(&[("0:00", 1), ("2:30", 4), ("5:00", 2)]);
        let dynos = |utc: &str| {
            let now: DateTime<Utc> = utc.parse().unwrap();
            table.at_time(now, chrono_tz::America::Vancouver)
        };
        // 2026-03-08: 2:00 to 3:00 does not exist; 10:00 UTC is 3:00 local.
        assert_eq!(["2026-03-08T09:59:00Z", "2026-03-08T10:00:00Z", "2026-03-08T12:00:00Z"].map(dynos), [1, 4, 2]);
        // 2026-11-01: 1:00 to 2:00 comes twice; 9:30 UTC is 1:30 again, 10:30 UTC is 2:30.
        assert_eq!(["2026-11-01T08:30:00Z", "2026-11-01T09:30:00Z", "2026-11-01T10:30:00Z"].map(dynos), [1, 1, 4]);
    }

    #[test]
    fn the_more_particular_holds_once_it_began() {
        // 2026-11-24 is a Tuesday, 28 a Saturday, 29 a Sunday.
        let table = table(&[("mon-fri 9:00", 5), ("sat,sun 0:00", 2), ("0:00", 1), ("2026-12-24", 8), ("20:00", 3)]);
        let found = |times: &[&str]| times.iter().map(|time| table.at(local(time))).collect::<Vec<_>>();
        let tuesday = ["2026-11-24 00:00", "2026-11-24 08:59", "2026-11-24 09:00", "2026-11-24 23:59"];
        assert_eq!(found(&tuesday), [1, 1, 5, 5]);
        assert_eq!(found(&["2026-11-28 00:00", "2026-11-29 21:00", "2026-11-30 00:00"]), [2, 2, 1]);
        // A Thursday: the date holds all day, and ends with it.
        assert_eq!(
            found(&["2026-12-23 23:59", "2026-12-24 12:00", "2026-12-25 00:00", "2026-12-25 09:00"]),
            [5, 8, 1, 5]
        );
    }

    #[test]
    fn days_of_the_week_go_on_until_something_begins() {
        let table = table(&[("mon-fri 9:00", 5), ("mon-fri 17:00", 2), ("2026-11-28 10:00", 7)]);
        let found =
            ["2026-11-28 09:59", "2026-11-28 10:00", "2026-11-29 00:00", "2026-11-30 08:59", "2026-11-30 09:00"]
                .map(|time| table.at(local(time)));
        assert_eq!(found, [2, 7, 2, 2, 5]);
    }

    #[test]
    fn an_open_window_holds_over_everything() {
        let table = table(&[("0:00", 1), ("2026-11-24", 3), ("0 9 * * 1-5 for 8h", 6), ("0 12 24 * * for 1h", 9)]);
        let found = ["8:59", "9:00", "12:30", "13:00", "17:00"].map(|time| at(&table, time));
        assert_eq!(found, [3, 6, 9, 6, 3]);
    }

    #[test]
    fn a_crossing_on_some_day_is_found_and_named() {
        let said = |min: &[(&str, u32)], max: &[(&str, u32)]| {
            let (min, max) = (table(min), table(max));
            crossing(&min, &max).map(|time| when(time, &min, &max))
        };
        assert_eq!(said(&[("0:00", 2)], &[("0:00", 5), ("sat 12:00", 1)]).unwrap(), "on Saturdays at 12:00");
        assert_eq!(said(&[("0:00", 2)], &[("0:00", 5), ("2026-12-24 8:00", 1)]).unwrap(), "on 2026-12-24 at 8:00");
        let window = said(&[("0:00", 2)], &[("0:00", 5), ("0 9 29 2 * for 1h", 1)]);
        assert_eq!(window.unwrap(), "on 2028-02-29 at 9:00");
        assert_eq!(said(&[("0:00", 2), ("sat", 1)], &[("0:00", 5), ("sat 12:00", 1)]), None);
        assert_eq!(said(&[("9:00", 3)], &[("8:00", 2)]).unwrap(), "at 0:00");
    }

    #[test]
    fn a_crossing_is_found_at_any_minute() {
        let crossing = |min: &DynosByTime, max: &DynosByTime| crossing(min, max).map(minute_of_day);
        let max = table(&[("0:00", 2), ("9:00", 5), ("17:00", 2)]);
        assert_eq!(crossing(&DynosByTime::Always(2), &max), None);
        assert_eq!(crossing(&DynosByTime::Always(3), &max), Some(0));
        assert_eq!(crossing(&table(&[("9:00", 5), ("16:59", 1)]), &max), None);
        assert_eq!(crossing(&table(&[("9:00", 5), ("17:01", 1)]), &max), Some(17 * 60));
    }
}
