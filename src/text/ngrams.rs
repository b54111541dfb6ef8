//! N-grams of words: one number for each run of neighbouring words.
//!
//! After fastText, which combines the hashes of the words of a run by a polynomial,
//! `h = h * 116049371 + next`. Here:
//!
//! ```text
//! h = hash of the first word                                       32 bits
//! for each further word: h = h * 116049371 + its hash              modulo 2^32
//! the n-gram's number:   mix(h)                                    the mixer of NativeHash, and its rule for buckets
//! ```
//!
//! fastText keeps 64 bits and has no mixer; 32 bits are the native size of the small processors that this
//! must run on, and all that a table of at most 2^32 rows can tell apart. The polynomial extends a run by its
//! next word without looking at the earlier ones again, so that the window is one number for each length and
//! no word is kept.

use crate::random::mix32;

/// The multiplier of fastText.
const MULTIPLIER: u32 = 116_049_371;

/// The runs of 1 to `N` words that end at the last word pushed.
///
/// ```
/// use nanoembed::internals::WordNgrams;
/// let mut ngrams = WordNgrams::<3>::new();
/// ngrams.push(11);
/// ngrams.push(12);
/// assert_eq!(ngrams.ngram(1), Some(12)); // the word alone
/// let pair = ngrams.ngram(2);            // 11 12
/// assert_eq!(ngrams.ngram(3), None);     // not three words yet
///
/// ngrams.push(11);
/// ngrams.push(12);
/// assert_eq!(ngrams.ngram(2), pair);     // the same pair, the same number
/// ```
#[derive(Clone, Debug)]
pub struct WordNgrams<const N: usize> {
    /// The polynomial of the last word, of the last two, and so on.
    runs: [u32; N],
    /// How many of these are there: up to `N`.
    longest: usize,
}

impl<const N: usize> WordNgrams<N> {
    /// No words yet.
    #[inline]
    pub const fn new() -> Self {
        Self { runs: [0; N], longest: 0 }
    }

    /// Appends a word by its hash.
    #[inline]
    pub fn push(&mut self, word: u32) {
        let mut shorter = 0_u32;
        for run in &mut self.runs {
            let extended = shorter.wrapping_mul(MULTIPLIER).wrapping_add(word);
            shorter = core::mem::replace(run, extended);
        }
        self.longest = (self.longest + 1).min(N);
    }

    /// The number of the last `n` words together; of the last word alone, its hash. `None` if `n` is 0, more
    /// than `N`, or more than the words pushed.
    #[inline]
    pub fn ngram(&self, n: usize) -> Option<u32> {
        if n > self.longest {
            return None;
        }
        let &run = self.runs.get(n.checked_sub(1)?)?;
        Some(if n == 1 { run } else { mix32(run) })
    }
}

impl<const N: usize> Default for WordNgrams<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// The formula of the module's head, word by word.
    fn naive(words: &[u32]) -> u32 {
        let (&first, rest) = words.split_first().unwrap();
        let run = rest.iter().fold(first, |h, &w| h.wrapping_mul(MULTIPLIER).wrapping_add(w));
        if rest.is_empty() { run } else { mix32(run) }
    }

    fn every_run<const N: usize>() {
        let words: Vec<u32> = (0..40_u32).map(|i| mix32(i % 7)).collect();
        let mut ngrams = WordNgrams::<N>::new();
        for last in 0..words.len() {
            ngrams.push(words[last]);
            for n in 0..N + 2 {
                let expected = (1..=N.min(last + 1)).contains(&n).then(|| naive(&words[last + 1 - n..=last]));
                assert_eq!(ngrams.ngram(n), expected, "{n} words ending at {last}");
            }
        }
    }

    #[test]
    fn runs_are_the_polynomial_of_their_words() {
        every_run::<0>();
        every_run::<1>();
        every_run::<2>();
        every_run::<3>();
        every_run::<5>();
    }

    #[test]
    fn order_matters() {
        let pair = |a, b| {
            let mut ngrams = WordNgrams::<2>::new();
            ngrams.push(a);
            ngrams.push(b);
            ngrams.ngram(2).unwrap()
        };
        assert_ne!(pair(1, 2), pair(2, 1));
        assert_eq!(pair(1, 2), mix32(116_049_371 + 2));
    }
}
