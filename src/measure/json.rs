//! Owns JSON from outside as measurements see it: parsed within a limit of depth, looked into by a
//! dotted path, described in a few words. It converts nothing: a text that looks like a number is a text.

use std::fmt;

use serde_json::Value as Json;

/// Deepest nesting of a reply: real ones have a handful of levels.
const DEPTH: usize = 64;

/// Characters of a wrong reply that a message shows.
const SHOWN: usize = 40;

/// Parses `body`, or says what it is instead (to follow the URL in a sentence).
///
/// # Errors
/// When it is no JSON, or nested too deeply.
pub fn parse(body: &[u8]) -> Result<Json, String> {
    // Scripts of Windows habitually begin with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if deeper_than(body, DEPTH) {
        return Err(format!("answered JSON nested more than {DEPTH} levels deep"));
    }
    serde_json::from_slice(body).map_err(|_| {
        let text = String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).trim().to_owned();
        match text.chars().next() {
            None => "answered nothing where JSON is due".to_owned(),
            Some('<') => format!("answered HTML where JSON is due: `{}`", shorten(&text)),
            Some(_) => format!("answered `{}`, which is no JSON", shorten(&text)),
        }
    })
}

/// Whether brackets outside texts nest deeper than `limit`: counted before parsing, which recurses.
fn deeper_than(body: &[u8], limit: usize) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The beginning of `text` on one line.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// What `value` is: "the text `12`", "an object".
#[must_use]
pub fn describe(value: &Json) -> String {
    match value {
        Json::Null => "`null`".into(),
        Json::Bool(value) => format!("`{value}`"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text `{}`", shorten(text)),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(_) => "an object".into(),
    }
}

/// A dotted path into JSON; a number names an item of a list, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads "queues.0.size".
    ///
    /// # Errors
    /// Why it is no path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps: Vec<String> = text.split('.').map(str::to_owned).collect();
        if steps.iter().any(String::is_empty) {
            return Err("a step between its dots is empty".into());
        }
        Ok(Self(steps))
    }

    /// What stands there in `data`.
    ///
    /// # Errors
    /// Which step leads nowhere, and what is there instead.
    pub fn find<'a>(&self, data: &'a Json) -> Result<&'a Json, String> {
        let mut current = data;
        for step in &self.0 {
            let next = match current {
                Json::Object(entries) => entries.get(step),
                Json::Array(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            current = next.ok_or_else(|| match current {
                Json::Object(entries) => format!("there is no `{step}` among {}", names(entries)),
                other => format!("there is no `{step}` in {}", describe(other)),
            })?;
        }
        Ok(current)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The first names of an object.
fn names(entries: &serde_json::Map<String, Json>) -> String {
    let mut names: Vec<String> = entries.keys().take(5).map(|name| format!("`{}`", shorten(name))).collect();
    if entries.len() > names.len() {
        names.push("…".into());
    }
    if names.is_empty() { "no entries".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_its_value_or_says_where_it_ends() {
        let data = json!({"queues": [{"size": 12}], "name": "x"});
        let find = |path: &str| Path::parse(path).unwrap().find(&data).cloned();
        assert_eq!(find("queues.0.size"), Ok(json!(12)));
        assert_eq!(find("queues.1.size"), Err("there is no `1` in a list of 1".into()));
        assert_eq!(find("queue"), Err("there is no `queue` among `queues`, `name`".into()));
        assert_eq!(find("name.x"), Err("there is no `x` in the text `x`".into()));
        assert!(Path::parse("a..b").is_err() && Path::parse("").is_err());
    }

    #[test]
    fn depth_is_counted_outside_texts_only() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(64).as_bytes()).is_ok());
        assert_eq!(parse(nested(65).as_bytes()), Err("answered JSON nested more than 64 levels deep".into()));
        assert!(parse(format!("\"\\\"{}\"", "[".repeat(99)).as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_json_is_told() {
        assert_eq!(parse(b"NaN"), Err("answered `NaN`, which is no JSON".into()));
        assert_eq!(parse(b" "), Err("answered nothing where JSON is due".into()));
        let html = parse(b"\n<!doctype html><title>Log in</title><body>").unwrap_err();
        assert_eq!(html, "answered HTML where JSON is due: `<!doctype html><title>Log in</title><bod…`");
    }
}
