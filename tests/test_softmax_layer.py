"""The Softmax layer against torch in float64."""

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer

from pyconv.layers import Softmax


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((5, 10), -1), ((5, 10), 1), ((2, 7, 3), 1), ((2, 4, 5, 3), -2), ((2, 4, 5, 3), 1)],
    ids=str,
)
def test_forward_and_gradient(isa, shape, axis):
    check_layer(Softmax(axis), 5 * batch(*shape), lambda x: torch.softmax(x, axis))


def test_large_inputs():
    x = np.array([[1e30, -1e30, 1e30], [-1e30, -1e30, -1e30]])
    assert Softmax()(x) == pytest.approx(np.array([[0.5, 0, 0.5], [1 / 3] * 3]))


def test_ends_in_softmax():
    layer = Softmax(1)
    assert Softmax().ends_in_softmax
    assert not layer.ends_in_softmax
    layer.build((None, 3))
    assert layer.ends_in_softmax
    layer.build((None, 3, 4))
    assert not layer.ends_in_softmax
    x = batch(2, 3)
    assert layer.forward(x, True, logits=True) is x
    assert layer.backward(x, True, logits=True) is x
    assert layer.backward(x, False, logits=True) is None


@pytest.mark.parametrize(
    ("axis", "error", "text"),
    [
        (0, ValueError, "axis must not be 0, the axis of the batch"),
        (33, ValueError, "axis must be from -32 to 32"),
        (1.0, TypeError, "axis must be an integer"),
        ((1, 2.5), TypeError, "axis must be an integer"),
    ],
)
def test_wrong_arguments(axis, error, text):
    with pytest.raises(error, match=f"Softmax 's': {text}"):
        Softmax(axis, name="s")


@pytest.mark.parametrize(("axis", "shape"), [(2, (None, 3)), (-2, (None, 3)), (-1, (None,))])
def test_wrong_inputs(axis, shape):
    with pytest.raises(ValueError, match=f"Softmax 's': input must have axis {axis} beside"):
        Softmax(axis, name="s").build(shape)
