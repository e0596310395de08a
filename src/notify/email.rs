//! Owns `notify::email`: one plain mail per event, through the mail server of `smtp_url`, and its
//! settings. What the mail says is written in `mail`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde_json::{Value as Json, json};

use super::mail_server::{MailServer, TIMEOUT};
use super::{Notify, Undelivered, mail, text};
use crate::function::This;
use crate::pipeline::Event;
use crate::secret::MASK;
use crate::settings::{Constructor, Fields, Kind, Node, Preset, Setting, StageKind, Value};
use crate::world::World;

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
        let missing =
            matches!(fields.node("smtp_url"), Some(Node { value: Value::MissingSecret(_) | Value::Unset { .. }, .. }));
        let subject_prefix = fields.text("subject_prefix")?;
        let to = to?;
        if server.is_none() && !missing {
            return None;
        }
        let from = if let Some(from) = from {
            from?
        } else {
            let user = server.as_ref().and_then(MailServer::user_address).and_then(mail::address);
            user.or_else(|| to.first().cloned())?
        };
        (!to.is_empty()).then_some(Self { to, from, server, subject_prefix })
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

    async fn knock(&self) -> Option<Result<String, Undelivered>> {
        let Some(server) = &self.server else { return Some(Err(Undelivered::for_good("`smtp_url` is not set here"))) };
        let knocking = async {
            let transport = server.transport().await?;
            match transport.test_connection().await {
                Ok(true) => Ok(server.to_string()),
                Ok(false) => Err(Undelivered::for_now(format!("the mail server {server} closes the connection"))),
                Err(error) => Err(server.undelivered(&error)),
            }
        };
        Some(tokio::time::timeout(TIMEOUT, knocking).await.unwrap_or_else(|_| Err(server.silent())))
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, _: &Arc<World>) -> Result<(), Undelivered> {
        let Some(server) = &self.server else { return Err(Undelivered::for_good("`smtp_url` is not set")) };
        let message = mail::message(&self.from, &self.to, &self.subject_prefix, event)?;
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

fn read_address(setting: &str, text: &str, fields: &mut Fields<'_>) -> Option<Mailbox> {
    let read = mail::address(text);
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
    if matches!(fields.node("smtp_url"), Some(Node { value: Value::MissingSecret(_) | Value::Unset { .. }, .. })) {
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
