//! Memory that is too short, inputs and labels that do not fit, text for a model that takes another, numbers
//! that are not finite.

use super::{Bags, Reviews, Room, image_with, with_model};
use crate::common::bits;
use crate::images::at;
use nanoembed::error::{
    BagError, CapacityExceeded, IndexOutOfRange, InputError, LabelError, NotFinite, ShapeMismatch,
};
use nanoembed::image::{ClassesError, Contents, ImageError, Sections};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{Dense, Dot, Embedding, EmbeddingBag, Flatten, HashedEmbedding, Lstm, Softmax};
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels, MeanSquaredError, SparseCategoricalCrossEntropy};
use nanoembed::models::{
    self, All, Answer, BatchSize, Classifier, ClassifierError, Input, LayerKind, Memory, Model, Recipe,
    Record, Source, Trainer, UnfitTraining, Workspace,
};
use nanoembed::optim::{Adam, AnyOptimizer};
use nanoembed::text::{HashingTokenizer, PipelineError};
use nanoembed::train::TrainError;
use nanoembed::{branches, sequential};

type Towers = sequential![
    branches![EmbeddingBag<4, 10, 3>, sequential![Embedding<2, 8, 3>, Flatten<2, 3, 6>, Dense<6, 3>]],
    Dot<3>
];
type Masked = sequential![Embedding<5, 9, 3, u16, MaskZero>, Lstm<5, 3, 2>, Dense<2, 3, Softmax>];

const NOTHING: Contents<'static> =
    Contents { classes: &[], threshold: 0.0, metadata: &[], pipeline: None, vocabulary: None };
const UNTOUCHED: f32 = 7.5;

/// That a call is refused and writes nothing to its outputs.
fn refused(model: Model<'_, All>, inputs: &[Input<'_>], outputs: usize, error: InputError) {
    let mut y = vec![UNTOUCHED; outputs];
    let found = model.predict(inputs, &mut Room::new(model.recipe(), outputs.max(1)).lend(), &mut y);
    assert_eq!(found, Err(error));
    assert!(y.iter().all(|y| *y == UNTOUCHED), "{error}");
}

#[test]
fn memory_that_is_too_short_by_one() {
    with_model::<Masked>(&NOTHING, |model| {
        let inputs = [Input::Ids(&[1, 2, 0, 0, 0, 8, 8, 3, 0, 1])];
        let mut room = Room::new(model.recipe(), 2);
        let (numbers, masks) = (room.numbers.len(), room.masks.len());
        let mut y = [UNTOUCHED; 6];
        let mut short = |numbers: usize, masks: usize, error: CapacityExceeded| {
            let mut workspace =
                Workspace { numbers: &mut room.numbers[..numbers], masks: &mut room.masks[..masks] };
            assert_eq!(model.predict(&inputs, &mut workspace, &mut y), Err(InputError::Capacity(error)));
            assert_eq!(y, [UNTOUCHED; 6]);
            assert!(room.numbers.iter().all(|x| x.is_nan()) && room.masks.iter().all(|x| *x), "{error}");
        };
        let what = "numbers of the workspace (Recipe::workspace)";
        short(numbers - 1, masks, CapacityExceeded { what, capacity: numbers - 1, needed: numbers });
        let what = "masks of the workspace (Recipe::workspace)";
        short(numbers, masks - 1, CapacityExceeded { what, capacity: masks - 1, needed: masks });

        // What is longer is used as far as it was asked for.
        room.numbers.push(UNTOUCHED);
        room.masks.push(false);
        let mut out = [UNTOUCHED; 8];
        model.predict(&inputs, &mut room.lend(), &mut out[1..7]).expect("enough memory");
        assert_eq!((out[0], out[7]), (UNTOUCHED, UNTOUCHED));
        assert!(out[1..7].iter().all(|y| *y != UNTOUCHED));
        assert_eq!((room.numbers[numbers], room.masks[masks]), (UNTOUCHED, false));
    });
}

#[test]
fn memory_of_a_trainer_that_is_too_short_by_one() {
    with_model::<Masked>(&NOTHING, |model| {
        let (recipe, adam, loss) =
            (model.recipe(), Adam::default(), AnyLoss::from(SparseCategoricalCrossEntropy));
        let size = BatchSize { examples: 2, ids_per_bag: 0 };
        let lengths = Trainer::lengths(recipe, &adam, loss, size).expect("a small model");
        let mut numbers = vec![UNTOUCHED; lengths.numbers + 1];
        let mut masks = vec![true; lengths.masks + 1];
        let mut slots = vec![UNTOUCHED; lengths.slots + 1];
        for (short, what, needed) in [
            ([1, 0, 0], "numbers of the trainer (Trainer::lengths)", lengths.numbers),
            ([0, 1, 0], "masks of the trainer (Trainer::lengths)", lengths.masks),
            ([0, 0, 1], "slots of the trainer (Trainer::lengths)", lengths.slots),
        ] {
            let memory = Memory {
                numbers: &mut numbers[..lengths.numbers - short[0]],
                masks: &mut masks[..lengths.masks - short[1]],
                slots: &mut slots[..lengths.slots - short[2]],
            };
            let error = Trainer::new(recipe, &adam, loss, size, memory).map(drop).expect_err(what);
            let expected = CapacityExceeded { what, capacity: needed - 1, needed };
            assert_eq!(error, UnfitTraining::Memory(expected));
            assert!(numbers.iter().chain(&slots).all(|x| *x == UNTOUCHED) && masks.iter().all(|x| *x));
        }
        let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
        let mut trainer =
            Trainer::new(recipe, &adam, loss, size, memory).expect("a number more than is needed");
        let mut parameters = model.parameters().to_vec();
        let ids = [Input::Ids(&[1, 2, 0, 0, 0, 8, 8, 3, 0, 1])];
        trainer.epoch(&mut parameters, &ids, &Labels::classes(&[2, 0]), 2).expect("good data");
        assert!(bits(&parameters) != bits(model.parameters()));
        assert_eq!(
            (numbers.last(), masks.last(), slots.last()),
            (Some(&UNTOUCHED), Some(&true), Some(&UNTOUCHED))
        );

        for examples in [0, usize::MAX, usize::MAX / 2] {
            let size = BatchSize { examples, ids_per_bag: 0 };
            let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
            let found = Trainer::new(recipe, &adam, loss, size, memory).map(drop);
            assert_eq!(found, Err(UnfitTraining::BatchSize(size)));
        }
    });
}

#[test]
fn inputs_that_are_too_few_or_of_another_kind() {
    let shape = |what, expected, found| InputError::Shape(ShapeMismatch { what, expected, found });
    with_model::<Reviews>(&NOTHING, |model| {
        let ids = [1, 2, 3, 4, 5, 6, 7, 8];
        refused(model, &[], 2, shape("number of inputs", 1, 0));
        refused(model, &[Input::Ids(&ids); 2], 2, shape("number of inputs", 1, 2));
        refused(model, &[Input::Ids(&ids)], 1, shape("number of ids", 4, 8));
        refused(model, &[Input::Ids(&ids[1..])], 2, shape("number of ids", 8, 7));
        refused(model, &[Input::Ids(&ids)], 0, shape("length of `out` for one example", 1, 0));
        for input in [
            Input::Numbers(&[0.0; 8]),
            Input::LongIds(&[0; 8]),
            Input::Bags { ids: &ids, offsets: &[0, 4, 8] },
        ] {
            refused(model, &[input], 2, InputError::Kind { input: 0, takes: "Input::Ids" });
        }
        // No example is a batch.
        model
            .predict(&[Input::Ids(&[])], &mut Workspace { numbers: &mut [], masks: &mut [] }, &mut [])
            .unwrap();
        for (position, id) in [(0, 10), (3, u32::MAX), (7, 10)] {
            let mut ids = [0; 8];
            ids[position] = id;
            let error = IndexOutOfRange { position: position % 4, index: i64::from(id), rows: 10 };
            let error = InputError::Id { example: position / 4, branch: None, error };
            refused(model, &[Input::Ids(&ids)], 2, error);
        }
    });
    with_model::<Masked>(&NOTHING, |model| {
        for outputs in [1, 2, 4, 5] {
            let error = match outputs {
                1 | 2 => shape("length of `out` for one example", 3, outputs),
                _ => shape("length of `out`, a multiple of an example's outputs", 3, outputs),
            };
            refused(model, &[Input::Ids(&[0; 5])], outputs, error);
        }
    });
}

#[test]
fn bags_that_are_none() {
    with_model::<Bags>(&NOTHING, |model| {
        let ids = [1, 2, 3, 4];
        let bags = |offsets, error| refused(model, &[Input::Bags { ids: &ids, offsets }], 6, error);
        bags(&[0, 3, 2, 4], InputError::Bags(BagError::OffsetsDecrease { bag: 1, start: 3, end: 2 }));
        bags(&[0, 2, 3], InputError::Bags(BagError::OffsetsEnd { offset: 3, indices: 4 }));
        bags(&[1, 2, 4], InputError::Bags(BagError::OffsetsStart { offset: 1 }));
        bags(&[0, 5, 4], InputError::Bags(BagError::OffsetsBeyond { position: 1, offset: 5, indices: 4 }));
        bags(&[], InputError::Bags(BagError::OffsetsMissing));
        let number = ShapeMismatch { what: "number of offsets", expected: 3, found: 4 };
        bags(&[0, 1, 2, 4], InputError::Shape(number));
        let id = |example, position| {
            let error = IndexOutOfRange { position, index: 10, rows: 10 };
            InputError::Id { example, branch: None, error }
        };
        let bags = |ids: &[u32], error| {
            refused(model, &[Input::Bags { ids, offsets: &[0, 1, 4] }], 6, error);
        };
        bags(&[10, 2, 3, 4], id(0, 0));
        bags(&[1, 2, 3, 10], id(1, 2));
        let mut y = [UNTOUCHED; 6];
        let empty = [Input::Bags { ids: &[], offsets: &[0, 0, 0] }];
        model.predict(&empty, &mut Room::new(model.recipe(), 2).lend(), &mut y).expect("empty bags");
        assert_eq!(bits(&y[..3]), bits(&y[3..]));
    });
}

#[test]
fn several_inputs_are_told_apart() {
    with_model::<Towers>(&NOTHING, |model| {
        let bags = Input::Bags { ids: &[1, 2, 9], offsets: &[0, 1, 3] };
        let id = |branch, example, position, index, rows| {
            let error = IndexOutOfRange { position, index, rows };
            InputError::Id { example, branch: Some(branch), error }
        };
        refused(model, &[bags, Input::Ids(&[1, 2, 3, 8])], 2, id(1, 1, 1, 8, 8));
        let bad = Input::Bags { ids: &[1, 2, 10], offsets: &[0, 1, 3] };
        refused(model, &[bad, Input::Ids(&[1, 2, 3, 7])], 2, id(0, 1, 1, 10, 10));
        refused(model, &[bags, bags], 2, InputError::Kind { input: 1, takes: "Input::Ids" });
        let error = ShapeMismatch { what: "number of ids", expected: 4, found: 3 };
        refused(model, &[bags, Input::Ids(&[1, 2, 3])], 2, InputError::Length { input: 1, error });
        let what = "number of offsets";
        let error = ShapeMismatch { what, expected: 2, found: 3 };
        refused(model, &[bags, Input::Ids(&[1, 2])], 1, InputError::Length { input: 0, error });
        assert_eq!(InputError::Length { input: 0, error }.to_string(), format!("input 0: {error}"));
        let mut y = [UNTOUCHED; 2];
        let good = [bags, Input::Ids(&[1, 2, 3, 7])];
        model.predict(&good, &mut Room::new(model.recipe(), 2).lend(), &mut y).expect("good inputs");
    });
}

/// A trainer of a model for batches of two with bags of three, and what `check` does with it.
fn with_trainer(
    model: Model<'_, All>,
    optimizer: &dyn AnyOptimizer,
    loss: AnyLoss<'_>,
    check: impl FnOnce(&mut Trainer<'_, All>, &mut [f32]),
) {
    let size = BatchSize { examples: 2, ids_per_bag: 3 };
    let lengths = Trainer::lengths(model.recipe(), optimizer, loss, size).expect("a small model");
    let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![true; lengths.masks]);
    let mut slots = vec![f32::NAN; lengths.slots];
    let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
    let mut trainer = Trainer::new(model.recipe(), optimizer, loss, size, memory).expect("a loss that fits");
    check(&mut trainer, &mut model.parameters().to_vec());
}

#[test]
fn what_cannot_be_learnt_teaches_nothing() {
    let adam = Adam::default();
    with_model::<Bags>(&NOTHING, |model| {
        let loss = AnyLoss::from(SparseCategoricalCrossEntropy);
        with_trainer(model, &adam, loss, |trainer, parameters| {
            let before = bits(parameters);
            let good = [Input::Bags { ids: &[1, 2, 9], offsets: &[0, 1, 3] }];
            let mut refused =
                |inputs: &[Input<'_>], labels: &Labels<'_>, examples: usize, error: TrainError| {
                    assert_eq!(trainer.epoch(parameters, inputs, labels, examples), Err(error));
                    assert_eq!(trainer.step(parameters, inputs, labels, examples), Err(error));
                    assert_eq!(trainer.evaluate(parameters, inputs, labels, examples), Err(error));
                    assert_eq!((trainer.steps(), trainer.epochs()), (0, 0));
                    assert_eq!(bits(parameters), before, "{error}");
                    let mut checkpoint = vec![0; trainer.checkpoint_size()];
                    trainer.checkpoint(parameters, &mut checkpoint).expect("its own length");
                    let slots = checkpoint.split_off(checkpoint.len() - 4 * 2 * parameters.len());
                    assert!(slots.iter().all(|byte| *byte == 0), "{error}");
                };
            let label = |position, error| TrainError::Label { position, error };
            let class = LabelError::Class { class: 3, classes: 3 };
            refused(&good, &Labels::classes(&[0, 3]), 2, label(1, class));
            refused(&good, &Labels::numbers(&[0.0; 6]), 2, label(0, LabelError::Kind { classes: true }));
            for (labels, position) in [(&[0_u16][..], 1), (&[0, 1, 2], 2)] {
                let length = ShapeMismatch { what: "number of labels", expected: 2, found: labels.len() };
                refused(&good, &Labels::classes(labels), 2, label(position, LabelError::Length(length)));
            }
            let weight = |weight| label(1, LabelError::SampleWeight { weight });
            refused(&good, &Labels::classes(&[0, 1]).with_weights(&[1.0, -1.0]), 2, weight(-1.0));
            refused(&good, &Labels::classes(&[]), 0, TrainError::NoExamples);
            let labels = Labels::classes(&[0, 1]);
            let input = |error| TrainError::Input(error);
            let inputs = ShapeMismatch { what: "number of inputs", expected: 1, found: 0 };
            refused(&[], &labels, 2, input(InputError::Shape(inputs)));
            let error = IndexOutOfRange { position: 1, index: 10, rows: 10 };
            let bad = [Input::Bags { ids: &[1, 2, 10], offsets: &[0, 1, 3] }];
            refused(&bad, &labels, 2, input(InputError::Id { example: 1, branch: None, error }));
            let long = [Input::Bags { ids: &[1, 2, 3, 4, 5], offsets: &[0, 1, 5] }];
            let what = "ids of a bag (BatchSize::ids_per_bag)";
            let error = CapacityExceeded { what, capacity: 3, needed: 4 };
            refused(&long, &labels, 2, input(InputError::Capacity(error)));

            let (mut short, inputs) = (vec![0.5; parameters.len() - 1], &good);
            let error = ShapeMismatch {
                what: "parameters of the model",
                expected: parameters.len(),
                found: parameters.len() - 1,
            };
            let found = trainer.step(&mut short, inputs, &labels, 2);
            assert_eq!(found, Err(input(InputError::Shape(error))));
            assert!(short.iter().all(|x| *x == 0.5));
            let three = [Input::Bags { ids: &[1, 2, 9], offsets: &[0, 1, 3, 3] }];
            let what = "examples of a batch (BatchSize::examples)";
            let found = trainer.step(parameters, &three, &Labels::classes(&[0, 1, 2]), 3);
            let error = CapacityExceeded { what, capacity: 2, needed: 3 };
            assert_eq!(found, Err(input(InputError::Capacity(error))));
            assert_eq!(bits(parameters), before);
            trainer
                .epoch(parameters, &three, &Labels::classes(&[0, 1, 2]), 3)
                .expect("an epoch of two steps");
            assert_eq!((trainer.steps(), bits(parameters) != before), (2, true));
        });
    });
}

/// Ids of 32 bits are taken where those of 64 are, and teach the same.
#[test]
fn short_ids_teach_what_long_ones_do() {
    type Hashed = sequential![HashedEmbedding<3, 7, 2, 12, u64>, Flatten<3, 2, 6>, Dense<6, 2>];
    let adam = Adam::default();
    let (ids, long) =
        ([5, 1_000_000, u32::MAX, 0, 1, 2, 3, 4, 5_u32], [5, 1_000_000, 0xffff_ffff, 0, 1, 2, 3, 4, 5]);
    let labels = [0.5, 1.0, -0.5, 0.25, 2.0, 1.0];
    with_model::<Hashed>(&NOTHING, |model| {
        let learnt = [Input::Ids(&ids), Input::LongIds(&long)].map(|input| {
            let mut learnt = Vec::new();
            with_trainer(model, &adam, AnyLoss::from(MeanSquaredError), |trainer, parameters| {
                for _ in 0..3 {
                    trainer.epoch(parameters, &[input], &Labels::numbers(&labels), 3).expect("good data");
                }
                learnt = bits(parameters);
            });
            learnt
        });
        assert_eq!(learnt[0], learnt[1]);
        assert!(learnt[0] != bits(model.parameters()));
    });
}

#[test]
fn losses_and_models_that_do_not_fit() {
    let (adam, size) = (Adam::default(), BatchSize { examples: 1, ids_per_bag: 0 });
    let new = |records: &[Record], loss: AnyLoss<'_>| {
        let recipe = Recipe::<All>::new(records).expect("layers that fit");
        let memory = Memory { numbers: &mut [], masks: &mut [], slots: &mut [] };
        Trainer::new(recipe, &adam, loss, size, memory).map(drop).expect_err("no memory at least")
    };
    let ids = Record::new(LayerKind::Embedding, &[2, 3, 2]).from(Source::Input(0));
    assert_eq!(new(&[ids], AnyLoss::from(MeanSquaredError)), UnfitTraining::Output);
    let dense = Record::new(LayerKind::Dense, &[2, 2]).from(Source::Input(0));
    let found = new(&[dense], AnyLoss::from(BinaryCrossEntropy::default()));
    assert!(matches!(found, UnfitTraining::Loss(_)), "{found}");
    assert!(matches!(new(&[dense], AnyLoss::from(MeanSquaredError)), UnfitTraining::Memory(_)));
}

#[test]
fn parameters_that_are_not_finite_are_named_on_request() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (place, name, layer, row) in [(14, "rows", 0, 4), (30 + 5, "kernel", 2, 5), (42, "bias", 2, 0)] {
            with_model::<Reviews>(&NOTHING, |model| {
                assert_eq!(model.not_finite(), None);
                let mut parameters = model.parameters().to_vec();
                parameters[place] = bad;
                let harmed = Model::new(model.recipe(), &parameters).expect("as many as before");
                let kind = if layer == 0 { "Embedding" } else { "Dense" };
                let expected = NotFinite::Parameter { layer, kind, name, row };
                assert_eq!(harmed.not_finite(), Some(expected));
                let image =
                    image_with(model.recipe().records(), zerocopy::IntoBytes::as_bytes(&parameters[..]));
                at(&image, 0, |image| {
                    let opened = models::open::<All>(image).expect("opened all the same");
                    assert_eq!(opened.not_finite(), Some(expected));
                });
            });
        }
    }
}

#[test]
fn names_of_classes_that_are_wrong() {
    let contents = Contents { classes: &["a", "b", "c"], ..NOTHING };
    let mut image = vec![0; nanoembed::image::size_with::<Bags>(&contents)];
    nanoembed::image::write_with(&crate::images::pattern::<Bags>(), &contents, &mut image).unwrap();
    let names = image.len() - 4;
    assert_eq!(image[names..], *b"abc\0");
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut harmed = image.clone();
        change(&mut harmed);
        let harmed = crate::images::resealed(harmed);
        let found = super::open_error(&harmed).expect("classes that are wrong");
        assert_eq!(Sections::read(&harmed).map(drop).map_err(models::OpenError::Image), Err(found));
        found
    };
    let classes = |error| models::OpenError::Image(ImageError::Classes(error));
    assert_eq!(
        error(&|image| image[names + 2] = b'a'),
        classes(ClassesError::Doubled { first: 0, second: 2 })
    );
    assert_eq!(error(&|image| image[names + 1] = 0xff), classes(ClassesError::NotUtf8 { class: 1 }));
    assert_eq!(error(&|image| image[names - 8] = 1), classes(ClassesError::Empty { class: 1 }));
    assert_eq!(error(&|image| image[names + 3] = 1), classes(ClassesError::Padding));
    // Two names: the last offset goes to the text.
    assert!(matches!(
        error(&|image| image[names - 24] = 2),
        models::OpenError::Image(ImageError::Classes(_))
    ));
}

#[test]
fn text_for_a_model_that_takes_another() {
    fn error<M: nanoembed::layers::Layer>(pipeline: Option<&[u8]>) -> Option<ClassifierError> {
        let mut found = None;
        with_model::<M>(&Contents { pipeline, ..NOTHING }, |model| found = Classifier::new(model).err());
        found
    }
    let bytes = |rows, length| {
        let pipeline = HashingTokenizer::new(rows).pipeline(length).expect("rows that there are");
        let mut bytes = vec![0; pipeline.encoded_size()];
        pipeline.write(&mut bytes).expect("its own size");
        bytes
    };
    assert_eq!(error::<Reviews>(None), Some(ClassifierError::NoPipeline));
    assert_eq!(error::<Reviews>(Some(&bytes(10, 4))), None);
    assert_eq!(error::<Bags>(Some(&bytes(10, 0))), None);
    for rows in [9, 11] {
        let expected = ClassifierError::Rows { table: 10, pipeline: rows as u64 };
        assert_eq!(error::<Reviews>(Some(&bytes(rows, 4))), Some(expected));
        assert_eq!(error::<Bags>(Some(&bytes(rows, 0))), Some(expected));
    }
    for length in [0, 3, 5] {
        let expected = ClassifierError::Ids { model: 4, pipeline: length as usize };
        assert_eq!(error::<Reviews>(Some(&bytes(10, length))), Some(expected));
    }
    assert_eq!(error::<Bags>(Some(&bytes(10, 4))), Some(ClassifierError::Ids { model: 0, pipeline: 4 }));
    assert_eq!(error::<Towers>(Some(&bytes(10, 0))), Some(ClassifierError::NotOneText));
    assert_eq!(error::<Dense<3, 2>>(Some(&bytes(10, 0))), Some(ClassifierError::NotOneText));
    assert_eq!(error::<Embedding<4, 10, 3>>(Some(&bytes(10, 4))), Some(ClassifierError::NotOneText));
    let good = bytes(10, 4);
    for place in [0, 2, 4, 6, 7, 30] {
        let mut harmed = good.clone();
        harmed[place] = 9;
        assert!(
            matches!(error::<Reviews>(Some(&harmed)), Some(ClassifierError::Pipeline(_))),
            "byte {place}"
        );
    }
    let length =
        PipelineError::Length { field: "bytes of the pipeline", expected: good.len(), found: good.len() - 1 };
    let cut = error::<Reviews>(Some(&good[..good.len() - 1]));
    assert_eq!(cut, Some(ClassifierError::Pipeline(length)));
}

#[test]
fn texts_of_more_ids_than_there_is_room_for() {
    let contents = |pipeline, classes| Contents { classes, pipeline: Some(pipeline), ..NOTHING };
    let bytes = |length| {
        let pipeline = HashingTokenizer::new(10).pipeline(length).expect("rows that there are");
        let mut bytes = vec![0; pipeline.encoded_size()];
        pipeline.write(&mut bytes).expect("its own size");
        bytes
    };
    let what = "ids of a text (the length of `ids`)";
    let (bag, four) = (bytes(0), bytes(4));
    with_model::<Bags>(&contents(&bag, &["a", "b", "c"]), |model| {
        let classifier = Classifier::new(model).expect("a model of texts");
        let (mut room, mut answers) = (Room::new(model.recipe(), 1), [Answer::default(); 5]);
        let mut ids = [77; 4];
        let error = CapacityExceeded { what, capacity: 3, needed: 4 };
        let text = "one two three four";
        let found = classifier.top(text, &mut ids[..3], &mut room.lend(), &mut answers);
        assert_eq!(found, Err(InputError::Capacity(error)));
        assert_eq!((ids[3], answers), (77, [Answer::default(); 5]));
        assert_eq!(classifier.top(text, &mut ids, &mut room.lend(), &mut answers), Ok(3));
        assert_eq!(answers[3..], [Answer::default(); 2]);
        assert!(
            answers[0].probability >= answers[1].probability
                && answers[1].probability >= answers[2].probability
        );
        assert_eq!(classifier.top(text, &mut ids, &mut room.lend(), &mut []), Ok(0));
        let short = Workspace { numbers: &mut room.numbers[1..], masks: &mut [] };
        assert!(classifier.classify(text, &mut ids, &mut { short }).is_err());
        assert!(
            classifier.classify("", &mut [], &mut room.lend()).is_ok(),
            "a text without words is an empty bag"
        );
    });
    with_model::<Reviews>(&contents(&four, &[]), |model| {
        let classifier = Classifier::new(model).expect("a model of texts");
        let mut room = Room::new(model.recipe(), 1);
        let error = CapacityExceeded { what, capacity: 3, needed: 4 };
        let mut ids = [77; 5];
        let found = classifier.classify("one", &mut ids[..3], &mut room.lend());
        assert_eq!((found, ids), (Err(InputError::Capacity(error)), [77; 5]));
        assert!(classifier.classify("one two three four five", &mut ids, &mut room.lend()).is_ok());
        assert_eq!(ids[4], 77);
    });
}

/// An output that is NaN is never the answer, and one below 0 is, where the image has no threshold.
#[test]
fn answers_of_outputs_that_are_no_probabilities() {
    type Logits = sequential![EmbeddingBag<4, 10, 2>, Dense<2, 3>];
    let pipeline = HashingTokenizer::new(10).pipeline(0).expect("rows that there are");
    let mut bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut bytes).expect("its own size");
    let answer = |biases: [f32; 3], classes: &[&str], threshold: f32| {
        let mut model = <Logits as nanoembed::layers::Layer>::zeroed();
        model.second.bias = biases;
        let contents = Contents { classes, threshold, pipeline: Some(&bytes), ..NOTHING };
        let mut image = vec![0; nanoembed::image::size_with::<Logits>(&contents)];
        nanoembed::image::write_with(&model, &contents, &mut image).expect("what can be written");
        at(&image, 0, |image| {
            let classifier = Classifier::new(models::open::<All>(image).unwrap()).unwrap();
            let (mut room, mut ids) = (Room::new(classifier.model().recipe(), 1), [0; 4]);
            let mut all = [Answer::default(); 3];
            classifier.top("a text", &mut ids, &mut room.lend(), &mut all).expect("a short text");
            let best = classifier.classify("a text", &mut ids, &mut room.lend()).expect("a short text");
            (all.map(|answer| answer.class), best.map(|answer| answer.class))
        })
    };
    let names = ["a", "b", "c"];
    for classes in [&names[..], &[]] {
        assert_eq!(answer([-3.0, -1.0, -2.0], classes, 0.0), ([1, 2, 0], Some(1)));
        assert_eq!(answer([f32::NAN, -1.0, 2.0], classes, 0.0), ([2, 1, 0], Some(2)));
        assert_eq!(answer([1.0, f32::NAN, 1.0], classes, 0.0), ([0, 2, 1], Some(0)));
        assert_eq!(answer([f32::NAN; 3], classes, 0.0), ([0, 1, 2], None));
    }
    assert_eq!(answer([0.25, 0.5, 0.25], &names, 0.5), ([1, 0, 2], Some(1)));
    assert_eq!(answer([0.25, 0.49, 0.25], &names, 0.5), ([1, 0, 2], None));
    assert_eq!(answer([-3.0, -1.0, -2.0], &names, 0.01), ([1, 2, 0], None));
}

/// One output is the probability of one class, or of what it is not.
#[test]
fn one_output_is_one_class() {
    type Complaint = sequential![EmbeddingBag<4, 10, 2>, Dense<2, 1, nanoembed::layers::Sigmoid>];
    let pipeline = HashingTokenizer::new(10).pipeline(0).expect("rows that there are");
    let mut bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut bytes).expect("its own size");
    for (bias, threshold, expected) in
        [(1.0, 0.0, true), (-1.0, 0.0, false), (1.0, 0.9, false), (-1.0, 0.1, true)]
    {
        let mut model = <Complaint as nanoembed::layers::Layer>::zeroed();
        model.second.bias = [bias];
        let contents = Contents { classes: &["complaint"], threshold, pipeline: Some(&bytes), ..NOTHING };
        let mut image = vec![0; nanoembed::image::size_with::<Complaint>(&contents)];
        nanoembed::image::write_with(&model, &contents, &mut image).expect("what can be written");
        at(&image, 0, |image| {
            let classifier = Classifier::new(models::open::<All>(image).unwrap()).unwrap();
            let (mut room, mut ids) = (Room::new(classifier.model().recipe(), 1), [0; 4]);
            let answer = classifier.classify("a text", &mut ids, &mut room.lend()).expect("a short text");
            assert_eq!(answer.is_some(), expected, "bias {bias}, threshold {threshold}");
        });
    }
}
