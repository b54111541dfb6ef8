//! From a text to the probabilities of its classes, and what they say.

use crate::failure::Failure;
use nanoembed::error::InputError;
use nanoembed::layers::ActivationKind;
use nanoembed::models::{All, Buffers, Classifier, Input, LayerKind, Model, Shape};

/// Texts that are asked about at once, at most: the rows of the next ones are on their way while one is
/// summed.
const BLOCK: usize = 32;

/// A classifier, the texts that it is asked about next, and its memory.
pub(crate) struct Predictor<'a> {
    classifier: Classifier<'a, All>,
    ids: Vec<u32>,
    /// Where the ids of each text start, and where the last end.
    offsets: Vec<u32>,
    buffers: Buffers,
    outputs: Vec<f32>,
}

impl<'a> Predictor<'a> {
    pub(crate) fn new(classifier: &Classifier<'a, All>) -> Result<Self, Failure> {
        let lengths = classifier.model().recipe().workspace(BLOCK);
        let buffers = lengths.ok_or_else(|| Failure::model("the model is too large"))?.buffers();
        let (ids, offsets, outputs) = (Vec::new(), vec![0], Vec::new());
        Ok(Self { classifier: *classifier, ids, offsets, buffers, outputs })
    }

    /// Whether there is no room for another text before the ones that are there have been answered.
    pub(crate) fn is_full(&self) -> bool {
        self.offsets.len() > BLOCK
    }

    /// Appends a text.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), Failure> {
        let (pipeline, ids) = (self.classifier.pipeline(), &mut self.ids);
        if let Some(length) = pipeline.ids() {
            let start = ids.len();
            ids.resize(start + length.get() as usize, 0);
            pipeline.encode_into(text, ids.get_mut(start..).unwrap_or_default()).map_err(Failure::model)?;
        } else {
            pipeline.for_each_id(text, |id| ids.push(id));
        }
        let end = u32::try_from(ids.len()).map_err(|_| Failure::model("more than 4 billion ids"))?;
        self.offsets.push(end);
        Ok(())
    }

    /// The outputs of the model for each text that was appended, in order; there is no text then.
    pub(crate) fn outputs(&mut self) -> Result<impl Iterator<Item = &[f32]>, Failure> {
        let Self { classifier, ids, offsets, buffers, outputs } = self;
        let (model, texts) = (classifier.model(), offsets.len() - 1);
        let units = model.recipe().output().numbers();
        outputs.clear();
        outputs.resize(texts * units, 0.0);
        if texts > 0 {
            let input = match classifier.pipeline().ids() {
                Some(_) => Input::Ids(ids),
                None => Input::Bags { ids, offsets },
            };
            model.predict(&[input], &mut buffers.workspace(), outputs).map_err(Failure::model)?;
        }
        ids.clear();
        offsets.truncate(1);
        Ok(outputs.chunks_exact(units.max(1)))
    }
}

/// A model that takes ids, and its memory.
pub(crate) struct IdsPredictor<'a> {
    model: Model<'a, All>,
    buffers: Buffers,
    outputs: Vec<f32>,
}

impl<'a> IdsPredictor<'a> {
    pub(crate) fn new(model: Model<'a, All>) -> Result<Self, Failure> {
        let buffers =
            model.recipe().workspace(1).ok_or_else(|| Failure::model("the model is too large"))?.buffers();
        Ok(Self { model, buffers, outputs: vec![0.0; model.recipe().output().numbers()] })
    }

    /// The outputs for the ids of one text, or of each input of the model.
    pub(crate) fn outputs(&mut self, ids: &[Vec<u32>]) -> Result<&[f32], InputError> {
        let offsets: Vec<[u32; 2]> = ids.iter().map(|ids| [0, ids.len() as u32]).collect();
        let mut shapes = self.model.recipe().inputs();
        // Inputs that lack, and those that are too many, are found by the model.
        let input = |(ids, offsets)| match shapes.next() {
            Some(Shape::Bag) => Input::Bags { ids, offsets },
            _ => Input::Ids(ids),
        };
        let ids = ids.iter().map(Vec::as_slice);
        let inputs: Vec<Input<'_>> = ids.zip(offsets.iter().map(<[u32; 2]>::as_slice)).map(input).collect();
        let workspace = &mut self.buffers.workspace();
        self.model.predict(&inputs, workspace, &mut self.outputs)?;
        Ok(&self.outputs)
    }
}

/// What the probabilities of a model say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judge {
    /// An answer that is less probable is none of the classes.
    pub(crate) threshold: f32,
    /// Whether each class is a question of its own.
    pub(crate) several: bool,
    /// Whether the one best answer may be less probable than that, too: of many questions one may be answered best.
    pub(crate) best_is_free: bool,
}

impl Judge {
    pub(crate) fn of(model: &Model<'_, All>) -> Self {
        let recipe = model.recipe();
        let several = recipe.records().last().is_some_and(|last| {
            let has_activation =
                [LayerKind::Dense, LayerKind::Activation].iter().any(|kind| *kind as u16 == last.kind);
            let [_, activation, ..] = last.options;
            has_activation && activation == ActivationKind::Sigmoid as u16
        });
        let threshold = model.classes().map_or(0.0, |classes| classes.threshold());
        let outputs = recipe.output().numbers();
        let best_is_free = several && threshold == 0.0 && outputs > 1;
        let threshold = match threshold {
            // One output is the probability of one class, or of what it is not.
            0.0 if several => 0.5,
            0.0 => f32::NEG_INFINITY,
            threshold => threshold,
        };
        Self { threshold, several, best_is_free }
    }

    /// The most probable class, of equally probable ones the first.
    pub(crate) fn most_probable(outputs: &[f32]) -> Option<(usize, f32)> {
        let numbered = outputs.iter().copied().enumerate();
        let better = |best: Option<(usize, f32)>, next: (usize, f32)| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        };
        numbered.filter(|(_, probability)| !probability.is_nan()).fold(None, better)
    }

    /// The most probable classes, the most probable first; equally probable ones in the order of their numbers.
    pub(crate) fn top(outputs: &[f32], k: usize) -> Vec<(usize, f32)> {
        if k == 1 {
            return Self::most_probable(outputs).into_iter().collect();
        }
        let numbered = outputs.iter().copied().enumerate();
        let mut ranked: Vec<_> = numbered.filter(|(_, probability)| !probability.is_nan()).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(k);
        ranked
    }

    /// The one best answer; `None` if the text is none of the classes.
    pub(crate) fn best(self, outputs: &[f32]) -> Option<usize> {
        let (class, probability) = Self::most_probable(outputs)?;
        (self.best_is_free || probability >= self.threshold).then_some(class)
    }

    /// The classes of a text: the most probable one, or each that is probable enough.
    pub(crate) fn classes(self, outputs: &[f32]) -> Vec<usize> {
        let is_probable = |(_, probability): &(usize, f32)| *probability >= self.threshold;
        let best = if self.several { outputs.len() } else { 1 };
        let mut classes: Vec<usize> = Self::top(outputs, best)
            .iter()
            .filter(|answer| is_probable(answer))
            .map(|(class, _)| *class)
            .collect();
        classes.sort_unstable();
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_ranked() {
        let outputs = [0.1, f32::NAN, 0.3, 0.3, 0.2];
        assert_eq!(Judge::top(&outputs, 1), [(2, 0.3)]);
        assert_eq!(Judge::top(&outputs, 3), [(2, 0.3), (3, 0.3), (4, 0.2)]);
        assert_eq!(Judge::top(&outputs, 9).len(), 4);
        assert_eq!(Judge::top(&[f32::NAN], 1), []);
    }

    #[test]
    fn a_threshold_makes_none_of_them() {
        let one = Judge { threshold: 0.5, several: false, best_is_free: false };
        assert_eq!(one.classes(&[0.4, 0.6]), [1]);
        assert_eq!(one.classes(&[0.4, 0.3, 0.3]), [0; 0]);
        assert_eq!((one.best(&[0.4, 0.6]), one.best(&[0.4, 0.3])), (Some(1), None));
        let several = Judge { threshold: 0.5, several: true, best_is_free: true };
        assert_eq!(several.classes(&[0.5, 0.1, 0.9]), [0, 2]);
        assert_eq!((several.best(&[0.2, 0.4]), several.classes(&[0.2, 0.4])), (Some(1), vec![]));
        let any = Judge { threshold: f32::NEG_INFINITY, several: false, best_is_free: false };
        assert_eq!(any.classes(&[-3.0, -2.0]), [1]);
    }
}
