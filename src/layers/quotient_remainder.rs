//! Ids to rows made of two: a large table as two small ones.

use super::embedding::check_ids;
use super::flow::{Keeps, Outputs};
use super::row_gradient::flows_into_rows;
use super::value::Value;
use super::{Batch, BatchMut, ByRow, Layer, LayerKind, Record, Records, parameters, uniform};
use crate::error::InputError;
use crate::optim::Optimizer;
use crate::passes::two_rows;
use crate::table::{Index, Indices, Numbers, Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// How the two rows of an id become one: [`Added`] or [`Multiplied`].
pub trait Composition: Copy {
    /// Whether they are multiplied.
    const MULTIPLIES: bool;
}

/// y = q + r.
#[derive(Clone, Copy, Debug)]
pub struct Added;
/// y = q · r, number by number.
#[derive(Clone, Copy, Debug)]
pub struct Multiplied;

impl Composition for Added {
    const MULTIPLIES: bool = false;
}
impl Composition for Multiplied {
    const MULTIPLIES: bool = true;
}

/// The quotient-remainder trick (Shi et al., 2020): y\[t\] = Q\[id\[t\] / REMAINDERS\] ∘ R\[id\[t\] mod
/// REMAINDERS\], where ∘ adds or multiplies.
///
/// Serves the ids below `QUOTIENTS * REMAINDERS` with `QUOTIENTS + REMAINDERS` rows: 1,000,000 ids with 2000.
/// No two ids have both rows in common, so every id has an embedding of its own, though not an independent
/// one.
///
/// # Shapes
/// ids `[LEN]`, Q (`quotients`) `[QUOTIENTS, DIM]`, R (`remainders`) `[REMAINDERS, DIM]`, y `[LEN, DIM]`.
///
/// Initial values: added, both uniform in [−0.05, 0.05); multiplied, Q so and R the same plus 1, so that the
/// product starts as Q and neither factor is near 0. In training only rows that occur learn.
///
/// ```
/// use nanoembed::layers::{Layer, QuotientRemainder};
/// let mut cities = QuotientRemainder::<1, 10, 10, 4>::zeroed();
/// (cities.quotients[4], cities.remainders[2]) = ([1.0; 4], [0.25; 4]);
/// assert_eq!(cities.predict(&[42])?, [[1.25; 4]]);
/// assert_eq!(cities.predict(&[47])?, [[1.0; 4]]);
/// assert!(cities.predict(&[100]).is_err());
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, QuotientRemainder};
/// let _ = QuotientRemainder::<1, 10, 0, 4>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct QuotientRemainder<
    const LEN: usize,
    const QUOTIENTS: usize,
    const REMAINDERS: usize,
    const DIM: usize,
    C = Added,
    I = u32,
> {
    /// Q.
    pub quotients: [[f32; DIM]; QUOTIENTS],
    /// R.
    pub remainders: [[f32; DIM]; REMAINDERS],
    options: PhantomData<(C, I)>,
}

parameters!(impl[const LEN: usize, const QUOTIENTS: usize, const REMAINDERS: usize, const DIM: usize, C, I]
QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM, C, I> {
    quotients: [[f32; DIM]; QUOTIENTS] => ByRow<LEN, LEN>,
    remainders: [[f32; DIM]; REMAINDERS] => ByRow<LEN, LEN>,
});

impl<const LEN: usize, const QUOTIENTS: usize, const REMAINDERS: usize, const DIM: usize, C, I: Index>
    QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM, C, I>
{
    /// Ids it serves: those below.
    pub const IDS: usize = QUOTIENTS * REMAINDERS;

    /// The numbers of an id's two rows, for each id that has them.
    fn split(ids: &[I]) -> impl Iterator<Item = Option<(usize, usize)>> + Clone + '_ {
        two_rows::splits(Indices::skipping(ids, Self::IDS).iter(), REMAINDERS)
    }
}

impl<const LEN: usize, const QUOTIENTS: usize, const REMAINDERS: usize, const DIM: usize, C, I> Layer
    for QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM, C, I>
where
    C: Composition,
    I: Index,
    [I; LEN]: Value<Mask = ()>,
{
    type Input = [I; LEN];
    type Output = [[f32; DIM]; LEN];
    type InputGradient = ();
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[[f32; DIM]; LEN], BATCH>;

    const STALLS_AT_ZERO: bool = C::MULTIPLIES;
    const NAME: &'static str = "QuotientRemainder";
    const RECORDS: Records = {
        assert!(
            LEN > 0 && QUOTIENTS > 0 && REMAINDERS > 0 && DIM > 0,
            "QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM>: all must be at least 1"
        );
        assert!(
            QUOTIENTS <= u32::MAX as usize && REMAINDERS <= u32::MAX as usize,
            "QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM>: at most u32::MAX rows a table"
        );
        assert!(
            QUOTIENTS.checked_mul(REMAINDERS).is_some(),
            "QuotientRemainder<LEN, QUOTIENTS, REMAINDERS, DIM>: it serves more ids than this processor can count"
        );
        let record = Record::new(LayerKind::QuotientRemainder, &[LEN, QUOTIENTS, REMAINDERS, DIM]);
        Records::layer(record.options([C::MULTIPLIES as u16, 0, 0]))
    };

    fn init(&mut self, random: &mut impl Rng) {
        uniform(self.quotients.as_numbers_mut(), 0.05, random);
        uniform(self.remainders.as_numbers_mut(), 0.05, random);
        if C::MULTIPLIES {
            for x in self.remainders.as_flattened_mut() {
                *x += 1.0;
            }
        }
    }

    fn check(inputs: &[[I; LEN]]) -> Result<(), InputError> {
        check_ids(inputs, Self::IDS)
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[f32; DIM]; LEN]>,
    ) {
        let (q, r) = (Table::from_rows(&self.quotients), Table::from_rows(&self.remainders));
        let to = TableMut::from_rows(y.values.as_flattened_mut());
        two_rows::forward(Self::split(x.values.as_flattened()), q, r, C::MULTIPLIES, to);
        for mask in y.masks {
            *mask = [true; LEN];
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [I; LEN]>,
        _: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        _: Option<&mut [()]>,
    ) {
        let Some(gradient) = gradient else { return };
        let n = x.values.len();
        let (Some(d_q), Some(d_r)) = (gradient.quotients.rows_mut(n), gradient.remainders.rows_mut(n)) else {
            return;
        };
        let (q, r) = (Table::from_rows(&self.quotients), Table::from_rows(&self.remainders));
        let d_q = TableMut::from_rows(d_q.as_flattened_mut());
        let d_r = TableMut::from_rows(d_r.as_flattened_mut());
        two_rows::backward(Self::split(x.values.as_flattened()), q, r, C::MULTIPLIES, d_q, d_r);
        for ids in x.values {
            let named = Self::split(ids).enumerate().filter_map(|(t, split)| Some((split?, t)));
            gradient.quotients.push(named.clone().map(|((quotient, _), t)| (quotient as u32, t)));
            gradient.remainders.push(named.map(|((_, remainder), t)| (remainder as u32, t)));
        }
    }

    flows_into_rows!(|gradient, n| gradient.quotients.rows_mut(n));

    fn catch_up<O: Optimizer>(
        &mut self,
        x: &[[I; LEN]],
        optimizer: &O,
        until: u32,
        slots: &mut Self::Slots<O>,
    ) {
        let splits = Self::split(x.as_flattened()).flatten();
        let quotients = splits.clone().map(|(quotient, _)| quotient);
        slots.quotients.catch_up(quotients, optimizer, until, &mut self.quotients);
        let remainders = splits.map(|(_, remainder)| remainder);
        slots.remainders.catch_up(remainders, optimizer, until, &mut self.remainders);
    }
}
