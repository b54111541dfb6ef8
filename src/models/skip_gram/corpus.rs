//! Sentences of ids.

use super::error::SkipGramError;
use crate::slices::part;
use crate::table::{Bags, Indices};

/// A corpus: sentences one after the other, each a list of ids.
#[derive(Clone, Copy, Debug)]
pub struct Corpus<'a> {
    ids: &'a [u32],
    offsets: &'a [usize],
    counts: &'a [u64],
}

impl<'a> Corpus<'a> {
    /// Sentence s is `ids[offsets[s]..offsets[s + 1]]`, so there is one offset more than sentences. Word
    /// number i occurs `counts[i]` times: in this corpus, or in the one that negatives are to be drawn as
    /// from.
    ///
    /// # Errors
    /// If an id has no count, or the offsets do not rise from 0 to the number of ids.
    pub fn new(ids: &'a [u32], offsets: &'a [usize], counts: &'a [u64]) -> Result<Self, SkipGramError> {
        Bags::new(Indices::new(ids, counts.len())?, offsets)?;
        Ok(Self { ids, offsets, counts })
    }

    /// Number of words, with repetitions.
    pub fn words(&self) -> usize {
        self.ids.len()
    }

    /// How often each word occurs.
    pub fn counts(&self) -> &'a [u64] {
        self.counts
    }

    /// The sentences of words `first` to `first + count − 1`; of those that reach beyond, the part within.
    pub(super) fn sentences(&self, first: usize, count: usize) -> impl Iterator<Item = &'a [u32]> + use<'a> {
        let (ids, end) = (self.ids, first.saturating_add(count).min(self.ids.len()));
        let before = self.offsets.partition_point(|offset| *offset <= first);
        let starts = self.offsets.get(before.saturating_sub(1)..).unwrap_or_default();
        let ends = self.offsets.get(before..).unwrap_or_default();
        let spans = starts.iter().zip(ends).take_while(move |(start, _)| **start < end);
        spans.map(move |(start, stop)| {
            let (start, stop) = ((*start).max(first), (*stop).min(end));
            part(ids, start, stop.saturating_sub(start))
        })
    }
}
