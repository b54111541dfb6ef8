//! A convolution along a sequence.

use super::{AnyActivation, Memory, activate, activate_backward, activation, activation_of, extents};
use crate::layers::{ActivationKind, glorot_uniform};
use crate::models::kind::{Backward, Kind, Pass, Taken, Values, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Room, Shape, Spec, choice, extent, product, unused};
use crate::passes::convolution::{Convolution, Scratch, is_worth_looking, transposed};
use crate::recipe::{LayerKind, Record};
use crate::slices::{parts, parts_mut};
use crate::table::{Padding, Table, TableMut};
use rand_core::Rng;

/// [`layers::Conv1D`](crate::layers::Conv1D).
#[derive(Clone, Copy, Debug)]
pub struct Conv1D;

/// The paddings in the order of their numbers.
const PADDINGS: [Padding; 3] = [Padding::Valid, Padding::Same, Padding::Causal];

/// What a mask means, in the order of the numbers.
#[derive(Clone, Copy, PartialEq)]
enum MaskUse {
    Honour,
    Ignore,
    Strict,
}
const MASK_USES: [MaskUse; 3] = [MaskUse::Honour, MaskUse::Ignore, MaskUse::Strict];

/// A layer with its sizes, which were checked.
#[derive(Clone, Copy)]
struct Weights<'a> {
    len: usize,
    inputs: usize,
    filters: usize,
    /// Steps of an output.
    out: usize,
    pass: Convolution,
    activation: ActivationKind,
    kernel: Table<'a>,
    bias: &'a [f32],
}

/// Sequences of `len` steps of `dim` numbers.
fn sequences(numbers: &[f32], len: usize, dim: usize) -> impl Iterator<Item = Table<'_>> {
    parts(numbers, len * dim).map(move |numbers| Table::of_dim(numbers, dim))
}

/// The same, to write.
fn sequences_mut(numbers: &mut [f32], len: usize, dim: usize) -> impl Iterator<Item = TableMut<'_>> {
    parts_mut(numbers, len * dim).map(move |numbers| TableMut::of_dim(numbers, dim))
}

impl<'a> Weights<'a> {
    fn new(layer: View<'a>) -> Self {
        let [len, inputs, filters, taps, stride, dilation] = extents(layer.record);
        let padding = choice(layer.record, 0, &PADDINGS).unwrap_or(Padding::Valid);
        let [_, _, mask_use, _] = layer.record.options;
        let (kernel, bias) = layer.parameters.split_at_checked(taps * inputs * filters).unwrap_or_default();
        Self {
            len,
            inputs,
            filters,
            out: padding.output_length(len, dilation * taps.saturating_sub(1), stride),
            pass: Convolution {
                windows: padding.windows(len, taps, stride, dilation),
                padding,
                strict: mask_use == MaskUse::Strict as u16,
            },
            activation: activation::<AnyActivation>(layer.record),
            kernel: Table::of_dim(kernel, filters),
            bias,
        }
    }

    /// Numbers of a filter.
    fn inner(&self) -> usize {
        self.kernel.rows()
    }

    fn masks<'m>(&self, x: Values<'m>) -> impl Iterator<Item = &'m [bool]> + use<'m> {
        parts(x.masks, self.len)
    }

    /// The outputs, or their gradients, to write.
    fn outputs<'m>(&self, y: &'m mut [f32]) -> impl Iterator<Item = TableMut<'m>> + use<'m> {
        sequences_mut(y, self.out, self.filters)
    }

    /// Writes which outputs are valid.
    fn mark_valid(&self, x: Values<'_>, y_masks: &mut [bool]) {
        for (mask, y_mask) in self.masks(x).zip(parts_mut(y_masks, self.out)) {
            self.pass.mark_valid(mask, y_mask);
        }
    }

    /// Writes the outputs, each step's of its own.
    fn multiply(&self, x: Values<'_>, y: &mut [f32]) {
        let steps = sequences(x.numbers, self.len, self.inputs);
        for ((x, mask), y) in steps.zip(self.masks(x)).zip(self.outputs(y)) {
            self.pass.multiply(x, mask, self.kernel, self.bias, y);
        }
    }

    /// Where masks are strict: makes zeros of outputs, or of their gradients, that are not valid.
    fn clear_invalid(&self, x: Values<'_>, y: &mut [f32]) {
        for (mask, y) in self.masks(x).zip(self.outputs(y)) {
            self.pass.clear_invalid(mask, y);
        }
    }

    /// Writes the outputs, the products of steps that are the same made once; false, and nothing written, if too
    /// few are the same.
    fn multiply_repeated(&self, n: usize, x: Values<'_>, kept: &mut [f32], y: &mut [f32]) -> bool {
        if !is_worth_looking(self.pass.windows.taps, self.filters) {
            return false;
        }
        let steps = n * self.len;
        // The backward pass writes the kernel before these, filter by filter.
        let Some((_, rest)) = kept.split_at_mut_checked(self.inner() * self.filters) else { return false };
        let mut rest = Memory(rest);
        let numbers = rest.take_words(steps);
        let (firsts, slots) = (rest.take_words(steps), rest.take_words(steps));
        let scratch = Scratch { numbers, firsts, slots, products: rest.0 };
        let (steps, y) = (Table::of_dim(x.numbers, self.inputs), TableMut::of_dim(y, self.filters));
        self.pass.multiply_repeated(n, steps, x.masks, self.kernel, self.bias, scratch, y)
    }
}

impl Kind for Conv1D {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Conv1D as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (len, inputs, filters) = (extent(record, 0)?, extent(record, 1)?, extent(record, 2)?);
        let (taps, stride, dilation) = (extent(record, 3)?, extent(record, 4)?, extent(record, 5)?);
        unused(record, 6, [true; 3], 1)?;
        let wrong = |extent, value: usize| RecordError::Extent { extent, value: value as u32 };
        let padding = choice(record, 0, &PADDINGS)?;
        if activation_of::<AnyActivation>(record)? == ActivationKind::Softmax && filters == 1 {
            return Err(wrong(2, filters));
        }
        let ignores_masks = choice(record, 2, &MASK_USES)? == MaskUse::Ignore;
        if stride > 1 && dilation > 1 {
            return Err(wrong(5, dilation));
        }
        // As small as an extent, so that no sum of places overflows.
        let reach = product(dilation, taps - 1)?;
        if reach > i32::MAX as usize {
            return Err(RecordError::TooLarge);
        }
        let out = padding.output_length(len, reach, stride);
        if out == 0 {
            return Err(wrong(3, taps));
        }
        let inner = product(taps, inputs)?;
        let kernel = product(inner, filters)?;
        product(len, inputs)?;
        product(out, filters)?;
        // Of each step three numbers that tell which are the same, and its products.
        let per_example = if is_worth_looking(taps, filters) { product(len, filters + 3)? } else { 0 };
        let blocks = [Block::ByFilter { inner, filters }, Block::Numbers(filters), Block::Nothing];
        let gives = Shape::Sequence { len: out, dim: filters };
        let spec = Spec::new(Shape::Sequence { len, dim: inputs }, gives);
        Ok(Spec { blocks, kept: Room { fixed: kernel, per_example }, ignores_masks, ..spec })
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let [_, inputs, filters, taps, ..] = extents(record);
        if let Some((kernel, bias)) = parameters.split_at_mut_checked(taps * inputs * filters) {
            glorot_uniform(kernel, taps * inputs, taps * filters, random);
            bias.fill(0.0);
        }
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], logits: bool) {
        let (layer, x) = (Weights::new(layer), x.value());
        layer.mark_valid(x, y.masks);
        layer.multiply(x, y.numbers);
        layer.clear_invalid(x, y.numbers);
        if !logits {
            activate::<AnyActivation>(layer.activation, layer.filters, y.numbers);
        }
    }

    fn forward(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, kept: &mut [f32], pass: Pass) {
        let (n, layer, x) = (layer.n, Weights::new(layer), x.value());
        layer.mark_valid(x, y.masks);
        if !layer.multiply_repeated(n, x, kept, y.numbers) {
            layer.multiply(x, y.numbers);
        }
        layer.clear_invalid(x, y.numbers);
        if !pass.logits {
            activate::<AnyActivation>(layer.activation, layer.filters, y.numbers);
        }
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass) {
        let Backward { x, y, d_y, kept, gradient, d_x: [d_x, _] } = backward;
        let (layer, x) = (Weights::new(layer), x.value());
        let Weights { len, inputs, filters, out, .. } = layer;
        let weights = layer.inner() * filters;
        if !pass.logits {
            activate_backward::<AnyActivation>(layer.activation, filters, y.numbers, d_y);
        }
        layer.clear_invalid(x, d_y);
        if let Some((d_kernel, d_bias)) = gradient.and_then(|all| all.split_at_mut_checked(weights)) {
            let mut d_kernel = TableMut::of_dim(d_kernel, layer.inner());
            let (steps, d_y) = (sequences(x.numbers, len, inputs), sequences(d_y, out, filters));
            for ((x, mask), d_y) in steps.zip(layer.masks(x)).zip(d_y) {
                layer.pass.backward_parameters(x, mask, d_y, &mut d_kernel, d_bias);
            }
        }
        if let (Some(d_x), Some((by_filter, _))) = (d_x, kept.split_at_mut_checked(weights)) {
            transposed(layer.kernel, TableMut::of_dim(by_filter, layer.inner()));
            let by_filter = Table::of_dim(by_filter, layer.inner());
            let (d_y, d_x) = (sequences(d_y, out, filters), sequences_mut(d_x, len, inputs));
            for ((mask, d_y), d_x) in layer.masks(x).zip(d_y).zip(d_x) {
                layer.pass.backward_input(mask, by_filter, d_y, d_x);
            }
        }
    }
}
