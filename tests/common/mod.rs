//! What several test files need. Each crate uses its part of it.
#![allow(dead_code)]

pub(crate) mod pass;
pub(crate) mod run_time;

use nanoembed::image;
use nanoembed::layers::Layer;
use nanoembed::loss::Loss;
use nanoembed::optim::Optimizer;
use nanoembed::train::Trainer;
use rand_core::Rng;
use rand_xoshiro::Xoshiro128PlusPlus;

pub(crate) type Random = Xoshiro128PlusPlus;

/// In [-1, 1).
pub(crate) fn draw(random: &mut Random) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

pub(crate) fn vector<const N: usize>(random: &mut Random) -> [f32; N] {
    std::array::from_fn(|_| draw(random))
}

/// Any 64 bits, the same for the same arguments.
pub(crate) fn hash(seed: u64, i: usize) -> u64 {
    let mut x = (seed ^ i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 32
}

pub(crate) fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Bits, with all NaNs alike: their sign and payload are no part of the contract.
pub(crate) fn bits_with_one_nan(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// The bytes of all parameters, in the order in which they lie in memory.
pub(crate) fn parameter_bytes<M: Layer>(model: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.visit(&mut |part| bytes.extend(part));
    bytes
}

/// The parameters in the order in which they lie in memory.
pub(crate) fn parameters<M: Layer>(model: &M) -> Vec<f32> {
    parameter_bytes(model).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The image of a model, without the feature `alloc`.
pub(crate) fn image_of<M: Layer>(model: &M) -> Vec<u8> {
    let mut bytes = vec![0; image::size::<M>()];
    image::write(model, &mut bytes).expect("the image's own length");
    bytes
}

/// Where the parameters lie in the image of a model with so many layers: after the header, the list of two
/// sections, and the layers.
pub(crate) const fn parameters_at(layers: usize) -> usize {
    64 + 64 + 64 * layers
}

/// All that training depends on, as bytes.
pub(crate) fn checkpoint_of<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize>(
    trainer: &Trainer<M, O, L, BATCH>,
    model: &M,
) -> Vec<u8> {
    let mut bytes = vec![0; Trainer::<M, O, L, BATCH>::CHECKPOINT_SIZE];
    trainer.checkpoint(model, &mut bytes).expect("the right length");
    bytes
}
