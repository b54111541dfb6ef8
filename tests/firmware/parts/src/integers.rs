//! Layers that compute by integers alone.

use super::data::{Data, Fold};
use nanoembed::layers::integer::{
    Channel, Conv1D, Dense, Embedding, Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D, Logits, Lstm,
};
use nanoembed::layers::options::{
    GoBackwards, GoForwards, HonourMask, MaskZero, ReturnLast, ReturnSequences, Same, StrictMask,
};
use nanoembed::layers::{Identity, Layer, Relu, Scores, Sigmoid, Softmax, Tanh};
use nanoembed::sequential;

pub(crate) const PARTS: &[super::Part] = &[
    ("integers scaled", scaled),
    ("integers dense", || dense::<Identity>() ^ dense::<Relu>() ^ dense::<Sigmoid>() ^ dense::<Tanh>()),
    ("integers embedding, flatten, logits", flattened),
    ("integers convolution, maximum, mean", convolution),
    ("integers lstm", || lstm(0)),
    ("integers lstm, cells that count", || lstm(3) ^ lstm(8)),
];

const LEN: usize = 7;
const ROWS: usize = 19;
const DIM: usize = 17;

fn code(data: &mut Data) -> i8 {
    data.bits() as i8
}

/// Channels that scale sums of some thousand to some hundred, or to 2⁻¹².
fn channels(data: &mut Data, channels: &mut [Channel], shift: u32) {
    for channel in channels {
        let bias = data.below(4000) as i32 - 2000;
        let multiplier = (1 << 30) | data.bits() as i32 >> 2 & 0x3fff_ffff;
        *channel = Channel { bias, multiplier, shift: shift + data.below(3) as u32 };
    }
}

fn codes(data: &mut Data, codes: &mut [i8]) {
    codes.iter_mut().for_each(|to| *to = code(data));
}

fn fold_codes(fold: &mut Fold, codes: &[i8]) {
    for code in codes {
        fold.bytes(&code.to_le_bytes());
    }
}

fn scaled() -> u64 {
    let (mut data, mut fold) = (Data::new(71), Fold::new());
    for shift in 1..=62 {
        for _ in 0..50 {
            let channel = Channel { bias: 0, multiplier: data.bits() as i32, shift };
            for sum in [data.bits() as i32, data.below(3000) as i32 - 1500, i32::MIN, i32::MAX, 0] {
                fold.bytes(&channel.scaled(sum).to_le_bytes());
            }
        }
    }
    fold.hash()
}

fn dense<A: nanoembed::internals::IntegerActivation>() -> u64 {
    let (mut data, mut fold) = (Data::new(72), Fold::new());
    let mut layer = Dense::<DIM, 5, A>::zeroed();
    for shift in [31, 36, 39] {
        channels(&mut data, &mut layer.channels, shift);
        codes(&mut data, layer.kernel.as_flattened_mut());
        let x = [0; DIM].map(|_| code(&mut data));
        fold_codes(&mut fold, &layer.predict(&x).unwrap_or_default());
    }
    fold.hash()
}

fn fold_scores<const N: usize>(fold: &mut Fold, scores: &Scores<N>) {
    scores.sums.iter().for_each(|sum| fold.bytes(&sum.to_le_bytes()));
    fold.number(scores.class());
    scores.probabilities().iter().for_each(|share| fold.number((*share).into()));
    scores.sigmoids().iter().for_each(|share| fold.number((*share).into()));
}

fn flattened() -> u64 {
    type Model = sequential![
        Embedding<LEN, ROWS, DIM, u16, MaskZero>,
        Flatten<LEN, DIM, { LEN * DIM }>,
        Logits<{ LEN * DIM }, 3, Softmax>
    ];
    let (mut data, mut fold) = (Data::new(73), Fold::new());
    let mut model = Model::zeroed();
    codes(&mut data, model.first.rows.as_flattened_mut());
    codes(&mut data, model.second.second.kernel.as_flattened_mut());
    for scale in [1e-6, 1e-4, 0.1] {
        channels(&mut data, &mut model.second.second.channels, 28);
        model.second.second.scale = scale;
        for _ in 0..5 {
            let ids = data.ids::<LEN>(ROWS);
            let Ok(scores) = model.predict(&ids) else { continue };
            fold_scores(&mut fold, &scores);
        }
    }
    fold.hash()
}

fn convolution() -> u64 {
    type Words = Embedding<LEN, ROWS, DIM, u16, MaskZero>;
    type Longest = sequential![
        Words, Conv1D<LEN, DIM, 5, 3, 5, Relu>, GlobalMaxPooling1D<5, 5>, Logits<5, 1, Sigmoid>
    ];
    type Mean = sequential![
        Words,
        Conv1D<LEN, DIM, 6, 2, 4, Tanh, Same, StrictMask, 2>,
        Conv1D<4, 6, 3, 3, 4, Identity, Same, HonourMask, 1, 2>,
        GlobalAveragePooling1D<4, 3>,
        Logits<3, 2>
    ];
    let (mut data, mut fold) = (Data::new(74), Fold::new());
    let (mut longest, mut mean) = (Longest::zeroed(), Mean::zeroed());
    codes(&mut data, longest.first.rows.as_flattened_mut());
    mean.first.rows = longest.first.rows;
    let convolution = &mut longest.second.first;
    channels(&mut data, &mut convolution.channels, 38);
    codes(&mut data, convolution.kernel.as_flattened_mut().as_flattened_mut());
    let (strided, dilated) = (&mut mean.second.first, &mut mean.second.second.first);
    channels(&mut data, &mut strided.channels, 34);
    codes(&mut data, strided.kernel.as_flattened_mut().as_flattened_mut());
    channels(&mut data, &mut dilated.channels, 37);
    codes(&mut data, dilated.kernel.as_flattened_mut().as_flattened_mut());
    channels(&mut data, core::slice::from_mut(&mut mean.second.second.second.first.channel), 29);
    let (one, two) = (&mut longest.second.second.second, &mut mean.second.second.second.second);
    channels(&mut data, &mut one.channels, 30);
    codes(&mut data, one.kernel.as_flattened_mut());
    channels(&mut data, &mut two.channels, 30);
    codes(&mut data, two.kernel.as_flattened_mut());
    (one.scale, two.scale) = (1e-3, 1e-3);
    for padding in 0..=LEN {
        let mut ids = data.ids::<LEN>(ROWS);
        ids.iter_mut().take(padding).for_each(|id| *id = 0);
        if let (Ok(one), Ok(two)) = (longest.predict(&ids), mean.predict(&ids)) {
            fold_scores(&mut fold, &one);
            fold_scores(&mut fold, &two);
        }
    }
    fold.hash()
}

/// c is in 2^(`cell_shift` − 12).
fn lstm(cell_shift: u32) -> u64 {
    type Deep = sequential![
        Embedding<LEN, ROWS, DIM, u16, MaskZero>,
        Lstm<LEN, DIM, 5, ReturnSequences, GoForwards>,
        Lstm<LEN, 5, 3, ReturnLast, GoBackwards>
    ];
    let (mut data, mut fold) = (Data::new(75), Fold::new());
    let mut model = Deep::zeroed();
    codes(&mut data, model.first.rows.as_flattened_mut());
    let (first, second) = (&mut model.second.first, &mut model.second.second);
    (first.cell_shift, second.cell_shift) = (cell_shift, cell_shift);
    channels(&mut data, first.channels.as_flattened_mut(), 31);
    channels(&mut data, first.recurrent_channels.as_flattened_mut(), 31);
    codes(&mut data, first.kernel.as_flattened_mut().as_flattened_mut());
    codes(&mut data, first.recurrent_kernel.as_flattened_mut().as_flattened_mut());
    channels(&mut data, second.channels.as_flattened_mut(), 30);
    channels(&mut data, second.recurrent_channels.as_flattened_mut(), 30);
    codes(&mut data, second.kernel.as_flattened_mut().as_flattened_mut());
    codes(&mut data, second.recurrent_kernel.as_flattened_mut().as_flattened_mut());
    first.output = Channel { bias: 0, multiplier: 127 << 24, shift: 54 };
    second.output = Channel { bias: 0, multiplier: 127 << 24, shift: 53 };
    for padding in 0..=LEN {
        let mut ids = data.ids::<LEN>(ROWS);
        ids.iter_mut().take(padding).for_each(|id| *id = 0);
        fold_codes(&mut fold, &model.predict(&ids).unwrap_or_default());
    }
    fold.hash()
}
