//! A model as a list of records, checked once.

use super::kind::{Kind, Kinds, Visit, spec};
use super::shape::{Block, RecipeError, RecordError, Room, Shape, Spec};
use crate::error::ShapeMismatch;
use crate::recipe::{LayerKind, Record, Source};
use crate::slices::part_mut;
use core::marker::PhantomData;
use rand_core::Rng;

/// The layers of a model as records that were checked: each is of one of the kinds `K`, their shapes fit, and
/// each output but the last is taken by one later layer.
///
/// ```
/// use nanoembed::{layers::ActivationKind, models::{All, LayerKind, Recipe, Record, Source}};
/// // In Keras: Embedding(50, 8, input_length=4), Flatten(), Dense(1, activation="sigmoid")
/// let records = [
///     Record::new(LayerKind::Embedding, &[4, 50, 8]).from(Source::Input(0)),
///     Record::new(LayerKind::Flatten, &[4, 8]),
///     Record::new(LayerKind::Dense, &[32, 1]).activation(ActivationKind::Sigmoid),
/// ];
/// let recipe = Recipe::<All>::new(&records)?;
/// assert_eq!(recipe.parameters(), 50 * 8 + 32 + 1);
/// # Ok::<(), nanoembed::models::RecipeError>(())
/// ```
#[derive(Debug)]
pub struct Recipe<'a, K> {
    records: &'a [Record],
    pub(super) sizes: Sizes,
    kinds: PhantomData<fn() -> K>,
}

/// What all layers have together: found once, when a recipe is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Words of the parameters.
    pub(crate) parameters: usize,
    /// Numbers of the outputs of all layers, for one example.
    pub(crate) outputs: usize,
    /// Steps of the masks of all outputs, for one example.
    pub(crate) steps: usize,
    /// Steps of the longest sequence of which none is padding: an input of numbers, or what a layer takes
    /// that ignores masks.
    pub(crate) valid: usize,
    /// What all layers keep in training.
    pub(crate) kept: Room,
    /// The most that one layer needs for inference.
    pub(crate) scratch: Room,
    /// What the last layer gives.
    pub(crate) output: Shape,
    /// How many inputs there are.
    pub(crate) inputs: usize,
}

// Derived, these would ask for `K: Clone`.
impl<K> Clone for Recipe<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Recipe<'_, K> {}

impl Sizes {
    /// With one more layer; `None` if there are more numbers than can be counted.
    fn with<K: Kinds>(self, layer: usize, record: &Record, spec: &Spec) -> Option<Self> {
        let unmasked = |source: usize| match source_of(record, source, layer) {
            Some(Ok(_)) if !spec.ignores_masks => 0,
            _ => spec.takes.get(source).copied().flatten().map_or(0, Shape::steps),
        };
        let countable = |numbers: &usize| *numbers <= isize::MAX as usize / size_of::<f32>();
        let Room { fixed, per_example } = self.scratch;
        Some(Self {
            parameters: self.parameters.checked_add(spec.words()?).filter(countable)?,
            outputs: self.outputs.checked_add(spec.gives.numbers()).filter(countable)?,
            steps: if K::SEQUENCES { self.steps.checked_add(spec.gives.steps())? } else { 0 },
            valid: if K::SEQUENCES { self.valid.max(unmasked(0)).max(unmasked(1)) } else { 0 },
            kept: Room {
                fixed: self.kept.fixed.checked_add(spec.kept.fixed)?,
                per_example: self.kept.per_example.checked_add(spec.kept.per_example)?,
            },
            scratch: Room {
                fixed: fixed.max(spec.scratch.fixed),
                per_example: per_example.max(spec.scratch.per_example),
            },
            output: spec.gives,
            inputs: self.inputs,
        })
    }
}

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
    /// Of what training keeps.
    pub(crate) kept: Room,
}

impl Place<'_> {
    /// Whether it has parameters that learn.
    pub(crate) fn learns(&self) -> bool {
        let block = |block| matches!(block, Block::Numbers(_) | Block::ByFilter { .. } | Block::Rows { .. });
        !self.record.is_frozen() && self.spec.blocks.into_iter().any(block)
    }

    /// Rows of a folded layer, its biases as one of them, and classes.
    pub(crate) fn scores(&self) -> Option<(usize, usize)> {
        let [_, classes, kept, ..] = self.record.extents;
        let is_folded = self.record.kind == LayerKind::Folded as u16;
        is_folded.then_some(((kept as usize).saturating_add(1), classes as usize))
    }

    /// Rows and dim of an overlay, whose numbers are floats although they are not trained as values.
    pub(crate) fn overlay(&self) -> Option<(usize, usize)> {
        let [rows, dim, ..] = self.record.extents;
        let is_overlay = self.record.kind == LayerKind::OverlayBag as u16;
        is_overlay.then_some((rows as usize, dim as usize))
    }
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
        let mut inputs = 0;
        let mut sizes = Sizes {
            parameters: 0,
            outputs: 0,
            steps: 0,
            valid: 0,
            kept: Room::default(),
            scratch: Room::default(),
            output: Shape::Vector(0),
            inputs: 0,
        };
        for (layer, record) in records.iter().enumerate() {
            let fails = |error| RecipeError::Layer { layer, kind: record.kind, error };
            let spec = check_record::<K>(records, layer, record, sizes.output, &mut inputs).map_err(fails)?;
            sizes = sizes.with::<K>(layer, record, &spec).ok_or(fails(RecordError::TooLarge))?;
        }
        // After all sources: a wrong one says more than the output that it leaves over.
        let mut numbered = records.iter().enumerate();
        if let Some((layer, record)) = numbered.find(|(layer, _)| !is_taken_once(records, *layer)) {
            return Err(RecipeError::Layer { layer, kind: record.kind, error: RecordError::Output });
        }
        sizes.inputs = usize::from(inputs);
        Ok(Self { records, sizes, kinds: PhantomData })
    }

    /// The records.
    pub fn records(&self) -> &'a [Record] {
        self.records
    }

    /// How many words of 32 bits the parameters take.
    pub fn parameters(&self) -> usize {
        self.sizes.parameters
    }

    /// What the model gives for one example.
    pub fn output(&self) -> Shape {
        self.sizes.output
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

    /// Fills the parameters with Keras' initial values, drawn layer by layer in the order in which they lie
    /// in memory: what training starts from, as [`Layer::init`](crate::layers::Layer::init) draws them. Rows
    /// that are packed and bitmaps of frozen rows stay as they are.
    ///
    /// # Errors
    /// If there are not as many words as [`parameters`](Self::parameters) says; nothing has been written then.
    pub fn init(&self, parameters: &mut [f32], random: &mut impl Rng) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("parameters of the model", self.sizes.parameters, parameters.len())?;
        for place in self.places() {
            let words = place.spec.words().unwrap_or(0);
            let parameters = part_mut(parameters, place.parameters, words);
            // A checked recipe has no layer that is none of these kinds.
            if K::with(place.record, Init { record: place.record, parameters, random: &mut *random }).is_err()
            {
                break;
            }
        }
        Ok(())
    }

    /// The layers in order.
    #[inline]
    pub(crate) fn places(&self) -> Places<'a, K> {
        Places {
            records: self.records.iter(),
            number: 0,
            parameters: 0,
            outputs: 0,
            steps: 0,
            kept: Room::default(),
            kinds: PhantomData,
        }
    }

    /// The layers from the last to the first.
    pub(crate) fn places_back(&self) -> impl Iterator<Item = Place<'a>> + use<'a, K> {
        let Sizes { mut parameters, mut outputs, mut steps, mut kept, .. } = self.sizes;
        let mut number = self.records.len();
        self.records.iter().rev().map_while(move |record| {
            let spec = spec::<K>(record).ok()?;
            number -= 1;
            parameters -= spec.words()?;
            outputs -= spec.gives.numbers();
            steps -= if K::SEQUENCES { spec.gives.steps() } else { 0 };
            kept.fixed -= spec.kept.fixed;
            kept.per_example -= spec.kept.per_example;
            Some(Place { number, record, spec, parameters, outputs, steps, kept })
        })
    }

    /// The number of the first layer that learns.
    pub(crate) fn first_learning(&self) -> Option<usize> {
        Some(self.places().find(Place::learns)?.number)
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
    kept: Room,
    kinds: PhantomData<fn() -> K>,
}

impl<'a, K: Kinds> Iterator for Places<'a, K> {
    type Item = Place<'a>;

    #[inline]
    fn next(&mut self) -> Option<Place<'a>> {
        let record = self.records.next()?;
        // The recipe was checked, so no record ends the list before its end.
        let spec = spec::<K>(record).ok()?;
        let Self { number, parameters, outputs, steps, kept, .. } = *self;
        self.number += 1;
        self.parameters += spec.words()?;
        self.outputs += spec.gives.numbers();
        self.steps += if K::SEQUENCES { spec.gives.steps() } else { 0 };
        self.kept.fixed += spec.kept.fixed;
        self.kept.per_example += spec.kept.per_example;
        Some(Place { number, record, spec, parameters, outputs, steps, kept })
    }
}

/// Draws the initial values of a layer.
struct Init<'a, R> {
    record: &'a Record,
    parameters: &'a mut [f32],
    random: &'a mut R,
}

impl<R: Rng> Visit for Init<'_, R> {
    type Output = ();

    fn visit<K: Kind>(self) {
        K::init(self.record, self.parameters, self.random);
    }
}

/// What a record says, if it fits those before it, the last of which gives `before`; counts the inputs that
/// it takes.
fn check_record<K: Kinds>(
    records: &[Record],
    layer: usize,
    record: &Record,
    before: Shape,
    inputs: &mut u16,
) -> Result<Spec, RecordError> {
    if !record.has_zeros() {
        return Err(RecordError::NotZero);
    }
    let spec = spec::<K>(record)?;
    if !K::PAIRS {
        let ([takes, _], [source, second]) = (spec.takes, record.sources);
        let expected = if layer == 0 { Source::Input(0) } else { Source::Back(1) };
        if source != expected.number() || second != 0 {
            return Err(RecordError::Source { source: if second == 0 { source } else { second } });
        }
        *inputs = 1;
        return match takes {
            Some(takes) if layer > 0 && takes != before => Err(RecordError::Shape { takes, found: before }),
            _ => Ok(spec),
        };
    }
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
    Ok(spec)
}

/// Whether one later layer takes the output of a layer, once; none that of the last.
fn is_taken_once(records: &[Record], layer: usize) -> bool {
    let takers = records.iter().enumerate().skip(layer + 1).flat_map(|(number, record)| {
        [0, 1].into_iter().filter(move |source| source_of(record, *source, number) == Some(Ok(layer)))
    });
    takers.count() == usize::from(layer + 1 < records.len())
}
