//! Owns the making of a test from records.
