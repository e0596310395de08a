//! What the command line lets scripts reach, and what `check` says they reach.

use std::process::Command;

use super::reaching::{Around, bounded, failure, measured_around, measuring, report, spec_of};
use serde_json::{Value as Json, json};

#[test]
fn hosts_that_are_named_are_refused_at_load() {
    let around = bounded(&["a.test", "*.b.test", "127.0.0.1:6379"], &[]);
    let refused = |host: &str| {
        format!(
            "error: scripts may not reach `{host}` here (`--allow-net` names `a.test`, `*.b.test`, `127.0.0.1:6379`; add \
             `{host}` to it)"
        )
    };
    for (code, at, host) in [
        ("http::get(\"https://c.test/x\")", "1:29", "c.test"),
        ("|| http::post(\"https://c.test/x\").send().status", "1:32", "c.test"),
        ("|| redis::server(\"redis://127.0.0.1:6380\").llen(\"x\")", "1:32", "127.0.0.1:6380"),
        ("|| helper()", "1:171", "c.test"),
    ] {
        let text = format!("{} fn helper() {{ http::get(\"http://c.test\").send().status }}", measuring(code));
        let said = report(&text, &around);
        assert!(said.contains(&refused(host)), "{code}: {said}");
        if !code.contains("helper") {
            assert!(said.contains(&format!("test.rhai:{at}: {}", refused(host))), "{code}: {said}");
        }
    }
    for code in [
        "|| http::get(\"https://a.test/x\").send().status",
        "|| http::get(\"https://deep.b.test:8443/x\").send().status",
        "|| redis::server(\"redis://127.0.0.1\").llen(\"x\")",
        // Native backends are the author's own settings.
        "measure::app_decision(#{ measurement_url: \"https://c.test/x\" })",
    ] {
        assert!(!report(&measuring(code), &around).contains("error"), "{code}: {}", report(&measuring(code), &around));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_put_together_are_refused_when_they_are_asked() {
    let around = bounded(&["a.test"], &[]);
    let spec = spec_of(&measuring("|| http::get(\"https://c\" + \".test/\").send().status"), &around);
    let measurement = crate::measure::support::measure(&spec.measure[0], &super::reaching::world()).await;
    let said = measurement.failure.unwrap().message;
    assert!(said.starts_with("scripts may not reach `c.test` here (`--allow-net` names `a.test`"), "{said}");
    assert!(said.ends_with("(test.rhai:1:32)"), "{said}");
    assert!(failure("|| http::get(\"http://127.0.0.1:1\").send().status").await.contains("connection refused"));
}

#[tokio::test]
async fn variables_are_bounded_everywhere() {
    let mut around = bounded(&[], &["APP_*", "PORT"]);
    around.variables = vec![("APP_KEY", "5".into()), ("HOME", "/root".into())];
    assert_eq!(measured_around("|| parse_int(env::get(\"APP_KEY\"))", &around).await.value, Some(5.0));
    for code in [
        "env::get(\"HOME\")",
        "env::get(\"HOME\", \"\")",
        "env::secret(\"HOME\")",
        "env::secret(\"HOME\", #{ hosts: \"a\" })",
    ] {
        let said = report(&measuring(&format!("|| {code}")), &around);
        let expected = "test.rhai:1:32: error: scripts may not read the environment variable `HOME` here (`--allow-env` names \
                        `APP_*`, `PORT`; add `HOME` to it)";
        assert_eq!(said, expected, "{code}");
        let said = report(&format!("let x = {code};"), &around);
        assert_eq!(said.matches("may not read").count(), 1, "{said}");
    }
    let computed = measured_around("|| env::get(\"HO\" + \"ME\")", &around).await.failure.unwrap().message;
    assert!(computed.starts_with("scripts may not read the environment variable `HOME` here"), "{computed}");
}

#[test]
fn what_a_function_reaches_is_found_without_running_it() {
    let around = Around { variables: vec![("K", "key-1234567890".into())], ..Around::default() };
    let reaches = |code: &str, rest: &str| {
        let spec = spec_of(&format!("{rest}\n{}", measuring(code)), &around);
        spec.measure[0].backend.reaches()
    };
    let bound = "let key = env::secret(\"K\", #{ hosts: [\"k.test\"] });";
    assert_eq!(reaches("|| 1", ""), Vec::<String>::new());
    assert_eq!(
        reaches("|| http::get(\"https://a.test/x\").header(\"Referer\", \"https://no.test/\").send().status", ""),
        ["a.test"]
    );
    assert_eq!(reaches("|| http::get(`https://a.test/${1}`).send().status", ""), ["a.test"]);
    assert_eq!(reaches("|| redis::server(\"redis://r.test\").llen(\"x\")", ""), ["r.test:6379"]);
    assert_eq!(
        reaches("|| http::get(base + \"/x\").send().status", "let base = \"https://a.test:8080\";"),
        ["a.test:8080"]
    );
    assert_eq!(reaches("|| \"see \" + page", "let page = \"https://a.test\";"), Vec::<String>::new());
    assert_eq!(
        reaches("|| one()", "fn one() { two() } fn two() { one(); http::get(\"https://a.test\").send().status }"),
        ["a.test"]
    );
    assert_eq!(reaches("|| [1].map(|x| http::get(\"https://a.test\").send().status)", ""), ["a.test"]);
    assert_eq!(
        reaches("|| http::get(url()).bearer(key).send().status", &format!("{bound} fn url() {{ \"\" }}")),
        ["k.test"]
    );
    assert_eq!(reaches("|| { let k = env::secret(\"K\", #{ hosts: [\"k.test\"] }); 1 }", ""), ["k.test"]);
    assert_eq!(reaches("|| request.send().status", "let request = http::get(\"https://a.test\");"), ["a.test"]);
}

#[test]
fn the_command_line_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("test.rhai");
    let text = "pipeline(\"web\", #{\n    measure: || http::get(\"https://a.test/x\").bearer(env::secret(\"KEY\")).send().json(),\n    \
                decide: |m| (),\n    scale: scale::heroku(#{ app_name: \"shop\", api_key: env::secret(\"API_KEY\") }),\n    \
                notify: [notify::command(#{ command: [\"./bin/tell\"] })],\n});\n";
    std::fs::write(&script, text).unwrap();
    let check = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
        command.arg("check").arg("--json").arg(&script).args(arguments);
        for name in ["AUTOSCALER_ALLOW_RUN", "AUTOSCALER_ALLOW_NET", "AUTOSCALER_ALLOW_ENV"] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code(), json)
    };
    let messages = |json: &Json| -> Vec<String> {
        let diagnostics = json["diagnostics"].as_array().unwrap();
        diagnostics.iter().map(|said| format!("{}: {}", said["line"], said["message"].as_str().unwrap())).collect()
    };
    let (code, json) = check(&[], &[]);
    assert_eq!(
        (code, messages(&json)),
        (Some(1), vec!["5: `notify::command` runs a program, which scripts may not do here".into()])
    );
    for (arguments, variables) in [
        (&["--allow-run", "--allow-net", "a.test", "--allow-env", "KEY,API_*"][..], &[][..]),
        (
            &[],
            &[
                ("AUTOSCALER_ALLOW_RUN", "true"),
                ("AUTOSCALER_ALLOW_NET", "*.test"),
                ("AUTOSCALER_ALLOW_ENV", "*KEY,KEY,API_KEY"),
            ],
        ),
    ] {
        let (code, json) = check(arguments, variables);
        assert_eq!((code, messages(&json)), (Some(0), Vec::new()), "{json}");
        let reaches =
            json!(["a.test", "https://api.heroku.com", "the process type web of shop", "the program `./bin/tell`"]);
        assert_eq!(json["pipelines"][0]["reaches"], reaches);
        assert_eq!(json["needs"], json!(["API_KEY", "KEY"]));
        assert_eq!(json["pipelines"][0]["notify"][0]["backend"], "CommandBackend");
    }
    let (code, json) = check(&["--allow-run", "--allow-net", "b.test", "--allow-env", "API_*"], &[]);
    assert_eq!(code, Some(1));
    let said = messages(&json);
    assert!(said.contains(&"2: scripts may not reach `a.test` here".to_owned()), "{said:?}");
    assert!(said.contains(&"2: scripts may not read the environment variable `KEY` here".to_owned()), "{said:?}");
    let wrong = Command::new(env!("CARGO_BIN_EXE_autoscaler"))
        .args(["check", "x.rhai", "--allow-net", "https://a.test"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert!(text.contains("`https://a.test` is a URL, and must be a host such as \"hooks.slack.com\""), "{text}");
}
