//! A model whose sizes are values, in use.

use super::kind::{Input, Kinds};
use super::recipe::Recipe;
use super::run::Workspace;
use crate::error::{CapacityExceeded, InputError, ShapeMismatch};

/// A recipe with its parameters: what [`open`](super::open) finds in an image.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a, K> {
    recipe: Recipe<'a, K>,
    parameters: &'a [f32],
}

impl<'a, K: Kinds> Model<'a, K> {
    /// The model of these layers and parameters.
    ///
    /// # Errors
    /// If there are not as many parameters as the recipe says.
    pub fn new(recipe: Recipe<'a, K>, parameters: &'a [f32]) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("parameters of the model", recipe.parameters(), parameters.len())?;
        Ok(Self { recipe, parameters })
    }

    /// Its layers.
    pub fn recipe(&self) -> Recipe<'a, K> {
        self.recipe
    }

    /// Its parameters, layer after layer.
    pub fn parameters(&self) -> &'a [f32] {
        self.parameters
    }

    /// The outputs of examples, `[n, outputs]`, activation applied.
    ///
    /// # Errors
    /// If an input cannot be used, lists do not fit each other, or the workspace is shorter than
    /// [`Recipe::workspace`] says. Nothing has been written to `out` then.
    pub fn predict(
        &self,
        inputs: &[Input<'_>],
        workspace: &mut Workspace<'_>,
        out: &mut [f32],
    ) -> Result<(), InputError> {
        let outputs = self.recipe.output().numbers();
        let n = out.len().checked_div(outputs).unwrap_or(0);
        ShapeMismatch::check("number of outputs", n * outputs, out.len())?;
        ShapeMismatch::check("number of inputs", self.recipe.sizes.inputs, inputs.len())?;
        let too_many = CapacityExceeded {
            what: "numbers that can be counted",
            capacity: usize::MAX,
            needed: usize::MAX,
        };
        workspace.check(self.recipe.workspace(n).ok_or(too_many)?)?;
        let y = self.recipe.infer(self.parameters, inputs, n, workspace)?;
        for (out, y) in out.iter_mut().zip(y) {
            *out = *y;
        }
        Ok(())
    }
}
