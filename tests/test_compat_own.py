"""Models and layers of the user's own that are made of layers, and what else scripts do."""

import os

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers
from pyconv.layers.graph import Graph

X = np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
Y = np.arange(12) % 3


pytestmark = pytest.mark.usefixtures("keras3")


class Unit(layers.Layer):
    """A residual block as a layer of layers."""

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get("relu")
        self.conv = layers.Conv2D(filters, 3, strides=strides, padding="same")
        self.norm = layers.BatchNormalization()
        self.project = layers.Conv2D(filters, 1, strides=strides) if strides > 1 else None

    def call(self, inputs):
        y = self.norm(self.conv(inputs))
        return self.activation(y + (self.project(inputs) if self.project else inputs))


class Net(keras.Model):
    def __init__(self, classes=3, **kwargs):
        super().__init__(**kwargs)
        self.units = [Unit(3), Unit(4, 2)]
        self.dropout = layers.Dropout(0.5)
        self.flatten = layers.Flatten()
        self.head = keras.Sequential([layers.Dense(classes, activation="softmax")])

    def call(self, x, training=False):
        for unit in self.units:
            x = unit(x)
        if training:
            x = self.dropout(x, training=training)
        return self.head(self.flatten(x))


def trained(model):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=8, validation_data=(X, Y), verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    return model


def test_a_model_by_subclassing(tmp_path):
    model = trained(Net())
    assert isinstance(model, keras.Model)
    assert model.name == "net"
    assert sum(isinstance(layer, Graph) for layer in model._layers) == 2
    assert any(isinstance(layer, layers.Dropout) for layer in model.layers)
    assert model.predict(X, verbose=0).shape == (12, 3)
    model.save(tmp_path / "m.h5")
    again = keras.models.load_model(tmp_path / "m.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    # Called on a tensor it gives its layers to another model.
    inputs = keras.Input((8, 8, 3))
    outer = keras.Model(inputs, model(inputs))
    np.testing.assert_allclose(outer.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_a_layer_of_layers():
    model = keras.Sequential([layers.Conv2D(3, 1, input_shape=(8, 8, 3))])
    model.add(Unit(3))
    model.add(Unit(4, 2))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(3, activation="softmax"))
    trained(model)
    inputs = keras.Input((8, 8, 3))
    functional = keras.Model(inputs, layers.Flatten()(Unit(3)(inputs)))
    assert functional.count_params() == 3 * 3 * 3 * 3 + 3 + 4 * 3


def test_what_is_not_made_of_layers():
    class Sorted(keras.Model):
        def call(self, x):
            return np.asarray(x).sort()

    class Scaled(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), name="w", initializer="ones")

        def call(self, x):
            return x * self.w

    with pytest.raises(NotImplementedError, match=r"Sorted 'sorted': its call .*got a NoneType"):
        Sorted().predict(X)
    with pytest.raises(NotImplementedError, match="a method call"):
        type("Empty", (keras.Model,), {})().call(X)
    # A layer with weights of its own stays one, and predicts.
    model = keras.Sequential([Scaled(input_shape=(3,))])
    assert type(model.layers[0]) is Scaled
    np.testing.assert_array_equal(model.predict(X[:, 0, 0], verbose=0), X[:, 0, 0])


def test_a_subclass_of_inputs_and_outputs():
    class Wired(keras.Model):
        def __init__(self):
            inputs = keras.Input((8, 8, 3))
            outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(inputs))
            super().__init__(inputs=inputs, outputs=outputs, name="wired")

    model = trained(Wired())
    assert (model.name, model.count_params()) == ("wired", 192 * 3 + 3)
    assert isinstance(keras.Sequential(), keras.Model)


def test_grey_images_without_their_channel():
    model = keras.Sequential([layers.Conv2D(2, 3, input_shape=(8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(3))
    model.compile("sgd", "mse")
    grey = X[..., 0]
    model.fit(grey, np.zeros((12, 3)), validation_data=(grey, np.zeros((12, 3))), verbose=0)
    np.testing.assert_array_equal(
        model.predict(grey, verbose=0), model.predict(grey[..., None], verbose=0)
    )
    flat = keras.Sequential([layers.Dense(3, input_shape=(8,))])
    assert flat.predict(X[:, :, 0, :1], verbose=0).shape == (12, 3)


def test_what_else_scripts_do(tmp_path):
    model = keras.Sequential([layers.Flatten(input_shape=(8, 8, 3))])
    model.add(layers.Dense(3, activation=layers.LeakyReLU()))
    assert isinstance(model.layers[1].activation, layers.LeakyReLU)
    # Metrics by place, and steps that are no whole number.
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    history = model.fit(X, Y, batch_size=5, steps_per_epoch=12 / 5, verbose=0)
    assert "accuracy" in history.history
    assert model.optimizer.iterations == 3
    model.save_weights(tmp_path / "new" / "m.weights.h5")
    assert os.listdir(tmp_path / "new") == ["m.weights.h5"]
    keras.utils.plot_model(model, to_file=tmp_path / "model.png", show_shapes=True)
    assert (tmp_path / "model.svg").read_text().startswith("<svg")
