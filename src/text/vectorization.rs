//! Words as Keras' layer `TextVectorization` makes them.

use super::{Lowercase, Token};
use core::iter::FusedIterator;
use core::marker::PhantomData;

/// See [`Lowercase::standardized_words`].
#[inline]
pub fn standardized_words<L: Lowercase>(text: &str) -> StandardizedWords<'_, L> {
    StandardizedWords { text, at: 0, lower: PhantomData }
}

/// The words of a text: see [`Lowercase::standardized_words`].
#[derive(Debug)]
pub struct StandardizedWords<'a, L> {
    text: &'a str,
    /// The byte at which the rest starts.
    at: usize,
    lower: PhantomData<fn() -> L>,
}

/// One word of a text, lower-cased and without punctuation as it is read: see
/// [`Lowercase::standardized_words`].
#[derive(Debug)]
pub struct StandardizedWord<'a, L> {
    text: &'a str,
    start: usize,
    end: usize,
    lower: PhantomData<fn() -> L>,
}

/// `isspace` of C: with the vertical tab, which `char::is_ascii_whitespace` leaves out.
#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl<'a, L: Lowercase> Iterator for StandardizedWords<'a, L> {
    type Item = StandardizedWord<'a, L>;

    #[inline]
    fn next(&mut self) -> Option<StandardizedWord<'a, L>> {
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let start = self.at + rest.iter().position(|&byte| !is_space(byte))?;
            let length = self.text.as_bytes().get(start..)?.iter().position(|&byte| is_space(byte));
            let end = length.map_or(self.text.len(), |length| start + length);
            self.at = end;
            let word = StandardizedWord { text: self.text, start, end, lower: PhantomData };
            if word.chars().next().is_some() {
                return Some(word);
            }
        }
    }
}

impl<L: Lowercase> FusedIterator for StandardizedWords<'_, L> {}

impl<L: Lowercase> Token for StandardizedWord<'_, L> {
    #[inline]
    fn chars(self) -> impl Iterator<Item = char> + Clone {
        let Self { text, start, end, .. } = self;
        let characters = text.get(start..end).unwrap_or_default().char_indices();
        characters
            .flat_map(move |(at, c)| L::lower(text, start + at, c))
            .filter(|c| !c.is_ascii_punctuation())
    }
}

impl<L: Lowercase> core::fmt::Display for StandardizedWord<'_, L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.chars().try_for_each(|c| core::fmt::Write::write_char(f, c))
    }
}

// Derived, these would ask for `L: Clone`.
impl<L> Clone for StandardizedWords<'_, L> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<L> Clone for StandardizedWord<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L> Copy for StandardizedWord<'_, L> {}
