"""Layers of volumes (N, D, H, W, C): forward and every gradient against torch in float64."""

import json

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer

import pyconv
from pyconv import layers

F = torch.nn.functional


def volumes(function):
    """Return a function of (N, C, D, H, W) as one of (N, D, H, W, C)."""

    def turned(x, *weights):
        return function(x.permute(0, 4, 1, 2, 3), *weights).permute(0, 2, 3, 4, 1)

    return turned


def conv(strides=1, pads=(0, 0, 0, 0, 0, 0), dilation=1, groups=1):
    """Return torch's convolution; ``pads`` as torch has them: left, right, ..., front, back."""

    def function(x, kernel, bias=None):
        weight = kernel.permute(4, 3, 0, 1, 2)
        return F.conv3d(F.pad(x, pads), weight, bias, strides, 0, dilation, groups)

    return volumes(function)


def transpose(strides=1, dilation=1, cut=0):
    def function(x, kernel, bias):
        weight = kernel.permute(4, 3, 0, 1, 2)
        y = F.conv_transpose3d(x, weight, None, strides, dilation=dilation)
        end = tuple(slice(0, size - cut) for size in y.shape[2:])
        return y[(..., *end)] + bias[:, None, None, None]

    return volumes(function)


def around(x):
    return F.pad(x, (1, 1, 0, 0, 1, 1), value=-9e9)


RANDOM = {"bias_initializer": "uniform"}
CHECKED = [
    (layers.Conv3D(6, 3, **RANDOM), (2, 4, 5, 6, 3), conv()),
    (layers.Conv3D(4, (1, 2, 3), **RANDOM), (2, 3, 4, 5, 2), conv()),
    (
        layers.Conv3D(6, (3, 2, 2), (2, 1, 2), "same", groups=3, use_bias=False),
        (2, 5, 4, 5, 6),
        conv((2, 1, 2), (0, 1, 0, 1, 1, 1), 1, 3),
    ),
    (layers.Conv3D(4, 2, dilation_rate=(2, 1, 2)), (2, 5, 4, 5, 2), conv(dilation=(2, 1, 2))),
    (
        layers.Conv3D(4, 2, 3, activation="relu", **RANDOM),
        (1, 8, 8, 7, 2),
        lambda *given: torch.relu(conv(3)(*given)),
    ),
    (
        layers.Conv3DTranspose(3, (2, 3, 2), (2, 1, 2), **RANDOM),
        (2, 3, 4, 3, 4),
        transpose((2, 1, 2)),
    ),
    (layers.Conv3DTranspose(3, 3, 2, "same", **RANDOM), (2, 3, 4, 3, 2), transpose(2, cut=1)),
    (layers.Conv3DTranspose(3, 2, dilation_rate=2), (2, 3, 4, 3, 2), transpose(1, 2)),
    (layers.MaxPooling3D(2), (2, 4, 5, 6, 3), volumes(lambda x: F.max_pool3d(x, 2))),
    (
        layers.MaxPooling3D((3, 2, 3), (2, 2, 1), "same"),
        (2, 5, 4, 5, 3),
        volumes(
            lambda x: F.max_pool3d(F.pad(x, (1, 1, 0, 0, 1, 1), value=-9e9), (3, 2, 3), (2, 2, 1))
        ),
    ),
    (
        layers.AveragePooling3D((2, 3, 1), (2, 1, 3)),
        (2, 4, 5, 6, 3),
        volumes(lambda x: F.avg_pool3d(x, (2, 3, 1), (2, 1, 3))),
    ),
    (
        layers.AveragePooling3D(3, 2, "same"),
        (2, 5, 7, 5, 3),
        volumes(lambda x: F.avg_pool3d(x, 3, 2, 1, count_include_pad=False)),
    ),
    (layers.GlobalAveragePooling3D(), (2, 3, 4, 5, 6), lambda x: x.mean(dim=(1, 2, 3))),
    (
        layers.GlobalMaxPooling3D(keepdims=True),
        (2, 3, 4, 5, 6),
        lambda x: x.amax(dim=(1, 2, 3), keepdim=True),
    ),
    (
        layers.ZeroPadding3D(((1, 0), (0, 2), (3, 1))),
        (2, 3, 4, 5, 2),
        lambda x: F.pad(x, (0, 0, 3, 1, 0, 2, 1, 0)),
    ),
    (
        layers.Cropping3D(((1, 0), (0, 2), (1, 1))),
        (2, 3, 4, 5, 2),
        lambda x: x[:, 1:, :2, 1:4] + 0,
    ),
    (
        layers.UpSampling3D((2, 1, 3)),
        (2, 3, 2, 2, 4),
        lambda x: x.repeat_interleave(2, 1).repeat_interleave(3, 3),
    ),
]


NAMES = [f"{type(layer).__name__}-{number}" for number, (layer, _, _) in enumerate(CHECKED)]


@pytest.mark.parametrize(("layer", "shape", "function"), CHECKED, ids=NAMES)
def test_forward_and_gradients(layer, shape, function):
    check_layer(layer, batch(*shape), function)


@pytest.mark.parametrize(("layer", "shape", "function"), CHECKED, ids=NAMES)
def test_channels_first_and_configuration(layer, shape, function):
    config = {**json.loads(json.dumps(layer.get_config())), "data_format": "channels_first"}
    first = type(layer).from_config(config)
    x = batch(*shape)
    y = layer(x)
    turned = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    first.build(turned.shape)
    first.set_weights(layer.get_weights())
    assert np.array_equal(first(turned), np.moveaxis(y, -1, 1) if y.ndim == 5 else y)
    assert first.get_config() == {**layer.get_config(), "data_format": "channels_first"}


def test_the_first_of_equal_cells_has_the_gradient():
    layer = layers.MaxPooling3D(2)
    layer.build((None, 2, 2, 2, 1))
    layer.forward(np.ones((1, 2, 2, 2, 1), np.float32), True)
    dx = layer.backward(np.ones((1, 1, 1, 1, 1), np.float32), True)
    assert dx.ravel().tolist() == [1] + [0] * 7


def test_a_network_of_volumes_learns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((128, 4, 6, 6, 1)).astype("float32")
    y = (x[:, 1, 2:4, 2:4, 0].sum(axis=(1, 2)) > 0).astype("int64")
    pyconv.utils.set_random_seed(1)
    model = pyconv.Sequential(
        [
            pyconv.Input((4, 6, 6, 1)),
            layers.Conv3D(4, 3, activation="relu"),
            layers.AveragePooling3D((2, 1, 1)),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        pyconv.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    assert model.fit(x, y, epochs=25, verbose=0).history["accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Conv3D(3, (2, 2)), "kernel_size must be an integer or a tuple of 3"),
        (lambda: layers.Conv3D(3, 2, groups=2), "filters must be a multiple of groups"),
        (lambda: layers.Conv3D(3, 2, 2, dilation_rate=2), "cannot both be above 1"),
        (lambda: layers.Conv3D(3, 2, padding="causal"), "padding must be 'valid' or 'same'"),
        (lambda: layers.Conv3D(3, 2).build((None, 9, 9, 3)), r"must be \(N, D, H, W, C\)"),
        (lambda: layers.Conv3D(4, 2, groups=2).build((None, 4, 4, 4, 3)), "groups must divide"),
        (lambda: layers.Conv3DTranspose(3, 2, 2, output_padding=2), "must be below strides"),
        (lambda: layers.MaxPooling3D(5).build((None, 4, 6, 6, 3)), "MaxPooling3D '.*': a window"),
        (lambda: layers.Cropping3D((1, 2)), "cropping must be an integer, "),
        (lambda: layers.Cropping3D(2).build((None, 4, 6, 6, 3)), "leaves nothing"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
