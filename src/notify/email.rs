//! Owns `notify::email`: one plain mail per event, through the mail server of `smtp_url`. Nothing
//! that comes from outside gets into a header but on one line.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde_json::{Value as Json, json};

use super::mail_server::{MailServer, TIMEOUT};
use super::{Notify, Undelivered, text};
use crate::pipeline::Event;
use crate::secret::MASK;
use crate::settings::{Constructor, Fields, Kind, Node, Preset, Setting, StageKind, Value};
use crate::world::World;

/// Longer subjects are cut: nobody reads them, and some servers refuse them.
const LONGEST_SUBJECT: usize = 200;

static SETTINGS: &[Setting] = &[
    Setting {
        name: "to",
        kind: Kind::Texts,
        preset: Preset::Required,
        doc: "Who gets the mail: an address, or an array of them; `Name <address>` works.",
    },
    Setting {
        name: "smtp_url",
        kind: Kind::Secret,
        preset: Preset::Required,
        doc: "The mail server: `smtp://user:password@host:587` (STARTTLS required), `smtps://…` (TLS from the first \
              byte), or `smtp://localhost` without user (plain); `?tls=required`, `opportunistic` or `none` says \
              otherwise. A private certificate authority goes into SSL_CERT_FILE.",
    },
    Setting {
        name: "from",
        kind: Kind::Text,
        preset: Preset::None("the user of `smtp_url` where that is an address, else the first of `to`"),
        doc: "The sender.",
    },
    Setting {
        name: "subject_prefix",
        kind: Kind::Text,
        preset: Preset::Text("[autoscaler] "),
        doc: "Stands before every subject (the predecessor's mail had Django's \"[Django] \").",
    },
];

/// `notify::email(#{ … })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "email",
    backend: "DjangoEmailBackend",
    doc: "Sends a mail per event.",
    settings: SETTINGS,
    read: |fields| Email::read(fields).map(|email| Box::new(email) as Box<dyn Notify>),
};

/// Sends mail.
#[derive(Debug)]
pub struct Email {
    to: Vec<Mailbox>,
    from: Mailbox,
    /// `None` where the secret is not set: `check` and `test` go on without.
    server: Option<MailServer>,
    subject_prefix: Arc<str>,
}

impl Email {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let to = fields
            .texts("to")
            .map(|texts| texts.iter().filter_map(|text| read_address("to", text, fields)).collect::<Vec<_>>());
        let from = fields.text("from").map(|text| read_address("from", &text, fields));
        let server = read_server(fields);
        let missing = matches!(fields.node("smtp_url"), Some(Node { value: Value::MissingSecret(_), .. }));
        let subject_prefix = fields.text("subject_prefix")?;
        let to = to?;
        if server.is_none() && !missing {
            return None;
        }
        let from = if let Some(from) = from {
            from?
        } else {
            let user = server.as_ref().and_then(MailServer::user_address).and_then(address);
            user.or_else(|| to.first().cloned())?
        };
        (!to.is_empty()).then_some(Self { to, from, server, subject_prefix })
    }

    fn subject(&self, event: &Event) -> String {
        // Only the prefix keeps the blank at its end.
        let subject = format!("{}{}", self.subject_prefix, text::one_line(&event.subject));
        let subject: String = subject.chars().filter(|char| !char.is_control()).collect();
        match subject.char_indices().nth(LONGEST_SUBJECT) {
            Some((end, _)) => format!("{}…", &subject[..end]),
            None => subject,
        }
    }

    fn message(&self, event: &Event) -> Result<Message, Undelivered> {
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(self.subject(event))
            .date(event.at.into())
            .message_id(None)
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.body(body(event)).map_err(|error| Undelivered::for_good(format!("the mail cannot be written: {error}")))
    }

    async fn send(&self, server: &MailServer, message: &Message) -> Result<(), Undelivered> {
        let transport = server.transport().await?;
        let (envelope, text) = (message.envelope(), message.formatted());
        let sent = send(&transport, server, envelope, &text).await;
        match sent {
            // One refused address must not keep the mail from the others. A login that is refused is
            // refused for all of them.
            Err(error) if !error.transient && envelope.to().len() > 1 && refuses_recipient(&error) => {
                self.send_to_each(&transport, server, envelope, &text).await
            }
            sent => sent,
        }
    }

    async fn send_to_each(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        server: &MailServer,
        envelope: &Envelope,
        text: &[u8],
    ) -> Result<(), Undelivered> {
        let mut refused = Vec::new();
        for address in envelope.to() {
            let single = Envelope::new(envelope.from().cloned(), vec![address.clone()])
                .expect("an envelope with one recipient is whole");
            if let Err(error) = send(transport, server, &single, text).await {
                refused.push((address, error));
            }
        }
        if refused.len() == envelope.to().len() {
            return refused.pop().map_or(Ok(()), |(_, error)| Err(Undelivered::for_good(error.message)));
        }
        for (address, error) in refused {
            tracing::warn!(target: "autoscaler::notify", "the mail to {address} was not taken: {error}");
        }
        Ok(())
    }
}

#[async_trait]
impl Notify for Email {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({
            "to": self.to.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "smtp_url": MASK,
            "from": self.from.to_string(),
            "subject_prefix": self.subject_prefix,
        })
    }

    fn recipient(&self) -> String {
        let mut to: Vec<String> = self.to.iter().map(|to| to.email.to_string()).collect();
        to.sort_unstable();
        let server = self.server.as_ref().map_or_else(String::new, ToString::to_string);
        format!("mail to {} from {} with {:?} through {server}", to.join(", "), self.from, self.subject_prefix)
    }

    fn leaves_machine(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        self.server.iter().map(|server| format!("mail server {server}")).collect()
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<Json>, _: &Arc<World>) -> Result<(), Undelivered> {
        let Some(server) = &self.server else { return Err(Undelivered::for_good("`smtp_url` is not set")) };
        let message = self.message(event)?;
        self.send(server, &message).await
    }
}

/// One transaction. The client's own limit covers the connecting only.
async fn send(
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    server: &MailServer,
    envelope: &Envelope,
    text: &[u8],
) -> Result<(), Undelivered> {
    match tokio::time::timeout(TIMEOUT, transport.send_raw(envelope, text)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(server.undelivered(&error)),
        Err(_) => Err(server.silent()),
    }
}

/// 550 to 553: this mailbox, not this login (530, 534, 535) and not this message (554).
fn refuses_recipient(error: &Undelivered) -> bool {
    ["550", "551", "552", "553"].iter().any(|code| error.message.contains(&format!(" answered {code}:")))
}

/// The message, and below it what a reader wants to know at three in the morning.
fn body(event: &Event) -> String {
    let mut lines = vec![event.message.clone(), String::new()];
    if !event.pipeline.is_empty() {
        lines.push(format!("Pipeline: {}", event.pipeline));
    }
    if let (Some(from), Some(to)) = (event.from, event.to) {
        lines.push(format!("Dynos: {from} -> {to}"));
    }
    if let Some(value) = event.measurement {
        lines.push(format!("Measurement: {value}"));
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
fn address(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let Some((name, rest)) = text.split_once('<') else { return Some(Mailbox::new(None, text.trim().parse().ok()?)) };
    let address: Address = rest.trim_end().strip_suffix('>')?.trim().parse().ok()?;
    let name = name.trim().trim_matches('"');
    Some(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address))
}

fn read_address(setting: &str, text: &str, fields: &mut Fields<'_>) -> Option<Mailbox> {
    let read = address(text);
    if read.is_none() {
        let message = format!("`{}` in `{setting}` is no mail address", text::one_line(text));
        let help = if text.contains(',') || text.contains(';') {
            "several recipients are an array: `[\"a@example.com\", \"b@example.com\"]`"
        } else {
            "it looks like \"ops@example.com\" or \"Ops <ops@example.com>\""
        };
        fields.error(setting, message, Some(help.into()));
    }
    read
}

/// The server; also `None` where the secret is not set here.
fn read_server(fields: &mut Fields<'_>) -> Option<MailServer> {
    if matches!(fields.node("smtp_url"), Some(Node { value: Value::MissingSecret(_), .. })) {
        return None;
    }
    let url = fields.secret("smtp_url")?;
    match MailServer::parse(url.expose()) {
        Ok(server) => {
            if server.may_leak() {
                let message = "`tls=opportunistic` in `smtp_url` may send the password in plain text";
                fields.warning("smtp_url", message, Some("leave it out: STARTTLS is required then".into()));
            }
            Some(server)
        }
        Err(problem) => {
            fields.error("smtp_url", problem.message, Some(problem.help));
            None
        }
    }
}
