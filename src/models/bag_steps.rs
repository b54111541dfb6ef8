//! Steps on one bag at a time: fastText's model, a pooled bag of rows and a linear layer behind it.
//!
//! A step of the general trainer asks each record several times what its layer is and where its memory lies.
//! That takes longer than the arithmetic, if the batch is one bag of some forty rows. Here it is found out
//! once an epoch:
//!
//! ```text
//! ask for the ids of the bag after the next, and for the rows of the next
//! x = the rows, pooled;  logits = x W + b;  the loss and its gradient
//! the gradients of W, b and x
//! the optimizer's step on the rows that occur, on W and on b
//! ```
//!
//! Each line calls the kernel that the layer itself calls, in the order of the general step, so the bits are
//! the same. Any loss that is fused with the last activation and any optimizer whose rows do not wait for
//! their steps will do.
//!
//! # Cost
//! Each row that occurs is read and written once, and one behind the other: while one bag is learnt from, the
//! rows of the next are on their way, and the optimizer finds them in the nearest cache. The list of the rows
//! is sorted in no time if the ids of each bag are in order.

use super::batch::bag as ids_of;
use super::kind::{Input, Kinds};
use super::kinds::POOLINGS;
use super::learn::{Learning, as_occurrences};
use super::pass::Flow;
use super::recipe::source_of;
use super::trainer::Trainer;
use crate::kernels::shaped::pool;
use crate::kernels::{ask_for_rows, sum_of_squares};
use crate::layers::ActivationKind;
use crate::loss::Labels;
use crate::passes::dense;
use crate::recipe::LayerKind;
use crate::simd::prefetch;
use crate::slices::part_mut;
use crate::sparse::{Occurrence, SparseGradient, shaped};
use crate::table::{Bags, Indices, Pooling, RowFormat, Table, TableMut};
use crate::train::{Report, Totals, TrainError};
use core::ops::ControlFlow;

/// A pooled bag of rows and a linear layer, of which all learns.
#[derive(Clone, Copy, Debug)]
pub(super) struct BagModel {
    rows: usize,
    dim: usize,
    units: usize,
    pooling: Pooling,
}

/// What the optimizer steps on after one bag.
struct Gradients<'a> {
    of_rows: SparseGradient<'a>,
    of_kernel: &'a mut [f32],
    of_bias: &'a mut [f32],
    table: TableMut<'a>,
    kernel: &'a mut [f32],
    bias: &'a mut [f32],
    slots: &'a mut [f32],
}

impl<K: Kinds> Trainer<'_, K> {
    /// The model, if it can be learnt bag by bag.
    pub(super) fn bag_model(&self) -> Option<BagModel> {
        // Firmware has the general step alone.
        let is_fast = cfg!(not(target_os = "none")) && self.size.examples == 1 && !self.optimizer.lags();
        let is_fused = self.loss.fused_activation() != ActivationKind::Identity;
        if !is_fast || !is_fused || self.loss.known_classes().is_some() {
            return None;
        }
        let recipe = self.recipe();
        let [bag, linear] = recipe.records() else { return None };
        let learns = |kind, record: &crate::recipe::Record| record.kind == kind as u16 && !record.is_frozen();
        let is_chain = source_of(bag, 0, 0) == Some(Err(0)) && source_of(linear, 0, 1) == Some(Ok(0));
        let is_f32 = bag.format == RowFormat::F32 as u16 && linear.format == 0 && !bag.has_frozen_rows();
        if !is_chain || !is_f32 || !learns(LayerKind::EmbeddingBag, bag) || !learns(LayerKind::Dense, linear)
        {
            return None;
        }
        let ([rows, dim, ..], [_, units, ..]) = (bag.extents, linear.extents);
        let pooling = *POOLINGS.get(usize::from(*bag.options.first()?))?;
        Some(BagModel { rows: rows as usize, dim: dim as usize, units: units as usize, pooling })
    }

    /// A step on each bag in this order, until `after_step` breaks.
    pub(super) fn steps_on_bags(
        &mut self,
        model: BagModel,
        parameters: &mut [f32],
        (inputs, labels): (&[Input<'_>], &Labels<'_>),
        order: &mut dyn Iterator<Item = usize>,
        after_step: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<(Report, ControlFlow<()>), TrainError> {
        let mut totals = Totals::default();
        // The inputs were checked: this is one list of bags.
        let (ids, offsets) = match inputs {
            [Input::Bags { ids, offsets }] => (*ids, *offsets),
            _ => (&[][..], &[][..]),
        };
        let (mut next, mut after_next) = (order.next(), order.next());
        while let Some(example) = next {
            (next, after_next) = (after_next, order.next());
            if let Some(start) = after_next.and_then(|example| offsets.get(example)) {
                prefetch(ids, *start as usize, MOST_ASKED);
            }
            if let Some(next) = next {
                let table = parameters.get(..model.rows * model.dim).unwrap_or_default();
                ask_for_rows(Table::of_dim(table, model.dim), ids_of(ids, offsets, next));
            }
            let bag = ids_of(ids, offsets, example);
            self.step_on_bag(model, parameters, (inputs, labels), (example, bag), &mut totals)?;
            let ended = after_step(totals.report());
            if ended.is_break() {
                return Ok((totals.report(), ended));
            }
        }
        Ok((totals.report(), ControlFlow::Continue(())))
    }

    fn step_on_bag(
        &mut self,
        model: BagModel,
        parameters: &mut [f32],
        (inputs, labels): (&[Input<'_>], &Labels<'_>),
        (example, ids): (usize, &[u32]),
        totals: &mut Totals,
    ) -> Result<(), TrainError> {
        let BagModel { rows, dim, units, pooling } = model;
        let number = self.progress.step.checked_add(1).ok_or(TrainError::TooManySteps)?;
        let Flow { values, d_values, .. } = &mut self.flow;
        let (x, y) = values.split_at_mut_checked(dim).unwrap_or_default();
        let (d_x, d_y) = d_values.split_at_mut_checked(dim).unwrap_or_default();
        let (table, linear) = parameters.split_at_mut_checked(rows * dim).unwrap_or_default();
        let (kernel, bias) = linear.split_at_mut_checked(dim * units).unwrap_or_default();

        let bag = Bags::one(Indices::skipping(ids, rows));
        pool(Table::of_dim(table, dim), &bag, pooling, x);
        dense::forward(Table::of_dim(x, dim), Table::of_dim(kernel, units), bias, TableMut::of_dim(y, units));
        let value = self.loss.value_and_gradient(y, labels, example, 1.0, d_y, self.loss_scratch);
        totals.add(value, self.loss.accuracy(y, labels, example));
        if !totals.report().loss.is_finite() {
            let place = self.not_finite(parameters, inputs, 1);
            return Err(TrainError::NotFinite { step: number, place });
        }

        let Learning { gradients, lists, slots, scratch } = &mut self.learning;
        let (of_kernel, of_bias) = gradients.split_at_mut_checked(dim * units).unwrap_or_default();
        let d_logits = Table::of_dim(d_y, units);
        let d_kernel = TableMut::of_dim(of_kernel, units);
        dense::backward_parameters(Table::of_dim(x, dim), d_logits, d_kernel, of_bias);
        dense::backward_input(d_logits, Table::of_dim(kernel, units), TableMut::of_dim(d_x, dim));
        if let Some(divisor) = bag.bag(0).and_then(|bag| bag.divisor(pooling)) {
            for d in &mut *d_x {
                *d /= divisor;
            }
        }

        let list = as_occurrences(part_mut(lists, 1, 2 * ids.len()));
        for (slot, row) in list.iter_mut().zip(ids) {
            *slot = Occurrence { row: *row, source: 0 };
        }
        let (sorting, sum) = scratch.split_at_mut_checked(2 * list.len()).unwrap_or_default();
        let mut all = Gradients {
            of_rows: SparseGradient {
                occurrences: shaped::sort_by_row(list, as_occurrences(sorting)),
                gradients: Table::of_dim(d_x, dim),
                scratch: part_mut(sum, 0, 2 * dim),
            },
            of_kernel,
            of_bias,
            table: TableMut::of_dim(table, dim),
            kernel,
            bias,
            slots,
        };
        let optimizer = self.optimizer;
        optimizer.take_step(
            number,
            &mut all,
            |all, keras3_duplicates| {
                shaped::sum_of_squares_of_rows(&mut all.of_rows, keras3_duplicates)
                    + sum_of_squares(all.of_kernel)
                    + sum_of_squares(all.of_bias)
            },
            |all, step| {
                let Gradients { of_rows, of_kernel, of_bias, table, kernel, bias, slots } = all;
                let of_row = optimizer.row_slots(dim);
                let (row_slots, slots) = slots.split_at_mut_checked(rows * of_row).unwrap_or_default();
                step.step_rows(table, &mut TableMut::of_rows(row_slots, rows, of_row), &mut [], of_rows);
                let of_numbers = optimizer.block_slots(kernel.len());
                let (kernel_slots, bias_slots) = slots.split_at_mut_checked(of_numbers).unwrap_or_default();
                step.step_block(kernel, of_kernel, kernel_slots);
                step.step_block(bias, of_bias, bias_slots);
                of_kernel.fill(0.0);
                of_bias.fill(0.0);
            },
        );
        self.progress.step = number;
        Ok(())
    }
}

/// Ids of a bag that are asked for before its rows are: those of a longer one follow by themselves.
const MOST_ASKED: usize = 64;
