//! Inner products with rows of each format, and norms, have the bits of `reference` at every level.

use crate::common::{bits_with_one_nan, draw, hash};
use nanoembed::internals::reference::{self, FormatSpec};
use nanoembed::internals::{inverse_norms_at, scores_at};
use nanoembed::simd::Level;
use nanoembed::table::{Bf16, F16, F32, I4, I8, Table, TableMut, U2, U4, U8};
use nanoembed::zerocopy::FromBytes;
use proptest::prelude::*;
use rand_core::SeedableRng;

/// Written around what a kernel may write.
const SENTINEL: f32 = -1234.5;

/// Dims at the edges of lanes, of codes taken at once, of sums in 32 bits, and of what is coded at once.
const DIMS: [usize; 20] =
    [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 65, 100, 255, 256, 257, 300, 1023, 1025, 1400];

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    dim: usize,
    rows: usize,
    queries: usize,
    gap: usize,
    /// Bytes that no quantisation would write.
    any_bytes: bool,
    query: u8,
}

fn cases() -> impl Strategy<Value = Case> {
    let extents = (prop::sample::select(DIMS.as_slice()), 0..70_usize, 0..6_usize, 0..3_usize);
    (any::<u64>(), extents, any::<bool>(), 0..8_u8).prop_map(
        |(seed, (dim, rows, queries, gap), any_bytes, query)| Case {
            seed,
            dim,
            rows,
            queries,
            gap,
            any_bytes,
            query,
        },
    )
}

impl Case {
    fn queries(&self) -> Vec<f32> {
        let mut random = crate::common::Random::seed_from_u64(self.seed);
        let mut numbers: Vec<f32> = (0..self.queries * self.dim).map(|_| draw(&mut random)).collect();
        let size = [1.0, 1e-3, 1e30, 1e-36, 0.0, 1.0, 1.0, 1.0][usize::from(self.query)];
        for x in &mut numbers {
            *x *= size;
        }
        if let Some(x) = numbers.get_mut(hash(self.seed, 1) as usize % 100) {
            *x = match self.query {
                5 => f32::NAN,
                6 => f32::NEG_INFINITY,
                7 => 1.0,
                _ => *x,
            };
        }
        numbers
    }

    fn check<F: FormatSpec>(&self) {
        let (rows, dim) = (self.rows, self.dim);
        let stride = F::row_length(dim) + self.gap;
        let mut values: Vec<F::Element> = (0..rows * stride)
            .map(|i| F::Element::read_from_prefix(&hash(!self.seed, i).to_le_bytes()).expect("8 bytes").0)
            .collect();
        if !self.any_bytes {
            let mut random = crate::common::Random::seed_from_u64(self.seed + 1);
            let numbers: Vec<f32> = (0..rows * dim).map(|_| draw(&mut random)).collect();
            let mut to = TableMut::<F>::packed_with_stride(&mut values, rows, dim, stride).unwrap();
            reference::quantise(Table::new(&numbers, rows, dim).unwrap(), &mut to);
        }
        let table = Table::<F>::packed_with_stride(&values, rows, dim, stride).unwrap();
        self.check_table(table);
    }

    /// A gap stands behind each row.
    fn view<'a>(&self, c: &'a mut [f32]) -> TableMut<'a> {
        TableMut::with_stride(c, self.queries, self.rows, self.rows + 1).unwrap()
    }

    fn check_table<F: FormatSpec>(&self, table: Table<'_, F>) {
        let numbers = self.queries();
        let queries = Table::new(&numbers, self.queries, self.dim).unwrap();
        let reach = self.queries * (self.rows + 1);
        let mut expected = vec![SENTINEL; reach];
        reference::scores(queries, table, &mut self.view(&mut expected));
        let (mut norms, mut expected_norms) = (vec![SENTINEL; self.rows], vec![0.0; self.rows]);
        reference::inverse_norms(table, &mut expected_norms);
        for level in Level::available() {
            let mut found = vec![SENTINEL; reach];
            scores_at(level, queries, table, &mut self.view(&mut found)).unwrap();
            let what = format!("{} at {}, {self:?}", F::NAME, level.name());
            assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "{what}");
            inverse_norms_at(level, table, &mut norms).unwrap();
            assert_eq!(bits_with_one_nan(&norms), bits_with_one_nan(&expected_norms), "{what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn scores_of_all_formats(case in cases()) {
        case.check::<F32>();
        case.check::<F16>();
        case.check::<Bf16>();
        case.check::<U8>();
        case.check::<U4>();
        case.check::<U2>();
        case.check::<I8>();
        case.check::<I4>();
    }
}

#[test]
fn an_i8_table_has_a_scale() {
    let codes = [1_u8, 2, 0xff, 0x80];
    let table = Table::<I8>::packed(&codes, 2, 2).unwrap().with_scale(0.25);
    let query = [2.0, 1.0];
    for level in Level::available() {
        let mut found = [0.0; 2];
        let mut c = TableMut::new(&mut found, 1, 2).unwrap();
        scores_at(level, Table::from_rows(&[query]), table, &mut c).unwrap();
        // 0.25 (2 · 1 + 2) and 0.25 (−2 − 128), by a vector of 16 bits.
        for (found, exact) in found.into_iter().zip([1.0, -32.5]) {
            assert!((found / exact - 1.0).abs() < 1e-4, "{found} at {}", level.name());
        }
        let mut norms = [0.0; 2];
        inverse_norms_at(level, table, &mut norms).unwrap();
        assert_eq!(norms[0].to_bits(), nanoembed::math::rsqrt(0.0625 + 0.25).to_bits());
    }
}

#[test]
fn shapes_that_disagree_are_refused_and_nothing_is_written() {
    let (table, queries) = (Table::from_rows(&[[1.0; 3]; 2]), Table::from_rows(&[[1.0; 2]; 1]));
    let mut c = [SENTINEL; 2];
    let mut view = TableMut::new(&mut c, 1, 2).unwrap();
    let refused = scores_at(Level::current(), queries, table, &mut view).unwrap_err();
    assert_eq!((refused.what, refused.expected, refused.found), ("dim of the query", 3, 2));
    let queries = Table::from_rows(&[[1.0; 3]; 1]);
    let mut narrow = TableMut::new(&mut c[..1], 1, 1).unwrap();
    assert!(scores_at(Level::current(), queries, table, &mut narrow).is_err());
    assert!(inverse_norms_at(Level::current(), table, &mut c[..1]).is_err());
    assert_eq!(c, [SENTINEL; 2]);
}
