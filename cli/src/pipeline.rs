//! How text becomes ids, from the settings to a [`Pipeline`].

use crate::failure::Failure;
use nanoembed::text::{
    Ascii, HashKind, Lowercase, Lowering, Padding, Pipeline, PipelineError, Splitter, Unchanged, Unicode,
    VocabularyView,
};

/// Words of a sequence, at most, if no one says otherwise.
const MOST_WORDS: u32 = 400;

/// What a pipeline is made of: words hashed to the rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct TextSettings {
    pub(crate) rows: u32,
    /// Words of the longest n-gram.
    pub(crate) words: u16,
    /// Characters of the shortest and the longest n-gram of characters; both 0 for none.
    pub(crate) characters: (u16, u16),
    pub(crate) lowercase: Lowering,
    /// Whether marks are words of their own.
    pub(crate) marks: bool,
    /// Characters that separate words; if none are given, white space where marks are words, else those of Keras.
    pub(crate) filters: Option<String>,
    /// Ids of a text, 0 for a bag of any number.
    pub(crate) length: u32,
}

impl TextSettings {
    pub(crate) fn pipeline(&self) -> Result<Pipeline<'_>, Failure> {
        Pipeline::hashing(self.rows.into(), HashKind::Native)
            .and_then(|pipeline| self.set(pipeline))
            .map_err(Failure::usage)
    }

    /// The same with the words of a vocabulary instead of a hash.
    pub(crate) fn of_vocabulary<'a>(
        &'a self,
        vocabulary: VocabularyView<'a>,
    ) -> Result<Pipeline<'a>, Failure> {
        Pipeline::vocabulary(vocabulary.rows() as u64, vocabulary)
            .and_then(|pipeline| self.set(pipeline))
            .map_err(Failure::usage)
    }

    fn splitter(&self) -> Splitter<'_, Unchanged> {
        let splitter = if self.marks { Splitter::MARKS } else { Splitter::KERAS };
        match &self.filters {
            Some(filters) => splitter.filters(filters),
            None => splitter,
        }
    }

    /// Shows the words of a text, lower-cased.
    pub(crate) fn for_each_word(&self, text: &str, show: impl FnMut(String)) {
        fn words<L: Lowercase>(splitter: Splitter<'_, Unchanged>, text: &str, show: impl FnMut(String)) {
            splitter.lowercase::<L>().words(text).map(|word| word.chars().collect()).for_each(show);
        }
        match self.lowercase {
            Lowering::Unchanged => words::<Unchanged>(self.splitter(), text, show),
            Lowering::Ascii => words::<Ascii>(self.splitter(), text, show),
            _ => words::<Unicode>(self.splitter(), text, show),
        }
    }

    fn set<'a>(&'a self, pipeline: Pipeline<'a>) -> Result<Pipeline<'a>, PipelineError> {
        let (min, max) = self.characters;
        let pipeline = pipeline
            .splitter(self.splitter())
            .lowercase(self.lowercase)
            .word_ngrams(self.words)?
            .subwords(min, max)?
            .length(self.length);
        // A layer that reads a sequence ends with its last words.
        Ok(if self.length > 0 { pipeline.padding(Padding::Pre) } else { pipeline })
    }
}

/// The bytes of a pipeline, as an image holds them.
pub(crate) fn bytes(pipeline: &Pipeline<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut bytes).map_err(Failure::model)?;
    Ok(bytes)
}

/// Ids that 19 of 20 texts have at most, or all, `1..=400`.
pub(crate) fn usual_length(texts: &[String], pipeline: &Pipeline<'_>, all: bool) -> u32 {
    let mut lengths: Vec<u32> = texts
        .iter()
        .map(|text| {
            let mut count = 0_u32;
            pipeline.for_each_id(text, |_| count = count.saturating_add(1));
            count
        })
        .collect();
    lengths.sort_unstable();
    let last = lengths.len().saturating_sub(1);
    let place = if all { last } else { last * 19 / 20 };
    lengths.get(place).copied().unwrap_or(1).clamp(1, MOST_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TextSettings {
        TextSettings {
            rows: 1000,
            words: 1,
            characters: (0, 0),
            lowercase: Lowering::Ascii,
            marks: false,
            filters: None,
            length: 0,
        }
    }

    #[test]
    fn most_texts_are_read_whole() {
        let settings = settings();
        let pipeline = settings.pipeline().expect("a pipeline");
        let texts: Vec<String> = (1..=100).map(|words| "word ".repeat(words)).collect();
        assert_eq!(usual_length(&texts, &pipeline, false), 95);
        assert_eq!(usual_length(&texts, &pipeline, true), 100);
        assert_eq!(usual_length(&["word ".repeat(1000)], &pipeline, false), 400);
        assert_eq!(usual_length(&[String::new()], &pipeline, true), 1);
    }

    #[test]
    fn n_grams_have_ids() {
        let settings = TextSettings { words: 2, characters: (5, 5), ..settings() };
        let (mut count, pipeline) = (0, settings.pipeline().expect("a pipeline"));
        // Two words, a pair, <good ood> and <food food>.
        pipeline.for_each_id("Good food!", |_| count += 1);
        assert_eq!(count, 2 + 1 + 4);
        let filters = Some(String::new());
        let unfiltered = TextSettings { filters, ..settings.clone() };
        assert_ne!(unfiltered.pipeline().expect("a pipeline"), pipeline);
        // One word more, the mark, and the pair that ends with it.
        let marks = TextSettings { marks: true, ..settings };
        marks.pipeline().expect("a pipeline").for_each_id("Good food!", |_| count += 1);
        assert_eq!(count, 7 + 7 + 2);
    }
}
