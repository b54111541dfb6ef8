//! Inner products with the rows of a table of any format, and norms of rows.

use super::{FormatSpec, lane_sum};
use crate::math;
use crate::table::{RowFormat, Scale, Table, TableMut};

/// The integers of a vector, and what one of them stands for.
fn coded(query: &[f32]) -> (impl Fn(usize) -> i64 + '_, f32) {
    let greatest = query.iter().fold(0.0, |most, x| if x.abs() > most { x.abs() } else { most });
    let (finite, inverse) = (query.iter().all(|x| x.is_finite()), 32767.0 / greatest);
    let step = match (finite, inverse < f32::INFINITY) {
        (false, _) => f32::NAN,
        (true, false) => 0.0,
        (true, true) => greatest / 32767.0,
    };
    // Numbers of this size and their halves are exact.
    let code = move |i: usize| if step > 0.0 { libm::rintf(query[i] * inverse) as i64 } else { 0 };
    (code, step)
}

/// C = Q Tᵀ: each element is the inner product of a vector and a row.
#[allow(clippy::missing_panics_doc)]
pub fn scores<F: FormatSpec>(queries: Table<'_>, table: Table<'_, F>, c: &mut TableMut<'_>) {
    let integers = matches!(F::ROW_FORMAT, RowFormat::I8 | RowFormat::U8);
    for i in 0..queries.rows() {
        let query = queries.row(i).expect("a query");
        let (code, step) = coded(query);
        for (j, c) in c.row_mut(i).expect("a row").iter_mut().enumerate() {
            if !integers {
                *c = lane_sum(query.iter().enumerate().map(|(p, x)| F::number(table, j, p) * x));
                continue;
            }
            let row = table.row(j).expect("a row");
            let product: i64 = (0..query.len()).map(|p| F::code(row, p) as i64 * code(p)).sum();
            let product = step * product as f32;
            *c = match F::affine(row) {
                Some((scale, bias)) => {
                    scale * product + bias * (step * (0..query.len()).map(&code).sum::<i64>() as f32)
                }
                None => table.table_scale().value() * product,
            };
        }
    }
}

/// 1 / |row| for each row.
pub fn inverse_norms<F: FormatSpec>(table: Table<'_, F>, out: &mut [f32]) {
    for (j, out) in out.iter_mut().enumerate() {
        let squares = lane_sum((0..table.dim()).map(|p| F::number(table, j, p) * F::number(table, j, p)));
        let has_norm = (f32::MIN_POSITIVE..f32::INFINITY).contains(&squares);
        *out = if has_norm { 1.0 / math::sqrt(squares) } else { 0.0 };
    }
}
