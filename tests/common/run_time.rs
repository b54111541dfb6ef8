//! What typed models take and what they are, given to models at run time.

use super::{Random, draw, image_of, parameter_bytes};
use nanoembed::layers::{Bag, Layer, Pair};
use nanoembed::loss::{Labels, Weighted};
use nanoembed::models::{self, Record};
use rand_core::Rng;
use zerocopy::FromBytes;

/// Ids of all inputs are below this.
pub(crate) const ROWS: usize = 7;

/// One input of a batch, as a run-time model takes it.
pub(crate) enum Column {
    Ids(Vec<u32>),
    LongIds(Vec<u64>),
    Bags { ids: Vec<u32>, offsets: Vec<u32> },
    Numbers(Vec<f32>),
}

impl Column {
    pub(crate) fn input(&self) -> models::Input<'_> {
        match self {
            Self::Ids(ids) => models::Input::Ids(ids),
            Self::LongIds(ids) => models::Input::LongIds(ids),
            Self::Bags { ids, offsets } => models::Input::Bags { ids, offsets },
            Self::Numbers(numbers) => models::Input::Numbers(numbers),
        }
    }
}

/// An input of typed models, drawn at random, and how it is given to one at run time.
pub(crate) trait Given: Sized {
    fn draw(random: &mut Random) -> Self;
    fn columns(batch: &[Self]) -> Vec<Column>;
}

fn id(random: &mut Random) -> u32 {
    random.next_u32() % ROWS as u32
}

impl<const LEN: usize> Given for [u32; LEN] {
    /// The first and the last are padding more often than those between.
    fn draw(random: &mut Random) -> Self {
        let mut ids = [0; LEN].map(|_: u32| id(random));
        let padding = random.next_u32() as usize % (LEN + 1);
        match random.next_u32() % 3 {
            0 => ids[..padding].fill(0),
            1 => ids[padding..].fill(0),
            _ => {}
        }
        ids
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        vec![Column::Ids(batch.concat())]
    }
}

impl<const LEN: usize> Given for [u64; LEN] {
    fn draw(random: &mut Random) -> Self {
        [0; LEN].map(|_: u64| random.next_u64())
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        vec![Column::LongIds(batch.concat())]
    }
}

impl<const CAPACITY: usize> Given for Bag<CAPACITY, u32> {
    fn draw(random: &mut Random) -> Self {
        let len = random.next_u32() as usize % (CAPACITY + 1);
        Self::from_first((0..len).map(|_| id(random)))
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        let (mut ids, mut offsets) = (Vec::new(), vec![0]);
        for bag in batch {
            ids.extend(bag.ids());
            offsets.push(ids.len() as u32);
        }
        vec![Column::Bags { ids, offsets }]
    }
}

impl<const N: usize> Given for [f32; N] {
    fn draw(random: &mut Random) -> Self {
        [0.0; N].map(|_: f32| draw(random))
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        vec![Column::Numbers(batch.concat())]
    }
}

impl<const DIM: usize, const LEN: usize> Given for [[f32; DIM]; LEN] {
    fn draw(random: &mut Random) -> Self {
        [[0.0; DIM]; LEN].map(|row| row.map(|_| draw(random)))
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        vec![Column::Numbers(batch.concat().concat())]
    }
}

impl<A: Given + Copy, B: Given + Copy> Given for Pair<A, B> {
    fn draw(random: &mut Random) -> Self {
        Self { first: A::draw(random), second: B::draw(random) }
    }

    fn columns(batch: &[Self]) -> Vec<Column> {
        let (first, second): (Vec<A>, Vec<B>) = batch.iter().map(|pair| (pair.first, pair.second)).unzip();
        [A::columns(&first), B::columns(&second)].into_iter().flatten().collect()
    }
}

/// The records that the image of a model has.
pub(crate) fn records_of<M: Layer>(model: &M) -> Vec<Record> {
    let image = image_of(model);
    // After the header comes the list of sections: of the first, the recipe, offset and length.
    let entry = |at: usize| u64::from_le_bytes(image[at..at + 8].try_into().unwrap()) as usize;
    let (offset, length) = (entry(64 + 8), entry(64 + 16));
    image[offset..offset + length]
        .chunks(Record::BYTES)
        .map(|r| Record::read_from_bytes(r).unwrap())
        .collect()
}

/// The parameters that the image of a model has, word by word: rows are filled up to whole words.
pub(crate) fn words_of<M: Layer>(model: &M) -> Vec<f32> {
    let words = parameter_bytes(model);
    words.as_chunks().0.iter().map(|word| f32::from_bits(u32::from_le_bytes(*word))).collect()
}

/// Labels in the slices that a model at run time takes.
#[derive(Clone, Default)]
pub(crate) struct Slices {
    classes: Vec<u16>,
    numbers: Vec<f32>,
    weights: Vec<f32>,
}

impl Slices {
    pub(crate) fn of<T: GivenLabel>(labels: &[T]) -> Self {
        let mut slices = Self::default();
        for label in labels {
            label.add_to(&mut slices);
        }
        slices
    }

    pub(crate) fn labels(&self) -> Labels<'_> {
        let labels = match self.classes[..] {
            [] => Labels::numbers(&self.numbers),
            ref classes => Labels::classes(classes),
        };
        if self.weights.is_empty() { labels } else { labels.with_weights(&self.weights) }
    }
}

/// A label of typed losses, drawn at random, and how it is given to a loss as a value.
pub(crate) trait GivenLabel: Copy {
    /// One of so many classes, or numbers in [0, 1].
    fn draw(random: &mut Random, classes: usize) -> Self;
    fn add_to(&self, slices: &mut Slices);
}

impl GivenLabel for u16 {
    fn draw(random: &mut Random, classes: usize) -> Self {
        (random.next_u32() as usize % classes) as u16
    }

    fn add_to(&self, slices: &mut Slices) {
        slices.classes.push(*self);
    }
}

impl<const N: usize> GivenLabel for [f32; N] {
    fn draw(random: &mut Random, _: usize) -> Self {
        match random.next_u32() % 3 {
            0 => [0.0; N].map(|_: f32| draw(random).abs()),
            _ => [0; N].map(|_: i32| (random.next_u32() % 2) as f32),
        }
    }

    fn add_to(&self, slices: &mut Slices) {
        slices.numbers.extend(self);
    }
}

impl<T: GivenLabel> GivenLabel for Weighted<T> {
    fn draw(random: &mut Random, classes: usize) -> Self {
        Self { label: T::draw(random, classes), weight: 2.0 * draw(random).abs() }
    }

    fn add_to(&self, slices: &mut Slices) {
        self.label.add_to(slices);
        slices.weights.push(self.weight);
    }
}
