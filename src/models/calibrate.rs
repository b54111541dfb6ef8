//! A trained model as layers of integers.

use super::calibrate_error::CalibrateError;
use super::kind::{Input, Kinds};
use super::kinds::{self, AnyActivation};
use super::model::Model;
use super::ranges::{self, Range};
use super::recipe::Place;
use super::shape::Shape;
use super::ship::Beside;
use super::units::{Out, Units, channel_of};
use crate::error::{InputError, NotFinite, ShapeMismatch};
use crate::image::Contents;
use crate::layers::integer::Channel;
use crate::layers::{ActivationKind, Layer};
use crate::passes::integers::{MOST_CELL_SHIFT, MOST_STEPS};
use crate::recipe::{LayerKind, Record, Source};
use crate::slices::part;
use crate::table::{Indices, RowNotFinite, nearest_code};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

/// The layers of integers, as far as they are made.
struct Made {
    records: Vec<Record>,
    parameters: Vec<u8>,
    /// The scale of what the last of them gives.
    scale: f64,
}

impl Made {
    /// One more layer, and its parameters after those that are there.
    fn push(&mut self, record: Record, channels: &[Channel], codes: &[i8]) {
        self.records.push(record);
        self.parameters.extend_from_slice(channels.as_bytes());
        self.parameters.extend_from_slice(codes.as_bytes());
        self.parameters.resize(self.parameters.len().next_multiple_of(4), 0);
    }

    /// The record of a kind of integers that is as another one.
    fn as_integers(record: &Record, kind: LayerKind) -> Record {
        let [a, b, c, _] = record.options;
        let extents = record.extents.map(|extent| extent as usize);
        let source = if kind == LayerKind::IntegerEmbedding { Source::Input(0) } else { Source::Back(1) };
        Record::new(kind, &extents).options([a, b, c]).from(source)
    }
}

/// The words of the parameters of a layer from word `from` on.
fn words<'a, K: Kinds>(model: &Model<'a, K>, place: &Place<'_>, from: usize, words: usize) -> &'a [f32] {
    part(model.parameters(), place.parameters + from, words)
}

impl<K: Kinds> Model<'_, K> {
    /// The image of the model as layers of integers, with what its own image holds beside it: see [`calibrate`].
    ///
    /// # Errors
    /// As [`calibrate`].
    pub fn calibrate(&self, examples: Input<'_>) -> Result<Vec<u8>, CalibrateError> {
        self.calibrate_beside(examples, &Beside::Own(self))
    }

    /// The same, with these contents in the place of what the model's own image held.
    ///
    /// # Errors
    /// As [`calibrate`].
    pub fn calibrate_with(
        &self,
        examples: Input<'_>,
        contents: &Contents<'_>,
    ) -> Result<Vec<u8>, CalibrateError> {
        contents.check(self.recipe().records())?;
        self.calibrate_beside(examples, &Beside::Given(contents))
    }

    fn calibrate_beside(
        &self,
        examples: Input<'_>,
        beside: &Beside<'_, K>,
    ) -> Result<Vec<u8>, CalibrateError> {
        if let Some(error) = self.not_finite() {
            return Err(CalibrateError::NotFinite(error));
        }
        let places: Vec<Place<'_>> = self.recipe().places().collect();
        check(&places)?;
        let (ids, len) = check_examples(&places, examples)?;
        let ranges = ranges::ranges(self, ids, len)?;
        let mut made = Made { records: Vec::new(), parameters: Vec::new(), scale: 1.0 };
        for (place, range) in places.iter().zip(&ranges) {
            let (activation, merged) = activation_of(&places, place.number);
            let range = if merged { ranges.get(place.number + 1).unwrap_or(range) } else { range };
            if last_dense(&places) == Some(place.number) {
                self.add_logits(&mut made, place, activation)?;
            } else {
                self.add_layer(&mut made, place, activation, *range)?;
            }
        }
        let Made { records, parameters, .. } = made;
        Ok(beside.image_of(&records, &parameters)?)
    }

    /// Adds the form of integers of one layer before the last `Dense`, or of what follows it.
    fn add_layer(
        &self,
        made: &mut Made,
        place: &Place<'_>,
        activation: ActivationKind,
        range: Range,
    ) -> Result<(), CalibrateError> {
        let (record, layer, measured) = (place.record, place.number, f64::from(range.scale));
        let of_integers = |kind| Made::as_integers(record, kind);
        let [a, b, c, d, ..] = record.extents.map(|extent| extent as usize);
        let overflow = |unit| CalibrateError::Overflow { layer, unit };
        // Of a layer with an activation, what its sums are scaled to, and what its outputs are.
        let (out, after) = match activation {
            ActivationKind::Sigmoid | ActivationKind::Tanh => (Out::Fixed, 1.0 / 127.0),
            _ => (Out::Scale(measured), measured),
        };
        match LayerKind::from_number(record.kind) {
            Some(LayerKind::Embedding) => {
                let from = words(self, place, 0, place.spec.words().unwrap_or(0));
                let table = kinds::numbers_of_table(record, from, b, c);
                let scale = ranges::scale(&table, c).map_err(|RowNotFinite { row }| {
                    let kind = place.kind_name();
                    CalibrateError::NotFinite(NotFinite::Parameter { layer, kind, name: "rows", row })
                })?;
                let codes: Vec<i8> = table.iter().map(|x| nearest_code(*x, scale, 127)).collect();
                made.push(of_integers(LayerKind::IntegerEmbedding), &[], &codes);
                made.scale = f64::from(scale);
            }
            Some(LayerKind::Flatten) => made.push(of_integers(LayerKind::IntegerFlatten), &[], &[]),
            Some(LayerKind::GlobalMaxPooling1D) => {
                made.push(of_integers(LayerKind::IntegerGlobalMaxPooling1D), &[], &[]);
            }
            Some(LayerKind::GlobalAveragePooling1D) => {
                let channel = channel_of(0.0, made.scale, Out::Scale(measured)).ok_or(overflow(0))?;
                made.push(of_integers(LayerKind::IntegerGlobalAveragePooling1D), &[channel], &[]);
                made.scale = measured;
            }
            Some(kind @ (LayerKind::Dense | LayerKind::Conv1D)) => {
                let (kind, inner, outer) = match kind {
                    LayerKind::Dense => (LayerKind::IntegerDense, a, b),
                    _ => (LayerKind::IntegerConv1D, b * d, c),
                };
                let kernel = words(self, place, 0, inner * outer);
                let units = Units::new(kernel, words(self, place, inner * outer, outer), made.scale);
                let units = units.map_err(overflow)?;
                let channels = units.channels(out).map_err(overflow)?;
                let record = of_integers(kind);
                let [first, _, third, _] = record.options;
                made.push(record.options([first, activation as u16, third]), &channels, units.codes());
                made.scale = after;
            }
            Some(LayerKind::Lstm) => self.add_lstm(made, place, range)?,
            // A Dropout does nothing, and an Activation is part of the layer before it.
            _ => {}
        }
        Ok(())
    }

    fn add_lstm(&self, made: &mut Made, place: &Place<'_>, range: Range) -> Result<(), CalibrateError> {
        let (layer, measured) = (place.number, f64::from(range.scale));
        let overflow = |unit| CalibrateError::Overflow { layer, unit };
        let [_, inputs, units, ..] = place.record.extents.map(|extent| extent as usize);
        let (n, m) = (inputs * 4 * units, units * 4 * units);
        let (bias, zeros) = (words(self, place, n + m, 4 * units), vec![0.0; 4 * units]);
        let of_x = Units::new(words(self, place, 0, n), bias, made.scale).map_err(overflow)?;
        let of_h = Units::new(words(self, place, n, m), &zeros, measured).map_err(overflow)?;
        let mut channels = of_x.channels(Out::Fixed).map_err(overflow)?;
        channels.extend(of_h.channels(Out::Fixed).map_err(overflow)?);
        // o · tanh c is in 2⁻³⁰.
        let unit = 1.0 / f64::from(1 << 30);
        channels.push(channel_of(0.0, unit, Out::Scale(measured)).ok_or(overflow(0))?);
        // 16 bits hold ±8 in 2⁻¹².
        let holds = |shift: &u32| range.cell <= f32::from(8_u16 << shift);
        let cell = CalibrateError::Cell { layer, most: range.cell };
        let shift = (0..=MOST_CELL_SHIFT).find(holds).ok_or(cell)?;
        made.parameters.extend(shift.to_le_bytes());
        let codes = [of_x.codes(), of_h.codes()].concat();
        made.push(Made::as_integers(place.record, LayerKind::IntegerLstm), &channels, &codes);
        made.scale = measured;
        Ok(())
    }

    /// Adds the last `Dense`.
    fn add_logits(
        &self,
        made: &mut Made,
        place: &Place<'_>,
        activation: ActivationKind,
    ) -> Result<(), CalibrateError> {
        let overflow = |unit| CalibrateError::Overflow { layer: place.number, unit };
        let [inputs, outputs, ..] = place.record.extents.map(|extent| extent as usize);
        let kernel = words(self, place, 0, inputs * outputs);
        let bias = words(self, place, inputs * outputs, outputs);
        let units = Units::new(kernel, bias, made.scale).map_err(overflow)?;
        let scale = units.scale_of_logits().map_err(overflow)?;
        let channels = units.channels(Out::Scale(f64::from(scale))).map_err(overflow)?;
        let record = Record::new(LayerKind::IntegerLogits, &[inputs, outputs]);
        made.parameters.extend(scale.to_le_bytes());
        made.push(record.options([0, activation as u16, 0]), &channels, units.codes());
        Ok(())
    }
}

/// The last layer, if it is a `Dense`, perhaps with an `Activation` after it.
fn last_dense(places: &[Place<'_>]) -> Option<usize> {
    let is = |place: &Place<'_>, kind: LayerKind| place.record.kind == kind as u16;
    let last =
        places.iter().rfind(|place| !is(place, LayerKind::Dropout) && !is(place, LayerKind::Activation));
    last.filter(|place| is(place, LayerKind::Dense)).map(|place| place.number)
}

/// The activation of layer number `layer`, and whether it is that of an `Activation` after it.
fn activation_of(places: &[Place<'_>], layer: usize) -> (ActivationKind, bool) {
    let of = |layer: usize, kinds: &[LayerKind]| {
        let record = places.get(layer)?.record;
        let is_one = kinds.iter().any(|kind| *kind as u16 == record.kind);
        is_one.then(|| kinds::activation::<AnyActivation>(record))
    };
    match of(layer, &[LayerKind::Dense, LayerKind::Conv1D]) {
        Some(ActivationKind::Identity) => match of(layer + 1, &[LayerKind::Activation]) {
            Some(after) => (after, true),
            None => (ActivationKind::Identity, false),
        },
        own => (own.unwrap_or(ActivationKind::Identity), false),
    }
}

/// The activations that integers have before the last layer, and after it.
const WITHIN: [ActivationKind; 4] =
    [ActivationKind::Identity, ActivationKind::Relu, ActivationKind::Sigmoid, ActivationKind::Tanh];
const AT_THE_END: [ActivationKind; 3] =
    [ActivationKind::Identity, ActivationKind::Sigmoid, ActivationKind::Softmax];

/// That each layer has a form of integers where it stands.
fn check(places: &[Place<'_>]) -> Result<(), CalibrateError> {
    let last = last_dense(places);
    for place in places {
        let (layer, record) = (place.number, place.record);
        let wrong = CalibrateError::Layer { layer, kind: place.kind_name() };
        let (activation, _) = activation_of(places, layer);
        match LayerKind::from_number(record.kind) {
            Some(LayerKind::Embedding) => {}
            _ if layer == 0 => return Err(wrong),
            Some(
                LayerKind::Flatten | LayerKind::GlobalMaxPooling1D | LayerKind::Lstm | LayerKind::Dropout,
            ) => {}
            Some(LayerKind::GlobalAveragePooling1D) => {
                let [len, ..] = record.extents;
                if len as usize > MOST_STEPS {
                    return Err(CalibrateError::Overflow { layer, unit: 0 });
                }
            }
            Some(LayerKind::Dense | LayerKind::Conv1D) => {
                let is_last = last == Some(layer);
                let allowed = if is_last { &AT_THE_END[..] } else { &WITHIN[..] };
                if !activation.is_among(allowed) {
                    return Err(CalibrateError::Activation { layer, activation: activation.name() });
                }
            }
            Some(LayerKind::Activation) => {
                let is_merged = layer.checked_sub(1).is_some_and(|before| activation_of(places, before).1);
                if !is_merged && kinds::activation::<AnyActivation>(record) != ActivationKind::Identity {
                    return Err(wrong);
                }
            }
            _ => return Err(wrong),
        }
    }
    if last.is_some() { Ok(()) } else { Err(CalibrateError::NoDense) }
}

/// The ids of the examples, and how many each has.
fn check_examples<'i>(
    places: &[Place<'_>],
    examples: Input<'i>,
) -> Result<(&'i [u32], usize), CalibrateError> {
    let Some([len, rows, ..]) = places.first().map(|place| place.record.extents) else {
        return Err(CalibrateError::NoDense);
    };
    let (len, rows) = (len as usize, rows as usize);
    let Input::Ids(ids) = examples else {
        return Err(CalibrateError::Examples(InputError::Kind { input: 0, takes: Shape::Ids(len).input() }));
    };
    if ids.is_empty() {
        return Err(CalibrateError::NoExamples);
    }
    let whole = ids.len() / len.max(1) * len;
    let shape = ShapeMismatch::check("number of ids, a multiple of an example's", whole, ids.len());
    shape.map_err(|error| CalibrateError::Examples(error.into()))?;
    Indices::new(ids, rows).map_err(|error| CalibrateError::Examples(InputError::of_examples(len, error)))?;
    Ok((ids, len))
}

/// The image of a trained model that computes by integers alone, as the types of
/// [`layers::integer`](crate::layers::integer) read it: weights of 8 bits, each unit's with a scale of its own,
/// sums of 32 bits, outputs of 8 bits.
///
/// For a model of an `Embedding`; then `Conv1D`, `Lstm`, `Flatten`, global poolings and `Dense` layers; a `Dense`
/// at the end, which becomes [`Logits`](crate::layers::integer::Logits). A `Dropout` is left out, and an
/// `Activation` after a `Dense` or a `Conv1D` becomes part of it. The sizes and options of the types are those of
/// the layers of floats.
///
/// The scale of each layer's outputs comes from `examples`, inputs like those in use, [`Input::Ids`]: the
/// model runs on up to 1024 of them, and numbers that the least squared error asks for are cut off. More than
/// some hundred change little. The most that a cell of an `Lstm` holds, up to ±2048, comes from them too,
/// rounded up to ±8 or twice that, again and again; a cell that would pass it is cut off there.
///
/// ```
/// use nanoembed::models::{self, Input};
/// use nanoembed::{image, layers::*, sequential};
/// type Trained = sequential![
///     Embedding<6, 50, 8>, Conv1D<6, 8, 16, 3, 4, Relu>, GlobalMaxPooling1D<4, 16>, Dense<16, 3, Softmax>
/// ];
/// type Shipped = sequential![
///     integer::Embedding<6, 50, 8>, integer::Conv1D<6, 8, 16, 3, 4, Relu>,
///     integer::GlobalMaxPooling1D<4, 16>, integer::Logits<16, 3, Softmax>
/// ];
/// # use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
/// let trained = Trained::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// let image = models::calibrate(&trained, Input::Ids(&[1, 2, 3, 4, 5, 6]), &Default::default())?;
/// let model: &Shipped = image::read(&image)?;
/// let probabilities = trained.predict(&[1, 2, 3, 4, 5, 6])?;
/// for (p, share) in probabilities.iter().zip(model.predict(&[1, 2, 3, 4, 5, 6])?.probabilities()) {
///     assert!((p - f32::from(share) / 65_535.0).abs() < 0.01);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a layer or an activation has no form of integers, there are no examples or they are none of the model,
/// a parameter or an output is not finite, no sum of 32 bits holds those of a unit, or a cell of an `Lstm`
/// passes ±2048.
pub fn calibrate<M: Layer>(
    trained: &M,
    examples: Input<'_>,
    contents: &Contents<'_>,
) -> Result<Vec<u8>, CalibrateError> {
    let image = crate::image::to_vec(trained);
    super::open::<super::All>(&image)?.calibrate_with(examples, contents)
}
