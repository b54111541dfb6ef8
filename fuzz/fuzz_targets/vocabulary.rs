//! A vocabulary against a naive one with lists of strings, and its image read back.
//!
//! An input is two bytes of options and then UTF-8 (what is not is replaced): texts between `\0`, of which the last is not counted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::image;
use nanoembed::internals::{Token, characters, standardized_words};
use nanoembed::table::Aligned;
use nanoembed::text::{Ascii, Splitter, Subwords, Ties, Unicode, Vocabulary, VocabularyOptions, WordCounts};
use std::cmp::Reverse;
use std::num::NonZero;

type Counts = WordCounts<24, 96>;
type Words = Vocabulary<16, 64>;

fuzz_target!(|data: &[u8]| {
    let Some((&[limit, kind], text)) = data.split_first_chunk() else { return };
    let text = String::from_utf8_lossy(text);
    let texts: Vec<&str> = text.split('\0').collect();
    let options = VocabularyOptions {
        num_words: NonZero::new(usize::from(limit) % 20),
        oov_token: [None, Some("a"), Some("[UNK]"), Some("")][usize::from(kind) % 4],
        ties: if kind & 4 == 0 { Ties::FirstAppearance } else { Ties::Descending },
    };
    let splitter: Splitter<'_, Unicode> = Splitter::new("!\u{307}", " ").lowercase();
    match kind >> 3 & 3 {
        0 => check(&texts, options, |text| splitter.words(text)),
        1 => check(&texts, options, characters::<Unicode>),
        2 => check(&texts, options, standardized_words::<Ascii>),
        _ => check(&texts, options, |text| text.split(' ')),
    }
    let subwords = Subwords::new(usize::from(limit) % 4, usize::from(kind) % 7, 1000);
    assert!(subwords.buckets_of(texts[0]).count() <= (texts[0].chars().count() + 2) * 7);
});

fn check<'a, I>(texts: &[&'a str], options: VocabularyOptions<'_>, split: impl Fn(&'a str) -> I)
where
    I: Iterator<Item: Token> + Clone,
{
    let strings = |text| -> Vec<String> { split(text).map(|token| token.chars().collect()).collect() };
    let VocabularyOptions { num_words, oov_token, ties } = options;
    let mut counts = Counts::new();
    // In order of first appearance: the word and how often it occurs.
    let mut expected: Vec<(String, u32)> = Vec::new();
    for text in &texts[..texts.len() - 1] {
        let mut larger = expected.clone();
        for word in strings(text) {
            match larger.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => larger.push((word, 1)),
            }
        }
        let fits = larger.len() <= 24 && larger.iter().map(|(word, _)| word.len()).sum::<usize>() <= 96;
        assert_eq!(counts.fit(split(text)).is_ok(), fits);
        if fits {
            expected = larger;
        }
        let found = counts.iter().map(|word| (word.word.to_owned(), word.occurrences));
        assert!(found.eq(expected.iter().cloned()));
    }

    if ties == Ties::Descending {
        expected.sort_by(|a, b| b.0.cmp(&a.0));
    }
    expected.sort_by_key(|(_, count)| Reverse(*count));
    let words: Vec<String> =
        oov_token.map(str::to_owned).into_iter().chain(expected.into_iter().map(|(word, _)| word)).collect();
    // A word that stands there twice has its last index.
    let index = |word: &str| words.iter().rposition(|known| known == word).map(|place| place + 1);
    let oov = oov_token.and_then(index);
    let limit = num_words.map_or(usize::MAX, NonZero::get);
    let kept = words.len().min((limit - 1).max(usize::from(oov.is_some())));
    let fits = kept <= 16 && words[..kept].iter().map(String::len).sum::<usize>() <= 64;
    let mut vocabulary = Words::new();
    assert_eq!(vocabulary.adapt(&mut counts, options).is_ok(), fits);
    if !fits {
        assert_eq!(vocabulary, Words::new());
        return;
    }

    let mut bytes = Aligned([0; image::size::<Words>()]);
    image::write(&vocabulary, &mut *bytes).expect("the right length");
    let vocabulary: &Words = image::read(&*bytes).expect("an unharmed image");
    for text in texts {
        let ids = strings(text).into_iter().filter_map(|word| index(&word).filter(|id| *id < limit).or(oov));
        let ids: Vec<usize> = ids.collect();
        assert!(vocabulary.ids(split(text)).eq(ids.iter().copied()));
        for id in ids {
            assert!(id < vocabulary.rows());
            let word = if id < limit { Some(words[id - 1].as_str()) } else { oov_token };
            assert_eq!(vocabulary.word(id), word);
        }
    }
}
