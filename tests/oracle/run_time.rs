//! The same fixtures by models whose sizes are values: extents, kinds and options are what the file says.

use crate::fixture::{Array, FORWARD, GRADIENT, assert_close, list, number};
use nanoembed::layers::ActivationKind;
use nanoembed::loss::{AnyLoss, Labels, MeanSquaredError};
use nanoembed::models::{
    All, BatchSize, Input, LayerKind, Memory, Model, Recipe, Record, Shape, Source, Trainer, Workspace,
};
use nanoembed::optim::{AnyOptimizer, Sgd};
use serde_json::Value;

/// Of records: a mask that layers ignore, as Keras' Flatten, Conv1D and GlobalMaxPooling1D do.
const IGNORE_MASK: u16 = 1;

/// The number of an activation that Keras calls so.
pub(crate) fn activation(name: &Value) -> u16 {
    let kind = ActivationKind::ALL.iter().find(|kind| *name == kind.name());
    *kind.unwrap_or_else(|| panic!("activation {name}")) as u16
}

/// The number of a padding that Keras calls so.
pub(crate) fn padding(name: &Value) -> u16 {
    let names = ["valid", "same", "causal"].iter().position(|known| name == known);
    names.unwrap_or_else(|| panic!("padding {name}")) as u16
}

/// A model and its parameters.
pub(crate) struct AtRunTime {
    pub(crate) records: Vec<Record>,
    pub(crate) parameters: Vec<f32>,
}

impl AtRunTime {
    fn recipe(&self) -> Recipe<'_, All> {
        Recipe::new(&self.records).expect("layers that fit")
    }

    /// What the model gives of `n` examples.
    pub(crate) fn outputs(&self, input: Input<'_>, n: usize) -> Vec<f32> {
        let recipe = self.recipe();
        let lengths = recipe.workspace(n).expect("a small model");
        let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
        let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
        let mut y = vec![f32::NAN; n * recipe.output().numbers()];
        let model = Model::new(recipe, &self.parameters).expect("all parameters");
        model.predict(&[input], &mut workspace, &mut y).expect("good inputs");
        y
    }

    /// The gradients of all parameters from those of the outputs, which are a vector: a step of size 1 subtracts
    /// them, and the labels are such that the gradient of the squared error is what is asked for.
    pub(crate) fn gradients(&self, input: Input<'_>, n: usize, d_y: &[f32]) -> Vec<f32> {
        let units = self.recipe().output().numbers();
        let half = (units * n) as f32 / 2.0;
        let y = self.outputs(input, n);
        let labels: Vec<f32> = y.iter().zip(d_y).map(|(y, d_y)| y - d_y * half).collect();
        let mut parameters = self.parameters.clone();
        let training = Training {
            optimizer: &Sgd { learning_rate: 1.0 },
            loss: MeanSquaredError.into(),
            size: BatchSize { examples: n, ids_per_bag: longest_bag(input) },
        };
        training.with(self.recipe(), |trainer| {
            trainer.step(&mut parameters, &[input], &Labels::numbers(&labels), n).expect("good examples");
        });
        self.parameters.iter().zip(&parameters).map(|(before, after)| before - after).collect()
    }
}

/// How many ids the longest bag has.
fn longest_bag(input: Input<'_>) -> usize {
    let Input::Bags { offsets, .. } = input else { return 0 };
    offsets.windows(2).map(|ends| (ends[1] - ends[0]) as usize).max().unwrap_or(0)
}

/// How a model is trained.
struct Training<'a> {
    optimizer: &'a dyn AnyOptimizer,
    loss: AnyLoss<'a>,
    size: BatchSize,
}

impl Training<'_> {
    /// Does something with a trainer, for which it makes the memory.
    fn with<T>(&self, recipe: Recipe<'_, All>, act: impl FnOnce(&mut Trainer<'_, All>) -> T) -> T {
        let Self { optimizer, loss, size } = *self;
        let lengths = Trainer::lengths(recipe, optimizer, loss, size).expect("a small model");
        let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
        let mut slots = vec![f32::NAN; lengths.slots];
        let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
        let mut trainer = Trainer::new(recipe, optimizer, loss, size, memory).expect("a loss that fits");
        trainer.set_shuffle(false);
        act(&mut trainer)
    }
}

/// What a layer of numbers gives, and all gradients.
pub(crate) struct Pass {
    pub(crate) y: Vec<f32>,
    pub(crate) d_x: Vec<f32>,
    pub(crate) d_parameters: Vec<f32>,
}

/// One layer. What it takes are the rows of a table, each of which occurs once, so that they have gradients;
/// row 0 is that of steps which are masked.
pub(crate) fn pass(
    layer: Record,
    parameters: &[f32],
    x: &Array,
    masks: Option<&[bool]>,
    d_y: &[f32],
) -> Pass {
    let (n, len, dim) = match x.shape[..] {
        [n, dim] => (n, 1, dim),
        [n, len, dim] => (n, len, dim),
        ref other => panic!("an input of shape {other:?}"),
    };
    let steps = n * len;
    let mask_zero = u16::from(masks.is_some());
    let table = Record::new(LayerKind::Embedding, &[len, steps + 1, dim]).options([mask_zero, 0, 0]);
    let mut records = vec![table.from(Source::Input(0))];
    if x.shape.len() == 2 {
        records.push(Record::new(LayerKind::Flatten, &[1, dim]));
    }
    records.push(layer);
    let Shape::Sequence { len: outputs, dim: of_each } =
        Recipe::<All>::new(&records).expect("it fits").output()
    else {
        return pass_to_vector(records, parameters, x, masks, (n, steps, dim), d_y);
    };
    // Every step of the outputs counts, masked or not.
    records.push(Record::new(LayerKind::Flatten, &[outputs, of_each]).options([0, 0, IGNORE_MASK]));
    pass_to_vector(records, parameters, x, masks, (n, steps, dim), d_y)
}

fn pass_to_vector(
    records: Vec<Record>,
    parameters: &[f32],
    x: &Array,
    masks: Option<&[bool]>,
    (n, steps, dim): (usize, usize, usize),
    d_y: &[f32],
) -> Pass {
    let valid = |step: usize| masks.is_none_or(|masks| masks[step]);
    let ids: Vec<u32> = (0..steps).map(|step| if valid(step) { step as u32 + 1 } else { 0 }).collect();
    let model = AtRunTime { records, parameters: [&vec![0.0; dim], &x.data[..], parameters].concat() };
    let (ids, table) = (Input::Ids(&ids), (steps + 1) * dim);
    let mut gradients = model.gradients(ids, n, d_y);
    let d_parameters = gradients.split_off(table);
    Pass { y: model.outputs(ids, n), d_x: gradients.split_off(dim), d_parameters }
}

/// Holds a case of one layer: its outputs, the gradient of its input, and those of its parameters, which Keras
/// calls so.
pub(crate) fn check_layer(
    what: &str,
    layer: Record,
    (x, case): (&Array, &Value),
    parameters: &[&str],
    masks: Option<&[bool]>,
) {
    let what = |part: &str| format!("at run time, {what}: {part}");
    // A layer without bias is one whose bias is zero, and has no gradient to compare.
    let of = |name: &str| match &case[name] {
        Value::Null => vec![0.0; *Array::read(&case["kernel"]).shape.last().expect("a shape")],
        array => Array::read(array).data,
    };
    let numbers: Vec<f32> = parameters.iter().flat_map(|name| of(name)).collect();
    // Where Keras gives NaN, for a sequence that is all padding, we give zeros.
    let defined = |name: &str| -> Vec<f32> {
        let data = Array::read(&case[name]).data;
        data.into_iter().map(|x| if x.is_nan() { 0.0 } else { x }).collect()
    };
    let found = pass(layer, &numbers, x, masks, &defined("cotangent"));
    assert_close(&what("output"), &found.y, &defined("output"), FORWARD.0, FORWARD.1);
    assert_close(&what("gradient of the input"), &found.d_x, &defined("grad_input"), GRADIENT.0, GRADIENT.1);
    let mut d_parameters = found.d_parameters;
    for name in parameters {
        let rest = d_parameters.split_off(of(name).len());
        let name = format!("grad_{name}");
        if !case[&name].is_null() {
            assert_close(&what(&name), &d_parameters, &defined(&name), GRADIENT.0, GRADIENT.1);
        }
        d_parameters = rest;
    }
}

/// The records of the layers of a fixture, for sequences of `len` ids.
fn records_of(layers: &Value, len: usize) -> Vec<Record> {
    let mut shape = Shape::Ids(len);
    let mut records: Vec<Record> = Vec::new();
    for layer in list(layers) {
        let config = &layer["config"];
        let size = |name: &str| match &config[name] {
            Value::Array(sizes) => sizes[0].as_u64(),
            size => size.as_u64(),
        };
        let size_of = |name: &str| size(name).unwrap_or_else(|| panic!("no {name}")) as usize;
        let on = |name: &str| u16::from(config[name] == true);
        let record = match (layer["class"].as_str().expect("a class"), shape) {
            ("Embedding", Shape::Ids(len)) => {
                let extents = [len, size_of("input_dim"), size_of("output_dim")];
                let record = Record::new(LayerKind::Embedding, &extents);
                record.options([on("mask_zero"), 0, 0]).from(Source::Input(0))
            }
            ("Flatten", Shape::Sequence { len, dim }) => {
                Record::new(LayerKind::Flatten, &[len, dim]).options([0, 0, IGNORE_MASK])
            }
            ("GlobalMaxPooling1D", Shape::Sequence { len, dim }) => {
                Record::new(LayerKind::GlobalMaxPooling1D, &[len, dim]).options([0, 0, IGNORE_MASK])
            }
            ("GlobalAveragePooling1D", Shape::Sequence { len, dim }) => {
                Record::new(LayerKind::GlobalAveragePooling1D, &[len, dim])
            }
            ("Conv1D", Shape::Sequence { len, dim }) => {
                let (stride, dilation) = (size("strides").unwrap_or(1), size("dilation_rate").unwrap_or(1));
                let (filters, taps) = (size_of("filters"), size_of("kernel_size"));
                let extents = [len, dim, filters, taps, stride as usize, dilation as usize];
                let options = [padding(&config["padding"]), activation(&config["activation"]), IGNORE_MASK];
                Record::new(LayerKind::Conv1D, &extents).options(options)
            }
            ("LSTM", Shape::Sequence { len, dim }) => {
                let record = Record::new(LayerKind::Lstm, &[len, dim, size_of("units")]);
                record.options([on("return_sequences"), on("go_backwards"), 0])
            }
            ("Dense", Shape::Vector(inputs)) => {
                let record = Record::new(LayerKind::Dense, &[inputs, size_of("units")]);
                record.options([0, activation(&config["activation"]), 0])
            }
            (class, shape) => panic!("layer {class} on {shape}"),
        };
        records.push(record);
        shape = Recipe::<All>::new(&records).expect("layers that fit").output();
    }
    records
}

/// The weights `which` of a fixture, one after the other.
fn weights(json: &Value, which: &str) -> Vec<f32> {
    let name = |name: &Value| Array::read(&json[which][name.as_str().expect("a name")]).data;
    list(&json["weight_names"]).iter().flat_map(name).collect()
}

/// What a training came to.
pub(crate) struct Trained {
    /// Of the batch of each step, before it.
    pub(crate) step_losses: Vec<f32>,
    pub(crate) epoch_losses: Vec<f32>,
    pub(crate) parameters: Vec<f32>,
    pub(crate) predictions: Vec<f32>,
    pub(crate) loss: f32,
    pub(crate) accuracy: f32,
}

/// Trains on the ids of a fixture for as many epochs as it says, batch by batch.
pub(crate) fn train(
    mut model: AtRunTime,
    json: &Value,
    (optimizer, loss): (&dyn AnyOptimizer, AnyLoss<'_>),
    labels: &Labels<'_>,
) -> Trained {
    let ids: Vec<u32> = Array::integers(&json["x"]).into_iter().map(|id| id as u32).collect();
    let (ids, n) = (Input::Ids(&ids), Array::read(&json["x"]).shape[0]);
    let examples = n.min(json["batch_size"].as_u64().expect("a size") as usize);
    let training = Training { optimizer, loss, size: BatchSize { examples, ids_per_bag: 0 } };
    let AtRunTime { records, parameters } = &mut model;
    let recipe = Recipe::<All>::new(records).expect("layers that fit");
    let (mut step_losses, mut epoch_losses) = (Vec::new(), Vec::new());
    let report = training.with(recipe, |trainer| {
        for _ in 0..json["epochs"].as_u64().expect("epochs") {
            // The loss of a step is what it adds to the sum of losses of the epoch.
            let (mut sum, mut seen) = (0.0, 0);
            let epoch = trainer.epoch_with(parameters, &[ids], labels, n, |report| {
                let so_far = f64::from(report.loss) * report.examples as f64;
                step_losses.push(((so_far - sum) / (report.examples - seen) as f64) as f32);
                (sum, seen) = (so_far, report.examples);
            });
            epoch_losses.push(epoch.expect("good examples").loss);
        }
        trainer.evaluate(parameters, &[ids], labels, n).expect("good examples")
    });
    Trained {
        step_losses,
        epoch_losses,
        predictions: model.outputs(ids, n),
        parameters: model.parameters,
        loss: report.loss,
        accuracy: report.accuracy,
    }
}

/// Holds a training whose layers the fixture names, with an optimizer and a loss that are values.
pub(crate) fn check_training(
    json: &Value,
    optimizer: &dyn AnyOptimizer,
    loss: AnyLoss<'_>,
    labels: &Labels<'_>,
) {
    const CURVE: f32 = 1e-4;
    let x = Array::read(&json["x"]).shape;
    let records = records_of(&json["layers"], x[1]);
    let model = AtRunTime { records, parameters: weights(json, "initial_weights") };
    let ids: Vec<u32> = Array::integers(&json["x"]).into_iter().map(|id| id as u32).collect();
    let close = |what: &str, found: &[f32], expected: &Value, (absolute, relative): (f32, f32)| {
        assert_close(&format!("at run time: {what}"), found, &Array::read(expected).data, absolute, relative);
    };
    let initial = model.outputs(Input::Ids(&ids), x[0]);
    close("initial predictions", &initial, &json["initial_predictions"], FORWARD);
    let found = train(model, json, (optimizer, loss), labels);
    close("losses of steps", &found.step_losses, &json["loss_before_each_step"], (CURVE, 0.0));
    let expected = weights(json, "final_weights");
    assert_close("at run time: weights", &found.parameters, &expected, CURVE, 0.0);
    close("predictions", &found.predictions, &json["final_predictions"], (CURVE, 0.0));
    let last = &json["final_evaluate"];
    assert_close("at run time: loss", &[found.loss], &[number(&last["loss"])], CURVE, 0.0);
    assert_close("at run time: accuracy", &[found.accuracy], &[number(&last["accuracy"])], 1e-6, 0.0);
}

/// Says that no type of this shape is compiled: the file is held at run time alone.
pub(crate) fn no_type_of(shape: impl std::fmt::Debug) {
    println!("no type of the shape {shape:?}: held at run time alone");
}
