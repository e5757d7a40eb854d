"""The same seed gives the same bits after an epoch, for any number of threads and processes."""

import hashlib

import numpy as np
import pytest
from processes import run

import pyconv
from pyconv import zoo


def epoch(seed=7):
    """Digest of all that an epoch of the course's CNN leaves; the last batch is smaller."""
    pyconv.utils.set_random_seed(seed)
    model = zoo.deck_cnn()
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (150, 32, 32, 3), np.uint8), rng.integers(0, 10, 150)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x / 255, y, verbose=0, validation_split=0.2)
    digest = hashlib.sha256(repr(history.history).encode())
    for array in (*model.get_weights(), *model.optimizer.state_dict().values()):
        digest.update(array.tobytes())
    return digest.hexdigest()


def test_threads(isa, threads):
    threads(1)
    expected = epoch()
    for n in (2, 3, 4):
        threads(n)
        assert epoch() == expected
    assert epoch(8) != expected


@pytest.mark.cpu
@pytest.mark.parametrize("threads", [1, 3])
def test_processes(threads):
    program = "import test_reproducible as t; print(t.epoch())"
    assert run(program, PYCONV_NUM_THREADS=str(threads)).stdout.strip() == epoch()
