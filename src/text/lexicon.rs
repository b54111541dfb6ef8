//! Distinct words, numbered as they come, in fixed memory.
//!
//! The words lie one behind the other in `text`, and `ends` says where each ends. A word is found by open
//! addressing: its hash names a slot to start from, and the search goes on, slot by slot and round the end,
//! until the word or an empty slot is met:
//!
//! ```text
//! for slot in slots from hash(word) * slots / 2^32, once round:
//!     slot == 0:                   not there
//!     word slot - 1 is the word:   found
//! ```
//!
//! There are two slots for each word that fits, so at least half of them are empty: a search reads 1.5 slots
//! on average for a word that is there, 2.5 for another one (Knuth, volume 3, section 6.4), in the full list;
//! it ends after one round in any case, whatever the bytes. Words are compared character by character as they
//! are cut out of a text, so none is ever stored to be looked up. Memory: 12 bytes a word, and its text.

use super::{NativeHash, Token, WordHash, scale, utf8};
use crate::error::CapacityExceeded;
use crate::memory::padding;
use core::num::NonZero;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Up to `WORDS` distinct words, `BYTES` bytes of UTF-8 together.
#[derive(Clone, Debug, PartialEq, Eq, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Lexicon<const WORDS: usize, const BYTES: usize> {
    words: u32,
    /// A word's number plus 1; 0 in an empty slot.
    slots: [[u32; 2]; WORDS],
    /// Where each word ends in the text; it starts where the one before ends.
    ends: [u32; WORDS],
    text: [u8; BYTES],
}

/// A [`Lexicon`], borrowed: its slices say how much it can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LexiconView<'a> {
    pub(super) words: u32,
    pub(super) slots: &'a [u32],
    pub(super) ends: &'a [u32],
    pub(super) text: &'a [u8],
}

impl<const WORDS: usize, const BYTES: usize> Lexicon<WORDS, BYTES> {
    /// The bytes of all fields, and those that fill up the last four.
    pub(super) const SIZE: usize = size_of::<Self>();

    /// `Ok` if `words` words of `bytes` bytes together fit.
    pub(super) fn check(words: usize, bytes: usize) -> Result<(), CapacityExceeded> {
        const { assert!(WORDS < 1 << 31 && BYTES <= u32::MAX as usize, "numbers of 32 bits name words and bytes") }
        CapacityExceeded::check("words of a vocabulary (WORDS)", WORDS, words)?;
        CapacityExceeded::check("bytes of the words of a vocabulary (BYTES)", BYTES, bytes)
    }

    /// No words.
    pub(super) const fn new() -> Self {
        Self { words: 0, slots: [[0; 2]; WORDS], ends: [0; WORDS], text: [0; BYTES] }
    }

    /// How many words there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.words as usize
    }

    /// The same, of any capacity.
    #[inline]
    pub(super) const fn view(&self) -> LexiconView<'_> {
        let Self { words, slots, ends, text } = self;
        LexiconView { words: *words, slots: slots.as_flattened(), ends, text }
    }

    /// The UTF-8 bytes of all words.
    pub(super) fn bytes(&self) -> usize {
        self.view().bytes()
    }

    /// The UTF-8 bytes of a word.
    #[inline]
    pub(super) fn word(&self, word: usize) -> &[u8] {
        self.view().word(word)
    }

    /// A word; the empty string, if there is none with this number.
    pub(super) fn get(&self, word: usize) -> &str {
        self.view().get(word)
    }

    /// The number of `token`.
    #[inline]
    pub(super) fn find<T: Token>(&self, token: T) -> Option<usize> {
        self.view().find(token)
    }

    /// Appends `token`, which must not be there yet.
    pub(super) fn push<T: Token>(&mut self, token: T) -> Result<(), CapacityExceeded> {
        self.push_unlisted(token)?;
        self.list(token, self.len().saturating_sub(1));
        Ok(())
    }

    /// Appends `token` without making it known to [`find`](Self::find).
    pub(super) fn push_unlisted<T: Token>(&mut self, token: T) -> Result<(), CapacityExceeded> {
        let start = self.bytes();
        let end = start.saturating_add(token.chars().map(char::len_utf8).sum());
        Self::check(self.len().saturating_add(1), end)?;
        if let Some(place) = self.ends.get_mut(self.words as usize) {
            *place = end as u32;
        }
        let mut room = self.text.get_mut(start..end).unwrap_or_default().iter_mut();
        token.chars().for_each(|c| {
            utf8(c, |bytes| room.by_ref().zip(bytes).for_each(|(to, from)| *to = *from));
        });
        self.words += 1;
        Ok(())
    }

    /// Makes word `word`, which is `token`, known to [`find`](Self::find).
    pub(super) fn list<T: Token>(&mut self, token: T, word: usize) {
        list_in(self.slots.as_flattened_mut(), hash(token), word);
    }

    /// Takes the last words back, so that `words` are left, as if they had never been there.
    pub(super) fn truncate(&mut self, words: usize) {
        let words = words.min(self.len());
        let bytes = words.checked_sub(1).map_or(0, |last| self.view().end(last));
        // What came later lies behind in the search, or in a slot that was empty: nothing else is lost to it.
        self.slots.as_flattened_mut().iter_mut().filter(|slot| **slot as usize > words).for_each(|s| *s = 0);
        self.ends.iter_mut().skip(words).for_each(|end| *end = 0);
        self.text.iter_mut().skip(bytes).for_each(|byte| *byte = 0);
        self.words = words as u32;
    }

    /// Lets the bytes of each field be written.
    pub(super) fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.words.as_mut_bytes());
        part(self.slots.as_mut_bytes());
        part(self.ends.as_mut_bytes());
        part(&mut self.text);
        let mut rest = [0; 3];
        part(rest.get_mut(..const { padding(BYTES).len() }).unwrap_or_default());
    }
}

impl<'a> LexiconView<'a> {
    /// How many words there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.words as usize
    }

    /// Where the text of word `word` ends and the next one starts.
    fn end(&self, word: usize) -> usize {
        self.ends.get(word).map_or(0, |&end| end as usize)
    }

    /// The UTF-8 bytes of all words.
    pub(super) fn bytes(&self) -> usize {
        self.len().checked_sub(1).map_or(0, |last| self.end(last))
    }

    /// The UTF-8 bytes of a word.
    #[inline]
    pub(super) fn word(&self, word: usize) -> &'a [u8] {
        let start = word.checked_sub(1).map_or(0, |before| self.end(before));
        self.text.get(start..self.end(word)).unwrap_or_default()
    }

    /// A word; the empty string, if there is none with this number.
    pub(super) fn get(&self, word: usize) -> &'a str {
        core::str::from_utf8(self.word(word)).unwrap_or_default()
    }

    /// The number of `token`.
    #[inline]
    pub(super) fn find<T: Token>(&self, token: T) -> Option<usize> {
        self.find_by_hash(hash(token), token)
    }

    /// The number of `token`, whose native hash this is.
    #[inline]
    pub(super) fn find_by_hash<T: Token>(&self, hash: u32, token: T) -> Option<usize> {
        let (before, from) = self.slots.split_at_checked(home(hash, self.slots.len())?)?;
        for slot in from.iter().chain(before) {
            let word = slot.checked_sub(1)? as usize;
            if is(self.word(word), token) {
                return Some(word);
            }
        }
        None
    }
}

/// Puts word `word`, which has this hash, into the first empty slot.
pub(super) fn list_in(slots: &mut [u32], hash: u32, word: usize) {
    let place = home(hash, slots.len()).and_then(|home| slots.split_at_mut_checked(home));
    let Some((before, from)) = place else { return };
    if let Some(slot) = from.iter_mut().chain(before).find(|slot| **slot == 0) {
        *slot = word as u32 + 1;
    }
}

/// The hash of `token` that decides where it is looked for.
#[inline]
pub(super) fn hash<T: Token>(token: T) -> u32 {
    let mut hash = NativeHash::default();
    token.feed(&mut hash);
    hash.finish()
}

/// The slot that the search for a word starts from; `None` if there are no slots.
#[inline]
fn home(hash: u32, slots: usize) -> Option<usize> {
    Some(scale(hash, NonZero::new(slots as u32)?) as usize)
}

/// Whether `bytes` are the UTF-8 bytes of `token`.
#[inline]
pub(super) fn is<T: Token>(bytes: &[u8], token: T) -> bool {
    let mut rest = Some(bytes);
    let all = token.chars().all(|c| {
        utf8(c, |bytes| rest = rest.and_then(|rest| rest.strip_prefix(bytes)));
        rest.is_some()
    });
    all && rest.is_some_and(<[u8]>::is_empty)
}
