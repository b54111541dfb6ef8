//! Embeddings made of a row of each of two tables, which are added or multiplied.

use crate::table::{Table, TableMut};

/// Which two rows an embedding is made of; `None` for an id without rows.
pub(crate) type Split = Option<(usize, usize)>;

/// The numbers of the two rows of each id, from the rows that the ids name in one large table.
#[inline]
pub(crate) fn splits(
    rows: impl Iterator<Item = Option<usize>> + Clone,
    remainders: usize,
) -> impl Iterator<Item = Split> + Clone {
    rows.map(move |row| Some((row?.checked_div(remainders)?, row?.checked_rem(remainders)?)))
}

/// The two rows themselves.
fn rows<'a>(split: Split, q: Table<'a>, r: Table<'a>) -> Option<(&'a [f32], &'a [f32])> {
    let (quotient, remainder) = split?;
    Some((q.row(quotient)?, r.row(remainder)?))
}

/// y\[i\] = q + r or q · r, number by number; zeros for an id without rows.
pub(crate) fn forward(
    splits: impl Iterator<Item = Split>,
    q: Table<'_>,
    r: Table<'_>,
    multiplies: bool,
    mut y: TableMut<'_>,
) {
    for (i, split) in splits.enumerate() {
        let Some(y) = y.row_mut(i) else { break };
        let Some((q, r)) = rows(split, q, r) else {
            y.fill(0.0);
            continue;
        };
        for ((y, q), r) in y.iter_mut().zip(q).zip(r) {
            *y = if multiplies { q * r } else { q + r };
        }
    }
}

/// From the gradients of y, which are in `d_q`, makes those of the rows of q, and writes those of the rows of
/// r to `d_r`.
pub(crate) fn backward(
    splits: impl Iterator<Item = Split>,
    q: Table<'_>,
    r: Table<'_>,
    multiplies: bool,
    mut d_q: TableMut<'_>,
    mut d_r: TableMut<'_>,
) {
    for (i, split) in splits.enumerate() {
        let (Some(d_q), Some(d_r)) = (d_q.row_mut(i), d_r.row_mut(i)) else { break };
        for (d_r, d_q) in d_r.iter_mut().zip(&*d_q) {
            *d_r = *d_q;
        }
        if multiplies && let Some((q, r)) = rows(split, q, r) {
            for ((d_q, r), (d_r, q)) in d_q.iter_mut().zip(r).zip(d_r.iter_mut().zip(q)) {
                *d_q *= r;
                *d_r *= q;
            }
        }
    }
}
