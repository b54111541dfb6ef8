//! `nanoembed::keras`: the tiny trainings whose losses Keras 3.15.1 prints, and what clipping by value does to rows that occur twice.
//! `tests/oracle/keras.rs` holds whole trainings.

use nanoembed::keras::{Flatten, Keras};
use nanoembed::layers::*;
use nanoembed::loss::MeanSquaredError;
use nanoembed::optim::Clip;
use nanoembed::optim::{Adam, Clipped, Exact, Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Table, TableMut};
use nanoembed::train::Trainer;

/// The loss of the second epoch on ids \[1, 1\] with target 0, for E = \[\[0.5\], \[1\]\], kernel \[1, 3\] and bias 0.
fn second_loss(optimizer: impl Optimizer) -> f32 {
    type Model = sequential![Embedding<2, 2, 1>, Flatten<2, 1, 2>, Dense<2, 1>];
    let mut model = Model::zeroed();
    model.first.rows = [[0.5], [1.0]];
    model.second.second.kernel = [[1.0], [3.0]];
    let mut trainer = Trainer::<Model, _, _, 1>::new(optimizer, MeanSquaredError);
    let mut epoch = || trainer.epoch(&mut model, &[[1, 1]], &[[0.0]]).unwrap().loss;
    assert_eq!(epoch(), 16.0);
    epoch()
}

#[test]
fn an_id_that_occurs_twice_counts_as_in_keras() {
    let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    let sgd = Sgd { learning_rate: 0.1 };
    let global = Clip::GlobalNorm(1.0);
    // What Keras prints, to four places; the losses are no weights, and ten times as large.
    for (found, keras) in [
        (second_loss(Keras::new(adam)), 10.3641),
        (second_loss(Keras::new(adam).clip(global)), 11.0225),
        (second_loss(Keras::new(sgd).clip(Clip::Value(1.0))), 8.6436),
    ] {
        assert!((found - keras).abs() <= 1e-4, "{found} is not {keras}");
    }
    // The default is the true gradient.
    assert!((second_loss(Exact(adam)) - 11.0224).abs() <= 1e-4);
}

/// The gradients of a row's occurrences clipped by hand, and then summed, give the same bits.
#[test]
fn keras_clips_by_value_before_it_sums() {
    fn check<const DIM: usize>() {
        let gradients: Vec<[f32; DIM]> = (0..4_u8)
            .map(|i| core::array::from_fn(|j| (f32::from(i) - 1.5) * (j % 7) as f32 * 0.25))
            .collect();
        let clipped: Vec<[f32; DIM]> = gradients
            .iter()
            .map(|row| row.map(|g| if g.abs() > 0.5 { 0.5_f32.copysign(g) } else { g }))
            .collect();
        assert!(DIM < 3 || gradients != clipped);
        let step = |optimizer: &dyn Fn(&mut TableMut<'_>, &mut TableMut<'_>, &mut SparseGradient<'_>),
                    gradients: &[[f32; DIM]]| {
            let mut list = [0, 2, 0, 0]
                .into_iter()
                .zip(0..)
                .map(|(row, source)| Occurrence { row, source })
                .collect::<Vec<_>>();
            let mut scratch = list.clone();
            let mut sum = vec![0.0; 2 * DIM];
            let mut touched = SparseGradient {
                occurrences: SortedOccurrences::sort(&mut list, &mut scratch).unwrap(),
                gradients: Table::from_rows(gradients),
                scratch: &mut sum,
            };
            let (mut weights, mut slots) = (vec![1.0; 3 * DIM], vec![0.0; 6 * DIM]);
            optimizer(
                &mut TableMut::new(&mut weights, 3, DIM).unwrap(),
                &mut TableMut::new(&mut slots, 3, 2 * DIM).unwrap(),
                &mut touched,
            );
            (weights, slots)
        };
        let adam = Adam { keras3_duplicates: true, ..Adam::default() };
        let by_value = Clipped { optimizer: adam, clip: Clip::Value(0.5), keras3_duplicates: true };
        let found = step(
            &|table, slots, touched| {
                by_value.update_rows(by_value.step(1), table, slots, &mut [], touched).unwrap();
            },
            &gradients,
        );
        let expected = step(
            &|table, slots, touched| adam.update_rows(adam.step(1), table, slots, &mut [], touched).unwrap(),
            &clipped,
        );
        assert_eq!(found, expected);
    }
    check::<1>();
    check::<3>();
    check::<17>();
    check::<33>();
    check::<100>();
}
