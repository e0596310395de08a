//! Owns the bounds at a moment: tables by time of day, looked up in the pipeline's zone. It has no
//! clock of its own, and leaves daylight saving to the zone.

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::decide::{DecideStage, DynosByTime};

/// The bounds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The lower bound.
    pub min: u32,
    /// The upper bound.
    pub max: u32,
}

impl DynosByTime {
    /// The count at `minute` of the day: that of the last entry that began, before the first one of
    /// the day that of the last (of yesterday).
    #[must_use]
    pub fn at(&self, minute: u16) -> u32 {
        match self {
            Self::Always(dynos) => *dynos,
            Self::Table(entries) => {
                let began = entries.iter().rev().find(|entry| entry.minute <= minute);
                began.or(entries.last()).map_or(0, |entry| entry.dynos)
            }
        }
    }

    /// The minutes of the day at which the count may change, and midnight.
    pub(super) fn changes(&self) -> impl Iterator<Item = u16> {
        let entries = match self {
            Self::Always(_) => &[][..],
            Self::Table(entries) => entries,
        };
        std::iter::once(0).chain(entries.iter().map(|entry| entry.minute))
    }
}

impl DecideStage {
    /// The bounds at `now`.
    #[must_use]
    pub fn bounds(&self, now: DateTime<Utc>) -> Bounds {
        if let (DynosByTime::Always(min), DynosByTime::Always(max)) = (&self.min_dynos, &self.max_dynos) {
            return Bounds { min: *min, max: *max };
        }
        let minute = minute_of_day(now, self.zone);
        Bounds { min: self.min_dynos.at(minute), max: self.max_dynos.at(minute) }
    }
}

/// The first minute of the day at which `min` is above `max`.
pub(super) fn crossing(min: &DynosByTime, max: &DynosByTime) -> Option<u16> {
    min.changes().chain(max.changes()).filter(|minute| min.at(*minute) > max.at(*minute)).min()
}

pub(super) fn minute_of_day(now: DateTime<Utc>, zone: Tz) -> u16 {
    let local = now.with_timezone(&zone);
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
    use crate::decide::TableEntry;

    fn table(entries: &[(&str, u32)]) -> DynosByTime {
        let entry = |(written, dynos): &(&str, u32)| TableEntry {
            written: (*written).into(),
            minute: time_of_day(written).unwrap(),
            dynos: *dynos,
        };
        DynosByTime::Table(entries.iter().map(entry).collect())
    }

    fn at(table: &DynosByTime, time: &str) -> u32 {
        table.at(time_of_day(time).unwrap())
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
            table.at(minute_of_day(now, chrono_tz::America::Vancouver))
        };
        // 2026-03-08: 2:00 to 3:00 does not exist; 10:00 UTC is 3:00 local.
        assert_eq!(["2026-03-08T09:59:00Z", "2026-03-08T10:00:00Z", "2026-03-08T12:00:00Z"].map(dynos), [1, 4, 2]);
        // 2026-11-01: 1:00 to 2:00 comes twice; 9:30 UTC is 1:30 again, 10:30 UTC is 2:30.
        assert_eq!(["2026-11-01T08:30:00Z", "2026-11-01T09:30:00Z", "2026-11-01T10:30:00Z"].map(dynos), [1, 1, 4]);
    }

    #[test]
    fn a_crossing_is_found_at_any_minute() {
        let max = table(&[("0:00", 2), ("9:00", 5), ("17:00", 2)]);
        assert_eq!(crossing(&DynosByTime::Always(2), &max), None);
        assert_eq!(crossing(&DynosByTime::Always(3), &max), Some(0));
        assert_eq!(crossing(&table(&[("9:00", 5), ("16:59", 1)]), &max), None);
        assert_eq!(crossing(&table(&[("9:00", 5), ("17:01", 1)]), &max), Some(17 * 60));
    }
}
