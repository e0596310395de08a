//! What Heroku says when it says no, and what the user reads of it: each against the fake API over a
//! real socket.

use std::sync::Arc;

use autoscaler::heroku::fake::Fault;
use autoscaler::world::Freshness::{Cached, Now};
use autoscaler::world::{ScaleError, ScaleErrorKind};

use super::support::{KEY, Served, app, heroku, live_http, world};

const LIST: &str = "GET /apps/{app}/formation";
const UPDATE: &str = "PATCH /apps/{app}/formation/{process}";

fn name(text: &str) -> Arc<str> {
    text.into()
}

/// The error of a scale of `web` to 3 that met `fault`.
async fn scaled(fault: Fault) -> ScaleError {
    let served = Served::start().await;
    served.fake.fail_next(UPDATE, fault);
    served.target().scale(&name("web"), 3).await.unwrap_err()
}

/// The error of a read that met `fault`.
async fn read(fault: Fault) -> ScaleError {
    let served = Served::start().await;
    served.fake.fail_next(LIST, fault);
    served.target().observe(&name("web"), Now).await.unwrap_err()
}

#[tokio::test]
async fn every_refusal_names_its_mend() {
    use ScaleErrorKind::{RateLimited, Refused, Unknown};
    for (fault, kind, expected) in [
        (
            Fault::error(401, "unauthorized", "Invalid credentials provided."),
            Refused,
            "the API key is not valid; make one with `heroku authorizations:create` and set it as `api_key` \
             (heroku answers 401: `Invalid credentials provided.`)",
        ),
        (
            Fault::error(402, "delinquent", "Payment required."),
            Refused,
            "the account has an unpaid bill; settle it on dashboard.heroku.com/account/billing \
             (heroku answers 402: `Payment required.`)",
        ),
        (
            Fault::error(403, "forbidden", "You do not have access to the app shop."),
            Refused,
            "the API key may not do that; use the key of an owner or collaborator of `shop` \
             (heroku answers 403: `You do not have access to the app shop.`)",
        ),
        (
            Fault::error(403, "suspended", "Suspended."),
            Refused,
            "`shop` or its account is suspended (heroku answers 403: `Suspended.`)",
        ),
        (
            Fault::error(409, "conflict", "Try again."),
            Refused,
            "`shop` is being changed by somebody else at this moment; the next tick tries again \
             (heroku answers 409: `Try again.`)",
        ),
        (
            Fault::error(422, "verification_needed", "Please verify your account."),
            Refused,
            "the account is not verified; add a payment method on dashboard.heroku.com/account/billing \
             (heroku answers 422: `Please verify your account.`)",
        ),
        (
            Fault::error(422, "invalid_params", "No such size as 1X."),
            Refused,
            "heroku does not allow it (heroku answers 422: `No such size as 1X.`)",
        ),
        (
            Fault::error(429, "rate_limit", "Your account reached the API rate limit"),
            RateLimited,
            "the account is out of API calls; other programs that use it count too \
             (heroku answers 429: `Your account reached the API rate limit`)",
        ),
        (
            Fault::error(500, "internal_server_error", "Internal server error."),
            Unknown,
            "heroku has a fault; see status.heroku.com (heroku answers 500: `Internal server error.`)",
        ),
        (
            Fault::Reply { status: 503, body: "<html>\n<h1>Service\tUnavailable</h1>".into() },
            Unknown,
            "heroku has a fault; see status.heroku.com (heroku answers 503: `<html> <h1>Service Unavailable</h1>`)",
        ),
        (
            Fault::Reply { status: 418, body: String::new() },
            Refused,
            "heroku does not take this request (heroku answers 418)",
        ),
    ] {
        let error = scaled(fault).await;
        assert_eq!(error.message, format!("cannot scale `web` of `shop` to 3: {expected}"));
        assert_eq!(error.kind, kind, "{expected}");
    }
}

#[tokio::test]
async fn answers_that_are_none_change_nothing_that_is_known() {
    for (body, why) in [
        ("<html>login</html>", "heroku answers 200 with something else: `<html>login</html>`: expected value"),
        ("", "heroku answers 200 with something else: EOF while parsing"),
        (r#"{"type":"web"}"#, "invalid type: map, expected a sequence"),
        (r#"[{"type":"web","quantity":"2"}]"#, "invalid type: string \"2\", expected a whole number from 0"),
        (r#"[{"type":"web","quantity":-1}]"#, "invalid value: integer `-1`, expected a whole number from 0"),
        (r#"[{"type":"web","quantity":1.5}]"#, "invalid type: floating point `1.5`, expected a whole number from 0"),
        (r#"[{"type":7,"quantity":1}]"#, "invalid type: integer `7`, expected a string"),
        (r#"[{"quantity":1}]"#, "missing field `type`"),
    ] {
        let error = read(Fault::garbage(body)).await;
        assert_eq!(error.kind, ScaleErrorKind::Unknown);
        assert!(error.message.starts_with("cannot read the dynos of `shop`: heroku answers 200"), "{}", error.message);
        assert!(error.message.contains(why), "{body}: {}", error.message);
    }
    let error = scaled(Fault::garbage("[]")).await;
    assert_eq!(error.kind, ScaleErrorKind::Unknown, "it may have happened");
}

#[tokio::test]
async fn connections_that_break() {
    let error = scaled(Fault::HalfBody).await;
    assert_eq!(error.kind, ScaleErrorKind::Unknown);
    assert!(error.message.contains("closed the connection before its reply was complete"), "{}", error.message);
    let error = scaled(Fault::Reset).await;
    assert_eq!(error.kind, ScaleErrorKind::Unknown);
    assert!(error.message.contains("connection reset by 127.0.0.1:"), "{}", error.message);

    let served = Served::start().await;
    let (target, web) = (served.target(), name("web"));
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 1);
    served.fake.fail_next(UPDATE, Fault::DoneAndReset);
    assert_eq!(target.scale(&web, 3).await.unwrap_err().kind, ScaleErrorKind::Unknown);
    // What was read a moment ago is doubtful now.
    assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 3);
}

#[tokio::test]
async fn a_call_that_is_never_answered_fails_after_5_s_and_the_next_read_resolves_it() {
    let served = Served::start().await;
    let (target, web, worker) = (served.target(), name("web"), name("worker"));
    served.fake.fail_next(UPDATE, Fault::DoneAndHang);
    served.fake.fail_next(UPDATE, Fault::Hang);
    let (first, second) = tokio::join!(target.scale(&web, 3), target.scale(&worker, 9));
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert_eq!(error.kind, ScaleErrorKind::Unknown);
        assert!(error.message.ends_with("heroku does not answer within 5 s"), "{}", error.message);
    }
    // The order in which the two came is not known, but one was done and one was not.
    let (web, worker) = (target.observe(&web, Now).await.unwrap(), target.observe(&worker, Now).await.unwrap());
    assert!(matches!((web.dynos, worker.dynos), (3, 2) | (1, 9)), "{web:?} {worker:?}");
}

#[tokio::test]
async fn nobody_listens() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let world = world(live_http());
    let target = heroku(&world).target(&app(&format!("http://{closed}")), &world);
    let error = target.scale(&name("web"), 3).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Refused, "nothing can have happened");
    assert_eq!(
        error.message,
        format!(
            "cannot scale `web` of `shop` to 3: connection refused by {closed}; check `api_url`, which is http://{closed}"
        )
    );
}

#[tokio::test]
async fn a_process_type_that_is_not_there() {
    let served = Served::start().await;
    let (target, celery) = (served.target(), name("celery"));
    let expected = "`shop` has no process type `celery`, but `clock`, `web`, `worker`: set `process_type`, or name \
                    the pipeline after one";
    assert_eq!(target.observe(&celery, Cached).await.unwrap_err().message, expected);
    let error = target.scale(&celery, 2).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ScaleErrorKind::Refused, expected));
    served.fake.add_app("shop", &[]);
    let error = served.target().observe(&celery, Now).await.unwrap_err();
    assert_eq!(
        error.message,
        "`shop` has no process types yet, so none is called `celery`: deploy it with a Procfile first"
    );
}

#[tokio::test]
async fn an_app_that_is_not_there_or_not_ours() {
    let served = Served::start().await;
    let world = world(live_http());
    let mut other = served.app();
    other.name = "shed".into();
    let target = heroku(&world).target(&other, &world);
    for error in [
        target.observe(&name("web"), Now).await.unwrap_err(),
        target.scale(&name("web"), 2).await.unwrap_err(),
        target.web_url().await.map(drop).unwrap_err(),
    ] {
        let expected = "there is no app `shed` for this API key; check `app_name` and whose key it is \
                        (heroku answers 404: `Couldn't find that app.`)";
        assert!(error.message.ends_with(expected), "{}", error.message);
    }
    served.fake.set_forbidden("shop", true);
    let error = served.target().observe(&name("web"), Now).await.unwrap_err();
    assert!(error.message.contains("use the key of an owner or collaborator of `shop`"), "{}", error.message);
    let mut stranger = served.app();
    stranger.key = autoscaler::secret::Secret::new("a-key-of-nobody");
    let error = heroku(&world).target(&stranger, &world).observe(&name("web"), Now).await.unwrap_err();
    assert!(error.message.contains("the API key is not valid"), "{}", error.message);
    assert!(!error.message.contains("nobody") && !error.message.contains(KEY), "{}", error.message);
}

#[tokio::test]
async fn a_count_changed_by_hand_is_seen() {
    let served = Served::start().await;
    let (target, web) = (served.target(), name("web"));
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 1);
    served.fake.set_dynos("shop", "web", 6);
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 6);
    served.fake.set_dynos("shop", "web", 0);
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 0);
}

#[tokio::test]
async fn a_dyno_size_with_a_cap() {
    let served = Served::start().await;
    served.fake.set_size("shop", "web", "Basic");
    let (target, web) = (served.target(), name("web"));
    let error = target.scale(&web, 2).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Limit(1));
    assert_eq!(
        error.message,
        "cannot scale `web` of `shop` to 2: heroku allows 1 here; set `max_dynos` to that, or ask heroku for more \
         (heroku answers 422: `Cannot update to more than 1 Basic size dynos per process type.`)"
    );
}
