//! Owns the step out of a script: whether the running function may reach the world, the waiting for its
//! answer within the time that is left, and the reply.

use std::future::Future;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, Position};

use super::{Answered, text};
use crate::function::Reach;
use crate::request::Response;
use crate::rules;
use crate::script::diagnose::{complaint, ruled};
use crate::script::entry::{Entry, Form, Stands, property, sending, takes};
use crate::script::limits::{self, Halt};
use crate::script::{context, convert};
use crate::world::World;

/// The type's name in messages.
pub(super) const NAME: &str = "a reply";

/// What a request or a program answered.
#[derive(Clone, Debug)]
pub(in crate::script) struct ReplyValue(pub(in crate::script) Arc<Response>);

/// Waits for what `start` does in the world, on behalf of the method `what`.
pub(super) fn wait<T, F>(what: &str, start: impl FnOnce(Arc<World>) -> F) -> Answered<T>
where
    F: Future<Output = Result<T, String>>,
{
    let refuse = |message: String, help: &str| Err(complaint(message, Some(help.into()), Position::NONE));
    match context::reach() {
        None => Err(ruled(
            &rules::SEND_OUT_OF_PLACE,
            format!("`{what}` is called while the script loads, and loading reaches nothing"),
            Some("call it in a function of `measure`, `scale` or `notify`".into()),
            Position::NONE,
        )),
        Some(Reach::Pure) if context::is_reaching_trial() => {
            context::end_trial();
            refuse(format!("`{what}` is called in a trial"), "a trial reaches nothing")
        }
        Some(Reach::Pure) => refuse(
            format!("`{what}` is called in a function that reaches nothing"),
            "`decide`, `.map` and `value` have what was measured; a function for `request` or `scale_to` of a described \
             stage returns its request, and the engine sends it",
        ),
        Some(Reach::Test(_)) if what.starts_with("redis") || !what.contains("send") => refuse(
            format!("`{what}` is called in a test, which reaches nothing"),
            "hand over what would be measured: `under_test(\"web\").feed([12])`",
        ),
        Some(Reach::Test(_)) => refuse(
            format!("`{what}` is called in a test, which reaches nothing itself"),
            "let a pipeline do it: `under_test(\"web\").tick()`, its requests answered by `http::stub(…)`",
        ),
        Some(Reach::World { world, runtime }) => {
            let left = limits::time_left();
            let answer = runtime.block_on(async { tokio::time::timeout(left, start(world)).await });
            let Ok(answer) = answer else {
                limits::halt(Halt::Time(limits::time_granted()));
                return Err(complaint(format!("`{what}` used up the time of the function"), None, Position::NONE));
            };
            answer.map_err(|message| complaint(message, None, Position::NONE))
        }
    }
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    property(
        "Reply",
        "status",
        "int",
        "The reply's status; of a program, its exit status.",
        Stands::Anywhere,
        sending(r#"http::get("https://www.example.com/queue").send().status"#),
    ),
    property(
        "Reply",
        "ok",
        "bool",
        "Whether the status is 2xx; of a program, whether it is 0.",
        Stands::Anywhere,
        sending(r#"if http::get("https://www.example.com/queue").send().ok { 1 } else { 0 }"#),
    ),
    property(
        "Reply",
        "took_ms",
        "int | float",
        "How long it took, in milliseconds.",
        Stands::Anywhere,
        sending(r#"http::get("https://www.example.com/queue").send().took_ms"#),
    ),
    Entry {
        form: Form::Method("Reply"),
        name: "text",
        parameters: &[],
        gives: "String",
        doc: "The body as a text; of a program, what it wrote.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").send().text().len()"#),
    },
    Entry {
        form: Form::Method("Reply"),
        name: "lines",
        parameters: &[],
        gives: "Array",
        doc: "The body, line by line.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").send().lines().len()"#),
    },
    Entry {
        form: Form::Method("Reply"),
        name: "json",
        parameters: &[],
        gives: "?",
        doc: "The body as JSON; throws where it is none.",
        stands: Stands::Anywhere,
        example: sending(r#"http::get("https://www.example.com/queue").send().json().waiting"#),
    },
    Entry {
        form: Form::Method("Reply"),
        name: "header",
        parameters: &[takes("name", "String")],
        gives: "String | ()",
        doc: "The value of a header, where there is one.",
        stands: Stands::Anywhere,
        example: sending(r#"parse_int(http::get("https://www.example.com/queue").send().header("x-waiting") ?? "0")"#),
    },
];

/// Registers what a reply has.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<ReplyValue>(NAME);
    engine.register_get("status", |reply: &mut ReplyValue| reply.0.status());
    engine.register_get("ok", |reply: &mut ReplyValue| reply.0.ok());
    engine.register_get("took_ms", |reply: &mut ReplyValue| reply.0.took_ms());
    engine.register_fn("text", |reply: &mut ReplyValue| reply.0.text());
    engine.register_fn("lines", |reply: &mut ReplyValue| -> Array {
        reply.0.text().lines().map(|line| Dynamic::from(line.to_owned())).collect()
    });
    engine.register_fn("json", |reply: &mut ReplyValue| -> Answered<Dynamic> {
        let json = reply.0.json().map_err(|why| complaint(why, None, Position::NONE))?;
        context::note_reply(&reply.0);
        Ok(convert::from_json(&json))
    });
    engine.register_fn("header", |reply: &mut ReplyValue, name: Dynamic| -> Answered<Dynamic> {
        let name = text("`header`", &name)?;
        Ok(reply.0.header(&name).map_or(Dynamic::UNIT, |value| value.to_owned().into()))
    });
    engine.register_fn("to_string", |reply: &mut ReplyValue| reply.0.to_string());
    engine.register_fn("to_debug", |reply: &mut ReplyValue| reply.0.to_string());
}
