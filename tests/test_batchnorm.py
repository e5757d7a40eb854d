"""Batch normalization: the kernels and the layer against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, here

import pyconv
from pyconv import backend
from pyconv.layers import BatchNormalization

EPSILON = 1e-3


def normalized(x, gamma, beta, mean=None, variance=None):
    """Return the formula; mean and variance of ``x`` itself where none are given."""
    if mean is None:
        mean = x.mean(dim=tuple(range(x.ndim - 1)))
        variance = ((x - mean) ** 2).mean(dim=tuple(range(x.ndim - 1)))
    return gamma * (x - mean) / torch.sqrt(variance + EPSILON) + beta


def case(rows, c, offset=0.0, seed=3):
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, rows, c), np.float32)
    gamma, beta = rng.standard_normal((2, c), np.float32)
    return x + np.float32(offset), dy, gamma, beta


SIZES = [(2, 1), (2, 3), (33, 7), (520, 8), (513, 9), (257, 31), (90, 33), (40, 260), (2000, 16)]


@pytest.mark.parametrize(("rows", "c"), SIZES)
@pytest.mark.parametrize("offset", [0, 10])
def test_batch(isa, rows, c, offset):
    x, dy, gamma, beta = case(rows, c, offset)
    mean, rest, variance = backend.active.batchnorm_moments(here(x))
    wide = x.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(variance, wide.var(axis=0), rtol=1e-5, atol=1e-9)
    exact, single = (
        autograd(normalized, [x, gamma, beta], dy, dtype)
        for dtype in (torch.float64, torch.float32)
    )
    own = here(x), here(dy), here(gamma)
    moments = mean, rest, variance, EPSILON
    y = backend.active.batchnorm_forward(own[0], own[2], here(beta), *moments)
    dgamma, dbeta, dx = here(gamma), here(beta), here(x)
    backend.active.batchnorm_backward(*own, *moments, True, dgamma, dbeta, dx)
    for ours, truth, theirs in zip((y, dx, dgamma, dbeta), exact, single, strict=True):
        reference.check(ours, truth, theirs)
    # Over dy, as layers use it.
    over = own[1]
    backend.active.batchnorm_backward(*own, *moments, True, None, None, over)
    assert np.array_equal(over, dx)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize(("rows", "c"), [(2, 1), (33, 7), (520, 16), (257, 31), (90, 33)])
def test_what_is_done_in_the_same_pass(isa, rows, c, adds, relu):
    x, dy, gamma, beta = case(rows, c)
    addend = case(rows, c, seed=4)[0]

    def function(x, gamma, beta, addend):
        y = normalized(x, gamma, beta) + (addend if adds else 0 * addend)
        return torch.relu(y) if relu else y

    given = [x, gamma, beta, addend]
    exact, single = (autograd(function, given, dy, t) for t in (torch.float64, torch.float32))
    own, grad, own_gamma, own_beta, own_addend = map(here, (x, dy, gamma, beta, addend))
    moments = *backend.active.batchnorm_moments(own), EPSILON
    end = (own_addend if adds else None, "relu" if relu else "linear")
    forward = backend.active.batchnorm_forward
    y = forward(own, own_gamma, own_beta, *moments, None, *end)
    dgamma, dbeta, dx = here(gamma), here(beta), here(x)
    given = own, grad, own_gamma, *moments, True, dgamma, dbeta, dx
    backend.active.batchnorm_backward(*given, y if relu else None)
    for ours, truth, theirs in zip((y, dx, dgamma, dbeta), exact[:4], single[:4], strict=True):
        reference.check(ours, truth, theirs)
    # What is left is the gradient of the addend.
    assert np.array_equal(grad, np.where(np.asarray(y) > 0, dy, 0) if relu else dy)
    if adds:
        over = forward(own, own_gamma, own_beta, *moments, own_addend, *end)
        assert over is own_addend
        assert np.array_equal(over, y)


def test_the_variance_of_numbers_far_from_0(isa):
    x, *_ = case(3000, 9, offset=3000)
    mean, rest, variance = backend.active.batchnorm_moments(here(x))
    wide = x.astype(np.float64)
    exact = wide.mean(axis=0)
    np.testing.assert_allclose(np.asarray(mean, np.float64) + np.asarray(rest), exact, rtol=1e-10)
    np.testing.assert_allclose(variance, wide.var(axis=0), rtol=1e-5)


@pytest.mark.cpu
def test_any_number_of_threads_gives_the_same_bits(threads):
    x, dy, gamma, beta = case(5000, 24)
    seen = []
    for n in (1, 2, 5):
        threads(n)
        mean, rest, variance = backend.active.batchnorm_moments(x)
        dgamma, dbeta, dx = np.empty_like(gamma), np.empty_like(beta), np.empty_like(x)
        backend.active.batchnorm_backward(
            x, dy, gamma, mean, rest, variance, EPSILON, True, dgamma, dbeta, dx
        )
        seen.append([a.tobytes() for a in (mean, variance, dgamma, dbeta, dx)])
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x, c: backend.active.batchnorm_moments(x[:0]), "x must have at least one row"),
        (lambda x, c: backend.active.batchnorm_moments(x[:, :0]), "at least one channel"),
        (
            lambda x, c: backend.active.batchnorm_forward(x, c[:2], c, c, None, c, 1e-3),
            r"batch_norm: gamma must be \(3,\), got \(2,\)",
        ),
        (
            lambda x, c: backend.active.batchnorm_backward(x, x[:1], c, c, None, c, 1e-3, True),
            "batch_norm_backward: dy must be",
        ),
        (lambda x, c: backend.active.batchnorm_forward(x, c, c, c, None, c, -1.0), "epsilon"),
        (
            lambda x, c: backend.active.batchnorm_forward(x, c, c, c, None, c, 1.0, None, x[:1]),
            r"batch_norm: addend must be \(4, 3\), got \(1, 3\)",
        ),
        (
            lambda x, c: backend.active.batchnorm_backward(
                x, x.copy(), c, c, None, c, 1.0, True, None, None, None, x[:1]
            ),
            r"batch_norm_backward: y must be \(4, 3\)",
        ),
    ],
)
def test_wrong_arrays(call, text):
    with pytest.raises(ValueError, match=text):
        call(here(np.ones((4, 3), "f4")), here(np.ones(3, "f4")))


@pytest.mark.parametrize("axis", [-1, 1, 3])
@pytest.mark.parametrize(("center", "scale"), [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize("mode", ["training", "inference", "frozen"])
def test_layer(axis, center, scale, mode):
    rng = np.random.default_rng(0)
    x = (3 * rng.standard_normal((4, 5, 6, 5)) + 2).astype("f4")
    dy = rng.standard_normal(x.shape, np.float32)
    layer = BatchNormalization(axis=axis, momentum=0.9, center=center, scale=scale)
    layer.build(x.shape)
    layer.set_weights([rng.random(5, np.float32) + 0.5 for _ in layer.weights])
    kept = dict(zip(layer.named_weights, layer.get_weights(), strict=True))
    layer.trainable = mode != "frozen"
    y = layer.forward(here(x), mode != "inference").copy()
    dx = layer.backward(here(dy), True)
    last = np.moveaxis(x, axis, -1)
    gamma = kept.get("gamma", np.ones(5, "f4"))
    beta = kept.get("beta", np.zeros(5, "f4"))
    moments = [] if mode == "training" else [kept["moving_mean"], kept["moving_variance"]]
    exact, single = (
        autograd(normalized, [last, gamma, beta, *moments], np.moveaxis(dy, axis, -1), dtype)
        for dtype in (torch.float64, torch.float32)
    )
    reference.check(y, np.moveaxis(exact[0], -1, axis), np.moveaxis(single[0], -1, axis))
    reference.check(dx, np.moveaxis(exact[1], -1, axis), np.moveaxis(single[1], -1, axis))
    if mode != "frozen":
        wanted = [2] * scale + [3] * center
        for ours, i in zip(layer.grads, wanted, strict=True):
            reference.check(ours, exact[i], single[i])
    mean, variance = kept["moving_mean"], kept["moving_variance"]
    if mode == "training":
        wide = last.reshape(-1, 5).astype(np.float64)
        mean = 0.9 * mean + 0.1 * wide.mean(axis=0)
        variance = 0.9 * variance + 0.1 * wide.var(axis=0)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-6)


def test_weights_and_their_kinds():
    layer = BatchNormalization()
    layer.build((None, 4, 4, 3))
    assert list(layer.named_weights) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 2
    assert layer.count_params() == 12
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 4


def network():
    pyconv.utils.set_random_seed(1)
    return pyconv.Sequential(
        [
            pyconv.Input((6, 6, 2)),
            pyconv.layers.Conv2D(4, 3, use_bias=False),
            BatchNormalization(momentum=0.5),
            pyconv.layers.ReLU(),
            pyconv.layers.Flatten(),
            pyconv.layers.Dense(3, activation="softmax"),
        ]
    )


def test_training_saving_and_loading(tmp_path):
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((64, 6, 6, 2), np.float32), rng.integers(0, 3, 64)
    x[np.arange(64), 0, 0, 0] += y
    model = network()
    model.compile(
        pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(x, y, epochs=40, batch_size=16, verbose=0).history
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert len(model.optimizer.variables) == 2 + 2 * len(model.trainable_weights)
    assert len(model.weights) == len(model.trainable_weights) + 2
    assert "Non-trainable params: 8 " in summary(model)
    model.save(tmp_path / "m")
    again = pyconv.models.load_model(tmp_path / "m")
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)


def summary(model):
    lines = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "shape", "text"),
    [
        ({"axis": 0}, (None, 3), "Axis 0 is out of bounds"),
        ({"axis": 3}, (None, 3), "Axis 3 is out of bounds"),
        ({"momentum": 1.5}, None, "momentum must be from 0 to 1"),
        ({"epsilon": -1}, None, "epsilon"),
        ({}, (None, 4, None), "the size of axis -1 must be known"),
    ],
)
def test_wrong_arguments(arguments, shape, text):
    with pytest.raises(ValueError, match=text):
        BatchNormalization(**arguments).build(shape)


def test_other_channels():
    layer = BatchNormalization()
    layer.build((None, 3))
    with pytest.raises(ValueError, match="it was built for 3 channels"):
        layer(np.ones((2, 4)))
