//! Kinds of layers at run time give the bits of the typed layers, and records that are none are refused.

use crate::common::run_time::{Column, Given, ROWS, records_of, words_of};
use crate::common::{Random, draw};
use nanoembed::internals::{PackedRow, TableLayer};
use nanoembed::layers::options::{
    Added, Causal, GoBackwards, GoForwards, HonourMask, IgnoreMask, MaskZero, Mean, Multiplied, NoMask,
    ReturnLast, ReturnSequences, Same, SqrtN, StrictMask, Sum, Valid,
};
use nanoembed::layers::{
    Activation, Add, Bf16Row, BiasedDot, Branches, Conv1D, Dense, Dot, Dropout, Embedding, EmbeddingBag,
    F16Row, Flatten, Frozen, GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding, I4Row, I8Row,
    Identity, Input, Layer, Lstm, Packed, QuotientRemainder, Relu, Sigmoid, Softmax, Tanh, U2Row, U4Row,
    U8Row,
};
use nanoembed::models::{self, All, LayerKind, Model, Recipe, RecipeError, Record, RecordError, Source};
use nanoembed::rand_core::SeedableRng;
use nanoembed::table::RowFormat;
use nanoembed::zerocopy::{FromZeros, Immutable, IntoBytes};
use nanoembed::{concatenate, sequential};

/// The outputs of a model at run time, of memory that is exactly as long as it must be.
fn predict(recipe: Recipe<'_, All>, parameters: &[f32], columns: &[Column], n: usize) -> Vec<f32> {
    let lengths = recipe.workspace(n).unwrap();
    // What the memory holds must not matter.
    let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
    let mut workspace = models::Workspace { numbers: &mut numbers, masks: &mut masks };
    let inputs: Vec<_> = columns.iter().map(Column::input).collect();
    let mut out = vec![f32::NAN; n * recipe.output().numbers()];
    let model = Model::new(recipe, parameters).unwrap();
    model.predict(&inputs, &mut workspace, &mut out).unwrap();
    out
}

/// Asserts that a typed model and the one at run time of the same image give the same bits.
fn check<M: Layer>(model: &M, random: &mut Random)
where
    M::Input: Given,
    M::Output: IntoBytes + Immutable,
{
    let records = records_of(model);
    let recipe = Recipe::<All>::new(&records).unwrap();
    let parameters = words_of(model);
    for n in [1, 5, 0, 4] {
        let x: Vec<M::Input> = (0..n).map(|_| M::Input::draw(random)).collect();
        let mut y: Vec<M::Output> = (0..n).map(|_| M::Output::new_zeroed()).collect();
        model.predict_batch::<5>(&x, &mut M::workspace(), &mut y).unwrap();
        let found = predict(recipe, &parameters, &M::Input::columns(&x), n);
        assert_eq!(found.as_bytes(), y.as_bytes(), "{} examples of {}", n, std::any::type_name::<M>());
    }
}

/// Random parameters.
fn fill<M: Layer>(model: &mut M, random: &mut Random) {
    model.visit_mut(&mut |part| {
        for bytes in part.chunks_mut(4) {
            bytes.copy_from_slice(&draw(random).to_le_bytes());
        }
    });
}

/// The same of models of random parameters.
fn same<M: Layer>()
where
    M::Input: Given,
    M::Output: IntoBytes + Immutable,
{
    let mut random = Random::seed_from_u64(M::FINGERPRINT.value());
    let mut model = M::zeroed();
    fill(&mut model, &mut random);
    check(&model, &mut random);
}

/// Sequences of `LEN` steps of `DIM` numbers, some of which are padding.
type Words<const LEN: usize, const DIM: usize> = Embedding<LEN, ROWS, DIM, u32, MaskZero>;

#[test]
fn embeddings() {
    same::<Embedding<4, ROWS, 3, u32, NoMask>>();
    same::<Embedding<1, ROWS, 64, u32, MaskZero>>();
    same::<EmbeddingBag<4, ROWS, 3, Mean, u32>>();
    same::<EmbeddingBag<9, ROWS, 17, Sum, u32>>();
    same::<EmbeddingBag<2, ROWS, 1, SqrtN, u32>>();
}

fn packed_as<L: TableLayer, R: PackedRow>()
where
    L::Input: Given,
    L::Output: IntoBytes + Immutable,
{
    let mut random = Random::seed_from_u64(L::FINGERPRINT.value());
    let trained = L::new(&mut random);
    let mut packed = Packed::<L, R, ROWS>::zeroed();
    packed.quantise_from(&trained);
    check(&packed, &mut random);
}

#[test]
fn packed_embeddings() {
    macro_rules! each {
        ($($row:ty, $dim:literal;)*) => {$(
            packed_as::<Embedding<3, ROWS, $dim, u32>, $row>();
            packed_as::<EmbeddingBag<3, ROWS, $dim, Mean, u32>, $row>();
        )*};
    }
    each! {
        F16Row<3>, 3; F16Row<16>, 16; Bf16Row<5>, 5; Bf16Row<64>, 64; U8Row<5>, 5; U8Row<32>, 32;
        U4Row<5, 7>, 5; U4Row<16, 12>, 16; U2Row<7, 6>, 7; U2Row<64, 20>, 64;
        I8Row<5>, 5; I8Row<16>, 16; I4Row<7, 4>, 7; I4Row<64, 32>, 64;
    }
}

#[test]
fn packed_tables_within_models() {
    type Shipped = sequential![
        Packed<Words<3, 5>, U8Row<5>, ROWS>, // 91 bytes, so that one fills up the last four
        Conv1D<3, 5, 4, 2, 2, Relu>,
        GlobalMaxPooling1D<2, 4>,
        Dense<4, 3, Softmax>,
    ];
    let (mut model, mut random) = (Shipped::zeroed(), Random::seed_from_u64(1));
    model.first.quantise_from(&Words::new(&mut random));
    fill(&mut model.second, &mut random);
    check(&model, &mut random);
}

#[test]
fn hashed_embeddings() {
    same::<HashedEmbedding<1, 5, 3, 1, u64>>();
    same::<HashedEmbedding<3, 100, 8, 6, u64, 7>>();
    same::<HashedEmbedding<2, 1000, 17, 8, u64, { u32::MAX }>>();
    // Ids of 32 bits are taken too.
    same::<HashedEmbedding<4, 3, 2, 12, u32, 1>>();
}

#[test]
fn quotients_and_remainders() {
    same::<QuotientRemainder<1, 3, 3, 4, Added, u32>>();
    same::<QuotientRemainder<5, 2, 4, 17, Multiplied, u32>>();
    same::<QuotientRemainder<3, 7, 1, 1, Multiplied, u32>>();
}

#[test]
fn sequences_to_vectors() {
    same::<sequential![Words<4, 3>, Flatten<4, 3, 12>]>();
    same::<sequential![Words<4, 3>, Flatten<4, 3, 12, IgnoreMask>]>();
    macro_rules! each {
        ($($len:literal, $dim:literal;)*) => {$(
            same::<sequential![Words<$len, $dim>, GlobalMaxPooling1D<$len, $dim>]>();
            same::<sequential![Words<$len, $dim>, GlobalMaxPooling1D<$len, $dim, IgnoreMask>]>();
            same::<sequential![Words<$len, $dim>, GlobalAveragePooling1D<$len, $dim>]>();
            same::<sequential![Words<$len, $dim>, GlobalAveragePooling1D<$len, $dim, IgnoreMask>]>();
        )*};
    }
    each! { 1, 1; 4, 3; 9, 70; }
    // An input of numbers has no padding.
    same::<GlobalMaxPooling1D<4, 3>>();
    same::<GlobalAveragePooling1D<5, 17>>();
    same::<Flatten<2, 3, 6>>();
}

#[test]
fn convolutions() {
    same::<Conv1D<4, 3, 2, 2, 3>>();
    same::<Conv1D<9, 5, 20, 3, 5, Tanh, Same, HonourMask, 2>>();
    macro_rules! each {
        ($($mask:ident)*) => {$(
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 5, 1, 6, Identity, Valid, $mask>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 17, 3, 4, Relu, Valid, $mask>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 2, 3, 2, Softmax, Valid, $mask, 3>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 4, 2, 3, Sigmoid, Valid, $mask, 1, 3>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 4, 4, 6, Relu, Same, $mask>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 4, 3, 3, Tanh, Same, $mask, 2>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 4, 9, 6, Relu, Causal, $mask>]>();
            same::<sequential![Words<6, 3>, Conv1D<6, 3, 40, 2, 6, Softmax, Causal, $mask, 1, 2>]>();
            // The masks of the outputs.
            same::<sequential![
                Words<6, 3>,
                Conv1D<6, 3, 4, 3, 3, Relu, Same, $mask, 2>,
                GlobalAveragePooling1D<3, 4>,
            ]>();
            same::<sequential![
                Words<6, 3>,
                Conv1D<6, 3, 4, 3, 4, Relu, Valid, $mask>,
                Conv1D<4, 4, 3, 2, 3, Relu, Valid, HonourMask>,
                Flatten<3, 3, 9>,
            ]>();
        )*};
    }
    each! { HonourMask IgnoreMask StrictMask }
}

#[test]
fn lstms() {
    same::<Lstm<4, 3, 5>>();
    macro_rules! each {
        ($($direction:ident)*) => {$(
            same::<sequential![Words<1, 3>, Lstm<1, 3, 1, ReturnLast, $direction>]>();
            same::<sequential![Words<5, 3>, Lstm<5, 3, 17, ReturnLast, $direction>]>();
            same::<sequential![Words<5, 3>, Lstm<5, 3, 4, ReturnSequences, $direction>]>();
            // The masks of the outputs.
            same::<sequential![
                Words<5, 3>,
                Lstm<5, 3, 4, ReturnSequences, $direction>,
                Lstm<5, 4, 3, ReturnSequences, GoForwards>,
                GlobalAveragePooling1D<5, 3>,
            ]>();
        )*};
    }
    each! { GoForwards GoBackwards }
}

#[test]
fn vectors() {
    same::<Dense<5, 3, Tanh>>();
    same::<sequential![Dense<5, 33, Relu>, Dropout<[f32; 33], 300>, Dense<33, 2, Softmax>]>();
    same::<Dropout<[f32; 4], 0>>();
    same::<Dropout<[[f32; 2]; 3], 999>>();
    same::<Input<[f32; 4]>>();
    same::<Input<[[f32; 4]; 2]>>();
    same::<Activation<[f32; 1], Sigmoid>>();
    same::<Activation<[f32; 5], Softmax>>();
    same::<Activation<[[f32; 5]; 3], Softmax>>();
    // Masks are passed on.
    same::<
        sequential![
            Words<4, 3>,
            Activation<[[f32; 3]; 4], Tanh>,
            Dropout<[[f32; 3]; 4], 500>,
            GlobalAveragePooling1D<4, 3>,
        ],
    >();
}

#[test]
fn two_inputs() {
    type Column<const DIM: usize> = sequential![Embedding<1, ROWS, DIM, u32>, Flatten<1, DIM, DIM>];
    same::<sequential![concatenate![Column<3>, Column<1>], Dense<4, 2>]>();
    same::<concatenate![Column<3>, EmbeddingBag<4, ROWS, 5, Mean, u32>, Input<[f32; 6]>, Column<1>]>();
    same::<Add<[f32; 1]>>();
    same::<sequential![Branches<Column<33>, Input<[f32; 33]>>, Add<[f32; 33]>, Dense<33, 2>]>();
    // A step is valid if it is valid in one of the two.
    same::<sequential![Branches<Words<4, 3>, Words<4, 3>>, Add<[[f32; 3]; 4]>]>();
    same::<sequential![Branches<Words<4, 3>, Words<4, 3>>, Add<[[f32; 3]; 4]>, GlobalAveragePooling1D<4, 3>]>(
    );
    same::<Dot<1>>();
    same::<sequential![Branches<Column<33>, Column<33>>, Dot<33>]>();
    same::<sequential![Branches<Column<2>, Input<[f32; 2]>>, BiasedDot<2>, Activation<[f32; 1], Sigmoid>]>();
    same::<sequential![Branches<Column<17>, Column<17>>, Frozen<BiasedDot<17>>]>();
}

/// What is wrong with a layer that takes the inputs of the model.
fn refused(record: Record) -> RecordError {
    match Recipe::<All>::new(&[record.from(Source::Input(0))]) {
        Err(RecipeError::Layer { layer: 0, error, .. }) => error,
        other => panic!("{record:?} gives {other:?}"),
    }
}

/// Every extent and option of a record that must not have this value is refused.
#[test]
fn records_that_are_none() {
    use LayerKind::{
        BiasedDot, Concatenate, Conv1D, Dot, GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding,
        Lstm, QuotientRemainder,
    };
    type Expected = (Record, usize, [u16; 3], u16, &'static [usize]);
    const FROZEN: u16 = 1;
    // A record of each kind, how many extents it has, how many values each of its options, which bits of the
    // last may be set, and which extents may be 0.
    let kinds: [Expected; 18] = [
        (Record::new(LayerKind::Embedding, &[4, 7, 3]), 3, [2, 1, 1], 3, &[]),
        (Record::new(LayerKind::EmbeddingBag, &[7, 3]), 2, [3, 1, 1], 3, &[]),
        (Record::new(HashedEmbedding, &[4, 7, 3, 2, 0]), 5, [1, 1, 1], FROZEN, &[4]),
        (Record::new(QuotientRemainder, &[4, 7, 3, 2]), 4, [2, 1, 1], FROZEN, &[]),
        (Record::new(LayerKind::Flatten, &[4, 3]), 2, [1, 1, 2], 0, &[]),
        (Record::new(GlobalMaxPooling1D, &[4, 3]), 2, [1, 1, 2], 0, &[]),
        (Record::new(GlobalAveragePooling1D, &[4, 3]), 2, [1, 1, 2], 0, &[]),
        (Record::new(Conv1D, &[9, 3, 4, 3, 1, 1]), 6, [3, 5, 3], FROZEN, &[]),
        (Record::new(Lstm, &[4, 3, 2]), 3, [2, 2, 1], FROZEN, &[]),
        (Record::new(LayerKind::Dense, &[4, 3]), 2, [1, 5, 1], FROZEN, &[]),
        (Record::new(LayerKind::Dropout, &[4, 3, 0]), 3, [1, 1, 1], 0, &[1, 2]),
        (Record::new(LayerKind::Activation, &[4, 3]), 2, [1, 5, 1], 0, &[1]),
        (Record::new(Concatenate, &[4, 3]), 2, [1, 1, 1], 0, &[]),
        (Record::new(LayerKind::Add, &[4, 3]), 2, [1, 1, 1], 0, &[1]),
        (Record::new(LayerKind::OverlayBag, &[7, 3]), 2, [3, 1, 1], 0, &[]),
        (Record::new(Dot, &[4]), 1, [1, 1, 1], 0, &[]),
        (Record::new(BiasedDot, &[4]), 1, [1, 1, 1], FROZEN, &[]),
        (Record::new(LayerKind::Folded, &[7, 3, 5]).format(RowFormat::I4), 3, [2, 1, 1], 0, &[]),
    ];
    for (record, extents, options, learning, zeros) in kinds {
        let two = matches!(
            LayerKind::from_number(record.kind),
            Some(LayerKind::Add | Concatenate | Dot | BiasedDot)
        );
        let record = if two {
            record.from_both(Source::Input(0), Source::Input(1))
        } else {
            record.from(Source::Input(0))
        };
        // What is said of the record after a change.
        let result = |change: &dyn Fn(&mut Record)| {
            let mut changed = record;
            change(&mut changed);
            Recipe::<All>::new(&[changed]).map(drop)
        };
        let passes = |change: &dyn Fn(&mut Record)| assert_eq!(result(change), Ok(()), "{record:?}");
        let fails = |error, change: &dyn Fn(&mut Record)| {
            let expected = RecipeError::Layer { layer: 0, kind: record.kind, error };
            assert_eq!(result(change), Err(expected), "{record:?}");
        };
        passes(&|_| {});
        for extent in 0..6 {
            let error = |value| RecordError::Extent { extent, value };
            match extent < extents {
                true if zeros.contains(&extent) => passes(&|record| record.extents[extent] = 0),
                true => fails(error(0), &|record| record.extents[extent] = 0),
                false => fails(error(1), &|record| record.extents[extent] = 1),
            }
            let large = |record: &mut Record| record.extents[extent] = 1 << 31;
            // A seed may be any number.
            if record.kind == HashedEmbedding as u16 && extent == 4 {
                passes(&large);
            } else {
                fails(error(1 << 31), &large);
            }
        }
        for (option, count) in options.into_iter().enumerate() {
            for value in 0..count {
                passes(&|record| record.options[option] = value);
            }
            for value in [count, u16::MAX] {
                fails(RecordError::Option { option, value }, &|record| record.options[option] = value);
            }
        }
        for value in 0..8 {
            match value & !learning {
                0 => passes(&|record| record.options[3] = value),
                _ => fails(RecordError::Option { option: 3, value }, &|record| record.options[3] = value),
            }
        }
        let unsupported = RecordError::UnsupportedLayer { kind: record.kind, format: 9 };
        fails(unsupported, &|record| record.format = 9);
        let number = if two { 0 } else { 3 };
        fails(RecordError::Source { source: number }, &|record| record.sources[1] = number);
    }
}

/// What the types refuse by assertions.
#[test]
fn records_whose_sizes_do_not_fit() {
    let conv =
        |extents: [usize; 6], padding| Record::new(LayerKind::Conv1D, &extents).options([padding, 0, 0]);
    let extent = |extent, value| RecordError::Extent { extent, value };
    assert_eq!(refused(conv([4, 3, 2, 5, 1, 1], 0)), extent(3, 5));
    assert_eq!(refused(conv([4, 3, 2, 3, 1, 2], 0)), extent(3, 3));
    assert_eq!(refused(conv([9, 3, 2, 2, 2, 2], 2)), extent(5, 2));
    assert_eq!(refused(Record::new(LayerKind::Conv1D, &[9, 3, 1, 2, 1, 1]).options([0, 3, 0])), extent(2, 1));
    assert_eq!(refused(Record::new(LayerKind::Dense, &[9, 1]).options([0, 3, 0])), extent(1, 1));
    assert_eq!(refused(Record::new(LayerKind::Activation, &[1, 0]).options([0, 3, 0])), extent(0, 1));
    assert_eq!(refused(Record::new(LayerKind::Activation, &[9, 1]).options([0, 3, 0])), extent(1, 1));
    assert_eq!(refused(Record::new(LayerKind::HashedEmbedding, &[4, 7, 3, 5, 0])), extent(3, 5));
    assert_eq!(refused(Record::new(LayerKind::Dropout, &[4, 0, 1000])), extent(2, 1000));
    let both = |record: Record| record.from_both(Source::Input(0), Source::Input(1));
    let error = Recipe::<All>::new(&[both(Record::new(LayerKind::BiasedDot, &[1]))]).unwrap_err();
    assert_eq!(error, RecipeError::Layer { layer: 0, kind: 15, error: extent(0, 1) });
}

#[test]
fn records_that_are_too_large() {
    const MOST: usize = i32::MAX as usize;
    for record in [
        Record::new(LayerKind::Embedding, &[1, MOST, MOST]),
        Record::new(LayerKind::Embedding, &[MOST, 1, MOST]),
        Record::new(LayerKind::EmbeddingBag, &[MOST, MOST]),
        Record::new(LayerKind::HashedEmbedding, &[1, MOST, MOST, 1, 0]),
        Record::new(LayerKind::HashedEmbedding, &[MOST, 1, MOST, 4, 0]),
        Record::new(LayerKind::QuotientRemainder, &[1, MOST, 1, MOST]),
        Record::new(LayerKind::QuotientRemainder, &[1, 1, MOST, MOST]),
        Record::new(LayerKind::QuotientRemainder, &[MOST, 1, 1, MOST]),
        Record::new(LayerKind::Flatten, &[MOST, MOST]),
        Record::new(LayerKind::Conv1D, &[MOST, MOST, MOST, MOST, 1, 1]),
        Record::new(LayerKind::Conv1D, &[MOST, 1, MOST, 1, 1, 1]),
        // The ends of a window are too far from each other.
        Record::new(LayerKind::Conv1D, &[9, 1, 1, 3, 1, MOST]).options([2, 0, 0]),
        Record::new(LayerKind::Lstm, &[1, MOST, MOST]),
        Record::new(LayerKind::Lstm, &[1, 1, MOST]),
        Record::new(LayerKind::Lstm, &[MOST, 1, MOST]),
        Record::new(LayerKind::Dense, &[MOST, MOST]),
        Record::new(LayerKind::Dropout, &[MOST, MOST, 1]),
        Record::new(LayerKind::Activation, &[MOST, MOST]),
    ] {
        assert_eq!(refused(record), RecordError::TooLarge, "{record:?}");
    }
}

/// Ids that name no row are refused before anything is written; those of a table of ids of any size cannot
/// be wrong.
#[test]
fn ids_that_name_no_row() {
    let records = [Record::new(LayerKind::QuotientRemainder, &[2, 3, 4, 1]).from(Source::Input(0))];
    let recipe = Recipe::<All>::new(&records).unwrap();
    let parameters = vec![1.0; recipe.parameters()];
    let model = Model::new(recipe, &parameters).unwrap();
    let typed = QuotientRemainder::<2, 3, 4, 1>::zeroed();
    for (ids, bad) in [([11, 0, 0, 11], false), ([11, 0, 0, 12], true), ([u32::MAX, 0, 0, 0], true)] {
        let mut numbers = vec![0.0; recipe.workspace(2).unwrap().numbers];
        let mut masks = vec![false; recipe.workspace(2).unwrap().masks];
        let mut workspace = models::Workspace { numbers: &mut numbers, masks: &mut masks };
        let mut out = [7.0; 4];
        let found = model.predict(&[models::Input::Ids(&ids)], &mut workspace, &mut out);
        let x = [[ids[0], ids[1]], [ids[2], ids[3]]];
        assert_eq!(found, typed.predict_batch::<2>(&x, &mut (), &mut [[[0.0]; 2]; 2]));
        assert_eq!((found.is_err(), out), (bad, [if bad { 7.0 } else { 2.0 }; 4]));
    }
}

/// Ids that need 64 bits are asked for as such; a processor that cannot count them refuses the layer.
#[test]
fn ids_of_large_tables() {
    let takes = |remainders| {
        let records = [Record::new(LayerKind::QuotientRemainder, &[2, 1 << 20, remainders, 1])];
        let records = records.map(|record| record.from(Source::Input(0)));
        Recipe::<All>::new(&records).map(|recipe| recipe.inputs().collect::<Vec<_>>())
    };
    assert_eq!(takes((1 << 12) - 1), Ok(vec![models::Shape::Ids(2)]));
    for (remainders, shape) in [(1 << 12, models::Shape::Ids(2)), ((1 << 12) + 1, models::Shape::LongIds(2))]
    {
        let expected = match usize::BITS {
            64 => Ok(vec![shape]),
            _ => Err(RecipeError::Layer { layer: 0, kind: 4, error: RecordError::TooLarge }),
        };
        assert_eq!(takes(remainders), expected);
    }
}
