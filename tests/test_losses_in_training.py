"""Losses while a model is trained: fused with its softmax, and of the user's own."""

import numpy as np
import pytest

import pyconv
from pyconv import losses
from pyconv.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy


class Unfused(CategoricalCrossentropy):
    """The same loss, always taken from the probabilities."""

    def on_logits(self):
        return None


def trained(last, loss, sparse=False, smoothing=0.0):
    pyconv.utils.set_random_seed(3)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((64, 6)).astype(np.float32)
    y = rng.integers(0, 5, 64)
    model = pyconv.Sequential(
        [pyconv.Input((6,)), pyconv.layers.Dense(8, activation="tanh"), *last]
    )
    model.compile(pyconv.optimizers.SGD(0.5), loss, metrics=["accuracy"])
    history = model.fit(x, y if sparse else np.eye(5)[y], batch_size=16, epochs=4, verbose=0)
    return model, history.history


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    "softmax",
    [
        lambda: [pyconv.layers.Dense(5, activation="softmax")],
        lambda: [pyconv.layers.Dense(5), pyconv.layers.Softmax()],
        lambda: [pyconv.layers.Dense(5), pyconv.layers.Activation("softmax")],
    ],
    ids=["activation", "Softmax", "Activation"],
)
def test_fused_and_unfused_train_alike(softmax, smoothing):
    fused, log = trained(softmax(), CategoricalCrossentropy(label_smoothing=smoothing))
    plain, plain_log = trained(softmax(), Unfused(label_smoothing=smoothing))
    assert fused.objective.takes_logits(fused._ends_in_softmax)
    assert not plain.objective.takes_logits(plain._ends_in_softmax)
    for a, b in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(log["loss"], plain_log["loss"], rtol=1e-6)
    assert log["accuracy"] == plain_log["accuracy"]


def test_all_ways_to_say_crossentropy_train_with_the_same_bits():
    softmax = [pyconv.layers.Dense(5, activation="softmax")]
    wanted, _ = trained(softmax, "categorical_crossentropy")
    ways = [
        trained([pyconv.layers.Dense(5)], CategoricalCrossentropy(from_logits=True)),
        trained(
            [pyconv.layers.Dense(5, activation="softmax")], "SparseCategoricalCrossentropy", True
        ),
        trained([pyconv.layers.Dense(5)], SparseCategoricalCrossentropy(from_logits=True), True),
    ]
    for model, _ in ways:
        for a, b in zip(wanted.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_fused_loss_is_not_clipped():
    model = pyconv.Sequential([pyconv.Input((1,)), pyconv.layers.Dense(2, activation="softmax")])
    model.compile(loss="categorical_crossentropy")
    model.set_weights([[[0.0, 50.0]], [0.0, 0.0]])
    x, y = [[1.0]], [[1.0, 0.0]]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(50)
    assert CategoricalCrossentropy()(y, model(x)) == pytest.approx(-np.log(1e-7), rel=1e-6)


def test_a_loss_of_ones_own():
    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return (np.abs(y_pred - y_true) ** 3).mean(axis=-1)

        def call_with_gradient(self, y_true, y_pred, row_scale, out=None):
            difference = y_pred - y_true
            slope = 3 * difference * np.abs(difference) / y_pred.shape[-1]
            return self.call(y_true, y_pred), slope * row_scale[..., None]

    layer = pyconv.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = pyconv.Sequential([pyconv.Input((1,)), layer])
    model.compile(pyconv.optimizers.SGD(0.25), Cubed())
    assert model.train_on_batch([[1.0], [3.0]], [[2.0], [0.0]]) == pytest.approx(8 / 2)
    # dL/dw = -3 * 2 * 2 * 1 / 2
    np.testing.assert_allclose(layer.kernel, [[0.25 * 6]])


@pytest.mark.parametrize(
    ("units", "labels", "name"),
    [
        (1, [[0.0], [1.0], [1.0]], "binary_crossentropy"),
        (3, [0, 2, 1], "sparse_categorical_crossentropy"),
        (3, [[0], [2], [1]], "sparse_categorical_crossentropy"),
        (3, [[1, 0, 0], [0, 0, 1], [0, 1, 0]], "categorical_crossentropy"),
    ],
)
def test_crossentropy_is_the_one_that_fits(units, labels, name, tmp_path):
    x = np.random.default_rng(0).random((3, 4))

    def trained(loss):
        pyconv.utils.set_random_seed(0)
        activation = "sigmoid" if units == 1 else "softmax"
        model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(units, activation)])
        model.compile("sgd", loss, metrics=["ce"])
        return model, model.fit(x, np.array(labels), epochs=3, verbose=0).history

    (model, history), (other, wanted) = trained("crossentropy"), trained(name)
    assert history["loss"] == wanted["loss"]
    np.testing.assert_allclose(history["ce"], history["loss"], rtol=1e-6)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.save(tmp_path / "model.keras")
    loaded = pyconv.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(x, np.array(labels), verbose=0) == pytest.approx(
        model.evaluate(x, np.array(labels), verbose=0)
    )
