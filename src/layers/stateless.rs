//! What layers without parameters have in common.

/// The part of `impl Layer` that is about parameters, for a layer that has none.
macro_rules! no_parameters {
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
pub(crate) use no_parameters;
