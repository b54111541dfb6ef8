//! Skip-gram: the same bits on any number of threads, what it learns, and what it refuses.

use crate::common::{Random, bits};
use nanoembed::error::{BagError, CapacityExceeded, IndexOutOfRange, OutOfRange, Range, ShapeMismatch};
use nanoembed::models::skip_gram::{
    Corpus, Lengths, Memory, Method, Settings, SkipGram, SkipGramError, Task,
};
use nanoembed::table::{Aligned, Line, TableMut};
use nanoembed::text::Subwords;
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use std::sync::Mutex;

const METHODS: [Method; 3] = [Method::SkipGram, Method::SharedNegatives, Method::ContinuousBag];

/// Each method, and those that learn n-grams with them.
fn methods(settings: Settings) -> impl Iterator<Item = Settings> {
    let plain = METHODS.map(|method| Settings { method, ..settings });
    let with_subwords = [Method::SkipGram, Method::ContinuousBag];
    plain.into_iter().chain(with_subwords.map(|method| Settings { method, subword_rows: 50, ..settings }))
}

struct Buffers {
    lines: Vec<Line>,
    words: Vec<u32>,
    pairs: Vec<u64>,
}

impl Buffers {
    fn new(Lengths { lines, words, pairs, .. }: Lengths) -> Self {
        Self { lines: vec![Aligned([f32::NAN; 16]); lines], words: vec![7; words], pairs: vec![7; pairs] }
    }

    fn memory(&mut self) -> Memory<'_> {
        Memory { lines: &mut self.lines, words: &mut self.words, pairs: &mut self.pairs }
    }
}

/// Sentences of ids, and how often each occurs.
#[derive(Clone, Debug)]
struct Text {
    ids: Vec<u32>,
    offsets: Vec<usize>,
    counts: Vec<u64>,
}

impl Text {
    fn new(sentences: &[Vec<u32>], vocabulary: usize) -> Self {
        let ids = sentences.concat();
        let mut counts = vec![0; vocabulary];
        for id in &ids {
            counts[*id as usize] += 1;
        }
        let ends = sentences.iter().scan(0, |end, sentence| {
            *end += sentence.len();
            Some(*end)
        });
        Self { offsets: [0].into_iter().chain(ends).collect(), ids, counts }
    }

    /// Words of Zipf's law in sentences of 0 to 29.
    fn random(seed: u64, sentences: usize, vocabulary: usize) -> Self {
        let mut random = Random::seed_from_u64(seed);
        let mut draw = |end: usize| ((u64::from(random.next_u32()) * end as u64) >> 32) as usize;
        let mut sentence = |_| {
            let length = draw(30);
            (0..length).map(|_| (vocabulary / (1 + draw(vocabulary)) - 1) as u32).collect()
        };
        Self::new(&(0..sentences).map(&mut sentence).collect::<Vec<_>>(), vocabulary)
    }

    /// Sentences of even words, and sentences of odd ones.
    fn two_topics(words: usize) -> Self {
        let mut random = Random::seed_from_u64(5);
        let mut draw = |end: usize| ((u64::from(random.next_u32()) * end as u64) >> 32) as u32;
        let sentences: Vec<Vec<u32>> =
            (0..400).map(|s| (0..12).map(|_| 2 * draw(words / 2) + s % 2).collect()).collect();
        Self::new(&sentences, words)
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus::new(&self.ids, &self.offsets, &self.counts).unwrap()
    }

    /// Lists of n-grams for words which are called by their numbers.
    fn subwords(&self, buckets: u32) -> (Vec<u32>, Vec<usize>) {
        let (mut rows, mut offsets) = (Vec::new(), vec![0]);
        let subwords = Subwords::new(1, 2, buckets);
        for word in 0..self.counts.len() {
            rows.extend(subwords.buckets_of(word.to_string().as_str()).map(|bucket| bucket as u32));
            offsets.push(rows.len());
        }
        (rows, offsets)
    }
}

/// The input vectors and the output vectors after a training on so many threads, with tasks in turned order
/// if `turned`.
fn train(settings: Settings, text: &Text, threads: usize, turned: bool) -> (Vec<f32>, Vec<f32>) {
    let mut buffers = Buffers::new(settings.lengths(text.counts.len()).unwrap());
    let (grams, grams_of) = text.subwords(settings.subword_rows.max(1) as u32);
    let mut corpus = text.corpus();
    if settings.subword_rows > 0 {
        corpus = corpus.with_subwords(&grams, &grams_of).unwrap();
    }
    let mut training = SkipGram::new(settings, corpus, buffers.memory()).unwrap();
    while let Some(tasks) = training.next_round() {
        let mut tasks: Vec<Task<'_>> = tasks.collect();
        if turned {
            tasks.reverse();
        }
        let tasks = Mutex::new(tasks.into_iter());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(task) = { tasks.lock().unwrap().next() } {
                        task.run();
                    }
                });
            }
        });
    }
    let (rows, dim) = (text.counts.len(), settings.dim);
    let (mut input, mut output) = (vec![0.0; rows * dim], vec![0.0; rows * dim]);
    training.vectors(&mut TableMut::new(&mut input, rows, dim).unwrap()).unwrap();
    training.output_vectors(&mut TableMut::new(&mut output, rows, dim).unwrap()).unwrap();
    assert_eq!(training.words(), training.total_words());
    (input, output)
}

fn small() -> Settings {
    Settings { dim: 20, words: 300, epochs: 2, sample: 1e-2, parts: 4, ..Settings::default() }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let text = Text::random(3, 400, 300);
    for settings in methods(small()) {
        let method = (settings.method, settings.subword_rows);
        let (input, output) = train(settings, &text, 1, false);
        assert!(input.iter().chain(&output).all(|x| x.is_finite()));
        for (threads, turned) in [(1, true), (2, false), (3, true), (4, false), (8, true)] {
            let (found_input, found_output) = train(settings, &text, threads, turned);
            assert_eq!(bits(&found_input), bits(&input), "{method:?}, {threads} threads");
            assert_eq!(bits(&found_output), bits(&output), "{method:?}, {threads} threads");
        }
        let other = train(Settings { seed: 2, ..settings }, &text, 1, false).0;
        assert_ne!(bits(&other), bits(&input), "{method:?}: another seed");
    }
}

fn cosine(vectors: &[f32], dim: usize, a: usize, b: usize) -> f64 {
    let row = |id: usize| vectors[id * dim..][..dim].iter().map(|x| f64::from(*x));
    let dot = |a: usize, b: usize| row(a).zip(row(b)).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Words of two topics never meet: those of one come to lie beside each other.
#[test]
fn words_that_meet_come_to_lie_beside_each_other() {
    const WORDS: usize = 80;
    let text = Text::two_topics(WORDS);
    for method in METHODS {
        for parts in [1, 2] {
            let settings = Settings {
                dim: 16,
                words: 2000,
                sample: 0.0,
                epochs: 5,
                parts,
                method,
                ..Settings::default()
            };
            let (vectors, _) = train(settings, &text, 1, false);
            let mean = |shift: usize| {
                let pairs = (0..WORDS - 2).map(|a| cosine(&vectors, 16, a, a + shift));
                pairs.sum::<f64>() / (WORDS - 2) as f64
            };
            let (same, other) = (mean(2), mean(1));
            assert!(same > other + 0.5, "{method:?}, {parts} parts: {same} and {other}");
        }
    }
}

#[test]
fn a_rate_of_zero_moves_nothing_and_a_word_without_neighbours_stays() {
    let text = Text::random(3, 100, 100);
    for method in METHODS {
        let still = Settings { learning_rate: 0.0, method, ..small() };
        let (input, output) = train(still, &text, 1, false);
        let (start, _) = train(Settings { epochs: 0, ..still }, &text, 1, false);
        assert_eq!(bits(&input), bits(&start), "{method:?}");
        assert!(output.iter().all(|x| *x == 0.0), "{method:?}");
        let bound = 0.5 / 20.0;
        assert!(start.iter().all(|x| (-bound..bound).contains(x)) && start.iter().any(|x| *x > 0.8 * bound));
        let alone = Text::new(&(0..90).map(|id| vec![id]).collect::<Vec<_>>(), 90);
        let (input, _) = train(Settings { method, sample: 0.0, ..small() }, &alone, 1, false);
        let (start, _) = train(Settings { method, epochs: 0, ..small() }, &alone, 1, false);
        assert_eq!(bits(&input), bits(&start), "{method:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Empty sentences, sentences shorter than a window, one word, shards that cut sentences, all words left
    /// out.
    #[test]
    fn edges_of_a_corpus(
        vocabulary in 1..200_usize,
        sentences in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..30), 0..30),
        (dim, window, negatives, words, parts) in (1..40_usize, 1..12_usize, 1..=15_usize, 1..70_usize, 1..9_usize),
        sample in prop::sample::select(vec![0.0, 1e-12, 1e-3, 1.0]),
        (method, subword_rows) in prop::sample::select(
            methods(Settings::default()).map(|settings| (settings.method, settings.subword_rows)).collect::<Vec<_>>()
        ),
    ) {
        let word = |word: &u32| word % vocabulary as u32;
        let sentences: Vec<Vec<u32>> = sentences.iter().map(|s| s.iter().map(word).collect()).collect();
        let text = Text::new(&sentences, vocabulary);
        let settings = Settings {
            dim, window, negatives, words, parts, sample, method, subword_rows, epochs: 2, ..Settings::default()
        };
        let one = train(settings, &text, 1, false);
        prop_assert!(one.0.iter().chain(&one.1).all(|x| x.is_finite()));
        let two = train(settings, &text, 2, true);
        prop_assert_eq!((bits(&one.0), bits(&one.1)), (bits(&two.0), bits(&two.1)));
    }
}

/// A word that the corpus lacks lies where words with its n-grams do.
#[test]
fn n_grams_stand_for_words_that_were_not_seen() {
    // Even words stand beside even words: their last digits are what they share.
    const WORDS: usize = 80;
    let text = Text::two_topics(WORDS);
    let (grams, grams_of) = text.subwords(500);
    let corpus = text.corpus().with_subwords(&grams, &grams_of).unwrap();
    let settings = Settings { dim: 16, sample: 0.0, subword_rows: 500, ..Settings::default() };
    let mut buffers = Buffers::new(settings.lengths(WORDS).unwrap());
    let mut training = SkipGram::new(settings, corpus, buffers.memory()).unwrap();
    while let Some(tasks) = training.next_round() {
        tasks.for_each(Task::run);
    }
    let (mut vectors, mut rows) = ([[0.0; 16]; WORDS + 10], vec![[0.0; 16]; 500]);
    training.vectors(&mut TableMut::from_rows(&mut vectors[..WORDS])).unwrap();
    training.subword_vectors(&mut TableMut::from_rows(&mut rows)).unwrap();
    for (new, vector) in vectors[WORDS..].iter_mut().enumerate() {
        let word = (80 + new).to_string();
        let buckets: Vec<usize> = Subwords::new(1, 2, 500).buckets_of(word.as_str()).collect();
        for bucket in &buckets {
            vector.iter_mut().zip(rows[*bucket]).for_each(|(x, y)| *x += y / buckets.len() as f32);
        }
    }
    let mean = |new: usize, shift: usize| {
        let pairs =
            (0..WORDS / 2).map(|word| cosine(vectors.as_flattened(), 16, WORDS + new, 2 * word + shift));
        pairs.sum::<f64>() / (WORDS / 2) as f64
    };
    for new in 0..10 {
        let (same, other) = (mean(new, new % 2), mean(new, 1 - new % 2));
        assert!(same > other + 0.1, "{new}: {same} and {other}");
    }
}

#[test]
fn bad_subwords_are_named() {
    let text = Text::new(&[vec![0, 1, 2]], 3);
    let error = |rows: &[u32], offsets: &[usize]| text.corpus().with_subwords(rows, offsets).unwrap_err();
    let shape = ShapeMismatch { what: "lists of n-grams", expected: 3, found: 2 };
    assert_eq!(error(&[4, 5], &[0, 1, 2]), SkipGramError::Subwords(shape));
    let end = BagError::OffsetsBeyond { position: 3, offset: 3, indices: 2 };
    assert_eq!(error(&[4, 5], &[0, 1, 2, 3]), SkipGramError::Sentences(end));

    let refused = |settings: Settings, corpus: Corpus<'_>| {
        let mut buffers = Buffers::new(settings.lengths(3).unwrap());
        SkipGram::new(settings, corpus, buffers.memory()).unwrap_err()
    };
    let rows = |subword_rows| Settings { subword_rows, ..Settings::default() };
    let with = text.corpus().with_subwords(&[4, 5], &[0, 1, 2, 2]).unwrap();
    assert_eq!(refused(rows(5), with), SkipGramError::SubwordRows { rows: 5, needed: 6 });
    assert_eq!(refused(rows(0), with), SkipGramError::SubwordRows { rows: 0, needed: 6 });
    assert_eq!(refused(rows(9), text.corpus()), SkipGramError::SubwordRows { rows: 9, needed: 0 });
    let shared = Settings { method: Method::SharedNegatives, ..rows(6) };
    assert_eq!(shared.lengths(3), Err(SkipGramError::SharedWithSubwords));
}

#[test]
fn bad_input_is_named() {
    let (ids, counts) = ([0, 2, 1, 2], [1_u64, 1, 2]);
    let error =
        |ids: &[u32], offsets: &[usize], counts: &[u64]| Corpus::new(ids, offsets, counts).unwrap_err();
    let id = IndexOutOfRange { position: 1, index: 2, rows: 2 };
    assert_eq!(error(&ids, &[0, 4], &counts[..2]), SkipGramError::Id(id));
    let end = BagError::OffsetsEnd { offset: 3, indices: 4 };
    assert_eq!(error(&ids, &[0, 3], &counts), SkipGramError::Sentences(end));

    let setting = |what, found, most| Err(SkipGramError::Setting { what, found, most });
    let lengths = |settings: Settings| settings.lengths(3);
    let usual = Settings::default();
    assert_eq!(lengths(Settings { dim: 0, ..usual }), setting("dim", 0, 1 << 16));
    assert_eq!(lengths(Settings { window: 0, ..usual }), setting("window", 0, 1 << 10));
    assert_eq!(lengths(Settings { negatives: 0, ..usual }), setting("negatives", 0, 15));
    assert_eq!(lengths(Settings { negatives: 16, ..usual }), setting("negatives", 16, 15));
    assert_eq!(lengths(Settings { parts: 65, ..usual }), setting("parts", 65, 64));
    assert_eq!(lengths(Settings { words: 0, ..usual }), setting("words", 0, 1 << 20));
    let wide = Settings { words: 1 << 20, window: 1 << 10, subword_rows: 1, ..usual };
    assert_eq!(lengths(wide), setting("words", 1 << 20, 1 << 19));
    for (what, settings) in [
        ("sample", Settings { sample: -1.0, ..usual }),
        ("learning_rate", Settings { learning_rate: -1.0, ..usual }),
    ] {
        let error = OutOfRange { what, value: -1.0, range: Range::NonNegative };
        assert_eq!(lengths(settings), Err(SkipGramError::Rate(error)));
    }
    assert!(matches!(lengths(Settings { sample: f32::NAN, ..usual }), Err(SkipGramError::Rate(_))));
    assert_eq!(usual.lengths(0), Err(SkipGramError::Vocabulary { words: 0 }));
    assert_eq!(usual.lengths(1 << 26), Err(SkipGramError::Vocabulary { words: 1 << 26 }));
    assert_eq!(
        usual.lengths(0).unwrap_err().to_string(),
        "the vocabulary has no words: lower the least count"
    );

    let corpus = Corpus::new(&ids, &[0, 4], &counts).unwrap();
    let needed = usual.lengths(3).unwrap();
    for what in ["lines", "words", "pairs"] {
        let mut buffers = Buffers::new(needed);
        let needed = match what {
            "lines" => buffers.lines.pop().map(|_| needed.lines),
            "words" => buffers.words.pop().map(|_| needed.words),
            _ => buffers.pairs.pop().map(|_| needed.pairs),
        };
        let needed = needed.unwrap();
        let error = SkipGram::new(usual, corpus, buffers.memory()).unwrap_err();
        assert_eq!(error, SkipGramError::Memory(CapacityExceeded { what, capacity: needed - 1, needed }));
        assert!(buffers.lines.iter().all(|line| line.0.iter().all(|x| x.is_nan())), "written");
        assert!(buffers.words.iter().all(|word| *word == 7) && buffers.pairs.iter().all(|pair| *pair == 7));
    }
}
