//! A frozen model and what learns beside it.

use super::value::Bag;
use super::{Layer, Pair};
use crate::error::InputError;
use crate::table::Index;
use zerocopy::FromZeros;

/// A model that does not learn, read from where it lies, and a small one that does: the second takes what the
/// first gives, and the first's input.
///
/// The second is a model like any other. A [`Trainer`](crate::train::Trainer) trains it, by single texts with
/// [`correct`](crate::train::Trainer::correct), and it has an image of its own. It starts so that it changes
/// nothing; an [`OverlayBag`](super::OverlayBag) of zeros does.
///
/// ```
/// use nanoembed::layers::{Activation, Add, Bag, Branches, Corrected, Dense, EmbeddingBag, Input, Layer};
/// use nanoembed::layers::{OverlayBag, Softmax};
/// use nanoembed::{loss::SparseCategoricalCrossEntropy, optim::RowwiseAdagrad, sequential, train::Trainer};
/// # use nanoembed::rand_core::SeedableRng;
/// # use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
/// // What was trained gives a score for each of two classes; here it is random.
/// type Base = sequential![EmbeddingBag<8, 500, 4>, Dense<4, 2>];
/// // Rows for up to 20 ids, each with something to add to the scores.
/// type Correction = sequential![
///     Branches<Input<[f32; 2]>, OverlayBag<8, 20, 2>>, Add<[f32; 2]>, Activation<[f32; 2], Softmax>,
/// ];
/// let base = Base::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// let mut model = Corrected { base: &base, correction: Correction::zeroed() };
/// let mut trainer = Trainer::<Correction, _, _, 1>::new(
///     RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() },
///     SparseCategoricalCrossEntropy,
/// );
///
/// // A text that the model gets wrong, and its class.
/// let bag = Bag::from_ids([7, 42, 400])?;
/// let wrong = model.predict(&bag)?;
/// let class = if wrong[0] > wrong[1] { 1 } else { 0 };
/// trainer.correct::<2>(&mut model, &bag, class, 30)?;
/// assert!(model.predict(&bag)?[usize::from(class)] > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Corrected<'a, B, C> {
    /// The model that does not learn: from an image in flash, for example.
    pub base: &'a B,
    /// The model that learns.
    pub correction: C,
}

impl<B: Layer, C: Layer<Input = Pair<B::Output, B::Input>>> Corrected<'_, B, C> {
    /// What the correction takes for this input, to predict and to learn from. It stays what it is while the
    /// correction learns.
    ///
    /// # Errors
    /// If the base cannot use the input.
    pub fn input(&self, x: &B::Input) -> Result<C::Input, InputError> {
        Ok(Pair { first: self.base.predict(x)?, second: *x })
    }

    /// The output of the correction for this input, activation applied.
    ///
    /// # Errors
    /// If the base or the correction cannot use the input.
    pub fn predict(&self, x: &B::Input) -> Result<C::Output, InputError> {
        self.correction.predict(&self.input(x)?)
    }
}

impl<B, C, const CAPACITY: usize, const N: usize, I> Corrected<'_, B, C>
where
    B: Layer<Input = Bag<CAPACITY, I>, Output = [f32; N]>,
    I: Index + Default + FromZeros,
{
    /// The `K` ids of a bag, without doubles, that move the base least if they stand alone, the least first;
    /// all, if there are fewer. These are the rare ones, of which the base has learnt little: what is learnt
    /// by their rows reaches few other texts.
    ///
    /// An id moves the base by Σⱼ (yⱼ − zⱼ)², y being the outputs for a bag of this id, z those for an empty
    /// one. Of ids that move it as much, the first are taken.
    ///
    /// # Errors
    /// If the base cannot use the bag.
    ///
    /// # Cost
    /// An inference of the base for each id.
    // By itself, so that what it keeps on the stack is gone before a step.
    #[inline(never)]
    pub fn least_known<const K: usize>(&self, bag: &Bag<CAPACITY, I>) -> Result<Bag<K, I>, InputError> {
        B::check(core::slice::from_ref(bag))?;
        let nothing = self.base.predict(&Bag::default())?;
        let mut least = [(f32::INFINITY, None); K];
        for (place, id) in bag.ids().iter().enumerate() {
            if bag.ids().iter().take(place).any(|other| other == id) {
                continue;
            }
            let alone = self.base.predict(&Bag::from_first([*id]))?;
            let mut moves = 0.0;
            for (alone, nothing) in alone.iter().zip(&nothing) {
                moves += (alone - nothing) * (alone - nothing);
            }
            // Into its place, and those after it one further.
            let mut next = (moves, Some(*id));
            for slot in &mut least {
                if slot.1.is_none() || next.0 < slot.0 {
                    core::mem::swap(slot, &mut next);
                }
            }
        }
        Ok(Bag::from_first(least.into_iter().filter_map(|(_, id)| id)))
    }
}
