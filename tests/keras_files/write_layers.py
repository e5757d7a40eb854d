"""Writes ``layers.*`` of this folder with the real Keras 3 (3.15.1, KERAS_BACKEND=jax)."""

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
        keras.Input((6, 6, 2)),
        layers.Conv2D(3, 2, kernel_regularizer="l2", bias_constraint="max_norm", use_bias=True),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(negative_slope=0.2),
        layers.DepthwiseConv2D(2, depth_multiplier=2, activation="gelu"),
        layers.BatchNormalization(scale=False),
        layers.SeparableConv2D(4, 2, padding="same"),
        layers.Conv2DTranspose(2, 2, strides=2),
        layers.PReLU(shared_axes=[1, 2]),
        layers.GlobalMaxPooling2D(),
        layers.Dense(3, activation="softmax"),
    ],
    name="layers",
)
sgd = keras.optimizers.SGD(0.1, momentum=0.9)
model.compile(sgd, "categorical_crossentropy", metrics=["accuracy"])
x = np.random.default_rng(0).random((6, 6, 6, 2), np.float32)
y = np.eye(3, dtype=np.float32)[np.arange(6) % 3]
model.fit(x, y, epochs=3, verbose=0)
model.save(folder / "layers.keras")
model.save_weights(folder / "layers.weights.h5")
state = {f"optimizer_{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
np.savez_compressed(
    folder / "layers.npz", x=x, y=y, predicted=model.predict(x, verbose=0),
    evaluated=model.evaluate(x, y, verbose=0), **state,
)  # fmt: skip
model.save(folder / "layers.h5")
for path in folder.glob("layers.*"):
    if path.suffix in (".h5", ".keras"):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()
