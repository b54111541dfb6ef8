//! What a model is made of, printed like Keras' `model.summary()`.

use super::Layer;
use core::fmt;
use core::marker::PhantomData;

/// One layer in a [`Summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// The kind of layer.
    pub name: &'static str,
    /// The extents of one output, outermost first; 0 ends the list.
    pub shape: [usize; 2],
    /// How many numbers it learns or keeps.
    pub parameters: usize,
    /// How many bytes they take.
    pub bytes: usize,
    /// Whether it learns.
    pub trainable: bool,
}

/// A table of the layers of `M`: see [`Layer::summary`].
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// let text = Reviews::summary().to_string();
/// assert!(text.contains("Embedding"));
/// assert!(text.contains("433"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary<M>(PhantomData<M>);

impl<M: Layer> Summary<M> {
    /// The summary of `M`.
    pub const fn new() -> Self {
        let _: u64 = const { M::FINGERPRINT.value() };
        Self(PhantomData)
    }
}

/// An output shape as Keras prints it, `(4, 8)`.
struct Shape([usize; 2]);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [n, 0] => write!(f, "({n})"),
            [len, dim] => write!(f, "({len}, {dim})"),
        }
    }
}

/// Prints through a column of fixed width.
struct Column<T>(T);

impl<T: fmt::Display> fmt::Display for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Counting<'a, 'b>(&'a mut fmt::Formatter<'b>, usize);
        impl fmt::Write for Counting<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.1 += text.len();
                self.0.write_str(text)
            }
        }
        let Some(width) = f.width() else { return self.0.fmt(f) };
        let mut counting = Counting(f, 0);
        fmt::write(&mut counting, format_args!("{}", self.0))?;
        let written = counting.1;
        for _ in written..width {
            f.write_str(" ")?;
        }
        Ok(())
    }
}

impl<M: Layer> fmt::Display for Summary<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_summary(f, M::describe)
    }
}

/// Prints the layers that `describe` shows.
pub(crate) fn write_summary(
    f: &mut fmt::Formatter<'_>,
    describe: impl FnOnce(&mut dyn FnMut(LayerSummary)),
) -> fmt::Result {
    writeln!(f, "{:<22} {:<14} {:>12} {:>12}", "Layer", "Output shape", "Parameters", "Bytes")?;
    let (mut parameters, mut trainable, mut bytes) = (0, 0, 0);
    let mut result = Ok(());
    describe(&mut |layer| {
        let LayerSummary { name, shape, .. } = layer;
        let frozen = if layer.trainable { "" } else { " (frozen)" };
        let name = format_args!("{name}{frozen}");
        result = result.and_then(|()| {
            writeln!(
                f,
                "{:<22} {:<14} {:>12} {:>12}",
                Column(name),
                Column(Shape(shape)),
                layer.parameters,
                layer.bytes
            )
        });
        parameters += layer.parameters;
        trainable += if layer.trainable { layer.parameters } else { 0 };
        bytes += layer.bytes;
    });
    result?;
    write!(f, "Total: {parameters} parameters, {trainable} trainable, {bytes} bytes")
}
