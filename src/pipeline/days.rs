//! Owns the keys of tables by time: on which days an entry holds, and from which minute on. "9:00",
//! "mon-fri 9:00", "2026-12-24", "2026-12-24..2026-12-26 8:00", "0 9 * * 1-5 for 8h".

use chrono::{Datelike, NaiveDate, Weekday};

use super::cron::CronWindow;
use super::time_of_day;

/// The longest range of dates.
const LONGEST_RANGE: i64 = 366;

/// The days of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnDays {
    /// Every day.
    Every,
    /// Days of the week, one bit each, Monday first.
    Week(u8),
    /// From one date to another, both included.
    Dates(NaiveDate, NaiveDate),
    /// While a window is open.
    Window(CronWindow),
}

/// When an entry of a table begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// On which days.
    pub days: OnDays,
    /// From which minute of the day on.
    pub minute: u16,
}

impl When {
    /// Reads a key.
    ///
    /// # Errors
    /// Why it is none, to follow the key in a sentence; `None` where it looks like nothing known.
    pub fn parse(key: &str) -> Result<Self, Option<String>> {
        let key = key.trim();
        if let Some((line, lasts)) = key.rsplit_once(" for ") {
            let window = CronWindow::parse(line, lasts).map_err(Some)?;
            return Ok(Self { days: OnDays::Window(window), minute: 0 });
        }
        if let Some(minute) = time_of_day(key) {
            return Ok(Self { days: OnDays::Every, minute });
        }
        let (days, minute) = match key.rsplit_once(char::is_whitespace) {
            None => (key, 0),
            Some((days, time)) => (days.trim(), time_of_day(time).ok_or(None)?),
        };
        Ok(Self { days: OnDays::parse(days)?, minute })
    }

    /// Whether two entries begin at one time, and neither is more particular than the other.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        self.minute == other.minute
            && match (&self.days, &other.days) {
                (OnDays::Every, OnDays::Every) => true,
                (OnDays::Week(one), OnDays::Week(two)) => one & two != 0,
                (OnDays::Dates(from, to), OnDays::Dates(first, last)) => from <= last && first <= to,
                (OnDays::Window(one), OnDays::Window(two)) => one == two,
                _ => false,
            }
    }
}

impl OnDays {
    fn parse(text: &str) -> Result<Self, Option<String>> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let (from, to) = text.split_once("..").unwrap_or((text, text));
            let (from, to) = (date(from).ok_or(None)?, date(to).ok_or(None)?);
            if to < from {
                return Err(Some("ends before it begins".into()));
            }
            if (to - from).num_days() > LONGEST_RANGE {
                return Err(Some("is longer than a year".into()));
            }
            return Ok(Self::Dates(from, to));
        }
        let mut week = 0;
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (weekday(first).ok_or(None)?, weekday(last).ok_or(None)?);
            // "fri-mon" goes over the weekend.
            let mut day = first;
            week |= 1 << day.num_days_from_monday();
            while day != last {
                day = day.succ();
                week |= 1 << day.num_days_from_monday();
            }
        }
        Ok(Self::Week(week))
    }

    /// Whether `day` is one of them; windows know no days.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> bool {
        match self {
            Self::Every => true,
            Self::Week(week) => week & (1 << day.weekday().num_days_from_monday()) != 0,
            Self::Dates(from, to) => (*from..=*to).contains(&day),
            Self::Window(_) => false,
        }
    }

    /// The more particular, the larger.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Every => 0,
            Self::Week(_) => 1,
            Self::Dates(..) => 2,
            Self::Window(_) => 3,
        }
    }

    /// Whether what they say goes on after their day, until something else begins.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Every | Self::Week(_))
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}

/// "mon" or "Monday".
fn weekday(text: &str) -> Option<Weekday> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(key: &str) -> u8 {
        match When::parse(key).unwrap().days {
            OnDays::Week(week) => week,
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn keys_name_days_and_a_time() {
        assert_eq!(When::parse("9:30").unwrap(), When { days: OnDays::Every, minute: 570 });
        assert_eq!((week("mon-fri 9:00"), week("Sat,sun"), week("fri-mon 0:00")), (0b001_1111, 0b110_0000, 0b111_0001));
        let christmas = |day| NaiveDate::from_ymd_opt(2026, 12, day).unwrap();
        let dates = When { days: OnDays::Dates(christmas(24), christmas(26)), minute: 480 };
        assert_eq!(When::parse("2026-12-24..2026-12-26 8:00").unwrap(), dates);
        let one = When { days: OnDays::Dates(christmas(24), christmas(24)), minute: 0 };
        assert_eq!(When::parse("2026-12-24").unwrap(), one);
        assert!(matches!(When::parse("0 9 * * 1-5 for 8h").unwrap().days, OnDays::Window(_)));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["", "24:00", "mon 24:00", "mo-fr 9:00", "2026-13-01", "9", "mon 9", "mon- 9:00"] {
            assert!(When::parse(key).is_err(), "{key}");
        }
        assert_eq!(When::parse("2026-12-26..2026-12-24").unwrap_err().unwrap(), "ends before it begins");
    }
}
