//! What a recipe is made of, printed like Keras' `model.summary()`.

use super::kind::Kinds;
use super::recipe::{Place, Recipe};
use super::shape::{Block, Shape};
use crate::layers::{LayerSummary, write_summary};
use core::fmt;

/// Prints a recipe.
struct Summary<'a, K>(Recipe<'a, K>);

impl<'a, K: Kinds> Recipe<'a, K> {
    /// A table of the layers with their shapes and sizes, as Keras' `summary` prints it.
    ///
    /// ```
    /// use nanoembed::{layers::ActivationKind, models::{All, LayerKind, Recipe, Record, Source}};
    /// let records = [
    ///     Record::new(LayerKind::EmbeddingBag, &[50, 8]).from(Source::Input(0)),
    ///     Record::new(LayerKind::Dense, &[8, 1]).activation(ActivationKind::Sigmoid),
    /// ];
    /// let summary = Recipe::<All>::new(&records)?.summary().to_string();
    /// assert!(summary.contains("EmbeddingBag"));
    /// assert!(summary.ends_with("Total: 409 parameters, 409 trainable, 1636 bytes"));
    /// # Ok::<(), nanoembed::models::RecipeError>(())
    /// ```
    pub fn summary(&self) -> impl fmt::Display + use<'a, K> {
        Summary(*self)
    }

    /// The layers in order, as [`Self::summary`] has them: kinds, shapes, parameters and bytes.
    ///
    /// ```
    /// use nanoembed::models::{All, LayerKind, Recipe, Record, Source};
    /// let records = [
    ///     Record::new(LayerKind::EmbeddingBag, &[50, 8]).from(Source::Input(0)),
    ///     Record::new(LayerKind::Dense, &[8, 1]),
    /// ];
    /// let bytes = Recipe::<All>::new(&records)?.layers().map(|layer| layer.bytes);
    /// assert!(bytes.eq([1600, 36]));
    /// # Ok::<(), nanoembed::models::RecipeError>(())
    /// ```
    pub fn layers(&self) -> impl Iterator<Item = LayerSummary> + use<'a, K> {
        self.places().map(|place| describe(&place))
    }
}

impl<K: Kinds> fmt::Display for Summary<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_summary(f, |visit| self.0.layers().for_each(visit))
    }
}

/// A layer as the summary has it.
fn describe(place: &Place<'_>) -> LayerSummary {
    let shape = match place.spec.gives {
        Shape::Sequence { len, dim } => [len, dim],
        shape => [shape.numbers(), 0],
    };
    // Packed rows, scores and the rows of an overlay count by their numbers; a bitmap and a scale are none.
    let table = place.record.table().or(place.scores()).or(place.overlay());
    let numbers = |block: Block| match block {
        Block::Words(_) => table.map_or(0, |(rows, dim)| rows.saturating_mul(dim)),
        Block::FrozenRows(_) => 0,
        block => block.words().unwrap_or(0),
    };
    let parameters = place.spec.blocks.into_iter().map(numbers).sum();
    let bytes = 4 * place.spec.words().unwrap_or(0);
    // An overlay learns, though by its type alone.
    let trainable = parameters == 0 || place.learns() || place.overlay().is_some();
    LayerSummary { name: place.kind_name(), shape, parameters, bytes, trainable }
}
