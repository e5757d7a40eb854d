"""Files of models and weights: round trips, resumed training, and deaths in the middle."""

import os

import numpy as np
import pytest
from model_files import X, Y, bits, network
from processes import run

import pyconv
from pyconv import models, zoo
from pyconv.layers import Dense, Input

# --- round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["m.safetensors", "m.hdf5", "m.h5", "m.keras", "m.weights.h5", "m", "modèle 1.bin"]
)
def test_any_suffix(name, tmp_path):
    model = network()
    model.save(tmp_path / name)
    model.save(str(tmp_path / name))
    for path in (tmp_path / name, str(tmp_path / name), os.fsencode(tmp_path / name)):
        loaded = models.load_model(path)
        assert bits(loaded) == bits(model)
    assert os.listdir(tmp_path) == [name]
    assert loaded.get_config() == model.get_config()
    assert loaded(X).tobytes() == model(X).tobytes()
    assert not loaded.compiled


def test_bytes_path(tmp_path):
    network().save(os.fsencode(tmp_path / "m"))
    assert (tmp_path / "m").stat().st_size > 1000


@pytest.mark.parametrize("make", [zoo.deck_cnn, zoo.deck_mlp])
def test_the_networks_of_the_course(make, tmp_path):
    model = make()
    model.save(tmp_path / "m")
    loaded = models.load_model(tmp_path / "m")
    assert bits(loaded) == bits(model)
    assert loaded.count_params() == model.count_params()


OPTIMIZERS = [
    pyconv.optimizers.SGD(0.05),
    pyconv.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    pyconv.optimizers.RMSprop(0.002, centered=True, momentum=0.5),
    pyconv.optimizers.Adam(0.002, amsgrad=True),
    pyconv.optimizers.AdamW(0.002, clipnorm=1.0),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_resumed_training_is_uninterrupted_training(optimizer, tmp_path):
    def start():
        model = network()
        fresh = type(optimizer).from_config(optimizer.get_config())
        model.compile(fresh, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def train(model, first):
        for epoch in range(first, first + 2):
            pyconv.utils.set_random_seed(epoch)
            losses = model.fit(
                X, Y, batch_size=16, verbose=0, initial_epoch=epoch, epochs=epoch + 1
            )
        return losses.history

    whole = start()
    train(whole, 0)
    expected = train(whole, 2)
    half = start()
    train(half, 0)
    half.save(tmp_path / "m")
    before = {k: v.tobytes() for k, v in half.optimizer.state_dict().items()}
    resumed = models.load_model(tmp_path / "m")
    assert {k: v.tobytes() for k, v in resumed.optimizer.state_dict().items()} == before
    assert resumed.optimizer.get_config() == half.optimizer.get_config()
    assert train(resumed, 2) == expected
    assert bits(resumed) == bits(whole)


@pytest.mark.cpu
def test_resumed_in_another_process(tmp_path):
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0, shuffle=False)
    model.save(tmp_path / "m")
    run(
        "from model_files import *",
        f"model = models.load_model({str(tmp_path / 'm')!r})",
        "model.fit(X, Y, verbose=0, shuffle=False)",
        f"model.save({str(tmp_path / 'n')!r})",
    )
    model.fit(X, Y, verbose=0, shuffle=False)
    assert bits(models.load_model(tmp_path / "n")) == bits(model)


def test_compile_arguments(tmp_path):
    model = network()
    model.compile(
        pyconv.optimizers.Adam(0.5),
        pyconv.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", "mse"],
    )
    model.save(tmp_path / "m")
    loaded = models.load_model(tmp_path / "m")
    assert loaded.get_compile_config() == model.get_compile_config()
    y = pyconv.utils.to_categorical(Y)
    assert loaded.evaluate(X, y, verbose=0) == model.evaluate(X, y, verbose=0)
    assert not models.load_model(tmp_path / "m", compile=False).compiled


def test_a_changed_learning_rate_is_kept(tmp_path):
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.25
    model.save(tmp_path / "m")
    assert models.load_model(tmp_path / "m").optimizer.learning_rate == 0.25


def test_frozen_layers_and_special_values(tmp_path):
    model = network()
    model.layers[0].trainable = False
    model.weights[0][0] = [np.nan]
    model.weights[1][:] = [np.inf, -np.inf, -0.0, 1e-45, 3e38]
    model.save(tmp_path / "m")
    loaded = models.load_model(tmp_path / "m")
    assert bits(loaded) == bits(model)
    assert [layer.trainable for layer in loaded.layers] == [False] + [True] * 6


def test_loaded_weights_are_the_models_own(tmp_path):
    network().save(tmp_path / "m")
    loaded = models.load_model(tmp_path / "m")
    kept = (tmp_path / "m").read_bytes()
    for weight in loaded.weights:
        assert weight.flags.writeable
        assert weight.flags.c_contiguous
        weight += 1
    assert (tmp_path / "m").read_bytes() == kept
    loaded.get_layer(index=0).unbuild()
    loaded.build((None, 8, 8, 3))
    assert not np.array_equal(loaded.weights[0], models.load_model(tmp_path / "m").weights[0])


def test_layers_of_the_users_own(tmp_path):
    class Scale(pyconv.layers.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def _create_weights(self, input_shape):
            self._add_weight("scale", (1,), pyconv.initializers.Constant(3))

        def forward(self, x, training):
            return x * self.weights[0]

    model = pyconv.Sequential([Input((2,)), Scale()])
    model.weights[0][:] = 5
    model.save(tmp_path / "m")
    assert models.load_model(tmp_path / "m", {"Scale": Scale})(np.ones((1, 2))).tolist() == [[5, 5]]
    with pytest.raises(ValueError, match="unknown layer 'Scale'"):
        models.load_model(tmp_path / "m")


# --- weights ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["save", "save_weights"])
def test_weights_into_another_model(method, tmp_path):
    model, other = network(), network(9)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.train_on_batch(X, Y)
    getattr(model, method)(tmp_path / "m.hdf5")
    assert bits(model) != bits(other)
    other.load_weights(tmp_path / "m.hdf5")
    assert bits(model) == bits(other)


def test_more_than_a_thousand_layers(tmp_path):
    stack = [Dense(1, name=f"d{i}", bias_initializer="normal") for i in range(1002)]
    model = pyconv.Sequential([Input((1,)), *stack])
    model.save(tmp_path / "m")
    assert bits(models.load_model(tmp_path / "m")) == bits(model)
    other = pyconv.Sequential.from_config(model.get_config())
    other.load_weights(tmp_path / "m")
    assert bits(other) == bits(model)


def test_weights_that_do_not_fit(tmp_path):
    model = network()
    model.save_weights(tmp_path / "m")
    unbuilt = pyconv.Sequential([Dense(1)])
    with pytest.raises(ValueError, match="load_weights needs a built model"):
        unbuilt.load_weights(tmp_path / "m")
    for save in (unbuilt.save, unbuilt.save_weights):
        with pytest.raises(ValueError, match="needs a built model"):
            save(tmp_path / "x")
    shorter = pyconv.Sequential([Input((2,)), Dense(1)])
    with pytest.raises(ValueError, match="has weights of 3 layers, the model has 1"):
        shorter.load_weights(tmp_path / "m")
    with pytest.raises(ValueError, match="holds weights only; build the model and call load_we"):
        models.load_model(tmp_path / "m")
    other = network(5)
    other.pop()
    other.add(Dense(7, name="head"))
    kept = bits(other)
    with pytest.raises(ValueError, match=r"'head': kernel must be float32 \(6, 7\), got float32 "):
        other.load_weights(tmp_path / "m")
    assert bits(other) == kept
    other.load_weights(tmp_path / "m", skip_mismatch=True)
    assert bits(other)[:3] == bits(model)[:3]
    assert bits(other)[3:] == kept[3:]


def test_a_layer_that_fits_in_part_is_left_alone(tmp_path):
    model = pyconv.Sequential([Input((3,)), Dense(2, bias_initializer="ones")])
    model.save_weights(tmp_path / "m")
    other = pyconv.Sequential([Input((4,)), Dense(2)])
    kept = bits(other)
    other.load_weights(tmp_path / "m", skip_mismatch=True)
    assert bits(other) == kept
