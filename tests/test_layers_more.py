"""Keras's other layers: forward and every gradient against torch in float64."""

import copy
import json

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer, conv2d, here, images, passes

import pyconv
from pyconv import layers

F = torch.nn.functional


def depthwise(x, kernel, bias=None, **geometry):
    kh, kw, c, m = kernel.shape
    return conv2d(groups=c, **geometry)(x, kernel.reshape(kh, kw, 1, c * m), bias)


def transpose(strides=1, pads=(0, 0, 0, 0), more=(0, 0), dilation=1):
    """Return torch's transpose of the convolution whose padding is ``pads``, top to right."""

    def function(x, kernel, bias):
        y = F.conv_transpose2d(
            x.permute(0, 3, 1, 2),
            kernel.permute(3, 2, 0, 1),
            None,
            strides,
            0,
            0,
            1,
            dilation,
        )
        # Torch crops evenly: what is cut off here is cut off as Keras does.
        y = F.pad(y, (0, more[1], 0, more[0]))
        top, bottom, left, right = pads
        y = y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]
        return y.permute(0, 2, 3, 1) + bias

    return function


def normalize(x, gamma, beta, axes=(-1,)):
    mean = x.mean(dim=axes, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=axes, keepdim=True)
    return gamma * (x - mean) / torch.sqrt(variance + 1e-3) + beta


def by_groups(x, gamma, beta, groups):
    c = x.shape[-1]
    parts = x.reshape(len(x), -1, groups, c // groups)
    return normalize(parts, 1, 0, (1, 3)).reshape(x.shape) * gamma + beta


def by_variance(x, gamma):
    return gamma * x / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + 1e-3)


def by_root_mean_square(x, scale, axes=(-1,)):
    return scale * x / torch.sqrt((x * x).mean(dim=axes, keepdim=True) + 1e-6)


CHECKED = [
    (
        layers.GroupNormalization(2, gamma_initializer="uniform", beta_initializer="uniform"),
        (3, 4, 5, 6),
        lambda x, g, b: by_groups(x, g, b, 2),
    ),
    (
        layers.GroupNormalization(-1, 1, gamma_initializer="uniform", center=False),
        (3, 4, 5, 6),
        lambda x, g: by_groups(x.movedim(1, -1), g, 0, 4).movedim(-1, 1),
    ),
    (
        layers.LayerNormalization(rms_scaling=True, gamma_initializer="uniform"),
        (4, 3, 7),
        by_variance,
    ),
    (layers.RMSNormalization(), (4, 3, 7), by_root_mean_square),
    (
        layers.RMSNormalization([2, 1]),
        (4, 3, 7),
        lambda x, s: by_root_mean_square(x, s, (1, 2)),
    ),
    (layers.UnitNormalization(), (4, 3, 7), lambda x: F.normalize(x, dim=-1)),
    (
        layers.UnitNormalization((1, 2)),
        (4, 3, 7),
        lambda x: F.normalize(x.reshape(4, 21), dim=1).reshape(4, 3, 7),
    ),
    (layers.LeakyReLU(), (3, 4, 5), lambda x: F.leaky_relu(x, 0.3)),
    (layers.ELU(0.5), (3, 40), lambda x: F.elu(x, 0.5)),
    (
        layers.PReLU("uniform", shared_axes=[1, 2]),
        (3, 4, 5, 6),
        lambda x, a: torch.where(x > 0, x, a * x),
    ),
    (layers.PReLU("uniform"), (3, 4, 5), lambda x, a: torch.where(x > 0, x, a * x)),
    (layers.Identity(), (3, 4), lambda x: x + 0),
    (layers.Reshape((5, -1, 2)), (3, 4, 5), lambda x: x.reshape(3, 5, 2, 2)),
    (layers.Permute((3, 1, 2)), (3, 4, 5, 6), lambda x: x.permute(0, 3, 1, 2)),
    (layers.RepeatVector(3), (4, 5), lambda x: x[:, None].expand(4, 3, 5) + 0),
    (layers.Cropping2D(((1, 0), (2, 1))), (2, 5, 7, 3), lambda x: x[:, 1:, 2:6] + 0),
    (layers.Cropping2D((1, 2)), (2, 5, 7, 3), lambda x: x[:, 1:4, 2:5] + 0),
    (
        layers.UpSampling2D((2, 3)),
        (2, 3, 4, 5),
        images(lambda x: F.interpolate(x, scale_factor=(2, 3), mode="nearest")),
    ),
    (
        layers.UpSampling2D((2, 3), interpolation="bilinear"),
        (2, 3, 4, 5),
        images(lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear")),
    ),
    (layers.GlobalMaxPooling2D(), (2, 3, 4, 5), lambda x: x.amax(dim=(1, 2))),
    (
        layers.GlobalMaxPooling2D(keepdims=True),
        (2, 3, 4, 5),
        lambda x: x.amax(dim=(1, 2), keepdim=True),
    ),
    (
        layers.LayerNormalization(gamma_initializer="uniform", beta_initializer="uniform"),
        (4, 3, 7),
        normalize,
    ),
    (
        layers.LayerNormalization([1, 2], gamma_initializer="uniform"),
        (4, 3, 7),
        lambda x, g, b: normalize(x, g, b, (1, 2)),
    ),
    (
        layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="uniform"),
        (2, 6, 7, 5),
        depthwise,
    ),
    (
        layers.DepthwiseConv2D((2, 3), 2, "same", use_bias=False),
        (2, 6, 7, 5),
        lambda x, k: depthwise(x, k, strides=2, pads=(0, 0, 1, 1)),
    ),
    (
        layers.SeparableConv2D(4, 3, depth_multiplier=2, activation="tanh"),
        (2, 6, 7, 5),
        lambda x, d, p, b: torch.tanh(conv2d()(depthwise(x, d), p, b)),
    ),
    (layers.Conv2DTranspose(4, 3, bias_initializer="uniform"), (2, 5, 6, 3), transpose()),
    (
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
        (2, 5, 6, 3),
        lambda *a: torch.relu(transpose(2, (0, 1, 0, 1))(*a)),
    ),
    (
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1),
        (2, 5, 6, 3),
        transpose(2, (0, 1, 0, 1)),
    ),
    (
        layers.Conv2DTranspose(4, 2, strides=3, activation="gelu"),
        (2, 5, 6, 3),
        lambda *a: F.gelu(transpose(3, more=(1, 1))(*a)),
    ),
    (layers.Conv2DTranspose(4, 3, dilation_rate=2), (2, 5, 6, 3), transpose(dilation=2)),
]


@pytest.mark.parametrize(
    ("layer", "shape", "function"),
    CHECKED,
    ids=[f"{type(c[0]).__name__}-{i}" for i, c in enumerate(CHECKED)],
)
def test_forward_and_gradients(layer, shape, function):
    check_layer(layer, batch(*shape), function)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert again.get_config() == layer.get_config()
    again.build((None, *shape[1:]))
    again.set_weights(layer.get_weights())
    assert np.array_equal(again(batch(*shape)), layer(batch(*shape)))


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: layers.Conv2D(4, 3, activation="relu", **k),
        lambda **k: layers.Conv2DTranspose(4, 3, strides=2, **k),
        lambda **k: layers.SeparableConv2D(4, 3, **k),
        lambda **k: layers.MaxPooling2D(2, **k),
        lambda **k: layers.AveragePooling2D(2, padding="same", **k),
        lambda **k: layers.GlobalAveragePooling2D(**k),
        lambda **k: layers.GlobalMaxPooling2D(keepdims=True, **k),
        lambda **k: layers.ZeroPadding2D(1, **k),
        lambda **k: layers.UpSampling2D(2, **k),
        lambda **k: layers.Cropping2D(1, **k),
        lambda **k: layers.Flatten(**k),
    ],
)
def test_channels_first(make):
    x = batch(2, 3, 6, 7)
    last, first = make(name="x"), make(name="x", data_format="channels_first")
    turned = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    last.build(turned.shape)
    first.build(x.shape)
    first.set_weights(last.get_weights())
    y, turned_y = first(x), last(turned)
    assert y.shape == (2, *first.output_shape[1:])
    assert np.array_equal(y, turned_y.transpose(0, 3, 1, 2) if y.ndim == 4 else turned_y)
    dy, _, dx, grads = passes(first, x)
    dy = np.ascontiguousarray(dy.transpose(0, 2, 3, 1)) if dy.ndim == 4 else dy
    assert np.array_equal(dx, np.transpose(last.backward(here(dy), True), (0, 3, 1, 2)))
    for ours, theirs in zip(grads, last.grads, strict=True):
        assert np.array_equal(ours, theirs)
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(first))))
    assert again.get_config() == first.get_config()
    assert again.get_config()["data_format"] == "channels_first"
    assert type(first).__name__ == type(last).__name__
    assert np.array_equal(copy.deepcopy(first)(x), y)


def test_a_network_with_channels_first():
    pyconv.utils.set_random_seed(1)
    model = pyconv.Sequential(
        [
            pyconv.Input((2, 8, 8)),
            layers.Conv2D(4, 3, data_format="channels_first", activation="relu"),
            layers.MaxPooling2D(2, data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    assert model.layers[1].output_shape == (None, 4, 3, 3)
    x, y = batch(32, 2, 8, 8), np.arange(32) % 3
    model.compile(pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_activity_regularization():
    model = pyconv.Sequential([pyconv.Input((3,)), layers.ActivityRegularization(0.1, 0.2)])
    model.add(layers.Dense(1, kernel_initializer="zeros"))
    model.compile("sgd", "mse")
    x = batch(4, 3)
    loss = model.evaluate(x, np.zeros((4, 1)), verbose=0)
    assert loss == pytest.approx((0.1 * np.abs(x).sum() + 0.2 * (x * x).sum()) / 4, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.LeakyReLU(-1), "negative_slope must be at least 0"),
        (lambda: layers.Reshape((2, -1, -1)), "at most one unknown dimension"),
        (lambda: layers.Reshape((5,)).build((None, 4)), "does not fill target_shape"),
        (lambda: layers.Permute((1, 3)), "must be consecutive and start from 1"),
        (lambda: layers.Permute((2, 1)).build((None, 3)), "must have 2 axes"),
        (lambda: layers.Cropping2D(3).build((None, 6, 9, 1)), "leaves nothing"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), "interpolation must be 'nearest',"),
        (lambda: layers.GaussianNoise(2), "stddev must be from 0 to 1"),
        (
            lambda: layers.Dropout(0.5, (3, 1), name="d")(np.ones((2, 4)), training=True),
            r"Dropout 'd': noise_shape \(3, 1\) does not fit",
        ),
        (lambda: layers.SpatialDropout2D(0.5).build((None, 3)), "input must be"),
        (lambda: layers.Normalization(mean=1.0), "both `mean` and `variance`"),
        (lambda: layers.Normalization(3).build((None, 3)), "in the range of the input's axes"),
        (lambda: layers.Normalization([1, -1]).build((None, 3)), "each once"),
        (lambda: layers.LayerNormalization([1, -1]).build((None, 3)), "must name each axis once"),
        (lambda: layers.PReLU().build((None, None, 3)), "must be known"),
        (lambda: layers.PReLU(shared_axes=[4]).build((None, 3)), "shared_axes"),
        (lambda: layers.LayerNormalization(0).build((None, 3)), "Axis 0 is out of bounds"),
        (lambda: layers.GroupNormalization(0), "invalid value for argument `groups`"),
        (lambda: layers.GroupNormalization(4).build((None, 6)), "groups must divide the"),
        (lambda: layers.GroupNormalization(7).build((None, 6)), "cannot be more than"),
        (lambda: layers.UnitNormalization(3).build((None, 6)), "out of bounds"),
        (lambda: layers.Conv2DTranspose(1, 2, padding=1), "padding must be 'valid' or 'same'"),
        (lambda: layers.Conv2DTranspose(1, 2, output_padding=1), "must be below strides"),
        (lambda: layers.DepthwiseConv2D(3, 2, dilation_rate=2), "cannot both be above 1"),
        (lambda: layers.Conv2D(1, 1, data_format="middle"), "'channels_last' or 'channels_first'"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize(
    "layer",
    [
        layers.DepthwiseConv2D(2),
        layers.SeparableConv2D(2, 2),
        layers.Conv2DTranspose(2, 2),
        layers.LayerNormalization(),
    ],
)
def test_other_channels(layer):
    layer.build((None, 4, 4, 3))
    with pytest.raises(ValueError, match="it was built for"):
        layer(np.ones((1, 4, 4, 2)))


def test_they_are_saved_and_loaded(tmp_path):
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 3)),
            layers.Normalization(),
            layers.SeparableConv2D(4, 3),
            layers.BatchNormalization(),
            layers.PReLU(shared_axes=[1, 2]),
            layers.GaussianNoise(0.1),
            layers.Conv2DTranspose(3, 3, kernel_regularizer="l2"),
            layers.LayerNormalization(),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2, "gelu", kernel_constraint="unit_norm"),
        ]
    )
    x, y = batch(16, 8, 8, 3), batch(16, 2)
    model.layers[0].adapt(x)
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m")
    again = pyconv.models.load_model(tmp_path / "m")
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_multiplications_of_channels_first_are_those_of_channels_last():
    first = layers.Conv2D(4, 3, data_format="channels_first")
    first.build((None, 3, 8, 9))
    assert first.flops((None, 3, 8, 9)) == layers.Conv2D(4, 3).flops((None, 8, 9, 3))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Dropout(-0.5), "argument `rate`. Expected a float value between 0 and 1."),
        (lambda: layers.Dropout(0.5, "x"), "`noise_shape`. Expected a tuple or list of integers."),
        (lambda: layers.Dropout(0.5, (2, 1.5)), "Expected all elements to be integers or None."),
        (lambda: layers.Dropout(0.5, (2, -1)), "Expected all dimensions to be positive integers"),
        (lambda: layers.ReLU(-1), "max_value of a ReLU layer cannot be a negative value"),
        (lambda: layers.ReLU(threshold=None), "of a ReLU layer cannot be None or a negative value"),
        (lambda: layers.LeakyReLU(None), "value of a Leaky ReLU layer cannot be None"),
        (lambda: layers.Dense("3"), "positive integer"),
        (lambda: layers.InputLayer((3,), sparse=True), "`sparse=True` is not supported"),
        (lambda: layers.InputLayer(batch_size=2, batch_shape=(2, 3)), "both `batch_size` and"),
    ],
)
def test_errors_have_the_words_of_keras_and_are_value_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_threshold_itself_is_cut_off_as_in_keras():
    x = np.array([[4.0, 5.0, 6.0]])
    assert layers.ReLU(threshold=5)(x).tolist() == [[0, 0, 6]]


def test_weights_know_their_constraints():
    layer = layers.Conv2D(2, 3, kernel_constraint="non_neg")
    layer.build((None, 5, 5, 1))
    assert isinstance(layer.kernel.constraint, pyconv.constraints.NonNeg)
    assert layer.bias.constraint is None


def test_relu_of_a_threshold_that_is_the_maximum():
    x = np.array([[-10.0, 0.0, 5.0, 10.0]])
    # Keras 3.15: what is not above the threshold is below it, also where that is the maximum.
    wanted = [[-7.5, -2.5, 0.0, 5.0]]
    layer = pyconv.layers.ReLU(max_value=5.0, negative_slope=0.5, threshold=5.0)
    np.testing.assert_array_equal(layer(x), wanted)
    np.testing.assert_array_equal(
        pyconv.activations.relu(x, negative_slope=0.5, max_value=5.0, threshold=5.0), wanted
    )
