"""Models of the user's own classes in files: they come back as their classes."""

import warnings

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

X = np.random.default_rng(0).random((8, 6), np.float32)
Y = np.arange(8) % 3


pytestmark = pytest.mark.usefixtures("keras3")


class Plain(keras.Model):
    """Its arguments are plain data, so that it needs no configuration of its own."""

    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, activation=activation)
        self.head = layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.head(self.hidden(x))

    def twice(self):
        return 2 * self.hidden.units


class Configured(Plain):
    """As Keras's guide has it."""

    def __init__(self, units, act, **kwargs):
        super().__init__(units, act, **kwargs)
        self.act = act

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.hidden.units, "act": self.act})
        return config


class Own(Plain):
    """With a configuration of nothing but what it needs."""

    def get_config(self):
        return {"size": self.hidden.units}

    @classmethod
    def from_config(cls, config):
        return cls(config["size"])


class Wired(keras.Model):
    def __init__(self, **kwargs):
        inputs = keras.Input((6,))
        hidden = layers.Dense(4)
        super().__init__(inputs, layers.Dense(3, activation="softmax")(hidden(inputs)), **kwargs)
        self.hidden = hidden

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


MAKERS = [
    lambda: Plain(5),
    lambda: Plain(5, activation="tanh", name="mine"),
    lambda: Configured(4, "tanh"),
    lambda: Own(4),
    lambda: Wired(),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files(make, ending, tmp_path):
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    path = str(tmp_path / f"m.{ending}")
    model.save(path)
    again = keras.models.load_model(path)
    assert type(again) is type(model)
    assert again.name == model.name or isinstance(model, (Own, Wired))
    assert again.hidden.units == model.hidden.units
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for trained in (model, again):
        trained.fit(X, Y, shuffle=False, verbose=0)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_only_its_class_has(tmp_path):
    model = Plain(5)
    model.build((None, 6))
    model.save(tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras").twice() == 10
    other = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Plain": Renamed})
    assert type(other) is Renamed


class Renamed(Plain):
    pass


def test_classes_that_are_not_known(tmp_path):
    def local():
        class Hidden(Plain):
            pass

        return Hidden

    model = local()(5)
    model.build((None, 6))
    expected = model.predict(X, verbose=0)
    for ending in ("keras", "h5", "safetensors"):
        model.save(str(tmp_path / f"m.{ending}"))
        again = keras.models.load_model(str(tmp_path / f"m.{ending}"))  # its layers alone
        assert type(again).__name__ == "Functional"
        np.testing.assert_array_equal(again.predict(X, verbose=0), expected)


def test_arguments_that_are_no_plain_data(tmp_path):
    class Given(keras.Model):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def call(self, x):
            return self.layer(x)

    model = Given(layers.Dense(2))
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), expected)


def test_a_configuration_that_its_class_does_not_take(tmp_path):
    model = Unlike(4)
    model.build((None, 6))
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="Unlike: its from_config does not take"):
        keras.models.load_model(tmp_path / "m.keras")


class Unlike(Plain):
    def get_config(self):
        return {"sizes": 3}


def test_subclasses_of_sequential(tmp_path):
    model = Stack()
    model.build((None, 6))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


class Stack(keras.Sequential):
    def __init__(self):
        super().__init__([layers.Dense(4), layers.Dense(2)])

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config, *args, **kwargs):
        return cls()


@keras.saving.register_keras_serializable(package="shop")
def cubic_error(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_pred - y_true) ** 3, axis=-1)


@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_registered_losses_and_metrics_are_found_again(ending, tmp_path):
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 1), np.float32)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", cubic_error, metrics=[cubic_error, "mae"])
    model.fit(x, y, verbose=0)
    model.save(str(tmp_path / f"m.{ending}"))
    again = keras.models.load_model(str(tmp_path / f"m.{ending}"))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    again.fit(x, y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.models.save_model(again, str(tmp_path / "again.h5"), save_format="h5")


@keras.saving.register_keras_serializable(package="test_of_files")
class Registered(keras.layers.Dense):
    """A class of the user's own over one of Keras's."""


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_registered_classes_are_found_by_their_package(tmp_path, suffix):
    model = keras.Sequential([keras.Input((3,)), Registered(2)])
    model.save(tmp_path / f"m{suffix}")
    found = keras.models.load_model(tmp_path / f"m{suffix}")
    assert type(found.layers[0]) is Registered
    np.testing.assert_array_equal(found.get_weights()[0], model.get_weights()[0])
    if suffix == ".h5":  # where Keras looks for that name
        raw = (tmp_path / f"m{suffix}").read_bytes()
        assert b'"class_name": "test_of_files>Registered"' in raw


def test_what_keras_adds_to_configurations_of_ones_own_classes():
    config = {**Registered(2, name="d").get_config(), "quantization_config": None}
    described = {"class_name": "Registered", "config": config}
    described["registered_name"] = "test_of_files>Registered"
    assert keras.layers.deserialize(described).units == 2
    own = {"class_name": "Kept", "config": {"name": "k", "fused": None}}

    class Kept(keras.layers.Layer):
        def __init__(self, fused="", **kwargs):
            super().__init__(**kwargs)
            self.fused = fused

    assert keras.layers.deserialize(own, {"Kept": Kept}).fused is None
