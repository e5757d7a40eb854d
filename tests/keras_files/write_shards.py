"""Writes shards.zip with Keras: weights in several files, and a model in a folder.

KERAS_BACKEND=jax python write_shards.py
"""

import os
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Write the files."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(6),
        ]
    )
    model.compile("adam", "mse")
    x = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    model.fit(x, np.zeros((4, 6)), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/model.weights.json", max_shard_size=3.23e-6)
        model.save(f"{folder}/folder", zipped=False)
        np.savez(f"{folder}/data.npz", x=x, y=model.predict(x, verbose=0))
        with zipfile.ZipFile(HERE / "shards.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    archive.write(path, os.path.relpath(path, folder))


main()
