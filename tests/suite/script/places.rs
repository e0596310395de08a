//! Where things stand: every key, whatever way its map came to the call.

use autoscaler::script::MissingSecrets;
use autoscaler::settings::{Node, Value};

use super::bench::{Bench, files, script};

fn at(node: Option<&Node>) -> String {
    let place = node.expect("the key exists").place.clone().expect("it has a place");
    let file = place.file.rsplit('/').next().unwrap().to_owned();
    format!("{file}:{}:{}", place.line, place.column)
}

fn settings(bench: &Bench) -> &Node {
    bench.settings("p")
}

#[test]
fn maps_in_variables_joined_and_set_later() {
    let bench = script(
        r#"
let app = #{
    api: "x",
};
app.key = 1;
let more = app + #{
    max: 2,
};
pipeline("p", more + #{ own: #{ deep: 1 } });
"#,
    );
    let settings = settings(&bench);
    assert_eq!(at(settings.entry("api")), "test.rhai:3:5");
    assert_eq!(at(settings.entry("key")), "test.rhai:5:5");
    assert_eq!(at(settings.entry("max")), "test.rhai:7:5");
    assert_eq!(at(settings.entry("own")), "test.rhai:9:25");
    assert_eq!(at(settings.entry("own").unwrap().entry("deep")), "test.rhai:9:33");
}

#[test]
fn maps_returned_by_functions_and_picked_from_maps() {
    let bench = script(
        r#"
fn common(n) {
    let x = n;
    #{
        max: x,
    }
}
fn either(a) { if a { #{
    yes: 1 } } else { #{ no: 1 } } }
let all = #{ web: #{
    size: 3 } };
pipeline("p", common(3) + all.web + all["web"] + either(true));
"#,
    );
    let settings = settings(&bench);
    assert_eq!(at(settings.entry("max")), "test.rhai:5:9");
    assert_eq!(at(settings.entry("size")), "test.rhai:11:5");
    assert_eq!(at(settings.entry("yes")), "test.rhai:9:5");
}

#[test]
fn maps_handed_to_functions_are_found_by_their_only_key() {
    let bench = script(
        r#"
fn web(name, app) { pipeline(name, #{ scale: scale::custom(app, || 1, |n| ()) }); }
web("p", #{
    rare_key: 1 });
"#,
    );
    let Value::Stage(stage) = &settings(&bench).entry("scale").unwrap().value else { panic!() };
    assert_eq!(at(stage.settings.entry("rare_key")), "test.rhai:4:5");
    assert_eq!(stage.place.as_ref().unwrap().to_string().rsplit('/').next().unwrap(), "test.rhai:2:46");
}

#[test]
fn constructors_arrays_and_functions() {
    let bench = script(
        r#"pipeline("p", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 5 }, || 1).map(|v| v * 2),
    notify: [
        |event| (),
        notify::custom(#{
            loud: true }, |event| ()),
    ],
});
"#,
    );
    let settings = settings(&bench);
    let Value::Stage(measure) = &settings.entry("measure").unwrap().value else { panic!() };
    assert_eq!(at(measure.settings.entry("measurement_interval_in_seconds")), "test.rhai:2:33");
    assert_eq!(measure.map.len(), 1);
    assert_eq!(measure.map[0].place().column, 81);
    assert_eq!(measure.arguments.len(), 1);
    let Value::Array(items) = &settings.entry("notify").unwrap().value else { panic!() };
    assert_eq!(at(items.first()), "test.rhai:4:9");
    let Value::Stage(notify) = &items[1].value else { panic!() };
    assert_eq!(at(notify.settings.entry("loud")), "test.rhai:6:13");
    // Written order, not the alphabet's.
    let Value::Map(entries) = &settings.value else { panic!() };
    assert_eq!(entries.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["measure", "notify"]);
}

#[test]
fn declarations_before_a_script_error_are_kept() {
    let bench = script("pipeline(\"a\", #{});\npipeline(\"b\", #{});\nlet x = [];\nx[5];\npipeline(\"c\", #{});");
    assert_eq!(bench.report(), "test.rhai:4:3: error: element 5 of an array of 0 does not exist");
    assert_eq!(bench.loaded.declarations.len(), 2);
}

#[test]
fn places_in_imported_files_and_in_their_errors() {
    let bench = files(
        &[
            ("a.rhai", "import \"sub/lib\" as l;\npipeline(\"p\", l::settings() + #{ own: 1 });\nl::fails();"),
            ("sub/lib.rhai", "fn settings() {\n  #{ theirs: 1 }\n}\nfn fails() {\n  let x = 1;\n  x.nothing()\n}"),
        ],
        &[],
        MissingSecrets::Error,
    );
    let said = bench.report();
    assert!(said.starts_with("sub/lib.rhai:6:5: error: unknown function `nothing` for a whole number"), "{said}");
    let settings = &bench.loaded.declarations[0].settings;
    assert_eq!(at(settings.entry("own")), "a.rhai:2:34");
    assert_eq!(at(settings.entry("theirs")), "lib.rhai:2:6");
}

#[test]
fn wide_characters_count_as_one_column() {
    let bench = script("/* äöü€ */ pipeline(\"p\", #{ size: 1 });");
    let Value::Map(entries) = &bench.loaded.declarations[0].settings.value else { panic!("{}", bench.report()) };
    assert_eq!(at(Some(&entries[0].1)), "test.rhai:1:29");
}

#[test]
fn errors_deep_in_an_imported_file_have_their_place_there() {
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"lib\" as l;
                 fn helper(x) { x }
                 pipeline(\"named\", #{ decide: |m| l::outer(m.value) });
                 pipeline(\"closure\", #{ decide: |m| l::each(m.value) });
                 pipeline(\"made\", #{ decide: l::make() });",
            ),
            (
                "lib.rhai",
                "fn outer(x) {\n  helper(x)\n}\nfn helper(x) {\n  x.missing()\n}\nfn each(x) {\n  [x].map(|v| v.gone())\n}\n\
                 fn make() {\n  |m| helper(m.value)\n}",
            ),
        ],
        &[],
        MissingSecrets::Error,
    );
    for (name, place) in [("named", "lib.rhai:5:5)"), ("closure", "lib.rhai:8:17)"), ("made", "lib.rhai:5:5)")] {
        let said = super::bench::failure(bench.decide(name, 1.0));
        assert!(said.ends_with(place), "{name}: {said}");
    }
}
