//! Small models trained with each optimizer and each clipping, by the presets of `nanoembed::keras`: made by
//! `make/train_keras.py`. In every batch ids repeat, and id 0 is padding.

use crate::common::run_time::{GivenLabel, Slices, records_of, words_of};
use crate::fixture::{Array, Fixture, assert_close, list, number};
use crate::run_time::{self, AtRunTime};
use nanoembed::internals::{Class, KerasOptimizer};
use nanoembed::keras::{Conv1D, Flatten, GlobalMaxPooling1D, Keras};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::*;
use nanoembed::loss::{
    AnyLoss, BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, Loss, MeanAbsoluteError,
    MeanSquaredError, SampleWeights, SparseCategoricalCrossEntropy, Weighted,
};
use nanoembed::optim::Clip;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AdamW, AmsGrad, AnyOptimizer, CenteredRmsProp, Momentum, MomentumRmsProp, Nadam,
    Optimizer, RmsProp, Sgd,
};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use serde_json::Value;
use std::marker::PhantomData;

/// How far weights, losses and predictions may be from those of Keras.
const EQUAL: f32 = 2e-6;
const BATCH: usize = 4;
const LEN: usize = 5;

type Words = Embedding<LEN, 9, 3, u16, MaskZero>;

pub(crate) fn flatten(fixture: &Fixture) {
    type Model = sequential![Words, Flatten<LEN, 3, 15>, Dense<15, 1, Sigmoid>];
    let labels = Array::read(&fixture.0["y"]).data.as_chunks::<1>().0.to_vec();
    let model = Training::<Model, _, 2>::new(&fixture.0, BinaryCrossEntropy::default(), &labels);
    for case in list(&fixture.0["cases"]) {
        let run = Case { training: &model, case };
        if case["config"].get("weight_decay").is_some() { decayed(&run) } else { every(&run) }
    }
}

pub(crate) fn convolution(fixture: &Fixture) {
    type Model = sequential![
        Words,
        Conv1D<LEN, 3, 4, 2, 4, Relu>,
        GlobalMaxPooling1D<4, 4>,
        Dense<4, 3, Softmax>,
    ];
    let labels: Vec<u16> = Array::integers(&fixture.0["y"]).into_iter().map(|class| class as u16).collect();
    let model = Training::<Model, _, 3>::new(&fixture.0, SparseCategoricalCrossEntropy, &labels);
    for case in list(&fixture.0["cases"]) {
        every(&Case { training: &model, case });
    }
}

pub(crate) fn average(fixture: &Fixture) {
    type Model = sequential![Words, GlobalAveragePooling1D<LEN, 3>, Dense<3, 2>];
    let labels = Array::read(&fixture.0["y"]).data.as_chunks::<2>().0.to_vec();
    let model = Training::<Model, _, 2>::new(&fixture.0, MeanSquaredError, &labels);
    for case in list(&fixture.0["cases"]) {
        every(&Case { training: &model, case });
    }
}

pub(crate) fn maximum(fixture: &Fixture) {
    type Model = sequential![Words, GlobalMaxPooling1D<LEN, 3>, Dense<3, 3, Softmax>];
    let labels = Array::read(&fixture.0["y"]).data.as_chunks::<3>().0.to_vec();
    let loss = CategoricalCrossEntropy { label_smoothing: 0.1 };
    let model = Training::<Model, _, 3>::new(&fixture.0, loss, &labels);
    for case in list(&fixture.0["cases"]) {
        few(&Case { training: &model, case });
    }
}

pub(crate) fn lstm(fixture: &Fixture) {
    type Model = sequential![Words, Lstm<LEN, 3, 3>, Dense<3, 2>];
    let labels = Array::read(&fixture.0["y"]).data.as_chunks::<2>().0.to_vec();
    let model = Training::<Model, _, 2>::new(&fixture.0, MeanAbsoluteError, &labels);
    for case in list(&fixture.0["cases"]) {
        few(&Case { training: &model, case });
    }
}

/// What a case does with its optimizer, whichever that is.
trait Run {
    fn case(&self) -> &Value;
    fn run<O: Optimizer + Copy>(&self, optimizer: O);

    fn config(&self, name: &str) -> Option<f32> {
        self.case()["config"].get(name).map(number)
    }

    fn on(&self, name: &str) -> bool {
        self.case()["config"].get(name).is_some_and(|value| value.as_bool().expect(name))
    }

    fn is(&self, kind: &str) -> bool {
        self.case()["optimizer"] == kind
    }

    fn learning_rate(&self) -> f32 {
        self.config("learning_rate").expect("a learning rate")
    }

    fn clip(&self) -> Option<Clip> {
        let norm = self.config("clipnorm").map(Clip::Norm);
        let global = self.config("global_clipnorm").map(Clip::GlobalNorm);
        norm.or(global).or(self.config("clipvalue").map(Clip::Value))
    }
}

fn sgd(run: &impl Run) -> Sgd {
    Sgd { learning_rate: run.learning_rate() }
}

fn momentum(run: &impl Run) -> Momentum {
    let momentum = run.config("momentum").expect("momentum");
    Momentum {
        learning_rate: run.learning_rate(),
        momentum,
        nesterov: run.on("nesterov"),
        ..Momentum::default()
    }
}

fn adagrad(run: &impl Run) -> Adagrad {
    Adagrad { learning_rate: run.learning_rate(), ..Adagrad::default() }
}

fn rms_prop(run: &impl Run) -> RmsProp {
    RmsProp { learning_rate: run.learning_rate(), ..RmsProp::default() }
}

fn adam(run: &impl Run) -> Adam {
    Adam { learning_rate: run.learning_rate(), ..Adam::default() }
}

/// Calls `$then` with the base optimizer of a case.
macro_rules! each_optimizer {
    ($run:expr, $then:ident) => {{
        let run = $run;
        let (learning_rate, rate) = (run.learning_rate(), run.config("momentum"));
        match run.case()["optimizer"].as_str().expect("a name") {
            "SGD" if rate.is_some() => $then(run, momentum(run)),
            "SGD" => $then(run, sgd(run)),
            "Adagrad" => $then(run, adagrad(run)),
            "RMSprop" if run.on("centered") => {
                $then(run, CenteredRmsProp { rms: rms_prop(run), momentum: rate.unwrap_or(0.0) });
            }
            "RMSprop" if rate.is_some() => {
                $then(run, MomentumRmsProp { rms: rms_prop(run), momentum: rate.expect("momentum") });
            }
            "RMSprop" => $then(run, rms_prop(run)),
            "Adadelta" => $then(run, Adadelta { learning_rate, ..Adadelta::default() }),
            "Adam" if run.on("amsgrad") => $then(run, AmsGrad(adam(run))),
            "Adam" => $then(run, adam(run)),
            "AdamW" => $then(run, AdamW { optimizer: adam(run), ..AdamW::default() }),
            "Nadam" => $then(run, Nadam { learning_rate, ..Nadam::default() }),
            name => panic!("unknown optimizer {name}"),
        }
    }};
}

/// A case with any optimizer.
fn every(run: &impl Run) {
    each_optimizer!(run, clipped);
}

/// A case with any optimizer and weight decay.
fn decayed(run: &impl Run) {
    fn decayed<O: KerasOptimizer>(run: &impl Run, optimizer: O) {
        let keras = Keras::new(optimizer);
        let decay = run.config("weight_decay").expect("weight decay");
        match run.clip() {
            Some(clip) => run.run(keras.clip(clip).weight_decay(decay)),
            None => run.run(keras.weight_decay(decay)),
        }
    }
    each_optimizer!(run, decayed);
}

/// A case with SGD or Adam.
fn few(run: &impl Run) {
    if run.is("SGD") { clipped(run, sgd(run)) } else { clipped(run, adam(run)) }
}

fn clipped<O: KerasOptimizer>(run: &impl Run, optimizer: O) {
    match run.clip() {
        Some(clip) => run.run(Keras::new(optimizer).clip(clip)),
        None => run.run(Keras::new(optimizer)),
    }
}

/// What the cases of a fixture have in common.
struct Training<'a, M, L: Loss<M::Output>, const CLASSES: usize>
where
    M: Layer,
{
    json: &'a Value,
    ids: Vec<[u16; LEN]>,
    loss: L,
    labels: &'a [L::Label],
    model: PhantomData<M>,
}

struct Case<'a, 'b, M: Layer, L: Loss<M::Output>, const CLASSES: usize> {
    training: &'b Training<'a, M, L, CLASSES>,
    case: &'b Value,
}

fn numbers(value: &Value) -> Vec<f32> {
    list(value).iter().map(number).collect()
}

impl<'a, M, L, const CLASSES: usize> Training<'a, M, L, CLASSES>
where
    M: Layer<Input = [u16; LEN]>,
    L: Loss<M::Output> + Copy + Into<AnyLoss<'static>>,
{
    fn new(json: &'a Value, loss: L, labels: &'a [L::Label]) -> Self {
        let ids = Array::integers(&json["x"]);
        let ids = ids.as_chunks().0.iter().map(|ids: &[i64; LEN]| ids.map(|id| id as u16)).collect();
        assert_eq!(json["batch_size"], BATCH);
        Self { json, ids, loss, labels, model: PhantomData }
    }
}

impl<M, L, const CLASSES: usize> Run for Case<'_, '_, M, L, CLASSES>
where
    M: Layer<Input = [u16; LEN]>,
    M::Output: Numbers,
    L: Loss<M::Output> + Copy + Into<AnyLoss<'static>>,
    L::Label: Class + GivenLabel,
{
    fn case(&self) -> &Value {
        self.case
    }

    fn run<O: Optimizer + Copy>(&self, optimizer: O) {
        let Self { training: Training { json, ids, loss, labels, .. }, case } = *self;
        let what = format!(
            "{}: {} {} {}, weights by sample: {}",
            json["model"], case["optimizer"], case["config"], case["class_weights"], case["sample_weights"]
        );
        // A weight of 1 changes no bit.
        let mut weights = [1.0; CLASSES];
        if let Some(class_weights) = case.get("class_weights") {
            weights.copy_from_slice(&numbers(class_weights));
        }
        let sample_weights = match case["sample_weights"].as_bool() {
            Some(true) => Array::read(&json["sample_weights"]).data,
            _ => vec![1.0; ids.len()],
        };
        let weighed = |(label, weight): (&L::Label, f32)| Weighted { label: *label, weight };
        let labels: Vec<Weighted<L::Label>> = labels.iter().zip(sample_weights).map(weighed).collect();

        let mut model = M::zeroed();
        let mut initial = numbers(&json["initial_weights"]).into_iter();
        model.visit_mut(&mut |part| {
            for bytes in part.as_chunks_mut().0 {
                *bytes = initial.next().expect("as many weights as the model has").to_le_bytes();
            }
        });
        assert_eq!(initial.next(), None);

        let (at_run_time, slices) =
            (AtRunTime { records: records_of(&model), parameters: words_of(&model) }, Slices::of(&labels));
        let any = Into::<AnyLoss<'static>>::into(*loss);
        let by_value = (&optimizer as &dyn AnyOptimizer, any.with_class_weights(&weights));
        let found = run_time::train(at_run_time, json, by_value, &slices.labels());
        let close = |part: &str, found: &[f32], expected: &str| {
            let what = format!("at run time, {what}: {part}");
            assert_close(&what, found, &numbers(&case[expected]), EQUAL, 0.0);
        };
        close("loss", &found.epoch_losses, "epoch_losses");
        close("weight", &found.parameters, "final_weights");
        close("output", &found.predictions, "final_predictions");

        let loss = SampleWeights(ClassWeights { loss: *loss, weights });
        let mut trainer = Trainer::<M, O, _, BATCH>::new(optimizer, loss);
        trainer.set_shuffle(false);
        let epochs = 0..json["epochs"].as_u64().expect("epochs");
        let losses: Vec<f32> =
            epochs.map(|_| trainer.epoch(&mut model, ids, &labels).expect("valid examples").loss).collect();
        assert_close(&format!("{what}: loss"), &losses, &numbers(&case["epoch_losses"]), EQUAL, 0.0);

        let mut found = Vec::new();
        model.visit(&mut |part| {
            found.extend(part.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        });
        assert_close(&format!("{what}: weight"), &found, &numbers(&case["final_weights"]), EQUAL, 0.0);
        let outputs: Vec<M::Output> = ids.iter().map(|ids| model.predict(ids).expect("valid ids")).collect();
        let outputs: Vec<f32> = outputs.iter().flat_map(Numbers::as_numbers).copied().collect();
        assert_close(&format!("{what}: output"), &outputs, &numbers(&case["final_predictions"]), EQUAL, 0.0);
    }
}
