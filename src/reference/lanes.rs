//! The order of horizontal sums.

/// The sum of `terms` over sixteen lanes: term i is added to lane i % 16, lanes start at +0, and the upper
/// half of the lanes is added to the lower half until one is left.
pub fn lane_sum(terms: impl IntoIterator<Item = f32>) -> f32 {
    let mut lanes = [0.0; 16];
    for (i, term) in terms.into_iter().enumerate() {
        lanes[i % 16] += term;
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}
