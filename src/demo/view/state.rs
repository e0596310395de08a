//! Owns what the view shows: a row per pipeline, the samples of the first one, the last lines. It draws
//! nothing, reads no clock, and keeps no more than a screen can hold.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::demo::feed::Scene;
use crate::demo::queue::Gauge;
use crate::demo::story::{self, Line};
use crate::demo::summary::Summary;
use crate::pipeline::{DynoCounts, Event, Outcome, Record};

/// Samples kept: one column each, more than a wide terminal has.
const SAMPLES: usize = 512;

/// Lines kept.
const LINES: usize = 64;

/// Pipelines shown; a demo has one, and a curious newcomer a few.
const ROWS: usize = 6;

/// One tick of the pipeline that is plotted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What was measured; `None` when that failed.
    pub value: Option<f64>,
    /// The thresholds then (minimum, maximum).
    pub thresholds: Option<(f64, f64)>,
    /// Dynos, as asked for.
    pub dynos: Option<u32>,
    /// Requests per second.
    pub load: f64,
}

/// A pipeline after its last tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub pipeline: Arc<str>,
    /// What was measured; `None` when that failed.
    pub value: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Its counts.
    pub dynos: DynoCounts,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct DemoState {
    pub(super) scene: Scene,
    pub(super) gauge: Gauge,
    pub(super) rows: Vec<Row>,
    pub(super) samples: VecDeque<Sample>,
    /// The newest last.
    pub(super) lines: VecDeque<Line>,
    summary: Summary,
}

impl DemoState {
    /// Nothing yet.
    #[must_use]
    pub fn new(scene: Scene) -> Self {
        let summary = Summary::new(scene.started);
        Self {
            scene,
            gauge: Gauge::default(),
            rows: Vec::new(),
            samples: VecDeque::new(),
            lines: VecDeque::new(),
            summary,
        }
    }

    /// Takes a tick's record, with the app and the thresholds as they are.
    pub fn push(&mut self, record: &Record, gauge: Gauge, thresholds: Option<(f64, f64)>) {
        self.gauge = gauge;
        self.summary.push(record);
        for line in story::of_record(record) {
            self.tell(line);
        }
        let measurement = record.measurements.first();
        let mut dynos = record.dynos;
        if record.outcome == Outcome::Scaled {
            dynos.current = dynos.desired;
        }
        let row = Row {
            pipeline: Arc::clone(&record.pipeline),
            value: measurement.and_then(|measurement| measurement.value),
            error: measurement.and_then(|measurement| measurement.error.clone()),
            dynos,
        };
        if self.rows.first().is_none_or(|first| first.pipeline == row.pipeline) {
            let sample = Sample { value: row.value, thresholds, dynos: dynos.current, load: gauge.load };
            keep(&mut self.samples, sample, SAMPLES);
        }
        if let Some(known) = self.rows.iter_mut().find(|known| known.pipeline == row.pipeline) {
            *known = row;
        } else if self.rows.len() < ROWS {
            self.rows.push(row);
        }
    }

    /// Takes an event that concerns the whole worker.
    pub fn note(&mut self, event: &Event) {
        self.tell(story::of_event(event));
    }

    /// Takes the app as it is between two ticks.
    pub fn observe(&mut self, gauge: Gauge) {
        self.gauge = gauge;
    }

    /// What is to be said at the end.
    #[must_use]
    pub fn into_summary(self) -> Summary {
        self.summary
    }

    fn tell(&mut self, line: Line) {
        keep(&mut self.lines, line, LINES);
    }
}

fn keep<T>(list: &mut VecDeque<T>, item: T, length: usize) {
    if list.len() == length {
        list.pop_front();
    }
    list.push_back(item);
}
