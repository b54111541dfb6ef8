//! Compressed tables: what they save, that ids stay apart, thinc's rows, steps that touch the rows of the batch alone, images.

use nanoembed::image;
use nanoembed::internals::Composition;
use nanoembed::layers::options::{Added, Multiplied};
use nanoembed::layers::{
    Bytes, Dense, Embedding, Flatten, HashedEmbedding, Layer, QuotientRemainder, Sigmoid,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{Adam, Exact};
use nanoembed::sequential;
use nanoembed::train::Trainer;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::collections::BTreeSet;

const DIM: usize = 4;
const IDS: usize = 10_000;

fn bits<const N: usize>(numbers: [f32; N]) -> [u32; N] {
    numbers.map(f32::to_bits)
}

fn initial<M: Layer>() -> M {
    M::new(&mut Xoshiro128PlusPlus::seed_from_u64(5))
}

/// The embeddings of the first ids.
fn embeddings<M: Layer<Input = [u32; 1], Output = [[f32; DIM]; 1]>>() -> Vec<[u32; DIM]> {
    let model = initial::<M>();
    (0..IDS as u32).map(|id| bits(model.predict(&[id]).expect("an id that it serves")[0])).collect()
}

/// How many of the ids have an embedding of their own.
fn distinct(embeddings: &[[u32; DIM]]) -> usize {
    embeddings.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn quotient_and_remainder_keep_all_ids_apart_in_a_fiftieth_of_the_memory() {
    fn check<C: Composition>() {
        type Small<C> = QuotientRemainder<1, 100, 100, DIM, C>;
        assert_eq!(Small::<C>::IDS, IDS);
        assert_eq!(Embedding::<1, IDS, DIM>::BYTES / Small::<C>::BYTES, 50);
        let mut model = initial::<Small<C>>();
        // Numbers whose sums and products are exact and all different.
        for (i, row) in model.quotients.iter_mut().enumerate() {
            row.fill(if C::MULTIPLIES { (1 + i) as f32 } else { (100 * i) as f32 });
        }
        for (i, row) in model.remainders.iter_mut().enumerate() {
            row.fill(if C::MULTIPLIES { 2.0 + i as f32 / 128.0 } else { i as f32 });
        }
        for id in 0..IDS as u32 {
            let (q, r) = (model.quotients[id as usize / 100], model.remainders[id as usize % 100]);
            let [y] = model.predict(&[id]).expect("an id that it serves");
            assert_eq!(y[1], if C::MULTIPLIES { q[1] * r[1] } else { q[1] + r[1] });
        }
        assert!(model.predict(&[IDS as u32]).is_err());
        // As drawn: ids with one row in common differ by the other.
        let all = embeddings::<Small<C>>();
        assert_eq!(distinct(&all), IDS);
        assert!(all[4201] != all[4202] && all[4201] != all[4301]);
    }
    check::<Added>();
    check::<Multiplied>();
}

#[test]
fn more_rows_an_id_keep_more_ids_apart() {
    const ROWS: usize = 1000;
    type Hashed<const NAMES: usize> = HashedEmbedding<1, ROWS, DIM, NAMES>;
    assert_eq!(Embedding::<1, IDS, DIM>::BYTES / Hashed::<2>::BYTES, 10);
    let rows: BTreeSet<usize> = (0..IDS as u32).flat_map(Hashed::<1>::rows_of).collect();
    assert_eq!(distinct(&embeddings::<Hashed<1>>()), rows.len(), "one row: as many embeddings as rows");

    // Two rows: 10,000 ids choose among 500,000 pairs, so that about 100 share theirs.
    let two = distinct(&embeddings::<Hashed<2>>());
    assert!((IDS - 200..IDS).contains(&two), "{two} of {IDS} ids have an embedding of their own");
    assert_eq!(distinct(&embeddings::<Hashed<3>>()), IDS);
    // Ids that share a row differ all the same.
    let first = |id: u32| Hashed::<2>::rows_of(id).next();
    let other = (1..IDS as u32).find(|id| first(*id) == first(0)).expect("ten ids a row");
    let all = embeddings::<Hashed<2>>();
    assert_ne!(all[0], all[other as usize]);
}

/// `NumpyOps().hash(ids, seed) % 1_000_003` of thinc 9.1.1.
#[test]
fn the_rows_are_those_of_thinc() {
    type Rows<const SEED: u32> = HashedEmbedding<1, 1_000_003, 1, 4, u64, SEED>;
    let ids = [0, 1, 7, 1 << 40, i64::MAX as u64];
    let hashes = [
        [
            [0xcc57_c3cb_u32, 0x28df_63b7, 0xc4e8_fe52, 0xf255_7dfc],
            [0xfb05_c44a, 0x0044_03b7, 0xd36d_9c06, 0x3d8a_cdb4],
            [0x257f_8fb2, 0x30e1_2993, 0x973f_6e55, 0x0e7e_7118],
            [0x5e83_18fc, 0x3ac1_5623, 0x0f7b_f229, 0xc6a2_9802],
            [0xdad6_69d4, 0x6c76_ebcb, 0xa900_3d9e, 0x7dfb_92c0],
        ],
        [
            [0x8caf_6054, 0xd036_9928, 0x3dd6_f1a3, 0xd336_df72],
            [0x85b7_186c, 0x847e_7b69, 0x4792_9c31, 0x8ae8_a596],
            [0x4233_679e, 0x46a1_9b47, 0xd8c9_b862, 0x3748_7935],
            [0x75a1_5c40, 0x8800_40bd, 0x927a_eeb6, 0x8cf5_a820],
            [0x1f5f_b7ae, 0xb207_88df, 0x8c2b_1726, 0x1584_d8bd],
        ],
    ];
    let rows = |words: [u32; 4]| words.map(|word| word as usize % 1_000_003);
    // Of the upper half of all ids: the rows of seed 0.
    for (id, rows) in [
        (1 << 63, [735_348, 193_864, 645_954, 638_642]),
        ((1 << 63) + 12_345, [896_646, 585_301, 178_800, 910_809]),
        (u64::MAX, [456_755, 334_361, 24_471, 769_888]),
    ] {
        assert!(Rows::<0>::rows_of(id).eq(rows), "{id}");
    }
    for (id, [unseeded, seeded]) in
        ids.into_iter().zip(hashes[0].into_iter().zip(hashes[1]).map(<[_; 2]>::from))
    {
        assert!(Rows::<0>::rows_of(id).eq(rows(unseeded)), "{id}");
        assert!(Rows::<12345>::rows_of(id).eq(rows(seeded)), "{id}");
    }
}

type HashedText = sequential![HashedEmbedding<3, 40, 5, 6>, Flatten<3, 5, 15>, Dense<15, 1, Sigmoid>];
type SplitText =
    sequential![QuotientRemainder<3, 20, 20, 5, Multiplied>, Flatten<3, 5, 15>, Dense<15, 1, Sigmoid>];

/// Ids below 400 of which the second half of the examples repeats the first.
fn examples() -> (Vec<[u32; 3]>, Vec<[f32; 1]>) {
    let ids = (0..8_u32).map(|i| [i % 4, 7 + i % 4 * 90, 7]);
    (ids.collect(), (0..8).map(|i| [f32::from(i % 2 == 0)]).collect())
}

/// The rows of a table that are not as they were.
fn changed(before: &[[f32; 5]], after: &[[f32; 5]]) -> BTreeSet<usize> {
    let differs = |row: &usize| bits(before[*row]) != bits(after[*row]);
    (0..before.len()).filter(differs).collect()
}

#[test]
fn rows_that_no_id_names_keep_their_bits() {
    let (x, labels) = examples();
    let ids: BTreeSet<u32> = x.as_flattened().iter().copied().collect();

    let (before, mut model) = (initial::<HashedText>(), initial::<HashedText>());
    let mut trainer = Trainer::<HashedText, _, _, 4>::new(Adam::default(), BinaryCrossEntropy::default());
    trainer.epoch(&mut model, &x, &labels).expect("valid examples");
    let named = ids.iter().flat_map(|id| HashedEmbedding::<3, 40, 5, 6>::rows_of(*id)).collect();
    assert_eq!(changed(&before.first.rows, &model.first.rows), named);
    assert!(named.len() < 40);

    let (before, mut model) = (initial::<SplitText>(), initial::<SplitText>());
    let mut trainer = Trainer::<SplitText, _, _, 4>::new(Adam::default(), BinaryCrossEntropy::default());
    trainer.epoch(&mut model, &x, &labels).expect("valid examples");
    let quotients: BTreeSet<usize> = ids.iter().map(|id| *id as usize / 20).collect();
    let remainders: BTreeSet<usize> = ids.iter().map(|id| *id as usize % 20).collect();
    assert_eq!(changed(&before.first.quotients, &model.first.quotients), quotients);
    assert_eq!(changed(&before.first.remainders, &model.first.remainders), remainders);
    assert!(quotients.len() < 20 && remainders.len() < 20);
}

#[test]
fn they_learn_and_their_images_predict_the_same() {
    fn check<M: Layer<Input = [u32; 3], Output = [f32; 1]>>() {
        let (x, labels) = examples();
        let mut model = initial::<M>();
        let adam = Exact(Adam { learning_rate: 0.05, ..Adam::default() });
        let mut trainer = Trainer::<M, _, _, 3>::new(adam, BinaryCrossEntropy::default());
        for _ in 0..60 {
            trainer.epoch(&mut model, &x, &labels).expect("valid examples");
        }
        let report = trainer.evaluate(&model, &x, &labels).expect("valid examples");
        assert!(report.accuracy == 1.0 && report.loss < 0.1, "{report:?}");

        let mut numbers = vec![0.0_f32; image::size::<M>().div_ceil(4)];
        let bytes = &mut zerocopy::IntoBytes::as_mut_bytes(&mut numbers[..])[..image::size::<M>()];
        image::write(&model, bytes).expect("the right length");
        let read: &M = image::read(bytes).expect("what was written");
        for x in &x {
            assert_eq!(bits(read.predict(x).expect("valid")), bits(model.predict(x).expect("valid")));
        }
    }
    check::<HashedText>();
    check::<SplitText>();
}
