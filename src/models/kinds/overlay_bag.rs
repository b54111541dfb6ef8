//! A few rows beside a table that is frozen.

use super::embedding::{POOLINGS, bags};
use super::taken;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, choice, extent, product, unused};
use crate::passes::overlay;
use crate::recipe::{LayerKind, Record};
use crate::slices::parts_mut;
use crate::table::{Pooling, Table};
use zerocopy::{FromBytes, IntoBytes};

/// [`layers::OverlayBag`](crate::layers::OverlayBag), for inference: ids are given rows by the type alone, and
/// so only the type trains it.
#[derive(Clone, Copy, Debug)]
pub struct OverlayBag;

impl Kind for OverlayBag {
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::OverlayBag as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (rows, dim) = (extent(record, 0)?, extent(record, 1)?);
        unused(record, 2, [true, false, false], 0)?;
        choice(record, 0, &POOLINGS)?;
        // Beside the numbers of a row stands its id.
        let words = Block::Words(product(rows, dim + 1)?);
        let spec = Spec::new(Shape::Bag, Shape::Vector(dim));
        Ok(Spec { blocks: [words, Block::Nothing, Block::Nothing], ..spec })
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [rows, dim, ..] = super::extents(layer.record);
        let (table, map) = layer.parameters.split_at_checked(rows * dim).unwrap_or_default();
        let map = <[u32]>::ref_from_bytes(map.as_bytes()).unwrap_or_default();
        let pooling = choice(layer.record, 0, &POOLINGS).unwrap_or(Pooling::Mean);
        for (bag, y) in bags(taken(x)).zip(parts_mut(y.numbers, dim)) {
            let ids = bag.iter().map(|id| u64::from(*id));
            overlay::pool(map, Table::of_dim(table, dim), ids, pooling, y);
        }
    }

    fn backward(_: View<'_>, _: Backward<'_>, _: Pass) {}
}
