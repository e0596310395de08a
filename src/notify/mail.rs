//! Owns what a mail says: sender, recipients, subject and text. Nothing that comes from outside gets
//! into a header but on one line.

use lettre::address::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};

use super::{Undelivered, text};
use crate::decide::number;
use crate::pipeline::Event;

/// Longer subjects are cut: nobody reads them, and some servers refuse them.
const LONGEST_SUBJECT: usize = 200;

fn subject(prefix: &str, event: &Event) -> String {
    // Only the prefix keeps the blank at its end.
    let subject = format!("{}{}", prefix, text::one_line(&event.subject));
    let subject: String = subject.chars().filter(|char| !char.is_control()).collect();
    match subject.char_indices().nth(LONGEST_SUBJECT) {
        Some((end, _)) => format!("{}…", &subject[..end]),
        None => subject,
    }
}

/// The mail about `event`.
pub(super) fn message(
    from: &Mailbox,
    to: &[Mailbox],
    subject_prefix: &str,
    event: &Event,
) -> Result<Message, Undelivered> {
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(subject(subject_prefix, event))
        .date(event.at.into())
        .message_id(None)
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    for to in to {
        builder = builder.to(to.clone());
    }
    builder.body(body(event)).map_err(|error| Undelivered::for_good(format!("the mail cannot be written: {error}")))
}

/// The message, and below it what a reader wants to know at three in the morning.
pub(super) fn body(event: &Event) -> String {
    let mut lines = vec![event.message.clone(), String::new()];
    if !event.pipeline.is_empty() {
        lines.push(format!("Pipeline: {}", event.pipeline));
    }
    if let Some(target) = &event.target {
        lines.push(format!("App: {}", text::one_line(target)));
    }
    if let (Some(from), Some(to)) = (event.from, event.to) {
        lines.push(format!("Dynos: {from} -> {to}"));
    } else if let Some(dynos) = event.dynos {
        lines.push(format!("Dynos: {dynos}"));
    }
    if let Some(value) = event.measurement {
        lines.push(format!("Measurement: {}", number(value, event.unit.as_deref())));
    }
    if let Some(reason) = text::further_reason(event) {
        lines.push(format!("Reason: {}", text::one_line(reason)));
    }
    lines.push(format!("Time: {}", event.at.format("%Y-%m-%d %H:%M:%S UTC")));
    lines.join("\n")
}

/// `Auto-Submitted: auto-generated` (RFC 3834): keeps holiday replies away.
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// `address` or `Name <address>`. Stricter than the library's own reader, which takes the first of
/// several and passes over the rest.
pub(super) fn address(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let Some((name, rest)) = text.split_once('<') else { return Some(Mailbox::new(None, text.trim().parse().ok()?)) };
    let address: Address = rest.trim_end().strip_suffix('>')?.trim().parse().ok()?;
    let name = name.trim().trim_matches('"');
    Some(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address))
}
