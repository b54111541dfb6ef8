//! Occurrences are sorted and summed by row, and the gradients of bags reach their rows without being written for each id.

use super::{Occurring, State, dims, draws, ids};
use crate::common::{Random, bits};
use nanoembed::error::{CapacityExceeded, ShapeMismatch};
use nanoembed::internals;
use nanoembed::internals::reference;
use nanoembed::optim::{Adam, Optimizer};
use nanoembed::simd::Level;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};
use proptest::prelude::*;
use rand_core::SeedableRng;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn coalesced_gradients(seed: u64, rows in 1..100_usize, dim in dims(), ids in ids()) {
        let random = &mut Random::seed_from_u64(seed);
        // Ids from `rows` on are left out by their policy.
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 3)).collect();
        let batch = Occurring::new(random, ids.clone(), dim);
        let named: Vec<(u32, u32)> = batch.pairs().into_iter().filter(|(row, _)| (*row as usize) < rows).collect();
        let n = named.len();

        let (mut expected_rows, mut expected_sums) = (vec![u32::MAX; n], vec![7.0; n * dim]);
        let sums = &mut TableMut::new(&mut expected_sums, n, dim).unwrap();
        let distinct = reference::coalesce(&named, batch.table(dim), &mut expected_rows, sums);

        let (mut list, mut scratch) = (vec![Occurrence::default(); ids.len()], vec![Occurrence::default(); ids.len()]);
        let list = Indices::skipping(&ids, rows).occurrences(&mut list).unwrap();
        prop_assert!(list.iter().map(|o| (o.row, o.source)).eq(named.iter().copied()));
        let list = SortedOccurrences::sort(list, &mut scratch).unwrap();
        for level in Level::available() {
            let (mut found_rows, mut found_sums) = (vec![u32::MAX; n], vec![7.0; n * dim]);
            let sums = &mut TableMut::new(&mut found_sums, n, dim).unwrap();
            let found = nanoembed::internals::coalesce_at(level, list, batch.table(dim), &mut found_rows, sums).unwrap();
            prop_assert_eq!(found, distinct);
            prop_assert_eq!(&found_rows, &expected_rows, "rows at {}", level.name());
            prop_assert_eq!(bits(&found_sums), bits(&expected_sums), "sums at {}", level.name());
        }
    }

    /// The gradients of bags, with and without weights, spread over their ids without being written for each: the bits of gradients
    /// that are.
    #[test]
    fn gradients_of_bags_reach_their_rows(seed: u64, rows in 1..30_usize, dim in dims(), ids in ids(), weighted: bool, keras3: bool) {
        let random = &mut Random::seed_from_u64(seed);
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 3)).collect();
        let (count, bags) = (ids.len(), 5);
        let offsets: Vec<usize> = [0, count / 3, count / 3, count / 2, count, count].to_vec();
        let weights = draws(random, count);
        let d_bags = draws(random, bags * dim);
        let indices = Indices::skipping(&ids, rows);
        let list_of_bags = Bags::new(indices, &offsets).unwrap();
        let mut numbers = vec![9; count];
        list_of_bags.numbers(&mut numbers).unwrap();
        let weight = |position: usize| if weighted { weights[position] } else { 1.0 };
        let d_ids: Vec<f32> = (0..count)
            .flat_map(|position| {
                let d = &d_bags[numbers[position] as usize * dim..][..dim];
                d.iter().map(move |d| weight(position) * d)
            })
            .collect();

        let (mut list, mut written) = (vec![Occurrence::default(); count], vec![Occurrence::default(); count]);
        let (mut scratch, mut scratch_2) = (list.clone(), list.clone());
        let written = SortedOccurrences::sort(indices.occurrences(&mut written).unwrap(), &mut scratch).unwrap();
        let sorted = if weighted {
            let sorted = SortedOccurrences::sort(indices.occurrences(&mut list).unwrap(), &mut scratch_2).unwrap();
            sorted.weighted(&weights, &numbers).unwrap()
        } else {
            SortedOccurrences::sort(list_of_bags.occurrences(&mut list).unwrap(), &mut scratch_2).unwrap()
        };
        let d_ids = Table::new(&d_ids, count, dim).unwrap();
        let d_bags = Table::new(&d_bags, bags, dim).unwrap();

        let before = State::new(random, rows, dim, 2);
        let rule = Adam { keras3_duplicates: keras3, ..Adam::default() }.rule(3);
        for level in Level::available() {
            let step = |occurrences, gradients| {
                let mut state = before.clone();
                let (mut weights, mut slots, _) = state.views();
                let mut touched = SparseGradient { occurrences, gradients, scratch: &mut vec![f32::NAN; 2 * dim] };
                nanoembed::internals::update_rows_at(level, rule, &mut weights, &mut slots, &mut touched).unwrap();
                let norm = nanoembed::internals::sum_of_squares_of_rows_at(level, &mut touched, keras3).unwrap();
                (bits(&state.weights), bits(&state.slots), norm.to_bits())
            };
            prop_assert!(step(sorted, d_bags) == step(written, d_ids), "{}", level.name());
        }
    }

    /// Sorted by row, and those of one row in order of occurrence, whichever digits the rows differ in.
    #[test]
    fn sorting_is_stable(
        rows in prop::collection::vec(any::<u32>(), 0..200),
        mask in prop::sample::select(vec![0, 1, 7, 0xff, 0x1ff, 0xff00, 0x00ff_0001, 0xff00_0000, 0xff00_00ff, u32::MAX]),
        common: u32,
    ) {
        let row = |row: &u32| row & mask | common & !mask;
        let mut list: Vec<_> = rows.iter().map(row).zip(0..).map(|(row, source)| Occurrence { row, source }).collect();
        let mut expected = list.clone();
        expected.sort_by_key(|occurrence| occurrence.row);
        let mut scratch = vec![Occurrence { row: 9, source: 9 }; list.len()];
        SortedOccurrences::sort(&mut list, &mut scratch).unwrap();
        prop_assert_eq!(list, expected);
    }
}

/// A second set of weights is held against the ids, as the first is.
#[test]
fn weights_that_are_too_few_for_the_ids_are_refused_again() {
    let mut list = [0, 1, 2].map(|source| Occurrence { row: source, source });
    let sorted = SortedOccurrences::sort(&mut list, &mut [Occurrence::default(); 3]).unwrap();
    let sorted = sorted.weighted(&[1.0; 3], &[0; 3]).unwrap();
    let error = sorted.weighted(&[1.0], &[0]).unwrap_err();
    assert_eq!((error.expected, error.found), (3, 1));
}

#[test]
fn weights_that_do_not_fit_the_occurrences_are_refused() {
    let mut list = [Occurrence { row: 1, source: 0 }, Occurrence { row: 2, source: 2 }];
    let sorted = SortedOccurrences::sort(&mut list, &mut [Occurrence::default(); 2]).unwrap();
    let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    assert_eq!(sorted.weighted(&[1.0; 3], &[0; 2]).map(drop), error("length of weights", 2, 3));
    assert_eq!(sorted.weighted(&[1.0; 2], &[0; 2]).map(drop), error("length of weights, at least", 3, 2));
    let sorted = sorted.weighted(&[1.0; 3], &[0, 5, 0]).unwrap();
    let (mut rows, mut sums) = ([0; 2], [[7.0; 1]; 2]);
    let sums = &mut TableMut::from_rows(&mut sums);
    let found = internals::coalesce(sorted, Table::from_rows(&[[1.0]; 5]), &mut rows, sums);
    assert_eq!(found, error("rows of gradients, at least", 6, 5).map(|()| 0));
    let bags = Bags::fixed(Indices::new(&[0_u8, 1], 2).unwrap(), 1, 2).unwrap();
    assert_eq!(bags.numbers(&mut [0; 3]), error("bag numbers", 2, 3));
}

/// The gradients of pooled bags as those of their sums.
#[test]
fn gradients_are_divided_by_bags() {
    let indices = Indices::skipping(&[0_u8, 1, 9, 1], 2);
    let weights = [2.0, 2.0, 7.0, 0.0];
    let bags = Bags::new(indices, &[0_u8, 3, 3, 4]).unwrap().with_weights(&weights).unwrap();
    for (pooling, divisors) in [
        (Pooling::Sum, [1.0; 3]),
        (Pooling::Mean, [2.0, f32::INFINITY, 1.0]),
        (Pooling::WeightedMean, [4.0, f32::INFINITY, f32::INFINITY]),
        (Pooling::SqrtN, [nanoembed::math::sqrt(8.0), f32::INFINITY, f32::INFINITY]),
    ] {
        let (d_out, mut d_sums) = ([3.0, 6.0, 9.0], [7.0; 3]);
        bags.divide(&d_out, pooling, &mut d_sums).unwrap();
        assert_eq!(d_sums, [3.0 / divisors[0], 6.0 / divisors[1], 9.0 / divisors[2]], "{pooling:?}");
        let before = d_sums;
        let uneven = ShapeMismatch { what: "gradients", expected: 3, found: 4 };
        assert_eq!(bags.divide(&[1.0; 4], pooling, &mut d_sums), Err(uneven));
        let short = ShapeMismatch { what: "gradients of the sums", expected: 6, found: 3 };
        assert_eq!(bags.divide(&[1.0; 6], pooling, &mut d_sums), Err(short));
        assert_eq!(d_sums, before);
    }
}

#[test]
fn too_little_room_for_occurrences_is_an_error() {
    let ids = [1_u8, 2, 1];
    let indices = Indices::new(&ids, 3).unwrap();
    let mut list = [Occurrence { row: 9, source: 9 }; 2];
    let full = CapacityExceeded { what: "occurrences", capacity: 2, needed: 3 };
    assert_eq!(indices.occurrences(&mut list), Err(full));
    assert_eq!(list, [Occurrence { row: 9, source: 9 }; 2]);

    let mut sorted = [Occurrence { row: 1, source: 0 }, Occurrence { row: 2, source: 1 }];
    let sorted = SortedOccurrences::sort(&mut sorted, &mut [Occurrence::default(); 2]).unwrap();
    let gradients = [[1.0; 4]; 2];
    let (mut rows, mut sums) = ([7; 1], [[7.0; 4]; 2]);
    let mut coalesce = |rows: &mut [u32]| {
        internals::coalesce(sorted, Table::from_rows(&gradients), rows, &mut TableMut::from_rows(&mut sums))
    };
    assert_eq!(
        coalesce(&mut rows),
        Err(ShapeMismatch { what: "length of rows, at least", expected: 2, found: 1 })
    );
    assert_eq!(coalesce(&mut [0; 2]), Ok(2));
    assert_eq!((rows, sums), ([7], [[1.0; 4]; 2]));
    let mut short = [[7.0; 3]; 2];
    let sums = &mut TableMut::from_rows(&mut short);
    let found = internals::coalesce(sorted, Table::from_rows(&gradients), &mut [0; 2], sums);
    assert_eq!(found, Err(ShapeMismatch { what: "dim of sums", expected: 4, found: 3 }));
    let mut right = [[7.0; 4]; 2];
    let one_gradient = Table::from_rows(&gradients[..1]);
    let found = internals::coalesce(sorted, one_gradient, &mut [0; 2], &mut TableMut::from_rows(&mut right));
    assert_eq!(found, Err(ShapeMismatch { what: "rows of gradients, at least", expected: 2, found: 1 }));
    assert_eq!(right, [[7.0; 4]; 2]);
    assert_eq!(short, [[7.0; 3]; 2]);
}
