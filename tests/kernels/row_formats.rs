//! Row formats: quantise, dequantise, gather and pool from packed rows give the reference's bits at every level, for all formats,
//! dims around every block edge, gaps between rows, weights, padding and empty bags; also for bytes that no
//! quantisation would write. Errors change nothing.

use crate::cases::{Case, cases};
use crate::common::{bits_with_one_nan, hash};
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::reference::{self, FormatSpec};
use nanoembed::internals::{
    Index, Policy, dequantise, dequantise_at, dequantise_row_at, gather_at, pool_at, pool_max_at, quantise,
    quantise_at, quantise_row_at,
};
use nanoembed::simd::Level;
use nanoembed::table::{
    AnyTable, Bags, Bf16, F16, Format, I4, I8, Indices, Pooling, Table, TableMut, U2, U4, U8,
};
use nanoembed::zerocopy::{FromBytes, IntoBytes};
use proptest::prelude::*;

const DIMS: [usize; 25] =
    [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 47, 63, 64, 65, 100, 128, 131, 200];

/// Written behind every output, and between the rows of a table.
const SENTINEL: f32 = -1234.5;

/// Numbers as weights are, of one row rather large or small, some rows of one value.
fn number(seed: u64, row: usize, column: usize) -> f32 {
    let x = hash(seed, row * 1000 + column);
    let unit = (x & 0xffff) as f32 / 32768.0 - 1.0;
    match hash(!seed, row) % 9 {
        0 => 0.5,
        1 => unit * 1e30,
        2 => unit * 1e-30,
        3 => unit * 1e-6 + 3.0,
        4 if x & 0x7_0000 == 0 => [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0][(x >> 20) as usize % 4],
        _ => unit,
    }
}

fn elements<E: FromBytes + IntoBytes + Copy>(seed: u64, count: usize) -> Vec<E> {
    (0..count)
        .map(|i| E::read_from_prefix(&hash(seed, i).to_le_bytes()).expect("an element has at most 8 bytes").0)
        .collect()
}

impl Case {
    fn numbers(&self) -> Vec<f32> {
        let number = |i: usize| number(self.seed, i / self.dim, i % self.dim);
        (0..self.rows * self.dim).map(number).collect()
    }

    /// The elements of a table in the format: any bytes, or quantised by the reference; the kernels' agree.
    fn packed<F: FormatSpec>(&self, any_bytes: bool) -> (Vec<F::Element>, usize) {
        let (rows, dim) = (self.rows, self.dim);
        let stride = F::row_length(dim) + self.gap;
        let mut values: Vec<F::Element> = elements(!self.seed, rows * stride);
        if any_bytes {
            return (values, stride);
        }
        let numbers = self.numbers();
        let from = Table::new(&numbers, rows, dim).unwrap();
        let before = values.clone();
        let mut to = TableMut::<F>::packed_with_stride(&mut values, rows, dim, stride).unwrap();
        reference::quantise(from, &mut to);
        for level in Level::available() {
            let mut found = before.clone();
            let mut to = TableMut::<F>::packed_with_stride(&mut found, rows, dim, stride).unwrap();
            quantise_at(level, from, &mut to).unwrap();
            assert_eq!(found.as_bytes(), values.as_bytes(), "quantise to {} at {}", F::NAME, level.name());
            let mut found = before.clone();
            let mut to = TableMut::<F>::packed_with_stride(&mut found, rows, dim, stride).unwrap();
            for row in 0..rows {
                quantise_row_at(level, from.row(row).unwrap(), row, &mut to).unwrap();
            }
            assert_eq!(found.as_bytes(), values.as_bytes(), "by row, {} at {}", F::NAME, level.name());
        }
        (values, stride)
    }

    fn check_format<F: FormatSpec>(&self, any_bytes: bool)
    where
        for<'a> AnyTable<'a>: From<Table<'a, F>>,
    {
        let (values, stride) = self.packed::<F>(any_bytes);
        let table = Table::<F>::packed_with_stride(&values, self.rows, self.dim, stride).unwrap();
        self.check_dequantise(table);
        // The ids are checked before a kernel sees the table, and `rows` runs all their types.
        let ids: Vec<u32> = self.ids.iter().map(|&id| id as u32).collect();
        let indices = Indices::skipping(&ids, self.rows);
        self.check_ids(table, indices);
        let mut expected = vec![0.0; ids.len() * self.dim];
        reference::gather(table, indices, &mut expected);
        let mut found = vec![SENTINEL; ids.len() * self.dim];
        AnyTable::from(table).gather(indices, &mut found).unwrap();
        assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected));
        let bags = Bags::fixed(indices, 1, ids.len()).unwrap();
        let (mut expected, mut found) = (vec![0.0; self.dim], vec![SENTINEL; self.dim]);
        reference::pool(table, &bags, self.pooling, &mut expected);
        AnyTable::from(table).pool(&bags, self.pooling, &mut found).unwrap();
        assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected));
        let (mut expected_positions, mut positions) = (vec![7; self.dim], vec![8; self.dim]);
        reference::pool_max(table, &bags, &mut expected, &mut expected_positions);
        AnyTable::from(table).pool_max(&bags, &mut found, &mut positions).unwrap();
        assert_eq!(
            (bits_with_one_nan(&found), positions),
            (bits_with_one_nan(&expected), expected_positions)
        );
        let (mut expected, mut found) =
            (vec![0.0; self.rows * self.dim], vec![SENTINEL; self.rows * self.dim]);
        reference::dequantise(table, &mut TableMut::new(&mut expected, self.rows, self.dim).unwrap());
        AnyTable::from(table)
            .dequantise(&mut TableMut::new(&mut found, self.rows, self.dim).unwrap())
            .unwrap();
        assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected));
        let any = AnyTable::from(table);
        assert_eq!((any.format(), any.rows(), any.dim()), (F::NAME, self.rows, self.dim));
    }

    fn check_dequantise<F: FormatSpec>(&self, table: Table<'_, F>) {
        let (rows, dim) = (self.rows, self.dim);
        let mut expected = vec![SENTINEL; rows * dim];
        reference::dequantise(table, &mut TableMut::new(&mut expected, rows, dim).unwrap());
        for level in Level::available() {
            let mut found = vec![SENTINEL; rows * dim];
            dequantise_at(level, table, &mut TableMut::new(&mut found, rows, dim).unwrap()).unwrap();
            assert_eq!(
                bits_with_one_nan(&found),
                bits_with_one_nan(&expected),
                "dequantise {} at {}",
                F::NAME,
                level.name()
            );
            let mut found = vec![SENTINEL; dim];
            dequantise_row_at(level, table, rows - 1, &mut found).unwrap();
            assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected[(rows - 1) * dim..]));
        }
    }

    fn check_ids<F: FormatSpec, I: Index, P: Policy>(&self, table: Table<'_, F>, indices: Indices<'_, I, P>) {
        let offsets = self.offsets();
        let bags = Bags::new(indices, &offsets).unwrap();
        let weights: Vec<f32> = (0..self.ids.len()).map(|i| number(self.seed ^ 1, 8, i)).collect();
        let bags = if self.weighted { bags.with_weights(&weights).unwrap() } else { bags };
        let bags = self.padding.map_or(bags, |row| bags.with_padding(row).unwrap());

        let (gathered, pooled) = (indices.len() * self.dim, bags.len() * self.dim);
        let mut rows = vec![SENTINEL; gathered + 1];
        reference::gather(table, indices, &mut rows[..gathered]);
        let mut sums = vec![SENTINEL; pooled + 1];
        reference::pool(table, &bags, self.pooling, &mut sums[..pooled]);
        let (mut maxima, mut positions) = (vec![SENTINEL; pooled], vec![7; pooled]);
        reference::pool_max(table, &bags, &mut maxima, &mut positions);
        for level in Level::available() {
            let place = format!("{} at {}", F::NAME, level.name());
            let mut out = vec![f32::NAN; gathered + 1];
            out[gathered] = SENTINEL;
            gather_at(level, table, indices, &mut out[..gathered]).unwrap();
            assert_eq!(bits_with_one_nan(&out), bits_with_one_nan(&rows), "gather from {place}");
            let mut out = vec![f32::NAN; pooled + 1];
            out[pooled] = SENTINEL;
            pool_at(level, table, &bags, self.pooling, &mut out[..pooled]).unwrap();
            assert_eq!(bits_with_one_nan(&out), bits_with_one_nan(&sums), "pool from {place}");
            let (mut out, mut at) = (vec![f32::NAN; pooled], vec![9; pooled]);
            pool_max_at(level, table, &bags, &mut out, &mut at).unwrap();
            assert_eq!(
                (bits_with_one_nan(&out), at),
                (bits_with_one_nan(&maxima), positions.clone()),
                "pool_max from {place}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_level_gives_the_bits_of_the_reference(case in cases(&DIMS, 30, 40, 10), any_bytes: bool) {
        case.check_format::<F16>(any_bytes);
        case.check_format::<Bf16>(any_bytes);
        case.check_format::<U8>(any_bytes);
        case.check_format::<U4>(any_bytes);
        case.check_format::<U2>(any_bytes);
        case.check_format::<I8>(any_bytes);
        case.check_format::<I4>(any_bytes);
    }
}

/// Integers with one scale: what is quantised, read and summed with it.
macro_rules! check_integers {
    ($case:ident, $format:ident, $scale:ident) => {
        let (rows, dim) = ($case.rows, $case.dim);
        let numbers = $case.numbers();
        let from = Table::new(&numbers, rows, dim).unwrap();
        let mut bytes = vec![7; rows * $format::row_length(dim)];
        let mut to = TableMut::<$format>::packed(&mut bytes, rows, dim).unwrap().with_scale($scale);
        reference::quantise(from, &mut to);
        for level in Level::available() {
            let mut found = vec![9; bytes.len()];
            let mut to = TableMut::<$format>::packed(&mut found, rows, dim).unwrap().with_scale($scale);
            quantise_at(level, from, &mut to).unwrap();
            assert_eq!(found, bytes, "{} at {}, scale {}", $format::NAME, level.name(), $scale);
        }
        let table = Table::<$format>::packed(&bytes, rows, dim).unwrap().with_scale($scale);
        assert_eq!(table.scale(), $scale);
        $case.check_dequantise(table);
        let ids: Vec<u32> = $case.ids.iter().map(|&id| id as u32).collect();
        $case.check_ids(table, Indices::skipping(&ids, rows));
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_are_scaled_once(case in cases(&DIMS, 30, 40, 2), exponent in -30..5_i32, mantissa in 1.0..2.0_f32) {
        let scale = mantissa * f32::from_bits(((127 + exponent) as u32) << 23);
        check_integers!(case, I8, scale);
        check_integers!(case, I4, scale);
    }
}

/// The sums of bags of more rows than 16 bits hold, of two rows with 70 columns, at every level.
fn sums_of_many<F: Format>(table: Table<'_, F>, check: impl Fn(usize, &[f32; 70], &str)) {
    for count in [255, 256, 257, 1000, 70_000] {
        let ids: Vec<u8> = (0..count).map(|i| (i % 2) as u8).collect();
        let bags = Bags::fixed(Indices::new(&ids, 2).unwrap(), 1, count).unwrap();
        for level in Level::available() {
            let mut out = [0.0; 70];
            pool_at(level, table, &bags, Pooling::Sum, &mut out).unwrap();
            check(count, &out, level.name());
        }
    }
}

/// All codes at either end.
#[test]
fn bags_of_many_integers() {
    for (code, sum) in [(127_u8, 127.0), (0x80, -128.0)] {
        let bytes = [code; 2 * 70];
        let table = Table::<I8>::packed(&bytes, 2, 70).unwrap().with_scale(0.5);
        sums_of_many(table, |count, out, level| {
            assert_eq!(*out, [0.5 * (sum * count as f32); 70], "{count} at {level}");
        });
    }
    // Of 4 bits, one end in even columns and the other in odd ones.
    for (codes, even, odd) in [(0x87_u8, 7.0, -8.0), (0x78, -8.0, 7.0)] {
        let bytes = [codes; 2 * 35];
        let table = Table::<I4>::packed(&bytes, 2, 70).unwrap().with_scale(0.5);
        sums_of_many(table, |count, out, level| {
            for [first, second] in out.as_chunks().0 {
                let expected = (0.5 * (even * count as f32), 0.5 * (odd * count as f32));
                assert_eq!((*first, *second), expected, "{count} at {level}");
            }
        });
    }
}

/// A scale is refused where none fits, and is the best of those that are tried.
#[test]
fn scales_of_integers() {
    let mut rows = [[0.0; 9]; 40];
    for (i, x) in rows.as_flattened_mut().iter_mut().enumerate() {
        *x = (hash(11, i) % 1000) as f32 * 1e-3 - 0.5;
    }
    rows[7][3] = 40.0;
    let error = |rows: &[[f32; 9]; 40], scale: f32| {
        let mut bytes = vec![0; 40 * I4::row_length(9)];
        let mut to = TableMut::<I4>::packed(&mut bytes, 40, 9).unwrap().with_scale(scale);
        to.quantise(Table::from_rows(rows)).unwrap();
        let mut back = [[0.0; 9]; 40];
        let table = Table::<I4>::packed(&bytes, 40, 9).unwrap().with_scale(scale);
        table.dequantise(&mut TableMut::from_rows(&mut back)).unwrap();
        let pairs = rows.as_flattened().iter().zip(back.as_flattened());
        pairs.map(|(x, y)| f64::from(x - y) * f64::from(x - y)).sum::<f64>()
    };
    let scale = I4::scale_of(Table::from_rows(&rows), None).unwrap();
    for share in 1..=32 {
        assert!(error(&rows, scale) <= error(&rows, 40.0 / 7.0 * (share as f32 / 32.0)) * 1.000_001);
    }
    // Rows that occur often count more: all but the one with the great number.
    let mut times = [1_000_000; 40];
    times[7] = 0;
    assert!(I4::scale_of(Table::from_rows(&rows), Some(&times)).unwrap() < 0.1 * scale);
    assert_eq!(I8::scale_of(Table::from_rows(&[[0.0; 3]; 2]), None), Ok(1.0));
    assert_eq!(I8::scale_of(Table::from_rows(&[[0.0; 3]; 0]), None), Ok(1.0));
    for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut rows = rows;
        rows[5][8] = x;
        let found = I8::scale_of(Table::from_rows(&rows), None).unwrap_err();
        assert_eq!(found.row, 5);
        assert!(found.to_string().contains("row 5"));
    }
}

/// Values of all 16-bit patterns, through the vector instructions.
#[test]
fn every_half_has_its_value_at_every_level() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    for level in Level::available() {
        for dim in [1, 8, 16, 64] {
            let rows = halves.len() / dim;
            let mut found = vec![0.0; halves.len()];
            let mut to = TableMut::new(&mut found, rows, dim).unwrap();
            dequantise_at(level, Table::<F16>::packed(&halves, rows, dim).unwrap(), &mut to).unwrap();
            for (half, x) in halves.iter().zip(&found) {
                let expected = reference::f16_value(*half);
                assert_eq!(
                    bits_with_one_nan(&[*x]),
                    bits_with_one_nan(&[expected]),
                    "f16 {half:#x} at {}",
                    level.name()
                );
                // A quiet NaN stays one, a signalling one becomes one.
                assert!(!x.is_nan() || x.to_bits() & 1 << 22 != 0, "{half:#x} at {}", level.name());
                assert_eq!(x.to_bits(), F16::to_f32(*half).to_bits(), "{half:#x} at {}", level.name());
            }
            let mut to = TableMut::new(&mut found, rows, dim).unwrap();
            dequantise_at(level, Table::<Bf16>::packed(&halves, rows, dim).unwrap(), &mut to).unwrap();
            for (half, x) in halves.iter().zip(&found) {
                assert_eq!(
                    bits_with_one_nan(&[*x]),
                    bits_with_one_nan(&[reference::bf16_value(*half)]),
                    "bf16 {half:#x}"
                );
            }
        }
    }
}

#[test]
fn halves_are_rounded_as_the_reference_finds_them() {
    let special =
        [0.0, -0.0, 65504.0, 65519.99, 65520.0, 1e9, -1e9, 6e-8, 2.98e-8, 2.981e-8, 1e-40, f32::MAX];
    let random = (0..200_000_usize).map(|i| f32::from_bits(hash(3, i) as u32));
    let in_range =
        (0..200_000_usize).map(|i| f32::from_bits(0x3300_0000 + (hash(4, i) as u32 & 0x1fff_ffff)));
    for x in special.into_iter().chain(random).chain(in_range) {
        let (f16, bf16) = (F16::from_f32(x), Bf16::from_f32(x));
        if x.is_nan() {
            assert!(F16::to_f32(f16).is_nan() && Bf16::to_f32(bf16).is_nan());
        } else {
            assert_eq!((f16, bf16), (reference::f16_nearest(x), reference::bf16_nearest(x)), "{x:e}");
        }
    }
}

/// Half of the distance between two codes, and what scale and bias themselves are rounded by.
#[test]
fn numbers_come_back_within_half_a_step() {
    fn check<F: Format>(halves: f32) {
        let numbers: Vec<f32> = (0..64_usize).map(|i| (hash(5, i) % 1000) as f32 * 6e-4 - 0.3).collect();
        let mut row: Vec<F::Element> = elements(1, F::row_length(64));
        let mut back = [0.0; 64];
        let level = Level::current();
        quantise_row_at(level, &numbers, 0, &mut TableMut::<F>::packed(&mut row, 1, 64).unwrap()).unwrap();
        dequantise_row_at(level, Table::<F>::packed(&row, 1, 64).unwrap(), 0, &mut back).unwrap();
        let worst =
            numbers.iter().zip(back).map(|(x, y)| (x - y).abs()).fold(0.0, |a, b| if b > a { b } else { a });
        assert!(worst <= halves * 0.6 * 0.505 && worst > halves * 0.6 * 0.2, "{}: {worst}", F::NAME);
    }
    check::<U8>(1.0 / 255.0);
    check::<U4>(1.0 / 15.0);
    check::<U2>(1.0 / 3.0);
}

/// The last row is among the ids: of most of these dims what would be read with it does not follow.
#[test]
fn rows_of_packed_tables_above_the_caches_are_the_same() {
    for (dim, rows) in [(2, 110_000), (34, 25_000), (40, 22_000), (65, 15_000), (293, 3500)] {
        let stride = U8::row_length(dim);
        let values: Vec<u8> = elements(1, rows * stride);
        let table = Table::<U8>::packed(&values, rows, dim).unwrap();
        let mut ids: Vec<u32> = (0..1000_u32).map(|i| i * 7919 % rows as u32).collect();
        ids[500] = rows as u32 - 1;
        let indices = Indices::new(&ids, rows).unwrap();
        let bags = Bags::fixed(indices, 50, 20).unwrap();
        let weights: Vec<f32> = (0..1000).map(|i| (i as f32).sin()).collect();
        let mut gathered = vec![0.0; 1000 * dim];
        reference::gather(table, indices, &mut gathered);
        for level in Level::available() {
            let mut out = vec![f32::NAN; 1000 * dim];
            gather_at(level, table, indices, &mut out).unwrap();
            assert_eq!(bits_with_one_nan(&out), bits_with_one_nan(&gathered), "{level:?}, dim {dim}");
        }
        for bags in [bags, bags.with_weights(&weights).unwrap()] {
            let mut pooled = vec![0.0; 50 * dim];
            reference::pool(table, &bags, Pooling::Mean, &mut pooled);
            for level in Level::available() {
                let mut out = vec![f32::NAN; 50 * dim];
                pool_at(level, table, &bags, Pooling::Mean, &mut out).unwrap();
                assert_eq!(bits_with_one_nan(&out), bits_with_one_nan(&pooled), "{level:?}, dim {dim}");
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_change_nothing() {
    let mut bytes = [7_u8; 3 * 13];
    let error = |what, expected, found| ShapeMismatch { what, expected, found };
    assert_eq!(Table::<U8>::packed(&bytes, 3, 6).unwrap_err(), error("table length", 42, 39));
    assert_eq!(Table::<U4>::packed(&bytes, 3, usize::MAX).unwrap_err().what, "table length");
    assert_eq!(Table::<U8>::packed_with_stride(&bytes, 3, 6, 13).unwrap_err(), error("stride", 14, 13));
    assert_eq!(Table::<U2>::packed(&bytes, 3, 36).map(|table| table.stride()).unwrap(), 13);
    let numbers = [[1.0; 5]; 3];
    let (four, small) = ([[1.0; 4]; 3], [[1.0; 5]; 2]);
    let before = bytes;
    let mut table = TableMut::<U8>::packed(&mut bytes, 3, 5).unwrap();
    for level in Level::available() {
        assert_eq!(quantise_at(level, Table::from_rows(&four), &mut table), Err(error("dim", 4, 5)));
        assert_eq!(quantise_at(level, Table::from_rows(&small), &mut table), Err(error("rows", 2, 3)));
        assert_eq!(quantise_row_at(level, &[1.0; 4], 0, &mut table), Err(error("dim", 5, 4)));
        assert_eq!(quantise_row_at(level, &[1.0; 5], 3, &mut table), Err(error("rows, at least", 4, 3)));
        let mut out = numbers;
        let mut to = TableMut::from_rows(&mut out[..2]);
        assert_eq!(dequantise_at(level, table.as_table(), &mut to), Err(error("rows", 3, 2)));
        assert_eq!(dequantise_row_at(level, table.as_table(), 0, &mut out[0][..4]), Err(error("dim", 5, 4)));
        assert_eq!(
            dequantise_row_at(level, table.as_table(), 3, &mut out[0]),
            Err(error("rows, at least", 4, 3))
        );
        assert_eq!(out, numbers);
    }
    assert_eq!(bytes, before);
}

/// A row with NaN anywhere is read back as NaN: one that diverged does not look sound.
#[test]
fn nan_stays_visible_in_packed_rows() {
    fn check<F: FormatSpec<Element = u8>>() {
        for place in [0, 1, 16, 18] {
            let mut row = [1.0; 19];
            (row[3], row[place]) = (5.0, f32::NAN);
            let (mut bytes, mut back) = (vec![0; F::row_length(19)], [[0.0; 19]]);
            quantise(Table::from_rows(&[row]), &mut TableMut::<F>::packed(&mut bytes, 1, 19).unwrap())
                .unwrap();
            let table = Table::<F>::packed(&bytes, 1, 19).unwrap();
            dequantise(table, &mut TableMut::from_rows(&mut back)).unwrap();
            assert!(back[0].iter().all(|x| x.is_nan()), "{} with NaN at {place}: {back:?}", F::NAME);
        }
    }
    check::<U8>();
    check::<U4>();
    check::<U2>();
}
