//! Which layer of a Keras model takes what, from Keras' JSON: a `Sequential` model is a path, a `Functional` one is
//! any graph.

use serde_json::Value;

/// A layer, and the layers whose outputs it takes.
#[derive(Debug, PartialEq)]
pub(super) struct Node<'a> {
    pub(super) class: &'a str,
    pub(super) name: &'a str,
    pub(super) config: &'a Value,
    /// The shape that it was built for, without the batch.
    pub(super) input_shape: Option<u64>,
    pub(super) takes: Vec<&'a str>,
}

/// The layers of a model, each behind those that it takes, and the names of its inputs and of its output.
#[derive(Debug, PartialEq)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) inputs: Vec<&'a str>,
    pub(super) output: &'a str,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The graph of a model.
pub(super) fn of(model: &Value) -> Result<Graph<'_>, String> {
    let layers = model.pointer("/config/layers").and_then(Value::as_array).ok_or("no list of layers")?;
    match text(model, "/class_name") {
        "Sequential" => Ok(path(layers)),
        "Functional" => functional(model, layers),
        class => {
            Err(format!("a model of the class {class:?}: only Sequential and Functional can be imported"))
        }
    }
}

fn node<'a>(layer: &'a Value, takes: Vec<&'a str>) -> Node<'a> {
    Node {
        class: text(layer, "/class_name"),
        name: text(layer, "/config/name"),
        config: layer.get("config").unwrap_or(&Value::Null),
        input_shape: layer.pointer("/build_config/input_shape/1").and_then(Value::as_u64),
        takes,
    }
}

fn path(layers: &[Value]) -> Graph<'_> {
    let mut before = None;
    let nodes: Vec<Node<'_>> = layers
        .iter()
        .map(|layer| {
            let takes = before.into_iter().collect();
            before = Some(text(layer, "/config/name"));
            node(layer, takes)
        })
        .collect();
    let first = nodes.first().filter(|first| first.class == "InputLayer");
    Graph {
        inputs: first.map(|first| first.name).into_iter().collect(),
        output: before.unwrap_or_default(),
        nodes,
    }
}

fn functional<'a>(model: &'a Value, layers: &'a [Value]) -> Result<Graph<'a>, String> {
    let mut nodes = Vec::new();
    // What Embedding(mask_zero=True) makes beside its output: layers here take the mask from it.
    let mut masks: Vec<&str> = Vec::new();
    for layer in layers {
        let name = text(layer, "/config/name");
        let name = if name.is_empty() { text(layer, "/name") } else { name };
        let calls = layer.get("inbound_nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (mut takes, mut mask) = (Vec::new(), None);
        match calls {
            [] => {}
            [call] => {
                tensors(call.get("args").unwrap_or(call), &mut takes)?;
                let others = call.get("kwargs").and_then(Value::as_object).into_iter().flatten();
                for (key, value) in others {
                    let mut found = Vec::new();
                    tensors(value, &mut found)?;
                    match found.as_slice() {
                        [] => {}
                        [one] if key == "mask" => mask = Some(*one),
                        _ => return Err(format!("layer {name:?}: {key} is the output of a layer")),
                    }
                }
            }
            _ => {
                return Err(format!(
                    "layer {name:?} is called {} times: only once can be imported",
                    calls.len()
                ));
            }
        }
        if text(layer, "/class_name") == "NotEqual" {
            masks.push(name);
            continue;
        }
        if let Some(mask) = mask.filter(|mask| !masks.contains(mask)) {
            return Err(format!("layer {name:?}: the mask {mask:?} is not that of an Embedding"));
        }
        if takes.iter().any(|name| masks.contains(name)) {
            return Err(format!("layer {name:?} takes a comparison"));
        }
        nodes.push(Node { name, ..node(layer, takes) });
    }
    let ends = |key: &str| {
        let mut names = Vec::new();
        ends(model.pointer(&format!("/config/{key}")).unwrap_or(&Value::Null), &mut names);
        names
    };
    match ends("output_layers").as_slice() {
        [output] => Ok(Graph { nodes, inputs: ends("input_layers"), output }),
        outputs => Err(format!("a model of {} outputs: only one can be imported", outputs.len())),
    }
}

/// The layers whose outputs are among arguments.
fn tensors<'a>(value: &'a Value, found: &mut Vec<&'a str>) -> Result<(), String> {
    if text(value, "/class_name") == "__keras_tensor__" {
        let name = text(value, "/config/keras_history/0");
        let is_first = |place| value.pointer(place).and_then(Value::as_u64) == Some(0);
        if !is_first("/config/keras_history/1") || !is_first("/config/keras_history/2") {
            return Err(format!("layer {name:?} is called several times, or has several outputs"));
        }
        found.push(name);
        return Ok(());
    }
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| tensors(value, found)),
        Value::Object(values) => values.values().try_for_each(|value| tensors(value, found)),
        _ => Ok(()),
    }
}

/// The names of `["name", 0, 0]`, or of a list of these.
fn ends<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), ..]) => names.push(name),
        Some(values) => values.iter().for_each(|value| ends(value, names)),
        None => {}
    }
}
