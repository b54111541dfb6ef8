//! Training that is resumed from a checkpoint gives the bits of training that never stopped; what is not an unharmed checkpoint
//! of this training is refused and changes nothing.

use crate::common::{checkpoint_of, image_of, parameters};
use crate::images::resealed;
use nanoembed::image::{ImageError, SectionError};
use nanoembed::internals::Kind;
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Bytes, Dense, Embedding, EmbeddingBag, Flatten, Frozen, Layer, Parameters, Sigmoid, Tanh,
};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AdamW, AmsGrad, Clip, Clipped, Exact, Momentum, Nadam, Optimizer, RmsProp,
    RowwiseAdagrad, Series, Sgd,
};
use nanoembed::sequential;
use nanoembed::train::{Report, TrainError, Trainer};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

const EPOCHS: usize = 6;
const EXAMPLES: usize = 13;
const BATCH: usize = 4;

type Model = sequential![Embedding<4, 20, 3, u16, MaskZero>, Flatten<4, 3, 12>, Dense<12, 5, Tanh>, Dense<5, 1, Sigmoid>];
type Training<M, O> = Trainer<M, O, BinaryCrossEntropy, BATCH>;

fn examples() -> (Vec<[u16; 4]>, Vec<[f32; 1]>) {
    let random = &mut Xoshiro128PlusPlus::seed_from_u64(3);
    let mut draw = |n: u32| random.next_u32() % n;
    // Few of the rows in a batch, so that rows wait for many steps; row 19 never occurs.
    let ids = (0..EXAMPLES).map(|_| std::array::from_fn(|_| draw(19) as u16)).collect();
    (ids, (0..EXAMPLES).map(|_| [draw(2) as f32]).collect())
}

fn initial<M: Layer>() -> M {
    M::new(&mut Xoshiro128PlusPlus::seed_from_u64(7))
}

fn trainer<O: Optimizer>(optimizer: O, shuffle: bool) -> Training<Model, O> {
    let mut trainer = Training::new(optimizer, BinaryCrossEntropy::default());
    trainer.set_shuffle(shuffle);
    trainer
}

/// Report, model and checkpoint after each epoch.
type Course = Vec<(Report, Vec<u8>, Vec<u8>)>;

fn run<O: Optimizer>(trainer: &mut Training<Model, O>, model: &mut Model, epochs: usize) -> Course {
    let (ids, labels) = examples();
    let epoch = |_| {
        let report = trainer.epoch(model, &ids, &labels).expect("valid examples");
        (report, image_of(model), checkpoint_of(trainer, model))
    };
    (0..epochs).map(epoch).collect()
}

fn check_resume<O: Optimizer + Copy>(optimizer: O, shuffle: bool) {
    let (mut whole, mut model) = (trainer(optimizer, shuffle), initial::<Model>());
    whole.set_seed(11);
    let start = checkpoint_of(&whole, &model);
    let course = run(&mut whole, &mut model, EPOCHS);
    let losses: Vec<f32> = course.iter().map(|(report, ..)| report.loss).collect();
    assert!(losses[EPOCHS - 1] < losses[0], "it learns: {losses:?}");

    let checkpoints = std::iter::once(&start).chain(course.iter().map(|(.., checkpoint)| checkpoint));
    // Each is resumed on a new trainer, which has another seed, and on one that has trained something else.
    let (mut used, mut used_model) = (trainer(optimizer, shuffle), initial::<Model>());
    run(&mut used, &mut used_model, 2);
    for (done, stored) in checkpoints.enumerate() {
        let (mut fresh, mut model) = (trainer(optimizer, shuffle), Model::zeroed());
        for (trainer, model) in [(&mut fresh, &mut model), (&mut used, &mut used_model)] {
            trainer.resume(model, stored).expect("its own checkpoint");
            assert_eq!(&checkpoint_of(trainer, model), stored, "resuming loses nothing");
            assert_eq!(
                (trainer.epochs() as usize, trainer.steps() as usize),
                (done, done * EXAMPLES.div_ceil(BATCH))
            );
            assert!(run(trainer, model, EPOCHS - done) == course[done..], "{} from epoch {done}", O::NAME);
        }
    }
}

fn adam() -> Adam {
    Adam { learning_rate: 0.02, ..Adam::default() }
}

fn momentum() -> Momentum {
    Momentum { learning_rate: 0.1, nesterov: true, ..Momentum::default() }
}

#[test]
fn resumed_training_has_the_bits_of_one_that_never_stopped() {
    for shuffle in [true, false] {
        check_resume(Sgd { learning_rate: 0.5 }, shuffle);
        check_resume(momentum(), shuffle);
        check_resume(adam(), shuffle);
        check_resume(Adam { keras3_duplicates: true, ..adam() }, shuffle);
        check_resume(Exact(adam()), shuffle);
        check_resume(Exact(momentum()), shuffle);
        check_resume(Adagrad { learning_rate: 0.1, ..Adagrad::default() }, shuffle);
        check_resume(RowwiseAdagrad { learning_rate: 0.1, ..RowwiseAdagrad::default() }, shuffle);
        check_resume(Exact(RmsProp { learning_rate: 0.02, ..RmsProp::default() }), shuffle);
        check_resume(Exact(AmsGrad(adam())), shuffle);
        check_resume(Exact(Nadam { learning_rate: 0.02, ..Nadam::default() }), shuffle);
        check_resume(Series(adam()), shuffle);
        check_resume(Series(AmsGrad(adam())), shuffle);
        check_resume(Series(Nadam { learning_rate: 0.02, ..Nadam::default() }), shuffle);
        check_resume(Series(AdamW { optimizer: adam(), weight_decay: 0.05 }), shuffle);
        let optimizer = AdamW { optimizer: adam(), weight_decay: 0.05 };
        let clip = Clip::GlobalNorm(0.5);
        check_resume(Exact(Clipped { optimizer, clip, keras3_duplicates: true }), shuffle);
    }
}

/// Optimizers that keep as many numbers in other meanings do not read each other's checkpoints.
#[test]
fn checkpoints_of_other_optimizers_are_refused() {
    let (mut of_adam, mut model) = (trainer(adam(), true), initial::<Model>());
    let stored = run(&mut of_adam, &mut model, 1).remove(0).2;
    refuse(&mut trainer(Nadam::default(), true), &mut model, &stored, "Adam's for Nadam");
    refuse(&mut trainer(Adadelta::default(), true), &mut model, &stored, "Adam's for Adadelta");
    refuse(&mut trainer(AmsGrad::default(), true), &mut model, &stored, "Adam's for AMSGrad");
    let mut of_momentum = trainer(momentum(), true);
    let stored = run(&mut of_momentum, &mut model, 1).remove(0).2;
    refuse(&mut trainer(Adagrad::default(), true), &mut model, &stored, "momentum's for Adagrad");
    refuse(&mut trainer(RmsProp::default(), true), &mut model, &stored, "momentum's for RMSprop");
}

/// A step of plain gradient descent by the norm of all gradients is as long as the limit.
#[test]
fn the_global_norm_is_that_of_all_layers() {
    let (ids, labels) = examples();
    let step = |limit: f32| {
        let optimizer = Sgd { learning_rate: 1.0 };
        let clipped = Clipped { optimizer, clip: Clip::GlobalNorm(limit), keras3_duplicates: false };
        let (mut trainer, mut model) = (trainer(clipped, false), initial::<Model>());
        let before = parameters(&model);
        trainer.step(&mut model, &ids[..BATCH], &labels[..BATCH]).expect("valid examples");
        let moved: Vec<f32> = parameters(&model).iter().zip(&before).map(|(a, b)| a - b).collect();
        let length = moved.iter().map(|x| f64::from(x * x)).sum::<f64>().sqrt();
        (moved, length)
    };
    let (free, length) = step(f32::MAX);
    let (clipped, clipped_length) = step(length as f32 / 10.0);
    assert!((clipped_length * 10.0 / length - 1.0).abs() <= 1e-4, "{clipped_length} of {length}");
    for (clipped, free) in clipped.iter().zip(&free) {
        assert!((clipped * 10.0 - free).abs() <= 1e-5, "{clipped} and {free}: one direction");
    }
    let (same, _) = step(length as f32 * 1.01);
    assert_eq!(same, free, "what is short enough is left alone");
}

/// Also between two steps of an epoch, where rows of an exact optimizer wait to be caught up.
fn check_resume_between_steps<O: Optimizer + Copy>(optimizer: O) {
    let (ids, labels) = examples();
    let (mut whole, mut model) = (trainer(optimizer, true), initial::<Model>());
    let mut stored = Vec::new();
    for step in 0..30 {
        stored.push(checkpoint_of(&whole, &model));
        let (ids, labels) = (&ids[step % 10..][..3], &labels[step % 10..][..3]);
        whole.step(&mut model, ids, labels).expect("valid examples");
    }
    whole.flush(&mut model);
    for (done, stored) in stored.iter().enumerate() {
        let (mut trainer, mut resumed) = (trainer(optimizer, true), Model::zeroed());
        trainer.resume(&mut resumed, stored).expect("its own checkpoint");
        for step in done..30 {
            let (ids, labels) = (&ids[step % 10..][..3], &labels[step % 10..][..3]);
            trainer.step(&mut resumed, ids, labels).expect("valid examples");
        }
        trainer.flush(&mut resumed);
        assert!(checkpoint_of(&trainer, &resumed) == checkpoint_of(&whole, &model), "from step {done}");
    }
}

#[test]
fn training_is_resumed_between_steps() {
    check_resume_between_steps(Exact(adam()));
    check_resume_between_steps(Series(adam()));
    check_resume_between_steps(Series(AdamW { optimizer: adam(), weight_decay: 0.05 }));
}

/// An optimizer whose looks count is not flushed by `resume`, and says so; and it goes on from a checkpoint of the replay, which
/// keeps the same state.
#[test]
fn sums_wait_for_a_flush_after_resuming() {
    let (ids, labels) = examples();
    let (mut of_exact, mut model) = (trainer(Exact(adam()), true), initial::<Model>());
    let stored = run(&mut of_exact, &mut model, 1).remove(0).2;
    let (mut of_sums, mut resumed) = (trainer(Series(adam()), true), Model::zeroed());
    of_sums.resume(&mut resumed, &stored).expect("a checkpoint of the same state");
    assert_eq!(of_sums.evaluate(&resumed, &ids, &labels), Err(TrainError::NotFlushed));
    of_sums.flush(&mut resumed);
    assert_eq!(parameters(&resumed), parameters(&model), "all rows were up to date");
    of_sums.evaluate(&resumed, &ids, &labels).expect("flushed");
}

/// Tries bytes on a trainer that has trained: refused, with no trace.
fn refuse<M: Layer<Output = [f32; 1]>, O: Optimizer>(
    trainer: &mut Training<M, O>,
    model: &mut M,
    stored: &[u8],
    what: &str,
) -> ImageError {
    let before = checkpoint_of(trainer, model);
    let error = trainer.resume(model, stored).expect_err(what);
    assert!(checkpoint_of(trainer, model) == before, "{what} left a trace");
    error
}

#[test]
fn a_harmed_checkpoint_is_refused() {
    let (mut trainer, mut model) = (trainer(Exact(adam()), true), initial::<Model>());
    let stored = run(&mut trainer, &mut model, 1).remove(0).2;
    run(&mut trainer, &mut model, 1);
    for place in 0..stored.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut harmed = stored.clone();
            harmed[place] ^= change;
            refuse(&mut trainer, &mut model, &harmed, "a changed byte");
        }
        refuse(&mut trainer, &mut model, &stored[..place], "a truncated checkpoint");
    }
    for more in 1..70 {
        let mut extended = stored.clone();
        extended.resize(stored.len() + more, 0);
        refuse(&mut trainer, &mut model, &extended, "an extended checkpoint");
    }
    trainer.resume(&mut model, &stored).expect("the unharmed checkpoint");
    assert_eq!(checkpoint_of(&trainer, &model), stored);
}

/// Sealed again, so that the checksum is right: sections of other lengths, or parameters that lie elsewhere.
#[test]
fn a_checkpoint_whose_sections_are_not_its_own_is_refused() {
    let (mut trainer, mut model) = (trainer(Exact(adam()), true), initial::<Model>());
    let stored = checkpoint_of(&trainer, &model);
    run(&mut trainer, &mut model, 1);
    // The list has three entries: recipe, parameters, training.
    let (parameters, training) = (64 + 24, 64 + 48);
    let number = |at: usize| u64::from_le_bytes(stored[at..at + 8].try_into().unwrap());
    let changed = |changes: &[(usize, u64)]| {
        let mut changed = stored.clone();
        for (at, number) in changes {
            changed[*at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        resealed(changed)
    };
    assert_eq!(changed(&[]), stored);
    assert_eq!(number(parameters + 8), number(40), "the header says where the parameters lie");
    let (offset, length) = (number(training + 8), number(training + 16));
    for (changes, what) in [
        (vec![(parameters + 16, number(parameters + 16) - 4)], "too few parameters"),
        (vec![(training + 8, offset + 64), (training + 16, length - 64)], "a gap before the slots"),
        (vec![(parameters + 16, 0)], "no parameters"),
        (vec![(training + 16, length - 4)], "bytes after the slots"),
        (vec![(40, number(40) + 64)], "parameters elsewhere"),
        (vec![(40, 64)], "parameters in the list"),
    ] {
        refuse(&mut trainer, &mut model, &changed(&changes), what);
    }
    // As long as it was, but with 64 bytes of the slots among the parameters.
    let moved = changed(&[
        (parameters + 16, offset + 64 - number(40)),
        (training + 8, offset + 64),
        (training + 16, length - 64),
    ]);
    let error = refuse(&mut trainer, &mut model, &moved, "slots among the parameters");
    assert_eq!(error, ImageError::Section { kind: 2, error: SectionError::Content });
}

fn stored<M: Layer<Output = [f32; 1]>, O: Optimizer>(optimizer: O) -> Vec<u8> {
    let trainer = Training::<M, O>::new(optimizer, BinaryCrossEntropy::default());
    checkpoint_of(&trainer, &initial::<M>())
}

fn check_others<M: Layer<Output = [f32; 1]>, O: Optimizer + Copy>(optimizer: O, others: &[(&str, Vec<u8>)]) {
    let mut trainer = Training::<M, O>::new(optimizer, BinaryCrossEntropy::default());
    let mut model = initial::<M>();
    for (what, other) in others {
        let error = refuse(&mut trainer, &mut model, other, what);
        assert!(matches!(error, ImageError::Fingerprint { .. }), "{what}: {error}");
    }
    let error = refuse(&mut trainer, &mut model, &image_of(&initial::<M>()), "an image");
    assert!(matches!(error, ImageError::Kind { expected: Kind::Checkpoint, found: 1 }), "{error}");
}

#[test]
fn a_checkpoint_of_other_training_is_refused() {
    type Unmasked =
        sequential![Embedding<4, 20, 3>, Flatten<4, 3, 12>, Dense<12, 5, Tanh>, Dense<5, 1, Sigmoid>];
    type Wider = sequential![Embedding<4, 21, 3, u16, MaskZero>, Flatten<4, 3, 12>, Dense<12, 5, Tanh>, Dense<5, 1, Sigmoid>];
    type Other = sequential![Embedding<4, 20, 3, u16, MaskZero>, Flatten<4, 3, 12>, Dense<12, 5>, Dense<5, 1, Sigmoid>];
    type Shaped = sequential![EmbeddingBag<4, 20, 3>, Dense<3, 1, Sigmoid>];
    let models = |optimizer| {
        [
            ("no mask", stored::<Unmasked, _>(optimizer)),
            ("another number of rows", stored::<Wider, _>(optimizer)),
            ("another activation", stored::<Other, _>(optimizer)),
            ("another model", stored::<Shaped, _>(optimizer)),
        ]
    };
    check_others::<Model, _>(adam(), &models(adam()));
    let optimizers = [
        ("sgd", stored::<Model, _>(Sgd::default())),
        ("momentum", stored::<Model, _>(momentum())),
        ("adam", stored::<Model, _>(adam())),
        ("exact momentum", stored::<Model, _>(Exact(momentum()))),
        ("exact adam", stored::<Model, _>(Exact(adam()))),
    ];
    let others = |own: &str| optimizers.iter().filter(|(name, _)| *name != own).cloned().collect::<Vec<_>>();
    check_others::<Model, _>(Sgd::default(), &others("sgd"));
    check_others::<Model, _>(momentum(), &others("momentum"));
    check_others::<Model, _>(adam(), &others("adam"));
    check_others::<Model, _>(Exact(momentum()), &others("exact momentum"));
    check_others::<Model, _>(Exact(adam()), &others("exact adam"));
}

/// The same parameters and as many slots, but of other layers.
#[test]
fn a_checkpoint_of_other_frozen_layers_is_refused() {
    type First = sequential![Embedding<1, 2, 1>, Flatten<1, 1, 1>, Frozen<Dense<1, 1, Sigmoid>>];
    type Last = sequential![Frozen<Embedding<1, 2, 1>>, Flatten<1, 1, 1>, Dense<1, 1, Sigmoid>];
    assert_eq!(<First as Parameters>::Slots::<Adam>::BYTES, <Last as Parameters>::Slots::<Adam>::BYTES);
    check_others::<First, _>(adam(), &[("frozen in front", stored::<Last, _>(adam()))]);
    check_others::<Last, _>(adam(), &[("frozen behind", stored::<First, _>(adam()))]);
}

/// A buffer of another length is refused before anything is written to it.
#[test]
fn a_buffer_of_another_length_is_refused() {
    let (trainer, model) = (trainer(adam(), true), initial::<Model>());
    let size = Training::<Model, Adam>::CHECKPOINT_SIZE;
    for length in [0, 1, 63, 64, 65, size - 1, size + 1] {
        let mut out = vec![7; length];
        let error = ImageError::Length { expected: size, found: length };
        assert_eq!(trainer.checkpoint(&model, &mut out), Err(error));
        assert!(out.iter().all(|byte| *byte == 7));
    }
}
