//! What a vocabulary counts and looks up: words, characters, strings.

use super::{Lowercase, Word, WordHash};

/// A short run of characters: a [`Word`] of a text, a `&str` that was cut out elsewhere, or a single `char`.
pub trait Token: Copy {
    /// Its characters.
    fn chars(self) -> impl Iterator<Item = char> + Clone;

    /// Gives its UTF-8 bytes to a hash.
    #[inline]
    fn feed(self, hash: &mut impl WordHash) {
        self.chars().for_each(|c| hash.write_char(c));
    }
}

impl<L: Lowercase> Token for Word<'_, L> {
    #[inline]
    fn chars(self) -> impl Iterator<Item = char> + Clone {
        Word::chars(self)
    }
}

impl Token for &str {
    #[inline]
    fn chars(self) -> impl Iterator<Item = char> + Clone {
        str::chars(self)
    }

    #[inline]
    fn feed(self, hash: &mut impl WordHash) {
        hash.write(self.as_bytes());
    }
}

impl Token for char {
    #[inline]
    fn chars(self) -> impl Iterator<Item = char> + Clone {
        core::iter::once(self)
    }
}

/// See [`Lowercase::characters`].
#[inline]
pub fn characters<L: Lowercase>(text: &str) -> impl Iterator<Item = char> + Clone + use<'_, L> {
    text.char_indices().flat_map(move |(at, c)| L::lower(text, at, c))
}
