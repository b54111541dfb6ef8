//! How large the numbers are that the layers of a trained model give, and those that the cells of an LSTM
//! hold.

use super::calibrate_error::CalibrateError;
use super::kind::{Input, Kinds, Values, View};
use super::kinds::lstm_weights;
use super::model::Model;
use super::recipe::Place;
use super::run::view;
use crate::error::NotFinite;
use crate::passes::lstm;
use crate::recipe::LayerKind;
use crate::slices::{part, parts};
use crate::table::{I8, IntegerFormat, RowNotFinite, Table, TableMut};
use alloc::vec;
use alloc::vec::Vec;

/// Examples that are looked at, at most: every k-th of more.
const MOST_EXAMPLES: usize = 1 << 10;
/// Numbers of one layer that are looked at, unless those of [`LEAST_EXAMPLES`] are more.
const MOST_NUMBERS: usize = 1 << 20;
const LEAST_EXAMPLES: usize = 64;

/// What the examples say of a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    /// The scale of its outputs; of an LSTM, of those of all its steps.
    pub(super) scale: f32,
    /// The greatest |c| of an LSTM; of other layers 0.
    pub(super) cell: f32,
}

/// The range of each layer, for examples of `len` ids each.
pub(super) fn ranges<K: Kinds>(
    model: &Model<'_, K>,
    ids: &[u32],
    len: usize,
) -> Result<Vec<Range>, CalibrateError> {
    let recipe = model.recipe();
    // The outputs of all steps are no fewer than those of the last.
    let numbers = |place: Place<'_>| match (is_lstm(&place), place.record.extents) {
        (true, [len, _, units, ..]) => (len as usize).saturating_mul(units as usize),
        _ => place.spec.gives.numbers(),
    };
    let most = recipe.places().map(numbers).max().unwrap_or(1).max(1);
    let examples = (MOST_NUMBERS / most).clamp(LEAST_EXAMPLES, MOST_EXAMPLES);
    let step = (ids.len() / len.max(1)).div_ceil(examples).max(1);
    let mut buffers = recipe.workspace(1).ok_or(CalibrateError::TooLarge)?.buffers();
    let mut found = vec![(Vec::new(), 0.0_f32); recipe.records().len()];
    for ids in parts(ids, len).step_by(step) {
        let mut workspace = buffers.workspace();
        model.outputs(&[Input::Ids(ids)], 1, &mut workspace).map_err(CalibrateError::Examples)?;
        // Each layer takes what the one before it gives.
        let mut x = Values { numbers: &[], masks: &[] };
        for (place, (found, cell)) in recipe.places().zip(&mut found) {
            let y = Values {
                numbers: part(workspace.numbers, place.outputs, place.spec.gives.numbers()),
                masks: part(workspace.masks, place.steps, place.spec.gives.steps()),
            };
            if is_lstm(&place) {
                let (h, most) = steps(view(&place, model.parameters(), 1), x);
                found.extend(h);
                *cell = if most > *cell { most } else { *cell };
            } else {
                found.extend_from_slice(y.numbers);
            }
            x = y;
        }
    }
    let of_layer = |(place, (numbers, cell)): (Place<'_>, &(Vec<f32>, f32))| {
        let output = NotFinite::Output { layer: place.number, kind: place.kind_name() };
        let scale = scale(numbers, numbers.len()).or(Err(CalibrateError::NotFinite(output)))?;
        Ok(Range { scale, cell: *cell })
    };
    recipe.places().zip(&found).map(of_layer).collect()
}

fn is_lstm(place: &Place<'_>) -> bool {
    place.record.kind == LayerKind::Lstm as u16
}

/// What an LSTM gives after each step of one sequence, also on the way to the last, and the greatest |c|.
fn steps(layer: View<'_>, x: Values<'_>) -> (Vec<f32>, f32) {
    let [len, inputs, units, ..] = layer.record.extents.map(|extent| extent as usize);
    let [mut h, mut h_before, mut c_before] = [(); 3].map(|()| vec![0.0; len * units]);
    let [mut last_h, mut c] = [(); 2].map(|()| vec![0.0; units]);
    let mut gates = vec![0.0; 4 * len * units];
    let state = lstm::State { h: TableMut::of_dim(&mut last_h, units), c: TableMut::of_dim(&mut c, units) };
    let kept = lstm::Kept {
        gates: TableMut::of_dim(&mut gates, 4 * units),
        h: TableMut::of_dim(&mut h_before, units),
        c: TableMut::of_dim(&mut c_before, units),
    };
    let weights = lstm::Lstm { sequences: true, ..lstm_weights(layer) };
    weights.forward(Table::of_dim(x.numbers, inputs), x.masks, state, kept, TableMut::of_dim(&mut h, units));
    let cells = c_before.iter().chain(&c).map(|c| c.abs());
    (h, cells.fold(0.0, |most, c| if c > most { c } else { most }))
}

/// The scale with the least squared error for numbers `[.., dim]`; 1 if all are 0.
///
/// # Errors
/// The first row with a number that is not finite.
pub(super) fn scale(numbers: &[f32], dim: usize) -> Result<f32, RowNotFinite> {
    I8::best_scale(Table::of_dim(numbers, dim), None)
}
