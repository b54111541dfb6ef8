//! Rows that are frozen keep their bits under every optimizer, and the rest learns as if they were constants.

use crate::common::image_of;
use nanoembed::image;
use nanoembed::internals::TableLayer;
use nanoembed::layers::options::Mean;
use nanoembed::layers::{Bag, Dense, Embedding, EmbeddingBag, Flatten, Frozen, FrozenRows, Layer, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{
    Adagrad, Adam, AdamW, Clip, Clipped, Exact, L2Decay, Momentum, Optimizer, RowwiseAdagrad, Sgd,
};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

const ROWS: usize = 40;
const DIM: usize = 5;
type Words = Embedding<3, ROWS, DIM>;
type Bags = EmbeddingBag<4, ROWS, DIM, Mean>;
type Behind = sequential![Flatten<3, DIM, 15>, Dense<15, 1, Sigmoid>];
type Partly = sequential![FrozenRows<Words, 2>, Flatten<3, DIM, 15>, Dense<15, 1, Sigmoid>];
type Wholly = sequential![Frozen<Words>, Flatten<3, DIM, 15>, Dense<15, 1, Sigmoid>];
type Free = sequential![Words, Flatten<3, DIM, 15>, Dense<15, 1, Sigmoid>];
type PartlyBags = sequential![FrozenRows<Bags, 2>, Dense<DIM, 1, Sigmoid>];

fn initialised<M: Layer>() -> M {
    M::new(&mut Xoshiro128PlusPlus::seed_from_u64(8))
}

/// Examples of every row, several times.
fn examples() -> (Vec<[u16; 3]>, Vec<[f32; 1]>) {
    let ids: Vec<[u16; 3]> = (0..60).map(|i| [i, 7 * i + 3, i * i].map(|id| id % ROWS as u16)).collect();
    let labels = ids.iter().map(|ids| [f32::from(ids[0] % 2)]).collect();
    (ids, labels)
}

fn train<M: Layer<Output = [f32; 1]>, O: Optimizer>(
    model: &mut M,
    optimizer: O,
    x: &[M::Input],
    labels: &[[f32; 1]],
) {
    let mut trainer = Trainer::<M, O, _, 7>::new(optimizer, BinaryCrossEntropy::default());
    for _ in 0..4 {
        trainer.epoch(model, x, labels).expect("valid examples");
    }
}

fn is_kept(row: usize) -> bool {
    row % 3 == 1 || row == 32 || row == 39
}

fn freeze_some<L: TableLayer>(layer: &mut FrozenRows<L, 2>) {
    (0..ROWS).filter(|row| is_kept(*row)).for_each(|row| layer.freeze(row).expect("a row"));
}

fn assert_kept(what: &str, before: &[[f32; DIM]; ROWS], after: &[[f32; DIM]; ROWS]) {
    for (row, (before, after)) in before.iter().zip(after).enumerate() {
        let same = before.map(f32::to_bits) == after.map(f32::to_bits);
        assert_eq!(same, is_kept(row), "{what}: row {row}");
    }
}

fn check<O: Optimizer + Copy>(optimizer: O) {
    let (ids, labels) = examples();
    let mut model = initialised::<Partly>();
    freeze_some(&mut model.first);
    let before = model.first.layer.rows;
    train(&mut model, optimizer, &ids, &labels);
    assert_kept(O::NAME, &before, &model.first.layer.rows);

    let bags: Vec<Bag<4>> =
        ids.iter().map(|ids| Bag::from_first(ids.iter().copied().chain([ids[0]]))).collect();
    let mut model = initialised::<PartlyBags>();
    freeze_some(&mut model.first);
    let before = model.first.layer.rows;
    train(&mut model, optimizer, &bags, &labels);
    assert_kept(O::NAME, &before, &model.first.layer.rows);

    // All rows frozen: what is behind learns as behind a frozen layer. None: all learns as without the wrapper.
    let (mut all, mut wholly) = (initialised::<Partly>(), initialised::<Wholly>());
    (0..ROWS).for_each(|row| all.first.freeze(row).expect("a row"));
    train(&mut all, optimizer, &ids, &labels);
    train(&mut wholly, optimizer, &ids, &labels);
    let same = |a: &Behind, b: &Behind| assert_eq!(image_of(a), image_of(b), "{}", O::NAME);
    same(&all.second, &wholly.second);
    let (mut none, mut free) = (initialised::<Partly>(), initialised::<Free>());
    train(&mut none, optimizer, &ids, &labels);
    train(&mut free, optimizer, &ids, &labels);
    same(&none.second, &free.second);
    assert_eq!(none.first.layer.rows.as_numbers(), free.first.rows.as_numbers(), "{}", O::NAME);
}

#[test]
fn frozen_rows_keep_their_bits() {
    let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    check(Sgd { learning_rate: 0.5 });
    check(Momentum { learning_rate: 0.5, ..Momentum::default() });
    check(adam);
    check(Adagrad::default());
    check(RowwiseAdagrad::default());
}

#[test]
fn nor_do_exact_forms_decay_and_norms_reach_them() {
    let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    let adamw = AdamW { optimizer: adam, weight_decay: 0.05 };
    check(Exact(Momentum { learning_rate: 0.5, ..Momentum::default() }));
    check(Exact(adamw));
    check(L2Decay { optimizer: Sgd { learning_rate: 0.5 }, weight_decay: 0.05 });
    check(Exact(Clipped { optimizer: adamw, clip: Clip::GlobalNorm(0.01), keras3_duplicates: false }));
    check(Clipped { optimizer: adam, clip: Clip::GlobalNorm(0.01), keras3_duplicates: true });
}

#[test]
fn a_row_that_is_thawed_learns_again() {
    let (ids, labels) = examples();
    let mut model = initialised::<Partly>();
    freeze_some(&mut model.first);
    model.first.thaw(1).expect("a row");
    assert!(!model.first.is_frozen(1) && model.first.is_frozen(4));
    let before = model.first.layer.rows;
    train(&mut model, Sgd { learning_rate: 0.5 }, &ids, &labels);
    assert_ne!(model.first.layer.rows[1], before[1]);
    assert_eq!(model.first.layer.rows[4], before[4]);
    assert!(model.first.thaw(ROWS).is_err() && !model.first.is_frozen(ROWS));
}

/// An exact form has nothing to make up for in the steps for which a row was frozen: neither momentum nor decay.
#[test]
fn a_row_that_is_thawed_owes_nothing() {
    let (ids, labels) = examples();
    let decaying = AdamW { optimizer: Adam { learning_rate: 0.01, ..Adam::default() }, weight_decay: 0.1 };
    let mut model = initialised::<Partly>();
    let mut trainer = Trainer::<_, _, _, 4>::new(Exact(decaying), BinaryCrossEntropy::default());
    trainer.epoch(&mut model, &ids, &labels).expect("good ids and labels");
    freeze_some(&mut model.first);
    let before = model.first.layer.rows;
    for _ in 0..50 {
        trainer.epoch(&mut model, &ids, &labels).expect("good ids and labels");
    }
    for row in (0..ROWS).filter(|row| is_kept(*row)) {
        model.first.thaw(row).expect("a row");
    }
    trainer.flush(&mut model);
    let kept = || (0..ROWS).filter(|row| is_kept(*row));
    assert!(kept().count() > 0 && kept().all(|row| model.first.layer.rows[row] == before[row]));
}

#[test]
fn images_and_checkpoints_know_the_rows() {
    let mut model = initialised::<Partly>();
    freeze_some(&mut model.first);
    let mut same = Partly::zeroed();
    image::read_into(&image_of(&model), &mut same).expect("an image");
    assert!((0..ROWS).all(|row| same.first.is_frozen(row) == is_kept(row)));
    assert!(image::read_into(&image_of(&model), &mut Free::zeroed()).is_err());
}
