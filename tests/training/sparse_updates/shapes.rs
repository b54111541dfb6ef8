//! Shapes that do not fit are named, and nothing is written.

use super::{Occurring, State};
use crate::common::{Random, bits};
use nanoembed::error::ShapeMismatch;
use nanoembed::internals;

use nanoembed::optim::{Adam, Exact, Optimizer};
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Table, TableMut};
use rand_core::SeedableRng;

#[test]
fn wrong_shapes_are_named_and_nothing_is_written() {
    let random = &mut Random::seed_from_u64(1);
    let batch = Occurring::new(random, vec![1, 0, 1], 3);
    let before = State::new(random, 2, 3, 2);
    let (rule, exact) = (Adam::default().rule(1), Exact(Adam::default()));
    let mut state = before.clone();
    {
        let (mut weights, mut slots, _) = state.views();
        let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
        let other = Occurring { rows: vec![0], gradients: vec![1.0; 4] };
        let found =
            other.touched(4, |touched| internals::update_rows(rule, &mut weights, &mut slots, touched));
        assert_eq!(found, error("gradient dim", 3, 4));
        let found = batch.touched(3, |touched| {
            internals::update_rows(
                rule,
                &mut weights,
                &mut TableMut::new(&mut [0.0; 6], 1, 6).unwrap(),
                touched,
            )
        });
        assert_eq!(found, error("rows of slots", 2, 1));
        let found = batch.touched(3, |touched| {
            let mut touched = SparseGradient { scratch: &mut [0.0; 5], ..*touched };
            internals::update_rows(rule, &mut weights, &mut slots, &mut touched)
        });
        assert_eq!(found, error("scratch length", 6, 5));
        let found = batch.touched(3, |touched| {
            internals::update_rows(
                rule,
                &mut weights,
                &mut TableMut::new(&mut [0.0; 6], 2, 3).unwrap(),
                touched,
            )
        });
        assert_eq!(found, error("dim of slots", 6, 3));
        let found = batch.touched(3, |touched| {
            exact.update_rows(exact.step(1), &mut weights, &mut slots, &mut [0; 3], touched)
        });
        assert_eq!(found, error("rows of last steps", 2, 3));
        let mut none = TableMut::new(&mut [], 0, usize::MAX).unwrap();
        let found = internals::update_rows(
            rule,
            &mut none.reborrow(),
            &mut TableMut::new(&mut [], 0, 2).unwrap(),
            &mut SparseGradient {
                occurrences: SortedOccurrences::default(),
                gradients: Table::new(&[], 0, usize::MAX).unwrap(),
                scratch: &mut [],
            },
        );
        assert_eq!(found, error("dim of slots", usize::MAX, 2));
        let occurrences = &mut [Occurrence::default(); 2];
        let found = SortedOccurrences::sort(occurrences, &mut [Occurrence::default(); 1]).map(drop);
        assert_eq!(found, error("scratch length, at least", 2, 1));
        let found = internals::update_block(rule, &mut [0.0; 3], &[0.0; 2], &mut [0.0; 6]);
        assert_eq!(found, error("gradient length", 3, 2));
        let found = internals::update_block(rule, &mut [0.0; 3], &[0.0; 3], &mut [0.0; 5]);
        assert_eq!(found, error("slots length", 6, 5));
    }
    assert_eq!((bits(&state.weights), bits(&state.slots)), (bits(&before.weights), bits(&before.slots)));
}
