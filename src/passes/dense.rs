//! A fully connected layer: y = x W + b.

use crate::kernels::shaped::{gemm, gemm_nt, gemm_tn};
use crate::table::{Table, TableMut};

/// y = x W + b for x `[n, in]`, W (`kernel`) `[in, out]`, b (`bias`) `[out]`, y `[n, out]`.
#[inline]
pub(crate) fn forward(x: Table<'_>, kernel: Table<'_>, bias: &[f32], mut y: TableMut<'_>) {
    fill_rows(&mut y, bias);
    gemm(x, kernel, &mut y);
}

/// Adds the gradients of W and b, of which `d_y` `[n, out]` is the gradient of y.
#[inline]
pub(crate) fn backward_parameters(
    x: Table<'_>,
    d_y: Table<'_>,
    mut d_kernel: TableMut<'_>,
    d_bias: &mut [f32],
) {
    gemm_tn(x, d_y, &mut d_kernel);
    for row in 0..d_y.rows() {
        if let Some(d_y) = d_y.row(row) {
            for (sum, d) in d_bias.iter_mut().zip(d_y) {
                *sum += d;
            }
        }
    }
}

/// Writes the gradient of x to `d_x` `[n, in]`.
#[inline]
pub(crate) fn backward_input(d_y: Table<'_>, kernel: Table<'_>, mut d_x: TableMut<'_>) {
    gemm_nt(d_y, kernel, &mut d_x);
}

/// Writes `values` to each row.
#[inline]
pub(super) fn fill_rows(y: &mut TableMut<'_>, values: &[f32]) {
    for row in 0..y.rows() {
        if let Some(y) = y.row_mut(row) {
            for (y, value) in y.iter_mut().zip(values) {
                *y = *value;
            }
        }
    }
}
