//! Images that say something wrong under a right checksum, and inputs, labels and memory that do not fit what
//! was opened: each is refused with an error that says where, before anything is written.

mod inputs;
mod limits;
mod records;
mod sections;
mod texts;

use crate::images::{at, resealed};
use nanoembed::image::{self, Contents, ImageError};
use nanoembed::layers::{Dense, Embedding, EmbeddingBag, Flatten, Layer, Sigmoid, Softmax};
use nanoembed::models::{self, All, Model, OpenError, Recipe, Record, Workspace};
use nanoembed::sequential;
use zerocopy::IntoBytes;

type Reviews = sequential![Embedding<4, 10, 3>, Flatten<4, 3, 12>, Dense<12, 1, Sigmoid>];
type Bags = sequential![EmbeddingBag<4, 10, 3>, Dense<3, 3, Softmax>];

/// The fold of the records' hashes as `docs/image-format.md` has it.
fn fingerprint(records: &[Record]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    records.iter().fold(0_u64, |all, record| {
        let mut record = *record;
        record.options[3] &= !1;
        let hash = record
            .as_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
        all.wrapping_mul(PRIME).wrapping_add(hash)
    })
}

/// An image of these records and bytes of parameters, whatever they say, with the right fingerprint and
/// checksum.
fn image_with(records: &[Record], parameters: &[u8]) -> Vec<u8> {
    let [start, recipe] = [128, size_of_val(records)];
    let mut image = b"NEMB\x02\0\x01\0".to_vec();
    image.extend(fingerprint(records).to_le_bytes());
    image.resize(64, 0);
    image[32] = 2;
    image[40..48].copy_from_slice(&((start + recipe) as u64).to_le_bytes());
    for (kind, offset, length) in [(1_u64, start, recipe), (2, start + recipe, parameters.len())] {
        // The kind, and that it must be understood.
        image.extend((kind | 1 << 16).to_le_bytes());
        image.extend((offset as u64).to_le_bytes());
        image.extend((length as u64).to_le_bytes());
    }
    image.resize(start, 0);
    image.extend(records.as_bytes());
    image.extend(parameters);
    let length = (image.len() - 64) as u64;
    image[16..24].copy_from_slice(&length.to_le_bytes());
    resealed(image)
}

/// Opens an image where it should lie.
fn open_error(image: &[u8]) -> Option<OpenError> {
    at(image, 0, |image| models::open::<All>(image).err())
}

/// What is lent to a model, with a number more that nobody may touch.
struct Room {
    numbers: Vec<f32>,
    masks: Vec<bool>,
}

impl Room {
    fn new<K: models::Kinds>(recipe: Recipe<'_, K>, examples: usize) -> Self {
        let lengths = recipe.workspace(examples).expect("a small model");
        Self { numbers: vec![f32::NAN; lengths.numbers], masks: vec![true; lengths.masks] }
    }

    fn lend(&mut self) -> Workspace<'_> {
        Workspace { numbers: &mut self.numbers, masks: &mut self.masks }
    }
}

/// Calls `check` with the model in the image of a model of this type whose parameters are a pattern.
fn with_model<M: Layer>(contents: &Contents<'_>, check: impl FnOnce(Model<'_, All>)) {
    let (model, mut bytes) = (crate::images::pattern::<M>(), vec![0; image::size_with::<M>(contents)]);
    match image::write_with(&model, contents, &mut bytes) {
        Ok(()) => {}
        // A pipeline that is wrong is not written: its bytes are written as a vocabulary, whose section is then
        // called one of a pipeline.
        Err(
            ImageError::PipelineRows { .. }
            | ImageError::PipelineLength { .. }
            | ImageError::Section { kind: 4, .. },
        ) => {
            let contents = Contents { pipeline: None, vocabulary: contents.pipeline, ..*contents };
            image::write_with(&model, &contents, &mut bytes).expect("what can be written");
            let kind =
                (64..).step_by(24).find(|place| bytes[*place..place + 2] == [5, 0]).expect("a section");
            bytes[kind] = 4;
            bytes = crate::images::resealed(bytes);
        }
        Err(error) => panic!("{error}"),
    }
    at(&bytes, 0, |image| check(models::open(image).expect("an unharmed image")));
}
