//! What is to be learnt, and how.

use super::error::SkipGramError;
use crate::error::OutOfRange;
use crate::kernels::MOST_NEGATIVES;

/// The most parts that a vocabulary can be cut into.
pub(super) const MOST_PARTS: usize = 64;
/// Rows that a part has at least, so that its negatives are of many words.
const LEAST_ROWS: usize = 32;

/// What is learnt from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Method {
    /// Each word of a window is to tell the word in its middle, against negatives of its own: word2vec's
    /// skip-gram.
    #[default]
    SkipGram,
    /// The same, but eight pairs share their negatives and are learnt from together: the quick form.
    SharedNegatives,
    /// The mean of a window is to tell the word in its middle: CBOW. It is one task after the other, so that
    /// more threads gain nothing.
    ContinuousBag,
}

/// Settings of skip-gram with negative sampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Numbers of a vector.
    pub dim: usize,
    /// The most words to either side that a word is paired with. Each word draws its own window from 1 to
    /// this.
    pub window: usize,
    /// Negatives of a pair.
    pub negatives: usize,
    /// The share of all words above which a word is often left out; 0 keeps all.
    pub sample: f32,
    /// The first learning rate. It falls by a line to a ten-thousandth of it.
    pub learning_rate: f32,
    /// How often the corpus is read.
    pub epochs: u32,
    /// Into how many parts the vocabulary is cut: as many tasks can run beside each other.
    pub parts: usize,
    /// Words of a task that finds pairs. `parts` of these are learnt from before the next are read.
    pub words: usize,
    /// What is learnt from what.
    pub method: Method,
    /// Rows that n-grams of words share: fastText's buckets. 0 if words have no n-grams. With them there is
    /// one task after the other, so that more threads gain nothing.
    pub subword_rows: usize,
    /// What all draws depend on.
    pub seed: u64,
}

impl Default for Settings {
    /// word2vec's for skip-gram, with gensim's five epochs.
    fn default() -> Self {
        Self {
            dim: 100,
            window: 5,
            negatives: 5,
            sample: 1e-3,
            learning_rate: 0.025,
            epochs: 5,
            parts: 16,
            words: 16_384,
            method: Method::SkipGram,
            subword_rows: 0,
            seed: 1,
        }
    }
}

impl Settings {
    /// `Ok` if all settings are in their range.
    pub(super) fn check(&self) -> Result<(), SkipGramError> {
        let whole = |what, found: usize, most| {
            if (1..=most).contains(&found) {
                Ok(())
            } else {
                Err(SkipGramError::Setting { what, found, most })
            }
        };
        whole("dim", self.dim, 1 << 16)?;
        whole("window", self.window, 1 << 10)?;
        whole("negatives", self.negatives, MOST_NEGATIVES)?;
        whole("parts", self.parts, MOST_PARTS)?;
        whole("words", self.words, 1 << 20)?;
        if self.subword_rows > 0 {
            whole("subword_rows", self.subword_rows, 1 << 30)?;
            if self.method == Method::SharedNegatives {
                return Err(SkipGramError::SharedWithSubwords);
            }
        }
        OutOfRange::non_negative("sample", self.sample)?;
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        Ok(())
    }

    /// Whether means of rows are learnt from, of which some are of other words, too.
    pub(super) fn learns_bags(&self) -> bool {
        self.method == Method::ContinuousBag || self.subword_rows > 0
    }

    /// Parts for this many words: few words are not cut, since negatives come from the part of their target.
    /// A bag has rows of all parts.
    pub(super) fn parts_of(&self, vocabulary: usize) -> usize {
        if self.learns_bags() {
            return 1;
        }
        let most = vocabulary / LEAST_ROWS;
        if most == 0 {
            1
        } else if self.parts < most {
            self.parts
        } else {
            most
        }
    }
}
