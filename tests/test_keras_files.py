"""Models in Keras's files: those that Keras wrote, and what pyconv writes in their layout."""

import json
import zipfile

import h5py
import numpy as np
import pytest
from keras_data import NAMES, content, reference, unpacked
from model_files import X, Y, bits, network, small

import pyconv
from pyconv import layers, models
from pyconv.formats import hdf5_reader, keras_config_writer
from pyconv.layers.graph import blocks

ENDINGS = [".h5", ".hdf5", ".keras"]
ALL_ENDINGS = [*ENDINGS, ".weights.h5", ".safetensors"]


def same_model(name, model):
    known = reference(name)
    np.testing.assert_allclose(model.predict(known["x"], verbose=0), known["predicted"], atol=1e-6)
    found = model.evaluate(known["x"], known["y"], verbose=0)
    np.testing.assert_allclose(found, known["evaluated"], atol=1e-5)


# --- files of Keras ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_model_of_keras(name, tmp_path):
    same_model(name, models.load_model(unpacked(tmp_path, name)))


@pytest.mark.parametrize(
    ("name", "steps"),
    [("cnn.h5", 4), ("cnn.keras", 4), ("keras2.h5", 4), ("layers.h5", 3), ("layers.keras", 3)],
)
def test_optimizer_of_keras(name, steps, tmp_path):
    model = models.load_model(unpacked(tmp_path, name))
    known = reference(name)["optimizer"]
    found = model.optimizer.variables
    assert [f.shape for f in found] == [k.shape for k in known]
    assert model.optimizer.iterations == steps
    for a, b in zip(found, known, strict=True):
        np.testing.assert_array_equal(a, b)


def test_decay_of_keras_2(tmp_path):
    """rate / (1 + decay * iterations), as keras/optimizers.py of Keras 2.0 has it."""
    model = models.load_model(unpacked(tmp_path, "keras2.h5"))
    assert model.optimizer.momentum == 0.5
    assert model.optimizer.learning_rate == pytest.approx(0.01 / (1 + 0.1 * 4))


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    "name", [*NAMES, *(f"{model}.weights.h5" for model in ("cnn", "keras2", "layers"))]
)
def test_weights_of_keras(name, by_name, tmp_path):
    like = "layers.h5" if name.startswith("layers") else "cnn.h5"
    model = models.clone_model(models.load_model(unpacked(tmp_path, like)))
    if by_name and name.endswith((".keras", ".weights.h5")):
        with pytest.raises(ValueError, match="by_name needs a file that names its layers"):
            model.load_weights(unpacked(tmp_path, name), by_name=True)
        return
    model.load_weights(unpacked(tmp_path, name), by_name=by_name)
    x = reference(name)["x"]
    np.testing.assert_allclose(model(x), reference(name)["predicted"], atol=1e-6)


def test_uncompiled(tmp_path):
    model = models.load_model(unpacked(tmp_path, "cnn.h5"), compile=False)
    assert not model.compiled


# --- files in Keras's layout ------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_training_goes_on(ending, tmp_path):
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / f"m{ending}")
    loaded = models.load_model(tmp_path / f"m{ending}")
    assert bits(loaded) == bits(model)
    assert loaded.get_config() == model.get_config()
    losses = [
        pyconv.utils.set_random_seed(5)
        or m.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"]
        for m in (model, loaded)
    ]
    assert losses[0] == losses[1]
    assert bits(loaded) == bits(model)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_weights_alone(ending, tmp_path):
    model, path = network(), tmp_path / f"w{ending}"
    model.save_weights(path)
    other = network(seed=4)
    assert bits(other) != bits(model)
    other.load_weights(path)
    assert bits(other) == bits(model)


def test_layout_of_h5(tmp_path):
    model = small()
    model.save(tmp_path / "m.h5")
    names = [layer.name for layer in model.layers]
    with h5py.File(tmp_path / "m.h5") as file:
        config = json.loads(file.attrs["model_config"])
        training = json.loads(file.attrs["training_config"])
        weights = file["model_weights"]
        assert [name.decode() for name in weights.attrs["layer_names"]] == names
        dense = weights[names[-1]]
        assert [name.decode() for name in dense.attrs["weight_names"]] == [
            f"{names[-1]}/kernel:0",
            f"{names[-1]}/bias:0",
        ]
        np.testing.assert_array_equal(dense[f"{names[-1]}/kernel:0"], model.weights[2])
        assert len(file["optimizer_weights"].attrs["weight_names"]) == 2 + 4
    assert config["class_name"] == "Sequential"
    first, second = config["config"]["layers"][:2]
    assert first["class_name"] == "InputLayer"
    assert first["config"]["batch_input_shape"] == [None, 6, 6, 1]
    assert second["config"]["data_format"] == "channels_last"
    assert second["config"]["kernel_initializer"]["module"] == "keras.initializers"
    assert training["optimizer_config"]["class_name"] == "RMSprop"
    assert training["loss"] == "sparse_categorical_crossentropy"


def test_layout_of_keras_archives(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config = json.loads(archive.read("config.json"))
        assert "keras_version" in json.loads(archive.read("metadata.json"))
        with archive.open("model.weights.h5") as weights, h5py.File(weights) as file:
            assert set(file["layers"]) == {"conv2d", "max_pooling2d", "dropout", "flatten", "dense"}
            np.testing.assert_array_equal(file["layers/dense/vars/1"], model.weights[3])
            assert len(file["optimizer/vars"]) == 2 + 4
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert config["build_config"] == {"input_shape": [None, 6, 6, 1]}
    assert config["config"]["layers"][1]["module"] == "keras.layers"
    assert config["config"]["layers"][1]["registered_name"] is None
    assert config["compile_config"]["optimizer"]["module"] == "keras.optimizers"


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = small()
    for ending in ENDINGS:
        model.save(tmp_path / f"a{ending}")
        model.save(tmp_path / f"b{ending}")
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize("ending", [*ENDINGS, ".safetensors"])
def test_without_the_optimizer(ending, tmp_path):
    small().save(tmp_path / f"m{ending}", include_optimizer=False)
    assert not models.load_model(tmp_path / f"m{ending}").compiled


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_weights_only_are_no_model(ending, tmp_path):
    path = tmp_path / f"w{ending}"
    small().save_weights(path)
    if ending == ".keras":
        assert models.load_model(path).layers
        return
    with pytest.raises(ValueError, match="holds weights only; build the model and call load_we"):
        models.load_model(path)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_layers_of_every_kind(ending, tmp_path):
    """Through pyconv's own files: regularizers, constraints, statistics, depthwise filters."""
    model = models.load_model(unpacked(tmp_path, "layers.keras"))
    path = tmp_path / f"m{ending}"
    if ending == ".weights.h5":
        model.save_weights(path)
        loaded = models.clone_model(model)
        loaded.load_weights(path)
    else:
        model.save(path)
        loaded = models.load_model(path)
    assert loaded.get_config() == model.get_config()
    assert bits(loaded) == bits(model)


def test_spatial_dropout_without_trainable():
    """Keras's class does not take it."""
    model = pyconv.Sequential([pyconv.Input((4, 4, 2)), pyconv.layers.SpatialDropout2D(0.2)])
    config = json.loads(model.to_json())["config"]["layers"][1]["config"]
    assert config["rate"] == 0.2
    assert "trainable" not in config


# --- weights that do not fit ------------------------------------------------------------------


def other_head():
    layers = [pyconv.layers.Flatten(), pyconv.layers.Dense(2), pyconv.layers.Dense(9)]
    return pyconv.Sequential([pyconv.Input((4,)), *layers])


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_mismatch(ending, tmp_path):
    source, path = other_head(), tmp_path / f"m{ending}"
    source.save_weights(path)
    layers = [pyconv.layers.Flatten(), pyconv.layers.Dense(2), pyconv.layers.Dense(3)]
    model = pyconv.Sequential([pyconv.Input((4,)), *layers])
    before = bits(model)
    with pytest.raises(ValueError, match=r"load_weights: .* does not fit: Dense .*\(2, 3\), got"):
        model.load_weights(path)
    assert bits(model) == before
    model.load_weights(path, skip_mismatch=True)
    assert bits(model) == [*bits(source)[:2], *before[2:]]
    model.pop()
    with pytest.raises(ValueError, match="weights of 2 layers"):
        model.load_weights(path)


def test_by_name(tmp_path):
    source = other_head()
    source.save_weights(tmp_path / "m.h5")
    name = source.layers[-1].name
    layers = [pyconv.layers.Dense(2), pyconv.layers.Dense(9, name=name)]
    model = pyconv.Sequential([pyconv.Input((4,)), *layers])
    before = bits(model)
    model.load_weights(tmp_path / "m.h5", by_name=True)
    assert bits(model) == [*before[:2], *bits(source)[2:]]


# --- other functions --------------------------------------------------------------------------


def test_keras_json(tmp_path):
    with zipfile.ZipFile(unpacked(tmp_path, "cnn.keras")) as archive:
        text = archive.read("config.json").decode()
    model = models.model_from_json(text)
    assert model.name == "cnn"
    again = models.model_from_json(model.to_json(indent=1))
    assert again.get_config() == model.get_config()


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        (3, TypeError, "json_string must be a string"),
        ("{", ValueError, "model_from_json: "),
        ("[" * 100_000, ValueError, "model_from_json: "),
        ("{}", ValueError, "its model is a None"),
        ('{"class_name": "Functional", "config": {}}', ValueError, "must have a list of layers"),
        ('{"class_name": "Mine", "config": {}}', ValueError, "only Sequential models"),
        ('{"class_name": "Sequential", "config": 3}', ValueError, "must have a list of layers"),
    ],
)
def test_wrong_json(text, error, match):
    with pytest.raises(error, match=match):
        models.model_from_json(text)


def test_clone():
    model = network()
    copy = models.clone_model(model)
    assert copy.get_config() == model.get_config()
    assert not np.array_equal(copy.weights[0], model.weights[0])
    assert not copy.compiled
    wider = models.clone_model(model, input_tensors=pyconv.Input((8, 8, 3), batch_size=2))
    assert wider.input_shape == (2, 8, 8, 3)

    def without_dropout(layer):
        config = layer.get_config()
        if isinstance(layer, pyconv.layers.Dropout):
            config["rate"] = 0.0
        return type(layer).from_config(config)

    assert models.clone_model(model, clone_function=without_dropout).layers[2].rate == 0
    with pytest.raises(TypeError, match="clone_model: model must be a Sequential"):
        models.clone_model(3)


class Halved(pyconv.layers.Layer):
    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training):
        return x / 2

    def backward(self, dy, need_dx):
        return dy / 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_layers_of_ones_own(ending, tmp_path):
    model = pyconv.Sequential([pyconv.Input((4,)), Halved(), pyconv.layers.Dense(2)])
    model.save(tmp_path / f"m{ending}")
    if ending == ".keras":  # it has the module, which is imported
        assert bits(models.load_model(tmp_path / f"m{ending}")) == bits(model)
    else:
        with pytest.raises(ValueError, match="unknown layer 'Halved'"):
            models.load_model(tmp_path / f"m{ending}")
    loaded = models.load_model(tmp_path / f"m{ending}", custom_objects={"Halved": Halved})
    assert bits(loaded) == bits(model)


def functional(form):
    """A network as the functional API of Keras 2 or 3 describes it, its layers in any order."""

    def layer(class_name, name, source, **config):
        history = {"keras_history": [source, 0, 0]}
        tensor = {"class_name": "__keras_tensor__", "config": history}
        nodes = [[[source, 0, 0, {}]]] if form == 2 else [{"args": [tensor], "kwargs": {}}]
        return {
            "class_name": class_name,
            "name": name,
            "config": {"name": name, **config},
            "inbound_nodes": nodes if source else [],
        }

    listed = [
        layer("Dense", "head", "flat", units=3),
        layer("InputLayer", "in", None, batch_input_shape=[None, 6, 6, 2]),
        layer("Conv2D", "conv", "in", filters=2, kernel_size=3),
        layer("Flatten", "flat", "conv"),
    ]
    return {"class_name": "Functional", "config": {"name": "f", "layers": listed}}


@pytest.mark.parametrize("form", [2, 3])
def test_functional_models_that_are_stacks(form):
    config = functional(form)
    model = models.model_from_json(json.dumps(config))
    assert [layer.name for layer in model.layers] == ["conv", "flat", "head"]
    assert model.output_shape == (None, 3)
    nodes = config["config"]["layers"][3]["inbound_nodes"]
    nodes[:] = functional(form)["config"]["layers"][2]["inbound_nodes"]
    with pytest.raises(ValueError, match="it has 2 outputs: head, conv; only models of one"):
        models.model_from_json(json.dumps(config))
    nodes[:] = functional(form)["config"]["layers"][0]["inbound_nodes"] * 2
    with pytest.raises(ValueError, match="the layer 'flat' is used 2 times; only models that use"):
        models.model_from_json(json.dumps(config))
    nodes[:] = functional(form)["config"]["layers"][0]["inbound_nodes"]
    config["config"]["layers"].pop(0)
    with pytest.raises(ValueError, match=r"nothing leads to the layers \['flat'\]"):
        models.model_from_json(json.dumps(config))


def branched():
    """A network with a sum and a concatenation, one within the other."""
    wired = [
        (layers.Conv2D(4, 3, padding="same", name="conv_1"), (0,)),
        (layers.BatchNormalization(), (1,)),
        (layers.Add(), (2, 1)),
        (layers.Dropout(0.5, seed=3), (3,)),
        (layers.Conv2D(2, 1), (4,)),
        (layers.Concatenate(), (5, 0)),
        (layers.Flatten(), (6,)),
        (layers.Dense(3, activation="softmax"), (7,)),
    ]
    model = pyconv.Sequential([pyconv.Input((4, 4, 2)), *blocks(wired)])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("ending", [".keras", ".h5", ".safetensors"])
def test_models_with_branches(tmp_path, ending):
    model = branched()
    x, y = np.random.default_rng(0).random((8, 4, 4, 2), np.float32), np.arange(8) % 3
    model.fit(x, y, verbose=0)
    path = tmp_path / f"m{ending}"
    model.save(path)
    again = models.load_model(path)
    assert [type(layer).__name__ for layer in again.layers] == ["Graph", "Flatten", "Dense"]
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    # With the optimizer's moments, and dropout where it was.
    other = branched()
    other.load_weights(path)
    assert bits(other) == bits(model)
    for each in (model, again):
        each.fit(x, y, shuffle=False, verbose=0)
    assert bits(again) == bits(model)


def test_weights_of_models_with_branches(tmp_path):
    model, other = branched(), branched()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert bits(other) == bits(model)


@pytest.mark.parametrize("modules", [False, True])
def test_models_with_branches_as_json(modules):
    config = keras_config_writer.model_config(branched(), modules)
    assert config["class_name"] == "Functional"
    names = [layer["name"] for layer in config["config"]["layers"]]
    assert names[1:3] == ["conv_1", config["config"]["layers"][2]["config"]["name"]]
    output = [names[-1], 0, 0]
    assert config["config"]["output_layers"] == (output if modules else [output])
    again = models.model_from_json(json.dumps(config))
    assert keras_config_writer.model_config(again, modules) == config


def test_mixed_precision_is_read_as_float32():
    config = json.loads(models.clone_model(network()).to_json())
    for layer in config["config"]["layers"][1:]:
        layer["config"]["dtype"] = {
            "module": "keras", "class_name": "DTypePolicy",
            "config": {"name": "mixed_float16"}, "registered_name": None,
        }  # fmt: skip
    assert models.model_from_json(json.dumps(config)).layers[0].dtype == "float32"


def test_arguments_that_only_one_side_has():
    layers = [pyconv.layers.RandomCrop(4, 4), pyconv.layers.RandomBrightness(0.1)]
    config = json.loads(pyconv.Sequential([pyconv.Input((6, 6, 3)), *layers]).to_json())
    _, crop, brightness = (layer["config"] for layer in config["config"]["layers"])
    assert not {"per_image", "padding"} & set(crop)
    for order in ("channels_last", "channels_first"):
        brightness["data_format"] = order
        assert len(models.model_from_json(json.dumps(config)).layers) == 2
    brightness["contrast"] = 0.1
    with pytest.raises(ValueError, match="contrast"):
        models.model_from_json(json.dumps(config))


def test_checksum_of_h5(tmp_path):
    """Keras's own files have none; those of pyconv do."""
    model = small()
    model.save(tmp_path / "m.h5")
    name = model.layers[-1].name
    damaged = bytearray((tmp_path / "m.h5").read_bytes())
    with open(tmp_path / "m.h5", "rb") as file:
        place = hdf5_reader.read(file).find(f"model_weights/{name}/{name}/bias:0").address
    damaged[place] ^= 1
    (tmp_path / "m.h5").write_bytes(damaged)
    with pytest.raises(ValueError, match="load_model: .* its checksum is .* and should be"):
        models.load_model(tmp_path / "m.h5")
    (tmp_path / "k.h5").write_bytes(content("cnn.h5"))
    assert models.load_model(tmp_path / "k.h5").built
