//! Owns the reading of one line of Heroku's router log. It keeps what tells of a request, and trusts
//! nothing of it: values may be quoted, bare, empty or missing.
//!
//! Format: <https://devcenter.heroku.com/articles/http-routing#heroku-router-log-format>.

use std::borrow::Cow;

/// What the router says of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouterLine {
    /// The request's id, as sent in `X-Request-ID` or made by the router.
    pub request_id: String,
    /// Milliseconds between dyno and client, the dyno's queue included; `None` where no dyno answered.
    pub service_ms: Option<f64>,
    /// Milliseconds to connect to the dyno.
    pub connect_ms: Option<f64>,
    /// The status code sent to the client.
    pub status: Option<u16>,
    /// The error code ("H12") and its text.
    pub code: Option<(String, String)>,
    /// The dyno that answered ("web.1").
    pub dyno: Option<String>,
}

/// Reads `line`, as a log session sends it: `<time> heroku[router]: at=info method=GET …`, maybe after
/// the `data:` of a server-sent event. `None` for any other line, and for one without a request id.
#[must_use]
pub fn router_line(line: &str) -> Option<RouterLine> {
    let line = line.strip_prefix("data:").unwrap_or(line);
    let (head, text) = line.split_once(": ")?;
    if !head.ends_with("heroku[router]") {
        return None;
    }
    let mut found = RouterLine::default();
    let (mut code, mut description) = (None, String::new());
    for (key, value) in pairs(text) {
        match key {
            "request_id" => found.request_id = value.into_owned(),
            "service" => found.service_ms = milliseconds(&value),
            "connect" => found.connect_ms = milliseconds(&value),
            "status" => found.status = value.parse().ok(),
            "dyno" if !value.is_empty() => found.dyno = Some(value.into_owned()),
            "code" if !value.is_empty() => code = Some(value.into_owned()),
            "desc" => description = value.into_owned(),
            _ => {}
        }
    }
    found.code = code.map(|code| (code, description));
    (!found.request_id.is_empty()).then_some(found)
}

fn milliseconds(value: &str) -> Option<f64> {
    let number: f64 = value.strip_suffix("ms")?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// The pairs of a logfmt text: `key=bare`, `key="quoted \" text"`, `key=`, and words without `=`, whose
/// value is empty. Any text has pairs; none is refused.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(after) = after.strip_prefix('=') else {
            rest = after;
            return Some((key, Cow::Borrowed("")));
        };
        let value;
        (value, rest) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted)
        } else {
            let (bare, rest) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
            (Cow::Borrowed(bare), rest)
        };
        Some((key, value))
    })
}

/// The text up to the closing quote, and what follows it. A quote that is never closed ends with the line.
fn unquote(quoted: &str) -> (Cow<'_, str>, &str) {
    match quoted.find(['"', '\\']) {
        None => return (Cow::Borrowed(quoted), ""),
        Some(end) if quoted[end..].starts_with('"') => return (Cow::Borrowed(&quoted[..end]), &quoted[end + 1..]),
        Some(_) => {}
    }
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (Cow::Owned(value), &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (Cow::Owned(value), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_request_has_its_times() {
        let line = "2012-10-11T03:47:20+00:00 heroku[router]: at=info method=GET path=\"/a?b=service=9ms\" \
                    host=myapp.herokuapp.com request_id=8601b555 fwd=\"204.204.204.204\" dyno=web.1 connect=1ms \
                    service=18ms status=200 bytes=13 protocol=https";
        let found = router_line(line).unwrap();
        assert_eq!(
            (found.request_id.as_str(), found.service_ms, found.connect_ms),
            ("8601b555", Some(18.0), Some(1.0))
        );
        assert_eq!((found.status, found.code, found.dyno.as_deref()), (Some(200), None, Some("web.1")));
        assert_eq!(router_line(&format!("data: {line}")).unwrap().service_ms, Some(18.0));
    }

    #[test]
    fn an_error_has_its_code_and_empty_times() {
        let line = "2012-10-11T03:47:20+00:00 heroku[router]: at=error code=H10 desc=\"App crashed\" method=GET path=/ \
                    host=x request_id=r1 fwd=1.1.1.1 dyno= connect= service= status=503 bytes=";
        let found = router_line(line).unwrap();
        assert_eq!(found.code, Some(("H10".into(), "App crashed".into())));
        assert_eq!((found.service_ms, found.connect_ms, found.dyno), (None, None, None));
    }

    #[test]
    fn other_lines_and_broken_ones_are_none() {
        for line in [
            "2012-10-11T03:47:20+00:00 app[web.1]: heroku[router]: request_id=r1 service=1ms",
            "2012-10-11T03:47:20+00:00 heroku[web.1]: State changed from starting to up",
            "2012-10-11T03:47:20+00:00 heroku[router]: at=info method=GET",
            "heroku[router]:",
            "",
            ": keep-alive",
        ] {
            assert_eq!(router_line(line), None, "{line}");
        }
        let odd = "t heroku[router]: request_id=r1 service=NaNms connect=-1ms status=99999 desc=\"never closed";
        let found = router_line(odd).unwrap();
        assert_eq!((found.service_ms, found.connect_ms, found.status), (None, None, None));
    }

    #[test]
    fn quoted_bare_and_empty_values_are_told_apart() {
        let found: Vec<_> = pairs(r#"a="x \"y\" =z" b= c=1=2 word d="" e"#).collect();
        let expected = [("a", "x \"y\" =z"), ("b", ""), ("c", "1=2"), ("word", ""), ("d", ""), ("e", "")];
        assert_eq!(found, expected.map(|(key, value)| (key, Cow::from(value))));
    }
}
