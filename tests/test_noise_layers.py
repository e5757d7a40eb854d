"""Layers of noise: in training alone, with their moments and gradients."""

import json

import numpy as np
import pytest
from layer_reference import batch, passes

from pyconv import layers

NOISE = [
    lambda: layers.GaussianNoise(0.5, seed=1),
    lambda: layers.GaussianDropout(0.4, seed=1),
    lambda: layers.AlphaDropout(0.4, seed=1),
    lambda: layers.AlphaDropout(0.4, (None, 1), seed=1),
    lambda: layers.Dropout(0.4, (None, 1), seed=1),
]


@pytest.mark.parametrize("make", NOISE)
def test_noise_is_in_training_only_and_is_taken_up_again(make):
    layer, x = make(), batch(20, 50)
    assert np.array_equal(layer(x), x)
    first, state = layer(x, training=True), layer.get_state()
    second = layer(x, training=True)
    assert not np.array_equal(first, second)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert np.array_equal(again(x, training=True), first)
    again.set_state(state)
    assert np.array_equal(again(x, training=True), second)
    with pytest.raises(ValueError, match="state must hold stream and next"):
        layer.set_state({"stream": 1})


@pytest.mark.parametrize("make", NOISE)
def test_gradient_of_noise(make):
    """What is drawn is kept for backward: y is linear in x, and dx is its slope."""
    layer, x = make(), batch(4, 30)
    _, y, dx, _ = passes(layer, x, training=True)
    dy = np.random.default_rng(11).standard_normal(y.shape, np.float32)
    moved = layers.deserialize(layers.serialize(layer)).forward(x + 1, True)
    np.testing.assert_allclose(dx, dy * (moved - y), atol=2e-5)


def test_moments_of_noise():
    x = np.full((100, 1000), 2.0)
    noisy = layers.GaussianNoise(0.5, seed=1)(x, training=True)
    assert (noisy.mean(), noisy.std()) == pytest.approx((2, 0.5), abs=0.01)
    noisy = layers.GaussianDropout(0.2, seed=1)(x, training=True)
    assert (noisy.mean(), noisy.std()) == pytest.approx((2, 2 * 0.5), abs=0.02)
    x = np.random.default_rng(0).standard_normal((100, 1000))
    noisy = layers.AlphaDropout(0.3, seed=1)(x, training=True)
    assert (noisy.mean(), noisy.std()) == pytest.approx((0, 1), abs=0.02)


def test_spatial_dropout():
    layer = layers.SpatialDropout2D(0.25, seed=1)
    y = layer(np.ones((50, 3, 4, 20)), training=True)
    assert np.array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.05)
