//! The kernels of vectors and matrices, and the activations.

use super::data::{Data, Fold};
use nanoembed::error::ShapeMismatch;
use nanoembed::internals;
use nanoembed::kernels;
use nanoembed::table::{Table, TableMut};

pub(crate) const PARTS: &[super::Part] = &[
    ("sum", || of_pairs(|a, _, fold| fold.float(internals::sum(a)))),
    ("dot", || of_pairs(|a, b, fold| fold.float(kernels::dot(a, b).unwrap()))),
    ("axpy", || {
        of_pairs(|a, b, fold| {
            internals::axpy(0.3, a, b).unwrap();
            fold.floats(b);
        })
    }),
    ("ger", ger),
    ("gemv", gemv),
    ("gemm", || matrices(|m, k, n| ((m, k), (k, n)), kernels::gemm)),
    ("gemm_tn", || matrices(|m, k, n| ((k, m), (k, n)), internals::gemm_tn)),
    ("gemm_nt", || matrices(|m, k, n| ((m, k), (n, k)), internals::gemm_nt)),
    ("exp", || in_place(internals::exp, |_, _| Ok(()))),
    ("ln", || in_place(internals::ln, |_, _| Ok(()))),
    ("dropout", || {
        of_pairs(|a, b, fold| {
            internals::dropout(a.len() as u64 * 0x0123_4567_89ab_cdef, 0.3, a, b).unwrap();
            fold.floats(b);
        })
    }),
    ("relu", || in_place(internals::relu, internals::relu_backward)),
    ("sigmoid", || in_place(internals::sigmoid, internals::sigmoid_backward)),
    ("tanh", || in_place(internals::tanh, internals::tanh_backward)),
    ("softmax", || in_place(internals::softmax, internals::softmax_backward)),
    ("log_sum_exp", || of_pairs(|a, _, fold| fold.float(internals::log_sum_exp(a)))),
];

/// Longer than every block and tail.
const LENGTH: usize = 200;
const EXTENTS: [usize; 8] = [0, 1, 3, 4, 8, 17, 33, 40];
const MAX_EXTENT: usize = 40;

fn lengths() -> impl Iterator<Item = usize> {
    (0..=40).chain([63, 64, 65, 127, LENGTH])
}

fn of_pairs(case: fn(&[f32], &mut [f32], &mut Fold)) -> u64 {
    let (mut data, mut fold) = (Data::new(7), Fold::new());
    for length in lengths() {
        let (a, mut b) = (data.floats::<LENGTH>(), data.floats::<LENGTH>());
        case(&a[..length], &mut b[..length], &mut fold);
    }
    fold.hash()
}

fn in_place(forward: fn(&mut [f32]), backward: fn(&[f32], &mut [f32]) -> Result<(), ShapeMismatch>) -> u64 {
    let (mut data, mut fold) = (Data::new(8), Fold::new());
    for length in lengths() {
        let (mut y, mut d) = (data.floats::<LENGTH>().map(|x| 6.0 * x), data.floats::<LENGTH>());
        let (y, d) = (&mut y[..length], &mut d[..length]);
        forward(y);
        fold.floats(y);
        backward(y, d).unwrap();
        fold.floats(d);
    }
    fold.hash()
}

fn ger() -> u64 {
    let (mut data, mut fold) = (Data::new(11), Fold::new());
    let (x, y) = (data.floats::<MAX_EXTENT>(), data.floats::<MAX_EXTENT>());
    let mut a = data.floats::<{ MAX_EXTENT * MAX_EXTENT }>();
    for m in EXTENTS {
        for n in EXTENTS {
            let a = &mut a[..m * n];
            internals::ger(0.3, &x[..m], &y[..n], &mut TableMut::new(a, m, n).unwrap()).unwrap();
            fold.floats(a);
        }
    }
    fold.hash()
}

fn gemv() -> u64 {
    let (mut data, mut fold) = (Data::new(9), Fold::new());
    let w = data.floats::<{ MAX_EXTENT * MAX_EXTENT }>();
    let x = data.floats::<MAX_EXTENT>();
    for k in 0..=MAX_EXTENT {
        for n in EXTENTS {
            let mut y = [7.0; MAX_EXTENT];
            kernels::gemv(Table::new(&w[..n * k], n, k).unwrap(), &x[..k], &mut y[..n]).unwrap();
            fold.floats(&y);
        }
    }
    fold.hash()
}

type Shape = (usize, usize);
type Product = fn(Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), ShapeMismatch>;

/// All products of these extents, one after the other into C, which is not zero at the start.
fn matrices(shapes: fn(usize, usize, usize) -> (Shape, Shape), product: Product) -> u64 {
    let (mut data, mut fold) = (Data::new(10), Fold::new());
    let a = data.floats::<{ MAX_EXTENT * MAX_EXTENT }>();
    let b = data.floats::<{ MAX_EXTENT * MAX_EXTENT }>();
    for m in EXTENTS {
        for k in EXTENTS {
            for n in EXTENTS {
                let ((a_rows, a_dim), (b_rows, b_dim)) = shapes(m, k, n);
                let a = Table::new(&a[..a_rows * a_dim], a_rows, a_dim).unwrap();
                let b = Table::new(&b[..b_rows * b_dim], b_rows, b_dim).unwrap();
                let mut c = [0.25; MAX_EXTENT * MAX_EXTENT];
                product(a, b, &mut TableMut::new(&mut c[..m * n], m, n).unwrap()).unwrap();
                fold.floats(&c[..m * n]);
            }
        }
    }
    fold.hash()
}
