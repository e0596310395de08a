//! Owns `http::`: requests as values, put together by the script, and `.send()` where the function may
//! reach the world. It opens no connection itself.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Map, Module, NativeCallContext, Position};

use super::reaching::{self, ReplyValue};
use super::{Answered, expected, number, placed, testing, text};
use crate::request::{Body, Part, RequestPlan, Tree, Wrong};
use crate::rules;
use crate::script::diagnose::{complaint, ruled};
use crate::script::entry::{Entry, Form, Stands, may_take, sending, takes};
use crate::script::limits::NESTING;
use crate::script::modules::event::EventValue;
use crate::script::modules::history::HistoryValue;
use crate::script::modules::secret::ScriptSecret;
use crate::script::{context, convert};

/// The type's name in messages.
pub(super) const NAME: &str = "a request";

/// Methods that have a function of their own.
pub(in crate::script) const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];

/// A request of the script.
#[derive(Clone, Debug)]
pub(in crate::script) struct RequestValue(pub(in crate::script) Arc<RequestPlan>);

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("http"),
        name: "get",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A GET request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").send().json().waiting"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "post",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A POST request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(
            r#"http::post("https://www.example.com/queue").json(#{ question: "length" }).send().json().waiting"#,
        ),
    },
    Entry {
        form: Form::Member("http"),
        name: "encode",
        parameters: &[takes("segment", "String")],
        gives: "String",
        doc: "A text as one segment of the path of a URL: `/` becomes `%2F`.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/" + http::encode("queue")).send().json().waiting"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "put",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A PUT request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::put("https://www.example.com/queue").body("12").send().status"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "patch",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A PATCH request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::patch("https://www.example.com/queue").json(#{ size: 12 }).send().status"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "delete",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A DELETE request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::delete("https://www.example.com/queue").send().status"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "head",
        parameters: &[takes("url", "String | Secret")],
        gives: "Request",
        doc: "A HEAD request, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::head("https://www.example.com/queue").send().status"#),
    },
    Entry {
        form: Form::Member("http"),
        name: "request",
        parameters: &[takes("method", "String"), takes("url", "String | Secret")],
        gives: "Request",
        doc: "A request of any method, not yet sent.",
        stands: Stands::Anywhere,
        example: sending(r#"http::request("OPTIONS", "https://www.example.com/queue").send().status"#),
    },
    Entry {
        form: Form::Method("Request"),
        name: "header",
        parameters: &[takes("name", "String"), takes("value", "String | Secret | int | float | bool")],
        gives: "Request",
        doc: "The request with a header.",
        stands: Stands::Anywhere,
        example: sending(
            r#"http::get("https://www.example.com/queue").header("Accept", "application/json").send().json().waiting"#,
        ),
    },
    Entry {
        form: Form::Method("Request"),
        name: "bearer",
        parameters: &[takes("token", "String | Secret")],
        gives: "Request",
        doc: "The request with a bearer token.",
        stands: Stands::Anywhere,
        example: sending(
            r#"http::get("https://www.example.com/queue").bearer(env::secret("QUEUE_TOKEN")).send().json().waiting"#,
        ),
    },
    Entry {
        form: Form::Method("Request"),
        name: "basic",
        parameters: &[takes("user", "String | Secret"), takes("password", "String | Secret")],
        gives: "Request",
        doc: "The request with a user and a password.",
        stands: Stands::Anywhere,
        example: sending(
            r#"http::get("https://www.example.com/queue").basic("ops", env::secret("QUEUE_PASSWORD")).send().json().waiting"#,
        ),
    },
    Entry {
        form: Form::Method("Request"),
        name: "query",
        parameters: &[takes("name", "String | Map"), may_take("value", "String | Secret | int | float | bool")],
        gives: "Request",
        doc: "The request with `name=value` in its URL; with a map, one for each entry.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").query("name", "mail").send().json().waiting"#),
    },
    Entry {
        form: Form::Method("Request"),
        name: "json",
        parameters: &[takes("value", "?")],
        gives: "Request",
        doc: "The request with this value as JSON for its body; secrets may stand in it.",
        stands: Stands::Anywhere,
        example: sending(
            r#"http::post("https://www.example.com/queue").json(#{ names: ["mail", "celery"] }).send().json().waiting"#,
        ),
    },
    Entry {
        form: Form::Method("Request"),
        name: "body",
        parameters: &[takes("body", "String | Secret")],
        gives: "Request",
        doc: "The request with this text for its body.",
        stands: Stands::Anywhere,
        example: sending(r#"http::post("https://www.example.com/queue").body("mail").send().json().waiting"#),
    },
    Entry {
        form: Form::Method("Request"),
        name: "timeout_seconds",
        parameters: &[takes("seconds", "int | float")],
        gives: "Request",
        doc: "The request with so many seconds until it counts as failed.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").timeout_seconds(5).send().json().waiting"#),
    },
    Entry {
        form: Form::Method("Request"),
        name: "retries",
        parameters: &[takes("retries", "int")],
        gives: "Request",
        doc: "The request, tried so many times more by the engine where a described stage sends it.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").retries(2).send().json().waiting"#),
    },
    Entry {
        form: Form::Method("Request"),
        name: "send",
        parameters: &[],
        gives: "Reply",
        doc: "Sends it and waits for the reply; throws where there is none. A reply of any status is a reply.",
        stands: Stands::Reaching,
        example: sending(
            r#"let reply = http::get("https://www.example.com/queue").timeout_seconds(5).send();
if reply.ok { reply.json().waiting } else { measure::failed(`status ${reply.status}`) }"#,
        ),
    },
];

/// Registers the module and the methods of requests.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    for method in METHODS.iter().copied() {
        module.set_native_fn(method, move |native: NativeCallContext, url: Dynamic| {
            placed(&native, plan(&format!("`http::{method}`"), method, &url))
        });
    }
    module.set_native_fn("request", |native: NativeCallContext, method: Dynamic, url: Dynamic| {
        let what = "`http::request`";
        placed(&native, text(what, &method).and_then(|method| plan(what, &method, &url)))
    });
    module.set_native_fn("encode", |native: NativeCallContext, segment: Dynamic| {
        placed(&native, text("`http::encode`", &segment).map(|text| encoded(&text)))
    });
    testing::stubs(&mut module);
    engine.register_static_module("http", module.into());
    engine.register_type_with_name::<RequestValue>(NAME);
    engine.register_fn("header", |request: RequestValue, name: Dynamic, value: Dynamic| -> Answered<RequestValue> {
        let name = text("`header`", &name)?;
        let value = part("`header`", &value)?;
        request.with(|plan| plan.header(&name, value))
    });
    engine.register_fn("bearer", |request: RequestValue, token: Dynamic| -> Answered<RequestValue> {
        let token = part("`bearer`", &token)?;
        request.with(|plan| plan.bearer(&token))
    });
    engine.register_fn("basic", |request: RequestValue, user: Dynamic, password: Dynamic| -> Answered<RequestValue> {
        let (user, password) = (part("`basic`", &user)?, part("`basic`", &password)?);
        request.with(|plan| plan.basic(&user, &password))
    });
    engine.register_fn("query", |request: RequestValue, name: Dynamic, value: Dynamic| -> Answered<RequestValue> {
        let (name, value) = (text("`query`", &name)?, part("`query`", &value)?);
        request.with(|plan| plan.query(&name, value))
    });
    engine.register_fn("query", |request: RequestValue, entries: Dynamic| -> Answered<RequestValue> {
        let Some(entries) = entries.read_lock::<Map>() else {
            return Err(expected("`query`", "a name and a value, or a map", &entries));
        };
        entries.iter().try_fold(request, |request, (name, value)| {
            let value = part(&format!("`{name}` of `query`"), value)?;
            request.with(|plan| plan.query(name, value))
        })
    });
    engine.register_fn("json", |request: RequestValue, value: Dynamic| -> Answered<RequestValue> {
        let tree = tree(&value, NESTING)
            .map_err(|what| complaint(format!("`json` takes what JSON can hold, not {what}"), None, Position::NONE))?;
        request.with(|plan| plan.body(Body::Json(tree)))
    });
    engine.register_fn("body", |request: RequestValue, body: Dynamic| -> Answered<RequestValue> {
        let body = part("`body`", &body)?;
        request.with(|plan| plan.body(Body::Text(body)))
    });
    engine.register_fn("timeout_seconds", |request: RequestValue, seconds: Dynamic| -> Answered<RequestValue> {
        let seconds = number("`timeout_seconds`", &seconds)?;
        request.with(|plan| plan.timeout(seconds))
    });
    engine.register_fn("retries", |request: RequestValue, retries: Dynamic| -> Answered<RequestValue> {
        let retries = number("`retries`", &retries)?;
        #[allow(clippy::cast_possible_truncation)]
        let whole = if retries.fract() == 0.0 { retries as i64 } else { -1 };
        request.with(|plan| plan.retries(whole))
    });
    engine.register_fn("send", |request: RequestValue| -> Answered<ReplyValue> {
        let reply = reaching::wait("send", |world| async move {
            // A function that sends sees what comes back, and knows best whether to try again.
            crate::request::send(&request.0, 0, &world).await.map_err(|error| error.message)
        })?;
        Ok(ReplyValue(Arc::new(reply)))
    });
    engine.register_fn("to_string", |request: &mut RequestValue| request.0.shown());
    engine.register_fn("to_debug", |request: &mut RequestValue| request.0.shown());
}

/// `segment` as one segment of a URL's path: "/" becomes "%2F".
fn encoded(segment: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(segment, &KEPT).to_string()
}

fn plan(what: &str, method: &str, url: &Dynamic) -> Answered<RequestValue> {
    if !url.is_string() && !url.is::<ScriptSecret>() {
        return Err(expected(what, "a text or a secret", url));
    }
    let url = part(what, url)?;
    let plan = RequestPlan::new(method, url).map_err(|wrong| said(what, wrong))?;
    if let (Some(host), Some(surroundings)) = (plan.host(), context::surroundings()) {
        surroundings
            .environment
            .bounds()
            .host(host)
            .map_err(|(message, help)| ruled(&rules::HOST_NOT_ALLOWED, message, Some(help), Position::NONE))?;
    }
    Ok(RequestValue(Arc::new(plan)))
}

impl RequestValue {
    fn with(self, change: impl FnOnce(RequestPlan) -> Result<RequestPlan, Wrong>) -> Answered<Self> {
        let changed = change(Arc::unwrap_or_clone(self.0));
        changed
            .map(|plan| Self(Arc::new(plan)))
            .map_err(|wrong| ruled(wrong.rule, wrong.message, wrong.help, Position::NONE))
    }
}

fn said(what: &str, wrong: Wrong) -> Box<rhai::EvalAltResult> {
    ruled(wrong.rule, format!("{what}: {}", wrong.message), wrong.help, Position::NONE)
}

/// A text that may be secret; numbers and flags are written out.
pub(super) fn part(what: &str, value: &Dynamic) -> Answered<Part> {
    if let Some(secret) = value.read_lock::<ScriptSecret>() {
        return Ok(secret.part());
    }
    if value.is_int() || value.is_float() || value.is_bool() {
        return Ok(Part::Plain(value.to_string().into()));
    }
    let text = value.clone().into_string().map_err(|_| expected(what, "a text or a secret", value))?;
    Ok(Part::Plain(text.into()))
}

/// A script value as JSON whose texts may be secrets, or what in it is none.
fn tree(value: &Dynamic, depth: usize) -> Result<Tree, String> {
    let Some(depth) = depth.checked_sub(1) else { return Err(format!("values nested deeper than {NESTING}")) };
    if let Some(secret) = value.read_lock::<ScriptSecret>() {
        return Ok(Tree::Text(secret.part()));
    }
    if let Some(event) = value.read_lock::<EventValue>() {
        return event.json().map(Tree::Plain);
    }
    if let Some(history) = value.read_lock::<HistoryValue>() {
        return tree(&Dynamic::from_array(history.values()), depth);
    }
    if let Some(items) = value.read_lock::<rhai::Array>() {
        return items.iter().map(|item| tree(item, depth)).collect::<Result<_, _>>().map(Tree::List);
    }
    if let Some(entries) = value.read_lock::<Map>() {
        let entries = entries.iter().map(|(name, value)| {
            let value = tree(value, depth).map_err(|what| format!("{what} in `{name}`"))?;
            Ok((name.as_str().into(), value))
        });
        return entries.collect::<Result<_, String>>().map(Tree::Object);
    }
    convert::to_json(value).map(Tree::Plain)
}
