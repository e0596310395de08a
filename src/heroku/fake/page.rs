//! Owns the ranges of the fake API's lists: `Range: type ]web..; max=2` and what is answered to it.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::refusal::Refusal;

/// The most that one page may have.
const LARGEST_PAGE: usize = 1000;

/// One page of `items`, ordered by their field `by`; `size` is that of a page where none is asked for.
pub fn page(mut items: Vec<Value>, by: &str, headers: &HeaderMap, size: usize) -> Response {
    items.sort_by_key(|item| key(item, by));
    let asked = headers.get("range").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (range, options) = asked.split_once(';').unwrap_or((asked, ""));
    let option = |name: &str| options.split([',', ';']).find_map(|part| part.trim().strip_prefix(name));
    if option("order=") == Some("desc") {
        items.reverse();
    }
    let size = option("max=").and_then(|max| max.parse().ok()).unwrap_or(size);
    if size == 0 || size > LARGEST_PAGE {
        return Refusal::new(416, "requested_range_not_satisfiable", "Invalid `Range` header.").into_response();
    }
    if let Some(after) = range.split_once(' ').and_then(|(_, range)| range.strip_prefix(']')) {
        let after = after.split("..").next().unwrap_or_default();
        items.retain(|item| *key(item, by) > *after);
    }
    let more = items.len() > size;
    items.truncate(size);
    let ends = items.first().zip(items.last()).map(|(first, last)| (key(first, by), key(last, by)));
    let status = if more { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = (status, Json(items)).into_response();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("accept-ranges", by.to_owned());
    if let Some((first, last)) = ends {
        set("content-range", format!("{by} {first}..{last}"));
        if more {
            set("next-range", format!("{by} ]{last}..; max={size}"));
        }
    }
    response
}

/// Numbers are as long as each other, so that they compare like texts.
fn key(item: &Value, by: &str) -> String {
    match &item[by] {
        Value::Number(number) => format!("{:>20}", number.to_string()),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}
