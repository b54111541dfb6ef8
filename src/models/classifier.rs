//! From text to the name of a class.

use super::kind::{Input, Kinds, spec};
use super::model::Model;
use super::run::Workspace;
use super::shape::{Shape, Spec};
use crate::error::{CapacityExceeded, InputError};
use crate::recipe::Record;
use crate::text::{AnyText, Pipeline, PipelineError, TextKinds};
use core::fmt;

/// A model that takes text: an image's model with its pipeline, of which it was checked that they fit.
///
#[cfg_attr(feature = "alloc", doc = "```")]
#[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
/// use nanoembed::image::{self, Contents};
/// use nanoembed::models::{self, All, Classifier, Workspace};
/// use nanoembed::{layers::*, sequential, text::HashingTokenizer};
/// type Reviews = sequential![EmbeddingBag<8, 50, 4>, Dense<4, 2, Softmax>];
/// const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Reviews>();
///
/// // A model that has learnt one word.
/// let mut trained = Reviews::zeroed();
/// let [word]: [usize; 1] = TOKENIZER.encode("awful")?;
/// trained.first.rows[word] = [1.0; 4];
/// trained.second.kernel = [[-1.0, 1.0]; 4];
/// let pipeline = TOKENIZER.pipeline(0)?;
/// let mut bytes = vec![0; pipeline.encoded_size()];
/// pipeline.write(&mut bytes)?;
/// let classes = ["praise", "complaint"];
/// let contents = Contents { classes: &classes, threshold: 0.6, pipeline: Some(&bytes), ..Contents::default() };
/// let image = image::to_vec_with(&trained, &contents)?;
///
/// let classifier = Classifier::new(models::open::<All>(&image)?)?;
/// let lengths = classifier.model().recipe().workspace(1).expect("a small model");
/// let (mut numbers, mut masks) = (vec![0.0; lengths.numbers], vec![false; lengths.masks]);
/// let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
/// let mut ids = [0; 32];
///
/// let answer = classifier.classify("Awful food", &mut ids, &mut workspace)?.expect("one of the classes");
/// assert_eq!(answer.name, "complaint");
/// assert!(answer.probability > 0.95);
/// assert_eq!(classifier.classify("What?", &mut ids, &mut workspace)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Classifier<'a, K, T = AnyText> {
    model: Model<'a, K>,
    pipeline: Pipeline<'a, T>,
    takes: Shape,
}

// Derived, these would ask for `K: Clone, T: Clone`.
impl<K, T> Clone for Classifier<'_, K, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, T> Copy for Classifier<'_, K, T> {}

/// A class, and how probable the model finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer<'a> {
    /// The number of the class, from 0.
    pub class: usize,
    /// Its name; empty if the image has no names.
    pub name: &'a str,
    /// The model's output for it.
    pub probability: f32,
}

/// Why a model takes no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassifierError {
    /// Its image has no pipeline.
    NoPipeline,
    /// The pipeline cannot be read.
    Pipeline(PipelineError),
    /// The pipeline is for a table of another number of rows: ids would name the wrong words.
    Rows {
        /// Rows of the model's table.
        table: usize,
        /// Rows that the pipeline is for.
        pipeline: u64,
    },
    /// The pipeline gives another number of ids than the model takes, where 0 is a bag of any number.
    Ids {
        /// Those that the model takes.
        model: usize,
        /// Those that the pipeline gives.
        pipeline: usize,
    },
    /// The model takes several inputs, or numbers, or gives a sequence.
    NotOneText,
}

impl From<PipelineError> for ClassifierError {
    fn from(error: PipelineError) -> Self {
        Self::Pipeline(error)
    }
}

impl fmt::Display for ClassifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPipeline => {
                f.write_str("the image says nothing of how text becomes ids: write it with a pipeline")
            }
            Self::Pipeline(error) => error.fmt(f),
            Self::Rows { table, pipeline } => write!(
                f,
                "the pipeline is for a table of {pipeline} rows, and the model's has {table}: make the tokenizer by `for_table`, or with {table} rows"
            ),
            Self::Ids { model, pipeline } => {
                write!(
                    f,
                    "the pipeline gives {pipeline} ids, and the model takes {model} (0: a bag of any number): set `Pipeline::length`"
                )
            }
            Self::NotOneText => f.write_str(
                "the model does not take the ids of one text and give a vector: it starts with an Embedding, a QuotientRemainder or an EmbeddingBag",
            ),
        }
    }
}

impl core::error::Error for ClassifierError {}

impl<'a, K: Kinds> Classifier<'a, K> {
    /// The classifier of a model that was opened.
    ///
    /// # Errors
    /// If the image has no pipeline that can be read, or the pipeline and the model do not fit each other.
    pub fn new(model: Model<'a, K>) -> Result<Self, ClassifierError> {
        Self::with_text(model)
    }
}

impl<'a, K: Kinds, T: TextKinds> Classifier<'a, K, T> {
    /// The same, if its pipeline needs nothing but what the list `T` names: for firmware, which links nothing
    /// else.
    ///
    /// ```
    /// use nanoembed::models::{self, Classifier, ClassifierError, kinds};
    /// use nanoembed::text::{Ascii, NativeHash};
    /// type Kinds = (kinds::EmbeddingBag, kinds::Dense);
    /// type Text = (NativeHash, Ascii);
    /// fn one_for_any(image: &[u8]) -> Result<Classifier<'_, Kinds, Text>, Box<dyn core::error::Error + '_>> {
    ///     Ok(Classifier::with_text(models::open(image)?)?)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`new`](Classifier::new), or if the pipeline needs what the list does not name.
    pub fn with_text(model: Model<'a, K>) -> Result<Self, ClassifierError> {
        let pipeline = Pipeline::read_as(model.pipeline().ok_or(ClassifierError::NoPipeline)?)?;
        let recipe = model.recipe();
        // The first layer takes the first input. Its record alone is read: firmware then links no walk.
        let first = match recipe.records().first().map(spec::<K>) {
            Some(Ok(Spec { takes: [first, _], .. })) => first,
            _ => None,
        };
        let (Some(takes), 1, 0) = (first, recipe.sizes.inputs, recipe.output().steps()) else {
            return Err(ClassifierError::NotOneText);
        };
        let of_model = match takes {
            Shape::Ids(len) => len,
            Shape::Bag => 0,
            _ => return Err(ClassifierError::NotOneText),
        };
        let of_pipeline = pipeline.ids().map_or(0, |length| length.get() as usize);
        if of_model != of_pipeline {
            return Err(ClassifierError::Ids { model: of_model, pipeline: of_pipeline });
        }
        let table =
            recipe.records().first().and_then(Record::table_rows).ok_or(ClassifierError::NotOneText)?;
        if table as u64 != pipeline.rows() {
            return Err(ClassifierError::Rows { table, pipeline: pipeline.rows() });
        }
        Ok(Self { model, pipeline, takes })
    }

    /// The model.
    pub fn model(&self) -> Model<'a, K> {
        self.model
    }

    /// How text becomes ids.
    pub fn pipeline(&self) -> Pipeline<'a, T> {
        self.pipeline
    }

    /// The class that the model finds most probable, the first of several; `None` if that is less probable
    /// than the image's threshold, or NaN: none of the classes. A model with one output has one class; where
    /// its image has no threshold, that is 0.5.
    ///
    /// `ids` is memory for the ids of the text: as many as the model takes, or for a bag as many as the
    /// longest text has.
    ///
    /// # Errors
    /// If the text has more ids than `ids` is long, or the workspace is too short.
    pub fn classify(
        &self,
        text: &str,
        ids: &mut [u32],
        workspace: &mut Workspace<'_>,
    ) -> Result<Option<Answer<'a>>, InputError> {
        // A loop of its own: firmware then links no sorting.
        let mut best: Option<(usize, f32)> = None;
        let mut count = 0;
        for (class, &probability) in self.outputs(text, ids, workspace)?.iter().enumerate() {
            count += 1;
            if !probability.is_nan() && best.is_none_or(|(_, most)| probability > most) {
                best = Some((class, probability));
            }
        }
        let threshold = self.model.classes().map_or(0.0, |classes| classes.threshold());
        let least = match threshold {
            // One output is the probability of one class, or of what it is not.
            0.0 if count == 1 => 0.5,
            // Outputs of a model without a last activation may all be below 0.
            0.0 => f32::NEG_INFINITY,
            threshold => threshold,
        };
        let best = best.filter(|(_, probability)| *probability >= least);
        Ok(best.map(|(class, probability)| self.answer(class, probability)))
    }

    fn answer(&self, class: usize, probability: f32) -> Answer<'a> {
        let name = self.model.classes().and_then(|classes| classes.name(class)).unwrap_or_default();
        Answer { class, name, probability }
    }

    /// Writes the most probable classes to `answers`, the most probable first, as many as there is room for;
    /// gives how many. Equally probable ones stand in the order of their numbers.
    ///
    /// # Errors
    /// As [`classify`](Self::classify).
    pub fn top(
        &self,
        text: &str,
        ids: &mut [u32],
        workspace: &mut Workspace<'_>,
        answers: &mut [Answer<'a>],
    ) -> Result<usize, InputError> {
        let y = self.outputs(text, ids, workspace)?;
        let mut found = 0;
        for (class, &probability) in y.iter().enumerate() {
            // NaN is less probable than any number.
            let better = |other: &Answer<'_>| other.probability >= probability || probability.is_nan();
            let place = answers.iter().take(found).take_while(|other| better(other)).count();
            let mut answer = self.answer(class, probability);
            for other in answers.iter_mut().skip(place) {
                core::mem::swap(other, &mut answer);
            }
            found = if found < answers.len() { found + 1 } else { found };
        }
        Ok(found)
    }

    /// The outputs of the model for a text, activation applied.
    ///
    /// # Errors
    /// As [`classify`](Self::classify).
    pub fn outputs<'m>(
        &self,
        text: &str,
        ids: &mut [u32],
        workspace: &'m mut Workspace<'_>,
    ) -> Result<&'m [f32], InputError> {
        let capacity = ids.len();
        let too_many =
            |needed| CapacityExceeded { what: "ids of a text (the length of `ids`)", capacity, needed };
        if let Shape::Ids(len) = self.takes {
            let ids = ids.get_mut(..len).ok_or(too_many(len))?;
            // It has the length of the pipeline.
            self.pipeline.encode_into(text, ids).map_err(|_| too_many(len))?;
            return self.model.outputs(&[Input::Ids(ids)], 1, workspace);
        }
        let count = self.pipeline.encode_into(text, ids).map_err(|_| too_many(capacity))?;
        let ids = ids.get(..count).ok_or(too_many(count))?;
        self.model.outputs(&[Input::Bags { ids, offsets: &[0, count as u32] }], 1, workspace)
    }
}
