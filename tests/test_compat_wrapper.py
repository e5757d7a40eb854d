"""Wrappers of the user's own, Lambda in files, inputs from tensors, and arrays beside tensors."""

import sys

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers, ops

X = np.random.default_rng(0).standard_normal((6, 3), np.float32)


pytestmark = pytest.mark.usefixtures("keras3")


class Twice(layers.Wrapper):
    def call(self, x):
        return 2.0 * self.layer(x)


class Scaled(layers.Wrapper):
    """With a weight of its own, so that it is run as it stands."""

    def build(self, shape):
        super().build(shape)
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def call(self, x):
        return self.factor * self.layer(x)


def double(x):
    return ops.concatenate([x, x], axis=1)


@pytest.mark.parametrize("kind", [Twice, Scaled])
def test_wrapper(kind, tmp_path):
    inner = layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Sequential([keras.Input((3,)), kind(inner)])
    kernel = np.array(inner.kernel)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    y = np.ones((6, 2), np.float32)
    factor = 2 if kind is Twice else 1
    error = factor * (X @ kernel) - y
    penalty = 0.5 * (kernel**2).sum()
    (loss,) = model.fit(X, y, batch_size=6, verbose=0).history["loss"]
    np.testing.assert_allclose(loss, (error**2).mean() + penalty, rtol=1e-5)
    slope = factor * X.T @ (2 * error / error.size) + kernel
    np.testing.assert_allclose(inner.kernel, kernel - 0.1 * slope, rtol=1e-4, atol=1e-6)
    again = kind.from_config(kind(layers.Dense(2, name="d")).get_config())
    assert (again.layer.units, again.layer.name) == (2, "d")
    with pytest.raises(ValueError, match="supplied to Wrapper isn't a supported layer type"):
        kind("Dense")


def test_classes_of_imported_modules_are_found(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Scaled(layers.Dense(2))])
    path = str(tmp_path / "m.keras")
    model.save(path)
    again = keras.models.load_model(path)
    assert type(again.layers[0]) is Scaled
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    config = keras.saving.serialize_keras_object(Scaled(layers.Dense(2)))
    assert type(keras.saving.deserialize_keras_object(config)) is Scaled
    # Neither what is no class of the library's kind, nor a module that is not imported.
    for module, name in (("os", "system"), ("collections", "Counter"), ("antigravity", "Egg")):
        wrong = {"module": module, "class_name": name, "config": {}, "registered_name": name}
        with pytest.raises(TypeError, match="Could not locate class"):
            keras.saving.deserialize_keras_object(wrong)
        with pytest.raises(ValueError, match="unknown layer"):
            keras.layers.deserialize(wrong)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("function", [ops.square, double])
def test_lambda_in_files(function, tmp_path):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Lambda(function, name="f"), layers.Dense(2)]
    )
    expected = model.predict(X, verbose=0)
    for ending in ("keras", "h5"):
        model.save(str(tmp_path / f"m.{ending}"))
        again = keras.models.load_model(
            str(tmp_path / f"m.{ending}"), custom_objects={"double": double}
        )
        np.testing.assert_allclose(again.predict(X, verbose=0), expected, rtol=1e-6)
    cloned = keras.models.clone_model(model) if function is ops.square else None
    assert cloned is None or cloned.layers[0].function is ops.square


def test_lambda_that_has_no_name(tmp_path):
    held = np.ones(3)
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * held, name="f")])
    with pytest.raises(NotImplementedError, match="Lambda 'f': the code of a function cannot"):
        model.save(str(tmp_path / "m.keras"))
    config = {"name": "f", "function": {"class_name": "__lambda__", "config": {"code": "eA=="}}}
    with pytest.raises(ValueError, match="Python lambda"):
        layers.Lambda.from_config(config)


def test_masks_of_lambda():
    mask = np.array([[True, False, True]])
    layer = layers.Lambda(lambda x: x + 1, mask=mask)
    assert layer.supports_masking
    np.testing.assert_array_equal(layer(np.zeros((1, 3, 2)))._keras_mask, mask)


def test_input_of_a_tensor():
    tensor = keras.Input((3,), batch_size=2)
    layer = layers.InputLayer(input_tensor=tensor)
    assert layer.output is tensor
    assert layer.batch_shape == (2, 3)
    assert keras.Input(tensor=tensor) is tensor
    assert layers.InputLayer((5,)).output.shape == (None, 5)
    for name, value in (("shape", (4,)), ("batch_size", 5), ("dtype", "float16")):
        with pytest.raises(ValueError, match=f"cannot provide an incompatible `{name}`"):
            layers.InputLayer(input_tensor=tensor, **{name: value})
    with pytest.raises(ValueError, match="must be a KerasTensor"):
        layers.InputLayer(input_tensor=np.zeros((2, 3)))
    with pytest.warns(UserWarning, match="`input_shape` is deprecated"):
        layers.InputLayer(input_shape=(3,))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, a: x + a,
        lambda x, a: a + x,
        lambda x, a: x - a,
        lambda x, a: a - x,
        lambda x, a: x * a,
        lambda x, a: a * x,
        lambda x, a: x / a,
        lambda x, a: a / x,
    ],
)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 1)])
def test_arrays_beside_tensors(function, shape):
    array = np.random.default_rng(1).random(shape).astype("f") + 1
    inputs = keras.Input((2, 3))
    model = keras.Model(inputs, function(inputs, array))
    x = np.random.default_rng(2).random((2, 2, 3)).astype("f") + 1
    np.testing.assert_allclose(model.predict(x, verbose=0), function(x, array), rtol=1e-6)


def test_a_weight_before_its_input():
    class Shift(layers.Layer):
        def build(self, shape):
            self.shift = self.add_weight(shape=(3,), initializer="zeros", name="shift")

        def call(self, x):
            return self.shift + x

    model = keras.Sequential([keras.Input((3,)), Shift()])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(X, X - 3, batch_size=6, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [-2, -2, -2], rtol=1e-6)


def test_activations_that_are_set_later():
    for layer, shape in ((layers.Dense(4, activation="relu"), (3,)),
                         (layers.Conv2D(4, 2, activation="relu"), (4, 4, 2)),
                         (layers.Conv1D(4, 2, activation="relu"), (4, 2))):  # fmt: skip
        model = keras.Sequential([keras.Input(shape), layer])
        x = np.random.default_rng(0).standard_normal((5, *shape)).astype("f")
        positive = model.predict(x, verbose=0)
        layer.activation = None
        y = model.predict(x, verbose=0)
        assert (y < 0).any()
        np.testing.assert_array_equal(np.maximum(y, 0), positive)
        layer.activation = keras.activations.sigmoid
        np.testing.assert_allclose(model.predict(x, verbose=0), 1 / (1 + np.exp(-y)), rtol=1e-5)
        layer.activation = "relu"
        np.testing.assert_array_equal(model.predict(x, verbose=0), positive)


def test_axes_in_lists():
    x = np.random.default_rng(0).random((2, 3, 4))
    for name in ("sum", "mean", "max", "min", "prod", "std", "var", "any", "all"):
        ours = getattr(ops, name)(x, axis=[0, 2], keepdims=True)
        np.testing.assert_array_equal(ours, getattr(np, name)(x, axis=(0, 2), keepdims=True))
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, ops.mean(inputs, axis=[1, 2]))
    np.testing.assert_allclose(model.predict(x, verbose=0), x.mean(axis=(1, 2)), rtol=1e-6)
    assert ops.numpy.sum is ops.sum
    assert ops.nn.softmax is ops.softmax


def test_glu():
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("f")
    expected = x[:, :2] / (1 + np.exp(-x[:, 2:]))
    np.testing.assert_allclose(keras.activations.glu(x), expected, rtol=1e-6)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.activations.glu(inputs))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="glu: axis=-1 must be of an even size"):
        keras.activations.glu(x[:, :3])
