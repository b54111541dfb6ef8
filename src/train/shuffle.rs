//! A random order without memory.
//!
//! The order is a permutation of the numbers below n that is computed, not stored: a Feistel network over the smallest even number
//! of bits that holds n, whose rounds are keyed by the seed. It maps the numbers of that many bits one to one; a result
//! that is not below n is put through again until it is (cycle walking; fewer than four rounds of the network on
//! average). Luby and Rackoff (1988) show that four rounds of random functions look random on large sets; two more even out
//! sets of a few dozen.

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
    half_bits: u32,
    seed: u64,
}

const ROUNDS: u64 = 6;

impl Shuffle {
    /// The order of `len` numbers for this seed.
    pub fn new(len: usize, seed: u64) -> Self {
        let len = len as u64;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self { next: 0, len, half_bits: bits.div_ceil(2), seed }
    }

    fn permute(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ mix(right, self.seed.wrapping_add(round)) & mask);
        }
        left << self.half_bits | right
    }
}

impl Iterator for Shuffle {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next == self.len {
            return None;
        }
        let mut place = self.permute(self.next);
        while place >= self.len {
            place = self.permute(place);
        }
        self.next += 1;
        Some(place as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.len - self.next) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Shuffle {}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over a number and a key.
fn mix(number: u64, key: u64) -> u64 {
    let mut z = number.wrapping_add(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::Shuffle;
    use std::vec::Vec;

    #[test]
    fn every_number_comes_once() {
        for len in (0..70).chain([255, 256, 257, 1000, 4097]) {
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

    /// Over many seeds every number is first about equally often: χ² over 10 places, 9 degrees of freedom.
    #[test]
    fn all_places_are_about_equally_likely() {
        const SEEDS: u64 = 20_000;
        for place in [0, 4, 9] {
            let mut counts = [0_u32; 10];
            for seed in 0..SEEDS {
                counts[Shuffle::new(10, seed.wrapping_mul(0x1234_5678_9abc_def1)).nth(place).unwrap()] += 1;
            }
            let expected = SEEDS as f64 / 10.0;
            let chi_square: f64 = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
            assert!(chi_square < 27.88, "place {place}: χ² {chi_square} (p = 0.001 at 27.88), {counts:?}");
        }
    }
}
