//! The kernels of sequences (convolution, repeated rows, pooling of steps) have the bits of `reference` at every level.

use crate::cases::Matrix;
use crate::common::bits_with_one_nan;
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{self, Windows, reference};
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};
use proptest::prelude::*;

/// Extents at the edges of lanes and blocks of columns.
fn extent() -> impl Strategy<Value = usize> {
    prop_oneof![prop::sample::select(vec![1, 2, 4, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65]), 1..20_usize]
}

/// Numbers, and sometimes such as are rare and dangerous.
fn numbers(length: usize) -> impl Strategy<Value = Vec<f32>> {
    let ordinary = prop_oneof![4 => -2.0..2.0_f32, 1 => -1e4..1e4_f32];
    let special = prop_oneof![
        8 => -10.0..10.0_f32,
        2 => prop::sample::select(vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-42, f32::NAN]),
    ];
    prop_oneof![3 => prop::collection::vec(ordinary, length), 1 => prop::collection::vec(special, length)]
}

/// Gradients: many of them zero, or none.
fn gradients(length: usize) -> impl Strategy<Value = Vec<f32>> {
    (prop::sample::select(vec![0, 30, 97, 100]), numbers(length), prop::collection::vec(0..100, length))
        .prop_map(|(zeros, numbers, chances)| {
            let zero = |(x, chance): (f32, i32)| {
                if chance < zeros { if chance % 2 == 0 { 0.0 } else { -0.0 } } else { x }
            };
            numbers.into_iter().zip(chances).map(zero).collect()
        })
}

fn mask(length: usize) -> impl Strategy<Value = Vec<bool>> {
    prop_oneof![
        2 => Just(vec![true; length]),
        1 => Just(vec![false; length]),
        2 => (0..=length).prop_map(move |n| (0..length).map(|s| s < n).collect()),
        2 => prop::collection::vec(any::<bool>(), length),
    ]
}

fn matrix(rows: usize, dim: usize) -> impl Strategy<Value = Matrix> {
    prop_oneof![3 => Just(0), 1 => 1..4_usize].prop_flat_map(move |gap| {
        numbers(rows * (dim + gap)).prop_map(move |values| Matrix { values, rows, dim, stride: dim + gap })
    })
}

fn gradient_matrix(rows: usize, dim: usize) -> impl Strategy<Value = Matrix> {
    gradients(rows * dim).prop_map(move |values| Matrix { values, rows, dim, stride: dim })
}

/// A convolution of several sequences.
#[derive(Clone, Debug)]
struct Case {
    windows: Windows,
    sequences: usize,
    len: usize,
    out: usize,
    valid: Vec<bool>,
    /// `[sequences · len, in]`, `[taps · in, filters]`, `[sequences · out, filters]`.
    x: Matrix,
    kernel: Matrix,
    y: Matrix,
    d_y: Matrix,
    /// `[filters, taps · in]`.
    by_filter: Matrix,
}

/// Windows that lie within the sequence, across its ends or outside of it.
fn windows() -> impl Strategy<Value = Windows> {
    (
        1..5_usize,
        prop_oneof![2 => Just(1), 1 => 2..4_usize],
        prop_oneof![2 => Just(1), 1 => 2..4_usize],
        0..5_usize,
    )
        .prop_map(|(taps, stride, dilation, before)| Windows { taps, stride, dilation, before })
}

fn case() -> impl Strategy<Value = Case> {
    (windows(), 0..4_usize, 0..13_usize, 0..13_usize, extent(), extent()).prop_flat_map(
        |(windows, sequences, len, out, dim, filters)| {
            let size = windows.taps * dim;
            (
                mask(sequences * len),
                (
                    matrix(sequences * len, dim),
                    prop::collection::vec(0..5_usize, sequences * len),
                    any::<bool>(),
                ),
                matrix(size, filters),
                matrix(sequences * out, filters),
                gradient_matrix(sequences * out, filters),
                matrix(filters, size),
            )
                .prop_map(move |(valid, (mut x, rows, repeated), kernel, y, d_y, by_filter)| {
                    // As behind a table of five words.
                    for (s, row) in rows.into_iter().enumerate().filter(|_| repeated) {
                        let from = (row % x.rows.max(1)) * x.stride;
                        let to = s * x.stride;
                        x.values.copy_within(from..from + x.dim, to);
                    }
                    Case { windows, sequences, len, out, valid, x, kernel, y, d_y, by_filter }
                })
        },
    )
}

/// Rows `number · rows` and following of a table.
fn part(table: &Matrix, number: usize, rows: usize) -> Matrix {
    let values = table.values[number * rows * table.stride..][..rows * table.stride].to_vec();
    Matrix { values, rows, dim: table.dim, stride: table.stride }
}

/// Y of all sequences by the reference.
fn convolved(case: &Case) -> Matrix {
    let mut y = case.y.clone();
    y.values.clear();
    for number in 0..case.sequences {
        let (x, mut part_y) = (part(&case.x, number, case.len), part(&case.y, number, case.out));
        let valid = &case.valid[number * case.len..][..case.len];
        reference::convolve(case.windows, x.table(), valid, case.kernel.table(), &mut part_y.table_mut())
            .unwrap();
        y.values.extend(part_y.values);
    }
    y
}

/// Numbers of distinct rows, and where each stands first.
fn distinct(level: Level, x: Table<'_>, most: usize) -> Option<(Vec<u32>, Vec<u32>)> {
    let (mut numbers, mut firsts, mut slots) = (vec![7; x.rows()], vec![7; most], vec![7; 2 * most]);
    let count = internals::distinct_rows_at(level, x, &mut numbers, &mut firsts, &mut slots).unwrap()?;
    firsts.truncate(count);
    Some((numbers, firsts))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn convolve(case in case()) {
        let expected = convolved(&case);
        for level in Level::available() {
            let mut found = Vec::new();
            for number in 0..case.sequences {
                let (x, mut y) = (part(&case.x, number, case.len), part(&case.y, number, case.out));
                let valid = &case.valid[number * case.len..][..case.len];
                internals::convolve_at(level, case.windows, x.table(), valid, case.kernel.table(), &mut y.table_mut()).unwrap();
                found.extend(y.values);
            }
            prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected.values), "{}", level.name());
        }
    }

    #[test]
    fn convolve_repeated((case, room) in (case(), 1..4_usize)) {
        let expected = convolved(&case);
        // From a bias on, as if it stood in each row.
        let bias = case.kernel.table().row(0).unwrap();
        let mut of_bias = case.clone();
        of_bias.y.values.chunks_mut(case.y.stride).for_each(|row| row[..bias.len()].copy_from_slice(bias));
        let from_bias = convolved(&of_bias);
        for level in Level::available() {
            let (numbers, firsts) = distinct(level, case.x.table(), case.x.rows).expect("room for all");
            let repeats = internals::Repeats {
                sequences: case.sequences,
                steps: case.x.table(),
                valid: &case.valid,
                numbers: &numbers,
                firsts: &firsts,
            };
            // From the least scratch to more than all filters take.
            let mut products = vec![f32::NAN; firsts.len() * case.windows.taps * case.kernel.dim.min(16) * room];
            let mut found = case.y.clone();
            internals::convolve_repeated_at(
                level, case.windows, repeats, case.kernel.table(), None,
                &mut products, &mut found.table_mut(),
            ).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&expected.values), "{}", level.name());
            internals::convolve_repeated_at(
                level, case.windows, repeats, case.kernel.table(), Some(bias),
                &mut products, &mut found.table_mut(),
            ).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&from_bias.values), "{}", level.name());
        }
    }

    #[test]
    fn gradients_of_convolutions(case in case()) {
        for number in 0..case.sequences {
            let (x, d_y) = (part(&case.x, number, case.len), part(&case.d_y, number, case.out));
            let valid = &case.valid[number * case.len..][..case.len];
            let (mut kernel, mut bias) = (case.by_filter.clone(), vec![0.5; d_y.dim]);
            let mut d_x = x.clone();
            reference::convolve_backward_kernel(case.windows, x.table(), valid, d_y.table(), &mut kernel.table_mut(), &mut bias).unwrap();
            reference::convolve_backward_input(case.windows, valid, case.by_filter.table(), d_y.table(), &mut d_x.table_mut()).unwrap();
            for level in Level::available() {
                let (mut found, mut found_bias) = (case.by_filter.clone(), vec![0.5; d_y.dim]);
                internals::convolve_backward_kernel_at(
                    level, case.windows, x.table(), valid, d_y.table(), &mut found.table_mut(), &mut found_bias,
                ).unwrap();
                prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&kernel.values), "{}", level.name());
                prop_assert_eq!(bits_with_one_nan(&found_bias), bits_with_one_nan(&bias), "{}", level.name());
                let mut found = x.clone();
                internals::convolve_backward_input_at(
                    level, case.windows, valid, case.by_filter.table(), d_y.table(), &mut found.table_mut(),
                ).unwrap();
                prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&d_x.values), "{}", level.name());
            }
        }
    }

    #[test]
    fn distinct_rows((x, most) in (0..40_usize, extent()).prop_flat_map(|(rows, dim)| (matrix(rows, dim), 0..=rows))) {
        let row = |s: u32| x.table().row(s as usize).unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        for level in Level::available() {
            let (numbers, firsts) = distinct(level, x.table(), x.rows).expect("room for all");
            for (s, number) in (0..).zip(&numbers) {
                prop_assert_eq!(row(s), row(firsts[*number as usize]));
                prop_assert!(firsts[*number as usize] <= s);
            }
            let again = distinct(level, x.table(), most);
            prop_assert!(again.is_some() || firsts.len() > most.saturating_sub(1));
        }
    }

    #[test]
    fn transpose((a, gap) in (0..40_usize, 0..40_usize).prop_flat_map(|(rows, dim)| (matrix(rows, dim), 0..3_usize))) {
        for level in Level::available() {
            let stride = a.rows + gap;
            let mut b = Matrix { values: vec![0.25; a.dim * stride], rows: a.dim, dim: a.rows, stride };
            internals::transpose_at(level, a.table(), &mut b.table_mut()).unwrap();
            for i in 0..a.rows {
                for j in 0..a.dim {
                    prop_assert_eq!(b.values[j * stride + i].to_bits(), a.values[i * a.stride + j].to_bits());
                }
            }
            let between = b.values.chunks(stride.max(1)).flat_map(|row| &row[a.rows.min(row.len())..]);
            prop_assert!(between.into_iter().all(|x| *x == 0.25));
        }
    }

    #[test]
    fn pooling_of_steps(
        (x, valid, d_y, ties) in (0..20_usize, extent()).prop_flat_map(|(rows, dim)| {
            (matrix(rows, dim), mask(rows), numbers(dim), any::<bool>())
        })
    ) {
        let mut x = x;
        for value in x.values.iter_mut().filter(|_| ties) {
            *value = value.round();
        }
        let (mut max, mut mean) = (vec![0.5; x.dim], vec![0.5; x.dim]);
        let (mut d_max, mut d_mean) = (x.clone(), x.clone());
        reference::max_over_steps(x.table(), &valid, &mut max);
        reference::mean_over_steps(x.table(), &valid, &mut mean);
        reference::max_over_steps_backward(x.table(), &valid, &d_y, &mut d_max.table_mut());
        reference::mean_over_steps_backward(&valid, &d_y, &mut d_mean.table_mut());
        for level in Level::available() {
            let (mut y, mut d_x) = (vec![0.5; x.dim], x.clone());
            internals::max_over_steps_at(level, x.table(), &valid, &mut y).unwrap();
            prop_assert_eq!(bits_with_one_nan(&y), bits_with_one_nan(&max), "{}", level.name());
            internals::max_over_steps_backward_at(level, x.table(), &valid, &d_y, &mut d_x.table_mut()).unwrap();
            prop_assert_eq!(bits_with_one_nan(&d_x.values), bits_with_one_nan(&d_max.values), "{}", level.name());
            internals::mean_over_steps_at(level, x.table(), &valid, &mut y).unwrap();
            prop_assert_eq!(bits_with_one_nan(&y), bits_with_one_nan(&mean), "{}", level.name());
            let mut d_x = x.clone();
            internals::mean_over_steps_backward_at(level, &valid, &d_y, &mut d_x.table_mut()).unwrap();
            prop_assert_eq!(bits_with_one_nan(&d_x.values), bits_with_one_nan(&d_mean.values), "{}", level.name());
        }
    }
}

/// As many as fill the hash table many times over, and all of one hash home: the search stays short and nothing is confused.
#[test]
fn many_distinct_rows_are_told_apart() {
    let x: Vec<[f32; 3]> = (0..5000).map(|i| [(i % 1700) as f32, 1.0, 0.0]).collect();
    let (mut numbers, mut firsts, mut slots) = (vec![0; 5000], vec![0; 2500], vec![0; 5000]);
    let count =
        internals::distinct_rows(Table::from_rows(&x), &mut numbers, &mut firsts, &mut slots).unwrap();
    let count = count.expect("1700 of 2500");
    assert!((1700..1720).contains(&count), "{count}");
    let found = internals::distinct_rows(Table::from_rows(&x), &mut numbers, &mut firsts[..1699], &mut slots);
    assert_eq!(found, Ok(None));
    // Without slots every row is new.
    let found = internals::distinct_rows(Table::from_rows(&x[..9]), &mut numbers[..9], &mut firsts, &mut []);
    assert_eq!(found, Ok(Some(9)));
    // Zeros of two signs are two rows.
    let x = [[0.0], [-0.0], [0.0]];
    let found = internals::distinct_rows(Table::from_rows(&x), &mut numbers[..3], &mut firsts, &mut slots);
    assert_eq!((found, &numbers[..3]), (Ok(Some(2)), &[0, 1, 0][..]));
}

#[test]
fn shapes_that_do_not_fit_are_named_and_nothing_is_written() {
    let values = [1.0; 64];
    let table = |rows, dim| Table::new(&values[..rows * dim], rows, dim).unwrap();
    let mismatch = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    let windows = Windows { taps: 2, stride: 1, dilation: 1, before: 0 };
    let valid = [true; 4];
    let (mut y, mut bias) = ([7.0; 64], [7.0; 4]);

    let mut three_by_four = TableMut::new(&mut y[..12], 3, 4).unwrap();
    let to = &mut three_by_four;
    assert_eq!(
        internals::convolve(windows, table(4, 3), &valid[..3], table(6, 4), to),
        mismatch("length of valid", 4, 3)
    );
    assert_eq!(
        internals::convolve(windows, table(4, 3), &valid, table(5, 4), to),
        mismatch("rows of the kernel", 6, 5)
    );
    assert_eq!(
        internals::convolve(windows, table(4, 3), &valid, table(6, 3), to),
        mismatch("dim of the kernel", 4, 3)
    );

    assert_eq!(
        internals::convolve(Windows { stride: 0, ..windows }, table(4, 3), &valid, table(6, 4), to),
        mismatch("stride, at least", 1, 0)
    );

    let mut products = [0.0; 16];
    let mut repeated_from = |sequences, numbers: &[u32], room: usize, bias| {
        let to = &mut TableMut::new(&mut y[..12], 3, 4).unwrap();
        let repeats =
            internals::Repeats { sequences, steps: table(4, 3), valid: &valid, numbers, firsts: &[0, 1] };
        internals::convolve_repeated(windows, repeats, table(6, 4), bias, &mut products[..room], to)
    };
    let numbers = [0, 1, 1, 0];
    let bias_of_three = Some([1.0; 3].as_slice());
    assert_eq!(repeated_from(1, &numbers, 16, bias_of_three), mismatch("length of bias", 4, 3));
    let mut repeated = |sequences, numbers: &[u32], room| repeated_from(sequences, numbers, room, None);
    assert_eq!(repeated(1, &numbers, 15), mismatch("length of the products, at least", 16, 15));
    assert_eq!(repeated(3, &numbers, 16), mismatch("rows of all sequences", 3, 4));
    assert_eq!(repeated(0, &numbers, 16), mismatch("rows of all sequences", 0, 4));
    assert_eq!(repeated(1, &[0], 16), mismatch("length of numbers", 4, 1));

    let to = &mut TableMut::new(&mut y[..24], 4, 6).unwrap();
    let backward = internals::convolve_backward_kernel;
    assert_eq!(
        backward(windows, table(4, 3), &valid[..1], table(3, 4), to, &mut bias),
        mismatch("length of valid", 4, 1)
    );
    assert_eq!(
        backward(windows, table(4, 3), &valid, table(3, 5), to, &mut bias),
        mismatch("rows of d_kernel", 5, 4)
    );
    assert_eq!(
        backward(windows, table(4, 2), &valid, table(3, 4), to, &mut bias),
        mismatch("dim of d_kernel", 4, 6)
    );
    assert_eq!(
        backward(windows, table(4, 3), &valid, table(3, 4), to, &mut bias[..3]),
        mismatch("length of d_bias", 4, 3)
    );
    let to = &mut TableMut::new(&mut y[..12], 4, 3).unwrap();
    let backward = internals::convolve_backward_input;
    assert_eq!(backward(windows, &valid[..3], table(4, 6), table(3, 4), to), mismatch("rows of d_x", 3, 4));
    assert_eq!(backward(windows, &valid, table(3, 6), table(3, 4), to), mismatch("rows of the kernel", 4, 3));
    assert_eq!(backward(windows, &valid, table(4, 5), table(3, 4), to), mismatch("dim of the kernel", 6, 5));

    let to = &mut TableMut::new(&mut y[..12], 4, 3).unwrap();
    assert_eq!(internals::transpose(table(4, 3), to), mismatch("rows of b", 3, 4));
    assert_eq!(internals::transpose(table(5, 4), to), mismatch("dim of b", 5, 3));
    for pool in [internals::max_over_steps, internals::mean_over_steps] {
        assert_eq!(pool(table(3, 4), &valid, &mut bias), mismatch("length of valid", 3, 4));
        assert_eq!(pool(table(4, 3), &valid, &mut bias), mismatch("length of y", 3, 4));
    }
    let backward = internals::max_over_steps_backward;
    assert_eq!(backward(table(3, 3), &valid, &bias[..3], to), mismatch("length of valid", 3, 4));
    assert_eq!(backward(table(4, 3), &valid, &bias, to), mismatch("length of d_y", 3, 4));
    assert_eq!(backward(table(3, 3), &valid[..3], &bias[..3], to), mismatch("rows of d_x", 3, 4));
    assert_eq!(backward(table(4, 4), &valid, &bias, to), mismatch("dim of d_x", 4, 3));
    let backward = internals::mean_over_steps_backward;
    assert_eq!(backward(&valid[..3], &bias[..3], to), mismatch("length of valid", 4, 3));
    assert_eq!(backward(&valid, &bias, to), mismatch("length of d_y", 3, 4));
    assert_eq!((y, bias), ([7.0; 64], [7.0; 4]));
}

/// Windows beyond all numbers have no steps, and repeats that name steps there are not are refused.
#[test]
fn numbers_out_of_range_are_no_steps() {
    let far = Windows { taps: 2, stride: 1, dilation: usize::MAX, before: 0 };
    assert_eq!((far.step(0, 1), far.step(1, 1), far.step(0, 2)), (Some(usize::MAX), None, None));
    let (rows, kernel, valid) = ([[1.0, 2.0]; 4], [[1.0; 3]; 4], [true; 4]);
    let x = Table::from_rows(&rows);
    let mut y = [[7.0; 3]; 3];
    let endless = Windows { taps: 1 << (usize::BITS - 1), ..far };
    let none = Table::new(&[], 0, 3).unwrap();
    assert!(internals::convolve(endless, x, &valid, none, &mut TableMut::from_rows(&mut y)).is_err());

    let mut repeated = |windows, numbers: &[u32; 4], firsts: &[u32; 2]| {
        let x = internals::Repeats { sequences: 1, steps: x, valid: &valid, numbers, firsts };
        let y = &mut TableMut::from_rows(&mut y);
        internals::convolve_repeated(windows, x, Table::from_rows(&kernel), None, &mut [0.0; 24], y)
    };
    let windows = Windows { taps: 2, stride: 1, dilation: 1, before: 0 };
    let what = |error: ShapeMismatch| (error.what, error.expected, error.found);
    assert_eq!(what(repeated(windows, &[0, 1, 0, 2], &[0, 1]).unwrap_err()), ("numbers", 2, 2));
    assert_eq!(what(repeated(windows, &[0, 1, 0, 1], &[0, 4]).unwrap_err()), ("first steps", 4, 4));
    assert!(repeated(Windows { stride: 0, ..windows }, &[0; 4], &[0; 2]).is_err());
    assert_eq!(y, [[7.0; 3]; 3]);
}

/// NaN in any step is the maximum: a row that diverged is not hidden.
#[test]
fn maxima_show_nan() {
    for place in 0..3 {
        let mut rows = [[1.0; 17]; 3];
        rows[place][16] = f32::NAN;
        for level in Level::available() {
            let mut y = [0.0; 17];
            internals::max_over_steps_at(level, Table::from_rows(&rows), &[true; 3], &mut y).unwrap();
            assert!(y[16].is_nan() && y[..16] == [1.0; 16], "{place} at {}: {y:?}", level.name());
        }
    }
}
