//! Tables of rows: embeddings, bags, compressed tables.

use super::{BATCH, backward, check_parameters, embed, ids, pool};
use crate::common::Random;
use nanoembed::layers::options::{Added, MaskZero, Mean, Multiplied, SqrtN, Sum};
use nanoembed::layers::{Bag, Embedding, EmbeddingBag, HashedEmbedding, Layer, QuotientRemainder};
use rand_core::SeedableRng;

#[test]
fn embedding_layers() {
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[u16; 5]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        let forward = |rows: &[f64], ids: &[u16; 5]| embed(rows, ids, 3, |_| true);
        check_parameters::<Embedding<5, 6, 3>>("Embedding", random, &x, forward);
        // The mask flows beside the values: row 0 itself is still read and learns.
        check_parameters::<Embedding<5, 6, 3, u16, MaskZero>>("Embedding, MaskZero", random, &x, forward);
        let model = Embedding::<5, 6, 3, u16, MaskZero>::zeroed();
        let masks = backward(&model, &x, &vec![(); x.len()], &vec![[[0.0; 3]; 5]; x.len()]).y_masks;
        for (mask, ids) in masks.iter().zip(&x) {
            assert_eq!(*mask, ids.map(|id| id != 0));
        }
        let model = Embedding::<5, 6, 3>::zeroed();
        let masks = backward(&model, &x, &vec![(); x.len()], &vec![[[0.0; 3]; 5]; x.len()]).y_masks;
        assert!(masks.iter().all(|mask| *mask == [true; 5]));
    }
}

#[test]
fn embedding_bags() {
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let bag = |ids: &[u16]| Bag::<6>::from_ids(ids.iter().copied()).expect("at most 6 ids");
        let drawn: [u16; 6] = ids(random);
        let x = [bag(&[]), bag(&[2, 2, 2]), bag(&drawn), bag(&drawn[..1])];
        for x in [&x[..], &x[..1], &x[2..]] {
            let mean = |rows: &[f64], bag: &Bag<6>| pool(rows, bag.ids(), 3, true);
            check_parameters::<EmbeddingBag<6, 6, 3, Mean>>("EmbeddingBag, Mean", random, x, mean);
            let sum = |rows: &[f64], bag: &Bag<6>| pool(rows, bag.ids(), 3, false);
            check_parameters::<EmbeddingBag<6, 6, 3, Sum>>("EmbeddingBag, Sum", random, x, sum);
            let sqrt_n = |rows: &[f64], bag: &Bag<6>| {
                let root = (bag.ids().len().max(1) as f64).sqrt();
                pool(rows, bag.ids(), 3, false).into_iter().map(|x| x / root).collect()
            };
            check_parameters::<EmbeddingBag<6, 6, 3, SqrtN>>("EmbeddingBag, SqrtN", random, x, sqrt_n);
        }
    }
}

#[test]
fn compressed_embeddings() {
    type Hashed<const NAMES: usize> = HashedEmbedding<5, 7, 3, NAMES, u16>;
    type Split<C> = QuotientRemainder<5, 2, 3, 3, C, u16>;
    for seed in 0..8 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[u16; 5]> = (0..=seed as usize % BATCH).map(|_| ids(random)).collect();
        let summed = |table: &[f64], rows: &mut dyn Iterator<Item = usize>| {
            let add = |sum: [f64; 3], row: usize| std::array::from_fn(|j| sum[j] + table[row * 3 + j]);
            rows.fold([0.0; 3], add)
        };
        let of_each = |ids: &[u16; 5], row: &dyn Fn(u16) -> [f64; 3]| ids.map(row).concat();
        check_parameters::<Hashed<5>>("HashedEmbedding, 1 row", random, &x, |rows, ids| {
            of_each(ids, &|id| summed(rows, &mut Hashed::<5>::rows_of(id)))
        });
        check_parameters::<Hashed<20>>("HashedEmbedding, 4 rows", random, &x, |rows, ids| {
            of_each(ids, &|id| summed(rows, &mut Hashed::<20>::rows_of(id)))
        });
        let two = |tables: &[f64], id: u16| {
            let (quotient, remainder) = (usize::from(id) / 3, 2 + usize::from(id) % 3);
            [0, 1, 2].map(|j| [tables[quotient * 3 + j], tables[remainder * 3 + j]])
        };
        check_parameters::<Split<Added>>("QuotientRemainder, Added", random, &x, |tables, ids| {
            of_each(ids, &|id| two(tables, id).map(|[q, r]| q + r))
        });
        check_parameters::<Split<Multiplied>>("QuotientRemainder, Multiplied", random, &x, |tables, ids| {
            of_each(ids, &|id| two(tables, id).map(|[q, r]| q * r))
        });
    }
}
