//! Owns the answers of a decision, `up`, `down`, `to` and `hold`, and `measure::failed`. It decides
//! nothing: numbers are passed on as given.

use rhai::{Dynamic, Engine, ImmutableString, Module, Position};

use super::{Answered, number, text};
use crate::function::{Change, Movement};
use crate::script::context;
use crate::script::diagnose::{Complaint, complaint};
use crate::script::entry::{Entry, Form, Stands, deciding, may_take, measuring, takes};

/// An answer made in this call.
#[derive(Clone, Debug)]
pub(in crate::script) struct Answer {
    movement: Movement,
    reason: Option<String>,
    number: u64,
}

/// `measure::failed("why")`.
#[derive(Clone, Debug)]
pub(in crate::script) struct Failed(pub(in crate::script) String);

impl Answer {
    fn new(movement: Movement, written: String, reason: Option<String>) -> Self {
        Self { movement, reason, number: context::made(written) }
    }

    /// Its number among the answers of the call.
    pub(in crate::script) fn number(&self) -> u64 {
        self.number
    }

    /// The answer as the engine takes it.
    pub(in crate::script) fn change(&self, dropped: Vec<String>) -> Change {
        Change { movement: self.movement, reason: self.reason.clone(), dropped }
    }
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Function,
        name: "up",
        parameters: &[takes("n", "int | float")],
        gives: "Answer",
        doc: "Asks for n dynos more. A fraction rounds up.",
        stands: Stands::Deciding,
        example: deciding("if m.value > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Function,
        name: "down",
        parameters: &[takes("n", "int | float")],
        gives: "Answer",
        doc: "Asks for n dynos fewer. A fraction rounds up.",
        stands: Stands::Deciding,
        example: deciding("if m.value < 300 { down(1) }"),
    },
    Entry {
        form: Form::Function,
        name: "to",
        parameters: &[takes("n", "int | float")],
        gives: "Answer",
        doc: "Asks for n dynos in all, as a bare number does. A fraction rounds up.",
        stands: Stands::Deciding,
        example: deciding("to(m.value / 100)"),
    },
    Entry {
        form: Form::Function,
        name: "hold",
        parameters: &[may_take("why", "String")],
        gives: "Answer",
        doc: "Asks for no change, as an answer of nothing does, and says why.",
        stands: Stands::Deciding,
        example: deciding(r#"if m.now.hour < 6 { hold("it is night") } else { to(3) }"#),
    },
    Entry {
        form: Form::Method("Answer"),
        name: "because",
        parameters: &[takes("why", "String")],
        gives: "Answer",
        doc: "The same answer with a reason for the record.",
        stands: Stands::Deciding,
        example: deciding("up(2).because(`the queue has ${m.value} jobs`)"),
    },
    Entry {
        form: Form::Member("measure"),
        name: "failed",
        parameters: &[takes("why", "String")],
        gives: "Failed",
        doc: "A measurement that failed: it is never read as a number, and no tick with it scales down.",
        stands: Stands::Measuring,
        example: measuring(
            r"let reply = #{ status: 200, jobs: 12 };
if reply.status == 200 { reply.jobs } else { measure::failed(`status ${reply.status}`) }",
        ),
    },
];

/// Registers the answers.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Answer>("an answer such as `up(1)`");
    engine.register_type_with_name::<Failed>("a failed measurement");
    // What `catch (error)` gives for an error of ours.
    engine.register_type_with_name::<Complaint>("an error");
    engine.register_fn("to_string", |error: &mut Complaint| error.message.clone());
    engine.register_fn("to_debug", |error: &mut Complaint| error.message.clone());
    counted(engine, "up", Movement::Up);
    counted(engine, "down", Movement::Down);
    counted(engine, "to", Movement::To);
    engine.register_fn("hold", || Answer::new(Movement::Hold, "hold()".into(), None));
    // Found at once, where any value is tried type by type: it is what most decisions end with.
    engine.register_fn("hold", |why: ImmutableString| held(why.as_str()));
    engine.register_fn("hold", |why: Dynamic| -> Answered<Answer> { Ok(held(&text("`hold`", &why)?)) });
    engine.register_fn("because", |answer: Answer, why: Dynamic| -> Answered<Answer> {
        Ok(Answer { reason: Some(text("`because`", &why)?), ..answer })
    });
    engine.register_fn("because", |_: i64, _: Dynamic| no_answer());
    engine.register_fn("because", |_: f64, _: Dynamic| no_answer());
}

fn held(why: &str) -> Answer {
    Answer::new(Movement::Hold, format!("hold(\"{why}\")"), Some(why.into()))
}

fn no_answer() -> Answered<Answer> {
    let help = "write `to(n).because(\"…\")`";
    Err(complaint("`because` belongs to an answer, not to a number", Some(help.into()), Position::NONE))
}

fn counted(engine: &mut Engine, name: &'static str, movement: fn(f64) -> Movement) {
    engine.register_fn(name, move |count: Dynamic| -> Answered<Answer> {
        let value = number(&format!("`{name}`"), &count)?;
        if value < 0.0 {
            return Err(negative(name, value));
        }
        Ok(Answer::new(movement(value), format!("{name}({count})"), None))
    });
}

fn negative(name: &str, value: f64) -> Box<rhai::EvalAltResult> {
    let help = match name {
        "up" => format!("write `down({})` for fewer", -value),
        "down" => format!("write `up({})` for more", -value),
        _ => format!("write `down({})` for so many fewer, or `to(max(0, …))`", -value),
    };
    complaint(format!("`{name}({value})`: a number of dynos is never negative"), Some(help), Position::NONE)
}

/// Adds `failed` to the module `measure`.
pub(super) fn failed(module: &mut Module) {
    module.set_native_fn("failed", |why: Dynamic| -> Answered<Failed> { Ok(Failed(text("`measure::failed`", &why)?)) });
}
