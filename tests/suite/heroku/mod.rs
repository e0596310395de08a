//! Tests of heroku.
