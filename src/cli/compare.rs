//! Owns the arguments of `compare`: which policies, on which loads, and where the tables go.

use std::path::PathBuf;

use clap::Args;

use super::values::switch;

/// `compare`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "What is compared and by which rules stands on the page that `--write` makes. All named policies take \
    long, most of it `kpa`, which looks every 2 s: `--policy` and `--days` make it shorter."
)]
pub struct CompareArgs {
    /// The policies [default: all that have a name]
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_POLICY", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// A folder of loads, files `seconds,rate_per_s` that end with .csv; made-up ones are always among them
    #[arg(long, value_name = "DIR", env = "AUTOSCALER_TRACES")]
    pub traces: Option<PathBuf>,
    /// Seconds until a new dyno takes load
    #[arg(long, value_name = "SECONDS,…", env = "AUTOSCALER_BOOT_SECONDS", value_delimiter = ',',
          default_values_t = [60, 300], value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub boot_seconds: Vec<u64>,
    /// Use the first N days of each load; of these 2, or half where there are fewer than 4, are not scored [default: 28]
    #[arg(long, value_name = "N", env = "AUTOSCALER_DAYS")]
    pub days: Option<f64>,
    /// The seed of everything that is drawn
    #[arg(long, value_name = "N", env = "AUTOSCALER_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Replace the tables between the marked comments of this file, made anew if it is not there, and the picture
    /// of the same name that ends with .svg
    #[arg(long, value_name = "FILE", env = "AUTOSCALER_WRITE")]
    pub write: Option<PathBuf>,
    /// Print JSON: an array of scores
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
}
