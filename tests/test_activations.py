"""Activation functions: values and gradients against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, check_layer, here, passes

import pyconv
from pyconv import activations

F = torch.nn.functional


def sparsemax(x):
    """The projection by its condition: a threshold that what is above it exceeds by 1 in sum."""
    low, high = x.detach().min(-1, True).values - 1, x.detach().max(-1, True).values
    for _ in range(200):
        middle = (low + high) / 2
        above = (x.detach() - middle).clamp(min=0).sum(-1, True) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    kept = (x.detach() > high).to(x.dtype)
    threshold = ((x * kept).sum(-1, True) - 1) / kept.sum(-1, True)
    return (x - threshold) * kept


FUNCTIONS = {
    "linear": lambda x: x + 0,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "tanh": torch.tanh,
    "celu": F.celu,
    "elu": F.elu,
    "exponential": torch.exp,
    "gelu": F.gelu,
    "hard_shrink": F.hardshrink,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "log_sigmoid": F.logsigmoid,
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "mish": F.mish,
    "relu6": F.relu6,
    "selu": F.selu,
    "silu": F.silu,
    "soft_shrink": F.softshrink,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "sparse_plus": lambda x: torch.where(x <= -1, 0 * x, torch.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: ((x + 1) / 2).clamp(0, 1),
    "sparsemax": lambda x: sparsemax(x),
    "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
    "tanh_shrink": F.tanhshrink,
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
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
    kept = here(x) if function.uses_input else y
    dx = function.backward(kept, dy, here(np.empty_like(dy)))
    reference.check(dx, exact[1], approximate[1])
    # In place, as layers use them.
    assert np.array_equal(function.backward(kept, dy, dy), dx)


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
        ("Relu9", ValueError, "activations.get: activation must be one of celu, .*got 'Relu9'"),
        (np.ndarray, TypeError, "must be None, a name or a function, got a type"),
        (1, TypeError, "got a int; names are celu, elu"),
    ],
)
def test_wrong_identifiers(identifier, error, text):
    with pytest.raises(error, match=text):
        activations.get(identifier)


def test_wrong_input():
    with pytest.raises(TypeError, match="activations.tanh: x must be an array of real numbers"):
        activations.tanh("x")


@pytest.mark.parametrize(
    ("name", "arguments", "formula"),
    [
        (
            "relu",
            {"negative_slope": 0.1, "max_value": 2},
            lambda x: F.leaky_relu(x, 0.1).clamp(max=2),
        ),
        ("elu", {"alpha": 0.3}, lambda x: F.elu(x, 0.3)),
        ("celu", {"alpha": 0.3}, lambda x: F.celu(x, 0.3)),
        ("leaky_relu", {"negative_slope": 0.4}, lambda x: F.leaky_relu(x, 0.4)),
        ("gelu", {"approximate": True}, lambda x: F.gelu(x, approximate="tanh")),
        ("soft_shrink", {"threshold": 0.2}, lambda x: F.softshrink(x, 0.2)),
        ("threshold", {"threshold": 0.5, "default_value": -1}, lambda x: F.threshold(x, 0.5, -1)),
        ("softmax", {"axis": 0}, lambda x: torch.softmax(x, 0)),
        ("log_softmax", {"axis": 0}, lambda x: torch.log_softmax(x, 0)),
        ("squareplus", {"b": 1}, lambda x: (x + torch.sqrt(x * x + 1)) / 2),
    ],
)
def test_arguments(name, arguments, formula):
    x = np.random.default_rng(0).standard_normal((30, 5), np.float32)
    wanted = formula(torch.tensor(x, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(getattr(activations, name)(x, **arguments), wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("name", ["gelu", "elu", "log_softmax"])
def test_a_layer_with_an_activation_that_needs_its_input(name):
    def function(x, kernel, bias):
        return FUNCTIONS[name](x @ kernel + bias)

    x = batch(7, 6)
    check_layer(pyconv.layers.Dense(5, activation=name), x, function)
    check_layer(pyconv.layers.Activation(name), x, FUNCTIONS[name])


def test_a_function_of_the_users_own():
    def cube(x):
        return x**3

    layer = pyconv.layers.Dense(3, activation=cube)
    dy, y, dx, _ = passes(layer, x := batch(4, 5))
    kernel, _ = layer.get_weights()
    exact = autograd(
        lambda t: (t @ torch.tensor(kernel, dtype=t.dtype)) ** 3, [x], dy, torch.float64
    )
    np.testing.assert_allclose(y, exact[0], 1e-5, 1e-5)
    np.testing.assert_allclose(dx, exact[1], 1e-4, 1e-4)
    assert layer.get_config()["activation"] == "cube"
    again = activations.deserialize("cube", {"cube": cube})
    assert again(2.0) == 8
    with pytest.raises(ValueError, match="must treat each number by itself"):
        pyconv.layers.Activation(lambda t: t - t.mean())(x)


def test_plain_data():
    assert activations.serialize(activations.elu) == "elu"
    config = activations.serialize(type(activations.elu)(alpha=0.5))
    assert config == {"class_name": "ELU", "config": {"alpha": 0.5}}
    assert activations.deserialize(config)([-100.0]) == -0.5


def test_softmax_of_another_axis():
    config = {"class_name": "Softmax", "config": {"axis": 1}}
    layer = pyconv.layers.Activation(config)
    check_layer(layer, batch(2, 7, 3), lambda x: torch.softmax(x, 1))
    assert layer.get_config()["activation"] == config
    assert activations.serialize(activations.softmax) == "softmax"
