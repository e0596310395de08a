//! Owns one measurement: `{ backend, data, success }` as documented, its value as a number, and why
//! it failed when it did. It refuses to guess a number.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What one measuring stage found at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The documented name of the backend ("ResponseTimeBackend"), or "custom".
    pub backend: Cow<'static, str>,
    /// What was measured, as it came; `null` when it failed.
    pub data: Json,
    /// The number to judge: finite, in the unit of the backend (milliseconds, tasks …). `None` when
    /// it failed, or where the data is no number (a scripted decision reads `data`).
    pub value: Option<f64>,
    /// Whether it succeeded.
    pub success: bool,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was taken: the start of its tick.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// Why a measurement failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure it is: decides whether it can be a sign of load.
    pub kind: FailureKind,
    /// What happened, lower case, without secrets.
    pub message: String,
}

/// What a failure says about load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The app is there and does not cope: time-out, refused, reset, 5xx. May count as too high.
    Overload,
    /// Nothing to do with load: an unknown name, a TLS fault, a 4xx, a strange redirect, a
    /// maintenance page, a wrong type. Always holds.
    NotLoad,
}

impl Measurement {
    /// A good measurement of `data`, whose value is `data` itself where that is a finite number.
    #[must_use]
    pub fn good(backend: impl Into<Cow<'static, str>>, data: Json, at: DateTime<Utc>) -> Self {
        let value = data.as_f64().filter(|value| value.is_finite());
        Self { backend: backend.into(), data, value, success: true, failure: None, at, took_ms: 0.0 }
    }

    /// A failed measurement.
    #[must_use]
    pub fn failed(backend: impl Into<Cow<'static, str>>, failure: Failure, at: DateTime<Utc>) -> Self {
        let (data, value) = (Json::Null, None);
        Self { backend: backend.into(), data, value, success: false, failure: Some(failure), at, took_ms: 0.0 }
    }
}

impl Failure {
    /// A failure that may be a sign of load.
    #[must_use]
    pub fn overload(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Overload, message: message.into() }
    }

    /// A failure that says nothing about load.
    #[must_use]
    pub fn not_load(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::NotLoad, message: message.into() }
    }
}
