//! Every store alike: what goes in comes out, also after a restart; who may write; what is forgotten.

use std::sync::Arc;
use std::time::Instant;

use autoscaler::levers::{Levers, PipelineLevers, Pull};
use autoscaler::pipeline::{ControlState, History, Record};
use autoscaler::state::{Batch, Fence, InsteadOf, Intent, Keep, Kept, KeptGeneration, Query, State};
use chrono::Utc;

use super::{Place, at, batch, kept, record};
use crate::harness::SOON;

fn ticks(records: &[Arc<Record>]) -> Vec<u64> {
    records.iter().map(|record| record.tick).collect()
}

async fn fill(state: &dyn State, pipeline: &str, ticks: std::ops::RangeInclusive<u64>) {
    let name: Arc<str> = pipeline.into();
    for tick in ticks {
        state.commit(&name, state.fence(), batch(pipeline, tick)).await.unwrap();
        // Faster than any worker: what waits is bounded.
        if tick % 500 == 0 {
            state.flush().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_kept_comes_back_after_a_restart_to_the_last_bit() {
    for place in Place::lasting() {
        // The history grows, moves on, and begins anew: each time only the difference is written.
        for until in [3, 9, 30, 31] {
            let state = place.open().await;
            fill(&*state, "web", 1..=until).await;
            assert_eq!(state.load("web").await.unwrap(), Some(kept(until)), "in the same process");
            drop(state);
            let state = place.open().await;
            assert_eq!(state.load("web").await.unwrap(), Some(kept(until)), "after a restart at tick {until}");
            assert_eq!(state.load("celery").await.unwrap(), None);
            let anew = Kept { history: Arc::new(History::default()), ..kept(until) };
            let batch = Batch { kept: anew.clone(), intent: None, record: None };
            state.commit(&"web".into(), state.fence(), batch).await.unwrap();
            assert_eq!(state.load("web").await.unwrap(), Some(anew));
        }
    }
}

#[tokio::test]
async fn records_are_found_by_pipeline_time_and_number_packed_or_not() {
    for place in Place::lasting() {
        let state = place.open().await;
        fill(&*state, "web", 1..=300).await;
        fill(&*state, "celery", 1..=3).await;
        drop(state);
        // 300 are more than what is packed together, and some are not packed.
        let reader = place.read().await;
        let asked = |query: Query| {
            let reader = &reader;
            async move { reader.records(&query).await.unwrap() }
        };
        let web = || Query { pipeline: Some("web".into()), ..Query::default() };
        let all = asked(web()).await;
        assert_eq!(ticks(&all), (1..=300).collect::<Vec<u64>>());
        assert_eq!(*all[46], *record("web", 47), "not a bit is lost");
        let some = asked(Query { since: Some(at(3000)), until: Some(at(3090)), ..web() }).await;
        assert_eq!(ticks(&some), [100, 101, 102]);
        assert_eq!(ticks(&asked(Query::newest("web", 150)).await), (151..=300).collect::<Vec<u64>>());
        assert_eq!(ticks(&asked(Query { until: Some(at(61)), newest: Some(1), ..web() }).await), [2]);
        assert_eq!(asked(Query::default()).await.len(), 303);
        let both = asked(Query { until: Some(at(61)), ..Query::default() }).await;
        let names: Vec<&str> = both.iter().map(|record| &*record.pipeline).collect();
        assert_eq!(names, ["celery", "web", "celery", "web"], "in the order of time");
    }
}

#[tokio::test]
async fn a_reader_sees_what_the_worker_wrote_while_it_runs() {
    for place in Place::lasting() {
        let state = place.open().await;
        fill(&*state, "web", 1..=2).await;
        state.flush().await.unwrap();
        let reader = place.read().await;
        assert_eq!(ticks(&reader.records(&Query::newest("web", 9)).await.unwrap()), [1, 2]);
        fill(&*state, "web", 3..=3).await;
        state.flush().await.unwrap();
        assert_eq!(ticks(&reader.records(&Query::newest("web", 9)).await.unwrap()), [1, 2, 3]);
        let refused = reader.commit(&"web".into(), Fence(99), batch("web", 4)).await.unwrap_err();
        assert!(refused.to_string().contains("only read"), "{refused}");
    }
}

#[tokio::test]
async fn an_intent_is_in_the_file_when_commit_returns() {
    for place in Place::lasting() {
        let state = place.open().await;
        let intent = Intent { from: 1, to: 2 };
        let control = ControlState { open: Some(intent), ..ControlState::default() };
        let kept = Kept { control, ..Kept::default() };
        let batch = Batch { kept: kept.clone(), intent: Some(intent), record: None };
        state.commit(&"web".into(), state.fence(), batch).await.unwrap();
        // Nothing was flushed: another process reads what is there now.
        let reader = place.read().await;
        assert_eq!(reader.load("web").await.unwrap(), Some(kept));
    }
}

#[tokio::test]
async fn each_worker_that_takes_over_has_a_larger_fence_and_an_old_one_is_refused() {
    for place in Place::lasting() {
        let first = place.open().await;
        let fence = first.fence();
        drop(first);
        let second = place.open().await;
        assert!(second.fence() > fence);
        let refused = second.commit(&"web".into(), fence, batch("web", 1)).await.unwrap_err();
        assert!(refused.to_string().contains("another worker has taken the state over"), "{refused}");
        assert!(!second.is_taken_over());
        // A lock that is no lock (a network file system): the fence in the file keeps the first one from writing.
        place.unlock();
        let third = place.open().await;
        fill(&*third, "web", 1..=1).await;
        third.flush().await.unwrap();
        second.commit(&"web".into(), second.fence(), batch("web", 7)).await.unwrap();
        assert!(second.flush().await.is_err() && second.is_taken_over());
        assert!(second.commit(&"web".into(), second.fence(), batch("web", 8)).await.is_err());
        assert_eq!(third.load("web").await.unwrap(), Some(kept(1)));
    }
}

#[tokio::test]
async fn levers_and_generations_come_back() {
    for place in Place::lasting() {
        let state = place.open().await;
        assert_eq!(state.levers().await.unwrap(), Levers::default());
        let pull = Pull { by: "ann@ops".into(), at: at(0), until: None, reason: Some("load test".into()) };
        let all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
        let levers = Levers { all, ..Levers::default() };
        state.keep_levers(&levers).await.unwrap();
        let generation = |id: u64| KeptGeneration {
            unit: "web".into(),
            id,
            at: at(i64::try_from(id).unwrap()),
            hash: format!("{id:064x}"),
            revision: id.is_multiple_of(2).then(|| "abc".into()),
            files: vec![("web.rhai".into(), format!("// {id}")), ("lib/a.rhai".into(), "fn a() {}".into())],
            instead_of: None,
        };
        for id in 1..=12 {
            state.keep_generation(generation(id)).await.unwrap();
        }
        // One that is gone back to is kept in its place, with why.
        let instead_of = Some(InsteadOf { id: 12, hash: "b".repeat(64), why: "by ann@ops".into() });
        let back = KeptGeneration { instead_of, ..generation(11) };
        state.keep_generation(back.clone()).await.unwrap();
        drop(state);
        let state = place.open().await;
        assert_eq!(state.levers().await.unwrap(), levers);
        let kept = state.generations("web").await.unwrap();
        let mut expected: Vec<_> = (3..=12).rev().map(generation).collect();
        expected[1] = back;
        assert_eq!(kept, expected, "the newest ten");
        assert_eq!(state.generations("celery").await.unwrap(), []);
        assert_eq!(state.units().await.unwrap(), ["web"]);
    }
}

#[tokio::test]
async fn old_records_are_forgotten_and_what_is_remembered_stays() {
    for place in Place::lasting() {
        let state = place.open().await;
        fill(&*state, "web", 1..=200).await;
        drop(state);
        // Everything but the last 100 ticks is too old; what is packed with one that is not goes with it.
        let age = (Utc::now() - at(3000)).to_std().unwrap();
        let state = place.open_keeping(Keep { age, ..Keep::default() }).await;
        let mut left = Vec::new();
        let deadline = Instant::now() + SOON;
        while (left.is_empty() || left.len() == 200) && Instant::now() < deadline {
            left = ticks(&state.records(&Query::newest("web", 1000)).await.unwrap());
        }
        let (first, last) = (left[0], left[left.len() - 1]);
        assert!((30..=100).contains(&first) && last == 200, "{left:?}");
        assert_eq!(state.load("web").await.unwrap(), Some(kept(200)));
    }
}

#[tokio::test]
async fn the_oldest_records_go_when_all_together_are_too_large() {
    for place in Place::lasting() {
        let state = place.open().await;
        fill(&*state, "web", 1..=3_000).await;
        drop(state);
        // All together take nearly three times as much.
        let bytes = if place.server.is_some() { 30_000 } else { 100_000 };
        let keep = Keep { bytes, ..Keep::default() };
        let state = place.open_keeping(keep).await;
        let oldest = Query { until: Some(at(15_000)), ..Query::default() };
        let deadline = Instant::now() + SOON;
        while !state.records(&oldest).await.unwrap().is_empty() && Instant::now() < deadline {}
        assert!(state.records(&oldest).await.unwrap().is_empty());
        assert_eq!(ticks(&state.records(&Query::newest("web", 2)).await.unwrap()), [2_999, 3_000]);
    }
}

#[tokio::test]
async fn whatever_keeps_it_the_same_comes_out() {
    for place in Place::all() {
        let (state, what) = (place.open().await, place.what);
        assert_eq!(state.load("web").await.unwrap(), None, "{what}");
        fill(&*state, "web", 1..=100).await;
        fill(&*state, "celery", 1..=3).await;
        assert_eq!(state.load("web").await.unwrap(), Some(kept(100)), "{what}");
        let asked = async |query: Query| ticks(&state.records(&query).await.unwrap());
        let web = || Query { pipeline: Some("web".into()), ..Query::default() };
        assert_eq!(asked(web()).await, (1..=100).collect::<Vec<u64>>(), "{what}");
        assert_eq!(asked(Query::newest("web", 70)).await, (31..=100).collect::<Vec<u64>>(), "{what}");
        assert_eq!(asked(Query { since: Some(at(600)), until: Some(at(660)), ..web() }).await, [20, 21], "{what}");
        assert_eq!(asked(Query { until: Some(at(61)), ..Query::default() }).await, [1, 1, 2, 2], "{what}");
        let mut levers = Levers::default();
        levers.pipelines.insert("web".into(), PipelineLevers::default());
        state.keep_levers(&levers).await.unwrap();
        assert_eq!(state.levers().await.unwrap(), levers, "{what}");
        let generation = |id: u64| {
            let files = vec![("web.rhai".into(), format!("// {id}"))];
            KeptGeneration {
                unit: "web".into(),
                id,
                at: at(0),
                hash: "a".repeat(64),
                revision: None,
                files,
                instead_of: None,
            }
        };
        for id in 1..=12 {
            state.keep_generation(generation(id)).await.unwrap();
        }
        let kept = state.generations("web").await.unwrap();
        assert_eq!(kept, (3..=12).rev().map(generation).collect::<Vec<_>>(), "{what}");
        state.flush().await.unwrap();
        assert!(!state.is_degraded() && !state.is_taken_over(), "{what}");
    }
}
