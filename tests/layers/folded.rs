//! Folded classifiers: what they give is what plain loops over the codes give, near what the model gave that was
//! folded; as a type and as values by bits. What cannot be folded is refused.

use crate::common::{Random, bits, draw};
use nanoembed::error::{IndexOutOfRange, InputError, NotFinite, ShapeMismatch};
use nanoembed::image::{self, Contents, Sections};
use nanoembed::layers::options::{SqrtN, Sum};
use nanoembed::layers::{
    Activation, Bag, Dense, Dropout, Embedding, EmbeddingBag, Flatten, Folded, I4Row, I8Row, Identity,
    KeptRows, Layer, Sigmoid, Softmax,
};
use nanoembed::models::{self, All, FoldError, Folding, Input};
use nanoembed::rand_core::SeedableRng;
use nanoembed::sequential;
use nanoembed::table::RowFormat;
use proptest::prelude::*;

const ROWS: usize = 70;

fn trained<M: Layer>(seed: u64) -> M {
    let mut model = M::zeroed();
    let random = &mut Random::seed_from_u64(seed);
    model.visit_mut(&mut |part| {
        for number in part.as_chunks_mut().0 {
            *number = draw(random).to_le_bytes();
        }
    });
    model
}

/// The image on a cache line.
fn aligned(image: &[u8]) -> Vec<u32> {
    image.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// What an image of a folded model of `classes` says of a bag, from its bytes alone.
fn by_hand(image: &[u8], ids: &[u16], means: bool) -> Vec<f32> {
    let sections = Sections::read(image).expect("an image");
    let record = sections.records().expect("an aligned image")[0];
    let [rows, classes, kept, ..] = record.extents.map(|extent| extent as usize);
    let bytes = sections.parameters();
    let row_bytes = if record.format == 6 { classes } else { classes.div_ceil(2) };
    let map_at = (kept * row_bytes).next_multiple_of(4);
    let scale_at = map_at + if kept < rows { 8 * rows.div_ceil(32) } else { 0 };
    let word = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("4 bytes");
    let scale = f32::from_le_bytes(word(scale_at));
    let is_kept =
        |row: usize| kept == rows || u32::from_le_bytes(word(map_at + 8 * (row / 32))) >> (row % 32) & 1 == 1;
    let named: Vec<usize> = ids.iter().map(|id| usize::from(*id)).filter(|row| is_kept(*row)).collect();
    let code = |row: usize, class: usize| {
        let place = (0..row).filter(|row| is_kept(*row)).count() * row_bytes;
        if record.format == 6 {
            return i64::from(bytes[place + class] as i8);
        }
        let code = i64::from(bytes[place + class / 2] >> (class % 2 * 4) & 15);
        if code > 7 { code - 16 } else { code }
    };
    let of_class = |class: usize| {
        let bias = i64::from(i32::from_le_bytes(word(scale_at + 4 + 4 * class)));
        let sum: i64 = named.iter().map(|row| code(*row, class)).sum();
        let start = if !means || named.is_empty() { bias } else { 0 };
        let count = match named.len() {
            _ if !means => 1,
            0 => 4096,
            count => count,
        };
        scale * (start + sum) as f32 / count as f32
    };
    (0..classes).map(of_class).collect()
}

/// Folds a model, and compares all there is to compare for a bag of these ids: logits without an activation.
fn check<M, F, const CLASSES: usize>(
    (format, keep): (RowFormat, usize),
    ids: &[u16],
    means: bool,
    most: f32,
    seed: u64,
) where
    M: Layer<Input = Bag<64>, Output = [f32; CLASSES]>,
    F: Layer<Input = Bag<64>, Output = [f32; CLASSES]>,
{
    let model = trained::<M>(seed);
    let image = image::to_vec(&model);
    let opened = models::open::<All>(&image).expect("an image");
    let kept = opened.strongest_rows(keep, None).expect("a linear classifier");
    assert_eq!(kept.iter().filter(|kept| **kept).count(), keep);
    let folding = Folding { kept: Some(&kept), ..Folding::new(format) };
    let image = models::fold(&model, folding, &Contents::default()).expect("a linear classifier");
    let words = aligned(&image);
    let image = nanoembed::zerocopy::IntoBytes::as_bytes(&words[..]);
    let bag = Bag::from_ids(ids.iter().copied()).expect("few ids");
    let typed: &F = image::read(image).expect("an image of the type");
    let found = typed.predict(&bag).expect("good ids");
    assert_eq!(bits(&found), bits(&by_hand(image, ids, means)));
    let opened = models::open::<All>(image).expect("an image");
    let mut buffers = opened.recipe().workspace(1).expect("a small model").buffers();
    let mut y = [f32::NAN; CLASSES];
    let wide: Vec<u32> = ids.iter().map(|id| u32::from(*id)).collect();
    let inputs = [Input::Bags { ids: &wide, offsets: &[0, wide.len() as u32] }];
    opened.predict(&inputs, &mut buffers.workspace(), &mut y).expect("good inputs");
    assert_eq!(bits(&y), bits(&found));
    // It counts the same.
    assert_eq!(opened.recipe().summary().to_string(), F::summary().to_string());
    // What was left out counts as absent.
    let of_kept: Vec<u16> = ids.iter().copied().filter(|id| kept[usize::from(*id)]).collect();
    let exact = model.predict(&Bag::from_ids(of_kept.iter().copied()).expect("few ids")).expect("good ids");
    let span = match of_kept.len() {
        // The bias alone, which has twelve bits more.
        0 if means => 1.0 / 2048.0,
        _ if means => 1.0,
        _ => 1.0 + ids.len() as f32,
    };
    for (x, y) in found.iter().zip(exact) {
        assert!((x - y).abs() <= most * span, "{found:?} for {exact:?}");
    }
}

type Means<const DIM: usize, const CLASSES: usize> =
    sequential![EmbeddingBag<64, ROWS, DIM>, Dense<DIM, CLASSES>];
type Sums<const DIM: usize, const CLASSES: usize> =
    sequential![EmbeddingBag<64, ROWS, DIM, Sum>, Dense<DIM, CLASSES>];

type Kept<R> = KeptRows<R, 33, ROWS, 3>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_model_gives_what_its_codes_say(
        ids in prop::collection::vec(0..ROWS as u16, 0..64),
        seed: u64,
    ) {
        let (i8, i4) = ((RowFormat::I8, ROWS), (RowFormat::I4, ROWS));
        check::<Means<4, 7>, Folded<[I8Row<7>; ROWS], 7>, 7>(i8, &ids, true, 0.1, seed);
        check::<Means<3, 1>, Folded<[I8Row<1>; ROWS], 1>, 1>(i8, &ids, true, 0.1, seed);
        check::<Means<4, 7>, Folded<[I4Row<7, 4>; ROWS], 7>, 7>(i4, &ids, true, 1.5, seed);
        check::<Sums<5, 2>, Folded<[I8Row<2>; ROWS], 2, 64, Sum>, 2>(i8, &ids, false, 0.1, seed);
        check::<Sums<2, 17>, Folded<[I4Row<17, 9>; ROWS], 17, 64, Sum>, 17>(i4, &ids, false, 1.5, seed);
    }

    #[test]
    fn rows_that_are_left_out_count_as_absent(
        ids in prop::collection::vec(0..ROWS as u16, 0..64),
        seed: u64,
    ) {
        let few = |format| (format, 33);
        check::<Means<4, 7>, Folded<Kept<I8Row<7>>, 7>, 7>(few(RowFormat::I8), &ids, true, 0.1, seed);
        check::<Means<4, 7>, Folded<Kept<I4Row<7, 4>>, 7>, 7>(few(RowFormat::I4), &ids, true, 1.5, seed);
        check::<Sums<5, 2>, Folded<Kept<I8Row<2>>, 2, 64, Sum>, 2>(few(RowFormat::I8), &ids, false, 0.1, seed);
        check::<Means<3, 1>, Folded<Kept<I8Row<1>>, 1>, 1>(few(RowFormat::I8), &ids, true, 0.1, seed);
    }

    /// Without floats: the same class, and probabilities to the last places of 16 bits.
    #[test]
    fn integers_say_the_same(ids in prop::collection::vec(0..ROWS, 0..64), seed: u64, large: bool) {
        type Trained = sequential![EmbeddingBag<64, ROWS, 4>, Dense<4, 7, Softmax>];
        type Shipped = sequential![Folded<[I8Row<7>; ROWS], 7>, Activation<[f32; 7], Softmax>];
        let mut model = trained::<Trained>(seed);
        if large {
            model.second.kernel.as_flattened_mut().iter_mut().for_each(|x| *x *= 30.0);
        }
        let image = models::fold(&model, Folding::new(RowFormat::I8), &Contents::default()).unwrap();
        let words = aligned(&image);
        let model: &Shipped = image::read(nanoembed::zerocopy::IntoBytes::as_bytes(&words[..])).unwrap();
        let bag = Bag::from_ids(ids.iter().map(|id| *id as u16)).unwrap();
        let expected = model.predict(&bag).unwrap();
        let scores = model.first.scores(ids.iter().copied().chain([ROWS, usize::MAX]));
        let most = expected.iter().fold(0.0, |most, x| if *x > most { *x } else { most });
        prop_assert!(expected[scores.class()] == most, "{scores:?}: {expected:?}");
        for (found, exact) in scores.probabilities().iter().zip(expected) {
            let far = (f32::from(*found) - exact * 65_535.0).abs();
            prop_assert!(far <= 8.0, "{found} for {exact}");
        }
    }
}

#[test]
fn the_rows_that_differ_most_are_kept() {
    type Trained = sequential![EmbeddingBag<64, ROWS, 1>, Dense<1, 2, Softmax>];
    let mut model = Trained::zeroed();
    model.second.kernel = [[1.0, -1.0]];
    for (row, to) in model.first.rows.iter_mut().enumerate() {
        *to = [row as f32];
    }
    let image = image::to_vec(&model);
    let model = models::open::<All>(&image).expect("an image");
    let strongest = |occurrences| {
        let rows = model.strongest_rows(6, occurrences).expect("a linear classifier");
        (0..ROWS).filter(|row| rows[*row]).collect::<Vec<_>>()
    };
    assert_eq!(strongest(None), [64, 65, 66, 67, 68, 69]);
    let mut occurrences = [0; ROWS];
    (occurrences[3], occurrences[40], occurrences[69]) = (1, 9, 2);
    assert_eq!(strongest(Some(&occurrences)), [3, 40, 66, 67, 68, 69]);
    assert!(model.strongest_rows(1000, None).expect("all rows").iter().all(|strong| *strong));
}

/// With the texts at hand their probabilities come nearer: few scores of a row are great, and most are a little
/// below 0, as those of many classes are.
#[test]
fn texts_choose_the_scale() {
    const CLASSES: usize = 40;
    type Trained = sequential![EmbeddingBag<64, ROWS, CLASSES>, Dense<CLASSES, CLASSES, Softmax>];
    type Shipped =
        sequential![Folded<[I4Row<CLASSES, 20>; ROWS], CLASSES>, Activation<[f32; CLASSES], Softmax>];
    let mut random = Random::seed_from_u64(4);
    let mut model = Trained::zeroed();
    for (row, scores) in model.first.rows.iter_mut().enumerate() {
        *scores = [(); CLASSES].map(|()| draw(&mut random) * 2.0 - 3.0);
        scores[row % CLASSES] = 25.0 + draw(&mut random) * 10.0;
    }
    for class in 0..CLASSES {
        model.second.kernel[class][class] = 1.0;
    }
    let texts: Vec<[u16; 4]> = (0..100_u16)
        .map(|text| [text % 40, (text % 40 + 40) % ROWS as u16, text * 7 % 70, text * 13 % 70])
        .collect();
    let ids: Vec<u32> = texts.as_flattened().iter().map(|id| u32::from(*id)).collect();
    let offsets: Vec<u32> = (0..=100).map(|text| 4 * text).collect();
    let error = |folding| {
        let image = models::fold(&model, folding, &Contents::default()).expect("a linear classifier");
        let words = aligned(&image);
        let folded: &Shipped = image::read(nanoembed::zerocopy::IntoBytes::as_bytes(&words[..])).unwrap();
        let of_text = |ids: &[u16; 4]| {
            let bag = Bag::from_ids(*ids).expect("few ids");
            let (p, q) = (model.predict(&bag).unwrap(), folded.predict(&bag).unwrap());
            p.iter().zip(q).map(|(p, q)| f64::from((p - q).abs())).sum::<f64>()
        };
        texts.iter().map(of_text).sum::<f64>() / texts.len() as f64
    };
    let i4 = Folding::new(RowFormat::I4);
    let (without, with) =
        (error(i4), error(Folding { texts: Some(Input::Bags { ids: &ids, offsets: &offsets }), ..i4 }));
    assert!(with < 0.8 * without && with < 0.3, "{with} with texts, {without} without");
}

/// A model with an activation, dropout and contents keeps them.
#[test]
fn what_is_around_the_layers_stays() {
    type Trained = sequential![
        EmbeddingBag<64, ROWS, 4>, Dropout<[f32; 4], 200>, Dense<4, 3, Identity>, Activation<[f32; 3], Sigmoid>
    ];
    let contents = Contents { classes: &["a", "b", "c"], threshold: 0.25, ..Contents::default() };
    let image = models::fold(&trained::<Trained>(1), Folding::new(RowFormat::I4), &contents).unwrap();
    let model = models::open::<All>(&image).expect("an image");
    assert_eq!(model.recipe().records().len(), 2);
    assert!(model.classes().expect("names").iter().eq(["a", "b", "c"]));
    let unfolded = image::to_vec_with(&trained::<Trained>(1), &contents).expect("contents that fit");
    let again = models::open::<All>(&unfolded).expect("an image").fold(Folding::new(RowFormat::I4));
    assert!(again.expect("a linear classifier") == image);
    // The tables of a shipped model can be folded, too.
    let shipped = models::ship(&trained::<Trained>(1), RowFormat::U8, &contents).expect("an image");
    assert!(models::open::<All>(&shipped).expect("an image").fold(Folding::new(RowFormat::I8)).is_ok());
}

#[test]
fn what_cannot_be_folded_is_refused() {
    fn error<M: Layer>(model: &M, folding: Folding<'_>) -> Option<FoldError> {
        models::fold(model, folding, &Contents::default()).err()
    }
    type Summed = sequential![EmbeddingBag<64, ROWS, 2, Sum>, Dense<2, 3>];
    type Linear = sequential![EmbeddingBag<64, ROWS, 2>, Dense<2, 3>];
    type Sequence = sequential![Embedding<2, ROWS, 2>, Flatten<2, 2, 4>, Dense<4, 3>];
    type Deep = sequential![EmbeddingBag<64, ROWS, 2>, Dense<2, 3>, Dense<3, 3>];
    type Roots = sequential![EmbeddingBag<64, ROWS, 2, SqrtN>, Dense<2, 3>];
    let i8 = Folding::new(RowFormat::I8);
    assert_eq!(error(&Sequence::zeroed(), i8), Some(FoldError::Layer { layer: 0, kind: "Embedding" }));
    assert_eq!(error(&Deep::zeroed(), i8), Some(FoldError::Layer { layer: 2, kind: "Dense" }));
    assert_eq!(error(&EmbeddingBag::<64, ROWS, 2>::zeroed(), i8), Some(FoldError::NoDense));
    assert_eq!(error(&Roots::zeroed(), i8), Some(FoldError::Pooling));
    let formats =
        [RowFormat::F32, RowFormat::F16, RowFormat::Bf16, RowFormat::U8, RowFormat::U4, RowFormat::U2];
    for format in formats {
        assert_eq!(error(&Linear::zeroed(), Folding::new(format)), Some(FoldError::Format(format)));
    }
    assert_eq!(
        error(&Linear::zeroed(), Folding { kept: Some(&[false; ROWS]), ..i8 }),
        Some(FoldError::NoRows)
    );
    let rows = |what, found| Some(FoldError::Rows(ShapeMismatch { what, expected: ROWS, found }));
    let short = Folding { kept: Some(&[true; ROWS - 1]), ..i8 };
    assert_eq!(error(&Linear::zeroed(), short), rows("rows to keep", ROWS - 1));
    let texts = |texts| error(&Linear::zeroed(), Folding { texts: Some(texts), ..i8 });
    let kind = InputError::Kind { input: 0, takes: "Input::Bags" };
    assert_eq!(texts(Input::Ids(&[1, 2])), Some(FoldError::Texts(kind)));
    let beyond = IndexOutOfRange { position: 1, index: ROWS as i64, rows: ROWS };
    let found = texts(Input::Bags { ids: &[1, ROWS as u32], offsets: &[0, 2] });
    assert_eq!(found, Some(FoldError::Texts(beyond.into())));
    let end = texts(Input::Bags { ids: &[1, 2], offsets: &[0, 1] });
    assert!(matches!(end, Some(FoldError::Texts(InputError::Bags(_)))), "{end:?}");
    // Texts without rows say nothing: the scale is the one without them.
    let model = trained::<Linear>(3);
    for texts in [Input::Bags { ids: &[], offsets: &[0] }, Input::Bags { ids: &[], offsets: &[0, 0, 0] }] {
        let with = models::fold(&model, Folding { texts: Some(texts), ..i8 }, &Contents::default());
        assert!(with == models::fold(&model, i8, &Contents::default()));
    }
    assert_eq!(error(&Linear::zeroed(), i8), None, "zeros have scale 1");
    for x in [f32::NAN, f32::INFINITY] {
        let mut model = Linear::zeroed();
        model.first.rows[5][1] = x;
        let place = NotFinite::Parameter { layer: 0, kind: "EmbeddingBag", name: "rows", row: 5 };
        assert_eq!(error(&model, i8), Some(FoldError::NotFinite(place)));
    }
    let mut model = Linear::zeroed();
    (model.first.rows[5], model.second.kernel) = ([f32::MAX; 2], [[2.0; 3]; 2]);
    assert!(matches!(error(&model, i8), Some(FoldError::Scores(error)) if error.row == 5));
    let mut model = Summed::zeroed();
    (model.first.rows[5], model.second.kernel, model.second.bias) =
        ([1e-6; 2], [[1.0; 3]; 2], [0.0, 1e9, 0.0]);
    assert_eq!(error(&model, i8), Some(FoldError::Overflow { class: 1 }));
}
