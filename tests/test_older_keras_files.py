"""Files of Keras 1 and 2: configurations and optimizers by their old names."""

import json

import numpy as np
import pytest

import pyconv
from pyconv import models
from pyconv.formats import hdf5_writer

KERAS_1 = [
    {
        "class_name": "Convolution2D",
        "config": {
            "name": "convolution2d_1", "trainable": True, "batch_input_shape": [None, 6, 6, 3],
            "input_dtype": "float32", "nb_filter": 4, "nb_row": 3, "nb_col": 2,
            "init": "glorot_uniform", "activation": "relu", "border_mode": "same",
            "subsample": [2, 1], "dim_ordering": "tf", "W_regularizer": None,
            "b_regularizer": None, "activity_regularizer": None, "W_constraint": None,
            "b_constraint": None, "bias": True,
        },
    },
    {
        "class_name": "MaxPooling2D",
        "config": {"name": "maxpooling2d_1", "trainable": True, "pool_size": [2, 2],
                   "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"},
    },
    {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "p": 0.25}},
    {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}},
    {
        "class_name": "Dense",
        "config": {"name": "dense_1", "trainable": True, "output_dim": 3, "init": "uniform",
                   "activation": "softmax", "W_regularizer": None, "bias": True,
                   "input_dim": None},
    },
]  # fmt: skip
KERAS_2 = [
    {
        "class_name": "Conv2D",
        "config": {
            "name": "conv2d_1", "trainable": True, "batch_input_shape": [None, 6, 6, 3],
            "dtype": "float32", "filters": 4, "kernel_size": [3, 2], "strides": [2, 1],
            "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1],
            "activation": "relu", "use_bias": True,
            "kernel_initializer": {
                "class_name": "VarianceScaling",
                "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform",
                           "seed": None},
            },
            "bias_initializer": {"class_name": "Zeros", "config": {}},
            "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
            "kernel_constraint": None, "bias_constraint": None,
        },
    },
    {
        "class_name": "MaxPooling2D",
        "config": {"name": "max_pooling2d_1", "trainable": True, "pool_size": [2, 2],
                   "padding": "valid", "strides": [2, 2], "data_format": "channels_last"},
    },
    {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "rate": 0.25}},
    {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}},
    {
        "class_name": "Dense",
        "config": {"name": "dense_1", "trainable": True, "units": 3, "activation": "softmax",
                   "use_bias": True},
    },
]  # fmt: skip


def old_file(layers, optimizer, optimizer_weights):
    """A file as keras/models.py, save_model, of Keras 1.2 and 2.0 writes it."""
    pyconv.utils.set_random_seed(0)
    model = pyconv.Sequential(
        [
            pyconv.Input((6, 6, 3)),
            pyconv.layers.Conv2D(4, (3, 2), (2, 1), "same", activation="relu"),
            pyconv.layers.MaxPooling2D(2),
            pyconv.layers.Flatten(),
            pyconv.layers.Dense(3, activation="softmax"),
        ]
    )
    tree = hdf5_writer.Tree()
    tree.attrs["keras_version"] = "2.0.8"
    tree.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
    tree.attrs["training_config"] = json.dumps(
        {"optimizer_config": optimizer, "loss": "categorical_crossentropy",
         "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None}
    )  # fmt: skip
    weights = tree.group("model_weights")
    weights.attrs.update({"layer_names": [layer["config"]["name"] for layer in layers]})
    for layer in layers:
        name = layer["config"]["name"]
        own = {"c": model.weights[:2], "d": model.weights[2:]}.get(name[0], [])
        own = [] if name.startswith("dropout") else own
        names = [f"{name}/{kind}:0" for kind in ("kernel", "bias")][: len(own)]
        weights.group(name).attrs["weight_names"] = names
        for path, array in zip(names, own, strict=True):
            weights.group(name).put(path, array)
    slots = tree.group("optimizer_weights")
    slots.attrs["weight_names"] = [f"w{i}" for i in range(len(optimizer_weights))]
    for i, array in enumerate(optimizer_weights):
        slots.put(f"w{i}", array)
    return model, tree


@pytest.mark.parametrize("layers", [KERAS_1, KERAS_2])
def test_files_of_keras_1_and_2(layers, tmp_path):
    shapes = [(3, 2, 3, 4), (4,), (12, 3), (3,)]
    state = [np.float32(7), *(np.full(s, i, "f4") for i in (1, 2) for s in shapes)]
    state += [np.zeros(1, "f4")] * 4  # Keras 2.1's third slot where amsgrad is off
    config = {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "decay": 0.0, "epsilon": 1e-8}
    optimizer = {"class_name": "Adam", "config": config}
    model, tree = old_file(layers, optimizer, state)
    with open(tmp_path / "m.hdf5", "wb") as file:
        hdf5_writer.write(file, tree)
    loaded = models.load_model(tmp_path / "m.hdf5")
    x = np.random.default_rng(0).random((3, 6, 6, 3))
    np.testing.assert_array_equal(loaded(x), model(x))
    assert [layer.name for layer in loaded.layers][-1] == "dense_1"
    assert loaded.get_layer("dropout_1").rate == 0.25
    found = loaded.optimizer.state_dict()
    assert found["iterations"] == 7
    assert loaded.optimizer.learning_rate == pytest.approx(0.002)
    for i, shape in enumerate(shapes):
        assert found[f"momentum/{i}"].shape == found[f"velocity/{i}"].shape == shape
        assert np.all(found[f"momentum/{i}"] == 1)
        assert np.all(found[f"velocity/{i}"] == 2)
    fresh = models.clone_model(loaded)
    fresh.load_weights(tmp_path / "m.hdf5")
    np.testing.assert_array_equal(fresh(x), model(x))


def test_a_state_of_another_optimizer_warns(tmp_path):
    optimizer = {"class_name": "SGD", "config": {"lr": 0.1, "momentum": 0.9}}
    _, tree = old_file(KERAS_2, optimizer, [np.float32(3), np.ones((2, 2), "f4")])
    with open(tmp_path / "m.h5", "wb") as file:
        hdf5_writer.write(file, tree)
    with pytest.warns(UserWarning, match="optimizer's state in the file does not fit"):
        model = models.load_model(tmp_path / "m.h5")
    assert model.optimizer.iterations == 0


def test_theano_is_refused(tmp_path):
    _, tree = old_file(KERAS_2, {"class_name": "SGD", "config": {}}, [])
    tree.group("model_weights").attrs["backend"] = "theano"
    with open(tmp_path / "m.h5", "wb") as file:
        hdf5_writer.write(file, tree)
    with pytest.raises(ValueError, match="Theano backend, which flips them"):
        models.load_model(tmp_path / "m.h5")
