//! Every layer of integers, filled with bytes that are made up: for what is linked of them.

use super::data::{Data, Fold};
use nanoembed::error::InputError;
use nanoembed::layers::integer::{
    Conv1D, Dense, Embedding, Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D, Logits, Lstm,
};
use nanoembed::layers::options::{GoBackwards, MaskZero, ReturnLast, ReturnSequences, Same};
use nanoembed::layers::{Layer, Relu, Sigmoid, Softmax, Tanh};
use nanoembed::sequential;

type Words = Embedding<6, 50, 8, u16, MaskZero>;
type Deep = sequential![
    Words,
    Conv1D<6, 8, 4, 3, 6, Relu, Same>,
    Lstm<6, 4, 5, ReturnSequences>,
    Lstm<6, 5, 3, ReturnLast, GoBackwards>,
    Dense<3, 4, Tanh>,
    Logits<4, 3, Softmax>
];
type Longest = sequential![Words, GlobalMaxPooling1D<6, 8>, Dense<8, 4, Sigmoid>, Logits<4, 1, Sigmoid>];
type Mean = sequential![Words, GlobalAveragePooling1D<6, 8>, Logits<8, 1, Sigmoid>];
type Flat = sequential![Words, Flatten<6, 8, 48>, Dense<48, 4, Relu>, Logits<4, 1, Sigmoid>];

fn filled<M: Layer>() -> M {
    let (mut model, mut data) = (M::zeroed(), Data::new(7));
    model.visit_mut(&mut |part| part.iter_mut().for_each(|byte| *byte = data.bits() as u8));
    model
}

/// A hash of what they give, probabilities too.
#[inline(never)]
pub fn codes() -> Result<u64, InputError> {
    const IDS: [u16; 6] = [7, 0, 49, 12, 0, 3];
    let mut fold = Fold::new();
    let deep = filled::<Deep>().predict(&IDS)?;
    fold.number(deep.class());
    for share in deep.probabilities() {
        fold.number(share.into());
    }
    let scores = [
        filled::<Longest>().predict(&IDS)?,
        filled::<Mean>().predict(&IDS)?,
        filled::<Flat>().predict(&IDS)?,
    ];
    for scores in scores {
        for (sum, share) in scores.sums.iter().zip(scores.sigmoids()) {
            fold.bytes(&sum.to_le_bytes());
            fold.number(share.into());
        }
    }
    Ok(fold.hash())
}
