"""Images in Theano's order of axes, and functions of the user's own as layers."""

import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.keras as keras
from pyconv.compat.keras import layers
from pyconv.compat.keras.preprocessing.image import ImageDataGenerator

X = np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
FIRST = X.transpose(0, 3, 1, 2)
Y = np.arange(12) % 3


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras2")
    monkeypatch.setattr(compat._image_order, "_chosen", "channels_last")
    keras.utils.set_random_seed(0)


def network(shape):
    inputs = layers.Input(shape)
    x = layers.Convolution2D(4, 3, 3, border_mode="same", activation="relu")(inputs)
    axis = 1 if keras.backend.image_dim_ordering() == "th" else -1
    x = layers.concatenate([x, layers.Conv2D(2, 1)(x)], axis=axis)
    x = layers.BatchNormalization(axis=axis)(x)
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_a_network_in_theano_s_order():
    last = network((8, 8, 3))
    keras.backend.set_image_dim_ordering("th")
    assert keras.backend.image_data_format() == "channels_first"
    first = network((3, 8, 8))
    first.set_weights(last.get_weights())
    assert first.layers[1].output_shape == (None, 4, 8, 8)
    np.testing.assert_allclose(first.predict(FIRST), last.predict(X), rtol=1e-5)
    histories = [
        model.fit(x, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
        for model, x in ((first, FIRST), (last, X))
    ]
    np.testing.assert_allclose(*histories, rtol=1e-4)
    # A layer that says its own order has it.
    assert layers.Conv2D(1, 1, data_format="channels_last").data_format == "channels_last"


def test_generators_and_data_sets_in_theano_s_order(tmp_path):
    record = bytes([1]) + bytes(range(256)) * 12
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (tmp_path / f"{name}.bin").write_bytes(record)
    (last, _), _ = keras.datasets.cifar10.load_data(tmp_path)
    keras.backend.set_image_data_format("channels_first")
    (first, _), _ = keras.datasets.cifar10.load_data(tmp_path)
    np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))
    settings = {"featurewise_center": True, "rescale": 0.5}
    ours = ImageDataGenerator(**settings)
    theirs = ImageDataGenerator(dim_ordering="tf", **settings)
    ours.fit(FIRST)
    theirs.fit(X)
    x, y = next(ours.flow(FIRST, Y, batch_size=5, shuffle=False))
    wanted, _ = next(theirs.flow(X, Y, batch_size=5, shuffle=False))
    np.testing.assert_array_equal(x, wanted.transpose(0, 3, 1, 2))
    assert y.tolist() == Y[:5].tolist()
    batches = ours.flow(FIRST, batch_size=5)
    assert (len(batches), batches[2].shape, batches.batch_size) == (3, (2, 3, 8, 8), 5)
    np.testing.assert_allclose(
        ours.standardize(FIRST[0].copy()), theirs.standardize(X[0].copy()).transpose(2, 0, 1)
    )
    with pytest.raises(ValueError, match="'channels_last' or 'channels_first'"):
        keras.backend.set_image_dim_ordering("caffe")


def test_a_function_as_a_layer():
    model = keras.Sequential()
    model.add(layers.Flatten(input_shape=(8, 8, 3)))
    model.add(layers.Lambda(lambda x: x[:, :10]))
    model.add(layers.Dense(5))
    model.add(layers.Lambda(lambda x, scale: np.tanh(x) * scale, arguments={"scale": 2}))
    model.add(layers.Dense(3))
    assert [layer.output_shape[1] for layer in model.layers] == [192, 10, 5, 5, 3]
    twin = keras.Sequential([
        layers.Dense(5, input_shape=(10,)), layers.Activation("tanh"), layers.Rescaling(2.0),
        layers.Dense(3),
    ])  # fmt: skip
    twin.set_weights(model.get_weights())
    losses = []
    for net, x in ((model, X), (twin, X.reshape(12, -1)[:, :10])):
        net.compile("sgd", "mse")
        losses.append(net.fit(x, np.eye(3)[Y], epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_a_function_whose_gradient_is_not_known():
    model = keras.Sequential([layers.Dense(4, input_shape=(3,))])
    model.add(layers.Lambda(lambda x: np.cumprod(x, 1), name="products"))
    model.compile("sgd", "mse")
    assert model.predict(np.ones((1, 3))).shape == (1, 4)
    with pytest.raises(NotImplementedError, match="Lambda 'products': its call uses numpy.cumprod"):
        model.fit(np.ones((2, 3)), np.ones((2, 4)), verbose=0)
    with pytest.raises(TypeError, match="function must be one"):
        layers.Lambda(3)


def test_values_between_layers():
    model = keras.Sequential([layers.Conv2D(2, 3, input_shape=(8, 8, 3)), layers.Flatten()])
    run = keras.backend.function(
        [model.input, keras.backend.learning_phase()], [layer.output for layer in model.layers]
    )
    assert [y.shape for y in run([X, 0])] == [(12, 6, 6, 2), (12, 72)]
    one = keras.backend.function(model.inputs, model.output)
    np.testing.assert_array_equal(one(X), run([X])[1])
