//! Long short-term memory along a sequence.

use super::extents;
use crate::layers::{glorot_uniform, orthogonal};
use crate::models::kind::{Backward, Kind, Pass, Taken, Values, ValuesMut, View};
use crate::models::run::take;
use crate::models::shape::{Block, RecordError, Room, Shape, Spec, choice, extent, product, unused};
use crate::passes::lstm;
use crate::recipe::{LayerKind, Record};
use crate::table::{Table, TableMut};
use rand_core::Rng;

/// [`layers::Lstm`](crate::layers::Lstm).
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

/// The weights, and how they read.
fn weights(layer: View<'_>) -> lstm::Lstm<'_> {
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

/// Takes `rows` rows of `dim` numbers off.
fn take_rows<'a>(memory: &mut &'a mut [f32], rows: usize, dim: usize) -> TableMut<'a> {
    TableMut::of_dim(take(memory, rows * dim), dim)
}

/// Takes h and c of `n` examples off.
fn take_state<'a>(memory: &mut &'a mut [f32], n: usize, units: usize) -> lstm::State<'a> {
    lstm::State { h: take_rows(memory, n, units), c: take_rows(memory, n, units) }
}

/// Takes off what is kept of the steps of `n` examples.
fn take_kept<'a>(memory: &mut &'a mut [f32], steps: usize, units: usize) -> lstm::Kept<'a> {
    lstm::Kept {
        gates: take_rows(memory, steps, 4 * units),
        h: take_rows(memory, steps, units),
        c: take_rows(memory, steps, units),
    }
}

/// Writes the masks of the outputs, if they are sequences.
fn pass_on(weights: lstm::Lstm<'_>, x: Values<'_>, y_masks: &mut [bool]) {
    let len = weights.len.max(1);
    for (mask, y_mask) in x.masks.chunks_exact(len).zip(y_masks.chunks_exact_mut(len)) {
        super::copy(mask, y_mask);
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
        let mut rest = parameters;
        glorot_uniform(take(&mut rest, inputs * 4 * units), inputs, 4 * units, random);
        orthogonal(take(&mut rest, units * 4 * units), 4 * units, random);
        for (gate, bias) in rest.chunks_exact_mut(units.max(1)).enumerate() {
            bias.fill(if gate == 1 { 1.0 } else { 0.0 });
        }
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, scratch: &mut [f32], _: bool) {
        let [_, inputs, units, ..] = extents(layer.record);
        let (weights, x, mut scratch) = (weights(layer), x.value(), scratch);
        let state = take_state(&mut scratch, layer.n, units);
        let gates = take_rows(&mut scratch, layer.n, 4 * units);
        let (steps, to) = (Table::of_dim(x.numbers, inputs), TableMut::of_dim(y.numbers, units));
        weights.infer(steps, x.masks, state, gates, to);
        pass_on(weights, x, y.masks);
    }

    fn forward(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, kept: &mut [f32], _: Pass) {
        let [len, inputs, units, ..] = extents(layer.record);
        let (weights, x, mut memory) = (weights(layer), x.value(), kept);
        let kept = take_kept(&mut memory, layer.n * len, units);
        let state = take_state(&mut memory, layer.n, units);
        let (steps, to) = (Table::of_dim(x.numbers, inputs), TableMut::of_dim(y.numbers, units));
        weights.forward(steps, x.masks, state, kept, to);
        pass_on(weights, x, y.masks);
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { x, d_y, kept: mut memory, gradient, d_x: [d_x, _], .. } = backward;
        let [len, inputs, units, ..] = extents(layer.record);
        let x = x.value();
        let kept = take_kept(&mut memory, layer.n * len, units);
        let state = take_state(&mut memory, layer.n, units);
        let d_before = take_rows(&mut memory, layer.n, units);
        let gradients = gradient.map(|mut gradient| lstm::Gradients {
            kernel: take_rows(&mut gradient, inputs, 4 * units),
            recurrent_kernel: take_rows(&mut gradient, units, 4 * units),
            bias: gradient,
        });
        let d_x = d_x.map(|d_x| TableMut::of_dim(d_x, inputs));
        let (steps, d_y) = (Table::of_dim(x.numbers, inputs), Table::of_dim(d_y, units));
        weights(layer).backward(steps, x.masks, state, kept, d_before, d_y, gradients, d_x);
    }
}
