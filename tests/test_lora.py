"""Low-rank adaptation of kernels, against torch in float64, and files of it."""

import copy
import pickle

import numpy as np
import pytest
import reference
import torch

import pyconv
from pyconv.layers import Conv1D, Conv2D, Conv3D, Dense

RANK, ALPHA = 2, 3.0
KINDS = {
    "dense": (lambda **k: Dense(5, "tanh", **k), (7,), None),
    "dense of images": (lambda **k: Dense(4, **k), (3, 3, 7), None),
    "lines": (lambda **k: Conv1D(4, 2, activation="tanh", **k), (6, 3), torch.conv1d),
    "images": (lambda **k: Conv2D(4, 3, activation="tanh", **k), (6, 5, 4), torch.conv2d),
    "groups": (lambda **k: Conv2D(4, 3, groups=2, activation="tanh", **k), (6, 5, 4), torch.conv2d),
    "volumes": (lambda **k: Conv3D(3, 2, activation="tanh", **k), (3, 4, 4, 2), torch.conv3d),
}


def adapted(name):
    make, shape, convolve = KINDS[name]
    layer = make()
    layer.build((None, *shape))
    layer.enable_lora(RANK, ALPHA, b_initializer="normal")
    layer.bias[...] = np.random.default_rng(1).random(layer.bias.shape)
    x = np.random.default_rng(0).random((6, *shape), np.float32) - 0.5
    return layer, x, convolve


def exact(layer, x, dy, convolve, dtype):
    """Return the result, and the gradients of x, bias and the two matrices, of torch."""
    values = [np.asarray(w) for w in layer.get_weights()]
    kernel, *weights = (torch.tensor(value, dtype=dtype) for value in values)
    inputs = [torch.tensor(x, dtype=dtype), *weights]
    for tensor in inputs:
        tensor.requires_grad_()
    x, bias, a, b = inputs
    whole = kernel + ALPHA / RANK * a @ b
    if convolve is None:
        y = x @ whole + bias
    else:
        moved = whole.permute(-1, -2, *range(whole.ndim - 2))
        y = convolve(x.movedim(-1, 1), moved, bias, groups=getattr(layer, "groups", 1))
        y = y.movedim(1, -1)
    name = getattr(layer.activation, "name", "linear")
    y = torch.tanh(y) if name == "tanh" else y
    y.backward(torch.tensor(dy, dtype=dtype))
    return [t.detach().numpy() for t in (y, x.grad, bias.grad, a.grad, b.grad)]


@pytest.mark.parametrize("name", KINDS)
def test_passes(isa, name):
    layer, x, convolve = adapted(name)
    y = np.array(layer.forward(x, True))
    dy = np.random.default_rng(2).random(y.shape, np.float32)
    dx = np.array(layer.backward(dy.copy(), True))
    got = [y, dx, *(np.array(grad) for grad in layer.grads)]
    for ours, truth, approximate in zip(
        got,
        exact(layer, x, dy, convolve, torch.float64),
        exact(layer, x, dy, convolve, torch.float32),
        strict=True,
    ):
        reference.check(ours, truth, approximate)


@pytest.mark.parametrize("name", KINDS)
def test_training_leaves_the_kernel(name):
    layer, x, _ = adapted(name)
    model = pyconv.Sequential([layer])
    model.compile("adam", "mse")
    before = layer.get_weights()
    model.fit(x, np.zeros((len(x), *layer.output_shape[1:])), epochs=2, verbose=0)
    same = [np.array_equal(old, new) for old, new in zip(before, layer.weights, strict=True)]
    assert same == [True, False, False, False]
    assert len(layer.trainable_weights) == 3
    assert len(layer.non_trainable_weights) == 1
    y = model.predict(x)
    np.testing.assert_array_equal(copy.deepcopy(model).predict(x), y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(x), layer(x))


def test_a_model_that_was_trained_before():
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 3)),
            Conv2D(4, 3, activation="relu"),
            pyconv.layers.MaxPooling2D(),
            pyconv.layers.Flatten(),
            Dense(3, "softmax"),
        ]
    )
    x, y = np.random.default_rng(0).random((32, 8, 8, 3), np.float32), np.arange(32) % 3
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)  # with steps that are recorded
    expected = model.predict(x)
    for layer in (model.layers[0], model.layers[-1]):
        layer.enable_lora(2)
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = [np.array(layer._kernel) for layer in (model.layers[0], model.layers[-1])]
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    assert np.abs(model.predict(x) - expected).max() > 1e-4
    for layer, kernel in zip((model.layers[0], model.layers[-1]), before, strict=True):
        np.testing.assert_array_equal(layer._kernel, kernel)
        assert np.any(layer.lora_kernel_b)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_files(name, ending, tmp_path):
    layer, x, _ = adapted(name)
    model = pyconv.Sequential([layer])
    y = model.predict(x)
    path = tmp_path / f"model.{ending}"
    model.save(path)
    again = pyconv.models.load_model(path)
    np.testing.assert_allclose(again.predict(x), y, atol=1e-6)
    (loaded,) = again.layers
    assert (loaded.lora_enabled, loaded.lora_rank, loaded.lora_alpha) == (True, RANK, ALPHA)
    # A model without it reads the sum, and one with it a plain kernel.
    plain = pyconv.Sequential([KINDS[name][0]()])
    plain.build((None, *x.shape[1:]))
    plain.load_weights(path)
    np.testing.assert_allclose(plain.predict(x), y, atol=1e-6)
    plain.set_weights([weight * 2 for weight in plain.get_weights()])
    plain.save_weights(tmp_path / f"plain.{ending}")
    model.load_weights(tmp_path / f"plain.{ending}")
    np.testing.assert_allclose(model.predict(x), plain.predict(x), atol=1e-6)


def test_files_of_keras(tmp_path):
    keras = pytest.importorskip("keras")
    theirs = keras.Sequential([keras.Input((6, 5, 4)), keras.layers.Conv2D(4, 3)])
    theirs.layers[0].enable_lora(2, lora_alpha=3.0, b_initializer="normal")
    x = np.random.default_rng(0).random((3, 6, 5, 4), np.float32)
    theirs.save(tmp_path / "theirs.keras")
    ours = pyconv.models.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=1e-5)
    assert ours.layers[0].lora_alpha == 3.0
    ours.layers[0].lora_kernel_b[...] = 0.1
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), ours.predict(x), atol=1e-5)


def test_within_containers(tmp_path):
    inner = Dense(4, lora_rank=2, name="inner")
    model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Residual([inner])])
    inner.lora_kernel_b[...] = 1
    x = np.random.default_rng(0).random((3, 4), np.float32)
    model.save(tmp_path / "m.safetensors")
    again = pyconv.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)
    again.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)


def test_regularizers_and_rank_of_the_constructor():
    layer = Dense(5, kernel_regularizer="l2", lora_rank=2)
    layer.build((None, 3))
    layer.lora_kernel_b[...] = 2
    a = np.asarray(layer.lora_kernel_a, np.float64)
    np.testing.assert_allclose(sum(layer.losses), 0.01 * ((a**2).sum() + 40), rtol=1e-6)
    copied = Dense.from_config(layer.get_config())
    copied.build((None, 3))
    assert (copied.lora_rank, copied.lora_alpha, copied.lora_enabled) == (2, 2, True)
    copied.unbuild()
    copied.build((None, 4))
    assert copied.lora_kernel_a.shape == (4, 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dense(2, kernel_constraint="max_norm"), "incompatible with kernel constraints"),
        (lambda: Dense(2), "isn't yet built"),
        (lambda: _built(Dense(2, lora_rank=1)), "already enabled"),
    ],
)
def test_where_it_cannot_be(make, words):
    with pytest.raises(ValueError, match=words):
        make().enable_lora(2)


@pytest.mark.parametrize(
    "given", [{"rank": 0}, {"rank": 1.5}, {"rank": 2, "lora_alpha": "a"}, {"rank": "2"}]
)
def test_wrong_arguments(given):
    layer = _built(Dense(2, name="head"))
    with pytest.raises((TypeError, ValueError), match="Dense 'head'"):
        layer.enable_lora(**given)
    assert not layer.lora_enabled


def _built(layer):
    layer.build((None, 3))
    return layer
