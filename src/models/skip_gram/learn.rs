//! Steps on the pairs whose rows lie in two parts of the tables.

use super::memory::Extents;
use super::settings::{Method, Settings};
use crate::kernels::{Negatives, SubwordRows, WordBags, learn_bags, learn_groups, learn_pairs};
use crate::random::mix;
use crate::table::Line;

/// The task that learns from the pairs of one part of the inputs and one of the outputs.
#[derive(Debug)]
pub(super) struct Learn<'t> {
    pub(super) settings: Settings,
    pub(super) extents: Extents,
    pub(super) schedule: Schedule,
    pub(super) subwords: SubwordRows<'t>,
    /// The number of the two parts.
    pub(super) cell: usize,
    pub(super) input: &'t mut [Line],
    pub(super) output: &'t mut [Line],
    /// Scratch of a row, if bags are learnt from.
    pub(super) mean: &'t mut [Line],
    pub(super) slots: &'t [u64],
    pub(super) ends: &'t [u32],
    pub(super) pairs: &'t [u64],
}

/// Where in the training an episode is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// What the draws of the episode depend on.
    pub(super) seed: u64,
    /// The first word of the episode, counted over all epochs.
    pub(super) first: u64,
    /// Words of all epochs.
    pub(super) total: u64,
}

impl Schedule {
    /// The rate of a shard.
    fn rate(&self, settings: &Settings, shard: usize) -> f32 {
        let done = self.first + (shard * settings.words) as u64;
        let left = 1.0 - done as f32 / self.total as f32;
        settings.learning_rate * if left > 1e-4 { left } else { 1e-4 }
    }

    /// What the draws of a shard depend on.
    pub(super) fn seed(&self, shard: usize) -> u64 {
        mix(self.seed, shard as u64)
    }
}

impl Learn<'_> {
    pub(super) fn run(self) {
        let Self { settings, extents, schedule, subwords, cell, input, output, mean, slots, .. } = self;
        for shard in 0..extents.parts {
            let Some(ends) = self.ends.get(shard * extents.ends()..) else { continue };
            let start = cell.checked_sub(1).map_or(Some(&0), |before| ends.get(before));
            let (Some(start), Some(end)) = (start, ends.get(cell)) else { continue };
            let Some(pairs) = self.pairs.get(shard * extents.pairs..) else { continue };
            let Some(pairs) = pairs.get(*start as usize..*end as usize) else { continue };
            let seed = mix(schedule.seed(shard), 1 + cell as u64);
            let negatives = Negatives { slots, count: settings.negatives, seed };
            let rate = schedule.rate(&settings, shard);
            let lines = extents.lines;
            if settings.learns_bags() {
                let bags = WordBags { list: pairs, subwords };
                learn_bags(input, output, mean, bags, negatives, rate);
            } else if settings.method == Method::SharedNegatives {
                learn_groups(input, output, lines, pairs, negatives, rate);
            } else {
                learn_pairs(input, output, lines, pairs, negatives, rate);
            }
        }
    }
}
