"""The Dense layer against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, check_layer

from pyconv.layers import Dense

ACTIVATIONS = {
    None: lambda y: y,
    "linear": lambda y: y,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softmax": lambda y: torch.softmax(y, -1),
    "tanh": torch.tanh,
}


def linear(x, kernel, bias=None):
    return x @ kernel if bias is None else x @ kernel + bias


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(1, 7), (33, 20), (3, 4, 5), (2, 3, 2, 9)])
def test_forward_and_gradients(isa, shape, activation):
    layer = Dense(17, activation, bias_initializer="normal")
    check_layer(layer, batch(*shape), lambda *a: ACTIVATIONS[activation](linear(*a)))


def test_without_bias():
    layer = Dense(6, use_bias=False)
    check_layer(layer, batch(5, 4), linear)
    assert [w.shape for w in layer.weights] == [(4, 6)]
    assert layer.bias is None


@pytest.mark.parametrize("shape", [(6, 8), (2, 3, 8)])
def test_before_the_softmax(shape):
    layer, x = Dense(5, "softmax"), batch(*shape)
    # An evaluation with the softmax leaves nothing that the next step would take up.
    layer(-x)
    logits = layer.forward(x, True, logits=True).copy()
    dy = batch(*logits.shape)
    got = [logits, layer.backward(dy.copy(), True, logits=True).copy(), *layer.grads]
    results = [
        autograd(linear, [x, *layer.get_weights()], dy, dtype)
        for dtype in (torch.float64, torch.float32)
    ]
    for ours, exact, approximate in zip(got, *results, strict=True):
        reference.check(ours, exact, approximate)
    assert layer.ends_in_softmax
    assert not Dense(5, "relu").ends_in_softmax


def test_weights():
    layer = Dense(500, bias_initializer="ones")
    layer.build((None, 1024))
    assert (layer.kernel.shape, layer.bias.shape) == ((1024, 500), (500,))
    assert layer.count_params() == 512_500
    limit = np.float32((6 / 1524) ** 0.5)
    assert 0.999 * limit < np.abs(layer.kernel).max() <= limit
    assert (layer.bias == 1).all()


def test_shapes():
    assert Dense(3).compute_output_shape((None, 4)) == (None, 3)
    assert Dense(3).compute_output_shape((2, None, 5, 4)) == (2, None, 5, 3)
    layer = Dense(3)
    assert layer(batch(0, 4)).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"units": 0}, ValueError, "units must be a positive integer, got 0"),
        ({"units": -3}, ValueError, "units"),
        ({"units": 1.5}, TypeError, "units must be a positive integer, got 1.5"),
        ({"units": None}, TypeError, "units must be a positive integer"),
        ({"activation": "softplux"}, ValueError, "activation must be one of"),
        ({"kernel_initializer": None}, TypeError, "kernel_initializer must be a name"),
    ],
)
def test_wrong_arguments(change, error, text):
    with pytest.raises(error, match=f"Dense 'd': .*{text}"):
        Dense(**{"units": 4, "name": "d", **change})


@pytest.mark.parametrize("shape", [(None,), (None, None), (None, 3, None)])
def test_wrong_inputs(shape):
    with pytest.raises(ValueError, match=r"Dense 'd': input must be \(N, ..., IN\) with a known"):
        Dense(4, name="d").build(shape)
