//! Memory for models on the heap.

use super::memory::{Memory, TrainingLengths};
use super::run::{Lengths, Workspace};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A cache line of numbers: rows that fill whole lines then start at one.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Numbers that start on a cache line.
#[derive(Clone, Debug)]
struct Numbers(Vec<Line>);

impl Numbers {
    fn zeros(length: usize) -> Self {
        Self(vec![Line([0.0; 16]); length.div_ceil(16)])
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        <[f32]>::mut_from_bytes(self.0.as_mut_bytes()).unwrap_or_default()
    }
}

/// A [`Workspace`] on the heap: see [`Lengths::buffers`].
#[derive(Clone, Debug)]
pub struct Buffers {
    numbers: Numbers,
    masks: Vec<bool>,
}

impl Buffers {
    /// The memory, for a call.
    pub fn workspace(&mut self) -> Workspace<'_> {
        Workspace { numbers: self.numbers.as_mut_slice(), masks: &mut self.masks }
    }
}

impl Lengths {
    /// As much memory on the heap.
    ///
    /// ```
    /// use nanoembed::models::{All, LayerKind, Model, Input, Recipe, Record, Source};
    /// let records = [Record::new(LayerKind::Dense, &[2, 1]).from(Source::Input(0))];
    /// let model = Model::<All>::new(Recipe::new(&records)?, &[0.5, 1.0, -1.0]).expect("3 parameters");
    /// let mut buffers = model.recipe().workspace(1).expect("a small model").buffers();
    /// let mut y = [0.0];
    /// model.predict(&[Input::Numbers(&[4.0, 3.0])], &mut buffers.workspace(), &mut y).expect("2 numbers");
    /// assert_eq!(y, [4.0]);
    /// # Ok::<(), nanoembed::models::RecipeError>(())
    /// ```
    pub fn buffers(self) -> Buffers {
        Buffers { numbers: Numbers::zeros(self.numbers), masks: vec![false; self.masks] }
    }
}

/// The [`Memory`] of a trainer on the heap: see [`TrainingLengths::buffers`].
#[derive(Clone, Debug)]
pub struct TrainingBuffers {
    numbers: Numbers,
    masks: Vec<bool>,
    slots: Numbers,
}

impl TrainingBuffers {
    /// The memory, for a trainer.
    pub fn memory(&mut self) -> Memory<'_> {
        Memory {
            numbers: self.numbers.as_mut_slice(),
            masks: &mut self.masks,
            slots: self.slots.as_mut_slice(),
        }
    }
}

impl TrainingLengths {
    /// As much memory on the heap.
    pub fn buffers(self) -> TrainingBuffers {
        TrainingBuffers {
            numbers: Numbers::zeros(self.numbers),
            masks: vec![false; self.masks],
            slots: Numbers::zeros(self.slots),
        }
    }
}
