//! What the unit tests of this module share.

use std::sync::Arc;

use chrono::DateTime;

use crate::pipeline::{Event, EventKind, Phase};

/// An event of `kind` about `pipeline`.
pub(super) fn event(pipeline: &str, kind: EventKind) -> Event {
    Event {
        kind,
        phase: Phase::Once,
        key: format!("{pipeline}/{kind}"),
        severity: "info".into(),
        pipeline: Arc::from(pipeline),
        message: format!("{kind} of {pipeline}"),
        subject: kind.name().into(),
        dynos: None,
        from: None,
        to: None,
        measurement: None,
        unit: None,
        target: None,
        reason: None,
        at: DateTime::UNIX_EPOCH,
    }
}
