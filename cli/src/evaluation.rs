//! How well a model finds the labels of texts.

use crate::data::Labelled;
use crate::failure::Failure;
use crate::predictor::{Judge, Predictor};
use nanoembed::models::{All, Classifier};
use nanoembed::table::even_ranges;
use std::thread;

/// What a model says of one text.
#[derive(Debug)]
struct Said {
    /// Its classes.
    classes: Vec<usize>,
    /// The answer if one is asked for.
    best: Option<usize>,
    /// The most probable classes, as many as are asked for.
    top: Vec<usize>,
}

/// How often something was right and wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    /// Texts of the class that were found.
    pub(crate) found: u64,
    /// Texts that were taken for the class.
    pub(crate) taken: u64,
    /// Texts of the class.
    pub(crate) texts: u64,
}

/// Precision and recall of the best k answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtK {
    pub(crate) k: usize,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
}

/// How well a model finds labels.
#[derive(Debug)]
pub(crate) struct Scores {
    pub(crate) texts: usize,
    /// Texts whose best answer is among their labels, or that have none of the classes and were taken for none.
    pub(crate) right: u64,
    pub(crate) classes: Vec<Counts>,
    pub(crate) at_k: Vec<AtK>,
    /// `[classes, classes + 1]`: how often a text of a class was taken for each, and for none; if each text has one
    /// label at most.
    confusion: Option<Vec<u64>>,
}

/// `some` of `all`; 0 of none, as in scikit-learn.
fn part(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

impl Counts {
    pub(crate) fn precision(self) -> f64 {
        part(self.found, self.taken)
    }

    pub(crate) fn recall(self) -> f64 {
        part(self.found, self.texts)
    }

    pub(crate) fn f1(self) -> f64 {
        part(2 * self.found, self.taken + self.texts)
    }
}

/// The mean of F1 over the classes that occur, as label or as answer.
pub(crate) fn macro_f1(classes: &[Counts]) -> f64 {
    let occur = classes.iter().filter(|counts| counts.texts + counts.taken > 0);
    let occur: Vec<f64> = occur.map(|counts| counts.f1()).collect();
    if occur.is_empty() { 0.0 } else { occur.iter().sum::<f64>() / occur.len() as f64 }
}

impl Scores {
    /// The part of the texts that are right.
    pub(crate) fn accuracy(&self) -> f64 {
        part(self.right, self.texts as u64)
    }

    /// The mean of F1 over the classes that occur, as label or as answer.
    pub(crate) fn macro_f1(&self) -> f64 {
        macro_f1(&self.classes)
    }

    /// How often texts of `class` were taken for `other`, or for none of the classes.
    pub(crate) fn confused(&self, class: usize, other: Option<usize>) -> Option<u64> {
        let classes = self.classes.len();
        self.confusion.as_ref()?.get(class * (classes + 1) + other.unwrap_or(classes)).copied()
    }

    /// The most frequent mistakes, at most so many: class, what it was taken for, how often.
    pub(crate) fn mistakes(&self, most: usize) -> Vec<(usize, Option<usize>, u64)> {
        let classes = self.classes.len();
        let mut mistakes = Vec::new();
        for class in 0..classes {
            for other in (0..classes).map(Some).chain([None]).filter(|other| *other != Some(class)) {
                match self.confused(class, other) {
                    Some(times) if times > 0 => mistakes.push((class, other, times)),
                    _ => {}
                }
            }
        }
        mistakes.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1)));
        mistakes.truncate(most);
        mistakes
    }

    fn of(said: &[Said], data: &Labelled, ks: &[usize], classes: usize) -> Self {
        let is_single = data.labels.iter().all(|labels| labels.len() < 2);
        let mut scores = Self {
            texts: data.len(),
            right: 0,
            classes: vec![Counts::default(); classes],
            at_k: Vec::new(),
            confusion: is_single.then(|| vec![0; classes * (classes + 1)]),
        };
        let mut among_top = vec![0; ks.len()];
        for (said, labels) in said.iter().zip(&data.labels) {
            let labels: Vec<usize> = labels.iter().map(|label| usize::from(*label)).collect();
            let is_right = match said.best {
                _ if labels.is_empty() => said.classes.is_empty(),
                best => best.is_some_and(|best| labels.contains(&best)),
            };
            scores.right += u64::from(is_right);
            for (class, counts) in scores.classes.iter_mut().enumerate() {
                let (is, taken) = (labels.contains(&class), said.classes.contains(&class));
                counts.texts += u64::from(is);
                counts.taken += u64::from(taken);
                counts.found += u64::from(is && taken);
            }
            if let (Some(confusion), [label]) = (&mut scores.confusion, labels.as_slice())
                && let Some(count) = confusion.get_mut(label * (classes + 1) + said.best.unwrap_or(classes))
            {
                *count += 1;
            }
            for (k, found) in ks.iter().zip(&mut among_top) {
                *found += said.top.iter().take(*k).filter(|class| labels.contains(class)).count() as u64;
            }
        }
        let labels: u64 = scores.classes.iter().map(|counts| counts.texts).sum();
        let at_k = |(&k, found): (&usize, u64)| AtK {
            k,
            precision: part(found, (k * data.len()) as u64),
            recall: part(found, labels),
        };
        scores.at_k = ks.iter().zip(among_top).map(at_k).collect();
        scores
    }
}

/// Asks the model for each text, in so many threads; the number of threads changes nothing.
pub(crate) fn evaluate(
    classifier: &Classifier<'_, All>,
    data: &Labelled,
    ks: &[usize],
    threads: usize,
) -> Result<Scores, Failure> {
    let judge = Judge::of(&classifier.model());
    let most = ks.iter().copied().max().unwrap_or(1).max(1);
    let ask = |texts: &[String]| -> Result<Vec<Said>, Failure> {
        let mut predictor = Predictor::new(classifier)?;
        let mut all = Vec::new();
        let said = |outputs: &[f32]| {
            let top = Judge::top(outputs, most).into_iter().map(|(class, _)| class).collect();
            Said { classes: judge.classes(outputs), best: judge.best(outputs), top }
        };
        for text in texts {
            predictor.push(text)?;
            if predictor.is_full() {
                all.extend(predictor.outputs()?.map(said));
            }
        }
        all.extend(predictor.outputs()?.map(said));
        Ok(all)
    };
    let said = thread::scope(|scope| {
        let parts: Vec<_> = even_ranges(data.len(), threads)
            .map(|range| {
                let texts = data.texts.get(range).unwrap_or_default();
                scope.spawn(move || ask(texts))
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let said: Vec<Said> = said.into_iter().flatten().collect();
    Ok(Scores::of(&said, data, ks, classifier.model().recipe().output().numbers()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(classes: &[usize], top: &[usize]) -> Said {
        Said {
            classes: classes.to_vec(),
            best: top.first().copied().filter(|_| !classes.is_empty()),
            top: top.to_vec(),
        }
    }

    fn data(labels: &[&[u16]]) -> Labelled {
        let labels: Vec<Vec<u16>> = labels.iter().map(|of| of.to_vec()).collect();
        Labelled { texts: vec![String::new(); labels.len()], labels, ..Labelled::default() }
    }

    #[test]
    fn one_label_each() {
        // The last text is of no class, and is said to be of none.
        let data = data(&[&[0], &[0], &[1], &[2], &[]]);
        let answers = [
            said(&[0], &[0, 1]),
            said(&[1], &[1, 0]),
            said(&[1], &[1, 2]),
            said(&[], &[0, 2]),
            said(&[], &[0, 1]),
        ];
        let scores = Scores::of(&answers, &data, &[1, 2], 3);
        assert_eq!(scores.accuracy(), 3.0 / 5.0);
        assert_eq!(scores.classes[0], Counts { found: 1, taken: 1, texts: 2 });
        assert_eq!(scores.classes[1], Counts { found: 1, taken: 2, texts: 1 });
        assert!((scores.macro_f1() - (2.0 / 3.0 + 2.0 / 3.0 + 0.0) / 3.0).abs() < 1e-12);
        assert_eq!(scores.confused(0, Some(1)), Some(1));
        assert_eq!(scores.confused(2, None), Some(1));
        assert_eq!(scores.mistakes(9), [(0, Some(1), 1), (2, None, 1)]);
        // All four labels are among the best two.
        assert_eq!((scores.at_k[1].precision, scores.at_k[1].recall), (4.0 / 10.0, 1.0));
        assert_eq!((scores.at_k[0].precision, scores.at_k[0].recall), (2.0 / 5.0, 2.0 / 4.0));
    }

    #[test]
    fn several_labels_each() {
        let data = data(&[&[0, 2], &[1]]);
        let scores = Scores::of(&[said(&[0, 1], &[1, 0]), said(&[1], &[1, 0])], &data, &[1], 3);
        assert_eq!(scores.accuracy(), 0.5);
        assert_eq!(scores.classes[1], Counts { found: 1, taken: 2, texts: 1 });
        assert_eq!(scores.confused(0, Some(1)), None);
        assert_eq!(scores.mistakes(3), []);
        assert!((scores.at_k[0].recall - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn of_nothing() {
        let scores = Scores::of(&[], &data(&[]), &[1], 2);
        assert_eq!((scores.accuracy(), scores.macro_f1(), scores.at_k[0].recall), (0.0, 0.0, 0.0));
    }
}
