//! Long short-term memory along a sequence.

use super::{Memory, extents};
use crate::layers::{glorot_uniform, orthogonal};
use crate::models::kind::{Backward, Kind, Pass, Taken, Values, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Room, Shape, Spec, choice, extent, product, unused};
use crate::passes::lstm;
use crate::recipe::{LayerKind, Record};
use crate::slices::{copy, parts, parts_mut};
use crate::table::{Table, TableMut};
use rand_core::Rng;

/// [`layers::Lstm`](crate::layers::Lstm).
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

/// The weights, and how they read.
pub(in crate::models) fn weights(layer: View<'_>) -> lstm::Lstm<'_> {
    let [len, inputs, units, ..] = extents(layer.record);
    let [sequences, backwards, ..] = layer.record.options;
    let (kernel, rest) = layer.parameters.split_at_checked(inputs * 4 * units).unwrap_or_default();
    let (recurrent_kernel, bias) = rest.split_at_checked(units * 4 * units).unwrap_or_default();
    lstm::Lstm {
        kernel: Table::of_dim(kernel, 4 * units),
        recurrent_kernel: Table::of_dim(recurrent_kernel, 4 * units),
        bias,
        len,
        backwards: backwards != 0,
        sequences: sequences != 0,
    }
}

/// Takes h and c of `n` examples off.
fn take_state<'a>(memory: &mut Memory<'a>, n: usize, units: usize) -> lstm::State<'a> {
    lstm::State { h: memory.take_rows(n, units), c: memory.take_rows(n, units) }
}

/// Takes off what is kept of so many steps.
fn take_kept<'a>(memory: &mut Memory<'a>, steps: usize, units: usize) -> lstm::Kept<'a> {
    lstm::Kept {
        gates: memory.take_rows(steps, 4 * units),
        h: memory.take_rows(steps, units),
        c: memory.take_rows(steps, units),
    }
}

/// Writes the masks of the outputs, if they are sequences.
fn pass_on(weights: lstm::Lstm<'_>, x: Values<'_>, y_masks: &mut [bool]) {
    for (mask, y_mask) in parts(x.masks, weights.len).zip(parts_mut(y_masks, weights.len)) {
        copy(mask, y_mask);
        if weights.backwards {
            y_mask.reverse();
        }
    }
}

impl Kind for Lstm {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Lstm as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (len, inputs, units) = (extent(record, 0)?, extent(record, 1)?, extent(record, 2)?);
        unused(record, 3, [true, true, false], 1)?;
        let sequences = choice(record, 0, &[false, true])?;
        choice(record, 1, &[(), ()])?;
        let logits = product(4, units)?;
        let (kernel, recurrent_kernel) = (product(inputs, logits)?, product(units, logits)?);
        product(len, inputs)?;
        product(len, units)?;
        // Of each step the gates, and h and c before it; h, c and the gradient of h.
        let steps = product(product(6, units)?, len)?;
        let per_example = steps.checked_add(product(3, units)?).ok_or(RecordError::TooLarge)?;
        let gives = if sequences { Shape::Sequence { len, dim: units } } else { Shape::Vector(units) };
        Ok(Spec {
            blocks: [kernel, recurrent_kernel, logits].map(Block::Numbers),
            scratch: Room { fixed: 0, per_example: product(6, units)? },
            kept: Room { fixed: 0, per_example },
            ..Spec::new(Shape::Sequence { len, dim: inputs }, gives)
        })
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let [_, inputs, units, ..] = extents(record);
        let mut rest = Memory(parameters);
        glorot_uniform(rest.take(inputs * 4 * units), inputs, 4 * units, random);
        orthogonal(rest.take(units * 4 * units), 4 * units, random);
        for (gate, bias) in parts_mut(rest.0, units).enumerate() {
            bias.fill(if gate == 1 { 1.0 } else { 0.0 });
        }
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, scratch: &mut [f32], _: bool) {
        let [_, inputs, units, ..] = extents(layer.record);
        let (weights, x, mut scratch) = (weights(layer), x.value(), Memory(scratch));
        let state = take_state(&mut scratch, layer.n, units);
        let gates = scratch.take_rows(layer.n, 4 * units);
        let (steps, to) = (Table::of_dim(x.numbers, inputs), TableMut::of_dim(y.numbers, units));
        weights.infer(steps, x.masks, state, gates, to);
        pass_on(weights, x, y.masks);
    }

    fn forward(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, kept: &mut [f32], _: Pass) {
        let [len, inputs, units, ..] = extents(layer.record);
        let (weights, x, mut memory) = (weights(layer), x.value(), Memory(kept));
        let kept = take_kept(&mut memory, layer.n * len, units);
        let state = take_state(&mut memory, layer.n, units);
        let (steps, to) = (Table::of_dim(x.numbers, inputs), TableMut::of_dim(y.numbers, units));
        weights.forward(steps, x.masks, state, kept, to);
        pass_on(weights, x, y.masks);
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { x, d_y, kept, gradient, d_x: [d_x, _], .. } = backward;
        let [len, inputs, units, ..] = extents(layer.record);
        let (x, mut memory) = (x.value(), Memory(kept));
        let kept = take_kept(&mut memory, layer.n * len, units);
        let state = take_state(&mut memory, layer.n, units);
        let d_before = memory.take_rows(layer.n, units);
        let gradients = gradient.map(Memory).map(|mut gradient| lstm::Gradients {
            kernel: gradient.take_rows(inputs, 4 * units),
            recurrent_kernel: gradient.take_rows(units, 4 * units),
            bias: gradient.0,
        });
        let d_x = d_x.map(|d_x| TableMut::of_dim(d_x, inputs));
        let (steps, d_y) = (Table::of_dim(x.numbers, inputs), Table::of_dim(d_y, units));
        weights(layer).backward(steps, x.masks, state, kept, d_before, d_y, gradients, d_x);
    }
}
