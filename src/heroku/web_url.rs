//! Owns the question where an app is on the web: `GET /apps/{app}` of the Platform API, field `web_url`
//! (<https://devcenter.heroku.com/articles/platform-api-reference#app-info>). It keeps nothing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::App;
use crate::secret::Secret;
use crate::world::{Request, World};

/// A platform call times out after 5 s.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct AppInfo {
    web_url: Option<String>,
}

/// The `web_url` of `app` ("<https://example.herokuapp.com/>").
///
/// # Errors
/// Why it is not known, lower case, without secrets.
pub async fn web_url(world: &Arc<World>, app: &App) -> Result<String, String> {
    let mut request = Request::get(format!("{}/apps/{}", app.api_url, app.name), TIMEOUT);
    request.headers.push(("accept".into(), "application/vnd.heroku+json; version=3".into()));
    request.secret_headers.push(("authorization".into(), Secret::new(format!("Bearer {}", app.key.expose()))));
    let unknown = |why: String| format!("the web address of the app `{}` is not known: {why}", app.name);
    let reply = world.http.send(request).await.map_err(|error| unknown(error.message))?;
    match reply.status {
        200 => {}
        401 => return Err(unknown("the Heroku API does not accept `api_key` (401)".into())),
        403 => return Err(unknown("`api_key` gives no access to this app (403)".into())),
        404 => return Err(unknown("the Heroku API knows no such app (404); is `app_name` right?".into())),
        status => return Err(unknown(format!("the Heroku API answered {status}"))),
    }
    let info: AppInfo =
        serde_json::from_slice(&reply.body).map_err(|_| unknown("the Heroku API did not answer with an app".into()))?;
    info.web_url.ok_or_else(|| unknown("it has none; write `base_url`".into()))
}
