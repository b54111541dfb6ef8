//! A batch of examples: copied out of the data, in the order in which they are learnt.

use super::blocks::BatchSize;
use super::kind::{Input, Kinds};
use super::recipe::Recipe;
use super::shape::Shape;
use crate::error::{CapacityExceeded, InputError};
use crate::slices::{copy, part, part_mut};
use zerocopy::{FromBytes, IntoBytes};

/// How many words an input of a batch takes, at most.
pub(super) fn words(shape: Shape, size: BatchSize) -> Option<usize> {
    let of_each = |words: usize| words.checked_mul(size.examples);
    match shape {
        Shape::Ids(len) => of_each(len),
        // One more, since they start at a multiple of 8 bytes.
        Shape::LongIds(len) => of_each(len)?.checked_mul(2)?.checked_add(1),
        // Offsets, then ids.
        Shape::Bag => {
            // Offsets have 32 bits.
            let ids = of_each(size.ids_per_bag).filter(|ids| u32::try_from(*ids).is_ok())?;
            ids.checked_add(size.examples)?.checked_add(1)
        }
        Shape::Vector(_) | Shape::Sequence { .. } => of_each(shape.numbers()),
    }
}

/// Where input number `number` lies among the loaded ones: where it starts, how long it may be, and its
/// shape.
fn place<K: Kinds>(recipe: Recipe<'_, K>, size: BatchSize, number: usize) -> Option<(usize, usize, Shape)> {
    let mut start = 0_usize;
    for (i, shape) in recipe.inputs().enumerate() {
        let length = words(shape, size)?;
        if i == number {
            return Some((start, length, shape));
        }
        start = start.checked_add(length)?;
    }
    None
}

/// The part of `memory` that starts at a multiple of 8 bytes, as ids of 64 bits.
fn long_ids(memory: &[f32], length: usize) -> &[u64] {
    let at = |start| <[u64]>::ref_from_bytes(part(memory, start, 2 * length).as_bytes());
    at(0).or_else(|_| at(1)).unwrap_or_default()
}

/// The same, to write.
fn long_ids_mut(memory: &mut [f32], length: usize) -> &mut [u64] {
    let start = usize::from(<[u64]>::ref_from_bytes(part(memory, 0, 2 * length).as_bytes()).is_err());
    <[u64]>::mut_from_bytes(part_mut(memory, start, 2 * length).as_mut_bytes()).unwrap_or_default()
}

fn as_ids(memory: &[f32]) -> &[u32] {
    <[u32]>::ref_from_bytes(memory.as_bytes()).unwrap_or_default()
}

/// Numbers of 32 bits as whole ones.
pub(super) fn as_ids_mut(memory: &mut [f32]) -> &mut [u32] {
    <[u32]>::mut_from_bytes(memory.as_mut_bytes()).unwrap_or_default()
}

/// Copies the ids or numbers of the examples, `width` each.
fn copy_examples<T: Copy, U: From<T>>(from: &[T], to: &mut [U], width: usize, examples: &[u32]) {
    for (to, example) in to.chunks_exact_mut(width.max(1)).zip(examples) {
        for (to, from) in to.iter_mut().zip(part(from, *example as usize * width, width)) {
            *to = U::from(*from);
        }
    }
}

/// Copies one input of these examples.
fn load_one(shape: Shape, size: BatchSize, from: Input<'_>, examples: &[u32], memory: &mut [f32]) {
    match (shape, from) {
        (Shape::Ids(len), Input::Ids(ids)) => copy_examples(ids, as_ids_mut(memory), len, examples),
        (Shape::LongIds(len), Input::LongIds(ids)) => {
            copy_examples(ids, long_ids_mut(memory, len * size.examples), len, examples);
        }
        (Shape::LongIds(len), Input::Ids(ids)) => {
            copy_examples(ids, long_ids_mut(memory, len * size.examples), len, examples);
        }
        (Shape::Bag, Input::Bags { ids, offsets }) => {
            let Some((to_offsets, to_ids)) = as_ids_mut(memory).split_at_mut_checked(size.examples + 1)
            else {
                return;
            };
            let mut end = 0;
            let mut to_offsets = to_offsets.iter_mut();
            if let Some(first) = to_offsets.next() {
                *first = 0;
            }
            for (example, to_offset) in examples.iter().zip(to_offsets) {
                let bag = bag(ids, offsets, *example as usize);
                copy(bag, part_mut(to_ids, end, bag.len()));
                end += bag.len();
                *to_offset = end as u32;
            }
        }
        (_, Input::Numbers(numbers)) => copy_examples(numbers, memory, shape.numbers(), examples),
        _ => {}
    }
}

/// The ids of one bag.
pub(super) fn bag<'a>(ids: &'a [u32], offsets: &[u32], example: usize) -> &'a [u32] {
    match offsets.get(example..).and_then(|rest| rest.first_chunk()) {
        Some([start, end]) => ids.get(*start as usize..*end as usize).unwrap_or_default(),
        None => &[],
    }
}

/// Copies the inputs of these examples.
pub(super) fn load<K: Kinds>(
    recipe: Recipe<'_, K>,
    size: BatchSize,
    inputs: &[Input<'_>],
    examples: &[u32],
    memory: &mut [f32],
) {
    let mut free = memory;
    for (shape, input) in recipe.inputs().zip(inputs) {
        let Some(length) = words(shape, size) else { return };
        let memory = free.split_off_mut(..length).unwrap_or_default();
        load_one(shape, size, *input, examples, memory);
    }
}

/// Input number `number` of `n` examples that were loaded.
pub(super) fn loaded<'m, K: Kinds>(
    recipe: Recipe<'_, K>,
    size: BatchSize,
    number: usize,
    n: usize,
    memory: &'m [f32],
) -> Option<Input<'m>> {
    let (start, length, shape) = place(recipe, size, number)?;
    let memory = part(memory, start, length);
    Some(match shape {
        Shape::Ids(len) => Input::Ids(part(as_ids(memory), 0, n * len)),
        Shape::LongIds(len) => Input::LongIds(part(long_ids(memory, len * size.examples), 0, n * len)),
        Shape::Bag => {
            let (offsets, ids) = as_ids(memory).split_at_checked(size.examples + 1)?;
            let offsets = part(offsets, 0, n + 1);
            Input::Bags { ids: part(ids, 0, *offsets.last()? as usize), offsets }
        }
        _ => Input::Numbers(part(memory, 0, n * shape.numbers())),
    })
}

/// `Ok` if no bag has more ids than the trainer has room for.
pub(super) fn check_bags(inputs: &[Input<'_>], size: BatchSize) -> Result<(), InputError> {
    for input in inputs {
        if let Input::Bags { offsets, .. } = input {
            for ends in offsets.windows(2) {
                if let [start, end] = ends {
                    CapacityExceeded::check(
                        "ids of a bag (BatchSize::ids_per_bag)",
                        size.ids_per_bag,
                        end.saturating_sub(*start) as usize,
                    )?;
                }
            }
        }
    }
    Ok(())
}
