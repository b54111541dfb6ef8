//! The step of an optimizer on one number, and the loops that take it over the numbers of a block.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`UpdateRule`].

use crate::kernels::columns_mut;
use crate::simd::{LANES, Lanes};

/// One step of an optimizer, with the step's scalars computed: what it does to one number.
///
/// # Where state is
/// ```text
/// for column in 0..dim:
///     weights[column] = rule(weights[column], gradient[column], square[column], state of the column)
/// ```
///
/// The state of column c stands at c, dim + c, 2 dim + c of the block's slots, so that each kind of state is
/// a vector of its own. No column looks at another, so the compiler takes as many at once as a register
/// holds; what a rule needs to know of the row as a whole (row-wise Adagrad: the mean square of its gradient)
/// is computed before.
///
/// # Cost
/// One pass over weights, gradient and slots of the block: 4 bytes of each are read for each number, and
/// weights and slots written.
pub trait UpdateRule: Copy {
    /// The state of one number: `[f32; 0]` to `[f32; 3]`.
    type State: State;
    /// How many numbers of state a row, or a whole variable, keeps beside those of its numbers.
    const ROW_STATE: usize = 0;

    /// How many numbers of state it keeps for a block of `weights` numbers.
    #[inline(always)]
    fn slots(weights: usize) -> usize {
        weights.saturating_mul(Self::State::NUMBERS).saturating_add(Self::ROW_STATE)
    }

    /// Whether a row that occurs several times in a batch enters the second moment by the sum of the squares
    /// of its gradients, as in Keras 3, instead of by the square of their sum, which is the square of the
    /// true gradient.
    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        false
    }

    /// Where each number of each occurrence's gradient is clipped before the occurrences of a row are summed,
    /// as Keras 3 clips by value: the limit, and the rule for the sum, which is not clipped again. Where
    /// nothing is: `None`.
    #[inline(always)]
    fn clipping_occurrences(self) -> Option<(f32, Self)> {
        None
    }

    /// What the rule takes for the gradient of `weight`: clipped, or with the gradient of a penalty added.
    #[inline(always)]
    fn gradient(&self, weight: f32, gradient: f32) -> f32 {
        let _ = weight;
        gradient
    }

    /// The rule for a row whose [`gradient`](Self::gradient) has this mean square, and whose
    /// [`ROW_STATE`](Self::ROW_STATE) this is. Called only if there is such state.
    #[inline(always)]
    #[must_use]
    fn of_row(self, mean_square: f32, state: &mut [f32]) -> Self {
        let _ = (mean_square, state);
        self
    }

    /// The weight after the step; `square` is the square of the gradient, or for Keras 3 the sum of the
    /// squares.
    fn apply(&self, weight: f32, gradient: f32, square: f32, state: &mut Self::State) -> f32;
}

/// The state of one number: an array of up to three.
pub trait State: Copy + sealed::Sealed {
    /// How many.
    const NUMBERS: usize;

    /// `step(weight, (gradient, square), state)` on each number.
    #[doc(hidden)]
    fn each(
        weights: &mut [f32],
        gradients: impl Iterator<Item = (f32, f32)>,
        slots: &mut [f32],
        step: impl Fn(f32, (f32, f32), &mut Self) -> f32,
    );

    /// `step(rule, weight, state)` on each of `WIDTH` numbers, rule after rule; the state of the first stands
    /// in `slots` at `column`, and each kind of state is `dim` numbers long.
    #[doc(hidden)]
    fn each_of_block<R, const WIDTH: usize>(
        weights: &mut [f32; WIDTH],
        slots: &mut [f32],
        dim: usize,
        column: usize,
        rules: impl Iterator<Item = R>,
        step: impl Fn(&R, f32, &mut Self) -> f32,
    );

    /// Multiplies the state in `slots` by this state's numbers, `steps` times; if that is more often than
    /// `one_by_one`, once by their powers.
    #[doc(hidden)]
    fn decay(self, steps: u32, one_by_one: u32, slots: &mut [f32]);

    /// The numbers `with(own, other)`.
    #[doc(hidden)]
    #[must_use]
    fn zip_with(self, other: Self, with: impl Fn(f32, f32) -> f32) -> Self;

    /// Whether `test(weight, state)` holds for all numbers.
    #[doc(hidden)]
    fn all(weights: &[f32], slots: &[f32], test: impl Fn(f32, &Self) -> bool) -> bool;
}

mod sealed {
    pub trait Sealed {}
}

/// The pattern of items of nested `zip`s.
macro_rules! zipped {
    ($pattern:tt) => { $pattern };
    ($pattern:tt $next:ident $($rest:ident)*) => { zipped!(($pattern, $next) $($rest)*) };
}

macro_rules! state {
    ($numbers:literal: $($slot:ident $copy:ident),*) => {
        impl sealed::Sealed for [f32; $numbers] {}

        impl State for [f32; $numbers] {
            const NUMBERS: usize = $numbers;

            #[inline(always)]
            fn each(
                weights: &mut [f32],
                gradients: impl Iterator<Item = (f32, f32)>,
                slots: &mut [f32],
                step: impl Fn(f32, (f32, f32), &mut Self) -> f32,
            ) {
                let _length = weights.len();
                $(let Some(($slot, slots)) = slots.split_at_mut_checked(_length) else { return };)*
                let _ = slots;
                let numbers = weights.iter_mut().zip(gradients);
                $(let numbers = numbers.zip($slot);)*
                for zipped!((weight, gradient) $($slot)*) in numbers {
                    let mut state = [$(*$slot),*];
                    *weight = step(*weight, gradient, &mut state);
                    [$(*$slot),*] = state;
                }
            }

            #[inline(always)]
            fn each_of_block<R, const WIDTH: usize>(
                weights: &mut [f32; WIDTH],
                slots: &mut [f32],
                dim: usize,
                column: usize,
                rules: impl Iterator<Item = R>,
                step: impl Fn(&R, f32, &mut Self) -> f32,
            ) {
                let _ = (dim, column);
                $(
                    let Some(($slot, slots)) = slots.split_at_mut_checked(dim) else { return };
                    let Some($slot) = columns_mut::<WIDTH>($slot, column) else { return };
                )*
                let _ = slots;
                // Copies, of which the compiler knows that they do not overlap.
                let mut block = *weights;
                $(let mut $copy = *$slot;)*
                for rule in rules {
                    let numbers = block.iter_mut();
                    $(let numbers = numbers.zip(&mut $copy);)*
                    for zipped!(weight $($copy)*) in numbers {
                        let mut state = [$(*$copy),*];
                        *weight = step(&rule, *weight, &mut state);
                        [$(*$copy),*] = state;
                    }
                }
                *weights = block;
                $(*$slot = $copy;)*
            }

            #[inline(always)]
            fn decay(self, steps: u32, one_by_one: u32, slots: &mut [f32]) {
                let _length = slots.len().checked_div($numbers).unwrap_or_default();
                $(let Some(($slot, slots)) = slots.split_at_mut_checked(_length) else { return };)*
                let _ = slots;
                let parts: [&mut [f32]; $numbers] = [$($slot),*];
                let (times, power) = if steps > one_by_one { (1, steps as f32) } else { (steps, 1.0) };
                for (part, factor) in parts.into_iter().zip(self) {
                    let factor = if power == 1.0 { factor } else { libm::powf(factor, power) };
                    for _ in 0..times {
                        for x in part.iter_mut() {
                            *x *= factor;
                        }
                    }
                }
            }

            #[inline(always)]
            fn zip_with(mut self, other: Self, with: impl Fn(f32, f32) -> f32) -> Self {
                for (own, other) in self.iter_mut().zip(other) {
                    *own = with(*own, other);
                }
                self
            }

            #[inline(always)]
            fn all(weights: &[f32], slots: &[f32], test: impl Fn(f32, &Self) -> bool) -> bool {
                let _length = weights.len();
                $(let Some(($slot, slots)) = slots.split_at_checked(_length) else { return true };)*
                let _ = slots;
                // Sixteen numbers are tested without a branch, that is together; most rows fail in the first
                // sixteen.
                let (blocks, weight) = weights.as_chunks::<LANES>();
                $(let ($slot, $copy) = $slot.as_chunks::<LANES>();)*
                let blocks = blocks.iter();
                $(let blocks = blocks.zip($slot);)*
                for zipped!(weight $($slot)*) in blocks {
                    let numbers = weight.iter();
                    $(let numbers = numbers.zip($slot);)*
                    let mut all = true;
                    for zipped!(weight $($slot)*) in numbers {
                        all &= test(*weight, &[$(*$slot),*]);
                    }
                    if !all {
                        return false;
                    }
                }
                let numbers = weight.iter();
                $(let numbers = numbers.zip($copy);)*
                for zipped!(weight $($slot)*) in numbers {
                    if !test(*weight, &[$(*$slot),*]) {
                        return false;
                    }
                }
                true
            }
        }
    };
}

state!(0:);
state!(1: a a_block);
state!(2: a a_block, b b_block);
state!(3: a a_block, b b_block, c c_block);

/// `g` brought into [−limit, limit]; NaN stays.
#[inline(always)]
pub(crate) fn clamp(g: f32, limit: f32) -> f32 {
    let g = if g > limit { limit } else { g };
    if g < -limit { -limit } else { g }
}

/// The step of `rule` on a block: `squares` are those of `gradient`, and `slots` all state of the block.
#[inline(always)]
pub(super) fn apply<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    weights: &mut [f32],
    gradient: &[f32],
    squares: impl Iterator<Item = f32>,
    slots: &mut [f32],
) {
    let numbers = weights.len().saturating_mul(R::State::NUMBERS);
    let Some((slots, of_row)) = slots.split_at_mut_checked(numbers) else { return };
    let rule = if R::ROW_STATE > 0 {
        rule.of_row(mean_square(lanes, rule, weights, gradient), of_row)
    } else {
        rule
    };
    R::State::each(weights, gradient.iter().copied().zip(squares), slots, |w, (g, square), state| {
        rule.apply(w, g, square, state)
    });
}

/// The mean square of what the rule takes for the gradient, by lanes; 0 for no numbers.
#[inline(always)]
fn mean_square<L: Lanes, R: UpdateRule>(lanes: L, rule: R, weights: &[f32], gradient: &[f32]) -> f32 {
    let mut total = lanes.splat(0.0);
    let ((weight_blocks, weight_rest), (blocks, rest)) =
        (weights.as_chunks::<LANES>(), gradient.as_chunks::<LANES>());
    for (weights, gradient) in weight_blocks.iter().zip(blocks) {
        let mut block = [0.0; LANES];
        for ((g, weight), gradient) in block.iter_mut().zip(weights).zip(gradient) {
            *g = rule.gradient(*weight, *gradient);
        }
        let g = lanes.load(&block);
        total = lanes.add(total, lanes.mul(g, g));
    }
    if !rest.is_empty() {
        let mut block = [0.0; LANES];
        for ((g, weight), gradient) in block.iter_mut().zip(weight_rest).zip(rest) {
            *g = rule.gradient(*weight, *gradient);
        }
        let g = lanes.load(&block);
        total = lanes.add(total, lanes.mul(g, g));
    }
    let count = if weights.is_empty() { 1 } else { weights.len() };
    lanes.sum(total) / count as f32
}
