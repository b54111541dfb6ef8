//! What is to be learnt, and how.

use super::error::SkipGramError;
use crate::error::OutOfRange;
use crate::kernels::MOST_NEGATIVES;

/// The most parts that a vocabulary can be cut into.
pub(super) const MOST_PARTS: usize = 64;
/// Rows that a part has at least, so that its negatives are of many words.
const LEAST_ROWS: usize = 32;

/// Which targets a pair is learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// Each pair draws its own negatives: word2vec's form.
    #[default]
    Each,
    /// Eight pairs share their negatives, and are learnt from together: the quick form.
    Shared,
}

/// Settings of skip-gram with negative sampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Numbers of a vector.
    pub dim: usize,
    /// The most words to either side that a word is paired with. Each word draws its own window from 1 to this.
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
    /// Which negatives a pair has.
    pub sampling: Sampling,
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
            parts: 8,
            words: 16_384,
            sampling: Sampling::Each,
            seed: 1,
        }
    }
}

impl Settings {
    /// `Ok` if all settings are in their range.
    pub(super) fn check(&self) -> Result<(), SkipGramError> {
        let whole = |what, found: usize, most| {
            if (1..=most).contains(&found) { Ok(()) } else { Err(SkipGramError::Setting { what, found, most }) }
        };
        whole("dim", self.dim, 1 << 16)?;
        whole("window", self.window, 1 << 10)?;
        whole("negatives", self.negatives, MOST_NEGATIVES)?;
        whole("parts", self.parts, MOST_PARTS)?;
        whole("words", self.words, 1 << 20)?;
        OutOfRange::non_negative("sample", self.sample)?;
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        Ok(())
    }

    /// Parts for this many words: few words are not cut, since negatives come from the part of their target.
    pub(super) fn parts_of(&self, vocabulary: usize) -> usize {
        let most = vocabulary / LEAST_ROWS;
        if most == 0 { 1 } else if self.parts < most { self.parts } else { most }
    }
}
