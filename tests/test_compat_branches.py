"""Merges as older Keras has them: models as branches, and inputs of fewer axes."""

import numpy as np
import pytest
import torch

import pyconv
import pyconv.compat.keras as keras

layers = keras.layers
rng = np.random.default_rng(0)
A, B, C = (rng.normal(size=(12, n)).astype(np.float32) for n in (3, 5, 4))
Y = np.eye(2)[np.arange(12) % 2]


def branches():
    left = keras.Sequential([layers.Dense(4, input_dim=3, name="left")])
    right = keras.Sequential([layers.Dense(4, input_dim=5, activation="relu", name="right")])
    return left, right


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "max", "concat"])
def test_models_are_merged(mode):
    left, right = branches()
    model = keras.Sequential()
    model.add(layers.Merge([left, right], mode=mode))
    model.add(layers.Dense(2, activation="softmax"))
    of_tensors = keras.layers.merge([left.output, right.output], mode=mode)
    wanted = keras.Model([left.input, right.input], layers.Dense(2, "softmax")(of_tensors))
    wanted.layers[-1].set_weights(model.layers[-1].get_weights())
    before = [np.array(w) for w in model.get_weights()]
    for one in (model, wanted):
        for weight, value in zip(one.weights, before, strict=True):
            weight[...] = value
        one.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    losses = model.fit([A, B], Y, epochs=3, shuffle=False, verbose=0).history["loss"]
    for weight, value in zip(wanted.weights, before, strict=True):
        weight[...] = value
    again = wanted.fit([A, B], Y, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert losses == again
    assert losses[-1] < losses[0]


def test_merged_models_are_merged_again(tmp_path):
    left, right = branches()
    both = keras.Sequential()
    both.add(layers.Merge([left, right], mode="concat"))
    third = keras.Sequential([layers.Dense(2, input_dim=4)])
    model = keras.Sequential()
    model.add(layers.Merge([both, third], mode="concat"))
    model.add(layers.Dense(1))
    assert [tensor.shape for tensor in model.inputs] == [(None, 3), (None, 5), (None, 4)]
    y = model.predict([A, B, C], verbose=0)
    parts = [left.predict(A, verbose=0), right.predict(B, verbose=0), third.predict(C, verbose=0)]
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(y, np.concatenate(parts, 1) @ kernel + bias, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "m.h5")
    again = keras.models.load_model(tmp_path / "m.h5")
    np.testing.assert_array_equal(again.predict([A, B, C], verbose=0), y)


def test_merge_must_be_first_and_have_models():
    left, right = branches()
    with pytest.raises(ValueError, match="Merge must be its first layer"):
        left.add(layers.Merge([left, right]))
    with pytest.raises(ValueError, match="layers must be at least two models, got 0"):
        layers.Merge([], mode="sum")
    with pytest.raises(ValueError, match="layers must be a list of models"):
        keras.Sequential().add(layers.Merge(mode="sum"))


FUNCTIONS = {
    "Add": torch.add,
    "Subtract": torch.sub,
    "Multiply": torch.mul,
    "Average": lambda a, b: (a + b) / 2,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("lower_first", [False, True])
def test_axes_that_an_input_lacks_are_those_after_the_samples(name, lower_first):
    image = rng.normal(size=(3, 2, 5, 4)).astype(np.float32)
    row, factors = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=image.shape)
    arrays = [row, image] if lower_first else [image, row]
    layer = getattr(pyconv.layers, name)()
    assert layer.compute_output_shape([a.shape for a in arrays]) == image.shape
    y = layer(arrays)
    grads = layer.backward(factors.astype(np.float32), True)

    given = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    wide = [t if t.ndim == 4 else t[:, None, None] for t in given]
    wanted = FUNCTIONS[name](*wide)
    (wanted * torch.tensor(factors)).sum().backward()
    np.testing.assert_allclose(y, wanted.detach(), rtol=1e-6, atol=1e-6)
    for grad, tensor in zip(grads, given, strict=True):
        np.testing.assert_allclose(grad, tensor.grad, rtol=1e-5, atol=1e-5)
