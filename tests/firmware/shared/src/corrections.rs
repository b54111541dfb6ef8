//! Corrections of the intents: their table of integers stays in flash, and texts that are given with another class are learnt by a few
//! rows beside it. On a host and on a microcontroller the same code, the same bits.
//!
//! Nothing here can panic.

use super::data::Fold;
use super::intents::{FoldedIntents, IDS, LONG_TEXT, ROWS, TEXTS, TOKENIZER};
use nanoembed::error::InputError;
use nanoembed::image::{self, Contents, PageError};
use nanoembed::layers::{
    Activation, Add, Bag, Branches, Corrected, Folded, I8Row, Input, Layer, OverlayBag, Softmax,
};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::optim::RowwiseAdagrad;
use nanoembed::sequential;
use nanoembed::train::{TrainError, Trainer};

/// Rows in RAM, for 37 corrections of three: as many as 8 KiB have room for.
const OVERLAY: usize = 112;
const ROWS_EACH: usize = 3;
/// Steps of a correction, at most.
const STEPS: usize = 30;
/// Bytes that the flash takes at once.
const PAGE: usize = 256;

/// What lies in flash, and gives scores.
type Base = Folded<[I8Row<7>; ROWS], 7>;
pub type Correction = sequential![Branches<Input<[f32; 7]>, OverlayBag<IDS, OVERLAY, 7>>, Add<[f32; 7]>, Activation<[f32; 7], Softmax>];
pub type Corrector = Trainer<Correction, RowwiseAdagrad, SparseCategoricalCrossEntropy, 1>;
pub type CorrectedIntents<'a> = Corrected<'a, Base, Correction>;

/// Texts with a class that the model does not give them, by their places in the list of classes.
pub const CORRECTIONS: [(&str, u16); 8] = [
    ("Ouch", 2),
    (LONG_TEXT, 5),
    ("Is there a picture of the terrace?", 1),
    ("I am in the mood for something slow", 3),
    ("Put me down for three at eight", 1),
    ("What is on at the Odeon?", 6),
    ("Where is that painting shown, and when?", 5),
    ("Four stars, would read again", 4),
];

/// What ends a correction.
#[derive(Debug)]
pub enum Error {
    Input(InputError),
    Training(TrainError),
    Image(PageError<core::convert::Infallible>),
}

impl From<InputError> for Error {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}
impl From<TrainError> for Error {
    fn from(error: TrainError) -> Self {
        Self::Training(error)
    }
}

/// A model that has learnt nothing beside this one.
#[inline(always)]
pub fn model(base: &FoldedIntents) -> CorrectedIntents<'_> {
    Corrected { base: &base.first, correction: Correction::zeroed() }
}

#[inline(always)]
pub fn trainer() -> Corrector {
    Trainer::new(
        RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() },
        SparseCategoricalCrossEntropy,
    )
}

fn encode(text: &str) -> Bag<IDS> {
    // 16 bits hold the numbers of all rows, and a text has no more ids than there is room for.
    Bag::from_first(TOKENIZER.ids(text).map(|id| id as u16))
}

/// Learns that a text is of a class; gives the steps that it took.
#[inline(never)]
pub fn correct(
    model: &mut CorrectedIntents<'_>,
    trainer: &mut Corrector,
    text: &str,
    class: u16,
) -> Result<usize, TrainError> {
    trainer.correct::<ROWS_EACH>(model, &encode(text), class, STEPS)
}

/// One step of training on the first correction.
#[inline(never)]
pub fn step(model: &mut CorrectedIntents<'_>, trainer: &mut Corrector) -> Result<(), Error> {
    let input = model.input(&encode(LONG_TEXT))?;
    trainer.step(&mut model.correction, &[input], &[5])?;
    Ok(())
}

/// A hash of all probabilities, and of all pages of the image in the order in which they are written.
#[inline(never)]
pub fn hash(model: &CorrectedIntents<'_>) -> Result<u64, Error> {
    let mut fold = Fold::new();
    for text in TEXTS.into_iter().chain(CORRECTIONS.map(|(text, _)| text)) {
        fold.floats(&model.predict(&encode(text))?);
    }
    let pages =
        image::write_pages(&model.correction, &Contents::default(), &mut [0; PAGE], |offset, page| {
            fold.number(offset);
            fold.bytes(page);
            Ok(())
        });
    pages.map_err(Error::Image)?;
    Ok(fold.hash())
}

/// Learns all corrections; gives the steps that they took.
pub fn run(model: &mut CorrectedIntents<'_>, trainer: &mut Corrector) -> Result<usize, Error> {
    let mut steps = 0;
    for (text, class) in CORRECTIONS {
        steps += correct(model, trainer, text, class)?;
    }
    Ok(steps)
}
