"""Files and clones of models with several inputs and outputs, and with layers used again."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers
from pyconv.formats import keras_graph

FILES = Path(__file__).parent / "keras_files"
RNG = np.random.default_rng(0)
IMAGES, NUMBERS = RNG.random((8, 6, 6, 2), np.float32), RNG.random((8, 4), np.float32)
CLASSES, VALUES = np.eye(3, dtype="f")[np.arange(8) % 3], RNG.random((8, 1), np.float32)


pytestmark = pytest.mark.usefixtures("keras3")


def network(keras=keras):
    layers = keras.layers
    image, numbers = keras.Input((6, 6, 2), name="image"), keras.Input((4,), name="numbers")
    x = layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(image))
    shared = layers.Dense(4, name="shared")
    both = layers.Concatenate()([x, shared(shared(numbers))])
    heads = [
        layers.Dense(3, activation="softmax", name="kind")(both),
        layers.Dense(1, name="size")(both),
    ]
    return [image, numbers], heads


def in_lists():
    model = keras.Model(*network())
    model.compile(
        "adam",
        ["categorical_crossentropy", keras.losses.Huber(0.5)],
        loss_weights=[1.0, 0.5],
        metrics=[["accuracy"], [keras.metrics.MeanAbsoluteError(name="err")]],
    )
    return model, [IMAGES, NUMBERS], [CLASSES, VALUES]


def in_dicts():
    (image, numbers), (kind, size) = network()
    model = keras.Model({"image": image, "numbers": numbers}, {"kind": kind, "size": size})
    model.compile("sgd", {"kind": "categorical_crossentropy", "size": "mse"},
                  metrics={"size": ["mae"]})  # fmt: skip
    return model, {"image": IMAGES, "numbers": NUMBERS}, {"kind": CLASSES, "size": VALUES}


def one_output():
    inputs, heads = network()
    model = keras.Model(inputs, heads[0])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, [IMAGES, NUMBERS], CLASSES


def one_of_each():
    inputs, shared = keras.Input((4,)), layers.Dense(4, activation="tanh")
    model = keras.Model(inputs, layers.Add()([shared(shared(inputs)), inputs]))
    model.compile("adam", "mse")
    return model, NUMBERS, NUMBERS


MODELS = [in_lists, in_dicts, one_output, one_of_each]


def arrays(result):
    return list(result.values()) if isinstance(result, dict) else np.atleast_1d(result).tolist()


def same(ours, theirs):
    assert type(ours) is type(theirs)
    pairs = zip(*(x.values() if isinstance(x, dict) else x for x in (ours, theirs)), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_files(make, ending, tmp_path):
    model, x, y = make()
    model.fit(x, y, epochs=2, verbose=0)
    path = str(tmp_path / f"m.{ending}")
    model.save(path)
    again = keras.models.load_model(path)
    same(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert len(again.weights) == len(model.weights)
    np.testing.assert_allclose(
        again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6
    )
    # They go on as one: with the optimizer's state, and gradients of all uses.
    for trained in (model, again):
        trained.fit(x, y, shuffle=False, verbose=0)
    same(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("make", MODELS)
def test_configurations_and_clones(make):
    model, x, _ = make()
    expected = model.predict(x, verbose=0)
    for again in (
        keras.models.model_from_json(model.to_json()),
        keras.Model.from_config(model.get_config()),
        keras.models.clone_model(model),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model)),
    ):
        assert again.count_params() == model.count_params()
        assert not any(ours is own for ours in again.weights for own in model.weights)
        again.set_weights(model.get_weights())
        same(again.predict(x, verbose=0), expected)


def test_clones_by_functions():
    model, x, _ = in_lists()
    frozen = keras.models.clone_model(
        model,
        clone_function=lambda layer: type(layer).from_config(
            {**layer.get_config(), "trainable": False}
        ),
    )
    assert not frozen.trainable_weights
    inputs = [keras.Input((6, 6, 2)), keras.Input((4,))]
    again = keras.models.clone_model(model, input_tensors=inputs)
    assert again.inputs[0] is inputs[0]
    again.set_weights(model.get_weights())
    same(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_nested_losses():
    inputs = keras.Input((4,))
    a, b, c = (layers.Dense(n, name=f"d{n}")(inputs) for n in (1, 2, 3))
    model = keras.Model(inputs, {"a": a, "others": [b, c]})
    model.compile("sgd", {"a": "mse", "others": ["mae", "mse"]})
    y = {"a": VALUES, "others": [np.ones((8, 2)), np.ones((8, 3))]}
    total = model.evaluate(NUMBERS, y, verbose=0)[0]
    p = model.predict(NUMBERS, verbose=0)
    expected = (
        ((p["a"] - VALUES) ** 2).mean()
        + np.abs(p["others"][0] - 1).mean()
        + ((p["others"][1] - 1) ** 2).mean()
    )
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_a_model_within_a_model_s_configuration():
    """As Keras has it; pyconv's own models are flat."""
    inner = {
        "class_name": "Sequential",
        "name": "inner",
        "config": {"name": "inner", "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "i"}},
            {"class_name": "Dense", "config": {"units": 3, "name": "d"}},
        ]},
        "inbound_nodes": [[["x", 0, 0, {}]]],
    }  # fmt: skip
    first = {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
             "config": {"batch_shape": [None, 4], "name": "x"}}  # fmt: skip
    config = {"name": "m", "layers": [first, inner], "input_layers": [["x", 0, 0]],
              "output_layers": [["inner", 0, 0]]}  # fmt: skip
    model = keras.Model.from_config(config)
    assert model.output_shape == (None, 3)
    assert model.count_params() == 15


def wrong(change):
    config = json.loads(json.dumps(in_lists()[0].get_config()))
    change(config)
    return config


def loop(config):
    for layer in config["layers"]:
        for node in layer["inbound_nodes"]:
            for part in node["args"]:
                for tensor in part if isinstance(part, list) else [part]:
                    tensor["config"]["keras_history"] = ["kind", 0, 0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (loop, "either has loops or disconnected nodes"),
        (lambda c: c["layers"].pop(2), "Missing node"),
        (lambda c: c.update(input_layers=[["image", 0, 0]]), "not among the model's inputs"),
        (lambda c: c.update(output_layers=[["kind", 7, 0]]), "no result of the layer 'kind'"),
        (lambda c: c.update(output_layers=[["kind", 0, 3]]), "has 1 results, asked for 3"),
        (lambda c: c.update(output_layers=[]), "must name layers"),
        (lambda c: c["layers"].insert(0, {"class_name": "Dense"}), "must have a name"),
        (lambda c: c["layers"][0].update(class_name="Unheard"), "unknown layer 'Unheard'"),
    ],
)
def test_damaged_configurations(change, words):
    with pytest.raises(ValueError, match=words):
        keras.Model.from_config(wrong(change))


def test_what_needs_calls():
    plain = {"layers": [{"inbound_nodes": []}], "input_layers": ["a", 0, 0], "output_layers": []}
    assert not keras_graph.needs_calls(plain)
    assert keras_graph.needs_calls({**plain, "input_layers": {"a": ["a", 0, 0], "b": ["b", 0, 0]}})
    assert not keras_graph.needs_calls({**plain, "layers": 3})
    assert not keras_graph.needs_calls(None)


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files_of_keras(ending, tmp_path):
    data = np.load(FILES / "wired.npz")
    x = [data["image"], data["numbers"]]
    for name in (f"wired.{ending}", "wired.weights.h5"):
        (tmp_path / name).write_bytes(gzip.decompress((FILES / f"{name}.gz").read_bytes()))
    model = keras.models.load_model(tmp_path / f"wired.{ending}")
    for _ in range(2):  # also what pyconv makes of it
        kind, size = model.predict(x, verbose=0)
        np.testing.assert_allclose(kind, data["kind"], atol=1e-6)
        np.testing.assert_allclose(size, data["size"], atol=1e-6)
        assert int(model.optimizer.iterations) == 1
        assert model.metrics_names or model.evaluate(x, [CLASSES[:4], VALUES[:4]], verbose=0)
        model.save(tmp_path / f"ours.{ending}")
        model = keras.models.load_model(tmp_path / f"ours.{ending}")
    model.set_weights([0 * weight for weight in model.get_weights()])
    model.load_weights(tmp_path / "wired.weights.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], data["kind"], atol=1e-6)
