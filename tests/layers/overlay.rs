//! An overlay gives and learns what a table of its rows gives and learns; ids without a row count as if they were not there.

use crate::common::{Random, bits, draw, image_of};
use nanoembed::error::{CapacityExceeded, InputError, LabelError};
use nanoembed::image;
use nanoembed::internals::BagPooling;
use nanoembed::layers::options::{Mean, SqrtN, Sum};
use nanoembed::layers::{
    Activation, Add, Bag, Branches, Bytes, Corrected, Dense, EmbeddingBag, Input, Layer, OverlayBag, Packed,
    Pair, Softmax, U4Row,
};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::optim::{Adam, Clip, Clipped, Exact, Optimizer, RowwiseAdagrad, Sgd};
use nanoembed::sequential;
use nanoembed::train::{TrainError, Trainer};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

const ROWS: usize = 11;
const DIM: usize = 3;
type Overlay<P = Sum> = OverlayBag<6, ROWS, DIM, P>;

fn bytes_of<M: Bytes>(model: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.visit(&mut |part| bytes.extend_from_slice(part));
    bytes
}

/// Any list of ids: rows are given as a map would give them, all or none, and each id keeps its own.
fn admits(lists: &[Vec<u16>]) -> Result<(), TestCaseError> {
    let mut overlay = Overlay::<Sum>::zeroed();
    let mut expected = BTreeMap::new();
    for list in lists {
        let before = bytes_of(&overlay);
        let mut ids: Vec<u16> = list.clone();
        ids.retain(|id| !expected.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        let needed = expected.len() + ids.len();
        let result = overlay.admit(list.iter().copied());
        if needed > ROWS {
            let what = "rows of an overlay (ROWS)";
            prop_assert_eq!(result, Err(CapacityExceeded { what, capacity: ROWS, needed }));
            prop_assert!(bytes_of(&overlay) == before, "nothing is written on an error");
        } else {
            prop_assert_eq!(result, Ok(()));
            for id in ids {
                expected.insert(id, overlay.row_of(id).unwrap());
            }
        }
        prop_assert_eq!(overlay.free(), ROWS - expected.len());
        for id in 0..=u16::MAX {
            prop_assert_eq!(overlay.row_of(id), expected.get(&id).copied());
        }
        let mut rows: Vec<usize> = expected.values().copied().collect();
        rows.sort_unstable();
        rows.dedup();
        prop_assert!(rows.len() == expected.len() && rows.iter().all(|row| *row < ROWS));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn ids_are_given_rows(lists in prop::collection::vec(
        prop::collection::vec(prop_oneof![0..20_u16, any::<u16>(), Just(u16::MAX)], 0..9), 1..6,
    )) {
        admits(&lists)?;
    }
}

#[test]
fn ids_of_every_type() {
    let mut signed = OverlayBag::<4, 3, 1, Sum, i64>::zeroed();
    signed.admit([-1, 7, i64::from(u32::MAX), i64::from(u32::MAX) - 1]).unwrap();
    let rows = [-1, 7, i64::from(u32::MAX), i64::from(u32::MAX) - 1].map(|id| signed.row_of(id).is_some());
    assert_eq!((rows, signed.free()), ([false, true, false, true], 1));
    // Ids that no table has are not in the way.
    signed.admit([-5, -6, -7, i64::MAX, 9]).unwrap();
    assert_eq!(signed.free(), 0);
}

/// Bytes that no overlay writes: searches end, and give rows that there are.
#[test]
fn any_bytes_are_an_overlay() {
    let mut random = Random::seed_from_u64(5);
    for _ in 0..50 {
        let mut overlay = Overlay::<Sum>::zeroed();
        overlay.visit_mut(&mut |part| part.fill_with(|| (random.next_u32() % 3) as u8));
        overlay.visit_mut(&mut |part| part.iter_mut().skip(1).step_by(2).for_each(|byte| *byte = 0));
        for id in 0..1000 {
            assert!(overlay.row_of(id).is_none_or(|row| row < ROWS));
        }
        assert!(overlay.predict(&Bag::from_ids([1, 2, 1, 257, 0]).unwrap()).is_ok());
        let free = overlay.free();
        assert_eq!(overlay.admit(2000..2000 + free as u16), Ok(()));
        assert!(overlay.admit([3000]).is_err());
    }
}

/// The bag of rows that a bag of ids stands for.
fn renamed<P>(overlay: &Overlay<P>, bag: &Bag<6>) -> Bag<6> {
    Bag::from_first(bag.ids().iter().filter_map(|id| overlay.row_of(*id)).map(|row| row as u16))
}

type Behind<L> = sequential![L, Dense<DIM, 4, Softmax>];

/// Trains an overlay, and a table of its rows on bags of rows: the same bits all along.
fn learns_as_a_table<P: BagPooling, O: Optimizer + Copy>(optimizer: O) {
    let mut random = Random::seed_from_u64(3);
    let mut model = Behind::<Overlay<P>>::new(&mut random);
    let mut table = Behind::<EmbeddingBag<6, ROWS, DIM, P>>::zeroed();
    image::read_into(&image_of(&model.second), &mut table.second).unwrap();
    let mut trainer = Trainer::<_, _, _, 3>::new(optimizer, SparseCategoricalCrossEntropy);
    let mut reference = Trainer::<_, _, _, 3>::new(optimizer, SparseCategoricalCrossEntropy);
    for step in 0..40 {
        // More ids than rows: from some step on no more are admitted.
        let examples: Vec<(Bag<6>, u16)> = (0..=random.next_u32() % 3)
            .map(|_| {
                let ids = (0..random.next_u32() % 7)
                    .map(|_| (random.next_u32() % 16) as u16 * 4001)
                    .collect::<Vec<_>>();
                (Bag::from_ids(ids).unwrap(), (random.next_u32() % 4) as u16)
            })
            .collect();
        for (bag, _) in &examples {
            let before = model.first.free();
            let admitted = model.first.admit(bag.ids().iter().copied());
            assert!(admitted.is_ok() || before < 6);
        }
        let (x, labels): (Vec<_>, Vec<_>) = examples.into_iter().unzip();
        let rows: Vec<Bag<6>> = x.iter().map(|bag| renamed(&model.first, bag)).collect();
        let report = trainer.step(&mut model, &x, &labels).unwrap();
        let expected = reference.step(&mut table, &rows, &labels).unwrap();
        assert_eq!(report, expected, "step {step}");
        trainer.flush(&mut model);
        reference.flush(&mut table);
        assert_eq!(
            bits(model.first.rows.as_flattened()),
            bits(table.first.rows.as_flattened()),
            "step {step}"
        );
        assert_eq!(bytes_of(&model.second), bytes_of(&table.second), "step {step}");
        for (bag, rows) in x.iter().zip(&rows) {
            assert_eq!(bits(&model.predict(bag).unwrap()), bits(&table.predict(rows).unwrap()));
        }
    }
    assert!(model.first.free() < 5, "most ids were admitted");
}

#[test]
fn an_overlay_learns_as_a_table_of_its_rows() {
    let adam = Adam { learning_rate: 0.05, ..Adam::default() };
    learns_as_a_table::<Sum, _>(Sgd { learning_rate: 0.1 });
    learns_as_a_table::<Mean, _>(RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() });
    learns_as_a_table::<SqrtN, _>(adam);
    learns_as_a_table::<Mean, _>(Exact(adam));
    learns_as_a_table::<Sum, _>(Clipped {
        optimizer: adam,
        clip: Clip::GlobalNorm(0.2),
        keras3_duplicates: false,
    });
}

/// The bytes of an image at an address that models are opened at.
#[cfg(feature = "alloc")]
fn aligned(image: &[u8]) -> Vec<u32> {
    image.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// An overlay in an image opens without its type, and gives the same bits.
#[test]
#[cfg(feature = "alloc")]
fn an_image_of_an_overlay_opens_without_its_type() {
    use nanoembed::models::{self, All, Workspace};
    use nanoembed::table::Pooling;
    use nanoembed::zerocopy::IntoBytes;
    fn check<P: BagPooling>() {
        let mut random = Random::seed_from_u64(P::POOLING as u64);
        let mut overlay = Overlay::<P>::zeroed();
        overlay.admit([5, 400, 65_535, 17]).unwrap();
        overlay.rows.as_flattened_mut().fill_with(|| draw(&mut random));
        let image = image_of(&overlay);
        let mut same = Overlay::<P>::zeroed();
        image::read_into(&image, &mut same).unwrap();
        assert!(bytes_of(&same) == bytes_of(&overlay));
        let aligned = aligned(&image);
        let model = models::open::<All>(aligned.as_bytes()).unwrap();
        let mut buffers = model.recipe().workspace(3).unwrap().buffers();
        let ids = [17, 17, 3, 5, 65_535, 400, 1];
        let mut y = [f32::NAN; 3 * DIM];
        let input = models::Input::Bags { ids: &ids, offsets: &[0, 6, 6, 7] };
        let Workspace { numbers, masks } = buffers.workspace();
        model.predict(&[input], &mut Workspace { numbers, masks }, &mut y).unwrap();
        let expected =
            overlay.predict(&Bag::from_ids(ids[..6].iter().map(|id| *id as u16)).unwrap()).unwrap();
        assert_eq!(bits(&y), bits(&[expected, [0.0; DIM], [0.0; DIM]].concat()));
    }
    check::<Sum>();
    check::<Mean>();
    check::<SqrtN>();
    assert_eq!(Mean::POOLING, Pooling::Mean);
}

/// As values an overlay counts as its type does, and names the row that is not finite.
#[test]
#[cfg(feature = "alloc")]
fn an_overlay_as_values_is_told_by_its_rows() {
    use nanoembed::error::NotFinite;
    use nanoembed::models::{self, All, Model};
    use nanoembed::zerocopy::IntoBytes;
    let image = aligned(&image_of(&Overlay::<Sum>::zeroed()));
    let recipe = models::open::<All>(image.as_bytes()).unwrap().recipe();
    let of_type = Overlay::<Sum>::summary().to_string();
    assert!(of_type.contains("33 parameters, 33 trainable, 176 bytes"), "{of_type}");
    assert_eq!(recipe.summary().to_string(), of_type);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for row in 0..ROWS {
            // Behind the rows the ids: as floats, the greatest would be NaN.
            let mut words = [0.5; ROWS * DIM + ROWS];
            words[ROWS * DIM..].fill(f32::from_bits(u32::MAX));
            assert_eq!(Model::new(recipe, &words).unwrap().not_finite(), None);
            words[row * DIM + row % DIM] = bad;
            let place = NotFinite::Parameter { layer: 0, kind: "OverlayBag", name: "rows", row };
            assert_eq!(Model::new(recipe, &words).unwrap().not_finite(), Some(place));
        }
    }
}

type Base = sequential![Packed<EmbeddingBag<6, 300, 4>, U4Row<4, 6>, 300>, Dense<4, 3>];
type Scores = sequential![
    Branches<Input<[f32; 3]>, OverlayBag<6, ROWS, 3>>, Add<[f32; 3]>, Activation<[f32; 3], Softmax>,
];

fn base(seed: u64) -> Base {
    let mut random = Random::seed_from_u64(seed);
    let mut base = Base::zeroed();
    let mut rows = EmbeddingBag::<6, 300, 4>::zeroed();
    rows.rows.as_flattened_mut().fill_with(|| draw(&mut random));
    base.first.quantise_from(&rows);
    base.second = Dense::new(&mut random);
    base
}

/// The adagrad of corrections.
fn adagrad() -> RowwiseAdagrad {
    RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() }
}

/// An overlay of zeros, with rows or without, changes no bit of the probabilities; and a correction changes none of a text
/// without its ids.
#[test]
fn what_was_not_corrected_keeps_its_bits() {
    type Whole = sequential![Base, Activation<[f32; 3], Softmax>];
    let base = base(1);
    let mut whole = Whole::zeroed();
    image::read_into(&image_of(&base), &mut whole.first).unwrap();
    let mut model = Corrected { base: &base, correction: Scores::zeroed() };
    let mut random = Random::seed_from_u64(2);
    let mut bags: Vec<Bag<6>> = (0..200)
        .map(|_| {
            Bag::from_first(
                (0..random.next_u32() % 7).map(|_| (random.next_u32() % 300) as u16).collect::<Vec<_>>(),
            )
        })
        .collect();
    bags.retain(|bag| bag.ids().iter().all(|id| !(100..110).contains(id)));
    let unchanged = |model: &Corrected<'_, Base, Scores>| {
        for bag in &bags {
            assert_eq!(bits(&model.predict(bag).unwrap()), bits(&whole.predict(bag).unwrap()));
        }
    };
    unchanged(&model);
    model.correction.first.second.admit(100..110).unwrap();
    unchanged(&model);
    let (bag, mut trainer) = (
        Bag::from_ids(100..106).unwrap(),
        Trainer::<Scores, _, _, 1>::new(adagrad(), SparseCategoricalCrossEntropy),
    );
    let x = model.input(&bag).unwrap();
    for _ in 0..20 {
        trainer.step(&mut model.correction, &[x], &[2]).unwrap();
    }
    assert!(model.predict(&bag).unwrap()[2] > 0.9);
    unchanged(&model);
}

/// The other form: what learns adds to the pooled row, before a last layer and bias that learn, too.
#[test]
fn the_last_layer_may_learn() {
    type Pooled = Packed<EmbeddingBag<6, 300, 4>, U4Row<4, 6>, 300>;
    type Correction = sequential![
        Branches<Input<[f32; 4]>, OverlayBag<6, ROWS, 4>>, Add<[f32; 4]>, Dense<4, 3, Softmax>,
    ];
    let base = base(4);
    let mut model = Corrected::<Pooled, _> { base: &base.first, correction: Correction::zeroed() };
    model.correction.second.second.kernel = base.second.kernel;
    model.correction.second.second.bias = base.second.bias;
    let bag = Bag::from_ids([1, 2, 3]).unwrap();
    let before = model.predict(&bag).unwrap();
    let class = (0..3).min_by(|a, b| before[*a].total_cmp(&before[*b])).unwrap();
    let mut trainer = Trainer::<Correction, _, _, 1>::new(adagrad(), SparseCategoricalCrossEntropy);
    let x = model.input(&bag).unwrap();
    // Without a row, the last layer alone.
    trainer.step(&mut model.correction, &[x], &[class as u16]).unwrap();
    assert!(model.correction.first.second.rows == [[0.0; 4]; ROWS]);
    assert!(model.correction.second.second.kernel != base.second.kernel);
    model.correction.first.second.admit([3]).unwrap();
    for _ in 0..100 {
        trainer.step(&mut model.correction, &[x], &[class as u16]).unwrap();
    }
    assert!(model.predict(&bag).unwrap()[class] > 0.9);
    let rows = model.correction.first.second.rows;
    assert_eq!(rows.iter().filter(|row| **row != [0.0; 4]).count(), 1);
}

#[test]
fn the_least_known_ids() {
    let base = base(9);
    let model = Corrected { base: &base, correction: Scores::zeroed() };
    let nothing = base.predict(&Bag::default()).unwrap();
    let moves = |id: u16| {
        let alone = base.predict(&Bag::from_ids([id]).unwrap()).unwrap();
        alone.iter().zip(nothing).fold(0.0, |sum, (y, z)| sum + (y - z) * (y - z))
    };
    let mut random = Random::seed_from_u64(1);
    for _ in 0..100 {
        let ids: Vec<u16> = (0..random.next_u32() % 7).map(|_| (random.next_u32() % 9) as u16).collect();
        let mut expected = Vec::new();
        for id in &ids {
            if !expected.contains(id) {
                expected.push(*id);
            }
        }
        expected.sort_by(|a, b| moves(*a).total_cmp(&moves(*b)));
        let found: Bag<3> = model.least_known(&Bag::from_ids(ids).unwrap()).unwrap();
        assert_eq!(found.ids(), &expected[..expected.len().min(3)]);
    }
}

#[test]
fn what_is_asked_wrongly() {
    let base = base(1);
    let mut model = Corrected { base: &base, correction: Scores::zeroed() };
    model.correction.first.second.admit([1, 2]).unwrap();
    // An id that the base has not.
    let bag = Bag::from_ids([1, 300]).unwrap();
    for error in [model.input(&bag).err(), model.predict(&bag).err(), model.least_known::<2>(&bag).err()] {
        assert!(matches!(error, Some(InputError::Id { example: 0, .. })), "{error:?}");
    }
    // A class that is not there.
    let mut trainer = Trainer::<Scores, _, _, 1>::new(adagrad(), SparseCategoricalCrossEntropy);
    let x = model.input(&Bag::from_ids([1, 2]).unwrap()).unwrap();
    trainer.step(&mut model.correction, &[x], &[0]).unwrap();
    let (before, steps) = (bytes_of(&model.correction), trainer.steps());
    let error = trainer.step(&mut model.correction, &[x], &[3]).unwrap_err();
    let class = LabelError::Class { class: 3, classes: 3 };
    assert_eq!(error, TrainError::Label { position: 0, error: class });
    let x = Pair { first: [f32::NAN, 0.0, 0.0], ..x };
    assert!(matches!(trainer.step(&mut model.correction, &[x], &[1]), Err(TrainError::NotFinite { .. })));
    assert!(bytes_of(&model.correction) == before && trainer.steps() == steps, "nothing was learnt");
}

/// What `Trainer::correct` does, as plain calls.
fn corrected_plainly<O: Optimizer>(
    model: &mut Corrected<'_, Base, Scores>,
    trainer: &mut Trainer<Scores, O, SparseCategoricalCrossEntropy, 1>,
    bag: &Bag<6>,
    class: u16,
    most: usize,
) -> usize {
    let is_likely =
        |model: &Corrected<'_, Base, Scores>| model.predict(bag).unwrap()[usize::from(class)] > 0.5;
    if is_likely(model) {
        return 0;
    }
    let ids: Bag<2> = model.least_known(bag).unwrap();
    model.correction.first.second.admit(ids.ids().iter().copied()).unwrap();
    let (x, mut steps) = (model.input(bag).unwrap(), 0);
    while steps < most && !is_likely(model) {
        trainer.step(&mut model.correction, &[x], &[class]).unwrap();
        trainer.flush(&mut model.correction);
        steps += 1;
    }
    steps
}

fn corrects_as_plain_calls<O: Optimizer + Copy>(optimizer: O) {
    let base = base(2);
    let [mut model, mut plain] = [(); 2].map(|()| Corrected { base: &base, correction: Scores::zeroed() });
    let [mut trainer, mut reference] =
        [(); 2].map(|()| Trainer::<Scores, _, _, 1>::new(optimizer, SparseCategoricalCrossEntropy));
    let (mut random, mut steps) = (Random::seed_from_u64(8), [0; 2]);
    for _ in 0..100 {
        // Of these ten ids all have a row at the end.
        let ids: Vec<u16> = (0..random.next_u32() % 7).map(|_| (random.next_u32() % 10) as u16).collect();
        let (bag, class) = (Bag::from_ids(ids).unwrap(), (random.next_u32() % 3) as u16);
        let most = 1 + random.next_u32() as usize % 8;
        let found = trainer.correct::<2>(&mut model, &bag, class, most).unwrap();
        assert_eq!(found, corrected_plainly(&mut plain, &mut reference, &bag, class, most));
        assert!(bytes_of(&model.correction) == bytes_of(&plain.correction));
        let is_likely = model.predict(&bag).unwrap()[usize::from(class)] > 0.5;
        assert!(found == most || is_likely, "{found} of {most} steps");
        steps[usize::from(found == most)] += found;
    }
    assert!(steps.into_iter().all(|steps| steps > 0) && model.correction.first.second.free() < ROWS);
    assert_eq!(trainer.correct::<2>(&mut model, &Bag::from_ids([200]).unwrap(), 0, 0), Ok(0));
    assert!(bytes_of(&model.correction) == bytes_of(&plain.correction), "no step, no row");
}

#[test]
fn a_correction_is_rows_and_steps_until_the_class_is_likely() {
    corrects_as_plain_calls(adagrad());
    corrects_as_plain_calls(Exact(Adam { learning_rate: 0.1, ..Adam::default() }));
}

/// What cannot be learnt takes no row and no step.
#[test]
fn a_correction_that_is_refused_writes_nothing() {
    type Exactly = Trainer<Scores, Exact<Adam>, SparseCategoricalCrossEntropy, 1>;
    let base = base(1);
    let bag = Bag::from_ids([1, 2, 3]).unwrap();
    let full =
        |model: &mut Corrected<'_, Base, Scores>| model.correction.first.second.admit(100..110).unwrap();
    let number = |number: f32| {
        move |model: &mut Corrected<'_, Base, Scores>| {
            model.correction.first.second.admit([1]).unwrap();
            model.correction.first.second.rows = [[number; DIM]; ROWS];
        }
    };
    let refused = |bag: &Bag<6>, class, adam: Adam, prepare: &dyn Fn(&mut Corrected<'_, Base, Scores>)| {
        let mut model = Corrected { base: &base, correction: Scores::zeroed() };
        let mut trainer = Exactly::new(Exact(adam), SparseCategoricalCrossEntropy);
        prepare(&mut model);
        let before = bytes_of(&model.correction);
        let error = trainer.correct::<2>(&mut model, bag, class, 30).unwrap_err();
        assert!(bytes_of(&model.correction) == before, "{error}");
        assert_eq!(trainer.steps(), 0, "{error}");
        error
    };
    let good = Adam::default();
    for class in [3, 4, u16::MAX] {
        let error = LabelError::Class { class: usize::from(class), classes: 3 };
        assert_eq!(refused(&bag, class, good, &|_| ()), TrainError::Label { position: 0, error });
    }
    let error = CapacityExceeded { what: "rows of an overlay (ROWS)", capacity: ROWS, needed: ROWS + 1 };
    // The class that has the least, so that there is something to learn.
    let predicted = base.predict(&bag).unwrap();
    let least = (0..3).min_by(|a, b| predicted[*a].total_cmp(&predicted[*b])).unwrap() as u16;
    assert_eq!(refused(&bag, least, good, &full), TrainError::from(error));
    let unknown = Bag::from_ids([1, 300]).unwrap();
    assert!(matches!(refused(&unknown, 0, good, &|_| ()), TrainError::Input(InputError::Id { .. })));
    let rate = Adam { learning_rate: f32::NAN, ..good };
    assert!(matches!(refused(&bag, least, rate, &|_| ()), TrainError::OutOfRange(_)));
    for bad in [f32::NAN, f32::INFINITY] {
        let error = refused(&bag, least, good, &number(bad));
        assert!(matches!(error, TrainError::NotFinite { step: 1, .. }), "{error}");
    }
}

/// Rows that wait for steps of an exact optimizer are not what was learnt.
#[test]
fn a_correction_waits_for_a_flush() {
    let base = base(1);
    let mut model = Corrected { base: &base, correction: Scores::zeroed() };
    model.correction.first.second.admit([1]).unwrap();
    let mut trainer = Trainer::<Scores, _, _, 1>::new(Exact(Adam::default()), SparseCategoricalCrossEntropy);
    let bag = Bag::from_ids([1, 2]).unwrap();
    let x = model.input(&bag).unwrap();
    trainer.step(&mut model.correction, &[x], &[0]).unwrap();
    let before = bytes_of(&model.correction);
    assert_eq!(trainer.correct::<2>(&mut model, &bag, 1, 30), Err(TrainError::NotFlushed));
    assert!(bytes_of(&model.correction) == before);
    trainer.flush(&mut model.correction);
    assert!(trainer.correct::<2>(&mut model, &bag, 1, 30).is_ok());
}

/// The sum of two values with the mask of both, as plain loops have it.
#[test]
fn sums_and_their_masks() {
    use nanoembed::layers::{Batch, BatchMut};
    let mut random = Random::seed_from_u64(7);
    for _ in 0..50 {
        let [a, b]: [[[f32; 5]; 3]; 2] =
            [(); 2].map(|()| [(); 3].map(|()| [(); 5].map(|()| draw(&mut random))));
        let [of_a, of_b] = [(); 2].map(|()| [(); 3].map(|()| random.next_u32() % 2 == 0));
        let (mut y, mut mask) = ([[[f32::NAN; 5]; 3]], [[false; 3]]);
        let x = Batch { values: &[Pair { first: a, second: b }], masks: &[(of_a, of_b)] };
        Add::<[[f32; 5]; 3]>::zeroed().infer::<1>(x, &mut (), BatchMut { values: &mut y, masks: &mut mask });
        for step in 0..3 {
            assert_eq!(mask[0][step], of_a[step] || of_b[step]);
            for column in 0..5 {
                assert_eq!(y[0][step][column].to_bits(), (a[step][column] + b[step][column]).to_bits());
            }
        }
    }
}
