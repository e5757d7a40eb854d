"""The Activation layer against torch in float64."""

import pytest
import torch
from layer_reference import batch, check_layer

from pyconv import activations
from pyconv.layers import Activation

FUNCTIONS = {
    "linear": lambda x: x + 0,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "tanh": torch.tanh,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(4, 10), (2, 3, 5, 7)])
def test_forward_and_gradient(isa, name, shape):
    check_layer(Activation(name), 3 * batch(*shape), FUNCTIONS[name])


def test_functions_and_none():
    assert Activation(activations.tanh).activation is activations.tanh
    assert Activation(None).activation is activations.linear
    assert Activation("softmax").ends_in_softmax
    assert not Activation("relu").ends_in_softmax
    assert Activation("relu").compute_output_shape((None, 3, None)) == (None, 3, None)


def test_before_the_softmax():
    layer, x = Activation("softmax"), batch(2, 3)
    assert layer.forward(x, True, logits=True) is x
    assert layer.backward(x, True, logits=True) is x
    assert layer.backward(x, False) is None


def test_wrong_arguments():
    with pytest.raises(
        ValueError, match="Activation 'a': activation must be one of .*linear, .*relu"
    ):
        Activation("swich", name="a")
    with pytest.raises(TypeError, match="Activation 'a': activation must be None, a name or"):
        Activation(3, name="a")
