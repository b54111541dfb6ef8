//! A model whose sizes are values, in use.

use super::kind::{Input, Kinds};
use super::recipe::Recipe;
use super::run::Workspace;
use crate::error::{CapacityExceeded, InputError, NotFinite, ShapeMismatch};
use crate::image::{Classes, Sections};
use crate::slices::copy;

/// A recipe with its parameters: what [`open`](super::open) finds in an image.
#[derive(Debug)]
pub struct Model<'a, K> {
    recipe: Recipe<'a, K>,
    parameters: &'a [f32],
    classes: Option<Classes<'a>>,
    pipeline: Option<&'a [u8]>,
    vocabulary: Option<&'a [u8]>,
    metadata: &'a [u8],
}

// Derived, these would ask for `K: Clone`.
impl<K> Clone for Model<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Model<'_, K> {}

impl<'a, K: Kinds> Model<'a, K> {
    /// The model of these layers and parameters.
    ///
    /// # Errors
    /// If there are not as many parameters as the recipe says.
    pub fn new(recipe: Recipe<'a, K>, parameters: &'a [f32]) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("parameters of the model", recipe.parameters(), parameters.len())?;
        Ok(Self { recipe, parameters, classes: None, pipeline: None, vocabulary: None, metadata: &[] })
    }

    /// With what else the image holds.
    pub(super) fn with_sections(self, sections: &Sections<'a>) -> Self {
        let (classes, pipeline) = (sections.classes(), sections.pipeline());
        let (vocabulary, metadata) = (sections.vocabulary(), sections.metadata());
        Self { classes, pipeline, vocabulary, metadata, ..self }
    }

    /// Its layers.
    pub fn recipe(&self) -> Recipe<'a, K> {
        self.recipe
    }

    /// Its parameters, layer after layer.
    pub fn parameters(&self) -> &'a [f32] {
        self.parameters
    }

    /// The names of its classes, if its image has them.
    pub fn classes(&self) -> Option<Classes<'a>> {
        self.classes
    }

    /// How text becomes its ids, as bytes, if its image says so: [`Classifier`](super::Classifier) reads
    /// them.
    pub fn pipeline(&self) -> Option<&'a [u8]> {
        self.pipeline
    }

    /// Words and their ids, as bytes, if its image has them.
    pub fn vocabulary(&self) -> Option<&'a [u8]> {
        self.vocabulary
    }

    /// The bytes that the writer of the image put in; none if there are none.
    pub fn metadata(&self) -> &'a [u8] {
        self.metadata
    }

    /// The first parameter that is infinite or NaN: what a file of unknown origin is asked before it is used.
    /// Of a packed row its scale and bias are looked at, or each number of 16 bits.
    pub fn not_finite(&self) -> Option<NotFinite> {
        self.recipe.parameter_not_finite(self.parameters)
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
        if n == 0 && inputs.iter().any(|input| !input.is_empty()) {
            ShapeMismatch::check("length of `out` for one example", outputs, out.len())?;
        }
        ShapeMismatch::check("length of `out`, a multiple of an example's outputs", n * outputs, out.len())?;
        let y = self.outputs(inputs, n, workspace)?;
        copy(y, out);
        Ok(())
    }

    /// The outputs of `n` examples, where they lie in the workspace.
    pub(super) fn outputs<'m>(
        &self,
        inputs: &[Input<'_>],
        n: usize,
        workspace: &'m mut Workspace<'_>,
    ) -> Result<&'m [f32], InputError> {
        ShapeMismatch::check("number of inputs", self.recipe.sizes.inputs, inputs.len())?;
        let too_many = CapacityExceeded {
            what: "numbers that can be counted",
            capacity: usize::MAX,
            needed: usize::MAX,
        };
        workspace.check(self.recipe.workspace(n).ok_or(too_many)?)?;
        self.recipe.infer(self.parameters, inputs, n, workspace)
    }
}
