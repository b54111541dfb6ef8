//! gather, pool, scatter and the gradients of weights give the reference's bits at every level: all id types and policies, dims
//! around every block edge, gaps between rows, repeats, the last row, empty bags, weights and padding. What stands behind an output
//! stays, and a call that fails changes nothing.

use crate::cases::{Case, cases};
use crate::common::{bits, hash};
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{
    Index, NO_ID, Policy, gather_at, gather_stream_at, pool_at, pool_max_at, reference, scatter_add_at,
    scatter_add_bags_at, weight_gradients_at,
};
use nanoembed::kernels::scatter_add_max;
use nanoembed::simd::Level;
use nanoembed::table::{Bags, Indices, Pooling, Skip, Table, TableMut};
use proptest::prelude::*;

const DIMS: [usize; 23] =
    [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100, 128, 200];

/// Written behind every output, and between the rows of a table.
const SENTINEL: f32 = -1234.5;
const BEHIND: usize = 70;

/// Numbers of very different sizes and both zeros, so that another order of a sum gives other bits.
fn number(seed: u64, i: usize) -> f32 {
    let x = hash(seed, i);
    let mantissa = (x & 0xffff) as f32 - 32768.5;
    match (x >> 16) & 31 {
        0 => 0.0,
        1 => -0.0,
        scale => mantissa / (1_u64 << scale) as f32,
    }
}

fn numbers(seed: u64, length: usize) -> Vec<f32> {
    (0..length).map(|i| number(seed, i)).collect()
}

/// A table's numbers, with sentinels between the rows and behind.
fn strided(seed: u64, rows: usize, dim: usize, stride: usize) -> Vec<f32> {
    let mut values = vec![SENTINEL; rows * stride + dim];
    for row in 0..rows {
        for column in 0..dim {
            values[row * stride + column] = number(seed, row * dim + column);
        }
    }
    values
}

/// An output of this length: NaN where the kernel has to write, sentinels behind.
fn output(length: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; length];
    out.resize(length + BEHIND, SENTINEL);
    out
}

impl Case {
    fn check<I: Index, P: Policy>(&self, indices: Indices<'_, I, P>) {
        self.check_rows(indices);
        let offsets = self.offsets();
        self.check_bags(Bags::new(indices, &offsets).unwrap());
        self.check_bags(Bags::from_starts(indices, &offsets[..offsets.len() - 1]).unwrap());
        self.check_bags(Bags::fixed(indices, 1, self.ids.len()).unwrap());
        self.check_bags(Bags::fixed(indices, self.ids.len(), 1).unwrap());
    }

    /// Offsets of any type divide the ids alike.
    fn check_offset_type<O: Index>(&self, convert: impl Fn(usize) -> O) {
        let ids: Vec<u32> = self.ids.iter().map(|&id| id as u32).collect();
        let (plain, indices) = (self.offsets(), Indices::skipping(&ids, self.rows));
        let offsets: Vec<O> = plain.iter().copied().map(convert).collect();
        let starts = |bags: Bags<'_, u32, Skip, O>| bags.iter().map(|bag| bag.start()).collect::<Vec<_>>();
        assert_eq!(starts(Bags::new(indices, &offsets).unwrap()), plain[..plain.len() - 1]);
        let without_last = &offsets[..offsets.len() - 1];
        assert_eq!(starts(Bags::from_starts(indices, without_last).unwrap()), plain[..plain.len() - 1]);
    }

    fn check_rows<I: Index, P: Policy>(&self, indices: Indices<'_, I, P>) {
        let (rows, dim, stride, length) =
            (self.rows, self.dim, self.dim + self.gap, self.ids.len() * self.dim);
        let values = strided(self.seed, rows, dim, stride);
        let table = Table::with_stride(&values, rows, dim, stride).unwrap();
        let gradients = numbers(!self.seed, length);

        let mut gathered = output(length);
        reference::gather(table, indices, &mut gathered[..length]);
        assert!(gathered.iter().all(|x| !x.is_nan()));
        let mut scattered = values.clone();
        let mut to = TableMut::with_stride(&mut scattered, rows, dim, stride).unwrap();
        reference::scatter_add(&gradients, indices, &mut to);

        for level in Level::available() {
            let mut out = output(length);
            gather_at(level, table, indices, &mut out[..length]).unwrap();
            assert_eq!(bits(&out), bits(&gathered), "gather at {}", level.name());
            for start in 0..2 {
                // At one of the two starts the output is not aligned to a cache line.
                let mut out = vec![SENTINEL; start];
                out.extend(output(length));
                gather_stream_at(level, table, indices, &mut out[start..][..length]).unwrap();
                assert_eq!(bits(&out[start..]), bits(&gathered), "gather_stream at {}", level.name());
            }
            let mut out = values.clone();
            let mut to = TableMut::with_stride(&mut out, rows, dim, stride).unwrap();
            scatter_add_at(level, &gradients, indices, &mut to).unwrap();
            assert_eq!(bits(&out), bits(&scattered), "scatter_add at {}", level.name());
        }
    }

    fn check_bags<I: Index, P: Policy, O: Index>(&self, bags: Bags<'_, I, P, O>) {
        let (rows, dim, stride, length) = (self.rows, self.dim, self.dim + self.gap, bags.len() * self.dim);
        let values = strided(self.seed, rows, dim, stride);
        let table = Table::with_stride(&values, rows, dim, stride).unwrap();
        let (weights, d_out) = (numbers(self.seed ^ 1, self.ids.len()), numbers(!self.seed, length));
        let bags = if self.weighted { bags.with_weights(&weights).unwrap() } else { bags };
        let bags = self.padding.map_or(bags, |row| bags.with_padding(row).unwrap());

        let mut pooled = output(length);
        reference::pool(table, &bags, self.pooling, &mut pooled[..length]);
        let first = bags.len().min(1);
        let part = bags.slice(first..bags.len()).unwrap();
        let mut scattered = values.clone();
        let mut to = TableMut::with_stride(&mut scattered, rows, dim, stride).unwrap();
        reference::scatter_add_bags(&d_out, &bags, self.pooling, &mut to);

        for level in Level::available() {
            let mut out = output(length);
            pool_at(level, table, &bags, self.pooling, &mut out[..length]).unwrap();
            assert_eq!(bits(&out), bits(&pooled), "pool at {}", level.name());
            let mut out = vec![f32::NAN; length - first * dim];
            pool_at(level, table, &part, self.pooling, &mut out).unwrap();
            assert_eq!(bits(&out), bits(&pooled[first * dim..length]), "pool of a part at {}", level.name());
            let mut out = values.clone();
            let mut to = TableMut::with_stride(&mut out, rows, dim, stride).unwrap();
            scatter_add_bags_at(level, &d_out, &bags, self.pooling, &mut to).unwrap();
            assert_eq!(bits(&out), bits(&scattered), "scatter_add_bags at {}", level.name());
        }
        self.check_max(&bags, table, &d_out);
        self.check_weights(&bags, table, &d_out);
    }

    fn check_max<I: Index, P: Policy, O: Index>(
        &self,
        bags: &Bags<'_, I, P, O>,
        table: Table<'_>,
        d_out: &[f32],
    ) {
        let (mut max, mut arg_max) = (output(d_out.len()), vec![7; d_out.len() + 1]);
        reference::pool_max(table, bags, &mut max[..d_out.len()], &mut arg_max[..d_out.len()]);
        for level in Level::available() {
            let (mut out, mut positions) = (output(d_out.len()), vec![7; d_out.len() + 1]);
            pool_max_at(level, table, bags, &mut out[..d_out.len()], &mut positions[..d_out.len()]).unwrap();
            assert_eq!(bits(&out), bits(&max), "pool_max at {}", level.name());
            assert_eq!(positions, arg_max, "positions at {}", level.name());
        }
        arg_max.pop();
        let start = numbers(self.seed ^ 2, self.rows * self.dim);
        let (mut found, mut expected) = (start.clone(), start);
        let mut to = TableMut::new(&mut found, self.rows, self.dim).unwrap();
        scatter_add_max(d_out, &arg_max, bags, &mut to).unwrap();
        let mut to = TableMut::new(&mut expected, self.rows, self.dim).unwrap();
        reference::scatter_add_max(d_out, &arg_max, bags, &mut to);
        assert_eq!(bits(&found), bits(&expected), "scatter_add_max");
    }

    fn check_weights<I: Index, P: Policy, O: Index>(
        &self,
        bags: &Bags<'_, I, P, O>,
        table: Table<'_>,
        d_out: &[f32],
    ) {
        let ids = self.ids.len();
        let mut expected = output(ids);
        reference::weight_gradients(table, bags, self.pooling, d_out, &mut expected[..ids]);
        for level in Level::available() {
            let mut out = output(ids);
            weight_gradients_at(level, table, bags, self.pooling, d_out, &mut out[..ids]).unwrap();
            assert_eq!(bits(&out), bits(&expected), "weight_gradients at {}", level.name());
        }
    }

    /// As many ids as the case has, so that its offsets and weights fit: those of a range that the type has, 0 for the others.
    fn ids_of_type<I: Index>(
        &self,
        range: std::ops::Range<i64>,
        convert: impl Fn(i64) -> Option<I>,
    ) -> Vec<I> {
        let good = |&id: &i64| if range.contains(&id) { convert(id) } else { None };
        let first = convert(0).expect("every type has 0");
        self.ids.iter().map(|id| good(id).unwrap_or(first)).collect()
    }

    /// Ids of this type, all of them good.
    fn check_type<I: Index>(&self, convert: impl Fn(i64) -> Option<I>) {
        let ids = self.ids_of_type(0..self.rows as i64, convert);
        self.check(Indices::new(&ids, self.rows).unwrap());
    }

    /// Every policy: all ids where it takes any, the good ones else.
    fn check_policies(&self) {
        let (rows, bound) = (self.rows, self.rows as i64);
        self.check(Indices::from_end(&self.ids_of_type(-bound..bound, Some), rows).unwrap());
        self.check(Indices::skipping(&self.ids, rows));
        self.check(Indices::mapping(&self.ids, rows, rows - 1).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_level_gives_the_bits_of_the_reference(case in cases(&DIMS, 40, 60, 12)) {
        case.check_type(|id| u8::try_from(id).ok());
        case.check_type(|id| u16::try_from(id).ok());
        case.check_type(|id| u32::try_from(id).ok());
        case.check_type(|id| u64::try_from(id).ok());
        case.check_type(|id| usize::try_from(id).ok());
        case.check_type(|id| i32::try_from(id).ok());
        case.check_type(Some);
        case.check_policies();
        case.check_offset_type(|offset| offset as u8);
        case.check_offset_type(|offset| offset as u16);
        case.check_offset_type(|offset| offset as u32);
        case.check_offset_type(|offset| offset as u64);
        case.check_offset_type(|offset| offset as i32);
        case.check_offset_type(|offset| offset as i64);
    }
}

/// What each policy makes of an id, by arithmetic that cannot overflow.
fn resolve(policy: &str, id: i128, rows: i128, to: i128) -> Option<usize> {
    let row = match policy {
        "from_end" if id < 0 => id + rows,
        _ => id,
    };
    if (0..rows).contains(&row) {
        Some(row as usize)
    } else if policy == "mapping" {
        Some(to as usize)
    } else {
        None
    }
}

fn policies_agree<I: Index + Into<i128>>(ids: &[I], rows: usize) -> Result<(), TestCaseError> {
    let plain = |policy: &str| -> Vec<Option<usize>> {
        ids.iter().map(|&id| resolve(policy, id.into(), rows as i128, rows as i128 / 2)).collect()
    };
    for (policy, checked) in [
        ("new", Indices::new(ids, rows).map(|indices| indices.iter().collect::<Vec<_>>())),
        ("from_end", Indices::from_end(ids, rows).map(|indices| indices.iter().collect())),
    ] {
        let expected = plain(policy);
        match (checked, expected.iter().position(Option::is_none)) {
            (Ok(found), None) => prop_assert_eq!(found, expected),
            (Err(error), Some(position)) => {
                prop_assert_eq!((error.position, error.rows), (position, rows));
                let shown = ids[position].into().min(i128::from(i64::MAX));
                prop_assert_eq!(i128::from(error.index), shown);
            }
            (checked, bad) => prop_assert!(false, "{policy}: {checked:?}, first bad {bad:?}"),
        }
    }
    prop_assert!(Indices::skipping(ids, rows).iter().eq(plain("skipping")));
    let mapped = Indices::mapping(ids, rows, rows / 2).ok();
    prop_assert_eq!(mapped.is_some(), rows > 0);
    prop_assert!(mapped.is_none_or(|indices| indices.iter().eq(plain("mapping"))));
    Ok(())
}

proptest! {
    #[test]
    fn policies_resolve_ids_as_unbounded_arithmetic_does(
        rows in prop_oneof![0_usize..5, 100_usize..300, Just(usize::MAX)],
        small in prop::collection::vec(-5_i64..5, 0..40),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        words in prop::collection::vec(any::<u64>(), 0..4),
    ) {
        policies_agree(&bytes, rows)?;
        policies_agree(&small, rows)?;
        policies_agree(&words, rows)?;
        policies_agree(&small.iter().map(|&id| id as i32).collect::<Vec<_>>(), rows)?;
        policies_agree(&small.iter().map(|&id| id as u16).collect::<Vec<_>>(), rows)?;
        policies_agree(&bytes.iter().map(|&id| u32::from(id)).collect::<Vec<_>>(), rows)?;
        policies_agree(&words.iter().map(|&id| id as i64).collect::<Vec<_>>(), rows)?;
    }
}

#[test]
fn rows_of_a_table_above_the_caches_are_the_same() {
    let (rows, dim) = (70_000, 65);
    let values = numbers(1, rows * dim);
    let table = Table::new(&values, rows, dim).unwrap();
    let ids: Vec<u32> = (0..1000_u32).map(|i| i * 7919 % rows as u32).collect();
    let indices = Indices::new(&ids, rows).unwrap();
    let bags = Bags::fixed(indices, 50, 20).unwrap();
    let (mut gathered, mut pooled) = (vec![0.0; 1000 * dim], vec![0.0; 50 * dim]);
    reference::gather(table, indices, &mut gathered);
    reference::pool(table, &bags, Pooling::Mean, &mut pooled);
    for level in Level::available() {
        let mut out = vec![f32::NAN; 1000 * dim];
        gather_at(level, table, indices, &mut out).unwrap();
        assert_eq!(bits(&out), bits(&gathered), "{}", level.name());
        let mut out = vec![f32::NAN; 50 * dim];
        pool_at(level, table, &bags, Pooling::Mean, &mut out).unwrap();
        assert_eq!(bits(&out), bits(&pooled), "{}", level.name());
        let mut out = vec![f32::NAN; 1000 * dim];
        gather_stream_at(level, table, indices, &mut out).unwrap();
        assert_eq!(bits(&out), bits(&gathered), "{}", level.name());
    }
}

/// Each way to sum the columns of a bag.
#[test]
fn bags_of_a_table_above_the_caches_are_the_same() {
    for dim in [1, 3, 7, 10, 16, 24, 40, 63, 64, 65, 128, 200] {
        let rows = 280_000 / dim as u32 + 1000;
        let ids: Vec<u32> = (0..130_u32).map(|i| i * 7919 % rows).collect();
        for pooling in Pooling::ALL {
            for weighted in [false, true] {
                let case = Case {
                    seed: 3,
                    rows: rows as usize,
                    dim,
                    gap: 2,
                    ids: ids.iter().map(|&id| i64::from(id)).collect(),
                    lengths: vec![20, 0, 1, 60],
                    weighted,
                    padding: Some(ids[7] as usize),
                    pooling,
                };
                case.check(Indices::new(&ids, case.rows).unwrap());
            }
        }
    }
}

/// Above the near caches rows of the usual lengths have loops of their own.
#[test]
fn rows_of_the_usual_lengths_above_the_caches_are_the_same() {
    for dim in [16, 32, 64, 128] {
        let rows = 300_000 / dim + 1000;
        let values = numbers(dim as u64, rows * dim);
        let table = Table::new(&values, rows, dim).unwrap();
        let ids: Vec<u32> = (0..300_u32).map(|i| i * 7919 % (rows as u32 + 40)).collect();
        let indices = Indices::skipping(&ids, rows).with_padding(ids[5] as usize).unwrap();
        let mut gathered = vec![0.0; ids.len() * dim];
        reference::gather(table, indices, &mut gathered);
        for level in Level::available() {
            for start in [0, 1] {
                let mut out = vec![SENTINEL; ids.len() * dim + start];
                gather_at(level, table, indices, &mut out[start..]).unwrap();
                assert_eq!(bits(&out[start..]), bits(&gathered), "dim {dim} at {}", level.name());
                let mut out = vec![SENTINEL; ids.len() * dim + start];
                gather_stream_at(level, table, indices, &mut out[start..]).unwrap();
                assert_eq!(bits(&out[start..]), bits(&gathered), "streamed, dim {dim} at {}", level.name());
            }
        }
    }
}

#[test]
fn nothing_contributes_to_an_empty_bag_not_even_nan() {
    let values = [f32::NAN, 1.0];
    let table = Table::new(&values, 2, 1).unwrap();
    let bags =
        Bags::new(Indices::skipping(&[0_u8, 9, 0, 1], 2), &[0_u8, 0, 3, 4]).unwrap().with_padding(0).unwrap();
    for (level, pooling) in Level::available().flat_map(|level| Pooling::ALL.map(|pooling| (level, pooling)))
    {
        let mut out = [SENTINEL; 3];
        pool_at(level, table, &bags, pooling, &mut out).unwrap();
        assert_eq!(bits(&out), bits(&[0.0, 0.0, 1.0]), "{}", level.name());
        let mut gradient = [0.0; 2];
        let mut to = TableMut::new(&mut gradient, 2, 1).unwrap();
        scatter_add_bags_at(level, &[f32::NAN, f32::NAN, 2.0], &bags, pooling, &mut to).unwrap();
        assert_eq!(bits(&gradient), bits(&[0.0, 2.0]), "{}", level.name());
        let mut d_weights = [SENTINEL; 4];
        weight_gradients_at(level, table, &bags, pooling, &[f32::NAN, f32::NAN, 2.0], &mut d_weights)
            .unwrap();
        assert_eq!(bits(&d_weights[..3]), [0; 3], "{}", level.name());
        let (mut out, mut positions) = ([SENTINEL; 3], [7; 3]);
        pool_max_at(level, table, &bags, &mut out, &mut positions).unwrap();
        assert_eq!((bits(&out), positions), (bits(&[0.0, 0.0, 1.0]), [NO_ID, NO_ID, 3]), "{}", level.name());
    }
}

#[test]
fn weights_that_sum_to_nothing_pool_to_zeros_and_learn_nothing() {
    let table = [[1.0, 10.0], [2.0, 20.0]];
    let table = Table::from_rows(&table);
    let bags = Bags::fixed(Indices::new(&[0_u16, 1], 2).unwrap(), 1, 2).unwrap();
    for (pooling, weights) in [(Pooling::WeightedMean, [1.5, -1.5]), (Pooling::SqrtN, [0.0, -0.0])] {
        let bags = bags.with_weights(&weights).unwrap();
        for level in Level::available() {
            let (mut out, mut gradient, mut d_weights) = ([7.0; 2], [[1.0; 2]; 2], [7.0; 2]);
            pool_at(level, table, &bags, pooling, &mut out).unwrap();
            let to = &mut TableMut::from_rows(&mut gradient);
            scatter_add_bags_at(level, &[1.0, 2.0], &bags, pooling, to).unwrap();
            weight_gradients_at(level, table, &bags, pooling, &[1.0, 2.0], &mut d_weights).unwrap();
            assert_eq!((out, gradient, d_weights), ([0.0; 2], [[1.0; 2]; 2], [0.0; 2]), "{pooling:?}");
        }
    }
}

/// The gradients of the weights against differences of the pooled bag.
#[test]
fn weight_gradients_are_slopes() {
    let (rows, dim) = (5, 7);
    let values: Vec<f32> = (0..rows * dim).map(|i| (i as f32 * 0.7).sin()).collect();
    let d_out: Vec<f32> = (0..2 * dim).map(|i| (i as f32 * 1.3).cos()).collect();
    let table = Table::new(&values, rows, dim).unwrap();
    let indices = Indices::new(&[4_u8, 0, 2, 4, 1], rows).unwrap();
    let weights = [0.5, 2.0, -0.75, 1.0, 1.5];
    for pooling in Pooling::ALL {
        let value = |weights: &[f32]| {
            let bags = Bags::new(indices, &[0_u8, 3, 5]).unwrap().with_weights(weights).unwrap();
            let mut out = vec![0.0; 2 * dim];
            pool_at(Level::current(), table, &bags, pooling, &mut out).unwrap();
            out.iter().zip(&d_out).map(|(y, d)| f64::from(*y) * f64::from(*d)).sum::<f64>()
        };
        let bags = Bags::new(indices, &[0_u8, 3, 5]).unwrap().with_weights(&weights).unwrap();
        let mut d_weights = [0.0; 5];
        weight_gradients_at(Level::current(), table, &bags, pooling, &d_out, &mut d_weights).unwrap();
        for (i, found) in d_weights.into_iter().enumerate() {
            let at = |step: f32| {
                value(&std::array::from_fn::<f32, 5, _>(|j| weights[j] + if i == j { step } else { 0.0 }))
            };
            let slope = (at(0.01) - at(-0.01)) / 0.02;
            let difference = (f64::from(found) - slope).abs();
            assert!(difference <= 2e-3, "{pooling:?}, weight {i}: {found} and {slope}");
        }
    }
}

#[test]
fn pooling_by_hand_with_weights_and_padding() {
    let table = [[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]];
    let table = Table::from_rows(&table);
    let bags = Bags::fixed(Indices::new(&[0_u16, 1, 2, 2], 3).unwrap(), 1, 4).unwrap();
    let bags = bags.with_weights(&[1.0, 100.0, 3.0, 0.5]).unwrap().with_padding(1).unwrap();
    let mut out = [0.0; 2];
    pool_at(Level::current(), table, &bags, Pooling::Sum, &mut out).unwrap();
    assert_eq!(out, [15.0, 150.0]);
    pool_at(Level::current(), table, &bags, Pooling::Mean, &mut out).unwrap();
    assert_eq!(out, [5.0, 50.0]);
    let mut gradient = [[1.0; 2]; 3];
    scatter_add_bags_at(
        Level::current(),
        &[6.0, 60.0],
        &bags,
        Pooling::Mean,
        &mut TableMut::from_rows(&mut gradient),
    )
    .unwrap();
    assert_eq!(gradient, [[3.0, 21.0], [1.0, 1.0], [1.0 + 6.0 + 1.0, 1.0 + 60.0 + 10.0]]);
}

#[test]
fn failed_calls_change_nothing() {
    let values = [1.0; 12];
    let table = Table::new(&values, 4, 3).unwrap();
    let (ids, offsets) = ([0_u8, 1], [0_u8, 1, 2]);
    let good = Indices::new(&ids, 4).unwrap();
    let other = Indices::new(&ids, 5).unwrap();
    for level in Level::available() {
        for (indices, length) in [(good, 5), (good, 7), (good, 0), (other, 6)] {
            let bags = Bags::new(indices, &offsets).unwrap();
            let expected = if indices.rows() == 4 {
                (ShapeMismatch { what: "output length", expected: 6, found: length }, "gradients")
            } else {
                (ShapeMismatch { what: "rows of the indices", expected: 4, found: 5 }, "rows of the indices")
            };
            let mut out = vec![SENTINEL; length];
            assert_eq!(gather_at(level, table, indices, &mut out), Err(expected.0));
            assert_eq!(gather_stream_at(level, table, indices, &mut out), Err(expected.0));
            assert_eq!(pool_at(level, table, &bags, Pooling::Sum, &mut out), Err(expected.0));
            let mut positions = [7; 6];
            assert_eq!(pool_max_at(level, table, &bags, &mut out, &mut positions), Err(expected.0));
            assert_eq!(positions, [7; 6]);
            assert!(out.iter().all(|&x| x == SENTINEL));

            let expected = Err(ShapeMismatch { what: expected.1, ..expected.0 });
            let mut changed = values;
            let mut to = TableMut::new(&mut changed, 4, 3).unwrap();
            assert_eq!(scatter_add_at(level, &out, indices, &mut to), expected);
            assert_eq!(scatter_add_bags_at(level, &out, &bags, Pooling::Mean, &mut to), expected);
            assert_eq!(scatter_add_max(&out, &[0; 6], &bags, &mut to), expected);
            assert_eq!(changed, values);
            let mut d_weights = [SENTINEL; 2];
            assert_eq!(
                weight_gradients_at(level, table, &bags, Pooling::Sum, &out, &mut d_weights),
                expected
            );
            assert_eq!(d_weights, [SENTINEL; 2]);
        }
    }
}
