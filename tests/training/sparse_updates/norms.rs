//! Norms of gradients, what is clipped to them, rows that are too long, and gradients by the frequency of their row.

use super::{Occurring, State, dims, draws, ids};
use crate::common::{Random, bits};
use nanoembed::internals;
use nanoembed::internals::reference;
use nanoembed::optim::{Adagrad, Clip, Clipped, Optimizer, Sgd};
use nanoembed::simd::Level;
use nanoembed::sparse::{Occurrence, RowNorm, SortedOccurrences, SparseGradient};
use nanoembed::table::{Indices, Table, TableMut};
use proptest::prelude::*;
use rand_core::SeedableRng;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn norms_of_gradients(seed: u64, rows in 1..9_u32, dim in dims(), ids in ids(), keras3: bool) {
        let random = &mut Random::seed_from_u64(seed);
        let batch = Occurring::new(random, ids.iter().map(|id| id % rows).collect(), dim);
        let expected = reference::sum_of_squares_of_rows(&batch.pairs(), batch.table(dim), keras3);
        for level in Level::available() {
            let found = batch.touched(dim, |touched| nanoembed::internals::sum_of_squares_of_rows_at(level, touched, keras3));
            prop_assert_eq!(found.unwrap().to_bits(), expected.to_bits(), "{}", level.name());
            let flat = reference::lane_sum(batch.gradients.iter().map(|g| g * g));
            prop_assert_eq!(nanoembed::internals::sum_of_squares_at(level, &batch.gradients).to_bits(), flat.to_bits());
        }
    }

    #[test]
    fn long_rows_are_shortened(seed: u64, rows in 1..9_usize, dim in dims(), gap in 0..3_usize, ids in ids(), limit in 0.1..3.0_f32) {
        let random = &mut Random::seed_from_u64(seed);
        let stride = dim + gap;
        let before = draws(random, rows * stride);
        // Ids from `rows` on are left out by their policy.
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 2)).collect();
        let indices = Indices::skipping(&ids, rows);
        let named: Vec<usize> = indices.iter().flatten().collect();
        for (norm, p) in [(RowNorm::L1, Some(1)), (RowNorm::L2, Some(2)), (RowNorm::Max, None)] {
            let mut expected = before.clone();
            let mut table = TableMut::with_stride(&mut expected, rows, dim, stride).unwrap();
            reference::max_norm(&named, limit, p, &mut table);
            for level in Level::available() {
                let mut found = before.clone();
                let mut table = TableMut::with_stride(&mut found, rows, dim, stride).unwrap();
                nanoembed::internals::max_norm_at(level, indices, limit, norm, &mut table).unwrap();
                prop_assert_eq!(bits(&found), bits(&expected), "{:?} at {}", norm, level.name());
            }
        }
    }

    /// A row's gradient by its frequency is the mean of its gradients, in the step, in the sum and in the norm.
    #[test]
    fn gradients_by_frequency(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids()) {
        let random = &mut Random::seed_from_u64(seed);
        let batch = Occurring::new(random, ids.iter().map(|id| id % rows as u32).collect(), dim);
        let n = ids.len();
        let (mut named, mut means) = (vec![0; n], vec![0.0; n * dim]);
        let distinct = batch.touched(dim, |touched| {
            let sums = &mut TableMut::new(&mut means, n, dim).unwrap();
            internals::coalesce(touched.occurrences, touched.gradients, &mut named, sums).unwrap()
        });
        for (row, sum) in named[..distinct].iter().zip(means.chunks_mut(dim.max(1))) {
            let count = batch.rows.iter().filter(|r| *r == row).count();
            for sum in sum.iter_mut() {
                *sum /= if count > 1 { count as f32 } else { 1.0 };
            }
        }
        means.truncate(distinct * dim);
        let coalesced = Occurring { rows: named[..distinct].to_vec(), gradients: means };

        let state = State::new(random, rows, dim, 1);
        let [expected, found] = [(coalesced.clone(), false), (batch, true)].map(|(batch, by_frequency)| {
            let mut state = state.clone();
            let (mut sums, mut found_rows) = (vec![0.0; n * dim], vec![0; n]);
            let rest = batch.touched(dim, |touched| {
                let occurrences = touched.occurrences;
                let occurrences = if by_frequency { occurrences.by_frequency() } else { occurrences };
                let mut touched = SparseGradient { occurrences, gradients: touched.gradients, scratch: &mut *touched.scratch };
                let (mut weights, mut slots, _) = state.views();
                internals::update_rows(Adagrad::default().rule(1), &mut weights, &mut slots, &mut touched).unwrap();
                let sums = &mut TableMut::new(&mut sums, n, dim).unwrap();
                let count = internals::coalesce(occurrences, touched.gradients, &mut found_rows, sums).unwrap();
                (count, internals::sum_of_squares_of_rows(&mut touched, false).unwrap().to_bits())
            });
            (bits(&state.weights), bits(&state.slots), bits(&sums), rest)
        });
        prop_assert_eq!(found, expected);
    }
}

/// The norm of raw rows, when each occurrence counts a part of its row's frequency.
#[test]
fn raw_gradients_by_frequency_are_divided_before_their_norm() {
    let mut list = [Occurrence { row: 7, source: 0 }, Occurrence { row: 7, source: 1 }];
    let occurrences =
        SortedOccurrences::sort(&mut list, &mut [Occurrence::default(); 2]).unwrap().by_frequency();
    let gradients = Table::from_rows(&[[3.0], [5.0]]);
    for (keras3, expected) in [(true, (9.0 + 25.0) / 4.0), (false, 16.0)] {
        let mut touched = SparseGradient { occurrences, gradients, scratch: &mut [0.0; 2] };
        assert_eq!(internals::sum_of_squares_of_rows(&mut touched, keras3).unwrap(), expected);
    }
}

/// The norm of a table is not that of its parts, so it is found first and given to the step.
#[test]
fn parts_are_clipped_to_the_norm_of_the_whole() {
    let clipped =
        Clipped { optimizer: Sgd { learning_rate: 1.0 }, clip: Clip::Norm(1.0), keras3_duplicates: false };
    let gradients = [[3.0], [4.0]];
    let lists = [
        vec![Occurrence { row: 0, source: 0 }, Occurrence { row: 1, source: 1 }],
        vec![Occurrence { row: 0, source: 0 }],
        vec![Occurrence { row: 0, source: 1 }],
    ];
    let step_on = |list: &[Occurrence], step, weights: &mut [[f32; 1]]| {
        let mut list = list.to_vec();
        let mut scratch = list.clone();
        let occurrences = SortedOccurrences::sort(&mut list, &mut scratch).unwrap();
        let mut touched =
            SparseGradient { occurrences, gradients: Table::from_rows(&gradients), scratch: &mut [0.0; 2] };
        let rows = weights.len();
        let mut slots = TableMut::new(&mut [], rows, 0).unwrap();
        clipped
            .update_rows(step, &mut TableMut::from_rows(weights), &mut slots, &mut [], &mut touched)
            .unwrap();
    };
    let mut whole = [[0.0]; 2];
    step_on(&lists[0], clipped.step(1), &mut whole);
    let [mut first, mut second] = [[[0.0]]; 2];
    let step = clipped.with_norm(clipped.step(1), 5.0);
    step_on(&lists[1], step, &mut first);
    step_on(&lists[2], step, &mut second);
    assert_eq!((whole, first, second), ([[-0.6], [-0.8]], [[-0.6]], [[-0.8]]));
}

#[test]
fn a_global_norm_whose_square_is_infinite_still_scales() {
    let clipped = Clipped {
        optimizer: Sgd { learning_rate: 1.0 },
        clip: Clip::GlobalNorm(1.0),
        keras3_duplicates: false,
    };
    let step = clipped.with_norm(clipped.step(1), 5e20);
    let mut weights = [0.0; 2];
    clipped.update_block(step, &mut weights, &[3e20, -4e20], &mut []).unwrap();
    assert!(weights.iter().zip([-0.6, 0.8]).all(|(w, expected)| (w - expected).abs() <= 1e-6), "{weights:?}");
}
