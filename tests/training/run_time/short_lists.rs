//! Short lists of kinds: what they do as the list of all kinds does, and what they refuse.

use crate::common::run_time::{records_of, words_of};
use nanoembed::layers::options::SqrtN;
use nanoembed::layers::{self, Dense, EmbeddingBag, Layer, Softmax};
use nanoembed::loss::{Labels, SparseCategoricalCrossEntropy};
use nanoembed::models::{
    All, BatchSize, Input, Kinds, LayerKind, Memory, Model, Recipe, RecipeError, Record,
};
use nanoembed::models::{RecordError, Shape, Source, Trainer, Workspace, kinds};
use nanoembed::optim::{Adam, AnyOptimizer, Exact};
use nanoembed::sequential;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

/// A list without kinds that take two values, without sequences and with one activation computes and learns as the
/// list of all kinds does.
#[test]
fn a_short_list_of_kinds_learns_with_the_same_bits() {
    type Short = (kinds::EmbeddingBag, kinds::Dense<(layers::Relu, Softmax)>);
    type Texts = sequential![EmbeddingBag<9, 40, 5, SqrtN>, Dense<5, 6, layers::Relu>, Dense<6, 3, Softmax>];
    fn trained<K: Kinds>() -> (Vec<u32>, Vec<u32>) {
        let model = Texts::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(7));
        let (records, mut parameters) = (records_of(&*model), words_of(&*model));
        let recipe = Recipe::<K>::new(&records).expect("layers that fit");
        let inputs = [Input::Bags { ids: &[1, 2, 3, 39, 39, 4, 0, 5], offsets: &[0, 3, 3, 5, 8] }];
        let (loss, size) = (SparseCategoricalCrossEntropy.into(), BatchSize { examples: 3, ids_per_bag: 9 });
        let optimizer: &dyn AnyOptimizer = &Exact(Adam { learning_rate: 0.05, ..Adam::default() });
        let lengths = Trainer::lengths(recipe, optimizer, loss, size).expect("a small model");
        let (mut numbers, mut slots) = (vec![f32::NAN; lengths.numbers], vec![f32::NAN; lengths.slots]);
        let mut masks = vec![true; lengths.masks];
        let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
        let mut trainer = Trainer::new(recipe, optimizer, loss, size, memory).expect("a loss that fits");
        for _ in 0..3 {
            trainer.epoch(&mut parameters, &inputs, &Labels::classes(&[0, 2, 1, 0]), 4).expect("good data");
        }
        let model = Model::new(recipe, &parameters).expect("all parameters");
        let lengths = recipe.workspace(4).expect("a small model");
        let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
        let mut y = [f32::NAN; 12];
        let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
        model.predict(&inputs, &mut workspace, &mut y).expect("good inputs");
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect();
        (bits(&parameters), bits(&y))
    }
    assert_eq!(trained::<Short>(), trained::<All>());
}

#[test]
fn a_short_list_of_kinds_refuses_what_it_does_not_name() {
    type Short = (kinds::EmbeddingBag, kinds::Dense<Softmax>);
    let bag = Record::new(LayerKind::EmbeddingBag, &[40, 5]).from(Source::Input(0));
    let dense = |inputs: usize, units: usize, activation| {
        Record::new(LayerKind::Dense, &[inputs, units]).options([0, activation, 0])
    };
    let error = |records: &[Record]| match Recipe::<Short>::new(records).err() {
        Some(RecipeError::Layer { layer, error, .. }) => Some((layer, error)),
        other => {
            assert_eq!(other, None);
            None
        }
    };
    assert_eq!(error(&[bag, dense(5, 6, 3), dense(6, 3, 3)]), None);
    let number = 2;
    let refused = RecordError::UnsupportedActivation { number };
    assert_eq!(error(&[bag, dense(5, 6, number), dense(6, 3, 3)]), Some((1, refused)));
    assert!(refused.to_string().contains("activation 2"));
    let unknown = RecordError::UnsupportedLayer { kind: LayerKind::Flatten as u16, format: 0 };
    assert_eq!(error(&[Record::new(LayerKind::Flatten, &[2, 3])]), Some((0, unknown)));
    let (takes, found) = (Shape::Vector(4), Shape::Vector(5));
    assert_eq!(error(&[bag, dense(4, 3, 3)]), Some((1, RecordError::Shape { takes, found })));
    // A list without kinds that take two values knows chains alone; the list of all refuses these too.
    for source in [Source::Back(2), Source::Back(3), Source::Input(0), Source::Input(1)] {
        let records = [bag, dense(5, 5, 3), dense(5, 3, 3).from(source)];
        assert_eq!(error(&records), Some((2, RecordError::Source { source: source.number() })));
        assert!(Recipe::<All>::new(&records).is_err());
    }
    for source in [Source::Back(1), Source::Input(1)] {
        let records = [bag.from(source), dense(5, 3, 3)];
        assert_eq!(error(&records), Some((0, RecordError::Source { source: source.number() })));
        assert!(Recipe::<All>::new(&records).is_err());
    }
    let both = [bag, dense(5, 3, 3).from_both(Source::Back(1), Source::Back(1))];
    assert!(error(&both).is_some() && Recipe::<All>::new(&both).is_err());
}
