//! Words, hashes, n-grams, row numbers, padding.

use crate::data::Fold;
use crate::reviews::REVIEWS;
use nanoembed::text::{
    Ascii, HashingTokenizer, NativeHash, Padding, Splitter, Truncating, Unchanged, WordHash, WordNgrams, pad,
    text_to_word_sequence,
};

pub(crate) const PARTS: &[crate::Part] = &[
    ("text words", words),
    ("text native hash", native_hash),
    ("text n-grams", ngrams),
    ("text tokenizer", tokenizer),
    ("text padding", padding),
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "\t\n",
    "...",
    "don't STOP, can't stop",
    "the  quick   brown    fox",
    "carriage\r\nreturn",
    "email@example.com costs $5.00 (or 10%)",
    "Café crème brûlée, naïve façade",
    "ÜBER ÄRGER ÖL ſ K",
    "ΟΔΟΣ ΣΣ Σ",
    "你好，世界。",
    "🚀 launch🚀",
    "a-!b--c",
];

fn texts() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().chain(&REVIEWS).copied()
}

fn words() -> u64 {
    let mut fold = Fold::new();
    let fields: Splitter<'static, Unchanged> = Splitter::new("!é", "--").lowercase();
    let mut word = |chars: &mut dyn Iterator<Item = char>| {
        for c in chars {
            fold.number(c as usize);
        }
        fold.number(0xffff);
    };
    for text in texts() {
        text_to_word_sequence::<Ascii>(text).for_each(|w| word(&mut w.chars()));
        fields.words(text).for_each(|w| word(&mut w.chars()));
    }
    fold.hash()
}

fn native_hash() -> u64 {
    let mut fold = Fold::new();
    for text in texts() {
        for end in 0..=text.len() {
            let mut hash = NativeHash::default();
            hash.write(&text.as_bytes()[..end]);
            fold.number(hash.finish() as usize);
        }
        for c in text.chars() {
            let mut hash = NativeHash::default();
            hash.write_char(c);
            fold.number(hash.finish() as usize);
        }
    }
    fold.hash()
}

fn ngrams() -> u64 {
    let mut fold = Fold::new();
    let mut ngrams = WordNgrams::<4>::new();
    for word in 0..100_u32 {
        ngrams.push(word.wrapping_mul(0x9e37_79b9));
        for n in 0..=5 {
            fold.number(ngrams.ngram(n).map_or(0, |ngram| ngram as usize));
        }
    }
    fold.hash()
}

fn tokenizer() -> u64 {
    let mut fold = Fold::new();
    for rows in [2, 3, 50, 256, 1000, 65_536, 1 << 20] {
        let tokenizer = HashingTokenizer::try_new(rows).unwrap();
        let pairs = tokenizer.word_ngrams::<3>();
        for text in texts() {
            tokenizer.ids(text).chain(pairs.ids(text)).for_each(|id| fold.number(id));
            for (padding, truncating) in [
                (Padding::Pre, Truncating::Pre),
                (Padding::Post, Truncating::Post),
                (Padding::Post, Truncating::Pre),
            ] {
                let ids = pairs.padding(padding).truncating(truncating).encode::<7, u32>(text).unwrap();
                ids.iter().for_each(|&id| fold.number(id as usize));
            }
        }
    }
    fold.hash()
}

fn padding() -> u64 {
    let mut fold = Fold::new();
    let sequence = [0; 41].map({
        let mut next = 0_u8;
        move |_: u8| {
            next += 1;
            next
        }
    });
    for len in 0..=40 {
        for (padding, truncating) in [
            (Padding::Pre, Truncating::Pre),
            (Padding::Post, Truncating::Post),
            (Padding::Pre, Truncating::Post),
        ] {
            for maxlen in [0, 1, 4, 17] {
                let mut out = [0xee; 17];
                pad(&sequence[..len], padding, truncating, 0, &mut out[..maxlen]);
                fold.bytes(&out);
            }
        }
    }
    fold.hash()
}
