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
            let (from, to) = (date(from).ok_or_else(|| no_day(from))?, date(to).ok_or_else(|| no_day(to))?);
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

/// Why a text that has the form of a date is none.
fn no_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let digits = |part: &&str, count| part.len() <= count && part.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = parts.as_slice() else { return None };
    let form = year.len() == 4 && digits(year, 4) && digits(month, 2) && digits(day, 2);
    (form && !month.is_empty() && !day.is_empty()).then(|| "names a day that does not exist".into())
}

/// What was meant by the key `key`, which is none: what other notations write.
#[must_use]
pub fn mend(key: &str) -> Option<String> {
    let key = key.trim();
    let lower = key.to_lowercase();
    if lower.split_whitespace().count() == 5 && lower.starts_with(|c: char| c.is_ascii_digit() || c == '*') {
        return Some(format!("a line of cron needs how long it holds: \"{key} for 8h\""));
    }
    let parts: Vec<&str> = lower.split('/').collect();
    if let [one, two, year] = parts.as_slice()
        && let (Ok(one), Ok(two), Ok(year @ 1000..)) = (one.parse::<u32>(), two.parse::<u32>(), year.parse::<i32>())
    {
        let dates = [(one, two), (two, one)].map(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
        let mut dates: Vec<String> = dates.iter().flatten().map(|date| format!("\"{date}\"")).collect();
        dates.dedup();
        return (!dates.is_empty()).then(|| format!("write {}", dates.join(" or ")));
    }
    let (days, time) =
        lower.rsplit_once(char::is_whitespace).map_or(("", lower.as_str()), |(days, time)| (days.trim(), time));
    let before = if days.is_empty() { String::new() } else { format!("{days} ") };
    if let Some((from, to)) = time.split_once('-')
        && let (Some(_), Some(_)) = (time_of_day(from), time_of_day(to))
    {
        return Some(format!(
            "an entry holds until the next one: write \"{before}{from}\" with the number, and \"{before}{to}\" with the one after it"
        ));
    }
    let clock = |text: &str| {
        let (text, add) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(text), _) => (text, 0),
            (_, Some(text)) => (text, 12),
            _ => return None,
        };
        let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "00"));
        let hour: u32 = hour.parse().ok().filter(|hour| (1..=12).contains(hour))?;
        Some(format!("{}:{minute}", hour % 12 + add))
    };
    if let Some(time) = clock(time) {
        return Some(format!("write \"{before}{time}\""));
    }
    let names = [
        ("weekdays", "mon-fri"),
        ("weekday", "mon-fri"),
        ("workdays", "mon-fri"),
        ("weekends", "sat,sun"),
        ("weekend", "sat,sun"),
        ("daily", ""),
        ("everyday", ""),
    ];
    let (word, rest) = lower.split_once(char::is_whitespace).unwrap_or((&lower, ""));
    if let Some((_, ours)) = names.iter().find(|(theirs, _)| *theirs == word) {
        let rest = clock(rest).unwrap_or_else(|| if rest.is_empty() { "0:00".into() } else { rest.trim().to_owned() });
        return Some(format!("write \"{}\"", format!("{ours} {rest}").trim()));
    }
    // A day with a slip in it: its first three letters are right.
    let nearest = |day: &str| {
        let start: String = day.trim().chars().take(2).collect();
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .into_iter()
            .find(|known| start.len() == 2 && known.starts_with(&start))
    };
    let list: Option<Vec<String>> = word
        .split(',')
        .map(|part| match part.split_once('-') {
            Some((from, to)) => Some(format!("{}-{}", nearest(from)?, nearest(to)?)),
            None => nearest(part).map(str::to_owned),
        })
        .collect();
    let time = if time_of_day(rest).is_some() { rest } else { "9:00" };
    list.map(|list| format!("did you mean \"{} {time}\"?", list.join(",")))
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
