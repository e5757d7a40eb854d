"""Adaptive pooling of lines, images and volumes, with gradients, against torch in float64."""

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer

from pyconv import layers

F = torch.nn.functional
SIZES = [
    (1, (7,), (3,)),
    (1, (6,), (2,)),
    (1, (3,), (5,)),
    (2, (5, 7), (2, 3)),
    (2, (4, 6), (1, 6)),
]
SIZES += [(3, (3, 4, 5), (2, 3, 2)), (3, (4, 4, 6), (2, 2, 3))]


@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize(("rank", "size", "wanted"), SIZES)
def test_forward_and_gradients(kind, rank, size, wanted):
    pool = getattr(F, f"adaptive_{'avg' if kind == 'Average' else 'max'}_pool{rank}d")
    layer = getattr(layers, f"Adaptive{kind}Pooling{rank}D")(wanted)
    x = batch(2, *size, 3)
    check_layer(layer, x, lambda x: pool(x.movedim(-1, 1), wanted).movedim(1, -1))
    first = type(layer).from_config({**layer.get_config(), "data_format": "channels_first"})
    assert np.array_equal(first(np.moveaxis(x, -1, 1)), np.moveaxis(layer(x), -1, 1))
    assert first.output_shape == (None, 3, *wanted)


def test_the_first_of_equal_cells_has_the_gradient():
    layer = layers.AdaptiveMaxPooling2D(1)
    layer.build((None, 2, 3, 1))
    layer.forward(np.ones((1, 2, 3, 1), np.float32), True)
    dx = layer.backward(np.ones((1, 1, 1, 1), np.float32), True)
    assert dx.ravel().tolist() == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.AdaptiveMaxPooling2D((1, 2, 3)), "output_size must be an integer or a"),
        (lambda: layers.AdaptiveMaxPooling2D(0), "output_size must be"),
        (lambda: layers.AdaptiveAveragePooling1D(2).build((None, 3)), r"must be \(N, L, C\)"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
