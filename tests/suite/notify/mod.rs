//! Tests of notify.
