"""Activation functions: values and gradients against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, here

from pyconv import activations

FUNCTIONS = {
    "linear": lambda x: x + 0,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "tanh": torch.tanh,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("scale", [0.1, 1, 30])
def test_values_and_gradients(isa, name, scale):
    function = activations.get(name)
    rng = np.random.default_rng(4)
    x, dy = rng.standard_normal((2, 37, 21), np.float32)
    x *= scale
    exact, approximate = (
        autograd(FUNCTIONS[name], [x], dy, dtype) for dtype in (torch.float64, torch.float32)
    )
    y, dy = function(x), here(dy)
    reference.check(y, exact[0], approximate[0])
    dx = function.backward(y, dy, here(np.empty_like(dy)))
    reference.check(dx, exact[1], approximate[1])
    # In place, as layers use them.
    assert np.array_equal(function.backward(y, dy, dy), dx)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_input_is_left_alone(name):
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    kept = x.copy()
    result = activations.get(name)(x)
    assert np.array_equal(x, kept)
    assert not np.shares_memory(result, x)
    assert np.array_equal(activations.get(name)(x[:, ::2]), activations.get(name)(x[:, ::2].copy()))


def test_special_values():
    x = np.array([[-np.inf, -1e4, -100, 0, 100, 1e4, np.inf]], np.float32)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        sigmoid, tanh = activations.sigmoid(x)[0], activations.tanh(x)[0]
    assert sigmoid[[0, 1, 3, 5, 6]].tolist() == [0, 0, 0.5, 1, 1]
    assert sigmoid[2] == pytest.approx(np.exp(-100.0), abs=1e-38)
    assert tanh.tolist() == [-1, -1, -1, 0, 1, 1, 1]
    for function in (activations.sigmoid, activations.tanh, activations.relu):
        assert np.isnan(function([np.nan])).all()


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get("softmax") is activations.softmax
    assert activations.get(activations.tanh) is activations.tanh
    assert repr(activations.relu) == "<activation relu>"


@pytest.mark.parametrize(
    ("identifier", "error", "text"),
    [
        ("Relu6", ValueError, "activations.get: activation must be one of linear, .*got 'Relu6'"),
        (np.tanh, TypeError, "must be None, a name or a function of pyconv.activations, got a uf"),
        (1, TypeError, "got a int; names are linear, relu"),
    ],
)
def test_wrong_identifiers(identifier, error, text):
    with pytest.raises(error, match=text):
        activations.get(identifier)


def test_wrong_input():
    with pytest.raises(TypeError, match="activations.tanh: x must be an array of real numbers"):
        activations.tanh("x")
