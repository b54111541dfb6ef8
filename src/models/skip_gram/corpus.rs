//! Sentences of ids.

use super::error::SkipGramError;
use crate::error::ShapeMismatch;
use crate::kernels::SubwordRows;
use crate::slices::part;
use crate::table::{Bags, Indices};

/// A corpus: sentences one after the other, each a list of ids.
#[derive(Clone, Copy, Debug)]
pub struct Corpus<'a> {
    ids: &'a [u32],
    offsets: &'a [usize],
    counts: &'a [u64],
    subwords: SubwordRows<'a>,
    /// Rows that the n-grams name at least.
    subword_rows: usize,
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
        let subwords = SubwordRows { first: counts.len(), ..SubwordRows::default() };
        Ok(Self { ids, offsets, counts, subwords, subword_rows: 0 })
    }

    /// The same, with n-grams: word i has rows `rows[offsets[i]..offsets[i + 1]]` of
    /// [`subword_rows`](super::Settings::subword_rows) beside its own, and the mean of them all is its vector.
    /// They are what [`Subwords::buckets_of`](crate::text::Subwords::buckets_of) gives of the word, if it is
    /// to be done as fastText does it.
    ///
    /// # Errors
    /// If there is not a list for each word, or the offsets do not rise from 0 to the number of rows.
    pub fn with_subwords(self, rows: &'a [u32], offsets: &'a [usize]) -> Result<Self, SkipGramError> {
        let most = rows.iter().copied().max().map_or(0, |row| (row as usize).saturating_add(1));
        let lists = Bags::new(Indices::new(rows, most)?, offsets)?.len();
        ShapeMismatch::check("lists of n-grams", self.counts.len(), lists)?;
        let subwords = SubwordRows { first: self.counts.len(), offsets, rows };
        Ok(Self { subwords, subword_rows: most, ..self })
    }

    pub(super) fn subwords(&self) -> SubwordRows<'a> {
        self.subwords
    }

    /// Whether so many rows are what the n-grams need.
    pub(super) fn check_subwords(&self, rows: usize) -> Result<(), SkipGramError> {
        let needed = self.subword_rows;
        if rows < needed || rows > 0 && self.subwords.offsets.is_empty() {
            return Err(SkipGramError::SubwordRows { rows, needed });
        }
        Ok(())
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
