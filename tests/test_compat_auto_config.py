"""Layers of one's own without a get_config are written and read as Keras does it."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv import compat
from pyconv.compat.keras import layers, ops


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


class Scaled(layers.Layer):
    def __init__(self, units, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.factor = units, factor

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], self.units), name="w")

    def call(self, x):
        return ops.matmul(x, self.w) * self.factor

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


class Bare(layers.Layer):
    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes

    def call(self, x):
        return x * len(self.sizes)


class Of(layers.Layer):
    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, x):
        return self.function(x)


class Own(Scaled):
    def get_config(self):
        return {"units": self.units, "name": self.name}


def test_the_arguments_are_the_configuration():
    assert Scaled(3, name="a").get_config().items() >= {"units": 3, "name": "a"}.items()
    assert Scaled(3, factor=1.5).get_config()["factor"] == 1.5
    assert Bare([1, 2]).get_config() == {"sizes": [1, 2]}
    assert Own(4, name="o").get_config() == {"units": 4, "name": "o"}
    assert "function" not in Of(np.tanh).get_config()
    again = Scaled.from_config(Scaled(3, 1.5, trainable=False).get_config())
    assert (again.units, again.factor, again.trainable) == (3, 1.5, False)
    assert Bare.from_config(Bare([1, 2]).get_config()).sizes == [1, 2]


@pytest.mark.parametrize("ending", [".keras", ".h5", ".safetensors"])
def test_a_model_with_them_is_read_again(tmp_path, ending):
    model = keras.Sequential([keras.Input((4,)), Scaled(3, factor=3.0), layers.Dense(2)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((5, 4)).astype(np.float32)
    path = tmp_path / f"model{ending}"
    model.save(path)
    own = {"Scaled": Scaled}
    read = keras.models.load_model(path, custom_objects=own)
    np.testing.assert_allclose(read.predict(x, verbose=0), model.predict(x, verbose=0), 1e-6)
    assert read.layers[0].factor == 3.0
    copied = keras.models.clone_model(model)
    assert copied.layers[0].units == 3


def test_types_of_layers_are_read_again(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="float16")])
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").layers[0].compute_dtype == "float16"
