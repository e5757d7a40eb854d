"""AveragePooling2D and GlobalAveragePooling2D against torch in float64."""

import pytest
import torch
from layer_reference import batch, check_layer, images

from pyconv.layers import AveragePooling2D, GlobalAveragePooling2D


def padded_mean(size, strides, rows, columns):
    """Mean of the real cells of each window: a sum of padded cells over a count of ones."""

    def function(x):
        pad = lambda t: torch.nn.functional.pad(t, (*columns, *rows))  # noqa: E731
        mean = lambda t: torch.nn.functional.avg_pool2d(pad(t), size, strides)  # noqa: E731
        return mean(x) / mean(torch.ones_like(x))

    return images(function)


# shape, pool size, strides, padding, and the padding in numbers
CASES = [
    ((3, 8, 8, 5), (2, 2), None, "valid", ((0, 0), (0, 0))),
    ((2, 9, 7, 17), (3, 3), (2, 2), "valid", ((0, 0), (0, 0))),
    ((2, 7, 8, 3), (2, 3), (1, 1), "same", ((0, 1), (1, 1))),
    ((2, 7, 8, 3), (3, 3), (2, 2), "same", ((1, 1), (0, 1))),
    ((2, 7, 8, 3), (3, 3), None, ((1, 0), (2, 1)), ((1, 0), (2, 1))),
]


@pytest.mark.parametrize(("shape", "size", "strides", "padding", "sides"), CASES, ids=str)
def test_forward_and_gradient(isa, shape, size, strides, padding, sides):
    layer = AveragePooling2D(size, strides, padding)
    check_layer(layer, batch(*shape), padded_mean(size, strides or size, *sides))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", [(3, 8, 8, 5), (1, 1, 7, 33)])
def test_global(isa, shape, keepdims):
    layer = GlobalAveragePooling2D(keepdims=keepdims)
    check_layer(layer, batch(*shape), lambda x: x.mean((1, 2), keepdim=keepdims))
    inner = (1, 1) * keepdims
    assert layer.compute_output_shape((None, None, 4, 6)) == (None, *inner, 6)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="pool_size"):
        AveragePooling2D()
    with pytest.raises(ValueError, match="AveragePooling2D 'a': pool_size"):
        AveragePooling2D(-1, name="a")
    with pytest.raises(ValueError, match="AveragePooling2D 'a': padding must be smaller"):
        AveragePooling2D(2, padding=((0, 2), (0, 0)), name="a")
    with pytest.raises(ValueError, match="GlobalAveragePooling2D 'g': data_format"):
        GlobalAveragePooling2D("middle", name="g")


@pytest.mark.parametrize("shape", [(None, 5), (None, 4, 4), (None, 4, 4, None)])
def test_wrong_inputs(shape):
    for layer in (AveragePooling2D(2, name="p"), GlobalAveragePooling2D(name="p")):
        with pytest.raises(ValueError, match="Pooling2D 'p': (input|the number of channels) must"):
            layer.build(shape)
