//! Owns the question where an app is on the web, for those who have no target of it at hand. It keeps
//! nothing: the target does.

use std::sync::Arc;

use super::{App, Heroku};
use crate::world::World;

/// The `web_url` of `app` ("<https://example.herokuapp.com/>"), as its target knows it.
///
/// # Errors
/// Why it is not known, lower case, with the mend, without secrets.
pub async fn web_url(world: &Arc<World>, app: &App) -> Result<String, String> {
    let target = match world.platforms.heroku() {
        Some(heroku) => heroku.target(app, world),
        None => Heroku::default().target(app, world),
    };
    target.web_url().await.map(|url| url.to_string()).map_err(|error| error.message)
}
