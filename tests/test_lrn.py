"""Local response normalization against torch in float64, and against the paper's formula."""

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer, here

import pyconv
from pyconv import backend
from pyconv.layers import LocalResponseNormalization


def torch_norm(radius, bias, alpha, beta):
    """Return torch's, which divides alpha by the size of the window."""
    size = 2 * radius + 1

    def function(x):
        rows = x.reshape(-1, x.shape[-1], 1)
        y = torch.nn.functional.local_response_norm(rows, size, alpha * size, beta, bias)
        return y.reshape(x.shape)

    return function


@pytest.mark.parametrize("c", [1, 3, 8, 17, 96])
@pytest.mark.parametrize(
    "numbers", [(2, 2.0, 1e-4, 0.75), (5, 1.0, 1.0, 0.5), (1, 0.5, 0.3, 1.2), (0, 1.0, 2.0, 0.75)]
)
def test_gradients(isa, c, numbers):
    check_layer(LocalResponseNormalization(*numbers), 3 * batch(2, 3, 5, c), torch_norm(*numbers))


def test_rows_and_many_of_them():
    numbers = 2, 1.0, 0.5, 0.75
    for shape in ((4, 9), (3, 50, 60, 20)):
        check_layer(LocalResponseNormalization(*numbers), batch(*shape), torch_norm(*numbers))


def test_the_formula_of_the_paper_is_the_default():
    x = 30 * batch(2, 3, 3, 7)
    wide = x.astype("f8")
    k, n, alpha, beta = 2, 5, 1e-4, 0.75
    wanted = np.empty_like(wide)
    for i in range(7):
        near = wide[..., max(0, i - n // 2) : min(6, i + n // 2) + 1]
        wanted[..., i] = wide[..., i] / (k + alpha * (near**2).sum(-1)) ** beta
    np.testing.assert_allclose(LocalResponseNormalization()(x), wanted, rtol=1e-6)


def test_a_radius_beyond_all_channels():
    x = batch(4, 5)
    wanted = x / np.sqrt(1 + (x**2).sum(-1, keepdims=True))
    for radius in (4, 5, 2**31 - 1):
        layer = LocalResponseNormalization(radius, 1, 1, 0.5)
        np.testing.assert_allclose(layer(x), wanted, rtol=1e-6)


@pytest.mark.cpu
def test_any_number_of_threads_gives_the_same_bits(threads):
    x, dy = batch(2, 1000, 24)
    seen = []
    for n in (1, 2, 5):
        threads(n)
        seen.append(backend.active.lrn_forward(x, 2, 2.0, 0.1, 0.75).tobytes())
        seen.append(backend.active.lrn_backward(x, dy, 2, 2.0, 0.1, 0.75).tobytes())
    assert seen[:2] == seen[2:4] == seen[4:]


def test_config():
    layer = LocalResponseNormalization(3, 1.5, 0.1, 0.5, name="lrn")
    config = pyconv.layers.serialize(layer)
    assert pyconv.layers.deserialize(config).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"depth_radius": -1}, "depth_radius must be from 0"),
        ({"bias": 0}, "bias must be above 0"),
        ({"bias": -1}, "bias must be at least 0"),
        ({"alpha": -1e-4}, "alpha must be at least 0"),
        ({"beta": float("nan")}, "beta must be finite"),
    ],
)
def test_wrong_arguments(arguments, text):
    with pytest.raises(ValueError, match=f"LocalResponseNormalization .*: {text}"):
        LocalResponseNormalization(**arguments)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((-1, 1.0, 1.0, 0.5), "radius must be at least 0"),
        ((1, 0.0, 1.0, 0.5), "bias must be above 0"),
        ((1, 1.0, -1.0, 0.5), "alpha must be at least 0"),
    ],
)
def test_wrong_numbers(numbers, text):
    with pytest.raises(ValueError, match=f"local_response_normalization: {text}"):
        backend.active.lrn_forward(here(batch(2, 3)), *numbers)


def test_no_channels():
    with pytest.raises(ValueError, match=r"input must be \(N, ..., C\), got \(None,\)"):
        LocalResponseNormalization().build((None,))
    assert LocalResponseNormalization()(np.zeros((0, 3), "f4")).shape == (0, 3)
    assert backend.active.lrn_forward(here(np.zeros((2, 0), "f4")), 1, 1.0, 1.0, 0.5).size == 0
