//! Owns a Django project on disk, and its commands and servers in the environment of the wheel.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::wheel;
use crate::harness::eventually;
use crate::measure::processes::{Running, free_port};

/// A project in a folder of its own, which is removed with it.
pub struct Project {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// With these files, and `manage.py` and `site_wsgi.py` beside them.
    pub fn new(files: &[(&str, &str)], environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manage = "import os, sys\nfrom django.core.management import execute_from_command_line\n\
                      os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\nexecute_from_command_line(sys.argv)\n";
        let wsgi = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n";
        for (name, text) in [("manage.py", manage), ("site_wsgi.py", wsgi)].iter().chain(files) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { folder, environment }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `python ARGUMENTS`, with nothing but its own variables.
    pub fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(wheel::environment().join("bin/python"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path());
        command.env("XDG_STATE_HOME", self.path()).env("DJANGO_SETTINGS_MODULE", "settings");
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("DATA", self.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `manage.py ARGUMENTS` to its end, which must be good; what it printed.
    #[track_caller]
    pub fn manage(&self, arguments: &[&str]) -> String {
        let output = self.python(&[&["manage.py"], arguments].concat()).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
        said(&output.stdout)
    }

    /// Starts `manage.py ARGUMENTS`, with what it says in a file.
    pub fn start(&self, arguments: &[&str]) -> Managed {
        let log = self.path().join("manage.log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = self.python(&[&["manage.py"], arguments].concat());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Managed { child: command.spawn().unwrap(), log }
    }

    /// The project under gunicorn.
    pub fn serve(&self) -> Running {
        let port = free_port();
        let bind = format!("127.0.0.1:{port}");
        let mut command = self.python(&["-m", "gunicorn", "site_wsgi:application", "--workers", "2", "--bind", &bind]);
        Running::start(&mut command, port, || std::net::TcpStream::connect(&bind).is_ok())
    }
}

/// A command of the project that goes on.
pub struct Managed {
    child: Child,
    log: std::path::PathBuf,
}

impl Managed {
    /// What it has said so far.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a platform does; its exit code.
    #[track_caller]
    pub fn terminate(&mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut status = None;
        let ended = eventually(crate::harness::SOON, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "it did not end:\n{}", self.text());
        status.and_then(|status| status.code())
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        // Its worker ends with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
