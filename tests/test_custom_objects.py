"""Classes and functions of one's own by name, and objects as plain data."""

import json
import threading

import numpy as np
import pytest

import pyconv
import pyconv.compat.keras as keras
from pyconv import custom_objects, serialization
from pyconv.serialization import deserialize_keras_object, serialize_keras_object


@pytest.fixture(autouse=True)
def registered_anew(monkeypatch):
    monkeypatch.setattr(custom_objects, "_registered", {})
    monkeypatch.setattr(custom_objects, "_names", {})


class Doubled(pyconv.layers.Dense):
    pass


def half(x, y):
    return abs(x - y).mean(axis=-1) / 2


def test_scope():
    with custom_objects.custom_object_scope({"half": half, "Doubled": Doubled}):
        assert pyconv.losses.get("half") is half
        assert pyconv.metrics.get("half").name == "half"
        assert pyconv.activations.get("half") is not None
        assert isinstance(
            pyconv.layers.deserialize({"class_name": "Doubled", "config": {"units": 2}}), Doubled
        )
        with custom_objects.CustomObjectScope(None), pytest.raises(ValueError, match="unknown"):
            pyconv.losses.get("half")
    with pytest.raises(ValueError, match="unknown loss 'half'"):
        pyconv.losses.get("half")


def test_scope_is_of_its_thread():
    found = []
    with custom_objects.custom_object_scope({"half": half}):
        thread = threading.Thread(
            target=lambda: found.append(custom_objects.get_registered_object("half"))
        )
        thread.start()
        thread.join()
    assert found == [None]


def test_registered_names():
    custom_objects.register_keras_serializable("own", "Twice")(Doubled)
    assert custom_objects.get_registered_name(Doubled) == "own>Twice"
    assert custom_objects.get_registered_object("own>Twice") is Doubled
    assert custom_objects.get_registered_name(half) == "half"
    config = pyconv.layers.serialize(Doubled(3, name="d"))
    assert type(pyconv.layers.deserialize(config)) is Doubled


def test_a_registered_class_does_not_replace_one_of_the_library():
    custom_objects.register_keras_serializable("own", "Dense")(Doubled)
    config = {"class_name": "Dense", "config": {"units": 2}}
    assert type(pyconv.layers.deserialize(config)) is pyconv.layers.Dense
    assert type(pyconv.layers.deserialize({**config, "registered_name": "own>Dense"})) is Doubled


def test_a_class_without_a_config_is_refused():
    with pytest.raises(ValueError, match=r"does not have a get_config\(\) method: Bare"):

        @custom_objects.register_keras_serializable()
        class Bare:
            pass

    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        custom_objects.CustomObjectScope([half])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2,
        0.5,
        "relu",
        b"bytes",
        [1, "a"],
        {"a": {"b": None}},
        slice(None, 20, 1),
        ...,
        np.array([[1.5, 2.5]], np.float32),
        np.float32(1.5),
    ],
)
def test_plain_data(value):
    data = json.loads(json.dumps(serialize_keras_object(value)))
    again = deserialize_keras_object(data)
    assert np.array_equal(again, value) if isinstance(value, np.ndarray) else again == value


@pytest.mark.parametrize(
    ("made", "module"),
    [
        (pyconv.layers.Dense(3, "relu", kernel_regularizer="l2", name="d"), "keras.layers"),
        (pyconv.losses.Huber(0.5), "keras.losses"),
        (pyconv.metrics.AUC(name="a"), "keras.metrics"),
        (pyconv.optimizers.Adam(0.01, clipnorm=1.0), "keras.optimizers"),
        (pyconv.optimizers.schedules.CosineDecay(0.1, 10), "keras.optimizers.schedules"),
        (pyconv.initializers.HeNormal(3), "keras.initializers"),
        (pyconv.regularizers.L1(0.1), "keras.regularizers"),
        (pyconv.constraints.MaxNorm(3), "keras.constraints"),
    ],
)
def test_objects(made, module):
    data = json.loads(json.dumps(serialize_keras_object(made)))
    assert (data["module"], data["class_name"]) == (module, type(made).__name__)
    again = deserialize_keras_object(data)
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()
    of_keras = keras.saving.deserialize_keras_object(data)
    assert isinstance(of_keras, type(made))


def test_models():
    model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(model))))
    assert (again.count_params(), again.input_shape) == (10, (None, 4))


def test_own_functions_and_classes():
    with pytest.raises(TypeError, match=r"Could not locate function 'half'.*register_keras"):
        deserialize_keras_object(serialize_keras_object(half))
    data = serialize_keras_object({"f": half, "layer": Doubled(2, name="d")})
    again = deserialize_keras_object(data, {"half": half, "Doubled": Doubled})
    assert again["f"] is half
    assert type(again["layer"]) is Doubled
    custom_objects.register_keras_serializable()(half)
    assert deserialize_keras_object(serialize_keras_object(half)) is half


def test_a_built_layer_is_built_again():
    layer = pyconv.layers.Dense(3)
    layer.build((None, 4))
    assert deserialize_keras_object(serialize_keras_object(layer)).kernel.shape == (4, 3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class_name": "Dense", "config": [1]}, "Expected 'config' to be a dict"),
        ({"class_name": "function", "config": [1]}, "Expected 'config' to be a non-null str"),
        ({"class_name": "__lambda__", "config": {"value": "x"}}, "arbitrary code execution"),
        ({"module": "os", "class_name": "system", "config": {}}, "Could not locate class 'system'"),
        ({"module": "keras.os", "class_name": "x", "config": {}}, "Could not locate class 'x'"),
        ({"module": "keras.layers", "class_name": "get_config", "config": {}}, "Could not locate"),
        (
            {"module": "keras.layers", "class_name": "Dense", "config": {"wide": 2}},
            "Dense could not be deserialized|Unrecognized keyword",
        ),
        (object(), "Could not parse config"),
    ],
)
def test_errors(config, message):
    with pytest.raises((TypeError, ValueError), match=message):
        deserialize_keras_object(config)


def test_what_has_no_name_is_not_described():
    with pytest.raises(ValueError, match="a lambda has no name"):
        serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match=r"must implement the `get_config\(\)`"):
        serialize_keras_object(object())
    assert set(serialization.__all__) <= set(dir(keras.saving)) | set(keras.saving.__all__)


def test_models_in_files_find_registered_classes(tmp_path):
    custom_objects.register_keras_serializable("own")(Doubled)
    model = pyconv.Sequential([pyconv.Input((4,)), Doubled(2)])
    path = tmp_path / "model.keras"
    model.save(path)
    again = pyconv.models.load_model(path)
    assert type(again.layers[0]) is Doubled
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_models_of_the_functional_api():
    images = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(1, 3, padding="same")(images)
    x = keras.layers.Flatten()(keras.layers.add([images, x]))
    model = keras.Model(images, keras.layers.Dense(2)(x))
    model.compile("sgd", "mse")
    for made in (model, keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten()])):
        data = json.loads(json.dumps(keras.saving.serialize_keras_object(made)))
        again = keras.saving.deserialize_keras_object(data)
        assert type(again) is type(made)
        again.set_weights(made.get_weights())
        x = np.random.default_rng(0).random((2, 6, 6, 1))
        np.testing.assert_array_equal(again.predict(x, verbose=0), made.predict(x, verbose=0))
        assert again.compiled == made.compiled
