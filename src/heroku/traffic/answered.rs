//! Owns the reading of what the router says of one request, as far as a window counts it. It reads 200,000 lines
//! a second and more, so it copies nothing.

use std::fmt;

use crate::heroku::router_line::pairs;

/// Longer times are not told apart: Heroku's router gives up after half a minute, and a WebSocket is no request.
pub(super) const LONGEST_MS: u32 = 3_600_000;

/// An error code of Heroku's: "H12".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code([u8; 3]);

impl Code {
    /// Reads a capital letter and two digits; anything else is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        let well_formed = code[0].is_ascii_uppercase() && code[1].is_ascii_digit() && code[2].is_ascii_digit();
        well_formed.then_some(Self(code))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

/// What the router says of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Milliseconds between dyno and client, the dyno's queue included; `None` where no dyno answered.
    pub service_ms: Option<u32>,
    /// Milliseconds to connect to the dyno.
    pub connect_ms: Option<u32>,
    /// The status code sent to the client; 0 where it is missing.
    pub status: u16,
    /// The error code.
    pub code: Option<Code>,
}

/// The status of a connection that became a WebSocket: it ends when somebody leaves.
const SWITCHED: u16 = 101;

impl Answered {
    /// Reads the text of a router line, without its head: `at=info method=GET …`. `None` for what is no request.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut request = false;
        for (key, value) in pairs(text) {
            match key {
                "service" => found.service_ms = milliseconds(&value),
                "connect" => found.connect_ms = milliseconds(&value),
                "status" => found.status = value.parse().unwrap_or(0),
                "code" => found.code = Code::read(&value),
                "at" => request = true,
                _ => {}
            }
        }
        (request && (found.status != 0 || found.code.is_some())).then_some(found)
    }

    /// Milliseconds in all.
    #[must_use]
    pub fn total_ms(&self) -> Option<u32> {
        Some(self.service_ms?.saturating_add(self.connect_ms.unwrap_or(0)))
    }

    /// Whether its times are those of a request.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.status != SWITCHED
    }
}

/// `18ms`, where the fraction of one counts as nothing.
fn milliseconds(value: &str) -> Option<u32> {
    let digits = value.strip_suffix("ms")?;
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    let number: u64 = whole.parse().ok()?;
    Some(u32::try_from(number).unwrap_or(u32::MAX).min(LONGEST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_times_and_an_error_its_code() {
        let good = "at=info method=GET path=\"/a?code=H12 service=9ms\" host=x request_id=r fwd=\"1.1.1.1\" dyno=web.1 \
                    connect=1ms service=18ms status=200 bytes=13 protocol=https";
        let found = Answered::read(good).unwrap();
        assert_eq!((found.service_ms, found.connect_ms, found.total_ms()), (Some(18), Some(1), Some(19)));
        assert_eq!((found.status, found.code), (200, None));
        let bad = "at=error code=H12 desc=\"Request timeout\" method=GET path=\"/\" dyno=web.1 connect=6ms \
                   service=30001ms status=503 bytes=0";
        let found = Answered::read(bad).unwrap();
        assert_eq!((found.service_ms, found.code), (Some(30_001), Code::read("H12")));
        let crashed =
            Answered::read("at=error code=H10 desc=\"App crashed\" dyno= connect= service= status=503 bytes=");
        assert_eq!(crashed.unwrap().service_ms, None);
    }

    #[test]
    fn what_is_no_request_or_no_number_is_none() {
        for text in ["", "status=200 service=1ms", "at=info", "at=warning desc=x", "Router restarted"] {
            assert_eq!(Answered::read(text), None, "{text}");
        }
        let odd = Answered::read("at=info service=-1ms connect=NaNms status=200 code=H1234").unwrap();
        assert_eq!((odd.service_ms, odd.connect_ms, odd.code), (None, None, None));
        let long = Answered::read("at=info service=99999999999999ms connect=2.7ms status=101").unwrap();
        assert_eq!((long.service_ms, long.connect_ms, long.is_timed()), (Some(LONGEST_MS), Some(2), false));
    }
}
