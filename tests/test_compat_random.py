"""keras.random: what is drawn is of its distribution; what is refused."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv import compat

random = keras.random


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda seed: random.gamma((40000,), 1.5, seed=seed), 1.5, 1.5),
        (lambda seed: random.beta((40000,), 3.0, 2.0, seed=seed), 3 / 5, 6 / (25 * 6)),
        (lambda seed: random.binomial((40000,), 20, 0.3, seed=seed), 6.0, 4.2),
        (
            lambda seed: random.categorical(np.log([[0.2, 0.5, 0.3]]), 40000, seed=seed)[0],
            1.1,
            0.5 + 4 * 0.3 - 1.21,
        ),
    ],
    ids=["gamma", "beta", "binomial", "categorical"],
)
def test_distributions(draw, mean, variance):
    values = draw(3)
    assert values.shape == (40000,)
    assert values.dtype == ("int32" if values.dtype.kind == "i" else "float32")
    # Five deviations of the mean; the variance to 5 %.
    assert abs(values.mean(dtype=float) - mean) < 5 * np.sqrt(variance / 40000)
    assert values.var(dtype=float) == pytest.approx(variance, rel=0.05)
    np.testing.assert_array_equal(values, draw(3))
    assert (values != draw(4)).any()
    keras.utils.set_random_seed(5)
    first = draw(None)
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(draw(None), first)


def test_each_element_of_its_own_distribution():
    counts = random.binomial((2, 3), [10, 20, 30], [[0.0], [1.0]])
    assert counts.tolist() == [[0, 0, 0], [10, 20, 30]]
    means = random.beta((20000, 2), [1.0, 3.0], [3.0, 1.0], seed=1).mean(axis=0)
    np.testing.assert_allclose(means, [0.25, 0.75], atol=0.01)
    rows = random.categorical([[0.0, -np.inf], [-np.inf, 0.0]], 4, dtype="int64")
    assert (rows.tolist(), rows.dtype) == ([[0] * 4, [1] * 4], "int64")


def test_all_is_dropped_at_rate_1():
    x = np.ones((4, 5), np.float32)
    np.testing.assert_array_equal(random.dropout(x, 1.0, seed=1), 0 * x)
    np.testing.assert_array_equal(random.dropout(x, 0, seed=1), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: random.SeedGenerator("one"),
            "`seed` must be an integer. Received: 'one'",
        ),
        (lambda: random.SeedGenerator(1, count=2), "Unrecognized keyword arguments: {'count': 2}"),
        (lambda: random.randint((3,), 0, 9, dtype="float32"), "randint` requires an integer `dt"),
        (lambda: random.uniform((3,), 0, 9, dtype="int32"), "uniform` requires a floating point"),
        (lambda: random.categorical([0.0, 1.0], 3), r"must be \(N, classes\), got \(2,\)"),
        (lambda: random.dropout(np.ones(3), 1.5), "rate must be from 0 to 1, got 1.5"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
