//! What the parameters of a model do in a step: catch up, sum their squares, move.

use super::batch::{as_ids_mut, loaded};
use super::blocks::{BatchSize, BlockPlace, each_block};
use super::kind::{Input, Kind, Kinds, Visit};
use super::recipe::{Recipe, source_of};
use super::shape::Block;
use crate::kernels::sum_of_squares;
use crate::optim::{AnyOptimizer, NamedRows, TakesStep, has_bit};
use crate::passes::convolution::transposed;
use crate::recipe::Record;
use crate::slices::{first_mut, part, part_mut};
use crate::sparse::{Occurrence, SparseGradient, shaped};
use crate::table::{Table, TableMut};
use zerocopy::{FromBytes, IntoBytes};

/// The memory of a trainer that belongs to the parameters.
#[derive(Debug)]
pub(super) struct Learning<'t> {
    /// Of all blocks, in order.
    pub(super) gradients: &'t mut [f32],
    /// Which rows occur, table after table.
    pub(super) lists: &'t mut [f32],
    /// The optimizer's state, in order.
    pub(super) slots: &'t mut [f32],
    /// For one block at a time: a sorted list and a row's sum, or a kernel in order.
    pub(super) scratch: &'t mut [f32],
}

/// How much scratch one block needs, at most.
pub(super) fn scratch_of(block: Block, size: BatchSize) -> Option<usize> {
    match block {
        Block::Rows { dim, .. } => block.occurrences(size)?.checked_mul(2)?.checked_add(dim.checked_mul(2)?),
        Block::ByFilter { .. } => block.words(),
        _ => Some(0),
    }
}

/// Numbers as occurrences.
pub(super) fn as_occurrences(memory: &mut [f32]) -> &mut [Occurrence] {
    <[Occurrence]>::mut_from_bytes(memory.as_mut_bytes()).unwrap_or_default()
}

/// The rows of a table that occur in this batch, in order.
fn occurrences<'l>(lists: &'l mut [f32], place: &BlockPlace<'_>, size: BatchSize) -> &'l mut [Occurrence] {
    let most = place.block.occurrences(size).unwrap_or(0);
    let list = part_mut(lists, place.list, 1 + 2 * most);
    match list.split_first_mut() {
        Some((count, list)) => first_mut(as_occurrences(list), count.to_bits() as usize),
        None => &mut [],
    }
}

/// The parameters up to the end of a table, and after it the bitmap of its frozen rows, if it has one.
fn with_frozen_rows<'p>(place: &BlockPlace<'_>, parameters: &'p mut [f32]) -> (&'p mut [f32], &'p [u32]) {
    match place.frozen_rows {
        Some((start, words)) => {
            let (rows, bits) = parameters.split_at_mut_checked(start).unwrap_or_default();
            (rows, as_ids_mut(first_mut(bits, words)))
        }
        None => (parameters, &[]),
    }
}

/// A table, its slots and the last steps of its rows, to write.
fn table_and_slots<'v>(
    place: &BlockPlace<'_>,
    optimizer: &dyn AnyOptimizer,
    parameters: &'v mut [f32],
    slots: &'v mut [f32],
) -> (TableMut<'v>, TableMut<'v>, &'v mut [u32]) {
    let Block::Rows { rows, dim, .. } = place.block else {
        return (TableMut::of_dim(&mut [], 0), TableMut::of_dim(&mut [], 0), &mut []);
    };
    let of_row = optimizer.row_slots(dim);
    let (_, slots) = slots.split_at_mut_checked(place.slots).unwrap_or_default();
    let (slots, rest) = slots.split_at_mut_checked(rows * of_row).unwrap_or_default();
    let last_steps = if optimizer.keeps_last_steps() { as_ids_mut(first_mut(rest, rows)) } else { &mut [] };
    let table = TableMut::of_dim(part_mut(parameters, place.parameters, rows * dim), dim);
    (table, TableMut::of_rows(slots, rows, of_row), last_steps)
}

/// The inputs that were loaded for `n` examples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loaded<'b> {
    pub(super) memory: &'b [f32],
    pub(super) n: usize,
}

/// Lists the rows that occur and brings them to where the optimizer's dense form has them after step `until`;
/// then takes those that are frozen off the lists.
pub(super) fn catch_up<K: Kinds>(
    recipe: Recipe<'_, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    inputs: Loaded<'_>,
    until: u32,
    parameters: &mut [f32],
    learning: &mut Learning<'_>,
) {
    struct List<'a>(&'a Record, Input<'a>, usize, &'a mut dyn FnMut(u32, u32));
    impl Visit for List<'_> {
        type Output = ();

        fn visit<K: Kind>(self) {
            K::occurrences(self.0, self.1, self.2, self.3);
        }
    }
    let Learning { lists, slots, .. } = learning;
    each_block(recipe, optimizer, size, &mut |place| {
        let Block::Rows { .. } = place.block else { return };
        let most = place.block.occurrences(size).unwrap_or(0);
        let record = place.layer.record;
        let Some(Err(number)) = source_of(record, 0, place.layer.number) else { return };
        let Some(input) = loaded(recipe, size, usize::from(number), inputs.n, inputs.memory) else { return };
        let Some((count, list)) = part_mut(lists, place.list, 1 + 2 * most).split_first_mut() else { return };
        let list = as_occurrences(list);
        let mut listed = 0;
        let mut free = list.iter_mut();
        let mut visit = |row, source| {
            if let Some(slot) = free.next() {
                *slot = Occurrence { row, source };
                listed += 1;
            }
        };
        if K::with(record, List(record, input, place.table, &mut visit)).is_err() {
            return;
        }
        let list = first_mut(list, listed);
        let kept = catch_up_listed(&place, optimizer, until, parameters, slots, list);
        *count = f32::from_bits(kept as u32);
    });
}

/// Brings the listed rows of one table up to date, and takes those that are frozen off the list; gives how
/// many are left.
fn catch_up_listed(
    place: &BlockPlace<'_>,
    optimizer: &dyn AnyOptimizer,
    until: u32,
    parameters: &mut [f32],
    slots: &mut [f32],
    list: &mut [Occurrence],
) -> usize {
    let (parameters, frozen) = with_frozen_rows(place, parameters);
    let (mut table, mut of_rows, last_steps) = table_and_slots(place, optimizer, parameters, slots);
    pass_over(list.iter().map(|occurrence| occurrence.row as usize), frozen, until, last_steps);
    optimizer.replay(until, NamedRows::of(list).without(frozen), &mut table, &mut of_rows, last_steps);
    if frozen.is_empty() {
        return list.len();
    }
    let mut kept = 0;
    for i in 0..list.len() {
        if let Some(occurrence) = list.get(i).copied().filter(|listed| !has_bit(frozen, listed.row as usize))
            && let Some(slot) = list.get_mut(kept)
        {
            *slot = occurrence;
            kept += 1;
        }
    }
    kept
}

/// Takes frozen rows for up to date at step `until`: what they missed is not made up for.
fn pass_over(rows: impl Iterator<Item = usize>, frozen: &[u32], until: u32, last_steps: &mut [u32]) {
    if frozen.is_empty() {
        return;
    }
    for row in rows.filter(|row| has_bit(frozen, *row)) {
        if let Some(last) = last_steps.get_mut(row) {
            *last = until;
        }
    }
}

/// Brings all rows to where the optimizer's dense form has them after step `until`.
pub(super) fn flush<K: Kinds>(
    recipe: Recipe<'_, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    until: u32,
    parameters: &mut [f32],
    slots: &mut [f32],
) {
    each_block(recipe, optimizer, size, &mut |place| {
        let Block::Rows { rows, .. } = place.block else { return };
        let (parameters, frozen) = with_frozen_rows(&place, parameters);
        let (mut table, mut of_rows, last_steps) = table_and_slots(&place, optimizer, parameters, slots);
        pass_over(0..rows, frozen, until, last_steps);
        optimizer.replay(until, NamedRows::all(rows).without(frozen), &mut table, &mut of_rows, last_steps);
    });
}

/// The gradient rows of a table: the gradients of its layer's outputs, or rows of their own for the second of
/// two tables.
fn gradient_rows<'v>(
    place: &BlockPlace<'_>,
    n: usize,
    d_values: &'v [f32],
    gradients: &'v [f32],
) -> Table<'v> {
    let Block::Rows { dim, sources, .. } = place.block else { return Table::of_dim(&[], 0) };
    let rows = n * sources;
    let values = if place.table == 0 {
        part(d_values, place.layer.outputs * n, rows * dim)
    } else {
        part(gradients, place.gradient, rows * dim)
    };
    Table::of_dim(values, dim)
}

/// The rows of a table that occurred, sorted, and their gradients.
fn sparse<'v>(
    place: &BlockPlace<'_>,
    size: BatchSize,
    n: usize,
    d_values: &'v [f32],
    gradients: &'v [f32],
    lists: &'v mut [f32],
    scratch: &'v mut [f32],
) -> SparseGradient<'v> {
    let list = occurrences(lists, place, size);
    let (sorting, sum) = scratch.split_at_mut_checked(2 * list.len()).unwrap_or_default();
    let gradients = gradient_rows(place, n, d_values, gradients);
    let dim = gradients.dim();
    SparseGradient {
        gradients,
        occurrences: shaped::sort_by_row(list, as_occurrences(sorting)),
        scratch: first_mut(sum, 2 * dim),
    }
}

/// What a step works with: the gradients of `n` examples.
pub(super) struct Gradients<'g, 't> {
    pub(super) learning: &'g mut Learning<'t>,
    pub(super) d_values: &'g [f32],
    pub(super) parameters: &'g mut [f32],
    pub(super) n: usize,
}

/// The sum of the squares of all gradients, block after block.
pub(super) fn squares<K: Kinds>(
    recipe: Recipe<'_, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    of: &mut Gradients<'_, '_>,
    keras3_duplicates: bool,
) -> f32 {
    let Gradients { learning: Learning { gradients, lists, scratch, .. }, d_values, n, .. } = of;
    let mut sum = 0.0;
    each_block(recipe, optimizer, size, &mut |place| {
        sum += match place.block {
            Block::Rows { .. } => {
                let mut gradient = sparse(&place, size, *n, d_values, gradients, lists, scratch);
                shaped::sum_of_squares_of_rows(&mut gradient, keras3_duplicates)
            }
            block => sum_of_squares(part(gradients, place.gradient, block.words().unwrap_or(0))),
        };
    });
    sum
}

/// One step on everything that has a gradient; clears the gradients.
pub(super) fn step<K: Kinds>(
    recipe: Recipe<'_, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    of: &mut Gradients<'_, '_>,
    step: &dyn TakesStep,
) {
    let Gradients { learning, d_values, parameters, n } = of;
    let Learning { gradients, lists, slots, scratch } = &mut **learning;
    each_block(recipe, optimizer, size, &mut |place| {
        let numbers = place.block.words().unwrap_or(0);
        if let Block::Rows { .. } = place.block {
            let mut gradient = sparse(&place, size, *n, d_values, gradients, lists, scratch);
            let (mut table, mut of_rows, last_steps) = table_and_slots(&place, optimizer, parameters, slots);
            step.step_rows(&mut table, &mut of_rows, last_steps, &mut gradient);
            return;
        }
        let weights = part_mut(parameters, place.parameters, numbers);
        let of_block = part_mut(slots, place.slots, optimizer.block_slots(numbers));
        let gradient = part_mut(gradients, place.gradient, numbers);
        if let Block::ByFilter { inner, filters } = place.block {
            let in_order = first_mut(scratch, numbers);
            transposed(Table::of_dim(gradient, inner), TableMut::of_dim(in_order, filters));
            step.step_block(weights, in_order, of_block);
        } else {
            step.step_block(weights, gradient, of_block);
        }
        gradient.fill(0.0);
    });
}
