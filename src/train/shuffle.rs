//! A random order without memory.
//!
//! The order of a few numbers is drawn by Fisher and Yates' shuffle and kept in 64 bytes. The order of many
//! is a permutation of the numbers below n that is computed, not stored: a Feistel network over the smallest
//! even number of bits that holds n, whose rounds are keyed by the seed. It maps the numbers of that many
//! bits one to one; a result that is not below n is put through again until it is (cycle walking; fewer than
//! four times on average). Luby and Rackoff (1988) show that four rounds of random functions look random;
//! there are six.

use crate::random::mix;

/// Orders of up to this many numbers are stored.
const FEW: usize = 64;

/// The numbers `0..len` in an order that depends on `seed` alone, in O(1) memory.
///
/// ```
/// use nanoembed::train::Shuffle;
/// let mut order: Vec<usize> = Shuffle::new(10, 7).collect();
/// order.sort_unstable();
/// assert!(order.into_iter().eq(0..10));
/// ```
#[derive(Clone, Debug)]
pub struct Shuffle {
    next: u64,
    len: u64,
    /// The order, if it is stored.
    few: [u8; FEW],
    half_bits: u32,
    /// One for each round.
    keys: [u64; 6],
}

impl Shuffle {
    /// The order of `len` numbers for this seed.
    pub fn new(len: usize, seed: u64) -> Self {
        let few = if len <= FEW { fisher_yates(len, seed) } else { [0; FEW] };
        let len = len as u64;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let keys = [0, 1, 2, 3, 4, 5].map(|round| mix(seed, round));
        Self { next: 0, len, few, half_bits: bits.div_ceil(2), keys }
    }

    fn permute(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ mix(key, right) & mask);
        }
        left << self.half_bits | right
    }

    fn place(&self, number: u64) -> u64 {
        if self.len <= FEW as u64 {
            return self.few.get(number as usize).map_or(0, |place| u64::from(*place));
        }
        let mut place = self.permute(number);
        while place >= self.len {
            place = self.permute(place);
        }
        place
    }
}

impl Iterator for Shuffle {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next == self.len {
            return None;
        }
        let place = self.place(self.next);
        self.next += 1;
        Some(place as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.len - self.next) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Shuffle {}

/// The first `len` of the numbers, in an order of which all are equally likely.
fn fisher_yates(len: usize, seed: u64) -> [u8; FEW] {
    let mut order = [0; FEW];
    for (number, slot) in (0..).zip(&mut order) {
        *slot = number;
    }
    for last in (1..len).rev() {
        // The upper half of the hash, scaled to 0..=last.
        let other = ((mix(seed, last as u64) >> 32) * (last as u64 + 1)) >> 32;
        // An error means that the two are one: nothing to swap.
        if let Ok([a, b]) = order.get_disjoint_mut([last, other as usize]) {
            core::mem::swap(a, b);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::Shuffle;
    use std::vec::Vec;

    #[test]
    fn every_number_comes_once() {
        for len in (0..140).chain([255, 256, 257, 1000, 4097]) {
            let mut order: Vec<usize> = Shuffle::new(len, 3).collect();
            assert_eq!(order.len(), len);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..len), "{len}");
        }
    }

    #[test]
    fn seeds_give_other_orders_and_one_seed_the_same() {
        let order = |seed| Shuffle::new(100, seed).collect::<Vec<_>>();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_ne!(order(1), (0..100).collect::<Vec<_>>());
    }

    /// Over many seeds every number comes at a place about equally often: χ² over the numbers, stored orders
    /// and computed ones.
    #[test]
    fn all_places_are_about_equally_likely() {
        // Degrees of freedom len − 1, and the value that chance passes once in a hundred thousand times.
        for (len, limit) in [(10, 40.1), (64, 123.0), (65, 124.4), (100, 171.0), (300, 415.1)] {
            for place in [0, len / 2, len - 1] {
                let seeds = 100 * len as u64;
                let mut counts = std::vec![0_u32; len];
                for seed in 0..seeds {
                    counts[Shuffle::new(len, seed).nth(place).unwrap()] += 1;
                }
                let chi_square: f64 = counts.iter().map(|&c| (f64::from(c) - 100.0).powi(2) / 100.0).sum();
                assert!(chi_square < limit, "place {place} of {len}: χ² {chi_square}");
            }
        }
    }

    /// All orders of a few numbers are about equally likely: χ² over the n! orders.
    #[test]
    fn all_orders_of_a_few_are_about_equally_likely() {
        // Degrees of freedom n! − 1, and the value that chance passes once in a thousand times.
        for (len, orders, limit) in [(3, 6, 20.5), (4, 24, 49.7), (5, 120, 172.4)] {
            let seeds = 400 * orders;
            let mut counts = std::collections::BTreeMap::<Vec<usize>, u32>::new();
            for seed in 0..seeds {
                *counts.entry(Shuffle::new(len, seed).collect()).or_default() += 1;
            }
            let missing = (orders as usize - counts.len()) as f64;
            let square = |c: u32| (f64::from(c) - 400.0).powi(2) / 400.0;
            let chi_square = counts.values().map(|&c| square(c)).sum::<f64>() + missing * 400.0;
            assert!(chi_square < limit, "{len} numbers: χ² {chi_square}");
        }
    }
}
