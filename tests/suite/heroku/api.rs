//! The fake API as the client sees it: headers, pages, tags, quantities in every form, and the web
//! address of an app.

use std::sync::Arc;
use std::time::Duration;

use autoscaler::heroku::fake::Fault;
use autoscaler::heroku::{ApiErrorKind, Budget, Client};
use autoscaler::secret::Secret;
use autoscaler::world::Freshness::Now;
use autoscaler::world::{Reply, Request};
use serde_json::{Value, json};

use super::support::{KEY, Served, live_http};

/// One call as any client might make it.
async fn call(served: &Served, method: &str, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(format!("{}{path}", served.url), Duration::from_secs(5));
    request.method = method.into();
    request.headers.push(("Accept".into(), "application/vnd.heroku+json; version=3".into()));
    request.secret_headers.push(("Authorization".into(), Secret::new(format!("Bearer {KEY}"))));
    for (name, value) in headers {
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request.secret_headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request.headers.push(((*name).into(), (*value).into()));
    }
    request.body = body.map(|body| body.to_string().into());
    live_http().send(request).await.unwrap()
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn our_requests_are_as_heroku_wants_them() {
    let served = Served::start().await;
    let (target, web): (_, Arc<str>) = (served.target(), "web".into());
    target.observe(&web, Now).await.unwrap();
    target.scale(&web, 2).await.unwrap();
    let requests = served.fake.requests();
    let header = |at: usize, name: &str| {
        requests[at].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    assert_eq!(requests[0].route, "GET /apps/{app}/formation");
    assert_eq!(
        (requests[1].path.as_str(), requests[1].body.as_str()),
        ("/apps/shop/formation/web", r#"{"quantity":2}"#)
    );
    assert_eq!(header(1, "accept").unwrap(), "application/vnd.heroku+json; version=3");
    assert_eq!(header(1, "content-type").unwrap(), "application/json");
    assert!(header(1, "user-agent").unwrap().starts_with("autoscaler/"));
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let served = Served::start().await;
    served.fake.set_page_size(1);
    let target = served.target();
    for (name, dynos) in [("clock", 0), ("web", 1), ("worker", 2)] {
        assert_eq!(target.observe(&name.into(), Now).await.unwrap().dynos, dynos, "{name}");
    }
    let ranges: Vec<String> = served.fake.requests()[..3]
        .iter()
        .filter_map(|request| request.headers.iter().find(|(name, _)| name == "range").map(|(_, range)| range.clone()))
        .collect();
    assert_eq!(ranges, ["type ]clock..; max=1", "type ]web..; max=1"]);
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let served = Served::start().await;
    let (target, web): (_, Arc<str>) = (served.target(), "web".into());
    for _ in 0..2 {
        assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 1);
        // Reads that begin within a quarter of a second are one.
        let before = tokio::time::Instant::now();
        assert!(crate::harness::eventually(Duration::from_secs(2), || before.elapsed().as_millis() > 260));
    }
    served.fake.set_dynos("shop", "web", 4);
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 4);
    let tags: Vec<bool> = served
        .fake
        .requests()
        .iter()
        .map(|request| request.headers.iter().any(|(name, _)| name == "if-none-match"))
        .collect();
    assert_eq!(tags, [false, true, true]);
    let tag = call(&served, "GET", "/apps/shop/formation", None, &[]).await.header("etag").unwrap().to_owned();
    let again = call(&served, "GET", "/apps/shop/formation", None, &[("If-None-Match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn quantities_come_as_numbers_texts_and_changes() {
    let served = Served::start().await;
    let updates = json!({ "updates": [{ "type": "web", "quantity": "+2" }, { "type": "worker", "quantity": "5" }] });
    let reply = call(&served, "PATCH", "/apps/shop/formation", Some(updates), &[]).await;
    assert_eq!((reply.status, &json_of(&reply)[0]["quantity"]), (200, &json!(3)));
    assert_eq!((served.fake.dynos("shop", "web"), served.fake.dynos("shop", "worker")), (3, 5));
    // All or nothing.
    let updates = json!({ "updates": [{ "type": "web", "quantity": 1 }, { "type": "nope", "quantity": 5 }] });
    let reply = call(&served, "PATCH", "/apps/shop/formation", Some(updates), &[]).await;
    let expected = json!({ "id": "not_found", "message": "Couldn't find that process type (nope)." });
    assert_eq!((reply.status, json_of(&reply), served.fake.dynos("shop", "web")), (404, expected, 3));
    for quantity in [json!(-1), json!(1.5), json!("many"), json!(true)] {
        let body = Some(json!({ "quantity": quantity }));
        assert_eq!(call(&served, "PATCH", "/apps/shop/formation/web", body, &[]).await.status, 422, "{quantity}");
    }
    let body = Some(json!({ "quantity": 99 }));
    let reply = call(&served, "PATCH", "/apps/shop/formation/web", body, &[]).await;
    assert_eq!((reply.status, &json_of(&reply)["limit"]), (422, &json!(100)), "web 99 and worker 5 are too many");
}

#[tokio::test]
async fn the_gate_checks_key_version_route_and_calls_left() {
    let served = Served::start().await;
    let get = |path: &'static str, headers: &'static [(&str, &str)]| call(&served, "GET", path, None, headers);
    for (path, headers, status, id) in [
        ("/apps/shop", &[("Authorization", "Bearer other")][..], 401, "unauthorized"),
        ("/apps/shop", &[("Accept", "application/json")], 406, "not_acceptable"),
        ("/apps/shed", &[], 404, "not_found"),
        ("/nothing", &[], 404, "not_found"),
        ("/apps/shop/dynos", &[("Range", "name ..; max=9999")], 416, "requested_range_not_satisfiable"),
    ] {
        let reply = get(path, headers).await;
        assert_eq!((reply.status, json_of(&reply)["id"].as_str()), (status, Some(id)), "{path}");
        assert!(reply.header("request-id").is_some() && reply.header("ratelimit-remaining").is_some());
    }
    let reply = get("/apps/shop", &[("Request-Id", "7de5e224")]).await;
    assert_eq!(reply.header("request-id"), Some("7de5e224"));
    served.fake.set_remaining(1);
    assert_eq!(get("/apps/shop", &[]).await.status, 200);
    let reply = get("/apps/shop", &[]).await;
    assert_eq!((reply.status, reply.header("ratelimit-remaining")), (429, Some("0")));
    assert_eq!(json_of(&get("/account/rate-limits", &[]).await), json!({ "remaining": 0 }));
}

#[tokio::test]
async fn one_process_type_is_read_by_itself() {
    let served = Served::start().await;
    let budget = Arc::new(Budget::new(tokio::time::Instant::now()));
    let client = Client::new(live_http(), served.url.as_str().into(), &Secret::new(KEY), budget);
    let worker = client.formation_of("shop", "worker").await.unwrap();
    assert_eq!(
        (worker.process_type.as_str(), worker.quantity, worker.size.as_deref()),
        ("worker", 2, Some("Standard-1X"))
    );
    let error = client.formation_of("shop", "celery").await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::NotFound);
    assert!(error.message.contains("Couldn't find that process type (celery)."), "{}", error.message);
}

#[tokio::test]
async fn dynos_boot() {
    let served = Served::start().await;
    served.fake.set_boot(Duration::from_secs(3600));
    let body = Some(json!({ "quantity": 3 }));
    call(&served, "PATCH", "/apps/shop/formation/web", body, &[]).await;
    let states = json_of(&call(&served, "GET", "/apps/shop/dynos", None, &[]).await);
    let web: Vec<_> = states.as_array().unwrap().iter().filter(|dyno| dyno["type"] == "web").collect();
    assert_eq!(
        web.iter().map(|dyno| dyno["state"].as_str().unwrap()).collect::<Vec<_>>(),
        ["up", "starting", "starting"]
    );
    assert_eq!(web[2]["name"], "web.3");
    assert_eq!((served.fake.dynos("shop", "web"), served.fake.dynos_up("shop", "web")), (3, 1));
    served.fake.set_boot(Duration::ZERO);
    assert_eq!(served.fake.dynos_up("shop", "web"), 3);
}

#[tokio::test]
async fn the_web_address_is_asked_for_once() {
    let served = Served::start().await;
    served.fake.set_web_url("shop", Some("https://shop-1234.herokuapp.com/"));
    let target = served.target();
    let (one, two) = tokio::join!(target.web_url(), target.web_url());
    assert_eq!(
        (&*one.unwrap(), &*two.unwrap()),
        ("https://shop-1234.herokuapp.com/", "https://shop-1234.herokuapp.com/")
    );
    target.web_url().await.unwrap();
    assert_eq!(served.fake.count_of("GET /apps/{app}"), 1);

    served.fake.set_web_url("shop", None);
    let error = served.target().web_url().await.map(drop).unwrap_err();
    assert_eq!(error.message, "heroku names no web address for `shop`; set `base_url`");
    served.fake.fail_next("GET /apps/{app}", Fault::garbage("[]"));
    let error = served.target().web_url().await.map(drop).unwrap_err();
    assert!(
        error.message.starts_with("cannot read the web address of `shop`: heroku answers 200"),
        "{}",
        error.message
    );
}
