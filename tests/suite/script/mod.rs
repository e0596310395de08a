//! Tests of script.

mod bench;
mod imports;
mod limits;
mod mutated;
mod places;
mod traps;
mod values;
mod wrong;
