//! Epochs of one bag a step, which have a quick way: the bits of steps that are taken one by one.

use super::Owned;
use crate::common::bits;
use nanoembed::layers::ActivationKind;
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels, SparseCategoricalCrossEntropy};
use nanoembed::models::{All, BatchSize, Input, LayerKind, Recipe, Record, Source, Trainer};
use nanoembed::optim::{Adagrad, Adam, AnyOptimizer, Clip, Clipped, PolynomialDecay, Scheduled, Sgd};
use nanoembed::train::{Report, TrainError};
use proptest::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::ops::ControlFlow;

const ROWS: usize = 23;

/// Bags and what they are to give.
#[derive(Clone, Debug)]
struct Texts {
    ids: Vec<u32>,
    offsets: Vec<u32>,
    classes: Vec<u16>,
    targets: Vec<f32>,
}

impl Texts {
    fn of(bags: &[Vec<u32>], units: usize) -> Self {
        let mut texts = Self { ids: Vec::new(), offsets: vec![0], classes: Vec::new(), targets: Vec::new() };
        for (number, bag) in bags.iter().enumerate() {
            texts.ids.extend(bag);
            texts.offsets.push(texts.ids.len() as u32);
            texts.classes.push((number * 7 % units) as u16);
            texts.targets.extend((0..units).map(|unit| ((number + unit) % 2) as f32));
        }
        texts
    }

    fn bag(&self, number: usize) -> &[u32] {
        &self.ids[self.offsets[number] as usize..self.offsets[number + 1] as usize]
    }
}

/// The bits of parameters and of the optimizer's state, and the report of the first step.
type Learnt = (Vec<u32>, Vec<u32>, Option<Report>);

/// One way of learning from texts.
fn learnt(
    records: &[Record],
    optimizer: &dyn AnyOptimizer,
    (texts, units): (&Texts, usize),
    by_epoch: bool,
) -> Result<Learnt, TrainError> {
    let recipe = Recipe::<All>::new(records).expect("layers that fit");
    let by_class = records[1].options[1] == ActivationKind::Softmax as u16;
    let loss = if by_class {
        AnyLoss::from(SparseCategoricalCrossEntropy)
    } else {
        BinaryCrossEntropy::default().into()
    };
    let size = BatchSize { examples: 1, ids_per_bag: 40 };
    let mut owned = Owned::new(recipe, optimizer, loss, size);
    let mut parameters = vec![0.0; recipe.parameters()];
    recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(5)).expect("all parameters");
    let mut first = None;
    {
        let mut trainer =
            Trainer::new(recipe, optimizer, loss, size, owned.memory()).expect("a loss that fits");
        trainer.set_shuffle(false);
        for _ in 0..2 {
            if by_epoch {
                let inputs = [Input::Bags { ids: &texts.ids, offsets: &texts.offsets }];
                let labels =
                    if by_class { Labels::classes(&texts.classes) } else { Labels::numbers(&texts.targets) };
                trainer.epoch_with(&mut parameters, &inputs, &labels, texts.classes.len(), |so_far| {
                    first.get_or_insert(so_far);
                })?;
            } else {
                for number in 0..texts.classes.len() {
                    let bag = texts.bag(number);
                    let inputs = [Input::Bags { ids: bag, offsets: &[0, bag.len() as u32] }];
                    let labels = if by_class {
                        Labels::classes(&texts.classes[number..=number])
                    } else {
                        Labels::numbers(&texts.targets[number * units..(number + 1) * units])
                    };
                    first.get_or_insert(trainer.step(&mut parameters, &inputs, &labels, 1)?);
                }
            }
        }
    }
    Ok((bits(&parameters), bits(&owned.slots), first))
}

fn optimizers() -> Vec<Box<dyn AnyOptimizer>> {
    let sgd = Sgd { learning_rate: 0.5 };
    let schedule =
        PolynomialDecay { initial_learning_rate: 0.5, decay_steps: 30, end_learning_rate: 0.0, power: 1.0 };
    vec![
        Box::new(sgd),
        Box::new(Scheduled { optimizer: sgd, schedule }),
        Box::new(Adam { learning_rate: 0.05, ..Adam::default() }),
        Box::new(Adagrad::default()),
        Box::new(Clipped { optimizer: sgd, clip: Clip::GlobalNorm(0.01), keras3_duplicates: false }),
        Box::new(Clipped { optimizer: sgd, clip: Clip::GlobalNorm(0.01), keras3_duplicates: true }),
        Box::new(Clipped { optimizer: Adam::default(), clip: Clip::Value(0.001), keras3_duplicates: true }),
    ]
}

fn records(dim: usize, units: usize, pooling: u16, activation: ActivationKind) -> [Record; 2] {
    [
        Record::new(LayerKind::EmbeddingBag, &[ROWS, dim]).options([pooling, 0, 0]).from(Source::Input(0)),
        Record::new(LayerKind::Dense, &[dim, units]).activation(activation),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Rows repeat, bags are in order or not, empty, or longer than what insertion sorts.
    #[test]
    fn an_epoch_has_the_bits_of_its_steps(
        mut bags in proptest::collection::vec(proptest::collection::vec(0..ROWS as u32, 0..40), 1..6),
        (in_order, pooling, softmax) in (any::<bool>(), 0..3_u16, any::<bool>()),
        (dim, units) in (1..35_usize, 2..9_usize),
        optimizer in 0..7_usize,
    ) {
        if in_order {
            for bag in &mut bags {
                bag.sort_unstable();
            }
        }
        let activation = if softmax { ActivationKind::Softmax } else { ActivationKind::Sigmoid };
        let (records, texts) = (records(dim, units, pooling, activation), Texts::of(&bags, units));
        let optimizer = optimizers().swap_remove(optimizer);
        let steps = learnt(&records, &*optimizer, (&texts, units), false);
        prop_assert_eq!(learnt(&records, &*optimizer, (&texts, units), true), steps);
    }
}

#[test]
fn a_loss_that_overflows_is_told_as_by_a_step() {
    let records = records(3, 2, 1, ActivationKind::Softmax);
    let texts = Texts::of(&vec![vec![1, 1, 2, 3, 5, 8]; 30], 2);
    let sgd = Sgd { learning_rate: 1e30 };
    let steps = learnt(&records, &sgd, (&texts, 2), false);
    assert!(matches!(steps, Err(TrainError::NotFinite { .. })), "{steps:?}");
    assert_eq!(learnt(&records, &sgd, (&texts, 2), true), steps);
}

#[test]
fn an_epoch_can_be_ended_after_any_step() {
    let records = records(4, 3, 0, ActivationKind::Softmax);
    let recipe = Recipe::<All>::new(&records).expect("layers that fit");
    let (sgd, loss) = (Sgd { learning_rate: 0.1 }, AnyLoss::from(SparseCategoricalCrossEntropy));
    let texts = Texts::of(&vec![vec![3, 1, 4]; 7], 3);
    let inputs = [Input::Bags { ids: &texts.ids, offsets: &texts.offsets }];
    for examples in [1, 2] {
        let size = BatchSize { examples, ids_per_bag: 3 };
        let mut owned = Owned::new(recipe, &sgd, loss, size);
        let mut trainer = Trainer::new(recipe, &sgd, loss, size, owned.memory()).expect("a loss that fits");
        let mut parameters = vec![0.0; recipe.parameters()];
        recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(5)).expect("all parameters");
        let mut epoch = |steps: u32| {
            let mut left = steps;
            let labels = Labels::classes(&texts.classes);
            let report = trainer.epoch_until(&mut parameters, &inputs, &labels, 7, |so_far| {
                assert!(so_far.loss.is_finite());
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            (report.expect("good data").examples, trainer.steps(), trainer.epochs())
        };
        assert_eq!(epoch(3), (3 * examples, 3, 0));
        let all = 7_u32.div_ceil(examples as u32);
        assert_eq!(epoch(100), (7, 3 + all, 1));
        // An epoch that is ended after its last step is not counted either.
        assert_eq!(epoch(all), (7, 3 + 2 * all, 1));
    }
}
