//! Character n-grams of a word, as fastText makes them: a word that was never seen shares rows with the words
//! that it looks like.

use super::{FastTextHash, Token, WordHash};
use core::num::NonZero;

/// fastText's end of a sentence: the one word without n-grams.
const END_OF_SENTENCE: &str = "</s>";

/// Which n-grams of a word's characters get a row: fastText's `minn`, `maxn` and `bucket`.
///
/// ```text
/// n-grams of `<word>`, min_n to max_n characters of UTF-8 long, by their start and then by their length; a lone `<` or `>` is none
/// bucket = FastTextHash(n-gram) mod buckets
/// ```
///
/// fastText's row of an n-gram is the number of words in its vocabulary plus the bucket; `</s>` has no
/// n-grams.
///
/// ```
/// use nanoembed::text::Subwords;
/// const SUBWORDS: Subwords = Subwords::new(3, 6, 2_000_000);
/// // <is  <is>  is>
/// assert_eq!(SUBWORDS.buckets_of("is").count(), 3);
/// assert!(SUBWORDS.buckets_of("is").last() == SUBWORDS.buckets_of("this").last()); // is>
/// ```
///
/// Source: Bojanowski, Grave, Joulin and Mikolov, "Enriching Word Vectors with Subword Information", 2017;
/// `computeSubwords` of fastText.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subwords {
    min_n: usize,
    max_n: usize,
    buckets: NonZero<u32>,
}

impl Subwords {
    /// N-grams of `min_n` to `max_n` characters in `buckets` buckets; of none, if `max_n` is less than
    /// `min_n` or 0.
    ///
    /// # Panics
    /// If there is no bucket; in a `const` that is an error of compilation. Where the number is known only at
    /// run time, there is [`with_buckets`](Self::with_buckets).
    pub const fn new(min_n: usize, max_n: usize, buckets: u32) -> Self {
        match NonZero::new(buckets) {
            Some(buckets) => Self::with_buckets(min_n, max_n, buckets),
            None => panic!("n-grams need a bucket"),
        }
    }

    /// As [`new`](Self::new), for a number of buckets that is known only at run time.
    pub const fn with_buckets(min_n: usize, max_n: usize, buckets: NonZero<u32>) -> Self {
        Self { min_n, max_n, buckets }
    }

    /// The buckets of the n-grams of `word`, each below `buckets`.
    #[inline]
    pub fn buckets_of<T: Token>(&self, word: T) -> impl Iterator<Item = usize> + Clone + use<T> {
        let Self { min_n, max_n, buckets } = *self;
        let mut start = core::iter::once('<').chain(word.chars()).chain(core::iter::once('>'));
        // The n-grams that start where `start` does: how many characters they have by now, what follows, and
        // their hash.
        let mut run = Run { length: 0, rest: start.clone(), hash: FastTextHash::default() };
        let mut at_start = true;
        let mut done = max_n == 0 || word.chars().eq(END_OF_SENTENCE.chars());
        core::iter::from_fn(move || {
            while !done {
                if run.length < max_n
                    && let Some(c) = run.rest.next()
                {
                    run.length += 1;
                    run.hash.write_char(c);
                    let lone = run.length == 1 && (at_start || run.rest.clone().next().is_none());
                    if run.length >= min_n && !lone {
                        return Some(FastTextHash::bucket(run.hash.finish(), buckets) as usize);
                    }
                } else {
                    at_start = false;
                    done = start.next().is_none();
                    run = Run { length: 0, rest: start.clone(), hash: FastTextHash::default() };
                }
            }
            None
        })
    }
}

/// An n-gram that grows.
#[derive(Clone)]
struct Run<I> {
    length: usize,
    rest: I,
    hash: FastTextHash,
}
