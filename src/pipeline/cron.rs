//! Owns windows that begin as a cron line says and last a given time: "0 18 * * fri for 62h". It looks
//! up whether one is open at a local time; nothing is scheduled by it.

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// The longest window.
const LONGEST_MINUTES: u32 = 7 * 1440;

/// More begins in a day make no windows any more.
const MOST_BEGINS: usize = 24;

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A window that opens again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronWindow {
    /// Minutes of the day at which it opens, ascending.
    begins: Vec<u16>,
    /// One bit each, from 1 on.
    days_of_month: u32,
    /// One bit each, from 1 on.
    months: u16,
    /// One bit each, Sunday first.
    days_of_week: u8,
    /// Whether one of the two kinds of days is enough: cron's rule where both are restricted.
    either_day: bool,
    minutes: u32,
}

impl CronWindow {
    /// Reads "minute hour day month weekday for 8h"; durations end in `m`, `h` or `d`.
    ///
    /// # Errors
    /// Why it is none, to follow the key in a sentence.
    pub fn parse(line: &str, lasts: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err("is no cron line of five fields".into());
        };
        let minutes = duration(lasts.trim()).ok_or("lasts no time such as `90m`, `8h` or `2d`")?;
        if !(1..=LONGEST_MINUTES).contains(&minutes) {
            return Err("must last between a minute and 7 days".into());
        }
        let (minute_bits, hour_bits) = (field(minute, 0..=59, &[])?, field(hour, 0..=23, &[])?);
        let set = |bits: u64, n: u16| bits & (1 << n) != 0;
        let hours = (0..24).filter(|hour| set(hour_bits, *hour));
        let begins: Vec<u16> =
            hours.flat_map(|hour| (0..60).filter(|n| set(minute_bits, *n)).map(move |n| hour * 60 + n)).collect();
        if begins.len() > MOST_BEGINS {
            return Err(format!("opens {} times a day, and at most {MOST_BEGINS} are allowed", begins.len()));
        }
        // 7 is Sunday too.
        let weekdays = field(weekday, 0..=7, &DAYS)?;
        let weekdays = (weekdays | (weekdays >> 7)) & 0x7f;
        let narrow = |bits: u64| u32::try_from(bits).unwrap_or(u32::MAX);
        Ok(Self {
            begins,
            days_of_month: narrow(field(day, 1..=31, &[])?),
            months: u16::try_from(field(month, 1..=12, &MONTHS)?).unwrap_or(u16::MAX),
            days_of_week: u8::try_from(weekdays).unwrap_or(u8::MAX),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
            minutes,
        })
    }

    /// When the window opened that is open at `local`.
    #[must_use]
    pub fn open_since(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let minute = u16::try_from(local.hour() * 60 + local.minute()).ok()?;
        let most_days = u64::from(self.minutes / 1440 + 1);
        for back in 0..=most_days {
            let Some(day) = local.date().checked_sub_days(Days::new(back)).filter(|day| self.on(*day)) else {
                continue;
            };
            let until = if back == 0 { minute } else { u16::MAX };
            if let Some(begin) = self.begins.iter().rev().find(|begin| **begin <= until) {
                let begin = NaiveDateTime::new(day, NaiveTime::MIN) + TimeDelta::minutes(i64::from(*begin));
                // The latest one that opened: an earlier one has closed before.
                return (local - begin < TimeDelta::minutes(i64::from(self.minutes))).then_some(begin);
            }
        }
        None
    }

    /// How long it is open.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        Duration::from_secs(u64::from(self.minutes) * 60)
    }

    /// The minutes of the day at which it may open or close.
    pub fn changes(&self) -> impl Iterator<Item = u16> {
        let closes = |begin: &u16| u16::try_from((u32::from(*begin) + self.minutes) % 1440).unwrap_or(0);
        self.begins.iter().copied().chain(self.begins.iter().map(closes))
    }

    fn on(&self, day: NaiveDate) -> bool {
        let of_month = self.days_of_month & (1 << day.day()) != 0;
        let of_week = self.days_of_week & (1 << day.weekday().num_days_from_sunday()) != 0;
        let days = if self.either_day { of_month || of_week } else { of_month && of_week };
        days && self.months & (1 << day.month()) != 0
    }
}

fn duration(text: &str) -> Option<u32> {
    let number = text.strip_suffix(['m', 'h', 'd'])?.trim();
    let number: u32 = number.parse().ok()?;
    number.checked_mul(match text.as_bytes().last()? {
        b'm' => 1,
        b'h' => 60,
        _ => 1440,
    })
}

/// The bits of one field: `*`, numbers, names, `a-b`, lists and `/step`.
fn field(text: &str, range: RangeInclusive<u32>, names: &[&str]) -> Result<u64, String> {
    let wrong = || format!("has `{text}`, which is no part of a cron line");
    let number = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        // Months are counted from 1, days of the week from 0.
        let first = usize::from(names.len() == 12);
        let named = named.and_then(|at| u32::try_from(at + first).ok());
        named.or_else(|| text.parse().ok()).filter(|number| range.contains(number))
    };
    let mut bits = 0_u64;
    for part in text.split(',') {
        let (span, step) = match part.split_once('/') {
            None => (part, 1),
            Some((span, step)) => (span, step.parse().ok().filter(|step| *step > 0).ok_or_else(wrong)?),
        };
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (*range.start(), *range.end()),
            Some((first, last)) => (number(first).ok_or_else(wrong)?, number(last).ok_or_else(wrong)?),
            None => {
                let first = number(span).ok_or_else(wrong)?;
                // "5/15" goes on to the end.
                (first, if part.contains('/') { *range.end() } else { first })
            }
        };
        if first > last {
            return Err(wrong());
        }
        (first..=last).step_by(step).for_each(|number| bits |= 1 << number);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn a_window_is_open_from_its_line_on_for_its_time() {
        let office = CronWindow::parse("0 9 * * 1-5", "8h").unwrap();
        // 2026-11-24 is a Tuesday, 28 a Saturday.
        for (time, open) in [
            ("2026-11-24 08:59", false),
            ("2026-11-24 09:00", true),
            ("2026-11-24 16:59", true),
            ("2026-11-24 17:00", false),
            ("2026-11-28 12:00", false),
        ] {
            assert_eq!(office.open_since(at(time)).is_some(), open, "{time}");
        }
        let weekend = CronWindow::parse("0 18 * * fri", "62h").unwrap();
        assert_eq!(weekend.open_since(at("2026-11-30 07:59")), Some(at("2026-11-27 18:00")));
        assert_eq!(weekend.open_since(at("2026-11-30 08:00")), None);
        let first = CronWindow::parse("30 0,12 1,15 jan-mar *", "90m").unwrap();
        assert!(
            first.open_since(at("2026-02-15 13:59")).is_some() && first.open_since(at("2026-04-15 13:00")).is_none()
        );
    }

    #[test]
    fn days_of_the_month_and_of_the_week_are_either_where_both_are_named() {
        let either = CronWindow::parse("0 0 13 * 7", "1h").unwrap();
        // A Friday the 13th, and a Sunday.
        assert!(either.open_since(at("2026-11-13 00:30")).is_some());
        assert!(either.open_since(at("2026-11-15 00:30")).is_some());
        assert!(either.open_since(at("2026-11-16 00:30")).is_none());
    }

    #[test]
    fn what_is_no_window_is_refused_with_its_reason() {
        for (line, lasts, expected) in [
            ("0 9 * *", "8h", "five fields"),
            ("0 9 * * 8", "8h", "`8`"),
            ("0 24 * * *", "8h", "`24`"),
            ("* * * * *", "8h", "1440 times a day"),
            ("0 9 * * *", "8", "lasts no time"),
            ("0 9 * * *", "8d", "7 days"),
            ("0 9-8 * * *", "8h", "`9-8`"),
            ("*/0 9 * * *", "8h", "`*/0`"),
        ] {
            let said = CronWindow::parse(line, lasts).unwrap_err();
            assert!(said.contains(expected), "{line} {lasts}: {said}");
        }
        assert_eq!(CronWindow::parse("*/30 9-17/4 * * *", "5m").unwrap().begins.len(), 6);
    }
}
