//! Optimizers: the same gradients, step by step, to the weights and the state of Keras, PyTorch and FBGEMM.

use crate::fixture::{Array, Fixture, GRADIENT, assert_close, integers, list, number};
use nanoembed::internals;

use nanoembed::kernels::pool;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, BaseOptimizer, CenteredRmsProp, Clip, Clipped, DecoupledDecay, Epsilon,
    Exact, L2Decay, Momentum, Nadam, Optimizer, RmsProp, RowwiseAdagrad, Sgd,
};
use nanoembed::sparse::{Occurrence, Replay, SortedOccurrences, SparseGradient, UpdateRule};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};
use serde_json::Value;

/// What a case does with its optimizer, whichever that is.
trait Case {
    fn run<O: Optimizer + Replay<Step = <O as Optimizer>::Rule> + Copy>(&self, optimizer: O);
}

fn or(config: &Value, name: &str, default: f32) -> f32 {
    config.get(name).map_or(default, number)
}

fn on(config: &Value, name: &str) -> bool {
    config.get(name).is_some_and(|value| value.as_bool().expect(name))
}

/// Keras' optimizer of that name and configuration; `duplicates`: as Keras 3 on repeated rows.
fn keras(name: &str, config: &Value, duplicates: bool, case: &impl Case) {
    let learning_rate = number(&config["learning_rate"]);
    let keras3_duplicates = duplicates;
    let adam = |default: Adam| Adam {
        learning_rate,
        beta_1: or(config, "beta_1", default.beta_1),
        beta_2: or(config, "beta_2", default.beta_2),
        epsilon: config.get("epsilon").map_or(default.epsilon, |e| Epsilon::OutsideRoot(number(e))),
        keras3_duplicates,
    };
    match name {
        "SGD" if config.get("momentum").is_none() => decayed(Sgd { learning_rate }, config, case),
        "SGD" => {
            let momentum = number(&config["momentum"]);
            let nesterov = on(config, "nesterov");
            decayed(Momentum { learning_rate, momentum, nesterov, ..Momentum::default() }, config, case);
        }
        "RMSprop" => {
            let default = RmsProp::default();
            let rms =
                RmsProp { learning_rate, rho: or(config, "rho", default.rho), keras3_duplicates, ..default };
            if on(config, "centered") {
                decayed(CenteredRmsProp { rms, momentum: or(config, "momentum", 0.0) }, config, case);
            } else {
                decayed(rms, config, case);
            }
        }
        "Adagrad" => {
            let default = Adagrad::default();
            let adagrad = Adagrad {
                learning_rate,
                initial_accumulator: or(config, "initial_accumulator_value", default.initial_accumulator),
                epsilon: config.get("epsilon").map_or(default.epsilon, |e| Epsilon::InsideRoot(number(e))),
                keras3_duplicates,
                ..default
            };
            decayed(adagrad, config, case);
        }
        "Adam" if on(config, "amsgrad") => decayed(AmsGrad(adam(Adam::default())), config, case),
        "Adam" | "AdamW" => decayed(adam(Adam::default()), config, case),
        "Adadelta" => {
            decayed(Adadelta { learning_rate, keras3_duplicates, ..Adadelta::default() }, config, case);
        }
        "Nadam" => decayed(Nadam { learning_rate, keras3_duplicates, ..Nadam::default() }, config, case),
        _ => panic!("unknown optimizer {name}"),
    }
}

fn decayed<O>(optimizer: O, config: &Value, case: &impl Case)
where
    O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule> + Copy,
{
    match config.get("weight_decay").map(number) {
        Some(weight_decay) => clipped(DecoupledDecay { optimizer, weight_decay }, config, case),
        None => clipped(optimizer, config, case),
    }
}

fn clipped<O>(optimizer: O, config: &Value, case: &impl Case)
where
    O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule> + Copy,
{
    let limit = |name: &str| config.get(name).map(number);
    let clip = limit("clipnorm").map(Clip::Norm);
    let clip =
        clip.or(limit("global_clipnorm").map(Clip::GlobalNorm)).or(limit("clipvalue").map(Clip::Value));
    match clip {
        // Keras takes the norm of the raw rows, version 2 too.
        Some(clip) => case.run(Clipped { optimizer, clip, keras3_duplicates: true }),
        None => case.run(optimizer),
    }
}

/// PyTorch's optimizer of that name and configuration; L2 decay where there is one, but for AdamW.
fn torch(name: &str, config: &Value, case: &impl Case) {
    let learning_rate = number(&config["lr"]);
    let eps = |default: f32| or(config, "eps", default);
    let adam = |epsilon: fn(f32) -> Epsilon| {
        let betas = config.get("betas").map(|betas| list(betas).iter().map(number).collect::<Vec<_>>());
        let betas = betas.unwrap_or(vec![0.9, 0.999]);
        let epsilon = epsilon(eps(1e-8));
        Adam { learning_rate, beta_1: betas[0], beta_2: betas[1], epsilon, keras3_duplicates: false }
    };
    match name {
        "SGD" if config.get("momentum").is_none() => penalised(Sgd { learning_rate }, config, case),
        "SGD" => {
            let momentum = number(&config["momentum"]);
            let (dampening, nesterov) = (or(config, "dampening", 0.0), on(config, "nesterov"));
            penalised(Momentum { learning_rate, momentum, dampening, nesterov }, config, case);
        }
        "Adagrad" => {
            let adagrad = Adagrad {
                learning_rate,
                learning_rate_decay: or(config, "lr_decay", 0.0),
                initial_accumulator: or(config, "initial_accumulator_value", 0.0),
                epsilon: Epsilon::OutsideRoot(eps(1e-10)),
                keras3_duplicates: false,
            };
            penalised(adagrad, config, case);
        }
        "Adam" if on(config, "amsgrad") => {
            penalised(AmsGrad(adam(Epsilon::OutsideCorrectedRoot)), config, case);
        }
        "Adam" => penalised(adam(Epsilon::OutsideCorrectedRoot), config, case),
        "AdamW" => {
            let optimizer = adam(Epsilon::OutsideCorrectedRoot);
            case.run(DecoupledDecay { optimizer, weight_decay: or(config, "weight_decay", 0.01) });
        }
        "SparseAdam" => penalised(adam(Epsilon::OutsideRoot), config, case),
        "RMSprop" => {
            let epsilon = Epsilon::OutsideRoot(eps(1e-8));
            let rms = RmsProp { learning_rate, rho: 0.99, epsilon, ..RmsProp::default() };
            if on(config, "centered") {
                penalised(CenteredRmsProp { rms, momentum: or(config, "momentum", 0.0) }, config, case);
            } else {
                penalised(rms, config, case);
            }
        }
        _ => panic!("unknown optimizer {name}"),
    }
}

fn penalised<O>(optimizer: O, config: &Value, case: &impl Case)
where
    O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule> + Copy,
{
    match config.get("weight_decay").map(number) {
        Some(weight_decay) => case.run(L2Decay { optimizer, weight_decay }),
        None => case.run(optimizer),
    }
}

/// Names of the slots, in our order, in Keras 3 and in Keras 2.
fn slot_names(optimizer: &str) -> [&'static [&'static str]; 2] {
    match optimizer {
        "momentum" => [&["momentum"], &["m"]],
        "rmsprop" => [&["velocity"]; 2],
        "centered rmsprop" => [&["velocity", "momentum", "average_gradient"]; 2],
        "adagrad" => [&["accumulator"]; 2],
        "adam" | "nadam" => [&["momentum", "velocity"], &["m", "v"]],
        "amsgrad" => [&["momentum", "velocity", "velocity_hat"], &["m", "v", "vhat"]],
        "adadelta" => [&["accumulated_grad", "accumulated_delta_var"]; 2],
        _ => [&[]; 2],
    }
}

/// Adagrad's slots hold what is above the initial accumulator.
fn initial(name: &str, config: &Value, default: f32) -> f32 {
    if name == "Adagrad" { or(config, "initial_accumulator_value", default) } else { 0.0 }
}

/// Two variables with a gradient at every step.
struct Dense<'a> {
    case: &'a Value,
    /// Name, initial values, gradient of each step, expected values after each step.
    variables: Vec<(&'a str, Array, Vec<Array>, Vec<Array>)>,
}

impl Case for Dense<'_> {
    fn run<O: Optimizer + Replay<Step = <O as Optimizer>::Rule> + Copy>(&self, optimizer: O) {
        let label = format!("{} {}", self.case["optimizer"], self.case["config"]);
        let mut weights: Vec<Vec<f32>> =
            self.variables.iter().map(|(_, initial, ..)| initial.data.clone()).collect();
        let mut slots: Vec<Vec<f32>> =
            weights.iter().map(|w| vec![0.0; <O as Optimizer>::Rule::slots(w.len())]).collect();
        optimizer.check().expect(&label);
        for step in 0..self.variables[0].2.len() {
            let gradients = || self.variables.iter().map(|(_, _, gradients, _)| &gradients[step].data);
            let of_step = optimizer.with_all_gradients(optimizer.step(step as u32 + 1), |_| {
                gradients().map(|gradient| internals::sum_of_squares(gradient)).sum()
            });
            for ((weights, slots), gradient) in weights.iter_mut().zip(&mut slots).zip(gradients()) {
                optimizer.update_block(of_step, weights, gradient, slots).expect("shapes that agree");
            }
            for (weights, (name, _, _, expected)) in weights.iter().zip(&self.variables) {
                let what = format!("{label}, {name} after step {step}");
                assert_close(&what, weights, &expected[step].data, GRADIENT.0, GRADIENT.1);
            }
        }
        let Some(states) = self.case.get("final_slots") else { return };
        let initial = initial(self.case["optimizer"].as_str().expect("a name"), &self.case["config"], 0.1);
        for (slots, (variable, first, ..)) in slots.iter().zip(&self.variables) {
            for (slot, found) in slot_names(O::NAME)[0].iter().zip(slots.chunks(first.data.len())) {
                let found: Vec<f32> = found.iter().map(|x| x + initial).collect();
                let expected = Array::read(&states[format!("{variable}_{slot}")]);
                assert_close(&format!("{label}, {slot}"), &found, &expected.data, GRADIENT.0, GRADIENT.1);
            }
        }
    }
}

pub(crate) fn dense_keras(fixture: &Fixture) {
    let json = &fixture.0;
    for case in list(&json["cases"]) {
        let variables = ["var0", "var1"].map(|name| {
            let of = |steps: &Value| list(steps).iter().map(|step| Array::read(&step[name])).collect();
            (name, Array::read(&json["initial"][name]), of(&json["gradients"]), of(&case["after_each_step"]))
        });
        let run = Dense { case, variables: variables.into() };
        keras(case["optimizer"].as_str().expect("a name"), &case["config"], false, &run);
    }
}

pub(crate) fn dense_torch(fixture: &Fixture) {
    let json = &fixture.0;
    for case in list(&json["cases"]) {
        let of = |steps: &Value| list(steps).iter().map(Array::read).collect();
        let variable =
            ("table", Array::read(&json["initial"]), of(&json["gradients"]), of(&case["after_each_step"]));
        let run = Dense { case, variables: vec![variable] };
        torch(case["optimizer"].as_str().expect("a name"), &case["config"], &run);
    }
}

/// Which form a sparse fixture follows.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Keras2,
    Keras3,
    Lazy,
    /// PyTorch's momentum, which moves all rows that ever had a gradient.
    Moving,
}

/// A table, some of whose rows have a gradient.
struct Sparse<'a> {
    case: &'a Value,
    initial: Array,
    /// Indices and values of each step.
    gradients: Vec<(Vec<i64>, Array)>,
    form: Form,
}

impl Case for Sparse<'_> {
    fn run<O: Optimizer + Replay<Step = <O as Optimizer>::Rule> + Copy>(&self, optimizer: O) {
        if self.form == Form::Lazy {
            return self.steps(&optimizer, &mut [], |_, _| {});
        }
        let rows = self.initial.shape[0];
        let ready = |slots: &mut TableMut<'_>, last_steps: &mut [u32]| {
            // As a gradient of the next step would find them.
            let next = self.gradients.len() as u32 + 1;
            internals::decay_rows(&optimizer, next, 0..rows, slots, last_steps).expect("shapes");
        };
        self.steps(&Exact(optimizer), &mut vec![0; rows], ready);
    }
}

impl Sparse<'_> {
    fn steps<O: Optimizer>(
        &self,
        optimizer: &O,
        last_steps: &mut [u32],
        ready: impl Fn(&mut TableMut<'_>, &mut [u32]),
    ) {
        let label = format!("{} {} {}", self.case["optimizer"], self.case["config"], self.case["stream"]);
        let (rows, dim) = (self.initial.shape[0], self.initial.shape[1]);
        let mut weights = self.initial.data.clone();
        let mut slots = vec![0.0; rows * O::Rule::slots(dim)];
        let slot_dim = O::Rule::slots(dim);
        let mut slots = TableMut::new(&mut slots, rows, slot_dim).expect("slots");
        for (step, ((indices, values), expected)) in
            self.gradients.iter().zip(list(&self.case["after_each_step"])).enumerate()
        {
            let mut table = TableMut::new(&mut weights, rows, dim).expect("rows * dim");
            let mut list = vec![Occurrence::default(); indices.len()];
            let list = Indices::new(indices, rows).expect("valid ids").occurrences(&mut list).expect("room");
            let mut scratch = list.to_vec();
            let mut sum = vec![0.0; 2 * dim];
            let mut touched = SparseGradient {
                occurrences: SortedOccurrences::sort(list, &mut scratch).expect("one length"),
                gradients: Table::new(&values.data, indices.len(), dim).expect("a gradient an id"),
                scratch: &mut sum,
            };
            let number = step as u32 + 1;
            let of_step = optimizer.with_all_gradients(optimizer.step(number), |keras3| {
                internals::sum_of_squares_of_rows(&mut touched, keras3).expect("shapes that agree")
            });
            optimizer
                .update_rows(of_step, &mut table, &mut slots, last_steps, &mut touched)
                .expect("shapes that agree");
            optimizer.catch_up(number, 0..rows, &mut table, &mut slots, last_steps).expect("shapes");
            let what = format!("{label} after step {step}");
            assert_close(&what, &weights, &Array::read(expected).data, GRADIENT.0, GRADIENT.1);
        }
        ready(&mut slots, last_steps);
        self.check_slots(&label, O::NAME, &slots, dim);
    }

    fn check_slots(&self, label: &str, name: &str, slots: &TableMut<'_>, dim: usize) {
        let config = &self.case["config"];
        let kind = self.case["optimizer"].as_str().expect("a name");
        for place in 0..slots.dim() / dim {
            let (key, states, factor, above) = match self.form {
                Form::Keras3 => {
                    let key = format!("table_{}", slot_names(name)[0][place]);
                    (key, &self.case["final_slots"], 1.0, initial(kind, config, 0.1))
                }
                Form::Keras2 => {
                    let key = format!("{kind}/{}/table", slot_names(name)[1][place]);
                    (key, &self.case["final_slots"], 1.0, initial(kind, config, 0.1))
                }
                // Only the rows that occurred have a buffer.
                Form::Moving => {
                    let key = "momentum_buffer".to_owned();
                    (key, &self.case["final_state"], -1.0 / number(&config["lr"]), 0.0)
                }
                Form::Lazy => {
                    let keys = if kind == "Adagrad" { ["sum", ""] } else { ["exp_avg", "exp_avg_sq"] };
                    (keys[place].to_owned(), &self.case["final_state"], 1.0, initial(kind, config, 0.0))
                }
            };
            let found: Vec<f32> = (0..slots.rows())
                .flat_map(|row| &slots.as_table().row(row).expect("a row")[place * dim..][..dim])
                .map(|x| x * factor + above)
                .collect();
            let expected = Array::read(&states[&key]).data;
            assert_close(&format!("{label}, {key}"), &found, &expected, GRADIENT.0, GRADIENT.1);
        }
    }
}

fn gradients(steps: &Value) -> Vec<(Vec<i64>, Array)> {
    let step = |step: &Value| (integers(&step["indices"]["data"]), Array::read(&step["values"]));
    list(steps).iter().map(step).collect()
}

fn sparse_keras(fixture: &Fixture, form: Form) {
    let json = &fixture.0;
    for case in list(&json["cases"]) {
        let stream = case["stream"].as_str().expect("a stream");
        let gradients = gradients(&json["gradients"][stream]);
        let run = Sparse { case, initial: Array::read(&json["initial"]), gradients, form };
        let name = case["optimizer"].as_str().expect("a name");
        keras(name, &case["config"], form == Form::Keras3, &run);
    }
}

pub(crate) fn sparse_keras2(fixture: &Fixture) {
    sparse_keras(fixture, Form::Keras2);
}

pub(crate) fn sparse_keras3(fixture: &Fixture) {
    sparse_keras(fixture, Form::Keras3);
}

pub(crate) fn sparse_torch(fixture: &Fixture) {
    let json = &fixture.0;
    for case in list(&json["cases"]) {
        let form = if case["config"].get("momentum").is_some() { Form::Moving } else { Form::Lazy };
        let run = Sparse {
            case,
            initial: Array::read(&json["initial"]),
            gradients: gradients(&json["gradients"]),
            form,
        };
        torch(case["optimizer"].as_str().expect("a name"), &case["config"], &run);
    }
}

/// A table under bags: forward, backward and step.
struct Tbe<'a> {
    json: &'a Value,
    case: &'a Value,
}

impl Case for Tbe<'_> {
    fn run<O: Optimizer + Replay<Step = <O as Optimizer>::Rule> + Copy>(&self, optimizer: O) {
        let Self { json, case } = self;
        let label =
            format!("{} {} {} {}", case["optimizer"], case["config"], case["pooling"], case["weighted"]);
        let initial = Array::read(&json["initial"]);
        let (rows, dim) = (initial.shape[0], initial.shape[1]);
        let mut weights = initial.data;
        let slot_dim = <O as Optimizer>::Rule::slots(dim);
        let mut slots = vec![0.0; rows * slot_dim];
        let pooling = if case["pooling"] == "MEAN" { Pooling::Mean } else { Pooling::Sum };
        for (step, batch) in list(&json["batches"]).iter().enumerate() {
            let ids = integers(&batch["indices"]["data"]);
            let offsets = integers(&batch["offsets"]["data"]);
            let sample_weights = Array::read(&batch["per_sample_weights"]).data;
            let cotangent = Array::read(&batch["cotangent"]);
            let indices = Indices::new(&ids, rows).expect("valid ids");
            let bags = Bags::new(indices, &offsets).expect("bags");
            let weighted = case["weighted"].as_bool().expect("weighted");
            let bags = if weighted { bags.with_weights(&sample_weights).expect("weights") } else { bags };
            let mut output = vec![0.0; cotangent.data.len()];
            pool(Table::new(&weights, rows, dim).expect("rows"), &bags, pooling, &mut output)
                .expect("shapes");
            let expected = Array::read(&case["output_each_step"][step]);
            assert_close(&format!("{label}, output {step}"), &output, &expected.data, 1e-5, 1e-4);

            // The gradient of each id: that of its bag, by weight or count.
            let (mut list, mut gradients) = (Vec::new(), Vec::new());
            for (bag, d) in bags.iter().zip(cotangent.data.chunks(dim)) {
                let divisor = if pooling == Pooling::Mean { bag.count() as f32 } else { 1.0 };
                for entry in bag.iter() {
                    list.push(Occurrence { row: entry.row as u32, source: list.len() as u32 });
                    let factor = if weighted { entry.weight } else { 1.0 };
                    gradients.extend(d.iter().map(|d| d * factor / divisor));
                }
            }
            let (mut scratch, mut sum) = (list.clone(), vec![0.0; 2 * dim]);
            let count = list.len();
            let mut touched = SparseGradient {
                occurrences: SortedOccurrences::sort(&mut list, &mut scratch).expect("one length"),
                gradients: Table::new(&gradients, count, dim).expect("a gradient an id"),
                scratch: &mut sum,
            };
            let mut table = TableMut::new(&mut weights, rows, dim).expect("rows");
            let mut slots = TableMut::new(&mut slots, rows, slot_dim).expect("slots");
            let of_step = optimizer.step(step as u32 + 1);
            optimizer.update_rows(of_step, &mut table, &mut slots, &mut [], &mut touched).expect("shapes");
            let expected = Array::read(&case["weights_after_each_step"][step]);
            assert_close(&format!("{label}, step {step}"), &weights, &expected.data, GRADIENT.0, GRADIENT.1);
        }
        if slot_dim > 0 {
            let expected = Array::read(&case["final_state"]["state0"]).data;
            assert_close(&format!("{label}, state"), &slots, &expected, GRADIENT.0, GRADIENT.1);
        }
    }
}

pub(crate) fn tbe_fbgemm(fixture: &Fixture) {
    let json = &fixture.0;
    for case in list(&json["cases"]) {
        let run = Tbe { json, case };
        let learning_rate = number(&case["config"]["learning_rate"]);
        let epsilon = Epsilon::OutsideRoot(or(&case["config"], "eps", 0.0));
        match case["optimizer"].as_str().expect("a name") {
            "EXACT_SGD" => run.run(Sgd { learning_rate }),
            "EXACT_ROWWISE_ADAGRAD" => {
                run.run(RowwiseAdagrad { learning_rate, epsilon, ..RowwiseAdagrad::default() });
            }
            "EXACT_ADAGRAD" => {
                run.run(Adagrad { learning_rate, initial_accumulator: 0.0, epsilon, ..Adagrad::default() });
            }
            name => panic!("unknown optimizer {name}"),
        }
    }
}
