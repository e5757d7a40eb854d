"""Files of models within models and of classes of one's own: what Keras wrote, and its layout."""

import io
import json
import zipfile

import h5py
import keras_nets
import numpy as np
import pytest
from keras_data import FOLDER

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

CASES = [
    tuple(name.split(".", 1))
    for name in zipfile.ZipFile(FOLDER / "nets.zip").namelist()
    if not name.endswith(".npz")
]


pytestmark = pytest.mark.usefixtures("keras3")


def content(name):
    with zipfile.ZipFile(FOLDER / "nets.zip") as archive:
        return archive.read(name)


def loaded(name, ending, path):
    """(the model, its inputs) from a file."""
    model, x = keras_nets.NETS[name](keras)
    if ending == "weights.h5":
        model.load_weights(path)
        return model, x
    return keras.models.load_model(path, custom_objects=keras_nets.classes(keras)), x


def losses(model, x, epochs):
    y = keras_nets.Y
    fitted = model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    return fitted.history["loss"]


@pytest.mark.parametrize(("name", "ending"), CASES)
def test_files_of_keras(name, ending, tmp_path):
    known = np.load(io.BytesIO(content(f"{name}.npz")))
    path = tmp_path / f"m.{ending}"
    path.write_bytes(content(f"{name}.{ending}"))
    model, x = loaded(name, ending, path)
    np.testing.assert_allclose(model.predict(x, verbose=0), known["predicted"], atol=1e-5)
    if ending != "weights.h5":
        np.testing.assert_allclose(losses(model, x, 3), known["losses"], atol=1e-4)


def layout(file):
    """The shapes of all weights by their places."""
    found = {}

    def add(path, node):
        # Seeds and parameters of metrics are Keras's alone.
        if isinstance(node, h5py.Dataset) and node.dtype.kind == "f" and "seed" not in path:
            found[path] = node.shape

    file.visititems(add)
    return {path: shape for path, shape in found.items() if not path.startswith("optimizer")}


@pytest.mark.parametrize("name", keras_nets.NETS)
def test_places_of_weights_are_those_of_keras(name, tmp_path):
    model, _ = keras_nets.NETS[name](keras)
    model.save_weights(tmp_path / "m.weights.h5")
    known = io.BytesIO(content(f"{name}.weights.h5"))
    with h5py.File(known) as theirs, h5py.File(tmp_path / "m.weights.h5") as ours:
        assert layout(ours) == layout(theirs)


@pytest.mark.parametrize("name", [name for name, ending in CASES if ending == "h5"])
def test_order_of_weights_in_h5_is_that_of_keras(name, tmp_path):
    model, _ = keras_nets.NETS[name](keras)
    model.save(tmp_path / "m.h5")
    found = []
    for source in (tmp_path / "m.h5", io.BytesIO(content(f"{name}.h5"))):
        with h5py.File(source) as file:
            group = file["model_weights"]
            names = group.attrs["layer_names"]
            listed = [name.decode() if isinstance(name, bytes) else name for name in names]
            shapes = {
                layer: [group[layer][one].shape for one in group[layer].attrs["weight_names"]]
                for layer in listed
            }
            found.append({layer: kept for layer, kept in shapes.items() if kept})
    assert list(found[0].items()) == list(found[1].items())


@pytest.mark.parametrize("name", keras_nets.NETS)
@pytest.mark.parametrize("ending", ["keras", "weights.h5", "h5", "safetensors"])
def test_through_our_own_files(name, ending, tmp_path):
    model, x = keras_nets.NETS[name](keras)
    if ending == "safetensors" and not model.is_network:
        with pytest.raises(NotImplementedError, match="its call is code"):
            model.save(tmp_path / "m.safetensors")
        return
    model.compile("adam", "sparse_categorical_crossentropy")
    losses(model, x, 1)
    path = tmp_path / f"m.{ending}"
    (model.save_weights if ending == "weights.h5" else model.save)(path)
    again, _ = loaded(name, ending, path)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    if ending != "weights.h5":
        assert losses(again, x, 2) == losses(model, x, 2)


def test_what_a_model_shows():
    model, x = keras_nets.nested(keras)
    names = ["image", "stem", "inner", "both", "flat", "head"]
    assert [layer.name for layer in model.layers] == names
    inner = model.get_layer("inner")
    assert [layer.name for layer in inner.layers] == ["inner_input", "filters", "norm", "sum"]
    inner.trainable = False
    assert len(model.trainable_weights) == 4
    assert len(model.non_trainable_weights) == 6
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = [w.tobytes() for w in inner.get_weights()]
    losses(model, x, 1)
    assert [w.tobytes() for w in inner.get_weights()] == before
    text = []
    model.summary(print_fn=text.append)
    assert "inner (Functional)" in "\n".join(text)


def test_json_of_a_model_within_a_model():
    model, _ = keras_nets.nested(keras)
    described = {one["name"]: one for one in json.loads(model.to_json())["config"]["layers"]}
    assert described["inner"]["class_name"] == "Functional"
    assert described["inner"]["inbound_nodes"][0]["kwargs"] == {}
    names = [one["name"] for one in described["inner"]["config"]["layers"]]
    assert names == ["inner_input", "filters", "norm", "sum"]
    again = keras.models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config()


def test_a_stack_of_models_can_be_taken_apart():
    model, _ = keras_nets.stacked(keras)
    assert [layer.name for layer in model.layers] == ["stem", "deeper", "flat", "head"]
    model.pop()
    model.pop()
    assert model.pop().name == "deeper"
    assert model.output_shape == (None, 6, 6, 2)
    with pytest.raises(ValueError, match="it has Conv2D 'stem' already; .* make another one"):
        model.add(model.layers[0])


def test_weights_that_do_not_fit(tmp_path):
    (tmp_path / "m.weights.h5").write_bytes(content("nested.weights.h5"))
    model, _ = keras_nets.twins(keras)
    before = [w.tobytes() for w in model.get_weights()]
    with pytest.raises(ValueError, match="it has no weights of layers/functional_1/layers/conv2d"):
        model.load_weights(tmp_path / "m.weights.h5")
    assert [w.tobytes() for w in model.get_weights()] == before


def test_a_small_file_cannot_ask_for_much_memory(tmp_path):
    """The layer within the model says that it is large; the file has no such weights."""
    path = tmp_path / "m.keras"
    known = io.BytesIO(content("nested.keras"))
    with zipfile.ZipFile(known) as theirs, zipfile.ZipFile(path, "w") as archive:
        for name in theirs.namelist():
            data = theirs.read(name)
            if name == "config.json":
                data = data.replace(b'"units": 3', b'"units": 300000')
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="the file has no numbers for kernel of shape"):
        keras.models.load_model(path)


def test_attributes_of_the_library_are_none_of_the_user():
    """What files are written of are the user's own attributes."""
    model, x = keras_nets.own_model(keras)
    model.compile("sgd", "sparse_categorical_crossentropy")
    losses(model, x, 1)
    model.predict(x, verbose=0)

    def holds(value):
        parts = list(value.values()) if isinstance(value, dict) else value
        if isinstance(parts, (list, tuple)):
            return any(map(holds, parts))
        return isinstance(value, (layers.Layer, keras.Sequential)) or hasattr(value, "get_weights")

    own = {name for name, value in model.own_attributes().items() if holds(value)}
    assert own - {"optimizer"} == {"top", "stem", "convs", "flat"}
