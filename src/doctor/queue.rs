//! Owns the checks of a queue in Redis: the server answers, the way to it is safe, the queue is there, and
//! somebody works on it.

use std::net::IpAddr;
use std::sync::Arc;

use super::row::Row;
use crate::pipeline::PipelineSpec;
use crate::world::{RedisAddress, RedisError, RedisQuestion, RedisServer, RedisValue, World};

/// A queue as its backend counts it.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The names, as in the script.
    pub names: Vec<Arc<str>>,
    /// What stands before every key.
    pub prefix: Arc<str>,
    /// The lists that are counted.
    pub keys: Vec<Vec<u8>>,
    /// The server; `None`: its URL is not set here.
    pub server: Option<RedisServer>,
}

/// Checks one queue.
pub async fn queue(spec: &PipelineSpec, queue: &Queue, world: &Arc<World>) -> Vec<Row> {
    let name = spec.name.to_string();
    let Some(server) = &queue.server else {
        let advice = "write `redis_url`, or set REDIS_URL";
        return vec![Row::fail("redis", name, "the URL of redis is not set here", advice)];
    };
    let lengths = match world.redis.list_lengths(server, &queue.keys).await {
        Ok(lengths) => lengths,
        Err(error) => {
            let advice = "see `redis_url`, and whether this machine reaches the server";
            return vec![Row::fail("redis", name, error.message, advice)];
        }
    };
    let mut rows = vec![way(&name, server)];
    let waiting: u64 = lengths.into_iter().fold(0, u64::saturating_add);
    rows.push(there(&name, queue, server, waiting, world).await);
    rows.push(workers(&name, queue, server, waiting, world).await);
    rows
}

/// Whether anybody on the way could read along.
fn way(name: &str, server: &RedisServer) -> Row {
    let found = format!("{server} answers");
    match &server.tls {
        Some(tls) if !tls.verify => {
            let advice =
                "Heroku's own Redis has no certificate that could be checked; with any other, take `ssl_cert_reqs` out";
            Row::warn("redis", name, format!("{found}, over TLS, its certificate unchecked"), advice)
        }
        Some(_) => Row::ok("redis", name, format!("{found}, over TLS")),
        None if is_near(server) => Row::ok("redis", name, found),
        None => {
            let advice = "write `rediss://` in place of `redis://`, if the server offers TLS";
            Row::warn("redis", name, format!("{found}, without TLS: password and tasks can be read on the way"), advice)
        }
    }
}

/// Whether the way does not leave the machine or its private network.
fn is_near(server: &RedisServer) -> bool {
    match &server.address {
        RedisAddress::Socket(_) => true,
        RedisAddress::Sentinel { .. } => false,
        RedisAddress::Tcp(host, _) => match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
            Ok(IpAddr::V6(address)) => address.is_loopback(),
            // A name without a dot is one of a private network.
            Err(_) => !host.contains('.'),
        },
    }
}

/// A queue that is empty is no key in Redis: that it was ever used shows its binding.
async fn there(name: &str, queue: &Queue, server: &RedisServer, waiting: u64, world: &Arc<World>) -> Row {
    let names = queue.names.join(", ");
    if waiting > 0 {
        return Row::ok("queue", name, format!("`{names}` has {waiting} waiting"));
    }
    for queue_name in &queue.names {
        let key = format!("{}_kombu.binding.{queue_name}", queue.prefix);
        match ask(server, "EXISTS", key, world).await {
            Ok(1..) => {}
            Ok(_) => {
                let found = format!("`{queue_name}` is empty, and nothing was ever sent to it through this server");
                let advice = "see `queue_name`, `global_keyprefix`, and the number of the database in `redis_url`";
                return Row::warn("queue", name, found, advice);
            }
            Err(error) => return Row::warn("queue", name, error.message, "see the rights of the user in `redis_url`"),
        }
    }
    Row::ok("queue", name, format!("`{names}` is there, and empty"))
}

/// Workers that have made themselves known: each binds a mailbox of its own.
async fn workers(name: &str, queue: &Queue, server: &RedisServer, waiting: u64, world: &Arc<World>) -> Row {
    let mailboxes = format!("{}_kombu.binding.celery.pidbox", queue.prefix);
    let seen = ask(server, "SCARD", mailboxes, world).await;
    let taken = ask(server, "HLEN", format!("{}unacked", queue.prefix), world).await;
    match (seen, taken) {
        (Ok(0), Ok(0)) => {
            let found = if waiting > 0 { "no worker was ever seen, and tasks wait" } else { "no worker was ever seen" };
            Row::warn("workers", name, found, "see that the workers use the same broker, and run at all")
        }
        (Ok(seen), Ok(taken)) => {
            Row::ok("workers", name, format!("{seen} seen so far; {taken} tasks are with workers"))
        }
        (Err(error), _) | (_, Err(error)) => {
            Row::warn("workers", name, error.message, "see the rights of the user in `redis_url`")
        }
    }
}

async fn ask(server: &RedisServer, command: &'static str, key: String, world: &Arc<World>) -> Result<i64, RedisError> {
    let question = RedisQuestion { command, key: key.into_bytes(), arguments: Vec::new() };
    Ok(match world.redis.read(server, &question).await? {
        RedisValue::Int(count) => count,
        _ => 0,
    })
}
