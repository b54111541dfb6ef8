//! Text to row numbers without a vocabulary: every word is hashed to one of the rows.

use super::{Ascii, InvalidSettings, Lowercase, NativeHash, Padding, Pipeline, PipelineError};
use super::{Splitter, Truncating, WordHash, WordNgrams, Words, arrange, check_ids, scale};
use crate::error::CapacityExceeded;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::num::NonZero;

/// Splits a text into words and gives each the row number `1 + bucket`, its hash deciding over one of
/// `rows - 1` buckets: Keras' `hashing_trick`.
///
/// Numbers are `1..rows`; row 0 stands for padding, which the [`encode`](Self::encode)d text is filled up
/// with. Two words may share a row. There is nothing to fit and nothing to store, so the tokenizer is a
/// constant.
///
/// `H` is the hash, `L` the lower-casing, and `N` the longest n-gram of words that gets a number of its own.
///
/// ```
/// use nanoembed::text::HashingTokenizer;
/// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
/// let ids: [u8; 4] = TOKENIZER.encode("Awesome services!")?;
/// assert_eq!(ids[2..], [0, 0]);
/// assert!(TOKENIZER.ids("awesome, SERVICES").eq(ids[..2].iter().map(|&id| usize::from(id))));
/// # Ok::<(), nanoembed::error::CapacityExceeded>(())
/// ```
///
/// The numbers of Keras, for any text:
///
#[cfg_attr(all(feature = "md5", feature = "unicode"), doc = "```")]
#[cfg_attr(not(all(feature = "md5", feature = "unicode")), doc = "```ignore")]
/// use nanoembed::text::{HashingTokenizer, Md5, Unicode};
/// // hashing_trick(text, 50, hash_function="md5")
/// const TOKENIZER: HashingTokenizer<Md5, Unicode> = HashingTokenizer::new(50).hash().lowercase();
/// assert!(TOKENIZER.ids("The cat sat on the mat.").eq([43, 32, 29, 3, 43, 29]));
/// ```
pub struct HashingTokenizer<H = NativeHash, L = Ascii, const N: usize = 1> {
    /// Rows for words: all but row 0.
    buckets: NonZero<u32>,
    splitter: Splitter<'static, L>,
    padding: Padding,
    truncating: Truncating,
    hash: PhantomData<fn() -> H>,
}

/// The row numbers of a text: see [`HashingTokenizer::ids`].
pub struct Ids<'a, H = NativeHash, L = Ascii, const N: usize = 1> {
    buckets: NonZero<u32>,
    words: Words<'a, L>,
    ngrams: WordNgrams<N>,
    /// The length of the n-gram that comes next, if that many words are there.
    next: usize,
    hash: PhantomData<fn() -> H>,
}

impl HashingTokenizer {
    /// For a table of `rows` rows: native hash, ASCII lower-casing, the filters of Keras, words alone;
    /// `encode` pads at the end and truncates at the start.
    ///
    /// For a number of rows that is known only at run time there is [`try_new`](Self::try_new).
    ///
    /// # Panics
    /// If there are fewer than 2 rows or more than 2^32; in a `const` that is an error of compilation:
    ///
    /// ```compile_fail,E0080
    /// # use nanoembed::text::HashingTokenizer;
    /// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(1);
    /// ```
    pub const fn new(rows: usize) -> Self {
        match Self::try_new(rows) {
            Ok(tokenizer) => tokenizer,
            Err(_) => panic!("a hashing tokenizer has 2 to 2^32 rows"),
        }
    }

    /// As [`new`](Self::new), for a number of rows that is known only at run time.
    ///
    /// # Errors
    /// If there are fewer than 2 rows (one for padding, one for words) or more than 2^32.
    pub const fn try_new(rows: usize) -> Result<Self, InvalidSettings> {
        let buckets = rows.saturating_sub(1);
        match NonZero::new(buckets as u32) {
            Some(narrow) if narrow.get() as usize == buckets => Ok(Self {
                buckets: narrow,
                splitter: Splitter::KERAS,
                padding: Padding::Post,
                truncating: Truncating::Pre,
                hash: PhantomData,
            }),
            _ => Err(InvalidSettings::Rows(rows)),
        }
    }
}

impl<H, L, const N: usize> HashingTokenizer<H, L, N> {
    /// The same, hashing by `G`.
    pub const fn hash<G>(self) -> HashingTokenizer<G, L, N> {
        let Self { buckets, splitter, padding, truncating, .. } = self;
        HashingTokenizer { buckets, splitter, padding, truncating, hash: PhantomData }
    }

    /// The same, lower-casing by `M`.
    pub const fn lowercase<M>(self) -> HashingTokenizer<H, M, N> {
        let splitter = self.splitter.lowercase();
        self.splitter(splitter)
    }

    /// The same, with other filters.
    #[must_use]
    pub const fn filters(self, filters: &'static str) -> Self {
        let splitter = self.splitter.filters(filters);
        self.splitter(splitter)
    }

    /// The same, splitting and lower-casing by `splitter`.
    pub const fn splitter<M>(self, splitter: Splitter<'static, M>) -> HashingTokenizer<H, M, N> {
        let Self { buckets, padding, truncating, .. } = self;
        HashingTokenizer { buckets, splitter, padding, truncating, hash: PhantomData }
    }

    /// The same, with a number for every run of 1 to `M` words: word n-grams, which tell "not good" from
    /// "good, not".
    ///
    /// They share the rows with the words.
    ///
    /// ```
    /// use nanoembed::text::{Ascii, HashingTokenizer, NativeHash};
    /// const PAIRS: HashingTokenizer<NativeHash, Ascii, 2> = HashingTokenizer::new(1 << 20).word_ngrams();
    /// assert_eq!(PAIRS.ids("not good at all").count(), 4 + 3);
    /// ```
    pub const fn word_ngrams<const M: usize>(self) -> HashingTokenizer<H, L, M> {
        const { assert!(M >= 1, "n-grams of no words") };
        let Self { buckets, splitter, padding, truncating, .. } = self;
        HashingTokenizer { buckets, splitter, padding, truncating, hash: PhantomData }
    }

    /// The same; `encode` pads short texts at this end.
    #[must_use]
    pub const fn padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The same; `encode` cuts long texts at this end.
    #[must_use]
    pub const fn truncating(self, truncating: Truncating) -> Self {
        Self { truncating, ..self }
    }

    /// Rows of the table that the numbers are for: they are below it.
    #[inline]
    pub const fn rows(&self) -> usize {
        self.buckets.get() as usize + 1
    }
}

impl<H: WordHash, L: Lowercase, const N: usize> HashingTokenizer<H, L, N> {
    /// The words of `text`.
    #[inline]
    pub fn words<'a>(&'a self, text: &'a str) -> Words<'a, L> {
        self.splitter.words(text)
    }

    /// The row numbers of `text`, each in `1..rows`, in the order of its words; the n-grams that end at a
    /// word follow it, the shorter ones first. A text without words has none.
    #[inline]
    pub fn ids<'a>(&'a self, text: &'a str) -> Ids<'a, H, L, N> {
        Ids {
            buckets: self.buckets,
            words: self.words(text),
            ngrams: WordNgrams::new(),
            next: usize::MAX,
            hash: PhantomData,
        }
    }

    /// The same way from text to ids as a value, for texts of `length` ids, or with 0 for bags: to compare
    /// with what stands in an image, or to write it there.
    ///
    /// # Errors
    /// If the hash or the lower-casing is not one of the crate's own, or if n-grams have more than 8 words.
    ///
    /// ```
    /// use nanoembed::text::{HashKind, HashingTokenizer, Pipeline};
    /// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    /// const PIPELINE: Pipeline = match TOKENIZER.pipeline(4) {
    ///     Ok(pipeline) => pipeline,
    ///     Err(_) => panic!("the tokenizer has no value"),
    /// };
    /// assert!(PIPELINE == Pipeline::hashing(50, HashKind::Native)?.length(4));
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    pub const fn pipeline(&self, length: u32) -> Result<Pipeline<'static>, PipelineError> {
        let Some(kind) = H::KIND else { return Err(PipelineError::Own { field: "hash" }) };
        let Some(lowering) = L::LOWERING else { return Err(PipelineError::Own { field: "lower-casing" }) };
        let order = if N > u16::MAX as usize { u16::MAX } else { N as u16 };
        let splitter = self.splitter.lowercase();
        match Pipeline::with_splitter(splitter, kind, self.buckets).word_ngrams(order) {
            Ok(pipeline) => Ok(pipeline
                .lowercase(lowering)
                .length(length)
                .padding(self.padding)
                .truncating(self.truncating)),
            Err(error) => Err(error),
        }
    }

    /// The row numbers of `text` as an array of `LEN`, padded with 0 or truncated as the tokenizer is set. A
    /// text without words is all padding.
    ///
    /// `LEN` and the type of the numbers (`u8`, `u16`, `u32`, `usize`, or signed) follow from where the array
    /// goes.
    ///
    /// # Errors
    /// If the type cannot hold every row number.
    pub fn encode<const LEN: usize, Id>(&self, text: &str) -> Result<[Id; LEN], CapacityExceeded>
    where
        Id: Copy + Default + TryFrom<usize>,
    {
        let mut out = [Id::default(); LEN];
        let count = self.encode_into(text, &mut out)?;
        // The first pass left the first ids at the front. What stands elsewhere, or comes from further back,
        // takes a second one: cheaper than keeping ids that may not be wanted.
        if count < LEN && self.padding == Padding::Pre || count > LEN && self.truncating == Truncating::Pre {
            let ids = self.narrow_ids(text);
            arrange(ids, count, self.padding, self.truncating, Id::default(), &mut out);
        }
        Ok(out)
    }

    /// Writes the row numbers of `text` to the front of `out`, without padding, for bags of any length; gives
    /// how many the text has. If that is more than the length of `out`, the last ones did not fit.
    ///
    /// What lies behind the last number is left as it was.
    ///
    /// # Errors
    /// If the type cannot hold every row number; nothing is written then.
    ///
    /// ```
    /// use nanoembed::text::HashingTokenizer;
    /// let tokenizer = HashingTokenizer::new(1000);
    /// let mut bag = [0_u16; 3];
    /// assert_eq!(tokenizer.encode_into("rude waitress", &mut bag)?, 2);
    /// assert_eq!(tokenizer.encode_into("couldn't have done better", &mut bag)?, 4);
    /// # Ok::<(), nanoembed::error::CapacityExceeded>(())
    /// ```
    pub fn encode_into<Id: TryFrom<usize>>(
        &self,
        text: &str,
        out: &mut [Id],
    ) -> Result<usize, CapacityExceeded> {
        check_ids::<Id>(self.buckets.get() as usize)?;
        let mut free = out.iter_mut();
        let mut count = 0;
        self.narrow_ids(text).for_each(|id| {
            if let Some(to) = free.next() {
                *to = id;
            }
            count += 1;
        });
        Ok(count)
    }

    /// The row numbers of `text`, as [`ids`](Self::ids), in the type of a model's ids.
    ///
    /// ```
    /// use nanoembed::{layers::Bag, text::HashingTokenizer};
    /// let tokenizer = HashingTokenizer::new(1000);
    /// let bag = Bag::<8>::from_first(tokenizer.ids_as("couldn't have done better")?);
    /// assert_eq!(bag.ids().len(), 4);
    /// # Ok::<(), nanoembed::error::CapacityExceeded>(())
    /// ```
    ///
    /// # Errors
    /// If the type cannot hold every row number.
    #[inline]
    pub fn ids_as<'a, Id: TryFrom<usize>>(
        &'a self,
        text: &'a str,
    ) -> Result<impl Iterator<Item = Id> + use<'a, Id, H, L, N>, CapacityExceeded> {
        check_ids::<Id>(self.buckets.get() as usize)?;
        Ok(self.narrow_ids(text))
    }

    /// Row numbers as `Id`, which was checked to hold them all.
    #[inline]
    fn narrow_ids<'a, Id: TryFrom<usize>>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = Id> + use<'a, Id, H, L, N> {
        self.ids(text).filter_map(|id| Id::try_from(id).ok())
    }
}

impl<H: WordHash, L: Lowercase, const N: usize> Iterator for Ids<'_, H, L, N> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let Self { buckets, words, ngrams, next, .. } = self;
        next_id::<H, L, N>(*buckets, words, ngrams, next)
    }

    // Variables of their own: the n-grams, which are read by an index, would keep all of it in memory, and what
    // is known of a constant tokenizer out of the loop.
    #[inline]
    fn fold<B, F: FnMut(B, usize) -> B>(self, first: B, mut work: F) -> B {
        let Self { buckets, mut words, mut ngrams, mut next, .. } = self;
        let mut result = first;
        while let Some(id) = next_id::<H, L, N>(buckets, &mut words, &mut ngrams, &mut next) {
            result = work(result, id);
        }
        result
    }
}

/// [`Ids::next`].
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn next_id<H: WordHash, L: Lowercase, const N: usize>(
    buckets: NonZero<u32>,
    words: &mut Words<'_, L>,
    ngrams: &mut WordNgrams<N>,
    next: &mut usize,
) -> Option<usize> {
    let bucket = if let Some(ngram) = ngrams.ngram(*next) {
        *next += 1;
        scale(ngram, buckets)
    } else {
        let mut hash = H::default();
        words.next_hashed(&mut hash)?;
        let digest = hash.finish();
        ngrams.push(H::low32(digest));
        *next = 2;
        H::bucket(digest, buckets)
    };
    Some(bucket as usize + 1)
}

impl<H: WordHash, L: Lowercase, const N: usize> FusedIterator for Ids<'_, H, L, N> {}

// Derived, these would ask for `H: Clone, L: Clone`.
impl<H, L, const N: usize> Clone for HashingTokenizer<H, L, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H, L, const N: usize> Copy for HashingTokenizer<H, L, N> {}

impl<H, L, const N: usize> Clone for Ids<'_, H, L, N> {
    fn clone(&self) -> Self {
        Self { words: self.words.clone(), ngrams: self.ngrams.clone(), ..*self }
    }
}

impl<H, L, const N: usize> fmt::Debug for HashingTokenizer<H, L, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingTokenizer")
            .field("rows", &self.rows())
            .field("splitter", &self.splitter)
            .field("padding", &self.padding)
            .field("truncating", &self.truncating)
            .field("hash", &core::any::type_name::<H>())
            .field("word_ngrams", &N)
            .finish_non_exhaustive()
    }
}

impl<H, L, const N: usize> fmt::Debug for Ids<'_, H, L, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids")
            .field("words", &self.words)
            .field("ngrams", &self.ngrams)
            .finish_non_exhaustive()
    }
}
