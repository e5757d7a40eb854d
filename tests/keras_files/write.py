"""Writes ``cnn.*`` of this folder with the real Keras 3 (3.15.1, KERAS_BACKEND=jax).

``cnn.*`` are one trained network; ``cnn.npz`` has an input, what Keras predicts for it, and the
arrays of the optimizer.
"""

import gzip
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

folder = Path(__file__).parent
keras.utils.set_random_seed(1)
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((5, 5, 2)),
        layers.Conv2D(3, 2, padding="same", activation="relu", kernel_initializer="he_normal"),
        layers.MaxPooling2D(2),
        layers.Conv2D(2, 2),
        layers.Activation("tanh"),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ],
    name="cnn",
)
loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
x = np.random.default_rng(0).random((6, 5, 5, 2), np.float32)
y = np.eye(3, dtype=np.float32)[np.arange(6) % 3]
model.fit(x, y, epochs=2, batch_size=4, verbose=0)
model.save(folder / "cnn.keras")
model.save_weights(folder / "cnn.weights.h5")
state = {f"optimizer_{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
np.savez_compressed(
    folder / "cnn.npz", x=x, y=y, predicted=model.predict(x, verbose=0),
    evaluated=model.evaluate(x, y, verbose=0), **state,
)  # fmt: skip
model.save(folder / "cnn.h5")

for path in folder.glob("cnn.*"):
    if path.suffix in (".h5", ".keras"):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()
