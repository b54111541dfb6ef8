//! The functions of `math` over bit patterns of every exponent, and over the places where they change their course.

use super::data::{Data, Fold};
use nanoembed::math;

pub(crate) const PARTS: &[super::Part] = &[
    ("math exp", || sweep(math::exp)),
    ("math ln", || sweep(math::ln)),
    ("math ln_1p", || sweep(math::ln_1p)),
    ("math sigmoid", || sweep(math::sigmoid)),
    ("math tanh", || sweep(math::tanh)),
    ("math sqrt", || sweep(math::sqrt)),
    ("math rsqrt", || sweep(math::rsqrt)),
];

const EDGES: [f32; 16] = [
    0.0,
    1.0,
    0.5,
    0.55,
    17.0,
    20.0,
    88.722_84,
    89.0,
    103.972_08,
    104.0,
    f32::MIN_POSITIVE,
    f32::EPSILON,
    f32::MAX,
    f32::INFINITY,
    f32::NAN,
    f32::from_bits(1),
];

fn sweep(function: fn(f32) -> f32) -> u64 {
    let mut fold = Fold::new();
    for edge in EDGES {
        for bits in edge.to_bits().saturating_sub(2)..=edge.to_bits() + 2 {
            fold.float(function(f32::from_bits(bits)));
            fold.float(function(-f32::from_bits(bits)));
        }
    }
    // An odd stride visits all exponents and both signs, with fractions of no pattern.
    for i in 0..20_000_u32 {
        fold.float(function(f32::from_bits(i.wrapping_mul(0x0003_46b5))));
    }
    let mut data = Data::new(1);
    for _ in 0..20_000 {
        fold.float(function(8.0 * data.float()));
    }
    fold.hash()
}
