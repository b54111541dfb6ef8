"""Makes the fixtures `train_keras3_*.json`: small models trained by Keras 3 with each optimizer and each clipping.

    pip install -r tests/oracle/make/requirements.txt
    python3 tests/oracle/make/train_keras.py
    python3 tests/oracle/make/train_keras.py compare

The first takes some minutes. Equal versions give equal files: the data are drawn from fixed seeds, and all is computed
on one thread, without oneDNN. What is recorded is what `fit` computes in a graph that XLA does not compile
(`jit_compile=False`, `run_eagerly=False`). The second writes nothing: it trains again, with each step run eagerly and
with XLA, and prints how far the weights are from the recorded ones.

In every batch ids repeat, id 0 is padding (`mask_zero=True`), one row occurs in the first batch alone, and one never.
"""

import json
import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, optimizers

tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.get_logger().setLevel("ERROR")

FOLDER = Path(__file__).resolve().parent.parent
EPOCHS, BATCH, EXAMPLES = 3, 4, 10
LEN, ROWS, DIM = 5, 9, 3
RATE = 0.01

# What each variant is called in the fixture, the class, and its arguments.
OPTIMIZERS = [
    ("SGD", optimizers.SGD, {}),
    ("SGD", optimizers.SGD, {"momentum": 0.9}),
    ("SGD", optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    ("Adagrad", optimizers.Adagrad, {}),
    ("RMSprop", optimizers.RMSprop, {}),
    ("RMSprop", optimizers.RMSprop, {"momentum": 0.9}),
    ("RMSprop", optimizers.RMSprop, {"centered": True}),
    ("RMSprop", optimizers.RMSprop, {"centered": True, "momentum": 0.5}),
    ("Adadelta", optimizers.Adadelta, {"learning_rate": 1.0}),
    ("Adam", optimizers.Adam, {}),
    ("Adam", optimizers.Adam, {"amsgrad": True}),
    ("AdamW", optimizers.AdamW, {}),
    ("Nadam", optimizers.Nadam, {}),
]


def build(name):
    """The model, its loss, and how its labels are drawn."""
    words = layers.Embedding(ROWS, DIM, mask_zero=True)
    if name == "flatten":
        rest = [layers.Flatten(), layers.Dense(1, activation="sigmoid")]
        loss, labels = losses.BinaryCrossentropy(), lambda rng: rng.integers(0, 2, (EXAMPLES, 1)).astype("f")
    elif name == "convolution":
        rest = [
            layers.Conv1D(4, 2, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(3, activation="softmax"),
        ]
        loss, labels = losses.SparseCategoricalCrossentropy(), lambda rng: rng.integers(0, 3, (EXAMPLES, 1))
    elif name == "average":
        rest = [layers.GlobalAveragePooling1D(), layers.Dense(2)]
        loss, labels = losses.MeanSquaredError(), lambda rng: rng.normal(size=(EXAMPLES, 2)).astype("f")
    elif name == "maximum":
        rest = [layers.GlobalMaxPooling1D(), layers.Dense(3, activation="softmax")]
        loss = losses.CategoricalCrossentropy(label_smoothing=0.1)
        labels = lambda rng: np.eye(3, dtype="f")[rng.integers(0, 3, EXAMPLES)]
    elif name == "lstm":
        rest = [layers.LSTM(3), layers.Dense(2)]
        loss, labels = losses.MeanAbsoluteError(), lambda rng: rng.normal(size=(EXAMPLES, 2)).astype("f")
    return keras.Sequential([keras.Input((LEN,), dtype="int32"), words, *rest]), loss, labels


def ids(rng):
    """Few distinct ids, so that each batch repeats them; padding at the end, and within. Row 8 never occurs."""
    x = rng.integers(1, 7, (EXAMPLES, LEN)).astype("int32")
    x[:, -1] = np.where(rng.random(EXAMPLES) < 0.6, 0, x[:, -1])
    x[::3, 3:] = 0
    x[1, 2] = 0
    x[0, 0], x[2, 1] = 7, 7
    return x


def cases(name, limits):
    """Optimizer, configuration, class weights, whether examples have weights."""
    clippings = [{}, *({key: limit} for key, limit in limits.items())]
    every = name in ("flatten", "convolution", "average")
    for kind, make, config in OPTIMIZERS:
        if name == "average" and "centered" in config:
            # Repeated ids make the variance negative here (a sum of squares minus the square of a sum), and Keras stops with an error.
            continue
        if every or config == {} and kind in ("SGD", "Adam"):
            for clipping in clippings:
                yield kind, make, {"learning_rate": RATE, **config, **clipping}, None, False
    if name == "flatten":
        for kind, make, config in OPTIMIZERS:
            config = {"learning_rate": RATE, **config, "weight_decay": 0.1}
            yield kind, make, config, None, False
            if kind == "Adam":
                for clipping in clippings[1:]:
                    yield kind, make, {**config, **clipping}, None, False
    class_weights = {
        "flatten": {0: 0.5, 1: 2.0},
        "convolution": {0: 0.5, 1: 2.0, 2: 1.25},
        "maximum": {0: 0.5, 1: 2.0, 2: 1.25},
    }
    for kind, make in [("SGD", optimizers.SGD), ("Adam", optimizers.Adam)]:
        for clipping in clippings:
            config = {"learning_rate": RATE, **clipping}
            if name in class_weights:
                yield kind, make, config, class_weights[name], False
            yield kind, make, config, None, True


def train(name, initial, x, y, sample_weight, case, **how):
    """Losses of the epochs and the weights after them."""
    _, make, config, class_weight, weighted = case
    keras.backend.clear_session()
    model, loss, _ = build(name)
    model.set_weights(initial)
    model.compile(make(**config), loss, **how)
    options = {"class_weight": class_weight, "sample_weight": sample_weight if weighted else None}
    history = model.fit(x, y, BATCH, EPOCHS, verbose=0, shuffle=False, **options)
    return history.history["loss"], model


def flat(arrays):
    return np.concatenate([np.asarray(array, "f").ravel() for array in arrays])


def numbers(array):
    return "[" + ", ".join("%.9g" % x for x in np.asarray(array).ravel().tolist()) + "]"


def array(values, dtype):
    return '{"shape": %s, "dtype": "%s", "data": %s}' % (list(values.shape), dtype, numbers(values))


def draw(name, seed):
    """The initial weights, the examples and their weights."""
    rng = np.random.default_rng(seed)
    model, _, labels = build(name)
    initial = [rng.uniform(-0.6, 0.6, w.shape).astype("f") for w in model.get_weights()]
    return model, initial, ids(rng), labels(rng), rng.uniform(0.2, 2.0, EXAMPLES).astype("f")


def make_fixture(name, seed, limits):
    model, initial, x, y, sample_weight = draw(name, seed)
    names = [w.path.split("/", 1)[1] for w in model.weights]
    recorded = []
    for case in cases(name, limits):
        kind, _, config, class_weight, weighted = case
        epoch_losses, model = train(name, initial, x, y, sample_weight, case, jit_compile=False, run_eagerly=False)
        head = {"optimizer": kind, "config": config, "sample_weights": weighted}
        if class_weight:
            head["class_weights"] = list(class_weight.values())
        recorded.append(
            json.dumps(head)[:-1]
            + ', "epoch_losses": %s, "final_weights": %s, "final_predictions": %s}'
            % (numbers(epoch_losses), numbers(flat(model.get_weights())), numbers(model(x)))
        )
    is_class = np.issubdtype(y.dtype, np.integer)
    lines = [
        f'"made_by": "tests/oracle/make/train_keras.py, Keras {keras.__version__}, TensorFlow {tf.__version__}"',
        f'"model": "{name}"',
        f'"epochs": {EPOCHS}, "batch_size": {BATCH}',
        f'"x": {array(x, "i32")}',
        f'"y": {array(y, "i32" if is_class else "f32")}',
        f'"sample_weights": {array(sample_weight, "f32")}',
        f'"weight_names": {json.dumps(names)}',
        f'"initial_weights": {numbers(flat(initial))}',
        '"cases": [\n  ' + ",\n  ".join(recorded) + "\n ]",
    ]
    path = FOLDER / f"train_keras3_{name}.json"
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n")
    print(f"{path.name}: {len(recorded)} trainings, {path.stat().st_size} bytes", flush=True)


def compare(name, seed, limits):
    _, initial, x, y, sample_weight = draw(name, seed)
    recorded = json.loads((FOLDER / f"train_keras3_{name}.json").read_text())["cases"]
    for how, options in [("eager", {"run_eagerly": True}), ("XLA", {"jit_compile": True})]:
        furthest = 0.0
        for case, expected in zip(cases(name, limits), recorded, strict=True):
            _, model = train(name, initial, x, y, sample_weight, case, **options)
            difference = np.abs(flat(model.get_weights()) - np.array(expected["final_weights"], "f")).max()
            furthest = max(furthest, difference)
            if not difference <= 2e-6:
                print(f"{name} {case[0]} {case[2]}: {how} is {difference:.2g} away", flush=True)
        print(f"{name}, {how}: at most {furthest:.2g} away", flush=True)


if __name__ == "__main__":
    what = compare if sys.argv[1:] == ["compare"] else make_fixture
    # Limits that act in most steps, and not on every number.
    what("flatten", 1, {"clipnorm": 0.3, "global_clipnorm": 0.4, "clipvalue": 0.05})
    what("convolution", 2, {"clipnorm": 0.2, "global_clipnorm": 0.4, "clipvalue": 0.05})
    what("average", 3, {"clipnorm": 0.3, "global_clipnorm": 1.0, "clipvalue": 0.05})
    what("maximum", 4, {"clipnorm": 0.2, "global_clipnorm": 0.5, "clipvalue": 0.05})
    what("lstm", 5, {"clipnorm": 0.03, "global_clipnorm": 0.2, "clipvalue": 0.01})
