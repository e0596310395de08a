//! Owns an app of the fake API: its process types, their dynos and how they boot, its log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::drains::Drain;
use super::refusal::Refusal;

/// Dynos of an app over all its types, as Heroku allows at first.
const DYNOS_PER_APP: u32 = 100;

/// Lines of the log that are kept, as Heroku does.
const LOG_KEPT: usize = 1500;

/// Lines that a slow reader may be behind before it loses some.
const LOG_AHEAD: usize = 1024;

/// Sizes that there are, and how many dynos of one process type may have it.
const SIZES: &[(&str, u32)] = &[
    ("Eco", 1),
    ("Basic", 1),
    ("Standard-1X", u32::MAX),
    ("Standard-2X", u32::MAX),
    ("Performance-M", 10),
    ("Performance-L", 10),
];

/// An app.
#[derive(Debug)]
pub struct App {
    pub id: String,
    pub name: String,
    pub web_url: Option<String>,
    pub created: DateTime<Utc>,
    /// From the start of a dyno until it is up.
    pub boot: Duration,
    pub dyno_limit: u32,
    pub types: Vec<ProcessType>,
    /// Whether the key may not touch it.
    pub forbidden: bool,
    /// Whether Heroku's own autoscaling is on.
    pub autoscaled: bool,
    /// The names of its add-ons' services.
    pub addons: Vec<String>,
    pub log: VecDeque<Arc<str>>,
    pub tail: broadcast::Sender<Arc<str>>,
    /// Releases, oldest first: their status.
    pub releases: Vec<&'static str>,
    pub drains: Vec<Drain>,
}

/// A process type.
#[derive(Debug)]
pub struct ProcessType {
    pub id: String,
    pub name: String,
    pub size: &'static str,
    pub updated: DateTime<Utc>,
    pub dynos: Vec<Dyno>,
}

/// A dyno.
#[derive(Debug)]
pub struct Dyno {
    pub id: String,
    pub number: u32,
    pub created: DateTime<Utc>,
    pub started: Instant,
    /// Whether it came down again.
    pub crashed: bool,
}

/// What is asked of one process type.
#[derive(Debug)]
pub struct Update {
    pub process_type: String,
    pub quantity: Option<Quantity>,
    pub size: Option<String>,
}

/// A number of dynos, in all or more or less than now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    Absolute(u32),
    Relative(i64),
}

impl Quantity {
    /// Reads a number, or what the official CLI sends: `"3"`, `"+1"`, `"-1"`.
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        let invalid = || Refusal::invalid(format!("Invalid quantity: {value}."));
        match value {
            Value::Number(number) => {
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
                number.map(Self::Absolute).ok_or_else(invalid)
            }
            Value::String(text) if text.starts_with(['+', '-']) => {
                text.parse().map(Self::Relative).map_err(|_| invalid())
            }
            Value::String(text) => text.parse().map(Self::Absolute).map_err(|_| invalid()),
            _ => Err(invalid()),
        }
    }
}

impl App {
    pub fn new(name: &str, types: &[(&str, u32)], boot: Duration) -> Self {
        let mut app = Self {
            id: random_id(),
            name: name.into(),
            web_url: Some(format!("https://{name}-0123456789ab.herokuapp.com/")),
            created: Utc::now(),
            boot,
            dyno_limit: DYNOS_PER_APP,
            types: Vec::new(),
            forbidden: false,
            autoscaled: false,
            addons: Vec::new(),
            log: VecDeque::new(),
            tail: broadcast::channel(LOG_AHEAD).0,
            releases: vec!["succeeded"],
            drains: Vec::new(),
        };
        for (name, quantity) in types {
            let (id, updated) = (random_id(), Utc::now());
            app.types.push(ProcessType { id, name: (*name).into(), size: "Standard-1X", updated, dynos: Vec::new() });
            let last = app.types.len() - 1;
            app.types[last].resize(*quantity, true);
        }
        app
    }

    /// The process type of this name or id.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.types.iter().position(|known| known.name == name || known.id == name)
    }

    /// Carries out all of `updates`, or none.
    pub fn update(&mut self, updates: &[Update]) -> Result<Vec<Value>, Refusal> {
        let mut wanted = Vec::new();
        for update in updates {
            let name = &update.process_type;
            let at = self.find(name).ok_or_else(|| Refusal::not_found(&format!("process type ({name})")))?;
            let now = count(&self.types[at].dynos);
            let quantity = match update.quantity {
                None => now,
                Some(Quantity::Absolute(quantity)) => quantity,
                Some(Quantity::Relative(change)) => u32::try_from((i64::from(now) + change).max(0)).unwrap_or(u32::MAX),
            };
            let (size, most) = size(update.size.as_deref().unwrap_or(self.types[at].size))?;
            if quantity > most {
                let message = format!("Cannot update to more than {most} {size} size dynos per process type.");
                return Err(Refusal::above_limit(most, message));
            }
            wanted.push((at, quantity, size));
        }
        let others = (0..self.types.len()).filter(|at| !wanted.iter().any(|(changed, ..)| changed == at));
        let others = others.map(|at| count(&self.types[at].dynos)).fold(0, u32::saturating_add);
        let total = wanted.iter().map(|(_, quantity, _)| *quantity).fold(others, u32::saturating_add);
        if total > self.dyno_limit {
            let message = format!("Cannot update to more than {} dynos.", self.dyno_limit);
            return Err(Refusal::above_limit(self.dyno_limit, message));
        }
        for (at, quantity, size) in &wanted {
            let process = &mut self.types[*at];
            process.size = size;
            process.resize(*quantity, false);
            let text = format!("Scaled to {}@{quantity}:{size} by user {}", process.name, super::EMAIL);
            self.write("app", "api", &text);
        }
        Ok(wanted.iter().map(|(at, ..)| self.formation(&self.types[*at])).collect())
    }

    /// Writes a line into the log.
    pub fn write(&mut self, source: &str, process: &str, text: &str) {
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, false);
        let line: Arc<str> = Arc::from(format!("{time} {source}[{process}]: {text}"));
        if self.log.len() == LOG_KEPT {
            self.log.pop_front();
        }
        self.log.push_back(Arc::clone(&line));
        // Nobody may be reading.
        let _ = self.tail.send(line);
    }

    /// Ends every stream of the log.
    pub fn end_tails(&mut self) {
        self.tail = broadcast::channel(LOG_AHEAD).0;
    }

    /// A process type as the API shows it.
    pub fn formation(&self, process: &ProcessType) -> Value {
        json!({
            "app": { "id": self.id, "name": self.name },
            "command": format!("bin/{}", process.name),
            "created_at": time(self.created),
            "dyno_size": { "id": process.size, "name": process.size },
            "id": process.id,
            "quantity": count(&process.dynos),
            "size": process.size,
            "type": process.name,
            "updated_at": time(process.updated),
        })
    }

    /// Every dyno as the API shows it.
    pub fn dynos(&self) -> Vec<Value> {
        let of = |process: &ProcessType| {
            let dynos = process.dynos.iter().map(|dyno| {
                let state = match dyno {
                    Dyno { crashed: true, .. } => "crashed",
                    dyno if dyno.is_up(self.boot) => "up",
                    _ => "starting",
                };
                json!({
                    "app": { "id": self.id, "name": self.name },
                    "attach_url": null,
                    "command": format!("bin/{}", process.name),
                    "created_at": time(dyno.created),
                    "id": dyno.id,
                    "name": format!("{}.{}", process.name, dyno.number),
                    "release": { "id": self.id, "version": 1 },
                    "size": process.size,
                    "state": state,
                    "type": process.name,
                    "updated_at": time(dyno.created),
                })
            });
            dynos.collect::<Vec<_>>()
        };
        self.types.iter().flat_map(of).collect()
    }

    /// Every release as the API shows it.
    pub fn releases(&self) -> Vec<Value> {
        let release = |(index, status): (usize, &&str)| {
            json!({
                "app": { "id": self.id, "name": self.name },
                "created_at": time(self.created),
                "current": index + 1 == self.releases.len(),
                "description": "Deploy 01234567",
                "id": format!("{}-{}", self.id, index + 1),
                "output_stream_url": null,
                "slug": null,
                "status": status,
                "updated_at": time(self.created),
                "user": { "email": super::EMAIL, "id": self.id },
                "version": index + 1,
            })
        };
        self.releases.iter().enumerate().map(release).collect()
    }

    /// The app as the API shows it.
    pub fn info(&self) -> Value {
        json!({
            "acm": false,
            "archived_at": null,
            "build_stack": { "id": "heroku-24", "name": "heroku-24" },
            "created_at": time(self.created),
            "id": self.id,
            "maintenance": false,
            "name": self.name,
            "owner": { "email": super::EMAIL, "id": self.id },
            "region": { "id": "us", "name": "us" },
            "released_at": time(self.created),
            "space": null,
            "stack": { "id": "heroku-24", "name": "heroku-24" },
            "team": null,
            "updated_at": time(self.created),
            "web_url": self.web_url,
        })
    }
}

impl ProcessType {
    /// Starts dynos after the last, or stops the last ones. `up`: they are up at once.
    pub fn resize(&mut self, quantity: u32, up: bool) {
        let started = if up { None } else { Some(Instant::now()) };
        while count(&self.dynos) < quantity {
            let (id, number, created) = (random_id(), count(&self.dynos) + 1, Utc::now());
            // A boot that began before the process did is over.
            let started = started.unwrap_or_else(|| {
                let now = Instant::now();
                now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
            });
            self.dynos.push(Dyno { id, number, created, started, crashed: false });
        }
        self.dynos.truncate(quantity as usize);
        self.updated = Utc::now();
    }
}

impl Dyno {
    /// Whether it has booted, which takes `boot`.
    pub fn is_up(&self, boot: Duration) -> bool {
        self.started.elapsed() >= boot && !self.crashed
    }
}

fn count(dynos: &[Dyno]) -> u32 {
    u32::try_from(dynos.len()).unwrap_or(u32::MAX)
}

fn size(name: &str) -> Result<(&'static str, u32), Refusal> {
    let found = SIZES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = SIZES.iter().map(|(known, _)| *known).collect();
        Refusal::invalid(format!("No such size as {name}. Available dyno sizes are {}.", names.join(", ")))
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A random UUID.
pub fn random_id() -> String {
    crate::heroku::uuid()
}
