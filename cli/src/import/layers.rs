//! The layers of a model, from Keras' JSON to records.

use super::graph::{self, Graph, Node};
use nanoembed::layers::ActivationKind;
use nanoembed::models::{LayerKind, Record, Source};
use serde_json::Value;
use std::collections::HashMap;

/// A layer, and the arrays of its parameters in the order of an image.
#[derive(Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) record: Record,
    pub(super) arrays: Vec<Array>,
}

/// Parameters of a layer.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    /// Where they are in the file; they are zeros, if Keras has none: a bias that is not used.
    pub(super) path: Option<String>,
    pub(super) shape: Vec<usize>,
}

/// What flows from a layer to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Any number of ids.
    AnyIds,
    Ids(usize),
    Sequence(usize, usize),
    Vector(usize),
}

/// A number of the settings of a layer, which may stand in a list of one.
fn number(config: &Value, key: &str) -> Result<usize, String> {
    let value = config.get(key).unwrap_or(&Value::Null);
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    value.as_u64().map(|number| number as usize).ok_or_else(|| format!("{key} is no whole number"))
}

fn flag(config: &Value, key: &str) -> bool {
    config.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(config: &'a Value, key: &str, default: &'a str) -> &'a str {
    config.get(key).and_then(Value::as_str).unwrap_or(default)
}

fn activation(config: &Value, key: &str) -> Result<ActivationKind, String> {
    match text(config, key, "linear") {
        "linear" => Ok(ActivationKind::Identity),
        "relu" => Ok(ActivationKind::Relu),
        "sigmoid" => Ok(ActivationKind::Sigmoid),
        "softmax" => Ok(ActivationKind::Softmax),
        "tanh" => Ok(ActivationKind::Tanh),
        other => {
            Err(format!("the activation {other}: only linear, relu, sigmoid, softmax and tanh are known"))
        }
    }
}

/// An error if a setting is not the one that can be computed.
fn need(config: &Value, key: &str, only: &Value) -> Result<(), String> {
    match config.get(key) {
        None => Ok(()),
        Some(found) if found == only => Ok(()),
        Some(found) => Err(format!("{key} is {found}: only {only} can be imported")),
    }
}

/// What a layer of Keras gives.
struct Output {
    shape: Shape,
    source: From,
    is_taken: bool,
}

/// Where it comes from.
#[derive(Clone, Copy)]
enum From {
    Input(u16),
    Layer(usize),
}

/// The layers of a model. `length` is how many ids a text has, if the model takes any number.
pub(super) fn of(config: &Value, length: Option<usize>) -> Result<Vec<Layer>, String> {
    let Graph { nodes, inputs, output } = graph::of(config)?;
    let mut layers: Vec<Layer> = Vec::new();
    let mut outputs: HashMap<&str, Output> = HashMap::new();
    // Keras numbers the layers of each class.
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut next_input = 0;
    for (position, node) in nodes.iter().enumerate() {
        let Node { class, name, config, .. } = *node;
        let fails = |error: String| format!("layer {position} ({class}): {error}");
        let count = seen.entry(class).or_insert(0);
        let number = if *count == 0 { String::new() } else { format!("_{count}") };
        *count += 1;
        if class == "InputLayer" {
            let of_input = config.pointer("/batch_shape/1").and_then(Value::as_u64);
            let shape = of_input.map_or(Shape::AnyIds, |length| Shape::Ids(length as usize));
            let input = inputs.iter().position(|input| *input == name).unwrap_or(0) as u16;
            outputs.insert(name, Output { shape, source: From::Input(input), is_taken: false });
            continue;
        }
        let mut takes = Vec::new();
        for before in &node.takes {
            let output = outputs.get_mut(before).ok_or_else(|| fails(format!("no layer {before:?}")))?;
            if std::mem::replace(&mut output.is_taken, true) {
                return Err(fails(format!(
                    "another layer takes the output of {before:?}, too; here each output goes to one layer"
                )));
            }
            takes.push((output.shape, output.source));
        }
        // A path may start without an InputLayer.
        if takes.is_empty() {
            takes.push((Shape::AnyIds, From::Input(0)));
        }
        for (shape, source) in &mut takes {
            if let From::Input(input) = source {
                *shape = ids(*shape, node, length).map_err(fails)?;
                if *input != next_input {
                    return Err(fails("the inputs of the model are not taken in their order".to_owned()));
                }
                next_input += 1;
            }
        }
        // They act in training alone.
        if let ("Dropout" | "SpatialDropout1D", [(shape, source)]) = (class, takes.as_slice()) {
            outputs.insert(name, Output { shape: *shape, source: *source, is_taken: false });
            continue;
        }
        let source = |of: From, at: usize| match of {
            From::Input(input) => Source::Input(input),
            From::Layer(layer) => Source::Back((at - layer) as u16),
        };
        let gives = if let [(shape, from)] = takes.as_slice() {
            let (layer, gives) = one(class, config, &number, *shape).map_err(fails)?;
            let record = layer.record.from(source(*from, layers.len()));
            layers.push(Layer { record, ..layer });
            gives
        } else {
            // The first two, then what they gave and the third.
            let mut joined = takes.iter().copied();
            let (mut shape, mut from) = joined.next().unwrap_or((Shape::AnyIds, From::Input(0)));
            for (next, from_next) in joined {
                let (record, gives) = both(class, config, shape, next, takes.len()).map_err(fails)?;
                let record = record.from_both(source(from, layers.len()), source(from_next, layers.len()));
                layers.push(Layer { record, arrays: Vec::new() });
                (shape, from) = (gives, From::Layer(layers.len() - 1));
            }
            shape
        };
        let last = From::Layer(layers.len() - 1);
        outputs.insert(name, Output { shape: gives, source: last, is_taken: false });
    }
    match outputs.get(output).map(|output| output.source) {
        Some(From::Layer(last)) if last + 1 == layers.len() => Ok(layers),
        _ => Err(format!("the output is {output:?}, which is not the last layer that computes")),
    }
}

/// The ids that a layer takes from an input.
fn ids(shape: Shape, node: &Node<'_>, length: Option<usize>) -> Result<Shape, String> {
    match (shape, length) {
        _ if node.class != "Embedding" => Err("the first layer is no Embedding".to_owned()),
        (Shape::Ids(of_input), Some(length)) if length != of_input => {
            Err(format!("the model takes {of_input} ids: leave --length out"))
        }
        (Shape::AnyIds, length) => {
            let of_layer = node.input_shape.map(|length| length as usize);
            let length = of_layer.or(length);
            length
                .map(Shape::Ids)
                .ok_or_else(|| "it takes any number of ids: say how many by --length".to_owned())
        }
        (shape, _) => Ok(shape),
    }
}

/// A layer that joins two of `all` values, and what it gives.
fn both(class: &str, config: &Value, a: Shape, b: Shape, all: usize) -> Result<(Record, Shape), String> {
    let record = |kind, extents: &[usize]| {
        Record::checked_new(kind, extents).ok_or_else(|| "it is too large".to_owned())
    };
    match (class, a, b) {
        ("Concatenate", Shape::Vector(a), Shape::Vector(b)) => {
            if config.get("axis") != Some(&Value::from(1)) {
                need(config, "axis", &Value::from(-1))?;
            }
            Ok((record(LayerKind::Concatenate, &[a, b])?, Shape::Vector(a + b)))
        }
        ("Add", Shape::Vector(n), Shape::Vector(same)) if n == same => {
            Ok((record(LayerKind::Add, &[n, 0])?, a))
        }
        ("Add", Shape::Sequence(len, dim), same) if a == same => {
            Ok((record(LayerKind::Add, &[len, dim])?, a))
        }
        ("Dot", Shape::Vector(n), Shape::Vector(same)) if n == same && all == 2 => {
            need(config, "normalize", &Value::Bool(false))?;
            Ok((record(LayerKind::Dot, &[n])?, Shape::Vector(1)))
        }
        _ => Err(format!("it cannot be imported after {a:?} and {b:?}")),
    }
}

/// A layer that takes values of this shape, and the shape of what it gives.
fn one(class: &str, config: &Value, number_of_class: &str, takes: Shape) -> Result<(Layer, Shape), String> {
    let record = |kind, extents: &[usize]| {
        Record::checked_new(kind, extents).ok_or_else(|| "it is too large".to_owned())
    };
    let array = |layer: &str, array: usize, shape: Vec<usize>| Array {
        path: Some(format!("layers/{layer}{number_of_class}/vars/{array}")),
        shape,
    };
    // It comes last in Keras, too.
    let bias = |of_file: Array| match config.get("use_bias") {
        Some(Value::Bool(false)) => Array { path: None, ..of_file },
        _ => of_file,
    };
    let plain = |record: Record, gives: Shape| Ok((Layer { record, arrays: Vec::new() }, gives));
    match (class, takes) {
        ("Embedding", Shape::Ids(len)) => {
            let (rows, dim) = (number(config, "input_dim")?, number(config, "output_dim")?);
            let record = record(LayerKind::Embedding, &[len, rows, dim])?;
            let record = if flag(config, "mask_zero") { record.mask_zero() } else { record };
            let arrays = vec![array("embedding", 0, vec![rows, dim])];
            Ok((Layer { record, arrays }, Shape::Sequence(len, dim)))
        }
        ("Flatten", Shape::Sequence(len, dim)) => {
            plain(record(LayerKind::Flatten, &[len, dim])?.ignore_mask(), Shape::Vector(len * dim))
        }
        ("GlobalMaxPooling1D", Shape::Sequence(len, dim)) => {
            need(config, "keepdims", &Value::Bool(false))?;
            plain(record(LayerKind::GlobalMaxPooling1D, &[len, dim])?.ignore_mask(), Shape::Vector(dim))
        }
        ("GlobalAveragePooling1D", Shape::Sequence(len, dim)) => {
            need(config, "keepdims", &Value::Bool(false))?;
            plain(record(LayerKind::GlobalAveragePooling1D, &[len, dim])?, Shape::Vector(dim))
        }
        ("Conv1D", Shape::Sequence(len, dim)) => {
            need(config, "groups", &Value::from(1))?;
            need(config, "data_format", &Value::from("channels_last"))?;
            let [filters, kernel, stride, dilation] =
                ["filters", "kernel_size", "strides", "dilation_rate"].map(|key| number(config, key));
            let (filters, kernel, stride, dilation) = (filters?, kernel?, stride?.max(1), dilation?.max(1));
            let record = record(LayerKind::Conv1D, &[len, dim, filters, kernel, stride, dilation])?
                .activation(activation(config, "activation")?)
                .ignore_mask();
            let window = kernel.saturating_sub(1).saturating_mul(dilation);
            let (record, steps) = match text(config, "padding", "valid") {
                "same" => (record.same_padding(), len.div_ceil(stride)),
                "causal" => (record.causal_padding(), len.div_ceil(stride)),
                _ => (record, len.saturating_sub(window).div_ceil(stride)),
            };
            let arrays =
                vec![array("conv1d", 0, vec![kernel, dim, filters]), bias(array("conv1d", 1, vec![filters]))];
            Ok((Layer { record, arrays }, Shape::Sequence(steps, filters)))
        }
        ("LSTM", Shape::Sequence(len, dim)) => {
            need(config, "activation", &Value::from("tanh"))?;
            need(config, "recurrent_activation", &Value::from("sigmoid"))?;
            need(config, "return_state", &Value::Bool(false))?;
            let units = number(config, "units")?;
            let mut record = record(LayerKind::Lstm, &[len, dim, units])?;
            let mut gives = Shape::Vector(units);
            if flag(config, "return_sequences") {
                (record, gives) = (record.return_sequences(), Shape::Sequence(len, units));
            }
            if flag(config, "go_backwards") {
                record = record.go_backwards();
            }
            let path = format!("lstm{number_of_class}/cell");
            let array = |number, shape| Array { path: Some(format!("layers/{path}/vars/{number}")), shape };
            let arrays = vec![
                array(0, vec![dim, 4 * units]),
                array(1, vec![units, 4 * units]),
                bias(array(2, vec![4 * units])),
            ];
            Ok((Layer { record, arrays }, gives))
        }
        ("Dense", Shape::Vector(inputs)) => {
            let units = number(config, "units")?;
            let record =
                record(LayerKind::Dense, &[inputs, units])?.activation(activation(config, "activation")?);
            let arrays = vec![array("dense", 0, vec![inputs, units]), bias(array("dense", 1, vec![units]))];
            Ok((Layer { record, arrays }, Shape::Vector(units)))
        }
        ("Activation", Shape::Vector(n)) => {
            let record =
                record(LayerKind::Activation, &[n, 0])?.activation(activation(config, "activation")?);
            plain(record, takes)
        }
        ("Activation", Shape::Sequence(len, dim)) => {
            let record =
                record(LayerKind::Activation, &[len, dim])?.activation(activation(config, "activation")?);
            plain(record, takes)
        }
        (_, takes) => Err(format!("it cannot be imported after {takes:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanoembed::models::{All, Recipe};
    use serde_json::json;

    fn model(layers: &Value) -> Result<Vec<Layer>, String> {
        let input = json!({"class_name": "InputLayer", "config": {"batch_shape": [null, 9]}});
        let embedding = json!({"class_name": "Embedding",
            "config": {"input_dim": 40, "output_dim": 6, "mask_zero": true}});
        let mut all = vec![input, embedding];
        all.extend(layers.as_array().expect("a list").iter().cloned());
        for (number, layer) in all.iter_mut().enumerate() {
            layer["config"]["name"] = json!(number.to_string());
        }
        of(&json!({"class_name": "Sequential", "config": {"layers": all}}), None)
    }

    #[test]
    fn layers_fit_each_other() {
        let layers = json!([
            {"class_name": "Conv1D", "config": {"filters": 4, "kernel_size": [3], "strides": [2],
                "dilation_rate": [1], "padding": "same", "activation": "relu"}},
            {"class_name": "LSTM", "config": {"units": 5, "activation": "tanh", "return_sequences": true}},
            {"class_name": "Dropout", "config": {"rate": 0.5}},
            {"class_name": "LSTM", "config": {"units": 3, "activation": "tanh", "go_backwards": true}},
            {"class_name": "Dense", "config": {"units": 2, "activation": "linear"}},
            {"class_name": "Activation", "config": {"activation": "softmax"}},
        ]);
        let layers = model(&layers).expect("layers");
        let records: Vec<Record> = layers.iter().map(|layer| layer.record).collect();
        let recipe = Recipe::<All>::new(&records).expect("a recipe");
        let numbers: usize = layers
            .iter()
            .flat_map(|layer| &layer.arrays)
            .map(|array| array.shape.iter().product::<usize>())
            .sum();
        assert_eq!(recipe.parameters(), numbers);
        let paths: Vec<&str> =
            layers.iter().flat_map(|layer| &layer.arrays).filter_map(|array| array.path.as_deref()).collect();
        assert!(paths.contains(&"layers/lstm_1/cell/vars/2"), "{paths:?}");
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (layers, expected) in [
            (json!([{"class_name": "GRU", "config": {}}]), "layer 2 (GRU)"),
            (json!([{"class_name": "Dense", "config": {"units": 2}}]), "Dense"),
            (
                json!([{"class_name": "Flatten", "config": {}},
                {"class_name": "Dense", "config": {"units": 2, "activation": "gelu"}}]),
                "gelu",
            ),
            (json!([{"class_name": "LSTM", "config": {"units": 2, "return_state": true}}]), "return_state"),
        ] {
            let error = model(&layers).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        assert!(of(&json!({"class_name": "Functional"}), None).is_err());
    }

    /// A layer of a `Functional` model.
    fn layer(class: &str, name: &str, takes: &[&str], mut config: Value) -> Value {
        let tensor = |name: &&str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}});
        let tensors: Vec<Value> = takes.iter().map(tensor).collect();
        let args = if let [one] = tensors.as_slice() { json!([one]) } else { json!([tensors]) };
        config["name"] = json!(name);
        let calls = if takes.is_empty() { json!([]) } else { json!([{"args": args, "kwargs": {}}]) };
        json!({"class_name": class, "config": config, "inbound_nodes": calls})
    }

    fn functional(layers: &[Value], inputs: &[&str], output: &str) -> Value {
        let inputs: Vec<Value> = inputs.iter().map(|name| json!([name, 0, 0])).collect();
        json!({"class_name": "Functional", "config":
            {"layers": layers, "input_layers": inputs, "output_layers": [output, 0, 0]}})
    }

    /// Two inputs, each with a table and a pooling, joined by this layer.
    fn two(class: &str, shared: bool) -> Value {
        let table = |name: &str, takes: &str| {
            layer("Embedding", name, &[takes], json!({"input_dim": 40, "output_dim": 6, "mask_zero": true}))
        };
        let input = |name: &str| layer("InputLayer", name, &[], json!({"batch_shape": [null, 9]}));
        let pooling = |name: &str, takes: &str| layer("GlobalAveragePooling1D", name, &[takes], json!({}));
        let second = if shared { "f" } else { "g" };
        functional(
            &[
                input("a"),
                input("b"),
                table("f", "a"),
                table("g", "b"),
                pooling("p", "f"),
                pooling("q", second),
                layer("Dropout", "d", &["q"], json!({})),
                layer(class, "j", &["p", "d"], json!({})),
                layer("Dense", "o", &["j"], json!({"units": 2, "activation": "softmax", "use_bias": false})),
            ],
            &["a", "b"],
            "o",
        )
    }

    #[test]
    fn branches_are_joined() {
        for (class, inputs) in [("Concatenate", 12), ("Add", 6), ("Dot", 1)] {
            let layers = of(&two(class, false), None).expect("layers");
            let records: Vec<Record> = layers.iter().map(|layer| layer.record).collect();
            let recipe = Recipe::<All>::new(&records).expect("a recipe");
            assert_eq!(recipe.inputs().count(), 2);
            assert_eq!(recipe.parameters(), 2 * 40 * 6 + inputs * 2 + 2);
            let arrays: Vec<&Array> = layers.iter().flat_map(|layer| &layer.arrays).collect();
            let paths: Vec<Option<&str>> = arrays.iter().map(|array| array.path.as_deref()).collect();
            let (f, g) = ("layers/embedding/vars/0", "layers/embedding_1/vars/0");
            assert_eq!(paths, [Some(f), Some(g), Some("layers/dense/vars/0"), None]);
        }
        let error = of(&two("Add", true), None).expect_err("one output for two layers");
        assert!(error.contains("\"f\""), "{error}");
        assert!(of(&two("Multiply", false), None).expect_err("a layer").contains("Multiply"));
        let mut two_outputs = two("Add", false);
        two_outputs["config"]["output_layers"] = json!([["o", 0, 0], ["j", 0, 0]]);
        assert!(of(&two_outputs, None).expect_err("an output").contains("2 outputs"));
        two_outputs["config"]["output_layers"] = json!([["j", 0, 0]]);
        assert!(of(&two_outputs, None).is_err());
        let mut turned = two("Add", false);
        turned["config"]["input_layers"] = json!([["b", 0, 0], ["a", 0, 0]]);
        assert!(of(&turned, None).expect_err("an order").contains("order"));
    }
}
