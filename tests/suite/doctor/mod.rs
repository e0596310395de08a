//! Tests of doctor: each check against a server that is right and one that is wrong, as the built command.

mod command;
mod docs;
mod heroku;
mod outside;
mod support;
