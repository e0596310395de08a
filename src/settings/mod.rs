//! Owns settings as the script wrote them, free of the script language: values with their places
//! ([`Node`]), the typed reader that turns them into Rust types ([`Fields`]), the tables that
//! describe every setting ([`Setting`]), and what is said of bad ones ([`Report`]). It knows no
//! backend and no Rhai.

mod diagnostic;
mod fields;
mod foreign;
mod node;
mod table;

pub use diagnostic::{Diagnostic, Place, Report, Severity, did_you_mean};
pub(crate) use fields::expect_arity;
pub use fields::{Fields, Private};
pub use node::{Node, Stage, StageKind, Value};
pub use table::{Constructor, Kind, Preset, Setting};
