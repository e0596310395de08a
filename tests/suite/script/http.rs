//! `http::`: requests that functions send, and what comes back.

use autoscaler::script::MissingSecrets;
use serde_json::json;

use super::bench::files;
use super::reaching::{Around, failure, loaded, measured, measured_around, measuring, report, told};
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_sends_what_it_put_together() {
    let server = Server::start([(201, &[("x-left", "7")], r#"{"queue": {"size": 12}}"#.into())]).await;
    let around = Around { variables: vec![("TOKEN", "tok-1234567890".into())], ..Around::default() };
    let stage = format!(
        r#"|| {{
            let reply = http::request("patch", "{}/x?a=1")
                .header("X-One", 1).bearer(env::secret("TOKEN"))
                .query("b", "2 3").query(#{{ c: true }})
                .json(#{{ list: [1, 2.5, "three", ()], token: env::secret("TOKEN") }})
                .timeout_seconds(5).send();
            #{{ status: reply.status, ok: reply.ok, left: reply.header("X-Left"), none: reply.header("x-no"),
               size: reply.json().queue.size, text: reply.text().len(), quick: reply.took_ms < 5000 }}
        }}"#,
        server.url
    );
    let measurement = measured_around(&stage, &around).await;
    let expected = json!({
        "left": "7", "none": null, "ok": true, "quick": true, "size": 12, "status": 201, "text": 23
    });
    assert_eq!(measurement.data, expected, "{measurement:?}");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "PATCH /x?a=1&b=2+3&c=true");
    assert_eq!((seen.header("x-one"), seen.header("authorization")), ("1", "Bearer tok-1234567890"));
    assert_eq!(seen.header("content-type"), "application/json");
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({ "list": [1, 2.5, "three", null], "token": "tok-1234567890" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_and_a_text_as_body() {
    let server = Server::saying("").await;
    let url = &server.url;
    let sends =
        ["get", "post", "put", "patch", "delete", "head"].map(|name| format!("http::{name}(\"{url}/\").send();"));
    let stage = format!(
        "|| {{ {} http::post(\"{url}/t\").basic(\"me\", \"open sesame\").body(\"text\").send().status }}",
        sends.concat()
    );
    assert_eq!(measured(&stage).await.value, Some(200.0));
    assert_eq!(server.lines(), ["GET /", "POST /", "PUT /", "PATCH /", "DELETE /", "HEAD /", "POST /t"]);
    let last = server.seen().pop().unwrap();
    assert_eq!((last.body.as_str(), last.header("authorization")), ("text", "Basic bWU6b3BlbiBzZXNhbWU="));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_told() {
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for (body, said) in [
        ("<html>", "answered HTML where JSON is due: `<html>`"),
        ("", "answered nothing where JSON is due"),
        ("{oops", "answered `{oops`, which is no JSON"),
        (&*deep, "answered JSON nested more than 64 levels deep"),
    ] {
        let server = Server::saying(body).await;
        let url = &server.url;
        let said = format!("`GET {url}/q` {said} (test.rhai:1:{})", url.len() + 55);
        assert_eq!(failure(&format!("|| http::get(\"{url}/q\").send().json()")).await, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_tries_again_only_if_it_says_so() {
    let server = Server::start([(503, &[], String::new()), (200, &[], "4".into())]).await;
    let url = &server.url;
    assert_eq!(measured(&format!("|| http::get(\"{url}/\").send().status")).await.value, Some(503.0));
    assert_eq!(server.lines().len(), 1);
    let server = Server::start([(503, &[], String::new()), (200, &[], "4".into())]).await;
    let url = &server.url;
    assert_eq!(measured(&format!("|| http::get(\"{url}/\").retries(1).send().json()")).await.value, Some(4.0));
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_where_nothing_may_be_reached() {
    let server = Server::saying("1").await;
    let url = &server.url;
    let said = report(&format!("let x = http::get(\"{url}/\").send();"), &Around::default());
    let loading = "error: `send` is called while the script loads, and loading reaches nothing \
                   (call it in a function of `measure`, `scale` or `notify`)";
    assert!(said.contains(loading), "{said}");
    let pure = "`send` is called in a function that reaches nothing";
    let map = format!("measure::custom(#{{}}, || 1).map(|d| http::get(\"{url}/\").send().status)");
    let said = report(&measuring(&map), &Around::default());
    assert!(said.contains("`map` reaches nothing outside, and `http::get` does"), "{said}");
    let said = failure(&format!("measure::http(#{{ request: || http::get(\"{url}/\").send() }})")).await;
    assert!(said.contains(pure), "{said}");
    let value = format!(
        "measure::http(#{{ request: http::get(\"{url}/\"), value: |r| http::get(\"{url}/second\").send().status }})"
    );
    let said = report(&measuring(&value), &Around::default());
    assert!(said.contains("`value` reaches nothing outside, and `.send()` does"), "{said}");
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_sent_is_a_failure() {
    let shown = "the request `GET http://127.0.0.1:1/x`, which nobody sent";
    assert_eq!(
        failure("|| [http::get(\"http://127.0.0.1:1/x?secret=1\")][0]").await,
        format!("the function of `measure` answered {shown}: write `.send()`, or `measure::http(#{{ request: … }})`")
    );
    let error = told("|event| [http::get(\"http://127.0.0.1:1/x\")][0]", &Around::default()).await.unwrap_err();
    assert!(error.message.contains(shown), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_stays_secret() {
    let server = Server::start([(500, &[], "no hook tok-1234567890 here".into())]).await;
    let variables = vec![("HOOK", format!("{}/T/tok-1234567890", server.url)), ("TOKEN", "tok-1234567890".into())];
    let around = Around { variables, ..Around::default() };
    let stage = "|| { let r = http::get(env::secret(\"HOOK\")).bearer(env::secret(\"TOKEN\")); throw `${r} ${[r]}` }";
    let measurement = measured_around(stage, &around).await;
    let shown = format!("GET {}/***", server.host());
    assert!(measurement.failure.unwrap().message.starts_with(&format!("{shown} [{shown}]")));
    let stage = "measure::http(#{ request: http::get(env::secret(\"HOOK\")).retries(0) })";
    let measurement = measured_around(stage, &around).await;
    let said = format!("`{shown}` answered 500 Internal Server Error: no hook *** here");
    assert_eq!(measurement.failure.unwrap().message, said);
    assert_eq!(server.lines(), ["GET /T/tok-1234567890"]);
}

#[test]
fn a_secret_is_sent_only_where_it_is_bound_to() {
    let around = Around { variables: vec![("HOOK_KEY", "key-1234567890".into())], ..Around::default() };
    let bound = "env::secret(\"HOOK_KEY\", #{ hosts: [\"hooks.slack.com\"] })";
    let said = report(&format!("let r = http::post(\"https://a.test/\").header(\"X-Key\", {bound});"), &around);
    let expected = "test.rhai:1:39: error: the secret in the header `X-Key` is bound to `hooks.slack.com`, and may not be \
                    sent to `a.test`";
    assert!(said.starts_with(expected), "{said}");
    let said = report(&format!("let r = http::post(\"https://a.test/\").json(#{{ a: [\"k=\" + {bound}] }});"), &around);
    assert!(said.contains("error: the secret in the body is bound to `hooks.slack.com`"), "{said}");
    let said = report(&format!("let s = {}", bound.replace("hosts", "host")), &around);
    assert!(said.contains("error: unknown setting `host` of `env::secret`"), "{said}");
    let said = report(&format!("let s = {}", bound.replace("hooks.", "https://hooks.")), &around);
    assert!(
        said.contains("`https://hooks.slack.com` in `hosts` of `env::secret` is a URL, and must be a host"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_secret_is_held_back_from_native_backends_too() {
    let server = Server::saying("1").await;
    let around = Around { variables: vec![("HOOK_KEY", "key-1234567890".into())], ..Around::default() };
    let stage = format!(
        "measure::app_decision(#{{ measurement_url: \"{}/m\", headers: #{{ \"X-Key\": env::secret(\"HOOK_KEY\", #{{ hosts: \
         \"hooks.slack.com\" }}) }} }})",
        server.url
    );
    let measurement = measured_around(&stage, &around).await;
    let said = format!(
        "the secret in the header `X-Key` is bound to `hooks.slack.com`, and may not be sent to `{}`",
        server.host()
    );
    assert_eq!(measurement.failure.unwrap().message, said);
    assert!(server.lines().is_empty());
}

#[test]
fn a_secret_that_is_not_set_goes_through_check() {
    let text = measuring(
        "measure::http(#{ request: http::get(env::secret(\"URL\") + \"/x\").bearer(env::secret(\"TOKEN\")).json(#{ k: env::secret(\"K\") }) })",
    );
    let loaded = loaded(&text, &Around::default());
    assert!(!loaded.report.has_errors(), "{}", loaded.report);
    let needs: std::collections::BTreeSet<&str> = loaded.needs.iter().map(|(name, _)| &**name).collect();
    assert_eq!(needs, ["K", "TOKEN", "URL"].into());
    let bench = files(&[("test.rhai", &text)], &[], MissingSecrets::Error);
    assert!(bench.report().contains("error: the environment variable `TOKEN` is not set"), "{}", bench.report());
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    for (code, said) in [
        (
            "http::get(\"a.test\")",
            "1:9: error: `http::get`: `a.test` is no web address: it does not begin with `https://` or `http://`",
        ),
        (
            "|| http::get(\"ftp://a.test/\")",
            "1:12: error: `http::get`: `ftp://a.test/` begins with `ftp:`, not with `https:` or `http:`",
        ),
        ("http::get(5)", "1:9: error: `http::get` takes a text or a secret, not 5"),
        ("http::get([])", "1:9: error: `http::get` takes a text or a secret, not an array"),
        ("http::get(\"http://a\").header(\"Host\", \"b\")", "1:31: error: the header `Host` is made from the request"),
        ("http::get(\"http://a\").json(|| 1)", "1:31: error: `json` takes what JSON can hold, not a function"),
        (
            "http::get(\"http://a\").timeout_seconds(0)",
            "1:31: error: `timeout_seconds` takes a number above 0 and up to 60, not 0",
        ),
        ("http::get(\"http://a\").retries(2.5)", "1:31: error: `retries` takes a whole number from 0 to 5, not -1"),
        ("http::gett(\"http://a\")", "1:9: error: unknown function `http::gett` (did you mean `get`?)"),
        ("http::get()", "1:9: error: `http::get` takes 1 parameter, and is called with 0"),
        (
            "http::get(\"http://a\").heder(\"x\", 1)",
            "unknown function `heder` for a request, a text, a whole number (did you mean `header`?)",
        ),
    ] {
        let report = report(&format!("let r = {code};"), &Around::default());
        assert!(report.contains(said), "{code}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_costs_the_function_its_time_and_no_more() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let said = failure(&format!("|| http::get(\"http://{address}/\").timeout_seconds(0.2).send().status")).await;
    assert!(said.starts_with(&format!("`GET http://{address}/`: no answer within 0.2 s (test.rhai:1:")), "{said}");
}
