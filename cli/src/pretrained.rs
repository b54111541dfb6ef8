//! Rows that were learnt from other texts, and the vocabulary that names them.

use crate::failure::Failure;
use crate::pipeline::TextSettings;
use crate::words::{Wanted, WordVectors};
use nanoembed::text::VocabularyView;
use std::collections::HashSet;
use std::path::Path;

/// The root of the mean square of what rows of a file are scaled to.
const SIZE: f32 = 0.2;

/// The words of a model that starts from vectors: those that the file has come first.
#[derive(Debug)]
pub(crate) struct Pretrained {
    vectors: WordVectors,
    /// The places of the words in the file.
    found: Vec<usize>,
    /// Words of the texts that the file lacks.
    lacking: Vec<String>,
    /// Words of the texts that the file has.
    known: usize,
}

impl Pretrained {
    /// The words of the texts, and the first `most` of the file: texts that come later may have them.
    pub(crate) fn read(
        path: &Path,
        texts: &[String],
        settings: &TextSettings,
        most: u64,
    ) -> Result<Self, Failure> {
        let (mut words, mut order) = (HashSet::new(), Vec::new());
        for text in texts {
            settings.for_each_word(text, |word| {
                if words.insert(word.clone()) {
                    order.push(word);
                }
            });
        }
        let vectors =
            WordVectors::read(path, Wanted { only: Some(&words), or_first: most, ..Wanted::default() })?;
        // What splitting makes of it is another word: no text can have it.
        let is_word = |word: &str| {
            let (mut count, mut is_same) = (0, true);
            settings.for_each_word(word, |found| {
                count += 1;
                is_same &= found == word;
            });
            count == 1 && is_same
        };
        let places = vectors.words().iter().enumerate();
        let found: Vec<usize> = places.filter(|(_, word)| is_word(word)).map(|(place, _)| place).collect();
        let lacking = order.into_iter().filter(|word| vectors.place(word).is_none());
        let lacking: Vec<String> = lacking.collect();
        let known = words.iter().filter(|word| vectors.place(word).is_some()).count();
        if known == 0 {
            return Err(vectors.fails(
                "it has no word of the texts: its words may have another case (--lowercase) or another language",
            ));
        }
        Ok(Self { vectors, found, lacking, known })
    }

    /// Numbers of a row.
    pub(crate) fn dim(&self) -> usize {
        self.vectors.dim()
    }

    /// How many words of the texts have rows of the file and how many have none, and how many words it has beyond them.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.known, self.lacking.len(), self.found.len() - self.known]
    }

    fn words(&self) -> impl Iterator<Item = &str> + Clone {
        let all = self.vectors.words();
        let found = self.found.iter().filter_map(|place| all.get(*place));
        found.chain(&self.lacking).map(String::as_str)
    }

    /// The vocabulary, in memory that it makes.
    pub(crate) fn vocabulary<'a>(&self, memory: &'a mut Vec<u32>) -> Result<VocabularyView<'a>, Failure> {
        let bytes = self.words().map(str::len).sum();
        memory.resize(VocabularyView::memory(self.words().count(), bytes), 0);
        VocabularyView::of_words(self.words(), memory).map_err(Failure::usage)
    }

    /// Sets the rows of a table, of which row 0 is of no word. Those of the file are scaled to numbers of a usual size,
    /// so that a step changes them about as much as rows that were drawn; words that it lacks keep their rows.
    pub(crate) fn fill(&self, table: &mut [f32]) -> Result<(), Failure> {
        let vectors = self.vectors.table()?;
        let rows = || self.found.iter().filter_map(|place| vectors.row(*place));
        let (count, squares) = rows()
            .flatten()
            .fold((0_u64, 0.0), |(count, squares), x| (count + 1, squares + f64::from(*x) * f64::from(*x)));
        let mean = squares / count.max(1) as f64;
        let scale = if mean > 0.0 { (f64::from(SIZE) / mean.sqrt()) as f32 } else { 1.0 };
        for (to, row) in table.chunks_exact_mut(self.dim()).skip(1).zip(rows()) {
            for (to, x) in to.iter_mut().zip(row) {
                *to = scale * x;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanoembed::text::Lowering;

    #[test]
    fn rows_have_words_of_the_file_first() {
        let path = std::env::temp_dir().join(format!("nanoembed-pretrained-{}", std::process::id()));
        std::fs::write(&path, "the 3 4\nfilm -3 4\nU.S. 1 1\nx 9 9\nbad 0 5\n").expect("a file");
        let settings = TextSettings {
            rows: 0,
            words: 1,
            characters: (0, 0),
            lowercase: Lowering::Ascii,
            marks: true,
            filters: None,
            length: 0,
        };
        let texts = ["The film!", "bad flim, bad"].map(str::to_owned);
        let pretrained = Pretrained::read(&path, &texts, &settings, 3);
        std::fs::remove_file(&path).expect("the file");
        let pretrained = pretrained.expect("rows");
        // `U.S.` is no word of a text that is lower-cased and split at marks, and `x` comes too late.
        assert_eq!(pretrained.words().collect::<Vec<_>>(), ["the", "film", "bad", "!", "flim", ","]);
        assert_eq!((pretrained.counts(), pretrained.dim()), ([3, 3, 0], 2));
        let mut table = [7.0; 14];
        pretrained.fill(&mut table).expect("a table");
        // All numbers of the file have the mean square 12.5.
        let unit = SIZE / nanoembed::math::sqrt(12.5);
        let expected = [7.0, 7.0, 3.0, 4.0, -3.0, 4.0, 0.0, 5.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0];
        for (place, (found, expected)) in table.iter().zip(expected).enumerate() {
            let expected = if (2..8).contains(&place) { expected * unit } else { expected };
            assert!((found - expected).abs() <= 1e-6, "{place}: {found} {expected}");
        }
        let mut memory = Vec::new();
        let vocabulary = pretrained.vocabulary(&mut memory).expect("a vocabulary");
        assert_eq!((vocabulary.index_of("bad"), vocabulary.index_of("x")), (Some(3), None));
    }
}
