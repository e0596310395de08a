//! Owns `redis::`: questions to Redis servers that change nothing, where the function may reach the
//! world. `KEYS` and `SCAN` are left out: they walk the whole database and stall whoever else uses it.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Module, NativeCallContext, Position};

use super::http::part;
use super::{Answered, expected, number, placed, reaching, text};
use crate::measure::redis_url;
use crate::request::Part;
use crate::rules;
use crate::script::context;
use crate::script::diagnose::{complaint, ruled};
use crate::script::entry::{Entry, Form, Stands, may_take, measuring, takes};
use crate::world::{RedisQuestion, RedisServer, RedisValue};

/// The type's name in messages.
pub(super) const NAME: &str = "a redis server";

/// The most elements that `lrange` gives.
const MOST_ELEMENTS: i64 = 1_000;

/// A server of the script.
#[derive(Clone, Debug)]
pub(in crate::script) enum RedisServerValue {
    /// Where it is.
    Known(Arc<RedisServer>),
    /// Its URL is the variable of this name, which is not set here.
    Missing(Arc<str>),
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("redis"),
        name: "server",
        parameters: &[takes("url", "String | Secret"), may_take("master", "String")],
        gives: "RedisServer",
        doc: "A server by its URL, not yet asked; behind sentinels, with the name of the master.",
        stands: Stands::Anywhere,
        example: measuring(
            r#"let server = redis::server(env::secret("REDIS_URL"));
server.llen("celery")"#,
        ),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "get",
        parameters: &[takes("key", "String | int")],
        gives: "String | ()",
        doc: "The text at a key.",
        stands: Stands::Reaching,
        example: measuring(r#"parse_int(redis::server(env::secret("REDIS_URL")).get("waiting") ?? "0")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "llen",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "The length of a list.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).llen("celery")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "hlen",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "The number of fields of a hash.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).hlen("unacked")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "scard",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "The number of members of a set.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).scard("busy")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "zcard",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "The number of members of a sorted set.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).zcard("schedule")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "xlen",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "The length of a stream.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).xlen("events")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "ttl",
        parameters: &[takes("key", "String | int")],
        gives: "int",
        doc: "Seconds that a key still has; -1 where it has no end, -2 where there is no such key.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).ttl("lock")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "exists",
        parameters: &[takes("key", "String | int")],
        gives: "bool",
        doc: "Whether there is such a key.",
        stands: Stands::Reaching,
        example: measuring(r#"if redis::server(env::secret("REDIS_URL")).exists("paused") { 0 } else { 1 }"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "hget",
        parameters: &[takes("key", "String | int"), takes("field", "String | int")],
        gives: "String | ()",
        doc: "The text at a field of a hash.",
        stands: Stands::Reaching,
        example: measuring(r#"parse_int(redis::server(env::secret("REDIS_URL")).hget("queues", "mail") ?? "0")"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "zscore",
        parameters: &[takes("key", "String | int"), takes("member", "String | int")],
        gives: "float | ()",
        doc: "The score of a member of a sorted set.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).zscore("load", "mail") ?? 0.0"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "lindex",
        parameters: &[takes("key", "String | int"), takes("at", "int")],
        gives: "String | ()",
        doc: "The element of a list at a position; -1 is the last.",
        stands: Stands::Reaching,
        example: measuring(r#"(redis::server(env::secret("REDIS_URL")).lindex("celery", -1) ?? "").len()"#),
    },
    Entry {
        form: Form::Method("RedisServer"),
        name: "lrange",
        parameters: &[takes("key", "String | int"), takes("first", "int"), takes("last", "int")],
        gives: "Array",
        doc: "The elements of a list from one position to another, both included: at most 1,000.",
        stands: Stands::Reaching,
        example: measuring(r#"redis::server(env::secret("REDIS_URL")).lrange("celery", 0, 9).len()"#),
    },
];

/// Registers the module and the questions.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("server", |native: NativeCallContext, url: Dynamic| placed(&native, server(&url, None)));
    module.set_native_fn("server", |native: NativeCallContext, url: Dynamic, master: Dynamic| {
        let master = text("the second argument of `redis::server`, the master's name,", &master);
        placed(&native, master.and_then(|master| server(&url, Some(&master))))
    });
    engine.register_static_module("redis", module.into());
    engine.register_type_with_name::<RedisServerValue>(NAME);
    for (name, command) in [
        ("get", "GET"),
        ("llen", "LLEN"),
        ("hlen", "HLEN"),
        ("scard", "SCARD"),
        ("zcard", "ZCARD"),
        ("xlen", "XLEN"),
        ("ttl", "TTL"),
    ] {
        engine.register_fn(name, move |server: RedisServerValue, key: Dynamic| server.ask(name, command, &key, &[]));
    }
    engine.register_fn("exists", |server: RedisServerValue, key: Dynamic| -> Answered<bool> {
        Ok(server.ask("exists", "EXISTS", &key, &[])?.as_int().is_ok_and(|count| count > 0))
    });
    for (name, command) in [("hget", "HGET"), ("zscore", "ZSCORE")] {
        engine.register_fn(name, move |server: RedisServerValue, key: Dynamic, field: Dynamic| -> Answered<Dynamic> {
            let field = key_text(&format!("`{name}`"), &field)?;
            server.ask(name, command, &key, &[field])
        });
    }
    engine.register_fn("lindex", |server: RedisServerValue, key: Dynamic, at: Dynamic| -> Answered<Dynamic> {
        let at = index("`lindex`", &at)?;
        server.ask("lindex", "LINDEX", &key, &[at.to_string()])
    });
    engine.register_fn(
        "lrange",
        |server: RedisServerValue, key: Dynamic, first: Dynamic, last: Dynamic| -> Answered<Dynamic> {
            let (first, last) = (index("`lrange`", &first)?, index("`lrange`", &last)?);
            // Between indexes from both ends nobody knows how many there are.
            if (first < 0) != (last < 0) || last.saturating_sub(first) >= MOST_ELEMENTS {
                let message =
                    format!("`lrange` gives at most {MOST_ELEMENTS} elements, and is asked for {first} to {last}");
                let help = "count both from the start (0, 1 …) or both from the end (-1 is the last)";
                return Err(complaint(message, Some(help.into()), Position::NONE));
            }
            server.ask("lrange", "LRANGE", &key, &[first.to_string(), last.to_string()])
        },
    );
    engine.register_fn("to_string", |server: &mut RedisServerValue| server.shown());
    engine.register_fn("to_debug", |server: &mut RedisServerValue| server.shown());
}

fn server(url: &Dynamic, master: Option<&str>) -> Answered<RedisServerValue> {
    let url = part("`redis::server`", url)?;
    let text = match (&url, url.expose()) {
        (_, Ok(text)) => text,
        (Part::Missing(name), Err(_)) => return Ok(RedisServerValue::Missing(Arc::clone(name))),
        (_, Err(wrong)) => return Err(ruled(wrong.rule, wrong.message, wrong.help, Position::NONE)),
    };
    let server = redis_url::parse(text, master).map_err(|why| {
        let help = if why.contains("master_name") {
            "give it as the second argument: `redis::server(url, \"mymaster\")`".to_owned()
        } else {
            redis_url::EXAMPLE.to_owned()
        };
        complaint(
            format!("the URL of `redis::server` {}", why.replace("the setting `master_name`", "its master's name")),
            Some(help),
            Position::NONE,
        )
    })?;
    for host in server.hosts() {
        if let Part::Secret(secret) = &url {
            secret.may_go_to(&host).map_err(|why| {
                ruled(
                    &rules::SECRET_ELSEWHERE,
                    format!("the secret in the URL of `redis::server` {why}"),
                    None,
                    Position::NONE,
                )
            })?;
        }
        if let Some(surroundings) = context::surroundings() {
            let allowed = surroundings.environment.bounds().host(&host);
            allowed.map_err(|(message, help)| ruled(&rules::HOST_NOT_ALLOWED, message, Some(help), Position::NONE))?;
        }
    }
    Ok(RedisServerValue::Known(Arc::new(server)))
}

impl RedisServerValue {
    fn shown(&self) -> String {
        match self {
            Self::Known(server) => server.to_string(),
            Self::Missing(_) => "redis".into(),
        }
    }

    fn ask(&self, what: &str, command: &'static str, key: &Dynamic, arguments: &[String]) -> Answered<Dynamic> {
        let key = key_text(&format!("`{what}`"), key)?.into_bytes();
        let arguments = arguments.iter().map(|argument| argument.clone().into_bytes()).collect();
        let question = RedisQuestion { command, key, arguments };
        let answer = reaching::wait(what, |world| async move {
            match self {
                Self::Known(server) => world.redis.read(server, &question).await.map_err(|error| error.message),
                Self::Missing(name) => Err(format!("the environment variable `{name}` is not set")),
            }
        })?;
        Ok(match answer {
            RedisValue::Nothing => Dynamic::UNIT,
            RedisValue::Int(number) => number.into(),
            RedisValue::Float(number) => number.into(),
            RedisValue::Text(text) => text.into(),
            RedisValue::List(items) => Dynamic::from_array(items.into_iter().map(Dynamic::from).collect()),
        })
    }
}

/// A key or a field: a text or a whole number.
fn key_text(what: &str, value: &Dynamic) -> Answered<String> {
    if let Ok(number) = value.as_int() {
        return Ok(number.to_string());
    }
    text(what, value)
}

/// A whole number, below zero too.
#[allow(clippy::cast_possible_truncation)]
fn index(what: &str, value: &Dynamic) -> Answered<i64> {
    let at = number(what, value)?;
    if at.fract() == 0.0 && at.abs() < 1e15 { Ok(at as i64) } else { Err(expected(what, "a whole number", value)) }
}
