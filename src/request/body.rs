//! Owns the body of a request: a text or JSON, in which any text may be a secret.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use super::{Part, Wrong};
use crate::secret::Secret;

/// The largest body that is sent.
const LARGEST: usize = 1 << 20;

/// What is sent along.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// A text as it is.
    Text(Part),
    /// A value as JSON.
    Json(Tree),
}

/// JSON whose texts may be secrets.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`, a flag or a number.
    Plain(Json),
    /// A number with its type.
    Number(Number),
    /// A text.
    Text(Part),
    /// A list.
    List(Vec<Tree>),
    /// Names to values.
    Object(Vec<(Arc<str>, Tree)>),
}

impl Tree {
    fn json(&self) -> Result<Json, Wrong> {
        Ok(match self {
            Self::Plain(json) => json.clone(),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(part) => Json::String(part.sent().into_owned()),
            Self::List(items) => Json::Array(items.iter().map(Self::json).collect::<Result<_, _>>()?),
            Self::Object(entries) => {
                let entries = entries.iter().map(|(name, tree)| Ok((name.to_string(), tree.json()?)));
                Json::Object(entries.collect::<Result<Map<_, _>, Wrong>>()?)
            }
        })
    }

    fn secrets<'a>(&'a self, found: &mut Vec<&'a Secret>) {
        match self {
            Self::Text(Part::Secret(secret)) => found.push(secret),
            Self::List(items) => items.iter().for_each(|item| item.secrets(found)),
            Self::Object(entries) => entries.iter().for_each(|(_, tree)| tree.secrets(found)),
            Self::Plain(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }
}

impl Body {
    /// The secrets in it.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let mut found = Vec::new();
        match self {
            Self::Text(Part::Secret(secret)) => found.push(secret),
            Self::Json(tree) => tree.secrets(&mut found),
            Self::None | Self::Text(_) => {}
        }
        found
    }

    /// What is sent, and its type.
    pub(super) fn bytes(&self) -> Result<Option<(Vec<u8>, &'static str)>, Wrong> {
        Ok(match self {
            Self::None => None,
            Self::Text(part) => Some((part.sent().as_bytes().to_vec(), "text/plain; charset=utf-8")),
            Self::Json(tree) => Some((tree.json()?.to_string().into_bytes(), "application/json")),
        })
    }

    /// Refuses what is too large; what is not known yet is looked at when it is sent.
    pub(super) fn check_size(&self) -> Result<(), Wrong> {
        match self.bytes() {
            Ok(Some((bytes, _))) if bytes.len() > LARGEST => Err(Wrong::new("the body is larger than 1 MiB")),
            _ => Ok(()),
        }
    }
}
