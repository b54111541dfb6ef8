//! Rows of a small table for ids of any size.

use super::{Memory, extents, ids_of_any_size, taken};
use crate::layers::uniform;
use crate::models::kind::{Backward, Input, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Room, Shape, Spec, extent, product, unused};
use crate::passes::hashed::{Hashing, WORDS};
use crate::recipe::{LayerKind, Record};
use crate::slices::parts_mut;
use crate::table::Table;
use rand_core::Rng;

/// [`layers::HashedEmbedding`](crate::layers::HashedEmbedding).
#[derive(Clone, Copy, Debug)]
pub struct HashedEmbedding;

fn hashing(record: &Record) -> Hashing {
    let [_, rows, _, hashes, ..] = extents(record);
    let [_, _, _, _, seed, _] = record.extents;
    Hashing { rows, hashes, seed }
}

impl Kind for HashedEmbedding {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::HashedEmbedding as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (len, rows, dim) = (extent(record, 0)?, extent(record, 1)?, extent(record, 2)?);
        let hashes = extent(record, 3)?;
        if hashes > WORDS {
            return Err(RecordError::Extent { extent: 3, value: hashes as u32 });
        }
        // The extent between, the seed, may be any number.
        unused(record, 5, [false; 3], 1)?;
        product(rows, dim)?;
        product(len, dim)?;
        let ids = product(len, hashes)?;
        let table = Block::Rows { rows, dim, ids: Some(ids), sources: len };
        let names = Room { fixed: ids, per_example: 0 };
        let spec = Spec::new(Shape::LongIds(len), Shape::Sequence { len, dim });
        Ok(Spec { blocks: [table, Block::Nothing, Block::Nothing], scratch: names, kept: names, ..spec })
    }

    fn init(_: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        uniform(parameters, 0.05, random);
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, scratch: &mut [f32], _: bool) {
        let ([len, _, dim, ..], hashing) = (extents(layer.record), hashing(layer.record));
        let (mut ids, table) = (ids_of_any_size(taken(x)), Table::of_dim(layer.parameters, dim));
        let names = Memory(scratch).take_words(len * hashing.hashes);
        for y in parts_mut(y.numbers, len * dim) {
            hashing.forward(ids.by_ref().take(len), len, table, names, y);
        }
        y.masks.fill(true);
    }

    // The gradient rows are the gradients of the outputs.
    fn backward(_: View<'_>, _: Backward<'_>, _: Pass) {}

    fn occurrences(record: &Record, input: Input<'_>, _: usize, visit: &mut dyn FnMut(u32, u32)) {
        let hashing = hashing(record);
        for (source, id) in (0..).zip(ids_of_any_size(input)) {
            for row in hashing.rows_of(id) {
                visit(row as u32, source);
            }
        }
    }
}
