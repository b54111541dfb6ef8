//! Errors say which value, which range and which place; `?` makes one of another; large values have a `boxed`.

use crate::common::parameters_at;
use nanoembed::error::{
    BagError, CapacityExceeded, IndexOutOfRange, InputError, LabelError, NotFinite, RowOutOfRange,
};
use nanoembed::image;
use nanoembed::layers::{
    Bag, Branches, Dense, Dot, Embedding, EmbeddingBag, Flatten, Layer, Packed, Sigmoid, Softmax, U4Row,
};
use nanoembed::loss::{MeanSquaredError, SparseCategoricalCrossEntropy};
use nanoembed::optim::Sgd;
use nanoembed::table::{Aligned, Bags, Indices};
use nanoembed::text::{HashingTokenizer, Vocabulary, VocabularyOptions, WordCounts};
use nanoembed::train::{TrainError, Trainer};
use nanoembed::{branches, pairs, sequential};

sequential! {
    /// The item form: the same type as the type form.
    type Classes = [Embedding<2, 6, 3>, Flatten<2, 3, 6>, Dense<6, 4, Softmax>];
}

#[test]
fn the_item_is_the_type() {
    fn same(model: &Classes) -> &sequential![Embedding<2, 6, 3>, Flatten<2, 3, 6>, Dense<6, 4, Softmax>] {
        model
    }
    assert_eq!(same(&Classes::zeroed()).predict(&[0, 1]), Ok([0.25; 4]));
}

#[test]
fn labels_say_their_value_and_the_range() {
    let mut trainer = Trainer::<Classes, _, _, 4>::new(Sgd::default(), SparseCategoricalCrossEntropy);
    let error = trainer.step(&mut Classes::zeroed(), &[[0, 1]; 2], &[3, 7]).unwrap_err();
    assert_eq!(error, TrainError::Label { position: 1, error: LabelError::Class { class: 7, classes: 4 } });
    assert_eq!(error.to_string(), "label 1: class 7 is outside 0..4");
    let error = LabelError::Probability { output: 0, value: 1.5 };
    assert_eq!(error.to_string(), "1.5, for output 0, is not in [0, 1]");
}

/// The first number that is not finite, front to back: in parameters, inputs, what a layer gives, or the loss alone.
#[test]
fn a_loss_that_is_not_finite_says_where() {
    type Deep = sequential![Dense<2, 3>, Dense<3, 1>];
    let place = |kernel: [f32; 2], input: f32, label: f32| {
        let mut model = Deep::zeroed();
        model.first.kernel[1][2] = kernel[0];
        model.second.kernel[2][0] = kernel[1];
        let mut trainer = Trainer::<Deep, _, _, 2>::new(Sgd::default(), MeanSquaredError);
        match trainer.epoch(&mut model, &[[0.0, 1.0], [0.0, input]], &[[0.0], [label]]) {
            Err(TrainError::NotFinite { step: 1, place }) => place,
            found => panic!("{found:?}"),
        }
    };
    let parameter = |layer, row| NotFinite::Parameter { layer, kind: "Dense", name: "kernel", row };
    assert_eq!(place([f32::NAN, f32::INFINITY], 1.0, 0.0), parameter(0, 1));
    assert_eq!(place([1.0, f32::INFINITY], 1.0, 0.0), parameter(1, 2));
    assert_eq!(place([1.0, 1.0], f32::NAN, 0.0), NotFinite::Input { example: 1 });
    assert_eq!(place([1e30, 1.0], 1e30, 0.0), NotFinite::Output { layer: 0, kind: "Dense" });
    assert_eq!(place([1e30, 1e30], 1.0, 0.0), NotFinite::Output { layer: 1, kind: "Dense" });
    assert_eq!(place([1.0, 1.0], 1.0, 1e30), NotFinite::Loss);
    let error = TrainError::NotFinite { step: 2, place: parameter(1, 2) };
    assert_eq!(
        error.to_string(),
        "the loss at step 2 is not finite: kernel[2] of layer 1, Dense, is not finite; the step was not taken"
    );
}

/// Layers are numbered through branches, as a summary lists them.
#[test]
fn a_row_of_the_second_branch_is_named() {
    type Likes = sequential![Branches<EmbeddingBag<1, 6, 4>, EmbeddingBag<1, 9, 4>>, Dot<4>];
    let mut model = Likes::zeroed();
    model.first.second.rows[7][1] = f32::NAN;
    let mut trainer = Trainer::<Likes, _, _, 1>::new(Sgd::default(), MeanSquaredError);
    let x = pairs![Bag::from_first([1]), Bag::from_first([7])];
    let place = NotFinite::Parameter { layer: 1, kind: "EmbeddingBag", name: "rows", row: 7 };
    let found = trainer.step(&mut model, &[x], &[[1.0]]);
    assert_eq!(found.unwrap_err(), TrainError::NotFinite { step: 1, place });
}

#[test]
fn ids_are_named_by_example_branch_and_position() {
    type Columns = branches![Embedding<1, 5, 2>, Embedding<2, 7, 2>, EmbeddingBag<3, 4, 2>];
    let good = pairs![[4], [6, 0], Bag::from_first([3, 3])];
    let bad = pairs![[4], [6, 0], Bag::from_first([3, 0, 9])];
    let found = Columns::check(&[good, good, bad]).unwrap_err();
    let error = IndexOutOfRange { position: 2, index: 9, rows: 4 };
    assert_eq!(found, InputError::Id { example: 2, branch: Some(2), error });
    assert_eq!(
        found.to_string(),
        "example 2, branch 2: index 9 at position 2 is outside 0..4, the rows of the table"
    );
    let found = Embedding::<3, 5, 2>::check(&[[0; 3], [0, 5, 0]]).unwrap_err();
    let error = IndexOutOfRange { position: 1, index: 5, rows: 5 };
    assert_eq!(found, InputError::Id { example: 1, branch: None, error });
}

#[test]
fn capacities_say_how_many_were_needed() {
    let error = HashingTokenizer::new(300).encode::<2, u8>("some words").unwrap_err();
    assert_eq!((error.capacity, error.needed), (256, 300));
    assert_eq!(error.to_string(), "rows named by the id type: 300, more than the 256 that there is room for");
    let error = Bag::<4>::from_ids(0..9).unwrap_err();
    assert_eq!(error, CapacityExceeded { what: "ids of a bag (CAPACITY)", capacity: 4, needed: 9 });
}

#[test]
fn errors_become_those_of_inputs_and_of_training() {
    fn input() -> Result<(), InputError> {
        let indices = Indices::mapping(&[0_u8, 1, 2], 3, 0)?;
        Bags::new(indices, &[0, 2, 1, 3])?;
        Ok(())
    }
    fn training() -> Result<(), TrainError> {
        Indices::mapping(&[0_u8, 1, 2], 3, 3)?;
        Bags::new(Indices::new(&[0_u8], 1)?, &[0, 1])?;
        Ok(())
    }
    let error = BagError::OffsetsDecrease { bag: 1, start: 2, end: 1 };
    assert_eq!(input(), Err(InputError::Bags(error)));
    assert_eq!(error.to_string(), "bag 1 ends at 1, before its start at 2");
    assert_eq!(training(), Err(TrainError::Input(InputError::Row(RowOutOfRange { row: 3, rows: 3 }))));
}

/// Rows that end between multiples of 4 are filled up, whatever follows; so are the texts of a vocabulary.
#[test]
fn rows_of_any_length_have_images() {
    type Words = Packed<Embedding<2, 2047, 6>, U4Row<6, 7>, 2047>;
    type Model = sequential![Words, Flatten<2, 6, 12>, Dense<12, 1, Sigmoid>];
    assert_eq!(image::size::<Model>(), parameters_at(3) + 14_332 + 4 * 13);
    let mut trained = Embedding::<2, 2047, 6>::zeroed();
    trained.rows[2046] = [0.0, 1.0, 2.0, 3.0, 4.0, 15.0];
    let mut model = Model::zeroed();
    model.first.quantise_from(&trained);
    model.second.second.kernel = [[0.5]; 12];
    let mut bytes = Aligned([0; image::size::<Model>()]);
    image::write(&model, &mut *bytes).unwrap();
    let read = image::read::<Model>(&*bytes).unwrap();
    assert_eq!(read.predict(&[2046, 2046]), model.predict(&[2046, 2046]));
    let mut copied = Model::zeroed();
    image::read_into(&*bytes, &mut copied).unwrap();
    assert_eq!(copied.predict(&[2046, 0]), model.predict(&[2046, 0]));

    let mut counts = WordCounts::<4, 9>::new();
    counts.fit(["a", "bc"]).unwrap();
    let mut vocabulary = Vocabulary::<4, 9>::new();
    vocabulary.adapt(&mut counts, VocabularyOptions::default()).unwrap();
    let mut bytes = Aligned([0; image::size::<Vocabulary<4, 9>>()]);
    image::write(&vocabulary, &mut *bytes).unwrap();
    assert_eq!(image::read::<Vocabulary<4, 9>>(&*bytes), Ok(&vocabulary));
}

/// Far more than a thread's stack holds.
#[cfg(feature = "alloc")]
#[test]
fn large_values_are_boxed() {
    type Large = Dense<2000, 1000>;
    type Twice = sequential![Large, Dense<1000, 1>];
    use nanoembed::metrics::ConfusionMatrix;
    use nanoembed::train::History;
    static COUNTS: WordCounts<100_000, 2_000_000> = WordCounts::EMPTY;
    static MODEL: Twice = Twice::ZEROED;
    assert_eq!(Vocabulary::<100_000, 2_000_000>::boxed().rows(), 1);
    assert_eq!((WordCounts::<100_000, 2_000_000>::boxed().len(), COUNTS.len()), (0, 0));
    assert_eq!(History::<1_000_000>::boxed().epochs(), 0);
    assert_eq!(ConfusionMatrix::<2000>::boxed().count(1999, 1999), 0);
    let model = Twice::boxed_zeroed();
    let mut trainer = Trainer::<Twice, _, _, 600>::boxed(Sgd::default(), MeanSquaredError);
    assert!(trainer.evaluate(&model, &[[1.0; 2000]], &[[0.0]]).is_ok());
    assert!(trainer.evaluate(&MODEL, &[[1.0; 2000]], &[[0.0]]).is_ok());
    let mut workspace = Twice::boxed_workspace::<600>();
    let mut y = [[7.0]];
    model.predict_batch::<600>(&[[1.0; 2000]], &mut workspace, &mut y).unwrap();
    assert_eq!(y, [[0.0]]);
}
