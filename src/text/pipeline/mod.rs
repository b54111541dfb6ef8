//! The way from text to ids as a value.

mod kinds;
mod record;

use super::kinds::{AnyText, TextKind, TextKinds, links};
use super::{
    AnyHash, Ascii, Columns, HashKind, Lowercase, Lowering, NativeHash, Padding, PipelineError, Splitter,
};
use super::{Subwords, Truncating, Unchanged, VocabularyView, WordHash, WordNgrams, scale};
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZero;

/// The longest n-gram of words that a pipeline can have.
const MAX_ORDER: usize = 8;

/// The way from text to ids, as a value: it stands in the bytes of a model and is read back.
///
/// A [`HashingTokenizer`](super::HashingTokenizer) is a type, which firmware names. A pipeline has no type
/// parameters: hash, lower-casing and n-grams are numbers. It gives the same ids, one by one.
///
/// ```text
/// for each word of the text, lower-cased and split, as in Keras or as Splitter::MARKS does it:
///     by a hash                     1 + bucket of the word, of rows - 1 buckets
///                                   1 + bucket of each n-gram of words that ends here, shorter ones first
///                                   1 + bucket of each n-gram of its characters, as Subwords gives them
///     by a vocabulary               the word's index, or that of unknown words
/// by columns: for each column       the row of its field, where the split string divides the text
/// ids are in 1..rows; 0 is padding
/// ```
///
/// N-grams of characters have fastText's hash and its remainder, whatever the hash of the words is; all share
/// the rows.
///
/// With a [`length`](Self::length) a text becomes as many ids, padded or truncated. Without one it is a bag
/// of any length.
///
/// ```
/// use nanoembed::text::{HashKind, HashingTokenizer, Pipeline};
/// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
/// let pipeline = Pipeline::hashing(50, HashKind::Native)?.length(4);
/// let mut ids = [0; 4];
/// assert_eq!(pipeline.encode_into("Awesome services!", &mut ids)?, 2);
/// let typed: [u32; 4] = TOKENIZER.encode("Awesome services!")?;
/// assert_eq!(ids, typed);
///
/// let mut bytes = vec![0; pipeline.encoded_size()];
/// pipeline.write(&mut bytes)?;
/// assert!(Pipeline::read(&bytes)? == TOKENIZER.pipeline(4)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `T` names the hashes, rules and n-grams that a program links; it is all of them, where it is left out:
/// see [`TextKinds`].
///
/// # The bytes
/// Numbers are little-endian, and what a pipeline does not use is 0. So each pipeline has one form.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u16 | kind: 1 hash, 2 vocabulary, 3 columns |
/// | 2 | u16 | lower-casing: 0 [`Unchanged`], 1 [`Ascii`], 2 `Unicode` |
/// | 4 | u16 | hash: 1 `NativeHash`, 2 `FarmHash64`, 3 `Murmur3`, 4 `Md5`, 5 `SipHash` |
/// | 6 | u8 | padding: 0 before the ids, 1 after them |
/// | 7 | u8 | truncating: 0 the start is cut off, 1 the end |
/// | 8 | u64 | rows, 2 to 2^32 |
/// | 16 | u32 | length, 0 for a bag |
/// | 20 | u16 | words of the longest n-gram of words, 1 to 8 |
/// | 22 | 2 × u16 | characters of the shortest and of the longest n-gram of characters, both 0 for none |
/// | 26 | u16 | 1 if marks are words of their own ([`Splitter::marks`]), else 0 |
/// | 28 | 4 bytes | 0 |
/// | 32 | 2 × u64 | the key of `SipHash`; or the seed of `Murmur3` and 0 |
/// | 48 | 2 × u32 | `WORDS` and `BYTES` of the vocabulary; number and bytes of the columns |
/// | 56 | 2 × u32 | bytes of the filters and of the split string |
/// | 64 | | the filters, then the split string, in UTF-8, then zeros up to a multiple of 4 |
/// | | | the vocabulary, as its image holds it from byte 128 on; or the [`Columns`] |
pub struct Pipeline<'a, T = AnyText> {
    settings: Settings<'a>,
    kinds: PhantomData<fn() -> T>,
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Pipeline<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Pipeline<'_, T> {}
impl<T> PartialEq for Pipeline<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}
impl<T> Eq for Pipeline<'_, T> {}
impl<T> fmt::Debug for Pipeline<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipeline").field(&self.settings).finish()
    }
}

/// What a pipeline does, whatever is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings<'a> {
    splitter: Splitter<'a, Unchanged>,
    lowering: Lowering,
    source: Source<'a>,
    /// All rows but row 0.
    buckets: NonZero<u32>,
    length: u32,
    padding: Padding,
    truncating: Truncating,
}

/// What ids are made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source<'a> {
    Hash { kind: HashKind, order: u16, min_n: u16, max_n: u16 },
    Vocabulary(VocabularyView<'a>),
    Columns(Columns<'a>),
}

/// All rows but row 0.
const fn buckets(rows: u64) -> Result<NonZero<u32>, PipelineError> {
    let buckets = rows.saturating_sub(1);
    match NonZero::new(buckets as u32) {
        Some(narrow) if narrow.get() as u64 == buckets => Ok(narrow),
        _ => Err(PipelineError::Field { field: "rows", allowed: "2 to 2^32", found: rows }),
    }
}

/// An error if the vocabulary has indices that no row has.
fn check_rows(vocabulary: &VocabularyView<'_>, buckets: NonZero<u32>) -> Result<(), PipelineError> {
    if vocabulary.highest() <= buckets.get() as usize {
        return Ok(());
    }
    let (allowed, found) = ("above each index of the vocabulary", u64::from(buckets.get()) + 1);
    Err(PipelineError::Field { field: "rows", allowed, found })
}

/// An error unless n-grams can have so many words.
const fn check_order(order: u16) -> Result<(), PipelineError> {
    if order >= 1 && order as usize <= MAX_ORDER {
        return Ok(());
    }
    Err(PipelineError::Field { field: "words of an n-gram", allowed: "1 to 8", found: order as u64 })
}

/// An error unless n-grams can have so many characters.
const fn check_subwords(min_n: u16, max_n: u16) -> Result<(), PipelineError> {
    if min_n == 0 && max_n == 0 || min_n >= 1 && min_n <= max_n {
        return Ok(());
    }
    let (field, allowed) = ("characters of the shortest n-gram", "1 to the longest's, or both 0");
    Err(PipelineError::Field { field, allowed, found: min_n as u64 })
}

/// Filters and a split string.
const fn splitter<'a>(filters: &'a str, split: &'a str) -> Result<Splitter<'a, Unchanged>, PipelineError> {
    if let Ok(splitter) = Splitter::try_new(filters, split) {
        return Ok(splitter.lowercase());
    }
    let field = "bytes of the split string";
    Err(PipelineError::Field { field, allowed: "at least 1", found: 0 })
}

impl<'a> Pipeline<'a> {
    /// Words are hashed to a table of `rows` rows: the filters of Keras, ASCII lower-casing, words alone, a
    /// bag of any length. Padding is put at the end, and a long text is cut at the start.
    ///
    /// # Errors
    /// If there are fewer than 2 rows (one for padding, one for words) or more than 2^32.
    pub const fn hashing(rows: u64, kind: HashKind) -> Result<Self, PipelineError> {
        match buckets(rows) {
            Ok(buckets) => Ok(Self::with_splitter(Splitter::KERAS, kind, buckets)),
            Err(error) => Err(error),
        }
    }

    /// Words have the indices of a vocabulary, for a table of `rows` rows; the rest is as in
    /// [`hashing`](Self::hashing).
    ///
    /// ```
    /// use nanoembed::text::{Ascii, Lowercase, Pipeline, Vocabulary, VocabularyOptions, WordCounts};
    /// let mut counts = WordCounts::<9, 80>::new();
    /// counts.fit(Ascii::text_to_word_sequence("cold food, cold"))?;
    /// let mut vocabulary = Vocabulary::<9, 80>::new();
    /// vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
    /// let pipeline = Pipeline::vocabulary(1000, vocabulary.view())?;
    /// let mut ids = Vec::new();
    /// pipeline.for_each_id("Food! Cold food!", |id| ids.push(id));
    /// assert_eq!(ids, [2, 1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the vocabulary has indices that are not below `rows`, if there are fewer than 2 rows or more than
    /// 2^32, or if the vocabulary is damaged.
    pub fn vocabulary(rows: u64, vocabulary: VocabularyView<'a>) -> Result<Self, PipelineError> {
        vocabulary.check()?;
        let buckets = buckets(rows)?;
        check_rows(&vocabulary, buckets)?;
        Ok(Self::new(Splitter::KERAS, Source::Vocabulary(vocabulary), buckets))
    }

    /// The fields of a row, with tabs between them, are looked up in columns: each gives an id of its own, in
    /// their order. A field that lacks is empty, and those that follow the last column are not read.
    /// Lower-casing and filters do nothing here.
    ///
    /// # Errors
    /// If there is no column, and so fewer than 2 rows.
    pub fn columns(columns: Columns<'a>) -> Result<Self, PipelineError> {
        let splitter = splitter("", "\t")?;
        let pipeline = Self::new(splitter, Source::Columns(columns), buckets(columns.rows().into())?);
        Ok(Self::of(Settings { lowering: Lowering::Unchanged, ..pipeline.settings }))
    }

    /// Words alone, hashed.
    pub(super) const fn with_splitter(
        splitter: Splitter<'a, Unchanged>,
        kind: HashKind,
        buckets: NonZero<u32>,
    ) -> Self {
        Self::new(splitter, Source::Hash { kind, order: 1, min_n: 0, max_n: 0 }, buckets)
    }

    const fn new(splitter: Splitter<'a, Unchanged>, source: Source<'a>, buckets: NonZero<u32>) -> Self {
        Self::of(Settings {
            splitter,
            lowering: Lowering::Ascii,
            source,
            buckets,
            length: 0,
            padding: Padding::Post,
            truncating: Truncating::Pre,
        })
    }

    /// The same, lower-casing by this rule.
    #[must_use]
    pub const fn lowercase(self, lowering: Lowering) -> Self {
        if let Source::Columns(_) = self.settings.source {
            return self;
        }
        Self::of(Settings { lowering, ..self.settings })
    }

    /// The same, with other filters.
    #[must_use]
    pub const fn filters(self, filters: &'a str) -> Self {
        self.splitter(self.settings.splitter.filters(filters))
    }

    /// The same, split by these rules; [`lowercase`](Self::lowercase) alone decides over lower-casing.
    ///
    /// ```
    /// use nanoembed::text::{HashKind, Pipeline, Splitter};
    /// let pipeline = Pipeline::hashing(1000, HashKind::Native)?;
    /// let mut ids = [0; 8];
    /// assert_eq!(pipeline.encode_into("What is 5% of x?", &mut ids)?, 5);
    /// assert_eq!(pipeline.splitter(Splitter::MARKS).encode_into("What is 5% of x?", &mut ids)?, 7);
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    #[must_use]
    pub const fn splitter(self, splitter: Splitter<'a, Unchanged>) -> Self {
        if let Source::Columns(_) = self.settings.source {
            return self;
        }
        Self::of(Settings { splitter, ..self.settings })
    }

    /// The same, split at another string.
    ///
    /// # Errors
    /// If it is empty.
    pub const fn split(self, split: &'a str) -> Result<Self, PipelineError> {
        let before = self.settings.splitter;
        let splitter = match splitter(before.strings().0, split) {
            Ok(splitter) if before.has_marks() => splitter.marks(),
            Ok(splitter) => splitter,
            Err(error) => return Err(error),
        };
        Ok(Self::of(Settings { splitter, ..self.settings }))
    }

    /// The same, with an id for every run of 1 to `order` words.
    ///
    /// # Errors
    /// If `order` is 0 or above 8, or if the ids are those of a vocabulary or of columns and it is
    /// not 1.
    pub const fn word_ngrams(self, order: u16) -> Result<Self, PipelineError> {
        let allowed = match self.settings.source {
            Source::Hash { kind, min_n, max_n, .. } => {
                return match check_order(order) {
                    Ok(()) => Ok(self.source(Source::Hash { kind, order, min_n, max_n })),
                    Err(error) => Err(error),
                };
            }
            Source::Vocabulary(_) | Source::Columns(_) if order == 1 => return Ok(self),
            Source::Vocabulary(_) | Source::Columns(_) => {
                "1 by a vocabulary or by columns: n-grams need a hash"
            }
        };
        Err(PipelineError::Field { field: "words of an n-gram", allowed, found: order as u64 })
    }

    const fn source(self, source: Source<'a>) -> Self {
        Self::of(Settings { source, ..self.settings })
    }

    /// The same, with an id for every n-gram of `min_n` to `max_n` characters of each word, as
    /// [`Subwords`] makes them; with none, if both are 0.
    ///
    /// # Errors
    /// If only one of them is 0, if `min_n` is above `max_n`, or if the ids are those of a vocabulary or of
    /// columns and they are not 0.
    ///
    /// ```
    /// use nanoembed::text::{HashKind, Pipeline, Subwords};
    /// let pipeline = Pipeline::hashing(1 << 20, HashKind::Native)?.subwords(3, 6)?;
    /// let mut ids = Vec::new();
    /// pipeline.for_each_id("Food", |id| ids.push(id as usize));
    /// let of_characters = Subwords::new(3, 6, (1 << 20) - 1).buckets_of("food").map(|bucket| 1 + bucket);
    /// assert!(ids[1..].iter().copied().eq(of_characters));
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    pub const fn subwords(self, min_n: u16, max_n: u16) -> Result<Self, PipelineError> {
        match self.settings.source {
            Source::Hash { kind, order, .. } => match check_subwords(min_n, max_n) {
                Ok(()) => Ok(self.source(Source::Hash { kind, order, min_n, max_n })),
                Err(error) => Err(error),
            },
            Source::Vocabulary(_) | Source::Columns(_) if min_n == 0 && max_n == 0 => Ok(self),
            Source::Vocabulary(_) | Source::Columns(_) => {
                let allowed = "0 by a vocabulary or by columns: n-grams need a hash";
                let field = "characters of the shortest n-gram";
                Err(PipelineError::Field { field, allowed, found: min_n as u64 })
            }
        }
    }

    /// The same; [`encode_into`](Self::encode_into) gives this many ids, or, with 0, as many as there are.
    #[must_use]
    pub const fn length(self, length: u32) -> Self {
        Self::of(Settings { length, ..self.settings })
    }

    /// The same; short texts are padded at this end.
    #[must_use]
    pub const fn padding(self, padding: Padding) -> Self {
        Self::of(Settings { padding, ..self.settings })
    }

    /// The same; long texts are cut at this end.
    #[must_use]
    pub const fn truncating(self, truncating: Truncating) -> Self {
        Self::of(Settings { truncating, ..self.settings })
    }
}

impl<'a, T> Pipeline<'a, T> {
    const fn of(settings: Settings<'a>) -> Self {
        Self { settings, kinds: PhantomData }
    }

    /// Rows of the table that the ids are for: they are below it.
    #[inline]
    pub const fn rows(&self) -> u64 {
        self.settings.buckets.get() as u64 + 1
    }

    /// The columns that it looks fields up in; `None` if it reads words.
    #[inline]
    pub const fn as_columns(&self) -> Option<Columns<'a>> {
        match self.settings.source {
            Source::Columns(columns) => Some(columns),
            Source::Hash { .. } | Source::Vocabulary(_) => None,
        }
    }

    /// The vocabulary that it looks words up in; `None` if ids are made otherwise.
    ///
    /// ```
    /// use nanoembed::text::{HashKind, Pipeline};
    /// assert!(Pipeline::hashing(1000, HashKind::Native)?.as_vocabulary().is_none());
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    #[inline]
    pub const fn as_vocabulary(&self) -> Option<VocabularyView<'a>> {
        match self.settings.source {
            Source::Vocabulary(vocabulary) => Some(vocabulary),
            Source::Hash { .. } | Source::Columns(_) => None,
        }
    }

    /// How many ids a text becomes; `None` for a bag of any length.
    #[inline]
    pub const fn ids(&self) -> Option<NonZero<u32>> {
        NonZero::new(self.settings.length)
    }
}

impl<T: TextKinds> Pipeline<'_, T> {
    /// Gives the ids of `text` to `visit`, each in `1..rows`, without padding, in the order that the type's
    /// documentation has.
    pub fn for_each_id(&self, text: &str, mut visit: impl FnMut(u32)) {
        // One body for each rule of lower-casing, whatever is done with the ids.
        let visit: &mut dyn FnMut(u32) = &mut visit;
        if let Source::Columns(columns) = self.settings.source {
            if links::<T>(TextKind::Columns) {
                columns.ids(text, self.settings.splitter.strings().1, visit);
            }
            return;
        }
        match self.settings.lowering {
            Lowering::Unchanged if links::<T>(TextKind::Unchanged) => self.visit::<Unchanged>(text, visit),
            Lowering::Ascii if links::<T>(TextKind::Ascii) => self.visit::<Ascii>(text, visit),
            #[cfg(feature = "unicode")]
            Lowering::Unicode if links::<T>(TextKind::Unicode) => {
                self.visit::<super::Unicode>(text, visit);
            }
            // Reading refuses what is not linked.
            _ => {}
        }
    }

    /// One loop finds the words and hashes them on the way, whatever their ids are made of. The native hash
    /// is computed in it, since a vocabulary needs it too; the others are called for each character.
    fn visit<L: Lowercase>(&self, text: &str, visit: &mut dyn FnMut(u32)) {
        let Settings { source, buckets, .. } = self.settings;
        let mut splitter = self.settings.splitter.lowercase::<L>();
        if !links::<T>(TextKind::Marks) {
            // It is so already, but the compiler does not know.
            splitter = splitter.no_marks();
        }
        let mut words = splitter.words(text);
        let mut ngrams = WordNgrams::new();
        loop {
            let mut native = NativeHash::default();
            let mut other = match source {
                Source::Hash { kind, .. } => AnyHash::<T>::new(kind),
                Source::Vocabulary(_) | Source::Columns(_) => None,
            };
            let word = match &mut other {
                // On a device one loop is enough; on a host the choice would be made for each character.
                None if cfg!(not(target_os = "none")) => words.next_hashed(&mut native),
                other => words.next_into(|c| match other {
                    None => native.write_char(c),
                    Some(hash) => hash.write_char(c),
                }),
            };
            let (Some(word), native) = (word, native.finish()) else { return };
            match source {
                Source::Hash { order, min_n, max_n, .. } => {
                    let (bucket, low32) = match other {
                        None => (scale(native, buckets), native),
                        Some(hash) => hash.finish(buckets),
                    };
                    visit(bucket + 1);
                    if order > 1 {
                        self.ngrams(low32, order, &mut ngrams, visit);
                    }
                    if links::<T>(TextKind::Subwords) && max_n > 0 {
                        let subwords = Subwords::with_buckets(min_n.into(), max_n.into(), buckets);
                        subwords.buckets_of(word).for_each(|bucket| visit(bucket as u32 + 1));
                    }
                }
                Source::Vocabulary(vocabulary) if links::<T>(TextKind::Vocabulary) => {
                    if let Some(id) = vocabulary.id_by_hash(native, word) {
                        visit(id as u32);
                    }
                }
                Source::Vocabulary(_) | Source::Columns(_) => {}
            }
        }
    }

    /// The ids of the n-grams of words that end at a word.
    #[inline(never)]
    fn ngrams(&self, word: u32, order: u16, ngrams: &mut WordNgrams<MAX_ORDER>, visit: &mut dyn FnMut(u32)) {
        ngrams.push(word);
        for ngram in (2..=order.into()).map_while(|n| ngrams.ngram(n)) {
            visit(scale(ngram, self.settings.buckets) + 1);
        }
    }

    /// Writes the ids of `text` to `out`; gives how many the text has, without padding.
    ///
    /// With a [`length`](Self::length), `out` is filled, with padding or a part of the ids as the pipeline is
    /// set. Without one the ids are written to the front, what lies behind the last is left as it was, and if
    /// the text has more than `out` is long, the last ones did not fit.
    ///
    /// # Errors
    /// If `out` has not the length of the pipeline; nothing is written then.
    pub fn encode_into(&self, text: &str, out: &mut [u32]) -> Result<usize, PipelineError> {
        let found = out.len();
        let Some(length) = self.ids() else { return Ok(self.write_ids(text, 0, out)) };
        let expected = length.get() as usize;
        if expected != found {
            return Err(PipelineError::Length { field: "ids of a text", expected, found });
        }
        let count = self.write_ids(text, 0, out);
        let leading = match self.settings.padding {
            Padding::Pre => found.saturating_sub(count),
            Padding::Post => 0,
        };
        let cut = match self.settings.truncating {
            Truncating::Pre => count.saturating_sub(found),
            Truncating::Post => 0,
        };
        if let (true, Some((before, ids))) = (leading + cut > 0, out.split_at_mut_checked(leading)) {
            // A second pass is cheaper than to keep ids that may not be wanted.
            before.fill(0);
            self.write_ids(text, cut, ids);
        } else {
            out.iter_mut().skip(count).for_each(|id| *id = 0);
        }
        Ok(count)
    }

    /// Writes the ids from number `cut` on, as far as there is room; gives how many there are in all.
    fn write_ids(&self, text: &str, cut: usize, out: &mut [u32]) -> usize {
        let mut free = out.iter_mut();
        let mut count = 0_usize;
        self.for_each_id(text, |id| {
            if count >= cut
                && let Some(to) = free.next()
            {
                *to = id;
            }
            // A long word has more n-grams than 32 bits can count.
            count = count.saturating_add(1);
        });
        count
    }
}
