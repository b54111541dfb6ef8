//! Images of any bytes: what opens computes and learns with the memory that it asks for, whatever that held before, with the bits of
//! the typed reader where a type fits; what is too short is refused before anything is written.
//!
//! Bytes: flags, seed, then by the two low flags 0 the image; 1 the image, whose fingerprint and checksum are put right; 2 its records,
//! 14 bytes each; 3 the same, made to fit each other one error after the other.
#![no_main]

mod image;
mod learn;
mod typed;

use image::{of_records, repaired, sealed};
use libfuzzer_sys::fuzz_target;
use nanoembed::models::{self, All, Classifier, Input, Model, Record, Shape, Workspace};
use nanoembed::zerocopy::IntoBytes;

fuzz_target!(|data: &[u8]| {
    let Some((&[flags, seed], rest)) = data.split_first_chunk() else { return };
    let image = match flags & 3 {
        0 => rest.to_vec(),
        1 => sealed(rest),
        2 => of_records(&image::records(rest)),
        _ => of_records(&repaired(image::records(rest))),
    };
    let mut memory = vec![0_u64; image.len().div_ceil(8)];
    let bytes = &mut memory.as_mut_bytes()[..image.len()];
    bytes.copy_from_slice(&image);
    match models::open::<All>(bytes) {
        Ok(model) => run(bytes, &model, &mut Random(u64::from(seed) << 32 | u64::from(flags))),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// Numbers that depend on a seed alone.
pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 7
    }

    pub fn number(&mut self) -> f32 {
        (self.next() % 2001) as f32 / 500.0 - 2.0
    }
}

/// An input of some examples.
pub enum Owned {
    Ids(Vec<u32>),
    LongIds(Vec<u64>),
    Bags(Vec<u32>, Vec<u32>),
    Numbers(Vec<f32>),
}

impl Owned {
    pub fn lend(&self) -> Input<'_> {
        match self {
            Self::Ids(ids) => Input::Ids(ids),
            Self::LongIds(ids) => Input::LongIds(ids),
            Self::Bags(ids, offsets) => Input::Bags { ids, offsets },
            Self::Numbers(numbers) => Input::Numbers(numbers),
        }
    }

    /// Example number `i` alone; `len` is how many ids or numbers it has.
    fn example(&self, i: usize, shape: Shape) -> Self {
        fn part<T: Clone>(all: &[T], i: usize, len: usize) -> Vec<T> {
            all[i * len..][..len].to_vec()
        }
        match (self, shape) {
            (Self::Ids(ids), Shape::Ids(len) | Shape::LongIds(len)) => Self::Ids(part(ids, i, len)),
            (Self::LongIds(ids), Shape::LongIds(len)) => Self::LongIds(part(ids, i, len)),
            (Self::Bags(ids, offsets), _) => {
                let bag = &ids[offsets[i] as usize..offsets[i + 1] as usize];
                Self::Bags(bag.to_vec(), vec![0, bag.len() as u32])
            }
            (Self::Numbers(numbers), _) => Self::Numbers(part(numbers, i, shape.numbers())),
            _ => unreachable!("an input of its shape"),
        }
    }
}

/// Examples of a model at a time.
pub const EXAMPLES: usize = 3;
/// Ids of a bag, at most.
pub const BAG: usize = 4;

/// How many rows the ids of an input can name.
fn rows(records: &[Record], input: usize) -> u64 {
    let takes = |record: &&Record| record.sources.contains(&(0x8000 | input as u16));
    match records.iter().find(takes) {
        Some(Record { kind: 1, extents: [_, rows, ..], .. })
        | Some(Record { kind: 2, extents: [rows, ..], .. }) => u64::from(*rows),
        Some(Record { kind: 4, extents: [_, q, r, ..], .. }) => u64::from(*q) * u64::from(*r),
        _ => u64::MAX,
    }
}

fn inputs(model: &Model<'_, All>, random: &mut Random) -> Vec<Owned> {
    let recipe = model.recipe();
    let of_each = recipe.inputs().enumerate().map(|(number, shape)| {
        let rows = rows(recipe.records(), number);
        let mut ids = |count: usize| -> Vec<u64> { (0..count).map(|_| random.next() % rows).collect() };
        let narrow = |ids: Vec<u64>| ids.into_iter().map(|id| id as u32).collect();
        match shape {
            Shape::Ids(len) => Owned::Ids(narrow(ids(EXAMPLES * len))),
            Shape::LongIds(len) if rows == u64::MAX && len % 2 == 0 => {
                Owned::Ids(narrow(ids(EXAMPLES * len)))
            }
            Shape::LongIds(len) => Owned::LongIds(ids(EXAMPLES * len)),
            Shape::Bag => {
                let mut offsets = vec![0];
                offsets.extend((1..=EXAMPLES).map(|i| (i * i).min(i * BAG) as u32 / 2));
                Owned::Bags(narrow(ids(offsets[EXAMPLES] as usize)), offsets)
            }
            _ => Owned::Numbers((0..EXAMPLES * shape.numbers()).map(|_| random.number()).collect()),
        }
    });
    of_each.collect()
}

/// Bits, with one for all NaN.
pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

/// The outputs of `n` examples, with memory that held this before.
fn predict(model: &Model<'_, All>, n: usize, inputs: &[Input<'_>], held: f32) -> Vec<f32> {
    let lengths = model.recipe().workspace(n).expect("it was counted");
    let (mut numbers, mut masks) = (vec![held; lengths.numbers], vec![held > 0.0; lengths.masks]);
    let mut y = vec![7.0; n * model.recipe().output().numbers()];
    let mut refused = |numbers: &mut [f32], masks: &mut [bool]| {
        let mut workspace = Workspace { numbers, masks };
        let error = model.predict(inputs, &mut workspace, &mut y).expect_err("too short");
        assert!(!error.to_string().is_empty());
        assert!(y.iter().all(|y| *y == 7.0), "nothing is written");
    };
    if let [_, numbers @ ..] = &mut numbers[..] {
        refused(numbers, &mut masks);
    }
    if let [_, masks @ ..] = &mut masks[..] {
        refused(&mut numbers, masks);
    }
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    model.predict(inputs, &mut workspace, &mut y).expect("ids that there are, memory that was asked for");
    y
}

/// Whether a model is small enough for a run of a fuzz target.
fn is_small(model: &Model<'_, All>) -> bool {
    let recipe = model.recipe();
    let lengths = recipe.workspace(EXAMPLES);
    let memory = lengths.is_some_and(|lengths| lengths.numbers.max(lengths.masks) < 1 << 16);
    let inputs = recipe.inputs().all(|shape| match shape {
        Shape::Ids(len) | Shape::LongIds(len) => len < 1 << 12,
        _ => shape.numbers() < 1 << 16,
    });
    let steps = recipe.records().iter().filter(|record| matches!(record.kind, 8 | 9));
    let steps = steps.map(|record| u64::from(record.extents[0]) + 1).max().unwrap_or(1);
    memory && inputs && steps.saturating_mul(recipe.parameters() as u64) < 1 << 18
}

fn run(bytes: &[u8], model: &Model<'_, All>, random: &mut Random) {
    let is_finite = model.not_finite().is_none_or(|place| place.to_string().is_empty());
    if !is_small(model) {
        return;
    }
    let inputs = inputs(model, random);
    let lent: Vec<Input<'_>> = inputs.iter().map(Owned::lend).collect();
    let y = predict(model, EXAMPLES, &lent, f32::NAN);
    assert_eq!(bits(&y), bits(&predict(model, EXAMPLES, &lent, 1.0)), "what memory held does not matter");
    let units = model.recipe().output().numbers();
    for i in 0..EXAMPLES {
        let one: Vec<Owned> = inputs
            .iter()
            .zip(model.recipe().inputs())
            .map(|(input, shape)| input.example(i, shape))
            .collect();
        let lent: Vec<Input<'_>> = one.iter().map(Owned::lend).collect();
        assert_eq!(bits(&predict(model, 1, &lent, -1.0)), bits(&y[i * units..][..units]), "example {i}");
    }
    ids_that_are_not_there(model, &inputs, random);
    typed::compare(bytes, model, &inputs, &y);
    learn::learn(model, &inputs, random, is_finite);
    classify(model);
}

/// An id of a row that there is not is named with its example.
fn ids_that_are_not_there(model: &Model<'_, All>, inputs: &[Owned], random: &mut Random) {
    let records = model.recipe().records();
    for (number, input) in inputs.iter().enumerate() {
        let rows = rows(records, number);
        let Owned::Ids(ids) = input else { continue };
        if rows > u64::from(u32::MAX) {
            continue;
        }
        let mut bad = ids.clone();
        let place = random.next() as usize % ids.len();
        bad[place] = rows as u32;
        let mut lent: Vec<Input<'_>> = inputs.iter().map(Owned::lend).collect();
        lent[number] = Input::Ids(&bad);
        let lengths = model.recipe().workspace(EXAMPLES).expect("it was counted");
        let (mut numbers, mut masks) = (vec![0.0; lengths.numbers], vec![false; lengths.masks]);
        let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
        let mut y = vec![7.0; EXAMPLES * model.recipe().output().numbers()];
        let error = model.predict(&lent, &mut workspace, &mut y).expect_err("no such row").to_string();
        let example = format!("example {}", place / (ids.len() / EXAMPLES));
        assert!(error.starts_with(&example), "{error}, but {example}");
        assert!(y.iter().all(|y| *y == 7.0), "nothing is written");
    }
}

/// Classes of texts, if the model takes texts.
fn classify(model: &Model<'_, All>) {
    let Ok(classifier) = Classifier::new(*model) else { return };
    let lengths = model.recipe().workspace(1).expect("it was counted");
    let (mut numbers, mut masks) = (vec![0.0; lengths.numbers], vec![false; lengths.masks]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    let mut ids = vec![0; classifier.pipeline().ids().map_or(40, |ids| ids.get() as usize)];
    for text in ["", "Awful food, awful service!", "a b c d e f g h i j k l m n o p q r s t u v w x y z"] {
        if let Ok(Some(answer)) = classifier.classify(text, &mut ids, &mut workspace) {
            assert!(answer.class < model.recipe().output().numbers());
            assert_eq!(
                answer.name,
                model.classes().map_or("", |classes| classes.name(answer.class).unwrap())
            );
        }
    }
}
