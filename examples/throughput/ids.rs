//! Which rows are looked up.

use crate::memory::Memory;
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use std::fmt;
use std::str::FromStr;

/// How often each row occurs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Distribution {
    /// All equally often.
    Uniform,
    /// The row of rank r in proportion to 1 / r^exponent, as words in a text and items in a shop do. Which row has which rank is random.
    Zipf(f64),
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let exponent = text.strip_prefix("zipf:").and_then(|exponent| exponent.parse().ok());
        let exponent = exponent.filter(|exponent: &f64| exponent.is_finite());
        match (text, exponent) {
            ("uniform", _) => Ok(Self::Uniform),
            (_, Some(exponent)) => Ok(Self::Zipf(exponent)),
            _ => Err("neither uniform nor zipf:EXPONENT".to_owned()),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => write!(f, "uniform"),
            Self::Zipf(exponent) => write!(f, "zipf:{exponent}"),
        }
    }
}

/// Ids in all sets together, at least: rows of 64 floats then come to 128 MB, more than the caches hold from one round to the next.
const AT_LEAST: usize = 1 << 19;

/// Sets of ids, of which each call takes the next.
pub(crate) struct Sets {
    ids: Memory<u32>,
    each: usize,
    count: usize,
}

impl Sets {
    /// `count` sets, or more if they are small, of `each` ids of `rows` rows.
    pub(crate) fn new(
        distribution: Distribution,
        rows: usize,
        each: usize,
        count: usize,
        huge: bool,
    ) -> std::io::Result<Self> {
        let count = count.max(AT_LEAST.div_ceil(each));
        let mut random = Xoshiro128PlusPlus::seed_from_u64((rows + each) as u64);
        let mut ids = Memory::zeros(each * count, huge)?;
        match distribution {
            Distribution::Uniform => ids.fill_with(|| below(&mut random, rows) as u32),
            Distribution::Zipf(exponent) => {
                let mut below_rank = Vec::with_capacity(rows);
                let total = (1..=rows).fold(0.0, |sum, rank| {
                    let sum = sum + (rank as f64).powf(-exponent);
                    below_rank.push(sum);
                    sum
                });
                let mut row_of_rank: Vec<u32> = (0..rows as u32).collect();
                for i in (1..rows).rev() {
                    row_of_rank.swap(i, below(&mut random, i + 1));
                }
                ids.fill_with(|| {
                    let share = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                    let rank = below_rank.partition_point(|&sum| sum <= share * total);
                    row_of_rank[rank.min(rows - 1)]
                });
            }
        }
        Ok(Self { ids, each, count })
    }

    /// The set for this call.
    pub(crate) fn get(&self, call: usize) -> &[u32] {
        &self.ids[call % self.count * self.each..][..self.each]
    }
}

/// In `0..bound`, with a bias that no timing shows.
fn below(random: &mut Xoshiro128PlusPlus, bound: usize) -> usize {
    ((u128::from(random.next_u64()) * bound as u128) >> 64) as usize
}
