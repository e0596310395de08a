//! Owns `notify::django_email`: one mail per event to the administrators of the Django project that started
//! the worker (`DjangoEmailBackend`). Addresses, subject prefix, sender and mail server are Django's own,
//! and Django sends it: no password of it is ever here.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered, mail, text};
use crate::function::This;
use crate::pipeline::Event;
use crate::settings::{Constructor, StageKind};
use crate::world::World;

/// `notify::django_email(#{ … })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "django_email",
    backend: "DjangoEmailBackend",
    doc: "Mails the `ADMINS` of the Django project whose `manage.py autoscaler` runs the worker, as Django itself does.",
    settings: &[],
    read: |_| Some(Box::new(DjangoEmail)),
};

/// Mails through the host.
#[derive(Clone, Copy, Debug)]
struct DjangoEmail;

#[async_trait]
impl Notify for DjangoEmail {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn recipient(&self) -> String {
        "the ADMINS of Django".into()
    }

    fn leaves_machine(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        vec!["the mail server of the Django project".into()]
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let Some(host) = &world.host else {
            return Err(Undelivered::for_good(
                "`notify::django_email` mails under `manage.py autoscaler` only; elsewhere `notify::email` does",
            ));
        };
        match host.mail() {
            None => return Err(Undelivered::for_good(format!("{} has no mail set up", host.program()))),
            Some(mail) if mail.to.is_empty() => {
                return Err(Undelivered::for_good("the setting ADMINS of Django names nobody to be mailed"));
            }
            Some(_) => {}
        }
        let sent = host.send_mail(&text::one_line(&event.subject), &mail::body(event)).await;
        sent.map_err(|refused| Undelivered { message: refused.message, transient: refused.transient })
    }
}
