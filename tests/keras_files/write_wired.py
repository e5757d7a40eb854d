"""Writes ``wired.*`` of this folder with the real Keras 3 (3.15.1, KERAS_BACKEND=jax).

Two inputs, two outputs, and a layer that is called twice, after one step of training.
"""

import gzip
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parent

rng = np.random.default_rng(0)
x = [rng.random((4, 6, 6, 2), np.float32), rng.random((4, 4), np.float32)]
keras.utils.set_random_seed(0)
image, numbers = keras.Input((6, 6, 2), name="image"), keras.Input((4,), name="numbers")
shared = layers.Dense(4, name="shared")
flat = layers.Flatten()(layers.Conv2D(2, 3, activation="relu")(image))
both = layers.Concatenate()([flat, shared(shared(numbers))])
heads = [
    layers.Dense(3, activation="softmax", name="kind")(both),
    layers.Dense(1, name="size")(both),
]
model = keras.Model([image, numbers], heads)
model.compile(
    "adam", ["categorical_crossentropy", "mean_squared_error"], metrics=[["accuracy"], ["mae"]]
)
model.fit(x, [np.eye(3)[np.arange(4) % 3], rng.random((4, 1))], verbose=0)
for ending in ("keras", "h5", "weights.h5"):
    path = HERE / f"wired.{ending}"
    (model.save_weights if ending == "weights.h5" else model.save)(str(path))
    (HERE / f"wired.{ending}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
results = model.predict(x, verbose=0)
np.savez(HERE / "wired.npz", image=x[0], numbers=x[1], kind=results[0], size=results[1])
