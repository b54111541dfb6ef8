//! Words, hashes, n-grams, row numbers, padding.

use super::data::Fold;
use super::reviews::REVIEWS;
use nanoembed::internals::{WordNgrams, characters, standardized_words, text_to_word_sequence};
use nanoembed::layers::Bytes;
use nanoembed::text::{
    Ascii, Columns, FarmHash64, FeatureHasher, HashKind, Hashing, HashingTokenizer, Lowering, MatrixMode,
    Murmur3, NativeHash, Padding, Pipeline, Splitter, Subwords, Ties, Truncating, Unchanged, Vocabulary,
    VocabularyOptions, WordCounts, WordHash, pad,
};

pub(crate) const PARTS: &[super::Part] = &[
    ("text words", words),
    ("text native hash", native_hash),
    ("text n-grams", ngrams),
    ("text tokenizer", tokenizer),
    ("text padding", padding),
    ("text hashes", hashes),
    ("text vocabulary", vocabulary),
    ("text pipeline", pipelines),
    ("text marks", marks),
    ("text columns", columns),
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

/// What Keras, scikit-learn and fastText hash by, over texts of every length.
fn hashes() -> u64 {
    let mut fold = Fold::new();
    let farm = HashingTokenizer::try_new(1000).unwrap().hash::<FarmHash64>();
    let murmur = HashingTokenizer::try_new(1000).unwrap().hash::<Murmur3<7>>();
    let bins = Hashing::new(1000).mask_value("rocks");
    let subwords = Subwords::new(1, 6, 2_000_000);
    let mut row = [0.0; 16];
    for text in texts() {
        farm.ids(text).chain(murmur.ids(text)).for_each(|id| fold.number(id));
        fold.number(bins.bin(text));
        fold.number(bins.bin_of(-(text.len() as i64) << 40));
        subwords.buckets_of(text).for_each(|bucket| fold.number(bucket));
        FeatureHasher::new(16).add([(text, 0.1)], &mut row).unwrap();
        fold.floats(&row);
        let mut long = FarmHash64::default();
        for _ in 0..9 {
            long.write(text.as_bytes());
            fold.bytes(&long.finish().to_le_bytes());
        }
    }
    fold.hash()
}

/// Words, characters and standardised words, counted, ranked and looked up.
fn vocabulary() -> u64 {
    let mut fold = Fold::new();
    let mut counts = WordCounts::<96, 768>::new();
    let mut vocabulary = Vocabulary::<64, 512>::new();
    for (limit, oov_token, ties) in [
        (20, None, Ties::FirstAppearance),
        (60, Some("<OOV>"), Ties::Descending),
        (7, Some("horrible"), Ties::FirstAppearance),
    ] {
        for text in texts() {
            // What does not fit is left out everywhere alike.
            let fitted = [
                counts.fit(text_to_word_sequence::<Ascii>(text)),
                counts.fit(characters::<Ascii>(text)),
                counts.fit(standardized_words::<Ascii>(text)),
            ];
            fold.number(fitted.iter().filter(|fitted| fitted.is_ok()).count());
        }
        let options = VocabularyOptions { num_words: core::num::NonZero::new(limit), oov_token, ties };
        vocabulary.adapt(&mut counts, options).unwrap();
        vocabulary.visit(&mut |part| fold.bytes(part));
        let mut row = [0.0; 60];
        for text in texts() {
            vocabulary.ids(text_to_word_sequence::<Ascii>(text)).for_each(|id| fold.number(id));
            let ids: [u16; 5] = vocabulary.encode(characters::<Ascii>(text)).unwrap();
            ids.iter().for_each(|&id| fold.number(id.into()));
            let row = &mut row[..vocabulary.columns()];
            for mode in [MatrixMode::Frequency, MatrixMode::TfIdf] {
                vocabulary.matrix_row(standardized_words::<Ascii>(text), mode, row).unwrap();
                fold.floats(row);
            }
        }
    }
    fold.hash()
}

/// The bytes of a pipeline and the ids of all texts.
fn fold_pipeline(fold: &mut Fold, pipeline: Pipeline) {
    let mut bytes = [0; 160];
    let bytes = &mut bytes[..pipeline.encoded_size()];
    pipeline.write(bytes).unwrap();
    bytes.iter().for_each(|&byte| fold.number(byte.into()));
    for text in texts() {
        let mut ids = [0; 6];
        fold.number(pipeline.encode_into(text, &mut ids).unwrap());
        ids.iter().for_each(|&id| fold.number(id as usize));
    }
}

fn pipelines() -> u64 {
    let mut fold = Fold::new();
    let mut of = |pipeline| fold_pipeline(&mut fold, pipeline);
    for kind in [HashKind::Native, HashKind::FarmHash64, HashKind::Murmur3 { seed: 9 }] {
        let pipeline = Pipeline::hashing(50_000, kind).unwrap();
        of(pipeline);
        let pipeline = pipeline.filters("!é").split("--").unwrap().lowercase(Lowering::Unchanged);
        of(pipeline.word_ngrams(3).unwrap().subwords(2, 4).unwrap().length(6).padding(Padding::Pre));
    }
    fold.hash()
}

/// Marks as words of their own, by a type and by a value.
fn marks() -> u64 {
    let mut fold = Fold::new();
    let pairs =
        HashingTokenizer::try_new(1000).unwrap().splitter(Splitter::<Ascii>::MARKS).word_ngrams::<2>();
    let tags = Splitter::<Ascii>::new("<é", "--").marks();
    for text in texts() {
        pairs.ids(text).for_each(|id| fold.number(id));
        for word in tags.words(text) {
            word.chars().for_each(|c| fold.number(c as usize));
            fold.number(0xffff);
        }
    }
    fold_pipeline(&mut fold, pairs.pipeline(6).unwrap());
    let pipeline = Pipeline::hashing(1000, HashKind::FarmHash64).unwrap().splitter(tags.lowercase());
    fold_pipeline(&mut fold, pipeline.subwords(2, 4).unwrap().lowercase(Lowering::Unchanged));
    fold.hash()
}

/// Two columns as bytes: words of the texts, and thresholds at which short decimals are rounded.
const COLUMNS: &[u8] = b"\
    \x01\x00\x03\x00\x03\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x0d\x00\x00\x00skyclearovercast\
    \x02\x00\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xbf\x0a\xd7\xa3\x3c\xcd\xcc\xcc\x3d\x00\x00\x28\x42x\x00\x00\x00";

fn columns() -> u64 {
    let mut fold = Fold::new();
    let columns = Columns::read(COLUMNS, 2).unwrap();
    for column in columns.iter() {
        fold.number(column.rows() as usize);
        for x in [-1.5, -1.0, -0.0, 0.02, 0.1, 41.9, 42.0, f32::INFINITY, f32::NAN] {
            fold.number(column.number(x) as usize);
        }
        for category in ["", "clear", "overcas", "overcast", "overcasts", "é"] {
            fold.number(column.category(category) as usize);
        }
    }
    let pipeline = Pipeline::columns(columns).unwrap();
    let rows = [
        "clear\t0.1",
        "overcast \t 42e0",
        "\t",
        "x",
        "clear\t0.0999999978\tmore",
        "\t-1.0000001",
        "\tinf",
        "\t2e-2",
    ];
    for row in rows.into_iter().chain(texts()) {
        let mut ids = [0; 2];
        fold.number(pipeline.encode_into(row, &mut ids).unwrap());
        ids.iter().for_each(|&id| fold.number(id as usize));
    }
    fold.hash()
}
