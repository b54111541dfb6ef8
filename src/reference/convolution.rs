//! Convolution along a sequence, and its gradients.

use crate::error::ShapeMismatch;
use crate::table::{Table, TableMut, Windows};

/// Element (i, j), or 0 outside the table.
fn at(table: &Table<'_>, i: usize, j: usize) -> f32 {
    table.row(i).and_then(|row| row.get(j)).copied().unwrap_or(0.0)
}

/// Adds `term` to element (i, j).
fn add(table: &mut TableMut<'_>, i: usize, j: usize, term: f32) {
    if let Some(x) = table.row_mut(i).and_then(|row| row.get_mut(j)) {
        *x += term;
    }
}

/// y\[o\]\[f\] += Σ x\[s\]\[i\] · kernel\[tap\]\[i\]\[f\], summed from zero for each tap with a valid step s.
///
/// # Errors
/// If the shapes do not fit.
pub fn convolve(
    windows: Windows,
    x: Table<'_>,
    valid: &[bool],
    kernel: Table<'_>,
    y: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
    ShapeMismatch::check("rows of the kernel", windows.taps * x.dim(), kernel.rows())?;
    ShapeMismatch::check("dim of the kernel", y.dim(), kernel.dim())?;
    for o in 0..y.rows() {
        for f in 0..y.dim() {
            for tap in 0..windows.taps {
                let Some(s) = windows.valid_step(o, tap, valid) else { continue };
                let mut sum = 0.0;
                for i in 0..x.dim() {
                    sum += at(&x, s, i) * at(&kernel, tap * x.dim() + i, f);
                }
                add(y, o, f, sum);
            }
        }
    }
    Ok(())
}

/// d_kernel\[f\]\[tap\]\[i\] += d_y\[o\]\[f\] · x\[s\]\[i\] where d_y is not zero; d_bias\[f\] +=
/// d_y\[o\]\[f\].
///
/// # Errors
/// If the shapes do not fit.
pub fn convolve_backward_kernel(
    windows: Windows,
    x: Table<'_>,
    valid: &[bool],
    d_y: Table<'_>,
    d_kernel: &mut TableMut<'_>,
    d_bias: &mut [f32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
    ShapeMismatch::check("rows of d_kernel", d_y.dim(), d_kernel.rows())?;
    ShapeMismatch::check("dim of d_kernel", windows.taps * x.dim(), d_kernel.dim())?;
    ShapeMismatch::check("length of d_bias", d_y.dim(), d_bias.len())?;
    for o in 0..d_y.rows() {
        for (f, d_bias) in d_bias.iter_mut().enumerate() {
            let d = at(&d_y, o, f);
            *d_bias += d;
            for tap in (0..windows.taps).filter(|_| d != 0.0) {
                let Some(s) = windows.valid_step(o, tap, valid) else { continue };
                for i in 0..x.dim() {
                    add(d_kernel, f, tap * x.dim() + i, d * at(&x, s, i));
                }
            }
        }
    }
    Ok(())
}

/// d_x\[s\]\[i\] = Σ d_y\[o\]\[f\] · kernel\[f\]\[tap\]\[i\] where d_y is not zero and s valid, output by
/// output, then filter by filter.
///
/// # Errors
/// If the shapes do not fit.
pub fn convolve_backward_input(
    windows: Windows,
    valid: &[bool],
    kernel: Table<'_>,
    d_y: Table<'_>,
    d_x: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of d_x", valid.len(), d_x.rows())?;
    ShapeMismatch::check("rows of the kernel", d_y.dim(), kernel.rows())?;
    ShapeMismatch::check("dim of the kernel", windows.taps * d_x.dim(), kernel.dim())?;
    let dim = d_x.dim();
    for s in 0..d_x.rows() {
        d_x.row_mut(s).into_iter().flatten().for_each(|x| *x = 0.0);
    }
    for o in 0..d_y.rows() {
        for f in 0..d_y.dim() {
            let d = at(&d_y, o, f);
            for tap in (0..windows.taps).filter(|_| d != 0.0) {
                let Some(s) = windows.valid_step(o, tap, valid) else { continue };
                for i in 0..dim {
                    add(d_x, s, i, d * at(&kernel, f, tap * dim + i));
                }
            }
        }
    }
    Ok(())
}
