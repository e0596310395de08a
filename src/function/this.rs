//! Owns `this`: what the functions of a stage remember from call to call. It is a map of JSON-like values, held
//! as whoever called last left it, and turned into JSON when somebody reads it.

use std::any::Any;
use std::fmt;
use std::ops::Index;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// `this` in the form of a script language.
pub trait Spoken: Any + Send + Sync {
    /// The same as JSON.
    fn json(&self) -> Json;
}

/// What a stage remembers: never changed, replaced as a whole. A copy is the same one.
#[derive(Clone)]
pub struct This(Arc<Held>);

struct Held {
    spoken: Option<Box<dyn Spoken>>,
    json: OnceLock<Json>,
}

impl This {
    /// As a script left it.
    #[must_use]
    pub fn spoken(value: impl Spoken) -> Self {
        Self(Arc::new(Held { spoken: Some(Box::new(value)), json: OnceLock::new() }))
    }

    /// As a script left it, if one did.
    #[must_use]
    pub fn as_spoken<T: Spoken>(&self) -> Option<&T> {
        let spoken: &dyn Any = self.0.spoken.as_deref()?;
        spoken.downcast_ref()
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> &Json {
        self.0.json.get_or_init(|| self.0.spoken.as_ref().map_or(Json::Null, |spoken| spoken.json()))
    }

    /// Whether it is a map with something in it. What a script left is: an empty one is not kept.
    #[must_use]
    pub fn holds_something(&self) -> bool {
        self.0.spoken.is_some() || self.json().as_object().is_some_and(|map| !map.is_empty())
    }

    /// Whether it is a map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        self.0.spoken.is_some() || self.json().is_object()
    }
}

impl Default for This {
    fn default() -> Self {
        Json::Object(Map::new()).into()
    }
}

impl From<Json> for This {
    fn from(json: Json) -> Self {
        Self(Arc::new(Held { spoken: None, json: OnceLock::from(json) }))
    }
}

impl From<&Json> for This {
    fn from(json: &Json) -> Self {
        json.clone().into()
    }
}

impl fmt::Debug for This {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json().fmt(f)
    }
}

impl PartialEq for This {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.json() == other.json()
    }
}

impl PartialEq<Json> for This {
    fn eq(&self, other: &Json) -> bool {
        self.json() == other
    }
}

impl Index<&str> for This {
    type Output = Json;

    fn index(&self, key: &str) -> &Json {
        &self.json()[key]
    }
}

impl Serialize for This {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for This {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::json;

    use super::*;

    struct Counted(Arc<AtomicU32>);

    impl Spoken for Counted {
        fn json(&self) -> Json {
            self.0.fetch_add(1, Ordering::Relaxed);
            json!({ "calls": 3 })
        }
    }

    #[test]
    fn it_is_turned_into_json_once_and_only_when_it_is_read() {
        let times = Arc::new(AtomicU32::new(0));
        let this = This::spoken(Counted(Arc::clone(&times)));
        let copy = this.clone();
        assert!(copy.holds_something() && copy.is_map() && copy.as_spoken::<Counted>().is_some());
        assert_eq!(times.load(Ordering::Relaxed), 0);
        assert_eq!((&this["calls"], serde_json::to_string(&copy).unwrap()), (&json!(3), r#"{"calls":3}"#.to_owned()));
        assert_eq!(times.load(Ordering::Relaxed), 1);
        assert_eq!((this.json(), &this), (&json!({ "calls": 3 }), &This::from(json!({ "calls": 3 }))));
        assert_eq!(serde_json::from_str::<This>("{}").unwrap(), This::default());
        assert!(!This::default().holds_something() && This::default().is_map() && !This::from(Json::Null).is_map());
    }
}
