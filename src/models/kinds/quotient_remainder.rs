//! Rows made of a row of each of two tables.

use super::{extents, ids_of_any_size, taken};
use crate::error::InputError;
use crate::layers::uniform;
use crate::models::kind::{Backward, Input, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, choice, extent, product, unused};
use crate::passes::two_rows::{self, Split};
use crate::recipe::{LayerKind, Record};
use crate::table::{Indices, Table, TableMut};
use rand_core::Rng;

/// [`layers::QuotientRemainder`](crate::layers::QuotientRemainder).
///
/// It takes ids of 32 bits if they name all that it serves, else of 64.
#[derive(Clone, Copy, Debug)]
pub struct QuotientRemainder;

/// How many ids it serves: those below.
fn served(record: &Record) -> usize {
    let [_, quotients, remainders, ..] = extents(record);
    quotients * remainders
}

fn multiplies(record: &Record) -> bool {
    let [multiplies, ..] = record.options;
    multiplies != 0
}

/// The numbers of the two rows of each id.
fn splits<'a>(record: &Record, input: Input<'a>) -> impl Iterator<Item = Split> + Clone + use<'a> {
    let ([_, _, remainders, ..], served) = (extents(record), served(record));
    let row = move |id| usize::try_from(id).ok().filter(|row| *row < served);
    two_rows::splits(ids_of_any_size(input).map(row), remainders)
}

/// Both tables.
fn tables<'a>(record: &Record, parameters: &'a [f32]) -> (Table<'a>, Table<'a>) {
    let [_, quotients, _, dim, ..] = extents(record);
    let (q, r) = parameters.split_at_checked(quotients * dim).unwrap_or_default();
    (Table::of_dim(q, dim), Table::of_dim(r, dim))
}

impl Kind for QuotientRemainder {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::QuotientRemainder as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (len, quotients) = (extent(record, 0)?, extent(record, 1)?);
        let (remainders, dim) = (extent(record, 2)?, extent(record, 3)?);
        unused(record, 4, [true, false, false], 1)?;
        choice(record, 0, &[(), ()])?;
        product(len, dim)?;
        product(quotients, dim)?;
        product(remainders, dim)?;
        // A processor of 32 bits does not serve fewer ids than others: it refuses the layer.
        product(quotients, remainders)?;
        let table = |rows| Block::Rows { rows, dim, ids: Some(len), sources: len };
        let short = quotients as u64 * remainders as u64 <= 1 << 32;
        let ids = if short { Shape::Ids(len) } else { Shape::LongIds(len) };
        let blocks = [table(quotients), table(remainders), Block::Nothing];
        Ok(Spec { blocks, ..Spec::new(ids, Shape::Sequence { len, dim }) })
    }

    fn check(record: &Record, input: Input<'_>) -> Result<(), InputError> {
        let ([len, ..], served) = (extents(record), served(record));
        let checked = match input {
            Input::Ids(ids) => Indices::new(ids, served).map(drop),
            Input::LongIds(ids) => Indices::new(ids, served).map(drop),
            _ => Ok(()),
        };
        checked.map_err(|error| InputError::of_examples(len, error))
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        uniform(parameters, 0.05, random);
        let [_, quotients, _, dim, ..] = extents(record);
        if multiplies(record)
            && let Some((_, remainders)) = parameters.split_at_mut_checked(quotients * dim)
        {
            for x in remainders {
                *x += 1.0;
            }
        }
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [_, _, _, dim, ..] = extents(layer.record);
        let (q, r) = tables(layer.record, layer.parameters);
        let splits = splits(layer.record, taken(x));
        two_rows::forward(splits, q, r, multiplies(layer.record), TableMut::of_dim(y.numbers, dim));
        y.masks.fill(true);
    }

    // The gradients of the outputs become the gradient rows of the quotients; those of the remainders are
    // written beside them.
    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { x, d_y, gradient: Some(d_r), .. } = backward else { return };
        let [_, _, _, dim, ..] = extents(layer.record);
        let (q, r) = tables(layer.record, layer.parameters);
        let (d_q, d_r) = (TableMut::of_dim(d_y, dim), TableMut::of_dim(d_r, dim));
        let splits = splits(layer.record, taken(x));
        two_rows::backward(splits, q, r, multiplies(layer.record), d_q, d_r);
    }

    fn occurrences(record: &Record, input: Input<'_>, table: usize, visit: &mut dyn FnMut(u32, u32)) {
        for (source, split) in (0..).zip(splits(record, input)) {
            if let Some((quotient, remainder)) = split {
                visit(if table == 0 { quotient } else { remainder } as u32, source);
            }
        }
    }
}
