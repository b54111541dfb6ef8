//! Ids to rows of codes.

use super::{bytes_of_codes, no_learning};
use crate::error::InputError;
use crate::layers::options::NoMask;
use crate::layers::{Batch, BatchMut, Layer, LayerKind, Masking, Outputs, Record, Records, Value};
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
    const RECORDS: Records = {
        assert!(LEN > 0 && ROWS > 0 && DIM > 0, "Embedding<LEN, ROWS, DIM>: all must be at least 1");
        assert!(ROWS <= u32::MAX as usize, "Embedding<LEN, ROWS, DIM>: at most u32::MAX rows");
        assert!(
            ROWS as u64 - 1 <= I::MAX,
            "Embedding<LEN, ROWS, DIM, I>: the type of the ids (u16 where none is given) is too small for the rows"
        );
        let record = Record::new(LayerKind::IntegerEmbedding, &[LEN, ROWS, DIM]);
        Records::layer(record.options([M::MASK_ZERO as u16, 0, 0]))
    };

    fn check(inputs: &[[I; LEN]]) -> Result<(), InputError> {
        Indices::new(inputs.as_flattened(), ROWS)
            .map(drop)
            .map_err(|error| InputError::of_examples(LEN, error))
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[i8; DIM]; LEN]>,
    ) {
        let ids = Indices::skipping(x.values.as_flattened(), ROWS);
        gather(&self.rows, ids.iter(), y.values.as_flattened_mut());
        for (mask, ids) in y.masks.iter_mut().zip(x.values) {
            for (valid, id) in mask.iter_mut().zip(ids) {
                *valid = !M::MASK_ZERO || id.to_usize() != Some(0);
            }
        }
    }

    no_learning!(ROWS * DIM);
}
