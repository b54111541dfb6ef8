//! The dense kernels have the bits of `reference` at every level, for every shape, stride and value.

use crate::cases::Matrix;
use crate::common::bits_with_one_nan;
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{self, reference};
use nanoembed::kernels;
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};
use proptest::prelude::*;

/// Extents at the edges of the blocks (1, 2, 4, 8, 16 lanes, 32, 64), and any others.
fn extent() -> impl Strategy<Value = usize> {
    prop_oneof![
        prop::sample::select(vec![0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 80]),
        0..40_usize
    ]
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        extent(),
        prop::sample::select(vec![47, 48, 49, 63, 64, 65, 79, 80, 127, 128, 129]),
        0..300_usize
    ]
}

/// Numbers of many sizes; or, in some cases, ones that are rare and dangerous.
fn numbers(length: usize) -> impl Strategy<Value = Vec<f32>> {
    let ordinary = prop_oneof![4 => -2.0..2.0_f32, 1 => -1e4..1e4_f32, 1 => -1e-6..1e-6_f32];
    let special = prop_oneof![
        8 => -10.0..10.0_f32,
        2 => prop::sample::select(vec![
            0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-42, -1e-45, f32::NAN, -100.0, 100.0
        ]),
        1 => any::<u32>().prop_map(f32::from_bits),
    ];
    prop_oneof![3 => prop::collection::vec(ordinary, length), 1 => prop::collection::vec(special, length)]
}

fn matrix(rows: usize, dim: usize) -> impl Strategy<Value = Matrix> {
    (0..4_usize).prop_flat_map(move |gap| {
        numbers(rows * (dim + gap)).prop_map(move |values| Matrix { values, rows, dim, stride: dim + gap })
    })
}

type Product = fn(Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), ShapeMismatch>;
type ProductAt = fn(Level, Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), ShapeMismatch>;

/// The kernel has the reference's bits at every level, also between the rows of C.
fn check_product(
    kernel: Product,
    kernel_at: ProductAt,
    reference: Product,
    a: &Matrix,
    b: &Matrix,
    c: &Matrix,
) {
    let mut expected = c.clone();
    reference(a.table(), b.table(), &mut expected.table_mut()).unwrap();
    let mut found = c.clone();
    kernel(a.table(), b.table(), &mut found.table_mut()).unwrap();
    assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&expected.values));
    for level in Level::available() {
        let mut found = c.clone();
        kernel_at(level, a.table(), b.table(), &mut found.table_mut()).unwrap();
        assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&expected.values), "{}", level.name());
    }
}

/// Row 0 of the batch has the bits that it has alone.
fn check_first_row(kernel_at: ProductAt, a: &Matrix, b: &Matrix, c: &Matrix) {
    for level in Level::available().filter(|_| a.rows > 0) {
        let mut batch = c.clone();
        kernel_at(level, a.table(), b.table(), &mut batch.table_mut()).unwrap();
        let alone = Matrix { rows: 1, ..a.clone() };
        let mut one = Matrix { rows: 1, ..c.clone() };
        kernel_at(level, alone.table(), b.table(), &mut one.table_mut()).unwrap();
        assert_eq!(bits_with_one_nan(one.row(0)), bits_with_one_nan(batch.row(0)), "{}", level.name());
    }
}

/// A and B with the shared extent and C: shapes as gemm has them.
fn factors(
    a: impl Fn(usize, usize, usize) -> (usize, usize),
    b: impl Fn(usize, usize, usize) -> (usize, usize),
) -> impl Strategy<Value = (Matrix, Matrix, Matrix)> {
    (extent(), extent(), extent()).prop_flat_map(move |(m, k, n)| {
        let ((a_rows, a_dim), (b_rows, b_dim)) = (a(m, k, n), b(m, k, n));
        (matrix(a_rows, a_dim), matrix(b_rows, b_dim), matrix(m, n))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn gemm((a, b, c) in factors(|m, k, _| (m, k), |_, k, n| (k, n))) {
        check_product(kernels::gemm, internals::gemm_at, reference::gemm, &a, &b, &c);
        check_first_row(internals::gemm_at, &a, &b, &c);
    }

    /// Rows so long that a single one is swept over, several rows of B at a time.
    #[test]
    fn gemm_of_long_rows(
        (a, b, c) in (1..4_usize, 0..20_usize, 240..300_usize)
            .prop_flat_map(|(m, k, n)| (matrix(m, k), matrix(k, n), matrix(m, n)))
    ) {
        check_product(kernels::gemm, internals::gemm_at, reference::gemm, &a, &b, &c);
        check_first_row(internals::gemm_at, &a, &b, &c);
    }

    /// The same of the transposed left factor.
    #[test]
    fn gemm_tn_of_long_rows(
        (a, b, c) in (1..4_usize, 0..20_usize, 240..300_usize)
            .prop_flat_map(|(m, k, n)| (matrix(k, m), matrix(k, n), matrix(m, n)))
    ) {
        check_product(internals::gemm_tn, internals::gemm_tn_at, reference::gemm_tn, &a, &b, &c);
    }

    /// Rows so long that tiles of two rows and two are taken.
    #[test]
    fn gemm_nt_of_long_rows(
        (a, b, c) in (1..6_usize, 240..300_usize, 1..6_usize)
            .prop_flat_map(|(m, k, n)| (matrix(m, k), matrix(n, k), matrix(m, n)))
    ) {
        check_product(internals::gemm_nt, internals::gemm_nt_at, reference::gemm_nt, &a, &b, &c);
    }

    #[test]
    fn gemm_tn((a, b, c) in factors(|m, k, _| (k, m), |_, k, n| (k, n))) {
        check_product(internals::gemm_tn, internals::gemm_tn_at, reference::gemm_tn, &a, &b, &c);
    }

    /// A batch of gradients accumulates as its examples do one after the other.
    #[test]
    fn gemm_tn_example_by_example((a, b, c) in factors(|m, k, _| (k, m), |_, k, n| (k, n))) {
        let (mut batch, mut examples) = (c.clone(), c);
        internals::gemm_tn(a.table(), b.table(), &mut batch.table_mut()).unwrap();
        for p in 0..a.rows {
            let (a, b) = (Table::new(a.row(p), 1, a.dim).unwrap(), Table::new(b.row(p), 1, b.dim).unwrap());
            internals::gemm_tn(a, b, &mut examples.table_mut()).unwrap();
        }
        prop_assert_eq!(bits_with_one_nan(&batch.values), bits_with_one_nan(&examples.values));
    }

    #[test]
    fn gemm_nt((a, b, c) in factors(|m, k, _| (m, k), |_, k, n| (n, k))) {
        check_product(internals::gemm_nt, internals::gemm_nt_at, reference::gemm_nt, &a, &b, &c);
        check_first_row(internals::gemm_nt_at, &a, &b, &c);
    }

    #[test]
    fn gemv((w, x) in (extent(), length()).prop_flat_map(|(n, k)| (matrix(n, k), numbers(k)))) {
        let mut expected = vec![f32::NAN; w.rows];
        reference::gemv(w.table(), &x, &mut expected).unwrap();
        let mut found = vec![1.0; w.rows];
        kernels::gemv(w.table(), &x, &mut found).unwrap();
        prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected));
        for level in Level::available() {
            found.fill(1.0);
            internals::gemv_at(level, w.table(), &x, &mut found).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "{}", level.name());
            for (j, y) in found.iter().enumerate() {
                let alone = internals::dot_at(level, w.row(j), &x).unwrap();
                prop_assert_eq!(bits_with_one_nan(&[alone]), bits_with_one_nan(&[*y]), "row {} at {}", j, level.name());
            }
        }
    }

    #[test]
    fn dot((a, b) in length().prop_flat_map(|n| (numbers(n), numbers(n)))) {
        let expected = reference::dot(&a, &b).unwrap();
        prop_assert_eq!(bits_with_one_nan(&[kernels::dot(&a, &b).unwrap()]), bits_with_one_nan(&[expected]));
        for level in Level::available() {
            prop_assert_eq!(bits_with_one_nan(&[internals::dot_at(level, &a, &b).unwrap()]), bits_with_one_nan(&[expected]), "{}", level.name());
        }
    }

    #[test]
    fn axpy((x, y, alpha) in length().prop_flat_map(|n| (numbers(n), numbers(n), -2.0..2.0_f32))) {
        let mut expected = y.clone();
        reference::axpy(alpha, &x, &mut expected).unwrap();
        let mut found = y.clone();
        internals::axpy(alpha, &x, &mut found).unwrap();
        prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected));
        for level in Level::available() {
            let mut found = y.clone();
            internals::axpy_at(level, alpha, &x, &mut found).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "{}", level.name());
        }
    }

    #[test]
    fn ger((a, x, y, alpha) in (extent(), length()).prop_flat_map(|(m, n)| (matrix(m, n), numbers(m), numbers(n), -2.0..2.0_f32))) {
        let mut expected = a.clone();
        reference::ger(alpha, &x, &y, &mut expected.table_mut()).unwrap();
        let mut found = a.clone();
        internals::ger(alpha, &x, &y, &mut found.table_mut()).unwrap();
        prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&expected.values));
        for level in Level::available() {
            let mut found = a.clone();
            internals::ger_at(level, alpha, &x, &y, &mut found.table_mut()).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found.values), bits_with_one_nan(&expected.values), "{}", level.name());
        }
    }

    /// The rank-1 update is the gradient of the weights of one example.
    #[test]
    fn ger_is_gemm_tn_of_one_example((a, x, y) in (extent(), extent()).prop_flat_map(|(m, n)| (matrix(m, n), numbers(m), numbers(n)))) {
        let (mut updated, mut product) = (a.clone(), a);
        internals::ger(1.0, &x, &y, &mut updated.table_mut()).unwrap();
        let (x, y) = (Table::new(&x, 1, x.len()).unwrap(), Table::new(&y, 1, y.len()).unwrap());
        internals::gemm_tn(x, y, &mut product.table_mut()).unwrap();
        prop_assert_eq!(bits_with_one_nan(&updated.values), bits_with_one_nan(&product.values));
    }

    #[test]
    fn sum(x in length().prop_flat_map(numbers)) {
        let expected = reference::sum(&x);
        prop_assert_eq!(bits_with_one_nan(&[internals::sum(&x)]), bits_with_one_nan(&[expected]));
        for level in Level::available() {
            prop_assert_eq!(bits_with_one_nan(&[internals::sum_at(level, &x)]), bits_with_one_nan(&[expected]), "{}", level.name());
        }
    }

    #[test]
    fn activations(x in length().prop_flat_map(numbers)) {
        type InPlace = (fn(&mut [f32]), fn(Level, &mut [f32]), fn(&mut [f32]));
        let kernels: [InPlace; 6] = [
            (internals::exp, internals::exp_at, reference::exp),
            (internals::ln, internals::ln_at, reference::ln),
            (internals::sigmoid, internals::sigmoid_at, reference::sigmoid),
            (internals::tanh, internals::tanh_at, reference::tanh),
            (internals::relu, internals::relu_at, reference::relu),
            (internals::softmax, internals::softmax_at, reference::softmax),
        ];
        for (number, (kernel, kernel_at, reference)) in kernels.into_iter().enumerate() {
            let (mut expected, mut found) = (x.clone(), x.clone());
            reference(&mut expected);
            kernel(&mut found);
            prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "kernel {}", number);
            for level in Level::available() {
                let mut found = x.clone();
                kernel_at(level, &mut found);
                prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "kernel {} at {}", number, level.name());
            }
        }
        let expected = reference::log_sum_exp(&x);
        prop_assert_eq!(bits_with_one_nan(&[internals::log_sum_exp(&x)]), bits_with_one_nan(&[expected]));
        for level in Level::available() {
            prop_assert_eq!(bits_with_one_nan(&[internals::log_sum_exp_at(level, &x)]), bits_with_one_nan(&[expected]), "{}", level.name());
        }
    }

    #[test]
    fn gradients_of_activations((y, d) in length().prop_flat_map(|n| (numbers(n), numbers(n)))) {
        type Checked = Result<(), ShapeMismatch>;
        type Backward =
            (fn(&[f32], &mut [f32]) -> Checked, fn(Level, &[f32], &mut [f32]) -> Checked, fn(&[f32], &mut [f32]) -> Checked);
        let kernels: [Backward; 4] = [
            (internals::sigmoid_backward, internals::sigmoid_backward_at, reference::sigmoid_backward),
            (internals::tanh_backward, internals::tanh_backward_at, reference::tanh_backward),
            (internals::relu_backward, internals::relu_backward_at, reference::relu_backward),
            (internals::softmax_backward, internals::softmax_backward_at, reference::softmax_backward),
        ];
        for (number, (kernel, kernel_at, reference)) in kernels.into_iter().enumerate() {
            let (mut expected, mut found) = (d.clone(), d.clone());
            reference(&y, &mut expected).unwrap();
            kernel(&y, &mut found).unwrap();
            prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "kernel {}", number);
            for level in Level::available() {
                let mut found = d.clone();
                kernel_at(level, &y, &mut found).unwrap();
                prop_assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "kernel {} at {}", number, level.name());
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_named_and_nothing_is_written() {
    // Rows and dim of A, rows and dim of B, and the error that comes of it with a C of 2 by 2.
    type Case = (usize, usize, usize, usize, &'static str, usize, usize);
    let values = [1.0; 12];
    let table = |rows, dim| Table::new(&values[..rows * dim], rows, dim).unwrap();
    let mismatch = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    let products: [(Product, [Case; 3]); 3] = [
        (
            kernels::gemm,
            [
                (2, 3, 2, 2, "rows of b", 3, 2),
                (3, 2, 2, 2, "rows of c", 3, 2),
                (2, 2, 2, 3, "dim of c", 3, 2),
            ],
        ),
        (
            internals::gemm_tn,
            [
                (3, 2, 2, 2, "rows of b", 3, 2),
                (2, 3, 2, 2, "rows of c", 3, 2),
                (2, 2, 2, 3, "dim of c", 3, 2),
            ],
        ),
        (
            internals::gemm_nt,
            [(2, 3, 2, 2, "dim of b", 3, 2), (3, 2, 2, 2, "rows of c", 3, 2), (2, 2, 3, 2, "dim of c", 3, 2)],
        ),
    ];
    for (product, cases) in products {
        for (a_rows, a_dim, b_rows, b_dim, what, expected, found) in cases {
            let mut c = [7.0; 4];
            let result = product(
                table(a_rows, a_dim),
                table(b_rows, b_dim),
                &mut TableMut::new(&mut c, 2, 2).unwrap(),
            );
            assert_eq!(result, mismatch(what, expected, found));
            assert_eq!(c, [7.0; 4]);
        }
    }
    let mut y = [7.0; 2];
    assert_eq!(kernels::gemv(table(2, 3), &values[..2], &mut y), mismatch("length of x", 3, 2));
    assert_eq!(kernels::gemv(table(3, 2), &values[..2], &mut y), mismatch("length of y", 3, 2));
    assert_eq!(internals::axpy(1.0, &values[..3], &mut y), mismatch("length of y", 3, 2));
    let mut a = TableMut::new(&mut y, 2, 1).unwrap();
    assert_eq!(internals::ger(1.0, &values[..3], &values[..1], &mut a), mismatch("length of x", 2, 3));
    assert_eq!(internals::ger(1.0, &values[..2], &values[..2], &mut a), mismatch("length of y", 1, 2));
    assert_eq!(
        kernels::dot(&values[..3], &values[..2]),
        Err(ShapeMismatch { what: "length of b", expected: 3, found: 2 })
    );
    for backward in [
        internals::sigmoid_backward,
        internals::tanh_backward,
        internals::relu_backward,
        internals::softmax_backward,
    ] {
        assert_eq!(backward(&values[..3], &mut y), mismatch("length of d", 3, 2));
    }
    assert_eq!(y, [7.0; 2]);
}

#[test]
fn activations_of_rare_values_are_defined() {
    let inf = f32::INFINITY;
    let mut x = [f32::NAN, -0.0, 0.0, -inf, inf, -1.0, 1e-45];
    internals::relu(&mut x);
    assert_eq!(bits_with_one_nan(&x), bits_with_one_nan(&[f32::NAN, 0.0, 0.0, 0.0, inf, 0.0, 1e-45]));
    let mut row = [1000.0, 1000.0, -inf, -1000.0];
    internals::softmax(&mut row);
    assert_eq!(row, [0.5, 0.5, 0.0, 0.0]);
    assert_eq!(internals::log_sum_exp(&[1000.0, 1000.0]), 1000.0 + core::f32::consts::LN_2);
    assert_eq!(internals::log_sum_exp(&[]), -inf);
    internals::softmax(&mut []);
    for i in 0..40 {
        for bad in [f32::NAN, inf] {
            let mut row = [1.0; 40];
            row[i] = bad;
            assert!(internals::log_sum_exp(&row).is_nan());
            internals::softmax(&mut row);
            assert!(row.iter().all(|x| x.is_nan()));
        }
    }
    assert!(internals::log_sum_exp(&[-inf; 3]).is_nan());
}
