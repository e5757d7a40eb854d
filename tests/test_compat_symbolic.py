"""Gradients that are tensors, and functions of tensors: K.gradients, K.placeholder, K.function."""

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)
X = RNG.random((3, 6, 6, 2), np.float32)
TARGETS = np.eye(5, dtype=np.float32)[[1, 0, 4]]


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    first = layers.Conv2D(4, 3, activation="relu", name="a")(inputs)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="b")(first)
    x = layers.add([x, first])  # the loss depends on the input by a way around layer b too
    x = layers.Dropout(0.5)(layers.Flatten()(layers.MaxPooling2D()(x)))
    return keras.Model(inputs, layers.Dense(5, activation="softmax", name="c")(x))


def torch_parts(model, x):
    """Return the input, and what layers give, in float64 with gradients."""
    weights = {layer.name: layer.get_weights() for layer in model.layers}

    def conv(name, x, pad):
        w, b = (torch.tensor(np.array(part), dtype=torch.float64) for part in weights[name])
        return torch.relu(torch.conv2d(x, w.permute(3, 2, 0, 1), b, padding=pad))

    given = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    a = conv("a", given.permute(0, 3, 1, 2), 0)
    b = conv("b", a, 1)
    b.retain_grad()
    pooled = torch.max_pool2d(a + b, 2).permute(0, 2, 3, 1).reshape(len(x), -1)
    w, bias = (torch.tensor(np.array(part), dtype=torch.float64) for part in weights["c"])
    return given, a, b, torch.softmax(pooled @ w + bias, 1)


def test_a_filter_by_the_input(model):
    loss = K.mean(model.get_layer("a").output[:, :, :, 1])
    slope = K.gradients(loss, model.input)[0]
    scaled = slope / (K.sqrt(K.mean(K.square(slope))) + 1e-5)
    iterate = K.function([model.input], [loss, slope, scaled])
    given, a, _, _ = torch_parts(model, X)
    wanted = a[:, 1].mean()
    wanted.backward()
    found = iterate([X])
    np.testing.assert_allclose(found[0], wanted.item(), rtol=1e-5)
    np.testing.assert_allclose(found[1], given.grad, rtol=1e-4, atol=1e-8)
    rms = np.sqrt((found[1] ** 2).mean()) + 1e-5
    np.testing.assert_allclose(found[2], found[1] / rms, rtol=1e-4, atol=1e-6)


def test_a_class_by_a_layer(model):
    conv = model.get_layer("b").output
    slope = tf.gradients(model.output[:, 2], conv)[0]
    assert slope.shape == conv.shape
    found = K.function([model.input], [K.mean(slope, axis=(0, 1, 2)), conv[0]])([X])
    _, _, b, y = torch_parts(model, X)
    y[:, 2].sum().backward()
    wanted = b.grad.permute(0, 2, 3, 1)
    np.testing.assert_allclose(found[0], wanted.mean((0, 1, 2)), rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(found[1], b[0].permute(1, 2, 0).detach(), rtol=1e-4, atol=1e-6)


def test_a_loss_with_targets_by_the_input(model):
    target = K.placeholder(shape=(None, 5))
    loss = K.categorical_crossentropy(target, model.output)
    run = K.function([model.input, target], K.gradients([loss], [model.input]))
    given, _, _, y = torch_parts(model, X)
    (-(torch.tensor(TARGETS) * torch.log(y)).sum()).backward()
    np.testing.assert_allclose(run([X, TARGETS])[0], given.grad, rtol=1e-3, atol=1e-6)


def test_what_does_not_depend_on_it_is_zero(model):
    other = K.placeholder((None, 3))
    slope = K.gradients(K.sum(model.output) + K.sum(other), other)[0]
    ones = K.function([model.input, other], [slope])([X, np.zeros((3, 3))])[0]
    assert np.array_equal(ones, np.ones((3, 3)))


def test_the_learning_phase(model):
    run = K.function([model.input, K.learning_phase()], [model.output])
    assert np.array_equal(run([X, 0])[0], model.predict(X, verbose=0))
    first, second = run([X, 1])[0], run([X, 1])[0]
    assert np.abs(first - second).max() > 1e-3
    phase_first = K.function([K.learning_phase(), model.input], [model.layers[1].output])
    assert phase_first([0, X])[0].shape == (3, 4, 4, 4)


def test_wrong_arguments(model):
    with pytest.raises(TypeError, match="gradients: wants tensors that layers gave"):
        K.gradients(K.sum(model.output), model.layers[1].kernel)
    with pytest.raises(ValueError, match="placeholder: shape or ndim"):
        K.placeholder()
    target = K.placeholder(ndim=2)
    loss = K.sum(target * model.output)
    with pytest.raises(ValueError, match="depends on .*, which is not among the model's inputs"):
        K.function([model.input], [loss])([X])


@pytest.mark.parametrize(
    ("make", "function"),
    [
        (layers.Add, torch.add),
        (layers.Multiply, torch.mul),
        (layers.Subtract, torch.sub),
        (layers.Maximum, torch.maximum),
        (layers.Concatenate, lambda a, b: torch.cat([a, b], -1)),
    ],
)
@pytest.mark.parametrize("within", [True, False])
def test_tapes_see_merges_of_several(make, function, within):
    a, b = RNG.normal(size=(2, 3, 4)).astype(np.float32)
    given, other = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
    with tf.GradientTape() as tape:
        tape.watch([given, other])
        parts = [given * 2, tf.square(other)]
        y = make()(parts) if within else None
    y = make()(parts) if y is None else y
    loss = tf.reduce_sum(y * y)
    tensors = [torch.tensor(part, requires_grad=True) for part in (a, b)]
    (function(2 * tensors[0], tensors[1] ** 2) ** 2).sum().backward()
    for found, wanted in zip(tape.gradient(loss, [given, other]), tensors, strict=True):
        np.testing.assert_allclose(found, wanted.grad, rtol=1e-4, atol=1e-6)
