"""The Dropout layer: shares, seeds, and the same choices in both passes."""

import numpy as np
import pytest
from layer_reference import here

import pyconv
from pyconv.layers import Dropout

ONES = np.ones((100, 1000), np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_share_and_scale(isa, rate):
    layer = Dropout(rate, seed=3)
    y = layer.forward(ONES, True).copy()
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - rate))}
    # Four standard deviations of the mean of 100,000 draws.
    assert abs((y == 0).mean() - rate) < 4 * (rate * (1 - rate) / ONES.size) ** 0.5
    # The gradient passes where the number did, with the same factor.
    assert np.array_equal(layer.backward(here(ONES), True), y)
    assert layer.backward(here(ONES), False) is None


def test_each_step_draws_anew_and_a_seed_repeats():
    first, second = Dropout(0.5, seed=1), Dropout(0.5, seed=1)
    a, b = (first(ONES, training=True) for _ in range(2))
    assert not np.array_equal(a, b)
    assert np.array_equal(a, second(ONES, training=True))
    assert np.array_equal(b, second(ONES, training=True))
    assert not np.array_equal(a, Dropout(0.5, seed=2)(ONES, training=True))


def test_the_library_seed():
    results = []
    for seed in (1, 1, 2):
        pyconv.utils.set_random_seed(seed)
        layers = Dropout(0.5), Dropout(0.5)
        results.append([layer(ONES, training=True).tobytes() for layer in layers])
    assert results[0] == results[1]
    assert results[0] != results[2]
    assert results[0][0] != results[0][1]


def test_outside_training():
    layer = Dropout(0.5)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert layer.forward(x, False) is x
    assert layer.backward(x, True) is x
    assert np.array_equal(layer(x), x)


def test_none_and_all():
    assert np.array_equal(Dropout(0)(ONES, training=True), ONES)
    layer = Dropout(1)
    assert not layer.forward(ONES, True).any()
    assert not layer.backward(here(ONES), True).any()


def test_state():
    layer, other = Dropout(0.5, seed=1), Dropout(0.5, seed=9)
    layer(ONES, training=True)
    other.set_state(layer.get_state())
    assert np.array_equal(layer(ONES, training=True), other(ONES, training=True))
    for state in ({}, {"stream": 1}, {"stream": 1, "next": -1}):
        with pytest.raises(ValueError, match="Dropout 'd': (state|next) must"):
            Dropout(0.5, name="d").set_state(state)
    with pytest.raises(TypeError, match="Dropout 'd': next must be an integer"):
        Dropout(0.5, name="d").set_state({"stream": 1, "next": 0.5})
    with pytest.raises(ValueError, match="Flatten 'f': it has no state"):
        pyconv.layers.Flatten(name="f").set_state({"next": 1})


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"rate": -0.1}, ValueError, "rate must be from 0 to 1, got -0.1"),
        ({"rate": 1.5}, ValueError, "rate must be from 0 to 1, got 1.5"),
        ({"rate": float("nan")}, ValueError, "rate must be from 0 to 1, got nan"),
        ({"rate": "half"}, TypeError, "rate must be a number, got 'half'"),
        ({"rate": 0.5, "seed": -1}, ValueError, "seed must be from 0"),
        ({"rate": 0.5, "seed": 0.5}, TypeError, "seed must be an integer"),
        ({"rate": 0.5, "noise_shape": 3}, TypeError, "noise_shape must be"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=f"Dropout 'd': {text}"):
        Dropout(**arguments, name="d")
