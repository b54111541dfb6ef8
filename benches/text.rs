//! From text to a bag classifier: words, n-grams of characters and ids beside naive loops, and an epoch of
//! one text a step beside the same steps taken one by one.
//!
//! Equality with the naive loop, of ids or of bits, is asserted before anything is timed. Times are those of
//! the whole made-up data: 2,000 texts of some ten words, which are as long as words of English.

use core::hint::black_box;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nanoembed::layers::ActivationKind;
use nanoembed::loss::{AnyLoss, Labels, SparseCategoricalCrossEntropy};
use nanoembed::models::{All, BatchSize, Input, LayerKind, Recipe, Record, Source, Trainer};
use nanoembed::optim::Sgd;
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::text::{HashKind, HashingTokenizer, Pipeline, Subwords};

const TEXTS: usize = 2000;
const ROWS: usize = 1 << 16;
const DIM: usize = 32;
const CLASSES: usize = 7;
const BUCKETS: u32 = 2_000_000;

/// Learns from all texts once.
type Way<'w> = &'w dyn Fn(&mut Trainer<'_, All>, &mut [f32]);

/// Texts of words of 1 to 12 letters, short ones more often; some of the words are common.
fn texts() -> Vec<String> {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(7);
    let mut below = |n: u32| random.next_u32() % n;
    let words: Vec<String> = (0..5000)
        .map(|_| {
            let length = 1 + below(6) + below(7);
            (0..length).map(|_| char::from(b'a' + below(26) as u8)).collect()
        })
        .collect();
    let text = |_| {
        let length = 5 + below(10);
        let mut text = String::new();
        for _ in 0..length {
            let common = 1 + below(5000);
            text.push_str(&words[below(common) as usize]);
            text.push_str(if below(8) == 0 { ", " } else { " " });
        }
        text
    };
    (0..TEXTS).map(text).collect()
}

fn is_between(byte: u8) -> bool {
    byte == b' ' || byte == b','
}

/// The ids of words by the native hash, as one would write them first.
fn naive_ids(text: &str, mut visit: impl FnMut(usize)) {
    for word in text.as_bytes().split(|byte| is_between(*byte)).filter(|word| !word.is_empty()) {
        let mut h = 2_166_136_261_u32;
        for byte in word {
            h = (h ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(16_777_619);
        }
        h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
        h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
        h ^= h >> 16;
        visit(1 + ((u64::from(h) * (ROWS as u64 - 1)) >> 32) as usize);
    }
}

/// fastText's n-grams, each hashed from its first byte on.
fn naive_subwords(word: &str, min_n: usize, max_n: usize, mut visit: impl FnMut(usize)) {
    let word = format!("<{word}>").into_bytes();
    for start in 0..word.len() {
        for n in min_n..=max_n {
            let Some(gram) = word.get(start..start + n) else { break };
            let hash = gram
                .iter()
                .fold(2_166_136_261_u32, |h, byte| (h ^ u32::from(*byte)).wrapping_mul(16_777_619));
            visit((hash % BUCKETS) as usize);
        }
    }
}

fn listed(f: impl FnOnce(&mut dyn FnMut(usize))) -> Vec<usize> {
    let mut all = Vec::new();
    f(&mut |id| all.push(id));
    all
}

fn words(criterion: &mut Criterion) {
    const TOKENIZER: HashingTokenizer = HashingTokenizer::new(ROWS);
    let texts = texts();
    for text in &texts {
        assert_eq!(
            listed(|visit| TOKENIZER.ids(text).for_each(visit)),
            listed(|visit| naive_ids(text, visit))
        );
    }
    let count: usize = texts.iter().map(|text| TOKENIZER.ids(text).count()).sum();
    let mut group = criterion.benchmark_group("words");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("naive", |b| {
        b.iter(|| {
            for text in black_box(&texts) {
                naive_ids(text, |id| _ = black_box(id));
            }
        });
    });
    group.bench_function("HashingTokenizer", |b| {
        b.iter(|| {
            for text in black_box(&texts) {
                TOKENIZER.ids(text).for_each(|id| _ = black_box(id));
            }
        });
    });
    let pipeline = Pipeline::hashing(ROWS as u64, HashKind::Native).expect("rows");
    let pairs = pipeline.word_ngrams(2).expect("pairs").subwords(5, 5).expect("n-grams");
    for (name, pipeline) in [("Pipeline", pipeline), ("Pipeline, pairs, 5-grams", pairs)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                for text in black_box(&texts) {
                    pipeline.for_each_id(text, |id| _ = black_box(id));
                }
            });
        });
    }
    group.finish();
}

fn subwords(criterion: &mut Criterion) {
    let texts = texts();
    let words: Vec<&str> =
        texts.iter().flat_map(|text| text.split([' ', ','])).filter(|word| !word.is_empty()).collect();
    let mut group = criterion.benchmark_group("subwords");
    group.throughput(Throughput::Elements(words.len() as u64));
    for (min_n, max_n) in [(3, 6), (5, 5)] {
        let subwords = Subwords::new(min_n, max_n, BUCKETS);
        for word in &words {
            assert_eq!(
                listed(|visit| subwords.buckets_of(*word).for_each(visit)),
                listed(|visit| naive_subwords(word, min_n, max_n, visit))
            );
        }
        group.bench_function(format!("naive {min_n}-{max_n}"), |b| {
            b.iter(|| {
                for word in black_box(&words) {
                    naive_subwords(word, min_n, max_n, |bucket| _ = black_box(bucket));
                }
            });
        });
        group.bench_function(format!("Subwords {min_n}-{max_n}"), |b| {
            b.iter(|| {
                for word in black_box(&words) {
                    subwords.buckets_of(*word).for_each(|bucket| _ = black_box(bucket));
                }
            });
        });
    }
    group.finish();
}

fn training(criterion: &mut Criterion) {
    let pipeline = Pipeline::hashing(ROWS as u64, HashKind::Native).expect("rows");
    let pipeline = pipeline.word_ngrams(2).expect("pairs").subwords(5, 5).expect("n-grams");
    let (mut ids, mut offsets, mut classes) = (Vec::new(), vec![0_u32], Vec::new());
    for (number, text) in texts().iter().enumerate() {
        let start = ids.len();
        pipeline.for_each_id(text, |id| ids.push(id));
        ids[start..].sort_unstable();
        offsets.push(ids.len() as u32);
        classes.push((number % CLASSES) as u16);
    }
    let longest = offsets.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0) as usize;
    let records = [
        Record::new(LayerKind::EmbeddingBag, &[ROWS, DIM]).from(Source::Input(0)),
        Record::new(LayerKind::Dense, &[DIM, CLASSES]).activation(ActivationKind::Softmax),
    ];
    let recipe = Recipe::<All>::new(&records).expect("a model");
    let (sgd, loss) = (Sgd { learning_rate: 0.1 }, AnyLoss::from(SparseCategoricalCrossEntropy));
    let size = BatchSize { examples: 1, ids_per_bag: longest };
    let mut start = vec![0.0; recipe.parameters()];
    recipe.init(&mut start, &mut Xoshiro128PlusPlus::seed_from_u64(1)).expect("parameters");

    let by_steps = |trainer: &mut Trainer<'_, All>, parameters: &mut [f32]| {
        for (ends, class) in offsets.windows(2).zip(&classes) {
            let bag = &ids[ends[0] as usize..ends[1] as usize];
            let inputs = [Input::Bags { ids: bag, offsets: &[0, bag.len() as u32] }];
            trainer.step(parameters, &inputs, &Labels::classes(&[*class]), 1).expect("good data");
        }
    };
    let by_epoch = |trainer: &mut Trainer<'_, All>, parameters: &mut [f32]| {
        let inputs = [Input::Bags { ids: &ids, offsets: &offsets }];
        trainer.epoch(parameters, &inputs, &Labels::classes(&classes), classes.len()).expect("good data");
    };
    let ways: [(&str, Way<'_>); 2] = [("steps", &by_steps), ("epoch", &by_epoch)];
    let mut group = criterion.benchmark_group("bag classifier");
    group.throughput(Throughput::Elements(classes.len() as u64));
    let mut learnt: Vec<Vec<u32>> = Vec::new();
    for (name, learn) in ways {
        let mut buffers = Trainer::lengths(recipe, &sgd, loss, size).expect("memory").buffers();
        let mut trainer = Trainer::new(recipe, &sgd, loss, size, buffers.memory()).expect("a loss that fits");
        trainer.set_shuffle(false);
        let mut parameters = start.clone();
        learn(&mut trainer, &mut parameters);
        learnt.push(parameters.iter().map(|number| number.to_bits()).collect());
        assert!(learnt.first() == learnt.last(), "an epoch has the bits of its steps");
        group.bench_function(name, |b| b.iter(|| learn(&mut trainer, &mut parameters)));
    }
    group.finish();
}

criterion_group!(benches, words, subwords, training);
criterion_main!(benches);
