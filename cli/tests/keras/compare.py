"""Models that Keras 3 makes, imported by the command, predict what Keras predicts.

    pip install keras==3.15.1 jax
    python3 cli/tests/keras/compare.py path/to/nanoembed
    python3 cli/tests/keras/compare.py record

The first makes models of all layers and sizes that are imported, and ends with status 1 if one differs by more than
1e-5. The second writes `branches.keras` and `branches.json` beside this file, which the tests of the command read.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers as L

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-5


def table(rows, dim, **options):
    return L.Embedding(rows, dim, mask_zero=True, **options)


def ten_lines():
    """What a newcomer writes."""
    return keras.Sequential([
        keras.Input((17,), dtype="int32"),
        table(123, 11),
        L.LSTM(9),
        L.Dropout(0.5),
        L.Dense(5, activation="softmax"),
    ])


def convolution():
    return keras.Sequential([
        keras.Input((20,), dtype="int32"),
        table(80, 7),
        L.Conv1D(6, 4, strides=2, padding="same", activation="relu"),
        L.Conv1D(5, 3, dilation_rate=2, padding="causal", activation="tanh", use_bias=False),
        L.GlobalMaxPooling1D(),
        L.Dense(3, activation="softmax", use_bias=False),
    ])


def recurrent():
    return keras.Sequential([
        keras.Input((9,), dtype="int32"),
        table(40, 5),
        L.LSTM(6, return_sequences=True, use_bias=False),
        L.LSTM(4, go_backwards=True),
        L.Dense(4, activation="tanh"),
        L.Activation("softmax"),
    ])


def path():
    ids = keras.Input((None,), dtype="int32")
    x = L.GlobalAveragePooling1D()(table(70, 6)(ids))
    x = L.Dropout(0.2)(L.Dense(8, activation="relu", name="hidden")(x))
    return keras.Model(ids, L.Dense(1, activation="sigmoid")(x))


def deep_path():
    ids = keras.Input((13,))
    x = L.SpatialDropout1D(0.2)(table(90, 10, name="words")(ids))
    x = L.LSTM(7, return_sequences=True, go_backwards=True)(x)
    x = L.Flatten()(L.Activation("relu")(x))
    return keras.Model(ids, L.Dense(6, activation="softmax")(x))


def branches():
    words, tags = keras.Input((11,), name="words"), keras.Input((4,), name="tags")
    a = L.GlobalMaxPooling1D()(L.Conv1D(5, 3, activation="relu")(table(50, 6)(words)))
    b = L.LSTM(4)(table(9, 3)(tags))
    x = L.Dense(6, activation="relu")(L.Concatenate()([a, b]))
    return keras.Model([words, tags], L.Dense(3, activation="softmax")(x))


def three_joined():
    inputs = [keras.Input((length,)) for length in (5, 6, 7)]
    pooled = [L.GlobalAveragePooling1D()(table(30, 4)(x)) for x in inputs]
    joined = L.Concatenate(axis=1)(pooled)
    return keras.Model(inputs, L.Dense(2, activation="softmax")(joined))


def added():
    inputs = [keras.Input((6,)), keras.Input((6,))]
    summed = L.Add()([L.Embedding(30, 4)(x) for x in inputs])
    return keras.Model(inputs, L.Dense(2, activation="sigmoid")(L.GlobalMaxPooling1D()(summed)))


def product():
    inputs = [keras.Input((1,)), keras.Input((1,))]
    flat = [L.Flatten()(L.Embedding(30, 4)(x)) for x in inputs]
    return keras.Model(inputs, L.Dense(1, activation="sigmoid")(L.Dot(axes=1)(flat)))


MODELS = [ten_lines, convolution, recurrent, path, deep_path, branches, three_joined, added, product]


def made(make, seed):
    """The model with other weights than those that it starts with, and ids that end in padding, one row in none."""
    keras.utils.set_random_seed(seed)
    model = make()
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(0, 0.4, w.shape).astype("f4") for w in model.get_weights()])
    rows = min([layer.input_dim for layer in model.layers if isinstance(layer, L.Embedding)])
    inputs = []
    for tensor in model.inputs:
        length = tensor.shape[1] or 8
        ids = random.integers(1, rows, (25, length))
        for row, end in enumerate(random.integers(1, length + 1, 24)):
            ids[row, end:] = 0
        inputs.append(ids.astype("int32"))
    given = inputs if len(inputs) > 1 else inputs[0]
    return model, inputs, np.asarray(model.predict(given, verbose=0), "f8")


def lines(inputs):
    rows = [" | ".join(" ".join(map(str, ids[row])) for ids in inputs) for row in range(len(inputs[0]))]
    return "\n".join(rows) + "\n"


def compare(command):
    worst = 0.0
    for seed, make in enumerate(MODELS):
        model, inputs, expected = made(make, seed)
        with tempfile.TemporaryDirectory() as folder:
            file, image = f"{folder}/a.keras", f"{folder}/a.nemb"
            model.save(file)
            length = [] if model.inputs[0].shape[1] else ["--length", str(inputs[0].shape[1])]
            subprocess.run([command, "import", file, "-o", image, *length], check=True, stdout=subprocess.DEVNULL)
            answers = subprocess.run(
                [command, "predict", image, "--ids", "--json", "--top", str(expected.shape[1])],
                check=True, input=lines(inputs), stdout=subprocess.PIPE, text=True).stdout
        found = np.full(expected.shape, np.nan)
        for row, answer in enumerate(answers.splitlines()):
            for one in json.loads(answer)["top"]:
                found[row, int(one["label"])] = one["probability"]
        difference = float(np.abs(found - expected).max())
        print(f"{make.__name__:14} {expected.shape[1]} outputs  differs by at most {difference:.1e}")
        if not difference <= TOLERANCE:
            sys.exit(f"{make.__name__}: more than {TOLERANCE}")
        worst = max(worst, difference)
    print(f"{len(MODELS)} models, at most {worst:.1e}")


def record():
    model, inputs, expected = made(branches, 5)
    model.save(HERE / "branches.keras")
    content = {"lines": lines(inputs).splitlines(), "predictions": expected.tolist()}
    (HERE / "branches.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record()
    else:
        compare(sys.argv[1])
