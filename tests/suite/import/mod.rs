//! Tests of import: settings of heroku-web-autoscale as people have them, right and wrong, and the scripts that
//! they become. Every script is one that `check` accepts: the import itself asks it.

mod command;
mod docs;
mod documented;
mod forms;
mod literals;
mod support;
mod wrong;
