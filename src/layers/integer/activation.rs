//! Activations of integers.

use crate::layers::{ActivationFunction, Identity, Relu, Sigmoid, Softmax, Tanh};
use crate::passes::integers;

/// An activation within a model of integers: [`Identity`], [`Relu`], [`Sigmoid`] or [`Tanh`].
pub trait IntegerActivation: ActivationFunction {
    /// The code of a sum that a [`Channel`](super::Channel) scaled: in the units of the outputs, before a
    /// `Sigmoid` or a `Tanh` in 2⁻¹².
    fn code(scaled: i32) -> i8;
}

impl IntegerActivation for Identity {
    #[inline]
    fn code(scaled: i32) -> i8 {
        integers::identity(scaled)
    }
}

impl IntegerActivation for Relu {
    #[inline]
    fn code(scaled: i32) -> i8 {
        integers::relu(scaled)
    }
}

impl IntegerActivation for Sigmoid {
    #[inline]
    fn code(scaled: i32) -> i8 {
        integers::sigmoid(scaled)
    }
}

impl IntegerActivation for Tanh {
    #[inline]
    fn code(scaled: i32) -> i8 {
        integers::tanh(scaled)
    }
}

/// What stands at the end of a model of integers: [`Identity`], [`Sigmoid`] or [`Softmax`].
pub trait LogitsActivation: ActivationFunction {}

impl LogitsActivation for Identity {}
impl LogitsActivation for Sigmoid {}
impl LogitsActivation for Softmax {}
