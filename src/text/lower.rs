//! Lower-casing, character by character; which one is a type, so that firmware links only the tables it uses.

use super::{StandardizedWords, Words, characters, standardized_words, text_to_word_sequence};

/// A rule for lower-casing, as a value: which of the crate's own a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lowering {
    /// [`Unchanged`].
    Unchanged,
    /// [`Ascii`].
    Ascii,
    /// [`Unicode`].
    #[cfg(feature = "unicode")]
    #[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
    Unicode,
}

/// A rule for lower-casing.
pub trait Lowercase: 'static {
    /// Which of the crate's own rules this is; a rule of yours is none, and keeps the default.
    const LOWERING: Option<Lowering> = None;

    /// The lower-case characters of `c`, which stands at byte `at` of `text`.
    ///
    /// At least one character, nearly always just one. The text is there because neighbours may matter:
    /// `Unicode` lowers a Σ by what stands beside it.
    fn lower(text: &str, at: usize, c: char) -> impl Iterator<Item = char> + Clone;

    /// The lower case of an ASCII character, if that is one character wherever it stands: a quick way past
    /// [`lower`](Self::lower), which it must agree with. `None` is always right.
    #[inline]
    fn lower_ascii(byte: u8) -> Option<char> {
        let _ = byte;
        None
    }

    /// The words of `text` with the defaults of Keras: lower-cased by this rule, punctuation filtered
    /// ([`Splitter::KERAS`](super::Splitter::KERAS)), split at spaces.
    ///
    /// With `Unicode` (feature `unicode`) these are the words of Keras for every text; with [`Ascii`], for
    /// every text whose capitals are those of ASCII. A text without words gives none.
    ///
    /// ```
    /// use nanoembed::text::{Ascii, Lowercase};
    /// let words = Ascii::text_to_word_sequence("Couldn't have done better, (really)!");
    /// assert!(words.eq(["couldn't", "have", "done", "better", "really"]));
    /// ```
    #[inline]
    fn text_to_word_sequence(text: &str) -> Words<'_, Self>
    where
        Self: Sized,
    {
        text_to_word_sequence(text)
    }

    /// The characters of `text`, lower-cased by this rule, none filtered: the tokens of Keras'
    /// `Tokenizer(char_level=True)`.
    ///
    /// ```
    /// use nanoembed::text::{Ascii, Lowercase};
    /// assert!(Ascii::characters("Oh, no").eq(['o', 'h', ',', ' ', 'n', 'o']));
    /// ```
    #[inline]
    fn characters(text: &str) -> impl Iterator<Item = char> + Clone
    where
        Self: Sized,
    {
        characters::<Self>(text)
    }

    /// The words of `text` by `TextVectorization`'s default standardisation and split: lower-case, without
    /// punctuation, split at white space.
    ///
    /// ```text
    /// text = tf.strings.lower(text)
    /// text = tf.strings.regex_replace(text, "[all punctuation of ASCII]", "")        deleted: "don't" is dont, "a-b" is ab
    /// words = tf.strings.split(text)                                                  at runs of white space of ASCII
    /// ```
    ///
    /// TensorFlow lowers the capitals of ASCII alone: that is [`Ascii`](super::Ascii); with
    /// [`Unchanged`](super::Unchanged) it is `standardize="strip_punctuation"`. For the layer's numbers see
    /// [`VocabularyOptions::text_vectorization`](super::VocabularyOptions::text_vectorization).
    ///
    /// ```
    /// use nanoembed::text::{Ascii, Lowercase};
    /// let words = Ascii::standardized_words("Don't stop - it's well-done!\r\n");
    /// assert!(words.map(|word| word.to_string()).eq(["dont", "stop", "its", "welldone"]));
    /// ```
    #[inline]
    fn standardized_words(text: &str) -> StandardizedWords<'_, Self>
    where
        Self: Sized,
    {
        standardized_words(text)
    }
}

/// Lowers `A` to `Z` and leaves all else: no tables.
///
/// On text in ASCII this is the same as Python's `str.lower`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ascii;

/// Leaves every character as it is: `lower=False` in Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unchanged;

/// Lowers all scripts as Python's `str.lower` does.
///
/// Most characters have one lower-case form wherever they stand. Two are special: İ (U+0130) becomes two
/// characters, i and a combining dot; and Σ becomes ς where it ends a word, σ elsewhere. "Ends a word" is
/// Unicode's condition `Final_Sigma`, which looks past apostrophes, full stops and accents for a letter
/// before and no letter behind, in the whole text and not only in the word that the splitter later cuts out.
///
/// The case mappings are those of the compiler's `core` library, so the version of Unicode is the compiler's;
/// Python's is its own, and characters that changed between the two are lowered as the newer one says.
///
/// The tables are about 45 KB, and reading them links the bounds checks of `core` (which never fail):
/// firmware that is to hold no panic takes [`Ascii`].
#[cfg(feature = "unicode")]
#[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unicode;

impl Lowercase for Ascii {
    const LOWERING: Option<Lowering> = Some(Lowering::Ascii);

    #[inline]
    fn lower(_: &str, _: usize, c: char) -> impl Iterator<Item = char> + Clone {
        core::iter::once(c.to_ascii_lowercase())
    }

    #[inline]
    fn lower_ascii(byte: u8) -> Option<char> {
        Some(byte.to_ascii_lowercase().into())
    }
}

impl Lowercase for Unchanged {
    const LOWERING: Option<Lowering> = Some(Lowering::Unchanged);

    #[inline]
    fn lower(_: &str, _: usize, c: char) -> impl Iterator<Item = char> + Clone {
        core::iter::once(c)
    }

    #[inline]
    fn lower_ascii(byte: u8) -> Option<char> {
        Some(byte.into())
    }
}

#[cfg(feature = "unicode")]
impl Lowercase for Unicode {
    const LOWERING: Option<Lowering> = Some(Lowering::Unicode);

    #[inline]
    fn lower(text: &str, at: usize, c: char) -> impl Iterator<Item = char> + Clone {
        // ς is its own lower case.
        let c = if c == 'Σ' && unicode::is_final_sigma(text, at) { 'ς' } else { c };
        c.to_lowercase()
    }

    #[inline]
    fn lower_ascii(byte: u8) -> Option<char> {
        Some(byte.to_ascii_lowercase().into())
    }
}

#[cfg(feature = "unicode")]
mod unicode {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    /// Unicode's condition `Final_Sigma` for the Σ at byte `at`: a cased character stands before it and none
    /// behind it, case-ignorable characters in between not counted.
    pub(super) fn is_final_sigma(text: &str, at: usize) -> bool {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + 'Σ'.len_utf8()..).unwrap_or_default();
        meets_cased(before.chars().rev()) && !meets_cased(behind.chars())
    }

    fn meets_cased(mut chars: impl Iterator<Item = char>) -> bool {
        chars.find(|&c| !is_case_ignorable(c)).is_some_and(is_cased)
    }

    /// Unicode's derived property `Cased`.
    fn is_cased(c: char) -> bool {
        c.is_lowercase() || c.is_uppercase() || c.general_category() == GeneralCategory::TitlecaseLetter
    }

    /// Unicode's derived property `Case_Ignorable`: five general categories, and the characters whose
    /// `Word_Break` is `Single_Quote`, `MidNumLet` or `MidLetter`, a row each.
    fn is_case_ignorable(c: char) -> bool {
        matches!(
            c,
            '\'' | '.'
                | '\u{2018}'
                | '\u{2019}'
                | '\u{2024}'
                | '\u{fe52}'
                | '\u{ff07}'
                | '\u{ff0e}'
                | ':'
                | '\u{b7}'
                | '\u{387}'
                | '\u{55f}'
                | '\u{5f4}'
                | '\u{2027}'
                | '\u{fe13}'
                | '\u{fe55}'
                | '\u{ff1a}'
        ) || matches!(
            c.general_category(),
            GeneralCategory::NonspacingMark
                | GeneralCategory::EnclosingMark
                | GeneralCategory::Format
                | GeneralCategory::ModifierLetter
                | GeneralCategory::ModifierSymbol
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn lowered<L: Lowercase>(text: &str) -> String {
        text.char_indices().flat_map(|(at, c)| L::lower(text, at, c)).collect()
    }

    #[test]
    fn ascii_and_unchanged() {
        assert_eq!(lowered::<Ascii>("AbZ ÄΣİ@[`{"), "abz ÄΣİ@[`{");
        assert_eq!(lowered::<Unchanged>("AbZ ÄΣİ"), "AbZ ÄΣİ");
    }

    #[cfg(feature = "unicode")]
    mod unicode {
        use super::*;
        use std::format;

        #[test]
        fn every_character_alone_is_lowered_as_by_the_standard_library() {
            for c in '\0'..=char::MAX {
                let text = String::from(c);
                assert_eq!(lowered::<Unicode>(&text), text.to_lowercase(), "{c:?}");
            }
        }

        /// Each character in the places where it decides over a sigma: this reads off whether it is cased and
        /// whether it is case-ignorable. The two libraries may follow different versions of Unicode; then
        /// they may differ in characters that one of them does not know yet, which `core` escapes.
        #[test]
        fn every_character_beside_a_sigma_is_judged_as_by_the_standard_library() {
            let known = |c| !format!("{:?}", format!("a{c}")).contains("\\u");
            let (major, minor, update) = char::UNICODE_VERSION;
            let same_version =
                unicode_properties::UNICODE_VERSION == (major.into(), minor.into(), update.into());
            for c in '\0'..=char::MAX {
                for text in [format!("{c}Σ"), format!("A{c}Σ"), format!("AΣ{c}"), format!("AΣ{c}B")] {
                    let same = lowered::<Unicode>(&text) == text.to_lowercase();
                    assert!(same || !same_version && !known(c), "{c:?} in {text:?}");
                }
            }
        }

        #[test]
        fn sigmas_see_the_whole_text() {
            for text in [
                "Σ",
                "ΑΣ",
                "ΑΣΑ",
                "ΑΣ Σ",
                "ΟΔΟΣ ΣΣ Σ",
                "Α.Σ",
                "Α.Σ.Α",
                "Α.Σ. Α",
                "'ΑΣ'",
                "Α\u{301}Σ\u{301}",
                "ʰΣ",
                "ΑΣʰ",
            ] {
                assert_eq!(lowered::<Unicode>(text), text.to_lowercase(), "{text}");
            }
        }
    }
}
