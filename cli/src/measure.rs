//! What says which epoch of a training, and which model of a search, is best.

use crate::evaluation::{Counts, Scores, macro_f1};
use crate::examples::Examples;
use crate::predictor::Judge;
use crate::training::Judged;

/// A measure of texts that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Measure {
    /// The part of the texts that are right
    Accuracy,
    /// The mean of F1 over the classes: rare ones count as much as frequent ones
    #[value(name = "macro-f1")]
    MacroF1,
    /// The loss, the lowest
    Loss,
}

/// How often each class was found, missed, and seen where it is not.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    classes: Vec<Counts>,
}

impl Tally {
    /// Counts the outputs for an example.
    pub(crate) fn add(&mut self, examples: &Examples, number: usize, outputs: &[f32]) {
        let best = Judge::most_probable(outputs).map(|(class, _)| class);
        self.classes.resize(outputs.len(), Counts::default());
        for ((class, counts), probability) in self.classes.iter_mut().enumerate().zip(outputs) {
            let is = examples.is(number, class);
            // Where a text may have several labels, each class is a question of its own.
            let taken = if examples.have_several() { *probability >= 0.5 } else { best == Some(class) };
            counts.texts += u64::from(is);
            counts.taken += u64::from(taken);
            counts.found += u64::from(is && taken);
        }
    }

    /// The mean of F1 over the classes that occur.
    pub(crate) fn macro_f1(&self) -> f64 {
        macro_f1(&self.classes)
    }
}

impl Measure {
    /// The greater, the better.
    pub(crate) fn of_epoch(self, Judged { report, macro_f1 }: Judged) -> f32 {
        match self {
            Self::Accuracy => report.accuracy,
            Self::MacroF1 => macro_f1 as f32,
            Self::Loss => -report.loss,
        }
    }

    /// The greater, the better. Scores know nothing of a loss.
    pub(crate) fn of_scores(self, scores: &Scores) -> f64 {
        match self {
            Self::MacroF1 => scores.macro_f1(),
            Self::Accuracy | Self::Loss => scores.accuracy(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro-F1",
            Self::Loss => "loss",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labelled;
    use nanoembed::text::{HashKind, Pipeline};
    use nanoembed::train::Report;

    /// Five texts; of one label each, or the last of none and the third of two.
    fn examples(several: bool) -> Examples {
        let labels = vec![vec![0], vec![0], if several { vec![0, 1] } else { vec![1] }, vec![2], vec![2]];
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let all = Labelled { texts: vec![String::new(); 5], labels, names, ..Labelled::default() };
        let pipeline = Pipeline::hashing(9, HashKind::Native).expect("a pipeline");
        Examples::encode(&all, 0..5, several, &pipeline).expect("examples")
    }

    #[test]
    fn rare_classes_count_as_much() {
        let (examples, mut tally) = (examples(false), Tally::default());
        for (number, answer) in [0, 1, 1, 2, 2].into_iter().enumerate() {
            let mut outputs = [0.1; 4];
            outputs[answer] = 0.7;
            tally.add(&examples, number, &outputs);
        }
        // a: 1 of 2 found, none wrong; b: found, 1 wrong; c: all; d: does not occur.
        let expected = (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0;
        let report = Report { loss: 0.5, accuracy: 0.8, examples: 5 };
        let judged = Judged { report, macro_f1: tally.macro_f1() };
        assert!((Measure::MacroF1.of_epoch(judged) - expected).abs() < 1e-6);
        assert_eq!((Measure::Accuracy.of_epoch(judged), Measure::Loss.of_epoch(judged)), (0.8, -0.5));
    }

    #[test]
    fn each_class_is_a_question() {
        let (examples, mut tally) = (examples(true), Tally::default());
        for number in 0..5 {
            tally.add(&examples, number, &[0.5, if number == 2 { 0.9 } else { 0.4 }, 0.1, 0.0]);
        }
        // a: 3 found, 2 wrong; b: found; c: 2 missed.
        let expected = (2.0 * 3.0 / 8.0 + 1.0 + 0.0) / 3.0;
        assert!((tally.macro_f1() - expected).abs() < 1e-6);
    }
}
