"""What tests of a device share: data, a network, and runs on the CPU and on the device."""

import numpy as np

import pyconv
from pyconv import _devices, backend, layers

device = backend.active
RNG = np.random.default_rng(3)
X = RNG.random((22, 8, 8, 3), np.float32)
Y = RNG.integers(0, 4, 22)
ONE_HOT = np.eye(4, dtype=np.float32)[Y]


def deck_like(dropout=0.3):
    """A network of the course's kind."""
    return pyconv.Sequential(
        [
            pyconv.Input((8, 8, 3)),
            layers.Conv2D(5, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(7, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(dropout),
            layers.Flatten(),
            layers.Dense(9, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(4, activation="softmax"),
        ]
    )


def on_both(run):
    """Return what ``run`` returns on the CPU and on the device, from the same random numbers."""
    results = []
    for module in (backend.cpu, device):
        _devices.use(module)
        pyconv.utils.set_random_seed(4)
        results.append(run())
    return results


def close(results, tolerance=1e-4):
    ours, theirs = results[1], results[0]
    for got, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
