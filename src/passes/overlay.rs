//! The rows of an overlay, found by the ids that they were given to.
//!
//! The map is as long as the table: number i is 0 if row i is free, else 1 + the id of the row. It is a hash
//! table with open addressing and linear probing: the search for an id starts at the row that its hash names,
//! goes on to the next, from the last to the first, and ends at a free row. So a row needs four bytes beside
//! its numbers, and an id that has none is found to have none after about (1 + 1 / (1 − a)²) / 2 looks, if a
//! share a of the rows is taken.

use crate::kernels::shaped::axpy;
use crate::table::{Pooling, Table};

/// An id as the map keeps it; `None` if no table can have such a row.
fn key(id: u64) -> Option<u32> {
    match u32::try_from(id) {
        Ok(id) => id.checked_add(1),
        Err(_) => None,
    }
}

/// The row of a key, or the free row that would be its, and whether it has it; `None` if there is neither.
fn search(map: &[u32], key: u32) -> Option<(usize, bool)> {
    // Fibonacci hashing: the high bits of the product are spread evenly.
    let hash = key.wrapping_mul(0x9e37_79b1);
    let mut row = ((u64::from(hash) * map.len() as u64) >> 32) as usize;
    for _ in 0..map.len() {
        match map.get(row) {
            Some(0) => return Some((row, false)),
            Some(found) if *found == key => return Some((row, true)),
            _ => {}
        }
        row = if row + 1 < map.len() { row + 1 } else { 0 };
    }
    None
}

/// The row of an id, if it has one.
pub(crate) fn row_of(map: &[u32], id: u64) -> Option<usize> {
    let (row, is_there) = search(map, key(id)?)?;
    is_there.then_some(row)
}

/// Whether an id has no row yet, and could have one.
pub(crate) fn is_new(map: &[u32], id: u64) -> bool {
    key(id).is_some_and(|key| !matches!(search(map, key), Some((_, true))))
}

/// Gives an id a row, if it has none and there is one.
pub(crate) fn insert(map: &mut [u32], id: u64) {
    if let Some(key) = key(id)
        && let Some((row, false)) = search(map, key)
        && let Some(slot) = map.get_mut(row)
    {
        *slot = key;
    }
}

/// The rows of those ids that have one.
pub(crate) fn rows(
    map: &[u32],
    ids: impl Iterator<Item = u64> + Clone,
) -> impl Iterator<Item = usize> + Clone {
    ids.filter_map(|id| row_of(map, id))
}

/// What the sum of so many rows is divided by; of no row, nothing.
pub(crate) fn divisor(pooling: Pooling, count: usize) -> Option<f32> {
    if count == 0 { None } else { pooling.divisor(count) }
}

/// y `[dim]`, the pooled rows, of `table` `[rows, dim]`, of those ids that have one.
pub(crate) fn pool(
    map: &[u32],
    table: Table<'_>,
    ids: impl Iterator<Item = u64> + Clone,
    pooling: Pooling,
    y: &mut [f32],
) {
    y.fill(0.0);
    let mut count = 0;
    for row in rows(map, ids).filter_map(|row| table.row(row)) {
        axpy(1.0, row, y);
        count += 1;
    }
    if let Some(divisor) = divisor(pooling, count) {
        for y in y {
            *y /= divisor;
        }
    }
}
