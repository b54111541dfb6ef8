//! What training asks of a model beside its sizes: how it ends, whether it can start, where it is not finite.

use super::kind::{Input, Kinds};
use super::recipe::{Place, Recipe, source_of};
use super::shape::{Block, choice};
use crate::error::NotFinite;
use crate::layers::ActivationKind;
use crate::models::kinds::ACTIVATIONS;
use crate::recipe::{LayerKind, Record};
use crate::slices::{first, part, parts};
use crate::table::RowFormat;
use zerocopy::IntoBytes;

/// The activation that a layer ends with.
fn activation(record: &Record) -> ActivationKind {
    match LayerKind::from_number(record.kind) {
        Some(LayerKind::Dense | LayerKind::Conv1D | LayerKind::Activation) => {
            choice(record, 1, &ACTIVATIONS).unwrap_or(ActivationKind::Identity)
        }
        _ => ActivationKind::Identity,
    }
}

/// Whether each number is passed on as it came, but for the activation.
fn passes_on(record: &Record) -> bool {
    matches!(LayerKind::from_number(record.kind), Some(LayerKind::Dropout | LayerKind::Activation))
}

impl<'a, K: Kinds> Recipe<'a, K> {
    /// The layer that gives what this one takes.
    fn before(&self, place: &Place<'a>) -> Option<Place<'a>> {
        self.place(source_of(place.record, 0, place.number)?.ok()?)
    }

    fn last(&self) -> Option<Place<'a>> {
        self.place(self.records().len().checked_sub(1)?)
    }

    /// The activation of the last layer, the one that was applied to the outputs last, and whether each
    /// output has a bias of its own that learns.
    pub(super) fn ending(&self) -> (ActivationKind, ActivationKind, bool) {
        let Some(last) = self.last() else {
            return (ActivationKind::Identity, ActivationKind::Identity, false);
        };
        let mut place = last;
        while passes_on(place.record) && activation(place.record) == ActivationKind::Identity {
            let Some(before) = self.before(&place) else { break };
            place = before;
        }
        (activation(last.record), activation(place.record), self.biases().1 > 0)
    }

    /// Where the biases of the outputs start in the parameters, and how many there are; none if the outputs
    /// have none that learn.
    pub(super) fn biases(&self) -> (usize, usize) {
        let Some(mut place) = self.last() else { return (0, 0) };
        while passes_on(place.record) {
            match self.before(&place) {
                Some(before) if activation(before.record) == ActivationKind::Identity => place = before,
                _ => return (0, 0),
            }
        }
        match (LayerKind::from_number(place.record.kind), place.spec.blocks) {
            (Some(LayerKind::Dense), [Block::Numbers(kernel), Block::Numbers(units), _])
                if !place.record.is_frozen() =>
            {
                (place.parameters + kernel, units)
            }
            _ => (0, 0),
        }
    }

    /// Whether the layers learn next to nothing from zeros: two with parameters after each other, or factors
    /// of a product.
    pub(super) fn stalls_at_zero(&self) -> bool {
        self.places().any(|place| {
            let multiplies = match LayerKind::from_number(place.record.kind) {
                Some(LayerKind::Dot | LayerKind::BiasedDot) => true,
                Some(LayerKind::QuotientRemainder) => place.record.options.first() == Some(&1),
                _ => false,
            };
            multiplies || place.spec.words() > Some(0) && self.has_parameters_after(place.number)
        })
    }

    /// Whether all parameters are 0, beside which a table may say which of its rows are frozen.
    pub(super) fn are_zero(&self, parameters: &[f32]) -> bool {
        self.places().all(|place| {
            let mut start = place.parameters;
            place.spec.blocks.into_iter().all(|block| {
                let words = part(parameters, start, block.words().unwrap_or(0));
                start += words.len();
                matches!(block, Block::FrozenRows(_)) || words.iter().all(|x| *x == 0.0)
            })
        })
    }

    /// Whether what a layer gives reaches another that has parameters.
    fn has_parameters_after(&self, number: usize) -> bool {
        let mut reached = number;
        // The output of each layer but the last is taken by one later layer.
        for later in self.places().skip(number + 1) {
            let takes = |source| source_of(later.record, source, later.number) == Some(Ok(reached));
            if takes(0) || takes(1) {
                if later.spec.words() > Some(0) {
                    return true;
                }
                reached = later.number;
            }
        }
        false
    }

    /// The first parameter that is not finite.
    pub(super) fn parameter_not_finite(&self, parameters: &[f32]) -> Option<NotFinite> {
        self.places().find_map(|place| place.parameter_not_finite(parameters))
    }

    /// The first example of which an input is not finite.
    pub(super) fn input_not_finite(&self, inputs: &[Input<'_>]) -> Option<usize> {
        let of_each = self.inputs().zip(inputs).filter_map(|(shape, input)| match input {
            Input::Numbers(numbers) => {
                numbers.iter().position(|x| !x.is_finite())?.checked_div(shape.numbers())
            }
            _ => None,
        });
        of_each.min()
    }
}

impl Place<'_> {
    /// What Keras calls the layer.
    pub(super) fn kind_name(&self) -> &'static str {
        LayerKind::from_number(self.record.kind).map_or("", LayerKind::name)
    }

    /// The first parameter of the layer that is not finite.
    pub(super) fn parameter_not_finite(&self, parameters: &[f32]) -> Option<NotFinite> {
        let mut start = self.parameters;
        for (number, block) in self.spec.blocks.into_iter().enumerate() {
            let words = block.words()?;
            let numbers = part(parameters, start, words);
            let row = match block {
                Block::FrozenRows(_) => None,
                Block::Words(_) => match self.overlay() {
                    Some((rows, dim)) => {
                        let place = first(numbers, rows * dim).iter().position(|x| !x.is_finite());
                        place.and_then(|place| place.checked_div(dim))
                    }
                    None => self.packed_row_not_finite(numbers),
                },
                _ => {
                    let (_, within) = self.block(number);
                    let place = numbers.iter().position(|x| !x.is_finite());
                    place.map(|place| place.checked_div(within).unwrap_or(place))
                }
            };
            if let Some(row) = row {
                let (name, _) = self.block(number);
                return Some(NotFinite::Parameter { layer: self.number, kind: self.kind_name(), name, row });
            }
            start += words;
        }
        None
    }

    /// The first packed row whose scale, bias or number of 16 bits is not finite.
    fn packed_row_not_finite(&self, words: &[f32]) -> Option<usize> {
        let format = RowFormat::from_number(self.record.format)?;
        if self.record.kind == LayerKind::Folded as u16 {
            let [_, classes, ..] = self.record.extents;
            let scale = words.get(words.len().checked_sub(classes as usize + 1)?)?;
            return if scale.is_finite() { None } else { Some(0) };
        }
        let (rows, dim) = self.record.table()?;
        let row_bytes = format.row_bytes(dim)?;
        // Infinity and NaN have the highest exponent.
        let half = |bytes: &[u8; 2]| u16::from_le_bytes(*bytes);
        let is_finite = |row: &[u8]| {
            let codes = match format {
                RowFormat::U8 => dim,
                RowFormat::U4 | RowFormat::U2 => row.len().saturating_sub(4),
                _ => 0,
            };
            let numbers = row.get(codes..).unwrap_or_default();
            let exponent = if matches!(format, RowFormat::Bf16) { 0x7f80 } else { 0x7c00 };
            match format {
                RowFormat::U8 => {
                    numbers.as_chunks().0.iter().all(|number| f32::from_le_bytes(*number).is_finite())
                }
                _ => numbers.as_chunks().0.iter().all(|number| half(number) & exponent != exponent),
            }
        };
        if let (RowFormat::I8 | RowFormat::I4, Some(scale)) = (format, words.last()) {
            return if scale.is_finite() { None } else { Some(0) };
        }
        let bytes = words.as_bytes().get(..row_bytes.checked_mul(rows)?)?;
        parts(bytes, row_bytes).position(|row| !is_finite(row))
    }

    /// The name of a block, and how many numbers it has for each first index.
    fn block(&self, number: usize) -> (&'static str, usize) {
        let [_, b, c, ..] = self.record.extents;
        match (LayerKind::from_number(self.record.kind), number) {
            (Some(LayerKind::Dense), 0) => ("kernel", b as usize),
            (Some(LayerKind::Conv1D), 0) => ("kernel", b as usize * c as usize),
            (Some(LayerKind::Lstm), 0) => ("kernel", 4 * c as usize),
            (Some(LayerKind::Lstm), 1) => ("recurrent_kernel", 4 * c as usize),
            (Some(LayerKind::BiasedDot), _) => ("mean", 1),
            (Some(LayerKind::Dense | LayerKind::Conv1D | LayerKind::Lstm), _) => ("bias", 1),
            (kind, number) => {
                let name = match (kind, number) {
                    (Some(LayerKind::QuotientRemainder), 0) => "quotients",
                    (Some(LayerKind::QuotientRemainder), _) => "remainders",
                    _ => "rows",
                };
                match self.spec.blocks.get(number) {
                    Some(Block::Rows { dim, .. }) => (name, *dim),
                    _ => (name, 1),
                }
            }
        }
    }
}
