"""Sequential: configuration, JSON, and weights given with it."""

import json

import numpy as np
import pytest
from test_sequential import built, small

import pyconv
from pyconv.layers import InputLayer


@pytest.mark.parametrize("make", [small, built, lambda: small(input_shape=(8, 8, 2))])
def test_configuration_round_trip(make):
    model = make()
    config = json.loads(json.dumps(model.get_config()))
    again = pyconv.Sequential.from_config(config)
    assert again.name == "small"
    assert again.built == model.built
    assert again.get_config() == model.get_config()
    from_json = pyconv.models.model_from_json(model.to_json())
    assert from_json.get_config() == model.get_config()
    if model.built:
        again.set_weights(model.get_weights())
        x = np.random.default_rng(0).random((2, 8, 8, 2))
        assert np.array_equal(again(x), model(x))


def test_an_input_in_the_configuration():
    config = {"layers": [{"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}}]}
    config["layers"].append({"class_name": "Dense", "config": {"units": 2}})
    model = pyconv.Sequential.from_config(config)
    assert model.output_shape == (None, 2)
    assert isinstance(pyconv.layers.deserialize(config["layers"][0]), InputLayer)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ([], "config must have a list of layers"),
        ({"layers": 3}, "config must have a list of layers"),
        ({"layers": [3]}, "a layer's config must be"),
        ({"layers": [{"class_name": "Lambda", "config": {}}]}, "unknown layer 'Lambda'"),
    ],
)
def test_wrong_configurations(config, text):
    with pytest.raises(ValueError, match=text):
        pyconv.Sequential.from_config(config)


def test_weights_given_with_the_configuration():
    model = built()
    weights = {layer.name: layer.named_weights for layer in model.layers}
    again = pyconv.Sequential.from_config(model.get_config(), weights=weights)
    ours, given = (m.get_layer("conv").named_weights["kernel"] for m in (again, model))
    assert ours is given or np.shares_memory(ours, given)
    weights["head"] = {"kernel": np.ones((36, 5), "f4"), "bias": np.ones(6, "f4")}
    with pytest.raises(ValueError, match=r"Dense 'head': bias must be float32 \(5,\), got float32"):
        pyconv.Sequential.from_config(model.get_config(), weights=weights)
    del weights["conv"]
    with pytest.raises(ValueError, match="Conv2D 'conv': kernel must be .* got nothing"):
        pyconv.Sequential.from_config(model.get_config(), weights=weights)
