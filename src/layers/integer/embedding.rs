//! Ids to rows of codes.

use super::{bytes_of_codes, no_learning};
use crate::error::InputError;
use crate::layers::embedding::{check_ids, mask_ids, record};
use crate::layers::options::NoMask;
use crate::layers::{Batch, BatchMut, Layer, LayerKind, Masking, Outputs, Records, Value};
use crate::passes::integers::gather;
use crate::table::{Index, Indices};
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// [`layers::Embedding`](crate::layers::Embedding) of integers: y\[t\] = E\[id\[t\]\].
///
/// # Shapes
/// ids `[LEN]`, E (`rows`) `[ROWS, DIM]` codes, y `[LEN, DIM]` codes.
///
/// With [`MaskZero`](crate::layers::options::MaskZero) steps with id 0 are marked as padding; row 0 is still read.
///
/// ```
/// use nanoembed::layers::{Layer, integer::Embedding};
/// let mut words = Embedding::<3, 50, 8>::zeroed();
/// words.rows[7] = [-5; 8];
/// assert_eq!(words.predict(&[7, 0, 7])?, [[-5; 8], [0; 8], [-5; 8]]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Cost
/// `LEN · DIM` bytes copied; `ROWS · DIM` bytes.
// Aligned, so that the numbers of a layer after it can follow whatever the bytes of the rows are.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C, align(4))]
pub struct Embedding<const LEN: usize, const ROWS: usize, const DIM: usize, I = u16, M = NoMask> {
    /// E.
    pub rows: [[i8; DIM]; ROWS],
    options: PhantomData<(I, M)>,
}

bytes_of_codes!(impl[const LEN: usize, const ROWS: usize, const DIM: usize, I, M]
    Embedding<LEN, ROWS, DIM, I, M> { rows });

impl<const LEN: usize, const ROWS: usize, const DIM: usize, I, M> Layer for Embedding<LEN, ROWS, DIM, I, M>
where
    I: Index,
    [I; LEN]: Value<Mask = ()>,
    M: Masking,
{
    type Input = [I; LEN];
    type Output = [[i8; DIM]; LEN];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[[i8; DIM]; LEN], BATCH>;

    const NAME: &'static str = "Embedding of integers";
    const RECORDS: Records = Records::layer(record::<I, M>(LayerKind::IntegerEmbedding, [LEN, ROWS, DIM]));

    fn check(inputs: &[[I; LEN]]) -> Result<(), InputError> {
        check_ids(inputs, ROWS)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[i8; DIM]; LEN]>,
    ) {
        let ids = Indices::skipping(x.values.as_flattened(), ROWS);
        gather(&self.rows, ids.iter(), y.values.as_flattened_mut());
        mask_ids::<LEN, I, M>(x.values, y.masks);
    }

    no_learning!(ROWS * DIM);
}
