"""Writes ``keras2.*`` of this folder with the real Keras 2 (keras and tensorflow-cpu 2.15)."""

import gzip
from pathlib import Path

import keras
import numpy as np

folder = Path(__file__).parent
keras.utils.set_random_seed(1)
layers = keras.layers
model = keras.Sequential(
    [
        layers.Conv2D(3, 2, padding="same", activation="relu", input_shape=(5, 5, 2)),
        layers.MaxPooling2D(2),
        layers.Conv2D(2, 2),
        layers.Activation("tanh"),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ],
    name="cnn",
)
model.compile(
    keras.optimizers.legacy.RMSprop(0.01, decay=0.1, momentum=0.5),
    "categorical_crossentropy",
    metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(2)],
)
x = np.random.default_rng(0).random((6, 5, 5, 2), np.float32)
y = np.eye(3, dtype=np.float32)[np.arange(6) % 3]
model.fit(x, y, epochs=2, batch_size=4, verbose=0)
model.save(folder / "keras2.keras")
model.save_weights(folder / "keras2.weights.h5")
model.save(folder / "keras2.h5")
np.savez_compressed(
    folder / "keras2.npz", x=x, y=y, predicted=model.predict(x, verbose=0),
    evaluated=model.evaluate(x, y, verbose=0),
    **{f"optimizer_{i}": w for i, w in enumerate(model.optimizer.get_weights())},
)  # fmt: skip

for path in folder.glob("keras2.*"):
    if path.suffix in (".h5", ".keras"):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()
