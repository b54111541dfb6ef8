//! Random recipes, of extents from 1 to 9 and layers of every kind: what they give and learn is what plain loops
//! over `f64` give, batches of one are rows of batches by bits, and memory that is too short is refused.

use super::plain;
use crate::common::run_time::Column;
use crate::common::{Random, bits, draw};
use nanoembed::loss::{AnyLoss, Labels, MeanSquaredError};
use nanoembed::models::{
    All, BatchSize, Input, LayerKind, Lengths, Memory, Model, Recipe, Record, Shape, Source, Trainer,
    TrainingLengths, UnfitTraining, Workspace,
};
use nanoembed::optim::{Adam, AnyOptimizer, Exact, Momentum, Sgd};
use rand_core::{Rng, SeedableRng};

/// From 1 to `most`.
fn below(random: &mut Random, most: usize) -> usize {
    1 + random.next_u32() as usize % most
}

fn one_of<T: Copy>(random: &mut Random, choices: &[T]) -> T {
    choices[random.next_u32() as usize % choices.len()]
}

fn coin(random: &mut Random) -> bool {
    random.next_u32().is_multiple_of(2)
}

/// The layer as the only one of a model, whose inputs it takes.
fn alone(record: &Record) -> Record {
    match record.sources[1] {
        0 => record.from(Source::Input(0)),
        _ => record.from_both(Source::Input(0), Source::Input(1)),
    }
}

fn shape_of(record: &Record) -> Shape {
    let records = [alone(record)];
    Recipe::<All>::new(&records).unwrap_or_else(|error| panic!("{record:?}: {error}")).output()
}

/// Records as they are drawn.
struct Draft<'r> {
    random: &'r mut Random,
    records: Vec<Record>,
    inputs: u16,
    /// Whether dropout drops anything.
    drops: bool,
}

impl Draft<'_> {
    fn extent(&mut self) -> usize {
        below(self.random, 9)
    }

    fn push(&mut self, record: Record) -> usize {
        self.records.push(record);
        self.records.len() - 1
    }

    fn input(&mut self) -> Source {
        self.inputs += 1;
        Source::Input(self.inputs - 1)
    }

    fn back(&self, record: usize) -> Source {
        Source::Back((self.records.len() - record) as u16)
    }

    /// What the last layer gives.
    fn shape(&self) -> Shape {
        shape_of(self.records.last().unwrap())
    }

    /// Layers that learn, or do not.
    fn maybe_frozen(&mut self, record: Record) -> Record {
        if self.random.next_u32().is_multiple_of(5) { record.frozen() } else { record }
    }

    /// What a branch starts with.
    fn source(&mut self) {
        let [a, b, c, d] = [(); 4].map(|()| self.extent());
        let option = self.random.next_u32() as u16;
        let record = match self.random.next_u32() % 7 {
            0 | 1 => Record::new(LayerKind::Embedding, &[a, b, c]).options([option % 2, 0, 0]),
            2 => Record::new(LayerKind::EmbeddingBag, &[a, b]).options([option % 3, 0, 0]),
            3 => Record::new(LayerKind::HashedEmbedding, &[a, b, c, 1 + d % 4, usize::from(option)]),
            4 => Record::new(LayerKind::QuotientRemainder, &[a, b, c, d]).options([option % 2, 0, 0]),
            5 => Record::new(LayerKind::Activation, &[a, b]).options([0, option % 3, 0]),
            _ => Record::new(LayerKind::Activation, &[a, 0]).options([0, option % 3, 0]),
        };
        let takes_rows = matches!(
            LayerKind::from_number(record.kind),
            Some(LayerKind::Embedding | LayerKind::EmbeddingBag)
        );
        let record = if takes_rows && option.is_multiple_of(5) { record.frozen_rows() } else { record };
        let (record, input) = (self.maybe_frozen(record), self.input());
        self.push(record.from(input));
    }

    /// A layer after a value that keeps what it is.
    fn elementwise(&mut self, shape: Shape) {
        let (len, dim) = match shape {
            Shape::Sequence { len, dim } => (len, dim),
            other => (other.numbers(), 0),
        };
        let width = if dim == 0 { len } else { dim };
        let activation = self.activation(width);
        let record = if coin(self.random) {
            Record::new(LayerKind::Activation, &[len, dim]).options([0, activation, 0])
        } else {
            let rate = if self.drops { self.random.next_u32() as usize % 900 } else { 0 };
            Record::new(LayerKind::Dropout, &[len, dim, rate])
        };
        self.push(record);
    }

    fn activation(&mut self, width: usize) -> u16 {
        let kind = self.random.next_u32() as u16 % 5;
        if kind == 3 && width == 1 { 4 } else { kind }
    }

    fn of_sequence(&mut self, (len, dim): (usize, usize)) {
        let [filters, taps, stride, dilation] = [(); 4].map(|()| self.extent());
        let (padding, mask_use) = (self.random.next_u32() as u16 % 3, self.random.next_u32() as u16 % 3);
        let (mut taps, mut dilation) = (taps.min(len), dilation.min(3));
        let stride = if dilation > 1 { 1 } else { stride.min(3) };
        if padding == 0 {
            dilation = dilation.min(if taps > 1 { (len - 1) / (taps - 1) } else { 3 }).max(1);
            taps = taps.min((len - 1) / dilation + 1);
        }
        let record = match self.random.next_u32() % 3 {
            0 => {
                let activation = self.activation(filters);
                Record::new(LayerKind::Conv1D, &[len, dim, filters, taps, stride, dilation])
                    .options([padding, activation, mask_use])
            }
            1 => Record::new(LayerKind::Lstm, &[len, dim, filters]).options([1, padding % 2, 0]),
            _ => return self.elementwise(Shape::Sequence { len, dim }),
        };
        let record = self.maybe_frozen(record);
        self.push(record);
    }

    fn reduce(&mut self, (len, dim): (usize, usize)) {
        let (option, units) = (self.random.next_u32() as u16 % 2, self.extent());
        let record = match self.random.next_u32() % 4 {
            0 => Record::new(LayerKind::Flatten, &[len, dim]).options([0, 0, option]),
            1 => Record::new(LayerKind::GlobalMaxPooling1D, &[len, dim]).options([0, 0, option]),
            2 => Record::new(LayerKind::GlobalAveragePooling1D, &[len, dim]).options([0, 0, option]),
            _ => Record::new(LayerKind::Lstm, &[len, dim, units]).options([0, option, 0]),
        };
        self.push(record);
    }

    fn dense(&mut self, units: usize) {
        let activation = self.activation(units);
        let record = Record::new(LayerKind::Dense, &[self.shape().numbers(), units]);
        let record = self.maybe_frozen(record.options([0, activation, 0]));
        self.push(record);
    }

    /// A branch that gives a vector: of any length, or of so many numbers. Gives its last record.
    fn branch(&mut self, units: Option<usize>) -> usize {
        self.source();
        for _ in 0..3 {
            if let Shape::Sequence { len, dim } = self.shape()
                && coin(self.random)
            {
                self.of_sequence((len, dim));
            }
        }
        if let Shape::Sequence { len, dim } = self.shape() {
            self.reduce((len, dim));
        }
        if coin(self.random) {
            self.elementwise(self.shape());
        }
        match units {
            Some(units) => self.dense(units),
            None if coin(self.random) => {
                let units = self.extent();
                self.dense(units);
            }
            None => {}
        }
        self.records.len() - 1
    }
}

/// A random model.
fn recipe(random: &mut Random, drops: bool) -> Vec<Record> {
    let mut draft = Draft { random, records: vec![], inputs: 0, drops };
    match draft.random.next_u32() % 4 {
        0 => {
            let n = 1 + draft.extent();
            let (a, b) = (draft.branch(Some(n)), draft.branch(Some(n)));
            let kind = one_of(draft.random, &[LayerKind::Dot, LayerKind::BiasedDot, LayerKind::Add]);
            let record = Record::new(kind, &[n]).from_both(draft.back(a), draft.back(b));
            draft.push(record);
        }
        1 => {
            let mut joined = draft.branch(None);
            for _ in 0..below(draft.random, 2) {
                let next = draft.branch(None);
                let widths = [joined, next].map(|branch| shape_of(&draft.records[branch]).numbers());
                let sources = (draft.back(joined), draft.back(next));
                let record = Record::new(LayerKind::Concatenate, &widths).from_both(sources.0, sources.1);
                joined = draft.push(record);
            }
        }
        _ => {
            draft.branch(None);
        }
    }
    for _ in 0..draft.random.next_u32() % 3 {
        let units = draft.extent();
        draft.dense(units);
        if coin(draft.random) {
            draft.elementwise(draft.shape());
        }
    }
    draft.records
}

/// Random inputs of `n` examples.
fn columns(records: &[Record], recipe: Recipe<'_, All>, n: usize, random: &mut Random) -> Vec<Column> {
    let of_inputs = records.iter().filter(|record| record.sources[0] >= Source::Input(0).number());
    let column = |(record, shape): (&Record, Shape)| {
        let ids = match LayerKind::from_number(record.kind) {
            Some(LayerKind::EmbeddingBag) => record.extents[0],
            Some(LayerKind::QuotientRemainder) => record.extents[1] * record.extents[2],
            _ => record.extents[1],
        };
        let id = |random: &mut Random| random.next_u32() % ids;
        match shape {
            Shape::Ids(len) => Column::Ids((0..n * len).map(|_| id(random)).collect()),
            Shape::LongIds(len) => Column::LongIds((0..n * len).map(|_| random.next_u64()).collect()),
            Shape::Bag => {
                let (mut all, mut offsets) = (vec![], vec![0]);
                for _ in 0..n {
                    all.extend((0..random.next_u32() % 5).map(|_| id(random)).collect::<Vec<_>>());
                    offsets.push(all.len() as u32);
                }
                Column::Bags { ids: all, offsets }
            }
            _ => Column::Numbers((0..n * shape.numbers()).map(|_| draw(random)).collect()),
        }
    };
    of_inputs.zip(recipe.inputs()).map(column).collect()
}

/// One example of a batch.
fn example_of(column: &Column, example: usize, n: usize) -> Column {
    fn part<T: Copy>(all: &[T], example: usize, n: usize) -> Vec<T> {
        let width = all.len() / n;
        all[example * width..][..width].to_vec()
    }
    match column {
        Column::Ids(ids) => Column::Ids(part(ids, example, n)),
        Column::LongIds(ids) => Column::LongIds(part(ids, example, n)),
        Column::Numbers(numbers) => Column::Numbers(part(numbers, example, n)),
        Column::Bags { ids, offsets } => {
            let bag = ids[offsets[example] as usize..offsets[example + 1] as usize].to_vec();
            let end = bag.len() as u32;
            Column::Bags { ids: bag, offsets: vec![0, end] }
        }
    }
}

fn inputs(columns: &[Column]) -> Vec<Input<'_>> {
    columns.iter().map(Column::input).collect()
}

const SENTINEL: f32 = 77.25;

/// Memory that is longer than it must be, with something in it.
fn numbers(length: usize) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; length];
    numbers.extend([SENTINEL; 3]);
    numbers
}

fn masks(length: usize) -> Vec<bool> {
    vec![true; length + 3]
}

/// The outputs; memory that is too short is refused, and what is after the memory stays.
fn predict(recipe: Recipe<'_, All>, parameters: &[f32], columns: &[Column], n: usize) -> Vec<f32> {
    let model = Model::new(recipe, parameters).unwrap();
    let Lengths { numbers: length, masks: steps } = recipe.workspace(n).unwrap();
    let (mut numbers, mut masks) = (numbers(length), masks(steps));
    let mut y = vec![SENTINEL; n * recipe.output().numbers()];
    for (short, of_masks) in [(1, 0), (0, 1)] {
        if length >= short && steps >= of_masks {
            let mut workspace =
                Workspace { numbers: &mut numbers[..length - short], masks: &mut masks[..steps - of_masks] };
            assert!(model.predict(&inputs(columns), &mut workspace, &mut y).is_err());
            assert!(y.iter().all(|y| *y == SENTINEL) && numbers[..length].iter().all(|x| x.is_nan()));
        }
    }
    masks[steps..].fill(false);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    model.predict(&inputs(columns), &mut workspace, &mut y).unwrap();
    assert_eq!(numbers[length..], [SENTINEL; 3]);
    assert_eq!(masks[steps..], [false; 3]);
    y
}

/// Makes a trainer and does something with it; memory that is too short is refused, and nothing is written
/// then; what is after the memory stays.
fn with_trainer(
    recipe: Recipe<'_, All>,
    optimizer: &dyn AnyOptimizer,
    n: usize,
    act: impl FnOnce(&mut Trainer<'_, All>),
) {
    let (size, loss) = (BatchSize { examples: n, ids_per_bag: 4 }, AnyLoss::from(MeanSquaredError));
    let lengths = Trainer::lengths(recipe, optimizer, loss, size).unwrap();
    let TrainingLengths { numbers: length, masks: steps, slots: of_slots } = lengths;
    let (mut numbers, mut masks, mut slots) = (numbers(length), masks(steps), numbers(of_slots));
    for [a, b, c] in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
        if length < a || steps < b || of_slots < c {
            continue;
        }
        let memory = Memory {
            numbers: &mut numbers[..length - a],
            masks: &mut masks[..steps - b],
            slots: &mut slots[..of_slots - c],
        };
        let found = Trainer::new(recipe, optimizer, loss, size, memory).map(drop);
        assert!(matches!(found, Err(UnfitTraining::Memory(_))), "{found:?}");
        assert!(numbers[..length].iter().chain(&slots[..of_slots]).all(|x| x.is_nan()));
        assert!(masks.iter().all(|mask| *mask));
    }
    let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
    act(&mut Trainer::new(recipe, optimizer, loss, size, memory).unwrap());
    assert_eq!((&numbers[length..], &slots[of_slots..]), (&[SENTINEL; 3][..], &[SENTINEL; 3][..]));
    assert_eq!(masks[steps..], [true; 3]);
}

/// Which of the parameters are numbers that learn, that do not, and words of a bitmap.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Learns,
    Stays,
    Bits,
}

/// Random parameters, of which some rows are frozen.
fn parameters(recipe: Recipe<'_, All>, random: &mut Random) -> (Vec<f32>, Vec<Part>) {
    let (mut numbers, mut parts) = (Vec::new(), Vec::new());
    for record in recipe.records() {
        let of_layer = words_of(record);
        let learns = if record.is_frozen() { Part::Stays } else { Part::Learns };
        let start = numbers.len();
        numbers.extend((0..of_layer).map(|_| draw(random)));
        parts.resize(numbers.len(), learns);
        if record.has_frozen_rows() {
            let [rows, dim] = match LayerKind::from_number(record.kind) {
                Some(LayerKind::Embedding) => [record.extents[1], record.extents[2]],
                _ => [record.extents[0], record.extents[1]],
            };
            let frozen = random.next_u32() % (1 << rows);
            *numbers.last_mut().unwrap() = f32::from_bits(frozen);
            *parts.last_mut().unwrap() = Part::Bits;
            for row in (0..rows).filter(|row| frozen >> row & 1 == 1) {
                parts[start + (row * dim) as usize..][..dim as usize].fill(Part::Stays);
            }
        }
    }
    assert_eq!(numbers.len(), recipe.parameters());
    (numbers, parts)
}

/// Words of the parameters of one layer.
fn words_of(record: &Record) -> usize {
    Recipe::<All>::new(&[alone(record)]).unwrap().parameters()
}

/// The mean loss of a batch, in `f64`.
fn loss(records: &[Record], parameters: &[f64], columns: &[Column], labels: &[f32], n: usize) -> f64 {
    let units = labels.len() / n;
    let of_example = |example: usize| {
        let y = plain::outputs(records, parameters, columns, (example, n));
        let squares =
            y.iter().zip(&labels[example * units..]).map(|(y, t)| (y - f64::from(*t)) * (y - f64::from(*t)));
        squares.sum::<f64>() / units as f64
    };
    (0..n).map(of_example).sum::<f64>() / n as f64
}

/// The derivatives by one parameter, from above and from below: they differ where there is a kink.
fn differences(at: &mut [f64], i: usize, middle: f64, loss: &dyn Fn(&[f64]) -> f64) -> [f64; 2] {
    const STEP: f64 = 1e-6;
    let before = at[i];
    let mut value = |to: f64| {
        at[i] = to;
        loss(at)
    };
    let sides = [(value(before + STEP) - middle) / STEP, (middle - value(before - STEP)) / STEP];
    at[i] = before;
    sides
}

fn as_f64(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn what_random_models_give_and_learn() {
    let (mut compared, mut kinks) = (0, 0);
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 0..150 {
        let random = &mut Random::seed_from_u64(seed);
        let records = recipe(random, false);
        kinds.extend(records.iter().map(|record| record.kind));
        let recipe =
            Recipe::<All>::new(&records).unwrap_or_else(|error| panic!("{seed}: {error}: {records:?}"));
        let n = below(random, 5);
        let columns = columns(&records, recipe, n, random);
        let (mut parameters, parts) = parameters(recipe, random);
        let units = recipe.output().numbers();
        let what = |part: &str| format!("seed {seed}, {part} of {records:?}");

        let y = predict(recipe, &parameters, &columns, n);
        for (example, y) in y.chunks(units).enumerate() {
            let expected = plain::outputs(&records, &as_f64(&parameters), &columns, (example, n));
            for (found, expected) in y.iter().zip(expected) {
                let difference = (f64::from(*found) - expected).abs();
                assert!(
                    difference <= 2e-5 + 2e-5 * expected.abs(),
                    "{}: {found}, {expected}",
                    what("output")
                );
            }
            let one: Vec<_> = columns.iter().map(|column| example_of(column, example, n)).collect();
            assert_eq!(bits(&predict(recipe, &parameters, &one, 1)), bits(y), "{}", what("a batch of one"));
        }

        let labels: Vec<f32> = (0..n * units).map(|_| draw(random)).collect();
        with_trainer(recipe, &Sgd { learning_rate: 1.0 }, n, |trainer| {
            for _ in 0..3 {
                let before = parameters.clone();
                let mut at = as_f64(&before);
                let of = |parameters: &[f64]| loss(&records, parameters, &columns, &labels, n);
                let middle = of(&at);
                let report = trainer.step(&mut parameters, &inputs(&columns), &Labels::numbers(&labels), n);
                let found = report.expect("good examples");
                let difference = (f64::from(found.loss) - middle).abs();
                assert!(difference <= 1e-5 + 1e-4 * middle, "{}: {} {middle}", what("loss"), found.loss);
                for (i, part) in parts.iter().enumerate() {
                    if *part != Part::Learns {
                        assert_eq!(parameters[i].to_bits(), before[i].to_bits(), "{}", what("frozen"));
                    }
                }
                let learnt: Vec<usize> = (0..parts.len()).filter(|i| parts[*i] == Part::Learns).collect();
                for _ in 0..learnt.len().min(12) {
                    let i = one_of(random, &learnt);
                    let found = f64::from(before[i]) - f64::from(parameters[i]);
                    let [above, below] = differences(&mut at, i, middle, &of);
                    let tolerance = 5e-5 + 2e-4 * above.abs();
                    compared += 1;
                    if (above - below).abs() > tolerance {
                        kinks += 1;
                    } else {
                        let difference = (found - f64::midpoint(above, below)).abs();
                        assert!(
                            difference <= 2.0 * tolerance,
                            "{}: {found} {above}",
                            what(&format!("gradient {i}"))
                        );
                    }
                }
                // From a place nearby, so that no step runs away.
                parameters.iter_mut().zip(&before).zip(&parts).for_each(|((after, before), part)| {
                    if *part == Part::Learns {
                        *after = before + 0.05 * (*after - before);
                    }
                });
            }
        });
    }
    assert!(compared > 2000 && kinks * 50 < compared, "{kinks} kinks of {compared}");
    assert_eq!(kinds.len(), 16, "every kind occurs: {kinds:?}");
}

/// Also with dropout and other optimizers: two trainers take the same steps, and one that resumes goes on.
#[test]
fn random_models_learn_the_same_again() {
    for seed in 1000..1060 {
        let random = &mut Random::seed_from_u64(seed);
        let records = recipe(random, true);
        let recipe = Recipe::<All>::new(&records).unwrap();
        let n = below(random, 5);
        let columns = columns(&records, recipe, n, random);
        let (initial, _) = parameters(recipe, random);
        let labels: Vec<f32> = (0..n * recipe.output().numbers()).map(|_| draw(random)).collect();
        let labels = Labels::numbers(&labels);
        let optimizers: [&dyn AnyOptimizer; 3] =
            [&Adam::default(), &Exact(Adam::default()), &Exact(Momentum::default())];
        let optimizer = one_of(random, &optimizers);
        let mut expected = (vec![], vec![]);
        let mut stored = Vec::new();
        with_trainer(recipe, optimizer, n, |trainer| {
            let mut parameters = initial.clone();
            for step in 0..3 {
                if step == 1 {
                    stored = vec![0; trainer.checkpoint_size()];
                    trainer.checkpoint(&parameters, &mut stored).unwrap();
                }
                let report = trainer.step(&mut parameters, &inputs(&columns), &labels, n).unwrap();
                expected.0.push(report);
            }
            trainer.flush(&mut parameters);
            expected.1 = bits(&parameters);
        });
        with_trainer(recipe, optimizer, n, |trainer| {
            let mut parameters = vec![0.0; initial.len()];
            trainer.resume(&mut parameters, &stored).unwrap();
            for step in 1..3 {
                let report = trainer.step(&mut parameters, &inputs(&columns), &labels, n).unwrap();
                assert_eq!(report, expected.0[step], "seed {seed} {records:?}");
            }
            trainer.flush(&mut parameters);
            assert_eq!(bits(&parameters), expected.1, "seed {seed} {records:?}");
        });
    }
}
