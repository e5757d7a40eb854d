"""Networks and files for the tests of saving and loading."""

import functools
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from safetensors.numpy import save

import pyconv
from pyconv import models, saving
from pyconv.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

X = np.random.default_rng(0).random((40, 8, 8, 3), np.float32)
Y = np.random.default_rng(1).integers(0, 4, 40)


def network(seed=3):
    pyconv.utils.set_random_seed(seed)
    return pyconv.Sequential(
        [
            Input((8, 8, 3)),
            Conv2D(5, 3, padding="same", activation="relu"),
            MaxPooling2D(2),
            Dropout(0.3),
            Flatten(),
            Dense(6, "tanh", use_bias=False),
            Dropout(0.2, seed=4),
            Dense(4, activation="softmax"),
        ]
    )


def bits(model):
    return [w.tobytes() for w in model.get_weights()]


def small():
    model = pyconv.Sequential(
        [
            Input((6, 6, 1)),
            Conv2D(2, 3, activation="relu"),
            MaxPooling2D(2),
            Dropout(0.5),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(np.ones((2, 6, 6, 1)), [0, 1])
    return model


@functools.cache
def whole():
    """(bytes, tensors, metadata) of a file of a compiled model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m")
        small().save(path)
        return path.read_bytes(), *saving._read(path, "test")


def load(path, content):
    """Load a file of this content; it must take neither time nor memory, also where it fails."""
    path.write_bytes(content)
    tracemalloc.start()
    start = time.process_time()
    try:
        return models.load_model(path)
    finally:
        assert time.process_time() - start < 2
        assert tracemalloc.get_traced_memory()[1] < 8e6 + 4 * len(content)
        tracemalloc.stop()


def file_of(tensors, metadata):
    """A file with a right checksum, whatever it says."""
    metadata = {k: v for k, v in metadata.items() if k != "crc32"}
    return save(tensors, {**metadata, "crc32": saving._checksum(tensors, metadata)})
