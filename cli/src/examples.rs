//! Labelled texts as ids and targets, which training reads.

use crate::data::Labelled;
use crate::failure::Failure;
use nanoembed::loss::Labels;
use nanoembed::models::Input;
use nanoembed::text::Pipeline;

/// Ids of a text that are learnt from, at most: what follows in a longer text is not.
const MOST_IDS: usize = 8192;

/// Texts as ids, one after the other, and what each is to give.
#[derive(Debug)]
pub(crate) struct Examples {
    ids: Vec<u32>,
    /// Where the ids of each text start, and where the last end.
    offsets: Vec<u32>,
    targets: Targets,
    /// Whether a text is a bag of any number of ids.
    are_bags: bool,
}

/// What texts are to give.
#[derive(Debug)]
enum Targets {
    /// The number of a class for each.
    Classes(Vec<u16>),
    /// 1 or 0 for each of so many classes.
    Several(Vec<f32>, usize),
}

impl Examples {
    /// These texts of all; `several` says whether a text may have several labels. A text without a label, which only
    /// a file that was read for the classes of another can have, is left out where each has one.
    pub(crate) fn encode(
        all: &Labelled,
        numbers: impl Iterator<Item = usize>,
        several: bool,
        pipeline: &Pipeline<'_>,
    ) -> Result<Self, Failure> {
        let classes = all.names.len();
        let targets =
            if several { Targets::Several(Vec::new(), classes) } else { Targets::Classes(Vec::new()) };
        let are_bags = pipeline.ids().is_none();
        let mut examples = Self { ids: Vec::new(), offsets: vec![0], targets, are_bags };
        let mut row = vec![0.0; if several { classes } else { 0 }];
        for (text, labels) in numbers.filter_map(|number| all.texts.get(number).zip(all.labels.get(number))) {
            match &mut examples.targets {
                Targets::Classes(numbers) => match labels.first() {
                    Some(class) => numbers.push(*class),
                    None => continue,
                },
                Targets::Several(targets, _) => {
                    row.fill(0.0);
                    for label in labels {
                        if let Some(target) = row.get_mut(usize::from(*label)) {
                            *target = 1.0;
                        }
                    }
                    targets.extend(&row);
                }
            }
            examples.push_ids(text, pipeline)?;
        }
        Ok(examples)
    }

    fn push_ids(&mut self, text: &str, pipeline: &Pipeline<'_>) -> Result<(), Failure> {
        let start = self.ids.len();
        if let Some(length) = pipeline.ids() {
            self.ids.resize(start + length.get() as usize, 0);
            let to = self.ids.get_mut(start..).unwrap_or_default();
            pipeline.encode_into(text, to).map_err(Failure::model)?;
        } else {
            let (ids, mut left) = (&mut self.ids, MOST_IDS);
            pipeline.for_each_id(text, |id| {
                if left > 0 {
                    ids.push(id);
                    left -= 1;
                }
            });
            // Their order means nothing, and a step on one text then finds the repeats of a row side by side.
            ids.get_mut(start..).unwrap_or_default().sort_unstable();
        }
        let end = u32::try_from(self.ids.len()).map_err(|_| {
            Failure::usage("more than 4 billion ids: learn from fewer texts, or with fewer n-grams")
        })?;
        self.offsets.push(end);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Ids of the longest text.
    pub(crate) fn longest(&self) -> usize {
        self.offsets.windows(2).map(|ends| (ends[1] - ends[0]) as usize).max().unwrap_or(0)
    }

    pub(crate) fn input(&self) -> Input<'_> {
        if self.are_bags {
            Input::Bags { ids: &self.ids, offsets: &self.offsets }
        } else {
            Input::Ids(&self.ids)
        }
    }

    pub(crate) fn labels(&self) -> Labels<'_> {
        match &self.targets {
            Targets::Classes(classes) => Labels::classes(classes),
            Targets::Several(targets, _) => Labels::numbers(targets),
        }
    }

    /// Whether a text may have several labels.
    pub(crate) fn have_several(&self) -> bool {
        matches!(self.targets, Targets::Several(..))
    }

    /// Whether a text is of a class.
    pub(crate) fn is(&self, number: usize, class: usize) -> bool {
        match &self.targets {
            Targets::Classes(classes) => classes.get(number).is_some_and(|of| usize::from(*of) == class),
            Targets::Several(targets, classes) => {
                targets.get(number * classes + class).is_some_and(|target| *target > 0.0)
            }
        }
    }

    /// How often each class occurs.
    pub(crate) fn frequencies(&self, classes: usize) -> Vec<usize> {
        let mut frequencies = vec![0; classes];
        let mut count = |class: usize| {
            if let Some(frequency) = frequencies.get_mut(class) {
                *frequency += 1;
            }
        };
        match &self.targets {
            Targets::Classes(numbers) => numbers.iter().for_each(|class| count(usize::from(*class))),
            Targets::Several(targets, of_each) => {
                for row in targets.chunks_exact((*of_each).max(1)) {
                    row.iter()
                        .enumerate()
                        .filter(|(_, target)| **target > 0.0)
                        .for_each(|(class, _)| count(class));
                }
            }
        }
        frequencies
    }

    /// How often each row occurs.
    pub(crate) fn occurrences(&self, rows: usize) -> Vec<u32> {
        let mut times = vec![0; rows];
        for id in &self.ids {
            if let Some(times) = times.get_mut(*id as usize) {
                *times += 1;
            }
        }
        times
    }

    /// Leaves out the ids of rows that are not kept.
    pub(crate) fn keep(&mut self, kept: &[bool]) {
        let mut left = Vec::new();
        let mut start = 0;
        for end in self.offsets.iter_mut().skip(1) {
            let ids = self.ids.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            left.extend(ids.iter().filter(|id| kept.get(**id as usize).is_some_and(|kept| *kept)));
            *end = left.len() as u32;
        }
        self.ids = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanoembed::text::HashKind;

    fn labelled() -> Labelled {
        Labelled {
            texts: vec!["one".into(), "two words".into(), String::new()],
            labels: vec![vec![0], vec![1, 2], vec![]],
            names: vec!["a".into(), "b".into(), "c".into()],
            ..Labelled::default()
        }
    }

    #[test]
    fn bags_and_sequences() {
        let all = labelled();
        let pipeline = Pipeline::hashing(50, HashKind::Native).expect("a pipeline");
        let bags = Examples::encode(&all, 0..3, false, &pipeline).expect("examples");
        // The third text has no label.
        assert_eq!((bags.len(), bags.longest()), (2, 2));
        assert_eq!(bags.frequencies(3), [1, 1, 0]);
        assert_eq!(bags.occurrences(50).iter().sum::<u32>(), 3);
        let several = Examples::encode(&all, 0..3, true, &pipeline.length(4)).expect("examples");
        assert_eq!((several.len(), several.longest()), (3, 4));
        assert_eq!(several.frequencies(3), [1, 1, 1]);
        assert!(matches!(several.input(), Input::Ids(ids) if ids.len() == 12));
    }

    #[test]
    fn rows_are_left_out() {
        let pipeline = Pipeline::hashing(50, HashKind::Native).expect("a pipeline");
        let mut examples = Examples::encode(&labelled(), 0..2, false, &pipeline).expect("examples");
        let before = examples.ids.clone();
        let mut kept = vec![true; 50];
        kept[before[1] as usize] = false;
        examples.keep(&kept);
        assert_eq!(
            (examples.ids.as_slice(), examples.offsets.as_slice()),
            (&[before[0], before[2]][..], &[0, 1, 2][..])
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let text = "word ".repeat(2 * MOST_IDS);
        let all = Labelled {
            texts: vec![text],
            labels: vec![vec![0]],
            names: vec!["a".into()],
            ..Labelled::default()
        };
        let pipeline = Pipeline::hashing(50, HashKind::Native).expect("a pipeline");
        assert_eq!(Examples::encode(&all, 0..1, false, &pipeline).expect("examples").longest(), MOST_IDS);
    }
}
