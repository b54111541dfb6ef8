//! Activations: what a layer applies to each output at the end.

use crate::kernels;

/// Which activation a layer ends with; a loss is fused with the one that is its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationKind {
    /// f(x) = x.
    Linear,
    /// f(x) = 0 for x ≤ 0, else x.
    Relu,
    /// f(x) = 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// f(x)ᵢ = eˣⁱ / Σⱼ eˣʲ.
    Softmax,
    /// f(x) = tanh x.
    Tanh,
}

impl ActivationKind {
    /// Its name, as in Keras.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
            Self::Tanh => "tanh",
        }
    }
}

/// An activation as a type parameter of a layer: [`Linear`], [`Relu`], [`Sigmoid`], [`Softmax`] or [`Tanh`].
pub trait Activation: Copy + sealed::Sealed {
    /// Which one it is.
    const KIND: ActivationKind;

    /// Turns one vector of scores into its activation, in place.
    fn activate(y: &mut [f32]);

    /// Turns the gradient with respect to the activation `y` into the one with respect to the scores, in place.
    fn activate_backward(y: &[f32], d_y: &mut [f32]);
}

/// f(x) = x.
#[derive(Clone, Copy, Debug)]
pub struct Linear;
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

impl sealed::Sealed for Linear {}
impl Activation for Linear {
    const KIND: ActivationKind = ActivationKind::Linear;

    #[inline(always)]
    fn activate(_: &mut [f32]) {}

    #[inline(always)]
    fn activate_backward(_: &[f32], _: &mut [f32]) {}
}

macro_rules! activation {
    ($($name:ident, $forward:ident, $backward:ident;)*) => {$(
        impl sealed::Sealed for $name {}
        impl Activation for $name {
            const KIND: ActivationKind = ActivationKind::$name;

            #[inline]
            fn activate(y: &mut [f32]) {
                kernels::$forward(y);
            }

            #[inline]
            fn activate_backward(y: &[f32], d_y: &mut [f32]) {
                // Both are outputs of one layer, so their lengths agree.
                let _ = kernels::$backward(y, d_y);
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
