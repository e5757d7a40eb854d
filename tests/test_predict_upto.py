"""What layers inside of a model give: predict(upto=...)."""

import networks
import numpy as np
import pytest

import pyconv
from pyconv import layers

X, _ = networks.images(7)


def named_cnn():
    return pyconv.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="first"),
            layers.MaxPooling2D(2, name="pool"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2D(5, 2, activation="relu", name="second"),
            layers.MaxPooling2D(3, name="second_pool"),
            layers.Dropout(0.5, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )


@pytest.mark.parametrize("index", range(8))
def test_the_layers_chained(index):
    pyconv.utils.set_random_seed(index)
    model = named_cnn()
    chained = X
    for layer in model.layers[: index + 1]:
        chained = layer(chained)
    layer = model.layers[index]
    got = model.predict(X, verbose=0, upto=layer)
    np.testing.assert_allclose(got, chained, rtol=1e-5, atol=1e-6)
    for same in (layer.name, index, index - 8, np.int64(index)):
        np.testing.assert_array_equal(model.predict(X, verbose=0, upto=same), got)
    small = model.predict(X, batch_size=3, verbose=0, upto=index)
    np.testing.assert_allclose(small, got, rtol=1e-5, atol=1e-6)


def test_a_convolution_before_its_pooling_gives_its_own_maps():
    model = named_cnn()
    maps = model.predict(X, verbose=0, upto="first")
    assert maps.shape == (7, 8, 8, 4)
    pooled = maps.reshape(7, 4, 2, 4, 2, 4).max(axis=(2, 4))
    np.testing.assert_allclose(model.predict(X, verbose=0, upto="pool"), pooled, rtol=1e-6)


def test_the_model_is_as_it_was():
    model = named_cnn()
    before = model.predict(X, verbose=0)
    model.predict(X, verbose=0, upto="first")
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    np.testing.assert_array_equal(model.predict(X, verbose=0, upto="classes"), before)
    model.compile("sgd", "mse")
    model.fit(X, np.ones((7, 3)), verbose=0)
    trained = model.get_layer("first")(X)
    np.testing.assert_allclose(model.predict(X, verbose=0, upto="first"), trained, rtol=1e-5)


def test_batches_from_an_iterable_and_a_model_that_is_not_built():
    model = pyconv.Sequential([layers.Dense(4, name="hidden"), layers.Dense(2)])
    rows = np.arange(12.0).reshape(6, 2)
    got = model.predict(iter([rows[:4], rows[4:]]), verbose=0, upto="hidden")
    np.testing.assert_allclose(got, model.layers[0](rows), rtol=1e-6)


@pytest.mark.parametrize(
    ("upto", "error", "text"),
    [
        (
            "frist",
            ValueError,
            "predict: Sequential 'cnn' has no layer named 'frist'; did you mean 'first'[?] "
            "It has: first, pool, norm, second, second_pool, drop, flat, classes",
        ),
        ("zzz", ValueError, "has no layer named 'zzz'. It has: first, pool"),
        (8, ValueError, "predict: upto must be from -8 to 7, got 8"),
        (layers.Flatten(name="other"), ValueError, "Flatten 'other' is no layer of Sequential"),
        (1.5, TypeError, "predict: upto must be a layer, its name or its index, got 1.5"),
        (True, TypeError, "predict: upto must be a layer, its name or its index, got True"),
    ],
)
def test_errors(upto, error, text):
    model = named_cnn()
    model.name = "cnn"
    with pytest.raises(error, match=text):
        model.predict(X, verbose=0, upto=upto)
