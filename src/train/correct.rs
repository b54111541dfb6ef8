//! Corrections of a frozen model.

use super::{TrainError, Trainer};
use crate::layers::{ActivationKind, Bag, Branches, Chain, Corrected, Input, Layer, OverlayBag, Pair, Value};
use crate::loss::Loss;
use crate::optim::Optimizer;
use crate::table::Index;
use core::slice::from_ref;
use zerocopy::FromZeros;

/// A model that learns beside a frozen one: its first layers take what that one gives, and a bag of ids of
/// which some have a row.
type Beside<V, B, const CAPACITY: usize, const ROWS: usize, const DIM: usize, P, I> =
    Chain<Branches<Input<V>, OverlayBag<CAPACITY, ROWS, DIM, P, I>>, B>;

impl<
    B,
    P,
    I,
    O,
    L,
    const CAPACITY: usize,
    const ROWS: usize,
    const DIM: usize,
    const GIVEN: usize,
    const CLASSES: usize,
    const BATCH: usize,
> Trainer<Beside<[f32; GIVEN], B, CAPACITY, ROWS, DIM, P, I>, O, L, BATCH>
where
    Beside<[f32; GIVEN], B, CAPACITY, ROWS, DIM, P, I>:
        Layer<Input = Pair<[f32; GIVEN], Bag<CAPACITY, I>>, Output = [f32; CLASSES]>,
    I: Index + Default + FromZeros,
    O: Optimizer,
    L: Loss<[f32; CLASSES], Label = u16>,
{
    /// Learns that a bag is of a class, by rows beside a frozen model: gives rows to the `K` ids of the bag
    /// that the base [knows least](Corrected::least_known), then takes steps on this one example until the
    /// class has more than half of the probability, `steps` at most. Gives how many it took.
    ///
    /// A class that has more than half of it already takes no row and no step.
    ///
    /// ```
    /// use nanoembed::layers::{Activation, Add, Bag, Branches, Corrected, Dense, EmbeddingBag, Input, Layer};
    /// use nanoembed::layers::{OverlayBag, Softmax};
    /// use nanoembed::{loss::SparseCategoricalCrossEntropy, optim::RowwiseAdagrad};
    /// use nanoembed::{sequential, train::Trainer};
    /// # use nanoembed::rand_core::SeedableRng;
    /// # use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
    /// type Base = sequential![EmbeddingBag<8, 500, 4>, Dense<4, 2>];
    /// type Correction = sequential![
    ///     Branches<Input<[f32; 2]>, OverlayBag<8, 20, 2>>, Add<[f32; 2]>, Activation<[f32; 2], Softmax>,
    /// ];
    /// let base = Base::new(&mut Xoshiro128PlusPlus::seed_from_u64(1)); // trained, in truth
    /// let mut model = Corrected { base: &base, correction: Correction::zeroed() };
    /// let mut trainer = Trainer::<Correction, _, _, 1>::new(
    ///     RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() },
    ///     SparseCategoricalCrossEntropy,
    /// );
    /// let bag = Bag::from_ids([7, 42, 400])?;
    /// let class = if model.predict(&bag)?[0] > 0.5 { 1 } else { 0 };
    /// let steps = trainer.correct::<2>(&mut model, &bag, class, 30)?;
    /// assert!(steps < 30 && model.predict(&bag)?[usize::from(class)] > 0.5);
    /// assert_eq!(model.correction.first.second.free(), 18);
    ///
    /// assert!(trainer.correct::<2>(&mut model, &bag, 2, 30).is_err()); // there are two classes
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If [`step`](Self::step) could not learn from the example, a class that is not there for one; if the
    /// base cannot use the bag; if the overlay has too few rows left
    /// ([`CapacityExceeded`](crate::error::CapacityExceeded)); or after [`step`](Self::step) with an exact
    /// optimizer until [`flush`](Self::flush). Nothing has been written then. If the loss is not finite after
    /// some steps, the rows and what those steps have learnt stay.
    ///
    /// # Cost
    /// An inference of the base for each id and one more; an inference and a training step of the correction
    /// for each step. An exact optimizer visits all rows once, at the end.
    pub fn correct<const K: usize>(
        &mut self,
        model: &mut Corrected<
            '_,
            impl Layer<Input = Bag<CAPACITY, I>, Output = [f32; GIVEN]>,
            Beside<[f32; GIVEN], B, CAPACITY, ROWS, DIM, P, I>,
        >,
        bag: &Bag<CAPACITY, I>,
        class: u16,
        steps: usize,
    ) -> Result<usize, TrainError> {
        const {
            let last = <Beside<[f32; GIVEN], B, CAPACITY, ROWS, DIM, P, I> as Layer>::ACTIVATION;
            assert!(
                matches!(last, ActivationKind::Softmax),
                "Trainer::correct: the model must give probabilities of classes: end it with Softmax"
            );
        }
        self.check_flushed()?;
        let input = model.input(bag)?;
        self.check_to_learn(&model.correction, from_ref(&input), &[class])?;
        self.steps().checked_add(1).ok_or(TrainError::TooManySteps)?;
        let mut taken = 0;
        while taken < steps {
            let probabilities = model.correction.predict(&input)?;
            if probabilities.get(usize::from(class)).is_some_and(|probability| *probability > 0.5) {
                break;
            }
            // A step on numbers that are not finite learns nothing, and says where they are.
            if taken == 0 && input.is_finite() && probabilities.is_finite() {
                let ids: Bag<K, I> = model.least_known(bag)?;
                model.correction.first.second.admit(ids.ids().iter().copied())?;
            }
            self.step(&mut model.correction, from_ref(&input), &[class])?;
            taken += 1;
        }
        self.flush(&mut model.correction);
        Ok(taken)
    }
}
