//! The command `autoscaler`.

fn main() {}
