//! Character n-grams of a word, as fastText makes them: a word that was never seen shares rows with the words
//! that it looks like.

use super::{FastTextHash, Token, WordHash, utf8};
use crate::slices::copy;
use core::num::NonZero;

/// fastText's end of a sentence: the one word without n-grams.
const END_OF_SENTENCE: &str = "</s>";

/// Bytes of the words, brackets included, whose characters are read once.
const ROOM: usize = 64;

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
    ///
    /// # Cost
    /// An n-gram goes on from the hash of the one before it, so it costs a step of the hash and a remainder.
    /// Taken by `for_each`, `fold` or `extend` that is all, but for one pass over the word; `next` reads the
    /// characters of the word again for each start.
    #[inline]
    pub fn buckets_of<T: Token>(&self, word: T) -> impl Iterator<Item = usize> + Clone + use<T> {
        let characters = core::iter::once('<').chain(word.chars()).chain(core::iter::once('>'));
        Buckets {
            subwords: *self,
            start: characters.clone(),
            run: Run { length: 0, rest: characters, hash: FastTextHash::default() },
            at_start: true,
            done: self.max_n == 0 || word.chars().eq(END_OF_SENTENCE.chars()),
        }
    }

    /// Gives the buckets of the n-grams of a word, of which these are the bytes, its brackets among them, to
    /// `work`.
    #[inline]
    fn fold_bytes<B>(&self, word: &[u8], first: B, work: &mut impl FnMut(B, usize) -> B) -> B {
        let Self { min_n, max_n, buckets } = *self;
        let is_start = |byte: u8| byte & 0xc0 != 0x80;
        let mut result = first;
        let mut rest = word;
        let mut at_start = true;
        while let Some((&byte, after)) = rest.split_first() {
            if is_start(byte) {
                let mut hash = FastTextHash::default();
                let (mut length, mut run) = (0, rest);
                while let (true, Some((&byte, behind))) = (length < max_n, run.split_first()) {
                    hash.write(&[byte]);
                    run = behind;
                    let next = behind.first();
                    if next.is_none_or(|&next| is_start(next)) {
                        length += 1;
                        let lone = length == 1 && (at_start || next.is_none());
                        if length >= min_n && !lone {
                            result = work(result, FastTextHash::bucket(hash.finish(), buckets) as usize);
                        }
                    }
                }
                if length < min_n {
                    // Those that start later are shorter still.
                    break;
                }
                at_start = false;
            }
            rest = after;
        }
        result
    }
}

/// The buckets of a word.
#[derive(Clone)]
struct Buckets<I> {
    subwords: Subwords,
    /// The characters from where the n-grams start that are in work.
    start: I,
    run: Run<I>,
    at_start: bool,
    done: bool,
}

/// An n-gram that grows: how many characters it has by now, what follows, and its hash.
#[derive(Clone)]
struct Run<I> {
    length: usize,
    rest: I,
    hash: FastTextHash,
}

impl<I: Iterator<Item = char> + Clone> Iterator for Buckets<I> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let Self { subwords: Subwords { min_n, max_n, buckets }, start, run, at_start, done } = self;
        while !*done {
            if run.length < *max_n
                && let Some(c) = run.rest.next()
            {
                run.length += 1;
                run.hash.write_char(c);
                let lone = run.length == 1 && (*at_start || run.rest.clone().next().is_none());
                if run.length >= *min_n && !lone {
                    return Some(FastTextHash::bucket(run.hash.finish(), *buckets) as usize);
                }
            } else {
                *at_start = false;
                *done = start.next().is_none();
                *run = Run { length: 0, rest: start.clone(), hash: FastTextHash::default() };
            }
        }
        None
    }

    // The characters are read once, into bytes, if they fit. Firmware has the short form alone.
    #[inline]
    fn fold<B, F: FnMut(B, usize) -> B>(self, first: B, mut work: F) -> B {
        if cfg!(not(target_os = "none")) && !self.done && self.at_start && self.run.length == 0 {
            let mut word = [0_u8; ROOM];
            let (mut free, mut fits) = (&mut word[..], true);
            self.start.clone().for_each(|c| {
                utf8(c, |bytes| match free.split_off_mut(..bytes.len()) {
                    Some(to) => copy(bytes, to),
                    None => fits = false,
                });
            });
            let left = free.len();
            if let (true, Some((word, _))) = (fits, word.split_at_checked(ROOM - left)) {
                return self.subwords.fold_bytes(word, first, &mut work);
            }
        }
        let mut result = first;
        for bucket in self {
            result = work(result, bucket);
        }
        result
    }
}
