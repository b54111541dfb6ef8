//! Words of a text, by the rules of Keras' `text_to_word_sequence`.
//!
//! In Python, with every step making a new string:
//!
//! ```text
//! text = text.lower()
//! text = text.translate({filter: split for filter in filters})
//! words = [word for word in text.split(split) if word]
//! ```
//!
//! Here the translated text is never made. It is a stream: each character of the text gives its lower-case
//! characters, and each of these gives itself or, if it is a filter, the characters of the split string. A
//! [`Position`] in that stream is a byte of the text and how many characters of the stream its character has
//! already given, so that a word is two positions and can be read again at will. This holds for every
//! combination of filters, split string and lower-casing: a split string of several characters that a filter
//! completes (`"a-!b"` with filter `!` and split `--` is `a`, `-b`), a filter that only exists after
//! lower-casing, a lower-case form of which one character is a filter and the other is not.
//!
//! With [`marks`](Splitter::marks) each of these words is cut further, before and after a mark and where letters
//! and digits meet. A character of the stream decides with the one before it, so the words stay ranges of the
//! stream.
//!
//! Cost: one pass over the text; where the split string has several characters, each of its places of start
//! is tried anew, as in the naive search. A byte of ASCII that is not filtered takes a short way: a bit test
//! and a comparison. Where the split string is a character of ASCII, hosts go from word to word by the bits of
//! [`Blocks`] instead; what these do not know goes the way of the stream.

#[cfg(not(target_os = "none"))]
use super::blocks::Blocks;
use super::{Ascii, InvalidSettings, Lowercase, Lowering, WordHash};
#[cfg(not(target_os = "none"))]
use crate::simd::AsciiSet;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::ops::ControlFlow;

/// What Keras filters by default: the punctuation of ASCII except the apostrophe, tab and newline.
///
/// Not in it: `\r`, no-break spaces and the other white space and punctuation of Unicode, which therefore
/// stay in the words.
pub const KERAS_FILTERS: &str = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

/// The white space of ASCII beside the space: what [`Splitter::MARKS`] filters.
const WHITE_SPACE: &str = "\t\n\u{b}\u{c}\r";

/// The capitals of ASCII.
#[cfg(not(target_os = "none"))]
const CAPITALS: AsciiSet = ascii_set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ");

/// How a text is cut into words: which characters are filtered, what words are split at, how they are
/// lower-cased, and whether marks are words of their own.
///
/// ```
/// use nanoembed::text::{Splitter, Unchanged};
/// const FIELDS: Splitter<'static, Unchanged> = Splitter::new("\"", ",").lowercase();
/// assert!(FIELDS.words("One,\"Two\",,three four").eq(["One", "Two", "three four"]));
/// ```
pub struct Splitter<'s, L = Ascii> {
    filters: Filters<'s>,
    split: &'s str,
    marks: bool,
    lower: PhantomData<fn() -> L>,
}

/// What a character is where marks are words of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter of ASCII, or any character that is not of ASCII.
    Letter,
    /// A digit of ASCII.
    Digit,
    /// Any other character.
    Mark,
}

/// A set of characters, with a bit for each of ASCII.
#[derive(Clone, Copy)]
struct Filters<'s> {
    ascii: [u32; 4],
    beyond_ascii: bool,
    all: &'s str,
    /// The characters of ASCII again, as the quick way asks for them.
    #[cfg(not(target_os = "none"))]
    set: AsciiSet,
}

/// A place in the stream of lower-cased and filtered characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    /// Where the character of the text starts.
    byte: usize,
    /// How many of the characters that it becomes lie before this place.
    taken: usize,
}

/// The words of a text, in order: see [`Splitter::words`].
pub struct Words<'a, L = Ascii> {
    splitter: &'a Splitter<'a, L>,
    text: &'a str,
    at: Position,
    /// The quick way from word to word, if it may be taken.
    #[cfg(not(target_os = "none"))]
    blocks: Option<Blocks>,
}

/// One word of a text: a view that lower-cases as it is read.
///
/// It is compared with, and printed as, the lower-cased word.
///
/// ```
/// use nanoembed::text::{Ascii, Lowercase};
/// let word = Ascii::text_to_word_sequence("Awesome!").next().unwrap();
/// assert_eq!(word, "awesome");
/// assert_eq!(word.to_string(), "awesome");
/// assert_eq!(word.chars().count(), 7);
/// ```
pub struct Word<'a, L = Ascii> {
    splitter: &'a Splitter<'a, L>,
    text: &'a str,
    start: Position,
    end: Position,
}

/// The characters of a word, lower-cased: see [`Word::chars`].
#[derive(Debug)]
pub struct WordChars<'a, L = Ascii> {
    rest: Word<'a, L>,
}

/// Whether a rule of ours, not one of others, gives small letters for the capitals of ASCII.
const fn lowers<L: Lowercase>() -> bool {
    !matches!(L::LOWERING, Some(Lowering::Unchanged))
}

/// See [`Lowercase::text_to_word_sequence`].
#[inline]
pub fn text_to_word_sequence<L: Lowercase>(text: &str) -> Words<'_, L> {
    const { &Splitter::<L>::KERAS }.words(text)
}

impl<'s> Filters<'s> {
    const fn new(all: &'s str) -> Self {
        let [mut a, mut b, mut c, mut d] = [0_u32; 4];
        let mut beyond_ascii = false;
        let mut bytes = all.as_bytes();
        while let Some((&byte, rest)) = bytes.split_first() {
            let bit = 1 << (byte & 31);
            match byte >> 5 {
                0 => a |= bit,
                1 => b |= bit,
                2 => c |= bit,
                3 => d |= bit,
                _ => beyond_ascii = true,
            }
            bytes = rest;
        }
        Self {
            ascii: [a, b, c, d],
            beyond_ascii,
            all,
            #[cfg(not(target_os = "none"))]
            set: ascii_set(all.as_bytes()),
        }
    }

    #[inline]
    fn contains(&self, c: char) -> bool {
        match self.ascii.get((c as u32 >> 5) as usize) {
            Some(bits) => bits >> (c as u32 & 31) & 1 == 1,
            None => self.beyond_ascii && self.all.chars().any(|filter| filter == c),
        }
    }
}

/// The characters of ASCII among these bytes.
#[cfg(not(target_os = "none"))]
const fn ascii_set(mut bytes: &[u8]) -> AsciiSet {
    let mut set = [0; 16];
    while let Some((&byte, rest)) = bytes.split_first() {
        if byte.is_ascii() {
            set[byte as usize & 15] |= 1 << (byte >> 4);
        }
        bytes = rest;
    }
    set
}

impl Class {
    #[inline]
    const fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{80}'.. => Self::Letter,
            '0'..='9' => Self::Digit,
            _ => Self::Mark,
        }
    }
}

impl<'s> Splitter<'s> {
    /// Characters of `filters` are replaced by `split`, and the text is then cut at every `split`.
    ///
    /// The split string is not lower-cased. For settings that are known only at run time there is
    /// [`try_new`](Self::try_new).
    ///
    /// # Panics
    /// If `split` is empty; in a `const` that is an error of compilation:
    ///
    /// ```compile_fail,E0080
    /// # use nanoembed::text::Splitter;
    /// const SPLITTER: Splitter = Splitter::new("!?", "");
    /// ```
    pub const fn new(filters: &'s str, split: &'s str) -> Self {
        match Self::try_new(filters, split) {
            Ok(splitter) => splitter,
            Err(_) => panic!("the split string is empty"),
        }
    }

    /// As [`new`](Self::new), for settings that are known only at run time.
    ///
    /// # Errors
    /// If `split` is empty.
    pub const fn try_new(filters: &'s str, split: &'s str) -> Result<Self, InvalidSettings> {
        if split.is_empty() {
            return Err(InvalidSettings::EmptySplit);
        }
        Ok(Self { filters: Filters::new(filters), split, marks: false, lower: PhantomData })
    }
}

impl<L> Splitter<'static, L> {
    /// The defaults of Keras, split at single spaces: filtered is the punctuation of ASCII except the
    /// apostrophe, tab and newline.
    pub const KERAS: Self = Splitter::new(KERAS_FILTERS, " ").lowercase();

    /// Runs of letters, runs of digits, and each other character that is not white space: what classifies
    /// questions and lines of logs better than the defaults of Keras, which lose `?`, `%` and `0x1f`'s shape.
    ///
    /// ```text
    /// Splitter::new("\t\n\u{b}\u{c}\r", " ").marks()
    /// ```
    ///
    /// ```
    /// use nanoembed::text::{Ascii, HashingTokenizer, Splitter};
    /// const TOKENIZER: HashingTokenizer = HashingTokenizer::new(4096).splitter(Splitter::MARKS);
    /// let words = TOKENIZER.words("What's 5% of x1?");
    /// assert!(words.eq(["what", "'", "s", "5", "%", "of", "x", "1", "?"]));
    /// ```
    pub const MARKS: Self = Splitter::new(WHITE_SPACE, " ").marks().lowercase();
}

impl<'s, L> Splitter<'s, L> {
    /// The same, lower-casing by `M`.
    pub const fn lowercase<M>(self) -> Splitter<'s, M> {
        Splitter { filters: self.filters, split: self.split, marks: self.marks, lower: PhantomData }
    }

    /// The same, with other filters.
    #[must_use]
    pub const fn filters(self, filters: &'s str) -> Self {
        Self { filters: Filters::new(filters), ..self }
    }

    /// The same, with marks as words of their own: each word that filters and split string leave is cut
    /// further, into runs of letters, runs of digits and single marks.
    ///
    /// ```text
    /// letter  a to z, A to Z, and every character that is not of ASCII
    /// digit   0 to 9
    /// mark    every other character
    /// ```
    ///
    /// No table of Unicode is needed for it: `é`, `的` and a no-break space count as letters, also `’` and `€`.
    ///
    /// ```
    /// use nanoembed::text::Splitter;
    /// const TAGS: Splitter = Splitter::new("<>", " ").marks();
    /// assert!(TAGS.words("<b>½ café, 3px</b>").eq(["b", "½", "café", ",", "3", "px", "/", "b"]));
    /// ```
    #[must_use]
    pub const fn marks(self) -> Self {
        Self { marks: true, ..self }
    }

    /// The same, without [`marks`](Self::marks).
    pub(super) const fn no_marks(self) -> Self {
        Self { marks: false, ..self }
    }

    /// The filters and the split string.
    pub(super) const fn strings(&self) -> (&'s str, &'s str) {
        (self.filters.all, self.split)
    }

    /// Whether marks are words of their own.
    pub(super) const fn has_marks(&self) -> bool {
        self.marks
    }
}

impl<L: Lowercase> Splitter<'_, L> {
    /// The words of `text`. A text without words, such as an empty one, gives none.
    ///
    /// A word is a view that is compared and printed as the lower-cased word. It has `chars` for its
    /// characters, and `feed`, which writes them to a [`WordHash`].
    #[inline]
    pub fn words<'a>(&'a self, text: &'a str) -> Words<'a, L> {
        Words {
            splitter: self,
            text,
            at: Position { byte: 0, taken: 0 },
            #[cfg(not(target_os = "none"))]
            blocks: self.stops().map(|stops| Blocks::new(stops, self.is_plain_beyond_ascii())),
        }
    }

    /// The characters of ASCII at which words end, if the split string is one of them.
    #[cfg(not(target_os = "none"))]
    #[inline]
    fn stops(&self) -> Option<AsciiSet> {
        let &[split @ 0..128] = self.split.as_bytes() else { return None };
        if L::LOWERING.is_none() || self.marks {
            return None;
        }
        let mut stops = self.filters.set;
        if let Some(row) = stops.get_mut(usize::from(split & 15)) {
            *row |= 1 << (split >> 4);
        }
        if lowers::<L>() {
            // A capital is what its small letter is.
            let capitals = u128::from_le_bytes(CAPITALS);
            let all = u128::from_le_bytes(stops);
            stops = (all & !capitals | all >> 2 & capitals).to_le_bytes();
        }
        Some(stops)
    }

    /// Whether a character beyond ASCII is itself in a word.
    #[inline]
    fn is_plain_beyond_ascii(&self) -> bool {
        !self.filters.beyond_ascii && matches!(L::LOWERING, Some(Lowering::Unchanged | Lowering::Ascii))
    }

    /// The character of the stream at `at`, and the position after it.
    #[inline]
    fn step(&self, text: &str, at: Position) -> Option<(char, Position)> {
        let &byte = text.as_bytes().get(at.byte)?;
        // Nearly always: an ASCII character that is not filtered.
        if at.taken == 0
            && byte.is_ascii()
            && let Some(lower) = L::lower_ascii(byte)
            && !self.filters.contains(lower)
        {
            return Some((lower, Position { byte: at.byte + 1, taken: 0 }));
        }
        // Taken apart and put together: what the quick way gives would else go through memory, too.
        let (c, Position { byte, taken }) = self.step_within(text, at)?;
        Some((c, Position { byte, taken }))
    }

    /// [`step`](Self::step) for every character: it may become several, and each of them may be filtered.
    #[inline(never)]
    fn step_within(&self, text: &str, at: Position) -> Option<(char, Position)> {
        let c = text.get(at.byte..)?.chars().next()?;
        let mut skip = at.taken;
        let mut found = None;
        // Breaks at the second character that is not skipped: then the next position is still within `c`.
        let mut visit = |c| match (skip, found) {
            (0, None) => {
                found = Some(c);
                ControlFlow::Continue(())
            }
            (0, Some(_)) => ControlFlow::Break(()),
            _ => {
                skip -= 1;
                ControlFlow::Continue(())
            }
        };
        let more = L::lower(text, at.byte, c).try_for_each(|lower| {
            if self.filters.contains(lower) {
                self.split.chars().try_for_each(&mut visit)
            } else {
                visit(lower)
            }
        });
        let next = match more {
            ControlFlow::Break(()) => Position { byte: at.byte, taken: at.taken + 1 },
            ControlFlow::Continue(()) => Position { byte: at.byte + c.len_utf8(), taken: 0 },
        };
        Some((found?, next))
    }

    /// The position after `expected`, if these characters stand at `at`.
    #[inline]
    fn follow(&self, text: &str, mut at: Position, expected: impl Iterator<Item = char>) -> Option<Position> {
        for expected in expected {
            let (c, next) = self.step(text, at)?;
            if c != expected {
                return None;
            }
            at = next;
        }
        Some(at)
    }
}

impl<'a, L: Lowercase> Words<'a, L> {
    /// The next word, whose characters are given to `emit` while its end is being looked for: one pass over
    /// the text.
    // Always a part of its callers, of which firmware then has one: by itself it takes a tenth more.
    #[inline(always)]
    fn next_of_stream(&mut self, mut emit: impl FnMut(char)) -> Option<Word<'a, L>> {
        let Self { splitter, text, at: mut start, .. } = *self;
        let mut split = splitter.split.chars();
        let first = split.next()?;
        let mut at = start;
        let mut before = Class::Mark;
        while let Some((c, next)) = splitter.step(text, at) {
            if c == first
                && let Some(behind) = splitter.follow(text, next, split.clone())
            {
                if start != at {
                    self.at = behind;
                    return Some(Word { splitter, text, start, end: at });
                }
                // Nothing between two separators: no word.
                start = behind;
                at = behind;
                continue;
            }
            if splitter.marks {
                let class = Class::of(c);
                if start != at && (class != before || class == Class::Mark) {
                    break;
                }
                before = class;
            }
            emit(c);
            at = next;
        }
        self.at = at;
        (start != at).then_some(Word { splitter, text, start, end: at })
    }
}

/// Firmware has one way to the next word.
#[cfg(target_os = "none")]
impl<'a, L: Lowercase> Words<'a, L> {
    #[inline(always)]
    fn next_word(&mut self) -> Option<Word<'a, L>> {
        self.next_of_stream(|_| ())
    }

    /// The next word, whose characters are given to `emit`.
    #[inline(always)]
    pub(super) fn next_into(&mut self, emit: impl FnMut(char)) -> Option<Word<'a, L>> {
        self.next_of_stream(emit)
    }

    /// The next word, whose bytes are given to `hash`.
    #[inline(always)]
    pub(super) fn next_hashed(&mut self, hash: &mut impl WordHash) -> Option<Word<'a, L>> {
        self.next_of_stream(|c| hash.write_char(c))
    }
}

/// Hosts have a quick way, too.
#[cfg(not(target_os = "none"))]
impl<'a, L: Lowercase> Words<'a, L> {
    #[inline]
    fn next_word(&mut self) -> Option<Word<'a, L>> {
        self.next_quick().or_else(|| self.next_slow((), |(), _| ()).0)
    }

    /// The next word, whose characters are given to `emit`.
    #[inline]
    pub(super) fn next_into(&mut self, mut emit: impl FnMut(char)) -> Option<Word<'a, L>> {
        if let Some(word) = self.next_quick() {
            word.chars().for_each(emit);
            return Some(word);
        }
        self.next_slow((), |(), c| emit(c)).0
    }

    /// The next word, whose bytes are given to `hash`.
    #[inline(always)]
    pub(super) fn next_hashed<H: WordHash>(&mut self, hash: &mut H) -> Option<Word<'a, L>> {
        if let Some(word) = self.next_quick() {
            let Word { text, start, end, .. } = word;
            hash.write_word(text.as_bytes(), start.byte..end.byte, lowers::<L>());
            return Some(word);
        }
        let (word, state) = self.next_slow(core::mem::take(hash), H::write_char);
        *hash = state;
        word
    }

    /// The next word, if the quick way leads to it.
    #[inline(always)]
    fn next_quick(&mut self) -> Option<Word<'a, L>> {
        let Self { splitter, text, at: Position { taken: 0, .. }, blocks: Some(blocks) } = self else {
            return None;
        };
        let position = |byte| Position { byte, taken: 0 };
        match blocks.next_word(text.as_bytes()) {
            Ok(word) => {
                let (start, end) = (position(word.start), position(word.end));
                self.at = end;
                Some(Word { splitter, text, start, end })
            }
            Err(before) => {
                self.at = before.map_or(self.at, position);
                None
            }
        }
    }

    /// The next word by the way that knows everything, and what `emit` has made of `state`.
    #[inline]
    fn next_slow<S>(&mut self, state: S, emit: impl FnMut(&mut S, char)) -> (Option<Word<'a, L>>, S) {
        if self.blocks.is_some() && self.at.byte >= self.text.len() {
            return (None, state);
        }
        let words = Self { blocks: None, ..*self };
        let (word, at, state) = words.next_of_stream_apart(state, emit);
        self.at = at;
        if let Some(blocks) = &mut self.blocks {
            blocks.skip_to(self.text.as_bytes(), at.byte);
        }
        (word, state)
    }

    /// [`next_of_stream`](Self::next_of_stream), and where it has come to. It is called: within the loop of a
    /// caller it would take the registers from the quick way. Its own variables may stay in registers, since
    /// they come as values.
    #[inline(never)]
    fn next_of_stream_apart<S>(
        mut self,
        mut state: S,
        mut emit: impl FnMut(&mut S, char),
    ) -> (Option<Word<'a, L>>, Position, S) {
        let word = self.next_of_stream(|c| emit(&mut state, c));
        (word, self.at, state)
    }
}

impl<'a, L: Lowercase> Iterator for Words<'a, L> {
    type Item = Word<'a, L>;

    #[inline]
    fn next(&mut self) -> Option<Word<'a, L>> {
        self.next_word()
    }
}

impl<L: Lowercase> FusedIterator for Words<'_, L> {}

impl<'a, L: Lowercase> Word<'a, L> {
    /// The characters of the word, lower-cased.
    #[inline]
    pub fn chars(self) -> WordChars<'a, L> {
        WordChars { rest: self }
    }

    /// Its bytes, if they are those of the lower-cased word but for capitals of ASCII: a quick way past
    /// [`Splitter::step`], which firmware does without.
    ///
    /// Where the split string is one character, a filtered character ends the word, so none is in it.
    #[inline]
    fn plain(&self) -> Option<&'a [u8]> {
        let Self { splitter, text, start, end } = *self;
        if cfg!(target_os = "none")
            || L::LOWERING.is_none()
            || splitter.split.len() > 1
            || start.taken + end.taken > 0
        {
            return None;
        }
        let bytes = text.as_bytes().get(start.byte..end.byte)?;
        (splitter.is_plain_beyond_ascii() || bytes.is_ascii()).then_some(bytes)
    }

    /// Gives the UTF-8 bytes of the lower-cased word to a hash.
    #[inline]
    pub fn feed(self, hash: &mut impl WordHash) {
        if cfg!(not(target_os = "none")) && self.plain().is_some() {
            let Word { text, start, end, .. } = self;
            return hash.write_word(text.as_bytes(), start.byte..end.byte, lowers::<L>());
        }
        self.chars().for_each(|c| hash.write_char(c));
    }
}

impl<L: Lowercase> Iterator for WordChars<'_, L> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        let Word { splitter, text, start, end } = self.rest;
        if start == end {
            return None;
        }
        let (c, next) = splitter.step(text, start)?;
        self.rest.start = next;
        Some(c)
    }

    #[inline]
    fn fold<B, F: FnMut(B, char) -> B>(self, first: B, mut work: F) -> B {
        if let Some(bytes) = self.rest.plain().filter(|bytes| bytes.is_ascii()) {
            // Every rule of ours has a lower case for each of them.
            return bytes.iter().filter_map(|&byte| L::lower_ascii(byte)).fold(first, work);
        }
        let mut result = first;
        for c in self {
            result = work(result, c);
        }
        result
    }
}

impl<L: Lowercase> FusedIterator for WordChars<'_, L> {}

impl<L: Lowercase> PartialEq<str> for Word<'_, L> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl<L: Lowercase> PartialEq<&str> for Word<'_, L> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl<L: Lowercase, M: Lowercase> PartialEq<Word<'_, M>> for Word<'_, L> {
    fn eq(&self, other: &Word<'_, M>) -> bool {
        self.chars().eq(other.chars())
    }
}

impl<L: Lowercase> Eq for Word<'_, L> {}

impl<L: Lowercase> fmt::Display for Word<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl<L> fmt::Debug for Word<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word").field("start", &self.start).field("end", &self.end).finish_non_exhaustive()
    }
}

impl<L> fmt::Debug for Words<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("splitter", self.splitter)
            .field("text", &self.text)
            .field("at", &self.at)
            .finish()
    }
}

impl<L> fmt::Debug for Splitter<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = core::any::type_name::<L>();
        f.debug_struct("Splitter")
            .field("filters", &self.filters.all)
            .field("split", &self.split)
            .field("marks", &self.marks)
            .field("lower", &lower)
            .finish()
    }
}

// Derived, these would ask for `L: PartialEq` and `L: Clone`.
impl<L> PartialEq for Splitter<'_, L> {
    fn eq(&self, other: &Self) -> bool {
        self.strings() == other.strings() && self.marks == other.marks
    }
}
impl<L> Eq for Splitter<'_, L> {}

impl<L> Clone for Splitter<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L> Copy for Splitter<'_, L> {}

impl<L> Clone for Words<'_, L> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<L> Clone for WordChars<'_, L> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<L> Clone for Word<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L> Copy for Word<'_, L> {}
