"""Patches of images, layers that ask for the number of rows, losses called, activations set."""

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers, ops

RNG = np.random.default_rng(5)
IMAGES = RNG.normal(size=(2, 7, 9, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "strides", "dilation", "padding"),
    [(3, None, 1, "valid"), ((2, 3), (1, 2), 1, "same"), (3, 2, 2, "same"), (2, 1, 3, "valid")],
)
def test_patches_are_those_of_a_convolution(size, strides, dilation, padding):
    kh, kw = (size, size) if isinstance(size, int) else size
    steps = (kh, kw) if strides is None else strides
    found = ops.image.extract_patches(IMAGES, size, strides, dilation, padding)
    kernel = np.eye(kh * kw * 3, dtype=np.float32).reshape(kh, kw, 3, -1)
    if steps != (1, 1) and dilation > 1 and steps != 1:
        x = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
        extra = [
            max((-(-n // 2) - 1) * 2 + (k - 1) * dilation + 1 - n, 0) for n, k in ((7, 3), (9, 3))
        ]
        (rows, columns) = extra
        x = torch.nn.functional.pad(
            x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        )
        y = torch.nn.functional.unfold(x, (kh, kw), dilation=dilation, stride=2)
        wanted = y.reshape(2, 3, kh * kw, *found.shape[1:3]).permute(0, 3, 4, 2, 1)
        wanted = wanted.reshape(found.shape).numpy()
    else:
        wanted = K.conv2d(IMAGES, kernel, steps, padding, dilation_rate=dilation)
    np.testing.assert_array_equal(found, wanted)


def test_patches_in_models_have_gradients():
    x = keras.Input((7, 9, 3))
    patches = tf.image.extract_patches(x, [1, 3, 3, 1], [1, 3, 3, 1], [1, 1, 1, 1], "SAME")
    assert patches.shape == (None, 3, 3, 27)
    model = keras.Model(x, layers.Dense(1)(layers.Flatten()(patches)))
    weights = model.get_weights()[0].reshape(3, 3, 3, 3, 3)
    found = model.input_gradient(IMAGES, class_index=0)
    whole = weights.transpose(0, 2, 1, 3, 4).reshape(9, 9, 3)[1:8]
    np.testing.assert_allclose(found, np.broadcast_to(whole, found.shape), rtol=1e-5)


class Sampling(layers.Layer):
    def call(self, inputs):
        mean, spread = inputs
        batch, size = tf.shape(mean)[0], tf.shape(mean)[1]
        return mean + tf.exp(0.5 * spread) * keras.backend.random_normal(shape=(batch, size))


def test_layers_that_draw_as_many_numbers_as_there_are_rows():
    x = keras.Input((4,))
    mean, spread = layers.Dense(2)(x), layers.Dense(2)(x)
    model = keras.Model(x, Sampling()([mean, spread]))
    data = RNG.normal(size=(6, 4)).astype(np.float32)
    assert model.predict(data).shape == (6, 2)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(data, np.zeros((6, 2)), verbose=0, epochs=2)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_merge_of_a_function():
    a, b = keras.Input((3,)), keras.Input((3,))
    made = layers.merge(
        [a, b], mode=lambda xs: xs[0] * xs[1], output_shape=lambda shapes: shapes[0]
    )
    x, y = RNG.normal(size=(2, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(keras.Model([a, b], made).predict([x, y]), x * y)
    dots = layers.merge([a, b], mode="dot", dot_axes=1)
    np.testing.assert_allclose(
        keras.Model([a, b], dots).predict([x, y])[:, 0], (x * y).sum(1), rtol=1e-5
    )


def test_transposed_rows_go_through_dropout():
    x = keras.Input((4, 3))
    y = ops.transpose(layers.Dropout(0.5)(ops.transpose(x, (0, 2, 1))), (0, 2, 1))
    model = keras.Model(x, layers.Dense(1)(layers.Flatten()(y)))
    model.compile("sgd", "mse")
    data = RNG.normal(size=(8, 4, 3)).astype(np.float32)
    assert np.isfinite(model.fit(data, np.ones((8, 1)), verbose=0).history["loss"][0])


def test_losses_that_define_the_whole_call():
    class Mean(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return ops.mean(ops.square(ops.cast(y_true, "float32") - y_pred))

    def trained(loss):
        model = keras.Sequential(
            [layers.Dense(2, input_shape=(3,), kernel_initializer="ones", use_bias=False)]
        )
        model.compile(keras.optimizers.SGD(0.1), loss)
        x, y = np.arange(12.0).reshape(4, 3) / 10, np.ones((4, 2))
        return model.fit(x, y, verbose=0, epochs=3).history["loss"], model.get_weights()[0]

    (losses, weights), (wanted, theirs) = trained(Mean()), trained("mse")
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    np.testing.assert_allclose(weights, theirs, rtol=1e-5)


@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_an_activation_may_be_set_afterwards(kind):
    if kind == "dense":
        model = keras.Sequential([layers.Dense(3, input_shape=(4,), activation="softmax")])
        x = RNG.normal(size=(2, 4)).astype(np.float32)
    else:
        model = keras.Sequential(
            [layers.Conv2D(3, 3, input_shape=(7, 9, 3), activation="relu"), layers.MaxPooling2D()]
        )
        x = IMAGES
    with_it = model.predict(x)
    model.layers[0].activation = None
    plain = keras.Sequential.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    assert plain.layers[0].get_config()["activation"] == "linear"
    np.testing.assert_array_equal(model.predict(x), plain.predict(x))
    assert not np.array_equal(model.predict(x), with_it)
    model.layers[0].activation = "softmax" if kind == "dense" else "relu"
    np.testing.assert_array_equal(model.predict(x), with_it)
