//! Owns the unit tests of planned requests.

use super::*;
use crate::reach::HostPattern;

fn plain(text: &str) -> Part {
    Part::Plain(text.into())
}

fn bound(text: &str, host: &str) -> Part {
    Part::Secret(Secret::new(text).bound_to([HostPattern::parse(host).unwrap()].into()))
}

fn get(url: &str) -> RequestPlan {
    RequestPlan::new("get", plain(url)).unwrap()
}

#[test]
fn what_is_shown_of_a_request_holds_no_secret() {
    let plan = get("https://me:pw@a.test/x?key=1#f");
    assert_eq!(plan.shown(), "GET https://a.test/x");
    let hook = RequestPlan::new("POST", Part::Secret(Secret::new("https://hooks.test/T/secret-path"))).unwrap();
    assert_eq!(hook.shown(), "POST hooks.test/***");
    let plan = hook.bearer(&plain("token-in-plain-text")).unwrap().query("k", Part::Missing("K".into())).unwrap();
    assert!(!format!("{plan:?} {}", plan.described()).contains("token"), "{plan:?}");
    // A secret that is not set stands for itself: it can only be sent where nothing is reached.
    assert!(plan.request().unwrap().url.ends_with("k=https%3A%2F%2Fsecret.invalid%2FK"), "{plan:?}");
}

#[test]
fn a_secret_goes_only_where_it_is_bound_to() {
    let secret = bound("a-bound-secret", "hooks.slack.com");
    let said = "is bound to `hooks.slack.com`, and may not be sent to `a.test`";
    let wrong = |made: Result<RequestPlan, Wrong>| made.unwrap_err().message;
    let plan = get("https://a.test/");
    assert_eq!(wrong(plan.clone().header("X-Key", secret.clone())), format!("the secret in the header `X-Key` {said}"));
    assert_eq!(wrong(plan.clone().bearer(&secret)), format!("the secret in the header `Authorization` {said}"));
    assert_eq!(
        wrong(plan.clone().basic(&plain("me"), &secret)),
        format!("the secret in the header `Authorization` {said}")
    );
    assert_eq!(wrong(plan.clone().query("key", secret.clone())), format!("the secret in `key` of the query {said}"));
    let inside = Tree::Object(vec![("list".into(), Tree::List(vec![Tree::Text(secret.clone())]))]);
    assert_eq!(wrong(plan.body(Body::Json(inside.clone()))), format!("the secret in the body {said}"));
    assert!(get("https://hooks.slack.com/x").bearer(&secret).unwrap().body(Body::Json(inside)).is_ok());
    let url = bound("https://a.test/hook", "hooks.slack.com");
    assert_eq!(wrong(RequestPlan::new("POST", url)), format!("the secret in the URL {said}"));
}

#[test]
fn what_is_sent_is_put_together_once() {
    let tree = Tree::Object(vec![("key".into(), Tree::Text(Part::Secret(Secret::new("in-the-body"))))]);
    let plan = get("https://a.test/x?a=1").query("b", plain("2 3")).unwrap().body(Body::Json(tree)).unwrap();
    let plan = plan.basic(&plain("me"), &plain("open sesame")).unwrap().header("x-a", plain("1")).unwrap();
    let request = plan.header("X-A", plain("2")).unwrap().request().unwrap();
    assert_eq!(request.url, "https://a.test/x?a=1&b=2+3");
    assert_eq!(request.body.unwrap(), r#"{"key":"in-the-body"}"#);
    let headers = vec![("X-A".to_owned(), "2".to_owned()), ("Content-Type".into(), "application/json".into())];
    assert_eq!(request.headers, headers);
    let (name, value) = &request.secret_headers[0];
    assert_eq!((name.as_str(), value.expose()), ("Authorization", "Basic bWU6b3BlbiBzZXNhbWU="));
}

#[test]
fn what_cannot_be_sent_is_told() {
    let wrong = |made: Result<RequestPlan, Wrong>| made.unwrap_err().message;
    let plan = get("https://a.test/");
    for (made, said) in [
        (
            RequestPlan::new("GET", plain("a.test/x")),
            "`a.test/x` is no web address: it does not begin with `https://` or `http://`",
        ),
        (
            RequestPlan::new("GET", plain("ftp://a.test/x")),
            "`ftp://a.test/x` begins with `ftp:`, not with `https:` or `http:`",
        ),
        (RequestPlan::new("G T", plain("http://a.test")), "`G T` is no method of HTTP"),
        (plan.clone().header("Host", plain("b.test")), "the header `Host` is made from the request, and cannot be set"),
        (
            plan.clone().header("X", plain("a\r\nY: b")),
            "the value of the header `X` holds a character that no header may hold",
        ),
        (plan.clone().timeout(0.0), "`timeout_seconds` takes a number above 0 and up to 60, not 0"),
        (plan.clone().retries(6), "`retries` takes a whole number from 0 to 5, not 6"),
        (plan.body(Body::Text(plain(&"x".repeat(1 << 21)))), "the body is larger than 1 MiB"),
    ] {
        assert_eq!(wrong(made), said);
    }
}
