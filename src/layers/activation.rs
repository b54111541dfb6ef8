//! Activations: what a layer applies to each output at the end.

use crate::kernels;
use crate::recipe::{LayerKind, Record};

/// Which activation a layer ends with: a loss may be fused with it. Images hold the numbers, so they never
/// change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationKind {
    /// f(x) = x.
    Identity = 0,
    /// f(x) = 0 for x ≤ 0, else x.
    Relu = 1,
    /// f(x) = 1 / (1 + e⁻ˣ).
    Sigmoid = 2,
    /// f(x)ᵢ = eˣⁱ / Σⱼ eˣʲ.
    Softmax = 3,
    /// f(x) = tanh x.
    Tanh = 4,
}

impl ActivationKind {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Identity, Self::Relu, Self::Sigmoid, Self::Softmax, Self::Tanh];

    /// Whether it is one of these.
    pub const fn is_among(self, kinds: &[Self]) -> bool {
        let mut i = 0;
        while i < kinds.len() {
            if kinds[i] as u8 == self as u8 {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Asserts that `units` numbers, which are activated together, can be: a softmax over one is 1 whatever
    /// the unit learns.
    pub(crate) const fn assert_units(self, units: usize) {
        assert!(
            !matches!(self, Self::Softmax) || units > 1,
            "a Softmax over one unit always gives 1: use Sigmoid, or one unit for each class"
        );
    }

    /// Its name, as in Keras.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "linear",
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
            Self::Tanh => "tanh",
        }
    }
}

impl Record {
    /// With this activation: of a [`Dense`](super::Dense), a [`Conv1D`](super::Conv1D) or an
    /// [`Activation`](super::Activation).
    ///
    /// ```
    /// use nanoembed::{layers::ActivationKind, models::{LayerKind, Record}};
    /// let dense = Record::new(LayerKind::Dense, &[32, 1]).activation(ActivationKind::Sigmoid);
    /// assert_eq!(dense.options[1], 2);
    /// ```
    #[must_use]
    pub const fn activation(self, activation: ActivationKind) -> Self {
        self.option(&[LayerKind::Dense, LayerKind::Conv1D, LayerKind::Activation], 1, activation as u16)
    }
}

/// An activation as a type parameter of a layer: [`Identity`], [`Relu`], [`Sigmoid`], [`Softmax`] or
/// [`Tanh`].
pub trait ActivationFunction: Copy + sealed::Sealed {
    /// Which one it is.
    const KIND: ActivationKind;

    /// Turns one vector of logits into its activation, in place.
    fn activate(y: &mut [f32]);

    /// Turns the gradient with respect to the activation `y` into the one with respect to the logits, in
    /// place.
    fn activate_backward(y: &[f32], d_y: &mut [f32]);
}

/// f(x) = x.
#[derive(Clone, Copy, Debug)]
pub struct Identity;
/// f(x) = 0 for x ≤ 0, else x.
#[derive(Clone, Copy, Debug)]
pub struct Relu;
/// f(x) = 1 / (1 + e⁻ˣ).
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;
/// f(x)ᵢ = eˣⁱ / Σⱼ eˣʲ, over the outputs of one example.
#[derive(Clone, Copy, Debug)]
pub struct Softmax;
/// f(x) = tanh x.
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Identity {}
impl ActivationFunction for Identity {
    const KIND: ActivationKind = ActivationKind::Identity;

    #[inline(always)]
    fn activate(_: &mut [f32]) {}

    #[inline(always)]
    fn activate_backward(_: &[f32], _: &mut [f32]) {}
}

macro_rules! activation {
    ($($name:ident, $forward:ident, $backward:ident;)*) => {$(
        impl sealed::Sealed for $name {}
        impl ActivationFunction for $name {
            const KIND: ActivationKind = ActivationKind::$name;

            #[inline]
            fn activate(y: &mut [f32]) {
                kernels::$forward(y);
            }

            #[inline]
            fn activate_backward(y: &[f32], d_y: &mut [f32]) {
                kernels::shaped::$backward(y, d_y);
            }
        }
    )*};
}
activation! {
    Relu, relu, relu_backward;
    Sigmoid, sigmoid, sigmoid_backward;
    Softmax, softmax, softmax_backward;
    Tanh, tanh, tanh_backward;
}
