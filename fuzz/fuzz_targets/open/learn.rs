//! One step of training of whatever ends with a vector.

use crate::{BAG, EXAMPLES, Owned, Random, bits};
use nanoembed::loss::{AnyLoss, Labels, MeanSquaredError};
use nanoembed::models::{
    All, BatchSize, Input, Memory, Model, Shape, Trainer, TrainingLengths, UnfitTraining,
};
use nanoembed::optim::{Adam, AnyOptimizer, Clip, Clipped, Exact, Momentum, RowwiseAdagrad, Sgd};
use nanoembed::train::TrainError;

const SIZE: BatchSize = BatchSize { examples: EXAMPLES, ids_per_bag: BAG };

/// Memory of a trainer that held this before.
struct Room {
    numbers: Vec<f32>,
    masks: Vec<bool>,
    slots: Vec<f32>,
}

impl Room {
    fn new(lengths: TrainingLengths, held: f32) -> Self {
        let TrainingLengths { numbers, masks, slots } = lengths;
        Self { numbers: vec![held; numbers], masks: vec![held > 0.0; masks], slots: vec![held; slots] }
    }

    fn lend(&mut self) -> Memory<'_> {
        Memory { numbers: &mut self.numbers, masks: &mut self.masks, slots: &mut self.slots }
    }
}

/// What comes of a step: the parameters and the checkpoint, or why there was none.
type Outcome = Result<(Vec<u32>, Vec<u8>), TrainError>;

pub fn learn(model: &Model<'_, All>, inputs: &[Owned], random: &mut Random, is_finite: bool) {
    let adam = Adam::default();
    let optimizers: [&dyn AnyOptimizer; 6] = [
        &Sgd::default(),
        &Momentum::default(),
        &adam,
        &Exact(adam),
        &Clipped { optimizer: adam, clip: Clip::GlobalNorm(0.1), keras3_duplicates: false },
        &RowwiseAdagrad::default(),
    ];
    let optimizer = optimizers[random.next() as usize % optimizers.len()];
    let (recipe, loss) = (model.recipe(), AnyLoss::from(MeanSquaredError));
    let Some(lengths) = Trainer::lengths(recipe, optimizer, loss, SIZE) else { return };
    if lengths.numbers.max(lengths.slots).max(lengths.masks) >= 1 << 19 {
        return;
    }
    let units = recipe.output().numbers();
    let labels: Vec<f32> = (0..EXAMPLES * units).map(|_| random.number()).collect();
    let labels = Labels::numbers(&labels);
    let lent: Vec<Input<'_>> = inputs.iter().map(Owned::lend).collect();
    let step = |held: f32, lent: &[Input<'_>]| -> Option<Outcome> {
        let mut room = Room::new(lengths, held);
        for part in 0..3 {
            let Memory { mut numbers, mut masks, mut slots } = room.lend();
            let is_empty = [numbers.is_empty(), masks.is_empty(), slots.is_empty()][part];
            match part {
                0 => drop(numbers.split_off_first_mut()),
                1 => drop(masks.split_off_first_mut()),
                _ => drop(slots.split_off_first_mut()),
            }
            let memory = Memory { numbers, masks, slots };
            let found = Trainer::new(recipe, optimizer, loss, SIZE, memory);
            assert!(is_empty || found.is_err(), "too short by one");
        }
        let mut trainer = match Trainer::new(recipe, optimizer, loss, SIZE, room.lend()) {
            Ok(trainer) => trainer,
            Err(error) => {
                assert!(matches!(error, UnfitTraining::Output | UnfitTraining::Loss(_)), "{error}");
                return None;
            }
        };
        let mut parameters = model.parameters().to_vec();
        if let Err(error) = trainer.step(&mut parameters, lent, &labels, EXAMPLES) {
            assert!(!error.to_string().is_empty());
            assert_eq!(trainer.steps(), 0, "{error}");
            if !matches!(error, TrainError::NotFinite { .. }) {
                assert!(parameters.iter().zip(model.parameters()).all(|(a, b)| a.to_bits() == b.to_bits()));
                assert!(matches!(error, TrainError::NotInitialised), "{error}");
            }
            return Some(Err(error));
        }
        assert_eq!(trainer.steps(), 1);
        trainer.flush(&mut parameters);
        if is_finite {
            trainer.evaluate(&parameters, lent, &labels, EXAMPLES).expect("what was learnt from");
        }
        let mut checkpoint = vec![0; trainer.checkpoint_size()];
        trainer.checkpoint(&parameters, &mut checkpoint).expect("its own length");
        let learnt = bits(&parameters);
        parameters.fill(0.25);
        trainer.resume(&mut parameters, &checkpoint).expect("its own checkpoint");
        assert_eq!(bits(&parameters), learnt, "a checkpoint holds the parameters");
        // NaNs may have other bits from run to run.
        let is_number = parameters.iter().all(|x| !x.is_nan());
        Some(Ok((learnt, if is_number { checkpoint } else { Vec::new() })))
    };
    let Some(first) = step(f32::NAN, &lent) else { return };
    same(&first, &step(1.0, &lent).expect("the same trainer"));
    // Ids of 32 bits where those of 64 are taken.
    let wide: Vec<Option<Vec<u64>>> = inputs
        .iter()
        .zip(recipe.inputs())
        .map(|(input, shape)| match (input, shape) {
            (Owned::Ids(ids), Shape::LongIds(_)) => Some(ids.iter().map(|id| u64::from(*id)).collect()),
            _ => None,
        })
        .collect();
    if wide.iter().any(Option::is_some) {
        let lent: Vec<Input<'_>> = wide
            .iter()
            .zip(&lent)
            .map(|(wide, input)| wide.as_deref().map_or(*input, Input::LongIds))
            .collect();
        same(&first, &step(0.0, &lent).expect("the same trainer"));
    }
}

fn same(first: &Outcome, second: &Outcome) {
    match (first, second) {
        (Ok(first), Ok(second)) => assert!(first == second, "what memory held does not matter"),
        (Err(first), Err(second)) => assert_eq!(first.to_string(), second.to_string()),
        (first, second) => panic!("{:?} and then {:?}", first.as_ref().err(), second.as_ref().err()),
    }
}
