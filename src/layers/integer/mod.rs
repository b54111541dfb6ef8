//! Layers that compute by integers alone: weights of 8 bits, sums of 32 bits, no float and no floating-point
//! unit.
//!
//! | layer | weights | what it computes |
//! |---|---|---|
//! | [`Embedding`] | rows of codes | the row of each id |
//! | [`Flatten`], [`GlobalMaxPooling1D`], [`GlobalAveragePooling1D`] | | as the layers of [`layers`](super) |
//! | [`Conv1D`], [`Dense`] | codes, a [`Channel`] for each filter or unit | A(x W + b), as codes |
//! | [`Lstm`] | codes, two [`Channel`]s for each unit of a gate | gates by a table, c of 16 bits |
//! | [`Logits`] | as `Dense` | x W + b as [`Scores`], the end of a model |
//!
//! They do not learn. `models::calibrate` (feature `alloc`) makes the image of such a model from the model of
//! floats that was trained, and from examples, on a host:
//!
#![cfg_attr(feature = "alloc", doc = "```")]
#![cfg_attr(not(feature = "alloc"), doc = "```ignore")]
//! use nanoembed::models::{self, Input};
//! use nanoembed::{image, layers::*, sequential};
//! type Trained = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
//! type Shipped = sequential![
//!     integer::Embedding<4, 50, 8>, integer::Flatten<4, 8, 32>, integer::Logits<32, 1, Sigmoid>
//! ];
//! let mut trained = Trained::zeroed();
//! trained.first.rows[7] = [1.0; 8];
//! trained.second.second.kernel = [[0.1]; 32];
//! trained.second.second.bias = [-1.0];
//!
//! // On the host.
//! let image = models::calibrate(&trained, Input::Ids(&[7, 0, 0, 0, 1, 2, 3, 4]), &Default::default())?;
//!
//! // In the firmware: one word gives x = -0.2, two give x = 0.6.
//! let model: &Shipped = image::read(&image)?;
//! let [one] = model.predict(&[7, 0, 0, 0])?.sigmoids();
//! let [two] = model.predict(&[7, 7, 0, 0])?.sigmoids();
//! assert!(one.abs_diff(29_502) < 400 && two.abs_diff(42_313) < 400); // of 65,535
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Numbers
//! A **code** is an `i8` q within ±127 and stands for scale · q. Each layer's output has one scale, which no layer
//! knows: calibration puts it into the weights. What flows is `[i8; N]` or `[[i8; DIM]; LEN]` with a mask.
//!
//! A **sum** Σ x w + b is exact, in 32 bits. At most 65,536 products go into one, and |b| is at most 2³⁰, so none
//! overflows. A [`Channel`] makes a code of it: y = A(⌊(sum · multiplier + 2^(shift − 1)) / 2^shift⌋), the sum
//! times a real number, to the nearest, halves up, cut off at ±127.
//!
//! Activations are a [`Relu`](super::Relu), which cuts off at 0, and [`Sigmoid`](super::Sigmoid) and
//! [`Tanh`](super::Tanh) of sums in 2⁻¹², by a table of 257 numbers and lines between them, as codes in 1/127.
//!
//! The bits are the same everywhere: integers have no rounding that a processor could choose.

pub(super) mod activation;
mod conv1d;
mod dense;
mod embedding;
mod lstm;
mod shape;

pub use crate::passes::integers::Channel;
use crate::passes::integers::MOST_PRODUCTS;
pub use conv1d::Conv1D;
pub use dense::{Dense, Logits};
pub use embedding::Embedding;
pub use lstm::Lstm;
pub use shape::{Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D};

#[cfg(doc)]
use super::Scores;

/// `Bytes` of a layer: its fields in order, then zeros up to a multiple of 4.
macro_rules! bytes_of_codes {
    (impl[$($generics:tt)*] $layer:ty { $($field:ident),* }) => {
        impl<$($generics)*> $crate::layers::Bytes for $layer {
            const BYTES: usize = size_of::<Self>();

            #[inline]
            fn visit(&self, part: &mut dyn FnMut(&[u8])) {
                let mut left = Self::BYTES;
                $({
                    let bytes = zerocopy::IntoBytes::as_bytes(&self.$field);
                    left = left.wrapping_sub(bytes.len());
                    part(bytes);
                })*
                part($crate::slices::first(&[0; 3], left));
            }

            #[inline]
            fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
                let mut left = Self::BYTES;
                $({
                    let bytes = zerocopy::IntoBytes::as_mut_bytes(&mut self.$field);
                    left = left.wrapping_sub(bytes.len());
                    part(bytes);
                })*
                part($crate::slices::first_mut(&mut [0; 3], left));
            }
        }

        $crate::layers::parameters!(@nothing impl[$($generics)*] $layer);
    };
}
use bytes_of_codes;

/// What all of these layers have: no backward pass, a description with so many weights.
macro_rules! no_learning {
    ($weights:expr) => {
        fn backward<const BATCH: usize>(
            &self,
            _: $crate::layers::Batch<'_, Self::Input>,
            _: &mut Self::Cache<BATCH>,
            _: Option<&mut ()>,
            _: Option<&mut [Self::InputGradient]>,
        ) {
        }

        fn describe(visit: &mut dyn FnMut($crate::layers::LayerSummary)) {
            visit($crate::layers::LayerSummary {
                name: Self::NAME,
                shape: <Self::Output as $crate::layers::Value>::SHAPE,
                parameters: $weights,
                bytes: <Self as $crate::layers::Bytes>::BYTES,
                trainable: false,
            });
        }
    };
}
use no_learning;
