"""What Keras 3 reports where examples or classes have weights: the numbers in tests/training_mistakes.rs.

    pip install keras==3.15.1 tensorflow-cpu==2.21.0
    python class_weights.py
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

x = np.array([[1, 2], [-1, 0.5], [0.5, -1.5], [2, 1], [-2, -1]], "f4")
others = np.array([[0.5, 1], [1, -1], [-0.5, 2]], "f4")


def model(units, activation, loss, weights):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation=activation)])
    model.layers[0].set_weights([np.array(w, "f4") for w in weights])
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    return model


def numbers(name, values):
    print(name, "[" + ", ".join(f"{v:.9g}" for v in np.ravel(values)) + "]")


def train(name, model, y, other_y, weights):
    history = model.fit(
        x, y, batch_size=2, epochs=3, shuffle=False, class_weight=weights,
        validation_data=(others, other_y), verbose=0,
    ).history
    numbers(f"{name} loss", history["loss"])
    numbers(f"{name} val_loss", history["val_loss"])
    numbers(f"{name} evaluate", model.evaluate(others, other_y, verbose=0))
    numbers(f"{name} evaluate, sample weights", model.evaluate(
        others, other_y, sample_weight=np.array([1, 3, 0.5], "f4"), verbose=0))
    for w in model.get_weights():
        numbers(f"{name} weights", w)


binary = model(1, "sigmoid", "binary_crossentropy", ([[0.5], [-0.25]], [0.1]))
train("binary", binary, np.array([[1], [0], [0], [1], [0]], "f4"), np.array([[1], [0], [1]], "f4"), {0: 1.0, 1: 4.0})

sparse = model(3, "softmax", "sparse_categorical_crossentropy",
               ([[0.5, -0.25, 0.1], [0.2, 0.3, -0.4]], [0.1, 0.0, -0.1]))
train("sparse", sparse, np.array([0, 1, 2, 0, 1]), np.array([2, 1, 0]), {0: 1.0, 1: 0.25, 2: 4.0})
