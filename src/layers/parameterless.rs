//! What layers without parameters have in common.

/// The items of [`Layer`](super::Layer) that have nothing to do in a layer without parameters.
macro_rules! learns_nothing {
    () => {
        type Gradient<const BATCH: usize> = ();
        type Slots<O: $crate::optim::Optimizer> = ();

        fn init(&mut self, _: &mut impl rand_core::Rng) {}

        fn catch_up<O: $crate::optim::Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, (): &mut ()) {}

        fn flush<O: $crate::optim::Optimizer>(&mut self, _: &O, _: u32, (): &mut ()) {}

        fn sum_of_squares<const BATCH: usize>((): &mut (), _: bool) -> f32 {
            0.0
        }

        fn update<O: $crate::optim::Optimizer, const BATCH: usize>(
            &mut self,
            _: &O,
            _: $crate::optim::Step<O::Rule>,
            (): &mut (),
            (): &mut (),
        ) {
        }
    };
}
pub(super) use learns_nothing;
