"""The Conv2D layer against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, check_layer, conv2d, here, passes

from pyconv.layers import Conv2D

# x (H, W, C), filters, kernel size, options
CASES = [
    ((8, 8, 3), 16, 2, {"padding": "same"}),
    ((9, 7, 3), 5, 3, {"strides": 2, "padding": "same"}),
    ((9, 7, 4), 6, (3, 2), {"strides": (2, 3)}),
    ((7, 8, 4), 6, 3, {"dilation_rate": (2, 1), "groups": 2}),
    ((6, 6, 5), 10, 3, {"padding": "same", "groups": 5}),
    ((5, 6, 2), 3, 3, {"padding": ((2, 0), (1, 3))}),
    ((5, 6, 2), 3, 3, {"padding": 1}),
    ((6, 6, 32), 33, 3, {"padding": "SAME"}),
    ((4, 4, 7), 8, 1, {}),
]


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def in_torch(shape, kernel, options):
    strides, dilation = pair(options.get("strides", 1)), pair(options.get("dilation_rate", 1))
    padding = options.get("padding", "valid")
    if isinstance(padding, str):
        sides = [
            reference.same(size, k, s, d) if padding.lower() == "same" else (0, 0)
            for size, k, s, d in zip(shape, pair(kernel), strides, dilation, strict=False)
        ]
    else:
        sides = pair(padding) if isinstance(padding, tuple) else (pair(padding), pair(padding))
    return conv2d(strides, (*sides[0], *sides[1]), dilation, options.get("groups", 1))


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(("shape", "filters", "kernel", "options"), CASES, ids=str)
def test_forward_and_gradients(isa, shape, filters, kernel, options, use_bias):
    layer = Conv2D(filters, kernel, use_bias=use_bias, bias_initializer="normal", **options)
    check_layer(layer, batch(3, *shape), in_torch(shape, kernel, options))
    assert len(layer.weights) == 1 + use_bias


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "softmax"])
def test_activations(activation):
    function = {"softmax": lambda y: torch.softmax(y, -1)}.get(activation) or getattr(
        torch, activation
    )
    layer = Conv2D(5, 3, activation=activation, bias_initializer="normal")
    check_layer(layer, batch(2, 6, 6, 3), lambda *a: function(conv2d()(*a)))


def test_before_the_softmax():
    layer, x = Conv2D(5, 3, activation="softmax"), batch(2, 6, 6, 3)
    # An evaluation with the softmax leaves nothing that the next step would take up.
    layer(-x)
    logits = layer.forward(x, True, logits=True).copy()
    dy = batch(*logits.shape)
    dx = layer.backward(here(dy), True, logits=True).copy()
    got = [logits, dx, layer.grads[0], layer.grads[1]]
    results = [
        autograd(conv2d(), [x, *layer.get_weights()], dy, dtype)
        for dtype in (torch.float64, torch.float32)
    ]
    for ours, exact, approximate in zip(got, *results, strict=True):
        reference.check(ours, exact, approximate)


def test_smaller_batches_and_images_after_larger_ones():
    layer = Conv2D(4, 3, padding="same", strides=2)
    for shape in ((5, 9, 9, 2), (2, 9, 9, 2), (1, 4, 6, 2), (5, 9, 9, 2)):
        check_layer(layer, batch(*shape), in_torch(shape[1:3], 3, layer.get_config()))


def test_no_gradient_of_the_input_where_none_is_wanted():
    layer, x = Conv2D(4, 3), batch(2, 5, 5, 2)
    _, _, _, grads = passes(layer, x)
    layer.grads[0][:] = 0
    y = layer.forward(x, True)
    dy = np.random.default_rng(11).standard_normal(y.shape, np.float32)
    assert layer.backward(dy, False) is None
    assert np.array_equal(layer.grads[0], grads[0])


@pytest.mark.parametrize(
    ("shape", "arguments", "expected"),
    [
        ((None, 32, 32, 3), (16, 2, 1, "same"), (None, 32, 32, 16)),
        ((None, 32, 32, 3), (6, 5), (None, 28, 28, 6)),
        ((8, 32, 33, 3), (6, 5, 2), (8, 14, 15, 6)),
        ((None, 32, 33, 3), (6, 5, 2, "same"), (None, 16, 17, 6)),
        ((None, 7, 7, 1), (1, 3, 1, "valid", None, 3), (None, 1, 1, 1)),
        ((None, None, 9, 3), (6, 3, 2), (None, None, 4, 6)),
        ((None, None, None, 3), (6, 3, 1, "same"), (None, None, None, 6)),
    ],
)
def test_shapes(shape, arguments, expected):
    assert Conv2D(*arguments).compute_output_shape(shape) == expected


def test_weights():
    layer = Conv2D(12, (2, 3), groups=2, bias_initializer="ones")
    layer.build((None, 8, 8, 4))
    assert (layer.kernel.shape, layer.bias.shape) == ((2, 3, 2, 12), (12,))
    assert layer.count_params() == 2 * 3 * 2 * 12 + 12
    assert (layer.bias == 1).all()
    limit = (6 / (2 * 3 * (2 + 12))) ** 0.5
    assert 0.9 * limit < np.abs(layer.kernel).max() <= np.float32(limit)
    assert Conv2D(1, 1, use_bias=False).bias is None


def test_an_image_may_be_unknown_in_size():
    layer = Conv2D(2, 3)
    layer.build((None, None, None, 1))
    assert layer(batch(1, 5, 4, 1)).shape == (1, 3, 2, 2)
    assert layer(batch(0, 5, 4, 1)).shape == (0, 3, 2, 2)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"filters": 0}, ValueError, "filters must be a positive integer, got 0"),
        ({"filters": -1}, ValueError, "filters"),
        ({"filters": 2**31}, ValueError, "filters"),
        ({"filters": 2.0}, TypeError, "filters must be an integer, got 2.0"),
        ({"filters": True}, TypeError, "filters must be an integer"),
        ({"kernel_size": 0}, ValueError, "kernel_size"),
        ({"kernel_size": (2, 0)}, ValueError, r"kernel_size\[1\] must be a positive"),
        ({"kernel_size": (2, 2, 2)}, ValueError, r"kernel_size must be an integer or \(height"),
        ({"kernel_size": "3"}, TypeError, "kernel_size"),
        ({"kernel_size": float("nan")}, TypeError, "kernel_size"),
        ({"strides": 0}, ValueError, "strides"),
        ({"strides": (1, 2**63)}, ValueError, r"strides\[1\]"),
        ({"padding": "full"}, ValueError, "padding must be 'valid', 'same', an integer or"),
        ({"padding": -1}, ValueError, "padding"),
        ({"padding": None}, TypeError, "padding"),
        ({"dilation_rate": 0}, ValueError, "dilation_rate"),
        ({"strides": 2, "dilation_rate": 2}, ValueError, "strides and dilation_rate cannot both"),
        ({"groups": 0}, ValueError, "groups"),
        ({"groups": 3}, ValueError, "multiple of groups, got filters=4 and groups=3"),
        ({"activation": "rely"}, ValueError, "activation must be one of .*, got 'rely'"),
        ({"activation": 3}, TypeError, "activation must be None, a name or a function"),
        ({"kernel_initializer": "glorot"}, ValueError, "unknown kernel_initializer 'glorot'"),
        ({"bias_initializer": 0.0}, TypeError, "bias_initializer must be a name"),
        ({"data_format": "middle"}, ValueError, "an activation is given by name"),
    ],
)
def test_wrong_arguments(change, error, text):
    with pytest.raises(error, match=f"Conv2D 'c': .*{text}"):
        Conv2D(**{"filters": 4, "kernel_size": 3, "name": "c", **change})


def test_the_positional_arguments_of_the_course():
    with pytest.raises(ValueError, match="activation is given by name: activation='relu'"):
        Conv2D(16, 2, 1, "same", "relu", (32, 32, 3))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((None, 8, 8), r"input must be \(N, H, W, C\), got \(None, 8, 8\); .*np.newaxis"),
        ((None, 64), "put this layer before Flatten"),
        ((None, 8, 8, 3, 1), "input must be"),
        ((None, 8, 8, None), "number of channels must be known"),
        ((None, 8, 8, 3), "groups must divide the input's channels, got groups=2"),
        ((None, 2, 8, 4), r"window of \(3, 3\) .* does not fit into an input of \(2, 8\)"),
    ],
)
def test_wrong_inputs(shape, text):
    layer = Conv2D(4, 3, groups=2, name="c")
    with pytest.raises(ValueError, match=f"Conv2D 'c': .*{text}"):
        layer.build(shape)
    assert not layer.built
    assert not layer.weights
