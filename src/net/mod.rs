//! Owns the live network: the HTTP client and the Redis connections behind the capabilities of
//! `crate::world`. It knows no backend: what a reply or a failure means is judged elsewhere.

mod address;
mod client;
mod errors;
mod lines;
mod redirect;
mod redis;
mod redis_errors;
mod redis_link;
mod redis_read;

pub use client::{BODY_LIMIT, Client};
pub use errors::seconds;
pub use redis::RedisConnections;
pub use redis_link::RedisLink;

/// Makes ring the TLS provider of this process. `main` calls it once, and so does every test that
/// opens a client; a second call changes nothing.
pub fn install_tls() {
    // Fails only where a provider is installed already, and there is only one in the build.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
