//! Words and row numbers against a naive tokenizer that makes a new string at every step.
//!
//! An input is UTF-8 (what is not is replaced), three parts between `\0`: filters, split string, text. With fewer than three,
//! the one or the last is the text, with the defaults of Keras.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::internals::KERAS_FILTERS;
use nanoembed::text::{
    Ascii, HashingTokenizer, Lowercase, Md5, NativeHash, Padding, Splitter, Truncating, Unchanged, Unicode,
    WordHash, pad_sequences,
};
use std::num::NonZero;

fuzz_target!(|data: &[u8]| {
    let input = String::from_utf8_lossy(data);
    let parts: Vec<&str> = input.splitn(3, '\0').collect();
    let (filters, split, text) = match parts[..] {
        [filters, split, text] => (filters, split, text),
        [.., text] => (KERAS_FILTERS, " ", text),
        [] => return,
    };
    let Ok(splitter) = Splitter::try_new(filters, split) else {
        assert!(split.is_empty());
        return;
    };
    let ascii = text.to_ascii_lowercase();
    let unicode = text.to_lowercase();
    both_ways::<Ascii>(splitter.lowercase(), text, &naive_words(&ascii, filters, split));
    both_ways::<Unicode>(splitter.lowercase(), text, &naive_words(&unicode, filters, split));
    both_ways::<Unchanged>(splitter.lowercase(), text, &naive_words(text, filters, split));

    // A tokenizer holds constants: the defaults, and marks.
    let marks = naive_marks(&naive_words(&ascii, "\t\n\u{b}\u{c}\r", " "));
    let [ascii, unicode] = [ascii, unicode].map(|lowered| naive_words(&lowered, KERAS_FILTERS, " "));
    let rows =
        2 + data.iter().fold(data.len(), |sum, &byte| (sum * 31 + usize::from(byte)) % 65_537) % 65_535;
    let tokenizer = HashingTokenizer::new(rows);
    ids(tokenizer, text, &ascii, rows);
    ids(tokenizer.splitter(Splitter::<Ascii>::MARKS).word_ngrams::<2>(), text, &marks, rows);
    ids(tokenizer.lowercase::<Unicode>(), text, &unicode, rows);
    ids(tokenizer.hash::<Md5>().word_ngrams::<2>(), text, &ascii, rows);
    ids(tokenizer.word_ngrams::<3>().padding(Padding::Pre).truncating(Truncating::Post), text, &ascii, rows);
});

fn naive_words(lowered: &str, filters: &str, split: &str) -> Vec<String> {
    let replace = |c| if filters.contains(c) { split.to_owned() } else { String::from(c) };
    let translated: String = lowered.chars().map(replace).collect();
    translated.split(split).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Each word cut before and after a mark, and where letters and digits meet.
fn naive_marks(words: &[String]) -> Vec<String> {
    let is_letter = |c: char| !c.is_ascii() || c.is_ascii_alphabetic();
    let meet = |a, b| is_letter(a) && is_letter(b) || a.is_ascii_digit() && b.is_ascii_digit();
    let mut parts: Vec<String> = Vec::new();
    for word in words {
        let mut last = None;
        for c in word.chars() {
            match parts.last_mut() {
                Some(part) if last.is_some_and(|last| meet(last, c)) => part.push(c),
                _ => parts.push(c.to_string()),
            }
            last = Some(c);
        }
    }
    parts
}

/// Without and with marks as words of their own.
fn both_ways<L: Lowercase>(splitter: Splitter<L>, text: &str, expected: &[String]) {
    words(&splitter, text, expected);
    words(&splitter.marks(), text, &naive_marks(expected));
}

fn words<L: Lowercase>(splitter: &Splitter<L>, text: &str, expected: &[String]) {
    let found: Vec<String> = splitter.words(text).map(|word| word.to_string()).collect();
    assert_eq!(found, expected);
    for (word, expected) in splitter.words(text).zip(expected) {
        assert!(word == **expected);
        let fed = digest::<NativeHash>(|hash| word.feed(hash));
        assert_eq!(fed, digest::<NativeHash>(|hash| hash.write(expected.as_bytes())));
    }
}

fn digest<H: WordHash>(write: impl Fn(&mut H)) -> H::Digest {
    let mut hash = H::default();
    write(&mut hash);
    hash.finish()
}

fn ids<H: WordHash, L: Lowercase, const N: usize>(
    tokenizer: HashingTokenizer<H, L, N>,
    text: &str,
    words: &[String],
    rows: usize,
) {
    let buckets = NonZero::new(rows as u32 - 1).expect("two rows");
    let digests: Vec<H::Digest> =
        words.iter().map(|word| digest::<H>(|hash| hash.write(word.as_bytes()))).collect();
    let mut expected = Vec::new();
    for last in 0..digests.len() {
        expected.push(H::bucket(digests[last], buckets) as usize + 1);
        for first in (0..last).rev().take(N - 1) {
            let run = digests[first..=last].iter().map(|&digest| H::low32(digest));
            let run = run.reduce(|h, next| h.wrapping_mul(116_049_371).wrapping_add(next)).expect("words");
            let run = (run ^ run >> 16).wrapping_mul(0x85eb_ca6b);
            let run = (run ^ run >> 13).wrapping_mul(0xc2b2_ae35);
            expected.push(((run ^ run >> 16) as usize * (rows - 1) >> 32) + 1);
        }
    }
    assert!(tokenizer.ids(text).eq(expected.iter().copied()));

    let encoded: [u16; 8] = tokenizer.encode(text).expect("at most 65,536 rows");
    let (padding, truncating) =
        if N == 3 { (Padding::Pre, Truncating::Post) } else { (Padding::Post, Truncating::Pre) };
    let mut padded = [0; 8];
    pad_sequences(&[&expected], 8, padding, truncating, 0, &mut padded).expect("one row of eight");
    assert!(encoded.iter().map(|&id| usize::from(id)).eq(padded));
}
