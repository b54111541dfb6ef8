//! Models whose sizes are values learn with the bits of the typed ones.

use nanoembed::image;
use nanoembed::layers::options::{MaskZero, SqrtN};
use nanoembed::layers::{
    Bag, Dense, Embedding, EmbeddingBag, Flatten, Frozen, FrozenRows, Layer, Sigmoid, Softmax,
};
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels, Loss, SparseCategoricalCrossEntropy};
use nanoembed::models::{
    All, BatchSize, Input, Kinds, LayerKind, Memory, Model, Recipe, RecipeError, Record, RecordError, Shape,
    Source, Trainer, Workspace, kinds,
};
use nanoembed::optim::{Adam, AnyOptimizer, Clip, Clipped, Exact, Optimizer, RowwiseAdagrad, Sgd};
use nanoembed::{layers, sequential, train};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use zerocopy::FromBytes;

/// The records and the parameters of a typed model, from its image.
pub fn parts_of<M: Layer>(model: &M) -> (Vec<Record>, Vec<f32>) {
    let bytes = image::to_vec(model);
    let at = |offset: usize| u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap()) as usize;
    let sections: Vec<&[u8]> =
        (0..2).map(|i| &bytes[at(64 + 24 * i + 8)..][..at(64 + 24 * i + 16)]).collect();
    let records = sections[0].chunks_exact(64).map(|record| Record::read_from_bytes(record).unwrap());
    let words = sections[1].chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap()));
    (records.collect(), words.collect())
}

/// Trains both ways for some epochs and compares everything, bit by bit.
fn compare<M, O, L, const BATCH: usize>(
    optimizer: O,
    loss: L,
    any: AnyLoss<'_>,
    (typed_inputs, inputs): (&[M::Input], &[Input<'_>]),
    (typed_labels, labels): (&[L::Label], Labels<'_>),
    prepare: impl Fn(&mut M),
) where
    M: Layer,
    O: Optimizer + Copy,
    L: Loss<M::Output>,
    M::Output: zerocopy::IntoBytes + zerocopy::Immutable,
{
    let mut model = M::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(7));
    prepare(&mut model);
    let (records, mut parameters) = parts_of(&*model);
    let recipe = Recipe::<All>::new(&records).expect("layers that fit");
    assert_eq!(recipe.fingerprint(), M::FINGERPRINT);
    let size = BatchSize { examples: BATCH, ids_per_bag: 9 };
    let any_optimizer: &dyn AnyOptimizer = &optimizer;
    let lengths = Trainer::lengths(recipe, any_optimizer, any, size).expect("a small model");
    let (mut numbers, mut slots) = (vec![f32::NAN; lengths.numbers], vec![f32::NAN; lengths.slots]);
    let mut masks = vec![true; lengths.masks];
    let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
    let mut trainer = Trainer::new(recipe, any_optimizer, any, size, memory).expect("a loss that fits");
    let mut typed = train::Trainer::<M, O, L, BATCH>::new(optimizer, loss);
    for trainer_seed in [3, 4] {
        typed.set_seed(trainer_seed);
        trainer.set_seed(trainer_seed);
        for _ in 0..3 {
            let expected = typed.epoch(&mut model, typed_inputs, typed_labels).expect("good data");
            let report =
                trainer.epoch(&mut parameters, inputs, &labels, typed_inputs.len()).expect("good data");
            assert_eq!(report, expected);
            let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&parameters), bits(&parts_of(&*model).1));
        }
        let expected = typed.evaluate(&model, typed_inputs, typed_labels).expect("good data");
        assert_eq!(
            trainer.evaluate(&parameters, inputs, &labels, typed_inputs.len()).expect("good data"),
            expected
        );
    }
    let mut expected = vec![0; train::Trainer::<M, O, L, BATCH>::CHECKPOINT_SIZE];
    typed.checkpoint(&model, &mut expected).expect("the right length");
    let mut checkpoint = vec![0; trainer.checkpoint_size()];
    trainer.checkpoint(&parameters, &mut checkpoint).expect("the right length");
    assert!(checkpoint == expected, "checkpoints are the same bytes");
    let other = parameters.clone();
    parameters.fill(0.5);
    trainer.resume(&mut parameters, &expected).expect("the typed trainer's checkpoint");
    assert_eq!(
        parameters.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
        other.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    );

    let model_at_run_time = Model::new(recipe, &parameters).expect("all parameters");
    let lengths = recipe.workspace(typed_inputs.len()).expect("a small model");
    let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
    let mut y = vec![f32::NAN; typed_inputs.len() * recipe.output().numbers()];
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    model_at_run_time.predict(inputs, &mut workspace, &mut y).expect("good inputs");
    for (x, y) in typed_inputs.iter().zip(y.chunks(recipe.output().numbers())) {
        assert_eq!(
            zerocopy::IntoBytes::as_bytes(&model.predict(x).expect("good inputs")),
            zerocopy::IntoBytes::as_bytes(y)
        );
    }
}

const IDS: [[u16; 4]; 7] = [
    [11, 21, 0, 0],
    [33, 48, 0, 0],
    [2, 17, 0, 0],
    [31, 3, 31, 43],
    [7, 0, 0, 0],
    [1, 1, 1, 1],
    [0, 0, 0, 0],
];

fn flat() -> Vec<u32> {
    IDS.as_flattened().iter().map(|id| u32::from(*id)).collect()
}

#[test]
fn reviews_learn_with_the_same_bits() {
    type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    let labels = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    let typed: Vec<[f32; 1]> = labels.iter().map(|label| [*label]).collect();
    let loss = BinaryCrossEntropy::default();
    macro_rules! with {
        ($($optimizer:expr;)*) => {$(
            compare::<Reviews, _, _, 3>(
                $optimizer, loss, loss.into(), (&IDS, &[Input::Ids(&flat())]), (&typed, Labels::numbers(&labels)), |_| {},
            );
        )*};
    }
    with! {
        Sgd { learning_rate: 0.1 };
        Adam { learning_rate: 0.05, ..Adam::default() };
        Exact(Adam { learning_rate: 0.05, ..Adam::default() });
        Clipped { optimizer: Adam::default(), clip: Clip::GlobalNorm(0.01), keras3_duplicates: false };
        Clipped { optimizer: Adam::default(), clip: Clip::Norm(0.01), keras3_duplicates: true };
        RowwiseAdagrad::default();
    }
}

#[test]
fn frozen_layers_and_rows_stay() {
    type Words = sequential![
        FrozenRows<Embedding<4, 50, 6, u16, MaskZero>, 2>,
        Flatten<4, 6, 24>,
        Frozen<Dense<24, 8, Sigmoid>>,
        Dense<8, 3, Softmax>
    ];
    let labels = [0, 1, 2, 1, 0, 2, 2_u16];
    let loss = SparseCategoricalCrossEntropy;
    compare::<Words, _, _, 4>(
        Exact(Adam { learning_rate: 0.05, ..Adam::default() }),
        loss,
        loss.into(),
        (&IDS, &[Input::Ids(&flat())]),
        (&labels, Labels::classes(&labels)),
        |model| {
            model.first.freeze(31).unwrap();
            model.first.freeze(0).unwrap();
        },
    );
}

#[test]
fn bags_learn_with_the_same_bits() {
    type Bags = sequential![EmbeddingBag<9, 50, 7, SqrtN>, Dense<7, 3, Softmax>];
    let bags = [vec![1, 2, 3], vec![], vec![7; 9], vec![4, 40, 4], vec![9], vec![3, 2], vec![49, 0, 49, 1]];
    let typed: Vec<Bag<9>> = bags.iter().map(|bag| Bag::from_ids(bag.iter().copied()).unwrap()).collect();
    let ids: Vec<u32> = bags.iter().flatten().map(|id| u32::from(*id)).collect();
    let mut offsets = vec![0];
    offsets.extend(bags.iter().scan(0, |end, bag| {
        *end += bag.len() as u32;
        Some(*end)
    }));
    let labels = [0, 1, 2, 1, 0, 2, 2_u16];
    let loss = SparseCategoricalCrossEntropy;
    compare::<Bags, _, _, 4>(
        Adam { learning_rate: 0.05, ..Adam::default() },
        loss,
        loss.into(),
        (&typed, &[Input::Bags { ids: &ids, offsets: &offsets }]),
        (&labels, Labels::classes(&labels)),
        |_| {},
    );
}

/// A list without kinds that take two values, without sequences and with one activation computes and learns as the
/// list of all kinds does.
#[test]
fn a_short_list_of_kinds_learns_with_the_same_bits() {
    type Short = (kinds::EmbeddingBag, kinds::Dense<(layers::Relu, Softmax)>);
    type Texts = sequential![EmbeddingBag<9, 40, 5, SqrtN>, Dense<5, 6, layers::Relu>, Dense<6, 3, Softmax>];
    fn trained<K: Kinds>() -> (Vec<u32>, Vec<u32>) {
        let (records, mut parameters) = parts_of(&*Texts::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(7)));
        let recipe = Recipe::<K>::new(&records).expect("layers that fit");
        let inputs = [Input::Bags { ids: &[1, 2, 3, 39, 39, 4, 0, 5], offsets: &[0, 3, 3, 5, 8] }];
        let (loss, size) =
            (SparseCategoricalCrossEntropy::default().into(), BatchSize { examples: 3, ids_per_bag: 9 });
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
        Some(RecipeError::Layer { layer, error }) => Some((layer, error)),
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
