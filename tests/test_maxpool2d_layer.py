"""The MaxPooling2D layer: bit-equal to torch."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, images, passes

from pyconv.layers import MaxPooling2D

# shape, pool size, strides, padding
CASES = [
    ((3, 8, 8, 5), 2, None, "valid"),
    ((2, 9, 7, 17), 3, 2, "valid"),
    ((2, 7, 8, 3), (2, 3), 1, "same"),
    ((2, 7, 8, 3), 3, 2, "same"),
    ((2, 7, 8, 3), 3, None, ((1, 0), (2, 1))),
    ((1, 5, 5, 1), 5, 1, 2),
]


@pytest.mark.parametrize(("shape", "size", "strides", "padding"), CASES, ids=str)
def test_forward_and_gradient(isa, shape, size, strides, padding):
    # Few different values: ties go to the first of the window.
    x = np.round(batch(*shape))
    layer = MaxPooling2D(size, strides, padding)
    dy, y, dx, grads = passes(layer, x)
    if padding == "same":
        rows, columns = (
            reference.same(shape[1 + i], layer.pool_size[i], layer.strides[i], 1) for i in (0, 1)
        )
    else:
        rows, columns = ((0, 0), (0, 0)) if padding == "valid" else layer.padding

    @images
    def function(t):
        padded = torch.nn.functional.pad(t, (*columns, *rows), value=-float("inf"))
        return torch.nn.functional.max_pool2d(padded, layer.pool_size, layer.strides)

    exact, approximate = (autograd(function, [x], dy, t) for t in (torch.float64, torch.float32))
    assert y.tobytes() == approximate[0].tobytes()
    # Overlapping windows add their gradients up.
    reference.check(dx, exact[1], approximate[1])
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *y.shape[1:])
    assert grads == layer.weights == []
    assert layer.count_params() == 0


@pytest.mark.parametrize(
    ("shape", "arguments", "expected"),
    [
        ((None, 32, 32, 16), (), (None, 16, 16, 16)),
        ((4, 5, 7, 3), (2,), (4, 2, 3, 3)),
        ((4, 5, 7, 3), (2, None, "same"), (4, 3, 4, 3)),
        ((None, 13, 13, 3), (3, 2), (None, 6, 6, 3)),
        ((None, None, 7, 3), ((3, 2), 1), (None, None, 6, 3)),
    ],
)
def test_shapes(shape, arguments, expected):
    assert MaxPooling2D(*arguments).compute_output_shape(shape) == expected


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"pool_size": 0}, ValueError, "'p': pool_size must be a positive"),
        ({"pool_size": "2"}, TypeError, "'p': pool_size must be an integer"),
        ({"strides": -1}, ValueError, "'p': strides must be a positive"),
        ({"padding": "reflect"}, ValueError, "'p': padding must be 'valid', 'same'"),
        ({"padding": 2}, ValueError, "'p': padding must be smaller than pool_size, .*padding="),
        ({"data_format": "middle"}, ValueError, "'p': data_format"),
        ({"stride": 2}, ValueError, "did you mean 'strides' in place of 'stride'"),
    ],
)
def test_wrong_arguments(change, error, text):
    with pytest.raises(error, match=f"MaxPooling2D.*{text}"):
        MaxPooling2D(**{"name": "p", **change})


def test_wrong_inputs():
    with pytest.raises(ValueError, match=r"MaxPooling2D 'p': a window of \(2, 2\).*\(1, 4\)"):
        MaxPooling2D(name="p").build((None, 1, 4, 3))
    with pytest.raises(ValueError, match="MaxPooling2D 'p': input must be"):
        MaxPooling2D(name="p").build((None, 16))
