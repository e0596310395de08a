//! docs/django.md, executed: the project that it describes, its commands and its settings.

use std::path::Path;

use super::project::Project;

/// What a project has before it reads the page.
const SETTINGS: &str = r#"
import os
from pathlib import Path

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = []
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["DATA"]) / "db.sqlite3"}}
"#;

/// Asks both views, and says what they answer.
const ASK: &str = r#"
import django
django.setup()
from django.test import Client
for token in ("of-the-worker", "of-others"):
    for view in ("measurement", "queue-time"):
        print(Client().get(f"/heroku-autoscale/{view}/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code)
"#;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/django.md")).unwrap()
}

/// The blocks of `language`, one after the other.
fn blocks(language: &str) -> String {
    let page = page();
    let fence = format!("```{language}\n");
    let found: Vec<&str> =
        page.split(&fence).skip(1).map(|rest| rest.split("```").next().expect("a fence has an end")).collect();
    assert!(!found.is_empty(), "no block of {language}");
    found.concat()
}

#[test]
fn the_project_of_the_page_works() {
    let settings = format!("{SETTINGS}{}", blocks("python settings.py"));
    let urls = format!("urlpatterns = []\n{}", blocks("python urls.py"));
    let token = [("AUTOSCALER_TOKEN", "of-the-worker".to_owned())];
    let project = Project::new(&[("settings.py", &settings), ("urls.py", &urls)], &token);
    project.manage(&["check"]);
    project.manage(&["migrate", "--verbosity", "0"]);
    assert!(project.manage(&["makemigrations", "--check", "--dry-run"]).contains("No changes"));
    let output = project.python(&["-c", ASK]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "200\n200\n403\n403\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_commands_of_the_page_are_there() {
    let urls = format!("urlpatterns = []\n{}", blocks("python urls.py"));
    let settings = SETTINGS.replace("INSTALLED_APPS = []", "INSTALLED_APPS = ['autoscaler_django']");
    let project = Project::new(&[("settings.py", &settings), ("urls.py", &urls)], &[]);
    let help = project.manage(&["autoscaler", "--help"]);
    let commands = blocks("sh");
    let lines = commands.lines().filter_map(|line| line.strip_prefix("python manage.py autoscaler"));
    let flags: Vec<&str> = lines.flat_map(str::split_whitespace).filter(|word| word.starts_with("--")).collect();
    assert!(flags.len() >= 3, "{flags:?}");
    for flag in flags {
        assert!(help.contains(flag), "{flag} is none of:\n{help}");
    }
    assert!(project.manage(&["heroku_web_autoscaler", "--help"]).contains("AUTOSCALE_SETTINGS"));
}

#[test]
fn every_setting_of_the_page_is_read_and_every_one_that_is_read_is_on_the_page() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/django/src/autoscaler_django");
    let mut read = std::collections::BTreeSet::new();
    let mut folders = vec![source];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                let text = std::fs::read_to_string(path).unwrap();
                let names = text.split("getattr(settings, \"").skip(1).filter_map(|rest| rest.split('"').next());
                read.extend(names.map(str::to_owned));
            }
        }
    }
    let page = page();
    let table = page.split("## Settings").nth(1).expect("the table");
    let shown = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(shown.map(str::to_owned).collect::<std::collections::BTreeSet<_>>(), read);
}
