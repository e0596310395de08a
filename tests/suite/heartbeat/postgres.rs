//! PostgreSQL itself: with a password, with TLS, gone and back.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use autoscaler::heartbeat::Heartbeat;
use autoscaler::net::install_tls;

use crate::measure::processes::{Running, certificate, free_port, run};

const PASSWORD: &str = "p@ss:word/of-the-app";

/// The folder of initdb and postgres: Debian keeps it out of the search path.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|version| version.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|folder| folder.join("initdb").exists());
    found.sort();
    found.pop().unwrap_or_default()
}

/// A command as somebody who is not root, whom the server refuses.
fn as_somebody(mut command: Command) -> Command {
    if rustix::process::getuid().is_root() {
        let (user, group) = somebody();
        command.uid(user).gid(group);
    }
    command
}

/// Numbers of the user `nobody`, as /etc/passwd has them.
fn somebody() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn give_away(path: &Path) {
    if rustix::process::getuid().is_root() {
        let (user, group) = somebody();
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// A cluster in `folder`, with password and TLS.
fn initialise(folder: &Path) {
    give_away(folder);
    certificate(folder);
    std::fs::write(folder.join("password"), PASSWORD).unwrap();
    for name in ["cert.pem", "key.pem", "password"] {
        give_away(&folder.join(name));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.join(name), mode).unwrap();
    }
    let mut initdb = Command::new(programs().join("initdb"));
    initdb.current_dir(folder).args(["-D", "data", "-U", "app", "-A", "scram-sha-256", "--pwfile", "password"]);
    initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C"]);
    run(&mut as_somebody(initdb));
}

fn serve(folder: &Path, port: u16) -> Running {
    let mut server = Command::new(programs().join("postgres"));
    server.current_dir(folder).arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-F", "-k"]).arg(folder);
    server.arg("-p").arg(port.to_string()).arg("-c").arg("ssl=on");
    for (name, file) in [("ssl_cert_file", "cert.pem"), ("ssl_key_file", "key.pem")] {
        server.arg("-c").arg(format!("{name}={}", folder.join(file).display()));
    }
    let ready = || {
        let mut ready = Command::new(programs().join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        ready.status().is_ok_and(|status| status.success())
    };
    Running::start(&mut as_somebody(server), port, ready)
}

/// What is said of the database.
async fn said(heartbeat: &Heartbeat) -> Option<String> {
    heartbeat.beat().await.error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_asked_with_its_password_and_with_tls() {
    install_tls();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    initialise(folder.path());
    let server = serve(folder.path(), port);
    let at = |user: &str, name: &str, options: &str| {
        Heartbeat::new().database(&format!("postgres://{user}@localhost:{port}/{name}{options}")).unwrap()
    };
    let app = "app:p%40ss%3Aword%2Fof-the-app";
    // Heroku's certificates sign themselves; only who asks for it looks at them.
    for options in ["", "?sslmode=disable", "?sslmode=require&pgbouncer=true"] {
        assert_eq!(said(&at(app, "postgres", options)).await, None, "{options}");
    }
    let verified = said(&at(app, "postgres", "?sslmode=verify-full")).await.unwrap();
    assert!(verified.contains("certificate"), "{verified}");
    let wrong = said(&at("app:another", "postgres", "")).await.unwrap();
    assert_eq!(wrong, "the database is broken: password authentication failed for user \"app\"");
    let missing = said(&at(app, "none", "")).await.unwrap();
    assert_eq!(missing, "the database is broken: database \"none\" does not exist");
    // It goes, and comes back: so does the answer.
    let heartbeat = at(app, "postgres", "");
    assert_eq!(said(&heartbeat).await, None);
    server.stop();
    let gone = said(&heartbeat).await.unwrap();
    assert!(gone.starts_with("the database is broken: error connecting to server"), "{gone}");
    let _server = serve(folder.path(), port);
    assert_eq!(said(&heartbeat).await, None);
}
