//! The snippets of docs/heartbeat.md, each in a server of its language: fine, broken, and out of the way of the rest.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::ask;
use crate::measure::processes::{Running, free_port, python};

/// The block of docs/heartbeat.md in this language.
fn snippet(language: &str) -> String {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/heartbeat.md")).unwrap();
    let begin = format!("```{language}\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/heartbeat.md has no {language} block"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Serves `text`, a file called `name`, with `command`; its `touch` fails where there is a file `broken`.
fn serve(name: &str, text: &str, command: impl FnOnce(u16) -> Command) {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    std::fs::write(folder.path().join(name), text).unwrap();
    let mut command = command(port);
    command.current_dir(folder.path());
    let _server = Running::start(&mut command, port, || TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(super::text(port), (200, "Beat".into()));
    assert_eq!(ask(port, "/", "").2, "the app");
    std::fs::write(folder.path().join("broken"), "").unwrap();
    assert_eq!(super::text(port), (500, "it is broken".into()));
    std::fs::remove_file(folder.path().join("broken")).unwrap();
    assert_eq!(super::text(port).0, 200);
}

const PYTHON_TOUCH: &str =
    "\nimport os\n\ndef check():\n    if os.path.exists('broken'):\n        raise OSError('it is broken')\n";

#[test]
fn wsgi() {
    let text = format!(
        "{}{PYTHON_TOUCH}\n\ndef site(environ, start_response):\n    start_response('200 OK', [])\n    return [b'the app']\n\n\napplication = heartbeat(site, check)\n",
        snippet("python wsgi")
    );
    serve("app.py", &text, |port| {
        let mut gunicorn = Command::new(python("gunicorn"));
        gunicorn.args(["app:application", "--workers", "1", "--bind", &format!("127.0.0.1:{port}")]);
        gunicorn
    });
}

#[test]
fn asgi() {
    let text = format!(
        "{}{PYTHON_TOUCH}\n\nasync def touch():\n    check()\n\n\nasync def site(scope, receive, send):\n    assert scope['type'] == 'http'\n    \
         await send({{'type': 'http.response.start', 'status': 200, 'headers': []}})\n    \
         await send({{'type': 'http.response.body', 'body': b'the app'}})\n\n\napplication = heartbeat(site, touch)\n",
        snippet("python asgi")
    );
    serve("app.py", &text, |port| {
        let mut uvicorn = Command::new(python("python"));
        uvicorn.args(["-m", "uvicorn", "app:application", "--lifespan", "off", "--port", &port.to_string()]);
        uvicorn
    });
}

#[test]
fn express() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-env/npm/node_modules");
    if Command::new("node").arg("--version").output().is_err() {
        println!("Node.js is not on this machine: left out");
        return;
    }
    assert!(modules.join("express").exists(), "express is missing: `tests/run setup` installs it");
    let text = format!(
        "const express = require('express');\nconst fs = require('fs');\nconst app = express();\n\
         const touch = async () => {{ if (fs.existsSync('broken')) throw new Error('it is broken'); }};\n{}\n\
         app.get('/', (request, response) => response.send('the app'));\n\
         app.listen(Number(process.env.PORT), '127.0.0.1');\n",
        snippet("js express")
    );
    serve("app.js", &text, |port| {
        let mut node = Command::new("node");
        node.arg("app.js").env("NODE_PATH", &modules).env("PORT", port.to_string());
        node
    });
}

#[test]
fn rack() {
    if Command::new("ruby").arg("--version").output().is_err() {
        println!("Ruby is not on this machine: left out");
        return;
    }
    // Rack is a protocol: an app is what answers `call`.
    let text = format!(
        "{}\nsite = ->(env) {{ [200, {{}}, ['the app']] }}\nbroken = false\n\
         app = Heartbeat.new(site) {{ raise 'it is broken' if broken }}\nask = ->(path) {{ app.call('PATH_INFO' => path) }}\n\
         good = ask.call('/heroku-autoscale/measurement/')\nraise good.inspect unless good[0] == 200 && good[2] == [\"Beat\\n\"]\n\
         raise 'cached' unless good[1]['cache-control'] == 'no-store'\n\
         raise 'app' unless ask.call('/')[2] == ['the app']\nbroken = true\n\
         bad = ask.call('/heroku-autoscale/measurement/')\nraise bad.inspect unless bad[0] == 500 && bad[2] == [\"it is broken\\n\"]\n",
        snippet("ruby rack")
    );
    crate::measure::processes::run(Command::new("ruby").args(["-e", &text]));
}
