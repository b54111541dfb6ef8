//! Skip-gram and the continuous bag of words.

use super::data::{Data, Fold};
use nanoembed::models::skip_gram::{Corpus, Memory, Method, Settings, SkipGram, Task};
use nanoembed::table::{Aligned, TableMut};

pub(crate) const PARTS: &[super::Part] = &[
    ("skip-gram", || train(Method::SkipGram, 0)),
    ("skip-gram, n-grams", || train(Method::SkipGram, 40)),
    ("skip-gram, shared negatives", || train(Method::SharedNegatives, 0)),
    ("continuous bag of words", || train(Method::ContinuousBag, 0)),
];

const VOCABULARY: usize = 70;
const DIM: usize = 13;
const WORDS: usize = 120;

fn train(method: Method, subword_rows: usize) -> u64 {
    let mut data = Data::new(11);
    // Words that are rarer the higher their number; a sentence has a third of them.
    let (mut ids, mut counts) = ([0; WORDS], [1; VOCABULARY]);
    for id in &mut ids {
        let end = data.below(VOCABULARY) + 1;
        *id = data.below(end) as u32;
        counts[*id as usize] += 1;
    }
    // Two n-grams of each word.
    let grams = [(); 2 * VOCABULARY].map(|()| data.below(40) as u32);
    let grams_of = core::array::from_fn::<_, { VOCABULARY + 1 }, _>(|word| 2 * word);
    let mut corpus = Corpus::new(&ids, &[0, 40, 80, WORDS], &counts).unwrap();
    if subword_rows > 0 {
        corpus = corpus.with_subwords(&grams, &grams_of).unwrap();
    }
    let settings = Settings {
        dim: DIM,
        window: 3,
        sample: 0.01,
        words: 25,
        parts: 2,
        epochs: 3,
        learning_rate: 0.5,
        method,
        subword_rows,
        ..Settings::default()
    };
    let mut lines = [Aligned([0.0; 16]); 181];
    let (mut words, mut pairs) = ([0; 130], [0; 420]);
    let memory = Memory { lines: &mut lines, words: &mut words, pairs: &mut pairs };
    let mut training = SkipGram::new(settings, corpus, memory).unwrap();
    while let Some(tasks) = training.next_round() {
        tasks.for_each(Task::run);
    }
    let (mut vectors, mut fold) = ([[0.0; DIM]; VOCABULARY], Fold::new());
    training.vectors(&mut TableMut::from_rows(&mut vectors)).unwrap();
    fold.floats(vectors.as_flattened());
    training.output_vectors(&mut TableMut::from_rows(&mut vectors)).unwrap();
    fold.floats(vectors.as_flattened());
    fold.hash()
}
