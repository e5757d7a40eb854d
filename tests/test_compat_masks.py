"""Masks on the arrays that Keras's layers are called on and give."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

X = np.array([[[0, 0], [1, 2], [0, 0], [3, 4]]], np.float32)
OTHER = np.array([[[0, 0], [0, 0], [1, 2], [3, 4]]], np.float32)
MASK = [[False, True, False, True]]


def test_masking_gives_masks():
    y = layers.Masking()(X)
    assert y._keras_mask.tolist() == MASK
    assert layers.Masking().compute_mask(X).tolist() == MASK
    assert layers.Masking(mask_value=1)(np.array([[[1, 1], [0, 1]]])).tolist() == [[[0, 0], [0, 1]]]
    # Through layers that treat each step by itself, and no others.
    assert layers.Dense(3)(y)._keras_mask is y._keras_mask
    with pytest.warns(UserWarning, match="does not support masking"):
        assert layers.Flatten()(y)._keras_mask is None
    inputs = keras.Input((4, 2))
    assert layers.Masking()(inputs)._keras_mask.shape == (None, 4)
    assert layers.Dense(3)(layers.Masking()(inputs))._keras_mask.shape == (None, 4)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Add", [[0, 0], [1, 2], [1, 2], [6, 8]]),
        ("Subtract", [[0, 0], [1, 2], [-1, -2], [0, 0]]),
        ("Average", [[0, 0], [0.5, 1], [0.5, 1], [3, 4]]),
        ("Multiply", [[0, 0], [1, 2], [1, 2], [9, 16]]),
        ("Maximum", [[0, 0], [1, 2], [1, 2], [3, 4]]),
        ("Minimum", [[0, 0], [1, 2], [1, 2], [3, 4]]),
    ],
)
def test_merged_masks(name, wanted):
    masking, layer = layers.Masking(), getattr(layers, name)()
    y = layer([masking(X), masking(OTHER)])
    assert y.tolist() == [wanted]
    assert y._keras_mask.tolist() == [[False, True, True, True]]
    assert layer([masking(X), OTHER])._keras_mask is None
    assert layer.compute_mask([X, X], [None, None]) is None
    for inputs, mask, text in (
        ([X, X], X, "`mask` should be a list"),
        (X, [None, None], "`inputs` should be a list"),
        ([X, X], [None], "same length"),
    ):
        with pytest.raises(ValueError, match=text):
            layer.compute_mask(inputs, mask)


def test_concatenated_masks():
    masking = layers.Masking()
    y = layers.Concatenate(axis=1)([masking(X), OTHER])
    assert y._keras_mask.tolist() == [[*MASK[0], True, True, True, True]]
    y = layers.Concatenate()([masking(X), masking(OTHER)])
    assert y._keras_mask.tolist() == [[False, True, True, True]]
    assert layers.Dot(axes=(2, 2))([masking(X), masking(OTHER)])._keras_mask is None
    a, b = keras.Input((4, 2)), keras.Input((3, 2))
    joined = layers.Concatenate(axis=1)([masking(a), b])
    assert joined._keras_mask.shape == (None, 7)


def test_calls_with_a_mask():
    mask = np.array(MASK)
    x = X + 1
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(x, mask), [[3, 4]])
    assert layers.GlobalAveragePooling1D()(x, mask=mask)._keras_mask is None
    kept = layers.Softmax()(x, mask=mask[..., None])
    np.testing.assert_allclose(kept.sum(-1), mask.astype(float), rtol=1e-6)
    norm = layers.BatchNormalization(momentum=0.0)
    y = norm(x, training=True, mask=mask)
    np.testing.assert_allclose(norm.moving_mean, [3, 4], rtol=1e-6)
    assert y._keras_mask is mask
    assert norm.mask is None
    np.testing.assert_array_equal(norm(x, True), norm(x, training=True))
    with pytest.raises(NotImplementedError, match="put a Masking before it"):
        layers.Dense(2)(keras.Input((4, 2)), mask=mask)


def test_a_functional_model_ignores_masked_steps():
    """Keras's own test of this layer."""
    data = np.array([[[1, 5], [2, 5], [0, 0], [0, 0]]] * 10, np.float32)
    inputs = layers.Input((None, 2))
    normed = layers.BatchNormalization(momentum=0.0)(layers.Masking()(inputs))
    model = keras.Model(inputs, normed)
    model.compile("rmsprop", "mse")
    model.fit(data, data, batch_size=10, epochs=5, verbose=0)
    np.testing.assert_allclose(model.layers[-1].moving_mean, [1.5, 5.0], rtol=1e-6)
    np.testing.assert_allclose(model.layers[-1].moving_variance, [0.25, 0.0], atol=1e-6)


@pytest.mark.parametrize("kind", ["functional", "own loss", "two outputs"])
def test_losses_and_metrics_leave_masked_steps_out(kind):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 4, 2)).astype("float32")
    kept = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0]] * 2) > 0
    kept = kept[:6]
    x[~kept] = 0
    y, z = rng.integers(0, 3, (6, 4)), rng.standard_normal((6, 1)).astype("float32")
    inputs = keras.Input((4, 2))
    hidden = layers.Dense(4)(layers.Masking()(inputs))
    outputs = layers.Dense(3, "softmax", name="steps")(hidden)

    class Twice(keras.Model):
        def compute_loss(self, **kwargs):
            return 2 * super().compute_loss(**kwargs)

    if kind == "two outputs":
        mean = layers.Dense(1, name="mean")(layers.GlobalAveragePooling1D()(hidden))
        model, targets = keras.Model(inputs, [outputs, mean]), [y, z]
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"], metrics=[["acc"], []])
    else:
        model, targets = (Twice if kind == "own loss" else keras.Model)(inputs, outputs), y
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    got = model.evaluate(x, targets, batch_size=6, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    p, m = p if kind == "two outputs" else (p, z)
    rows = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])
    loss = rows[kept].mean() * (2 if kind == "own loss" else 1) + ((m - z) ** 2).mean()
    assert got["loss"] == pytest.approx(loss, rel=1e-5)
    name = "steps_acc" if kind == "two outputs" else "acc"
    assert got[name] == pytest.approx((p.argmax(-1) == y)[kept].mean(), rel=1e-6)
    if kind != "two outputs":
        carried = model(x)
        np.testing.assert_array_equal(carried._keras_mask, kept)
        own = keras.losses.SparseCategoricalCrossentropy()(y, carried)
        assert float(own) == pytest.approx(rows[kept].mean(), rel=1e-5)
        hits = keras.metrics.SparseCategoricalAccuracy()
        hits.update_state(y, carried)
        assert float(hits.result()) == pytest.approx(got[name], rel=1e-6)
