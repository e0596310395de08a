//! Limits that several pipelines share: what is left, who comes first, and ticks at the same instant.

use std::sync::Arc;

use autoscaler::pipeline::{Decided, Record};
use autoscaler::world::ScaleErrorKind;
use autoscaler::world::pretend::Pretend;
use chrono::TimeDelta;

use super::bench::{App, declared, guards, noon, specs, why};

/// Three pipelines that scale to what they measure, under `limits`.
fn script(limits: &str) -> String {
    let pipeline = |(name, min, max): (&str, u32, u32)| {
        format!(
            "pipeline(\"{name}\", #{{ measure: || 0, decide: |m| to(m.value), min_dynos: {min}, max_dynos: {max}, \
             start_from_zero: true, post_scale_wait_time_seconds: 0, scale: #{{ current: || 0, scale_to: |n| () }} }});\n"
        )
    };
    let pipelines = [("web", 2, 8), ("celery", 1, 10), ("mail", 0, 3)].map(pipeline).concat();
    format!("settings(#{{ limits: [{limits}] }});\n{pipelines}")
}

const BOTH: &str = "#{ pipelines: [\"web\", \"celery\"], max_dynos: 12 }";

struct Apps {
    web: App,
    celery: App,
}

impl Apps {
    async fn open(limits: &str, web: u32, celery: u32) -> Self {
        let pretend = Pretend::starting_at(noon());
        let specs = specs(&script(limits));
        pretend.platforms.set("web", web);
        pretend.platforms.set("celery", celery);
        let (web, celery) =
            (App::open(Arc::clone(&specs[0]), &pretend).await, App::open(Arc::clone(&specs[1]), &pretend).await);
        Self { web, celery }
    }

    /// Both in turn.
    async fn tick(&mut self, web: f64, celery: f64) -> (Arc<Record>, Arc<Record>) {
        (self.web.feed([web]).await, self.celery.feed([celery]).await)
    }

    fn dynos(&self) -> (u32, u32) {
        (self.web.pretend.platforms.dynos("web"), self.web.pretend.platforms.dynos("celery"))
    }
}

#[tokio::test]
async fn nobody_grows_beyond_what_is_left_and_the_reason_says_so() {
    let mut apps = Apps::open(BOTH, 3, 4).await;
    apps.tick(3.0, 4.0).await;
    let (web, celery) = apps.tick(8.0, 9.0).await;
    assert_eq!((web.decision, apps.dynos()), (Decided::Up, (8, 4)));
    assert_eq!(guards(&celery), ["policy", "limit"]);
    assert!(why(&celery).ends_with("the limit of 12 dynos for web and celery leaves 4 to celery"), "{}", why(&celery));
    // What web gives back is there for celery.
    apps.tick(5.0, 9.0).await;
    assert_eq!(apps.dynos(), (5, 7));
}

#[tokio::test]
async fn what_the_first_in_the_order_wants_is_left_to_it() {
    let order = "#{ pipelines: [\"web\", \"celery\"], max_dynos: 12, order: [\"celery\", \"web\"] }";
    let mut apps = Apps::open(order, 6, 6).await;
    // All is taken; celery wants 9.
    apps.tick(6.0, 9.0).await;
    assert_eq!(apps.dynos(), (6, 6));
    // Web shrinks and wants to grow again: what it gave is left to celery, which has not ticked since.
    apps.web.feed([3.0]).await;
    let web = apps.web.feed([6.0]).await;
    assert_eq!(apps.dynos(), (3, 6));
    assert!(guards(&web).contains(&"limit"), "{}", why(&web));
    apps.celery.feed([9.0]).await;
    assert_eq!(apps.dynos(), (3, 9));
    // Once celery is served nothing more is kept for it.
    apps.celery.feed([7.0]).await;
    apps.web.feed([6.0]).await;
    assert_eq!(apps.dynos(), (5, 7));
}

#[tokio::test]
async fn the_minimum_of_others_is_reserved() {
    let mut apps = Apps::open(BOTH, 0, 1).await;
    // Web is at 0 with a minimum of 2: celery gets 10 of the 12 and no more.
    apps.celery.feed([10.0]).await;
    assert_eq!(apps.dynos(), (0, 10));
    let tight = "#{ pipelines: [\"web\", \"celery\"], max_dynos: 9 }";
    let mut apps = Apps::open(tight, 0, 1).await;
    apps.celery.feed([10.0]).await;
    assert_eq!(apps.dynos(), (0, 7));
}

#[tokio::test]
async fn two_that_tick_at_once_never_get_the_same_dynos() {
    let mut apps = Apps::open(BOTH, 4, 4).await;
    apps.tick(4.0, 4.0).await;
    let Apps { web, celery } = &mut apps;
    tokio::join!(web.feed([8.0]), celery.feed([8.0]));
    let (web, celery) = apps.dynos();
    assert_eq!(web + celery, 12, "{web} and {celery}");
}

#[tokio::test]
async fn a_call_whose_outcome_is_unknown_counts_until_it_is_known() {
    let mut apps = Apps::open(BOTH, 4, 4).await;
    apps.tick(4.0, 4.0).await;
    apps.web.refuse(ScaleErrorKind::Unknown);
    apps.web.feed([8.0]).await;
    // It did not happen, as is found out later.
    apps.web.pretend.platforms.set("web", 4);
    apps.celery.feed([8.0]).await;
    assert_eq!(apps.dynos(), (4, 4));
    apps.web.feed([4.0]).await;
    apps.celery.feed([8.0]).await;
    assert_eq!(apps.dynos(), (4, 8));
}

#[tokio::test]
async fn a_refused_scale_gives_back_what_was_granted() {
    let mut apps = Apps::open(BOTH, 4, 4).await;
    apps.tick(4.0, 4.0).await;
    apps.web.refuse(ScaleErrorKind::Refused);
    apps.web.feed([8.0]).await;
    apps.celery.feed([8.0]).await;
    assert_eq!(apps.dynos(), (4, 8));
}

#[tokio::test]
async fn of_two_limits_the_tightest_counts() {
    let two = format!("{BOTH}, #{{ pipelines: [\"celery\", \"mail\"], max_dynos: 5 }}");
    let mut apps = Apps::open(&two, 2, 1).await;
    apps.web.pretend.world.ledger.note(&"mail".into(), 2);
    let (_, celery) = apps.tick(2.0, 9.0).await;
    assert_eq!(apps.dynos(), (2, 3));
    assert!(why(&celery).contains("5 dynos for celery and mail leaves 3"), "{}", why(&celery));
}

#[tokio::test]
async fn a_bound_by_the_clock_is_under_the_limit_too() {
    let text =
        script(BOTH).replace("min_dynos: 2, max_dynos: 8", "min_dynos: #{ \"0:00\": 2, \"13:00\": 8 }, max_dynos: 8");
    let text = text.replace("max_dynos: 12", "max_dynos: 9");
    let specs = specs(&text);
    let pretend = Pretend::starting_at(noon());
    let (mut web, mut celery) =
        (App::open(Arc::clone(&specs[0]), &pretend).await, App::open(Arc::clone(&specs[1]), &pretend).await);
    pretend.platforms.set("celery", 4);
    celery.feed([4.0]).await;
    web.now += TimeDelta::hours(2);
    let record = web.feed([2.0]).await;
    assert_eq!((pretend.platforms.dynos("web"), guards(&record).last()), (5, Some(&"limit")));
}

#[test]
fn what_is_wrong_with_a_limit_is_told_at_its_place() {
    for (limits, message, help) in [
        ("#{ pipelines: [\"web\", \"celry\"], max_dynos: 12 }", "`celry`, which is not declared", "`celery`"),
        (
            "#{ pipelines: [\"web\", \"celery\"], max_dynos: 2 }",
            "2 dynos, and its pipelines need at least 3",
            "min_dynos",
        ),
        ("#{ pipelines: [\"web\"], max_dynos: 4, order: [\"celery\"] }", "`order` names `celery`", ""),
        ("#{ pipelines: [\"web\", \"web\"], max_dynos: 9 }", "the pipeline `web` twice", ""),
        ("#{ pipelines: [\"web\"], max_dyno: 9 }", "unknown setting `max_dyno`", "`max_dynos`"),
        ("12", "a limit takes a map", ""),
    ] {
        let said = declared(&script(limits)).report.to_string();
        assert!(said.contains(message) && said.contains(help) && said.contains("test.rhai:1:"), "{limits}: {said}");
    }
    let said = declared("settings(#{ limits: 3 });").report.to_string();
    assert!(said.contains("`limits` takes an array of limits"), "{said}");
}
