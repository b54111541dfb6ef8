//! The memory of a training, and how it is divided.

use super::error::SkipGramError;
use super::settings::Settings;
use crate::error::CapacityExceeded;
use crate::simd::LANES;
use crate::slices::first_mut;
use crate::table::Line;

/// Words that a vocabulary can have: 25 bits for a row of a part.
const MOST_WORDS: usize = 1 << 25;

/// How much memory a training takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    /// Cache lines of sixteen numbers: both tables, and a row.
    pub lines: usize,
    /// Numbers of 32 bits.
    pub words: usize,
    /// Numbers of 64 bits.
    pub pairs: usize,
}

/// Memory for a training, as long as [`Lengths`] says or longer; what it holds does not matter.
#[derive(Debug)]
pub struct Memory<'m> {
    /// Both tables.
    pub lines: &'m mut [Line],
    /// Which words are kept, and where pairs of parts end.
    pub words: &'m mut [u32],
    /// Pairs, and the distribution of negatives.
    pub pairs: &'m mut [u64],
}

/// Rows of a part, if so many are left for it and the parts after it.
fn share(rows: usize, parts: usize) -> usize {
    (rows + parts - 1).checked_div(parts).unwrap_or(0)
}

/// The extents of a training.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extents {
    /// Words of the vocabulary.
    pub(super) rows: usize,
    /// Lines of a row.
    pub(super) lines: usize,
    pub(super) parts: usize,
    /// Rows of a part.
    pub(super) part: usize,
    /// Words of a shard.
    pub(super) words: usize,
    /// Numbers for the pairs of a shard: at most 2 window a word, or one more if they are bags of a window,
    /// or twice as many if they are bags of a word.
    pub(super) pairs: usize,
    /// Rows of the input table behind those of the words. There is one part then.
    pub(super) subword_rows: usize,
}

impl Extents {
    pub(super) fn new(settings: &Settings, rows: usize) -> Result<Self, SkipGramError> {
        settings.check()?;
        if rows == 0 || rows > MOST_WORDS {
            return Err(SkipGramError::Vocabulary { words: rows });
        }
        let parts = settings.parts_of(rows);
        let of_word = if settings.subword_rows > 0 { 4 * settings.window } else { 2 * settings.window + 1 };
        // Places of pairs are numbers of 32 bits.
        let pairs = settings.words.checked_mul(of_word).filter(|pairs| u32::try_from(*pairs).is_ok());
        let pairs = pairs.ok_or(SkipGramError::Setting {
            what: "words",
            found: settings.words,
            most: (1 << 31) / of_word,
        })?;
        Ok(Self {
            rows,
            lines: settings.dim.div_ceil(LANES),
            parts,
            part: share(rows, parts),
            words: settings.words,
            pairs,
            subword_rows: settings.subword_rows,
        })
    }

    /// Lines of a part of the output table.
    pub(super) fn part_lines(&self) -> usize {
        self.part * self.lines
    }

    /// Lines of a part of the input table.
    pub(super) fn input_part_lines(&self) -> usize {
        (self.part + self.subword_rows) * self.lines
    }

    /// Where the pairs of each pair of parts end, in a shard.
    pub(super) fn ends(&self) -> usize {
        self.parts * self.parts
    }

    /// Rows of a part that words have.
    pub(super) fn rows_of(&self, part: usize) -> usize {
        share(self.rows.saturating_sub(part), self.parts)
    }

    pub(super) fn lengths(&self) -> Option<Lengths> {
        Some(Lengths {
            lines: {
                let rows = self.part.checked_mul(self.parts)?;
                rows.checked_mul(2)?
                    .checked_add(self.subword_rows)?
                    .checked_add(1)?
                    .checked_mul(self.lines)?
            },
            words: self.parts.checked_mul(self.words + self.ends())?.checked_add(self.rows)?,
            pairs: self.parts.checked_mul(self.pairs.checked_add(self.part)?)?,
        })
    }
}

/// The memory in its parts.
#[derive(Debug)]
pub(super) struct Parts<'m> {
    pub(super) input: &'m mut [Line],
    pub(super) output: &'m mut [Line],
    /// The mean of a bag.
    pub(super) mean: &'m mut [Line],
    /// For each word the number that its draw must not be above.
    pub(super) keep: &'m mut [u32],
    pub(super) kept: &'m mut [u32],
    pub(super) ends: &'m mut [u32],
    pub(super) slots: &'m mut [u64],
    pub(super) pairs: &'m mut [u64],
}

impl<'m> Parts<'m> {
    pub(super) fn new(memory: Memory<'m>, extents: &Extents) -> Result<Self, SkipGramError> {
        let too_large = SkipGramError::Vocabulary { words: extents.rows };
        let lengths = extents.lengths().ok_or(too_large)?;
        let Memory { lines, words, pairs } = memory;
        for (what, needed, capacity) in [
            ("lines", lengths.lines, lines.len()),
            ("words", lengths.words, words.len()),
            ("pairs", lengths.pairs, pairs.len()),
        ] {
            CapacityExceeded::check(what, capacity, needed)?;
        }
        let (of_input, of_output) =
            (extents.parts * extents.input_part_lines(), extents.parts * extents.part_lines());
        let (input, rest_of_lines) = lines.split_at_mut_checked(of_input).ok_or(too_large)?;
        let (output, rest_of_lines) = rest_of_lines.split_at_mut_checked(of_output).ok_or(too_large)?;
        let (keep, rest) = words.split_at_mut_checked(extents.rows).ok_or(too_large)?;
        let (kept, rest) = rest.split_at_mut_checked(extents.parts * extents.words).ok_or(too_large)?;
        let (slots, pairs) = pairs.split_at_mut_checked(extents.parts * extents.part).ok_or(too_large)?;
        Ok(Self {
            input,
            output,
            mean: first_mut(rest_of_lines, extents.lines),
            keep,
            kept,
            ends: first_mut(rest, extents.parts * extents.ends()),
            slots,
            pairs: first_mut(pairs, extents.parts * extents.pairs),
        })
    }
}
