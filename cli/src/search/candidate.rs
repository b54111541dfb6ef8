//! A model that may fit: its form, how text becomes its ids, and as many rows as there is room for.

use super::Tried;
use crate::data::Labelled;
use crate::evaluation;
use crate::examples::Examples;
use crate::failure::Failure;
use crate::image_file::ImageFile;
use crate::measure::Measure;
use crate::pipeline::{self, TextSettings};
use crate::progress;
use crate::recipe::{Architecture, Extents};
use crate::training::{self, Judged, Optimizer, Plan, Watch};
use nanoembed::image::Contents;
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, SparseCategoricalCrossEntropy};
use nanoembed::models::{Folding, Model, Recipe};
use nanoembed::table::RowFormat;
use nanoembed::text::Lowering;
use nanoembed::train::Report;
use std::fmt;

/// What lies in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A row of integers for the scores of the classes.
    Folded(RowFormat),
    /// The same for one of so many rows; the others are left out.
    Pruned(RowFormat, u32),
    /// Rows of so many numbers, and a linear layer.
    Bag(RowFormat, u32),
}

/// The forms that are tried first.
pub(super) const FORMS: [Form; 11] = [
    Form::Folded(RowFormat::I8),
    Form::Folded(RowFormat::I4),
    Form::Pruned(RowFormat::I8, 4),
    Form::Pruned(RowFormat::I4, 4),
    Form::Bag(RowFormat::I4, 8),
    Form::Bag(RowFormat::I4, 16),
    Form::Bag(RowFormat::I4, 32),
    Form::Bag(RowFormat::I8, 4),
    Form::Bag(RowFormat::I8, 8),
    Form::Bag(RowFormat::I8, 16),
    Form::Bag(RowFormat::I8, 32),
];

/// N-grams: of how many words, and from how many to how many characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextForm {
    words: u16,
    characters: (u16, u16),
}

/// The n-grams that are tried, the first in every form.
pub(super) const TEXTS: [TextForm; 5] = [
    TextForm { words: 2, characters: (0, 0) },
    TextForm { words: 1, characters: (0, 0) },
    TextForm { words: 2, characters: (5, 5) },
    TextForm { words: 1, characters: (4, 4) },
    TextForm { words: 3, characters: (0, 0) },
];

/// Rows that a table has at least and at most.
const LEAST_ROWS: usize = 32;
const MOST_ROWS: usize = 1 << 20;
/// Fewer texts than these are few: a tenth of them says little of a model.
const FEW: usize = 3000;
/// Examples of a step.
const BATCH: usize = 32;

/// A model that may fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(super) form: Form,
    text: TextForm,
    rows: usize,
    /// Rows that are in the image.
    kept: usize,
    epochs: u32,
    learning_rate: f32,
}

/// Bytes of an image that no candidate changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    classes: usize,
    bytes: usize,
}

impl Frame {
    /// Of classes with these names: header and list of sections, two layers, names, pipeline, and what fills up.
    pub(crate) fn new(names: &[&str], marks: bool) -> Self {
        let classes = 8 + 4 * (names.len() + 1) + names.iter().map(|name| name.len()).sum::<usize>();
        // A pipeline by a hash with its filters: white space, or those of Keras.
        let pipeline = if marks { 72 } else { 100 };
        Self { classes: names.len(), bytes: 192 + 128 + classes.next_multiple_of(64) + 64 + pipeline }
    }
}

impl Candidate {
    pub(super) fn new(form: Form, text: TextForm) -> Self {
        Self { form, text, rows: 0, kept: 0, epochs: 10, learning_rate: 0.01 }
    }

    /// With as many rows as fit; `None` if they are too few.
    pub(super) fn fitting(self, budget: usize, frame: &Frame) -> Option<Self> {
        let classes = frame.classes;
        // Scale and biases.
        let free = budget.checked_sub(frame.bytes + 4 + 4 * classes)?;
        let (rows, kept) = match self.form {
            Form::Folded(format) => {
                let rows = free / format.row_bytes(classes)?;
                (rows, rows)
            }
            Form::Pruned(format, of) => {
                // Eight bytes for 32 rows say which are kept.
                let of = of as usize;
                let kept = 4 * free.checked_sub(8)? / (4 * format.row_bytes(classes)? + of);
                ((kept * of).min(MOST_ROWS), kept)
            }
            Form::Bag(format, dim) => {
                let dim = dim as usize;
                let rows = free.checked_sub(4 * dim * classes)? / format.row_bytes(dim)?;
                (rows, rows)
            }
        };
        let (rows, kept) = (rows.min(MOST_ROWS), kept.min(MOST_ROWS));
        (kept >= LEAST_ROWS).then_some(Self { rows, kept, ..self })
    }

    /// The same, learnt longer or otherwise.
    pub(super) fn variants(&self) -> Vec<Self> {
        let mut variants = vec![
            Self { epochs: 2 * self.epochs, ..*self },
            Self { learning_rate: self.learning_rate / 2.0, ..*self },
        ];
        if let Form::Pruned(format, of) = self.form {
            variants.push(Self { form: Form::Pruned(format, 2 * of), ..*self });
            variants.push(Self { form: Form::Pruned(format, of / 2), ..*self });
        }
        variants
    }

    /// Numbers of a row in training.
    fn dim(&self, classes: usize) -> usize {
        match self.form {
            Form::Bag(_, dim) => dim as usize,
            // They are not in the image.
            _ if classes > 32 => 32,
            _ => 16,
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, kept, text, .. } = self;
        match self.form {
            Form::Folded(format) => write!(f, "folded to {format:?}, {rows} rows")?,
            Form::Pruned(format, _) => write!(f, "folded to {format:?}, {kept} of {rows} rows")?,
            Form::Bag(format, dim) => write!(f, "{rows} rows of {dim} {format:?}")?,
        }
        match text.words {
            1 => write!(f, ", words")?,
            words => write!(f, ", runs of 1 to {words} words")?,
        }
        match text.characters {
            (0, 0) => Ok(()),
            (min, max) if min == max => write!(f, ", {min} characters"),
            (min, max) => write!(f, ", {min} to {max} characters"),
        }
    }
}

/// Texts, of which some are held out.
pub(crate) struct Split {
    /// The numbers of the texts to learn from.
    pub(crate) learnt: Vec<usize>,
    pub(crate) held_out: Labelled,
}

/// What candidates are to learn, and what they are tried on.
pub(crate) struct Task<'a> {
    pub(crate) data: &'a Labelled,
    pub(crate) names: &'a [&'a str],
    /// At least one.
    pub(crate) splits: &'a [Split],
    pub(crate) frame: Frame,
    pub(crate) lowercase: Lowering,
    /// Whether marks are words of their own.
    pub(crate) marks: bool,
    /// What says which model is best.
    pub(crate) measure: Measure,
}

/// Ends a training when the person ends the search.
struct UntilEnded;

impl Watch for UntilEnded {
    fn after_step(&mut self, _: u32, _: Report) -> bool {
        progress::was_ended()
    }

    fn after_epoch(&mut self, _: u32, _: Report, _: Option<Judged>) {}
}

impl Task<'_> {
    /// Trains a candidate, and tries its image on what is held out; `None` if the person ended it. Each seed holds out
    /// other texts; if there are few, all splits are tried.
    pub(super) fn try_one(&self, candidate: Candidate, seed: u64) -> Result<Option<Tried>, Failure> {
        let number = (seed as usize).saturating_sub(1) % self.splits.len().max(1);
        let splits = if self.data.len() < FEW {
            self.splits
        } else {
            self.splits.get(number..=number).unwrap_or_default()
        };
        let mut tried = Tried { candidate, scores: Vec::new(), seed, bytes: 0 };
        for split in splits {
            let Some(image) = self.train(candidate, &split.learnt, seed, &mut UntilEnded)? else {
                return Ok(None);
            };
            let scores = evaluation::evaluate(&image.classifier()?, &split.held_out, &[], 1)?;
            tried.scores.push(self.measure.of_scores(&scores));
            tried.bytes = image.bytes().len();
        }
        Ok(Some(tried))
    }

    /// The image of a candidate that learnt from these texts; `None` if the person ended it.
    pub(crate) fn train(
        &self,
        candidate: Candidate,
        learnt: &[usize],
        seed: u64,
        watch: &mut dyn Watch,
    ) -> Result<Option<ImageFile>, Failure> {
        let Candidate { form, text, rows, .. } = candidate;
        let settings = TextSettings {
            rows: rows as u32,
            words: text.words,
            characters: text.characters,
            lowercase: self.lowercase,
            marks: self.marks,
            filters: None,
            length: 0,
        };
        let pipeline = settings.pipeline()?;
        let several = self.data.has_several();
        let mut learning = Examples::encode(self.data, learnt.iter().copied(), several, &pipeline)?;
        let (dim, classes) = (candidate.dim(self.names.len()), self.names.len());
        let extents = Extents { rows, dim, classes, several, ..Extents::default() };
        let records = Architecture::Bag.records(extents)?;
        let recipe = Recipe::new(&records).map_err(Failure::usage)?;
        let loss = if several {
            AnyLoss::from(BinaryCrossEntropy::default())
        } else {
            AnyLoss::from(SparseCategoricalCrossEntropy)
        };
        let Candidate { epochs, learning_rate, .. } = candidate;
        let plan = Plan {
            recipe,
            loss,
            measure: self.measure,
            epochs,
            batch: BATCH,
            optimizer: Optimizer::Adam,
            learning_rate,
            seed,
        };
        let start = training::initial(recipe, seed)?;
        let mut trained = training::learn(plan, &start, &learning, None, watch)?;
        if trained.was_ended {
            return Ok(None);
        }
        let bytes = pipeline::bytes(&pipeline)?;
        let contents = Contents { classes: self.names, pipeline: Some(&bytes), ..Contents::default() };
        let mut kept = None;
        if let Form::Pruned(..) = form {
            let model = Model::new(recipe, &trained.parameters).map_err(Failure::model)?;
            let strongest = model.strongest_rows(candidate.kept, Some(&learning.occurrences(rows)));
            let strongest = strongest.map_err(Failure::model)?;
            learning.keep(&strongest);
            // The rest learns to do without the others.
            let plan = Plan { epochs: epochs.div_ceil(2), ..plan };
            trained = training::learn(plan, &trained.parameters, &learning, None, watch)?;
            if trained.was_ended {
                return Ok(None);
            }
            kept = Some(strongest);
        }
        let model = Model::new(recipe, &trained.parameters).map_err(Failure::model)?;
        let image = match form {
            Form::Folded(format) | Form::Pruned(format, _) => {
                let folding = Folding { format, kept: kept.as_deref(), texts: Some(learning.input()) };
                ImageFile::of("the candidate", &model.fold_with(folding, &contents).map_err(Failure::model)?)
            }
            Form::Bag(format, _) => {
                let mut image = ImageFile::zeros("the candidate", model.shipped_size_with(format, &contents));
                model.ship_with(format, &contents, image.bytes_mut()).map_err(Failure::model)?;
                image
            }
        };
        Ok(Some(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;
    impl Watch for Nobody {
        fn after_step(&mut self, _: u32, _: Report) -> bool {
            false
        }
        fn after_epoch(&mut self, _: u32, _: Report, _: Option<Judged>) {}
    }

    /// Every form fills its budget, but for what fills up.
    #[test]
    fn images_fit() {
        let texts: Vec<String> =
            (0..30).map(|i| format!("{} number {i}", ["good", "bad", "odd"][i % 3])).collect();
        let labels = (0..30).map(|i| vec![i % 3]).collect();
        let names: Vec<String> = ["good", "not so good", "odd"].map(str::to_owned).to_vec();
        let data = Labelled { texts, labels, names: names.clone(), ..Labelled::default() };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all: Vec<usize> = (0..30).collect();
        for (marks, budget) in
            [false, true].into_iter().flat_map(|marks| [1400, 4096, 5001].map(|of| (marks, of)))
        {
            let frame = Frame::new(&names, marks);
            let task = Task {
                data: &data,
                names: &names,
                splits: &[],
                frame,
                lowercase: Lowering::Ascii,
                marks,
                measure: Measure::Accuracy,
            };
            for form in FORMS {
                let candidate = Candidate::new(form, TEXTS[2]);
                let Some(candidate) = candidate.fitting(budget, &frame) else { continue };
                let candidate = Candidate { epochs: 1, ..candidate };
                let image =
                    task.train(candidate, &all, 1, &mut Nobody).expect("a training").expect("an image");
                let bytes = image.bytes().len();
                assert!(bytes <= budget && bytes + 200 > budget, "{candidate}: {bytes} of {budget}");
            }
        }
        let frame = Frame::new(&names, false);
        assert!(Candidate::new(FORMS[0], TEXTS[0]).fitting(400, &frame).is_none());
    }
}
