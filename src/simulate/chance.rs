//! Owns chance: one seeded stream of random numbers, the same on every machine. Nothing else in the
//! simulation draws.

use rand_distr::{Distribution, Exp1, LogNormal, Poisson, StandardNormal, StandardUniform};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

/// Above this a count is drawn from the normal distribution that it hardly differs from.
const MANY: f64 = 1_000.0;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Chance(Pcg64Mcg);

impl Chance {
    /// The stream of `seed`; streams of different `purpose` have nothing to do with each other.
    #[must_use]
    pub fn seeded(seed: u64, purpose: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    /// Whether something of `probability` happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        // Nothing is drawn where nothing can happen: a fault that is off changes no other draw.
        probability > 0.0 && self.uniform() < probability
    }

    /// Exponential of mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// Normal of mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Lognormal of mean 1 whose logarithm has the deviation `sigma`.
    pub fn lognormal(&mut self, sigma: f64) -> f64 {
        let law = LogNormal::new(-sigma * sigma / 2.0, sigma);
        law.map_or(1.0, |law| law.sample(&mut self.0))
    }

    /// How many events of a Poisson process of `mean` events there were.
    pub fn count(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean > MANY {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        Poisson::new(mean).map_or(0.0, |law| law.sample(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_stream_and_another_purpose_another() {
        let draw = |seed, purpose| {
            let mut chance = Chance::seeded(seed, purpose);
            [chance.uniform(), chance.exponential(), chance.count(12.0)]
        };
        assert_eq!(draw(1, 1).map(f64::to_bits), draw(1, 1).map(f64::to_bits));
        assert_ne!(draw(1, 1).map(f64::to_bits), draw(1, 2).map(f64::to_bits));
        assert_ne!(draw(1, 1).map(f64::to_bits), draw(2, 1).map(f64::to_bits));
    }

    #[test]
    fn counts_have_the_mean_and_the_variance_of_a_poisson_process() {
        for mean in [0.5, 20.0, 5_000.0] {
            let mut chance = Chance::seeded(7, 0);
            let counts: Vec<f64> = (0..20_000).map(|_| chance.count(mean)).collect();
            let average = counts.iter().sum::<f64>() / 20_000.0;
            let variance = counts.iter().map(|count| (count - average).powi(2)).sum::<f64>() / 20_000.0;
            assert!((average / mean - 1.0).abs() < 0.03, "{average} of {mean}");
            assert!((variance / mean - 1.0).abs() < 0.05, "{variance} of {mean}");
        }
    }
}
