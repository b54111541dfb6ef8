//! From a text to the probabilities of its classes, and what they say.

use crate::failure::Failure;
use nanoembed::error::InputError;
use nanoembed::layers::ActivationKind;
use nanoembed::models::{All, Buffers, Classifier, Input, LayerKind, Model, Shape};

/// Ids that there is room for at first.
const IDS: usize = 1024;

/// A classifier and its memory, which grows with the longest text.
pub(crate) struct Predictor<'a> {
    classifier: Classifier<'a, All>,
    ids: Vec<u32>,
    buffers: Buffers,
    outputs: Vec<f32>,
}

impl<'a> Predictor<'a> {
    pub(crate) fn new(classifier: &Classifier<'a, All>) -> Result<Self, Failure> {
        let lengths = classifier.model().recipe().workspace(1);
        let buffers = lengths.ok_or_else(|| Failure::model("the model is too large"))?.buffers();
        let least = classifier.pipeline().ids().map_or(0, |length| length.get() as usize);
        Ok(Self { classifier: *classifier, ids: vec![0; IDS.max(least)], buffers, outputs: Vec::new() })
    }

    /// The outputs of the model for a text.
    pub(crate) fn outputs(&mut self, text: &str) -> Result<&[f32], Failure> {
        loop {
            match self.classifier.outputs(text, &mut self.ids, &mut self.buffers.workspace()) {
                Ok(outputs) => {
                    self.outputs.clear();
                    self.outputs.extend(outputs);
                    return Ok(&self.outputs);
                }
                Err(InputError::Capacity(error)) if error.needed > self.ids.len() => {
                    self.ids.resize(error.needed.next_power_of_two(), 0);
                }
                Err(error) => return Err(Failure::model(error)),
            }
        }
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

    /// The most probable classes, the most probable first; equally probable ones in the order of their numbers.
    pub(crate) fn top(outputs: &[f32], k: usize) -> Vec<(usize, f32)> {
        let numbered = outputs.iter().copied().enumerate();
        let numbers = numbered.filter(|(_, probability)| !probability.is_nan());
        if k == 1 {
            let better = |best: Option<(usize, f32)>, next: (usize, f32)| match best {
                Some(best) if best.1 >= next.1 => Some(best),
                _ => Some(next),
            };
            return numbers.fold(None, better).into_iter().collect();
        }
        let mut ranked: Vec<_> = numbers.collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(k);
        ranked
    }

    /// The one best answer; `None` if the text is none of the classes.
    pub(crate) fn best(self, outputs: &[f32]) -> Option<usize> {
        let (class, probability) = Self::top(outputs, 1).first().copied()?;
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
