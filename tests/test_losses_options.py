"""Axes, ignored classes, and losses of the user's own with gradients by differences."""

import numpy as np
import pytest
import torch

import pyconv
from pyconv import losses
from pyconv.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CosineSimilarity,
    SparseCategoricalCrossentropy,
)


def f32(values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    "make",
    [
        lambda axis: CategoricalCrossentropy(axis=axis),
        lambda axis: CategoricalCrossentropy(True, axis=axis),
        lambda axis: SparseCategoricalCrossentropy(axis=axis),
        lambda axis: SparseCategoricalCrossentropy(True, axis=axis),
        lambda axis: BinaryCrossentropy(axis=axis),
        lambda axis: CategoricalFocalCrossentropy(axis=axis),
        lambda axis: CosineSimilarity(axis=axis),
    ],
)
@pytest.mark.parametrize("axis", [1, -2])
def test_classes_on_another_axis(make, axis):
    rng = np.random.default_rng(0)
    labels, p = rng.integers(0, 4, (3, 5)), f32(rng.dirichlet(np.ones(4), (3, 5)))
    moved, last = make(axis), make(-1)
    y = labels if isinstance(last, SparseCategoricalCrossentropy) else np.eye(4)[labels]
    y_moved = y if y.ndim == 2 else np.moveaxis(y, -1, 1)
    p_moved = np.ascontiguousarray(np.moveaxis(p, -1, 1))
    assert moved(y_moved, p_moved) == pytest.approx(last(y, p), rel=1e-6)
    scale = f32(rng.random((3, 5)))
    checked = moved.check_targets(y_moved, p_moved.shape, "test")
    rows, grad = moved.call_with_gradient(checked, p_moved, scale, np.empty_like(p_moved))
    wanted_rows, wanted = last.call_with_gradient(last.check_targets(y, p.shape, "t"), p, scale)
    np.testing.assert_array_equal(rows, wanted_rows)
    np.testing.assert_array_equal(grad, np.moveaxis(wanted, -1, 1))


@pytest.mark.parametrize("ignored", [-1, 1, 255])
@pytest.mark.parametrize("from_logits", [False, True])
def test_ignored_class_counts_nowhere(ignored, from_logits):
    p = f32([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]])
    y = np.array([2, ignored, 0])
    p = np.log(p) if from_logits else p
    loss = SparseCategoricalCrossentropy(from_logits, ignored)
    wanted = -np.log([0.5, 0.6])
    assert loss(y, p) == pytest.approx(wanted.mean(), rel=1e-6)
    total = SparseCategoricalCrossentropy(from_logits, ignored, reduction="sum")(y, p)
    assert total == pytest.approx(wanted.sum(), rel=1e-6)
    rows = losses.sparse_categorical_crossentropy(y, p, from_logits, ignored)
    np.testing.assert_allclose(rows, [wanted[0], 0, wanted[1]], rtol=1e-6)
    weighted = loss(y, p, sample_weight=[1.0, 5.0, 3.0])
    assert weighted == pytest.approx((wanted * [1, 3]).sum() / 2, rel=1e-6)
    with pytest.raises(ValueError, match="class numbers from 0 to 2"):
        loss([3, ignored, 0], p)


def test_all_ignored_is_no_loss():
    assert SparseCategoricalCrossentropy(ignore_class=0)([0], [[0.5, 0.5]]) == 0.0


def test_ignored_rows_do_not_train():
    def trained(x, y, loss):
        model = pyconv.Sequential(
            [pyconv.Input((3,)), pyconv.layers.Dense(3, "softmax", kernel_initializer="zeros")]
        )
        model.compile("sgd", loss)
        history = model.fit(x, y, epochs=2, shuffle=False, verbose=0)
        return history.history["loss"], model.get_weights()

    x, y = f32(np.random.default_rng(0).random((6, 3))), np.array([0, 255, 2, 1, 255, 0])
    kept = y != 255
    loss, weights = trained(x, y, SparseCategoricalCrossentropy(ignore_class=255))
    wanted_loss, wanted = trained(x[kept], y[kept], "sparse_categorical_crossentropy")
    np.testing.assert_allclose(loss, wanted_loss, rtol=1e-6)
    np.testing.assert_allclose(weights[0], wanted[0], rtol=1e-5, atol=1e-7)


def test_metrics_and_class_weights_beside_ignored_rows():
    model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(3, "softmax")])
    model.set_weights([np.eye(3) * 9, np.zeros(3)])
    loss = SparseCategoricalCrossentropy(ignore_class=255)
    model.compile("sgd", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
    x, y = f32(np.eye(3)[[0, 1, 2, 0]]), np.array([0, 255, 2, 1])
    weight = np.array([1.0, 1.0, 2.0, 1.0])
    _, plain, weighted = model.evaluate(x, y, verbose=0, sample_weight=weight)
    assert (plain, weighted) == (0.5, 0.6)
    by_sample = model.test_on_batch(x, y, sample_weight=weight)[0]
    assert model.train_on_batch(x, y, class_weight={2: 2.0})[0] == by_sample


def test_generalized_cross_entropy():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(4), 5).astype(np.float32), rng.integers(0, 4, 5)
    own = p[np.arange(5), y].astype(np.float64)
    rows, grad = CategoricalGeneralizedCrossEntropy(0.7).call_with_gradient(y, p, np.ones(5, "f"))
    np.testing.assert_allclose(rows, (1 - own**0.7) / 0.7, rtol=1e-6)
    wanted = np.zeros((5, 4))
    wanted[np.arange(5), y] = -(own**-0.3)
    np.testing.assert_allclose(grad, wanted, rtol=1e-6)


# Functions as users write them: a loss for each sample, for each element, and for the batch.
def squared(y_true, y_pred):
    return np.mean(np.square(y_pred - y_true), axis=-1)


def of_elements(y_true, y_pred):
    return np.square(y_pred - y_true)


def of_batch(y_true, y_pred):
    return np.mean(np.square(y_pred - y_true))


def in_float32(y_true, y_pred):
    return np.mean(np.square((y_pred - y_true).astype(np.float32)), axis=-1)


class Squared(losses.Loss):
    def call(self, y_true, y_pred):
        return squared(y_true, y_pred)


class TestOnesOwn:
    def fitted(self, loss, output=3, weight=None):
        rng = np.random.default_rng(0)
        x, y = f32(rng.random((10, 4))), f32(rng.random((10, output)))
        kernel, bias = f32(rng.random((4, output))), np.zeros(output)
        model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(output)])
        model.set_weights([kernel, bias])
        model.compile("sgd", loss)
        history = model.fit(
            x, y if output > 1 else y[:, 0], 4, 3, 0, shuffle=False, sample_weight=weight
        )
        evaluated = model.evaluate(x, y, verbose=0)
        return history.history["loss"], evaluated, model.get_weights()

    # One number for the batch knows no samples to weight.
    @pytest.mark.parametrize("output", [1, 3])
    @pytest.mark.parametrize(
        ("loss", "weighted"),
        [(one, w) for one in (squared, of_elements, Squared(), [squared]) for w in (False, True)]
        + [(of_batch, False)],
    )
    def test_trains_as_the_exact_one(self, loss, output, weighted):
        weight = np.linspace(0, 2, 10) if weighted else None
        got, wanted = (self.fitted(one, output, weight) for one in (loss, "mse"))
        np.testing.assert_allclose(got[0], wanted[0], rtol=1e-5)
        assert got[1] == pytest.approx(wanted[1], rel=1e-5)
        for a, b in zip(got[2], wanted[2], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)

    def test_in_float32_is_less_exact(self):
        got, wanted = self.fitted(in_float32), self.fitted("mse")
        np.testing.assert_allclose(got[0], wanted[0], rtol=1e-3)

    def test_cells_of_a_row(self):
        rng = np.random.default_rng(0)
        y, p = f32(rng.random((2, 3, 4))), f32(rng.random((2, 3, 4)))
        scale = f32(rng.random((2, 3)))
        rows, grad = losses.as_loss(squared).call_with_gradient(y, p, scale)
        exact, wanted = losses.MeanSquaredError().call_with_gradient(y, p, scale)
        np.testing.assert_allclose(rows, exact, rtol=1e-6)
        np.testing.assert_allclose(grad, wanted, rtol=1e-5, atol=1e-7)

    def test_labels_are_as_the_user_has_them(self):
        def sparse(y_true, y_pred):
            own = np.take_along_axis(y_pred, y_true.astype(int)[:, None], axis=1)
            return -np.log(own[:, 0])

        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(3, "softmax")])
        model.compile("sgd", sparse)
        x, y = f32(np.eye(2)), [2, 0]
        kept = model.get_weights()
        value = model.train_on_batch(x, y)
        after = model.get_weights()
        model.set_weights(kept)
        model.compile("sgd", "sparse_categorical_crossentropy")
        assert value == pytest.approx(model.train_on_batch(x, y), rel=1e-6)
        np.testing.assert_allclose(after[0], model.get_weights()[0], rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("shape", [(5, 3), (3,)])
    def test_wrong_shape_of_the_result(self, shape):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(3)])
        model.compile("sgd", lambda y_true, y_pred: np.zeros(shape))
        with pytest.raises(ValueError, match=r"must return one number a sample, shape \(2,\)"):
            model.train_on_batch(f32(np.eye(2)), f32(np.zeros((2, 3))))

    def test_one_number_of_a_large_batch(self):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(9000)])
        model.compile("sgd", of_batch)
        with pytest.raises(ValueError, match="return one number a sample, or define"):
            model.train_on_batch(f32(np.eye(2)), f32(np.zeros((2, 9000))))

    def test_called_directly(self):
        assert Squared()([[0.0, 2.0]], [[0.0, 0.0]]) == 2.0
        assert Squared(reduction=None)([[0.0, 2.0]], [[0.0, 0.0]]).tolist() == [2.0]
        assert Squared("own").name == "own"
        result = losses.MeanSquaredError()([[1.0]], [[3.0]])
        assert (result.numpy(), result.dtype, result.shape) == (4.0, np.float32, ())


def overlap(y, p, alpha, beta, axis):
    total = lambda values: values.sum(dim=axis)  # noqa: E731
    both = total(y * p)
    missing, extra = total(y * (1 - p)), total((1 - y) * p)
    return 1 - both / (both + alpha * missing + beta * extra + 1e-7)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("axis", [None, (1, 2, 3)])
@pytest.mark.parametrize(
    ("make", "weights"),
    [
        (lambda **options: losses.Dice(**options), (0.5, 0.5)),
        (lambda **options: losses.Tversky(0.2, 0.9, **options), (0.2, 0.9)),
    ],
)
def test_overlap(make, weights, axis, reduction):
    rng = np.random.default_rng(0)
    y, p = f32(rng.random((2, 3, 3, 3)) < 0.5), f32(rng.random((2, 3, 3, 3)))
    loss = make(axis=axis, reduction=reduction)
    exact = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    axes = axis if axis is not None else (0, 1, 2, 3)
    values = overlap(torch.tensor(y, dtype=torch.float64), exact, *weights, axes)
    wanted = values.sum() if reduction == "sum" else values.mean()
    assert loss(y, p) == pytest.approx(wanted.item(), rel=1e-6)
    wanted.backward()
    scale = loss.row_scale((2, 3, 3), None)
    rows, grad = loss.call_with_gradient(y, p, scale)
    assert (rows * scale).sum() == pytest.approx(wanted.item(), rel=1e-6)
    np.testing.assert_allclose(grad, exact.grad.numpy(), rtol=1e-5, atol=1e-8)
    by_differences = losses.Loss.call_with_gradient(loss, y, p, scale)[1]
    np.testing.assert_allclose(grad, by_differences, rtol=1e-5, atol=1e-8)
    copy = losses.deserialize(losses.serialize(loss))
    assert copy.get_config() == loss.get_config()


def test_a_list_or_dict_of_one_loss_is_that_of_the_output():
    for loss in (["mse"], {"out": "mse"}, [losses.MeanSquaredError()]):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
        model.compile("sgd", loss)
        assert isinstance(model.objective.loss, losses.MeanSquaredError)
