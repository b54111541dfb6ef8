//! Extents whose products are near or beyond what the processor counts: a recipe is refused, or its numbers are
//! those of wider arithmetic. `.ci/run bits32` runs them where numbers have 32 bits.

use super::{image_with, open_error};
use nanoembed::loss::{AnyLoss, MeanSquaredError};
use nanoembed::models::{
    All, BatchSize, LayerKind, OpenError, Recipe, RecipeError, Record, RecordError, Source, Trainer,
};
use nanoembed::optim::{Adam, AnyOptimizer, Exact, Sgd};
use nanoembed::table::RowFormat;
use proptest::prelude::*;

/// Words that parameters have at most, and numbers that all outputs of an example have.
const MOST: u128 = isize::MAX as u128 / 4;
const LARGEST: usize = i32::MAX as usize;

fn model(kind: LayerKind, extents: &[usize]) -> Record {
    let record = Record::new(kind, extents);
    match kind {
        LayerKind::Add | LayerKind::Dot | LayerKind::BiasedDot | LayerKind::Concatenate => {
            record.from_both(Source::Input(0), Source::Input(1))
        }
        _ => record.from(Source::Input(0)),
    }
}

fn too_large(records: &[Record], layer: usize) {
    let expected = RecipeError::Layer { layer, kind: records[layer].kind, error: RecordError::TooLarge };
    assert_eq!(Recipe::<All>::new(records).map(drop), Err(expected));
    assert_eq!(open_error(&image_with(records, &[0; 8])), Some(OpenError::Recipe(expected)));
}

#[test]
fn products_that_overflow() {
    use LayerKind::*;
    const HALF: usize = 1 << 16;
    // Two extents of 31 bits need 62 bits, which a word of 64 has and parameters have not.
    too_large(&[model(Dense, &[LARGEST, LARGEST])], 0);
    too_large(&[model(EmbeddingBag, &[LARGEST, LARGEST])], 0);
    too_large(&[model(Embedding, &[2, LARGEST, LARGEST])], 0);
    too_large(&[model(Embedding, &[LARGEST, 2, LARGEST])], 0);
    too_large(&[model(HashedEmbedding, &[2, LARGEST, LARGEST, 4, 1])], 0);
    too_large(&[model(QuotientRemainder, &[2, 1, LARGEST, LARGEST])], 0);
    too_large(&[model(Conv1D, &[LARGEST, LARGEST, LARGEST, LARGEST, 1, 1])], 0);
    too_large(&[model(Conv1D, &[LARGEST, 1, 1, HALF, 1, HALF])], 0);
    too_large(&[model(Lstm, &[LARGEST, LARGEST, LARGEST])], 0);
    too_large(&[model(Lstm, &[1, 1, LARGEST])], 0);
    // What each has is countable, and all together not.
    let wide = LARGEST.min(MOST as usize / HALF / 2 * 2 + 1);
    let table = model(EmbeddingBag, &[wide, (MOST / wide as u128) as usize]);
    assert!(Recipe::<All>::new(&[table]).is_ok());
    let dim = table.extents[1] as usize;
    let second = Record::new(Dense, &[dim, (MOST / dim as u128) as usize]);
    too_large(&[table, second], 1);
}

#[cfg(target_pointer_width = "32")]
#[test]
fn products_that_overflow_32_bits() {
    use LayerKind::*;
    // 2^32 and a little more: they would wrap to a small number.
    for (rows, dim) in [(1 << 16, 1 << 16), (65_537, 65_536), (1 << 30, 4), (641, 6_700_417)] {
        too_large(&[model(Dense, &[rows, dim])], 0);
        too_large(&[model(EmbeddingBag, &[rows, dim])], 0);
        too_large(&[model(Flatten, &[rows, dim])], 0);
    }
    // Rows of bytes: 2^32 of them are 2^30 words.
    too_large(&[model(EmbeddingBag, &[1 << 24, 248]).format(RowFormat::U8)], 0);
    assert!(Recipe::<All>::new(&[model(EmbeddingBag, &[1 << 22, 248]).format(RowFormat::U8)]).is_ok());
}

/// What a layer's parameters and outputs are in arithmetic that does not overflow.
fn numbers(record: &Record) -> (u128, u128) {
    let [a, b, c, d, e, f] = record.extents.map(u128::from);
    let row_bytes = |dim: u128| match record.format {
        0 => 4 * dim,
        1 | 2 => 2 * dim,
        3 => dim + 8,
        4 => dim.div_ceil(2) + 4,
        5 => dim.div_ceil(4) + 4,
        6 => dim,
        _ => dim.div_ceil(2),
    };
    let scale = u128::from(record.format > 5);
    match record.kind {
        1 => ((b * row_bytes(c)).div_ceil(4) + scale, a * c),
        2 => ((a * row_bytes(b)).div_ceil(4) + scale, b),
        3 => (b * c, a * c),
        4 => ((b + c) * d, a * d),
        8 => {
            let reach = if record.options[0] == 0 { f * (d - 1) } else { 0 };
            (b * c * d + c, (a - 1).checked_sub(reach).map_or(0, |last| (last / e + 1) * c))
        }
        9 => (4 * c * (b + c + 1), if record.options[0] == 1 { a * c } else { c }),
        10 => (a * b + b, b),
        _ => unreachable!("a kind with parameters"),
    }
}

/// Extents of any size, mostly small or near a power of two.
fn extent() -> impl Strategy<Value = usize> {
    prop_oneof![
        1_usize..9,
        (0_u32..31, -2_i64..3).prop_map(|(bits, more)| ((1_i64 << bits) + more).max(1) as usize),
        1..=LARGEST,
    ]
}

fn records() -> impl Strategy<Value = Record> {
    let kinds = prop::sample::select(vec![
        LayerKind::Embedding,
        LayerKind::EmbeddingBag,
        LayerKind::HashedEmbedding,
        LayerKind::QuotientRemainder,
        LayerKind::Conv1D,
        LayerKind::Lstm,
        LayerKind::Dense,
    ]);
    (kinds, [extent(), extent(), extent(), extent()], 0_u16..8, 0_u16..3, 1_usize..4).prop_map(
        |(kind, [a, b, c, d], format, option, step)| {
            let format = RowFormat::from_number(format).expect("one of eight");
            match kind {
                LayerKind::Embedding => model(kind, &[a, b, c]).format(format),
                LayerKind::EmbeddingBag => model(kind, &[a, b]).format(format).options([option, 0, 0]),
                LayerKind::HashedEmbedding => model(kind, &[a, b, c, step, d]),
                LayerKind::QuotientRemainder => model(kind, &[a, b, c, d]).options([option % 2, 0, 0]),
                LayerKind::Conv1D if option == 2 => model(kind, &[a, b, c, d, 1, step]).options([2, 0, 0]),
                LayerKind::Conv1D => model(kind, &[a, b, c, d, step, 1]).options([option, 0, 0]),
                LayerKind::Lstm => model(kind, &[a, b, c]).options([option % 2, 0, 0]),
                _ => model(kind, &[a, b]),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn counts_are_exact_or_refused(record in records(), examples in extent(), ids_per_bag in 0_usize..99) {
        let (words, outputs) = numbers(&record);
        let list = [record];
        let recipe = match Recipe::<All>::new(&list) {
            Ok(recipe) => recipe,
            Err(RecipeError::Layer { error: RecordError::TooLarge, .. }) => {
                let [len, inputs, third, taps, _, dilation] = record.extents.map(u128::from);
                // What an LSTM keeps of each step is counted as well, and so are inputs, the reach of a
                // kernel and the ids that two tables serve.
                let most = words.max(outputs).max(len * inputs).max(third * (6 * len + 12));
                let reach = taps * dilation.max(1);
                let served = if record.kind == 4 { inputs * third } else { 0 };
                prop_assert!(most > MOST / 4 || record.kind == 8 && reach > LARGEST as u128 || served > usize::MAX as u128);
                return Ok(());
            }
            Err(error) => {
                prop_assert!(record.kind == 8 && outputs == 0, "{}", error);
                return Ok(());
            }
        };
        prop_assert!(words <= MOST && outputs <= MOST);
        prop_assert_eq!(recipe.parameters() as u128, words);
        prop_assert_eq!(recipe.output().numbers() as u128, outputs);
        if let Some(lengths) = recipe.workspace(examples) {
            prop_assert!(lengths.numbers as u128 >= outputs * examples as u128);
        } else {
            // Scratch, masks and names count as well.
            let [len, _, third, ..] = record.extents.map(u128::from);
            let of_each = outputs + 6 * third + 4 * len + 64;
            prop_assert!(examples as u128 * of_each > usize::MAX as u128 / 8);
        }
        let size = BatchSize { examples, ids_per_bag };
        let (sgd, exact) = (Sgd::default(), Exact(Adam::default()));
        let optimizers: [(&dyn AnyOptimizer, u128); 2] = [(&sgd, 0), (&exact, 2)];
        for (optimizer, of_each) in optimizers {
            let loss = AnyLoss::from(MeanSquaredError);
            if let Some(lengths) = Trainer::lengths(recipe, optimizer, loss, size) {
                prop_assert!(lengths.numbers as u128 >= 2 * outputs * examples as u128);
                let slots = if record.format == 0 { of_each * words } else { 0 };
                prop_assert!(lengths.slots as u128 >= slots);
            }
        }
    }
}
