"""Files of models as Keras 3 takes them: unbuilt ones, open files; clones and state trees."""

import functools
import io

import keras_nets
import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

pytestmark = pytest.mark.usefixtures("keras3")


class Doubled(keras.Model):
    """What it is trained on is known once there are data."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = layers.Dense(units)

    def call(self, x):
        return 2 * self.first(x)

    def get_config(self):
        return {"units": self.units}


class Renamed(keras.Model):
    def __init__(self):
        super().__init__()
        self.other = layers.Dense(3)

    @property
    def first(self):
        return self.other

    def call(self, x):
        return 2 * self.first(x)


# --- before the shapes are known --------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [lambda: Doubled(3), lambda: keras.Sequential([layers.Dense(3), layers.ReLU()])]
)
def test_a_model_without_weights(make, tmp_path):
    model = make()
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Doubled": Doubled})
    assert type(again) is type(model)
    assert again.compiled
    assert not again.built
    assert again.predict(np.ones((2, 4)), verbose=0).shape == (2, 3)
    for ending in ("h5", "safetensors", "weights.h5"):
        save = model.save_weights if ending == "weights.h5" else model.save
        with pytest.raises(ValueError, match="You are saving a model that has not yet been built"):
            save(tmp_path / f"m.{ending}")
    built = make()
    built(np.ones((2, 4)))
    built.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="You are loading weights into a model that has not"):
        model.load_weights(tmp_path / "w.weights.h5")


def test_weights_by_another_attribute(tmp_path):
    """Keras walks through properties too, and takes the first name that the file has."""
    model, other = Doubled(3), Renamed()
    for one in (model, other):
        one(np.ones((2, 4)))
    model.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_a_list_that_holds_itself(tmp_path):
    class Cyclic(Doubled):
        def __init__(self, units, **kwargs):
            super().__init__(units, **kwargs)
            self.kept = [self.first]
            self.kept.append(self.kept)

    model = Cyclic(3)
    expected = model.predict(np.ones((2, 4)), verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Cyclic": Cyclic})
    np.testing.assert_array_equal(again.predict(np.ones((2, 4)), verbose=0), expected)


# --- names of files ---------------------------------------------------------------------------


def test_open_files():
    model, x = keras_nets.nested(keras)
    file = io.BytesIO()
    keras.models.save_model(model, file)
    file.seek(0)
    again = keras.models.load_model(file)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(ValueError, match="load_model: the open file is damaged"):
        keras.models.load_model(io.BytesIO(b"nothing"))


def test_endings_of_keras_3(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    for save in (model.save, functools.partial(keras.saving.save_model, model)):
        with pytest.raises(ValueError, match="Invalid filepath extension for saving"):
            save(tmp_path / "m.png")
        with pytest.raises(ValueError, match="The `save_format` argument is deprecated"):
            save(tmp_path / "m", save_format="tf")
        with pytest.raises(ValueError, match=r"argument\(s\) are not supported: \['signatures'\]"):
            save(tmp_path / "m.keras", signatures=1)
        save(tmp_path / "m.keras", save_format="keras")
    with pytest.raises(ValueError, match="File not found: .*is an accessible `.keras` zip file"):
        keras.models.load_model(tmp_path / "none.keras")
    with pytest.raises(ValueError, match="File format not supported"):
        keras.models.load_model(tmp_path / "none.pkl")
    with pytest.raises(ValueError, match="File format not supported"):
        model.load_weights(tmp_path / "none.pkl")
    monkeypatch.setattr(compat._era, "_chosen", "keras2")
    model.save(tmp_path / "m", save_format="tf")  # as TensorFlow's Keras takes it
    assert keras.models.load_model(tmp_path / "m").count_params() == 3


# --- clones -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nested", "stacked", "shared", "twins", "own_model"])
def test_clones_hold_models(name):
    model, x = keras_nets.NETS[name](keras)
    clone = keras.models.clone_model(model)
    clone(x)
    assert [type(layer) for layer in clone.layers] == [type(layer) for layer in model.layers]
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in model.get_weights()]
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(x, verbose=0), model.predict(x, verbose=0))
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}


def test_functions_for_layers_of_models_within():
    model, _ = keras_nets.nested(keras)

    def called(layer, inputs):
        y = layer(inputs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Conv2D) else y

    def kinds(net):
        return [type(one).__name__ for one in net.layers]

    alone = keras.models.clone_model(model, call_function=called)
    assert kinds(alone).count("Dropout") == 1
    assert kinds(alone.get_layer("inner")) == kinds(model.get_layer("inner"))
    deep = keras.models.clone_model(model, call_function=called, recursive=True)
    assert kinds(deep.get_layer("inner")).count("Dropout") == 1
    assert len(deep._flatten_layers()) == len(model._flatten_layers()) + 2


# --- state trees ------------------------------------------------------------------------------


def test_state_trees():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="head")])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.zeros((4, 1)), verbose=0)
    tree = model.get_state_tree("numpy_array")
    assert sorted(tree["trainable_variables"]["head"]) == ["bias", "kernel"]
    np.testing.assert_array_equal(tree["trainable_variables"]["head"]["kernel"], model.weights[0])
    assert tree["non_trainable_variables"] == {}
    tree["trainable_variables"]["head"]["kernel"][:] = 7
    assert (model.weights[0] != 7).all()  # they are copies
    model.set_state_tree({"trainable_variables": {"head": {"kernel": [[1.0], [2.0]]}}})
    assert model.weights[0].tolist() == [[1.0], [2.0]]
    slots = model.get_state_tree()["optimizer_variables"]["adam"]
    assert sorted(slots)[:3] == ["head_bias_momentum", "head_bias_velocity", "head_kernel_momentum"]
    assert int(slots["iteration"]) == 1
    model.set_state_tree({"optimizer_variables": {"adam": {"learning_rate": 0.5, "iteration": 7}}})
    assert (model.optimizer.learning_rate, int(model.optimizer.iterations)) == (0.5, 7)
    with pytest.raises(ValueError, match=r"head/bias must be of shape \(1,\), got \(2,\)"):
        model.set_state_tree({"trainable_variables": {"head": {"bias": [1.0, 2.0]}}})
    with pytest.raises(ValueError, match=r"unknown kinds \['weights'\]"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ValueError, match="value_format must be 'backend_tensor' or"):
        model.get_state_tree("torch")


def test_a_path_of_two_variables():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(4, name="same"), layers.Dense(4, name="same")

        def call(self, x):
            return self.b(self.a(x))

    model = Two()
    model(np.ones((1, 3)))
    with pytest.raises(ValueError, match="variable path is found twice in the model: 'same/ker"):
        model.get_state_tree()


# --- adding -----------------------------------------------------------------------------------


def test_the_same_layer_twice_in_a_stack():
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match=r"it has Dense 'dense' already; .* make another one"):
        keras.Sequential([keras.Input((2,)), layer, layer])
    with pytest.raises(ValueError, match="already been configured to use .*an Input must be the"):
        keras.Sequential([keras.Input((2,)), keras.Input((2,))])
