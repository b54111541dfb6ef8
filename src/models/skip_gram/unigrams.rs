//! The distribution of negatives: an alias table (Walker, 1977; Vose, 1991), made of whole numbers.

use crate::math;

/// Set in a slot that is done.
const DONE: u64 = 1 << 63;

/// count^0.75 in 256ths.
fn weight(count: u64) -> u64 {
    let root = math::sqrt(count as f32);
    (root * math::sqrt(root) * 256.0) as u64
}

/// Makes the alias table of these counts to the power of 0.75: row i is drawn with probability
/// countᵢ^0.75 / Σⱼ countⱼ^0.75. If all counts are 0, all rows are drawn alike.
///
/// A slot has the share that stays with the row in bits 32 to 62, and in bits 0 to 31 the row that has the
/// rest. All is done with whole numbers that add up exactly: of what lacks nothing remains when nothing is
/// over.
pub(super) fn fill(slots: &mut [u64], counts: impl Iterator<Item = u64> + Clone) {
    let n = slots.len() as u64;
    let sum: u64 = counts.clone().map(weight).sum();
    let each = |count| if sum == 0 { 1 } else { weight(count) };
    let mean = if sum == 0 { n } else { sum };
    for (slot, count) in slots.iter_mut().zip(counts) {
        *slot = each(count) * n;
    }
    let done = |share: u64, rest: usize| {
        let share = (u128::from(share) << 31).checked_div(u128::from(mean));
        DONE | (share.unwrap_or(0) as u64) << 32 | rest as u64
    };
    let is_large = |slot: &u64| slot & DONE == 0 && *slot >= mean;
    let after =
        |slots: &[u64], place: usize| slots.iter().skip(place).position(is_large).map(|steps| place + steps);
    let mut large = after(slots, 0);
    let (mut place, mut again) = (0, None);
    while let Some(from) = large {
        let small = again.take().unwrap_or(place);
        place += usize::from(small == place);
        let Some(share) = slots.get(small).copied() else { break };
        if share >= mean {
            continue;
        }
        if let Some(slot) = slots.get_mut(small) {
            *slot = done(share, from);
        }
        let Some(slot) = slots.get_mut(from) else { break };
        *slot -= mean - share;
        if *slot < mean {
            again = (from < place).then_some(from);
            large = after(slots, from + 1);
        }
    }
    for (row, slot) in slots.iter_mut().enumerate() {
        if *slot & DONE == 0 {
            *slot = u64::MAX << 32 | row as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fill, weight};
    use std::vec;
    use std::vec::Vec;

    /// The share of each row that a table gives, in parts of 2^31.
    fn shares(slots: &[u64]) -> Vec<u64> {
        let mut shares = vec![0; slots.len()];
        for (row, slot) in slots.iter().enumerate() {
            let own = slot >> 32 & 0x7fff_ffff;
            shares[row] += own;
            shares[*slot as u32 as usize] += (1 << 31) - own;
        }
        shares
    }

    #[test]
    fn each_row_has_its_share() {
        for counts in [
            vec![1],
            vec![5, 5, 5],
            vec![1, 1000],
            vec![1000, 1],
            vec![0, 3, 0],
            vec![0, 0],
            (1..500).map(|i| 1_000_000 / i).collect(),
            (1..500).map(|i| i * i).collect(),
            (0..999).map(|i| (i * 7919) % 1009 * ((i * 31) % 17)).collect(),
        ] {
            let mut slots = vec![0; counts.len()];
            fill(&mut slots, counts.iter().copied());
            let sum: u64 = counts.iter().copied().map(weight).sum();
            for (count, share) in counts.iter().zip(shares(&slots)) {
                let exact =
                    if sum == 0 { 1.0 / counts.len() as f64 } else { weight(*count) as f64 / sum as f64 };
                let found = share as f64 / (counts.len() as f64 * f64::from(1_u32 << 31));
                assert!((found - exact).abs() <= 1e-8, "count {count}: {found}, expected {exact}");
            }
        }
    }
}
