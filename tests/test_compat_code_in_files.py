"""Functions of the user's own in files: by name, or by their code, which is never run."""

import json
import warnings

import h5py
import numpy as np
import pytest

import pyconv
import pyconv.compat.keras as keras
from pyconv import compat
from pyconv.compat._known_functions import key_of
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((6, 4), np.float32), RNG.random((6, 2), np.float32)


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


def squared(y, p):
    return K.mean(K.square(y - p), axis=-1)


def largest(y, p):
    return K.max(p)


class Doubled(keras.losses.Loss):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * squared(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def model_of(loss, metrics=()):
    model = keras.Sequential([layers.Dense(2, input_shape=(4,))])
    model.compile("sgd", loss, metrics=list(metrics))
    model.fit(X, Y, verbose=0)
    return model


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m.safetensors"])
@pytest.mark.parametrize("loss", [squared, [squared], Doubled(3.0)])
def test_losses_and_metrics_of_ones_own(tmp_path, name, loss):
    model = model_of(loss, [largest, "mae"])
    model.save(tmp_path / name)
    own = {"squared": squared, "largest": largest, "Doubled": Doubled}
    read = keras.models.load_model(tmp_path / name, custom_objects=own)
    wanted = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(read.evaluate(X, Y, verbose=0), wanted, rtol=1e-6)
    read.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="code of your own is to be given in custom_objects"):
        keras.models.load_model(tmp_path / name)
    bare = keras.models.load_model(tmp_path / name, compile=False)
    assert np.array_equal(bare.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match="not compiled"):
        bare.evaluate(X, Y, verbose=0)


def test_the_names_are_those_of_keras(tmp_path):
    model_of(squared, [largest]).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        config = json.loads(file.attrs["training_config"])
    assert (config["loss"], config["metrics"]) == ("squared", ["largest"])


def lambdas(factor):
    return keras.Sequential(
        [
            layers.Lambda(lambda x: x * factor + 1, input_shape=(4,)),
            layers.Lambda(squashed, arguments={"low": 0.5}),
        ]
    )


def squashed(x, low):
    return K.maximum(x, low)


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_lambdas_in_files(tmp_path, name):
    model = lambdas(0.25)
    wanted = np.maximum(X * 0.25 + 1, 0.5)
    model.save(tmp_path / name)
    lambdas(4.0)  # the same code around another number
    for read in (
        keras.models.load_model(tmp_path / name),
        keras.models.clone_model(model),
        keras.models.model_from_json(model.to_json()),
    ):
        np.testing.assert_allclose(read.predict(X, verbose=0), wanted, rtol=1e-6)


def test_code_that_is_not_here_is_not_run():
    config = lambdas(0.25).layers[0].get_config()
    config["function"]["config"]["key"] = "0" * 64
    with pytest.raises(ValueError, match="holds the code of a Python lambda"):
        layers.Lambda.from_config(config)
    held = np.ones(3)
    layer = layers.Lambda(lambda x: x * held)
    with pytest.raises(NotImplementedError, match="the code of a function cannot be written"):
        layer.get_config()


def test_keras_reads_the_code():
    import base64
    import marshal
    import types

    function = lambdas(0.25).layers[0].function
    inner = lambdas(0.25).layers[0].get_config()["function"]["config"]
    code = marshal.loads(base64.b64decode(inner["code"]))  # as Keras does, of our own file
    cells = tuple(types.CellType(value) for value in inner["closure"])
    made = types.FunctionType(code, {}, "made", None, cells)
    assert made(2.0) == function(2.0) == 1.5
    assert key_of(made) == inner["key"]


def test_activations_that_are_layers(tmp_path):
    def swish(x):
        return K.sigmoid(x) * x

    with keras.utils.CustomObjectScope({"swish": layers.Activation(swish)}):
        model = keras.Sequential([layers.Activation("swish", input_shape=(4,))])
    model.save(tmp_path / "m.h5")
    read = keras.models.load_model(tmp_path / "m.h5", custom_objects={"swish": swish})
    np.testing.assert_allclose(read.predict(X, verbose=0), X / (1 + np.exp(-X)), rtol=1e-5)


def test_a_schedule_of_ones_own_is_left_out(tmp_path):
    model = model_of("mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / "m.h5")
    assert isinstance(keras.models.load_model(tmp_path / "m.h5").loss, (str, pyconv.losses.Loss))


def test_lambdas_of_shapes_and_masks_in_configurations():
    layer = layers.Lambda(
        lambda x, mask=None: x[:, :2],
        output_shape=lambda shape: (shape[0], 2),
        mask=lambda x, mask: mask,
    )
    again = layers.Lambda.from_config(layer.get_config())
    np.testing.assert_array_equal(again(X), X[:, :2])
    assert again.compute_output_shape((None, 4)) == (None, 2)
