//! A model as a list of records, checked once.

use super::kind::{Kinds, spec};
use super::shape::{RecipeError, RecordError, Shape, Spec};
use crate::recipe::{Record, Source};
use core::marker::PhantomData;

/// The layers of a model as records that were checked: each is of one of the kinds `K`, their shapes fit, and
/// each output but the last is taken by one later layer.
///
/// ```
/// use nanoembed::models::{All, LayerKind, Recipe, Record, Source};
/// // In Keras: Embedding(50, 8, input_length=4), Flatten(), Dense(1, activation="sigmoid")
/// let records = [
///     Record::new(LayerKind::Embedding, &[4, 50, 8]).from(Source::Input(0)),
///     Record::new(LayerKind::Flatten, &[4, 8]),
///     Record::new(LayerKind::Dense, &[32, 1]).options([0, 2, 0]),
/// ];
/// let recipe = Recipe::<All>::new(&records)?;
/// assert_eq!(recipe.parameters(), 50 * 8 + 32 + 1);
/// # Ok::<(), nanoembed::models::RecipeError>(())
/// ```
#[derive(Debug)]
pub struct Recipe<'a, K> {
    records: &'a [Record],
    kinds: PhantomData<fn() -> K>,
}

// Derived, these would ask for `K: Clone`.
impl<K> Clone for Recipe<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Recipe<'_, K> {}

/// Layers that a model has, at most.
const MOST: usize = 512;

/// A layer of a checked recipe, and where its share of each kind of memory starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) number: usize,
    pub(crate) record: &'a Record,
    pub(crate) spec: Spec,
    /// Of the parameters, in words.
    pub(crate) parameters: usize,
    /// Of the outputs, in numbers of one example.
    pub(crate) outputs: usize,
    /// Of the masks of the outputs, in steps of one example.
    pub(crate) steps: usize,
}

/// The record that a source names.
pub(crate) fn source_of(record: &Record, source: usize, number: usize) -> Option<Result<usize, u16>> {
    match Source::from_number(record.sources.get(source).copied()?)? {
        Source::Back(back) => Some(Ok(number.checked_sub(usize::from(back))?)),
        Source::Input(input) => Some(Err(input)),
    }
}

impl<'a, K: Kinds> Recipe<'a, K> {
    /// The model that these records describe.
    ///
    /// # Errors
    /// The first record that is wrong, and why.
    pub fn new(records: &'a [Record]) -> Result<Self, RecipeError> {
        if records.is_empty() {
            return Err(RecipeError::NoLayers);
        }
        if records.len() > MOST {
            return Err(RecipeError::TooManyLayers { found: records.len() });
        }
        let (mut inputs, mut numbers) = (0, 0_usize);
        for (layer, record) in records.iter().enumerate() {
            let fails = |error| RecipeError::Layer { layer, error };
            let spec = check_record::<K>(records, layer, record, &mut inputs).map_err(fails)?;
            let more = spec.words().and_then(|words| words.checked_add(spec.gives.numbers()));
            let more = more.and_then(|more| numbers.checked_add(more)).filter(|sum| *sum <= isize::MAX as usize / 4);
            numbers = more.ok_or(fails(RecordError::TooLarge))?;
        }
        Ok(Self { records, kinds: PhantomData })
    }

    /// The records.
    pub fn records(&self) -> &'a [Record] {
        self.records
    }

    /// How many words of 32 bits the parameters take.
    pub fn parameters(&self) -> usize {
        self.places().map(|place| place.spec.words().unwrap_or(0)).sum()
    }

    /// What the model gives for one example.
    pub fn output(&self) -> Shape {
        match self.places().last() {
            Some(place) => place.spec.gives,
            None => Shape::Vector(0),
        }
    }

    /// What each input of the model is, for one example, in order.
    pub fn inputs(&self) -> impl Iterator<Item = Shape> + use<'a, K> {
        self.places().flat_map(|place| {
            let of_source = move |source: usize| match source_of(place.record, source, place.number) {
                Some(Err(_)) => place.spec.takes.get(source).copied().flatten(),
                _ => None,
            };
            [0, 1].into_iter().filter_map(of_source)
        })
    }

    /// The layers in order.
    #[inline]
    pub(crate) fn places(&self) -> Places<'a, K> {
        Places { records: self.records.iter(), number: 0, parameters: 0, outputs: 0, steps: 0, kinds: PhantomData }
    }

    /// Layer number `number`.
    pub(crate) fn place(&self, number: usize) -> Option<Place<'a>> {
        self.places().nth(number)
    }
}

/// The layers of a recipe in order.
#[derive(Debug)]
pub(crate) struct Places<'a, K> {
    records: core::slice::Iter<'a, Record>,
    number: usize,
    parameters: usize,
    outputs: usize,
    steps: usize,
    kinds: PhantomData<fn() -> K>,
}

impl<'a, K: Kinds> Iterator for Places<'a, K> {
    type Item = Place<'a>;

    #[inline]
    fn next(&mut self) -> Option<Place<'a>> {
        let record = self.records.next()?;
        // The recipe was checked, so no record ends the list before its end.
        let spec = spec::<K>(record).ok()?;
        let Self { number, parameters, outputs, steps, .. } = *self;
        self.number += 1;
        self.parameters += spec.words()?;
        self.outputs += spec.gives.numbers();
        self.steps += spec.gives.steps();
        Some(Place { number, record, spec, parameters, outputs, steps })
    }
}

/// What a record says, if it fits those before it; counts the inputs that it takes.
fn check_record<K: Kinds>(
    records: &[Record],
    layer: usize,
    record: &Record,
    inputs: &mut u16,
) -> Result<Spec, RecordError> {
    if !record.has_zeros() {
        return Err(RecordError::NotZero);
    }
    let spec = spec::<K>(record)?;
    for (source, (takes, &number)) in spec.takes.into_iter().zip(&record.sources).enumerate() {
        let wrong = RecordError::Source { source: number };
        let Some(takes) = takes else {
            if number == 0 {
                continue;
            }
            return Err(wrong);
        };
        match source_of(record, source, layer).ok_or(wrong)? {
            Err(input) if input == *inputs => *inputs += 1,
            Ok(from) if from < layer => {
                let found = match records.get(from) {
                    Some(record) => crate::models::kind::spec::<K>(record)?.gives,
                    None => return Err(wrong),
                };
                if found != takes {
                    return Err(RecordError::Shape { takes, found });
                }
            }
            _ => return Err(wrong),
        }
    }
    let takers = records.iter().enumerate().skip(layer + 1).flat_map(|(number, record)| {
        [0, 1].into_iter().filter(move |source| source_of(record, *source, number) == Some(Ok(layer)))
    });
    let is_last = layer + 1 == records.len();
    if takers.count() == usize::from(!is_last) { Ok(spec) } else { Err(RecordError::Output) }
}
