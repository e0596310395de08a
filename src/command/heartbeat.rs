//! `autoscaler heartbeat`: the measurement endpoint as a small server.

use std::process::ExitCode;

use axum::Router;

use crate::cli::HeartbeatArgs;
use crate::heartbeat::{Heartbeat, PATH};
use crate::net;
use crate::serve::{Server, not_found};

/// Serves until it is told to stop.
pub async fn run(args: HeartbeatArgs) -> ExitCode {
    if let Err(code) = super::start_log(&args.log) {
        return code;
    }
    net::install_tls();
    let heartbeat = match heartbeat(&args) {
        Ok(heartbeat) => heartbeat,
        Err(why) => return super::fail(why),
    };
    let stop = match super::run::stop_signal() {
        Ok(stop) => stop,
        Err(error) => return super::fail(format!("cannot listen for signals: {error}")),
    };
    let server = match Server::bind(&args.listen).await {
        Ok(server) => server,
        Err(why) => return super::fail(why),
    };
    let names: Vec<&str> = heartbeat.names().collect();
    let touched = if names.is_empty() { "nothing but itself".to_owned() } else { names.join(", ") };
    tracing::info!("answers on http://{}{PATH}, and touches {touched}", server.address());
    let routes: Router = heartbeat.routes().fallback(not_found);
    server.run(routes, stop).await;
    tracing::info!("stopped");
    ExitCode::SUCCESS
}

fn heartbeat(args: &HeartbeatArgs) -> Result<Heartbeat, String> {
    let mut heartbeat = Heartbeat::new();
    if let Some(url) = given(args.database_url.as_deref(), "DATABASE_URL") {
        heartbeat = heartbeat.database(&url)?;
    }
    if let Some(url) = given(args.redis_url.as_deref(), "REDIS_URL") {
        heartbeat = heartbeat.redis(&url)?;
    }
    if let Some(folder) = args.dir.as_ref().filter(|folder| !folder.as_os_str().is_empty()) {
        heartbeat = heartbeat.disk(folder);
    }
    if let Some(token) = given(None, "AUTOSCALER_HEARTBEAT_TOKEN") {
        heartbeat = heartbeat.token(&token);
    }
    Ok(heartbeat)
}

/// What is written, even if it is empty; else the variable.
fn given(written: Option<&str>, variable: &str) -> Option<String> {
    let text = written.map(str::to_owned).or_else(|| std::env::var(variable).ok());
    text.filter(|text| !text.is_empty())
}
