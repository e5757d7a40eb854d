"""Networks of models within models and of classes of the user's own, for Keras and for pyconv."""

import functools

import numpy as np

RANDOM = np.random.default_rng(0)
X = RANDOM.random((8, 6, 6, 2), np.float32)
Y = np.arange(8) % 3


def head(keras, x):
    layers = keras.layers
    return layers.Dense(3, activation="softmax", name="head")(layers.Flatten(name="flat")(x))


def block(keras, name):
    """A model with a branch."""
    layers = keras.layers
    inputs = keras.Input((6, 6, 2), name=f"{name}_input")
    x = layers.Conv2D(2, 3, padding="same", name="filters")(inputs)
    x = layers.Add(name="sum")([layers.BatchNormalization(name="norm")(x), inputs])
    return keras.Model(inputs, x, name=name)


def nested(keras):
    inputs = keras.Input((6, 6, 2), name="image")
    x = keras.layers.Conv2D(2, 1, name="stem")(inputs)
    x = keras.layers.Concatenate(name="both")([block(keras, "inner")(x), x])
    return keras.Model(inputs, head(keras, x), name="nested"), X


def stacked(keras):
    layers = keras.layers
    deep = keras.Sequential([keras.Input((6, 6, 2)), block(keras, "deep")], name="deeper")
    stack = [keras.Input((6, 6, 2)), layers.Conv2D(2, 1, name="stem"), deep]
    more = [layers.Flatten(name="flat"), layers.Dense(3, activation="softmax", name="head")]
    return keras.Sequential([*stack, *more], name="stacked"), X


def shared(keras):
    layers = keras.layers
    encoder = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(2, 3, name="filters"), layers.Flatten(name="row")],
        name="encoder",
    )
    inputs = [keras.Input((6, 6, 2), name=name) for name in ("left", "right")]
    x = layers.Concatenate(name="both")([encoder(one) for one in inputs])
    return keras.Model(inputs, head(keras, x), name="shared"), [X, X[::-1].copy()]


def twins(keras):
    """Layers within two models have the same names."""
    inputs = keras.Input((6, 6, 2), name="image")
    x = block(keras, "second")(block(keras, "first")(inputs))
    return keras.Model(inputs, head(keras, x), name="twins"), X


def operators(keras):
    inputs = keras.Input((6, 6, 2), name="image")
    x = keras.layers.Conv2D(2, 3, padding="same", name="filters")(inputs)
    return keras.Model(inputs, head(keras, (x + inputs) * 0.5 - 1.0), name="operators"), X


def own_layer(keras):
    inputs = keras.Input((6, 6, 2), name="image")
    x = classes(keras)["Block"](3, name="own")(inputs)
    return keras.Model(inputs, head(keras, x), name="own_layer"), X


def own_model(keras):
    model = classes(keras)["Net"](3, name="net")
    model(X)
    return model, X


def own_weights(keras):
    model = classes(keras)["Scaled"](name="scaled")
    model(X)
    return model, X


NETS = {
    net.__name__: net
    for net in (nested, stacked, shared, twins, operators, own_layer, own_model, own_weights)
}


@functools.cache
def classes(keras):
    layers = keras.layers

    class Block(layers.Layer):
        """Weights of its own and layers, attributes not in the order of the call."""

        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self.norm = layers.BatchNormalization()
            self.conv = layers.Conv2D(width, 3, padding="same")

        def build(self, input_shape):
            shape = (*input_shape[:-1], self.width)
            self.count = self.add_weight(shape=(), trainable=False, name="count")
            self.scale = self.add_weight(shape=(self.width,), initializer="ones", name="scale")
            self.conv.build(input_shape)
            self.norm.build(shape)
            self.built = True

        def call(self, x, training=None):
            return self.norm(self.conv(x), training=training) * self.scale

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], self.width)

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    class Net(keras.Model):
        """Layers in lists and models, attributes not in the order of the call."""

        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self.top = layers.Dense(3, activation="softmax")
            self.stem = keras.Sequential([layers.Conv2D(width, 3), layers.BatchNormalization()])
            self.convs = [layers.Conv2D(width, 3, padding="same") for _ in range(2)]
            self.flat = layers.Flatten()

        def call(self, x, training=None):
            x = self.stem(x, training=training)
            for conv in self.convs:
                x = conv(x)
            return self.top(self.flat(x))

        def get_config(self):
            return {"width": self.width}

    class Scaled(keras.Model):
        """A weight of the model's own."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.top = layers.Dense(3, activation="softmax")
            self.flat = layers.Flatten()
            self.gain = self.add_weight(shape=(1,), initializer="ones", name="gain")

        def call(self, x):
            return self.top(self.flat(x) * self.gain)

        def get_config(self):
            return {}

    return {kind.__name__: kind for kind in (Block, Net, Scaled)}
