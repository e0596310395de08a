//! Owns the routes of the fake API: what they read from a request and what they answer.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};

use super::app::{Quantity, Update};
use super::gate::gate;
use super::page::page;
use super::refusal::Refusal;
use super::{EMAIL, Fake, drains, logs};

/// Every route.
pub fn routes(fake: Fake) -> Router {
    Router::new()
        .route("/apps/{app}", get(app))
        .route("/apps/{app}/formation", get(list).patch(batch))
        .route("/apps/{app}/formation/{process}", get(info).patch(update))
        .route("/apps/{app}/dynos", get(dynos))
        .route("/apps/{app}/releases", get(releases))
        .route("/apps/{app}/log-sessions", post(logs::open))
        .route("/apps/{app}/formation/{process}/monitors", get(monitors))
        .route("/apps/{app}/addons", get(addons))
        .route("/oauth/authorizations", get(authorizations))
        .route("/apps/{app}/log-drains", get(drains::list).post(drains::create))
        .route("/apps/{app}/log-drains/{drain}", delete(drains::delete))
        .route("/account", get(account))
        .route("/account/rate-limits", get(rate_limits))
        .route(logs::ROUTE, get(logs::read))
        .fallback(|| async { Refusal::no_endpoint() })
        .method_not_allowed_fallback(|| async { Refusal::no_endpoint() })
        .layer(middleware::from_fn_with_state(fake.clone(), gate))
        .with_state(fake)
}

async fn app(State(fake): State<Fake>, Path(app): Path<String>) -> Result<Json<Value>, Refusal> {
    fake.with_app(&app, |app| Ok(Json(app.info())))
}

async fn list(State(fake): State<Fake>, Path(app): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let size = fake.state().page_size;
    let items = fake.with_app(&app, |app| Ok(app.types.iter().map(|process| app.formation(process)).collect()))?;
    Ok(page(items, "type", &headers, size))
}

async fn info(State(fake): State<Fake>, Path((app, process)): Path<(String, String)>) -> Result<Json<Value>, Refusal> {
    fake.with_app(&app, |app| {
        let at = app.find(&process).ok_or_else(|| Refusal::not_found(&format!("process type ({process})")))?;
        Ok(Json(app.formation(&app.types[at])))
    })
}

async fn update(
    State(fake): State<Fake>,
    Path((app, process)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let update = read_update(process, &json_of(&body)?)?;
    fake.with_app(&app, |app| Ok(Json(app.update(&[update])?.remove(0))))
}

async fn batch(State(fake): State<Fake>, Path(app): Path<String>, body: Bytes) -> Result<Json<Vec<Value>>, Refusal> {
    let body = json_of(&body)?;
    let updates = body["updates"].as_array().ok_or_else(|| Refusal::invalid("Invalid params: updates is missing."))?;
    let read = |update: &Value| {
        let process = update["type"].as_str().or(update["process"].as_str());
        read_update(process.ok_or_else(|| Refusal::invalid("Invalid params: type is missing."))?.to_owned(), update)
    };
    let updates: Vec<Update> = updates.iter().map(read).collect::<Result<_, _>>()?;
    fake.with_app(&app, |app| Ok(Json(app.update(&updates)?)))
}

async fn dynos(State(fake): State<Fake>, Path(app): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let size = fake.state().page_size;
    let items = fake.with_app(&app, |app| Ok(app.dynos()))?;
    Ok(page(items, "name", &headers, size))
}

async fn releases(State(fake): State<Fake>, Path(app): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let size = fake.state().page_size;
    let items = fake.with_app(&app, |app| Ok(app.releases()))?;
    Ok(page(items, "version", &headers, size))
}

async fn account() -> Json<Value> {
    Json(json!({
        "acknowledged_msa": true,
        "allow_tracking": false,
        "beta": false,
        "email": EMAIL,
        "id": "01234567-89ab-cdef-0123-456789abcdef",
        "italian_customer_terms": null,
        "name": "Fake",
        "verified": true,
    }))
}

/// Heroku's own autoscaling, which another host tells of; one server is enough here.
async fn monitors(
    State(fake): State<Fake>,
    Path((app, process)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    fake.with_app(&app, |app| {
        app.find(&process).ok_or_else(|| Refusal::not_found(&format!("process type ({process})")))?;
        let on = app.autoscaled.then(|| json!({ "action_type": "scale", "is_active": true, "name": "LATENCY_SCALE" }));
        Ok(Json(on.into_iter().collect()))
    })
}

async fn addons(State(fake): State<Fake>, Path(app): Path<String>) -> Result<Json<Value>, Refusal> {
    let addon = |name: &String| json!({ "addon_service": { "name": name }, "name": format!("{name}-round-12345") });
    fake.with_app(&app, |app| Ok(Json(app.addons.iter().map(addon).collect())))
}

async fn authorizations(State(fake): State<Fake>) -> Result<Json<Value>, Refusal> {
    let state = fake.state();
    let forbidden = || Refusal::new(403, "forbidden", "You do not have access to the authorizations.");
    let scope = state.scope.as_ref().ok_or_else(forbidden)?;
    let token = json!({ "expires_in": null, "id": "01234567-89ab-cdef-0123-456789abcdef", "token": state.key });
    Ok(Json(json!([{ "access_token": token, "description": "autoscaler", "scope": [scope] }])))
}

async fn rate_limits(State(fake): State<Fake>) -> Json<Value> {
    Json(json!({ "remaining": fake.remaining() }))
}

fn json_of(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::new(400, "bad_request", "Unable to parse the JSON request body."))
}

fn read_update(process_type: String, body: &Value) -> Result<Update, Refusal> {
    let quantity = match &body["quantity"] {
        Value::Null => None,
        value => Some(Quantity::read(value)?),
    };
    let size = body["dyno_size"]["name"].as_str().or(body["dyno_size"].as_str()).or(body["size"].as_str());
    Ok(Update { process_type, quantity, size: size.map(str::to_owned) })
}
