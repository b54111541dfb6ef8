//! Long short-term memory by integers.

use super::{Channel, MOST_PRODUCTS, bytes_of_codes, no_learning};
use crate::layers::options::{GoForwards, ReturnLast};
use crate::layers::{Batch, BatchMut, Direction, Layer, LayerKind, Outputs, Record, Records, Returned};
use crate::passes::integers;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// [`layers::Lstm`](crate::layers::Lstm) of integers. For each step t, with z = x\[t\] W + b and u = h U, each
/// scaled by the channel of its unit and gate to 2⁻¹², and added:
///
/// ```text
/// i = σ(z0)   f = σ(z1)   g = tanh(z2)   o = σ(z3)        c ← f · c + i · g        h ← o · tanh(c)
/// ```
///
/// σ and tanh come from one table, in 2⁻¹⁵. c has 16 bits in 2^(k − 12), k being `cell_shift`, and stays
/// within ±8 · 2ᵏ: k is above 0 for cells that count further than 8, and with 8 they reach ±2048. h is a
/// code, o · tanh c in 2⁻³⁰ scaled by `output`. σ is at most 0.9997, so a cell loses 1/3000 of what it holds
/// in each step.
///
/// # Shapes
/// x `[LEN, IN]` codes, W (`kernel`) `[4, UNITS, IN]`, U (`recurrent_kernel`) `[4, UNITS, UNITS]`, both unit by unit,
/// their channels `[4, UNITS]`, of which those of W have b; y `[UNITS]` or `[LEN, UNITS]` codes. What is returned,
/// the direction and what masks do are as there.
///
/// ```
/// use nanoembed::layers::{Layer, integer::{Channel, Lstm}};
/// let mut layer = Lstm::<2, 1, 1>::zeroed();
/// layer.kernel[2] = [[127]]; // g = tanh(4 x / 127), and all other gates are 1/2
/// layer.channels[2] = [Channel { bias: 0, multiplier: 1 << 30, shift: 30 }];
/// layer.output = Channel { bias: 0, multiplier: 127 << 23, shift: 53 };
/// assert_eq!(layer.predict(&[[127], [127]])?, [40]); // tanh(3/4) / 2
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Cost
/// `4 · UNITS · (IN + UNITS)` products of 8 bits for each step that is not masked; `4 · UNITS · (IN + UNITS + 24)
/// + 16` bytes, and the table of 514 for all layers.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Lstm<const LEN: usize, const IN: usize, const UNITS: usize, R = ReturnLast, D = GoForwards> {
    /// c is in 2^(`cell_shift` − 12): 0 to 8, and more is as 8.
    pub cell_shift: u32,
    /// b, and the scale of each unit of x W.
    pub channels: [[Channel; UNITS]; 4],
    /// The scale of each unit of h U, and 0.
    pub recurrent_channels: [[Channel; UNITS]; 4],
    /// The scale of h.
    pub output: Channel,
    /// W.
    pub kernel: [[[i8; IN]; UNITS]; 4],
    /// U.
    pub recurrent_kernel: [[[i8; UNITS]; UNITS]; 4],
    options: PhantomData<(R, D)>,
}

bytes_of_codes!(impl[const LEN: usize, const IN: usize, const UNITS: usize, R, D] Lstm<LEN, IN, UNITS, R, D> {
    cell_shift, channels, recurrent_channels, output, kernel, recurrent_kernel
});

impl<const LEN: usize, const IN: usize, const UNITS: usize, R, D> Layer for Lstm<LEN, IN, UNITS, R, D>
where
    R: Returned,
    D: Direction,
{
    type Input = [[i8; IN]; LEN];
    type Output = R::Codes<LEN, UNITS>;
    type InputGradient = [[i8; IN]; LEN];
    type Workspace<const BATCH: usize> = integers::State<UNITS>;
    type Cache<const BATCH: usize> = Outputs<Self::Output, BATCH>;

    const NAME: &'static str = "LSTM of integers";
    const RECORDS: Records = {
        assert!(LEN > 0 && IN > 0 && UNITS > 0, "Lstm<LEN, IN, UNITS>: all must be at least 1");
        assert!(
            IN <= MOST_PRODUCTS && UNITS <= MOST_PRODUCTS,
            "Lstm<LEN, IN, UNITS>: IN and UNITS must be at most 65,536"
        );
        let record = Record::new(LayerKind::IntegerLstm, &[LEN, IN, UNITS]);
        Records::layer(record.options([R::SEQUENCES as u16, D::BACKWARDS as u16, 0]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[i8; IN]; LEN]>,
        state: &mut integers::State<UNITS>,
        y: BatchMut<'_, R::Codes<LEN, UNITS>>,
    ) {
        let pass = integers::Lstm {
            kernel: self.kernel.as_flattened().as_flattened(),
            recurrent_kernel: self.recurrent_kernel.as_flattened().as_flattened(),
            channels: self.channels.as_flattened(),
            recurrent_channels: self.recurrent_channels.as_flattened(),
            output: &self.output,
            cell_shift: self.cell_shift,
            backwards: D::BACKWARDS,
            sequences: R::SEQUENCES,
        };
        for (((x, mask), y), y_mask) in x.values.iter().zip(x.masks).zip(y.values).zip(y.masks) {
            pass.infer((x.as_flattened(), IN), mask, state, R::codes_mut(y));
            let mut mask = *mask;
            if D::BACKWARDS {
                mask.reverse();
            }
            *y_mask = R::mask::<LEN, UNITS>(mask);
        }
    }

    no_learning!(4 * UNITS * (IN + UNITS + 1));
}
