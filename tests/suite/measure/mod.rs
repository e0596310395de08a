//! The measuring backends against real servers: sockets that misbehave, Django, Redis filled by Celery.

mod app_decision;
mod celery;
mod custom;
mod http_client;
mod latency;
pub mod processes;
mod queue_time;
mod redis_failures;
mod response_time;
mod settings;
pub(crate) mod support;
pub(crate) mod web;
