//! The parameters of all layers, block after block, and where each has its share of the trainer's memory.

use super::kind::Kinds;
use super::recipe::{Place, Recipe};
use super::shape::Block;
use crate::optim::AnyOptimizer;
use crate::sparse::Occurrence;

/// Numbers that an occurrence takes.
const OCCURRENCE: usize = size_of::<Occurrence>() / size_of::<f32>();

/// How large the batches of a trainer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Examples of a batch, at most.
    pub examples: usize,
    /// Ids of a bag, at most; 0 for a model that takes no bags.
    pub ids_per_bag: usize,
}

/// A block that learns, and where its share of each memory starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockPlace<'a> {
    pub(super) layer: Place<'a>,
    pub(super) block: Block,
    /// Which table of its layer it is, if it is one.
    pub(super) table: usize,
    /// In the parameters.
    pub(super) parameters: usize,
    /// Where the bitmap of frozen rows starts in the parameters, and its words.
    pub(super) frozen_rows: Option<(usize, usize)>,
    /// In the gradients.
    pub(super) gradient: usize,
    /// In the lists of occurrences: their number, and then they.
    pub(super) list: usize,
    /// In the slots.
    pub(super) slots: usize,
}

/// The lengths of a block's shares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    pub(super) gradient: usize,
    pub(super) list: usize,
    pub(super) slots: usize,
}

impl Block {
    /// How many occurrences a batch has, at most; `None` if they are more than 32 bits can number.
    pub(super) fn occurrences(self, size: BatchSize) -> Option<usize> {
        match self {
            Self::Rows { ids, .. } => {
                let all = ids.unwrap_or(size.ids_per_bag).checked_mul(size.examples);
                all.filter(|all| u32::try_from(*all).is_ok())
            }
            _ => Some(0),
        }
    }

    /// How many numbers its gradient takes; `table` says which table of its layer it is. The gradient rows of
    /// the first are the gradients of the layer's outputs.
    fn gradient(self, size: BatchSize, table: usize) -> Option<usize> {
        match self {
            Self::Numbers(numbers) => Some(numbers),
            Self::ByFilter { .. } => self.words(),
            Self::Rows { .. } if table == 0 => Some(0),
            Self::Rows { dim, sources, .. } => sources.checked_mul(dim)?.checked_mul(size.examples),
            Self::Nothing | Self::Words(_) | Self::FrozenRows(_) => Some(0),
        }
    }

    /// The lengths of its shares; `table` says which table of its layer it is.
    pub(super) fn shares(
        self,
        optimizer: &dyn AnyOptimizer,
        size: BatchSize,
        table: usize,
    ) -> Option<Shares> {
        let gradient = self.gradient(size, table)?;
        match self {
            Self::Numbers(_) | Self::ByFilter { .. } => {
                Some(Shares { gradient, list: 0, slots: optimizer.block_slots(gradient) })
            }
            Self::Rows { rows, dim, .. } => {
                let last_steps = if optimizer.keeps_last_steps() { rows } else { 0 };
                let list = self.occurrences(size)?.checked_mul(OCCURRENCE)?.checked_add(1)?;
                let slots = rows.checked_mul(optimizer.row_slots(dim))?.checked_add(last_steps)?;
                Some(Shares { gradient, list, slots })
            }
            Self::Nothing | Self::Words(_) | Self::FrozenRows(_) => Some(Shares::default()),
        }
    }
}

/// The blocks of a layer that learns, each with the number of tables before it in its layer.
fn learning_blocks(layer: &Place<'_>) -> impl Iterator<Item = (Block, usize)> + use<> {
    let blocks = if layer.record.is_frozen() { [Block::Nothing; 3] } else { layer.spec.blocks };
    let mut tables = 0;
    blocks.into_iter().map(move |block| {
        let table = tables;
        tables += usize::from(matches!(block, Block::Rows { .. }));
        (block, table)
    })
}

/// Shows every block that learns, in the order of the parameters; gives the lengths of all shares together,
/// `None` if they are more than can be counted, which those of a [`Trainer`](super::Trainer) are not.
pub(super) fn each_block<'a, K: Kinds>(
    recipe: Recipe<'a, K>,
    optimizer: &dyn AnyOptimizer,
    size: BatchSize,
    visit: &mut dyn FnMut(BlockPlace<'a>),
) -> Option<Shares> {
    let mut all = Shares::default();
    for layer in recipe.places() {
        let mut parameters = layer.parameters;
        let [_, after, _] = layer.spec.blocks;
        for (block, table) in learning_blocks(&layer) {
            let words = block.words()?;
            let shares = block.shares(optimizer, size, table)?;
            if !matches!(block, Block::Nothing | Block::Words(_) | Block::FrozenRows(_)) {
                let frozen_rows = match after {
                    Block::FrozenRows(bits) if table == 0 => Some((parameters + words, bits)),
                    _ => None,
                };
                let Shares { gradient, list, slots } = all;
                visit(BlockPlace { layer, block, table, parameters, frozen_rows, gradient, list, slots });
            }
            parameters += words;
            all = Shares {
                gradient: all.gradient.checked_add(shares.gradient)?,
                list: all.list.checked_add(shares.list)?,
                slots: all.slots.checked_add(shares.slots)?,
            };
        }
    }
    Some(all)
}

/// How many numbers the gradients of a layer take.
pub(super) fn gradient_of(layer: &Place<'_>, size: BatchSize) -> Option<usize> {
    learning_blocks(layer)
        .try_fold(0_usize, |all, (block, table)| all.checked_add(block.gradient(size, table)?))
}
