//! Every kind of layer, in models that learn.

use super::learns;
use crate::common::run_time::ROWS;
use nanoembed::layers::options::{
    Added, Causal, GoBackwards, GoForwards, HonourMask, IgnoreMask, MaskZero, Mean, Multiplied,
    ReturnSequences, Same, SqrtN, StrictMask, Sum, Valid,
};
use nanoembed::layers::{
    Activation, Add, BiasedDot, Branches, Conv1D, Dense, Dot, Dropout, Embedding, EmbeddingBag, Flatten,
    Frozen, FrozenRows, GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding, Identity, Input, Layer,
    Lstm, QuotientRemainder, Relu, Sigmoid, Softmax, Tanh,
};
use nanoembed::loss::MeanSquaredError;
use nanoembed::optim::{Adam, AdamW, Clip, Clipped, Exact, Momentum, RowwiseAdagrad};
use nanoembed::{concatenate, sequential};

/// Adam, exact and clipped by the norm of all: every block of numbers, every table and every slot counts.
fn exact() -> Exact<Clipped<AdamW>> {
    let optimizer = AdamW { optimizer: Adam { learning_rate: 0.05, ..Adam::default() }, weight_decay: 0.05 };
    Exact(Clipped { optimizer, clip: Clip::GlobalNorm(0.7), keras3_duplicates: false })
}

/// Models that end with any numbers.
macro_rules! learn {
    ($($model:ty;)*) => {$(
        learns::<$model, _, _, 3>(exact(), MeanSquaredError, MeanSquaredError.into(), |_| {});
    )*};
}

/// Sequences of `LEN` steps of `DIM` numbers, some of which are padding.
type Words<const LEN: usize, const DIM: usize> = Embedding<LEN, ROWS, DIM, u32, MaskZero>;
/// One row of a table.
type Row<const DIM: usize> = sequential![Embedding<1, ROWS, DIM, u32>, Flatten<1, DIM, DIM>];

#[test]
fn tables() {
    learn! {
        sequential![Embedding<4, ROWS, 5, u32>, Flatten<4, 5, 20>];
        sequential![EmbeddingBag<4, ROWS, 3, Mean, u32>, Dense<3, 2, Tanh>];
        sequential![EmbeddingBag<9, ROWS, 17, Sum, u32>, Dense<17, 2>];
        EmbeddingBag<2, ROWS, 1, SqrtN, u32>;
        sequential![HashedEmbedding<3, 20, 5, 6, u64, 9>, Flatten<3, 5, 15>, Dense<15, 1>];
        sequential![HashedEmbedding<2, 3, 17, 8, u32>, Flatten<2, 17, 34>];
        sequential![QuotientRemainder<4, 3, 3, 5, Added, u32>, Flatten<4, 5, 20>, Dense<20, 1>];
        sequential![QuotientRemainder<1, 2, 4, 17, Multiplied, u32>, Flatten<1, 17, 17>];
    }
}

#[test]
fn pooling() {
    learn! {
        sequential![Words<4, 3>, GlobalMaxPooling1D<4, 3>];
        sequential![Words<4, 17>, GlobalMaxPooling1D<4, 17, IgnoreMask>, Dense<17, 2>];
        sequential![Words<4, 3>, GlobalAveragePooling1D<4, 3>];
        sequential![Words<4, 17>, GlobalAveragePooling1D<4, 17, IgnoreMask>, Dense<17, 2>];
        sequential![Words<4, 3>, Flatten<4, 3, 12, IgnoreMask>, Dense<12, 2, Relu>];
    }
}

/// Kernels of filters of which few are enough to look for steps that repeat, and of many.
#[test]
fn convolutions() {
    macro_rules! each {
        ($($mask:ident)*) => {$(
            learn! {
                sequential![
                    Words<6, 3>, Conv1D<6, 3, 5, 2, 5, Tanh, Valid, $mask>, GlobalMaxPooling1D<5, 5>,
                ];
                sequential![
                    Words<6, 3>,
                    Conv1D<6, 3, 4, 3, 3, Relu, Same, $mask, 2>,
                    GlobalAveragePooling1D<3, 4>,
                ];
                sequential![
                    Words<6, 3>,
                    Conv1D<6, 3, 40, 2, 6, Softmax, Causal, $mask, 1, 2>,
                    Flatten<6, 40, 240>,
                    Dense<240, 2>,
                ];
                sequential![
                    Words<6, 3>,
                    Conv1D<6, 3, 33, 3, 4, Relu, Valid, $mask>,
                    Conv1D<4, 33, 3, 2, 2, Identity, Valid, HonourMask, 2>,
                    Flatten<2, 3, 6>,
                ];
            }
        )*};
    }
    each! { HonourMask IgnoreMask StrictMask }
    learn! { sequential![Conv1D<9, 5, 20, 4, 9, Sigmoid, Same>, GlobalMaxPooling1D<9, 20>]; }
}

#[test]
fn recurrences() {
    learn! {
        sequential![Lstm<4, 3, 5>, Dense<5, 1>];
        sequential![Words<5, 3>, Lstm<5, 3, 17>];
        sequential![Words<5, 3>, Lstm<5, 3, 4, ReturnSequences, GoBackwards>, Lstm<5, 4, 3>];
        sequential![
            Words<5, 3>,
            Lstm<5, 3, 4, ReturnSequences, GoForwards>,
            GlobalAveragePooling1D<5, 4>,
            Dense<4, 2>,
        ];
    }
}

#[test]
fn layers_without_parameters() {
    learn! {
        sequential![Dense<5, 33, Relu>, Dropout<[f32; 33], 300>, Dense<33, 2>];
        sequential![Dense<5, 6>, Dropout<[f32; 6], 500>];
        sequential![
            Words<4, 3>, Dropout<[[f32; 3]; 4], 400>, Lstm<4, 3, 4>, Dropout<[f32; 4], 200>, Dense<4, 2>,
        ];
        sequential![
            Words<4, 3>, Activation<[[f32; 3]; 4], Tanh>, GlobalAveragePooling1D<4, 3>, Activation<[f32; 3], Softmax>,
        ];
        sequential![Input<[f32; 4]>, Dense<4, 3>, Activation<[f32; 3], Sigmoid>];
        sequential![Dense<4, 3>, Input<[f32; 3]>];
        // Nothing learns.
        sequential![Dropout<[f32; 4], 500>, Activation<[f32; 4], Tanh>];
    }
}

#[test]
fn several_inputs() {
    learn! {
        sequential![concatenate![Row<3>, Row<1>, Input<[f32; 4]>], Dense<8, 2>];
        concatenate![
            EmbeddingBag<4, ROWS, 5, Mean, u32>,
            sequential![Input<[f32; 6]>, Dense<6, 3, Relu>],
            Row<2>,
        ];
        sequential![concatenate![Row<3>, Input<[f32; 2]>], Dropout<[f32; 5], 250>, Dense<5, 2>];
        sequential![Branches<Row<7>, Row<7>>, Add<[f32; 7]>, Dense<7, 2>];
        sequential![Branches<Words<4, 3>, Words<4, 3>>, Add<[[f32; 3]; 4]>, GlobalAveragePooling1D<4, 3>];
        sequential![Branches<Row<7>, Row<7>>, Dot<7>];
        sequential![Branches<Row<6>, Row<6>>, BiasedDot<6>];
        sequential![Branches<Row<33>, sequential![Input<[f32; 5]>, Dense<5, 33>]>, BiasedDot<33>];
    }
}

#[test]
fn frozen_layers() {
    learn! {
        sequential![
            Words<4, 3>, Frozen<Conv1D<4, 3, 4, 2, 3, Relu>>, GlobalMaxPooling1D<3, 4>, Dense<4, 2>,
        ];
        sequential![Words<4, 3>, Frozen<Lstm<4, 3, 4, ReturnSequences>>, Lstm<4, 4, 2>];
        sequential![Frozen<Words<4, 3>>, Lstm<4, 3, 4>, Frozen<Dense<4, 2, Tanh>>];
        sequential![Frozen<sequential![Words<4, 3>, Flatten<4, 3, 12>]>, Dense<12, 2>];
        sequential![Branches<Frozen<Row<6>>, Row<6>>, BiasedDot<6>];
        sequential![Branches<Row<6>, Frozen<Row<6>>>, Frozen<BiasedDot<6>>];
        sequential![concatenate![Frozen<Row<2>>, Row<3>], Dense<5, 2>];
        sequential![Frozen<QuotientRemainder<2, 3, 3, 5, Added, u32>>, Flatten<2, 5, 10>, Dense<10, 1>];
        // Nothing learns.
        sequential![Frozen<Words<4, 3>>, Flatten<4, 3, 12>, Frozen<Dense<12, 2>>];
    }
}

#[test]
fn frozen_rows() {
    type Bags = sequential![FrozenRows<EmbeddingBag<4, ROWS, 5, Mean, u32>, 1>, Dense<5, 2>];
    type Partly = sequential![FrozenRows<Words<4, 5>, 1>, Lstm<4, 5, 3>, Dense<3, 2>];
    type Whole = sequential![Frozen<FrozenRows<Words<4, 5>, 1>>, Flatten<4, 5, 20>, Dense<20, 2>];
    fn learn<M: Layer>(freeze: impl Fn(&mut M) + Copy)
    where
        M::Input: super::Given,
        M::Output: zerocopy::IntoBytes + zerocopy::Immutable,
        MeanSquaredError: nanoembed::loss::Loss<M::Output, Label = M::Output>,
        M::Output: super::GivenLabel,
    {
        let (loss, any) = (MeanSquaredError, MeanSquaredError.into());
        learns::<M, _, _, 4>(exact(), loss, any, freeze);
        learns::<M, _, _, 4>(Adam { learning_rate: 0.05, ..Adam::default() }, loss, any, freeze);
        let momentum = Momentum { learning_rate: 0.1, nesterov: true, ..Momentum::default() };
        learns::<M, _, _, 4>(Exact(momentum), loss, any, freeze);
        learns::<M, _, _, 4>(RowwiseAdagrad::default(), loss, any, freeze);
    }
    learn::<Bags>(|model| [0, 3, 6].into_iter().for_each(|row| model.first.freeze(row).unwrap()));
    learn::<Partly>(|model| [1, 2].into_iter().for_each(|row| model.first.freeze(row).unwrap()));
    learn::<Whole>(|model| model.first.0.freeze(5).unwrap());
}
