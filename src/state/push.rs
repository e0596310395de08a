//! Owns scripts that were pushed to a state for a worker to run: what they are, how they are signed, and where they
//! are kept. A worker runs none whose signature is not right, since others may write where they are kept.

use std::path::{Path, PathBuf};

use chrono::{DateTime, SubsecRound, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::{StateArg, StateError, redis};
use crate::secret::Secret;

/// The variable that holds the key.
const VARIABLE: &str = "AUTOSCALER_SCRIPT_KEY";

/// A shorter key can be guessed.
const SHORTEST: usize = 16;

/// Pushed versions that are kept.
pub(super) const MOST: usize = 10;

/// Their file in a state folder.
pub(super) const NAME: &str = "pushed.json";

/// A version of a script that was pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// When: of two versions the later one counts.
    pub at: DateTime<Utc>,
    /// Who pushed it.
    pub by: String,
    /// Its files, the script itself first: path relative to the script's folder, and text.
    pub files: Vec<(String, String)>,
    /// HMAC-SHA256 over all of that, in hex.
    #[serde(default)]
    pub signature: String,
}

/// What pushed scripts are signed with.
pub struct ScriptKey(hmac::Key);

impl ScriptKey {
    /// The key in `AUTOSCALER_SCRIPT_KEY`.
    ///
    /// # Errors
    /// It is not set, or too short.
    pub fn from_environment() -> Result<Self, String> {
        let text = std::env::var(VARIABLE).unwrap_or_default();
        if text.is_empty() {
            return Err(format!(
                "pushed scripts are signed: set {VARIABLE} to one and the same long random text where scripts are \
                 pushed and where they run, such as `openssl rand -hex 32` prints"
            ));
        }
        if text.len() < SHORTEST {
            return Err(format!("{VARIABLE} is too short to keep anybody out: at least {SHORTEST} characters"));
        }
        Ok(Self::new(&Secret::new(text)))
    }

    /// The key that `text` is.
    #[must_use]
    pub fn new(text: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, text.expose().as_bytes()))
    }
}

impl Pushed {
    /// `files`, pushed by `by` at `at` and signed with `key`.
    #[must_use]
    pub fn signed(at: DateTime<Utc>, by: String, files: Vec<(String, String)>, key: &ScriptKey) -> Self {
        let mut pushed = Self { at: at.trunc_subsecs(6), by, files, signature: String::new() };
        let tag = hmac::sign(&key.0, &pushed.content());
        pushed.signature = crate::worker::hex(tag.as_ref());
        pushed
    }

    /// Why it is not to be run, for a worker with `key`.
    #[must_use]
    pub fn objection(&self, key: &ScriptKey) -> Option<&'static str> {
        if self.signature.is_empty() {
            return Some("it has no signature");
        }
        let digits = self.signature.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        let tag: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
        let right = tag.is_some_and(|tag| hmac::verify(&key.0, &self.content(), &tag).is_ok());
        (!right).then_some("its signature is not that of AUTOSCALER_SCRIPT_KEY here")
    }

    /// What is signed. Lengths keep two versions from looking like one.
    fn content(&self) -> Vec<u8> {
        let at = self.at.timestamp_micros().to_string();
        let head = ["autoscaler script 1", &at, &self.by];
        let files = self.files.iter().flat_map(|(path, text)| [path.as_str(), text.as_str()]);
        let mut content = Vec::new();
        for part in head.into_iter().chain(files) {
            content.extend(part.len().to_be_bytes());
            content.extend(part.as_bytes());
        }
        content
    }
}

/// Publishes `pushed` in the state that `arg` names, and says where that is.
///
/// # Errors
/// It cannot be written.
pub async fn push(arg: &StateArg, pushed: &Pushed) -> Result<String, String> {
    let script = Path::new(super::PUSHED);
    if let StateArg::Redis(place) = arg {
        let (server, name) = (place.server()?, place.name().map_or_else(|| super::open::name_of(script), Ok)?);
        redis::push(server.clone(), &name, pushed).await.map_err(|error| error.to_string())?;
        return Ok(format!("`{name}` in {server}"));
    }
    let folder = super::open::made_folder(arg, script)?;
    PushedFile::new(&folder).push(pushed).map_err(|error| error.to_string())?;
    Ok(format!("`{}`", folder.display()))
}

/// The file of pushed versions in a state folder: newest first.
#[derive(Clone, Debug)]
pub(super) struct PushedFile(PathBuf);

impl PushedFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.join(NAME))
    }

    pub(super) fn read(&self) -> Result<Vec<Pushed>, StateError> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StateError(format!("`{}` cannot be read: {error}", self.0.display()))),
        };
        serde_json::from_str(&text).map_err(|error| StateError(format!("`{}` is damaged: {error}", self.0.display())))
    }

    /// Changes whenever something is pushed.
    pub(super) fn mark(&self) -> String {
        let metadata = std::fs::metadata(&self.0);
        let changed = metadata.and_then(|metadata| Ok((metadata.modified()?, metadata.len())));
        changed.map_or_else(|_| String::new(), |changed| format!("{changed:?}"))
    }

    fn push(&self, pushed: &Pushed) -> Result<(), StateError> {
        let mut all = self.read()?;
        all.insert(0, pushed.clone());
        all.truncate(MOST);
        let written = || -> std::io::Result<()> { super::files::replace(&self.0, &serde_json::to_vec(&all)?) };
        written().map_err(|error| StateError(format!("`{}` cannot be written: {error}", self.0.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_changed_the_signature_is_not_right_any_more() {
        let (key, other) = (ScriptKey::new(&Secret::new("a key of ours")), ScriptKey::new(&Secret::new("another one")));
        let files = vec![("web.rhai".to_owned(), "a".to_owned()), ("lib.rhai".to_owned(), "bc".to_owned())];
        let pushed = Pushed::signed(Utc::now(), "ann@ops".into(), files, &key);
        assert_eq!(pushed.objection(&key), None);
        assert!(pushed.objection(&other).is_some_and(|why| why.contains("AUTOSCALER_SCRIPT_KEY")));
        let kept: Pushed = serde_json::from_str(&serde_json::to_string(&pushed).unwrap()).unwrap();
        assert_eq!(kept.objection(&key), None, "kept and read again");
        let changes: [fn(&mut Pushed); 6] = [
            |pushed| pushed.at += chrono::TimeDelta::seconds(1),
            |pushed| pushed.by.push('!'),
            |pushed| pushed.files[1].1.push('!'),
            |pushed| pushed.files.swap(0, 1),
            |pushed| drop(pushed.files.pop()),
            |pushed| pushed.signature.replace_range(0..2, "zz"),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut changed = pushed.clone();
            change(&mut changed);
            assert!(changed.objection(&key).is_some(), "change {index}");
        }
        let unsigned = Pushed { signature: String::new(), ..pushed };
        assert_eq!(unsigned.objection(&key), Some("it has no signature"));
    }
}
