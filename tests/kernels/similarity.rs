//! Searches find what a sort of all scores finds: the same rows in the same order, with the same bits.

use crate::common::{Random, bits, bits_with_one_nan, draw, hash};
use nanoembed::internals::reference::{self, FormatSpec};
use nanoembed::similarity::{Analogy, Neighbour, Search, cosine, inverse_norms, spearman};
use nanoembed::sparse::Occurrence;
use nanoembed::table::{F16, F32, I8, Table, TableMut, U8};
use nanoembed::zerocopy::FromZeros;
use proptest::prelude::*;
use rand_core::SeedableRng;

/// Rows of few numbers of few values, so that scores tie, or of any; some zero, some NaN.
fn numbers(seed: u64, rows: usize, dim: usize) -> Vec<f32> {
    let mut random = Random::seed_from_u64(seed);
    let few = seed.is_multiple_of(2);
    let mut numbers: Vec<f32> =
        (0..rows * dim).map(|_| draw(&mut random)).map(|x| if few { (x * 2.0).round() } else { x }).collect();
    for (row, numbers) in numbers.chunks_exact_mut(dim.max(1)).enumerate() {
        match hash(seed, row) % 23 {
            0 => numbers.fill(0.0),
            1 if seed.is_multiple_of(3) => numbers[0] = f32::NAN,
            2 if seed.is_multiple_of(3) => numbers[0] = f32::INFINITY,
            _ => {}
        }
    }
    numbers
}

/// All rows with a score, in order, by a sort.
fn sorted(scores: impl IntoIterator<Item = f32>, without: &[usize], k: usize) -> Vec<Neighbour> {
    let all = scores.into_iter().enumerate().map(|(row, score)| Neighbour { row, score });
    let mut all: Vec<Neighbour> =
        all.filter(|n| n.score > f32::NEG_INFINITY && !without.contains(&n.row)).collect();
    all.sort_by(|a, b| b.score.partial_cmp(&a.score).expect("no NaN").then(a.row.cmp(&b.row)));
    all.truncate(k);
    all
}

fn assert_same(found: &[Neighbour], expected: &[Neighbour], what: &str) {
    let parts = |list: &[Neighbour]| -> Vec<(usize, u32)> {
        // A score of −0 equals one of +0.
        list.iter().map(|n| (n.row, n.score.to_bits())).collect()
    };
    assert_eq!(parts(found), parts(expected), "{what}");
}

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    rows: usize,
    dim: usize,
    vectors: usize,
    k: usize,
    without: Vec<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let rows = prop_oneof![0..40_usize, 200..700_usize];
    let dim = prop::sample::select(vec![1, 2, 3, 16, 33, 64]);
    let k = prop_oneof![0..4_usize, Just(10), 40..900_usize];
    (any::<u64>(), rows, dim, 0..10_usize, k, prop::collection::vec(0..60_usize, 0..4))
        .prop_map(|(seed, rows, dim, vectors, k, without)| Case { seed, rows, dim, vectors, k, without })
}

impl Case {
    fn check<F: FormatSpec>(&self) {
        let (rows, dim) = (self.rows, self.dim);
        let numbers = numbers(self.seed, rows, dim);
        let mut values = vec![F::Element::new_zeroed(); rows * F::row_length(dim)];
        let mut to = TableMut::<F>::packed(&mut values, rows, dim).unwrap();
        reference::quantise(Table::new(&numbers, rows, dim).unwrap(), &mut to);
        let table = Table::<F>::packed(&values, rows, dim).unwrap();
        let vectors = self::numbers(self.seed ^ 2, self.vectors, dim);
        let vectors = Table::new(&vectors, self.vectors, dim).unwrap();

        let mut scores = vec![0.0; self.vectors * rows];
        reference::scores(vectors, table, &mut TableMut::new(&mut scores, self.vectors, rows).unwrap());
        let mut norms = vec![f32::NAN; rows];
        inverse_norms(table, &mut norms).unwrap();
        let mut own_norms = vec![0.0; self.vectors];
        reference::inverse_norms(vectors, &mut own_norms);
        let cosines: Vec<f32> = (0..scores.len())
            .map(|i| scores[i] * norms[i % rows.max(1)] * own_norms[i / rows.max(1)])
            .collect();
        let by_product = Search::inner_product(table).without(&self.without);
        let by_cosine = Search::cosine(table, &norms).unwrap().without(&self.without);
        for (search, scores, how) in [(by_product, &scores, "product"), (by_cosine, &cosines, "cosine")] {
            let what = format!("{} by {how}, {self:?}", F::NAME);
            let mut of_each = vec![Neighbour { row: 7, score: 7.0 }; self.vectors * self.k];
            search.nearest_of_each(vectors, self.k, &mut of_each).unwrap();
            for i in 0..self.vectors {
                let expected = sorted(scores[i * rows..][..rows].iter().copied(), &self.without, self.k);
                let mut found = vec![Neighbour { row: 3, score: 9.0 }; self.k];
                let nearest = search.nearest(vectors.row(i).unwrap(), &mut found).unwrap();
                assert_same(nearest, &expected, &what);
                let (with_score, none) = of_each[i * self.k..][..self.k].split_at(expected.len());
                assert_same(with_score, &expected, &what);
                assert!(none.iter().all(|n| *n == Neighbour::NONE), "{what}");
            }
        }
        if self.vectors >= 3 {
            self.check_analogies(by_cosine, vectors, &cosines);
        }
    }

    fn check_analogies<F: FormatSpec>(&self, search: Search<'_, F>, vectors: Table<'_>, cosines: &[f32]) {
        let [a, b, c] = [0, 1, 2].map(|i| &cosines[i * self.rows..][..self.rows]);
        let asked = [0, 1, 2].map(|i| vectors.row(i).unwrap());
        let shifted = |cosine: f32| (cosine + 1.0) * 0.5;
        for how in [Analogy::Add, Analogy::Multiply] {
            let scores = (0..self.rows).map(|i| match how {
                Analogy::Add => b[i] - a[i] + c[i],
                Analogy::Multiply => shifted(b[i]) * shifted(c[i]) / (shifted(a[i]) + 0.001),
            });
            let expected = sorted(scores, &self.without, self.k);
            let mut found = vec![Neighbour::default(); self.k];
            assert_same(search.analogy(asked, how, &mut found).unwrap(), &expected, &format!("{self:?}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn searches_find_what_a_sort_finds(case in cases()) {
        case.check::<F32>();
        case.check::<I8>();
        case.check::<U8>();
        case.check::<F16>();
    }

    #[test]
    fn cosines_are_those_of_a_search(seed in any::<u64>(), dim in 1..70_usize) {
        let numbers = numbers(seed, 2, dim);
        let (a, b) = numbers.split_at(dim);
        let product = reference::dot(a, b).unwrap();
        let mut norms = [0.0; 2];
        reference::inverse_norms(Table::new(&numbers, 2, dim).unwrap(), &mut norms);
        let expected = product * norms[1] * norms[0];
        prop_assert_eq!(bits_with_one_nan(&[cosine(a, b).unwrap()]), bits_with_one_nan(&[expected]));
    }

    #[test]
    fn spearman_is_pearson_of_ranks(seed in any::<u64>(), n in 0..120_usize) {
        let numbers = numbers(seed, 2, n);
        let (x, y) = numbers.split_at(n);
        let mut scratch = [vec![Occurrence::default(); n], vec![Occurrence::default(); n + 3]];
        let [list, other] = &mut scratch;
        let found = spearman(x, y, [list, other]).unwrap();
        let expected = naive_spearman(x, y);
        prop_assert_eq!(found.is_some(), expected.is_some());
        if let (Some(found), Some(expected)) = (found, expected) {
            prop_assert!((f64::from(found) - expected).abs() <= 1e-6, "{} {}", found, expected);
        }
    }
}

fn naive_spearman(x: &[f32], y: &[f32]) -> Option<f64> {
    if numbers_have_nan(x) || numbers_have_nan(y) {
        return None;
    }
    let ranks = |x: &[f32]| -> Vec<f64> {
        let below = |a: f32| x.iter().filter(|b| **b < a).count() as f64;
        let equal = |a: f32| x.iter().filter(|b| **b == a).count() as f64;
        x.iter().map(|a| below(*a) + (equal(*a) - 1.0) / 2.0).collect()
    };
    let (x, y) = (ranks(x), ranks(y));
    let mean = (x.len() as f64 - 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let squares = sum(&x, &x) * sum(&y, &y);
    (squares > 0.0).then(|| sum(&x, &y) / squares.sqrt())
}

fn numbers_have_nan(x: &[f32]) -> bool {
    x.iter().any(|x| x.is_nan())
}

#[test]
fn zero_rows_have_cosine_0_and_equal_scores_the_lower_row_first() {
    let rows = [[-1.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 0.0], [5.0, 0.0], [1e-30, 0.0]];
    let table = Table::from_rows(&rows);
    let mut norms = [f32::NAN; 6];
    inverse_norms(table, &mut norms).unwrap();
    let mut found = [Neighbour::default(); 8];
    let nearest = Search::cosine(table, &norms).unwrap().nearest(&[3.0, 0.0], &mut found).unwrap();
    let order: Vec<(usize, f32)> = nearest.iter().map(|n| (n.row, n.score)).collect();
    assert_eq!(order, [(2, 1.0), (4, 1.0), (1, 0.0), (3, 0.0), (5, 0.0), (0, -1.0)]);
    assert_eq!(cosine(&[0.0; 2], &[1.0, 2.0]).unwrap(), 0.0);
    assert_eq!(cosine(&[1e30, 0.0], &[1.0, 2.0]).unwrap(), 0.0);
}

/// Nearly all neighbours by the codes are those of the numbers themselves.
#[test]
fn i8_rows_find_the_neighbours_of_the_numbers() {
    let (rows, dim, k) = (5000, 64, 10);
    let mut random = Random::seed_from_u64(5);
    let numbers: Vec<f32> = (0..rows * dim).map(|_| draw(&mut random)).collect();
    let table = Table::new(&numbers, rows, dim).unwrap();
    let mut codes = vec![0; rows * dim];
    let scale = I8::scale_of(table, None).unwrap();
    let mut to = TableMut::<I8>::packed(&mut codes, rows, dim).unwrap().with_scale(scale);
    to.quantise(table).unwrap();
    let codes = Table::<I8>::packed(&codes, rows, dim).unwrap().with_scale(scale);
    let (mut exact, mut found) = ([Neighbour::default(); 10], [Neighbour::default(); 10]);
    let mut same = 0;
    for row in 0..100 {
        let vector = table.row(row).unwrap();
        let exact = Search::inner_product(table).nearest(vector, &mut exact).unwrap();
        let found = Search::inner_product(codes).nearest(vector, &mut found).unwrap();
        same += found.iter().filter(|n| exact.iter().any(|m| m.row == n.row)).count();
        assert!(found.iter().zip(exact).all(|(a, b)| (a.score - b.score).abs() <= 0.2));
    }
    assert!(same >= 95 * k, "{same} of 1000");
}

#[test]
fn shapes_that_disagree_are_refused_and_nothing_is_written() {
    let rows = [[1.0, 2.0]; 3];
    let search = Search::inner_product(Table::from_rows(&rows));
    let before = [Neighbour { row: 8, score: 8.0 }; 4];
    let mut found = before;
    let refused = search.nearest(&[1.0; 3], &mut found).unwrap_err();
    assert_eq!((refused.what, refused.expected, refused.found), ("dim of the vector", 2, 3));
    let vectors = Table::from_rows(&[[1.0, 2.0]; 3]);
    let refused = search.nearest_of_each(vectors, 2, &mut found).unwrap_err();
    assert_eq!((refused.what, refused.expected, refused.found), ("length of found", 6, 4));
    assert!(search.analogy([&[1.0; 2], &[1.0; 2], &[1.0; 1]], Analogy::Add, &mut found).is_err());
    assert!(Search::cosine(Table::from_rows(&rows), &[1.0; 2]).is_err());
    assert!(cosine(&[1.0], &[1.0, 2.0]).is_err());
    assert_eq!(found, before);
    let mut norms = [4.0; 2];
    assert!(inverse_norms(Table::from_rows(&rows), &mut norms).is_err());
    assert_eq!(bits(&norms), bits(&[4.0; 2]));
    let mut scratch = [[Occurrence::default(); 2]; 2];
    let [list, other] = &mut scratch;
    assert!(spearman(&[1.0; 2], &[1.0; 3], [list, other]).is_err());
    assert!(spearman(&[1.0; 3], &[1.0; 3], [list, other]).is_err());
}
