//! Owns the comparison of policies: families of them, each with one parameter that is tried out, on many loads
//! at several boots; which setting of each family is best by which rule; and the tables of docs/policies.md.
//! It simulates through `simulate::`, draws nothing and reads nothing but traces.

mod blocks;
mod choice;
mod corpus;
mod grid;
mod tables;

pub use blocks::{BLOCKS, fill, template};
pub use choice::{Chosen, LATE_PERCENT, cheapest, one_setting};
pub use corpus::{Corpus, Group, Load};
pub use grid::{Cell, Family, Grid, Member};
pub use tables::block;
