//! A training as rounds of tasks.

use super::corpus::Corpus;
use super::error::SkipGramError;
use super::find::Find;
use super::learn::{Learn, Schedule};
use super::memory::{Extents, Lengths, Memory, Parts};
use super::settings::Settings;
use super::unigrams;
use crate::error::ShapeMismatch;
use crate::kernels::{SubwordRows, mean_of_word};
use crate::math;
use crate::random::{Key, mix};
use crate::simd::LANES;
use crate::slices::{copy, first_mut, parts_mut};
use crate::table::{Aligned, Line, TableMut};

/// A training of skip-gram or of the continuous bag of words: rounds of tasks, and the vectors that they
/// make.
///
/// [The module](crate::models::skip_gram) has the formulas and an example.
#[derive(Debug)]
pub struct SkipGram<'a, 'm> {
    settings: Settings,
    corpus: Corpus<'a>,
    extents: Extents,
    parts: Parts<'m>,
    epoch: u32,
    /// The first word of the episode.
    first: usize,
    /// The round of the episode: in the first one pairs are found.
    round: usize,
}

impl Settings {
    /// The memory that a training takes for this many words.
    ///
    /// # Errors
    /// If a setting is outside its range, or there are no words or too many.
    pub fn lengths(&self, vocabulary: usize) -> Result<Lengths, SkipGramError> {
        let lengths = Extents::new(self, vocabulary)?.lengths();
        lengths.ok_or(SkipGramError::Vocabulary { words: vocabulary })
    }
}

impl<'a, 'm> SkipGram<'a, 'm> {
    /// A training at its start: input vectors are drawn from ±½ / dim, output vectors are zero.
    ///
    /// # Errors
    /// If a setting is outside its range, or the memory is too short. Nothing has been written then.
    pub fn new(settings: Settings, corpus: Corpus<'a>, memory: Memory<'m>) -> Result<Self, SkipGramError> {
        let extents = Extents::new(&settings, corpus.counts().len())?;
        corpus.check_subwords(settings.subword_rows)?;
        let parts = Parts::new(memory, &extents)?;
        let mut training = Self { settings, corpus, extents, parts, epoch: 0, first: 0, round: 0 };
        training.start();
        Ok(training)
    }

    fn start(&mut self) {
        let Self { settings, extents, corpus, parts, .. } = self;
        let counts = corpus.counts();
        let total = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        for (keep, count) in parts.keep.iter_mut().zip(counts) {
            let ratio = settings.sample * total as f32 / *count as f32;
            let share = math::sqrt(ratio) + ratio;
            let is_sampled = settings.sample > 0.0 && share < 1.0;
            *keep = if is_sampled { (share * 4_294_967_296.0) as u32 } else { u32::MAX };
        }
        for (part, slots) in parts_mut(parts.slots, extents.part).enumerate() {
            let rows = extents.rows_of(part);
            let of_row = |row: usize| counts.get(row * extents.parts + part).copied();
            unigrams::fill(first_mut(slots, rows), (0..rows).filter_map(of_row));
        }
        let key = Key::new(mix(settings.seed, u64::MAX));
        let scale = 1.0 / settings.dim as f32;
        for (place, row) in parts_mut(parts.input, extents.lines).enumerate() {
            let (part, row_of_part) = (place.checked_div(extents.part), place.checked_rem(extents.part));
            let id = row_of_part.unwrap_or(0) * extents.parts + part.unwrap_or(0);
            // Rows of n-grams are behind those of the words.
            let id = if place < extents.parts * extents.part { id } else { place };
            let key = key.with(id as u32);
            let numbers = row.iter_mut().flat_map(|line| &mut line.0);
            for (i, x) in numbers.enumerate() {
                let unit = (key.at(i as u32) >> 8) as f32 / 16_777_216.0;
                *x = if i < settings.dim { (unit - 0.5) * scale } else { 0.0 };
            }
        }
        parts.output.fill(Aligned([0.0; LANES]));
    }

    /// The tasks of the next round; `None` at the end.
    ///
    /// First one round finds the pairs of as many words as [`Settings`] say, and then a round for each part
    /// of the vocabulary learns from them. All tasks of a round must have run before the next is asked for:
    /// what a task that was dropped would have learnt is missing.
    pub fn next_round(&mut self) -> Option<Tasks<'_>> {
        let Self { settings, corpus, extents, .. } = *self;
        let words = corpus.words();
        if self.round > extents.parts {
            self.round = 0;
            self.first += extents.parts * extents.words;
        }
        if self.first >= words {
            self.first = 0;
            self.epoch += 1;
        }
        if words == 0 || self.epoch >= settings.epochs {
            return None;
        }
        let before = u64::from(self.epoch) * words as u64;
        let schedule = Schedule {
            seed: mix(settings.seed, before + self.first as u64),
            first: before + self.first as u64,
            total: u64::from(settings.epochs) * words as u64,
        };
        let (round, first) = (self.round, self.first);
        self.round += 1;
        let parts = &mut self.parts;
        let shared = Shared { settings, extents, schedule };
        Some(Tasks(match round.checked_sub(1) {
            None => Kind::Find(Finds {
                shared,
                corpus,
                first,
                keep: parts.keep,
                kept: parts.kept,
                ends: parts.ends,
                pairs: parts.pairs,
                number: 0,
            }),
            Some(shift) => {
                let (late, early) = parts.output.split_at_mut_checked(shift * extents.part_lines())?;
                let (slots, ends, pairs) = (&*parts.slots, &*parts.ends, &*parts.pairs);
                let input = &mut *parts.input;
                let mean = &mut *parts.mean;
                let subwords = corpus.subwords();
                Kind::Learn(Learns {
                    shared,
                    subwords,
                    shift,
                    input,
                    early,
                    late,
                    mean,
                    slots,
                    ends,
                    pairs,
                    number: 0,
                })
            }
        }))
    }

    /// Words of the corpus that were learnt from, over all epochs.
    pub fn words(&self) -> u64 {
        u64::from(self.epoch) * self.corpus.words() as u64 + self.first as u64
    }

    /// Words that will have been learnt from at the end.
    pub fn total_words(&self) -> u64 {
        u64::from(self.settings.epochs) * self.corpus.words() as u64
    }

    /// Copies the input vectors, which are the word vectors: row i is that of word i, with n-grams the mean of
    /// its row and theirs.
    ///
    /// # Errors
    /// If the table has not a row of `dim` numbers for each word.
    pub fn vectors(&mut self, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        if self.extents.subword_rows == 0 {
            return self.copy(self.parts.input, to);
        }
        self.check(self.extents.rows, to)?;
        let Parts { input, mean, .. } = &mut self.parts;
        for word in 0..to.rows() {
            mean_of_word(input, word, self.corpus.subwords(), mean);
            if let Some(to) = to.row_mut(word) {
                copy_lines(mean, to);
            }
        }
        Ok(())
    }

    /// Copies the rows of n-grams. The mean of those of a word that the corpus lacks stands for it, as in
    /// fastText.
    ///
    /// # Errors
    /// If the table has not [`subword_rows`](Settings::subword_rows) rows of `dim` numbers.
    pub fn subword_vectors(&self, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        let Extents { rows, lines, subword_rows, .. } = self.extents;
        self.check(subword_rows, to)?;
        for row in 0..subword_rows {
            if let (Some(from), Some(to)) = (self.parts.input.get((rows + row) * lines..), to.row_mut(row)) {
                copy_lines(from, to);
            }
        }
        Ok(())
    }

    /// Copies the output vectors, which stand for words as neighbours.
    ///
    /// # Errors
    /// If the table has not a row of `dim` numbers for each word.
    pub fn output_vectors(&self, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        self.copy(self.parts.output, to)
    }

    /// Whether a table has so many rows of `dim` numbers.
    fn check(&self, rows: usize, table: &TableMut<'_>) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("rows", rows, table.rows())?;
        ShapeMismatch::check("dim", self.settings.dim, table.dim())
    }

    fn copy(&self, from: &[Line], to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        let extents = &self.extents;
        self.check(extents.rows, to)?;
        for id in 0..extents.rows {
            let (Some(row), Some(part)) = (id.checked_div(extents.parts), id.checked_rem(extents.parts))
            else {
                continue;
            };
            let from = from.get((part * extents.part + row) * extents.lines..);
            if let (Some(from), Some(to)) = (from, to.row_mut(id)) {
                copy_lines(from, to);
            }
        }
        Ok(())
    }
}

/// Copies the numbers of a row that fills lines.
fn copy_lines(from: &[Line], to: &mut [f32]) {
    for (to, line) in to.chunks_mut(LANES).zip(from) {
        copy(&line.0, to);
    }
}

/// What all tasks of an episode know.
#[derive(Clone, Copy, Debug)]
struct Shared {
    settings: Settings,
    extents: Extents,
    schedule: Schedule,
}

/// Tasks that do not need each other: they may run in any order and on any threads. All must have run before
/// the next round.
#[must_use = "what is not run is not learnt"]
#[derive(Debug)]
pub struct Tasks<'t>(Kind<'t>);

#[derive(Debug)]
enum Kind<'t> {
    Find(Finds<'t>),
    Learn(Learns<'t>),
}

#[derive(Debug)]
struct Finds<'t> {
    shared: Shared,
    corpus: Corpus<'t>,
    first: usize,
    keep: &'t [u32],
    kept: &'t mut [u32],
    ends: &'t mut [u32],
    pairs: &'t mut [u64],
    number: usize,
}

#[derive(Debug)]
struct Learns<'t> {
    shared: Shared,
    subwords: SubwordRows<'t>,
    shift: usize,
    input: &'t mut [Line],
    /// The outputs of the first tasks, and those of the last ones.
    early: &'t mut [Line],
    late: &'t mut [Line],
    mean: &'t mut [Line],
    slots: &'t [u64],
    ends: &'t [u32],
    pairs: &'t [u64],
    number: usize,
}

impl<'t> Iterator for Tasks<'t> {
    type Item = Task<'t>;

    fn next(&mut self) -> Option<Task<'t>> {
        Some(Task(match &mut self.0 {
            Kind::Find(finds) => Work::Find(finds.next()?),
            Kind::Learn(learns) => Work::Learn(learns.next()?),
        }))
    }
}

impl<'t> Finds<'t> {
    fn next(&mut self) -> Option<Find<'t>> {
        let Shared { settings, extents, schedule } = self.shared;
        let number = self.number;
        if number >= extents.parts {
            return None;
        }
        self.number += 1;
        Some(Find {
            corpus: self.corpus,
            extents,
            settings,
            keep: self.keep,
            key: Key::new(schedule.seed(number)),
            first: self.first + number * extents.words,
            kept: self.kept.split_off_mut(..extents.words)?,
            ends: self.ends.split_off_mut(..extents.ends())?,
            pairs: self.pairs.split_off_mut(..extents.pairs)?,
        })
    }
}

impl<'t> Learns<'t> {
    fn next(&mut self) -> Option<Learn<'t>> {
        let Shared { settings, extents, schedule } = self.shared;
        let number = self.number;
        let part = extents.part_lines();
        let input = self.input.split_off_mut(..extents.input_part_lines())?;
        let output = match self.early.split_off_mut(..part) {
            Some(output) => output,
            None => self.late.split_off_mut(..part)?,
        };
        self.number += 1;
        let out = number + self.shift;
        let out = if out < extents.parts { out } else { out - extents.parts };
        Some(Learn {
            settings,
            extents,
            schedule,
            subwords: self.subwords,
            cell: number * extents.parts + out,
            input,
            output,
            mean: core::mem::take(&mut self.mean),
            slots: self.slots.get(out * extents.part..)?.get(..extents.rows_of(out))?,
            ends: self.ends,
            pairs: self.pairs,
        })
    }
}

/// A task of a round.
#[must_use = "what is not run is not learnt"]
#[derive(Debug)]
pub struct Task<'t>(Work<'t>);

#[derive(Debug)]
enum Work<'t> {
    Find(Find<'t>),
    Learn(Learn<'t>),
}

impl Task<'_> {
    /// Does it.
    pub fn run(self) {
        match self.0 {
            Work::Find(find) => find.run(),
            Work::Learn(learn) => learn.run(),
        }
    }
}
