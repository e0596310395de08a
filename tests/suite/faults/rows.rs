//! Owns the rows of the matrix: a pipeline for each backend, with a door before the server that it needs.

use std::any::Any;
use std::sync::Arc;

use autoscaler::heroku::fake::{Fake, Fault as ApiFault};
use autoscaler::pipeline::PipelineSpec;

use super::fault::Fault;
use super::gate::{Door, Gate, Wire};
use crate::harness::{APP, AppServer, FakeHeroku, KEY, Manner};
use crate::measure::processes::{command, redis};
use crate::notify::smtp;
use crate::script::reaching::{Around, spec_of};

/// Which stage a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// While it works the load is low and the pipeline scales in.
    Measure,
    /// While it works the pipeline scales out.
    Count,
    /// The same.
    Scale,
    /// The pipeline scales out, whether it works or not.
    Notify,
}

/// A backend.
pub struct Row {
    pub title: &'static str,
    pub stage: Stage,
    wire: Wire,
    /// A whole answer of a type that nobody expects; empty where every answer will do.
    wrong: &'static str,
    /// The pipeline, by the host of the server behind the door.
    build: fn() -> Built,
}

/// A row that stands.
pub struct Built {
    gate: Gate,
    stages: Stages,
    /// Whether the platform is the one that the script names.
    live: bool,
    /// Where only calls that scale fail: the fake API, which does it.
    calls: Option<Fake>,
    /// What must not end before the cell.
    _servers: Vec<Box<dyn Any + Send>>,
}

#[derive(Default)]
struct Stages {
    measure: Option<String>,
    decide: Option<String>,
    scale: Option<String>,
    notify: Option<String>,
}

/// A cell about to run.
pub struct Cell {
    pub spec: Arc<PipelineSpec>,
    pub live: bool,
    built: Built,
    door: Option<Door>,
    call: Option<ApiFault>,
}

impl Cell {
    /// Lets the fault in.
    pub fn shut(&self) {
        if let (Some(fake), Some(call)) = (&self.built.calls, &self.call) {
            fake.forget_faults();
            fake.fail_next(UPDATE, call.clone());
        }
        if let Some(door) = &self.door {
            self.built.gate.set(door.clone());
        }
    }

    /// Ends it.
    pub fn open(&self) {
        if let Some(fake) = &self.built.calls {
            fake.forget_faults();
        }
        self.built.gate.set(Door::Open);
    }

    /// `text` without what differs from run to run.
    pub fn steady(&self, text: &str) -> String {
        text.replace(&self.built.gate.host(), "HOST")
    }
}

const UPDATE: &str = "PATCH /apps/{app}/formation/{process}";

impl Row {
    /// The cell of `fault`; `None` where this backend cannot meet it.
    pub fn cell(&self, fault: Fault) -> Option<Cell> {
        let built = (self.build)();
        let (door, call) = match &built.calls {
            Some(_) => (None, Some(call(fault)?)),
            None => (Some(fault.door(self.wire, self.wrong)?), None),
        };
        let stages = &built.stages;
        let text = format!(
            "pipeline(\"web\", #{{ min_dynos: 1, max_dynos: 9, measure: {}, decide: {}, scale: {}, notify: {} }});",
            stages.measure.as_deref().unwrap_or("|| 1000"),
            stages.decide.as_deref().unwrap_or(UP),
            stages.scale.as_deref().unwrap_or("#{ current: || 2, scale_to: |n| () }"),
            stages.notify.as_deref().unwrap_or("[]"),
        );
        let spec = spec_of(&text, &Around::default());
        let live = built.live;
        Some(Cell { spec, live, built, door, call })
    }
}

/// Out at every tick.
const UP: &str = "decide::consecutive_threshold(#{ min_measurement_value: 10, max_measurement_value: 500, \
                  number_of_fails_to_scale_up_after: 1 })";

/// In at every good measurement below `min`.
fn down(min: u32, max: u32) -> String {
    format!(
        "decide::consecutive_threshold(#{{ min_measurement_value: {min}, max_measurement_value: {max}, \
         number_of_passes_to_scale_down_after: 1 }})"
    )
}

/// `fault` as the fake API does it to one call.
fn call(fault: Fault) -> Option<ApiFault> {
    Some(match fault {
        // Nobody listening fails the reads too, which is another row.
        Fault::Refused => return None,
        Fault::Timeout => ApiFault::Hang,
        Fault::Reset => ApiFault::Reset,
        Fault::Status(status) => ApiFault::error(status, "fault", "No."),
        Fault::Garbage => ApiFault::garbage("what is this?"),
        Fault::HalfBody => ApiFault::HalfBody,
        Fault::WrongType => ApiFault::garbage("[]"),
    })
}

/// Every row of the page, in its order.
pub const ROWS: &[Row] = &[
    Row {
        title: "`measure::response_time`: the app",
        stage: Stage::Measure,
        wire: Wire::Http,
        wrong: "",
        build: || {
            measuring("ok", |host| {
                let url = format!("http://{host}/heroku-autoscale/measurement/");
                (format!("measure::response_time(#{{ measurement_url: \"{url}\" }})"), down(5000, 8000))
            })
        },
    },
    Row {
        title: "`measure::heroku_service_time`: the app",
        stage: Stage::Measure,
        wire: Wire::Http,
        wrong: "",
        build: service_time,
    },
    Row {
        title: "`measure::app_decision`: the app",
        stage: Stage::Measure,
        wire: Wire::Http,
        wrong: r#""many""#,
        build: || {
            measuring("5", |host| {
                (format!("measure::app_decision(#{{ measurement_url: \"http://{host}/m\" }})"), down(10, 20))
            })
        },
    },
    Row {
        title: "`measure::http`: any server",
        stage: Stage::Measure,
        wire: Wire::Http,
        wrong: r#"{"size":"many"}"#,
        build: || {
            measuring(r#"{"size":5}"#, |host| {
                (
                    format!("measure::http(#{{ request: http::get(\"http://{host}/q\"), value: \"size\" }})"),
                    down(10, 20),
                )
            })
        },
    },
    Row {
        title: "`measure::celery_redis_queue_size`: Redis",
        stage: Stage::Measure,
        wire: Wire::Redis,
        wrong: "+OK\r\n",
        build: || {
            asking(|url| (format!("measure::celery_redis_queue_size(#{{ redis_url: \"{url}\" }})"), down(10, 20), None))
        },
    },
    Row {
        title: "`measure::celery_redis_queue_latency`: Redis",
        stage: Stage::Measure,
        wire: Wire::Redis,
        wrong: "*1\r\n$6\r\nno job\r\n",
        build: || {
            asking(|url| {
                (format!("measure::celery_redis_queue_latency(#{{ redis_url: \"{url}\" }})"), down(10, 20), None)
            })
        },
    },
    Row {
        title: "`measure::request_queue_time`: Redis",
        stage: Stage::Measure,
        wire: Wire::Redis,
        wrong: "*1\r\n$9\r\nno report\r\n",
        build: || {
            asking(|url| {
                let report = r#"LPUSH autoscaler:queue-time "{\"at\":9e9,\"ms\":{\"5\":1}}""#;
                (format!("measure::request_queue_time(#{{ redis_url: \"{url}\" }})"), down(10, 20), Some(report))
            })
        },
    },
    Row {
        title: "`scale::heroku`: reading the count",
        stage: Stage::Count,
        wire: Wire::Http,
        wrong: r#"[{"type":"web","quantity":"2"}]"#,
        build: || heroku(false),
    },
    Row {
        title: "`scale::heroku`: the call that scales",
        stage: Stage::Scale,
        wire: Wire::Http,
        wrong: "",
        build: || heroku(true),
    },
    Row {
        title: "`scale::http`: reading the count",
        stage: Stage::Count,
        wire: Wire::Http,
        wrong: r#"{"replicas":"two"}"#,
        build: || described(true),
    },
    Row {
        title: "`scale::http`: the call that scales",
        stage: Stage::Scale,
        wire: Wire::Http,
        wrong: "",
        build: || described(false),
    },
    Row {
        title: "`notify::http`: any server",
        stage: Stage::Notify,
        wire: Wire::Http,
        wrong: "",
        build: || {
            let server = AppServer::start();
            let gate = Gate::before(server.port(), Wire::Http);
            let notify = format!("[notify::http(|event| http::post(\"http://{}/\").json(event.kind))]", gate.host());
            telling(gate, notify, Box::new(server))
        },
    },
    Row {
        title: "`notify::email`: a mail server",
        stage: Stage::Notify,
        wire: Wire::Smtp,
        wrong: "",
        build: || {
            let server = smtp::Server::start(&[]);
            let gate = Gate::before(server.port, Wire::Smtp);
            let notify = format!("[notify::email(#{{ to: [\"o@e.com\"], smtp_url: \"smtp://{}\" }})]", gate.host());
            telling(gate, notify, Box::new(server))
        },
    },
];

/// A measurement of an app that answers `body`.
fn measuring(body: &str, stages: impl Fn(&str) -> (String, String)) -> Built {
    let app = AppServer::start();
    app.set(Manner::ok(body));
    let gate = Gate::before(app.port(), Wire::Http);
    let (measure, decide) = stages(&gate.host());
    let stages = Stages { measure: Some(measure), decide: Some(decide), ..Stages::default() };
    Built { gate, stages, live: false, calls: None, _servers: vec![Box::new(app)] }
}

/// A measurement of a Redis, whose URL `stages` is given: how it is measured and judged, and what is put there before.
fn asking(stages: impl Fn(&str) -> (String, String, Option<&'static str>)) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let server = redis(folder.path(), &[]);
    let gate = Gate::before(server.port, Wire::Redis);
    let (measure, decide, before) = stages(&format!("redis://{}", gate.host()));
    if let Some(before) = before {
        command(server.port, before);
    }
    let stages = Stages { measure: Some(measure), decide: Some(decide), ..Stages::default() };
    Built { gate, stages, live: false, calls: None, _servers: vec![Box::new(server), Box::new(folder)] }
}

/// An app behind the door, whose router writes what each request took into the log of the fake API.
fn service_time() -> Built {
    let heroku = FakeHeroku::start();
    heroku.fake.set_dynos(APP, "web", 3);
    let (fake, listener) = (heroku.fake.clone(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let answer = move |headers: axum::http::HeaderMap| {
            fake.log_request(APP, headers["x-request-id"].to_str().unwrap(), "/measurement", 50, 200);
            async { "Beat" }
        };
        let routes = axum::Router::new().route("/measurement", axum::routing::get(answer));
        listener.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::select! {
                _ = stopped => {}
                served = async { axum::serve(listener, routes).await } => served.unwrap(),
            }
        });
    });
    let gate = Gate::before(port, Wire::Http);
    let measure = format!("measure::heroku_service_time(#{{ base_url: \"http://{}\" }})", gate.host());
    let scale = format!("scale::heroku(#{{ app_name: \"{APP}\", api_key: \"{KEY}\", api_url: \"{}\" }})", heroku.url());
    let stages =
        Stages { measure: Some(measure), decide: Some(down(100, 200)), scale: Some(scale), ..Stages::default() };
    Built { gate, stages, live: true, calls: None, _servers: vec![Box::new(heroku), Box::new(stop)] }
}

/// The fake Heroku, with the door before all of it or with faults of single calls.
fn heroku(calls: bool) -> Built {
    let heroku = FakeHeroku::start();
    let gate = Gate::before(heroku.port(), Wire::Http);
    let scale = format!(
        "scale::heroku(#{{ app_name: \"{}\", api_key: \"{}\", api_url: \"http://{}\" }})",
        APP,
        KEY,
        gate.host()
    );
    let stages = Stages { scale: Some(scale), ..Stages::default() };
    let fake = calls.then(|| heroku.fake.clone());
    Built { gate, stages, live: true, calls: fake, _servers: vec![Box::new(heroku)] }
}

/// A platform behind described requests, with the door before the one that reads or the one that scales.
fn described(reading: bool) -> Built {
    let server = AppServer::start();
    server.set(Manner::ok(r#"{"replicas":2}"#));
    let gate = Gate::before(server.port(), Wire::Http);
    let (open, shut) = (format!("127.0.0.1:{}", server.port()), gate.host());
    let (reads, scales) = if reading { (shut, open) } else { (open, shut) };
    let scale = format!(
        "scale::http(#{{ current: #{{ request: http::get(\"http://{reads}/\"), value: \"replicas\" }}, \
         scale_to: |n| http::put(\"http://{scales}/\").json(n) }})"
    );
    let stages = Stages { scale: Some(scale), ..Stages::default() };
    Built { gate, stages, live: true, calls: None, _servers: vec![Box::new(server)] }
}

fn telling(gate: Gate, notify: String, server: Box<dyn Any + Send>) -> Built {
    let stages = Stages { notify: Some(notify), ..Stages::default() };
    Built { gate, stages, live: false, calls: None, _servers: vec![server] }
}
