//! Tables of 16 and 8 bits that are trained in place: the rows are the ones of the `f32` step rounded by the hash of (seed, step, row,
//! column), at every level; the roundings have no bias; rows that do not occur keep their bytes; failed calls change nothing.

use crate::common::hash;
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::reference::{self, RoundedFormatSpec};
use nanoembed::internals::{quantise_rounded_at, update_rows_at, update_rows_rounded_at};
use nanoembed::kernels::Noise;
use nanoembed::optim::{Adam, Optimizer, Sgd};
use nanoembed::simd::Level;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Bf16, F16, Table, TableMut, U8};
use nanoembed::zerocopy::IntoBytes;
use proptest::prelude::*;
use proptest::sample::select;

fn number(seed: u64, i: usize) -> f32 {
    (hash(seed, i) >> 40) as f32 / 8_388_608.0 - 1.0
}

fn packed<F: RoundedFormatSpec>(numbers: &[f32], rows: usize, dim: usize) -> Vec<F::Element> {
    let size = size_of::<F::Element>() * F::row_length(dim) * rows;
    let bytes = vec![0_u64; size.div_ceil(8)];
    let mut elements = Vec::new();
    for element in
        <[F::Element] as nanoembed::zerocopy::FromBytes>::ref_from_bytes(&bytes.as_bytes()[..size]).unwrap()
    {
        elements.push(*element);
    }
    let mut to = TableMut::<F>::packed(&mut elements, rows, dim).unwrap();
    reference::quantise(Table::new(numbers, rows, dim).unwrap(), &mut to);
    elements
}

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    step: u32,
    rows: usize,
    dim: usize,
    touched: Vec<u32>,
}

fn cases() -> impl Strategy<Value = Case> {
    (1_usize..20).prop_flat_map(|rows| {
        let dims = select(&[0_usize, 1, 3, 8, 15, 16, 17, 33, 64, 100][..]);
        (any::<u64>(), any::<u32>(), dims, prop::collection::vec(0..rows as u32, 0..30))
            .prop_map(move |(seed, step, dim, touched)| Case { seed, step, rows, dim, touched })
    })
}

impl Case {
    fn check<F: RoundedFormatSpec + nanoembed::internals::Trainable>(&self, optimizer: &impl Optimizer) {
        let Self { seed, rows, dim, .. } = *self;
        let numbers: Vec<f32> = (0..rows * dim).map(|i| number(seed, i)).collect();
        let gradients: Vec<f32> = (0..self.touched.len() * dim).map(|i| number(!seed, i)).collect();
        let before = packed::<F>(&numbers, rows, dim);
        let rule = optimizer.rule(3);
        let slots_dim = <_ as Rule>::slots_of(&rule, dim);
        let slots_before: Vec<f32> = (0..rows * slots_dim).map(|i| number(seed ^ 5, i).abs()).collect();
        let noise = Noise { seed, step: self.step, first_row: 0 };
        let mut list: Vec<Occurrence> = Vec::new();
        for (source, &row) in self.touched.iter().enumerate() {
            list.push(Occurrence { row, source: source as u32 });
        }
        let mut scratch = vec![Occurrence::default(); list.len()];
        let (mut sum, mut weights) = (vec![0.0; 2 * dim], vec![0.0; dim]);
        let gradients = Table::new(&gradients, self.touched.len(), dim).unwrap();
        for level in Level::available() {
            // The step in f32, on the decoded table.
            let mut expected = vec![0.0; rows * dim];
            let table = Table::<F>::packed(&before, rows, dim).unwrap();
            reference::dequantise(table, &mut TableMut::new(&mut expected, rows, dim).unwrap());
            let mut expected_slots = slots_before.clone();
            let occurrences = SortedOccurrences::sort(&mut list, &mut scratch).unwrap();
            let mut touched = SparseGradient { occurrences, gradients, scratch: &mut sum };
            let mut to = TableMut::new(&mut expected, rows, dim).unwrap();
            let mut slots = TableMut::new(&mut expected_slots, rows, slots_dim).unwrap();
            update_rows_at(level, rule, &mut to, &mut slots, &mut touched).unwrap();

            let (mut found, mut found_slots) = (before.clone(), slots_before.clone());
            let mut to = TableMut::<F>::packed(&mut found, rows, dim).unwrap();
            let mut slots = TableMut::new(&mut found_slots, rows, slots_dim).unwrap();
            update_rows_rounded_at(level, rule, noise, &mut to, &mut slots, &mut touched, &mut weights)
                .unwrap();

            let length = F::row_length(dim);
            for row in 0..rows {
                let found = &found[row * length..][..length];
                let mut rounded = before[row * length..][..length].to_vec();
                if self.touched.contains(&(row as u32)) {
                    let random = |column| reference::noise(seed, self.step, row, column);
                    F::encode_rounded(&expected[row * dim..][..dim], &mut rounded, random);
                }
                assert_eq!(found.as_bytes(), rounded.as_bytes(), "{} at {}", F::NAME, level.name());
            }
            assert_eq!(found_slots.as_bytes(), expected_slots.as_bytes());
        }
    }
}

/// How many numbers of state a rule keeps for `dim` weights.
trait Rule {
    fn slots_of(&self, dim: usize) -> usize;
}

impl<R: nanoembed::sparse::UpdateRule> Rule for R {
    fn slots_of(&self, dim: usize) -> usize {
        R::slots(dim)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_those_of_the_f32_step_rounded_by_the_hash(case in cases()) {
        case.check::<F16>(&Adam::default());
        case.check::<Bf16>(&Sgd::default());
        case.check::<U8>(&Adam::default());
    }
}

/// The mean over many seeds is the number: its distance stays within five standard errors of a rounding that is up in `way` of all
/// cases.
#[test]
fn the_mean_of_many_roundings_is_the_number() {
    fn check<F: RoundedFormatSpec + nanoembed::internals::Trainable>() {
        const DIM: usize = 20;
        const SEEDS: u64 = 4000;
        let numbers: Vec<f32> =
            (0..DIM).map(|i| number(9, i) * 0.3 + if i == 0 { 1e-7 } else { 0.0 }).collect();
        let mut row = packed::<F>(&numbers, 1, DIM);
        let mut sums = [0.0_f64; DIM];
        let (mut low, mut high) = ([f64::INFINITY; DIM], [f64::NEG_INFINITY; DIM]);
        for seed in 0..SEEDS {
            let mut to = TableMut::<F>::packed(&mut row, 1, DIM).unwrap();
            let from = Table::new(&numbers, 1, DIM).unwrap();
            quantise_rounded_at(Level::current(), from, Noise { seed, step: 7, first_row: 0 }, &mut to)
                .unwrap();
            let table = Table::<F>::packed(&row, 1, DIM).unwrap();
            for column in 0..DIM {
                let x = f64::from(F::number(table, 0, column));
                sums[column] += x;
                low[column] = if x < low[column] { x } else { low[column] };
                high[column] = if x > high[column] { x } else { high[column] };
            }
        }
        for column in 0..DIM {
            let (x, mean) = (f64::from(numbers[column]), sums[column] / SEEDS as f64);
            let step = high[column] - low[column];
            // A number near to one that can be stored is seldom rounded to the other: then nothing is seen of it.
            let error = 5.0 * step * 0.5 / (SEEDS as f64).sqrt() + 1e-6;
            assert!(
                (mean - x).abs() <= error,
                "{}: column {column}, mean {mean} of {x} within {error}",
                F::NAME
            );
            assert!(low[column] <= x + 1e-6 && x - 1e-6 <= high[column], "{}: {x} is between", F::NAME);
        }
        assert!((0..DIM).filter(|&column| high[column] > low[column]).count() > DIM / 2, "some are rounded");
    }
    check::<F16>();
    check::<Bf16>();
    check::<U8>();
}

#[test]
fn noise_depends_on_seed_step_row_and_column() {
    let base = reference::noise(1, 2, 3, 4);
    for other in [
        reference::noise(2, 2, 3, 4),
        reference::noise(1 << 32 | 1, 2, 3, 4),
        reference::noise(1, 3, 3, 4),
        reference::noise(1, 2, 4, 4),
        reference::noise(1, 2, 3, 5),
        reference::noise(1, 3, 2, 4),
    ] {
        assert_ne!(other, base);
    }
    // Each of the 32 bits is set in half of many columns.
    let mut counts = [0_u32; 32];
    for column in 0..4000 {
        let random = reference::noise(5, 6, 7, column);
        for (bit, count) in counts.iter_mut().enumerate() {
            *count += random >> bit & 1;
        }
    }
    assert!(counts.iter().all(|&count| count.abs_diff(2000) < 160), "{counts:?}");
}

#[test]
fn shapes_that_do_not_fit_change_nothing() {
    let before = [7_u16; 3 * 4];
    let mut values = before;
    let mut list = [Occurrence { row: 2, source: 0 }];
    let occurrences = SortedOccurrences::sort(&mut list, &mut [Occurrence::default()]).unwrap();
    let gradients = [[1.0; 4]];
    let mut sum = [0.0; 8];
    let mut touched =
        SparseGradient { occurrences, gradients: Table::from_rows(&gradients), scratch: &mut sum };
    let (noise, rule) = (Noise { seed: 1, step: 1, first_row: 0 }, Sgd::default().rule(1));
    let mut table = TableMut::<F16>::packed(&mut values, 3, 4).unwrap();
    let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    for level in Level::available() {
        let mut slots = TableMut::new(&mut [], 3, 0).unwrap();
        let weights = &mut [0.0; 3];
        let found = update_rows_rounded_at(level, rule, noise, &mut table, &mut slots, &mut touched, weights);
        assert_eq!(found, error("weights length", 4, 3));
        let mut slots = TableMut::new(&mut [], 2, 0).unwrap();
        let weights = &mut [0.0; 4];
        let found = update_rows_rounded_at(level, rule, noise, &mut table, &mut slots, &mut touched, weights);
        assert_eq!(found, error("rows of slots", 3, 2));
        let from = [[1.0; 4]; 2];
        assert_eq!(
            quantise_rounded_at(level, Table::from_rows(&from), noise, &mut table),
            error("rows", 2, 3)
        );
    }
    assert_eq!(values, before);
}
