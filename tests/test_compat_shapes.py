"""Shapes as TensorFlow has them, and other small things that public scripts rely on."""

import colorsys

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat.keras import backend

layers = keras.layers
rng = np.random.default_rng(0)


def test_shapes_of_tensors():
    x = layers.Conv2D(3, 3)(keras.Input((28, 20, 1)))
    assert x.shape == (None, 26, 18, 3)
    assert x.shape.as_list() == [None, 26, 18, 3] == x.get_shape().as_list()
    assert (x.shape[1].value, int(x.shape[-1]), x.shape.ndims) == (26, 3, 4)
    assert x.shape.num_elements() is None
    assert backend.int_shape(x) == (None, 26, 18, 3)
    assert type(backend.int_shape(x)) is tuple
    array = tf.ones((2, 5))
    assert array.shape.as_list() == [2, 5] == array.get_shape().as_list()
    assert array.shape.num_elements() == 10
    assert tf.TensorShape([None, 3]).as_list() == [None, 3]


def test_shapes_that_layers_of_ones_own_are_given():
    class Kept(layers.Layer):
        def call(self, inputs):
            first, second = inputs
            return first * second

        def compute_output_shape(self, input_shape):
            assert all(type(shape) is tuple for shape in input_shape)
            return input_shape[0]

    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], Kept()([a, b]))
    np.testing.assert_array_equal(model.predict([np.full((2, 3), 2.0)] * 2, verbose=0), 4)


def test_metrics_by_their_older_names():
    accuracy = keras.metrics.Accuracy()
    accuracy.update_state([1, 2], [1, 3])
    assert accuracy.result() == 0.5
    accuracy.reset_states()
    assert accuracy.result() == 0

    class Count(keras.metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.total, self.resets = self.add_weight(name="total", initializer="zeros"), 0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign(self.total + len(y_true))

        def result(self):
            return self.total

        def reset_states(self):
            super().reset_states()
            self.resets += 1

    class Twice(Count):
        pass

    for kind in (Count, Twice):
        metric = kind(name="count")
        model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
        model.compile("sgd", "mse", metrics=[metric])
        history = model.fit(np.ones((6, 2)), np.ones((6, 1)), epochs=2, verbose=0).history
        assert history["count"] == [6, 6]
        assert metric.resets >= 2


def test_the_largest_numbers_and_where_they_are():
    values, indices = tf.math.top_k([[1.0, 5.0, 3.0]], k=2)
    assert values.tolist() == [[5, 3]]
    assert indices.tolist() == [[1, 2]]
    assert tf.nn.top_k([1.0, 2.0], k=1).values.tolist() == [2]


def test_hue_against_colorsys():
    image = rng.random((5, 4, 3)).astype(np.float32)
    image[0, 0] = 0.5  # grey
    flat = image.reshape(-1, 3)
    hsv = np.array([colorsys.rgb_to_hsv(*map(float, pixel)) for pixel in flat])
    np.testing.assert_allclose(tf.image.rgb_to_hsv(image).reshape(-1, 3), hsv, atol=1e-6)
    np.testing.assert_allclose(tf.image.hsv_to_rgb(hsv.reshape(5, 4, 3)), image, atol=1e-6)
    turned = [colorsys.hsv_to_rgb((h + 0.3) % 1, s, v) for h, s, v in hsv]
    found = tf.image.adjust_hue(image, 0.3)
    np.testing.assert_allclose(found.reshape(-1, 3), turned, atol=1e-6)
    whole = (image * 255).astype(np.uint8)
    assert tf.image.random_hue(whole, 0.2).dtype == np.uint8
    assert abs(tf.image.adjust_hue(whole, 0.0).astype(int) - whole).max() <= 1
    np.testing.assert_allclose(tf.image.adjust_gamma(image, 2.0, 0.5), image**2 / 2, rtol=1e-6)


def test_penalties_of_ones_own_have_the_gradients_of_torch():
    def sparse(x):
        share = backend.mean(x)
        return 3 * (0.1 * backend.log(0.1 / share) + 0.9 * backend.log(0.9 / (1 - share)))

    class Distance(keras.regularizers.Regularizer):
        def __call__(self, x):
            return 0.5 * backend.sum(backend.square(backend.abs(x) - 1))

    kernel = rng.normal(size=(3, 4)).astype(np.float32)
    x, y = rng.random((8, 3)).astype(np.float32), rng.random((8, 4)).astype(np.float32)
    dense = layers.Dense(
        4,
        activation="sigmoid",
        use_bias=False,
        kernel_regularizer=Distance(),
        activity_regularizer=sparse,
        input_shape=(3,),
    )
    model = keras.Sequential([dense])
    model.set_weights([kernel])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    loss = model.train_on_batch(x, y)

    w = torch.tensor(kernel, dtype=torch.float64, requires_grad=True)
    out = torch.sigmoid(torch.tensor(x, dtype=torch.float64) @ w)
    share = out.mean()
    rho = 3 * (0.1 * torch.log(0.1 / share) + 0.9 * torch.log(0.9 / (1 - share)))
    wanted = ((out - torch.tensor(y)) ** 2).mean() + 0.5 * ((w.abs() - 1) ** 2).sum() + rho / 8
    wanted.backward()
    assert float(np.ravel(loss)[0]) == pytest.approx(float(wanted.detach()), rel=1e-5)
    step = kernel - 0.1 * w.grad.numpy()
    np.testing.assert_allclose(model.get_weights()[0], step, rtol=1e-4, atol=1e-6)


def test_capsules_are_routed_as_einsum_does_it():
    class Routed(layers.Layer):
        def build(self, input_shape):
            shape = [2, input_shape[1], 5, input_shape[2]]
            self.w = self.add_weight(shape=shape, initializer="glorot_uniform", name="w")

        def call(self, inputs):
            tiled = backend.tile(backend.expand_dims(inputs, 1), [1, 2, 1, 1])
            hat = backend.map_fn(lambda one: backend.batch_dot(one, self.w, [2, 3]), elems=tiled)
            b = tf.zeros(shape=[backend.shape(hat)[0], 2, backend.int_shape(inputs)[1]])
            for _ in range(2):
                out = backend.batch_dot(tf.nn.softmax(b, axis=1), hat, [2, 2])
                b += backend.batch_dot(out, hat, [2, 3])
            return out

        def compute_output_shape(self, input_shape):
            return (None, 2, 5)

    x, y = rng.random((6, 4, 3)).astype(np.float32), rng.random((6, 2, 5)).astype(np.float32)
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, Routed()(inputs))
    kernel = model.get_weights()[0]
    given = torch.tensor(kernel, dtype=torch.float64, requires_grad=True)
    hat = torch.einsum("nic,jidc->njid", torch.tensor(x, dtype=torch.float64), given)
    b = torch.zeros(6, 2, 4, dtype=torch.float64)
    for _ in range(2):
        out = torch.einsum("nji,njid->njd", torch.softmax(b, 1), hat)
        b = b + torch.einsum("njd,njid->nji", out, hat)
    np.testing.assert_allclose(model.predict(x, verbose=0), out.detach(), rtol=1e-4, atol=1e-6)
    ((out - torch.tensor(y)) ** 2).mean().backward()
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch(x, y)
    step = kernel - given.grad.numpy()
    np.testing.assert_allclose(model.get_weights()[0], step, rtol=1e-4, atol=1e-6)
