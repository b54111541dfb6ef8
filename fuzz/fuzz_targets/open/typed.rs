//! The same bytes read by who knows the type.

use crate::{EXAMPLES, Owned, bits};
use nanoembed::layers::options::{GoBackwards, MaskZero, Multiplied, ReturnSequences, Same, StrictMask, Sum};
use nanoembed::layers::{
    Bag, BiasedDot, Conv1D, Dense, Embedding, EmbeddingBag, Flatten, HashedEmbedding, Layer, Lstm, Packed,
    Pair, QuotientRemainder, Relu, Sigmoid, Tanh, U2Row, U4Row, U8Row,
};
use nanoembed::models::{All, Model};
use nanoembed::zerocopy::{FromBytes, Immutable, IntoBytes};
use nanoembed::{image, sequential};
use std::fmt::Debug;

type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];

/// Compares the outputs of one type, if its fingerprint is that of the image.
fn compare_with<M: Layer>(bytes: &[u8], model: &Model<'_, All>, y: &[f32], x: impl Fn(usize) -> M::Input)
where
    M::Output: IntoBytes + Immutable,
{
    if model.recipe().fingerprint() != M::FINGERPRINT {
        assert!(image::read::<M>(bytes).is_err());
        return;
    }
    let typed: &M = image::read(bytes).expect("what opens without its type");
    let units = y.len() / EXAMPLES;
    for (i, y) in y.chunks_exact(units).enumerate() {
        let expected = typed.predict(&x(i)).expect("ids that there are");
        let expected = <[f32]>::ref_from_bytes(expected.as_bytes()).expect("numbers");
        assert_eq!(bits(y), bits(expected), "example {i}");
    }
}

fn ids<T: TryFrom<u32, Error: Debug>, const N: usize>(input: &Owned, i: usize) -> [T; N] {
    let Owned::Ids(ids) = input else { unreachable!("ids") };
    std::array::from_fn(|place| T::try_from(ids[i * N + place]).expect("a row of a small table"))
}

fn long_ids<const N: usize>(input: &Owned, i: usize) -> [u64; N] {
    std::array::from_fn(|place| match input {
        Owned::Ids(ids) => u64::from(ids[i * N + place]),
        Owned::LongIds(ids) => ids[i * N + place],
        _ => unreachable!("ids"),
    })
}

fn bag(input: &Owned, i: usize) -> Bag<4> {
    let Owned::Bags(ids, offsets) = input else { unreachable!("bags") };
    let bag = &ids[offsets[i] as usize..offsets[i + 1] as usize];
    Bag::from_ids(bag.iter().map(|id| *id as u16)).expect("at most 4")
}

fn numbers<T: FromBytes>(input: &Owned, i: usize) -> T {
    let Owned::Numbers(numbers) = input else { unreachable!("numbers") };
    let bytes = &numbers.as_bytes()[i * size_of::<T>()..][..size_of::<T>()];
    T::read_from_bytes(bytes).expect("an example")
}

pub fn compare(bytes: &[u8], model: &Model<'_, All>, inputs: &[Owned], y: &[f32]) {
    macro_rules! compare {
        ($($of:ident: $model:ty;)*) => {$(
            compare_with::<$model>(bytes, model, y, |i| $of(&inputs[0], i));
        )*};
    }
    compare! {
        ids: Reviews;
        ids: Embedding<2, 3, 2, u16, MaskZero>;
        ids: Packed<Embedding<2, 3, 3>, U8Row<3>, 3>;
        ids: Packed<Embedding<2, 3, 3>, U4Row<3, 6>, 3>;
        ids: Packed<Embedding<2, 3, 3>, U2Row<3, 5>, 3>;
        bag: EmbeddingBag<4, 3, 2, Sum>;
        bag: Packed<EmbeddingBag<4, 3, 2>, U8Row<2>, 3>;
        long_ids: HashedEmbedding<2, 3, 2, 4, u64, 7>;
        ids: QuotientRemainder<2, 3, 2, 2, Multiplied>;
        numbers: Dense<3, 2, Tanh>;
        numbers: Conv1D<3, 2, 2, 2, 3, Relu, Same, StrictMask>;
        numbers: Lstm<2, 2, 1, ReturnSequences, GoBackwards>;
    }
    compare_with::<BiasedDot<3>>(bytes, model, y, |i| Pair {
        first: numbers(&inputs[0], i),
        second: numbers(&inputs[1], i),
    });
}
