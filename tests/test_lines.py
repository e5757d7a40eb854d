"""Layers of lines (N, L, C): forward and every gradient against torch in float64."""

import copy
import json

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer, passes

import pyconv
from pyconv import layers

F = torch.nn.functional


def lines(function):
    """Return a function of (N, C, L) as one of (N, L, C)."""
    return lambda x, *weights: function(x.permute(0, 2, 1), *weights).permute(0, 2, 1)


def conv(stride=1, pads=(0, 0), dilation=1, groups=1):
    def function(x, kernel, bias=None):
        weight = kernel.permute(2, 1, 0)
        return F.conv1d(F.pad(x, pads), weight, bias, stride, 0, dilation, groups)

    return lines(function)


def depthwise(x, kernel, bias=None, **geometry):
    k, c, m = kernel.shape
    return conv(groups=c, **geometry)(x, kernel.reshape(k, 1, c * m), bias)


def transpose(stride, cut=0):
    def function(x, kernel, bias):
        y = F.conv_transpose1d(x, kernel.permute(2, 1, 0), None, stride)
        return y[..., : y.shape[2] - cut] + bias[:, None]

    return lines(function)


RANDOM = {"bias_initializer": "uniform"}
CHECKED = [
    (layers.Conv1D(7, 3, **RANDOM), (2, 9, 5), conv()),
    (layers.Conv1D(6, 2, 2, "same", groups=2, use_bias=False), (2, 9, 4), conv(2, (0, 1), 1, 2)),
    (layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 9, 3), conv(1, (4, 0), 2)),
    (
        layers.Conv1D(4, 3, activation="relu", **RANDOM),
        (2, 9, 3),
        lambda *given: torch.relu(conv()(*given)),
    ),
    (layers.DepthwiseConv1D(3, depth_multiplier=2, **RANDOM), (2, 9, 5), depthwise),
    (
        layers.SeparableConv1D(7, 3, strides=2, **RANDOM),
        (2, 9, 5),
        lambda x, first, second, b: conv()(depthwise(x, first, stride=2), second, b),
    ),
    (layers.Conv1DTranspose(4, 3, 2, **RANDOM), (2, 5, 3), transpose(2)),
    (layers.Conv1DTranspose(4, 3, 2, "same"), (2, 5, 3), transpose(2, 1)),
    (layers.MaxPooling1D(3, 2), (2, 9, 5), lines(lambda x: F.max_pool1d(x, 3, 2))),
    (layers.AveragePooling1D(3, 2), (2, 9, 5), lines(lambda x: F.avg_pool1d(x, 3, 2))),
    (
        layers.AveragePooling1D(3, 2, "same"),
        (2, 9, 5),
        lines(lambda x: F.avg_pool1d(x, 3, 2, 1, count_include_pad=False)),
    ),
    (layers.GlobalAveragePooling1D(), (2, 9, 5), lambda x: x.mean(dim=1)),
    (layers.GlobalMaxPooling1D(keepdims=True), (2, 9, 5), lambda x: x.amax(1, keepdim=True)),
    (layers.ZeroPadding1D((1, 2)), (2, 9, 5), lambda x: F.pad(x, (0, 0, 1, 2))),
    (layers.Cropping1D((1, 2)), (2, 9, 5), lambda x: x[:, 1:7] + 0),
    (layers.UpSampling1D(3), (2, 4, 5), lambda x: x.repeat_interleave(3, dim=1)),
]


NAMES = [f"{type(layer).__name__}-{number}" for number, (layer, _, _) in enumerate(CHECKED)]


@pytest.mark.parametrize(("layer", "shape", "function"), CHECKED, ids=NAMES)
def test_forward_and_gradients(layer, shape, function):
    check_layer(layer, batch(*shape), function)


@pytest.mark.parametrize(("layer", "shape", "function"), CHECKED, ids=NAMES)
def test_configuration_gives_the_same_layer(layer, shape, function):
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    for one in (layer, again):
        one.build((None, *shape[1:]))
    again.set_weights(layer.get_weights())
    x = batch(*shape)
    assert np.array_equal(again(x), layer(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: layers.Conv1D(4, 3, bias_initializer="uniform", **k),
        lambda **k: layers.SeparableConv1D(4, 3, **k),
        lambda **k: layers.MaxPooling1D(2, **k),
        lambda **k: layers.GlobalAveragePooling1D(keepdims=True, **k),
        lambda **k: layers.ZeroPadding1D(2, **k),
    ],
)
def test_channels_first(make):
    last, first = make(), make(data_format="channels_first")
    x = batch(2, 8, 3)
    last.build(x.shape)
    first.build((2, 3, 8))
    first.set_weights(last.get_weights())
    turned = np.ascontiguousarray(x.transpose(0, 2, 1))
    assert np.array_equal(first(turned), last(x).transpose(0, 2, 1))


def test_weights_and_constraints_have_no_axis_for_the_row():
    layer = layers.Conv1D(4, 3, kernel_constraint=pyconv.constraints.MaxNorm(0.5, axis=0))
    layer.build((None, 8, 2))
    assert [w.shape for w in layer.weights] == [(3, 2, 4), (4,)]
    layer.set_weights([np.ones((3, 2, 4)), np.zeros(4)])
    layer.constrain()
    assert np.allclose(np.linalg.norm(layer.kernel, axis=0), 0.5)
    assert np.allclose(layer(np.ones((1, 3, 2))), 6 * 0.5 / np.sqrt(3))


def test_a_network_of_lines_learns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((256, 24, 2)).astype("float32")
    y = (x[:, :, 0].max(axis=1) > x[:, :, 1].max(axis=1)).astype("int64")
    pyconv.utils.set_random_seed(1)
    model = pyconv.Sequential(
        [
            pyconv.Input((24, 2)),
            layers.Conv1D(8, 3, padding="same", activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(x, y, epochs=60, verbose=0).history
    assert history["accuracy"][0] < 0.7
    assert history["accuracy"][-1] > 0.9


def test_weights_go_through_files_and_copies(tmp_path):
    def made():
        return pyconv.Sequential([pyconv.Input((9, 2)), layers.Conv1D(3, 2, name="c")])

    first, second = made(), made()
    first.save_weights(tmp_path / "w.weights.h5")
    second.load_weights(tmp_path / "w.weights.h5")
    x = batch(2, 9, 2)
    assert np.array_equal(first(x), second(x))
    layer = copy.deepcopy(first.layers[0])
    assert np.array_equal(layer(x), first(x))
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    assert not np.array_equal(layer(x), first(x))


def test_what_is_frozen_has_no_gradients():
    layer = layers.Conv1D(3, 2, trainable=False)
    _, _, dx, grads = passes(layer, batch(2, 9, 2))
    assert dx.any()
    assert not any(grad.any() for grad in grads)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Conv1D(3, (2, 2), name="c"), "Conv1D 'c': kernel_size must be an integer"),
        (lambda: layers.Conv1D(0, 2, name="c"), "Conv1D 'c': filters must be"),
        (lambda: layers.Conv1D(3, 2, name="c").build((None, 9, 9, 3)), r"must be \(N, L, C\)"),
        (lambda: layers.Conv1D(3, 2, name="c").build((None, 9, None)), "channels must be known"),
        (lambda: layers.Conv1D(3, 9, name="c").build((None, 4, 3)), "Conv1D 'c': a window of"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), "padding must be 'valid', 'same'"),
        (lambda: layers.Cropping1D("1"), "cropping must be an integer, "),
        (lambda: layers.Cropping1D(2).build((None, 4, 3)), "leaves nothing"),
        (lambda: layers.ZeroPadding1D((1, -2)), r"padding\[1\] must be from 0"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
