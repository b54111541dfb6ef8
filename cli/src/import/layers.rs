//! The layers of a `Sequential` model, from Keras' JSON to records.

use nanoembed::layers::ActivationKind;
use nanoembed::models::{LayerKind, Record, Source};
use serde_json::Value;
use std::collections::HashMap;

/// A layer, and the arrays of its parameters in the order of an image: path in the file, shape.
#[derive(Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) record: Record,
    pub(super) arrays: Vec<(String, Vec<usize>)>,
}

/// What flows from a layer to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
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

/// The layers of a model.
pub(super) fn of(config: &Value, length: Option<usize>) -> Result<Vec<Layer>, String> {
    let class = text(config, "class_name", "unknown");
    if class != "Sequential" {
        return Err(format!("a model of the class {class}: only Sequential can be imported"));
    }
    let all = config.pointer("/config/layers").and_then(Value::as_array).ok_or("no list of layers")?;
    let (mut layers, mut shape) = (Vec::new(), None);
    // Keras numbers the layers of each class.
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (position, layer) in all.iter().enumerate() {
        let class = text(layer, "class_name", "unknown");
        let config = layer.get("config").unwrap_or(&Value::Null);
        let fails = |error: String| format!("layer {position} ({class}): {error}");
        let count = seen.entry(class).or_insert(0);
        let number = if *count == 0 { String::new() } else { format!("_{count}") };
        *count += 1;
        if class == "InputLayer" {
            let of_input = config.pointer("/batch_shape/1").and_then(Value::as_u64);
            shape = of_input.map(|length| Shape::Ids(length as usize));
            continue;
        }
        // They act in training alone.
        if matches!(class, "Dropout" | "SpatialDropout1D") {
            continue;
        }
        let before =
            match (shape, class, length) {
                (Some(Shape::Ids(of_input)), "Embedding", Some(length)) if length != of_input => {
                    return Err(fails(format!("the model takes {of_input} ids: leave --length out")));
                }
                (None, "Embedding", length) => {
                    let of_layer = layer.pointer("/build_config/input_shape/1").and_then(Value::as_u64);
                    let length = of_layer.map(|length| length as usize).or(length);
                    Shape::Ids(length.ok_or_else(|| {
                        fails("it takes any number of ids: say how many by --length".into())
                    })?)
                }
                (Some(shape), ..) => shape,
                (None, ..) => return Err(fails("the first layer is no Embedding".into())),
            };
        let (layer, gives) = one(class, config, &number, before).map_err(fails)?;
        let record = if layers.is_empty() { layer.record.from(Source::Input(0)) } else { layer.record };
        layers.push(Layer { record, ..layer });
        shape = Some(gives);
    }
    Ok(layers)
}

/// A layer that takes values of this shape, and the shape of what it gives.
fn one(class: &str, config: &Value, number_of_class: &str, takes: Shape) -> Result<(Layer, Shape), String> {
    let record = |kind, extents: &[usize]| {
        Record::checked_new(kind, extents).ok_or_else(|| "it is too large".to_owned())
    };
    let path = |layer: &str, array: usize| format!("layers/{layer}{number_of_class}/vars/{array}");
    let plain = |record: Record, gives: Shape| Ok((Layer { record, arrays: Vec::new() }, gives));
    match (class, takes) {
        ("Embedding", Shape::Ids(len)) => {
            let (rows, dim) = (number(config, "input_dim")?, number(config, "output_dim")?);
            let record = record(LayerKind::Embedding, &[len, rows, dim])?;
            let record = if flag(config, "mask_zero") { record.mask_zero() } else { record };
            let arrays = vec![(path("embedding", 0), vec![rows, dim])];
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
            need(config, "use_bias", &Value::Bool(true))?;
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
                vec![(path("conv1d", 0), vec![kernel, dim, filters]), (path("conv1d", 1), vec![filters])];
            Ok((Layer { record, arrays }, Shape::Sequence(steps, filters)))
        }
        ("LSTM", Shape::Sequence(len, dim)) => {
            need(config, "use_bias", &Value::Bool(true))?;
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
            let path = |array| format!("layers/lstm{number_of_class}/cell/vars/{array}");
            let (of_inputs, of_state) = (vec![dim, 4 * units], vec![units, 4 * units]);
            let arrays = vec![(path(0), of_inputs), (path(1), of_state), (path(2), vec![4 * units])];
            Ok((Layer { record, arrays }, gives))
        }
        ("Dense", Shape::Vector(inputs)) => {
            need(config, "use_bias", &Value::Bool(true))?;
            let units = number(config, "units")?;
            let record =
                record(LayerKind::Dense, &[inputs, units])?.activation(activation(config, "activation")?);
            let arrays = vec![(path("dense", 0), vec![inputs, units]), (path("dense", 1), vec![units])];
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
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(recipe.parameters(), numbers);
        let paths: Vec<&str> =
            layers.iter().flat_map(|layer| &layer.arrays).map(|(path, _)| path.as_str()).collect();
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
            (json!([{"class_name": "LSTM", "config": {"units": 2, "use_bias": false}}]), "use_bias"),
        ] {
            let error = model(&layers).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        assert!(of(&json!({"class_name": "Functional"}), None).is_err());
    }
}
